"""Messages of a folder by their MIDs, as ROPs name them: copy, move, delete (MS-OXCFOLD 3.2.5.6, 3.2.5.11).

Every function is one write transaction for at most STEP messages and tells how many of them it did not find.
A message that a search folder shows is one of the folder where it stands.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress

from appliance.mailbox import quotas, receipts
from appliance.mailbox.actor import Actor
from appliance.mailbox.errors import Reason, Refused, refusing
from appliance.mailbox.messages import rights_on
from appliance.mailbox.rights import effective, require
from appliance.store import contents, folders, mailboxes, messages, search_folders
from appliance.store.contents import Row
from appliance.store.edit import editing
from appliance.store.errors import NotFound
from appliance.store.folders import FolderKind
from appliance.store.kv import ReadTxn, WriteTxn
from appliance.store.mailboxes import Kind
from appliance.store.permissions import Right

STEP = 200
"""Messages of one step, at most."""


def rows_of(txn: ReadTxn, mailbox: int, fid: int, mids: Iterable[int]) -> list[Row]:
    """The messages that exist, associated ones too, in order and each once."""
    search = folders.get(txn, mailbox, fid).kind is FolderKind.SEARCH
    found: dict[int, Row] = {}
    for mid in mids:
        home = search_folders.home(txn, mailbox, fid, mid) if search else fid
        row = contents.find(txn, mailbox, home, mid) if home else None
        if row is None:
            row = contents.find(txn, mailbox, fid, mid, True)
        if row is not None:
            found[mid] = row
    return list(found.values())


def mids_in(txn: ReadTxn, mailbox: int, fid: int) -> list[int]:
    """Every message of a folder, associated ones too."""
    return [row.mid for associated in (False, True) for row in contents.rows(txn, mailbox, fid, associated)]


def _allowed(txn: ReadTxn, actor: Actor, mailbox: int, rows: Iterable[Row], right: Right) -> list[Row]:
    """Those of the messages with which the actor may do that. Raises Refused when it is none of them."""
    rows = list(rows)
    rights = {fid: effective(txn, actor, mailbox, fid) for fid in {row.fid for row in rows}}
    allowed = [
        row
        for row in rows
        if not right & ~rights[row.fid]
        or rights[row.fid] & Right.FOLDER_OWNER
        or not right & ~rights_on(txn, actor, mailbox, row)  # the actor's own among others'
    ]
    if rows and not allowed:
        raise Refused(Reason.ACCESS_DENIED)
    return allowed


def require_target(txn: ReadTxn, actor: Actor, mailbox: int, fid: int) -> None:
    """Refuse a folder that takes no messages from the actor."""
    require(txn, actor, mailbox, fid, Right.CREATE)


def transfer(
    txn: WriteTxn,
    actor: Actor,
    source: tuple[int, int],
    mids: Sequence[int],
    target: tuple[int, int],
    *,
    copy: bool,
    now: int,
) -> int:
    """Copy or move messages; how many of them were not. `source` and `target` are (mailbox, FID). Needs
    READ_ANY there (and DELETE_ANY to move), and CREATE here."""
    with refusing():
        (mailbox, fid), (to_mailbox, to_fid) = source, target
        require_target(txn, actor, to_mailbox, to_fid)
        needed = Right.READ_ANY if copy else Right.READ_ANY | Right.DELETE_ANY
        rows = _allowed(txn, actor, mailbox, rows_of(txn, mailbox, fid, mids), needed)
        with editing(txn, to_mailbox, now=now, actor=actor.user, origin=actor.session) as edit:
            if to_mailbox == mailbox and not copy:
                quotas.require_room_in(edit.folder(to_fid), sum(row.size for row in rows))
                for row in rows:
                    messages.move(edit, row, to_fid)
                return len(mids) - len(rows)
            quotas.require_room(edit.clock.row, edit.folder(to_fid), sum(row.size for row in rows))
            if to_mailbox == mailbox:
                for row in rows:
                    messages.copy(edit, row, to_fid)
                return len(mids) - len(rows)
            with editing(txn, mailbox, now=now, actor=actor.user, origin=actor.session) as origin:
                for row in rows:
                    messages.copy(edit, row, to_fid, origin)
                    if not copy:
                        messages.purge(origin, row)
        return len(mids) - len(rows)


def delete(
    txn: WriteTxn,
    actor: Actor,
    mailbox: int,
    fid: int,
    mids: Sequence[int],
    *,
    hard: bool,
    now: int,
    notify: bool = False,
) -> int:
    """Delete messages softly or for good; how many of them were not. Needs DELETE_ANY, or DELETE_OWNED for
    those that the actor created. `notify`: senders who want to know hear that a message went unread
    (MS-OXCFOLD 3.2.5.11); never those of public folders' messages."""
    with refusing():
        notify = notify and mailboxes.identity(txn, mailbox).kind is Kind.PRIVATE
        rows = _allowed(txn, actor, mailbox, rows_of(txn, mailbox, fid, mids), Right.DELETE_ANY)
        with editing(txn, mailbox, now=now, actor=actor.user, origin=actor.session) as edit:
            for row in rows:
                owed = (
                    receipts.original(txn, mailbox, row) if notify and receipts.wants_non_read(row) else None
                )
                if hard:
                    messages.purge(edit, row)
                else:
                    messages.soft_delete(edit, row)
                if owed is not None:
                    receipts.owe_non_read(txn, mailbox, row, owed, now)
        left = len(mids) - len(rows)
        if hard:  # messages that were soft-deleted before can be deleted for good by their MIDs too
            left -= _purge_buried(txn, actor, mailbox, fid, set(mids) - {row.mid for row in rows}, now)
        return left


def _purge_buried(txn: WriteTxn, actor: Actor, mailbox: int, fid: int, mids: set[int], now: int) -> int:
    if not mids or Right.DELETE_ANY & ~effective(txn, actor, mailbox, fid):
        return 0
    gone = 0
    with editing(txn, mailbox, now=now, actor=actor.user, origin=actor.session) as edit:
        for mid in sorted(mids):
            with suppress(NotFound):
                messages.purge_deleted(edit, contents.buried(txn, mailbox, fid, mid))
                gone += 1
    return gone
