"""Mailboxes: identity, the one counter, sizes, quotas, and the tree of special folders.

Invariants:
- Every version number and every id of a mailbox comes from its one counter (`Clock.next`), in the
  transaction that uses it. A number is never used again.
- The special folders of a private mailbox have the same FIDs in every mailbox (`Special`).
- Restoring or importing a mailbox makes a new incarnation: another replica GUID and greater UIDVALIDITYs.
"""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import IntEnum
from functools import lru_cache

from appliance.formats import bags
from appliance.mapi.types import Bag, Value
from appliance.store.errors import NotFound
from appliance.store.keys import SERVER, Table, head, pack, successor
from appliance.store.kv import ReadTxn, WriteTxn

REPLICA = 1 << 48
"""Replica id 1, our own, in the high 16 bits of every native FID, MID and CN."""

FIRST_NUMBER = 0x100
"""The counter of a new mailbox; smaller numbers are the special folders'."""

COUNTER_LIMIT = (1 << 48) - 1
"""Global counters have 48 bits (MS-OXCDATA 2.2.1.1)."""


class Kind(IntEnum):
    """What a mailbox is."""

    PRIVATE = 1
    PUBLIC = 2


class Special(IntEnum):
    """FIDs of the special folders of a private mailbox (MS-OXCSTOR 2.2.1.1.3, MS-OXOSFLD 2.2.1).

    The inbox is the first, so that its row shares a page with the mailbox's counters."""

    INBOX = REPLICA | 0x01
    DEFERRED_ACTION = REPLICA | 0x02
    SPOOLER_QUEUE = REPLICA | 0x03
    SHORTCUTS = REPLICA | 0x04
    FINDER = REPLICA | 0x05
    VIEWS = REPLICA | 0x06
    COMMON_VIEWS = REPLICA | 0x07
    SCHEDULE = REPLICA | 0x08
    IPM_SUBTREE = REPLICA | 0x09
    SENT = REPLICA | 0x0A
    TRASH = REPLICA | 0x0B
    OUTBOX = REPLICA | 0x0C
    ROOT = REPLICA | 0x0D
    DRAFTS = REPLICA | 0x0E
    CALENDAR = REPLICA | 0x0F
    JOURNAL = REPLICA | 0x10
    NOTES = REPLICA | 0x11
    TASKS = REPLICA | 0x12
    CONTACTS = REPLICA | 0x13
    SUGGESTED_CONTACTS = REPLICA | 0x14
    QUICK_CONTACTS = REPLICA | 0x15
    IM_CONTACT_LIST = REPLICA | 0x16
    JUNK = REPLICA | 0x17
    LOCAL_FREE_BUSY = REPLICA | 0x18
    SYNC_ISSUES = REPLICA | 0x19
    CONFLICTS = REPLICA | 0x1A
    LOCAL_FAILURES = REPLICA | 0x1B
    SERVER_FAILURES = REPLICA | 0x1C
    CONVERSATION_ACTIONS = REPLICA | 0x1D
    QUICK_STEPS = REPLICA | 0x1E
    CONVERSATION_HISTORY = REPLICA | 0x1F
    RSS_FEEDS = REPLICA | 0x20
    ARCHIVE = REPLICA | 0x21
    REMINDERS = REPLICA | 0x22
    TODO_SEARCH = REPLICA | 0x23
    RECOVERABLE_ITEMS = REPLICA | 0x24
    DELETIONS = REPLICA | 0x25
    VERSIONS = REPLICA | 0x26
    PURGES = REPLICA | 0x27
    DOCUMENT_LIBRARIES = REPLICA | 0x28


class PublicSpecial(IntEnum):
    """FIDs of the special folders of the public store (MS-OXCSTOR 2.2.1.1.4)."""

    ROOT = REPLICA | 0x01
    IPM_SUBTREE = REPLICA | 0x02
    NON_IPM_SUBTREE = REPLICA | 0x03
    EFORMS_REGISTRY = REPLICA | 0x04
    FREE_BUSY = REPLICA | 0x05
    OFFLINE_ADDRESS_BOOK = REPLICA | 0x06


@dataclass(frozen=True, slots=True)
class Identity:
    """What a mailbox is for its whole life (but for a new incarnation).

    `guid` and `replica_guid` are 16 bytes in wire order; `owner` is the directory id."""

    number: int
    kind: Kind
    owner: int
    guid: bytes
    replica_guid: bytes
    incarnation: int


_IDENTITY = struct.Struct("<BBII16s16s")


@dataclass(slots=True)
class Mailbox:
    """The hot row. Sizes in bytes; quotas in bytes, 0 for none."""

    number: int
    counter: int
    log_floor: int
    size: int
    deleted_size: int
    count: int
    next_uidvalidity: int
    warn_quota: int
    send_quota: int
    receive_quota: int
    flags: int


_ROW = struct.Struct("<QQQQQIQQQI")


def _key(mailbox: int) -> bytes:
    return head(mailbox, Table.MAILBOX)


def get(txn: ReadTxn, mailbox: int) -> Mailbox:
    """The hot row of a mailbox. Raises NotFound."""
    raw = txn.get(_key(mailbox))
    if raw is None:
        raise NotFound(f"mailbox {mailbox}")
    return Mailbox(mailbox, *_ROW.unpack(raw))


