"""The address book endpoint over the wire, byte by byte, with a reader of its own."""

import struct
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from appliance.addressbook.stat import Stat
from appliance.directory import entries, resolve
from appliance.directory.model import Entry, Kind
from appliance.mapi import errors as ec
from appliance.mapi import tags
from appliance.mapi.entryids import MUIDEMSAB
from appliance.mapi.restrictions import And, Content, Exist, Fuzzy, FuzzyFlags, Property, RelOp
from appliance.protocols.mapihttp.bodies import nspi as bodies
from appliance.rop import buffers
from tests.mapiclient import MapiClient, Refused, Wire
from tests.protocols.mapihttp.conftest import BEN, entry
from tests.protocols.webserver import ANNA, Office

NAME, NAME8 = tags.PidTagDisplayName, 0x3001001E
MAIL, TYPE, ENTRY_ID = tags.PidTagSmtpAddress, tags.PidTagObjectType, tags.PidTagEntryId
NO_SUCH = 0x66660003
NO_AUX = bytes(4)
MISSING = struct.pack("<I", ec.ecNotFound)
Book = Callable[..., Wire]


def stat(container: int = 0, current: int = 0, *, sort: int = 0, delta: int = 0, page: int = 1252) -> bytes:
    """A STAT (36 bytes)."""
    return struct.pack("<IIIiIIIII", sort, container, current, delta, 0, 0, page, 1033, 1033)


def u32(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}I", *values)


def columns(*wanted: int) -> bytes:
    """HasColumns and a LargePropertyTagArray."""
    return b"\x01" + u32(len(wanted), *wanted)


def ids(*wanted: int) -> bytes:
    """HasMinimalIds, MinimalIdCount and MinimalIds."""
    return b"\x01" + u32(len(wanted), *wanted)


class Told:
    """A response body, taken from front to back. `status` and `code` are read at once."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0
        self.status, self.code = self.u32(), self.u32()

    def take(self, size: int) -> bytes:
        assert self.at + size <= len(self.data), "the response ends too early"
        self.at += size
        return self.data[self.at - size : self.at]

    def u8(self) -> int:
        return self.take(1)[0]

    def u16(self) -> int:
        return int.from_bytes(self.take(2), "little")

    def u32(self) -> int:
        return int.from_bytes(self.take(4), "little")

    def i32(self) -> int:
        return int.from_bytes(self.take(4), "little", signed=True)

    def has(self) -> bool:
        """A presence byte: all or nothing."""
        found = self.u8()
        assert found in (0, 0xFF)
        return found != 0

    def numbers(self) -> list[int]:
        return [self.u32() for _ in range(self.u32())]

    def text(self) -> str:
        """HasValue and a null-terminated Unicode string."""
        assert self.u8() == 0xFF
        return self.bare()

    def bare(self) -> str:
        start = self.at
        while self.take(2) != b"\0\0":
            pass
        return self.data[start : self.at - 2].decode("utf-16-le")

    def text8(self) -> bytes:
        """HasValue and a null-terminated 8-bit string."""
        assert self.u8() == 0xFF
        start = self.at
        while self.take(1) != b"\0":
            pass
        return self.data[start : self.at - 1]

    def stat(self) -> tuple[int, ...]:
        found: tuple[int, ...] = struct.unpack("<IIIiIIIII", self.take(36))
        return found

    def end(self) -> None:
        """An empty auxiliary buffer, and nothing else."""
        assert self.u32() == 0
        assert self.at == len(self.data), "something is left over"


def told(book: Wire, request_type: str, body: bytes) -> Told:
    """A request that is served, with an empty auxiliary buffer."""
    answer = book.send(request_type, body + NO_AUX)
    assert answer.code == 0, answer.body
    assert len(answer.set_cookies) == 2
    found = Told(answer.body)
    assert found.status == 0
    return found


def code_of(book: Wire, request_type: str, body: bytes) -> str:
    return ec.name_of(told(book, request_type, body).code)


@pytest.fixture
def wire(client_of: Callable[..., MapiClient]) -> Iterator[Book]:
    """`wire(address)`: a client of the address book that is not bound."""
    made: list[Wire] = []

    def make(address: str = ANNA) -> Wire:
        made.append(client_of(address).nspi())
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def book(wire: Book) -> Wire:
    """Anna's client, bound."""
    one = wire()
    one.ask("Bind", bodies.BindRequest(0, Stat()), bodies.BindResponse)
    return one


@pytest.fixture
def ben(office: Office) -> Entry:
    return entry(office, BEN)


@pytest.fixture
def team(office: Office, anna: Entry) -> Entry:
    """A group, which Anna is in and looks after."""
    from appliance.directory import links
    from appliance.directory.links import Link

    def create(txn: Any) -> Entry:
        group = entries.add(txn, Entry(0, Kind.GROUP, "team@example.test", "Team", "", b"t" * 16))
        resolve.add_member(txn, group, anna)
        links.add(txn, Link.MANAGED_BY, group.id, anna.id)
        return group

    made: Entry = office.write(create)
    return made


# -- Bind, Unbind --------------------------------------------------------------------------------------


@pytest.mark.covers(
    "MS-OXCMAPIHTTP_R324",
    "MS-OXCMAPIHTTP_R1320",
    "MS-OXCMAPIHTTP_R332",
    "MS-OXCMAPIHTTP_R346",
    "MS-OXCMAPIHTTP_R347",
    "MS-OXCMAPIHTTP_R348",
    "MS-OXCMAPIHTTP_R1377",
    "MS-OXCMAPIHTTP_R349",
    "MS-OXCMAPIHTTP_R350",
    "MS-OXCMAPIHTTP_R351",
    "MS-OXCMAPIHTTP_R352",
    "MS-OXCMAPIHTTP_R92",
    "MS-OXCMAPIHTTP_R1446",
    "MS-OXCMAPIHTTP_R1441",
)
def test_bind(wire: Book, office: Office) -> None:
    guids = set()
    for flags in (0, 0xFFFFFFDF):
        for state in (b"\x00", b"\x01" + stat(), b"\xff" + stat(page=1251)):
            found = told(wire(), "Bind", u32(flags) + state)
            assert found.code == 0
            guids.add(found.take(16))
            found.end()
    assert len(guids) == 1
    assert guids != {bytes(16)}
    answer = wire().send("Bind", u32(0) + b"\x01" + stat(page=1) + NO_AUX)
    found = Told(answer.body)
    assert ec.name_of(found.code) == "ecInvalidCodepage"
    assert found.take(16) == bytes(16)
    found.end()
    assert not answer.set_cookies


@pytest.mark.covers(
    "MS-OXCMAPIHTTP_R353",
    "MS-OXCMAPIHTTP_R1308",
    "MS-OXCMAPIHTTP_R367",
    "MS-OXCMAPIHTTP_R1291",
    "MS-OXCMAPIHTTP_R368",
    "MS-OXCMAPIHTTP_R1380",
    "MS-OXCMAPIHTTP_R369",
    "MS-OXCMAPIHTTP_R370",
    "MS-OXCMAPIHTTP_R371",
    "MS-OXCMAPIHTTP_R94",
    "MS-OXCMAPIHTTP_R1438",
    "MS-OXCMAPIHTTP_R2233",
    "MS-OXCMAPIHTTP_R2102",
    "MS-OXCMAPIHTTP_R2103",
)
@pytest.mark.covers("MS-OXNSPI_R705", "MS-OXNSPI_R1673")
def test_unbind(book: Wire, wire: Book) -> None:
    for reserved in (0, 0xFFFFFFFF):
        one = wire()
        one.ask("Bind", bodies.BindRequest(0, None), bodies.BindResponse)
        found = told(one, "Unbind", u32(reserved))
        assert found.code == 1, "UnbindSuccess (MS-OXNSPI 2.2.2)"
        found.end()
        with pytest.raises(Refused) as caught:
            one.ask("Unbind", bodies.UnbindRequest(0), bodies.CodeResponse)
        assert caught.value.code == 10


