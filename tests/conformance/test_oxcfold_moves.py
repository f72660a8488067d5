"""MS-OXCFOLD 3.2.5.6 to 3.2.5.8: moving and copying messages and folders."""

import struct

import pytest

from tests.conformance.store_rops import (
    COMMENT,
    DISPLAY_NAME,
    EC_DST_NULL_OBJECT,
    EC_DUPLICATE_NAME,
    EC_NOT_FOUND,
    EC_NOT_SUPPORTED,
    EC_SEARCH_FOLDER,
    FOLDER_ID,
    INBOX,
    IPM,
    KIND,
    MID,
    NONE,
    ROOT,
    SUBFOLDERS,
    SUBJECT,
    SUCCESS,
    Answer,
    Store,
    copy_folder,
    get_contents_table,
    get_hierarchy_table,
    move_copy_messages,
    move_folder,
    names,
    open_message,
    set_properties,
)
from tests.conformance.values import tagged


def subjects(store: Store, folder: int, flags: int = 0) -> list[object]:
    """Subjects in a folder, in order."""
    return sorted((row[0] for row in store.table(get_contents_table(flags), folder, SUBJECT)), key=str)


def done(answer: Answer, rop: int, partial: bytes = b"\0") -> bool:
    """Whether a move or copy succeeded and told whether in part."""
    return (answer.rop, answer.index, answer.value, answer.fields.rest) == (rop, 0, SUCCESS, partial)


