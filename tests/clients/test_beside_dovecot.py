"""The same conversation with Satchel and with Debian's Dovecot: what both must answer alike, and, by the RFC,
what Satchel answers otherwise.

Compared are the untagged replies about messages, and the kind of the tagged one.
"""

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bench import _peers as peers
from tests.protocols.imap.office import Talk, message

pytestmark = pytest.mark.skipif(bool(peers.missing()), reason=peers.missing())

MULTIPART = (
    b'From: "A B" <a@b.c>, g: x@y.z, w@v.u;\r\nTo: <t@u.v>\r\nSubject: multi\r\nMessage-ID: <m1@x>\r\n'
    b"Date: Mon, 7 Feb 1994 21:52:25 -0800\r\nMIME-Version: 1.0\r\n"
    b'Content-Type: multipart/mixed; boundary="bb"\r\n\r\npre\r\n'
    b"--bb\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    b"H=C3=A4llo\r\n"
    b"--bb\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\nFrom: i@n.r\r\n"
    b"Content-Type: multipart/alternative; boundary=cc\r\n\r\n"
    b"--cc\r\n\r\nplain\r\n--cc\r\nContent-Type: text/html\r\n\r\n<b>x</b>\r\n--cc--\r\n\r\n"
    b'--bb\r\nContent-Type: application/octet-stream; name="f.bin"\r\n'
    b'Content-Disposition: attachment; filename="f.bin"; size=4\r\nContent-Transfer-Encoding: base64\r\n'
    b"Content-ID: <c@d>\r\nContent-Language: de, en\r\nContent-MD5: Q2hlY2sgSW50ZWdyaXR5IQ==\r\n\r\n"
    b"AAECAw==\r\n--bb--\r\nepi\r\n"
)
"""A group in From, an embedded message that is a multipart itself, an attachment with every field."""

ALIKE = """
FETCH 1:* (FLAGS)
FETCH 4294967295 (FLAGS)
FETCH 4294967296 (FLAGS)
FETCH 0 (FLAGS)
FETCH 5:2 (FLAGS)
FETCH *:1 (UID)
FETCH * (UID)
FETCH 1,1,1 (UID)
FETCH 2:1,1:2 (UID)
UID FETCH 4294967295:* (UID)
UID FETCH 999 (UID)
UID FETCH 2:* FLAGS
FETCH 1 (RFC822.SIZE ENVELOPE)
FETCH 1 (ALL)
FETCH 1 (FAST)
FETCH 1 ()
FETCH 1
FETCH 1 (FLAGS FLAGS)
FETCH 1 (BODY.PEEK[HEADER.FIELDS (FROM TO X-NOPE)])
FETCH 1 (BODY.PEEK[HEADER.FIELDS.NOT (FROM TO)])
FETCH 1 (BODY.PEEK[HEADER.FIELDS ()])
FETCH 1 (BODY.PEEK[MIME])
FETCH 3 (BODY.PEEK[1])
FETCH 3 (BODY.PEEK[1.MIME])
FETCH 3 (BODY.PEEK[2.MIME])
FETCH 3 (BODY.PEEK[2])
FETCH 3 (BODY.PEEK[2.HEADER])
FETCH 3 (BODY.PEEK[2.HEADER.FIELDS (SUBJECT)])
FETCH 3 (BODY.PEEK[2.TEXT])
FETCH 3 (BODY.PEEK[2.1])
FETCH 3 (BODY.PEEK[2.2.MIME])
FETCH 3 (BODY.PEEK[TEXT])
FETCH 3 (BODY.PEEK[HEADER])
FETCH 3 (BODY.PEEK[]<0.10>)
FETCH 3 (BODY.PEEK[]<99999.10>)
FETCH 3 (BODY.PEEK[2]<3.70>)
FETCH 3 (RFC822.HEADER)
FETCH 3 (ENVELOPE)
FETCH 3 (BODY)
FETCH 3 (BODYSTRUCTURE)
FETCH 3 (BINARY.PEEK[3])
FETCH 3 (BINARY.SIZE[1])
FETCH 3 (BINARY.SIZE[3])
FETCH 3 (INTERNALDATE)
FETCH 3 (X)
STORE 1 FLAGS (\\Seen)
STORE 1 +FLAGS \\Flagged
STORE 1 +FLAGS.SILENT (\\Draft)
STORE 1 +FLAGS (\\Recent)
STORE 1 FLAGS ()
STORE 1 XFLAGS ()
STORE 99 +FLAGS (a)
SEARCH ALL
SEARCH 1:2
SEARCH *
SEARCH UID 1:*
SEARCH UID 4294967295:*
SEARCH ANSWERED
SEARCH NEW
SEARCH OLD
SEARCH RECENT
SEARCH NOT NOT ALL
SEARCH OR SEEN UNSEEN
SEARCH (OR SEEN UNSEEN) (ALL)
SEARCH FROM "a b"
SEARCH TO t@u.v
SEARCH CC x
SEARCH SUBJECT ""
SEARCH HEADER X-NONE ""
SEARCH HEADER Message-ID ""
SEARCH HEADER message-id m1
SEARCH CHARSET UTF-8 BODY {6+}\\r\\nhällo
SEARCH BODY hello
SEARCH TEXT inner
SEARCH BEFORE 1-Jan-2000
SEARCH SENTON 7-Feb-1994
SEARCH SENTSINCE 7-Feb-1994 SENTBEFORE 8-Feb-1994
SEARCH ON "1-Jan-2000"
SEARCH LARGER 300
SEARCH SMALLER 300
SEARCH KEYWORD kw
SEARCH UNKEYWORD kw
SEARCH CHARSET US-ASCII ALL
SEARCH CHARSET X-NONE ALL
SEARCH RETURN (ALL) ALL
SEARCH RETURN () ALL
SEARCH RETURN (MIN MAX COUNT) SUBJECT nothing
UID SEARCH RETURN (MIN MAX COUNT) ALL
SEARCH
SEARCH ()
SEARCH OR ALL
SEARCH NOT
SEARCH YOUNGER 100
SEARCH OLDER 100
SORT (SUBJECT) US-ASCII ALL
SORT (REVERSE DATE SUBJECT) UTF-8 ALL
SORT (SIZE ARRIVAL CC FROM TO) UTF-8 ALL
SORT () UTF-8 ALL
SORT (NOPE) UTF-8 ALL
SORT (REVERSE) UTF-8 ALL
THREAD REFERENCES UTF-8 ALL
THREAD ORDEREDSUBJECT UTF-8 ALL
THREAD NOPE UTF-8 ALL
COPY 1 nope
UID COPY 99 INBOX
COPY 99 INBOX
UID MOVE 99 INBOX
UID EXPUNGE 99
CHECK
UNSELECT
FETCH 1 FLAGS
EXAMINE INBOX
SELECT {5+}\\r\\ninbox
SELECT inBox
SELECT nope
STATUS INBOX (MESSAGES UIDNEXT UNSEEN)
STATUS INBOX ()
STATUS INBOX MESSAGES
STATUS nope (MESSAGES)
CREATE ""
CREATE INBOX
DELETE INBOX
APPEND nope {3+}\\r\\nabc
APPEND INBOX {0+}\\r\\n
NOPE
uid nope
UID
"""
"""Commands after the appends and a SELECT, in this order."""

