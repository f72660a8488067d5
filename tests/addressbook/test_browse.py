"""Positions and rows of tables: UpdateStat, QueryRows, SeekEntries, CompareMIds, ResortRestriction."""

from dataclasses import replace

import pytest

from appliance.addressbook import rows, session
from appliance.addressbook.position import fractional_row
from appliance.addressbook.stat import (
    CP_WINUNICODE,
    MID_BEGINNING_OF_TABLE,
    MID_CURRENT,
    MID_END_OF_TABLE,
    Retrieve,
    SortType,
    Stat,
)
from appliance.directory import lists
from appliance.mapi import errors, tags
from appliance.mapi import types as t
from appliance.mapi.entryids import EphemeralEntryId, PermanentEntryId, parse
from tests.addressbook.conftest import GAL, Office, code, column, shown

NAME = tags.PidTagDisplayName
NAME8 = t.with_type(NAME, t.PtypString8)
KEYS = Stat(sort_type=0x77)


def at(office: Office, row: int) -> int:
    """The Minimal Entry ID of a row of the global list."""
    return office.session().update_stat(Stat(delta=row))[0].current_rec


@pytest.mark.covers(
    "MS-OXNSPI_R768", "MS-OXNSPI_R643", "MS-OXNSPI_R773", "MS-OXNSPI_R791", "MS-OXNSPI_R794",
    "MS-OXNSPI_R796", "MS-OXNSPI_R797", "MS-OXNSPI_R798", "MS-OXNSPI_R799", "MS-OXNSPI_R800",
    "MS-OXNSPI_R314", "MS-OXNSPI_R318", "MS-OXNSPI_R324", "MS-OXNSPI_R337", "MS-OXNSPI_R340",
    "MS-OXNSPI_R344", "MS-OXNSPI_R321", "MS-OXNSPI_R327", "MS-OXNSPI_R328", "MS-OXNSPI_R332",
    "MS-OXNSPI_R333", "MS-OXNSPI_R77", "MS-OXNSPI_R78", "MS-OXNSPI_R79", "MS-OXNSPI_R80", "MS-OXNSPI_R81",
    "MS-OXNSPI_R499", "MS-OXNSPI_R500", "MS-OXNSPI_R501", "MS-OXNSPI_R502", "MS-OXNSPI_R503",
    "MS-OXNSPI_R522", "MS-OXNSPI_R523", "MS-OXNSPI_R527", "MS-OXNSPI_R537", "MS-OXNSPI_R538",
    "MS-OXNSPI_R540", "MS-OXNSPI_R542", "MS-OXNSPI_R1758", "MS-OXNSPI_R547", "MS-OXNSPI_R548",
    "MS-OXNSPI_R549", "MS-OXNSPI_R550", "MS-OXNSPI_R1743", "MS-OXNSPI_R1744", "MS-OXNSPI_R554",
    "MS-OXNSPI_R1704", "MS-OXNSPI_R556", "MS-OXNSPI_R557", "MS-OXNSPI_R558", "MS-OXNSPI_R559",
    "MS-OXNSPI_R560", "MS-OXNSPI_R561", "MS-OXNSPI_R562", "MS-OXNSPI_R563", "MS-OXNSPI_R329",
    "MS-OXNSPI_R326001", "MS-OXNSPI_R331001", "MS-OXNSPI_R315", "MS-OXNSPI_R319", "MS-OXNSPI_R322",
    "MS-OXNSPI_R325", "MS-OXNSPI_R330", "MS-OXNSPI_R309", "MS-OXNSPI_R310", "MS-OXNSPI_R795",
    "MS-OXNSPI_R775",
)  # fmt: skip
def test_absolute_positions(office: Office) -> None:
    """Every start and every distance: never outside the table, all other fields left alone."""
    book, total = office.session(), len(GAL)
    mids = [at(office, row) for row in range(total)]
    assert office.names(mids) == list(GAL)
    for start, mid in ((0, MID_BEGINNING_OF_TABLE), (total, MID_END_OF_TABLE), *enumerate(mids)):
        for delta in range(-total - 2, total + 3):
            asked = Stat(
                current_rec=mid,
                delta=delta,
                num_pos=77,
                total_recs=3,
                code_page=1252,
                template_locale=0x407,
                sort_locale=0x409,
            )
            stat, moved = book.update_stat(asked)
            row = min(max(start + delta, 0), total)
            assert moved == row - start
            current = mids[row] if row < total else MID_END_OF_TABLE
            assert stat == replace(asked, current_rec=current, delta=0, num_pos=row, total_recs=total)


