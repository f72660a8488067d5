"""When to try again, when to warn, when to give up.

Times are FILETIMEs, spans are in the same unit. Giving up needs both the time and a number of attempts: a
clock that was wrong while the message arrived must not bounce it.
"""

from appliance.mapi.times import TICKS_PER_DAY, TICKS_PER_MINUTE
from appliance.store.queue import QueueEntry

DELAYS = tuple(minutes * TICKS_PER_MINUTE for minutes in (5, 10, 20, 40, 60, 120))
"""Waits after the first attempts."""

LONGEST = 240 * TICKS_PER_MINUTE
"""The wait after all later ones (RFC 5321 4.5.4.1 asks for half an hour or more)."""

WARN_AFTER = 240 * TICKS_PER_MINUTE
"""How old a message is when its sender is told that it waits."""

LIFETIME = 5 * TICKS_PER_DAY
"""How long we try (RFC 5321 4.5.4.1: four to five days)."""

LEAST_ATTEMPTS = 12
"""Attempts before a message can be given up, however old it seems."""


def delay(attempts: int) -> int:
    """How long to wait after attempt number `attempts` (1 and up)."""
    return DELAYS[attempts - 1] if attempts <= len(DELAYS) else LONGEST


def is_expired(entry: QueueEntry, now: int) -> bool:
    """Whether to give up after this attempt."""
    return now - entry.arrived >= LIFETIME and entry.attempts >= LEAST_ATTEMPTS


def wants_warning(entry: QueueEntry, now: int) -> bool:
    """Whether the sender should hear that the message waits."""
    return not entry.warned and now - entry.arrived >= WARN_AFTER


def retry_until(entry: QueueEntry) -> int:
    """When we give up."""
    return entry.arrived + LIFETIME


def is_misdated(entry: QueueEntry, now: int) -> bool:
    """Whether the entry is due later than any schedule says: the clock was ahead when it was scheduled."""
    return entry.next_attempt - now > LONGEST + TICKS_PER_DAY
