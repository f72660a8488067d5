"""Properties that follow from others: each row of the table, and what nothing follows from."""

from datetime import UTC, datetime

import pytest

from appliance.convert import typed
from appliance.formats.recurrence import pattern, zones
from appliance.formats.recurrence.pattern import EndType, Frequency, PatternType, Recurrence
from appliance.formats.recurrence.zones import Change, Rule, Zone
from appliance.mapi import names as n
from appliance.mapi import tags, times
from appliance.mapi.names import NamedTag
from appliance.mapi.types import Value

BERLIN = Rule(-60, 0, -60, Change(0, 10, 0, 5, 3), Change(0, 3, 0, 5, 2))
Bag = dict[NamedTag, Value]


def at(*moment: int) -> int:
    return times.from_datetime(datetime(*moment, tzinfo=UTC))  # type: ignore[misc, arg-type]


def series(ends: bool) -> bytes:
    """Mondays at nine, from 2024-03-04 to 2024-06-24 or for ever."""
    start, end = times.to_minutes(at(2024, 3, 4)), times.to_minutes(at(2024, 6, 24))
    weekly = Recurrence(Frequency.WEEKLY, PatternType.WEEK, 1, start, days=0b10)
    if ends:
        weekly.end_type, weekly.end_date = EndType.BY_DATE, end
    return pattern.pack(pattern.AppointmentRecurrence(weekly, 540, 600))


ALONE: Bag = {
    n.PidLidAppointmentStartWhole: at(2024, 3, 4, 8),
    n.PidLidAppointmentEndWhole: at(2024, 3, 4, 9, 30),
}
ENDING: Bag = {
    **ALONE,
    n.PidLidAppointmentRecur: series(True),
    n.PidLidAppointmentTimeZoneDefinitionRecur: zones.pack_definition(Zone((BERLIN,), "x")),
}
ENDLESS: Bag = {
    **ALONE,
    n.PidLidAppointmentRecur: series(False),
    n.PidLidTimeZoneStruct: zones.pack_struct(BERLIN),
}
BROKEN: Bag = {**ENDING, n.PidLidAppointmentRecur: b"x"}
NO_ZONE: Bag = {**ENDING, n.PidLidAppointmentTimeZoneDefinitionRecur: b"x"}
REMINDED: Bag = {**ALONE, n.PidLidReminderSet: True}


@pytest.mark.parametrize(
    ("bag", "tag", "value"),
    [
        (ALONE, n.PidLidCommonStart, at(2024, 3, 4, 8)),
        (ALONE, n.PidLidCommonEnd, at(2024, 3, 4, 9, 30)),
        (ALONE, n.PidLidAppointmentDuration, 90),
        (ALONE, n.PidLidRecurring, None),
        (ENDING, n.PidLidRecurring, True),
        (ALONE, n.PidLidClipStart, at(2024, 3, 4, 8)),
        (ALONE, n.PidLidClipEnd, at(2024, 3, 4, 9, 30)),
        (ENDING, n.PidLidClipStart, at(2024, 3, 3, 23)),
        (ENDING, n.PidLidClipEnd, at(2024, 6, 23, 22)),
        (ENDLESS, n.PidLidClipStart, at(2024, 3, 3, 23)),
        (ENDLESS, n.PidLidClipEnd, at(4500, 8, 31, 23, 59)),
        (NO_ZONE, n.PidLidClipStart, at(2024, 3, 4)),
        (BROKEN, n.PidLidClipStart, at(2024, 3, 4, 8)),
        (BROKEN, n.PidLidClipEnd, at(2024, 3, 4, 9, 30)),
        (ALONE, n.PidLidReminderSignalTime, None),
        (REMINDED, n.PidLidReminderSignalTime, at(2024, 3, 4, 7, 45)),
        ({**REMINDED, n.PidLidReminderDelta: 0x5AE980E1}, n.PidLidReminderSignalTime, at(2024, 3, 4, 7, 45)),
        ({**REMINDED, n.PidLidReminderDelta: 60}, n.PidLidReminderSignalTime, at(2024, 3, 4, 7)),
        (
            {**REMINDED, n.PidLidReminderTime: at(2024, 3, 5)},
            n.PidLidReminderSignalTime,
            at(2024, 3, 4, 23, 45),
        ),
        ({**REMINDED, n.PidLidReminderDelta: -1}, n.PidLidReminderSignalTime, None),
        ({**ENDING, n.PidLidReminderSet: True}, n.PidLidReminderSignalTime, None),
        ({n.PidLidReminderSet: True}, n.PidLidReminderSignalTime, None),
        ({n.PidLidTaskStatus: 2}, n.PidLidTaskComplete, True),
        ({n.PidLidPercentComplete: 1.0}, n.PidLidTaskComplete, True),
        ({n.PidLidPercentComplete: 0.5}, n.PidLidTaskComplete, False),
        ({n.PidLidTaskStatus: 2}, n.PidLidPercentComplete, 1.0),
        ({n.PidLidTaskComplete: True}, n.PidLidPercentComplete, 1.0),
        ({n.PidLidTaskStatus: 1}, n.PidLidPercentComplete, 0.0),
        (
            {n.PidLidAppointmentStartWhole: 10, n.PidLidAppointmentEndWhole: 5},
            n.PidLidAppointmentDuration,
            None,
        ),
        (ALONE, n.PidLidLocation, None),
    ],
)
def test_rows(bag: Bag, tag: NamedTag, value: Value) -> None:
    assert typed.named(tag.name, tag.type, bag.get) == value
    assert typed.named(tag.name, 0x0048, bag.get) is None


def test_of_nothing() -> None:
    """An object of another kind gets none of them."""
    for tag in vars(n).values():
        if isinstance(tag, NamedTag):
            assert typed.named(tag.name, tag.type, lambda _tag: None) is None


def test_tagged() -> None:
    assert typed.TAGGED[tags.PidTagStartDate](ALONE.get) == at(2024, 3, 4, 8)
    assert typed.TAGGED[tags.PidTagEndDate](ALONE.get) == at(2024, 3, 4, 9, 30)
