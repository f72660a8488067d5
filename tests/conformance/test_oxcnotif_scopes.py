"""MS-OXCNOTIF: events of search folders, copies of folders, tables of every kind, logons side by side."""

import struct
from collections.abc import Iterator

import pytest

from tests.conformance import fxdesk
from tests.conformance.fxdesk import CLASS, DISPLAY, NONE, OK, SUBJECT, Desk
from tests.conformance.notices import (
    CHANGED,
    COPIED,
    CREATED,
    DELETED,
    MODIFIED,
    MOVED,
    ROW_ADDED,
    ROW_DELETED,
    ROW_MODIFIED,
    SEARCHED,
    TABLE,
    M,
    Notice,
    S,
    T,
    U,
)
from tests.conformance.office import Person
from tests.conformance.wire import Reader, property_row

MESSAGE_ID, FOLDER_ID = 0x674A0014, 0x67480014
EXISTS = struct.pack("<BI", 0x08, SUBJECT)
FLAGS = 0x0E070003


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


def watch(desk: Desk, types: int, fid: bytes | None = None, mid: bytes = bytes(8), on: int = -1) -> int:
    """A subscription."""
    rop = struct.pack("<BBBBH", 0x29, 0, 0, 1, types) + (b"\1" if fid is None else b"\0" + fid + mid)
    return desk.must(rop, [desk.logon if on < 0 else on, NONE]).out


def note(desk: Desk, fid: bytes, subject: str = "one", associated: bool = False) -> bytes:
    """A message."""
    return desk.message(fid, {CLASS: "IPM.Note", SUBJECT: subject}, associated)


def of(found: list[Notice], kind: int) -> list[Notice]:
    """The notifications of a kind."""
    return [each for each in found if each.kind == kind]


def settled(desk: Desk, kind: int, many: int = 1) -> list[Notice]:
    """The notifications that came when there are `many` of a kind: search folders take their time."""
    found: list[Notice] = []
    for _ in range(20):
        found += desk.poll()
        if len(of(found, kind)) >= many:
            return found
        reply = desk.mapi.post("NotificationWait", struct.pack("<II", 0, 0))
        assert reply.code == 0
    raise AssertionError(f"{many} notifications of kind {kind:#x} did not come: {found}")


def search(desk: Desk, where: bytes, name: str = "Found") -> tuple[bytes, int]:
    """A search folder for all messages of a folder that have a subject; it is not begun yet."""
    return desk.create_folder(desk.open_folder(desk.folders["finder"]), name, kind=2)


def begin(desk: Desk, folder: int, where: bytes) -> None:
    """RopSetSearchCriteria: restart, shallow. MS-OXCROPS 2.2.4.4."""
    rop = struct.pack("<BBBH", 0x30, 0, 0, len(EXISTS)) + EXISTS
    rop += struct.pack("<H", 1) + where + struct.pack("<I", 0x0002000A)
    desk.must(rop, [folder])


@pytest.mark.covers("MS-OXCNOTIF_R17", "MS-OXCNOTIF_R47", "MS-OXCNOTIF_R109")
def test_a_search_that_is_complete(desk: Desk, other: Desk, place: tuple[bytes, int]) -> None:
    note(other, place[0])
    found, folder = search(other, place[0])
    handle = watch(desk, SEARCHED)
    begin(other, folder, place[0])
    (notice,) = of(settled(desk, SEARCHED), SEARCHED)
    assert (notice.handle, notice.flags, notice["folder"]) == (handle, 0, found)
    assert list(notice.fields) == ["folder"]


@pytest.mark.covers("MS-OXCNOTIF_R118", "MS-OXCNOTIF_R119", "MS-OXCNOTIF_R120", "MS-OXCNOTIF_R179")
def test_messages_that_a_search_folder_finds(desk: Desk, other: Desk, place: tuple[bytes, int]) -> None:
    """FolderId is where the message lies, ParentFolderId the search folder (2.2.1.4.1.2)."""
    fid, handle = place
    found, folder = search(other, fid)
    watch(desk, SEARCHED | CREATED | DELETED)
    begin(other, folder, fid)
    settled(desk, SEARCHED)
    mid = note(other, fid)
    told = of(settled(desk, CREATED, 2), CREATED)
    plain, linked = sorted(told, key=lambda each: each.flags)
    assert (plain.flags, plain["folder"], plain["message"]) == (M, fid, mid)
    assert "parent" not in plain.fields
    assert (linked.flags, linked["folder"], linked["message"], linked["parent"]) == (M | S, fid, mid, found)
    other.delete_messages(handle, [mid])
    told = of(settled(desk, DELETED, 2), DELETED)
    plain, linked = sorted(told, key=lambda each: each.flags)
    assert (plain.flags, plain["folder"], plain["message"]) == (M, fid, mid)
    assert (linked.flags, linked["folder"], linked["message"], linked["parent"]) == (M | S, fid, mid, found)


