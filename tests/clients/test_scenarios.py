"""Long scenarios with Python's own clients and IMAPClient: groups, shared and public folders, quotas, two
sessions that watch each other, odd names, long lines, 50 MB; and what the log tells of it."""

import imaplib
import smtplib

import pytest
from imapclient import IMAPClient

from tests.clients.conftest import admin
from tests.served import CLIENT_TIME, PASSWORD, Served, address

ODD_NAMES = (
    "50% off",
    "a*b",
    '"quoted"',
    "back\\slash",
    "#news",
    "~home",
    "x&y",
    "日本語 – Ångström",
    "trailing ",
    " lead",
    "a" * 200,
    "..",
    "{5}",
    "(paren)",
)
MEGABYTES = 50


def client(server: Served, who: str) -> IMAPClient:
    """Logged in."""
    made = IMAPClient("127.0.0.1", port=server.offset + 143, ssl=False, timeout=CLIENT_TIME)
    made.login(address(who), PASSWORD)
    return made


def send(server: Served, to: str, subject: str, body: str = "Hello.") -> None:
    """From the world."""
    with server.smtp() as smtp:
        smtp.sendmail("out@elsewhere.test", [to], f"Subject: {subject}\r\n\r\n{body}\r\n".encode())


def subjects(imap: IMAPClient, folder: str) -> list[bytes]:
    """Of every message."""
    imap.select_folder(folder, readonly=True)
    return [each[b"ENVELOPE"].subject for each in imap.fetch(imap.search() or [0], ["ENVELOPE"]).values()]


def test_addresses_lead_where_they_should(server: Served) -> None:
    admin(server, "alias", "add", address("anna"), "info@example.test")
    admin(server, "group", "add", "team@example.test")
    for who in ("anna", "ben"):
        admin(server, "group", "member-add", "team@example.test", address(who))
    admin(server, "room", "add", "room@example.test")
    for to in ("INFO@example.test", "team@example.test", "anna+shop@example.test", "room@example.test"):
        send(server, to, to)
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        send(server, "nobody@example.test", "no")
    anna, ben = client(server, "anna"), client(server, "ben")
    assert subjects(anna, "INBOX") == [b"INFO@example.test", b"team@example.test", b"anna+shop@example.test"]
    assert subjects(ben, "INBOX") == [b"team@example.test"]
    anna.logout()
    ben.logout()


def test_public_and_shared_folders(server: Served) -> None:
    admin(server, "public-folder", "create", "Sales/Leads")
    assert admin(server, "public-folder", "mail-enable", "Sales/Leads") == "leads@example.test\n"
    admin(server, "folder", "permission", "public", "Sales/Leads", "default", "editor")
    send(server, "leads@example.test", "a lead")
    anna, ben, clara = (client(server, who) for who in ("anna", "ben", "clara"))
    assert subjects(ben, "Public Folders/Sales/Leads") == [b"a lead"]
    ben.select_folder("Public Folders/Sales/Leads")
    ben.add_flags([1], [b"\\Flagged"])
    clara.select_folder("Public Folders/Sales/Leads")
    assert b"\\Flagged" in clara.get_flags([1])[1]

    anna.create_folder("Shared/Deep")
    anna.append("Shared/Deep", b"Subject: for ben\r\n\r\n")
    anna.setacl("Shared/Deep", address("ben"), "lrs")
    name = f"Other Users/{address('anna')}/Shared/Deep"
    assert name in [each for _, _, each in ben.list_folders()]
    assert subjects(ben, name) == [b"for ben"]
    with pytest.raises(imaplib.IMAP4.error, match=r"NOPERM|permission|may not"):
        ben.append(name, b"Subject: no\r\n\r\n")
    assert name not in [each for _, _, each in clara.list_folders()]
    with pytest.raises(imaplib.IMAP4.error):
        clara.select_folder(name)
    for each in (anna, ben, clara):
        each.logout()


def test_quota(server: Served) -> None:
    admin(server, "quota", "set", address("ben"), "100K")
    ben = client(server, "ben")
    with pytest.raises(imaplib.IMAP4.error, match="OVERQUOTA"):
        ben.append("INBOX", b"Subject: big\r\n\r\n" + b"a" * 150_000)
    with pytest.raises(smtplib.SMTPRecipientsRefused, match=r"4\.2\.2"):
        send(server, address("ben"), "big", "a\r\n" * 50_000)
    admin(server, "quota", "set", address("ben"), "unlimited")
    send(server, address("ben"), "big", "a\r\n" * 50_000)
    ben.logout()


