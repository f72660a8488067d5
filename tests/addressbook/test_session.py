"""Sessions: Bind, Unbind, the server's GUID, codes; what is hidden; NDR by impacket; many entries."""

import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given

from appliance.addressbook import objects
from appliance.addressbook.session import AddressBook
from appliance.addressbook.stat import CP_TELETEX, CP_WINUNICODE, Stat
from appliance.directory import entries
from appliance.directory.model import Entry, Kind, Person
from appliance.mailbox.actor import SYSTEM, Actor
from appliance.mapi import codepages, errors, tags, teletex
from appliance.mapi import restrictions as r
from appliance.mapi import types as t
from appliance.store.kv import WriteTxn
from appliance.store.store import Store
from tests.addressbook import ndr
from tests.addressbook.conftest import Office, code
from tests.directory.conftest import Directory
from tests.records import records

NAME = tags.PidTagDisplayName


@pytest.mark.covers(
    "MS-OXNSPI_R668", "MS-OXNSPI_R641", "MS-OXNSPI_R674", "MS-OXNSPI_R676", "MS-OXNSPI_R697",
    "MS-OXNSPI_R699", "MS-OXNSPI_R700", "MS-OXNSPI_R671", "MS-OXNSPI_R1668", "MS-OXNSPI_R689",
    "MS-OXNSPI_R690", "MS-OXNSPI_R692", "MS-OXNSPI_R693", "MS-OXNSPI_R695", "MS-OXNSPI_R696",
    "MS-OXNSPI_R680", "MS-OXNSPI_R681", "MS-OXNSPI_R682", "MS-OXNSPI_R698", "MS-OXNSPI_R627",
    "MS-OXNSPI_R628", "MS-OXNSPI_R629", "MS-OXNSPI_R630", "MS-OXNSPI_R1993", "MS-OXNSPI_R631",
    "MS-OXNSPI_R665",
)  # fmt: skip
def test_bind(office: Office, tmp_path: Path) -> None:
    """One GUID of the server for all sessions, over restarts; another for another server."""
    user = Actor(office.ada.id, office.ada.mailbox)
    assert code(lambda: office.book.bind(user, 0x20, Stat())) == errors.ecNotSupported
    for flags in (0, 0xFFFFFFDF):
        for page in (1252, 932, CP_TELETEX, 65001):
            session = office.book.bind(user, flags, Stat(code_page=page))
            assert session.guid == office.book.guid
            assert len(session.guid) == 16
    for page in (0, 1, 4711, 0xFFFFFFFF, CP_WINUNICODE):
        assert code(lambda p=page: office.book.bind(user, 0, Stat(code_page=p))) == errors.ecInvalidCodepage  # type: ignore[misc]
    assert AddressBook(office.store).guid == office.book.guid
    other = Store.create(tmp_path / "other")
    assert AddressBook(other).guid != office.book.guid
    other.close()


@pytest.mark.covers("MS-OXNSPI_R1670", "MS-OXNSPI_R1671", "MS-OXNSPI_R687")
def test_bind_refused(office: Office) -> None:
    office.change(office.alan, enabled=False)
    for user in (Actor(office.alan.id, 1), Actor(4711, 1), Actor(0, 0)):
        assert code(lambda u=user: office.book.bind(u, 0, Stat())) == errors.ecLoginFailure  # type: ignore[misc]
    assert office.book.bind(SYSTEM, 0, Stat()).guid == office.book.guid


@pytest.mark.covers(
    "MS-OXNSPI_R642", "MS-OXNSPI_R701", "MS-OXNSPI_R702", "MS-OXNSPI_R706", "MS-OXNSPI_R712",
    "MS-OXNSPI_R714", "MS-OXNSPI_R420", "MS-OXNSPI_R419", "MS-OXNSPI_R814", "MS-OXNSPI_R1255",
)  # fmt: skip
def test_unbind(office: Office) -> None:
    """1 when it worked, 2 when there was nothing to unbind; then every call is refused."""
    session, other = office.session(), office.session()
    assert [session.unbind(), session.unbind(), session.unbind()] == [1, 2, 2]
    stat = Stat()
    for call in (
        lambda: session.update_stat(stat),
        lambda: session.query_rows(0, stat, None, 1, [NAME]),
        lambda: session.seek_entries(stat, (NAME, "a"), None, None),
        lambda: session.get_matches(stat, None, None, 1, None),
        lambda: session.resort_restriction(stat, []),
        lambda: session.compare_mids(stat, 16, 16),
        lambda: session.dn_to_mid([]),
        lambda: session.query_columns(0),
        lambda: session.get_prop_list(0, 16, 1252),
        lambda: session.get_props(0, stat, [NAME]),
        lambda: session.resolve_names(stat, None, []),
        lambda: session.get_special_table(0, stat, 0),
        lambda: session.get_template_info(1, 0, None, 1252, 0x409),
        lambda: session.get_names_from_ids(None, []),
        lambda: session.get_ids_from_names(0, []),
        lambda: session.mod_props(stat, [], []),
        lambda: session.mod_link_att(0, NAME, 16, []),
    ):
        assert code(call) == errors.ecError
    assert other.update_stat(stat)[1] == 0


