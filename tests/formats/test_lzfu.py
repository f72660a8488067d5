"""Compressed RTF."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.formats import lzfu
from appliance.wire.errors import DecodeError
from tests.kit import Codec, Vector, codec_tests

HELLO = b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n"
REPEATED = b"{\\rtf1 WXYZWXYZWXYZWXYZWXYZ}"
VECTORS = [
    Vector(
        "MS-OXRTFCP 3.1",
        bytes.fromhex(
            "2d0000002b0000004c5a4675f1c5c7a7"
            "03000a007263706731323542320af32068656c090020627705b06c647d0a800fa0"
        ),
        HELLO,
        canonical=False,
    ),
    Vector(
        "MS-OXRTFCP 3.2",
        bytes.fromhex("1a0000001c0000004c5a4675e2d44b51410004205758595a0d6e7d010eb0"),
        REPEATED,
    ),
    Vector("stored", b"\x10\0\0\0\x04\0\0\0MELA\0\0\0\0abcd", b"abcd", canonical=False),
]
words = st.lists(
    st.sampled_from([b"\\par ", b"\\b", b"x", b"hello ", b"\\'e4", b"{", b"}", b"\r\n"]), max_size=300
)

test_codec = codec_tests(
    Codec(decode=lzfu.decompress, encode=lzfu.compress, vectors=VECTORS, values=words.map(b"".join))
)


@given(st.binary(max_size=2000) | words.map(b"".join))
def test_there_and_back(rtf: bytes) -> None:
    assert lzfu.decompress(lzfu.compress(rtf)) == rtf
    assert lzfu.decompress(lzfu.store(rtf)) == rtf


def test_the_dictionary_goes_round() -> None:
    rtf = b"".join(b"\\par line %d \\'e4 %d" % (n % 700, n * n) for n in range(3000))
    packed = lzfu.compress(rtf)
    assert lzfu.decompress(packed) == rtf
    assert len(packed) < len(rtf) * 0.8


def test_what_nothing_was_written_to_is_zero() -> None:
    body = b"\x01" + bytes([0x80, 0x00]) + b"x"
    data = (
        (12 + len(body)).to_bytes(4, "little") + b"\x03\0\0\0LZFu" + lzfu.checksum(body).to_bytes(4, "little")
    )
    assert lzfu.decompress(data + body) == b"\0\0x"


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda data: data[:8] + b"XXXX" + data[12:], "unknown kind"),
        (lambda data: data[:-1] + b"\xff", "checksum"),
        (lambda data: data + b"\0", "size"),
        (lambda data: data[:4] + b"\xff\xff\xff\xff" + data[8:], "more than"),
    ],
)
def test_damage_is_told(change, problem: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(DecodeError, match=problem):
        lzfu.decompress(change(lzfu.compress(HELLO)))
