"""The rows that a table shows, in order: where a place stands and what stands at a position.

A place is (sort key, id, instance); places compare as rows do. A header row's place is the prefix of its
rows' keys with the id -1, so that it stands before them. Rows come from an arrangement's packed array
(`Flat`, `Categorized`) or straight from an order that the store keeps (`Kept`), where every operation costs
O(log n).
"""

import hashlib
import struct
from array import array
from bisect import bisect_right
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from appliance.mapi import tags
from appliance.mapi.sorts import Direction, SortOrderSet
from appliance.store.tables import sortkeys
from appliance.store.tables._native import Leaves
from appliance.store.views import TEXT_ORDERS, Entry, Order, View

_CATEGORY = 1 << 63
LAST_ID = (1 << 64) - 1
"""Id of a place behind every row of its key."""


class Place(NamedTuple):
    """Where a row stands; places compare as rows do. A header has id -1 and a shorter key."""

    key: bytes
    id: int
    instance: int


START = Place(b"", -2, 0)


@dataclass(frozen=True, slots=True)
class Header:
    """A category row. `first` is its first data row."""

    place: Place
    category: int
    depth: int
    first: Place
    count: int
    unread: int
    expanded: bool


class Visible(Protocol):
    """The rows of a table in one snapshot."""

    @property
    def count(self) -> int:
        """How many there are."""

    def position(self, place: Place) -> int:
        """How many stand before a place, whether it is there or not."""

    def range(self, start: int, stop: int) -> list[Place]:
        """The places from one position to another."""

    def find(self, id_: int, instance: int) -> Place | None:
        """A data row's place, None when it is not shown."""

    @property
    def headers(self) -> Mapping[Place, Header]:
        """Category rows that are shown, by place."""

    @property
    def categories(self) -> Mapping[int, Header]:
        """The same by PidTagInstID."""


class Flat:
    """Every row of an arrangement."""

    headers: Mapping[Place, Header]
    categories: Mapping[int, Header]

    def __init__(self, leaves: Leaves) -> None:
        self._leaves = leaves
        self.count = len(leaves)
        self.headers, self.categories = {}, {}

    def position(self, place: Place) -> int:
        """As `Visible`."""
        return self._leaves.position(*place)

    def range(self, start: int, stop: int) -> list[Place]:
        """As `Visible`."""
        return [Place(*leaf) for leaf in self._leaves.range(start, stop)]

    def find(self, id_: int, instance: int) -> Place | None:
        """As `Visible`."""
        at = self._leaves.find(id_, instance)
        return self.range(at, at + 1)[0] if at >= 0 else None


class Categorized:
    """Header rows and the rows of expanded categories. The runs of rows stay in the array: what is made here
    grows with the categories shown, not with their rows."""

    def __init__(self, leaves: Leaves, sort: SortOrderSet, levels: int, toggled: Collection[bytes]) -> None:
        """`toggled` are the keys of categories that are not as `sort` has them at first."""
        self._leaves, self._sort, self._levels, self._toggled = leaves, sort, levels, toggled
        self.headers: dict[Place, Header] = {}
        self.categories: dict[int, Header] = {}
        self._starts: list[int] = []
        self._firsts: list[Place] = []
        self._runs: list[tuple[int, int] | None] = []
        self.count = 0
        self._add(0, 0, len(leaves))

    def _add(self, depth: int, start: int, stop: int) -> None:
        """The categories of one depth among the leaves from `start` to `stop`."""
        raw_starts, raw_unread = self._leaves.groups(depth, start, stop)
        starts, unread = array("I", raw_starts), array("I", raw_unread)
        for at, (begin, new) in enumerate(zip(starts, unread, strict=True)):
            end = starts[at + 1] if at + 1 < len(starts) else stop
            key = self._leaves.prefix(begin, depth)
            expanded = (depth < self._sort.expanded) != (key in self._toggled)
            first = Place(*self._leaves.range(begin, begin + 1)[0])
            header = Header(Place(key, -1, depth), category_id(key), depth, first, end - begin, new, expanded)
            self.headers[header.place] = self.categories[header.category] = header
            self._segment(header.place, None, 1)
            if not expanded:
                continue
            if depth + 1 < self._levels:
                self._add(depth + 1, begin, end)
            else:
                self._segment(first, (begin, end), end - begin)

    def _segment(self, first: Place, run: tuple[int, int] | None, size: int) -> None:
        self._starts.append(self.count)
        self._firsts.append(first)
        self._runs.append(run)
        self.count += size

    def position(self, place: Place) -> int:
        """As `Visible`."""
        at = bisect_right(self._firsts, place) - 1
        if at < 0:
            return 0
        run = self._runs[at]
        if run is None:
            return self._starts[at] + (place > self._firsts[at])
        return self._starts[at] + min(self._leaves.position(*place), run[1]) - run[0]

    def range(self, start: int, stop: int) -> list[Place]:
        """As `Visible`."""
        places: list[Place] = []
        stop = min(stop, self.count)
        at = bisect_right(self._starts, start) - 1
        while start < stop:
            run = self._runs[at]
            if run is None:
                places.append(self._firsts[at])
                start += 1
            else:
                begin = run[0] + start - self._starts[at]
                end = min(run[1], begin + stop - start)
                places += [Place(*leaf) for leaf in self._leaves.range(begin, end)]
                start += end - begin
            at += 1
        return places

    def find(self, id_: int, instance: int) -> Place | None:
        """As `Visible`."""
        at = self._leaves.find(id_, instance)
        if at < 0:
            return None
        place = Place(*self._leaves.range(at, at + 1)[0])
        shown = self.position(place)
        return place if self.range(shown, shown + 1) == [place] else None


