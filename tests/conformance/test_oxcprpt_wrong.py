"""MS-OXCPRPT and MS-OXCMSG: requests that are wrong, each with what it is told, and a session that goes on.

What cannot be taken apart fails as a whole (ecRpcFormat); what can fails alone, or names the property.
"""

import struct

import pytest

from tests.conformance import tags
from tests.conformance.desk import Desk, Folder
from tests.conformance.messages import LOGON_CODE_PAGE
from tests.conformance.properties import CREATE_NAMES, ERRORS_RETURNED
from tests.conformance.rop import INVALID, NONE, NOT_FOUND, NULL_OBJECT, RPC_FORMAT
from tests.conformance.values import Reader, smtp_row, tagged

SUBJECT = tagged(tags.SUBJECT, "abc")
NO_SUPPORT = (0x80040102, 0x80070057, NOT_FOUND, 0x80040303)
"""Codes that fit a property which cannot have a value: ecNotSupported, ecInvalidParam, ecNotFound,
ecUnexpectedType."""


def values(count: int, packed: bytes, size: int | None = None) -> bytes:
    """RopSetProperties behind its head. MS-OXCROPS 2.2.8.6.1."""
    return struct.pack("<HH", len(packed) + 2 if size is None else size, count) + packed


UNREADABLE = {
    "values behind the request": (0x0A, values(1, SUBJECT, len(SUBJECT) + 20)),
    "tags behind the request": (0x07, struct.pack("<HHHI", 0, 1, 2, tags.SUBJECT)),
    "a name of no kind": (0x56, struct.pack("<BHB", CREATE_NAMES, 1, 5) + bytes(20)),
    "a name of no size": (0x56, struct.pack("<BHB", CREATE_NAMES, 1, 1) + bytes(16) + b"\0"),
    "a name of half a character": (0x56, struct.pack("<BHB", CREATE_NAMES, 1, 1) + bytes(16) + b"\3a\0\0"),
    "no save flags": (0x0C, b""),
}


@pytest.mark.parametrize("which", UNREADABLE)
def test_what_cannot_be_read_fails_as_a_whole(desk: Desk, message: int, which: str) -> None:
    number, body = UNREADABLE[which]
    with pytest.raises(AssertionError, match=f"ErrorCode {RPC_FORMAT:#x}"):
        desk.batch(bytes([number, 0, 0]) + body, message)
    assert desk.set(message, {tags.SUBJECT: "goes on"}) == []


WRONG_VALUES = {
    "more values than there are": values(3, SUBJECT),
    "fewer values than there are": values(1, SUBJECT * 2),
    "an unknown type": values(1, struct.pack("<I", 0x60000099) + b"abcd"),
    "no type": values(1, struct.pack("<I", 0x60000000) + b"abcd"),
    "a string without end": values(1, struct.pack("<I", tags.SUBJECT) + b"a\0"),
    "a binary value that is cut": values(1, struct.pack("<IH", 0x60000102, 9) + b"abc"),
    "a list that is cut": values(1, struct.pack("<III", 0x60001003, 9, 1)),
    "a list beyond all bounds": values(1, struct.pack("<II", 0x60001003, 0xFFFFFFFF)),
}


@pytest.mark.parametrize("which", WRONG_VALUES)
def test_wrong_values_are_invalid(desk: Desk, message: int, which: str) -> None:
    reader, _ = desk.batch(b"\x0a\0\0" + WRONG_VALUES[which], message)
    assert (reader.u8(), reader.u8(), reader.u32()) == (0x0A, 0, INVALID)
    reader.end()
    assert desk.set(message, {tags.SUBJECT: "goes on"}) == []


@pytest.mark.parametrize("number", [0x6000000A, 0x6000000D, 0xFFFE0003], ids=["error", "object", "no name"])
def test_values_that_cannot_be_are_problems(desk: Desk, message: int, number: int) -> None:
    body = {0x0A: struct.pack("<I", 5), 0x0D: b"\0\0", 0x03: struct.pack("<I", 5)}[number & 0xFFFF]
    reader, _ = desk.batch(b"\x0a\0\0" + values(2, struct.pack("<I", number) + body + SUBJECT), message)
    assert (reader.u8(), reader.u8(), reader.u32(), reader.u16()) == (0x0A, 0, 0, 1)
    assert (reader.u16(), reader.u32()) == (0, number)
    assert reader.u32() in NO_SUPPORT
    reader.end()
    assert desk.one(message, tags.SUBJECT) == "abc"


@pytest.mark.parametrize("number", [0x60000099, 0x00370003, 0x0037000A, 0x0037301F, 0xFFFE0003])
def test_no_value_is_got_of_a_wrong_type(desk: Desk, message: int, number: int) -> None:
    desk.set(message, {tags.SUBJECT: "abc"})
    reader, _ = desk.batch(b"\x07\0\0" + struct.pack("<HHHII", 0, 1, 2, number, tags.SUBJECT), message)
    assert (reader.u8(), reader.u8(), reader.u32()) == (0x07, 0, 0)
    assert reader.u8() == 1, "the row is flagged"
    assert reader.u8() == 0x0A
    assert reader.u32() in NO_SUPPORT
    assert (reader.u8(), reader.wide()) == (0, "abc")
    reader.end()


def test_a_name_that_is_none_has_no_id(desk: Desk, message: int) -> None:
    for kind, rest in ((0xFF, b""), (1, b"\x02\0\0")):
        body = struct.pack("<BHB", CREATE_NAMES, 1, kind) + bytes(16) + rest
        reader, _ = desk.batch(b"\x56\0\0" + body, message)
        assert (reader.u8(), reader.u8(), reader.u32()) == (0x56, 0, ERRORS_RETURNED)
        assert (reader.u16(), reader.u16()) == (1, 0)
        reader.end()


