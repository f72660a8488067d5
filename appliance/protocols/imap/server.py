"""The network's side: connections of the IMAP service become sessions."""

from appliance.mailbox.search.stored import StoredMessages
from appliance.net.connection import Connection
from appliance.net.limits import Limits
from appliance.net.listener import Service
from appliance.net.parts import Parts
from appliance.net.terms import Timeouts
from appliance.protocols.imap.channel import Channel
from appliance.protocols.imap.commands import TABLE
from appliance.protocols.imap.limits import AUTOLOGOUT, LOGIN_TIMEOUT
from appliance.protocols.imap.services import Services
from appliance.protocols.imap.session import Session
from appliance.store.fulltext import FullText

TIMEOUTS = Timeouts(greeting=LOGIN_TIMEOUT, idle=AUTOLOGOUT)
BUSY = b"* BYE [UNAVAILABLE] Too many connections; try again later.\r\n"


def service(parts: Parts) -> Service:
    """The service of ports 143 and 993."""
    settings = parts.settings
    services = Services(
        parts.store,
        parts.watches,
        parts.authenticator,
        source=StoredMessages(),
        index=FullText(parts.store.directory),
        verifiers=parts.verifiers,
        append_limit=settings.imap.append_limit,
        trust_loopback=settings.auth.plain_on_loopback,
        quiet=parts.quiet,
    )
    timeouts = Timeouts(greeting=LOGIN_TIMEOUT, idle=settings.imap.idle)
    return imap_service(services, timeouts=timeouts, limits=parts.limits())


def imap_service(
    services: Services, *, timeouts: Timeouts = TIMEOUTS, limits: Limits | None = None
) -> Service:
    """The service of sessions that share `services`."""

    async def serve(connection: Connection) -> None:
        await Session(services, Channel(connection), TABLE).serve()

    return Service("imap", serve, timeouts=timeouts, limits=limits or Limits(), busy=BUSY)
