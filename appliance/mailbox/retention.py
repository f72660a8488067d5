"""What goes with time: soft-deleted messages and folders, the log's old records, views that nobody uses.

Every function is one small step within a write transaction; the caller repeats it until it says that nothing
is left. Nothing here asks the clock: whoever calls knows that the time can be trusted.

The log has numbers, not times. So `mark` notes from time to time which number the mailbox had reached, and
`raise_floor` lets go of what lies below the newest mark that is old enough. The floor is raised in a
transaction of its own before any record goes: who reads the log compares with the floor first.
"""

import struct
from itertools import islice

from appliance.formats import bags
from appliance.mailbox.items import purge_expired
from appliance.mailbox.tree import expire_step
from appliance.mapi import tags
from appliance.mapi.times import TICKS_PER_SECOND
from appliance.store import contents, folders, log, mailboxes, views
from appliance.store.keys import Table, head, head_q, pack, successor
from appliance.store.kv import ReadTxn, WriteTxn
from appliance.store.mailboxes import Special

DAY = 86400 * TICKS_PER_SECOND
MAX_MARKS = 800
"""Marks of one mailbox, one a day: more than two years."""

STEP = 200
"""Rows that one step takes away, at most."""

_MARK = struct.Struct("<QQ")

__all__ = [
    "drop_unused_views",
    "expire_step",
    "mark",
    "purge_expired",
    "raise_floor",
    "shift_deleted",
    "shift_deleted_folders",
    "trim",
]


def _marks_key(mailbox: int) -> bytes:
    return pack(mailbox, Table.MAILBOX, "marks")


def marks(txn: ReadTxn, mailbox: int) -> list[tuple[int, int]]:
    """(FILETIME, number) that were noted, oldest first."""
    return list(_MARK.iter_unpack(txn.get(_marks_key(mailbox)) or b""))


def mark(txn: WriteTxn, mailbox: int, now: int) -> bool:
    """Note which number the mailbox has reached, at most once a day; whether it was noted. Marks of a later
    time than `now` (the clock went back) are forgotten."""
    counter = mailboxes.get(txn, mailbox).counter
    stored = marks(txn, mailbox)
    known = [entry for entry in stored if entry[0] <= now and entry[1] <= counter]
    if known and (now - known[-1][0] < DAY or known[-1][1] == counter) and len(known) == len(stored):
        return False
    if not known or (now - known[-1][0] >= DAY and known[-1][1] != counter):
        known.append((now, counter))
    txn.put(_marks_key(mailbox), b"".join(_MARK.pack(*entry) for entry in known[-MAX_MARKS:]))
    return True


def raise_floor(txn: WriteTxn, mailbox: int, before: int) -> int:
    """Let go of the log up to the newest mark that is older than `before` (FILETIME); the floor now."""
    old = [number for when, number in marks(txn, mailbox) if when < before]
    box = mailboxes.get(txn, mailbox)
    if old and old[-1] > box.log_floor:
        box.log_floor = old[-1]
        mailboxes.put(txn, box)
    return box.log_floor


def _logged_folders(txn: ReadTxn, mailbox: int) -> list[int]:
    """FIDs with rows in the log, those of folders that are gone too."""
    found: list[int] = []
    start, stop = head(mailbox, Table.LOG), successor(head(mailbox, Table.LOG))
    while pair := txn.first(start, stop):
        found.append(int.from_bytes(pair[0][5:13], "big"))
        start = successor(head_q(mailbox, Table.LOG, found[-1]))
    return found


def trim(txn: WriteTxn, mailbox: int, limit: int = STEP) -> int:
    """Drop rows of the log that lie below the floor, `limit` at most; how many went."""
    floor = log.floor(txn, mailbox)
    gone = 0
    for fid in _logged_folders(txn, mailbox):
        if gone >= limit:
            break
        gone += log.trim(txn, mailbox, fid, floor, limit - gone)
    return gone


def drop_unused_views(txn: WriteTxn, mailbox: int, before: int, limit: int = 4) -> int:
    """Drop kept orders that nobody used since `before`, `limit` at most; how many went."""
    idle = list(islice(views.unused(txn, mailbox, before), limit))
    for fid, order in idle:
        views.drop(txn, mailbox, fid, (order,))
    return len(idle)


def shift_deleted_folders(txn: WriteTxn, mailbox: int, low: int, high: int, by: int) -> None:
    """As `shift_deleted`, for folders that were soft-deleted."""
    for folder in folders.children(txn, mailbox, Special.DELETIONS):
        bag = folder.bag()
        when = bag.get(tags.PidTagDeletedOn)
        if isinstance(when, int) and low <= when <= high:
            folder.packed_bag = bags.pack({**bag, tags.PidTagDeletedOn: max(0, when + by)})
            folders.put(txn, mailbox, folder)


def shift_deleted(
    txn: WriteTxn, mailbox: int, low: int, high: int, by: int, *, after: tuple[int, int] = (0, 0)
) -> tuple[int, int] | None:
    """Messages that were soft-deleted from `low` to `high`, by a clock that was wrong, get the time that is
    `by` later (FILETIME units). A step: gives where the next one begins, None at the end."""
    seen = 0
    for deleted in contents.all_buried(txn, mailbox):
        place = (deleted.row.fid, deleted.row.mid)
        if place <= after:
            continue
        if seen == STEP:
            return after
        seen, after = seen + 1, place
        if low <= deleted.when <= high:
            contents.rebury(txn, mailbox, deleted, max(0, deleted.when + by))
    return None
