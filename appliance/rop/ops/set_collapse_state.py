"""RopSetCollapseState: open and close categories as they once were (MS-OXCROPS 2.2.5.19, MS-OXCTABL
2.2.2.20, 3.2.5.20)."""

from appliance.rop.context import RopContext
from appliance.rop.model import On, Rop
from appliance.rop.tables import Shows, reading, sound_table
from appliance.wire.fields import Bytes16
from appliance.wire.record import Record


class Request(Record):
    """2.2.5.19.1"""

    collapse_state: Bytes16


class Response(Record):
    """2.2.5.19.2: a bookmark of the row that the state names."""

    bookmark: Bytes16


def run(ctx: RopContext, request: Request) -> Response:
    """Raises ecInvalidParam for a state that is none, and ecNullObject for a table without columns."""
    return Response(
        sound_table(ctx, Shows.CONTENTS).table.set_collapse_state(ctx.txn, request.collapse_state)
    )


ROP = Rop(0x6C, On.TABLE, reading, Request, Response, run)
