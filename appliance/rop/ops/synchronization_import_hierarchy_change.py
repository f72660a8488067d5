"""RopSynchronizationImportHierarchyChange: a folder that a client made or changed (MS-OXCROPS 2.2.13.4,
MS-OXCFXICS 2.2.3.2.4.3, 3.2.5.9.4.3)."""

from typing import Annotated

from appliance.mailbox import sync
from appliance.mapi import errors as ec
from appliance.mapi import tags
from appliance.mapi.errors import MapiError
from appliance.mapi.ids import SHORT_ID
from appliance.mapi.types import Bag
from appliance.rop.context import RopContext
from appliance.rop.fasttransfer.pen import FOLDER_INTERNAL, is_transmitted
from appliance.rop.ics.collector import Collector
from appliance.rop.ics.values import TAGGED_VALUES, Tagged, bag_of
from appliance.rop.model import Access, On, Rop
from appliance.wire.record import Record

_HIERARCHY = (
    tags.PidTagParentSourceKey,
    tags.PidTagSourceKey,
    tags.PidTagLastModificationTime,
    tags.PidTagChangeKey,
    tags.PidTagPredecessorChangeList,
    tags.PidTagDisplayName,
)


class Request(Record):
    """2.2.13.4.1"""

    hierarchy_values: Annotated[Tagged, TAGGED_VALUES]
    property_values: Annotated[Tagged, TAGGED_VALUES]


class Response(Record):
    """2.2.13.4.2"""

    folder_id: Annotated[int, SHORT_ID]


def run(ctx: RopContext, request: Request) -> Response:
    """Raises ecInvalidParam for a request without what identifies folder and version, and what the import
    raises."""
    collector = ctx.input(Collector)
    if collector.contents:
        raise MapiError(ec.ecNotSupported)
    values = bag_of(request.hierarchy_values, ctx.form.page)
    parent, name = values.get(tags.PidTagParentSourceKey), values.get(tags.PidTagDisplayName)
    if not isinstance(parent, bytes) or not isinstance(name, str) or not name:
        raise MapiError(ec.ecInvalidParam)
    given = bag_of(request.property_values, ctx.form.page)
    props: Bag = {
        tag: value
        for tag, value in given.items()
        if tag not in values and tag not in _HIERARCHY and is_transmitted(tag, FOLDER_INTERNAL)
    }
    logon = ctx.logon
    made = sync.import_folder(
        ctx.writing,
        ctx.actor,
        logon.mailbox,
        collector.fid,
        parent,
        name,
        sync.Import.of(values),
        props,
        now=ctx.now,
    )
    if made.cn:
        ctx.emit(lambda: collector.imported(made.cn))
    return Response(0)


ROP = Rop(0x73, On.COLLECTOR, Access.WRITE, Request, Response, run)
