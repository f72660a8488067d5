"""Tagged values in the requests of imports: a count, then TaggedPropertyValue structures without a size
before them (MS-OXCROPS 2.2.13.2.1, 2.2.13.4.1, 2.2.13.5.1).

Their 8-bit strings stand in the code page of the session, which a layout does not know: they are read as
Latin 1, which loses nothing, and put right by `bag_of`.
"""

from collections.abc import Sequence

from appliance.mapi import codepages
from appliance.mapi.types import (
    Bag,
    PtypMultipleString8,
    PtypString8,
    Value,
    unicode_tag,
)
from appliance.mapi.values import read_tagged, rop_form, write_tagged
from appliance.wire.cursor import Reader, Writer
from appliance.wire.errors import DecodeError

LATIN_1 = 28591
MAX_VALUES = 4096

Tagged = tuple[tuple[int, Value], ...]


class TaggedValues:
    """A 16-bit count and that many tagged values."""

    def decode(self, reader: Reader) -> Tagged:
        """Takes the values."""
        at = reader.pos
        count = reader.u16("PropertyValueCount")
        if count > MAX_VALUES:
            raise DecodeError(f"{count} property values", at)
        form = rop_form(LATIN_1)
        return tuple(read_tagged(reader, form) for _ in range(count))

    def encode(self, writer: Writer, value: Sequence[tuple[int, Value]]) -> None:
        """Writes the values; 8-bit strings must be Latin 1."""
        writer.u16(len(value), "PropertyValueCount")
        form = rop_form(LATIN_1)
        for tag, each in value:
            write_tagged(writer, tag, each, form)


TAGGED_VALUES = TaggedValues()


def bag_of(values: Tagged, page: int) -> Bag:
    """The values by the tags of bags: strings in Unicode."""
    return {unicode_tag(tag): _text(tag, value, page) for tag, value in values}


def _text(tag: int, value: Value, page: int) -> Value:
    kind = tag & 0xFFFF
    if kind == PtypString8 and isinstance(value, str):
        return codepages.decode(codepages.encode(value, LATIN_1), page)
    if kind == PtypMultipleString8 and isinstance(value, tuple):
        return tuple(codepages.decode(codepages.encode(str(each), LATIN_1), page) for each in value)
    return value
