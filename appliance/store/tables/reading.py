"""The rows of a table, read: cells, property rows on the wire, rows that match a restriction.

Nothing here changes: a `Reading` is what a table is at the moment (its source, columns and definition). Rows
that stand in `contents` are read by the C of native/rows; what it asks about, header rows and multi-value
instances are read here.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import IntEnum

from appliance.mapi import errors as ec
from appliance.mapi import restrictions as r
from appliance.mapi import tags
from appliance.mapi import types as t
from appliance.mapi.matching import Object, Predicate, compiled
from appliance.mapi.restrictions import Restriction
from appliance.mapi.rows import Cell, PropertyError, write_row
from appliance.mapi.sorts import Direction
from appliance.mapi.types import Value
from appliance.mapi.values import Form
from appliance.store.kv import ReadTxn
from appliance.store.tables import scan, sortkeys
from appliance.store.tables.arrangement import Definition
from appliance.store.tables.scan import Slots
from appliance.store.tables.source import Record, Source
from appliance.store.tables.visible import LAST_ID, Header, Place, Visible
from appliance.wire.cursor import Writer

MAX_VALUE = 510
"""Bytes of a value in a row; longer ones are cut (MS-OXCTABL 2.2.2.5.2)."""

FIND_STEP = 256
"""Rows that FindRow looks at together."""

_ORDERED = frozenset((t.PtypInteger16, t.PtypInteger32, t.PtypInteger64, t.PtypCurrency, t.PtypTime))


class RowType(IntEnum):
    """PidTagRowType (2.2.1.3)."""

    LEAF = 1
    EMPTY_CATEGORY = 2
    EXPANDED_CATEGORY = 3
    COLLAPSED_CATEGORY = 4


@dataclass(frozen=True, slots=True)
class Reading:
    """What rows of a table are read by."""

    source: Source
    columns: tuple[int, ...]
    definition: Definition

    def cells(self, txn: ReadTxn, view: Visible, place: Place) -> list[Cell] | None:
        """The row at a place; None when its object is gone from the snapshot."""
        header = view.headers.get(place)
        record = self.source.find(txn, header.first.id if header else place.id)
        if record is None:
            return None
        get = self._getter(record, place, header)
        return [cell_of(get(tag)) for tag in self.columns]

    def _getter(self, record: Record, place: Place, header: Header | None) -> Callable[[int], Value]:
        fixed = self._fixed(header)
        shown: set[int] = set()
        if header is not None:
            orders = self.definition.sort.orders[: header.depth + 1]
            shown = {order.tag & ~t.MULTIPLE_INSTANCE_FLAG for order in orders}
        else:
            fixed[tags.PidTagInstanceNum] = place.instance
        instance = header.first.instance if header is not None else place.instance

        def get(tag: int) -> Value:
            if tag in fixed:
                return fixed[tag]
            plain = t.unicode_tag(tag & ~t.MULTIPLE_INSTANCE_FLAG)
            if header is not None and plain not in shown:
                return None
            value = record.get(plain)
            if tag & t.MULTIPLE_INSTANCE_FLAG and isinstance(value, tuple):
                return value[instance] if instance < len(value) else None
            return value

        return get

    def _fixed(self, header: Header | None) -> dict[int, Value]:
        """What the table itself says about a row."""
        if header is None:
            fixed: dict[int, Value] = {tags.PidTagInstanceNum: 0, tags.PidTagRowType: int(RowType.LEAF)}
            if self.definition.sort.categorized or not self.source.has_depth:
                fixed[tags.PidTagDepth] = self.definition.sort.categorized
            return fixed
        kind = RowType.EXPANDED_CATEGORY if header.expanded else RowType.COLLAPSED_CATEGORY
        return {
            tags.PidTagInstID: header.category,
            tags.PidTagInstanceNum: 0,
            tags.PidTagRowType: int(kind),
            tags.PidTagDepth: header.depth,
            tags.PidTagContentCount: header.count,
            tags.PidTagContentUnreadCount: header.unread,
        }

    def packed_rows(
        self, txn: ReadTxn, view: Visible, places: list[Place], form: Form, forward: bool, limit: int
    ) -> Iterator[tuple[int, bytes]]:
        """Pieces of the answer: how many rows (0 for one whose object is gone) and their bytes. What stands
        in `contents` is packed by the C, forwards many rows at once; what it asks about, and every other
        row, here."""
        slots = Slots(self._fixed(None), self.source.asked(txn))
        columns = scan.row_columns(self.columns, slots)
        in_c = form.count == 2 and not form.has_value and not view.headers and not self.definition.instances
        in_c = in_c and not any(t.element_type(t.type_of(tag)) == t.PtypString8 for tag in self.columns)
        at = 0
        while at < len(places):
            size = scan.BATCH if forward else 1
            chunk = places[at : at + size]
            batches = (
                self.source.batches(txn, [place.id for place in chunk], cold=slots.cold) if in_c else None
            )
            batch = next(batches, None) if batches is not None else None
            if batch is not None and len(batch.ids) == len(chunk):
                start = 0
                while start < len(chunk):
                    data, stop, full = scan.pack_rows(batch, slots, columns, start, limit)
                    if stop > start:
                        limit -= len(data)
                        yield stop - start, data
                    if stop < len(chunk):
                        row = self._packed_row(txn, view, chunk[stop], form)
                        limit -= len(row or b"") if not full else 0
                        yield (1, row) if row is not None else (0, b"")
                    start = stop + 1
            else:
                for place in chunk:
                    row = self._packed_row(txn, view, place, form)
                    yield (1, row) if row is not None else (0, b"")
            at += len(chunk)

    def _packed_row(self, txn: ReadTxn, view: Visible, place: Place, form: Form) -> bytes | None:
        cells = self.cells(txn, view, place)
        if cells is None:
            return None
        writer = Writer()
        write_row(writer, self.columns, cells, form)
        return writer.getvalue()

    def bounds(self, view: Visible, restriction: Restriction) -> tuple[int, int]:
        """Between which positions a match must be: for a restriction on the sort column of a table without
        categories, where the order tells."""
        orders = self.definition.sort.orders
        if not isinstance(restriction, r.Property) or not orders or view.headers:
            return 0, view.count
        order, value = orders[0], restriction.value
        same = order.tag == restriction.tag and order.direction in (Direction.ASCENDING, Direction.DESCENDING)
        numbers = isinstance(value, int) and abs(value) < 1 << 62 and t.type_of(order.tag) in _ORDERED
        text = isinstance(value, str) and t.type_of(order.tag) == t.PtypString
        if not same or not (numbers or (text and restriction.operator == r.RelOp.EQ)):
            return 0, view.count
        key = sortkeys.part(value, order.direction)
        first = view.position(Place(key, -1, 0))
        last = view.position(Place(key, LAST_ID, 0))
        backwards = order.direction == Direction.DESCENDING
        match restriction.operator:
            case r.RelOp.EQ:
                return first, last
            case r.RelOp.GE:
                return (0, last) if backwards else (first, view.count)
            case r.RelOp.GT:
                return (0, first) if backwards else (last, view.count)
            case r.RelOp.LE:
                return (first, view.count) if backwards else (0, last)
            case r.RelOp.LT:
                return (last, view.count) if backwards else (0, first)
        return 0, view.count

    def matching(
        self, txn: ReadTxn, view: Visible, restriction: Restriction, low: int, high: int, backwards: bool
    ) -> Iterator[Place]:
        """The matching places of a range of positions, in the direction of the search."""
        predicate = compiled(restriction)
        slots = Slots(self._fixed(None), self.source.asked(txn))
        program = scan.program(restriction, slots)
        in_c = not view.headers and not self.definition.instances
        step = 8  # what is sought is mostly near: small steps first
        while low < high:
            if backwards:
                places = view.range(max(low, high - step), high)[::-1]
                high -= step
            else:
                places = view.range(low, min(high, low + step))
                low += step
            batches = (
                self.source.batches(txn, [place.id for place in places], cold=slots.cold) if in_c else None
            )
            batch = next(batches, None) if batches is not None else None
            verdicts = bytes([scan.ASK]) * len(places)
            if batch is not None and len(batch.ids) == len(places):
                verdicts = scan.select(batch, slots, program)
            for place, verdict in zip(places, verdicts, strict=True):
                if verdict == scan.YES or (verdict == scan.ASK and self._holds(txn, view, place, predicate)):
                    yield place
            step = min(2 * step, FIND_STEP)

    def _holds(self, txn: ReadTxn, view: Visible, place: Place, predicate: Predicate) -> bool:
        header = view.headers.get(place)
        record = self.source.find(txn, header.first.id if header else place.id)
        return record is not None and predicate(Object(self._getter(record, place, header), record.children))


def cell_of(value: Value) -> Cell:
    """A value as a row shows it: cut to 510 bytes, missing ones as an error."""
    if value is None:
        return PropertyError(ec.ecNotFound)
    if isinstance(value, str):
        return value[: MAX_VALUE // 2]
    if isinstance(value, bytes):
        return value[:MAX_VALUE]
    return value
