"""Property values on the wire (MS-OXCDATA 2.11): every type of 2.11.1, both ways.

A `Form` says in which of the wire's variants values stand:

| form | byte counts of Binary | value counts | presence bytes | where |
| --- | --- | --- | --- | --- |
| rop_form(page) | 16 bit | 32 bit | no | ROP buffers |
| EXTENDED | 32 bit | 32 bit | no | extended rules, MAPI over HTTP |
| address_book_form(page) | 32 bit | 32 bit | yes | MS-OXCMAPIHTTP 2.2.1.1 (NSPI) |
| outer_form(page) | 32 bit | 32 bit | not before elements of multiple values | the same, by the letter |

observed: Exchange and Outlook mark each element of a multiple value as well. In the address book a table's
value is a number (MS-OXNSPI 2.2.1.1).

A value of type Unspecified carries its type with it and is a `TypedValue` in Python. Restriction and
RuleAction values are their encoded bytes in the same form. Strings that hold a zero cannot be written: they
are cut there, since a stored property must never make its mailbox unreadable.

Errors: DecodeError with offset; EncodeError for values that do not fit.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from appliance.mapi import codepages
from appliance.mapi import types as t
from appliance.wire.cursor import Reader, Writer
from appliance.wire.errors import DecodeError, EncodeError
from appliance.wire.limits import MAX_ARRAY, MAX_BYTES, MAX_DEPTH

Read = Callable[[Reader], Any]
Write = Callable[[Writer, Any], None]

PRESENT, NOT_PRESENT = 0xFF, 0x00  # HasValue, MS-OXCMAPIHTTP 2.2.1.1


class TypedValue(NamedTuple):
    """A value that brings its type along (MS-OXCDATA 2.11.3)."""

    type: int
    value: t.Value


@dataclass(frozen=True)
class Form:
    """One variant of the wire. Made by the functions below, compared by identity."""

    count: int  # bytes of the byte count of Binary: 2 or 4
    action_count: int  # bytes of the counts inside RuleAction: 2 or 4
    page: int  # code page of String8
    has_value: bool  # presence bytes before values of varying size
    readers: dict[int, Read]
    writers: dict[int, Write]

    def __hash__(self) -> int:
        return id(self)

    def read(self, reader: Reader, property_type: int) -> Any:
        """A value of the type. TypedValue for Unspecified."""
        read = self.readers.get(property_type)
        if read is None:
            raise DecodeError(f"property type 0x{property_type:04X}", reader.pos)
        return read(reader)

    def write(self, writer: Writer, property_type: int, value: Any) -> None:
        """Writes a value of the type. EncodeError when it does not fit."""
        write = self.writers.get(property_type)
        if write is None:
            raise EncodeError(f"property type 0x{property_type:04X}")
        try:
            write(writer, value)
        except (TypeError, AttributeError, ValueError, OverflowError, struct.error) as error:
            if isinstance(error, EncodeError):
                raise
            raise EncodeError(f"{value!r} in a property of type 0x{property_type:04X}") from None


@lru_cache(maxsize=128)
def rop_form(page: int = codepages.DEFAULT) -> Form:
    """Values in ROP buffers, String8 in the code page of the logon."""
    return _make(2, 2, page, False)


@lru_cache(maxsize=128)
def extended_form(page: int = codepages.DEFAULT) -> Form:
    """Values with 32-bit counts: extended rules (MS-OXORULE 2.2.4) and MS-OXCMAPIHTTP."""
    return _make(4, 4, page, False)


@lru_cache(maxsize=128)
def address_book_form(page: int = codepages.DEFAULT) -> Form:
    """Values of the address book over HTTP: presence bytes (MS-OXCMAPIHTTP 2.2.1.1)."""
    return _make(4, 4, page, True)


@lru_cache(maxsize=128)
def outer_form(page: int = codepages.DEFAULT) -> Form:
    """The address book's, as who reads only MS-OXCMAPIHTTP 2.2.1.1 writes it: elements are not marked."""
    return _make(4, 4, page, True, marks_elements=False)


def _packed(code: str) -> tuple[Read, Write]:
    layout = struct.Struct("<" + code)
    size, unpack, pack = layout.size, layout.unpack_from, layout.pack

    def read(reader: Reader) -> Any:
        return unpack(reader.data, reader.need(size, "value"))[0]

    def write(writer: Writer, value: Any) -> None:
        writer.buf += pack(value)

    return read, write


def _integer(size: int, signed: bool) -> tuple[Read, Write]:
    read, _ = _packed({2: "h", 4: "i", 8: "q"}[size] if signed else {4: "I", 8: "Q"}[size])

    def write(writer: Writer, value: int) -> None:
        # Signed fields take the unsigned number with the same bits (appliance.mapi.types).
        writer.buf += value.to_bytes(size, "little", signed=signed and value < 0)

    return read, write


def _read_boolean(reader: Reader) -> bool:
    # MS-OXCDATA 2.11.1 restricts it to 0 and 1; observed: peers that send other non-zero bytes.
    return reader.u8("Boolean") != 0


