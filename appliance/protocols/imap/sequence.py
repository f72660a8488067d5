"""Sequence sets: sorted, disjoint ranges; never expanded, whatever a client names.

`*` is kept as the number STAR until `resolve` is given the greatest number in use (RFC 9051 9, seq-number).
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from appliance.protocols.imap.errors import Bad
from appliance.protocols.imap.limits import MAX_SET_RANGES

MAX_NUMBER = 0xFFFFFFFF
STAR = MAX_NUMBER + 1
"""Stands for `*`: greater than every number that a client can write."""

_RANGE = re.compile(rb"(\*|[1-9][0-9]{0,9})(?::(\*|[1-9][0-9]{0,9}))?\Z")
Range = tuple[int, int]


@dataclass(frozen=True, slots=True)
class SequenceSet:
    """A set as the client wrote it: ranges low to high in the client's order. `saved` is `$` (RFC 5182)."""

    ranges: tuple[Range, ...]
    saved: bool = False

    @property
    def star(self) -> bool:
        """Whether `*` occurs."""
        return any(high == STAR for _, high in self.ranges)

    @property
    def highest(self) -> int:
        """The greatest number named, `*` apart; 0 when there is none."""
        return max((n for pair in self.ranges for n in pair if n != STAR), default=0)

    def resolve(self, greatest: int) -> "Ranges":
        """Sorted, merged ranges, with `*` as `greatest` (RFC 9051 9: "4:*" with * = 3 is 3:4)."""
        pairs = []
        for low, high in self.ranges:
            low = greatest if low == STAR else low
            high = greatest if high == STAR else high
            if high and low:
                pairs.append((low, high) if low <= high else (high, low))
        return Ranges(pairs)


def _number(raw: bytes) -> int:
    if raw == b"*":
        return STAR
    value = int(raw)
    if value > MAX_NUMBER:
        raise Bad("A number of the set is too big.")
    return value


def parse(raw: bytes) -> SequenceSet:
    """A set in its written form. Raises Bad."""
    if raw == b"$":
        return SequenceSet((), saved=True)
    pieces = raw.split(b",")
    if len(pieces) > MAX_SET_RANGES:
        raise Bad("The set has too many ranges.")
    ranges = []
    for piece in pieces:
        match = _RANGE.match(piece)
        if not match:
            raise Bad("The set is malformed.")
        low = _number(match[1])
        high = _number(match[2]) if match[2] else low
        ranges.append((low, high) if low <= high else (high, low))
    return SequenceSet(tuple(ranges))


class Ranges:
    """An immutable set of numbers as sorted, disjoint, non-adjacent ranges."""

    __slots__ = ("_lows", "pairs")

    def __init__(self, pairs: Iterable[Range] = ()) -> None:
        merged: list[Range] = []
        for low, high in sorted(pairs):
            if merged and low <= merged[-1][1] + 1:
                if high > merged[-1][1]:
                    merged[-1] = (merged[-1][0], high)
            else:
                merged.append((low, high))
        self.pairs = merged
        self._lows = [low for low, _ in merged]

    @classmethod
    def of(cls, numbers: Iterable[int]) -> "Ranges":
        """The set of these numbers."""
        return cls((n, n) for n in numbers)

    def __contains__(self, number: int) -> bool:
        index = bisect_right(self._lows, number) - 1
        return index >= 0 and number <= self.pairs[index][1]

    def __bool__(self) -> bool:
        return bool(self.pairs)

    def __iter__(self) -> Iterator[int]:
        for low, high in self.pairs:
            yield from range(low, high + 1)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Ranges) and self.pairs == other.pairs

    def __hash__(self) -> int:
        return hash(tuple(self.pairs))

    def __repr__(self) -> str:
        return f"Ranges({self.pairs!r})"

    @property
    def count(self) -> int:
        """How many numbers it holds."""
        return sum(high - low + 1 for low, high in self.pairs)

    def clip(self, low: int, high: int) -> "Ranges":
        """What of it lies in low..high."""
        return Ranges((max(a, low), min(b, high)) for a, b in self.pairs if a <= high and b >= low)

    def without(self, numbers: list[int]) -> "Ranges":
        """Without these numbers, which are sorted."""
        pairs: list[Range] = []
        for low, high in self.pairs:
            for number in numbers[bisect_left(numbers, low) : bisect_right(numbers, high)]:
                if low < number:
                    pairs.append((low, number - 1))
                low = number + 1
            if low <= high:
                pairs.append((low, high))
        return Ranges(pairs)


def render(pairs: Iterable[Range]) -> bytes:
    """Ranges as a sequence set; the empty set is the empty string."""
    return b",".join(b"%d" % a if a == b else b"%d:%d" % (a, b) for a, b in pairs)


def compress(numbers: Iterable[int]) -> bytes:
    """Numbers in the given order as a set: runs that ascend by one become ranges (UIDPLUS keeps order)."""
    pairs: list[Range] = []
    for number in numbers:
        if pairs and number == pairs[-1][1] + 1:
            pairs[-1] = (pairs[-1][0], number)
        else:
            pairs.append((number, number))
    return render(pairs)
