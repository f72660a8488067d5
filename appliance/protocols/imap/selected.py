"""What a session sees of its folder.

A session keeps no list of messages. Its view is the folder's UID order in the snapshot at hand, plus the
UIDs that are gone but were not announced (`gone`), minus the UIDs above the greatest that the client knows
(`ceiling`). Sequence numbers are ranks in that union, so they move only when something is announced.

Invariants:
- `gone` is sorted and holds only UIDs up to `ceiling` that are absent from the snapshot.
- `position` is the number of the mailbox's clock up to which the log has been read; every snapshot is
  brought up to its own number before a sequence number is taken from it.
- Cost grows with what changed, never with the folder.
"""

from bisect import bisect_left, insort
from collections.abc import Iterator
from typing import NamedTuple

from appliance.protocols.imap.errors import Bad, Bye
from appliance.protocols.imap.sequence import MAX_NUMBER, Ranges, SequenceSet
from appliance.store import folders, log, mailboxes
from appliance.store.kv import ReadTxn
from appliance.store.log import Kind
from appliance.store.uids import UidView


class Place(NamedTuple):
    """A message of the view."""

    seq: int
    uid: int
    mid: int


class Columns(NamedTuple):
    """Messages of the view, as columns of equal length."""

    seqs: list[int]
    uids: list[int]
    mids: list[int]


class Selected:
    """The selected folder of one session."""

    __slots__ = (
        "ceiling",
        "changed",
        "fid",
        "gone",
        "keywords",
        "mailbox",
        "name",
        "origin",
        "position",
        "read_only",
        "recent",
        "saved",
        "uidvalidity",
    )

    def __init__(
        self, txn: ReadTxn, *, mailbox: int, fid: int, name: str, read_only: bool, origin: int
    ) -> None:
        folder = folders.get(txn, mailbox, fid)
        self.mailbox, self.fid, self.name, self.read_only = mailbox, fid, name, read_only
        self.origin = origin
        """The number that marks this session's own changes in the log."""
        self.uidvalidity = folder.uidvalidity
        self.position = mailboxes.get(txn, mailbox).counter
        uids = UidView(txn, mailbox, fid)
        self.ceiling = uids.uid_at(uids.count) if uids.count else 0
        self.gone: list[int] = []
        self.changed: set[int] = set()
        self.recent: list[tuple[int, int]] = []
        """UIDs that are \\Recent in this session, as ranges."""
        self.saved = Ranges()
        """The saved search result `$` (RFC 5182), as UIDs."""
        self.keywords: set[str] = set()
        """Keywords that the client was told of by FLAGS, folded."""

    def is_behind(self, txn: ReadTxn) -> bool:
        """Whether the mailbox has changed since the log was last read."""
        return mailboxes.get(txn, self.mailbox).counter != self.position

    def at(self, txn: ReadTxn) -> "Snapshot":
        """The view over a snapshot. Raises Bye when the folder is gone or was made anew."""
        counter = mailboxes.get(txn, self.mailbox).counter
        if counter != self.position:
            self._advance(txn)
            self.position = counter
        return Snapshot(self, UidView(txn, self.mailbox, self.fid))

    def _advance(self, txn: ReadTxn) -> None:
        folder = folders.find(txn, self.mailbox, self.fid)
        if folder is None or folder.uidvalidity != self.uidvalidity:
            raise Bye("The selected mailbox was deleted.")
        if log.floor(txn, self.mailbox) > self.position:
            raise Bye("The session slept too long; please select the mailbox again.")
        for change in log.changes(txn, self.mailbox, self.fid, self.position):
            left = change.gone()
            if 0 < left <= self.ceiling:
                insort(self.gone, left)
                self.changed.discard(left)
            told = change.kind in (Kind.FLAGS, Kind.CHANGED) and change.origin != self.origin
            if told and 0 < change.uid <= self.ceiling:
                self.changed.add(change.uid)

    def modseq(self, txn: ReadTxn) -> int:
        """HIGHESTMODSEQ of the folder."""
        return folders.get(txn, self.mailbox, self.fid).contents_mod

    def is_recent(self, uid: int) -> bool:
        """Whether a message is \\Recent in this session."""
        return any(low <= uid <= high for low, high in self.recent)

    def recent_in(self, txn: ReadTxn) -> int:
        """How many messages of the view are \\Recent."""
        uids = UidView(txn, self.mailbox, self.fid)
        return sum(uids.rank(high + 1) - uids.rank(low) for low, high in self.recent)


