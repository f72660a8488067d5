"""A client that means ill, over SMTP, IMAP and POP3: lines without end, numbers without sense, commands out
of turn, and other people's mail. RFC 5321, RFC 9051, RFC 1939.

Every line is answered in the protocol's own words (5xx, BAD or NO, -ERR), or the connection ends with such a
word; the server stays as it was (`unharmed`).
"""

import base64
import contextlib
import random
import re
import socket

import pytest

from tests.conformance.office import Office, Person

pytestmark = pytest.mark.usefixtures("unharmed")

SMTP, SUBMISSION, POP3, IMAP = 25, 587, 110, 143
TIMEOUT = 60.0
"""Seconds."""


class Line:
    """A connection of lines; what the server says is read to the end of its reply."""

    def __init__(self, office: Office, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", office.served.offset + port), TIMEOUT)
        self._read = b""
        self.port = port

    def __enter__(self) -> "Line":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def line(self) -> bytes | None:
        """The next line, without its end; None when the connection is closed."""
        while b"\r\n" not in self._read:
            try:
                piece = self.socket.recv(65536)
            except ConnectionResetError:
                return None
            if not piece:
                return None
            self._read += piece
        line, _, self._read = self._read.partition(b"\r\n")
        return line

    def rest(self) -> list[bytes]:
        """Say that nothing more comes; every line until the server closes."""
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_WR)
        return list(iter(self.line, None))

    def send(self, data: bytes) -> None:
        """Send bytes; a peer that closed already is no error."""
        with contextlib.suppress(ConnectionResetError, BrokenPipeError):
            self.socket.sendall(data)

    def smtp(self, command: bytes | None = None) -> int:
        """Send a command; the code of the next reply, 0 when the connection is closed."""
        if command is not None:
            self.send(command + b"\r\n")
        line = self.line()
        while line is not None and line[3:4] == b"-":
            assert re.match(rb"\d{3}-", line)
            line = self.line()
        assert line is None or re.fullmatch(rb"[2-5]\d\d( .*)?", line), line
        return int(line[:3]) if line else 0

    def imap(self, command: bytes | None, tag: bytes = b"t") -> bytes:
        """Send a command; all that is said until its completion, or until the server waits or leaves."""
        if command is not None:
            self.send(tag + b" " + command + b"\r\n")
        said = b""
        while (line := self.line()) is not None:
            said += line + b"\r\n"
            if line.startswith((tag + b" ", b"* BYE", b"* BAD", b"+ ")):
                break
        return said

    def pop3(self, command: bytes | None = None) -> bytes:
        """Send a command; the first line of its answer."""
        if command is not None:
            self.send(command + b"\r\n")
        line = self.line() or b""
        assert line[:3] in (b"", b"+OK", b"-ER", b"+ "), line
        return line


def login(office: Office, person: Person) -> Line:
    """An IMAP client that is logged on."""
    made = Line(office, IMAP)
    assert (made.line() or b"").startswith(b"* OK")
    assert b"t OK" in made.imap(f'LOGIN {person.address} "{person.password}"'.encode())
    return made


# SMTP

