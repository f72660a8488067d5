"""ModProps, ModLinkAtt, GetTemplateInfo. MS-OXNSPI 3.1.4.1.14, 3.1.4.1.15, 3.1.4.1.18; MS-OXOABKT 2.2.2."""

import struct

import pytest

from tests.conformance.book import TEAM, Book, id_of
from tests.conformance.client import Mapi
from tests.conformance.nspi import (
    ACCESS_DENIED,
    BY_NAME_READ_ONLY,
    CERTIFICATE,
    CURRENT,
    DISPLAY_NAME,
    ENTRY_ID,
    EPHEMERAL,
    INVALID_CODE_PAGE,
    INVALID_LOCALE,
    INVALID_OBJECT,
    INVALID_PARAMETER,
    MEMBER,
    NO_SUCH_ID,
    NOT_FOUND,
    PERMITTED,
    PUBLIC_DELEGATES,
    SUCCESS,
    UNICODE,
    USER_CERTIFICATE,
    Stat,
    call,
    get_matches,
    get_props,
    matches_answer,
    mod_link,
    mod_props,
    plain_answer,
    props_answer,
    tagged,
    template_info,
    u32,
)
from tests.conformance.test_oxnspi_objects import properties, somebody

TEMPLATE_DATA = 0x00010102
SCRIPT_DATA = 0x00040102
DELETE = 1


def certificates(tag: int, *values: bytes, marked: bool = True) -> bytes:
    """An AddressBookPropertyValueList of one multi-valued binary."""
    mark = b"\xff" if marked else b""
    return u32(1) + u32(tag) + b"\xff" + u32(len(values)) + b"".join(mark + u32(len(v)) + v for v in values)


def held(client: Mapi, entry: int, tag: int) -> list[int]:
    """The ids of the objects that a property holds."""
    stat = Stat(sort=BY_NAME_READ_ONLY, container=tag, current=entry)
    error, _, ids, _ = call(client, "GetMatches", get_matches(stat), matches_answer)
    assert error == SUCCESS
    assert ids is not None
    return ids


@pytest.mark.covers(
    "MS-OXNSPI_R1268", "MS-OXNSPI_R1297", "MS-OXNSPI_R1299", "MS-OXNSPI_R1305", "MS-OXNSPI_R1289"
)
@pytest.mark.parametrize("tag", [USER_CERTIFICATE, CERTIFICATE])
@pytest.mark.parametrize("marked", [True, False])
def test_own_certificates(book: Book, nspi: Mapi, tag: int, marked: bool) -> None:
    mine = id_of(nspi, book.me.dn)
    stat = Stat(current=mine)
    values = certificates(tag, b"first " * 60, b"second", marked=marked)
    assert call(nspi, "ModProps", mod_props(stat, [tag], values, reserved=8), plain_answer) == SUCCESS
    assert properties(nspi, mine, [tag])[tag] == (b"first " * 60, b"second")
    assert call(nspi, "ModProps", mod_props(stat, [tag], u32(0)), plain_answer) == SUCCESS
    error, _, found = call(nspi, "GetProps", get_props(stat, [tag]), props_answer)
    assert found == [(tag & 0xFFFF0000 | 0xA, NOT_FOUND)]
    assert error != SUCCESS


@pytest.mark.covers("MS-OXNSPI_R1291", "MS-OXNSPI_R1284")
def test_mod_props_without_tags(book: Book, nspi: Mapi) -> None:
    body = mod_props(Stat(current=id_of(nspi, book.me.dn)), None, certificates(CERTIFICATE, b"x"))
    assert call(nspi, "ModProps", body, plain_answer) == INVALID_PARAMETER


@pytest.mark.covers("MS-OXNSPI_R1293", "MS-OXNSPI_R1284")
@pytest.mark.parametrize("current", [0, CURRENT, NO_SUCH_ID])
def test_mod_props_of_nobody(nspi: Mapi, current: int) -> None:
    body = mod_props(Stat(current=current), [CERTIFICATE], certificates(CERTIFICATE, b"x"))
    assert call(nspi, "ModProps", body, plain_answer) == INVALID_PARAMETER


@pytest.mark.covers("MS-OXNSPI_R1303", "MS-OXNSPI_R1295", "MS-OXNSPI_R1284")
@pytest.mark.parametrize(
    ("who", "tag"), [("Ben Adler", CERTIFICATE), ("Team of All", CERTIFICATE), ("", DISPLAY_NAME)]
)
def test_mod_props_that_may_not_be(book: Book, nspi: Mapi, who: str, tag: int) -> None:
    entry = somebody(nspi, who) if who else id_of(nspi, book.me.dn)
    before = properties(nspi, entry, [DISPLAY_NAME])
    values = certificates(tag, b"x") if tag == CERTIFICATE else u32(1) + tagged(tag, "Renamed")
    error = call(nspi, "ModProps", mod_props(Stat(current=entry), [tag], values), plain_answer)
    assert error in (ACCESS_DENIED, INVALID_OBJECT)
    assert (error == INVALID_OBJECT) <= (who == "Team of All")
    assert properties(nspi, entry, [DISPLAY_NAME]) == before


