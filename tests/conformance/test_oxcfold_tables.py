"""MS-OXCFOLD 2.2.2, 3.2.5.13, 3.2.5.14: tables of folders and messages, properties of folders."""

import struct

import pytest

from tests.conformance.client import Mapi
from tests.conformance.office import Person
from tests.conformance.store_rops import (
    ACCESS,
    COMMENT,
    CONTAINER_CLASS,
    COUNT,
    DISPLAY_NAME,
    EC_DUPLICATE_NAME,
    EC_INVALID_PARAM,
    EC_NOT_FOUND,
    EC_NOT_SUPPORTED,
    FOLDER_ID,
    HIERARCHY_CHANGES,
    INBOX,
    MID,
    NONE,
    SIZE,
    SUBFOLDERS,
    SUCCESS,
    UNREAD,
    Store,
    delete_folder,
    delete_properties,
    get_contents_table,
    get_hierarchy_table,
    names,
    open_folder,
    private,
    public,
    set_properties,
)
from tests.conformance.values import Error, tagged

# --- tables -------------------------------------------------------------------------------------------------


@pytest.mark.covers(
    "MS-OXCFOLD_R305",
    "MS-OXCFOLD_R306",
    "MS-OXCFOLD_R318",
    "MS-OXCFOLD_R802",
    "MS-OXCFOLD_R801",
    "MS-OXCFOLD_R648",
)
def test_a_hierarchy_table_is_flat_or_deep(store: Store, tree: tuple[int, int]) -> None:
    _, handle = tree
    inner = store.table(get_hierarchy_table(), handle, FOLDER_ID)[0][0]
    store.create(store.open(int(str(inner))), "Innermost")
    assert names(store, handle) == ["Inner"]
    assert sorted(map(str, names(store, handle, 0x04))) == ["Inner", "Innermost"]


@pytest.mark.covers("MS-OXCFOLD_R314", "MS-OXCFOLD_R314002")
@pytest.mark.parametrize("flags", [0x01, 0x02, 0x03])
def test_unknown_flags_of_a_hierarchy_table(store: Store, top: int, flags: int) -> None:
    answer = store.send(get_hierarchy_table(flags), top, NONE)
    assert (answer.value, answer.handles[1]) == (EC_NOT_SUPPORTED, NONE)


@pytest.mark.covers("MS-OXCFOLD_R330", "MS-OXCFOLD_R330002", "MS-OXCFOLD_R1178", "MS-OXCFOLD_R1179")
@pytest.mark.parametrize("flags", [0x01, 0x04, 0x05])
def test_unknown_flags_of_a_contents_table(store: Store, top: int, flags: int) -> None:
    answer = store.send(get_contents_table(flags), top, NONE)
    assert (answer.value, answer.handles[1]) == (EC_INVALID_PARAM, NONE)


@pytest.mark.covers("MS-OXCFOLD_R803", "MS-OXCFOLD_R805", "MS-OXCFOLD_R807", "MS-OXCFOLD_R809")
@pytest.mark.parametrize("flags", [0x08, 0x10, 0x40, 0x80, 0xD8])
def test_known_flags_of_a_hierarchy_table(store: Store, top: int, flags: int) -> None:
    assert store.send(get_hierarchy_table(flags), top, NONE).value == SUCCESS


@pytest.mark.covers(
    "MS-OXCFOLD_R662", "MS-OXCFOLD_R663", "MS-OXCFOLD_R320", "MS-OXCFOLD_R333", "MS-OXCFOLD_R661"
)
def test_a_contents_table_lists_one_kind_of_messages(store: Store) -> None:
    inbox = store.open(store.folders[INBOX])
    plain = store.message(inbox, store.folders[INBOX])
    hidden = store.message(inbox, store.folders[INBOX], associated=True)
    assert store.table(get_contents_table(), inbox, MID) == [[plain]]
    assert store.table(get_contents_table(0x02), inbox, MID) == [[hidden]]


@pytest.mark.covers("MS-OXCFOLD_R1021", "MS-OXCFOLD_R808")
def test_strings_come_as_the_column_asks(store: Store, top: int) -> None:
    store.create(top, "Plain")
    rows = store.table(get_hierarchy_table(), top, 0x3001001E)
    assert ["Plain"] in rows


# --- properties of folders ----------------------------------------------------------------------------------


@pytest.mark.covers(
    "MS-OXCFOLD_R10345",
    "MS-OXCFOLD_R346",
    "MS-OXCFOLD_R10347",
    "MS-OXCFOLD_R10354",
    "MS-OXCFOLD_R1029",
    "MS-OXCFOLD_R1030",
)
def test_counts_follow_what_a_folder_holds(store: Store, top: int) -> None:
    fid, handle = store.create(top, "Counted")
    before = store.properties(handle, SIZE)[0]
    for _ in range(3):
        store.message(handle, fid, tagged(0x1000001F, "y" * 1000))
    store.message(handle, fid, associated=True)
    count, unread, size, subfolders = store.properties(handle, COUNT, UNREAD, SIZE, SUBFOLDERS)
    assert (count, unread, subfolders) == (3, 0, False), "MS-OXCMSG R1480: a draft is read"
    assert isinstance(before, int)
    assert isinstance(size, int)
    assert size >= before + 3000


def number_of(store: Store, folder: int) -> int:
    """The hierarchy's change number."""
    (value,) = store.properties(folder, HIERARCHY_CHANGES)
    assert isinstance(value, int)
    return value


