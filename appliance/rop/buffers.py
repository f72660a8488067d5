"""Extended buffers: payloads behind an RPC_HEADER_EXT (MS-OXCRPC 2.2.2.1, 3.1.4.1.1).

ROPs and auxiliary blocks travel in them, over HTTP and over RPC alike:

    payloads = unpack(data)                 # DecodeError
    data = pack(payloads, Wrapping.PLAIN)

What an unpacked buffer may cost is bounded: MAX_PAYLOAD bytes for each payload, MAX_PAYLOADS of them, and no
payload is taken apart before its header was found to be in order.
"""

from collections.abc import Sequence
from enum import IntFlag
from typing import Annotated

from appliance.formats import lz77
from appliance.wire.cursor import Reader, Writer
from appliance.wire.errors import DecodeError, EncodeError
from appliance.wire.fields import U16, Const, Flags, UInt16
from appliance.wire.record import Record

HEADER_SIZE = 8
"""Bytes of an RPC_HEADER_EXT."""

MAX_PAYLOAD = 0x8000
"""Bytes of one payload, decoded (3.1.4.2.1)."""

MAX_PAYLOADS = 96
"""Payloads of one buffer (3.1.4.2.1.2.2)."""

COMPRESS_FROM = 512
"""Payloads of fewer bytes are not worth compressing (3.1.4.2.1.1)."""


class HeaderFlags(IntFlag):
    """Flags of RPC_HEADER_EXT."""

    COMPRESSED = 0x0001
    XOR_MAGIC = 0x0002
    LAST = 0x0004


_KNOWN = HeaderFlags.COMPRESSED | HeaderFlags.XOR_MAGIC | HeaderFlags.LAST


class RpcHeaderExt(Record):
    """MS-OXCRPC 2.2.2.1. `size` counts the bytes that follow, `size_actual` those that they stand for."""

    version: Annotated[int, Const(0, U16)]
    flags: Annotated[HeaderFlags, Flags(HeaderFlags, U16)]
    size: UInt16
    size_actual: UInt16


class Wrapping(IntFlag):
    """What `pack` may do to payloads."""

    PLAIN = 0
    COMPRESS = 1
    OBFUSCATE = 2
    """Payloads that were not compressed are obfuscated; nobody reads those that were (3.1.4.2.1.1)."""


def unpack(data: bytes) -> list[bytes]:
    """The payloads of a buffer, which they fill. Raises DecodeError."""
    reader = Reader(data)
    payloads: list[bytes] = []
    last = False
    while not last:
        if len(payloads) == MAX_PAYLOADS:
            raise DecodeError(f"more than {MAX_PAYLOADS} payloads", reader.pos)
        header, payload = _read(reader)
        payloads.append(payload)
        last = HeaderFlags.LAST in header.flags
    reader.expect_end("buffer")
    return payloads


def _read(reader: Reader) -> tuple[RpcHeaderExt, bytes]:
    start = reader.pos
    header = RpcHeaderExt.decode(reader)
    compressed = HeaderFlags.COMPRESSED in header.flags
    if int(header.flags) & ~int(_KNOWN):
        raise DecodeError(f"flags 0x{header.flags:04X}", start + 2)
    if header.size_actual > MAX_PAYLOAD:
        raise DecodeError(f"a payload of {header.size_actual} bytes", start + 6)
    if header.size != header.size_actual and not (compressed and header.size < header.size_actual):
        raise DecodeError(f"{header.size} bytes for {header.size_actual}", start + 4)
    at = reader.pos
    payload = reader.take(header.size, "payload")
    if HeaderFlags.XOR_MAGIC in header.flags:  # first this, then the other: 3.1.4.2.1.1.1
        payload = lz77.obfuscate(payload)
    if compressed:
        try:
            payload = lz77.decompress(payload, header.size_actual)
        except DecodeError as error:
            raise error.shifted(at) from None
    return header, payload


def pack(payloads: Sequence[bytes], wrapping: Wrapping = Wrapping.PLAIN) -> bytes:
    """A buffer of payloads, at least one. Raises EncodeError for none, and for one that is too long."""
    if not payloads:
        raise EncodeError("a buffer without payload")
    writer = Writer()
    for number, payload in enumerate(payloads, 1):
        last = HeaderFlags.LAST if number == len(payloads) else HeaderFlags(0)
        _write(writer, payload, last, wrapping)
    return writer.getvalue()


def _write(writer: Writer, payload: bytes, flags: HeaderFlags, wrapping: Wrapping) -> None:
    if len(payload) > MAX_PAYLOAD:
        raise EncodeError(f"a payload of {len(payload)} bytes")
    body = payload
    if Wrapping.COMPRESS in wrapping and len(payload) >= COMPRESS_FROM:
        packed = lz77.compress(payload)
        if len(packed) < len(payload):
            flags |= HeaderFlags.COMPRESSED
            body = packed
    if Wrapping.OBFUSCATE in wrapping and HeaderFlags.COMPRESSED not in flags:
        flags |= HeaderFlags.XOR_MAGIC
        body = lz77.obfuscate(body)
    RpcHeaderExt(0, flags, len(body), len(payload)).encode(writer)
    writer.put(body)
