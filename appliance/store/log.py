"""The change log: one record for every change, in the transaction that makes it.

The records of a folder's contents stand under its FID, those of the hierarchy under FID 0, so that one
folder's changes cost that folder's changes. A record says where to look; the client's own state says what
it has. Numbers are the mailbox's counter (IMAP: MODSEQ). Records below `Mailbox.log_floor` may be trimmed.
"""

import struct
from collections.abc import Iterator
from enum import IntEnum, IntFlag
from typing import NamedTuple

from appliance.store.keys import Table, head, head_qq, successor, tail_q
from appliance.store.kv import ReadTxn, WriteTxn
from appliance.store.mailboxes import get as get_mailbox

HIERARCHY = 0
"""The FID under which changes of folders are logged."""


class Kind(IntEnum):
    """What happened. Numbers are part of the store's format."""

    CREATED = 1
    COPIED = 2
    MOVED_IN = 3
    RESTORED = 4
    CHANGED = 5
    FLAGS = 6
    RENUMBERED = 7
    DELETED = 8
    PURGED = 9
    MOVED_OUT = 10
    FOLDER_CREATED = 16
    FOLDER_CHANGED = 17
    FOLDER_MOVED = 18
    FOLDER_DELETED = 19
    FOLDER_RESTORED = 20
    PERMISSIONS = 21
    LINKED = 24
    UNLINKED = 25


ARRIVALS = frozenset({Kind.CREATED, Kind.COPIED, Kind.MOVED_IN, Kind.RESTORED, Kind.RENUMBERED})
"""Kinds after which `uid` is new in the folder."""

DEPARTURES = frozenset({Kind.DELETED, Kind.PURGED, Kind.MOVED_OUT, Kind.RENUMBERED})
"""Kinds after which a UID is gone: `old_uid` for RENUMBERED, `uid` for the others."""


class Mask(IntFlag):
    """Which parts of the object changed."""

    NONE = 0
    READ = 1
    FLAGS = 2
    KEYWORDS = 4
    CONTENT = 8
    RECIPIENTS = 16
    ATTACHMENTS = 32
    NAME = 64
    COUNTS = 128
    ASSOCIATED = 256


class Change(NamedTuple):
    """One record. Ids that do not apply are 0."""

    number: int
    kind: int
    mask: int
    mid: int
    uid: int
    actor: int
    origin: int
    old_fid: int
    old_mid: int
    old_uid: int

    def gone(self) -> int:
        """The UID that left the folder, or 0."""
        if self.kind not in DEPARTURES:
            return 0
        return self.old_uid if self.kind == Kind.RENUMBERED else self.uid


_ROW = struct.Struct("<BHQIIQQQI")


def append(
    txn: WriteTxn,
    mailbox: int,
    fid: int,
    number: int,
    kind: Kind,
    *,
    mid: int = 0,
    uid: int = 0,
    mask: int = 0,
    actor: int = 0,
    origin: int = 0,
    old_fid: int = 0,
    old_mid: int = 0,
    old_uid: int = 0,
) -> None:
    """Log one change of a folder's contents (or of the hierarchy: FID 0; then `mid` is the folder's FID)."""
    txn.put(
        head_qq(mailbox, Table.LOG, fid, number),
        _ROW.pack(kind, mask, mid, uid, actor, origin, old_fid, old_mid, old_uid),
    )


def changes(txn: ReadTxn, mailbox: int, fid: int, after: int) -> Iterator[Change]:
    """The records of a folder with a number above `after`, oldest first."""
    start = head_qq(mailbox, Table.LOG, fid, after + 1)
    stop = head_qq(mailbox, Table.LOG, fid, (1 << 64) - 1)
    for key, raw in txn.scan(start, stop):
        yield Change(tail_q(key), *_ROW.unpack(raw))


def floor(txn: ReadTxn, mailbox: int) -> int:
    """Every change with a number above this is still in the log."""
    return get_mailbox(txn, mailbox).log_floor


def trim(txn: WriteTxn, mailbox: int, fid: int, below: int, limit: int = 2000) -> int:
    """Drop the records of one folder up to number `below`, `limit` at most; how many went. The caller
    raises the mailbox's `log_floor` first."""
    return txn.delete_range(
        head_qq(mailbox, Table.LOG, fid, 0), head_qq(mailbox, Table.LOG, fid, below + 1), limit
    )


def count(txn: ReadTxn, mailbox: int) -> int:
    """How many records a mailbox has (for `check` and tests)."""
    prefix = head(mailbox, Table.LOG)
    return sum(1 for _ in txn.scan_keys(prefix, successor(prefix)))
