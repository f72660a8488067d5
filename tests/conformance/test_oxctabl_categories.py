"""MS-OXCTABL: categories that expand and collapse, and their state."""

import pytest

from tests.conformance import tags
from tests.conformance.desk import INBOX, Desk, Folder
from tests.conformance.rop import NOT_COLLAPSED, NOT_EXPANDED, NOT_FOUND
from tests.conformance.tables import ASCENDING, BEGINNING, DESCENDING, MAXIMUM_CATEGORY, NO_ADVANCE
from tests.conformance.values import EQUAL, Value, compare

LEAF, EMPTY, EXPANDED, COLLAPSED = 1, 2, 3, 4
"""PidTagRowType. MS-OXCTABL 2.2.1.3."""

COLUMNS = (
    tags.ROW_TYPE,
    tags.DEPTH,
    tags.IMPORTANCE,
    tags.SUBJECT,
    tags.CONTENT_COUNT,
    tags.CONTENT_UNREAD,
    tags.INSTANCE_ID,
    tags.INSTANCE_NUMBER,
)
BY_IMPORTANCE = (tags.IMPORTANCE, ASCENDING)
BY_SUBJECT = (tags.SUBJECT, ASCENDING)
MAIL = [("delta", 0), ("alpha", 0), ("echo", 1), ("charlie", 2), ("bravo", 2)]


@pytest.fixture
def folder(desk: Desk) -> Folder:
    """Five messages of importance 0, 0, 1, 2, 2; the one of importance 1 is unread."""
    made = desk.create_folder(desk.folder(INBOX), "categories")
    for subject, importance in MAIL:
        message = desk.create_message(made)
        flags = 0 if importance == 1 else 1
        desk.set(message, {tags.SUBJECT: subject, tags.IMPORTANCE: importance, tags.MESSAGE_FLAGS: flags})
        desk.save(message)
    return made


@pytest.fixture
def table(desk: Desk, folder: Folder) -> int:
    """One category, expanded."""
    handle, _ = desk.contents(folder)
    desk.set_columns(handle, *COLUMNS)
    desk.sort(handle, BY_IMPORTANCE, BY_SUBJECT, categories=1, expanded=1)
    return handle


def all_rows(desk: Desk, table: int) -> list[list[Value]]:
    desk.seek_row(table, BEGINNING, 0)
    rows = desk.query_rows(table, COLUMNS)[1]
    desk.seek_row(table, BEGINNING, 0)
    return rows


def picture(desk: Desk, table: int) -> list[str]:
    """The rows: a header as its sign and value, a leaf as its subject."""
    signs = {EXPANDED: "-", COLLAPSED: "+", EMPTY: "0"}
    return [row[3] if row[0] == LEAF else f"{signs[row[0]]}{row[2]}" for row in all_rows(desk, table)]


def category(desk: Desk, table: int, importance: int) -> int:
    """The id of a header row."""
    (found,) = [row[6] for row in all_rows(desk, table) if row[0] != LEAF and row[2] == importance]
    assert isinstance(found, int)
    return found


OPEN = ["-0", "alpha", "delta", "-1", "echo", "-2", "bravo", "charlie"]


@pytest.mark.covers("MS-OXCTABL_R13", "MS-OXCTABL_R15", "MS-OXCTABL_R17", "MS-OXCTABL_R66", "MS-OXCTABL_R67",
                    "MS-OXCTABL_R71", "MS-OXCTABL_R72")  # fmt: skip
def test_categories_start_expanded(desk: Desk, table: int) -> None:
    assert picture(desk, table) == OPEN
    assert desk.position(table) == (0, 8)


@pytest.mark.covers("MS-OXCTABL_R18", "MS-OXCTABL_R66")
def test_categories_start_collapsed(desk: Desk, folder: Folder) -> None:
    table, _ = desk.contents(folder)
    desk.set_columns(table, *COLUMNS)
    desk.sort(table, BY_IMPORTANCE, BY_SUBJECT, categories=1, expanded=0)
    assert picture(desk, table) == ["+0", "+1", "+2"]
    assert desk.position(table) == (0, 3)