def test_without_binding_there_is_nothing(wire: Book) -> None:
    for request_type in ("QueryRows", "Unbind", "ModProps"):
        assert wire().send(request_type, bytes(50)).code == 13


def test_the_two_endpoints_have_contexts_of_their_own(book: Wire, client: MapiClient) -> None:
    book.cookies, client.wire.cookies = client.wire.cookies, book.cookies
    assert book.send("QueryColumns", u32(0, 0) + NO_AUX).code == 10
    assert client.wire.send("Execute", bytes(16)).code == 10


@pytest.mark.covers("MS-OXCMAPIHTTP_R1128", "MS-OXCMAPIHTTP_R1127")
def test_ping(book: Wire, client: MapiClient) -> None:
    assert len(book.ping().set_cookies) == 2
    assert len(client.wire.ping().set_cookies) == 2


# -- browsing ------------------------------------------------------------------------------------------


@pytest.mark.covers(
    "MS-OXCMAPIHTTP_R372",
    "MS-OXCMAPIHTTP_R1309",
    "MS-OXCMAPIHTTP_R399",
    "MS-OXCMAPIHTTP_R1290",
    "MS-OXCMAPIHTTP_R400",
    "MS-OXCMAPIHTTP_R1383",
    "MS-OXCMAPIHTTP_R401",
    "MS-OXCMAPIHTTP_R2109",
    "MS-OXCMAPIHTTP_R2110",
    "MS-OXCMAPIHTTP_R2111",
    "MS-OXCMAPIHTTP_R2112",
    "MS-OXCMAPIHTTP_R402",
    "MS-OXCMAPIHTTP_R403",
    "MS-OXCMAPIHTTP_R404",
    "MS-OXCMAPIHTTP_R96",
)
@pytest.mark.covers("MS-OXNSPI_R1213", "MS-OXNSPI_R1699")
def test_compare(book: Wire, anna: Entry, ben: Entry) -> None:
    for one, other, expected in ((anna, ben, -1), (ben, anna, 1), (ben, ben, 0)):
        for reserved in (0, 7):
            found = told(book, "CompareMIds", u32(reserved) + b"\x01" + stat() + u32(one.id, other.id))
            assert (found.code, found.i32()) == (0, expected)
            found.end()
    found = told(book, "CompareMIds", u32(0) + b"\x01" + stat() + u32(anna.id, 0xFFFF))
    assert (ec.name_of(found.code), found.i32()) == ("ecError", 0)
    found.end()


@pytest.mark.covers(
    "MS-OXCMAPIHTTP_R405",
    "MS-OXCMAPIHTTP_R1310",
    "MS-OXCMAPIHTTP_R1286",
    "MS-OXCMAPIHTTP_R1287",
    "MS-OXCMAPIHTTP_R430",
    "MS-OXCMAPIHTTP_R1386",
    "MS-OXCMAPIHTTP_R431",
    "MS-OXCMAPIHTTP_R432",
    "MS-OXCMAPIHTTP_R433",
    "MS-OXCMAPIHTTP_R1447",
    "MS-OXCMAPIHTTP_R436",
    "MS-OXCMAPIHTTP_R1288",
    "MS-OXCMAPIHTTP_R1289",
    "MS-OXCMAPIHTTP_R440",
    "MS-OXCMAPIHTTP_R441",
    "MS-OXCMAPIHTTP_R442",
    "MS-OXCMAPIHTTP_R98",
)
@pytest.mark.covers("MS-OXNSPI_R1246", "MS-OXNSPI_R1700")
def test_names_to_ids(book: Wire, anna: Entry, ben: Entry) -> None:
    names = ben.legacy_dn.encode() + b"\0" + b"/o=none\0" + anna.legacy_dn.upper().encode() + b"\0"
    for reserved in (0, 9):
        found = told(book, "DNToMId", u32(reserved) + b"\x01" + u32(3) + names)
        assert found.code == 0
        assert found.has()
        assert found.numbers() == [ben.id, 0, anna.id]
        found.end()
    found = told(book, "DNToMId", u32(0) + b"\x00")
    assert (found.code, found.has(), found.numbers()) == (0, True, [])
    found.end()
    book.send("DNToMId", u32(0) + b"\x01" + u32(10_001) + b"\0" * 10_001 + NO_AUX)
    assert book.answer.code == 12
    told(book, "Unbind", u32(0))
    with pytest.raises(Refused):
        book.ask("DNToMId", bodies.DnToMinIdRequest(0, None), bodies.DnToMinIdResponse)


@pytest.mark.covers(
    "MS-OXCMAPIHTTP_R802",
    "MS-OXCMAPIHTTP_R804",
    "MS-OXCMAPIHTTP_R808",
    "MS-OXCMAPIHTTP_R1326",
    "MS-OXCMAPIHTTP_R825",
    "MS-OXCMAPIHTTP_R827",
    "MS-OXCMAPIHTTP_R843",
    "MS-OXCMAPIHTTP_R844",
    "MS-OXCMAPIHTTP_R845",
    "MS-OXCMAPIHTTP_R1409",
    "MS-OXCMAPIHTTP_R846",
    "MS-OXCMAPIHTTP_R847",
    "MS-OXCMAPIHTTP_R850",
    "MS-OXCMAPIHTTP_R851",
    "MS-OXCMAPIHTTP_R852",
    "MS-OXCMAPIHTTP_R853",
    "MS-OXCMAPIHTTP_R854",
    "MS-OXCMAPIHTTP_R855",
    "MS-OXCMAPIHTTP_R856",
    "MS-OXCMAPIHTTP_R857",
    "MS-OXCMAPIHTTP_R858",
    "MS-OXCMAPIHTTP_R859",
    "MS-OXCMAPIHTTP_R860",
    "MS-OXCMAPIHTTP_R861",
    "MS-OXCMAPIHTTP_R862",
    "MS-OXCMAPIHTTP_R863",
    "MS-OXCMAPIHTTP_R864",
    "MS-OXCMAPIHTTP_R108",
    "MS-OXCMAPIHTTP_R23",
    "MS-OXCMAPIHTTP_R24",
    "MS-OXCMAPIHTTP_R25",
    "MS-OXCMAPIHTTP_R26",
    "MS-OXCMAPIHTTP_R15",
    "MS-OXCMAPIHTTP_R16",
    "MS-OXCMAPIHTTP_R17",
    "MS-OXCMAPIHTTP_R18",
    "MS-OXCMAPIHTTP_R450",
    "MS-OXCMAPIHTTP_R453",
    "MS-OXCMAPIHTTP_R2035",
    "MS-OXCMAPIHTTP_R2036",
    "MS-OXCMAPIHTTP_R2000",
    "MS-OXCMAPIHTTP_R2001",
    "MS-OXCMAPIHTTP_R2005",
    "MS-OXCMAPIHTTP_R2006",
    "MS-OXCMAPIHTTP_R2009",
    "MS-OXCMAPIHTTP_R2021",
    "MS-OXCMAPIHTTP_R2018",
    "MS-OXCMAPIHTTP_R2019",
    "MS-OXCMAPIHTTP_R2022",
    "MS-OXCMAPIHTTP_R2024",
    "MS-OXCMAPIHTTP_R2027",
)
def test_rows(book: Wire, anna: Entry, ben: Entry) -> None:
    ask = u32(10) + columns(NAME, TYPE, MAIL)
    for flags in (0, 2, 0xFFFFFFFC, 0xFFFFFFFE):
        found = told(book, "QueryRows", u32(flags) + b"\x01" + stat() + u32(0) + ask)
        assert found.code == 0
        assert found.has()
        position = found.stat()
        assert (position[0], position[2], position[4:6]) == (0, 2, (2, 2)), "at the end of the table"
        assert found.has()
        assert found.numbers() == [NAME, TYPE, MAIL]
        assert found.u32() == 2
        for name, mail in (("Anna Ärmel", ANNA), ("Ben Berg", BEN)):
            assert found.u8() == 0, "all values are there"
            assert (found.text(), found.u32(), found.text()) == (name, 6, mail)
        found.end()
    explicit = u32(1) + b"\x01" + stat() + u32(3, ben.id, 0xFFFF, anna.id)
    found = told(book, "QueryRows", explicit + u32(5) + columns(TYPE, NO_SUCH))
    assert (found.code, found.has()) == (0, True)
    found.stat()
    assert (found.has(), found.numbers(), found.u32()) == (True, [TYPE, NO_SUCH], 3)
    for exists in (True, False, True):
        assert found.u8() == 1, "errors are marked"
        assert found.take(5) == (b"\x00" + u32(6) if exists else b"\x0a" + MISSING)
        assert found.take(5) == b"\x0a" + MISSING
    found.end()
    found = told(book, "QueryRows", u32(0) + b"\x01" + stat(container=0x7777) + u32(0) + ask)
    assert (ec.name_of(found.code), found.has()) == ("ecInvalidBookmark", True)
    found.stat()
    assert not found.has()
    found.end()
    found = told(book, "QueryRows", u32(0) + b"\x00" + u32(0) + ask)
    assert (ec.name_of(found.code), found.has(), found.has()) == ("ecError", False, False)
    found.end()


