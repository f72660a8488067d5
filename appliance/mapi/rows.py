"""Property rows, recipient rows and address lists on the wire (MS-OXCDATA 2.1, 2.6, 2.8, 2.11).

A row is a list of cells, one for each column: a value, a `PropertyError`, or ABSENT. A column of type
Unspecified holds a `TypedValue`. Rows without errors go in the standard form, others in the flagged one; a
`values.Form` chooses between the ROP buffers' variant and the address book's (MS-OXCMAPIHTTP 2.2.1.7).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum, IntEnum, IntFlag
from typing import Any, Final

from appliance.mapi import types as t
from appliance.mapi.names import PropertyName
from appliance.mapi.values import Form, TypedValue, read_tagged, write_tagged
from appliance.wire.cursor import Reader, Writer
from appliance.wire.errors import DecodeError, EncodeError
from appliance.wire.fields import U32, Array

STANDARD_ROW, FLAGGED_ROW = 0x00, 0x01  # 2.8.1
FLAG_VALUE, FLAG_ABSENT, FLAG_ERROR = 0x00, 0x01, 0x0A  # 2.11.5
MAX_COLUMNS = 4096
MAX_ADDRESSES = 1 << 16


class _Absent(Enum):
    """The kind of ABSENT."""

    ABSENT = 0

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = _Absent.ABSENT


@dataclass(frozen=True, slots=True)
class PropertyError:
    """A cell whose value could not be given, and the error code that says why."""

    code: int


Cell = t.Value | TypedValue | PropertyError | _Absent


def read_flagged(reader: Reader, property_type: int, form: Form) -> Any:
    """FlaggedPropertyValue (2.11.5); with the type before it for an Unspecified column (2.11.6)."""
    actual = reader.u16("property type") if property_type == t.PtypUnspecified else property_type
    at = reader.pos
    flag = reader.u8("value flag")
    if flag == FLAG_ABSENT:
        return ABSENT
    if flag == FLAG_ERROR:
        return PropertyError(reader.u32("error code"))
    if flag != FLAG_VALUE:
        raise DecodeError(f"value flag 0x{flag:02X}", at)
    if property_type != t.PtypUnspecified:
        return form.read(reader, actual)
    if actual == t.PtypUnspecified:
        raise DecodeError("a typed value of type Unspecified", at)
    return TypedValue(actual, form.read(reader, actual))


def write_flagged(writer: Writer, property_type: int, cell: Cell, form: Form) -> None:
    """FlaggedPropertyValue (2.11.5), or with its type (2.11.6) for an Unspecified column."""
    untyped = property_type == t.PtypUnspecified
    if isinstance(cell, PropertyError):
        writer.buf += (t.PtypErrorCode.to_bytes(2, "little") if untyped else b"") + bytes([FLAG_ERROR])
        writer.u32(cell.code, "error code")
    elif cell is ABSENT:
        writer.buf += (b"\0\0" if untyped else b"") + bytes([FLAG_ABSENT])
    elif untyped:
        if not isinstance(cell, TypedValue) or cell.type == t.PtypUnspecified:
            raise EncodeError(f"{cell!r} in a column of type Unspecified")
        writer.u16(cell.type, "property type")
        writer.buf.append(FLAG_VALUE)
        form.write(writer, cell.type, cell.value)
    else:
        writer.buf.append(FLAG_VALUE)
        form.write(writer, property_type, cell)


def read_row(reader: Reader, columns: Sequence[int], form: Form) -> list[Any]:
    """PropertyRow (2.8.1), one cell for each column."""
    at = reader.pos
    flag = reader.u8("row flag")
    if flag not in (STANDARD_ROW, FLAGGED_ROW):
        raise DecodeError(f"row flag 0x{flag:02X}", at)
    if flag == STANDARD_ROW:
        return [form.read(reader, column_type(tag)) for tag in columns]
    return [read_flagged(reader, column_type(tag), form) for tag in columns]


def write_row(writer: Writer, columns: Sequence[int], cells: Sequence[Cell], form: Form) -> None:
    """PropertyRow (2.8.1): standard when every cell has a value, else flagged."""
    if len(columns) != len(cells):
        raise EncodeError(f"{len(cells)} cells in a row of {len(columns)} columns")
    for cell in cells:
        if cell is ABSENT or type(cell) is PropertyError:
            writer.buf.append(FLAGGED_ROW)
            for tag, each in zip(columns, cells, strict=True):
                write_flagged(writer, column_type(tag), each, form)
            return
    writer.buf.append(STANDARD_ROW)
    for tag, cell in zip(columns, cells, strict=True):
        form.write(writer, column_type(tag), cell)


def column_type(tag: int) -> int:
    """The type of a column's cells: a multi-value column with a row for each value holds single ones."""
    kind = tag & 0xFFFF
    return t.element_type(kind) if kind & t.MULTIPLE_INSTANCE_FLAG else kind


