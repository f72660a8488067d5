"""MS-OXCFOLD 3.2.5.4, 3.2.5.5: what search folders look for, and what they show."""

import struct

import pytest

from tests.conformance.client import Mapi
from tests.conformance.store_rops import (
    COUNT,
    EC_INVALID_PARAM,
    EC_NOT_FOUND,
    EC_NOT_INITIALIZED,
    EC_NOT_SEARCH_FOLDER,
    EC_NOT_SUPPORTED,
    EC_SCOPE_VIOLATION,
    INBOX,
    KIND,
    MID,
    NONE,
    SUBJECT,
    SUCCESS,
    Store,
    create_folder,
    create_message,
    delete_folder,
    delete_messages,
    empty_folder,
    get_contents_table,
    get_search_criteria,
    move_copy_messages,
    names,
    open_message,
    public,
    set_properties,
    set_search_criteria,
)
from tests.conformance.values import tagged

STOP, RESTART, RECURSIVE, SHALLOW, FOREGROUND, BACKGROUND = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20
INDEXED, NOT_INDEXED, STATIC = 0x10000, 0x20000, 0x40000
RUNNING, REBUILD, IS_RECURSIVE, COMPLETE, IS_STATIC = 0x01, 0x02, 0x04, 0x1000, 0x10000
PARENT_ENTRY = 0x0E090102


def holds(text: str) -> bytes:
    """ContentRestriction: the subject holds a text, whatever its case. MS-OXCDATA 2.12.4."""
    return struct.pack("<BHHI", 0x03, 0x0001, 0x0001, SUBJECT) + tagged(SUBJECT, text)


WANTED = holds("wanted")


@pytest.fixture
def search(store: Store, top: int) -> tuple[int, int]:
    """A search folder without criteria: id and handle."""
    return store.create(top, "Found", kind=2)


def look(store: Store, folder: int, fids: list[int], flags: int, what: bytes = WANTED) -> int:
    """Set criteria; the response has a ReturnValue alone."""
    answer = store.send(set_search_criteria(what, fids, flags), folder)
    assert (answer.rop, answer.index) == (0x30, 0)
    answer.end()
    return answer.value


def criteria(store: Store, folder: int, *asked: int) -> tuple[bytes, tuple[int, ...], int]:
    """Restriction, folders and flags of a search folder; its responses end where they say."""
    answer = store.send(get_search_criteria(*asked), folder)
    assert (answer.rop, answer.index, answer.value) == (0x31, 0, SUCCESS)
    restriction = answer.fields.take(answer.fields.number("H"))
    logon_id, count = answer.fields.numbers("BH")
    assert logon_id == 0
    fids = answer.fields.numbers(f"{count}Q")
    flags = answer.fields.number("I")
    answer.end()
    return restriction, fids, flags


def found(store: Store, folder: int) -> list[object]:
    """Subjects of what a search folder shows; its RowCount may be older than its rows."""
    table = store.send(get_contents_table(0x10), folder, NONE)
    assert table.value == SUCCESS
    rows = store.rows(table.handles[1], SUBJECT)
    store.release(table.handles[1])
    return sorted((row[0] for row in rows), key=str)


def comes(store: Store, folder: int, *expected: str) -> bool:
    """Whether a dynamic search comes to show what it should: it may lag behind the change."""
    return any(found(store, folder) == list(expected) for _ in range(200))


def settled(store: Store, folder: int) -> int:
    """The flags of a search that has been asked until it is complete."""
    for _ in range(200):
        flags = criteria(store, folder)[2]
        if flags & COMPLETE:
            return flags
    raise AssertionError("the search does not end")


# --- setting ------------------------------------------------------------------------------------------------


