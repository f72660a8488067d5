"""MS-OXCFOLD 3.2.5.1 to 3.2.5.3: opening, creating and deleting folders."""

import pytest

from tests.conformance.store_rops import (
    COMMENT,
    COUNT,
    DELETED,
    DISPLAY_NAME,
    EC_DUPLICATE_NAME,
    EC_INVALID_PARAM,
    EC_NOT_FOUND,
    EC_NOT_SUPPORTED,
    FOLDER_ID,
    INBOX,
    IPM,
    KIND,
    NONE,
    ROOT,
    SUBFOLDERS,
    SUCCESS,
    UNREAD,
    Store,
    create_folder,
    create_message,
    delete_folder,
    names,
    open_folder,
)
from tests.conformance.values import Error

# --- opening ------------------------------------------------------------------------------------------------


@pytest.mark.covers(
    "MS-OXCFOLD_R9",
    "MS-OXCFOLD_R90001",
    "MS-OXCFOLD_R24",
    "MS-OXCFOLD_R26",
    "MS-OXCFOLD_R29",
    "MS-OXCROPS_R549",
    "MS-OXCROPS_R551",
    "MS-OXCROPS_R554",
    "MS-OXCROPS_R561",
)
@pytest.mark.parametrize("position", range(13))
def test_every_folder_of_the_logon_opens(store: Store, position: int) -> None:
    answer = store.call(open_folder(store.folders[position]), NONE)
    assert (answer.rop, answer.index, answer.value) == (0x02, 1, SUCCESS)
    assert answer.fields.rest == b"\0\0", "HasRules, IsGhosted"
    assert store.properties(answer.handles[1], FOLDER_ID) == [store.folders[position]]


@pytest.mark.covers("MS-OXCFOLD_R465", "MS-OXCFOLD_R821", "MS-OXCFOLD_R46501", "MS-OXCFOLD_R46507")
@pytest.mark.parametrize("mode", [0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xFF])
def test_bits_of_the_open_mode_are_ignored(store: Store, mode: int) -> None:
    assert store.call(open_folder(store.folders[INBOX], mode), NONE).value == SUCCESS


@pytest.mark.covers("MS-OXCFOLD_R468", "MS-OXCFOLD_R469", "MS-OXCFOLD_R46201002")
@pytest.mark.parametrize("counter", [0, 0x7F, 0x00FFFF000000, 0xFFFFFFFFFFFF])
@pytest.mark.parametrize("replid", [1, 0, 0x7777])
def test_a_folder_that_never_was_is_not_found(store: Store, counter: int, replid: int) -> None:
    fid = replid | int.from_bytes(counter.to_bytes(6, "big"), "little") << 16
    answer = store.call(open_folder(fid), NONE)
    assert (answer.value, answer.handles[1]) == (EC_NOT_FOUND, NONE)


@pytest.mark.covers("MS-OXCFOLD_R469")
def test_a_message_is_no_folder(store: Store) -> None:
    inbox = store.open(store.folders[INBOX])
    mid = store.message(inbox, store.folders[INBOX])
    assert store.call(open_folder(mid), NONE).value == EC_NOT_FOUND


@pytest.mark.covers("MS-OXCFOLD_R13", "MS-OXCFOLD_R15", "MS-OXCFOLD_R16")
def test_a_folder_opens_from_any_folder(store: Store) -> None:
    inbox = store.open(store.folders[INBOX])
    answer = store.send(open_folder(store.folders[ROOT]), inbox, NONE)
    assert answer.value == SUCCESS
    assert store.properties(answer.handles[1], KIND) == [0], "FOLDER_ROOT"


def test_two_handles_are_two_objects(store: Store) -> None:
    one, other = store.open(store.folders[INBOX]), store.open(store.folders[INBOX])
    assert one != other
    store.release(one)
    assert store.properties(other, FOLDER_ID) == [store.folders[INBOX]]


