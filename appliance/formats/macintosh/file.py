"""A Macintosh file: two forks and what the Finder knows of it; contents made of other contents."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from appliance.mapi.objects import BytesContent, Content

MAX_NAME = 63
"""Bytes of a file name, at most."""

EMPTY = BytesContent(b"")


@dataclass(frozen=True, slots=True)
class MacFile:
    """`name` and `comment` are in the writer's script, which is mostly Mac Roman. `created` and `modified`
    are seconds since 1904, `flags` the Finder's, `place` its four bytes of the icon's position and `folder`
    the two of the window's number. Forks have fewer than 2^31 bytes."""

    name: bytes
    data: Content
    resource: Content = EMPTY
    type: bytes = b"????"
    creator: bytes = b"????"
    flags: int = 0
    place: bytes = bytes(4)
    folder: bytes = bytes(2)
    protected: bool = False
    created: int = 0
    modified: int = 0
    comment: bytes = b""

    @property
    def text_name(self) -> str:
        """The name as text."""
        return self.name.decode("mac-roman")


@dataclass(frozen=True, slots=True)
class Range:
    """A piece of a content."""

    whole: Content
    start: int
    size: int

    def read(self, offset: int, length: int) -> bytes:
        """Up to `length` bytes from `offset`; empty past the end."""
        length = min(length, self.size - offset)
        return self.whole.read(self.start + offset, length) if length > 0 else b""


class Chain:
    """Contents one after the other."""

    __slots__ = ("_ends", "_parts", "size")

    def __init__(self, parts: Sequence[Content]) -> None:
        self._parts = tuple(parts)
        self._ends = tuple(accumulate(part.size for part in self._parts))
        self.size = self._ends[-1] if self._ends else 0
        """Length in bytes."""

    def read(self, offset: int, length: int) -> bytes:
        """Up to `length` bytes from `offset`; empty past the end."""
        pieces: list[bytes] = []
        start = 0
        for part, end in zip(self._parts, self._ends, strict=True):
            if offset < end and length > 0:
                piece = part.read(offset - start, min(length, end - offset))
                pieces.append(piece)
                offset += len(piece)
                length -= len(piece)
                if offset < end:
                    break
            start = end
        return b"".join(pieces)
