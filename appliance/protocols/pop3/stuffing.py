"""A message as a multi-line response: byte-stuffed, cut to its first lines where asked, ended with a dot.

RFC 1939 3: a line that begins with the termination octet gets another one before it. Lines end where a
client could think that they end: after LF, with or without CR. The bytes are not changed otherwise.
"""

import re

from appliance.protocols.pop3.replies import END

_STUFFED = re.compile(rb"\n\.")
_BLANK = re.compile(rb"\r?\n")


class Stuffer:
    """Takes a message in pieces of any size. `lines`: how many lines of the body follow the header (TOP);
    None: all."""

    __slots__ = ("_at_start", "_carry", "_in_body", "_left", "_limited", "_tail", "done")

    def __init__(self, lines: int | None = None) -> None:
        self._at_start = True
        self._tail = b""
        self._limited = lines is not None
        self._left = lines or 0
        self._in_body = False
        self._carry = b""
        self.done = False
        """Whether no more pieces are wanted."""

    def feed(self, data: bytes) -> bytes:
        """What to send for the next piece."""
        if self._limited:
            data = self._cut(data)
        return self._stuffed(data)

    def _stuffed(self, data: bytes) -> bytes:
        if not data:
            return b""
        stuffed = _STUFFED.sub(b"\n..", data) if b"\n." in data else data
        if self._at_start and data[:1] == b".":
            stuffed = b"." + stuffed
        self._at_start = data[-1:] == b"\n"
        self._tail = (self._tail + data[-2:])[-2:]
        return stuffed

    def _cut(self, data: bytes) -> bytes:
        """The part of a piece that lies in the header or in the wanted lines of the body."""
        if self.done:
            return b""
        data = self._carry + data
        whole = data.rfind(b"\n") + 1
        if whole == 0 and len(data) < 65536:  # a line may be the blank one: wait for its end
            self._carry = data
            return b""
        whole = whole or len(data)
        data, self._carry = data[:whole], data[whole:]
        position = 0
        if not self._in_body:
            position = self._header(data)
        while self._in_body and position < len(data) and not self.done:
            if self._left == 0:
                self.done = True
                break
            end = data.find(b"\n", position) + 1
            position = end or len(data)
            self._left -= 1 if end else 0
        if self._in_body and self._left == 0:
            self.done = True
        return data[:position]

    def _header(self, data: bytes) -> int:
        """Where the header ends in whole lines, or their length."""
        position = 0
        while position < len(data):
            end = data.find(b"\n", position) + 1 or len(data)
            if data[position:end] in (b"\r\n", b"\n"):
                self._in_body = True
                return end
            position = end
        return position

    def finish(self) -> bytes:
        """What ends the response."""
        rest = b""
        if self._carry and not self.done:
            rest = self._stuffed(self._carry)
        if self._tail and self._tail[-1:] != b"\n":
            rest += b"\r\n"
        return rest + END
