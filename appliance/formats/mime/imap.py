"""ENVELOPE and BODYSTRUCTURE as IMAP text, rendered once at delivery (RFC 9051 7.5.2, RFC 3501 7.4.2).

The text is valid for a client without UTF8=ACCEPT: header texts stand as they came (encoded words are the
client's to decode), whatever is not plain ASCII or is too long for a quoted string goes out as a literal,
NUL bytes, which no literal may hold, are left out. Sizes and lines are those of the bytes as they are stored.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache

from appliance.formats.mime.addresses import Group, Mailbox, parse_addresses
from appliance.formats.mime.content import Content
from appliance.formats.mime.headers import bodies as bodies_in
from appliance.formats.mime.limits import Finding
from appliance.formats.mime.scan import Kind, Part, Scan

MAX_QUOTED = 1000
"""Bytes of a string sent quoted; a longer one is a literal, since readers of lines have limits."""

REMEMBERED = 256
"""Bytes of an address field, or of what a part says of itself, that are looked up among those seen lately."""

EMPTY_ENVELOPE = b"(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)"
_EMPTY_TEXT = b'("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 0 0'
_EXTENSION_NIL = b" NIL NIL NIL NIL"
_UNQUOTABLE = bytes(range(0x20)).replace(b"\t", b"") + b"\x7f"


def string(value: bytes) -> bytes:
    """A string of RFC 9051 4.3: quoted where that is legal, else a literal."""
    if value.isascii() and len(value) <= MAX_QUOTED and value.translate(None, _UNQUOTABLE) == value:
        return b'"' + value.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
    value = value.replace(b"\0", b"")
    return b"{%d}\r\n%s" % (len(value), value)


def nstring(value: bytes | None) -> bytes:
    """A string, or NIL for None."""
    return b"NIL" if value is None else string(value)


def _address(mailbox: Mailbox) -> bytes:
    """RFC 9051 7.5.2: name, source route, mailbox, host. NIL in the last two would mean a group."""
    return b"(%s %s %s %s)" % (
        nstring(mailbox.name or None),
        nstring(mailbox.route or None),
        string(mailbox.local),
        string(mailbox.domain),
    )


def _addresses(values: Iterable[bytes]) -> bytes:
    out = b"".join(_remembered(value) if len(value) <= REMEMBERED else _listed(value) for value in values)
    return b"(" + out + b")" if out else b"NIL"


def _listed(value: bytes) -> bytes:
    out: list[bytes] = []
    for item in parse_addresses(value):
        if isinstance(item, Group):
            out.append(b"(NIL NIL %s NIL)" % string(item.name))
            out.extend(_address(member) for member in item.members)
            out.append(b"(NIL NIL NIL NIL)")
        else:
            out.append(_address(item))
    return b"".join(out)


_remembered = lru_cache(maxsize=256)(_listed)  # the same people write to each other


_ENVELOPE_FIELDS = frozenset(
    (
        b"date",
        b"subject",
        b"from",
        b"sender",
        b"reply-to",
        b"to",
        b"cc",
        b"bcc",
        b"in-reply-to",
        b"message-id",
    )
)


def envelope(source: Scan | bytes) -> bytes:
    """ENVELOPE of a fresh scan's message, or of a header block (RFC 9051 7.5.2)."""
    bodies: dict[bytes, list[bytes]] = {}
    for name, body in bodies_in(source.raw_header() if isinstance(source, Scan) else source):
        if name in _ENVELOPE_FIELDS:
            bodies.setdefault(name, []).append(body)

    def text(name: bytes) -> bytes:
        return nstring(bodies[name][0]) if name in bodies else b"NIL"

    def people(name: bytes) -> bytes:
        return _addresses(bodies.get(name, ()))

    sender_of = people(b"from")
    sender, reply_to = people(b"sender"), people(b"reply-to")
    return b"(%s)" % b" ".join(
        (
            text(b"date"),
            text(b"subject"),
            sender_of,
            sender_of if sender == b"NIL" else sender,  # an absent or empty one is defaulted to From
            sender_of if reply_to == b"NIL" else reply_to,
            people(b"to"),
            people(b"cc"),
            people(b"bcc"),
            text(b"in-reply-to"),
            text(b"message-id"),
        )
    )


def _parameters(content: Content) -> bytes:
    """body-fld-param. RFC 2231 values go out joined, with the charset marked as RFC 2231 does.

    A text without charset says us-ascii (RFC 2046 4.1.2), as other servers do.
    """
    out: list[bytes] = []
    for parameter in content.parameters:
        name, value = parameter.name.encode("latin-1"), parameter.raw
        if parameter.charset:
            mark = parameter.charset.encode("latin-1")
            tongue = parameter.language.encode("latin-1")
            value = (
                mark
                + b"'"
                + tongue
                + b"'"
                + b"".join(b"%c" % b if _is_attribute(b) else b"%%%02X" % b for b in value)
            )
            name += b"*"
        out.append(string(name) + b" " + string(value))
    if content.value.startswith("text/") and all(p.name != "charset" for p in content.parameters):
        out.append(b'"charset" "us-ascii"')
    return b"(" + b" ".join(out) + b")" if out else b"NIL"


