"""SMTP on the network: the services of ports 25, 587 and 465, made of the parts of the process."""

from typing import Protocol

from appliance.config import Settings
from appliance.directory.authenticate import Authenticator
from appliance.directory.domains import Organization
from appliance.net.connection import Connection, Timeouts
from appliance.net.limits import Limits
from appliance.net.listener import Service
from appliance.net.log import Quiet
from appliance.protocols.smtp import replies
from appliance.protocols.smtp.service import RELAY, SUBMISSION, Port, SmtpService, SmtpSettings
from appliance.protocols.smtp.session import SmtpSession
from appliance.store.store import Store

TIMEOUTS = Timeouts(greeting=60.0, idle=300.0, command=60.0, least_rate=512.0)
"""RFC 5321 4.5.3.2.7: a server waits five minutes for the next command, of peers that have shown who they
are."""


class Parts(Protocol):
    """What the composition root gives."""

    @property
    def store(self) -> Store:
        """The store."""

    @property
    def authenticator(self) -> Authenticator:
        """Who checks log-ins."""

    @property
    def settings(self) -> Settings:
        """The settings as they are now."""

    @property
    def organization(self) -> Organization:
        """The server's name and domains."""

    @property
    def quiet(self) -> Quiet:
        """Log lines that strangers can provoke."""

    def limits(self) -> Limits:
        """Numbers of connections."""


def _service(smtp: SmtpService, port: Port, limits: Limits) -> Service:
    async def serve(connection: Connection) -> None:
        await SmtpSession(smtp, port, connection).run()

    return Service(port.name, serve, TIMEOUTS, limits, busy=replies.TOO_MANY_CONNECTIONS)


def relay_service(smtp: SmtpService, limits: Limits) -> Service:
    """Port 25: mail for this server, from anybody."""
    return _service(smtp, RELAY, limits)


def submission_service(smtp: SmtpService, limits: Limits) -> Service:
    """Ports 587 (STARTTLS) and 465 (implicit TLS): mail of users, for anybody (RFC 6409, RFC 8314)."""
    return _service(smtp, SUBMISSION, limits)


def _smtp(parts: Parts) -> SmtpService:
    settings = SmtpSettings(
        parts.organization.hostname, parts.settings.smtp.max_size, parts.settings.auth.plain_on_loopback
    )
    return SmtpService(parts.store, settings, parts.authenticator, parts.quiet)


def relay(parts: Parts) -> Service:
    """The service of port 25."""
    return relay_service(_smtp(parts), parts.limits())


def submission(parts: Parts) -> Service:
    """The service of ports 587 and 465."""
    return submission_service(_smtp(parts), parts.limits())
