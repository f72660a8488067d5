"""Property values, rows, recipient rows and restrictions as bytes: MS-OXCDATA, written from the text alone.

Integers are int, strings str, binary values and GUIDs bytes, multiple values lists. An error in the place of
a value is an `Error`. Every reader fails (AssertionError) on what does not parse; `Reader.end` on leftovers.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

SHORT, LONG, FLOAT, DOUBLE, CURRENCY, APPTIME, ERROR, BOOLEAN = 2, 3, 4, 5, 6, 7, 0x0A, 0x0B
OBJECT, LONGLONG, STRING8, UNICODE, TIME, GUID, SERVER_ID, BINARY = (
    0x0D,
    0x14,
    0x1E,
    0x1F,
    0x40,
    0x48,
    0xFB,
    0x102,
)
MULTIPLE = 0x1000
INSTANCE = 0x2000
"""MultivalueInstance. MS-OXCDATA 2.11.1.3."""

_FIXED = {
    SHORT: "<h",
    LONG: "<I",
    FLOAT: "<f",
    DOUBLE: "<d",
    CURRENCY: "<q",
    APPTIME: "<d",
    ERROR: "<I",
    LONGLONG: "<Q",
    TIME: "<Q",
}
_STANDARD, _FLAGGED = 0, 1
_PRESENT, _ABSENT, _FAILED = 0, 1, 0x0A

Value = Any
"""int, float, bool, str, bytes, a list of those, or an Error."""


@dataclass(frozen=True, slots=True)
class Error:
    """What stands in the place of a value that is not there."""

    code: int


@dataclass(frozen=True, slots=True)
class Typed:
    """A value of a property that was asked for without a type."""

    type: int
    value: Value


class Reader:
    """A cursor over bytes that must be read to their end."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    @property
    def left(self) -> int:
        return len(self.data) - self.at

    def take(self, size: int) -> bytes:
        assert 0 <= size <= self.left, f"{size} bytes wanted at {self.at}, {self.left} are there"
        self.at += size
        return self.data[self.at - size : self.at]

    def unpack(self, form: str) -> int:
        (number,) = struct.unpack(form, self.take(struct.calcsize(form)))
        return int(number)

    def u8(self) -> int:
        return self.unpack("<B")

    def u16(self) -> int:
        return self.unpack("<H")

    def u32(self) -> int:
        return self.unpack("<I")

    def i32(self) -> int:
        return self.unpack("<i")

    def u64(self) -> int:
        return self.unpack("<Q")

    def ascii(self) -> str:
        stop = self.data.index(b"\0", self.at)
        text = self.take(stop - self.at).decode("cp1252")
        self.take(1)
        return text

    def wide(self) -> str:
        stop = self.at
        while self.data[stop : stop + 2] != b"\0\0":
            assert stop + 2 < len(self.data), "a string without end"
            stop += 2
        text = self.take(stop - self.at).decode("utf-16-le")
        self.take(2)
        return text

    def end(self) -> None:
        assert self.left == 0, f"{self.left} bytes left over: {self.data[self.at : self.at + 40].hex(' ')}"


def tag(number: int, kind: int) -> int:
    """The 32-bit property tag of a property id and a type."""
    return number << 16 | kind


def packed(kind: int, value: Value) -> bytes:
    """A PropertyValue. MS-OXCDATA 2.11.2.1, with 16-bit COUNTs for bytes and 32-bit ones for many values."""
    if kind & MULTIPLE and kind & INSTANCE == 0:
        assert isinstance(value, list)
        return struct.pack("<I", len(value)) + b"".join(packed(kind & ~MULTIPLE, each) for each in value)
    kind &= ~(INSTANCE | MULTIPLE)
    if kind == UNICODE:
        return str(value).encode("utf-16-le") + b"\0\0"
    if kind == STRING8:
        return str(value).encode("cp1252") + b"\0"
    if kind == BOOLEAN:
        return struct.pack("<B", bool(value))
    if kind in (BINARY, SERVER_ID, OBJECT):
        assert isinstance(value, bytes)
        return struct.pack("<H", len(value)) + value
    if kind == GUID:
        assert isinstance(value, bytes)
        return value
    return struct.pack(_FIXED[kind], value)