@pytest.mark.covers("MS-OXCFOLD_R352", "MS-OXCFOLD_R10028")
def test_the_change_number_of_the_hierarchy_grows(store: Store, top: int) -> None:
    seen = [number_of(store, top)]
    fid, _ = store.create(top, "Comes")
    seen.append(number_of(store, top))
    assert store.send(delete_folder(fid), top).value == SUCCESS
    seen.append(number_of(store, top))
    assert seen[0] < seen[1] < seen[2]


READ_ONLY = (
    *(
        COUNT,
        UNREAD,
        0x668F0040,
        FOLDER_ID,
        0x0E090102,
        HIERARCHY_CHANGES,
        0x0E080003,
        SIZE,
        SUBFOLDERS,
        ACCESS,
    ),
    *(0x65E20102, 0x30070040, 0x30080040, 0x67090040, 0x670A0040),
)


@pytest.mark.covers("MS-OXCFOLD_R1225", "MS-OXCFOLD_R343")
@pytest.mark.parametrize("tag", READ_ONLY, ids=hex)
def test_properties_of_the_server_cannot_be_set(store: Store, top: int, tag: int) -> None:
    _, handle = store.create(top, "Fixed")
    value = b"x" * 16 if tag & 0xFFFF == 0x0102 else 1
    before = store.properties(handle, tag)
    answer = store.send(set_properties([tagged(tag, value)]), handle)
    if answer.value == SUCCESS:
        count, _, problem, code = struct.unpack("<HHII", answer.fields.rest)
        assert (count, problem) == (1, tag)
        assert code in (0x80070005, 0x8004011A), "ecAccessDenied, ecComputed"
    after = store.properties(handle, tag)
    assert after == before or tag in (0x30080040, 0x67090040, 0x670A0040)
    assert after != [1] or before == [1]


@pytest.mark.covers("MS-OXCFOLD_R10359", "MS-OXCFOLD_R10036", "MS-OXCFOLD_R10360", "MS-OXCFOLD_R10356")
def test_properties_of_the_client_are_kept_at_once(store: Store, top: int, anna: Person) -> None:
    fid, handle = store.create(top, "Mine")
    values = {
        CONTAINER_CLASS: "IPF.Appointment",
        COMMENT: "remark",
        DISPLAY_NAME: "Renamed",
        0x10F4000B: True,
        0x6666001F: "own",
    }
    answer = store.send(set_properties([tagged(tag, value) for tag, value in values.items()]), handle)
    assert (answer.value, answer.fields.rest) == (SUCCESS, b"\0\0")
    with anna.mapi() as other:
        elsewhere = private(other, anna)
        assert elsewhere.properties(elsewhere.open(fid), *values) == list(values.values())
    assert store.send(delete_properties([COMMENT, 0x6666001F]), handle).fields.rest == b"\0\0"
    assert store.properties(handle, COMMENT, 0x6666001F) == [Error(EC_NOT_FOUND)] * 2


@pytest.mark.covers("MS-OXCFOLD_R1039")
def test_renaming_to_a_siblings_name_is_refused(store: Store, top: int) -> None:
    store.create(top, "First")
    _, handle = store.create(top, "Second")
    answer = store.send(set_properties([tagged(DISPLAY_NAME, "First")]), handle)
    if answer.value == SUCCESS:
        assert struct.unpack("<HHII", answer.fields.rest)[3] == EC_DUPLICATE_NAME
    else:
        assert answer.value == EC_DUPLICATE_NAME
    assert store.properties(handle, DISPLAY_NAME) == ["Second"]


@pytest.mark.covers("MS-OXCFOLD_R10027", "MS-OXCFOLD_R10351")
def test_ids_of_a_folder_agree(store: Store, top: int) -> None:
    fid, handle = store.create(top, "Ids")
    inner, below = store.create(handle, "Below")
    entry, parent, source, parent_source = store.properties(
        below, 0x0FFF0102, 0x0E090102, 0x65E00102, 0x65E10102
    )
    assert isinstance(entry, bytes)
    assert isinstance(parent, bytes)
    assert len(entry) == len(parent) == 46, "MS-OXCDATA 2.2.4.1"
    flags, provider, kind = entry[:4], entry[4:20], entry[20:22]
    assert (flags, provider, kind) == (bytes(4), store.mailbox_guid, b"\1\0")
    assert entry[22:38] == store.replguid
    assert entry[38:44] == inner.to_bytes(8, "little")[2:]
    assert entry[44:] == b"\0\0"
    assert parent[38:44] == fid.to_bytes(8, "little")[2:]
    assert source == store.replguid + inner.to_bytes(8, "little")[2:]
    assert parent_source == store.replguid + fid.to_bytes(8, "little")[2:]


# --- public folders -----------------------------------------------------------------------------------------


@pytest.mark.covers(
    "MS-OXCFOLD_R90002", "MS-OXCFOLD_R30", "MS-OXCFOLD_R3802", "MS-OXCFOLD_R60001", "MS-OXCFOLD_R100001"
)
def test_public_folders_open_and_list(mapi: Mapi) -> None:
    store = public(mapi)
    answer = store.call(open_folder(store.folders[1]), NONE)
    assert (answer.value, answer.fields.rest) == (SUCCESS, b"\0\0")
    assert isinstance(names(store, answer.handles[1]), list)