def test_rows_of_a_search_folder(desk: Desk, other: Desk, place: tuple[bytes, int]) -> None:
    fid, handle = place
    found, folder = search(other, fid)
    watch(desk, SEARCHED)
    begin(other, folder, fid)
    settled(desk, SEARCHED)
    table = desk.contents_table(desk.open_folder(found))
    desk.columns(table, [MESSAGE_ID, FOLDER_ID, SUBJECT])
    desk.rows(table, [MESSAGE_ID, FOLDER_ID, SUBJECT])
    mid = note(other, fid, "found")
    (added,) = of(settled(desk, TABLE), TABLE)
    assert (added.handle, added["event"], added["folder"], added["message"]) == (table, ROW_ADDED, fid, mid)
    row = added["row"]
    assert isinstance(row, bytes)
    assert property_row(Reader(row), [MESSAGE_ID, FOLDER_ID, SUBJECT])[SUBJECT] == "found"
    other.delete_messages(handle, [mid])
    (gone,) = of(settled(desk, TABLE), TABLE)
    assert (gone.handle, gone["event"], gone["message"]) == (table, ROW_DELETED, mid)


@pytest.mark.covers("MS-OXCNOTIF_R12", "MS-OXCNOTIF_R19102", "MS-OXCNOTIF_R182", "MS-OXCNOTIF_R190")
def test_a_folder_is_copied(desk: Desk, other: Desk, place: tuple[bytes, int]) -> None:
    """RopCopyFolder: the folder and where it was copied from."""
    fid, folder = place
    source, source_handle = other.create_folder(folder, "Source")
    below, _ = other.create_folder(source_handle, "Below")
    watch(desk, COPIED | CREATED | MOVED)
    rop = struct.pack("<BBBBBBB", 0x36, 0, 0, 1, 0, 0, 1) + below + "Twin".encode("utf-16-le") + b"\0\0"
    other.must(rop, [source_handle, folder], lambda reader: reader.u8())
    (told,) = desk.poll()
    assert (told.kind, told.flags, told["parent"]) == (COPIED, 0, fid)
    assert (told["old_folder"], told["old_parent"]) == (below, source)
    made = told["folder"]
    assert isinstance(made, bytes)
    assert made not in (below, source, fid)
    assert desk.get(desk.open_folder(made), DISPLAY)[DISPLAY] == "Twin"


def test_a_folder_is_copied_with_what_is_in_it(desk: Desk, other: Desk, place: tuple[bytes, int]) -> None:
    fid, folder = place
    source, source_handle = other.create_folder(folder, "Source")
    mid = note(other, source)
    below, _ = other.create_folder(source_handle, "Below")
    watch(desk, COPIED)
    rop = struct.pack("<BBBBBBB", 0x36, 0, 0, 1, 0, 1, 1) + source + "Twin".encode("utf-16-le") + b"\0\0"
    other.must(rop, [folder, folder], lambda reader: reader.u8())
    told = of(desk.poll(), COPIED)
    assert sorted(each["old_folder"] for each in told if not each.flags & M) == sorted((source, below))
    (message,) = [each for each in told if each.flags & M]
    assert (message["old_folder"], message["old_message"]) == (source, mid)
    twins = [each for each in told if not each.flags & M and each["old_folder"] == source]
    assert [each["parent"] for each in twins] == [fid]
    assert message["folder"] == twins[0]["folder"]


@pytest.mark.covers("MS-OXCNOTIF_R205", "MS-OXCNOTIF_R209", "MS-OXCNOTIF_R112", "MS-OXCNOTIF_R114")
@pytest.mark.covers("MS-OXCNOTIF_R115", "MS-OXCNOTIF_R117", "MS-OXCNOTIF_R207", "MS-OXCNOTIF_R211")
def test_read_states_are_told(desk: Desk, other: Desk, place: tuple[bytes, int]) -> None:
    fid, folder = place
    mids = [note(other, fid), note(other, fid)]
    other.read_flags(folder, mids, 0x04)  # unread, whatever they were made with
    watch(desk, MODIFIED, fid)
    table = desk.contents_table(desk.open_folder(fid))
    desk.columns(table, [MESSAGE_ID, FLAGS])
    desk.rows(table, [MESSAGE_ID, FLAGS])
    other.read_flags(folder, mids[:1], 0x00)
    told = desk.poll()
    (changed,) = [each for each in of(told, MODIFIED) if each.flags & M]
    assert (changed["folder"], changed["message"]) == (fid, mids[0])
    (counts,) = [each for each in of(told, MODIFIED) if not each.flags & M]
    assert counts.flags == T | U
    assert (counts["folder"], counts["total"], counts["unread"]) == (fid, 2, 1)
    (row,) = of(told, TABLE)
    data = row["row"]
    assert isinstance(data, bytes)
    flags = property_row(Reader(data), [MESSAGE_ID, FLAGS])[FLAGS]
    assert (row["event"], row["message"]) == (ROW_MODIFIED, mids[0])
    assert isinstance(flags, int)
    assert flags & 1, "mfRead"


