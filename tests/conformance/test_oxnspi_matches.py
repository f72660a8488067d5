"""GetMatches and ResolveNames: restrictions, tables of objects, ambiguous names. MS-OXNSPI 3.1.4.1.10."""

import struct
from dataclasses import replace

import pytest

from tests.conformance.book import TEAM
from tests.conformance.client import Mapi
from tests.conformance.nspi import (
    AMBIGUOUS,
    BY_NAME_READ_ONLY,
    BY_NAME_WRITABLE,
    BY_PHONETIC_NAME,
    CURRENT,
    DEPARTMENT,
    DISPLAY_NAME,
    DISPLAY_NAME_8,
    DISPLAY_TYPE,
    END,
    ENTRY_ID,
    GENERAL_FAILURE,
    GIVEN_NAME,
    INSTANCE_KEY,
    INVALID_BOOKMARK,
    INVALID_CODE_PAGE,
    MEMBER,
    MEMBER_OF,
    NO_SUCH_ID,
    NOT_SUPPORTED,
    OBJECT_TYPE,
    PERMITTED,
    PHONE,
    PROXY_ADDRESSES,
    PUBLIC_DELEGATES,
    RESOLVED,
    SMTP_ADDRESS,
    SUCCESS,
    SURNAME,
    TABLE_TOO_BIG,
    TITLE,
    TOO_COMPLEX,
    UNICODE,
    UNKNOWN_CODE_PAGE,
    UNRESOLVED,
    Stat,
    both,
    call,
    compared,
    content,
    exists,
    get_matches,
    matches_answer,
    negated,
    query_rows,
    resolve_answer,
    resolve_names,
    rows_answer,
)
from tests.conformance.test_oxnspi_objects import somebody
from tests.conformance.test_oxnspi_tables import DEFAULT_COLUMNS

FULL, SUBSTRING, PREFIX = 0, 1, 2
LOOSE, IGNORE_ACCENTS = 1, 2
ANR = 0x360C001F

PEOPLE = compared(DISPLAY_TYPE, 4, 0)
ADLERS = ["Ben Adler", "Bernd Adler"]


def names(client: Mapi, restriction: bytes, stat: Stat | None = None) -> list[object]:
    """The display names of what a restriction leaves."""
    body = get_matches(stat or Stat(), restriction, columns=[DISPLAY_NAME])
    error, _, ids, found = call(client, "GetMatches", body, matches_answer)
    assert error == SUCCESS
    assert ids is not None
    assert found is not None
    columns, rows = found
    assert columns == [DISPLAY_NAME]
    assert len(rows) == len(ids)
    return [row[0] for row in rows]