# --- creating -----------------------------------------------------------------------------------------------


@pytest.mark.covers(
    "MS-OXCFOLD_R37",
    "MS-OXCFOLD_R3801",
    "MS-OXCFOLD_R43",
    "MS-OXCFOLD_R46",
    "MS-OXCFOLD_R48",
    "MS-OXCFOLD_R54",
    "MS-OXCFOLD_R56",
    "MS-OXCFOLD_R58",
    "MS-OXCFOLD_R59",
    "MS-OXCFOLD_R1197",
    "MS-OXCFOLD_R483",
    "MS-OXCFOLD_R926",
    "MS-OXCFOLD_R811",
)
def test_creating_a_folder(store: Store, top: int) -> None:
    answer = store.send(create_folder("Projects", "what we build"), top, NONE)
    assert (answer.rop, answer.index, answer.value) == (0x1C, 1, SUCCESS)
    assert len(answer.fields.rest) == 9, "FolderId and IsExistingFolder, nothing more"
    fid, existing = answer.fields.numbers("QB")
    assert existing == 0
    assert fid & 0xFFFF == store.replid
    handle = answer.handles[1]
    tags = (DISPLAY_NAME, COMMENT, FOLDER_ID, KIND, COUNT, UNREAD, SUBFOLDERS)
    assert store.properties(handle, *tags) == ["Projects", "what we build", fid, 1, 0, 0, False]
    assert store.properties(top, SUBFOLDERS) == [True]
    assert "Projects" in names(store, top)
    assert store.open(fid) != NONE


@pytest.mark.covers("MS-OXCFOLD_R49", "MS-OXCFOLD_R478", "MS-OXCFOLD_R1034")
def test_names_of_8_bits_are_in_the_code_page_of_the_client(store: Store, top: int) -> None:
    answer = store.send(create_folder("Größe", "", unicode=False), top, NONE)
    assert answer.value == SUCCESS
    name, comment = store.properties(answer.handles[1], DISPLAY_NAME, COMMENT)
    assert name == "Größe"
    assert comment in ("", Error(EC_NOT_FOUND))


@pytest.mark.covers(
    "MS-OXCFOLD_R481",
    "MS-OXCFOLD_R491",
    "MS-OXCFOLD_R493",
    "MS-OXCFOLD_R1065",
    "MS-OXCFOLD_R480",
    "MS-OXCFOLD_R1039",
)
@pytest.mark.parametrize("name", ["Twice", "TWICE", "twice"])
def test_siblings_have_different_names(store: Store, top: int, name: str) -> None:
    store.create(top, "Twice")
    answer = store.send(create_folder(name), top, NONE)
    assert (answer.value, answer.handles[1]) == (EC_DUPLICATE_NAME, NONE)


@pytest.mark.covers("MS-OXCFOLD_R1065")
def test_cousins_may_have_the_same_name(store: Store, top: int) -> None:
    _, one = store.create(top, "One")
    _, other = store.create(top, "Other")
    assert store.create(one, "Same")[0] != store.create(other, "Same")[0]


@pytest.mark.covers("MS-OXCFOLD_R482", "MS-OXCFOLD_R50", "MS-OXCFOLD_R51", "MS-OXCFOLD_R1197")
def test_an_existing_folder_is_opened_when_asked(store: Store, top: int) -> None:
    fid, _ = store.create(top, "Known")
    answer = store.send(create_folder("Known", "another comment", existing=True), top, NONE)
    assert answer.value == SUCCESS
    assert answer.fields.numbers("QB") == (fid, 0), "IsExistingFolder is zero in a private mailbox"
    answer.end()
    assert store.properties(answer.handles[1], DISPLAY_NAME) == ["Known"]