def test_as_many_rows_as_there_are(book: Wire) -> None:
    body = u32(0) + b"\x01" + stat() + u32(0) + u32(0xFFFFFFFF) + columns(NAME)
    found = told(book, "QueryRows", body)
    found.has(), found.stat(), found.has(), found.numbers()
    assert found.u32() == 2
    body = u32(0) + b"\x01" + stat() + u32(0) + u32(1) + b"\x00"
    found = told(book, "QueryRows", body)
    found.has(), found.stat(), found.has()
    assert found.numbers()[3:4] == [NAME8], "the columns that a server chooses"


@pytest.mark.covers(
    "MS-OXCMAPIHTTP_R2002",
    "MS-OXCMAPIHTTP_R1298",
    "MS-OXCMAPIHTTP_R1299",
    "MS-OXCMAPIHTTP_R2015",
    "MS-OXCMAPIHTTP_R2016",
    "MS-OXCMAPIHTTP_R2017",
    "MS-OXCMAPIHTTP_R2010",
    "MS-OXCMAPIHTTP_R454",
    "MS-OXCMAPIHTTP_R455",
    "MS-OXCMAPIHTTP_R473",
    "MS-OXCMAPIHTTP_R475",
    "MS-OXCMAPIHTTP_R476",
    "MS-OXCMAPIHTTP_R479",
    "MS-OXCMAPIHTTP_R181",
    "MS-OXCMAPIHTTP_R182",
)
def test_values_of_all_kinds(book: Wire, team: Entry) -> None:
    proxies = tags.PidTagEmsAbProxyAddresses
    ask = columns(NAME8, proxies, TYPE & 0xFFFF0000, ENTRY_ID)
    found = told(book, "QueryRows", u32(2) + b"\x01" + stat() + u32(0) + u32(1) + ask)
    found.has(), found.stat(), found.has(), found.numbers()
    assert found.u32() == 1
    assert found.u8() == 0
    assert found.text8() == "Anna Ärmel".encode("cp1252")
    assert found.u8() == 0xFF, "of the whole"
    assert {found.text() for _ in range(found.u32())} >= {f"SMTP:{ANNA}"}
    assert (found.u16(), found.u32()) == (3, 6), "with its type"
    assert found.u8() == 0xFF
    entry_id = found.take(found.u32())
    assert len(entry_id) == 32
    found.end()
    ask = columns(NO_SUCH & 0xFFFF0000, MAIL & 0xFFFF0000)
    found = told(book, "QueryRows", u32(0) + b"\x01" + stat() + u32(0) + u32(1) + ask)
    found.has(), found.stat(), found.has(), found.numbers()
    assert (found.u32(), found.u8()) == (1, 1)
    assert found.take(7) == struct.pack("<HB", 0x000A, 0x0A) + MISSING
    assert (found.u16(), found.u8(), found.text()) == (0x001F, 0, ANNA)
    found.end()


def test_strings_in_the_code_page_of_the_stat(book: Wire) -> None:
    for page, encoded in ((1252, "Anna Ärmel".encode("cp1252")), (65001, "Anna Ärmel".encode())):
        ask = u32(1) + columns(NAME8)
        found = told(book, "QueryRows", u32(0) + b"\x01" + stat(page=page) + u32(0) + ask)
        found.has(), found.stat(), found.has(), found.numbers()
        assert (found.u32(), found.u8(), found.text8()) == (1, 0, encoded)


@pytest.mark.covers(
    "MS-OXCMAPIHTTP_R1012",
    "MS-OXCMAPIHTTP_R1013",
    "MS-OXCMAPIHTTP_R1316",
    "MS-OXCMAPIHTTP_R1038",
    "MS-OXCMAPIHTTP_R1039",
    "MS-OXCMAPIHTTP_R1040",
    "MS-OXCMAPIHTTP_R1422",
    "MS-OXCMAPIHTTP_R1041",
    "MS-OXCMAPIHTTP_R1042",
    "MS-OXCMAPIHTTP_R1044",
    "MS-OXCMAPIHTTP_R1045",
    "MS-OXCMAPIHTTP_R1046",
    "MS-OXCMAPIHTTP_R1047",
    "MS-OXCMAPIHTTP_R1048",
    "MS-OXCMAPIHTTP_R1049",
    "MS-OXCMAPIHTTP_R1050",
    "MS-OXCMAPIHTTP_R1051",
    "MS-OXCMAPIHTTP_R1052",
    "MS-OXCMAPIHTTP_R1053",
    "MS-OXCMAPIHTTP_R1054",
    "MS-OXCMAPIHTTP_R1055",
    "MS-OXCMAPIHTTP_R1056",
    "MS-OXCMAPIHTTP_R1057",
    "MS-OXCMAPIHTTP_R1058",
    "MS-OXCMAPIHTTP_R111",
)
@pytest.mark.covers(
    "MS-OXNSPI_R1002", "MS-OXNSPI_R1702", "MS-OXNSPI_R1024", "MS-OXNSPI_R1025", "MS-OXNSPI_R1026",
)  # fmt: skip
def test_seek(book: Wire, anna: Entry, ben: Entry) -> None:
    target = b"\x01" + u32(NAME) + b"\xff" + "B\0".encode("utf-16-le")
    for reserved in (0, 0xFFFFFFFF):
        found = told(book, "SeekEntries", u32(reserved) + b"\x01" + stat() + target + b"\x00\x00")
        assert (found.code, found.has()) == (0, True)
        assert found.stat()[2:6] == (ben.id, 0, 1, 2)
        assert not found.has()
        found.end()
    explicit = b"\x01" + u32(2, anna.id, ben.id)
    found = told(book, "SeekEntries", u32(0) + b"\x01" + stat() + target + explicit + columns(NAME))
    assert (found.code, found.has()) == (0, True)
    found.stat()
    assert (found.has(), found.numbers(), found.u32()) == (True, [NAME], 1)
    assert (found.u8(), found.text()) == (0, "Ben Berg")
    found.end()
    behind = b"\x01" + u32(NAME) + b"\xff" + "Z\0".encode("utf-16-le")
    found = told(book, "SeekEntries", u32(0) + b"\x01" + stat() + behind + b"\x00\x00")
    assert (ec.name_of(found.code), found.has()) == ("ecNotFound", True)
    found.stat()
    assert not found.has()
    found.end()
    assert code_of(book, "SeekEntries", u32(0) + b"\x01" + stat() + b"\x00\x00\x00") == "ecError"
    found = told(book, "SeekEntries", u32(0) + b"\x00" + target + b"\x00\x00")
    assert (ec.name_of(found.code), found.has(), found.has()) == ("ecError", False, False)
    found.end()


