"""RopOpenStream: a handle for the bytes of a property (MS-OXCROPS 2.2.9.1, MS-OXCPRPT 2.2.14, 3.2.5.11)."""

from typing import Annotated

from appliance.mapi import errors as ec
from appliance.mapi import tags
from appliance.mapi.errors import MapiError
from appliance.mapi.types import type_of
from appliance.rop.context import RopContext
from appliance.rop.model import Access, Handles, On, Rop
from appliance.rop.objects import Folder
from appliance.rop.properties import propertied
from appliance.rop.streams import STREAMED, Stream, Value
from appliance.wire.fields import U8, UInt32
from appliance.wire.record import Record

READ_ONLY, READ_WRITE, CREATE, BEST_ACCESS = range(4)
"""OpenModeFlags, MS-OXCPRPT 2.2.14.1."""


class Request(Record):
    """2.2.9.1.1"""

    property_tag: UInt32
    open_mode_flags: Annotated[int, U8]


class Response(Record):
    """2.2.9.1.2"""

    stream_size: UInt32


def run(ctx: RopContext, request: Request) -> Response:
    """Raises ecNotFound for a property that is not there and is not to be created, ecNotSupported for one
    that has no stream, ecAccessDenied, ecInvalidParam for an unknown mode."""
    owner, mode = propertied(ctx), request.open_mode_flags
    if mode > BEST_ACCESS:
        raise MapiError(ec.ecInvalidParam)
    if type_of(request.property_tag) not in STREAMED:
        raise MapiError(ec.ecNotSupported)
    if request.property_tag == tags.PidTagSecurityDescriptorAsXml and isinstance(owner, Folder):
        raise MapiError(ec.ecNotSupported)  # MS-OXCPERM 3.2.5.3; its example 4.1 shows this code
    if mode != READ_ONLY and isinstance(owner, Folder) and not owner.logon.is_private:
        raise MapiError(ec.ecNotSupported)
    writable = _writable(ctx, mode)
    value = Value(ctx, owner, request.property_tag)
    if mode == CREATE:
        value.bytes.dirty = True
        value.written(ctx)
    elif not value.load(ctx):
        raise MapiError(ec.ecNotFound)
    stream = Stream(value, writable=writable)
    ctx.put(stream)
    return Response(min(stream.size, 0xFFFFFFFF))


def _writable(ctx: RopContext, mode: int) -> bool:
    if mode == READ_ONLY:
        return False
    try:
        propertied(ctx).require_writable(ctx)
    except MapiError:
        if mode != BEST_ACCESS:
            raise
        return False
    return True


ROP = Rop(
    0x2B,
    On.FOLDER | On.MESSAGE | On.ATTACHMENT,
    Access.SCAN,
    Request,
    Response,
    run,
    Handles.IN_OUT,
)