def put(txn: WriteTxn, row: Mailbox) -> None:
    """Store the hot row."""
    txn.touch(row.number)
    txn.put(
        _key(row.number),
        _ROW.pack(
            row.counter,
            row.log_floor,
            row.size,
            row.deleted_size,
            row.count,
            row.next_uidvalidity,
            row.warn_quota,
            row.send_quota,
            row.receive_quota,
            row.flags,
        ),
    )


def properties(txn: ReadTxn, mailbox: int) -> Bag:
    """What clients have set on the mailbox as a whole (MS-OXCSTOR 2.2.2.1.2)."""
    raw = txn.get(pack(mailbox, Table.META, "properties"))
    return bags.unpack(raw) if raw else {}


def put_properties(txn: WriteTxn, mailbox: int, bag: Bag) -> None:
    """Store those properties."""
    txn.put(pack(mailbox, Table.META, "properties"), bags.pack(bag))
    txn.touch(mailbox)


class Clock:
    """The counter and sizes of one mailbox during one change. Made by `changing`, which stores it."""

    __slots__ = ("row",)

    def __init__(self, row: Mailbox) -> None:
        self.row = row

    @property
    def mailbox(self) -> int:
        """The mailbox's number."""
        return self.row.number

    def next(self) -> int:
        """The next number of the mailbox's clock."""
        self.row.counter += 1
        return self.row.counter

    def next_id(self) -> int:
        """A new native id (FID, MID or CN): replica 1 and the next number."""
        self.row.counter += 1
        return REPLICA | self.row.counter

    def next_uidvalidity(self) -> int:
        """A UIDVALIDITY greater than every one that the mailbox had."""
        value = self.row.next_uidvalidity
        self.row.next_uidvalidity += 1
        return value


@contextmanager
def changing(txn: WriteTxn, mailbox: int) -> Iterator[Clock]:
    """The mailbox's clock for one change; what it gave out is stored when the block ends well."""
    clock = Clock(get(txn, mailbox))
    yield clock
    put(txn, clock.row)


def identity(txn: ReadTxn, mailbox: int) -> Identity:
    """The identity of a mailbox. Raises NotFound."""
    raw = txn.get(pack(SERVER, Table.MAILBOXES, mailbox))
    if raw is None:
        raise NotFound(f"mailbox {mailbox}")
    return _identity(mailbox, raw)


@lru_cache(maxsize=256)
def _identity(mailbox: int, raw: bytes) -> Identity:
    _, kind, owner, incarnation, guid, replica_guid = _IDENTITY.unpack(raw)
    return Identity(mailbox, Kind(kind), owner, guid, replica_guid, incarnation)


def put_identity(txn: WriteTxn, identity: Identity) -> None:
    """Store an identity."""
    txn.put(
        pack(SERVER, Table.MAILBOXES, identity.number),
        _IDENTITY.pack(
            1,
            identity.kind,
            identity.owner,
            identity.incarnation,
            identity.guid,
            identity.replica_guid,
        ),
    )


def identities(txn: ReadTxn) -> Iterator[Identity]:
    """Every mailbox, by number."""
    prefix = head(SERVER, Table.MAILBOXES)
    for key, raw in txn.scan(prefix, successor(prefix)):
        yield _identity(int.from_bytes(key[5:13], "big"), raw)


def bag(txn: ReadTxn, mailbox: int) -> dict[int, Value]:
    """What clients set on the mailbox as a whole (MS-OXCSTOR 2.2.2.1.2)."""
    raw = txn.get(pack(mailbox, Table.MAILBOX, "bag"))
    return bags.unpack(raw) if raw is not None else {}


def put_bag(txn: WriteTxn, mailbox: int, values: dict[int, Value]) -> None:
    """Store it."""
    txn.touch(mailbox)
    txn.put(pack(mailbox, Table.MAILBOX, "bag"), bags.pack(values))


def new_number(txn: ReadTxn) -> int:
    """A mailbox number that was never used."""
    prefix = head(SERVER, Table.MAILBOXES)
    last = txn.last(prefix, successor(prefix))
    used = int.from_bytes(last[0][5:13], "big") if last else 0
    retired = txn.get(pack(SERVER, Table.META, "last_mailbox"))
    return max(used, int.from_bytes(retired, "big") if retired else 0) + 1


def begin(
    txn: WriteTxn, *, kind: Kind, owner: int, guid: bytes, replica_guid: bytes, uidvalidity: int
) -> Clock:
    """The rows of a new mailbox without folders; the caller stores the clock's row with `put`.
    `uidvalidity` (1 to 2**32 - 1) is the first that it gives out."""
    number = new_number(txn)
    txn.put(pack(SERVER, Table.META, "last_mailbox"), number.to_bytes(8, "big"))
    put_identity(txn, Identity(number, kind, owner, guid, replica_guid, 1))
    return Clock(Mailbox(number, FIRST_NUMBER, FIRST_NUMBER, 0, 0, 0, uidvalidity, 0, 0, 0, 0))


def set_owner(txn: WriteTxn, mailbox: int, owner: int) -> None:
    """Give a mailbox to another directory entry."""
    put_identity(txn, replace(identity(txn, mailbox), owner=owner))


def remove(txn: WriteTxn, mailbox: int, limit: int = 2000) -> bool:
    """Delete a step of a mailbox's rows, `limit` at most; True when nothing is left. Messages must have
    been purged before (blob references)."""
    if txn.delete_range(mailbox.to_bytes(4, "big"), (mailbox + 1).to_bytes(4, "big"), limit) == limit:
        return False
    txn.delete(pack(SERVER, Table.MAILBOXES, mailbox))
    return True
