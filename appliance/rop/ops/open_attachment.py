"""RopOpenAttachment: a handle for an attachment by its number (MS-OXCROPS 2.2.6.12, MS-OXCMSG 2.2.3.12)."""

from enum import IntFlag
from typing import Annotated

from appliance.mapi import errors as ec
from appliance.mapi.errors import MapiError
from appliance.rop.attachments import Attachment
from appliance.rop.context import RopContext
from appliance.rop.messages import Message, looking_inside
from appliance.rop.model import Empty, Handles, On, Rop
from appliance.store.errors import NotFound
from appliance.wire.fields import U8, Flags, UInt32
from appliance.wire.record import Record


class OpenAttachmentFlags(IntFlag):
    """MS-OXCMSG 2.2.3.12.1; other bits are ignored."""

    READ_ONLY = 0x00
    READ_WRITE = 0x01
    BEST_ACCESS = 0x03


_MODE = 0x03


class Request(Record):
    """2.2.6.12.1"""

    flags: Annotated[OpenAttachmentFlags, Flags(OpenAttachmentFlags, U8)]
    attachment_id: UInt32


def run(ctx: RopContext, request: Request) -> None:
    """Raises ecNotFound, ecAccessDenied where the message may only be read."""
    message = ctx.input(Message)
    mode = request.flags & _MODE
    if mode == OpenAttachmentFlags.READ_WRITE and not message.writable:
        raise MapiError(ec.ecAccessDenied)
    writable = message.writable and bool(mode & OpenAttachmentFlags.READ_WRITE)
    ctx.put(open_(ctx, message, request.attachment_id, writable=writable))


def open_(ctx: RopContext, message: Message, number: int, *, writable: bool) -> Attachment:
    """An attachment of a message. Raises ecNotFound."""
    if message.mime or message.source is not None:
        sources = message.contents(ctx).attachments
        if number >= len(sources):
            raise MapiError(ec.ecNotFound)
        return Attachment.of_source(ctx.txn, message, number, sources[number], writable=writable)
    try:
        held = message.overlay(ctx.txn).attachment(number)
    except NotFound:
        raise MapiError(ec.ecNotFound) from None
    return Attachment(message, held, writable=writable)


ROP = Rop(0x22, On.MESSAGE, looking_inside, Request, Empty, run, Handles.IN_OUT, wrong=ec.ecNullObject)
