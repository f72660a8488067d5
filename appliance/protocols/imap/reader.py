"""Bytes to commands, without I/O: feed bytes, take events.

Rules:
- A command is one line whose literals are announced at the ends of its pieces (RFC 9051 4.3).
- The reader never decides about a literal: it gives `LiteralAsked` and waits for `take` (hold it in memory),
  `stream` (hand it out as it comes), `drain` (drop it; the command goes on) or `abandon` (the client will not
  send it; the command is over). Nothing announced is ever allocated in advance.
- A line over the limit is dropped up to its end; the event tells its tag.
- Octets after a finished command stay in the buffer: pipelined commands come out one by one. `discard` drops
  them, which STARTTLS needs (nothing sent in clear may be taken for something sent under TLS).
"""

import re
from dataclasses import dataclass, field

from appliance.protocols.imap.limits import MAX_LINE_STRANGER, MAX_TAG

_ANNOUNCED = re.compile(rb"(~?)\{([0-9]{1,19})(\+?)\}\Z")
_TAG = re.compile(rb"([!#$&',\-./0-9:;<=>?@A-Z\[\]^_`a-z|}~]{1,200}) ")


@dataclass(frozen=True, slots=True)
class Literal:
    """A literal held in memory. `binary` is literal8 (RFC 3516)."""

    data: bytes
    binary: bool = False


@dataclass(frozen=True, slots=True)
class Streamed:
    """Stands where a streamed or dropped literal was."""

    size: int
    binary: bool = False


Piece = bytes | Literal | Streamed


@dataclass(frozen=True, slots=True)
class CommandRead:
    """A whole command: text and literals in turn, beginning and ending with text."""

    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class LiteralAsked:
    """A literal of `size` octets is announced after `pieces`. `waits`: the client sends it only when asked
    (a synchronising literal)."""

    pieces: tuple[Piece, ...]
    size: int
    waits: bool
    binary: bool


@dataclass(frozen=True, slots=True)
class LiteralData:
    """Some octets of a streamed literal; `last` ends it."""

    data: bytes
    last: bool


@dataclass(frozen=True, slots=True)
class LineTooLong:
    """A command passed the limit and was dropped. `tag` is `*` when none could be read."""

    tag: bytes


Event = CommandRead | LiteralAsked | LiteralData | LineTooLong


def tag_of(pieces: tuple[Piece, ...]) -> bytes:
    """The tag of a command, or `*` when it has none."""
    first = pieces[0] if pieces else b""
    match = _TAG.match(first + b" ") if isinstance(first, bytes) else None
    return match[1] if match else b"*"


@dataclass(slots=True)
class Reader:
    """The state of one connection's input. `max_line` may be raised after login."""

    max_line: int = MAX_LINE_STRANGER
    _buffer: bytearray = field(default_factory=bytearray)
    _scanned: int = 0
    _pieces: list[Piece] = field(default_factory=list)
    _text: int = 0
    _left: int = 0
    _mode: str = "line"
    _binary: bool = False
    _size: int = 0

    def feed(self, data: bytes) -> None:
        """Give octets that came in."""
        self._buffer += data

    @property
    def pending(self) -> bool:
        """Whether octets wait in the buffer or a command is unfinished."""
        return bool(self._buffer or self._pieces)

    def discard(self) -> None:
        """Drop what waits."""
        self._buffer.clear()
        self._reset()

    def rest(self) -> bytes:
        """Take out what waits and is not read yet."""
        return self._cut(len(self._buffer))

    def next(self) -> Event | None:
        """The next event, or None when more octets are needed. After `LiteralAsked` one of the answers must
        come first."""
        if self._mode == "asked":
            raise RuntimeError("the announced literal was not answered")
        if self._mode == "hold":
            if len(self._buffer) < self._left:
                return None
            self._pieces.append(Literal(self._cut(self._left), self._binary))
            self._mode = "line"
        elif self._mode == "stream":
            return self._stream()
        elif self._mode == "skip":
            return self._skip()
        elif self._mode == "drain" and not self._drain():
            return None
        return self._line()

    def next_line(self) -> bytes | None:
        """A bare line without its end, as SASL and IDLE need; None when it is not whole yet. A line over the
        limit comes cut off at the limit."""
        line = self._take_line()
        if line is None and len(self._buffer) > self.max_line:
            return self._cut(self.max_line)
        return line

    def take(self) -> None:
        """Hold the announced literal in memory."""
        self._mode = "hold"

    def stream(self) -> None:
        """Hand the announced literal out as it comes."""
        self._pieces.append(Streamed(self._size, self._binary))
        self._mode = "stream"

    def drain(self) -> None:
        """Drop the announced literal; the command's text goes on after it."""
        self._pieces.append(Streamed(self._size, self._binary))
        self._mode = "drain"

    def abandon(self) -> None:
        """The announced literal will not come: the command is over."""
        self._reset()

    def _reset(self) -> None:
        self._pieces, self._text, self._left, self._mode, self._scanned = [], 0, 0, "line", 0

    def _cut(self, count: int) -> bytes:
        data = bytes(self._buffer[:count])
        del self._buffer[:count]
        self._scanned = 0
        return data

    def _take_line(self) -> bytes | None:
        end = self._buffer.find(b"\n", self._scanned)
        if end < 0:
            self._scanned = len(self._buffer)
            return None
        line = self._cut(end + 1)
        return line[:-2] if line.endswith(b"\r\n") else line[:-1]

    def _line(self) -> Event | None:
        line = self._take_line()
        if line is None:
            if self._text + len(self._buffer) <= self.max_line:
                return None
            self._pieces.append(bytes(self._buffer[: MAX_TAG + 1]))
            self._mode = "skip"
            return self._skip()
        self._text += len(line)
        if self._text > self.max_line:
            return self._too_long(line)
        match = _ANNOUNCED.search(line)
        if not match:
            pieces = (*self._pieces, line)
            self._reset()
            return CommandRead(pieces)
        self._pieces.append(line[: match.start()])
        self._size = self._left = int(match[2])
        self._binary = bool(match[1])
        self._mode = "asked"
        return LiteralAsked(tuple(self._pieces), self._size, not match[3], self._binary)

    def _too_long(self, line: bytes) -> LineTooLong:
        tag = tag_of((*self._pieces, line[: MAX_TAG + 1]))
        self._reset()
        return LineTooLong(tag)

    def _stream(self) -> LiteralData | None:
        if not self._buffer and self._left:
            return None
        data = self._cut(min(self._left, len(self._buffer)))
        self._left -= len(data)
        if not self._left:
            self._mode = "line"
        return LiteralData(data, last=not self._left)

    def _drain(self) -> bool:
        dropped = min(self._left, len(self._buffer))
        self._cut(dropped)
        self._left -= dropped
        if self._left:
            return False
        self._mode = "line"
        return True

    def _skip(self) -> LineTooLong | None:
        """Drop the rest of a line that is too long."""
        end = self._buffer.find(b"\n")
        if end < 0:
            self._buffer.clear()
            return None
        self._cut(end + 1)
        return self._too_long(b"")
