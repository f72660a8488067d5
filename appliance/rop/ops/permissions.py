"""RopGetPermissionsTable, RopModifyPermissions (MS-OXCROPS 2.2.10, MS-OXCPERM 2.2, 3.2.5)."""

from enum import IntFlag
from typing import Annotated, Any

from appliance.formats import bags
from appliance.mailbox import permission_list
from appliance.mailbox.errors import Reason, Refused
from appliance.mailbox.permission_list import FREE_BUSY, Change, What
from appliance.mapi import errors as ec
from appliance.mapi import tags
from appliance.mapi.errors import MapiError
from appliance.rop.context import RopContext
from appliance.rop.model import Access, Empty, Handles, On, Rop
from appliance.rop.objects import Folder
from appliance.rop.tables import Shows, TableObject
from appliance.rop.tagged import TaggedValues, values_of
from appliance.store.kv import ReadTxn
from appliance.store.permissions import Right
from appliance.store.tables.sources import BagRecord, LiveList
from appliance.wire.fields import U8, Array, Flags, UInt8
from appliance.wire.record import Record, as_codec

_SIGN = 1 << 63


class TableFlags(IntFlag):
    """MS-OXCPERM 2.2.1.1."""

    INCLUDE_FREE_BUSY = 0x02


class ModifyFlags(IntFlag):
    """MS-OXCPERM 2.2.2.1."""

    REPLACE_ROWS = 0x01
    INCLUDE_FREE_BUSY = 0x02


class TableRequest(Record):
    """2.2.10.2.1"""

    table_flags: Annotated[TableFlags, Flags(TableFlags, U8)]


class PermissionData(Record):
    """MS-OXCPERM 2.2.2.1.1"""

    flags: UInt8
    values: TaggedValues


class ModifyRequest(Record):
    """2.2.10.1.1"""

    modify_flags: Annotated[ModifyFlags, Flags(ModifyFlags, U8)]
    permissions_data: Annotated[tuple[PermissionData, ...], Array(as_codec(PermissionData), 2, least=3)]


def get_table(ctx: RopContext, request: TableRequest) -> None:
    """Raises ecAccessDenied without FOLDER_VISIBLE."""
    folder = ctx.input(Folder)
    mailbox, fid, actor = folder.logon.mailbox, folder.fid, ctx.actor
    hidden = Right.NONE if request.table_flags & TableFlags.INCLUDE_FREE_BUSY else FREE_BUSY

    def rows(txn: ReadTxn) -> list[BagRecord]:
        return [
            BagRecord(
                number,
                bags.pack(
                    {
                        tags.PidTagMemberId: row.member - (row.member & _SIGN) * 2,
                        tags.PidTagMemberName: row.name,
                        tags.PidTagEntryId: row.entry_id,
                        tags.PidTagMemberRights: int(row.rights & ~hidden),
                    }
                ),
            )
            for number, row in enumerate(permission_list.listing(txn, actor, mailbox, fid))
        ]

    rows(ctx.txn)
    own = (tags.PidTagMemberId, tags.PidTagMemberName, tags.PidTagEntryId, tags.PidTagMemberRights)
    source = LiveList((9, mailbox, fid, actor.user, int(hidden)), rows, frozenset(own))
    ctx.put(TableObject(folder.logon, Shows.PERMISSIONS, source, ctx.session.engine.arrangements))


def modify(ctx: RopContext, request: ModifyRequest) -> None:
    """Raises ecAccessDenied without FOLDER_OWNER, ecInvalidParam for rows that are none."""
    folder, flags = ctx.input(Folder), request.modify_flags
    if flags & ~0x03:
        raise MapiError(ec.ecInvalidParam)
    try:
        permission_list.modify(
            ctx.writing,
            ctx.actor,
            folder.logon.mailbox,
            folder.fid,
            [_change(ctx, data) for data in request.permissions_data],
            replace=bool(flags & ModifyFlags.REPLACE_ROWS),
            free_busy=bool(flags & ModifyFlags.INCLUDE_FREE_BUSY),
            now=ctx.now,
        )
    except Refused as error:
        if error.reason is Reason.INVALID:
            raise MapiError(ec.ecInvalidParam) from None
        raise


def _change(ctx: RopContext, data: PermissionData) -> Change:
    values: dict[int, Any] = values_of(ctx, data.values)
    try:
        what = What(data.flags)
    except ValueError:
        raise MapiError(ec.ecInvalidParam) from None
    member, entry_id = values.get(tags.PidTagMemberId), values.get(tags.PidTagEntryId, b"")
    if what is not What.ADD and not isinstance(member, int):
        raise MapiError(ec.ecInvalidParam)
    rights = values.get(tags.PidTagMemberRights, 0)
    if what is not What.REMOVE and tags.PidTagMemberRights not in values:
        raise MapiError(ec.ecInvalidParam)
    return Change(what, member or 0, entry_id, Right(rights & 0xFFFF_FFFF))


TABLE = Rop(0x3E, On.FOLDER, Access.READ, TableRequest, Empty, get_table, Handles.IN_OUT)
MODIFY = Rop(0x40, On.FOLDER, Access.WRITE, ModifyRequest, Empty, modify)
ROPS = (TABLE, MODIFY)