@pytest.mark.covers("MS-OXCTABL_R19", "MS-OXCTABL_R20", "MS-OXCTABL_R21", "MS-OXCTABL_R22", "MS-OXCTABL_R23")
@pytest.mark.parametrize("expanded", [0, 1])
def test_headers_count_what_lies_under_them(desk: Desk, folder: Folder, expanded: int) -> None:
    table, _ = desk.contents(folder)
    desk.set_columns(table, *COLUMNS)
    desk.sort(table, BY_IMPORTANCE, BY_SUBJECT, categories=1, expanded=expanded)
    rows = all_rows(desk, table)
    headers = [row for row in rows if row[0] != LEAF]
    assert [(row[1], row[4], row[5]) for row in headers] == [(0, 2, 0), (0, 1, 1), (0, 2, 0)]
    assert all(row[1] == 1 for row in rows if row[0] == LEAF)


@pytest.mark.covers("MS-OXCTABL_R573", "MS-OXCTABL_R283", "MS-OXCTABL_R287", "MS-OXCTABL_R574",
                    "MS-OXCTABL_R577")  # fmt: skip
def test_a_category_collapses_once(desk: Desk, table: int) -> None:
    which = category(desk, table, 0)
    assert desk.collapse(table, which) == 2
    assert picture(desk, table) == ["+0", *OPEN[3:]]
    desk.collapse(table, which, expect=NOT_EXPANDED)
    assert desk.position(table) == (0, 6)


@pytest.mark.covers("MS-OXCTABL_R567", "MS-OXCTABL_R272", "MS-OXCTABL_R278", "MS-OXCTABL_R568",
                    "MS-OXCTABL_R571", "MS-OXCTABL_R280", "MS-OXCTABL_R281", "MS-OXCTABL_R279")  # fmt: skip
def test_a_category_expands_once(desk: Desk, table: int) -> None:
    which = category(desk, table, 2)
    desk.expand(table, COLUMNS, which, expect=NOT_COLLAPSED)
    assert desk.collapse(table, which) == 2
    total, rows = desk.expand(table, COLUMNS, which)
    assert (total, rows) == (2, [])
    assert picture(desk, table) == OPEN


@pytest.mark.covers("MS-OXCTABL_R570", "MS-OXCTABL_R576")
@pytest.mark.parametrize("which", [0, 1, 0xFFFFFFFFFFFFFFFF])
def test_categories_that_are_not_there(desk: Desk, table: int, which: int) -> None:
    desk.collapse(table, which, expect=NOT_FOUND)
    desk.expand(table, COLUMNS, which, expect=NOT_FOUND)


def test_a_leaf_is_no_category(desk: Desk, table: int) -> None:
    leaf = next(row[6] for row in all_rows(desk, table) if row[0] == LEAF)
    desk.collapse(table, leaf, expect=NOT_FOUND)


def test_categories_in_categories(desk: Desk, folder: Folder) -> None:
    table, _ = desk.contents(folder)
    desk.set_columns(table, *COLUMNS)
    desk.sort(table, BY_IMPORTANCE, BY_SUBJECT, categories=2, expanded=1)
    rows = all_rows(desk, table)
    assert [(row[0], row[1]) for row in rows] == [
        (EXPANDED, 0), (COLLAPSED, 1), (COLLAPSED, 1), (EXPANDED, 0), (COLLAPSED, 1), (EXPANDED, 0),
        (COLLAPSED, 1), (COLLAPSED, 1),
    ]  # fmt: skip
    which = rows[1][6]
    total, _ = desk.expand(table, COLUMNS, which)
    assert total == 1
    assert [(row[0], row[1]) for row in all_rows(desk, table)][:3] == [
        (EXPANDED, 0),
        (EXPANDED, 1),
        (LEAF, 2),
    ]
    assert desk.collapse(table, all_rows(desk, table)[0][6]) == 3


