"""Header blocks: their raw fields in order, unfolding, filtering, and lists of message ids.

A block is the bytes from the first field to the empty line, which may be included or not. Lines end at LF (or
at CR in a block without any LF). Nothing is interpreted twice: a field keeps its raw bytes, decoding is asked
for by the caller. Nothing here fails on what senders write.

`bodies` is in C (`native/mime/block.c`), because every delivery reads all its fields; `bodies_of` is its
readable twin.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from appliance.formats.mime import _native

_LF_FIELD = re.compile(rb"[^\n]+(?:\n[ \t][^\n]*)*\n?|\n")
_CR_FIELD = re.compile(rb"[^\r]+(?:\r[ \t][^\r]*)*\r?|\r")
BOM = b"\xef\xbb\xbf"
"""Of UTF-8; some editors open files with it. Passed over at the start of a block."""

_NAME = re.compile(rb"([^\x00-\x20\x7f:]+)[ \t]*:")
_MESSAGE_ID = re.compile(rb"<([^<>]*)>")


@dataclass(frozen=True, slots=True)
class Field:
    """One header field. `raw` is everything from the name to the line end, folding included."""

    name: bytes
    """As written."""
    raw: bytes
    offset: int
    """Within the block."""

    @property
    def body(self) -> bytes:
        """What follows the colon, unfolded and without white space around."""
        return unfold(self.raw[self.raw.index(b":") + 1 :])

    def is_named(self, name: bytes) -> bool:
        """Field names are compared without case (RFC 5322 1.2.2). name: in lower case."""
        return self.name.lower() == name


def unfold(value: bytes) -> bytes:
    """A field body on one line: line ends taken out (RFC 5322 2.2.3), white space at both ends too.

    A CR by itself becomes a space.
    """
    if b"\n" in value or b"\r" in value:
        value = value.replace(b"\r\n", b"").replace(b"\n", b"").replace(b"\r", b" ")
    return value.strip(b" \t")


def _entries(block: bytes, eol: int | None = None) -> Iterator[tuple[int, bytes]]:
    if eol is None:
        eol = 0x0D if b"\n" not in block and b"\r" in block else 0x0A
    pattern = _CR_FIELD if eol == 0x0D else _LF_FIELD
    for match in pattern.finditer(block):
        yield match.start(), match[0]


def fields_of(block: bytes, eol: int | None = None) -> Iterator[Field]:
    """The fields in order; lines that are no field (an mbox From_ line, the empty line) are passed over.

    eol: the byte that ends lines, if it is known.
    """
    for offset, raw in _entries(block, eol):
        if offset == 0:
            raw = raw.removeprefix(BOM)
        match = _NAME.match(raw)
        if match:
            yield Field(match[1], raw, offset)


def bodies_of(block: bytes) -> list[tuple[bytes, bytes]]:
    """The fields in order: (name in lower case, body)."""
    return [(field.name.lower(), field.body) for field in fields_of(block)]


def bodies(block: bytes) -> list[tuple[bytes, bytes]]:
    """As `bodies_of`, in a twentieth of the time."""
    return _native.fields(block)


def first(fields: Collection[Field], name: bytes) -> bytes | None:
    """The body of the first field of that lower-case name."""
    return next((f.body for f in fields if f.name.lower() == name), None)


def all_of(fields: Collection[Field], name: bytes) -> list[bytes]:
    """The bodies of all fields of that lower-case name, in order."""
    return [f.body for f in fields if f.name.lower() == name]


def filter_header(block: bytes, names: Collection[bytes], *, exclude: bool = False) -> bytes:
    """HEADER.FIELDS and HEADER.FIELDS.NOT (RFC 9051 6.4.5.1): the chosen raw fields and an empty line.

    names: in any case. With `exclude`, lines that are no field are kept, since nothing names them.
    """
    wanted = {name.lower() for name in names}
    out: list[bytes] = []
    for _, raw in _entries(block):
        match = _NAME.match(raw)
        if match is None:
            if exclude and raw.strip(b"\r\n"):
                out.append(raw)
        elif (match[1].lower() in wanted) != exclude:
            out.append(raw)
    if out and not out[-1].endswith((b"\n", b"\r")):
        out.append(b"\r\n")
    return b"".join(out) + b"\r\n"


def message_ids(value: bytes) -> list[bytes]:
    """The ids of a References, In-Reply-To or Message-ID body, with angle brackets and without white space.

    Ids without brackets, as some senders write them, are taken if there is no bracket at all.
    """
    found = [b"<" + b"".join(m[1].split()) + b">" for m in _MESSAGE_ID.finditer(value)]
    if found or b"<" in value:
        return [item for item in found if item != b"<>"]
    return [b"<" + word.strip(b",;") + b">" for word in value.split() if b"@" in word]
