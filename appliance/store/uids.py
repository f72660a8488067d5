"""The UID order of a folder: which message has which UID, and which number it has in the sequence.

Entries (UID, MID) stand in chunks of at most CHUNK entries. The last chunk, the tail, takes every new
entry (UIDs only grow) and stands right behind the folder's row. A full tail is sealed under its first UID,
and only then the directory, a packed array of (first UID, entries) of the sealed chunks, is written. So an
arrival writes one small row, and the sequence number of a UID costs one sum over the directory (6 bytes for
128 messages).

Invariants:
- UIDs rise within and across chunks; a sealed chunk is never empty; the tail may be.
- The directory's counts are the chunks' true lengths.
"""

import struct
from array import array
from bisect import bisect_left, bisect_right
from itertools import accumulate

from appliance.store.keys import UID_TAIL, Table, beside_folder, head_q, head_qi
from appliance.store.kv import ReadTxn, WriteTxn

CHUNK = 128
"""Entries of a sealed chunk, at most: 1.5 kB, which LMDB keeps within a page."""

MERGE = 96
"""Two neighbours that together hold no more than this become one."""

TAIL = 0xFFFFFFFF
"""Above every valid UID."""

_ENTRY = struct.Struct(">IQ")
_ENTRIES = tuple(struct.Struct(">" + "IQ" * n) for n in range(CHUNK + 1))
_DIRECTORY = struct.Struct("<IH")

Pair = tuple[int, int]


