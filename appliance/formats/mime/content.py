"""The content fields of a part: Content-Type, Content-Disposition and their parameters (RFC 2045, 2231).

Values are taken from raw field bodies (bytes after the colon, perhaps folded). Nothing here fails: what
cannot be read is left out. `parameters` is the one walk over "name=value" lists; the C scanner walks in the
same way for the boundary.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote_to_bytes

from appliance.formats.mime.charsets import decode
from appliance.formats.mime.words import decode_words

SPACE = b" \t\r\n"
MAX_PARAMETERS = 200
"""Parameters of one field that are looked at."""


def skip_space(value: bytes, at: int) -> int:
    """The position after white space and comments (RFC 5322 3.2.2)."""
    depth = 0
    while at < len(value):
        c = value[at]
        if c == 0x28:
            depth += 1
        elif depth and c == 0x5C and at + 1 < len(value):
            at += 1
        elif depth and c == 0x29:
            depth -= 1
        elif not depth and c not in SPACE:
            return at
        at += 1
    return at


def token(value: bytes, at: int, ends: bytes = b" \t\r\n/;(") -> tuple[bytes, int]:
    """The bytes up to one of `ends`, and the position after them."""
    start = at
    while at < len(value) and value[at] not in ends:
        at += 1
    return value[start:at], at


def type_of(value: bytes) -> tuple[bytes, bytes, int]:
    """Type and subtype as written, and the position after them; both empty if it is not type/subtype."""
    kind, at = token(value, skip_space(value, 0))
    at = skip_space(value, at)
    if not kind or at >= len(value) or value[at] != 0x2F:
        return b"", b"", at
    subtype, at = token(value, skip_space(value, at + 1))
    return (kind, subtype, at) if subtype else (b"", b"", at)


def _quoted(value: bytes, at: int) -> tuple[bytes, int]:
    out = bytearray()
    while at < len(value) and value[at] != 0x22:
        if value[at] == 0x5C and at + 1 < len(value):
            at += 1
        if value[at] not in b"\r\n":
            out.append(value[at])
        at += 1
    return bytes(out), min(at + 1, len(value))


def parameters(value: bytes, at: int) -> Iterator[tuple[bytes, bytes]]:
    """The raw "name=value" pairs from a position on, values unquoted; names as written."""
    while True:
        at = skip_space(value, at)
        while at < len(value) and value[at] == 0x3B:
            at = skip_space(value, at + 1)
        if at >= len(value):
            return
        name, at = token(value, at, b" \t\r\n=;(")
        while at < len(value) and value[at] not in b"=;":
            at += 1
        if at >= len(value) or value[at] == 0x3B:
            continue
        at = skip_space(value, at + 1)
        if at < len(value) and value[at] == 0x22:
            content, at = _quoted(value, at + 1)
        else:
            start = at
            while at < len(value) and value[at] != 0x3B and value[at] not in SPACE:
                at += 1
            content = value[start:at]
        yield name, content


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter with its RFC 2231 segments joined."""

    name: str
    """In lower case, without the marks of RFC 2231."""
    raw: bytes
    charset: str = ""
    """Of an RFC 2231 extended value, else empty."""
    language: str = ""
    """As charset."""

    @property
    def text(self) -> str:
        """The value as text; encoded words, forbidden here by RFC 2047 5 but seen, are decoded too."""
        if self.charset:
            return decode(self.raw, self.charset)
        return decode_words(self.raw)


def _segments(pairs: Iterator[tuple[bytes, bytes]]) -> dict[str, dict[int, tuple[bytes, bool]]]:
    """name -> segment number (-1: a plain value) -> (value, extended). The first of each counts."""
    found: dict[str, dict[int, tuple[bytes, bool]]] = {}
    for count, (name, value) in enumerate(pairs):
        if count == MAX_PARAMETERS:
            break
        base, star, rest = name.decode("latin-1").lower().partition("*")
        number = -1
        if star:
            extended = rest.endswith("*") or not rest
            digits = rest.removesuffix("*")
            number = int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 4 else 0
        else:
            extended = False
        found.setdefault(base, {}).setdefault(number, (value, extended))
    return found


