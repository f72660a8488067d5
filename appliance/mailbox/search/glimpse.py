"""A glimpse at the raw bytes of a message: often they answer a text search before anything is decoded.

A key of printable ASCII stands in the folded text of a part whose charset contains ASCII exactly where it
stands in the part's bytes in lower case, so these can prove that it is there. They prove that it is not there
when every text part is of that kind and ASCII, and the headers are ASCII without encoded words. Whatever is
not proven is left to the real search: None.
"""

import re
from enum import Enum
from functools import lru_cache

from appliance.formats.mime import Kind, Scan, _native
from appliance.formats.mime.bodies import decode_body
from appliance.formats.mime.charsets import codec_of
from appliance.formats.mime.content import parse_content_type, parse_token

MAX_RAW = 256 << 10
"""Bytes of a message that is looked at; larger ones are read in pieces by the real search."""

_IDENTITY = frozenset({"7bit", "8bit", "binary"})
_SUPERSETS = re.compile(r"ascii|utf-8|iso8859-\d+|cp125\d|koi8-[ru]|latin-1")
_FOLDED_LINE = re.compile(rb"\r?\n(?=[ \t])")


def key_of(folded: str) -> bytes | None:
    """The bytes to look for; None for a key that a glimpse cannot judge. Colons and blanks at the ends are
    left out, because header fields are shown in a normal form."""
    if not folded.isascii() or not folded.isprintable() or ":" in folded or folded != folded.strip():
        return None
    return folded.encode() or None


def glimpse_many(
    key: bytes, heads: list[bytes], raws: list[bytes], tables: list[bytes], *, header: bool
) -> bytes:
    """The same for many messages at once, by their packed tables of parts: a `Verdict` for each. In C, which
    knows fewer types and encodings: where it knows an answer, `glimpse` gives the same."""
    return _native.glimpse(tables, heads, raws, key, header)


def glimpse(key: bytes, head: bytes, raw: bytes, scan: Scan, *, header: bool) -> bool | None:
    """Whether the key stands in a message's bodies or, if `header`, in its header (`head` are trace fields
    before `raw`): True or False where the bytes prove it."""
    parts = scan.parts
    every = True
    for part in parts:
        if part.kind is not Kind.LEAF:
            continue
        kind, encoding = _judge(part.values[0], part.values[1])
        if kind is _Text.NONE:
            continue
        if kind is _Text.OTHER or part.in_digest:
            every = False
            continue
        content = _content(raw[part.body_start : part.body_end], encoding)
        if key in content.lower():
            return True
        every = every and content.isascii()
    if not every:
        return None
    if len(parts) == 1:
        if not header:
            return False
        raw = raw[: parts[0].body_start]
    block = head + raw
    if b"=?" in block or not block.isascii():
        return None
    if b"\n " in block or b"\n\t" in block:
        block = _FOLDED_LINE.sub(b"", block)
    return None if key in block.lower() else False


def _content(raw: bytes, encoding: str) -> bytes:
    if encoding == "quoted-printable":
        raw = raw.replace(b"=\r\n", b"")
        if b"=" not in raw:
            return raw
    return decode_body(raw, encoding) if encoding else raw


class _Text(Enum):
    NONE = 0
    """Not a text."""
    PLAIN = 1
    """What it says is in its decoded bytes."""
    OTHER = 2


@lru_cache(maxsize=512)
def _judge(kind: bytes | None, encoding: bytes | None) -> tuple[_Text, str]:
    """What the fields Content-Type and Content-Transfer-Encoding make of a leaf, and the encoding to remove
    (empty for none)."""
    content = parse_content_type(kind) if kind is not None else None
    token = parse_token(encoding).decode("latin-1").lower() if encoding is not None else ""
    if token in _IDENTITY:
        token = ""
    if content is None or not content.value:
        return _Text.PLAIN, token
    if not content.value.startswith("text/"):
        # a multipart that could not be taken apart may be read as text
        return (_Text.OTHER if content.value.startswith("multipart/") else _Text.NONE), token
    codec = codec_of(content.get("charset") or "us-ascii")
    plain = content.value != "text/html" and codec is not None and _SUPERSETS.fullmatch(codec) is not None
    return (_Text.PLAIN if plain else _Text.OTHER), token
