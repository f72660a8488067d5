"""The time, and whether it can be trusted.

Boards have no clock of their own. Until the time is synchronised or set by a person, nothing expires or
bounces. `Jumps` compares the wall clock with the monotonic one: when the wall clock is set, deadlines move
with it instead of firing.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from appliance.mapi.times import TICKS_PER_SECOND, from_unix_ns

LEAST_JUMP = 60 * TICKS_PER_SECOND
"""Smaller steps (FILETIME units) are the clock being disciplined."""


class Clock(Protocol):
    """The machine's clock."""

    def now(self) -> int:
        """The time as FILETIME."""

    def monotonic(self) -> float:
        """Seconds that only grow."""

    @property
    def trusted(self) -> bool:
        """Whether `now` can be believed."""


@dataclass(frozen=True, slots=True)
class SystemClock:
    """The machine's clock; `is_trusted` is asked each time."""

    is_trusted: Callable[[], bool]

    def now(self) -> int:
        """The time as FILETIME."""
        return from_unix_ns(time.time_ns())

    def monotonic(self) -> float:
        """Seconds that only grow."""
        return time.monotonic()

    @property
    def trusted(self) -> bool:
        """Whether `now` can be believed."""
        return self.is_trusted()


class Jumps:
    """Notices when the wall clock was set."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._offset = self._measure()

    def _measure(self) -> int:
        return self._clock.now() - int(self._clock.monotonic() * TICKS_PER_SECOND)

    def take(self) -> int:
        """By how much the wall clock jumped since the last call (FILETIME units, 0: it did not)."""
        offset = self._measure()
        jump = offset - self._offset
        self._offset = offset
        return jump if abs(jump) >= LEAST_JUMP else 0
