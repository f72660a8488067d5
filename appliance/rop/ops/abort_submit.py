"""RopAbortSubmit: take back what waits to be sent (MS-OXCROPS 2.2.7.2, MS-OXOMSG 2.2.4.2)."""

from typing import Annotated

from appliance.mapi import errors as ec
from appliance.mapi.errors import MapiError
from appliance.mapi.ids import SHORT_ID
from appliance.rop.context import RopContext
from appliance.rop.model import Access, Empty, On, Rop
from appliance.transport import submission
from appliance.wire.record import Record


class Request(Record):
    """2.2.7.2.1"""

    folder_id: Annotated[int, SHORT_ID]
    message_id: Annotated[int, SHORT_ID]


def run(ctx: RopContext, request: Request) -> None:
    """Raises ecNotFound, and ecNotInQueue for a message that went already or was never submitted."""
    where = (ctx.logon.mailbox, request.folder_id, request.message_id)
    if not submission.abort(ctx.writing, ctx.actor, *where, now=ctx.now):
        raise MapiError(ec.ecNotInQueue)


ROP = Rop(0x34, On.LOGON, Access.WRITE, Request, Empty, run)
