"""Transfer encodings both ways in any cuts, judged by base64, quopri and binascii; flowed text."""

import base64
import binascii
import quopri
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.formats.mime.bodies import (
    MAX_LINE,
    Base64Encoder,
    Decoder,
    Flow,
    QuotedPrintableEncoder,
    decode_body,
    decoder_of,
    unflow,
)

ENCODINGS = ["base64", "quoted-printable", "x-uuencode", "7bit"]
cuts = st.lists(st.integers(1, 9), max_size=40)


def in_pieces(
    decoder: Decoder | Base64Encoder | QuotedPrintableEncoder, data: bytes, sizes: list[int]
) -> bytes:
    out, at = b"", 0
    for size in sizes:
        out += decoder.feed(data[at : at + size])
        at += size
    return out + decoder.feed(data[at:]) + decoder.finish()


coded = st.lists(
    st.sampled_from(
        [
            b"=",
            b"=3D",
            b"=\r\n",
            b"= \n",
            b" ",
            b"\t",
            b"\r\n",
            b"\n",
            b"\r",
            b"QUJD",
            b"QQ==",
            b"Q",
            b"-",
            b"begin 644 x\n",
            b"#86)C\n",
            b"`\n",
            b"end\n",
            b"\xe9",
        ]
    ),
    max_size=25,
).map(b"".join)


@given(st.sampled_from(ENCODINGS), coded, cuts)
def test_cuts_do_not_matter(encoding: str, data: bytes, sizes: list[int]) -> None:
    assert in_pieces(decoder_of(encoding), data, sizes) == decode_body(data, encoding)


@given(st.binary(max_size=300), cuts)
def test_base64_round_trip(data: bytes, sizes: list[int]) -> None:
    text = in_pieces(Base64Encoder(), data, sizes)
    assert text == base64.encodebytes(data).replace(b"\n", b"\r\n")
    decoder = decoder_of("BASE64")
    assert in_pieces(decoder, text, sizes) == data
    assert not decoder.damaged


@given(st.binary(max_size=300) | st.text("a=. \tF\r\nrom", max_size=200).map(str.encode), cuts, st.booleans())
def test_quoted_printable_round_trip(data: bytes, sizes: list[int], text: bool) -> None:
    out = in_pieces(QuotedPrintableEncoder(text=text), data, sizes)
    assert out.isascii()
    assert all(len(line) <= 76 for line in out.split(b"\r\n"))
    assert not any(line.startswith((b".", b"From ")) for line in out.split(b"\r\n"))
    expected = data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") if text else data
    decoder = decoder_of("quoted-printable")
    assert in_pieces(decoder, out, sizes) == expected
    assert not decoder.damaged
    assert (
        quopri.decodestring(out.replace(b"\r\n", b"\n")) == expected.replace(b"\r\n", b"\n")
        or b"\r" in expected
    )


@given(st.binary(max_size=300), cuts)
def test_uuencode(data: bytes, sizes: list[int]) -> None:
    lines = b"".join(binascii.b2a_uu(data[at : at + 45]) for at in range(0, len(data), 45))
    decoder = decoder_of("x-uue")
    assert in_pieces(decoder, b"hello\r\nbegin 644 a b\r\n" + lines + b"`\nend\nbye\n", sizes) == data
    assert not decoder.damaged


@pytest.mark.parametrize(
    ("encoding", "raw", "expected"),
    [
        ("base64", b"QUJD\r\nREVG", b"ABCDEF"),
        ("base64", b"QUI", b"AB"),
        ("base64", b"QQ==QkM=", b"ABC"),
        ("base64", b"Q!U*J D", b"ABC"),
        ("base64", b"QUJDR", b"ABC"),
        ("quoted-printable", b"a=3db=\r\nc =\nd  \r\ne=zz=", b"a=bc d\r\ne=zz"),
        ("quoted-printable", b"a=e4 \t", b"a\xe4"),
        ("8bit", b"a=3D", b"a=3D"),
        ("weird", b"a=3D", b"a=3D"),
    ],
)
def test_what_the_world_sends(encoding: str, raw: bytes, expected: bytes) -> None:
    assert decode_body(raw, encoding) == expected


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_lines_without_end_are_not_held(encoding: str) -> None:
    decoder = decoder_of(encoding)
    for piece in (b"A" * 9999, b" " * 9999, b"=41" * 3333):
        for _ in range(40):
            decoder.feed(piece)
            assert len(getattr(decoder, "_held", b"")) <= MAX_LINE


def test_flowed() -> None:
    flowed = Flow(True, False)
    assert unflow("a \nb\n>> c \n>> d\n> e\n  x\n-- \nme", flowed) == "a b\n>> c d\n> e\n x\n-- \nme"
    assert unflow("a \nb", Flow(True, True)) == "ab"
    assert unflow("a \nb", Flow(False, False)) == "a \nb"


def encoders() -> list[Callable[[], Base64Encoder | QuotedPrintableEncoder]]:
    return [Base64Encoder, QuotedPrintableEncoder]


@pytest.mark.parametrize("make", encoders())
def test_nothing_gives_nothing(make: Callable[[], Base64Encoder | QuotedPrintableEncoder]) -> None:
    assert in_pieces(make(), b"", []) == b""
