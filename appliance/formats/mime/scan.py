"""The structure of a message: parts in depth-first order with byte offsets, and its packed form.

A scan knows where everything stands and what the content fields say; it holds no body. Offsets count from the
first byte of the message. The packed table (version 1) is what the scanner writes: varints and raw content
field bodies, a few dozen bytes a part; the header blocks of the message and of embedded messages are not in
it, so that `header_of` answers only for a fresh scan.

Invariants: parts[0] is the message; a parent comes before its children; every child lies within its parent's
body; header_start <= body_start <= body_end <= size. `unpack` raises DecodeError on bytes that are no table.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

from appliance.formats.mime import _native
from appliance.formats.mime.content import (
    Content,
    Parameter,
    parse_content_type,
    parse_disposition,
    parse_languages,
    parse_token,
)
from appliance.formats.mime.headers import Field, fields_of, unfold
from appliance.formats.mime.limits import DEFAULT_LIMITS, Finding, Limits
from appliance.wire.errors import DecodeError

Buffer = bytes | bytearray | memoryview
VERSION = 1
_NAMES = ("type", "encoding", "id", "description", "disposition", "language", "location", "md5")
_TYPE, _ENCODING, _ID, _DESCRIPTION, _DISPOSITION, _LANGUAGE, _LOCATION, _MD5 = range(8)
_ALL_FINDINGS = (max(Finding) << 1) - 1
_DEFAULT_TYPE = Content("text/plain", (Parameter("charset", b"us-ascii"),))  # RFC 2045 5.2
_DIGEST_TYPE = Content("message/rfc822")  # RFC 2046 5.1.5


class Kind(IntEnum):
    """How the scanner read a part's body."""

    LEAF = 0
    MULTIPART = 1
    MESSAGE = 2
    """message/rfc822 or message/global: its only child is the embedded message."""


_KINDS = tuple(Kind)
_LEAF = Kind.LEAF
_NO_FINDINGS = Finding(0)
"""What most parts have; asking an enumeration costs more than the rest of a question."""


@dataclass(frozen=True, slots=True)
class Part:
    """One entity. Texts are raw field bodies, unfolded, as bytes (they may hold anything)."""

    index: int
    parent: int
    """Index of the enclosing part, -1 for the message itself."""
    path: tuple[int, ...]
    """IMAP section number (RFC 9051 6.4.5.1). Empty for a multipart message; the multipart of an embedded
    message has the number of its message/rfc822 part."""
    kind: Kind
    findings: Finding
    header_start: int
    body_start: int
    body_end: int
    """Without the line end that belongs to the next delimiter."""
    lines: int
    """Line ends in the body."""
    values: tuple[bytes | None, ...] = field(repr=False)
    """Raw content fields: type, encoding, id, description, disposition, language, location, md5."""
    children: tuple[int, ...]
    is_message: bool
    """Its header is a message's: the message itself or an embedded one."""
    in_digest: bool

    @property
    def size(self) -> int:
        """Bytes of the body as transferred."""
        return self.body_end - self.body_start

    @property
    def content(self) -> Content:
        """Content-Type with the default that applies (RFC 2045 5.2, RFC 2046 5.1.5).

        A multipart that was not taken apart is text/plain if it lacks a boundary, else octets.
        """
        value = self.values[_TYPE]
        if value is None:
            return _DIGEST_TYPE if self.in_digest else _DEFAULT_TYPE
        if self.findings is not _NO_FINDINGS and Finding.NO_BOUNDARY in self.findings:
            return _DEFAULT_TYPE  # lacks what makes it readable as a multipart
        content = parse_content_type(value)
        if self.kind is _LEAF and content.value.startswith("multipart/"):
            return Content("application/octet-stream", content.parameters)  # too deep
        return content if content.value else _DEFAULT_TYPE

    @property
    def type(self) -> str:
        """In lower case, as "text"."""
        return self.content.value.partition("/")[0]

    @property
    def subtype(self) -> str:
        return self.content.value.partition("/")[2]

    @property
    def charset(self) -> str:
        """The charset parameter as written, "" if there is none."""
        return self.content.get("charset") or ""

    @property
    def encoding(self) -> str:
        """Content-Transfer-Encoding in lower case, "7bit" by default (RFC 2045 6.1)."""
        value = self.values[_ENCODING]
        return (parse_token(value).decode("latin-1").lower() if value else "") or "7bit"

    @property
    def disposition(self) -> Content | None:
        value = self.values[_DISPOSITION]
        content = parse_disposition(value) if value else None
        return content if content and content.value else None

    @property
    def filename(self) -> str | None:
        """From the disposition, else from the name parameter of the type."""
        disposition = self.disposition
        name = disposition.get("filename") if disposition else None
        return name or self.content.get("name")

    def _raw(self, which: int) -> bytes | None:
        value = self.values[which]
        return None if value is None else unfold(value)

    @property
    def content_id(self) -> bytes | None:
        """With its angle brackets (RFC 2045 7)."""
        return self._raw(_ID)

    @property
    def description(self) -> bytes | None:
        return self._raw(_DESCRIPTION)

    @property
    def md5(self) -> bytes | None:
        return self._raw(_MD5)

    @property
    def location(self) -> bytes | None:
        return self._raw(_LOCATION)

    @property
    def languages(self) -> tuple[bytes, ...]:
        value = self.values[_LANGUAGE]
        return parse_languages(value) if value else ()


