"""Calendars, who may see their times, and what is published of them."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from appliance.convert.freebusy import Span, Status, from_bag
from appliance.directory import accounts, domains, entries
from appliance.directory.model import Entry, Kind
from appliance.formats import bags
from appliance.formats.recurrence import pattern, zones
from appliance.formats.recurrence.pattern import ExceptionInfo, Frequency, Override, PatternType, Recurrence
from appliance.formats.recurrence.zones import Change, Rule, Zone
from appliance.mailbox import calendar, freebusy, public, rights
from appliance.mailbox.actor import Actor
from appliance.mailbox.errors import Reason, Refused
from appliance.mailbox.properties.messages import MessageView
from appliance.mailbox.properties.places import places
from appliance.mapi import names as known
from appliance.mapi import tags, times
from appliance.mapi.names import NamedTag
from appliance.mapi.types import Bag, Value
from appliance.net import freebusy as background
from appliance.store import contents, folders, messages, names, permissions
from appliance.store.check import check
from appliance.store.edit import editing
from appliance.store.kv import WriteTxn
from appliance.store.mailboxes import PublicSpecial, Special
from appliance.store.messages import NewMessage
from appliance.store.permissions import Right
from appliance.store.store import Store

BERLIN = Rule(-60, 0, -60, Change(0, 10, 0, 5, 3), Change(0, 3, 0, 5, 2))
SEEDS = freebusy.Seeds(b"m" * 16, b"r" * 16, 7)


def minutes(*moment: int) -> int:
    return times.to_minutes(times.from_datetime(datetime(*moment, tzinfo=UTC)))  # type: ignore[misc, arg-type]


NOW = times.from_minutes(minutes(2024, 3, 10, 12))


class Office:
    """Two people with calendars."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.write(lambda txn: domains.put(txn, domains.Organization(("example.test",), "mail.example.test")))
        self.anna, self.bert = self._add("anna", 1), self._add("bert", 2)

    def write(self, fn: Callable[[WriteTxn], Any]) -> Any:
        return self.store.write(fn).result(timeout=30)

    def _add(self, name: str, number: int) -> Entry:
        seeds = accounts.Seeds(*(bytes([16 * number + part]) * 16 for part in range(3)), now=NOW)
        bare = Entry(0, Kind.USER, f"{name}@example.test", name.title(), "", b"")
        found: Entry = self.write(lambda txn: accounts.create(txn, bare, seeds))
        return found

    def appoint(self, start: int, end: int, more: dict[NamedTag, Value] | None = None, **new: Any) -> None:
        """An appointment in Anna's calendar, by named properties; minutes, UTC."""
        named: dict[NamedTag, Value] = {
            known.PidLidAppointmentStartWhole: times.from_minutes(start),
            known.PidLidAppointmentEndWhole: times.from_minutes(end),
            known.PidLidBusyStatus: 2,
        }
        named |= more or {}

        def fn(txn: WriteTxn) -> None:
            bag: Bag = {tags.PidTagSubject: "x"}
            for tag, value in named.items():
                if value is not None:
                    bag[names.assign(txn, tag.name) << 16 | tag.type] = value
            message = NewMessage(0, 100, bags.pack(bag), **{"message_class": "IPM.Appointment", **new})
            with editing(txn, self.anna.mailbox, now=NOW) as edit:
                messages.insert(edit, Special.CALENDAR, message)

        self.write(fn)

    def times(self, start: int, end: int, user: Entry | None = None) -> list[Span]:
        actor = Actor(user.id, user.mailbox) if user else Actor(self.anna.id, self.anna.mailbox)
        with self.store.read() as txn:
            return freebusy.availability(txn, actor, self.anna.mailbox, start, end)

    def publish(self, now: int = NOW) -> bool:
        return bool(self.write(lambda txn: freebusy.publish(txn, self.anna.id, SEEDS, now)))

    def published(self) -> list[Span]:
        with self.store.read() as txn:
            bag = freebusy.published(txn, self.anna)
        assert bag is not None
        return from_bag(bag)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store.create(tmp_path / "data")
    yield made
    with made.read() as txn:
        assert list(entries.check(txn)) == []
    assert check(made) == []
    made.close()


@pytest.fixture
def office(store: Store) -> Office:
    return Office(store)


def weekly(*exceptions: ExceptionInfo, deleted: tuple[int, ...] = ()) -> bytes:
    """Mondays from 9:00 to 10:00 on the clock of Berlin, from 2024-03-04 on."""
    series = Recurrence(
        Frequency.WEEKLY, PatternType.WEEK, 1, minutes(2024, 3, 4), days=0b10, deleted=deleted
    )
    return pattern.pack(pattern.AppointmentRecurrence(series, 540, 600, exceptions))


