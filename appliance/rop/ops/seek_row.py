"""RopSeekRow: move the cursor by rows (MS-OXCROPS 2.2.5.8, MS-OXCTABL 2.2.2.9, 3.2.5.9)."""

from typing import Annotated

from appliance.mapi import errors as ec
from appliance.mapi.errors import MapiError
from appliance.rop.context import RopContext
from appliance.rop.model import On, Rop
from appliance.rop.tables import reading, sound_table
from appliance.store.tables.table import Origin
from appliance.wire.fields import LOOSE_BOOL, Bool, Int32, UInt8
from appliance.wire.record import Record


class Request(Record):
    """2.2.5.8.1"""

    origin: UInt8
    row_count: Int32
    want_row_moved_count: Annotated[bool, LOOSE_BOOL]


class Response(Record):
    """2.2.5.8.2"""

    has_sought_less: Bool
    rows_sought: Int32


def run(ctx: RopContext, request: Request) -> Response:
    """Raises ecInvalidParam for an origin that is no predefined bookmark."""
    found = sound_table(ctx)
    if request.origin > Origin.END:
        raise MapiError(ec.ecInvalidParam)
    moved = found.table.seek(ctx.txn, Origin(request.origin), request.row_count)
    return Response(moved != request.row_count, moved)


ROP = Rop(0x18, On.TABLE, reading, Request, Response, run, ends=True)
