"""MS-OXCPRPT 2.2.10, 2.2.11: copying properties and whole objects."""

import pytest

from tests.conformance import tags
from tests.conformance.desk import PUBLIC, PUBLIC_TOP, Desk, Folder
from tests.conformance.messages import CREATE, TO, person
from tests.conformance.office import Person
from tests.conformance.properties import (
    MOVE,
    NO_OVERWRITE,
    custom,
    missing,
)
from tests.conformance.rop import (
    COLLISION,
    FOLDER_CYCLE,
    INVALID,
    MESSAGE_CYCLE,
    NONE,
    NOT_FOUND,
    NOT_SUPPORTED,
    NULL_DESTINATION,
)
from tests.conformance.values import (
    BINARY,
    LONG,
    UNICODE,
    Error,
    tag,
)


@pytest.mark.covers("MS-OXCPRPT_R500", "MS-OXCPRPT_R14901", "MS-OXCPRPT_R14902", "MS-OXCPRPT_R14903",
                    "MS-OXCPRPT_R146", "MS-OXCPRPT_R15901", "MS-OXCPRPT_R165", "MS-OXCPRPT_R265")  # fmt: skip
@pytest.mark.parametrize("kind", ["message", "folder", "attachment"])
def test_properties_are_copied(desk: Desk, inbox: Folder, objects: dict[str, int], kind: str) -> None:
    one, two, three = (custom(desk, UNICODE, f"copied {number}") for number in range(3))
    source = objects[kind]
    destination = {
        "message": lambda: desk.create_message(inbox),
        "folder": lambda: desk.create_folder(inbox, "destination").handle,
        "attachment": lambda: desk.create_attachment(objects["message"])[0],
    }[kind]()
    desk.set(source, {one: "1", two: "2", three: "3"})
    desk.set(destination, {two: "old"})
    assert desk.copy_properties(source, destination, one, two) == []
    assert desk.get(destination, one, two, three) == ["1", "2", Error(NOT_FOUND)]
    assert desk.get(source, one, two, three) == ["1", "2", "3"]


@pytest.mark.covers("MS-OXCPRPT_R879", "MS-OXCPRPT_R264")
def test_copying_may_spare_what_is_there(desk: Desk, inbox: Folder, message: int) -> None:
    destination = desk.create_message(inbox)
    desk.set(message, {tags.SUBJECT: "new", tags.BODY: "new"})
    desk.set(destination, {tags.BODY: "old"})
    desk.copy_properties(message, destination, tags.SUBJECT, tags.BODY, flags=NO_OVERWRITE)
    assert desk.get(destination, tags.SUBJECT, tags.BODY) == ["new", "old"]


@pytest.mark.covers("MS-OXCPRPT_R86501", "MS-OXCPRPT_R18401", "MS-OXCPRPT_R880", "MS-OXCPRPT_R88001",
                    "MS-OXCPRPT_R5070505", "MS-OXCPRPT_R5070506", "MS-OXCPRPT_R86502",
                    "MS-OXCPRPT_R18402")  # fmt: skip
@pytest.mark.parametrize("flags", [0x04, 0x10, 0x80, MOVE | 0x04, MOVE | NO_OVERWRITE])
def test_other_copy_flags_are_invalid(desk: Desk, inbox: Folder, message: int, flags: int) -> None:
    destination = desk.create_message(inbox)
    desk.copy_properties(message, destination, tags.SUBJECT, flags=flags, expect=INVALID)
    desk.copy_to(message, destination, flags=flags, expect=INVALID)


@pytest.mark.covers("MS-OXCPRPT_R881", "MS-OXCPRPT_R882")
def test_properties_of_folders_are_not_moved(desk: Desk, inbox: Folder) -> None:
    one, two = desk.create_folder(inbox, "one"), desk.create_folder(inbox, "two")
    desk.copy_properties(one.handle, two.handle, tags.COMMENT, flags=MOVE, expect=NOT_SUPPORTED)


@pytest.mark.covers("MS-OXCPRPT_R737", "MS-OXCPRPT_R738", "MS-OXCPRPT_R168", "MS-OXCPRPT_R739",
                    "MS-OXCPRPT_R740", "MS-OXCPRPT_R196", "MS-OXCROPS_R3046", "MS-OXCROPS_R3048")  # fmt: skip
def test_a_destination_that_is_not_there(desk: Desk, message: int) -> None:
    for nobody in (NONE, 0x00FFFFFF):
        desk.copy_properties(message, nobody, tags.SUBJECT, expect=NULL_DESTINATION)
        desk.copy_to(message, nobody, expect=NULL_DESTINATION)


@pytest.mark.covers("MS-OXCPRPT_R150", "MS-OXCPRPT_R508", "MS-OXCPRPT_R890", "MS-OXCPRPT_R821")
def test_objects_of_two_kinds_are_not_copied(desk: Desk, objects: dict[str, int]) -> None:
    for source, destination in (("message", "folder"), ("attachment", "message"), ("folder", "attachment")):
        desk.copy_to(objects[source], objects[destination], expect=NOT_SUPPORTED)
        desk.copy_properties(objects[source], objects[destination], tags.COMMENT, expect=NOT_SUPPORTED)
    desk.copy_to(desk.logon, desk.logon, expect=NOT_SUPPORTED)


