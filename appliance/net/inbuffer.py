"""Bytes of a connection that wait to be read.

Invariants:
- What came as one piece and is taken as one piece is never copied: large messages pass as they arrived.
- Adding to what waits, and taking its beginning, costs what is added or taken, whatever waits.
"""


class InBuffer:
    """A queue of bytes. `len` tells how many wait."""

    __slots__ = ("_at", "_data", "_scanned")

    def __init__(self) -> None:
        self._data: bytes | bytearray = b""
        self._at = 0  # how many of its bytes were taken; a bytearray drops them at once
        self._scanned = 0  # how many waiting bytes are known to hold no line end

    def __len__(self) -> int:
        return len(self._data) - self._at

    def add(self, data: bytes) -> None:
        """Bytes that came."""
        if self._at == len(self._data):
            self._data, self._at = data, 0
            return
        if isinstance(self._data, bytes):
            self._data, self._at = bytearray(memoryview(self._data)[self._at :]), 0
        self._data += data

    def line_end(self) -> int:
        """How many bytes the first line has with its end (LF); 0 when no whole line is here."""
        found = self._data.find(b"\n", self._at + self._scanned)
        if found < 0:
            self._scanned = len(self)
            return 0
        return found + 1 - self._at

    def take(self, count: int) -> bytes:
        """Take out the first `count` bytes, or all that there are."""
        self._scanned = 0
        if isinstance(self._data, bytes):
            piece = self._data[self._at : self._at + count]
            self._at += len(piece)
            if self._at == len(self._data):
                self._data, self._at = b"", 0
            return piece
        piece = bytes(memoryview(self._data)[:count])
        if len(piece) == len(self._data):
            self._data = b""
        else:
            del self._data[: len(piece)]
        return piece

    def give_back(self, data: bytes) -> None:
        """Put bytes in front: they are taken again next."""
        self._data, self._at, self._scanned = data + self.take(len(self)), 0, 0

    def clear(self) -> None:
        """Drop all."""
        self._data, self._at, self._scanned = b"", 0, 0
