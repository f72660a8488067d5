"""curl: IMAP, POP3 and SMTP, every mechanism it knows, TLS from the first byte and by STARTTLS, with the
authority that the appliance exports as the only one trusted."""

from pathlib import Path

import pytest

from tests.clients.conftest import admin, need, run
from tests.protocols.imap.office import message
from tests.served import PASSWORD, Served, address

WAYS = ["imap", "imap+starttls", "imaps", "pop3", "pop3+starttls", "pop3s", "smtp", "smtp+starttls", "smtps"]
PORTS = {"imap": 143, "imaps": 993, "pop3": 110, "pop3s": 995, "smtp": 587, "smtps": 465}


def base(server: Served, home: Path, way: str, mechanism: str) -> tuple[list[str], str]:
    """curl's options, and the beginning of its URLs."""
    scheme, _, start = way.partition("+")
    ca = home / "ca.pem"
    ca.write_text(admin(server, "tls", "export-ca"))
    options = [need("curl"), "-sS", "--cacert", str(ca), "--user", f"{address('anna')}:{PASSWORD}"]
    options += ["--login-options", f"AUTH={mechanism}"]
    options += ["--ssl-reqd"] if start else []
    return options, f"{scheme}://localhost:{server.offset + PORTS[scheme]}"


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "NTLM"])
@pytest.mark.parametrize("way", [way for way in WAYS if not way.startswith("smtp")])
def test_read(server: Served, tmp_path: Path, way: str, mechanism: str) -> None:
    if mechanism == "LOGIN" and way.startswith("pop3"):
        pytest.skip("MS-OXPOP3 2.2.1: PLAIN and NTLM")
    raw = message("for curl", ".dot\r\n\r\nend\r\n")
    with server.smtp() as smtp:
        smtp.sendmail("out@elsewhere.test", [address("anna")], raw)
    options, url = base(server, tmp_path, way, mechanism)
    got = run(*options, f"{url}/INBOX;MAILINDEX=1" if way.startswith("imap") else f"{url}/1", home=tmp_path)
    assert got.endswith(raw)
    listed = run(*options, f"{url}/", home=tmp_path)
    assert b"INBOX" in listed if way.startswith("imap") else listed.startswith(b"1 ")


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "NTLM"])
@pytest.mark.parametrize("way", [way for way in WAYS if way.startswith("smtp")])
def test_send(server: Served, tmp_path: Path, way: str, mechanism: str) -> None:
    options, url = base(server, tmp_path, way, mechanism)
    subject = f"sent {way} {mechanism}".replace("+", " ")
    (tmp_path / "mail").write_bytes(message(subject, ".dot\r\n..\r\nend\r\n", From=address("anna")))
    people = ["--mail-from", address("anna"), "--mail-rcpt", address("clara")]
    run(*options, *people, "-T", "mail", f"{url}/client.test", home=tmp_path)
    client = server.imap("clara")
    client.select()
    assert client.search(None, f'SUBJECT "{subject}" BODY ".dot"')[1] != [b""]
    client.logout()


@pytest.mark.parametrize("way", ["imap", "pop3", "smtp"])
def test_a_wrong_password(server: Served, tmp_path: Path, way: str) -> None:
    options, url = base(server, tmp_path, way, "PLAIN")
    options[options.index("--user") + 1] = f"{address('anna')}:wrong"
    with pytest.raises(AssertionError, match=r"[Ll]ogin denied|Authentication"):
        run(*options, url, home=tmp_path)


def test_imap_commands(server: Served, tmp_path: Path) -> None:
    options, url = base(server, tmp_path, "imap", "PLAIN")
    (tmp_path / "mail").write_bytes(message("uploaded", "word\r\n"))
    run(*options, url, "-X", "CREATE Uploads", home=tmp_path)
    run(*options, "-T", "mail", f"{url}/Uploads", home=tmp_path)
    assert b"SEARCH 1" in run(*options, f"{url}/Uploads?SUBJECT%20uploaded", home=tmp_path)
    got = run(*options, f"{url}/Uploads;UID=1;SECTION=TEXT", home=tmp_path)
    assert got == b"word\r\n"
    assert run(*options, f"{url}/Uploads;UID=1;SECTION=TEXT;PARTIAL=1.2", home=tmp_path)[:2] in (b"or", b"wo")