@pytest.mark.covers(
    "MS-OXNSPI_R82", "MS-OXNSPI_R1742", "MS-OXNSPI_R793", "MS-OXNSPI_R564", "MS-OXNSPI_R566",
    "MS-OXNSPI_R567", "MS-OXNSPI_R569", "MS-OXNSPI_R572", "MS-OXNSPI_R574", "MS-OXNSPI_R575",
    "MS-OXNSPI_R577", "MS-OXNSPI_R578", "MS-OXNSPI_R580", "MS-OXNSPI_R581", "MS-OXNSPI_R582",
    "MS-OXNSPI_R584", "MS-OXNSPI_R586", "MS-OXNSPI_R587", "MS-OXNSPI_R588", "MS-OXNSPI_R589",
    "MS-OXNSPI_R1745", "MS-OXNSPI_R1746", "MS-OXNSPI_R1747", "MS-OXNSPI_R1748", "MS-OXNSPI_R595",
    "MS-OXNSPI_R597", "MS-OXNSPI_R598", "MS-OXNSPI_R599", "MS-OXNSPI_R600", "MS-OXNSPI_R601",
    "MS-OXNSPI_R570",
)  # fmt: skip
def test_fractional_positions(office: Office) -> None:
    book, total = office.session(), len(GAL)
    for num_pos, client, delta in [
        (n, c, d) for n in range(9) for c in (0, 1, 3, 7) for d in (-20, -1, 0, 1, 20)
    ]:
        asked = Stat(current_rec=MID_CURRENT, num_pos=num_pos, total_recs=client, delta=delta)
        stat, moved = book.update_stat(asked)
        intended = min(total * num_pos // client, total) if client else 0
        row = min(max(intended + delta, 0), total)
        assert (stat.num_pos, stat.total_recs, moved) == (row, total, row - intended)
        assert stat.current_rec == (at(office, row) if row < total else MID_END_OF_TABLE)
    assert fractional_row(1_000_000, 0xFFFFFFFF, 1) == 1_000_000


@pytest.mark.covers(
    "MS-OXNSPI_R541", "MS-OXNSPI_R544", "MS-OXNSPI_R545", "MS-OXNSPI_R789", "MS-OXNSPI_R792",
    "MS-OXNSPI_R784", "MS-OXNSPI_R776", "MS-OXNSPI_R1033", "MS-OXNSPI_R948", "MS-OXNSPI_R943",
    "MS-OXNSPI_R1762", "MS-OXNSPI_R1230", "MS-OXNSPI_R1232", "MS-OXNSPI_R1234", "MS-OXNSPI_R1630",
    "MS-OXNSPI_R1631", "MS-OXNSPI_R349",
)  # fmt: skip
def test_what_cannot_be_located(office: Office) -> None:
    """An error has no output besides its code."""
    book, asked = office.session(), Stat(container_id=0x1234)
    target = (NAME, "a")
    for call in (
        lambda: book.update_stat(asked),
        lambda: book.query_rows(0, asked, None, 1, [NAME]),
        lambda: book.seek_entries(asked, target, None, None),
        lambda: book.compare_mids(asked, office.ada.id, office.alan.id),
    ):
        assert code(call) == errors.ecInvalidBookmark
    rooms = Stat(container_id=lists.ROOMS.container_id, current_rec=office.ada.id)
    for missing in (3, 15, 999_999, office.ghost.id, 0xFFFFFFFF):
        assert code(lambda m=missing: book.update_stat(Stat(current_rec=m))) == errors.ecNotFound  # type: ignore[misc]
        assert code(lambda m=missing: book.compare_mids(Stat(), m, office.ada.id)) == errors.ecError  # type: ignore[misc]
    assert code(lambda: book.update_stat(rooms)) == errors.ecNotFound
    assert code(lambda: book.query_rows(0, rooms, None, 5, [NAME])) == errors.ecNotFound
    assert code(lambda: book.compare_mids(rooms, office.room.id, office.ada.id)) == errors.ecError
    assert code(lambda: book.update_stat(KEYS)) == errors.ecError


@pytest.mark.covers(
    "MS-OXNSPI_R780", "MS-OXNSPI_R781", "MS-OXNSPI_R782", "MS-OXNSPI_R935", "MS-OXNSPI_R936",
    "MS-OXNSPI_R937", "MS-OXNSPI_R1016", "MS-OXNSPI_R1017", "MS-OXNSPI_R1018", "MS-OXNSPI_R1223",
    "MS-OXNSPI_R1224", "MS-OXNSPI_R1225", "MS-OXNSPI_R1181", "MS-OXNSPI_R1182", "MS-OXNSPI_R1183",
    "MS-OXNSPI_R873", "MS-OXNSPI_R874", "MS-OXNSPI_R875",
)  # fmt: skip
def test_the_unicode_code_page(office: Office) -> None:
    """It works as long as nothing has to be written in it; otherwise the code page is refused."""
    book, wide = office.session(), Stat(code_page=CP_WINUNICODE)
    assert book.update_stat(wide)[1] == 0
    assert shown(book.query_rows(0, wide, None, 1, [NAME]).rows) == [GAL[0]]
    assert book.query_rows(0, wide, None, 1, None).rows.columns[3] == NAME
    assert code(lambda: book.query_rows(0, wide, None, 1, [NAME8])) == errors.ecInvalidCodepage
    assert code(lambda: book.get_props(0, replace(wide, current_rec=office.ada.id), [NAME8])) == (
        errors.ecInvalidCodepage
    )
    assert book.compare_mids(wide, office.ada.id, office.ada.id) == 0
    assert book.resort_restriction(wide, [office.ada.id])[1] == [office.ada.id]


@pytest.mark.covers(
    "MS-OXNSPI_R916", "MS-OXNSPI_R644", "MS-OXNSPI_R922", "MS-OXNSPI_R927", "MS-OXNSPI_R928",
    "MS-OXNSPI_R929", "MS-OXNSPI_R930", "MS-OXNSPI_R931", "MS-OXNSPI_R950", "MS-OXNSPI_R951",
    "MS-OXNSPI_R955", "MS-OXNSPI_R962", "MS-OXNSPI_R967", "MS-OXNSPI_R969", "MS-OXNSPI_R973",
    "MS-OXNSPI_R974", "MS-OXNSPI_R975", "MS-OXNSPI_R988", "MS-OXNSPI_R1701", "MS-OXNSPI_R997",
    "MS-OXNSPI_R918", "MS-OXNSPI_R983", "MS-OXNSPI_R939", "MS-OXNSPI_R940", "MS-OXNSPI_R941",
    "MS-OXNSPI_R93", "MS-OXNSPI_R94", "MS-OXNSPI_R1749", "MS-OXNSPI_R92", "MS-OXNSPI_R535",
    "MS-OXNSPI_R1763", "MS-OXNSPI_R311", "MS-OXNSPI_R312",
)  # fmt: skip
def test_rows_of_a_container(office: Office) -> None:
    book, total = office.session(), len(GAL)
    for start in range(total + 2):
        for delta in (-1, 0, 2) if start else (0, 2):
            for count in (0, 1, 3, 100, 0xFFFFFFFF):
                base = book.update_stat(Stat(delta=start))[0]
                found = book.query_rows(
                    0, replace(base, delta=delta), None, count, [NAME, tags.PidTagDisplayType]
                )
                row = min(max(min(start, total) + delta, 0), total)
                assert shown(found.rows) == list(GAL[row : row + count])
                # the position is that of NspiUpdateStat with the rows added to Delta
                moved = replace(base, delta=delta + len(found.rows.rows))
                assert found.stat == book.update_stat(moved)[0]


@pytest.mark.covers("MS-OXNSPI_R952", "MS-OXNSPI_R1627")
def test_default_columns(office: Office) -> None:
    found = office.session().query_rows(0, Stat(current_rec=office.ada.id), None, 1, None)
    assert found.rows.columns == (
        0xFFFD0003, 0x0FFE0003, 0x39000003, 0x3001001E, 0x3A1A001E, 0x3A18001E, 0x3A19001E,
    )  # fmt: skip
    values = [value for _, value in found.rows.rows[0]]
    assert values == [0, 6, 0, "Ada Lovelace", "+44 1", "Engines", "Room 5"]


@pytest.mark.covers(
    "MS-OXNSPI_R958", "MS-OXNSPI_R971", "MS-OXNSPI_R985", "MS-OXNSPI_R986", "MS-OXNSPI_R505",
    "MS-OXNSPI_R506", "MS-OXNSPI_R507", "MS-OXNSPI_R525", "MS-OXNSPI_R1694",
)  # fmt: skip
def test_rows_of_an_explicit_table(office: Office) -> None:
    """In the order given, with a row of errors for what names no object; the STAT stays as it is."""
    book = office.session()
    table = [office.zola.id, 5, office.ada.id, office.ghost.id, office.zola.id]
    asked = Stat(container_id=0xBAD, current_rec=office.alan.id, delta=4)
    found = book.query_rows(0, asked, table, 10, [NAME, tags.PidTagTitle])
    assert found.stat == asked
    assert shown(found.rows) == [
        "Émile Zola",
        errors.ecNotFound,
        "Ada Lovelace",
        "Agatha Ghost",
        "Émile Zola",
    ]
    assert {t.type_of(tag) for tag, _ in found.rows.rows[1]} == {t.PtypErrorCode}
    for mid, row in zip(table, found.rows.rows, strict=True):
        single = book.get_props(0, Stat(current_rec=mid), [NAME, tags.PidTagTitle])
        assert single.row == row
    assert len(book.query_rows(0, asked, table, 2, [NAME]).rows.rows) == 2
    assert book.query_rows(0, asked, [7, 8], 2, [NAME]).rows.rows == [((0x3001000A, errors.ecNotFound),)] * 2


def test_no_row_behind_the_end(office: Office) -> None:
    """MS-NSPI 3.1.4.8: no rows at all (MS-OXNSPI's constraint 15 would give rows of errors without end)."""
    found = office.session().query_rows(0, Stat(current_rec=MID_END_OF_TABLE), None, 5, [NAME])
    assert found.rows.rows == []
    assert found.stat.current_rec == MID_END_OF_TABLE


@pytest.mark.covers(
    "MS-OXNSPI_R921", "MS-OXNSPI_R1926", "MS-OXNSPI_R105", "MS-OXNSPI_R862", "MS-OXNSPI_R1925",
)  # fmt: skip
def test_entry_ids_in_rows(office: Office) -> None:
    book = office.session()
    for flags in (0, Retrieve.SKIP_OBJECTS, 0xFFFFFFFD, 4):
        row = book.query_rows(
            flags, Stat(current_rec=office.ada.id), None, 1, [tags.PidTagEntryId]
        ).rows.rows[0]
        assert parse(bytes(row[0][1])) == PermanentEntryId(office.ada.legacy_dn)  # type: ignore[arg-type]
    for flags in (Retrieve.EPHEMERAL_IDS, 0xFFFFFFFF):
        row = book.query_rows(
            flags, Stat(current_rec=office.staff.id), None, 1, [tags.PidTagEntryId]
        ).rows.rows[0]
        assert parse(bytes(row[0][1])) == EphemeralEntryId(book.guid, office.staff.id, 1)  # type: ignore[arg-type]


@pytest.mark.covers("MS-OXNSPI_R982", "MS-OXNSPI_R896", "MS-OXNSPI_R897")
def test_too_many_columns(office: Office) -> None:
    book, wide = office.session(), [NAME] * (rows.MAX_COLUMNS + 1)
    assert code(lambda: book.query_rows(0, Stat(), None, 1, wide)) == errors.ecTableTooBig
    assert code(lambda: book.get_props(0, Stat(current_rec=office.ada.id), wide)) == errors.ecTableTooBig


def test_replies_have_an_end(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that asks for everything goes on from the position that it is given."""
    monkeypatch.setattr(session, "MAX_REPLY", 100)
    book, stat, seen = office.session(), Stat(), list[t.Value]()
    while stat.current_rec != MID_END_OF_TABLE:
        found = book.query_rows(0, stat, None, 0xFFFFFFFF, [NAME])
        assert 0 < len(found.rows.rows) < len(GAL)
        seen += shown(found.rows)
        stat = found.stat
    assert seen == list(GAL)


@pytest.mark.covers(
    "MS-OXNSPI_R998", "MS-OXNSPI_R999", "MS-OXNSPI_R645", "MS-OXNSPI_R1003", "MS-OXNSPI_R1012",
    "MS-OXNSPI_R1035", "MS-OXNSPI_R1047", "MS-OXNSPI_R1048", "MS-OXNSPI_R1050", "MS-OXNSPI_R1051",
    "MS-OXNSPI_R1053", "MS-OXNSPI_R1054", "MS-OXNSPI_R1055", "MS-OXNSPI_R1076", "MS-OXNSPI_R1010",
)  # fmt: skip
@pytest.mark.parametrize(
    ("wanted", "row"),
    [
        ("", 0),
        ("a", 0),
        ("ABT", 0),
        ("ad", 1),
        ("ada lovelacf", 2),
        ("EMILE ZOLA", 5),
        ("é", 5),
        ("News", 7),
        ("u", 9),
    ],
)
def test_seek(office: Office, wanted: str, row: int) -> None:
    asked = Stat(num_pos=5, total_recs=8, current_rec=office.staff.id, delta=3)
    for tag in (NAME, NAME8):
        found = office.session().seek_entries(asked, (tag, wanted), None, None)
        assert found.stat == replace(asked, current_rec=at(office, row), num_pos=row, total_recs=len(GAL))
        assert found.rows is None


@pytest.mark.covers("MS-OXNSPI_R1048", "MS-OXNSPI_R1039", "MS-OXNSPI_R1043")
def test_seek_refused(office: Office) -> None:
    book = office.session()
    assert code(lambda: book.seek_entries(Stat(), (NAME, "z"), None, None)) == errors.ecNotFound
    for sort in (SortType.PHONETIC_DISPLAY_NAME, SortType.DISPLAY_NAME_RO, SortType.DISPLAY_NAME_W, 9):
        asked = Stat(sort_type=sort)
        assert code(lambda s=asked: book.seek_entries(s, (NAME, "a"), None, None)) == errors.ecError  # type: ignore[misc]
    for tag, value in ((tags.PidTagSurname, "a"), (tags.PidTagEntryId, b"a"), (NAME, 5)):
        assert code(lambda g=tag, v=value: book.seek_entries(Stat(), (g, v), None, None)) == errors.ecError  # type: ignore[misc]


@pytest.mark.covers(
    "MS-OXNSPI_R1057", "MS-OXNSPI_R1058", "MS-OXNSPI_R105801", "MS-OXNSPI_R1695", "MS-OXNSPI_R1075",
    "MS-OXNSPI_R1009", "MS-OXNSPI_R1011",
)  # fmt: skip
def test_rows_from_where_was_sought(office: Office) -> None:
    book, columns = office.session(), [NAME, tags.PidTagEntryId]
    found = book.seek_entries(Stat(), (NAME, "e"), None, columns)
    assert found.rows is not None
    same = book.query_rows(Retrieve.EPHEMERAL_IDS, found.stat, None, session.SEEK_ROWS, columns)
    assert found.rows == same.rows
    assert shown(found.rows) == list(GAL[5:])
    assert found.stat.num_pos == 5


@pytest.mark.covers("MS-OXNSPI_R1037", "MS-OXNSPI_R1052", "MS-OXNSPI_R1755")
def test_seek_in_an_explicit_table(office: Office) -> None:
    book = office.session()
    table = [office.ada.id, office.carol.id, office.grace.id, office.staff.id]
    found = book.seek_entries(Stat(), (NAME, "d"), table, [NAME, tags.PidTagEntryId])
    assert (found.stat.current_rec, found.stat.num_pos, found.stat.total_recs) == (office.grace.id, 2, 4)
    assert found.rows == book.query_rows(2, Stat(), table[2:], 2, [NAME, tags.PidTagEntryId]).rows
    assert code(lambda: book.seek_entries(Stat(), (NAME, "t"), table, None)) == errors.ecNotFound


@pytest.mark.covers("MS-OXNSPI_R1020", "MS-OXNSPI_R1021", "MS-OXNSPI_R1022")
def test_seek_in_a_table_out_of_order(office: Office) -> None:
    """The document leaves it open; the answer is a row of the table or NotFound."""
    book, table = office.session(), [office.zola.id, office.ada.id, 3]
    found = code(lambda: book.seek_entries(Stat(), (NAME, "b"), table, [NAME]))
    assert found in (0, errors.ecNotFound)


@pytest.mark.covers(
    "MS-OXNSPI_R1210", "MS-OXNSPI_R651", "MS-OXNSPI_R1217", "MS-OXNSPI_R1218", "MS-OXNSPI_R1219",
    "MS-OXNSPI_R1236", "MS-OXNSPI_R1238", "MS-OXNSPI_R1240", "MS-OXNSPI_R1242",
)  # fmt: skip
def test_comparing_rows(office: Office) -> None:
    book = office.session()
    mids = [at(office, row) for row in range(len(GAL))]
    for one, first in enumerate(mids):
        for other, second in enumerate(mids):
            assert book.compare_mids(Stat(), first, second) == (one > other) - (one < other)
    users = Stat(container_id=lists.USERS.container_id)
    assert book.compare_mids(users, office.grace.id, office.ada.id) == 1


@pytest.mark.covers(
    "MS-OXNSPI_R1168", "MS-OXNSPI_R647", "MS-OXNSPI_R1172", "MS-OXNSPI_R1175", "MS-OXNSPI_R1176",
    "MS-OXNSPI_R1177", "MS-OXNSPI_R1196", "MS-OXNSPI_R1197", "MS-OXNSPI_R1198", "MS-OXNSPI_R1199",
    "MS-OXNSPI_R1201", "MS-OXNSPI_R1204", "MS-OXNSPI_R1205", "MS-OXNSPI_R1759", "MS-OXNSPI_R1207",
    "MS-OXNSPI_R1209", "MS-OXNSPI_R1194002",
)  # fmt: skip
def test_sorting_an_explicit_table(office: Office) -> None:
    book = office.session()
    table = [office.zola.id, 0, 77, office.staff.id, office.abbess.id, office.ghost.id]
    asked = Stat(current_rec=office.staff.id, num_pos=9, total_recs=1, delta=4)
    stat, mids = book.resort_restriction(asked, table)
    assert office.names(mids) == ["Äbtissin Hildegard", "Agatha Ghost", "Émile Zola", "Staff"]
    assert stat == replace(asked, total_recs=4)
    gone, _ = book.resort_restriction(replace(asked, current_rec=office.alan.id), table)
    assert gone == replace(asked, current_rec=MID_BEGINNING_OF_TABLE, num_pos=0, total_recs=4)
    _, mids = book.resort_restriction(replace(asked, sort_type=3), [office.alan.id, office.ada.id])
    assert office.names(mids) == ["Alan Turing", "Ada Lovelace"]


@pytest.mark.covers(
    "MS-OXNSPI_R1185", "MS-OXNSPI_R1186", "MS-OXNSPI_R1187", "MS-OXNSPI_R1189", "MS-OXNSPI_R1757",
)  # fmt: skip
def test_sorting_refused(office: Office) -> None:
    for sort in (1, SortType.DISPLAY_NAME_RO, SortType.DISPLAY_NAME_W):
        asked = Stat(sort_type=sort)
        refused = code(lambda s=asked: office.session().resort_restriction(s, [office.ada.id]))  # type: ignore[misc]
        assert refused == errors.ecError


@pytest.mark.covers("MS-OXNSPI_R95", "MS-OXNSPI_R96", "MS-OXNSPI_R495")
def test_phonetic_order(office: Office) -> None:
    """Katakana and hiragana are one; who has no phonetic name stands where the display name says."""
    stat = Stat(sort_type=SortType.PHONETIC_DISPLAY_NAME)
    found = office.session().query_rows(0, stat, None, 50, [NAME, tags.PidTagAddressBookPhoneticDisplayName])
    assert shown(found.rows)[-2:] == ["Alan Turing", "Ada Lovelace"]
    assert column(found.rows, tags.PidTagAddressBookPhoneticDisplayName)[-2:] == ["あらん", "エイダ"]
    assert shown(found.rows)[:3] == ["Äbtissin Hildegard", "Besprechung", "Carol Fern"]


def test_lists_by_kind(office: Office) -> None:
    book = office.session()
    for item, names in (
        (lists.ROOMS, ["Besprechung"]),
        (lists.CONTACTS, ["Carol Fern"]),
        (lists.GROUPS, ["Staff", "Users"]),
        (lists.PUBLIC_FOLDERS, ["news"]),
    ):
        found = book.query_rows(0, Stat(container_id=item.container_id), None, 50, [NAME])
        assert shown(found.rows) == names


@pytest.mark.covers(
    "MS-OXNSPI_R512", "MS-OXNSPI_R511", "MS-OXNSPI_R1706", "MS-OXNSPI_R610", "MS-OXNSPI_R609",
)  # fmt: skip
def test_tables_follow_the_directory(office: Office) -> None:
    """A change shows with the next call; ids stay; what was listed before stays listed."""
    book = office.session()
    office.change(office.zola, display_name="Aaron Zola")
    assert shown(book.query_rows(0, Stat(), None, 2, [NAME]).rows) == ["Aaron Zola", "Äbtissin Hildegard"]
    assert at(office, 0) == office.zola.id
    office.change(office.zola, display_name="Aaron Zola", hidden=True)
    assert code(lambda: book.update_stat(Stat(current_rec=office.zola.id))) == errors.ecNotFound
    table = [office.zola.id, office.ada.id]
    assert shown(book.query_rows(0, Stat(), table, 2, [NAME]).rows) == ["Aaron Zola", "Ada Lovelace"]
    added = office.directory.add("zz@example.test", name="Zz Top")
    assert book.update_stat(Stat(delta=100))[0].total_recs == len(GAL)
    assert book.update_stat(Stat(current_rec=MID_END_OF_TABLE, delta=-1))[0].current_rec == added.id
