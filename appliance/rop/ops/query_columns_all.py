"""RopQueryColumnsAll: every column that a table may show (MS-OXCROPS 2.2.5.12, MS-OXCTABL 2.2.2.13,
3.2.5.13)."""

from typing import Annotated

from appliance.rop.context import RopContext
from appliance.rop.model import Access, Empty, On, Rop
from appliance.rop.tables import begin_watch, table_of
from appliance.wire.fields import U32, Array
from appliance.wire.record import Record

TAG, COUNT = 4, 2
"""Bytes of a tag and of their count."""


class Response(Record):
    """2.2.5.12.2"""

    property_tags: Annotated[tuple[int, ...], Array(U32, 2)]


def run(ctx: RopContext, _request: Empty) -> Response:
    """As many as fit."""
    table = table_of(ctx)
    begin_watch(ctx, table)
    found = table.table.columns_all(ctx.txn)
    return Response(tuple(found[: (ctx.budget - COUNT) // TAG]))


ROP = Rop(0x37, On.TABLE, Access.SCAN, Empty, Response, run)
