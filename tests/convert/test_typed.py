"""Properties that follow from others: each row of the table, and what nothing follows from."""

from datetime import UTC, datetime

import pytest

from appliance.convert import typed
from appliance.convert.typed import Kind
from appliance.formats.recurrence import pattern, zones
from appliance.formats.recurrence.pattern import EndType, Frequency, PatternType, Recurrence
from appliance.formats.recurrence.zones import Change, Rule, Zone
from appliance.mapi import names as n
from appliance.mapi import tags, times
from appliance.mapi.names import NamedTag
from appliance.mapi.types import Value

BERLIN = Rule(-60, 0, -60, Change(0, 10, 0, 5, 3), Change(0, 3, 0, 5, 2))
Bag = dict[NamedTag | int, Value]
MINUTE = times.TICKS_PER_MINUTE


def follows(kind: Kind, bag: Bag, tag: NamedTag) -> Value:
    return typed.named(kind, tag.name, tag.type, bag.get)


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
        (
            {n.PidLidAppointmentStartWhole: 10, n.PidLidAppointmentEndWhole: 5},
            n.PidLidAppointmentDuration,
            None,
        ),
        (ALONE, n.PidLidLocation, None),
        (ALONE, n.PidLidRecurrenceType, 0),
        (ENDING, n.PidLidRecurrenceType, 2),
        (BROKEN, n.PidLidRecurrenceType, None),
        ({}, n.PidLidRecurrenceType, None),
        (REMINDED, n.PidLidReminderTime, at(2024, 3, 4, 8)),
        (ALONE, n.PidLidReminderTime, None),
        (
            {n.PidLidGlobalObjectId: bytes(range(16)) + b"\x07\xe8\x03\x04" + b"rest"},
            n.PidLidCleanGlobalObjectId,
            bytes(range(16)) + bytes(4) + b"rest",
        ),
        ({n.PidLidGlobalObjectId: b"short"}, n.PidLidCleanGlobalObjectId, None),
    ],
)
def test_appointments(bag: Bag, tag: NamedTag, value: Value) -> None:
    assert follows(Kind.APPOINTMENT, bag, tag) == value
    assert typed.named(Kind.APPOINTMENT, tag.name, 0x0048, bag.get) is None


@pytest.mark.parametrize(
    ("bag", "tag", "value"),
    [
        ({n.PidLidTaskStatus: 2}, n.PidLidTaskComplete, True),
        ({n.PidLidPercentComplete: 1.0}, n.PidLidTaskComplete, True),
        ({n.PidLidPercentComplete: 0.5}, n.PidLidTaskComplete, False),
        ({n.PidLidTaskStatus: 2}, n.PidLidPercentComplete, 1.0),
        ({n.PidLidTaskComplete: True}, n.PidLidPercentComplete, 1.0),
        ({n.PidLidTaskStatus: 1}, n.PidLidPercentComplete, 0.0),
        ({n.PidLidPercentComplete: 1.0}, n.PidLidTaskStatus, 2),
        ({n.PidLidTaskComplete: True}, n.PidLidTaskStatus, 2),
        ({n.PidLidPercentComplete: 0.3}, n.PidLidTaskStatus, 1),
        ({n.PidLidPercentComplete: 0.0}, n.PidLidTaskStatus, 0),
        ({n.PidLidTaskComplete: False}, n.PidLidTaskStatus, 0),
        ({n.PidLidTaskRecurrence: b"x"}, n.PidLidTaskFRecurring, True),
        ({}, n.PidLidTaskFRecurring, None),
        ({n.PidLidReminderSet: True, n.PidLidReminderTime: 7}, n.PidLidReminderSignalTime, 7),
        ({n.PidLidReminderTime: 7}, n.PidLidReminderSignalTime, None),
        (ALONE, n.PidLidCommonStart, None),
    ],
)
def test_tasks(bag: Bag, tag: NamedTag, value: Value) -> None:
    assert follows(Kind.TASK, bag, tag) == value


@pytest.mark.parametrize(
    ("bag", "tag", "value"),
    [
        ({n.PidLidLogStart: 5}, n.PidLidCommonStart, 5),
        ({n.PidLidLogStart: MINUTE, n.PidLidLogDuration: 2}, n.PidLidLogEnd, 3 * MINUTE),
        ({n.PidLidLogStart: MINUTE, n.PidLidLogDuration: 2}, n.PidLidCommonEnd, 3 * MINUTE),
        ({n.PidLidLogStart: MINUTE, n.PidLidLogEnd: 4 * MINUTE}, n.PidLidLogDuration, 3),
        ({n.PidLidLogStart: MINUTE}, n.PidLidLogDuration, None),
    ],
)
def test_journal_entries(bag: Bag, tag: NamedTag, value: Value) -> None:
    assert follows(Kind.JOURNAL, bag, tag) == value


BEN: Bag = {
    tags.PidTagGivenName: "Ben",
    tags.PidTagMiddleName: "J.",
    tags.PidTagSurname: "Smith",
    tags.PidTagCompanyName: "Fourth Coffee",
    tags.PidTagDisplayName: "Ben J. Smith",
}
WORK: Bag = {
    n.PidLidWorkAddressStreet: "1 Main St",
    n.PidLidWorkAddressCity: "Buffalo",
    n.PidLidWorkAddressState: "NY",
    n.PidLidWorkAddressPostalCode: "98052",
    n.PidLidWorkAddressCountry: "USA",
}


