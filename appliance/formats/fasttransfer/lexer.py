"""FastTransfer streams taken apart as they arrive: bytes in, events out (MS-OXCFXICS 2.2.4.1).

A `Lexer` takes pieces of any size and gives what has become whole: markers and properties. A value of more
than INLINE bytes comes in pieces between `Begin` and `End`, so that no value is held whole; its pieces are
the bytes that the store keeps (text as UTF-8, without terminator). Strings of every form come as PtypString.

What is held: one value of at most INLINE bytes, or one multi-value of at most MAX_MULTIPLE. Work for a piece
is bounded by the piece. Raises DecodeError with the offset in the whole stream; then the lexer is done for.
"""

import codecs
import struct
from collections.abc import Generator
from typing import Any, NamedTuple

from appliance.formats.fasttransfer.markers import MARKERS, MetaTagIdsetGiven, MetaTagIdsetGivenBinary
from appliance.formats.fasttransfer.reference import (
    CODE_PAGE_FLAG,
    FIRST_NAMED,
    FIXED_SIZES,
    MULTIPLE,
    NAME_LID,
    NAME_STRING,
    is_varying,
)
from appliance.mapi import codepages
from appliance.mapi import types as t
from appliance.mapi.names import PropertyName
from appliance.wire.errors import DecodeError
from appliance.wire.limits import MAX_BYTES

INLINE = 32768
"""Bytes of a value on the wire that come in one event; more come in pieces."""
MAX_MULTIPLE = 1 << 20
"""Bytes of all values of a multi-value, and their number, at most."""
MAX_NAME = 512
"""Bytes of a property's string name, at most."""

_UTF16 = 1200
_SCALARS: dict[int, struct.Struct] = {
    t.PtypInteger16: struct.Struct("<h"),
    t.PtypInteger32: struct.Struct("<i"),
    t.PtypFloating32: struct.Struct("<f"),
    t.PtypFloating64: struct.Struct("<d"),
    t.PtypCurrency: struct.Struct("<q"),
    t.PtypFloatingTime: struct.Struct("<d"),
    t.PtypInteger64: struct.Struct("<q"),
    t.PtypTime: struct.Struct("<Q"),
}


class Mark(NamedTuple):
    """A marker."""

    marker: int


class Prop(NamedTuple):
    """A property with its value; `name` for ids from 0x8000."""

    tag: int
    name: PropertyName | None
    value: t.Value


class Begin(NamedTuple):
    """A big value begins: `size` bytes on the wire."""

    tag: int
    name: PropertyName | None
    size: int


class Data(NamedTuple):
    """A piece of the big value, in its stored form."""

    data: bytes


class End(NamedTuple):
    """The big value is whole."""


Event = Mark | Prop | Begin | Data | End
_Steps = Generator[None, None, bytes]


