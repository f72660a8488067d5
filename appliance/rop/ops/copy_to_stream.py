"""RopCopyToStream: bytes from one stream to another (MS-OXCROPS 2.2.9.9, MS-OXCPRPT 2.2.22, 3.2.5.19)."""

from appliance.mapi.objects import READ_CHUNK
from appliance.rop import deadline
from appliance.rop.context import RopContext
from appliance.rop.model import Access, Handles, On, Rop
from appliance.rop.streams import Stream
from appliance.wire.fields import UInt64
from appliance.wire.record import Record


class Request(Record):
    """2.2.9.9.1"""

    byte_count: UInt64


class Response(Record):
    """2.2.9.9.2; of a failure too, with nothing copied."""

    read_byte_count: UInt64
    written_byte_count: UInt64


def run(ctx: RopContext, request: Request) -> Response:
    """From position to position; both move. Raises ecStorageAccessDenied, ecTooBig."""
    source, target = ctx.input(Stream), ctx.other(Stream)
    target.require_writable()
    left = min(request.byte_count, max(0, source.size - source.position))
    copied = 0
    while copied < left:
        deadline.check()
        data = source.read(min(READ_CHUNK, left - copied))
        if not data:  # a stream onto itself: what is written moves the position behind the end
            break
        target.write(ctx, data)
        copied += len(data)
    return Response(copied, copied)


ROP = Rop(
    0x3A,
    On.STREAM,
    Access.APART,
    Request,
    Response,
    run,
    Handles.SOURCE_DEST,
    dest=On.STREAM,
    failure=Response(0, 0),
)
