"""The layouts of ROP buffers as the specification's requirements give them, and as our records have them.

Each field stands in the requirements as `Name (N bytes)` or `Name (variable)`. Ours are the dispatcher's part
and the record's fields; a count and what it counts are two fields there and one codec here.
"""

import re
from dataclasses import dataclass, field
from typing import Any

from appliance.rop.model import Rop
from appliance.rop.tagged import TaggedValues
from appliance.wire import fields as codecs
from appliance.wire.record import Nested, Record
from tests.shared import shared_path

_SECTION, _TITLE = re.compile(r"## (\S+)$"), re.compile(r"### (.*)")
_FIELD = re.compile(
    r"- R\d+ (?:\([IC]+\) )?(?:\[.*?\] ?)*([A-Z]\w+) ?(?:\(optional\) )?\((\d+ bytes?|variable|optional)"
)
_NUMBER = re.compile(r"- R\d+ .*For this operation\[Rop\w+.*(0x[0-9A-F]{2})\b")
VARIABLE = 0


@dataclass(slots=True)
class Layout:
    """One section that lays out a request or a response: its fields by name with their sizes in bytes
    (VARIABLE for those that have none), and the RopId that it names."""

    section: str
    title: str = ""
    rop: int = -1
    fields: dict[str, int] = field(default_factory=dict)

    @property
    def sizes(self) -> list[int]:
        """The sizes, in order."""
        return list(self.fields.values())


def specified() -> dict[str, Layout]:
    """Every layout of the document that names its ROP, by section."""
    found: list[Layout] = []
    for line in shared_path("spec", "requirements", "MS-OXCROPS.md").read_text().splitlines():
        if section := _SECTION.match(line):
            found.append(Layout(section[1]))
        elif found and not found[-1].title and (title := _TITLE.match(line)):
            found[-1].title = title[1]
        elif found and (each := _FIELD.match(line)):
            size = int(each[2].split()[0]) if each[2][0].isdigit() else VARIABLE
            found[-1].fields.setdefault(each[1], size)
        if found and found[-1].rop < 0 and (number := _NUMBER.match(line)):
            found[-1].rop = int(number[1], 16)
    return {each.section: each for each in found if each.rop >= 0 and "Buffer" in each.title}


def ours(rop: Rop, layout: Layout) -> list[int]:
    """The sizes of what we read or write where the specification has a layout."""
    if "Request" in layout.title:
        return [1, 1, *[1] * len(rop.handles.value), *sizes_of(rop.request)]
    if "Failure" in layout.title:
        return [1, 1, 4, *(sizes_of(type(rop.failure)) if rop.failure is not None else [])]
    return [1, 1, 4, *sizes_of(rop.response)]


def sizes_of(record: type[Record]) -> list[int]:
    """The sizes of a record's fields."""
    return [size for _, codec in record.FIELDS for size in _sizes(codec)]


def _sizes(codec: Any) -> list[int]:
    if isinstance(codec, codecs.Packed):
        return [codec.size]
    if isinstance(codec, codecs.Array):
        return [codec.width, VARIABLE] if codec.width else [VARIABLE]
    if isinstance(codec, codecs.CountedBytes | codecs.CountedText):
        return [codec.width, VARIABLE]
    if isinstance(codec, TaggedValues):
        return [2, VARIABLE]
    if isinstance(codec, codecs.When):
        return _sizes(codec.codec)
    if isinstance(codec, Nested):
        inner = sizes_of(codec.record)
        return [sum(inner)] if all(inner) else [VARIABLE]
    return [VARIABLE]
