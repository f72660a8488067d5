"""The hierarchy, the address creation table, templates; referral; names of properties."""

import struct
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.addressbook import dialogs, naming, objects, referral, special, templates
from appliance.addressbook.stat import CP_TELETEX, CP_WINUNICODE, VERIFY_NAMES, Special, Stat, Template
from appliance.addressbook.templates import Control, ControlFlags, ControlType
from appliance.directory import domains
from appliance.mailbox.actor import Actor
from appliance.mapi import errors, tags
from appliance.mapi import types as t
from appliance.mapi.entryids import PermanentEntryId, parse
from appliance.mapi.names import PS_MAPI, PropertyName
from appliance.wire.errors import DecodeError
from tests.addressbook.conftest import Office, code
from tests.kit import Codec, codec_tests

LISTS = ["Global Address List", "All Users", "All Rooms", "All Contacts", "All Groups", "Public Folders"]


@pytest.mark.covers(
    "MS-OXNSPI_R717", "MS-OXNSPI_R718", "MS-OXNSPI_R653", "MS-OXNSPI_R726", "MS-OXNSPI_R727",
    "MS-OXNSPI_R728", "MS-OXNSPI_R743", "MS-OXNSPI_R760", "MS-OXNSPI_R762", "MS-OXNSPI_R1863",
    "MS-OXNSPI_R1864", "MS-OXNSPI_R1865", "MS-OXNSPI_R1866", "MS-OXNSPI_R765", "MS-OXNSPI_R767",
    "MS-OXNSPI_R111", "MS-OXNSPI_R56", "MS-OXNSPI_R1998", "MS-OXNSPI_R518", "MS-OXNSPI_R520",
    "MS-OXNSPI_R29", "MS-OXNSPI_R30", "MS-OXNSPI_R721", "MS-OXNSPI_R1740", "MS-OXNSPI_R1933",
    "MS-OXNSPI_R1941", "MS-OXNSPI_R454", "MS-OXNSPI_R1966", "MS-OXNSPI_R1967", "MS-OXNSPI_R724",
    "MS-OXNSPI_R750",
)  # fmt: skip
@pytest.mark.parametrize("flags", [0, 4, 0xFFFFFFF9, 0xFFFFFFFD])
def test_hierarchy(office: Office, flags: int) -> None:
    """A row for each list, the global one first, with the prescribed columns in their order."""
    name = 0x3001001F if flags & Special.UNICODE_STRINGS else 0x3001001E
    table = office.session().get_special_table(flags, Stat(), 0)
    assert table.version == special.HIERARCHY_VERSION
    columns = [0x0FFF0102, 0x36000003, 0x30050003, 0xFFFD0003, name, 0xFFFB000B]
    assert [[tag for tag, _ in row] for row in table.rows] == [columns] * 6
    assert [row[4][1] for row in table.rows] == LISTS
    assert table.rows[0][3][1] == 0
    for number, row in enumerate(table.rows):
        key, container_flags, depth, container, _, master = (value for _, value in row)
        entry_id = parse(bytes(key))  # type: ignore[arg-type]
        assert isinstance(entry_id, PermanentEntryId)
        assert entry_id.type == 0x100
        shape = (
            entry_id.dn == "/"
            if number == 0
            else len(bytes.fromhex(entry_id.dn.removeprefix("/guid="))) == 16
        )
        assert shape
        assert (container_flags, depth, master) == (9, 0, False)
        assert office.session().update_stat(Stat(container_id=container))[0].total_recs > 0  # type: ignore[arg-type]


@pytest.mark.covers("MS-OXNSPI_R748")
def test_hierarchy_that_the_client_has(office: Office) -> None:
    table = office.session().get_special_table(Special.UNICODE_STRINGS, Stat(), special.HIERARCHY_VERSION)
    assert (table.version, table.rows) == (special.HIERARCHY_VERSION, [])


@pytest.mark.covers("MS-OXNSPI_R732", "MS-OXNSPI_R733", "MS-OXNSPI_R734", "MS-OXNSPI_R736")
def test_hierarchy_and_code_pages(office: Office) -> None:
    book = office.session()
    assert book.get_special_table(0, Stat(code_page=CP_WINUNICODE), 0).rows[0][4][0] == 0x3001001F
    assert book.get_special_table(0, Stat(code_page=CP_TELETEX), 0).rows[0][4][0] == 0x3001001E
    assert code(lambda: book.get_special_table(0, Stat(code_page=3), 0)) == errors.ecInvalidCodepage