def recurring(blob: bytes, zone: bool = True) -> dict[NamedTag, Value]:
    definition = zones.pack_definition(Zone((BERLIN,), "W. Europe Standard Time"))
    return {
        known.PidLidRecurring: True,
        known.PidLidAppointmentRecur: blob,
        known.PidLidAppointmentTimeZoneDefinitionRecur: definition if zone else None,
        known.PidLidTimeZoneStruct: None if zone else zones.pack_struct(BERLIN),
    }


def test_single_appointments(office: Office) -> None:
    """Cut to the stretch, free ones left out, others in order; other things in the folder do not count."""
    office.appoint(minutes(2024, 3, 11, 9), minutes(2024, 3, 11, 10), {known.PidLidBusyStatus: 3})
    office.appoint(minutes(2024, 3, 11, 8), minutes(2024, 3, 11, 9), {known.PidLidBusyStatus: 1})
    office.appoint(minutes(2024, 3, 11, 8), minutes(2024, 3, 11, 9), {known.PidLidBusyStatus: 0})
    office.appoint(minutes(2024, 3, 10, 23), minutes(2024, 3, 11, 1), {known.PidLidBusyStatus: None})
    office.appoint(minutes(2024, 3, 11, 9), minutes(2024, 3, 11, 9))
    office.appoint(
        minutes(2024, 3, 11, 9),
        minutes(2024, 3, 11, 9, 30),
        {known.PidLidBusyStatus: 99},
        message_class="IPM.Appointment.Own",
    )
    office.appoint(minutes(2024, 3, 11, 9), minutes(2024, 3, 11, 10), message_class="IPM.AppointmentX")
    office.appoint(minutes(2024, 3, 12), minutes(2024, 3, 13))
    day = minutes(2024, 3, 11)
    assert office.times(day, day + 1440) == [
        Span(day, day + 60, Status.BUSY),
        Span(day + 480, day + 540, Status.TENTATIVE),
        Span(day + 540, day + 570, Status.BUSY),
        Span(day + 540, day + 600, Status.AWAY),
    ]


@pytest.mark.parametrize("zone", [True, False])
def test_recurring_appointments(office: Office, zone: bool) -> None:
    """By the clock of their zone, which changes on 2024-03-31; with what was deleted and moved."""
    moved = ExceptionInfo(
        minutes(2024, 4, 2, 14),
        minutes(2024, 4, 2, 15),
        minutes(2024, 4, 1, 9),
        Override.BUSY_STATUS,
        busy_status=3,
    )
    blob = weekly(moved, deleted=(minutes(2024, 3, 11), minutes(2024, 4, 1)))
    office.appoint(minutes(2024, 3, 4, 8), minutes(2024, 3, 4, 9), recurring(blob, zone))
    found = office.times(minutes(2024, 3, 1), minutes(2024, 4, 9))
    assert found == [
        Span(minutes(2024, 3, day, 8), minutes(2024, 3, day, 9), Status.BUSY) for day in (4, 18, 25)
    ] + [
        Span(minutes(2024, 4, 2, 12), minutes(2024, 4, 2, 13), Status.AWAY),
        Span(minutes(2024, 4, 8, 7), minutes(2024, 4, 8, 8), Status.BUSY),
    ]


def test_broken_recurrences(office: Office) -> None:
    """They stand once, where they are; a broken zone is UTC."""
    start = minutes(2024, 3, 4, 8)
    office.appoint(start, start + 60, recurring(weekly()[:-30]))
    assert office.times(start, start + 9 * 1440) == [Span(start, start + 60, Status.BUSY)]
    broken = recurring(weekly()) | {known.PidLidAppointmentTimeZoneDefinitionRecur: b"x"}
    office.appoint(start, start + 60, broken)
    assert len(office.times(start, start + 7 * 1440 - 60)) == 2
    assert Span(start + 60, start + 120, Status.BUSY) in office.times(start, start + 1440)


def test_who_may_ask(office: Office) -> None:
    """Everybody, until the calendar's rights say something; nobody from outside."""
    start = minutes(2024, 3, 11, 9)
    office.appoint(start, start + 60)
    assert len(office.times(start, start + 60, office.bert)) == 1
    mailbox, bert = office.anna.mailbox, office.bert.id

    def refused(user: Entry) -> Reason:
        with pytest.raises(Refused) as caught:
            office.times(start, start + 60, user)
        return caught.value.reason

    office.write(lambda txn: permissions.put(txn, mailbox, Special.CALENDAR, permissions.DEFAULT, Right.NONE))
    assert refused(office.bert) is Reason.ACCESS_DENIED
    assert refused(replace(office.bert, id=0, mailbox=0)) is Reason.ACCESS_DENIED
    assert len(office.times(start, start + 60)) == 1
    office.write(lambda txn: permissions.put(txn, mailbox, Special.CALENDAR, bert, Right.FREE_BUSY_SIMPLE))
    assert len(office.times(start, start + 60, office.bert)) == 1
    with pytest.raises(Refused):
        office.times(start, start + freebusy.MAX_STRETCH + 1)
    with pytest.raises(Refused):
        office.times(start, start - 1)


