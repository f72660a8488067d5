"""Message content for servers that lack 8BITMIME or BINARYMIME: parts re-encoded on the fly (RFC 6152 3).

`Downgrader` follows the MIME structure line by line: body parts that are sent as 8bit go out as
quoted-printable, binary ones as base64, and the Content-Transfer-Encoding fields say so; multiparts and
messages that contain such parts become 7bit. Everything else passes unchanged. Octets above 127 in header
fields are not this module's business (RFC 6531 3.2 is the transport's).

Memory: one header section (at most MAX_HEAD, what is longer passes unchanged) and one line (at most
MAX_LINE; longer ones of text are broken softly, as quoted-printable allows).
"""

import base64
import re
from binascii import b2a_qp
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

MAX_HEAD = 256 << 10
MAX_LINE = 64 << 10
MAX_DEPTH = 100
"""Multiparts within each other; deeper ones pass as they are."""

_BASE64_PIECE = 57 * 64
_ENCODING = re.compile(
    rb"(?im)^content-transfer-encoding[ \t]*:[ \t\r\n]*([^\s;]*)[^\r\n]*\r\n(?:[ \t][^\r\n]*\r\n)*"
)
_TYPE = re.compile(rb"(?im)^content-type[ \t]*:[ \t\r\n]*([^\s;/]+)/([^\s;]+)((?:[^\r\n]|\r\n[ \t])*)")
_BOUNDARY = re.compile(rb'(?is);\s*boundary\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]+))')


class _Body(Enum):
    PASS = auto()
    QUOTED = auto()
    BASE64 = auto()


@dataclass(slots=True)
class _Level:
    """An open multipart."""

    delimiter: bytes


class Downgrader:
    """Rewrites one message. `feed` and `end` give the bytes to send."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._head: bytearray | None = bytearray()
        self._levels: list[_Level] = []
        self._body = _Body.PASS
        self._base64 = bytearray()
        self._first = True
        self._pending_break = b""

    def feed(self, data: bytes) -> bytes:
        """The next bytes of the message."""
        self._buffer += data
        return b"".join(self._lines(final=False))

    def end(self) -> bytes:
        """The message is over."""
        return b"".join(self._lines(final=True)) + b"".join(self._finish_body())

    def _lines(self, *, final: bool) -> Iterator[bytes]:
        start = 0
        while True:
            end = self._buffer.find(b"\r\n", start)
            if end < 0:
                rest = len(self._buffer) - start
                if not rest or (not final and rest <= MAX_LINE):
                    break
                # A CR at the end may be half of a line end.
                stop = len(self._buffer) - (not final and self._buffer.endswith(b"\r"))
                yield from self._line(bytes(self._buffer[start:stop]))
                start = stop
                if final or start == len(self._buffer):
                    break
                continue
            yield from self._line(bytes(self._buffer[start : end + 2]))
            start = end + 2
        del self._buffer[:start]

    def _line(self, line: bytes) -> Iterator[bytes]:
        if self._head is not None:
            self._head += line
            if line == b"\r\n" or len(self._head) > MAX_HEAD:
                yield self._end_head(bytes(self._head))
            return
        if line.startswith(b"--") and self._first:
            level = self._delimiter(line.rstrip(b"\r\n \t"))
            if level is not None:
                yield from self._finish_body()
                yield line
                return
        self._first = line.endswith(b"\r\n")
        yield from self._content(line)

    def _delimiter(self, line: bytes) -> _Level | None:
        """The multipart that a line is a delimiter of; the state moves on to what follows it."""
        for index in range(len(self._levels) - 1, -1, -1):
            level = self._levels[index]
            if line == level.delimiter:
                del self._levels[index + 1 :]
                self._start_head()
                return level
            if line == level.delimiter + b"--":
                del self._levels[index:]
                self._start_body(_Body.PASS)
                return level
        return None

    def _start_head(self) -> None:
        self._head = bytearray()
        self._first = True

    def _start_body(self, body: _Body) -> None:
        self._head = None
        self._body = body
        self._first = True
        self._pending_break = b""

    def _end_head(self, head: bytes) -> bytes:
        encoding_match = _ENCODING.search(head)
        encoding = encoding_match[1].lower() if encoding_match else b"7bit"
        type_match = _TYPE.search(head)
        kind = type_match[1].lower() if type_match else b"text"
        parameters = type_match[3] if type_match else b""
        if kind == b"multipart":
            found = _BOUNDARY.search(parameters)
            self._start_body(_Body.PASS)
            if found and len(self._levels) < MAX_DEPTH:
                boundary = re.sub(rb"\\(.)", rb"\1", found[1]) if found[1] is not None else found[2]
                self._levels.append(_Level(b"--" + boundary))
            return _with_encoding(head, b"7bit") if encoding in (b"8bit", b"binary") else head
        if kind == b"message" and encoding in (b"7bit", b"8bit", b"binary"):
            # What it holds begins with a header section of its own (message/rfc822, message/global).
            self._start_head()
            return _with_encoding(head, b"7bit") if encoding != b"7bit" else head
        if encoding == b"binary":
            self._start_body(_Body.BASE64)
            return _with_encoding(head, b"base64")
        if encoding == b"8bit" or encoding_match is None:
            # Without the field the content should be 7bit; the world does not keep to it.
            self._start_body(_Body.QUOTED)
            return _with_encoding(head, b"quoted-printable")
        self._start_body(_Body.PASS)
        return head

    def _content(self, line: bytes) -> Iterator[bytes]:
        if self._body is _Body.PASS:
            yield line
            return
        # The line break before a delimiter belongs to the delimiter (RFC 2046 5.1.1).
        ended = line.endswith(b"\r\n")
        content = line[:-2] if ended else line
        if self._body is _Body.QUOTED:
            yield self._pending_break + _quoted(content)
            self._pending_break = b"\r\n" if ended else b"=\r\n"
            return
        self._base64 += self._pending_break + content
        self._pending_break = b"\r\n" if ended else b""
        while len(self._base64) >= _BASE64_PIECE:
            yield base64.encodebytes(self._base64[:_BASE64_PIECE]).replace(b"\n", b"\r\n")
            del self._base64[:_BASE64_PIECE]

    def _finish_body(self) -> Iterator[bytes]:
        if self._head:
            yield bytes(self._head)
            self._head = None
            return
        if self._body is _Body.BASE64:
            if not self._levels:
                self._base64 += self._pending_break
            yield base64.encodebytes(self._base64).replace(b"\n", b"\r\n")
            self._base64.clear()
        elif self._body is _Body.QUOTED:
            yield self._pending_break.removeprefix(b"=")
        self._pending_break = b""
        self._body = _Body.PASS


def _with_encoding(head: bytes, encoding: bytes) -> bytes:
    field = b"Content-Transfer-Encoding: " + encoding + b"\r\n"
    if _ENCODING.search(head):
        return _ENCODING.sub(field, head, count=1)
    body = head.removesuffix(b"\r\n")
    mime = (
        b""
        if re.search(rb"(?im)^mime-version[ \t]*:", head) or not _is_top(head)
        else b"MIME-Version: 1.0\r\n"
    )
    return body + mime + field + b"\r\n"


def _is_top(head: bytes) -> bool:
    """Whether a header section is a message's, not a body part's."""
    return re.search(rb"(?im)^(?:from|date|received|message-id|subject)[ \t]*:", head) is not None


def _quoted(content: bytes) -> bytes:
    """One line as quoted-printable, soft breaks as CR LF; a lone CR or LF is encoded."""
    return b2a_qp(content, quotetabs=False, istext=False).replace(b"=\n", b"=\r\n") if content else b""
