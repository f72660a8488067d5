"""LOGIN (RFC 9051 6.2.3), with the delegate form of MS-OXIMAP4 2.2.2 in the user name."""

from dataclasses import dataclass

from appliance.protocols.imap.capabilities import may_send_password
from appliance.protocols.imap.errors import Bad, No
from appliance.protocols.imap.log_on import logged_on, peer_of, refused_as
from appliance.protocols.imap.session import Session
from appliance.protocols.imap.table import Command, Done, State
from appliance.protocols.imap.tokens import Cursor


@dataclass(frozen=True, slots=True)
class Request:
    """Name and password."""

    name: bytes
    password: bytes


def parse(cursor: Cursor) -> Request:
    """userid SP password."""
    cursor.space()
    name = cursor.astring()
    cursor.space()
    password = cursor.astring()
    cursor.end()
    return Request(name, password)


async def run(session: Session, request: Request) -> Done:
    """Check the password."""
    if not may_send_password(session):
        raise No("Passwords are only taken under TLS.", b"PRIVACYREQUIRED")
    try:
        name, password = request.name.decode(), request.password.decode()
    except UnicodeDecodeError as error:
        raise Bad("Name and password must be UTF-8.") from error
    with refused_as():
        account = await session.services.accounts.check(name, password, "", peer_of(session))
    return logged_on(session, account)


COMMAND = Command(b"LOGIN", State.NOT_AUTHENTICATED, parse, run)
