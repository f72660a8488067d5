"""Listeners: sockets that accept connections for services, and the orderly end of all of them.

A `Service` is a name, a coroutine function that serves one connection, and what it expects of its peers.
`Network` opens listeners for services, keeps each connection's task, and drains them: no new connections,
running commands finish, peers between two commands are told, the rest is cut off when the grace is over.
A `HostedService` (`hosted`) brings an asyncio.Protocol of its own instead of a coroutine function, and is
listened for in the same way.

An exception that a service lets out ends its connection alone and is logged once.
"""

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from appliance.net.connection import Connection
from appliance.net.errors import ConnectionEnded
from appliance.net.hosted import Hosted, HostedService, HostedTerms
from appliance.net.limits import Gate, Limits
from appliance.net.terms import Terms, Timeouts
from appliance.net.timers import Wheel
from appliance.net.tls import TlsIdentity

BACKLOG = 1024
"""Connections that the kernel keeps for us until they are accepted."""

ACCEPTING_TURNS = 3
"""Turns of the loop in which a socket that was accepted becomes a connection, and one that is not wanted has
gone (the most, of asyncio's loop and uvloop)."""

MAX_TURNS = 20
"""Turns of the loop in which connections that were cut off are gone."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Service:
    """What is served on a port."""

    name: str
    serve: Callable[[Connection], Awaitable[None]]
    """Serves one connection; it is closed when this returns. ConnectionEnded may pass through."""
    timeouts: Timeouts = field(default_factory=Timeouts)
    limits: Limits = field(default_factory=Limits)
    busy: bytes = b""
    """What a refused peer is told where that can be said in plain text, as a whole line."""


AnyService = Service | HostedService


@dataclass(frozen=True, slots=True)
class Listener:
    """An open listening socket."""

    service: AnyService
    implicit_tls: bool
    address: str
    port: int
    server: asyncio.Server


class Network:
    """The listeners and connections of this process. Made and used on the loop's thread."""

    def __init__(self, *, tls: TlsIdentity | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        self._wheel = Wheel(self._loop)
        self._tls = tls
        self._gates: dict[str, Gate] = {}
        self._tasks: dict[Connection, asyncio.Task[None]] = {}
        self._opened: set[Connection] = set()
        self._hosted: set[Hosted] = set()
        self._draining = False
        """Connections that were accepted just before the end still come in while it is under way."""
        self._all_gone: asyncio.Future[None] | None = None
        self.listeners: list[Listener] = []

    @property
    def tls(self) -> TlsIdentity | None:
        """The identity that TLS listeners and STARTTLS use."""
        return self._tls

    def gate(self, service: str) -> Gate:
        """The gate of a service that is listened for. Raises KeyError."""
        return self._gates[service]

    def connections(self, service: str) -> int:
        """Open connections of a service."""
        gate = self._gates.get(service)
        return gate.count if gate else 0

    async def listen(
        self, service: AnyService, address: str, port: int, *, implicit_tls: bool = False
    ) -> Listener:
        """Bind `address` and serve there. Port 0 takes a free one. Raises OSError."""
        self._require_tls(service, implicit_tls)
        return await self.listen_socket(service, bind(address, port), implicit_tls=implicit_tls)

    async def listen_socket(
        self, service: AnyService, sock: socket.socket, *, implicit_tls: bool = False
    ) -> Listener:
        """Serve on a socket that is bound already (passed by systemd, or by `bind`)."""
        self._require_tls(service, implicit_tls)
        address, port = sock.getsockname()[:2]
        factory = self._factory(service, implicit_tls)
        server = await self._loop.create_server(factory, sock=sock, backlog=BACKLOG)
        listener = Listener(service, implicit_tls, address, port, server)
        self.listeners.append(listener)
        return listener

    def _factory(self, service: AnyService, implicit_tls: bool) -> Callable[[], asyncio.Protocol]:
        if isinstance(service, HostedService):
            hosted = self._hosted_terms(service, implicit_tls)
            return lambda: Hosted(hosted, self._loop)
        terms = self._terms(service, implicit_tls)
        return lambda: Connection(terms, self._loop)

    def _require_tls(self, service: AnyService, implicit_tls: bool) -> None:
        if implicit_tls and self._tls is None:
            raise ValueError(f"{service.name}: implicit TLS without a certificate")

    def _terms(self, service: Service, implicit_tls: bool) -> Terms:
        gate = self._gates.setdefault(service.name, Gate(service.limits))

        def opened(connection: Connection) -> bool:
            if self._draining:
                connection.abort()
                return False
            if gate.enter(connection):
                self._opened.add(connection)
                return True
            if not implicit_tls:
                connection.write(service.busy)
            connection.close()
            return False

        def started(connection: Connection) -> None:
            task = self._loop.create_task(self._serve(service, connection))
            self._tasks[connection] = task
            task.add_done_callback(lambda _: self._tasks.pop(connection, None))

        def closed(connection: Connection, error: Exception | None) -> None:
            gate.leave(connection)
            self._opened.discard(connection)
            _log.debug("closed service=%s peer=%s error=%s", service.name, connection.peer, error)

        return Terms(
            name=service.name,
            timeouts=service.timeouts,
            wheel=self._wheel,
            tls=self._tls,
            implicit_tls=implicit_tls,
            opened=opened,
            started=started,
            settled=gate.settle,
            closed=closed,
        )

    def _hosted_terms(self, service: HostedService, implicit_tls: bool) -> HostedTerms:
        gate = self._gates.setdefault(service.name, Gate(service.limits))

        def opened(hosted: Hosted) -> bool:
            if self._draining:
                hosted.abort()
                return False
            if gate.enter(hosted):
                self._hosted.add(hosted)
                return True
            if not implicit_tls:
                hosted.write(service.busy)
            hosted.close()
            return False

        def closed(hosted: Hosted) -> None:
            gate.leave(hosted)
            self._hosted.discard(hosted)
            if self._all_gone and not self._hosted and not self._all_gone.done():
                self._all_gone.set_result(None)
            _log.debug("closed service=%s peer=%s", service.name, hosted.peer)

        tls = self._tls if implicit_tls else None
        return HostedTerms(service.guest, service.timeouts, self._wheel, tls, opened, gate.settle, closed)

    async def _serve(self, service: Service, connection: Connection) -> None:
        try:
            await service.serve(connection)
        except ConnectionEnded as end:
            _log.debug("ended service=%s peer=%s reason=%s", service.name, connection.peer, end)
        except Exception:
            _log.exception("service=%s peer=%s failed", service.name, connection.peer)
        finally:
            connection.close()

    async def drain(self, grace: float = 5.0) -> None:
        """End everything: stop accepting, let running commands finish for `grace` seconds, cut off."""
        self._draining = True
        await self._stop_accepting()
        for connection in list(self._opened):
            if connection in self._tasks:
                connection.stop()
            else:
                connection.abort()
        for hosted in list(self._hosted):
            hosted.stop()
        await self._finish(grace)
        waiting: list[asyncio.Task[None]] = [*self._tasks.values()]
        for listener in self.listeners:
            if isinstance(listener.service, HostedService):
                waiting += listener.service.tasks
        for task in waiting:
            task.cancel()
        if waiting:
            await asyncio.wait(waiting, timeout=1.0)
        for connection in list(self._opened):
            connection.abort()
        for hosted in list(self._hosted):
            hosted.abort()
        for _ in range(MAX_TURNS):
            if self._opened or self._hosted:
                await asyncio.sleep(0)
        self._wheel.close()
        self.listeners.clear()

    async def _stop_accepting(self) -> None:
        """Close the listeners. Who was accepted already comes in, to be sent away: asyncio's loop would drop
        a socket whose server closes before the connection is made, without closing it."""
        for listener in self.listeners:
            for sock in listener.server.sockets:
                self._loop.remove_reader(sock)
        for _ in range(ACCEPTING_TURNS):
            await asyncio.sleep(0)
        for listener in self.listeners:
            listener.server.close()
        for _ in range(ACCEPTING_TURNS):
            await asyncio.sleep(0)

    async def _finish(self, grace: float) -> None:
        """Wait until nothing runs any more, `grace` seconds at most."""
        running: list[asyncio.Future[None]] = [*self._tasks.values()]
        if self._hosted:
            self._all_gone = self._loop.create_future()
            running.append(self._all_gone)
        if running:
            await asyncio.wait(running, timeout=grace)


def bind(address: str, port: int) -> socket.socket:
    """A listening TCP socket; `::` takes IPv4 as well. Raises OSError, naming the address."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        sock.bind((address, port))
        sock.listen(BACKLOG)
        sock.setblocking(False)
    except OSError as error:
        sock.close()
        raise OSError(error.errno, f"{address} port {port}: {error.strerror}") from error
    return sock
