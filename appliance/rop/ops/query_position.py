"""RopQueryPosition: where the cursor is (MS-OXCROPS 2.2.5.7, MS-OXCTABL 2.2.2.8, 3.2.5.8)."""

from appliance.rop.context import RopContext
from appliance.rop.model import Empty, On, Rop
from appliance.rop.tables import reading, sound_table
from appliance.wire.fields import UInt32
from appliance.wire.record import Record


class Response(Record):
    """2.2.5.7.2: the row's number from 0, and how many rows there are."""

    numerator: UInt32
    denominator: UInt32


def run(ctx: RopContext, _request: Empty) -> Response:
    """The cursor behind the last row is at row number `denominator`."""
    return Response(*sound_table(ctx).table.query_position(ctx.txn))


ROP = Rop(0x17, On.TABLE, reading, Empty, Response, run)
