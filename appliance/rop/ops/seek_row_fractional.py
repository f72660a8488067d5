"""RopSeekRowFractional: move the cursor to a share of the table (MS-OXCROPS 2.2.5.10, MS-OXCTABL 2.2.2.11,
3.2.5.11)."""

from appliance.rop.context import RopContext
from appliance.rop.model import Empty, On, Rop
from appliance.rop.tables import reading, sound_table
from appliance.wire.fields import UInt32
from appliance.wire.record import Record


class Request(Record):
    """2.2.5.10.1"""

    numerator: UInt32
    denominator: UInt32


def run(ctx: RopContext, request: Request) -> None:
    """Raises ecInvalidBookmark for a denominator of 0."""
    sound_table(ctx).table.seek_fraction(ctx.txn, request.numerator, request.denominator)


ROP = Rop(0x1A, On.TABLE, reading, Request, Empty, run)
