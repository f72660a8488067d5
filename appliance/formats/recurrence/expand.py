"""The instances of a recurring appointment (MS-OXOCAL 2.2.1.44.1): dates by the pattern, without what was
deleted, with what was changed.

All times are minutes since 1601-01-01 00:00 on the clock of the series. A stretch far from the beginning
costs no more than one near it. Broken patterns (a period of nothing, no week days) mean no instances; a
series has at most MAX_INSTANCES in one stretch. Hijri months are those of the tabular calendar.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count, islice, takewhile
from typing import Final

from appliance.formats.recurrence.pattern import (
    MONTHS,
    AppointmentRecurrence,
    ExceptionInfo,
    PatternType,
    Recurrence,
)

DAY: Final = 1440
MAX_INSTANCES: Final = 20_000
_LAST_DAY: Final = (date.max - date(1601, 1, 1)).days
_EPOCH: Final = date(1601, 1, 1)
_HIJRI: Final = frozenset({PatternType.HIJRI_MONTH, PatternType.HIJRI_MONTH_NTH, PatternType.HIJRI_MONTH_END})


@dataclass(frozen=True, slots=True)
class Instance:
    """One instance: its beginning and end, when it would have begun by the pattern, and what changed it."""

    start: int
    end: int
    original: int
    exception: ExceptionInfo | None = None


def instances(series: AppointmentRecurrence, start: int, stop: int) -> Iterator[Instance]:
    """The instances that lie in part between `start` and `stop`, in the order of their beginnings by the
    pattern, changed ones behind the others."""
    length = series.end_offset - series.start_offset
    gone = set(series.pattern.deleted)
    first = max(start - series.start_offset - max(length, 0), 0)
    for day in islice(dates(series.pattern, first // DAY * DAY, stop), MAX_INSTANCES):
        begins = day + series.start_offset
        ends = day + series.end_offset
        if day not in gone and begins < stop and (ends > start or begins >= start):
            yield Instance(begins, ends, begins)
    for one in series.exceptions:
        if one.start < stop and (one.end > start or one.start >= start):
            yield Instance(one.start, one.end, one.original, one)


def dates(pattern: Recurrence, start: int, stop: int) -> Iterator[int]:
    """The midnights that a pattern means, deleted ones too, from `start` to before `stop`."""
    begin = max(start, pattern.start_date)
    last = min(pattern.end_date // DAY * DAY if pattern.ends else stop, _LAST_DAY * DAY)
    for day in _dates(pattern, begin):
        if day >= stop or day > last:
            return
        if day >= begin:
            yield day


def first_date_time(pattern: Recurrence) -> int:
    """FirstDateTime of a pattern that is new (2.2.1.44.1.1 to .3)."""
    start = pattern.start_date
    if pattern.type is PatternType.DAY:
        return start % max(pattern.period, 1)
    if pattern.type is PatternType.WEEK:
        return _week_of(pattern, start) % (max(pattern.period, 1) * 7 * DAY)
    month = (_month_number(start // DAY, False) - _month_number(0, False)) % max(pattern.period, 1)
    return _month_start(_month_number(0, False) + month, False) * DAY


def _dates(pattern: Recurrence, begin: int) -> Iterator[int]:
    """Dates of a pattern from a little before `begin` on, without its end."""
    if pattern.type is PatternType.DAY:
        step = pattern.period // DAY * DAY
        return (
            count(pattern.start_date + (begin - pattern.start_date) // step * step, step)
            if step
            else iter(())
        )
    if pattern.type is PatternType.WEEK:
        return _weeks(pattern, begin)
    return _months(pattern, begin)


def _week_of(pattern: Recurrence, day: int) -> int:
    """Midnight of the first day of the week that `day` is in; 1601-01-01 was a Monday."""
    days = day // DAY
    return (days - (days + 1 - pattern.first_day_of_week) % 7) * DAY


def _weeks(pattern: Recurrence, begin: int) -> Iterator[int]:
    if not pattern.period or not pattern.days & 0x7F:
        return
    step = pattern.period * 7 * DAY
    first = _week_of(pattern, pattern.start_date)
    for week in count(first + (begin - first) // step * step, step):
        for offset in range(7):
            if pattern.days >> (pattern.first_day_of_week + offset) % 7 & 1:
                yield week + offset * DAY


def _months(pattern: Recurrence, begin: int) -> Iterator[int]:
    if not pattern.period or (pattern.type not in MONTHS and not pattern.days & 0x7F):
        return
    hijri = pattern.type in _HIJRI
    first = _month_number(pattern.start_date // DAY, hijri)
    now = _month_number(begin // DAY, hijri)
    start = first + max(now - first, 0) // pattern.period * pattern.period
    for month in takewhile(
        lambda month: _month_start(month + 1, hijri) <= _LAST_DAY, count(start, pattern.period)
    ):
        opens, closes = _month_start(month, hijri), _month_start(month + 1, hijri)
        day = _in_month(pattern, opens, closes)
        if day is not None:
            yield day * DAY


def _in_month(pattern: Recurrence, opens: int, closes: int) -> int | None:
    """The day that a pattern means in the month between two days since 1601."""
    if pattern.type in (PatternType.MONTH_END, PatternType.HIJRI_MONTH_END):
        return closes - 1
    if pattern.type in MONTHS:
        return min(opens + max(pattern.day, 1), closes) - 1  # a month without that day: its last one
    fitting = [day for day in range(opens, closes) if pattern.days >> (day + 1) % 7 & 1]
    if pattern.nth >= 5:
        return fitting[-1]
    return fitting[pattern.nth - 1] if 1 <= pattern.nth <= len(fitting) else None


def _month_number(day: int, hijri: bool) -> int:
    """The number of the month of a day since 1601, from year 0 of its calendar."""
    if hijri:
        guess = 12 + (day + _HIJRI_EPOCH) * 360 // 10631  # 360 months of 30 years have 10631 days
        while _month_start(guess + 1, True) <= day:
            guess += 1
        while _month_start(guess, True) > day:
            guess -= 1
        return guess
    at = _EPOCH + timedelta(days=min(max(day, 0), _LAST_DAY))
    return at.year * 12 + at.month - 1


def _month_start(month: int, hijri: bool) -> int:
    """The first day of a month, as days since 1601. Hijri: the tabular calendar with leap years 2, 5, 7, 10,
    13, 16, 18, 21, 24, 26 and 29 of 30."""
    year, number = divmod(month, 12)
    if hijri:
        days = (year - 1) * 354 + (11 * year + 3) // 30 + (59 * number + 1) // 2
        return days - _HIJRI_EPOCH
    if year > 9999:
        return _LAST_DAY + 1
    return (date(year, number + 1, 1) - _EPOCH).days


_HIJRI_EPOCH: Final = (_EPOCH - date(622, 7, 19)).days
