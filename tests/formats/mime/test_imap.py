"""ENVELOPE, BODYSTRUCTURE and sections: RFC examples, grammar over every message, packed tables."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.formats.mime import Scan, bodystructure, envelope, scan, section
from appliance.formats.mime.headers import filter_header
from appliance.formats.mime.imap import string
from appliance.formats.mime.limits import Limits
from appliance.wire.errors import DecodeError
from tests.formats.mime.corpus import AWKWARD, mailbox_messages, real_files
from tests.formats.mime.imaptext import Value, read_all

# The layout of RFC 9051 6.4.5.1's example of section numbers.
SECTIONS = b"".join(
    line + b"\r\n"
    for line in b"""Subject: 0
Content-Type: multipart/mixed; boundary=x

--x

1
--x
Content-Type: application/octet-stream

2
--x
Content-Type: message/rfc822

Subject: 3
Content-Type: multipart/mixed; boundary=y

--y
Content-Type: text/plain

3.1
--y
Content-Type: message/rfc822

Subject: 3.2

3.2.1
--y--
--x
Content-Type: multipart/mixed; boundary=z

--z
Content-Type: image/gif

4.1
--z--
--x--""".split(b"\n")
)


@pytest.mark.parametrize(
    ("path", "text", "content"),
    [
        ((1,), "", b"1"),
        ((2,), "", b"2"),
        ((2,), "MIME", b"Content-Type: application/octet-stream\r\n\r\n"),
        ((3,), "MIME", b"Content-Type: message/rfc822\r\n\r\n"),
        ((3,), "HEADER", b"Subject: 3\r\nContent-Type: multipart/mixed; boundary=y\r\n\r\n"),
        ((3, 1), "", b"3.1"),
        ((3, 2), "HEADER", b"Subject: 3.2\r\n\r\n"),
        ((3, 2), "TEXT", b"3.2.1"),
        ((3, 2, 1), "", b"3.2.1"),
        ((3, 2, 1), "MIME", b"Subject: 3.2\r\n\r\n"),
        ((4,), "MIME", b"Content-Type: multipart/mixed; boundary=z\r\n\r\n"),
        ((4, 1), "", b"4.1"),
        ((), "HEADER", b"Subject: 0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n"),
        ((), "", SECTIONS),
    ],
)
def test_sections(path: tuple[int, ...], text: str, content: bytes) -> None:
    found = section(scan(SECTIONS), path, text)
    assert found is not None
    assert SECTIONS[found[0] : found[1]] == content


@pytest.mark.parametrize(
    ("path", "text"), [((5,), ""), ((1,), "HEADER"), ((3, 3), ""), ((), "MIME"), ((1, 1), "")]
)
def test_absent_sections(path: tuple[int, ...], text: str) -> None:
    assert section(scan(SECTIONS), path, text) is None


def test_single_part_is_its_own_part_one() -> None:
    data = b"Subject: x\r\n\r\nbody\r\n"
    assert section(scan(data), (1,)) == section(scan(data), (), "TEXT") == (14, 20)
    header = section(scan(data), (), "HEADER")
    assert header is not None
    assert filter_header(data[header[0] : header[1]], [b"SUBJECT"]) == b"Subject: x\r\n\r\n"


def test_envelope_of_the_rfc() -> None:
    # The message of RFC 9051 8's sample connection.
    data = (
        b"Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\r\nFrom: Terry Gray <gray@cac.washington.edu>\r\n"
        b"Subject: IMAP4rev2 WG mtg summary and minutes\r\nTo: imap@cac.washington.edu\r\n"
        b"cc: minutes@CNRI.Reston.VA.US, John Klensin <KLENSIN@MIT.EDU>\r\n"
        b"Message-Id: <B27397-0100000@cac.washington.edu>\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: TEXT/PLAIN; CHARSET=US-ASCII\r\n\r\n"
    )
    assert envelope(scan(data)) == (
        b'("Wed, 17 Jul 1996 02:23:25 -0700 (PDT)" "IMAP4rev2 WG mtg summary and minutes" '
        b'(("Terry Gray" NIL "gray" "cac.washington.edu")) (("Terry Gray" NIL "gray" "cac.washington.edu")) '
        b'(("Terry Gray" NIL "gray" "cac.washington.edu")) ((NIL NIL "imap" "cac.washington.edu")) '
        b'((NIL NIL "minutes" "CNRI.Reston.VA.US")("John Klensin" NIL "KLENSIN" "MIT.EDU")) NIL NIL '
        b'"<B27397-0100000@cac.washington.edu>")'
    )


def test_groups_and_literals() -> None:
    data = b'To: g: a@b, "c\\"d" <e@f>;, \xe4 <x@y>\r\nSubject: \xfc\r\nIn-Reply-To: a"b\\c\r\n\r\n'
    assert envelope(scan(data)) == (
        b'(NIL {1}\r\n\xfc NIL NIL NIL ((NIL NIL "g" NIL)(NIL NIL "a" "b")'
        b'("c\\"d" NIL "e" "f")(NIL NIL NIL NIL)'
        b'({1}\r\n\xe4 NIL "x" "y")) NIL NIL "a\\"b\\\\c" NIL)'
    )


def test_extension_data() -> None:
    data = (
        b"Content-Type: image/png; name=a\r\nContent-ID: <i@d>\r\nContent-Description: d\r\n"
        b"Content-MD5: bWQ1\r\n"
        b"Content-Transfer-Encoding: BASE64\r\nContent-Disposition: INLINE; filename*=utf-8'de'%C3%A4\r\n"
        b"Content-Language: de, en (x)\r\nContent-Location: http://x/\r\n\r\nAAAA"
    )
    head = b'("image" "png" ("name" "a") "<i@d>" "d" "base64" 4'
    assert bodystructure(scan(data), extensions=False) == head + b")"
    assert bodystructure(scan(data)) == (
        head + b' "bWQ1" ("inline" ("filename*" "utf-8\'de\'%C3%A4")) ("de" "en") "http://x/")'
    )


def body_shape(value: Value, *, extensions: bool) -> int:
    """Checks a body against the grammar of RFC 9051 9 and gives the number of its leaves."""
    assert isinstance(value, list)
    if isinstance(value[0], list):
        count = next(i for i, item in enumerate(value) if not isinstance(item, list))
        assert isinstance(value[count], bytes)
        assert len(value) == count + (5 if extensions else 1)
        return sum(body_shape(item, extensions=extensions) for item in value[:count])
    kind, subtype, _, _, _, encoding, size = value[:7]
    assert isinstance(kind, bytes)
    assert isinstance(subtype, bytes)
    assert isinstance(encoding, bytes)
    assert isinstance(size, int)
    rest, leaves = value[7:], 1
    if (kind, subtype) in ((b"message", b"rfc822"), (b"message", b"global")):
        assert isinstance(rest[0], list)
        assert len(rest[0]) == 10
        leaves = body_shape(rest[1], extensions=extensions)
        rest = rest[2:]
    if kind == b"text" or leaves > 1 or len(value) > len(rest) + 7:
        assert isinstance(rest.pop(0), int)
    assert len(rest) == (4 if extensions else 0)
    return leaves


def examine(data: bytes) -> None:
    result = scan(data)
    found = read_all(envelope(result))
    assert isinstance(found, list)
    assert len(found) == 10
    for people in found[2:8]:
        assert people is None or isinstance(people, list)
        assert all(isinstance(person, list) and len(person) == 4 for person in people or [])
    for extensions in (True, False):
        assert body_shape(read_all(bodystructure(result, extensions)), extensions=extensions) > 0


@pytest.mark.parametrize("name", [name for name in AWKWARD if name != "nest"])
def test_grammar_of_awkward(name: str) -> None:
    examine(AWKWARD[name])


@pytest.mark.parametrize("path", real_files(), ids=lambda path: path.name)
def test_grammar_of_real(path) -> None:  # type: ignore[no-untyped-def]
    examine(path.read_bytes())


def test_grammar_of_mailboxes() -> None:
    for data in mailbox_messages():
        examine(data)


def test_hundred_levels() -> None:
    assert bodystructure(scan(AWKWARD["nest"])).count(b'"mixed"') == 100


def test_deeper_than_the_limit() -> None:
    result = scan(AWKWARD["nest"], Limits(depth=50))
    assert len(result) == 51
    assert result.parts[-1].content.value == "application/octet-stream"


@given(st.binary(max_size=1200))
def test_any_string(value: bytes) -> None:
    assert read_all(string(value)) == value.replace(b"\0", b"")


def test_damaged_tables() -> None:
    packed = scan(SECTIONS).pack()
    for stop in range(len(packed)):
        with pytest.raises(DecodeError):
            assert Scan.unpack(packed[:stop]).parts
    with pytest.raises(DecodeError):
        assert Scan.unpack(packed + b"\0").parts
    for at in range(len(packed)):
        for value in (0, 1, 0x7F, 0xFF):
            with suppress(DecodeError):
                assert Scan.unpack(packed[:at] + bytes((value,)) + packed[at + 1 :]).parts
