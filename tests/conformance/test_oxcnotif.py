"""MS-OXCNOTIF: subscriptions of every kind, object and table notifications, and how they reach a client."""

import struct
import threading
from collections.abc import Iterator

import pytest

from tests.conformance import fxdesk, notices
from tests.conformance.client import Mapi
from tests.conformance.fxdesk import CLASS, DISPLAY, NONE, NULL_OBJECT, OK, SUBJECT, Desk
from tests.conformance.notices import (
    COPIED,
    CREATED,
    DELETED,
    MODIFIED,
    MOVED,
    NEW_MAIL,
    PENDING,
    ROW_ADDED,
    ROW_DELETED,
    ROW_MODIFIED,
    TABLE,
    M,
    Notice,
    T,
    U,
)
from tests.conformance.office import Person
from tests.conformance.wire import Reader, property_row

MESSAGE_ID, FOLDER_ID = 0x674A0014, 0x67480014


@pytest.fixture
def desk(anna: Person) -> Iterator[Desk]:
    """Anna, who watches."""
    made = fxdesk.desk(anna)
    yield made
    made.mapi.close()


@pytest.fixture
def other(anna: Person) -> Iterator[Desk]:
    """Anna at another desk, where things happen."""
    made = fxdesk.desk(anna)
    yield made
    made.mapi.close()


@pytest.fixture
def place(other: Desk) -> tuple[bytes, int]:
    """A folder of hers: its id, and the handle of the other desk."""
    return other.create_folder(other.open_folder(other.folders["ipm"]), "Place")


def register(types: int, fid: bytes | None = None, mid: bytes = bytes(8)) -> bytes:
    """RopRegisterNotification. MS-OXCROPS 2.2.14.1.1."""
    head = struct.pack("<BBBBH", 0x29, 0, 0, 1, types)
    if types & 0x0400:
        head += b"\0"
    return head + (b"\1" if fid is None else b"\0" + fid + mid)


def watch(desk: Desk, types: int, fid: bytes | None = None, mid: bytes = bytes(8)) -> int:
    """A subscription."""
    return desk.must(register(types, fid, mid), [desk.logon, NONE]).out


def note(desk: Desk, fid: bytes, subject: str = "one") -> bytes:
    """A message."""
    return desk.message(fid, {CLASS: "IPM.Note", SUBJECT: subject})


def one(found: list[Notice], kind: int) -> Notice:
    """The only notification of a kind."""
    (notice,) = [each for each in found if each.kind == kind]
    return notice


@pytest.mark.covers("MS-OXCNOTIF_R34", "MS-OXCNOTIF_R35", "MS-OXCNOTIF_R288", "MS-OXCNOTIF_R292")
def test_many_subscriptions_are_given(desk: Desk) -> None:
    handles = [watch(desk, types) for types in (0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0x01FE, 0x0402)]
    assert len(set(handles)) == len(handles)
    assert desk.poll() == []


@pytest.mark.parametrize("handle", [NONE])
def test_a_subscription_needs_an_object(desk: Desk, handle: int) -> None:
    assert desk.call(register(0x04), [handle, NONE]).code == NULL_OBJECT


@pytest.mark.covers("MS-OXCNOTIF_R42", "MS-OXCNOTIF_R104", "MS-OXCNOTIF_R122", "MS-OXCNOTIF_R19501")
@pytest.mark.covers("MS-OXCNOTIF_R170", "MS-OXCNOTIF_R174", "MS-OXCNOTIF_R95", "MS-OXCNOTIF_R96")
@pytest.mark.parametrize("whole", [True, False])
def test_a_message_is_created(desk: Desk, other: Desk, place: tuple[bytes, int], whole: bool) -> None:
    fid, _ = place
    handle = watch(desk, CREATED, None if whole else fid)
    mid = note(other, fid)
    found = one(desk.poll(), CREATED)
    assert (found.handle, found.flags, found.logon) == (handle, M, 0)
    assert (found["folder"], found["message"]) == (fid, mid)
    assert "parent" not in found.fields, "R17901: for messages in folders there is none"
    assert desk.poll() == [], "told once"


