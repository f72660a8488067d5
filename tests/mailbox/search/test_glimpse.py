"""A glimpse never says anything else than the search that decodes everything."""

from itertools import chain, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.formats.mime import scan
from appliance.formats.structures import Verdict
from appliance.mailbox.search import texts
from appliance.mailbox.search.folding import contains, fold
from appliance.mailbox.search.glimpse import glimpse, glimpse_many, key_of

HEADS = (b"", b"Received: from Somewhere\r\n\tby There; Mon\r\n", b"X-Trace: =?utf-8?q?caf=C3=A9_noon?=\r\n")
FIELDS = (
    b"Subject: Lunch at\r\n noon\r\n",
    b"Subject:Lunch at noon\r\n",
    b"Subject: =?utf-8?q?Lunch_at_noon?=\r\n",
    b"Subject: d\xc3\xa9jeuner\r\n",
)
_UTF8 = b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: "
_MIXED = (
    b"Content-Type: multipart/mixed; boundary=b\r\n\r\nat noon\r\n--b\r\n\r\nBen\r\n--b\r\nContent-Type: "
)
BODIES = (
    b"Content-Type: text/plain\r\n\r\nWe meet at Noon, says BEN.\r\n",
    b"\r\nplain old text at noon\r\n",
    _UTF8 + b"quoted-printable\r\n\r\nWe meet at no=\r\non, caf=C3=A9, =4Eoon or a=3Db \r\nBen\r\n",
    _UTF8 + b"base64\r\n\r\nV2UgbWVldCBhdCBub29u\r\n",
    b"Content-Type: text/html\r\n\r\n<p>no<b>on</b> at <i title=ben>noon&amp;</i></p>\r\n",
    b"Content-Type: text/plain; charset=utf-16\r\n\r\nno\0o\0n\0\r\n",
    b"Content-Type: text/plain; charset=utf-8\r\n\r\n\xe2\x84\xaaelvin at \xef\xac\x81ne\r\n",
    b"Content-Type: application/octet-stream\r\n\r\nat noon\r\n",
    _MIXED + b"message/rfc822\r\n\r\nSubject: Inner\r\n noon\r\n\r\nat last\r\n--b--\r\n",
    b"Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\nSubject: At noon\r\n\r\nben\r\n--b--\r\n",
    b"Content-Type: multipart/mixed\r\n\r\nno boundary at noon\r\n",
)
KEYS = (
    "noon", "at noon", "ben", "says ben", "kelvin", "fine", "caf", "a=b", "eoon", "4eoon", "4e",
    "meet at no=", "unheard of", "inner noon", "subject", "title", "lunch", "nope",
)  # fmt: skip


@pytest.mark.parametrize("header", [False, True])
def test_agrees_with_the_whole_search(header: bool) -> None:
    proven = 0
    for head, fields, body, text in product(HEADS, FIELDS, BODIES, KEYS):
        raw = fields + body
        found = scan(raw)
        key = key_of(fold(text))
        assert key is not None
        verdict = glimpse(key, head, raw, found, header=header)
        if verdict is None:
            continue
        proven += 1

        def read(offset: int, length: int, raw: bytes = raw) -> bytes:
            return raw[offset : offset + length]

        block = head + raw[: found.parts[0].body_start]
        shown = texts.body_text(found, read)
        whole = chain(texts.header_text(block), ("\n",), shown) if header else shown
        assert contains(text, whole) is verdict, (head, fields, body, text)
    assert proven > 400


@pytest.mark.parametrize("text", ["", "caf\u00e9", "subject: x", " noon", "a\nb"])
def test_keys_that_are_left_to_the_whole_search(text: str) -> None:
    assert key_of(fold(text)) is None


TYPES = (
    b"text/plain",
    b"TEXT/Plain; charset=UTF-8",
    b'text/plain; charset="us-ascii"; format=flowed',
    b"text/html",
    b"text/plain; charset=utf-16",
    b"text/plain; charset*=utf-8''x",
    b"text/plain (x); charset=utf-8",
    b"image/png",
    b"application/octet-stream; name=x",
    b"text/x-y;charset=iso-8859-15;",
    b"text",
    b"",
    b"/",
    b"text/plain charset=x",
    b"multipart/mixed",
    b"message/rfc822",
    b"text/plain; charset=utf-8; charset=utf-7",
    b'text/calendar; method="a\\b"',
    b"\r\n text/plain;\r\n\tcharset=utf-8",
    b"text/plain; charset=unheard-of",
    b"image/png (x)",
    b"text /plain",
)
ENCODINGS = (
    b"7bit",
    b" 8BIT ",
    b"binary",
    b"quoted-printable",
    b"Quoted-Printable",
    b"base64",
    b"x-own",
    b"",
    b"7bit (x)",
)
PIECES = st.sampled_from(
    [
        b"noon ",
        b"=\r\n",
        b"=4e",
        b"=4E",
        b"=C3=A9",
        b"\xc3\xa9",
        b" \r\n",
        b"\n",
        b"=",
        b"=\n",
        b"NO",
        b"on",
        b"\t\r\n",
        b"\r",
        b"--b\r\n",
        b"at\r\n ",
    ]
)
TEXTS = st.lists(PIECES, max_size=9).map(b"".join)


