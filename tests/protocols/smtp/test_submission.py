"""The submission ports: who logs on, as whom he sends, what is mended. Judged by smtplib and swaks."""

import base64
import shutil
import smtplib
import ssl
import subprocess
from email.message import EmailMessage
from pathlib import Path

import pytest

from appliance.directory.links import Link
from appliance.directory.model import Entry, Protocol
from appliance.formats.ntlm import crypto
from appliance.formats.ntlm.client import Account, NtlmClient
from appliance.protocols.smtp import replies
from appliance.store.queue import Origin
from tests.conftest import EPOCH
from tests.protocols.smtp.conftest import Served
from tests.transport.office import PASSWORD, Raw


def line(reply: bytes) -> bytes:
    return reply.rstrip(b"\r\n")


@pytest.fixture
def anna(served: Served) -> Entry:
    user = served.office.user("anna@example.test", aliases=("a.smith@example.test",))
    served.office.password(user)
    return user


def plain(name: str = "anna@example.test", password: str = PASSWORD) -> str:
    return base64.b64encode(f"\0{name}\0{password}".encode()).decode()


def logged_on(served: Served) -> Raw:
    raw = served.raw(served.submission)
    assert raw.ask(f"AUTH PLAIN {plain()}") == line(replies.AUTH_OK)
    return raw


def submit(raw: Raw, mail: bytes, *recipients: str, sender: str = "anna@example.test") -> bytes:
    assert raw.ask(f"MAIL FROM:<{sender}>") == line(replies.SENDER_OK)
    for recipient in recipients:
        assert raw.ask(f"RCPT TO:<{recipient}>") == line(replies.RECIPIENT_OK)
    raw.ask("DATA")
    raw.send(mail + b".\r\n")
    return raw.reply()


def test_nothing_without_log_on(served: Served, anna: Entry) -> None:
    raw = served.raw(served.submission)
    assert raw.ask("MAIL FROM:<anna@example.test>") == line(replies.AUTH_REQUIRED)
    assert raw.ask("VRFY anna") == line(replies.AUTH_REQUIRED)


def test_the_ways_to_log_on(served: Served, anna: Entry) -> None:
    def fresh() -> Raw:
        return served.raw(served.submission)

    name, password = (base64.b64encode(text.encode()).decode() for text in ("anna@example.test", PASSWORD))
    raw = fresh()
    assert raw.ask("AUTH PLAIN") == b"334 "
    assert raw.ask(plain()) == line(replies.AUTH_OK)
    assert raw.ask(f"AUTH PLAIN {plain()}") == line(replies.ALREADY_AUTH)
    raw = fresh()
    assert raw.ask("AUTH LOGIN") == b"334 VXNlcm5hbWU6"  # MS-XLOGIN 2.2.2
    assert raw.ask(name) == b"334 UGFzc3dvcmQ6"
    assert raw.ask(password) == line(replies.AUTH_OK)
    raw = fresh()
    assert raw.ask(f"AUTH LOGIN {name}") == b"334 UGFzc3dvcmQ6"
    assert raw.ask("*") == line(replies.AUTH_CANCELLED)
    assert raw.ask("AUTH LOGIN !") == line(replies.AUTH_BAD_BASE64)
    assert raw.ask("AUTH XYZZY") == line(replies.AUTH_UNKNOWN)
    assert raw.ask("AUTH") == line(replies.SYNTAX)
    assert raw.ask("AUTH PLAIN AAAA") == line(replies.AUTH_BAD_RESPONSE)


def test_a_wrong_password(served: Served, anna: Entry) -> None:
    raw = served.raw(served.submission)
    assert raw.ask(f"AUTH PLAIN {plain(password='wrong horse')}") == line(replies.AUTH_FAILED)
    assert raw.ask(f"AUTH PLAIN {plain()}") == line(replies.AUTH_OK)


