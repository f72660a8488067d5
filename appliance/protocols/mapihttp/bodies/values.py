"""Property values, rows and restrictions of the address book on the wire (MS-OXCMAPIHTTP 2.2.1).

8-bit strings are in the code page of the request's STAT, which a response does not repeat: what is written
carries its page, what is read is taken in PAGE.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from appliance.mapi import codepages, restrictions, rows
from appliance.mapi import types as t
from appliance.mapi.restrictions import Restriction
from appliance.mapi.rows import Cell
from appliance.mapi.values import (
    Form,
    address_book_form,
    extended_form,
    outer_form,
    read_tagged,
    write_tagged,
)
from appliance.wire.cursor import Reader, Writer
from appliance.wire.errors import DecodeError
from appliance.wire.fields import U32, Array

MAX_TAGS = 100_000
"""Property tags of a LargePropertyTagArray, and Minimal Entry IDs of an explicit table (2.2.1.8)."""

MAX_VALUES = 4096
"""Values of one AddressBookPropertyValueList."""

MAX_ROWS = 100_000
PAGE = codepages.DEFAULT

PROPERTY_TAGS = Array(U32, 4, MAX_TAGS, 4)
"""LargePropertyTagArray (2.2.1.8)."""

MINIMAL_IDS = Array(U32, 4, MAX_TAGS, 4)
"""MinimalIdCount and MinimalIds."""

TaggedValue = tuple[int, t.Value]


class HasPage(Protocol):
    """A STAT, as far as it matters here."""

    @property
    def code_page(self) -> int:
        """As the client wrote it."""


def page_of(state: HasPage | None) -> int:
    """The code page of 8-bit strings; PAGE where a STAT names none that has them."""
    page = PAGE if state is None else state.code_page
    return page if codepages.is_known(page) else PAGE


@dataclass(frozen=True, slots=True)
class PropertyList:
    """AddressBookPropertyValueList (2.2.1.3): values with their tags."""

    values: tuple[TaggedValue, ...]
    page: int = field(default=PAGE, compare=False)


@dataclass(frozen=True, slots=True)
class RowSet:
    """Columns, RowCount and RowData: a LargePropertyTagArray and AddressBookPropertyRow structures."""

    columns: tuple[int, ...]
    rows: tuple[Sequence[Cell], ...]
    page: int = field(default=PAGE, compare=False)


def _read_list(reader: Reader, form: Form) -> tuple[TaggedValue, ...]:
    count = reader.count(4, 4, "PropertyValueCount", MAX_VALUES)
    return tuple([read_tagged(reader, form) for _ in range(count)])


class _PropertyList:
    """A list by itself, as responses have it."""

    def decode(self, reader: Reader) -> PropertyList:
        return PropertyList(_read_list(reader, address_book_form(PAGE)))

    def encode(self, writer: Writer, value: PropertyList) -> None:
        form = address_book_form(value.page)
        writer.u32(len(value.values), "PropertyValueCount")
        for tag, one in value.values:
            write_tagged(writer, tag, one, form)


class _RowSet:
    def decode(self, reader: Reader) -> RowSet:
        columns = PROPERTY_TAGS.decode(reader)
        count = reader.count(4, 1, "RowCount", MAX_ROWS)
        form = address_book_form(PAGE)
        return RowSet(columns, tuple([rows.read_row(reader, columns, form) for _ in range(count)]))

    def encode(self, writer: Writer, value: RowSet) -> None:
        form = address_book_form(value.page)
        PROPERTY_TAGS.encode(writer, value.columns)
        writer.u32(len(value.rows), "RowCount")
        for cells in value.rows:
            rows.write_row(writer, value.columns, cells, form)


@dataclass(frozen=True, slots=True)
class _InRequest:
    """HasX and X, whose strings are in the code page of the request's STAT.

    Values are read in each form that clients write: with presence bytes everywhere (observed: Outlook),
    without them before elements of multiple values, and without any, as in MS-OXCDATA, to which the sections
    refer.
    """

    read: Any
    write: Any

    def decode_in(self, reader: Reader, record: Any) -> Any:
        """Takes the value, if there is one."""
        if not reader.u8("presence"):
            return None
        page, at = page_of(record.state), reader.pos
        for form in (address_book_form(page), outer_form(page)):
            try:
                return self.read(reader, form)
            except DecodeError:
                reader.pos = at
        return self.read(reader, extended_form(page))

    def encode_in(self, writer: Writer, value: Any, record: Any) -> None:
        """Writes the value, or that there is none."""
        writer.u8(0xFF if value is not None else 0)
        if value is not None:
            self.write(writer, value, address_book_form(page_of(record.state)))


def _write_values(writer: Writer, values: Sequence[TaggedValue], form: Form) -> None:
    writer.u32(len(values), "PropertyValueCount")
    for tag, value in values:
        write_tagged(writer, tag, value, form)


def _write_target(writer: Writer, target: TaggedValue, form: Form) -> None:
    write_tagged(writer, *target, form)


def _write_filter(writer: Writer, filter: Restriction, form: Form) -> None:
    restrictions.write(writer, filter, form)


PROPERTY_LIST = _PropertyList()
ROW_SET = _RowSet()
OPTIONAL_VALUES = _InRequest(_read_list, _write_values)
"""HasPropertyValues and an AddressBookPropertyValueList of a request."""

OPTIONAL_TARGET = _InRequest(read_tagged, _write_target)
"""HasTarget and an AddressBookTaggedPropertyValue."""

OPTIONAL_FILTER = _InRequest(restrictions.read, _write_filter)
"""HasFilter and a restriction (MS-OXCDATA 2.12), whose values are the address book's."""
