"""MS-OXCTABL 2.2.2.8 to 2.2.2.14: where a table is read from, and how that place is moved."""

import struct

import pytest

from tests.conformance import tags
from tests.conformance.desk import Desk, Folder
from tests.conformance.letters import BY_SUBJECT, COLUMNS, SUBJECTS, by_letter, lettered, subjects
from tests.conformance.rop import (
    INVALID,
    INVALID_BOOKMARK,
    NOT_FOUND,
    NULL_OBJECT,
)
from tests.conformance.tables import (
    BEGINNING,
    CURRENT,
    CUSTOM,
    DESCENDING,
    END,
    NO_ADVANCE,
)
from tests.conformance.values import (
    EQUAL,
    compare,
    exists,
)


@pytest.fixture
def folder(desk: Desk) -> Folder:
    return lettered(desk)


@pytest.fixture
def table(desk: Desk, folder: Folder) -> int:
    return by_letter(desk, folder)


# position


@pytest.mark.covers("MS-OXCTABL_R133", "MS-OXCTABL_R136", "MS-OXCTABL_R138", "MS-OXCTABL_R491",
                    "MS-OXCTABL_R846")  # fmt: skip
def test_the_position_follows_the_cursor(desk: Desk, table: int) -> None:
    assert desk.position(table) == (0, 5)
    subjects(desk, table, 3)
    assert desk.position(table) == (3, 5)
    desk.seek_row(table, END, 0)
    assert desk.position(table) == (5, 5)


@pytest.mark.covers("MS-OXCTABL_R496", "MS-OXCTABL_R497", "MS-OXCTABL_R153", "MS-OXCTABL_R154",
                    "MS-OXCTABL_R155", "MS-OXCTABL_R159", "MS-OXCTABL_R160", "MS-OXCTABL_R161",
                    "MS-OXCTABL_R152", "MS-OXCTABL_R150", "MS-OXCTABL_R27", "MS-OXCTABL_R140",
                    "MS-OXCTABL_R850")  # fmt: skip
@pytest.mark.parametrize(("start", "origin", "many", "less", "moved", "end"), [
    (0, BEGINNING, 2, 0, 2, 2), (3, BEGINNING, 1, 0, 1, 1), (0, BEGINNING, 9, 1, 5, 5),
    (3, BEGINNING, -1, 1, 0, 0), (2, CURRENT, 2, 0, 2, 4), (2, CURRENT, -1, 0, -1, 1),
    (2, CURRENT, -5, 1, -2, 0), (2, CURRENT, 5, 1, 3, 5), (2, CURRENT, 0, 0, 0, 2),
    (0, END, -2, 0, -2, 3), (0, END, 1, 1, 0, 5), (0, END, -9, 1, -5, 0),
])  # fmt: skip
def test_seeking_tells_how_far_it_went(
    desk: Desk, table: int, start: int, origin: int, many: int, less: int, moved: int, end: int
) -> None:
    desk.seek_row(table, BEGINNING, start)
    assert desk.seek_row(table, origin, many) == (less, moved)
    assert desk.position(table) == (end, 5)


@pytest.mark.covers("MS-OXCTABL_R156", "MS-OXCTABL_R162", "MS-OXCTABL_R151")
def test_seeking_moves_without_a_count(desk: Desk, table: int) -> None:
    desk.seek_row(table, BEGINNING, 4, wanted=0)
    assert desk.position(table) == (4, 5)


@pytest.mark.parametrize("origin", [CUSTOM, 9])
@pytest.mark.covers("MS-OXCTABL_R501")
def test_seeking_from_nowhere_stops_the_batch(desk: Desk, table: int, origin: int) -> None:
    seek = b"\x18\0\0" + struct.pack("<BiB", origin, 1, 1)
    reader, _ = desk.batch(seek, table)
    assert (reader.u8(), reader.u8()) == (0x18, 0)
    assert reader.u32() == INVALID
    reader.end()


@pytest.mark.covers("MS-OXCTABL_R513", "MS-OXCTABL_R514", "MS-OXCTABL_R515", "MS-OXCTABL_R516",
                    "MS-OXCTABL_R203", "MS-OXCTABL_R204", "MS-OXCTABL_R855", "MS-OXCTABL_R910")  # fmt: skip
