"""Positions in tables (MS-OXNSPI 3.1.4.5): absolute and fractional, and moving from there.

Row numbers begin with 0; the number of rows is the place behind the last one (MID_END_OF_TABLE). All numbers
given back are exact.
"""

from appliance.addressbook.snapshot import Snapshot, Table
from appliance.addressbook.stat import MID_BEGINNING_OF_TABLE, MID_CURRENT, MID_END_OF_TABLE, SortType, Stat
from appliance.directory import lists
from appliance.directory.lists import AddressList
from appliance.directory.model import Entry
from appliance.mapi import errors

STATUS_SORTS = frozenset({SortType.DISPLAY_NAME, SortType.PHONETIC_DISPLAY_NAME})
"""The orders of status-based tables; the others stand for explicit tables only (2.2.1.10)."""


def container_of(stat: Stat) -> AddressList:
    """The container that a STAT names. Raises MapiError(InvalidBookmark)."""
    found = lists.by_container(stat.container_id)
    if found is None:
        raise errors.MapiError(errors.ecInvalidBookmark, f"container {stat.container_id:#x}")
    return found


def belongs(container: AddressList, entry: Entry) -> bool:
    """Whether name resolution in a container may find an entry. Hidden entries stand in no container, but
    the global list knows them when they are named whole."""
    return container is lists.GLOBAL or container.holds(entry)


def table_of(current: Snapshot, stat: Stat) -> Table:
    """The table that a STAT names. Raises MapiError: InvalidBookmark for an unknown container,
    GeneralFailure for an order that no container has."""
    container = container_of(stat)
    if stat.sort_type not in STATUS_SORTS:
        raise errors.MapiError(errors.ecError, f"sort type {stat.sort_type:#x}")
    return current.table(container, SortType(stat.sort_type), stat.sort_locale)


def initial_row(table: Table, stat: Stat) -> int:
    """The row that CurrentRec means, before Delta. Raises MapiError(NotFound)."""
    if stat.current_rec == MID_BEGINNING_OF_TABLE:
        return 0
    if stat.current_rec == MID_END_OF_TABLE:
        return len(table)
    if stat.current_rec == MID_CURRENT:
        return fractional_row(len(table), stat.num_pos, stat.total_recs)
    row = table.row_of(stat.current_rec)
    if row is None:
        raise errors.MapiError(errors.ecNotFound, f"row of {stat.current_rec:#x}")
    return row


def fractional_row(total: int, num_pos: int, total_recs: int) -> int:
    """The Intended Numeric Position (3.1.4.5.2); a client's empty table has its rows at the beginning."""
    return min(total * num_pos // total_recs, total) if total_recs else 0


def moved_row(table: Table, row: int, delta: int) -> int:
    """The row `delta` rows away, within the table and the place behind it."""
    return min(max(row + delta, 0), len(table))


def at_row(table: Table, stat: Stat, row: int) -> Stat:
    """The STAT that stands on a row."""
    mid = table.mids[row] if row < len(table) else MID_END_OF_TABLE
    return stat.moved(mid, row, len(table))


def update(table: Table, stat: Stat) -> tuple[Stat, int]:
    """NspiUpdateStat (3.1.4.1.4): where the STAT ends, and by how many rows it moved."""
    first = initial_row(table, stat)
    last = moved_row(table, first, stat.delta)
    return at_row(table, stat, last), last - first
