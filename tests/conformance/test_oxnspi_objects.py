"""Objects of the address book, their properties, the special tables. MS-OXNSPI 3.1.4.2, MS-OXOABK 2.2.3."""

import struct

import pytest

from tests.conformance.book import PEOPLE, TEAM, Book, id_of
from tests.conformance.client import Mapi
from tests.conformance.nspi import (
    ADDRESS_TYPE,
    CONTAINER_CONTENTS,
    CONTAINER_FLAGS,
    CONTAINER_ID,
    CURRENT,
    DEPTH,
    DETAILS_PANE,
    DISPLAY_NAME,
    DISPLAY_NAME_8,
    DISPLAY_TYPE,
    EMAIL_ADDRESS,
    END,
    ENTRY_ID,
    EPHEMERAL,
    ERRORS_RETURNED,
    GIVEN_NAME,
    GUID_NSPI,
    INSTANCE_KEY,
    INVALID_BOOKMARK,
    INVALID_CODE_PAGE,
    INVALID_PARAMETER,
    IS_MASTER,
    MAPPING_SIGNATURE,
    MEMBER,
    NO_SUCH_ID,
    NOT_FOUND,
    OBJECT_DN,
    OBJECT_TYPE,
    PARENT_ENTRY_ID,
    PERMITTED,
    PRINTABLE_NAME,
    PROXY_ADDRESSES,
    RECORD_KEY,
    RESOLVED,
    SEARCH_KEY,
    SKIP_OBJECTS,
    SMTP_ADDRESS,
    SUCCESS,
    SURNAME,
    TEMPLATE_ID,
    TITLE,
    TRANSMITTABLE_NAME,
    UNICODE,
    UNKNOWN_CODE_PAGE,
    USER_CERTIFICATE,
    Row,
    Stat,
    bind,
    bind_answer,
    call,
    dn_to_id,
    get_prop_list,
    get_props,
    ids_answer,
    props_answer,
    query_columns,
    query_rows,
    resolve_answer,
    resolve_names,
    rows_answer,
    special_answer,
    special_table,
    url_answer,
    url_of,
)

TABLE_TYPE = 0x0D
STRING_8, STRING = 0x1E, 0x1F
DT_MAILUSER, DT_DISTLIST, DT_CONTAINER = 0, 1, 0x100


def somebody(client: Mapi, name: str) -> int:
    """The id that a name resolves to."""
    body = resolve_names(Stat(), [name], [INSTANCE_KEY])
    error, _, ids, rows = call(client, "ResolveNames", body, resolve_answer)
    assert (error, ids) == (SUCCESS, [RESOLVED]), name
    assert rows is not None
    ((key,),) = rows[1]
    assert isinstance(key, bytes)
    return int.from_bytes(key, "little")


def properties(client: Mapi, entry: int, wanted: list[int], flags: int = 0, code_page: int = 1252) -> Row:
    """Properties of an object that has them all."""
    body = get_props(Stat(current=entry, code_page=code_page), wanted, flags)
    error, said, found = call(client, "GetProps", body, props_answer)
    assert (error, said) == (SUCCESS, code_page)
    assert found is not None
    assert [tag for tag, _ in found] == wanted, "R911: in the order asked"
    return dict(found)


def permanent(display_type: int, dn: str) -> bytes:
    """A PermanentEntryID. MS-OXNSPI 2.2.9.3."""
    return bytes(4) + GUID_NSPI + struct.pack("<II", 1, display_type) + dn.encode() + b"\0"


REQUIRED = [
    *(
        OBJECT_TYPE,
        DETAILS_PANE,
        PRINTABLE_NAME,
        CONTAINER_ID,
        ENTRY_ID,
        INSTANCE_KEY,
        SEARCH_KEY,
        RECORD_KEY,
    ),
    *(ADDRESS_TYPE, EMAIL_ADDRESS, DISPLAY_TYPE, TEMPLATE_ID, TRANSMITTABLE_NAME, DISPLAY_NAME),
    *(MAPPING_SIGNATURE, OBJECT_DN),
]


