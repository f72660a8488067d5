"""What sessions share: the store, who may log on, what the configuration says."""

import asyncio
import logging
import secrets
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import TYPE_CHECKING, TypeVar

from appliance.directory import sasl
from appliance.directory.authenticate import Authenticator
from appliance.directory.model import Protocol
from appliance.mailbox.errors import Reason, Refused, refused
from appliance.mailbox.incoming import Incoming, Ingest
from appliance.mailbox.rendered import render_pending
from appliance.mailbox.search.evaluate import Index
from appliance.mailbox.search.facts import Source
from appliance.mapi import times
from appliance.net import bridge
from appliance.net.log import Quiet
from appliance.net.watch import Watches
from appliance.protocols.imap.capabilities import capabilities
from appliance.protocols.imap.limits import APPEND_LIMIT
from appliance.protocols.imap.recent import Recents
from appliance.store.errors import StoreError
from appliance.store.kv import ReadTxn, WriteTxn
from appliance.store.store import Store

if TYPE_CHECKING:
    from appliance.protocols.imap.session import Session

T = TypeVar("T")

INLINE_FINISH = 256 << 10
"""Messages up to this many octets are rendered on the loop's thread: a hop to another costs more."""


class Services:
    """One for the process (or for a test's server)."""

    def __init__(
        self,
        store: Store,
        watches: Watches,
        authenticator: Authenticator,
        *,
        source: Source,
        index: Index | None = None,
        verifiers: Executor | None = None,
        append_limit: int = APPEND_LIMIT,
        trust_loopback: bool = True,
        quiet: Quiet | None = None,
    ) -> None:
        self.store = store
        self.watches = watches
        self.authenticator = authenticator
        self.source = source
        """Opens messages for searches."""
        self.index = index
        """The full-text index, if there is one."""
        self.verifiers = verifiers
        """The threads in which log-ons are computed (None: the loop's own)."""
        self.append_limit = append_limit
        self.trust_loopback = trust_loopback
        """Whether connections within the machine count as private."""
        self.recents = Recents(self.now())
        self._quiet = quiet

    def provoked(self, message: str, peer: str, **fields: object) -> None:
        """Log what a stranger provoked: one line for each address and minute, then a count."""
        if self._quiet is not None:
            self._quiet.line(logging.INFO, message, peer=peer, **fields)

    def mechanisms(self, secure: bool) -> list[str]:
        """Names of the SASL mechanisms to offer on a connection that is (or is not) private."""
        context = sasl.Context(self.authenticator, Protocol.IMAP, "", secure, b"", 0)
        return list(sasl.offered(context))

    @staticmethod
    def now() -> int:
        """The time as a FILETIME."""
        return times.from_unix_ns(time.time_ns())

    @staticmethod
    def new_session() -> int:
        """A number that marks a session's changes in the log, unlike any other's."""
        return secrets.randbits(63) | 1

    def greeting(self, session: "Session") -> bytes:
        """The first line of a connection."""
        return b"* OK [CAPABILITY " + capabilities(session) + b"] Satchel is ready.\r\n"

    async def read(self, fn: Callable[[ReadTxn], T]) -> T:
        """Run `fn` over a snapshot in a reader thread. Raises Refused."""
        try:
            return await bridge.read_in_thread(self.store, fn)
        except StoreError as error:
            raise refused(error) from error

    async def write(self, fn: Callable[[WriteTxn], T], *, weight: int = 0, reserve: bool = False) -> T:
        """Run a pure function on the writer thread and await its commit. Raises Refused."""
        try:
            return await bridge.write(self.store, fn, weight=weight, reserve=reserve)
        except StoreError as error:
            raise refused(error) from error

    async def step(self, step: Callable[[], bool]) -> bool:
        """One step of a search in a reader thread; whether it is finished. Raises Refused."""
        return await self.call(step)

    async def call(self, fn: Callable[[], T]) -> T:
        """Run something long in a worker thread. Raises Refused."""
        try:
            return await asyncio.get_running_loop().run_in_executor(None, fn)
        except StoreError as error:
            raise refused(error) from error

    async def render(self, mailbox: int, fid: int) -> None:
        """Give every message of a folder that was born in MAPI its octets, before a session looks at it: what
        a UID stands for never changes afterwards. Raises Refused."""
        await self.call(lambda: render_pending(self.store, mailbox, fid))

    async def result(self, future: "Future[T]") -> T:
        """Await a future of the store. Raises Refused."""
        try:
            return await asyncio.wrap_future(future)
        except StoreError as error:
            raise refused(error) from error

    async def finish(self, ingest: Ingest) -> Incoming:
        """End a message that was streamed in. Raises Refused."""
        try:
            if ingest.size <= INLINE_FINISH:
                return ingest.finish()
            return await asyncio.get_running_loop().run_in_executor(None, ingest.finish)
        except StoreError as error:
            raise refused(error) from error

    @staticmethod
    def refused(error: Exception) -> Refused:
        """An unexpected error while a message came in, as a refusal; anything but the store's is raised."""
        if isinstance(error, StoreError):
            return refused(error)
        if isinstance(error, ValueError):
            return Refused(Reason.INVALID, str(error))
        raise error