@pytest.mark.covers(
    "MS-OXNSPI_R1908", "MS-OXNSPI_R1909", "MS-OXNSPI_R1910", "MS-OXNSPI_R1911", "MS-OXNSPI_R1912"
)
@pytest.mark.covers(
    "MS-OXNSPI_R1913", "MS-OXNSPI_R1914", "MS-OXNSPI_R1124", "MS-OXNSPI_R1127", "MS-OXNSPI_R1128"
)
@pytest.mark.covers("MS-OXNSPI_R509")
@pytest.mark.parametrize(
    ("restriction", "expected"),
    [
        (content(DISPLAY_NAME, "anna ber", PREFIX), ["Anna Berger"]),
        (content(DISPLAY_NAME, "ADLER", SUBSTRING), ADLERS),
        (content(DISPLAY_NAME, "clara zimmer", FULL), ["clara zimmer"]),
        (content(DISPLAY_NAME, "orn ", PREFIX, LOOSE | IGNORE_ACCENTS), ["Örn Ægisson"]),
        (content(DISPLAY_NAME, "Zimmer Clara", FULL), []),
        (content(DISPLAY_NAME_8, "Örn", PREFIX), ["Örn Ægisson"]),
        (content(SURNAME, "adler", FULL), ADLERS),
        (compared(DISPLAY_NAME, 4, "anna berger"), ["Anna Berger"]),
        (compared(SURNAME, 4, "Adler"), ADLERS),
        (both(compared(SURNAME, 4, "Adler"), compared(DEPARTMENT, 4, "Support")), ["Bernd Adler"]),
        (
            both(compared(TITLE, 4, "Director"), compared(DEPARTMENT, 4, "Support"), operator=1),
            ["Anna Berger", "Bernd Adler"],
        ),
        (both(exists(DEPARTMENT), negated(exists(TITLE))), ADLERS),
        (both(compared(SURNAME, 4, "Adler"), negated(content(GIVEN_NAME, "bernd"))), ["Ben Adler"]),
        (both(exists(SURNAME), compared(SURNAME, 0, "B")), [*ADLERS, "Örn Ægisson"]),
        (compared(SURNAME, 3, "Zimmer"), ["clara zimmer"]),
        (both(exists(SURNAME), compared(SURNAME, 5, "Adler"), exists(PHONE)), ["Anna Berger"]),
        (compared(DISPLAY_TYPE, 4, 1), ["Team of All"]),
        (compared(OBJECT_TYPE, 4, 8), ["Team of All"]),
        (compared(SMTP_ADDRESS, 4, "BEN@example.test"), ["Ben Adler"]),
        (content(ANR, "berger"), ["Anna Berger"]),
        (compared(ANR, 4, "=ben@example.test"), ["Ben Adler"]),
        (both(), None),
        (both(operator=1), []),
        (exists(0x6666001F), []),
    ],
    ids=lambda value: value[:12].hex() if isinstance(value, bytes) else "",
)
def test_restrictions(nspi: Mapi, restriction: bytes, expected: list[str] | None) -> None:
    found = names(nspi, restriction)
    if expected is None:
        assert len(found) > 10
    else:
        assert found == expected


@pytest.mark.covers("MS-OXNSPI_R1696", "MS-OXNSPI_R1154", "MS-OXNSPI_R1166", "MS-OXNSPI_R1128")
def test_rows_are_those_of_query_rows(nspi: Mapi) -> None:
    columns = [ENTRY_ID, DISPLAY_NAME_8, TITLE, INSTANCE_KEY]
    body = get_matches(Stat(), exists(SURNAME), columns=columns)
    error, stat, ids, found = call(nspi, "GetMatches", body, matches_answer)
    assert error == SUCCESS
    assert ids is not None
    assert found is not None
    again = query_rows(stat, columns=columns, ids=ids, rows=len(ids), flags=2)
    assert call(nspi, "QueryRows", again, rows_answer)[2:] == found
    assert [row[3] for row in found[1]] == [struct.pack("<I", one) for one in ids]


@pytest.mark.covers("MS-OXNSPI_R1146", "MS-OXNSPI_R1147", "MS-OXNSPI_R318", "MS-OXNSPI_R1165")
def test_the_state_after(nspi: Mapi) -> None:
    before = Stat(current=somebody(nspi, "Ben Adler"), position=3, total=9, template_locale=1031)
    body = get_matches(before, exists(SURNAME), columns=[DISPLAY_NAME])
    error, after, _, _ = call(nspi, "GetMatches", body, matches_answer)
    assert (error, after) == (SUCCESS, replace(before, container=before.current))


@pytest.mark.covers("MS-OXNSPI_R1154", "MS-OXCMAPIHTTP_R1296", "MS-OXNSPI_R1167")
def test_ids_alone(nspi: Mapi) -> None:
    error, _, ids, found = call(nspi, "GetMatches", get_matches(Stat(), exists(TITLE)), matches_answer)
    assert (error, found) == (SUCCESS, None)
    assert ids == [somebody(nspi, "Anna Berger")]


@pytest.mark.covers("MS-OXNSPI_R1149", "MS-OXNSPI_R1635", "MS-OXNSPI_R1756", "MS-OXNSPI_R1636")
@pytest.mark.parametrize("most", [0, 1])
def test_more_than_asked(nspi: Mapi, most: int) -> None:
    body = get_matches(Stat(), exists(SURNAME), columns=[DISPLAY_NAME], rows=most)
    error, after, ids, found = call(nspi, "GetMatches", body, matches_answer)
    assert (error, ids, found) == (TABLE_TOO_BIG, None, None)
    assert after in (None, Stat())


