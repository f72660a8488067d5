"""A connection for a protocol that brings its own asyncio.Protocol (HTTP's): the guest.

Towards the socket this is the protocol, towards the guest it is the transport: limits, TLS, deadlines and
the orderly end are the same as for the services of `connection`, and count from the moment at which the
socket was accepted (a TLS handshake that nobody finishes holds an unsettled place, no more).

Invariants:
- The guest is made when plain text can flow, and hears `connection_made` first, `connection_lost` last.
- What the guest writes goes out at the latest when the loop is idle next, in one piece where possible.
- A peer that takes nothing of what was written for as long as `Timeouts.command` allows is cut off.
- `close` sends everything, says so to the peer, and reads what still comes for LINGER seconds, so that an
  answer given before the request was read to its end is not lost to a reset.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

from appliance.net.connection import WRITE_PIECE
from appliance.net.ends import NOWHERE, ends_of
from appliance.net.errors import PeerGone
from appliance.net.layers import TlsLayer
from appliance.net.limits import Limits
from appliance.net.terms import Timeouts
from appliance.net.timers import NEVER, Wheel
from appliance.net.tls import TlsIdentity

LINGER = 2.0
"""Seconds for which a closed connection waits for the peer's end."""


class Guest(Protocol):
    """What is served: an asyncio.Protocol with an ear for deadlines and for the end."""

    def connection_made(self, transport: Any) -> None:
        """Plain text can flow; `transport` is the Hosted."""

    def data_received(self, data: bytes) -> None:
        """Plain text."""

    def eof_received(self) -> bool | None:
        """The peer sends no more. False closes the connection."""

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is closed."""

    def pause_writing(self) -> None:
        """The peer does not keep up."""

    def resume_writing(self) -> None:
        """The peer has caught up."""

    def expired(self) -> None:
        """The deadline that the guest set has passed."""

    def stop(self) -> None:
        """The server is ending: finish what runs, then close."""


@dataclass(frozen=True, slots=True)
class HostedService:
    """A service of guests. `tasks` are those that its guests run: cancelled when the grace is over."""

    name: str
    guest: Callable[["Hosted"], Guest]
    timeouts: Timeouts = field(default_factory=Timeouts)
    limits: Limits = field(default_factory=Limits)
    busy: bytes = b""
    """What a refused peer is told where that can be said in plain text."""
    tasks: set["asyncio.Task[None]"] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class HostedTerms:
    """What the connections of a listener share."""

    guest: Callable[["Hosted"], Guest]
    timeouts: Timeouts
    wheel: Wheel
    tls: TlsIdentity | None
    opened: Callable[["Hosted"], bool]
    settled: Callable[["Hosted"], None]
    closed: Callable[["Hosted"], None]


class Hosted(asyncio.Protocol, asyncio.Transport):
    """A peer, for a guest. `terms.tls` is there where the connection begins with TLS."""

    __slots__ = (
        "_closing",
        "_eof",
        "_flushing",
        "_guest",
        "_guest_deadline",
        "_loop",
        "_lost",
        "_out",
        "_out_size",
        "_socket",
        "_stalled",
        "_terms",
        "_tls",
        "bucket",
        "bytes_in",
        "bytes_out",
        "deadline",
        "ends",
        "settled",
        "tls_server_end_point",
    )

    def __init__(self, terms: HostedTerms, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._terms, self._loop = terms, loop
        self._socket: asyncio.Transport | None = None
        self._guest: Guest | None = None
        self._tls: TlsLayer | None = None
        self._out: list[bytes] = []
        self._out_size = 0
        self._flushing = self._closing = self._lost = self._eof = self._stalled = False
        self._guest_deadline = NEVER
        self.deadline = self.bucket = NEVER
        self.bytes_in = self.bytes_out = 0
        self.ends = NOWHERE
        self.settled = False
        self.tls_server_end_point: bytes | None = None

    # -- what the guest and its service may know -------------------------------------------------------

    @property
    def peer(self) -> str:
        """The peer's address."""
        return self.ends.peer

    @property
    def is_loopback(self) -> bool:
        """Whether the peer runs on this machine."""
        return self.ends.is_loopback

    @property
    def is_secure(self) -> bool:
        """Whether TLS is on."""
        return self._tls is not None

    @property
    def tls_version(self) -> str:
        """As TLSv1.3; empty without TLS."""
        return self._tls.version() if self._tls else ""

    @property
    def channel_binding(self) -> bytes | None:
        """The token that binds a log-on to this TLS session, as GSS-API and NTLM take it (RFC 5056 2.1)."""
        return b"tls-server-end-point:" + self.tls_server_end_point if self.tls_server_end_point else None

    def settle(self) -> None:
        """The peer has shown who it is."""
        if not self.settled:
            self.settled = True
            self._terms.settled(self)

    def set_deadline(self, seconds: float | None) -> None:
        """`expired` of the guest is to be called after `seconds`; None: never."""
        self._guest_deadline = NEVER if seconds is None else self._loop.time() + seconds
        if not self._stalled and not self._closing and not self._lost:
            self._watch(self._guest_deadline)

    def _watch(self, deadline: float) -> None:
        if deadline == NEVER:
            self.deadline = NEVER
        else:
            self._terms.wheel.watch(self, deadline)

    # -- the socket's side -----------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket was accepted."""
        self._socket = cast(asyncio.Transport, transport)
        self.ends = ends_of(transport)
        if not self._terms.opened(self):
            return
        if self._terms.tls is None:
            self._begin()
        else:
            self._tls = TlsLayer(self._terms.tls.context)
            self._watch(self._loop.time() + self._terms.timeouts.greeting)

    def _begin(self) -> None:
        self._guest = self._terms.guest(self)
        self._guest.connection_made(self)

    def data_received(self, data: bytes) -> None:
        """Bytes of the socket: through TLS to the guest."""
        self.bytes_in += len(data)
        if self._closing:  # lingering
            return
        if self._tls:
            try:
                data = self._decrypt(self._tls, data)
            except PeerGone:
                self.abort()
                return
        if data and self._guest:
            self._guest.data_received(data)
        if self._tls and self._tls.ended and not self._eof:
            self._peer_ended()

    def _decrypt(self, tls: TlsLayer, data: bytes) -> bytes:
        handshaking = not tls.established
        try:
            plain = tls.receive(data)
        finally:
            self._send(tls.pending())
        if handshaking and tls.established:
            assert self._terms.tls is not None
            self.tls_server_end_point = self._terms.tls.end_point
            self.deadline = NEVER
            self._begin()
        return plain

    def eof_received(self) -> bool:
        """The peer sends no more."""
        if self._closing or self._guest is None:
            return False
        if not self._eof:
            self._peer_ended()
        return True

    def _peer_ended(self) -> None:
        self._eof = True
        if self._guest and not self._guest.eof_received():
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is closed."""
        self._lost = True
        self._terms.wheel.forget(self)
        if self._guest:
            self._guest.connection_lost(exc)
        self._terms.closed(self)

    def pause_writing(self) -> None:
        """The peer does not keep up with reading."""
        self._stalled = True
        if not self._closing:
            part = self._terms.timeouts
            self._watch(self._loop.time() + part.command + WRITE_PIECE / part.least_rate)
        if self._guest:
            self._guest.pause_writing()

    def resume_writing(self) -> None:
        """The peer has caught up."""
        self._stalled = False
        if not self._closing:
            self._watch(self._guest_deadline)
        if self._guest:
            self._guest.resume_writing()

    def expired(self) -> None:
        """A deadline has passed (called by the wheel): the handshake's, the peer's, or the guest's."""
        if self._closing or self._stalled or self._guest is None:
            self.abort()
        else:
            self._guest_deadline = NEVER
            self._guest.expired()

    def stop(self) -> None:
        """The server is ending."""
        if self._guest is None:
            self.abort()
        elif not self._closing:
            self._guest.stop()

    # -- the guest's side ------------------------------------------------------------------------------

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """What the socket's transport knows; `sslcontext` where TLS is on."""
        if name == "sslcontext":
            return self._terms.tls.context if self._tls and self._terms.tls else default
        return self._socket.get_extra_info(name, default) if self._socket else default

    def pause_reading(self) -> None:
        """No more input for now (what was read already still comes)."""
        if self._socket and not self._lost and not self._closing:
            self._socket.pause_reading()

    def resume_reading(self) -> None:
        """Input again."""
        if self._socket and not self._lost and not self._closing:
            self._socket.resume_reading()

    def is_closing(self) -> bool:
        """Whether nothing more can be written."""
        return self._closing or self._lost

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send bytes, gathered with their neighbours."""
        if self._closing or self._lost or not data:
            return
        self._out.append(bytes(data))
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
            self._send(self._tls.encrypt(data) if self._tls else data)
        except PeerGone:
            self.abort()

    def _send(self, data: bytes) -> None:
        if data and self._socket and not self._lost:
            self.bytes_out += len(data)
            self._socket.write(data)

    def close(self, *, linger: bool = True) -> None:
        """Send what is gathered, then the end; then wait a little for the peer's end (`linger`), where the
        peer may still be sending."""
        if self._closing or self._lost or self._socket is None:
            return
        self._flush()
        if self._tls and self._tls.established:
            self._send(self._tls.close())
        self._closing = True
        if self._eof or self._guest is None or not linger:
            self._socket.close()
        else:
            self._socket.resume_reading()
            self._socket.write_eof()
        self._terms.wheel.watch(self, self._loop.time() + LINGER)

    def abort(self) -> None:
        """Cut the connection off."""
        self._closing = True
        if self._socket:
            self._socket.abort()