@pytest.mark.covers(
    "MS-OXNSPI_R42", "MS-OXNSPI_R1520", "MS-OXNSPI_R1659", "MS-OXNSPI_R43", "MS-OXNSPI_R1661",
    "MS-OXNSPI_R898", "MS-OXNSPI_R900", "MS-OXNSPI_R904", "MS-OXNSPI_R908", "MS-OXNSPI_R938",
    "MS-OXNSPI_R954", "MS-OXNSPI_R966", "MS-OXNSPI_R976", "MS-OXNSPI_R990", "MS-OXNSPI_R992",
)  # fmt: skip
def test_numbers_of_codes() -> None:
    """MS-OXCDATA 2.4; those that the package raises are among them."""
    numbers = {
        "ecNone": 0, "ecUnbindSuccess": 1, "ecUnbindFailure": 2, "ecWarnWithErrors": 0x00040380,
        "ecError": 0x80004005, "ecNotSupported": 0x80040102, "ecInvalidObject": 0x80040108,
        "ecInsufficientResrc": 0x8004010E, "ecNotFound": 0x8004010F, "ecLoginFailure": 0x80040111,
        "ecTooComplex": 0x80040117, "ecInvalidCodepage": 0x8004011E, "ecInvalidLocale": 0x8004011F,
        "ecTableTooBig": 0x80040403, "ecInvalidBookmark": 0x80040405, "ecAccessDenied": 0x80070005,
        "ecMAPIOOM": 0x8007000E, "ecInvalidParam": 0x80070057,
    }  # fmt: skip
    assert {name: errors.BY_NAME[name] for name in numbers} == numbers
    for module in Path(objects.__file__).parent.glob("*.py"):
        words = set(module.read_text().replace("(", " ").replace(")", " ").replace(",", " ").split())
        used = {word.removeprefix("errors.") for word in words if word.startswith("errors.ec")}
        assert used <= numbers.keys()


@pytest.mark.covers(
    "MS-OXNSPI_R786", "MS-OXNSPI_R787", "MS-OXNSPI_R945", "MS-OXNSPI_R946", "MS-OXNSPI_R1030",
    "MS-OXNSPI_R1031", "MS-OXNSPI_R1115", "MS-OXNSPI_R1116",
    "MS-OXNSPI_R1227", "MS-OXNSPI_R1228", "MS-OXNSPI_R1369", "MS-OXNSPI_R1370", "MS-OXNSPI_R1420",
    "MS-OXNSPI_R1421", "MS-OXNSPI_R633", "MS-OXNSPI_R634",
)  # fmt: skip
def test_hidden_entries(office: Office) -> None:
    """They are in no table and no search by words: as if they did not exist."""
    book, ghost = office.session(), office.ghost.id
    assert code(lambda: book.update_stat(Stat(current_rec=ghost))) == errors.ecNotFound
    assert code(lambda: book.compare_mids(Stat(), ghost, office.ada.id)) == errors.ecError
    everybody = book.query_rows(0, Stat(), None, 99, [tags.PidTagInstanceKey]).rows.rows
    assert ((tags.PidTagInstanceKey, ghost.to_bytes(4, "little")),) not in everybody
    sought = book.seek_entries(Stat(), (NAME, "Agatha"), None, None)
    assert office.names([sought.stat.current_rec]) == ["Alan Turing"]
    assert ghost not in book.get_matches(Stat(), r.And(()), None, 99, None).mids
    assert book.resolve_names(Stat(), None, ["agatha ghost", b"ghost"]).mids == [0, 0]
    assert book.resolve_names(Stat(), None, ["ghost"]).mids == [0]


