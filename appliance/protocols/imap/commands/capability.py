"""CAPABILITY (RFC 9051 6.1.1)."""

from appliance.protocols.imap.capabilities import capabilities
from appliance.protocols.imap.session import Session
from appliance.protocols.imap.table import ANY, Command, Done, no_arguments


async def run(session: Session, _: None) -> Done:
    """Tell what is offered in this state."""
    session.write(b"CAPABILITY " + capabilities(session))
    return Done("Capability completed.")


COMMAND = Command(b"CAPABILITY", ANY, no_arguments, run)
