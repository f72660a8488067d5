"""RopFastTransferDestinationConfigure, -PutBuffer, -PutBufferExtended: uploads of objects (MS-OXCROPS
2.2.12.1 to 2.2.12.3, MS-OXCFXICS 2.2.3.1.2, 3.2.5.8.2)."""

from enum import IntEnum, IntFlag
from typing import Annotated

from appliance.mailbox import rights
from appliance.mapi import errors as ec
from appliance.mapi.errors import MapiError
from appliance.rop.attachments import Attachment
from appliance.rop.context import RopContext
from appliance.rop.fasttransfer.upload import (
    OpenAttachmentFrame,
    OpenFolderFrame,
    OpenMessageFrame,
    Root,
    Target,
    UploadContext,
)
from appliance.rop.messages import Message
from appliance.rop.model import Access, Empty, Handles, On, Rop, RopFailure
from appliance.rop.objects import Folder, Object
from appliance.rop.ops.fast_transfer_source_get_buffer import TransferStatus
from appliance.store import folders
from appliance.store.folders import FolderKind
from appliance.store.permissions import Right
from appliance.wire.fields import U8, U16, Bytes16, Flags, Member, Reserved, UInt8, UInt16, UInt32
from appliance.wire.record import Record


class SourceOperation(IntEnum):
    """2.2.3.1.2.1.1"""

    COPY_TO = 1
    COPY_PROPERTIES = 2
    COPY_MESSAGES = 3
    COPY_FOLDER = 4


class CopyFlags(IntFlag):
    """2.2.3.1.2.1.1"""

    NONE = 0
    MOVE = 0x01


class ConfigureRequest(Record):
    """2.2.12.1.1"""

    source_operation: UInt8
    copy_flags: Annotated[CopyFlags, Flags(CopyFlags, U8)]


def configure(ctx: RopContext, request: ConfigureRequest) -> Empty:
    """Raises ecInvalidParam for unknown flags, an unknown operation, or one that does not suit the object;
    ecAccessDenied."""
    unknown = int(request.copy_flags) & ~int(CopyFlags.MOVE)
    if unknown or request.source_operation not in SourceOperation.__members__.values():
        raise MapiError(ec.ecInvalidParam)
    target = Target(ctx.store, ctx.logon.mailbox, ctx.actor, ctx.now)
    root = _root(ctx, target, SourceOperation(request.source_operation))
    ctx.put(UploadContext(ctx, target, root))
    return Empty()


def _root(ctx: RopContext, target: Target, operation: SourceOperation) -> Root:
    """The root element that suits operation and object (2.2.3.1.2.1.1)."""
    found = ctx.input(Object)
    if isinstance(found, Folder):
        folder = folders.get(ctx.txn, target.mailbox, found.fid)
        rights.require(ctx.txn, ctx.actor, target.mailbox, found.fid, Right.CREATE)
        if folder.kind == FolderKind.SEARCH:
            raise MapiError(ec.ecNotSupported)
        return OpenFolderFrame(
            target,
            found.fid,
            top=operation is SourceOperation.COPY_FOLDER,
            lists=operation is SourceOperation.COPY_MESSAGES,
        )
    if operation not in (SourceOperation.COPY_TO, SourceOperation.COPY_PROPERTIES):
        raise MapiError(ec.ecInvalidParam)
    if isinstance(found, Message):
        found.require_writable(ctx)
        return OpenMessageFrame(target, found)
    if isinstance(found, Attachment):
        found.require_writable(ctx)
        return OpenAttachmentFrame(target, found)
    raise MapiError(ec.ecNotSupported)


class PutRequest(Record):
    """2.2.12.2.1"""

    transfer_data: Bytes16


class PutResponse(Record):
    """2.2.12.2.2"""

    transfer_status: Annotated[TransferStatus, Member(TransferStatus, U16)]
    in_progress_count: UInt16
    total_step_count: UInt16
    reserved: Annotated[int, Reserved(U8)]
    buffer_used_size: UInt16


class PutExtendedResponse(Record):
    """2.2.12.3.2"""

    transfer_status: Annotated[TransferStatus, Member(TransferStatus, U16)]
    in_progress_count: UInt32
    total_step_count: UInt32
    reserved: Annotated[int, Reserved(U8)]
    buffer_used_size: UInt16


_FAILED = PutResponse(TransferStatus.ERROR, 0, 0, 0, 0)
_FAILED_LONG = PutExtendedResponse(TransferStatus.ERROR, 0, 0, 0, 0)


def put(ctx: RopContext, request: PutRequest) -> PutResponse:
    """Raises what the stream, or storing what it brings, fails with; all of the buffer counts as used then
    too (notes 12 and 15)."""
    try:
        ctx.input(UploadContext).put(ctx, request.transfer_data)
    except MapiError as error:
        failed = PutResponse(TransferStatus.ERROR, 0, 1, 0, len(request.transfer_data))
        raise RopFailure(error.code, failed, str(error)) from error
    return PutResponse(TransferStatus.PARTIAL, 0, 1, 0, len(request.transfer_data))


def put_extended(ctx: RopContext, request: PutRequest) -> PutExtendedResponse:
    """As `put`."""
    try:
        ctx.input(UploadContext).put(ctx, request.transfer_data)
    except MapiError as error:
        failed = PutExtendedResponse(TransferStatus.ERROR, 0, 1, 0, len(request.transfer_data))
        raise RopFailure(error.code, failed, str(error)) from error
    return PutExtendedResponse(TransferStatus.PARTIAL, 0, 1, 0, len(request.transfer_data))


_ANY = On.FOLDER | On.MESSAGE | On.ATTACHMENT
ROPS = (
    Rop(0x53, _ANY, Access.READ, ConfigureRequest, Empty, configure, Handles.IN_OUT),
    Rop(0x54, On.UPLOAD, Access.APART, PutRequest, PutResponse, put, failure=_FAILED),
    Rop(0x9D, On.UPLOAD, Access.APART, PutRequest, PutExtendedResponse, put_extended, failure=_FAILED_LONG),
)
CONFIGURE, PUT_BUFFER, PUT_BUFFER_EXTENDED = ROPS
