"""RopCreateBookmark: remember where the cursor is (MS-OXCROPS 2.2.5.11, MS-OXCTABL 2.2.2.12, 3.2.5.12)."""

from appliance.rop.context import RopContext
from appliance.rop.model import Empty, On, Rop
from appliance.rop.tables import Shows, reading, sound_table
from appliance.wire.fields import Bytes16
from appliance.wire.record import Record


class Response(Record):
    """2.2.5.11.2"""

    bookmark: Bytes16


def run(ctx: RopContext, _request: Empty) -> Response:
    """Raises ecMemory when the table has as many bookmarks as it may."""
    return Response(sound_table(ctx, Shows.CONTENTS | Shows.HIERARCHY).table.create_bookmark(ctx.txn))


ROP = Rop(0x1B, On.TABLE, reading, Empty, Response, run, ends=True)
