"""RopFindRow: the next row that matches (MS-OXCROPS 2.2.5.13, MS-OXCTABL 2.2.2.14, 3.2.5.14)."""

from typing import Annotated

from appliance.mapi import errors as ec
from appliance.mapi.errors import MapiError
from appliance.rop.context import RopContext
from appliance.rop.model import Access, On, Rop
from appliance.rop.tables import Shows, restriction_of, sound_table
from appliance.store.tables.table import Origin
from appliance.wire.fields import BOOL, Bytes16, Remaining, UInt8
from appliance.wire.record import Record

BACKWARDS = 0x01
HEAD = 2
"""Bytes of the response before its row."""


class Request(Record):
    """2.2.5.13.1"""

    find_row_flags: UInt8
    restriction_data: Bytes16
    origin: UInt8
    bookmark: Bytes16


class Response(Record):
    """2.2.5.13.2. `row_data` is a property row as it stands on the wire, when there is one."""

    row_no_longer_visible: Annotated[bool, BOOL]
    has_row_data: Annotated[bool, BOOL]
    row_data: Remaining


def run(ctx: RopContext, request: Request) -> Response:
    """The cursor moves to the row; the row is told when it fits. Raises ecNotFound, ecInvalidBookmark,
    ecInvalidParam, ecTooComplex, and ecNullObject for a table without columns."""
    found = sound_table(ctx, Shows.CONTENTS | Shows.HIERARCHY | Shows.RULES)
    if request.origin > Origin.CUSTOM or request.find_row_flags & ~BACKWARDS:
        raise MapiError(ec.ecInvalidParam)
    row = found.table.find_row(
        ctx.txn,
        restriction_of(request.restriction_data, ctx.form),
        Origin(request.origin),
        bookmark=request.bookmark,
        backwards=bool(request.find_row_flags & BACKWARDS),
    )
    data = found.table.pack_cells(row.cells, ctx.form)
    fits = len(data) <= ctx.budget - HEAD
    return Response(row.row_no_longer_visible, fits, data if fits else b"")


ROP = Rop(0x4F, On.TABLE, Access.SCAN, Request, Response, run, room=HEAD)
