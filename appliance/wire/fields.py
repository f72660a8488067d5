"""Field codecs: how one value of a record stands on the wire.

A codec has `decode(reader)` and `encode(writer, value)`. A `Packed` one has a fixed size and a struct code,
so that a record reads and writes runs of them at once. A `Contextual` one also gets the record, whose earlier
fields are set: conditions, lengths and variants that depend on them. Codecs are immutable and shared.

Decoding raises DecodeError, encoding EncodeError; both carry the field's path once a record has seen them.
"""

import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, IntFlag
from typing import Annotated, Any, Protocol

from appliance.wire.cursor import Reader, Writer
from appliance.wire.errors import DecodeError, EncodeError
from appliance.wire.limits import MAX_ARRAY, MAX_BYTES


class Codec(Protocol):
    """One value, both ways."""

    def decode(self, reader: Reader) -> Any:
        """Takes the value's bytes from the reader."""

    def encode(self, writer: Writer, value: Any) -> None:
        """Writes the value's bytes."""


@dataclass(frozen=True, slots=True)
class Packed:
    """A value of fixed size. `check` refuses or converts after reading, `prepare` before writing."""

    code: str
    check: Callable[[Any], Any] | None = None
    prepare: Callable[[Any], Any] | None = None

    @property
    def size(self) -> int:
        """Bytes on the wire."""
        return struct.calcsize("<" + self.code)

    def decode(self, reader: Reader) -> Any:
        """Takes the value."""
        at = reader.need(self.size, "value")
        (value,) = struct.unpack_from("<" + self.code, reader.data, at)
        if self.check is None:
            return value
        try:
            return self.check(value)
        except ValueError as error:
            raise DecodeError(str(error), at) from None

    def encode(self, writer: Writer, value: Any) -> None:
        """Writes the value."""
        try:
            writer.buf += struct.pack("<" + self.code, value if self.prepare is None else self.prepare(value))
        except (struct.error, ValueError, TypeError) as error:
            raise EncodeError(f"{value!r}: {error}") from None


U8, U16, U32, U64 = Packed("B"), Packed("H"), Packed("I"), Packed("Q")
I8, I16, I32, I64 = Packed("b"), Packed("h"), Packed("i"), Packed("q")
F32, F64 = Packed("f"), Packed("d")


def _to_bool(value: int) -> bool:
    if value > 1:
        raise ValueError(f"Boolean {value}")
    return value == 1


BOOL = Packed("B", _to_bool, bool)
# Where peers send any non-zero byte for true (MS-OXCDATA 2.11.1 allows 1 only; some fields say otherwise).
LOOSE_BOOL = Packed("B", bool, bool)


def FixedBytes(size: int) -> Packed:
    """Exactly `size` bytes."""

    def prepare(value: bytes) -> bytes:
        if len(value) != size:
            raise ValueError(f"{len(value)} bytes where {size} stand")
        return value

    return Packed(f"{size}s", None, prepare)


GUID = FixedBytes(16)


def Flags(kind: type[IntFlag], base: Packed) -> Packed:
    """An IntFlag; unknown bits pass and come back."""
    return Packed(base.code, kind, int)


def Member(kind: type[Enum], base: Packed) -> Packed:
    """A member of an enumeration; other numbers are refused."""

    def check(value: int) -> Enum:
        try:
            return kind(value)
        except ValueError:
            raise ValueError(f"{value} is no {kind.__name__}") from None

    return Packed(base.code, check, lambda member: kind(member).value)


def Const(value: int, base: Packed) -> Packed:
    """A number that has one legal value."""

    def check(found: int) -> int:
        if found != value:
            raise ValueError(f"0x{found:X} where 0x{value:X} stands")
        return found

    return Packed(base.code, check, check)


def Reserved(base: Packed) -> Packed:
    """A number that is ignored when read, and written as zero."""
    return Packed(base.code, lambda _found: 0, lambda _value: 0)


@dataclass(frozen=True, slots=True)
class CountedBytes:
    """A count of `width` bytes, then that many bytes."""

    width: int = 2
    limit: int = MAX_BYTES

    def decode(self, reader: Reader) -> bytes:
        """Takes count and bytes."""
        return reader.take(reader.count(self.width, 1, "byte count", self.limit))

    def encode(self, writer: Writer, value: bytes) -> None:
        """Writes count and bytes."""
        writer.number(len(value), self.width, what="byte count")
        writer.buf += value