@pytest.mark.covers("MS-OXCNOTIF_R43", "MS-OXCNOTIF_R105", "MS-OXCNOTIF_R14")
@pytest.mark.parametrize("hard", [True, False])
def test_a_message_is_deleted(desk: Desk, other: Desk, place: tuple[bytes, int], hard: bool) -> None:
    fid, folder = place
    mid = note(other, fid)
    watch(desk, DELETED, fid)
    other.delete_messages(folder, [mid], hard)
    found = one(desk.poll(), DELETED)
    assert (found.flags, found["folder"], found["message"]) == (M, fid, mid)


@pytest.mark.covers("MS-OXCNOTIF_R44", "MS-OXCNOTIF_R106", "MS-OXCNOTIF_R197", "MS-OXCNOTIF_R199")
@pytest.mark.covers("MS-OXCNOTIF_R15")
def test_a_message_is_modified(desk: Desk, other: Desk, place: tuple[bytes, int]) -> None:
    fid, folder = place
    mid, quiet = note(other, fid), note(other, fid)
    watch(desk, MODIFIED, fid, mid)
    other.touch(fid, quiet, {SUBJECT: "not watched"})
    other.touch(fid, mid, {SUBJECT: "watched"})
    found = [each for each in desk.poll() if each.flags & M]
    assert [(each["folder"], each["message"], each["tags"]) for each in found] == [(fid, mid, 0)]
    other.read_flags(folder, [mid], 0x00)
    desk.poll()


@pytest.mark.covers("MS-OXCNOTIF_R45", "MS-OXCNOTIF_R107", "MS-OXCNOTIF_R18301", "MS-OXCNOTIF_R18701")
@pytest.mark.covers("MS-OXCNOTIF_R182", "MS-OXCNOTIF_R186", "MS-OXCNOTIF_R16")
def test_a_message_is_moved(desk: Desk, other: Desk, place: tuple[bytes, int]) -> None:
    fid, folder = place
    inbox = other.folders["inbox"]
    mid = note(other, fid)
    watch(desk, MOVED)
    other.move_messages(folder, other.open_folder(inbox), [mid])
    found = one(desk.poll(), MOVED)
    assert (found.flags, found["folder"], found["old_folder"], found["old_message"]) == (M, inbox, fid, mid)
    assert found["message"] != mid


@pytest.mark.covers("MS-OXCNOTIF_R46", "MS-OXCNOTIF_R108", "MS-OXCNOTIF_R18302", "MS-OXCNOTIF_R18702")
@pytest.mark.covers("MS-OXCNOTIF_R12")
def test_a_message_is_copied(desk: Desk, other: Desk, place: tuple[bytes, int]) -> None:
    fid, folder = place
    inbox = other.folders["inbox"]
    mid = note(other, fid)
    watch(desk, COPIED)
    other.move_messages(folder, other.open_folder(inbox), [mid], copy=True)
    found = one(desk.poll(), COPIED)
    assert (found.flags, found["folder"], found["old_folder"], found["old_message"]) == (M, inbox, fid, mid)


@pytest.mark.covers("MS-OXCNOTIF_R178", "MS-OXCNOTIF_R13")
def test_a_folder_is_created_changed_and_deleted(desk: Desk, other: Desk, place: tuple[bytes, int]) -> None:
    fid, folder = place
    watch(desk, CREATED | MODIFIED | DELETED)
    below, handle = other.create_folder(folder, "Below")
    found = one(desk.poll(), CREATED)
    assert (found.flags, found["folder"], found["parent"]) == (0, below, fid)
    other.set(handle, {DISPLAY: "Renamed"})
    changes = [each for each in desk.poll() if each.kind == MODIFIED]
    assert below in [each["folder"] for each in changes]
    assert "parent" not in changes[0].fields
    other.release(handle)
    other.delete_folder(folder, below)
    found = one(desk.poll(), DELETED)
    assert (found.flags, found["folder"], found["parent"]) == (0, below, fid)


