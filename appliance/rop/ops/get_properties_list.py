"""RopGetPropertiesList: the tags of an object's properties (MS-OXCROPS 2.2.8.5, MS-OXCPRPT 3.2.5.3)."""

from typing import Annotated

from appliance.rop.context import RopContext
from appliance.rop.model import Access, Empty, On, Rop
from appliance.rop.properties import propertied
from appliance.wire.fields import U32, Array
from appliance.wire.record import Record


class Response(Record):
    """2.2.8.5.2"""

    tags: Annotated[tuple[int, ...], Array(U32, 2)]


def run(ctx: RopContext, _request: Empty) -> Response:
    """By tag."""
    return Response(tuple(sorted(propertied(ctx).view(ctx).tags())))


ROP = Rop(0x09, On.LOGON | On.FOLDER | On.MESSAGE | On.ATTACHMENT, Access.SCAN, Empty, Response, run, room=2)
