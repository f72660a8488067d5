"""Content for servers that take seven bits, judged by CPython's email package."""

import email
import email.message
import email.policy
from email.message import EmailMessage

from hypothesis import given
from hypothesis import strategies as st

from appliance.transport.downgrade import Downgrader

SMTP8 = email.policy.SMTP.clone(cte_type="8bit")


def downgrade(raw: bytes, step: int = 4096) -> bytes:
    made = Downgrader()
    return b"".join(made.feed(raw[at : at + step]) for at in range(0, len(raw), step)) + made.end()


def leaves(raw: bytes) -> list[tuple[str, bytes]]:
    message = email.message_from_bytes(raw)
    found = []
    for part in message.walk():
        if not part.is_multipart():
            content = part.get_payload(decode=True)
            assert isinstance(content, bytes)
            found.append((part.get_content_type(), content.rstrip(b"\r\n")))
    return found


def sample() -> EmailMessage:
    message = EmailMessage(policy=SMTP8)
    message["From"], message["Subject"] = "a@b.test", "x"
    message.set_content("Grüße =20 \tx \n.\n" + "ü" * 300 + "\n", cte="8bit")
    message.add_alternative("<p>Grüße</p>\n", subtype="html", cte="8bit")
    message.add_attachment(b"\0\xff\r\n" * 5000, maintype="application", subtype="x")
    inner = EmailMessage(policy=SMTP8)
    inner["Subject"] = "inner"
    inner.set_content("Äußeres\n", cte="8bit")
    message.add_attachment(inner)
    return message


def test_parts_are_the_same_in_seven_bits() -> None:
    raw = sample().as_bytes(policy=SMTP8)
    assert not raw.isascii()
    for step in (1, 7, 100, 1 << 20):
        sent = downgrade(raw, step)
        assert sent.isascii()
        assert leaves(sent) == leaves(raw)
        assert max(map(len, sent.split(b"\r\n"))) <= 998
        for part in email.message_from_bytes(sent).walk():
            assert part.get("Content-Transfer-Encoding", "7bit") in ("7bit", "quoted-printable", "base64")


def test_what_is_clean_stays_as_it_is() -> None:
    message = EmailMessage(policy=email.policy.SMTP)
    message.set_content("plain\n", cte="7bit")
    message.add_attachment(b"\0" * 100, maintype="application", subtype="x")
    raw = message.as_bytes()
    assert downgrade(raw) == raw


@given(st.binary(max_size=400), st.integers(1, 50))
def test_any_binary_body_comes_back(body: bytes, step: int) -> None:
    raw = b"From: a@b.test\r\nContent-Type: application/x\r\nContent-Transfer-Encoding: binary\r\n\r\n"
    sent = downgrade(raw + body, step)
    assert sent.isascii()
    got = email.message_from_bytes(sent).get_payload(decode=True)
    assert got == body


@given(st.text(max_size=300), st.integers(1, 50))
def test_any_text_body_comes_back(text: str, step: int) -> None:
    body = text.replace("\r", "").replace("\n", "\r\n").encode()
    raw = b"From: a@b.test\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    sent = downgrade(raw + body + b"\r\n", step)
    assert sent.isascii()
    got = email.message_from_bytes(sent).get_payload(decode=True)
    assert isinstance(got, bytes)
    assert got.replace(b"\r\n", b"\n") == (body + b"\r\n").replace(b"\r\n", b"\n")