@pytest.fixture
def boxes(store: Store, top: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Two folders: id and handle."""
    return store.create(top, "From"), store.create(top, "To")


Boxes = tuple[tuple[int, int], tuple[int, int]]

# --- messages -----------------------------------------------------------------------------------------------


@pytest.mark.covers(
    "MS-OXCFOLD_R144", "MS-OXCFOLD_R14501", "MS-OXCFOLD_R160", "MS-OXCFOLD_R420", "MS-OXCFOLD_R161",
    "MS-OXCFOLD_R163", "MS-OXCFOLD_R14901", "MS-OXCFOLD_R15101", "MS-OXCFOLD_R155",
)  # fmt: skip
def test_moving_messages(store: Store, boxes: Boxes) -> None:
    (fid, source), (_, target) = boxes
    mids = [store.message(source, fid, tagged(SUBJECT, text)) for text in "abc"]
    assert done(store.send(move_copy_messages(mids[:2], False), source, target), 0x33)
    assert subjects(store, source) == ["c"]
    assert subjects(store, target) == ["a", "b"]
    for mid in mids[:2]:
        assert store.send(open_message(fid, mid), source, NONE).value == EC_NOT_FOUND
    moved = {row[0] for row in store.table(get_contents_table(), target, MID)}
    assert not moved & set(mids), "what is moved is a new message"


@pytest.mark.covers(
    "MS-OXCFOLD_R159", "MS-OXCFOLD_R427", "MS-OXCFOLD_R14902", "MS-OXCFOLD_R15102", "MS-OXCFOLD_R1105"
)
def test_copying_messages(store: Store, boxes: Boxes) -> None:
    (fid, source), (_, target) = boxes
    mids = [store.message(source, fid, tagged(SUBJECT, text)) for text in "ab"]
    assert done(store.send(move_copy_messages(mids, True), source, target), 0x33)
    assert subjects(store, source) == subjects(store, target) == ["a", "b"]


def test_copying_into_the_same_folder_doubles(store: Store, boxes: Boxes) -> None:
    (fid, source), _ = boxes
    mid = store.message(source, fid, tagged(SUBJECT, "a"))
    assert done(store.send(move_copy_messages([mid], True), source, source), 0x33)
    assert subjects(store, source) == ["a", "a"]


@pytest.mark.parametrize("copy", [False, True])
def test_moving_nothing(store: Store, boxes: Boxes, copy: bool) -> None:
    (_, source), (_, target) = boxes
    assert done(store.send(move_copy_messages([], copy), source, target), 0x33)


@pytest.mark.covers("MS-OXCFOLD_R586", "MS-OXCFOLD_R10163", "MS-OXCFOLD_R10706")
@pytest.mark.parametrize("copy", [False, True])
def test_moving_some_that_are_not_there_is_partial(store: Store, boxes: Boxes, copy: bool) -> None:
    (fid, source), (_, target) = boxes
    mid = store.message(source, fid, tagged(SUBJECT, "a"))
    gone = store.replid | 0x4242 << 32
    assert done(store.send(move_copy_messages([gone, mid], copy), source, target), 0x33, b"\1")
    assert subjects(store, target) == ["a"]


@pytest.mark.parametrize("copy", [False, True])
def test_associated_messages_go_along(store: Store, boxes: Boxes, copy: bool) -> None:
    (fid, source), (_, target) = boxes
    mid = store.message(source, fid, tagged(SUBJECT, "hidden"), associated=True)
    assert done(store.send(move_copy_messages([mid], copy), source, target), 0x33)
    assert subjects(store, target, 0x02) == ["hidden"]
    assert subjects(store, target) == []


@pytest.mark.covers("MS-OXCFOLD_R587", "MS-OXCFOLD_R589", "MS-OXCFOLD_R590")
@pytest.mark.parametrize("copy", [False, True])
def test_messages_move_between_folders_only(store: Store, boxes: Boxes, copy: bool) -> None:
    (fid, source), _ = boxes
    mid = store.message(source, fid)
    for handles in ((store.handle, source), (source, store.handle)):
        answer = store.send(move_copy_messages([mid], copy), *handles)
        assert (answer.value, answer.fields.rest) == (EC_NOT_SUPPORTED, b"\0")


@pytest.mark.covers("MS-OXCFOLD_R1245", "MS-OXCFOLD_R1246", "MS-OXCFOLD_R121801", "MS-OXCFOLD_R121802")
@pytest.mark.parametrize("copy", [False, True])
def test_nothing_moves_into_a_search_folder(store: Store, top: int, boxes: Boxes, copy: bool) -> None:
    (fid, source), _ = boxes
    mid = store.message(source, fid, tagged(SUBJECT, "a"))
    _, search = store.create(top, "Search", kind=2)
    answer = store.send(move_copy_messages([mid], copy), source, search)
    assert (answer.value, answer.fields.rest) == (EC_SEARCH_FOLDER, b"\0")
    assert subjects(store, source) == ["a"]


@pytest.mark.covers("MS-OXCROPS_R797", "MS-OXCROPS_R799", "MS-OXCROPS_R802")
@pytest.mark.parametrize(
    ("rop", "request_"),
    [
        (0x33, move_copy_messages([1], True)),
        (0x35, move_folder(1, "x")),
        (0x36, copy_folder(1, "x", True)),
    ],
)
def test_a_destination_that_is_none(store: Store, boxes: Boxes, rop: int, request_: bytes) -> None:
    (_, source), _ = boxes
    answer = store.send(request_, source, NONE)
    assert (answer.rop, answer.index, answer.value) == (rop, 0, EC_DST_NULL_OBJECT)
    assert answer.fields.rest == struct.pack("<IB", 1, 0), "DestHandleIndex, PartialCompletion"


# --- folders ------------------------------------------------------------------------------------------------


@pytest.mark.covers(
    "MS-OXCFOLD_R169", "MS-OXCFOLD_R170", "MS-OXCFOLD_R17101", "MS-OXCFOLD_R186", "MS-OXCFOLD_R188",
    "MS-OXCFOLD_R190", "MS-OXCFOLD_R423", "MS-OXCFOLD_R424", "MS-OXCFOLD_R185", "MS-OXCFOLD_R1111",
)  # fmt: skip
@pytest.mark.parametrize("unicode", [False, True])
def test_moving_a_folder(store: Store, top: int, tree: tuple[int, int], boxes: Boxes, unicode: bool) -> None:
    fid, handle = tree
    _, (_, target) = boxes
    assert done(store.send(move_folder(fid, "Größe", unicode=unicode), top, target), 0x35)
    assert "Full" not in names(store, top)
    assert names(store, target) == ["Größe"]
    assert store.properties(store.open(fid), DISPLAY_NAME, SUBFOLDERS) == ["Größe", True], "it keeps its id"
    assert names(store, handle) == ["Inner"], "and its handle"
    assert subjects(store, handle) == ["above"]


@pytest.mark.covers("MS-OXCFOLD_R186")
def test_renaming_by_moving(store: Store, top: int, tree: tuple[int, int]) -> None:
    fid, _ = tree
    assert done(store.send(move_folder(fid, "Else"), top, top), 0x35)
    assert "Else" in names(store, top)
    assert "Full" not in names(store, top)


@pytest.mark.parametrize("copy", [False, True])
def test_a_name_that_is_taken(
    store: Store, top: int, tree: tuple[int, int], boxes: Boxes, copy: bool
) -> None:
    fid, _ = tree
    _, (_, target) = boxes
    store.create(target, "Taken")
    request = copy_folder(fid, "Taken", True) if copy else move_folder(fid, "Taken")
    answer = store.send(request, top, target)
    assert (answer.value, answer.fields.rest) == (EC_DUPLICATE_NAME, b"\0")
    assert "Full" in names(store, top)


@pytest.mark.covers("MS-OXCFOLD_R599", "MS-OXCFOLD_R600", "MS-OXCFOLD_R611", "MS-OXCFOLD_R612")
@pytest.mark.parametrize("copy", [False, True])
def test_a_folder_that_is_not_there(store: Store, top: int, boxes: Boxes, copy: bool) -> None:
    _, (_, target) = boxes
    fid = store.replid | 0x4242 << 32
    answer = store.send(copy_folder(fid, "x", True) if copy else move_folder(fid, "x"), top, target)
    assert (answer.value, answer.fields.rest) == (EC_NOT_FOUND, b"\0")


@pytest.mark.covers("MS-OXCFOLD_R601", "MS-OXCFOLD_R602", "MS-OXCFOLD_R613", "MS-OXCFOLD_R614")
@pytest.mark.parametrize("copy", [False, True])
def test_folders_move_between_folders_only(store: Store, top: int, tree: tuple[int, int], copy: bool) -> None:
    fid, _ = tree
    request = copy_folder(fid, "x", True) if copy else move_folder(fid, "x")
    for handles in ((store.handle, top), (top, store.handle)):
        answer = store.send(request, *handles)
        assert (answer.value, answer.fields.rest) == (EC_NOT_SUPPORTED, b"\0")


@pytest.mark.parametrize("copy", [False, True])
def test_a_folder_does_not_go_into_itself(store: Store, top: int, tree: tuple[int, int], copy: bool) -> None:
    fid, handle = tree
    inner = store.table(get_hierarchy_table(), handle, FOLDER_ID)[0][0]
    request = copy_folder(fid, "x", True) if copy else move_folder(fid, "x")
    for target in (handle, store.open(int(str(inner)))):
        answer = store.send(request, top, target)
        assert answer.value != SUCCESS or answer.fields.rest == b"\1"
    assert names(store, handle, 0x04) == ["Inner"]


@pytest.mark.parametrize("position", [INBOX, IPM])
def test_special_folders_do_not_move(store: Store, boxes: Boxes, position: int) -> None:
    parent = store.open(store.folders[ROOT if position == IPM else IPM])
    _, (_, target) = boxes
    answer = store.send(move_folder(store.folders[position], "x"), parent, target)
    assert answer.value != SUCCESS
    assert answer.fields.rest == b"\0"


@pytest.mark.covers(
    "MS-OXCFOLD_R196", "MS-OXCFOLD_R198", "MS-OXCFOLD_R19701", "MS-OXCFOLD_R217", "MS-OXCFOLD_R219",
    "MS-OXCFOLD_R605", "MS-OXCFOLD_R428", "MS-OXCFOLD_R1048", "MS-OXCFOLD_R1118",
)  # fmt: skip
@pytest.mark.parametrize("recursive", [False, True])
def test_copying_a_folder(
    store: Store, top: int, tree: tuple[int, int], boxes: Boxes, recursive: bool
) -> None:
    fid, handle = tree
    _, (_, target) = boxes
    store.message(handle, fid, tagged(SUBJECT, "hidden"), associated=True)
    set_ = store.send(set_properties([tagged(COMMENT, "remark")]), handle)
    assert set_.value == SUCCESS
    assert done(store.send(copy_folder(fid, "Copy", recursive), top, target), 0x36)
    rows = store.table(get_hierarchy_table(0x04), target, DISPLAY_NAME, FOLDER_ID, KIND)
    made = {str(name): int(str(number)) for name, number, _ in rows}
    assert set(made) == ({"Copy", "Inner"} if recursive else {"Copy"})
    copied = store.open(made["Copy"])
    assert made["Copy"] != fid
    assert subjects(store, copied) == subjects(store, handle) == ["above"]
    assert subjects(store, copied, 0x02) == ["hidden"]
    assert store.properties(copied, COMMENT) == ["remark"]
    if recursive:
        assert subjects(store, store.open(made["Inner"])) == ["below"]
    assert "Full" in names(store, top)


@pytest.mark.covers("MS-OXCFOLD_R210", "MS-OXCFOLD_R211", "MS-OXCFOLD_R429")
def test_copying_all_of_a_deep_tree(store: Store, top: int, boxes: Boxes) -> None:
    fid, handle = store.create(top, "Level0")
    for level in range(1, 6):
        _, handle = store.create(handle, f"Level{level}")
    _, (_, target) = boxes
    assert done(store.send(copy_folder(fid, "Level0", True), top, target), 0x36)
    assert sorted(map(str, names(store, target, 0x04))) == [f"Level{level}" for level in range(6)]
