"""Decompression of payloads, written from the specification alone (LZ77 with DIRECT2 encoding).

A mask of 32 bits, its highest first, says for each of 32 symbols whether a literal byte (0) or a match (1)
follows. A match is 16 bits: 13 bits of distance less one, 3 bits of length less three; the length grows by
half a byte (shared by two matches), by a byte, by 16 bits. MS-OXCRPC 3.1.4.1.1.2.
"""

import struct

_INLINE = 7
_NIBBLE = 15
_BYTE = 255


class _Input:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0
        self.nibble: int | None = None  # where the byte lies whose high half is still to be used

    def number(self, layout: str) -> int:
        (value,) = struct.unpack_from(layout, self.data, self.at)
        self.at += struct.calcsize(layout)
        return int(value)

    def length(self, inline: int) -> int:
        """The length of a match: MS-OXCRPC 3.1.4.1.1.2.2.4."""
        if inline < _INLINE:
            return inline + 3
        if self.nibble is None:
            self.nibble = self.at
            more = self.number("<B") & 15
        else:
            more, self.nibble = self.data[self.nibble] >> 4, None
        if more < _NIBBLE:
            return more + _INLINE + 3
        more = self.number("<B")
        if more < _BYTE:
            return more + _NIBBLE + _INLINE + 3
        return self.number("<H") + 3


def decompress(data: bytes, size: int) -> bytes:
    """The `size` bytes that `data` stands for; AssertionError when it holds less, or more."""
    source, out = _Input(data), bytearray()
    mask, bits = 0, 0
    while len(out) < size:
        if not bits:
            mask, bits = source.number("<I"), 32
        bits -= 1
        if mask >> bits & 1:
            symbol = source.number("<H")
            distance, length = (symbol >> 3) + 1, source.length(symbol & 7)
            assert distance <= len(out), "a match reaches back before the beginning"
            for _ in range(length):
                out.append(out[-distance])
        else:
            out.append(source.number("<B"))
    assert len(out) == size, "a match reaches over the end"
    # A new bit mask may have been begun with the last symbol of the one before.
    assert source.at == len(data) or (not bits and source.at + 4 == len(data)), (
        "compressed bytes are left over"
    )
    return bytes(out)
