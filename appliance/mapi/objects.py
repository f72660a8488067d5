"""The message object between converters, store and protocols.

A message is a bag of properties, its named properties that have no ID yet, its recipients and attachments.
Big values (attachment data) are `Content`: something that is read piece by piece, so that no message is ever
held whole. Nothing here checks or computes; that is the converters' and the mailbox's work.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from appliance.mapi.names import PropertyName
from appliance.mapi.types import Bag, Value

READ_CHUNK = 65536

Named = dict[tuple[PropertyName, int], Value]


class Content(Protocol):
    """Bytes that are read on demand."""

    @property
    def size(self) -> int:
        """Length in bytes."""

    def read(self, offset: int, length: int) -> bytes:
        """Up to `length` bytes from `offset`; fewer only at the end, empty past it."""


@dataclass(frozen=True, slots=True)
class BytesContent:
    """Content that is small enough to be held."""

    data: bytes

    @property
    def size(self) -> int:
        """Length in bytes."""
        return len(self.data)

    def read(self, offset: int, length: int) -> bytes:
        """A slice of the data."""
        return self.data[offset : offset + length]


def chunks(content: Content, size: int = READ_CHUNK) -> Iterator[bytes]:
    """The whole content in pieces of at most `size` bytes."""
    offset = 0
    while piece := content.read(offset, size):
        yield piece
        offset += len(piece)


@dataclass(slots=True)
class AttachmentObject:
    """One attachment: data as `content`, or an embedded message, or neither (a reference)."""

    props: Bag = field(default_factory=dict)
    named: Named = field(default_factory=dict)
    content: Content | None = None
    embedded: "MessageObject | None" = None


@dataclass(slots=True)
class MessageObject:
    """A message outside the store. Recipients and attachments keep their order."""

    props: Bag = field(default_factory=dict)
    named: Named = field(default_factory=dict)
    recipients: list[Bag] = field(default_factory=list)
    attachments: list[AttachmentObject] = field(default_factory=list)
