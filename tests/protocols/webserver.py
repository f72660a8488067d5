"""A small office with an HTTP server in a thread, for clients that block."""

import asyncio
import contextlib
import datetime
import http.client
import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from appliance.config import Settings
from appliance.directory import credentials, domains, entries
from appliance.directory.authenticate import Authenticator
from appliance.directory.domains import Organization
from appliance.directory.model import Entry, Kind
from appliance.net import authority
from appliance.net.listener import Network
from appliance.net.log import Quiet
from appliance.net.offers import Offer, Offers
from appliance.net.parts import Parts
from appliance.net.terms import Timeouts
from appliance.net.tls import CA_FILE, TlsIdentity
from appliance.net.watch import Watches
from appliance.net.web import Exchange, HttpError, Response, Route
from appliance.protocols.http import front, server
from appliance.store import tree
from appliance.store.store import Store

NOW = 133_500_000_000_000_000
PASSWORD = "pass:word 12"
ANNA = "anna@example.test"
HOST = "mail.example.test"
OFFERS = (
    Offer("smtp", 25, None),
    Offer("submission", 587, 465),
    Offer("imap", 143, 993),
    Offer("pop3", 110, 995),
    Offer("http", 80, 443),
    Offer("autodiscover", 80, 443, "/autodiscover/autodiscover.xml"),
)


def make_identity(directory: Path, *names: str) -> Path:
    authority.make_authority(directory, "Example Ltd")
    moment = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    authority.issue(directory, HOST, list(names), moment)
    return directory


@dataclass
class Office:
    """A store with people in it."""

    store: Store
    count: int = 0

    def write(self, fn: Callable[[Any], Any]) -> Any:
        return self.store.write(fn).result(30)

    def start(self) -> "Office":
        organization = Organization(("example.test", "example.org"), HOST, "Example Ltd")
        self.write(lambda txn: domains.put(txn, organization))
        self.add(ANNA, "Anna Ärmel", aliases=("a.aermel@example.org",))
        return self

    def add(self, address: str, name: str = "", password: str = PASSWORD, **more: Any) -> Entry:
        self.count += 1
        unique = self.count.to_bytes(16, "big")

        def create(txn: Any) -> Entry:
            owner = entries.add(txn, Entry(0, Kind.USER, address, name or address, "", unique, **more)).id
            mailbox = tree.create_mailbox(
                txn, owner=owner, guid=unique, replica_guid=unique, uidvalidity=1000 + self.count, now=NOW
            )
            credentials.put(txn, owner, credentials.prepare(password, salt=unique, now=NOW))
            entry = replace(entries.get(txn, owner), mailbox=mailbox, mailbox_guid=unique)
            return entries.update(txn, entry)

        entry: Entry = self.write(create)
        return entry

    def change(self, address: str, **values: Any) -> None:
        def write(txn: Any) -> None:
            entry = entries.by_address(txn, address)
            assert entry is not None
            entries.update(txn, replace(entry, **values))

        self.write(write)


