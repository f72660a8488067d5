"""Peers that mean ill: everyone else is served meanwhile, in bounded memory and time."""

import contextlib
import resource
import select
import socket
import threading
from collections.abc import Iterator

import pytest

from tests.badday.mail import send, subjects
from tests.served import PASSWORD, Served, address

pytestmark = pytest.mark.slow
MEBIBYTE = 1 << 20
HALF_OPEN = 10_000
GROWTH = 96 * MEBIBYTE
"""Anonymous memory that hostility may cost."""

SECONDS = 20.0
"""Processor time that one ill message may cost the server, with all that is asked about it."""

RESPITE = 5.0
"""Processor time that the server may spend before it comes to an honest message or command."""

PATIENCE = 10.0
"""Seconds to wait for a first byte."""

HUGE = 10 << 30


@pytest.fixture
def sockets() -> Iterator[list[socket.socket]]:
    opened: list[socket.socket] = []
    yield opened
    for sock in opened:
        sock.close()


def line(sock: socket.socket) -> bytes:
    """The next line, byte for byte, so that nothing is read too far."""
    said = b""
    while not said.endswith(b"\n"):
        piece = sock.recv(1)
        if not piece:
            break
        said += piece
    return said


def test_byte_for_byte_clients_keep_nobody_waiting(server: Served, sockets: list[socket.socket]) -> None:
    drops = {25: b"EHLO slow.example\r\n", 143: b"a LOGIN {3}\r\n", 110: b"USER anna@example.test\r\n"}
    for port in drops:
        sockets += [server.raw(port) for _ in range(60)]
    for step in range(12):
        for index, sock in enumerate(sockets):
            sock.send(drops[tuple(drops)[index // 60]][step : step + 1])
        before = server.cpu()
        assert send(server, step) == 250
        assert server.cpu() - before < RESPITE
    assert subjects(server) == list(range(12))


def test_half_open_connections_push_each_other_out(server: Served, sockets: list[socket.socket]) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    count = min(HALF_OPEN, hard - 1000)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    settled = server.imap("ben")
    try:
        before = server.rss_anon()
        for number in range(count):
            sock = socket.socket()
            sockets.append(sock)
            sock.setblocking(False)
            sock.bind((f"127.0.{number // 250 % 100 + 1}.{number % 250 + 1}", 0))
            sock.connect_ex(("127.0.0.1", server.offset + (25, 143, 110)[number % 3]))
            if number % 500 == 499:
                spent = server.cpu()
                assert send(server, number) == 250
                assert settled.noop()[0] == "OK"
                assert server.cpu() - spent < RESPITE
        assert len(subjects(server)) == count // 500
        assert server.rss_anon() - before < GROWTH
    finally:
        settled.logout()
        for sock in sockets:
            sock.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_huge_literal_is_refused_before_it_is_sent(server: Served) -> None:
    before = server.rss_anon()
    for plus in (b"", b"+"):
        with server.raw(143) as stranger:
            line(stranger)
            stranger.sendall(b"a LOGIN {%d%s}\r\n" % (HUGE, plus))
            assert not line(stranger).startswith(b"+")
        with server.raw(143) as user:
            line(user)
            user.sendall(b'a LOGIN %s "%s"\r\n' % (address("anna").encode(), PASSWORD.encode()))
            assert line(user).startswith(b"a OK")
            user.sendall(b"b APPEND INBOX {%d%s}\r\n" % (HUGE, plus))
            answer = line(user)
            assert answer.startswith((b"b NO [TOOBIG]", b"b BAD", b"* BYE")), answer
            if not plus:
                user.sendall(b"c NOOP\r\n")
                assert line(user).startswith(b"c OK")
    assert server.rss_anon() - before < 16 * MEBIBYTE


def test_a_huge_message_is_refused_before_it_is_sent(server: Served) -> None:
    before = server.rss_anon()
    with server.smtp() as client:
        client.ehlo()
        assert client.docmd(f"MAIL FROM:<a@b.example> SIZE={HUGE}")[0] == 552
        assert client.docmd("MAIL FROM:<a@b.example>")[0] == 250
        assert client.docmd(f"RCPT TO:<{address('anna')}>")[0] == 250
        assert client.docmd(f"BDAT {HUGE} LAST")[0] == 552
        with contextlib.suppress(OSError):
            assert client.sock is None or client.sock.recv(1) == b""
        client.close()
    assert server.rss_anon() - before < 16 * MEBIBYTE
    assert send(server, 1) == 250


def nested(depth: int) -> bytes:
    heads = [b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(depth)]
    return b"Subject: 1\r\n" + b"".join(heads) + b"\r\ndeep\r\n"


def letters(depth: int) -> bytes:
    return b"Subject: 1\r\n" + b"Content-Type: message/rfc822\r\n\r\n" * depth + b"\r\ndeep\r\n"


def parts(count: int) -> bytes:
    head = b"Subject: 1\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    return head + b"--b\r\n\r\nx\r\n" * count + b"--b--\r\n"


BOMBS = {
    "500 multiparts in each other": nested(500),
    "500 messages in each other": letters(500),
    "100,000 parts": parts(100_000),
    "a million headers": b"Subject: 1\r\n" + b"X: y\r\n" * 1_000_000 + b"\r\nx\r\n",
    "one header of 20 MB": b"Subject: 1\r\nX: " + b"y" * (20 << 20) + b"\r\n\r\nx\r\n",
    "a header folded a million times": b"Subject: 1\r\nX: y\r\n" + b" y\r\n" * 1_000_000 + b"\r\nx\r\n",
    "200,000 addresses": b"Subject: 1\r\nTo: " + b"a@b.example,\r\n " * 200_000 + b"c@d.example\r\n\r\nx\r\n",
    "100,000 references": b"Subject: 1\r\nReferences: " + b"<a@b>\r\n " * 100_000 + b"<c@d>\r\n\r\nx\r\n",
    "nested comments": b"Subject: 1\r\nTo: " + b"(" * 500_000 + b"a@b.example\r\n\r\nx\r\n",
    "100,000 parameters": b"Subject: 1\r\nContent-Type: text/plain"
    + b";\r\n a=b" * 100_000
    + b"\r\n\r\nx\r\n",
}


class Bystander:
    """A client that asks for nothing again and again, and keeps the most processor time that the server spent
    before it answered."""

    def __init__(self, server: Served) -> None:
        self._server = server
        self._client = server.imap("ben")
        self._ended = threading.Event()
        self.longest = 0.0
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._ended.wait(0.02):
            before = self._server.cpu()
            self._client.noop()
            self.longest = max(self.longest, self._server.cpu() - before)
        self._client.logout()

    def end(self) -> float:
        """The most."""
        self._ended.set()
        self._thread.join()
        return self.longest


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_of_mime(server: Served, bomb: str) -> None:
    raw = BOMBS[bomb]
    before, spent = server.rss_anon(), server.cpu()
    bystander = Bystander(server)
    try:
        with server.smtp() as client:
            client.ehlo()
            client.mail("a@b.example")
            client.rcpt(address("anna"))
            code, _ = client.data(raw)
        assert code in (250, 552, 554), code
        with server.imap("anna") as client_of_imap:
            client_of_imap.append("INBOX", "", "", raw)  # type: ignore[arg-type]
            client_of_imap.select("INBOX")
            everything = "(FLAGS RFC822.SIZE ENVELOPE BODYSTRUCTURE BODY.PEEK[HEADER.FIELDS (SUBJECT)])"
            assert client_of_imap.fetch("1:*", everything)[0] == "OK"
            assert client_of_imap.search(None, "TEXT", "deep")[0] == "OK"
            assert client_of_imap.sort("(SUBJECT TO)", "UTF-8", "ALL")[0] == "OK"
            assert client_of_imap.thread("REFERENCES", "UTF-8", "ALL")[0] == "OK"
    finally:
        longest = bystander.end()
    took, grown = server.cpu() - spent, server.rss_anon() - before
    assert took < SECONDS, took
    assert grown < GROWTH, grown // MEBIBYTE
    assert longest < RESPITE, longest


def test_a_reader_that_reads_nothing(server: Served, sockets: list[socket.socket]) -> None:
    """A hundred clients ask for 10 MB again and again and take nothing: memory does not pile up."""
    with server.imap("anna") as client:
        client.append("INBOX", "", "", b"Subject: 1\r\n\r\n" + b"x" * 62 + b"\r\n" * (10 << 20 >> 1))  # type: ignore[arg-type]
    before = server.rss_anon()
    login = b'a LOGIN %s "%s"\r\nb SELECT INBOX\r\n' % (address("anna").encode(), PASSWORD.encode())
    for _ in range(100):
        sock = socket.socket()
        sockets.append(sock)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.connect(("127.0.0.1", server.offset + 143))
        sock.sendall(login + b"".join(b"c%d FETCH 1 BODY.PEEK[]\r\n" % n for n in range(50)))
    for sock in sockets:
        select.select([sock], [], [], PATIENCE)
    spent = server.cpu()
    assert send(server, 2) == 250
    assert server.cpu() - spent < RESPITE
    assert server.rss_anon() - before < GROWTH
