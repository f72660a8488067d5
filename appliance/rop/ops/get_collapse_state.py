"""RopGetCollapseState: which categories are open, to be restored later (MS-OXCROPS 2.2.5.18, MS-OXCTABL
2.2.2.19, 3.2.5.19)."""

from appliance.rop.context import RopContext
from appliance.rop.model import On, Rop
from appliance.rop.tables import Shows, reading, sound_table
from appliance.wire.fields import Bytes16, UInt32, UInt64
from appliance.wire.record import Record


class Request(Record):
    """2.2.5.18.1: PidTagInstID and PidTagInstanceNum of a row that is to be the cursor."""

    row_id: UInt64
    row_instance_number: UInt32


class Response(Record):
    """2.2.5.18.2"""

    collapse_state: Bytes16


def run(ctx: RopContext, request: Request) -> Response:
    """Raises ecNullObject for a table without columns."""
    table = sound_table(ctx, Shows.CONTENTS).table
    return Response(table.collapse_state(ctx.txn, request.row_id, request.row_instance_number))


ROP = Rop(0x6B, On.TABLE, reading, Request, Response, run)
