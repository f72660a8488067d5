"""The content of a queue entry, read in pieces: the trace prefix, then the stored bytes.

Nothing here holds a message whole, and no snapshot outlives a piece: the queue's reference keeps the bytes.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial

from appliance.net.bridge import read_in_thread
from appliance.store import blobs
from appliance.store.kv import ReadTxn
from appliance.store.queue import QueueEntry
from appliance.store.store import Store

PIECE = blobs.CHUNK
"""Bytes that are read at a time."""

MAX_HEAD = 256 << 10
"""Bytes of a header section that are looked at."""


@dataclass(frozen=True, slots=True)
class Content:
    """What a queue entry sends."""

    store: Store
    prefix: bytes
    blob: int

    @classmethod
    def of(cls, store: Store, entry: QueueEntry) -> "Content":
        """The content of an entry."""
        return cls(store, entry.prefix, entry.blob)

    async def stored(self) -> AsyncIterator[bytes]:
        """The stored bytes in pieces, without the prefix. Raises NotFound when the entry is gone."""
        offset = 0
        while True:
            piece = await read_in_thread(self.store, partial(self._read, offset))
            if not piece:
                return
            offset += len(piece)
            yield piece
            if len(piece) < PIECE:
                return

    def _read(self, offset: int, txn: ReadTxn) -> bytes:
        return blobs.read(txn, self.blob, offset, PIECE)

    async def pieces(self) -> AsyncIterator[bytes]:
        """Everything that is sent, in pieces."""
        if self.prefix:
            yield self.prefix
        async for piece in self.stored():
            yield piece

    async def head(self) -> bytes:
        """The header section with the prefix, without the empty line; cut at MAX_HEAD."""
        raw = await read_in_thread(self.store, lambda txn: blobs.read(txn, self.blob, 0, MAX_HEAD))
        if raw.startswith(b"\r\n"):
            return self.prefix
        end = raw.find(b"\r\n\r\n")
        return self.prefix + (raw if end < 0 else raw[: end + 2])

    async def has_eight_bit(self) -> bool:
        """Whether an octet above 127 occurs after the header section's own."""
        async for piece in self.stored():
            if not piece.isascii():
                return True
        return False
