"""Public folders by their bytes: MS-OXCFOLD, MS-OXCSTOR, MS-OXCPERM where they speak of public folders."""

import struct
from dataclasses import dataclass
from itertools import count

import pytest

from tests.conformance.client import Mapi
from tests.conformance.office import Office, Person
from tests.conformance.store_rops import (
    COUNT,
    EC_ACCESS_DENIED,
    EC_DUPLICATE_NAME,
    EC_NOT_FOUND,
    FOLDER_ID,
    INBOX,
    MID,
    NO_LOCALIZATION,
    NONE,
    PUBLIC,
    SUBFOLDERS,
    SUBJECT,
    SUCCESS,
    UNREAD,
    Store,
    copy_folder,
    create_folder,
    create_message,
    delete_folder,
    delete_messages,
    empty_folder,
    get_contents_table,
    get_hierarchy_table,
    get_permissions_table,
    logon,
    move_copy_messages,
    move_folder,
    names,
    open_folder,
    open_message,
    private,
    public,
)
from tests.conformance.values import tagged

_NUMBERS = count(1)


@dataclass(frozen=True, slots=True)
class Board:
    """A public folder of its own for a test, as the administrator has it."""

    store: Store
    fid: int
    handle: int


@pytest.fixture
def chief(anna: Person, office: Office) -> Person:
    """Somebody who manages the organization."""
    office.command("right", "add", anna.address, "organization-management")
    return anna


@pytest.fixture
def board(chief: Person, mapi: Mapi) -> Board:
    """A new folder in the visible tree."""
    store = public(mapi)
    answer = store.send(
        create_folder(f"Board of {chief.name} {next(_NUMBERS)}"), store.open(store.folders[1]), NONE
    )
    assert answer.value == SUCCESS
    fid, existing = answer.fields.numbers("QB")
    assert existing == 0
    answer.end()
    return Board(store, fid, answer.handles[1])


@pytest.mark.covers("MS-OXCFOLD_R3802", "MS-OXCFOLD_R90002", "MS-OXCFOLD_R100001", "MS-OXCFOLD_R61")
def test_making_and_listing(board: Board) -> None:
    store = board.store
    fid, _ = store.create(board.handle, "Below")
    assert names(store, board.handle) == ["Below"]
    assert store.table(get_hierarchy_table(), board.handle, FOLDER_ID) == [[fid]]
    assert store.properties(board.handle, SUBFOLDERS, COUNT) == [True, 0]
    answer = store.call(open_folder(fid), NONE)
    assert (answer.value, answer.fields.rest) == (SUCCESS, b"\0\0"), "HasRules, IsGhosted"


@pytest.mark.covers("MS-OXCFOLD_R60001", "MS-OXCROPS_R60001")
def test_an_existing_public_folder_is_opened_unsaid(board: Board) -> None:
    """<3>: since Exchange 2010, IsExistingFolder is zero all the same."""
    store = board.store
    fid, _ = store.create(board.handle, "Known")
    assert store.send(create_folder("KNOWN"), board.handle, NONE).value == EC_DUPLICATE_NAME
    answer = store.send(create_folder("Known", existing=True), board.handle, NONE)
    assert (answer.value, answer.fields.numbers("QB")) == (SUCCESS, (fid, 0))
    answer.end()


@pytest.mark.covers("MS-OXCFOLD_R94402", "MS-OXCFOLD_R498")
@pytest.mark.parametrize("flags", [0x05, 0x15])
def test_deleting(board: Board, flags: int) -> None:
    store = board.store
    fid, handle = store.create(board.handle, "Full")
    store.message(handle, fid)
    store.create(handle, "Inner")
    partly = store.send(delete_folder(fid, 0), board.handle)
    assert (partly.value, partly.fields.rest) == (SUCCESS, b"\1")
    answer = store.send(delete_folder(fid, flags), board.handle)
    assert (answer.value, answer.fields.rest) == (SUCCESS, b"\0")
    assert names(store, board.handle) == []
    assert store.call(open_folder(fid), NONE).value == EC_NOT_FOUND


