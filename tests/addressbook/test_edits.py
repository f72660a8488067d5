"""NspiModProps and NspiModLinkAtt: what is changed, who may, and that a refusal changes nothing."""

from collections.abc import Iterator

import pytest

from appliance.addressbook.stat import CP_WINUNICODE, DELETE, Stat
from appliance.directory import certificates, entries, links, lists
from appliance.directory.entries import Part
from appliance.directory.links import Link
from appliance.directory.model import Entry
from appliance.mailbox.actor import SYSTEM
from appliance.mapi import errors, tags
from appliance.mapi import types as t
from appliance.mapi.entryids import EphemeralEntryId, OneOffEntryId, PermanentEntryId
from tests.addressbook.conftest import Office, code

MEMBER = tags.PidTagAddressBookMember
DELEGATES = tags.PidTagAddressBookPublicDelegates
X509 = tags.PidTagAddressBookX509Certificate
SMIME = tags.PidTagUserX509Certificate
PHOTO = tags.PidTagThumbnailPhoto


def key(entry: Entry) -> bytes:
    return PermanentEntryId(entry.legacy_dn, 0x77).pack()


def stored(office: Office, entry: Entry) -> tuple[object, ...]:
    """All that NspiModProps can change."""
    with office.store.read() as txn:
        photo = entries.get_blob(txn, entry.id, Part.PHOTO)
        return certificates.x509(txn, entry.id), certificates.smime(txn, entry.id), photo


def targets(office: Office, link: Link, entry: Entry) -> list[str]:
    with office.store.read() as txn:
        return office.names(links.targets(txn, link, entry.id))


@pytest.fixture
def version(office: Office) -> Iterator[None]:
    """The directory is as it was at the end."""
    with office.store.read() as txn:
        before = entries.version(txn)
    yield
    with office.store.read() as txn:
        assert entries.version(txn) == before


@pytest.mark.covers(
    "MS-OXNSPI_R1267", "MS-OXNSPI_R652", "MS-OXNSPI_R1268", "MS-OXNSPI_R1273", "MS-OXNSPI_R1276",
    "MS-OXNSPI_R1289", "MS-OXNSPI_R1297", "MS-OXNSPI_R1299", "MS-OXNSPI_R1301", "MS-OXNSPI_R1305",
)  # fmt: skip
def test_certificates_and_photo(office: Office) -> None:
    """Set, replaced and removed; they show with the next reading."""
    book, stat = office.session(), Stat(current_rec=office.ada.id)
    book.mod_props(stat, [], [(X509, (b"one", b"two")), (SMIME, (b"s",)), (PHOTO, b"jpeg")]).result()
    assert stored(office, office.ada) == ((b"one", b"two"), (b"s",), b"jpeg")
    row = book.get_props(0, stat, [X509, SMIME, PHOTO]).row
    assert row == ((X509, (b"one", b"two")), (SMIME, (b"s",)), (PHOTO, b"jpeg"))
    book.mod_props(stat, [X509, PHOTO], [(X509, (b"three",))]).result()
    assert stored(office, office.ada) == ((b"three",), (b"s",), None)
    book.mod_props(stat, [SMIME], [(PHOTO, b"")]).result()
    book.mod_props(stat, [X509], []).result()
    assert stored(office, office.ada) == ((), (), None)
    assert book.get_props(0, stat, [X509]).row == ((0x8C6A000A, errors.ecNotFound),)


@pytest.mark.covers(
    "MS-OXNSPI_R1284", "MS-OXNSPI_R1291", "MS-OXNSPI_R1293", "MS-OXNSPI_R1295", "MS-OXNSPI_R1303",
)  # fmt: skip
@pytest.mark.usefixtures("version")
def test_properties_refused(office: Office) -> None:
    book = office.session()

    def refused(entry_id: int, removed: list[int] | None, added: list[tuple[int, t.Value]]) -> int:
        return code(lambda: book.mod_props(Stat(current_rec=entry_id), removed, added))

    value: tuple[int, t.Value] = (SMIME, (b"x",))
    assert refused(office.ada.id, None, [value]) == errors.ecInvalidParam
    for missing in (0, 1, 2, 15, 4711):
        assert refused(missing, [], [value]) == errors.ecInvalidParam
    for other in (
        office.staff.id,
        office.carol.id,
        office.users.id,
        office.news.id,
        lists.ROOMS.container_id,
    ):
        assert refused(other, [], [value]) == errors.ecInvalidObject
    for other in (office.alan.id, office.room.id, office.grace.id):
        assert refused(other, [], [value]) == errors.ecAccessDenied
    for tag in (tags.PidTagDisplayName, tags.PidTagEntryId, MEMBER, 0x12340003):
        assert refused(office.ada.id, [tag], []) == errors.ecAccessDenied
        assert refused(office.ada.id, [], [value, (tag, "x")]) == errors.ecAccessDenied
    assert refused(office.ada.id, [], [value, (PHOTO, bytes(entries.MAX_BLOB + 1))]) == errors.ecAccessDenied
    too_many = (b"x",) * (certificates.MAX_CERTIFICATES + 2)
    assert refused(office.ada.id, [], [value, (X509, too_many)]) == errors.ecAccessDenied


@pytest.mark.covers("MS-OXNSPI_R1280", "MS-OXNSPI_R1281", "MS-OXNSPI_R1282")
def test_properties_and_the_unicode_code_page(office: Office) -> None:
    stat = Stat(current_rec=office.ada.id, code_page=CP_WINUNICODE)
    office.session().mod_props(stat, [], [(SMIME, (b"x",))]).result()
    assert stored(office, office.ada)[1] == (b"x",)


