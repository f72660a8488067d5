"""RopSortTable: the order of a contents table's rows, and its categories (MS-OXCROPS 2.2.5.2, MS-OXCTABL
2.2.2.3, 3.2.5.3)."""

from typing import Annotated

from appliance.mapi.sorts import Direction, SortOrder, SortOrderSet
from appliance.rop.context import RopContext
from appliance.rop.model import Access, On, Rop
from appliance.rop.tables import TBLSTAT_COMPLETE, Shows, table_of
from appliance.wire.fields import SizedArray, UInt8, UInt16, UInt32
from appliance.wire.record import Record, as_codec


class Order(Record):
    """MS-OXCDATA 2.13.1: a column and Direction, which is looked at when the ROP runs."""

    tag: UInt32
    order: UInt8


class Request(Record):
    """2.2.5.2.1. The asynchronous flag is ignored: MS-OXCTABL 3.2.5.1 allows that."""

    sort_table_flags: UInt8
    sort_order_count: UInt16
    category_count: UInt16
    expanded_count: UInt16
    sort_orders: Annotated[tuple[Order, ...], SizedArray(as_codec(Order), lambda r: r.sort_order_count)]


class Response(Record):
    """2.2.5.2.2"""

    table_status: UInt8


def run(ctx: RopContext, request: Request) -> Response:
    """Raises ecNotSupported for tables without contents, ecInvalidParam for orders that contradict each
    other; the table's rows then cannot be read until it is sorted again or reset."""
    table = table_of(ctx, Shows.CONTENTS)
    table.sort(_orders(request))
    return Response(TBLSTAT_COMPLETE)


def _orders(request: Request) -> SortOrderSet | None:
    """None for a direction that there is not."""
    known = {int(direction): direction for direction in Direction}
    if any(each.order not in known for each in request.sort_orders):
        return None
    orders = tuple(SortOrder(each.tag, known[each.order]) for each in request.sort_orders)
    return SortOrderSet(orders, request.category_count, request.expanded_count)


ROP = Rop(0x13, On.TABLE, Access.NONE, Request, Response, run)
