"""RopCollapseRow: close a category (MS-OXCROPS 2.2.5.17, MS-OXCTABL 2.2.2.18, 3.2.5.18)."""

from appliance.rop.context import RopContext
from appliance.rop.model import On, Rop
from appliance.rop.tables import Shows, reading, sound_table
from appliance.wire.fields import UInt32, UInt64
from appliance.wire.record import Record


class Request(Record):
    """2.2.5.17.1. `category_id` is the PidTagInstID of the header row."""

    category_id: UInt64


class Response(Record):
    """2.2.5.17.2"""

    collapsed_row_count: UInt32


def run(ctx: RopContext, request: Request) -> Response:
    """Raises ecNotFound, ecNotExpanded, and ecNullObject for a table without columns."""
    return Response(sound_table(ctx, Shows.CONTENTS).table.collapse(ctx.txn, request.category_id))


ROP = Rop(0x5A, On.TABLE, reading, Request, Response, run)