@pytest.mark.covers(
    "MS-OXNSPI_R741", "MS-OXNSPI_R752", "MS-OXNSPI_R757", "MS-OXNSPI_R758", "MS-OXNSPI_R109",
    "MS-OXNSPI_R110", "MS-OXNSPI_R60", "MS-OXNSPI_R1996", "MS-OXNSPI_R521", "MS-OXNSPI_R338",
    "MS-OXNSPI_R339",
)  # fmt: skip
def test_address_creation(office: Office) -> None:
    """A row for each type of address that can be made; none in a language that does not exist. Its entry id
    leads to the template."""
    book = office.session()
    for flags in (Special.ADDRESS_CREATION_TEMPLATES, 6, 0xFFFFFFFF):
        table = book.get_special_table(flags, Stat(), 5)
        assert table.version is None
        (row,) = table.rows
        values = dict(row)
        assert values[0x3002001E] == "SMTP"
        assert values[0x3001001E] == "SMTP Address"
        assert (values[tags.PidTagSelectable], values[tags.PidTagDepth]) == (True, 0)
        entry_id = parse(bytes(values[tags.PidTagEntryId]))  # type: ignore[arg-type]
        assert isinstance(entry_id, PermanentEntryId)
        assert entry_id.type == 0x102
        found = book.get_template_info(5, 0, entry_id.dn, 1252, 0x409)
        assert [tag for tag, _ in found] == [tags.PidTagTemplateData, tags.PidTagScriptData]
    german = book.get_special_table(2, Stat(template_locale=0x407), 0).rows[0]
    assert dict(german)[0x3001001E] == "SMTP-Adresse"
    assert book.get_special_table(2, Stat(template_locale=0x3FF), 0).rows == []


@pytest.mark.covers(
    "MS-OXNSPI_R1444", "MS-OXNSPI_R654", "MS-OXNSPI_R1447", "MS-OXNSPI_R1692", "MS-OXNSPI_R1449",
    "MS-OXNSPI_R1453", "MS-OXNSPI_R1455", "MS-OXNSPI_R1456", "MS-OXNSPI_R1457", "MS-OXNSPI_R1458",
    "MS-OXNSPI_R1471", "MS-OXNSPI_R1472", "MS-OXNSPI_R1478", "MS-OXNSPI_R1483", "MS-OXNSPI_R1484",
    "MS-OXNSPI_R1485", "MS-OXNSPI_R1486", "MS-OXNSPI_R1490", "MS-OXNSPI_R1492", "MS-OXNSPI_R120",
    "MS-OXNSPI_R121", "MS-OXNSPI_R302", "MS-OXNSPI_R303", "MS-OXNSPI_R19391", "MS-OXNSPI_R453",
)  # fmt: skip
@pytest.mark.parametrize("kind", [0, 1, 2, 3, 6])
def test_details_dialogs(office: Office, kind: int) -> None:
    """Every kind of object has one, in the client's language and code page; its fields show properties that
    the address book has, within the page."""
    book = office.session()
    for flags in (Template.TEMPLATE, 0x71, 0xFFFFFFFB):
        ((tag, data),) = book.get_template_info(flags, kind, None, 1252, 0x409)
        assert tag == 0x00010102
        controls = templates.parse(bytes(data), 1252)  # type: ignore[arg-type]
        assert controls == dialogs.display(kind, 0x09)
        assert controls[0].type is ControlType.TABBED_PAGE
        assert controls[0].text == "General"
        for control in controls:
            assert not control.kind or objects.known_tag(control.kind) is not None
            assert control.x + control.width <= 372
            assert control.y + control.height <= 208
    ((_, german),) = book.get_template_info(Template.TEMPLATE, kind, None, 1252, 0x407)
    assert templates.parse(bytes(german), 1252)[0].text == "Allgemein"  # type: ignore[arg-type]
    row = book.get_template_info(Template.TEMPLATE | Template.SCRIPT, kind, None, 1252, 0x409)
    assert row[1] == (0x0004000A, errors.ecNotFound)
    assert book.get_template_info(0x70, kind, None, 1252, 0x409) == ()


@pytest.mark.covers(
    "MS-OXNSPI_R1467", "MS-OXNSPI_R1469", "MS-OXNSPI_R1476", "MS-OXNSPI_R1462", "MS-OXNSPI_R1980",
    "MS-OXNSPI_R1981", "MS-OXNSPI_R1982", "MS-OXNSPI_R1983",
)  # fmt: skip
def test_templates_that_are_not_there(office: Office) -> None:
    book = office.session()
    for page in (CP_WINUNICODE, 0, 4711):
        assert code(lambda p=page: book.get_template_info(1, 0, None, p, 0x409)) == errors.ecInvalidCodepage  # type: ignore[misc]
    for kind, locale in ((4, 0x409), (0x100, 0x409), (99, 0x409), (0, 0), (0, 0xFFFFFFFF), (0, 0x3FF)):
        refused = code(lambda k=kind, at=locale: book.get_template_info(1, k, None, 1252, at))  # type: ignore[misc]
        assert refused == errors.ecInvalidLocale
    with office.store.read() as txn:
        dn = f"{domains.get(txn).legacy_dn}/cn=Configuration/cn=Templates/cn="
    for bad in ("/o=nobody", dn, dn + "x", dn + "99999999999999"):
        assert code(lambda b=bad: book.get_template_info(1, 0, b, 1252, 0x409)) == errors.ecInvalidLocale  # type: ignore[misc]
    same = {book.get_template_info(5, kind, dn + "SMTP", 1252, at) for kind in (0, 99) for at in (0, 0x407)}
    assert len(same) == 1
    assert book.get_template_info(1, 9, dn + "0", 1252, 0) == book.get_template_info(1, 0, None, 1252, 0x409)


