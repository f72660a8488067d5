"""Operations on the messages of a folder: append, flags, copy, move, delete, expunge, restore.

Every function takes a write transaction, the actor and UIDs in rising order. It does all or raises `Refused`.
Callers split large sets into steps of at most STEP messages, one write function each, so that no transaction
is long; each step stands alone.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from appliance.mailbox import quotas
from appliance.mailbox.actor import Actor
from appliance.mailbox.errors import Reason, Refused, refusing
from appliance.mailbox.incoming import Incoming
from appliance.mailbox.rights import require
from appliance.store import contents, messages
from appliance.store.contents import Row, RowFlag
from appliance.store.edit import Edit, editing
from appliance.store.folders import FolderKind
from appliance.store.kv import ReadTxn, WriteTxn
from appliance.store.mailboxes import Special
from appliance.store.permissions import Right
from appliance.store.uids import UidView

STEP = 500
"""Messages that one write function changes, at most."""

CLIENT_FLAGS = (
    RowFlag.SEEN
    | RowFlag.ANSWERED
    | RowFlag.FLAGGED
    | RowFlag.DELETED
    | RowFlag.DRAFT
    | RowFlag.FORWARDED
    | RowFlag.MDN_SENT
)
"""Flags that a client sets and clears; the others are the server's."""


class How(Enum):
    """What a change of flags does with those that it names."""

    ADD = "+"
    REMOVE = "-"
    REPLACE = "="


@dataclass(frozen=True, slots=True)
class FlagChange:
    """A change of flags and keywords. REPLACE touches CLIENT_FLAGS and keywords only."""

    how: How
    flags: RowFlag = RowFlag.NONE
    keywords: tuple[str, ...] = ()

    def apply(self, row: Row) -> tuple[int, tuple[str, ...]]:
        """The flags and keywords that a row gets."""
        if self.how is How.REPLACE:
            return row.flags & ~CLIENT_FLAGS | self.flags, self.keywords
        named = {keyword.casefold() for keyword in self.keywords}
        if self.how is How.REMOVE:
            kept = tuple(k for k in row.keywords if k.casefold() not in named)
            return row.flags & ~self.flags, kept
        have = {keyword.casefold() for keyword in row.keywords}
        added = tuple(k for k in self.keywords if k.casefold() not in have)
        return row.flags | self.flags, row.keywords + added


def mids_of(txn: ReadTxn, mailbox: int, fid: int, uids: Sequence[int]) -> list[tuple[int, int]]:
    """(UID, MID) of those UIDs (rising) that exist."""
    if not uids:
        return []
    view = UidView(txn, mailbox, fid)
    if len(uids) <= 4:
        found = ((uid, view.mid(uid)) for uid in uids)
        return [(uid, mid) for uid, mid in found if mid is not None]
    wanted = set(uids)
    return [pair for pair in view.range(uids[0], uids[-1]) if pair[0] in wanted]


def _rows(txn: ReadTxn, mailbox: int, fid: int, uids: Sequence[int]) -> list[Row]:
    if len(uids) > STEP:
        raise Refused(Reason.LIMIT, f"at most {STEP} messages in one step")
    return [contents.get(txn, mailbox, fid, mid) for _, mid in mids_of(txn, mailbox, fid, uids)]


def _edit_rights(txn: ReadTxn, actor: Actor, mailbox: int, fid: int) -> None:
    require(txn, actor, mailbox, fid, Right.EDIT_ANY)


def append(
    txn: WriteTxn,
    actor: Actor,
    mailbox: int,
    fid: int,
    incoming: Incoming,
    *,
    flags: RowFlag = RowFlag.NONE,
    keywords: tuple[str, ...] = (),
    received: int,
    now: int,
) -> Row:
    """Store a message that a client brought. Needs CREATE. `received` is its INTERNALDATE."""
    with refusing():
        require(txn, actor, mailbox, fid, Right.CREATE)
        with editing(txn, mailbox, now=now, actor=actor.user, origin=actor.session) as edit:
            _require_place(edit, fid)
            quotas.require_room(edit.clock.row, edit.folder(fid), incoming.size)
            new = incoming.bind(txn, received=received, flags=flags & CLIENT_FLAGS, keywords=keywords)
            return messages.insert(edit, fid, new)


