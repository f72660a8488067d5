"""The connection as a session uses it: events in, replies out."""

from appliance.net.connection import Connection
from appliance.protocols.imap.limits import FLUSH_AT
from appliance.protocols.imap.reader import Event, Reader

READ = 64 << 10
"""Octets taken from the connection at a time."""


class Channel:
    """A connection with the reader of its commands."""

    __slots__ = ("_unsent", "connection", "reader")

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.reader = Reader()
        self._unsent = 0

    async def event(self) -> Event | None:
        """The next event of the reader; None when the connection was woken between two commands. Raises
        ConnectionEnded."""
        while True:
            event = self.reader.next()
            if event is not None:
                return event
            if not self.reader.pending and not await self.connection.wait_input():
                return None
            self.reader.feed(await self.connection.read_some(READ))

    async def line(self) -> bytes:
        """A bare line of the client (SASL). Raises ConnectionEnded."""
        while (line := self.reader.next_line()) is None:
            await self._more()
        return line

    async def line_or_wake(self) -> bytes | None:
        """A bare line, or None when the connection was woken (IDLE). Raises ConnectionEnded."""
        while (line := self.reader.next_line()) is None:
            if not self.reader.pending and not await self.connection.wait_input():
                return None
            self.reader.feed(await self.connection.read_some(READ))
        return line

    async def _more(self) -> None:
        await self.connection.wait_input()
        self.reader.feed(await self.connection.read_some(READ))

    def write(self, data: bytes) -> None:
        """Send octets, without waiting."""
        self.connection.write(data)
        self._unsent += len(data)

    async def relieve(self) -> None:
        """Wait for the peer to keep up once enough octets are on their way. Raises ConnectionEnded."""
        if self._unsent >= FLUSH_AT:
            self._unsent = 0
            await self.connection.drain()

    async def start_tls(self, ready: bytes) -> None:
        """Send `ready` and begin TLS; nothing that was sent in clear is looked at (RFC 9051 11.1)."""
        self.reader.discard()
        await self.connection.start_tls(ready)

    def start_deflate(self, ready: bytes) -> None:
        """Send `ready`; from then on both directions are compressed (RFC 4978)."""
        waiting = self.reader.rest()
        if waiting:
            self.connection.unread(waiting)
        self.connection.start_deflate(ready)
