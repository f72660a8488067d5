"""What a client lacks: the differences between its state and the store (MS-OXCFXICS 3.2.5.3).

Changes are messages (folders) whose CN is not among those that the client has seen; deletions are ids that
the client was given and that are no longer there; read states are those whose read CN the client has not
seen.

deviation: in public folders, where each user has an own read state, no read CNs are kept. There the read set
of the state is what the store keeps for the user, the CNs of the messages that are read: a difference of the
two is a change of read state.

When the client has seen everything up to a number N, the folder's log from N on names all that can differ,
and a synchronisation costs what changed, not what the folder holds. A count proves that nothing else
differs: the ids given, less the deletions, plus the changes, are as many as the folder's messages.
Otherwise, and for scopes that no log covers (restrictions, search folders), every row is looked at.

After a plan the client has seen all up to `top`, the mailbox's counter at that moment: a CN set that has all
numbers to `top` stays small and misses nothing, since whatever changes later takes a higher number. Not so
for scopes that a message may enter without changing: there only the numbers that were sent are added.
"""

from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from appliance.mapi.idset import IdSet, RangeSet
from appliance.rop.ics.flags import SynchronizationExtraFlags, SynchronizationFlags
from appliance.rop.ics.state import State, add, has, short_form
from appliance.store import contents, folders, log, mailboxes, replids, search_folders
from appliance.store.contents import Row, RowFlag
from appliance.store.folders import Folder, FolderFlag, FolderKind
from appliance.store.kv import ReadTxn
from appliance.store.mailboxes import FIRST_NUMBER

Matches = Callable[[ReadTxn, Row], bool]
"""Whether a message is in the scope that a restriction makes."""


@dataclass(slots=True)
class Tally:
    """Count and bytes of changes of one kind, for progress."""

    count: int = 0
    size: int = 0

    def add(self, row: Row) -> None:
        """One more."""
        self.count += 1
        self.size += row.size


@dataclass(slots=True)
class ContentsPlan:
    """What a contents synchronisation has to send. `changes` are MIDs in the order of sending; sets are by
    replica id. `own_reads`: what the user has read, in a public folder."""

    top: int
    exact: bool
    changes: "array[int]" = field(default_factory=lambda: array("Q"))
    deleted: IdSet = field(default_factory=IdSet)
    no_longer_in_scope: IdSet = field(default_factory=IdSet)
    read: IdSet = field(default_factory=IdSet)
    unread: IdSet = field(default_factory=IdSet)
    read_cns: IdSet = field(default_factory=IdSet)
    own_reads: IdSet | None = None
    normal: Tally = field(default_factory=Tally)
    fai: Tally = field(default_factory=Tally)


class _Contents:
    """Looks at rows one by one."""

    def __init__(
        self,
        txn: ReadTxn,
        flags: SynchronizationFlags,
        state: State,
        matches: Matches | None,
        top: int,
        exact: bool,
        own: IdSet | None,
    ) -> None:
        self._txn, self._flags, self._state, self._matches = txn, flags, state, matches
        self.plan = ContentsPlan(top, exact, own_reads=own)
        self.found: list[tuple[int, int, bool]] = []
        """(delivery time, MID, associated) of changes."""

    def look(self, row: Row) -> None:
        """A row that is there."""
        state, flags, plan = self._state, self._flags, self.plan
        if self._matches is not None and not self._matches(self._txn, row):
            if has(state.given, row.mid):
                add(plan.no_longer_in_scope, row.mid)
            return
        if row.associated:
            if flags & SynchronizationFlags.FAI and not has(state.seen_fai, row.cn):
                plan.fai.add(row)
                self.found.append((row.received, row.mid, True))
            return
        if flags & SynchronizationFlags.NORMAL and not has(state.seen, row.cn):
            plan.normal.add(row)
            self.found.append((row.received, row.mid, False))
        elif flags & SynchronizationFlags.READ_STATE and has(state.given, row.mid):
            self._look_read(row)

    def _look_read(self, row: Row) -> None:
        """The read state of a message that did not change."""
        state, plan = self._state, self.plan
        if plan.own_reads is not None:
            is_read = has(plan.own_reads, row.cn)
            if is_read != has(state.read, row.cn):
                add(plan.read if is_read else plan.unread, row.mid)
        elif not has(state.read, row.read_cn):
            add(plan.read if row.flags & RowFlag.SEEN else plan.unread, row.mid)
            add(plan.read_cns, row.read_cn)

    def finish(self, extra: SynchronizationExtraFlags) -> ContentsPlan:
        """The plan, its changes in order: associated ones first, or all from the newest to the oldest."""
        if extra & SynchronizationExtraFlags.ORDER_BY_DELIVERY_TIME:
            self.found.sort(key=lambda each: (-each[0], -each[1]))
        else:
            self.found.sort(key=lambda each: not each[2])
        self.plan.changes = array("Q", (mid for _, mid, _ in self.found))
        if self._flags & SynchronizationFlags.NO_DELETIONS:
            self.plan.deleted = IdSet()
        if self._flags & (SynchronizationFlags.NO_DELETIONS | SynchronizationFlags.IGNORE_NO_LONGER_IN_SCOPE):
            self.plan.no_longer_in_scope = IdSet()
        return self.plan


