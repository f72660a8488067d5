"""MS-OXCSTOR 3.2.5.10 to 3.2.5.13: what users have read in public folders, and copies of that."""

import struct

import pytest

from tests.conformance.client import Mapi
from tests.conformance.office import Office, Person
from tests.conformance.store_rops import (
    EC_CORRUPT_DATA,
    EC_ERROR,
    EC_NOT_FOUND,
    EC_NOT_SUPPORTED,
    INBOX,
    SUCCESS,
    Store,
    get_per_user_guid,
    get_per_user_long_term_ids,
    head,
    long_term_id_from_id,
    public,
    read_per_user,
    write_per_user,
)

SERVER = bytes(range(16))
"""The replica GUID of a public store, as a client might have got it from RopLogon."""

FOLDER = bytes(range(100, 122)) + b"\0\0"
OTHER = bytes(range(50, 72)) + b"\0\0"


def idset(*guids: bytes, many: int = 1) -> bytes:
    """Serialized sets with GUIDs: MS-OXCFXICS 2.2.2.4.2. Every second number, pushed whole."""
    numbers = b"".join(b"\x06" + struct.pack(">Q", 2 * number + 1)[2:] for number in range(many))
    return b"".join(guid + numbers + b"\0" for guid in guids)


def read(store: Store, folder: bytes, offset: int = 0, most: int = 0) -> tuple[bool, bytes]:
    """A piece: whether it is the last, and its bytes."""
    answer = store.call(read_per_user(folder, offset, most))
    assert (answer.rop, answer.index, answer.value) == (0x63, 0, SUCCESS)
    finished = answer.fields.number("B")
    assert finished in (0, 1)
    data = answer.fields.take(answer.fields.number("H"))
    answer.end()
    return bool(finished), data


def whole(store: Store, folder: bytes, most: int = 0) -> bytes:
    """All of a set, piece by piece as 3.1.5.2 says."""
    finished, data = read(store, folder, 0, most)
    while not finished:
        finished, piece = read(store, folder, len(data), most)
        assert piece
        data += piece
    return data


def write(store: Store, folder: bytes, data: bytes, offset: int = 0, finished: int = 1) -> int:
    """Write a piece; the response has no body."""
    guid = SERVER if offset == 0 and store.per_user_guid is None else b""
    answer = store.call(write_per_user(folder, data, offset=offset, finished=finished, guid=guid))
    assert (answer.rop, answer.index) == (0x64, 0)
    answer.end()
    return answer.value


# --- copies in a mailbox ------------------------------------------------------------------------------------


@pytest.mark.covers(
    "MS-OXCSTOR_R560", "MS-OXCSTOR_R569", "MS-OXCSTOR_R516", "MS-OXCSTOR_R966", "MS-OXCSTOR_R967",
    "MS-OXCSTOR_R1025", "MS-OXCSTOR_R1012", "MS-OXCSTOR_R965", "MS-OXCSTOR_R598", "MS-OXCSTOR_R553",
)  # fmt: skip
def test_what_was_written_is_read(store: Store) -> None:
    data = idset(SERVER)
    assert write(store, FOLDER, data) == SUCCESS
    assert read(store, FOLDER) == (True, data)
    assert read(store, FOLDER) == (True, data), "and again"


@pytest.mark.covers("MS-OXCSTOR_R1024")
def test_writing_again_replaces(store: Store) -> None:
    for data in (idset(SERVER, many=3), idset(SERVER), idset(OTHER[:16], SERVER)):
        assert write(store, FOLDER, data) == SUCCESS
        assert whole(store, FOLDER) == data


@pytest.mark.covers("MS-OXCSTOR_R1255", "MS-OXCSTOR_R540")
def test_nothing_is_kept_of_an_unknown_folder(store: Store) -> None:
    assert read(store, FOLDER) == (True, b"")


@pytest.mark.covers("MS-OXCSTOR_R527")
def test_the_reserved_byte_is_ignored(store: Store) -> None:
    assert write(store, FOLDER, idset(SERVER)) == SUCCESS
    request = bytearray(read_per_user(FOLDER))
    request[27] = 0xFF
    assert store.call(bytes(request)).value == SUCCESS


