"""Bodies: content-transfer decoding and encoding in pieces, and text with its charset and flow.

Decoders take chunks of any size and give what is certain; `finish` gives the rest. They never fail: bytes
that do not belong are passed over or kept as they are, as the encoding's RFC advises, and `damaged` tells.
State is a few bytes, or one line where the encoding is made of lines (at most MAX_LINE bytes are held).
"""

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from appliance.formats.mime.charsets import decode
from appliance.formats.mime.content import Content

MAX_LINE = 1 << 16
"""Bytes of an unfinished line that a decoder holds; longer lines are decoded in pieces."""


class Decoder(Protocol):
    """Incremental transfer decoder."""

    damaged: bool

    def feed(self, data: bytes) -> bytes:
        """Decoded bytes that are certain by now."""

    def finish(self) -> bytes:
        """The rest."""


class IdentityDecoder:
    """7bit, 8bit, binary, and encodings that nobody knows (RFC 2045 6.2)."""

    damaged = False

    def feed(self, data: bytes) -> bytes:
        return data

    def finish(self) -> bytes:
        return b""


_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_BASE64_ALL = _BASE64 + b"="
_NOT_BASE64 = bytes(set(range(256)) - set(_BASE64_ALL))
_NOT_BASE64_ODD = bytes(set(_NOT_BASE64) - set(b" \t\r\n"))


class Base64Decoder:
    """RFC 2045 6.8. Bytes outside the alphabet are passed over; after padding a new quantum may begin."""

    def __init__(self) -> None:
        self.damaged = False
        self._held = b""

    def feed(self, data: bytes) -> bytes:
        """As `Decoder.feed`."""
        kept = data.translate(None, _NOT_BASE64)
        if not self.damaged and data.translate(None, _NOT_BASE64_ODD) != data:
            self.damaged = True
        kept = self._held + kept
        if b"=" not in kept:
            stop = len(kept) // 4 * 4
            self._held = kept[stop:]
            return binascii.a2b_base64(kept[:stop])
        out = b""
        pieces = re.split(rb"=+", kept)
        for piece in pieces[:-1]:
            out += self._quantum(piece)
        last = pieces[-1]
        stop = len(last) // 4 * 4
        self._held = last[stop:]
        return out + binascii.a2b_base64(last[:stop])

    def _quantum(self, piece: bytes) -> bytes:
        """Bytes up to a padding: whole quanta and a last one of two or three characters."""
        if len(piece) % 4 == 1:
            self.damaged = True
            piece = piece[:-1]
        return binascii.a2b_base64(piece + b"=" * (-len(piece) % 4))

    def finish(self) -> bytes:
        """As `Decoder.finish`; a last quantum without padding counts."""
        held, self._held = self._held, b""
        if held:
            self.damaged = True
        return self._quantum(held)


_QP_BAD = re.compile(rb"=(?![0-9A-Fa-f]{2}|\r?\n)")
_BLANKS = re.compile(rb"[ \t]+(?=\r?\n)")
_QP_CODE = re.compile(rb"=([0-9A-Fa-f]{2}|[ \t]*\r?\n)")


def _qp_code(match: re.Match[bytes]) -> bytes:
    code = match[1]
    return b"" if code.endswith(b"\n") else bytes((int(code, 16),))


