"""MS-OXCTABL: columns, rows, sorts, and which tables do what."""

import struct

import pytest

from tests.conformance import tags
from tests.conformance.desk import INBOX, ROOT, TOP, Desk, Folder
from tests.conformance.letters import BY_SUBJECT, COLUMNS, by_letter, lettered, subjects
from tests.conformance.rop import (
    BUFFER_TOO_SMALL,
    INVALID,
    NOT_FOUND,
    NOT_SUPPORTED,
    NULL_OBJECT,
    UNABLE_TO_ABORT,
)
from tests.conformance.tables import (
    ASCENDING,
    BEGINNING,
    COMPLETE,
    CURRENT,
    DESCENDING,
    END,
    NO_ADVANCE,
)
from tests.conformance.values import (
    EQUAL,
    INSTANCE,
    MULTIPLE,
    PREFIX,
    UNICODE,
    Error,
    compare,
    content,
    exists,
    tag,
)


@pytest.fixture
def folder(desk: Desk) -> Folder:
    return lettered(desk)


@pytest.fixture
def table(desk: Desk, folder: Folder) -> int:
    return by_letter(desk, folder)


# columns


@pytest.mark.covers("MS-OXCTABL_R426", "MS-OXCTABL_R427", "MS-OXCTABL_R116", "MS-OXCTABL_R472",
                    "MS-OXCTABL_R50", "MS-OXCTABL_R65", "MS-OXCTABL_R44")  # fmt: skip
def test_rows_have_the_columns_that_were_set_last(desk: Desk, table: int) -> None:
    assert desk.query_rows(table, COLUMNS, 1)[1] == [["alpha", 1]]
    turned = (tags.IMPORTANCE, tags.SUBJECT, tags.MESSAGE_CLASS)
    desk.set_columns(table, *turned)
    assert desk.query_rows(table, turned, 1)[1] == [[1, "bravo", "IPM.Note"]]


@pytest.mark.covers("MS-OXCTABL_R428", "MS-OXCTABL_R768", "MS-OXCTABL_R476", "MS-OXCTABL_R867",
                    "MS-OXCTABL_R826", "MS-OXCTABL_R827", "MS-OXCTABL_R8261", "MS-OXCTABL_R8271",
                    "MS-OXCTABL_R8263", "MS-OXCTABL_R8273", "MS-OXCTABL_R8264", "MS-OXCTABL_R8274",
                    "MS-OXCTABL_R8265", "MS-OXCTABL_R8275", "MS-OXCTABL_R8266", "MS-OXCTABL_R8276",
                    "MS-OXCTABL_R8267", "MS-OXCTABL_R8277", "MS-OXCTABL_R471")  # fmt: skip
def test_most_rops_need_columns(desk: Desk, folder: Folder) -> None:
    table, _ = desk.contents(folder)
    desk.query_rows(table, COLUMNS, expect=NULL_OBJECT)
    desk.find_row(table, COLUMNS, exists(tags.SUBJECT), expect=NULL_OBJECT)
    desk.collapse(table, 1, expect=NULL_OBJECT)
    desk.expand(table, COLUMNS, 1, expect=NULL_OBJECT)
    desk.free_bookmark(table, b"mark", expect=NULL_OBJECT)
    desk.collapse_state(table, 1, expect=NULL_OBJECT)
    desk.seek_bookmark(table, b"mark", 1, expect=NULL_OBJECT)
    desk.set_collapse_state(table, b"state", expect=NULL_OBJECT)


@pytest.mark.covers("MS-OXCTABL_R435")
@pytest.mark.parametrize("kind", [0x0000, 0x000A, 0x0FFF, 0x0008])
def test_a_column_of_no_type_is_invalid(desk: Desk, folder: Folder, kind: int) -> None:
    table, _ = desk.contents(folder)
    desk.set_columns(table, tags.SUBJECT, tag(0x0E1D, kind), expect=INVALID)