@pytest.mark.covers(
    "MS-OXNSPI_R1721", "MS-OXNSPI_R1722", "MS-OXNSPI_R1723", "MS-OXNSPI_R1724", "MS-OXNSPI_R1725"
)
@pytest.mark.covers(
    "MS-OXNSPI_R1726", "MS-OXNSPI_R1727", "MS-OXNSPI_R1728", "MS-OXNSPI_R1729", "MS-OXNSPI_R1730"
)
@pytest.mark.covers(
    "MS-OXNSPI_R1731", "MS-OXNSPI_R1732", "MS-OXNSPI_R1733", "MS-OXNSPI_R1734", "MS-OXNSPI_R1735"
)
@pytest.mark.covers("MS-OXNSPI_R1736", "MS-OXNSPI_R911")
@pytest.mark.parametrize(
    ("name", "object_type", "display_type"),
    [
        ("Anna Berger", 6, DT_MAILUSER),
        ("Team of All", 8, DT_DISTLIST),
        ("Great Hall", 6, 7),
        ("Paula Partner", 6, 6),
    ],
)
def test_required_properties(nspi: Mapi, name: str, object_type: int, display_type: int) -> None:
    entry = somebody(nspi, name)
    found = properties(nspi, entry, REQUIRED)
    dn = found[EMAIL_ADDRESS]
    assert isinstance(dn, str)
    assert dn.startswith("/o=")
    assert found[OBJECT_TYPE] == object_type
    shown = found[DISPLAY_TYPE]
    assert shown in (display_type, DT_MAILUSER), "a room or contact may show as what every client knows"
    assert isinstance(shown, int)
    assert found[ENTRY_ID] == permanent(shown, dn)
    assert found[TEMPLATE_ID] == found[ENTRY_ID], "MS-OXOABK 2.2.3.3"
    assert found[RECORD_KEY] == found[ENTRY_ID], "MS-OXOABK 2.2.3.4"
    assert found[SEARCH_KEY] == b"EX:" + dn.upper().encode() + b"\0", "MS-OXOABK 2.2.3.5"
    assert found[INSTANCE_KEY] == struct.pack("<I", entry), "MS-OXOABK 2.2.3.6"
    assert found[ADDRESS_TYPE] == "EX"
    assert found[OBJECT_DN] == dn
    assert found[MAPPING_SIGNATURE] == GUID_NSPI
    assert found[DISPLAY_NAME] == found[TRANSMITTABLE_NAME] == name
    assert found[CONTAINER_ID] == 0
    assert id_of(nspi, dn) == entry


@pytest.mark.covers("MS-OXNSPI_R1737", "MS-OXNSPI_R1738", "MS-OXNSPI_R5798")
def test_a_list_is_a_container(nspi: Mapi) -> None:
    entry = somebody(nspi, TEAM)
    error, _, listed = call(nspi, "GetProps", get_props(Stat(current=entry), None), props_answer)
    assert error == SUCCESS
    assert listed is not None
    assert {CONTAINER_CONTENTS, MEMBER} <= {tag for tag, _ in listed}
    assert dict(listed)[CONTAINER_FLAGS] in (0x9, 0x1, 0x21), "MS-OXOABK 2.2.2.1: recipients"
    body = get_props(Stat(current=somebody(nspi, "Anna Berger")), [CONTAINER_CONTENTS])
    assert call(nspi, "GetProps", body, props_answer)[0] == ERRORS_RETURNED, "not on other objects"


@pytest.mark.covers("MS-OXNSPI_R1601", "MS-OXNSPI_R440")
def test_printable_names_are_printable(nspi: Mapi) -> None:
    found = properties(nspi, somebody(nspi, "Örn Ægisson"), [PRINTABLE_NAME, DISPLAY_NAME])
    printable = found[PRINTABLE_NAME]
    assert isinstance(printable, str)
    assert printable
    assert printable.isascii()
    assert found[DISPLAY_NAME] == "Örn Ægisson"


def test_what_is_known_of_somebody(nspi: Mapi) -> None:
    wanted = [SMTP_ADDRESS, GIVEN_NAME, SURNAME, TITLE, PROXY_ADDRESSES]
    found = properties(nspi, somebody(nspi, "Anna Berger"), wanted)
    proxies = found.pop(PROXY_ADDRESSES)
    assert list(found.values()) == ["anna@example.test", "Anna", "Berger", "Director"]
    assert isinstance(proxies, tuple)
    assert "SMTP:anna@example.test" in proxies, "the primary address is in capitals: MS-OXOABK 2.2.3.23"
    assert "smtp:chief@example.test" in proxies


