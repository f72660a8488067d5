"""Folders by their FIDs, as ROPs know them: make, move, copy, delete softly or for good (MS-OXCFOLD 3.2.5).

A folder that is deleted softly goes with everything in it into a hidden folder of its mailbox, where only
those find it who ask for deleted folders; the public folders have no such place, there it is gone for good.
What may be long comes in steps: each is one small write function, repeated until it says that it is done.
"""

from collections.abc import Iterator
from itertools import islice

from appliance.mailbox.actor import SYSTEM, Actor
from appliance.mailbox.errors import Reason, Refused, refusing
from appliance.mailbox.rights import require
from appliance.mapi import tags
from appliance.store import attached, contents, folders, mailboxes, messages, permissions, search_folders
from appliance.store.edit import editing
from appliance.store.folders import Folder, FolderFlag, FolderKind
from appliance.store.kv import ReadTxn, WriteTxn
from appliance.store.mailboxes import Kind, Special, changing
from appliance.store.permissions import Right

STEP = 200
"""Messages that one step takes, at most."""


def is_deleted(txn: ReadTxn, mailbox: int, fid: int) -> bool:
    """Whether a folder, or one above it, was deleted softly. Raises NotFound."""
    return any(folder.flags & FolderFlag.DELETED for folder in folders.ancestors(txn, mailbox, fid))


def deleted_below(txn: ReadTxn, mailbox: int, fid: int) -> list[Folder]:
    """The folders that were deleted softly out of a folder."""
    if mailboxes.identity(txn, mailbox).kind is Kind.PUBLIC:
        return []
    gone = folders.children(txn, mailbox, Special.DELETIONS)
    return [folder for folder in gone if former_parent(folder) == fid]


def former_parent(folder: Folder) -> int | None:
    """The folder out of which this one was deleted softly."""
    parent = folder.bag().get(folders.PID_TAG_SATCHEL_FORMER_PARENT)
    return parent if isinstance(parent, int) and folder.flags & FolderFlag.DELETED else None


def create(
    txn: WriteTxn,
    actor: Actor,
    mailbox: int,
    parent: int,
    name: str,
    *,
    now: int,
    kind: FolderKind = FolderKind.GENERIC,
    comment: str = "",
) -> Folder:
    """Make a folder in another. Needs CREATE_SUBFOLDER. It begins with the permissions of its parent; who
    makes it in another's mailbox owns it. Raises Refused EXISTS, LIMIT, INVALID."""
    with refusing():
        require(txn, actor, mailbox, parent, Right.CREATE_SUBFOLDER)
        if folders.get(txn, mailbox, parent).kind is FolderKind.SEARCH:
            raise Refused(Reason.INVALID, "a search folder has no subfolders")
        with changing(txn, mailbox) as clock:
            made = folders.create(
                txn,
                clock,
                parent,
                name,
                now=now,
                kind=kind,
                bag={tags.PidTagComment: comment} if comment else None,
                actor=actor.user,
                origin=actor.session,
            )
        inherit(txn, actor, mailbox, parent, made.fid)
        return made


def inherit(txn: WriteTxn, actor: Actor, mailbox: int, parent: int, fid: int) -> None:
    """Give a new folder its permissions."""
    permissions.copy(txn, mailbox, parent, fid)
    if actor.mailbox != mailbox and not actor.admin:
        permissions.put(txn, mailbox, fid, actor.user, permissions.ALL)


def require_movable(txn: ReadTxn, actor: Actor, mailbox: int, fid: int) -> Folder:
    """A folder that the actor may move or delete. Raises Refused ACCESS_DENIED, also for special folders,
    NOT_FOUND."""
    with refusing():
        require(txn, actor, mailbox, fid, Right.FOLDER_OWNER)
        folder = folders.get(txn, mailbox, fid)
    if folder.flags & FolderFlag.SPECIAL:
        raise Refused(Reason.ACCESS_DENIED, "a special folder stays where it is")
    return folder


def lies_within(txn: ReadTxn, mailbox: int, fid: int, above: int) -> bool:
    """Whether a folder is `above` or stands somewhere below it."""
    return any(folder.fid == above for folder in folders.ancestors(txn, mailbox, fid))


def move(txn: WriteTxn, actor: Actor, mailbox: int, fid: int, parent: int, name: str, *, now: int) -> Folder:
    """Give a folder another parent and name ("": its own); one that was deleted softly comes back. Needs
    FOLDER_OWNER, and CREATE_SUBFOLDER there. Raises Refused EXISTS, LIMIT, INVALID."""
    with refusing():
        folder = require_movable(txn, actor, mailbox, fid)
        require(txn, actor, mailbox, parent, Right.CREATE_SUBFOLDER)
        if folders.get(txn, mailbox, parent).kind is FolderKind.SEARCH:
            raise Refused(Reason.INVALID, "a search folder has no subfolders")
        with changing(txn, mailbox) as clock:
            return folders.move(
                txn,
                clock,
                fid,
                parent,
                name or folder.name,
                now=now,
                actor=actor.user,
                origin=actor.session,
            )


