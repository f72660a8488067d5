"""RopSynchronizationGetTransferState: a download of the state that the client has now (MS-OXCROPS 2.2.13.8,
MS-OXCFXICS 2.2.3.2.3.1, 3.2.5.9.3.1)."""

from appliance.formats.fasttransfer import UNICODE
from appliance.mapi import errors as ec
from appliance.mapi.errors import MapiError
from appliance.rop.context import RopContext
from appliance.rop.fasttransfer.contexts import DownloadContext, SyncContext
from appliance.rop.fasttransfer.pen import Pen
from appliance.rop.fasttransfer.stream import Stream
from appliance.rop.ics.collector import Collector
from appliance.rop.ics.download import state_element
from appliance.rop.model import Access, Empty, Handles, On, Rop


def run(ctx: RopContext, request: Empty) -> Empty:
    """Raises ecNotSupported for a download that has no state."""
    context = ctx.input(object)
    if isinstance(context, SyncContext):
        state, hierarchy = context.state(), context.hierarchy
    elif isinstance(context, Collector):
        state, hierarchy = context.state, not context.contents
    else:
        raise MapiError(ec.ecNotSupported)
    # What follows changes the context, not these bytes (3.2.5.9.3.1).
    packed = state_element(ctx.txn, ctx.logon.mailbox, Pen(UNICODE), state, hierarchy=hierarchy)
    ctx.put(DownloadContext(ctx.logon, Stream(iter((packed,)))))
    return Empty()


ROP = Rop(0x82, On.DOWNLOAD | On.COLLECTOR, Access.READ, Empty, Empty, run, Handles.IN_OUT)
