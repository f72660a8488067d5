"""Property lists of TNEF, both ways (MS-OXTNEF 2.1.3.4): counted, every value padded to four bytes."""

import struct
from collections.abc import Iterable, Mapping
from typing import Final

from appliance.formats.tnef.layout import MAX_PROPERTIES, MAX_TOTAL, MAX_VALUES
from appliance.mapi import codepages
from appliance.mapi.names import PropertyName
from appliance.mapi.objects import Named
from appliance.mapi.types import (
    MULTIPLE_FLAG,
    Bag,
    PtypBinary,
    PtypBoolean,
    PtypCurrency,
    PtypErrorCode,
    PtypFloating32,
    PtypFloating64,
    PtypFloatingTime,
    PtypGuid,
    PtypInteger16,
    PtypInteger32,
    PtypInteger64,
    PtypNull,
    PtypObject,
    PtypString,
    PtypString8,
    PtypTime,
    Scalar,
    Value,
)
from appliance.wire.cursor import Reader, Writer
from appliance.wire.errors import DecodeError, EncodeError

NAMED: Final = 0x8000
"""Ids from here on are followed by the property's name."""

_LID, _STRING = 0, 1
_FIXED: Final = {
    PtypInteger16: "h", PtypInteger32: "i", PtypFloating32: "f", PtypFloating64: "d", PtypCurrency: "q",
    PtypFloatingTime: "d", PtypErrorCode: "I", PtypBoolean: "H", PtypInteger64: "q", PtypTime: "Q",
    PtypGuid: "16s", PtypNull: "i",
}  # fmt: skip
_VARIABLE: Final = frozenset({PtypString8, PtypString, PtypBinary, PtypObject})


class Budget:
    """What is left of MAX_TOTAL."""

    __slots__ = ("_left",)

    def __init__(self) -> None:
        self._left = MAX_TOTAL

    def spend(self, count: int, reader: Reader) -> int:
        """Take `count` away, and give it back. Raises DecodeError when there is no more."""
        self._left -= count
        if self._left < 0:
            raise DecodeError(f"more than {MAX_TOTAL} properties and values", reader.pos)
        return count


def _padding(size: int) -> int:
    return -size % 4


def read_list(reader: Reader, page: int, budget: Budget) -> tuple[Bag, Named]:
    """A MsgPropertyList. Strings in `page` become Unicode. Raises DecodeError."""
    bag: Bag = {}
    named: Named = {}
    for _ in range(budget.spend(reader.count(4, 8, "properties", MAX_PROPERTIES), reader)):
        kind, number = reader.u16("property type"), reader.u16("property id")
        name = _read_name(reader) if number >= NAMED else None
        value = _read_value(reader, kind, page, budget)
        kind = _unicode(kind)
        if name is not None:
            named[name, kind] = value
        else:
            bag[number << 16 | kind] = value
    return bag, named


def _unicode(kind: int) -> int:
    return kind + PtypString - PtypString8 if kind & ~MULTIPLE_FLAG == PtypString8 else kind


def _read_name(reader: Reader) -> PropertyName:
    guid, kind = reader.take(16, "property set"), reader.u32("kind of name")
    if kind == _LID:
        return PropertyName(guid, reader.u32("LID"))
    if kind != _STRING:
        raise DecodeError(f"a name of kind {kind}", reader.pos - 4)
    data = _read_padded(reader, "property name")
    return PropertyName(guid, data.decode("utf-16-le", "replace").rstrip("\0"))


def _read_padded(reader: Reader, what: str) -> bytes:
    size = reader.u32(f"{what}'s size")
    data = reader.take(size, what)
    reader.take(min(_padding(size), reader.remaining), "padding")
    return data


