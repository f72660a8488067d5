"""The packed bag in readable Python; the layout stands in the package's docstring.

Fails with DecodeError (offset in the row) and EncodeError (the tag's name).
"""

import struct
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from appliance.mapi import types as t
from appliance.mapi.tags import name_of
from appliance.wire.errors import DecodeError, EncodeError

VERSION = 1
MAX_PROPERTIES = 0xFFFF
HEADER_SIZE = 4
NARROW, WIDE = 2, 4

_ENDS = {NARROW: "H", WIDE: "I"}
_END_PAIRS = {NARROW: struct.Struct("<HH").unpack_from, WIDE: struct.Struct("<II").unpack_from}
_BOOLEANS = {False: b"\0", True: b"\1"}
_U32 = struct.Struct("<I")

Read = Callable[[bytes, int, int], Any]
Write = Callable[[Any], bytes]


def _integer(size: int, signed: bool) -> tuple[Read, Write]:
    code = {2: "h", 4: "i", 8: "q"}[size]
    layout = struct.Struct("<" + (code if signed else code.upper()))

    def read(data: bytes, start: int, end: int) -> int:
        _check_size(size, start, end)
        value: int = layout.unpack_from(data, start)[0]
        return value

    def write(value: int) -> bytes:
        # The bits count: 0xFFFFFFFF and -1 are one Integer32.
        return value.to_bytes(size, "little", signed=signed and value < 0)

    return read, write


def _float(code: str) -> tuple[Read, Write]:
    layout = struct.Struct("<" + code)

    def read(data: bytes, start: int, end: int) -> float:
        _check_size(layout.size, start, end)
        value: float = layout.unpack_from(data, start)[0]
        return value

    return read, layout.pack


def _check_size(size: int, start: int, end: int) -> None:
    if end - start != size:
        raise DecodeError(f"value of {end - start} bytes where its type has {size}", start)


def _read_boolean(data: bytes, start: int, end: int) -> bool:
    _check_size(1, start, end)
    if data[start] > 1:
        raise DecodeError("Boolean that is neither 0 nor 1", start)
    return data[start] == 1


def _read_string(data: bytes, start: int, end: int) -> str:
    try:
        return data[start:end].decode("utf-8", "surrogatepass")
    except UnicodeDecodeError as error:
        raise DecodeError("String that is not UTF-8", start + error.start) from None


def _write_string(value: str) -> bytes:
    return value.encode("utf-8", "surrogatepass")


def _read_bytes(data: bytes, start: int, end: int) -> bytes:
    return bytes(data[start:end])


def _write_bytes(value: bytes) -> bytes:
    if not isinstance(value, bytes | bytearray | memoryview):
        raise TypeError
    return bytes(value)


def _read_guid(data: bytes, start: int, end: int) -> bytes:
    _check_size(16, start, end)
    return bytes(data[start:end])


def _write_guid(value: bytes) -> bytes:
    if len(value) != 16:
        raise ValueError
    return bytes(value)


def _read_null(data: bytes, start: int, end: int) -> None:
    _check_size(0, start, end)


def _write_null(value: None) -> bytes:
    if value is not None:
        raise ValueError
    return b""


def _multiple_fixed(size: int, read_one: Read, write_one: Write) -> tuple[Read, Write]:
    def read(data: bytes, start: int, end: int) -> tuple[Any, ...]:
        if (end - start) % size:
            raise DecodeError(f"multi-value of {end - start} bytes where one takes {size}", start)
        return tuple(read_one(data, at, at + size) for at in range(start, end, size))

    def write(values: Sequence[Any]) -> bytes:
        return b"".join(map(write_one, values))

    return read, write


