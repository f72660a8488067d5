"""RopGetNamesFromPropertyIds: the names behind ids (MS-OXCROPS 2.2.8.2, MS-OXCPRPT 2.2.13, 3.2.5.9)."""

from typing import Annotated

from appliance.mapi.names import PropertyName
from appliance.mapi.rows import MAX_COLUMNS, PROPERTY_NAME
from appliance.rop.context import RopContext
from appliance.rop.model import Access, On, Rop
from appliance.store import names
from appliance.wire.fields import U16, Array
from appliance.wire.record import Record


class Request(Record):
    """2.2.8.2.1"""

    ids: Annotated[tuple[int, ...], Array(U16, 2, MAX_COLUMNS)]


class Response(Record):
    """2.2.8.2.2: None (Kind 0xFF) for an id without name."""

    names: Annotated[tuple[PropertyName | None, ...], Array(PROPERTY_NAME, 2)]


def run(ctx: RopContext, request: Request) -> Response:
    """Ids below 0x8000 are names of PS_MAPI themselves."""
    return Response(tuple(names.name_of(ctx.txn, number) for number in request.ids))


ROP = Rop(
    0x55, On.LOGON | On.FOLDER | On.MESSAGE | On.ATTACHMENT, Access.READ, Request, Response, run, room=2
)
