"""Positions: UpdateStat, QueryRows, SeekEntries, ResortRestriction, CompareMIds. MS-OXNSPI 3.1.4.5."""

from dataclasses import replace

import pytest

from tests.conformance.book import Book, id_of
from tests.conformance.client import Mapi
from tests.conformance.nspi import (
    BEGINNING,
    BY_NAME_READ_ONLY,
    BY_NAME_WRITABLE,
    BY_PHONETIC_NAME,
    CONTAINER_ID,
    CURRENT,
    DEPARTMENT,
    DISPLAY_NAME,
    DISPLAY_NAME_8,
    DISPLAY_TYPE,
    END,
    ENTRY_ID,
    EPHEMERAL,
    GENERAL_FAILURE,
    INVALID_BOOKMARK,
    INVALID_CODE_PAGE,
    NO_SUCH_ID,
    NOT_FOUND,
    OBJECT_TYPE,
    OFFICE,
    PERMITTED,
    PHONE,
    SUCCESS,
    UNICODE,
    UNKNOWN_CODE_PAGE,
    Missing,
    Stat,
    Value,
    call,
    compare,
    compare_answer,
    query_rows,
    resort,
    resort_answer,
    rows_answer,
    seek,
    stat_answer,
    tagged,
    update_stat,
)

KNOWN = [
    *("Anna Berger", "Ben Adler", "Bernd Adler", "clara zimmer", "Great Hall"),
    *("Örn Ægisson", "Paula Partner", "Team of All"),
]
"""Who is in the address book beside "Person 1" and so on, in its order: neither case nor accents count."""

DEFAULT_COLUMNS = [
    *(CONTAINER_ID, OBJECT_TYPE, DISPLAY_TYPE),
    *(tag & ~1 for tag in (DISPLAY_NAME, PHONE, DEPARTMENT, OFFICE)),
]
"""R1627: the strings are of eight bits."""


def names(client: Mapi, stat: Stat | None = None, rows: int = 500) -> list[Value]:
    """The display names of a table."""
    body = query_rows(stat or Stat(), columns=[DISPLAY_NAME], rows=rows)
    error, _, columns, found = call(client, "QueryRows", body, rows_answer)
    assert (error, columns) == (SUCCESS, [DISPLAY_NAME])
    return [row[0] for row in found]


def ids(client: Mapi) -> list[int]:
    """The Minimal Entry IDs of the global address list, walked by UpdateStat."""
    walked = []
    stat = Stat()
    while True:
        error, after, _ = call(client, "UpdateStat", update_stat(stat), stat_answer)
        assert error == SUCCESS
        assert after
        if after.current == END:
            return walked
        walked.append(after.current)
        stat = replace(after, delta=1)


def moved(client: Mapi, stat: Stat) -> tuple[Stat, int]:
    """The state after UpdateStat, and the distance."""
    error, after, delta = call(client, "UpdateStat", update_stat(stat), stat_answer)
    assert error == SUCCESS
    assert after is not None
    assert delta is not None
    return after, delta


@pytest.mark.covers("MS-OXNSPI_R328", "MS-OXNSPI_R332", "MS-OXNSPI_R333", "MS-OXNSPI_R796", "MS-OXNSPI_R797")
def test_the_beginning(nspi: Mapi) -> None:
    total = len(names(nspi))
    after, delta = moved(nspi, Stat(position=77, total=99))
    assert (after.position, after.total, delta) == (0, total, 0)
    assert after.current >= 0x10, "2.2.9.1: small numbers are no objects"


@pytest.mark.covers("MS-OXNSPI_R795", "MS-OXNSPI_R549", "MS-OXNSPI_R550", "MS-OXNSPI_R547", "MS-OXNSPI_R559")
@pytest.mark.parametrize("delta", [0, 1, 3])
def test_forward(nspi: Mapi, delta: int) -> None:
    table = ids(nspi)
    after, walked = moved(nspi, Stat(delta=delta))
    assert (after.current, after.position, walked) == (table[delta], delta, delta)