@pytest.mark.parametrize(
    ("how", "shown"),
    [
        (0x3001, "Ben J. Smith"),
        (0x3A06, "Ben"),
        (0x3A11, "Smith"),
        (0x3A16, "Fourth Coffee"),
        (0x8017, "Smith, Ben J."),
        (0x8018, "Fourth Coffee\r\nSmith, Ben J."),
        (0x8019, "Smith, Ben J.\r\nFourth Coffee"),
        (0x8030, "SmithBen J."),
        (0x8031, "Smith Ben J."),
        (0x8032, "Fourth Coffee\r\nSmithBen J."),
        (0x8033, "Fourth Coffee\r\nSmith Ben J."),
        (0x8034, "SmithBen J.\r\nFourth Coffee"),
        (0x8035, "Smith Ben J.\r\nFourth Coffee"),
        (0x1234, None),
    ],
)
def test_what_contacts_are_filed_under(how: int, shown: str | None) -> None:
    assert follows(Kind.CONTACT, {**BEN, n.PidLidFileUnderId: how}, n.PidLidFileUnder) == shown


def test_contacts_without_some_names() -> None:
    only = {tags.PidTagSurname: "Smith", n.PidLidFileUnderId: 0x8018}
    assert follows(Kind.CONTACT, only, n.PidLidFileUnder) == "Smith"
    assert follows(Kind.CONTACT, {n.PidLidFileUnderId: 0x8017}, n.PidLidFileUnder) is None


def test_addresses_of_contacts() -> None:
    whole = "1 Main St\r\nBuffalo, NY 98052\r\nUSA"
    assert follows(Kind.CONTACT, WORK, n.PidLidWorkAddress) == whole
    assert follows(Kind.CONTACT, WORK, n.PidLidHomeAddress) is None
    mailing = {**WORK, n.PidLidPostalAddressId: 2}
    assert typed.tagged(Kind.CONTACT, tags.PidTagPostalAddress, mailing.get) == whole
    assert typed.tagged(Kind.CONTACT, tags.PidTagLocality, mailing.get) == "Buffalo"
    assert typed.tagged(Kind.CONTACT, tags.PidTagLocality, WORK.get) is None
    bag: Bag = {n.PidLidEmail2EmailAddress: "b@c.test", tags.PidTagHomeFaxNumber: "1"}
    assert follows(Kind.CONTACT, bag, n.PidLidAddressBookProviderEmailList) == (1, 4)
    assert follows(Kind.CONTACT, bag, n.PidLidAddressBookProviderArrayType) == 0b10010
    assert follows(Kind.CONTACT, bag, n.PidLidEmail2AddressType) == "SMTP"
    assert follows(Kind.CONTACT, bag, n.PidLidEmail2OriginalDisplayName) == "b@c.test"
    assert follows(Kind.CONTACT, bag, n.PidLidEmail1AddressType) is None


@pytest.mark.parametrize("kind", Kind)
def test_of_nothing(kind: Kind) -> None:
    """Nothing follows from nothing."""
    for tag in vars(n).values():
        if isinstance(tag, NamedTag):
            assert typed.named(kind, tag.name, tag.type, lambda _tag: None) is None


@pytest.mark.parametrize(
    ("message_class", "bag", "icon"),
    [
        ("IPM.Appointment", {}, 0x400),
        ("IPM.Appointment", ENDING, 0x401),
        ("IPM.Appointment", {n.PidLidAppointmentStateFlags: 1}, 0x402),
        ("IPM.Appointment.Own", {**ENDING, n.PidLidAppointmentStateFlags: 3}, 0x403),
        ("IPM.Schedule.Meeting.Request", {}, 0x404),
        ("ipm.schedule.meeting.resp.pos", {}, 0x405),
        ("IPM.Schedule.Meeting.Canceled", {}, 0x408),
        ("IPM.Task", {}, 0x500),
        ("IPM.Task", {n.PidLidTaskRecurrence: b"x"}, 0x501),
        ("IPM.Task", {n.PidLidTaskOwnership: 2}, 0x502),
        ("IPM.Task", {n.PidLidTaskOwnership: 1}, 0x503),
        ("IPM.TaskRequest.Accept", {}, 0x505),
        ("IPM.Contact", {}, 0x200),
        ("IPM.DistList", {}, 0x202),
        ("IPM.StickyNote", {}, 0x303),
        ("IPM.StickyNote", {n.PidLidNoteColor: 1}, 0x301),
        ("IPM.Post", {}, 1),
        ("IPM.Whatever", {}, None),
    ],
)
def test_icons(message_class: str, bag: Bag, icon: int | None) -> None:
    kind = typed.kind_of(message_class)
    assert kind is not None
    assert (
        typed.tagged(kind, tags.PidTagIconIndex, {**bag, tags.PidTagMessageClass: message_class}.get) == icon
    )


def test_notes_are_named_after_their_first_line() -> None:
    bag: Bag = {tags.PidTagBody: "\r\n Milk and bread \r\nand more"}
    assert typed.tagged(Kind.STICKY_NOTE, tags.PidTagSubject, bag.get) == "Milk and bread"
    assert typed.tagged(Kind.STICKY_NOTE, tags.PidTagSubject, {}.get) is None


def test_kinds() -> None:
    assert typed.kind_of("IPM.Note") is None
    assert typed.kind_of("IPM.Note.SMIME") is Kind.OTHER
    assert typed.kind_of("IPM.TASK.Special.One") is Kind.TASK
    assert typed.kind_of("") is Kind.OTHER


def test_dates_of_appointments() -> None:
    assert typed.tagged(Kind.APPOINTMENT, tags.PidTagStartDate, ALONE.get) == at(2024, 3, 4, 8)
    assert typed.tagged(Kind.APPOINTMENT, tags.PidTagEndDate, ALONE.get) == at(2024, 3, 4, 9, 30)
    assert typed.tagged(Kind.TASK, tags.PidTagEndDate, ALONE.get) is None
    assert typed.tagged(Kind.TASK, tags.PidTagBody, ALONE.get) is None
