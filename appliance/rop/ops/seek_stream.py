"""RopSeekStream: move a stream's position (MS-OXCROPS 2.2.9.8, MS-OXCPRPT 2.2.21, 3.2.5.18)."""

from typing import Annotated

from appliance.mapi import errors as ec
from appliance.mapi.errors import MapiError
from appliance.rop.bytesvalue import MAX_SIZE
from appliance.rop.context import RopContext
from appliance.rop.model import Access, On, Rop
from appliance.rop.streams import Stream
from appliance.wire.fields import I64, U8, UInt64
from appliance.wire.record import Record

BEGINNING, CURRENT, END = range(3)
"""Origin."""


class Request(Record):
    """2.2.9.8.1. The offset may be negative."""

    origin: Annotated[int, U8]
    offset: Annotated[int, I64]


class Response(Record):
    """2.2.9.8.2"""

    new_position: UInt64


def _position(stream: Stream, request: Request) -> int:
    if request.origin > END:
        raise MapiError(ec.ecStreamInvalidParam)
    return (0, stream.position, stream.size)[request.origin] + request.offset


def need(ctx: RopContext, request: Request) -> Access:
    """A position behind the end extends the stream."""
    stream = ctx.input(Stream)
    at = _position(stream, request)
    return stream.changing(at) if stream.size < at <= MAX_SIZE and stream.writable else Access.NONE


def run(ctx: RopContext, request: Request) -> Response:
    """Raises ecStreamInvalidParam for an unknown origin, ecStreamSeekError for a position before the start or
    beyond 2^31."""
    stream = ctx.input(Stream)
    at = _position(stream, request)
    if not 0 <= at <= MAX_SIZE:
        raise MapiError(ec.ecStreamSeekError)
    if at > stream.size and stream.writable:
        stream.resize(ctx, at)
    stream.position = at
    return Response(at)


ROP = Rop(0x2E, On.STREAM, need, Request, Response, run)
