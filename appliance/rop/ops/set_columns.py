"""RopSetColumns: which properties a table's rows show (MS-OXCROPS 2.2.5.1, MS-OXCTABL 2.2.2.2, 3.2.5.2)."""

from typing import Annotated

from appliance.rop.context import RopContext
from appliance.rop.model import Access, On, Rop
from appliance.rop.tables import TBLSTAT_COMPLETE, table_of
from appliance.wire.fields import U32, Array, UInt8
from appliance.wire.record import Record

MAX_TAGS = 0xFFFF


class Request(Record):
    """2.2.5.1.1. The asynchronous flag is ignored: MS-OXCTABL 3.2.5.1 allows that."""

    set_columns_flags: UInt8
    property_tags: Annotated[tuple[int, ...], Array(U32, 2, MAX_TAGS)]


class Response(Record):
    """2.2.5.1.2"""

    table_status: UInt8


def run(ctx: RopContext, request: Request) -> Response:
    """Raises ecInvalidParam for types that no column has; the table then has no columns."""
    table_of(ctx).table.set_columns(request.property_tags)
    return Response(TBLSTAT_COMPLETE)


ROP = Rop(0x12, On.TABLE, Access.NONE, Request, Response, run)
