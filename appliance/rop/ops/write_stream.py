"""RopWriteStream, RopWriteAndCommitStream, RopWriteStreamExtended: put bytes into a stream (MS-OXCROPS
2.2.9.3, 2.2.9.12, 2.2.9.4, MS-OXCPRPT 2.2.16, 2.2.17, 3.2.5.13, 3.2.5.23)."""

from typing import Annotated

from appliance.mapi import errors as ec
from appliance.mapi.errors import MapiError
from appliance.rop.context import RopContext
from appliance.rop.model import Access, On, Rop
from appliance.rop.objects import Folder
from appliance.rop.streams import Stream
from appliance.wire.fields import CountedBytes, UInt16, UInt32
from appliance.wire.record import Record


class Request(Record):
    """2.2.9.3.1, of all three."""

    data: Annotated[bytes, CountedBytes(2)]


class Response(Record):
    """2.2.9.3.2; of a failure too, with nothing written."""

    written_size: UInt16


class ExtendedResponse(Record):
    """2.2.9.4.2"""

    written_size: UInt32


def need(ctx: RopContext, request: Request) -> Access:
    """See `Stream.changing`."""
    stream = ctx.input(Stream)
    return stream.changing(stream.position + len(request.data))


def write(ctx: RopContext, request: Request) -> Response:
    """Raises ecStorageAccessDenied, ecTooBig."""
    ctx.input(Stream).write(ctx, request.data)
    return Response(len(request.data))


def write_extended(ctx: RopContext, request: Request) -> ExtendedResponse:
    """Raises ecStorageAccessDenied, ecTooBig."""
    ctx.input(Stream).write(ctx, request.data)
    return ExtendedResponse(len(request.data))


def write_and_commit(ctx: RopContext, request: Request) -> Response:
    """Raises ecNotSupported for the stream of a folder (MS-OXCPRPT 2.2.26), ecStorageAccessDenied, ecTooBig,
    and what setting the property raises."""
    stream = ctx.input(Stream)
    if isinstance(stream.value.owner, Folder):
        raise MapiError(ec.ecNotSupported)
    stream.write(ctx, request.data)
    stream.commit_apart(ctx)
    return Response(len(request.data))


WRITE = Rop(0x2D, On.STREAM, need, Request, Response, write, failure=Response(0))
EXTENDED = Rop(0xA3, On.STREAM, need, Request, ExtendedResponse, write_extended, failure=ExtendedResponse(0))
WRITE_AND_COMMIT = Rop(
    0x90, On.STREAM, Access.APART, Request, Response, write_and_commit, failure=Response(0)
)
ROPS = (WRITE, EXTENDED, WRITE_AND_COMMIT)