def test_a_move_is_in_both_tables(desk: Desk, other: Desk, place: tuple[bytes, int]) -> None:
    fid, folder = place
    mid = note(other, fid)
    target, target_handle = other.create_folder(folder, "Target")
    tables = {}
    for where in (fid, target):
        table = desk.contents_table(desk.open_folder(where))
        desk.columns(table, [MESSAGE_ID])
        desk.rows(table, [MESSAGE_ID])
        tables[where] = table
    other.move_messages(folder, target_handle, [mid])
    told = {each.handle: each for each in of(desk.poll(), TABLE)}
    assert told.keys() == set(tables.values())
    gone, come = told[tables[fid]], told[tables[target]]
    assert (gone["event"], gone["folder"], gone["message"]) == (ROW_DELETED, fid, mid)
    assert (come["event"], come["folder"]) == (ROW_ADDED, target)
    assert come["message"] != mid


@pytest.mark.parametrize("associated", [True, False])
def test_tables_of_associated_messages(
    desk: Desk, other: Desk, place: tuple[bytes, int], associated: bool
) -> None:
    fid, _ = place
    table = desk.contents_table(desk.open_folder(fid), 0x02)
    desk.columns(table, [MESSAGE_ID])
    desk.rows(table, [MESSAGE_ID])
    mid = note(other, fid, "settings", associated)
    told = [(each.handle, each["event"], each["message"]) for each in of(desk.poll(), TABLE)]
    assert told == ([(table, ROW_ADDED, mid)] if associated else [])


def test_deep_tables_of_folders(desk: Desk, other: Desk, place: tuple[bytes, int]) -> None:
    fid, folder = place
    _, below_handle = other.create_folder(folder, "Below")
    table = desk.hierarchy_table(desk.open_folder(fid), 0x04)
    desk.columns(table, [FOLDER_ID, DISPLAY])
    desk.rows(table, [FOLDER_ID, DISPLAY])
    deeper, _ = other.create_folder(below_handle, "Deeper")
    added = [each for each in of(desk.poll(), TABLE) if each["event"] == ROW_ADDED]
    assert [(each.handle, each["folder"]) for each in added] == [(table, deeper)]


@pytest.mark.covers("MS-OXCFOLD_R809")
def test_tables_of_folders_may_be_silent_about_one_s_own_actions(
    desk: Desk, other: Desk, place: tuple[bytes, int]
) -> None:
    """SuppressesNotifications, 0x80: MS-OXCFOLD 2.2.1.13.1."""
    fid, folder = place
    own = desk.open_folder(fid)
    tables = [desk.hierarchy_table(own, flags) for flags in (0x80, 0x00)]
    for table in tables:
        desk.columns(table, [FOLDER_ID, DISPLAY])
        desk.rows(table, [FOLDER_ID, DISPLAY])
    mine, _ = desk.create_folder(own, "Mine")
    told = of(settled(desk, TABLE), TABLE)
    assert {(each.handle, each["folder"]) for each in told} == {(tables[1], mine)}
    desk.poll()
    other.create_folder(folder, "Other's")
    assert {each.handle for each in of(settled(desk, TABLE, 2), TABLE)} == set(tables)


def restricted(desk: Desk, fid: bytes, subject: str) -> int:
    """A contents table of the messages with one subject, which was looked at."""
    table = desk.contents_table(desk.open_folder(fid))
    desk.columns(table, [MESSAGE_ID, SUBJECT])
    restriction = struct.pack("<BBII", 0x04, 0x04, SUBJECT, SUBJECT) + subject.encode("utf-16-le") + b"\0\0"
    rop = struct.pack("<BBBBH", 0x14, 0, 0, 0, len(restriction)) + restriction
    desk.must(rop, [table], lambda reader: reader.u8())
    desk.rows(table, [MESSAGE_ID, SUBJECT])
    return table


