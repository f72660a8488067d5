"""Objects: their properties, types and strings; distinguished names; name resolution."""

import pytest

from appliance.addressbook import objects, rows
from appliance.addressbook.stat import (
    CP_TELETEX,
    CP_WINUNICODE,
    MID_CURRENT,
    UNICODE_PROPTYPES,
    Retrieve,
    Stat,
)
from appliance.directory import domains, lists
from appliance.directory.model import Entry
from appliance.mapi import errors, tags
from appliance.mapi import types as t
from appliance.mapi.entryids import EphemeralEntryId, PermanentEntryId, parse
from appliance.mapi.rows import PropertyError
from appliance.mapi.values import TypedValue, address_book_form
from appliance.wire.cursor import Writer
from tests.addressbook.conftest import Office, code, shown

NAME = tags.PidTagDisplayName
NAME8 = t.with_type(NAME, t.PtypString8)


def props(office: Office, entry: Entry, *columns: int, flags: int = 0) -> dict[int, t.Value]:
    """Properties of an entry as a session gives them."""
    return dict(office.session().get_props(flags, Stat(current_rec=entry.id), columns).row)


def by_type(office: Office, entry: Entry) -> dict[int, t.Value]:
    """Every property of an entry, strings as Unicode."""
    found = office.session().get_prop_list(0, entry.id, 1252)
    return props(office, entry, *map(t.unicode_tag, found))


@pytest.mark.covers(
    "MS-OXNSPI_R1721", "MS-OXNSPI_R1722", "MS-OXNSPI_R1723", "MS-OXNSPI_R1724", "MS-OXNSPI_R1725",
    "MS-OXNSPI_R1726", "MS-OXNSPI_R1727", "MS-OXNSPI_R1728", "MS-OXNSPI_R1729", "MS-OXNSPI_R1730",
    "MS-OXNSPI_R1731", "MS-OXNSPI_R1732", "MS-OXNSPI_R1733", "MS-OXNSPI_R1734", "MS-OXNSPI_R1735",
    "MS-OXNSPI_R1736", "MS-OXNSPI_R1737", "MS-OXNSPI_R1738", "MS-OXNSPI_R892", "MS-OXNSPI_R5798",
    "MS-OXNSPI_R6889", "MS-OXNSPI_R431", "MS-OXNSPI_R432",
)  # fmt: skip
def test_required_properties(office: Office) -> None:
    """Every kind of object has them, by the ids and types of MS-OXPROPS."""
    required = {
        0x0FFE0003, 0x3F080003, 0x39FF001F, 0xFFFD0003, 0x0FFF0102, 0x0FF60102, 0x300B0102, 0x0FF90102,
        0x3002001F, 0x3003001F, 0x39000003, 0x39020102, 0x3A20001F, 0x3001001F, 0x0FF80102, 0x803C001F,
    }  # fmt: skip
    group = {0x360F000D, 0x36000003}
    for entry in (office.ada, office.room, office.carol, office.staff, office.users, office.news):
        found = by_type(office, entry)
        assert required <= found.keys()
        assert (group <= found.keys()) == entry.is_group == (found[tags.PidTagObjectType] == 8)
        assert found[tags.PidTagMappingSignature] == bytes.fromhex("dca740c8c042101ab4b908002b2fe182")
        assert found.get(tags.PidTagContainerContents, 0) == 0


