"""RopGetValidAttachments: the numbers of the attachments (MS-OXCROPS 2.2.6.18, MS-OXCMSG 2.2.3.18)."""

from typing import Annotated

from appliance.mapi import errors as ec
from appliance.rop.context import RopContext
from appliance.rop.messages import Message, looking_inside
from appliance.rop.model import Empty, On, Rop
from appliance.wire.fields import U32, Array
from appliance.wire.record import Record


class Response(Record):
    """2.2.6.18.2"""

    attachment_ids: Annotated[tuple[int, ...], Array(U32, 2)]


def run(ctx: RopContext, _request: Empty) -> Response:
    """Those that are saved into the message, by number."""
    return Response(tuple(ctx.input(Message).attachment_numbers(ctx)))


ROP = Rop(0x52, On.MESSAGE, looking_inside, Empty, Response, run, room=2, wrong=ec.ecNullObject)
