"""RopResetTable: a table as it was when it was opened (MS-OXCROPS 2.2.5.14, MS-OXCTABL 2.2.2.16,
3.2.5.16)."""

from appliance.rop.context import RopContext
from appliance.rop.model import Access, Empty, On, Rop
from appliance.rop.tables import Shows, table_of


def run(ctx: RopContext, _request: Empty) -> None:
    """Columns, restriction, sort order, bookmarks and errors are gone, the cursor is at the beginning."""
    table_of(ctx, Shows.CONTENTS).reset()


ROP = Rop(0x81, On.TABLE, Access.NONE, Empty, Empty, run)
