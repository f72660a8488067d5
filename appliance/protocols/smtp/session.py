"""One SMTP session: the command loop, replies, what the peer has said so far.

The session is aiosmtpd's, whose session and envelope objects it keeps, over a connection of ours: aiosmtpd
reads through a StreamReader and gathers a message whole, so the loop, the replies and DATA are replaced
(and its constructor, which inspects every attribute for each connection: 0.1 ms).

Invariants:
- The dispatcher alone checks what a command needs (greeting, TLS, authentication, a transaction).
- A command line ends with CR LF. A line that ends with a bare LF closes the session: what follows it could
  be read as commands by us and as text by whoever sent it (RFC 5321 2.3.8).
- Replies to pipelined commands go out together, before the session waits for input (RFC 2920 3.2).
- Every refusal counts; after MAX_ERRORS the session ends.
- What was typed before STARTTLS is forgotten after it, including the transaction (RFC 3207 4.2).
"""

import asyncio
import logging
from dataclasses import dataclass, field
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from appliance.directory.model import Entry
from appliance.net.connection import Connection
from appliance.net.errors import ConnectionEnded, LineTooLong, PeerGone, ShuttingDown, TimedOut
from appliance.protocols.smtp import replies
from appliance.protocols.smtp.commands import COMMANDS, Command, Needs
from appliance.protocols.smtp.grammar import MAX_COMMAND, MailCommand, Malformed, parse_line
from appliance.protocols.smtp.receiving import Reception
from appliance.protocols.smtp.service import Port, SmtpService
from appliance.transport.acceptance import Recipient

MAX_ERRORS = 20
"""Refused commands in one session before it ends."""

MAX_IDLE_COMMANDS = 200
"""Commands in a row that bring no message on (NOOP, RSET, VRFY, ...) before the session ends."""

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Transaction:
    """A mail transaction (RFC 5321 3.3): from MAIL to the end of the data, or to RSET."""

    mail: MailCommand
    recipients: list[Recipient] = field(default_factory=list)
    refused: int = 0
    reception: Reception | None = None
    """The message under way in BDAT chunks."""