@pytest.mark.covers(
    "MS-OXNSPI_R4969", "MS-OXNSPI_R4970", "MS-OXNSPI_R4981", "MS-OXNSPI_R4982", "MS-OXNSPI_R5163",
    "MS-OXNSPI_R5164", "MS-OXNSPI_R5309", "MS-OXNSPI_R5310", "MS-OXNSPI_R5316", "MS-OXNSPI_R5317",
    "MS-OXNSPI_R5799", "MS-OXNSPI_R5800", "MS-OXNSPI_R5806", "MS-OXNSPI_R5807", "MS-OXNSPI_R5986",
    "MS-OXNSPI_R6014", "MS-OXNSPI_R6015", "MS-OXNSPI_R6035", "MS-OXNSPI_R6036", "MS-OXNSPI_R6056",
    "MS-OXNSPI_R6057", "MS-OXNSPI_R6100", "MS-OXNSPI_R6101", "MS-OXNSPI_R6605", "MS-OXNSPI_R6606",
    "MS-OXNSPI_R6626", "MS-OXNSPI_R6627", "MS-OXNSPI_R6890", "MS-OXNSPI_R6891", "MS-OXNSPI_R7109",
    "MS-OXNSPI_R7110", "MS-OXNSPI_R7116", "MS-OXNSPI_R7545", "MS-OXNSPI_R7825", "MS-OXNSPI_R7826",
    "MS-OXNSPI_R8385", "MS-OXNSPI_R8386", "MS-OXNSPI_R8770", "MS-OXNSPI_R8771", "MS-OXNSPI_R8815",
    "MS-OXNSPI_R8816", "MS-OXNSPI_R8875", "MS-OXNSPI_R8876",
)  # fmt: skip
def test_ids_and_types(office: Office) -> None:
    known = {
        0xFFFD0003, 0x39FF001F, 0x803C001F, 0x8C6A1102, 0x3002001F, 0x360F000D, 0x36000003, 0x3A18001F,
        0x3001001F, 0x39000003, 0x3003001F, 0x0FFF0102, 0x3F080003, 0x0FF60102, 0x0FF80102, 0x0FFE0003,
        0x3A19001F, 0x3A1A001F, 0x0FF90102, 0x300B0102, 0x39020102, 0x3A20001F, 0x3A701102,
    }  # fmt: skip
    assert known <= objects.KNOWN
    assert known <= set(office.session().query_columns(UNICODE_PROPTYPES))


@pytest.mark.covers(
    "MS-OXNSPI_R46", "MS-OXNSPI_R48", "MS-OXNSPI_R49", "MS-OXNSPI_R50", "MS-OXNSPI_R51", "MS-OXNSPI_R53001",
    "MS-OXNSPI_R54", "MS-OXNSPI_R55", "MS-OXNSPI_R57", "MS-OXNSPI_R59", "MS-OXNSPI_R61", "MS-OXNSPI_R63",
    "MS-OXNSPI_R64", "MS-OXNSPI_R1662", "MS-OXNSPI_R1663", "MS-OXNSPI_R1999", "MS-OXNSPI_R1997",
    "MS-OXNSPI_R604", "MS-OXNSPI_R606", "MS-OXNSPI_R378", "MS-OXNSPI_R409", "MS-OXNSPI_R377",
    "MS-OXNSPI_R408",
)  # fmt: skip
def test_display_types(office: Office) -> None:
    """Each kind's own, the same in the property and in both entry ids; those of containers never."""
    kinds = {
        office.ada: 0, office.room: 0, office.carol: 6, office.staff: 1, office.users: 3, office.news: 2
    }  # fmt: skip
    for entry, kind in kinds.items():
        assert props(office, entry, tags.PidTagDisplayType) == {tags.PidTagDisplayType: kind}
        key = props(office, entry, tags.PidTagEntryId)[tags.PidTagEntryId]
        assert parse(key) == PermanentEntryId(entry.legacy_dn, kind)  # type: ignore[arg-type]
        short = props(office, entry, tags.PidTagEntryId, flags=Retrieve.EPHEMERAL_IDS)
        assert parse(short[tags.PidTagEntryId]) == EphemeralEntryId(office.book.guid, entry.id, kind)  # type: ignore[arg-type]


