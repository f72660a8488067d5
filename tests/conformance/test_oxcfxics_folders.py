"""MS-OXCFXICS: FastTransfer downloads of lists of messages and of folders."""

import struct
from collections.abc import Iterator

import pytest

from tests.conformance import fxdesk, fxgrammar, fxrops
from tests.conformance.fxcases import rich_message
from tests.conformance.fxdesk import CLASS, SUBJECT, Desk
from tests.conformance.fxgrammar import CHANGE_KEY, DISPLAY_NAME, FID, MID, MODIFIED, PCL, SOURCE_KEY
from tests.conformance.office import Person

CONTENTS, ASSOCIATED, SUBFOLDERS = 0x360F000D, 0x3610000D, 0x360E000D
ORIGINAL_ENTRY_ID, ENTRY_ID = 0x3A120102, 0x0FFF0102
PUBLIC_STRINGS = bytes.fromhex("2903020000000000C000000000000046")
COMMON = bytes.fromhex("0820060000000000C000000000000046")


@pytest.fixture
def desk(anna: Person) -> Iterator[Desk]:
    """Anna at her desk."""
    made = fxdesk.desk(anna)
    yield made
    made.mapi.close()


def test_copy_messages_lists_messages(desk: Desk) -> None:
    inbox = desk.folders["inbox"]
    folder = desk.open_folder(inbox)
    mids = [desk.message(inbox, {CLASS: "IPM.Note", SUBJECT: f"number {index}"}) for index in range(3)]
    mids.append(desk.message(inbox, {CLASS: "IPM.Note", SUBJECT: "hidden"}, associated=True))
    messages = fxgrammar.message_list(fxrops.source(desk, fxrops.copy_messages(mids), folder))
    assert [each.associated for each in messages] == [False, False, False, True]
    ids = [struct.pack("<q", each.content.props.number(MID)) for each in messages]
    assert ids == mids, "R3311"
    wanted = ["number 0", "number 1", "number 2", "hidden"]
    assert [each.content.props.get(SUBJECT) for each in messages] == wanted


IDENTITY = (SOURCE_KEY, CHANGE_KEY, PCL, MODIFIED, ORIGINAL_ENTRY_ID)


@pytest.mark.covers("MS-OXCFXICS_R3134", "MS-OXCFXICS_R3475")
def test_copy_messages_tells_no_identity(desk: Desk) -> None:
    inbox = desk.folders["inbox"]
    folder, mid = desk.open_folder(inbox), rich_message(desk, inbox)
    (message,) = fxgrammar.message_list(fxrops.source(desk, fxrops.copy_messages([mid]), folder))
    assert [hex(tag) for tag in IDENTITY if tag in message.content.props] == []


@pytest.mark.covers("MS-OXCFXICS_R3132", "MS-OXCFXICS_R3133", "MS-OXCFXICS_R3474", "MS-OXCFXICS_R3131")
def test_copy_messages_tells_the_identity_when_asked(desk: Desk) -> None:
    inbox = desk.folders["inbox"]
    folder, mid = desk.open_folder(inbox), rich_message(desk, inbox)
    kept = desk.look(inbox, mid, SOURCE_KEY, CHANGE_KEY, PCL, MODIFIED, ENTRY_ID)
    (message,) = fxgrammar.message_list(fxrops.source(desk, fxrops.copy_messages([mid], 0x20), folder))
    props = message.content.props
    for tag in (SOURCE_KEY, CHANGE_KEY, PCL, MODIFIED):
        assert props.get(tag) == kept[tag], hex(tag)
    assert props.get(ORIGINAL_ENTRY_ID) == kept[ENTRY_ID]
    assert kept[SOURCE_KEY] == desk.gid(mid), "R2079"


def test_copy_messages_skips_what_is_not_there(desk: Desk) -> None:
    inbox = desk.folders["inbox"]
    folder = desk.open_folder(inbox)
    first, second = (desk.message(inbox, {CLASS: "IPM.Note", SUBJECT: name}) for name in ("a", "b"))
    desk.delete_messages(folder, [first])
    messages = fxgrammar.message_list(fxrops.source(desk, fxrops.copy_messages([first, second]), folder))
    assert [each.content.props.get(SUBJECT) for each in messages] == ["b"]


def tree(desk: Desk) -> tuple[bytes, int]:
    """A folder with two messages, an associated one and a folder in it that has one more."""
    top, handle = desk.create_folder(desk.open_folder(desk.folders["ipm"]), "Top", comment="about top")
    desk.message(top, {CLASS: "IPM.Note", SUBJECT: "one"})
    desk.message(top, {CLASS: "IPM.Note", SUBJECT: "two"})
    desk.message(top, {CLASS: "IPM.Configuration", SUBJECT: "settings"}, associated=True)
    below, _ = desk.create_folder(handle, "Below", comment="about below")
    desk.message(below, {CLASS: "IPM.Note", SUBJECT: "three"})
    return top, handle


def subjects(folder: fxgrammar.Folder) -> list[str]:
    """The subjects of a folder's messages in a stream."""
    return sorted(str(each.content.props.get(SUBJECT)) for each in folder.messages)


