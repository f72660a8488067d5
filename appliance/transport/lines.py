"""Line ends of message content: CR and LF only in pairs, and the dots of DATA on the way out.

Pure: bytes in, bytes out, in any pieces.
"""

import re

from appliance.formats import lines

_BARE = re.compile(rb"\r(?!\n)|(?<!\r)\n")


def has_bare(data: bytes) -> bool:
    """Whether a CR or LF stands alone. `data` must not begin or end within a CR LF."""
    return lines.bare(data)


def mend(data: bytes) -> bytes:
    """Every CR or LF that stands alone as CR LF."""
    return _BARE.sub(b"\r\n", data)


class TextChecker:
    """Finds CRs and LFs that stand alone, across the borders of pieces."""

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


class DotEncoder:
    """Content as DATA carries it: a dot before each line that begins with one (RFC 5321 4.5.2), no CR or LF
    alone (so that no server can see an end where there is none), and a line end at the end."""

    __slots__ = ("_checker", "_tail")

    def __init__(self) -> None:
        self._checker = TextChecker(mend=True)
        self._tail = b"\r\n"

    def feed(self, data: bytes) -> bytes:
        """The next bytes."""
        return self._stuff(self._checker.feed(data))

    def end(self) -> bytes:
        """The end of the content, without the dot that ends DATA."""
        rest = self._stuff(self._checker.end())
        return rest if self._tail == b"\r\n" else rest + b"\r\n"

    def _stuff(self, data: bytes) -> bytes:
        if not data:
            return b""
        whole = self._tail + data
        stuffed = whole.replace(b"\r\n.", b"\r\n..")[len(self._tail) :]
        self._tail = whole[-2:]
        return stuffed