def _require_place(edit: Edit, fid: int) -> None:
    if edit.folder(fid).kind == FolderKind.SEARCH:
        raise Refused(Reason.INVALID, "a search folder holds no messages of its own")


def change_flags(
    txn: WriteTxn,
    actor: Actor,
    mailbox: int,
    fid: int,
    uids: Sequence[int],
    change: FlagChange,
    *,
    now: int,
    unchanged_since: int | None = None,
) -> tuple[list[Row], list[int]]:
    """Change flags. Needs EDIT_ANY (READ_ANY is enough for a change of SEEN alone). Returns the rows as they
    are now, and the UIDs that were left alone because they changed after `unchanged_since`."""
    with refusing():
        only_seen = change.how is not How.REPLACE and not change.flags & ~RowFlag.SEEN and not change.keywords
        if only_seen:
            require(txn, actor, mailbox, fid, Right.READ_ANY)
        else:
            _edit_rights(txn, actor, mailbox, fid)
        changed: list[Row] = []
        failed: list[int] = []
        messages.check_keywords(change.keywords)
        with editing(txn, mailbox, now=now, actor=actor.user, origin=actor.session) as edit:
            for row in _rows(txn, mailbox, fid, uids):
                if unchanged_since is not None and row.mod > unchanged_since:
                    failed.append(row.uid)
                    continue
                flags, keywords = change.apply(row)
                if len(keywords) > messages.MAX_KEYWORDS:
                    raise Refused(Reason.LIMIT, f"at most {messages.MAX_KEYWORDS} keywords")
                changed.append(messages.set_state(edit, row, flags, keywords))
        return changed, failed


def copy(
    txn: WriteTxn,
    actor: Actor,
    mailbox: int,
    fid: int,
    uids: Sequence[int],
    to_mailbox: int,
    to_fid: int,
    *,
    now: int,
) -> list[tuple[int, Row]]:
    """Copy messages. Needs READ_ANY here and CREATE there. Returns (old UID, new row)."""
    with refusing():
        require(txn, actor, mailbox, fid, Right.READ_ANY)
        require(txn, actor, to_mailbox, to_fid, Right.CREATE)
        rows = _rows(txn, mailbox, fid, uids)
        with editing(txn, to_mailbox, now=now, actor=actor.user, origin=actor.session) as edit:
            _require_place(edit, to_fid)
            quotas.require_room(edit.clock.row, edit.folder(to_fid), sum(row.size for row in rows))
            if to_mailbox == mailbox:
                return [(row.uid, messages.copy(edit, row, to_fid)) for row in rows]
            with editing(txn, mailbox, now=now, actor=actor.user, origin=actor.session) as source:
                return [(row.uid, messages.copy(edit, row, to_fid, source)) for row in rows]


def move(
    txn: WriteTxn,
    actor: Actor,
    mailbox: int,
    fid: int,
    uids: Sequence[int],
    to_mailbox: int,
    to_fid: int,
    *,
    now: int,
) -> list[tuple[int, Row]]:
    """Move messages. Needs READ_ANY and DELETE_ANY here and CREATE there. Returns (old UID, new row)."""
    with refusing():
        require(txn, actor, mailbox, fid, Right.READ_ANY | Right.DELETE_ANY)
        require(txn, actor, to_mailbox, to_fid, Right.CREATE)
        rows = _rows(txn, mailbox, fid, uids)
        with editing(txn, mailbox, now=now, actor=actor.user, origin=actor.session) as edit:
            if to_mailbox == mailbox:
                _require_place(edit, to_fid)
                quotas.require_room_in(edit.folder(to_fid), sum(row.size for row in rows))
                return [(row.uid, messages.move(edit, row, to_fid)) for row in rows]
            with editing(txn, to_mailbox, now=now, actor=actor.user, origin=actor.session) as target:
                _require_place(target, to_fid)
                quotas.require_room(target.clock.row, target.folder(to_fid), sum(row.size for row in rows))
                moved = [(row.uid, messages.copy(target, row, to_fid, edit)) for row in rows]
            for row in rows:
                messages.purge(edit, row)
            return moved


