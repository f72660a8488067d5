"""RopSubmitMessage and RopTransportSend: send an open message (MS-OXCROPS 2.2.7.1, 2.2.7.6; MS-OXOMSG 2.2.4.1
and 2.2.5.4)."""

from enum import IntFlag
from typing import Annotated

from appliance.mailbox.errors import Reason, Refused
from appliance.mapi import errors as ec
from appliance.mapi.errors import MapiError
from appliance.rop.context import RopContext
from appliance.rop.messages import Message
from appliance.rop.model import Access, Empty, On, Rop
from appliance.transport import submission
from appliance.wire.fields import U8, Bool, Flags, UInt16
from appliance.wire.record import Record

_CODES = {
    Reason.INVALID: ec.ecNoRecipients,
    Reason.LIMIT: ec.ecTooManyRecips,
    Reason.CONFLICT: ec.ecObjectModified,
    Reason.NOT_FOUND: ec.ecObjectDeleted,
}
"""What refusals of a submission mean; the others are as everywhere."""


class SubmitFlags(IntFlag):
    """MS-OXOMSG 2.2.4.1.1. A server that sends by itself treats them alike."""

    PRE_PROCESS = 0x01
    NEEDS_SPOOLER = 0x02


class Request(Record):
    """2.2.7.1.1"""

    submit_flags: Annotated[SubmitFlags, Flags(SubmitFlags, U8)]


class SendResponse(Record):
    """2.2.7.6.2: no properties come back, so that the count is all that follows."""

    no_properties_returned: Bool
    property_value_count: UInt16


def submit(ctx: RopContext, _request: Request) -> None:
    """RopSubmitMessage. Raises ecNoRecipients, ecTooManyRecips, ecAccessDenied, ecQuotaExceeded,
    ecObjectModified, ecObjectDeleted."""
    _send(ctx, spooled=False)


def transport_send(ctx: RopContext, _request: Empty) -> SendResponse:
    """RopTransportSend: the client looks after the message itself. Raises as `submit`."""
    _send(ctx, spooled=True)
    return SendResponse(no_properties_returned=True, property_value_count=0)


def _send(ctx: RopContext, *, spooled: bool) -> None:
    message = ctx.input(Message)
    if message.is_embedded or message.associated or not message.logon.is_private:
        raise MapiError(ec.ecNotSupported)
    if not message.mid or message.draft is not None:
        message.save_apart(ctx)
    try:
        submission.submit(
            ctx.store,
            ctx.actor,
            ctx.session.user,
            message.logon.mailbox,
            message.fid,
            message.mid,
            now=ctx.now,
            fresh=ctx.fresh,
            spooled=spooled,
        )
    except Refused as refused:
        if refused.reason in _CODES:
            raise MapiError(_CODES[refused.reason], str(refused)) from refused
        raise


ROPS = (
    Rop(0x32, On.MESSAGE, Access.APART, Request, Empty, submit),
    Rop(0x4A, On.MESSAGE, Access.APART, Empty, SendResponse, transport_send),
)
