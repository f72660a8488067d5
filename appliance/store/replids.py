"""Replica ids: 16-bit numbers for replica GUIDs, one table for the server (MS-OXCSTOR 3.2.5.8).

Id 1 stands for "our own replica" in every mailbox; its GUID is the mailbox's. Others are given to foreign
GUIDs that imports bring.
"""

from appliance.store import mailboxes
from appliance.store.errors import LimitReached
from appliance.store.keys import SERVER, Table, head, pack, successor
from appliance.store.kv import ReadTxn, WriteTxn

OWN = 1
FIRST_FOREIGN = 6
LAST = 0xFFFE


def guid_of(txn: ReadTxn, mailbox: int, replid: int) -> bytes | None:
    """The GUID (16 bytes, wire order) behind a replica id, or None."""
    if replid == OWN:
        return mailboxes.identity(txn, mailbox).replica_guid
    return txn.get(pack(SERVER, Table.REPLIDS, replid))


def find(txn: ReadTxn, mailbox: int, guid: bytes) -> int | None:
    """The replica id of a GUID, or None while it has none."""
    if guid == mailboxes.identity(txn, mailbox).replica_guid:
        return OWN
    raw = txn.get(pack(SERVER, Table.REPLID_GUIDS, guid))
    return int.from_bytes(raw, "big") if raw is not None else None


def foreign(txn: ReadTxn) -> list[tuple[int, bytes]]:
    """Every replica id that was given out, with its GUID."""
    prefix = head(SERVER, Table.REPLIDS)
    return [(int.from_bytes(key[5:13], "big"), guid) for key, guid in txn.scan(prefix, successor(prefix))]


def assign(txn: WriteTxn, mailbox: int, guid: bytes) -> int:
    """The replica id of a GUID, which it gets now if it is new. Raises LimitReached."""
    known = find(txn, mailbox, guid)
    if known is not None:
        return known
    prefix = head(SERVER, Table.REPLIDS)
    last = txn.last(prefix, successor(prefix))
    new = int.from_bytes(last[0][5:13], "big") + 1 if last else FIRST_FOREIGN
    if new > LAST:
        raise LimitReached("no replica id is left")
    txn.put(pack(SERVER, Table.REPLIDS, new), guid)
    txn.put(pack(SERVER, Table.REPLID_GUIDS, guid), new.to_bytes(2, "big"))
    return new
