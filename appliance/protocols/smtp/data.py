"""The bytes of a message on their way in: the end of DATA, transparency, line endings.

Only CR LF "." CR LF ends DATA (RFC 5321 4.1.1.4). A line feed or carriage return that stands alone never
ends a line here: servers that disagree about this can be made to see two messages where the other saw one.
A message that holds one is marked (`bare`), and refused on port 25; on the submission ports it is mended to
CR LF, after transparency was undone and the end was found, so that mending cannot create an end.

Pure: bytes in, bytes out. Holds back at most four bytes between calls.
"""

import re

_END = b"\r\n.\r\n"
_BARE = re.compile(rb"\r(?!\n)|(?<!\r)\n")


def has_bare(data: bytes) -> bool:
    """Whether a CR or LF stands alone. `data` must not begin or end within a CR LF."""
    pairs = data.count(b"\r\n")
    return data.count(b"\n") != pairs or data.count(b"\r") != pairs


def mend(data: bytes) -> bytes:
    """Every CR or LF that stands alone as CR LF."""
    return _BARE.sub(b"\r\n", data)


class DotDecoder:
    """The content of DATA. `feed` gives decoded bytes; when `ended`, `rest` is what followed the end."""

    __slots__ = ("_carry", "_mend", "_virtual", "bare", "ended", "rest", "size")

    def __init__(self, *, mend: bool) -> None:
        self._carry = b"\r\n"  # the message begins at the beginning of a line
        self._virtual = 2
        self._mend = mend
        self.bare = False
        """A CR or LF stood alone."""
        self.ended = False
        self.rest = b""
        self.size = 0
        """Decoded bytes so far."""

    def feed(self, data: bytes) -> bytes:
        """Decode the next bytes. Not to be called after the end."""
        buffer = self._carry + data
        end = buffer.find(_END)
        if end >= 0:
            body = buffer[: end + 2]
            self.rest = buffer[end + 5 :]
            self.ended = True
        else:
            kept = _held_back(buffer)
            body = buffer[: len(buffer) - kept]
            self._carry = buffer[len(buffer) - kept :]
        if not body:
            return b""
        if has_bare(body):
            self.bare = True
            body = self._unstuff(body)
            if self._mend:
                body = mend(body)
        else:
            body = self._unstuff(body)
        self.size += len(body)
        return body

    def _unstuff(self, body: bytes) -> bytes:
        body = body.replace(b"\r\n.", b"\r\n")  # RFC 5321 4.5.2
        if self._virtual:
            body = body[self._virtual :]
            self._virtual = 0
        return body


def _held_back(buffer: bytes) -> int:
    """How many bytes at the end may be the beginning of the end."""
    for length in range(min(len(_END) - 1, len(buffer)), 0, -1):
        if buffer.endswith(_END[:length]):
            return length
    return 0


class TextChecker:
    """Finds CRs and LFs that stand alone in the chunks of BDAT, across their borders (RFC 3030 asks for
    canonical line ends unless BODY=BINARYMIME)."""

    __slots__ = ("_carry", "_mend", "bare")

    def __init__(self, *, mend: bool) -> None:
        self._carry = b""
        self._mend = mend
        self.bare = False

    def feed(self, data: bytes) -> bytes:
        """The next bytes, mended if that was asked for; a CR at the end waits for what follows it."""
        data = self._carry + data
        self._carry = b""
        if data.endswith(b"\r"):
            data, self._carry = data[:-1], b"\r"
        return self._checked(data)

    def end(self) -> bytes:
        """What was held back."""
        data, self._carry = self._carry, b""
        return self._checked(data)

    def _checked(self, data: bytes) -> bytes:
        if has_bare(data):
            self.bare = True
            if self._mend:
                return mend(data)
        return data
