"""What hangs on a folder beside its row and messages; dropped together when the folder goes.

The rows of the folder's log stay: clients that were away learn of its end from the hierarchy's log, and
`mailbox.retention` drops them with the log.
"""

from appliance.store import (
    local_ids,
    permissions,
    peruser,
    receive_folders,
    rules,
    search_folders,
    timers,
    uids,
    views,
)
from appliance.store.kv import WriteTxn


def drop(txn: WriteTxn, mailbox: int, fid: int) -> None:
    """Forget everything that belongs to a folder which was removed from the tree."""
    uids.drop(txn, mailbox, fid)
    views.drop(txn, mailbox, fid)
    permissions.drop(txn, mailbox, fid)
    rules.clear(txn, mailbox, fid)
    receive_folders.drop_folder(txn, mailbox, fid)
    peruser.drop_folder(txn, mailbox, fid)
    local_ids.drop_folder(txn, mailbox, fid)
    search_folders.drop(txn, mailbox, fid)
    timers.cancel_all(txn, mailbox, fid)