@pytest.mark.covers(
    "MS-OXCSTOR_R979", "MS-OXCSTOR_R981", "MS-OXCSTOR_R982", "MS-OXCSTOR_R984", "MS-OXCSTOR_R986",
    "MS-OXCSTOR_R987", "MS-OXCSTOR_R1001", "MS-OXCSTOR_R1003", "MS-OXCSTOR_R1004", "MS-OXCSTOR_R1005",
    "MS-OXCSTOR_R1010", "MS-OXCSTOR_R1011", "MS-OXCSTOR_R1284", "MS-OXCSTOR_R543", "MS-OXCSTOR_R977",
)  # fmt: skip
@pytest.mark.parametrize("most", [1, 7, 100, 4096])
def test_pieces_are_as_large_as_asked(store: Store, most: int) -> None:
    data = idset(SERVER, many=20)
    assert write(store, FOLDER, data) == SUCCESS
    for offset in range(0, len(data), most):
        finished, piece = read(store, FOLDER, offset, most)
        assert piece == data[offset : offset + most]
        assert finished == (offset + most >= len(data))


@pytest.mark.covers(
    "MS-OXCSTOR_R980", "MS-OXCSTOR_R992", "MS-OXCSTOR_R996", "MS-OXCSTOR_R998", "MS-OXCSTOR_R999",
    "MS-OXCSTOR_R1356", "MS-OXCSTOR_R997", "MS-OXCSTOR_R976",
)  # fmt: skip
@pytest.mark.parametrize("most", [0, 4096, 4097, 0xFFFF])
def test_a_piece_has_4096_bytes_at_most(store: Store, most: int) -> None:
    data = idset(SERVER, many=1000)
    assert write(store, FOLDER, data[:4000], finished=0) == SUCCESS
    assert write(store, FOLDER, data[4000:], offset=4000) == SUCCESS
    assert read(store, FOLDER, 0, most) == (False, data[:4096])
    assert whole(store, FOLDER, most) == data


@pytest.mark.covers("MS-OXCSTOR_R541", "MS-OXCSTOR_R544")
def test_nothing_comes_behind_the_end(store: Store) -> None:
    """Who has read everything, and asks on while nothing changed, learns that there is no more."""
    data = idset(SERVER, many=3)
    assert write(store, FOLDER, data) == SUCCESS
    assert whole(store, FOLDER) == data
    assert read(store, FOLDER, len(data)) == (True, b"")


@pytest.mark.covers(
    "MS-OXCSTOR_R1042", "MS-OXCSTOR_R1259", "MS-OXCSTOR_R1260", "MS-OXCSTOR_R556", "MS-OXCSTOR_R557"
)
@pytest.mark.parametrize("offset", [0xFFFFFFFF, 0x80000000, 1000, 40])
def test_an_offset_outside_the_data(store: Store, offset: int) -> None:
    assert write(store, FOLDER, idset(SERVER)) == SUCCESS
    assert store.call(read_per_user(FOLDER, offset)).end().value == EC_ERROR


@pytest.mark.covers("MS-OXCSTOR_R1013", "MS-OXCSTOR_R1014", "MS-OXCSTOR_R1015", "MS-OXCSTOR_R1016")
def test_pieces_add_up(store: Store) -> None:
    data = idset(SERVER, many=5)
    for offset in range(0, len(data), 10):
        assert whole(store, FOLDER) == b"", "nothing is kept before the last piece"
        last = int(offset + 10 >= len(data))
        assert write(store, FOLDER, data[offset : offset + 10], offset, last) == SUCCESS
    assert whole(store, FOLDER) == data


@pytest.mark.covers(
    "MS-OXCSTOR_R1017", "MS-OXCSTOR_R1018", "MS-OXCSTOR_R1019", "MS-OXCSTOR_R601", "MS-OXCSTOR_R599"
)
def test_another_folder_aborts(store: Store) -> None:
    data = idset(SERVER, many=5)
    assert write(store, FOLDER, data[:10], finished=0) == SUCCESS
    assert write(store, OTHER, data[10:], 10) == EC_ERROR
    assert write(store, FOLDER, data[10:], 10) == EC_ERROR, "what was there is disposed of"
    assert whole(store, FOLDER) == whole(store, OTHER) == b""
    assert write(store, FOLDER, data) == SUCCESS