# PropertyTagArray (2.9.1 with a 16-bit count in ROPs, MS-OXCMAPIHTTP 2.2.1.8 with a 32-bit one).
PROPERTY_TAGS = Array(U32, 2, MAX_COLUMNS)
LARGE_PROPERTY_TAGS = Array(U32, 4, 100_000)


class PropertyNameCodec:
    """PropertyName (2.6.1): Kind, GUID, then LID or counted name, or nothing for an ID without name."""

    LID, STRING, NONE = 0x00, 0x01, 0xFF

    def decode(self, reader: Reader) -> PropertyName | None:
        """Takes a name; None where the property has none (Kind 0xFF)."""
        at = reader.pos
        kind = reader.u8("name kind")
        guid = reader.take(16, "property set")
        if kind == self.LID:
            return PropertyName(guid, reader.u32("LID"))
        if kind == self.NONE:
            return None
        if kind != self.STRING:
            raise DecodeError(f"name kind 0x{kind:02X}", at)
        inner = reader.sub(reader.u8("name size"), "name")
        name = inner.nul_utf16("name")
        inner.expect_end("name")
        return PropertyName(guid, name)

    def encode(self, writer: Writer, value: PropertyName | None) -> None:
        """Writes a name. EncodeError for more than 126 UTF-16 code units: the size is one byte (2.6.1)."""
        if value is None:
            writer.buf += bytes([self.NONE]) + bytes(16)
            return
        writer.buf.append(self.LID if isinstance(value.lid_or_name, int) else self.STRING)
        writer.buf += value.guid
        if isinstance(value.lid_or_name, int):
            writer.u32(value.lid_or_name, "LID")
            return
        at = len(writer.buf)
        writer.buf.append(0)
        writer.nul_utf16(value.lid_or_name, "name")
        size = len(writer.buf) - at - 1
        if size > 0xFF:
            raise EncodeError(f"a property name of {size} bytes")
        writer.patch(at, size, 1)


PROPERTY_NAME = PropertyNameCodec()


class AddressType(IntEnum):
    """The Type of RecipientFlags (2.8.3.1)."""

    NONE = 0
    X500DN = 1
    MS_MAIL = 2
    SMTP = 3
    FAX = 4
    PROFESSIONAL_OFFICE_SYSTEM = 5
    PERSONAL_DISTRIBUTION_LIST_1 = 6
    PERSONAL_DISTRIBUTION_LIST_2 = 7


# The address type strings that stand for the types without a string of their own.
ADDRESS_TYPE_NAMES: dict[AddressType, str] = {
    AddressType.X500DN: "EX",
    AddressType.MS_MAIL: "MS",
    AddressType.SMTP: "SMTP",
    AddressType.FAX: "FAX",
    AddressType.PROFESSIONAL_OFFICE_SYSTEM: "PROFS",
    AddressType.PERSONAL_DISTRIBUTION_LIST_1: "MAPIPDL",
    AddressType.PERSONAL_DISTRIBUTION_LIST_2: "MAPIPDL",
}


class RecipientFlags(IntFlag):
    """The bits of RecipientFlags (2.8.3.1) besides the Type."""

    EMAIL = 0x0008
    DISPLAY_NAME = 0x0010
    TRANSMITTABLE = 0x0020
    SAME_AS_DISPLAY = 0x0040
    RESPONSIBLE = 0x0080
    NON_RICH = 0x0100
    UNICODE = 0x0200
    SIMPLE_NAME = 0x0400
    OTHER_TYPE = 0x8000


# Plain numbers: arithmetic of flags makes an object for each result.
_EMAIL, _DISPLAY_NAME = int(RecipientFlags.EMAIL), int(RecipientFlags.DISPLAY_NAME)
_TRANSMITTABLE, _SAME_AS_DISPLAY = int(RecipientFlags.TRANSMITTABLE), int(RecipientFlags.SAME_AS_DISPLAY)
_RESPONSIBLE, _NON_RICH = int(RecipientFlags.RESPONSIBLE), int(RecipientFlags.NON_RICH)
_UNICODE, _SIMPLE_NAME = int(RecipientFlags.UNICODE), int(RecipientFlags.SIMPLE_NAME)
_OTHER_TYPE = int(RecipientFlags.OTHER_TYPE)

_TYPE_MASK = 0x0007
_PRESENCE = (
    RecipientFlags.EMAIL
    | RecipientFlags.DISPLAY_NAME
    | RecipientFlags.TRANSMITTABLE
    | RecipientFlags.SIMPLE_NAME
    | RecipientFlags.OTHER_TYPE
)
_LISTS = (AddressType.PERSONAL_DISTRIBUTION_LIST_1, AddressType.PERSONAL_DISTRIBUTION_LIST_2)