@pytest.mark.covers("MS-OXCPRPT_R5070501", "MS-OXCPRPT_R191", "MS-OXCPRPT_R171", "MS-OXCPRPT_R17201",
                    "MS-OXCPRPT_R18501", "MS-OXCPRPT_R849", "MS-OXCPRPT_R5070507")  # fmt: skip
def test_all_but_some_properties_are_copied(desk: Desk, inbox: Folder, message: int) -> None:
    destination = desk.create_message(inbox)
    saved = desk.save(destination)
    number = custom(desk, LONG)
    desk.set(message, {tags.SUBJECT: "copied", tags.BODY: "left out", number: 3})
    assert all(problem.tag != number for problem in desk.copy_to(message, destination, tags.BODY))
    assert desk.get(destination, tags.SUBJECT, number) == ["copied", 3]
    assert desk.one(destination, tags.BODY) in ("", Error(NOT_FOUND))
    assert missing(desk.one(desk.opened(inbox, saved), number))
    desk.save(destination)
    assert desk.one(desk.opened(inbox, saved), number) == 3


@pytest.mark.covers("MS-OXCPRPT_R181", "MS-OXCPRPT_R182")
@pytest.mark.parametrize("subobjects", [0, 1])
def test_subobjects_are_copied_when_wanted(desk: Desk, inbox: Folder, message: int, subobjects: int) -> None:
    desk.write_recipients(message, [person(0, TO, "ben")])
    attachment, _ = desk.create_attachment(message)
    desk.set(attachment, {tags.ATTACH_METHOD: 1, tags.ATTACH_DATA: b"data", tags.ATTACH_LONG_FILENAME: "n"})
    desk.save_attachment(attachment, message)
    destination = desk.create_message(inbox)
    desk.copy_to(message, destination, subobjects=subobjects)
    opened = desk.opened(inbox, desk.save(destination))
    rows = desk.rows(desk.attachment_table(opened), tags.ATTACH_LONG_FILENAME, tags.ATTACH_METHOD)
    assert rows == ([["n", 1]] if subobjects else [])
    told = desk.reload(opened)
    assert told is not None
    assert told.recipient_count == subobjects


@pytest.mark.covers("MS-OXCPRPT_R17202", "MS-OXCPRPT_R5070508", "MS-OXCPRPT_R848")
def test_an_attachment_is_copied(desk: Desk, inbox: Folder, message: int) -> None:
    source, _ = desk.create_attachment(message)
    desk.set(source, {tags.ATTACH_METHOD: 1, tags.ATTACH_DATA: b"data", tags.ATTACH_LONG_FILENAME: "n"})
    destination, which = desk.create_attachment(message)
    desk.copy_to(source, destination)
    assert desk.get(destination, tags.ATTACH_DATA, tags.ATTACH_LONG_FILENAME) == [b"data", "n"]
    assert desk.one(destination, tags.ATTACH_NUMBER) == which
    saved = desk.save(message)
    desk.open_attachment(desk.opened(inbox, saved), which, expect=NOT_FOUND)
    desk.save_attachment(destination, message)
    desk.save(message)
    assert desk.one(desk.open_attachment(desk.opened(inbox, saved), which), tags.ATTACH_DATA) == b"data"


@pytest.mark.covers("MS-OXCPRPT_R896", "MS-OXCPRPT_R89601", "MS-OXCPRPT_R89604")
def test_a_message_is_not_copied_into_itself(desk: Desk, message: int) -> None:
    attachment, _ = desk.create_attachment(message)
    desk.set(attachment, {tags.ATTACH_METHOD: tags.AF_EMBEDDED})
    inner = desk.open_embedded(attachment, CREATE)
    assert inner is not None
    desk.copy_to(message, inner.handle, subobjects=1, expect=MESSAGE_CYCLE)
    deep, _ = desk.create_attachment(inner.handle)
    desk.set(deep, {tags.ATTACH_METHOD: tags.AF_EMBEDDED})
    innermost = desk.open_embedded(deep, CREATE)
    assert innermost is not None
    desk.copy_to(message, innermost.handle, subobjects=1, expect=MESSAGE_CYCLE)


@pytest.mark.covers("MS-OXCPRPT_R89602", "MS-OXCPRPT_R89603", "MS-OXCPRPT_R17203")
def test_a_folder_is_not_copied_into_itself(desk: Desk, inbox: Folder) -> None:
    outer = desk.create_folder(inbox, "outer")
    inner = desk.create_folder(outer, "inner")
    desk.copy_to(outer.handle, inner.handle, subobjects=1, expect=FOLDER_CYCLE)
    deepest = desk.create_folder(inner, "deepest")
    desk.copy_to(outer.handle, deepest.handle, subobjects=1, expect=FOLDER_CYCLE)


