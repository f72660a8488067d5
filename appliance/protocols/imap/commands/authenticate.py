"""AUTHENTICATE (RFC 9051 6.2.2, RFC 4959 SASL-IR): PLAIN, LOGIN, NTLM (MS-OXIMAP4 2.2.1)."""

import binascii
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from appliance.protocols.imap.accounts import Account
from appliance.protocols.imap.capabilities import may_send_password
from appliance.protocols.imap.errors import Bad, No
from appliance.protocols.imap.log_on import logged_on, peer_of, refused_as
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
        return binascii.a2b_base64(raw, strict_mode=True)
    except binascii.Error as error:
        raise Bad("The response is not base64.") from error


async def _ask(session: Session, challenge: bytes) -> bytes:
    """Send a challenge, await the response. Raises Bad when the client cancels."""
    encoded = binascii.b2a_base64(challenge, newline=False)
    session.channel.write(b"+ " + encoded + b"\r\n")
    line = await session.channel.line()
    if line == b"*":
        raise Bad("Authentication was cancelled.")
    return _decode(line)


def _text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Bad("The response is not UTF-8.") from error


async def _plain(session: Session, initial: bytes | None) -> Account:
    response = await _ask(session, b"") if initial is None else initial
    parts = response.split(b"\0")  # RFC 4616 2
    if len(parts) != 3 or not parts[1] or not parts[2]:
        raise Bad("The response is malformed.")
    authorize, name, password = map(_text, parts)
    return await session.services.accounts.check(name, password, authorize, peer_of(session))


async def _login(session: Session, initial: bytes | None) -> Account:
    name = await _ask(session, b"Username:") if initial is None else initial
    password = await _ask(session, b"Password:")
    return await session.services.accounts.check(_text(name), _text(password), "", peer_of(session))


async def _ntlm(session: Session, initial: bytes | None) -> Account:
    # MS-OXIMAP4 2.2.1: negotiate, challenge and authenticate as SASL messages
    exchange = session.services.accounts.ntlm(peer_of(session))
    negotiate = await _ask(session, b"") if not initial else initial
    authenticate = await _ask(session, exchange.challenge(negotiate))
    return await exchange.finish(authenticate)


_MECHANISMS: dict[bytes, Callable[[Session, bytes | None], Awaitable[Account]]] = {
    b"PLAIN": _plain,
    b"LOGIN": _login,
    b"NTLM": _ntlm,
}


async def run(session: Session, request: Request) -> Done:
    """Run the mechanism's exchange."""
    mechanism = _MECHANISMS.get(request.mechanism)
    if mechanism is None or (mechanism is _ntlm and not session.services.accounts.offers_ntlm):
        raise No("Unknown authentication mechanism.", b"CANNOT")
    if mechanism is not _ntlm and not may_send_password(session):
        raise No("Passwords are only taken under TLS.", b"PRIVACYREQUIRED")
    with refused_as():
        account = await mechanism(session, request.initial)
    return logged_on(session, account)


COMMAND = Command(b"AUTHENTICATE", State.NOT_AUTHENTICATED, parse, run)