def _multiple_varying(read_one: Read, write_one: Write) -> tuple[Read, Write]:
    def read(data: bytes, start: int, end: int) -> tuple[Any, ...]:
        if end - start < 4:
            raise DecodeError("multi-value without count", start)
        (count,) = _U32.unpack_from(data, start)
        base = start + 4 + 4 * count
        if base > end:
            raise DecodeError("multi-value count past the value", start)
        ends = struct.unpack_from(f"<{count}I", data, start + 4)
        if base + (ends[-1] if ends else 0) != end:
            raise DecodeError("multi-value that does not fill its place", start)
        starts = (0, *ends[:-1])
        for index, (at, stop) in enumerate(zip(starts, ends, strict=False)):
            if not at <= stop <= end - base:
                raise DecodeError("multi-value ends out of order", start + 4 + 4 * index)
        return tuple(read_one(data, base + at, base + stop) for at, stop in zip(starts, ends, strict=False))

    def write(values: Sequence[Any]) -> bytes:
        if not isinstance(values, tuple | list):
            raise TypeError
        written = [write_one(value) for value in values]
        ends, at = [], 0
        for piece in written:
            at += len(piece)
            ends.append(at)
        return struct.pack(f"<{1 + len(ends)}I", len(ends), *ends) + b"".join(written)

    return read, write


_STRING = (_read_string, _write_string)
_BYTES = (_read_bytes, _write_bytes)
_GUID = (_read_guid, _write_guid)

_CODECS: dict[int, tuple[Read, Write]] = {
    t.PtypNull: (_read_null, _write_null),
    t.PtypInteger16: _integer(2, True),
    t.PtypInteger32: _integer(4, True),
    t.PtypFloating32: _float("f"),
    t.PtypFloating64: _float("d"),
    t.PtypCurrency: _integer(8, True),
    t.PtypFloatingTime: _float("d"),
    t.PtypErrorCode: _integer(4, False),
    t.PtypBoolean: (_read_boolean, _BOOLEANS.__getitem__),
    t.PtypObject: _BYTES,
    t.PtypInteger64: _integer(8, True),
    t.PtypString: _STRING,
    t.PtypTime: _integer(8, False),
    t.PtypGuid: _GUID,
    t.PtypServerId: _BYTES,
    t.PtypRestriction: _BYTES,
    t.PtypRuleAction: _BYTES,
    t.PtypBinary: _BYTES,
    t.PtypMultipleInteger16: _multiple_fixed(2, *_integer(2, True)),
    t.PtypMultipleInteger32: _multiple_fixed(4, *_integer(4, True)),
    t.PtypMultipleFloating32: _multiple_fixed(4, *_float("f")),
    t.PtypMultipleFloating64: _multiple_fixed(8, *_float("d")),
    t.PtypMultipleCurrency: _multiple_fixed(8, *_integer(8, True)),
    t.PtypMultipleFloatingTime: _multiple_fixed(8, *_float("d")),
    t.PtypMultipleInteger64: _multiple_fixed(8, *_integer(8, True)),
    t.PtypMultipleTime: _multiple_fixed(8, *_integer(8, False)),
    t.PtypMultipleGuid: _multiple_fixed(16, *_GUID),
    t.PtypMultipleString: _multiple_varying(*_STRING),
    t.PtypMultipleBinary: _multiple_varying(*_BYTES),
}
_READERS = {property_type: codec[0] for property_type, codec in _CODECS.items()}
_WRITERS = {property_type: codec[1] for property_type, codec in _CODECS.items()}

PACKABLE_TYPES = frozenset(_CODECS)


def pack(bag: t.ReadableBag) -> bytes:
    """The packed form. EncodeError: a type without one (String8, Unspecified), a value that does not fit."""
    if len(bag) > MAX_PROPERTIES:
        raise EncodeError(f"{len(bag)} properties in one bag, at most {MAX_PROPERTIES}")
    ordered = sorted(bag)
    values, ends, at = [], [], 0
    for tag in ordered:
        try:
            value = _WRITERS[tag & 0xFFFF](bag[tag])
        except (LookupError, TypeError, ValueError, OverflowError, AttributeError, struct.error):
            raise EncodeError(
                f"{name_of(tag)} cannot hold a {type(bag[tag]).__name__} of that value"
            ) from None
        values.append(value)
        at += len(value)
        ends.append(at)
    if at > 0xFFFFFFFF:
        raise EncodeError("more than 4 GiB in one bag")
    width = NARROW if at <= 0xFFFF else WIDE
    try:
        head = struct.pack(
            f"<BBH{len(ordered)}I{len(ordered)}{_ENDS[width]}", VERSION, width, len(ordered), *ordered, *ends
        )
    except struct.error:
        raise EncodeError("a property tag that is no 32-bit number") from None
    return head + b"".join(values)