@pytest.mark.covers(
    "MS-OXCMAPIHTTP_R1059",
    "MS-OXCMAPIHTTP_R1317",
    "MS-OXCMAPIHTTP_R1074",
    "MS-OXCMAPIHTTP_R1075",
    "MS-OXCMAPIHTTP_R1076",
    "MS-OXCMAPIHTTP_R1425",
    "MS-OXCMAPIHTTP_R1077",
    "MS-OXCMAPIHTTP_R1078",
    "MS-OXCMAPIHTTP_R1080",
    "MS-OXCMAPIHTTP_R1081",
    "MS-OXCMAPIHTTP_R1082",
    "MS-OXCMAPIHTTP_R1083",
    "MS-OXCMAPIHTTP_R1084",
    "MS-OXCMAPIHTTP_R1085",
    "MS-OXCMAPIHTTP_R1086",
    "MS-OXCMAPIHTTP_R1087",
    "MS-OXCMAPIHTTP_R1088",
    "MS-OXCMAPIHTTP_R112",
)
@pytest.mark.covers("MS-OXNSPI_R772", "MS-OXNSPI_R1676")
def test_update_stat(book: Wire, ben: Entry) -> None:
    for reserved in (0, 3):
        found = told(book, "UpdateStat", u32(reserved) + b"\x01" + stat(delta=1) + b"\x01")
        assert (found.code, found.has()) == (0, True)
        assert found.stat()[2:6] == (ben.id, 0, 1, 2)
        assert (found.has(), found.i32()) == (True, 1)
        found.end()
    found = told(book, "UpdateStat", u32(0) + b"\x01" + stat(current=2, delta=-2) + b"\xff")
    assert (found.code, found.has()) == (0, True)
    found.stat()
    assert (found.has(), found.i32()) == (True, -2)
    found.end()
    found = told(book, "UpdateStat", u32(0) + b"\x01" + stat() + b"\x00")
    assert (found.code, found.has()) == (0, True)
    found.stat()
    assert not found.has()
    found.end()
    found = told(book, "UpdateStat", u32(0) + b"\x00\x01")
    assert (ec.name_of(found.code), found.has(), found.has()) == ("ecError", False, False)
    found.end()


@pytest.mark.covers(
    "MS-OXCMAPIHTTP_R958",
    "MS-OXCMAPIHTTP_R1315",
    "MS-OXCMAPIHTTP_R993",
    "MS-OXCMAPIHTTP_R994",
    "MS-OXCMAPIHTTP_R995",
    "MS-OXCMAPIHTTP_R1419",
    "MS-OXCMAPIHTTP_R996",
    "MS-OXCMAPIHTTP_R997",
    "MS-OXCMAPIHTTP_R999",
    "MS-OXCMAPIHTTP_R1000",
    "MS-OXCMAPIHTTP_R1001",
    "MS-OXCMAPIHTTP_R1002",
    "MS-OXCMAPIHTTP_R1003",
    "MS-OXCMAPIHTTP_R1004",
    "MS-OXCMAPIHTTP_R1005",
    "MS-OXCMAPIHTTP_R1006",
    "MS-OXCMAPIHTTP_R1007",
    "MS-OXCMAPIHTTP_R1008",
    "MS-OXCMAPIHTTP_R1009",
    "MS-OXCMAPIHTTP_R1010",
    "MS-OXCMAPIHTTP_R1011",
    "MS-OXCMAPIHTTP_R110",
)
@pytest.mark.covers("MS-OXNSPI_R1171", "MS-OXNSPI_R1915")
def test_resort(book: Wire, anna: Entry, ben: Entry) -> None:
    for reserved in (0, 3):
        body = u32(reserved) + b"\x01" + stat(current=ben.id) + ids(ben.id, anna.id)
        found = told(book, "ResortRestriction", body)
        assert (found.code, found.has()) == (0, True)
        assert found.stat()[5] == 2
        assert (found.has(), found.numbers()) == (True, [anna.id, ben.id])
        found.end()
    found = told(book, "ResortRestriction", u32(0) + b"\x01" + stat(sort=77) + ids(1))
    assert (ec.name_of(found.code), found.has()) == ("ecError", True)
    found.stat()
    assert not found.has()
    found.end()
    found = told(book, "ResortRestriction", u32(0) + b"\x00\x00")
    assert (ec.name_of(found.code), found.has(), found.has()) == ("ecError", False, False)
    found.end()


# -- finding -------------------------------------------------------------------------------------------


@pytest.mark.covers(
    "MS-OXCMAPIHTTP_R443",
    "MS-OXCMAPIHTTP_R1453",
    "MS-OXCMAPIHTTP_R1389",
    "MS-OXCMAPIHTTP_R502",
    "MS-OXCMAPIHTTP_R524",
    "MS-OXCMAPIHTTP_R525",
    "MS-OXCMAPIHTTP_R526",
    "MS-OXCMAPIHTTP_R1392",
    "MS-OXCMAPIHTTP_R527",
    "MS-OXCMAPIHTTP_R528",
    "MS-OXCMAPIHTTP_R530",
    "MS-OXCMAPIHTTP_R1449",
    "MS-OXCMAPIHTTP_R533",
    "MS-OXCMAPIHTTP_R516",
    "MS-OXCMAPIHTTP_R534",
    "MS-OXCMAPIHTTP_R535",
    "MS-OXCMAPIHTTP_R1450",
    "MS-OXCMAPIHTTP_R538",
    "MS-OXCMAPIHTTP_R539",
    "MS-OXCMAPIHTTP_R1294",
    "MS-OXCMAPIHTTP_R542",
    "MS-OXCMAPIHTTP_R543",
    "MS-OXCMAPIHTTP_R544",
    "MS-OXCMAPIHTTP_R1451",
    "MS-OXCMAPIHTTP_R547",
    "MS-OXCMAPIHTTP_R545",
    "MS-OXCMAPIHTTP_R548",
    "MS-OXCMAPIHTTP_R551",
    "MS-OXCMAPIHTTP_R552",
    "MS-OXCMAPIHTTP_R1296",
    "MS-OXCMAPIHTTP_R555",
    "MS-OXCMAPIHTTP_R556",
    "MS-OXCMAPIHTTP_R557",
    "MS-OXCMAPIHTTP_R100",
)
@pytest.mark.covers(
    "MS-OXNSPI_R1084", "MS-OXNSPI_R1899", "MS-OXNSPI_R1109", "MS-OXNSPI_R1110", "MS-OXNSPI_R1111",
)  # fmt: skip
def test_matches(book: Wire, anna: Entry, ben: Entry, team: Entry) -> None:
    content = b"\x03" + struct.pack("<HHI", 2, 1, NAME) + u32(NAME) + b"\xff" + "ben\0".encode("utf-16-le")
    for reserved in (0, 5):
        body = u32(reserved) + b"\x01" + stat() + b"\x00" + u32(reserved) + b"\x01" + content + b"\x00"
        found = told(book, "GetMatches", body + u32(10) + columns(NAME))
        assert (found.code, found.has()) == (0, True)
        found.stat()
        assert (found.has(), found.numbers()) == (True, [ben.id])
        assert (found.has(), found.numbers(), found.u32()) == (True, [NAME], 1)
        assert (found.u8(), found.text()) == (0, "Ben Berg")
        found.end()
    exists = b"\x08" + u32(NAME)
    everyone = b"\x01" + b"\x00" + u32(2) + exists + exists
    body = u32(0) + b"\x01" + stat() + b"\x00" + u32(0) + everyone + b"\x00"
    found = told(book, "GetMatches", body + u32(10) + b"\x00")
    assert (found.code, found.has()) == (0, True)
    found.stat()
    assert (found.has(), found.numbers()) == (True, [anna.id, ben.id, team.id])
    assert not found.has()
    found.end()
    found = told(book, "GetMatches", body + u32(2) + b"\x00")
    assert (ec.name_of(found.code), found.has()) == ("ecTableTooBig", True)
    found.stat()
    assert (found.has(), found.has()) == (False, False)
    found.end()
    found = told(book, "GetMatches", u32(0) + b"\x00\x00" + u32(0) + b"\x00\x00" + u32(1) + b"\x00")
    assert (ec.name_of(found.code), found.has(), found.has(), found.has()) == ("ecError", False, False, False)
    found.end()


