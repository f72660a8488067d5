"""RopDeleteAttachment: take an attachment away (MS-OXCROPS 2.2.6.14, MS-OXCMSG 2.2.3.14, 3.2.5.15)."""

from appliance.mapi import errors as ec
from appliance.mapi.errors import MapiError
from appliance.rop.context import RopContext
from appliance.rop.messages import Message, owning
from appliance.rop.model import Empty, On, Rop
from appliance.store.errors import NotFound
from appliance.wire.fields import UInt32
from appliance.wire.record import Record


class Request(Record):
    """2.2.6.14.1"""

    attachment_id: UInt32


def run(ctx: RopContext, request: Request) -> None:
    """Raises ecNotFound, ecAccessDenied."""
    try:
        ctx.input(Message).own_content(ctx).remove_attachment(request.attachment_id)
    except NotFound:
        raise MapiError(ec.ecNotFound) from None


ROP = Rop(0x24, On.MESSAGE, owning, Request, Empty, run, wrong=ec.ecNullObject)
