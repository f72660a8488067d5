"""AUTH: the exchange of a SASL mechanism over SMTP (RFC 4954, MS-XLOGIN, MS-SMTPNTLM).

Mechanisms, verifiers and the slowing down of guessers are `Logon`'s; here are the lines: base64, `*` to
cancel, `=` for an empty initial response, the replies. Passwords pass in plain text only over TLS, or
within this machine.
"""

from __future__ import annotations

import binascii
import logging
from base64 import b64decode, b64encode
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Protocol

from appliance.directory.model import Entry
from appliance.net.connection import Connection
from appliance.net.errors import LineTooLong
from appliance.protocols.smtp import replies
from appliance.protocols.smtp.grammar import MAX_AUTH_LINE
from appliance.transport.acceptance import may_submit

if TYPE_CHECKING:
    from appliance.protocols.smtp.session import SmtpSession

MAX_ROUNDS = 8
"""Responses in one exchange."""

_log = logging.getLogger(__name__)


class Failure(Enum):
    """Why a log-on failed."""

    WRONG = "wrong credentials"
    THROTTLED = "too many failed logins"
    UNAVAILABLE = "cannot be decided now"


@dataclass(frozen=True, slots=True)
class Challenge:
    """What the server says next."""

    data: bytes


class Exchange(Protocol):
    """One run of a mechanism."""

    async def step(self, response: bytes | None) -> Challenge | Entry | Failure:
        """The client's response, None where it gave no initial one; what follows."""


class Logon(Protocol):
    """The SASL mechanisms of this server."""

    def mechanisms(self, connection: Connection) -> tuple[str, ...]:
        """What is offered on a connection, in the state it is in."""

    def start(self, mechanism: str, connection: Connection) -> Exchange | None:
        """Begin an exchange; None for a mechanism that is not offered."""


def mechanisms(session: SmtpSession) -> tuple[str, ...]:
    """The mechanisms to list in the reply to EHLO: none once logged on, and none on port 25 without TLS."""
    logon = session.service.logon
    if logon is None or session.user is not None:
        return ()
    return logon.mechanisms(session.connection)


async def authenticate(session: SmtpSession, argument: str) -> bytes:
    """AUTH (RFC 4954 4)."""
    name, _, initial = argument.partition(" ")
    logon = session.service.logon
    if not name:
        return replies.SYNTAX
    if session.user is not None:
        return replies.ALREADY_AUTH
    if logon is None:
        return replies.NOT_IMPLEMENTED
    mechanism = name.upper()
    exchange = logon.start(mechanism, session.connection)
    if exchange is None:
        plain = mechanism in ("PLAIN", "LOGIN") and not session.secure
        return replies.AUTH_NEEDS_TLS if plain else replies.AUTH_UNKNOWN
    response: bytes | None = None
    if initial:
        response = b"" if initial == "=" else _decode(initial.encode())
        if response is None:
            return replies.AUTH_BAD_BASE64
    return await _exchange(session, exchange, mechanism, response)


async def _exchange(
    session: SmtpSession, exchange: Exchange, mechanism: str, response: bytes | None
) -> bytes:
    for _ in range(MAX_ROUNDS):
        step = await exchange.step(response)
        if isinstance(step, Entry):
            return _logged_on(session, step, mechanism)
        if isinstance(step, Failure):
            return _failure(session, step, mechanism)
        session.write(_challenge(step.data, mechanism, first=response is None))
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


def _challenge(data: bytes, mechanism: str, *, first: bool) -> bytes:
    if mechanism == "NTLM" and first and not data:
        return replies.NTLM_SUPPORTED
    return b"334 " + b64encode(data) + b"\r\n"


def _decode(text: bytes) -> bytes | None:
    try:
        return b64decode(text, validate=True)
    except binascii.Error:
        return None


def _logged_on(session: SmtpSession, user: Entry, mechanism: str) -> bytes:
    if not may_submit(user):
        _log.info("smtp peer=%s user=%d refused=switched-off", session.connection.peer, user.id)
        return replies.AUTH_NOT_ALLOWED
    session.user = user
    session.session.authenticated = True
    session.connection.settle()
    _log.info("smtp peer=%s user=%d mechanism=%s logged on", session.connection.peer, user.id, mechanism)
    return replies.AUTH_OK


def _failure(session: SmtpSession, failure: Failure, mechanism: str) -> bytes:
    _log.info("smtp peer=%s mechanism=%s failed=%s", session.connection.peer, mechanism, failure.value)
    match failure:
        case Failure.THROTTLED:
            return replies.AUTH_THROTTLED
        case Failure.UNAVAILABLE:
            return replies.UNAVAILABLE
    return replies.NTLM_FAILED if mechanism == "NTLM" else replies.AUTH_FAILED
