"""Content of body parts: slices of the stored MIME, decoded on demand.

A content is read at any offset; decoding remembers a checkpoint for each window of encoded bytes, so that a
read costs at most one window more than it gives, and nothing is held but one window. What is not legal in an
encoding is skipped (base64) or kept (quoted-printable); nothing raises for what a message contains.
"""

import binascii
import re
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field

Reader = Callable[[int, int], bytes]
"""read(offset, length): bytes of the raw message; fewer only at its end."""

WINDOW = 65536
MAX_LINE = 4096
"""A quoted-printable or uuencoded line longer than this is taken in pieces."""

_NOT_BASE64 = bytes(
    set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=")
)
_TRAILING_SPACE = re.compile(rb"[ \t]+(?=\r?\n|\Z)")
_QP_TAIL = re.compile(rb"=[0-9A-Fa-f]?$")

_Step = Callable[[bytes, bytes, bool], tuple[bytes, bytes]]
"""(carried bytes, encoded window, whether it is the last) to (decoded, bytes to carry on)."""


def _base64(carry: bytes, data: bytes, last: bool) -> tuple[bytes, bytes]:
    data = carry + data.translate(None, _NOT_BASE64)
    rest = b""
    out: list[bytes] = []
    # Padding within the data ends one encoded piece; programs that join pieces leave such bodies.
    pieces = data.split(b"=") if b"=" in data else [data]
    for index, piece in enumerate(pieces):
        if index == len(pieces) - 1 and not last:
            cut = len(piece) - len(piece) % 4
            piece, rest = piece[:cut], piece[cut:]
        if len(piece) % 4 == 1:
            piece = piece[:-1]
        if piece:
            out.append(binascii.a2b_base64(piece + b"=" * (-len(piece) % 4)))
    return b"".join(out), rest


def _lines(carry: bytes, data: bytes, last: bool) -> tuple[bytes, bytes]:
    data = carry + data
    if last:
        return data, b""
    cut = data.rfind(b"\n") + 1
    return data[:cut], data[cut:]


def _quoted_printable(carry: bytes, data: bytes, last: bool) -> tuple[bytes, bytes]:
    data, rest = _lines(carry, data, last)
    if len(rest) > MAX_LINE:
        tail = _QP_TAIL.search(rest)
        cut = tail.start() if tail else len(rest.rstrip(b" \t"))
        data, rest = data + rest[:cut], rest[cut:]
    if b" \r" in data or b" \n" in data or b"\t\r" in data or b"\t\n" in data or last:
        data = _TRAILING_SPACE.sub(b"", data)  # RFC 2045 6.7 rule 3
    return binascii.a2b_qp(data), rest


def _uuencode(carry: bytes, data: bytes, last: bool) -> tuple[bytes, bytes]:
    data, rest = _lines(carry, data, last)
    out: list[bytes] = []
    for line in data.splitlines():
        if not line or line.startswith(b"begin ") or line.strip() in (b"end", b"`"):
            continue
        try:
            out.append(binascii.a2b_uu(line))
        except binascii.Error:
            # Some encoders write a wrong count or cut trailing blanks: the line's length says what is there.
            count = ((line[0] - 32) & 63) * 4 + 5
            try:
                out.append(binascii.a2b_uu(line[: count // 3]))
            except binascii.Error:
                continue
    return b"".join(out), rest[-MAX_LINE:]


_STEPS: dict[str, _Step] = {
    "base64": _base64,
    "quoted-printable": _quoted_printable,
    "x-uuencode": _uuencode,
    "x-uue": _uuencode,
    "uuencode": _uuencode,
}


@dataclass(frozen=True, slots=True)
class Slice:
    """Bytes of the message as they are (7bit, 8bit, binary and unknown encodings)."""

    source: Reader
    start: int
    size: int

    def read(self, offset: int, length: int) -> bytes:
        """Up to `length` bytes from `offset`; empty past the end."""
        length = min(length, self.size - offset)
        return self.source(self.start + offset, length) if length > 0 and offset >= 0 else b""


@dataclass(slots=True)
class Joined:
    """Bytes that are at hand, followed by a slice."""

    head: bytes
    tail: Slice

    @property
    def size(self) -> int:
        """Length in bytes."""
        return len(self.head) + self.tail.size

    def read(self, offset: int, length: int) -> bytes:
        """Up to `length` bytes from `offset`; empty past the end."""
        out = self.head[offset : offset + length]
        if len(out) < length:
            out += self.tail.read(max(offset - len(self.head), 0), length - len(out))
        return out


@dataclass(slots=True)
class Decoded:
    """An encoded slice, read as its decoded bytes. Not shared between threads."""

    raw: Slice
    step: _Step
    # Where each decoded window begins: offsets in decoded and encoded bytes, and what was carried into it.
    _starts: list[int] = field(default_factory=lambda: [0])
    _carries: list[bytes] = field(default_factory=lambda: [b""])
    _size: int | None = None
    _window: int = -1
    _data: bytes = b""

    @property
    def size(self) -> int:
        """Decoded length in bytes; the first use decodes the whole once, window by window."""
        while self._size is None:
            self._load(len(self._starts) - 1)
        return self._size

    def _load(self, window: int) -> None:
        encoded = self.raw.read(window * WINDOW, WINDOW)
        last = (window + 1) * WINDOW >= self.raw.size
        self._data, carry = self.step(self._carries[window], encoded, last)
        self._window = window
        end = self._starts[window] + len(self._data)
        if last:
            self._size = end
        elif window == len(self._starts) - 1:
            self._starts.append(end)
            self._carries.append(carry)

    def read(self, offset: int, length: int) -> bytes:
        """Up to `length` decoded bytes from `offset`; empty past the end."""
        out: list[bytes] = []
        while length > 0 and (self._size is None or offset < self._size):
            window = bisect_right(self._starts, offset) - 1
            if window != self._window:
                self._load(window)
            at = offset - self._starts[window]
            piece = self._data[at : at + length]
            out.append(piece)
            offset += len(piece)
            length -= len(piece)
        return b"".join(out)


def content_of(read: Reader, start: int, size: int, encoding: str) -> Slice | Decoded:
    """The content of a body part: `size` bytes at `start`, in a content transfer encoding (lower case)."""
    raw = Slice(read, start, size)
    step = _STEPS.get(encoding)
    return raw if step is None else Decoded(raw, step)


def decode(data: bytes, encoding: str) -> bytes:
    """Bytes of a body part that is at hand, decoded."""
    step = _STEPS.get(encoding)
    return data if step is None else step(b"", data, True)[0]
