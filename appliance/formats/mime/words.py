"""Encoded words (RFC 2047) both ways, and extended parameter values (RFC 2231) outward.

Decoding never fails: what is no encoded word stays as it is, raw 8-bit text is read as UTF-8 or Windows-1252.
Words that split a character between them, which senders do although RFC 2047 5 forbids it, are joined first.
"""

import base64
import binascii
import re

from appliance.formats.mime.charsets import decode, fallback

MAX_WORD = 75
"""RFC 2047 2: length of an encoded word."""

_WORD = re.compile(rb"=\?([^?\s\x00-\x20]{1,64})\?([bBqQ])\?([^?\r\n]*)\?=")
_Q_SAFE = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!*+-/")  # RFC 2047 5 (3)
_ATTRIBUTE_CHARS = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$&+-.^_`{|}~")


def _bytes_of(encoding: bytes, text: bytes) -> bytes:
    if encoding in b"qQ":
        return re.sub(rb"=([0-9A-Fa-f]{2})", lambda m: bytes((int(m[1], 16),)), text.replace(b"_", b" "))
    kept = re.sub(rb"[^A-Za-z0-9+/]", b"", text)
    if len(kept) % 4 == 1:
        kept = kept[:-1]
    try:
        return base64.b64decode(kept + b"=" * (-len(kept) % 4))
    except binascii.Error:
        return text


def decode_words(value: bytes) -> str:
    """The text of an unstructured field body or of a phrase, unfolded, encoded words decoded."""
    value = value.translate(None, b"\r\n")
    if b"=?" not in value:
        return value.decode("ascii") if value.isascii() else fallback(value)
    out: list[str] = []
    pending = b""  # bytes of adjacent words in one charset
    charset = ""
    end = 0
    for match in _WORD.finditer(value):
        between = value[end : match.start()]
        name = match[1].partition(b"*")[0].decode("latin-1").lower()  # RFC 2231 5: charset*language
        adjacent = end > 0 and not between.strip(b" \t")  # RFC 2047 6.2: white space between words goes
        if pending and (not adjacent or name != charset):
            out.append(decode(pending, charset))
            pending = b""
        if not adjacent:
            out.append(fallback(between))
        charset = name
        pending += _bytes_of(match[2], match[3])
        end = match.end()
    if pending:
        out.append(decode(pending, charset))
    out.append(fallback(value[end:]))
    return "".join(out)


def _word(data: bytes) -> bytes:
    """One encoded word of UTF-8 bytes, Q or B, whichever is shorter."""
    quoted = b"".join(b"_" if b == 0x20 else bytes((b,)) if b in _Q_SAFE else b"=%02X" % b for b in data)
    coded = base64.b64encode(data)
    return b"=?utf-8?Q?" + quoted + b"?=" if len(quoted) <= len(coded) else b"=?utf-8?B?" + coded + b"?="


def _split_words(text: str, used: int) -> list[bytes]:
    words: list[bytes] = []
    piece = b""
    for char in text:
        data = char.encode("utf-8", "replace")
        if piece and len(_word(piece + data)) > MAX_WORD - (0 if words else used):
            words.append(_word(piece))
            piece = b""
        piece += data
    if piece:
        words.append(_word(piece))
    return words


def needs_words(text: str) -> bool:
    """Text that cannot stand in a header as it is: not printable ASCII, or like an encoded word."""
    return not text.isascii() or not text.isprintable() or "=?" in text


def encode_words(text: str, *, every: bool = False, used: int = 0) -> bytes:
    """Text for an unstructured field body or a phrase: ASCII words as they are, the rest as encoded words.

    Words are separated by one space, at which the caller may fold; blanks at the ends and runs of blanks are
    kept by encoding them. Line ends become spaces. every: all of the text in encoded words.
    used: characters that stand before on the first line, at most 40 count.
    """
    used = min(used, 40)
    text = re.sub(r"\r\n|[\r\n]", " ", text)
    if every:
        return b" ".join(_split_words(text, used))
    if not needs_words(text) and text == text.strip() and "  " not in text and "\t" not in text:
        if all(len(word) < 900 for word in text.split(" ")):  # RFC 5322 2.1.1: 998 to a line
            return text.encode("ascii")
        return b" ".join(_split_words(text, used))
    parts = text.split(" ")
    odd = [not part or needs_words(part) or len(part) > 900 for part in parts]
    first, last = odd.index(True), len(odd) - 1 - odd[::-1].index(True)
    coded = " ".join(parts[first : last + 1])
    if not coded:  # nothing but a blank too many
        return b" ".join(_split_words(text, used))
    plain_before = [part.encode("ascii") for part in parts[:first]]
    plain_after = [part.encode("ascii") for part in parts[last + 1 :]]
    return b" ".join([*plain_before, *_split_words(coded, used), *plain_after])


def encode_parameter(name: str, value: str) -> list[bytes]:
    """A parameter as "name=value" pieces to be joined by semicolons: quoted if ASCII, else RFC 2231.

    Long values become numbered segments of at most 60 value bytes (RFC 2231 3).
    """
    label = name.encode("ascii")
    value = re.sub(r"[\r\n]+", " ", value)
    if value.isascii() and value.isprintable() and len(value) <= 60:
        token = value and not re.search(r'[\x00-\x20()<>@,;:\\"/\[\]?=*%\x27]', value)
        return [label + b"=" + (value.encode() if token else quote(value.encode()))]
    coded = [b"%c" % b if b in _ATTRIBUTE_CHARS else b"%%%02X" % b for b in value.encode("utf-8", "replace")]
    segments, size = [b""], 0
    for item in coded:
        if size + len(item) > 60:
            segments.append(b"")
            size = 0
        segments[-1] += item
        size += len(item)
    if len(segments) == 1:
        return [label + b"*=utf-8''" + segments[0]]
    return [
        b"%s*%d*=%s%s" % (label, i, b"utf-8''" if i == 0 else b"", segment)
        for i, segment in enumerate(segments)
    ]


def quote(value: bytes) -> bytes:
    """A quoted-string (RFC 5322 3.2.4) of bytes without line ends."""
    return b'"' + value.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
