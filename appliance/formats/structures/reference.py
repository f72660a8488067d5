"""The readable twin of native/structures: the same bytes, the same errors at the same offsets.

The block is LZ4's: sequences of a token (half a byte each for the number of literals and the length of the
match less 4; 15 means that bytes follow which are added, up to one that is not 255), the literals, and two
bytes of how far back the match begins. A block ends in literals: at least 5, and no match begins in its last
12 bytes.

The compressor looks at DEPTH earlier places with the same hash, the nearest first and those of the data
before the dictionary's, and notes the longest match at each place; then it chooses backwards from the end the
cheapest way through.
"""

import re
from collections.abc import Iterator

from appliance.formats.structures.layout import (
    FORM,
    HEAD,
    LONG,
    MOST,
    OFFSET,
    PROBLEMS,
    REST,
    SHORT,
    SUBJECT,
    Piece,
    Verdict,
    header,
)
from appliance.wire.errors import DecodeError

DICTIONARY_MOST = 65535
HASH_BITS = 16
INSIDE_BITS = 12
DEPTH = 8
NICE = 32
_MIN_MATCH = 4
_LAST_LITERALS = 5
_LAST_MATCH = 12
_MATCH_COST = 3
_CLOSE_LENGTHS = 32

Rows = list[bytes | None]


def _hash(text: bytes, at: int, bits: int) -> int:
    return int.from_bytes(text[at : at + 4], "little") * 2654435761 % (1 << 32) >> (32 - bits)


class Codec:
    """As `structures.Codec`."""

    def __init__(self, dictionary: bytes) -> None:
        if len(dictionary) > DICTIONARY_MOST:
            raise OverflowError("a dictionary is at most 65535 bytes long")
        self._dictionary = dictionary
        self._places: dict[int, list[int]] = {}
        for at in range(len(dictionary) - _MIN_MATCH + 1):
            self._places.setdefault(_hash(dictionary, at, HASH_BITS), []).append(at)

    def pack(self, pieces: tuple[bytes, bytes, bytes]) -> bytes:
        """As `structures.Codec.pack`."""
        return header(pieces) + self.compress(b"".join(pieces))

    def compress(self, data: bytes) -> bytes:
        """As `structures.Codec.compress`."""
        if len(data) > MOST:
            raise OverflowError("a block is at most 32768 bytes long")
        matches = self._matches(data)
        chosen = _choose(len(data), matches)
        out = bytearray()
        at = literals = 0
        while at < len(data):
            length = chosen[at]
            if not length:
                at += 1
                continue
            out += _sequence(data[literals:at], length, matches[at][1])
            at += length
            literals = at
        return bytes(out + _sequence(data[literals:], 0, 0))

    def _matches(self, data: bytes) -> list[tuple[int, int]]:
        """(length, how far back) of the best match at each place; (0, 0) for none."""
        text, base = self._dictionary + data, len(self._dictionary)
        inside: dict[int, list[int]] = {}
        found = [(0, 0)] * (len(data) + 1)
        skip = 0
        for at in range(base, len(text) - _LAST_MATCH + 1):
            number = _hash(text, at, INSIDE_BITS)
            if skip:
                skip -= 1
            else:
                places = [
                    *inside.get(number, ())[::-1],
                    *self._places.get(_hash(text, at, HASH_BITS), ())[::-1],
                ]
                found[at - base] = _longest(text, at, places[:DEPTH])
            if found[at - base][0] >= NICE:
                skip = found[at - base][0] - 1
            inside.setdefault(number, []).append(at)
        return found

    def decompress(self, block: bytes, size: int, wanted: int | None = None) -> bytes:
        """As `structures.Codec.decompress`."""
        wanted = size if wanted is None else wanted
        if not 0 <= wanted <= size <= MOST:
            raise OverflowError("a block is at most 32768 bytes long")
        text, base = bytearray(self._dictionary), len(self._dictionary)
        at = 0
        while True:
            start = at
            if at >= len(block):
                raise DecodeError(PROBLEMS[SHORT], start)
            token, at = block[at], at + 1
            count, at = _length(block, at, token >> 4, start)
            if count > len(block) - at:
                raise DecodeError(PROBLEMS[SHORT], start)
            if count > size - (len(text) - base):
                raise DecodeError(PROBLEMS[LONG], start)
            text += block[at : at + count]
            if len(text) - base >= wanted and wanted < size:
                break
            at += count
            if len(text) - base == size:
                if at != len(block):
                    raise DecodeError(PROBLEMS[REST], at)
                break
            place = at
            if len(block) - at < 2:
                raise DecodeError(PROBLEMS[SHORT], place)
            offset = int.from_bytes(block[at : at + 2], "little")
            if not 0 < offset <= len(text):
                raise DecodeError(PROBLEMS[OFFSET], place)
            length, at = _length(block, at + 2, token & 15, place)
            length += _MIN_MATCH
            if length >= size - (len(text) - base):
                raise DecodeError(PROBLEMS[LONG], start)  # a block ends in literals
            for _ in range(length):
                text.append(text[-offset])
            if len(text) - base >= wanted:
                break
        return bytes(text[base : base + wanted])

    def pieces(self, rows: Rows, piece: Piece) -> Rows:
        """As `structures.Codec.pieces`."""
        return [None if row is None or row[:1] != bytes([FORM]) else self._piece(row, piece) for row in rows]

    def _piece(self, row: bytes, piece: Piece) -> bytes:
        at, lengths = 1, []
        for _ in Piece:
            length, at = _varint(row, at)
            lengths.append(length)
            if sum(lengths) > MOST:
                raise DecodeError(PROBLEMS[HEAD], at)
        start, stop = sum(lengths[:piece]), sum(lengths[: piece + 1])
        try:
            return self.decompress(row[at:], sum(lengths), stop)[start:]
        except DecodeError as error:
            raise DecodeError(error.what, at + (error.offset or 0)) from None

    def judge(self, rows: Rows, member: int, key: bytes) -> bytes:
        """As `structures.Codec.judge`."""
        return bytes(self._judge(row, member, key) for row in rows)

    def _judge(self, row: bytes | None, member: int, key: bytes) -> Verdict:
        try:
            (envelope,) = self.pieces([row], Piece.ENVELOPE)
        except DecodeError:
            return Verdict.UNKNOWN
        shown = _shown(envelope, member) if envelope is not None else None
        if shown is None or b"=?" in shown or not all(0x20 <= byte <= 0x7E for byte in shown):
            return Verdict.UNKNOWN
        return Verdict.YES if key in shown.lower() else Verdict.NO


