"""Byte-stuffing in pieces of any size."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.protocols.pop3.stuffing import Stuffer


def sent(message: bytes, lines: int | None = None, piece: int = 1 << 20) -> bytes:
    stuffer = Stuffer(lines)
    out = [stuffer.feed(message[begin : begin + piece]) for begin in range(0, len(message), piece)]
    return b"".join(out) + stuffer.finish()


def received(response: bytes) -> bytes:
    """What a client makes of it."""
    lines = response.splitlines(keepends=True)
    assert lines[-1] == b".\r\n"
    assert b".\r\n" not in lines[:-1]
    return b"".join(line[1:] if line.startswith(b".") else line for line in lines[:-1])


MESSAGE = b"A: b\r\n.c: d\r\n\r\n.\r\n..one\r\ntwo\n.three\r\n\r\nend."


@pytest.mark.parametrize("piece", [1, 2, 3, 5, 1000])
def test_whole(piece: int) -> None:
    assert received(sent(MESSAGE, None, piece)) == MESSAGE + b"\r\n"
    assert sent(MESSAGE, None, piece) == sent(MESSAGE)


@pytest.mark.parametrize("piece", [1, 2, 3, 5, 1000])
@pytest.mark.parametrize(
    ("lines", "wanted"),
    [
        (0, b"A: b\r\n.c: d\r\n\r\n"),
        (1, b"A: b\r\n.c: d\r\n\r\n.\r\n"),
        (3, b"A: b\r\n.c: d\r\n\r\n.\r\n..one\r\ntwo\n"),
        (6, MESSAGE + b"\r\n"),
        (9, MESSAGE + b"\r\n"),
    ],
)
def test_first_lines(lines: int, wanted: bytes, piece: int) -> None:
    assert received(sent(MESSAGE, lines, piece)) == wanted


@pytest.mark.parametrize(
    ("message", "wanted"), [(b"", b".\r\n"), (b"A: b", b"A: b\r\n.\r\n"), (b"\r\n", b"\r\n.\r\n")]
)
def test_odd_messages(message: bytes, wanted: bytes) -> None:
    assert sent(message) == wanted
    assert sent(message, 0) == wanted


@given(st.lists(st.sampled_from([b".", b"\r", b"\n", b"\r\n", b"x", b"\n."])), st.integers(1, 7))
def test_nothing_ends_a_response_early(parts: list[bytes], piece: int) -> None:
    message = b"".join(parts)
    response = sent(message, None, piece)
    body = response[:-3]
    assert response.endswith(b".\r\n")
    lines = body.split(b"\n")
    assert all(line.startswith(b"..") for line in lines if line.startswith(b"."))
    unstuffed = b"\n".join(line[1:] if line.startswith(b".") else line for line in lines)
    assert unstuffed in (message, message + b"\r\n")


@given(st.binary(max_size=200), st.integers(0, 4), st.integers(1, 50))
def test_pieces_do_not_matter(message: bytes, lines: int, piece: int) -> None:
    assert sent(message, lines, piece) == sent(message, lines)
