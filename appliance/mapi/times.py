"""Times: FILETIME numbers and their conversions.

A FILETIME (PtypTime) is an unsigned 64-bit count of 100 ns since 1601-01-01 UTC. A minute count is what
recurrence and reminder structures hold: minutes since the same moment. Everything is UTC; conversions to
Python take and give aware datetimes, and refuse naive ones. Values that datetime cannot hold are clamped to
its ends, because clients use 0x7FFFFFFFFFFFFFFF and the like for "never".
"""

from datetime import UTC, datetime, timedelta

TICKS_PER_SECOND = 10_000_000
TICKS_PER_MINUTE = 60 * TICKS_PER_SECOND
TICKS_PER_DAY = 24 * 60 * TICKS_PER_MINUTE
UNIX_EPOCH = 116_444_736_000_000_000  # 1970-01-01 as FILETIME
MAX_FILETIME = 0x7FFFFFFFFFFFFFFF
# 4500-08-31 23:59, the end of what Outlook writes as "no date" in minutes (MS-OXOCAL 2.2.1.44.1).
NO_DATE_MINUTES = 0x5AE980DF

_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)
_LAST = datetime.max.replace(tzinfo=UTC)
_LAST_TICKS = (_LAST - _EPOCH) // timedelta(microseconds=1) * 10


def from_datetime(moment: datetime) -> int:
    """FILETIME of an aware datetime; moments before 1601 become 0. ValueError for a naive one."""
    if moment.tzinfo is None:
        raise ValueError("a time without zone")
    try:
        microseconds = (moment - _EPOCH) // timedelta(microseconds=1)
    except OverflowError:
        microseconds = 0
    return max(microseconds * 10, 0)


def to_datetime(filetime: int) -> datetime:
    """The UTC datetime, cut to microseconds and clamped to 1601..9999."""
    if filetime >= _LAST_TICKS:
        return _LAST
    return _EPOCH + timedelta(microseconds=max(filetime, 0) // 10)


def from_unix(seconds: float) -> int:
    """FILETIME of a Unix time in seconds; whole numbers are exact, others to the microsecond."""
    if isinstance(seconds, int):
        return max(seconds * TICKS_PER_SECOND + UNIX_EPOCH, 0)
    return max(round(seconds * 1_000_000) * 10 + UNIX_EPOCH, 0)


def to_unix(filetime: int) -> float:
    """Unix time in seconds (negative before 1970)."""
    return (filetime - UNIX_EPOCH) / TICKS_PER_SECOND


def from_unix_ns(nanoseconds: int) -> int:
    """FILETIME of a Unix time in nanoseconds, as time.time_ns gives it."""
    return max(nanoseconds // 100 + UNIX_EPOCH, 0)


def from_minutes(minutes: int) -> int:
    """FILETIME of a count of minutes since 1601 (0 to 2^32 - 1)."""
    return minutes * TICKS_PER_MINUTE


def to_minutes(filetime: int) -> int:
    """Whole minutes since 1601, clamped to 32 bits."""
    return min(filetime // TICKS_PER_MINUTE, 0xFFFFFFFF)


def format_utc(filetime: int) -> str:
    """`2026-01-31T12:00:00Z`, with a fraction where there is one: for logs and listings."""
    text = to_datetime(filetime).replace(tzinfo=None).isoformat()
    return text + "Z"