@pytest.mark.covers("MS-OXCNOTIF_R190", "MS-OXCNOTIF_R19101")
def test_a_folder_is_moved(desk: Desk, other: Desk, place: tuple[bytes, int]) -> None:
    fid, folder = place
    source, source_handle = other.create_folder(folder, "Source")
    below, handle = other.create_folder(source_handle, "Below")
    other.release(handle)
    watch(desk, MOVED)
    other.move_folder(source_handle, folder, below, "Below")
    found = one(desk.poll(), MOVED)
    assert (found.flags, found["folder"], found["parent"]) == (0, below, fid)
    assert (found["old_folder"], found["old_parent"]) == (below, source)


@pytest.mark.covers("MS-OXCNOTIF_R206", "MS-OXCNOTIF_R20701", "MS-OXCNOTIF_R210", "MS-OXCNOTIF_R21101")
def test_counts_of_a_folder_are_told(desk: Desk, other: Desk, place: tuple[bytes, int]) -> None:
    fid, _ = place
    watch(desk, MODIFIED)
    note(other, fid)
    note(other, fid)
    counts = [each for each in desk.poll() if each.kind == MODIFIED and each.flags & T]
    assert counts
    last = counts[-1]
    assert not last.flags & M
    assert (last["folder"], last["total"]) == (fid, 2)
    if last.flags & U:
        assert last["unread"] in (0, 2)


def smtp(person: Person, sender: Person) -> None:
    """Mail by RopSubmitMessage of somebody else."""
    there = fxdesk.desk(sender)
    message = there.create_message(there.folders["outbox"])
    there.set(message, {CLASS: "IPM.Note", SUBJECT: "news", 0x1000001F: "text"})
    there.recipients(message, [(person.name, person.address)])
    there.must(struct.pack("<BBBB", 0x32, 0, 0, 0), [message])
    there.mapi.close()


def wait(mapi: Mapi) -> bool:
    """NotificationWait: whether an event is pending. MS-OXCMAPIHTTP 2.2.4.4."""
    reply = mapi.post("NotificationWait", struct.pack("<II", 0, 0))
    status, error, pending, auxiliary = struct.unpack("<IIII", reply.body)
    assert (status, error, auxiliary) == (0, 0, 0)
    assert pending in (0, 1)
    return bool(pending)


@pytest.mark.covers("MS-OXCNOTIF_R11", "MS-OXCNOTIF_R41", "MS-OXCNOTIF_R103", "MS-OXCNOTIF_R17501")
@pytest.mark.covers("MS-OXCNOTIF_R17103", "MS-OXCNOTIF_R214", "MS-OXCNOTIF_R21501", "MS-OXCNOTIF_R22101")
@pytest.mark.covers("MS-OXCNOTIF_R223", "MS-OXCNOTIF_R22601", "MS-OXCNOTIF_R214001", "MS-OXCNOTIF_R482")
def test_new_mail_is_told_and_waited_for(desk: Desk, anna: Person, ben: Person) -> None:
    handle = watch(desk, NEW_MAIL)
    pending: list[bool] = []
    waiter = threading.Thread(target=lambda: pending.append(wait(desk.mapi.twin())))
    waiter.start()
    smtp(anna, ben)
    waiter.join(60)
    assert pending == [True]
    found = one(desk.poll(), NEW_MAIL)
    assert (found.handle, found.flags) == (handle, M)
    assert found["folder"] == desk.folders["inbox"]
    mid = found["message"]
    assert isinstance(mid, bytes)
    seen = desk.look(desk.folders["inbox"], mid, SUBJECT, fxdesk.FLAGS)
    assert seen[SUBJECT] == "news"
    assert found["class"] == "IPM.Note"
    assert found["flags"] == seen[fxdesk.FLAGS]


@pytest.mark.covers("MS-OXCNOTIF_R54001")
def test_waiting_ends_at_once_where_something_is_pending(
    desk: Desk, other: Desk, place: tuple[bytes, int]
) -> None:
    watch(desk, CREATED)
    note(other, place[0])
    assert wait(desk.mapi) is True
    assert one(desk.poll(), CREATED)