@pytest.mark.covers("MS-OXCFOLD_R483")
def test_a_new_folder_is_made_though_an_existing_one_would_do(store: Store, top: int) -> None:
    answer = store.send(create_folder("Fresh", existing=True), top, NONE)
    assert answer.value == SUCCESS
    assert answer.fields.numbers("QB")[1] == 0


@pytest.mark.covers("MS-OXCFOLD_R486", "MS-OXCFOLD_R487")
@pytest.mark.parametrize("kind", [0, 3, 255])
def test_a_folder_is_generic_or_a_search(store: Store, top: int, kind: int) -> None:
    assert store.send(create_folder("Odd", kind=kind), top, NONE).value == EC_INVALID_PARAM
    assert "Odd" not in names(store, top)


@pytest.mark.covers("MS-OXCFOLD_R477", "MS-OXCFOLD_R1236")
def test_a_folder_needs_a_name(store: Store, top: int) -> None:
    assert store.send(create_folder(""), top, NONE).value == EC_INVALID_PARAM


@pytest.mark.covers("MS-OXCFOLD_R494", "MS-OXCFOLD_R495")
def test_folders_are_made_in_folders(store: Store) -> None:
    assert store.call(create_folder("x"), NONE).value == EC_NOT_SUPPORTED, "not on a logon"
    inbox = store.open(store.folders[INBOX])
    message = store.send(create_message(store.folders[INBOX]), inbox, NONE)
    assert store.send(create_folder("x"), message.handles[1], NONE).value == EC_NOT_SUPPORTED


@pytest.mark.covers("MS-OXCFOLD_R1072", "MS-OXCFOLD_R1073", "MS-OXCFOLD_R497")
def test_nothing_is_made_in_a_folder_that_is_gone(store: Store, top: int) -> None:
    fid, handle = store.create(top, "Gone")
    assert store.send(delete_folder(fid, 0x10), top).value == SUCCESS
    assert store.send(create_folder("Late"), handle, NONE).value == EC_NOT_FOUND


@pytest.mark.parametrize("name", ["a" * 255, "Ümläut ☃ 𝄞", " x ", "with/slash", "INBOX.sub", "tab\tname"])
def test_names_of_many_kinds(store: Store, top: int, name: str) -> None:
    fid, _ = store.create(top, name)
    assert store.properties(store.open(fid), DISPLAY_NAME) == [name]
    assert name in names(store, top)


# --- deleting -----------------------------------------------------------------------------------------------

DEL_MESSAGES, DEL_FOLDERS, HARD = 0x01, 0x04, 0x10


@pytest.mark.covers(
    "MS-OXCFOLD_R75",
    "MS-OXCFOLD_R94401",
    "MS-OXCFOLD_R95",
    "MS-OXCFOLD_R97",
    "MS-OXCFOLD_R405",
    "MS-OXCROPS_R669",
    "MS-OXCROPS_R671",
    "MS-OXCROPS_R675",
)
@pytest.mark.parametrize("flags", [0, HARD, DEL_MESSAGES | DEL_FOLDERS, DEL_MESSAGES | DEL_FOLDERS | HARD])
def test_deleting_an_empty_folder(store: Store, top: int, flags: int) -> None:
    fid, _ = store.create(top, "Empty")
    answer = store.send(delete_folder(fid, flags), top)
    assert (answer.rop, answer.index, answer.value, answer.fields.rest) == (0x1D, 0, SUCCESS, b"\0")
    assert "Empty" not in names(store, top)
    assert store.call(open_folder(fid), NONE).value == EC_NOT_FOUND
    again = store.send(delete_folder(fid, flags), top)
    assert (again.value, again.fields.rest) == (EC_NOT_FOUND, b"\0")