@pytest.mark.covers("MS-OXNSPI_R1149")
def test_as_many_as_asked(nspi: Mapi) -> None:
    body = get_matches(Stat(), compared(SURNAME, 4, "Adler"), rows=2)
    error, _, ids, _ = call(nspi, "GetMatches", body, matches_answer)
    assert error == SUCCESS
    assert ids is not None
    assert len(ids) == 2


@pytest.mark.covers("MS-OXNSPI_R1122", "MS-OXNSPI_R1635", "MS-OXNSPI_R1756", "MS-OXNSPI_R1636")
@pytest.mark.parametrize("sort", [0, BY_PHONETIC_NAME])
def test_matches_in_an_unknown_container(nspi: Mapi, sort: int) -> None:
    before = Stat(sort=sort, container=CURRENT)
    body = get_matches(before, exists(ENTRY_ID), columns=[ENTRY_ID])
    error, after, ids, found = call(nspi, "GetMatches", body, matches_answer)
    assert (error, ids, found) == (INVALID_BOOKMARK, None, None)
    assert after in (None, before)


@pytest.mark.covers(
    "MS-OXNSPI_R1101", "MS-OXNSPI_R1105", "MS-OXNSPI_R1109", "MS-OXNSPI_R1084", "MS-OXNSPI_R1899"
)
def test_odd_matches(nspi: Mapi) -> None:
    odd = [
        get_matches(Stat(sort=4), exists(ENTRY_ID)),
        get_matches(Stat(code_page=UNICODE), exists(ENTRY_ID), columns=[DISPLAY_NAME_8]),
        get_matches(Stat(), exists(ENTRY_ID), reserved=1),
        get_matches(None, exists(ENTRY_ID)),
    ]
    for body in odd:
        assert call(nspi, "GetMatches", body, matches_answer)[0] in PERMITTED
    plain = nspi.post("GetMatches", get_matches(Stat(), exists(TITLE))).body
    assert nspi.post("GetMatches", get_matches(Stat(), exists(TITLE), options=9)).body == plain


@pytest.mark.covers("MS-OXNSPI_R1125", "MS-OXNSPI_R1635")
def test_reserved_ids_are_too_complex(nspi: Mapi) -> None:
    # MS-NSPI 3.1.4.10, constraint 6; the suite of the specification's authors sends it.
    body = get_matches(Stat(), exists(ENTRY_ID), ids=[ENTRY_ID])
    error, after, ids, found = call(nspi, "GetMatches", body, matches_answer)
    assert (error, ids, found) == (TOO_COMPLEX, None, None)
    assert after in (None, Stat())


@pytest.mark.covers("MS-OXNSPI_R1125")
@pytest.mark.parametrize(
    "restriction",
    [
        both(*[exists(DISPLAY_NAME)] * 5000),
        b"\x0a\x00\x01" + exists(DISPLAY_NAME),
        b"\x09" + struct.pack("<I", MEMBER) + exists(DISPLAY_NAME),
        b"\x0b" + struct.pack("<I", 3) + exists(DISPLAY_NAME),
    ],
    ids=["long", "comment", "sub", "count"],
)
def test_too_complex(nspi: Mapi, restriction: bytes) -> None:
    error, _, ids, _ = call(nspi, "GetMatches", get_matches(Stat(), restriction), matches_answer)
    assert (error, ids) == (TOO_COMPLEX, None)


# Values of an object that are objects


