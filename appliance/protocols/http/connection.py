"""One HTTP/1.1 connection: uvicorn's protocol over h11, with our limits, deadlines and manners.

What differs from uvicorn's own:
- The connection's identity (`Peer`) is in the ASGI scope, as `scope["state"]["peer"]`.
- Deadlines run on the network's wheel: for the head of a request, for the rate of its body, between
  requests. None runs while a response is being made: long polls may last.
- A peer that closes its side after a whole request gets its answer, if that comes within HALF_CLOSED.
- Bytes that are no HTTP are answered with the status that fits, then the connection is closed.
"""

import asyncio
import contextlib
import sys
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import h11
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from appliance.net.hosted import Hosted
from appliance.net.terms import Timeouts
from appliance.protocols.http.schemes import Bound, Negotiation

HALF_CLOSED = 10.0
"""Seconds in which an answer may still go to a peer that sends no more."""


@dataclass(slots=True)
class Peer:
    """A connection, and who logged on over it by a scheme that is bound to connections."""

    hosted: Hosted
    negotiation: Negotiation | None = None
    bound: Bound | None = None


class HttpConnection(H11Protocol):
    """A connection. `timeouts`: of the service."""

    def __init__(self, config: Config, state: ServerState, hosted: Hosted, timeouts: Timeouts) -> None:
        super().__init__(config, state, {"peer": Peer(hosted)}, asyncio.get_running_loop())
        self.access_log = False  # uvicorn's own would show queries
        self._hosted, self._timeouts = hosted, timeouts
        self._in_head = False
        self._allowance = timeouts.command
        self._metered: object = None

    # -- input ------------------------------------------------------------------------------------------

    def connection_made(self, transport: Any) -> None:
        """Plain text can flow."""
        super().connection_made(transport)
        self._between()

    def data_received(self, data: bytes) -> None:
        """Bytes of requests."""
        if self.conn.our_state is h11.ERROR or self.transport.is_closing():
            return
        super().data_received(data)
        self._watch_input(len(data))

    def eof_received(self) -> bool:  # type: ignore[override]
        """The peer sends no more: nobody waits for an answer, unless a request is complete."""
        if self._is_busy() and not self.cycle.more_body:
            self.cycle.keep_alive = False
            self._hosted.set_deadline(HALF_CLOSED)
            return True
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is closed."""
        self._hosted.set_deadline(None)
        super().connection_lost(exc)

    def _should_upgrade(self) -> bool:
        return False  # RFC 9110 7.8: a server may ignore Upgrade

    def send_400_response(self, msg: str) -> None:
        """What came is no HTTP: say so, unless an answer is under way, and close."""
        error = sys.exception()
        status = error.error_status_hint if isinstance(error, h11.RemoteProtocolError) else 400
        self._refuse(status)

    def _refuse(self, status: int) -> None:
        answering = self._is_busy() and self.cycle.response_started
        if not answering and self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            self._write_error(status)
        if self._is_busy():
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.transport.close()

    def _write_error(self, status: int) -> None:
        headers = [(b"content-length", b"0"), (b"connection", b"close")]
        reason = HTTPStatus(status).phrase.encode()
        with contextlib.suppress(h11.LocalProtocolError):
            head = self.conn.send(h11.Response(status_code=status, headers=headers, reason=reason))
            self.transport.write((head or b"") + (self.conn.send(h11.EndOfMessage()) or b""))

    def _is_busy(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    # -- time -------------------------------------------------------------------------------------------

    def _between(self) -> None:
        self._in_head = False
        patience = self._timeouts.idle if self._hosted.settled else self._timeouts.greeting
        self._hosted.set_deadline(patience)

    def _watch_input(self, count: int) -> None:
        """Set the deadline for what is to come next; `count` bytes came just now."""
        if self.transport.is_closing():
            return
        if self.conn.their_state is h11.SEND_BODY:
            if self._metered is not self.cycle:
                self._metered, self._allowance = self.cycle, self._timeouts.command
            earned = count / self._timeouts.least_rate
            self._allowance = min(self._allowance + earned, self._timeouts.command)
            self._in_head = False
            self._hosted.set_deadline(self._allowance)
        elif self.conn.their_state is not h11.IDLE:
            self._in_head = False
            self._hosted.set_deadline(None)
        elif not self.conn.trailing_data[0]:
            self._between()
        elif not self._in_head:
            self._in_head = True
            self._hosted.set_deadline(self._timeouts.command)

    def on_response_complete(self) -> None:
        """A response is out: the next request may come, or is here already."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.conn.our_state is h11.DONE and self.conn.their_state is h11.DONE:
            self.conn.start_next_cycle()
            self.handle_events()
        self._watch_input(0)

    def expired(self) -> None:
        """The peer was silent, or too slow."""
        if self._is_busy():
            if self.cycle.more_body and self.flow.read_paused:  # it is we who do not read on
                self._hosted.set_deadline(self._timeouts.command)
            else:
                self._refuse(408)
        elif self._in_head:
            self._refuse(408)
        else:
            self.stop()

    def stop(self) -> None:
        """Finish what runs, then close."""
        if self._is_busy():
            self.cycle.keep_alive = False
            return
        with contextlib.suppress(h11.LocalProtocolError):
            self.conn.send(h11.ConnectionClosed())
        self._hosted.close(linger=False)
