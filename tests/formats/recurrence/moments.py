"""Moments in minutes since 1601, for tests."""

from datetime import datetime, timedelta

_EPOCH = datetime(1601, 1, 1)


def minutes(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> int:
    """A local time."""
    return (datetime(year, month, day, hour, minute) - _EPOCH) // timedelta(minutes=1)


def moment(value: int) -> datetime:
    """A local time from its minutes."""
    return _EPOCH + timedelta(minutes=value)
