"""A small office behind a real IMAP server on loopback: the store, three people, a public folder tree."""

import asyncio
import os
import socket
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from appliance.directory import accounts, credentials, domains, links
from appliance.directory.authenticate import Authenticator
from appliance.directory.domains import Organization
from appliance.directory.links import Link
from appliance.directory.model import Entry, Kind
from appliance.mailbox import items
from appliance.mailbox.actor import Actor
from appliance.mailbox.incoming import Ingest
from appliance.mailbox.search.stored import StoredMessages
from appliance.mapi import times
from appliance.net.listener import Network
from appliance.net.terms import Timeouts
from appliance.net.tls import TlsIdentity
from appliance.net.watch import Watches
from appliance.protocols.imap.limits import APPEND_LIMIT
from appliance.protocols.imap.server import TIMEOUTS, imap_service
from appliance.protocols.imap.services import Services
from appliance.store import mailboxes, tree
from appliance.store.contents import Row, RowFlag
from appliance.store.mailboxes import Special
from appliance.store.store import Store

PASSWORD = "correct horse"
DOMAIN = "example.test"
_SECRET: dict[str, credentials.Secret] = {}


def _secret() -> credentials.Secret:
    """One verifier for all: computing it costs 50 ms."""
    if "secret" not in _SECRET:
        _SECRET["secret"] = credentials.prepare(PASSWORD, salt=bytes(credentials.SALT_SIZE), now=0)
    return _SECRET["secret"]


def now() -> int:
    return times.from_unix_ns(time.time_ns())


def add_user(store: Store, name: str) -> Entry:
    """A user with a mailbox and the password of all."""
    entry = Entry(0, Kind.USER, f"{name}@{DOMAIN}", name.capitalize(), "", b"")
    seeds = accounts.Seeds(os.urandom(16), os.urandom(16), os.urandom(16), now())

    def write(txn):  # type: ignore[no-untyped-def]
        made = accounts.create(txn, entry, seeds)
        credentials.put(txn, made.id, _secret())
        return made

    return store.write(write).result()


def add_public(store: Store) -> int:
    """The public mailbox."""
    return store.write(
        lambda txn: tree.create_mailbox(
            txn,
            owner=0,
            guid=bytes(16),
            replica_guid=bytes(16),
            uidvalidity=77,
            now=now(),
            kind=mailboxes.Kind.PUBLIC,
        )
    ).result()


def message(subject: str, body: str = "Hello.\r\n", **fields: str) -> bytes:
    """A small message."""
    head = {
        "From": "Fred Foobar <foobar@example.test>",
        "To": "mooch@example.test",
        "Date": "Mon, 7 Feb 1994 21:52:25 -0800",
        "Message-Id": f"<{subject.replace(' ', '-')}@example.test>",
        "Subject": subject,
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=us-ascii",
        **{name.replace("_", "-"): value for name, value in fields.items()},
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
    return (lines + "\r\n" + body).encode()


def add_message(
    store: Store, mailbox: int, raw: bytes, *, fid: int = Special.INBOX, flags: RowFlag = RowFlag.NONE
) -> Row:
    """Store a message as its owner would."""
    ingest = Ingest(store)
    ingest.feed(raw)
    incoming = ingest.finish()
    actor = Actor(0, mailbox)
    return store.write(
        lambda txn: items.append(txn, actor, mailbox, fid, incoming, flags=flags, received=now(), now=now())
    ).result()


@dataclass
class Office:
    """A running server."""

    store: Store
    people: dict[str, Entry]
    port: int = 0
    tls_port: int = 0
    services: Services | None = None
    network: Network | None = None
    _loop: asyncio.AbstractEventLoop | None = None
    _thread: threading.Thread | None = None
    _stop: asyncio.Event | None = field(default=None)

    def mailbox(self, name: str) -> int:
        return self.people[name].mailbox


def open_office(
    store: Store,
    *,
    tls: TlsIdentity | None = None,
    timeouts: Timeouts = TIMEOUTS,
    append_limit: int = APPEND_LIMIT,
    trust_loopback: bool = True,
) -> Office:
    """Make the people and serve them in a thread of its own."""
    store.write(
        lambda txn: domains.put(txn, Organization(domains=(DOMAIN,), hostname="mail.example.test"))
    ).result()
    office = Office(store, {name: add_user(store, name) for name in ("alice", "bob", "carol")})
    alice, bob = office.people["alice"].id, office.people["bob"].id
    store.write(lambda txn: links.add(txn, Link.DELEGATE, alice, bob)).result()
    add_public(store)
    ready = threading.Event()

    async def main() -> None:
        office._loop, office._stop = asyncio.get_running_loop(), asyncio.Event()
        network = office.network = Network(tls=tls)
        watches = Watches(store)
        services = office.services = Services(
            store,
            watches,
            Authenticator(store),
            source=StoredMessages(),
            append_limit=append_limit,
            trust_loopback=trust_loopback,
        )
        service = imap_service(services, timeouts=timeouts)
        office.port = (await network.listen(service, "127.0.0.1", 0)).port
        if tls is not None:
            office.tls_port = (await network.listen(service, "127.0.0.1", 0, implicit_tls=True)).port
        ready.set()
        await office._stop.wait()
        await network.drain(1.0)
        watches.close()

    office._thread = threading.Thread(target=lambda: asyncio.run(main()), name="imap-office", daemon=True)
    office._thread.start()
    if not ready.wait(10):
        raise RuntimeError("the server did not start")
    return office


def close_office(office: Office) -> None:
    """End the server."""
    assert office._loop is not None
    assert office._stop is not None
    assert office._thread is not None
    office._loop.call_soon_threadsafe(office._stop.set)
    office._thread.join(15)


class Talk:
    """A raw connection: lines out, whole replies (literals included) in."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self.socket = socket.create_connection((host, port), timeout=15)
        self.file = self.socket.makefile("rb")
        self.greeting = self.reply()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def reply(self) -> bytes:
        """One reply; literals stand in it as they came."""
        line = self.file.readline()
        if not line:
            raise EOFError("the server closed the connection")
        whole = line
        while line.endswith(b"}\r\n") and b"{" in line:
            count = line[line.rindex(b"{") + 1 : -3].rstrip(b"+")
            if not count.isdigit():
                break
            whole += self.file.read(int(count))
            line = self.file.readline()
            whole += line
        return whole[:-2]

    def until(self, tag: bytes) -> list[bytes]:
        """Replies up to the one with `tag`."""
        found = []
        while True:
            found.append(self.reply())
            if found[-1].startswith(tag + b" "):
                return found

    def run(self, command: str | bytes, tag: bytes = b"t") -> list[bytes]:
        """Send a command; its replies."""
        text = command.encode() if isinstance(command, str) else command
        self.send(tag + b" " + text + b"\r\n")
        return self.until(tag)

    def login(self, name: str = "alice") -> "Talk":
        assert self.run(f'LOGIN {name} "{PASSWORD}"')[-1].startswith(b"t OK")
        return self

    def append(self, mailbox: str, raw: bytes, extra: str = "") -> list[bytes]:
        self.send(f"t APPEND {mailbox} {extra}".encode() + b"{%d+}\r\n" % len(raw) + raw + b"\r\n")
        return self.until(b"t")

    def closed(self) -> bool:
        """Whether the server has closed the connection."""
        return self.file.read(1) == b""

    def close(self) -> None:
        self.file.close()
        self.socket.close()


def root_of(path: Path) -> Path:
    return path / "data"
