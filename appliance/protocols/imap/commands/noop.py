"""NOOP and CHECK (RFC 9051 6.1.2, RFC 3501 6.4.1): news is told at the end of every command anyway."""

from appliance.protocols.imap.session import Session
from appliance.protocols.imap.table import ANY, Command, Done, State, no_arguments


async def run(session: Session, _: None) -> Done:
    """Do nothing."""
    return Done("Completed.")


NOOP = Command(b"NOOP", ANY, no_arguments, run)
CHECK = Command(b"CHECK", State.SELECTED, no_arguments, run)