NO_PROPERTIES = {
    0x07: struct.pack("<HHHI", 0, 1, 1, tags.SUBJECT),
    0x08: struct.pack("<HH", 0, 1),
    0x09: b"",
    0x0A: values(1, SUBJECT),
    0x79: values(1, SUBJECT),
    0x0B: struct.pack("<HI", 1, tags.SUBJECT),
    0x7A: struct.pack("<HI", 1, tags.SUBJECT),
    0x5F: b"\0\0",
}


@pytest.mark.parametrize("number", NO_PROPERTIES, ids=hex)
@pytest.mark.parametrize("kind", ["table", "stream", "nothing"])
def test_tables_and_streams_have_no_properties(
    desk: Desk, inbox: Folder, message: int, number: int, kind: str
) -> None:
    desk.set(message, {tags.BODY: "text"})
    handle = {
        "table": lambda: desk.contents(inbox)[0],
        "stream": lambda: desk.open_stream(message, tags.BODY, 0)[0],
        "nothing": lambda: 0x7FFFFFF0,
    }[kind]()
    reader, _ = desk.batch(bytes([number, 0, 0]) + NO_PROPERTIES[number], handle)
    assert (reader.u8(), reader.u8()) == (number, 0)
    assert reader.u32() == (NULL_OBJECT if kind == "nothing" else 0x80040102)
    reader.end()


# recipients

SELF = smtp_row("x@example.test", "X")
COLUMN = {0x1F: b"a\0\0\0", 0x03: b"\1\0\0\0", 0x102: b"\1\0a", 0x0B: b"\1"}


@pytest.mark.parametrize(
    "number",
    [
        0x3002001F,
        0x3003001F,
        0x0FFF0102,
        0x0FF60102,
        0x0C150003,
        0x300B0102,
        0x3A40000B,
        0x39FF001F,
        0x3A20001F,
    ],
    ids=hex,
)
def test_columns_that_a_recipient_row_has_itself_are_refused(desk: Desk, message: int, number: int) -> None:
    row = SELF[:-2] + b"\1\0\0" + COLUMN[number & 0xFFFF]
    body = struct.pack("<HIH", 1, number, 1) + struct.pack("<IBH", 0, 1, len(row)) + row
    reader, _ = desk.batch(b"\x0e\0\0" + body, message)
    assert (reader.u8(), reader.u8(), reader.u32()) == (0x0E, 0, INVALID)
    reader.end()
    desk.read_recipients(message, expect=NOT_FOUND)


@pytest.mark.parametrize("row", [SELF[:-3], SELF + b"abc"], ids=["cut", "long"])
def test_a_recipient_row_of_another_size_is_invalid(desk: Desk, message: int, row: bytes) -> None:
    body = struct.pack("<HH", 0, 1) + struct.pack("<IBH", 0, 1, len(row)) + row
    reader, _ = desk.batch(b"\x0e\0\0" + body, message)
    assert (reader.u8(), reader.u8(), reader.u32()) == (0x0E, 0, INVALID)
    reader.end()
    desk.read_recipients(message, expect=NOT_FOUND)


def test_deleting_a_recipient_that_is_not_there(desk: Desk, message: int) -> None:
    reader, _ = desk.batch(b"\x0e\0\0" + struct.pack("<HHIBH", 0, 1, 77, 1, 0), message)
    assert (reader.u8(), reader.u8(), reader.u32()) == (0x0E, 0, 0)
    reader.end()


# other arguments


@pytest.mark.parametrize("mode", [4, 9, 0xFF])
def test_an_unknown_mode_of_a_stream_is_invalid(desk: Desk, message: int, mode: int) -> None:
    desk.open_stream(message, tags.BODY, mode, expect=INVALID)


@pytest.mark.parametrize("mode", [0, 1])
def test_an_embedded_message_that_is_not_there(desk: Desk, message: int, mode: int) -> None:
    attachment, _ = desk.create_attachment(message)
    desk.open_embedded(attachment, mode, expect=NOT_FOUND)
    desk.set(attachment, {tags.ATTACH_METHOD: tags.AF_EMBEDDED})
    desk.open_embedded(attachment, mode, expect=NOT_FOUND)


@pytest.mark.parametrize("slots", [(0, 9), (9, 1)])
def test_indices_outside_the_handle_table(desk: Desk, message: int, slots: tuple[int, int]) -> None:
    ask = struct.pack("<BBBBHB", 0x46, 0, slots[0], slots[1], LOGON_CODE_PAGE, 1)
    data, table = desk.mapi.execute(ask, [message, NONE])
    reader = Reader(data)
    assert reader.u8() == 0x46
    assert reader.u8() in slots
    assert reader.u32() != 0
    reader.end()
    assert table == [message, NONE]


@pytest.mark.parametrize(("number", "body"), [
    (0x48, struct.pack("<QB", 0x0123000000000001, 0)),
    (0x51, struct.pack("<QQ", 0x0123000000000001, 0x0D00000000000001) + b"IPM.Note\0" + bytes(4)),
    (0x6F, b"NONE\0\0"),
])  # fmt: skip
def test_what_the_transport_does_not_know(desk: Desk, number: int, body: bytes) -> None:
    reader, _ = desk.batch(bytes([number, 0, 0]) + body, desk.logon)
    assert (reader.u8(), reader.u8(), reader.u32()) == (number, 0, NOT_FOUND)
    reader.end()


def test_an_unknown_lock_state_is_invalid(desk: Desk, inbox: Folder, message: int) -> None:
    number = desk.save(message)
    desk.spooler_lock(number, 9, expect=INVALID)