class Running:
    """An HTTP server in a thread of its own, plain and with TLS, with routes for tests."""

    def __init__(
        self,
        office: Office,
        tls: Path | None,
        settings: Settings,
        sites: Iterable[Callable[[Any], Iterable[Route]]] = (),
        told: tuple[Offer, ...] = OFFERS,
        timeouts: Timeouts | None = None,
        grace: float = 0.5,
    ) -> None:
        self.settings, self._office, self._tls = settings, office, tls
        self._grace = grace
        self._sites, self._told, self._timeouts = tuple(sites), told, timeouts
        self._started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))
        self.port = self.tls_port = 0
        self.polls = 0
        self.gone = threading.Event()

    def start(self) -> "Running":
        self._thread.start()
        assert self._started.wait(20)
        return self

    async def _run(self) -> None:
        self.loop = asyncio.get_running_loop()
        self._end = asyncio.Event()
        self.news = asyncio.Event()
        self.identity = TlsIdentity(self._tls) if self._tls else None
        self.network = Network(tls=self.identity)
        with self._office.store.read() as txn:
            organization = domains.get(txn)
        watches = Watches(self._office.store)
        self.parts = Parts(
            store=self._office.store,
            settings=self.settings,
            organization=organization,
            watches=watches,
            network=self.network,
            authenticator=Authenticator(self._office.store),
            verifiers=ThreadPoolExecutor(2),
            quiet=Quiet(front._log, self.loop),
            offers=Offers(self._told),
        )
        rows = (row for site in self._sites for row in site(self.parts))
        self.parts.routes = (*self.routes(), *rows)
        service = server.service(self.parts, self._timeouts or server.TIMEOUTS)
        self.port = (await self.network.listen(service, "127.0.0.1", 0)).port
        if self._tls:
            self.tls_port = (await self.network.listen(service, "127.0.0.1", 0, implicit_tls=True)).port
        self._started.set()
        await self._end.wait()
        await self.network.drain(self._grace)
        self.parts.quiet.flush()
        watches.close()
        self.parts.verifiers.shutdown()

    def end(self) -> None:
        """Tell it to end, without waiting for it."""
        with contextlib.suppress(RuntimeError):
            self.loop.call_soon_threadsafe(self._end.set)

    def stop(self) -> None:
        self.end()
        self._thread.join(20)
        assert not self._thread.is_alive()

    # -- what it serves ---------------------------------------------------------------------------------

    def routes(self) -> Iterator[Route]:
        yield Route("echo", "/echo", (), self.echo, login=False, max_body=1 << 20)
        yield Route("mine", "/mine", ("GET", "POST"), self.mine, max_body=1 << 20)
        yield Route("stream", "/stream/*", ("GET",), self.stream, login=False)
        yield Route("poll", "/poll", ("GET",), self.poll, login=False)
        yield Route("both", "/both", ("POST",), self.both, login=False, max_body=1 << 30)
        yield Route("boom", "/boom", ("GET",), self.boom, login=False)
        yield Route("refuse", "/refuse", ("POST",), self.refuse, login=False)

    async def echo(self, exchange: Exchange) -> Response:
        body = await exchange.body()
        head = f"{exchange.method} {exchange.path}?{exchange.query_text}\n"
        return Response(200, head.encode() + body, "text/plain")

    async def mine(self, exchange: Exchange) -> Response:
        body = await exchange.body()
        assert exchange.login is not None
        return Response(200, exchange.login.user.address.encode() + b"\n" + body, "text/plain")

    async def stream(self, exchange: Exchange) -> None:
        await exchange.start(200, [("Content-Type", "application/octet-stream")])
        for number in range(int(exchange.path.rpartition("/")[2])):
            await exchange.write(number.to_bytes(4, "big") * 16384)
        await exchange.finish()

    async def poll(self, exchange: Exchange) -> Response:
        gone = asyncio.ensure_future(exchange.gone())
        news = asyncio.ensure_future(self.news.wait())
        self.polls += 1
        await asyncio.wait([gone, news], return_when=asyncio.FIRST_COMPLETED)
        self.polls -= 1
        for one in (gone, news):
            one.cancel()
        if gone.done() and not gone.cancelled():
            self.gone.set()
        return Response(200, b"news", "text/plain")

    async def both(self, exchange: Exchange) -> None:
        await exchange.start(200)
        size = 0
        async for piece in exchange.pieces():
            size += len(piece)
            await exchange.write(b"%d\n" % len(piece))
        await exchange.finish(b"total %d\n" % size)

    async def boom(self, exchange: Exchange) -> Response:
        raise RuntimeError("a secret detail")

    async def refuse(self, exchange: Exchange) -> Response:
        raise HttpError(409, "not now")

    # -- talking to it ----------------------------------------------------------------------------------

    def context(self) -> ssl.SSLContext:
        assert self._tls is not None
        return ssl.create_default_context(cafile=str(self._tls / CA_FILE))

    def client(self, *, tls: bool = False) -> http.client.HTTPConnection:
        if tls:
            return http.client.HTTPSConnection("localhost", self.tls_port, context=self.context(), timeout=20)
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)

    def raw(self, data: bytes, *, close: bool = False) -> bytes:
        """Send bytes; everything that comes until the server closes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as sock:
            sock.sendall(data)
            if close:
                sock.shutdown(socket.SHUT_WR)
            pieces = []
            while piece := sock.recv(65536):
                pieces.append(piece)
            return b"".join(pieces)
