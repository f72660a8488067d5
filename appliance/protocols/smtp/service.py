"""What the SMTP sessions of this process share: settings, the store, names for messages, log-on."""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from appliance.directory.authenticate import Authenticator
from appliance.mapi.times import from_unix_ns
from appliance.net.log import Quiet
from appliance.store.store import Store
from appliance.transport.lookups import Lookups
from appliance.transport.trace import Tokens

MAX_SIZE = 100 << 20
"""Octets of a message, unless configured otherwise."""


@dataclass(frozen=True, slots=True)
class SmtpSettings:
    """What is configured. `max_size` in octets; `trust_loopback`: a connection within this machine counts
    as private, so that passwords may pass without TLS."""

    hostname: str
    max_size: int = MAX_SIZE
    trust_loopback: bool = True


@dataclass(frozen=True, slots=True)
class Port:
    """What a listening port is for. Port 25 takes mail for this server from anybody; the submission ports
    take mail for anybody from users (RFC 6409)."""

    name: str
    submission: bool

    @property
    def require_auth(self) -> bool:
        """Whether MAIL needs a log-on."""
        return self.submission

    @property
    def require_tls(self) -> bool:
        """Whether a log-on and MAIL need TLS."""
        return self.submission


RELAY = Port("smtp", submission=False)
SUBMISSION = Port("submission", submission=True)


def _now() -> int:
    return from_unix_ns(time.time_ns())


class Turns:
    """Lets one large piece of a message be worked on in each round of the loop: twenty senders at once would
    keep everybody else waiting for twenty pieces."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()

    async def wait(self) -> None:
        """Until it is the caller's turn; the turn lasts until the next `await`."""
        async with self._lock:
            await asyncio.sleep(0)


@dataclass(frozen=True, slots=True)
class SmtpService:
    """Shared by all sessions."""

    store: Store
    settings: SmtpSettings
    authenticator: Authenticator | None = None
    """How users log on; None: AUTH is not offered."""
    quiet: Quiet | None = None
    """Where refusals are logged, that strangers can provoke."""
    lookups: Lookups = field(default_factory=Lookups)
    tokens: Tokens = field(default_factory=Tokens)
    turns: Turns = field(default_factory=Turns)
    now: Callable[[], int] = _now
    """The time, as FILETIME."""

    def tell(self, message: str, peer: str, **fields: object) -> None:
        """Log a refusal: one line for each address, message and minute, then a count."""
        if self.quiet is not None:
            self.quiet.line(logging.INFO, message, peer=peer, **fields)

    def is_full(self) -> bool:
        """Whether the store has no room for mail."""
        return not self.store.has_room()
