"""RopOpenMessage: a handle for a message by its ids (MS-OXCROPS 2.2.6.1, MS-OXCMSG 2.2.3.1, 3.2.5.1)."""

from enum import IntFlag
from typing import Annotated

from appliance.mailbox import messages
from appliance.mapi import errors as ec
from appliance.mapi.errors import MapiError
from appliance.mapi.ids import SHORT_ID
from appliance.rop.context import RopContext
from appliance.rop.messages import Message, code_page
from appliance.rop.model import Access, Handles, On, Rop
from appliance.rop.recipients import Summary, summary
from appliance.wire.fields import U8, Flags, UInt16
from appliance.wire.record import Record


class OpenModeFlags(IntFlag):
    """MS-OXCMSG 2.2.3.1.1; BEST_ACCESS has both bits, other bits are ignored."""

    READ_ONLY = 0x00
    READ_WRITE = 0x01
    BEST_ACCESS = 0x03
    OPEN_SOFT_DELETED = 0x04


_MODE, _SOFT_DELETED = 0x03, int(OpenModeFlags.OPEN_SOFT_DELETED)


class Request(Record):
    """2.2.6.1.1"""

    code_page_id: UInt16
    folder_id: Annotated[int, SHORT_ID]
    open_mode_flags: Annotated[OpenModeFlags, Flags(OpenModeFlags, U8)]
    message_id: Annotated[int, SHORT_ID]


def run(ctx: RopContext, request: Request) -> Summary:
    """Raises ecNotFound, ecAccessDenied, ecUnknownCodePage."""
    logon = ctx.logon
    page = code_page(ctx, request.code_page_id)
    flags = int(request.open_mode_flags)
    found = messages.open_message(
        ctx.txn,
        ctx.actor,
        logon.mailbox,
        request.folder_id,
        request.message_id,
        deleted=bool(flags & _SOFT_DELETED),
    )
    mode = flags & _MODE
    may_edit = found.may_edit
    if mode == OpenModeFlags.READ_WRITE and not may_edit and found.deleted is None:
        raise MapiError(ec.ecAccessDenied)
    writable = may_edit and mode in (OpenModeFlags.READ_WRITE, OpenModeFlags.BEST_ACCESS)
    message = Message.opened(logon, found, page, writable=writable)
    ctx.put(message)
    return summary(message.look(ctx.txn, found.row), page, ctx.budget)


ROP = Rop(
    0x03,
    On.LOGON | On.FOLDER,
    Access.READ,
    Request,
    Summary,
    run,
    Handles.IN_OUT,
    room=600,
    wrong=ec.ecNullObject,
)