@pytest.mark.covers("MS-OXNSPI_R370", "MS-OXNSPI_R372", "MS-OXNSPI_R378", "MS-OXNSPI_R380", "MS-OXNSPI_R362")
def test_an_ephemeral_entry_id(book: Book) -> None:
    with book.client() as client:
        _, guid = call(client, "Bind", bind(), bind_answer)
        entry = somebody(client, TEAM)
        found = properties(client, entry, [ENTRY_ID], EPHEMERAL)
        assert found[ENTRY_ID] == b"\x87\0\0\0" + guid + struct.pack("<III", 1, DT_DISTLIST, entry)


@pytest.mark.covers("MS-OXNSPI_R912", "MS-OXNSPI_R862", "MS-OXNSPI_R1925", "MS-OXCMAPIHTTP_R1323")
def test_doubles_and_odd_flags(nspi: Mapi) -> None:
    entry = somebody(nspi, "Anna Berger")
    body = get_props(Stat(current=entry), [DISPLAY_NAME, TITLE, DISPLAY_NAME], 0xFFFFFFFC)
    _, _, found = call(nspi, "GetProps", body, props_answer)
    assert found == [(DISPLAY_NAME, "Anna Berger"), (TITLE, "Director"), (DISPLAY_NAME, "Anna Berger")]


@pytest.mark.covers("MS-OXNSPI_R909", "MS-OXNSPI_R910", "MS-OXNSPI_R2003005")
@pytest.mark.parametrize("tag", [USER_CERTIFICATE, 0x6666001F, 0x0000001E, MEMBER])
def test_a_value_that_is_not_there(nspi: Mapi, tag: int) -> None:
    entry = somebody(nspi, "Ben Adler")
    error, _, found = call(
        nspi, "GetProps", get_props(Stat(current=entry), [DISPLAY_NAME, tag]), props_answer
    )
    assert error == ERRORS_RETURNED
    assert found == [(DISPLAY_NAME, "Ben Adler"), (tag & 0xFFFF0000 | 0x000A, NOT_FOUND)]


@pytest.mark.covers("MS-OXNSPI_R907", "MS-OXNSPI_R1985", "MS-OXNSPI_R84")
@pytest.mark.parametrize("current", [CURRENT, END, 0xF, NO_SUCH_ID])
def test_properties_of_nobody(nspi: Mapi, current: int) -> None:
    error, _, found = call(
        nspi, "GetProps", get_props(Stat(current=current), [DISPLAY_NAME, ENTRY_ID]), props_answer
    )
    assert error == ERRORS_RETURNED
    assert found == [(0x3001000A, NOT_FOUND), (0x0FFF000A, NOT_FOUND)]


@pytest.mark.covers("MS-OXNSPI_R882", "MS-OXNSPI_R877", "MS-OXNSPI_R2003005")
def test_properties_in_an_unknown_container(nspi: Mapi) -> None:
    stat = Stat(container=CURRENT, current=somebody(nspi, "Ben Adler"))
    error, _, found = call(nspi, "GetProps", get_props(stat, [DISPLAY_NAME]), props_answer)
    assert (error, found) == (INVALID_BOOKMARK, None)


@pytest.mark.covers("MS-OXNSPI_R877", "MS-OXNSPI_R903", "MS-OXNSPI_R873")
def test_code_pages_of_properties(nspi: Mapi) -> None:
    entry = somebody(nspi, "Örn Ægisson")
    for code_page in (UNKNOWN_CODE_PAGE, 99_999):
        body = get_props(Stat(current=entry, code_page=code_page), [DISPLAY_NAME_8])
        error, _, found = call(nspi, "GetProps", body, props_answer)
        assert (error, found) == (INVALID_CODE_PAGE, None)
    assert properties(nspi, entry, [DISPLAY_NAME_8])[DISPLAY_NAME_8] == "Örn Ægisson"
    body = get_props(Stat(current=entry, code_page=UNICODE), [DISPLAY_NAME_8])
    assert call(nspi, "GetProps", body, props_answer)[0] in PERMITTED
    assert properties(nspi, entry, [DISPLAY_NAME], code_page=UNICODE)[DISPLAY_NAME] == "Örn Ægisson"