@pytest.mark.covers("MS-OXCTABL_R429", "MS-OXCTABL_R610")
def test_columns_that_failed_leave_none(desk: Desk, table: int) -> None:
    desk.set_columns(table, tag(0x0E1D, 0), expect=INVALID)
    desk.query_rows(table, COLUMNS, expect=NULL_OBJECT)
    desk.set_columns(table, *COLUMNS)
    assert subjects(desk, table) == "abcde"


@pytest.mark.covers("MS-OXCTABL_R812", "MS-OXCTABL_R770", "MS-OXCTABL_R772", "MS-OXCTABL_R774",
                    "MS-OXCTABL_R625", "MS-OXCTABL_R781", "MS-OXCTABL_R796", "MS-OXCTABL_R800",
                    "MS-OXCTABL_R802", "MS-OXCTABL_R54", "MS-OXCTABL_R83", "MS-OXCTABL_R93",
                    "MS-OXCTABL_R33", "MS-OXCTABL_R487")  # fmt: skip
def test_asynchronous_requests_are_complete(desk: Desk, table: int) -> None:
    desk.set_columns(table, *COLUMNS, flags=1)
    desk.sort(table, (tags.SUBJECT, DESCENDING), flags=1)
    desk.restrict(table, exists(tags.SUBJECT), flags=1)
    assert desk.status(table) == COMPLETE
    assert subjects(desk, table) == "edcba"


@pytest.mark.covers("MS-OXCTABL_R402", "MS-OXCTABL_R485", "MS-OXCTABL_R479")
def test_there_is_nothing_to_abort(desk: Desk, table: int) -> None:
    desk.abort(table, expect=UNABLE_TO_ABORT)


@pytest.mark.covers("MS-OXCTABL_R530", "MS-OXCTABL_R216", "MS-OXCTABL_R217", "MS-OXCTABL_R222",
                    "MS-OXCTABL_R876", "MS-OXCTABL_R875", "MS-OXCTABL_R877")  # fmt: skip
def test_all_columns_are_told(desk: Desk, folder: Folder) -> None:
    contents = desk.all_columns(desk.contents(folder)[0])
    assert {tags.SUBJECT, tags.MID, tags.MESSAGE_CLASS, tags.MESSAGE_FLAGS, tags.IMPORTANCE} <= set(contents)
    assert len(set(contents)) == len(contents)
    assert {tags.DISPLAY_NAME, tags.FID} <= set(desk.all_columns(desk.hierarchy(folder)[0]))
    assert desk.all_columns(desk.rules_table(desk.folder(INBOX)))


# rows


@pytest.mark.covers("MS-OXCTABL_R462", "MS-OXCTABL_R463", "MS-OXCTABL_R108", "MS-OXCTABL_R112",
                    "MS-OXCTABL_R113", "MS-OXCTABL_R467", "MS-OXCTABL_R725", "MS-OXCTABL_R726",
                    "MS-OXCTABL_R468", "MS-OXCTABL_R724", "MS-OXCTABL_R95", "MS-OXCTABL_R28",
                    "MS-OXCTABL_R29")  # fmt: skip
def test_rows_are_read_forward_to_the_end(desk: Desk, table: int) -> None:
    origin, rows = desk.query_rows(table, COLUMNS, 2)
    assert (origin, [row[0] for row in rows]) == (CURRENT, ["alpha", "bravo"])
    origin, rows = desk.query_rows(table, COLUMNS, 2)
    assert (origin, [row[0] for row in rows]) == (CURRENT, ["charlie", "delta"])
    origin, rows = desk.query_rows(table, COLUMNS, 2)
    assert (origin, [row[0] for row in rows]) == (END, ["echo"])
    assert desk.query_rows(table, COLUMNS, 2) == (END, [])
    assert desk.position(table) == (5, 5)


