"""Search folders: what they look for, and links to the messages that they found (MS-OXCFOLD 2.2.1.4).

SEARCH_LINKS of a mailbox holds, parted by a byte: definitions (search FID), links (search FID, MID) to the
FID where the message stands, and the links of a message (MID, search FID).

A search folder is populated in steps, then follows the logs of the folders in its scope. A step is read in a
snapshot (`plan`, in a reader thread: it looks at properties) and applied by a write function (`apply`), which
believes a finding only while the message's row is the one that was looked at: what changed meanwhile is in
the log and comes with the next step.

Invariants:
- Every link stands in both directions and belongs to a definition whose folder is a search folder.
- The folder's `total` and `unread` are not touched by its links (the rows are elsewhere): see `counts`.
- A change of the links is logged in the search folder as LINKED or UNLINKED, with the message's own FID;
  the end of its first population as SEARCHED.
- A definition in state STATIC does not follow the log once it is populated (MS-OXCFOLD 2.2.1.4.1.2).
- After `apply` says DONE, the links are those of the snapshot at the definition's `position`.
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import IntFlag
from itertools import islice

from appliance.mapi import restrictions, values
from appliance.mapi.matching import Object, Predicate, compiled
from appliance.store import contents, folders, log, mailboxes
from appliance.store.contents import Row, RowFlag
from appliance.store.edit import Edit
from appliance.store.errors import LimitReached, NotFound, StoreError
from appliance.store.folders import FolderKind
from appliance.store.keys import Table, head, successor, tail_q
from appliance.store.kv import ReadTxn, WriteTxn

MAX_SCOPE = 1000
"""Folders that a definition names, at most."""

MAX_RESTRICTION = 64 << 10
MAX_LINKS = 1_000_000
STEP_ROWS = 200
"""Messages that one plan looks at."""

_DEFINITION, _LINK, _OF_MESSAGE = b"\0", b"\1", b"\2"
_ROW = struct.Struct("<BIQQQHI")
_VERSION = 1
_MOVES = frozenset(
    {log.Kind.FOLDER_MOVED, log.Kind.FOLDER_DELETED, log.Kind.FOLDER_RESTORED, log.Kind.FOLDER_CREATED}
)


class SearchFlag(IntFlag):
    """SearchFlags of RopSetSearchCriteria (MS-OXCFOLD 2.2.1.4.1) as far as they are kept, and our own."""

    NONE = 0
    RECURSIVE = 0x04
    STATIC = 0x40000
    STOPPED = 1 << 24
    POPULATED = 1 << 25


@dataclass(frozen=True, slots=True)
class Definition:
    """What a search folder looks for. `restriction` is in the form of `values.extended_form`; `scope` are
    FIDs. `position`: changes up to this number are in the links (once POPULATED). While it is populated,
    `resume` (FID, MID) is where the next step begins."""

    fid: int
    restriction: bytes
    scope: tuple[int, ...]
    flags: SearchFlag
    position: int = 0
    resume: tuple[int, int] = (0, 0)

    def predicate(self) -> Predicate:
        """The restriction, compiled. Raises ValueError for damaged bytes."""
        if not self.restriction:
            return lambda _item: True
        return compiled(restrictions.parse(self.restriction, values.extended_form()))


@dataclass(frozen=True, slots=True)
class Plan:
    """What a step found: messages with the version that was looked at, to link or to unlink; and the
    definition as it is when the step is done."""

    before: Definition
    after: Definition
    link: tuple[tuple[int, int, int], ...]
    """(FID, MID, mod)"""
    unlink: tuple[int, ...]
    done: bool


Look = Callable[[ReadTxn, int, Row], Object]
"""Gives a message's properties to a restriction: (transaction, mailbox, row)."""


def _key(mailbox: int, part: bytes, *numbers: int) -> bytes:
    return head(mailbox, Table.SEARCH_LINKS) + part + b"".join(n.to_bytes(8, "big") for n in numbers)