@pytest.mark.covers("MS-OXNSPI_R1693", "MS-OXNSPI_R888", "MS-OXNSPI_R852", "MS-OXNSPI_R854", "MS-OXNSPI_R855")
def test_the_list_of_properties(nspi: Mapi) -> None:
    entry = somebody(nspi, TEAM)
    error, tags = call(nspi, "GetPropList", get_prop_list(entry), ids_answer)
    assert error == SUCCESS
    assert tags is not None
    assert {tag & ~1 if tag & 0xFFF == STRING else tag for tag in REQUIRED} <= set(tags)
    assert not [tag for tag in tags if tag & 0xFFF == STRING]
    error, _, found = call(nspi, "GetProps", get_props(Stat(current=entry), None), props_answer)
    assert error == SUCCESS
    assert found is not None
    assert [tag for tag, _ in found] == tags


@pytest.mark.covers("MS-OXNSPI_R848", "MS-OXNSPI_R104", "MS-OXNSPI_R831", "MS-OXNSPI_R1924")
def test_the_list_without_objects(nspi: Mapi) -> None:
    entry = somebody(nspi, TEAM)
    _, whole = call(nspi, "GetPropList", get_prop_list(entry, 0xFFFFFFFE), ids_answer)
    _, short = call(nspi, "GetPropList", get_prop_list(entry, SKIP_OBJECTS), ids_answer)
    assert whole is not None
    assert short == [tag for tag in whole if tag & 0xFFFF != TABLE_TYPE]
    assert short != whole


@pytest.mark.covers("MS-OXNSPI_R840", "MS-OXNSPI_R894")
@pytest.mark.parametrize(("entry", "code_page"), [(None, UNKNOWN_CODE_PAGE), (NO_SUCH_ID, 1252), (1, 1252)])
def test_lists_that_cannot_be(nspi: Mapi, entry: int | None, code_page: int) -> None:
    wanted = somebody(nspi, "Ben Adler") if entry is None else entry
    error, found = call(nspi, "GetPropList", get_prop_list(wanted, code_page=code_page), ids_answer)
    assert error != SUCCESS
    assert found is None
    body = get_props(Stat(current=wanted, code_page=code_page), None)
    assert call(nspi, "GetProps", body, props_answer)[0] == error


@pytest.mark.covers("MS-OXNSPI_R820", "MS-OXNSPI_R822", "MS-OXNSPI_R824", "MS-OXNSPI_R115", "MS-OXNSPI_R116")
def test_all_columns(nspi: Mapi) -> None:
    error, narrow = call(nspi, "QueryColumns", query_columns(), ids_answer)
    assert error == SUCCESS
    _, broad = call(nspi, "QueryColumns", query_columns(0x80000000), ids_answer)
    assert narrow is not None
    assert broad is not None
    assert {tag & 0xEFFF for tag in narrow} >= {0x102, 3}
    assert not [tag for tag in narrow if tag & 0xEFFF == STRING]
    assert not [tag for tag in broad if tag & 0xEFFF == STRING_8]
    assert [tag >> 16 for tag in narrow] == [tag >> 16 for tag in broad]
    assert set(REQUIRED) <= set(broad)
    assert len(set(broad)) == len(broad)


@pytest.mark.covers("MS-OXNSPI_R805", "MS-OXNSPI_R807", "MS-OXNSPI_R1922", "MS-OXNSPI_R1923")
def test_all_columns_with_odd_flags(nspi: Mapi) -> None:
    plain = nspi.post("QueryColumns", query_columns()).body
    assert nspi.post("QueryColumns", query_columns(0x7FFFFFFF, reserved=0xFFFFFFFF)).body == plain