@pytest.mark.covers("MS-OXCTABL_R469")
def test_rows_are_read_backward(desk: Desk, table: int) -> None:
    desk.seek_row(table, END, 0)
    assert sorted(subjects(desk, table, 2, forward=False)) == ["d", "e"]
    assert desk.position(table) == (3, 5)
    assert sorted(subjects(desk, table, 2, forward=False)) == ["b", "c"]
    assert subjects(desk, table, 2, forward=False) == "a"
    assert desk.position(table) == (0, 5)
    origin, rows = desk.query_rows(table, COLUMNS, 2, forward=False)
    assert rows == []
    assert origin in (BEGINNING, END)


@pytest.mark.covers("MS-OXCTABL_R470")
def test_rows_are_read_without_moving(desk: Desk, table: int) -> None:
    desk.seek_row(table, BEGINNING, 1)
    assert subjects(desk, table, 2, flags=NO_ADVANCE) == "bc"
    assert desk.position(table) == (1, 5)
    assert subjects(desk, table, 1, forward=False, flags=NO_ADVANCE) == "a"
    assert desk.position(table) == (1, 5)


@pytest.mark.covers("MS-OXCTABL_R121", "MS-OXCTABL_R122")
def test_long_values_are_cut(desk: Desk, folder: Folder) -> None:
    message = desk.create_message(folder)
    blob = tag(0x6FF6, 0x102)
    desk.set(message, {tags.SUBJECT: "zulu " + "x" * 600, blob: bytes(range(256)) * 4, tags.BODY: "y" * 700})
    desk.save(message)
    table, _ = desk.contents(folder)
    columns = (tags.NORMALIZED_SUBJECT, blob, tags.BODY)
    desk.set_columns(table, *columns)
    desk.restrict(table, content(tags.SUBJECT, "zulu", PREFIX))
    ((subject, data, body),) = desk.query_rows(table, columns)[1]
    assert len(subject.encode("utf-16-le")) <= 510
    assert ("zulu " + "x" * 600).startswith(subject)
    assert len(subject) >= 254
    assert data == (bytes(range(256)) * 4)[:510]
    assert isinstance(body, Error) or ("y" * 700).startswith(body)


@pytest.mark.covers("MS-OXCTABL_R478", "MS-OXCTABL_R466", "MS-OXCTABL_R464", "MS-OXCTABL_R465")
def test_as_many_whole_rows_come_as_fit(desk: Desk, folder: Folder) -> None:
    for number in range(6):
        message = desk.create_message(folder)
        desk.set(message, {tags.SUBJECT: f"{number}" + "z" * 240})
        desk.save(message)
    table, many = desk.contents(folder)
    columns = (*(tag(0x6000 + number, UNICODE) for number in range(3)), tags.SUBJECT)
    desk.set_columns(table, *columns)
    request = b"\x15\0\0" + struct.pack("<BBH", 0, 1, 100)
    data, _ = desk.mapi.execute(request, [table], max_out=8 + 2 + 4 + 2000)
    assert data[0] == 0x15
    assert 0 < int.from_bytes(data[7:9], "little") < many


@pytest.mark.covers("MS-OXCTABL_R72", "MS-OXCTABL_R77")
def test_missing_values_flag_the_row(desk: Desk, table: int) -> None:
    columns = (tags.SUBJECT, tag(0x6FF7, 0x1F), tags.IMPORTANCE)
    desk.set_columns(table, *columns)
    assert desk.query_rows(table, columns, 1)[1] == [["alpha", Error(NOT_FOUND), 1]]


# sorting


@pytest.mark.covers("MS-OXCTABL_R56", "MS-OXCTABL_R76", "MS-OXCTABL_R77", "MS-OXCTABL_R119",
                    "MS-OXCTABL_R437", "MS-OXCTABL_R438", "MS-OXCTABL_R439")  # fmt: skip
