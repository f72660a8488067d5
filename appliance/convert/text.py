"""Plain text of a stored message: for the search index, for PREVIEW (RFC 8970) and for list snippets.

Text parts are decoded from their transfer encoding and character set, HTML is reduced to what a reader sees.
Work is bounded by limits on encoded bytes and characters; nothing raises for what a message contains, and
nothing is held but one part's limited text.
"""

import re
from collections.abc import Iterator

from appliance.convert.mime.addresses import decode_text
from appliance.convert.mime.body import Layout, layout
from appliance.convert.mime.content import Reader
from appliance.convert.mime.source import Source, is_attachment, text_kind
from appliance.formats.mime.scan import Part, Scan

PREVIEW_CHARACTERS = 200  # RFC 8970 3
PREVIEW_BYTES = 16384
"""Encoded bytes of a part from which a preview is made; more of HTML, whose styles come first."""
PREVIEW_HTML_BYTES = 262144
MAX_PART = 4 << 20
"""Encoded bytes of one part that are searched."""

SUBJECT, FROM, TO, CC, BCC, HEADER, BODY, ATTACHMENT = (
    "subject", "from", "to", "cc", "bcc", "header", "body", "attachment",
)  # fmt: skip
_FIELDS = {b"subject": SUBJECT, b"from": FROM, b"to": TO, b"cc": CC, b"bcc": BCC}

_QUOTE = re.compile(r"^\s*>")
_ATTRIBUTION = re.compile(r"^(?:On|Am|Le|El|Il|Op|Den) .{5,200}:\s*$")
_RULE = re.compile(r"^[-_=*\s]{5,}$")
_SIGNATURE = "-- "


def search_text(scan: Scan, read: Reader, limit: int) -> Iterator[tuple[str, str]]:
    """The searchable texts of a message as (field, text), at most `limit` characters in all.

    Header fields come first (each once, under its own kind), then bodies and texts in document order with the
    headers of embedded messages, then the names of attached files.
    """
    source = Source(scan, read)
    left = limit
    for field, text in _texts(source):
        if left <= 0:
            return
        if text := text[:left]:
            left -= len(text)
            yield field, text


def _texts(source: Source) -> Iterator[tuple[str, str]]:
    for field in source.headers().fields:
        yield _FIELDS.get(field.name.lower(), HEADER), decode_text(field.body)
    names: list[str] = []
    for part in source.scan.parts:
        if part.is_message and part.index:
            for field in source.headers(part).fields:
                yield BODY, decode_text(field.body)
        if part.children:
            continue
        if name := part.filename:
            names.append(name)
        if part.type == "text" or text_kind(part) is not None:
            yield BODY, source.plain(part, MAX_PART)
        elif part.type == "message":
            yield BODY, decode_text(source.data(part, MAX_PART))
    for name in names:
        yield ATTACHMENT, name


def preview(scan: Scan, read: Reader) -> str:
    """The first characters of what a message says, on one line, at most 200 (RFC 8970 3.1); may be empty."""
    source = Source(scan, read)
    return preview_of(source, layout(source), PREVIEW_CHARACTERS)


def preview_of(source: Source, placed: Layout, length: int) -> str:
    """As `preview`, for a message whose parts are placed."""
    candidates = [placed.plain, placed.html, placed.enriched]
    for part in candidates:
        if part is not None and (text := _preview_part(source, part, length)):
            return text
    for part in placed.more:
        if text := _preview_part(source, part, length):
            return text
    return ""


def _preview_part(source: Source, part: Part, length: int) -> str:
    is_html = part.subtype == "html"
    size = PREVIEW_HTML_BYTES if is_html else PREVIEW_BYTES
    wanted = length * 4
    text = source.plain(part, min(size, part.size), visible_only=True, wanted=wanted)
    if not is_html:
        text = _own_words(text[: length * 20], length * 2)
    return _cut(" ".join(text.replace("\x00", "").split()), length)


def _own_words(text: str, enough: int) -> str:
    """The first `enough` characters without quotes, their attribution and the signature; else the text."""
    kept: list[str] = []
    size = 0
    for line in text.split("\n"):
        if line == _SIGNATURE or line.rstrip("\r") == _SIGNATURE:
            break
        if not (_QUOTE.match(line) or _RULE.match(line) or _ATTRIBUTION.match(line)):
            kept.append(line)
            size += len(line)
            if size > enough:
                break
    own = "\n".join(kept)
    return own if own.strip() else text


def _cut(text: str, length: int) -> str:
    """At most `length` characters, not ending within a surrogate's or a combined character's tail."""
    if len(text) <= length:
        return text
    cut = text[:length]
    while cut and (text[len(cut)] in "\u200d\ufe0f" or 0x300 <= ord(text[len(cut)]) < 0x370):
        cut = cut[:-1]
    return cut


def body_text(source: Source, placed: Layout, limit: int) -> str:
    """The body as plain text with CRLF (PidTagBody), from at most `limit` encoded bytes of each part."""
    parts: list[str] = []
    first = placed.plain or placed.best
    for part in ([first] if first is not None else []) + placed.more:
        if part is not None and not is_attachment(part):
            parts.append(source.plain(part, limit))
    return "\n".join(parts).replace("\r\n", "\n").replace("\n", "\r\n")