def read_value(reader: Reader, kind: int) -> Value:
    """A PropertyValue of a type."""
    if kind & MULTIPLE and kind & INSTANCE == 0:
        return [read_value(reader, kind & ~MULTIPLE) for _ in range(reader.u32())]
    kind &= ~(INSTANCE | MULTIPLE)
    if kind == UNICODE:
        return reader.wide()
    if kind == STRING8:
        return reader.ascii()
    if kind == BOOLEAN:
        number = reader.u8()
        assert number in (0, 1), "PtypBoolean is restricted to 1 and 0"
        return bool(number)
    if kind in (BINARY, SERVER_ID, OBJECT):
        return reader.take(reader.u16())
    if kind == GUID:
        return reader.take(16)
    assert kind in _FIXED, f"type {kind:#06x}"
    if kind in (FLOAT, DOUBLE, APPTIME):
        (real,) = struct.unpack(_FIXED[kind], reader.take(struct.calcsize(_FIXED[kind])))
        return float(real)
    return reader.unpack(_FIXED[kind])


def tagged(number: int, value: Value) -> bytes:
    """A TaggedPropertyValue. MS-OXCDATA 2.11.4."""
    return struct.pack("<I", number) + packed(number & 0xFFFF, value)


def read_tagged(reader: Reader) -> tuple[int, Value]:
    number = reader.u32()
    kind = number & 0xFFFF
    value = read_value(reader, kind)
    return number, Error(value) if kind == ERROR and isinstance(value, int) else value


def read_row(reader: Reader, columns: Sequence[int]) -> list[Value]:
    """A PropertyRow; columns of type 0 give `Typed`. MS-OXCDATA 2.8.1."""
    flag = reader.u8()
    assert flag in (_STANDARD, _FLAGGED), f"row flag {flag:#04x}"
    row = [_cell(reader, column & 0xFFFF, flag == _FLAGGED) for column in columns]
    failed = any(isinstance(cell.value if isinstance(cell, Typed) else cell, Error) for cell in row)
    assert failed == (flag == _FLAGGED), "a flagged row is one with an error in it"
    return row


def _cell(reader: Reader, kind: int, flagged: bool) -> Value:
    untyped = kind == 0
    if untyped:
        kind = reader.u16()
        assert kind != 0, "PtypUnspecified must not be returned"
    value: Value
    state = reader.u8() if flagged else _PRESENT
    if state == _FAILED:
        value = Error(reader.u32())
    elif state == _ABSENT:
        value = Error(0)
    else:
        assert state == _PRESENT, f"flag {state:#04x} of a value"
        value = read_value(reader, kind)
    return Typed(kind, value) if untyped else value


def read_typed_string(reader: Reader) -> str | None:
    """A TypedString. MS-OXCDATA 2.11.7."""
    kind = reader.u8()
    assert kind <= 4, f"StringType {kind:#04x}"
    if kind == 0:
        return None
    if kind == 1:
        return ""
    return reader.wide() if kind == 4 else reader.ascii()


# Recipient rows: MS-OXCDATA 2.8.3.

X500, SMTP_TYPE = 1, 3
HAS_EMAIL, HAS_NAME, HAS_TRANSMITTABLE, SAME_NAME = 0x0008, 0x0010, 0x0020, 0x0040
HAS_SIMPLE, IS_UNICODE, HAS_TYPE = 0x0400, 0x0200, 0x8000
RESERVED_FLAGS = 0x7800


@dataclass(frozen=True, slots=True)
class Recipient:
    """What a RecipientRow says, and the values of the further columns."""

    flags: int
    email: str | None
    name: str | None
    address_type: str | None
    dn: str | None
    values: list[Value]


