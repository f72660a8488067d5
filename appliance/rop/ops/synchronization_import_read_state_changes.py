"""RopSynchronizationImportReadStateChanges: messages that a client marked as read or unread (MS-OXCROPS
2.2.13.3, MS-OXCFXICS 2.2.3.2.4.6, 3.2.5.9.4.6)."""

from typing import Annotated

from appliance.mailbox import sync
from appliance.mapi import errors as ec
from appliance.mapi.errors import MapiError
from appliance.mapi.idset import IdSet
from appliance.rop.context import RopContext
from appliance.rop.ics.collector import Collector
from appliance.rop.model import Access, Empty, On, Rop
from appliance.store.kv import WriteTxn
from appliance.wire.cursor import Reader, Writer
from appliance.wire.fields import LOOSE_BOOL, Array, Bytes16
from appliance.wire.record import Record, as_codec


class MessageReadState(Record):
    """2.2.13.3.1.1"""

    message_id: Bytes16
    mark_as_read: Annotated[bool, LOOSE_BOOL]


_STATES = Array(as_codec(MessageReadState), 0)


class MessageReadStates:
    """A size in bytes, then as many structures as fill it."""

    def decode(self, reader: Reader) -> tuple[MessageReadState, ...]:
        """Takes size and structures."""
        found: tuple[MessageReadState, ...] = _STATES.decode(reader.sub(reader.u16("size"), "states"))
        return found

    def encode(self, writer: Writer, value: tuple[MessageReadState, ...]) -> None:
        """Writes size and structures."""
        at = len(writer.buf)
        writer.u16(0)
        _STATES.encode(writer, value)
        writer.patch(at, len(writer.buf) - at - 2, 2)


class Request(Record):
    """2.2.13.3.1"""

    message_read_states: Annotated[tuple[MessageReadState, ...], MessageReadStates()]


def run(ctx: RopContext, request: Request) -> Empty:
    """Refuses before anything is changed. Raises ecInvalidParam for ids that are none."""
    collector = ctx.input(Collector)
    if not collector.contents:
        raise MapiError(ec.ecNotSupported)
    mailbox, actor, now, fid = ctx.logon.mailbox, ctx.actor, ctx.now, collector.fid
    with ctx.read() as txn:
        wanted = [(state.message_id, state.mark_as_read) for state in request.message_read_states]
        states = sync.plan_reads(txn, actor, mailbox, fid, wanted)
    for start in range(0, len(states), sync.STEP):
        some = states[start : start + sync.STEP]

        def step(txn: WriteTxn, some: list[tuple[int, bool]] = some) -> tuple[IdSet, IdSet]:
            return sync.import_reads(txn, actor, mailbox, fid, some, now=now)

        collector.read(*ctx.write(step))
    return Empty()


ROP = Rop(0x80, On.COLLECTOR, Access.APART, Request, Empty, run)
