"""SMTP on the network: the services of ports 25, 587 and 465, made of the parts of the process."""

from appliance.net.connection import Connection
from appliance.net.limits import Limits
from appliance.net.listener import Service
from appliance.net.parts import Parts
from appliance.net.terms import Timeouts
from appliance.protocols.smtp import replies
from appliance.protocols.smtp.service import RELAY, SUBMISSION, Port, SmtpService, SmtpSettings
from appliance.protocols.smtp.session import SmtpSession

TIMEOUTS = Timeouts(greeting=60.0, idle=300.0, command=60.0, least_rate=512.0)
"""RFC 5321 4.5.3.2.7: a server waits five minutes for the next command, of peers that have shown who they
are."""


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