def test_members_of_a_group_are_matches_too(book: Wire, anna: Entry, team: Entry) -> None:
    member = tags.PidTagAddressBookMember
    body = u32(0) + b"\x01" + stat(member, team.id) + b"\x00" + u32(0) + b"\x00\x00" + u32(9) + b"\x00"
    found = told(book, "GetMatches", body)
    assert (found.code, found.has()) == (0, True)
    found.stat()
    assert (found.has(), found.numbers()) == (True, [anna.id])
    guid = bytes(16)
    named = b"\x01" + guid + u32(0x8009)
    body = u32(0) + b"\x01" + stat(0, team.id) + b"\x00" + u32(0) + b"\x00" + named + u32(9) + b"\x00"
    assert code_of(book, "GetMatches", body) != "ecNone"


def test_ids_to_search_among_are_reserved(book: Wire, team: Entry) -> None:
    body = u32(0) + b"\x01" + stat(0, team.id) + ids(1, 2) + u32(0) + b"\x00\x00" + u32(9) + b"\x00"
    assert code_of(book, "GetMatches", body) == "ecTooComplex"


def test_filters_that_are_none(book: Wire) -> None:
    head = u32(0) + b"\x01" + stat() + b"\x00" + u32(0)
    tail = b"\x00" + u32(9) + b"\x00" + NO_AUX
    for filter in (b"\x77", b"\x00" + u32(0xFFFFFFFF), b"\x02" * 200 + b"\x08" + u32(NAME), b"\x03\x01"):
        assert book.send("GetMatches", head + b"\x01" + filter + tail).code == 12
    deep = b"\x02" * 60 + b"\x08" + u32(NAME)
    assert told(book, "GetMatches", head + b"\x01" + deep + tail[:-4]).status == 0


@pytest.mark.covers(
    "MS-OXCMAPIHTTP_R895",
    "MS-OXCMAPIHTTP_R1314",
    "MS-OXCMAPIHTTP_R913",
    "MS-OXCMAPIHTTP_R934",
    "MS-OXCMAPIHTTP_R935",
    "MS-OXCMAPIHTTP_R936",
    "MS-OXCMAPIHTTP_R1416",
    "MS-OXCMAPIHTTP_R937",
    "MS-OXCMAPIHTTP_R938",
    "MS-OXCMAPIHTTP_R939",
    "MS-OXCMAPIHTTP_R940",
    "MS-OXCMAPIHTTP_R941",
    "MS-OXCMAPIHTTP_R942",
    "MS-OXCMAPIHTTP_R943",
    "MS-OXCMAPIHTTP_R944",
    "MS-OXCMAPIHTTP_R945",
    "MS-OXCMAPIHTTP_R946",
    "MS-OXCMAPIHTTP_R947",
    "MS-OXCMAPIHTTP_R948",
    "MS-OXCMAPIHTTP_R949",
    "MS-OXCMAPIHTTP_R950",
    "MS-OXCMAPIHTTP_R951",
    "MS-OXCMAPIHTTP_R952",
    "MS-OXCMAPIHTTP_R953",
    "MS-OXCMAPIHTTP_R954",
    "MS-OXCMAPIHTTP_R955",
    "MS-OXCMAPIHTTP_R956",
    "MS-OXCMAPIHTTP_R957",
    "MS-OXCMAPIHTTP_R109",
)
@pytest.mark.covers("MS-OXNSPI_R1414", "MS-OXNSPI_R1415", "MS-OXNSPI_R1416")
def test_resolve(book: Wire, ben: Entry) -> None:
    names = "ben\0nobody\0b\0=anna@example.test\0".encode("utf-16-le")
    for reserved in (0, 3):
        body = u32(reserved) + b"\x01" + stat() + columns(NAME, MAIL) + b"\x01" + u32(4) + names
        found = told(book, "ResolveNames", body)
        assert (found.code, found.u32()) == (0, 1252)
        assert found.has()
        outcomes = found.numbers()
        assert outcomes[:3] == [2, 0, 2]
        assert (found.has(), found.numbers()) == (True, [NAME, MAIL])
        assert found.u32() == outcomes.count(2)
        assert (found.u8(), found.text(), found.text()) == (0, "Ben Berg", BEN)
    found = told(book, "ResolveNames", u32(0) + b"\x01" + stat(container=0x99) + b"\x00\x00")
    assert (ec.name_of(found.code), found.u32()) == ("ecInvalidBookmark", 1252)
    assert (found.has(), found.has()) == (False, False)
    found.end()
    assert code_of(book, "ResolveNames", u32(0) + b"\x00\x00\x00") == "ecError"


# -- objects -------------------------------------------------------------------------------------------


@pytest.mark.covers(
    "MS-OXCMAPIHTTP_R558",
    "MS-OXCMAPIHTTP_R566",
    "MS-OXCMAPIHTTP_R1321",
    "MS-OXCMAPIHTTP_R579",
    "MS-OXCMAPIHTTP_R580",
    "MS-OXCMAPIHTTP_R581",
    "MS-OXCMAPIHTTP_R1396",
    "MS-OXCMAPIHTTP_R582",
    "MS-OXCMAPIHTTP_R583",
    "MS-OXCMAPIHTTP_R584",
    "MS-OXCMAPIHTTP_R1297",
    "MS-OXCMAPIHTTP_R587",
    "MS-OXCMAPIHTTP_R588",
    "MS-OXCMAPIHTTP_R589",
    "MS-OXCMAPIHTTP_R101",
)
def test_property_lists(book: Wire, team: Entry) -> None:
    seen = {}
    for flags in (0, 1, 0xFFFFFFFE, 0xFFFFFFFF):
        found = told(book, "GetPropList", u32(flags, team.id, 1200))
        assert (found.code, found.has()) == (0, True)
        seen[flags] = found.numbers()
        found.end()
    assert seen[0] == seen[0xFFFFFFFE]
    assert seen[1] == seen[0xFFFFFFFF]
    assert NAME in seen[1]
    assert len(seen[1]) < len(seen[0]), "objects are left out on request"
    found = told(book, "GetPropList", u32(0, 0xFFFF, 1252))
    assert (ec.name_of(found.code), found.has()) == ("ecError", False)
    found.end()


