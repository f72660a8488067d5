"""The envelope's grammar."""

import pytest

from appliance.mailbox.search.envelope import Person, parse, parse_head

RFC_EXAMPLE = (  # RFC 9051 7.5.2
    b'("Wed, 17 Jul 1996 02:23:25 -0700 (PDT)" "IMAP4rev2 WG mtg summary and minutes" '
    b'(("Terry Gray" NIL "gray" "cac.washington.edu")) (("Terry Gray" NIL "gray" "cac.washington.edu")) '
    b'(("Terry Gray" NIL "gray" "cac.washington.edu")) ((NIL NIL "imap" "cac.washington.edu")) '
    b'((NIL NIL "minutes" "CNRI.Reston.VA.US")("John Klensin" NIL "KLENSIN" "MIT.EDU")) NIL NIL '
    b'"<B27397-0100000@cac.washington.ed>")'
)


def test_the_example_of_the_rfc() -> None:
    envelope = parse(RFC_EXAMPLE)
    assert envelope.subject == b"IMAP4rev2 WG mtg summary and minutes"
    assert envelope.from_ == (Person(b"Terry Gray", None, b"gray", b"cac.washington.edu"),)
    assert [person.mailbox for person in envelope.cc] == [b"minutes", b"KLENSIN"]
    assert envelope.bcc == ()
    assert envelope.in_reply_to is None
    assert envelope.message_id == b"<B27397-0100000@cac.washington.ed>"


def test_quotes_and_literals() -> None:
    envelope = parse(b'(NIL {7}\r\na"b\\(c) (("a \\"b\\" \\\\" NIL "x" "y")) NIL NIL NIL NIL NIL "" NIL)')
    assert envelope.subject == b'a"b\\(c)'
    assert envelope.from_[0].name == b'a "b" \\'
    assert envelope.in_reply_to == b""
    assert parse_head(b'({3}\r\nd"e "a \\"b\\"" NIL') == (b'd"e', b'a "b"')


def test_the_head_is_that_of_the_whole() -> None:
    envelope = parse(RFC_EXAMPLE)
    assert parse_head(RFC_EXAMPLE) == (envelope.date, envelope.subject)
    assert parse_head(b"(NIL NIL NIL") == (None, None)
    for damaged in (b"", b"NIL NIL", b"(", b"(NIL", b"((NIL) NIL", b'("a', b"(NIL )"):
        with pytest.raises(ValueError):
            parse_head(damaged)


@pytest.mark.parametrize("cut", range(len(RFC_EXAMPLE)))
def test_every_truncation_is_refused(cut: int) -> None:
    with pytest.raises(ValueError):
        parse(RFC_EXAMPLE[:cut])


@pytest.mark.parametrize(
    "raw",
    [
        b"()",
        b")",
        b'("a")',
        b"(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL) NIL",
        b"(NIL NIL (NIL) NIL NIL NIL NIL NIL NIL NIL)",
        b"((NIL) NIL NIL NIL NIL NIL NIL NIL NIL NIL)",
        b'(NIL NIL "x" NIL NIL NIL NIL NIL NIL NIL)',
    ],
)
def test_damage_is_refused(raw: bytes) -> None:
    with pytest.raises(ValueError):
        parse(raw)
