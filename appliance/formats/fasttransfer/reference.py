"""The lexical form of FastTransfer streams in readable Python: how properties are written, where streams end.

Rules (MS-OXCFXICS 2.2.4.1): a stream is markers and propValues. A propValue is type and id (the four bytes
of a tag), for ids from 0x8000 the property's name, then the value: of fixed size as it is, of varying size
behind its 32-bit length, multi-values behind a 32-bit count. Booleans take two bytes; strings carry their
terminating null. A stream may be cut between two atoms (marker, type with id and name, fixed value, length)
and anywhere inside a value of varying size, nowhere else.

`pack` writes properties, `head` what stands before the bytes of a big one. `cut` walks from a cut to the next
possible one, in the state that the last cut left. Values of types that no stream may carry (Null, ErrorCode,
Restriction, RuleAction) are left out, as 2.2.4.3.20 asks for errors.

Fails with EncodeError (the tag's name) for values that do not fit their type, DecodeError (offset) for
streams that have another form.
"""

import struct
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from appliance.formats.fasttransfer.markers import MARKERS, MetaTagIdsetGiven
from appliance.mapi import codepages
from appliance.mapi import types as t
from appliance.mapi.tags import name_of
from appliance.wire.errors import DecodeError, EncodeError

UNICODE = 0
"""Strings as PtypString."""
CODE_PAGE_UNICODE = 0x84B0
"""Strings as the code page property type of UTF-16 (2.2.4.1.1.1)."""
CODE_PAGE_FLAG = 0x8000

FIRST_NAMED = 0x8000
NAME_LID, NAME_STRING = 0, 1

_U32 = struct.Struct("<I")

_FIXED: dict[int, Callable[[Any], bytes]] = {
    t.PtypInteger16: lambda value: value.to_bytes(2, "little", signed=value < 0),
    t.PtypInteger32: lambda value: value.to_bytes(4, "little", signed=value < 0),
    t.PtypFloating32: struct.Struct("<f").pack,
    t.PtypFloating64: struct.Struct("<d").pack,
    t.PtypCurrency: lambda value: value.to_bytes(8, "little", signed=value < 0),
    t.PtypFloatingTime: struct.Struct("<d").pack,
    t.PtypBoolean: lambda value: b"\1\0" if value else b"\0\0",
    t.PtypInteger64: lambda value: value.to_bytes(8, "little", signed=value < 0),
    t.PtypTime: lambda value: value.to_bytes(8, "little"),
    t.PtypGuid: lambda value: _guid(value),
}
FIXED_SIZES: Mapping[int, int] = {
    t.PtypInteger16: 2,
    t.PtypInteger32: 4,
    t.PtypFloating32: 4,
    t.PtypFloating64: 8,
    t.PtypCurrency: 8,
    t.PtypFloatingTime: 8,
    t.PtypBoolean: 2,
    t.PtypInteger64: 8,
    t.PtypTime: 8,
    t.PtypGuid: 16,
}
VARYING = frozenset({t.PtypString, t.PtypString8, t.PtypServerId, t.PtypBinary, t.PtypObject})
MULTIPLE = frozenset(
    kind | t.MULTIPLE_FLAG
    for kind in (*FIXED_SIZES.keys() - {t.PtypBoolean}, t.PtypString, t.PtypString8, t.PtypBinary)
)


def _guid(value: bytes) -> bytes:
    if len(value) != 16:
        raise ValueError(f"a Guid of {len(value)} bytes")
    return value


def is_varying(property_type: int) -> bool:
    """Whether values of the type stand behind a length; code page string types do."""
    return property_type in VARYING or bool(property_type & CODE_PAGE_FLAG)


def _terminated(text: str, strings: int) -> bytes:
    """The bytes of a string with its terminator; text is cut at a zero, which no reader could pass."""
    end = text.find("\0")
    text = text if end < 0 else text[:end]
    if strings in (UNICODE, CODE_PAGE_UNICODE):
        return text.encode("utf-16-le", "surrogatepass") + b"\0\0"
    return codepages.encode(text, strings).split(b"\0")[0] + b"\0"


def string_type(strings: int) -> int:
    """The property type that single strings get."""
    if strings == UNICODE:
        return t.PtypString
    return CODE_PAGE_UNICODE if strings == CODE_PAGE_UNICODE else t.PtypString8


