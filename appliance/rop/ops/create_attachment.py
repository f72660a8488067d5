"""RopCreateAttachment: a handle for a new attachment (MS-OXCROPS 2.2.6.13, MS-OXCMSG 2.2.3.13, 3.2.5.13)."""

from appliance.mapi import errors as ec
from appliance.mapi import tags
from appliance.mapi.errors import MapiError
from appliance.rop.attachments import Attachment
from appliance.rop.context import RopContext
from appliance.rop.messages import Message, owning
from appliance.rop.model import Empty, Handles, On, Rop
from appliance.store.errors import LimitReached
from appliance.wire.fields import UInt32
from appliance.wire.record import Record


class Response(Record):
    """2.2.6.13.2"""

    attachment_id: UInt32


def run(ctx: RopContext, _request: Empty) -> Response:
    """Raises ecAccessDenied, ecMaxAttachmentExceeded."""
    message = ctx.input(Message)
    overlay = message.own_content(ctx)
    try:
        held = overlay.new_attachment(message.promised())
    except LimitReached:
        raise MapiError(ec.ecMaxAttachmentExceeded) from None
    held.changed.update(
        {
            tags.PidTagCreationTime: ctx.now,
            tags.PidTagLastModificationTime: ctx.now,
            tags.PidTagRenderingPosition: -1,
        }
    )
    ctx.put(Attachment(message, held, writable=True, clean=False))
    return Response(held.number)


ROP = Rop(0x23, On.MESSAGE, owning, Empty, Response, run, Handles.IN_OUT, wrong=ec.ecNullObject)
