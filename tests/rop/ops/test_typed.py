"""Typed objects: what follows from other properties is the same for an open object, in tables, restrictions,
sort orders and search folders; and no object loses anything on its way through the other protocols."""

from datetime import UTC, datetime

import pytest

from appliance.mailbox.properties.messages import ASKED
from appliance.mapi import names as n
from appliance.mapi import restrictions as r
from appliance.mapi import tags, times
from appliance.mapi.ids import from_int64
from appliance.mapi.names import PS_INTERNET_HEADERS, NamedTag, PropertyName
from appliance.mapi.rows import PropertyError
from appliance.mapi.types import PtypObject, PtypString, Value, type_of
from appliance.rop.ops import get_property_ids_from_names
from appliance.store import contents as store_contents
from appliance.store import messages
from appliance.store.contents import RowFlag
from appliance.store.edit import editing
from appliance.store.mailboxes import Special
from tests.conftest import EPOCH
from tests.rop.kit import Client
from tests.rop.mail import deliver
from tests.rop.ops.items import create, get, listed, save, set_
from tests.rop.ops.items import opened as opened_message
from tests.rop.ops.tabling import contents, opened
from tests.transport.office import Office

CREATE = get_property_ids_from_names.NameFlags.CREATE
UP = 0


def at(*moment: int) -> int:
    return times.from_datetime(datetime(*moment, tzinfo=UTC))  # type: ignore[misc, arg-type]


def ids(client: Client, on: int, *named: NamedTag) -> list[int]:
    """Tags of named properties."""
    request = get_property_ids_from_names.Request(CREATE, tuple(tag.name for tag in named))
    found = client.do(get_property_ids_from_names.ROP, request, on=on).body.ids
    return [number << 16 | tag.type for number, tag in zip(found, named, strict=True)]


def make(client: Client, on: int, message_class: str, fid: int, props: dict[NamedTag | int, Value]) -> int:
    """A saved object; its MID."""
    message = create(client, on, fid)
    named = [tag for tag in props if isinstance(tag, NamedTag)]
    numbers = dict(zip(named, ids(client, on, *named), strict=True)) if named else {}
    values = {numbers[tag] if isinstance(tag, NamedTag) else tag: value for tag, value in props.items()}
    problems = set_(client, message, {tags.PidTagMessageClass: message_class, **values})
    assert not problems.problems
    return save(client, message)


