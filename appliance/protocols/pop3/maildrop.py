"""The snapshot of an inbox that a POP3 session works on.

Message numbers are positions in it and stay as they are, whatever happens to the inbox meanwhile. Deleting
marks a number; nothing is removed before the session ends with QUIT (RFC 1939 3). Unique ids are
`UIDVALIDITY.UID` in hexadecimal: stable across sessions and restarts, never used again, short.
"""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(slots=True)
class Maildrop:
    """`uids`, `mids` and `sizes` (octets) by position; `deleted` and `seen` hold message numbers (from 1)."""

    mailbox: int
    fid: int
    uidvalidity: int
    uids: "array[int]"
    mids: "array[int]"
    sizes: "array[int]"
    deleted: set[int] = field(default_factory=set)
    seen: set[int] = field(default_factory=set)

    def exists(self, number: int) -> bool:
        """Whether a number stands for a message, deleted or not."""
        return 1 <= number <= len(self.uids)

    def left(self) -> Iterator[int]:
        """The numbers that are not deleted."""
        return (number for number in range(1, len(self.uids) + 1) if number not in self.deleted)

    def size(self, number: int) -> int:
        """Octets of a message."""
        return self.sizes[number - 1]

    def uid(self, number: int) -> int:
        """The UID behind a number."""
        return self.uids[number - 1]

    def mid(self, number: int) -> int:
        """The MID behind a number."""
        return self.mids[number - 1]

    def unique_id(self, number: int) -> bytes:
        """The id that UIDL tells (RFC 1939 7: 1 to 70 characters)."""
        return b"%x.%x" % (self.uidvalidity, self.uid(number))

    def totals(self) -> tuple[int, int]:
        """(messages, octets) without the deleted ones: what STAT tells."""
        gone = sum(map(self.size, self.deleted))
        return len(self.uids) - len(self.deleted), sum(self.sizes) - gone
