"""A runner over a store, with a clock that tests move and a DNS without a net."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from appliance.mailbox.incoming import Incoming, Ingest
from appliance.store import blobs, queue
from appliance.store.queue import Notify, QueueEntry, QueueRecipient
from appliance.store.store import Store
from appliance.transport.client import Connector, Patience
from appliance.transport.routes import Router
from appliance.transport.runner import Delivery, Runner
from tests.conftest import EPOCH
from tests.transport.office import HOSTNAME, Office
from tests.transport.remote import FakeDns, Remote

MAIL = b"From: anna@example.test\r\nSubject: Out\r\nMessage-ID: <1@example.test>\r\n\r\n.dots\r\nText\r\n"


class TestClock:
    """A clock that stands still until it is told."""

    __test__ = False

    def __init__(self) -> None:
        self.wall = EPOCH
        self.mono = 1000.0
        self.trusted = True

    def now(self) -> int:
        return self.wall

    def monotonic(self) -> float:
        return self.mono

    def advance(self, ticks: int) -> None:
        """Time passes."""
        self.wall += ticks
        self.mono += ticks / 10_000_000


class Sending:
    """What a test of the runner works with."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.store = office.store
        self.clock = TestClock()
        self.dns = FakeDns()
        self.remotes: list[Remote] = []
        self.patience = Patience(connect=5.0, command=5.0, content=5.0)
        self.verified = ssl.create_default_context()
        self._unverified = ssl.create_default_context()
        self._unverified.check_hostname = False
        self._unverified.verify_mode = ssl.CERT_NONE
        self.runner: Runner

    async def remote(
        self,
        *extensions: str,
        domain: str = "",
        tls: ssl.SSLContext | None = None,
        implicit: ssl.SSLContext | None = None,
    ) -> Remote:
        made = await Remote(*extensions, tls=tls, implicit=implicit).start()
        self.remotes.append(made)
        if domain:
            self.dns.domain(domain, made)
        return made

    def put(
        self,
        *recipients: str | QueueRecipient,
        sender: str = "anna@example.test",
        mail: bytes = MAIL,
        **fields: Any,
    ) -> int:
        """Queue a message, as `mailbox.submit` does."""
        incoming = ingest(self.store, mail)
        rows = tuple(QueueRecipient(r) if isinstance(r, str) else r for r in recipients)

        def insert(txn: Any) -> int:
            blob = blobs.bind(txn, incoming.prepared, references=0)
            now = self.clock.now()
            entry = QueueEntry(sender, rows, blob, len(mail), now, now)
            return queue.insert(txn, replace(entry, **fields))

        return self.office.write(insert)

    def run(self, test: Callable[["Sending"], Awaitable[None]]) -> None:
        """Run a test with a started runner; everything ends with it."""

        async def main() -> None:
            connector = Connector(HOSTNAME, self.verified, self._unverified, self.patience)
            router = Router(self.dns, frozenset({HOSTNAME}))
            self.runner = Runner(Delivery(self.store, HOSTNAME, router, connector, self.clock))
            self.runner.start()
            try:
                await asyncio.wait_for(test(self), 30)
            finally:
                await self.runner.stop(1.0)
                for remote in self.remotes:
                    await remote.close()

        asyncio.run(main())

    async def idle(self) -> None:
        """Wait until the runner has done all that is due."""
        await self.runner.idle()

    async def later(self, ticks: int) -> None:
        """Time passes, and the runner does what became due."""
        self.clock.advance(ticks)
        self.runner.wake()
        await self.idle()


def ingest(store: Store, mail: bytes) -> Incoming:
    taking = Ingest(store)
    for start in range(0, len(mail), 60_000):
        future = taking.feed(mail[start : start + 60_000])
        if future is not None:
            future.result()
    return taking.finish()


def to(address: str, *notify: Notify, orcpt: str = "") -> QueueRecipient:
    flags = Notify.NONE
    for flag in notify:
        flags |= flag
    return QueueRecipient(address, flags, orcpt)


@pytest.fixture
def sending(store: Store) -> Sending:
    return Sending(Office(store))


__all__: Sequence[str] = ["MAIL", "Sending", "to"]
