"""RopDeleteProperties, RopDeletePropertiesNoReplicate: take properties away (MS-OXCROPS 2.2.8.8, 2.2.8.9,
MS-OXCPRPT 3.2.5.5)."""

from functools import partial
from typing import Annotated

from appliance.mapi.rows import MAX_COLUMNS
from appliance.rop.context import RopContext
from appliance.rop.model import Access, On, Rop
from appliance.rop.properties import Problems, bag_tag, propertied
from appliance.wire.fields import U32, Array
from appliance.wire.record import Record


class Request(Record):
    """2.2.8.8.1"""

    tags: Annotated[tuple[int, ...], Array(U32, 2, MAX_COLUMNS)]


def need(ctx: RopContext, _request: Request) -> Access:
    """Folders and logons are written at once."""
    return propertied(ctx).writing


def run(ctx: RopContext, request: Request, *, replicate: bool) -> Problems:
    """Read-only properties are told as problems. Raises ecAccessDenied."""
    given = [bag_tag(tag) for tag in request.tags]
    return Problems.of(request.tags, propertied(ctx).delete_properties(ctx, given, replicate=replicate))


_ON = On.LOGON | On.FOLDER | On.MESSAGE | On.ATTACHMENT
DELETE = Rop(0x0B, _ON, need, Request, Problems, partial(run, replicate=True))
DELETE_NO_REPLICATE = Rop(0x7A, _ON, need, Request, Problems, partial(run, replicate=False))
ROPS = (DELETE, DELETE_NO_REPLICATE)