@pytest.mark.covers(
    "MS-OXNSPI_R345", "MS-OXNSPI_R347", "MS-OXNSPI_R351", "MS-OXNSPI_R355", "MS-OXNSPI_R356",
    "MS-OXNSPI_R357", "MS-OXNSPI_R1994", "MS-OXNSPI_R361", "MS-OXNSPI_R362", "MS-OXNSPI_R363",
    "MS-OXNSPI_R364", "MS-OXNSPI_R365", "MS-OXNSPI_R1713", "MS-OXNSPI_R366", "MS-OXNSPI_R367",
    "MS-OXNSPI_R1714", "MS-OXNSPI_R368", "MS-OXNSPI_R369", "MS-OXNSPI_R1715", "MS-OXNSPI_R370",
    "MS-OXNSPI_R372", "MS-OXNSPI_R373", "MS-OXNSPI_R1716", "MS-OXNSPI_R374", "MS-OXNSPI_R375",
    "MS-OXNSPI_R380", "MS-OXNSPI_R381", "MS-OXNSPI_R382", "MS-OXNSPI_R383", "MS-OXNSPI_R384",
    "MS-OXNSPI_R392", "MS-OXNSPI_R393", "MS-OXNSPI_R394", "MS-OXNSPI_R395", "MS-OXNSPI_R396",
    "MS-OXNSPI_R1717", "MS-OXNSPI_R397", "MS-OXNSPI_R398", "MS-OXNSPI_R1718", "MS-OXNSPI_R399",
    "MS-OXNSPI_R400", "MS-OXNSPI_R1719", "MS-OXNSPI_R401", "MS-OXNSPI_R403", "MS-OXNSPI_R404",
    "MS-OXNSPI_R1720", "MS-OXNSPI_R405", "MS-OXNSPI_R406", "MS-OXNSPI_R411", "MS-OXNSPI_R412",
    "MS-OXNSPI_R1664", "MS-OXNSPI_R2", "MS-OXNSPI_R899", "MS-OXNSPI_R901", "MS-OXNSPI_R603",
    "MS-OXNSPI_R605", "MS-OXNSPI_R607", "MS-OXNSPI_R1995", "MS-OXNSPI_R608", "MS-OXNSPI_R611",
    "MS-OXNSPI_R2001", "MS-OXNSPI_R602", "MS-OXNSPI_R353", "MS-OXNSPI_R135", "MS-OXNSPI_R136",
    "MS-OXNSPI_R6", "MS-OXNSPI_R9", "MS-OXNSPI_R10", "MS-OXNSPI_R2003004",
)  # fmt: skip
def test_entry_ids_byte_by_byte(office: Office) -> None:
    """Both forms, the same for all sessions of the server."""
    dn = office.staff.legacy_dn.encode()
    for session in (office.session(), office.session(office.alan)):
        stat = Stat(current_rec=office.staff.id)
        permanent = session.get_props(0, stat, [tags.PidTagEntryId]).row[0][1]
        signature = bytes.fromhex("dca740c8c042101ab4b908002b2fe182")
        assert permanent == b"\0\0\0\0" + signature + b"\1\0\0\0" + b"\1\0\0\0" + dn + b"\0"
        ephemeral = session.get_props(Retrieve.EPHEMERAL_IDS, stat, [tags.PidTagEntryId]).row[0][1]
        mid = office.staff.id.to_bytes(4, "little")
        assert ephemeral == b"\x87\0\0\0" + office.book.guid + b"\1\0\0\0" + b"\1\0\0\0" + mid
        assert len(ephemeral) == 32


@pytest.mark.covers("MS-OXNSPI_R385", "MS-OXNSPI_R386", "MS-OXNSPI_R387")
def test_a_distinguished_name_changes(office: Office) -> None:
    """The old one still leads to the object, which is told by its new one."""
    old, new = office.ada.legacy_dn, "/o=New/ou=Place/cn=Recipients/cn=ada"
    office.change(office.ada, legacy_dn=new)
    assert office.session().dn_to_mid([old, new]) == [office.ada.id] * 2
    key = props(office, office.ada, tags.PidTagEntryId)[tags.PidTagEntryId]
    assert parse(key) == PermanentEntryId(new)  # type: ignore[arg-type]


@pytest.mark.covers(
    "MS-OXNSPI_R859", "MS-OXNSPI_R650", "MS-OXNSPI_R866", "MS-OXNSPI_R867", "MS-OXNSPI_R868",
    "MS-OXNSPI_R869", "MS-OXNSPI_R885", "MS-OXNSPI_R886", "MS-OXNSPI_R905", "MS-OXNSPI_R909",
    "MS-OXNSPI_R910", "MS-OXNSPI_R911", "MS-OXNSPI_R912", "MS-OXNSPI_R913", "MS-OXNSPI_R915",
    "MS-OXNSPI_R2003005", "MS-OXNSPI_R2054", "MS-OXNSPI_R2055", "MS-OXNSPI_R2070", "MS-OXNSPI_R2071",
)  # fmt: skip
def test_get_props(office: Office) -> None:
    """One value for each column, in order, duplicates too, errors where there is none."""
    book, stat = office.session(), Stat(current_rec=office.ada.id)
    found = book.get_props(0, stat, [NAME, tags.PidTagTitle, NAME])
    assert found.code == 0
    assert found.row == ((NAME, "Ada Lovelace"), (tags.PidTagTitle, "Countess"), (NAME, "Ada Lovelace"))
    missing = book.get_props(0, stat, [tags.PidTagCompanyName, NAME, 0x12340003])
    assert missing.code == 0x00040380
    assert missing.row == ((0x3A16000A, 0x8004010F), (NAME, "Ada Lovelace"), (0x1234000A, 0x8004010F))


