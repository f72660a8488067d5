"""Identifiers: folder, message and change numbers, their long forms, XIDs and predecessor change lists.

In Python a FID, MID or CN is one int: replica id << 48 | global counter. On the wire it is the replica id as
a little-endian 16-bit number and the counter as six bytes, highest first (MS-OXCDATA 2.2.1.1, MS-OXCFXICS
2.2.2.1). Properties of type Integer64 that hold IDs (PidTagMid, PidTagFolderId, PidTagChangeNumber,
PidTagInstID) hold those eight bytes read as a little-endian number: `to_int64`.

A predecessor change list has at most one XID for each namespace, the highest that was seen; all local ids of
one namespace are of one length and compare as big-endian numbers.
"""

from collections.abc import Iterable, Iterator
from enum import Enum
from typing import NamedTuple

from appliance.wire.cursor import Reader, Writer
from appliance.wire.errors import DecodeError, EncodeError
from appliance.wire.fields import Packed

COUNTER_BITS = 48
MAX_COUNTER = (1 << COUNTER_BITS) - 1
MAX_LOCAL_ID = 8  # bytes, MS-OXCFXICS 2.2.2.2
MAX_PREDECESSORS = 4096


def make_id(replica: int, counter: int) -> int:
    """The int of a replica id (16 bits) and a global counter (48 bits). ValueError out of range."""
    if not (0 <= replica <= 0xFFFF and 0 <= counter <= MAX_COUNTER):
        raise ValueError(f"no id: replica {replica}, counter {counter}")
    return replica << COUNTER_BITS | counter


def replica_of(short_id: int) -> int:
    """The replica id."""
    return short_id >> COUNTER_BITS


def counter_of(short_id: int) -> int:
    """The global counter."""
    return short_id & MAX_COUNTER


def short_to_wire(short_id: int) -> bytes:
    """The eight bytes of a FID, MID or CN (MS-OXCDATA 2.2.1.1, 2.2.1.2)."""
    return replica_of(short_id).to_bytes(2, "little") + counter_of(short_id).to_bytes(6, "big")


def short_from_wire(data: bytes) -> int:
    """The int of eight bytes."""
    return int.from_bytes(data[:2], "little") << COUNTER_BITS | int.from_bytes(data[2:8], "big")


def to_int64(short_id: int) -> int:
    """The signed number that an Integer64 property holds for the ID."""
    return int.from_bytes(short_to_wire(short_id), "little", signed=True)


def from_int64(value: int) -> int:
    """The ID of an Integer64 property's number, signed or unsigned."""
    return short_from_wire((value & (1 << 64) - 1).to_bytes(8, "little"))


def _pack_short(short_id: int) -> bytes:
    if not 0 <= short_id < 1 << 64:
        raise ValueError("no id")
    return short_to_wire(short_id)


# A FID, MID or CN as a field of a record.
SHORT_ID = Packed("8s", short_from_wire, _pack_short)


class LongTermId(NamedTuple):
    """A global identifier: the database's GUID and a counter. As LongTermID 24 bytes, as GID 22."""

    guid: bytes
    counter: int

    def to_long_term(self) -> bytes:
        """LongTermID (MS-OXCDATA 2.2.1.3.1): with two bytes of padding."""
        return self.to_gid() + b"\0\0"

    def to_gid(self) -> bytes:
        """GID (MS-OXCDATA 2.2.1.3): what source keys and change keys hold."""
        return self.guid + self.counter.to_bytes(6, "big")

    @classmethod
    def from_gid(cls, data: bytes) -> "LongTermId":
        """Of 22 bytes, or of 24 with padding, which is ignored. DecodeError for another length."""
        if len(data) not in (22, 24):
            raise DecodeError(f"a global identifier of {len(data)} bytes", 0)
        return cls(bytes(data[:16]), int.from_bytes(data[16:22], "big"))


def _check_long_term(data: bytes) -> LongTermId:
    return LongTermId(data[:16], int.from_bytes(data[16:22], "big"))


def _pack_long_term(value: LongTermId) -> bytes:
    if len(value.guid) != 16 or not 0 <= value.counter <= MAX_COUNTER:
        raise ValueError("no long-term id")
    return value.to_long_term()


LONG_TERM_ID = Packed("24s", _check_long_term, _pack_long_term)


class Xid(NamedTuple):
    """XID (MS-OXCFXICS 2.2.2.2): an external identifier; a GID is one with six bytes of local id."""

    namespace: bytes
    local: bytes

    def to_bytes(self) -> bytes:
        """The bytes without size: what PidTagChangeKey and PidTagSourceKey hold."""
        return self.namespace + self.local

    @classmethod
    def from_bytes(cls, data: bytes) -> "Xid":
        """DecodeError unless the local id has 1 to 8 bytes."""
        if not 17 <= len(data) <= 16 + MAX_LOCAL_ID:
            raise DecodeError(f"an XID of {len(data)} bytes", 0)
        return cls(bytes(data[:16]), bytes(data[16:]))

    @classmethod
    def of_change(cls, guid: bytes, change_number: int) -> "Xid":
        """The XID of a change number of the replica with that GUID."""
        return cls(guid, counter_of(change_number).to_bytes(6, "big"))


