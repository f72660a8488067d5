"""The readable twin of native/lz77: the same bytes, the same errors at the same offsets.

A stream is groups of 32 items behind a word of flags, the highest bit first: 0 is a literal byte, 1 a match
of 13 bits of offset and 3 of length, with more length in a shared half byte, a byte, 2 bytes or 4 (MS-XCA
2.3.4). The flags after the last item are ones.
"""

from appliance.formats.lz77.problems import LENGTH, LONG, OFFSET, PROBLEMS, REST, SHORT
from appliance.wire.errors import DecodeError

WINDOW = 8192
"""Bytes that an offset reaches back."""

CHAIN = 16
"""Candidates looked at for a match."""

MIN = 3
_HASH_BITS = 12
_MAGIC = 0xA5


def obfuscate(data: bytes) -> bytes:
    """MS-OXCRPC 3.1.4.1.1.3: XOR with 0xA5, which is its own inverse."""
    return bytes(byte ^ _MAGIC for byte in data)


class _Reader:
    """The input, with the byte whose other half is still to be used."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0
        self.half: int | None = None

    def number(self, size: int) -> int:
        """The next bytes, little-endian."""
        end = self.at + size
        if end > len(self.data):
            raise DecodeError(PROBLEMS[SHORT], self.at)
        value = int.from_bytes(self.data[self.at : end], "little")
        self.at = end
        return value

    def length(self, low: int) -> int:
        """The length of a match that begins with the three bits `low` (MS-XCA 2.4.4)."""
        if low < 7:
            return low + MIN
        if self.half is None:
            self.half = self.at
            more = self.number(1) & 15
        else:
            more, self.half = self.data[self.half] >> 4, None
        if more == 15:
            more += self._long()
        return more + 7 + MIN

    def _long(self) -> int:
        value = self.number(1)
        if value < 255:
            return value
        begin = self.at
        value = self.number(2) or self.number(4)
        if value < 22:
            raise DecodeError(PROBLEMS[LENGTH], begin)
        return value - 22


def decompress(data: bytes, size: int) -> bytes:
    """The `size` bytes that `data` stands for. Raises DecodeError."""
    reader, out = _Reader(data), bytearray()
    flags = left = 0
    while len(out) < size:
        if left == 0:
            flags, left = reader.number(4), 32
        left -= 1
        start = reader.at
        if not flags >> left & 1:
            out.append(reader.number(1))
            continue
        meta = reader.number(2)
        length, offset = reader.length(meta & 7), (meta >> 3) + 1
        if offset > len(out):
            raise DecodeError(PROBLEMS[OFFSET], start)
        if length > size - len(out):
            raise DecodeError(PROBLEMS[LONG], start)
        for _ in range(length):
            out.append(out[-offset])
    rest = len(data) - reader.at
    if rest and not (left == 0 and rest == 4):  # flags for items that do not come may follow
        raise DecodeError(PROBLEMS[REST], reader.at)
    return bytes(out)


class _Packer:
    """The output, with the open group of flags."""

    def __init__(self) -> None:
        self.out = bytearray()
        self.half: int | None = None
        self._open()

    def _open(self) -> None:
        self._place, self._flags, self._count = len(self.out), 0, 0
        self.out += bytes(4)

    def flag(self, flag: int) -> None:
        """Note what the item is that was just written."""
        self._flags = self._flags << 1 | flag
        self._count += 1
        if self._count == 32:
            self._close()
            self._open()

    def _close(self) -> None:
        unused = 32 - self._count
        flags = self._flags << unused | ((1 << unused) - 1)
        self.out[self._place : self._place + 4] = flags.to_bytes(4, "little")

    def match(self, offset: int, length: int) -> None:
        """Write a match (MS-XCA 2.3.4)."""
        rest = length - MIN
        self.out += ((offset - 1) << 3 | min(rest, 7)).to_bytes(2, "little")
        if rest >= 7:
            nibble = min(rest - 7, 15)
            if self.half is None:
                self.half = len(self.out)
                self.out.append(nibble)
            else:
                self.out[self.half] |= nibble << 4
                self.half = None
            if nibble == 15:
                self._long(rest)
        self.flag(1)

    def _long(self, rest: int) -> None:
        if rest - 22 < 255:
            self.out.append(rest - 22)
            return
        self.out.append(255)
        if rest <= 0xFFFF:
            self.out += rest.to_bytes(2, "little")
        else:
            self.out += bytes(2) + rest.to_bytes(4, "little")

    def finish(self) -> bytes:
        """The whole stream."""
        self._close()
        return bytes(self.out)


class _Chains:
    """Where the same three bytes (or others of the same hash) stood before, the nearest first."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._head: dict[int, int] = {}
        self._before: list[int | None] = [None] * WINDOW

    def _hash(self, at: int) -> int:
        value = int.from_bytes(self._data[at : at + 3], "little")
        return (value * 2654435761 & 0xFFFFFFFF) >> (32 - _HASH_BITS)

    def remember(self, at: int) -> None:
        """The position may be found from now on."""
        if len(self._data) - at >= MIN:
            key = self._hash(at)
            self._before[at % WINDOW] = self._head.get(key)
            self._head[key] = at

    def find(self, at: int) -> tuple[int, int] | None:
        """(offset, length) of the longest match, of equal ones the nearest."""
        most = len(self._data) - at
        if most < MIN:
            return None
        best, offset = 0, 0
        place = self._head.get(self._hash(at))
        for _ in range(CHAIN):
            if place is None or at - place > WINDOW:
                break
            length = self._common(place, at, most)
            if length > best:
                best, offset = length, at - place
            if best == most:
                break
            place = self._before[place % WINDOW]
        return (offset, best) if best >= MIN else None

    def _common(self, place: int, at: int, most: int) -> int:
        count = 0
        while count < most and self._data[place + count] == self._data[at + count]:
            count += 1
        return count


def compress(data: bytes) -> bytes:
    """`data` compressed; it may grow by an eighth where nothing repeats."""
    packer, chains, at = _Packer(), _Chains(data), 0
    while at < len(data):
        found = chains.find(at)
        if found is None:
            length = 1
            packer.out.append(data[at])
            packer.flag(0)
        else:
            length = found[1]
            packer.match(*found)
        for place in range(at, at + length):
            chains.remember(place)
        at += length
    return packer.finish()
