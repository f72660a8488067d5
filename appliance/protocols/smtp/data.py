"""The bytes of a message on their way in: the end of DATA, transparency, line endings.

Only CR LF "." CR LF ends DATA (RFC 5321 4.1.1.4). A line feed or carriage return that stands alone never
ends a line here: servers that disagree about this can be made to see two messages where the other saw one.
A message that holds one is marked (`bare`), and refused on port 25; on the submission ports it is mended to
CR LF, after transparency was undone and the end was found, so that mending cannot create an end.

Pure: bytes in, bytes out. Holds back at most four bytes between calls.
"""

from appliance.formats import lines
from appliance.transport.lines import mend

_END = b"\r\n.\r\n"


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
        end, bare, dots = lines.look(buffer)
        if end >= 0:
            stop = end + 2
            self.rest = buffer[end + len(_END) :]
            self.ended = True
        else:
            stop = len(buffer) - _held_back(buffer)
            self._carry = buffer[stop:]
        if stop == 0:
            return b""
        if dots:
            body = buffer[:stop].replace(b"\r\n.", b"\r\n")[self._virtual :]  # RFC 5321 4.5.2
        else:
            body = buffer[self._virtual : stop]
        self._virtual = 0
        if bare:
            self.bare = True
            if self._mend:
                body = mend(body)
        self.size += len(body)
        return body


def _held_back(buffer: bytes) -> int:
    """How many bytes at the end may be the beginning of the end."""
    for length in range(min(len(_END) - 1, len(buffer)), 0, -1):
        if buffer.endswith(_END[:length]):
            return length
    return 0