def smtp_row(address: str, name: str, columns: Sequence[int] = (), values: Sequence[Value] = ()) -> bytes:
    """A RecipientRow of an SMTP address."""
    head = struct.pack("<H", SMTP_TYPE | HAS_EMAIL | HAS_NAME | IS_UNICODE)
    strings = packed(UNICODE, address) + packed(UNICODE, name)
    cells = b"".join(packed(column & 0xFFFF, value) for column, value in zip(columns, values, strict=True))
    return head + strings + struct.pack("<H", len(columns)) + b"\0" + cells


def read_recipient(data: bytes, columns: Sequence[int]) -> Recipient:
    """A RecipientRow, which is all of `data`. MS-OXCDATA 2.8.3.2."""
    reader = Reader(data)
    flags = reader.u16()
    assert flags & RESERVED_FLAGS == 0, "the reserved flags are zero"
    kind = flags & 7
    dn = address_type = None
    if kind == X500:
        reader.u8()
        assert reader.u8() <= 6, "DisplayType"
        dn = reader.ascii()
    elif kind in (6, 7):
        reader.take(reader.u16())
        reader.take(reader.u16())
    elif kind == 0 and flags & HAS_TYPE:
        address_type = reader.ascii()
    text = reader.wide if flags & IS_UNICODE else reader.ascii
    email = text() if flags & HAS_EMAIL else None
    name = text() if flags & HAS_NAME else None
    simple = text() if flags & HAS_SIMPLE else None
    transmittable = text() if flags & HAS_TRANSMITTABLE else None
    assert "" not in (simple, transmittable), "a field that is empty need not be there"
    many = reader.u16()
    assert many <= len(columns)
    values = read_row(reader, columns[:many])
    reader.end()
    return Recipient(flags, email, name, address_type, dn, values)


# Restrictions: MS-OXCDATA 2.12.

LESS, LESS_EQUAL, GREATER, GREATER_EQUAL, EQUAL, NOT_EQUAL = range(6)
FULL, SUBSTRING, PREFIX = 0, 1, 2
IGNORE_CASE, IGNORE_NON_SPACE, LOOSE = 1, 2, 4


def all_of(*parts: bytes) -> bytes:
    return b"\x00" + struct.pack("<H", len(parts)) + b"".join(parts)


def any_of(*parts: bytes) -> bytes:
    return b"\x01" + struct.pack("<H", len(parts)) + b"".join(parts)


def negated(part: bytes) -> bytes:
    return b"\x02" + part


def _of(number: int, value: Value) -> int:
    """The tag of a value that properties of this tag are compared with: of one value among several, too."""
    return number if isinstance(value, list) else number & ~MULTIPLE


def content(number: int, value: Value, how: int = FULL, fuzzy: int = 0) -> bytes:
    return b"\x03" + struct.pack("<HHI", how, fuzzy, number) + tagged(_of(number, value), value)


def compare(operator: int, number: int, value: Value) -> bytes:
    return b"\x04" + struct.pack("<BI", operator, number) + tagged(_of(number, value), value)


def compare_properties(operator: int, left: int, right: int) -> bytes:
    return b"\x05" + struct.pack("<BII", operator, left, right)


def bits(number: int, mask: int, nonzero: bool) -> bytes:
    return b"\x06" + struct.pack("<BII", nonzero, number, mask)


def sized(operator: int, number: int, size: int) -> bytes:
    return b"\x07" + struct.pack("<BII", operator, number, size)


def exists(number: int) -> bytes:
    return b"\x08" + struct.pack("<I", number)


def of_subobject(number: int, part: bytes) -> bytes:
    return b"\x09" + struct.pack("<I", number) + part


def commented(part: bytes | None, *values: bytes) -> bytes:
    head = b"\x0a" + struct.pack("<B", len(values)) + b"".join(values)
    return head + (b"\0" if part is None else b"\x01" + part)


def at_most(count: int, part: bytes) -> bytes:
    return b"\x0b" + struct.pack("<I", count) + part