def test_a_new_order_replaces_the_old_one(desk: Desk, table: int) -> None:
    assert subjects(desk, table, 3) == "abc"
    desk.sort(table, (tags.SUBJECT, DESCENDING))
    assert desk.position(table) == (0, 5)
    assert subjects(desk, table) == "edcba"
    desk.sort(table, (tags.IMPORTANCE, DESCENDING), (tags.SUBJECT, ASCENDING))
    assert subjects(desk, table) == "eabcd"
    desk.sort(table, (tags.IMPORTANCE, ASCENDING), (tags.SUBJECT, DESCENDING))
    assert subjects(desk, table) == "dcbae"


@pytest.mark.covers("MS-OXCTABL_R442", "MS-OXCTABL_R443", "MS-OXCTABL_R559", "MS-OXCTABL_R560")
def test_an_order_that_failed_leaves_the_table_unusable_until_reset(desk: Desk, table: int) -> None:
    reader, _ = desk.batch(b"\x13\0\0" + struct.pack("<BHHHIB", 0, 1, 2, 0, tags.SUBJECT, 0), table)
    assert (reader.u8(), reader.u8()) == (0x13, 0)
    assert reader.u32() == INVALID
    reader.end()
    failed, _ = desk.batch(b"\x15\0\0" + struct.pack("<BBH", 0, 1, 10), table)
    assert failed.data[2:6] != bytes(4), "rows of a table whose sort order failed"
    desk.reset(table)
    desk.set_columns(table, *COLUMNS)
    assert sorted(subjects(desk, table)) == list("abcde")


@pytest.mark.covers("MS-OXCTABL_R455", "MS-OXCTABL_R456")
def test_a_restriction_that_failed_leaves_the_table_unusable(desk: Desk, table: int) -> None:
    reader, _ = desk.batch(b"\x14\0\0" + struct.pack("<BH", 0, 3) + b"\x63\0\0", table)
    assert (reader.u8(), reader.u8()) == (0x14, 0)
    assert reader.u32() != 0
    reader.end()
    failed, _ = desk.batch(b"\x15\0\0" + struct.pack("<BBH", 0, 1, 10), table)
    assert failed.data[2:6] != bytes(4), "rows of a table whose restriction failed"
    desk.restrict(table, exists(tags.SUBJECT))
    assert sorted(subjects(desk, table)) == list("abcde")


@pytest.mark.parametrize("order", [5, 0x40, 0xFF])
def test_an_unknown_order_is_invalid(desk: Desk, table: int, order: int) -> None:
    desk.sort(table, (tags.SUBJECT, order), expect=INVALID)


# reset


@pytest.mark.covers("MS-OXCTABL_R256", "MS-OXCTABL_R258", "MS-OXCTABL_R553", "MS-OXCTABL_R554",
                    "MS-OXCTABL_R555", "MS-OXCTABL_R556", "MS-OXCTABL_R557", "MS-OXCTABL_R558",
                    "MS-OXCTABL_R561", "MS-OXCTABL_R564")  # fmt: skip
def test_reset_forgets_everything(desk: Desk, table: int) -> None:
    desk.restrict(table, compare(EQUAL, tags.IMPORTANCE, 0))
    subjects(desk, table, 1)
    desk.reset(table)
    assert desk.position(table) == (0, 5)
    desk.query_rows(table, COLUMNS, expect=NULL_OBJECT)
    desk.set_columns(table, *COLUMNS)
    assert sorted(subjects(desk, table)) == list("abcde")


# which tables and objects


@pytest.mark.covers("MS-OXCTABL_R436", "MS-OXCTABL_R450", "MS-OXCTABL_R461", "MS-OXCTABL_R477",
                    "MS-OXCTABL_R486", "MS-OXCTABL_R490", "MS-OXCTABL_R495", "MS-OXCTABL_R502",
                    "MS-OXCTABL_R512", "MS-OXCTABL_R521", "MS-OXCTABL_R529", "MS-OXCTABL_R533",
                    "MS-OXCTABL_R544", "MS-OXCTABL_R551", "MS-OXCTABL_R566", "MS-OXCTABL_R572",
                    "MS-OXCTABL_R578", "MS-OXCTABL_R584", "MS-OXCTABL_R590")  # fmt: skip