STARTS, ENDS = at(2024, 3, 4, 8), at(2024, 3, 4, 9, 30)
OBJECTS: dict[str, tuple[str, int, dict[NamedTag | int, Value]]] = {
    "appointment": (
        "IPM.Appointment",
        Special.CALENDAR,
        {
            tags.PidTagSubject: "Visit",
            n.PidLidAppointmentStartWhole: STARTS,
            n.PidLidAppointmentEndWhole: ENDS,
            n.PidLidReminderSet: True,
            n.PidLidReminderDelta: 30,
            n.PidLidGlobalObjectId: bytes(range(40)),
            n.PidLidLocation: "Gärtnerei",
        },
    ),
    "task": (
        "IPM.Task",
        Special.TASKS,
        {tags.PidTagSubject: "Paint", n.PidLidTaskStatus: 2, n.PidLidTaskDueDate: STARTS},
    ),
    "contact": (
        "IPM.Contact",
        Special.CONTACTS,
        {
            tags.PidTagDisplayName: "Ben Smith",
            tags.PidTagGivenName: "Ben",
            tags.PidTagSurname: "Smith",
            n.PidLidFileUnderId: 0x8017,
            n.PidLidEmail1EmailAddress: "ben@example.test",
            n.PidLidWorkAddressStreet: "1 Main St",
            n.PidLidWorkAddressCity: "Buffalo",
            n.PidLidPostalAddressId: 2,
        },
    ),
    "journal": (
        "IPM.Activity",
        Special.JOURNAL,
        {
            tags.PidTagSubject: "Call",
            n.PidLidLogType: "Phone call",
            n.PidLidLogStart: STARTS,
            n.PidLidLogEnd: ENDS,
        },
    ),
    "note": (
        "IPM.StickyNote",
        Special.NOTES,
        {tags.PidTagBody: "Milk\r\nand bread", n.PidLidNoteColor: 1, n.PidLidNoteWidth: 200},
    ),
    "post": ("IPM.Post", Special.INBOX, {tags.PidTagSubject: "News", tags.PidTagBody: "All is well"}),
    "feed": (
        "IPM.Post.RSS",
        Special.RSS_FEEDS,
        {tags.PidTagSubject: "Item", n.PidLidPostRssItemLink: "http://example.test/1"},
    ),
    "document": (
        "IPM.Document.txtfile",
        Special.INBOX,
        {tags.PidTagDisplayName: "letter.txt", n.PidNameTitle: "A letter", n.PidNamePageCount: 3},
    ),
    "text message": ("IPM.Note.Mobile.SMS", Special.INBOX, {tags.PidTagBody: "On my way"}),
    "sharing": (
        "IPM.Sharing",
        Special.INBOX,
        {tags.PidTagSubject: "Calendar", n.PidLidSharingRemoteName: "Calendar"},
    ),
    "list": (
        "IPM.DistList",
        Special.CONTACTS,
        {n.PidLidDistributionListName: "Friends", n.PidLidDistributionListMembers: (b"one", b"two")},
    ),
}
FOLLOWS: dict[str, dict[NamedTag | int, Value]] = {
    "appointment": {
        n.PidLidCommonStart: STARTS,
        n.PidLidCommonEnd: ENDS,
        n.PidLidClipStart: STARTS,
        n.PidLidClipEnd: ENDS,
        n.PidLidAppointmentDuration: 90,
        n.PidLidRecurrenceType: 0,
        n.PidLidReminderTime: STARTS,
        n.PidLidReminderSignalTime: at(2024, 3, 4, 7, 30),
        n.PidLidCleanGlobalObjectId: bytes(range(16)) + bytes(4) + bytes(range(20, 40)),
        tags.PidTagStartDate: STARTS,
        tags.PidTagEndDate: ENDS,
        tags.PidTagIconIndex: 0x400,
    },
    "task": {n.PidLidTaskComplete: True, n.PidLidPercentComplete: 1.0, tags.PidTagIconIndex: 0x500},
    "contact": {
        n.PidLidFileUnder: "Smith, Ben",
        n.PidLidWorkAddress: "1 Main St\r\nBuffalo",
        tags.PidTagPostalAddress: "1 Main St\r\nBuffalo",
        tags.PidTagLocality: "Buffalo",
        n.PidLidEmail1AddressType: "SMTP",
        n.PidLidAddressBookProviderArrayType: 1,
        n.PidLidAddressBookProviderEmailList: (0,),
        tags.PidTagIconIndex: 0x200,
    },
    "journal": {n.PidLidCommonStart: STARTS, n.PidLidCommonEnd: ENDS, n.PidLidLogDuration: 90},
    "note": {tags.PidTagSubject: "Milk", tags.PidTagNormalizedSubject: "Milk", tags.PidTagIconIndex: 0x301},
    "post": {tags.PidTagIconIndex: 1},
}


@pytest.mark.parametrize("kind", FOLLOWS)
def test_what_follows_is_the_same_everywhere(client: Client, kind: str) -> None:
    message_class, fid, props = OBJECTS[kind]
    on = client.logon()
    mid = make(client, on, message_class, fid, props)
    other = make(client, on, "IPM.Configuration", fid, {})
    wanted = list(FOLLOWS[kind])
    named = [tag for tag in wanted if isinstance(tag, NamedTag)]
    numbers = dict(zip(named, ids(client, on, *named), strict=True)) if named else {}
    columns = [numbers[tag] if isinstance(tag, NamedTag) else tag for tag in wanted]
    values = list(FOLLOWS[kind].values())
    message = opened_message(client, on, mid, fid)
    assert get(client, message, *columns) == values
    assert set(columns) <= set(listed(client, message))
    table = contents(client, opened(client, on, fid), columns=(tags.PidTagMid, *columns))
    rows = {from_int64(row[0]): list(row[1:]) for row in table.rows()}
    assert rows[mid] == values
    for column, value in zip(columns, values, strict=True):
        if isinstance(value, tuple):
            continue
        assert table.restrict(r.Property(r.RelOp.EQ, column, column, value)).code == 0
        assert [from_int64(row[0]) for row in table.rows()] == [mid]
        table.restrict(r.Not(r.Exist(column)))
        assert mid not in [from_int64(row[0]) for row in table.rows()]
        table.restrict(None)
        assert table.sort((column, UP)).code == 0
        order = [from_int64(row[0]) for row in table.rows()]
        assert order.index(other) < order.index(mid), "what has no value comes first"


