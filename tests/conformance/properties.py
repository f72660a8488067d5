"""Properties and named properties: MS-OXCROPS 2.2.8."""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.conformance.rop import NULL_DESTINATION, Caller
from tests.conformance.values import Error, Reader, Value, read_row, read_tagged, tag, tagged

MOVE, NO_OVERWRITE = 1, 2
"""CopyFlags."""

NO_STRINGS, NO_IDS = 1, 2
"""QueryFlags. MS-OXCPRPT 2.2.9.1."""

CREATE_NAMES = 2
LID, NAME, NO_NAME = 0x00, 0x01, 0xFF
OURS = bytes.fromhex("5A 17 C3 0E 41 88 4F 4B 9B 3D 2F 61 0D 7C 11 02")
"""A property set of ours."""

ERRORS_RETURNED = 0x00040380


@dataclass(frozen=True, slots=True)
class Name:
    """A PropertyName; `key` is a LID, a name, or None where there is none. MS-OXCDATA 2.6.1."""

    guid: bytes
    key: int | str | None

    @property
    def packed(self) -> bytes:
        if isinstance(self.key, int):
            return struct.pack("<B", LID) + self.guid + struct.pack("<I", self.key)
        text = str(self.key).encode("utf-16-le") + b"\0\0"
        return struct.pack("<B", NAME) + self.guid + struct.pack("<B", len(text)) + text


@dataclass(frozen=True, slots=True)
class Problem:
    """A PropertyProblem. MS-OXCDATA 2.7."""

    index: int
    tag: int
    code: int


def _tags(numbers: Sequence[int]) -> bytes:
    return struct.pack("<H", len(numbers)) + struct.pack(f"<{len(numbers)}I", *numbers)


def _problems(reader: Reader | None) -> list[Problem]:
    if reader is None:
        return []
    found = [Problem(reader.u16(), reader.u32(), reader.u32()) for _ in range(reader.u16())]
    reader.end()
    return found


def _name(reader: Reader) -> Name:
    kind = reader.u8()
    assert kind in (LID, NAME, NO_NAME)
    guid = reader.take(16)
    if kind == LID:
        return Name(guid, reader.u32())
    if kind == NO_NAME:
        return Name(guid, None)
    text = reader.take(reader.u8())
    assert text[-2:] == b"\0\0", "a name ends with two zero bytes"
    return Name(guid, text[:-2].decode("utf-16-le"))


