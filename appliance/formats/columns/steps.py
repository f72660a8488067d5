"""The steps of which a line is made. Both twins take them as they are: plain tuples."""

from enum import IntEnum
from typing import NamedTuple

from appliance.formats.structures import Piece

CUT_SHORT = "a record that is cut short"
"""What is wrong with a record that lacks a field."""


MAX_STEPS = 64
"""Steps of a line, at most."""

MAX_COLUMNS = 16
"""Columns that are given, at most."""


class Kind(IntEnum):
    """What a step adds to a line. The numbers are those of native/columns."""

    TEXT = 0
    SERIAL = 1
    NUMBER = 2
    HEX = 3
    WORDS = 4
    DATE = 5
    COLUMN = 6
    LITERAL = 7
    PIECE = 8


class Step(NamedTuple):
    """One step. `offset` and `size` are a field's place in the record; made by the functions below."""

    kind: int
    offset: int
    size: int
    tail: int
    column: int
    text: bytes
    other: bytes
    choices: tuple[bytes, ...]


def _step(
    kind: Kind,
    place: tuple[int, int] = (0, 1),
    *,
    tail: int = 0,
    column: int = 0,
    text: bytes = b"",
    other: bytes = b"",
    choices: tuple[bytes, ...] = (),
) -> Step:
    return Step(int(kind), *place, tail, column, text, other, choices)


def text(data: bytes) -> Step:
    """These bytes."""
    return _step(Kind.TEXT, text=data)


def serial() -> Step:
    """The line's number in decimal."""
    return _step(Kind.SERIAL)


def number(place: tuple[int, int]) -> Step:
    """The field at (offset, size) in decimal."""
    return _step(Kind.NUMBER, place)


def hexadecimal(place: tuple[int, int], before: bytes, after: bytes, *, zero: bytes = b"") -> Step:
    """The field in hexadecimal between `before` and `after`; `zero` in place of all when it is given and the
    field is 0."""
    return _step(Kind.HEX, place, text=before, other=zero, choices=(after,))


def words(place: tuple[int, int], choices: tuple[bytes, ...], tail: int, last: bytes = b"") -> Step:
    """Words with a space between them: the choice that the low bits of the field name (`choices` has a
    power of two entries), the words of the text that begins at `tail`, `last`. Characters of the text
    outside ASCII become question marks."""
    return _step(Kind.WORDS, place, tail=tail, text=last, choices=choices)


def date(place: tuple[int, int]) -> Step:
    """The FILETIME in the field as a quoted date-time in UTC (RFC 9051 9, date-time)."""
    return _step(Kind.DATE, place)


def column(index: int) -> Step:
    """The record's entry of a column."""
    return _step(Kind.COLUMN, column=index)


def piece(index: int, which: Piece, empty: bytes) -> Step:
    """A piece of the structure (a row of `formats.structures`) that the record's entry of a column is;
    `empty` where the entry is None."""
    return _step(Kind.PIECE, (int(which), 1), column=index, other=empty)


def literal(index: int) -> Step:
    """The same as a literal (RFC 9051 4.3). NUL, which none may hold, becomes 0x80."""
    return _step(Kind.LITERAL, column=index)
