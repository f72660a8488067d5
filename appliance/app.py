"""The composition root: the only place where objects are wired together.

`SERVICES` is the table of everything that is served: role, ports, and the function that makes the service of
the parts. `Server` opens the store, makes the parts, listens, follows changes of settings and certificate,
and ends in order. Rows are made lazily: a role that is not served imports nothing.
"""

import asyncio
import importlib
import logging
import os
import ssl
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from appliance import config
from appliance.config import Settings
from appliance.directory import credentials, domains, entries
from appliance.directory.authenticate import Authenticator
from appliance.mailbox import public
from appliance.mapi.times import from_unix_ns, to_unix
from appliance.net import housekeeping, systemd
from appliance.net.announce import Announcer, Receiver
from appliance.net.listener import AnyService, Listener, Network, bind
from appliance.net.log import Quiet, event
from appliance.net.offers import Offer, Offers
from appliance.net.parts import Parts
from appliance.net.running import Presence
from appliance.net.tls import DIRECTORY, TlsIdentity
from appliance.net.watch import Watches
from appliance.store import migrate
from appliance.store import settings as stored_settings
from appliance.store.check import Extra
from appliance.store.keys import SERVER
from appliance.store.kv import WriteTxn
from appliance.store.store import Store

READER_THREADS = 4
WEB = "web"
"""The role that serves HTTP."""

VERIFIER_THREADS = 2
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Row:
    """A service: its role, its standard ports (None where it has none), and where it is made
    (`module:function`, called with the parts)."""

    name: str
    role: str
    port: int | None
    tls_port: int | None
    target: str


SERVICES = (
    Row("smtp", "mta", 25, None, "appliance.protocols.smtp.server:relay"),
    Row("submission", "mta", 587, 465, "appliance.protocols.smtp.server:submission"),
    Row("imap", "access", 143, 993, "appliance.protocols.imap.server:service"),
    Row("pop3", "access", 110, 995, "appliance.protocols.pop3.server:service"),
    Row("http", "web", 80, 443, "appliance.protocols.http.server:service"),
)


@dataclass(frozen=True, slots=True)
class Site:
    """Something that is served over HTTP: its name, the path that clients are told of, and where its routes
    are made (`module:function`, called with the parts)."""

    name: str
    path: str
    target: str


SITES = (
    Site("autodiscover", "/autodiscover/autodiscover.xml", "appliance.protocols.autodiscover.server:routes"),
    Site("mapihttp", "/mapi/", "appliance.protocols.mapihttp.server:routes"),
)

TASKS: tuple[tuple[str, str], ...] = (
    ("mta", "appliance.transport.task:run"),
    ("mta", "appliance.transport.housekeeping:run"),
    ("access", "appliance.net.indexing:run"),
    ("mta", "appliance.net.freebusy:run"),
    ("panel", "appliance.panel.task:run"),
    ("web", "appliance.net.mdns:run"),
)
"""Background work: (role, `module:coroutine function`), called with the parts and cancelled at the end."""


def check_extras() -> tuple[Extra, ...]:
    """What `appliance check` verifies beside the mailboxes."""
    return (Extra("directory", entries.check),)


def _public_store() -> Callable[[WriteTxn], None]:
    """What makes the public store, unless another process has made it meanwhile."""
    guids, now = (os.urandom(16), os.urandom(16)), from_unix_ns(time.time_ns())

    def make(txn: WriteTxn) -> None:
        if public.find(txn) is None:
            public.create_store(txn, guids=guids, uidvalidity=int(to_unix(now)), now=now)

    return make


def _target(target: str) -> Callable[..., Any]:
    module, _, name = target.partition(":")
    return cast(Callable[..., Any], getattr(importlib.import_module(module), name))


