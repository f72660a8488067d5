"""Restrictions (MS-OXCDATA 2.12): their forms on the wire, both ways.

The tree is immutable; tags and values of String8 type become Unicode when read. `values.Form` decides between
ROP buffers (16-bit counts, code pages) and extended rules (32-bit counts). Nesting deeper than MAX_NESTING
and trees of more than MAX_NODES are refused. What a restriction means is in appliance.mapi.matching.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import IntEnum, IntFlag
from typing import Any

from appliance.mapi import types as t
from appliance.mapi.values import Form, read_plain, write_tagged
from appliance.wire.cursor import Reader, Writer
from appliance.wire.errors import DecodeError, EncodeError

MAX_NESTING = 64
MAX_NODES = 10_000


class Kind(IntEnum):
    """RestrictType (2.12)."""

    AND = 0x00
    OR = 0x01
    NOT = 0x02
    CONTENT = 0x03
    PROPERTY = 0x04
    COMPARE_PROPERTIES = 0x05
    BIT_MASK = 0x06
    SIZE = 0x07
    EXIST = 0x08
    SUB_OBJECT = 0x09
    COMMENT = 0x0A
    COUNT = 0x0B


class RelOp(IntEnum):
    """Relational operators (2.12.5.1)."""

    LT = 0x00
    LE = 0x01
    GT = 0x02
    GE = 0x03
    EQ = 0x04
    NE = 0x05
    RE = 0x06  # a pattern: no server evaluates it, and neither does this one
    MEMBER_OF_DL = 0x64


class Fuzzy(IntEnum):
    """FuzzyLevelLow (2.12.4.1): how much of the value must match."""

    FULL_STRING = 0x0000
    SUBSTRING = 0x0001
    PREFIX = 0x0002


class FuzzyFlags(IntFlag):
    """FuzzyLevelHigh (2.12.4.1): what makes no difference."""

    IGNORE_CASE = 0x0001
    IGNORE_NON_SPACE = 0x0002
    LOOSE = 0x0004


@dataclass(frozen=True, slots=True)
class And:
    """True when all parts are (2.12.1); an empty one is true."""

    parts: tuple["Restriction", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """True when any part is (2.12.2); an empty one is false."""

    parts: tuple["Restriction", ...]


@dataclass(frozen=True, slots=True)
class Not:
    """True when the part is not (2.12.3)."""

    part: "Restriction"


@dataclass(frozen=True, slots=True)
class Content:
    """A string or binary property against a pattern value (2.12.4)."""

    fuzzy: int
    flags: FuzzyFlags
    tag: int
    value_tag: int
    value: t.Value


@dataclass(frozen=True, slots=True)
class Property:
    """A property against a constant (2.12.5)."""

    operator: RelOp
    tag: int
    value_tag: int
    value: t.Value


@dataclass(frozen=True, slots=True)
class CompareProperties:
    """Two properties of the same object (2.12.6)."""

    operator: RelOp
    left: int
    right: int


@dataclass(frozen=True, slots=True)
class BitMask:
    """An Integer32 property under a mask (2.12.7): zero, or not zero."""

    nonzero: bool
    tag: int
    mask: int


@dataclass(frozen=True, slots=True)
class Size:
    """The size of a property's value in bytes (2.12.8)."""

    operator: RelOp
    tag: int
    size: int


@dataclass(frozen=True, slots=True)
class Exist:
    """Whether the object has the property (2.12.9)."""

    tag: int


@dataclass(frozen=True, slots=True)
class SubObject:
    """True when any recipient or attachment matches (2.12.10); the tag says which of the two."""

    tag: int  # PidTagMessageRecipients or PidTagMessageAttachments
    part: "Restriction"


@dataclass(frozen=True, slots=True)
class Comment:
    """Values that mean nothing to the server, and perhaps a restriction (2.12.11)."""

    values: tuple[tuple[int, t.Value], ...]
    part: "Restriction | None"


