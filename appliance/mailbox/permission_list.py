"""The permissions list of a folder, as clients read and change it (MS-OXCPERM 2.2, 3.2.5).

Members are users and groups of the directory, by their ids; two of them always stand there: DEFAULT for who
is not named, and ANONYMOUS, which has no effect since everyone logs on. A folder whose list was never changed
has no rows; it shows the two without rights.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from appliance.directory import entries
from appliance.mailbox.actor import Actor
from appliance.mailbox.errors import Reason, Refused, refusing
from appliance.mailbox.rights import require
from appliance.mapi.entryids import AddressBookType, PermanentEntryId, parse
from appliance.store import folders, log, permissions
from appliance.store.kv import ReadTxn, WriteTxn
from appliance.store.mailboxes import Special, changing
from appliance.store.permissions import ANONYMOUS, DEFAULT, Right

MAX_MEMBERS = 1000
"""Rows of a list, at most."""

ANONYMOUS_NAME = "Anonymous"
FREE_BUSY = Right.FREE_BUSY_SIMPLE | Right.FREE_BUSY_DETAILED
KNOWN = permissions.ALL | FREE_BUSY


class What(Enum):
    """What is done to a row (2.2.2.1.1)."""

    ADD = 0x01
    MODIFY = 0x02
    REMOVE = 0x04


@dataclass(frozen=True, slots=True)
class Row:
    """A member with its name ("" for the default one) and entry id (empty for the two that always are)."""

    member: int
    name: str
    entry_id: bytes
    rights: Right


@dataclass(frozen=True, slots=True)
class Change:
    """A change of a row: of an entry id's for ADD, else of a member's."""

    what: What
    member: int = 0
    entry_id: bytes = b""
    rights: Right = Right.NONE


def listing(txn: ReadTxn, actor: Actor, mailbox: int, fid: int) -> list[Row]:
    """The list, the two members that always are first. Needs FOLDER_VISIBLE."""
    with refusing():
        if not require(txn, actor, mailbox, fid, Right.FOLDER_VISIBLE) & (
            Right.FOLDER_VISIBLE | Right.FOLDER_OWNER
        ):
            raise Refused(Reason.ACCESS_DENIED)
    stored = permissions.members(txn, mailbox, fid)
    rows = [
        Row(DEFAULT, "", b"", stored.pop(DEFAULT, Right.NONE)),
        Row(ANONYMOUS, ANONYMOUS_NAME, b"", stored.pop(ANONYMOUS, Right.NONE)),
    ]
    for member, rights in stored.items():
        entry = entries.find(txn, member)
        if entry is not None:
            kind = AddressBookType.DISTRIBUTION_LIST if entry.is_group else AddressBookType.LOCAL_USER
            rows.append(
                Row(member, entry.display_name, PermanentEntryId(entry.legacy_dn, kind).pack(), rights)
            )
    return rows


def modify(
    txn: WriteTxn,
    actor: Actor,
    mailbox: int,
    fid: int,
    changes: Sequence[Change],
    *,
    replace: bool,
    free_busy: bool,
    now: int,
) -> None:
    """Change the list: with `replace` nothing but the default member stays of the old one, and rows can only
    be added. Rights of FREE_BUSY change only with `free_busy`, on the calendar. Changes of members that are
    not there are passed over. Needs FOLDER_OWNER. Raises Refused ACCESS_DENIED, INVALID, LIMIT."""
    with refusing():
        require(txn, actor, mailbox, fid, Right.FOLDER_OWNER)
        before = permissions.members(txn, mailbox, fid)
        after = {member: rights for member, rights in before.items() if member == DEFAULT or not replace}
        for change in changes:
            if replace and change.what is not What.ADD:
                raise Refused(Reason.INVALID, "a list that is replaced takes new rows only")
            _apply(txn, after, before, change, free_busy=free_busy and fid == Special.CALENDAR)
        if len(after) > MAX_MEMBERS:
            raise Refused(Reason.LIMIT, f"at most {MAX_MEMBERS} members")
        if after == before:
            return
        for member in before.keys() - after.keys():
            permissions.delete(txn, mailbox, fid, member)
        for member, rights in after.items():
            permissions.put(txn, mailbox, fid, member, rights)
        with changing(txn, mailbox) as clock:
            folders.changed(
                txn,
                clock,
                folders.get(txn, mailbox, fid),
                now=now,
                kind=log.Kind.PERMISSIONS,
                actor=actor.user,
                origin=actor.session,
            )


def _apply(
    txn: ReadTxn, list_: dict[int, Right], before: dict[int, Right], change: Change, *, free_busy: bool
) -> None:
    if change.what is What.ADD:
        member = _member_of(txn, change.entry_id)
    else:
        member = change.member & ANONYMOUS
        if member not in list_ and member not in (DEFAULT, ANONYMOUS):
            return  # 3.2.5.2
    if change.what is What.REMOVE:
        list_.pop(member, None)
        return
    if change.rights & ~int(KNOWN):
        raise Refused(Reason.INVALID, "rights that there are not")
    kept = before.get(member, Right.NONE) & FREE_BUSY
    list_[member] = change.rights if free_busy else change.rights & ~FREE_BUSY | kept


def _member_of(txn: ReadTxn, entry_id: bytes) -> int:
    parsed = parse(entry_id)
    entry = entries.by_legacy_dn(txn, parsed.dn) if isinstance(parsed, PermanentEntryId) else None
    if entry is None:
        raise Refused(Reason.INVALID, "an entry id that leads to nobody")
    return entry.id