@dataclass(slots=True)
class RecipientRow:
    """RecipientRow (2.8.3.2). None stands for a part that is not there; the presence flags follow from that.

    `x500dn` is the address without the `prefix` characters that it shares with the sender's; `cells` are the
    values of the first len(cells) columns of the message's recipient columns.
    """

    type: AddressType = AddressType.NONE
    prefix_used: int = 0
    display_type: int = 0
    x500dn: str = ""
    entry_id: bytes = b""
    search_key: bytes = b""
    address_type: str | None = None
    email: str | None = None
    display_name: str | None = None
    simple_name: str | None = None
    transmittable_name: str | None = None
    same_as_display: bool = False
    responsible: bool = False
    non_rich: bool = False
    unicode: bool = True
    cells: list[Any] = field(default_factory=list)

    @classmethod
    def decode(cls, reader: Reader, columns: Sequence[int], form: Form) -> "RecipientRow":
        """Takes a row whose extra properties are among `columns`."""
        bits = reader.u16("recipient flags")
        flags = RecipientFlags(bits & ~_TYPE_MASK)
        row = cls(AddressType(bits & _TYPE_MASK))
        row.same_as_display = RecipientFlags.SAME_AS_DISPLAY in flags
        row.responsible = RecipientFlags.RESPONSIBLE in flags
        row.non_rich = RecipientFlags.NON_RICH in flags
        row.unicode = RecipientFlags.UNICODE in flags
        text = t.PtypString if row.unicode else t.PtypString8
        if row.type == AddressType.X500DN:
            row.prefix_used, row.display_type = reader.u8("prefix"), reader.u8("display type")
            row.x500dn = form.read(reader, t.PtypString8)
        elif row.type in _LISTS:
            row.entry_id = reader.take(reader.u16("entry id size"), "entry id")
            row.search_key = reader.take(reader.u16("search key size"), "search key")
        if row.type == AddressType.NONE and RecipientFlags.OTHER_TYPE in flags:
            row.address_type = form.read(reader, t.PtypString8)
        if RecipientFlags.EMAIL in flags:
            row.email = form.read(reader, text)
        if RecipientFlags.DISPLAY_NAME in flags:
            row.display_name = form.read(reader, text)
        if RecipientFlags.SIMPLE_NAME in flags:
            row.simple_name = form.read(reader, text)
        if RecipientFlags.TRANSMITTABLE in flags:
            row.transmittable_name = form.read(reader, text)
        at = reader.pos
        count = reader.u16("column count")
        if count > len(columns):
            raise DecodeError(f"{count} of {len(columns)} columns", at)
        row.cells = read_row(reader, columns[:count], form)
        return row

    def encode(self, writer: Writer, columns: Sequence[int], form: Form) -> None:
        """Writes the row; `cells` belong to the first columns."""
        bits = int(self.type)
        if self.email is not None:
            bits |= _EMAIL
        if self.display_name is not None:
            bits |= _DISPLAY_NAME
        if self.transmittable_name is not None:
            bits |= _TRANSMITTABLE
        if self.same_as_display:
            bits |= _SAME_AS_DISPLAY
        if self.responsible:
            bits |= _RESPONSIBLE
        if self.non_rich:
            bits |= _NON_RICH
        if self.unicode:
            bits |= _UNICODE
        if self.simple_name is not None:
            bits |= _SIMPLE_NAME
        if self.address_type is not None:
            if self.type != AddressType.NONE:
                raise EncodeError("an address type string beside an address type")
            bits |= _OTHER_TYPE
        writer.buf += bits.to_bytes(2, "little")
        text = t.PtypString if self.unicode else t.PtypString8
        if self.type == AddressType.X500DN:
            writer.u8(self.prefix_used, "prefix")
            writer.u8(self.display_type, "display type")
            form.write(writer, t.PtypString8, self.x500dn)
        elif self.type in _LISTS:
            for blob in (self.entry_id, self.search_key):
                writer.u16(len(blob), "size")
                writer.buf += blob
        if self.address_type is not None:
            form.write(writer, t.PtypString8, self.address_type)
        for name in (self.email, self.display_name, self.simple_name, self.transmittable_name):
            if name is not None:
                form.write(writer, text, name)
        writer.u16(len(self.cells), "column count")
        write_row(writer, columns[: len(self.cells)], self.cells, form)


def read_address_list(reader: Reader, form: Form) -> list[t.Bag]:
    """AddressList (2.1.2): a bag of properties for each AddressEntry."""
    entries: list[t.Bag] = []
    for _ in range(reader.count(4, 4, "address count", MAX_ADDRESSES)):
        count = reader.count(4, 4, "property count", MAX_COLUMNS)
        entries.append(dict(read_tagged(reader, form) for _ in range(count)))
    return entries


def write_address_list(writer: Writer, entries: Sequence[t.ReadableBag], form: Form) -> None:
    """AddressList (2.1.2)."""
    writer.u32(len(entries), "address count")
    for entry in entries:
        writer.u32(len(entry), "property count")
        for tag, value in entry.items():
            write_tagged(writer, tag, value, form)
