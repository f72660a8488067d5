"""Contents read at any offset give what a whole decoding gives."""

import base64
import binascii
import quopri

from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.convert.mime import content
from appliance.convert.mime.content import Decoded, Joined, Slice, content_of
from appliance.formats.mime.bodies import decode_body
from tests.convert.mime.kit import reader


def _lines(data: bytes, width: int) -> bytes:
    return b"\r\n".join(data[at : at + width] for at in range(0, len(data), width))


@settings(deadline=None)
@given(
    st.binary(max_size=600), st.integers(1, 80), st.lists(st.tuples(st.integers(0, 700), st.integers(0, 300)))
)
def test_base64_is_read_at_any_offset(data: bytes, width: int, reads: list[tuple[int, int]]) -> None:
    encoded = b"xx" + _lines(base64.b64encode(data), width)
    made = content_of(reader(encoded), 2, len(encoded) - 2, "base64")
    for offset, length in reads:
        assert made.read(offset, length) == data[offset : offset + length]
    assert made.size == len(data)


def test_big_contents_are_read_window_by_window() -> None:
    data = bytes(range(256)) * 3000
    encoded = base64.encodebytes(data).replace(b"\n", b"\r\n")
    taken: list[int] = []

    def read(offset: int, length: int) -> bytes:
        taken.append(length)
        return encoded[offset : offset + length]

    made = content_of(read, 0, len(encoded), "base64")
    assert made.read(700_000, 1000) == data[700_000:701_000]
    assert made.read(10, 20) == data[10:30]
    assert made.size == len(data)
    assert b"".join(made.read(at, 50_000) for at in range(0, len(data), 50_000)) == data
    assert max(taken) <= content.WINDOW


@settings(deadline=None)
@given(st.binary(max_size=400), st.integers(0, 500), st.integers(0, 500))
def test_quoted_printable_is_read_at_any_offset(data: bytes, offset: int, length: int) -> None:
    data = data.replace(b"\r", b"").replace(b"\n", b"\r\n")
    encoded = quopri.encodestring(data)
    made = content_of(reader(encoded), 0, len(encoded), "quoted-printable")
    whole = decode_body(encoded, "quoted-printable")
    assert made.read(offset, length) == whole[offset : offset + length]
    assert made.size == len(whole)


def test_windows_do_not_change_what_is_decoded(monkeypatch: object) -> None:
    import pytest

    assert isinstance(monkeypatch, pytest.MonkeyPatch)
    monkeypatch.setattr(content, "WINDOW", 7)
    for encoding, encoded in (
        ("base64", _lines(base64.b64encode(b"hello world, this is long enough"), 5)),
        ("quoted-printable", b"caf=C3=A9 and =\r\nmore  \r\ntext=20"),
        ("x-uuencode", b"begin 644 a\r\n" + binascii.b2a_uu(b"uuencoded data") + b"`\nend\r\n"),
    ):
        made = content_of(reader(encoded), 0, len(encoded), encoding)
        assert isinstance(made, Decoded)
        whole = decode_body(encoded, encoding)
        assert made.read(0, 1000) == whole
        assert made.read(3, 5) == whole[3:8]
        assert made.size == len(whole)


def test_identity_and_joined_contents() -> None:
    made = Slice(reader(b"0123456789"), 2, 5)
    assert (made.read(0, 100), made.read(4, 9), made.read(5, 1), made.read(-1, 2)) == (
        b"23456",
        b"6",
        b"",
        b"",
    )
    joined = Joined(b"ab", made)
    assert joined.size == 7
    assert joined.read(1, 3) == b"b23"
    assert joined.read(3, 10) == b"3456"
    assert b"".join(joined.read(at, 2) for at in range(0, 8, 2)) == b"ab23456"
