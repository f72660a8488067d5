"""RopGetStreamSize, RopSetStreamSize (MS-OXCROPS 2.2.9.6, 2.2.9.7, MS-OXCPRPT 2.2.19, 2.2.20, 3.2.5.16,
3.2.5.17)."""

from appliance.mapi import errors as ec
from appliance.mapi.errors import MapiError
from appliance.rop.bytesvalue import MAX_SIZE
from appliance.rop.context import RopContext
from appliance.rop.model import Access, Empty, On, Rop
from appliance.rop.streams import Stream
from appliance.wire.fields import UInt32, UInt64
from appliance.wire.record import Record


class SetRequest(Record):
    """2.2.9.7.1"""

    stream_size: UInt64


class GetResponse(Record):
    """2.2.9.6.2"""

    stream_size: UInt32


def get(ctx: RopContext, _request: Empty) -> GetResponse:
    """As it is now."""
    return GetResponse(ctx.input(Stream).size)


def need(ctx: RopContext, request: SetRequest) -> Access:
    """See `Stream.changing`."""
    return ctx.input(Stream).changing(request.stream_size)


def set_(ctx: RopContext, request: SetRequest) -> None:
    """New bytes are zero. Raises ecStreamSizeError, ecStorageAccessDenied."""
    if request.stream_size > MAX_SIZE:
        raise MapiError(ec.ecStreamSizeError)
    ctx.input(Stream).resize(ctx, request.stream_size)


GET = Rop(0x5E, On.STREAM, Access.NONE, Empty, GetResponse, get)
SET = Rop(0x2F, On.STREAM, need, SetRequest, Empty, set_)
ROPS = (GET, SET)
