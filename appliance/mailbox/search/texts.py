"""The text of MIME bodies, decoded piece by piece, as searches read it.

Every text part counts, embedded messages with their headers too; HTML counts as what is read, without tags,
scripts and styles. Nothing here fails on what senders write, and no part is held whole unless it is HTML.
"""

import codecs
import html
import re
from collections.abc import Callable, Iterator

from appliance.formats.mime import Kind, Part, Scan
from appliance.formats.mime.bodies import decoder_of
from appliance.formats.mime.charsets import codec_of, fallback
from appliance.formats.mime.headers import fields_of
from appliance.formats.mime.words import decode_words

PIECE = 1 << 16
"""Bytes that are read and decoded at a time."""

MAX_HTML = 8 << 20
"""Characters of an HTML part that are read; what follows is not searched."""

MAX_HEADER = 1 << 20
"""Bytes of a header that are read."""

Read = Callable[[int, int], bytes]
"""read(offset, length): bytes of the message."""

_TAG = re.compile(r"/?([a-zA-Z][a-zA-Z0-9]*)")
_BLOCK = frozenset((
    "address", "article", "aside", "blockquote", "br", "center", "dd", "div", "dl", "dt", "fieldset",
    "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav",
    "ol", "p", "pre", "section", "table", "tbody", "td", "tfoot", "th", "thead", "title", "tr", "ul",
))  # fmt: skip
_SILENT = {name: re.compile(f"</{name}", re.IGNORECASE) for name in ("script", "style")}


def header_text(block: bytes) -> Iterator[str]:
    """The fields of a header block, one line each: name, colon, decoded text."""
    for field in fields_of(block):
        yield f"{field.name.decode('latin-1')}: {decode_words(field.body)}\n"


def body_text(scan: Scan, read: Read) -> Iterator[str]:
    """The text of all bodies, in document order."""
    for part in scan.parts:
        if part.is_message and part.index:
            yield from header_text(
                read(part.header_start, min(MAX_HEADER, part.body_start - part.header_start))
            )
        if part.kind is Kind.LEAF and part.type == "text":
            pieces = _characters(part, read)
            yield from _visible(pieces) if part.subtype == "html" else pieces
            yield "\n"


def _characters(part: Part, read: Read) -> Iterator[str]:
    """A part's text in pieces, line ends as LF."""
    transfer = decoder_of(part.encoding)
    name = codec_of(part.charset)
    decoder = codecs.getincrementaldecoder(name)("replace") if name and name != "ascii" else None
    held = b""
    for raw in _pieces(part, read, transfer.feed, transfer.finish):
        if decoder is not None:
            yield decoder.decode(raw).replace("\r\n", "\n")
            continue
        raw = held + raw
        cut = raw.rfind(b"\n") + 1 or len(raw)  # a line is in one charset: do not guess from half of one
        held = raw[cut:]
        yield fallback(raw[:cut]).replace("\r\n", "\n")
    if decoder is not None:
        yield decoder.decode(b"", True)
    elif held:
        yield fallback(held)


def _pieces(
    part: Part, read: Read, feed: Callable[[bytes], bytes], finish: Callable[[], bytes]
) -> Iterator[bytes]:
    at = part.body_start
    while at < part.body_end:
        raw = read(at, min(PIECE, part.body_end - at))
        if not raw:
            break
        at += len(raw)
        yield feed(raw)
    yield finish()


def _visible(pieces: Iterator[str]) -> Iterator[str]:
    whole: list[str] = []
    size = 0
    for piece in pieces:
        whole.append(piece)
        size += len(piece)
        if size > MAX_HTML:
            break
    yield html_text("".join(whole)[:MAX_HTML])


def html_text(source: str) -> str:
    """What is read of HTML: text with entities resolved, line breaks where blocks end. One pass."""
    out: list[str] = []
    at = 0
    while True:
        opened = source.find("<", at)
        out.append(_spaced(source[at : opened if opened >= 0 else len(source)]))
        if opened < 0:
            return "".join(out)
        if source.startswith("<!--", opened):
            at = _after(source, "-->", opened + 4)
            continue
        tag = _TAG.match(source, opened + 1)
        if tag is None and not source.startswith(("<!", "<?"), opened):
            out.append("<")
            at = opened + 1
            continue
        at = _after(source, ">", opened)
        name = tag[1].lower() if tag else ""
        if name in _SILENT and not source.startswith("/", opened + 1):
            closing = _SILENT[name].search(source, at)
            at = closing.start() if closing else len(source)
        elif name in _BLOCK:
            out.append("\n")


def _after(source: str, mark: str, at: int) -> int:
    found = source.find(mark, at)
    return found + len(mark) if found >= 0 else len(source)


_BLANKS = re.compile(r"\s+")


def _spaced(text: str) -> str:
    return html.unescape(_BLANKS.sub(" ", text)).replace("\u00a0", " ")