def expunge(
    txn: WriteTxn, actor: Actor, mailbox: int, fid: int, uids: Sequence[int], *, now: int
) -> list[int]:
    """Soft-delete those of the messages that carry DELETED. Needs DELETE_ANY. Returns the UIDs that went."""
    with refusing():
        require(txn, actor, mailbox, fid, Right.DELETE_ANY)
        with editing(txn, mailbox, now=now, actor=actor.user, origin=actor.session) as edit:
            gone = [row for row in _rows(txn, mailbox, fid, uids) if row.flags & RowFlag.DELETED]
            for row in gone:
                messages.soft_delete(edit, row)
        return [row.uid for row in gone]


def deleted_uids(txn: ReadTxn, mailbox: int, fid: int) -> list[int]:
    """UIDs of the messages of a folder that carry DELETED, rising."""
    return sorted(row.uid for row in contents.rows(txn, mailbox, fid) if row.flags & RowFlag.DELETED)


def delete(
    txn: WriteTxn,
    actor: Actor,
    mailbox: int,
    fid: int,
    uids: Sequence[int],
    *,
    now: int,
    to_trash: bool = False,
) -> list[int]:
    """Soft-delete messages, or move them to Deleted Items. Needs DELETE_ANY. Returns the UIDs that went."""
    with refusing():
        require(txn, actor, mailbox, fid, Right.DELETE_ANY)
        with editing(txn, mailbox, now=now, actor=actor.user, origin=actor.session) as edit:
            rows = _rows(txn, mailbox, fid, uids)
            for row in rows:
                if to_trash and fid != Special.TRASH:
                    messages.move(edit, row, Special.TRASH)
                else:
                    messages.soft_delete(edit, row)
        return [row.uid for row in rows]


def replace(
    txn: WriteTxn,
    actor: Actor,
    mailbox: int,
    fid: int,
    uid: int,
    to_mailbox: int,
    to_fid: int,
    incoming: Incoming,
    *,
    flags: RowFlag,
    keywords: tuple[str, ...],
    received: int,
    now: int,
) -> Row:
    """Store a message in place of another, as one change (RFC 8508). The old one is soft-deleted."""
    with refusing():
        require(txn, actor, mailbox, fid, Right.DELETE_ANY)
        rows = _rows(txn, mailbox, fid, [uid])
        if not rows:
            raise Refused(Reason.NOT_FOUND, f"UID {uid}")
        with editing(txn, mailbox, now=now, actor=actor.user, origin=actor.session) as edit:
            messages.soft_delete(edit, rows[0])
        return append(
            txn,
            actor,
            to_mailbox,
            to_fid,
            incoming,
            flags=flags,
            keywords=keywords,
            received=received,
            now=now,
        )


def restore(
    txn: WriteTxn, actor: Actor, mailbox: int, fid: int, mids: Iterable[int], *, to_fid: int = 0, now: int
) -> list[Row]:
    """Bring soft-deleted messages back. Needs CREATE."""
    with refusing():
        require(txn, actor, mailbox, to_fid or fid, Right.CREATE)
        with editing(txn, mailbox, now=now, actor=actor.user, origin=actor.session) as edit:
            return [messages.restore(edit, fid, mid, to_fid) for mid in mids]


def purge_expired(txn: WriteTxn, mailbox: int, before: int, *, now: int, limit: int = STEP) -> int:
    """Delete for good what was soft-deleted before `before` (FILETIME), `limit` at a time; how many went."""
    expired = []
    for deleted in contents.all_buried(txn, mailbox):
        if deleted.when < before:
            expired.append(deleted)
            if len(expired) == limit:
                break
    if expired:
        with editing(txn, mailbox, now=now) as edit:
            for deleted in expired:
                messages.purge_deleted(edit, deleted)
    return len(expired)
