"""ID sets and change number sets (MS-OXCFXICS 2.2.2.4): sets of 48-bit counters for each replica.

`RangeSet` is a set of counters as sorted ranges that neither touch nor overlap. `IdSet` maps replicas to
range sets; a replica is a replica id (int, REPLID form) or a GUID (16 bytes, REPLGUID form), never both in
one set. A CNSET is an IdSet. Empty range sets are not kept: equal sets are equal and serialize equally.

The serializer chooses commands so that the result is as short as the command set allows for whole ranges; the
parser accepts every legal command sequence and refuses the rest with DecodeError (3.1.5.4.3.2).
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from appliance.mapi.ids import MAX_COUNTER, counter_of, make_id, replica_of
from appliance.wire.cursor import Reader, Writer
from appliance.wire.errors import DecodeError

COUNTER_SIZE = 6
PUSH_MAX, POP, BITMASK, RANGE, END = 0x06, 0x50, 0x42, 0x52, 0x00
BITMASK_PREFIX = 5
MAX_RANGES = 1 << 20
MAX_REPLICAS = 4096

Range = tuple[int, int]


class RangeSet:
    """A set of counters, kept as inclusive ranges."""

    __slots__ = ("_ranges",)

    def __init__(self, ranges: Iterable[Range] = ()) -> None:
        self._ranges = _normal(ranges)

    @classmethod
    def of(cls, values: Iterable[int]) -> "RangeSet":
        """The set of single counters."""
        return cls((value, value) for value in values)

    @property
    def ranges(self) -> tuple[Range, ...]:
        """The ranges, ascending, apart from each other."""
        return tuple(self._ranges)

    def __iter__(self) -> Iterator[int]:
        for low, high in self._ranges:
            yield from range(low, high + 1)

    def __len__(self) -> int:
        return sum(high - low + 1 for low, high in self._ranges)

    def __bool__(self) -> bool:
        return bool(self._ranges)

    def __contains__(self, value: int) -> bool:
        at = bisect_right(self._ranges, (value, MAX_COUNTER)) - 1
        return at >= 0 and self._ranges[at][1] >= value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RangeSet) and self._ranges == other._ranges

    def __hash__(self) -> int:
        return hash(tuple(self._ranges))

    def __repr__(self) -> str:
        return f"RangeSet({self._ranges})"

    def __or__(self, other: "RangeSet") -> "RangeSet":
        return RangeSet([*self._ranges, *other._ranges])

    def __and__(self, other: "RangeSet") -> "RangeSet":
        return RangeSet(_overlaps(self._ranges, other._ranges))

    def __sub__(self, other: "RangeSet") -> "RangeSet":
        return RangeSet(_rest(self._ranges, other._ranges))

    def __le__(self, other: "RangeSet") -> bool:
        return not self - other

    def add(self, low: int, high: int | None = None) -> None:
        """Adds a counter or a range in place; appending at the end is cheap."""
        high = low if high is None else high
        if not 0 <= low <= high <= MAX_COUNTER:
            raise ValueError(f"no range of counters: {low} to {high}")
        ranges = self._ranges
        if not ranges or low > ranges[-1][1] + 1:
            ranges.append((low, high))
            return
        if low == ranges[-1][1] + 1:
            ranges[-1] = (ranges[-1][0], high)
            return
        first = bisect_right(ranges, (low, MAX_COUNTER))
        if first and ranges[first - 1][1] >= low - 1:
            first -= 1
        last = first
        while last < len(ranges) and ranges[last][0] <= high + 1:
            low, high = min(low, ranges[last][0]), max(high, ranges[last][1])
            last += 1
        ranges[first:last] = [(low, high)]


def _normal(ranges: Iterable[Range]) -> list[Range]:
    merged: list[Range] = []
    for low, high in sorted(ranges):
        if not 0 <= low <= high <= MAX_COUNTER:
            raise ValueError(f"no range of counters: {low} to {high}")
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return merged


def _overlaps(left: list[Range], right: list[Range]) -> Iterator[Range]:
    i = j = 0
    while i < len(left) and j < len(right):
        low, high = max(left[i][0], right[j][0]), min(left[i][1], right[j][1])
        if low <= high:
            yield low, high
        if left[i][1] < right[j][1]:
            i += 1
        else:
            j += 1


def _rest(left: list[Range], right: list[Range]) -> Iterator[Range]:
    j = 0
    for first, last in left:
        low = first
        while j < len(right) and right[j][1] < low:
            j += 1
        at = j
        while at < len(right) and right[at][0] <= last:
            if right[at][0] > low:
                yield low, right[at][0] - 1
            low = max(low, right[at][1] + 1)
            at += 1
        if low <= last:
            yield low, last


def decode_globset(reader: Reader) -> RangeSet:
    """A GLOBSET (2.2.2.6) with its End command."""
    stack: list[bytes] = []
    ranges: list[Range] = []
    while True:
        at = reader.pos
        command = reader.u8("GLOBSET command")
        common = b"".join(stack)
        if command == END:
            if stack:
                raise DecodeError("GLOBSET ends with bytes on the stack", at)
            return RangeSet(ranges)
        if command <= PUSH_MAX:
            pushed = common + reader.take(command, "common bytes")
            if len(pushed) > COUNTER_SIZE:
                raise DecodeError(f"{len(pushed)} common bytes", at)
            if len(pushed) == COUNTER_SIZE:  # a single counter; these bytes leave by themselves
                value = int.from_bytes(pushed, "big")
                ranges.append((value, value))
            else:
                stack.append(pushed[len(common) :])
        elif command == POP:
            if not stack:
                raise DecodeError("Pop without common bytes", at)
            stack.pop()
        elif command == RANGE:
            ranges.append(_read_range(reader, common, at))
        elif command == BITMASK:
            ranges += _read_bitmask(reader, common, at)
        else:
            raise DecodeError(f"GLOBSET command 0x{command:02X}", at)
        if len(ranges) > MAX_RANGES:
            raise DecodeError(f"more than {MAX_RANGES} ranges", at)


def _read_range(reader: Reader, common: bytes, at: int) -> Range:
    size = COUNTER_SIZE - len(common)
    low = int.from_bytes(common + reader.take(size, "low value"), "big")
    high = int.from_bytes(common + reader.take(size, "high value"), "big")
    if low > high:
        raise DecodeError("a range that ends before it begins", at)
    return low, high


def _read_bitmask(reader: Reader, common: bytes, at: int) -> list[Range]:
    if len(common) != BITMASK_PREFIX:
        raise DecodeError(f"Bitmask with {len(common)} common bytes", at)
    start, mask = reader.u8("starting value"), reader.u8("bitmask")
    base = int.from_bytes(common + b"\0", "big")
    if start + mask.bit_length() > 0xFF:
        raise DecodeError("Bitmask past the last low byte", at)
    values = [start, *(start + 1 + bit for bit in range(8) if mask >> bit & 1)]
    return [(base + value, base + value) for value in values]


def encode_globset(ranges: RangeSet, writer: Writer) -> None:
    """A GLOBSET in as few bytes as whole ranges allow."""
    writer.buf += _encode_group(tuple((_bytes(low), _bytes(high)) for low, high in ranges.ranges), 0)
    writer.buf.append(END)


def _bytes(counter: int) -> bytes:
    return counter.to_bytes(COUNTER_SIZE, "big")


ByteRange = tuple[bytes, bytes]


def _common(group: tuple[ByteRange, ...]) -> int:
    """High-order bytes that all ends of the group share; the group is sorted."""
    low, high = group[0][0], group[-1][1]
    shared = 0
    while shared < COUNTER_SIZE and low[shared] == high[shared]:
        shared += 1
    return shared


def _encode_group(group: tuple[ByteRange, ...], on_stack: int) -> bytes:
    """Commands for the group while `on_stack` common bytes are on the stack, which they leave as it was."""
    if not group:
        return b""
    shared = _common(group)
    if shared == COUNTER_SIZE:
        return bytes([COUNTER_SIZE - on_stack]) + group[0][0][on_stack:]
    plain = _encode_parts(group, shared, on_stack)
    if shared == on_stack:
        return plain
    prefix = group[0][0][on_stack:shared]
    pushed = bytes([len(prefix)]) + prefix + _encode_parts(group, shared, shared) + bytes([POP])
    return pushed if len(pushed) < len(plain) else plain


def _encode_parts(group: tuple[ByteRange, ...], shared: int, on_stack: int) -> bytes:
    """The group's ranges, gathered by the first byte that they do not all share."""
    if on_stack == BITMASK_PREFIX:
        return _encode_low_bytes(tuple((low[-1], high[-1]) for low, high in group))
    if len(group) == 1:
        return _encode_range(group[0], on_stack)
    out, start = bytearray(), 0
    while start < len(group):
        key, end = group[start][0][shared], start
        if group[start][1][shared] != key:  # spans several values of that byte: alone
            out += _encode_range(group[start], on_stack)
            start += 1
            continue
        while end < len(group) and group[end][0][shared] == group[end][1][shared] == key:
            end += 1
        out += _encode_group(group[start:end], on_stack)
        start = end
    return bytes(out)


