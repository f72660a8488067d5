"""mutt in batch mode: it reads over IMAP and POP3 and sends through the submission port.

It is not told how to log on: Debian's mutt chooses version 1 of NTLM."""

import shlex
from pathlib import Path

import pytest

from tests.clients.conftest import admin, need, run
from tests.protocols.imap.office import message
from tests.served import PASSWORD, Served, address


class Mutt:
    """mutt with a configuration of its own."""

    def __init__(self, server: Served, home: Path, *, tls: bool) -> None:
        self.program, self.home, self.server = need("mutt"), home, server
        (home / "ca.pem").write_text(admin(server, "tls", "export-ca"))
        user = address("anna").replace("@", "%40")
        self.scheme, imap, submit = ("imaps", 993, 465) if tls else ("imap", 143, 587)
        smtp = "smtps" if tls else "smtp"
        self.imap = f"{self.scheme}://{user}@localhost:{server.offset + imap}/"
        self.pop = f"pop{'s' if tls else ''}://{user}@localhost:{server.offset + (995 if tls else 110)}/"
        (home / ".muttrc").write_text(
            f"set from={address('anna')} realname='Anna' hostname=client.test\n"
            f"set folder={self.imap} spoolfile=+INBOX record=+Sent\\ Items\n"
            f"set smtp_url={smtp}://{user}@localhost:{server.offset + submit}/\n"
            f'set imap_pass="{PASSWORD}" pop_pass="{PASSWORD}" smtp_pass="{PASSWORD}"\n'
            f"set certificate_file={home}/ca.pem ssl_starttls=yes ssl_force_tls=yes\n"
            "set quit=yes confirmappend=no delete=yes move=no wait_key=no sleep_time=0 mail_check=0\n"
            "set tmpdir=/tmp charset=utf-8 pop_checkinterval=0 pop_delete=yes pop_last=no\n"
        )

    def send(self, to: str, subject: str, body: str) -> None:
        """Send a message and keep it in Sent Items."""
        run(self.program, "-s", subject, "--", to, home=self.home, stdin=body.encode())

    def do(self, folder: str, keys: str) -> None:
        """Open a folder and press keys."""
        line = shlex.join([self.program, "-f", folder, "-e", f"push '{keys}'"])
        terminal = {"TERM": "xterm", "LINES": "24", "COLUMNS": "80"}
        run(need("script"), "-qec", line, "/dev/null", home=self.home, environment=terminal)


@pytest.mark.parametrize("tls", [True, False], ids=["tls", "starttls"])
def test_a_day_with_mutt(server: Served, tmp_path: Path, tls: bool) -> None:
    mutt = Mutt(server, tmp_path, tls=tls)
    subject = f"Grüße aus {mutt.scheme} von hier"
    mutt.send(address("anna"), subject, "Zeile eins – ä\n.\n..\n")
    client = server.imap("anna")
    client.select("INBOX")
    client.literal = subject.encode()  # type: ignore[assignment]
    found = client.uid("SEARCH", "CHARSET", "UTF-8", "SUBJECT")[1][0].split()
    assert len(found) == 1
    _, data = client.uid("FETCH", found[0].decode(), "(BODY.PEEK[TEXT])")
    assert data[0][1].decode().startswith("Zeile eins")
    client.select('"Sent Items"', readonly=True)
    client.literal = subject.encode()  # type: ignore[assignment]
    assert client.uid("SEARCH", "CHARSET", "UTF-8", "SUBJECT")[1] != [b""]

    # flag the message, copy it to a new folder, delete it: all from mutt
    client.create(f"Kept-{mutt.scheme}")
    mutt.do(
        "=INBOX",
        f"<last-entry><flag-message><copy-message>=Kept-{mutt.scheme}<enter><delete-message><sync-mailbox><quit>y",
    )
    assert client.select("INBOX") == ("OK", [b"0"])
    assert client.select(f"Kept-{mutt.scheme}") == ("OK", [b"1"])
    assert b"Flagged" in client.fetch("1", "(FLAGS)")[1][0]
    client.logout()


@pytest.mark.parametrize("tls", [True, False], ids=["tls", "stls"])
def test_pop3(server: Served, tmp_path: Path, tls: bool) -> None:
    mutt = Mutt(server, tmp_path, tls=tls)
    with server.smtp() as smtp:
        smtp.sendmail("out@elsewhere.test", [address("anna")], message("over pop3"))
    box = tmp_path / "box"
    box.touch()
    mutt.do(mutt.pop, f"<tag-pattern>~A<enter><tag-prefix><save-message>{box}<enter><quit>y")
    assert box.read_text().count("Subject: over pop3") == 1
    client = server.pop3("anna")
    assert client.stat() == (0, 0)
    client.quit()