@pytest.mark.covers("MS-OXCFXICS_R514", "MS-OXCFXICS_R515", "MS-OXCFXICS_R2124", "MS-OXCFXICS_R3482")
@pytest.mark.covers("MS-OXCFXICS_R516", "MS-OXCFXICS_R530", "MS-OXCFXICS_R1132", "MS-OXCFXICS_R1133")
@pytest.mark.parametrize("recursive", [True, False])
def test_copy_folder_wraps_a_tree(desk: Desk, recursive: bool) -> None:
    _, handle = tree(desk)
    rop = fxrops.copy_folder(0x10 if recursive else 0)
    top = fxgrammar.top_folder(fxrops.source(desk, rop, handle))
    assert subjects(top) == ["one", "settings", "two"]
    assert [each.associated for each in top.messages].count(True) == 1
    if recursive:
        (below,) = top.folders
        assert below.props.get(DISPLAY_NAME) == "Below"
        assert subjects(below) == ["three"]
    else:
        assert top.folders == []


@pytest.mark.covers("MS-OXCFXICS_R3481")
def test_copy_folder_that_moves_takes_what_is_below(desk: Desk) -> None:
    _, handle = tree(desk)
    top = fxgrammar.top_folder(fxrops.source(desk, fxrops.copy_folder(0x01), handle))
    assert [each.props.get(DISPLAY_NAME) for each in top.folders] == ["Below"]


@pytest.mark.covers("MS-OXCFXICS_R1345", "MS-OXCFXICS_R1348", "MS-OXCFXICS_R1351", "MS-OXCFXICS_R1344")
@pytest.mark.covers("MS-OXCFXICS_R1347", "MS-OXCFXICS_R1350")
def test_folders_below_begin_with_their_id_and_names(desk: Desk) -> None:
    _, handle = tree(desk)
    top = fxgrammar.top_folder(fxrops.source(desk, fxrops.copy_folder(0x10), handle))
    assert top.folders[0].props.tags[:3] == [FID, DISPLAY_NAME, fxgrammar.COMMENT]
    assert top.folders[0].props.get(fxgrammar.COMMENT) == "about below"


@pytest.mark.covers(
    "MS-OXCFXICS_R146",
    "MS-OXCFXICS_R147",
    "MS-OXCFXICS_R148",
    "MS-OXCFXICS_R2276",
    "MS-OXCFXICS_R2280",
    "MS-OXCFXICS_R2620",
    "MS-OXCFXICS_R1113",
)
def test_copy_to_of_a_folder_prefixes_what_it_holds(desk: Desk) -> None:
    _, handle = tree(desk)
    found = fxgrammar.folder_content(fxrops.source(desk, fxrops.copy_to(), handle))
    assert sorted(found.deletes) == sorted((CONTENTS, ASSOCIATED, SUBFOLDERS))
    assert subjects(found) == ["one", "settings", "two"]
    assert [each.props.get(DISPLAY_NAME) for each in found.folders] == ["Below"]
    assert subjects(found.folders[0]) == ["three"]


@pytest.mark.parametrize("left_out", [CONTENTS, ASSOCIATED, SUBFOLDERS])
def test_copy_to_of_a_folder_leaves_out_what_is_listed(desk: Desk, left_out: int) -> None:
    _, handle = tree(desk)
    found = fxgrammar.folder_content(fxrops.source(desk, fxrops.copy_to(tags=[left_out]), handle))
    assert left_out not in found.deletes, "R2278"
    assert len(found.deletes) == 2
    wanted = {"one": CONTENTS, "settings": ASSOCIATED, "two": CONTENTS}
    assert subjects(found) == [name for name, kind in wanted.items() if kind != left_out]
    assert bool(found.folders) == (left_out != SUBFOLDERS)


def test_copy_properties_of_a_folder_takes_what_is_listed(desk: Desk) -> None:
    _, handle = tree(desk)
    rop = fxrops.copy_properties([0x3613001F, CONTENTS])
    found = fxgrammar.folder_content(fxrops.source(desk, rop, handle))
    assert found.props.tags == [FID, DISPLAY_NAME, fxgrammar.COMMENT], "R1345, R1348, R1351"
    assert found.deletes == [CONTENTS]
    assert subjects(found) == ["one", "two"]
    assert found.folders == []


@pytest.mark.covers("MS-OXCFXICS_R387")
def test_deleted_messages_are_not_sent(desk: Desk) -> None:
    top, handle = desk.create_folder(desk.open_folder(desk.folders["ipm"]), "Soft")
    gone = desk.message(top, {CLASS: "IPM.Note", SUBJECT: "gone"})
    desk.message(top, {CLASS: "IPM.Note", SUBJECT: "here"})
    desk.delete_messages(handle, [gone])
    found = fxgrammar.folder_content(fxrops.source(desk, fxrops.copy_to(), handle))
    assert subjects(found) == ["here"]
    listed = fxgrammar.message_list(fxrops.source(desk, fxrops.copy_messages([gone]), handle))
    assert listed == []