def _encode_range(item: ByteRange, on_stack: int) -> bytes:
    return bytes([RANGE]) + item[0][on_stack:] + item[1][on_stack:]


@lru_cache(maxsize=1024)
def _encode_low_bytes(ranges: tuple[tuple[int, int], ...]) -> bytes:
    """Ranges under five common bytes: singles, Range and Bitmask commands, the shortest mixture."""
    best: list[tuple[int, bytes]] = [(0, b"")] * (len(ranges) + 1)
    for i in range(len(ranges) - 1, -1, -1):
        low, high = ranges[i]
        alone = bytes([1, low]) if low == high else bytes([RANGE, low, high])
        choices = [(len(alone) + best[i + 1][0], alone, i + 1)]
        mask, end = 0, i
        while end < len(ranges) and ranges[end][1] - low <= 8:
            for value in range(max(ranges[end][0], low + 1), ranges[end][1] + 1):
                mask |= 1 << value - low - 1
            end += 1
            choices.append((3 + best[end][0], bytes([BITMASK, low, mask]), end))
        size, command, following = min(choices, key=lambda choice: choice[0])
        best[i] = (size, command + best[following][1])
    return best[0][1]


Replica = int | bytes


class IdSet:
    """An IDSET or CNSET: range sets by replica."""

    __slots__ = ("_sets",)

    def __init__(self, sets: Mapping[Replica, RangeSet] | None = None) -> None:
        self._sets: dict[Replica, RangeSet] = {
            replica: RangeSet(ranges.ranges) for replica, ranges in (sets or {}).items() if ranges
        }

    @classmethod
    def of_ids(cls, ids: Iterable[int]) -> "IdSet":
        """The set of FIDs, MIDs or CNs (replica id << 48 | counter)."""
        counters: dict[int, list[int]] = {}
        for short_id in ids:
            counters.setdefault(replica_of(short_id), []).append(counter_of(short_id))
        return cls({replica: RangeSet.of(values) for replica, values in counters.items()})

    def ids(self) -> Iterator[int]:
        """The IDs of a set in REPLID form, ascending."""
        for replica, ranges in self.items():
            if not isinstance(replica, int):
                raise TypeError("a set by GUID has no short ids")
            for counter in ranges:
                yield make_id(replica, counter)

    def items(self) -> list[tuple[Replica, RangeSet]]:
        """Replicas and their sets in the order of serialization (2.2.2.4.1, 2.2.2.4.2)."""
        return sorted(self._sets.items(), key=lambda item: item[0])

    def get(self, replica: Replica) -> RangeSet:
        """The set of one replica, empty when there is none. A copy."""
        found = self._sets.get(replica)
        return RangeSet() if found is None else RangeSet(found.ranges)

    def contains(self, replica: Replica, counter: int) -> bool:
        """Whether the replica's counter is in the set."""
        found = self._sets.get(replica)
        return found is not None and counter in found

    def add(self, replica: Replica, low: int, high: int | None = None) -> None:
        """Adds a counter or a range in place."""
        found = self._sets.get(replica)
        if found is None:
            found = self._sets[replica] = RangeSet()
        found.add(low, high)

    def __bool__(self) -> bool:
        return bool(self._sets)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, IdSet) and self._sets == other._sets

    def __hash__(self) -> int:
        return hash(frozenset(self._sets.items()))

    def __repr__(self) -> str:
        return f"IdSet({dict(self.items())})"

    def __or__(self, other: "IdSet") -> "IdSet":
        return IdSet(
            {replica: self.get(replica) | other.get(replica) for replica in {*self._sets, *other._sets}}
        )

    def __and__(self, other: "IdSet") -> "IdSet":
        return IdSet({replica: ranges & other.get(replica) for replica, ranges in self._sets.items()})

    def __sub__(self, other: "IdSet") -> "IdSet":
        return IdSet({replica: ranges - other.get(replica) for replica, ranges in self._sets.items()})

    def __le__(self, other: "IdSet") -> bool:
        return not self - other

    def mapped(self, replicas: Mapping[Replica, Replica]) -> "IdSet":
        """The set with replica ids for GUIDs or the other way round. KeyError for one without counterpart."""
        sets: dict[Replica, RangeSet] = {}
        for replica, ranges in self._sets.items():
            target = replicas[replica]
            sets[target] = sets.get(target, RangeSet()) | ranges
        return IdSet(sets)

    def pack(self) -> bytes:
        """The serialized set, in the form of its replicas."""
        writer = Writer()
        for replica, ranges in self.items():
            if isinstance(replica, int):
                writer.u16(replica, "REPLID")
            else:
                writer.buf += replica
            encode_globset(ranges, writer)
        return writer.getvalue()

    @classmethod
    def parse(cls, data: bytes, by_guid: bool) -> "IdSet":
        """A set in REPLGUID form (`by_guid`) or REPLID form that fills the data. Replicas may repeat."""
        reader = Reader(data)
        found: dict[Replica, list[Range]] = {}
        while reader.remaining:
            at = reader.pos
            replica: Replica = reader.take(16, "REPLGUID") if by_guid else reader.u16("REPLID")
            found.setdefault(replica, []).extend(decode_globset(reader)._ranges)
            if len(found) > MAX_REPLICAS:
                raise DecodeError(f"more than {MAX_REPLICAS} replicas", at)
        return cls({replica: RangeSet(ranges) for replica, ranges in found.items()})