def _write_boolean(writer: Writer, value: bool) -> None:
    writer.buf.append(1 if value else 0)


def _read_nothing(_reader: Reader) -> None:
    return None


def _write_nothing(_writer: Writer, _value: None) -> None:
    return None


def _read_guid(reader: Reader) -> bytes:
    return reader.take(16, "Guid")


def _write_guid(writer: Writer, value: bytes) -> None:
    if len(value) != 16:
        raise EncodeError(f"a Guid of {len(value)} bytes")
    writer.buf += value


def _read_unicode(reader: Reader) -> str:
    return reader.nul_utf16()


def _write_unicode(writer: Writer, value: str) -> None:
    if "\0" in value:
        value = value[: value.index("\0")]
    writer.buf += value.encode("utf-16-le", "surrogatepass") + b"\0\0"


def _string8(page: int) -> tuple[Read, Write]:
    def read(reader: Reader) -> str:
        return codepages.decode(reader.nul_bytes(), page)

    def write(writer: Writer, value: str) -> None:
        data = codepages.encode(value, page)
        end = data.find(b"\0")
        writer.nul_bytes(data if end < 0 else data[:end])

    return read, write


def _binary(count: int) -> tuple[Read, Write]:
    def read(reader: Reader) -> bytes:
        return reader.take(reader.count(count, 1, "byte count", MAX_BYTES))

    def write(writer: Writer, value: bytes) -> None:
        writer.buf += len(value).to_bytes(count, "little") + value

    return read, write


def _with_presence(codec: tuple[Read, Write], empty: Any) -> tuple[Read, Write]:
    """A value behind a presence byte; an absent one reads as the empty value."""
    read_value, write_value = codec

    def read(reader: Reader) -> Any:
        at = reader.pos
        flag = reader.u8("HasValue")
        if flag == NOT_PRESENT:
            return empty
        if flag != PRESENT:
            raise DecodeError(f"HasValue 0x{flag:02X}", at)
        return read_value(reader)

    def write(writer: Writer, value: Any) -> None:
        writer.buf.append(PRESENT)
        write_value(writer, value)

    return read, write


def _multiple(codec: tuple[Read, Write], least: int) -> tuple[Read, Write]:
    read_one, write_one = codec

    def read(reader: Reader) -> tuple[Any, ...]:
        count = reader.count(4, least, "value count", MAX_ARRAY)
        return tuple([read_one(reader) for _ in range(count)])

    def write(writer: Writer, values: tuple[Any, ...]) -> None:
        if not isinstance(values, tuple | list):
            raise TypeError
        writer.u32(len(values), "value count")
        for value in values:
            write_one(writer, value)

    return read, write


def _rule_action(count: int) -> tuple[Read, Write]:
    """MS-OXORULE 2.2.5: a count, then that many blocks, each behind its length."""

    def read(reader: Reader) -> bytes:
        start = reader.pos
        for _ in range(reader.count(count, count, "action count", MAX_ARRAY)):
            reader.need(reader.count(count, 1, "action length", MAX_BYTES), "action")
        return reader.data[start : reader.pos]

    return read, _write_raw


def _write_raw(writer: Writer, value: bytes) -> None:
    writer.buf += value


def _make(count: int, action_count: int, page: int, has_value: bool, *, marks_elements: bool = True) -> Form:
    i16, i32, i64 = _integer(2, True), _integer(4, True), _integer(8, True)
    u32, u64 = _integer(4, False), _integer(8, False)
    f32, f64 = _packed("f"), _packed("d")
    guid = (_read_guid, _write_guid)
    null = (_read_nothing, _write_nothing)
    text: tuple[Read, Write] = (_read_unicode, _write_unicode)
    text8: tuple[Read, Write] = _string8(page)
    binary: tuple[Read, Write] = _binary(count)
    elements = {t.PtypString: text, t.PtypString8: text8, t.PtypBinary: binary}
    if has_value:
        text, text8 = _with_presence(text, ""), _with_presence(text8, "")
        binary = _with_presence(binary, b"")
    codecs: dict[int, tuple[Read, Write]] = {
        t.PtypNull: null,
        t.PtypInteger16: i16,
        t.PtypInteger32: i32,
        t.PtypFloating32: f32,
        t.PtypFloating64: f64,
        t.PtypCurrency: i64,
        t.PtypFloatingTime: f64,
        t.PtypErrorCode: u32,
        t.PtypBoolean: (_read_boolean, _write_boolean),
        t.PtypObject: u32 if has_value else binary,
        t.PtypInteger64: i64,
        t.PtypString8: text8,
        t.PtypString: text,
        t.PtypTime: u64,
        t.PtypGuid: guid,
        t.PtypServerId: binary,
        t.PtypRuleAction: _rule_action(action_count),
        t.PtypBinary: binary,
    }
    marked = has_value and marks_elements
    if marked:
        elements = {t.PtypString: text, t.PtypString8: text8, t.PtypBinary: binary}
    least = {t.PtypString: 2 - marked, t.PtypString8: 1, t.PtypBinary: 1 if marked else count}
    sizes = {t.PtypInteger16: 2, t.PtypInteger32: 4, t.PtypFloating32: 4, t.PtypGuid: 16}
    for element in _MULTIPLE:
        codec = _multiple(elements.get(element, codecs[element]), least.get(element) or sizes.get(element, 8))
        codecs[element | t.MULTIPLE_FLAG] = _with_presence(codec, ()) if has_value else codec
    form = Form(
        count,
        action_count,
        page,
        has_value,
        {property_type: codec[0] for property_type, codec in codecs.items()},
        {property_type: codec[1] for property_type, codec in codecs.items()},
    )
    form.readers[t.PtypUnspecified] = lambda reader: read_typed(reader, form)
    form.writers[t.PtypUnspecified] = lambda writer, value: write_typed(writer, value, form)
    form.readers[t.PtypRestriction] = lambda reader: _read_restriction(reader, form)
    form.writers[t.PtypRestriction] = _write_raw
    return form


