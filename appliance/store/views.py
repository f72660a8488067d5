"""Kept orders of a folder's messages: row numbers and positions in O(log n), without reading the folder.

An order is a row of chunks. A chunk holds at most CHUNK entries (sort key, MID) in order and stands in the
store under the entry that it began with when it was made, so the store's own tree finds the chunk of a key;
the order's directory is a packed array of (chunk number, entries), whose sums are the row numbers; a pointer
leads from the chunk's number to its place. The UID
order has the same form (`uids.py`), made for entries that only ever come at its end.

An order is made on its first use in a folder (`Builder`, in a reader thread and a few write functions), kept
from then on by every change in the same transaction (`placed`, `left`), and dropped when nobody has used it
for a while. So a folder that nobody sorts costs nothing.

Invariants:
- Entries rise within and across chunks; a chunk is never empty; every message of the folder that is not
  associated stands in each live order exactly once, under the key that its row and properties give.
- The directory's counts are the chunks' true lengths.
"""

import struct
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import IntEnum
from functools import partial
from itertools import accumulate, pairwise
from typing import NamedTuple

from appliance.formats import bags
from appliance.mapi import implied
from appliance.mapi.tags import PidTagNormalizedSubject, PidTagSentRepresentingName, PidTagSubject
from appliance.store import collation, contents, folders, log
from appliance.store.contents import Row
from appliance.store.errors import Conflict, StoreError
from appliance.store.keys import Table, head_q, part, successor
from appliance.store.kv import ReadTxn, WriteTxn
from appliance.store.log import ARRIVALS, DEPARTURES, Kind

CHUNK = 128
"""Entries of a chunk, at most."""

MERGE = 48
"""A chunk that has fewer entries than half of this is joined to the one before it when both fit."""

STEP = 64
"""Chunks that one write function of a `Builder` puts."""


class Order(IntEnum):
    """What is kept. Numbers are part of the store's format."""

    RECEIVED = 1
    MODIFIED = 2
    SUBJECT = 3
    SENDER = 4
    SIZE = 5


TEXT_ORDERS = frozenset((Order.SUBJECT, Order.SENDER))
Bag = Callable[[], bytes | None]
"""Gives a message's packed properties; None when they are not to be had any more."""


class Entry(NamedTuple):
    """A place in an order; entries compare as they are ordered. `key` are at most 160 bytes."""

    key: bytes
    mid: int


_LENGTH = struct.Struct(">HQ")
_STATE = struct.Struct("<BQI")  # live, last use (FILETIME), next chunk number
_SLOT = struct.Struct("<IH")
_MADE, _LIVE = 0, 1


def key_of(order: Order, row: Row, bag: bytes | None) -> bytes:
    """The sort key of a message. Text orders need the properties."""
    if order == Order.RECEIVED:
        return row.received.to_bytes(8, "big")
    if order == Order.MODIFIED:
        return row.modified.to_bytes(8, "big")
    if order == Order.SIZE:
        return row.size.to_bytes(8, "big")
    if order == Order.SENDER:
        return collation.key(_text(bag, PidTagSentRepresentingName))
    return collation.key(_text(bag, PidTagNormalizedSubject) or _text(bag, PidTagSubject))


def _text(bag: bytes | None, tag: int) -> str:
    value = implied.get(partial(bags.get, bag), tag) if bag else None
    return value if isinstance(value, str) else ""


def _pack(entries: Iterable[Entry]) -> bytes:
    return b"".join(_LENGTH.pack(len(key), mid) + key for key, mid in entries)


def _unpack(raw: bytes) -> list[Entry]:
    entries: list[Entry] = []
    at, end, size = 0, len(raw), _LENGTH.size
    while at < end:
        length, mid = _LENGTH.unpack_from(raw, at)
        at += size
        entries.append(Entry(raw[at : at + length], mid))
        at += length
    return entries


_FIXED = struct.Struct(">HQ8s")
"""An entry whose key has 8 bytes, as those of all orders by number have."""