def judged(key: bytes, head: bytes, raw: bytes, *, header: bool) -> tuple[bool | None, bool | None]:
    """What C says and what Python says."""
    found = scan(raw)
    (verdict,) = glimpse_many(key, [head], [raw], [found.pack()], header=header)
    said = {Verdict.NO: False, Verdict.YES: True, Verdict.UNKNOWN: None}[Verdict(verdict)]
    return said, glimpse(key, head, raw, found, header=header)


@pytest.mark.parametrize("header", [False, True])
def test_what_c_knows_python_knows(header: bool) -> None:
    known = 0
    for head, fields, body, text in product(HEADS, FIELDS, BODIES, KEYS):
        said, expected = judged(text.encode(), head, fields + body, header=header)
        assert said is None or said is expected, (head, fields, body, text)
        known += said is not None
    assert known > 200


@given(st.data())
def test_what_c_knows_of_any_mail_python_knows(draw: st.DataObject) -> None:
    def entity() -> bytes:
        block = b""
        if draw.draw(st.booleans()):
            block += b"Content-Type: " + draw.draw(st.sampled_from(TYPES)) + b"\r\n"
        if draw.draw(st.booleans()):
            block += b"Content-Transfer-Encoding: " + draw.draw(st.sampled_from(ENCODINGS)) + b"\r\n"
        return block + b"\r\n" + draw.draw(TEXTS)

    raw = draw.draw(st.sampled_from(FIELDS))
    if draw.draw(st.booleans()):
        kind = draw.draw(st.sampled_from([b"mixed", b"digest", b"alternative"]))
        raw += b"Content-Type: multipart/" + kind + b"; boundary=b\r\n\r\n--b\r\n"
        raw += entity() + b"\r\n--b\r\n" + entity() + b"\r\n--b--\r\n"
    else:
        raw += entity()
    key = draw.draw(st.sampled_from([b"noon", b"n", b"nono", b"at noon", b"=4e", b"lunch", b"4"]))
    head = draw.draw(st.sampled_from(HEADS))
    said, expected = judged(key, head, raw, header=draw.draw(st.booleans()))
    assert said is None or said is expected


def test_simple_mail_is_known() -> None:
    plain = b"Subject: x\r\nContent-Type: text/plain; charset=utf-8\r\n"
    for encoding in (b"7bit", b"8bit", b"quoted-printable"):
        raw = plain + b"Content-Transfer-Encoding: " + encoding + b"\r\n\r\nWe meet at noon.\r\n"
        assert judged(b"noon", b"", raw, header=True)[0] is True
        assert judged(b"midnight", b"", raw, header=True)[0] is False
        assert judged(b"subject", b"", raw, header=False)[0] is False
        assert judged(b"subject", b"", raw, header=True)[0] is None


def test_damaged_tables_are_unknown() -> None:
    raw = b"Subject: x\r\n\r\nnoon\r\n"
    table = scan(raw).pack()
    for damaged in (
        *(table[:cut] for cut in range(len(table))),
        b"\x02" + table[1:],
        table[:3] + b"\xff" * 40,
    ):
        assert glimpse_many(b"noon", [b""], [raw], [damaged], header=False)[0] in (
            Verdict.UNKNOWN,
            Verdict.YES,
        )
    assert glimpse_many(b"noon", [b""], [raw[:9]], [table], header=True) == bytes([Verdict.UNKNOWN])
    assert glimpse_many(b"noon", [], [], [], header=True) == b""
    with pytest.raises(ValueError, match="unequal"):
        glimpse_many(b"noon", [], [raw], [table], header=True)
    with pytest.raises(TypeError):
        glimpse_many(b"noon", [None], [raw], [table], header=True)  # type: ignore[list-item]
