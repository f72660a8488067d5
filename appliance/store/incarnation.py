"""A new incarnation of a mailbox: after a restore, and after a repair that found its counter behind.

Clients may know numbers of the old one that are above what the store remembers. So everything that they
compare changes: another replica GUID, a counter above every old value, greater UIDVALIDITYs, an empty log,
no ActiveSync state.
"""

from dataclasses import replace

from appliance.store import eas_state, folders, mailboxes
from appliance.store.kv import WriteTxn

COUNTER_JUMP = 1 << 32
"""What a new incarnation adds to the counter: no client can have seen a number above."""

UIDVALIDITY_JUMP = 1 << 16


def renew(txn: WriteTxn, mailbox: int, replica_guid: bytes) -> None:
    """Make a mailbox a new incarnation; `replica_guid` are 16 fresh random bytes."""
    known = mailboxes.identity(txn, mailbox)
    fresh = replace(known, replica_guid=replica_guid, incarnation=known.incarnation + 1)
    mailboxes.put_identity(txn, fresh)
    box = mailboxes.get(txn, mailbox)
    box.counter += COUNTER_JUMP
    box.log_floor = box.counter
    box.next_uidvalidity += UIDVALIDITY_JUMP
    for folder in list(folders.walk(txn, mailbox)):
        folder.uidvalidity = box.next_uidvalidity
        box.next_uidvalidity += 1
        folders.put(txn, mailbox, folder)
    mailboxes.put(txn, box)
    eas_state.void(txn, mailbox)
