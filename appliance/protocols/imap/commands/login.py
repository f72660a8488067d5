"""LOGIN (RFC 9051 6.2.3), with the delegate form of MS-OXIMAP4 2.2.2 in the user name."""

import asyncio
from dataclasses import dataclass

from appliance.directory.authenticate import Failure, Login
from appliance.protocols.imap.errors import Bad, No
from appliance.protocols.imap.log_on import context_of, log_on
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
    """Check the password, on a worker thread."""
    context = context_of(session)
    if not context.secure:
        raise No("Passwords are only taken under TLS.", b"PRIVACYREQUIRED")
    try:
        name, password = request.name.decode(), request.password.decode()
    except UnicodeDecodeError as error:
        raise Bad("Name and password must be UTF-8.") from error

    def check() -> Login | Failure:
        return context.authenticator.verify_password(
            name, password, peer=context.peer, protocol=context.protocol
        )

    return await log_on(
        session, await asyncio.get_running_loop().run_in_executor(session.services.verifiers, check)
    )


COMMAND = Command(b"LOGIN", State.NOT_AUTHENTICATED, parse, run)
