"""`contents`: the only home of the hot facts of a message. One row for each message of a folder, by MID.

Rows of soft-deleted messages stand in `dumpster` in the same form behind their time of deletion.
"""

import struct
from collections.abc import Iterator, Sequence
from enum import IntFlag
from typing import NamedTuple

from appliance.formats import columns
from appliance.store import folders
from appliance.store.errors import NotFound
from appliance.store.keys import Table, contents_key, head_q, head_qq, pack, successor, tail_q
from appliance.store.kv import ReadTxn, WriteTxn

_SCANNED = 16
"""Rows that are worth one scan in place of lookups."""


class RowFlag(IntFlag):
    """State of a message that changes without its content. Numbers are part of the store's format."""

    NONE = 0
    SEEN = 0x01
    ANSWERED = 0x02
    FLAGGED = 0x04
    DELETED = 0x08
    DRAFT = 0x10
    FORWARDED = 0x20
    MDN_SENT = 0x40
    SUBMITTED = 0x80
    HAS_ATTACHMENT = 0x100
    FROM_ME = 0x200
    RESEND = 0x400
    NOTIFY_READ = 0x800
    NOTIFY_UNREAD = 0x1000
    EVER_READ = 0x2000
    INTERNET = 0x4000
    UNTRUSTED = 0x8000
    FLAG_COMPLETE = 0x10000
    HIDDEN_STATUS = 0x20000
    HIGHLIGHTED = 0x40000
    TAGGED = 0x80000
    REMOTE_DOWNLOAD = 0x100000
    REMOTE_DELETE = 0x200000
    UNMODIFIED = 0x400000
    IN_CONFLICT = 0x1000000
    """A conflict resolve message (MS-OXCFXICS 3.1.5.6.2.1)."""
    MATERIALIZED = 0x800000
    """Recipients and attachments stand in `parts`; without it they are derived from the MIME."""


class Row(NamedTuple):
    """A row. Times are FILETIMEs; sizes bytes; `blob` 0 for a message without MIME; `uid` 0 for an
    associated one; `prefix` the length of the trace headers that stand before the blob's bytes; `size`
    counts both."""

    fid: int
    mid: int
    associated: bool
    flags: int
    uid: int
    size: int
    prefix: int
    message_class: int
    importance: int
    origin: int
    cn: int
    read_cn: int
    mod: int
    blob: int
    received: int
    modified: int
    saved: int
    email_id: int
    thread_id: int
    keywords: tuple[str, ...]


_FORM = "<IIIHHBBQQQQQQQQQ"
_ROW = struct.Struct(_FORM)
ROW_SIZE = _ROW.size
"""Bytes of a packed row before its keywords: words of UTF-8 with a space between them."""

_EMPTY: tuple[str, ...] = ()


def place_of(field: str) -> tuple[int, int]:
    """Where a number of `Row` stands in a packed row: offset and size, little-endian."""
    index = Row._fields.index(field) - 3  # fid, mid and associated are in the key
    return struct.calcsize(_FORM[: 1 + index]), struct.calcsize("<" + _FORM[1 + index])


_UID = place_of("uid")


def parse(fid: int, mid: int, associated: bool, raw: bytes) -> Row:
    """A stored row as a `Row`."""
    return Row._make((fid, mid, associated, *_ROW.unpack_from(raw), keywords_of(raw)))


def keywords_of(raw: bytes) -> tuple[str, ...]:
    """The keywords of a packed row."""
    return tuple(raw[ROW_SIZE:].decode().split(" ")) if len(raw) > ROW_SIZE else _EMPTY


def packed(row: Row) -> bytes:
    """A `Row` as it is stored."""
    return _ROW.pack(*row[3:19]) + " ".join(row.keywords).encode()


def find(txn: ReadTxn, mailbox: int, fid: int, mid: int, associated: bool = False) -> Row | None:
    """The row of a message, or None."""
    raw = txn.get(contents_key(mailbox, fid, associated, mid))
    return parse(fid, mid, associated, raw) if raw is not None else None


def find_many(txn: ReadTxn, mailbox: int, fid: int, mids: Sequence[int]) -> list[Row]:
    """The rows of those messages (not associated ones) that exist, in the order given."""
    unpack, new, size = _ROW.unpack_from, tuple.__new__, _ROW.size
    prefix = contents_key(mailbox, fid, False, 0)[:-8]
    found = txn.get_many([prefix + mid.to_bytes(8, "big") for mid in mids])
    if len(found) != len(mids):
        mids = [tail_q(key) for key, _ in found]
    return [
        # a named tuple made as its own _make does, without the call
        new(
            Row,
            (
                fid,
                mid,
                False,
                *unpack(raw),
                _EMPTY if len(raw) == size else tuple(raw[size:].decode().split(" ")),
            ),
        )
        for mid, (_, raw) in zip(mids, found, strict=True)
    ]


