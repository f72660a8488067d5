"""RopGetMessageStatus, RopSetMessageStatus: marks of a message in its folder (MS-OXCROPS 2.2.6.8, 2.2.6.9,
MS-OXCMSG 2.2.3.8, 2.2.3.9)."""

from typing import Annotated

from appliance.mailbox import messages
from appliance.mapi import errors as ec
from appliance.mapi.ids import SHORT_ID
from appliance.rop.context import RopContext
from appliance.rop.model import Access, On, Rop
from appliance.rop.objects import Folder
from appliance.wire.fields import UInt32
from appliance.wire.record import Record


class GetRequest(Record):
    """2.2.6.9.1"""

    message_id: Annotated[int, SHORT_ID]


class SetRequest(Record):
    """2.2.6.8.1"""

    message_id: Annotated[int, SHORT_ID]
    flags: UInt32
    mask: UInt32


class Response(Record):
    """2.2.6.8.2, of both."""

    flags: UInt32


def get(ctx: RopContext, request: GetRequest) -> Response:
    """Raises ecNotFound, ecAccessDenied."""
    folder = ctx.input(Folder)
    return Response(messages.status(ctx.txn, ctx.actor, folder.logon.mailbox, folder.fid, request.message_id))


def set_(ctx: RopContext, request: SetRequest) -> Response:
    """Committed at once; the answer is the status as it was. Raises ecNotFound, ecAccessDenied."""
    folder = ctx.input(Folder)
    return Response(
        messages.set_status(
            ctx.writing,
            ctx.actor,
            folder.logon.mailbox,
            folder.fid,
            request.message_id,
            request.flags,
            request.mask,
            now=ctx.now,
        )
    )


_SET_ID = 0x20
"""Also in the responses of RopGetMessageStatus (2.2.6.9.2)."""

GET = Rop(0x1F, On.FOLDER, Access.READ, GetRequest, Response, get, wrong=ec.ecNullObject, answers=_SET_ID)
SET = Rop(_SET_ID, On.FOLDER, Access.WRITE, SetRequest, Response, set_, wrong=ec.ecNullObject)
ROPS = (GET, SET)