def _read_value(reader: Reader, kind: int, page: int, budget: Budget) -> Value:
    scalar = kind & ~MULTIPLE_FLAG
    if scalar in _VARIABLE:
        values = tuple(
            _variable(_read_padded(reader, "value"), scalar, page)
            for _ in range(budget.spend(reader.count(4, 4, "values", MAX_VALUES), reader))
        )
        if kind & MULTIPLE_FLAG:
            return values  # type: ignore[return-value]
        return values[0] if values else (b"" if scalar in (PtypBinary, PtypObject) else "")
    if scalar not in _FIXED:
        raise DecodeError(f"a property of type {kind:#06x}", reader.pos)
    if not kind & MULTIPLE_FLAG:
        return _read_fixed(reader, scalar)
    count = budget.spend(reader.count(4, struct.calcsize(_FIXED[scalar]), "values", MAX_VALUES), reader)
    return tuple(_read_fixed(reader, scalar) for _ in range(count))  # type: ignore[return-value]


def _read_fixed(reader: Reader, kind: int) -> Value:
    layout = struct.Struct("<" + _FIXED[kind])
    (value,) = layout.unpack(reader.take(layout.size, "value"))
    reader.take(min(_padding(layout.size), reader.remaining), "padding")
    if kind == PtypNull:
        return None
    return bool(value) if kind == PtypBoolean else value


def _variable(data: bytes, kind: int, page: int) -> str | bytes:
    if kind == PtypString:
        return data.decode("utf-16-le", "replace").removesuffix("\0")
    return codepages.decode(data, page).removesuffix("\0") if kind == PtypString8 else data


def write_list(bag: Mapping[int, Value], named: Named) -> bytes:
    """A MsgPropertyList. Raises EncodeError."""
    writer = Writer()
    rows: list[tuple[int, PropertyName | None, Value]]
    rows = [(tag, None, value) for tag, value in sorted(bag.items()) if value is not None]
    rows += [(NAMED << 16 | kind, name, value) for (name, kind), value in named.items() if value is not None]
    writer.u32(len(rows))
    for number, (tag, name, value) in enumerate(rows):
        writer.u16(tag & 0xFFFF)
        writer.u16(tag >> 16 if name is None else NAMED + number)
        if name is not None:
            _write_name(writer, name)
        _write_value(writer, tag & 0xFFFF, value)
    return writer.getvalue()


def _write_name(writer: Writer, name: PropertyName) -> None:
    writer.put(name.guid)
    if isinstance(name.lid_or_name, int):
        writer.u32(_LID)
        writer.u32(name.lid_or_name)
    else:
        writer.u32(_STRING)
        _write_padded(writer, (name.lid_or_name + "\0").encode("utf-16-le", "surrogatepass"))


def _write_padded(writer: Writer, data: bytes) -> None:
    writer.u32(len(data))
    writer.put(data + bytes(_padding(len(data))))


def _write_value(writer: Writer, kind: int, value: Value) -> None:
    scalar = kind & ~MULTIPLE_FLAG
    values: Iterable[Scalar] = value if isinstance(value, tuple) else () if value is None else (value,)
    if scalar in _VARIABLE or kind & MULTIPLE_FLAG:
        writer.u32(len(value) if isinstance(value, tuple) else 1)
    for each in values:
        if scalar in _VARIABLE:
            _write_padded(writer, _variable_bytes(each, scalar))
        else:
            _write_fixed(writer, scalar, each)


def _variable_bytes(value: Scalar, kind: int) -> bytes:
    if kind == PtypString and isinstance(value, str):
        return (value + "\0").encode("utf-16-le", "surrogatepass")
    if isinstance(value, bytes):
        return value
    raise EncodeError(f"a value of type {kind:#06x} that is a {type(value).__name__}")


def _write_fixed(writer: Writer, kind: int, value: Scalar) -> None:
    try:
        data = struct.pack("<" + _FIXED[kind], value)
    except (KeyError, struct.error) as error:
        raise EncodeError(f"a value of type {kind:#06x}: {error}") from error
    writer.put(data + bytes(_padding(len(data))))
