"""What a service asks of its connections: how long it waits for a peer, and who is told of what."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from appliance.net.timers import Wheel
from appliance.net.tls import TlsIdentity

if TYPE_CHECKING:
    from appliance.net.connection import Connection


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long a service waits for its peers. Seconds; `least_rate` in bytes a second."""

    greeting: float = 60.0
    """For the TLS handshake, and for each command until `settle` was called."""
    idle: float = 600.0
    """For the next command afterwards."""
    command: float = 60.0
    """For the rest of a line once its first byte is there, and for the first byte of a body."""
    least_rate: float = 512.0
    """A body sent, or an answer taken, slower than this for as long as `command` ends the connection."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What the connections of a listener share."""

    name: str
    timeouts: Timeouts
    wheel: Wheel
    tls: TlsIdentity | None
    implicit_tls: bool
    opened: Callable[["Connection"], bool]
    """Whether a connection that was just accepted may stay."""
    started: Callable[["Connection"], None]
    """The connection can be served (after the handshake of implicit TLS)."""
    settled: Callable[["Connection"], None]
    closed: Callable[["Connection", Exception | None], None]
