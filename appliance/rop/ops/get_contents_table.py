"""RopGetContentsTable: the messages of a folder as a table (MS-OXCROPS 2.2.4.14, MS-OXCFOLD 2.2.1.14,
3.2.5.14)."""

from enum import IntFlag
from typing import Annotated

from appliance.mailbox import rights, tree
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
from appliance.store.kv import ReadTxn
from appliance.store.mailboxes import Special
from appliance.store.permissions import Right
from appliance.store.tables.conversation import MembersSource
from appliance.store.tables.search import SearchSource
from appliance.store.tables.source import Source
from appliance.store.tables.sources import ContentsSource, DeletedSource
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
    """Raises ecInvalidParam for unknown flags and those that exclude each other, ecAccessDenied without
    READ_ANY."""
    folder, flags, txn = ctx.input(Folder), request.table_flags, ctx.txn
    if flags & ~_KNOWN:
        raise MapiError(ec.ecInvalidParam)
    mailbox, fid = folder.logon.mailbox, folder.fid
    rights.require(txn, ctx.actor, mailbox, fid, Right.READ_ANY)
    if flags & TableFlags.CONVERSATION_MEMBERS:
        return _conversations(ctx, folder, flags)
    row = folders.get(txn, mailbox, fid)
    associated, deleted = bool(flags & TableFlags.ASSOCIATED), bool(flags & TableFlags.SOFT_DELETES)
    search = row.kind is FolderKind.SEARCH and not associated and not deleted
    computed = columns.of_contents(
        mailbox, fid, ctx.actor, associated=associated, deleted=deleted, search=search
    )
    place: Place | None = None
    source: Source
    if deleted:
        source = DeletedSource(mailbox, fid, associated=associated, computed=computed)
        count = sum(1 for _ in source.records(txn))
    elif search:
        source = SearchSource(mailbox, fid, computed=computed, asked=columns.asked)
        count = search_folders.counts(txn, mailbox, fid)[0]
    else:
        source = ContentsSource(mailbox, fid, associated=associated, computed=computed, asked=columns.asked)
        count = row.associated if associated else row.total
        place = Place(mailbox, fid) if not associated and count >= LEAST else None
    engine = ctx.session.engine
    table = TableObject(folder.logon, Shows.CONTENTS, source, engine.arrangements, place)
    if not flags & TableFlags.NO_NOTIFICATIONS and not deleted:
        rows = SearchRows(fid) if search else MessageRows(fid, associated)
        table.watch = TableWatch(ctx.session, table, table.table, rows)
    ctx.put(table)
    return Response(count)


def _conversations(ctx: RopContext, folder: Folder, flags: TableFlags) -> Response:
    """The messages of conversations, wherever they stand: of a mailbox, asked of its root folder, or of a
    public folder (MS-OXCFOLD 2.2.1.14.1). Such tables tell no changes."""
    logon, actor = folder.logon, ctx.actor
    if flags & (TableFlags.ASSOCIATED | TableFlags.SOFT_DELETES):
        raise MapiError(ec.ecInvalidParam)
    if logon.is_private and folder.fid != Special.ROOT:
        raise MapiError(ec.ecInvalidParam)
    mailbox = logon.mailbox

    def visible(txn: ReadTxn, fid: int) -> bool:
        return bool(rights.effective(txn, actor, mailbox, fid) & Right.READ_ANY) and not (
            logon.is_private and tree.lies_within(txn, mailbox, fid, Special.RECOVERABLE_ITEMS)
        )

    source = MembersSource(
        mailbox,
        folder.fid,
        visible,
        0 if actor.admin or actor.mailbox == mailbox else actor.user,
        computed=columns.of_any(mailbox, actor),
        asked=columns.asked,
    )
    ctx.put(TableObject(logon, Shows.CONTENTS, source, ctx.session.engine.arrangements))
    return Response(sum(1 for _ in source.records(ctx.txn)))


ROP = Rop(0x05, On.FOLDER, Access.READ, Request, Response, run, Handles.IN_OUT)
