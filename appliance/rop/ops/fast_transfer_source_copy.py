"""RopFastTransferSourceCopyTo, -CopyProperties, -CopyMessages, -CopyFolder: downloads of objects (MS-OXCROPS
2.2.12.5 to 2.2.12.8, MS-OXCFXICS 2.2.3.1.1, 3.2.5.8.1)."""

from collections.abc import Iterator
from enum import IntFlag
from typing import Annotated

from appliance.mailbox import rights
from appliance.mapi import errors as ec
from appliance.mapi import tags
from appliance.mapi.errors import MapiError
from appliance.mapi.ids import SHORT_ID
from appliance.rop.attachments import Attachment
from appliance.rop.context import RopContext
from appliance.rop.fasttransfer import sources
from appliance.rop.fasttransfer.contexts import DownloadContext
from appliance.rop.fasttransfer.elements import Filter, attachment_content, message_content
from appliance.rop.fasttransfer.folders import Scope, folder_content, message_list, top_folder
from appliance.rop.fasttransfer.pen import KNOWN_OPTIONS, Pen, SendOptions, strings_of
from appliance.rop.fasttransfer.stream import Progress, Stream
from appliance.rop.messages import Message
from appliance.rop.model import Access, Empty, Handles, On, Rop
from appliance.rop.objects import Folder, Object
from appliance.store import folders
from appliance.store.permissions import Right
from appliance.wire.fields import U8, U32, Array, Flags, UInt8
from appliance.wire.record import Record

MAX_TAGS = 4096
MAX_MESSAGES = 0xFFFF


class CopyFlags(IntFlag):
    """2.2.3.1.1.1.1 to 2.2.3.1.1.4.1; which bits are known differs from ROP to ROP."""

    NONE = 0
    MOVE = 0x0001
    UNUSED = 0x000E
    MESSAGES_BEST_BODY = 0x0010
    FOLDER_SUBFOLDERS = 0x0010
    MESSAGES_SEND_ENTRY_ID = 0x0020
    UNUSED_TO = 0x0600
    TO_BEST_BODY = 0x2000


_KNOWN_TO = CopyFlags.UNUSED | CopyFlags.UNUSED_TO | CopyFlags.TO_BEST_BODY
"""Without MOVE: a server may refuse it here, and those that clients know do (3.2.5.8.1.1, note 34)."""
_KNOWN_PROPERTIES = CopyFlags.MOVE | CopyFlags.UNUSED
_KNOWN_MESSAGES = _KNOWN_PROPERTIES | CopyFlags.MESSAGES_BEST_BODY | CopyFlags.MESSAGES_SEND_ENTRY_ID
_KNOWN_FOLDER = _KNOWN_PROPERTIES | CopyFlags.FOLDER_SUBFOLDERS


class CopyToRequest(Record):
    """2.2.12.7.1"""

    level: UInt8
    copy_flags: Annotated[CopyFlags, Flags(CopyFlags, U32)]
    send_options: Annotated[SendOptions, Flags(SendOptions, U8)]
    property_tags: Annotated[tuple[int, ...], Array(U32, 2, MAX_TAGS)]


class CopyPropertiesRequest(Record):
    """2.2.12.8.1"""

    level: UInt8
    copy_flags: Annotated[CopyFlags, Flags(CopyFlags, U8)]
    send_options: Annotated[SendOptions, Flags(SendOptions, U8)]
    property_tags: Annotated[tuple[int, ...], Array(U32, 2, MAX_TAGS)]


class CopyMessagesRequest(Record):
    """2.2.12.6.1"""

    message_ids: Annotated[tuple[int, ...], Array(SHORT_ID, 2, MAX_MESSAGES)]
    copy_flags: Annotated[CopyFlags, Flags(CopyFlags, U8)]
    send_options: Annotated[SendOptions, Flags(SendOptions, U8)]


class CopyFolderRequest(Record):
    """2.2.12.5.1"""

    copy_flags: Annotated[CopyFlags, Flags(CopyFlags, U8)]
    send_options: Annotated[SendOptions, Flags(SendOptions, U8)]


def _require_known(flags: CopyFlags, known: CopyFlags, options: SendOptions) -> None:
    """Raises ecInvalidParam for bits that nobody has named."""
    if int(flags) & ~int(known) or int(options) & ~KNOWN_OPTIONS:
        raise MapiError(ec.ecInvalidParam)


def _pen(ctx: RopContext, options: SendOptions, *, best_body: bool = False) -> Pen:
    recover = bool(options & SendOptions.RECOVER_MODE)
    return Pen(strings_of(options, ctx.form.page), best_body=best_body, recover=recover)