@pytest.mark.covers("MS-OXNSPI_R1280")
def test_mod_props_in_unicode(nspi: Mapi) -> None:
    body = mod_props(Stat(current=CURRENT, code_page=UNICODE), [CERTIFICATE], u32(0))
    assert call(nspi, "ModProps", body, plain_answer) in PERMITTED


@pytest.mark.covers(
    "MS-OXNSPI_R2002", "MS-OXNSPI_R1332", "MS-OXNSPI_R1335", "MS-OXNSPI_R1340", "MS-OXNSPI_R1927"
)
@pytest.mark.parametrize("flags", [0, EPHEMERAL])
def test_own_delegates(book: Book, nspi: Mapi, flags: int) -> None:
    mine, ben = id_of(nspi, book.me.dn), somebody(nspi, "Ben Adler")
    ben_id = properties(nspi, ben, [ENTRY_ID], flags)[ENTRY_ID]
    assert isinstance(ben_id, bytes)
    for _ in range(2):  # R1336: who is there already is passed over
        body = mod_link(PUBLIC_DELEGATES, mine, [ben_id], 0xFFFFFFFE)
        assert call(nspi, "ModLinkAtt", body, plain_answer) == SUCCESS
        assert held(nspi, mine, PUBLIC_DELEGATES) == [ben]
    for _ in range(2):  # R1333: who is not there as well
        body = mod_link(PUBLIC_DELEGATES, mine, [ben_id], DELETE)
        assert call(nspi, "ModLinkAtt", body, plain_answer) == SUCCESS
        assert held(nspi, mine, PUBLIC_DELEGATES) == []


@pytest.mark.covers("MS-OXNSPI_R1893", "MS-OXNSPI_R1332", "MS-OXNSPI_R1335", "MS-OXCMAPIHTTP_R1333")
def test_members_by_the_manager(book: Book) -> None:
    name = f"list{id(book)}@example.test"
    book.office.command("group", "add", name, "--name", name, "--managed-by", book.me.address)
    with book.bound() as client:
        group, ben = somebody(client, name), somebody(client, "Ben Adler")
        entry_id = properties(client, ben, [ENTRY_ID])[ENTRY_ID]
        assert isinstance(entry_id, bytes)
        assert call(client, "ModLinkAtt", mod_link(MEMBER, group, [entry_id]), plain_answer) == SUCCESS
        assert held(client, group, MEMBER) == [ben]
        body = mod_link(MEMBER, group, [entry_id], DELETE)
        assert call(client, "ModLinkAtt", body, plain_answer) == SUCCESS
        assert held(client, group, MEMBER) == []
    book.office.command("group", "del", name)


@pytest.mark.covers(
    "MS-OXNSPI_R1326", "MS-OXNSPI_R1328", "MS-OXNSPI_R1647", "MS-OXNSPI_R1646", "MS-OXNSPI_R1338"
)
@pytest.mark.parametrize(
    ("tag", "who", "expected"),
    [
        (DISPLAY_NAME, "Ben Adler", NOT_FOUND),
        (0x6666000D, "Ben Adler", NOT_FOUND),
        (MEMBER, None, INVALID_PARAMETER),
        (PUBLIC_DELEGATES, None, INVALID_PARAMETER),
        (MEMBER, "Ben Adler", ACCESS_DENIED),
        (PUBLIC_DELEGATES, TEAM, ACCESS_DENIED),
        (MEMBER, TEAM, ACCESS_DENIED),
        (PUBLIC_DELEGATES, "Ben Adler", ACCESS_DENIED),
    ],
)
def test_links_that_may_not_be(nspi: Mapi, tag: int, who: str | None, expected: int) -> None:
    entry = NO_SUCH_ID if who is None else somebody(nspi, who)
    entry_id = properties(nspi, somebody(nspi, "clara"), [ENTRY_ID])[ENTRY_ID]
    assert isinstance(entry_id, bytes)
    before = held(nspi, somebody(nspi, TEAM), MEMBER)
    assert call(nspi, "ModLinkAtt", mod_link(tag, entry, [entry_id]), plain_answer) == expected
    assert held(nspi, somebody(nspi, TEAM), MEMBER) == before


