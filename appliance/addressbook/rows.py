"""Rows of objects for the columns that a client asks for (MS-OXNSPI 3.1.4.1.7, 3.1.4.3.3).

A row has one value for each column, in their order, duplicates included. A column that has no value on the
object is there with the type PtypErrorCode and the error NotFound; one whose value the protocol cannot
express has the type PtypNull. Strings of both kinds are str: the encoder converts String8 by the STAT's code
page.
"""

from collections.abc import Iterable, Sequence

from appliance.addressbook import objects
from appliance.addressbook.objects import Object, Reader
from appliance.addressbook.stat import CP_TELETEX, CP_WINUNICODE, Retrieve
from appliance.mapi import codepages, errors, tags
from appliance.mapi import rows as wire
from appliance.mapi import types as t
from appliance.mapi.values import TypedValue

PropertyRow = tuple[tuple[int, t.Value], ...]
"""One object: (tag, value) for each column; the error code where the tag's type is PtypErrorCode."""

CP_ACP = 0
"""The code page of who names none."""

MAX_COLUMNS = 4096
"""Columns of a row, at most: more is TableTooBig."""

DEFAULT_COLUMNS = (
    tags.PidTagAddressBookContainerId,
    tags.PidTagObjectType,
    tags.PidTagDisplayType,
    objects.string8_tag(tags.PidTagDisplayName),
    objects.string8_tag(tags.PidTagPrimaryTelephoneNumber),
    objects.string8_tag(tags.PidTagDepartmentName),
    objects.string8_tag(tags.PidTagOfficeLocation),
)
"""The columns of NspiQueryRows without any (MS-OXNSPI 3.1.4.1.8, constraint 6)."""


def is_supported(code_page: int) -> bool:
    """Whether 8-bit strings can be read and written in a code page."""
    return code_page == CP_TELETEX or (codepages.is_known(code_page) and code_page != CP_WINUNICODE)


def is_writable(code_page: int) -> bool:
    """Whether rows can be expressed in a code page: also in number 0, which clients leave in a STAT and
    which is the default page then (observed: impacket)."""
    return code_page == CP_ACP or is_supported(code_page)


def check_columns(columns: Sequence[int], code_page: int) -> None:
    """Refuse columns that no row can have: TableTooBig for too many, InvalidCodepage for String8 ones in a
    code page that has no 8-bit strings."""
    if len(columns) > MAX_COLUMNS:
        raise errors.MapiError(errors.ecTableTooBig, f"{len(columns)} columns")
    if not is_writable(code_page) and any(
        objects.is_string(tag) and tag == objects.string8_tag(tag) for tag in columns
    ):
        raise errors.MapiError(errors.ecInvalidCodepage, f"code page {code_page}")


def default_columns(code_page: int) -> tuple[int, ...]:
    """DEFAULT_COLUMNS; with Unicode types where the code page has no 8-bit strings."""
    if is_writable(code_page):
        return DEFAULT_COLUMNS
    return tuple(map(t.unicode_tag, DEFAULT_COLUMNS))


def property_list(reader: Reader, item: Object, flags: int, code_page: int) -> tuple[int, ...]:
    """The tags of an object's values (MS-OXNSPI 3.1.4.1.6): strings as String8, or as Unicode where the
    code page is the Unicode one; tables left out on request."""
    found: Iterable[int] = reader.tags_of(item)
    if flags & Retrieve.SKIP_OBJECTS:
        found = (tag for tag in found if t.type_of(tag) != t.PtypObject)
    return tuple(found) if code_page == CP_WINUNICODE else tuple(map(objects.string8_tag, found))


def row(reader: Reader, item: Object | None, columns: Sequence[int], flags: int) -> PropertyRow:
    """The row of an object; an object that was not found has no values at all."""
    ephemeral = bool(flags & Retrieve.EPHEMERAL_IDS)
    return tuple([cell(reader, item, column, ephemeral) for column in columns])


def cell(reader: Reader, item: Object | None, column: int, ephemeral: bool = False) -> tuple[int, t.Value]:
    """The value of one column with the tag that it really has."""
    known = objects.known_tag(column)
    value = None if item is None or known is None else reader.value(item, known, ephemeral=ephemeral)
    if value is None or known is None:
        return t.with_type(column, t.PtypErrorCode), errors.ecNotFound
    tag = known if t.type_of(column) == t.PtypUnspecified else column
    return (tag, value) if _is_expressible(tag, value) else (t.with_type(column, t.PtypNull), None)


def _is_expressible(tag: int, value: t.Value) -> bool:
    if isinstance(value, tuple):
        return len(value) <= objects.MAX_VALUES and all(_is_expressible(tag, one) for one in value)
    if isinstance(value, bytes) and len(value) > objects.MAX_BINARY:
        return False
    return t.type_of(tag) in objects.TYPES


def has_errors(found: PropertyRow) -> bool:
    """Whether a column has no value (the return value ErrorsReturned)."""
    return any(t.type_of(tag) == t.PtypErrorCode for tag, _ in found)


def cells(columns: Sequence[int], found: PropertyRow) -> list[wire.Cell]:
    """A row as the cells of AddressBookPropertyRow (MS-OXCMAPIHTTP 2.2.1.7), for `mapi.rows.write_row`:
    errors apart, typed values in columns without a type. A table's value is 0 there."""
    made: list[wire.Cell] = []
    for column, (tag, value) in zip(columns, found, strict=True):
        if t.type_of(tag) == t.PtypErrorCode and t.type_of(column) != t.PtypErrorCode:
            made.append(wire.PropertyError(value if isinstance(value, int) else errors.ecNotFound))
        elif t.type_of(tag) == t.PtypNull:
            made.append(wire.PropertyError(errors.ecNotSupported))
        else:
            value = 0 if t.type_of(tag) == t.PtypObject else value
            untyped = t.type_of(column) == t.PtypUnspecified
            made.append(TypedValue(t.type_of(tag), value) if untyped else value)
    return made


def weight(value: t.Value) -> int:
    """About how many bytes a value has in a reply."""
    if isinstance(value, tuple):
        return sum(weight(one) for one in value) + 8
    return 2 * len(value) + 8 if isinstance(value, str | bytes) else 8