@pytest.mark.covers(
    "MS-OXNSPI_R1130", "MS-OXNSPI_R1131", "MS-OXNSPI_R1135", "MS-OXNSPI_R1143", "MS-OXNSPI_R1144"
)
@pytest.mark.covers("MS-OXNSPI_R1145", "MS-OXNSPI_R513")
def test_members_of_a_list(nspi: Mapi) -> None:
    stat = Stat(sort=BY_NAME_READ_ONLY, container=MEMBER, current=somebody(nspi, TEAM), delta=5)
    body = get_matches(stat, columns=[DISPLAY_NAME])
    error, after, ids, found = call(nspi, "GetMatches", body, matches_answer)
    assert error == SUCCESS
    assert found == ([DISPLAY_NAME], [["Anna Berger"], ["Ben Adler"]])
    assert ids == [somebody(nspi, "Anna Berger"), somebody(nspi, "Ben Adler")]
    assert after == replace(stat, container=stat.current)


@pytest.mark.covers("MS-OXNSPI_R1143")
def test_lists_of_a_member(nspi: Mapi) -> None:
    stat = Stat(sort=BY_NAME_READ_ONLY, container=MEMBER_OF, current=somebody(nspi, "Ben Adler"))
    body = get_matches(stat, columns=[DISPLAY_NAME])
    assert call(nspi, "GetMatches", body, matches_answer)[3] == ([DISPLAY_NAME], [["Team of All"]])


@pytest.mark.covers("MS-OXNSPI_R1141")
def test_a_table_without_rows(nspi: Mapi) -> None:
    stat = Stat(sort=BY_NAME_READ_ONLY, container=PUBLIC_DELEGATES, current=somebody(nspi, "Ben Adler"))
    error, _, ids, found = call(nspi, "GetMatches", get_matches(stat, columns=[DISPLAY_NAME]), matches_answer)
    assert (error, ids, found) == (SUCCESS, [], ([DISPLAY_NAME], []))


@pytest.mark.covers("MS-OXNSPI_R1138", "MS-OXNSPI_R1635")
@pytest.mark.parametrize("current", [0, CURRENT, END, NO_SUCH_ID])
def test_values_of_nobody(nspi: Mapi, current: int) -> None:
    stat = Stat(container=MEMBER, current=current)
    error, after, ids, found = call(nspi, "GetMatches", get_matches(stat), matches_answer)
    assert (error, ids, found) == (GENERAL_FAILURE, None, None)
    assert after in (None, stat)


@pytest.mark.covers("MS-OXNSPI_R1139", "MS-OXNSPI_R1140", "MS-OXNSPI_R517")
@pytest.mark.parametrize(
    ("sort", "tag"),
    [
        (BY_NAME_READ_ONLY, DISPLAY_NAME),
        (BY_NAME_READ_ONLY, PROXY_ADDRESSES),
        (BY_NAME_READ_ONLY, 0x6666000D),
        (BY_NAME_WRITABLE, MEMBER_OF),
        (BY_NAME_WRITABLE, PUBLIC_DELEGATES),
        (0, 0),
    ],
)
def test_values_that_are_no_objects(nspi: Mapi, sort: int, tag: int) -> None:
    stat = Stat(sort=sort, container=tag, current=somebody(nspi, "Ben Adler"))
    if sort == 0:
        # The order says that ContainerID is a container; the object is located there: constraint 7.
        assert call(nspi, "GetMatches", get_matches(stat), matches_answer)[0] != SUCCESS
        return
    assert call(nspi, "GetMatches", get_matches(stat), matches_answer)[0] == NOT_SUPPORTED


@pytest.mark.covers("MS-OXNSPI_R1134")
def test_a_property_by_name(nspi: Mapi) -> None:
    stat = Stat(sort=BY_NAME_READ_ONLY, container=MEMBER, current=somebody(nspi, TEAM))
    nothing = bytes(16) + struct.pack("<I", 0x8009)
    assert call(nspi, "GetMatches", get_matches(stat, name=nothing), matches_answer)[0] in PERMITTED


# Ambiguous names


