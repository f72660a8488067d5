"""The restricted and sorted rows of a source: what all tables of one definition share.

Leaf rows are tuples (sort key, id, instance) in order; a row with several values in a multi-value-instance
column stands there once for each. Categories are not stored: the key of a category is the prefix of its
rows' keys, so they follow from the order. An arrangement is built once and then advanced by what the source
says has changed.
"""

import threading
from bisect import bisect_left, insort
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from appliance.mapi import types as t
from appliance.mapi.matching import Object, Predicate, compiled
from appliance.mapi.restrictions import Restriction
from appliance.mapi.sorts import Direction, SortOrder, SortOrderSet
from appliance.mapi.types import Value
from appliance.store.kv import ReadTxn
from appliance.store.tables import sortkeys
from appliance.store.tables.sources import Record, Source

MAX_INSTANCES = 1000
"""Rows that one object may make of a multi-valued column."""

MAX_SHARED = 32
"""Arrangements that are kept for other tables of the same definition."""


_UNSORTED = SortOrderSet()


class Leaf(NamedTuple):
    """A data row's place. `key` are the parts of its sort key, one for each order."""

    key: tuple[bytes, ...]
    id: int
    instance: int


@dataclass(frozen=True, slots=True)
class Definition:
    """What decides which rows a table has and in which order; columns only by the multi-value one."""

    restriction: Restriction | None = None
    sort: SortOrderSet = _UNSORTED
    instances: int = 0
    """Tag of the multi-value column whose values make rows of their own (MultivalueInstance set), or 0."""


class Arrangement:
    """Rows of a source under a definition. Guarded by its owner's lock."""

    def __init__(self, source: Source, definition: Definition) -> None:
        self._source, self._definition = source, definition
        self._predicate: Predicate | None = (
            compiled(definition.restriction) if definition.restriction is not None else None
        )
        orders = definition.sort.orders
        self._maximum = next(
            (at for at, order in enumerate(orders) if order.direction == Direction.MAXIMUM_CATEGORY), None
        )
        self._orders = tuple(order for order in orders if order.direction != Direction.MAXIMUM_CATEGORY)
        self._places: dict[int, list[Leaf]] = {}
        self.leaves: list[Leaf] = []
        self.unread: set[int] = set()
        """Ids of the rows that count as unread."""
        self.version = -1
        self.generation = 0
        """Moves whenever `leaves` did."""

    @property
    def orders(self) -> tuple[SortOrder, ...]:
        """The columns of the keys."""
        return self._orders

    def advance(self, txn: ReadTxn) -> None:
        """Bring the rows up to the snapshot."""
        version = self._source.version(txn)
        if version == self.version:
            return
        changed = self._source.changed(txn, self.version) if self.version >= 0 else None
        if changed is None or self._maximum is not None or len(changed) * 4 > len(self.leaves) + 100:
            self._build(txn)
        else:
            for id_ in changed:
                self._forget(id_)
                record = self._source.find(txn, id_)
                if record is not None:
                    for leaf in self._leaves_of(record):
                        insort(self.leaves, leaf)
        self.version = version
        self.generation += 1

    def _build(self, txn: ReadTxn) -> None:
        self._places.clear()
        self.unread.clear()
        leaves: list[Leaf] = []
        largest: dict[bytes, bytes] = {}
        for record in self._source.records(txn):
            made = self._leaves_of(record)
            leaves += made
            if self._maximum is not None and made:
                self._note_largest(record, made, largest)
        if self._maximum is not None:
            leaves = [self._by_largest(leaf, largest) for leaf in leaves]
            self._places.clear()
            for leaf in leaves:
                self._places.setdefault(leaf.id, []).append(leaf)
        leaves.sort()
        self.leaves = leaves

    def _note_largest(self, record: Record, made: list[Leaf], largest: dict[bytes, bytes]) -> None:
        """Remember the largest value of the maximum column for each of the row's categories."""
        assert self._maximum is not None
        value = sortkeys.part(
            record.get(self._definition.sort.orders[self._maximum].tag), Direction.ASCENDING
        )
        for leaf in made:
            category = b"".join(leaf.key[: self._maximum])
            largest[category] = max(value, largest.get(category, b""))

    def _by_largest(self, leaf: Leaf, largest: dict[bytes, bytes]) -> Leaf:
        """The category before the maximum order sorts by its largest value first (MS-OXCTABL 2.2.2.3.1)."""
        assert self._maximum is not None
        at = self._maximum - 1
        value = largest[b"".join(leaf.key[: self._maximum])]
        if self._orders[at].direction == Direction.DESCENDING:
            value = bytes(255 - byte for byte in value)
        return leaf._replace(key=(*leaf.key[:at], value + leaf.key[at], *leaf.key[at + 1 :]))

    def _forget(self, id_: int) -> None:
        for leaf in self._places.pop(id_, ()):
            del self.leaves[bisect_left(self.leaves, leaf)]
        self.unread.discard(id_)

    def _leaves_of(self, record: Record) -> list[Leaf]:
        """The places of an object's rows; none when the restriction excludes it."""
        if self._predicate is not None and not self._predicate(Object(record.get, record.children)):
            return []
        made = [
            Leaf(self._key(record, value), record.id, instance)
            for instance, value in enumerate(self._values(record))
        ]
        self._places[record.id] = made
        if record.unread:
            self.unread.add(record.id)
        return made

    def _values(self, record: Record) -> list[Value]:
        """The values that make instances; one None for a row that stands for itself."""
        tag = self._definition.instances
        values = record.get(tag & ~t.MULTIPLE_INSTANCE_FLAG) if tag else None
        return list(values[:MAX_INSTANCES]) if isinstance(values, tuple) and values else [None]

    def _key(self, record: Record, instance: Value) -> tuple[bytes, ...]:
        parts = []
        for order in self._orders:
            value = instance if order.by_instance else record.get(order.tag)
            parts.append(sortkeys.part(value, order.direction))
        return tuple(parts)


class Arrangements:
    """Shares arrangements among tables. Thread-safe; the locks are held while rows are built."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._shared: OrderedDict[tuple[tuple[int, ...], Definition], tuple[threading.Lock, Arrangement]]
        self._shared = OrderedDict()

    def get(self, source: Source, definition: Definition) -> tuple[threading.Lock, Arrangement]:
        """The arrangement for a definition and the lock that guards it."""
        key = (source.key, definition)
        with self._lock:
            known = self._shared.get(key)
            if known is None:
                known = self._shared[key] = (threading.Lock(), Arrangement(source, definition))
                while len(self._shared) > MAX_SHARED:
                    self._shared.popitem(last=False)
            self._shared.move_to_end(key)
            return known


def group_ends(leaves: list[Leaf], depth: int) -> Iterator[tuple[int, int]]:
    """(start, end) of the runs of leaves whose keys agree in their first `depth` parts."""
    start = 0
    while start < len(leaves):
        prefix = leaves[start].key[:depth]
        end = start + 1
        while end < len(leaves) and leaves[end].key[:depth] == prefix:
            end += 1
        yield start, end
        start = end
