"""RopAbort: stop what a table is busy with: nothing (MS-OXCROPS 2.2.5.5, MS-OXCTABL 2.2.2.6, 3.2.5.6)."""

from appliance.mapi import errors as ec
from appliance.mapi.errors import MapiError
from appliance.rop.context import RopContext
from appliance.rop.model import Access, Empty, On, Rop
from appliance.rop.tables import Shows, table_of
from appliance.wire.fields import UInt8
from appliance.wire.record import Record


class Response(Record):
    """2.2.5.5.2"""

    table_status: UInt8


def run(ctx: RopContext, _request: Empty) -> Response:
    """Always raises ecUnableToAbort: operations on tables are over when they are answered."""
    table_of(ctx, Shows.CONTENTS | Shows.HIERARCHY)
    raise MapiError(ec.ecUnableToAbort)


ROP = Rop(0x38, On.TABLE, Access.NONE, Empty, Response, run)
