"""What a client's replica brings: imports of messages, folders, deletions, moves and read states (MS-OXCFXICS
3.1.5.3, 3.1.5.6, 3.2.5.9.4).

A client names objects by source key, a GID whose counter the server has handed out (`local_ids`), and
versions by change key and predecessor change list. An import of a version that the store has been through
already is refused with ecSyncIgnore, one of an object that is gone with ecSyncObjectDeleted. What was
imported has the client's change key and list and a change number of ours.

Conflicts: a version that neither knows the stored one nor is known to it. Normal messages become a conflict
resolve message, which has both as attachments and looks like the one that was written last; associated
messages, folders, and messages in folders whose PidTagResolveMethod says so, become the one that was written
last. Either way the result is a successor of both.

Rights are checked here. Errors: MapiError with the codes of synchronisation, Refused for the rest.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from appliance.mailbox import folders as mailbox_folders
from appliance.mailbox import rights
from appliance.mailbox.actor import Actor
from appliance.mailbox.errors import Reason, Refused, refusing
from appliance.mailbox.messages import own_reads
from appliance.mapi import errors as ec
from appliance.mapi import tags
from appliance.mapi.errors import MapiError
from appliance.mapi.ids import LongTermId, Order, PredecessorChangeList, Xid, counter_of, make_id, replica_of
from appliance.mapi.idset import IdSet
from appliance.mapi.types import Bag, Value
from appliance.store import (
    contents,
    folders,
    local_ids,
    mailboxes,
    messages,
    permissions,
    peruser,
    replids,
    versions,
)
from appliance.store.contents import Row, RowFlag
from appliance.store.edit import Edit, editing
from appliance.store.folders import Folder, FolderFlag, FolderKind
from appliance.store.kv import ReadTxn, WriteTxn
from appliance.store.mailboxes import changing
from appliance.store.permissions import Right
from appliance.store.versions import Version
from appliance.wire.errors import DecodeError

STEP = 200
"""Messages that one write function deletes, moves or marks, at most."""

MAX_LOCAL_IDS = 1 << 20
"""Ids that one client may ask for at once; clients ask for 512 to 65,536 (3.3.5.8.12)."""

_RESOLVE_LAST_WRITER = 1  # PidTagResolveMethod, 2.2.1.4.1


@dataclass(frozen=True, slots=True)
class Import:
    """What a client says about the version that it brings. `modified`: FILETIME."""

    key: bytes
    modified: int
    version: Version

    @classmethod
    def of(cls, bag: Bag) -> "Import":
        """Of the properties that every import begins with. Raises ecInvalidParam."""
        key, modified = bag.get(tags.PidTagSourceKey), bag.get(tags.PidTagLastModificationTime)
        change_key, past = bag.get(tags.PidTagChangeKey), bag.get(tags.PidTagPredecessorChangeList)
        if not (isinstance(key, bytes) and isinstance(modified, int)):
            raise MapiError(ec.ecInvalidParam)
        return cls(key, modified, version_of(change_key, past))


def version_of(change_key: Value, past: Value) -> Version:
    """The version with a change key and a predecessor change list, which it is part of. Raises
    ecInvalidParam."""
    if not (isinstance(change_key, bytes) and isinstance(past, bytes)):
        raise MapiError(ec.ecInvalidParam)
    try:
        listed = PredecessorChangeList.parse(past)
        return Version(change_key, listed.merged([Xid.from_bytes(change_key)]))
    except (DecodeError, ValueError) as error:
        raise MapiError(ec.ecInvalidParam, str(error)) from None


def identified(txn: ReadTxn, mailbox: int, key: bytes) -> int:
    """The FID or MID behind a source key. Raises ecInvalidParam for what no id of this mailbox can be."""
    if len(key) != 22:
        raise MapiError(ec.ecInvalidParam, f"a source key of {len(key)} bytes")
    gid = LongTermId.from_gid(key)
    replica = replids.find(txn, mailbox, gid.guid)
    if replica is None or not gid.counter:
        raise MapiError(ec.ecInvalidParam, "a source key of another replica")
    if replica == replids.OWN and gid.counter > mailboxes.get(txn, mailbox).counter:
        raise MapiError(ec.ecInvalidParam, "a source key that was never handed out")
    return make_id(replica, gid.counter)


def require_new(txn: ReadTxn, mailbox: int, fid: int, short_id: int) -> None:
    """An id that no object of the folder has may become one. Raises ecSyncObjectDeleted."""
    own = replica_of(short_id) == replids.OWN
    if local_ids.is_forbidden(txn, mailbox, fid, short_id) or (
        own and not local_ids.is_free(txn, mailbox, short_id)
    ):
        raise MapiError(ec.ecSyncObjectDeleted)


def stored_version(txn: ReadTxn, mailbox: int, row: Row) -> Version:
    """The version of a stored message."""
    cold = messages.load(txn, mailbox, row.mid)
    known: Bag = {tag: value for tag in versions.STORED if (value := cold.get(tag)) is not None}
    return versions.version(txn, mailbox, row, known)


def wins(ours: tuple[int, bytes], theirs: tuple[int, bytes]) -> bool:
    """Whether the imported version (time, change key) was written last (3.1.5.6.2.2). Of two that were
    written at once, the greater namespace wins; of two of one namespace, the imported one."""
    if ours[0] != theirs[0]:
        return theirs[0] > ours[0]
    return theirs[1][:16] >= ours[1][:16]


def find(txn: ReadTxn, mailbox: int, fid: int, mid: int) -> Row | None:
    """A message of a folder, normal or associated."""
    return contents.find(txn, mailbox, fid, mid) or contents.find(txn, mailbox, fid, mid, True)


# -- ids ----------------------------------------------------------------------------------------------------


def allocate_ids(txn: WriteTxn, mailbox: int, count: int) -> int:
    """The first of `count` ids for the client's own use. Raises ecInvalidParam."""
    if not 0 < count <= MAX_LOCAL_IDS:
        raise MapiError(ec.ecInvalidParam)
    with changing(txn, mailbox) as clock:
        return local_ids.allocate(txn, clock, count)