class QuotedPrintableDecoder:
    """RFC 2045 6.7. Blanks before a line end go (rule 3); a "=" that codes nothing stays as it is."""

    def __init__(self) -> None:
        self.damaged = False
        self._held = b""

    def feed(self, data: bytes) -> bytes:
        """As `Decoder.feed`."""
        data = self._held + data
        stop = data.rfind(b"\n") + 1
        if len(data) - stop > MAX_LINE:  # a line without end: cut before what may be unfinished
            tail = data.rstrip(b" \t\r")
            stop = len(tail) if len(data) - len(tail) < MAX_LINE else len(data)
            mark = data.find(b"=", max(stop - 2, 0), stop)
            stop = mark if mark >= 0 else stop
        self._held = data[stop:]
        return self._decode(data[:stop])

    def finish(self) -> bytes:
        """As `Decoder.finish`."""
        held, self._held = self._held, b""
        tail = held.rstrip(b" \t")
        return self._decode(tail[:-1] if tail.endswith(b"=") else tail)

    def _decode(self, data: bytes) -> bytes:
        if b" \n" in data or b" \r" in data or b"\t\n" in data or b"\t\r" in data:
            data = _BLANKS.sub(b"", data)
        if b"=" not in data:
            return data
        if not self.damaged and _QP_BAD.search(data):
            self.damaged = True
        return _QP_CODE.sub(_qp_code, data)


class UuDecoder:
    """uuencode, x-uuencode, x-uue: the lines between "begin MODE NAME" and "end"; others are passed over."""

    def __init__(self) -> None:
        self.damaged = False
        self._held = b""
        self._inside = self._ended = False

    def feed(self, data: bytes) -> bytes:
        """As `Decoder.feed`."""
        lines = (self._held + data).split(b"\n")
        self._held = lines.pop()[:MAX_LINE]
        return b"".join(map(self._line, lines))

    def finish(self) -> bytes:
        """As `Decoder.finish`."""
        held, self._held = self._held, b""
        out = self._line(held)
        self.damaged = self.damaged or not self._ended
        return out

    def _line(self, line: bytes) -> bytes:
        line = line.rstrip(b"\r")
        if not self._inside:
            self._inside = not self._ended and re.match(rb"begin +[0-7]{3,4} ", line) is not None
            return b""
        if line.rstrip() == b"end":
            self._inside, self._ended = False, True
            return b""
        if not line or line in b"` ":
            return b""
        size = (line[0] - 32) & 63
        need = (size + 2) // 3 * 4
        body = line[1 : 1 + need].ljust(need, b" ")
        try:
            return binascii.a2b_uu(line[:1] + body)
        except binascii.Error:
            self.damaged = True
            return b""


def decoder_of(encoding: str) -> Decoder:
    """A fresh decoder for a Content-Transfer-Encoding in any case; identity for an unknown one."""
    name = encoding.strip().lower()
    if name == "base64":
        return Base64Decoder()
    if name == "quoted-printable":
        return QuotedPrintableDecoder()
    if name in ("uuencode", "x-uuencode", "x-uue", "uue"):
        return UuDecoder()
    return IdentityDecoder()


def is_known_encoding(encoding: str) -> bool:
    """What BINARY can decode (RFC 3516 4.3 answers UNKNOWN-CTE for the rest)."""
    return encoding.strip().lower() in (
        "7bit", "8bit", "binary", "base64", "quoted-printable", "uuencode", "x-uuencode", "x-uue", "uue",
    )  # fmt: skip


def decode_body(data: bytes, encoding: str) -> bytes:
    """A whole body decoded."""
    decoder = decoder_of(encoding)
    return decoder.feed(data) + decoder.finish()


class Base64Encoder:
    """Lines of 76 characters (RFC 2045 6.8), ended by CRLF, the last one too."""

    _GROUP = 57

    def __init__(self) -> None:
        self._held = b""

    def feed(self, data: bytes) -> bytes:
        """The whole lines that the bytes so far give."""
        data = self._held + data
        stop = len(data) // self._GROUP * self._GROUP
        self._held = data[stop:]
        return self._lines(data[:stop])

    def finish(self) -> bytes:
        """The last line."""
        held, self._held = self._held, b""
        return self._lines(held)

    def _lines(self, data: bytes) -> bytes:
        coded = base64.b64encode(data)
        return b"".join(coded[at : at + 76] + b"\r\n" for at in range(0, len(coded), 76))