def find(txn: ReadTxn, mailbox: int, fid: int) -> Definition | None:
    """The definition of a search folder, None for one that has none yet."""
    raw = txn.get(_key(mailbox, _DEFINITION, fid))
    return _parse(fid, raw) if raw is not None else None


def _parse(fid: int, raw: bytes) -> Definition:
    _, flags, position, at_fid, at_mid, scope, length = _ROW.unpack_from(raw)
    end = _ROW.size + 8 * scope
    fids = struct.unpack_from(f"<{scope}Q", raw, _ROW.size)
    return Definition(fid, raw[end : end + length], fids, SearchFlag(flags), position, (at_fid, at_mid))


def definitions(txn: ReadTxn, mailbox: int) -> list[Definition]:
    """Every definition of a mailbox."""
    prefix = _key(mailbox, _DEFINITION)
    return [_parse(tail_q(key), raw) for key, raw in txn.scan(prefix, successor(prefix))]


def _store(txn: WriteTxn, mailbox: int, new: Definition) -> None:
    fixed = _ROW.pack(_VERSION, new.flags, new.position, *new.resume, len(new.scope), len(new.restriction))
    scope = struct.pack(f"<{len(new.scope)}Q", *new.scope)
    txn.put(_key(mailbox, _DEFINITION, new.fid), fixed + scope + new.restriction)


def define(
    txn: WriteTxn, mailbox: int, fid: int, restriction: bytes, scope: tuple[int, ...], flags: SearchFlag
) -> Definition:
    """Set what a search folder looks for; population begins anew, links that no longer hold go as its steps
    come to them. Raises NotFound, LimitReached, StoreError for a folder that is no search folder, ValueError
    for a restriction that cannot be read."""
    if folders.get(txn, mailbox, fid).kind != FolderKind.SEARCH:
        raise StoreError(f"folder {fid:#x} is no search folder")
    if not scope or len(scope) > MAX_SCOPE or len(restriction) > MAX_RESTRICTION:
        raise LimitReached(f"1 to {MAX_SCOPE} folders and {MAX_RESTRICTION} bytes of restriction")
    for within in scope:
        folders.get(txn, mailbox, within)
    position = mailboxes.get(txn, mailbox).counter
    kept = flags & (SearchFlag.RECURSIVE | SearchFlag.STATIC)
    new = Definition(fid, restriction, scope, kept, position)
    new.predicate()
    _store(txn, mailbox, new)
    return new


def restart(txn: WriteTxn, mailbox: int, fid: int) -> None:
    """Populate a folder anew with the same criteria (RESTART_SEARCH)."""
    known = _required(txn, mailbox, fid)
    define(txn, mailbox, fid, known.restriction, known.scope, known.flags)


def stop(txn: WriteTxn, mailbox: int, fid: int) -> None:
    """Neither populate nor follow until `restart` (STOP_SEARCH, MS-OXCFOLD 2.2.1.4.1)."""
    known = _required(txn, mailbox, fid)
    _store(txn, mailbox, replace(known, flags=known.flags | SearchFlag.STOPPED))


def _required(txn: ReadTxn, mailbox: int, fid: int) -> Definition:
    known = find(txn, mailbox, fid)
    if known is None:
        raise NotFound(f"search criteria of folder {fid:#x}")
    return known


def drop(txn: WriteTxn, mailbox: int, fid: int) -> None:
    """Forget a search folder's definition and links (it goes)."""
    for mid, _ in list(links(txn, mailbox, fid)):
        txn.delete(_key(mailbox, _OF_MESSAGE, mid, fid))
    prefix = _key(mailbox, _LINK, fid)
    txn.delete_range(prefix, successor(prefix))
    txn.delete(_key(mailbox, _DEFINITION, fid))


