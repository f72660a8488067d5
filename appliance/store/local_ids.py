"""Ids that clients may give to objects themselves (MS-OXCFXICS 2.2.3.2.4.7, 2.2.3.2.4.8).

A client asks for a range of ids, offline it gives them to new messages and folders, and names them when it
uploads those. `allocate` takes the range from the mailbox's counter, so that nobody else ever has it.

Kept under FID 0: what was handed out and not used yet. Such an id may become an object once (`take`); an id
that is not among them and that no object has belonged to one that is gone. Kept under a folder's FID: ids
that will never be objects of that folder, since the client said so (`forbid`).

Invariant: handed out ids are at most the mailbox's counter. Sets are packed by replica id. A folder's set may
have MAX_SET bytes; beyond that nothing is added to it.
"""

from collections.abc import Iterable, Iterator

from appliance.mapi.ids import counter_of, replica_of
from appliance.mapi.idset import IdSet
from appliance.store import replids
from appliance.store.keys import Table, head, head_q, successor, tail_q
from appliance.store.kv import ReadTxn, WriteTxn
from appliance.store.mailboxes import REPLICA, Clock
from appliance.store.mailboxes import get as get_mailbox

MAX_SET = 65536
FREE = 0


def _key(mailbox: int, fid: int) -> bytes:
    return head_q(mailbox, Table.LOCAL_IDS, fid)


def _load(txn: ReadTxn, mailbox: int, fid: int) -> IdSet:
    return IdSet.parse(txn.get(_key(mailbox, fid)) or b"", by_guid=False)


def _store(txn: WriteTxn, mailbox: int, fid: int, ids: IdSet) -> None:
    if ids:
        txn.put(_key(mailbox, fid), ids.pack())
    else:
        txn.delete(_key(mailbox, fid))


def allocate(txn: WriteTxn, clock: Clock, count: int) -> int:
    """The first of `count` new ids in a row."""
    first = clock.next()
    clock.row.counter += count - 1
    ids = _load(txn, clock.mailbox, FREE)
    ids.add(replids.OWN, first, first + count - 1)
    _store(txn, clock.mailbox, FREE, ids)
    return REPLICA | first


def is_free(txn: ReadTxn, mailbox: int, short_id: int) -> bool:
    """Whether an id was handed out and is not used yet."""
    return _load(txn, mailbox, FREE).contains(replica_of(short_id), counter_of(short_id))


def take(txn: WriteTxn, mailbox: int, short_ids: Iterable[int]) -> None:
    """These ids are used now, or never will be."""
    ids = _load(txn, mailbox, FREE)
    left = ids - IdSet.of_ids(short_ids)
    if left != ids:
        _store(txn, mailbox, FREE, left)


def forbid(txn: WriteTxn, mailbox: int, fid: int, more: IdSet) -> None:
    """These ids will never be objects of a folder."""
    ids = _load(txn, mailbox, fid) | more
    if len(ids.pack()) <= MAX_SET:
        _store(txn, mailbox, fid, ids)


def is_forbidden(txn: ReadTxn, mailbox: int, fid: int, short_id: int) -> bool:
    """Whether an id will never be an object of a folder."""
    return _load(txn, mailbox, fid).contains(replica_of(short_id), counter_of(short_id))


def drop_folder(txn: WriteTxn, mailbox: int, fid: int) -> None:
    """Forget what is known of a folder that goes."""
    txn.delete(_key(mailbox, fid))


def check(txn: ReadTxn, mailbox: int, fids: set[int]) -> Iterator[str]:
    """What is wrong with the ids of a mailbox."""
    prefix = head(mailbox, Table.LOCAL_IDS)
    counter = get_mailbox(txn, mailbox).counter
    for key, raw in txn.scan(prefix, successor(prefix)):
        fid = tail_q(key)
        if fid not in fids | {FREE}:
            yield f"local ids of folder {fid:#x}, which is not there"
        ranges = IdSet.parse(raw, by_guid=False).get(replids.OWN).ranges
        if fid == FREE and ranges and ranges[-1][1] > counter:
            yield f"local ids up to {ranges[-1][1]:#x}, beyond the counter {counter:#x}"
