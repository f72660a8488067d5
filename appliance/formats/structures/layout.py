"""What both twins of the codec share: numbers of the layout and the names of what can be wrong."""

from enum import IntEnum

FORM = 3
"""The first byte of a row."""

MOST = 32768
"""Bytes of the pieces of a row together, at most."""

SUBJECT = 1
"""The member of an envelope that is the subject (RFC 9051 7.5.2)."""


class Piece(IntEnum):
    """What a row holds, in this order."""

    ENVELOPE = 0
    BODYSTRUCTURE = 1
    SCAN = 2


class Verdict(IntEnum):
    """Whether a key stands in a text."""

    NO = 0
    YES = 1
    UNKNOWN = 2


SHORT, OFFSET, LONG, REST, HEAD = 1, 2, 3, 4, 16
PROBLEMS = {
    SHORT: "a block that is cut short",
    OFFSET: "a match that begins before the dictionary",
    LONG: "more data than was announced",
    REST: "bytes after the end of a block",
    HEAD: "lengths of a structure",
}


def varint(value: int) -> bytes:
    """LEB128."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def header(pieces: tuple[bytes, bytes, bytes]) -> bytes:
    """What stands before the block."""
    return bytes([FORM]) + b"".join(varint(len(piece)) for piece in pieces)
