"""The line editor: what is typed, and what comes instead."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.panel.terminal import MAX_AHEAD, MAX_LINE, MAX_OUTPUT, Key, Terminal


def asked(**options: bool) -> Terminal:
    terminal = Terminal()
    terminal.ask("? ", **options)
    terminal.take()
    return terminal


@pytest.mark.parametrize(
    ("typed", "line"),
    [
        (b"hello\r", "hello"),
        (b"hello\r\n", "hello"),
        (b"hello\n", "hello"),
        (b"\r", ""),
        (b"helo\x7fl\x08lo\r", "hello"),
        (b"\x7f\x7fa\r", "a"),
        (b"wrong\x15right\r", "right"),
        (b"two words\x17one\r", "two one"),
        (b"up\x1b[Adown\x1b[1;5B\x1bOPend\x1bx\r", "updownend"),
        (b"\x1b[999999999999999999999x\r", "99999x"),
        (b"\x1b[\rrest", ""),
        (b"a\x00\x01\x02b\x9f\xff\xfec\r", "abc"),
        ("M\u00fcller \u4f60\r".encode(), "M\u00fcller \u4f60"),
        (b"cut \xc3\r", "cut "),
        (b"tab\there\r", "tab here"),
        (b"x" * 300 + b"\r", "x" * MAX_LINE),
        (b"half\x04way\r", "halfway"),
    ],
)
def test_a_line(typed: bytes, line: str) -> None:
    assert asked().feed(typed) == line
    terminal = asked()
    found = [terminal.feed(bytes([byte])) for byte in typed]
    assert line in found, "byte at a time"


@pytest.mark.parametrize(
    ("typed", "key"), [(b"abc\x03", Key.INTERRUPT), (b"\x04", Key.END), (b"\x1b\x03", Key.INTERRUPT)]
)
def test_leaving(typed: bytes, key: Key) -> None:
    assert asked().feed(typed) is key


def test_echo_and_erasing() -> None:
    terminal = asked()
    terminal.feed(b"ab\x7f\x7f\x7f")
    assert terminal.take() == b"ab\b \b\b \b"
    terminal.feed(b"c\x0c")
    assert terminal.take() == b"c\r\n? c"


def test_a_secret_is_not_shown() -> None:
    terminal = asked(secret=True)
    assert terminal.feed(b"geheim\x7f\x0cx\x15neu\r") == "neu"
    assert terminal.take() == b"\r\n? \r\n"


def test_pasted_lines_answer_one_question_each() -> None:
    terminal = asked()
    assert terminal.feed(b"one\r\ntwo\nthree") == "one"
    terminal.ask("? ")
    assert terminal.ahead() == "two"
    terminal.ask("? ")
    assert terminal.ahead() is None
    assert terminal.feed(b"!\r") == "three!"


def test_a_fresh_question_forgets_what_was_pasted() -> None:
    terminal = asked()
    terminal.feed(b"one\rtwo\r")
    terminal.ask("sure? ", fresh=True)
    assert terminal.ahead() is None


def test_what_nobody_waits_for_is_bounded() -> None:
    terminal = Terminal()
    for _ in range(10):
        assert terminal.feed(b"x" * 1000) is None
    terminal.ask("? ")
    assert terminal.ahead() is None
    assert b"\a" in terminal.take()
    assert len(terminal.feed(b"\r") or "") == MAX_LINE
    assert MAX_AHEAD < 10_000


def test_output_is_plain_and_bounded() -> None:
    terminal = Terminal()
    terminal.write("a\x1b[2Jb\nc\rd\x9b")
    assert terminal.take() == b"a[2Jb\r\ncd"
    for _ in range(100):
        terminal.write("x" * 1000)
    assert len(terminal.take()) < MAX_OUTPUT + 1001


@given(st.lists(st.binary(max_size=40), max_size=40))
def test_noise_never_raises_and_a_person_gets_through_it(noise: list[bytes]) -> None:
    terminal = asked()
    for data in noise:
        if terminal.feed(data) is not None:
            terminal.ask("? ")
    while terminal.feed(b"\r\r") is not None:
        terminal.ask("? ")
        break
    terminal.ask("? ", fresh=True)
    assert terminal.feed(b"\x15answer\r") in ("answer", "")


def test_long_noise() -> None:
    source = random.Random(4)
    terminal = Terminal()
    for _ in range(300):
        terminal.ask("? ")
        terminal.feed(source.randbytes(100))
        sent = terminal.take()
        assert all(byte in b"\r\n\b\a" or byte >= 0x20 for byte in sent)
