"""NAMESPACE (RFC 9051 6.3.10, RFC 2342)."""

from appliance.protocols.imap.namespaces import OTHER_USERS, PUBLIC_FOLDERS
from appliance.protocols.imap.session import Session
from appliance.protocols.imap.table import LOGGED_ON, Command, Done, no_arguments
from appliance.protocols.imap.wire import mailbox


async def run(session: Session, _: None) -> Done:
    """Tell the prefixes of the personal, the other users' and the shared namespace."""
    others = mailbox(OTHER_USERS + "/", utf8=session.utf8)
    shared = mailbox(PUBLIC_FOLDERS + "/", utf8=session.utf8)
    session.write(b'NAMESPACE (("" "/")) ((%s "/")) ((%s "/"))' % (others, shared))
    return Done("Namespace completed.")


COMMAND = Command(b"NAMESPACE", LOGGED_ON, no_arguments, run)
