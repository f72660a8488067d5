"""One client's table: columns, cursor, bookmarks, expanded and collapsed categories (MS-OXCTABL 3.2.5).

Invariants:
- A cursor or bookmark is a place (sort key, id, instance), never a row number: rows that come and go before
  it do not move it. Sorting, restricting and resetting void all bookmarks and put the cursor at the start.
- Header rows stand before their rows: their place is the prefix of their rows' keys.
- Nothing here is asynchronous: operations are complete when they return (TBLSTAT_COMPLETE).

Each operation takes a snapshot, brings the shared arrangement up to it and works under its lock; tables over
big folders belong into a reader thread. Errors are `TableError` with the code of MS-OXCDATA 2.4.
"""

import hashlib
import struct
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import NamedTuple

from appliance.mapi import errors as ec
from appliance.mapi import tags
from appliance.mapi import types as t
from appliance.mapi.matching import Object, compiled
from appliance.mapi.restrictions import Restriction
from appliance.mapi.rows import Cell, PropertyError
from appliance.mapi.sorts import SortOrderSet
from appliance.mapi.types import Value
from appliance.store.kv import ReadTxn
from appliance.store.tables.arrangement import Arrangement, Arrangements, Definition, Leaf, group_ends
from appliance.store.tables.sources import Record, Source

MAX_VALUE = 510
"""Bytes of a value in a row; longer ones are cut (MS-OXCTABL 2.2.2.5.2)."""

MAX_BOOKMARKS = 1000
MAX_COLUMNS = 1000
_CATEGORY = 1 << 63
_STATE_MAGIC = b"TCS1"


class TableError(Exception):
    """An operation that the table refuses; `code` as in MS-OXCDATA 2.4."""

    def __init__(self, code: int) -> None:
        super().__init__(f"table error {code:#x}")
        self.code = code


class Origin(IntEnum):
    """Predefined bookmarks (2.2.2.1.1)."""

    BEGINNING = 0
    CURRENT = 1
    END = 2
    CUSTOM = 3


class RowType(IntEnum):
    """PidTagRowType (2.2.1.3)."""

    LEAF = 1
    EMPTY_CATEGORY = 2
    EXPANDED_CATEGORY = 3
    COLLAPSED_CATEGORY = 4


class Place(NamedTuple):
    """Where a row stands; places compare as rows do. A header has id -1 and a shorter key."""

    key: tuple[bytes, ...]
    id: int
    instance: int


@dataclass(frozen=True, slots=True)
class _Header:
    place: Place
    category: int
    depth: int
    first: Leaf
    count: int
    unread: int
    expanded: bool


@dataclass(slots=True)
class _View:
    """The visible rows at one generation of the arrangement and of the collapsed state."""

    stamp: tuple[int, int]
    places: list[Place]
    headers: dict[Place, _Header]
    categories: dict[int, _Header]


class Found(NamedTuple):
    """What FindRow gives: the row's cells, and whether the bookmark's row was no longer visible."""

    cells: list[Cell]
    row_no_longer_visible: bool


_START = Place((), -2, 0)