@pytest.mark.covers("MS-OXNSPI_R799", "MS-OXNSPI_R314", "MS-OXNSPI_R324", "MS-OXNSPI_R337", "MS-OXNSPI_R344")
def test_the_other_fields_stay(nspi: Mapi) -> None:
    before = Stat(code_page=1251, template_locale=1031, sort_locale=1033, delta=2)
    after, _ = moved(nspi, before)
    assert after == replace(before, delta=0, current=after.current, position=2, total=after.total)


@pytest.mark.covers("MS-OXNSPI_R554", "MS-OXNSPI_R1704", "MS-OXNSPI_R81")
def test_past_the_end(nspi: Mapi) -> None:
    total = len(names(nspi))
    after, walked = moved(nspi, Stat(delta=0x7FFFFFFF))
    assert (after.current, after.position, after.total) == (END, total, total)
    assert walked == total


@pytest.mark.covers("MS-OXNSPI_R548", "MS-OXNSPI_R1758")
def test_back_from_the_end(nspi: Mapi) -> None:
    table = ids(nspi)
    after, walked = moved(nspi, Stat(current=END, delta=-1))
    assert (after.current, after.position, walked) == (table[-1], len(table) - 1, -1)


@pytest.mark.covers("MS-OXNSPI_R1743", "MS-OXNSPI_R1744")
def test_before_the_beginning(nspi: Mapi) -> None:
    table = ids(nspi)
    after, walked = moved(nspi, Stat(current=table[2], delta=-0x80000000))
    assert (after.current, after.position, walked) == (table[0], 0, -2)


@pytest.mark.covers("MS-OXNSPI_R791", "MS-OXNSPI_R540", "MS-OXNSPI_R326001", "MS-OXNSPI_R331001")
def test_an_object_as_position(nspi: Mapi) -> None:
    table = ids(nspi)
    after, walked = moved(nspi, Stat(current=table[3], delta=1, position=1, total=7))
    assert (after.current, after.position, walked) == (table[4], 4, 1)


@pytest.mark.covers("MS-OXNSPI_R793", "MS-OXNSPI_R577", "MS-OXNSPI_R578", "MS-OXNSPI_R82", "MS-OXNSPI_R1742")
@pytest.mark.parametrize(("position", "total"), [(0, 10), (1, 2), (1, 3), (999, 1000)])
def test_fractions(nspi: Mapi, position: int, total: int) -> None:
    table = ids(nspi)
    wanted = len(table) * position // total
    after, walked = moved(nspi, Stat(current=CURRENT, position=position, total=total))
    assert (after.current, after.position, walked) == (table[wanted], wanted, 0)


@pytest.mark.covers(
    "MS-OXNSPI_R580", "MS-OXNSPI_R1747", "MS-OXNSPI_R1748", "MS-OXNSPI_R586", "MS-OXNSPI_R587"
)
def test_fractions_at_the_edges(nspi: Mapi) -> None:
    table = ids(nspi)
    beyond, _ = moved(nspi, Stat(current=CURRENT, position=5, total=2))
    assert beyond.current in (END, table[-1])
    past, _ = moved(nspi, Stat(current=CURRENT, position=1, total=2, delta=10_000))
    assert past.current == END
    before, _ = moved(nspi, Stat(current=CURRENT, position=1, total=2, delta=-10_000))
    assert before.current == table[0]


@pytest.mark.parametrize("position", [0, 5, 0xFFFFFFFF])
def test_fractions_of_nothing(nspi: Mapi, position: int) -> None:
    after, _ = moved(nspi, Stat(current=CURRENT, position=position, total=0))
    assert after.total == len(names(nspi))


@pytest.mark.covers("MS-OXNSPI_R1868", "MS-OXCMAPIHTTP_R1085")
def test_no_distance_asked(nspi: Mapi) -> None:
    error, after, delta = call(nspi, "UpdateStat", update_stat(Stat(delta=1), delta=False), stat_answer)
    assert (error, delta) == (SUCCESS, None)
    assert after is not None
    assert after.position == 1