@dataclass(frozen=True, slots=True)
class Count:
    """At most `count` matches of the part are wanted (2.12.12)."""

    count: int
    part: "Restriction"


Restriction = (
    And
    | Or
    | Not
    | Content
    | Property
    | CompareProperties
    | BitMask
    | Size
    | Exist
    | SubObject
    | Comment
    | Count
)


class TooComplex(DecodeError):
    """A restriction that nests deeper, or has more parts, than is served."""


class _Parser:
    """One restriction being read: the form, and what is left of the limits."""

    __slots__ = ("form", "nodes", "reader")

    def __init__(self, reader: Reader, form: Form) -> None:
        self.reader = reader
        self.form = form
        self.nodes = MAX_NODES

    def node(self, depth: int) -> Restriction:
        at = self.reader.pos
        number = self.reader.u8("restriction type")
        self.nodes -= 1
        if depth > MAX_NESTING or self.nodes < 0:
            raise TooComplex("a restriction beyond the limits", at)
        read = _READERS.get(number)
        if read is None:
            raise DecodeError(f"restriction type 0x{number:02X}", at)
        return read(self, depth + 1)

    def parts(self, depth: int) -> tuple[Restriction, ...]:
        count = self.reader.count(self.form.count, 3, "restriction count", MAX_NODES)
        return tuple([self.node(depth) for _ in range(count)])

    def operator(self) -> RelOp:
        at = self.reader.pos
        number = self.reader.u8("operator")
        try:
            return RelOp(number)
        except ValueError:
            raise DecodeError(f"relational operator 0x{number:02X}", at) from None

    def tag(self) -> int:
        return t.unicode_tag(self.reader.u32("property tag"))

    def value(self) -> tuple[int, Any]:
        tag, value = read_plain(self.reader, self.form)
        return t.unicode_tag(tag), value


def _content(p: _Parser, _depth: int) -> Restriction:
    fuzzy, flags = p.reader.u16("fuzzy level"), FuzzyFlags(p.reader.u16("fuzzy flags"))
    return Content(fuzzy, flags, p.tag(), *p.value())


def _bit_mask(p: _Parser, _depth: int) -> Restriction:
    at = p.reader.pos
    operator = p.reader.u8("bit mask operator")
    if operator > 1:
        raise DecodeError(f"bit mask operator 0x{operator:02X}", at)
    return BitMask(operator == 1, p.tag(), p.reader.u32("mask"))


def _comment(p: _Parser, depth: int) -> Restriction:
    values = tuple([p.value() for _ in range(p.reader.u8("value count"))])
    return Comment(values, p.node(depth) if p.reader.u8("restriction present") else None)


_READERS: dict[int, Callable[[_Parser, int], Restriction]] = {
    Kind.AND: lambda p, depth: And(p.parts(depth)),
    Kind.OR: lambda p, depth: Or(p.parts(depth)),
    Kind.NOT: lambda p, depth: Not(p.node(depth)),
    Kind.CONTENT: _content,
    Kind.PROPERTY: lambda p, _: Property(p.operator(), p.tag(), *p.value()),
    Kind.COMPARE_PROPERTIES: lambda p, _: CompareProperties(p.operator(), p.tag(), p.tag()),
    Kind.BIT_MASK: _bit_mask,
    Kind.SIZE: lambda p, _: Size(p.operator(), p.tag(), p.reader.u32("size")),
    Kind.EXIST: lambda p, _: Exist(p.tag()),
    Kind.SUB_OBJECT: lambda p, depth: SubObject(p.tag(), p.node(depth)),
    Kind.COMMENT: _comment,
    Kind.COUNT: lambda p, depth: Count(p.reader.u32("count"), p.node(depth)),
}


def read(reader: Reader, form: Form) -> Restriction:
    """Takes one restriction. DecodeError with the offset of what is wrong."""
    return _Parser(reader, form).node(0)


def parse(data: bytes, form: Form) -> Restriction:
    """The restriction that fills `data`."""
    reader = Reader(data)
    restriction = read(reader, form)
    reader.expect_end("restriction")
    return restriction


