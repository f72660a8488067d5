"""The terminals of IMAP's grammar, read from a whole command (RFC 9051 9).

A `Cursor` walks over the pieces of a command. Every method reads one thing and moves on, or raises `Bad`
saying what was expected; nothing is ever skipped silently.
"""

import re
from collections.abc import Callable
from typing import TypeVar

from appliance.protocols.imap import dates, names, sequence
from appliance.protocols.imap.errors import Bad
from appliance.protocols.imap.limits import MAX_KEYWORD, MAX_KEYWORDS, MAX_TAG
from appliance.protocols.imap.reader import Literal, Piece, Streamed
from appliance.protocols.imap.sequence import SequenceSet

T = TypeVar("T")

_ATOM = re.compile(rb"[!#$&'+,\-./0-9:;<=>?@A-Z\[^_`a-z|}~]+")
_ASTRING = re.compile(rb"[!#$&'+,\-./0-9:;<=>?@A-Z\[\]^_`a-z|}~]+")
_TAG = re.compile(rb"[!#$&',\-./0-9:;<=>?@A-Z\[\]^_`a-z|}~]+")
_LIST_MAILBOX = re.compile(rb"[!#$%&'*+,\-./0-9:;<=>?@A-Z\[\]^_`a-z|}~\x80-\xff]+")
_MAILBOX = re.compile(rb"[!#$&'+,\-./0-9:;<=>?@A-Z\[\]^_`a-z|}~\x80-\xff]+")
_QUOTED = re.compile(rb'"((?:[^"\\\r\n\x00]|\\["\\])*)"')
_NUMBER = re.compile(rb"[0-9]+")
_SET = re.compile(rb"[0-9*:,]+|\$")
_FLAG = re.compile(rb"\\?[!#$&'+,\-./0-9:;<=>?@A-Z\[^_`a-z|}~\]]+")
_WORD = re.compile(rb"[A-Za-z0-9.\-=_+]+")
_ESCAPE = re.compile(rb'\\(["\\])')

MAX_NUMBER64 = (1 << 63) - 1
SYSTEM_FLAGS = {
    b"\\seen": b"\\Seen",
    b"\\answered": b"\\Answered",
    b"\\flagged": b"\\Flagged",
    b"\\deleted": b"\\Deleted",
    b"\\draft": b"\\Draft",
}


