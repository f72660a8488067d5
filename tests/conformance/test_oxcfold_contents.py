"""MS-OXCFOLD 3.2.5.9 to 3.2.5.12: emptying folders, deleting messages."""

import pytest

from tests.conformance.store_rops import (
    COUNT,
    DISPLAY_NAME,
    EC_NOT_SUPPORTED,
    INBOX,
    MID,
    ROOT,
    SUBFOLDERS,
    SUBJECT,
    SUCCESS,
    Store,
    delete_messages,
    empty_folder,
    get_contents_table,
)
from tests.conformance.values import tagged

# --- emptying -----------------------------------------------------------------------------------------------


@pytest.mark.covers(
    "MS-OXCFOLD_R225",
    "MS-OXCFOLD_R97502",
    "MS-OXCFOLD_R1129",
    "MS-OXCFOLD_R618",
    "MS-OXCFOLD_R239",
    "MS-OXCFOLD_R243",
    "MS-OXCFOLD_R244",
    "MS-OXCFOLD_R98302",
    "MS-OXCFOLD_R113801",
    "MS-OXCFOLD_R113805",
    "MS-OXCFOLD_R257",
    "MS-OXCFOLD_R261",
)
@pytest.mark.parametrize("hard", [False, True])
def test_emptying_keeps_the_folder_and_its_associated_messages(
    store: Store, tree: tuple[int, int], hard: bool
) -> None:
    fid, handle = tree
    store.message(handle, fid, associated=True)
    answer = store.send(empty_folder(False, hard), handle)
    assert (answer.rop, answer.value, answer.fields.rest) == (0x92 if hard else 0x58, SUCCESS, b"\0")
    assert store.properties(handle, COUNT, SUBFOLDERS) == [0, False]
    assert len(store.table(get_contents_table(0x02), handle, MID)) == 1
    assert store.properties(handle, DISPLAY_NAME) == ["Full"]


@pytest.mark.covers("MS-OXCFOLD_R617", "MS-OXCFOLD_R238", "MS-OXCFOLD_R256", "MS-OXCFOLD_R113804")
@pytest.mark.parametrize("hard", [False, True])
def test_emptying_takes_associated_messages_when_asked(
    store: Store, tree: tuple[int, int], hard: bool
) -> None:
    fid, handle = tree
    store.message(handle, fid, associated=True)
    assert store.send(empty_folder(True, hard), handle).fields.rest == b"\0"
    assert store.table(get_contents_table(0x02), handle, MID) == []
    assert store.table(get_contents_table(), handle, MID) == []


@pytest.mark.covers("MS-OXCFOLD_R1017", "MS-OXCFOLD_R665", "MS-OXCFOLD_R226", "MS-OXCFOLD_R391")
@pytest.mark.parametrize("hard", [False, True])
def test_what_was_softly_deleted_is_listed_as_such(store: Store, tree: tuple[int, int], hard: bool) -> None:
    _, handle = tree
    assert store.send(empty_folder(False, hard), handle).value == SUCCESS
    rows = store.table(get_contents_table(0x20), handle, SUBJECT)
    assert rows == ([] if hard else [["above"]])


@pytest.mark.covers("MS-OXCFOLD_R1248", "MS-OXCFOLD_R124802", "MS-OXCFOLD_R3012")
@pytest.mark.parametrize("hard", [False, True])
def test_the_root_cannot_be_emptied(store: Store, hard: bool) -> None:
    answer = store.send(empty_folder(True, hard), store.open(store.folders[ROOT]))
    assert (answer.value, answer.fields.rest) == (EC_NOT_SUPPORTED, b"\0")


@pytest.mark.covers("MS-OXCFOLD_R624", "MS-OXCFOLD_R625", "MS-OXCFOLD_R629", "MS-OXCFOLD_R630")
@pytest.mark.parametrize("hard", [False, True])
def test_only_folders_are_emptied(store: Store, hard: bool) -> None:
    answer = store.call(empty_folder(True, hard))
    assert (answer.value, answer.fields.rest) == (EC_NOT_SUPPORTED, b"\0")


@pytest.mark.covers("MS-OXCFOLD_R235", "MS-OXCFOLD_R234", "MS-OXCFOLD_R230", "MS-OXCFOLD_R248")
@pytest.mark.parametrize("hard", [False, True])
def test_emptying_for_an_impatient_client_may_end_at_once(
    store: Store, tree: tuple[int, int], hard: bool
) -> None:
    _, handle = tree
    answer = store.send(empty_folder(False, hard, wait=1), handle)
    assert answer.rop in (0x50, 0x92 if hard else 0x58)
    assert answer.value == SUCCESS


# --- deleting messages --------------------------------------------------------------------------------------


@pytest.mark.covers(
    "MS-OXCFOLD_R262",
    "MS-OXCFOLD_R98802",
    "MS-OXCFOLD_R632",
    "MS-OXCFOLD_R282",
    "MS-OXCFOLD_R283",
    "MS-OXCFOLD_R99402",
    "MS-OXCFOLD_R1156",
    "MS-OXCFOLD_R304",
)
@pytest.mark.parametrize("hard", [False, True])
def test_deleting_messages(store: Store, hard: bool) -> None:
    inbox = store.open(store.folders[INBOX])
    one, two, three = (store.message(inbox, store.folders[INBOX], tagged(SUBJECT, str(n))) for n in range(3))
    answer = store.send(delete_messages([one, three], hard), inbox)
    assert (answer.rop, answer.value, answer.fields.rest) == (0x91 if hard else 0x1E, SUCCESS, b"\0")
    assert store.table(get_contents_table(), inbox, MID) == [[two]]
    soft = store.table(get_contents_table(0x20), inbox, SUBJECT)
    assert sorted(map(str, soft)) == ([] if hard else ["['0']", "['2']"])


@pytest.mark.covers("MS-OXCFOLD_R1147", "MS-OXCFOLD_R991", "MS-OXCFOLD_R115602", "MS-OXCFOLD_R997")
@pytest.mark.parametrize("hard", [False, True])
def test_deleting_some_that_are_not_there_is_partial(store: Store, hard: bool) -> None:
    inbox = store.open(store.folders[INBOX])
    mid = store.message(inbox, store.folders[INBOX])
    answer = store.send(delete_messages([store.replid | 0x4242 << 32, mid], hard), inbox)
    assert (answer.value, answer.fields.rest) == (SUCCESS, b"\1")
    assert store.table(get_contents_table(), inbox, MID) == []


@pytest.mark.covers("MS-OXCFOLD_R637", "MS-OXCFOLD_R638")
@pytest.mark.parametrize("hard", [False, True])
def test_messages_are_deleted_from_folders(store: Store, hard: bool) -> None:
    answer = store.call(delete_messages([1], hard))
    assert (answer.value, answer.fields.rest) == (EC_NOT_SUPPORTED, b"\0")
