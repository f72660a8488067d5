"""RopSynchronizationUploadStateStreamBegin, -Continue, -End: the client's state, property by property, in
pieces (MS-OXCROPS 2.2.13.9 to 2.2.13.11, MS-OXCFXICS 2.2.3.2.2, 3.2.5.9.2)."""

from appliance.mapi import errors as ec
from appliance.mapi.errors import MapiError
from appliance.rop.context import RopContext
from appliance.rop.fasttransfer.contexts import SyncContext
from appliance.rop.ics.collector import Collector
from appliance.rop.ics.state import Uploading
from appliance.rop.model import Access, Empty, On, Rop
from appliance.wire.fields import Bytes32, UInt32
from appliance.wire.record import Record


class BeginRequest(Record):
    """2.2.13.9.1"""

    state_property: UInt32
    transfer_buffer_size: UInt32


class ContinueRequest(Record):
    """2.2.13.10.1"""

    stream_data: Bytes32


def _uploading(ctx: RopContext) -> Uploading:
    """The state of the context. Raises ecNotSupported for a download without state, or that has begun."""
    context = ctx.input(object)
    if isinstance(context, Collector):
        return context.uploading
    if isinstance(context, SyncContext):
        return context.require_upload()
    raise MapiError(ec.ecNotSupported)


def begin(ctx: RopContext, request: BeginRequest) -> Empty:
    """Raises ecInvalidParam for a tag that is none of the state's."""
    _uploading(ctx).begin(request.state_property, request.transfer_buffer_size)
    return Empty()


def go_on(ctx: RopContext, request: ContinueRequest) -> Empty:
    """Raises ecNotInitialized when no property has begun."""
    _uploading(ctx).go_on(request.stream_data)
    return Empty()


def end(ctx: RopContext, request: Empty) -> Empty:
    """Raises ecInvalidParam when the bytes are no set of ids."""
    _uploading(ctx).end(ctx.txn, ctx.logon.mailbox)
    return Empty()


_ON = On.DOWNLOAD | On.COLLECTOR
ROPS = (
    Rop(0x75, _ON, Access.NONE, BeginRequest, Empty, begin),
    Rop(0x76, _ON, Access.NONE, ContinueRequest, Empty, go_on),
    Rop(0x77, _ON, Access.READ, Empty, Empty, end),
)
BEGIN, CONTINUE, END = ROPS
