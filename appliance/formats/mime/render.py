"""Building MIME: header fields folded, bodies encoded, parts joined. Pure: boundaries and dates are given.

A part is a header (a list of fields) and a body that comes in pieces, so that big attachments are never whole
in memory. Lines end in CRLF. Nothing is checked but what would break the message: a field name or body that
holds a line end raises ValueError, and so does a boundary outside RFC 2046 5.1.1.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from appliance.formats.mime.addresses import Group, Mailbox
from appliance.formats.mime.bodies import Base64Encoder, QuotedPrintableEncoder
from appliance.formats.mime.words import encode_parameter, encode_words, needs_words, quote

LINE = 76
"""Characters of a header line after folding, where it can be folded (RFC 5322 2.1.1, RFC 2047 2)."""
HARD_LINE = 998

_NAME = re.compile(rb"[\x21-\x39\x3b-\x7e]+")
_BOUNDARY = re.compile(rb"[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]")
_ATOM = re.compile(r"[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~]+")
_PIECE = re.compile(rb'[ \t]+(?:"(?:[^"\\]|\\.)*"|[^ \t"])*|"(?:[^"\\]|\\.)*"|[^ \t"]+|"')

Header = tuple[bytes, bytes]
"""Field name and body on one line."""


def fold(name: bytes, body: bytes) -> bytes:
    """A whole field with its CRLF, folded before white space outside quoted strings.

    ValueError: no field name, or line ends or NUL in the body.
    """
    if not _NAME.fullmatch(name) or b"\r" in body or b"\n" in body or b"\0" in body:
        raise ValueError(f"header field {name!r}")
    line, lines, started = name + b":", [], False
    for piece in _pieces(b" " + body):
        if len(line) + len(piece) > LINE and started and piece[:1] in b" \t" and piece.strip():
            lines.append(line)
            line = b""
        started = started or bool(piece.strip())
        line += piece
    lines.append(line.rstrip(b" \t") if lines or body else line)
    return b"\r\n".join(lines) + b"\r\n"


def _pieces(body: bytes) -> Iterator[bytes]:
    """White space with the word after it; a quoted string stays whole."""
    pending = b""
    for match in _PIECE.finditer(body):
        if match[0][:1] in b" \t" and pending:
            yield pending
            pending = b""
        pending += match[0]
    if pending:
        yield pending


def header_block(fields: Iterable[Header]) -> bytes:
    """Folded fields and the empty line."""
    return b"".join(fold(name, body) for name, body in fields) + b"\r\n"


def text_field(name: str, text: str) -> Header:
    """An unstructured field (Subject, Comments), encoded words where needed."""
    return name.encode("ascii"), encode_words(text, used=len(name) + 2)


def phrase(text: str) -> bytes:
    """A display name: atoms as they are, other ASCII quoted, the rest as encoded words (RFC 2047 5 (3))."""
    text = re.sub(r"[\x00-\x1f\x7f]+", " ", text)
    if needs_words(text):
        return encode_words(text, every=True)
    if all(_ATOM.fullmatch(word) for word in text.split(" ")):
        return text.encode("ascii")
    return quote(text.encode("ascii"))


def address(mailbox: Mailbox) -> bytes:
    """One address with its display name. Non-ASCII local parts and domains stand as UTF-8 (RFC 6532)."""
    spec = mailbox.address.encode("utf-8").translate(None, b"\r\n\0")
    return phrase(mailbox.text) + b" <" + spec + b">" if mailbox.name else spec


def address_field(name: str, people: Iterable[Mailbox | Group]) -> Header:
    """A field of addresses and groups (RFC 5322 3.6.3)."""
    out: list[bytes] = []
    for item in people:
        if isinstance(item, Group):
            out.append(phrase(item.text) + b": " + b", ".join(map(address, item.members)) + b";")
        else:
            out.append(address(item))
    return name.encode("ascii"), b", ".join(out)


def parameter_field(name: str, value: str, parameters: Iterable[tuple[str, str]] = ()) -> Header:
    """Content-Type, Content-Disposition and their like; values outside ASCII by RFC 2231."""
    pieces = [value.encode("ascii")]
    for key, text in parameters:
        pieces += encode_parameter(key, text)
    return name.encode("ascii"), b"; ".join(pieces)


def base64_pieces(data: Iterable[bytes]) -> Iterator[bytes]:
    """A body in base64, piece by piece."""
    encoder = Base64Encoder()
    for piece in data:
        yield encoder.feed(piece)
    yield encoder.finish()


def quoted_printable_pieces(data: Iterable[bytes], *, text: bool = True) -> Iterator[bytes]:
    """A body in quoted-printable, piece by piece."""
    encoder = QuotedPrintableEncoder(text=text)
    for piece in data:
        yield encoder.feed(piece)
    yield encoder.finish()


def transfer_encoding(data: bytes) -> str:
    """What a text should be sent in: "7bit" where the bytes are fit for it, else the shorter other one.

    Fit for 7bit (RFC 2045 2.7): ASCII without NUL and without bare CR or LF, lines of at most 998 bytes.
    """
    plain = data.replace(b"\r\n", b"\n")
    lines = plain.split(b"\n")
    bare = b"\r" in plain or data.count(b"\n") != data.count(b"\r\n")
    if data.isascii() and not bare and b"\0" not in data and max(map(len, lines)) <= HARD_LINE:
        return "7bit"
    coded = len(plain.translate(None, _PRINTABLE))
    return "base64" if coded * 3 > len(plain) or (bare and b"\r" in plain) else "quoted-printable"


_PRINTABLE = bytes(b for b in range(0x20, 0x7F) if b != 0x3D) + b"\t\n"


@dataclass(frozen=True, slots=True)
class Entity:
    """One part to be rendered: either `children`, joined by `boundary`, or the encoded `body`."""

    fields: Sequence[Header]
    body: Iterable[bytes] = ()
    children: Sequence["Entity"] = ()
    boundary: bytes = b""


def multipart(
    subtype: str, boundary: bytes, children: Sequence[Entity], fields: Sequence[Header] = ()
) -> Entity:
    """A multipart with its Content-Type after the other fields. ValueError: no boundary of RFC 2046 5.1.1."""
    if not _BOUNDARY.fullmatch(boundary):
        raise ValueError(f"boundary {boundary!r}")
    kind = parameter_field("Content-Type", f"multipart/{subtype}", [("boundary", boundary.decode("ascii"))])
    return Entity((*fields, kind), (), tuple(children), boundary)


def render(entity: Entity) -> Iterator[bytes]:
    """The bytes of an entity in pieces, header first. No body may hold a delimiter: the caller sees to it."""
    yield header_block(entity.fields)
    if not entity.boundary:
        yield from entity.body
        return
    for child in entity.children:
        yield b"--" + entity.boundary + b"\r\n"
        yield from render(child)
        yield b"\r\n"
    yield b"--" + entity.boundary + b"--\r\n"