class _Table:
    """Cursor over a packed table; IndexError past the end becomes DecodeError."""

    __slots__ = ("at", "data")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def number(self) -> int:
        value = shift = 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7
            if shift > 63:
                raise DecodeError("number too long", self.at)

    def byte(self) -> int:
        self.at += 1
        return self.data[self.at - 1]

    def kind(self) -> Kind:
        value = self.byte()
        if value > max(Kind):
            raise DecodeError("kind of a part", self.at - 1)
        return Kind(value)

    def take(self, size: int) -> bytes:
        if size > len(self.data) - self.at:
            raise IndexError
        self.at += size
        return self.data[self.at - size : self.at]

    def values(self) -> tuple[bytes | None, ...]:
        mask = self.byte()
        return tuple(self.take(self.number()) if mask >> k & 1 else None for k in range(len(_NAMES)))


def _path(kind: Kind, parent: Part | None, siblings: int) -> tuple[int, ...]:
    if parent is None:
        return () if kind is Kind.MULTIPART else (1,)
    if parent.kind is Kind.MESSAGE:
        return parent.path if kind is Kind.MULTIPART else (*parent.path, 1)
    return (*parent.path, siblings + 1)


_CHILDREN = Part.__dict__["children"]  # the slot, filled after all parts are known


Entry = tuple[int, int, int, int, int, int, int, tuple[bytes | None, ...]]
"""A part as the table has it: parent, kind, findings, header start, body start, body end, lines, values."""


def read_entries(table: _Table, count: int, size: int) -> Iterator[Entry]:
    """The parts of a table. The readable twin of `native/mime/block.c`, which gives up where this raises."""
    start = 0
    for index in range(count):
        parent = table.number() - 1
        if parent >= index or (parent < 0) != (index == 0):
            raise DecodeError("parent of a part", table.at)
        kind = table.kind()
        findings = table.number()
        start += table.number()
        body_start = start + table.number()
        body_end = body_start + table.number()
        lines = table.number()
        values = table.values()
        if body_end > size:
            raise DecodeError("part beyond the message", table.at)
        yield parent, kind, findings, start, body_start, body_end, lines, values


def _make_parts(entries: Iterable[Entry]) -> tuple[Part, ...]:
    parts: list[Part] = []
    children: list[list[int]] = []
    for index, (parent, number, findings, start, body_start, body_end, lines, values) in enumerate(entries):
        above = parts[parent] if parent >= 0 else None
        kind = _KINDS[number]
        digest = above is not None and above.kind is Kind.MULTIPART and above.subtype == "digest"
        path = _path(kind, above, len(children[parent]) if above else 0)
        is_message = above is None or above.kind is Kind.MESSAGE
        parts.append(
            Part(
                index,
                parent,
                path,
                kind,
                _NO_FINDINGS if not findings else Finding(findings & _ALL_FINDINGS),
                start,
                body_start,
                body_end,
                lines,
                values,
                (),
                is_message,
                digest,
            )
        )
        children.append([])
        if parent >= 0:
            children[parent].append(index)
    for part, below in zip(parts, children, strict=True):
        if below:
            _CHILDREN.__set__(part, tuple(below))
    return tuple(parts)