_MULTIPLE = (
    t.PtypInteger16,
    t.PtypInteger32,
    t.PtypFloating32,
    t.PtypFloating64,
    t.PtypCurrency,
    t.PtypFloatingTime,
    t.PtypInteger64,
    t.PtypString8,
    t.PtypString,
    t.PtypTime,
    t.PtypGuid,
    t.PtypBinary,
)


def read_typed(reader: Reader, form: Form) -> TypedValue:
    """TypedPropertyValue (2.11.3): type, then value."""
    at = reader.pos
    property_type = reader.u16("property type")
    if property_type == t.PtypUnspecified:
        raise DecodeError("a typed value of type Unspecified", at)
    return TypedValue(property_type, form.read(reader, property_type))


def write_typed(writer: Writer, value: TypedValue, form: Form) -> None:
    """TypedPropertyValue (2.11.3)."""
    if value.type == t.PtypUnspecified:
        raise EncodeError("a typed value of type Unspecified")
    writer.u16(value.type, "property type")
    form.write(writer, value.type, value.value)


def read_tagged(reader: Reader, form: Form) -> tuple[int, Any]:
    """TaggedPropertyValue (2.11.4): tag, then value."""
    tag = reader.u32("property tag")
    return tag, form.read(reader, tag & 0xFFFF)


def write_tagged(writer: Writer, tag: int, value: Any, form: Form) -> None:
    """TaggedPropertyValue (2.11.4)."""
    writer.u32(tag, "property tag")
    form.write(writer, tag & 0xFFFF, value)


# Types whose values are structures that hold values again; inside restrictions they would nest without end.
STRUCTURED_TYPES = frozenset({t.PtypUnspecified, t.PtypRestriction, t.PtypRuleAction})


def read_plain(reader: Reader, form: Form) -> tuple[int, Any]:
    """A tagged value that may stand inside a restriction: no structures."""
    at = reader.pos
    tag = reader.u32("property tag")
    if tag & 0xFFFF in STRUCTURED_TYPES:
        raise DecodeError(f"property type 0x{tag & 0xFFFF:04X} inside a restriction", at)
    return tag, form.read(reader, tag & 0xFFFF)


def _read_restriction(reader: Reader, form: Form) -> bytes:
    """The bytes of one restriction (2.12); appliance.mapi.restrictions takes them apart."""
    start = reader.pos
    _skip_restriction(reader, form, 0)
    return reader.data[start : reader.pos]


def _skip_restriction(reader: Reader, form: Form, depth: int) -> None:
    at = reader.pos
    kind = reader.u8("restriction type")
    if depth > MAX_DEPTH:
        raise DecodeError(f"restrictions nested more than {MAX_DEPTH} deep", at)
    if kind in (0x00, 0x01):  # and, or
        for _ in range(reader.count(form.count, 2, "restriction count", MAX_ARRAY)):
            _skip_restriction(reader, form, depth + 1)
    elif kind == 0x02:  # not
        _skip_restriction(reader, form, depth + 1)
    elif kind in (0x03, 0x04):  # content, property: fuzzy level or operator, column, value
        reader.need(8 if kind == 0x03 else 5, "restriction")
        read_plain(reader, form)
    elif kind in (0x05, 0x06, 0x07):  # compare two properties, bit mask, size
        reader.need(9, "restriction")
    elif kind == 0x08:  # exists
        reader.need(4, "restriction")
    elif kind in (0x09, 0x0B):  # sub-object, count: a number before the restriction
        reader.need(4, "restriction")
        _skip_restriction(reader, form, depth + 1)
    elif kind == 0x0A:  # comment
        for _ in range(reader.u8("value count")):
            read_plain(reader, form)
        if reader.u8("restriction present"):
            _skip_restriction(reader, form, depth + 1)
    else:
        raise DecodeError(f"restriction type 0x{kind:02X}", at)
