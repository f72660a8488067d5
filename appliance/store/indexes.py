"""Secondary indexes that follow from a message's own properties: meetings, calendar windows, WebDAV names.

`add` and `remove` are called by `messages` with the packed bag whenever a message arrives in a folder,
leaves it or changes. Associated messages and soft-deleted ones are not indexed.

- GOIDS: PidLidCleanGlobalObjectId (else PidLidGlobalObjectId) to the messages of a meeting.
- CALENDAR: what overlaps a window of time. A single appointment stands under its start; a long one (over
  LONG) or a recurring one (by its bounds, PidLidClipStart and PidLidClipEnd) under its end, so that a window
  costs what lies in it and what is still running, never the past.
- DAVNAMES: the name that a WebDAV client gave, unique within a folder by the caller's care.
- The timer of a reminder (MS-OXORMDR 2.2.1.1, 2.2.1.2).
"""

from collections.abc import Iterator

from appliance.formats import bags
from appliance.mapi import names as mapi_names
from appliance.mapi.names import NamedTag
from appliance.mapi.times import TICKS_PER_SECOND
from appliance.mapi.types import Value
from appliance.store import names, timers
from appliance.store.keys import Table, head_q, pack, successor, tail_q
from appliance.store.kv import ReadTxn, WriteTxn

PidTagUrlCompName = 0x10F3001F
"""Not in MS-OXPROPS: the last part of the object's address in WebDAV."""

LONG = 31 * 86400 * TICKS_PER_SECOND
"""Appointments that last longer (FILETIME units) stand under their end."""

MAX_TIME = (1 << 63) - 1
_FIRST_NAMED = 0x8000_0000
_SINGLE, _SPANNING = b"\0", b"\1"

Pair = tuple[bytes, bytes]


class _Named:
    """Named properties of one packed bag. Ids are looked up in the server's table each time: a handful of
    reads, and only for messages that have named properties at all."""

    def __init__(self, txn: ReadTxn, packed: bytes) -> None:
        self._txn, self._packed = txn, packed

    def __call__(self, tag: NamedTag) -> Value:
        number = names.find(self._txn, tag.name)
        return None if number is None else bags.get(self._packed, number << 16 | tag.type)

    def time(self, tag: NamedTag) -> int | None:
        value = self(tag)
        return min(value, MAX_TIME) if isinstance(value, int) else None


def pairs(txn: ReadTxn, mailbox: int, fid: int, mid: int, packed: bytes) -> list[Pair]:
    """The rows (key, value) of a message in all these tables but the timers."""
    found: list[Pair] = []
    name = bags.get(packed, PidTagUrlCompName)
    if isinstance(name, str) and name:
        found.append((pack(mailbox, Table.DAVNAMES, fid, name, mid), b""))
    if not _has_named(packed):
        return found
    named = _Named(txn, packed)
    goid = named(mapi_names.PidLidCleanGlobalObjectId) or named(mapi_names.PidLidGlobalObjectId)
    if isinstance(goid, bytes) and goid:
        found.append((pack(mailbox, Table.GOIDS, goid, mid), fid.to_bytes(8, "big")))
    found += _calendar(mailbox, fid, mid, named)
    return found


def _has_named(packed: bytes) -> bool:
    tags = bags.tags(packed) if packed else ()
    return bool(tags) and tags[-1] >= _FIRST_NAMED


def _calendar(mailbox: int, fid: int, mid: int, named: _Named) -> Iterator[Pair]:
    start, end = (
        named.time(mapi_names.PidLidAppointmentStartWhole),
        named.time(mapi_names.PidLidAppointmentEndWhole),
    )
    if start is None:
        return
    end = max(start, end if end is not None else start)
    recurring = named(mapi_names.PidLidRecurring) is True
    if recurring:
        first, last = named.time(mapi_names.PidLidClipStart), named.time(mapi_names.PidLidClipEnd)
        start = min(start, first) if first is not None else start
        end = max(end, last) if last is not None else MAX_TIME
    spanning = recurring or end - start > LONG
    kind, at, other = (_SPANNING, end, start) if spanning else (_SINGLE, start, end)
    key = head_q(mailbox, Table.CALENDAR, fid) + kind + at.to_bytes(8, "big") + mid.to_bytes(8, "big")
    yield key, other.to_bytes(8, "big")


def reminder(txn: ReadTxn, packed: bytes) -> int | None:
    """When the reminder of a message is due (FILETIME), None without one."""
    if not _has_named(packed):
        return None
    named = _Named(txn, packed)
    if named(mapi_names.PidLidReminderSet) is not True:
        return None
    return named.time(mapi_names.PidLidReminderSignalTime)


def add(txn: WriteTxn, mailbox: int, fid: int, mid: int, packed: bytes) -> None:
    """Index a message that arrived in a folder."""
    for key, value in pairs(txn, mailbox, fid, mid, packed):
        txn.put(key, value)
    due = reminder(txn, packed)
    if due is not None:
        timers.put(txn, mailbox, timers.Kind.REMINDER, mid, due)


def remove(txn: WriteTxn, mailbox: int, fid: int, mid: int, packed: bytes) -> None:
    """Forget a message that leaves a folder. `packed` is the bag that it was indexed with."""
    for key, _ in pairs(txn, mailbox, fid, mid, packed):
        txn.delete(key)
    if reminder(txn, packed) is not None:
        timers.cancel(txn, mailbox, timers.Kind.REMINDER, mid)


def by_goid(txn: ReadTxn, mailbox: int, goid: bytes) -> Iterator[tuple[int, int]]:
    """(FID, MID) of the messages of a meeting."""
    prefix = pack(mailbox, Table.GOIDS, goid)
    for key, raw in txn.scan(prefix, successor(prefix)):
        yield int.from_bytes(raw, "big"), tail_q(key)


def by_dav_name(txn: ReadTxn, mailbox: int, fid: int, name: str) -> int | None:
    """The MID of the object that a WebDAV client gave this name, or None."""
    prefix = pack(mailbox, Table.DAVNAMES, fid, name)
    for key in txn.scan_keys(prefix, successor(prefix)):
        return tail_q(key)
    return None


def window(txn: ReadTxn, mailbox: int, fid: int, start: int, end: int) -> list[int]:
    """MIDs of the appointments of a folder that overlap [start, end), by MID; recurring ones by their bounds
    alone. One without duration counts at its start."""
    prefix = head_q(mailbox, Table.CALENDAR, fid)
    found: list[int] = []
    earliest = max(0, start - LONG)
    single = prefix + _SINGLE
    for key, raw in txn.scan(single + earliest.to_bytes(8, "big"), single + end.to_bytes(8, "big")):
        begins, ends = int.from_bytes(key[14:22], "big"), int.from_bytes(raw, "big")
        if ends > start or begins >= start:
            found.append(tail_q(key))
    spanning = prefix + _SPANNING
    for key, raw in txn.scan(spanning + (start + 1).to_bytes(8, "big"), successor(spanning)):
        if int.from_bytes(raw, "big") < end:
            found.append(tail_q(key))
    return sorted(found)


TABLES = (Table.GOIDS, Table.CALENDAR, Table.DAVNAMES)


def stored(txn: ReadTxn, mailbox: int) -> set[Pair]:
    """Every row of these tables (for `check`)."""
    found: set[Pair] = set()
    for table in TABLES:
        prefix = pack(mailbox, table)
        found.update(txn.scan(prefix, successor(prefix)))
    return found
