"""RopReadStream: bytes of a stream (MS-OXCROPS 2.2.9.2, MS-OXCPRPT 2.2.15, 3.2.5.12)."""

from typing import Annotated

from appliance.rop.context import RopContext
from appliance.rop.model import Access, On, Rop
from appliance.rop.streams import Stream
from appliance.wire.fields import CountedBytes, Packed, UInt16, When
from appliance.wire.record import Record

BY_MAXIMUM = 0xBABE
"""ByteCount: MaximumByteCount says how much."""


def _check_maximum(value: int) -> int:
    if value > 0x80000000:
        raise ValueError(f"{value} bytes")
    return value


def _is_by_maximum(request: "Request") -> bool:
    return request.byte_count == BY_MAXIMUM


class Request(Record):
    """2.2.9.2.1. More than 2^31 bytes fail the whole buffer."""

    byte_count: UInt16
    maximum: Annotated[int | None, When(Packed("I", _check_maximum), _is_by_maximum)] = None


class Response(Record):
    """2.2.9.2.2; of a failure too, without bytes."""

    data: Annotated[bytes, CountedBytes(2)]


class Part(Response):
    """A response that the room cut short: there is more."""


HEAD = 2
"""Bytes of DataSize."""


def need(ctx: RopContext, _request: Request) -> Access:
    """See `Stream.reading`."""
    return ctx.input(Stream).reading()


def run(ctx: RopContext, request: Request) -> Response:
    """As much as is asked for, is there, and fits."""
    stream = ctx.input(Stream)
    wanted = request.byte_count if request.maximum is None else request.maximum
    room = min(ctx.budget - HEAD, 0xFFFF)
    data = stream.read(min(wanted, room))
    cut = len(data) == room < wanted and stream.position < stream.size
    return Part(data) if cut else Response(data)


def follow(request: Request, answer: Response) -> Request | None:
    """The rest of what was asked for by its maximum goes into further buffers."""
    if request.maximum is None or not isinstance(answer, Part):
        return None
    return Request(BY_MAXIMUM, request.maximum - len(answer.data))


ROP = Rop(0x2C, On.STREAM, need, Request, Response, run, room=HEAD, failure=Response(b""), follow=follow)
