"""Reading bytes strictly, and property values as ROPs carry them (MS-OXCDATA 2.11).

Ids (FID, MID, CN) are the eight bytes of the wire everywhere in these tests: two of the replica id in little
endian, six of the counter in big endian (MS-OXCDATA 2.2.1.1).
"""

import struct

Value = object
"""A property's value: int, float, bool, str, bytes, or a list of those."""

I2, I4, R4, R8, CY, DATE, ERROR, BOOL, OBJECT, I8 = 2, 3, 4, 5, 6, 7, 0xA, 0xB, 0xD, 0x14
STRING8, UNICODE, TIME, GUID, SERVER_ID, RESTRICTION, RULE_ACTION, BINARY = (
    0x1E,
    0x1F,
    0x40,
    0x48,
    0xFB,
    0xFD,
    0xFE,
    0x102,
)
MULTIPLE = 0x1000

FIXED = {
    I2: "<h",
    I4: "<i",
    R4: "<f",
    R8: "<d",
    CY: "<q",
    DATE: "<d",
    ERROR: "<I",
    I8: "<q",
    TIME: "<Q",
}
"""Types of a fixed size that one number fills."""


class Reader:
    """A cursor over bytes; everything that is not there fails the test."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, size: int) -> bytes:
        """The next `size` bytes."""
        assert self.at + size <= len(self.data), f"{size} bytes wanted at {self.at} of {len(self.data)}"
        self.at += size
        return self.data[self.at - size : self.at]

    def number(self, form: str) -> int:
        """An integer of a struct form."""
        (value,) = struct.unpack(form, self.take(struct.calcsize(form)))
        assert isinstance(value, int)
        return value

    def u8(self) -> int:
        """One byte."""
        return self.take(1)[0]

    def u16(self) -> int:
        """Two bytes, little endian."""
        return self.number("<H")

    def u32(self) -> int:
        """Four bytes, little endian."""
        return self.number("<I")

    def until(self, mark: bytes) -> bytes:
        """What stands before `mark`, which must begin at a multiple of its size."""
        start = self.at
        while self.take(len(mark)) != mark:
            pass
        return self.data[start : self.at - len(mark)]

    @property
    def left(self) -> int:
        """How many bytes were not read."""
        return len(self.data) - self.at

    def rest(self) -> bytes:
        """Everything that was not read."""
        return self.take(self.left)


def packed(tag: int, value: Value) -> bytes:
    """A property value. MS-OXCDATA 2.11.1."""
    kind = tag & 0xFFFF
    if kind & MULTIPLE and kind != 0x1000:
        assert isinstance(value, list)
        return struct.pack("<I", len(value)) + b"".join(packed(tag & ~MULTIPLE, each) for each in value)
    if kind in FIXED:
        return struct.pack(FIXED[kind], value)
    if kind == BOOL:
        return bytes([bool(value)])
    if kind == UNICODE:
        assert isinstance(value, str)
        return value.encode("utf-16-le") + b"\0\0"
    if kind == STRING8:
        assert isinstance(value, bytes)
        return value + b"\0"
    assert isinstance(value, bytes)
    if kind in (BINARY, SERVER_ID):
        return struct.pack("<H", len(value)) + value
    return value  # GUID, restrictions and rule actions are given as their bytes


def unpacked(reader: Reader, tag: int) -> Value:
    """Read a property value. MS-OXCDATA 2.11.1."""
    kind = tag & 0xFFFF
    if kind & MULTIPLE:
        return [unpacked(reader, tag & ~MULTIPLE) for _ in range(reader.u32())]
    if kind in FIXED:
        (value,) = struct.unpack(FIXED[kind], reader.take(struct.calcsize(FIXED[kind])))
        return value
    if kind == BOOL:
        value = reader.u8()
        assert value in (0, 1)
        return bool(value)
    if kind == UNICODE:
        return reader.until(b"\0\0").decode("utf-16-le")
    if kind == STRING8:
        return reader.until(b"\0")
    if kind == GUID:
        return reader.take(16)
    assert kind in (BINARY, SERVER_ID), hex(tag)
    return reader.take(reader.u16())


def tagged(values: dict[int, Value]) -> bytes:
    """TaggedPropertyValue structures, one behind the other. MS-OXCDATA 2.11.4."""
    return b"".join(struct.pack("<I", tag) + packed(tag, value) for tag, value in values.items())


def tags_of(tags: tuple[int, ...] | list[int]) -> bytes:
    """A count and PropertyTag structures."""
    return struct.pack(f"<H{len(tags)}I", len(tags), *tags)


def property_row(reader: Reader, tags: tuple[int, ...] | list[int]) -> dict[int, Value]:
    """A PropertyRow: what is there; errors as ("error", code). MS-OXCDATA 2.8.1."""
    row: dict[int, Value] = {}
    flagged = reader.u8()
    assert flagged in (0, 1)
    for tag in tags:
        flag = reader.u8() if flagged else 0
        assert flag in (0, 1, 0xA), f"FlaggedPropertyValue {flag}"
        if flag == 0xA:
            row[tag] = ("error", reader.u32())
        elif flag == 0:
            row[tag] = unpacked(reader, tag)
    return row


def counter(identifier: bytes) -> int:
    """The GlobalCounter of an id."""
    assert len(identifier) == 8
    return int.from_bytes(identifier[2:], "big")
