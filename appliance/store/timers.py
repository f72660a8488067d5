"""Timers of a mailbox, in the order in which they are due: retention, reminders, deferred actions.

Invariants:
- A timer is (kind, object); it has one due time. It stands twice: by due time, and by object, so that the
  next one is the first row and an object's timers are found without a search.
- A timer may carry bytes, for what it must know of an object that is gone when it is due.
- Firing is the caller's: `due` only tells; what was handled is cancelled or set in the same transaction.
- While the clock is not trusted nobody asks (DESIGN); a jump of the clock moves timers with `shift`.
"""

from collections.abc import Iterator
from enum import IntEnum
from itertools import islice
from typing import NamedTuple

from appliance.store.keys import Table, head, pack, successor
from appliance.store.kv import ReadTxn, WriteTxn

FOREVER = (1 << 63) - 1
"""The latest due time (FILETIME)."""


class Kind(IntEnum):
    """What is to happen. Numbers are part of the store's format."""

    REMINDER = 1
    RETENTION = 2
    DEFERRED = 3
    EXPIRY = 4
    READ_RECEIPT = 5
    NON_READ_RECEIPT = 6


class Timer(NamedTuple):
    """One timer: when (FILETIME), what, of which object (a MID or FID)."""

    due: int
    kind: int
    object: int


_BY_TIME, _BY_OBJECT, _CARRIED = b"\0", b"\1", b"\2"


def _time_key(mailbox: int, timer: Timer) -> bytes:
    rest = timer.due.to_bytes(8, "big") + bytes([timer.kind]) + timer.object.to_bytes(8, "big")
    return head(mailbox, Table.TIMERS) + _BY_TIME + rest


def _object_key(mailbox: int, item: int, kind: int) -> bytes:
    return head(mailbox, Table.TIMERS) + _BY_OBJECT + item.to_bytes(8, "big") + bytes([kind])


def _carried_key(mailbox: int, item: int, kind: int) -> bytes:
    return head(mailbox, Table.TIMERS) + _CARRIED + item.to_bytes(8, "big") + bytes([kind])


def _parse(key: bytes) -> Timer:
    return Timer(int.from_bytes(key[6:14], "big"), key[14], int.from_bytes(key[15:23], "big"))


def put(txn: WriteTxn, mailbox: int, kind: Kind, item: int, due: int, carried: bytes = b"") -> None:
    """Set the timer of an object; an earlier one of the same kind is replaced. `due` 0 to FOREVER; `carried`
    are bytes for who handles it."""
    cancel(txn, mailbox, kind, item)
    due = min(max(due, 0), FOREVER)
    txn.put(_time_key(mailbox, Timer(due, kind, item)), b"")
    txn.put(_object_key(mailbox, item, kind), due.to_bytes(8, "big"))
    if carried:
        txn.put(_carried_key(mailbox, item, kind), carried)


def carried(txn: ReadTxn, mailbox: int, kind: Kind, item: int) -> bytes:
    """The bytes that a timer carries; empty for none."""
    return txn.get(_carried_key(mailbox, item, kind)) or b""


def get(txn: ReadTxn, mailbox: int, kind: Kind, item: int) -> int | None:
    """When an object's timer is due, or None."""
    raw = txn.get(_object_key(mailbox, item, kind))
    return int.from_bytes(raw, "big") if raw is not None else None


def cancel(txn: WriteTxn, mailbox: int, kind: Kind, item: int) -> bool:
    """Take a timer away; whether there was one."""
    key = _object_key(mailbox, item, kind)
    raw = txn.get(key)
    if raw is None:
        return False
    txn.delete(_time_key(mailbox, Timer(int.from_bytes(raw, "big"), kind, item)))
    txn.delete(_carried_key(mailbox, item, kind))
    return txn.delete(key)


def cancel_all(txn: WriteTxn, mailbox: int, item: int) -> None:
    """Take every timer of an object away (it goes)."""
    for kind in Kind:
        cancel(txn, mailbox, kind, item)


def due(txn: ReadTxn, mailbox: int, until: int, limit: int = 100) -> list[Timer]:
    """The timers that are due at `until` (FILETIME) or before, earliest first, `limit` at most."""
    start = pack(mailbox, Table.TIMERS) + _BY_TIME
    stop = start + (until + 1).to_bytes(8, "big")
    return [_parse(key) for key in islice(txn.scan_keys(start, stop), limit)]


def next_due(txn: ReadTxn, mailbox: int) -> int | None:
    """When the next timer of a mailbox is due, or None."""
    start = pack(mailbox, Table.TIMERS) + _BY_TIME
    first = txn.first(start, successor(start))
    return _parse(first[0]).due if first else None


def shift(txn: WriteTxn, mailbox: int, kind: Kind, by: int) -> int:
    """Move the timers of one kind by `by` (FILETIME units; the clock was set); how many."""
    start = pack(mailbox, Table.TIMERS) + _BY_TIME
    moved = [timer for key in txn.scan_keys(start, successor(start)) if (timer := _parse(key)).kind == kind]
    for timer in moved:
        kept = carried(txn, mailbox, kind, timer.object)
        put(txn, mailbox, kind, timer.object, timer.due + by, kept)
    return len(moved)


def check(txn: ReadTxn, mailbox: int) -> Iterator[str]:
    """Whether both sides tell the same."""
    by_time, by_object = _sides(txn, mailbox)
    for timer in sorted(by_time ^ by_object)[:20]:
        side = "time" if timer in by_time else "object"
        yield f"the timer {timer.kind} of {timer.object:#x} stands under its {side} only"
    known = {(timer.object, timer.kind) for timer in by_object}
    for pair in _carriers(txn, mailbox):
        if pair not in known:
            yield f"bytes of the timer {pair[1]} of {pair[0]:#x}, which is not set"


def _carriers(txn: ReadTxn, mailbox: int) -> list[tuple[int, int]]:
    """(object, kind) of the timers that carry bytes."""
    start = head(mailbox, Table.TIMERS) + _CARRIED
    return [(int.from_bytes(key[6:14], "big"), key[14]) for key in txn.scan_keys(start, successor(start))]


def _sides(txn: ReadTxn, mailbox: int) -> tuple[set[Timer], set[Timer]]:
    start = pack(mailbox, Table.TIMERS)
    by_time = {_parse(key) for key in txn.scan_keys(start + _BY_TIME, start + _BY_OBJECT)}
    by_object = {
        Timer(int.from_bytes(raw, "big"), key[14], int.from_bytes(key[6:14], "big"))
        for key, raw in txn.scan(start + _BY_OBJECT, start + _CARRIED)
    }
    return by_time, by_object


def repair(txn: WriteTxn, mailbox: int) -> None:
    """Believe the rows by object: make the rows by time anew."""
    _, by_object = _sides(txn, mailbox)
    start = pack(mailbox, Table.TIMERS)
    txn.delete_range(start + _BY_TIME, start + _BY_OBJECT)
    for timer in by_object:
        txn.put(_time_key(mailbox, timer), b"")
    known = {(timer.object, timer.kind) for timer in by_object}
    for item, kind in _carriers(txn, mailbox):
        if (item, kind) not in known:
            txn.delete(_carried_key(mailbox, item, kind))