@pytest.mark.covers(
    "MS-OXNSPI_R907", "MS-OXNSPI_R84", "MS-OXNSPI_R1985", "MS-OXNSPI_R83", "MS-OXNSPI_R882",
    "MS-OXNSPI_R877", "MS-OXNSPI_R894", "MS-OXNSPI_R840", "MS-OXNSPI_R664",
)  # fmt: skip
def test_props_of_nothing(office: Office) -> None:
    """An object that is not there has no values; one in a container that is not there is refused."""
    book = office.session()
    for mid in (0, MID_CURRENT, 2, 15, 4711):
        found = book.get_props(0, Stat(current_rec=mid), [NAME, tags.PidTagEntryId])
        assert (found.code, found.row) == (0x00040380, ((0x3001000A, 0x8004010F), (0x0FFF000A, 0x8004010F)))
        assert code(lambda m=mid: book.get_props(0, Stat(current_rec=m), None)) == errors.ecError  # type: ignore[misc]
        assert code(lambda m=mid: book.get_prop_list(0, m, 1252)) == errors.ecError  # type: ignore[misc]
    bad = Stat(container_id=99, current_rec=office.ada.id)
    assert code(lambda: book.get_props(0, bad, [NAME])) == errors.ecInvalidBookmark


@pytest.mark.covers(
    "MS-OXNSPI_R828", "MS-OXNSPI_R649", "MS-OXNSPI_R831", "MS-OXNSPI_R1924", "MS-OXNSPI_R834",
    "MS-OXNSPI_R835", "MS-OXNSPI_R836", "MS-OXNSPI_R848", "MS-OXNSPI_R852", "MS-OXNSPI_R854",
    "MS-OXNSPI_R855", "MS-OXNSPI_R856", "MS-OXNSPI_R858", "MS-OXNSPI_R888", "MS-OXNSPI_R1693",
    "MS-OXNSPI_R104", "MS-OXNSPI_R31",
)  # fmt: skip
def test_property_lists(office: Office) -> None:
    book = office.session()
    for entry in (office.ada, office.staff, office.carol):
        for flags in (0, Retrieve.SKIP_OBJECTS, 0xFFFFFFFF, 0xFFFFFFFE):
            found = book.get_prop_list(flags, entry.id, 1252)
            assert not any(t.type_of(tag) in (t.PtypString, t.PtypMultipleString, 0) for tag in found)
            tables = [tag for tag in found if t.type_of(tag) == 0x000D]
            assert bool(tables) == (not flags & 1)
            every = book.get_props(flags, Stat(current_rec=entry.id), None)
            assert every.code == 0
            assert [tag for tag, _ in every.row] == found
            assert all(value == 0 for tag, value in every.row if t.type_of(tag) == 0x000D)
    wide = book.get_prop_list(0, office.ada.id, CP_WINUNICODE)
    assert NAME in wide
    assert code(lambda: book.get_prop_list(0, office.ada.id, 4)) == errors.ecInvalidCodepage


@pytest.mark.covers(
    "MS-OXNSPI_R801", "MS-OXNSPI_R802", "MS-OXNSPI_R1862", "MS-OXNSPI_R807", "MS-OXNSPI_R1923",
    "MS-OXNSPI_R808", "MS-OXNSPI_R809", "MS-OXNSPI_R810", "MS-OXNSPI_R820", "MS-OXNSPI_R822",
    "MS-OXNSPI_R824", "MS-OXNSPI_R825", "MS-OXNSPI_R827", "MS-OXNSPI_R115", "MS-OXNSPI_R116",
)  # fmt: skip
def test_query_columns(office: Office) -> None:
    book = office.session()
    wide, narrow = book.query_columns(UNICODE_PROPTYPES), book.query_columns(0)
    assert NAME in wide
    assert NAME8 in narrow
    assert not any(t.type_of(tag) in (t.PtypString8, t.PtypMultipleString8) for tag in wide)
    assert not any(t.type_of(tag) in (t.PtypString, t.PtypMultipleString) for tag in narrow)
    assert book.query_columns(0x7FFFFFFF) == narrow
    assert book.query_columns(0xFFFFFFFF) == wide
    for entry in (office.ada, office.staff, office.carol, office.room, office.news):
        assert set(book.get_prop_list(0, entry.id, 1252)) <= set(narrow)


