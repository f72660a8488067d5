"""The octets of a message for FETCH: trace headers, then the stored bytes; sections, decoded parts.

Small sections are read at once; large ones become a `Stream`, which reads piece by piece in transactions of
their own, so that a message of any size passes through without being held. NUL, which no string of IMAP may
hold, goes out as 0x80 (except as literal8), so that sizes stay true.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from appliance.formats.mime import Kind, Part, Scan, bodystructure, section
from appliance.formats.mime.bodies import decoder_of, is_known_encoding
from appliance.formats.mime.headers import filter_header
from appliance.formats.mime.limits import DEFAULT_LIMITS
from appliance.protocols.imap.errors import No
from appliance.protocols.imap.fetch_grammar import Form, Section
from appliance.protocols.imap.fetch_grammar import Part as Named
from appliance.protocols.imap.limits import BODY_CHUNK
from appliance.store import blobs, messages
from appliance.store.contents import Row
from appliance.store.kv import ReadTxn
from appliance.store.store import Store

_HEADERS = (Named.HEADER, Named.HEADER_FIELDS, Named.HEADER_FIELDS_NOT)


@dataclass(frozen=True, slots=True)
class Stream:
    """Octets that are sent piece by piece: `head`, then start..stop of the blob. With an `encoding` they
    are decoded, and of what comes out `skip` octets are left out and `length` are sent."""

    blob: int
    head: bytes
    start: int
    stop: int
    encoding: str = ""
    skip: int = 0
    length: int = 0

    def pieces(self, store: Store) -> Iterator[bytes]:
        """The octets, in order; each piece is read in a transaction of its own."""
        if self.encoding:
            yield from cut(self._decoded(store), self.skip, self.length)
            return
        if self.head:
            yield self.head
        yield from self._raw(store)

    def _raw(self, store: Store) -> Iterator[bytes]:
        position = self.start
        while position < self.stop:
            with store.read() as txn:
                data = blobs.read(txn, self.blob, position, min(BODY_CHUNK, self.stop - position))
            if not data:
                return
            position += len(data)
            yield data

    def _decoded(self, store: Store) -> Iterator[bytes]:
        decoder = decoder_of(self.encoding)
        for data in self._raw(store):
            yield decoder.feed(data)
        yield decoder.finish()


def cut(pieces: Iterator[bytes], skip: int, length: int) -> Iterator[bytes]:
    """`length` octets after the first `skip`."""
    for piece in pieces:
        if skip >= len(piece):
            skip -= len(piece)
            continue
        piece = piece[skip : skip + length]
        skip = 0
        length -= len(piece)
        if piece:
            yield piece
        if length <= 0:
            return


class Message:
    """One message during one read transaction. What is dear is read on first use."""

    __slots__ = ("_cold", "_scan", "_structure", "mailbox", "row", "seq", "txn")

    def __init__(self, txn: ReadTxn, mailbox: int, row: Row, seq: int) -> None:
        self.txn, self.mailbox, self.row, self.seq = txn, mailbox, row, seq
        self._cold: messages.Message | None = None
        self._structure: blobs.Structure | None = None
        self._scan: Scan | None = None

    @property
    def cold(self) -> messages.Message:
        """Trace headers and properties."""
        if self._cold is None:
            self._cold = messages.load(self.txn, self.mailbox, self.row.mid)
        return self._cold

    @property
    def prefix(self) -> bytes:
        """The trace headers that stand before the blob's bytes."""
        return self.cold.prefix if self.row.prefix else b""

    @property
    def structure(self) -> blobs.Structure:
        """What was rendered at delivery."""
        if self._structure is None:
            found = blobs.structure(self.txn, self.row.blob) if self.row.blob else None
            self._structure = found or NOTHING
        return self._structure

    @property
    def scan(self) -> Scan | None:
        """The table of parts; None for a message without MIME."""
        if self._scan is None and self.structure.scan:
            self._scan = Scan.unpack(self.structure.scan)
        return self._scan

    def body(self) -> bytes:
        """BODY: the structure without extension data (RFC 9051 6.4.5)."""
        scan = self.scan
        if scan is None:
            return _NO_STRUCTURE
        return bodystructure(scan, extensions=False, header=self._header_of)

    def _header_of(self, part: Part) -> bytes:
        """The header block of an embedded message, as far as a message's is kept."""
        stop = min(part.body_start, part.header_start + DEFAULT_LIMITS.header_bytes)
        return self.read(part.header_start, stop)

    def read(self, start: int, stop: int) -> bytes:
        """Octets start..stop of the blob."""
        return blobs.read(self.txn, self.row.blob, start, stop - start) if start < stop else b""


_NO_ENVELOPE = b"(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)"
_NO_STRUCTURE = b'("TEXT" "PLAIN" ("CHARSET" "us-ascii") NIL NIL "7BIT" 0 0)'
NOTHING = blobs.Structure(b"", _NO_ENVELOPE, _NO_STRUCTURE)


