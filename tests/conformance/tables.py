"""Tables: MS-OXCROPS 2.2.5."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.conformance.rop import Caller
from tests.conformance.values import Reader, Value, read_row

if TYPE_CHECKING:
    from tests.conformance.desk import Folder

BEGINNING, CURRENT, END, CUSTOM = 0, 1, 2, 3
"""Bookmarks. MS-OXCTABL 2.2.2.1.1."""

COMPLETE = 0
ASCENDING, DESCENDING, MAXIMUM_CATEGORY = 0, 1, 4
ASSOCIATED, DEFERRED_ERRORS, NO_NOTIFICATIONS, SOFT_DELETES, DEPTH = 0x02, 0x08, 0x10, 0x20, 0x04
NO_ADVANCE = 1
Sort = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Found:
    """What RopFindRow tells."""

    gone: bool
    row: list[Value] | None


class Tables(Caller):
    """ROPs of tables. Rows are read by the columns that were set last through this desk."""

    def contents(self, folder: "Folder", flags: int = NO_NOTIFICATIONS, expect: int = 0) -> tuple[int, int]:
        """Handle and number of rows."""
        return self._table(0x05, folder.handle, flags, expect)

    def hierarchy(self, folder: "Folder", flags: int = NO_NOTIFICATIONS, expect: int = 0) -> tuple[int, int]:
        return self._table(0x04, folder.handle, flags, expect)

    def rules_table(self, folder: "Folder", flags: int = 0) -> int:
        answer = self.opening(0x3F, folder.handle, bytes([flags]))
        assert answer is not None
        answer.reader.end()
        return answer.handle

    def _table(self, number: int, handle: int, flags: int, expect: int) -> tuple[int, int]:
        answer = self.opening(number, handle, bytes([flags]), expect)
        if answer is None:
            return 0, 0
        many = answer.reader.u32()
        answer.reader.end()
        return answer.handle, many

    def set_columns(self, table: int, *tags: int, flags: int = 0, expect: int = 0) -> None:
        body = struct.pack("<BH", flags, len(tags)) + struct.pack(f"<{len(tags)}I", *tags)
        _complete(self.on(0x12, table, body, expect))

    def sort(
        self,
        table: int,
        *orders: Sort,
        categories: int = 0,
        expanded: int = 0,
        flags: int = 0,
        expect: int = 0,
    ) -> None:
        keys = b"".join(struct.pack("<IB", tag, order) for tag, order in orders)
        _complete(
            self.on(
                0x13, table, struct.pack("<BHHH", flags, len(orders), categories, expanded) + keys, expect
            )
        )

    def restrict(self, table: int, restriction: bytes, flags: int = 0, expect: int = 0) -> None:
        body = struct.pack("<BH", flags, len(restriction)) + restriction
        _complete(self.on(0x14, table, body, expect))

    def query_rows(
        self,
        table: int,
        columns: Sequence[int],
        many: int = 1000,
        forward: bool = True,
        flags: int = 0,
        expect: int = 0,
    ) -> tuple[int, list[list[Value]]]:
        """Origin and rows."""
        reader = self.on(0x15, table, struct.pack("<BBH", flags, forward, many), expect)
        if reader is None:
            return 0, []
        origin = reader.u8()
        assert origin in (BEGINNING, CURRENT, END)
        rows = [read_row(reader, columns) for _ in range(reader.u16())]
        reader.end()
        assert len(rows) <= many
        return origin, rows

    def rows(self, table: int, *columns: int) -> list[list[Value]]:
        """All rows of a table, with these columns; the cursor starts where it stands."""
        self.set_columns(table, *columns)
        found: list[list[Value]] = []
        while True:
            _, more = self.query_rows(table, columns)
            if not more:
                return found
            found += more

    def abort(self, table: int, expect: int = 0) -> None:
        _complete(self.on(0x38, table, b"", expect))

    def status(self, table: int, expect: int = 0) -> int:
        reader = self.on(0x16, table, b"", expect)
        if reader is None:
            return 0
        found = reader.u8()
        reader.end()
        return found

    def position(self, table: int, expect: int = 0) -> tuple[int, int]:
        reader = self.on(0x17, table, b"", expect)
        if reader is None:
            return 0, 0
        found = reader.u32(), reader.u32()
        reader.end()
        assert found[0] <= found[1]
        return found

    def seek_row(
        self, table: int, origin: int, many: int, wanted: int = 1, expect: int = 0
    ) -> tuple[int, int]:
        """HasSoughtLess and RowsSought."""
        reader = self.on(0x18, table, struct.pack("<BiB", origin, many, wanted), expect)
        if reader is None:
            return 0, 0
        found = reader.u8(), reader.i32()
        reader.end()
        return found

    def seek_bookmark(
        self, table: int, bookmark: bytes, many: int, wanted: int = 1, expect: int = 0
    ) -> tuple[int, int, int]:
        """RowNoLongerVisible, HasSoughtLess and RowsSought."""
        body = struct.pack("<H", len(bookmark)) + bookmark + struct.pack("<iB", many, wanted)
        reader = self.on(0x19, table, body, expect)
        if reader is None:
            return 0, 0, 0
        found = reader.u8(), reader.u8(), reader.i32()
        reader.end()
        return found

    def seek_fraction(self, table: int, numerator: int, denominator: int, expect: int = 0) -> None:
        _empty(self.on(0x1A, table, struct.pack("<II", numerator, denominator), expect))

    def bookmark(self, table: int, expect: int = 0) -> bytes:
        return _sized(self.on(0x1B, table, b"", expect))

    def free_bookmark(self, table: int, bookmark: bytes, expect: int = 0) -> None:
        _empty(self.on(0x89, table, struct.pack("<H", len(bookmark)) + bookmark, expect))

    def all_columns(self, table: int, expect: int = 0) -> list[int]:
        reader = self.on(0x37, table, b"", expect)
        if reader is None:
            return []
        tags = [reader.u32() for _ in range(reader.u16())]
        reader.end()
        return tags

    def find_row(
        self,
        table: int,
        columns: Sequence[int],
        restriction: bytes,
        origin: int = BEGINNING,
        backward: bool = False,
        bookmark: bytes = b"",
        expect: int = 0,
    ) -> Found | None:
        head = struct.pack("<BH", backward, len(restriction)) + restriction
        body = head + struct.pack("<BH", origin, len(bookmark)) + bookmark
        reader = self.on(0x4F, table, body, expect)
        if reader is None:
            return None
        gone, has_row = reader.u8(), reader.u8()
        assert gone in (0, 1)
        assert has_row in (0, 1)
        row = read_row(reader, columns) if has_row else None
        reader.end()
        return Found(bool(gone), row)

    def reset(self, table: int, expect: int = 0) -> None:
        _empty(self.on(0x81, table, b"", expect))

    def expand(
        self, table: int, columns: Sequence[int], category: int, most: int = 0, expect: int = 0
    ) -> tuple[int, list[list[Value]]]:
        """ExpandedRowCount and rows."""
        reader = self.on(0x59, table, struct.pack("<HQ", most, category), expect)
        if reader is None:
            return 0, []
        total = reader.u32()
        rows = [read_row(reader, columns) for _ in range(reader.u16())]
        reader.end()
        assert len(rows) <= min(most, total)
        return total, rows

    def collapse(self, table: int, category: int, expect: int = 0) -> int:
        reader = self.on(0x5A, table, struct.pack("<Q", category), expect)
        if reader is None:
            return 0
        many = reader.u32()
        reader.end()
        return many

    def collapse_state(self, table: int, row: int = 0, instance: int = 0, expect: int = 0) -> bytes:
        return _sized(self.on(0x6B, table, struct.pack("<QI", row, instance), expect))

    def set_collapse_state(self, table: int, state: bytes, expect: int = 0) -> bytes:
        """The bookmark."""
        return _sized(self.on(0x6C, table, struct.pack("<H", len(state)) + state, expect))


def _complete(reader: Reader | None) -> None:
    """Tables do nothing asynchronously: TBLSTAT_COMPLETE always. MS-OXCTABL R812."""
    if reader is not None:
        assert reader.u8() == COMPLETE
        reader.end()


def _empty(reader: Reader | None) -> None:
    if reader is not None:
        reader.end()


def _sized(reader: Reader | None) -> bytes:
    if reader is None:
        return b""
    data = reader.take(reader.u16())
    reader.end()
    return data