@pytest.mark.covers("MS-OXNSPI_R792", "MS-OXNSPI_R784", "MS-OXNSPI_R349")
@pytest.mark.parametrize("current", [3, 0xF, NO_SUCH_ID, 0xFFFFFFFF])
def test_an_unknown_row(nspi: Mapi, current: int) -> None:
    before = Stat(current=current)
    error, after, _ = call(nspi, "UpdateStat", update_stat(before), stat_answer)
    assert error == NOT_FOUND
    assert after in (None, before)


@pytest.mark.covers(
    "MS-OXNSPI_R789", "MS-OXNSPI_R784", "MS-OXNSPI_R948", "MS-OXNSPI_R1033", "MS-OXNSPI_R1230"
)
@pytest.mark.covers("MS-OXNSPI_R943", "MS-OXNSPI_R1762", "MS-OXNSPI_R1630", "MS-OXNSPI_R1631")
@pytest.mark.parametrize("container", [CURRENT, END, NO_SUCH_ID])
def test_an_unknown_container(nspi: Mapi, container: int) -> None:
    lost = Stat(container=container)
    error, after, _ = call(nspi, "UpdateStat", update_stat(lost), stat_answer)
    assert error == INVALID_BOOKMARK
    assert after in (None, lost)
    error, after, columns, _ = call(nspi, "QueryRows", query_rows(lost), rows_answer)
    assert (error, columns) == (INVALID_BOOKMARK, [])
    assert after in (None, lost)
    body = seek(lost, tagged(DISPLAY_NAME, "A"), columns=[DISPLAY_NAME])
    error, after, columns, _ = call(nspi, "SeekEntries", body, rows_answer)
    assert (error, columns) == (INVALID_BOOKMARK, [])
    assert after in (None, lost)
    first = ids(nspi)[0]
    assert call(nspi, "CompareMIds", compare(lost, first, first), compare_answer)[0] == INVALID_BOOKMARK


@pytest.mark.covers("MS-OXNSPI_R93", "MS-OXNSPI_R94", "MS-OXNSPI_R1749", "MS-OXNSPI_R967", "MS-OXNSPI_R1763")
def test_rows_are_sorted_by_name(nspi: Mapi) -> None:
    assert [name for name in names(nspi) if name in KNOWN] == KNOWN


@pytest.mark.covers("MS-OXNSPI_R1627", "MS-OXNSPI_R952")
def test_default_columns(nspi: Mapi) -> None:
    error, _, columns, rows = call(nspi, "QueryRows", query_rows(Stat()), rows_answer)
    assert (error, columns) == (SUCCESS, DEFAULT_COLUMNS)
    assert [0, 6, 0, "Anna Berger", "+43 1 2345", "Sales", "12 North"] in rows


@pytest.mark.covers("MS-OXNSPI_R988", "MS-OXNSPI_R1701", "MS-OXNSPI_R969", "MS-OXNSPI_R527")
def test_reading_in_pages(nspi: Mapi) -> None:
    whole = names(nspi)
    stat, read = Stat(), []
    while True:
        error, after, _, rows = call(
            nspi, "QueryRows", query_rows(stat, columns=[DISPLAY_NAME], rows=4), rows_answer
        )
        assert error == SUCCESS
        assert after is not None
        read += [row[0] for row in rows]
        assert (after.position, after.total, after.delta) == (len(read), len(whole), 0)
        stat = after
        if after.current == END:
            break
    assert read == whole


@pytest.mark.covers("MS-OXNSPI_R969")
def test_reading_from_a_distance(nspi: Mapi) -> None:
    whole = names(nspi)
    assert names(nspi, Stat(delta=2)) == whole[2:]
    assert names(nspi, Stat(current=END, delta=-2)) == whole[-2:]
    assert names(nspi, Stat(current=ids(nspi)[5])) == whole[5:]