def test_strings_of_templates(office: Office) -> None:
    """In the client's code page, each once."""
    ((_, data),) = office.session().get_template_info(1, 0, None, 1252, 0x407)
    assert b"B\xfc&ro:\0" in bytes(data)  # type: ignore[arg-type]
    ((_, data),) = office.session().get_template_info(1, 0, None, 65001, 0x407)
    assert "Bü&ro:\0".encode() in bytes(data)  # type: ignore[arg-type]


def test_layout_of_templates() -> None:
    control = Control(ControlType.TEXT_BOX, 1, 2, 3, 4, "*", 0x3001001E, 256, ControlFlags.EDITABLE)
    assert (
        templates.pack((control,), 1252)
        == struct.pack("<11I", 1, 1, 1, 2, 3, 4, 1, 2, 0x3001001E, 256, 44) + b"*\0"
    )
    script = templates.address_script("SMTP:", 0x3003001E, 1252)
    assert script == struct.pack("<5I", 0x80000002, 20, 2, 0x3003001E, 0) + b"SMTP:\0"


_U32 = st.integers(0, 0xFFFFFFFF)
_CONTROLS = st.builds(
    Control,
    st.sampled_from(ControlType),
    *[_U32] * 4,
    st.text(st.characters(min_codepoint=1, max_codepoint=0xFFFF, exclude_categories=["Cs"]), max_size=8),
    _U32,
    _U32,
    st.integers(0, 0x7F).map(ControlFlags),
)

TestTemplates = codec_tests(
    Codec(
        decode=lambda data: templates.parse(data, 65001),
        encode=lambda controls: templates.pack(controls, 65001),
        values=st.lists(_CONTROLS, min_size=1, max_size=4).map(tuple),
        prefix_is_legal=True,
    )
)


def test_referral(office: Office) -> None:
    """MS-OXABREF: everybody is referred to this server; its URLs name the user's mailbox."""
    office.change(office.ada, mailbox_guid=bytes(range(16)))
    with office.store.read() as txn:
        organization = domains.get(txn)
        assert referral.address_book_server(txn) == "mail.example.test"
        dn = organization.server_legacy_dn
        for name in (dn, dn.upper(), f"{dn}/cn=Microsoft Private MDB"):
            assert referral.server_name(txn, name) == "mail.example.test"
        for other in ("/o=other/ou=x/cn=Configuration/cn=Servers/cn=Y", dn + "2", ""):
            assert code(lambda o=other: referral.server_name(txn, o)) == errors.ecNotFound  # type: ignore[misc]
        user = Actor(office.ada.id, office.ada.mailbox)
        mailbox = "03020100-0504-0706-0809-0a0b0c0d0e0f@example.test"
        urls = (
            referral.mailbox_url(txn, user, "https://m"),
            referral.address_book_url(txn, user, "https://m"),
        )
        assert urls == (
            f"https://m/mapi/emsmdb/?MailboxId={mailbox}",
            f"https://m/mapi/nspi/?MailboxId={mailbox}",
        )
        nobody = Actor(office.carol.id, 0)
        assert code(lambda: referral.mailbox_url(txn, nobody, "https://m")) == errors.ecNotFound


def test_names_of_properties(office: Office) -> None:
    """MS-NSPI 3.1.4.16, 3.1.4.17."""
    book, member = office.session(), tags.PidTagAddressBookMember
    known, unknown = PropertyName(PS_MAPI, member), PropertyName(PS_MAPI, 0x12340003)
    assert book.get_names_from_ids(PS_MAPI, [member, 0x12340003]) == (None, [known, None])
    assert book.get_names_from_ids(None, [member]) == (None, [known])
    assert book.get_names_from_ids(bytes(16), [member]) == (None, [None])
    assert book.get_names_from_ids(None, None) == ([], [])
    assert code(lambda: book.get_names_from_ids(PS_MAPI, None)) == errors.ecNotSupported
    assert book.get_ids_from_names(0, [known]) == (errors.ecNone, [0x80090000])
    assert book.get_ids_from_names(0, [known, unknown, None]) == (
        errors.ecWarnWithErrors,
        [0x80090000, 10, 10],
    )
    assert code(lambda: book.get_ids_from_names(VERIFY_NAMES, [unknown])) == errors.ecAccessDenied
    assert naming.tag_of(PropertyName(PS_MAPI, 0x8009)) == member == t.with_type(0x80090000, 0xD)


@given(st.binary(max_size=200))
def test_damaged_templates(data: bytes) -> None:
    with suppress(DecodeError):
        templates.parse(data, 1252)
