"""Operations on folders: listing, making, renaming, deleting, subscribing.

Paths are tuples of names below the IPM subtree; the inbox is ("Inbox",) there as everywhere. A folder that is
deleted takes its subfolders' place in no hidden way: protocols decide whether they may be deleted with it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

from appliance.mailbox.actor import Actor
from appliance.mailbox.errors import Reason, Refused, refusing
from appliance.mailbox.rights import effective, require
from appliance.store import attached, contents, folders, mailboxes, messages, permissions, subscriptions
from appliance.store.edit import editing
from appliance.store.folders import Folder, FolderFlag
from appliance.store.kv import ReadTxn, WriteTxn
from appliance.store.mailboxes import Kind, PublicSpecial, Special, changing
from appliance.store.permissions import Right

T = TypeVar("T")
Path = tuple[str, ...]

DELETE_STEP = 500
"""Messages that one step of deleting a folder takes, at most."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A folder with its path and what the actor may do in it."""

    path: Path
    folder: Folder
    rights: Right


def top(txn: ReadTxn, mailbox: int) -> int:
    """The FID below which users' folders stand."""
    kind = mailboxes.identity(txn, mailbox).kind
    return Special.IPM_SUBTREE if kind == Kind.PRIVATE else PublicSpecial.IPM_SUBTREE


def list_folders(txn: ReadTxn, actor: Actor, mailbox: int, *, hidden: bool = False) -> Iterator[Listed]:
    """The folders that the actor can see, parents before children, siblings by name."""
    by_parent: dict[int, list[Folder]] = {}
    for folder in folders.walk(txn, mailbox):
        by_parent.setdefault(folder.parent, []).append(folder)
    for below in by_parent.values():
        below.sort(key=lambda folder: folders.fold(folder.name), reverse=True)
    stack: list[tuple[Path, Folder]] = [
        ((folder.name,), folder) for folder in by_parent.get(top(txn, mailbox), ())
    ]
    while stack:
        path, folder = stack.pop()
        if folder.flags & FolderFlag.HIDDEN and not hidden:
            continue
        rights = effective(txn, actor, mailbox, folder.fid)
        if rights & (Right.FOLDER_VISIBLE | Right.READ_ANY | Right.FOLDER_OWNER):
            yield Listed(path, folder, rights)
        stack += [((*path, child.name), child) for child in by_parent.get(folder.fid, ())]


def resolve(txn: ReadTxn, mailbox: int, path: Path) -> int | None:
    """The FID at a path, or None."""
    fid: int | None = top(txn, mailbox)
    for name in path:
        fid = folders.lookup(txn, mailbox, fid, name) if fid is not None else None
    return fid


def require_path(txn: ReadTxn, actor: Actor, mailbox: int, path: Path) -> Folder:
    """The folder at a path. Raises Refused NOT_FOUND, also when the actor may not see it."""
    fid = resolve(txn, mailbox, path)
    if fid is None or not path:
        raise Refused(Reason.NOT_FOUND)
    if not effective(txn, actor, mailbox, fid):
        raise Refused(Reason.NOT_FOUND)
    return folders.get(txn, mailbox, fid)


def path_of(txn: ReadTxn, mailbox: int, fid: int) -> Path:
    """The path of a folder; empty for one that is not below the IPM subtree."""
    root = top(txn, mailbox)
    names: list[str] = []
    for folder in folders.ancestors(txn, mailbox, fid):
        if folder.fid == root:
            return tuple(reversed(names))
        names.append(folder.name)
    return ()


def create(
    txn: WriteTxn,
    actor: Actor,
    mailbox: int,
    path: Path,
    *,
    now: int,
    container_class: str = "",
    special_use: str = "",
) -> Folder:
    """Make a folder and the missing ones above it. Needs CREATE_SUBFOLDER where it begins to be missing.
    The class is the parent's unless named. Raises Refused EXISTS, LIMIT."""
    with refusing():
        parent, missing = top(txn, mailbox), list(path)
        while missing:
            below = folders.lookup(txn, mailbox, parent, missing[0])
            if below is None:
                break
            parent = below
            missing.pop(0)
        if not missing:
            raise Refused(Reason.EXISTS)
        require(txn, actor, mailbox, parent, Right.CREATE_SUBFOLDER)
        made = folders.get(txn, mailbox, parent)
        inherited = container_class or made.container_class or "IPF.Note"
        with changing(txn, mailbox) as clock:
            for index, name in enumerate(missing):
                last = index == len(missing) - 1
                above = made.fid
                made = folders.create(
                    txn,
                    clock,
                    above,
                    name,
                    now=now,
                    container_class=inherited,
                    special_use=special_use if last else "",
                    actor=actor.user,
                    origin=actor.session,
                )
                permissions.copy(txn, mailbox, above, made.fid)
                if actor.mailbox != mailbox and not actor.admin:
                    permissions.put(txn, mailbox, made.fid, actor.user, permissions.ALL)
        return made