@pytest.mark.covers("MS-OXCSTOR_R1033", "MS-OXCSTOR_R1034", "MS-OXCSTOR_R1019", "MS-OXCSTOR_R600")
@pytest.mark.parametrize("offset", [1, 9, 11, 1000, 0xFFFFFFFF])
def test_a_gap_aborts(store: Store, offset: int) -> None:
    data = idset(SERVER, many=5)
    assert write(store, FOLDER, data[:10], finished=0) == SUCCESS
    assert write(store, FOLDER, data[10:], offset) == EC_ERROR
    assert write(store, FOLDER, data[10:], 10) == EC_ERROR


def test_beginning_anew_aborts(store: Store) -> None:
    data = idset(SERVER, many=5)
    assert write(store, FOLDER, data[:10], finished=0) == SUCCESS
    assert write(store, FOLDER, data) == SUCCESS
    assert whole(store, FOLDER) == data


@pytest.mark.covers("MS-OXCSTOR_R1020", "MS-OXCSTOR_R1021", "MS-OXCSTOR_R1021006", "MS-OXCSTOR_R602")
@pytest.mark.parametrize(
    "data",
    [b"x", SERVER, SERVER + b"\x06\0", SERVER + b"\x99\0", idset(SERVER)[:-1], idset(SERVER) + b"\0"],
)
def test_bytes_that_are_no_set(store: Store, data: bytes) -> None:
    good = idset(SERVER)
    assert write(store, FOLDER, good) == SUCCESS
    assert write(store, FOLDER, data) == EC_CORRUPT_DATA
    assert whole(store, FOLDER) == good


@pytest.mark.covers(
    "MS-OXCSTOR_R468", "MS-OXCSTOR_R956", "MS-OXCSTOR_R957", "MS-OXCSTOR_R958", "MS-OXCSTOR_R472",
    "MS-OXCSTOR_R473", "MS-OXCSTOR_R474", "MS-OXCSTOR_R475", "MS-OXCSTOR_R481",
)  # fmt: skip
def test_the_folders_of_a_replica(store: Store) -> None:
    for folder in (FOLDER, OTHER):
        assert write(store, folder, idset(SERVER)) == SUCCESS
    for guid, expected in ((SERVER, {FOLDER, OTHER}), (b"\7" * 16, set())):
        answer = store.call(get_per_user_long_term_ids(guid))
        assert (answer.rop, answer.index, answer.value) == (0x60, 0, SUCCESS)
        ids = [answer.fields.take(24) for _ in range(answer.fields.number("H"))]
        answer.end()
        assert set(ids) == expected
        assert len(ids) == len(expected)


@pytest.mark.covers(
    "MS-OXCSTOR_R484", "MS-OXCSTOR_R963", "MS-OXCSTOR_R964", "MS-OXCSTOR_R490", "MS-OXCSTOR_R497",
    "MS-OXCSTOR_R1254", "MS-OXCSTOR_R500", "MS-OXCSTOR_R1135",
)  # fmt: skip
def test_the_replica_of_a_folder(store: Store) -> None:
    assert store.call(get_per_user_guid(FOLDER)).end().value == EC_NOT_FOUND
    assert write(store, FOLDER, idset(SERVER)) == SUCCESS
    answer = store.call(get_per_user_guid(FOLDER))
    assert (answer.rop, answer.index, answer.value, answer.fields.rest) == (0x61, 0, SUCCESS, SERVER)


@pytest.mark.covers(
    "MS-OXCSTOR_R59771", "MS-OXCSTOR_R482", "MS-OXCSTOR_R483", "MS-OXCSTOR_R962", "MS-OXCSTOR_R498",
    "MS-OXCSTOR_R499", "MS-OXCSTOR_R469", "MS-OXCSTOR_R488",
)  # fmt: skip
def test_copies_are_kept_in_mailboxes(mapi: Mapi) -> None:
    store = public(mapi)
    for request in (get_per_user_long_term_ids(SERVER), get_per_user_guid(FOLDER)):
        assert store.call(request).end().value == EC_NOT_SUPPORTED


