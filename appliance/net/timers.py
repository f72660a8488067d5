"""Deadlines of thousands of connections without a timer for each.

An item carries its own deadline, which its owner moves by assigning it. The wheel keeps items in buckets of
whole seconds; when a bucket is due, an item whose deadline has moved on is put into a later bucket, and one
whose deadline has passed is told. So moving a deadline later costs one assignment, and nothing at all runs
while no item waits.

Deadlines are seconds of the loop's clock; they fire up to about one second late, never early.
"""

import asyncio
import math
from typing import Protocol

NEVER = math.inf


class Timed(Protocol):
    """What a wheel watches."""

    deadline: float
    """When `expired` is to be called (the loop's time), or NEVER."""

    bucket: float
    """The wheel's own note: the earliest bucket that holds this item, NEVER when none does."""

    def expired(self) -> None:
        """The deadline has passed; `deadline` is NEVER again."""


class Wheel:
    """Calls `expired` of each watched item whose deadline has passed."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._buckets: dict[int, set[Timed]] = {}
        self._ticking: asyncio.TimerHandle | None = None
        self._due = NEVER

    def watch(self, item: Timed, deadline: float) -> None:
        """Move the item's deadline, earlier or later."""
        item.deadline = deadline
        if deadline < item.bucket:
            self.forget(item)
            item.deadline = deadline
            self._place(item)

    def forget(self, item: Timed) -> None:
        """Hold the item no longer."""
        item.deadline = NEVER
        if item.bucket != NEVER:
            self._buckets.get(int(item.bucket), set()).discard(item)
            item.bucket = NEVER

    def _place(self, item: Timed) -> None:
        bucket = math.ceil(item.deadline)
        item.bucket = bucket
        self._buckets.setdefault(bucket, set()).add(item)
        if bucket < self._due:
            self._arm(bucket)

    def _arm(self, bucket: int) -> None:
        if self._ticking:
            self._ticking.cancel()
        self._due = bucket
        self._ticking = self._loop.call_at(bucket, self._tick)

    def _tick(self) -> None:
        self._ticking, self._due = None, NEVER
        now = self._loop.time()
        for bucket in sorted(key for key in self._buckets if key <= now):
            for item in self._buckets.pop(bucket):
                self._look(item, now)
        if self._buckets:
            self._arm(min(self._buckets))

    def _look(self, item: Timed, now: float) -> None:
        item.bucket = NEVER
        if item.deadline <= now:
            item.deadline = NEVER
            item.expired()
        elif item.deadline != NEVER:
            self._place(item)

    def close(self) -> None:
        """Forget everything."""
        if self._ticking:
            self._ticking.cancel()
        self._ticking, self._due = None, NEVER
        self._buckets.clear()
