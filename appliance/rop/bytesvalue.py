"""Bytes that a stream reads and writes anywhere, few of them in memory (MS-OXCPRPT 3.2.5.11 to 3.2.5.18).

What was there before is `base`, read on demand. Writes lie over it in chunks; when more than HELD of them
gather, everything up to the last whole chunk goes through a BlobWriter, in order, so that an upload from
start to end is written once. A read or write before what the writer took already settles it: its bytes
become the base.

Invariants: a byte that nobody wrote is zero; chunks before `_written` are in the writer and nowhere else.
"""

from codecs import IncrementalDecoder, getincrementaldecoder
from collections.abc import Iterator

from appliance.mapi.objects import READ_CHUNK, Content
from appliance.rop import deadline
from appliance.rop.held import Leases, PreparedContent
from appliance.store.blobs import CHUNK, BlobWriter, Prepared
from appliance.store.drafts import INLINE
from appliance.store.store import Store

HELD = 2
"""Whole chunks in memory, at most, before they go to the store."""

MAX_SIZE = 1 << 31
"""Bytes of a stream, at most (MS-OXCPRPT 3.2.5.18)."""


class StreamBytes:
    """One value under work. Not thread-safe. `dirty`: written to since `taken` last."""

    def __init__(self, store: Store, base: Content | None) -> None:
        self._store, self._base = store, base
        self._limit = self.size = base.size if base is not None else 0
        self._chunks: dict[int, bytearray] = {}
        self._writer: BlobWriter | None = None
        self._written = 0
        self._leases = Leases()
        self.dirty = False

    @property
    def is_small(self) -> bool:
        """Whether it is no more than what a message holds in memory, and needs no thread."""
        return self.size <= INLINE and self._writer is None

    @property
    def in_memory(self) -> bool:
        """Whether reading needs nothing of the store."""
        return self._limit == 0 and self._writer is None

    # -- reading ------------------------------------------------------------------------------------------

    def read(self, offset: int, length: int) -> bytes:
        """Up to `length` bytes from `offset`; fewer at the end. May block."""
        end = min(self.size, offset + length)
        if offset >= end:
            return b""
        if offset < self._written:
            self._settle()
        pieces = []
        while offset < end:
            index, at = divmod(offset, CHUNK)
            size = min(CHUNK - at, end - offset)
            piece = self._chunk(index)[at : at + size]
            pieces.append(bytes(piece) + bytes(size - len(piece)))
            offset += size
        return b"".join(pieces)

    def _chunk(self, index: int) -> bytes | bytearray:
        """The bytes of a chunk; what is missing at its end is zero."""
        known = self._chunks.get(index)
        if known is not None:
            return known
        start = index * CHUNK
        if self._base is None or start >= self._limit:
            return b""
        return self._base.read(start, min(CHUNK, self._limit - start))

    def pieces(self) -> Iterator[bytes]:
        """Everything, piece by piece."""
        for offset in range(0, self.size, READ_CHUNK):
            yield self.read(offset, READ_CHUNK)

    # -- writing ------------------------------------------------------------------------------------------

    def write(self, offset: int, data: bytes) -> None:
        """Put bytes at `offset`, which may lie behind the end. May block. The caller keeps to MAX_SIZE."""
        if offset < self._written and data:
            self._settle()
        at = 0
        while at < len(data):
            index, inside = divmod(offset + at, CHUNK)
            size = min(CHUNK - inside, len(data) - at)
            chunk = self._chunks.get(index)
            if chunk is None:
                chunk = self._chunks[index] = bytearray(self._chunk(index))
            if len(chunk) < inside:
                chunk += bytes(inside - len(chunk))
            chunk[inside : inside + size] = data[at : at + size]
            at += size
        self.size = max(self.size, offset + len(data))
        self.dirty = True
        if len(self._chunks) > HELD:
            self._flush()

    def resize(self, size: int) -> None:
        """Cut off what is behind `size`, or add zeros up to it. May block."""
        if size < self._written:
            self._settle()
        if size < self.size:
            last, inside = divmod(size, CHUNK)
            for index in [index for index in self._chunks if index > last]:
                del self._chunks[index]
            if last in self._chunks:
                del self._chunks[last][inside:]
            self._limit = min(self._limit, size)
        self.dirty = self.dirty or size != self.size
        self.size = size

    def _flush(self) -> None:
        """Give every whole chunk to the writer."""
        if self._writer is None:
            self._writer, self._written = BlobWriter(self._store), 0
        self._feed(self.size // CHUNK * CHUNK)

    def _feed(self, end: int) -> None:
        assert self._writer is not None
        while self._written < end:
            deadline.check()
            index = self._written // CHUNK
            size = min(CHUNK, end - self._written)
            piece = self._chunk(index)[:size]
            spilled = self._writer.write(bytes(piece) + bytes(size - len(piece)))
            if spilled is not None:
                spilled.result()
            self._chunks.pop(index, None)
            self._written += size

    def _settle(self) -> Prepared:
        """Everything goes through the writer and becomes the base."""
        if self._writer is None:
            self._writer, self._written = BlobWriter(self._store), 0
        self._feed(self.size)
        prepared = self._writer.finish()
        self._leases.add(self._store, [prepared])
        self._base, self._limit = PreparedContent(self._store, prepared), self.size
        self._chunks.clear()
        self._writer, self._written = None, 0
        return prepared

    # -- the end ------------------------------------------------------------------------------------------

    def taken(self) -> bytes | Prepared:
        """The value, for who keeps it; the stream goes on with a copy. May block unless `is_small`."""
        if self.is_small:
            return self.read(0, self.size)
        prepared = self._settle()
        self._leases.give(prepared)
        return prepared

    def close(self) -> None:
        """Forget what was not taken."""
        if self._writer is not None:
            self._writer.abort()
            self._writer = None
        self._leases.close()


class Transcoded:
    """Text in UTF-8 as content in another encoding. Reading on is cheap, reading back begins at the start."""

    def __init__(self, source: Content, encoding: str) -> None:
        self._source, self._encoding = source, encoding
        self._rewind()
        self.size = 0
        while piece := self._next():
            deadline.check()
            self.size += len(piece)
        self._rewind()

    def _rewind(self) -> None:
        self._decoder: IncrementalDecoder | None = getincrementaldecoder("utf-8")("surrogatepass")
        self._at = self._from = 0
        self._ahead = b""

    def _next(self) -> bytes:
        """The next bytes, empty at the end."""
        while self._decoder is not None:
            raw = self._source.read(self._from, READ_CHUNK)
            self._from += len(raw)
            text = self._decoder.decode(raw, final=not raw)
            if not raw:
                self._decoder = None
            if text:
                return encoded(text, self._encoding)
        return b""

    def read(self, offset: int, length: int) -> bytes:
        """Up to `length` bytes from `offset`."""
        if offset < self._at:
            self._rewind()
        pieces: list[bytes] = []
        while length > 0:
            if not self._ahead:
                self._ahead = self._next()
                if not self._ahead:
                    break
            skip = min(offset - self._at, len(self._ahead))
            piece = self._ahead[skip : skip + length]
            self._ahead = self._ahead[skip + len(piece) :]
            self._at += skip + len(piece)
            offset = max(offset, self._at)
            length -= len(piece)
            pieces.append(piece)
        return b"".join(pieces)


def encoded(text: str, encoding: str) -> bytes:
    """Text in an encoding; what it does not have is a question mark."""
    return text.encode(encoding, "surrogatepass" if encoding == "utf-16-le" else "replace")


def stored_text(value: StreamBytes, encoding: str, store: Store) -> str | Prepared:
    """The text that a stream in an encoding holds, as a message keeps it. May block unless it is small."""
    decoder = getincrementaldecoder(encoding)("surrogatepass" if encoding == "utf-16-le" else "replace")
    writer = BlobWriter(store)
    if value.is_small:
        text = _decoded(decoder, value.read(0, value.size), final=True)
        data = text.encode("utf-8", "surrogatepass")
        if len(data) <= INLINE:
            return text
        writer.write(data)
        return writer.finish()
    for piece in value.pieces():
        deadline.check()
        spilled = writer.write(_decoded(decoder, piece, final=False).encode("utf-8", "surrogatepass"))
        if spilled is not None:
            spilled.result()
    return writer.finish()


def _decoded(decoder: IncrementalDecoder, data: bytes, *, final: bool) -> str:
    """Text without terminating zeros; half a character at the end is dropped."""
    try:
        text = decoder.decode(data, final)
    except UnicodeDecodeError as error:
        text = data[: error.start].decode("utf-16-le", "surrogatepass")
    return text.rstrip("\0") if final else text
