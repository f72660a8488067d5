"""Property values of every type that the address book has, byte by byte, and codes in their meaning.

MS-OXNSPI 2.2.1.1 and 2.2.1.2, MS-OXCDATA 2.11.1, MS-OXCMAPIHTTP 2.2.1.1.
"""

import struct

import pytest

from tests.conformance.book import Book
from tests.conformance.client import Mapi
from tests.conformance.nspi import (
    CURRENT,
    INVALID_BOOKMARK,
    NOT_FOUND,
    TABLE_TOO_BIG,
    TOO_COMPLEX,
    Stat,
    dn_to_id,
    exists,
    get_matches,
    get_props,
    mod_props,
    query_rows,
    wide,
)

PAGE = 1252
CERTIFICATES = 0x8C6A1102
"""PidTagAddressBookX509Certificate."""


def text8(text: str) -> bytes:
    """A string in bytes, with its end."""
    return text.encode("cp1252") + b"\0"


def count(number: int) -> bytes:
    """COUNT is of four bytes in the address book. MS-OXCDATA 2.11.1.1."""
    return struct.pack("<I", number)


@pytest.mark.covers("MS-OXNSPI_R2691", "MS-OXNSPI_R2698", "MS-OXNSPI_R2701", "MS-OXNSPI_R2707")
@pytest.mark.covers("MS-OXNSPI_R2700", "MS-OXNSPI_R2702", "MS-OXNSPI_R2697", "MS-OXNSPI_R2716")
@pytest.mark.covers("MS-OXNSPI_R2715")
def test_a_row_in_bytes(book: Book, nspi: Mapi) -> None:
    """All but the ids and the time are known beforehand."""
    address = book.me.address
    mid = nspi.post("DNToMId", dn_to_id([book.me.dn])).body[-8:-4]
    entry = int.from_bytes(mid, "little")
    tags = [
        *(0x39000003, 0x3A40000B, 0x3001001E, 0x3001001F, 0x0FF60102, 0x30070040),
        *(0x800F101E, 0x800F101F, 0x3A16001F),
    ]
    reply = nspi.post("GetProps", get_props(Stat(current=entry, code_page=PAGE), tags))
    body = reply.body
    head = struct.pack("<III", 0, 0x00040380, PAGE) + b"\xff" + count(len(tags))
    assert body[: len(head)] == head, "ErrorsReturned: there is no company"
    rest = body[len(head) :]

    def take(expected: bytes) -> None:
        nonlocal rest
        assert rest[: len(expected)] == expected
        rest = rest[len(expected) :]

    take(struct.pack("<II", 0x39000003, 0))
    assert rest[4] in (0, 1), "a Boolean is one byte, 0 or 1"
    take(struct.pack("<I", 0x3A40000B) + rest[4:5])
    take(struct.pack("<I", 0x3001001E) + b"\xff" + text8(book.me.name))
    take(struct.pack("<I", 0x3001001F) + b"\xff" + wide(book.me.name))
    take(struct.pack("<I", 0x0FF60102) + b"\xff" + count(4) + mid)
    (time,) = struct.unpack_from("<Q", rest, 4)
    assert 0x01D00000_00000000 < time < 0x02000000_00000000, "100 ns since 1601"
    take(struct.pack("<IQ", 0x30070040, time))
    take(struct.pack("<I", 0x800F101E) + b"\xff" + count(1) + b"\xff" + text8(f"SMTP:{address}"))
    take(struct.pack("<I", 0x800F101F) + b"\xff" + count(1) + b"\xff" + wide(f"SMTP:{address}"))
    take(struct.pack("<II", 0x3A16000A, NOT_FOUND))
    assert rest == count(0), "AuxiliaryBufferSize, and nothing behind it"


@pytest.mark.covers("MS-OXNSPI_R2719")
def test_many_binaries_in_bytes(book: Book, nspi: Mapi) -> None:
    """The own certificates: written, and read as they were."""
    entry = int.from_bytes(nspi.post("DNToMId", dn_to_id([book.me.dn])).body[-8:-4], "little")
    mine = Stat(current=entry, code_page=PAGE)
    value = struct.pack("<I", CERTIFICATES) + b"\xff" + count(2)
    value += b"\xff" + count(3) + b"one" + b"\xff" + count(5) + b"other"
    assert outcome(nspi, "ModProps", mod_props(mine, [CERTIFICATES], count(1) + value)) == 0
    body = nspi.post("GetProps", get_props(mine, [CERTIFICATES])).body
    assert body == struct.pack("<III", 0, 0, PAGE) + b"\xff" + count(1) + value + count(0)
    assert outcome(nspi, "ModProps", mod_props(mine, [CERTIFICATES], None)) == 0


def outcome(client: Mapi, kind: str, body: bytes) -> int:
    """StatusCode is success; the code of the method."""
    reply = client.post(kind, body)
    status, error = struct.unpack_from("<II", reply.body)
    assert status == 0
    return int(error)


@pytest.mark.covers("MS-OXNSPI_R949", "MS-OXNSPI_R965", "MS-OXNSPI_R989", "MS-OXNSPI_R991")
def test_codes_in_their_meaning(nspi: Mapi) -> None:
    nobody = query_rows(Stat(current=0x7FFFFFF0), columns=[0x3001001F])
    assert outcome(nspi, "QueryRows", nobody) == NOT_FOUND
    complex_ = get_matches(Stat(), exists(0x0FFF0102), ids=[0x0FFF0102])
    assert outcome(nspi, "GetMatches", complex_) == TOO_COMPLEX
    assert outcome(nspi, "GetMatches", get_matches(Stat(), exists(0x3001001F), rows=1)) == TABLE_TOO_BIG
    lost = query_rows(Stat(container=CURRENT), columns=[0x3001001F])
    assert outcome(nspi, "QueryRows", lost) == INVALID_BOOKMARK
