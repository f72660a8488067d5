"""Limits of the MIME scanner, and the flags by which it reports what was not as it should be.

Invariant: a limit never drops bytes of the message. What lies beyond it is merely not taken apart (a deeper
part is a leaf, a longer header is not kept for ENVELOPE), stays addressable by its offsets, and is flagged.
"""

from dataclasses import dataclass
from enum import IntFlag

MAX_BOUNDARY = 1000
"""Bytes of a boundary parameter that is used; RFC 2046 5.1.1 allows 70."""

HOLD = MAX_BOUNDARY + 8
"""Bytes of a line that are looked at when it may be a delimiter or a header field."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a scanner holds and how deep it goes; each at least 1."""

    header_bytes: int = 1 << 20
    """Bytes kept of one header; lines beyond them are not kept."""
    kept_bytes: int = 4 << 20
    """Bytes kept of all message headers and content fields of one message."""
    value_bytes: int = 32 << 10
    """Bytes kept of one content field (Content-Type and its like)."""
    fields: int = 20_000
    """Fields kept of one header."""
    depth: int = 100
    """Containers around a part; a multipart or message deeper than that is a leaf."""
    parts: int = 10_000
    """Parts of a message; later delimiters do not open further ones."""


DEFAULT_LIMITS = Limits()


class Finding(IntFlag):
    """What the scanner met that the RFCs do not allow, or that a limit cut; for a part or a whole message."""

    EIGHT_BIT_HEADER = 1 << 0
    EIGHT_BIT_BODY = 1 << 1
    """Legal with 8BITMIME."""
    NUL = 1 << 2
    BARE_LF = 1 << 3
    BARE_CR = 1 << 4
    MBOX_FROM = 1 << 5
    """An mbox From_ line on top of a message header."""
    MISSING_SEPARATOR = 1 << 6
    """No empty line between header and body."""
    STRAY_CONTINUATION = 1 << 7
    """A header that opens with a continuation line."""
    MISSING_END = 1 << 8
    """A multipart without its close delimiter."""
    NO_BOUNDARY = 1 << 9
    """A multipart without a usable boundary parameter: a leaf."""
    LOOSE_BOUNDARY = 1 << 10
    """A delimiter line with further text after the boundary."""
    HEADER_LIMIT = 1 << 11
    DEPTH_LIMIT = 1 << 12
    PARTS_LIMIT = 1 << 13
    ENCODED_MESSAGE = 1 << 14
    """A message/rfc822 in base64 or the like (RFC 2046 5.2.1 forbids it): a leaf."""
    BAD_TYPE = 1 << 15
    """A Content-Type that has no type/subtype: text/plain (RFC 2045 5.2)."""
    CR_LINES = 1 << 16
    """A message without any LF, read with CR as its line end."""
    BAD_LINE = 1 << 17
    """A line among the fields of a header that is none, as a broken fold leaves it."""
