"""FastTransfer streams taken apart into elements (MS-OXCFXICS 2.2.4.1), checked against where they were cut.

`elements(buffers)` gives markers and properties in order and fails on every breach of the lexical structure,
also when a cut between two buffers falls inside an atom (R981, R982).
"""

import struct
from dataclasses import dataclass

from tests.conformance.wire import FIXED, Reader, Value

START_TOP, START_SUB, END_FOLDER = 0x40090003, 0x400A0003, 0x400B0003
START_MESSAGE, END_MESSAGE, START_FAI = 0x400C0003, 0x400D0003, 0x40100003
START_EMBED, END_EMBED = 0x40010003, 0x40020003
START_RECIP, END_RECIP = 0x40030003, 0x40040003
NEW_ATTACH, END_ATTACH = 0x40000003, 0x400E0003
SYNC_CHG, SYNC_CHG_PARTIAL, SYNC_DEL, SYNC_END = 0x40120003, 0x407D0003, 0x40130003, 0x40140003
SYNC_READ, STATE_BEGIN, STATE_END = 0x402F0003, 0x403A0003, 0x403B0003
PROGRESS_MODE, PROGRESS_PER_MSG = 0x4074000B, 0x4075000B
SYNC_MESSAGE, GROUP_INFO, ERROR_INFO = 0x40150003, 0x407B0102, 0x40180003

MARKERS = frozenset(
    (
        *(START_TOP, START_SUB, END_FOLDER, START_MESSAGE, END_MESSAGE, START_FAI, START_EMBED, END_EMBED),
        *(START_RECIP, END_RECIP, NEW_ATTACH, END_ATTACH, SYNC_CHG, SYNC_CHG_PARTIAL, SYNC_DEL, SYNC_END),
        *(SYNC_READ, STATE_BEGIN, STATE_END, PROGRESS_MODE, PROGRESS_PER_MSG, SYNC_MESSAGE, GROUP_INFO),
        ERROR_INFO,
    )
)
"""MS-OXCFXICS 2.2.4.1.4."""

FX_DEL_PROP, EC_WARNING, NEW_FX_FOLDER = 0x40160003, 0x400F0003, 0x40110102
GROUP_ID, MESSAGE_PARTIAL, DN_PREFIX = 0x407C0003, 0x407A0003, 0x4008001E
META = frozenset((FX_DEL_PROP, EC_WARNING, NEW_FX_FOLDER, GROUP_ID, MESSAGE_PARTIAL, DN_PREFIX))
"""MS-OXCFXICS 2.2.4.1.5."""

IDSET_GIVEN = 0x40170003
CNSET_SEEN, CNSET_SEEN_FAI, CNSET_READ = 0x67960102, 0x67DA0102, 0x67D20102

Name = tuple[bytes, int | str]
"""A property set and a LID or a name."""


@dataclass(frozen=True)
class Prop:
    """A property or a meta-property. `name` is there for the ids from 0x8000 on."""

    tag: int
    name: Name | None
    value: Value

    @property
    def key(self) -> "int | tuple[Name, int]":
        """The tag, or the name and the type."""
        return self.tag if self.name is None else (self.name, self.tag & 0xFFFF)


@dataclass(frozen=True)
class Mark:
    """A marker."""

    tag: int


Element = Prop | Mark


