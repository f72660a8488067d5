"""What leads from entry to entry: members, delegates, managers. Each link stands in both directions.

Invariants: a link's two rows exist together; both its ends exist; members form no cycle.
"""

import struct
from collections.abc import Iterator
from enum import IntEnum

from appliance.directory.errors import NotAllowed
from appliance.store.keys import SERVER, Table, pack, successor, tail_q
from appliance.store.kv import ReadTxn, WriteTxn

MAX_DEPTH = 32
"""Groups within groups, at most."""

_FORWARD, _BACKWARD = 64, 65
"""Numbers of the two directions among the rows of DIRECTORY_INDEX (`entries.Index` has the others)."""


class Link(IntEnum):
    """Kinds of links, each read "source has target". The numbers are part of the store's format."""

    MEMBER = 1
    MANAGED_BY = 2
    MANAGER = 3
    ASSISTANT = 4
    DELEGATE = 5
    SEND_ON_BEHALF = 6
    SEND_AS = 7
    ACCEPTS = 8


def add(txn: WriteTxn, link: Link, source: int, target: int) -> bool:
    """Whether the link is new. Raises NotAllowed for an entry with itself or a group within itself."""
    if source == target and link is not Link.MANAGED_BY:
        raise NotAllowed("an entry cannot be linked to itself")
    if link is Link.MEMBER and source in closure(txn, target):
        raise NotAllowed("the group would be within itself")
    txn.put(_key(_BACKWARD, link, target, source), b"")
    return txn.append(_key(_FORWARD, link, source, target), b"")


def remove(txn: WriteTxn, link: Link, source: int, target: int) -> bool:
    """Whether the link existed."""
    txn.delete(_key(_BACKWARD, link, target, source))
    return txn.delete(_key(_FORWARD, link, source, target))


def replace(txn: WriteTxn, link: Link, source: int, target: int | None) -> None:
    """Make `target` the only one of its kind, or have none."""
    for old in targets(txn, link, source):
        remove(txn, link, source, old)
    if target is not None:
        add(txn, link, source, target)


def has(txn: ReadTxn, link: Link, source: int, target: int) -> bool:
    """Whether the link exists."""
    return txn.has(_key(_FORWARD, link, source, target))


def targets(txn: ReadTxn, link: Link, source: int) -> list[int]:
    """What `source` has, by id."""
    return _scan(txn, _FORWARD, link, source)


def sources(txn: ReadTxn, link: Link, target: int) -> list[int]:
    """Who has `target`, by id."""
    return _scan(txn, _BACKWARD, link, target)


def closure(txn: ReadTxn, group: int) -> set[int]:
    """`group` and every entry that is a member of it, directly or through groups."""
    seen, waiting = {group}, [group]
    while waiting:
        fresh = [id for id in targets(txn, Link.MEMBER, waiting.pop()) if id not in seen]
        seen.update(fresh)
        waiting += fresh
    return seen


def drop(txn: WriteTxn, id: int) -> None:
    """Remove every link from and to an entry that goes."""
    for link in Link:
        for target in targets(txn, link, id):
            remove(txn, link, id, target)
        for source in sources(txn, link, id):
            remove(txn, link, source, id)


def check(txn: ReadTxn, ids: set[int]) -> Iterator[str]:
    """Broken links, in words. `ids`: the entries that exist."""
    sides: dict[int, set[tuple[int, int, int]]] = {_FORWARD: set(), _BACKWARD: set()}
    for direction, rows in sides.items():
        prefix = pack(SERVER, Table.DIRECTORY_INDEX, direction)
        for key in txn.scan_keys(prefix, successor(prefix)):
            link, one, other = struct.unpack(">QQQ", key[-24:])
            rows.add((link, one, other) if direction == _FORWARD else (link, other, one))
    for link, source, target in sorted(sides[_FORWARD] ^ sides[_BACKWARD]):
        yield f"link {link} from {source} to {target} stands in one direction only"
    for link, source, target in sorted(sides[_FORWARD]):
        if not {source, target} <= ids:
            yield f"link {link} from {source} to {target} has an end that does not exist"
        elif link == Link.MEMBER and source in closure(txn, target):
            yield f"group {source} is within itself"


def _key(direction: int, link: Link, one: int, other: int) -> bytes:
    return pack(SERVER, Table.DIRECTORY_INDEX, direction, int(link), one, other)


def _scan(txn: ReadTxn, direction: int, link: Link, id: int) -> list[int]:
    prefix = pack(SERVER, Table.DIRECTORY_INDEX, direction, int(link), id)
    return [tail_q(key) for key in txn.scan_keys(prefix, successor(prefix))]
