"""AUTH: the exchange of a SASL mechanism over SMTP (RFC 4954, MS-XLOGIN, MS-SMTPNTLM).

Mechanisms, verifiers and the slowing down of guessers are the directory's; here are the lines: base64, `*`
to cancel, `=` for an empty initial response, the replies. Passwords pass in plain text only over TLS, or
within this machine.
"""

from __future__ import annotations

import asyncio
import binascii
import logging
import os
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING

from appliance.directory import sasl
from appliance.directory.authenticate import Authenticator, Failure, Login, Reason
from appliance.directory.model import Protocol
from appliance.directory.sasl import Challenge, Context, Mechanism
from appliance.net.errors import LineTooLong
from appliance.protocols.smtp import replies
from appliance.protocols.smtp.grammar import MAX_AUTH_LINE

if TYPE_CHECKING:
    from appliance.protocols.smtp.session import SmtpSession

MAX_ROUNDS = 8
"""Responses in one exchange."""

_END_POINT = b"tls-server-end-point:"
_FAILURES = {
    Reason.BLOCKED: replies.AUTH_THROTTLED,
    Reason.PROTOCOL: replies.AUTH_NOT_ALLOWED,
    Reason.MALFORMED: replies.AUTH_BAD_RESPONSE,
    Reason.NEEDS_TLS: replies.AUTH_NEEDS_TLS,
}

_log = logging.getLogger(__name__)


def _context(session: SmtpSession, authenticator: Authenticator) -> Context:
    connection = session.connection
    end_point = connection.tls_server_end_point if session.secure else None
    return Context(
        authenticator,
        Protocol.SMTP,
        connection.peer,
        session.secure or session.local,
        os.urandom(8),
        session.service.now(),
        _END_POINT + end_point if end_point else None,
    )


def mechanisms(session: SmtpSession) -> tuple[str, ...]:
    """The mechanisms to list in the reply to EHLO: what the connection may use now, none once logged on."""
    authenticator = session.service.authenticator
    if authenticator is None or session.user is not None:
        return ()
    return tuple(sasl.offered(_context(session, authenticator)))


async def authenticate(session: SmtpSession, argument: str) -> bytes:
    """AUTH (RFC 4954 4)."""
    name, _, initial = argument.partition(" ")
    authenticator = session.service.authenticator
    if not name:
        return replies.SYNTAX
    if session.user is not None:
        return replies.ALREADY_AUTH
    if authenticator is None:
        return replies.NOT_IMPLEMENTED
    mechanism = sasl.begin(name, _context(session, authenticator))
    if mechanism is None:
        return replies.AUTH_UNKNOWN
    if isinstance(mechanism, Failure):
        return await _failed(session, mechanism, name.upper())
    response: bytes | None = None
    if initial:
        response = b"" if initial == "=" else _decode(initial.encode())
        if response is None:
            return replies.AUTH_BAD_BASE64
    return await _exchange(session, mechanism, name.upper(), response)


async def _exchange(session: SmtpSession, mechanism: Mechanism, name: str, response: bytes | None) -> bytes:
    loop = asyncio.get_running_loop()
    for _ in range(MAX_ROUNDS):
        step = await loop.run_in_executor(None, mechanism.step, response)
        if isinstance(step, Login):
            return _logged_on(session, step, name)
        if isinstance(step, Failure):
            return await _failed(session, step, name)
        session.write(_challenge(step))
        try:
            line = await session.connection.read_line(MAX_AUTH_LINE)
        except LineTooLong:
            return replies.LINE_TOO_LONG
        text = line.rstrip(b"\r\n")
        if text == b"*":
            return replies.AUTH_CANCELLED
        response = _decode(text)
        if response is None:
            return replies.AUTH_BAD_BASE64
    return replies.AUTH_FAILED


def _challenge(challenge: Challenge) -> bytes:
    return b"334 " + b64encode(challenge.data) + b"\r\n"


def _decode(text: bytes) -> bytes | None:
    try:
        return b64decode(text, validate=True)
    except binascii.Error:
        return None


def _logged_on(session: SmtpSession, login: Login, name: str) -> bytes:
    session.user = login.user
    session.session.authenticated = True
    session.connection.settle()
    peer, user = session.connection.peer, login.user.address
    _log.info("log-in service=submission user=%s peer=%s mechanism=%s", user, peer, name)
    return replies.AUTH_OK


async def _failed(session: SmtpSession, failure: Failure, name: str) -> bytes:
    session.service.tell(
        "smtp log-on failed",
        session.connection.peer,
        mechanism=name,
        reason=failure.reason.name,
        user=failure.name,
    )
    if failure.delay:
        await asyncio.sleep(failure.delay)
    other = replies.NTLM_FAILED if name == "NTLM" else replies.AUTH_FAILED
    return _FAILURES.get(failure.reason, other)