@pytest.mark.covers("MS-OXCFOLD_R100501", "MS-OXCFOLD_R98801", "MS-OXCFOLD_R99401")
@pytest.mark.parametrize("hard", [False, True])
def test_messages_come_and_go(board: Board, hard: bool) -> None:
    store = board.store
    mids = [store.message(board.handle, board.fid, tagged(SUBJECT, text)) for text in "abc"]
    assert store.properties(board.handle, COUNT) == [3]
    answer = store.send(delete_messages(mids[:2], hard), board.handle)
    assert (answer.value, answer.fields.rest) == (SUCCESS, b"\0")
    assert store.table(get_contents_table(), board.handle, MID, SUBJECT) == [[mids[2], "c"]]


@pytest.mark.covers("MS-OXCFOLD_R97501", "MS-OXCFOLD_R98301")
@pytest.mark.parametrize("hard", [False, True])
def test_emptying(board: Board, hard: bool) -> None:
    store = board.store
    store.message(board.handle, board.fid)
    store.create(board.handle, "Inner")
    answer = store.send(empty_folder(False, hard), board.handle)
    assert (answer.value, answer.fields.rest) == (SUCCESS, b"\0")
    assert store.properties(board.handle, COUNT, SUBFOLDERS) == [0, False]


@pytest.mark.covers("MS-OXCFOLD_R14502", "MS-OXCFOLD_R17102", "MS-OXCFOLD_R19702")
def test_moving_and_copying_within(board: Board) -> None:
    store = board.store
    one, first = store.create(board.handle, "One")
    _, second = store.create(board.handle, "Two")
    mid = store.message(first, one, tagged(SUBJECT, "a"))
    for copy in (True, False):
        answer = store.send(move_copy_messages([mid], copy), first, second)
        assert (answer.value, answer.fields.rest) == (SUCCESS, b"\0")
    assert store.table(get_contents_table(), second, SUBJECT) == [["a"], ["a"]]
    assert store.table(get_contents_table(), first, SUBJECT) == []
    answer = store.send(copy_folder(one, "Copy", True), board.handle, second)
    assert (answer.value, answer.fields.rest) == (SUCCESS, b"\0")
    answer = store.send(move_folder(one, "Moved"), board.handle, second)
    assert (answer.value, answer.fields.rest) == (SUCCESS, b"\0")
    assert sorted(map(str, names(store, second))) == ["Copy", "Moved"]
    assert names(store, board.handle) == ["Two"]


@pytest.mark.covers("MS-OXCFOLD_R17103", "MS-OXCFOLD_R19703", "MS-OXCFOLD_R170")
@pytest.mark.parametrize("move", [False, True])
def test_from_a_mailbox_to_the_public_folders(board: Board, chief: Person, mapi: Mapi, move: bool) -> None:
    """Two logons of one session: the mailbox takes the number 1."""
    store = board.store
    responses, handles = mapi.execute(logon(chief.dn, logon_id=1), [NONE])
    assert responses[2:6] == bytes(4)
    fids = struct.unpack_from("<13Q", responses, 7)
    opened, handles = mapi.execute(open_folder(fids[3], logon=1), [handles[0], NONE])
    assert opened[2:6] == bytes(4)
    top = handles[1]
    request = bytearray(create_folder("Project", logon=1))
    made, handles = mapi.execute(bytes(request), [top, NONE])
    assert made[2:6] == bytes(4)
    (fid,) = struct.unpack_from("<Q", made, 6)
    request = bytearray(move_folder(fid, "Project") if move else copy_folder(fid, "Project", True))
    request[1] = 1
    answer, _ = mapi.execute(bytes(request), [top, board.handle])
    assert answer == bytes((0x35 if move else 0x36, 0)) + bytes(5)
    assert names(store, board.handle) == ["Project"]
    listed, _ = mapi.execute(get_hierarchy_table().replace(b"\x04\x00", b"\x04\x01", 1), [top, NONE])
    assert listed[2:6] == bytes(4)


def test_messages_of_a_mailbox_are_copied_to_the_public_folders(
    board: Board, chief: Person, mapi: Mapi
) -> None:
    store = board.store
    with chief.mapi() as other:
        own = private(other, chief)
        inbox = own.open(own.folders[INBOX])
        mid = own.message(inbox, own.folders[INBOX], tagged(SUBJECT, "news"))
    _, handles = mapi.execute(logon(chief.dn, logon_id=1), [NONE])
    opened, handles = mapi.execute(open_folder(own.folders[INBOX], logon=1), [handles[0], NONE])
    assert opened[2:6] == bytes(4)
    request = bytearray(move_copy_messages([mid], True))
    request[1] = 1
    answer, _ = mapi.execute(bytes(request), [handles[1], board.handle])
    assert answer == b"\x33\x00" + bytes(5)
    assert store.table(get_contents_table(), board.handle, SUBJECT) == [["news"]]