def soft_delete(txn: WriteTxn, actor: Actor, mailbox: int, fid: int, *, now: int) -> bool:
    """Delete a folder and all in it so that it can be found again. Needs FOLDER_OWNER. False for folders that
    can only be deleted for good: search folders, public ones, and those that were deleted before."""
    with refusing():
        folder = require_movable(txn, actor, mailbox, fid)
        public = mailboxes.identity(txn, mailbox).kind is Kind.PUBLIC
        if public or folder.kind is FolderKind.SEARCH or is_deleted(txn, mailbox, fid):
            return False
        with changing(txn, mailbox) as clock:
            name = folder.name
            while folders.lookup(txn, mailbox, Special.DELETIONS, name) is not None:
                name = f"{folder.name[:200]} {clock.next():x}"
            folders.move(
                txn,
                clock,
                fid,
                Special.DELETIONS,
                name,
                now=now,
                actor=actor.user,
                origin=actor.session,
                deleted=True,
            )
        return True


def purge_step(txn: WriteTxn, actor: Actor, mailbox: int, fid: int, *, now: int) -> bool:
    """A step of deleting a folder and all in it for good; True when it is gone. Needs FOLDER_OWNER of every
    folder."""
    with refusing():
        folder = require_movable(txn, actor, mailbox, fid)
        while folder.subfolders:
            below = folders.children(txn, mailbox, folder.fid)[0]
            folder = require_movable(txn, actor, mailbox, below.fid)
        if not empty_step(txn, actor, mailbox, folder.fid, now=now, associated=True, hard=True):
            return False
        with editing(txn, mailbox, now=now, actor=actor.user, origin=actor.session) as edit:
            buried = list(islice(contents.all_buried(txn, mailbox, folder.fid), STEP))
            for deleted in buried:
                messages.purge_deleted(edit, deleted)
        if len(buried) == STEP:
            return False
        with changing(txn, mailbox) as clock:
            folders.remove(txn, clock, folder.fid, actor=actor.user, origin=actor.session)
        attached.drop(txn, mailbox, folder.fid)
        return folder.fid == fid


def expire_step(txn: WriteTxn, mailbox: int, before: int, *, now: int) -> bool:
    """A step of deleting for good the folders that were deleted softly before `before` (FILETIME), with all
    in them; False when there is none."""
    if mailboxes.identity(txn, mailbox).kind is Kind.PUBLIC:
        return False
    for folder in folders.children(txn, mailbox, Special.DELETIONS):
        when = folder.bag().get(tags.PidTagDeletedOn)
        if folder.flags & FolderFlag.DELETED and isinstance(when, int) and when < before:
            purge_step(txn, SYSTEM, mailbox, folder.fid, now=now)
            return True
    return False


def empty_step(
    txn: WriteTxn, actor: Actor, mailbox: int, fid: int, *, now: int, associated: bool, hard: bool
) -> bool:
    """A step of deleting the messages of a folder, associated ones too or not; True when none is left. Needs
    DELETE_ANY."""
    with refusing():
        require(txn, actor, mailbox, fid, Right.DELETE_ANY)
        left = STEP
        with editing(txn, mailbox, now=now, actor=actor.user, origin=actor.session) as edit:
            for which in (False, True) if associated else (False,):
                for row in list(islice(contents.rows(txn, mailbox, fid, which), left)):
                    if hard:
                        messages.purge(edit, row)
                    else:
                        messages.soft_delete(edit, row)
                    left -= 1
        return left > 0


def copy_folder(
    txn: WriteTxn,
    actor: Actor,
    source: tuple[int, int],
    target: tuple[int, int],
    name: str,
    *,
    now: int,
) -> int:
    """Make a folder like another ("": of the same name), without what is in it; its FID. `source` is
    (mailbox, FID), `target` (mailbox, FID of the parent). Needs READ_ANY there and CREATE_SUBFOLDER here."""
    with refusing():
        require(txn, actor, *source, Right.READ_ANY)
        require(txn, actor, *target, Right.CREATE_SUBFOLDER)
        like = folders.get(txn, *source)
        mailbox, parent = target
        kept = {tag: value for tag, value in like.bag().items() if tag not in folders.DELETION_TAGS}
        with changing(txn, mailbox) as clock:
            made = folders.create(
                txn,
                clock,
                parent,
                name or like.name,
                now=now,
                kind=FolderKind.SEARCH if like.kind is FolderKind.SEARCH else FolderKind.GENERIC,
                container_class=like.container_class,
                bag=kept or None,
                actor=actor.user,
                origin=actor.session,
            )
        inherit(txn, actor, mailbox, parent, made.fid)
        definition = search_folders.find(txn, *source)
        if definition is not None and source[0] == mailbox:
            search_folders.define(
                txn, mailbox, made.fid, definition.restriction, definition.scope, definition.flags
            )
        return made.fid


def branch(txn: ReadTxn, mailbox: int, fid: int) -> Iterator[Folder]:
    """What stands below a folder, parents before their children."""
    for below in folders.children(txn, mailbox, fid):
        yield below
        yield from branch(txn, mailbox, below.fid)