def pack(props: Iterable[tuple[int, t.Value]], strings: int, names: Mapping[int, bytes]) -> bytes:
    """The propValues of a list. `strings` is UNICODE, CODE_PAGE_UNICODE or a code page; `names` has the
    namedPropInfo of ids from 0x8000: a property whose id is not there is left out."""
    out: list[bytes] = []
    for tag, value in props:
        kind, number = tag & 0xFFFF, tag >> 16
        if kind not in _FIXED and kind not in VARYING and kind not in MULTIPLE:
            continue
        name = names.get(number) if number >= FIRST_NAMED else b""
        if name is None:
            continue
        try:
            out.append(_prop(tag, kind, value, strings, name))
        except (TypeError, ValueError, OverflowError, AttributeError, struct.error):
            raise EncodeError(f"value of {name_of(tag)}") from None
    return b"".join(out)


def _prop(tag: int, kind: int, value: Any, strings: int, name: bytes) -> bytes:
    if tag == MetaTagIdsetGiven:
        return _U32.pack(tag) + _sized(_bytes(value))
    if kind & t.MULTIPLE_FLAG:
        return _multiple(tag, kind & ~t.MULTIPLE_FLAG, value, strings, name)
    fixed = _FIXED.get(kind)
    if fixed is not None:
        return _U32.pack(tag) + name + fixed(value)
    if kind in (t.PtypString, t.PtypString8):
        kind = string_type(strings)
        return _U32.pack(tag & 0xFFFF0000 | kind) + name + _sized(_terminated(_text(value), strings))
    return _U32.pack(tag) + name + _sized(_bytes(value))


def _multiple(tag: int, kind: int, values: Any, strings: int, name: bytes) -> bytes:
    if not isinstance(values, tuple | list):
        raise TypeError
    if kind in (t.PtypString, t.PtypString8):
        # Code page types are single (2.2.4.1.1.1): such strings stand in Unicode.
        form = UNICODE if strings == CODE_PAGE_UNICODE else strings
        kind = string_type(form)
        items = [_sized(_terminated(_text(value), form)) for value in values]
    elif kind == t.PtypBinary:
        items = [_sized(_bytes(value)) for value in values]
    else:
        items = [_FIXED[kind](value) for value in values]
    full = tag & 0xFFFF0000 | kind | t.MULTIPLE_FLAG
    return _U32.pack(full) + name + _U32.pack(len(items)) + b"".join(items)


def _sized(data: bytes) -> bytes:
    return _U32.pack(len(data)) + data


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _bytes(value: Any) -> bytes:
    if not isinstance(value, bytes):
        raise TypeError
    return value


class Place(NamedTuple):
    """Where in the lexical structure a cut lies. `left`: bytes of a value of varying size still to come;
    `values`: values of a multi-value still to come, of the type `kind`. All zero between two propValues."""

    left: int = 0
    values: int = 0
    kind: int = 0
    pending: int = 0
    """The type of a single value whose tag was passed and whose bytes come next, 0 for none."""


START = Place()


def cut(data: bytes, start: int, limit: int, place: Place = START) -> tuple[int, Place]:
    """The last place up to `limit` where the stream may be cut, walking from `start`, which is a cut of the
    kind `place`. Gives `start` itself when not even one atom fits. Raises DecodeError for what is no
    stream."""
    left, values, kind, pending = place
    at, end = start, min(limit, len(data))
    while True:
        if left:
            step = min(left, end - at)
            at, left = at + step, left - step
            if left:
                break
        elif values or pending:
            one = pending or kind
            size = FIXED_SIZES.get(one, 4)
            if end - at < size:
                break
            if one not in FIXED_SIZES:
                left = _U32.unpack_from(data, at)[0]
            at += size
            if pending & t.MULTIPLE_FLAG and not pending & CODE_PAGE_FLAG:
                values, kind, left = left, pending & ~t.MULTIPLE_FLAG, 0
            elif not pending:
                values -= 1
            pending = 0
        else:
            size = _definition(data, at, end)
            if not size:
                break
            tag = _U32.unpack_from(data, at)[0]
            at += size
            if tag not in MARKERS:
                pending = t.PtypBinary if tag == MetaTagIdsetGiven else tag & 0xFFFF
                if pending not in FIXED_SIZES and not is_varying(pending) and pending not in MULTIPLE:
                    raise DecodeError(f"property type 0x{pending:04X}", at - size)
    return at, Place(left, values, kind if values else 0, pending)


def _definition(data: bytes, at: int, end: int) -> int:
    """Bytes of the marker, or of tag and name, at `at`; 0 when it does not end before `end`."""
    if end - at < 4:
        return 0
    if data[at + 3] < 0x80:  # the high byte of the id
        return 4
    if end - at < 21:
        return 0
    kind = data[at + 20]
    if kind == NAME_LID:
        return 25 if end - at >= 25 else 0
    if kind != NAME_STRING:
        raise DecodeError(f"kind of name {kind}", at + 20)
    stop = at + 21
    while stop + 2 <= end:
        if data[stop : stop + 2] == b"\0\0":
            return stop + 2 - at
        stop += 2
    return 0