@pytest.mark.covers(
    "MS-OXNSPI_R1260", "MS-OXNSPI_R1262", "MS-OXNSPI_R1263", "MS-OXNSPI_R1264", "MS-OXNSPI_R1700"
)
def test_names_to_ids(book: Book, nspi: Mapi) -> None:
    mine = id_of(nspi, book.me.dn)
    names = ["/o=nobody", book.me.dn, "", book.me.dn.upper(), "nonsense", book.me.dn]
    error, found = call(nspi, "DNToMId", dn_to_id(names, reserved=99), ids_answer)
    assert (error, found) == (SUCCESS, [0, mine, 0, mine, 0, mine])


@pytest.mark.covers("MS-OXNSPI_R1255", "MS-OXCMAPIHTTP_R1289")
def test_no_names_to_ids(nspi: Mapi) -> None:
    assert call(nspi, "DNToMId", dn_to_id([]), ids_answer) in ((SUCCESS, []), (SUCCESS, None))
    error, found = call(nspi, "DNToMId", dn_to_id(None), ids_answer)
    assert error in (SUCCESS, INVALID_PARAMETER)
    assert not found


# The address book hierarchy table and the address creation table: MS-OXNSPI 3.1.4.1.3


@pytest.mark.covers("MS-OXNSPI_R1863", "MS-OXNSPI_R1864", "MS-OXNSPI_R760", "MS-OXNSPI_R767", "MS-OXNSPI_R56")
def test_the_hierarchy(nspi: Mapi) -> None:
    error, code_page, version, rows = call(nspi, "GetSpecialTable", special_table(), special_answer)
    assert (error, code_page) in ((SUCCESS, 1200), (SUCCESS, 1252))
    assert version is not None, "R750"
    assert rows
    columns = [ENTRY_ID, CONTAINER_FLAGS, DEPTH, CONTAINER_ID, DISPLAY_NAME, IS_MASTER]
    for row in rows:
        assert [tag for tag, _ in row] in (columns, [*columns, PARENT_ENTRY_ID])
    first = dict(rows[0])
    assert first[CONTAINER_ID] == first[DEPTH] == 0
    assert first[DISPLAY_NAME]
    assert isinstance(first[CONTAINER_FLAGS], int)
    assert first[CONTAINER_FLAGS] & 0x9 == 0x9, "MS-OXOABK 2.2.2.1: recipients, unmodifiable"


@pytest.mark.covers(
    "MS-OXNSPI_R1865", "MS-OXNSPI_R1866", "MS-OXNSPI_R57", "MS-OXNSPI_R1998", "MS-OXNSPI_R403"
)
def test_entry_ids_of_containers(nspi: Mapi) -> None:
    rows = call(nspi, "GetSpecialTable", special_table(), special_answer)[3]
    assert rows
    assert dict(rows[0])[ENTRY_ID] == permanent(DT_CONTAINER, "/"), "gal-addrlist-dn: MS-OXOABK 2.2.1.1"
    seen = set()
    for row in rows[1:]:
        entry_id = dict(row)[ENTRY_ID]
        assert isinstance(entry_id, bytes)
        dn = entry_id[28:-1].decode()
        assert entry_id == permanent(DT_CONTAINER, dn)
        assert dn.startswith("/guid=")
        assert len(bytes.fromhex(dn.removeprefix("/guid="))) == 16
        seen.add(dn)
    assert len(seen) == len(rows) - 1


@pytest.mark.covers("MS-OXNSPI_R501", "MS-OXNSPI_R502", "MS-OXNSPI_R520")
def test_every_container_can_be_read(nspi: Mapi) -> None:
    rows = call(nspi, "GetSpecialTable", special_table(), special_answer)[3]
    assert rows
    containers = [dict(row)[CONTAINER_ID] for row in rows]
    assert len(set(containers)) == len(containers)
    for container in containers:
        assert isinstance(container, int)
        assert container == 0 or container >= 0x10
        body = query_rows(Stat(container=container), columns=[DISPLAY_NAME])
        error, stat, _, found = call(nspi, "QueryRows", body, rows_answer)
        assert error == SUCCESS
        assert stat is not None
        assert stat.total == len(found) < 50
        assert stat.container == container


@pytest.mark.covers("MS-OXNSPI_R762", "MS-OXNSPI_R1967", "MS-OXNSPI_R1933")
def test_the_hierarchy_in_bytes(nspi: Mapi) -> None:
    error, code_page, _, rows = call(nspi, "GetSpecialTable", special_table(flags=0), special_answer)
    assert (error, code_page) == (SUCCESS, 1252)
    assert rows
    assert rows[0][4][0] == DISPLAY_NAME_8