@pytest.mark.covers(
    "MS-OXCFOLD_R371",
    "MS-OXCFOLD_R816",
    "MS-OXCFOLD_R817",
    "MS-OXCFOLD_R1079",
    "MS-OXCFOLD_R1080",
    "MS-OXCFOLD_R1081",
    "MS-OXCFOLD_R76",
    "MS-OXCFOLD_R408",
    "MS-OXCFOLD_R948",
)
@pytest.mark.parametrize(
    "flags", [0, DEL_MESSAGES, DEL_FOLDERS, HARD, DEL_MESSAGES | HARD, DEL_FOLDERS | HARD]
)
def test_what_a_deletion_does_not_allow_stays(
    store: Store, top: int, tree: tuple[int, int], flags: int
) -> None:
    fid, handle = tree
    answer = store.send(delete_folder(fid, flags), top)
    assert (answer.value, answer.fields.rest) == (SUCCESS, b"\1"), "partly completed"
    assert store.properties(handle, COUNT, SUBFOLDERS) == [1, True]
    assert names(store, handle) == ["Inner"]


@pytest.mark.covers(
    "MS-OXCFOLD_R82", "MS-OXCFOLD_R762", "MS-OXCFOLD_R763", "MS-OXCFOLD_R497", "MS-OXCFOLD_R498"
)
@pytest.mark.parametrize("hard", [0, HARD])
def test_deleting_a_folder_with_all_that_is_in_it(
    store: Store, top: int, tree: tuple[int, int], hard: int
) -> None:
    fid, _ = tree
    answer = store.send(delete_folder(fid, DEL_MESSAGES | DEL_FOLDERS | hard), top)
    assert (answer.value, answer.fields.rest) == (SUCCESS, b"\0")
    assert "Full" not in names(store, top)
    assert store.call(open_folder(fid), NONE).value == EC_NOT_FOUND
    store.create(top, "Full")


@pytest.mark.covers("MS-OXCFOLD_R123402")
@pytest.mark.parametrize("flags", [0x02, 0x08, 0x20, 0x40, 0x80])
def test_unknown_bits_of_a_deletion_are_ignored(store: Store, top: int, flags: int) -> None:
    """<15>: since Exchange 2010."""
    fid, _ = store.create(top, "Bits")
    answer = store.send(delete_folder(fid, flags), top)
    assert (answer.value, answer.fields.rest) == (SUCCESS, b"\0")


@pytest.mark.covers("MS-OXCFOLD_R504", "MS-OXCFOLD_R507")
def test_deleting_what_is_not_there(store: Store, top: int) -> None:
    for fid in (store.replid | 0x123456 << 32, 0, 0xFFFFFFFFFFFFFFFF):
        answer = store.send(delete_folder(fid, 5), top)
        assert (answer.value, answer.fields.rest) == (EC_NOT_FOUND, b"\0")


@pytest.mark.covers("MS-OXCFOLD_R509", "MS-OXCFOLD_R510")
def test_deleting_from_what_is_no_folder(store: Store) -> None:
    inbox = store.open(store.folders[INBOX])
    made = store.send(create_message(store.folders[INBOX]), inbox, NONE)
    for handle in (made.handles[1],):
        answer = store.send(delete_folder(store.folders[INBOX]), handle)
        assert (answer.value, answer.fields.rest) == (EC_NOT_SUPPORTED, b"\0")


@pytest.mark.covers("MS-OXCFOLD_R2509")
def test_the_root_cannot_be_deleted(store: Store) -> None:
    root = store.open(store.folders[ROOT])
    answer = store.send(delete_folder(store.folders[ROOT], 5), root)
    assert answer.value == EC_NOT_SUPPORTED


@pytest.mark.covers("MS-OXCFOLD_R503", "MS-OXCFOLD_R2500")
@pytest.mark.parametrize("position", [IPM, INBOX, DELETED])
def test_special_folders_stay(store: Store, position: int) -> None:
    parent = store.open(store.folders[ROOT if position == IPM else IPM])
    answer = store.send(delete_folder(store.folders[position], 5), parent)
    assert answer.value != SUCCESS or answer.fields.rest == b"\1"
    assert store.open(store.folders[position]) != NONE
