"""RopGetHierarchyTable: the subfolders of a folder as a table (MS-OXCROPS 2.2.4.13, MS-OXCFOLD 2.2.1.13,
3.2.5.13)."""

from enum import IntFlag
from typing import Annotated

from appliance.mailbox import tree
from appliance.mailbox.properties import tables as columns
from appliance.mailbox.rights import effective
from appliance.mapi import errors as ec
from appliance.mapi.errors import MapiError
from appliance.rop.context import RopContext
from appliance.rop.model import Access, Handles, On, Rop
from appliance.rop.notify.tables import FolderRows, TableWatch
from appliance.rop.objects import Folder
from appliance.rop.tables import Shows, TableObject
from appliance.store.kv import ReadTxn
from appliance.store.permissions import Right
from appliance.store.tables.hierarchy import FolderList, HierarchySource
from appliance.store.tables.source import Source
from appliance.wire.fields import U8, Flags, UInt32
from appliance.wire.record import Record


class TableFlags(IntFlag):
    """MS-OXCFOLD 2.2.1.13.1."""

    DEPTH = 0x04
    DEFERRED_ERRORS = 0x08
    NO_NOTIFICATIONS = 0x10
    SOFT_DELETES = 0x20
    USE_UNICODE = 0x40
    SUPPRESSES_NOTIFICATIONS = 0x80


_KNOWN = 0xFC


class Request(Record):
    """2.2.4.13.1"""

    table_flags: Annotated[TableFlags, Flags(TableFlags, U8)]


class Response(Record):
    """2.2.4.13.2"""

    row_count: UInt32


def run(ctx: RopContext, request: Request) -> Response:
    """Folders that the user may not see are left out. Raises ecNotSupported for unknown flags."""
    folder, flags, actor = ctx.input(Folder), request.table_flags, ctx.actor
    if flags & ~_KNOWN:
        raise MapiError(ec.ecNotSupported)
    mailbox = folder.logon.mailbox

    def visible(txn: ReadTxn, fid: int) -> bool:
        return bool(effective(txn, actor, mailbox, fid) & (Right.FOLDER_VISIBLE | Right.FOLDER_OWNER))

    computed = columns.of_hierarchy(mailbox, actor)
    source: Source
    if flags & TableFlags.SOFT_DELETES:
        gone = tree.deleted_below(ctx.txn, mailbox, folder.fid)
        source = FolderList(
            mailbox, [each.fid for each in gone if visible(ctx.txn, each.fid)], computed=computed
        )
    else:
        source = HierarchySource(
            mailbox,
            folder.fid,
            deep=bool(flags & TableFlags.DEPTH),
            computed=computed,
            visible=visible,
            viewer=0 if actor.admin or actor.mailbox == mailbox else actor.user,
            reader=0 if folder.logon.is_private else actor.user,
        )
    table = TableObject(folder.logon, Shows.HIERARCHY, source, ctx.session.engine.arrangements)
    if not flags & TableFlags.NO_NOTIFICATIONS and not flags & TableFlags.SOFT_DELETES:
        rows = FolderRows(folder.fid, deep=bool(flags & TableFlags.DEPTH))
        table.watch = TableWatch(ctx.session, table, table.table, rows)
    ctx.put(table)
    return Response(sum(1 for _ in source.records(ctx.txn)))


ROP = Rop(0x04, On.FOLDER, Access.READ, Request, Response, run, Handles.IN_OUT)
