"""RopSynchronizationImportMessageChange: a message that a client made or changed (MS-OXCROPS 2.2.13.2,
MS-OXCFXICS 2.2.3.2.4.2, 3.2.5.9.4.2)."""

from enum import IntFlag
from typing import Annotated

from appliance.mailbox import imports, sync
from appliance.mapi import errors as ec
from appliance.mapi import tags
from appliance.mapi.errors import MapiError
from appliance.mapi.ids import SHORT_ID
from appliance.rop.context import RopContext
from appliance.rop.ics.collector import Collector
from appliance.rop.ics.imported import ImportedMessage
from appliance.rop.ics.values import TAGGED_VALUES, Tagged, bag_of
from appliance.rop.model import Access, Handles, On, Rop
from appliance.wire.fields import U8, Flags
from appliance.wire.record import Record


class ImportFlag(IntFlag):
    """MS-OXCFXICS 2.2.3.2.4.2.1"""

    NONE = 0
    ASSOCIATED = 0x10
    FAIL_ON_CONFLICT = 0x40


_KNOWN = int(ImportFlag.ASSOCIATED | ImportFlag.FAIL_ON_CONFLICT)
_EXPECTED = frozenset(
    {
        tags.PidTagSourceKey,
        tags.PidTagLastModificationTime,
        tags.PidTagChangeKey,
        tags.PidTagPredecessorChangeList,
    }
)


class Request(Record):
    """2.2.13.2.1"""

    import_flag: Annotated[ImportFlag, Flags(ImportFlag, U8)]
    property_values: Annotated[Tagged, TAGGED_VALUES]


class Response(Record):
    """2.2.13.2.2; the id is 0."""

    message_id: Annotated[int, SHORT_ID]


def run(ctx: RopContext, request: Request) -> Response:
    """Raises ecInvalidParam for unknown flags and for properties that are not the four of an import, and what
    the import raises."""
    collector = ctx.input(Collector)
    if not collector.contents:
        raise MapiError(ec.ecNotSupported)
    if int(request.import_flag) & ~_KNOWN:
        raise MapiError(ec.ecInvalidParam)
    values = bag_of(request.property_values, ctx.form.page)
    if values.keys() != _EXPECTED:
        raise MapiError(ec.ecInvalidParam)
    draft = imports.open_import(
        ctx.txn,
        ctx.actor,
        ctx.logon.mailbox,
        collector.fid,
        sync.Import.of(values),
        associated=bool(request.import_flag & ImportFlag.ASSOCIATED),
        fail_on_conflict=bool(request.import_flag & ImportFlag.FAIL_ON_CONFLICT),
    )
    ctx.put(ImportedMessage.importing(collector, draft, ctx.session.code_page))
    return Response(0)


ROP = Rop(0x72, On.COLLECTOR, Access.READ, Request, Response, run, Handles.IN_OUT)
