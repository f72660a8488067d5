"""Tagged property values as a field of a request (MS-OXCDATA 2.11.4): a count, then tags and values."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from appliance.mapi.types import PtypMultipleString, PtypMultipleString8, PtypString, PtypString8, Value
from appliance.mapi.values import Form, read_tagged, write_tagged
from appliance.wire.cursor import Reader, Writer

MAX_VALUES = 4096


@dataclass(frozen=True, slots=True)
class TaggedValues:
    """The values in order; strings of 8 bits are read in the form's code page and come as Unicode tags."""

    form: Form

    def decode(self, reader: Reader) -> tuple[tuple[int, Value], ...]:
        """Takes count and values."""
        count = reader.count(2, 5, "property value count", MAX_VALUES)
        return tuple(_as_unicode(*read_tagged(reader, self.form)) for _ in range(count))

    def encode(self, writer: Writer, value: Sequence[tuple[int, Any]]) -> None:
        """Writes count and values."""
        writer.u16(len(value), "property value count")
        for tag, each in value:
            write_tagged(writer, tag, each, self.form)


def _as_unicode(tag: int, value: Any) -> tuple[int, Value]:
    kind = {PtypString8: PtypString, PtypMultipleString8: PtypMultipleString}.get(tag & 0xFFFF)
    return (tag if kind is None else tag & ~0xFFFF | kind), value