def test_a_subscription_ends_with_its_handle(desk: Desk, other: Desk, place: tuple[bytes, int]) -> None:
    handle = watch(desk, CREATED)
    desk.release(handle)
    note(other, place[0])
    assert desk.poll() == []


def test_only_what_was_asked_for(desk: Desk, other: Desk, place: tuple[bytes, int]) -> None:
    fid, folder = place
    watch(desk, DELETED, fid)
    mid = note(other, fid)
    other.touch(fid, mid, {SUBJECT: "two"})
    note(other, other.folders["inbox"])
    assert desk.poll() == []
    other.delete_messages(folder, [mid])
    assert [each.kind for each in desk.poll()] == [DELETED]


def test_changes_of_the_watching_session_are_told_too(desk: Desk, place: tuple[bytes, int]) -> None:
    handle = watch(desk, CREATED, place[0])
    mid = note(desk, place[0])
    found = [each for each in desk.poll() if each.kind == CREATED]
    assert [(each.handle, each["message"]) for each in found] == [(handle, mid)]


def test_two_subscriptions_tell_twice(desk: Desk, other: Desk, place: tuple[bytes, int]) -> None:
    handles = {watch(desk, CREATED), watch(desk, CREATED, place[0])}
    note(other, place[0])
    assert {each.handle for each in desk.poll()} == handles


# Tables


def table(desk: Desk, fid: bytes, flags: int = 0, *, view: bool = True) -> int:
    """A contents table with two columns; with `view` rows were queried, so that there is a view."""
    made = desk.contents_table(desk.open_folder(fid), flags)
    desk.columns(made, [MESSAGE_ID, SUBJECT])
    if view:
        desk.rows(made, [MESSAGE_ID, SUBJECT])
    return made


@pytest.mark.covers("MS-OXCNOTIF_R23", "MS-OXCNOTIF_R129", "MS-OXCNOTIF_R12401", "MS-OXCNOTIF_R14201")
@pytest.mark.covers("MS-OXCNOTIF_R14601", "MS-OXCNOTIF_R15001", "MS-OXCNOTIF_R15401", "MS-OXCNOTIF_R15801")
@pytest.mark.covers("MS-OXCNOTIF_R161002", "MS-OXCNOTIF_R16401", "MS-OXCNOTIF_R16701", "MS-OXCNOTIF_R166")
@pytest.mark.covers("MS-OXCNOTIF_R166001", "MS-OXCNOTIF_R257", "MS-OXCNOTIF_R261", "MS-OXCNOTIF_R97")
def test_a_row_is_added(desk: Desk, other: Desk, place: tuple[bytes, int]) -> None:
    fid, _ = place
    first = note(other, fid, "first")
    handle = table(desk, fid)
    mid = note(other, fid, "second")
    found = one(desk.poll(), TABLE)
    assert (found.handle, found.flags, found["event"]) == (handle, M, ROW_ADDED)
    assert (found["folder"], found["message"], found["instance"]) == (fid, mid, 0)
    assert (found["after_folder"], found["after_message"]) == (fid, first)
    row = found["row"]
    assert isinstance(row, bytes)
    reader = Reader(row)
    values = property_row(reader, [MESSAGE_ID, SUBJECT])
    assert reader.left == 0
    assert values == {MESSAGE_ID: struct.unpack("<q", mid)[0], SUBJECT: "second"}


def test_the_first_row_stands_behind_none(desk: Desk, other: Desk, place: tuple[bytes, int]) -> None:
    handle = table(desk, place[0])
    note(other, place[0])
    found = one(desk.poll(), TABLE)
    assert (found.handle, found["event"]) == (handle, ROW_ADDED)
    assert (found["after_folder"], found["after_message"], found["after_instance"]) == (bytes(8), bytes(8), 0)


