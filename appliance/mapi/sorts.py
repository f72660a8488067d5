"""Sort orders (MS-OXCDATA 2.13): the columns that a table is sorted by, some of them categories.

A SortOrderSet puts its categories first: the first `categorized` orders make header rows, the first
`expanded` of those start expanded. A maximum-category order follows the category that it orders by its
largest or smallest member (2.13.1). Counts that contradict each other are refused.
"""

from dataclasses import dataclass
from enum import IntEnum

from appliance.mapi import types as t
from appliance.wire.cursor import Reader, Writer
from appliance.wire.errors import DecodeError, EncodeError

MAX_SORT_ORDERS = 64


class Direction(IntEnum):
    """The Order of a SortOrder (2.13.1)."""

    ASCENDING = 0x00
    DESCENDING = 0x01
    MAXIMUM_CATEGORY = 0x04


@dataclass(frozen=True, slots=True)
class SortOrder:
    """SortOrder (2.13.1): a column and its direction."""

    tag: int
    direction: Direction = Direction.ASCENDING

    @property
    def by_instance(self) -> bool:
        """Whether a multi-valued column sorts with one row for each of its values."""
        return bool(self.tag & t.MULTIPLE_INSTANCE_FLAG)


@dataclass(frozen=True, slots=True)
class SortOrderSet:
    """SortOrderSet (2.13.2)."""

    orders: tuple[SortOrder, ...] = ()
    categorized: int = 0
    expanded: int = 0

    def problem(self) -> str | None:
        """What contradicts 2.13.2, or None."""
        if len(self.orders) > MAX_SORT_ORDERS:
            return f"{len(self.orders)} sort orders, at most {MAX_SORT_ORDERS}"
        if not 0 <= self.categorized <= len(self.orders):
            return f"{self.categorized} categories among {len(self.orders)} sort orders"
        if not 0 <= self.expanded <= self.categorized:
            return f"{self.expanded} expanded of {self.categorized} categories"
        return None

    @classmethod
    def decode(cls, reader: Reader) -> "SortOrderSet":
        """Takes counts and orders."""
        at = reader.pos
        count = reader.count(2, 0, "sort order count", MAX_SORT_ORDERS)
        categorized, expanded = reader.u16("categorized count"), reader.u16("expanded count")
        made = cls(tuple(_read_order(reader) for _ in range(count)), categorized, expanded)
        problem = made.problem()
        if problem is not None:
            raise DecodeError(problem, at)
        return made

    def encode(self, writer: Writer) -> None:
        """Writes counts and orders. EncodeError for a set that contradicts itself."""
        problem = self.problem()
        if problem is not None:
            raise EncodeError(problem)
        for count in (len(self.orders), self.categorized, self.expanded):
            writer.u16(count, "count")
        for order in self.orders:
            writer.u32(order.tag, "column")
            writer.u8(order.direction, "direction")


def _read_order(reader: Reader) -> SortOrder:
    tag = reader.u32("column")
    at = reader.pos
    number = reader.u8("direction")
    try:
        return SortOrder(tag, Direction(number))
    except ValueError:
        raise DecodeError(f"sort direction 0x{number:02X}", at) from None


class SortOrderSetCodec:
    """A sort order set as a field of a record."""

    def decode(self, reader: Reader) -> SortOrderSet:
        """Takes the set."""
        return SortOrderSet.decode(reader)

    def encode(self, writer: Writer, value: SortOrderSet) -> None:
        """Writes the set."""
        value.encode(writer)


SORT_ORDER_SET = SortOrderSetCodec()
