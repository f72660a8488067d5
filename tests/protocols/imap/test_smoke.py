"""imaplib against the server: the ordinary life of a mailbox."""

import imaplib

from tests.protocols.imap.office import PASSWORD, Office, message


def test_a_day_with_imaplib(office: Office) -> None:
    client = imaplib.IMAP4("127.0.0.1", office.port)
    assert client.login("alice", PASSWORD)[0] == "OK"
    assert client.select()[1] == [b"0"]
    status, data = client.append("INBOX", "(\\Flagged)", None, message("afternoon meeting"))
    assert status == "OK"
    assert data[0].startswith(b"[APPENDUID ")
    assert client.noop()[0] == "OK"
    assert client.response("EXISTS")[1] == [b"0", b"1"]
    assert client.search(None, "SUBJECT", "meeting")[1] == [b"1"]
    status, fetched = client.fetch("1", "(FLAGS RFC822.SIZE ENVELOPE BODYSTRUCTURE BODY[])")
    assert fetched[0][1] == message("afternoon meeting")
    assert b"\\Flagged" in fetched[0][0]
    assert client.store("1", "+FLAGS", "(\\Deleted $Junk)")[0] == "OK"
    assert client.create("Work/2024")[0] == "OK"
    assert client.copy("1", "Work/2024")[0] == "OK"
    assert client.expunge()[1] == [b"1"]
    assert client.list()[0] == "OK"
    assert client.status("Work/2024", "(MESSAGES UNSEEN)")[1] == [b"Work/2024 (MESSAGES 1 UNSEEN 0)"]
    assert client.rename("Work/2024", "Work/old")[0] == "OK"
    assert client.delete("Work/old")[0] == "OK"
    assert client.close()[0] == "OK"
    assert client.logout()[0] == "BYE"