class Lexer:
    """One stream. `page` is the code page of PtypString8; `max_value` the bytes of one value, at most."""

    def __init__(self, page: int = codepages.DEFAULT, max_value: int = MAX_BYTES) -> None:
        self._page, self._max = page, max_value
        self._buffer = bytearray()
        self._offset = 0  # of the buffer's first byte in the stream
        self._events: list[Event] = []
        self._steps = self._run()
        self._inside = False
        next(self._steps)

    @property
    def is_between(self) -> bool:
        """Whether the stream stands between two elements, so that it may end here."""
        return not self._inside and not self._buffer

    def feed(self, data: bytes) -> list[Event]:
        """The events that the next bytes complete."""
        self._buffer += data
        self._events = []
        next(self._steps)
        return self._events

    def _take(self, size: int) -> _Steps:
        while len(self._buffer) < size:
            yield
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        self._offset += size
        return data

    def _run(self) -> Generator[None, None, None]:
        while True:
            self._inside = False
            while not self._buffer:
                yield
            self._inside = True
            at = self._offset
            tag = int.from_bytes((yield from self._take(4)), "little")
            if tag in MARKERS:
                self._events.append(Mark(tag))
                continue
            name = (yield from self._name()) if tag >> 16 >= FIRST_NAMED else None
            if tag == MetaTagIdsetGiven:
                tag = MetaTagIdsetGivenBinary
            kind = tag & 0xFFFF
            if kind in FIXED_SIZES:
                raw = yield from self._take(FIXED_SIZES[kind])
                self._events.append(Prop(tag, name, _scalar(kind, raw)))
            elif is_varying(kind):
                yield from self._varying(tag, name)
            elif kind in MULTIPLE:
                yield from self._multiple(tag, name)
            else:
                raise DecodeError(f"property type 0x{kind:04X}", at)

    def _name(self) -> Generator[None, None, PropertyName]:
        guid = yield from self._take(16)
        at = self._offset
        kind = (yield from self._take(1))[0]
        if kind == NAME_LID:
            return PropertyName(guid, int.from_bytes((yield from self._take(4)), "little"))
        if kind != NAME_STRING:
            raise DecodeError(f"kind of name {kind}", at)
        text = bytearray()
        while (unit := (yield from self._take(2))) != b"\0\0":
            text += unit
            if len(text) > MAX_NAME:
                raise DecodeError("a property name without end", at)
        try:
            return PropertyName(guid, text.decode("utf-16-le"))
        except UnicodeDecodeError:
            raise DecodeError("a property name that is not UTF-16", at) from None

    def _length(self, limit: int, what: str) -> Generator[None, None, int]:
        at = self._offset
        length = int.from_bytes((yield from self._take(4)), "little")
        if length > limit:
            raise DecodeError(f"{what}: {length}, at most {limit}", at)
        return length

    def _varying(self, tag: int, name: PropertyName | None) -> Generator[None, None, None]:
        size = yield from self._length(self._max, "bytes of a value")
        page = self._page_of(tag & 0xFFFF)
        plain = tag if page is None else tag & 0xFFFF0000 | t.PtypString
        if size <= INLINE:
            raw = yield from self._take(size)
            self._events.append(Prop(plain, name, raw if page is None else text_of(raw, page)))
            return
        self._events.append(Begin(plain, name, size))
        text = None if page is None else _Text(page)
        while size:
            while not self._buffer:
                yield
            piece = yield from self._take(min(size, len(self._buffer)))
            size -= len(piece)
            stored = piece if text is None else text.feed(piece, last=not size)
            if stored:
                self._events.append(Data(stored))
        self._events.append(End())

    def _page_of(self, kind: int) -> int | None:
        if kind == t.PtypString:
            return _UTF16
        if kind == t.PtypString8:
            return self._page
        return kind & ~CODE_PAGE_FLAG if kind & CODE_PAGE_FLAG else None

    def _multiple(self, tag: int, name: PropertyName | None) -> Generator[None, None, None]:
        kind = tag & 0xFFFF & ~t.MULTIPLE_FLAG
        count = yield from self._length(MAX_MULTIPLE, "values of a multi-value")
        values: list[Any] = []
        room = MAX_MULTIPLE
        page = self._page_of(kind)
        for _ in range(count):
            fixed = FIXED_SIZES.get(kind)
            size = fixed if fixed is not None else (yield from self._length(room, "bytes of a multi-value"))
            raw = yield from self._take(size)
            room -= size
            if room < 0:
                raise DecodeError(f"a multi-value of more than {MAX_MULTIPLE} bytes", self._offset)
            if fixed is not None:
                values.append(_scalar(kind, raw))
            else:
                values.append(raw if page is None else text_of(raw, page))
        plain = tag if page is None else tag & 0xFFFF0000 | t.PtypMultipleString
        self._events.append(Prop(plain, name, tuple(values)))


def _scalar(kind: int, raw: bytes) -> t.Value:
    if kind == t.PtypBoolean:
        return raw != b"\0\0"
    if kind == t.PtypGuid:
        return raw
    value: int | float = _SCALARS[kind].unpack(raw)[0]
    return value


def text_of(raw: bytes, page: int) -> str:
    """A string's text: without terminator, cut at a zero."""
    if page == _UTF16:
        text = raw[: len(raw) & ~1].decode("utf-16-le", "surrogatepass")
    else:
        text = codepages.decode(raw, page)
    end = text.find("\0")
    return text if end < 0 else text[:end]


class _Text:
    """A big string on its way to UTF-8."""

    def __init__(self, page: int) -> None:
        name = "utf-16-le" if page == _UTF16 else codepages.codec_of(page)
        self._decode = codecs.getincrementaldecoder(name)("surrogatepass" if page == _UTF16 else "replace")
        self._done = False

    def feed(self, data: bytes, *, last: bool) -> bytes:
        if self._done:
            return b""
        try:
            text = self._decode.decode(data, last)
        except UnicodeDecodeError:  # half a code unit at the end
            text = ""
        end = text.find("\0")
        if end >= 0:
            text, self._done = text[:end], True
        return text.encode("utf-8", "surrogatepass")