def _is_fixed(raw: bytes) -> bool:
    """Whether every entry is a `_FIXED` one: then its place is known without those before it."""
    count, rest = divmod(len(raw), _FIXED.size)
    return not rest and raw[:: _FIXED.size] == bytes(count) and raw[1 :: _FIXED.size] == b"\x08" * count


def _slice(raw: bytes, start: int, limit: int) -> list[Entry]:
    """Up to `limit` entries of a chunk from `start` on."""
    if not _is_fixed(raw):
        return _unpack(raw)[start : start + limit]
    size = _FIXED.size
    part_of = raw[start * size : (start + limit) * size]
    return [Entry(key, mid) for _, mid, key in _FIXED.iter_unpack(part_of)]


def _rank(raw: bytes, entry: Entry) -> int:
    """How many entries of a chunk are smaller."""
    if not _is_fixed(raw):
        return bisect_left(_unpack(raw), entry)

    def entry_at(index: int) -> Entry:
        _, mid, key = _FIXED.unpack_from(raw, index * _FIXED.size)
        return Entry(key, mid)

    return bisect_left(range(len(raw) // _FIXED.size), entry, key=entry_at)


class _Directory:
    """State of one order: its chunks' numbers and counts in order."""

    __slots__ = ("counts", "key", "live", "next", "numbers", "used")

    def __init__(self, key: bytes, raw: bytes | None) -> None:
        self.key = key
        self.live, self.used, self.next = _STATE.unpack_from(raw) if raw else (_MADE, 0, 1)
        flat = (
            struct.unpack_from("<" + "IH" * ((len(raw) - _STATE.size) // 6), raw, _STATE.size) if raw else ()
        )
        self.numbers = list(flat[::2])
        self.counts = list(flat[1::2])

    def put(self, txn: WriteTxn) -> None:
        slots = (_SLOT.pack(*slot) for slot in zip(self.numbers, self.counts, strict=True))
        txn.put(self.key, _STATE.pack(self.live, self.used, self.next) + b"".join(slots))


def _directory_key(mailbox: int, fid: int, order: Order) -> bytes:
    return head_q(mailbox, Table.VIEW_DIRECTORY, fid) + bytes((order,))


def _prefix(mailbox: int, fid: int, order: Order) -> bytes:
    return head_q(mailbox, Table.VIEWS, fid) + bytes((order,))


def _pointer(prefix: bytes, number: int) -> bytes:
    """Where the place of a chunk stands: behind the chunks of every order."""
    return prefix[:-1] + bytes((prefix[-1] | 0x80,)) + number.to_bytes(4, "big")


def _chunk_key(prefix: bytes, entry: Entry) -> bytes:
    return prefix + part(entry.key) + entry.mid.to_bytes(8, "big")


class _Chunk(NamedTuple):
    key: bytes
    number: int
    entries: list[Entry]


def _read_chunk(pair: tuple[bytes, bytes]) -> _Chunk:
    return _Chunk(pair[0], int.from_bytes(pair[1][:4], "big"), _unpack(pair[1][4:]))


def _put_chunk(txn: WriteTxn, key: bytes, number: int, entries: Iterable[Entry]) -> None:
    """Store a chunk again where it stands."""
    txn.put(key, number.to_bytes(4, "big") + _pack(entries))


def _new_chunk(txn: WriteTxn, prefix: bytes, number: int, entries: Sequence[Entry]) -> None:
    """Store a chunk in the place of its first entry."""
    key = _chunk_key(prefix, entries[0])
    _put_chunk(txn, key, number, entries)
    txn.put(_pointer(prefix, number), key)


def _delete_chunk(txn: WriteTxn, prefix: bytes, chunk: _Chunk) -> None:
    txn.delete(chunk.key)
    txn.delete(_pointer(prefix, chunk.number))


class Layout:
    """The directory of an order, read. Of use in later snapshots for as long as the directory is the same."""

    __slots__ = ("ends", "index", "live", "numbers", "raw", "used")

    def __init__(self, raw: bytes | None) -> None:
        directory = _Directory(b"", raw)
        self.raw, self.live, self.used = raw, directory.live, directory.used
        self.numbers = directory.numbers
        self.index = {number: at for at, number in enumerate(directory.numbers)}
        self.ends = list(accumulate(directory.counts))


class View:
    """A live order as it is in one snapshot. Valid as long as its transaction."""

    def __init__(
        self, txn: ReadTxn, mailbox: int, fid: int, order: Order, known: Layout | None = None
    ) -> None:
        """`known` is the layout of an earlier view of this order, if there was one. Raises LookupError when
        the order is not kept in this folder (see `Builder`)."""
        raw = txn.get(_directory_key(mailbox, fid, order))
        self.layout = layout = known if known is not None and known.raw == raw else Layout(raw)
        if not layout.live:
            raise LookupError(f"folder {fid:#x}: order {order.name} is not kept")
        self._txn, self._prefix = txn, _prefix(mailbox, fid, order)
        self._stop = successor(self._prefix)
        self._numbers, self._index, self._ends = layout.numbers, layout.index, layout.ends
        self.count = self._ends[-1] if self._ends else 0
        """How many messages the folder shows."""
        self.used = layout.used
        """When the order was last used (FILETIME, by `note_use`)."""

    def position(self, entry: Entry) -> int:
        """How many entries stand before this one, whether it exists or not: its row number from 0."""
        pair = _find_pair(self._txn, self._prefix, entry)
        if pair is None:
            return 0
        at = self._index[int.from_bytes(pair[1][:4], "big")]
        return (self._ends[at - 1] if at else 0) + _rank(pair[1][4:], entry)

    def at(self, position: int) -> Entry:
        """The entry with row number `position` (0 to count - 1). Raises IndexError."""
        if not 0 <= position < self.count:
            raise IndexError(position)
        return self.range(position, 1)[0]

    def range(self, position: int, limit: int) -> list[Entry]:
        """Up to `limit` entries from a row number on, forwards."""
        position = max(0, position)
        limit = min(limit, self.count - position)
        if limit <= 0:
            return []
        index = bisect_left(self._ends, position + 1)
        offset = position - (self._ends[index - 1] if index else 0)
        start = self._txn.get(_pointer(self._prefix, self._numbers[index]))
        if start is None:
            raise StoreError("a view's directory names a chunk that is not there")
        found: list[Entry] = []
        for _, raw in self._txn.scan(start, self._stop):
            found += _slice(raw[4:], offset, limit - len(found))
            offset = 0
            if len(found) >= limit:
                break
        return found

    def range_back(self, position: int, limit: int) -> list[Entry]:
        """Up to `limit` entries before a row number, the nearest first."""
        position = min(position, self.count)
        start = max(0, position - limit)
        return self.range(start, position - start)[::-1]


def _find_chunk(txn: ReadTxn, prefix: bytes, entry: Entry) -> _Chunk | None:
    """The last chunk that begins at or before an entry, else the first one."""
    pair = _find_pair(txn, prefix, entry)
    return _read_chunk(pair) if pair else None


def _find_pair(txn: ReadTxn, prefix: bytes, entry: Entry) -> tuple[bytes, bytes] | None:
    key = _chunk_key(prefix, entry)
    return txn.last(prefix, key + b"\0") or txn.first(prefix, successor(prefix))


def kept(txn: ReadTxn, mailbox: int, fid: int) -> list[Order]:
    """The orders that are live in a folder."""
    prefix = head_q(mailbox, Table.VIEW_DIRECTORY, fid)
    return [Order(key[-1]) for key, raw in txn.scan(prefix, successor(prefix)) if raw[0] == _LIVE]


def placed(txn: WriteTxn, mailbox: int, row: Row, bag: Bag) -> None:
    """A message came into its folder: every live order takes it."""
    if row.associated:
        return
    for order in kept(txn, mailbox, row.fid):
        packed = bag() if order in TEXT_ORDERS else None
        _insert(txn, mailbox, row.fid, order, Entry(key_of(order, row, packed), row.mid))


def left(txn: WriteTxn, mailbox: int, row: Row, bag: Bag) -> None:
    """A message goes from its folder, or is about to change: every live order forgets it. `row` and `bag`
    are as they were when it was placed; without a bag its place in the text orders is searched for."""
    if row.associated:
        return
    for order in kept(txn, mailbox, row.fid):
        packed = bag() if order in TEXT_ORDERS else None
        entry = Entry(key_of(order, row, packed), row.mid)
        if not _remove(txn, mailbox, row.fid, order, entry):
            _remove_mid(txn, mailbox, row.fid, order, row.mid)


def resized(txn: WriteTxn, mailbox: int, old: Row, new: Row) -> None:
    """A message's size changed and nothing else, and the log does not tell: a `Builder` that is at work on
    this order has to begin again."""
    if old.associated:
        return
    fid, order, mid = old.fid, Order.SIZE, old.mid
    key = _directory_key(mailbox, fid, order)
    raw = txn.get(key)
    if raw is None:
        return
    if raw[0] != _LIVE:
        txn.delete(key)
        return
    _remove(txn, mailbox, fid, order, Entry(key_of(order, old, None), mid))
    _insert(txn, mailbox, fid, order, Entry(key_of(order, new, None), mid))


def _insert(txn: WriteTxn, mailbox: int, fid: int, order: Order, entry: Entry) -> None:
    prefix = _prefix(mailbox, fid, order)
    directory = _Directory(_directory_key(mailbox, fid, order), txn.get(_directory_key(mailbox, fid, order)))
    chunk = _find_chunk(txn, prefix, entry)
    if chunk is None:
        _new_chunk(txn, prefix, directory.next, [entry])
        directory.numbers, directory.counts = [directory.next], [1]
        directory.next += 1
        directory.put(txn)
        return
    entries = chunk.entries
    at = bisect_left(entries, entry)
    if at < len(entries) and entries[at] == entry:
        return
    entries.insert(at, entry)
    slot = directory.numbers.index(chunk.number)
    if len(entries) > CHUNK:
        # at the end of the order a full chunk stays full; elsewhere it splits in the middle
        cut = CHUNK if at == CHUNK and slot == len(directory.numbers) - 1 else len(entries) // 2
        tail, entries = entries[cut:], entries[:cut]
        _new_chunk(txn, prefix, directory.next, tail)
        directory.numbers.insert(slot + 1, directory.next)
        directory.counts.insert(slot + 1, len(tail))
        directory.next += 1
    if at == 0:  # before everything: the first chunk begins earlier now
        txn.delete(chunk.key)
        _new_chunk(txn, prefix, chunk.number, entries)
    else:
        _put_chunk(txn, chunk.key, chunk.number, entries)
    directory.counts[slot] = len(entries)
    directory.put(txn)


def _remove(txn: WriteTxn, mailbox: int, fid: int, order: Order, entry: Entry) -> bool:
    """Take an entry out; whether it was there."""
    chunk = _find_chunk(txn, _prefix(mailbox, fid, order), entry)
    if chunk is None:
        return False
    at = bisect_left(chunk.entries, entry)
    if at == len(chunk.entries) or chunk.entries[at] != entry:
        return False
    _take(txn, mailbox, fid, order, chunk, at)
    return True


def _remove_mid(txn: WriteTxn, mailbox: int, fid: int, order: Order, mid: int) -> None:
    """Take out a message whose key is not known: looks through the order."""
    prefix = _prefix(mailbox, fid, order)
    needle = mid.to_bytes(8, "big")
    for pair in txn.scan(prefix, successor(prefix)):
        if needle not in pair[1]:
            continue
        chunk = _read_chunk(pair)
        for at, entry in enumerate(chunk.entries):
            if entry.mid == mid:
                _take(txn, mailbox, fid, order, chunk, at)
                return


def _take(txn: WriteTxn, mailbox: int, fid: int, order: Order, chunk: _Chunk, at: int) -> None:
    key, prefix = _directory_key(mailbox, fid, order), _prefix(mailbox, fid, order)
    directory = _Directory(key, txn.get(key))
    del chunk.entries[at]
    slot = directory.numbers.index(chunk.number)
    directory.counts[slot] -= 1
    before = directory.counts[slot - 1] if slot else CHUNK
    if not chunk.entries:
        _delete_chunk(txn, prefix, chunk)
        del directory.numbers[slot], directory.counts[slot]
    elif len(chunk.entries) < MERGE // 2 and before + len(chunk.entries) <= CHUNK - MERGE // 2:
        pair = txn.last(prefix, chunk.key)
        assert pair is not None  # the slot before has a chunk
        joined = _read_chunk(pair)
        _delete_chunk(txn, prefix, chunk)
        _put_chunk(txn, joined.key, joined.number, joined.entries + chunk.entries)
        directory.counts[slot - 1] += len(chunk.entries)
        del directory.numbers[slot], directory.counts[slot]
    else:
        _put_chunk(txn, chunk.key, chunk.number, chunk.entries)
    directory.put(txn)


def drop(txn: WriteTxn, mailbox: int, fid: int, orders: Iterable[Order] = Order) -> None:
    """Forget orders of a folder (the folder goes, nobody uses them, the collation changed)."""
    for order in orders:
        prefix = _prefix(mailbox, fid, order)
        pointers = _pointer(prefix, 0)[:-4]
        txn.delete_range(prefix, successor(prefix))
        txn.delete_range(pointers, successor(pointers))
        txn.delete(_directory_key(mailbox, fid, order))


def note_use(txn: WriteTxn, mailbox: int, fid: int, order: Order, now: int) -> None:
    """Remember that an order was used; call it at most daily (compare `View.used`)."""
    key = _directory_key(mailbox, fid, order)
    raw = txn.get(key)
    if raw:
        directory = _Directory(key, raw)
        directory.used = now
        directory.put(txn)


def unused(txn: ReadTxn, mailbox: int, before: int) -> list[tuple[int, Order]]:
    """(FID, order) of what was not used since `before`, for maintenance to drop."""
    prefix = _directory_key(mailbox, 0, Order.RECEIVED)[:5]
    return [
        (int.from_bytes(key[5:13], "big"), Order(key[13]))
        for key, raw in txn.scan(prefix, successor(prefix))
        if _STATE.unpack_from(raw)[1] < before
    ]


class Builder:
    """Makes an order: `gather` in a reader thread, then every function of `writes` in order through
    `Store.write`. The last one applies what happened meanwhile and makes the order live.

    Holds the folder's keys while it works (about 100 bytes a message). `now` (FILETIME) must differ from any
    other builder's: of two at work on one order the later goes on, the earlier gets Conflict."""

    def __init__(self, mailbox: int, fid: int, order: Order, now: int) -> None:
        self._mailbox, self._fid, self._order, self._now = mailbox, fid, order, now
        self._number = 0
        self._entries: list[Entry] = []
        self._after = -1

    def gather(self, txn: ReadTxn, bag: Callable[[ReadTxn, int], bytes | None], limit: int = 2000) -> bool:
        """Read a step of the folder; whether all is read. `bag(txn, mid)` gives packed properties. Each
        step may have a snapshot of its own."""
        if self._after < 0:
            self._number = folders.get(txn, self._mailbox, self._fid).contents_mod
            self._after = 0
        count = 0
        for row in contents.rows(txn, self._mailbox, self._fid, after=self._after):
            packed = bag(txn, row.mid) if self._order in TEXT_ORDERS else None
            self._entries.append(Entry(key_of(self._order, row, packed), row.mid))
            self._after, count = row.mid, count + 1
            if count == limit:
                return False
        self._entries.sort()
        return True

    def writes(self, bag: Callable[[ReadTxn, int], bytes | None]) -> Iterator[Callable[[WriteTxn], None]]:
        """The write functions, in order."""
        fill = CHUNK * 3 // 4  # room for what comes
        chunks = [self._entries[at : at + fill] for at in range(0, len(self._entries), fill)]
        yield self._begin
        for at in range(0, len(chunks), STEP):
            yield self._putting(chunks[at : at + STEP], at + 1)
        yield lambda txn: self._finish(txn, [len(chunk) for chunk in chunks], bag)

    def _begin(self, txn: WriteTxn) -> None:
        drop(txn, self._mailbox, self._fid, (self._order,))
        directory = _Directory(_directory_key(self._mailbox, self._fid, self._order), None)
        directory.used = self._now
        directory.put(txn)

    def _mine(self, txn: WriteTxn) -> _Directory:
        """The directory that this builder began. Raises Conflict when another one came between."""
        key = _directory_key(self._mailbox, self._fid, self._order)
        raw = txn.get(key)
        directory = _Directory(key, raw)
        if raw is None or directory.live or directory.used != self._now:
            raise Conflict("this order is being made by another")
        return directory

    def _putting(self, chunks: Sequence[list[Entry]], first: int) -> Callable[[WriteTxn], None]:
        prefix = _prefix(self._mailbox, self._fid, self._order)

        def put(txn: WriteTxn) -> None:
            self._mine(txn)
            for number, entries in enumerate(chunks, first):
                _new_chunk(txn, prefix, number, entries)

        return put

    def _finish(self, txn: WriteTxn, counts: list[int], bag: Callable[[ReadTxn, int], bytes | None]) -> None:
        mailbox, fid, order = self._mailbox, self._fid, self._order
        directory = self._mine(txn)
        directory.live, directory.next = _LIVE, len(counts) + 1
        directory.numbers, directory.counts = list(range(1, len(counts) + 1)), counts
        directory.put(txn)
        collation.stamp(txn)
        changed = {
            change.mid
            for change in log.changes(txn, mailbox, fid, self._number)
            if change.kind in ARRIVALS or change.kind in DEPARTURES or change.kind == Kind.CHANGED
        }
        if not changed:
            return
        known = {entry.mid: entry for entry in self._entries if entry.mid in changed}
        for mid in sorted(changed):
            if mid in known:
                _remove(txn, mailbox, fid, order, known[mid])
            row = contents.find(txn, mailbox, fid, mid)
            if row is not None:
                packed = bag(txn, mid) if order in TEXT_ORDERS else None
                _insert(txn, mailbox, fid, order, Entry(key_of(order, row, packed), mid))


def check(txn: ReadTxn, mailbox: int, fid: int, bag: Callable[[ReadTxn, int], bytes | None]) -> list[str]:
    """What is wrong with the kept orders of a folder."""
    wrong: list[str] = []
    for order in kept(txn, mailbox, fid):
        where = f"folder {fid:#x}, order {order.name}"
        directory = _Directory(b"", txn.get(_directory_key(mailbox, fid, order)))
        prefix = _prefix(mailbox, fid, order)
        chunks = [_read_chunk(pair) for pair in txn.scan(prefix, successor(prefix))]
        slots = list(zip(directory.numbers, directory.counts, strict=True))
        if slots != [(chunk.number, len(chunk.entries)) for chunk in chunks]:
            wrong.append(f"{where}: the directory does not tell the chunks")
        entries = [entry for chunk in chunks for entry in chunk.entries]
        if any(a >= b for a, b in pairwise(entries)):
            wrong.append(f"{where}: entries do not rise")
        if any(txn.get(_pointer(prefix, chunk.number)) != chunk.key for chunk in chunks):
            wrong.append(f"{where}: a pointer leads astray")
        if any(chunk.key > _chunk_key(prefix, chunk.entries[0]) for chunk in chunks if chunk.entries):
            wrong.append(f"{where}: a chunk stands behind its first entry")
        true = {
            Entry(key_of(order, row, bag(txn, row.mid) if order in TEXT_ORDERS else None), row.mid)
            for row in contents.rows(txn, mailbox, fid)
        }
        if set(entries) != true:
            wrong.append(f"{where}: {len(set(entries) ^ true)} entries are not what the messages say")
    return wrong
