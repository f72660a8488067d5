"""One client's table: columns, cursor, bookmarks, expanded and collapsed categories (MS-OXCTABL 3.2.5).

Invariants:
- A cursor or bookmark is a place (sort key, id, instance), never a row number: rows that come and go before
  it do not move it. Sorting, restricting and resetting void all bookmarks and put the cursor at the start.
- Header rows stand before their rows: their place is the prefix of their rows' keys.
- Nothing here is asynchronous: operations are complete when they return (TBLSTAT_COMPLETE).

Each operation takes a snapshot, brings the shared arrangement up to it and works under its lock; tables over
big folders belong into a reader thread. Errors are `TableError` with the code of MS-OXCDATA 2.4.
"""

import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from enum import IntEnum
from itertools import islice
from typing import NamedTuple

from appliance.mapi import errors as ec
from appliance.mapi import tags
from appliance.mapi import types as t
from appliance.mapi.ids import from_int64
from appliance.mapi.restrictions import Restriction
from appliance.mapi.rows import Cell, write_row
from appliance.mapi.sorts import SortOrder, SortOrderSet
from appliance.mapi.values import Form, rop_form
from appliance.store.kv import ReadTxn
from appliance.store.tables import sortkeys
from appliance.store.tables.arrangement import Arrangements, Definition
from appliance.store.tables.reading import Reading
from appliance.store.tables.source import Source
from appliance.store.tables.visible import (
    START,
    Categorized,
    Flat,
    Header,
    Kept,
    Place,
    Visible,
    kept_order,
    pack_state,
    unpack_state,
)
from appliance.store.views import Order
from appliance.wire.cursor import Writer

MAX_BOOKMARKS = 1000
MAX_COLUMNS = 1000
MAX_ROW = 0x7FFF
"""Bytes of one row on the wire, at most."""

SAMPLED = 500
"""Rows whose properties RopQueryColumnsAll tells."""


_COLUMN_TYPES = frozenset(rop_form().readers) - {t.PtypUnspecified, t.PtypNull, t.PtypErrorCode}
"""Types that a column may have (3.2.5.2)."""


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


class Found(NamedTuple):
    """What FindRow gives: the row's cells, and whether the bookmark's row was no longer visible."""

    cells: list[Cell]
    row_no_longer_visible: bool


class Located(NamedTuple):
    """A row that is shown: its bytes as a property row, and the place of the row before it."""

    row: bytes
    previous: Place | None