@pytest.mark.covers(
    "MS-OXCMAPIHTTP_R590",
    "MS-OXCMAPIHTTP_R600",
    "MS-OXCMAPIHTTP_R1323",
    "MS-OXCMAPIHTTP_R619",
    "MS-OXCMAPIHTTP_R620",
    "MS-OXCMAPIHTTP_R621",
    "MS-OXCMAPIHTTP_R1398",
    "MS-OXCMAPIHTTP_R622",
    "MS-OXCMAPIHTTP_R623",
    "MS-OXCMAPIHTTP_R624",
    "MS-OXCMAPIHTTP_R626",
    "MS-OXCMAPIHTTP_R627",
    "MS-OXCMAPIHTTP_R628",
    "MS-OXCMAPIHTTP_R629",
    "MS-OXCMAPIHTTP_R630",
    "MS-OXCMAPIHTTP_R102",
    "MS-OXCMAPIHTTP_R2011",
    "MS-OXCMAPIHTTP_R2012",
    "MS-OXCMAPIHTTP_R2013",
    "MS-OXCMAPIHTTP_R2014",
    "MS-OXCMAPIHTTP_R2004",
    "MS-OXCMAPIHTTP_R2003",
    "MS-OXCMAPIHTTP_R2007",
)
def test_properties(book: Wire, anna: Entry) -> None:
    for flags in (0, 0xFFFFFFFC):
        found = told(
            book, "GetProps", u32(flags) + b"\x01" + stat(current=anna.id) + columns(NAME, TYPE, ENTRY_ID)
        )
        assert (found.code, found.u32(), found.has(), found.u32()) == (0, 1252, True, 3)
        assert (found.u16(), found.u16(), found.text()) == (0x001F, 0x3001, "Anna Ärmel")
        assert (found.u32(), found.u32()) == (TYPE, 6)
        assert (found.u32(), found.u8()) == (ENTRY_ID, 0xFF)
        entry_id = found.take(found.u32())
        assert entry_id[4:20] == MUIDEMSAB
        found.end()
    found = told(book, "GetProps", u32(2) + b"\x01" + stat(current=anna.id) + columns(ENTRY_ID))
    assert (found.code, found.u32(), found.has(), found.u32()) == (0, 1252, True, 1)
    assert (found.u32(), found.u8(), found.u32()) == (ENTRY_ID, 0xFF, 32)
    found = told(book, "GetProps", u32(0) + b"\x01" + stat(current=anna.id) + columns(NO_SUCH, TYPE))
    assert (ec.name_of(found.code), found.u32(), found.has(), found.u32()) == (
        "ecWarnWithErrors",
        1252,
        True,
        2,
    )
    assert found.take(8) == u32(0x6666000A) + MISSING
    assert (found.u32(), found.u32()) == (TYPE, 6)
    found.end()
    found = told(book, "GetProps", u32(0) + b"\x01" + stat(container=0x99) + b"\x00")
    assert (ec.name_of(found.code), found.u32(), found.has()) == ("ecInvalidBookmark", 1252, False)
    found.end()
    assert code_of(book, "GetProps", u32(0) + b"\x00\x00") == "ecError"


def test_all_properties(book: Wire, anna: Entry, team: Entry) -> None:
    for one in (anna, team):
        response = book.ask(
            "GetProps",
            bodies.GetPropsRequest(0, Stat(current_rec=one.id, code_page=1200), None),
            bodies.GetPropsResponse,
        )
        assert response.property_values is not None
        found = dict(response.property_values.values)
        assert found[NAME] == one.display_name


@pytest.mark.covers(
    "MS-OXCMAPIHTTP_R865",
    "MS-OXCMAPIHTTP_R1313",
    "MS-OXCMAPIHTTP_R874",
    "MS-OXCMAPIHTTP_R1412",
    "MS-OXCMAPIHTTP_R885",
    "MS-OXCMAPIHTTP_R886",
    "MS-OXCMAPIHTTP_R887",
    "MS-OXCMAPIHTTP_R1413",
    "MS-OXCMAPIHTTP_R888",
    "MS-OXCMAPIHTTP_R889",
    "MS-OXCMAPIHTTP_R890",
    "MS-OXCMAPIHTTP_R891",
    "MS-OXCMAPIHTTP_R892",
    "MS-OXCMAPIHTTP_R893",
    "MS-OXCMAPIHTTP_R894",
    "MS-OXCMAPIHTTP_R107",
)
@pytest.mark.covers("MS-OXNSPI_R805", "MS-OXNSPI_R1922")
def test_columns(book: Wire) -> None:
    seen = {}
    for flags in (0, 0x80000000, 0x7FFFFFFF, 0xFFFFFFFF):
        for reserved in (0, 1):
            found = told(book, "QueryColumns", u32(reserved, flags))
            assert (found.code, found.has()) == (0, True)
            seen[flags] = found.numbers()
            found.end()
    assert seen[0] == seen[0x7FFFFFFF]
    assert seen[0x80000000] == seen[0xFFFFFFFF]
    assert NAME in seen[0x80000000]
    assert NAME8 in seen[0]
    refused = bodies.QueryColumnsResponse(0, ec.ecError, None)
    assert refused.pack() == u32(0, ec.ecError) + b"\x00" + NO_AUX


# -- tables of the server ------------------------------------------------------------------------------


@pytest.mark.covers(
    "MS-OXCMAPIHTTP_R631",
    "MS-OXCMAPIHTTP_R642",
    "MS-OXCMAPIHTTP_R1322",
    "MS-OXCMAPIHTTP_R664",
    "MS-OXCMAPIHTTP_R665",
    "MS-OXCMAPIHTTP_R666",
    "MS-OXCMAPIHTTP_R1400",
    "MS-OXCMAPIHTTP_R667",
    "MS-OXCMAPIHTTP_R668",
    "MS-OXCMAPIHTTP_R669",
    "MS-OXCMAPIHTTP_R670",
    "MS-OXCMAPIHTTP_R671",
    "MS-OXCMAPIHTTP_R672",
    "MS-OXCMAPIHTTP_R673",
    "MS-OXCMAPIHTTP_R675",
    "MS-OXCMAPIHTTP_R1452",
    "MS-OXCMAPIHTTP_R677",
    "MS-OXCMAPIHTTP_R678",
    "MS-OXCMAPIHTTP_R679",
    "MS-OXCMAPIHTTP_R680",
    "MS-OXCMAPIHTTP_R681",
    "MS-OXCMAPIHTTP_R682",
    "MS-OXCMAPIHTTP_R103",
)
def test_special_tables(book: Wire) -> None:
    for flags in (4, 0xFFFFFFFD):
        found = told(book, "GetSpecialTable", u32(flags) + b"\x01" + stat() + b"\x01" + u32(0))
        assert (found.code, found.u32()) == (0, 1252)
        assert found.has()
        version = found.u32()
        assert found.has()
        rows = found.u32()
        assert rows >= 1
        assert found.u32() == 6, "values of the first row"
        assert (found.u32(), found.u8()) == (ENTRY_ID, 0xFF)
    found = told(book, "GetSpecialTable", u32(4) + b"\x01" + stat() + b"\x01" + u32(version))
    assert (found.code, found.u32(), found.has(), found.u32(), found.has()) == (0, 1252, True, version, False)
    found.end()
    found = told(book, "GetSpecialTable", u32(2) + b"\x01" + stat() + b"\x00")
    assert (found.code, found.u32(), found.has(), found.has(), found.u32()) == (0, 1252, False, True, 1)
    found = told(book, "GetSpecialTable", u32(0) + b"\x01" + stat(page=3) + b"\x00")
    assert (ec.name_of(found.code), found.u32(), found.has(), found.has()) == (
        "ecInvalidCodepage",
        3,
        False,
        False,
    )
    found.end()
    assert code_of(book, "GetSpecialTable", u32(0) + b"\x00\x00") == "ecError"


@pytest.mark.covers(
    "MS-OXCMAPIHTTP_R683",
    "MS-OXCMAPIHTTP_R694",
    "MS-OXCMAPIHTTP_R1324",
    "MS-OXCMAPIHTTP_R713",
    "MS-OXCMAPIHTTP_R714",
    "MS-OXCMAPIHTTP_R715",
    "MS-OXCMAPIHTTP_R1402",
    "MS-OXCMAPIHTTP_R716",
    "MS-OXCMAPIHTTP_R717",
    "MS-OXCMAPIHTTP_R718",
    "MS-OXCMAPIHTTP_R719",
    "MS-OXCMAPIHTTP_R720",
    "MS-OXCMAPIHTTP_R721",
    "MS-OXCMAPIHTTP_R722",
    "MS-OXCMAPIHTTP_R723",
    "MS-OXCMAPIHTTP_R104",
)
def test_templates(book: Wire) -> None:
    for flags in (1, 0xFFFFFF8B):
        found = told(book, "GetTemplateInfo", u32(flags, 0) + b"\x00" + u32(1252, 1033))
        assert (found.code, found.u32(), found.has()) == (0, 1252, True)
        assert found.u32() == 1
        assert (found.u32() & 0xFFFF, found.u8()) == (0x0102, 0xFF)
        found.take(found.u32())
        found.end()
    found = told(book, "GetTemplateInfo", u32(1, 0) + b"\x01/o=none\0" + u32(5, 1033))
    assert (ec.name_of(found.code), found.u32(), found.has()) == ("ecInvalidCodepage", 5, False)
    found.end()