@pytest.mark.covers("MS-OXCTABL_R81", "MS-OXCTABL_R82")
def test_categories_by_their_greatest_value(desk: Desk, folder: Folder) -> None:
    table, _ = desk.contents(folder)
    desk.set_columns(table, *COLUMNS)
    desk.sort(table, BY_IMPORTANCE, (tags.SUBJECT, MAXIMUM_CATEGORY), BY_SUBJECT, categories=1, expanded=1)
    headers = [row[2] for row in all_rows(desk, table) if row[0] != LEAF]
    assert headers in ([2, 0, 1], [1, 0, 2])


@pytest.mark.covers("MS-OXCTABL_R77", "MS-OXCTABL_R119")
def test_categories_in_descending_order(desk: Desk, folder: Folder) -> None:
    table, _ = desk.contents(folder)
    desk.set_columns(table, *COLUMNS)
    desk.sort(table, (tags.IMPORTANCE, DESCENDING), BY_SUBJECT, categories=1, expanded=1)
    assert picture(desk, table) == ["-2", "bravo", "charlie", "-1", "echo", "-0", "alpha", "delta"]


def test_a_restriction_empties_no_category(desk: Desk, table: int) -> None:
    desk.restrict(table, compare(EQUAL, tags.IMPORTANCE, 1))
    assert picture(desk, table) == ["-1", "echo"]


@pytest.mark.covers("MS-OXCTABL_R288", "MS-OXCTABL_R289", "MS-OXCTABL_R304", "MS-OXCTABL_R579",
                    "MS-OXCTABL_R580", "MS-OXCTABL_R581", "MS-OXCTABL_R585", "MS-OXCTABL_R586",
                    "MS-OXCTABL_R587", "MS-OXCTABL_R305", "MS-OXCTABL_R582", "MS-OXCTABL_R588")  # fmt: skip
def test_the_state_is_taken_and_given_back(desk: Desk, table: int) -> None:
    desk.collapse(table, category(desk, table, 0))
    echo = next(row for row in all_rows(desk, table) if row[3] == "echo" and row[0] == LEAF)
    state = desk.collapse_state(table, echo[6], echo[7])
    assert state
    desk.expand(table, COLUMNS, category(desk, table, 0))
    desk.collapse(table, category(desk, table, 2))
    assert picture(desk, table) == ["-0", "alpha", "delta", "-1", "echo", "+2"]
    mark = desk.set_collapse_state(table, state)
    assert mark
    assert desk.query_rows(table, COLUMNS, 1, flags=NO_ADVANCE)[1][0][3] == "echo"
    assert picture(desk, table) == ["+0", *OPEN[3:]]
    desk.seek_bookmark(table, mark, 0)
    assert desk.query_rows(table, COLUMNS, 1)[1][0][3] == "echo"


@pytest.mark.covers("MS-OXCTABL_R307", "MS-OXCTABL_R308")
def test_the_state_serves_another_table_of_the_same_order(desk: Desk, folder: Folder, table: int) -> None:
    desk.collapse(table, category(desk, table, 0))
    row = all_rows(desk, table)[0]
    state = desk.collapse_state(table, row[6], row[7])
    other, _ = desk.contents(folder)
    desk.set_columns(other, *COLUMNS)
    desk.sort(other, BY_IMPORTANCE, BY_SUBJECT, categories=1, expanded=1)
    desk.set_collapse_state(other, state)
    assert picture(desk, other) == ["+0", *OPEN[3:]]


@pytest.mark.parametrize("state", [b"", b"x", bytes(64)])
def test_a_state_of_nobody_is_refused(desk: Desk, table: int, state: bytes) -> None:
    reader, _ = desk.batch(b"\x6c\0\0" + len(state).to_bytes(2, "little") + state, table)
    assert (reader.u8(), reader.u8()) == (0x6C, 0)
    assert reader.u32() != 0
    reader.end()
    assert picture(desk, table) == OPEN


def test_new_messages_find_their_category(desk: Desk, folder: Folder, table: int) -> None:
    message = desk.create_message(folder)
    desk.set(message, {tags.SUBJECT: "foxtrot", tags.IMPORTANCE: 1})
    desk.save(message)
    assert picture(desk, table) == ["-0", "alpha", "delta", "-1", "echo", "foxtrot", "-2", "bravo", "charlie"]