def test_ntlm(served: Served, anna: Entry) -> None:
    def ntlm(password: str) -> NtlmClient:
        account = Account("anna@example.test", "", crypto.nt_hash(password))
        return NtlmClient(account, nonce=bytes(8), key=bytes(16), now=EPOCH)

    client = ntlm(PASSWORD)
    raw = served.raw(served.submission)
    assert raw.ask("AUTH NTLM").rstrip() == b"334"  # not the text of MS-SMTPNTLM 2.2.1.2: see sasl.Ntlm
    challenge = raw.ask(base64.b64encode(client.negotiate()))
    assert challenge.startswith(b"334 ")
    answer = client.authenticate(base64.b64decode(challenge[4:]))
    assert raw.ask(base64.b64encode(answer)) == line(replies.AUTH_OK)
    wrong = ntlm("wrong horse")
    raw = served.raw(served.submission)
    challenge = raw.ask(b"AUTH NTLM " + base64.b64encode(wrong.negotiate()))
    answer = wrong.authenticate(base64.b64decode(challenge[4:]))
    assert raw.ask(base64.b64encode(answer)) == line(replies.NTLM_FAILED)


def test_smtp_switched_off(served: Served) -> None:
    user = served.office.user("off@example.test", disabled_protocols=frozenset({Protocol.SMTP}))
    served.office.password(user)
    raw = served.raw(served.submission)
    assert raw.ask(f"AUTH PLAIN {plain('off@example.test')}") == line(replies.AUTH_NOT_ALLOWED)


def test_headers_are_mended(served: Served, anna: Entry) -> None:
    raw = logged_on(served)
    mail = (
        b"Subject: x\r\nBcc: secret@far.test,\r\n more@far.test\r\nbCC: third@far.test\r\nTo: b@far.test\r\n"
    )
    mail += b"\r\nBcc: y\n.\n\r\n"
    assert submit(raw, mail, "anna@example.test", "b@far.test").startswith(b"250 ")
    (stored,) = served.office.mail(anna)
    head, _, body = stored.partition(b"\r\n\r\n")
    for field in (b"\r\nDate: ", b"\r\nMessage-ID: <", b"\r\nFrom: <anna@example.test>\r\n"):
        assert head.count(field) == 1
    assert b"far.test" not in head.replace(b"To: b@far.test", b"")
    assert body == b"Bcc: y\r\n.\r\n\r\n"
    assert b"with ESMTPA id" in head
    (entry,) = served.office.queue()
    assert (entry.sender, entry.origin, entry.mailbox) == (
        "anna@example.test",
        Origin.SUBMISSION,
        anna.mailbox,
    )
    assert [r.address for r in entry.recipients] == ["b@far.test"]
    again = b"From: anna@example.test\r\nDate: Thu, 1 Jan 2026 00:00:00 +0000\r\nMessage-ID: <1@x>\r\n\r\n"
    assert submit(raw, again, "anna@example.test").startswith(b"250 ")
    assert served.office.mail(anna)[1].endswith(b"\r\n" + again)
    assert submit(raw, b"no header at all\r\n", "anna@example.test").startswith(b"250 ")
    assert served.office.mail(anna)[2].endswith(b"\r\n\r\nno header at all\r\n")


def test_senders_are_checked(served: Served, anna: Entry) -> None:
    office = served.office
    bert, chef = office.user("bert@example.test"), office.user("chef@example.test")
    team = office.group("team@example.test", bert)
    raw = logged_on(served)
    for stranger in ("bert@example.test", "x@far.test", "chef@example.test"):
        assert raw.ask(f"MAIL FROM:<{stranger}>") == line(replies.NOT_YOUR_ADDRESS)
    for own in ("anna@example.test", "a.smith@example.test", "anna+x@example.test"):
        assert raw.ask(f"MAIL FROM:<{own}>") == line(replies.SENDER_OK)
        raw.ask("RSET")
    forged = b"From: Boss <chef@example.test>\r\nSubject: x\r\n\r\nx\r\n"
    assert submit(raw, forged, "anna@example.test") == line(replies.NOT_YOUR_ADDRESS)
    two = b"From: anna@example.test\r\nFrom: chef@example.test\r\n\r\nx\r\n"
    assert submit(raw, two, "anna@example.test") == line(replies.NOT_YOUR_ADDRESS)
    office.link(Link.SEND_ON_BEHALF, chef, anna)
    assert submit(raw, forged, "anna@example.test").startswith(b"250 ")
    assert b"\r\nSender: <anna@example.test>\r\n" in office.mail(anna)[0]
    office.link(Link.MANAGED_BY, team, anna)
    mail = b"From: team@example.test\r\nSender: somebody@far.test\r\n\r\nx\r\n"
    assert submit(raw, mail, "anna@example.test", sender="team@example.test").startswith(b"250 ")


