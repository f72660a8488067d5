"""One change of a mailbox: the clock, the folders that it touches, and who makes it.

An `Edit` loads each folder once and stores it once at the end, together with the clock and the UID orders
that lost messages, so that a change of a thousand messages writes each shared row a single time.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from appliance.store import folders, log, uids
from appliance.store.folders import Folder
from appliance.store.kv import WriteTxn
from appliance.store.mailboxes import REPLICA, Clock, changing


class Edit:
    """Made by `editing`. `now` is a FILETIME; `actor` a directory id; `origin` the session or device."""

    __slots__ = ("_folders", "_gone", "actor", "clock", "mailbox", "now", "origin", "txn")

    def __init__(self, txn: WriteTxn, clock: Clock, now: int, actor: int, origin: int) -> None:
        self.txn = txn
        self.clock = clock
        self.mailbox = clock.mailbox
        self.now = now
        self.actor = actor
        self.origin = origin
        self._folders: dict[int, Folder] = {}
        self._gone: dict[int, list[int]] = {}

    def folder(self, fid: int) -> Folder:
        """A folder's row, stored again when the edit ends. Raises NotFound."""
        folder = self._folders.get(fid)
        if folder is None:
            folder = self._folders[fid] = folders.get(self.txn, self.mailbox, fid)
        return folder

    def number(self) -> int:
        """The next number of the clock."""
        return self.clock.next()

    def new_id(self) -> int:
        """A new MID or FID."""
        return self.clock.next_id()

    @staticmethod
    def cn(number: int) -> int:
        """A number of the clock as a change number."""
        return REPLICA | number

    def lose_uid(self, fid: int, uid: int) -> None:
        """Take a UID out of its folder's order when the edit ends."""
        if uid:
            self._gone.setdefault(fid, []).append(uid)

    def log(
        self,
        fid: int,
        number: int,
        kind: log.Kind,
        *,
        mid: int,
        uid: int = 0,
        mask: int = 0,
        old_fid: int = 0,
        old_mid: int = 0,
        old_uid: int = 0,
    ) -> None:
        """Log a change of a folder's contents and move its `contents_mod`."""
        self.folder(fid).contents_mod = number
        log.append(
            self.txn,
            self.mailbox,
            fid,
            number,
            kind,
            mid=mid,
            uid=uid,
            mask=mask,
            actor=self.actor,
            origin=self.origin,
            old_fid=old_fid,
            old_mid=old_mid,
            old_uid=old_uid,
        )

    def flush(self) -> None:
        """Store the folders and UID orders."""
        for fid, gone in self._gone.items():
            uids.remove(self.txn, self.mailbox, fid, sorted(gone))
        self._gone.clear()
        for folder in self._folders.values():
            folders.put(self.txn, self.mailbox, folder)
        self._folders.clear()


@contextmanager
def editing(txn: WriteTxn, mailbox: int, *, now: int, actor: int = 0, origin: int = 0) -> Iterator[Edit]:
    """A change of one mailbox; everything it touched is stored when the block ends well."""
    with changing(txn, mailbox) as clock:
        edit = Edit(txn, clock, now, actor, origin)
        yield edit
        edit.flush()