@pytest.mark.covers(
    "MS-OXCFOLD_R47", "MS-OXCFOLD_R812", "MS-OXCFOLD_R98", "MS-OXCFOLD_R119", "MS-OXCFOLD_R515",
    "MS-OXCFOLD_R518", "MS-OXCFOLD_R409", "MS-OXCFOLD_R512",
)  # fmt: skip
def test_a_search_shows_what_matches(store: Store, search: tuple[int, int]) -> None:
    inbox = store.open(store.folders[INBOX])
    for text in ("wanted one", "other", "WANTED two"):
        store.message(inbox, store.folders[INBOX], tagged(SUBJECT, text))
    _, handle = search
    assert look(store, handle, [store.folders[INBOX]], RESTART | SHALLOW) == SUCCESS
    settled(store, handle)
    assert found(store, handle) == ["WANTED two", "wanted one"]
    assert store.properties(handle, KIND, COUNT) == [2, 2]


@pytest.mark.covers("MS-OXCFOLD_R1172")
def test_rows_of_a_search_tell_where_the_message_is(store: Store, search: tuple[int, int]) -> None:
    inbox = store.open(store.folders[INBOX])
    mid = store.message(inbox, store.folders[INBOX], tagged(SUBJECT, "wanted"))
    _, handle = search
    assert look(store, handle, [store.folders[INBOX]], RESTART | SHALLOW) == SUCCESS
    settled(store, handle)
    ((number, parent),) = store.table(get_contents_table(), handle, MID, PARENT_ENTRY)
    assert number == mid
    assert isinstance(parent, bytes)
    assert parent[22:44] == store.replguid + store.folders[INBOX].to_bytes(8, "little")[2:]
    assert store.send(open_message(store.folders[INBOX], mid), handle, NONE).value == SUCCESS


@pytest.mark.covers("MS-OXCFOLD_R565", "MS-OXCFOLD_R566", "MS-OXCFOLD_R1240", "MS-OXCFOLD_R1090")
def test_the_first_search_names_its_folders(store: Store, search: tuple[int, int]) -> None:
    assert look(store, search[1], [], RESTART) == EC_NOT_INITIALIZED


@pytest.mark.covers("MS-OXCFOLD_R1241", "MS-OXCFOLD_R109", "MS-OXCFOLD_R105")
def test_later_searches_may_leave_out_folders_or_restriction(store: Store, search: tuple[int, int]) -> None:
    _, handle = search
    inbox = store.folders[INBOX]
    assert look(store, handle, [inbox], RESTART | SHALLOW) == SUCCESS
    assert look(store, handle, [], RESTART | SHALLOW, holds("else")) == SUCCESS
    assert criteria(store, handle)[:2] == (holds("else"), (inbox,))
    assert look(store, handle, [], RESTART | SHALLOW, b"") == SUCCESS
    assert criteria(store, handle)[:2] == (holds("else"), (inbox,))


@pytest.mark.covers("MS-OXCFOLD_R519")
def test_new_criteria_replace_the_results(store: Store, search: tuple[int, int]) -> None:
    inbox = store.open(store.folders[INBOX])
    for text in ("wanted", "else"):
        store.message(inbox, store.folders[INBOX], tagged(SUBJECT, text))
    _, handle = search
    assert look(store, handle, [store.folders[INBOX]], RESTART) == SUCCESS
    settled(store, handle)
    assert look(store, handle, [], RESTART, holds("else")) == SUCCESS
    settled(store, handle)
    assert found(store, handle) == ["else"]


@pytest.mark.covers("MS-OXCFOLD_R770", "MS-OXCFOLD_R772", "MS-OXCFOLD_R1200", "MS-OXCFOLD_R1201")
@pytest.mark.parametrize(
    ("flags", "deep"), [(RECURSIVE, True), (SHALLOW, False), (0, False), (RESTART | RECURSIVE, True)]
)
def test_depth(store: Store, tree: tuple[int, int], search: tuple[int, int], flags: int, deep: bool) -> None:
    fid, _ = tree
    _, handle = search
    assert look(store, handle, [fid], flags, holds("o")) == SUCCESS
    settled(store, handle)
    assert found(store, handle) == (["above", "below"] if deep else ["above"])
    assert bool(criteria(store, handle)[2] & IS_RECURSIVE) == deep


