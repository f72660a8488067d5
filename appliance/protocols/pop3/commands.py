"""The commands of POP3, each a function of the session and its arguments, and their table.

APOP is not offered: it needs the password itself on the server, where only verifiers are kept.
"""

import base64
import binascii

from appliance.protocols.pop3 import replies
from appliance.protocols.pop3.session import (
    BeginSasl,
    CheckPassword,
    Command,
    Event,
    Say,
    Send,
    Session,
    StartTls,
    State,
    Update,
)


def capa(session: Session, arguments: list[str]) -> Event:
    """CAPA (RFC 2449 5)."""
    offer = session.offer
    lines = [b"TOP", b"UIDL", b"RESP-CODES", b"AUTH-RESP-CODE", b"PIPELINING", b"EXPIRE NEVER"]
    lines += [b"UTF8 USER", b"LANG"]
    if offer.login_delay:
        lines.append(b"LOGIN-DELAY %d" % offer.login_delay)
    if session.state is State.AUTHORIZATION:
        if offer.plain:
            lines.append(b"USER")
        if offer.mechanisms:
            lines.append(b"SASL " + " ".join(offer.mechanisms).encode())
        if offer.can_stls:
            lines.append(b"STLS")
    lines.append(b"IMPLEMENTATION Satchel")
    return Say(replies.listing(b"+OK capabilities\r\n", lines))


def stls(session: Session, arguments: list[str]) -> Event:
    """STLS (RFC 2595 4)."""
    return StartTls() if session.offer.can_stls else Say(replies.NO_STLS)


def user(session: Session, arguments: list[str]) -> Event:
    """USER: the same answer for every name (RFC 1939 7)."""
    if not session.offer.plain:
        return Say(replies.NEEDS_TLS)
    session.user = arguments[0].strip()
    return Say(replies.SEND_PASSWORD)


def password(session: Session, arguments: list[str]) -> Event:
    """PASS: the rest of the line, blanks included."""
    if not session.offer.plain:
        return Say(replies.NEEDS_TLS)
    if not session.user:
        return Say(replies.USER_FIRST)
    return CheckPassword(session.user, arguments[0])


def apop(session: Session, arguments: list[str]) -> Event:
    """APOP: refused, with the reason."""
    return Say(replies.NO_APOP)


def auth(session: Session, arguments: list[str]) -> Event:
    """AUTH (RFC 5034 4); without arguments the list of mechanisms (MS-POP3 2.2.1)."""
    offered = session.offer.mechanisms
    if not arguments:
        return Say(replies.listing(replies.OK, [name.encode() for name in offered]))
    mechanism = arguments[0].upper()
    if mechanism not in offered:
        plain_text = mechanism in ("PLAIN", "LOGIN") and not session.offer.plain
        return Say(replies.NEEDS_TLS if plain_text else replies.NO_MECHANISM)
    initial = None
    if len(arguments) == 2:
        try:
            initial = b"" if arguments[1] == "=" else base64.b64decode(arguments[1], validate=True)
        except (binascii.Error, ValueError):
            return Say(replies.NOT_BASE64)
    return BeginSasl(mechanism, initial)


def utf8(session: Session, arguments: list[str]) -> Event:
    """UTF8 (RFC 6856 2). Messages are sent as they are with and without it.

    deviation: a message with 8-bit headers is not downgraded for a client that did not say UTF8: most such
    mail is older than the RFC, and every client has read it since (RFC 6856 2.1 would hide it)."""
    session.utf8 = True
    return Say(replies.UTF8)


def lang(session: Session, arguments: list[str]) -> Event:
    """LANG (RFC 6856 3): there is English."""
    if not arguments:
        return Say(replies.LANGUAGES)
    known = arguments[0].lower() in ("*", "en", "i-default") or arguments[0].lower().startswith("en-")
    return Say(replies.LANGUAGE if known else replies.NO_LANGUAGE)


