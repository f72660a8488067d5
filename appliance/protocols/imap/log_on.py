"""What LOGIN and AUTHENTICATE share."""

from collections.abc import Iterator
from contextlib import contextmanager

from appliance.mailbox.actor import Actor
from appliance.protocols.imap.accounts import Account, LoginFailed, Peer
from appliance.protocols.imap.capabilities import capabilities
from appliance.protocols.imap.errors import No
from appliance.protocols.imap.session import Session
from appliance.protocols.imap.table import Done


def peer_of(session: Session) -> Peer:
    """Where the session comes from."""
    connection = session.channel.connection
    return Peer(connection.peer, connection.tls_server_end_point)


@contextmanager
def refused_as() -> Iterator[None]:
    """Turn a refused log-on into NO."""
    try:
        yield
    except LoginFailed as failed:
        raise No(failed.text, failed.code) from failed


def logged_on(session: Session, account: Account) -> Done:
    """Enter the authenticated state; the capabilities are told anew (RFC 9051 6.2.3)."""
    actor = Actor(account.user, account.mailbox, session.actor.session)
    session.log_on(actor, account.home, account.address)
    return Done("Logged in.", b"CAPABILITY " + capabilities(session))
