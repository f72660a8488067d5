"""One connection of a line-based protocol: bounded reading, writing with back-pressure, deadlines, layers.

Between the socket and the protocol lie, when switched on, TLS and DEFLATE (`layers`). The service runs in
one task and awaits `read_line`, `read_some`, `wait_input` and `drain`; everything else is synchronous.

Invariants:
- At most about READ_HIGH bytes of input wait in the buffer (plus one read of the socket); then reading
  from the socket stops until the service has taken them.
- Plain text that was received before STARTTLS is dropped before the answer to STARTTLS is sent.
- What `write` was given goes out at the latest when the loop is idle next, in order, in one piece where
  possible; `drain` waits while the peer does not read.
- A deadline runs whenever the service waits for the peer, and never while it works.
- When the peer is gone, reads raise PeerGone and writes do nothing.
"""

import asyncio
from typing import Any, cast

from appliance.net.ends import ends_of
from appliance.net.errors import ConnectionEnded, LineTooLong, PeerGone, ShuttingDown, TimedOut
from appliance.net.inbuffer import InBuffer
from appliance.net.layers import DeflateLayer, TlsLayer
from appliance.net.terms import Terms
from appliance.net.timers import NEVER

READ_HIGH = 128 << 10
"""Bytes waiting for the service at which reading from the socket stops."""

WRITE_PIECE = 64 << 10
"""Bytes that are gathered before they are handed to the socket without being asked to."""

MAX_LINE = 8192
"""Bytes of a line with its end, unless the service says otherwise."""

MAX_DISCARDED = 1 << 20
"""Bytes of one overlong line that are skipped before the connection is given up."""

CLOSING_TIME = 20.0
"""Seconds in which a closing peer has to take the rest of what was written."""


