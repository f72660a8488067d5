"""The ICS state: what a client's replica has (MS-OXCFXICS 2.2.1.1, 3.2.5.2).

The client keeps it and brings it along in every operation; the server keeps nothing. On the wire the sets are
by replica GUID, here by replica id: GUIDs that no object of ours can have are kept as they came and handed
back.

IdsetGiven counts ids of objects, the three CN sets versions of normal messages (or folders), of associated
messages, and of read states. A CN set may hold numbers that no object has: only so does it stay small
(3.1.5.5).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from appliance.formats.fasttransfer.markers import (
    Marker,
    MetaTagCnsetRead,
    MetaTagCnsetSeen,
    MetaTagCnsetSeenFAI,
    MetaTagIdsetGiven,
    MetaTagIdsetGivenBinary,
)
from appliance.mapi import errors as ec
from appliance.mapi.errors import MapiError
from appliance.mapi.ids import counter_of, replica_of
from appliance.mapi.idset import IdSet, RangeSet, Replica
from appliance.mapi.types import Value
from appliance.rop.fasttransfer.pen import MARKS
from appliance.store import replids
from appliance.store.kv import ReadTxn
from appliance.wire.errors import DecodeError

MAX_STATE = 16 << 20
"""Bytes of one state property that a client may upload."""

_FIELDS = {
    MetaTagIdsetGiven: "given",
    MetaTagIdsetGivenBinary: "given",
    MetaTagCnsetSeen: "seen",
    MetaTagCnsetSeenFAI: "seen_fai",
    MetaTagCnsetRead: "read",
}


@dataclass(slots=True)
class State:
    """The four sets by replica id; foreign replicas stay under their GUID."""

    given: IdSet = field(default_factory=IdSet)
    seen: IdSet = field(default_factory=IdSet)
    seen_fai: IdSet = field(default_factory=IdSet)
    read: IdSet = field(default_factory=IdSet)

    def copy(self) -> "State":
        """The same, to be changed apart."""
        return State(
            *(IdSet(dict(each.items())) for each in (self.given, self.seen, self.seen_fai, self.read))
        )

    def packed(self, txn: ReadTxn, mailbox: int, *, hierarchy: bool) -> list[tuple[int, Value]]:
        """The properties of the state element (2.2.4.3.25)."""
        pairs: list[tuple[int, Value]] = [
            (MetaTagIdsetGiven, _by_guid(txn, mailbox, self.given).pack()),
            (MetaTagCnsetSeen, _by_guid(txn, mailbox, self.seen).pack()),
        ]
        if not hierarchy:
            pairs.append((MetaTagCnsetSeenFAI, _by_guid(txn, mailbox, self.seen_fai).pack()))
            pairs.append((MetaTagCnsetRead, _by_guid(txn, mailbox, self.read).pack()))
        return pairs


_COUNTER = (1 << 48) - 1


def has(ids: IdSet, short_id: int) -> bool:
    """Whether an id or CN is in a set."""
    return ids.contains(replica_of(short_id), counter_of(short_id))


def add(ids: IdSet, short_id: int) -> None:
    """Add an id or CN to a set."""
    ids.add(short_id >> 48, short_id & _COUNTER)


def without(ids: IdSet, gone: Iterable[int]) -> IdSet:
    """The set without some ids."""
    return ids - IdSet.of_ids(gone)


def short_form(ids: IdSet) -> IdSet:
    """What of a set can be written with replica ids."""
    return IdSet({replica: ranges for replica, ranges in ids.items() if isinstance(replica, int)})


def _by_guid(txn: ReadTxn, mailbox: int, ids: IdSet) -> IdSet:
    known: dict[Replica, Replica] = {}
    for replica, _ in ids.items():
        guid = replids.guid_of(txn, mailbox, replica) if isinstance(replica, int) else replica
        if guid is not None:
            known[replica] = guid
    return IdSet({r: ranges for r, ranges in ids.items() if r in known}).mapped(known)


def _by_replid(txn: ReadTxn, mailbox: int, ids: IdSet) -> IdSet:
    sets: dict[Replica, RangeSet] = {}
    for replica, ranges in ids.items():
        number = replids.find(txn, mailbox, replica) if isinstance(replica, bytes) else replica
        sets[replica if number is None else number] = ranges
    return IdSet(sets)


class Uploading:
    """The upload of a state: one property at a time, in pieces (2.2.3.2.2). Properties that a client does not
    upload are empty; one uploaded twice is what came last."""

    def __init__(self) -> None:
        self.state = State()
        self._tag = 0
        self._data = bytearray()
        self._size = 0

    @property
    def is_open(self) -> bool:
        """Whether a property has begun and not ended."""
        return self._tag != 0

    def begin(self, tag: int, size: int) -> None:
        """A property of `size` bytes (an announcement, no promise) begins. Raises ecInvalidParam."""
        if tag not in _FIELDS or size > MAX_STATE or self._tag:
            raise MapiError(ec.ecInvalidParam)
        self._tag, self._data, self._size = tag, bytearray(), size

    def go_on(self, data: bytes) -> None:
        """More bytes of the property. Raises ecNotInitialized, ecInvalidParam."""
        if not self._tag:
            raise MapiError(ec.ecNotInitialized)
        if len(self._data) + len(data) > MAX_STATE:
            raise MapiError(ec.ecInvalidParam)
        self._data += data

    def end(self, txn: ReadTxn, mailbox: int) -> None:
        """The property is whole. Raises ecNotInitialized, and ecRpcFormat for bytes that are no set
        (3.1.5.4.3.2)."""
        if not self._tag:
            raise MapiError(ec.ecNotInitialized)
        tag, data = self._tag, bytes(self._data)
        self._tag, self._data = 0, bytearray()
        try:
            parsed = IdSet.parse(data, by_guid=True)
        except (DecodeError, ValueError) as error:
            raise MapiError(ec.ecRpcFormat, str(error)) from None
        self.state = replace(self.state, **{_FIELDS[tag]: _by_replid(txn, mailbox, parsed)})


STATE_BEGIN, STATE_END = MARKS[Marker.INCR_SYNC_STATE_BEGIN], MARKS[Marker.INCR_SYNC_STATE_END]
