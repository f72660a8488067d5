"""Mail programs that others wrote, against the server. Each is skipped where it is not installed."""

import shutil
import subprocess
from pathlib import Path

import pytest
from imapclient import IMAPClient

from tests.protocols.imap.office import PASSWORD, Office, add_message, message


def need(program: str) -> str:
    """The path of a program, or a skip that names it."""
    found = shutil.which(program)
    if not found:
        pytest.skip(f"{program} is not installed")
    return found


def test_imapclient(office: Office) -> None:
    client = IMAPClient("127.0.0.1", port=office.port, ssl=False)
    client.login("alice", PASSWORD)
    assert client.has_capability("CONDSTORE")
    assert client.select_folder("INBOX")[b"EXISTS"] == 0
    client.append("INBOX", message("one"), flags=[b"\\Seen"])
    client.append("INBOX", message("zwei", Subject="=?utf-8?q?f=C3=BCnf?="))
    assert client.search(["SUBJECT", "fünf"], charset="UTF-8") == [2]
    fetched = client.fetch([1, 2], ["ENVELOPE", "BODYSTRUCTURE", "FLAGS", "BODY[]", "INTERNALDATE"])
    assert fetched[1][b"BODY[]"] == message("one")
    assert fetched[1][b"ENVELOPE"].subject == b"one"
    assert fetched[2][b"BODYSTRUCTURE"][0:2] == (b"text", b"plain")
    client.create_folder("Ärger & Co")
    assert ((b"\\HasNoChildren",), b"/", "Ärger & Co") in client.list_folders()
    client.move([2], "Ärger & Co")
    assert client.folder_status("Ärger & Co", ["MESSAGES"]) == {b"MESSAGES": 1}
    assert client.thread("REFERENCES") == ((1,),)
    assert client.sort(["SUBJECT"]) == [1]
    client.idle()
    client.idle_done()
    assert client.namespace().personal == (("", "/"),)
    assert client.get_quota_root("INBOX")[0].quota_roots == [""]
    client.logout()


def test_curl(office: Office, tmp_path: Path) -> None:
    curl = need("curl")
    raw = message("from curl")
    file = tmp_path / "mail.eml"
    file.write_bytes(raw)
    base = [curl, "-sS", "--user", f"alice:{PASSWORD}"]
    url = f"imap://127.0.0.1:{office.port}"
    subprocess.run([*base, "-T", str(file), f"{url}/INBOX"], check=True, timeout=30)
    got = subprocess.run([*base, f"{url}/INBOX;UID=1"], check=True, timeout=30, capture_output=True)
    assert got.stdout == raw
    found = subprocess.run(
        [*base, "--login-options", "AUTH=NTLM", f"{url}/INBOX?SUBJECT%20curl"],
        check=True,
        timeout=30,
        capture_output=True,
    )
    assert b"SEARCH 1" in found.stdout


@pytest.mark.slow
def test_mbsync_both_ways(office: Office, tmp_path: Path) -> None:
    mbsync = need("mbsync")
    for number in range(20):
        add_message(office.store, office.mailbox("alice"), message(f"message {number}"))
    mail = tmp_path / "mail"
    mail.mkdir()
    config = tmp_path / "mbsyncrc"
    config.write_text(
        f"""IMAPAccount satchel
Host 127.0.0.1
Port {office.port}
User alice
Pass "{PASSWORD}"
SSLType None
AuthMechs PLAIN

IMAPStore remote
Account satchel

MaildirStore local
Path {mail}/
Inbox {mail}/INBOX
SubFolders Verbatim

Channel all
Far :remote:
Near :local:
Patterns INBOX Work
Create Both
Expunge Both
SyncState *
"""
    )

    def sync() -> None:
        done = subprocess.run(
            [mbsync, "-c", str(config), "-a"], timeout=60, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr

    sync()
    here = [*(mail / "INBOX" / "cur").iterdir(), *(mail / "INBOX" / "new").iterdir()]
    assert len(here) == 20
    here[0].unlink()
    (mail / "INBOX" / "new" / "1234.5678.local").write_bytes(message("made here").replace(b"\r\n", b"\n"))
    sync()
    client = IMAPClient("127.0.0.1", port=office.port, ssl=False)
    client.login("alice", PASSWORD)
    client.select_folder("INBOX")
    assert len(client.search()) == 20
    assert len(client.search(["SUBJECT", "made here"])) == 1
    client.add_flags(client.search()[:5], [b"\\Seen", b"\\Flagged"])
    client.delete_messages(client.search()[-2:])
    client.expunge()
    client.logout()
    sync()
    here = [*(mail / "INBOX" / "cur").iterdir(), *(mail / "INBOX" / "new").iterdir()]
    assert len(here) == 18
    assert sum("F" in path.name.rpartition(",")[2] for path in here) == 5


def test_fetchmail(office: Office, tmp_path: Path) -> None:
    fetchmail = need("fetchmail")
    for number in range(3):
        add_message(office.store, office.mailbox("alice"), message(f"message {number}"))
    sink = tmp_path / "sink"
    config = tmp_path / "fetchmailrc"
    config.write_text(
        f"poll 127.0.0.1 service {office.port} protocol IMAP auth password\n"
        f'  user "alice" password "{PASSWORD}" mda "cat >> {sink}" sslproto "" fetchall\n'
    )
    config.chmod(0o600)
    done = subprocess.run(
        [fetchmail, "-f", str(config), "--nosyslog", "--pidfile", str(tmp_path / "pid"), "-N"],
        timeout=60,
        capture_output=True,
        text=True,
        check=False,
        env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert sink.read_bytes().count(b"Subject: message") == 3
