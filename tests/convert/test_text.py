"""Search text and previews."""

import email
import email.policy

import pytest

from appliance.convert import text
from appliance.convert.text import preview, search_text
from appliance.formats.mime import Finding
from tests.convert.mime.kit import at_hand, crlf, samples

ALTERNATIVE = """\
From: Zoë <zoe@example.org>
To: Bob <bob@example.test>
Subject: =?utf-8?Q?Caf=C3=A9?= menu
X-Odd: value
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=m

--m
Content-Type: multipart/alternative; boundary=a

--a
Content-Type: text/plain; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

Soupe du jour: oignon gratin=E9e

> quoted words
-- =

Sig
--a
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: base64

PHA+U291cGUgZHUgam91ciA8Yj5vaWdub248L2I+PC9wPg==
--a--
--m
Content-Type: application/pdf; name="menu.pdf"
Content-Disposition: attachment; filename*=utf-8''men%C3%BC.pdf
Content-Transfer-Encoding: base64

AAAA
--m
Content-Type: message/rfc822

Subject: Inner subject
From: inner@example.org

Inner body
--m--
"""


def _collect(source: str, limit: int = 1 << 20) -> dict[str, str]:
    found: dict[str, str] = {}
    for field, value in search_text(*at_hand(crlf(source)), limit):
        found[field] = found.get(field, "") + value + "\n"
    return found


def test_every_field_and_text_is_found_decoded() -> None:
    found = _collect(ALTERNATIVE)
    assert found[text.SUBJECT] == "Café menu\n"
    assert "Zoë <zoe@example.org>" in found[text.FROM]
    assert "value" in found[text.HEADER]
    assert "gratinée" in found[text.BODY]
    assert "quoted words" in found[text.BODY]
    assert "Soupe du jour oignon" in found[text.BODY]
    assert "Inner subject" in found[text.BODY]
    assert "Inner body" in found[text.BODY]
    assert found[text.ATTACHMENT] == "menü.pdf\n"


def test_the_limit_holds() -> None:
    pieces = list(search_text(*at_hand(crlf(ALTERNATIVE)), 40))
    assert sum(len(piece) for _, piece in pieces) <= 40
    assert pieces


def test_a_preview_is_one_line_of_the_writers_own_words() -> None:
    assert preview(*at_hand(crlf(ALTERNATIVE))) == "Soupe du jour: oignon gratinée"


def test_a_preview_has_at_most_200_characters() -> None:
    body = "word " * 300
    result = preview(*at_hand(crlf(f"Subject: x\n\n{body}\n")))
    assert len(result) == text.PREVIEW_CHARACTERS
    assert result.startswith("word word")


def test_html_alone_gives_its_visible_text() -> None:
    style = "<style>" + "p { color: red } " * 2000 + "</style>"
    source = (
        f"Content-Type: text/html\n\n<html><head>{style}</head><body><p>Hi <b>all</b></p></body></html>\n"
    )
    assert preview(*at_hand(crlf(source))) == "Hi all"


def test_a_message_without_text_has_an_empty_preview() -> None:
    assert preview(*at_hand(b"")) == ""
    assert preview(*at_hand(crlf("Content-Type: image/png\n\nxxxx\n"))) == ""


def test_an_empty_plain_alternative_falls_back_to_html() -> None:
    source = (
        "Content-Type: multipart/alternative; boundary=b\n\n--b\n\n \n--b\n"
        "Content-Type: text/html\n\n<p>Real text</p>\n--b--\n"
    )
    assert preview(*at_hand(crlf(source))) == "Real text"


@pytest.mark.parametrize(("name", "data"), samples(), ids=[name for name, _ in samples()])
def test_words_of_the_text_that_another_parser_finds_are_found(name: str, data: bytes) -> None:
    scan, read = at_hand(data)
    found = "\n".join(value for field, value in search_text(scan, read, 1 << 24) if field == text.BODY)
    collapsed = "".join(found.split())
    if Finding.BAD_LINE in scan.findings:  # a broken fold, at which the judge ends the header and we do not
        return
    for part in email.message_from_bytes(data, policy=email.policy.default).walk():
        if part.get_content_type() != "text/plain" or part.get("content-transfer-encoding", "7bit") != "7bit":
            continue
        payload = part.get_payload()
        if not isinstance(payload, str) or not payload.isascii() or "\x1b" in payload:
            continue
        if "format=flowed" in str(part.get("content-type", "")):
            continue
        for word in payload.split()[:50]:
            if word == ">From":  # quoted by an mbox within a header: no field, and no end of the header
                break
            assert word in collapsed, (name, word)
    preview(scan, read)
