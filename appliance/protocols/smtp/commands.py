"""The commands of SMTP: one function and one table row each (RFC 5321 4.1 and the extensions served).

A handler gets the session and the argument, and gives the reply (or something to await that does); what it
needs stands in its row and was checked. Malformed passes through.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from appliance.net.bridge import read_now
from appliance.protocols.smtp import grammar, replies
from appliance.protocols.smtp.auth import authenticate, mechanisms
from appliance.protocols.smtp.grammar import MailCommand, RcptCommand
from appliance.protocols.smtp.receiving import receive_chunk, receive_data, skip_chunk
from appliance.transport.acceptance import Recipient, Verdict, judge_sender

if TYPE_CHECKING:
    from appliance.protocols.smtp.session import SmtpSession

MAX_RECIPIENTS = 1000
"""Recipients of one message (RFC 5321 4.5.3.1.8 asks for 100 at least)."""

MAX_MESSAGES = 10_000
"""Messages in one session."""


class Needs:
    """What must hold before a command runs: bits (plain integers: enum.Flag costs as much as a command)."""

    TLS = 1
    GREETING = 2
    AUTH = 4
    MAIL = 8
    NO_MAIL = 16
    RECIPIENT = 32
    NO_CHUNKS = 64
    PROGRESS = 128
    """No need, a mark: the command brings a message on, so it does not count as idle."""


NOTHING = 0
Reply = bytes | Awaitable[bytes]


@dataclass(frozen=True, slots=True)
class Command:
    """A command. `skip` reads what follows the line when the command may not run; `nested` is the reply
    where a transaction is open that must not be."""

    name: str
    run: Callable[[SmtpSession, str], Reply]
    needs: int
    syntax: str
    skip: Callable[[SmtpSession, str], Awaitable[None]] | None = None
    nested: bytes = replies.NESTED_MAIL


_VERDICTS = {
    Verdict.NO_USER: replies.NO_USER,
    Verdict.DISABLED: replies.DISABLED,
    Verdict.NO_RELAY: replies.NO_RELAY,
    Verdict.REFUSED: replies.REFUSED_RECIPIENT,
    Verdict.FULL: replies.MAILBOX_FULL_NOW,
    Verdict.BAD: replies.BAD_RECIPIENT,
    Verdict.NOT_YOURS: replies.NOT_YOUR_ADDRESS,
}


def helo(session: SmtpSession, argument: str) -> bytes:
    """HELO (RFC 5321 4.1.1.1)."""
    if not argument:
        return replies.SYNTAX
    session.reset()
    session.session.extended_smtp = False
    session.session.host_name = argument
    return f"250 {session.hostname}\r\n".encode()


def ehlo(session: SmtpSession, argument: str) -> bytes:
    """EHLO (RFC 5321 4.1.1.1). MS-SMTPNTLM 2.2.1.9: it is answered without an argument, too."""
    session.reset()
    session.session.extended_smtp = True
    session.session.host_name = argument or session.connection.peer
    lines = [
        f"{session.hostname} greets you",
        f"SIZE {session.service.settings.max_size}",
        "8BITMIME",
        "SMTPUTF8",
        "PIPELINING",
        "ENHANCEDSTATUSCODES",
        "DSN",
        "CHUNKING",
        "BINARYMIME",
        f"LIMITS RCPTMAX={MAX_RECIPIENTS} MAILMAX={MAX_MESSAGES}",  # RFC 9422 3
    ]
    if session.connection.can_start_tls:
        lines.append("STARTTLS")
    offered = mechanisms(session)
    if offered:
        lines.append("AUTH " + " ".join(offered))
    lines.append("HELP")
    return replies.multiline(250, lines)


def noop(session: SmtpSession, argument: str) -> bytes:
    """NOOP."""
    return replies.OK


def rset(session: SmtpSession, argument: str) -> bytes:
    """RSET."""
    if argument:
        return replies.SYNTAX
    session.reset()
    return replies.OK


def quit_(session: SmtpSession, argument: str) -> bytes:
    """QUIT."""
    session.ending = True
    return replies.BYE


def vrfy(session: SmtpSession, argument: str) -> bytes:
    """VRFY: tells nothing about who exists (RFC 5321 7.3)."""
    if not argument:
        return replies.SYNTAX
    grammar.parse_mailbox(argument.removesuffix(" SMTPUTF8"))
    return replies.VRFY


def expn(session: SmtpSession, argument: str) -> bytes:
    """EXPN: refused (RFC 5321 7.3)."""
    return replies.EXPN_REFUSED


def help_(session: SmtpSession, argument: str) -> bytes:
    """HELP."""
    if argument:
        command = COMMANDS.get(argument.upper())
        return f"214 2.0.0 {command.syntax}\r\n".encode() if command else replies.SYNTAX
    return replies.multiline(214, ["2.0.0 Commands:", "2.0.0 " + " ".join(COMMANDS)])


async def starttls(session: SmtpSession, argument: str) -> bytes:
    """STARTTLS (RFC 3207)."""
    if argument:
        return replies.SYNTAX
    if session.secure:
        return replies.ALREADY_TLS
    if not session.connection.can_start_tls:
        return replies.NO_TLS
    session.forget_peer()
    await session.connection.start_tls(replies.TLS_GO)
    return b""


def mail(session: SmtpSession, argument: str) -> bytes:
    """MAIL FROM."""
    command = grammar.parse_mail(argument, extended=session.extended)
    if command.size > session.service.settings.max_size:
        return replies.TOO_BIG  # RFC 1870 6.1
    session.messages += 1
    if session.messages > MAX_MESSAGES:
        session.ending = True
        return replies.TOO_MANY_MESSAGES
    user = session.user
    if user is not None:
        sender = str(command.sender) if command.sender else ""
        verdict = read_now(session.service.store, lambda txn: judge_sender(txn, sender, user))
        if verdict is not Verdict.OK:
            return _VERDICTS[verdict]
    if session.service.is_full():
        return replies.STORE_FULL
    session.transaction = session.new_transaction(command)
    return replies.SENDER_OK


def rcpt(session: SmtpSession, argument: str) -> bytes:
    """RCPT TO: the recipient is looked up, so that nothing has to be bounced later."""
    transaction = session.transaction
    assert transaction is not None
    reply, recipient = _judge(session, transaction.mail, argument)
    if recipient is None:
        transaction.refused += 1
        return reply
    if len(transaction.recipients) >= MAX_RECIPIENTS:
        return replies.TOO_MANY_RECIPIENTS
    transaction.recipients.append(recipient)
    session.connection.settle()
    return reply


def _judge(session: SmtpSession, mail: MailCommand, argument: str) -> tuple[bytes, Recipient | None]:
    command = grammar.parse_rcpt(argument, extended=session.extended, smtputf8=mail.smtputf8)
    address = _complete(session, command)
    lookups, user = session.service.lookups, session.user
    verdict = read_now(session.service.store, lambda txn: lookups.recipient(txn, address, user, mail.size))
    if verdict is not Verdict.OK:
        return _VERDICTS[verdict], None
    return replies.RECIPIENT_OK, Recipient(address, command.notify, command.orcpt)


def _complete(session: SmtpSession, command: RcptCommand) -> str:
    """The address; `postmaster` alone is ours (RFC 5321 4.5.1)."""
    recipient = command.recipient
    return str(recipient) if recipient.domain else f"{recipient.local}@{session.hostname}"


_SENDING = Needs.TLS | Needs.GREETING | Needs.AUTH | Needs.PROGRESS

COMMANDS: dict[str, Command] = {
    command.name: command
    for command in (
        Command("HELO", helo, NOTHING, "HELO domain"),
        Command("EHLO", ehlo, NOTHING, "EHLO domain"),
        Command("MAIL", mail, _SENDING | Needs.NO_MAIL, "MAIL FROM:<address> [parameters]"),
        Command("RCPT", rcpt, _SENDING | Needs.MAIL | Needs.NO_CHUNKS, "RCPT TO:<address> [parameters]"),
        Command("DATA", receive_data, _SENDING | Needs.MAIL | Needs.NO_CHUNKS | Needs.RECIPIENT, "DATA"),
        Command(
            "BDAT", receive_chunk, _SENDING | Needs.MAIL | Needs.RECIPIENT, "BDAT size [LAST]", skip_chunk
        ),
        Command("RSET", rset, NOTHING, "RSET"),
        Command("NOOP", noop, NOTHING, "NOOP [text]"),
        Command("QUIT", quit_, NOTHING, "QUIT"),
        Command("HELP", help_, NOTHING, "HELP [command]"),
        Command("VRFY", vrfy, Needs.TLS | Needs.AUTH, "VRFY address"),
        Command("EXPN", expn, Needs.TLS | Needs.AUTH, "EXPN list"),
        Command("STARTTLS", starttls, NOTHING, "STARTTLS"),
        Command(
            "AUTH",
            authenticate,
            Needs.TLS | Needs.GREETING | Needs.NO_MAIL,
            "AUTH mechanism [response]",
            nested=replies.AUTH_IN_MAIL,
        ),
    )
}