class Scan:
    """The result of a scan, or of unpacking one. Parts are decoded on first use."""

    __slots__ = ("_count", "_headers", "_parts", "_start", "_table", "findings", "lines", "size")

    def __init__(self, table: bytes, headers: Sequence[bytes] | None = None) -> None:
        cursor = _Table(table)
        try:
            if cursor.byte() != VERSION:
                raise DecodeError("version of the structure table", 0)
            self.size = cursor.number()
            """Bytes of the message."""
            self.lines = cursor.number()
            """Line ends of the message."""
            self.findings = Finding(cursor.number() & _ALL_FINDINGS)
            self._count = cursor.number()
        except IndexError:
            raise DecodeError("structure table ends early", len(table)) from None
        if not 0 < self._count <= len(table):
            raise DecodeError("number of parts", cursor.at)
        self._table = table
        self._start = cursor.at
        self._headers = headers
        self._parts: tuple[Part, ...] | None = None

    def __repr__(self) -> str:
        return f"Scan(size={self.size}, parts={self._count}, findings={self.findings!r})"

    def __len__(self) -> int:
        """Number of parts, the message itself included."""
        return self._count

    @property
    def parts(self) -> tuple[Part, ...]:
        """Depth-first; parts[0] is the message. DecodeError if an unpacked table is damaged."""
        if self._parts is None:
            entries = _native.parts(self._table)
            self._parts = _make_parts(self.entries() if entries is None else entries)
        return self._parts

    def entries(self) -> list[Entry]:
        """What the table says of each part, read in Python. DecodeError where it is damaged."""
        cursor = _Table(self._table)
        cursor.at = self._start
        try:
            entries = list(read_entries(cursor, self._count, self.size))
        except IndexError:
            raise DecodeError("structure table ends early", len(self._table)) from None
        if cursor.at != len(self._table):
            raise DecodeError("bytes after the structure table", cursor.at)
        return entries

    def top(self) -> tuple[int, int, int]:
        """Where the message's header and body stand, (header start, body start, body end), without decoding
        the other parts. ValueError if the table is damaged."""
        cursor = _Table(self._table)
        cursor.at = self._start
        try:
            cursor.number(), cursor.byte(), cursor.number()  # parent, kind, findings
            start = cursor.number()
            body_start = start + cursor.number()
            return start, body_start, body_start + cursor.number()
        except IndexError:
            raise ValueError("structure table ends early") from None

    def raw_header(self, part: Part | None = None) -> bytes:
        """The kept header block (without the empty line) of the message or of an embedded one.

        KeyError: the part has no message header, or the scan was unpacked.
        """
        if self._headers is None or (part is not None and not part.is_message):
            raise KeyError(part.index if part is not None else 0)
        if part is None:
            return self._headers[0]
        number = sum(1 for other in self.parts[: part.index] if other.is_message)
        return self._headers[number]

    def fields(self, part: Part | None = None) -> tuple[Field, ...]:
        """The kept header fields of the message (or of an embedded one), in order; errors as `raw_header`."""
        return tuple(fields_of(self.raw_header(part)))

    def find(self, path: Sequence[int]) -> Part | None:
        """The part with an IMAP section number; () is the message itself. None if there is none.

        Where a message/rfc822 part and the multipart in it share a number, the message/rfc822 part.
        """
        wanted = tuple(path)
        if not wanted:
            return self.parts[0]
        return next((part for part in self.parts if part.path == wanted), None)

    def embedded(self, part: Part) -> Part | None:
        """The message inside a message/rfc822 part."""
        return self.parts[part.children[0]] if part.kind is Kind.MESSAGE and part.children else None

    def pack(self) -> bytes:
        """The packed table, to be stored with the message."""
        return self._table

    @classmethod
    def unpack(cls, data: Buffer) -> "Scan":
        """From `pack`. DecodeError if it is no such table (parts are verified on first use)."""
        return cls(bytes(data))


class Scanner:
    """Streaming scanner: `feed` chunks of any size, then `finish`. Not shared between threads."""

    __slots__ = ("_native",)

    def __init__(self, limits: Limits = DEFAULT_LIMITS) -> None:
        self._native = _native.Scanner(*limits_as_numbers(limits))

    def feed(self, data: Buffer) -> None:
        """The next bytes of the message. ValueError after `finish`, MemoryError."""
        self._native.feed(data)

    def finish(self) -> Scan:
        """The end of the message."""
        return Scan(*self._native.finish())


def limits_as_numbers(limits: Limits) -> tuple[int, int, int, int, int, int]:
    """In the order that both scanners take."""
    return (
        limits.header_bytes, limits.kept_bytes, limits.value_bytes, limits.fields, limits.depth, limits.parts,
    )  # fmt: skip


_DEFAULT_NUMBERS = limits_as_numbers(DEFAULT_LIMITS)


def scan(data: Buffer, limits: Limits = DEFAULT_LIMITS) -> Scan:
    """The structure of a whole message that is at hand."""
    numbers = _DEFAULT_NUMBERS if limits is DEFAULT_LIMITS else limits_as_numbers(limits)
    return Scan(*_native.scan(data, *numbers))
