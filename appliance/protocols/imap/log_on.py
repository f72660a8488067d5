"""What LOGIN and AUTHENTICATE share: the connection's facts, the outcome as a reply."""

import asyncio
import secrets

from appliance.directory import sasl
from appliance.directory.authenticate import Failure, Login, Reason
from appliance.directory.model import Protocol
from appliance.mailbox.actor import Actor
from appliance.protocols.imap.capabilities import capabilities, is_private
from appliance.protocols.imap.errors import Bad, No
from appliance.protocols.imap.session import Session
from appliance.protocols.imap.table import Done

_REPLIES = {
    # RFC 5530 3: a client learns no more than that it failed
    Reason.CREDENTIALS: (b"AUTHENTICATIONFAILED", "Authentication failed."),
    Reason.DISABLED: (b"AUTHENTICATIONFAILED", "Authentication failed."),
    Reason.PROTOCOL: (b"AUTHORIZATIONFAILED", "IMAP is switched off for this account."),
    Reason.NO_DELEGATE: (b"AUTHORIZATIONFAILED", "You may not open that mailbox."),
    Reason.BLOCKED: (b"UNAVAILABLE", "Too many failures; try again later."),
    Reason.NEEDS_TLS: (b"PRIVACYREQUIRED", "Passwords are only taken under TLS."),
}


def context_of(session: Session) -> sasl.Context:
    """The connection, as mechanisms see it."""
    connection = session.channel.connection
    services = session.services
    end_point = connection.tls_server_end_point
    return sasl.Context(
        authenticator=services.authenticator,
        protocol=Protocol.IMAP,
        peer=connection.peer,
        secure=is_private(session),
        nonce=secrets.token_bytes(8),
        now=services.now(),
        bindings=b"tls-server-end-point:" + end_point if end_point is not None else None,
    )


async def log_on(session: Session, outcome: Login | Failure) -> Done:
    """Enter the authenticated state, with the capabilities told anew (RFC 9051 6.2.3). Raises No, Bad."""
    if isinstance(outcome, Failure):
        peer = session.channel.connection.peer
        session.services.provoked("log-on failed", peer, service="imap", reason=outcome.reason.value)
        if outcome.delay:
            await asyncio.sleep(outcome.delay)
        if outcome.reason in (Reason.MALFORMED, Reason.CANCELLED):
            raise Bad("The response is malformed.")
        code, text = _REPLIES[outcome.reason]
        raise No(text, code)
    actor = Actor(outcome.user.id, outcome.user.mailbox, session.actor.session)
    session.log_on(actor, outcome.owner.mailbox, outcome.owner.address)
    return Done("Logged in.", b"CAPABILITY " + capabilities(session))