@pytest.mark.covers("MS-OXCNOTIF_R25", "MS-OXCNOTIF_R131", "MS-OXCNOTIF_R14203", "MS-OXCNOTIF_R14603")
@pytest.mark.covers("MS-OXCNOTIF_R15003", "MS-OXCNOTIF_R16402", "MS-OXCNOTIF_R16702", "MS-OXCNOTIF_R263")
def test_a_row_is_modified(desk: Desk, other: Desk, place: tuple[bytes, int]) -> None:
    fid, _ = place
    mid = note(other, fid, "first")
    handle = table(desk, fid)
    other.touch(fid, mid, {SUBJECT: "changed"})
    found = one(desk.poll(), TABLE)
    assert (found.handle, found["event"], found["message"]) == (handle, ROW_MODIFIED, mid)
    row = found["row"]
    assert isinstance(row, bytes)
    assert property_row(Reader(row), [MESSAGE_ID, SUBJECT])[SUBJECT] == "changed"


@pytest.mark.covers("MS-OXCNOTIF_R24", "MS-OXCNOTIF_R130", "MS-OXCNOTIF_R14202", "MS-OXCNOTIF_R14602")
@pytest.mark.covers("MS-OXCNOTIF_R15002", "MS-OXCNOTIF_R262")
def test_a_row_is_deleted(desk: Desk, other: Desk, place: tuple[bytes, int]) -> None:
    fid, folder = place
    mid = note(other, fid, "first")
    handle = table(desk, fid)
    other.delete_messages(folder, [mid])
    found = one(desk.poll(), TABLE)
    assert (found.handle, found["event"], found["message"]) == (handle, ROW_DELETED, mid)
    assert not {"row", "after_folder"} & found.fields.keys()


@pytest.mark.covers("MS-OXCNOTIF_R14201", "MS-OXCNOTIF_R161004")
def test_rows_of_a_hierarchy(desk: Desk, other: Desk, place: tuple[bytes, int]) -> None:
    fid, folder = place
    made = desk.hierarchy_table(desk.open_folder(fid))
    desk.columns(made, [FOLDER_ID, DISPLAY])
    desk.rows(made, [FOLDER_ID, DISPLAY])
    below, handle = other.create_folder(folder, "Below")
    added = [each for each in desk.poll() if each.kind == TABLE and each["event"] == ROW_ADDED]
    assert [(each.handle, each.flags, each["folder"]) for each in added] == [(made, 0, below)]
    row = added[0]["row"]
    assert isinstance(row, bytes)
    assert property_row(Reader(row), [FOLDER_ID, DISPLAY])[DISPLAY] == "Below"
    other.set(handle, {DISPLAY: "Renamed"})
    changed = [each for each in desk.poll() if each.kind == TABLE]
    assert {(each["event"], each["folder"]) for each in changed} == {(ROW_MODIFIED, below)}
    other.release(handle)
    other.delete_folder(folder, below)
    gone = [each for each in desk.poll() if each.kind == TABLE]
    assert [(each["event"], each["folder"]) for each in gone] == [(ROW_DELETED, below)]


@pytest.mark.covers("MS-OXCNOTIF_R258", "MS-OXCNOTIF_R259")
def test_tables_that_do_not_notify(desk: Desk, other: Desk, place: tuple[bytes, int]) -> None:
    table(desk, place[0], 0x10)
    note(other, place[0])
    assert desk.poll() == []


@pytest.mark.covers("MS-OXCNOTIF_R243", "MS-OXCNOTIF_R245", "MS-OXCNOTIF_R252")
def test_tables_without_a_view_do_not_notify(desk: Desk, other: Desk, place: tuple[bytes, int]) -> None:
    made = table(desk, place[0], view=False)
    note(other, place[0])
    assert desk.poll() == []
    desk.rows(made, [MESSAGE_ID, SUBJECT])
    note(other, place[0], "two")
    assert one(desk.poll(), TABLE)["event"] == ROW_ADDED


