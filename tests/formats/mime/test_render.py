"""Messages that are built come back by our scanner and by CPython's email package."""

from email import message_from_bytes, policy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.formats.mime import scan
from appliance.formats.mime.addresses import Group, Mailbox, parse_addresses
from appliance.formats.mime.bodies import decode_body
from appliance.formats.mime.headers import first
from appliance.formats.mime.render import (
    Entity,
    address_field,
    base64_pieces,
    fold,
    multipart,
    parameter_field,
    quoted_printable_pieces,
    render,
    text_field,
    transfer_encoding,
)
from appliance.formats.mime.words import decode_words

texts = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=120)


def test_message_with_attachment() -> None:
    text = "Grüße\nFrom here\n"
    data = bytes(range(256)) * 10
    entity = multipart(
        "mixed",
        b"=_x1",
        [
            Entity(
                [
                    parameter_field("Content-Type", "text/plain", [("charset", "utf-8")]),
                    (b"Content-Transfer-Encoding", b"quoted-printable"),
                ],
                quoted_printable_pieces([text.encode()]),
            ),
            Entity(
                [
                    parameter_field("Content-Type", "application/octet-stream"),
                    parameter_field(
                        "Content-Disposition", "attachment", [("filename", "Übersicht der Dinge.bin")]
                    ),
                    (b"Content-Transfer-Encoding", b"base64"),
                ],
                base64_pieces([data[:1000], data[1000:]]),
            ),
        ],
        [
            text_field("Subject", "Prüfung " * 20),
            address_field("To", [Mailbox("Jörg".encode(), b"", b"j", b"x.example")]),
        ],
    )
    raw = b"".join(render(entity))
    result = scan(raw)
    assert result.findings == 0
    body, attachment = result.parts[1:]
    assert (
        decode_body(raw[body.body_start : body.body_end], body.encoding)
        == text.replace("\n", "\r\n").encode()
    )
    assert decode_body(raw[attachment.body_start : attachment.body_end], attachment.encoding) == data
    assert attachment.filename == "Übersicht der Dinge.bin"
    judge = message_from_bytes(raw, policy=policy.default)
    assert judge["subject"] == "Prüfung " * 20
    assert judge["to"].addresses[0].display_name == "Jörg"
    assert [part.get_filename() for part in judge.iter_attachments()] == ["Übersicht der Dinge.bin"]
    assert all(len(line) <= 78 for line in raw.split(b"\r\n"))


@given(texts)
def test_any_subject(text: str) -> None:
    raw = fold(*text_field("Subject", text)) + b"\r\n"
    fields = scan(raw).fields()
    body = first(fields, b"subject")
    assert body is not None
    assert decode_words(body) == text


@given(st.lists(st.tuples(texts, st.text('abc. "\\@(),;<>', min_size=1, max_size=9)), max_size=5))
def test_any_addresses(people: list[tuple[str, str]]) -> None:
    boxes = [Mailbox(b"", b"", local.encode(), b"x.example") for _, local in people]
    name, body = address_field("To", boxes)
    assert parse_addresses(fold(name, body).partition(b":")[2]) == boxes


def test_names_and_groups() -> None:
    people = [Mailbox(b"Doe, John", b"", b"j", b"x"), Group(b"the team", (Mailbox(b"A B", b"", b"a", b"y"),))]
    assert address_field("Cc", people) == (b"Cc", b'"Doe, John" <j@x>, the team: A B <a@y>;')


@pytest.mark.parametrize("bad", [b"a\r\nBcc: x", b"a\nb", b"a\0"])
def test_no_injection(bad: bytes) -> None:
    with pytest.raises(ValueError):
        fold(b"Subject", bad)
    with pytest.raises(ValueError):
        fold(bad, b"x")


@pytest.mark.parametrize("bad", [b"", b"a ", b"x" * 71, b'a"b', b"\xe4"])
def test_bad_boundaries(bad: bytes) -> None:
    with pytest.raises(ValueError):
        multipart("mixed", bad, [])


def test_choice_of_encoding() -> None:
    assert transfer_encoding(b"a\r\nb\r\n") == "7bit"
    assert transfer_encoding(b"a\nb") == "quoted-printable"
    assert transfer_encoding(b"x" * 999) == "quoted-printable"
    assert transfer_encoding("é".encode() * 50) == "base64"
    assert transfer_encoding(b"plain text with one \xe4 in it, and that is all") == "quoted-printable"
