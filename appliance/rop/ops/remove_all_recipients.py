"""RopRemoveAllRecipients: take every recipient away (MS-OXCROPS 2.2.6.4, MS-OXCMSG 2.2.3.4, 3.2.5.4)."""

from typing import Annotated

from appliance.mapi import errors as ec
from appliance.rop.context import RopContext
from appliance.rop.messages import Message, owning
from appliance.rop.model import Empty, On, Rop
from appliance.wire.fields import U32
from appliance.wire.record import Record


class Request(Record):
    """2.2.6.4.1. The reserved number is ignored."""

    reserved: Annotated[int, U32]


def run(ctx: RopContext, _request: Request) -> None:
    """Succeeds without recipients too. Raises ecAccessDenied."""
    ctx.input(Message).own_content(ctx).remove_recipients()


ROP = Rop(0x0D, On.MESSAGE, owning, Request, Empty, run, wrong=ec.ecNullObject)