def pack(restriction: Restriction, form: Form) -> bytes:
    """The restriction's bytes."""
    writer = Writer()
    write(writer, restriction, form)
    return writer.getvalue()


def write(writer: Writer, restriction: Restriction, form: Form, depth: int = 0) -> None:
    """Writes one restriction. EncodeError for values that do not fit, and beyond the nesting limit."""
    if depth > MAX_NESTING:
        raise EncodeError("a restriction beyond the nesting limit")
    match restriction:
        case And(parts) | Or(parts):
            writer.u8(Kind.AND if isinstance(restriction, And) else Kind.OR)
            writer.number(len(parts), form.count, what="restriction count")
            for part in parts:
                write(writer, part, form, depth + 1)
        case Not(part):
            writer.u8(Kind.NOT)
            write(writer, part, form, depth + 1)
        case SubObject(number, part) | Count(number, part):
            writer.u8(Kind.SUB_OBJECT if isinstance(restriction, SubObject) else Kind.COUNT)
            writer.u32(number)
            write(writer, part, form, depth + 1)
        case Comment(values, inner):
            writer.u8(Kind.COMMENT)
            writer.u8(len(values), "value count")
            for tag, value in values:
                write_tagged(writer, tag, value, form)
            writer.u8(inner is not None)
            if inner is not None:
                write(writer, inner, form, depth + 1)
        case _:
            _write_leaf(writer, restriction, form)


def _write_leaf(writer: Writer, restriction: Restriction, form: Form) -> None:
    match restriction:
        case Content(fuzzy, flags, tag, value_tag, value):
            writer.u8(Kind.CONTENT)
            writer.u16(fuzzy, "fuzzy level")
            writer.u16(int(flags), "fuzzy flags")
            writer.u32(tag)
            write_tagged(writer, value_tag, value, form)
        case Property(operator, tag, value_tag, value):
            writer.u8(Kind.PROPERTY)
            writer.u8(operator)
            writer.u32(tag)
            write_tagged(writer, value_tag, value, form)
        case CompareProperties(operator, left, right):
            writer.u8(Kind.COMPARE_PROPERTIES)
            writer.u8(operator)
            writer.u32(left)
            writer.u32(right)
        case BitMask(nonzero, tag, mask):
            writer.u8(Kind.BIT_MASK)
            writer.u8(nonzero)
            writer.u32(tag)
            writer.u32(mask, "mask")
        case Size(operator, tag, size):
            writer.u8(Kind.SIZE)
            writer.u8(operator)
            writer.u32(tag)
            writer.u32(size, "size")
        case Exist(tag):
            writer.u8(Kind.EXIST)
            writer.u32(tag)
        case _:
            raise EncodeError(f"{restriction!r} is no restriction")


def in_8_bits(restriction: Restriction) -> Restriction:
    """The same with properties and values of type String8, for clients that do not want Unicode."""
    match restriction:
        case And(parts):
            return And(tuple(map(in_8_bits, parts)))
        case Or(parts):
            return Or(tuple(map(in_8_bits, parts)))
        case Not(part):
            return Not(in_8_bits(part))
        case SubObject(tag, part):
            return SubObject(tag, in_8_bits(part))
        case Count(count, part):
            return Count(count, in_8_bits(part))
        case Comment(values, inner):
            narrow = tuple((_narrow(tag), value) for tag, value in values)
            return Comment(narrow, in_8_bits(inner) if inner is not None else None)
        case CompareProperties(operator, left, right):
            return CompareProperties(operator, _narrow(left), _narrow(right))
        case Content() | Property():
            return replace(
                restriction, tag=_narrow(restriction.tag), value_tag=_narrow(restriction.value_tag)
            )
        case BitMask() | Size() | Exist():
            return replace(restriction, tag=_narrow(restriction.tag))
    return restriction


def _narrow(tag: int) -> int:
    return tag & ~1 if t.element_type(t.type_of(tag)) == t.PtypString else tag