def read_sized_xid(reader: Reader) -> Xid:
    """SizedXid (MS-OXCFXICS 2.2.2.3.1)."""
    at = reader.pos
    size = reader.u8("XID size")
    if not 17 <= size <= 16 + MAX_LOCAL_ID:
        raise DecodeError(f"an XID of {size} bytes", at)
    return Xid.from_bytes(reader.take(size, "XID"))


def write_sized_xid(writer: Writer, xid: Xid) -> None:
    """SizedXid (MS-OXCFXICS 2.2.2.3.1)."""
    data = xid.to_bytes()
    if len(xid.namespace) != 16 or not 1 <= len(xid.local) <= MAX_LOCAL_ID:
        raise EncodeError(f"an XID of {len(data)} bytes")
    writer.u8(len(data))
    writer.buf += data


class Order(Enum):
    """How one version stands to another (MS-OXCFXICS 3.1.5.6.2)."""

    SAME = "same"
    OLDER = "older"
    NEWER = "newer"
    CONFLICT = "conflict"


class PredecessorChangeList:
    """PredecessorChangeList (MS-OXCFXICS 2.2.2.3): the versions an object has been through. Immutable."""

    __slots__ = ("_last",)

    def __init__(self, xids: Iterable[Xid] = ()) -> None:
        last: dict[bytes, bytes] = {}
        for namespace, local in xids:
            known = last.get(namespace)
            if known is not None and len(known) != len(local):
                raise ValueError("local ids of two lengths in one namespace")
            if known is None or local > known:
                last[namespace] = local
        self._last = last

    def __iter__(self) -> Iterator[Xid]:
        """The XIDs in the order of serialization: by namespace, byte by byte."""
        return (Xid(namespace, self._last[namespace]) for namespace in sorted(self._last))

    def __len__(self) -> int:
        return len(self._last)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PredecessorChangeList) and self._last == other._last

    def __hash__(self) -> int:
        return hash(frozenset(self._last.items()))

    def __repr__(self) -> str:
        return f"PredecessorChangeList({list(self)})"

    @classmethod
    def parse(cls, data: bytes) -> "PredecessorChangeList":
        """Of PidTagPredecessorChangeList. Order and repeated namespaces are forgiven, two lengths are not."""
        reader = Reader(data)
        xids: list[Xid] = []
        lengths: dict[bytes, int] = {}
        while reader.remaining:
            if len(xids) == MAX_PREDECESSORS:
                raise DecodeError(f"more than {MAX_PREDECESSORS} predecessors", reader.pos)
            at = reader.pos
            xid = read_sized_xid(reader)
            xids.append(xid)
            if lengths.setdefault(xid.namespace, len(xid.local)) != len(xid.local):
                raise DecodeError("local ids of two lengths in one namespace", at)
        return cls(xids)

    def pack(self) -> bytes:
        """The bytes of PidTagPredecessorChangeList, sorted as 2.2.2.3 asks."""
        writer = Writer()
        for xid in self:
            write_sized_xid(writer, xid)
        return writer.getvalue()

    def includes(self, xid: Xid) -> bool:
        """Whether that version, or a later one of its namespace, is among the predecessors."""
        known = self._last.get(xid.namespace)
        return known is not None and len(known) == len(xid.local) and known >= xid.local

    def merged(self, other: "PredecessorChangeList | Iterable[Xid]") -> "PredecessorChangeList":
        """The list that includes all of both. ValueError where one namespace has two lengths."""
        return PredecessorChangeList([*self, *other])

    def compare(self, other: "PredecessorChangeList") -> Order:
        """How the version with this list stands to the one with the other."""
        covers = all(self.includes(xid) for xid in other)
        covered = all(other.includes(xid) for xid in self)
        if covers and covered:
            return Order.SAME
        if covers:
            return Order.NEWER
        return Order.OLDER if covered else Order.CONFLICT


class ServerId(NamedTuple):
    """PtypServerId (MS-OXCDATA 2.11.1.4) of our own objects; the message is 0 for a folder."""

    folder: int
    message: int = 0
    instance: int = 0

    def pack(self) -> bytes:
        """The 21 bytes of a value."""
        ids = short_to_wire(self.folder) + short_to_wire(self.message)
        return b"\x01" + ids + self.instance.to_bytes(4, "little")

    @classmethod
    def parse(cls, data: bytes) -> "ServerId | None":
        """None for a client's own value (Ours is 0). DecodeError for anything else."""
        if data[:1] == b"\0":
            return None
        if len(data) != 21 or data[0] != 1:
            raise DecodeError(f"a server id of {len(data)} bytes", 0)
        return cls(
            short_from_wire(data[1:9]), short_from_wire(data[9:17]), int.from_bytes(data[17:], "little")
        )