# --- who may do what ----------------------------------------------------------------------------------------


@pytest.fixture
def bens(ben: Person, board: Board) -> "Guest":
    """The same folder as Ben has it."""
    mapi = ben.mapi()
    store = public(mapi)
    return Guest(store, board.fid, store.open(board.fid), mapi)


@dataclass(frozen=True, slots=True)
class Guest(Board):
    """A public folder as somebody else has it."""

    mapi: Mapi


def test_everybody_reads_and_writes_but_makes_no_folders(board: Board, bens: Guest) -> None:
    mid = board.store.message(board.handle, board.fid, tagged(SUBJECT, "from the chief"))
    store = bens.store
    assert store.table(get_contents_table(), bens.handle, SUBJECT) == [["from the chief"]]
    assert store.properties(bens.handle, COUNT, UNREAD) == [1, 1]
    above = store.table(get_hierarchy_table(), store.open(store.folders[1]), FOLDER_ID, UNREAD)
    assert [bens.fid, 1] in above
    own = store.message(bens.handle, bens.fid, tagged(SUBJECT, "from Ben"))
    assert store.send(create_folder("No"), bens.handle, NONE).value == EC_ACCESS_DENIED
    assert store.send(delete_folder(bens.fid, 5), store.open(store.folders[1])).value == EC_ACCESS_DENIED
    answer = store.send(delete_messages([own]), bens.handle)
    assert (answer.value, answer.fields.rest) == (SUCCESS, b"\0")
    answer = store.send(delete_messages([mid]), bens.handle)
    assert answer.value == EC_ACCESS_DENIED or answer.fields.rest == b"\1"
    assert board.store.properties(board.handle, COUNT, UNREAD) == [1, 0]


def test_rights_of_public_folders_are_listed(board: Board, bens: Guest) -> None:
    rows = bens.store.table(get_permissions_table(), bens.handle, 0x66710014, 0x6672001F, 0x66730003)
    table = {name: rights for _, name, rights in rows}
    assert table[""] == 0x041B, "the default is an author"
    assert table["Anonymous"] == 0
    assert board.store.table(get_permissions_table(), board.handle, 0x66710014)


@pytest.mark.parametrize("position", [0, 2])
def test_the_other_roots_are_closed(bens: Guest, position: int) -> None:
    store = bens.store
    root = store.open(store.folders[position])
    assert store.send(create_folder("No"), root, NONE).value == EC_ACCESS_DENIED
    assert store.send(create_message(store.folders[position]), root, NONE).value in (
        EC_ACCESS_DENIED,
        SUCCESS,
    )
    assert isinstance(names(store, root), list)


def test_ids_of_a_mailbox_are_not_public(bens: Guest, ben: Person) -> None:
    with ben.mapi() as client:
        own = private(client, ben)
        mid = own.message(own.open(own.folders[INBOX]), own.folders[INBOX])
    assert bens.store.send(open_message(bens.fid, mid), bens.handle, NONE).value == EC_NOT_FOUND


@pytest.mark.covers("MS-OXCFOLD_R10252")
def test_messages_of_a_conversation_in_a_public_folder(board: Board) -> None:
    store = board.store
    index = b"\1" + bytes(range(21))
    mids = {
        store.message(board.handle, board.fid, tagged(0x00710102, index), tagged(0x0070001F, "t"))
        for _ in "ab"
    }
    store.message(board.handle, board.fid, tagged(SUBJECT, "else"))
    answer = store.send(get_contents_table(0xC8), board.handle, NONE)
    assert answer.value == SUCCESS
    rows = store.rows(answer.handles[1], MID)
    assert mids <= {row[0] for row in rows}


@pytest.mark.parametrize("open_flags", [NO_LOCALIZATION | PUBLIC, PUBLIC])
def test_public_logons_need_no_replid_mapping(mapi: Mapi, open_flags: int) -> None:
    store = Store(mapi, "", 0, open_flags)
    assert store.open(store.folders[1]) != NONE