class Properties(Caller):
    """ROPs of properties. What fails to be set or deleted comes back as `Problem`s."""

    def get(self, handle: int, *tags: int, unicode: int = 1, limit: int = 0, expect: int = 0) -> list[Value]:
        """RopGetPropertiesSpecific: values in the order of the tags."""
        reader = self.on(0x07, handle, struct.pack("<HH", limit, unicode) + _tags(tags), expect)
        if reader is None:
            return []
        row = read_row(reader, tags)
        reader.end()
        return row

    def one(self, handle: int, tag: int) -> Value:
        """One value, which may be an Error."""
        return self.get(handle, tag)[0]

    def get_all(self, handle: int, unicode: int = 1, limit: int = 0, expect: int = 0) -> dict[int, Value]:
        reader = self.on(0x08, handle, struct.pack("<HH", limit, unicode), expect)
        if reader is None:
            return {}
        pairs = [read_tagged(reader) for _ in range(reader.u16())]
        reader.end()
        assert len({tag for tag, _ in pairs}) == len(pairs), "a property twice"
        return dict(pairs)

    def list(self, handle: int, expect: int = 0) -> "list[int]":
        reader = self.on(0x09, handle, b"", expect)
        if reader is None:
            return []
        tags = [reader.u32() for _ in range(reader.u16())]
        reader.end()
        assert len(set(tags)) == len(tags), "a property twice"
        return tags

    def set(
        self, handle: int, values: Mapping[int, Value], replicate: bool = True, expect: int = 0
    ) -> "list[Problem]":
        packed = struct.pack("<H", len(values)) + b"".join(
            tagged(tag, value) for tag, value in values.items()
        )
        body = struct.pack("<H", len(packed)) + packed
        return _problems(self.on(0x0A if replicate else 0x79, handle, body, expect))

    def delete(self, handle: int, *tags: int, replicate: bool = True, expect: int = 0) -> "list[Problem]":
        return _problems(self.on(0x0B if replicate else 0x7A, handle, _tags(tags), expect))

    def query_named(
        self, handle: int, flags: int = 0, guid: bytes | None = None, expect: int = 0
    ) -> "dict[int, Name]":
        body = struct.pack("<BB", flags, guid is not None) + (guid or b"")
        reader = self.on(0x5F, handle, body, expect)
        if reader is None:
            return {}
        ids = [reader.u16() for _ in range(reader.u16())]
        names = [_name(reader) for _ in ids]
        reader.end()
        assert len(set(ids)) == len(ids)
        return dict(zip(ids, names, strict=True))

    def ids(self, handle: int, *names: Name, flags: int = 0, expect: int = 0) -> "list[int]":
        """RopGetPropertyIdsFromNames; a warning when a name has no id. MS-OXCROPS 2.2.8.1.2."""
        body = struct.pack("<BH", flags, len(names)) + b"".join(name.packed for name in names)
        reader, _ = self.batch(b"\x56\0\0" + body, handle)
        assert (reader.u8(), reader.u8()) == (0x56, 0)
        code = reader.u32()
        if code not in (0, ERRORS_RETURNED):
            assert code == expect, f"{code:#010x}"
            reader.end()
            return []
        found = [reader.u16() for _ in range(reader.u16())]
        reader.end()
        assert (code == 0) == all(found)
        assert not names or len(found) == len(names)
        return found

    def names(self, handle: int, *ids: int, expect: int = 0) -> "list[Name]":
        """RopGetNamesFromPropertyIds."""
        body = struct.pack("<H", len(ids)) + struct.pack(f"<{len(ids)}H", *ids)
        reader = self.on(0x55, handle, body, expect)
        if reader is None:
            return []
        found = [_name(reader) for _ in range(reader.u16())]
        reader.end()
        assert len(found) == len(ids)
        return found

    def copy_properties(
        self,
        source: int,
        destination: int,
        *tags: int,
        flags: int = 0,
        asynchronous: int = 0,
        expect: int = 0,
    ) -> "list[Problem]":
        body = struct.pack("<BB", asynchronous, flags) + _tags(tags)
        return _copied(self.between(0x67, source, destination, body, expect), expect)

    def copy_to(
        self,
        source: int,
        destination: int,
        *excluded: int,
        flags: int = 0,
        subobjects: int = 0,
        asynchronous: int = 0,
        expect: int = 0,
    ) -> "list[Problem]":
        body = struct.pack("<BBB", asynchronous, subobjects, flags) + _tags(excluded)
        return _copied(self.between(0x39, source, destination, body, expect), expect)

    def progress(self, handle: int, cancel: int = 0, expect: int = 0) -> None:
        reader = self.on(0x50, handle, bytes([cancel]), expect)
        if reader is not None:
            reader.end()


def _copied(reader: Reader | None, expect: int) -> "list[Problem]":
    """A null destination has neither count nor problems. MS-OXCPRPT 2.2.10.2."""
    if expect != NULL_DESTINATION:
        return _problems(reader)
    assert reader is not None
    reader.end()
    return []


def custom(desk: Properties, kind: int, name: str = "blind") -> int:
    """The tag of a named property of our own."""
    (number,) = desk.ids(desk.logon, Name(OURS, name), flags=CREATE_NAMES)
    return tag(number, kind)


def missing(value: Value) -> bool:
    """Whether a value is not there: MAPI's NotFound in its place."""
    return value == Error(0x8004010F)
