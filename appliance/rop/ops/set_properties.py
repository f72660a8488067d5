"""RopSetProperties, RopSetPropertiesNoReplicate: set values (MS-OXCROPS 2.2.8.6, 2.2.8.7, MS-OXCPRPT
3.2.5.4)."""

from collections.abc import Sequence
from functools import partial
from typing import Annotated

from appliance.mapi.rows import MAX_COLUMNS
from appliance.mapi.types import Value
from appliance.mapi.values import Form, read_tagged, write_tagged
from appliance.rop.context import RopContext
from appliance.rop.model import Access, On, Rop
from appliance.rop.properties import Problems, bag_tag, propertied
from appliance.wire.cursor import Reader, Writer
from appliance.wire.fields import CountedBytes
from appliance.wire.record import Record


class Request(Record):
    """2.2.8.6.1: PropertyValueSize, then that many bytes: a count and TaggedPropertyValue structures, whose
    8-bit strings stand in the object's code page."""

    data: Annotated[bytes, CountedBytes(2)]

    @classmethod
    def of(cls, values: Sequence[tuple[int, Value]], form: Form) -> "Request":
        """Of values with their tags."""
        writer = Writer()
        writer.u16(len(values))
        for tag, value in values:
            write_tagged(writer, tag, value, form)
        return cls(bytes(writer.buf))

    def values(self, form: Form) -> list[tuple[int, Value]]:
        """The values with their tags. Raises DecodeError."""
        reader = Reader(self.data)
        count = reader.u16("PropertyValueCount")
        found = [read_tagged(reader, form) for _ in range(min(count, MAX_COLUMNS))]
        reader.expect_end("PropertyValues")
        return found


def need(ctx: RopContext, _request: Request) -> Access:
    """Folders and logons are written at once."""
    return propertied(ctx).writing


def run(ctx: RopContext, request: Request, *, replicate: bool) -> Problems:
    """Read-only properties are told as problems. Raises ecAccessDenied, ecInvalidParam."""
    found = propertied(ctx)
    values = request.values(found.form(ctx))
    given = [(bag_tag(tag), value) for tag, value in values]
    refused = found.set_properties(ctx, given, replicate=replicate)
    return Problems.of([tag for tag, _ in values], refused)


_ON = On.LOGON | On.FOLDER | On.MESSAGE | On.ATTACHMENT
SET = Rop(0x0A, _ON, need, Request, Problems, partial(run, replicate=True))
SET_NO_REPLICATE = Rop(0x79, _ON, need, Request, Problems, partial(run, replicate=False))
ROPS = (SET, SET_NO_REPLICATE)