def forbid_ids(txn: WriteTxn, actor: Actor, mailbox: int, fid: int, ids: IdSet) -> None:
    """The client will never bring these ids into the folder (3.2.5.9.4.8). Needs CREATE."""
    rights.require(txn, actor, mailbox, fid, Right.CREATE)
    folders.get(txn, mailbox, fid)
    local_ids.forbid(txn, mailbox, fid, ids)


# -- folders ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ImportedFolder:
    """A folder after its import. `cn` 0 where the client has to download what became of a conflict."""

    fid: int
    cn: int


def import_folder(
    txn: WriteTxn,
    actor: Actor,
    mailbox: int,
    root: int,
    parent_key: bytes,
    name: str,
    given: Import,
    props: Bag,
    *,
    now: int,
) -> ImportedFolder:
    """Make or change a folder below `root` (3.2.5.9.4.3). Raises ecSyncNoParent, ecSyncIgnore,
    ecSyncObjectDeleted, ecSyncCycle, Refused."""
    with refusing():
        fid = identified(txn, mailbox, given.key)
        parent = identified(txn, mailbox, parent_key) if parent_key else root
        if folders.find(txn, mailbox, parent) is None:
            raise MapiError(ec.ecSyncNoParent)
        existing = folders.find(txn, mailbox, fid)
        if existing is None:
            require_new(txn, mailbox, parent, fid)
            made = _create_folder(txn, actor, mailbox, parent, fid, name, props, now=now)
            local_ids.take(txn, mailbox, [fid])
            return _stamp_folder(txn, mailbox, made, given, given.version.predecessors)
        return _change_folder(txn, actor, mailbox, existing, parent, name, given, props, now=now)


