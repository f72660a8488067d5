"""RopSetLocalReplicaMidsetDeleted: ids that a client will never use in a folder (MS-OXCROPS 2.2.13.12,
MS-OXCFXICS 2.2.3.2.4.8, 3.2.5.9.4.8)."""

from typing import Annotated

from appliance.mailbox import sync
from appliance.mapi import errors as ec
from appliance.mapi.errors import MapiError
from appliance.mapi.ids import LONG_TERM_ID, LongTermId
from appliance.mapi.idset import IdSet
from appliance.rop.context import RopContext
from appliance.rop.model import Access, Empty, On, Rop
from appliance.rop.objects import Folder
from appliance.store import mailboxes, replids
from appliance.wire.cursor import Reader, Writer
from appliance.wire.fields import Array
from appliance.wire.record import Record, as_codec

MAX_RANGES = 1024


class LongTermIdRange(Record):
    """2.2.13.12.1.1"""

    min_long_term_id: Annotated[LongTermId, LONG_TERM_ID]
    max_long_term_id: Annotated[LongTermId, LONG_TERM_ID]


_RANGES = Array(as_codec(LongTermIdRange), 4, MAX_RANGES, least=48)


class SizedRanges:
    """A size in bytes, then a count and that many ranges, which fill it."""

    def decode(self, reader: Reader) -> tuple[LongTermIdRange, ...]:
        """Takes size and ranges."""
        inner = reader.sub(reader.u16("DataSize"), "ranges")
        found: tuple[LongTermIdRange, ...] = _RANGES.decode(inner)
        inner.expect_end("ranges")
        return found

    def encode(self, writer: Writer, value: tuple[LongTermIdRange, ...]) -> None:
        """Writes size and ranges."""
        at = len(writer.buf)
        writer.u16(0)
        _RANGES.encode(writer, value)
        writer.patch(at, len(writer.buf) - at - 2, 2)


class Request(Record):
    """2.2.13.12.1"""

    ranges: Annotated[tuple[LongTermIdRange, ...], SizedRanges()]


def run(ctx: RopContext, request: Request) -> Empty:
    """Raises ecInvalidParam for a range that is none of ids that were handed out."""
    mailbox, folder = ctx.logon.mailbox, ctx.input(Folder)
    counter = mailboxes.get(ctx.writing, mailbox).counter
    ids = IdSet()
    for each in request.ranges:
        low, high = each.min_long_term_id, each.max_long_term_id
        own = low.guid == high.guid == ctx.logon.replica_guid
        if not own or not 0 < low.counter <= high.counter <= counter:
            raise MapiError(ec.ecInvalidParam)
        ids.add(replids.OWN, low.counter, high.counter)
    sync.forbid_ids(ctx.writing, ctx.actor, mailbox, folder.fid, ids)
    return Empty()


ROP = Rop(0x93, On.FOLDER, Access.WRITE, Request, Empty, run)
