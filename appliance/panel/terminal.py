"""One terminal, without its line: bytes in, finished lines out; text in, bytes out.

Made for the poorest terminal on the worst cable: nothing but printable characters, CR, LF, backspace and bell
is ever sent, nothing depends on where the cursor stands. Bytes that mean nothing here (noise, NULs, function
keys) are dropped. A line is at most MAX_LINE characters; input that nobody waits for is kept up to MAX_AHEAD
bytes, so that a pasted answer sheet works. No input raises.
"""

import codecs
from enum import Enum, auto

MAX_LINE = 256
MAX_AHEAD = 4096
MAX_OUTPUT = 64 << 10
"""Bytes that wait for a line that does not take them; what is more is dropped."""

WIDTH, HEIGHT = 80, 24
_MAX_SEQUENCE = 16
_BELL = "\a"


class Key(Enum):
    """What ends the input of a line besides Return."""

    INTERRUPT = auto()
    """Control-C: leave this dialogue."""
    END = auto()
    """Control-D: log out."""


class _Escape(Enum):
    NONE = auto()
    BEGUN = auto()
    SEQUENCE = auto()
    ONE_MORE = auto()


class Terminal:
    """The state of a terminal. `ask` opens a line; `feed` or `ahead` finish it."""

    def __init__(self) -> None:
        self._out = bytearray()
        self.reset()

    def reset(self) -> None:
        """Forget everything that was typed: another person may sit there now."""
        self._ahead = bytearray()
        self._line: list[str] = []
        self._open = False
        self._secret = False
        self._prompt = ""
        self._after_cr = False
        self._escape = _Escape.NONE
        self._length = 0
        self._decoder = codecs.getincrementaldecoder("utf-8")("ignore")

    # -- output ---------------------------------------------------------------------------------------

    def write(self, text: str) -> None:
        """Text with `\\n` as its line ends; control characters are dropped."""
        shown = "".join(char for char in text if char == "\n" or char.isprintable())
        self._send(shown.replace("\n", "\r\n"))

    def _send(self, raw: str) -> None:
        if len(self._out) < MAX_OUTPUT:
            self._out += raw.encode("utf-8", "replace")

    def take(self) -> bytes:
        """What is to be sent; it is forgotten here."""
        taken = bytes(self._out)
        self._out.clear()
        return taken

    # -- input ----------------------------------------------------------------------------------------

    def ask(self, prompt: str, *, secret: bool = False, fresh: bool = False) -> None:
        """Open a line. `secret`: it is not echoed. `fresh`: what was typed before it does not count."""
        if fresh:
            self._ahead.clear()
        self._prompt, self._secret, self._open, self._line = prompt, secret, True, []
        self.write(prompt)

    def feed(self, data: bytes) -> str | Key | None:
        """Bytes from the line. Returns what was finished with them, if a line is open; the rest waits."""
        room = MAX_AHEAD - len(self._ahead)
        if len(data) > room:
            self._send(_BELL)
        self._ahead += data[:room]
        return self.ahead()

    def ahead(self) -> str | Key | None:
        """Go on with what was typed before."""
        while self._open and self._ahead:
            byte = self._ahead.pop(0)
            finished = self._byte(byte)
            if finished is not None:
                self._open = False
                return finished
        return None

    def interrupted(self) -> bool:
        """Whether Control-C waits among what was typed ahead; then all of that is forgotten."""
        if 0x03 not in self._ahead:
            return False
        self._ahead.clear()
        return True

    def _byte(self, byte: int) -> str | Key | None:
        after_cr, self._after_cr = self._after_cr, byte == 0x0D
        if byte in (0x0D, 0x0A):
            self._escape = _Escape.NONE
            if byte == 0x0A and after_cr:
                return None
            return self._finish()
        if byte == 0x03:
            self._send("^C\r\n")
            return Key.INTERRUPT
        if self._in_escape(byte):
            return None
        if byte == 0x04:
            if not self._line:
                self._send("\r\n")
                return Key.END
        elif byte in (0x08, 0x7F):
            self._erase(1)
        elif byte == 0x15:
            self._erase(len(self._line))
        elif byte == 0x17:
            text = "".join(self._line).rstrip()
            self._erase(len(self._line) - (text.rfind(" ") + 1))
        elif byte in (0x0C, 0x12):
            self._send("\r\n")
            self.write(self._prompt + ("" if self._secret else "".join(self._line)))
        elif byte >= 0x20 or byte == 0x09:
            self._type(byte)
        return None

    def _finish(self) -> str:
        self._send("\r\n")
        line, self._line = "".join(self._line), []
        self._decoder.reset()
        return line

    def _in_escape(self, byte: int) -> bool:
        """Whether a byte belongs to the sequence of a function key (ECMA-48 5.4): it means nothing here."""
        if self._escape is _Escape.NONE:
            if byte != 0x1B:
                return False
            self._escape = _Escape.BEGUN
        elif self._escape is _Escape.BEGUN:
            following = {ord("["): _Escape.SEQUENCE, ord("O"): _Escape.ONE_MORE, 0x1B: _Escape.BEGUN}
            self._escape, self._length = following.get(byte, _Escape.NONE), 0
        elif self._escape is _Escape.SEQUENCE:
            self._length += 1
            if 0x40 <= byte <= 0x7E or self._length >= _MAX_SEQUENCE or byte < 0x20:
                self._escape = _Escape.NONE
        else:
            self._escape = _Escape.NONE
        return True

    def _type(self, byte: int) -> None:
        for char in self._decoder.decode(b" " if byte == 0x09 else bytes([byte])):
            if not char.isprintable():
                continue
            if len(self._line) >= MAX_LINE:
                self._send(_BELL)
                continue
            self._line.append(char)
            if not self._secret:
                self._send(char)

    def _erase(self, count: int) -> None:
        count = min(count, len(self._line))
        if count == 0:
            return
        del self._line[-count:]
        if not self._secret:
            self._send("\b \b" * count)