def _scope(ctx: RopContext, folder: Folder, pen: Pen, flags: CopyFlags) -> Scope:
    """The scope of a folder's download. Raises ecNotFound, ecAccessDenied."""
    mailbox = ctx.logon.mailbox
    folders.get(ctx.txn, mailbox, folder.fid)
    rights.require(ctx.txn, ctx.actor, mailbox, folder.fid, Right.FOLDER_VISIBLE)
    return Scope(
        ctx.store,
        mailbox,
        ctx.actor,
        pen,
        Progress(),
        move=bool(flags & CopyFlags.MOVE),
        deleted=folder.deleted,
    )


def _put(ctx: RopContext, pieces: Iterator[bytes], progress: Progress | None = None) -> Empty:
    ctx.put(DownloadContext(ctx.logon, Stream(pieces, progress)))
    return Empty()


def _object(ctx: RopContext, pen: Pen, filter: Filter, flags: CopyFlags) -> Empty:
    """CopyTo and CopyProperties: the element that suits the object (2.2.4.4)."""
    source = ctx.input(Object)
    if isinstance(source, Folder):
        scope = _scope(ctx, source, pen, flags)
        return _put(ctx, folder_content(scope, source.fid, filter), scope.progress)
    if isinstance(source, Message):
        message = sources.message(ctx, pen, source)
        message.props.pop(tags.PidTagLastModificationTime, None)
        return _put(ctx, message_content(ctx.store, pen, message, filter, del_props=True))
    if isinstance(source, Attachment):
        attachment = sources.attachment(ctx, pen, source)
        return _put(ctx, attachment_content(ctx.store, pen, attachment, filter))
    raise MapiError(ec.ecNotSupported)


def copy_to(ctx: RopContext, request: CopyToRequest) -> Empty:
    """Everything but what is listed. Raises ecInvalidParam for unknown flags."""
    _require_known(request.copy_flags, _KNOWN_TO, request.send_options)
    pen = _pen(ctx, request.send_options, best_body=bool(request.copy_flags & CopyFlags.TO_BEST_BODY))
    whole = not request.level or ctx.input(Object).kind is On.ATTACHMENT
    filter = Filter.of(request.property_tags, subobjects=whole)
    return _object(ctx, pen, filter, request.copy_flags)


def copy_properties(ctx: RopContext, request: CopyPropertiesRequest) -> Empty:
    """What is listed. Raises ecInvalidParam for unknown flags."""
    _require_known(request.copy_flags, _KNOWN_PROPERTIES, request.send_options)
    whole = not request.level or ctx.input(Object).kind is On.ATTACHMENT
    filter = Filter.of(request.property_tags, only=True, subobjects=whole)
    return _object(ctx, _pen(ctx, request.send_options), filter, request.copy_flags)


def copy_messages(ctx: RopContext, request: CopyMessagesRequest) -> Empty:
    """Messages of a folder; those that are not there are left out. Raises ecInvalidParam for unknown
    flags."""
    _require_known(request.copy_flags, _KNOWN_MESSAGES, request.send_options)
    pen = _pen(ctx, request.send_options, best_body=bool(request.copy_flags & CopyFlags.MESSAGES_BEST_BODY))
    folder = ctx.input(Folder)
    scope = _scope(ctx, folder, pen, request.copy_flags)
    scope.versions = bool(request.copy_flags & CopyFlags.MESSAGES_SEND_ENTRY_ID)
    scope.progress.total = len(request.message_ids)
    return _put(ctx, message_list(scope, folder.fid, request.message_ids), scope.progress)


def copy_folder(ctx: RopContext, request: CopyFolderRequest) -> Empty:
    """A folder with its messages; with its folders where that is asked for, or where the copy is a part of a
    move (3.2.5.8.1.4). Rights to delete are not looked at (2.2.3.1.1.4.1, note 7)."""
    _require_known(request.copy_flags, _KNOWN_FOLDER, request.send_options)
    folder = ctx.input(Folder)
    scope = _scope(ctx, folder, _pen(ctx, request.send_options), CopyFlags.NONE)
    below = bool(request.copy_flags & (CopyFlags.FOLDER_SUBFOLDERS | CopyFlags.MOVE))
    return _put(ctx, top_folder(scope, folder.fid, subfolders=below), scope.progress)


_ANY = On.FOLDER | On.MESSAGE | On.ATTACHMENT
ROPS = (
    Rop(0x4D, _ANY, Access.SCAN, CopyToRequest, Empty, copy_to, Handles.IN_OUT),
    Rop(0x69, _ANY, Access.SCAN, CopyPropertiesRequest, Empty, copy_properties, Handles.IN_OUT),
    Rop(0x4B, On.FOLDER, Access.READ, CopyMessagesRequest, Empty, copy_messages, Handles.IN_OUT),
    Rop(0x4C, On.FOLDER, Access.READ, CopyFolderRequest, Empty, copy_folder, Handles.IN_OUT),
)
COPY_TO, COPY_PROPERTIES, COPY_MESSAGES, COPY_FOLDER = ROPS
