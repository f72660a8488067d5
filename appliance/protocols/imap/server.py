"""The network's side: connections of the IMAP service become sessions."""

from typing import Protocol

from appliance.config import Settings
from appliance.directory.authenticate import Authenticator
from appliance.mailbox.search.stored import StoredMessages
from appliance.net.connection import Connection, Timeouts
from appliance.net.limits import Limits
from appliance.net.listener import Service
from appliance.net.watch import Watches
from appliance.protocols.imap.channel import Channel
from appliance.protocols.imap.commands import TABLE
from appliance.protocols.imap.limits import AUTOLOGOUT, LOGIN_TIMEOUT
from appliance.protocols.imap.services import Services
from appliance.protocols.imap.session import Session
from appliance.store.store import Store


class Parts(Protocol):
    """What the composition root has."""

    store: Store
    settings: Settings
    watches: Watches
    authenticator: Authenticator

    def limits(self) -> Limits:
        """The limits of one service."""


TIMEOUTS = Timeouts(greeting=LOGIN_TIMEOUT, idle=AUTOLOGOUT)
BUSY = b"* BYE [UNAVAILABLE] Too many connections; try again later.\r\n"


def imap_service(
    services: Services, *, timeouts: Timeouts = TIMEOUTS, limits: Limits | None = None
) -> Service:
    """The service to listen for, on 143 with STARTTLS and on 993 with implicit TLS."""

    async def serve(connection: Connection) -> None:
        await Session(services, Channel(connection), TABLE).serve()

    return Service("imap", serve, timeouts=timeouts, limits=limits or Limits(), busy=BUSY)


def service(parts: Parts) -> Service:
    """The service of the composition root."""
    services = Services(
        parts.store,
        parts.watches,
        parts.authenticator,
        source=StoredMessages(),
        trust_loopback=parts.settings.auth.plain_on_loopback,
    )
    return imap_service(services, limits=parts.limits())
