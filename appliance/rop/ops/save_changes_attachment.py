"""RopSaveChangesAttachment: put an attachment into its message (MS-OXCROPS 2.2.6.15, MS-OXCMSG 2.2.3.15)."""

from typing import Annotated

from appliance.mapi import errors as ec
from appliance.mapi.errors import MapiError
from appliance.rop.attachments import Attachment
from appliance.rop.context import RopContext
from appliance.rop.model import Access, Empty, Handles, On, Rop
from appliance.rop.ops.save_changes_message import SaveFlags, keeps_writable
from appliance.wire.fields import U8, Flags
from appliance.wire.record import Record

_CONTRADICTION = SaveFlags.KEEP_OPEN_READ_ONLY | SaveFlags.KEEP_OPEN_READ_WRITE
"""Keep it open for reading alone, and for writing (MS-OXCMSG 3.2.5.14)."""


class Request(Record):
    """2.2.6.15.1"""

    save_flags: Annotated[SaveFlags, Flags(SaveFlags, U8)]


def need(ctx: RopContext, _request: Request) -> Access:
    """See `Attachment.saving`."""
    return ctx.input(Attachment).saving()


def run(ctx: RopContext, request: Request) -> None:
    """Raises ecNotSupported for flags that contradict each other, and what `Attachment.save` raises."""
    if request.save_flags & _CONTRADICTION == _CONTRADICTION:
        raise MapiError(ec.ecNotSupported)
    attachment = ctx.input(Attachment)
    attachment.save(ctx, keep_writable=keeps_writable(request.save_flags))
    attachment.message.require_size()


ROP = Rop(0x25, On.ATTACHMENT, need, Request, Empty, run, Handles.RESPONSE_IN)