BY_THE_RFC = (
    ("SEARCH 99", "BAD", "RFC 9051 9, seq-number: greater than the number of messages"),
    ("FETCH 3 (BODY.PEEK[0])", "BAD", "RFC 9051 9, section-part: nz-number"),
    ("FETCH 3 (BODY.PEEK[]<5.0>)", "BAD", "RFC 9051 9, partial: number64 then nz-number64"),
    ("FETCH 3 (BODY.PEEK[]<5>)", "BAD", "RFC 9051 9, partial: both numbers in a command"),
    ("SEARCH ON 32-Jan-2000", "BAD", "RFC 9051 9, date: no such day"),
    ("SEARCH KEYWORD \\Seen", "BAD", "RFC 9051 9, flag-keyword: an atom"),
    ("NOOP x", "BAD", "RFC 9051 6.1.2: no arguments"),
    ("CAPABILITY x", "BAD", "RFC 9051 6.1.1: no arguments"),
    ("ENABLE", "BAD", "RFC 9051 9, enable: at least one capability"),
    ("RENAME INBOX old", "OK", "RFC 9051 6.3.6: moves the messages"),
)


class Judged(Talk):
    """A connection that a command may end."""

    def ask(self, command: str) -> list[str]:
        """What a command is answered, up to the tagged reply."""
        self.send(b"t " + command.replace("\\r\\n", "\r\n").encode() + b"\r\n")
        return [_comparable(reply) for reply in self.until(b"t")]


def _comparable(reply: bytes) -> str:
    text = reply.decode("utf-8", "replace")
    if text.startswith("t "):
        return text.split()[1]
    return re.sub(r'INTERNALDATE "22-Nov[^"]*"|UIDVALIDITY \d+', "", text)


def _told(replies: list[str]) -> list[str]:
    """What is compared: replies about messages and the tagged one.."""
    facts = ("* OK", "* FLAGS", "* LIST")
    return sorted(reply for reply in replies if not reply.startswith(facts))


@pytest.fixture(scope="module")
def pair() -> Iterator[tuple[Judged, Judged]]:
    """A connection with each, whose INBOX holds the same three messages."""
    # not below pytest's own directory, which only root may enter: Dovecot's mail has a user of its own
    with tempfile.TemporaryDirectory(prefix="satchel-peers-") as directory:
        Path(directory).chmod(0o755)
        yield from _serve(Path(directory))


def _serve(directory: Path) -> Iterator[tuple[Judged, Judged]]:
    (directory / "dovecot").mkdir()
    peers.make_office(directory / "satchel")
    with peers.dovecot(directory / "dovecot") as (port, _), peers.satchel(directory / "satchel") as server:
        talks = Judged(port), Judged(server.imap)
        for talk in talks:
            assert talk.ask(f"LOGIN {peers.USER} {peers.PASSWORD}")[-1] == "OK"
            for number in range(2):
                talk.append(
                    "INBOX", message(f"hello {number}", "Hello there\r\n"), '() "11-Jan-2026 01:02:03 +0000" '
                )
            talk.append("INBOX", MULTIPART, '(\\Answered) "17-Jul-1996 02:44:25 -0700" ')
            assert talk.ask("SELECT INBOX")[-1] == "OK"
        yield talks
        for talk in talks:
            talk.close()


def test_alike(pair: tuple[Judged, Judged]) -> None:
    theirs, ours = pair
    for command in ALIKE.strip().splitlines():
        got, wanted = _told(ours.ask(command)), _told(theirs.ask(command))
        assert got == wanted, command


def test_by_the_rfc(pair: tuple[Judged, Judged]) -> None:
    ours = pair[1]
    assert ours.ask("SELECT INBOX")[-1] == "OK"
    for command, answer, rule in BY_THE_RFC:
        assert ours.ask(command)[-1] == answer, (command, rule)
