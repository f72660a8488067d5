"""Text as searches and sorts compare it: without case and with characters decomposed.

One folding serves substring search, sort keys and the full-text index, so that the index can only narrow
what the comparison would find. It follows i;unicode-casemap (RFC 5051) but for full case folding in place
of titlecase mapping, which finds a little more ("STRASSE" in "Straße") and nothing less.

Invariant: fold(a + b) contains fold(a) wherever neither begins with a combining mark, so texts may be
folded in pieces.
"""

import codecs
import unicodedata
from collections.abc import Iterable

from appliance.mailbox.errors import Reason, Refused

MAX_KEY = 4096
"""Characters of one search key; a longer one is refused."""


class BadCharset(Refused):
    """The charset of a search is unknown, or its keys are not text in it (RFC 9051 6.4.4: BADCHARSET)."""

    def __init__(self, charset: str) -> None:
        super().__init__(Reason.INVALID, f"charset {charset[:40]!r}")


def fold(text: str) -> str:
    """`text` as it is compared."""
    if text.isascii():
        return text.lower()
    folded = unicodedata.normalize("NFKD", text).casefold()
    return folded if folded.isascii() else unicodedata.normalize("NFKD", folded)


def check_charset(charset: str) -> str:
    """The codec for a charset named by a client. Raises BadCharset."""
    try:
        info = codecs.lookup(charset)
        "".encode(info.name)
    except (LookupError, UnicodeError, ValueError):
        raise BadCharset(charset) from None
    return info.name


def decode_key(raw: bytes, charset: str = "utf-8") -> str:
    """A search key as text. Raises BadCharset when it is not text in `charset`."""
    name = check_charset(charset)
    try:
        text = raw.decode("utf-8" if name == "ascii" else name)
    except (UnicodeError, LookupError, AssertionError):
        raise BadCharset(charset) from None
    if not isinstance(text, str):
        raise BadCharset(charset)
    if len(text) > MAX_KEY:
        raise Refused(Reason.TOO_BIG, "search key")
    return text


class Finder:
    """Looks for one folded key in text that comes in pieces, of which no more than one is held."""

    __slots__ = ("_keep", "_key", "_tail", "found")

    def __init__(self, key: str) -> None:
        self._key = key
        self._keep = len(key) - 1
        self._tail = ""
        self.found = not key

    def feed(self, folded: str) -> bool:
        """Add folded text; whether the key has been found by now."""
        if not self.found:
            text = self._tail + folded
            self.found = self._key in text
            self._tail = text[-self._keep :] if self._keep else ""
        return self.found


def contains(key: str, pieces: Iterable[str]) -> bool:
    """Whether the folded key stands in the text made of `pieces`."""
    finder = Finder(key)
    if finder.found:
        return True
    return any(finder.feed(fold(piece)) for piece in pieces)