@pytest.mark.parametrize(
    ("numerator", "denominator", "at"), [(0, 5, 0), (5, 5, 5), (9, 5, 5), (2, 5, 2), (4, 10, 2)]
)
def test_seeking_a_fraction(desk: Desk, table: int, numerator: int, denominator: int, at: int) -> None:
    desk.seek_fraction(table, numerator, denominator)
    assert desk.position(table) == (at, 5)


def test_a_fraction_of_nothing_is_invalid(desk: Desk, table: int) -> None:
    desk.seek_fraction(table, 1, 0, expect=INVALID_BOOKMARK)


# bookmarks


@pytest.mark.covers("MS-OXCTABL_R522", "MS-OXCTABL_R503", "MS-OXCTABL_R504", "MS-OXCTABL_R165",
                    "MS-OXCTABL_R208", "MS-OXCTABL_R178", "MS-OXCTABL_R187", "MS-OXCTABL_R188",
                    "MS-OXCTABL_R193", "MS-OXCTABL_R183", "MS-OXCTABL_R508", "MS-OXCTABL_R526")  # fmt: skip
def test_bookmarks_are_sought(desk: Desk, table: int) -> None:
    desk.seek_row(table, BEGINNING, 2)
    mark = desk.bookmark(table)
    assert mark
    desk.seek_row(table, END, 0)
    assert desk.seek_bookmark(table, mark, 0) == (0, 0, 0)
    assert desk.position(table) == (2, 5)
    assert desk.seek_bookmark(table, mark, 1) == (0, 0, 1)
    assert desk.seek_bookmark(table, mark, -9) == (0, 1, -2)
    assert desk.position(table) == (0, 5)
    assert desk.seek_bookmark(table, mark, 9) == (0, 1, 3)


@pytest.mark.covers("MS-OXCTABL_R182", "MS-OXCTABL_R184", "MS-OXCTABL_R185", "MS-OXCTABL_R506",
                    "MS-OXCTABL_R538", "MS-OXCTABL_R238", "MS-OXCTABL_R6081", "MS-OXCTABL_R240")  # fmt: skip
def test_a_bookmark_whose_row_is_gone_means_the_next(desk: Desk, folder: Folder) -> None:
    table, _ = desk.contents(folder)
    columns = (tags.SUBJECT, tags.MID)
    desk.set_columns(table, *columns)
    desk.sort(table, BY_SUBJECT)
    desk.seek_row(table, BEGINNING, 1)
    ((_, bravo),) = desk.query_rows(table, columns, 1, flags=NO_ADVANCE)[1]
    mark = desk.bookmark(table)
    desk.soft_delete(folder, bravo)
    assert desk.seek_bookmark(table, mark, 0) == (1, 0, 0)
    assert desk.query_rows(table, columns, 1)[1][0][0] == "charlie"
    found = desk.find_row(table, columns, exists(tags.SUBJECT), CUSTOM, bookmark=mark)
    assert found is not None
    assert found.gone
    assert found.row is not None
    assert found.row[0] == "charlie"


@pytest.mark.covers("MS-OXCTABL_R505", "MS-OXCTABL_R870", "MS-OXCTABL_R871", "MS-OXCTABL_R904",
                    "MS-OXCTABL_R906", "MS-OXCTABL_R908", "MS-OXCTABL_R511", "MS-OXCTABL_R537",
                    "MS-OXCTABL_R868", "MS-OXCTABL_R869", "MS-OXCTABL_R898", "MS-OXCTABL_R900",
                    "MS-OXCTABL_R902", "MS-OXCTABL_R562", "MS-OXCTABL_R257", "MS-OXCTABL_R863",
                    "MS-OXCTABL_R864", "MS-OXCTABL_R865")  # fmt: skip
