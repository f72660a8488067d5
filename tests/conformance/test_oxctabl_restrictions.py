"""MS-OXCTABL 2.2.2.4: which rows a restriction leaves."""

import struct

import pytest

from tests.conformance import tags
from tests.conformance.desk import INBOX, Desk, Folder
from tests.conformance.letters import BY_SUBJECT, COLUMNS, by_letter, lettered, subjects
from tests.conformance.messages import TO, person
from tests.conformance.values import (
    EQUAL,
    GREATER,
    GREATER_EQUAL,
    IGNORE_CASE,
    LESS,
    LESS_EQUAL,
    NOT_EQUAL,
    PREFIX,
    SUBSTRING,
    all_of,
    any_of,
    at_most,
    bits,
    commented,
    compare,
    compare_properties,
    content,
    exists,
    negated,
    of_subobject,
    sized,
    tag,
)


@pytest.fixture
def folder(desk: Desk) -> Folder:
    return lettered(desk)


@pytest.fixture
def table(desk: Desk, folder: Folder) -> int:
    return by_letter(desk, folder)


RESTRICTIONS = [
    ("property equal", compare(EQUAL, tags.SUBJECT, "alpha"), "a"),
    ("property not equal", compare(NOT_EQUAL, tags.SUBJECT, "alpha"), "bcde"),
    ("property less", compare(LESS, tags.SUBJECT, "charlie"), "ab"),
    ("property less or equal", compare(LESS_EQUAL, tags.SUBJECT, "charlie"), "abc"),
    ("property greater", compare(GREATER, tags.IMPORTANCE, 0), "abe"),
    ("property greater or equal", compare(GREATER_EQUAL, tags.IMPORTANCE, 2), "e"),
    ("content full", content(tags.SUBJECT, "bravo"), "b"),
    ("content full but short", content(tags.SUBJECT, "brav"), ""),
    ("content prefix", content(tags.SUBJECT, "ch", PREFIX), "c"),
    ("content substring", content(tags.SUBJECT, "l", SUBSTRING), "acd"),
    ("content with its case", content(tags.SUBJECT, "ALP", SUBSTRING, IGNORE_CASE), "a"),
    ("and", all_of(content(tags.SUBJECT, "a", SUBSTRING), compare(EQUAL, tags.IMPORTANCE, 0)), "cd"),
    ("or", any_of(compare(EQUAL, tags.SUBJECT, "echo"), compare(EQUAL, tags.SUBJECT, "bravo")), "be"),
    ("not", negated(compare(EQUAL, tags.IMPORTANCE, 0)), "abe"),
    ("exist", exists(tags.SUBJECT), "abcde"),
    ("not exist", negated(exists(tag(0x6FF8, 3))), "abcde"),
    ("exist not", exists(tag(0x6FF8, 3)), ""),
    ("bits zero", bits(tags.IMPORTANCE, 1, nonzero=False), "cde"),
    ("bits not zero", bits(tags.IMPORTANCE, 1, nonzero=True), "ab"),
    ("size", sized(EQUAL, tags.SUBJECT, 10), "abd"),
    ("compare", compare_properties(EQUAL, tags.SUBJECT, tags.NORMALIZED_SUBJECT), "abcde"),
    ("compare not", compare_properties(NOT_EQUAL, tags.SUBJECT, tags.NORMALIZED_SUBJECT), ""),
    ("comment", commented(compare(EQUAL, tags.SUBJECT, "delta")), "d"),
    ("empty and", all_of(), "abcde"),
    ("empty or", any_of(), ""),
]


@pytest.mark.covers("MS-OXCTABL_R85", "MS-OXCTABL_R86", "MS-OXCTABL_R87", "MS-OXCTABL_R117",
                    "MS-OXCTABL_R451", "MS-OXCTABL_R452", "MS-OXCTABL_R834")  # fmt: skip
@pytest.mark.parametrize(
    ("restriction", "letters"), [row[1:] for row in RESTRICTIONS], ids=[r[0] for r in RESTRICTIONS]
)
def test_restrictions_choose_rows(desk: Desk, table: int, restriction: bytes, letters: str) -> None:
    desk.restrict(table, restriction)
    assert desk.position(table) == (0, len(letters))
    assert subjects(desk, table) == letters


def test_counted_restrictions_end_early(desk: Desk, table: int) -> None:
    desk.restrict(table, at_most(2, exists(tags.SUBJECT)))
    assert len(subjects(desk, table)) == 2


def test_recipients_and_attachments_are_restricted(desk: Desk, folder: Folder) -> None:
    message = desk.create_message(folder)
    desk.set(message, {tags.SUBJECT: "foxtrot"})
    desk.write_recipients(message, [person(0, TO, "ben")])
    attachment, _ = desk.create_attachment(message)
    desk.set(attachment, {tags.ATTACH_LONG_FILENAME: "plan.doc"})
    desk.save_attachment(attachment, message)
    desk.save(message)
    table, _ = desk.contents(folder)
    desk.set_columns(table, *COLUMNS)
    desk.restrict(table, of_subobject(0x0E12000D, content(tags.DISPLAY_NAME, "Ben", SUBSTRING)))
    assert subjects(desk, table) == "f"
    desk.restrict(table, of_subobject(0x0E13000D, content(tags.ATTACH_LONG_FILENAME, "plan", PREFIX)))
    assert subjects(desk, table) == "f"
    desk.restrict(table, of_subobject(0x0E12000D, content(tags.DISPLAY_NAME, "Clara", SUBSTRING)))
    assert subjects(desk, table) == ""