@pytest.mark.covers("MS-OXNSPI_R986")
def test_reading_at_the_end(nspi: Mapi) -> None:
    error, after, _, rows = call(nspi, "QueryRows", query_rows(Stat(current=END)), rows_answer)
    assert (error, rows) == (SUCCESS, [])
    assert after is not None
    assert after.current == END


@pytest.mark.covers("MS-OXNSPI_R958", "MS-OXNSPI_R971", "MS-OXNSPI_R975", "MS-OXNSPI_R907", "MS-OXNSPI_R512")
def test_an_explicit_table(nspi: Mapi) -> None:
    table, whole = ids(nspi), names(nspi)
    wanted = [table[4], NO_SUCH_ID, table[1], table[4]]
    before = Stat(current=table[2], position=9)
    body = query_rows(before, columns=[DISPLAY_NAME], ids=wanted, rows=10)
    error, after, _, rows = call(nspi, "QueryRows", body, rows_answer)
    assert error == SUCCESS
    assert [row[0] for row in rows] == [whole[4], Missing(NOT_FOUND), whole[1], whole[4]]
    assert isinstance(rows[1][0], Missing)
    assert after in (None, before), "only the table of the state moves: constraint 16"


@pytest.mark.covers("MS-OXNSPI_R948", "MS-OXNSPI_R962")
def test_an_explicit_table_needs_no_container(nspi: Mapi) -> None:
    first = ids(nspi)[0]
    body = query_rows(Stat(container=0), columns=[DISPLAY_NAME], ids=[first, first], rows=1)
    error, _, _, rows = call(nspi, "QueryRows", body, rows_answer)
    assert (error, len(rows)) == (SUCCESS, 1)


@pytest.mark.covers("MS-OXNSPI_R105", "MS-OXNSPI_R899", "MS-OXNSPI_R901")
def test_kinds_of_entry_ids(nspi: Mapi) -> None:
    for flags, kind in ((EPHEMERAL, 0x87), (0, 0)):
        body = query_rows(Stat(), columns=[ENTRY_ID], flags=flags)
        _, _, _, rows = call(nspi, "QueryRows", body, rows_answer)
        assert all(isinstance(row[0], bytes) and row[0][0] == kind for row in rows)


@pytest.mark.covers("MS-OXNSPI_R921", "MS-OXNSPI_R1926", "MS-OXCMAPIHTTP_R1326", "MS-OXCMAPIHTTP_R808")
def test_other_flags_of_query_rows(nspi: Mapi) -> None:
    plain = nspi.post("QueryRows", query_rows(Stat(), columns=[ENTRY_ID])).body
    assert nspi.post("QueryRows", query_rows(Stat(), columns=[ENTRY_ID], flags=0xFFFFFFFC)).body == plain


@pytest.mark.covers("MS-OXNSPI_R939", "MS-OXNSPI_R935", "MS-OXNSPI_R982")
def test_odd_queries(nspi: Mapi) -> None:
    assert call(nspi, "QueryRows", query_rows(Stat(), rows=0), rows_answer)[0] in PERMITTED
    odd = Stat(code_page=UNICODE)
    assert call(nspi, "QueryRows", query_rows(odd, columns=[DISPLAY_NAME]), rows_answer)[0] == SUCCESS
    error, _, columns, _ = call(nspi, "QueryRows", query_rows(None, columns=[DISPLAY_NAME]), rows_answer)
    assert error == GENERAL_FAILURE
    assert columns == []
    lost = query_rows(Stat(code_page=UNKNOWN_CODE_PAGE), columns=[DISPLAY_NAME_8])
    error, _, columns, _ = call(nspi, "QueryRows", lost, rows_answer)
    assert (error, columns) == (INVALID_CODE_PAGE, [])