def _longest(text: bytes, at: int, places: list[int]) -> tuple[int, int]:
    most = len(text) - _LAST_LITERALS - at
    best = (_MIN_MATCH - 1, 0)
    for place in places:
        if at - place > DICTIONARY_MOST:
            break
        length = 0
        while length < most and text[at + length] == text[place + length]:
            length += 1
        if length > best[0]:
            best = length, at - place
            if length >= NICE or length == most:
                break
    return best if best[1] else (0, 0)


def _choose(size: int, matches: list[tuple[int, int]]) -> list[int]:
    """The length of the match to take at each place, 0 for a literal."""
    cost = [0] * (size + 1)
    chosen = [0] * (size + 1)
    for at in range(size - 1, -1, -1):
        cost[at] = 1 + cost[at + 1]
        for length in _lengths(matches[at][0]):
            with_it = _MATCH_COST + _length_cost(length) + cost[at + length]
            if with_it < cost[at]:
                cost[at], chosen[at] = with_it, length
    return chosen


def _lengths(longest: int) -> Iterator[int]:
    if longest >= _MIN_MATCH:
        yield longest
        yield from range(min(longest - 1, _CLOSE_LENGTHS), _MIN_MATCH - 1, -1)


def _length_cost(length: int) -> int:
    return 0 if length < 15 + _MIN_MATCH else 1 + (length - 15 - _MIN_MATCH) // 255


def _sequence(literals: bytes, length: int, offset: int) -> bytes:
    count, more = len(literals), max(0, length - _MIN_MATCH)
    out = bytearray([min(count, 15) << 4 | min(more, 15)])
    out += _more(count) + literals
    if length:
        out += offset.to_bytes(2, "little") + _more(more)
    return bytes(out)


def _more(number: int) -> bytes:
    return b"" if number < 15 else b"\xff" * ((number - 15) // 255) + bytes([(number - 15) % 255])


def _length(block: bytes, at: int, length: int, start: int) -> tuple[int, int]:
    if length < 15:
        return length, at
    while True:
        if at >= len(block):
            raise DecodeError(PROBLEMS[SHORT], start)
        length, at = length + block[at], at + 1
        if block[at - 1] < 255:
            return length, at


def _varint(row: bytes, at: int) -> tuple[int, int]:
    start, value, shift = at, 0, 0
    while True:
        if at >= len(row) or (shift == 63 and row[at] > 1):
            raise DecodeError(PROBLEMS[HEAD], start)
        value |= (row[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if row[at - 1] < 0x80:
            return value, at


_TOKEN = re.compile(rb'NIL|"((?:[^"\\]|\\.)*)"|\{([0-9]{1,5})\}\r\n|\(', re.DOTALL)
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
_Item = bytes | None | list["_Item"]


def _shown(envelope: bytes, member: int) -> bytes | None:
    """A member of an envelope as it is shown; None where that cannot be said."""
    try:
        if envelope[:1] != b"(":
            raise ValueError(envelope)
        at, item = 1, None
        for index in range(member + 1):
            if index:
                at = _expect(envelope, at, b" ")
            item, at = _item(envelope, at)
        if member == SUBJECT:
            return None if isinstance(item, list) else item or b""
        return _addresses(item)
    except (ValueError, RecursionError):
        return None


def _expect(envelope: bytes, at: int, text: bytes) -> int:
    if not envelope.startswith(text, at):
        raise ValueError(at)
    return at + len(text)


def _item(envelope: bytes, at: int) -> tuple[_Item, int]:
    match = _TOKEN.match(envelope, at)
    if match is None:
        raise ValueError(at)
    at = match.end()
    if match[1] is not None:
        return _ESCAPED.sub(rb"\1", match[1]), at
    if match[2] is not None:
        end = at + int(match[2])
        if end > len(envelope):
            raise ValueError(at)
        return envelope[at:end], end
    if match[0] == b"NIL":
        return None, at
    items: list[_Item] = []
    while not envelope.startswith(b")", at):
        if envelope.startswith(b" ", at):
            at += 1
        item, at = _item(envelope, at)
        items.append(item)
    return items, at + 1


def _addresses(item: _Item) -> bytes | None:
    if item is None:
        return b""
    shown: list[bytes] = []
    for address in item if isinstance(item, list) else [item]:
        if not isinstance(address, list) or len(address) != 4:
            raise ValueError(address)
        name, _, mailbox, host = address
        if not isinstance(mailbox, bytes) or not isinstance(host, bytes) or isinstance(name, list):
            return None
        shown.append((name + b" " if name else b"") + b"<" + mailbox + b"@" + host + b">")
    return b", ".join(shown)