def _pairs(raw: bytes) -> list[Pair]:
    flat = _ENTRIES[len(raw) // 12].unpack(raw)
    return list(zip(flat[::2], flat[1::2], strict=True))


def _uids(raw: bytes) -> tuple[int, ...]:
    return _ENTRIES[len(raw) // 12].unpack(raw)[::2]


class UidView:
    """The order as it is in one snapshot. Valid as long as its transaction."""

    __slots__ = ("_ends", "_fid", "_firsts", "_mailbox", "_ranked", "_tail", "_txn", "count")

    def __init__(self, txn: ReadTxn, mailbox: int, fid: int) -> None:
        self._txn, self._mailbox, self._fid = txn, mailbox, fid
        directory = txn.get(head_q(mailbox, Table.UID_DIRECTORY, fid)) or b""
        self._firsts, counts = _directory(directory)
        self._ends = list(accumulate(counts))
        self._tail = txn.get(beside_folder(mailbox, fid, UID_TAIL)) or b""
        self._ranked: tuple[int, tuple[int, ...]] = (-1, ())
        self.count = (self._ends[-1] if self._ends else 0) + len(self._tail) // 12
        """How many messages the folder shows."""

    def _chunk(self, index: int) -> bytes:
        if index == len(self._firsts):
            return self._tail
        raw = self._txn.get(head_qi(self._mailbox, Table.UIDS, self._fid, self._firsts[index]))
        if raw is None:
            raise LookupError(f"folder {self._fid:#x}: UID chunk {self._firsts[index]} is missing")
        return raw

    def _before(self, index: int) -> int:
        return self._ends[index - 1] if index else 0

    def _index(self, uid: int) -> int:
        """The chunk in which `uid` is, or would be."""
        tail_first = _ENTRY.unpack_from(self._tail)[0] if self._tail else TAIL
        if uid >= tail_first or not self._firsts:
            return len(self._firsts)
        return max(0, bisect_right(self._firsts, uid) - 1)

    def uid_at(self, number: int) -> int:
        """The UID of sequence number `number` (1 to count). Raises IndexError."""
        if not 1 <= number <= self.count:
            raise IndexError(number)
        index = bisect_left(self._ends, number)
        return int(_ENTRY.unpack_from(self._chunk(index), (number - 1 - self._before(index)) * 12)[0])

    def rank(self, uid: int) -> int:
        """How many UIDs are smaller than `uid`: its sequence number less 1 when it exists."""
        index = self._index(uid)
        if index != self._ranked[0]:  # neighbours are often asked for one after the other
            self._ranked = index, _uids(self._chunk(index))
        return self._before(index) + bisect_left(self._ranked[1], uid)

    def mid(self, uid: int) -> int | None:
        """The MID of the message with this UID."""
        raw = self._chunk(self._index(uid))
        uids = _uids(raw)
        at = bisect_left(uids, uid)
        if at < len(uids) and uids[at] == uid:
            return int(_ENTRY.unpack_from(raw, at * 12)[1])
        return None

    def range(self, low: int, high: int, limit: int | None = None) -> list[Pair]:
        """(UID, MID) of the messages with low <= UID <= high, in order, `limit` at most."""
        found: list[Pair] = []
        for index in range(self._index(low), len(self._firsts) + 1):
            if index < len(self._firsts) and self._firsts[index] > high:
                break
            pairs = _pairs(self._chunk(index))
            if pairs and (pairs[0][0] < low or pairs[-1][0] > high):
                pairs = [pair for pair in pairs if low <= pair[0] <= high]
            found += pairs
            if limit is not None and len(found) >= limit:
                return found[:limit]
        return found

    def columns(self, low: int, high: int, limit: int) -> tuple[list[int], list[int]]:
        """UIDs and MIDs of the messages with low <= UID <= high, in order, `limit` at most."""
        uids: list[int] = []
        mids: list[int] = []
        for index in range(self._index(low), len(self._firsts) + 1):
            if (index < len(self._firsts) and self._firsts[index] > high) or len(uids) >= limit:
                break
            raw = self._chunk(index)
            flat = _ENTRIES[len(raw) // 12].unpack(raw)
            begin, end = 0, len(flat)
            if flat and (flat[0] < low or flat[-2] > high):
                here = flat[::2]
                begin, end = 2 * bisect_left(here, low), 2 * bisect_right(here, high)
            uids += flat[begin:end:2]
            mids += flat[begin + 1 : end : 2]
        return uids[:limit], mids[:limit]

    def all(self) -> "array[int]":
        """Every UID, in order."""
        uids = array("I")
        for index in range(len(self._firsts) + 1):
            uids.extend(_uids(self._chunk(index)))
        return uids


def _directory(raw: bytes) -> tuple[list[int], list[int]]:
    if not raw:
        return [], []
    flat = struct.unpack("<" + "IH" * (len(raw) // 6), raw)
    return list(flat[::2]), list(flat[1::2])


def _put_directory(txn: WriteTxn, mailbox: int, fid: int, firsts: list[int], counts: list[int]) -> None:
    raw = b"".join(_DIRECTORY.pack(f, c) for f, c in zip(firsts, counts, strict=True))
    txn.put(head_q(mailbox, Table.UID_DIRECTORY, fid), raw)


def append(txn: WriteTxn, mailbox: int, fid: int, uid: int, mid: int) -> None:
    """Add a message with a UID above all others."""
    key = beside_folder(mailbox, fid, UID_TAIL)
    tail = (txn.get(key) or b"") + _ENTRY.pack(uid, mid)
    if len(tail) < CHUNK * 12:
        txn.put(key, tail)
        return
    first = _ENTRY.unpack_from(tail)[0]
    txn.put(head_qi(mailbox, Table.UIDS, fid, first), tail)
    txn.put(key, b"")
    directory = txn.get(head_q(mailbox, Table.UID_DIRECTORY, fid)) or b""
    txn.put(head_q(mailbox, Table.UID_DIRECTORY, fid), directory + _DIRECTORY.pack(first, CHUNK))


def remove(txn: WriteTxn, mailbox: int, fid: int, uids: list[int]) -> None:
    """Take messages out of the order; `uids` rise. UIDs that are not there are passed over."""
    if not uids:
        return
    firsts, counts = _directory(txn.get(head_q(mailbox, Table.UID_DIRECTORY, fid)) or b"")
    by_chunk: dict[int, set[int]] = {}
    tail_key = beside_folder(mailbox, fid, UID_TAIL)
    tail = _pairs(txn.get(tail_key) or b"")
    tail_first = tail[0][0] if tail else TAIL
    for uid in uids:
        index = len(firsts) if uid >= tail_first else bisect_right(firsts, uid) - 1
        by_chunk.setdefault(index, set()).add(uid)
    from_tail = by_chunk.pop(len(firsts), set())
    if from_tail:
        txn.put(tail_key, _packed([pair for pair in tail if pair[0] not in from_tail]))
    by_chunk.pop(-1, None)
    if not by_chunk:
        return
    chunks: dict[int, list[Pair]] = {}
    for index, gone in by_chunk.items():
        pairs = _pairs(txn.get(head_qi(mailbox, Table.UIDS, fid, firsts[index])) or b"")
        chunks[index] = [pair for pair in pairs if pair[0] not in gone]
        counts[index] = len(chunks[index])
    _rewrite(txn, mailbox, fid, firsts, counts, chunks)


def _rewrite(
    txn: WriteTxn,
    mailbox: int,
    fid: int,
    firsts: list[int],
    counts: list[int],
    chunks: dict[int, list[Pair]],
) -> None:
    """Store changed chunks, joining small neighbours, and the directory. A chunk keeps its key when its
    first entry goes: the key is only a lower bound."""
    new_firsts: list[int] = []
    new_counts: list[int] = []
    for index, (first, count) in enumerate(zip(firsts, counts, strict=True)):
        key = head_qi(mailbox, Table.UIDS, fid, first)
        if count == 0:
            txn.delete(key)
        elif index in chunks and new_counts and new_counts[-1] + count <= MERGE:
            into = head_qi(mailbox, Table.UIDS, fid, new_firsts[-1])
            txn.put(into, (txn.get(into) or b"") + _packed(chunks[index]))
            txn.delete(key)
            new_counts[-1] += count
        else:
            if index in chunks:
                txn.put(key, _packed(chunks[index]))
            new_firsts.append(first)
            new_counts.append(count)
    _put_directory(txn, mailbox, fid, new_firsts, new_counts)


def _packed(pairs: list[Pair]) -> bytes:
    return b"".join(_ENTRY.pack(*pair) for pair in pairs)


def drop(txn: WriteTxn, mailbox: int, fid: int) -> None:
    """Forget the whole order (the folder goes)."""
    txn.delete_range(head_qi(mailbox, Table.UIDS, fid, 0), head_qi(mailbox, Table.UIDS, fid, TAIL))
    txn.delete(beside_folder(mailbox, fid, UID_TAIL))
    txn.delete(head_q(mailbox, Table.UID_DIRECTORY, fid))


def check(txn: ReadTxn, mailbox: int, fid: int) -> list[str]:
    """What is wrong with the order itself."""
    wrong: list[str] = []
    firsts, counts = _directory(txn.get(head_q(mailbox, Table.UID_DIRECTORY, fid)) or b"")
    last = 0
    for first, count in zip(firsts, counts, strict=True):
        pairs = _pairs(txn.get(head_qi(mailbox, Table.UIDS, fid, first)) or b"")
        if len(pairs) != count or not pairs:
            wrong.append(f"folder {fid:#x}: UID chunk {first} holds {len(pairs)}, its directory says {count}")
        for uid, _ in pairs:
            if uid <= last or uid < first:
                wrong.append(f"folder {fid:#x}: UID {uid} stands after {last} in chunk {first}")
            last = uid
    for uid, _ in _pairs(txn.get(beside_folder(mailbox, fid, UID_TAIL)) or b""):
        if uid <= last:
            wrong.append(f"folder {fid:#x}: UID {uid} stands after {last} in the tail")
        last = uid
    stored = sum(
        1
        for _ in txn.scan_keys(head_qi(mailbox, Table.UIDS, fid, 0), head_qi(mailbox, Table.UIDS, fid, TAIL))
    )
    if stored != len(firsts):
        wrong.append(f"folder {fid:#x}: {stored} UID chunks, its directory names {len(firsts)}")
    return wrong