def test_publishing(office: Office) -> None:
    """Nothing for an empty calendar; one message in its folder for another, rewritten when it changes."""
    assert not office.publish()
    with office.store.read() as txn:
        assert public.find(txn) is None
    start = minutes(2024, 3, 11, 9)
    office.appoint(start, start + 60)
    assert office.publish()
    assert not office.publish()
    assert office.published() == [Span(start, start + 60, Status.BUSY)]
    office.appoint(start + 60, start + 90, {known.PidLidBusyStatus: 1})
    assert office.publish()
    assert office.published()[1] == Span(start + 60, start + 90, Status.TENTATIVE)
    with office.store.read() as txn:
        store = public.find(txn)
        assert store is not None
        (folder,) = folders.children(txn, store, PublicSpecial.FREE_BUSY)
        dn = domains.get(txn).legacy_dn
        assert folder.name == f"EX:{dn}"
        assert (folder.total, folder.unread) == (1, 0)
        (row,) = contents.rows(txn, store, folder.fid)
        bag = messages.load(txn, store, row.mid).bag()
    assert bag[tags.PidTagSubject] == "USER-" + office.anna.legacy_dn[len(dn) :].upper()
    assert str(bag[tags.PidTagSubject]).startswith("USER-/CN=RECIPIENTS/CN=")
    assert bag[tags.PidTagFreeBusyMessageEmailAddress] == office.anna.legacy_dn
    assert bag[tags.PidTagFreeBusyPublishStart] == minutes(2024, 3, 1)
    assert bag[tags.PidTagFreeBusyPublishEnd] == minutes(2025, 3, 1)
    with office.store.read() as txn:
        reader = Actor(office.bert.id, office.bert.mailbox)
        for fid in (PublicSpecial.ROOT, PublicSpecial.NON_IPM_SUBTREE, PublicSpecial.FREE_BUSY, folder.fid):
            assert rights.effective(txn, reader, store, fid) & Right.READ_ANY
            assert not rights.effective(txn, Actor(0, 0), store, fid)


def test_what_follows_when_read(office: Office) -> None:
    """Properties that the writer of an appointment left out."""
    start = minutes(2024, 3, 11, 9)
    office.appoint(start, start + 60)
    with office.store.read() as txn:
        (row,) = contents.rows(txn, office.anna.mailbox, Special.CALENDAR)
        view = MessageView(places(txn, office.anna.mailbox), row)
        assert view.get(tags.PidTagStartDate) == times.from_minutes(start)
        assert tags.PidTagEndDate in view.tags()
    number = office.write(lambda txn: names.assign(txn, known.PidLidCommonEnd.name))
    with office.store.read() as txn:
        view = MessageView(places(txn, office.anna.mailbox), row)
        assert view.get(number << 16 | 0x40) == times.from_minutes(start + 60)
        assert view.get(number << 16 | 0x1F) is None


def test_time_goes_on(office: Office) -> None:
    """A new month is published, even when nothing is left to tell."""
    start = minutes(2024, 3, 11, 9)
    office.appoint(start, start + 60)
    assert office.publish()
    assert office.publish(NOW + 30 * times.TICKS_PER_DAY)
    assert office.published() == []
    assert not office.publish(NOW + 31 * times.TICKS_PER_DAY)
    with office.store.read() as txn:
        assert freebusy.is_current(txn, office.anna, NOW + 31 * times.TICKS_PER_DAY)
        assert not freebusy.is_current(txn, office.anna, NOW + 90 * times.TICKS_PER_DAY)


def test_in_the_background(office: Office) -> None:
    """Changed calendars alone are looked at; the round finds all."""
    publisher = background.Publisher(office.store)
    end = office.store.watch(publisher.changed)
    now = times.to_minutes(times.from_datetime(datetime.now(UTC)))
    office.appoint(now, now + 60)
    ids = publisher.take_changed()
    assert ids == [office.anna.id]
    assert publisher.take_changed() == []
    assert asyncio.run(background.publish(publisher, office.store, ids)) == 1
    assert asyncio.run(background.publish(publisher, office.store, publisher.all())) == 0
    assert sorted(publisher.all()) == [office.anna.id, office.bert.id]
    # the publication itself changes a mailbox that is nobody's
    assert publisher.take_changed() == []
    end()
    assert office.published()[0].end == now + 60


def test_spans_of_nothing(office: Office) -> None:
    """Before any appointment the names of its properties are not known."""
    with office.store.read() as txn:
        assert list(calendar.spans(txn, office.anna.mailbox, 0, 1 << 40)) == []
    assert not office.write(lambda txn: freebusy.publish(txn, 4711, SEEDS, NOW))
