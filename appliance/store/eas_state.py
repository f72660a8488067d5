"""What ActiveSync devices were sent: two generations for each collection of a device (MS-ASCMD 2.2.3.179).

A server answers a sync key with the next one, and must be able to answer the same key once more when the
reply was lost. So the state behind the newest key and the one before are kept. A client that comes with the
newest key has received the reply: the next `advance` drops the generation before.

Invariants:
- A device has at most MAX_COLLECTIONS collections, a collection at most two generations, the older directly
  before the newer. Generations begin at 1 and never return to a smaller number but by `reset`.
- What a generation holds (`data`) is the protocol's own; here it is bytes.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from appliance.store.errors import LimitReached, NotFound
from appliance.store.keys import Table, head, pack, successor, tail_q
from appliance.store.kv import ReadTxn, WriteTxn

MAX_COLLECTIONS = 1000
"""MS-ASCMD 3.1.5.5 lets a server set it."""

MAX_DATA = 4 << 20
"""Bytes of one generation, at most."""

_ROW = struct.Struct("<QIQ")


@dataclass(frozen=True, slots=True)
class State:
    """What a device was sent under one sync key: the key's number, the log position (mailbox number), the
    FilterType, the time (FILETIME), and the protocol's own bytes."""

    generation: int
    position: int
    filter: int
    when: int
    data: bytes


def _prefix(mailbox: int, device: str, collection: str) -> bytes:
    return pack(mailbox, Table.EAS_STATE, device, collection)


def _states(txn: ReadTxn, mailbox: int, device: str, collection: str) -> list[State]:
    prefix = _prefix(mailbox, device, collection)
    found = []
    for key, raw in txn.scan(prefix, successor(prefix)):
        position, filter_type, when = _ROW.unpack_from(raw)
        found.append(State(tail_q(key), position, filter_type, when, raw[_ROW.size :]))
    return found


def newest(txn: ReadTxn, mailbox: int, device: str, collection: str) -> State | None:
    """The newest generation of a collection, None before the first synchronisation."""
    states = _states(txn, mailbox, device, collection)
    return states[-1] if states else None


def get(txn: ReadTxn, mailbox: int, device: str, collection: str, generation: int) -> State:
    """The state behind a sync key. Raises NotFound: the key is not (any more) valid (status 3)."""
    for state in _states(txn, mailbox, device, collection):
        if state.generation == generation:
            return state
    raise NotFound(f"sync key {generation} of {collection}")


def advance(txn: WriteTxn, mailbox: int, device: str, collection: str, base: int, new: State) -> None:
    """Store the answer to the sync key `base` (0: the first). What is neither `base` nor `new` goes.
    `new.generation` is base + 1; a repeated request replaces the answer that was lost. Raises NotFound when
    `base` is unknown, LimitReached."""
    if new.generation != base + 1 or len(new.data) > MAX_DATA:
        raise LimitReached(f"the generation after {base}, at most {MAX_DATA} bytes")
    known = [state.generation for state in _states(txn, mailbox, device, collection)]
    if base and base not in known:
        raise NotFound(f"sync key {base} of {collection}")
    if not known and len(collections(txn, mailbox, device)) >= MAX_COLLECTIONS:
        raise LimitReached(f"a device has at most {MAX_COLLECTIONS} collections")
    prefix = _prefix(mailbox, device, collection)
    for generation in known:
        if generation != base:
            txn.delete(prefix + generation.to_bytes(8, "big"))
    row = _ROW.pack(new.position, new.filter, new.when) + new.data
    txn.put(prefix + new.generation.to_bytes(8, "big"), row)


def reset(txn: WriteTxn, mailbox: int, device: str, collection: str) -> None:
    """Forget a collection: its sync keys are invalid from now on."""
    prefix = _prefix(mailbox, device, collection)
    txn.delete_range(prefix, successor(prefix))


def collections(txn: ReadTxn, mailbox: int, device: str) -> list[bytes]:
    """The collections of a device, as they stand in keys."""
    prefix = pack(mailbox, Table.EAS_STATE, device)
    found = dict.fromkeys(key[len(prefix) : -8] for key in txn.scan_keys(prefix, successor(prefix)))
    return list(found)


def drop_device(txn: WriteTxn, mailbox: int, device: str) -> None:
    """Forget everything that a device was sent."""
    prefix = pack(mailbox, Table.EAS_STATE, device)
    txn.delete_range(prefix, successor(prefix))


def void(txn: WriteTxn, mailbox: int) -> None:
    """Forget the state of every device (a new incarnation of the mailbox)."""
    prefix = head(mailbox, Table.EAS_STATE)
    txn.delete_range(prefix, successor(prefix))


def _series(txn: ReadTxn, mailbox: int) -> Iterator[tuple[bytes, list[int]]]:
    prefix = head(mailbox, Table.EAS_STATE)
    found: dict[bytes, list[int]] = {}
    for key in txn.scan_keys(prefix, successor(prefix)):
        found.setdefault(key[:-8], []).append(tail_q(key))
    yield from found.items()


def check(txn: ReadTxn, mailbox: int) -> Iterator[str]:
    """What is wrong with the generations."""
    for prefix, generations in _series(txn, mailbox):
        sound = len(generations) <= 2 and generations[0] >= 1 and generations[-1] - generations[0] <= 1
        if not sound:
            yield f"the ActiveSync collection {prefix[5:].hex()} has the generations {generations}"


def repair(txn: WriteTxn, mailbox: int) -> None:
    """Keep the newest generation of a broken series: devices with an older key begin anew."""
    for prefix, generations in list(_series(txn, mailbox)):
        for generation in generations[:-1]:
            if len(generations) > 2 or generation + 1 != generations[-1] or generation < 1:
                txn.delete(prefix + generation.to_bytes(8, "big"))
