"""The restricted and sorted rows of a source: what all tables of one definition share.

Leaf rows are (sort key, id, instance) in order, in a packed array (`_native.Leaves`); a row with several
values in a multi-value-instance column stands there once for each. Categories are not stored: the key of a
category is the prefix of its rows' keys, so they follow from the order. An arrangement is built once, by the
C from the rows as they are stored wherever it can, and then advanced by what the source says has changed.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

from appliance.mapi import types as t
from appliance.mapi.matching import Object, Predicate, compiled
from appliance.mapi.restrictions import Count, Restriction
from appliance.mapi.sorts import Direction, SortOrder, SortOrderSet
from appliance.mapi.types import Value
from appliance.store.kv import ReadTxn
from appliance.store.tables import scan, sortkeys
from appliance.store.tables._native import Leaves
from appliance.store.tables.scan import Slots
from appliance.store.tables.source import Record, Source
from appliance.store.views import Layout, Order, View

MAX_INSTANCES = 1000
"""Rows that one object may make of a multi-valued column."""

MAX_SHARED = 32
"""Arrangements that are kept for other tables of the same definition."""

_UNSORTED = SortOrderSet()


class _Made(NamedTuple):
    """A leaf before it is in its place. `key` are the parts of its sort key, one for each order."""

    key: tuple[bytes, ...]
    id: int
    instance: int
    unread: bool


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
        self.orders: tuple[SortOrder, ...] = tuple(
            order for order in orders if order.direction != Direction.MAXIMUM_CATEGORY
        )
        """The columns of the keys."""
        self.levels = min(definition.sort.categorized, len(self.orders))
        """How many of them are categories."""
        self._limit = _limit(definition.restriction)
        self._slots = Slots()
        self._columns = scan.sort_columns(
            ((order.tag, order.direction == Direction.DESCENDING) for order in self.orders), self._slots
        )
        self._program = (
            scan.program(definition.restriction, self._slots) if definition.restriction is not None else b""
        )
        self.leaves = Leaves(self.levels)
        self.version = -1
        self.generation = 0
        """Moves whenever `leaves` did."""

    def advance(self, txn: ReadTxn) -> None:
        """Bring the rows up to the snapshot. An older snapshot than the last one changes nothing."""
        version = self._source.version(txn)
        if version <= self.version:
            return
        changed = self._source.changed(txn, self.version) if self.version >= 0 else None
        whole = self._maximum is not None or self._limit is not None
        if changed is None or (changed and whole) or len(changed) * 4 > len(self.leaves) + 100:
            self._build(txn)
        elif changed:
            self.leaves.forget(changed)
            self._take(txn, sorted(changed), is_sorted=True)
        self.version = version
        self.generation += 1

    def _build(self, txn: ReadTxn) -> None:
        self.leaves = Leaves(self.levels)
        self._take(txn, None, is_sorted=False)
        self.leaves.sort()
        if self._limit is not None:
            self.leaves.forget({id_ for _, id_, _ in self.leaves.range(self._limit, len(self.leaves))})

    def _take(self, txn: ReadTxn, ids: list[int] | None, *, is_sorted: bool) -> None:
        """Add the rows of these objects, or of all."""
        batches = None
        if self._maximum is None and not self._definition.instances:
            batches = self._source.batches(txn, ids, cold=self._slots.cold)
        if batches is None:
            self._take_records(txn, ids, is_sorted)
            return
        self._slots.asked = self._source.asked(txn)
        slots = self._slots.packed()
        for batch in batches:
            asked = self.leaves.scan(
                slots, self._program, self._columns, batch.keys, batch.hots, batch.colds, is_sorted
            )
            for at in asked:
                record = self._source.find(txn, batch.ids[at])
                if record is not None:
                    self._put(self._leaves_of(record), is_sorted)

    def _take_records(self, txn: ReadTxn, ids: list[int] | None, is_sorted: bool) -> None:
        if ids is None:
            records: Iterable[Record] = self._source.records(txn)
        else:
            found = (self._source.find(txn, id_) for id_ in ids)
            records = (record for record in found if record is not None)
        made: list[_Made] = []
        largest: dict[bytes, bytes] = {}
        for record in records:
            rows = self._leaves_of(record)
            made += rows
            if self._maximum is not None and rows:
                self._note_largest(record, rows, largest)
        if self._maximum is not None:
            made = [self._by_largest(leaf, largest) for leaf in made]
        self._put(made, is_sorted)

    def _put(self, made: Iterable[_Made], is_sorted: bool) -> None:
        put = self.leaves.insert if is_sorted else self.leaves.add
        for leaf in made:
            ends = list(accumulate(map(len, leaf.key[: self.levels])))
            put(b"".join(leaf.key), ends, leaf.id, leaf.instance, leaf.unread)

    def _note_largest(self, record: Record, made: list[_Made], largest: dict[bytes, bytes]) -> None:
        """Remember the largest value of the maximum column for each of the row's categories."""
        assert self._maximum is not None
        value = sortkeys.part(
            record.get(self._definition.sort.orders[self._maximum].tag), Direction.ASCENDING
        )
        for leaf in made:
            category = b"".join(leaf.key[: self._maximum])
            largest[category] = max(value, largest.get(category, b""))

    def _by_largest(self, leaf: _Made, largest: dict[bytes, bytes]) -> _Made:
        """The category before the maximum order sorts by its largest value first (MS-OXCTABL 2.2.2.3.1)."""
        assert self._maximum is not None
        at = self._maximum - 1
        value = largest[b"".join(leaf.key[: self._maximum])]
        if self.orders[at].direction == Direction.DESCENDING:
            value = bytes(255 - byte for byte in value)
        return leaf._replace(key=(*leaf.key[:at], value + leaf.key[at], *leaf.key[at + 1 :]))

    def _leaves_of(self, record: Record) -> list[_Made]:
        """The places of an object's rows; none when the restriction excludes it."""
        if self._predicate is not None and not self._predicate(Object(record.get, record.children)):
            return []
        return [
            _Made(self._key(record, value), record.id, instance, record.unread)
            for instance, value in enumerate(self._values(record))
        ]

    def _values(self, record: Record) -> list[Value]:
        """The values that make instances; one None for a row that stands for itself."""
        tag = self._definition.instances
        values = record.get(tag & ~t.MULTIPLE_INSTANCE_FLAG) if tag else None
        return list(values[:MAX_INSTANCES]) if isinstance(values, tuple) and values else [None]

    def _key(self, record: Record, instance: Value) -> tuple[bytes, ...]:
        parts = []
        for order in self.orders:
            value = instance if order.by_instance else record.get(order.tag)
            parts.append(sortkeys.part(value, order.direction))
        return tuple(parts)


