"""RopSaveChangesMessage: commit what a handle changed (MS-OXCROPS 2.2.6.3, MS-OXCMSG 2.2.3.3, 3.2.5.3)."""

from enum import IntFlag
from typing import Annotated

from appliance.mapi import errors as ec
from appliance.mapi.ids import SHORT_ID
from appliance.rop.context import RopContext
from appliance.rop.messages import Message
from appliance.rop.model import Access, Handles, On, Rop
from appliance.wire.fields import U8, Flags, UInt8
from appliance.wire.record import Record


class SaveFlags(IntFlag):
    """MS-OXCMSG 2.2.3.3.1; other bits are ignored."""

    KEEP_OPEN_READ_ONLY = 0x01
    KEEP_OPEN_READ_WRITE = 0x02
    FORCE_SAVE = 0x04


class Request(Record):
    """2.2.6.3.1"""

    save_flags: Annotated[SaveFlags, Flags(SaveFlags, U8)]


class Response(Record):
    """2.2.6.3.2. An embedded message has no id: 0."""

    input_handle_index: UInt8
    message_id: Annotated[int, SHORT_ID]


def keeps_writable(flags: SaveFlags) -> bool:
    """Whether the handle may go on to change things after a save."""
    return not flags & SaveFlags.KEEP_OPEN_READ_ONLY or bool(flags & SaveFlags.FORCE_SAVE)


def need(ctx: RopContext, _request: Request) -> Access:
    """See `Message.saving`."""
    return ctx.input(Message).saving()


def run(ctx: RopContext, request: Request) -> Response:
    """Raises what `Message.save` raises."""
    flags = request.save_flags
    mid = ctx.input(Message).save(
        ctx, force=bool(flags & SaveFlags.FORCE_SAVE), keep_writable=keeps_writable(flags)
    )
    return Response(ctx.index, mid)


ROP = Rop(0x0C, On.MESSAGE, need, Request, Response, run, Handles.RESPONSE_IN, wrong=ec.ecNullObject)
