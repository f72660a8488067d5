"""RopSynchronizationConfigure: what a synchronisation download is to send (MS-OXCROPS 2.2.13.1, MS-OXCFXICS
2.2.3.2.1.1, 3.2.5.9.1.1)."""

from collections.abc import Callable
from typing import Annotated

from appliance.mailbox import rights
from appliance.mailbox.properties import tables
from appliance.mapi import errors as ec
from appliance.mapi import restrictions
from appliance.mapi.errors import MapiError
from appliance.mapi.matching import Object, compiled
from appliance.mapi.types import Value, unicode_tag
from appliance.rop.context import RopContext
from appliance.rop.fasttransfer.contexts import SyncContext
from appliance.rop.fasttransfer.pen import KNOWN_OPTIONS, Pen, SendOptions, strings_of
from appliance.rop.ics.download import Download, Wish
from appliance.rop.ics.flags import (
    KNOWN_FLAGS,
    SynchronizationExtraFlags,
    SynchronizationFlags,
    SynchronizationType,
)
from appliance.rop.ics.plan import Matches
from appliance.rop.ics.state import State
from appliance.rop.model import Access, Handles, On, Rop
from appliance.rop.objects import Folder
from appliance.store import folders
from appliance.store.contents import Row
from appliance.store.kv import ReadTxn
from appliance.store.permissions import Right
from appliance.store.tables.sources import MessageRecord
from appliance.wire.errors import DecodeError
from appliance.wire.fields import U8, U16, U32, Array, Bytes16, Flags, UInt8
from appliance.wire.record import Record

MAX_TAGS = 4096


class Request(Record):
    """2.2.13.1.1"""

    synchronization_type: UInt8
    send_options: Annotated[SendOptions, Flags(SendOptions, U8)]
    synchronization_flags: Annotated[SynchronizationFlags, Flags(SynchronizationFlags, U16)]
    restriction_data: Bytes16
    synchronization_extra_flags: Annotated[SynchronizationExtraFlags, Flags(SynchronizationExtraFlags, U32)]
    property_tags: Annotated[tuple[int, ...], Array(U32, 2, MAX_TAGS)]


class Response(Record):
    """2.2.13.1.2"""


def run(ctx: RopContext, request: Request) -> Response:
    """Raises ecInvalidParam for an unknown type, unknown flags, or a restriction that is none."""
    folder = ctx.input(Folder)
    logon = ctx.logon
    if request.synchronization_type not in SynchronizationType.__members__.values():
        raise MapiError(ec.ecInvalidParam)
    if int(request.synchronization_flags) & ~KNOWN_FLAGS or int(request.send_options) & ~KNOWN_OPTIONS:
        raise MapiError(ec.ecInvalidParam)
    hierarchy = request.synchronization_type == SynchronizationType.HIERARCHY
    if hierarchy and request.restriction_data:
        raise MapiError(ec.ecInvalidParam)
    folders.get(ctx.txn, logon.mailbox, folder.fid)
    right = Right.FOLDER_VISIBLE if hierarchy else Right.READ_ANY
    rights.require(ctx.txn, ctx.actor, logon.mailbox, folder.fid, right)
    options = request.send_options
    if request.synchronization_flags & SynchronizationFlags.UNICODE:
        options |= SendOptions.UNICODE
    pen = Pen(
        strings_of(options, ctx.form.page),
        best_body=bool(request.synchronization_flags & SynchronizationFlags.BEST_BODY),
        recover=bool(options & SendOptions.RECOVER_MODE),
    )
    matches = _matches(ctx, request.restriction_data) if request.restriction_data else None
    wish = Wish(
        request.synchronization_flags,
        request.synchronization_extra_flags,
        matches,
        request.property_tags,
        partial=bool(options & SendOptions.PARTIAL_ITEM),
    )
    download = Download(ctx.store, logon.mailbox, folder.fid, ctx.actor, pen, wish, State())
    ctx.put(SyncContext(logon, download, hierarchy=hierarchy))
    return Response()


def _matches(ctx: RopContext, data: bytes) -> Matches:
    """The restriction as a predicate over messages. Raises ecInvalidParam."""
    try:
        predicate = compiled(restrictions.parse(data, ctx.form))
    except (DecodeError, ValueError) as error:
        raise MapiError(ec.ecInvalidParam, str(error)) from None
    mailbox, actor = ctx.logon.mailbox, ctx.actor

    def matches(txn: ReadTxn, row: Row) -> bool:
        record = MessageRecord(txn, mailbox, row, tables.of_row(mailbox, row, actor))
        get: Callable[[int], Value] = record.get
        return predicate(Object(lambda tag: get(unicode_tag(tag)), record.children))

    return matches


ROP = Rop(0x70, On.FOLDER, Access.READ, Request, Response, run, Handles.IN_OUT)