VIEWS = {
    "QueryPosition": struct.pack("<BBB", 0x17, 0, 0),
    "SeekRow": struct.pack("<BBBBiB", 0x18, 0, 0, 0, 0, 0),
    "SeekRowFractional": struct.pack("<BBBII", 0x1A, 0, 0, 0, 1),
    "QueryColumnsAll": struct.pack("<BBB", 0x37, 0, 0),
}


@pytest.mark.covers("MS-OXCNOTIF_R250", "MS-OXCNOTIF_R251", "MS-OXCNOTIF_R253")
@pytest.mark.covers("MS-OXCNOTIF_R254")
@pytest.mark.parametrize("name", sorted(VIEWS))
def test_rops_that_make_a_view(desk: Desk, other: Desk, place: tuple[bytes, int], name: str) -> None:
    made = table(desk, place[0], view=False)
    assert desk.call(VIEWS[name], [made], lambda reader: reader.rest()).code == OK
    note(other, place[0])
    assert one(desk.poll(), TABLE).handle == made


@pytest.mark.covers("MS-OXCNOTIF_R281", "MS-OXCNOTIF_R280")
def test_a_reset_table_is_silent_until_it_has_a_view(
    desk: Desk, other: Desk, place: tuple[bytes, int]
) -> None:
    made = table(desk, place[0])
    desk.must(struct.pack("<BBB", 0x81, 0, 0), [made])
    note(other, place[0])
    assert desk.poll() == []
    desk.columns(made, [MESSAGE_ID, SUBJECT])
    desk.rows(made, [MESSAGE_ID, SUBJECT])
    note(other, place[0], "two")
    assert one(desk.poll(), TABLE)["event"] == ROW_ADDED


@pytest.mark.covers("MS-OXCNOTIF_R338", "MS-OXCNOTIF_R335", "MS-OXCNOTIF_R348", "MS-OXCNOTIF_R349")
@pytest.mark.covers("MS-OXCNOTIF_R81", "MS-OXCNOTIF_R332", "MS-OXCNOTIF_R337", "MS-OXCNOTIF_R346")
def test_what_does_not_fit_is_pending(desk: Desk, other: Desk, place: tuple[bytes, int]) -> None:
    """Rows of 500 bytes and more: eighty of them do not fit in the smallest buffer."""
    fid, _ = place
    table(desk, fid)
    many = 80
    mids = [note(other, fid, f"{index:03}" + "x" * 1000) for index in range(many)]
    told: list[Notice] = []
    was_pending = 0
    while len(told) < many:
        assert wait(desk.mapi)
        responses, _ = desk.mapi.execute(b"", [], 0x8008)
        found = notices.read(responses)
        was_pending += found[-1].kind == PENDING
        told += [each for each in found if each.kind == TABLE]
    assert [each["event"] for each in told] == [ROW_ADDED] * many
    assert [each["message"] for each in told] == mids
    assert was_pending, "R349: there was more"


def test_a_table_that_is_closed_is_silent(desk: Desk, other: Desk, place: tuple[bytes, int]) -> None:
    made = table(desk, place[0])
    desk.release(made)
    note(other, place[0])
    assert desk.poll() == []


def test_sorted_tables_tell_the_row_before(desk: Desk, other: Desk, place: tuple[bytes, int]) -> None:
    fid, _ = place
    first, last = note(other, fid, "a"), note(other, fid, "c")
    made = table(desk, fid, view=False)
    rop = struct.pack("<BBBBHHHHHB", 0x13, 0, 0, 0, 1, 0, 0, 0x001F, 0x0037, 0)
    desk.must(rop, [made], lambda reader: reader.u8())
    desk.rows(made, [MESSAGE_ID, SUBJECT])
    middle = note(other, fid, "b")
    found = one(desk.poll(), TABLE)
    assert (found["message"], found["after_message"]) == (middle, first)
    other.touch(fid, last, {SUBJECT: "0"})
    changed = [each for each in desk.poll() if each.kind == TABLE]
    final = changed[-1]
    assert (final["message"], final["after_message"]) == (last, bytes(8)), "it is the first row now"
