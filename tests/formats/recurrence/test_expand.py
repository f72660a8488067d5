"""Instances: the examples, and python-dateutil as the judge of dates."""

from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.formats.recurrence.expand import Instance, dates, first_date_time, instances
from appliance.formats.recurrence.pattern import (
    NO_END,
    AppointmentRecurrence,
    EndType,
    Frequency,
    PatternType,
    Recurrence,
)
from tests.formats.recurrence.moments import minutes, moment
from tests.formats.recurrence.test_pattern import DAILY, WEEKLY

rrule = pytest.importorskip("dateutil.rrule", reason="python-dateutil judges the dates")

START = minutes(2023, 1, 31)
WEEK_DAYS = (rrule.SU, rrule.MO, rrule.TU, rrule.WE, rrule.TH, rrule.FR, rrule.SA)


def begins(series: AppointmentRecurrence, start: int = 0, stop: int = NO_END) -> list[str]:
    return [f"{moment(one.start):%m-%d %H:%M}" for one in instances(series, start, stop)]


def test_examples() -> None:
    """What the specification says of its examples in words."""
    assert begins(WEEKLY) == [
        "03-26 10:00", "03-29 10:00", "03-30 10:00", "04-02 10:00", "04-05 10:00", "04-06 10:00",
        "04-09 10:00", "04-12 10:00", "04-13 10:00", "04-19 10:00", "04-20 10:00", "04-16 11:00",
    ]  # fmt: skip
    assert begins(DAILY) == [
        "04-07 08:00", "04-10 08:00", "04-13 08:00", "04-16 08:00", "04-25 08:00", "04-28 08:00",
        "05-01 08:00", "05-04 08:00",
    ]  # fmt: skip


def test_a_stretch() -> None:
    """What begins before it and ends within, not what ends as it begins or begins as it ends."""
    day = minutes(2007, 3, 29)
    assert begins(WEEKLY, day + 629, day + 630) == ["03-29 10:00"]
    assert begins(WEEKLY, day + 630, minutes(2007, 3, 30, 10)) == []
    assert begins(WEEKLY, day + 590, day + 600) == []
    assert begins(WEEKLY, day + 590, day + 601) == ["03-29 10:00"]
    (changed,) = instances(WEEKLY, minutes(2007, 4, 16, 11), minutes(2007, 4, 16, 12))
    assert changed == Instance(
        minutes(2007, 4, 16, 11), minutes(2007, 4, 16, 11, 30), minutes(2007, 4, 16, 10), WEEKLY.exceptions[0]
    )


