"""A stored MIME message as converters read it: its scan, its raw bytes, headers and decoded parts on demand.

Nothing is read before it is asked for. Header blocks come from the scan while it is fresh, from the raw bytes
afterwards, and are cut at MAX_HEADER. Text is decoded with the part's own charset; nothing raises for what a
message contains.
"""

import re
from collections.abc import Iterator

from appliance.convert.mime.content import Decoded, Reader, Slice, content_of
from appliance.formats import enriched, html
from appliance.formats.mime.bodies import decode_body, flow_of, unflow
from appliance.formats.mime.charsets import decode as decode_charset
from appliance.formats.mime.headers import Field, bodies, fields_of
from appliance.formats.mime.limits import Finding
from appliance.formats.mime.scan import Kind, Part, Scan

MAX_HEADER = 1 << 20
_SURROGATES = re.compile("[\ud800-\udfff]")
TEXT_TYPES = frozenset({"plain", "html", "enriched", "richtext"})


class Headers:
    """The fields of one header block by lower-case name; bodies are unfolded raw bytes."""

    __slots__ = ("_block", "_by_name")

    def __init__(self, block: bytes) -> None:
        self._block = block
        self._by_name: dict[bytes, list[bytes]] = {}
        for name, body in bodies(block):
            self._by_name.setdefault(name, []).append(body)

    @property
    def fields(self) -> Iterator[Field]:
        """The fields in order, as they were written."""
        return fields_of(self._block)

    def __bool__(self) -> bool:
        return bool(self._by_name)

    def get(self, name: bytes) -> bytes | None:
        """The body of the first field of that name that is not empty, else of the first."""
        found = self._by_name.get(name)
        if found is None:
            return None
        for body in found:
            if body:
                return body
        return b""

    def all(self, name: bytes) -> list[bytes]:
        """The bodies of all fields of that name, in order."""
        return self._by_name.get(name, [])

    def any_of(self, names: frozenset[bytes]) -> bool:
        """Whether a field with one of the names (in lower case) is there."""
        return not names.isdisjoint(self._by_name)

    def __contains__(self, name: bytes) -> bool:
        return name in self._by_name


class Source:
    """The message behind a scan. `root` may be an embedded message: everything is relative to it."""

    __slots__ = ("_headers", "_root", "read", "scan")

    def __init__(self, scan: Scan, read: Reader, root: Part | None = None) -> None:
        self.scan = scan
        self.read = read
        self._root = root
        self._headers: dict[int, Headers] = {}

    @property
    def root(self) -> Part:
        """The message that this is about."""
        if self._root is None:
            self._root = self.scan.parts[0]
        return self._root

    def headers(self, part: Part | None = None) -> Headers:
        """The header fields of a part, by default of the root."""
        part = self._root if part is None else part
        index = 0 if part is None else part.index
        known = self._headers.get(index)
        if known is None:
            try:
                # Fresh scans keep the message's header; others are read from the message.
                block = self.raw_header(part) if index else self.scan.raw_header()
            except KeyError:
                block = self.raw_header(part)
            known = self._headers[index] = Headers(block)
        return known

    def raw_header(self, part: Part | None) -> bytes:
        """The header block of a part (None: of the whole message, for which no part is decoded) with the
        empty line, at most MAX_HEADER bytes."""
        start, stop, _ = self.scan.top() if part is None else (part.header_start, part.body_start, 0)
        return self.read(start, min(stop - start, MAX_HEADER))

    def children(self, part: Part) -> Iterator[Part]:
        """The parts directly within a part, in order."""
        return (self.scan.parts[index] for index in part.children)

    def content(self, part: Part) -> Slice | Decoded:
        """The decoded content of a leaf, the raw bytes of a multipart or message."""
        return content_of(self.read, part.body_start, part.size, "binary" if part.children else part.encoding)

    def data(self, part: Part, limit: int) -> bytes:
        """Decoded bytes of a leaf, from at most `limit` encoded bytes."""
        raw = self.read(part.body_start, min(part.size, limit))
        encoding = part.encoding
        if part.size > limit and encoding == "quoted-printable":
            raw = raw[: raw.rfind(b"\n") + 1] or raw
        return decode_body(raw, encoding)

    def text(self, part: Part, limit: int) -> str:
        """The text of a text part as it was written (HTML as HTML), from at most `limit` encoded bytes."""
        return self.decoded_text(part, self.data(part, limit))

    def decoded_text(self, part: Part, data: bytes) -> str:
        """Bytes of a text part as text."""
        charset = part.charset
        if part.subtype == "html":
            declared = html.declared_charset(data)
            # The header wins over the document (RFC 2854 2), unless it says no more than "text".
            if declared and charset.lower() in ("", "us-ascii"):
                charset = declared
        text = decode_charset(data, charset)
        if charset.lower() in ("utf-7", "utf7", "unicode-1-1-utf-7"):
            text = _SURROGATES.sub("\ufffd", text)  # UTF-7 can name lone ones, which no encoding takes
        return text.removeprefix("\ufeff")

    def plain(self, part: Part, limit: int, *, visible_only: bool = False, wanted: int | None = None) -> str:
        """The text of a text part as plain text with LF: HTML and enriched converted, flowed lines joined."""
        text = self.text(part, limit)
        subtype = part.subtype
        if subtype == "html":
            return html.to_text(text, limit=wanted, visible_only=visible_only)
        if subtype in ("enriched", "richtext"):
            return html.to_text(enriched.to_html(text, subtype == "richtext"), limit=wanted)
        return unflow(text.replace("\r\n", "\n"), flow_of(part.content))


def is_attachment(part: Part) -> bool:
    """Whether the disposition says that the part is a file (RFC 2183 2.2); unknown ones count as that."""
    disposition = part.disposition
    return disposition is not None and disposition.value != "inline"


def text_kind(part: Part) -> str | None:
    """The subtype of a text that can be a body; a multipart without a usable boundary is plain text."""
    if part.kind is Kind.LEAF:
        kind, _, subtype = part.content.value.partition("/")
        if kind == "text":
            return subtype if subtype in TEXT_TYPES else None
        if kind == "multipart" and part.findings & Finding.NO_BOUNDARY:
            return "plain"
    return None


def is_body_text(part: Part) -> bool:
    """Whether a part can be the message's body (MS-OXCMAIL 2.2.3.3.2)."""
    return text_kind(part) is not None and not is_attachment(part)