class SmtpSession(SMTP):
    """A peer's session."""

    session: Session
    envelope: Envelope

    def __init__(self, service: SmtpService, port: Port, connection: Connection) -> None:
        # Not SMTP.__init__: see the module's docstring. What its methods need is set here.
        self.loop = asyncio.get_running_loop()
        self.event_handler = service
        self.service = service
        self.port = port
        self.hostname = service.settings.hostname
        self.connection = connection
        self.session = self._create_session()
        self.session.peer = connection.peer
        self.envelope = self._create_envelope()
        self.transaction: Transaction | None = None
        self.user: Entry | None = None
        self.errors = 0
        self.idle = 0
        self.messages = 0
        self.ending = False
        """The session ends after the reply that is being given."""

    def _create_session(self) -> Session:
        return Session(self.loop)

    def _create_envelope(self) -> Envelope:
        return Envelope()

    @property
    def secure(self) -> bool:
        """Whether TLS is on."""
        return self.connection.is_secure

    @property
    def extended(self) -> bool:
        """Whether the client greeted with EHLO."""
        return bool(self.session.extended_smtp)

    def write(self, reply: bytes) -> None:
        """Send a reply with the next ones, or before the session waits."""
        self.connection.write(reply)

    async def push(self, status: Any) -> None:
        """A reply, as aiosmtpd's own methods give it."""
        self.connection.write(status.encode() + b"\r\n" if isinstance(status, str) else status)

    def new_transaction(self, mail: MailCommand) -> Transaction:
        """MAIL was taken."""
        return Transaction(mail)

    def reset(self) -> None:
        """Forget the transaction (RFC 5321 4.1.1.5)."""
        transaction, self.transaction = self.transaction, None
        if transaction is not None and transaction.reception is not None:
            transaction.reception.abort()

    def forget_peer(self) -> None:
        """Forget everything the client said (RFC 3207 4.2)."""
        self.reset()
        self.session = self._create_session()
        self.session.peer = self.connection.peer
        self.user = None

    async def run(self) -> None:
        """Serve the connection to its end."""
        self.write(f"220 {self.hostname} ESMTP Satchel\r\n".encode())
        try:
            while not self.ending:
                await self._next()
            await self.connection.drain()
        except TimedOut:
            self.write(replies.TIMED_OUT)
        except ShuttingDown:
            self.write(replies.CLOSING)
        except PeerGone:
            pass
        finally:
            self.reset()

    async def _next(self) -> None:
        try:
            line = await self.connection.read_line(MAX_COMMAND)
        except LineTooLong:
            self.refuse(replies.LINE_TOO_LONG)
            return
        if not line.endswith(b"\r\n"):
            self.write(replies.BARE_COMMAND)
            self.ending = True
            return
        try:
            reply = await self._dispatch(line[:-2])
        except Malformed as malformed:
            reply = malformed.reply
        except ConnectionEnded:
            raise
        except Exception:
            _log.exception("smtp peer=%s a command failed", self.connection.peer)
            self.reset()
            reply = replies.UNAVAILABLE
        if reply[:1] in (b"4", b"5"):
            self.refuse(reply)
        elif reply:
            self.write(reply)

    def refuse(self, reply: bytes) -> None:
        """Give a reply that refuses something, and count it."""
        self.errors += 1
        self.service.tell(f"smtp refused {reply[:9].decode()}", self.connection.peer, port=self.port.name)
        self.write(reply)
        if self.errors >= MAX_ERRORS and not self.ending:
            self.write(replies.TOO_MANY_ERRORS)
            self.ending = True

    async def _dispatch(self, raw: bytes) -> bytes:
        line = parse_line(raw)
        command = COMMANDS.get(line.verb)
        if command is None:
            return replies.UNKNOWN_COMMAND
        missing = self._missing(command)
        if missing:
            if command.skip is not None:
                await command.skip(self, line.argument)
            return missing
        if command.needs & Needs.PROGRESS:
            self.idle = 0
        else:
            self.idle += 1
            if self.idle > MAX_IDLE_COMMANDS:
                self.ending = True
                return replies.TOO_MANY_ERRORS
        reply = command.run(self, line.argument)
        return reply if isinstance(reply, bytes) else await reply

    def _missing(self, command: Command) -> bytes:
        """The reply to a command that may not be given now, or nothing."""
        needs, transaction = command.needs, self.transaction
        if needs & Needs.TLS and self.port.require_tls and not self.secure and not self.local:
            return replies.TLS_REQUIRED  # RFC 3207 4
        if needs & Needs.GREETING and not self.session.host_name:
            return replies.NEED_HELO
        if needs & Needs.AUTH and self.port.require_auth and self.user is None:
            return replies.AUTH_REQUIRED  # RFC 4954 6
        if needs & Needs.NO_CHUNKS and transaction is not None and transaction.reception is not None:
            return replies.IN_BDAT  # RFC 3030 2
        if needs & Needs.NO_MAIL and transaction is not None:
            return command.nested
        if needs & Needs.MAIL and transaction is None:
            return replies.NEED_MAIL
        if needs & Needs.RECIPIENT and transaction is not None and not transaction.recipients:
            # RFC 2033 and RFC 5321 4.1.1.4: 554 where recipients were given, and none was taken.
            return replies.NO_VALID_RECIPIENTS if transaction.refused else replies.NEED_RCPT
        return b""

    @property
    def submission(self) -> bool:
        """Whether messages are mended and their authors checked: mail of users, on any port."""
        return self.port.submission or self.user is not None

    @property
    def local(self) -> bool:
        """Whether both ends of the connection are on this machine, and that counts as private."""
        return self.connection.is_loopback and self.service.settings.trust_loopback