@st.composite
def _gregorian(draw: st.DrawFn) -> tuple[Recurrence, "rrule.rrule"]:
    """A pattern and the same rule for the judge."""
    start = draw(st.integers(minutes(1990, 1, 1) // 1440, minutes(2040, 1, 1) // 1440)) * 1440
    period = draw(st.integers(1, 13))
    kind = draw(st.sampled_from([PatternType.DAY, PatternType.WEEK, PatternType.MONTH, PatternType.MONTH_NTH,
                                 PatternType.MONTH_END]))  # fmt: skip
    days, first = draw(st.integers(1, 127)), draw(st.integers(0, 6))
    day, nth = draw(st.integers(1, 31)), draw(st.integers(1, 5))
    names = [WEEK_DAYS[bit] for bit in range(7) if days >> bit & 1]
    begin = moment(start)
    common = {"dtstart": begin, "interval": period}
    if kind is PatternType.DAY:
        rule, period = rrule.rrule(rrule.DAILY, **common), period * 1440
    elif kind is PatternType.WEEK:
        rule = rrule.rrule(rrule.WEEKLY, wkst=WEEK_DAYS[first], byweekday=names, **common)
    elif kind is PatternType.MONTH:
        wanted = list(range(28, day + 1)) if day > 28 else [day]
        rule = rrule.rrule(rrule.MONTHLY, bymonthday=wanted, bysetpos=-1, **common)
    elif kind is PatternType.MONTH_END:
        rule = rrule.rrule(rrule.MONTHLY, bymonthday=-1, **common)
    else:
        rule = rrule.rrule(rrule.MONTHLY, byweekday=names, bysetpos=-1 if nth == 5 else nth, **common)
    pattern = Recurrence(
        Frequency.DAILY, kind, period, start, days=days, day=day, nth=nth, first_day_of_week=first
    )
    return pattern, rule


@settings(deadline=None, max_examples=200)
@given(_gregorian(), st.integers(0, 4000), st.integers(1, 900))
def test_dates_by_dateutil(given_rule: tuple[Recurrence, "rrule.rrule"], later: int, length: int) -> None:
    """The same dates in any stretch."""
    pattern, rule = given_rule
    start = pattern.start_date + later * 1440
    stop = start + length * 1440
    judged = rule.between(moment(start), moment(stop) - timedelta(days=1), inc=True)
    assert [moment(day) for day in dates(pattern, start, stop)] == judged


@pytest.mark.parametrize("end_type", [EndType.BY_DATE, EndType.AFTER])
def test_ends(end_type: EndType) -> None:
    pattern = Recurrence(Frequency.DAILY, PatternType.DAY, 1440, START, START + 4 * 1440 + 7, end_type, 5)
    assert len(list(dates(pattern, 0, NO_END))) == 5
    pattern.end_type = 0xFFFFFFFF
    assert len(list(dates(pattern, 0, START + 1440 * 100))) == 100


def test_broken_patterns() -> None:
    """They mean nothing, and end."""
    for kind in PatternType:
        assert list(dates(Recurrence(Frequency.DAILY, kind, 0, START), 0, NO_END)) == []
    for kind in (PatternType.WEEK, PatternType.MONTH_NTH, PatternType.HIJRI_MONTH_NTH):
        assert list(dates(Recurrence(Frequency.DAILY, kind, 1, START, days=0x80), 0, NO_END)) == []
    endless = Recurrence(Frequency.DAILY, PatternType.DAY, 1440, 0xFFFFFFFF // 1440 * 1440)
    assert len(list(dates(endless, 0, 0xFFFFFFFFFF))) <= 5_000_000
    fifth = Recurrence(Frequency.MONTHLY, PatternType.MONTH_NTH, 1, START, days=1, nth=9)
    assert len(list(dates(fifth, 0, START + 366 * 1440))) == 12
    assert (
        list(dates(Recurrence(Frequency.MONTHLY, PatternType.MONTH_NTH, 1, START, days=1), 0, NO_END)) == []
    )


def test_many_instances_end() -> None:
    daily = AppointmentRecurrence(Recurrence(Frequency.DAILY, PatternType.DAY, 1440, 0), 0, 30)
    assert sum(1 for _ in instances(daily, 0, NO_END)) == 20_000


def test_hijri_months() -> None:
    """The tabular calendar: 1 Muharram 1445 was 2023-07-19, 1 Ramadan 1445 on 2024-03-11."""
    monthly = Recurrence(
        Frequency.MONTHLY, PatternType.HIJRI_MONTH, 1, minutes(2023, 7, 19), day=1, calendar=6
    )
    found = [moment(day).date().isoformat() for day in dates(monthly, 0, minutes(2024, 3, 12))]
    assert found[0] == "2023-07-19"
    assert found[8] == "2024-03-11"
    assert all(
        29 <= (datetime.fromisoformat(b) - datetime.fromisoformat(a)).days <= 30 for a, b in pairwise(found)
    )
    last = Recurrence(Frequency.MONTHLY, PatternType.HIJRI_MONTH_END, 12, minutes(2023, 7, 19))
    assert moment(next(dates(last, 0, NO_END))).date().isoformat() == "2023-08-17"


def test_first_date_time_of_months() -> None:
    """Every third month from April 2011: (12 * 410 + 3) % 3 = 0, the month of the reference date."""
    monthly = Recurrence(Frequency.MONTHLY, PatternType.MONTH, 3, minutes(2011, 4, 7), day=7)
    assert first_date_time(monthly) == 0
    yearly = Recurrence(Frequency.YEARLY, PatternType.MONTH, 12, minutes(2011, 4, 7), day=7)
    assert first_date_time(yearly) == minutes(1601, 4, 1)
