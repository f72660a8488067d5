"""A small office with a POP3 server in a thread, for clients that block."""

import asyncio
import contextlib
import datetime
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from appliance.config import Settings
from appliance.directory import credentials, domains, entries
from appliance.directory.authenticate import Authenticator
from appliance.directory.model import Entry, Kind
from appliance.mailbox import deliver
from appliance.mailbox.incoming import Ingest
from appliance.net import authority
from appliance.net.limits import Limits
from appliance.net.listener import Network
from appliance.net.log import Quiet
from appliance.net.tls import TlsIdentity
from appliance.protocols.pop3 import server
from appliance.store import check, tree
from appliance.store.store import Store

NOW = 133_500_000_000_000_000
PASSWORD = "pass word ü"


@dataclass
class Parts:
    store: Store
    settings: Settings
    authenticator: Authenticator
    verifiers: ThreadPoolExecutor
    quiet: Any = None

    def limits(self) -> Limits:
        return Limits()


@dataclass
class Office:
    """A store with users; `deliver` puts mail into inboxes."""

    store: Store
    mailboxes: dict[str, int] = field(default_factory=dict)

    def write(self, fn: Callable[[Any], Any]) -> Any:
        return self.store.write(fn).result(30)

    def add_user(self, address: str, password: str = PASSWORD) -> int:
        number = len(self.mailboxes) + 1
        unique = number.to_bytes(16, "big")
        owner = entries.FIRST_ID + number - 1

        def create(txn: Any) -> int:
            mailbox = tree.create_mailbox(
                txn, owner=owner, guid=unique, replica_guid=unique, uidvalidity=1000 + number, now=NOW
            )
            bare = Entry(0, Kind.USER, address, address, "", unique, mailbox=mailbox)
            assert entries.add(txn, bare).id == owner
            credentials.put(txn, owner, credentials.prepare(password, salt=unique, now=NOW))
            return mailbox

        self.mailboxes[address] = self.write(create)
        return self.mailboxes[address]

    def deliver(self, address: str, message: bytes, prefix: bytes = b"") -> None:
        ingest = Ingest(self.store)
        for begin in range(0, len(message), 100_000):
            waiting = ingest.feed(message[begin : begin + 100_000])
            if waiting is not None:
                waiting.result(30)
        incoming = ingest.finish()
        target = deliver.Target(self.mailboxes[address], prefix)
        (outcome,) = self.write(lambda txn: deliver.deliver(txn, incoming, [target], now=NOW))
        assert outcome.row is not None


@pytest.fixture(scope="session")
def tls_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("tls")
    authority.make_authority(directory, "Example Ltd")
    authority.issue(directory, "mail.example.test", [], datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC))
    return directory


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    store = Store.create(tmp_path / "data")
    office = Office(store)
    office.write(lambda txn: domains.put(txn, domains.Organization(("example.test",), "mail.example.test")))
    office.add_user("anna@example.test")
    yield office
    assert check.check(store) == []
    store.close()


class Running:
    """A POP3 server in a thread of its own."""

    def __init__(self, office: Office, tls: Path | None, settings: Settings) -> None:
        self.settings = settings
        self._office, self._tls = office, tls
        self._started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))
        self.port = self.tls_port = 0
        self.open_mailboxes: set[int] = set()

    def start(self) -> None:
        self._thread.start()
        assert self._started.wait(20)

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._end = asyncio.Event()
        network = Network(tls=TlsIdentity(self._tls) if self._tls else None)
        parts = Parts(
            self._office.store, self.settings, Authenticator(self._office.store), ThreadPoolExecutor(2)
        )
        parts.quiet = Quiet(server._log, self._loop)
        service = server.service(parts)
        self.port = (await network.listen(service, "127.0.0.1", 0)).port
        if self._tls:
            self.tls_port = (await network.listen(service, "127.0.0.1", 0, implicit_tls=True)).port
        self._started.set()
        await self._end.wait()
        await network.drain(2.0)
        parts.verifiers.shutdown()

    def stop(self) -> None:
        with contextlib.suppress(RuntimeError):  # it has ended already
            self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(20)
        assert not self._thread.is_alive()


@pytest.fixture
def serve(office: Office, tls_directory: Path) -> Iterator[Callable[..., Running]]:
    """Starts servers on the office: `serve(tls=False, login_delay=..., plain_on_loopback=...)`."""
    running: list[Running] = []

    def start(*, tls: bool = True, login_delay: int = 0, plain_on_loopback: bool = True) -> Running:
        settings = Settings()
        settings = replace(
            settings,
            pop3=replace(settings.pop3, login_delay=login_delay),
            auth=replace(settings.auth, plain_on_loopback=plain_on_loopback),
        )
        running.append(Running(office, tls_directory if tls else None, settings))
        running[-1].start()
        return running[-1]

    yield start
    for one in running:
        one.stop()
