"""Sequence sets, dates, names, strings: the small codecs."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.mapi.times import from_datetime
from appliance.protocols.imap import dates, names, sequence, wire
from appliance.protocols.imap.errors import Bad, No
from appliance.protocols.imap.reader import Literal
from appliance.protocols.imap.sequence import STAR, Ranges, SequenceSet, compress, parse
from appliance.protocols.imap.tokens import Cursor


@pytest.mark.parametrize(
    ("raw", "greatest", "pairs"),
    [
        (b"1", 9, [(1, 1)]),
        (b"2,4:7,9,12:*", 15, [(2, 2), (4, 7), (9, 9), (12, 15)]),
        (b"*:4,5:7", 10, [(4, 10)]),
        (b"4:*", 3, [(3, 4)]),
        (b"3:2", 9, [(2, 3)]),
        (b"*", 9, [(9, 9)]),
        (b"*", 0, []),
        (b"1:4294967295", 9, [(1, 4294967295)]),
        (b"5,1,3,2", 9, [(1, 3), (5, 5)]),
    ],
)
def test_sets_resolve_to_ranges(raw: bytes, greatest: int, pairs: list[tuple[int, int]]) -> None:
    assert parse(raw).resolve(greatest).pairs == pairs


@pytest.mark.parametrize(
    "raw", [b"", b"0", b"1:", b":1", b"1,,2", b"1:2:3", b"a", b"01", b"4294967296", b"1;2", b"-1", b"1,"]
)
def test_malformed_sets(raw: bytes) -> None:
    with pytest.raises(Bad):
        parse(raw)


def test_set_properties() -> None:
    found = parse(b"3:*,7")
    assert found.star
    assert found.highest == 7
    assert found.ranges[0] == (3, STAR)
    assert parse(b"$") == SequenceSet((), saved=True)


@given(st.lists(st.integers(1, 300), unique=True), st.lists(st.integers(1, 300), unique=True))
def test_ranges_are_sets(numbers: list[int], others: list[int]) -> None:
    ranges = Ranges.of(numbers)
    assert list(ranges) == sorted(numbers)
    assert ranges.count == len(numbers)
    assert list(ranges.without(sorted(others))) == sorted(set(numbers) - set(others))
    assert list(ranges.clip(50, 100)) == [n for n in sorted(numbers) if 50 <= n <= 100]
    assert all((n in ranges) == (n in numbers) for n in range(302))
    assert list(parse(sequence.render(ranges.pairs)).resolve(1)) == sorted(numbers) if numbers else True


def test_compress_keeps_the_order() -> None:
    assert compress([304, 319, 320, 5, 4, 3]) == b"304,319:320,5,4,3"
    assert compress([]) == b""


@given(st.text())
def test_modified_utf7_round_trips(name: str) -> None:
    name = "".join(c for c in name if not "\ud800" <= c <= "\udfff")
    encoded = names.encode_utf7(name)
    assert encoded.isascii()
    if all(c.isprintable() or ord(c) > 126 for c in name):
        assert names.decode_utf7(encoded) == name


def test_modified_utf7_examples() -> None:
    # RFC 3501 5.1.3
    assert names.encode_utf7("~peter/mail/台北/日本語") == b"~peter/mail/&U,BTFw-/&ZeVnLIqe-"
    assert names.decode_utf7(b"&Jjo-!") == "☺!"
    assert names.decode(b"a & b", utf8=False) == "a & b"
    assert names.decode("Entwürfe".encode(), utf8=False) == "Entwürfe"
    with pytest.raises(Bad):
        names.decode(b"\xff", utf8=True)


def test_inbox_folds_only_as_a_whole_first_level() -> None:
    assert names.decode(b"inBox", utf8=False) == "INBOX"
    assert names.decode(b"inbox/Sub", utf8=False) == "INBOX/Sub"
    assert names.decode(b"Inbox2", utf8=False) == "Inbox2"
    assert names.decode(b"a/inbox", utf8=False) == "a/inbox"


@pytest.mark.parametrize("name", ["", "a//b", "/a", "a/", "a\x01", "a/ /b", "x" * 1001, "a\u2028b"])
def test_names_that_cannot_be_created(name: str) -> None:
    with pytest.raises(No):
        names.check_new(name)


@pytest.mark.parametrize(
    ("pattern", "name", "matches"),
    [
        ("*", "a/b", True),
        ("%", "a", True),
        ("%", "a/b", False),
        ("a/%", "a/b", True),
        ("a/%", "a/b/c", False),
        ("a*c", "a/b/c", True),
        ("%/%", "a/b", True),
        ("inbox", "INBOX", True),
        ("inb%", "INBOX", True),
        ("inb*", "INBOX/x", True),
        ("*X", "INBOX", True),
        ("a", "A", False),
        ("", "", True),
        ("%*%", "a/b", True),
        ("a%b%c%d%e%f%g%h", "a" * 200, False),
    ],
)
def test_patterns(pattern: str, name: str, matches: bool) -> None:
    assert names.Pattern(pattern).matches(name) is matches


def test_patterns_below() -> None:
    assert names.Pattern("a/b/c").may_match_below("a/b")
    assert names.Pattern("*").may_match_below("x")
    assert not names.Pattern("%").may_match_below("x")
    assert not names.Pattern("a/b").may_match_below("a/b")


def test_dates() -> None:
    from datetime import datetime

    assert dates.parse_date(b"1-Feb-1994") == date(1994, 2, 1)
    assert dates.parse_date(b"01-feb-1994") == date(1994, 2, 1)
    moment = dates.parse_date_time(b"17-Jul-1996 02:44:25 -0700")
    assert moment == from_datetime(datetime.fromisoformat("1996-07-17T09:44:25+00:00"))
    assert dates.date_time(moment) == b'"17-Jul-1996 09:44:25 +0000"'
    assert (
        dates.date_time(dates.parse_date_time(b" 1-Jan-2024 00:00:00 +0000"))
        == b'" 1-Jan-2024 00:00:00 +0000"'
    )
    assert dates.day_start(date(1601, 1, 2)) == 86_400 * 10_000_000


@pytest.mark.parametrize(
    "raw",
    [
        b"1-Feb-1994 00:00:00 +0000",
        b"31-Feb-1994 00:00:00 +0000",
        b" 1-Foo-1994 00:00:00 +0000",
        b" 1-Feb-1994 24:00:00 +0000",
        b" 1-Feb-1994 00:00:00 +0099",
        b" 1-Feb-1994 00:00:00",
        b"",
    ],
)
def test_malformed_date_times(raw: bytes) -> None:
    with pytest.raises(Bad):
        dates.parse_date_time(raw)


@given(st.binary(max_size=200), st.booleans())
def test_strings_are_read_back(data: bytes, utf8: bool) -> None:
    written = wire.string(data, utf8=utf8)
    data = data.replace(b"\0", b"\x80") if b"\0" in data else data
    if written.startswith(b"{"):
        head, _, body = written.partition(b"\r\n")
        assert int(head[1:-1]) == len(body)
        assert body == data
    else:
        assert b"\r" not in written
        assert b"\n" not in written
        assert Cursor((written,)).string() == data


def test_astrings() -> None:
    assert wire.astring(b"abc") == b"abc"
    assert wire.astring(b"NIL") == b'"NIL"'
    assert wire.astring(b"") == b'""'
    assert wire.astring(b"a b") == b'"a b"'
    assert wire.mailbox("INBOX", utf8=False) == b"INBOX"
    assert wire.mailbox('a"b\\c', utf8=False) == b'"a\\"b\\\\c"'
    assert wire.mailbox("ü", utf8=True) == '"ü"'.encode()
    assert wire.mailbox("ü", utf8=False) == b"&APw-"
    assert wire.mailbox("50%", utf8=False) == b'"50%"'


def test_cursor_terminals() -> None:
    cursor = Cursor(
        (
            b'a1 (x "y \\" z" ',
            Literal(b"lit"),
            b") 1:3 NIL",
        ),
        utf8=False,
    )
    assert cursor.tag() == b"a1"
    cursor.space()
    assert cursor.items(cursor.astring) == [b"x", b'y " z', b"lit"]
    cursor.space()
    assert cursor.sequence_set() == SequenceSet(((1, 3),))
    cursor.space()
    assert cursor.nstring() is None
    cursor.end()


@pytest.mark.parametrize("raw", [b'"abc', b'"a\\x"', b'"\xc3', b"(", b"{5}"])
def test_malformed_strings(raw: bytes) -> None:
    with pytest.raises(Bad):
        Cursor((raw,)).string()


def test_flags_have_their_own_case() -> None:
    cursor = Cursor((b"(\\seen $Forwarded \\DELETED)",))
    assert cursor.flag_list() == [b"\\Seen", b"$Forwarded", b"\\Deleted"]
    for raw in (b"\\Recent", b"\\Foo", b"\\*", b"x" * 101):
        with pytest.raises(Bad):
            Cursor((raw,)).flag()