def test_others_with_a_right(office: Office) -> None:
    """Recipient management, and the server itself."""
    stat = Stat(current_rec=office.ada.id)
    office.session(office.grace).mod_props(stat, [], [(SMIME, (b"g",))]).result()
    assert stored(office, office.ada)[1] == (b"g",)
    office.book.bind(SYSTEM, 0, Stat()).mod_props(stat, [SMIME], []).result()
    assert stored(office, office.ada)[1] == ()


@pytest.mark.covers(
    "MS-OXNSPI_R1306", "MS-OXNSPI_R655", "MS-OXNSPI_R1307", "MS-OXNSPI_R1893", "MS-OXNSPI_R1312",
    "MS-OXNSPI_R1313", "MS-OXNSPI_R1315", "MS-OXNSPI_R1317", "MS-OXNSPI_R1332", "MS-OXNSPI_R1333",
    "MS-OXNSPI_R1335", "MS-OXNSPI_R1336", "MS-OXNSPI_R1340", "MS-OXNSPI_R128", "MS-OXNSPI_R129",
    "MS-OXNSPI_R1310", "MS-OXNSPI_R1927", "MS-OXNSPI_R379", "MS-OXNSPI_R1665", "MS-OXNSPI_R410",
    "MS-OXNSPI_R1666",
)  # fmt: skip
def test_members(office: Office) -> None:
    """By permanent and ephemeral entry ids, whose display types do not count; what is there already, or not
    there, is passed over."""
    book = office.session(office.alan)
    short = EphemeralEntryId(book.guid, office.room.id, 0x123).pack()
    for flags in (0, 0xFFFFFFFE):
        book.mod_link_att(
            flags, MEMBER, office.staff.id, [key(office.grace), short, key(office.ada)]
        ).result()
    assert targets(office, Link.MEMBER, office.staff) == [
        "Ada Lovelace", "Émile Zola", "Grace Hopper", "Besprechung", "Carol Fern",
    ]  # fmt: skip
    gone = [key(office.ada), short, key(office.abbess), PermanentEntryId("/o=nobody").pack(), b"junk"]
    for flags in (DELETE, 0xFFFFFFFF):
        book.mod_link_att(flags, MEMBER, office.staff.id, gone).result()
    assert targets(office, Link.MEMBER, office.staff) == ["Émile Zola", "Grace Hopper", "Carol Fern"]
    book.mod_link_att(0, MEMBER & 0xFFFF0000 | 0x101F, office.staff.id, []).result()


@pytest.mark.covers("MS-OXNSPI_R2002")
def test_delegates(office: Office) -> None:
    book = office.session()
    book.mod_link_att(0, DELEGATES, office.ada.id, [key(office.alan), key(office.zola)]).result()
    book.mod_link_att(DELETE, DELEGATES, office.ada.id, [key(office.alan)]).result()
    assert targets(office, Link.SEND_ON_BEHALF, office.ada) == ["Émile Zola"]
    stat = Stat(sort_type=1000, container_id=DELEGATES, current_rec=office.ada.id)
    assert office.names(book.get_matches(stat, None, None, 9, None).mids) == ["Émile Zola"]


@pytest.mark.covers(
    "MS-OXNSPI_R1321", "MS-OXNSPI_R1326", "MS-OXNSPI_R1328", "MS-OXNSPI_R1646", "MS-OXNSPI_R1647",
    "MS-OXNSPI_R1338", "MS-OXNSPI_R2003010",
)  # fmt: skip
@pytest.mark.usefixtures("version")
def test_links_refused(office: Office) -> None:
    book = office.session(office.alan)
    add = [key(office.grace)]

    def refused(tag: int, mid: int, ids: list[bytes]) -> int:
        return code(lambda: book.mod_link_att(0, tag, mid, ids))

    assert refused(0xFFFFFFFF, office.staff.id, add) == errors.ecNotFound
    assert refused(tags.PidTagDisplayName, office.staff.id, add) == errors.ecNotFound
    assert refused(0x1234000D, office.staff.id, add) == errors.ecNotFound
    for missing in (0, 1, 15, 4711):
        assert refused(MEMBER, missing, add) == errors.ecInvalidParam
    for tag, entry in (
        (MEMBER, office.alan),
        (MEMBER, office.users),
        (DELEGATES, office.staff),
        (DELEGATES, office.carol),
        (tags.PidTagAddressBookReports, office.alan),
        (DELEGATES, office.ada),
    ):
        assert refused(tag, entry.id, add) == errors.ecAccessDenied
    assert refused(MEMBER, lists.ROOMS.container_id, add) == errors.ecAccessDenied
    foreign = EphemeralEntryId(bytes(16), office.zola.id).pack()
    one_off = OneOffEntryId("A", "SMTP", "a@b.test").pack()
    for bad in (PermanentEntryId("/o=nobody").pack(), foreign, one_off, b"", b"x" * 40, key(office.staff)):
        assert refused(MEMBER, office.staff.id, [*add, bad]) == errors.ecAccessDenied
    assert refused(MEMBER, office.staff.id, add * 10_001) == errors.ecAccessDenied
    stranger = office.session()
    assert code(lambda: stranger.mod_link_att(0, MEMBER, office.staff.id, add)) == errors.ecAccessDenied