def test_tables_show_what_open_messages_have(client: Client, office: Office) -> None:
    """Of every kind of message: answered and flagged by IMAP, with keywords, from mail and born in MAPI."""
    user = client.user
    on = client.logon()
    for message_class, _, props in OBJECTS.values():
        make(client, on, message_class, Special.INBOX, props)
    make(client, on, "IPM.Note", Special.INBOX, {tags.PidTagSubject: "x", tags.PidTagIconIndex: 0x100})
    plain = deliver(office, user)
    html = b"From: b@x.test\r\nX-Own: own\r\nContent-Type: text/html\r\n\r\n<p>Hi"
    rich, flagged = deliver(office, user, html), deliver(office, user, b"X-Message-Flag: Call\r\n" + html)
    make(client, on, "IPM.Note", Special.INBOX, {tags.PidTagSubject: "x", tags.PidTagFlagStatus: 2})
    with office.store.read() as txn:
        rows = list(store_contents.rows(txn, user.mailbox, Special.INBOX))
    state = {rows[0].mid: RowFlag.ANSWERED, plain.mid: RowFlag.FORWARDED, rich.mid: RowFlag.FLAG_COMPLETE}

    def mark(txn):  # type: ignore[no-untyped-def]
        with editing(txn, user.mailbox, now=EPOCH) as edit:
            for row in rows:
                if row.mid in state:
                    messages.set_state(edit, row, row.flags | state[row.mid], ("blue", "$Junk"))
            last = store_contents.get(txn, user.mailbox, Special.INBOX, rows[-1].mid)
            messages.set_state(edit, last, last.flags & ~RowFlag.FLAGGED, ())

    office.write(mark)
    assert flagged.flags & RowFlag.FLAGGED
    header = NamedTag(PropertyName(PS_INTERNET_HEADERS, "X-Own"), PtypString)
    follow = {tag for found in FOLLOWS.values() for tag in found if isinstance(tag, NamedTag)}
    own = {tag for _, _, props in OBJECTS.values() for tag in props if isinstance(tag, NamedTag)}
    columns = [*ASKED, *ids(client, on, *follow, *own, n.PidNameKeywords, header)]
    columns = [tag for tag in columns if type_of(tag) != PtypObject]
    grid = contents(client, opened(client, on, Special.INBOX), columns=(tags.PidTagMid, *columns))
    for row in grid.rows():
        message = opened_message(client, on, from_int64(row[0]), Special.INBOX)
        shown = dict(zip(columns, row[1:], strict=True))
        for tag, value in zip(columns, get(client, message, *columns), strict=True):
            assert _same(shown[tag], value), (hex(tag), shown[tag], value)
            assert get(client, message, tag) == [value], hex(tag)
        client.session.release(message)


def _same(cell: Value | PropertyError, value: Value | PropertyError) -> bool:
    if isinstance(cell, str | bytes) and isinstance(value, type(cell)):
        return value.startswith(cell)  # type: ignore[arg-type]
    return cell == value


def everything(client: Client, on: int, mid: int, fid: int) -> dict[int, Value]:
    message = opened_message(client, on, mid, fid)
    found = [tag for tag in listed(client, message) if type_of(tag) != PtypObject]
    return dict(zip(found, get(client, message, *found), strict=True))


@pytest.mark.parametrize("kind", OBJECTS)
def test_objects_keep_what_they_have(client: Client, kind: str) -> None:
    message_class, fid, props = OBJECTS[kind]
    on = client.logon()
    mid = make(client, on, message_class, fid, props)
    named = [tag for tag in props if isinstance(tag, NamedTag)]
    numbers = dict(zip(named, ids(client, on, *named), strict=True)) if named else {}
    found = everything(client, on, mid, fid)
    for tag, value in props.items():
        assert found[numbers[tag] if isinstance(tag, NamedTag) else tag] == value
    assert found[tags.PidTagMessageClass] == message_class
