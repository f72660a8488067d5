"""What each user has read in public folders, and what clients keep about it.

READSTATE of the public mailbox: for a folder and a user the set of change numbers (CNSET) that the user has
read. A message whose content changes gets a new CN and is unread again, without a write here (MS-OXCFXICS
3.2.5.9, MS-OXCSTOR 3.1.4.3).

PERUSER of a private mailbox: the same sets as a client wrote them with RopWritePerUserInformation for some
folder anywhere (MS-OXCSTOR 2.2.1.13): the folder's LongTermID, its replica GUID and the bytes, untouched.

Invariants: a READSTATE row belongs to a folder that exists; its bytes parse as a CNSET in REPLID form.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from appliance.mapi.ids import LongTermId, counter_of, replica_of
from appliance.mapi.idset import IdSet
from appliance.store import contents, folders
from appliance.store.errors import LimitReached
from appliance.store.keys import Table, head, head_q, head_qq, pack, successor, tail_q
from appliance.store.kv import ReadTxn, WriteTxn

MAX_STATE = 1 << 20
"""Bytes of one user's set for one folder, at most."""

MAX_FOLDERS = 10_000
"""Folders whose sets a client may keep in its mailbox."""


class PerUser(NamedTuple):
    """A set as the client wrote it: the folder, the GUID of the replica that it belongs to, the bytes."""

    folder: LongTermId
    replica_guid: bytes
    data: bytes


# -- the public mailbox ---------------------------------------------------------------------------------


def read_set(txn: ReadTxn, mailbox: int, fid: int, user: int) -> IdSet:
    """The change numbers that a user has read in a public folder (REPLID form)."""
    raw = txn.get(head_qq(mailbox, Table.READSTATE, fid, user))
    return IdSet.parse(raw, by_guid=False) if raw else IdSet()


def put_set(txn: WriteTxn, mailbox: int, fid: int, user: int, read: IdSet) -> None:
    """Store a user's set (from RopWritePerUserInformation, or after changes). Raises LimitReached."""
    key = head_qq(mailbox, Table.READSTATE, fid, user)
    raw = read.pack() if read else b""
    if len(raw) > MAX_STATE:
        raise LimitReached(f"a read state has at most {MAX_STATE} bytes")
    if raw:
        txn.put(key, raw)
    else:
        txn.delete(key)
    txn.touch(mailbox)


def is_read(read: IdSet, cn: int) -> bool:
    """Whether a set has the version `cn` of a message."""
    return read.contains(replica_of(cn), counter_of(cn))


def mark(txn: WriteTxn, mailbox: int, fid: int, user: int, cns: Iterable[int], *, read: bool) -> int:
    """Mark the versions of messages as read or unread by a user; how many changed."""
    known = read_set(txn, mailbox, fid, user)
    changed = [cn for cn in cns if is_read(known, cn) != read]
    if changed:
        marks = IdSet.of_ids(changed)
        put_set(txn, mailbox, fid, user, known | marks if read else known - marks)
    return len(changed)


def unread(txn: ReadTxn, mailbox: int, fid: int, user: int) -> int:
    """How many messages of a public folder a user has not read (PidTagContentUnreadCount)."""
    known = read_set(txn, mailbox, fid, user)
    if not known:
        return folders.get(txn, mailbox, fid).total
    return sum(1 for row in contents.rows(txn, mailbox, fid) if not is_read(known, row.cn))


def drop_folder(txn: WriteTxn, mailbox: int, fid: int) -> None:
    """Forget what everybody has read in a folder (it goes)."""
    prefix = head_q(mailbox, Table.READSTATE, fid)
    txn.delete_range(prefix, successor(prefix))


def drop_user(txn: WriteTxn, mailbox: int, user: int, limit: int = 1000) -> bool:
    """Forget what one user has read (the user goes), `limit` rows at a time; True when none is left."""
    prefix = head(mailbox, Table.READSTATE)
    gone = [key for key in txn.scan_keys(prefix, successor(prefix)) if tail_q(key) == user][:limit]
    for key in gone:
        txn.delete(key)
    return len(gone) < limit


# -- the private mailbox --------------------------------------------------------------------------------


def write(txn: WriteTxn, mailbox: int, state: PerUser) -> None:
    """Keep a set for a client (RopWritePerUserInformation, MS-OXCSTOR 2.2.1.13). Raises LimitReached."""
    key = pack(mailbox, Table.PERUSER, state.folder.to_gid())
    if len(state.data) > MAX_STATE or len(state.replica_guid) != 16:
        raise LimitReached(f"a read state has a GUID and at most {MAX_STATE} bytes")
    prefix = head(mailbox, Table.PERUSER)
    if not txn.has(key) and sum(1 for _ in txn.scan_keys(prefix, successor(prefix))) >= MAX_FOLDERS:
        raise LimitReached(f"read states of at most {MAX_FOLDERS} folders")
    txn.put(key, state.folder.to_gid() + state.replica_guid + state.data)


def _parse(raw: bytes) -> PerUser:
    return PerUser(LongTermId.from_gid(raw[:22]), raw[22:38], raw[38:])


def read(txn: ReadTxn, mailbox: int, folder: LongTermId) -> PerUser | None:
    """The set of a folder (RopReadPerUserInformation, MS-OXCSTOR 2.2.1.12), or None."""
    raw = txn.get(pack(mailbox, Table.PERUSER, folder.to_gid()))
    return _parse(raw) if raw is not None else None


def of_replica(txn: ReadTxn, mailbox: int, replica_guid: bytes) -> list[LongTermId]:
    """The folders with a set of this replica (RopGetPerUserLongTermIds, MS-OXCSTOR 2.2.1.10)."""
    prefix = head(mailbox, Table.PERUSER)
    states = (_parse(raw) for _, raw in txn.scan(prefix, successor(prefix)))
    return [state.folder for state in states if state.replica_guid == replica_guid]


def delete(txn: WriteTxn, mailbox: int, folder: LongTermId) -> bool:
    """Forget the set of a folder; whether there was one."""
    return txn.delete(pack(mailbox, Table.PERUSER, folder.to_gid()))


def check(txn: ReadTxn, mailbox: int, fids: set[int]) -> Iterator[str]:
    """What is wrong with the read states."""
    prefix = head(mailbox, Table.READSTATE)
    for key, raw in txn.scan(prefix, successor(prefix)):
        fid = int.from_bytes(key[5:13], "big")
        if fid not in fids:
            yield f"a read state of a folder that is gone, {fid:#x}"
        try:
            IdSet.parse(raw, by_guid=False)
        except ValueError as error:
            yield f"the read state of user {tail_q(key)} in {fid:#x}: {error}"
    prefix = head(mailbox, Table.PERUSER)
    for key, raw in txn.scan(prefix, successor(prefix)):
        if len(raw) < 38 or key != pack(mailbox, Table.PERUSER, raw[:22]):
            yield "a client's read state stands under another folder"


def repair(txn: WriteTxn, mailbox: int, fids: set[int]) -> None:
    """Take away what belongs to no folder or cannot be read: the messages are unread again."""
    prefix = head(mailbox, Table.READSTATE)
    for key, raw in list(txn.scan(prefix, successor(prefix))):
        try:
            IdSet.parse(raw, by_guid=False)
        except ValueError:
            txn.delete(key)
            continue
        if int.from_bytes(key[5:13], "big") not in fids:
            txn.delete(key)
    prefix = head(mailbox, Table.PERUSER)
    for key, raw in list(txn.scan(prefix, successor(prefix))):
        if len(raw) < 38 or key != pack(mailbox, Table.PERUSER, raw[:22]):
            txn.delete(key)