@pytest.mark.parametrize("kind", ["folder", "logon", "message"])
def test_other_objects_are_no_tables(desk: Desk, folder: Folder, kind: str) -> None:
    handle = {"folder": folder.handle, "logon": desk.logon, "message": desk.create_message(folder)}[kind]
    no = NOT_SUPPORTED
    desk.set_columns(handle, *COLUMNS, expect=no)
    desk.sort(handle, BY_SUBJECT, expect=no)
    desk.restrict(handle, exists(tags.SUBJECT), expect=no)
    desk.query_rows(handle, COLUMNS, expect=no)
    desk.abort(handle, expect=no)
    desk.status(handle, expect=no)
    desk.position(handle, expect=no)
    desk.seek_row(handle, BEGINNING, 0, expect=no)
    desk.seek_bookmark(handle, b"mark", 0, expect=no)
    desk.seek_fraction(handle, 0, 1, expect=no)
    desk.bookmark(handle, expect=no)
    desk.all_columns(handle, expect=no)
    desk.find_row(handle, COLUMNS, exists(tags.SUBJECT), expect=no)
    desk.free_bookmark(handle, b"mark", expect=no)
    desk.reset(handle, expect=no)
    desk.expand(handle, COLUMNS, 1, expect=no)
    desk.collapse(handle, 1, expect=no)
    desk.collapse_state(handle, expect=no)
    desk.set_collapse_state(handle, b"state", expect=no)


@pytest.mark.covers("MS-OXCTABL_R829", "MS-OXCTABL_R833", "MS-OXCTABL_R835", "MS-OXCTABL_R839",
                    "MS-OXCTABL_R840", "MS-OXCTABL_R844", "MS-OXCTABL_R848", "MS-OXCTABL_R852",
                    "MS-OXCTABL_R853", "MS-OXCTABL_R857", "MS-OXCTABL_R858", "MS-OXCTABL_R547",
                    "MS-OXCTABL_R450", "MS-OXCTABL_R566", "MS-OXCTABL_R572", "MS-OXCTABL_R578",
                    "MS-OXCTABL_R584", "MS-OXCTABL_R590")  # fmt: skip
def test_what_hierarchy_tables_do(desk: Desk) -> None:
    parent = desk.create_folder(desk.folder(INBOX), "parent")
    for name in ("one", "two", "three"):
        desk.create_folder(parent, name)
    table, many = desk.hierarchy(parent)
    assert many == 3
    columns = (tags.DISPLAY_NAME, tags.FID)
    desk.set_columns(table, *columns)
    names = [row[0] for row in desk.query_rows(table, columns)[1]]
    assert sorted(names) == ["one", "three", "two"]
    assert desk.position(table) == (3, 3)
    assert desk.seek_row(table, BEGINNING, 1) == (0, 1)
    mark = desk.bookmark(table)
    desk.seek_fraction(table, 0, 1)
    assert desk.seek_bookmark(table, mark, 0) == (0, 0, 0)
    desk.free_bookmark(table, mark)
    assert desk.status(table) == COMPLETE
    desk.abort(table, expect=UNABLE_TO_ABORT)
    found = desk.find_row(table, columns, compare(EQUAL, tags.DISPLAY_NAME, "two"))
    assert found is not None
    assert found.row is not None
    assert found.row[0] == "two"
    desk.restrict(table, compare(EQUAL, tags.DISPLAY_NAME, "one"))
    assert [row[0] for row in desk.query_rows(table, columns)[1]] == ["one"]
    no = NOT_SUPPORTED
    desk.sort(table, (tags.DISPLAY_NAME, ASCENDING), expect=no)
    desk.reset(table, expect=no)
    desk.expand(table, columns, 1, expect=no)
    desk.collapse(table, 1, expect=no)
    desk.collapse_state(table, expect=no)
    desk.set_collapse_state(table, b"state", expect=no)


