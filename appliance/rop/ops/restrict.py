"""RopRestrict: show only the rows that match (MS-OXCROPS 2.2.5.3, MS-OXCTABL 2.2.2.4, 3.2.5.4)."""

from appliance.rop.context import RopContext
from appliance.rop.model import Access, On, Rop
from appliance.rop.tables import TBLSTAT_COMPLETE, Shows, table_of
from appliance.wire.fields import Bytes16, UInt8
from appliance.wire.record import Record


class Request(Record):
    """2.2.5.3.1. No restriction data takes the restriction away. The asynchronous flag is ignored."""

    restrict_flags: UInt8
    restriction_data: Bytes16


class Response(Record):
    """2.2.5.3.2"""

    table_status: UInt8


def run(ctx: RopContext, request: Request) -> Response:
    """Raises ecNotSupported for other kinds of tables, ecInvalidParam, ecTooComplex."""
    table_of(ctx, Shows.CONTENTS | Shows.HIERARCHY | Shows.RULES).restrict(request.restriction_data, ctx.form)
    return Response(TBLSTAT_COMPLETE)


ROP = Rop(0x14, On.TABLE, Access.NONE, Request, Response, run)
