"""The reader of commands: whole, a byte at a time, with what follows, and with what is too much."""

import pytest

from appliance.protocols.imap.reader import (
    CommandRead,
    Event,
    LineTooLong,
    Literal,
    LiteralAsked,
    LiteralData,
    Reader,
    Streamed,
    tag_of,
)

STREAM = b'a1 NOOP\r\na2 LOGIN "x" {3}\r\nabc {2+}\r\nde\r\na3 APPEND INBOX ~{4}\r\n\x00\r\n)\r\na4 LOGOUT\n'
COMMANDS = [
    (b"a1 NOOP",),
    (b'a2 LOGIN "x" ', Literal(b"abc"), b" ", Literal(b"de"), b""),
    (b"a3 APPEND INBOX ", Literal(b"\x00\r\n)", True), b""),
    (b"a4 LOGOUT",),
]


def drain(reader: Reader) -> list[Event]:
    events = []
    while (event := reader.next()) is not None:
        if isinstance(event, LiteralAsked):
            reader.take()
        else:
            events.append(event)
    return events


@pytest.mark.parametrize("step", [1, 2, 3, 7, 1000])
def test_commands_come_out_however_they_arrive(step: int) -> None:
    reader = Reader()
    events = []
    for start in range(0, len(STREAM), step):
        reader.feed(STREAM[start : start + step])
        events += drain(reader)
    assert [event.pieces for event in events if isinstance(event, CommandRead)] == COMMANDS
    assert not reader.pending


def test_an_announced_literal_is_neither_read_nor_allocated_before_it_is_answered() -> None:
    reader = Reader()
    reader.feed(b"t1 APPEND INBOX {10000000000}\r\n")
    event = reader.next()
    assert event == LiteralAsked((b"t1 APPEND INBOX ",), 10_000_000_000, waits=True, binary=False)
    with pytest.raises(RuntimeError):
        reader.next()
    reader.abandon()
    reader.feed(b"t2 NOOP\r\n")
    assert reader.next() == CommandRead((b"t2 NOOP",))


def test_a_streamed_literal_is_handed_out_in_pieces() -> None:
    reader = Reader()
    reader.feed(b"t APPEND INBOX {6+}\r\nabc")
    assert isinstance(reader.next(), LiteralAsked)
    reader.stream()
    assert reader.next() == LiteralData(b"abc", last=False)
    assert reader.next() is None
    reader.feed(b"def\r\nt2 NOOP\r\n")
    assert reader.next() == LiteralData(b"def", last=True)
    assert reader.next() == CommandRead((b"t APPEND INBOX ", Streamed(6), b""))
    assert reader.next() == CommandRead((b"t2 NOOP",))


def test_an_empty_literal_streams_one_empty_piece() -> None:
    reader = Reader()
    reader.feed(b"t APPEND INBOX {0}\r\n\r\n")
    assert isinstance(reader.next(), LiteralAsked)
    reader.stream()
    assert reader.next() == LiteralData(b"", last=True)
    assert reader.next() == CommandRead((b"t APPEND INBOX ", Streamed(0), b""))


def test_a_refused_literal_that_comes_all_the_same_is_dropped() -> None:
    reader = Reader()
    reader.feed(b"t APPEND INBOX {5+}\r\nab")
    assert isinstance(reader.next(), LiteralAsked)
    reader.drain()
    assert reader.next() is None
    reader.feed(b"cde\r\n")
    assert reader.next() == CommandRead((b"t APPEND INBOX ", Streamed(5), b""))


@pytest.mark.parametrize("step", [1, 50, 100_000])
def test_a_line_that_is_too_long_is_dropped_and_named(step: int) -> None:
    reader = Reader(max_line=1000)
    line = b"tag7 SEARCH " + b"x" * 50_000 + b"\r\nt2 NOOP\r\n"
    events = []
    for start in range(0, len(line), step):
        reader.feed(line[start : start + step])
        events += drain(reader)
        assert len(reader._buffer) <= 100_000
    assert events == [LineTooLong(b"tag7"), CommandRead((b"t2 NOOP",))]


def test_bare_lines() -> None:
    reader = Reader()
    reader.feed(b"DONE")
    assert reader.next_line() is None
    reader.feed(b"\r\nnext\n")
    assert reader.next_line() == b"DONE"
    assert reader.next_line() == b"next"
    reader.feed(b"x" * (reader.max_line + 1))
    assert reader.next_line() == b"x" * reader.max_line


def test_discard_forgets_what_was_pipelined() -> None:
    reader = Reader()
    reader.feed(b"a STARTTLS\r\nb NOOP\r\n")
    assert reader.next() == CommandRead((b"a STARTTLS",))
    reader.discard()
    assert reader.next() is None
    assert not reader.pending


def test_tag_of() -> None:
    assert tag_of((b"a.1 NOOP",)) == b"a.1"
    assert tag_of((b"a NOOP",)) == b"a"
    assert tag_of((b"+ NOOP",)) == b"*"
    assert tag_of((b"",)) == b"*"
    assert tag_of((b"x" * 300 + b" NOOP",)) == b"*"