@pytest.mark.covers(
    "MS-OXCFOLD_R1095", "MS-OXCFOLD_R1096", "MS-OXCFOLD_R1097", "MS-OXCFOLD_R552", "MS-OXCFOLD_R1210"
)
def test_a_dynamic_search_follows(store: Store, search: tuple[int, int]) -> None:
    fid = store.folders[INBOX]
    inbox = store.open(fid)
    _, handle = search
    assert look(store, handle, [fid], RESTART) == SUCCESS
    settled(store, handle)
    mid = store.message(inbox, fid, tagged(SUBJECT, "wanted"))
    assert comes(store, handle, "wanted")
    opened = store.send(open_message(fid, mid, mode=1), inbox, NONE).handles[1]
    assert store.send(set_properties([tagged(SUBJECT, "done")]), opened).value == SUCCESS
    assert store.send(b"\x0c\x00\x01\x00\x0a", opened, inbox).value == SUCCESS
    assert comes(store, handle)
    mid = store.message(inbox, fid, tagged(SUBJECT, "wanted again"))
    assert comes(store, handle, "wanted again")
    assert store.send(delete_messages([mid]), inbox).value == SUCCESS
    assert comes(store, handle)


@pytest.mark.covers("MS-OXCFOLD_R1098", "MS-OXCFOLD_R1099")
def test_stopping_a_complete_search_changes_nothing(store: Store, search: tuple[int, int]) -> None:
    fid = store.folders[INBOX]
    inbox = store.open(fid)
    _, handle = search
    assert look(store, handle, [fid], RESTART) == SUCCESS
    settled(store, handle)
    assert look(store, handle, [], STOP, b"") == SUCCESS
    store.message(inbox, fid, tagged(SUBJECT, "wanted"))
    assert comes(store, handle, "wanted"), "it is dynamic still"


@pytest.mark.covers(
    "MS-OXCFOLD_R784", "MS-OXCFOLD_R549", "MS-OXCFOLD_R1084", "MS-OXCFOLD_R1093", "MS-OXCFOLD_R551",
    "MS-OXCFOLD_R795", "MS-OXCFOLD_R546",
)  # fmt: skip
def test_a_static_search_stands(store: Store, search: tuple[int, int]) -> None:
    fid = store.folders[INBOX]
    inbox = store.open(fid)
    store.message(inbox, fid, tagged(SUBJECT, "wanted early"))
    _, handle = search
    assert look(store, handle, [fid], RESTART | STATIC) == SUCCESS
    assert settled(store, handle) & IS_STATIC
    store.message(inbox, fid, tagged(SUBJECT, "wanted late"))
    assert found(store, handle) == ["wanted early"]
    assert look(store, handle, [], RESTART | STATIC, b"") == SUCCESS
    settled(store, handle)
    assert found(store, handle) == ["wanted early", "wanted late"]


@pytest.mark.covers("MS-OXCFOLD_R1242", "MS-OXCFOLD_R124201", "MS-OXCFOLD_R1243", "MS-OXCFOLD_R1244")
def test_a_search_does_not_look_into_itself(store: Store, search: tuple[int, int]) -> None:
    fid, handle = search
    assert look(store, handle, [store.folders[INBOX], fid], RESTART) == EC_SCOPE_VIOLATION


@pytest.mark.covers("MS-OXCFOLD_R116", "MS-OXCFOLD_R116001", "MS-OXCFOLD_R1091", "MS-OXCFOLD_R1092")
@pytest.mark.parametrize("flags", [0x40, 0x80, 0x100, 0x00080000, 0x80000000])
def test_unknown_search_flags(store: Store, search: tuple[int, int], flags: int) -> None:
    assert look(store, search[1], [store.folders[INBOX]], RESTART | flags) == EC_INVALID_PARAM


@pytest.mark.parametrize(
    "flags", [FOREGROUND, BACKGROUND, INDEXED, NOT_INDEXED, NOT_INDEXED | STATIC | RECURSIVE]
)
def test_known_search_flags(store: Store, search: tuple[int, int], flags: int) -> None:
    assert look(store, search[1], [store.folders[INBOX]], RESTART | flags) == SUCCESS