SMTP_LINES = (
    b"",
    b" ",
    b"HELO",
    b"EHLO \xff\xfe",
    b"EHLO " + b"a" * 2000,
    b"EHLO a\0b",
    b"MAIL",
    b"MAIL FROM:",
    b"MAIL FROM:<",
    b"MAIL FROM:<a@b",
    b"MAIL FROM:<@@@>",
    b"MAIL FROM:<" + b"a" * 3000 + b"@example.test>",
    b"MAIL FROM:<a@b.test> SIZE=99999999999999999999999999",
    b"MAIL FROM:<a@b.test> SIZE=-1",
    b"MAIL FROM:<a@b.test> BODY=9BIT",
    b"MAIL FROM:<a@b.test> X=" + b"y" * 900,
    b"MAIL FROM:<a@b.test>" + b" X=1" * 200,
    b"MAIL FROM:<a@b.test> SIZE=1 SIZE=2",
    b"MAIL FROM:<a\rb@b.test>",
    b"MAIL FROM:<a@b.test\nRCPT TO:<anna@example.test>",
    b"RCPT TO:<anna@example.test>",
    b"DATA",
    b"BDAT 4 LAST\r\nxx",
    b"BDAT -1",
    b"BDAT 99999999999999999999",
    b"VRFY root",
    b"EXPN staff",
    b"TURN",
    b"ETRN example.test",
    b"AUTH",
    b"AUTH PLAIN !!!",
    b"AUTH NTLM " + b"A" * 12_000,
    b"AUTH XYZZY",
    b"GET / HTTP/1.1",
    b"\x16\x03\x01\x02\x00",
    b"XCLIENT ADDR=127.0.0.1 LOGIN=anna",
    b"XFORWARD NAME=x",
    b"HELP " + b"x" * 100,
    b"NOOP " + b"\xc3\x28",
)


@pytest.mark.parametrize("port", [SMTP, SUBMISSION])
def test_lines_of_smtp(office: Office, port: int) -> None:
    for line in SMTP_LINES:
        with Line(office, port) as client:
            assert client.smtp() == 220
            code = client.smtp(line)
            assert code == 0 or code >= 250, line
            if code in (0, 334, 421, 521):
                continue
            if line.startswith(b"BDAT"):  # a BDAT that cannot be read leaves nothing to go by: RFC 3030 3
                continue
            assert client.smtp(b"NOOP") in (250, 421, 500, 501), line


def test_a_line_without_end(office: Office) -> None:
    """RFC 5321 4.5.3.1: it is not held."""
    for port in (SMTP, POP3, IMAP):
        with Line(office, port) as client:
            client.line()
            for _ in range(128):  # 8 MB
                client.send(b"x" * 65536)
            client.rest()


def mail(client: Line, person: Person) -> None:
    """An envelope for that person, up to DATA."""
    assert client.smtp() == 220
    assert client.smtp(b"EHLO client.test") == 250
    assert client.smtp(b"MAIL FROM:<a@b.test>") == 250
    assert client.smtp(b"RCPT TO:<" + person.address.encode() + b">") == 250