@pytest.mark.covers(
    "MS-OXCMAPIHTTP_R1298", "MS-OXCMAPIHTTP_R1299", "MS-OXCMAPIHTTP_R450", "MS-OXCMAPIHTTP_R453"
)
def test_columns_of_unspecified_type(nspi: Mapi) -> None:
    columns = [DISPLAY_NAME & 0xFFFF0000, DEPARTMENT, 0x66660000]
    error, _, _, rows = call(nspi, "QueryRows", query_rows(Stat(), columns=columns, rows=3), rows_answer)
    assert error == SUCCESS
    assert rows[0][:2] == ["Anna Berger", "Sales"]
    assert isinstance(rows[0][2], Missing)


@pytest.mark.covers("MS-OXNSPI_R446", "MS-OXNSPI_R1935", "MS-OXNSPI_R1943", "MS-OXNSPI_R336")
def test_strings_in_the_code_page(nspi: Mapi) -> None:
    whole = names(nspi)
    stat = Stat(delta=whole.index("Örn Ægisson"))
    body = query_rows(stat, columns=[DISPLAY_NAME_8, DISPLAY_NAME], rows=1)
    assert call(nspi, "QueryRows", body, rows_answer)[3] == [["Örn Ægisson", "Örn Ægisson"]]
    body = query_rows(replace(stat, code_page=1251), columns=[DISPLAY_NAME_8], rows=1)
    ((name,),) = call(nspi, "QueryRows", body, rows_answer)[3]
    assert isinstance(name, str)
    assert name.isascii(), "no letter of 1252 that 1251 does not have"


@pytest.mark.covers(
    "MS-OXNSPI_R1047", "MS-OXNSPI_R1050", "MS-OXNSPI_R1051", "MS-OXNSPI_R1053", "MS-OXNSPI_R1054"
)
@pytest.mark.parametrize(
    ("target", "found"), [("Ben Adler", "Ben Adler"), ("BEN", "Ben Adler"), ("bernc", "Bernd Adler"), ("", 0)]
)
@pytest.mark.parametrize("tag", [DISPLAY_NAME, DISPLAY_NAME_8])
@pytest.mark.parametrize("marked", [True, False])
def test_seek(nspi: Mapi, target: str, found: str | int, tag: int, marked: bool) -> None:
    if not (target or marked):
        target = " "  # an empty string without its mark looks like one that is marked as absent
    whole, table = names(nspi), ids(nspi)
    row = whole.index(found) if isinstance(found, str) else found
    before = Stat(current=END)
    body = seek(before, tagged(tag, target, marked=marked))
    error, after, columns, _ = call(nspi, "SeekEntries", body, rows_answer)
    assert (error, columns) == (SUCCESS, [])
    assert after == replace(before, current=table[row], position=row, total=len(whole)), "R1055"


@pytest.mark.covers("MS-OXNSPI_R1057", "MS-OXNSPI_R1058", "MS-OXNSPI_R1695", "MS-OXNSPI_R1075")
def test_seek_with_columns(nspi: Mapi) -> None:
    whole = names(nspi)
    body = seek(Stat(), tagged(DISPLAY_NAME, "clara"), columns=[DISPLAY_NAME, ENTRY_ID])
    error, after, columns, rows = call(nspi, "SeekEntries", body, rows_answer)
    assert (error, columns) == (SUCCESS, [DISPLAY_NAME, ENTRY_ID])
    at = whole.index("clara zimmer")
    assert after is not None
    assert after.position == at
    assert rows
    assert [row[0] for row in rows] == whole[at : at + len(rows)]
    assert all(isinstance(row[1], bytes) and row[1][0] == 0x87 for row in rows), "fEphID is used"