def _open(data: bytes) -> tuple[int, int, int]:
    """Width, count and where the values begin."""
    if len(data) < HEADER_SIZE:
        raise DecodeError("bag header", len(data))
    width, count = data[1], data[2] | data[3] << 8
    if data[0] != VERSION:
        raise DecodeError(f"bag version {data[0]}", 0)
    if width not in _ENDS:
        raise DecodeError("bag offset width", 1)
    base = HEADER_SIZE + (4 + width) * count
    if base > len(data):
        raise DecodeError("bag table", len(data))
    return width, count, base


def tags(data: bytes) -> tuple[int, ...]:
    """The tags of a packed bag, ascending."""
    count = _open(data)[1]
    return struct.unpack_from(f"<{count}I", data, HEADER_SIZE)


def unpack(data: bytes) -> t.Bag:
    """The whole bag. DecodeError unless every byte is as `pack` would have written it."""
    width, count, base = _open(data)
    found = struct.unpack_from(f"<{count}I", data, HEADER_SIZE)
    ends = struct.unpack_from(f"<{count}{_ENDS[width]}", data, HEADER_SIZE + 4 * count)
    total = ends[-1] if ends else 0
    if base + total != len(data):
        raise DecodeError("bag values of another length", min(base + total, len(data)))
    if (width == WIDE) != (total > 0xFFFF):
        raise DecodeError("bag offset width", 1)
    bag: t.Bag = {}
    at, last = base, -1
    for index, tag in enumerate(found):
        stop = base + ends[index]
        if tag <= last:
            raise DecodeError("bag tags out of order", HEADER_SIZE + 4 * index)
        if not at <= stop <= len(data):
            raise DecodeError("bag ends out of order", HEADER_SIZE + 4 * count + width * index)
        bag[tag] = _read(data, tag, at, stop, HEADER_SIZE + 4 * index)
        at, last = stop, tag
    return bag


def _read(data: bytes, tag: int, start: int, end: int, tag_at: int) -> t.Value:
    reader = _READERS.get(tag & 0xFFFF)
    if reader is None:
        raise DecodeError(f"property type 0x{tag & 0xFFFF:04X}", tag_at)
    value: t.Value = reader(data, start, end)
    return value


def get(data: bytes, tag: int) -> t.Value:
    """One value, or None when the bag has no such tag; the rest is not unpacked."""
    width, count, base = _open(data)
    return _find(data, tag, width, count, base)


def get_many(data: bytes, wanted: Iterable[int]) -> list[t.Value]:
    """The values of several tags in their order, None for each that is absent."""
    width, count, base = _open(data)
    return [_find(data, tag, width, count, base) for tag in wanted]


def _find(data: bytes, tag: int, width: int, count: int, base: int) -> t.Value:
    ends_at = HEADER_SIZE + 4 * count
    needle = tag.to_bytes(4, "little")
    at = data.find(needle, HEADER_SIZE, ends_at)
    while at >= 0 and at % 4:
        at = data.find(needle, at + 1, ends_at)
    if at < 0:
        return None
    place = ends_at + (at - HEADER_SIZE) // 4 * width
    if at == HEADER_SIZE:
        start, end = base, base + int.from_bytes(data[place : place + width], "little")
    else:
        before, after = _END_PAIRS[width](data, place - width)
        start, end = base + before, base + after
    if not start <= end <= len(data):
        raise DecodeError("bag ends out of order", place)
    return _read(data, tag, start, end, at)