@pytest.mark.covers("MS-OXCFOLD_R569", "MS-OXCFOLD_R570", "MS-OXCFOLD_R579", "MS-OXCFOLD_R580")
def test_a_generic_folder_has_no_criteria(store: Store) -> None:
    inbox = store.open(store.folders[INBOX])
    assert look(store, inbox, [store.folders[INBOX]], RESTART) == EC_NOT_SEARCH_FOLDER
    answer = store.send(get_search_criteria(), inbox)
    assert answer.value == EC_NOT_SEARCH_FOLDER


@pytest.mark.covers("MS-OXCFOLD_R573", "MS-OXCFOLD_R574", "MS-OXCFOLD_R581", "MS-OXCFOLD_R582")
@pytest.mark.parametrize("request_", [get_search_criteria(), set_search_criteria(WANTED, [1], RESTART)])
def test_only_folders_have_criteria(store: Store, request_: bytes) -> None:
    assert store.call(request_).value == EC_NOT_SUPPORTED


def test_a_search_in_a_folder_that_is_not_there(store: Store, search: tuple[int, int]) -> None:
    assert look(store, search[1], [store.replid | 0x4242 << 32], RESTART) == EC_NOT_FOUND


# --- getting ------------------------------------------------------------------------------------------------


@pytest.mark.covers(
    "MS-OXCFOLD_R120", "MS-OXCFOLD_R129", "MS-OXCFOLD_R130", "MS-OXCFOLD_R131", "MS-OXCFOLD_R132",
    "MS-OXCFOLD_R134", "MS-OXCFOLD_R136", "MS-OXCFOLD_R139", "MS-OXCFOLD_R1103", "MS-OXCFOLD_R1104",
    "MS-OXCFOLD_R957", "MS-OXCFOLD_R959", "MS-OXCFOLD_R137", "MS-OXCFOLD_R138", "MS-OXCFOLD_R140",
    "MS-OXCFOLD_R2140", "MS-OXCFOLD_R2141", "MS-OXCFOLD_R418", "MS-OXCFOLD_R451", "MS-OXCFOLD_R121",
)  # fmt: skip
@pytest.mark.parametrize("folders", [0, 1, 255])
@pytest.mark.parametrize("restriction", [0, 1])
def test_criteria_come_back_as_asked(
    store: Store, search: tuple[int, int], restriction: int, folders: int
) -> None:
    _, handle = search
    fids = [store.folders[INBOX], store.folders[INBOX + 1]]
    assert look(store, handle, fids, RESTART | SHALLOW) == SUCCESS
    settled(store, handle)
    what, where, flags = criteria(store, handle, 1, restriction, folders)
    assert what == (WANTED if restriction else b"")
    assert where == (tuple(fids) if folders else ())
    assert flags & ~0x0F03300F == 0, "known flags alone"
    assert not flags & REBUILD
    assert flags & COMPLETE


@pytest.mark.covers("MS-OXCFOLD_R127", "MS-OXCFOLD_R128")
def test_strings_of_criteria_are_as_asked(store: Store, search: tuple[int, int]) -> None:
    _, handle = search
    assert look(store, handle, [store.folders[INBOX]], RESTART) == SUCCESS
    assert criteria(store, handle, 1)[0] == WANTED
    eight_bits = struct.pack("<BHHI", 3, 1, 1, 0x0037001E) + struct.pack("<I", 0x0037001E) + b"wanted\0"
    assert criteria(store, handle, 0)[0] == eight_bits