class Connection(asyncio.Protocol):
    """A peer, for a service. Made by a listener."""

    __slots__ = (
        "_allowance",
        "_buffer",
        "_closing",
        "_deflate",
        "_draining",
        "_eof",
        "_error",
        "_flushing",
        "_loop",
        "_lost",
        "_out",
        "_out_size",
        "_reading_paused",
        "_stopping",
        "_terms",
        "_tls",
        "_transport",
        "_waiter",
        "_woken",
        "_writing_paused",
        "bucket",
        "bytes_in",
        "bytes_out",
        "deadline",
        "is_loopback",
        "local",
        "local_port",
        "peer",
        "peer_port",
        "settled",
        "started_at",
        "tls_server_end_point",
    )

    def __init__(self, terms: Terms, loop: asyncio.AbstractEventLoop) -> None:
        self._terms = terms
        self._loop = loop
        self._transport: asyncio.Transport | None = None
        self._buffer = InBuffer()
        self._out: list[bytes] = []
        self._out_size = 0
        self._flushing = False
        self._waiter: asyncio.Future[None] | None = None
        self._draining: asyncio.Future[None] | None = None
        self._tls: TlsLayer | None = None
        self._deflate: DeflateLayer | None = None
        self._error: ConnectionEnded | None = None
        self._eof = self._lost = self._closing = self._stopping = self._woken = False
        self._reading_paused = self._writing_paused = False
        self._allowance: float | None = None
        self.deadline = NEVER
        self.bucket = NEVER
        self.bytes_in = self.bytes_out = 0
        self.started_at = loop.time()
        self.settled = False
        """Whether the peer has shown who it is (see `settle`)."""
        self.peer = self.local = ""
        self.peer_port = self.local_port = 0
        self.is_loopback = False
        """Whether both ends are loopback addresses: the peer runs on this machine."""
        self.tls_server_end_point: bytes | None = None
        """Channel binding data of the TLS session (RFC 5929 4): the hash of our certificate."""

    # -- the loop's side ------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket was accepted."""
        self._transport = cast(asyncio.Transport, transport)
        self.peer, self.peer_port, self.local, self.local_port, self.is_loopback = ends_of(transport)
        if not self._terms.opened(self):
            return
        if self._terms.implicit_tls:
            self._begin_tls()
            self._terms.wheel.watch(self, self._loop.time() + self._terms.timeouts.greeting)
        else:
            self._terms.started(self)

    def data_received(self, data: bytes) -> None:
        """Bytes of the socket: through the layers into the buffer."""
        self.bytes_in += len(data)
        if self._closing:
            return
        try:
            if self._tls:
                data = self._decrypt(data)
            if self._deflate and data:
                self._inflate(data)
            elif data:
                self._buffer.add(data)
        except PeerGone as error:
            self._fail(error)
            return
        if data:
            self._arrived(len(data))

    def _decrypt(self, data: bytes) -> bytes:
        tls = cast(TlsLayer, self._tls)
        handshaking = not tls.established
        try:
            plain = tls.receive(data)
        finally:
            self._send_raw(tls.pending())
        self._eof = self._eof or tls.ended
        if tls.ended:
            self._wake()
        if handshaking and tls.established:
            self._handshake_done()
        return plain

    def _arrived(self, count: int) -> None:
        if len(self._buffer) > READ_HIGH and not self._reading_paused and self._transport:
            self._reading_paused = True
            self._transport.pause_reading()
        if self._allowance is not None:
            earned = count / self._terms.timeouts.least_rate
            self._allowance = min(self._allowance + earned, self._terms.timeouts.command)
        self._wake()

    def _inflate(self, data: bytes) -> None:
        deflate = cast(DeflateLayer, self._deflate)
        self._buffer.add(deflate.receive(data))
        while deflate.waiting and len(self._buffer) < READ_HIGH:
            self._buffer.add(deflate.receive(b""))

    def eof_received(self) -> bool:
        """The peer sends no more; what it sent is still served."""
        self._eof = True
        if self._tls and not self._tls.established:
            return False
        self._wake()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is closed."""
        self._lost = self._eof = True
        self._terms.wheel.forget(self)
        self._wake()
        self._wake_drain()
        self._terms.closed(self, exc)

    def pause_writing(self) -> None:
        """The peer does not keep up with reading."""
        self._writing_paused = True

    def resume_writing(self) -> None:
        """The peer has caught up."""
        self._writing_paused = False
        self._wake_drain()

    def expired(self) -> None:
        """The deadline has passed (called by the wheel)."""
        if self._closing or (self._tls and not self._tls.established):
            self.abort()
            return
        self._error = TimedOut("the peer did not keep up" if self._draining else "the peer was silent")
        self._wake()
        self._wake_drain()

    def _wake(self) -> None:
        if self._waiter and not self._waiter.done():
            self._waiter.set_result(None)

    def _wake_drain(self) -> None:
        if self._draining and not self._draining.done():
            self._draining.set_result(None)

    def _fail(self, error: ConnectionEnded) -> None:
        """The layers below the protocol broke: nothing more can be said."""
        self._error = error
        self._wake()
        self._wake_drain()
        self._end()

    # -- reading --------------------------------------------------------------------------------------

    @property
    def buffered(self) -> int:
        """Bytes of input that wait: whether the peer pipelines."""
        return len(self._buffer)

    async def read_line(self, limit: int = MAX_LINE) -> bytes:
        """The next line with its line end (LF, whether or not CR stands before it), `limit` bytes at most.

        Raises LineTooLong after skipping a longer one, PeerGone when the peer closed (an unfinished line
        is dropped), TimedOut, and ShuttingDown where the server ends and no line has begun.
        """
        self._allowance = None
        line = self.take_line(limit)
        if line is not None:
            return line
        until = 0.0
        while True:
            if self._buffer:
                until = until or self._loop.time() + self._terms.timeouts.command
                await self._more(until)
            else:
                await self._more(self._loop.time() + self._patience(), between=True)
            line = self.take_line(limit)
            if line is not None:
                return line
            if len(self._buffer) >= limit:
                await self._skip_line(until)

    def take_line(self, limit: int = MAX_LINE) -> bytes | None:
        """The next line if all of it is here: pipelined commands cost no switch of tasks."""
        end = self._buffer.line_end()
        if not end:
            return None
        line = self._take(end)
        if len(line) > limit:
            raise LineTooLong(f"a line of {len(line)} bytes")
        return line

    async def _skip_line(self, until: float) -> None:
        skipped = 0
        until = until or self._loop.time() + self._terms.timeouts.command
        while True:
            end = self._buffer.line_end()
            skipped += len(self._take(end or len(self._buffer)))
            if end:
                raise LineTooLong(f"a line of {skipped} bytes")
            if skipped > MAX_DISCARDED:
                raise PeerGone("a line without end")
            await self._more(until)

    async def read_some(self, limit: int) -> bytes:
        """Between 1 and `limit` bytes: whatever is here, else what comes next.

        Raises PeerGone at the end, and TimedOut when a body comes more slowly than the least rate."""
        if not self._buffer:
            if self._allowance is None:
                self._allowance = self._terms.timeouts.command
            while not self._buffer:
                began = self._loop.time()
                await self._more(began + self._allowance)
                self._allowance -= self._loop.time() - began
        return self._take(limit)

    async def read_exactly(self, count: int) -> bytes:
        """Exactly `count` bytes, gathered in memory: for small literals that the caller has bounded."""
        pieces = []
        while count > 0:
            pieces.append(await self.read_some(count))
            count -= len(pieces[-1])
        return b"".join(pieces)

    def unread(self, data: bytes) -> None:
        """Give back bytes that were read too far: they are read again next."""
        self._buffer.give_back(data)

    async def wait_input(self, seconds: float | None = None) -> bool:
        """Wait for input (or the peer's end), for `seconds` at most (default: the idle time).

        True: reading will not wait. False: `wake` was called, or a given time is over. Raises TimedOut
        after the default time, ShuttingDown.
        """
        self._allowance = None
        if self._buffer or self._eof:
            return True
        if self._woken:
            self._woken = False
            return False
        try:
            until = self._loop.time() + (self._patience() if seconds is None else seconds)
            await self._more(until, between=True)
        except TimedOut:
            if seconds is None:
                raise
            self._error = None
            return False
        except PeerGone:
            return True
        if self._buffer:
            return True
        self._woken = False
        return False

    def wake(self) -> None:
        """End `wait_input` (this one, or the next) without input: the service has something to tell."""
        self._woken = True
        self._wake()

    def _patience(self) -> float:
        return self._terms.timeouts.idle if self.settled else self._terms.timeouts.greeting

    async def _more(self, deadline: float, *, between: bool = False) -> None:
        """Wait until something happened. `between`: no command has begun, so that the server may end here.
        Raises when nothing more will come."""
        self._check(between)
        self._flush()
        before = len(self._buffer)
        self._refill()
        if len(self._buffer) == before:
            self._waiter = self._loop.create_future()
            self._terms.wheel.watch(self, deadline)
            try:
                await self._waiter
            finally:
                self._waiter = None
                self.deadline = NEVER
        if len(self._buffer) == before:
            self._check(between)

    def _check(self, between: bool = False) -> None:
        if self._error:
            raise self._error
        if self._eof:
            raise PeerGone("the peer closed the connection")
        if between and self._stopping:
            raise ShuttingDown("the server is ending")

    def _take(self, count: int) -> bytes:
        data = self._buffer.take(count)
        if len(self._buffer) < READ_HIGH // 2:
            self._refill()
        return data

    def _refill(self) -> None:
        if self._deflate and self._deflate.waiting:
            try:
                self._inflate(b"")
            except PeerGone as error:
                self._fail(error)
            return
        if self._reading_paused and self._transport and not self._lost:
            self._reading_paused = False
            self._transport.resume_reading()

    # -- writing --------------------------------------------------------------------------------------

    def write(self, data: bytes) -> None:
        """Send bytes: gathered with their neighbours, never waiting."""
        if self._lost or self._closing or not data:
            return
        self._out.append(data)
        self._out_size += len(data)
        if self._out_size >= WRITE_PIECE:
            self._flush()
        elif not self._flushing:
            self._flushing = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flushing = False
        if not self._out:
            return
        data = self._out[0] if len(self._out) == 1 else b"".join(self._out)
        self._out.clear()
        self._out_size = 0
        try:
            if self._deflate:
                data = self._deflate.compress(data)
            if self._tls:
                data = self._tls.encrypt(data)
        except PeerGone as error:
            self._fail(error)
            return
        self._send_raw(data)

    def _send_raw(self, data: bytes) -> None:
        if data and self._transport and not self._lost:
            self.bytes_out += len(data)
            self._transport.write(data)

    async def drain(self) -> None:
        """Send what is gathered, and wait while the peer does not keep up. To be awaited after about every
        WRITE_PIECE bytes of a long answer. Raises PeerGone, TimedOut."""
        self._flush()
        if self._writing_paused and not self._lost and not self._error:
            self._draining = self._loop.create_future()
            patience = self._terms.timeouts.command + WRITE_PIECE / self._terms.timeouts.least_rate
            self._terms.wheel.watch(self, self._loop.time() + patience)
            try:
                await self._draining
            finally:
                self._draining = None
                self.deadline = NEVER
        if self._error:
            raise self._error
        if self._lost:
            raise PeerGone("the peer closed the connection")

    # -- layers and state -----------------------------------------------------------------------------

    @property
    def is_secure(self) -> bool:
        """Whether TLS is on."""
        return self._tls is not None and self._tls.established

    @property
    def can_start_tls(self) -> bool:
        """Whether STARTTLS may be offered now."""
        return self._terms.tls is not None and self._tls is None

    @property
    def tls_version(self) -> str:
        """As TLSv1.3; empty without TLS."""
        return self._tls.version() if self._tls else ""

    @property
    def tls_cipher(self) -> str:
        """Name of the cipher suite; empty without TLS."""
        return self._tls.cipher() if self._tls else ""

    @property
    def is_closing(self) -> bool:
        """Whether nothing more can be said to the peer."""
        return self._closing or self._lost

    @property
    def stopping(self) -> bool:
        """Whether the server is ending: long work should stop at the next good place."""
        return self._stopping

    async def start_tls(self, ready: bytes) -> None:
        """Drop all input that is waiting, send `ready` in plain text, and do the handshake.

        What was sent before `ready` could have been put there by anyone, and is never looked at
        (RFC 3207 6). Raises PeerGone when the handshake fails, TimedOut."""
        self._buffer.clear()
        self.write(ready)
        self._flush()
        self._refill()
        self._begin_tls()
        until = self._loop.time() + self._terms.timeouts.greeting
        while not self.is_secure:
            await self._more(until)

    def _begin_tls(self) -> None:
        assert self._terms.tls is not None
        self._tls = TlsLayer(self._terms.tls.context)

    def _handshake_done(self) -> None:
        assert self._terms.tls is not None
        self.tls_server_end_point = self._terms.tls.end_point
        self.deadline = NEVER
        if self._terms.implicit_tls:
            self._terms.started(self)
        self._wake()

    def start_deflate(self, ready: bytes) -> None:
        """Send `ready` as it is; everything after it is compressed in both directions (RFC 4978)."""
        self.write(ready)
        self._flush()
        self._deflate = DeflateLayer()
        early = self._buffer.take(len(self._buffer))
        if early:
            try:
                self._inflate(early)
            except PeerGone as error:
                self._fail(error)

    @property
    def channel_binding(self) -> bytes | None:
        """The token that binds a log-on to this TLS session, as GSS-API and NTLM take it (RFC 5056 2.1)."""
        return b"tls-server-end-point:" + self.tls_server_end_point if self.tls_server_end_point else None

    @property
    def is_compressed(self) -> bool:
        """Whether DEFLATE is on."""
        return self._deflate is not None

    def settle(self) -> None:
        """The peer has shown who it is: a user that logged in, a server whose first recipient was taken.
        Until then it is the first to go when connections grow scarce."""
        if not self.settled:
            self.settled = True
            self._terms.settled(self)

    def stop(self) -> None:
        """The server is ending: a service that waits for the next command gets ShuttingDown."""
        self._stopping = True
        if not self._buffer:
            self._wake()

    def close(self) -> None:
        """Send what is gathered and close; a peer that does not take it is cut off after a while."""
        if self._closing or self._lost:
            return
        self._flush()
        if self._tls and self._tls.established and not self._lost:
            self._send_raw(self._tls.close())
        self._end()

    def _end(self) -> None:
        self._closing = True
        if self._transport and not self._lost:
            self._transport.close()
            self._terms.wheel.watch(self, self._loop.time() + CLOSING_TIME)

    def abort(self) -> None:
        """Cut the connection off."""
        self._closing = True
        if self._transport:
            self._transport.abort()

    def get_extra_info(self, name: str) -> Any:
        """What the transport knows (`socket`, `peername`, ...)."""
        return self._transport.get_extra_info(name) if self._transport else None
