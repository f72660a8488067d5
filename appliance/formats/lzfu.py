"""Compressed RTF, what PidTagRtfCompressed holds (MS-OXRTFCP): LZFu, or MELA, which is not compressed at all.

    rtf = decompress(data)      # DecodeError for damaged bytes
    data = compress(rtf)        # LZFu
    data = store(rtf)           # MELA

A stream is a header of 16 bytes (size of what follows, size of the RTF, kind, checksum), then runs: a byte
of flags, lowest bit first, and eight items, each a literal byte or a reference of two bytes into a dictionary
of 4096, which goes round and begins with words that RTF is full of. A reference to the place that is written
next ends the stream (2.2.2).

Python alone: the server itself writes MELA, and a client's LZFu of some kilobytes is read in milliseconds.
"""

import struct
import zlib
from typing import Final

from appliance.wire.errors import DecodeError, EncodeError

MAX_RTF: Final = 64 << 20
"""Bytes of RTF, at most."""

_HEADER = struct.Struct("<IIII")  # COMPSIZE, RAWSIZE, COMPTYPE, CRC
_COMPRESSED, _STORED = 0x75465A4C, 0x414C454D
_BEHIND_SIZE = 12
"""Bytes of the header that COMPSIZE counts."""

WINDOW: Final = 4096
_MASK = WINDOW - 1
LONGEST: Final = 17
SHORTEST: Final = 2
CHAIN = 24
"""Places that are looked at for a match."""

PRELOAD: Final = (  # MS-OXRTFCP 2.1.3.1.2
    b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript "
    b"\\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par "
    b"\\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx"
)


def checksum(data: bytes) -> int:
    """CRC-32 without the inversions at both ends (MS-OXRTFCP 2.1.3.2)."""
    return zlib.crc32(data, 0xFFFF_FFFF) ^ 0xFFFF_FFFF


def decompress(data: bytes) -> bytes:
    """The RTF in a stream. Raises DecodeError."""
    if len(data) < _HEADER.size:
        raise DecodeError(f"compressed RTF: a header of {_HEADER.size} bytes needed", len(data))
    size, raw_size, kind, crc = _HEADER.unpack_from(data)
    if size != len(data) - 4:
        raise DecodeError(f"compressed RTF: its size is {size}, {len(data) - 4} bytes are there", 0)
    if raw_size > MAX_RTF:
        raise DecodeError(f"compressed RTF: more than {MAX_RTF} bytes", 4)
    if kind == _STORED:
        return data[_HEADER.size : _HEADER.size + raw_size]
    if kind != _COMPRESSED:
        raise DecodeError("compressed RTF: of an unknown kind", 8)
    if checksum(data[_HEADER.size :]) != crc:
        raise DecodeError("compressed RTF: a wrong checksum", 12)
    return _expand(data)


def _expand(data: bytes) -> bytes:
    """The runs behind the header. The dictionary is the tail of what was written, preload included."""
    out = bytearray(PRELOAD)
    at, end = _HEADER.size, len(data)
    while at < end:
        flags = data[at]
        at += 1
        for bit in range(8):
            if at >= end:
                return bytes(out[len(PRELOAD) :])  # observed: streams without their end
            if not flags >> bit & 1:
                out.append(data[at])
                at += 1
                continue
            if at + 2 > end:
                raise DecodeError("compressed RTF: a reference is cut short", at)
            word = data[at] << 8 | data[at + 1]
            back = (len(out) - (word >> 4)) & _MASK
            if not back:
                return bytes(out[len(PRELOAD) :])
            _copy(out, back, (word & 15) + SHORTEST)
            at += 2
            if len(out) > MAX_RTF:
                raise DecodeError(f"compressed RTF: more than {MAX_RTF} bytes", at)
    return bytes(out[len(PRELOAD) :])


def _copy(out: bytearray, back: int, length: int) -> None:
    """Append what stands `back` bytes before the end, as often as needed. The dictionary is zeros where
    nothing was written yet."""
    start = len(out) - back
    if start < 0:
        unwritten = min(-start, length)
        out += bytes(unwritten)
        length -= unwritten
        start = 0
    while length > 0:
        piece = out[start : start + length]
        out += piece
        start += len(piece)
        length -= len(piece)


def store(rtf: bytes) -> bytes:
    """A stream that holds the RTF as it is. Raises EncodeError past MAX_RTF."""
    _check(rtf)
    return _HEADER.pack(len(rtf) + _BEHIND_SIZE, len(rtf), _STORED, 0) + rtf


def compress(rtf: bytes) -> bytes:
    """A stream that takes about a third of the room. Raises EncodeError past MAX_RTF."""
    _check(rtf)
    body = _squeeze(rtf)
    return _HEADER.pack(len(body) + _BEHIND_SIZE, len(rtf), _COMPRESSED, checksum(body)) + body


def _check(rtf: bytes) -> None:
    if len(rtf) > MAX_RTF:
        raise EncodeError(f"RTF of more than {MAX_RTF} bytes")


def _squeeze(rtf: bytes) -> bytes:
    data = PRELOAD + rtf
    places: dict[bytes, list[int]] = {}
    for at in range(len(PRELOAD) - 1):
        places.setdefault(data[at : at + SHORTEST], []).append(at)
    items: list[bytes] = []
    at, indexed = len(PRELOAD), len(PRELOAD) - 1
    while at < len(data):
        while indexed < at:
            places.setdefault(data[indexed : indexed + SHORTEST], []).append(indexed)
            indexed += 1
        start, length = _longest(data, at, places.get(data[at : at + SHORTEST]))
        if length < SHORTEST:
            items.append(data[at : at + 1])
            at += 1
        else:
            items.append(_reference(start, length))
            at += length
    items.append(_reference(at, SHORTEST))
    return _runs(items)


def _longest(data: bytes, at: int, places: list[int] | None) -> tuple[int, int]:
    """Where the longest match of what stands at `at` begins, and its length."""
    best, length = 0, 0
    if places is None:
        return best, length
    most = min(LONGEST, len(data) - at)
    for start in reversed(places[-CHAIN:]):
        if at - start >= WINDOW:
            break
        same = SHORTEST
        while same < most and data[start + same] == data[at + same]:
            same += 1
        if same > length:
            best, length = start, same
            if same == most:
                break
    if len(places) > 2 * CHAIN:
        del places[:-CHAIN]
    return best, min(length, most)


def _reference(start: int, length: int) -> bytes:
    return ((start & _MASK) << 4 | length - SHORTEST).to_bytes(2, "big")


def _runs(items: list[bytes]) -> bytes:
    out = bytearray()
    for at in range(0, len(items), 8):
        run = items[at : at + 8]
        out.append(sum(1 << bit for bit, item in enumerate(run) if len(item) == 2))
        out += b"".join(run)
    return bytes(out)
