"""RopGetStatus: what a table is busy with: nothing (MS-OXCROPS 2.2.5.6, MS-OXCTABL 2.2.2.7, 3.2.5.7)."""

from appliance.rop.context import RopContext
from appliance.rop.model import Access, Empty, On, Rop
from appliance.rop.tables import TBLSTAT_COMPLETE, table_of
from appliance.wire.fields import UInt8
from appliance.wire.record import Record


class Response(Record):
    """2.2.5.6.2"""

    table_status: UInt8


def run(ctx: RopContext, _request: Empty) -> Response:
    """Operations on tables are over when they are answered."""
    table_of(ctx)
    return Response(TBLSTAT_COMPLETE)


ROP = Rop(0x16, On.TABLE, Access.NONE, Empty, Response, run)
