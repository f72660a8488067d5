"""A glimpse never says anything else than the search that decodes everything."""

from itertools import chain, product

import pytest

from appliance.formats.mime import scan
from appliance.mailbox.search import texts
from appliance.mailbox.search.folding import contains, fold
from appliance.mailbox.search.glimpse import glimpse, key_of

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