def _limit(restriction: Restriction | None) -> int | None:
    """How many rows there may be; None without a limit. A count counts where it stands around all the rest
    (MS-OXCDATA 2.12.12); deeper, where no order of rows says which ones are its first, it says nothing."""
    return restriction.count if isinstance(restriction, Count) else None


class Arrangements:
    """Shares arrangements among tables, and what was read of kept orders. Thread-safe; an arrangement's lock
    is held while its rows are built."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._shared: OrderedDict[tuple[tuple[int, ...], Definition], tuple[threading.Lock, Arrangement]]
        self._shared = OrderedDict()
        self._layouts: OrderedDict[tuple[tuple[int, ...], Order], Layout] = OrderedDict()

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

    def last_use(self, source: Source, order: Order) -> int | None:
        """When an order that the store keeps was noted as used (FILETIME); None when it was last seen not to
        be kept."""
        with self._lock:
            layout = self._layouts.get((source.key, order))
            return layout.used if layout is not None else None

    def is_ready(self, source: Source, definition: Definition, order: Order | None) -> bool:
        """Whether the rows are in order already: in an arrangement that nobody is building, or kept as
        `order`."""
        with self._lock:
            if order is not None and (source.key, order) in self._layouts:
                return True
            lock, known = self._shared.get((source.key, definition), (None, None))
        return lock is not None and known is not None and known.version >= 0 and not lock.locked()

    def view(self, txn: ReadTxn, source: Source, order: Order) -> View | None:
        """A kept order of the source in this snapshot; None when it is not kept."""
        key = (source.key, order)
        with self._lock:
            known = self._layouts.get(key)
        view = source.view(txn, order, known)
        with self._lock:
            self._layouts.pop(key, None)
            if view is not None:
                self._layouts[key] = view.layout
                while len(self._layouts) > MAX_SHARED:
                    self._layouts.popitem(last=False)
        return view
