"""STARTTLS (RFC 9051 6.2.1)."""

from appliance.protocols.imap.errors import Bad
from appliance.protocols.imap.session import Session
from appliance.protocols.imap.table import Command, Done, State, no_arguments
from appliance.protocols.imap.wire import status


async def run(session: Session, _: None) -> Done:
    """Begin TLS. What was pipelined behind the command is dropped unseen."""
    if not session.channel.connection.can_start_tls:
        raise Bad("TLS is on already, or not available.")
    await session.channel.start_tls(status(session.tag, b"OK", "Begin TLS negotiation now."))
    session.replied = True
    return Done("")


COMMAND = Command(b"STARTTLS", State.NOT_AUTHENTICATED, no_arguments, run)
