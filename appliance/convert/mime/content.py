"""Content of body parts: slices of the stored MIME, decoded on demand.

A content is read at any offset; decoding remembers the decoder's state at each window of encoded bytes, so
that a read costs at most one window more than it gives, and nothing is held but one window. Nothing raises
for what a message contains (appliance.formats.mime.bodies).
"""

import copy
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field

from appliance.formats.mime.bodies import Decoder, IdentityDecoder, decoder_of

Reader = Callable[[int, int], bytes]
"""read(offset, length): bytes of the raw message. May give fewer than asked, where they are not at hand."""

WINDOW = 65536


@dataclass(frozen=True, slots=True)
class Slice:
    """Bytes of the message as they are (7bit, 8bit, binary and unknown encodings)."""

    source: Reader
    start: int
    size: int

    def read(self, offset: int, length: int) -> bytes:
        """Up to `length` bytes from `offset`; empty past the end."""
        length = min(length, self.size - offset)
        return self.source(self.start + offset, length) if length > 0 and offset >= 0 else b""


@dataclass(frozen=True, slots=True)
class Joined:
    """Bytes that are at hand, followed by a slice."""

    head: bytes
    tail: Slice

    @property
    def size(self) -> int:
        """Length in bytes."""
        return len(self.head) + self.tail.size

    def read(self, offset: int, length: int) -> bytes:
        """Up to `length` bytes from `offset`; empty past the end."""
        out = self.head[offset : offset + length]
        if len(out) < length:
            out += self.tail.read(max(offset - len(self.head), 0), length - len(out))
        return out


@dataclass(slots=True)
class Decoded:
    """An encoded slice, read as its decoded bytes. Not shared between threads."""

    raw: Slice
    first: Decoder
    # Where each decoded window begins, and the decoder's state there.
    _starts: list[int] = field(default_factory=lambda: [0])
    _states: list[Decoder] = field(default_factory=list)
    _size: int | None = None
    _window: int = -1
    _data: bytes = b""

    @property
    def size(self) -> int:
        """Decoded length in bytes; the first use decodes the whole once, window by window."""
        while self._size is None:
            self._load(len(self._starts) - 1)
        return self._size

    def _load(self, window: int) -> None:
        if not self._states:
            self._states.append(self.first)
        decoder = copy.copy(self._states[window])
        self._data = decoder.feed(self.raw.read(window * WINDOW, WINDOW))
        last = (window + 1) * WINDOW >= self.raw.size
        if last:
            self._data += decoder.finish()
            self._size = self._starts[window] + len(self._data)
        elif window == len(self._starts) - 1:
            self._starts.append(self._starts[window] + len(self._data))
            self._states.append(decoder)
        self._window = window

    def read(self, offset: int, length: int) -> bytes:
        """Up to `length` decoded bytes from `offset`; empty past the end."""
        out: list[bytes] = []
        while length > 0 and (self._size is None or offset < self._size):
            window = bisect_right(self._starts, offset) - 1
            if window != self._window:
                self._load(window)
            at = offset - self._starts[window]
            piece = self._data[at : at + length]
            out.append(piece)
            offset += len(piece)
            length -= len(piece)
        return b"".join(out)


def content_of(read: Reader, start: int, size: int, encoding: str) -> Slice | Decoded:
    """The content of a body part: `size` bytes at `start`, in a content transfer encoding."""
    raw = Slice(read, start, size)
    decoder = decoder_of(encoding)
    return raw if isinstance(decoder, IdentityDecoder) else Decoded(raw, decoder)