@pytest.mark.parametrize("end", [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r", b"\r\n\0.\r\n"])
def test_a_second_mail_is_not_smuggled(office: Office, anna: Person, end: bytes) -> None:
    """RFC 5321 4.1.1.4: CRLF . CRLF alone ends a message; bare CR and LF are no line ends (2.3.8)."""
    smuggled = b"MAIL FROM:<admin@example.test>\r\nRCPT TO:<" + anna.address.encode() + b">\r\nDATA\r\n"
    with Line(office, SMTP) as client:
        mail(client, anna)
        assert client.smtp(b"DATA") == 354
        client.send(b"Subject: one\r\n\r\nbody" + end + smuggled + b"Subject: two\r\n\r\nx\r\n.\r\n")
        assert client.smtp() in (250, 554, 550, 500, 501, 521), "one reply to one message"
        assert client.smtp(b"QUIT") in (221, 421, 0)
    with login(office, anna) as reader:
        status = reader.imap(b"STATUS INBOX (MESSAGES)")
        assert b"MESSAGES 2" not in status


def test_commands_before_tls_do_not_count_after_it(office: Office) -> None:
    """RFC 3207 4.2, RFC 9051 6.2.1: what was sent behind STARTTLS in one piece is thrown away."""
    for port, command in ((SMTP, b"STARTTLS\r\n"), (IMAP, b"t STARTTLS\r\n"), (POP3, b"STLS\r\n")):
        with Line(office, port) as client:
            assert (client.line() or b"").startswith((b"220", b"* OK", b"+OK"))
            if port == SMTP:
                assert client.smtp(b"EHLO client.test") == 250
            client.send(command + b"NOOP\r\nt NOOP\r\nQUIT\r\n")
            said = client.rest()
            assert (
                len([line for line in said if line.startswith((b"220", b"t OK", b"+OK", b"250", b"221"))])
                == 1
            )


def test_many_recipients(office: Office, anna: Person) -> None:
    """RFC 5321 4.5.3.1.8: 452 when there are too many; those before are kept."""
    with Line(office, SMTP) as client:
        mail(client, anna)
        codes = set()
        for start in range(0, 1500, 100):
            client.send(b"".join(b"RCPT TO:<%s>\r\n" % anna.address.encode() for _ in range(100)))
            codes |= {client.smtp() for _ in range(100)}
            if 0 in codes or start < 0:
                break
        assert codes <= {250, 421, 452, 0}
        assert codes - {250}, "there is a limit"


def test_nobody_relays(office: Office) -> None:
    for sender, target in (
        ("a@b.test", "c@d.test"),
        ("", "c@d.test"),
        ("anna@example.test", "c@d.test"),
        ("a@b.test", "c%d.test@example.test"),
        ("a@b.test", "@example.test:c@d.test"),
        ("a@b.test", '"c@d.test"@example.test'),
        ("a@b.test", "c@[127.0.0.1]"),
        ("a@b.test", "d.test!c@example.test"),
        ("a@b.test", "c@d.test@example.test"),
        ("a@b.test", "|/bin/sh@example.test"),
    ):
        with Line(office, SMTP) as client:
            assert client.smtp() == 220
            assert client.smtp(b"EHLO client.test") == 250
            client.smtp(f"MAIL FROM:<{sender}>".encode())
            assert client.smtp(f"RCPT TO:<{target}>".encode()) >= 400, target


RECURRENCE = b"\r\n".join(
    (
        *(b"BEGIN:VCALENDAR", b"VERSION:2.0", b"METHOD:REQUEST", b"BEGIN:VEVENT", b"UID:x", b"SUMMARY:x"),
        *(b"DTSTAMP:20240101T000000Z", b"DTSTART:20240101T000000Z", b"DTEND:20240101T010000Z"),
        b"RRULE:FREQ=SECONDLY;COUNT=2147483647;BYSECOND=0,1,2,3,4;BYSETPOS=-366",
        *(b"ORGANIZER:mailto:a@b.test", b"END:VEVENT", b"END:VCALENDAR"),
    )
)
HEADS = {
    "no end": b"X: " + b"y" * 900_000,
    "many": b"X: y\r\n" * 60_000,
    "many received": b"Received: from a by b; Mon, 1 Jan 2024 00:00:00 +0000\r\n" * 200,
    "nested": b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    + b"--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" * 3000,
    "boundary": b"Content-Type: multipart/mixed; boundary=" + b"b" * 70_000 + b"\r\n\r\nx",
    "messages": b"Content-Type: message/rfc822\r\n\r\n" * 3000,
    "parameters": b"Content-Type: text/plain" + b";\r\n a*0=b" * 20_000 + b"\r\n\r\nx",
    "encoded words": b"Subject: " + b"=?utf-8?q?=41?= " * 20_000 + b"\r\n\r\nx",
    "addresses": b"To: " + b"a@b.test, " * 40_000 + b"\r\n\r\nx",
    "groups": b"To: " + b"g:" * 20_000 + b"\r\n\r\nx",
    "comments": b"To: " + b"(" * 50_000 + b" a@b.test\r\n\r\nx",
    "quotes": b"From: " + b'"\\' * 20_000 + b"\r\n\r\nx",
    "uuencode": b"Content-Transfer-Encoding: x-uuencode\r\n\r\nbegin 644 x\r\n"
    + b"M" * 60_000
    + b"\r\nend\r\n",
    "base64": b"Content-Transfer-Encoding: base64\r\n\r\n" + b"=" * 200_000,
    "quoted": b"Content-Transfer-Encoding: quoted-printable\r\n\r\n" + b"=\r\n" * 60_000,
    "html": b"Content-Type: text/html\r\n\r\n" + b"<div>" * 60_000,
    "entities": b"Content-Type: text/html\r\n\r\n" + b"&#x10FFFF;&#xD800;&#99999999999;" * 5_000,
    "calendar": b"Content-Type: text/calendar; method=REQUEST\r\n\r\n"
    + b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n" * 5_000,
    "recurrence": b"Content-Type: text/calendar; method=REQUEST\r\n\r\n" + RECURRENCE,
    "tnef": b"Content-Type: application/ms-tnef\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    + base64.b64encode(b"\x78\x9f\x3e\x22\x01\x00" + b"\x02\x05\x90\x06\x00\xff\xff\xff\x7f" * 3000),
    "date": b"Date: Mon, 99 Zzz 999999999 99:99:99 +9999\r\nMessage-ID: <" + b"x" * 60_000 + b">\r\n\r\nx",
    "references": b"References: " + b"<a@b> " * 30_000 + b"\r\n\r\nx",
    "eight bits": b"Subject: " + bytes(range(128, 256)) * 100 + b"\r\nFrom: \xff@\xfe\r\n\r\n\xff\xfe",
    "nul": b"Subject: a\0b\r\n\r\n\0\0\0",
    "signed": b"DKIM-Signature: " + b"v=1; a=rsa-sha256; d=" + b"x." * 20_000 + b"\r\n\r\nx",
}


@pytest.mark.parametrize("case", HEADS)
def test_bombs_of_mail(office: Office, anna: Person, case: str) -> None:
    """Delivered or refused; what was delivered can be read in every way, in bounded time."""
    with Line(office, SMTP) as client:
        mail(client, anna)
        assert client.smtp(b"DATA") == 354
        client.send(HEADS[case] + b"\r\n.\r\n")
        code = client.smtp()
        assert code in (250, 452, 500, 521, 541, 550, 552, 554, 555)
    if code != 250:
        return
    used = office.served.cpu()
    with login(office, anna) as reader:
        said = reader.imap(b"SELECT INBOX")
        for _ in range(200):
            if b"* 1 EXISTS" in said:
                break
            said = reader.imap(b"NOOP")
        for item in (
            b"ALL",
            b"BODYSTRUCTURE",
            b"(ENVELOPE PREVIEW)",
            b"BODY.PEEK[HEADER.FIELDS (TO)]",
            b"BODY.PEEK[1]",
        ):
            answer = reader.imap(b"FETCH 1 " + item)
            assert b"t OK" in answer or b"t NO" in answer, (case, item, answer[-200:])
        assert b"t OK" in reader.imap(b"SEARCH TEXT merger")
        assert b"t OK" in reader.imap(b"SORT (SUBJECT FROM TO DATE) UTF-8 ALL")
        assert b"t OK" in reader.imap(b"THREAD REFERENCES UTF-8 ALL")
    assert office.served.cpu() - used < 20


# IMAP

DEEP = b"(" * 5000
IMAP_LINES = (
    b"",
    b"x",
    b"\xff\xfe",
    b"t" * 5000,
    b"t LOGIN",
    b"t LOGIN {99999999999999999999}",
    b"t LOGIN {4294967296}",
    b"t LOGIN {-1}",
    b"t LOGIN {5",
    b't LOGIN "a',
    b"* LOGIN a b",
    b"+ LOGIN a b",
    b"t AUTHENTICATE PLAIN " + b"A" * 9000,
    b"t AUTHENTICATE XYZZY",
    b"t AUTHENTICATE PLAIN ====",
    b"t SELECT INBOX",
    b"t FETCH 1 BODY[]",
    b"t APPEND INBOX {10+}",
    b"t STARTTLS x",
    b"t ID " + DEEP,
    b"t NOOP\0",
)
IMAP_KNOWN = (
    b"SELECT " + b"x" * 5000,
    b"SELECT ../../../etc/passwd",
    b'SELECT "..\\\\.."',
    b"SELECT /etc/passwd",
    b"SELECT &AAAA",
    b"SELECT {10000000000}",
    b"CREATE " + b"a/" * 5000,
    b'CREATE ""',
    b"CREATE INBOX",
    b"DELETE INBOX",
    b"RENAME INBOX INBOX",
    b'LIST "" ' + b"*%" * 500,
    b'LIST "" "' + b"%" * 900 + b'x"',
    b"LIST (" + b"SUBSCRIBED " * 3000 + b') "" *',
    b'LIST "" ' + DEEP,
    b"STATUS INBOX (" + b"MESSAGES " * 3000 + b")",
    b"SEARCH " + b"NOT " * 5000 + b"ALL",
    b"SEARCH " + b"OR " * 5000 + b"ALL",
    b"SEARCH " + DEEP + b"ALL" + b")" * 5000,
    b"SEARCH CHARSET " + b"x" * 5000 + b" ALL",
    b"SEARCH UID 1:4294967295",
    b"SEARCH UID 4294967296",
    b"SEARCH " + b"1," * 20_000 + b"1",
    b"SEARCH SINCE 99-Xyz-99999",
    b"SEARCH LARGER 99999999999999999999",
    b'SEARCH TEXT "' + b"a" * 8000 + b'"',
    b'SEARCH BODY "' + b"a?*.[(+" * 200 + b'"',
    b"FETCH 1:* (" + b"BODY[" * 3000,
    b"FETCH 1:* BODY[" + b"1." * 3000 + b"MIME]",
    b"FETCH 1:* BODY[]<0.0>",
    b"FETCH 1:* BODY[]<4294967295.4294967295>",
    b"FETCH 1:* BODY[]<99999999999999999999.1>",
    b"FETCH 0 FLAGS",
    b"FETCH *:* FLAGS",
    b"FETCH 1:*,1:*,1:* (" + b"FLAGS " * 5000 + b")",
    b"FETCH 99999999999999999999 FLAGS",
    b"STORE 1:* FLAGS (" + b"\\Seen " * 3000 + b")",
    b"STORE 1:* FLAGS (" + b" ".join(b"k%d" % n for n in range(5000)) + b")",
    b"STORE 1:* FLAGS (" + b"k" * 3000 + b")",
    b"COPY 1:* ../../x",
    b"APPEND INBOX {99999999999}",
    b"APPEND INBOX (" + DEEP + b") {1+}\r\nx",
    b'APPEND INBOX "99-Xyz-2024 99:99:99 +9999" {1+}\r\nx',
    b"SORT (" + b"REVERSE " * 3000 + b"DATE) UTF-8 ALL",
    b"THREAD XYZZY UTF-8 ALL",
    b"SETACL INBOX anyone +" + b"x" * 1000,
    b'GETACL "Other Users/x"',
    b"ENABLE " + b"X " * 3000,
    b'ID ("' + b"x" * 3000 + b'" NIL)',
    b"UID UID FETCH 1 FLAGS",
    b"UID EXPUNGE 1:4294967295",
    b"NOTIFY SET (" + DEEP,
    b"GETMETADATA (DEPTH infinity) INBOX /private/" + b"x/" * 900,
    b"COMPRESS DEFLATE x",
    b"XYZZY",
)


def test_lines_of_strangers(office: Office) -> None:
    for line in IMAP_LINES:
        with Line(office, IMAP) as client:
            assert (client.line() or b"").startswith(b"* OK")
            client.send(line + b"\r\n")
            said = client.rest()
            assert not any(answer.startswith(b"t OK") for answer in said), line
            assert all(
                answer[:2] in (b"* ", b"+ ") or b" BAD" in answer or b" NO" in answer for answer in said
            ), said


@pytest.mark.parametrize("selected", [False, True])
def test_lines_of_those_who_are_known(office: Office, anna: Person, selected: bool) -> None:
    for line in IMAP_KNOWN:
        with login(office, anna) as client:
            if selected:
                assert b"t OK" in client.imap(b"SELECT INBOX")
            answer = client.imap(line)
            assert re.search(rb"(?m)^(t (OK|NO|BAD)|\* BYE|\* BAD|\+ )", answer) or not answer, line
            if b"* BYE" in answer or not answer or answer.startswith(b"+"):
                continue
            assert b"u OK" in client.imap(b"NOOP", b"u"), line


def test_mailboxes_of_others(office: Office, anna: Person, ben: Person) -> None:
    """Names that lead to Anna's mail, in Ben's hands."""
    with login(office, anna) as client:
        client.send(b"t APPEND INBOX {21+}\r\nSubject: secret\r\n\r\nhi\r\n")
        assert b"t OK" in client.imap(None)
    name = anna.address.partition("@")[0]
    with login(office, ben) as client:
        listed = client.imap(b'LIST "" *')
        assert name.encode() not in listed
        for path in (
            "Other Users/{}",
            "Other Users/{}/INBOX",
            "user/{}",
            "~{}",
            "#user/{}",
            "{}",
            "INBOX/../{}/INBOX",
        ):
            for kind in (name, anna.address):
                for command in ("SELECT", "EXAMINE", "DELETE", "GETACL", "LISTRIGHTS {} x", "GETQUOTAROOT"):
                    told = f'{command.split()[0]} "{path.format(kind)}"' + (
                        " x" if "LISTRIGHTS" in command else ""
                    )
                    answer = client.imap(told.encode())
                    assert b"t OK" not in answer, told
                    assert b"secret" not in answer


def test_noise_of_imap(office: Office, anna: Person) -> None:
    noise = random.Random(143)
    words = (
        b"FETCH",
        b"UID",
        b"1:*",
        b"(",
        b")",
        b"BODY[",
        b"]",
        b"<0.",
        b">",
        b"{3}",
        b'"',
        b"\\",
        b"SEARCH",
        b"OR",
        b"*",
    )
    for _ in range(40):
        with login(office, anna) as client:
            client.imap(b"SELECT INBOX")
            for _ in range(8):
                line = b" ".join(noise.choice(words) for _ in range(noise.randrange(1, 12)))
                client.send(b"x " + line + noise.randbytes(noise.choice((0, 0, 3))) + b"\r\n")
            client.rest()


# POP3


def test_lines_of_pop3(office: Office, anna: Person) -> None:
    for line in (
        *(
            b"",
            b" ",
            b"\xff",
            b"x" * 5000,
            b"USER",
            b"PASS x",
            b"USER " + b"a" * 4000,
            b"APOP a b",
            b"STAT",
            b"RETR 1",
        ),
        *(
            b"AUTH",
            b"AUTH PLAIN",
            b"AUTH PLAIN !!!",
            b"CAPA x",
            b"TOP 1 1",
            b"XYZZY",
            b"USER a\0b",
            b"STLS x",
        ),
    ):
        with Line(office, POP3) as client:
            assert client.pop3().startswith(b"+OK")
            client.send(line + b"\r\nQUIT\r\n")
            said = client.rest()
            assert all(
                answer.startswith((b"+OK", b"-ERR", b"+ "))
                for answer in said
                if line[:4] not in (b"CAPA", b"AUTH")
            )
    with Line(office, POP3) as client:
        client.pop3()
        assert client.pop3(b"USER " + anna.address.encode()).startswith(b"+OK")
        assert client.pop3(b"PASS " + anna.password.encode()).startswith(b"+OK")
        for line in (
            *(
                b"RETR 0",
                b"RETR -1",
                b"RETR 99999999999999999999",
                b"RETR 1 1",
                b"RETR x",
                b"RETR",
                b"DELE 0",
                b"DELE 1",
            ),
            *(
                b"TOP 1",
                b"TOP 1 -1",
                b"TOP 1 99999999999999999999",
                b"LIST 0",
                b"UIDL x",
                b"LIST 1 2",
                b"USER a",
                b"PASS b",
            ),
            *(b"STLS", b"RETR " + b"1" * 3000, b"XYZZY"),
        ):
            assert client.pop3(line).startswith(b"-ERR"), line
        assert client.pop3(b"STAT") == b"+OK 0 0"
