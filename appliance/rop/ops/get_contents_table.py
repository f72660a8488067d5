"""RopGetContentsTable: the messages of a folder as a table (MS-OXCROPS 2.2.4.14, MS-OXCFOLD 2.2.1.14,
3.2.5.14)."""

from enum import IntFlag
from typing import Annotated

from appliance.mailbox import rights
from appliance.mailbox.properties import tables as columns
from appliance.mapi import errors as ec
from appliance.mapi.errors import MapiError
from appliance.rop.context import RopContext
from appliance.rop.model import Access, Handles, On, Rop
from appliance.rop.notify.tables import MessageRows, SearchRows, TableWatch
from appliance.rop.objects import Folder
from appliance.rop.orders import LEAST, Place
from appliance.rop.tables import Shows, TableObject
from appliance.store import folders, search_folders
from appliance.store.folders import FolderKind
from appliance.store.permissions import Right
from appliance.store.tables.search import SearchSource
from appliance.store.tables.sources import ContentsSource, DeletedSource, Source
from appliance.wire.fields import U8, Flags, UInt32
from appliance.wire.record import Record


class TableFlags(IntFlag):
    """MS-OXCFOLD 2.2.1.14.1."""

    ASSOCIATED = 0x02
    DEFERRED_ERRORS = 0x08
    NO_NOTIFICATIONS = 0x10
    SOFT_DELETES = 0x20
    USE_UNICODE = 0x40
    CONVERSATION_MEMBERS = 0x80


_KNOWN = 0xFA


class Request(Record):
    """2.2.4.14.1"""

    table_flags: Annotated[TableFlags, Flags(TableFlags, U8)]


class Response(Record):
    """2.2.4.14.2"""

    row_count: UInt32


def run(ctx: RopContext, request: Request) -> Response:
    """Raises ecInvalidParam for unknown flags, ecAccessDenied without READ_ANY."""
    folder, flags, txn = ctx.input(Folder), request.table_flags, ctx.txn
    if flags & ~_KNOWN:
        raise MapiError(ec.ecInvalidParam)
    mailbox, fid = folder.logon.mailbox, folder.fid
    rights.require(txn, ctx.actor, mailbox, fid, Right.READ_ANY)
    row = folders.get(txn, mailbox, fid)
    associated, deleted = bool(flags & TableFlags.ASSOCIATED), bool(flags & TableFlags.SOFT_DELETES)
    search = row.kind is FolderKind.SEARCH and not associated and not deleted
    computed = columns.of_contents(
        mailbox, fid, ctx.actor, associated=associated, deleted=deleted, search=search
    )
    known = columns.MESSAGE_COLUMNS
    place: Place | None = None
    source: Source
    if deleted:
        source = DeletedSource(mailbox, fid, associated=associated, computed=computed)
        count = sum(1 for _ in source.records(txn))
    elif search:
        source = SearchSource(mailbox, fid, computed=computed, computed_tags=known)
        count = search_folders.counts(txn, mailbox, fid)[0]
    else:
        source = ContentsSource(mailbox, fid, associated=associated, computed=computed, computed_tags=known)
        count = row.associated if associated else row.total
        place = Place(mailbox, fid) if not associated and count >= LEAST else None
    engine = ctx.session.engine
    table = TableObject(folder.logon, Shows.CONTENTS, source, engine.arrangements, place)
    if not flags & TableFlags.NO_NOTIFICATIONS and not deleted:
        rows = SearchRows(fid) if search else MessageRows(fid, associated)
        table.watch = TableWatch(ctx.session, table, table.table, rows)
    ctx.put(table)
    return Response(count)


ROP = Rop(0x05, On.FOLDER, Access.READ, Request, Response, run, Handles.IN_OUT)
