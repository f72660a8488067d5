"""IDSETs read and written by this project's second, independent hand (MS-OXCFXICS 2.2.2.4 to 2.2.2.6).

A set of counters is a list of ranges (low, high), ascending and apart. `read_*` fail on everything that the
specification does not allow a server to send.
"""

import struct

from tests.conformance.wire import Reader

Ranges = list[tuple[int, int]]


def read_globset(reader: Reader) -> Ranges:
    """A serialized GLOBSET. MS-OXCFXICS 3.1.5.4.3.2."""
    stack: list[bytes] = []
    found: Ranges = []

    def add(low: int, high: int) -> None:
        assert low <= high, "R214: a range runs upwards"
        assert not found or low > found[-1][1] + 1, "R1936, R1937: ascending, and neighbours are one range"
        assert low > 0, "no id has the counter 0"
        found.append((low, high))

    while True:
        command = reader.u8()
        common = b"".join(stack)
        if command == 0x00:
            assert not stack, "R1992: the stack is empty at the end"
            return found
        if command == 0x50:
            assert stack, "R1966: nothing to pop"
            stack.pop()
        elif 1 <= command <= 6:
            stack.append(reader.take(command))
            common = b"".join(stack)
            assert len(common) <= 6, "more than six bytes"
            if len(common) == 6:  # R1958 to R1960
                add(int.from_bytes(common, "big"), int.from_bytes(common, "big"))
                stack.pop()
        elif command == 0x42:
            assert len(common) == 5, "R1970: five bytes are in common"
            first, mask = reader.u8(), reader.u8()
            lows = [first] + [first + 1 + bit for bit in range(8) if mask >> bit & 1]
            assert lows[-1] <= 0xFF
            base = int.from_bytes(common, "big") << 8
            for low, high in _joined(lows):
                add(base + low, base + high)
        else:
            assert command == 0x52, f"unknown command {command:#x}"
            size = 6 - len(common)
            ends = [int.from_bytes(common + reader.take(size), "big") for _ in range(2)]
            add(ends[0], ends[1])


def _joined(numbers: list[int]) -> Ranges:
    ranges: Ranges = []
    for number in numbers:
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1] = (ranges[-1][0], number)
        else:
            ranges.append((number, number))
    return ranges


def read_replguids(data: bytes) -> dict[bytes, Ranges]:
    """An IDSET of REPLGUIDs: ascending, nothing left over. MS-OXCFXICS 2.2.2.4.2."""
    reader, found = Reader(data), dict[bytes, Ranges]()
    last = b""
    while reader.left:
        guid = reader.take(16)
        assert guid > last, "R186: ascending by bytes"
        found[guid] = read_globset(reader)
        assert found[guid], "an empty GLOBSET says nothing"
        last = guid
    return found


def read_replids(data: bytes) -> dict[int, Ranges]:
    """An IDSET of REPLIDs: ascending, nothing left over. MS-OXCFXICS 2.2.2.4.1."""
    reader, found = Reader(data), dict[int, Ranges]()
    last = -1
    while reader.left:
        replid = reader.u16()
        assert replid > last, "R181: from lowest to highest"
        found[replid] = read_globset(reader)
        assert found[replid], "an empty GLOBSET says nothing"
        last = replid
    return found


def written(ranges: Ranges) -> bytes:
    """A GLOBSET by range commands alone."""
    body = b"".join(b"\x52" + low.to_bytes(6, "big") + high.to_bytes(6, "big") for low, high in ranges)
    return body + b"\0"


def written_densely(ranges: Ranges) -> bytes:
    """A GLOBSET that uses pushes of two kinds, singletons, bitmasks and pops, for the server to read."""
    parts = []
    for low, high in ranges:
        first, last = low.to_bytes(6, "big"), high.to_bytes(6, "big")
        if low == high:
            parts.append(b"\x02" + first[:2] + b"\x04" + first[2:] + b"\x50")
        elif first[:5] == last[:5] and high - low <= 8:
            mask = (1 << (high - low)) - 1
            parts.append(b"\x03" + first[:3] + b"\x02" + first[3:5])
            parts.append(struct.pack("BBB", 0x42, first[5], mask) + b"\x50\x50")
        else:
            parts.append(b"\x52" + first + last)
    return b"".join(parts) + b"\0"


def holds(ranges: Ranges, number: int) -> bool:
    """Whether a counter is in a set."""
    return any(low <= number <= high for low, high in ranges)


def members(ranges: Ranges, most: int = 10000) -> list[int]:
    """Every counter of a set that may be iterated over."""
    assert sum(high - low + 1 for low, high in ranges) <= most, "a set of ids that was collapsed"
    return [number for low, high in ranges for number in range(low, high + 1)]