_KEPT: dict[int, Order] = {
    tags.PidTagMessageDeliveryTime: Order.RECEIVED,
    tags.PidTagLastModificationTime: Order.MODIFIED,
    tags.PidTagNormalizedSubject: Order.SUBJECT,
    tags.PidTagSentRepresentingName: Order.SENDER,
    tags.PidTagMessageSize: Order.SIZE,
    tags.PidTagMessageSizeExtended: Order.SIZE,
}


def kept_order(sort: SortOrderSet) -> tuple[Order, Direction] | None:
    """The order that the store may keep for a sort order, None for those that it never keeps."""
    if len(sort.orders) != 1 or sort.categorized:
        return None
    (order,) = sort.orders
    kept = _KEPT.get(order.tag)
    if kept is None or order.direction == Direction.MAXIMUM_CATEGORY:
        return None
    return kept, order.direction


class Kept:
    """The rows of an order that the store keeps. Keys are those of arrangements, so that cursors and
    bookmarks stay good when an order is made or dropped."""

    def __init__(self, view: View, order: Order, direction: Direction) -> None:
        self._view, self._text = view, order in TEXT_ORDERS
        self._direction, self._backwards = direction, direction == Direction.DESCENDING
        self.count = view.count
        self.headers: dict[Place, Header] = {}
        self.categories: dict[int, Header] = {}

    def position(self, place: Place) -> int:
        """As `Visible`."""
        if place == START:
            return 0
        key = sortkeys.kept_key(place.key, self._direction, text=self._text)
        if not self._backwards:
            return self._view.position(Entry(key, max(place.id, 0)))
        # before it stand the entries that are greater
        after = 0 if place.id == LAST_ID else place.id + 1 if place.id >= 0 else LAST_ID
        return self.count - self._view.position(Entry(key, after))

    def range(self, start: int, stop: int) -> list[Place]:
        """As `Visible`."""
        start, stop = max(start, 0), min(stop, self.count)
        if start >= stop:
            return []
        if self._backwards:
            entries = self._view.range(self.count - stop, stop - start)[::-1]
        else:
            entries = self._view.range(start, stop - start)
        return [
            Place(sortkeys.from_kept(entry.key, self._direction, text=self._text), entry.mid, 0)
            for entry in entries
        ]

    def find(self, id_: int, instance: int) -> Place | None:
        """As `Visible`: looks through the order."""
        for at in range(0, self.count, 1000):
            for place in self.range(at, at + 1000):
                if place.id == id_ and place.instance == instance:
                    return place
        return None


def category_id(key: bytes) -> int:
    """PidTagInstID of a header row: the same for the same category in every session."""
    digest = hashlib.blake2b(key, digest_size=8).digest()
    return int.from_bytes(digest, "big") | _CATEGORY


_STATE_MAGIC = b"TCS2"
_MAX_STATE_KEY = 1 << 16


def pack_state(toggled: Collection[bytes], place: Place | None) -> bytes:
    """The collapse state (MS-OXCTABL 2.2.2.18.2): the categories that are not as at first, and a place."""
    out = [_STATE_MAGIC, struct.pack("<I", len(toggled)), *map(_pack_key, sorted(toggled))]
    if place is not None:
        out += [struct.pack("<Qq", place.id & LAST_ID, place.instance), _pack_key(place.key)]
    return b"".join(out)


def unpack_state(state: bytes) -> tuple[set[bytes], Place]:
    """What `pack_state` packed. Raises ValueError and struct.error."""
    if state[:4] != _STATE_MAGIC:
        raise ValueError("not a collapse state")
    (count,) = struct.unpack_from("<I", state, 4)
    at = 8
    toggled: set[bytes] = set()
    if count > len(state):
        raise ValueError("more categories than bytes")
    for _ in range(count):
        key, at = _unpack_key(state, at)
        toggled.add(key)
    if at == len(state):
        return toggled, START
    id_, instance = struct.unpack_from("<Qq", state, at)
    key, at = _unpack_key(state, at + 16)
    if at != len(state):
        raise ValueError("bytes after the state")
    return toggled, Place(key, -1 if id_ == LAST_ID else id_, instance)


def _pack_key(key: bytes) -> bytes:
    return struct.pack("<I", len(key)) + key


def _unpack_key(state: bytes, at: int) -> tuple[bytes, int]:
    (length,) = struct.unpack_from("<I", state, at)
    key = state[at + 4 : at + 4 + length]
    if len(key) != length or length > _MAX_STATE_KEY:
        raise ValueError("a key ends early")
    return key, at + 4 + length
