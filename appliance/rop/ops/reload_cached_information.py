"""RopReloadCachedInformation: what RopOpenMessage told, as it is now (MS-OXCROPS 2.2.6.7, MS-OXCMSG
2.2.3.7)."""

from typing import Annotated

from appliance.mapi import errors as ec
from appliance.rop.context import RopContext
from appliance.rop.messages import Message
from appliance.rop.model import Access, On, Rop
from appliance.rop.recipients import Summary, summary
from appliance.wire.fields import U16
from appliance.wire.record import Record


class Request(Record):
    """2.2.6.7.1"""

    reserved: Annotated[int, U16]


def run(ctx: RopContext, _request: Request) -> Summary:
    """With what the handle changed."""
    message = ctx.input(Message)
    return summary(message.look(ctx.txn), message.page, ctx.budget)


ROP = Rop(0x10, On.MESSAGE, Access.READ, Request, Summary, run, room=600, wrong=ec.ecNullObject)
