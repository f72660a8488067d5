"""The tables of the address book in their orders, made once for each version of the directory, for everybody.

Invariants:
- A `Snapshot` never changes, but for the orders that it makes on first need.
- It belongs to one version of the directory; `Snapshots.current` compares that with the transaction's before
  every use and never gives an older one.
- A new one takes over what was known of rows whose bytes are the same, so that a change in a directory of
  20,000 costs one scan.
"""

import threading
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator

from appliance.addressbook import collation
from appliance.addressbook.stat import SortType
from appliance.directory import entries, model
from appliance.directory.lists import AddressList
from appliance.directory.model import Glance
from appliance.store.kv import ReadTxn

MAX_ORDERS = 24
"""Orders (sort type, language, list) that a snapshot keeps; the oldest go first."""


_Order = list[tuple[bytes, bytes, int]]
"""Entries in an order: weight, what tells equal ones apart, Minimal Entry ID."""


class Table:
    """The rows of a container in an order: Minimal Entry IDs, the weights that they are sorted by, and the
    row of each."""

    __slots__ = ("_rows", "mids", "weights")

    def __init__(self, mids: Iterable[int], weights: list[bytes]) -> None:
        self.mids = array("Q", mids)
        self.weights = weights
        self._rows: dict[int, int] | None = None

    def __len__(self) -> int:
        return len(self.mids)

    def row_of(self, mid: int) -> int | None:
        """The row that an object stands in, or None."""
        if self._rows is None:
            self._rows = {mid: row for row, mid in enumerate(self.mids)}
        return self._rows.get(mid)

    def first_from(self, weight: bytes) -> int:
        """The first row whose weight is not less; the number of rows when there is none."""
        return bisect_left(self.weights, weight)


class Snapshot:
    """One version of the directory."""

    def __init__(self, txn: ReadTxn, version: int, before: "Snapshot | None" = None) -> None:
        """Read it; what has not changed since another snapshot is taken over."""
        self.version = version
        self.facts: dict[int, Glance] = {}
        self._digests: dict[int, int] = {}
        changed = self._read(txn, before)
        self._lock = threading.Lock()
        self._tables: dict[tuple[SortType, int, int], Table] = {}
        self._orders: dict[tuple[SortType, int], _Order] = {}
        for (sort, order), rows in list(before._orders.items()) if before else ():
            self._orders[sort, order] = self._again(rows, changed, sort, order)

    def _read(self, txn: ReadTxn, before: "Snapshot | None") -> set[int]:
        """Ids of entries that are not as they were."""
        known, digests = (before.facts, before._digests) if before else ({}, {})
        changed: set[int] = set()
        for mid, raw in entries.raw_rows(txn):
            digest = self._digests[mid] = hash(raw)
            if digests.get(mid) == digest:
                self.facts[mid] = known[mid]
            else:
                self.facts[mid] = model.glance(raw)
                changed.add(mid)
        return changed | (known.keys() - self.facts.keys())

    def _again(self, rows: "_Order", changed: set[int], sort: SortType, order: int) -> "_Order":
        """An order with changed entries in their new places: nearly sorted, which sorts fast."""
        return sorted([*(row for row in rows if row[2] not in changed), *self._keyed(changed, sort, order)])

    def table(self, container: AddressList, sort: SortType, locale: int) -> Table:
        """The rows of a container, sorted (MS-OXNSPI 3.1.4.5.1 steps 1 to 3)."""
        order = collation.closest(locale)
        key = (sort, order, container.container_id)
        with self._lock:
            found = self._tables.get(key)
            if found is None:
                found = self._tables[key] = self._make(container, sort, order)
                if len(self._tables) > MAX_ORDERS:
                    del self._tables[next(iter(self._tables))]
            return found

    def sorted(self, mids: Iterable[int], sort: SortType, locale: int) -> list[int]:
        """Those of `mids` that are entries, in the order (each as often as it is given)."""
        order = collation.closest(locale)
        keyed = [(*self._key(self.facts[mid], sort, order), mid) for mid in mids if mid in self.facts]
        return [mid for _, _, mid in sorted(keyed)]

    def explicit(self, mids: Iterable[int], locale: int) -> Table:
        """An explicit table, sorted by display names already (MS-OXNSPI 3.1.4.1.9); ids that name no entry
        sort first."""
        order = collation.closest(locale)
        kept = list(mids)
        known = (self.facts.get(mid) for mid in kept)
        return Table(kept, [collation.weight(fact.name, order) if fact else b"" for fact in known])

    def weight(self, text: str, locale: int) -> bytes:
        """What `Table.first_from` looks for."""
        return collation.weight(text, collation.closest(locale))

    def _make(self, container: AddressList, sort: SortType, order: int) -> Table:
        whole = self._orders.get((sort, order))
        if whole is None:
            whole = sorted(self._keyed(self.facts, sort, order))
            if len(self._orders) >= MAX_ORDERS // 4:
                del self._orders[next(iter(self._orders))]
            self._orders[sort, order] = whole
        rows = [(weight, mid) for weight, _, mid in whole if self.facts[mid].kind in container.kinds]
        return Table((mid for _, mid in rows), [weight for weight, _ in rows])

    def _keyed(self, mids: Iterable[int], sort: SortType, order: int) -> Iterator[tuple[bytes, bytes, int]]:
        """Those of some entries that stand in tables, with what they are sorted by."""
        for mid in mids:
            fact = self.facts.get(mid)
            if fact is not None and not fact.hidden:
                yield (*self._key(fact, sort, order), mid)

    def _key(self, fact: Glance, sort: SortType, order: int) -> tuple[bytes, bytes]:
        # who has no phonetic name sorts by the display name
        phonetic = sort is SortType.PHONETIC_DISPLAY_NAME and fact.phonetic
        return collation.ordering(fact.phonetic if phonetic else fact.name, order)


class Snapshots:
    """The latest snapshot of a store's directory. For any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._latest: Snapshot | None = None

    def current(self, txn: ReadTxn) -> Snapshot:
        """The snapshot of the transaction's version, or of a later one that another thread has made."""
        version = entries.version(txn)
        with self._lock:
            latest = self._latest
            if latest is None or latest.version < version:
                latest = self._latest = Snapshot(txn, version, latest)
            return latest
