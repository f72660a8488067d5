"""Values for the wire: cells for the tags that a client asks for, in the types that it asks for.

A client may ask for a string in its code page, or leave the type open (MS-OXCPRPT 3.2.5.1). What a response
has no room for is answered with ecMAPIOOM: the client then reads the value through a stream. Values of LARGE
bytes and less are never left out for want of room; there the ROP is given back instead.
"""

from collections.abc import Iterable, Sequence

from appliance.mapi import errors as ec
from appliance.mapi import types as t
from appliance.mapi.errors import MapiError
from appliance.mapi.rows import Cell, PropertyError, column_type, write_row
from appliance.mapi.tags import tag_of_id
from appliance.mapi.types import Value, type_of
from appliance.mapi.values import Form, TypedValue
from appliance.rop.properties import View, bag_tag
from appliance.wire.cursor import Writer
from appliance.wire.errors import EncodeError

LARGE = 4096
"""Bytes above which a value may be left out when the response has no room for it."""

MISSING = PropertyError(ec.ecNotFound)
TOO_LARGE = PropertyError(ec.ecMAPIOOM)
_8BIT = {t.PtypString: t.PtypString8, t.PtypMultipleString: t.PtypMultipleString8}


def cells(view: View, tags: Sequence[int], *, unicode: bool) -> list[Cell]:
    """The cell of each tag, in order. `unicode`: how strings stand whose type is left open."""
    return [_cell(view, tag, unicode) for tag in tags]


def _cell(view: View, tag: int, unicode: bool) -> Cell:
    if type_of(tag) == t.PtypUnspecified:
        return _open_cell(view, tag >> 16, unicode)
    value = view.get(bag_tag(tag))
    return MISSING if value is None else value


def _open_cell(view: View, number: int, unicode: bool) -> Cell:
    """A property by its id, in the type that it has."""
    known = tag_of_id(number)
    value = view.get(known) if known is not None else None
    if value is None:
        known = next((tag for tag in view.tags() if tag >> 16 == number), None)
        value = view.get(known) if known is not None else None
    if known is None or value is None:
        return MISSING
    if isinstance(value, PropertyError):
        return value
    kind = type_of(known)
    return TypedValue(kind if unicode else _8BIT.get(kind, kind), value)


def pack_row(tags: Sequence[int], found: Sequence[Cell], form: Form, room: int) -> bytes:
    """A PropertyRow (MS-OXCDATA 2.8.1) in at most `room` bytes. Raises ecBufferTooSmall."""
    cells_ = list(found)
    while True:
        writer = Writer()
        try:
            write_row(writer, tags, cells_, form)
        except EncodeError:
            cells_ = _writable(tags, cells_, form)
            continue
        if len(writer.buf) <= room:
            return bytes(writer.buf)
        largest = _largest(tags, cells_, form)
        if largest is None:
            raise MapiError(ec.ecBufferTooSmall)
        cells_[largest] = TOO_LARGE


def _size(tag: int, cell: Cell, form: Form) -> int:
    """Bytes of a cell's value."""
    if isinstance(cell, PropertyError) or not isinstance(cell, str | bytes | tuple):
        return 0
    writer = Writer()
    form.write(writer, column_type(tag), cell)
    return len(writer.buf)


def _largest(tags: Sequence[int], cells_: Sequence[Cell], form: Form) -> int | None:
    """The place of the largest value that may be left out."""
    sizes = [_size(tag, cell, form) for tag, cell in zip(tags, cells_, strict=True)]
    place = max(range(len(sizes)), key=sizes.__getitem__, default=None)
    return place if place is not None and sizes[place] > LARGE else None


def _writable(tags: Sequence[int], cells_: Sequence[Cell], form: Form) -> list[Cell]:
    """The cells, with those in error that cannot be written: binaries past what a count of 16 bits says."""
    kept: list[Cell] = []
    for tag, cell in zip(tags, cells_, strict=True):
        try:
            _size(tag, cell, form)
        except EncodeError:
            kept.append(TOO_LARGE)
        else:
            kept.append(cell)
    return kept


def tagged(view: View, *, unicode: bool) -> list[tuple[int, Value | PropertyError]]:
    """Every property of an object with the tag that it has on the wire, by tag."""
    found: list[tuple[int, Value | PropertyError]] = []
    for tag in sorted(view.tags()):
        value = view.get(tag)
        if value is not None:
            found.append((tag if unicode else wire_tag(tag), value))
    return found


def wire_tag(tag: int) -> int:
    """The tag of a property in 8-bit form."""
    kind = type_of(tag)
    return tag & 0xFFFF0000 | _8BIT.get(kind, kind)


def with_errors(values: Iterable[tuple[int, Value | PropertyError]]) -> list[tuple[int, Value]]:
    """Tagged values, what cannot be given as a property of type ErrorCode (MS-OXCDATA 2.11.4)."""
    return [
        (tag & 0xFFFF0000 | t.PtypErrorCode, value.code) if isinstance(value, PropertyError) else (tag, value)
        for tag, value in values
    ]