def packed_many(txn: ReadTxn, mailbox: int, fid: int, uids: list[int], mids: list[int]) -> list[bytes | None]:
    """The packed rows of messages (not associated ones) by UID and MID, None for those that do not exist."""
    prefix = contents_key(mailbox, fid, False, 0)[:-8]
    # Messages mostly stand in the order of their UIDs: then one scan reads them, if no other stands between.
    if len(mids) >= _SCANNED and mids[-1] > mids[0] and uids[-1] - uids[0] < 2 * len(uids):
        first, last = columns.keys(prefix, [mids[0], mids[-1]], b"")
        found = txn.values_between(first, last, len(mids))
        if found is not None and columns.numbers(found, *_UID) == uids:
            return list(found)
    return txn.values(columns.keys(prefix, mids, b""))


def get(txn: ReadTxn, mailbox: int, fid: int, mid: int, associated: bool = False) -> Row:
    """The row of a message. Raises NotFound."""
    row = find(txn, mailbox, fid, mid, associated)
    if row is None:
        raise NotFound(f"message {mid:#x} in folder {fid:#x}")
    return row


def locate(txn: ReadTxn, mailbox: int, mid: int) -> Row | None:
    """A message by its MID alone, wherever it stands: looks into every folder."""
    for folder in folders.walk(txn, mailbox):
        row = find(txn, mailbox, folder.fid, mid)
        if row is not None:
            return row
    return None


def put(txn: WriteTxn, mailbox: int, row: Row) -> None:
    """Store a row."""
    txn.put(contents_key(mailbox, row.fid, row.associated, row.mid), packed(row))


def delete(txn: WriteTxn, mailbox: int, row: Row) -> None:
    """Remove a row."""
    txn.delete(contents_key(mailbox, row.fid, row.associated, row.mid))


def rows(txn: ReadTxn, mailbox: int, fid: int, associated: bool = False, *, after: int = 0) -> Iterator[Row]:
    """The rows of a folder with a MID above `after`, by MID."""
    start = contents_key(mailbox, fid, associated, after + 1)
    stop = successor(contents_key(mailbox, fid, associated, 0)[:-8])
    for key, raw in txn.scan(start, stop):
        yield parse(fid, tail_q(key), associated, raw)


_TIME = struct.Struct("<QB")


class Deleted(NamedTuple):
    """A soft-deleted message: when (FILETIME) and the row that it had."""

    when: int
    row: Row


def bury(txn: WriteTxn, mailbox: int, row: Row, when: int) -> None:
    """Move a row from `contents` to `dumpster`."""
    delete(txn, mailbox, row)
    value = _TIME.pack(when, row.associated) + packed(row)
    txn.put(head_qq(mailbox, Table.DUMPSTER, row.fid, row.mid), value)


def rebury(txn: WriteTxn, mailbox: int, deleted: "Deleted", when: int) -> None:
    """Give a soft-deleted message another time of deletion (the clock had been wrong)."""
    value = _TIME.pack(when, deleted.row.associated) + packed(deleted.row)
    txn.put(head_qq(mailbox, Table.DUMPSTER, deleted.row.fid, deleted.row.mid), value)


def buried(txn: ReadTxn, mailbox: int, fid: int, mid: int) -> Deleted:
    """A soft-deleted message. Raises NotFound."""
    raw = txn.get(head_qq(mailbox, Table.DUMPSTER, fid, mid))
    if raw is None:
        raise NotFound(f"soft-deleted message {mid:#x} in folder {fid:#x}")
    return _deleted(fid, mid, raw)


def all_buried(txn: ReadTxn, mailbox: int, fid: int | None = None, *, after: int = 0) -> Iterator[Deleted]:
    """The soft-deleted messages of a folder with a MID above `after`, or of the whole mailbox."""
    if fid is None:
        prefix = pack(mailbox, Table.DUMPSTER)
        start, stop = prefix, successor(prefix)
    else:
        start = head_qq(mailbox, Table.DUMPSTER, fid, after + 1)
        stop = successor(head_q(mailbox, Table.DUMPSTER, fid))
    for key, raw in txn.scan(start, stop):
        yield _deleted(int.from_bytes(key[5:13], "big"), tail_q(key), raw)


def exhume(txn: WriteTxn, mailbox: int, fid: int, mid: int) -> Deleted:
    """Take a message out of `dumpster`; the caller stores or purges it. Raises NotFound."""
    deleted = buried(txn, mailbox, fid, mid)
    txn.delete(head_qq(mailbox, Table.DUMPSTER, fid, mid))
    return deleted


def _deleted(fid: int, mid: int, raw: bytes) -> Deleted:
    when, associated = _TIME.unpack_from(raw)
    return Deleted(when, parse(fid, mid, bool(associated), raw[_TIME.size :]))
