"""LOGOUT (RFC 9051 6.1.3)."""

from appliance.protocols.imap.session import Session
from appliance.protocols.imap.table import ANY, Announce, Command, Done, State, no_arguments


async def run(session: Session, _: None) -> Done:
    """Say goodbye; the session ends after the tagged reply."""
    session.write(b"BYE Logging out.")
    session.unselect()
    session.state = State.LOGOUT
    return Done("Logout completed.")


COMMAND = Command(b"LOGOUT", ANY, no_arguments, run, Announce.NOTHING)