def _qp_item(byte: int) -> bytes:
    return b"%c" % byte if 0x20 < byte < 0x7F and byte != 0x3D else b"=%02X" % byte


_QP_TABLE = [_qp_item(b) for b in range(256)]


class QuotedPrintableEncoder:
    """RFC 2045 6.7 with lines of at most 76 characters.

    text: LF and CRLF are line ends and become CRLF; else CR and LF are bytes like others and coded.
    "From " and "." at the start of a line are coded, so that no mailbox or transport changes them.
    """

    def __init__(self, *, text: bool = True) -> None:
        self._text = text
        self._held = b""

    def feed(self, data: bytes) -> bytes:
        """The lines that are complete."""
        data = self._held + data
        if not self._text:
            stop = len(data) // 24 * 24
            self._held = data[stop:]
            return b"".join(
                b"".join(b"=%02X" % b if b in b"\r\n. F" else _QP_TABLE[b] for b in data[at : at + 24])
                + b"=\r\n"
                for at in range(0, stop, 24)
            )
        lines = data.split(b"\n")
        self._held = lines.pop()
        return b"".join(_qp_line(line.removesuffix(b"\r")) + b"\r\n" for line in lines)

    def finish(self) -> bytes:
        """The rest, without a line end of its own."""
        held, self._held = self._held, b""
        if self._text:
            return _qp_line(held)
        return b"".join(b"=%02X" % b if b in b"\r\n. F" else _QP_TABLE[b] for b in held)


def _qp_line(line: bytes) -> bytes:
    items = [b"%c" % b if b in b" \t" else _QP_TABLE[b] for b in line]
    if items and line[-1] in b" \t":
        items[-1] = b"=%02X" % line[-1]
    if line.startswith((b"From ", b".")):
        items[0] = b"=%02X" % line[0]
    out, size = [], 0
    for number, item in enumerate(items):
        room = 76 if number == len(items) - 1 else 75
        if size + len(item) > room:
            out.append(b"=\r\n")
            size = 0
            if item == b"." or (item == b"F" and line[number : number + 5] == b"From "):
                item = b"=%02X" % item[0]
        out.append(item)
        size += len(item)
    return b"".join(out)


def text_of(data: bytes, charset: str) -> str:
    """Decoded bytes of a text part as text with LF line ends; never fails (see `charsets`)."""
    return decode(data, charset).replace("\r\n", "\n").replace("\r", "\n")


@dataclass(frozen=True, slots=True)
class Flow:
    """How a text/plain is flowed (RFC 3676)."""

    flowed: bool
    delete_space: bool


def flow_of(content: Content) -> Flow:
    """From the format and delsp parameters of a Content-Type."""
    return Flow(
        content.value == "text/plain" and (content.get("format") or "").strip().lower() == "flowed",
        (content.get("delsp") or "").strip().lower() == "yes",
    )


def unflow(text: str, flow: Flow) -> str:
    """format=flowed text with its soft line ends joined (RFC 3676 4.1 to 4.4); other text as it is.

    Quoted lines keep their marks, once for a joined paragraph; a signature separator stands alone.
    """
    return "\n".join(_paragraphs(text.split("\n"), flow.delete_space)) if flow.flowed else text


def _paragraphs(lines: list[str], delete_space: bool) -> Iterator[str]:
    pending: list[str] = []
    pending_depth = 0

    def flush() -> str:
        mark = ">" * pending_depth + " " if pending_depth else ""
        return mark + "".join(pending)

    for line in lines:
        content = line.lstrip(">")
        depth = len(line) - len(content)
        content = content.removeprefix(" ")  # space-stuffing
        if pending and (depth != pending_depth or content == "-- "):
            yield flush()
            pending = []
        flowed = content.endswith(" ") and content != "-- "
        pending_depth = depth
        pending.append(content[:-1] if flowed and delete_space else content)
        if not flowed:
            yield flush()
            pending = []
    if pending:
        yield flush()