class Cursor:
    """A place in a command. `utf8`: whether mailbox names are UTF-8 (RFC 6855 3)."""

    __slots__ = ("_index", "_pieces", "_position", "depth", "utf8")

    def __init__(self, pieces: tuple[Piece, ...], *, utf8: bool = False) -> None:
        self._pieces = pieces
        self._index = 0
        self._position = 0
        self.utf8 = utf8
        self.depth = 0

    def _text(self) -> bytes:
        piece = self._pieces[self._index]
        if isinstance(piece, bytes):
            return piece
        raise Bad("A literal stands where it may not.")

    @property
    def at_literal(self) -> bool:
        """Whether a literal comes next."""
        piece = self._pieces[self._index]
        return not isinstance(piece, bytes) or (
            self._position == len(piece) and self._index + 1 < len(self._pieces)
        )

    @property
    def at_end(self) -> bool:
        """Whether the command is over."""
        return self._index == len(self._pieces) - 1 and self._position == len(self._text())

    def peek(self) -> bytes:
        """The next character; empty at a literal and at the end."""
        return self._text()[self._position : self._position + 1] if not self.at_literal else b""

    def match(self, pattern: "re.Pattern[bytes]") -> bytes | None:
        """What matches here, or None without moving."""
        if self.at_literal:
            return None
        found = pattern.match(self._text(), self._position)
        if not found:
            return None
        self._position = found.end()
        return found[0]

    def expect(self, pattern: "re.Pattern[bytes]", what: str) -> bytes:
        """What matches here. Raises Bad."""
        found = self.match(pattern)
        if found is None:
            raise Bad(f"Expected {what}.")
        return found

    def accept(self, text: bytes) -> bool:
        """Skip `text` if it comes next, without regard to case."""
        if self.at_literal:
            return False
        end = self._position + len(text)
        if self._text()[self._position : end].upper() != text.upper():
            return False
        self._position = end
        return True

    def back(self, count: int) -> None:
        """Step back over `count` characters that were just read."""
        self._position -= count

    def require(self, text: bytes) -> None:
        """Skip `text`. Raises Bad."""
        if not self.accept(text):
            raise Bad(f"Expected {text.decode()!r}.")

    def space(self) -> None:
        """Skip the one space between arguments."""
        if not self.accept(b" "):
            raise Bad("Expected a space.")

    def end(self) -> None:
        """Nothing may follow. A trailing space is forgiven, as other servers do."""
        self.accept(b" ")
        if not self.at_end:
            raise Bad("Unexpected characters after the command.")

    def tag(self) -> bytes:
        """A command's tag."""
        tag = self.expect(_TAG, "a tag")
        if len(tag) > MAX_TAG:
            raise Bad("The tag is too long.")
        return tag

    def word(self, what: str = "a keyword") -> bytes:
        """A keyword of the grammar, in capitals."""
        return self.expect(_WORD, what).upper()

    def atom(self) -> bytes:
        """An atom."""
        return self.expect(_ATOM, "an atom")

    def literal(self) -> Literal | Streamed:
        """The literal that comes next. Raises Bad."""
        if not self.at_literal:
            raise Bad("Expected a literal.")
        piece = self._pieces[self._index + 1]
        if isinstance(piece, bytes):
            raise Bad("Expected a literal.")
        self._index += 2
        self._position = 0
        return piece

    def string(self) -> bytes:
        """A quoted string or a literal."""
        if self.at_literal:
            held = self.literal()
            if isinstance(held, Streamed):
                raise Bad("The literal is too big here.")
            if held.binary or b"\0" in held.data:
                raise Bad("A binary literal stands where a string is expected.")  # RFC 9051 4.3
            return held.data
        found = self.expect(_QUOTED, "a string")
        return _ESCAPE.sub(rb"\1", found[1:-1])

    def astring(self) -> bytes:
        """An atom (with `]` allowed) or a string."""
        if self.at_literal or self.peek() == b'"':
            return self.string()
        return self.expect(_ASTRING, "an atom or string")

    def nstring(self) -> bytes | None:
        """A string or NIL."""
        if self.at_literal or self.peek() == b'"':
            return self.string()
        if self.atom().upper() == b"NIL":
            return None
        raise Bad("Expected a string or NIL.")

    def number(self, limit: int = 0xFFFFFFFF) -> int:
        """A number up to `limit`."""
        raw = self.expect(_NUMBER, "a number")
        if len(raw) > 20 or int(raw) > limit:
            raise Bad("The number is too big.")
        return int(raw)

    def nz_number(self, limit: int = 0xFFFFFFFF) -> int:
        """A number that is not zero."""
        value = self.number(limit)
        if not value:
            raise Bad("Zero is not allowed here.")
        return value

    def number64(self) -> int:
        """A 63-bit number (mod-sequences, sizes)."""
        return self.number(MAX_NUMBER64)

    def sequence_set(self, *, saved: bool = True) -> SequenceSet:
        """A sequence set, or `$` (RFC 5182) where that may stand."""
        found = sequence.parse(self.expect(_SET, "a sequence set"))
        if found.saved and not saved:
            raise Bad("$ may not stand here.")
        return found

    def partial_set(self) -> bytes | None:
        """The characters of a sequence set if one comes next."""
        return self.match(_SET)

    def mailbox(self) -> str:
        """A mailbox name."""
        if self.at_literal or self.peek() == b'"':
            raw = self.string()
        else:
            raw = self.expect(_MAILBOX, "a mailbox name")
        return names.decode(raw, self.utf8)

    def list_mailbox(self) -> str:
        """A mailbox name or pattern of LIST."""
        if self.at_literal or self.peek() == b'"':
            raw = self.string()
        else:
            raw = self.expect(_LIST_MAILBOX, "a mailbox pattern")
        return names.decode(raw, self.utf8)

    def items(self, one: Callable[[], T], *, empty: bool = True, limit: int = 1000) -> list[T]:
        """A parenthesised list of what `one` reads."""
        self.require(b"(")
        found: list[T] = []
        if self.accept(b")"):
            if not empty:
                raise Bad("The list is empty.")
            return found
        while True:
            found.append(one())
            if len(found) > limit:
                raise Bad("The list is too long.")
            if self.accept(b")"):
                return found
            self.space()

    def flag(self) -> bytes:
        """A flag: a system flag in its own case, or a keyword. Raises Bad for `\\Recent` and unknown ones."""
        raw = self.expect(_FLAG, "a flag")
        if raw.startswith(b"\\"):
            known = SYSTEM_FLAGS.get(raw.lower())
            if known is None:
                raise Bad("That flag cannot be set.")
            return known
        if len(raw) > MAX_KEYWORD:
            raise Bad("The keyword is too long.")
        return raw

    def flag_list(self) -> list[bytes]:
        """Flags in parentheses."""
        return self.items(self.flag, limit=MAX_KEYWORDS)

    def date_time(self) -> int:
        """A quoted date-time, as a FILETIME."""
        if self.peek() != b'"':
            raise Bad("Expected a date-time.")
        return dates.parse_date_time(self.string())

    def deeper(self, limit: int) -> None:
        """Note one more level of nesting."""
        self.depth += 1
        if self.depth > limit:
            raise Bad("Nested too deeply.")
