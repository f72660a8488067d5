"""Anonymous memory (RssAnon) of the server: idle, with 500 idle IMAP connections, with 50 MB passing through.

There is no peer: `peer` is the limit in MiB that we set ourselves, and the ratio is limit / ours.
"""

import contextlib
import os
import socket
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from tests.bench import Row
from tests.served import PEOPLE, Served, address, make_office

MEBIBYTE = 1 << 20
IDLE_LIMIT = 64.0
CONNECTIONS = 500
CONNECTIONS_LIMIT = 160.0
BIG = 50 * MEBIBYTE
OUT = BIG - MEBIBYTE
"""What is waited for when it is taken out: nearly all of it."""

BIG_LIMIT = 16.0
"""What a message of 50 MB may add while it passes, in MiB."""


class Highest:
    """The most memory that a server held while the block ran."""

    def __init__(self, server: Served) -> None:
        self._server = server
        self._ended = threading.Event()
        self.bytes = server.rss_anon()
        self._thread = threading.Thread(target=self._watch)

    def _watch(self) -> None:
        while not self._ended.wait(0.01):
            self.bytes = max(self.bytes, self._server.rss_anon())

    def __enter__(self) -> "Highest":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()


def row(name: str, used: float, limit: float) -> Row:
    """A number of bytes beside its limit in MiB."""
    ours = used / MEBIBYTE
    return Row(name, ours, limit, limit / max(ours, 0.01), 1.0)


@contextlib.contextmanager
def idling(server: Served, count: int) -> Iterator[None]:
    """That many connections that have selected the inbox and wait in IDLE."""
    with contextlib.ExitStack() as stack:
        for _ in range(count):
            client = server.imap("anna")
            stack.callback(client.shutdown)
            client.select("INBOX")
            client.send(b"x IDLE\r\n")
            assert client.readline().startswith(b"+")
        yield


def big_message() -> bytes:
    """50 MB that do not compress."""
    lines = [os.urandom(38).hex().encode() + b"\r\n" for _ in range(1000)]
    body = b"".join(lines) * (BIG // (78 * 1000))
    return b"From: a@b.example\r\nSubject: big\r\n\r\n" + body


def over_smtp(server: Served, message: bytes) -> None:
    """Send it."""
    with server.smtp() as client:
        client.sendmail("a@b.example", [address("ben")], message)


def over_imap(server: Served, message: bytes) -> None:
    """Append it in pieces, as a client does that reads from a file."""
    client = server.imap("clara")
    assert client.append("INBOX", "", "", message)[0] == "OK"  # type: ignore[arg-type]
    client.logout()


def fetched(server: Served) -> None:
    """Take it out over IMAP."""
    client = server.imap("ben")
    client.select("INBOX", readonly=True)
    client.send(b"x FETCH 1 BODY[]\r\n")
    _drop(client.socket(), OUT)
    client.shutdown()


def taken(server: Served) -> None:
    """Take it out over POP3."""
    client = server.pop3("ben")
    client.sock.sendall(b"RETR 1\r\n")
    _drop(client.sock, OUT)
    client.close()


def _drop(sock: socket.socket, count: int) -> None:
    while count > 0:
        piece = sock.recv(MEBIBYTE)
        assert piece
        count -= len(piece)


def run() -> list[Row]:
    """The rows."""
    rows = []
    message = big_message()
    with tempfile.TemporaryDirectory() as folder:
        office = make_office(Path(folder) / "data")
        with Served(office) as server:
            rows.append(row("idle, all roles, MiB", server.rss_anon(), IDLE_LIMIT))
            for who in PEOPLE:  # a first log-on takes 16 MiB for its verifier, for a moment
                server.imap(who).logout()
            with idling(server, CONNECTIONS):
                rows.append(row("500 idle IMAP connections, MiB", server.rss_anon(), CONNECTIONS_LIMIT))
            for name, work in (("SMTP", over_smtp), ("APPEND", over_imap)):
                before = server.rss_anon()
                with Highest(server) as highest:
                    work(server, message)
                rows.append(row(f"50 MB in over {name}, MiB more", highest.bytes - before, BIG_LIMIT))
            for name, read in (("IMAP", fetched), ("POP3", taken)):
                before = server.rss_anon()
                with Highest(server) as highest:
                    read(server)
                rows.append(row(f"50 MB out over {name}, MiB more", highest.bytes - before, BIG_LIMIT))
    return rows