@pytest.mark.covers("MS-OXNSPI_R1321", "MS-OXNSPI_R1338")
@pytest.mark.parametrize("entry_ids", [[b""], [b"\x87"], [bytes(200)], [b"\x87" + bytes(31)]])
def test_links_to_nobody(book: Book, nspi: Mapi, entry_ids: list[bytes]) -> None:
    mine = id_of(nspi, book.me.dn)
    error = call(nspi, "ModLinkAtt", mod_link(PUBLIC_DELEGATES, mine, entry_ids), plain_answer)
    assert error in (ACCESS_DENIED, INVALID_PARAMETER)
    assert held(nspi, mine, PUBLIC_DELEGATES) == []


# Templates


def controls(data: bytes) -> list[tuple[int, int, int, int, int]]:
    """Type, flags and the three numbers of every control of a template; its layout is checked."""
    kind, count = struct.unpack_from("<II", data)
    assert kind == 1, "TRowSet: MS-OXOABKT 2.2.2.1.1"
    made = []
    for row in range(count):
        x, width, y, height, control, flags, what, size, text = struct.unpack_from("<9I", data, 8 + row * 36)
        assert max(x, y) < 2000
        assert max(width, height) < 2000
        assert control in (0, 1, 2, 3, 4, 5, 6, 7, 8, 11), "2.2.2.1.2"
        assert flags < 0x100
        if text:
            assert 8 + count * 36 <= text < len(data), "strings lie behind the rows"
            data.index(b"\0", text)
        made.append((control, flags, what, size, text))
    return made


@pytest.mark.covers(
    "MS-OXNSPI_R1485", "MS-OXNSPI_R1486", "MS-OXNSPI_R1490", "MS-OXNSPI_R302", "MS-OXNSPI_R1471"
)
@pytest.mark.parametrize("display_type", [0, 1, 6])
@pytest.mark.parametrize("lcid", [1033, 1031, 1036])
def test_templates(nspi: Mapi, display_type: int, lcid: int) -> None:
    body = template_info(display_type, lcid=lcid)
    error, code_page, row = call(nspi, "GetTemplateInfo", body, props_answer)
    assert (error, code_page) == (SUCCESS, 1252)
    assert row is not None
    ((tag, data),) = row
    assert tag == TEMPLATE_DATA
    assert isinstance(data, bytes)
    found = controls(data)
    assert found[0][0] == 8, "a page comes first: the controls behind it are on it"
    edits = [what for control, _, what, _, _ in found if control == 1]
    assert {what >> 16 for what in edits} >= {DISPLAY_NAME >> 16}
    for control, _, _, _, text in found:
        if control in (0, 6, 8):
            assert data[text:].split(b"\0")[0].decode("cp1252"), "labels and pages have texts"
    lists = [(what, size, text) for control, _, what, size, text in found if control == 2]
    assert lists, "groups that somebody is in, or members"
    for what, size, text in lists:
        assert what & 0xFFFF == 0x000D, "dwType of a list box is the tag of a table"
        assert size == 0
        assert data[text : text + 2] == b"*\0"


@pytest.mark.covers("MS-OXNSPI_R1467", "MS-OXNSPI_R1469", "MS-OXNSPI_R1462")
@pytest.mark.parametrize("code_page", [UNICODE, 0xFF, 99_999])
def test_templates_in_no_code_page(nspi: Mapi, code_page: int) -> None:
    body = template_info(0, code_page=code_page)
    error, _, row = call(nspi, "GetTemplateInfo", body, props_answer)
    assert (error, row) == (INVALID_CODE_PAGE, None)


@pytest.mark.covers("MS-OXNSPI_R1476", "MS-OXNSPI_R1462")
@pytest.mark.parametrize(
    "body",
    [
        template_info(0, lcid=0),
        template_info(0, flags=0x20, lcid=0),
        template_info(0x1234),
        template_info(0, dn="/o=x/cn=nothing"),
        template_info(0, dn=""),
    ],
    ids=["locale", "locale of a help file", "type", "dn", "no dn"],
)
def test_templates_that_are_not_there(nspi: Mapi, body: bytes) -> None:
    error, _, row = call(nspi, "GetTemplateInfo", body, props_answer)
    assert (error, row) == (INVALID_LOCALE, None)


@pytest.mark.covers("MS-OXNSPI_R1447", "MS-OXNSPI_R1692", "MS-OXCMAPIHTTP_R1324")
def test_odd_flags_of_templates(nspi: Mapi) -> None:
    plain = nspi.post("GetTemplateInfo", template_info(0)).body
    assert nspi.post("GetTemplateInfo", template_info(0, flags=0xFFFFFF01)).body == plain


@pytest.mark.covers("MS-OXNSPI_R1483", "MS-OXNSPI_R1484", "MS-OXNSPI_R303")
def test_scripts(nspi: Mapi) -> None:
    error, _, row = call(nspi, "GetTemplateInfo", template_info(0, flags=5), props_answer)
    assert error in (SUCCESS,)
    assert row is not None
    assert [tag >> 16 for tag, _ in row] == [TEMPLATE_DATA >> 16, SCRIPT_DATA >> 16]
