"""What the methods of a session give back, by method. Codes other than success come as `MapiError`."""

from dataclasses import dataclass

from appliance.addressbook.rows import PropertyRow
from appliance.addressbook.stat import Stat


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of a table: `columns` as asked for (or the method's own), and a PropertyRow for each object."""

    columns: tuple[int, ...]
    rows: list[PropertyRow]


@dataclass(frozen=True, slots=True)
class Props:
    """NspiGetProps: `code` is ecNone, or ecWarnWithErrors where a value is missing (ErrorsReturned)."""

    code: int
    row: PropertyRow


@dataclass(frozen=True, slots=True)
class Query:
    """NspiQueryRows: the position after the rows, and the rows."""

    stat: Stat
    rows: Rows


@dataclass(frozen=True, slots=True)
class Found:
    """NspiSeekEntries: the position of the row, and rows from there when columns were asked for."""

    stat: Stat
    rows: Rows | None


@dataclass(frozen=True, slots=True)
class Matches:
    """NspiGetMatches: the explicit table, and its rows when columns were asked for."""

    stat: Stat
    mids: list[int]
    rows: Rows | None


@dataclass(frozen=True, slots=True)
class Resolved:
    """NspiResolveNames: one of MID_UNRESOLVED, MID_AMBIGUOUS, MID_RESOLVED for each name; rows of the
    resolved ones, in order."""

    mids: list[int]
    rows: Rows


@dataclass(frozen=True, slots=True)
class SpecialTable:
    """NspiGetSpecialTable: the version of the hierarchy (None for address creation), and the rows."""

    version: int | None
    rows: list[PropertyRow]