@pytest.mark.covers(
    "MS-OXNSPI_R21", "MS-OXNSPI_R23", "MS-OXNSPI_R1656", "MS-OXNSPI_R25", "MS-OXNSPI_R26", "MS-OXNSPI_R27",
    "MS-OXNSPI_R1505", "MS-OXNSPI_R1506", "MS-OXNSPI_R1507", "MS-OXNSPI_R1508", "MS-OXNSPI_R1509",
    "MS-OXNSPI_R1511", "MS-OXNSPI_R1512", "MS-OXNSPI_R1515", "MS-OXNSPI_R1516", "MS-OXNSPI_R1517",
    "MS-OXNSPI_R29", "MS-OXNSPI_R1657", "MS-OXNSPI_R37", "MS-OXNSPI_R38", "MS-OXNSPI_R1658",
)  # fmt: skip
def test_types_of_values(office: Office) -> None:
    """Every permitted type, by its number, and no other; a client's Unspecified gets the property's own."""
    wanted = {
        0x39000003: int, 0x3A40000B: bool, 0x3001001E: str, 0x3001001F: str, 0x0FFF0102: bytes,
        0x30070040: int, 0x800F101E: tuple, 0x800F101F: tuple, 0x3A161234: int, 0x800E000D: int,
    }  # fmt: skip
    found = office.session().get_props(0, Stat(current_rec=office.alan.id), list(wanted)).row
    assert [type(value) for _, value in found] == list(wanted.values())
    assert found[8] == (0x3A16000A, 0x8004010F)
    untyped = [tag & 0xFFFF0000 for tag in sorted(objects.KNOWN)]
    for entry in (office.ada, office.staff):
        row = office.session().get_props(0, Stat(current_rec=entry.id), untyped).row
        assert {t.type_of(tag) for tag, _ in row} <= objects.TYPES
        assert all(t.type_of(tag) != t.PtypUnspecified for tag, _ in row)


@pytest.mark.covers("MS-OXNSPI_R34", "MS-OXNSPI_R217", "MS-OXNSPI_R218")
def test_what_the_protocol_cannot_express(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objects, "MAX_BINARY", 3)
    assert props(office, office.ada, tags.PidTagInstanceKey) == {0x0FF60001: None}
    row = office.session().get_props(0, Stat(current_rec=office.ada.id), [tags.PidTagInstanceKey]).row
    assert rows.cells([tags.PidTagInstanceKey], row) == [PropertyError(errors.ecNotSupported)]


