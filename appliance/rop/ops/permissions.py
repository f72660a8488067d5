"""RopGetPermissionsTable and RopModifyPermissions: who may do what in a folder (MS-OXCROPS 2.2.10,
MS-OXCPERM 2.2, 3.2.5).

Members are shown by their address book entry ids; the entries for everybody else (0) and for who did not log
on (-1) have none. Free/busy rights are shown and changed only for clients that say they know them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntFlag
from typing import Annotated, Any

from appliance.directory import entries
from appliance.directory.model import Entry
from appliance.directory.properties import entry_id
from appliance.formats import bags
from appliance.mailbox import rights
from appliance.mapi import entryids, tags
from appliance.mapi import errors as ec
from appliance.mapi.entryids import PermanentEntryId
from appliance.mapi.errors import MapiError
from appliance.mapi.types import Bag, Value
from appliance.mapi.values import rop_form
from appliance.rop.context import RopContext
from appliance.rop.model import Access, Empty, Handles, On, Rop
from appliance.rop.objects import Folder
from appliance.rop.tables import Shows, TableObject
from appliance.rop.tagged import TaggedValues
from appliance.store import permissions
from appliance.store.kv import ReadTxn
from appliance.store.mailboxes import Special
from appliance.store.permissions import ANONYMOUS, DEFAULT, Right
from appliance.store.tables.lists import BagRecord, ListSource
from appliance.wire.errors import DecodeError
from appliance.wire.fields import U8, Array, Flags, UInt8
from appliance.wire.record import Record, as_codec

KNOWN = rights.EVERYTHING
SIGN = 1 << 63


class TableFlags(IntFlag):
    """MS-OXCPERM 2.2.1.1."""

    INCLUDE_FREE_BUSY = 0x02


class ModifyFlags(IntFlag):
    """MS-OXCPERM 2.2.2.1."""

    REPLACE_ROWS = 0x01
    INCLUDE_FREE_BUSY = 0x02


class RowFlags(IntFlag):
    """MS-OXCPERM 2.2.2.1.1."""

    ADD = 0x01
    MODIFY = 0x02
    REMOVE = 0x04


class TableRequest(Record):
    """2.2.10.2.1"""

    table_flags: Annotated[TableFlags, Flags(TableFlags, U8)]


class PermissionData(Record):
    """2.2.10.1.1.1"""

    flags: UInt8
    values: Annotated[tuple[tuple[int, Value], ...], TaggedValues(rop_form())]


class ModifyRequest(Record):
    """2.2.10.1.1"""

    modify_flags: Annotated[ModifyFlags, Flags(ModifyFlags, U8)]
    data: Annotated[tuple[PermissionData, ...], Array(as_codec(PermissionData), 2, least=3)]


def table(ctx: RopContext, request: TableRequest) -> None:
    """RopGetPermissionsTable. Raises ecAccessDenied without FolderVisible, ecInvalidParam for unknown
    flags."""
    folder, shows_free_busy = ctx.input(Folder), bool(request.table_flags & TableFlags.INCLUDE_FREE_BUSY)
    if int(request.table_flags) & ~0x02:
        raise MapiError(ec.ecInvalidParam)
    mailbox = folder.logon.mailbox
    rights.require(ctx.txn, ctx.actor, mailbox, folder.fid, Right.FOLDER_VISIBLE)
    shown = KNOWN if shows_free_busy else permissions.ALL
    members = permissions.members(ctx.txn, mailbox, folder.fid)
    if not members and _is_calendar(folder):
        members = {DEFAULT: Right.FREE_BUSY_SIMPLE}
    rows = _rows(ctx.txn, members, shown)
    source = ListSource(BagRecord(number, bags.pack(bag)) for number, bag in enumerate(rows, 1))
    ctx.put(TableObject(folder.logon, Shows.PERMISSIONS, source, ctx.session.engine.arrangements))


def _is_calendar(folder: Folder) -> bool:
    return folder.logon.is_private and folder.fid == Special.CALENDAR


def _rows(txn: ReadTxn, members: dict[int, Right], shown: Right) -> Iterator[Bag]:
    """The entry for everybody else comes first, then that for strangers, then members."""
    everybody = {DEFAULT: Right.NONE, ANONYMOUS: Right.NONE} | members
    for member in (DEFAULT, ANONYMOUS, *(each for each in members if each not in (DEFAULT, ANONYMOUS))):
        entry = entries.find(txn, member) if member not in (DEFAULT, ANONYMOUS) else None
        yield {
            tags.PidTagMemberId: member - (1 << 64) if member >= SIGN else member,
            tags.PidTagMemberName: _name(member, entry),
            tags.PidTagMemberRights: int(everybody[member] & shown),
            tags.PidTagEntryId: entry_id(entry) if entry is not None else b"",
        }


def _name(member: int, entry: Entry | None) -> str:
    if entry is not None:
        return entry.display_name
    return "Anonymous" if member == ANONYMOUS else "" if member == DEFAULT else f"({member})"


@dataclass(frozen=True, slots=True)
class _Change:
    """One row of a request: what is to be done with whom."""

    flags: RowFlags
    member: int | None
    right: Right


def modify(ctx: RopContext, request: ModifyRequest) -> None:
    """RopModifyPermissions, all or nothing. Raises ecAccessDenied without FolderOwner, ecInvalidParam for
    rows or flags that are none, ecNotFound for somebody who is not in the directory. A row about a member
    that the list does not have is ignored (3.2.5.2)."""
    folder, flags, txn = ctx.input(Folder), request.modify_flags, ctx.writing
    if int(flags) & ~0x03:
        raise MapiError(ec.ecInvalidParam)
    where = (txn, ctx.actor, folder.logon.mailbox, folder.fid)
    rights.require(*where, Right.FOLDER_OWNER)
    changes = [_change(txn, data) for data in request.data]
    before = permissions.members(txn, folder.logon.mailbox, folder.fid)
    if flags & ModifyFlags.REPLACE_ROWS:
        if any(change.flags != RowFlags.ADD for change in changes):
            raise MapiError(ec.ecInvalidParam)
        for gone in before.keys() - {DEFAULT}:
            rights.revoke(*where, gone)
    free_busy = bool(flags & ModifyFlags.INCLUDE_FREE_BUSY)
    if _is_calendar(folder) and DEFAULT not in before:
        rights.grant(*where, DEFAULT, Right.FREE_BUSY_SIMPLE)
    for change in changes:
        member = change.member
        if member is None:
            raise MapiError(ec.ecNotFound)
        known = member in before or member in (DEFAULT, ANONYMOUS)
        if change.flags == RowFlags.REMOVE:
            if member in before and member != DEFAULT:
                rights.revoke(*where, member)
        elif change.flags == RowFlags.ADD or known:
            right = change.right if free_busy else _blind(folder, before, member, change.right)
            rights.grant(*where, member, right)


def _blind(folder: Folder, before: dict[int, Right], member: int, right: Right) -> Right:
    """What an entry becomes by a client that does not say that it knows free/busy rights."""
    if _is_calendar(folder):
        return rights.calendar_change(before, member, right)
    return right & permissions.ALL | before.get(member, Right.NONE) & rights.FREE_BUSY


def _change(txn: ReadTxn, data: PermissionData) -> _Change:
    values: dict[int, Any] = dict(data.values)
    if data.flags not in (RowFlags.ADD, RowFlags.MODIFY, RowFlags.REMOVE):
        raise MapiError(ec.ecInvalidParam)
    flags = RowFlags(data.flags)
    raw = values.get(tags.PidTagMemberRights)
    if not isinstance(raw, int):
        if flags is not RowFlags.REMOVE:
            raise MapiError(ec.ecInvalidParam)
        raw = 0
    if raw & ~int(KNOWN):
        raise MapiError(ec.ecInvalidParam)
    return _Change(flags, _member(txn, values, flags), Right(raw))


def _member(txn: ReadTxn, values: dict[int, Any], flags: RowFlags) -> int | None:
    """Whom a row is about: an address book entry, or a member by its id; None for nobody."""
    entry, number = values.get(tags.PidTagEntryId), values.get(tags.PidTagMemberId)
    if flags is RowFlags.ADD and isinstance(entry, bytes) and entry:
        try:
            found = entryids.parse(entry)
        except DecodeError:
            raise MapiError(ec.ecInvalidParam) from None
        known = entries.by_legacy_dn(txn, found.dn) if isinstance(found, PermanentEntryId) else None
        return known.id if known is not None else None
    if not isinstance(number, int):
        raise MapiError(ec.ecInvalidParam)
    return number & (1 << 64) - 1


ROPS = (
    Rop(0x3E, On.FOLDER, Access.READ, TableRequest, Empty, table, Handles.IN_OUT),
    Rop(0x40, On.FOLDER, Access.WRITE, ModifyRequest, Empty, modify),
)