def _create_folder(
    txn: WriteTxn, actor: Actor, mailbox: int, parent: int, fid: int, name: str, props: Bag, *, now: int
) -> Folder:
    rights.require(txn, actor, mailbox, parent, Right.CREATE_SUBFOLDER)
    container_class = props.get(tags.PidTagContainerClass)
    with changing(txn, mailbox) as clock:
        made = folders.create(
            txn,
            clock,
            parent,
            name,
            now=now,
            fid=fid,
            flags=FolderFlag.HIDDEN if props.get(tags.PidTagAttributeHidden) is True else FolderFlag.NONE,
            container_class=container_class if isinstance(container_class, str) else "",
            bag=_rest(props),
            actor=actor.user,
            origin=actor.session,
        )
    permissions.copy(txn, mailbox, parent, fid)
    if actor.mailbox != mailbox and not actor.admin:
        permissions.put(txn, mailbox, fid, actor.user, permissions.ALL)
    return made


_OF_ROW = frozenset({tags.PidTagContainerClass, tags.PidTagAttributeHidden, tags.PidTagDisplayName})


def _rest(props: Bag) -> Bag:
    """What the row of a folder does not hold."""
    return {tag: value for tag, value in props.items() if tag not in _OF_ROW}


def _stamp_folder(
    txn: WriteTxn, mailbox: int, folder: Folder, given: Import, past: PredecessorChangeList
) -> ImportedFolder:
    """Give a folder the version that was imported."""
    folder = folders.get(txn, mailbox, folder.fid)
    folder.modified = given.modified
    folder.change_key, folder.predecessors = given.version.change_key, past.pack()
    folders.put(txn, mailbox, folder)
    txn.touch(mailbox)
    return ImportedFolder(folder.fid, folder.cn)


def _change_folder(
    txn: WriteTxn,
    actor: Actor,
    mailbox: int,
    folder: Folder,
    parent: int,
    name: str,
    given: Import,
    props: Bag,
    *,
    now: int,
) -> ImportedFolder:
    rights.require(txn, actor, mailbox, folder.fid, Right.FOLDER_OWNER)
    ours = versions.folder_version(txn, mailbox, folder)
    order = versions.compare(given.version.predecessors, ours.predecessors)
    if order in (Order.SAME, Order.OLDER):
        raise MapiError(ec.ecSyncIgnore)
    merged = ours.predecessors.merged(given.version.predecessors)
    with changing(txn, mailbox) as clock:
        if order is Order.CONFLICT and given.modified <= folder.modified:  # the server's is kept when equal
            folder.predecessors = merged.pack()
            modified = folder.modified
            folders.changed(txn, clock, folder, now=modified, actor=actor.user, origin=actor.session)
            return ImportedFolder(folder.fid, 0)
        if folder.parent != parent or folder.name != name:
            folder = _move_folder(txn, clock, actor, mailbox, folder, parent, name, now=now)
        _set_folder(folder, props)
        folders.changed(txn, clock, folder, now=now, actor=actor.user, origin=actor.session)
    stamped = _stamp_folder(txn, mailbox, folder, given, merged)
    return ImportedFolder(folder.fid, 0) if order is Order.CONFLICT else stamped


def _move_folder(
    txn: WriteTxn,
    clock: mailboxes.Clock,
    actor: Actor,
    mailbox: int,
    folder: Folder,
    parent: int,
    name: str,
    *,
    now: int,
) -> Folder:
    if folder.flags & FolderFlag.SPECIAL:
        raise Refused(Reason.ACCESS_DENIED, "a special folder keeps its name and place")
    if folder.parent != parent:
        rights.require(txn, actor, mailbox, parent, Right.CREATE_SUBFOLDER)
        if folder.fid in {above.fid for above in folders.ancestors(txn, mailbox, parent)}:
            raise MapiError(ec.ecSyncCycle)
    return folders.move(txn, clock, folder.fid, parent, name, now=now, actor=actor.user, origin=actor.session)


def _set_folder(folder: Folder, props: Bag) -> None:
    """Set properties of a folder's row and bag; the caller stores it."""
    container_class = props.get(tags.PidTagContainerClass)
    if isinstance(container_class, str):
        folder.container_class = container_class
    hidden = props.get(tags.PidTagAttributeHidden)
    if isinstance(hidden, bool):
        folder.flags = folder.flags | FolderFlag.HIDDEN if hidden else folder.flags & ~FolderFlag.HIDDEN
    folder.set_bag({**folder.bag(), **_rest(props)})


