"""The store check: every invariant of the data model, verified against the rows themselves.

`check` only reads and names what is wrong, one line each. `repair` mends what can be derived from truth that
is still there: counts, sizes, UID orders, blob references, orphans. It never invents content: a message whose
blob is missing stays and stays reported.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from appliance.store import (
    blobs,
    contents,
    devices,
    eas_state,
    folders,
    incarnation,
    indexes,
    local_ids,
    log,
    mailboxes,
    messages,
    peruser,
    queue,
    receive_folders,
    rules,
    search_folders,
    timers,
    uids,
    views,
)
from appliance.store.contents import Row, RowFlag
from appliance.store.errors import NotFound, StoreError
from appliance.store.folders import Folder, FolderKind
from appliance.store.keys import SERVER, Table, head, head_q, head_qq, pack, successor, tail_q
from appliance.store.kv import ReadTxn, WriteTxn
from appliance.store.mailboxes import Identity
from appliance.store.store import Store

Checker = Callable[[ReadTxn], Iterable[str]]
References = Callable[[ReadTxn], Iterable[int]]


@dataclass(frozen=True, slots=True)
class Extra:
    """What a package above or beside the mailboxes adds: its own invariants, and the blobs it refers to."""

    name: str
    check: Checker
    references: References | None = None


@dataclass(slots=True)
class _Tally:
    """What the rows of one folder add up to."""

    total: int = 0
    unread: int = 0
    associated: int = 0
    size: int = 0
    associated_size: int = 0
    deleted: int = 0
    deleted_size: int = 0
    highest: int = 0
    by_uid: dict[int, int] = field(default_factory=dict)


def check(store: Store, extras: Iterable[Extra] = (), *, contents_too: bool = False) -> list[str]:
    """Everything that is wrong with the store; empty when it is sound. `contents_too` reads the bytes of
    every message besides, blob by blob, each in a snapshot of its own."""
    wrong: list[str] = []
    extras = tuple(extras)
    references: Counter[int] = Counter()
    with store.read() as txn:
        for identity in mailboxes.identities(txn):
            wrong += _mailbox(txn, identity, references)
        wrong += _strays(txn)
        wrong += [f"queue: {line}" for line in queue.check(txn)]
        wrong += devices.check(txn)
        references.update(queue.references(txn))
        for extra in extras:
            wrong += [f"{extra.name}: {line}" for line in extra.check(txn)]
            if extra.references is not None:
                references.update(extra.references(txn))
        wrong += _blobs(txn, references)
        numbers = [number for number, _ in blobs.heads(txn)] if contents_too else []
    for number in numbers:
        with store.read() as txn, suppress(NotFound):  # one that is gone by now was deleted meanwhile
            if fault := blobs.verify(txn, number):
                wrong.append(fault)
    return wrong


def _mailbox(txn: ReadTxn, identity: Identity, references: Counter[int]) -> Iterator[str]:
    mailbox = identity.number
    try:
        row = mailboxes.get(txn, mailbox)
    except NotFound:
        yield f"mailbox {mailbox}: no counters"
        return
    tree = {folder.fid: folder for folder in folders.walk(txn, mailbox)}
    tallies = {fid: _Tally() for fid in tree}
    seen: set[int] = set()
    for message in all_rows(txn, mailbox):
        tally = tallies.get(message.fid)
        if tally is None:
            yield f"mailbox {mailbox}: message {message.mid:#x} in a folder that is gone, {message.fid:#x}"
            continue
        _add(tally, message)
        yield from (f"mailbox {mailbox}: {line}" for line in _message(txn, mailbox, row, message, seen))
        references.update(references_of(txn, mailbox, message))
    for deleted in contents.all_buried(txn, mailbox):
        message = deleted.row
        tally = tallies.get(message.fid)
        if tally is None:
            yield f"mailbox {mailbox}: soft-deleted {message.mid:#x} in a folder that is gone"
            continue
        tally.deleted += 1
        tally.deleted_size += message.size
        yield from (f"mailbox {mailbox}: {line}" for line in _message(txn, mailbox, row, message, seen))
        references.update(references_of(txn, mailbox, message))
    for fid, folder in tree.items():
        lines = _folder(txn, mailbox, folder, tree, tallies[fid], row.counter)
        yield from (f"mailbox {mailbox}: {line}" for line in lines)
    yield from (f"mailbox {mailbox}: {line}" for line in _totals(row, tallies))
    yield from (f"mailbox {mailbox}: {line}" for line in _names(txn, mailbox, tree))
    yield from (f"mailbox {mailbox}: {line}" for line in _orphans(txn, mailbox, seen))
    yield from (f"mailbox {mailbox}: {line}" for line in _unrendered(txn, mailbox))
    yield from (f"mailbox {mailbox}: {line}" for line in _log(txn, row))
    yield from (f"mailbox {mailbox}: {line}" for line in _indexes(txn, mailbox))
    yield from (f"mailbox {mailbox}: {line}" for line in _attached(txn, mailbox, tree))


def _attached(txn: ReadTxn, mailbox: int, tree: dict[int, Folder]) -> Iterator[str]:
    """What stands beside folders and messages."""
    fids = set(tree)
    yield from receive_folders.check(txn, mailbox, fids)
    yield from rules.check(txn, mailbox, fids)
    yield from peruser.check(txn, mailbox, fids)
    yield from local_ids.check(txn, mailbox, fids)
    yield from search_folders.check(txn, mailbox, _search_folders(tree))
    yield from timers.check(txn, mailbox)
    yield from eas_state.check(txn, mailbox)


def _search_folders(tree: dict[int, Folder]) -> set[int]:
    return {fid for fid, folder in tree.items() if folder.kind == FolderKind.SEARCH}


def _expected(txn: ReadTxn, mailbox: int) -> tuple[set[indexes.Pair], dict[int, int]]:
    """The rows of the indexes and the reminders (MID: due) that follow from the messages."""
    pairs: set[indexes.Pair] = set()
    reminders: dict[int, int] = {}
    for row in all_rows(txn, mailbox):
        if row.associated or not txn.has(head_q(mailbox, Table.MESSAGES, row.mid)):
            continue
        packed = messages.load(txn, mailbox, row.mid).packed_bag
        try:
            pairs.update(indexes.pairs(txn, mailbox, row.fid, row.mid, packed))
            due = indexes.reminder(txn, packed)
        except ValueError:
            continue  # the bag is damaged, and named as such
        if due is not None:
            reminders[row.mid] = due
    return pairs, reminders


def _indexes(txn: ReadTxn, mailbox: int) -> Iterator[str]:
    pairs, reminders = _expected(txn, mailbox)
    for key, _ in sorted(indexes.stored(txn, mailbox) ^ pairs)[:20]:
        yield f"{Table(key[4]).name.lower()}: the row {key[5:].hex()} and its message differ"
    for mid, due in reminders.items():
        if timers.get(txn, mailbox, timers.Kind.REMINDER, mid) != due:
            yield f"message {mid:#x}: its reminder has no timer"
    for timer in timers.due(txn, mailbox, timers.FOREVER, limit=1 << 30):
        if timer.kind == timers.Kind.REMINDER and timer.object not in reminders:
            yield f"a reminder of {timer.object:#x}, which has none"


def _repair_attached(txn: WriteTxn, mailbox: int, tree: dict[int, Folder]) -> None:
    fids = set(tree)
    receive_folders.repair(txn, mailbox, fids)
    rules.repair(txn, mailbox, fids)
    peruser.repair(txn, mailbox, fids)
    search_folders.repair(txn, mailbox, _search_folders(tree))
    timers.repair(txn, mailbox)
    eas_state.repair(txn, mailbox)
    pairs, reminders = _expected(txn, mailbox)
    for key, _ in indexes.stored(txn, mailbox) - pairs:
        txn.delete(key)
    for key, value in pairs:
        txn.put(key, value)
    for timer in timers.due(txn, mailbox, timers.FOREVER, limit=1 << 30):
        if timer.kind == timers.Kind.REMINDER and timer.object not in reminders:
            timers.cancel(txn, mailbox, timers.Kind.REMINDER, timer.object)
    for mid, due in reminders.items():
        timers.put(txn, mailbox, timers.Kind.REMINDER, mid, due)


def all_rows(txn: ReadTxn, mailbox: int) -> Iterator[Row]:
    """The rows of every folder of a mailbox."""
    prefix = head(mailbox, Table.CONTENTS)
    for key, raw in txn.scan(prefix, successor(prefix)):
        yield contents.parse(int.from_bytes(key[5:13], "big"), tail_q(key), bool(key[13]), raw)


def _add(tally: _Tally, row: Row) -> None:
    if row.associated:
        tally.associated += 1
        tally.associated_size += row.size
        return
    tally.total += 1
    tally.size += row.size
    tally.unread += not row.flags & RowFlag.SEEN
    tally.highest = max(tally.highest, row.uid)
    tally.by_uid[row.uid] = row.mid


def _message(txn: ReadTxn, mailbox: int, box: mailboxes.Mailbox, row: Row, seen: set[int]) -> Iterator[str]:
    name = f"message {row.mid:#x}"
    if row.mid in seen:
        yield f"{name} stands in two places"
    seen.add(row.mid)
    if row.mod > box.counter:
        yield f"{name}: mod {row.mod} is above the counter {box.counter}"
    try:
        cold = messages.load(txn, mailbox, row.mid)
        cold.bag()
    except (StoreError, ValueError) as error:
        yield f"{name}: {error}"
        return
    if len(cold.prefix) != row.prefix:
        yield f"{name}: {len(cold.prefix)} bytes of trace headers, the row says {row.prefix}"
    if row.blob:
        try:
            size = blobs.info(txn, row.blob).size
        except NotFound as error:
            yield f"{name}: {error}"
            return
        if size + row.prefix != row.size:
            yield f"{name}: {row.size} bytes, its blob and trace headers have {size + row.prefix}"


def references_of(txn: ReadTxn, mailbox: int, row: Row) -> Iterator[int]:
    """The blobs that a message names."""
    if row.blob:
        yield row.blob
    for part in messages.parts(txn, mailbox, row.mid):
        yield from messages.part_blobs(part)


def _folder(
    txn: ReadTxn,
    mailbox: int,
    folder: Folder,
    tree: dict[int, Folder],
    tally: _Tally,
    counter: int,
) -> Iterator[str]:
    name = f"folder {folder.fid:#x}"
    for what in ("total", "unread", "associated", "deleted", "size", "associated_size", "deleted_size"):
        stored, true = getattr(folder, what), getattr(tally, what)
        if stored != true:
            yield f"{name}: {what} is {stored}, the rows have {true}"
    if tally.highest >= folder.uidnext:
        yield f"{name}: UID {tally.highest} is not below UIDNEXT {folder.uidnext}"
    if max(folder.mod, folder.contents_mod) > counter:
        yield f"{name}: its versions are above the counter {counter}"
    below = sum(1 for other in tree.values() if other.parent == folder.fid)
    if below != folder.subfolders:
        yield f"{name}: {folder.subfolders} subfolders, the tree has {below}"
    if folder.parent and folder.parent not in tree:
        yield f"{name}: its parent {folder.parent:#x} is gone"
    elif folder.parent and folders.lookup(txn, mailbox, folder.parent, folder.name) != folder.fid:
        yield f"{name}: its name does not lead to it"
    depth, above = 0, folder
    while above.parent in tree and depth <= folders.MAX_DEPTH:
        above, depth = tree[above.parent], depth + 1
    if depth > folders.MAX_DEPTH:
        yield f"{name}: too deep, or a cycle"
    yield from uids.check(txn, mailbox, folder.fid)
    yield from views.check(txn, mailbox, folder.fid, lambda txn, mid: _packed_bag(txn, mailbox, mid))
    try:
        order = dict(uids.UidView(txn, mailbox, folder.fid).range(0, uids.TAIL))
    except LookupError as error:
        yield str(error)
        return
    if order != tally.by_uid:
        differ = sorted(order.items() ^ tally.by_uid.items())[:3]
        yield f"{name}: the UID order and the rows differ, first at {differ}"


def _packed_bag(txn: ReadTxn, mailbox: int, mid: int) -> bytes | None:
    try:
        return messages.load(txn, mailbox, mid).packed_bag
    except NotFound:
        return None


def _unrendered(txn: ReadTxn, mailbox: int) -> Iterator[str]:
    """The index of messages without MIME against the rows."""
    true = {
        head_qq(mailbox, Table.UNRENDERED, row.fid, row.mid)
        for row in all_rows(txn, mailbox)
        if not row.blob and not row.associated
    }
    prefix = head(mailbox, Table.UNRENDERED)
    stored = set(txn.scan_keys(prefix, successor(prefix)))
    if stored != true:
        yield f"{len(stored)} messages are marked as without MIME, the rows have {len(true)}"


def _totals(row: mailboxes.Mailbox, tallies: dict[int, _Tally]) -> Iterator[str]:
    true = {
        "count": sum(t.total + t.associated for t in tallies.values()),
        "size": sum(t.size + t.associated_size for t in tallies.values()),
        "deleted_size": sum(t.deleted_size for t in tallies.values()),
    }
    for what, value in true.items():
        if getattr(row, what) != value:
            yield f"{what} is {getattr(row, what)}, the folders have {value}"


def _names(txn: ReadTxn, mailbox: int, tree: dict[int, Folder]) -> Iterator[str]:
    prefix = head(mailbox, Table.FOLDER_NAMES)
    for key, raw in txn.scan(prefix, successor(prefix)):
        fid = int.from_bytes(raw, "big")
        if fid not in tree or tree[fid].parent != int.from_bytes(key[5:13], "big"):
            yield f"a folder name leads to {fid:#x}, which is not there"


_BY_MESSAGE = (Table.MESSAGES, Table.PARTS)
_INDEXES = (Table.MESSAGE_IDS, Table.CONVERSATIONS)


def _orphans(txn: ReadTxn, mailbox: int, seen: set[int]) -> Iterator[str]:
    for table in _BY_MESSAGE:
        prefix = head(mailbox, table)
        for key in txn.scan_keys(prefix, successor(prefix)):
            if int.from_bytes(key[5:13], "big") not in seen:
                yield f"{table.name.lower()}: {int.from_bytes(key[5:13], 'big'):#x} belongs to no message"
    for table in _INDEXES:
        prefix = head(mailbox, table)
        for key in txn.scan_keys(prefix, successor(prefix)):
            if tail_q(key) not in seen:
                yield f"{table.name.lower()}: {tail_q(key):#x} belongs to no message"


def _log(txn: ReadTxn, row: mailboxes.Mailbox) -> Iterator[str]:
    highest = log.highest(txn, row.number)
    if highest > row.counter:
        yield f"the log reaches {highest}, the counter {row.counter}"


def _strays(txn: ReadTxn) -> Iterator[str]:
    """Rows of mailboxes that do not exist."""
    known = {identity.number for identity in mailboxes.identities(txn)}
    start = successor(SERVER.to_bytes(4, "big"))
    while pair := txn.first(start, b"\xff" * 5):
        mailbox = int.from_bytes(pair[0][:4], "big")
        if mailbox not in known:
            yield f"rows of mailbox {mailbox}, which does not exist"
        start = (mailbox + 1).to_bytes(4, "big")


def _blobs(txn: ReadTxn, references: Counter[int]) -> Iterator[str]:
    leased = blobs.leased(txn)
    chunks: Counter[int] = Counter()
    heads: dict[int, blobs.Info] = {}
    for number, sub in blobs.numbers(txn):
        if sub == 0:
            heads[number] = blobs.info(txn, number)
        elif sub >= 2:
            chunks[number] += 1
    for number in sorted(chunks.keys() - heads.keys() - leased):
        yield f"blob {number}: chunks without a head or lease"
    for number, info in heads.items():
        if info.references != references[number]:
            yield f"blob {number}: {info.references} references, {references[number]} rows name it"
        if chunks[number] != max(1, -(-info.size // blobs.CHUNK)):
            yield f"blob {number}: {info.size} bytes in {chunks[number]} chunks"
        if info.sha256 and txn.get(pack(SERVER, Table.BLOB_HASHES, info.sha256)) != number.to_bytes(8, "big"):
            yield f"blob {number}: its hash does not lead to it"
    for number in blobs.structured(txn):
        if number not in heads:
            yield f"blob {number}: a structure without a head"
    for number in sorted(references.keys() - heads.keys()):
        yield f"blob {number}: named by {references[number]} rows, but missing"
    prefix = head(SERVER, Table.BLOB_HASHES)
    for _, raw in txn.scan(prefix, successor(prefix)):
        if int.from_bytes(raw, "big") not in heads:
            yield f"a hash leads to blob {int.from_bytes(raw, 'big')}, which is not there"


def repair(
    store: Store, extras: Iterable[Extra] = (), new_guid: Callable[[], bytes] | None = None
) -> list[str]:
    """Mend what can be derived; what was wrong before. Run `check` again for what is left. Only while no
    server has the store open. `new_guid` gives 16 random bytes: a mailbox whose counter or UIDs had fallen
    behind becomes a new incarnation with them."""
    extras = tuple(extras)
    wrong = check(store, extras)
    if not wrong:
        return wrong
    with store.read() as txn:
        numbers = [identity.number for identity in mailboxes.identities(txn)]
    for number in numbers:
        behind = store.write(lambda txn, number=number: _repair_mailbox(txn, number), reserve=True).result()  # type: ignore[misc]
        if behind and new_guid is not None:
            guid = new_guid()
            store.write(lambda txn, n=number, g=guid: incarnation.renew(txn, n, g), reserve=True).result()  # type: ignore[misc]
    store.write(lambda txn: _repair_blobs(txn, extras), reserve=True).result()
    return wrong


def _repair_mailbox(txn: WriteTxn, mailbox: int) -> bool:
    """Whether numbers may have been given out that the mailbox does not know of."""
    row = mailboxes.get(txn, mailbox)
    counter = row.counter
    tree = {folder.fid: folder for folder in folders.walk(txn, mailbox)}
    tallies = {fid: _Tally() for fid in tree}
    seen: set[int] = set()
    for message in list(all_rows(txn, mailbox)):
        if message.fid not in tree or not txn.has(head_q(mailbox, Table.MESSAGES, message.mid)):
            contents.delete(txn, mailbox, message)
            continue
        seen.add(message.mid)
        _add(tallies[message.fid], message)
        row.counter = max(row.counter, message.mod)
    for deleted in list(contents.all_buried(txn, mailbox)):
        if deleted.row.fid not in tree:
            contents.exhume(txn, mailbox, deleted.row.fid, deleted.row.mid)
            continue
        seen.add(deleted.row.mid)
        tallies[deleted.row.fid].deleted += 1
        tallies[deleted.row.fid].deleted_size += deleted.row.size
    behind = any(tallies[fid].highest >= folder.uidnext for fid, folder in tree.items())
    for fid, folder in tree.items():
        _repair_folder(txn, mailbox, folder, tallies[fid], tree)
    row.count = sum(t.total + t.associated for t in tallies.values())
    row.size = sum(t.size + t.associated_size for t in tallies.values())
    row.deleted_size = sum(t.deleted_size for t in tallies.values())
    row.counter = max(
        row.counter, log.highest(txn, mailbox), *(max(f.mod, f.contents_mod) for f in tree.values())
    )
    mailboxes.put(txn, row)
    _drop_orphans(txn, mailbox, seen)
    prefix = head(mailbox, Table.UNRENDERED)
    txn.delete_range(prefix, successor(prefix))
    for message in list(all_rows(txn, mailbox)):
        if not message.blob and not message.associated:
            txn.put(head_qq(mailbox, Table.UNRENDERED, message.fid, message.mid), b"")
    _repair_attached(txn, mailbox, tree)
    return row.counter > counter or behind


def _repair_folder(
    txn: WriteTxn, mailbox: int, folder: Folder, tally: _Tally, tree: dict[int, Folder]
) -> None:
    folder.total, folder.unread, folder.associated = tally.total, tally.unread, tally.associated
    folder.size, folder.associated_size = tally.size, tally.associated_size
    folder.deleted, folder.deleted_size = tally.deleted, tally.deleted_size
    folder.uidnext = max(folder.uidnext, tally.highest + 1)
    folder.subfolders = sum(1 for other in tree.values() if other.parent == folder.fid)
    folders.put(txn, mailbox, folder)
    views.drop(txn, mailbox, folder.fid)  # made again on their next use
    if dict(uids.UidView(txn, mailbox, folder.fid).range(0, uids.TAIL)) != tally.by_uid or uids.check(
        txn, mailbox, folder.fid
    ):
        uids.drop(txn, mailbox, folder.fid)
        for uid in sorted(tally.by_uid):
            uids.append(txn, mailbox, folder.fid, uid, tally.by_uid[uid])


def _drop_orphans(txn: WriteTxn, mailbox: int, seen: set[int]) -> None:
    for table in (*_BY_MESSAGE, *_INDEXES):
        prefix = head(mailbox, table)
        for key in list(txn.scan_keys(prefix, successor(prefix))):
            mid = int.from_bytes(key[5:13], "big") if table in _BY_MESSAGE else tail_q(key)
            if mid not in seen:
                txn.delete(key)


def _repair_blobs(txn: WriteTxn, extras: tuple[Extra, ...]) -> None:
    references: Counter[int] = Counter(queue.references(txn))
    for identity in mailboxes.identities(txn):
        for row in all_rows(txn, identity.number):
            references.update(references_of(txn, identity.number, row))
        for deleted in contents.all_buried(txn, identity.number):
            references.update(references_of(txn, identity.number, deleted.row))
    for extra in extras:
        if extra.references is not None:
            references.update(extra.references(txn))
    for number, info in list(blobs.heads(txn)):
        if info.references != references[number]:
            blobs.correct(txn, number, references[number])
    blobs.drop_lost_structures(txn)
    blobs.sweep(txn, limit=1 << 30)
