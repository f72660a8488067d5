"""RopQueryRows: rows from the cursor on (MS-OXCROPS 2.2.5.4, MS-OXCTABL 2.2.2.5, 3.2.5.5)."""

from enum import IntFlag
from typing import Annotated

from appliance.rop.context import RopContext
from appliance.rop.model import On, Rop
from appliance.rop.tables import keep_order, reading, sound_table
from appliance.store.tables.table import Origin
from appliance.wire.fields import LOOSE_BOOL, U8, Flags, Remaining, UInt8, UInt16
from appliance.wire.record import Record

HEAD = 3
"""Bytes of the response before its rows: Origin, RowCount."""


class QueryRowsFlags(IntFlag):
    """MS-OXCTABL 2.2.2.5.1."""

    NO_ADVANCE = 0x01
    ENABLE_PACKED_BUFFERS = 0x02


class Request(Record):
    """2.2.5.4.1"""

    query_rows_flags: Annotated[QueryRowsFlags, Flags(QueryRowsFlags, U8)]
    forward_read: Annotated[bool, LOOSE_BOOL]
    row_count: UInt16


class Response(Record):
    """2.2.5.4.2. `row_data` are property rows, as they stand on the wire (MS-OXCDATA 2.8)."""

    origin: UInt8
    row_count: UInt16
    row_data: Remaining


def run(ctx: RopContext, request: Request) -> Response:
    """As many rows as fit. Raises ecNullObject for a table without columns, ecBufferTooSmall when not even
    one row fits."""
    found = sound_table(ctx)
    advance = not request.query_rows_flags & QueryRowsFlags.NO_ADVANCE
    data, count, origin = found.table.pack_rows(
        ctx.txn,
        request.row_count,
        ctx.budget - HEAD,
        ctx.form,
        forward=request.forward_read,
        advance=advance,
    )
    keep_order(ctx, found)
    return Response(int(origin), count, data)


def follow(request: Request, response: Response) -> Request | None:
    """The rows behind those that fitted (MS-OXCRPC 3.1.4.2.1.2.2)."""
    wants = request.query_rows_flags & QueryRowsFlags.ENABLE_PACKED_BUFFERS
    stays = request.query_rows_flags & QueryRowsFlags.NO_ADVANCE
    left = request.row_count - response.row_count
    if not wants or stays or left <= 0 or response.origin != Origin.CURRENT or not response.row_count:
        return None
    return Request(request.query_rows_flags, request.forward_read, left)


ROP = Rop(0x15, On.TABLE, reading, Request, Response, run, room=HEAD, follow=follow)