def text_of(data: bytes, encoding: str, at: int) -> str:
    """Decodes text; lone surrogates of UTF-16 pass. DecodeError for bytes that are not in the encoding."""
    try:
        return data.decode(encoding, "surrogatepass" if encoding.startswith("utf") else "strict")
    except UnicodeDecodeError as error:
        raise DecodeError(f"not {encoding}", at + error.start) from None


def bytes_of(text: str, encoding: str) -> bytes:
    """Encodes text; EncodeError for characters that the encoding does not have."""
    try:
        return text.encode(encoding, "surrogatepass" if encoding.startswith("utf") else "strict")
    except UnicodeEncodeError as error:
        raise EncodeError(f"{text[error.start]!r} is not in {encoding}") from None


@dataclass(frozen=True, slots=True)
class CountedText:
    """A count of bytes, then text in an encoding, without terminator."""

    width: int = 2
    encoding: str = "utf-16-le"
    limit: int = MAX_BYTES

    def decode(self, reader: Reader) -> str:
        """Takes count and text."""
        size = reader.count(self.width, 1, "byte count", self.limit)
        at = reader.need(size, "text")
        return text_of(reader.data[at : at + size], self.encoding, at)

    def encode(self, writer: Writer, value: str) -> None:
        """Writes count and text."""
        data = bytes_of(value, self.encoding)
        writer.number(len(data), self.width, what="byte count")
        writer.buf += data


@dataclass(frozen=True, slots=True)
class NulText:
    """Text in an 8-bit encoding, ended by a zero byte."""

    encoding: str = "ascii"

    def decode(self, reader: Reader) -> str:
        """Takes text and terminator."""
        at = reader.pos
        return text_of(reader.nul_bytes(), self.encoding, at)

    def encode(self, writer: Writer, value: str) -> None:
        """Writes text and terminator."""
        writer.nul_bytes(bytes_of(value, self.encoding))


class _NulUtf16:
    def decode(self, reader: Reader) -> str:
        return reader.nul_utf16()

    def encode(self, writer: Writer, value: str) -> None:
        writer.nul_utf16(value)


class _NulBytes:
    def decode(self, reader: Reader) -> bytes:
        return reader.nul_bytes()

    def encode(self, writer: Writer, value: bytes) -> None:
        writer.nul_bytes(value)


class _Rest:
    def decode(self, reader: Reader) -> bytes:
        return reader.rest()

    def encode(self, writer: Writer, value: bytes) -> None:
        writer.buf += value


NUL_UTF16 = _NulUtf16()
NUL_BYTES = _NulBytes()
REST = _Rest()


@dataclass(frozen=True, slots=True)
class Array:
    """A count of `width` bytes, then that many values, as a tuple. Width 0: as many as there are."""

    element: Codec
    width: int = 2
    limit: int = MAX_ARRAY
    least: int = 1  # bytes that one element takes at least

    def decode(self, reader: Reader) -> tuple[Any, ...]:
        """Takes count and elements."""
        if self.width:
            return decode_many(
                self.element, reader, reader.count(self.width, self.least, "count", self.limit)
            )
        values: list[Any] = []
        while reader.pos < reader.end:
            if len(values) == self.limit:
                raise DecodeError(f"more than {self.limit} elements", reader.pos)
            values += decode_many(self.element, reader, 1, len(values))
        return tuple(values)

    def encode(self, writer: Writer, value: Sequence[Any]) -> None:
        """Writes count and elements."""
        if self.width:
            writer.number(len(value), self.width, what="count")
        encode_many(self.element, writer, value)


def decode_many(element: Codec, reader: Reader, count: int, first: int = 0) -> tuple[Any, ...]:
    """`count` values in a row; errors carry the index."""
    if isinstance(element, Packed) and element.check is None:
        layout = struct.Struct(
            f"<{count}{element.code}" if len(element.code) == 1 else "<" + element.code * count
        )
        return layout.unpack_from(reader.data, reader.need(layout.size, "elements"))
    values = []
    decode = element.decode
    for index in range(count):
        at = reader.pos
        try:
            values.append(decode(reader))
        except DecodeError as error:
            raise error.within(f"{first + index}") from None
        if reader.pos == at and count > MAX_EMPTY:
            raise DecodeError("elements without bytes", at)
    return tuple(values)