def links(txn: ReadTxn, mailbox: int, fid: int, *, after: int = 0) -> Iterator[tuple[int, int]]:
    """(MID, FID) of the messages that a search folder shows, by MID, from above `after`."""
    prefix = _key(mailbox, _LINK, fid)
    for key, raw in txn.scan(_key(mailbox, _LINK, fid, after + 1), successor(prefix)):
        yield tail_q(key), int.from_bytes(raw, "big")


def home(txn: ReadTxn, mailbox: int, fid: int, mid: int) -> int | None:
    """The FID where a message stands that a search folder shows; None for another message."""
    raw = txn.get(_key(mailbox, _LINK, fid, mid))
    return int.from_bytes(raw, "big") if raw is not None else None


def rows(txn: ReadTxn, mailbox: int, fid: int, *, after: int = 0) -> Iterator[Row]:
    """The messages that a search folder shows; links whose message has just gone are passed over."""
    for mid, home in links(txn, mailbox, fid, after=after):
        row = contents.find(txn, mailbox, home, mid)
        if row is not None:
            yield row


def of_message(txn: ReadTxn, mailbox: int, mid: int) -> list[int]:
    """The search folders that show a message."""
    prefix = _key(mailbox, _OF_MESSAGE, mid)
    return [tail_q(key) for key in txn.scan_keys(prefix, successor(prefix))]


def counts(txn: ReadTxn, mailbox: int, fid: int) -> tuple[int, int]:
    """(messages, unread ones) of a search folder."""
    total = unread = 0
    for row in rows(txn, mailbox, fid):
        total += 1
        unread += not row.flags & RowFlag.SEEN
    return total, unread


def folders_in_scope(txn: ReadTxn, mailbox: int, definition: Definition) -> list[int]:
    """The FIDs that a definition covers: its scope, with what lies below when it is recursive; never another
    search folder."""
    everything = {folder.fid: folder for folder in folders.walk(txn, mailbox)}
    wanted = {fid for fid in definition.scope if fid in everything}
    if definition.flags & SearchFlag.RECURSIVE:
        below: dict[int, list[int]] = {}
        for folder in everything.values():
            below.setdefault(folder.parent, []).append(folder.fid)
        queue = list(wanted)
        while queue:
            fresh = [fid for fid in below.get(queue.pop(), ()) if fid not in wanted]
            wanted.update(fresh)
            queue += fresh
    return sorted(fid for fid in wanted if everything[fid].kind != FolderKind.SEARCH)


def plan(txn: ReadTxn, mailbox: int, fid: int, look: Look, limit: int = STEP_ROWS) -> Plan | None:
    """The next step of a search folder; None when there is nothing to do."""
    definition = find(txn, mailbox, fid)
    if definition is None or definition.flags & SearchFlag.STOPPED:
        return None
    if not definition.flags & SearchFlag.POPULATED:
        return _populate(txn, mailbox, definition, look, limit)
    if definition.flags & SearchFlag.STATIC:
        return None
    box = mailboxes.get(txn, mailbox)
    if definition.position >= box.counter:
        return None
    if definition.position < box.log_floor:
        begun = replace(
            definition, flags=definition.flags & ~SearchFlag.POPULATED, position=box.counter, resume=(0, 0)
        )
        return replace(_populate(txn, mailbox, begun, look, limit), before=definition)
    return _follow(txn, mailbox, definition, look, limit, box.counter)


def _populate(txn: ReadTxn, mailbox: int, definition: Definition, look: Look, limit: int) -> Plan:
    predicate = definition.predicate()
    scope = folders_in_scope(txn, mailbox, definition)
    at_fid, at_mid = definition.resume
    link: list[tuple[int, int, int]] = []
    unlink: list[int] = []
    left = limit
    for home in scope:
        if home < at_fid:
            continue
        for row in islice(
            contents.rows(txn, mailbox, home, after=at_mid if home == at_fid else 0), max(left, 0)
        ):
            left -= 1
            _decide(predicate(look(txn, mailbox, row)), row, link, unlink)
            if left == 0:
                resumed = replace(definition, resume=(home, row.mid))
                return Plan(definition, resumed, tuple(link), tuple(unlink), False)
    # What is linked but out of the scope, or gone, goes at the end of the population.
    inside = set(scope)
    for mid, home in links(txn, mailbox, definition.fid):
        if home not in inside or contents.find(txn, mailbox, home, mid) is None:
            unlink.append(mid)
    after = replace(definition, flags=definition.flags | SearchFlag.POPULATED, resume=(0, 0))
    return Plan(definition, after, tuple(link), tuple(unlink), True)