def fetch_section(
    message: Message, wanted: Section, partial: tuple[int, int] | None
) -> bytes | Stream | None:
    """The octets of a section; None when there is no such section."""
    where = _where(message, wanted)
    if where is None:
        return None
    start, stop = where
    head = message.prefix if not wanted.path and wanted.part is not Named.TEXT else b""
    if wanted.part in (Named.HEADER_FIELDS, Named.HEADER_FIELDS_NOT):
        exclude = wanted.part is Named.HEADER_FIELDS_NOT
        return _slice(filter_header(head + message.read(start, stop), wanted.names, exclude=exclude), partial)
    if partial is not None:
        first, most = partial
        end = min(first + most, len(head) + stop - start)
        head, start, stop = _cut_range(head, start, first, end)
    if len(head) + stop - start > BODY_CHUNK:
        return Stream(message.row.blob, head, start, stop)
    return head + message.read(start, stop)


def _where(message: Message, wanted: Section) -> tuple[int, int] | None:
    """Where a section stands in the blob. The common ones need no table of parts."""
    row = message.row
    if not wanted.path and wanted.part is Named.WHOLE:
        return 0, row.size - row.prefix if row.blob else 0
    scan = message.scan
    if scan is None:
        return None if wanted.path else (0, 0)
    if not wanted.path:
        header, body, end = scan.top()
        return (body, end) if wanted.part is Named.TEXT else (header, body)
    text = "HEADER" if wanted.part in _HEADERS else wanted.part.value.decode()
    return section(scan, wanted.path, text)


def _cut_range(head: bytes, start: int, first: int, end: int) -> tuple[bytes, int, int]:
    """What of (head, then the blob from `start`) lies in first..end, as (head, start, stop)."""
    if end <= first:
        return b"", start, start
    size = len(head)
    return head[first:end], start + max(0, first - size), start + max(0, end - size)


def _slice(data: bytes, partial: tuple[int, int] | None) -> bytes:
    return data if partial is None else data[partial[0] : partial[0] + partial[1]]


def _binary_part(message: Message, path: tuple[int, ...]) -> tuple[Part, str] | None:
    """A part and the encoding that BINARY removes from it, empty for none. Raises No [UNKNOWN-CTE]."""
    scan = message.scan
    part = scan.find(path) if scan is not None else None
    if part is None:
        return None
    if not path or part.kind is not Kind.LEAF:
        return part, ""
    if not is_known_encoding(part.encoding):
        raise No("The part's encoding is unknown.", b"UNKNOWN-CTE")  # RFC 3516 4.3
    return part, "" if part.encoding in ("7bit", "8bit", "binary") else part.encoding


def fetch_binary(message: Message, wanted: Section, partial: tuple[int, int] | None) -> bytes | Stream | None:
    """The octets of a part with its transfer encoding removed. Raises No [UNKNOWN-CTE]."""
    found = _binary_part(message, wanted.path)
    if found is None:
        return None
    part, encoding = found
    if not encoding:
        return fetch_section(message, wanted, partial)
    start, stop = part.body_start, part.body_end
    first, most = partial if partial is not None else (0, stop - start)
    if stop - start <= BODY_CHUNK:
        decoder = decoder_of(encoding)
        data = decoder.feed(message.read(start, stop)) + decoder.finish()
        return _slice(data, partial)
    length = max(0, min(most, _decoded_size(message, start, stop, encoding) - first))
    return Stream(message.row.blob, b"", start, stop, encoding, first, length) if length else b""


def binary_size(message: Message, wanted: Section) -> int | None:
    """BINARY.SIZE: how many octets `fetch_binary` would give. Raises No [UNKNOWN-CTE]."""
    found = _binary_part(message, wanted.path)
    if found is None:
        return None
    part, encoding = found
    if encoding:
        return _decoded_size(message, part.body_start, part.body_end, encoding)
    return message.row.size if not wanted.path else part.size


def _decoded_size(message: Message, start: int, stop: int, encoding: str) -> int:
    decoder = decoder_of(encoding)
    size = 0
    while start < stop:
        data = message.read(start, min(stop, start + BODY_CHUNK))
        if not data:
            break
        size += len(decoder.feed(data))
        start += len(data)
    return size + len(decoder.finish())


def stream_length(stream: Stream) -> int:
    """How many octets a stream will give."""
    return stream.length if stream.encoding else len(stream.head) + stream.stop - stream.start


def form_of(form: Form, data: bytes) -> bytes:
    """Data as the literal that its form allows: literal8 where BINARY gives NUL (RFC 3516 4.2)."""
    if b"\0" not in data:
        return b"{%d}\r\n%s" % (len(data), data)
    if form is Form.BINARY:
        return b"~{%d}\r\n%s" % (len(data), data)
    return b"{%d}\r\n%s" % (len(data), data.replace(b"\0", b"\x80"))