class _Lexer:
    """Reads elements, and notes where the stream may be cut."""

    def __init__(self, data: bytes) -> None:
        self.reader = Reader(data)
        self.cuts: set[int] = {0}
        self.soft: list[tuple[int, int]] = []

    def atom(self) -> None:
        self.cuts.add(self.reader.at)

    def element(self) -> Element:
        reader = self.reader
        tag = reader.u32()
        if tag in MARKERS:
            self.atom()
            return Mark(tag)
        name = self._name() if tag >> 16 >= 0x8000 else None
        self.atom()
        value = self._value(tag)
        return Prop(tag, name, value)

    def _name(self) -> Name:
        """namedPropInfo of R2740."""
        guid, kind = self.reader.take(16), self.reader.u8()
        assert kind in (0, 1), f"kind {kind} of a name"
        if kind == 0:
            return guid, self.reader.u32()
        return guid, self.reader.until(b"\0\0").decode("utf-16-le")

    def _value(self, tag: int) -> Value:
        kind = tag & 0xFFFF
        if tag == IDSET_GIVEN:  # R3352
            return self._variable(0x102)
        if kind & 0x1000 and not kind & 0x8000:
            count = self.reader.u32()
            self.atom()
            return [self._single(kind & ~0x1000) for _ in range(count)]
        return self._single(kind)

    def _single(self, kind: int) -> Value:
        reader = self.reader
        value: Value
        if kind in FIXED and kind != 0xA:
            (value,) = struct.unpack(FIXED[kind], reader.take(struct.calcsize(FIXED[kind])))
        elif kind == 0xB:  # R990, R991
            value = reader.u16()
            assert value in (0, 1), "R991"
            value = bool(value)
        elif kind == 0x48:
            value = reader.take(16)
        else:
            return self._variable(kind)
        self.atom()
        return value

    def _variable(self, kind: int) -> Value:
        reader = self.reader
        assert kind in (0x1E, 0x1F, 0x102, 0xFB, 0xD) or kind & 0x8000, f"type {kind:#x} in a stream"
        size = reader.u32()
        self.atom()
        start = reader.at
        data = reader.take(size)
        self.soft.append((start, reader.at))
        self.atom()
        if kind == 0x1F or kind == 0x84B0:
            assert size % 2 == 0
            assert data[-2:] == b"\0\0", "R995"
            assert b"\0\0" not in [data[at : at + 2] for at in range(0, size - 2, 2)]
            return data[:-2].decode("utf-16-le")
        if kind == 0x1E or kind & 0x8000:
            assert data[-1:] == b"\0", "R995"
            return data[:-1]
        return data

    def may_cut(self, at: int) -> bool:
        """R981, R982."""
        return at in self.cuts or any(start <= at <= end for start, end in self.soft)


def elements(buffers: list[bytes]) -> list[Element]:
    """Every element of a stream that came in these buffers."""
    data = b"".join(buffers)
    lexer = _Lexer(data)
    found: list[Element] = []
    while lexer.reader.left:
        found.append(lexer.element())
    at = 0
    for buffer in buffers:
        at += len(buffer)
        assert lexer.may_cut(at), f"R982: cut inside an atom at {at}"
    return found


def marker(tag: int) -> bytes:
    """A marker in bytes."""
    return struct.pack("<I", tag)


def prop(tag: int, value: Value, name: Name | None = None) -> bytes:
    """A propValue in bytes."""
    head = struct.pack("<I", tag)
    if name is not None:
        guid, which = name
        if isinstance(which, int):
            head += guid + b"\0" + struct.pack("<I", which)
        else:
            head += guid + b"\1" + which.encode("utf-16-le") + b"\0\0"
    kind = tag & 0xFFFF
    if kind & 0x1000:
        assert isinstance(value, list)
        body = b"".join(_single(kind & ~0x1000, each) for each in value)
        return head + struct.pack("<I", len(value)) + body
    return head + _single(0x102 if tag == IDSET_GIVEN else kind, value)


def _single(kind: int, value: Value) -> bytes:
    if kind in FIXED:
        return struct.pack(FIXED[kind], value)
    if kind == 0xB:
        return struct.pack("<H", bool(value))
    if kind in (0x1F, 0x84B0):
        assert isinstance(value, str)
        value = value.encode("utf-16-le") + b"\0\0"
    elif kind == 0x1E:
        assert isinstance(value, bytes)
        value += b"\0"
    assert isinstance(value, bytes)
    return value if kind == 0x48 else struct.pack("<I", len(value)) + value
