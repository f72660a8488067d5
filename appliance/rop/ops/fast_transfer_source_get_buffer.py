"""RopFastTransferSourceGetBuffer: the next portion of a download (MS-OXCROPS 2.2.12.4, MS-OXCFXICS
3.2.5.8.1.5)."""

from enum import IntEnum
from typing import Annotated

from appliance.mapi import errors as ec
from appliance.mapi.errors import MapiError
from appliance.rop.context import RopContext
from appliance.rop.fasttransfer.contexts import DownloadContext
from appliance.rop.model import Access, On, Rop, RopFailure
from appliance.wire.fields import U8, U16, Bytes16, Member, Reserved, UInt16, When
from appliance.wire.record import Record

SERVER_CHOOSES = 0xBABE
LEAST = 1024
"""Room that a response must have, so that every atom fits."""
_FIXED = 9
_MOST = 0xFFFF


class TransferStatus(IntEnum):
    """MS-OXCFXICS 2.2.3.1.1.5.2"""

    ERROR = 0
    PARTIAL = 1
    NO_ROOM = 2
    DONE = 3


class Request(Record):
    """2.2.12.4.1"""

    buffer_size: UInt16
    maximum_buffer_size: Annotated[
        int | None, When(U16, lambda request: request.buffer_size == SERVER_CHOOSES)
    ] = None


class Response(Record):
    """2.2.12.4.2; the backoff time belongs to a return value that is never given."""

    transfer_status: Annotated[TransferStatus, Member(TransferStatus, U16)]
    in_progress_count: UInt16
    total_step_count: UInt16
    reserved: Annotated[int, Reserved(U8)]
    transfer_buffer: Bytes16


_FAILED = Response(TransferStatus.ERROR, 0, 0, 0, b"")


def run(ctx: RopContext, request: Request) -> Response:
    """Raises ecBufferTooSmall for more than there is room for, and what the producer failed with."""
    room = ctx.budget - _FIXED
    if request.maximum_buffer_size is not None:
        limit = min(room, request.maximum_buffer_size, _MOST)
    elif request.buffer_size > room:
        raise RopFailure(ec.ecBufferTooSmall, _FAILED)
    else:
        limit = request.buffer_size
    try:
        stream = ctx.input(DownloadContext).stream()
        portion = stream.pull(limit)
    except MapiError as error:
        raise RopFailure(error.code, _FAILED, str(error)) from error
    progress = stream.progress
    return Response(
        TransferStatus.DONE if portion.last else TransferStatus.PARTIAL,
        min(progress.done, _MOST),
        min(max(progress.total, progress.done), _MOST),
        0,
        portion.data,
    )


def follow(request: Request, answer: Response) -> Request | None:
    """The next portion goes into the next response buffer (MS-OXCRPC 3.1.4.2.1.2.2)."""
    chosen = request.buffer_size == SERVER_CHOOSES
    return request if chosen and answer.transfer_status == TransferStatus.PARTIAL else None


ROP = Rop(0x4E, On.DOWNLOAD, Access.APART, Request, Response, run, room=LEAST, failure=_FAILED, follow=follow)
