"""\\Recent: which session is the first to see a message (RFC 3501 2.3.2).

Kept in memory for each folder: the first UID that no session has claimed. A folder that was not looked at
since the process began starts with what arrived since then.
"""

from appliance.store import contents, folders
from appliance.store.kv import ReadTxn
from appliance.store.uids import UidView

MAX_LOOKED_AT = 1000
"""Messages that are looked at to find where the recent ones of a folder begin."""


class Recents:
    """The claims of all sessions of a process. `started` is the FILETIME of its start."""

    def __init__(self, started: int) -> None:
        self._started = started
        self._next: dict[tuple[int, int, int], int] = {}

    def first(self, txn: ReadTxn, mailbox: int, fid: int) -> int:
        """The first UID that nobody has claimed."""
        folder = folders.get(txn, mailbox, fid)
        known = self._next.get((mailbox, fid, folder.uidvalidity))
        return known if known is not None else self._begin(txn, mailbox, fid, folder.uidnext)

    def count(self, txn: ReadTxn, mailbox: int, fid: int) -> int:
        """How many messages nobody has claimed: RECENT of STATUS and EXAMINE."""
        uids = UidView(txn, mailbox, fid)
        return uids.count - uids.rank(self.first(txn, mailbox, fid))

    def claim(self, txn: ReadTxn, mailbox: int, fid: int) -> tuple[int, int] | None:
        """Take what nobody has claimed, as a range of UIDs."""
        folder = folders.get(txn, mailbox, fid)
        first = self.first(txn, mailbox, fid)
        self._next[mailbox, fid, folder.uidvalidity] = max(first, folder.uidnext)
        return (first, folder.uidnext - 1) if first < folder.uidnext else None

    def _begin(self, txn: ReadTxn, mailbox: int, fid: int, uidnext: int) -> int:
        uids = UidView(txn, mailbox, fid)
        first = uidnext
        for number in range(uids.count, max(0, uids.count - MAX_LOOKED_AT), -1):
            uid = uids.uid_at(number)
            mid = uids.mid(uid)
            row = contents.find(txn, mailbox, fid, mid) if mid is not None else None
            if row is None or row.saved < self._started:
                break
            first = uid
        return first