@pytest.mark.covers(
    "MS-OXNSPI_R433", "MS-OXNSPI_R435", "MS-OXNSPI_R1597", "MS-OXNSPI_R1599", "MS-OXNSPI_R1600",
    "MS-OXNSPI_R1601", "MS-OXNSPI_R439", "MS-OXNSPI_R440", "MS-OXNSPI_R443", "MS-OXNSPI_R71",
    "MS-OXNSPI_R336", "MS-OXNSPI_R334", "MS-OXNSPI_R445", "MS-OXNSPI_R446", "MS-OXNSPI_R447",
    "MS-OXNSPI_R448", "MS-OXNSPI_R449", "MS-OXNSPI_R450", "MS-OXNSPI_R903", "MS-OXNSPI_R1934",
    "MS-OXNSPI_R1942", "MS-OXNSPI_R1950", "MS-OXNSPI_R1958", "MS-OXNSPI_R455", "MS-OXNSPI_R1968",
    "MS-OXNSPI_R1969", "MS-OXNSPI_R1595", "MS-OXNSPI_R1596", "MS-OXNSPI_R1598", "MS-OXNSPI_R444",
    "MS-OXNSPI_R451", "MS-OXNSPI_R452", "MS-OXNSPI_R3", "MS-OXNSPI_R1812",
)  # fmt: skip
def test_strings_in_code_pages(office: Office) -> None:
    """Unicode as it is, 8-bit in the STAT's code page: the bytes that an encoder makes of a row."""
    book, columns = office.session(), [NAME8, NAME, tags.PidTagAddressBookDisplayNamePrintable & ~1]
    expected = {
        1252: b"\xc4btissin",
        850: b"\x8ebtissin",
        CP_TELETEX: b"\xc8Abtissin",
        65001: "Äbtissin".encode(),
    }
    for page, name in expected.items():
        row = book.get_props(0, Stat(current_rec=office.abbess.id, code_page=page), columns).row
        form, made = address_book_form(page), []
        for (tag, value), column in zip(row, columns, strict=True):
            assert tag == column
            writer = Writer()
            form.write(writer, t.type_of(tag), value)
            made.append(writer.getvalue())
        assert made[0] == b"\xff" + name + b" Hildegard\0"
        assert made[1] == b"\xff" + "Äbtissin Hildegard\0".encode("utf-16-le")
        assert made[2] == b"\xff?btissin Hildegard\0"


@pytest.mark.covers(
    "MS-OXNSPI_R1935", "MS-OXNSPI_R1943", "MS-OXNSPI_R1951", "MS-OXNSPI_R1959", "MS-OXNSPI_R456",
    "MS-OXNSPI_R1970", "MS-OXNSPI_R1971", "MS-OXNSPI_R1936", "MS-OXNSPI_R1944", "MS-OXNSPI_R1952",
    "MS-OXNSPI_R1960", "MS-OXNSPI_R457", "MS-OXNSPI_R1972", "MS-OXNSPI_R1973", "MS-OXNSPI_R1937",
    "MS-OXNSPI_R1945", "MS-OXNSPI_R1953", "MS-OXNSPI_R1961", "MS-OXNSPI_R458", "MS-OXNSPI_R1974",
    "MS-OXNSPI_R1975", "MS-OXNSPI_R1938", "MS-OXNSPI_R1946", "MS-OXNSPI_R1954", "MS-OXNSPI_R1962",
    "MS-OXNSPI_R459", "MS-OXNSPI_R1976", "MS-OXNSPI_R1977", "MS-OXNSPI_R1939", "MS-OXNSPI_R1947",
    "MS-OXNSPI_R1955", "MS-OXNSPI_R1963", "MS-OXNSPI_R460", "MS-OXNSPI_R1978", "MS-OXNSPI_R1979",
)  # fmt: skip
def test_both_kinds_of_strings_from_every_method(office: Office) -> None:
    """Natively Unicode and natively 8-bit properties, each in both types, wherever rows come from."""
    printable = tags.PidTagAddressBookDisplayNamePrintable
    columns = [NAME, NAME8, printable, printable & ~1]
    expected = (
        (NAME, "Émile Zola"),
        (NAME8, "Émile Zola"),
        (printable, "?mile Zola"),
        (printable & ~1, "?mile Zola"),
    )
    book, stat = office.session(), Stat(current_rec=office.zola.id)
    matched = book.get_matches(Stat(), _named("zola"), None, 10, columns)
    sought = book.seek_entries(Stat(), (NAME, "emile"), None, columns)
    assert matched.rows is not None
    assert sought.rows is not None
    for row in (
        book.query_rows(0, stat, None, 1, columns).rows.rows[0],
        matched.rows.rows[0],
        sought.rows.rows[0],
        book.resolve_names(stat, columns, ["zola"]).rows.rows[0],
        book.resolve_names(stat, columns, ["Émile".encode("cp1252")]).rows.rows[0],
    ):
        assert row == expected


def _named(text: str) -> object:
    from appliance.mapi.restrictions import Content, FuzzyFlags

    return Content(1, FuzzyFlags.IGNORE_CASE, NAME, NAME, text)


def test_cells_for_http(office: Office) -> None:
    columns = [
        NAME,
        tags.PidTagCompanyName,
        tags.PidTagDisplayType & 0xFFFF0000,
        tags.PidTagAddressBookReports,
    ]
    row = office.session().get_props(0, Stat(current_rec=office.alan.id), columns).row
    assert rows.cells(columns, row) == [
        "Alan Turing",
        PropertyError(errors.ecNotFound),
        TypedValue(t.PtypInteger32, 0),
        0,
    ]