def join_parameters(pairs: Iterator[tuple[bytes, bytes]]) -> tuple[Parameter, ...]:
    """Parameters by RFC 2231 3 and 4: continuations joined in order, percent encoding undone."""
    joined: list[Parameter] = []
    for name, segments in _segments(pairs).items():
        if not name:
            continue
        if -1 in segments and (segments[-1][0] or len(segments) == 1):
            joined.append(Parameter(name, segments[-1][0]))
            continue
        out, charset, language, number = b"", "", "", 0
        while number in segments:
            value, extended = segments[number]
            if extended and number == 0 and value.count(b"'") >= 2:
                mark, tongue, value = value.split(b"'", 2)
                charset = mark.decode("latin-1") or "us-ascii"
                language = tongue.decode("latin-1")
            out += unquote_to_bytes(value) if extended else value
            number += 1
        joined.append(Parameter(name, out, charset, language))
    return tuple(joined)


@dataclass(frozen=True, slots=True)
class Content:
    """A field of the form value; parameters, as Content-Type (RFC 2045 5.1) and Content-Disposition."""

    value: str
    """In lower case: "text/plain", "attachment"."""
    parameters: tuple[Parameter, ...] = ()

    def get(self, name: str) -> str | None:
        """A parameter as text by its lower-case name, or None."""
        for parameter in self.parameters:
            if parameter.name == name:
                return parameter.text
        return None


@lru_cache(maxsize=512)
def parse_content_type(value: bytes) -> Content:
    """A Content-Type body. One that is no type/subtype gives the empty value (RFC 2045 5.2: text/plain)."""
    kind, subtype, at = type_of(value)
    if not kind:
        return Content("")
    name = f"{kind.decode('latin-1')}/{subtype.decode('latin-1')}".lower()
    return Content(name, join_parameters(parameters(value, at)))


@lru_cache(maxsize=512)
def parse_disposition(value: bytes) -> Content:
    """A Content-Disposition body (RFC 2183); the empty value if there is no token."""
    kind, at = token(value, skip_space(value, 0))
    return Content(kind.decode("latin-1").lower(), join_parameters(parameters(value, at)))


def parse_token(value: bytes) -> bytes:
    """The first token of a field body, as written (Content-Transfer-Encoding, RFC 2045 6.1)."""
    return token(value, skip_space(value, 0))[0]


def parse_languages(value: bytes) -> tuple[bytes, ...]:
    """The tags of a Content-Language body (RFC 3282 2)."""
    tags: list[bytes] = []
    at = skip_space(value, 0)
    while at < len(value):
        start = at
        while at < len(value) and value[at] not in b" \t\r\n,(":
            at += 1
        if at > start:
            tags.append(value[start:at])
        at = skip_space(value, at)
        if at < len(value) and value[at] == 0x2C:
            at = skip_space(value, at + 1)
    return tuple(tags)


def boundary_of(value: bytes, at: int) -> bytes:
    """The boundary among the parameters from a position on, as the scanner uses it: b"" for none."""
    segments: dict[int, tuple[bytes, bool]] = {}
    for name, content in parameters(value, at):
        name = name.lower()
        if name == b"boundary" and content:
            return content.rstrip(SPACE)
        if name.startswith(b"boundary*"):
            mark = name[9:]
            digits = mark.removesuffix(b"*")
            if not mark:
                segments.setdefault(0, (content, True))
            elif len(digits) == 1 and digits.isdigit():
                segments.setdefault(int(digits), (content, mark.endswith(b"*")))
    out, number = b"", 0
    while number in segments:
        content, extended = segments[number]
        if extended:
            if number == 0 and content.count(b"'") >= 2:
                content = content.split(b"'", 2)[2]
            content = unquote_to_bytes(content)
        out += content
        number += 1
    return out.rstrip(SPACE)