def plan_contents(
    txn: ReadTxn,
    mailbox: int,
    fid: int,
    flags: SynchronizationFlags,
    extra: SynchronizationExtraFlags,
    state: State,
    matches: Matches | None = None,
    own: IdSet | None = None,
) -> ContentsPlan:
    """The differences of a folder's contents. `own`: what the user has read, in a public folder. Raises
    NotFound for the folder."""
    folder = folders.get(txn, mailbox, fid)
    top = mailboxes.get(txn, mailbox).counter
    exact = matches is not None or folder.kind == FolderKind.SEARCH
    if not exact:
        quick = _from_log(txn, mailbox, folder, flags, extra, state, top, own)
        if quick is not None:
            return quick
    looking = _Contents(txn, flags, state, matches, top, exact, own)
    present = _Present()
    for row in _rows(txn, mailbox, folder):
        present.add(row.mid)
        looking.look(row)
    looking.plan.deleted = short_form(state.given) - present.ids()
    return looking.finish(extra)


class _Present:
    """Collects ids that come in rising order, or nearly so."""

    def __init__(self) -> None:
        self._ids = IdSet()

    def add(self, short_id: int) -> None:
        """One more."""
        add(self._ids, short_id)

    def ids(self) -> IdSet:
        """All of them."""
        return self._ids


def _rows(txn: ReadTxn, mailbox: int, folder: Folder) -> Iterator[Row]:
    if folder.kind == FolderKind.SEARCH:
        yield from search_folders.rows(txn, mailbox, folder.fid)
        return
    yield from contents.rows(txn, mailbox, folder.fid, True)
    yield from contents.rows(txn, mailbox, folder.fid)


def _from_log(
    txn: ReadTxn,
    mailbox: int,
    folder: Folder,
    flags: SynchronizationFlags,
    extra: SynchronizationExtraFlags,
    state: State,
    top: int,
    own: IdSet | None,
) -> ContentsPlan | None:
    """The plan from the folder's log, None where the log cannot tell."""
    if own is not None and flags & SynchronizationFlags.READ_STATE:
        if own != state.read:
            return None
        flags &= ~SynchronizationFlags.READ_STATE
    since = _seen_up_to(flags, state)
    if since < max(log.floor(txn, mailbox), FIRST_NUMBER):
        return None
    looking = _Contents(txn, flags, state, None, top, False, own)
    touched: set[int] = set()
    limit = max(64, (folder.total + folder.associated) // 4)
    for change in log.changes(txn, mailbox, folder.fid, since):
        touched.add(change.mid)
        if len(touched) > limit:
            return None
    for mid in sorted(touched):
        row = contents.find(txn, mailbox, folder.fid, mid)
        row = row if row is not None else contents.find(txn, mailbox, folder.fid, mid, True)
        if row is not None:
            looking.look(row)
        elif has(state.given, mid):
            add(looking.plan.deleted, mid)
    changed = IdSet.of_ids(mid for _, mid, _ in looking.found)
    after = _count(short_form(state.given) - looking.plan.deleted | changed)
    there = folder.total if flags & SynchronizationFlags.NORMAL else 0
    there += folder.associated if flags & SynchronizationFlags.FAI else 0
    return looking.finish(extra) if after == there else None


def _count(ids: IdSet) -> int:
    return sum(len(ranges) for _, ranges in ids.items())


def _seen_up_to(flags: SynchronizationFlags, state: State) -> int:
    """The number up to which the client has seen every change that the flags ask for."""
    sets = (
        (SynchronizationFlags.NORMAL, state.seen),
        (SynchronizationFlags.FAI, state.seen_fai),
        (SynchronizationFlags.READ_STATE, state.read),
    )
    return min((unbroken(ids) for flag, ids in sets if flags & flag), default=0)


def unbroken(ids: IdSet) -> int:
    """The number up to which a CN set has every number of our own replica."""
    first = next(iter(ids.get(replids.OWN).ranges), (FIRST_NUMBER + 1, 0))
    return first[1] if first[0] <= FIRST_NUMBER + 1 else 0


def all_up_to(top: int) -> IdSet:
    """The CN set of every number of our own replica up to `top`."""
    return IdSet({replids.OWN: RangeSet([(1, top)])})


@dataclass(slots=True)
class HierarchyPlan:
    """What a hierarchy synchronisation has to send: FIDs, parents first, and the ids that are gone."""

    top: int
    changes: list[int]
    deleted: IdSet
    hidden: list[int]
    """CNs of folders in scope that the client must not see."""


def plan_hierarchy(
    txn: ReadTxn,
    mailbox: int,
    root: int,
    state: State,
    visible: Callable[[int], bool],
    *,
    deletions: bool,
) -> HierarchyPlan:
    """The differences below a folder. Raises NotFound for the folder."""
    folders.get(txn, mailbox, root)
    plan = HierarchyPlan(mailboxes.get(txn, mailbox).counter, [], IdSet(), [])
    present: list[int] = []
    for folder in descendants(txn, mailbox, root):
        if not visible(folder.fid):
            plan.hidden.append(folder.cn)
            continue
        present.append(folder.fid)
        if not has(state.seen, folder.cn):
            plan.changes.append(folder.fid)
    if deletions:
        plan.deleted = short_form(state.given) - IdSet.of_ids(present)
    return plan


def descendants(txn: ReadTxn, mailbox: int, root: int) -> Iterator[Folder]:
    """The folders below a folder, parents before children. Search folders are not synchronized."""
    by_parent: dict[int, list[Folder]] = {}
    for folder in folders.walk(txn, mailbox):
        by_parent.setdefault(folder.parent, []).append(folder)
    level: Iterable[int] = [root]
    while level:
        found = [folder for fid in level for folder in by_parent.pop(fid, ()) if _is_replicated(folder)]
        yield from found
        level = [folder.fid for folder in found]


def _is_replicated(folder: Folder) -> bool:
    return folder.kind != FolderKind.SEARCH and not folder.flags & FolderFlag.DELETED