class Table:
    """A table over a source. Not thread-safe itself."""

    def __init__(self, source: Source, shared: Arrangements) -> None:
        self._source, self._shared = source, shared
        self._definition = Definition()
        self._columns: tuple[int, ...] = ()
        self._cursor: Place | None = START  # None: behind the last row
        self._bookmarks: dict[int, Place | None] = {}
        self._next_bookmark = 1
        self._toggled: set[bytes] = set()
        self._toggles = 0
        self._view: tuple[tuple[int, int], Categorized] | None = None

    # ---- definition

    def set_columns(self, columns: Sequence[int]) -> None:
        """RopSetColumns (3.2.5.2). Raises ecInvalidParam."""
        self._columns = ()  # what fails leaves none (3.2.5.2)
        if not columns or len(columns) > MAX_COLUMNS:
            raise TableError(ec.ecInvalidParam)
        if not all(map(_is_column, columns)):
            raise TableError(ec.ecInvalidParam)
        self._columns = tuple(columns)
        self._define(self._definition.sort, self._definition.restriction)

    def columns_all(self, txn: ReadTxn) -> list[int]:
        """RopQueryColumnsAll (3.2.5.16): every column that the table may show, ascending: what the table says
        itself and what its first SAMPLED rows have."""
        found = {tags.PidTagInstanceNum, tags.PidTagRowType, tags.PidTagDepth}
        found |= {tags.PidTagContentCount, tags.PidTagContentUnreadCount}
        found |= self._source.own_tags
        for record in islice(self._source.records(txn), SAMPLED):
            found.update(record.tags())
        return sorted(filter(_is_column, found))

    def sort(self, orders: SortOrderSet) -> None:
        """RopSortTable (3.2.5.3). Raises ecInvalidParam for orders that contradict each other."""
        if orders.problem() is not None or not all(_is_column(order.tag) for order in orders.orders):
            raise TableError(ec.ecInvalidParam)
        named = tuple(SortOrder(t.unicode_tag(order.tag), order.direction) for order in orders.orders)
        orders = replace(orders, orders=named)
        self._define(orders, self._definition.restriction)
        self._toggled.clear()
        self._restart()

    def restrict(self, restriction: Restriction | None) -> None:
        """RopRestrict (3.2.5.4); None takes the restriction away."""
        self._define(self._definition.sort, restriction)
        self._restart()

    def show(self, source: Source) -> None:
        """Take the rows from another source: one that has every row of the old that the table may show."""
        self._source = source
        self._restart()

    def reset(self) -> None:
        """RopResetTable (3.2.5.15): columns, sort order, restriction, bookmarks and cursor as at first."""
        self._columns = ()
        self._define(SortOrderSet(), None)
        self._toggled.clear()
        self._restart()

    def _define(self, sort: SortOrderSet, restriction: Restriction | None) -> None:
        by_value = [order.tag for order in sort.orders if order.by_instance]
        by_value += [t.unicode_tag(tag) for tag in self._columns if tag & t.MULTIPLE_INSTANCE_FLAG]
        self._definition = Definition(restriction, sort, by_value[0] if by_value else 0)
        self._view = None

    @property
    def _reading(self) -> Reading:
        return Reading(self._source, self._columns, self._definition)

    def _restart(self) -> None:
        self._bookmarks.clear()
        self._cursor = START
        self._toggles += 1

    # ---- the visible rows

    @property
    def wanted_order(self) -> Order | None:
        """The order that the store could keep for this table (`views.Builder`): then it needs no array."""
        found = kept_order(self._definition.sort)
        plain = self._definition.restriction is None and not self._definition.instances
        return found[0] if found is not None and plain else None

    @property
    def order_used(self) -> int | None:
        """When the kept order of this table was noted as used (FILETIME); None when it has none."""
        order = self.wanted_order
        return None if order is None else self._shared.last_use(self._source, order)

    @property
    def is_ready(self) -> bool:
        """Whether the next operation finds its rows in order, and so is quick."""
        return self._shared.is_ready(self._source, self._definition, self.wanted_order)

    def _kept(self, txn: ReadTxn) -> Kept | None:
        """The rows from a kept order, if one serves."""
        found = kept_order(self._definition.sort)
        if found is None or self.wanted_order is None:
            return None
        view = self._shared.view(txn, self._source, found[0])
        return Kept(view, *found) if view is not None else None

    @contextmanager
    def _opened(self, txn: ReadTxn) -> Iterator[Visible]:
        kept = self._kept(txn)
        lock, arrangement = (
            self._shared.get(self._source, self._definition) if kept is None else (nullcontext(), None)
        )
        with lock:
            if kept is not None:
                yield kept
                return
            assert arrangement is not None
            arrangement.advance(txn)
            if not arrangement.levels:
                yield Flat(arrangement.leaves)
                return
            stamp = (arrangement.generation, self._toggles)
            if self._view is None or self._view[0] != stamp:
                sort = self._definition.sort
                made = Categorized(arrangement.leaves, sort, arrangement.levels, self._toggled)
                self._view = stamp, made
            yield self._view[1]

    @staticmethod
    def _position(view: Visible, place: Place | None) -> int:
        return view.count if place is None else view.position(place)

    @staticmethod
    def _place_at(view: Visible, position: int) -> Place | None:
        if position >= view.count and position > 0:
            return None
        places = view.range(max(position, 0), max(position, 0) + 1)
        return places[0] if places else START

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
        with self._opened(txn) as view:
            at, places, end = self._page(view, count, forward)
            rows: list[list[Cell]] = []
            for place in places:
                cells = self._reading.cells(txn, view, place)
                if cells is not None:
                    if not fits(cells):
                        if not rows:
                            raise TableError(ec.ecBufferTooSmall)
                        break
                    rows.append(cells)
                at += 1 if forward else -1
            if advance:
                self._cursor = self._place_at(view, at)
            edge = Origin.END if forward else Origin.BEGINNING
            return (rows if forward else rows[::-1]), edge if at == end else Origin.CURRENT

    def _page(self, view: Visible, count: int, forward: bool) -> tuple[int, list[Place], int]:
        """Where the cursor is, up to `count` places from it, the nearest first, and where the table ends."""
        at = self._position(view, self._cursor)
        if forward:
            return at, view.range(at, at + count), view.count
        return at, view.range(max(0, at - count), at)[::-1], 0

    def pack_rows(
        self, txn: ReadTxn, count: int, limit: int, form: Form, *, forward: bool = True, advance: bool = True
    ) -> tuple[bytes, int, Origin]:
        """As `query_rows`, as property rows on the wire (MS-OXCDATA 2.8.1) of at most `limit` bytes together:
        the bytes, how many rows they are, the Origin. Raises ecNullObject and ecBufferTooSmall."""
        self._need_columns()
        with self._opened(txn) as view:
            most = limit // (1 + len(self._columns)) + 1  # every cell takes a byte at least
            at, places, end = self._page(view, min(count, most), forward)
            packed: list[bytes] = []
            left, taken, rows = limit, 0, 0
            for size, data in self._reading.packed_rows(txn, view, places, form, forward, limit):
                if len(data) > left:
                    if not rows:
                        raise TableError(ec.ecBufferTooSmall)
                    break
                packed.append(data)
                left -= len(data)
                taken += max(size, 1)
                rows += size
            at += taken if forward else -taken
            if advance:
                self._cursor = self._place_at(view, at)
            edge = Origin.END if forward else Origin.BEGINNING
            data = b"".join(packed if forward else packed[::-1])
            return data, rows, edge if at == end else Origin.CURRENT

    def pack_cells(self, cells: Sequence[Cell], form: Form) -> bytes:
        """A row of this table on the wire (MS-OXCDATA 2.8.1)."""
        writer = Writer()
        write_row(writer, self._columns, cells, form)
        return writer.getvalue()

    def query_position(self, txn: ReadTxn) -> tuple[int, int]:
        """RopQueryPosition (3.2.5.8): the cursor's row number from 0, and how many rows there are."""
        with self._opened(txn) as view:
            return self._position(view, self._cursor), view.count

    def seek(self, txn: ReadTxn, origin: Origin, rows: int) -> int:
        """RopSeekRow (3.2.5.9): move from a predefined bookmark; how far it went (negative backwards)."""
        with self._opened(txn) as view:
            start = {Origin.BEGINNING: 0, Origin.END: view.count}.get(origin)
            return self._move(view, self._position(view, self._cursor) if start is None else start, rows)

    def seek_bookmark(self, txn: ReadTxn, bookmark: bytes, rows: int) -> tuple[int, bool]:
        """RopSeekRowBookmark (3.2.5.10): how far it went, and whether the bookmark's row is no longer
        visible. Raises ecInvalidBookmark."""
        self._need_columns()
        place = self._marked(bookmark)
        with self._opened(txn) as view:
            start = self._position(view, place)
            return self._move(view, start, rows), not self._is_visible(view, place, start)

    def seek_fraction(self, txn: ReadTxn, numerator: int, denominator: int) -> None:
        """RopSeekRowFractional (3.2.5.11). Raises ecInvalidBookmark for a denominator of 0."""
        if denominator == 0:
            raise TableError(ec.ecInvalidBookmark)
        with self._opened(txn) as view:
            total = view.count
            self._cursor = self._place_at(view, min(total, total * numerator // denominator))

    def _move(self, view: Visible, start: int, rows: int) -> int:
        target = min(max(start + rows, 0), view.count)
        self._cursor = self._place_at(view, target)
        return target - start

    @staticmethod
    def _is_visible(view: Visible, place: Place | None, position: int) -> bool:
        return place is None or place == START or view.range(position, position + 1) == [place]

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
        with self._opened(txn) as view:
            if origin is Origin.CUSTOM:
                place = self._marked(bookmark)
            else:
                place = {Origin.BEGINNING: START, Origin.END: None}.get(origin, self._cursor)
            start = self._position(view, place)
            gone = not self._is_visible(view, place, start)
            low, high = (0, start) if backwards else (start, view.count)
            first, last = self._reading.bounds(view, restriction)
            low, high = max(low, first), min(high, last)
            for candidate in self._reading.matching(txn, view, restriction, low, high, backwards):
                cells = self._reading.cells(txn, view, candidate)
                if cells is not None:
                    self._cursor = candidate
                    return Found(cells, gone)
        raise TableError(ec.ecNotFound)

    @property
    def is_plain(self) -> bool:
        """Whether it has columns and shows no row of its source twice: without categories and rows for each
        value."""
        definition = self._definition
        return bool(self._columns) and not definition.instances and not definition.sort.categorized

    @property
    def is_restricted(self) -> bool:
        """Whether a restriction may hide rows of its source."""
        return self._definition.restriction is not None

    def locate(self, txn: ReadTxn, id_: int, form: Form) -> Located | None:
        """The row of an object as it is shown now, None for one that is not shown. Raises ecNullObject."""
        self._need_columns()
        with self._opened(txn) as view:
            place = self._place_of(txn, view, id_)
            if place is None:
                return None
            row = b"".join(
                data for _, data in self._reading.packed_rows(txn, view, [place], form, True, MAX_ROW)
            )
            at = view.position(place)
            before = view.range(at - 1, at) if at else []
            return Located(row, before[0] if before else None)

    def _place_of(self, txn: ReadTxn, view: Visible, id_: int) -> Place | None:
        found = kept_order(self._definition.sort)
        if not isinstance(view, Kept) or found is None:
            return view.find(id_, 0)
        # An order that the store keeps is found by key alone.
        record, (order,) = self._source.find(txn, id_), self._definition.sort.orders
        if record is None:
            return None
        place = Place(sortkeys.part(record.get(order.tag), order.direction), id_, 0)
        at = view.position(place)
        return place if view.range(at, at + 1) == [place] else None

    # ---- categories

    def expand(self, txn: ReadTxn, category: int, count: int = 0) -> tuple[int, list[list[Cell]]]:
        """RopExpandRow (3.2.5.17): how many rows the category shows now, and up to `count` of them. Raises
        ecNullObject, ecNotFound, ecNotCollapsed."""
        self._need_columns()
        header = self._toggle(txn, category, expanded=False, error=ec.ecNotCollapsed)
        with self._opened(txn) as view:
            shown = self._below(view, header)
            places = view.range(shown.start, min(shown.stop, shown.start + count))
            rows = [self._reading.cells(txn, view, place) for place in places]
            return len(shown), [cells for cells in rows if cells is not None]

    def collapse(self, txn: ReadTxn, category: int) -> int:
        """RopCollapseRow (3.2.5.18): how many rows went. A cursor on one of them moves to the next row that
        is visible. Raises ecNullObject, ecNotFound, ecNotExpanded."""
        self._need_columns()
        with self._opened(txn) as view:
            header = view.categories.get(category)
            gone = len(self._below(view, header)) if header is not None else 0
        self._toggle(txn, category, expanded=True, error=ec.ecNotExpanded)
        with self._opened(txn) as view:
            self._cursor = self._place_at(view, self._position(view, self._cursor))
        return gone

    def _toggle(self, txn: ReadTxn, category: int, *, expanded: bool, error: int) -> Header:
        with self._opened(txn) as view:
            header = view.categories.get(category)
        if header is None:
            raise TableError(ec.ecNotFound)
        if header.expanded != expanded:
            raise TableError(error)
        self._toggled ^= {header.place.key}
        self._toggles += 1
        return replace(header, expanded=not expanded)

    @staticmethod
    def _below(view: Visible, header: Header) -> range:
        """The positions of the visible rows of a category."""
        key = header.place.key
        start = view.position(header.place) + 1
        return range(start, max(start, view.position(Place(sortkeys.after(key), -2, 0))))

    def collapse_state(self, txn: ReadTxn, row_id: int, instance: int) -> bytes:
        """RopGetCollapseState (3.2.5.19): which categories differ from the initial state, and the place of
        the row with that PidTagInstID and PidTagInstanceNum (0 for none)."""
        self._need_columns()
        with self._opened(txn) as view:
            place = view.find(from_int64(row_id), instance)
            if place is None and row_id in view.categories:
                place = view.categories[row_id].place
        return pack_state(self._toggled, place)

    def set_collapse_state(self, txn: ReadTxn, state: bytes) -> bytes:
        """RopSetCollapseState (3.2.5.20): apply a state; a bookmark of the row that it names, to which the
        cursor moves. Raises ecInvalidParam for a state that is none."""
        self._need_columns()
        try:
            toggled, place = unpack_state(state)
        except (struct.error, ValueError):
            raise TableError(ec.ecInvalidParam) from None
        self._toggled = toggled
        self._toggles += 1
        with self._opened(txn) as view:
            self._cursor = self._place_at(view, self._position(view, place))
        return self._mark(place)


def _is_column(tag: int) -> bool:
    """Whether a tag may be a column: a type that rows can hold, instances only of multi-values."""
    kind = tag & 0xFFFF & ~t.MULTIPLE_INSTANCE_FLAG
    return kind in _COLUMN_TYPES and bool(kind & t.MULTIPLE_FLAG or not tag & t.MULTIPLE_INSTANCE_FLAG)
