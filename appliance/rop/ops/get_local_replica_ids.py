"""RopGetLocalReplicaIds: ids that the client may give to its own objects (MS-OXCROPS 2.2.13.13, MS-OXCFXICS
2.2.3.2.4.7, 3.2.5.9.4.7)."""

from typing import Annotated

from appliance.mailbox import sync
from appliance.mapi.ids import counter_of
from appliance.rop.context import RopContext
from appliance.rop.model import Access, On, Rop
from appliance.wire.fields import FixedBytes, Guid, UInt32
from appliance.wire.record import Record


class Request(Record):
    """2.2.13.13.1"""

    id_count: UInt32


class Response(Record):
    """2.2.13.13.2; the first of the ids, highest byte first."""

    replguid: Guid
    global_count: Annotated[bytes, FixedBytes(6)]


def run(ctx: RopContext, request: Request) -> Response:
    """Raises ecInvalidParam for none, or more than MAX_LOCAL_IDS."""
    first = sync.allocate_ids(ctx.writing, ctx.logon.mailbox, request.id_count)
    return Response(ctx.logon.replica_guid, counter_of(first).to_bytes(6, "big"))


ROP = Rop(0x7F, On.LOGON, Access.WRITE, Request, Response, run)