# An array of elements that take no bytes may have this many: more would be work without cost to the sender.
MAX_EMPTY = 4096


def encode_many(element: Codec, writer: Writer, values: Sequence[Any]) -> None:
    """The values in a row; errors carry the index."""
    for index, value in enumerate(values):
        try:
            element.encode(writer, value)
        except EncodeError as error:
            raise error.within(f"{index}") from None


class Contextual(Protocol):
    """A value whose form depends on earlier fields of the same record."""

    def decode_in(self, reader: Reader, record: Any) -> Any:
        """Takes the value; `record` has its earlier fields."""

    def encode_in(self, writer: Writer, value: Any, record: Any) -> None:
        """Writes the value."""


@dataclass(frozen=True, slots=True)
class When:
    """A field that is there only if the condition on earlier fields holds; None when it is not."""

    codec: Codec
    condition: Callable[[Any], Any]

    def decode_in(self, reader: Reader, record: Any) -> Any:
        """Takes the value, or nothing."""
        return self.codec.decode(reader) if self.condition(record) else None

    def encode_in(self, writer: Writer, value: Any, record: Any) -> None:
        """Writes the value, or nothing; EncodeError when presence and condition disagree."""
        if not self.condition(record):
            if value is not None:
                raise EncodeError("a value in a field that is absent here")
            return
        if value is None:
            raise EncodeError("no value in a field that is present here")
        self.codec.encode(writer, value)


@dataclass(frozen=True, slots=True)
class SizedBytes:
    """Bytes whose length an earlier field gives."""

    length: Callable[[Any], int]

    def decode_in(self, reader: Reader, record: Any) -> bytes:
        """Takes the bytes."""
        return reader.take(self.length(record))

    def encode_in(self, writer: Writer, value: bytes, record: Any) -> None:
        """Writes the bytes; EncodeError when the length field says otherwise."""
        if len(value) != self.length(record):
            raise EncodeError(f"{len(value)} bytes where the length field says {self.length(record)}")
        writer.buf += value


@dataclass(frozen=True, slots=True)
class SizedArray:
    """Values whose number an earlier field gives."""

    element: Codec
    count: Callable[[Any], int]
    limit: int = MAX_ARRAY

    def decode_in(self, reader: Reader, record: Any) -> tuple[Any, ...]:
        """Takes the values."""
        count = self.count(record)
        if count > self.limit or count > max(reader.remaining, MAX_EMPTY):
            raise DecodeError(f"{count} elements", reader.pos)
        return decode_many(self.element, reader, count)

    def encode_in(self, writer: Writer, value: Sequence[Any], record: Any) -> None:
        """Writes the values; EncodeError when the count field says otherwise."""
        if len(value) != self.count(record):
            raise EncodeError(f"{len(value)} elements where the count field says {self.count(record)}")
        encode_many(self.element, writer, value)


@dataclass(frozen=True, slots=True)
class Variant:
    """A value whose layout an earlier field chooses."""

    tag: Callable[[Any], Any]
    cases: Mapping[Any, Codec]

    def decode_in(self, reader: Reader, record: Any) -> Any:
        """Takes the value in the chosen layout. DecodeError for an unknown choice."""
        tag = self.tag(record)
        case = self.cases.get(tag)
        if case is None:
            raise DecodeError(f"unknown kind {tag!r}", reader.pos)
        return case.decode(reader)

    def encode_in(self, writer: Writer, value: Any, record: Any) -> None:
        """Writes the value in the chosen layout."""
        tag = self.tag(record)
        case = self.cases.get(tag)
        if case is None:
            raise EncodeError(f"unknown kind {tag!r}")
        case.encode(writer, value)


UInt8 = Annotated[int, U8]
UInt16 = Annotated[int, U16]
UInt32 = Annotated[int, U32]
UInt64 = Annotated[int, U64]
Int8 = Annotated[int, I8]
Int16 = Annotated[int, I16]
Int32 = Annotated[int, I32]
Int64 = Annotated[int, I64]
Bool = Annotated[bool, BOOL]
Guid = Annotated[bytes, GUID]
Bytes16 = Annotated[bytes, CountedBytes(2)]
Bytes32 = Annotated[bytes, CountedBytes(4)]
Utf16 = Annotated[str, NUL_UTF16]
Ascii = Annotated[str, NulText("ascii")]
RawString = Annotated[bytes, NUL_BYTES]
Remaining = Annotated[bytes, REST]