@pytest.mark.parametrize("change", ["sort", "restrict", "reset"])
def test_bookmarks_die_with_the_order(desk: Desk, table: int, change: str) -> None:
    mark = desk.bookmark(table)
    if change == "sort":
        desk.sort(table, (tags.SUBJECT, DESCENDING))
    elif change == "restrict":
        desk.restrict(table, exists(tags.SUBJECT))
    else:
        desk.reset(table)
        desk.set_columns(table, *COLUMNS)
    desk.seek_bookmark(table, mark, 0, expect=INVALID_BOOKMARK)
    desk.find_row(table, COLUMNS, exists(tags.SUBJECT), CUSTOM, bookmark=mark, expect=INVALID_BOOKMARK)
    desk.free_bookmark(table, mark, expect=INVALID_BOOKMARK)


@pytest.mark.covers("MS-OXCTABL_R545", "MS-OXCTABL_R5521", "MS-OXCTABL_R2481", "MS-OXCTABL_R247",
                    "MS-OXCTABL_R549")  # fmt: skip
def test_a_freed_bookmark_is_gone(desk: Desk, table: int) -> None:
    mark = desk.bookmark(table)
    desk.free_bookmark(table, mark)
    desk.free_bookmark(table, mark, expect=INVALID_BOOKMARK)
    desk.seek_bookmark(table, mark, 0, expect=INVALID_BOOKMARK)


@pytest.mark.covers("MS-OXCTABL_R552", "MS-OXCTABL_R248", "MS-OXCTABL_R524", "MS-OXCTABL_R546")
def test_bookmarks_die_with_the_table(desk: Desk, table: int) -> None:
    mark = desk.bookmark(table)
    desk.release(table)
    desk.free_bookmark(table, mark, expect=NULL_OBJECT)
    desk.seek_bookmark(table, mark, 0, expect=NULL_OBJECT)


@pytest.mark.parametrize("mark", [b"", b"\0", b"bogus bookmark", bytes(300)])
def test_bookmarks_of_nobody(desk: Desk, table: int, mark: bytes) -> None:
    desk.seek_bookmark(table, mark, 0, expect=INVALID_BOOKMARK)
    desk.free_bookmark(table, mark, expect=INVALID_BOOKMARK)


# finding


@pytest.mark.covers("MS-OXCTABL_R534", "MS-OXCTABL_R535", "MS-OXCTABL_R536", "MS-OXCTABL_R243",
                    "MS-OXCTABL_R245", "MS-OXCTABL_R225", "MS-OXCTABL_R226", "MS-OXCTABL_R241",
                    "MS-OXCTABL_R544001", "MS-OXCTABL_R540", "MS-OXCTABL_R223", "MS-OXCTABL_R859",
                    "MS-OXCTABL_R824", "MS-OXCTABL_R239")  # fmt: skip
@pytest.mark.parametrize(("start", "origin", "backward", "importance", "row"), [
    (0, BEGINNING, False, 0, "charlie"), (3, BEGINNING, False, 1, "alpha"), (1, CURRENT, False, 1, "bravo"),
    (3, CURRENT, False, 0, "delta"), (4, CURRENT, False, 1, None), (0, END, True, 0, "delta"),
    (3, CURRENT, True, 0, "charlie"), (2, CURRENT, True, 0, None), (1, CURRENT, True, 1, "alpha"),
    (0, BEGINNING, False, 7, None),
])  # fmt: skip
def test_a_row_is_found(
    desk: Desk, table: int, start: int, origin: int, backward: bool, importance: int, row: str | None
) -> None:
    desk.seek_row(table, BEGINNING, start)
    restriction = compare(EQUAL, tags.IMPORTANCE, importance)
    if row is None:
        desk.find_row(table, COLUMNS, restriction, origin, backward, expect=NOT_FOUND)
        return
    found = desk.find_row(table, COLUMNS, restriction, origin, backward)
    assert found is not None
    assert (found.gone, found.row) == (False, [row, importance])
    assert desk.position(table) == (sorted(SUBJECTS).index(row), 5)
    assert desk.query_rows(table, COLUMNS, 1)[1] == [[row, importance]]


def test_finding_from_a_bookmark(desk: Desk, table: int) -> None:
    desk.seek_row(table, BEGINNING, 3)
    mark = desk.bookmark(table)
    desk.seek_row(table, BEGINNING, 0)
    found = desk.find_row(table, COLUMNS, compare(EQUAL, tags.IMPORTANCE, 0), CUSTOM, bookmark=mark)
    assert found is not None
    assert found.row == ["delta", 0]