@pytest.mark.covers("MS-OXNSPI_R1037", "MS-OXNSPI_R1052", "MS-OXNSPI_R1755")
def test_seek_in_an_explicit_table(nspi: Mapi) -> None:
    whole, table = names(nspi), ids(nspi)
    chosen = [table[whole.index(name)] for name in KNOWN if name != "Ben Adler"]
    body = seek(Stat(), tagged(DISPLAY_NAME, "Ben"), ids=chosen, columns=[DISPLAY_NAME])
    error, after, _, rows = call(nspi, "SeekEntries", body, rows_answer)
    assert error == SUCCESS
    assert after is not None
    assert (after.current, after.position, after.total) == (chosen[1], 1, len(chosen))
    assert [row[0] for row in rows] == KNOWN[2:]


@pytest.mark.covers("MS-OXNSPI_R1048", "MS-OXNSPI_R1630", "MS-OXNSPI_R1631")
@pytest.mark.parametrize("target", [tagged(DISPLAY_NAME, "\uffee" * 4), tagged(DISPLAY_NAME, "zzzz")])
def test_seek_nobody(nspi: Mapi, target: bytes) -> None:
    before = Stat()
    body = seek(before, target, columns=[DISPLAY_NAME])
    error, after, columns, _ = call(nspi, "SeekEntries", body, rows_answer)
    assert (error, columns) == (NOT_FOUND, [])
    assert after in (None, before)


@pytest.mark.covers("MS-OXNSPI_R1039", "MS-OXNSPI_R1043")
@pytest.mark.parametrize(
    ("stat", "target"),
    [
        (Stat(sort=BY_PHONETIC_NAME), tagged(DISPLAY_NAME, "A")),
        (Stat(sort=BY_NAME_READ_ONLY), tagged(DISPLAY_NAME, "A")),
        (Stat(sort=BY_NAME_WRITABLE), tagged(DISPLAY_NAME, "A")),
        (Stat(sort=17), tagged(DISPLAY_NAME, "A")),
        (Stat(), tagged(DISPLAY_TYPE, 0)),
        (Stat(), tagged(DEPARTMENT, "Sales")),
    ],
    ids=str,
)
def test_seek_by_something_else(nspi: Mapi, stat: Stat, target: bytes) -> None:
    error, after, columns, _ = call(nspi, "SeekEntries", seek(stat, target), rows_answer)
    assert (error, columns) == (GENERAL_FAILURE, [])
    assert after in (None, stat)


@pytest.mark.covers("MS-OXNSPI_R1002", "MS-OXNSPI_R1702", "MS-OXCMAPIHTTP_R1316", "MS-OXNSPI_R1024")
def test_seek_ignores_reserved(nspi: Mapi) -> None:
    body = seek(Stat(), tagged(DISPLAY_NAME, "Ben"))
    odd = seek(Stat(), tagged(DISPLAY_NAME, "Ben"), reserved=7)
    assert nspi.post("SeekEntries", odd).body == nspi.post("SeekEntries", body).body


@pytest.mark.covers(
    "MS-OXNSPI_R1196", "MS-OXNSPI_R1197", "MS-OXNSPI_R1198", "MS-OXNSPI_R1199", "MS-OXNSPI_R1204"
)
def test_resort(nspi: Mapi) -> None:
    table = ids(nspi)
    before = Stat(current=table[3], delta=4, position=7)
    body = resort(before, [table[5], NO_SUCH_ID, table[3], 0, table[1]])
    error, after, found = call(nspi, "ResortRestriction", body, resort_answer)
    assert (error, found) == (SUCCESS, [table[1], table[3], table[5]])
    assert after is not None
    assert (after.current, after.total, after.delta, after.container) == (table[3], 3, 4, 0), "R1207"
    assert after.position in (1, 7), "MS-NSPI 3.1.4.11 sets it, MS-OXNSPI does not name it"


@pytest.mark.covers("MS-OXNSPI_R1205", "MS-OXNSPI_R1759", "MS-OXNSPI_R1207")
def test_resort_without_the_current_row(nspi: Mapi) -> None:
    table = ids(nspi)
    before = Stat(current=table[0], position=7)
    error, after, _ = call(nspi, "ResortRestriction", resort(before, table[1:3]), resort_answer)
    assert error == SUCCESS
    assert after == replace(before, current=BEGINNING, position=0, total=2)