@pytest.mark.covers(
    "MS-OXNSPI_R1243", "MS-OXNSPI_R648", "MS-OXNSPI_R1249", "MS-OXNSPI_R1250", "MS-OXNSPI_R1251",
    "MS-OXNSPI_R1260", "MS-OXNSPI_R1262", "MS-OXNSPI_R1263", "MS-OXNSPI_R1264", "MS-OXNSPI_R1266",
)  # fmt: skip
def test_distinguished_names(office: Office) -> None:
    names = [
        office.ada.legacy_dn,
        "/o=nobody",
        office.staff.legacy_dn.upper(),
        "",
        "/",
        lists.ROOMS.dn.lower(),
    ]
    found = office.session().dn_to_mid(names)
    assert found == [office.ada.id, 0, office.staff.id, 0, 0, lists.ROOMS.container_id]
    assert office.session().dn_to_mid([]) == []
    assert code(lambda: office.session().dn_to_mid(["/"] * 10_001)) == errors.ecTableTooBig


def test_the_server_as_an_object(office: Office) -> None:
    """Clients look up the server of a mailbox for its network address."""
    with office.store.read() as txn:
        dn = domains.get(txn).server_legacy_dn
    book = office.session()
    home = props(office, office.ada, tags.PidTagAddressBookHomeMessageDatabase)
    server, database = book.dn_to_mid([dn, str(next(iter(home.values())))])
    assert server == database == objects.SERVER_MID
    found = book.get_props(
        0, Stat(current_rec=server), [tags.PidTagAddressBookNetworkAddress, tags.PidTagEntryId]
    )
    assert found.row[0][1] == ("ncacn_ip_tcp:mail.example.test", "netbios:MAIL")
    assert parse(found.row[1][1]) == PermanentEntryId(dn)  # type: ignore[arg-type]
    assert tags.PidTagAddressBookNetworkAddress & ~1 in book.get_prop_list(0, server, 1252)


def test_containers_as_objects(office: Office) -> None:
    stat = Stat(current_rec=lists.GROUPS.container_id)
    found = office.session().get_props(Retrieve.EPHEMERAL_IDS, stat, [NAME, tags.PidTagEntryId])
    assert found.row[0][1] == "All Groups"
    assert parse(found.row[1][1]) == EphemeralEntryId(office.book.guid, lists.GROUPS.container_id, 0x100)  # type: ignore[arg-type]


@pytest.mark.covers(
    "MS-OXNSPI_R1341", "MS-OXNSPI_R1342", "MS-OXNSPI_R1343", "MS-OXNSPI_R1347", "MS-OXNSPI_R1349",
    "MS-OXNSPI_R1351", "MS-OXNSPI_R1352", "MS-OXNSPI_R1353", "MS-OXNSPI_R1354", "MS-OXNSPI_R1355",
    "MS-OXNSPI_R1374", "MS-OXNSPI_R1375", "MS-OXNSPI_R1377", "MS-OXNSPI_R1379", "MS-OXNSPI_R1392",
    "MS-OXNSPI_R1393", "MS-OXNSPI_R1394", "MS-OXNSPI_R1395", "MS-OXNSPI_R1399", "MS-OXNSPI_R1401",
    "MS-OXNSPI_R1403", "MS-OXNSPI_R1650", "MS-OXNSPI_R1404", "MS-OXNSPI_R1405", "MS-OXNSPI_R1406",
    "MS-OXNSPI_R1425", "MS-OXNSPI_R1426", "MS-OXNSPI_R1428", "MS-OXNSPI_R1430", "MS-OXNSPI_R1443",
    "MS-OXNSPI_R86", "MS-OXNSPI_R87", "MS-OXNSPI_R88", "MS-OXNSPI_R89", "MS-OXNSPI_R90", "MS-OXNSPI_R612",
    "MS-OXNSPI_R613", "MS-OXNSPI_R614", "MS-OXNSPI_R615", "MS-OXNSPI_R616", "MS-OXNSPI_R1611",
    "MS-OXNSPI_R618", "MS-OXNSPI_R620", "MS-OXNSPI_R622", "MS-OXNSPI_R623", "MS-OXNSPI_R624",
    "MS-OXNSPI_R657", "MS-OXNSPI_R659",
)  # fmt: skip
def test_resolving_names(office: Office) -> None:
    """Unresolved, ambiguous and resolved, in both character sets; rows of the resolved ones alone."""
    names = ["zola", "al", "nobody", "", None, "=Carol Fern", "grace@example.test", office.staff.legacy_dn]
    outcomes = [2, 1, 0, 0, 0, 2, 2, 2]
    rows_of = ["Émile Zola", "Carol Fern", "Grace Hopper", "Staff"]
    narrow = [None if name is None else name.encode() for name in names]
    for given in (names, narrow):
        found = office.session().resolve_names(Stat(), [NAME, tags.PidTagEntryId], given)
        assert found.mids == outcomes
        assert shown(found.rows) == rows_of
        assert parse(found.rows.rows[0][1][1]) == PermanentEntryId(office.zola.legacy_dn)  # type: ignore[arg-type]
    assert office.session().resolve_names(Stat(), None, ["zola"]).rows.columns == rows.DEFAULT_COLUMNS


