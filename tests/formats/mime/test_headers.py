"""Raw fields, filtering, addresses, dates, message ids."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.formats.mime import dates
from appliance.formats.mime.addresses import Group, Mailbox, parse_addresses
from appliance.formats.mime.dates import TICKS, format_date, parse_date
from appliance.formats.mime.headers import fields_of, filter_header, message_ids

UNIX = 11644473600
BLOCK = b"From x y\r\nSubject: one\r\n two\r\nTo : a@b\r\njunk\r\nsubject:three\r\n\r\n"


def test_fields() -> None:
    assert [(f.name, f.body) for f in fields_of(BLOCK)] == [
        (b"Subject", b"one two"),
        (b"To", b"a@b"),
        (b"subject", b"three"),
    ]
    assert all(BLOCK[f.offset : f.offset + len(f.raw)] == f.raw for f in fields_of(BLOCK))


def test_filters() -> None:
    chosen = filter_header(BLOCK, [b"SUBJECT"])
    assert chosen == b"Subject: one\r\n two\r\nsubject:three\r\n\r\n"
    assert filter_header(BLOCK, [b"subject"], exclude=True) == b"From x y\r\nTo : a@b\r\njunk\r\n\r\n"
    assert filter_header(b"a: b", [b"A"]) == b"a: b\r\n\r\n"
    assert filter_header(BLOCK, [b"x"]) == b"\r\n"


def box(name: bytes, local: bytes, domain: bytes, route: bytes = b"") -> Mailbox:
    return Mailbox(name, route, local, domain)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"a@b.c", [box(b"", b"a", b"b.c")]),
        (b"A B <a@b.c>, d@e", [box(b"A B", b"a", b"b.c"), box(b"", b"d", b"e")]),
        (b'"B, A" <a@b>', [box(b"B, A", b"a", b"b")]),
        (b"a@b (The Name)", [box(b"The Name", b"a", b"b")]),
        (b"J. R. Doe <j@d>", [box(b"J. R. Doe", b"j", b"d")]),
        (b"<@x,@y:a@b>", [box(b"", b"a", b"b", b"@x,@y")]),
        (b"A <@x:a@b>", [box(b"A", b"a", b"b", b"@x")]),
        (b'"a b"@c', [box(b"", b"a b", b"c")]),
        (b"a . b @ c . d", [box(b"", b"a.b", b"c.d")]),
        (b"a@[127.0.0.1]", [box(b"", b"a", b"[127.0.0.1]")]),
        (b"g: a@b, C <c@d>;", [Group(b"g", (box(b"", b"a", b"b"), box(b"C", b"c", b"d")))]),
        (b"undisclosed-recipients:;", [Group(b"undisclosed-recipients", ())]),
        (b"g: a@b", [Group(b"g", (box(b"", b"a", b"b"),))]),
        (b"g:;, x@y", [Group(b"g", ()), box(b"", b"x", b"y")]),
        (b"a@b,,, c@d", [box(b"", b"a", b"b"), box(b"", b"c", b"d")]),
        (b"A <a@b", [box(b"A", b"a", b"b")]),
        (b"joe", [box(b"", b"joe", b"")]),
        (b"<>", [box(b"", b"", b"")]),
        (b"", []),
        (b"=?utf-8?q?A,_B?= <a@b>", [box(b"=?utf-8?q?A,_B?=", b"a", b"b")]),
        (b"a@b; c@d", [box(b"", b"a", b"b"), box(b"", b"c", b"d")]),
        (b"A <a@b> B <c@d>", [box(b"A", b"a", b"b"), box(b"B", b"c", b"d")]),
        (b"\xc3\xa4 <\xc3\xb6@\xc3\xbc>", [box(b"\xc3\xa4", b"\xc3\xb6", b"\xc3\xbc")]),
        (b"a@b@c", [box(b"", b"a@b", b"c")]),
        (b'"unclosed <a@b>', [box(b"", b"unclosed <a@b>", b"")]),
    ],
)
def test_addresses(raw: bytes, expected: list[Mailbox | Group]) -> None:
    assert parse_addresses(raw) == expected


@given(
    st.lists(
        st.sampled_from(
            [
                b"a",
                b"@",
                b"<",
                b">",
                b",",
                b";",
                b":",
                b'"',
                b"(",
                b")",
                b"[",
                b"]",
                b" ",
                b".",
                b"\\",
                b"=?utf-8?q?x?=",
                b"\xe9",
                b"\r\n ",
            ]
        ),
        max_size=30,
    ).map(b"".join)
)
def test_any_address_list(raw: bytes) -> None:
    for item in parse_addresses(raw):
        assert isinstance(item.text, str)
        members = item.members if isinstance(item, Group) else (item,)
        assert all(isinstance(m.address, str) for m in members)


@pytest.mark.parametrize(
    ("raw", "iso", "offset"),
    [
        (b"Fri, 21 Nov 1997 09:55:06 -0600", "1997-11-21T15:55:06", -360),
        (b"21 Nov 97 09:55:06 GMT", "1997-11-21T09:55:06", 0),  # RFC 5322 A.6.2
        (
            b"Thu,\r\n 13\r\n Feb\r\n 1969\r\n 23:32\r\n -0330 (Newfoundland Time)",
            "1969-02-14T03:02:00",
            -210,
        ),
        (b"Fri, 21 Nov 1997 09(comment):   55  :  06 -0600", "1997-11-21T15:55:06", -360),
        (b"1 Jan 2020 00:00:00 EST", "2020-01-01T05:00:00", -300),
        (b"1 Jan 2020 00:00:00 A", "2020-01-01T00:00:00", 0),
        (b"Mon, 1 Jan 01 10:00 +0100", "2001-01-01T09:00:00", 60),
        (b"Mon, 1 Jan 101 10:00:00 +0000", "2001-01-01T10:00:00", 0),
        (b"Tue Jan  2 03:04:05 2001", "2001-01-02T03:04:05", 0),
        (b"Tue Jan  2 03:04:05 CET 2001", "2001-01-02T02:04:05", 60),
        (b"2001-02-03 04:05:06", "2001-02-03T04:05:06", 0),
        (b"2001-02-03T04:05:06+02:00", "2001-02-03T02:05:06", 120),
        (b"12-Mar-2004 13:14:15 +0530", "2004-03-12T07:44:15", 330),
        (b"Wed, 3 June 2009 1:05:09 PM", "2009-06-03T13:05:09", 0),
        (b"Wed, 31 Dec 2008 23:59:60 +0000", "2008-12-31T23:59:59", 0),
        (b"Sat, 5 Jul 2003 12:00:00 GMT+0200", "2003-07-05T10:00:00", 120),
        (b"31 Feb 2000 00:00:00 +0000", None, 0),
        (b"yesterday", None, 0),
        (b"", None, 0),
        (b"1 Jan 2020 99:00:00", None, 0),
    ],
)
def test_dates(raw: bytes, iso: str | None, offset: int) -> None:
    parsed = parse_date(raw)
    if iso is None:
        assert parsed is None
    else:
        stamp = int(datetime.fromisoformat(iso + "+00:00").timestamp())
        assert parsed == ((stamp + UNIX) * TICKS, offset)


@given(st.integers(0, 4_000_000_000), st.integers(-719, 719))
def test_written_dates_are_what_the_standard_library_reads(stamp: int, offset: int) -> None:
    text = format_date((stamp + UNIX) * TICKS + 1, offset)
    assert parsedate_to_datetime(text.decode()).timestamp() == stamp
    assert parse_date(text) == ((stamp + UNIX) * TICKS, offset)
    assert datetime.fromtimestamp(stamp, UTC).year > 1969


@given(st.binary(max_size=60) | st.text("0123456789:-+/., JanFebTZ()", max_size=40).map(str.encode))
def test_any_date(raw: bytes) -> None:
    parsed = parse_date(raw)
    assert parsed is None or parsed[0] > 0


@given(st.from_regex(dates._PLAIN, fullmatch=True))
def test_plain_dates_are_read_as_all_are(raw: bytes) -> None:
    assert parse_date(raw) == parse_date(raw + b" ")


def test_message_ids() -> None:
    assert message_ids(b"<a@b> (x)\r\n <c@d>,<e @f>") == [b"<a@b>", b"<c@d>", b"<e@f>"]
    assert message_ids(b"a@b c@d") == [b"<a@b>", b"<c@d>"]
    assert message_ids(b"<> <open") == []