class Server:
    """Everything that one process serves. Made on the loop's thread."""

    def __init__(
        self, data: Path, flags: Mapping[str, config.Value], failed: Callable[[Exception], None]
    ) -> None:
        """`failed` is called on the loop when the device failed: the process must end.

        Raises SettingError, StoreError, OSError: then nothing is served."""
        self._data, self._flags = data, flags
        self._loop = asyncio.get_running_loop()
        self._executor = ThreadPoolExecutor(READER_THREADS, "reader")
        self._loop.set_default_executor(self._executor)
        self.device_failed = False
        self._told_failure = failed
        self.store = Store.open(data, self._failed_elsewhere)
        try:
            self._wire()
        except BaseException:
            self.store.close()
            raise

    def _wire(self) -> None:
        migrate.expand(self.store)
        settings = self._settings()
        with self.store.read() as txn:
            organization, has_public = domains.get(txn), public.find(txn) is not None
        if not has_public:  # clients log on to the public folders before anybody made one
            self.store.write(_public_store()).result()
        if organization.ntlm != settings.auth.ntlm:  # the settings file says otherwise than the store
            self.store.write(lambda txn: credentials.set_ntlm(txn, settings.auth.ntlm)).result()
        self._identity = _identity(self._data)
        watches = Watches(self.store)
        self._receiver = Receiver(self._data, watches.changed, watches.tell_all)
        self._announcer = Announcer(self.store, self._receiver.name)
        self.parts = Parts(
            store=self.store,
            settings=settings,
            organization=organization,
            watches=watches,
            network=Network(tls=self._identity),
            authenticator=Authenticator(self.store),
            verifiers=ThreadPoolExecutor(VERIFIER_THREADS, "verifier"),
            quiet=Quiet(_log, self._loop),
            offers=offers(settings),
        )
        self._unsubscribe = watches.subscribe(SERVER, self._server_changed)
        self._tasks: list[asyncio.Task[None]] = []
        self._presence: Presence | None = None

    def _settings(self) -> Settings:
        with self.store.read() as txn:
            texts = stored_settings.texts(txn)
        return config.load(self._data, texts, self._flags)

    def _failed_elsewhere(self, error: Exception) -> None:
        """On the writer thread."""
        self._loop.call_soon_threadsafe(self._fail, error)

    def _fail(self, error: Exception) -> None:
        self.device_failed = True
        self._told_failure(error)

    def _server_changed(self) -> None:
        """Settings, the organization or the certificate may have changed."""
        try:
            self.parts.settings = self._settings()
            with self.store.read() as txn:
                self.parts.organization = domains.get(txn)
            if self._identity and self._identity.reload_if_changed():
                event(_log, logging.INFO, "new certificate")
        except (config.SettingError, OSError, ValueError) as error:
            event(_log, logging.ERROR, "a change was not taken", reason=error)

    async def listen(self) -> list[Listener]:
        """Open every listener of the roles; all or none. Raises OSError."""
        settings = self.parts.settings.serve
        passed = {sock.getsockname()[1] - settings.port_offset: sock for sock in systemd.passed_sockets()}
        if WEB in settings.roles:
            self.parts.routes = tuple(row for site in SITES for row in _target(site.target)(self.parts))
        for row in SERVICES:
            if row.role not in settings.roles:
                continue
            service: AnyService = _target(row.target)(self.parts)
            for port, implicit in ((row.port, False), (row.tls_port, True)):
                if port is None or (implicit and self._identity is None):
                    continue
                if port in passed:
                    sock = passed.pop(port)
                    await self.parts.network.listen_socket(service, sock, implicit_tls=implicit)
                    continue
                for address in settings.bind:
                    sock = bind(address, port + settings.port_offset)
                    await self.parts.network.listen_socket(service, sock, implicit_tls=implicit)
        for sock in passed.values():
            event(_log, logging.WARNING, "a passed socket is nobody's", port=sock.getsockname()[1])
            sock.close()
        for role, target in TASKS:
            if role in settings.roles:
                self._tasks.append(asyncio.create_task(_target(target)(self.parts)))
        await housekeeping.sweep(self.store)
        self._tasks.append(asyncio.create_task(housekeeping.run(self.store)))
        self._presence = Presence(self._data, self.facts())
        return self.parts.network.listeners

    def facts(self) -> dict[str, Any]:
        """What `status` tells of this process."""
        return {
            "roles": list(self.parts.settings.serve.roles),
            "listeners": [
                {
                    "service": listener.service.name,
                    "tls": listener.implicit_tls,
                    "address": listener.address,
                    "port": listener.port,
                }
                for listener in self.parts.network.listeners
            ],
        }

    async def close(self, grace: float = 4.0) -> None:
        """End in order: no new connections, running commands finish, then background work, then the store."""
        await self.parts.network.drain(grace)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._unsubscribe()
        self._receiver.close()
        self.parts.watches.close()
        self.parts.quiet.flush()
        if self._presence:
            self._presence.close()
        self.parts.verifiers.shutdown(wait=False, cancel_futures=True)
        self._executor.shutdown(wait=False, cancel_futures=True)
        if not self.device_failed:
            self.store.close()
        self._announcer.close()


def offers(settings: Settings) -> Offers:
    """Every service with its ports, as the tables have them."""
    offset = settings.serve.port_offset
    rows = [Offer(row.name, _moved(row.port, offset), _moved(row.tls_port, offset)) for row in SERVICES]
    rows += [Offer(site.name, 80 + offset, 443 + offset, site.path) for site in SITES]
    return Offers(rows)


def _moved(port: int | None, offset: int) -> int | None:
    return None if port is None else port + offset


def _identity(data: Path) -> TlsIdentity | None:
    """The certificate; None where there is none yet, so that the rest is served without TLS."""
    try:
        return TlsIdentity(data / DIRECTORY)
    except FileNotFoundError:
        event(_log, logging.WARNING, "no certificate: TLS is not offered")
        return None
    except (ssl.SSLError, ValueError) as error:
        raise OSError(f"{data / DIRECTORY}: the certificate cannot be used: {error}") from error