def rename(txn: WriteTxn, actor: Actor, mailbox: int, path: Path, to: Path, *, now: int) -> Folder:
    """Give a folder another path; missing parents are made. Needs FOLDER_OWNER. Special folders stay."""
    with refusing():
        folder = require_path(txn, actor, mailbox, path)
        require(txn, actor, mailbox, folder.fid, Right.FOLDER_OWNER)
        if folder.flags & FolderFlag.SPECIAL:
            raise Refused(Reason.INVALID, "a special folder keeps its name")
        existing = resolve(txn, mailbox, to)
        if not to or (existing is not None and existing != folder.fid):
            raise Refused(Reason.EXISTS)
        parent = top(txn, mailbox)
        if len(to) > 1:
            found = resolve(txn, mailbox, to[:-1])
            parent = found if found is not None else create(txn, actor, mailbox, to[:-1], now=now).fid
        require(txn, actor, mailbox, parent, Right.CREATE_SUBFOLDER)
        with changing(txn, mailbox) as clock:
            return folders.move(
                txn, clock, folder.fid, parent, to[-1], now=now, actor=actor.user, origin=actor.session
            )


def delete(txn: WriteTxn, actor: Actor, mailbox: int, fid: int, *, now: int) -> bool:
    """One step of deleting a folder without subfolders: its messages go to Deleted Items' dumpster, so that
    they can be recovered (a public folder's are gone). True when the folder is gone; call again until then.
    Needs FOLDER_OWNER."""
    with refusing():
        require(txn, actor, mailbox, fid, Right.FOLDER_OWNER)
        folder = folders.get(txn, mailbox, fid)
        if folder.flags & FolderFlag.SPECIAL:
            raise Refused(Reason.INVALID, "a special folder cannot be deleted")
        if folder.subfolders:
            raise Refused(Reason.INVALID, "the folder has subfolders")
        public = mailboxes.identity(txn, mailbox).kind == Kind.PUBLIC
        with editing(txn, mailbox, now=now, actor=actor.user, origin=actor.session) as edit:
            left = DELETE_STEP
            for associated in (False, True):
                for row in _first(contents.rows(txn, mailbox, fid, associated), left):
                    if associated or public:
                        messages.purge(edit, row)
                    else:
                        messages.soft_delete(edit, messages.move(edit, row, Special.TRASH))
                    left -= 1
            for deleted in _first(contents.all_buried(txn, mailbox, fid), left):
                messages.purge_deleted(edit, deleted)
                left -= 1
        if left == 0:
            return False
        with changing(txn, mailbox) as clock:
            folders.remove(txn, clock, fid, actor=actor.user, origin=actor.session)
        attached.drop(txn, mailbox, fid)
        return True


def _first(items: Iterator[T], limit: int) -> list[T]:
    return [item for _, item in zip(range(limit), items, strict=False)]


def subscribe(txn: WriteTxn, actor: Actor, name: str) -> None:
    """Note a name, in the protocol's own spelling, as subscribed by the actor."""
    with refusing():
        subscriptions.subscribe(txn, actor.mailbox, name)
        txn.touch(actor.mailbox)


def unsubscribe(txn: WriteTxn, actor: Actor, name: str) -> bool:
    """Forget a subscribed name; whether it was one."""
    txn.touch(actor.mailbox)
    return subscriptions.unsubscribe(txn, actor.mailbox, name)


def set_special_use(txn: WriteTxn, actor: Actor, mailbox: int, fid: int, use: str, *, now: int) -> None:
    """Give a folder an IMAP special-use attribute (without backslash), or none. Needs FOLDER_OWNER."""
    with refusing():
        require(txn, actor, mailbox, fid, Right.FOLDER_OWNER)
        with changing(txn, mailbox) as clock:
            folder = folders.get(txn, mailbox, fid)
            folder.special_use = use
            folders.changed(txn, clock, folder, now=now, actor=actor.user, origin=actor.session)