@pytest.mark.parametrize(
    "restriction",
    [
        struct.pack("<BI", 0x08, SUBJECT),
        struct.pack("<BBI", 0x04, 4, 0x00170003) + tagged(0x00170003, 1),
        struct.pack("<BH", 0x00, 2) + WANTED + struct.pack("<BI", 0x08, SUBJECT),
        struct.pack("<BH", 0x01, 2) + WANTED + holds("b"),
        b"\x02" + WANTED,
        struct.pack("<BBII", 0x05, 4, 0x00170003, 0x00360003),
        struct.pack("<BBII", 0x06, 0, 0x00170003, 1),
        struct.pack("<BBII", 0x07, 4, 0x0E080003, 100),
        struct.pack("<BI", 0x09, 0x0E12000D) + struct.pack("<BI", 0x08, 0x3003001F),
        b"\x0a\x01" + tagged(SUBJECT, "note") + b"\x01" + WANTED,
    ],
    ids=["exist", "property", "and", "or", "not", "compare", "bits", "size", "sub", "comment"],
)
def test_every_restriction_comes_back_to_the_byte(
    store: Store, search: tuple[int, int], restriction: bytes
) -> None:
    _, handle = search
    assert look(store, handle, [store.folders[INBOX]], RESTART, restriction) == SUCCESS
    settled(store, handle)
    assert criteria(store, handle)[0] == restriction


# --- what search folders are not ----------------------------------------------------------------------------


@pytest.mark.covers("MS-OXCFOLD_R1249", "MS-OXCFOLD_R124901", "MS-OXCFOLD_R3012")
def test_a_search_folder_is_not_emptied(store: Store, search: tuple[int, int]) -> None:
    answer = store.send(empty_folder(), search[1])
    assert (answer.value, answer.fields.rest) == (EC_NOT_SUPPORTED, b"\0")


def test_nothing_is_made_in_a_search_folder(store: Store, search: tuple[int, int]) -> None:
    fid, handle = search
    assert store.send(create_message(fid), handle, NONE).value != SUCCESS
    assert store.send(create_folder("Below"), handle, NONE).value != SUCCESS


@pytest.mark.covers("MS-OXCFOLD_R1216", "MS-OXCFOLD_R121701", "MS-OXCFOLD_R121702")
@pytest.mark.parametrize("copy", [False, True])
def test_messages_move_out_of_a_search_folder(
    store: Store, top: int, search: tuple[int, int], copy: bool
) -> None:
    fid = store.folders[INBOX]
    inbox = store.open(fid)
    mid = store.message(inbox, fid, tagged(SUBJECT, "wanted"))
    _, handle = search
    assert look(store, handle, [fid], RESTART) == SUCCESS
    settled(store, handle)
    _, target = store.create(top, "Target")
    answer = store.send(move_copy_messages([mid], copy), handle, target)
    assert (answer.value, answer.fields.rest) == (SUCCESS, b"\0")
    assert found(store, target) == ["wanted"]
    assert found(store, inbox) == (["wanted"] if copy else [])
    assert found(store, handle) == (["wanted"] if copy else [])


def test_deleting_in_a_search_folder_deletes_the_message(store: Store, search: tuple[int, int]) -> None:
    fid = store.folders[INBOX]
    inbox = store.open(fid)
    mid = store.message(inbox, fid, tagged(SUBJECT, "wanted"))
    _, handle = search
    assert look(store, handle, [fid], RESTART) == SUCCESS
    settled(store, handle)
    answer = store.send(delete_messages([mid]), handle)
    assert (answer.value, answer.fields.rest) == (SUCCESS, b"\0")
    assert found(store, inbox) == found(store, handle) == []


def test_deleting_a_search_folder_keeps_what_it_shows(
    store: Store, top: int, search: tuple[int, int]
) -> None:
    fid = store.folders[INBOX]
    inbox = store.open(fid)
    store.message(inbox, fid, tagged(SUBJECT, "wanted"))
    number, handle = search
    assert look(store, handle, [fid], RESTART) == SUCCESS
    settled(store, handle)
    answer = store.send(delete_folder(number, 0x10), top)
    assert (answer.value, answer.fields.rest) == (SUCCESS, b"\0")
    assert "Found" not in names(store, top)
    assert found(store, inbox) == ["wanted"]


@pytest.mark.covers("MS-OXCFOLD_R49601", "MS-OXCFOLD_R10660202")
def test_public_folders_have_no_searches(mapi: Mapi) -> None:
    store = public(mapi)
    folder = store.open(store.folders[1])
    assert store.send(create_folder("Search", kind=2), folder, NONE).value == EC_NOT_SUPPORTED
