"""RopOpenEmbeddedMessage: a handle for the message in an attachment (MS-OXCROPS 2.2.6.16, MS-OXCMSG
2.2.3.16)."""

from contextlib import ExitStack
from enum import IntFlag
from typing import Annotated

from appliance.mapi import errors as ec
from appliance.mapi.errors import MapiError
from appliance.mapi.ids import SHORT_ID
from appliance.rop.attachments import Attachment
from appliance.rop.context import RopContext
from appliance.rop.messages import code_page
from appliance.rop.model import Access, Handles, On, Rop
from appliance.rop.ops.create_message import initial
from appliance.rop.recipients import Summary, summary
from appliance.wire.fields import U8, Flags, Reserved, UInt16
from appliance.wire.record import Record

HEAD = 9
"""Bytes of the response before the summary."""

MAX_DEPTH = 15
"""Messages within messages that can be opened: as many as the store keeps."""


class OpenModeFlags(IntFlag):
    """MS-OXCMSG 2.2.3.16.1"""

    READ_ONLY = 0x00
    READ_WRITE = 0x01
    CREATE = 0x02


class Request(Record):
    """2.2.6.16.1"""

    code_page_id: UInt16
    open_mode_flags: Annotated[OpenModeFlags, Flags(OpenModeFlags, U8)]


class Response(Record):
    """2.2.6.16.2: a reserved byte, the id (an embedded message has none: 0), what RopOpenMessage tells."""

    reserved: Annotated[int, Reserved(U8)]
    message_id: Annotated[int, SHORT_ID]
    summary: Summary


def run(ctx: RopContext, request: Request) -> Response:
    """Raises ecNotFound for an attachment without message, ecAccessDenied, ecUnknownCodePage, ecTooComplex
    for one too deep inside others."""
    attachment, flags = ctx.input(Attachment), request.open_mode_flags
    page = code_page(ctx, request.code_page_id)
    if attachment.depth >= MAX_DEPTH:
        raise MapiError(ec.ecTooComplex)
    create = bool(flags & OpenModeFlags.CREATE)
    writable = create or bool(flags & OpenModeFlags.READ_WRITE)
    message = attachment.open_embedded(ctx, page, writable=writable, create=create)
    with ExitStack() as stack:
        here = ctx.reading(stack.enter_context(ctx.read()))
        if message.draft is not None and message.source is None and message.draft.overlay.is_new():
            message.draft.overlay.changed.update(initial(here))
        ctx.put(message)
        return Response(0, 0, summary(message.look(here.txn), page, ctx.budget - HEAD))


ROP = Rop(
    0x46,
    On.ATTACHMENT,
    Access.APART,
    Request,
    Response,
    run,
    Handles.IN_OUT,
    room=600,
    wrong=ec.ecNullObject,
)