def test_copies_are_the_owners(store: Store, ben: Person, anna: Person) -> None:
    assert write(store, FOLDER, idset(SERVER)) == SUCCESS
    with ben.mapi() as client:
        theirs = Store(client, anna.dn)
        assert theirs.call(read_per_user(FOLDER)).value != SUCCESS
        assert theirs.call(get_per_user_guid(FOLDER)).value != SUCCESS


# --- the public folders themselves --------------------------------------------------------------------------


@pytest.fixture
def board(mapi: Mapi, anna: Person, office: Office) -> tuple[Store, int, int, bytes]:
    """A public folder as Anna has it: the logon, its id, its handle, its long-term id."""
    name = f"Board {anna.name}"
    office.command("public-folder", "create", name)
    store = public(mapi)
    top = store.open(store.folders[1])
    rows = store.table(b"\x04\x00\x00\x01\x00", top, 0x67480014, 0x3001001F)
    (fid,) = (int(str(number)) for number, text in rows if text == name)
    answer = store.call(long_term_id_from_id(fid))
    assert answer.value == SUCCESS
    return store, fid, store.open(fid), answer.fields.take(24)


def mark(store: Store, folder: int, mid: int, flags: int) -> None:
    """RopSetReadFlags on one message: MS-OXCROPS 2.2.6.10.1."""
    answer = store.send(head(0x66) + struct.pack("<BBHQ", 0, flags, 1, mid), folder)
    assert (answer.value, answer.fields.rest) == (SUCCESS, b"\0")


Board = tuple[Store, int, int, bytes]


@pytest.mark.covers("MS-OXCSTOR_R1257", "MS-OXCSTOR_R517", "MS-OXCSTOR_R971")
def test_nobody_has_read_a_new_folder(board: Board) -> None:
    store, _, _, folder = board
    assert read(store, folder) == (True, b"")


@pytest.mark.covers(
    "MS-OXCSTOR_R502", "MS-OXCSTOR_R3123", "MS-OXCSTOR_R3124", "MS-OXCSTOR_R545", "MS-OXCSTOR_R974",
    "MS-OXCSTOR_R975", "MS-OXCSTOR_R59729", "MS-OXCSTOR_R969",
)  # fmt: skip
def test_reading_adds_and_unreading_takes_away(board: Board) -> None:
    store, fid, handle, folder = board
    mid = store.message(handle, fid)
    own = whole(store, folder)
    assert own[:16] == store.replguid, "who writes a message has read it"
    assert own[-1:] == b"\0"
    mark(store, handle, mid, 0x04)
    assert whole(store, folder) == b""
    mark(store, handle, mid, 0x01)
    again = whole(store, folder)
    assert again[:16] == store.replguid
    assert len(again) > 17


@pytest.mark.covers("MS-OXCSTOR_R971", "MS-OXCSTOR_R1026")
def test_each_user_reads_alone(board: Board, ben: Person) -> None:
    store, fid, handle, folder = board
    mid = store.message(handle, fid)
    with ben.mapi() as client:
        theirs = public(client)
        assert whole(theirs, folder) == b""
        mark(theirs, theirs.open(fid), mid, 0x01)
        mine = whole(theirs, folder)
        assert mine != b""
    mark(store, handle, mid, 0x04)
    assert whole(store, folder) == b""
    with ben.mapi() as client:
        assert whole(public(client), folder) == mine


@pytest.mark.covers("MS-OXCSTOR_R570", "MS-OXCSTOR_R1027", "MS-OXCSTOR_R1028")
def test_what_a_client_brings_back_is_what_was_read(board: Board) -> None:
    store, fid, handle, folder = board
    mid = store.message(handle, fid)
    kept = whole(store, folder)
    mark(store, handle, mid, 0x04)
    assert write(store, folder, kept) == SUCCESS
    assert whole(store, folder) == kept
    rows = store.table(b"\x05\x00\x00\x01\x00", handle, 0x0E070003)
    assert int(str(rows[0][0])) & 1, "the message is read again"


def test_a_public_folder_that_is_not_there_has_been_read_by_nobody(mapi: Mapi) -> None:
    assert read(public(mapi), FOLDER) == (True, b"")


def test_the_inbox_is_no_public_folder(store: Store) -> None:
    answer = store.call(long_term_id_from_id(store.folders[INBOX]))
    assert read(store, answer.fields.take(24)) == (True, b"")
