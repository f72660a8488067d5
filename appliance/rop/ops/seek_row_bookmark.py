"""RopSeekRowBookmark: move the cursor by rows from a bookmark (MS-OXCROPS 2.2.5.9, MS-OXCTABL 2.2.2.10,
3.2.5.10)."""

from typing import Annotated

from appliance.rop.context import RopContext
from appliance.rop.model import On, Rop
from appliance.rop.tables import Shows, reading, sound_table
from appliance.wire.fields import LOOSE_BOOL, Bool, Bytes16, Int32
from appliance.wire.record import Record


class Request(Record):
    """2.2.5.9.1"""

    bookmark: Bytes16
    row_count: Int32
    want_row_moved_count: Annotated[bool, LOOSE_BOOL]


class Response(Record):
    """2.2.5.9.2"""

    row_no_longer_visible: Bool
    has_sought_less: Bool
    rows_sought: Int32


def run(ctx: RopContext, request: Request) -> Response:
    """Raises ecInvalidBookmark, and ecNullObject for a table without columns."""
    found = sound_table(ctx, Shows.CONTENTS | Shows.HIERARCHY)
    moved, gone = found.table.seek_bookmark(ctx.txn, request.bookmark, request.row_count)
    return Response(gone, moved != request.row_count, moved)


ROP = Rop(0x19, On.TABLE, reading, Request, Response, run, ends=True)
