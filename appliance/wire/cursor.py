"""Bounds-checked cursors: Reader over a buffer, Writer into one. Everything is little-endian.

A Reader never reads past `end` and never moves back; what it refuses is a DecodeError with the offset of the
first byte that was missing or wrong. Offsets count from the start of the whole buffer, in a `sub` reader too.
`data` and `pos` are open to generated code (appliance.wire.record), which keeps the same promises.
"""

import struct

from appliance.wire.errors import DecodeError, EncodeError
from appliance.wire.limits import MAX_STRING

_U16 = struct.Struct("<H")
_U32 = struct.Struct("<I")
_U64 = struct.Struct("<Q")
_SCALARS = {
    size: {True: struct.Struct(f"<{code}"), False: struct.Struct(f"<{code.upper()}")}
    for size, code in ((1, "b"), (2, "h"), (4, "i"), (8, "q"))
}


class Reader:
    """A position in `data`, never past `end`."""

    __slots__ = ("data", "end", "pos")

    def __init__(self, data: bytes, pos: int = 0, end: int | None = None) -> None:
        self.data = data
        self.pos = pos
        self.end = len(data) if end is None else end

    def __repr__(self) -> str:
        return f"Reader(at {self.pos} of {self.end})"

    @property
    def remaining(self) -> int:
        """Bytes from here to the end."""
        return self.end - self.pos

    def need(self, size: int, what: str) -> int:
        """Claims `size` bytes and gives where they begin. DecodeError when there are fewer."""
        at = self.pos
        if size > self.end - at:
            raise DecodeError(f"{what}: {size} bytes needed, {self.end - at} left", at)
        self.pos = at + size
        return at

    def u8(self, what: str = "byte") -> int:
        """One byte."""
        return self.data[self.need(1, what)]

    def u16(self, what: str = "16-bit number") -> int:
        """An unsigned 16-bit number."""
        return int(_U16.unpack_from(self.data, self.need(2, what))[0])

    def u32(self, what: str = "32-bit number") -> int:
        """An unsigned 32-bit number."""
        return int(_U32.unpack_from(self.data, self.need(4, what))[0])

    def u64(self, what: str = "64-bit number") -> int:
        """An unsigned 64-bit number."""
        return int(_U64.unpack_from(self.data, self.need(8, what))[0])

    def number(self, size: int, signed: bool = False, what: str = "number") -> int:
        """A number of 1, 2, 4 or 8 bytes."""
        return int(_SCALARS[size][signed].unpack_from(self.data, self.need(size, what))[0])

    def take(self, size: int, what: str = "bytes") -> bytes:
        """Exactly `size` bytes."""
        at = self.need(size, what)
        return bytes(self.data[at : at + size])

    def rest(self) -> bytes:
        """Everything up to the end."""
        return self.take(self.end - self.pos)

    def sub(self, size: int, what: str = "structure") -> "Reader":
        """A reader of the next `size` bytes; this one continues behind them."""
        at = self.need(size, what)
        return Reader(self.data, at, at + size)

    def nul_bytes(self, what: str = "string", limit: int = MAX_STRING) -> bytes:
        """Bytes up to a zero byte, which is consumed and not part of the result."""
        at = self.pos
        stop = self.data.find(b"\0", at, min(self.end, at + limit + 1))
        if stop < 0:
            raise DecodeError(f"{what}: no terminator", at)
        self.pos = stop + 1
        return bytes(self.data[at:stop])

    def nul_utf16(self, what: str = "string", limit: int = MAX_STRING) -> str:
        """A UTF-16LE string up to a zero code unit; lone surrogates pass."""
        data, at = self.data, self.pos
        end = min(self.end, at + limit + 2)
        stop = data.find(b"\0\0", at, end)
        while stop >= 0 and (stop - at) % 2:
            stop = data.find(b"\0\0", stop + 1, end)
        if stop < 0:
            raise DecodeError(f"{what}: no terminator", at)
        self.pos = stop + 2
        return data[at:stop].decode("utf-16-le", "surrogatepass")

    def count(self, size: int, least: int, what: str, limit: int) -> int:
        """A count of `size` bytes, checked against `limit` and against `least` bytes for each element."""
        at = self.pos
        count = self.number(size, what=what)
        if count > limit:
            raise DecodeError(f"{what}: {count}, at most {limit}", at)
        if count * least > self.end - self.pos:
            raise DecodeError(f"{what}: {count} of them in {self.end - self.pos} bytes", at)
        return count

    def expect_end(self, what: str = "structure") -> None:
        """DecodeError when bytes are left."""
        if self.pos != self.end:
            raise DecodeError(f"{what}: {self.end - self.pos} bytes too many", self.pos)


class Writer:
    """Bytes under construction. `buf` is open to generated code."""

    __slots__ = ("buf",)

    def __init__(self) -> None:
        self.buf = bytearray()

    def __len__(self) -> int:
        return len(self.buf)

    def getvalue(self) -> bytes:
        """What was written so far."""
        return bytes(self.buf)

    def number(self, value: int, size: int, signed: bool = False, what: str = "number") -> None:
        """A number of any size. EncodeError when it does not fit."""
        try:
            self.buf += value.to_bytes(size, "little", signed=signed)
        except (OverflowError, AttributeError, TypeError):
            raise EncodeError(f"{what}: {value!r} does not fit in {size} bytes") from None

    def u8(self, value: int, what: str = "byte") -> None:
        """One byte."""
        self.number(value, 1, what=what)

    def u16(self, value: int, what: str = "16-bit number") -> None:
        """An unsigned 16-bit number."""
        self.number(value, 2, what=what)

    def u32(self, value: int, what: str = "32-bit number") -> None:
        """An unsigned 32-bit number."""
        self.number(value, 4, what=what)

    def u64(self, value: int, what: str = "64-bit number") -> None:
        """An unsigned 64-bit number."""
        self.number(value, 8, what=what)

    def put(self, data: bytes) -> None:
        """The bytes as they are."""
        self.buf += data

    def nul_bytes(self, data: bytes, what: str = "string") -> None:
        """Bytes without zeros, and a zero."""
        if b"\0" in data:
            raise EncodeError(f"{what}: a zero inside a null-terminated string")
        self.buf += data
        self.buf.append(0)

    def nul_utf16(self, text: str, what: str = "string") -> None:
        """A UTF-16LE string and a zero code unit."""
        if "\0" in text:
            raise EncodeError(f"{what}: a zero inside a null-terminated string")
        self.buf += text.encode("utf-16-le", "surrogatepass")
        self.buf += b"\0\0"

    def patch(self, at: int, value: int, size: int) -> None:
        """Overwrites a number that was written before as a place holder."""
        self.buf[at : at + size] = value.to_bytes(size, "little")