@pytest.mark.covers(
    "MS-OXNSPI_R1350", "MS-OXNSPI_R1402", "MS-OXNSPI_R464", "MS-OXNSPI_R465", "MS-OXNSPI_R466",
)  # fmt: skip
def test_resolving_names_in_code_pages(office: Office) -> None:
    for page, name in ((1252, b"\xc9mile"), (CP_TELETEX, b"\xc2Emile"), (65001, "Émile".encode())):
        found = office.session().resolve_names(Stat(code_page=page), [NAME], [name])
        assert shown(found.rows) == ["Émile Zola"]
    assert office.session().resolve_names(Stat(code_page=CP_WINUNICODE), [NAME], ["Émile"]).mids == [2]


@pytest.mark.covers(
    "MS-OXNSPI_R1372", "MS-OXNSPI_R1423", "MS-OXNSPI_R1367", "MS-OXNSPI_R1760", "MS-OXNSPI_R1418",
    "MS-OXNSPI_R1761", "MS-OXNSPI_R1359", "MS-OXNSPI_R1360", "MS-OXNSPI_R1361", "MS-OXNSPI_R1410",
    "MS-OXNSPI_R1411", "MS-OXNSPI_R1412",
)  # fmt: skip
def test_resolving_refused(office: Office) -> None:
    book = office.session()
    bad, wide = Stat(container_id=5), Stat(code_page=CP_WINUNICODE)
    assert code(lambda: book.resolve_names(bad, [NAME], ["ada"])) == errors.ecInvalidBookmark
    assert code(lambda: book.resolve_names(wide, [NAME], [b"ada"])) == errors.ecInvalidCodepage
    assert code(lambda: book.resolve_names(wide, [NAME8], ["ada"])) == errors.ecInvalidCodepage
    assert code(lambda: book.resolve_names(Stat(), [NAME], ["a"] * 10_001)) == errors.ecTableTooBig


def test_resolving_within_a_list(office: Office) -> None:
    """Only members of the list; hidden ones by their whole address, in the global list."""
    book = office.session()
    groups = Stat(container_id=lists.GROUPS.container_id)
    assert book.resolve_names(groups, [NAME], ["zola", "staff"]).mids == [0, 2]
    names = ["ghost", "ghost@example.test", "agatha"]
    assert book.resolve_names(Stat(), [NAME], names).mids == [0, 2, 0]
    assert book.resolve_names(groups, [NAME], names).mids == [0, 0, 0]


def test_halves_of_surrogate_pairs(office: Office) -> None:
    """They come from clients and mean nobody."""
    book = office.session()
    assert book.dn_to_mid(["\udcdc", "/o=\ud8de"]) == [0, 0]
    assert book.resolve_names(Stat(), [NAME], ["\udc0c", "\uda09@example.test", "/\udc0c"]).mids == [0, 0, 0]
    assert book.get_matches(Stat(), _named("\udcdc"), None, 9, None).mids == []
    assert code(lambda: book.seek_entries(Stat(), (NAME, "\udcdc"), None, None)) == errors.ecNotFound