def _is_attribute(byte: int) -> bool:
    return 0x20 < byte < 0x7F and byte not in b"*'%()<>@,;:\\\"/[]?="


def _disposition(part: Part) -> bytes:
    content = part.disposition
    if content is None:
        return b"NIL"
    return b"(" + string(content.value.encode("latin-1")) + b" " + _parameters(content) + b")"


def _language(part: Part) -> bytes:
    tags = part.languages
    return b"(" + b" ".join(map(string, tags)) + b")" if tags else b"NIL"


def _tail(part: Part) -> bytes:
    return b" %s %s %s" % (_disposition(part), _language(part), nstring(part.location))


def _multipart(part: Part, extensions: bool, levels: dict[int, bytes]) -> bytes:
    inner = b"".join(levels[child] for child in part.children)
    if not inner:  # the grammar wants at least one body
        inner = _EMPTY_TEXT + (_EXTENSION_NIL if extensions else b"") + b")"
    out = b"(" + inner + b" " + string(part.subtype.encode("latin-1"))
    if extensions:
        out += b" " + _parameters(part.content) + _tail(part)
    return out + b")"


def _single(
    scan: Scan, part: Part, extensions: bool, levels: dict[int, bytes], header: Callable[[Part], bytes]
) -> bytes:
    content = part.content
    before, after = _known_words(part.values) if _is_common(part) else _words(part)
    out = b"%s %d" % (before, part.size)
    if content.value in ("message/rfc822", "message/global"):
        embedded = scan.embedded(part)
        if embedded is None:  # a leaf for the scanner: the grammar still wants envelope and body
            inner = EMPTY_ENVELOPE + b" " + _EMPTY_TEXT + (_EXTENSION_NIL if extensions else b"") + b")"
        else:
            inner = envelope(header(embedded)) + b" " + levels[embedded.index]
        out += b" %s %d" % (inner, part.lines)
    elif content.value.startswith("text/"):
        out += b" %d" % part.lines
    return out + after + b")" if extensions else out + b")"


def _words(part: Part) -> tuple[bytes, bytes]:
    """What stands before the size of a single part, and the extension data."""
    before = b"(%s %s %s %s %s %s" % (
        string(part.type.encode("latin-1")),
        string(part.subtype.encode("latin-1")),
        _parameters(part.content),
        nstring(part.content_id),
        nstring(part.description),
        string(part.encoding.encode("latin-1")),
    )
    return before, b" " + nstring(part.md5) + _tail(part)


def _is_common(part: Part) -> bool:
    """Whether many parts say the same of themselves: no more than a short type and an encoding."""
    kind, encoding, *others = part.values
    short = len(kind or b"") + len(encoding or b"") <= REMEMBERED
    return short and not any(others) and part.kind is Kind.LEAF and not part.in_digest and not part.findings


@lru_cache(maxsize=256)
def _known_words(values: tuple[bytes | None, ...]) -> tuple[bytes, bytes]:
    return _words(Part(0, -1, (), Kind.LEAF, Finding(0), 0, 0, 0, 0, values, (), True, False))


def bodystructure(
    scan: Scan, extensions: bool = True, header: Callable[[Part], bytes] | None = None
) -> bytes:
    """BODYSTRUCTURE, or BODY without extension data (RFC 9051 7.5.2).

    `header` gives the header block of an embedded message; without it the scan must be a fresh one: KeyError
    for an unpacked scan, which has no embedded headers. Parts are rendered from the last to the first, so
    that nesting costs no recursion.
    """
    header = header or scan.raw_header
    levels: dict[int, bytes] = {}
    for part in reversed(scan.parts):
        if part.kind is Kind.MULTIPART:
            levels[part.index] = _multipart(part, extensions, levels)
        else:
            levels[part.index] = _single(scan, part, extensions, levels, header)
        for child in part.children:
            del levels[child]
    return levels[0]


def section(scan: Scan, path: Sequence[int], text: str = "") -> tuple[int, int] | None:
    """Where a section stands: (start, stop) in the message's bytes, None if there is no such section.

    path: the part numbers, () for none; text: "", "HEADER" (also for HEADER.FIELDS and .NOT, which
    `headers.filter_header` then filters), "TEXT" or "MIME" (RFC 9051 6.4.5.1). The header includes its empty
    line. An empty section that exists is (n, n).
    """
    part = scan.find(path)
    if part is None:
        return None
    if not path:
        start, stop = {
            "": (0, scan.size),
            "HEADER": (part.header_start, part.body_start),
            "TEXT": (part.body_start, part.body_end),
        }.get(text, (-1, -1))
        return (start, stop) if start >= 0 else None
    if text == "":
        return part.body_start, part.body_end
    if text == "MIME":
        return part.header_start, part.body_start
    embedded = scan.embedded(part)  # HEADER and TEXT are those of an embedded message
    if embedded is None:
        return None
    if text == "HEADER":
        return embedded.header_start, embedded.body_start
    return (embedded.body_start, embedded.body_end) if text == "TEXT" else None