@pytest.mark.covers(
    "MS-OXNSPI_R1425", "MS-OXNSPI_R1428", "MS-OXNSPI_R618", "MS-OXNSPI_R620", "MS-OXNSPI_R622"
)
@pytest.mark.covers("MS-OXNSPI_R624", "MS-OXNSPI_R87", "MS-OXNSPI_R88", "MS-OXNSPI_R89", "MS-OXNSPI_R90")
@pytest.mark.parametrize(
    ("name", "outcome"),
    [
        ("anna", RESOLVED),
        ("Anna Berger", RESOLVED),
        ("berger", RESOLVED),
        ("BEN@EXAMPLE.TEST", RESOLVED),
        ("chief@example.test", RESOLVED),
        ("SMTP:ben@example.test", RESOLVED),
        ("team", RESOLVED),
        ("Orn", RESOLVED),
        ("adler", AMBIGUOUS),
        ("person", AMBIGUOUS),
        ("", UNRESOLVED),
        ("nobody at all", UNRESOLVED),
        ("*", UNRESOLVED),
        ("x" * 5000, UNRESOLVED),
    ],
)
def test_resolve_one(nspi: Mapi, name: str, outcome: int) -> None:
    body = resolve_names(Stat(), [name], [DISPLAY_NAME])
    error, code_page, ids, found = call(nspi, "ResolveNames", body, resolve_answer)
    assert (error, code_page, ids) == (SUCCESS, 1252, [outcome])
    assert found is not None
    assert len(found[1]) == (outcome == RESOLVED)


@pytest.mark.covers("MS-OXNSPI_R1430", "MS-OXNSPI_R1343", "MS-OXNSPI_R1394", "MS-OXCMAPIHTTP_R942")
def test_resolve_some(nspi: Mapi) -> None:
    body = resolve_names(
        Stat(), ["clara", "adler", "nobody at all", "berger", "clara"], [DISPLAY_NAME, ENTRY_ID]
    )
    error, _, ids, found = call(nspi, "ResolveNames", body, resolve_answer)
    assert (error, ids) == (SUCCESS, [RESOLVED, AMBIGUOUS, UNRESOLVED, RESOLVED, RESOLVED])
    assert found is not None
    assert [row[0] for row in found[1]] == ["clara zimmer", "Anna Berger", "clara zimmer"]
    assert all(isinstance(row[1], bytes) and row[1][0] == 0 for row in found[1]), "permanent: the flags are 0"


@pytest.mark.covers("MS-OXNSPI_R1347", "MS-OXNSPI_R1399")
def test_resolve_with_default_columns(nspi: Mapi) -> None:
    _, _, _, found = call(nspi, "ResolveNames", resolve_names(Stat(), ["anna"]), resolve_answer)
    assert found == (DEFAULT_COLUMNS, [[0, 6, 0, "Anna Berger", "+43 1 2345", "Sales", "12 North"]])


@pytest.mark.covers("MS-OXNSPI_R1418", "MS-OXNSPI_R1423", "MS-OXNSPI_R1761")
def test_resolve_in_an_unknown_container(nspi: Mapi) -> None:
    body = resolve_names(Stat(container=CURRENT), ["anna"])
    error, _, ids, found = call(nspi, "ResolveNames", body, resolve_answer)
    assert (error, ids, found) == (INVALID_BOOKMARK, None, None)


@pytest.mark.covers("MS-OXNSPI_R1410", "MS-OXNSPI_R1414", "MS-OXCMAPIHTTP_R1314")
def test_odd_resolving(nspi: Mapi) -> None:
    plain = nspi.post("ResolveNames", resolve_names(Stat(), ["anna"])).body
    assert nspi.post("ResolveNames", resolve_names(Stat(), ["anna"], reserved=3)).body == plain
    body = resolve_names(Stat(code_page=UNICODE), ["anna"])
    assert call(nspi, "ResolveNames", body, resolve_answer)[0] in PERMITTED
    body = resolve_names(Stat(code_page=UNKNOWN_CODE_PAGE), ["anna"], [DISPLAY_NAME_8])
    assert call(nspi, "ResolveNames", body, resolve_answer)[:3:2] == (INVALID_CODE_PAGE, None)
    for names_ in (None, []):
        error, _, ids, _ = call(nspi, "ResolveNames", resolve_names(Stat(), names_), resolve_answer)
        assert error in PERMITTED
        assert not ids
