"""RopQueryNamedProperties: every named property with its id (MS-OXCROPS 2.2.8.10, MS-OXCPRPT 2.2.9,
3.2.5.6)."""

from enum import IntFlag
from typing import Annotated

from appliance.mapi.names import PropertyName
from appliance.mapi.rows import PROPERTY_NAME
from appliance.rop.context import RopContext
from appliance.rop.model import Access, On, Rop
from appliance.store import names
from appliance.wire.fields import GUID, LOOSE_BOOL, U8, U16, Flags, SizedArray, When
from appliance.wire.record import Record


class QueryFlags(IntFlag):
    """MS-OXCPRPT 2.2.9.1; other bits are ignored."""

    NO_STRINGS = 0x01
    NO_IDS = 0x02


class Request(Record):
    """2.2.8.10.1"""

    query_flags: Annotated[QueryFlags, Flags(QueryFlags, U8)]
    has_guid: Annotated[bool, LOOSE_BOOL]
    guid: Annotated[bytes | None, When(GUID, lambda request: request.has_guid)] = None


class Response(Record):
    """2.2.8.10.2: ids and names in the same order."""

    count: Annotated[int, U16]
    ids: Annotated[tuple[int, ...], SizedArray(U16, lambda response: response.count)]
    names: Annotated[tuple[PropertyName, ...], SizedArray(PROPERTY_NAME, lambda response: response.count)]


def run(ctx: RopContext, request: Request) -> Response:
    """By id."""
    found = [
        (number, name)
        for number, name in names.all_names(ctx.txn, request.guid)
        if not request.query_flags & _EXCLUDES[isinstance(name.lid_or_name, str)]
    ]
    return Response(len(found), tuple(number for number, _ in found), tuple(name for _, name in found))


_EXCLUDES = {True: QueryFlags.NO_STRINGS, False: QueryFlags.NO_IDS}

ROP = Rop(
    0x5F, On.LOGON | On.FOLDER | On.MESSAGE | On.ATTACHMENT, Access.SCAN, Request, Response, run, room=2
)
