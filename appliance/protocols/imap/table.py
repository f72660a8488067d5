"""What a command is: one row of the command table, with its legality.

The dispatcher checks `states` before anything of the command is looked at; a command's module never does.
`announce` says what the server may tell at the command's end: EXPUNGE must not renumber messages while a
client waits for the answer to a command that uses sequence numbers (RFC 9051 7.5.1).
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum, Flag, auto
from typing import TYPE_CHECKING, Any

from appliance.protocols.imap.reader import Piece
from appliance.protocols.imap.tokens import Cursor

if TYPE_CHECKING:
    from appliance.protocols.imap.session import Session


class State(Flag):
    """States of a session (RFC 9051 3)."""

    NOT_AUTHENTICATED = auto()
    AUTHENTICATED = auto()
    SELECTED = auto()
    LOGOUT = auto()


ANY = State.NOT_AUTHENTICATED | State.AUTHENTICATED | State.SELECTED
LOGGED_ON = State.AUTHENTICATED | State.SELECTED


class Announce(Enum):
    """What may be told at the end of a command."""

    NOTHING = auto()
    NO_EXPUNGE = auto()
    ALL = auto()


@dataclass(frozen=True, slots=True)
class Done:
    """The tagged OK of a command."""

    text: str
    code: bytes = b""


@dataclass(frozen=True, slots=True)
class Command:
    """A row of the table. `parse` reads the arguments up to the end; `run` does the work and writes the
    untagged replies. `upload` is there for commands whose message literals are streamed: it is asked, with
    what came so far, whether the announced literal is a message, and prepares to take it."""

    name: bytes
    states: State
    parse: Callable[[Cursor], Any]
    run: Callable[["Session", Any], Awaitable[Done]]
    announce: Announce = Announce.ALL
    upload: "Upload | None" = None


@dataclass(frozen=True, slots=True)
class Upload:
    """How a command takes streamed messages. `is_message(pieces)` tells whether the literal announced after
    `pieces` is one; `open(session, pieces, size)` checks target, rights and quota before any octet is asked
    for, and raises No or Bad to refuse."""

    is_message: Callable[[tuple[Piece, ...]], bool]
    open: Callable[["Session", tuple[Piece, ...], int], Awaitable[None]]


def no_arguments(cursor: Cursor) -> None:
    """`parse` of commands without arguments."""
    cursor.end()