def stat(session: Session, arguments: list[str]) -> Event:
    """STAT."""
    return Say(b"+OK %d %d\r\n" % session.maildrop.totals())


def list_messages(session: Session, arguments: list[str]) -> Event:
    """LIST, of one message or of all."""
    drop = session.maildrop
    if arguments:
        found = session.message(arguments[0])
        return Say(found if isinstance(found, bytes) else b"+OK %d %d\r\n" % (found, drop.size(found)))
    lines = [b"%d %d" % (number, drop.size(number)) for number in drop.left()]
    return Say(replies.listing(b"+OK %d messages (%d octets)\r\n" % drop.totals(), lines))


def uidl(session: Session, arguments: list[str]) -> Event:
    """UIDL, of one message or of all."""
    drop = session.maildrop
    if arguments:
        found = session.message(arguments[0])
        return Say(found if isinstance(found, bytes) else b"+OK %d %b\r\n" % (found, drop.unique_id(found)))
    lines = [b"%d %b" % (number, drop.unique_id(number)) for number in drop.left()]
    return Say(replies.listing(replies.OK, lines))


def retr(session: Session, arguments: list[str]) -> Event:
    """RETR: the whole message."""
    found = session.message(arguments[0])
    return Say(found) if isinstance(found, bytes) else Send(found, None)


def top(session: Session, arguments: list[str]) -> Event:
    """TOP: the header and some lines of the body."""
    found, lines = session.message(arguments[0]), session.number(arguments[1])
    if lines is None:
        return Say(replies.WRONG_ARGUMENTS)
    return Say(found) if isinstance(found, bytes) else Send(found, lines)


def dele(session: Session, arguments: list[str]) -> Event:
    """DELE: marks a message."""
    found = session.message(arguments[0])
    if isinstance(found, bytes):
        return Say(found)
    session.maildrop.deleted.add(found)
    return Say(b"+OK message %d deleted\r\n" % found)


def rset(session: Session, arguments: list[str]) -> Event:
    """RSET: takes every mark back."""
    session.maildrop.deleted.clear()
    return Say(b"+OK %d messages (%d octets)\r\n" % session.maildrop.totals())


def noop(session: Session, arguments: list[str]) -> Event:
    """NOOP."""
    return Say(replies.OK)


def quit_session(session: Session, arguments: list[str]) -> Event:
    """QUIT: leads from TRANSACTION to UPDATE, ends AUTHORIZATION."""
    if session.state is State.AUTHORIZATION:
        return Say(replies.BYE, close=True)
    session.state = State.UPDATE
    return Update()


_A, _T = State.AUTHORIZATION, State.TRANSACTION

COMMANDS = {
    command.name: command
    for command in (
        Command("CAPA", _A | _T, 0, 0, capa),  # RFC 2449 5
        Command("STLS", _A, 0, 0, stls),  # RFC 2595 4
        Command("USER", _A, 1, 1, user),  # RFC 1939 7
        Command("PASS", _A, 1, 1, password),  # RFC 1939 7
        Command("APOP", _A, 2, 2, apop),  # RFC 1939 7
        Command("AUTH", _A, 0, 2, auth),  # RFC 5034 4
        Command("UTF8", _A, 0, 0, utf8),  # RFC 6856 2.1
        Command("LANG", _A | _T, 0, 1, lang),  # RFC 6856 3
        Command("STAT", _T, 0, 0, stat),  # RFC 1939 5, and so the rest
        Command("LIST", _T, 0, 1, list_messages),
        Command("UIDL", _T, 0, 1, uidl),
        Command("RETR", _T, 1, 1, retr),
        Command("TOP", _T, 2, 2, top),
        Command("DELE", _T, 1, 1, dele),
        Command("RSET", _T, 0, 0, rset),
        Command("NOOP", _T, 0, 0, noop),
        Command("QUIT", _A | _T, 0, 0, quit_session),  # RFC 1939 4, 6
    )
}
