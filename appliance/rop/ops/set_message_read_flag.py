"""RopSetMessageReadFlag: the read state of an open message (MS-OXCROPS 2.2.6.11, MS-OXCMSG 2.2.3.11,
3.2.5.11)."""

from typing import Annotated

from appliance.mailbox import messages
from appliance.mailbox.messages import ReadFlag
from appliance.mapi import errors as ec
from appliance.mapi.errors import MapiError
from appliance.mapi.ids import LONG_TERM_ID, LongTermId
from appliance.rop.context import RopContext
from appliance.rop.messages import Message
from appliance.rop.model import Access, Handles, On, Rop
from appliance.wire.fields import BOOL, U8, Flags, When
from appliance.wire.record import Record


class Request(Record):
    """2.2.6.11.1 on a private mailbox."""

    read_flags: Annotated[ReadFlag, Flags(ReadFlag, U8)]


class PublicRequest(Record):
    """2.2.6.11.1 on public folders."""

    read_flags: Annotated[ReadFlag, Flags(ReadFlag, U8)]
    client_data: Annotated[LongTermId, LONG_TERM_ID]


def _changed(response: "Response") -> bool:
    return response.changed


class Response(Record):
    """2.2.6.11.2"""

    changed: Annotated[bool, BOOL]
    logon_id: Annotated[int | None, When(U8, _changed)] = None
    client_data: Annotated[LongTermId | None, When(LONG_TERM_ID, _changed)] = None


def run(ctx: RopContext, request: Request | PublicRequest) -> Response:
    """Committed at once. Raises ecNullObject for a message that was never saved, ecAccessDenied."""
    message = ctx.input(Message)
    if not message.mid or message.deleted is not None:
        raise MapiError(ec.ecNullObject if not message.mid else ec.ecObjectDeleted)
    change = messages.set_read(
        ctx.writing,
        ctx.actor,
        message.logon.mailbox,
        message.fid,
        [message.mid],
        request.read_flags,
        now=ctx.now,
    )
    if change.partial:
        raise MapiError(ec.ecObjectDeleted)
    if isinstance(request, Request) or not change.changed:
        return Response(changed=False)
    return Response(True, ctx.logon_id, request.client_data)


ROP = Rop(
    0x11,
    On.MESSAGE,
    Access.WRITE,
    Request,
    Response,
    run,
    Handles.RESPONSE_IN,
    wrong=ec.ecNullObject,
    request_public=PublicRequest,
)