# -- deletions ----------------------------------------------------------------------------------------------


def plan_deletes(
    txn: ReadTxn, actor: Actor, mailbox: int, fid: int, keys: Sequence[bytes]
) -> tuple[list[int], list[int]]:
    """MIDs of a folder that are there and that are not. Refuses as a whole before anything is deleted
    (3.2.5.9.4.5). Needs DELETE_ANY."""
    rights.require(txn, actor, mailbox, fid, Right.DELETE_ANY)
    there: list[int] = []
    absent: list[int] = []
    for key in keys:
        mid = identified(txn, mailbox, key)
        (there if find(txn, mailbox, fid, mid) is not None else absent).append(mid)
    return there, absent


def delete_messages(
    txn: WriteTxn,
    actor: Actor,
    mailbox: int,
    fid: int,
    mids: Iterable[int],
    *,
    hard: bool,
    now: int,
) -> None:
    """Delete messages of a folder, STEP at most; those that are gone already are ignored."""
    with refusing():
        rights.require(txn, actor, mailbox, fid, Right.DELETE_ANY)
        with editing(txn, mailbox, now=now, actor=actor.user, origin=actor.session) as edit:
            for mid in mids:
                row = find(txn, mailbox, fid, mid)
                if row is None:
                    continue
                if hard:
                    messages.purge(edit, row)
                else:
                    messages.soft_delete(edit, row)


def record_absent(txn: WriteTxn, mailbox: int, fid: int, ids: Sequence[int]) -> None:
    """Messages of a folder, or folders below it, that were deleted before they ever came must not come later
    (3.2.5.9.4.5)."""
    never = [each for each in ids if local_ids.is_free(txn, mailbox, each)]
    if never:
        local_ids.take(txn, mailbox, never)
        local_ids.forbid(txn, mailbox, fid, IdSet.of_ids(never))


def plan_folder_deletes(
    txn: ReadTxn, actor: Actor, mailbox: int, keys: Sequence[bytes]
) -> tuple[list[int], list[int]]:
    """FIDs to delete, children before parents, and those that are not there. Refuses as a whole before
    anything is deleted. Needs FOLDER_OWNER of each."""
    found: list[int] = []
    absent: list[int] = []
    for key in keys:
        fid = identified(txn, mailbox, key)
        if folders.find(txn, mailbox, fid) is None:
            absent.append(fid)
        elif fid not in found:
            found += [each for each in _branch(txn, mailbox, fid) if each not in found]
    for fid in found:
        rights.require(txn, actor, mailbox, fid, Right.FOLDER_OWNER)
        if folders.get(txn, mailbox, fid).flags & FolderFlag.SPECIAL:
            raise Refused(Reason.ACCESS_DENIED, "a special folder cannot be deleted")
    return found, absent


def _branch(txn: ReadTxn, mailbox: int, fid: int) -> list[int]:
    below = [
        each for child in folders.children(txn, mailbox, fid) for each in _branch(txn, mailbox, child.fid)
    ]
    return [*below, fid]


def delete_folder(txn: WriteTxn, actor: Actor, mailbox: int, fid: int, *, now: int) -> bool:
    """One step of deleting a folder; True when it is gone."""
    if folders.find(txn, mailbox, fid) is None:
        return True
    return mailbox_folders.delete(txn, actor, mailbox, fid, now=now)


# -- moves --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Moved:
    """A message after its move. `order`: how the client's version stood to the server's."""

    row: Row
    order: Order


