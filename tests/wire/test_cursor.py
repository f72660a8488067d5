"""Cursors: never past the end, and terminators where they are."""

import pytest

from appliance.wire.cursor import Reader, Writer
from appliance.wire.errors import DecodeError, EncodeError


def test_numbers_and_strings() -> None:
    writer = Writer()
    writer.u8(1)
    writer.u16(0x0203)
    writer.u32(4)
    writer.u64(5)
    writer.put(b"xyz")
    writer.nul_bytes(b"ab")
    writer.nul_utf16("né")
    writer.patch(0, 9, 1)
    reader = Reader(writer.getvalue())
    assert (reader.u8(), reader.u16(), reader.u32(), reader.u64()) == (9, 0x0203, 4, 5)
    assert reader.take(3) == b"xyz"
    assert reader.nul_bytes() == b"ab"
    assert reader.nul_utf16() == "né"
    reader.expect_end()


@pytest.mark.parametrize("size", [1, 2, 4, 8])
def test_a_missing_byte_is_refused_where_the_number_begins(size: int) -> None:
    reader = Reader(bytes(3 + size - 1), 3)
    with pytest.raises(DecodeError) as caught:
        reader.number(size)
    assert caught.value.offset == 3
    assert reader.pos == 3


def test_a_utf16_terminator_stands_on_a_code_unit() -> None:
    assert Reader(b"\x00\x61\x00\x00\x00\x00", 0).nul_utf16() == "愀"
    with pytest.raises(DecodeError):
        Reader(b"\x61\x00\x00").nul_utf16()


def test_a_sub_reader_ends_where_it_should() -> None:
    reader = Reader(b"ab\0cd\0")
    with pytest.raises(DecodeError):
        reader.sub(2).nul_bytes()
    assert reader.rest() == b"\0cd\0"


def test_limits() -> None:
    with pytest.raises(DecodeError):
        Reader(b"x" * 20 + b"\0").nul_bytes(limit=10)
    with pytest.raises(DecodeError):
        Reader(b"\x05\0" + bytes(100)).count(2, 1, "count", 4)
    with pytest.raises(DecodeError):
        Reader(b"\x05\0" + bytes(9)).count(2, 2, "count", 100)
    with pytest.raises(EncodeError):
        Writer().u16(0x10000)
    with pytest.raises(EncodeError):
        Writer().nul_bytes(b"a\0b")