@pytest.mark.covers("MS-OXCTABL_R453", "MS-OXCTABL_R454")
def test_a_new_restriction_replaces_the_old_one_and_starts_again(desk: Desk, table: int) -> None:
    subjects(desk, table, 3)
    desk.restrict(table, compare(EQUAL, tags.IMPORTANCE, 0))
    assert desk.position(table) == (0, 2)
    assert subjects(desk, table) == "cd"
    desk.restrict(table, compare(EQUAL, tags.IMPORTANCE, 2))
    assert subjects(desk, table) == "e"
    desk.restrict(table, b"")
    assert subjects(desk, table) == "abcde"


SHORTS, TEXTS, WHEN, RAW = tag(0x6F01, 0x1003), tag(0x6F02, 0x101F), tag(0x6F03, 0x40), tag(0x6F04, 0x102)
TRUTH, BROAD, WORD = tag(0x6F05, 0x0B), tag(0x6F06, 0x05), tag(0x6F07, 0x1F)
TYPED = [
    ("any of several numbers", compare(EQUAL, SHORTS, 2), "two"),
    ("any of several texts", content(TEXTS, "blue"), "two"),
    ("earlier", compare(LESS, WHEN, 2000), "one"),
    ("bytes at the start", content(RAW, b"\0\2", PREFIX), "two"),
    ("bytes inside", content(RAW, b"\1", SUBSTRING), "one"),
    ("bytes equal", compare(EQUAL, RAW, b"\0\1\3"), "one"),
    ("true", compare(EQUAL, TRUTH, True), "two"),
    ("a fraction", compare(GREATER, BROAD, 0.5), "two"),
    ("ignoring case", content(WORD, "GRÜN", SUBSTRING, IGNORE_CASE), "two"),
    ("bytes of a size", sized(EQUAL, RAW, 3), "one two"),
    ("in neither", all_of(exists(WHEN), negated(exists(WHEN))), ""),
]


@pytest.mark.parametrize(("restriction", "found"), [row[1:] for row in TYPED], ids=[row[0] for row in TYPED])
def test_values_of_every_type_are_compared(desk: Desk, restriction: bytes, found: str) -> None:
    made = desk.create_folder(desk.folder(INBOX), "typed")
    for subject, values in (
        ("one", (["red"], [1], 1000, b"\0\1\3", False, 0.25, "rot")),
        ("two", (["green", "blue"], [3, 2], 3000, b"\0\2\3", True, 0.75, "grün")),
        ("none", ()),
    ):
        message = desk.create_message(made)
        columns = (TEXTS, SHORTS, WHEN, RAW, TRUTH, BROAD, WORD)
        desk.set(message, {tags.SUBJECT: subject, **dict(zip(columns, values, strict=False))})
        desk.save(message)
    table, _ = desk.contents(made)
    desk.set_columns(table, tags.SUBJECT)
    desk.sort(table, BY_SUBJECT)
    desk.restrict(table, restriction)
    assert " ".join(row[0] for row in desk.query_rows(table, (tags.SUBJECT,), 10)[1]) == found


@pytest.mark.covers("MS-OXCMSG_R1605")
def test_message_classes_are_compared_without_their_case(desk: Desk, table: int) -> None:
    for restriction in (
        compare(EQUAL, tags.MESSAGE_CLASS, "ipm.NOTE"),
        content(tags.MESSAGE_CLASS, "IPM.note"),
        content(tags.MESSAGE_CLASS, "ipm.", PREFIX),
        content(tags.MESSAGE_CLASS, "nOTE", SUBSTRING),
    ):
        desk.restrict(table, restriction)
        assert subjects(desk, table) == "abcde"
    desk.restrict(table, compare(NOT_EQUAL, tags.MESSAGE_CLASS, "IPM.NOTE"))
    assert subjects(desk, table) == ""


@pytest.mark.parametrize(
    "broken", [b"", b"\x0c", b"\x04\x00", b"\x00\xff\xff", b"\x02" * 200, b"w" + bytes(9)]
)
def test_a_restriction_that_is_none(desk: Desk, table: int, broken: bytes) -> None:
    body = struct.pack("<BH", 0, len(broken)) + broken
    reader, _ = desk.batch(b"\x14\0\0" + body, table)
    assert (reader.u8(), reader.u8()) == (0x14, 0)
    code = reader.u32()
    if not broken:
        assert (code, reader.u8()) == (0, 0), "no restriction at all"
    else:
        assert code != 0
    reader.end()
    desk.restrict(table, b"")
    assert subjects(desk, table) == "abcde"
