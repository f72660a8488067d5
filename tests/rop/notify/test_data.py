"""NotificationData byte for byte: for each kind of event, which fields stand, in which order and size."""

import pytest

from appliance.rop.notify.data import UNKNOWN_TAGS, Bit, NotificationData, Notify, TableEvent, Type
from appliance.rop.notify.events import Event
from appliance.wire.errors import DecodeError

FID, MID, PARENT = 1 << 48 | 0x11, 1 << 48 | 0x22, 1 << 48 | 0x33
OLD_FID, OLD_MID, OLD_PARENT = 1 << 48 | 0x44, 1 << 48 | 0x55, 1 << 48 | 0x66
WIRE = {number: b"\x01\x00" + bytes(5) + bytes([number & 0xFF]) for number in (FID, MID, PARENT)}
WIRE |= {number: b"\x01\x00" + bytes(5) + bytes([number & 0xFF]) for number in (OLD_FID, OLD_MID, OLD_PARENT)}
F, M, P, OF, OM, OP = (WIRE[number] for number in (FID, MID, PARENT, OLD_FID, OLD_MID, OLD_PARENT))
NO_TAGS = b"\0\0"
OLD = {"old_fid": OLD_FID, "old_mid": OLD_MID}

OBJECTS = [
    (
        Event(Type.NEW_MAIL, FID, MID, message_flags=0x20, message_class="IPM.Note"),
        b"\x02\x80" + F + M + b"\x20\0\0\0\x01" + "IPM.Note\0".encode("utf-16-le"),
    ),
    (Event(Type.OBJECT_CREATED, FID, MID), b"\x04\x80" + F + M + NO_TAGS),
    (Event(Type.OBJECT_CREATED, FID, MID, parent=PARENT, search=True), b"\x04\xc0" + F + M + P + NO_TAGS),
    (Event(Type.OBJECT_CREATED, FID, parent=PARENT), b"\x04\x00" + F + P + NO_TAGS),
    (Event(Type.OBJECT_DELETED, FID, MID), b"\x08\x80" + F + M),
    (Event(Type.OBJECT_DELETED, FID, MID, parent=PARENT, search=True), b"\x08\xc0" + F + M + P),
    (Event(Type.OBJECT_DELETED, FID, parent=PARENT), b"\x08\x00" + F + P),
    (Event(Type.OBJECT_MODIFIED, FID, MID), b"\x10\x80" + F + M + NO_TAGS),
    (Event(Type.OBJECT_MODIFIED, FID, parent=PARENT), b"\x10\x00" + F + NO_TAGS),
    (
        Event(Type.OBJECT_MODIFIED, FID, parent=PARENT, counts=(7, 3)),
        b"\x10\x30" + F + NO_TAGS + b"\x07\0\0\0\x03\0\0\0",
    ),
    (Event(Type.OBJECT_MOVED, FID, MID, **OLD), b"\x20\x80" + F + M + OF + OM),
    (
        Event(Type.OBJECT_MOVED, FID, parent=PARENT, old_fid=FID, old_parent=OLD_PARENT),
        b"\x20\x00" + F + P + F + OP,
    ),
    (Event(Type.OBJECT_COPIED, FID, MID, **OLD), b"\x40\x80" + F + M + OF + OM),
    (
        Event(Type.OBJECT_COPIED, FID, parent=PARENT, old_fid=OLD_FID, old_parent=OLD_PARENT),
        b"\x40\x00" + F + P + OF + OP,
    ),
    (
        Event(Type.OBJECT_MOVED, FID, MID, parent=PARENT, search=True, **OLD),
        b"\x20\xc0" + F + M + P + OF + OM,
    ),
    (
        Event(Type.OBJECT_COPIED, FID, MID, parent=PARENT, search=True, **OLD),
        b"\x40\xc0" + F + M + P + OF + OM,
    ),
    (Event(Type.SEARCH_COMPLETED, FID), b"\x80\x00" + F),
]


