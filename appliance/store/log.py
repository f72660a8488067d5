"""The change log: one record for every change, in the transaction that makes it.

The records of a folder's contents stand under its FID, those of the hierarchy under FID 0, so that one
folder's changes cost that folder's changes. The newest TAIL_RECORDS at most stand in one row right behind the
folder's, which every change writes anyway; a full tail becomes a row of the log under its first number.

A record says where to look; the client's own state says what it has. Numbers are the mailbox's counter (IMAP:
MODSEQ). Records with numbers up to `Mailbox.log_floor` may be trimmed.
"""

import struct
from collections.abc import Iterator
from enum import IntEnum, IntFlag
from itertools import islice
from typing import NamedTuple

from appliance.store.keys import LOG_TAIL, Table, beside_folder, head, head_q, head_qq, successor
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
    SEARCHED = 26


ARRIVALS = frozenset({Kind.CREATED, Kind.COPIED, Kind.MOVED_IN, Kind.RESTORED, Kind.RENUMBERED})
"""Kinds after which `uid` is new in the folder."""

DEPARTURES = frozenset({Kind.DELETED, Kind.PURGED, Kind.MOVED_OUT, Kind.RENUMBERED})
"""Kinds after which a UID is gone: `old_uid` for RENUMBERED, `uid` for the others."""


class Mask(IntFlag):
    """Which parts of the object changed. Of a message whose content changed (RENUMBERED) it names all parts,
    or none where that is not known; CONTENT is what no other bit names. Numbers are part of the store's
    format."""

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
    SUBJECT = 512
    BODY = 1024
    NOTES = 2048
    """Annotations."""
    REMOVED = 4096
    """Properties that CONTENT stands for were taken away."""


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


TAIL_RECORDS = 12
"""Records of a row of the log: about 600 bytes."""

_RECORD = struct.Struct("<QBHQIIQQQI")


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
    """Log one change of a folder's contents (or of the hierarchy: FID 0; then `mid` is the folder's FID).
    Numbers rise within a folder."""
    key = beside_folder(mailbox, fid, LOG_TAIL)
    record = _RECORD.pack(number, kind, mask, mid, uid, actor, origin, old_fid, old_mid, old_uid)
    tail = (txn.get(key) or b"") + record
    if len(tail) < TAIL_RECORDS * _RECORD.size:
        txn.put(key, tail)
    else:
        _seal(txn, mailbox, fid, tail)
        txn.put(key, b"")


def _seal(txn: WriteTxn, mailbox: int, fid: int, tail: bytes) -> None:
    first = int.from_bytes(tail[:8], "little")
    txn.put(head_qq(mailbox, Table.LOG, fid, first), tail)


def seal(txn: WriteTxn, mailbox: int, fid: int) -> None:
    """Turn the tail into a row of the log and remove it (the folder goes)."""
    key = beside_folder(mailbox, fid, LOG_TAIL)
    tail = txn.get(key)
    if tail:
        _seal(txn, mailbox, fid, tail)
    txn.delete(key)


def changes(txn: ReadTxn, mailbox: int, fid: int, after: int) -> Iterator[Change]:
    """The records of a folder with a number above `after`, oldest first."""
    tail = txn.get(beside_folder(mailbox, fid, LOG_TAIL)) or b""
    if not tail or int.from_bytes(tail[:8], "little") > after + 1:
        start = head_q(mailbox, Table.LOG, fid)
        covering = txn.last(start, head_qq(mailbox, Table.LOG, fid, after + 2))
        for _, raw in txn.scan(covering[0] if covering else start, successor(start)):
            yield from _records(raw, after)
    yield from _records(tail, after)


def _records(raw: bytes, after: int) -> Iterator[Change]:
    for record in _RECORD.iter_unpack(raw):
        if record[0] > after:
            yield Change._make(record)


def floor(txn: ReadTxn, mailbox: int) -> int:
    """Every change with a number above this is still in the log."""
    return get_mailbox(txn, mailbox).log_floor


def trim(txn: WriteTxn, mailbox: int, fid: int, below: int, limit: int = 200) -> int:
    """Drop the rows of one folder's log whose records all have numbers up to `below`, `limit` rows at most;
    how many went. The caller raises the mailbox's `log_floor` first."""
    start = head_q(mailbox, Table.LOG, fid)
    gone = 0
    for key, raw in list(islice(txn.scan(start, head_qq(mailbox, Table.LOG, fid, below + 1)), limit)):
        if int.from_bytes(raw[-_RECORD.size : -_RECORD.size + 8], "little") <= below:
            txn.delete(key)
            gone += 1
    return gone


def highest(txn: ReadTxn, mailbox: int) -> int:
    """The greatest number in the log of a mailbox, 0 for an empty one (for `check`)."""
    top = 0
    for table in (Table.LOG, Table.FOLDERS):
        prefix = head(mailbox, table)
        for key, raw in txn.scan(prefix, successor(prefix)):
            if raw and (table == Table.LOG or key[13:] == LOG_TAIL):
                top = max(top, int.from_bytes(raw[-_RECORD.size : -_RECORD.size + 8], "little"))
    return top