@pytest.mark.covers("MS-OXCPRPT_R897", "MS-OXCPRPT_R899")
def test_a_folder_of_the_same_name_collides(desk: Desk, inbox: Folder) -> None:
    one, two = desk.create_folder(inbox, "one"), desk.create_folder(inbox, "two")
    desk.create_folder(one, "twin")
    desk.create_folder(two, "twin")
    desk.copy_to(one.handle, two.handle, tags.DISPLAY_NAME, subobjects=1, expect=COLLISION)


@pytest.mark.covers("MS-OXCPRPT_R503", "MS-OXCPRPT_R5070509")
def test_folders_are_copied_at_once(desk: Desk, inbox: Folder) -> None:
    one, two = desk.create_folder(inbox, "one"), desk.create_folder(inbox, "two")
    desk.set(one.handle, {tags.COMMENT: "copied"})
    desk.copy_to(one.handle, two.handle, tags.DISPLAY_NAME)
    assert desk.get(desk.open_folder(two.id).handle, tags.COMMENT, tags.DISPLAY_NAME) == ["copied", "two"]


@pytest.mark.covers("MS-OXCPRPT_R5070512", "MS-OXCPRPT_R5070514", "MS-OXCPRPT_R88501", "MS-OXCPRPT_R8850103")
def test_public_folders_are_not_copied_nor_written_as_streams(
    desk: Desk, anna: Person, inbox: Folder
) -> None:
    with anna.mapi() as mapi:
        public = Desk(mapi, anna.dn, PUBLIC)
        top = public.open_folder(public.folders[PUBLIC_TOP])
        public.copy_to(top.handle, top.handle, expect=NOT_SUPPORTED)
        for mode in (1, 2):
            public.open_stream(top.handle, tag(0x6FF1, BINARY), mode, expect=NOT_SUPPORTED)


@pytest.mark.covers("MS-OXCPRPT_R50101", "MS-OXCPRPT_R159")
def test_moving_copies(desk: Desk, inbox: Folder, message: int) -> None:
    destination = desk.create_message(inbox)
    desk.set(message, {tags.BODY: "moved"})
    assert desk.copy_properties(message, destination, tags.BODY, flags=MOVE) == []
    assert desk.one(destination, tags.BODY) == "moved"


@pytest.mark.covers("MS-OXCPRPT_R504", "MS-OXCPRPT_R50801", "MS-OXCPRPT_R153", "MS-OXCPRPT_R178")
def test_asynchronous_copies_are_answered(desk: Desk, inbox: Folder, message: int) -> None:
    destination = desk.create_message(inbox)
    desk.set(message, {tags.BODY: "text"})
    assert desk.copy_properties(message, destination, tags.BODY, asynchronous=1) == []
    desk.copy_to(message, destination, asynchronous=1)
    assert desk.one(destination, tags.BODY) == "text"


@pytest.mark.covers("MS-OXCPRPT_R624", "MS-OXCPRPT_R625", "MS-OXCPRPT_R5070504")
@pytest.mark.parametrize("flags", [0, NO_OVERWRITE])
def test_copying_an_object_may_spare_what_is_there(
    desk: Desk, inbox: Folder, message: int, flags: int
) -> None:
    destination = desk.create_message(inbox)
    one, two = (custom(desk, UNICODE, f"spared {number}") for number in range(2))
    desk.set(message, {one: "new", two: "new"})
    desk.set(destination, {two: "old"})
    desk.copy_to(message, destination, flags=flags)
    assert desk.get(destination, one, two) == ["new", "old" if flags else "new"]


@pytest.mark.covers("MS-OXCPRPT_R185", "MS-OXCPRPT_R5070511")
@pytest.mark.parametrize("kind", ["message", "folder"])
def test_an_object_is_moved(desk: Desk, inbox: Folder, objects: dict[str, int], kind: str) -> None:
    destination = {
        "message": lambda: desk.create_message(inbox),
        "folder": lambda: desk.create_folder(inbox, "moved to").handle,
    }[kind]()
    number = custom(desk, UNICODE)
    desk.set(objects[kind], {number: "moved"})
    desk.copy_to(objects[kind], destination, tags.DISPLAY_NAME, flags=MOVE)
    assert desk.one(destination, number) == "moved"


@pytest.mark.covers("MS-OXCPRPT_R166", "MS-OXCPRPT_R16502", "MS-OXCPRPT_R167")
def test_what_was_not_copied_is_named(desk: Desk, inbox: Folder, message: int) -> None:
    destination, before = desk.create_message(inbox), tag(0x6FF2, LONG)
    desk.set(message, {tags.BODY: "copied"})
    wanted = (tags.BODY, before, tags.ACCESS)
    problems = desk.copy_properties(message, destination, *wanted)
    assert problems
    for problem in problems:
        assert problem.index in (1, 2)
        assert problem.tag == wanted[problem.index]
        assert problem.code
    assert desk.one(destination, tags.BODY) == "copied"