@pytest.mark.covers(
    "MS-OXCMAPIHTTP_R1089",
    "MS-OXCMAPIHTTP_R1328",
    "MS-OXCMAPIHTTP_R1099",
    "MS-OXCMAPIHTTP_R1100",
    "MS-OXCMAPIHTTP_R1101",
    "MS-OXCMAPIHTTP_R1435",
    "MS-OXCMAPIHTTP_R1102",
    "MS-OXCMAPIHTTP_R1103",
    "MS-OXCMAPIHTTP_R1104",
    "MS-OXCMAPIHTTP_R1105",
    "MS-OXCMAPIHTTP_R1106",
    "MS-OXCMAPIHTTP_R1327",
    "MS-OXCMAPIHTTP_R1117",
    "MS-OXCMAPIHTTP_R1118",
    "MS-OXCMAPIHTTP_R1119",
    "MS-OXCMAPIHTTP_R1428",
    "MS-OXCMAPIHTTP_R1120",
    "MS-OXCMAPIHTTP_R1121",
    "MS-OXCMAPIHTTP_R1122",
    "MS-OXCMAPIHTTP_R1123",
    "MS-OXCMAPIHTTP_R113",
    "MS-OXCMAPIHTTP_R114",
)
def test_urls(book: Wire, wire: Book, anna: Entry) -> None:
    for request_type, path in (("GetMailboxUrl", "emsmdb"), ("GetAddressBookUrl", "nspi")):
        for flags in (0, 0xFFFFFFFF):
            for dn in ("", anna.legacy_dn, "/o=Example Ltd/cn=Servers/cn=é"):
                body = u32(flags) + (dn + "\0").encode("utf-16-le")
                found = told(book, request_type, body)
                assert found.code == 0
                url = found.bare()
                assert url.startswith(f"https://mail.example.test/mapi/{path}/?MailboxId=")
                found.end()
    answer = wire().send("GetMailboxUrl", u32(0) + b"\0\0" + NO_AUX)
    assert Told(answer.body).bare() == url.replace("/nspi/", "/emsmdb/")
    refused = bodies.UrlResponse(0, ec.ecNotFound, "")
    assert refused.pack() == u32(0, ec.ecNotFound) + b"\0\0" + NO_AUX


# -- edits ---------------------------------------------------------------------------------------------


@pytest.mark.covers(
    "MS-OXCMAPIHTTP_R724",
    "MS-OXCMAPIHTTP_R735",
    "MS-OXCMAPIHTTP_R1325",
    "MS-OXCMAPIHTTP_R737",
    "MS-OXCMAPIHTTP_R1333",
    "MS-OXCMAPIHTTP_R738",
    "MS-OXCMAPIHTTP_R1335",
    "MS-OXCMAPIHTTP_R740",
    "MS-OXCMAPIHTTP_R746",
    "MS-OXCMAPIHTTP_R757",
    "MS-OXCMAPIHTTP_R758",
    "MS-OXCMAPIHTTP_R759",
    "MS-OXCMAPIHTTP_R1404",
    "MS-OXCMAPIHTTP_R760",
    "MS-OXCMAPIHTTP_R761",
    "MS-OXCMAPIHTTP_R762",
    "MS-OXCMAPIHTTP_R105",
)
def test_members_are_added_and_taken_away(book: Wire, anna: Entry, ben: Entry, team: Entry) -> None:
    member, delegates = tags.PidTagAddressBookMember, tags.PidTagAddressBookPublicDelegates

    def members(of: int, tag: int) -> list[int]:
        body = u32(0) + b"\x01" + stat(tag, of) + b"\x00" + u32(0) + b"\x00\x00" + u32(9) + b"\x00"
        found = told(book, "GetMatches", body)
        found.has(), found.stat(), found.has()
        return found.numbers()

    permanent = bytes(4) + MUIDEMSAB + u32(1, 0) + ben.legacy_dn.encode() + b"\0"
    guid = told(book, "Bind", u32(0) + b"\x00").take(16)
    ephemeral = b"\x87\0\0\0" + guid + u32(1, 0, ben.id)
    for entry_id in (permanent, ephemeral):
        for mid, tag, before in ((team.id, member, [anna.id]), (anna.id, delegates, [])):
            ids = b"\x01" + u32(1, len(entry_id)) + entry_id
            for flags, expected in (
                (0, [*before, ben.id]),
                (0xFFFFFFFE, [*before, ben.id]),
                (1, before),
                (0xFFFFFFFF, before),
            ):
                found = told(book, "ModLinkAtt", u32(flags, tag, mid) + ids)
                assert found.code == 0
                found.end()
                assert members(mid, tag) == expected
    found = told(book, "ModLinkAtt", u32(0, member, ben.id) + b"\x00")
    assert ec.name_of(found.code) == "ecAccessDenied"
    found.end()
    assert code_of(book, "ModLinkAtt", u32(0, delegates, team.id) + b"\x00") == "ecAccessDenied"


@pytest.mark.covers(
    "MS-OXCMAPIHTTP_R763",
    "MS-OXCMAPIHTTP_R1312",
    "MS-OXCMAPIHTTP_R783",
    "MS-OXCMAPIHTTP_R786",
    "MS-OXCMAPIHTTP_R796",
    "MS-OXCMAPIHTTP_R797",
    "MS-OXCMAPIHTTP_R798",
    "MS-OXCMAPIHTTP_R1407",
    "MS-OXCMAPIHTTP_R799",
    "MS-OXCMAPIHTTP_R800",
    "MS-OXCMAPIHTTP_R801",
    "MS-OXCMAPIHTTP_R106",
)
def test_properties_are_changed(book: Wire, anna: Entry, ben: Entry) -> None:
    certificates = tags.PidTagUserX509Certificate
    der = b"0\x03\x02\x01\x05"
    values = b"\x01" + u32(1, certificates) + b"\xff" + u32(1) + b"\xff" + u32(len(der)) + der
    for reserved in (0, 0xFFFFFFFF):
        body = u32(reserved) + b"\x01" + stat(current=anna.id)
        found = told(book, "ModProps", body + columns() + values)
        assert found.code == 0
        found.end()
        response = told(book, "GetProps", u32(0) + b"\x01" + stat(current=anna.id) + columns(certificates))
        assert response.code == 0
        found = told(book, "ModProps", body + columns(certificates) + b"\x00")
        assert found.code == 0
        response = told(book, "GetProps", u32(0) + b"\x01" + stat(current=anna.id) + columns(certificates))
        assert ec.name_of(response.code) == "ecWarnWithErrors"
    found = told(book, "ModProps", u32(0) + b"\x01" + stat(current=ben.id) + columns() + values)
    assert ec.name_of(found.code) == "ecAccessDenied"
    found.end()
    assert code_of(book, "ModProps", u32(0) + b"\x00" + columns() + values) == "ecError"
    assert (
        code_of(book, "ModProps", u32(0) + b"\x01" + stat(current=anna.id) + b"\x00" + values)
        == "ecInvalidParam"
    )


# -- bad days ------------------------------------------------------------------------------------------

SMALLEST = {
    "Bind": u32(0) + b"\x00",
    "Unbind": u32(0),
    "CompareMIds": u32(0) + b"\x00" + u32(0, 0),
    "DNToMId": u32(0) + b"\x00",
    "GetMatches": u32(0) + b"\x00\x00" + u32(0) + b"\x00\x00" + u32(0) + b"\x00",
    "GetPropList": u32(0, 0, 0),
    "GetProps": u32(0) + b"\x00\x00",
    "GetSpecialTable": u32(0) + b"\x00\x00",
    "GetTemplateInfo": u32(0, 0) + b"\x00" + u32(0, 0),
    "ModLinkAtt": u32(0, 0, 0) + b"\x00",
    "ModProps": u32(0) + b"\x00\x00\x00",
    "QueryRows": u32(0) + b"\x00" + u32(0, 0) + b"\x00",
    "QueryColumns": u32(0, 0),
    "ResolveNames": u32(0) + b"\x00\x00\x00",
    "ResortRestriction": u32(0) + b"\x00\x00",
    "SeekEntries": u32(0) + b"\x00\x00\x00\x00",
    "UpdateStat": u32(0) + b"\x00\x00",
    "GetMailboxUrl": u32(0) + b"\0\0",
    "GetAddressBookUrl": u32(0) + b"\0\0",
}
"""The shortest body of each request type, without its auxiliary buffer."""


