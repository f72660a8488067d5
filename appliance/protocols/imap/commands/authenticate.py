"""AUTHENTICATE (RFC 9051 6.2.2, RFC 4959 SASL-IR): PLAIN, LOGIN, NTLM (MS-OXIMAP4 2.2.1)."""

import asyncio
import binascii
from dataclasses import dataclass

from appliance.directory import sasl
from appliance.directory.authenticate import Failure
from appliance.protocols.imap.errors import Bad, No
from appliance.protocols.imap.log_on import context_of, log_on
from appliance.protocols.imap.session import Session
from appliance.protocols.imap.table import Command, Done, State
from appliance.protocols.imap.tokens import Cursor


@dataclass(frozen=True, slots=True)
class Request:
    """The mechanism, and the initial response if one was sent."""

    mechanism: bytes
    initial: bytes | None


def parse(cursor: Cursor) -> Request:
    """auth-type [SP initial-resp]."""
    cursor.space()
    mechanism = cursor.word("a mechanism")
    initial = None
    if cursor.accept(b" ") and not cursor.at_end:
        raw = cursor.atom()
        initial = b"" if raw == b"=" else _decode(raw)  # RFC 4959 3: "=" is an empty response
    cursor.end()
    return Request(mechanism, initial)


def _decode(raw: bytes) -> bytes:
    try:
        decoded = binascii.a2b_base64(raw, strict_mode=True)
    except binascii.Error as error:
        raise Bad("The response is not base64.") from error
    if len(decoded) > sasl.MAX_RESPONSE:
        raise Bad("The response is too long.")
    return decoded


async def _ask(session: Session, challenge: bytes) -> bytes:
    """Send a challenge, await the response. Raises Bad when the client cancels."""
    session.channel.write(b"+ " + binascii.b2a_base64(challenge, newline=False) + b"\r\n")
    line = await session.channel.line()
    if line == b"*":
        raise Bad("Authentication was cancelled.")
    return _decode(line)


async def run(session: Session, request: Request) -> Done:
    """Run the mechanism's exchange; its steps compute on worker threads."""
    mechanism = sasl.begin(request.mechanism.decode(), context_of(session))
    if mechanism is None:
        raise No("Unknown authentication mechanism.", b"CANNOT")
    if isinstance(mechanism, Failure):
        return await log_on(session, mechanism)
    loop = asyncio.get_running_loop()
    step = await loop.run_in_executor(session.services.verifiers, mechanism.step, request.initial)
    while isinstance(step, sasl.Challenge):
        response = await _ask(session, step.data)
        step = await loop.run_in_executor(session.services.verifiers, mechanism.step, response)
    return await log_on(session, step)


COMMAND = Command(b"AUTHENTICATE", State.NOT_AUTHENTICATED, parse, run)
