"""RopSynchronizationImportMessageMove: a message that a client moved (MS-OXCROPS 2.2.13.6, MS-OXCFXICS
2.2.3.2.4.4, 3.2.5.9.4.4)."""

from typing import Annotated

from appliance.mailbox import sync
from appliance.mapi import errors as ec
from appliance.mapi.errors import MapiError
from appliance.mapi.ids import SHORT_ID, Order
from appliance.rop.context import RopContext
from appliance.rop.ics.collector import Collector
from appliance.rop.model import Access, Answer, On, Rop
from appliance.wire.fields import CountedBytes
from appliance.wire.record import Record

MAX_LIST = 65536

_KEY = Annotated[bytes, CountedBytes(4, 64)]


class Request(Record):
    """2.2.13.6.1"""

    source_folder_id: _KEY
    source_message_id: _KEY
    predecessor_change_list: Annotated[bytes, CountedBytes(4, MAX_LIST)]
    destination_message_id: _KEY
    change_number: _KEY


class Response(Record):
    """2.2.13.6.2"""

    message_id: Annotated[int, SHORT_ID]


def run(ctx: RopContext, request: Request) -> Response | Answer:
    """A warning, ecSyncClientChangeNewer, when the client has changes that the server has not: its version
    was not taken over (2.2.3.2.4.4.2). Raises what the import raises."""
    collector = ctx.input(Collector)
    if not collector.contents:
        raise MapiError(ec.ecNotSupported)
    moved = sync.import_move(
        ctx.writing,
        ctx.actor,
        ctx.logon.mailbox,
        collector.fid,
        request.source_folder_id,
        request.source_message_id,
        request.destination_message_id,
        request.predecessor_change_list,
        request.change_number,
        now=ctx.now,
    )
    row = moved.row
    if moved.order in (Order.SAME, Order.NEWER):
        # deviation: where the server's version is one that the client has not seen, it is not marked as seen;
        # the client could never have it otherwise.
        ctx.emit(lambda: collector.imported(row.cn, associated=row.associated))
    if moved.order in (Order.NEWER, Order.CONFLICT):
        return Answer(Response(0), ec.ecSyncClientChangeNewer)
    return Response(0)


ROP = Rop(0x78, On.COLLECTOR, Access.WRITE, Request, Response, run)
