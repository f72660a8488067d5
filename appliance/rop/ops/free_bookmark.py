"""RopFreeBookmark: forget a bookmark (MS-OXCROPS 2.2.5.15, MS-OXCTABL 2.2.2.15, 3.2.5.15)."""

from appliance.rop.context import RopContext
from appliance.rop.model import Access, Empty, On, Rop
from appliance.rop.tables import Shows, table_of
from appliance.wire.fields import Bytes16
from appliance.wire.record import Record


class Request(Record):
    """2.2.5.15.1"""

    bookmark: Bytes16


def run(ctx: RopContext, request: Request) -> None:
    """Raises ecInvalidBookmark, and ecNullObject for a table without columns."""
    table_of(ctx, Shows.CONTENTS | Shows.HIERARCHY).table.free_bookmark(request.bookmark)


ROP = Rop(0x89, On.TABLE, Access.NONE, Request, Empty, run)
