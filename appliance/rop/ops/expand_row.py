"""RopExpandRow: open a category (MS-OXCROPS 2.2.5.16, MS-OXCTABL 2.2.2.17, 3.2.5.17)."""

from appliance.rop.context import RopContext
from appliance.rop.model import On, Rop
from appliance.rop.tables import Shows, reading, sound_table
from appliance.wire.fields import Remaining, UInt16, UInt32, UInt64
from appliance.wire.record import Record

HEAD = 6
"""Bytes of the response before its rows."""


class Request(Record):
    """2.2.5.16.1. `category_id` is the PidTagInstID of the header row."""

    max_row_count: UInt16
    category_id: UInt64


class Response(Record):
    """2.2.5.16.2. `row_data` are property rows as they stand on the wire."""

    expanded_row_count: UInt32
    row_count: UInt16
    row_data: Remaining


def run(ctx: RopContext, request: Request) -> Response:
    """As many rows as fit and were asked for. Raises ecNotFound, ecNotCollapsed, and ecNullObject for a table
    without columns."""
    table = sound_table(ctx, Shows.CONTENTS).table
    shown, rows = table.expand(ctx.txn, request.category_id, request.max_row_count)
    data, count, left = bytearray(), 0, ctx.budget - HEAD
    for cells in rows:
        row = table.pack_cells(cells, ctx.form)
        if len(data) + len(row) > left:
            break
        data += row
        count += 1
    return Response(shown, count, bytes(data))


ROP = Rop(0x59, On.TABLE, reading, Request, Response, run, room=HEAD)