def test_two_sessions(server: Served) -> None:
    one, two = client(server, "clara"), client(server, "clara")
    one.select_folder("Drafts")
    two.select_folder("Drafts")
    one.idle()
    two.append("Drafts", b"Subject: x\r\n\r\ny")
    assert (1, b"EXISTS") in one.idle_check(CLIENT_TIME)
    two.add_flags([1], [b"\\Seen", b"word"])
    told = one.idle_check(CLIENT_TIME)
    assert (1, b"FETCH", (b"FLAGS", (b"\\Seen", b"word", b"\\Recent"))) in told
    two.move([1], "Archive")
    assert (1, b"EXPUNGE") in one.idle_check(CLIENT_TIME)
    one.idle_done()
    assert one.search() == []
    one.logout()
    two.logout()


def test_odd_names(server: Served) -> None:
    imap = client(server, "clara")
    for name in ODD_NAMES:
        imap.create_folder(name)
        imap.subscribe_folder(name)
        assert [each for _, _, each in imap.list_folders()].count(name) == 1
        assert name in [each for _, _, each in imap.list_sub_folders()]
        imap.append(name, b"Subject: odd\r\n\r\n")
        assert subjects(imap, name) == [b"odd"]
        imap.unselect_folder()
        imap.rename_folder(name, "renamed")
        imap.unsubscribe_folder(name)
        imap.delete_folder("renamed")
    for name in ("x//z", "/lead", "a\tb", "x" * 2000):
        with pytest.raises(imaplib.IMAP4.error, match="CANNOT"):
            imap.create_folder(name)
    imap.logout()


def test_long_lines(server: Served) -> None:
    with server.smtp() as smtp:
        raw = b"Subject: long\r\nX-Long: " + b"a" * 20_000 + b"\r\n\r\n" + b"b" * 100_000 + b"\r\n"
        smtp.sendmail("out@elsewhere.test", [address("clara")], raw)
    imap = client(server, "clara")
    imap.select_folder("INBOX")
    (uid,) = imap.search(["SUBJECT", "long"])
    fetched = imap.fetch([uid], ["BODY[TEXT]", "BODY[]"])[uid]
    assert fetched[b"BODY[TEXT]"] == b"b" * 100_000 + b"\r\n"
    assert fetched[b"BODY[]"].endswith(raw)
    imap.logout()


def test_fifty_megabytes(server: Served) -> None:
    body = (b"0123456789abcdef" * 4 + b"\r\n") * (MEGABYTES * 1_000_000 // 66)
    raw = f"From: {address('anna')}\r\nTo: {address('ben')}\r\nSubject: 50 MB\r\n\r\n".encode() + body
    with smtplib.SMTP("127.0.0.1", server.offset + 587, timeout=CLIENT_TIME) as smtp:
        smtp.login(address("anna"), PASSWORD)
        smtp.sendmail(address("anna"), [address("ben")], raw)
    ben = server.imap("ben")
    ben.select()
    number = ben.search(None, "SUBJECT", '"50 MB"')[1][0].decode()
    _, data = ben.fetch(number, "(BODY.PEEK[])")
    assert isinstance(data[0], tuple)
    whole = data[0][1]
    assert whole.endswith(body)
    pop3 = server.pop3("ben")
    lines = pop3.retr(int(number))[1]
    assert b"\r\n".join(lines) + b"\r\n" == whole
    pop3.quit()
    assert ben.append("Archive", "", "", whole)[0] == "OK"
    ben.logout()
    assert server.rss_anon() < 160 << 20


def test_the_log_keeps_secrets_and_is_short(server: Served) -> None:
    with imaplib.IMAP4("127.0.0.1", server.offset + 143, CLIENT_TIME) as imap:
        for _ in range(3):
            with pytest.raises(imaplib.IMAP4.error):
                imap.login(address("anna"), "hunter2-secret")
        for _ in range(3):
            with pytest.raises(imaplib.IMAP4.error):
                imap._simple_command("LOGIN", "hunter2-secret")
    send(server, address("anna"), "hunter2-subject", "hunter2-body")
    log = server.logged()
    assert "hunter2" not in log
    assert PASSWORD not in log
    assert log.count("log-on failed") == log.count("imap not understood") == 1