def _decide(found: bool, row: Row, link: list[tuple[int, int, int]], unlink: list[int]) -> None:
    if found:
        link.append((row.fid, row.mid, row.mod))
    else:
        unlink.append(row.mid)


def _follow(txn: ReadTxn, mailbox: int, definition: Definition, look: Look, limit: int, counter: int) -> Plan:
    predicate = definition.predicate()
    changes = _changes(txn, mailbox, definition)
    cut = min(limit, len(changes))
    while 0 < cut < len(changes) and changes[cut][1].number == changes[cut - 1][1].number:
        cut += 1  # what one change of the hierarchy brought is one step
    complete = cut == len(changes)
    # A message may change several times: what counts is how it stands now.
    mids = {(home, change.mid) for home, change in changes[:cut] if change.mid}
    link: list[tuple[int, int, int]] = []
    unlink: list[int] = []
    for home, mid in sorted(mids):
        row = contents.find(txn, mailbox, home, mid) if home else None
        if row is not None:
            _decide(predicate(look(txn, mailbox, row)), row, link, unlink)
        elif not home or txn.get(_key(mailbox, _LINK, definition.fid, mid)) == home.to_bytes(8, "big"):
            unlink.append(mid)
    position = counter if complete else changes[cut - 1][1].number
    return Plan(definition, replace(definition, position=position), tuple(link), tuple(unlink), complete)


def _changes(txn: ReadTxn, mailbox: int, definition: Definition) -> list[tuple[int, log.Change]]:
    """(FID, change) of the scope's folders after the position, in order. A folder that left the scope or
    the tree counts too while the folder still has links into it."""
    scope = set(folders_in_scope(txn, mailbox, definition))
    found = [
        (home, change)
        for home in sorted(scope)
        for change in log.changes(txn, mailbox, home, definition.position)
    ]
    for change in log.changes(txn, mailbox, log.HIERARCHY, definition.position):
        if change.kind in _MOVES:
            found += _hierarchy(txn, mailbox, definition, change, scope)
    return sorted(found, key=lambda pair: pair[1].number)


def _hierarchy(
    txn: ReadTxn, mailbox: int, definition: Definition, change: log.Change, scope: set[int]
) -> list[tuple[int, log.Change]]:
    """A folder that came into the scope or left it: its messages, as changes of their own."""
    branch = _branch(txn, mailbox, change.mid)
    found = []
    for home in branch & scope:
        found += [(home, change._replace(mid=row.mid)) for row in contents.rows(txn, mailbox, home)]
    outside = branch - scope
    if outside:
        found += [
            (0, change._replace(mid=mid))
            for mid, home in links(txn, mailbox, definition.fid)
            if home in outside
        ]
    return found


def _branch(txn: ReadTxn, mailbox: int, fid: int) -> set[int]:
    branch, queue = {fid}, [fid]
    while queue:
        fresh = [folder.fid for folder in folders.children(txn, mailbox, queue.pop())]
        branch.update(fresh)
        queue += fresh
    return branch