@pytest.mark.covers(
    "MS-OXNSPI_R842", "MS-OXNSPI_R843", "MS-OXNSPI_R879", "MS-OXNSPI_R880", "MS-OXNSPI_R1257",
    "MS-OXNSPI_R1258", "MS-OXNSPI_R1286", "MS-OXNSPI_R1287", "MS-OXNSPI_R1323", "MS-OXNSPI_R1324",
)  # fmt: skip
def test_removed_entries(office: Office) -> None:
    """An entry that is gone is as if it had never been, and its id is never given to another."""
    book, gone = office.session(office.grace), office.zola
    office.write(lambda txn: entries.remove(txn, gone.id))
    assert book.get_props(0, Stat(current_rec=gone.id), [NAME]).row == ((0x3001000A, errors.ecNotFound),)
    assert code(lambda: book.get_prop_list(0, gone.id, 1252)) == errors.ecError
    assert book.dn_to_mid([gone.legacy_dn]) == [0]
    certificate: list[tuple[int, t.Value]] = [(tags.PidTagUserX509Certificate, (b"x",))]
    assert code(lambda: book.mod_props(Stat(current_rec=gone.id), [], certificate)) == errors.ecInvalidParam
    assert code(lambda: book.mod_link_att(0, tags.PidTagAddressBookPublicDelegates, gone.id, [])) == (
        errors.ecInvalidParam
    )
    assert office.directory.add("next@example.test").id > max(gone.id, office.news.id)


@pytest.mark.covers("MS-OXNSPI_R1587")
@given(records(Stat))
def test_stat_is_what_impacket_says(stat: Stat) -> None:
    assert ndr.stat(stat) == stat.pack()
    assert Stat.parse(stat.pack()) == stat
    assert len(stat.pack()) == 36


@pytest.mark.covers(
    "MS-OXNSPI_R132", "MS-OXNSPI_R134", "MS-OXNSPI_R144", "MS-OXNSPI_R1564", "MS-OXNSPI_R145",
    "MS-OXNSPI_R146", "MS-OXNSPI_R147", "MS-OXNSPI_R156", "MS-OXNSPI_R1567", "MS-OXNSPI_R157",
    "MS-OXNSPI_R158", "MS-OXNSPI_R159", "MS-OXNSPI_R160", "MS-OXNSPI_R161", "MS-OXNSPI_R1568",
    "MS-OXNSPI_R162", "MS-OXNSPI_R163", "MS-OXNSPI_R164", "MS-OXNSPI_R169", "MS-OXNSPI_R1570",
    "MS-OXNSPI_R170", "MS-OXNSPI_R171", "MS-OXNSPI_R172", "MS-OXNSPI_R173", "MS-OXNSPI_R178",
    "MS-OXNSPI_R179", "MS-OXNSPI_R1572", "MS-OXNSPI_R181", "MS-OXNSPI_R182", "MS-OXNSPI_R183",
    "MS-OXNSPI_R184", "MS-OXNSPI_R185", "MS-OXNSPI_R186", "MS-OXNSPI_R187", "MS-OXNSPI_R188",
    "MS-OXNSPI_R189", "MS-OXNSPI_R192", "MS-OXNSPI_R193", "MS-OXNSPI_R194", "MS-OXNSPI_R199",
    "MS-OXNSPI_R200", "MS-OXNSPI_R201", "MS-OXNSPI_R202", "MS-OXNSPI_R203", "MS-OXNSPI_R204",
    "MS-OXNSPI_R208", "MS-OXNSPI_R209", "MS-OXNSPI_R210", "MS-OXNSPI_R214", "MS-OXNSPI_R215",
    "MS-OXNSPI_R1707", "MS-OXNSPI_R216", "MS-OXNSPI_R219", "MS-OXNSPI_R1573", "MS-OXNSPI_R220",
    "MS-OXNSPI_R221", "MS-OXNSPI_R222", "MS-OXNSPI_R1708", "MS-OXNSPI_R223", "MS-OXNSPI_R224",
    "MS-OXNSPI_R225", "MS-OXNSPI_R226", "MS-OXNSPI_R1574", "MS-OXNSPI_R227", "MS-OXNSPI_R228",
    "MS-OXNSPI_R1709", "MS-OXNSPI_R229", "MS-OXNSPI_R230", "MS-OXNSPI_R231", "MS-OXNSPI_R232",
    "MS-OXNSPI_R233", "MS-OXNSPI_R234", "MS-OXNSPI_R1575", "MS-OXNSPI_R235", "MS-OXNSPI_R236",
    "MS-OXNSPI_R237", "MS-OXNSPI_R82", "MS-OXNSPI_R83", "MS-OXNSPI_R84", "MS-OXNSPI_R456", "MS-OXNSPI_R457",
    "MS-OXNSPI_R458", "MS-OXNSPI_R97", "MS-OXNSPI_R99",
)  # fmt: skip
@pytest.mark.parametrize("page", [1252, CP_TELETEX, CP_WINUNICODE])
def test_rows_in_ndr(office: Office, page: int) -> None:
    """Every property of every kind of object fits the structures of RPC and is read from them again."""
    photo: list[tuple[int, t.Value]] = [
        (tags.PidTagThumbnailPhoto, bytes(range(256))),
        (tags.PidTagUserX509Certificate, (b"one", b"two")),
    ]
    office.session().mod_props(Stat(current_rec=office.ada.id), [], photo).result()
    book = office.session()
    people = (office.ada, office.room, office.carol, office.staff, office.users, office.news, office.zola)
    for entry in people:
        stat = Stat(current_rec=entry.id, code_page=page)
        row = book.get_props(0, stat, None).row + book.get_props(0, stat, [tags.PidTagBirthday]).row
        read = ndr.read_rows(ndr.pack_rows([row, row], page))
        assert read == [{tag: _seen(tag, value, page) for tag, value in row}] * 2
        assert len(row) <= 100_000