def import_move(
    txn: WriteTxn,
    actor: Actor,
    mailbox: int,
    to_fid: int,
    source_folder: bytes,
    source_message: bytes,
    new_key: bytes,
    past: bytes,
    change_key: bytes,
    *,
    now: int,
) -> Moved:
    """Move a message into a folder, under the id that the client gave it there (3.2.5.9.4.4). `past` is the
    list of the version that the client has; when it is the server's, or one that the server's has been
    through, the result is the client's change. Raises ecInvalidParam, ecSyncObjectDeleted, Refused."""
    given = version_of(change_key, past)
    known = PredecessorChangeList.parse(past)
    with refusing():
        fid, mid = identified(txn, mailbox, source_folder), identified(txn, mailbox, source_message)
        new_mid = identified(txn, mailbox, new_key)
        rights.require(txn, actor, mailbox, fid, Right.READ_ANY | Right.DELETE_ANY)
        rights.require(txn, actor, mailbox, to_fid, Right.CREATE)
        if folders.get(txn, mailbox, to_fid).kind == FolderKind.SEARCH:
            raise Refused(Reason.INVALID, "a search folder holds no messages of its own")
        row = find(txn, mailbox, fid, mid)
        if row is None:
            raise MapiError(ec.ecNotFound)
        require_new(txn, mailbox, to_fid, new_mid)
        ours = stored_version(txn, mailbox, row)
        order = versions.compare(known, ours.predecessors)
        local_ids.take(txn, mailbox, [new_mid])
        with editing(txn, mailbox, now=now, actor=actor.user, origin=actor.session) as edit:
            if order in (Order.SAME, Order.OLDER):
                merged = Version(given.change_key, ours.predecessors.merged(given.predecessors))
                moved = messages.move(edit, row, to_fid, mid=new_mid, version=merged)
            else:
                moved = messages.move(edit, row, to_fid, mid=new_mid)
        return Moved(moved, order)


# -- read states --------------------------------------------------------------------------------------------


def plan_reads(
    txn: ReadTxn, actor: Actor, mailbox: int, fid: int, states: Sequence[tuple[bytes, bool]]
) -> list[tuple[int, bool]]:
    """MIDs of normal messages that are there, and whether they are read. Refuses as a whole before anything
    is changed (3.2.5.9.4.6). Needs READ_ANY."""
    rights.require(txn, actor, mailbox, fid, Right.READ_ANY)
    found = [(identified(txn, mailbox, key), read) for key, read in states]
    return [(mid, read) for mid, read in found if contents.find(txn, mailbox, fid, mid) is not None]


def import_reads(
    txn: WriteTxn, actor: Actor, mailbox: int, fid: int, states: Sequence[tuple[int, bool]], *, now: int
) -> tuple[IdSet, IdSet]:
    """Mark messages as read or unread, STEP at most: what comes into the read set of the client's state, and
    what goes from it. These are the read change numbers that the messages have now; in public folders the
    change numbers of those that are read, and of those that are not."""
    cns = IdSet()
    with refusing():
        rights.require(txn, actor, mailbox, fid, Right.READ_ANY)
        if own_reads(txn, actor, mailbox, fid) is not None:
            return _mark_own(txn, actor, mailbox, fid, states)
        with editing(txn, mailbox, now=now, actor=actor.user, origin=actor.session) as edit:
            for mid, read in states:
                row = contents.find(txn, mailbox, fid, mid)
                if row is None:
                    continue
                row = _mark(edit, row, read)
                cns.add(replica_of(row.read_cn), counter_of(row.read_cn))
    return cns, IdSet()


def _mark(edit: Edit, row: Row, read: bool) -> Row:
    flags = row.flags | RowFlag.SEEN | RowFlag.EVER_READ if read else row.flags & ~RowFlag.SEEN
    return messages.set_state(edit, row, int(flags), row.keywords)


def _mark_own(
    txn: WriteTxn, actor: Actor, mailbox: int, fid: int, states: Sequence[tuple[int, bool]]
) -> tuple[IdSet, IdSet]:
    """Read states of one user in a public folder; the last word on a message counts."""
    last = dict(states)
    marked: list[IdSet] = []
    for wanted in (True, False):
        rows = (contents.find(txn, mailbox, fid, mid) for mid, read in last.items() if read is wanted)
        cns = [row.cn for row in rows if row is not None]
        if cns:
            peruser.mark(txn, mailbox, fid, actor.user, cns, read=wanted)
        marked.append(IdSet.of_ids(cns))
    txn.touch(mailbox)
    return marked[0], marked[1]
