"""A served office: ports for relay, submission and implicit TLS, in a loop of its own thread."""

import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from appliance.directory.authenticate import Authenticator
from appliance.net.limits import Limits
from appliance.net.listener import Network
from appliance.net.tls import CA_FILE, TlsIdentity
from appliance.protocols.smtp.server import relay_service, submission_service
from appliance.protocols.smtp.service import SmtpService, SmtpSettings
from appliance.store.store import Store
from tests.conftest import EPOCH
from tests.net.conftest import client_context, tls_directory
from tests.transport.office import HOSTNAME, LoopThread, Office, Raw

__all__ = ["client_context", "tls_directory"]


@dataclass
class Served:
    """Ports and what is behind them."""

    office: Office
    thread: LoopThread
    network: Network
    relay: int
    submission: int
    implicit: int
    raws: list[Raw] = field(default_factory=list)

    def raw(self, port: int | None = None, *, greeted: bool = True) -> Raw:
        raw = Raw(port or self.relay)
        self.raws.append(raw)
        assert raw.reply().startswith(b"220 ")
        if greeted:
            assert raw.ask("EHLO client.test").startswith(b"250-")
        return raw


@pytest.fixture
def office(store: Store) -> Office:
    return Office(store)


@pytest.fixture
def serve(store: Store, office: Office, tls_directory: Path) -> Iterator[Callable[..., Served]]:
    """Starts the server; `max_size` and limits can be given."""
    thread = LoopThread()
    started: list[Served] = []

    def start(max_size: int = 1 << 24, limits: Limits | None = None) -> Served:
        async def begin() -> Served:
            settings = SmtpSettings(HOSTNAME, max_size)
            smtp = SmtpService(store, settings, Authenticator(store), now=lambda: EPOCH)
            network = Network(tls=TlsIdentity(tls_directory))
            relay = await network.listen(relay_service(smtp, limits or Limits()), "127.0.0.1", 0)
            submission = submission_service(smtp, limits or Limits())
            starttls = await network.listen(submission, "127.0.0.1", 0)
            implicit = await network.listen(submission, "127.0.0.1", 0, implicit_tls=True)
            return Served(office, thread, network, relay.port, starttls.port, implicit.port)

        served = thread.run(begin())
        started.append(served)
        return served

    yield start
    for served in started:
        thread.run(served.network.drain(0.5))
        for raw in served.raws:
            raw.close()
    thread.close()


@pytest.fixture
def served(serve: Callable[..., Served]) -> Served:
    return serve()


@pytest.fixture
def ssl_context(tls_directory: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(tls_directory / CA_FILE))
