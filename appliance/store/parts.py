"""Recipients, attachments and big values of a message, as they are stored beside its row.

A part is a packed bag under (kind, number):

- PART_RECIPIENT: a recipient; the number is its row id.
- PART_ATTACHMENT: an attachment; the number is PidTagAttachNumber. Its bytes stand in the bag while they are
  few, else in a blob that PID_TAG_SATCHEL_BLOB names. An embedded message stands in
  PID_TAG_SATCHEL_EMBEDDED in the nested form below.
- PART_VALUE: a property of the message itself that is too big for the bag; the number is its tag, the blob
  holds its bytes (text as UTF-8).

Nested form of an embedded message, numbers little-endian: u8 version 1, u32 length of the bag, the bag, then
for each part u8 kind, u32 number, u32 length, the packed bag. Attachments nest MAX_NESTING deep at most.

Invariant: `part_blobs` names every blob that a part refers to, at any depth; each is one reference.
"""

import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from appliance.formats import bags
from appliance.store.errors import LimitReached, StoreError
from appliance.store.keys import Table, head_q, successor
from appliance.store.kv import ReadTxn, WriteTxn

PART_RECIPIENT = 1
PART_ATTACHMENT = 2
PART_VALUE = 3

PID_TAG_SATCHEL_BLOB = 0x66F00014
"""Within packed parts: the number of the blob that holds the bytes (never leaves the store)."""

PID_TAG_SATCHEL_EMBEDDED = 0x66F20102
"""Within packed attachments: the embedded message in the nested form (never leaves the store)."""

MAX_NESTING = 16
"""Messages within messages, at most."""

_HEAD = struct.Struct("<BI")
_PART = struct.Struct("<BII")
_VERSION = 1


@dataclass(frozen=True, slots=True)
class Part:
    """A part in packed form. `kind` PART_RECIPIENT, PART_ATTACHMENT or PART_VALUE."""

    kind: int
    number: int
    packed: bytes


@dataclass(frozen=True, slots=True)
class Nested:
    """An embedded message: its packed bag and parts."""

    packed_bag: bytes
    parts: tuple[Part, ...] = ()

    def pack(self) -> bytes:
        """The nested form."""
        pieces = [_HEAD.pack(_VERSION, len(self.packed_bag)), self.packed_bag]
        for part in self.parts:
            pieces += [_PART.pack(part.kind, part.number, len(part.packed)), part.packed]
        return b"".join(pieces)

    @classmethod
    def parse(cls, data: bytes) -> "Nested":
        """Raises StoreError for damaged bytes."""
        try:
            version, length = _HEAD.unpack_from(data)
            at = _HEAD.size + length
            if version != _VERSION or at > len(data):
                raise StoreError("an embedded message that is cut short, or of an unknown form")
            found = []
            while at < len(data):
                kind, number, size = _PART.unpack_from(data, at)
                at += _PART.size
                if at + size > len(data):
                    raise StoreError("a part of an embedded message that is cut short")
                found.append(Part(kind, number, data[at : at + size]))
                at += size
        except struct.error:
            raise StoreError("an embedded message that is cut short") from None
        return cls(data[_HEAD.size : _HEAD.size + length], tuple(found))


def parts(txn: ReadTxn, mailbox: int, mid: int) -> Iterator[Part]:
    """Recipients, then attachments, then big values, as they are stored."""
    prefix = head_q(mailbox, Table.PARTS, mid)
    for key, raw in txn.scan(prefix, successor(prefix)):
        yield Part(key[13], int.from_bytes(key[14:18], "big"), raw)


def has_values(txn: ReadTxn, mailbox: int, mid: int) -> bool:
    """Whether a message has big values."""
    prefix = head_q(mailbox, Table.PARTS, mid) + bytes([PART_VALUE])
    return txn.first(prefix, successor(prefix)) is not None


def put(txn: WriteTxn, mailbox: int, mid: int, new: Iterable[Part]) -> None:
    """Store parts of a message."""
    prefix = head_q(mailbox, Table.PARTS, mid)
    for part in new:
        txn.put(prefix + bytes([part.kind]) + part.number.to_bytes(4, "big"), part.packed)


def drop(txn: WriteTxn, mailbox: int, mid: int) -> None:
    """Remove every part of a message; the caller releases the blobs."""
    prefix = head_q(mailbox, Table.PARTS, mid)
    txn.delete_range(prefix, successor(prefix))


def part_blobs(part: Part, depth: int = 0) -> list[int]:
    """The blobs that a part refers to, those of embedded messages too, one entry for each reference. Raises
    StoreError for damaged bytes, LimitReached."""
    if part.kind == PART_RECIPIENT:
        return []
    if depth > MAX_NESTING:
        raise LimitReached(f"messages nest at most {MAX_NESTING} deep")
    number = bags.get(part.packed, PID_TAG_SATCHEL_BLOB)
    found = [number] if isinstance(number, int) else []
    embedded = bags.get(part.packed, PID_TAG_SATCHEL_EMBEDDED)
    if isinstance(embedded, bytes):
        for inner in Nested.parse(embedded).parts:
            found += part_blobs(inner, depth + 1)
    return found


def renumbered(part: Part, numbers: Mapping[int, int]) -> Part:
    """The part with other blob numbers, at any depth (a copy into another store)."""
    if not part_blobs(part):
        return part
    bag = bags.unpack(part.packed)
    number, embedded = bag.get(PID_TAG_SATCHEL_BLOB), bag.get(PID_TAG_SATCHEL_EMBEDDED)
    if isinstance(number, int):
        bag[PID_TAG_SATCHEL_BLOB] = numbers[number]
    if isinstance(embedded, bytes):
        inner = Nested.parse(embedded)
        changed = tuple(renumbered(each, numbers) for each in inner.parts)
        bag[PID_TAG_SATCHEL_EMBEDDED] = Nested(inner.packed_bag, changed).pack()
    return Part(part.kind, part.number, bags.pack(bag))