@pytest.mark.covers("MS-OXNSPI_R1194002")
def test_resort_by_phonetic_name(nspi: Mapi) -> None:
    table = ids(nspi)
    error, _, found = call(
        nspi, "ResortRestriction", resort(Stat(sort=BY_PHONETIC_NAME), table[:3][::-1]), resort_answer
    )
    assert error == SUCCESS
    assert found is not None
    assert sorted(found) == sorted(table[:3])


@pytest.mark.covers("MS-OXNSPI_R1185", "MS-OXNSPI_R1181")
@pytest.mark.parametrize("stat", [Stat(sort=BY_NAME_READ_ONLY), Stat(code_page=UNICODE)], ids=str)
def test_resort_of_odd_states(nspi: Mapi, stat: Stat) -> None:
    assert call(nspi, "ResortRestriction", resort(stat, ids(nspi)[:2]), resort_answer)[0] in PERMITTED


@pytest.mark.covers("MS-OXNSPI_R1171", "MS-OXNSPI_R1915", "MS-OXCMAPIHTTP_R1315")
def test_resort_ignores_reserved(nspi: Mapi) -> None:
    some = ids(nspi)[:2]
    odd = nspi.post("ResortRestriction", resort(Stat(), some, reserved=9)).body
    assert odd == nspi.post("ResortRestriction", resort(Stat(), some)).body


@pytest.mark.covers("MS-OXNSPI_R1236", "MS-OXNSPI_R1238", "MS-OXNSPI_R1240", "MS-OXCMAPIHTTP_R2109")
def test_compare(nspi: Mapi) -> None:
    table = ids(nspi)
    for first, second in ((0, 0), (1, 2), (5, 3), (0, len(table) - 1)):
        error, result = call(
            nspi, "CompareMIds", compare(Stat(), table[first], table[second], reserved=first), compare_answer
        )
        assert error == SUCCESS
        assert (result > 0) - (result < 0) == (first > second) - (first < second)


@pytest.mark.covers("MS-OXNSPI_R1234", "MS-OXNSPI_R84")
@pytest.mark.parametrize(
    ("first", "second"), [(0, 1), (NO_SUCH_ID, NO_SUCH_ID), (None, 0), (0, None), (2, 2)]
)
def test_compare_what_is_not_there(nspi: Mapi, first: int | None, second: int | None) -> None:
    known = ids(nspi)[0]
    body = compare(Stat(), known if first is None else first, known if second is None else second)
    assert call(nspi, "CompareMIds", body, compare_answer)[0] == GENERAL_FAILURE


@pytest.mark.covers("MS-OXNSPI_R780", "MS-OXNSPI_R1016", "MS-OXNSPI_R1223")
def test_unicode_states(nspi: Mapi) -> None:
    stat = Stat(code_page=UNICODE)
    known = ids(nspi)[0]
    assert call(nspi, "UpdateStat", update_stat(stat), stat_answer)[0] in PERMITTED
    assert call(nspi, "CompareMIds", compare(stat, known, known), compare_answer)[0] in PERMITTED
    assert call(nspi, "SeekEntries", seek(stat, tagged(DISPLAY_NAME, "A")), rows_answer)[0] in PERMITTED


@pytest.mark.covers("MS-OXNSPI_R772", "MS-OXNSPI_R1676", "MS-OXCMAPIHTTP_R1317")
def test_update_stat_ignores_reserved(nspi: Mapi) -> None:
    plain = nspi.post("UpdateStat", update_stat(Stat(delta=2))).body
    assert nspi.post("UpdateStat", update_stat(Stat(delta=2), reserved=0xFFFFFFFF)).body == plain


def test_ids_are_those_of_names(book: Book, nspi: Mapi) -> None:
    mine = id_of(nspi, book.me.dn)
    assert names(nspi, Stat(current=mine), rows=1) == [book.me.name]