def _seen(tag: int, value: t.Value, page: int) -> object:
    """A value as impacket shows it: strings with their terminator, those of a code page as text or bytes."""
    kind = t.type_of(tag)
    if isinstance(value, tuple):
        return [_seen(tag & ~t.MULTIPLE_FLAG, one, page) for one in value]
    if kind == t.PtypString8 and isinstance(value, str):
        data = codepages.encode(value, page) + b"\0"
        return data.decode() if data.isascii() else data
    if isinstance(value, str):
        return value + "\0"
    return int(value) if isinstance(value, bool) else value


def test_teletex() -> None:
    """T.61: ASCII as it is, accents before their letters; what is not there becomes a question mark."""
    text = "Ada £5 Ångström Škoda ß œuvre ½ ĸ"
    assert teletex.decode(teletex.encode(text)) == text
    assert teletex.encode("é") == b"\xc2e"
    assert teletex.encode("日a") == b"?a"
    assert teletex.decode(b"\xc8a\xc8") == "ä\ufffd"
    assert teletex.decode(b"\x80") == "\ufffd"
    assert codepages.is_known(CP_TELETEX)
    for char in map(chr, range(0x250)):
        assert teletex.decode(teletex.encode(char)) in (char, "?")


def test_many_entries(directory: Directory) -> None:
    """Positions and rows of a large directory cost what they cost in a small one; a change is one scan."""
    count = 4000

    def fill(txn: WriteTxn, first: int) -> None:
        for number in range(first, first + 200):
            name = f"Person {number * 7919 % count:05}"
            person = Person(given_name="Person", office=str(number))
            guid = (number + 1).to_bytes(16, "big")
            entry = Entry(
                0, Kind.USER, f"p{number}@example.test", name, "", guid, mailbox=number + 1, person=person
            )
            entries.add(txn, entry)

    for first in range(0, count, 200):
        directory.write(lambda txn, f=first: fill(txn, f))  # type: ignore[misc]
    book = AddressBook(directory.store).bind(SYSTEM, 0, Stat())
    assert book.update_stat(Stat())[0].total_recs == count

    def cost(total: int) -> float:
        begun = time.process_time()
        for row in range(0, total, total // 20):
            stat, moved = book.update_stat(Stat(delta=row))
            assert moved == row
            found = book.query_rows(0, stat, None, 10, [NAME]).rows.rows
            assert found[0][0][1] == f"Person {row:05}"
            assert book.seek_entries(Stat(), (NAME, f"person {row:05}"), None, None).stat.num_pos == row
        return time.process_time() - begun

    small, large = cost(100), cost(count)
    assert large < 5 * small + 0.05
    some = book.update_stat(Stat(delta=17))[0].current_rec
    with directory.store.read() as txn:
        entry = entries.get(txn, some)
    directory.write(lambda txn: entries.update(txn, replace(entry, display_name="Aaa")))
    assert book.update_stat(Stat())[0].current_rec == some


@pytest.fixture
def directory(store: Store) -> Directory:
    """A directory without an office."""
    return Directory(store)
