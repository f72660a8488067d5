"""swaks against the relay and the submission ports."""

import itertools
from pathlib import Path

import pytest

from tests.clients.conftest import admin, need, run
from tests.protocols.imap.office import message
from tests.served import PASSWORD, Served, address

SECURITY = {"starttls": (587, ["--tls"]), "tls": (465, ["--tls-on-connect"]), "clear": (587, [])}


def swaks(server: Served, home: Path, port: int, *options: str) -> str:
    """Run a conversation with a port; what was said."""
    base = [
        need("swaks"),
        "--server",
        "localhost",
        "--port",
        str(server.offset + port),
        "--helo",
        "client.test",
    ]
    return run(*base, *options, home=home).decode(errors="replace")


def delivered(server: Served, who: str, subject: str) -> bytes:
    """The one message with a subject."""
    client = server.imap(who)
    client.select("INBOX", readonly=True)
    (found,) = client.uid("SEARCH", f'HEADER SUBJECT "{subject}"')[1][0].split()
    _, data = client.uid("FETCH", found.decode(), "(BODY.PEEK[])")
    client.logout()
    assert isinstance(data[0], tuple)
    return data[0][1]


@pytest.mark.parametrize(
    ("security", "mechanism"), list(itertools.product(SECURITY, ["PLAIN", "LOGIN", "NTLM"]))
)
def test_submission(server: Served, tmp_path: Path, security: str, mechanism: str) -> None:
    port, options = SECURITY[security]
    (tmp_path / "ca.pem").write_text(admin(server, "tls", "export-ca"))
    verify = ["--tls-verify", "--tls-ca-path", str(tmp_path / "ca.pem")] if options else []
    subject = f"swaks {security} {mechanism}"
    people = ["--from", address("anna"), "--to", f"{address('ben')},{address('clara')}"]
    log_on = ["--auth", mechanism, "--auth-user", address("anna"), "--auth-password", PASSWORD]
    told = swaks(
        server, tmp_path, port, *options, *verify, *people, *log_on, "--header", f"Subject: {subject}"
    )
    assert "235 2.7.0" in told
    assert b"Received: from client.test" in delivered(server, "ben", subject)
    assert b"with ESMTP" + (b"SA" if options else b"A") in delivered(server, "clara", subject)


def test_relay(server: Served, tmp_path: Path) -> None:
    people = ["--from", "out@elsewhere.test", "--to", address("ben")]
    told = swaks(server, tmp_path, 25, "--tls", "--pipeline", *people, "--header", "Subject: piped")
    assert "250 2.0.0" in told.partition("DATA")[2]
    assert b"with ESMTPS" in delivered(server, "ben", "piped")
    raw = message("eight bits", "schoen\r\n.\r\n..\r\n", Content_Transfer_Encoding="8bit").replace(
        b"oe", b"\xf6"
    )
    (tmp_path / "mail").write_bytes(raw)
    swaks(server, tmp_path, 25, *people, "--data", f"@{tmp_path}/mail")
    assert (
        delivered(server, "ben", "eight bits")
        .partition(b"\r\n\r\n")[2]
        .startswith(b"sch\xf6n\r\n.\r\n..\r\n")
    )
    with pytest.raises(AssertionError, match="550 5"):
        swaks(server, tmp_path, 25, "--from", "out@elsewhere.test", "--to", "any@elsewhere.test")
    with pytest.raises(AssertionError, match="550 5"):
        swaks(server, tmp_path, 25, "--from", "out@elsewhere.test", "--to", "nobody@example.test")
    with pytest.raises(AssertionError, match="530 5"):
        swaks(server, tmp_path, 587, "--from", address("anna"), "--to", address("ben"))