@pytest.mark.covers("MS-OXCNOTIF_2.2.1.4.1.2")
@pytest.mark.parametrize(("event", "wire"), OBJECTS, ids=[str(n) for n in range(len(OBJECTS))])
def test_events_of_objects(event: Event, wire: bytes) -> None:
    assert event.data(unicode=True).pack() == wire
    assert NotificationData.parse(wire) == event.data(unicode=True)


def table(event: TableEvent, *, message: bool = True, data: bytes = b"\0row") -> NotificationData:
    made = NotificationData(Type.TABLE_MODIFIED | (Bit.MESSAGE if message else 0), event)
    if event in (TableEvent.ROW_ADDED, TableEvent.ROW_DELETED, TableEvent.ROW_MODIFIED):
        made.row_folder = FID
        if message:
            made.row_message, made.row_instance = MID, 1
    if event in (TableEvent.ROW_ADDED, TableEvent.ROW_MODIFIED):
        made.after_folder, made.row_data = OLD_FID, data
        if message:
            made.after_message, made.after_instance = OLD_MID, 2
    return made


ONE, TWO, ROW = b"\x01\0\0\0", b"\x02\0\0\0", b"\x04\0\0row"
TABLES = [
    (table(TableEvent.CHANGED), b"\x00\x81\x01\x00"),
    (table(TableEvent.CHANGED, message=False), b"\x00\x01\x01\x00"),
    (table(TableEvent.RESTRICTION_CHANGED), b"\x00\x81\x07\x00"),
    (table(TableEvent.ROW_ADDED), b"\x00\x81\x03\x00" + F + M + ONE + OF + OM + TWO + ROW),
    (table(TableEvent.ROW_ADDED, message=False), b"\x00\x01\x03\x00" + F + OF + ROW),
    (table(TableEvent.ROW_MODIFIED), b"\x00\x81\x05\x00" + F + M + ONE + OF + OM + TWO + ROW),
    (table(TableEvent.ROW_MODIFIED, message=False), b"\x00\x01\x05\x00" + F + OF + ROW),
    (table(TableEvent.ROW_DELETED), b"\x00\x81\x04\x00" + F + M + ONE),
    (table(TableEvent.ROW_DELETED, message=False), b"\x00\x01\x04\x00" + F),
]


@pytest.mark.parametrize(("data", "wire"), TABLES, ids=[str(n) for n in range(len(TABLES))])
def test_events_of_tables(data: NotificationData, wire: bytes) -> None:
    assert data.pack() == wire
    assert NotificationData.parse(wire) == data


@pytest.mark.covers("MS-OXCNOTIF_2.2.1.4.1.1", "MS-OXCROPS_2.2.14.2.1")
def test_a_notification_names_its_object() -> None:
    data = Event(Type.SEARCH_COMPLETED, FID).data(unicode=True)
    assert Notify(0x01020304, 5, data).pack() == b"\x04\x03\x02\x01\x05" + data.pack()


def test_tags_may_be_many_or_unknown() -> None:
    data = Event(Type.OBJECT_CREATED, FID, MID).data(unicode=True)
    data.tags = (0x0037001F, 0x10000003)
    assert data.pack().endswith(b"\x02\x00\x1f\x00\x37\x00\x03\x00\x00\x10")
    data.tags = UNKNOWN_TAGS
    assert data.pack().endswith(b"\xff\xff")
    assert NotificationData.parse(data.pack()).tags == UNKNOWN_TAGS


@pytest.mark.parametrize(("_data", "wire"), [*OBJECTS, *TABLES])
def test_what_is_cut_short_is_refused(_data: object, wire: bytes) -> None:
    for size in range(len(wire)):
        with pytest.raises(DecodeError):
            NotificationData.parse(wire[:size])


def test_classes_outside_ascii() -> None:
    event = Event(Type.NEW_MAIL, FID, MID, message_class="IPM.Nöte\0x")
    assert NotificationData.parse(event.data(unicode=False).pack()).message_class == "IPM.N?tex"
    assert NotificationData.parse(event.data(unicode=True).pack()).message_class == "IPM.Nötex"