def test_a_header_section_without_end(served: Served, anna: Entry) -> None:
    raw = logged_on(served)
    mail = b"X: y\r\n" * 200_000 + b"\r\nBody\r\n"
    assert submit(raw, mail, "anna@example.test") == line(replies.HEADER_TOO_BIG)
    assert raw.ask("NOOP") == line(replies.OK)


def test_smtplib_over_tls(served: Served, anna: Entry, ssl_context: ssl.SSLContext) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Bcc"] = "anna@example.test", "b@far.test", "c@far.test"
    message["Subject"] = "Grüße"
    message.set_content("Grüße\n" * 1000)
    with smtplib.SMTP("localhost", served.submission, timeout=20) as client:
        client.starttls(context=ssl_context)
        client.login("anna@example.test", PASSWORD)
        assert client.send_message(message) == {}
    with smtplib.SMTP_SSL("localhost", served.implicit, timeout=20, context=ssl_context) as client:
        client.login("anna@example.test", PASSWORD)
        assert client.send_message(message, to_addrs=["grün@far.test"]) == {}
        with pytest.raises(smtplib.SMTPSenderRefused):
            client.sendmail("x@far.test", ["anna@example.test"], b"x")
    first, second = served.office.queue()
    assert [r.address for r in first.recipients] == ["b@far.test", "c@far.test"]
    assert b"with ESMTPSA id" in first.prefix
    assert b"with UTF8SMTPSA id" in second.prefix
    assert second.smtputf8


@pytest.mark.skipif(shutil.which("swaks") is None, reason="swaks is not installed")
def test_swaks(served: Served, anna: Entry, tmp_path: Path) -> None:
    def swaks(*arguments: str) -> subprocess.CompletedProcess[str]:
        words = [
            "swaks",
            "--server",
            "127.0.0.1",
            "--from",
            "anna@example.test",
            "--timeout",
            "20",
            *arguments,
        ]
        return subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)

    auth = ["--auth-user", "anna@example.test", "--auth-password", PASSWORD]
    for mechanism in ("PLAIN", "LOGIN"):
        done = swaks(
            "--port", str(served.submission), "--to", "anna@example.test", "--auth", mechanism, *auth
        )
        assert done.returncode == 0, done.stdout
    done = swaks("--port", str(served.relay), "--to", "anna@example.test", "--pipeline")
    assert done.returncode == 0, done.stdout
    done = swaks("--port", str(served.relay), "--to", "x@far.test")
    assert done.returncode == 24
    assert "550 5.7.1" in done.stdout
    assert len(served.office.mail(anna)) == 3


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curl(served: Served, anna: Entry, tmp_path: Path) -> None:
    (tmp_path / "mail").write_bytes(b"From: anna@example.test\r\n\r\n.\r\n..\r\nText\r\n")
    words = [
        "curl",
        "-sS",
        f"smtp://127.0.0.1:{served.submission}/client.test",
        "--mail-from",
        "anna@example.test",
    ]
    words += [
        "--mail-rcpt",
        "anna@example.test",
        "-T",
        str(tmp_path / "mail"),
        "-u",
        f"anna@example.test:{PASSWORD}",
    ]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert served.office.mail(anna)[0].endswith(b"\r\n\r\n.\r\n..\r\nText\r\n")