class Snapshot:
    """The view in one read transaction; valid as long as that."""

    __slots__ = ("_ceiling", "_gone", "uids", "view")

    def __init__(self, view: Selected, uids: UidView) -> None:
        self.view = view
        self.uids = uids
        self._gone = view.gone
        self._ceiling = view.ceiling

    @property
    def count(self) -> int:
        """Messages that the client counts."""
        return self.uids.rank(self._ceiling + 1) + len(self._gone)

    @property
    def greatest(self) -> int:
        """The UID of the client's last message, 0 when there is none: `*` of UID commands."""
        known = self.uids.rank(self._ceiling + 1)
        last = self.uids.uid_at(known) if known else 0
        return max(last, self._gone[-1]) if self._gone else last

    def seq(self, uid: int) -> int:
        """The sequence number of a UID that is in the view."""
        return self.uids.rank(uid) + bisect_left(self._gone, uid) + 1

    def uid(self, seq: int) -> int:
        """The UID of sequence number 1 to `count`."""
        if not self._gone:
            return self.uids.uid_at(seq)
        low, high = 0, len(self._gone)
        while low < high:  # how many gone messages stand before `seq`
            middle = (low + high) // 2
            number = self.uids.rank(self._gone[middle]) + middle + 1
            if number == seq:
                return self._gone[middle]
            if number < seq:
                low = middle + 1
            else:
                high = middle
        return self.uids.uid_at(seq - low)

    def resolve(self, messages: SequenceSet, *, uid: bool) -> Ranges:
        """The UIDs that a set names, as ranges that may hold UIDs of no message. Raises Bad for sequence
        numbers beyond the view (RFC 9051 9, seq-number)."""
        if messages.saved:
            return self.view.saved
        if uid:
            # RFC 9051 6.4.9: UIDs that do not exist are passed over
            return messages.resolve(self.greatest).clip(1, self._ceiling)
        count = self.count
        if messages.highest > count or (messages.star and not count):
            raise Bad("No such message.")
        pairs = messages.resolve(count).pairs
        return Ranges((self.uid(low), self.uid(high)) for low, high in pairs)

    def columns(self, wanted: Ranges, after: int, limit: int) -> Columns:
        """Sequence numbers, UIDs and MIDs of the messages with UIDs in `wanted` and above `after`, `limit`
        at most. Those that are gone are not among them."""
        seqs: list[int] = []
        uids: list[int] = []
        mids: list[int] = []
        for low, high in wanted.clip(after + 1, self._ceiling).pairs:
            found = self.uids.columns(low, high, limit - len(uids))
            if found[0]:
                seq = self.uids.rank(found[0][0]) + 1
                seqs += range(seq, seq + len(found[0]))
                uids += found[0]
                mids += found[1]
                if len(uids) >= limit:
                    break
        if self._gone:
            seqs = [seq + bisect_left(self._gone, uid) for seq, uid in zip(seqs, uids, strict=True)]
        return Columns(seqs, uids, mids)

    def places(self, wanted: Ranges, after: int, limit: int) -> list[Place]:
        """The same, one by one."""
        return [Place(*each) for each in zip(*self.columns(wanted, after, limit), strict=True)]

    def missing(self, wanted: Ranges) -> bool:
        """Whether `wanted` names a message that is gone but not announced."""
        return any(uid in wanted for uid in self._gone)

    def numbers(self, uids: list[int], *, uid: bool) -> list[int]:
        """UIDs as the client asked for them: as they are, or as sequence numbers."""
        return uids if uid else [self.seq(each) for each in uids]

    def existing(self, wanted: Ranges) -> Iterator[int]:
        """The UIDs of messages in `wanted` that exist."""
        for low, high in wanted.clip(1, self._ceiling).pairs:
            for uid, _ in self.uids.range(low, high):
                yield uid


def all_uids() -> Ranges:
    """Every UID there can be."""
    return Ranges([(1, MAX_NUMBER)])