@pytest.mark.covers("MS-OXNSPI_R736", "MS-OXNSPI_R732")
def test_the_hierarchy_in_unknown_bytes(nspi: Mapi) -> None:
    body = special_table(Stat(code_page=UNKNOWN_CODE_PAGE), flags=0)
    error, _, _, rows = call(nspi, "GetSpecialTable", body, special_answer)
    assert (error, rows) == (INVALID_CODE_PAGE, None)
    body = special_table(Stat(code_page=UNICODE), flags=0)
    assert call(nspi, "GetSpecialTable", body, special_answer)[0] in PERMITTED
    body = special_table(Stat(code_page=UNICODE), flags=4)
    assert call(nspi, "GetSpecialTable", body, special_answer)[0] == SUCCESS


@pytest.mark.covers("MS-OXNSPI_R748", "MS-OXNSPI_R750")
def test_the_version_of_the_hierarchy(nspi: Mapi) -> None:
    _, _, version, rows = call(nspi, "GetSpecialTable", special_table(version=0), special_answer)
    assert version
    assert rows
    error, _, again, none = call(nspi, "GetSpecialTable", special_table(version=version), special_answer)
    assert (error, again) == (SUCCESS, version)
    assert not none
    _, _, again, rows = call(nspi, "GetSpecialTable", special_table(version=version + 1), special_answer)
    assert again == version
    assert rows


@pytest.mark.covers("MS-OXNSPI_R721", "MS-OXNSPI_R1740", "MS-OXCMAPIHTTP_R1322")
def test_odd_flags_of_special_tables(nspi: Mapi) -> None:
    plain = nspi.post("GetSpecialTable", special_table()).body
    assert nspi.post("GetSpecialTable", special_table(flags=0xFFFFFFFD)).body == plain


@pytest.mark.covers("MS-OXNSPI_R741", "MS-OXNSPI_R110", "MS-OXNSPI_R757", "MS-OXNSPI_R758", "MS-OXNSPI_R521")
@pytest.mark.parametrize("lcid", [1033, 1031, 0x7777])
def test_the_address_creation_table(nspi: Mapi, lcid: int) -> None:
    narrow = call(nspi, "GetSpecialTable", special_table(Stat(template_locale=lcid), 2), special_answer)
    assert narrow[0] == SUCCESS
    broad = call(nspi, "GetSpecialTable", special_table(Stat(template_locale=lcid), 6), special_answer)
    assert narrow == broad
    assert lcid != 0x7777 or not narrow[3]


# MS-OXABREF 3.1.4


@pytest.mark.covers(
    "MS-OXCMAPIHTTP_R1102", "MS-OXCMAPIHTTP_R1120", "MS-OXCMAPIHTTP_R1328", "MS-OXCMAPIHTTP_R1327"
)
@pytest.mark.parametrize(
    ("request_type", "path"), [("GetMailboxUrl", "emsmdb"), ("GetAddressBookUrl", "nspi")]
)
def test_urls(book: Book, nspi: Mapi, request_type: str, path: str) -> None:
    error, url = call(nspi, request_type, url_of(book.me.dn), url_answer)
    assert error == SUCCESS
    assert url.startswith("https://")
    assert f"/mapi/{path}/" in url
    assert call(nspi, request_type, url_of(book.me.dn, flags=0xFFFFFFFF), url_answer) == (SUCCESS, url)


@pytest.mark.parametrize("request_type", ["GetMailboxUrl", "GetAddressBookUrl"])
@pytest.mark.parametrize("dn", ["", "/o=elsewhere/cn=nobody", "x" * 3000], ids=len)
def test_urls_of_nobody(nspi: Mapi, request_type: str, dn: str) -> None:
    error, url = call(nspi, request_type, url_of(dn), url_answer)
    assert (error == SUCCESS) == bool(url)


def test_everybody_is_in_the_book(nspi: Mapi) -> None:
    for _, name, *_ in PEOPLE:
        assert properties(nspi, somebody(nspi, name), [DISPLAY_NAME]) == {DISPLAY_NAME: name}