class Table:
    """A table over a source. Not thread-safe itself."""

    def __init__(self, source: Source, shared: Arrangements) -> None:
        self._source, self._shared = source, shared
        self._definition = Definition()
        self._columns: tuple[int, ...] = ()
        self._cursor: Place | None = _START  # None: behind the last row
        self._bookmarks: dict[int, Place | None] = {}
        self._next_bookmark = 1
        self._toggled: set[tuple[bytes, ...]] = set()
        self._toggles = 0
        self._view: _View | None = None

    # ---- definition

    def set_columns(self, columns: Sequence[int]) -> None:
        """RopSetColumns (3.2.5.2). Raises ecInvalidParam."""
        if not columns or len(columns) > MAX_COLUMNS:
            raise TableError(ec.ecInvalidParam)
        for tag in columns:
            kind = tag & 0xFFFF & ~t.MULTIPLE_INSTANCE_FLAG
            single = kind & ~t.MULTIPLE_FLAG
            known = t.PtypInteger16 <= single <= t.PtypBinary and single != t.PtypErrorCode
            if not known or (tag & t.MULTIPLE_INSTANCE_FLAG and not kind & t.MULTIPLE_FLAG):
                raise TableError(ec.ecInvalidParam)
        self._columns = tuple(columns)
        self._define(self._definition.sort, self._definition.restriction)

    def sort(self, orders: SortOrderSet) -> None:
        """RopSortTable (3.2.5.3). Raises ecInvalidParam for orders that contradict each other."""
        if orders.problem() is not None:
            raise TableError(ec.ecInvalidParam)
        self._define(orders, self._definition.restriction)
        self._toggled.clear()
        self._restart()

    def restrict(self, restriction: Restriction | None) -> None:
        """RopRestrict (3.2.5.4); None takes the restriction away."""
        self._define(self._definition.sort, restriction)
        self._restart()

    def reset(self) -> None:
        """RopResetTable (3.2.5.15): columns, sort order, restriction, bookmarks and cursor as at first."""
        self._columns = ()
        self._define(SortOrderSet(), None)
        self._toggled.clear()
        self._restart()

    def _define(self, sort: SortOrderSet, restriction: Restriction | None) -> None:
        by_value = [order.tag for order in sort.orders if order.by_instance]
        by_value += [tag for tag in self._columns if tag & t.MULTIPLE_INSTANCE_FLAG]
        self._definition = Definition(restriction, sort, by_value[0] if by_value else 0)
        self._view = None

    def _restart(self) -> None:
        self._bookmarks.clear()
        self._cursor = _START
        self._toggles += 1

    # ---- the visible rows

    @contextmanager
    def _opened(self, txn: ReadTxn) -> Iterator[tuple[Arrangement, _View]]:
        lock, arrangement = self._shared.get(self._source, self._definition)
        with lock:
            arrangement.advance(txn)
            stamp = (arrangement.generation, self._toggles)
            if self._view is None or self._view.stamp != stamp:
                self._view = self._build_view(arrangement, stamp)
            yield arrangement, self._view

    def _build_view(self, arrangement: Arrangement, stamp: tuple[int, int]) -> _View:
        view = _View(stamp, [], {}, {})
        sort = self._definition.sort
        if not sort.categorized:
            view.places = [Place(*leaf) for leaf in arrangement.leaves]
        else:
            self._add_groups(view, arrangement, arrangement.leaves, 0)
        return view

    def _add_groups(self, view: _View, arrangement: Arrangement, leaves: list[Leaf], depth: int) -> None:
        sort = self._definition.sort
        levels = min(sort.categorized, len(arrangement.orders))
        for start, end in group_ends(leaves, depth + 1):
            inside = leaves[start:end]
            prefix = inside[0].key[: depth + 1]
            expanded = (depth < sort.expanded) != (prefix in self._toggled)
            unread = sum(leaf.id in arrangement.unread for leaf in inside)
            place = Place(prefix, -1, depth)
            header = _Header(place, _category_id(prefix), depth, inside[0], len(inside), unread, expanded)
            view.places.append(place)
            view.headers[place] = view.categories[header.category] = header
            if not expanded:
                continue
            if depth + 1 < levels:
                self._add_groups(view, arrangement, inside, depth + 1)
            else:
                view.places.extend(Place(*leaf) for leaf in inside)

    def _position(self, view: _View, place: Place | None) -> int:
        return len(view.places) if place is None else bisect_left(view.places, place)

    def _place_at(self, view: _View, position: int) -> Place | None:
        if position <= 0:
            return view.places[0] if view.places else _START
        return view.places[position] if position < len(view.places) else None

    def _cells(self, txn: ReadTxn, view: _View, place: Place) -> list[Cell] | None:
        """The row at a place; None when its object is gone from the snapshot."""
        header = view.headers.get(place)
        record = self._source.find(txn, header.first.id if header else place.id)
        if record is None:
            return None
        get = self._getter(record, place, header)
        return [_cell(get(tag)) for tag in self._columns]

    def _getter(self, record: Record, place: Place, header: _Header | None) -> Callable[[int], Value]:
        sort = self._definition.sort
        if header is not None:
            shown = {order.tag & ~t.MULTIPLE_INSTANCE_FLAG for order in sort.orders[: header.depth + 1]}
            kind = RowType.EXPANDED_CATEGORY if header.expanded else RowType.COLLAPSED_CATEGORY
            fixed: dict[int, Value] = {
                tags.PidTagInstID: header.category,
                tags.PidTagInstanceNum: 0,
                tags.PidTagRowType: int(kind),
                tags.PidTagDepth: header.depth,
                tags.PidTagContentCount: header.count,
                tags.PidTagContentUnreadCount: header.unread,
            }
        else:
            shown = set()
            fixed = {tags.PidTagInstanceNum: place.instance, tags.PidTagRowType: int(RowType.LEAF)}
            if sort.categorized:
                fixed[tags.PidTagDepth] = sort.categorized
        instance = header.first.instance if header is not None else place.instance

        def get(tag: int) -> Value:
            if tag in fixed:
                return fixed[tag]
            plain = tag & ~t.MULTIPLE_INSTANCE_FLAG
            if header is not None and plain not in shown:
                return None
            value = record.get(plain)
            if plain != tag and isinstance(value, tuple):
                return value[instance] if instance < len(value) else None
            if value is None and plain == tags.PidTagDepth:
                return 0
            return value

        return get

    # ---- reading and moving

    def _need_columns(self) -> None:
        if not self._columns:
            raise TableError(ec.ecNullObject)

    def query_rows(
        self,
        txn: ReadTxn,
        count: int,
        *,
        forward: bool = True,
        advance: bool = True,
        fits: Callable[[list[Cell]], bool] = lambda cells: True,
    ) -> tuple[list[list[Cell]], Origin]:
        """RopQueryRows (3.2.5.5): rows in table order, and the Origin of the answer. `fits` is asked about
        each row, the nearest to the cursor first. Raises ecNullObject, and ecBufferTooSmall when not even
        one row fits."""
        self._need_columns()
        with self._opened(txn) as (_, view):
            at = self._position(view, self._cursor)
            step, end = (1, len(view.places)) if forward else (-1, 0)
            rows: list[list[Cell]] = []
            while at != end and len(rows) < count:
                cells = self._cells(txn, view, view.places[at if forward else at - 1])
                if cells is not None:
                    if not fits(cells):
                        if not rows:
                            raise TableError(ec.ecBufferTooSmall)
                        break
                    rows.append(cells)
                at += step
            if advance:
                self._cursor = self._place_at(view, at)
            edge = Origin.END if forward else Origin.BEGINNING
            return (rows if forward else rows[::-1]), edge if at == end else Origin.CURRENT

    def query_position(self, txn: ReadTxn) -> tuple[int, int]:
        """RopQueryPosition (3.2.5.8): the cursor's row number from 0, and how many rows there are."""
        with self._opened(txn) as (_, view):
            return self._position(view, self._cursor), len(view.places)

    def seek(self, txn: ReadTxn, origin: Origin, rows: int) -> int:
        """RopSeekRow (3.2.5.9): move from a predefined bookmark; how far it went (negative backwards)."""
        with self._opened(txn) as (_, view):
            start = {Origin.BEGINNING: 0, Origin.END: len(view.places)}.get(origin)
            return self._move(view, self._position(view, self._cursor) if start is None else start, rows)

    def seek_bookmark(self, txn: ReadTxn, bookmark: bytes, rows: int) -> tuple[int, bool]:
        """RopSeekRowBookmark (3.2.5.10): how far it went, and whether the bookmark's row is no longer
        visible. Raises ecInvalidBookmark."""
        self._need_columns()
        place = self._marked(bookmark)
        with self._opened(txn) as (_, view):
            start = self._position(view, place)
            return self._move(view, start, rows), not self._is_visible(view, place, start)

    def seek_fraction(self, txn: ReadTxn, numerator: int, denominator: int) -> None:
        """RopSeekRowFractional (3.2.5.11). Raises ecInvalidBookmark for a denominator of 0."""
        if denominator == 0:
            raise TableError(ec.ecInvalidBookmark)
        with self._opened(txn) as (_, view):
            total = len(view.places)
            self._cursor = self._place_at(view, min(total, total * numerator // denominator))

    def _move(self, view: _View, start: int, rows: int) -> int:
        target = min(max(start + rows, 0), len(view.places))
        self._cursor = self._place_at(view, target)
        return target - start

    @staticmethod
    def _is_visible(view: _View, place: Place | None, position: int) -> bool:
        if place is None or place == _START:
            return True
        return position < len(view.places) and view.places[position] == place

    def create_bookmark(self, txn: ReadTxn) -> bytes:
        """RopCreateBookmark (3.2.5.12)."""
        with self._opened(txn):
            return self._mark(self._cursor)

    def _mark(self, place: Place | None) -> bytes:
        if len(self._bookmarks) >= MAX_BOOKMARKS:
            raise TableError(ec.ecMemory)
        number, self._next_bookmark = self._next_bookmark, self._next_bookmark + 1
        self._bookmarks[number] = place
        return struct.pack("<I", number)

    def _marked(self, bookmark: bytes) -> Place | None:
        number = int.from_bytes(bookmark, "little") if len(bookmark) == 4 else 0
        if number not in self._bookmarks:
            raise TableError(ec.ecInvalidBookmark)
        return self._bookmarks[number]

    def free_bookmark(self, bookmark: bytes) -> None:
        """RopFreeBookmark (3.2.5.14). Raises ecInvalidBookmark."""
        self._need_columns()
        self._marked(bookmark)
        del self._bookmarks[int.from_bytes(bookmark, "little")]

    def find_row(
        self,
        txn: ReadTxn,
        restriction: Restriction,
        origin: Origin,
        *,
        bookmark: bytes = b"",
        backwards: bool = False,
    ) -> Found:
        """RopFindRow (3.2.5.13): the next row that matches; the cursor moves to it. Raises ecNullObject,
        ecInvalidBookmark, ecNotFound."""
        self._need_columns()
        predicate = compiled(restriction)
        with self._opened(txn) as (_, view):
            if origin is Origin.CUSTOM:
                place = self._marked(bookmark)
            else:
                place = {Origin.BEGINNING: _START, Origin.END: None}.get(origin, self._cursor)
            start = self._position(view, place)
            gone = not self._is_visible(view, place, start)
            order = range(start - 1, -1, -1) if backwards else range(start, len(view.places))
            for at in order:
                candidate = view.places[at]
                header = view.headers.get(candidate)
                record = self._source.find(txn, header.first.id if header else candidate.id)
                if record is None:
                    continue
                get = self._getter(record, candidate, header)
                if predicate(Object(get, record.children)):
                    self._cursor = candidate
                    return Found([_cell(get(tag)) for tag in self._columns], gone)
        raise TableError(ec.ecNotFound)

    # ---- categories

    def expand(self, txn: ReadTxn, category: int, count: int = 0) -> tuple[int, list[list[Cell]]]:
        """RopExpandRow (3.2.5.17): how many rows the category shows now, and up to `count` of them. Raises
        ecNullObject, ecNotFound, ecNotCollapsed."""
        self._need_columns()
        header = self._toggle(txn, category, expanded=False, error=ec.ecNotCollapsed)
        with self._opened(txn) as (_, view):
            shown = self._below(view, header)
            rows = [self._cells(txn, view, place) for place in shown[:count]]
            return len(shown), [cells for cells in rows if cells is not None]

    def collapse(self, txn: ReadTxn, category: int) -> int:
        """RopCollapseRow (3.2.5.18): how many rows went. A cursor on one of them moves to the next row that
        is visible. Raises ecNullObject, ecNotFound, ecNotExpanded."""
        self._need_columns()
        with self._opened(txn) as (_, view):
            header = view.categories.get(category)
            gone = len(self._below(view, header)) if header is not None else 0
        self._toggle(txn, category, expanded=True, error=ec.ecNotExpanded)
        with self._opened(txn) as (_, view):
            self._cursor = self._place_at(view, self._position(view, self._cursor))
        return gone

    def _toggle(self, txn: ReadTxn, category: int, *, expanded: bool, error: int) -> _Header:
        with self._opened(txn) as (_, view):
            header = view.categories.get(category)
        if header is None:
            raise TableError(ec.ecNotFound)
        if header.expanded != expanded:
            raise TableError(error)
        self._toggled ^= {header.place.key}
        self._toggles += 1
        return replace(header, expanded=not expanded)

    @staticmethod
    def _below(view: _View, header: _Header) -> list[Place]:
        """The visible rows of a category."""
        start = bisect_left(view.places, header.place) + 1
        end = start
        depth = len(header.place.key)
        while end < len(view.places) and view.places[end].key[:depth] == header.place.key:
            end += 1
        return view.places[start:end]

    def collapse_state(self, txn: ReadTxn, row_id: int, instance: int) -> bytes:
        """RopGetCollapseState (3.2.5.19): which categories differ from the initial state, and the place of a
        row (0 for none)."""
        self._need_columns()
        with self._opened(txn) as (_, view):
            place = next((p for p in view.places if p.id == row_id and p.instance == instance), None)
            if place is None and row_id in view.categories:
                place = view.categories[row_id].place
        keys = sorted(self._toggled)
        out = [_STATE_MAGIC, struct.pack("<I", len(keys)), *map(_pack_key, keys)]
        if place is not None:
            out += [struct.pack("<Qq", place.id & 0xFFFFFFFFFFFFFFFF, place.instance), _pack_key(place.key)]
        return b"".join(out)

    def set_collapse_state(self, txn: ReadTxn, state: bytes) -> bytes:
        """RopSetCollapseState (3.2.5.20): apply a state; a bookmark of the row that it names, to which the
        cursor moves. Raises ecInvalidParam for a state that is none."""
        self._need_columns()
        try:
            toggled, place = _unpack_state(state)
        except (struct.error, ValueError):
            raise TableError(ec.ecInvalidParam) from None
        self._toggled = toggled
        self._toggles += 1
        with self._opened(txn) as (_, view):
            self._cursor = self._place_at(view, self._position(view, place))
        return self._mark(place)


def _category_id(prefix: tuple[bytes, ...]) -> int:
    """PidTagInstID of a header row: the same for the same category in every session."""
    digest = hashlib.blake2b(_pack_key(prefix), digest_size=8).digest()
    return int.from_bytes(digest, "big") | _CATEGORY


def _pack_key(key: tuple[bytes, ...]) -> bytes:
    return struct.pack("<H", len(key)) + b"".join(struct.pack("<H", len(part)) + part for part in key)


def _unpack_state(state: bytes) -> tuple[set[tuple[bytes, ...]], Place]:
    if state[:4] != _STATE_MAGIC:
        raise ValueError("not a collapse state")
    (count,) = struct.unpack_from("<I", state, 4)
    at = 8
    toggled: set[tuple[bytes, ...]] = set()
    if count > len(state):
        raise ValueError("more categories than bytes")
    for _ in range(count):
        key, at = _unpack_key(state, at)
        toggled.add(key)
    if at == len(state):
        return toggled, _START
    id_, instance = struct.unpack_from("<Qq", state, at)
    key, at = _unpack_key(state, at + 16)
    if at != len(state):
        raise ValueError("bytes after the state")
    return toggled, Place(key, -1 if id_ == 0xFFFFFFFFFFFFFFFF else id_, instance)


def _unpack_key(state: bytes, at: int) -> tuple[tuple[bytes, ...], int]:
    (count,) = struct.unpack_from("<H", state, at)
    at += 2
    parts: list[bytes] = []
    for _ in range(count):
        (length,) = struct.unpack_from("<H", state, at)
        part = state[at + 2 : at + 2 + length]
        if len(part) != length:
            raise ValueError("a key ends early")
        parts.append(part)
        at += 2 + length
    return tuple(parts), at


def _cell(value: Value) -> Cell:
    """A value as a row shows it: cut to 510 bytes, missing ones as an error."""
    if value is None:
        return PropertyError(ec.ecNotFound)
    if isinstance(value, str):
        return value[: MAX_VALUE // 2]
    if isinstance(value, bytes):
        return value[:MAX_VALUE]
    return value
