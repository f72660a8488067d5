"""SMTP on the network: the services of ports 25, 587 and 465."""

from appliance.net.connection import Connection, Timeouts
from appliance.net.limits import Limits
from appliance.net.listener import Service
from appliance.protocols.smtp import replies
from appliance.protocols.smtp.service import RELAY, SUBMISSION, Port, SmtpService
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