@pytest.mark.covers(
    "MS-OXCMAPIHTTP_R2091",
    "MS-OXCMAPIHTTP_R2093",
    "MS-OXCMAPIHTTP_R2094",
    "MS-OXCMAPIHTTP_R2095",
    "MS-OXCMAPIHTTP_R2100",
    "MS-OXCMAPIHTTP_R2104",
    "MS-OXCMAPIHTTP_R2105",
    "MS-OXCMAPIHTTP_R2106",
    "MS-OXCMAPIHTTP_R2115",
    "MS-OXCMAPIHTTP_R2117",
    "MS-OXCMAPIHTTP_R2118",
    "MS-OXCMAPIHTTP_R2119",
    "MS-OXCMAPIHTTP_R2123",
    "MS-OXCMAPIHTTP_R2125",
    "MS-OXCMAPIHTTP_R2126",
    "MS-OXCMAPIHTTP_R2127",
    "MS-OXCMAPIHTTP_R2130",
    "MS-OXCMAPIHTTP_R2132",
    "MS-OXCMAPIHTTP_R2133",
    "MS-OXCMAPIHTTP_R2134",
    "MS-OXCMAPIHTTP_R2136",
    "MS-OXCMAPIHTTP_R2138",
    "MS-OXCMAPIHTTP_R2139",
    "MS-OXCMAPIHTTP_R2140",
    "MS-OXCMAPIHTTP_R2142",
    "MS-OXCMAPIHTTP_R2144",
    "MS-OXCMAPIHTTP_R2145",
    "MS-OXCMAPIHTTP_R2146",
    "MS-OXCMAPIHTTP_R2148",
    "MS-OXCMAPIHTTP_R2150",
    "MS-OXCMAPIHTTP_R2151",
    "MS-OXCMAPIHTTP_R2152",
    "MS-OXCMAPIHTTP_R2154",
    "MS-OXCMAPIHTTP_R2156",
    "MS-OXCMAPIHTTP_R2157",
    "MS-OXCMAPIHTTP_R2158",
    "MS-OXCMAPIHTTP_R2160",
    "MS-OXCMAPIHTTP_R2162",
    "MS-OXCMAPIHTTP_R2163",
    "MS-OXCMAPIHTTP_R2164",
    "MS-OXCMAPIHTTP_R2166",
    "MS-OXCMAPIHTTP_R2168",
    "MS-OXCMAPIHTTP_R2169",
    "MS-OXCMAPIHTTP_R2170",
    "MS-OXCMAPIHTTP_R2172",
    "MS-OXCMAPIHTTP_R2174",
    "MS-OXCMAPIHTTP_R2175",
    "MS-OXCMAPIHTTP_R2176",
    "MS-OXCMAPIHTTP_R2178",
    "MS-OXCMAPIHTTP_R2180",
    "MS-OXCMAPIHTTP_R2181",
    "MS-OXCMAPIHTTP_R2182",
    "MS-OXCMAPIHTTP_R2189",
    "MS-OXCMAPIHTTP_R2191",
    "MS-OXCMAPIHTTP_R2192",
    "MS-OXCMAPIHTTP_R2193",
    "MS-OXCMAPIHTTP_R2195",
    "MS-OXCMAPIHTTP_R2197",
    "MS-OXCMAPIHTTP_R2198",
    "MS-OXCMAPIHTTP_R2199",
    "MS-OXCMAPIHTTP_R2201",
    "MS-OXCMAPIHTTP_R2203",
    "MS-OXCMAPIHTTP_R2204",
    "MS-OXCMAPIHTTP_R2205",
    "MS-OXCMAPIHTTP_R2207",
    "MS-OXCMAPIHTTP_R2209",
    "MS-OXCMAPIHTTP_R2210",
    "MS-OXCMAPIHTTP_R2211",
    "MS-OXCMAPIHTTP_R2213",
    "MS-OXCMAPIHTTP_R2215",
    "MS-OXCMAPIHTTP_R2216",
    "MS-OXCMAPIHTTP_R2217",
    "MS-OXCMAPIHTTP_R2219",
    "MS-OXCMAPIHTTP_R2221",
    "MS-OXCMAPIHTTP_R2222",
    "MS-OXCMAPIHTTP_R2223",
    "MS-OXCMAPIHTTP_R2225",
    "MS-OXCMAPIHTTP_R2235",
)
@pytest.mark.parametrize("request_type", SMALLEST)
def test_failures_as_a_whole(book: Wire, request_type: str) -> None:
    extended = buffers.pack([bytes(0x1001)])
    answer = book.send(request_type, SMALLEST[request_type] + u32(len(extended)) + extended)
    assert answer.code == 0
    assert answer.body == u32(0x6F7, 0), "StatusCode, and an auxiliary buffer of its announced size"


@pytest.mark.parametrize("request_type", SMALLEST)
def test_bodies_cut_short_and_too_long(wire: Book, request_type: str) -> None:
    book = wire()
    book.ask("Bind", bodies.BindRequest(0, Stat()), bodies.BindResponse)
    whole = SMALLEST[request_type] + NO_AUX
    for size in range(len(whole)):
        assert book.send(request_type, whole[:size]).code == 12
    assert book.send(request_type, whole + b"\0").code == 12
    assert book.send(request_type, SMALLEST[request_type] + u32(0xFFFFFFFF)).code == 12
    assert book.send(request_type, whole).code == 0


@pytest.mark.covers("MS-OXCMAPIHTTP_R25", "MS-OXCMAPIHTTP_R24", "MS-OXCMAPIHTTP_R26", "MS-OXCMAPIHTTP_R23")
def test_how_many_tags_there_may_be(book: Wire) -> None:
    many = b"\x01" + u32(100_000) + u32(NAME) * 100_000
    body = u32(0) + b"\x01" + stat() + many
    assert code_of(book, "GetProps", body) == "ecTableTooBig"
    more = b"\x01" + u32(100_001) + u32(NAME) * 100_001
    assert book.send("GetProps", u32(0) + b"\x01" + stat() + more + NO_AUX).code == 12
    explicit = u32(100_001) + u32(1) * 100_001
    assert book.send("QueryRows", u32(0) + b"\x00" + explicit + u32(0) + b"\x00" + NO_AUX).code == 12


def test_records_and_bytes_agree() -> None:
    """Requests as the client of these tests writes them, against the same by hand."""
    filter = And(
        (
            Content(Fuzzy.PREFIX, FuzzyFlags.IGNORE_CASE, NAME, NAME, "b"),
            Property(RelOp.GE, NAME, NAME, "a"),
            Exist(MAIL),
        )
    )
    request = bodies.GetMatchesRequest(1, Stat(), (5,), 2, filter, None, 7, (NAME,))
    text = b"\xff" + "b\0".encode("utf-16-le")
    other = b"\xff" + "a\0".encode("utf-16-le")
    expected = (
        u32(1) + b"\xff" + stat() + b"\xff" + u32(1, 5) + u32(2) + b"\xff\x00" + u32(3)
        + b"\x03" + struct.pack("<HHI", 2, 1, NAME) + u32(NAME) + text
        + b"\x04\x03" + u32(NAME, NAME) + other
        + b"\x08" + u32(MAIL)
        + b"\x00" + u32(7) + b"\xff" + u32(1, NAME) + NO_AUX
    )  # fmt: skip
    assert request.pack() == expected
    assert bodies.GetMatchesRequest.parse(expected) == request
