"""RopGetPropertiesSpecific: the values of the properties that are asked for (MS-OXCROPS 2.2.8.3, MS-OXCPRPT
3.2.5.1)."""

from typing import Annotated

from appliance.mapi.rows import MAX_COLUMNS
from appliance.rop.cells import cells, pack_row
from appliance.rop.context import RopContext
from appliance.rop.messages import Message
from appliance.rop.model import Access, On, Rop
from appliance.rop.objects import Object
from appliance.rop.properties import propertied
from appliance.rop.settable import BODIES
from appliance.wire.fields import REST, U16, U32, Array
from appliance.wire.record import Record

_SLOW = frozenset(tag >> 16 for tag in BODIES)


class Request(Record):
    """2.2.8.3.1. The size limit is ignored (MS-OXCPRPT 3.2.5.1)."""

    property_size_limit: Annotated[int, U16]
    want_unicode: Annotated[int, U16]
    tags: Annotated[tuple[int, ...], Array(U32, 2, MAX_COLUMNS)]


class Response(Record):
    """2.2.8.3.2: a PropertyRow of the tags in the request."""

    row: Annotated[bytes, REST]


def need(ctx: RopContext, request: Request) -> Access:
    """Bodies of a MIME message take decoding."""
    found = ctx.input(Object)
    if isinstance(found, Message) and found.mime and any(tag >> 16 in _SLOW for tag in request.tags):
        return Access.SCAN
    return Access.READ


def run(ctx: RopContext, request: Request) -> Response:
    """What an object does not have is ecNotFound, what is too big for the response ecMAPIOOM, each in its
    cell."""
    found = propertied(ctx)
    if isinstance(found, Message) and (packed := found.property_row(ctx, request.tags)) is not None:
        return Response(packed)
    values = cells(found.view(ctx), request.tags, unicode=bool(request.want_unicode))
    return Response(pack_row(request.tags, values, found.form(ctx), ctx.budget))


ROP = Rop(0x07, On.LOGON | On.FOLDER | On.MESSAGE | On.ATTACHMENT, need, Request, Response, run, room=1)