@pytest.mark.covers("MS-OXCNOTIF_R269", "MS-OXCNOTIF_R271", "MS-OXCNOTIF_R264", "MS-OXCNOTIF_R22")
@pytest.mark.covers("MS-OXCNOTIF_R14204", "MS-OXCNOTIF_R14604", "MS-OXCNOTIF_R128")
def test_a_restricted_table(desk: Desk, other: Desk, place: tuple[bytes, int]) -> None:
    """What comes can be told; what changes may come, go or stay, and what goes may never have been there."""
    fid, _ = place
    table = restricted(desk, fid, "wanted")
    mid = note(other, fid, "wanted")
    (added,) = of(desk.poll(), TABLE)
    assert (added.handle, added["event"], added["message"]) == (table, ROW_ADDED, mid)
    note(other, fid, "unwanted")
    assert of(desk.poll(), TABLE) == []
    other.touch(fid, mid, {SUBJECT: "no longer"})
    (changed,) = of(desk.poll(), TABLE)
    assert (changed.handle, changed.flags, changed["event"]) == (table, M, CHANGED)
    assert desk.rows(table, [MESSAGE_ID, SUBJECT]) == []


def test_a_table_by_categories_has_changed(desk: Desk, other: Desk, place: tuple[bytes, int]) -> None:
    fid, _ = place
    note(other, fid, "one")
    table = desk.contents_table(desk.open_folder(fid))
    desk.columns(table, [MESSAGE_ID, SUBJECT])
    rop = struct.pack("<BBBBHHHHHB", 0x13, 0, 0, 0, 1, 1, 1, SUBJECT & 0xFFFF, SUBJECT >> 16, 0)
    desk.must(rop, [table], lambda reader: reader.u8())
    desk.rows(table, [MESSAGE_ID, SUBJECT])
    note(other, fid, "two")
    told = of(desk.poll(), TABLE)
    assert {each.handle for each in told} == {table}


def test_logons_side_by_side(desk: Desk, anna: Person) -> None:
    """LogonId of a RopNotify is that of the subscription (MS-OXCROPS 2.2.14.2)."""
    essdn = anna.dn.encode("ascii") + b"\0"
    logon = struct.pack("<BBBBIIH", 0xFE, 5, 0, 0x01, 0x01000000, 0, len(essdn)) + essdn
    _, handles = desk.mapi.execute(logon, [NONE])
    rop = struct.pack("<BBBBH", 0x29, 5, 0, 1, CREATED) + b"\1"
    _, handles = desk.mapi.execute(rop, [handles[0], NONE])
    first = watch(desk, CREATED)
    mid = note(desk, desk.folders["inbox"])
    told = of(desk.poll(), CREATED)
    assert sorted((each.handle, each.logon) for each in told) == sorted([(handles[1], 5), (first, 0)])
    assert {each["message"] for each in told} == {mid}


def test_the_extended_form_of_a_subscription(desk: Desk, other: Desk, place: tuple[bytes, int]) -> None:
    """Reserved stands there only with 0x0400, and is ignored."""
    for reserved in (0x00, 0xFF):
        rop = struct.pack("<BBBBHB", 0x29, 0, 0, 1, 0x0400 | CREATED, reserved) + b"\0" + place[0] + bytes(8)
        assert desk.call(rop, [desk.logon, NONE]).code == OK
    note(other, place[0])
    assert len(of(desk.poll(), CREATED)) == 2


def test_a_subscription_of_one_message(desk: Desk, other: Desk, place: tuple[bytes, int]) -> None:
    fid, folder = place
    mid, quiet = note(other, fid), note(other, fid)
    watch(desk, CREATED | MODIFIED | DELETED | MOVED, fid, mid)
    other.touch(fid, quiet, {SUBJECT: "quiet"})
    note(other, fid)
    assert desk.poll() == []
    other.touch(fid, mid, {SUBJECT: "two"})
    assert [(each.kind, each["message"]) for each in desk.poll()] == [(MODIFIED, mid)]
    other.delete_messages(folder, [quiet])
    assert desk.poll() == []
    other.delete_messages(folder, [mid])
    assert [(each.kind, each["message"]) for each in desk.poll()] == [(DELETED, mid)]


def test_what_somebody_may_not_see_is_not_told(desk: Desk, anna: Person, ben: Person) -> None:
    """A subscription needs a logon; strangers get none, and the whole store is one's own."""
    stranger = fxdesk.desk(ben)
    watch(stranger, CREATED | MODIFIED)
    note(desk, desk.folders["inbox"])
    assert stranger.poll() == []
    stranger.mapi.close()


def test_notifications_wait_for_a_look(desk: Desk, other: Desk, place: tuple[bytes, int]) -> None:
    """They come with any Execute, behind the responses of its own ROPs, in the order of the events."""
    fid, folder = place
    watch(desk, CREATED | DELETED, fid)
    mid = note(other, fid)
    other.delete_messages(folder, [mid])
    desk.get(desk.logon, 0x0FF90102)
    assert [(each.kind, each["message"]) for each in desk.notices] == [(CREATED, mid), (DELETED, mid)]