def apply(edit: Edit, step: Plan) -> bool:
    """Store a step, unless the definition changed since; whether the folder is up to date with it. Raises
    LimitReached."""
    txn, mailbox, fid = edit.txn, edit.mailbox, step.before.fid
    if find(txn, mailbox, fid) != step.before:
        return False
    for home, mid, mod in step.link:
        row = contents.find(txn, mailbox, home, mid)
        if row is not None and row.mod == mod:
            _link(edit, fid, row)
    for mid in step.unlink:
        _unlink(edit, fid, mid)
    _store(txn, mailbox, step.after)
    if step.after.flags & SearchFlag.POPULATED and not step.before.flags & SearchFlag.POPULATED:
        edit.log(fid, edit.number(), log.Kind.SEARCHED, mid=0)
    return step.done


def _link(edit: Edit, fid: int, row: Row) -> None:
    key, home = _key(edit.mailbox, _LINK, fid, row.mid), row.fid.to_bytes(8, "big")
    known = edit.txn.get(key)
    if known == home:
        return
    edit.txn.put(key, home)
    edit.txn.put(_key(edit.mailbox, _OF_MESSAGE, row.mid, fid), b"")
    edit.log(fid, edit.number(), log.Kind.LINKED, mid=row.mid, old_fid=row.fid)


def _unlink(edit: Edit, fid: int, mid: int) -> None:
    key = _key(edit.mailbox, _LINK, fid, mid)
    raw = edit.txn.get(key)
    if raw is None:
        return
    edit.txn.delete(key)
    edit.txn.delete(_key(edit.mailbox, _OF_MESSAGE, mid, fid))
    edit.log(fid, edit.number(), log.Kind.UNLINKED, mid=mid, old_fid=int.from_bytes(raw, "big"))


def check(txn: ReadTxn, mailbox: int, search_fids: set[int]) -> Iterator[str]:
    """What is wrong with definitions and links; `search_fids` are the search folders that exist."""
    defined = {definition.fid for definition in definitions(txn, mailbox)}
    for definition in definitions(txn, mailbox):
        if definition.fid not in search_fids:
            yield f"search criteria of {definition.fid:#x}, which is no search folder"
        try:
            definition.predicate()
        except ValueError as error:
            yield f"the search criteria of {definition.fid:#x}: {error}"
    forward, back = _both(txn, mailbox)
    for fid, mid in sorted(forward ^ back)[:20]:
        yield f"the link of {mid:#x} in search folder {fid:#x} stands in one direction only"
    for fid in sorted({fid for fid, _ in forward | back} - defined):
        yield f"links of {fid:#x}, which has no search criteria"


def _both(txn: ReadTxn, mailbox: int) -> tuple[set[tuple[int, int]], set[tuple[int, int]]]:
    prefix = _key(mailbox, _LINK)
    forward = {
        (int.from_bytes(key[6:14], "big"), tail_q(key)) for key in txn.scan_keys(prefix, successor(prefix))
    }
    prefix = _key(mailbox, _OF_MESSAGE)
    back = {
        (tail_q(key), int.from_bytes(key[6:14], "big")) for key in txn.scan_keys(prefix, successor(prefix))
    }
    return forward, back


def repair(txn: WriteTxn, mailbox: int, search_fids: set[int]) -> None:
    """Drop definitions without folder and damaged ones; where links disagree, populate anew."""
    for definition in definitions(txn, mailbox):
        try:
            definition.predicate()
            damaged = definition.fid not in search_fids
        except ValueError:
            damaged = True
        if damaged:
            drop(txn, mailbox, definition.fid)
    known = {definition.fid: definition for definition in definitions(txn, mailbox)}
    forward, back = _both(txn, mailbox)
    wrong = forward ^ back | {pair for pair in forward | back if pair[0] not in known}
    for fid, mid in wrong:
        txn.delete(_key(mailbox, _LINK, fid, mid))
        txn.delete(_key(mailbox, _OF_MESSAGE, mid, fid))
    counter = mailboxes.get(txn, mailbox).counter
    for fid in {fid for fid, _ in wrong} & known.keys():
        flags = known[fid].flags & ~SearchFlag.POPULATED
        _store(txn, mailbox, replace(known[fid], flags=flags, position=counter, resume=(0, 0)))
