"""The state machine of a POP3 session: a line in, an event out; the server carries it out.

Rules (RFC 1939 3 to 6, RFC 2595 4, RFC 5034 4):
- AUTHORIZATION: until a log-in. Every way to log in leads to one event, whose outcome the server tells with
  `opened` or `refused`. After STLS everything that the client said before is forgotten.
- TRANSACTION: on the maildrop that `opened` gave. Deleting only marks.
- UPDATE: after QUIT in TRANSACTION; the server removes what is marked and closes. A session that ends in any
  other way removes nothing.
- An unknown, illegal or malformed command is answered and changes nothing; MAX_ERRORS of them end the
  session, as do MAX_FAILURES failed log-ins.
"""

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Flag, auto

from appliance.protocols.pop3 import replies
from appliance.protocols.pop3.maildrop import Maildrop

MAX_LINE = 512
"""Octets of a command line with its end (RFC 2449 4: 255, but RFC 6856 and long names want more)."""

MAX_SASL_LINE = 16400
"""Octets of a line of an authentication exchange (RFC 5034 4: 12288 octets of base64 at least)."""

MAX_ERRORS = 20
MAX_FAILURES = 5
MAX_NUMBER_DIGITS = 10


class State(Flag):
    """States, as a set in the table of commands."""

    AUTHORIZATION = auto()
    TRANSACTION = auto()
    UPDATE = auto()


# -- events: what the server is to do -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Say:
    """Send a response; `close`: and end the session."""

    data: bytes
    close: bool = False


@dataclass(frozen=True, slots=True)
class CheckPassword:
    """Log in by name and password."""

    name: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class BeginSasl:
    """Begin a mechanism, with the initial response if there was one."""

    mechanism: str
    initial: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class GoOnSasl:
    """Give the client's response to the mechanism that is under way."""

    response: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class CancelSasl:
    """The client gave up, or sent what is no base64: forget the mechanism and say why."""

    say: bytes


@dataclass(frozen=True, slots=True)
class StartTls:
    """Begin TLS after saying so."""


@dataclass(frozen=True, slots=True)
class Send:
    """Send a message; `lines`: the header and so many lines of the body (TOP), None for all (RETR)."""

    number: int
    lines: int | None


@dataclass(frozen=True, slots=True)
class Update:
    """Remove what is marked as deleted, note what was read, say goodbye and close."""


Event = Say | CheckPassword | BeginSasl | GoOnSasl | CancelSasl | StartTls | Send | Update


@dataclass(frozen=True, slots=True)
class Offer:
    """What the connection offers at the moment; the server tells before each line."""

    can_stls: bool
    plain: bool
    """Whether passwords may pass as they are (TLS, or within this machine)."""
    mechanisms: tuple[str, ...]
    login_delay: int = 0


@dataclass(frozen=True, slots=True)
class Command:
    """A row of the table: where the command is legal, how many arguments it takes, what it does."""

    name: str
    states: State
    least: int
    most: int
    run: Callable[["Session", list[str]], Event]


class Session:
    """One session. `table`: the commands by name; `offer`: asked whenever it matters."""

    def __init__(self, table: Mapping[str, Command], offer: Callable[[], Offer]) -> None:
        self._table, self._offer = table, offer
        self.state = State.AUTHORIZATION
        self.user = ""
        self.utf8 = False
        self.in_sasl = False
        self._maildrop: Maildrop | None = None
        self._errors = self._failures = 0

    @property
    def offer(self) -> Offer:
        """What the connection offers now."""
        return self._offer()

    @property
    def maildrop(self) -> Maildrop:
        """The open maildrop; only after a log-in."""
        assert self._maildrop is not None
        return self._maildrop

    def line(self, line: bytes) -> Event:
        """The event that a line (with its end) leads to."""
        text = line.rstrip(b"\r\n")
        event = self._sasl_line(text) if self.in_sasl else self._command(text)
        if isinstance(event, Say) and event.data.startswith(b"-ERR"):
            return self._counted(event)
        return event

    def too_long(self) -> Event:
        """The event for a line that was too long and skipped."""
        if self.in_sasl:
            self.in_sasl = False
            return CancelSasl(replies.TOO_LONG)
        return self._counted(Say(replies.TOO_LONG))

    def _counted(self, event: Say) -> Event:
        self._errors += 1
        return Say(replies.TOO_MANY_ERRORS, close=True) if self._errors >= MAX_ERRORS else event

    def _command(self, text: bytes) -> Event:
        try:
            decoded = text.decode("utf-8")
        except UnicodeDecodeError:
            return Say(replies.WRONG_ARGUMENTS)
        name, _, rest = decoded.partition(" ")
        command = self._table.get(name.upper())
        if command is None:
            return Say(replies.UNKNOWN)
        if not self.state & command.states:
            return Say(replies.WRONG_STATE)
        if len(text) > MAX_LINE - 2 and command.name != "AUTH":
            return Say(replies.TOO_LONG)
        # PASS and USER take the rest of the line as it is (RFC 1939 7); trailing blanks elsewhere are noise
        arguments = [rest] if command.most == 1 and command.least == 1 and rest else rest.split()
        if not command.least <= len(arguments) <= command.most:
            return Say(replies.WRONG_ARGUMENTS)
        if any(char < " " or char == "\x7f" for char in rest):
            return Say(replies.WRONG_ARGUMENTS)
        return command.run(self, arguments)

    def _sasl_line(self, text: bytes) -> Event:
        if text == b"*":  # RFC 5034 4
            self.in_sasl = False
            return CancelSasl(replies.CANCELLED)
        try:
            return GoOnSasl(base64.b64decode(text, validate=True))
        except binascii.Error:
            self.in_sasl = False
            return CancelSasl(replies.NOT_BASE64)

    # -- outcomes, told by the server ---------------------------------------------------------------------

    def challenge(self, data: bytes) -> Say:
        """The mechanism wants another response."""
        self.in_sasl = True
        return Say(replies.CONTINUE + base64.b64encode(data) + b"\r\n")

    def opened(self, maildrop: Maildrop) -> Say:
        """The log-in succeeded."""
        self.in_sasl = False
        self.user = ""
        self._maildrop = maildrop
        self.state = State.TRANSACTION
        count, octets = maildrop.totals()
        return Say(b"+OK %d messages (%d octets)\r\n" % (count, octets))

    def refused(self, reply: bytes) -> Say:
        """The log-in failed."""
        self.in_sasl = False
        self.user = ""
        self._failures += 1
        return Say(reply, close=self._failures >= MAX_FAILURES)

    def tls_started(self) -> None:
        """Nothing that was said before is known any more (RFC 2595 4)."""
        self.user = ""
        self.utf8 = False

    def number(self, text: str) -> int | None:
        """A number as clients write it, or None."""
        text = text.strip()
        if text.isascii() and text.isdigit() and len(text) <= MAX_NUMBER_DIGITS:
            return int(text)
        return None

    def message(self, text: str) -> int | bytes:
        """The message of an argument, or the error to say."""
        number = self.number(text)
        if number is None or not self.maildrop.exists(number):
            return replies.NO_SUCH_MESSAGE
        return replies.DELETED if number in self.maildrop.deleted else number