@pytest.mark.covers("MS-OXCTABL_R830", "MS-OXCTABL_R832", "MS-OXCTABL_R836", "MS-OXCTABL_R841",
                    "MS-OXCTABL_R845", "MS-OXCTABL_R849", "MS-OXCTABL_R854", "MS-OXCTABL_R874",
                    "MS-OXCTABL_R512", "MS-OXCTABL_R529", "MS-OXCTABL_R486")  # fmt: skip
def test_what_rules_tables_do(desk: Desk) -> None:
    table = desk.rules_table(desk.folder(INBOX))
    columns = (0x66740014, 0x6682001F)
    desk.set_columns(table, *columns)
    assert desk.query_rows(table, columns) == (END, [])
    assert desk.status(table) == COMPLETE
    assert desk.position(table) == (0, 0)
    assert desk.seek_row(table, BEGINNING, 1) == (1, 0)
    desk.seek_fraction(table, 0, 1)
    desk.restrict(table, exists(columns[0]))
    desk.find_row(table, columns, exists(columns[0]), expect=NOT_FOUND)
    no = NOT_SUPPORTED
    desk.sort(table, (columns[0], ASCENDING), expect=no)
    desk.abort(table, expect=no)
    desk.bookmark(table, expect=no)
    desk.seek_bookmark(table, b"mark", 0, expect=no)
    desk.reset(table, expect=no)


# multivalue instances


@pytest.mark.covers("MS-OXCTABL_R433", "MS-OXCTABL_R448", "MS-OXCTABL_R8", "MS-OXCTABL_R12", "MS-OXCTABL_R6",
                    "MS-OXCTABL_R10")  # fmt: skip
def test_a_row_for_each_value(desk: Desk, folder: Folder) -> None:
    many = tag(0x6FF9, MULTIPLE | UNICODE)
    single = many | INSTANCE
    message = desk.create_message(folder)
    desk.set(message, {tags.SUBJECT: "foxtrot", many: ["red", "green", "blue"]})
    desk.save(message)
    table, _ = desk.contents(folder)
    columns = (single, tags.SUBJECT, tags.INSTANCE_ID, tags.INSTANCE_NUMBER)
    desk.set_columns(table, *columns)
    desk.sort(table, (single, ASCENDING))
    assert desk.position(table)[1] == 5 + 3
    rows = [row for row in desk.query_rows(table, columns)[1] if row[1] == "foxtrot"]
    assert [row[0] for row in rows] == ["blue", "green", "red"]
    assert len({row[2] for row in rows}) == 1
    assert len({row[3] for row in rows}) == 3


def test_the_folders_of_the_mailbox_are_listed(desk: Desk) -> None:
    table, many = desk.hierarchy(desk.folder(ROOT))
    names = [row[0] for row in desk.rows(table, tags.DISPLAY_NAME)]
    assert len(names) == many
    deep, more = desk.hierarchy(desk.folder(TOP), 0x04 | 0x10)
    rows = desk.rows(deep, tags.DISPLAY_NAME, tags.DEPTH)
    assert len(rows) == more
    assert "Inbox" in [row[0] for row in rows]


def test_a_buffer_too_small_for_a_row(desk: Desk, folder: Folder) -> None:
    message = desk.create_message(folder)
    desk.set(message, {tags.SUBJECT: "a" * 250, tags.MESSAGE_CLASS: "IPM.Note." + "b" * 100})
    desk.save(message)
    table, _ = desk.contents(folder)
    desk.set_columns(table, tags.SUBJECT, tags.MESSAGE_CLASS)
    desk.sort(table, (tags.SUBJECT, ASCENDING))
    request = b"\x15\0\0" + struct.pack("<BBH", 0, 1, 100)
    data, _ = desk.mapi.execute(request, [table], max_out=8 + 2 + 4 + 60)
    assert data[0] in (0x15, 0xFF)
    if data[0] == 0x15:
        assert int.from_bytes(data[2:6], "little") == BUFFER_TOO_SMALL
