"""The one encoder of replies: strings, lists, mailbox names (RFC 9051 9)."""

import re
from collections.abc import Iterable

from appliance.protocols.imap.names import encode

_ATOM = re.compile(rb"[!#$&'+,\-./0-9:;<=>?@A-Z\[^_`a-z|}~\]]+\Z")
_PLAIN = re.compile(rb"[\x01-\x09\x0b\x0c\x0e-\x21\x23-\x5b\x5d-\x7f]*\Z")
_MUST_BE_LITERAL = re.compile(rb"[\x00\r\n\x80-\xff]")
_MUST_BE_LITERAL_UTF8 = re.compile(rb"[\x00\r\n]")

MAX_QUOTED = 4096
"""Longer strings are written as literals."""


def literal(data: bytes) -> bytes:
    """Data as a literal."""
    return b"{%d}\r\n%s" % (len(data), data)


def quoted(data: bytes) -> bytes:
    """Data in quotes; it has no CR, LF or NUL."""
    return b'"' + data.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


def string(data: bytes, *, utf8: bool = False) -> bytes:
    """Data as a string: in quotes where that is allowed, else as a literal. NUL, which no string may hold,
    is replaced."""
    if len(data) <= MAX_QUOTED:
        if _PLAIN.match(data):
            return b'"' + data + b'"'
        if not (_MUST_BE_LITERAL_UTF8 if utf8 and _is_utf8(data) else _MUST_BE_LITERAL).search(data):
            return quoted(data)
    return literal(data.replace(b"\0", b"\x80"))


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def nstring(data: bytes | None, *, utf8: bool = False) -> bytes:
    """A string or NIL."""
    return b"NIL" if data is None else string(data, utf8=utf8)


def astring(data: bytes, *, utf8: bool = False) -> bytes:
    """A bare atom where possible, else a string."""
    if _ATOM.match(data) and data.upper() != b"NIL":
        return data
    return string(data, utf8=utf8)


def mailbox(name: str, *, utf8: bool) -> bytes:
    """A mailbox name."""
    return astring(encode(name, utf8), utf8=utf8)


def parens(items: Iterable[bytes]) -> bytes:
    """A parenthesised list."""
    return b"(" + b" ".join(items) + b")"


def text(human: str) -> bytes:
    """Human-readable text of a status response: one line, ASCII, never empty."""
    return " ".join(human.encode("ascii", "replace").decode().split()).encode() or b"-"


def status(tag: bytes, kind: bytes, human: str, code: bytes = b"") -> bytes:
    """A status response (RFC 9051 7.1)."""
    bracket = b"[" + code + b"] " if code else b""
    return tag + b" " + kind + b" " + bracket + text(human) + b"\r\n"
