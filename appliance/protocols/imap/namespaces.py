"""Mailbox names to folders and back: the personal namespace, other users', public folders (RFC 2342).

`INBOX` and everything without a prefix is the session's home mailbox; `Other Users/ADDRESS/...` another
user's mailbox, `Public Folders/...` the public one, each as far as the actor's rights go. A "/" within a
folder's name is shown as U+2215, since it divides levels here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from appliance.directory import entries
from appliance.mailbox import folders as mailbox_folders
from appliance.mailbox.rights import effective
from appliance.protocols.imap.errors import No
from appliance.protocols.imap.names import DELIMITER
from appliance.store import folders, mailboxes
from appliance.store.folders import Folder, FolderFlag
from appliance.store.kv import ReadTxn
from appliance.store.mailboxes import Kind, Special
from appliance.store.permissions import Right

if TYPE_CHECKING:
    from appliance.protocols.imap.session import Session

OTHER_USERS = "Other Users"
PUBLIC_FOLDERS = "Public Folders"
_SLASH = "\u2215"
_SEEN = Right.FOLDER_VISIBLE | Right.READ_ANY | Right.FOLDER_OWNER


class Space(Enum):
    """The namespaces of RFC 2342."""

    PERSONAL = "personal"
    OTHER = "other"
    SHARED = "shared"


@dataclass(frozen=True, slots=True)
class Location:
    """Where a name leads: a path below the top of a mailbox. `mailbox` 0: a node above all mailboxes."""

    space: Space
    mailbox: int
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """An existing folder."""

    mailbox: int
    folder: Folder
    rights: Right
    space: Space

    @property
    def fid(self) -> int:
        """Its FID."""
        return self.folder.fid


@dataclass(frozen=True, slots=True)
class Node:
    """A name of the hierarchy. `found` is None for a name that only leads to others."""

    name: str
    found: Found | None
    has_children: bool


def missing() -> No:
    """The refusal for a name that leads nowhere."""
    return No("No such mailbox.", b"NONEXISTENT")


def locate(session: "Session", txn: ReadTxn, name: str) -> Location:
    """Where a name leads. Raises No [NONEXISTENT] for a user without mailbox."""
    levels = tuple(level.replace(_SLASH, DELIMITER) for level in name.split(DELIMITER))
    if levels[0] == OTHER_USERS:
        if len(levels) == 1:
            return Location(Space.OTHER, 0, ())
        owner = entries.by_address(txn, levels[1])
        if owner is None or not owner.mailbox:
            raise missing()
        return Location(Space.OTHER, owner.mailbox, _path(levels[2:]))
    if levels[0] == PUBLIC_FOLDERS:
        return Location(Space.SHARED, public_mailbox(txn), levels[1:])
    return Location(Space.PERSONAL, session.home, _path(levels))


def _path(levels: tuple[str, ...]) -> tuple[str, ...]:
    if levels and levels[0].upper() == "INBOX":
        return (_INBOX, *levels[1:])
    return levels


_INBOX = "Inbox"


def public_mailbox(txn: ReadTxn) -> int:
    """The number of the public mailbox, 0 when there is none."""
    return next((i.number for i in mailboxes.identities(txn) if i.kind == Kind.PUBLIC), 0)


def find(session: "Session", txn: ReadTxn, name: str) -> Found | None:
    """The folder of a name, or None when there is none or the actor may not know of it."""
    location = locate(session, txn, name)
    if not location.mailbox or not location.path:
        return None
    fid = _resolve(txn, location)
    folder = folders.find(txn, location.mailbox, fid) if fid is not None else None
    if folder is None or folder.flags & FolderFlag.HIDDEN:
        return None
    rights = effective(txn, session.actor, location.mailbox, folder.fid)
    if not rights & (_SEEN | Right.CREATE):
        return None
    return Found(location.mailbox, folder, rights, location.space)


def require(session: "Session", txn: ReadTxn, name: str) -> Found:
    """The folder of a name. Raises No [NONEXISTENT]."""
    found = find(session, txn, name)
    if found is None:
        raise missing()
    return found


def _resolve(txn: ReadTxn, location: Location) -> int | None:
    path = location.path
    if location.space is not Space.SHARED and path[0] == _INBOX:
        fid: int | None = int(Special.INBOX)
        path = path[1:]
    else:
        fid = mailbox_folders.top(txn, location.mailbox)
    for level in path:
        if fid is None:
            return None
        fid = folders.lookup(txn, location.mailbox, fid, level)
    return fid


def walk(session: "Session", txn: ReadTxn) -> Iterator[Node]:
    """Every name that the session can list, parents before children."""
    yield from _mailbox(session, txn, session.home, "", Space.PERSONAL)
    others = [node for owner in _owners(session, txn) for node in _other(session, txn, *owner)]
    if others:
        yield Node(OTHER_USERS, None, True)
        yield from others
    public = public_mailbox(txn)
    shared = list(_mailbox(session, txn, public, PUBLIC_FOLDERS, Space.SHARED)) if public else []
    if shared:
        yield Node(PUBLIC_FOLDERS, None, True)
        yield from shared


def _owners(session: "Session", txn: ReadTxn) -> Iterator[tuple[int, str]]:
    for identity in mailboxes.identities(txn):
        if identity.kind == Kind.PRIVATE and identity.number != session.home:
            owner = entries.by_mailbox(txn, identity.number)
            if owner is not None and identity.number != session.actor.mailbox:
                yield identity.number, owner.address


def _other(session: "Session", txn: ReadTxn, mailbox: int, address: str) -> list[Node]:
    prefix = OTHER_USERS + DELIMITER + address.replace(DELIMITER, _SLASH)
    nodes = list(_mailbox(session, txn, mailbox, prefix, Space.OTHER))
    return [Node(prefix, None, True), *nodes] if nodes else []


def _mailbox(session: "Session", txn: ReadTxn, mailbox: int, prefix: str, space: Space) -> Iterator[Node]:
    listed = list(mailbox_folders.list_folders(txn, session.actor, mailbox))
    parents = {each.folder.parent for each in listed}
    shown: set[str] = set()
    for each in listed:
        name = _name(each.path, each.folder, prefix, space)
        for above in _above(name, prefix):
            if above not in shown:  # a visible folder below one that the actor may not see
                shown.add(above)
                yield Node(above, None, True)
        shown.add(name)
        yield Node(name, Found(mailbox, each.folder, each.rights, space), each.folder.fid in parents)


def _above(name: str, prefix: str) -> Iterator[str]:
    levels = name.split(DELIMITER)
    first = len(prefix.split(DELIMITER)) + 1 if prefix else 1
    for count in range(first, len(levels)):
        yield DELIMITER.join(levels[:count])


def _name(path: tuple[str, ...], folder: Folder, prefix: str, space: Space) -> str:
    levels = [level.replace(DELIMITER, _SLASH) for level in path]
    if space is not Space.SHARED and levels[0].upper() == "INBOX":
        levels[0] = "INBOX"
    return DELIMITER.join([prefix, *levels] if prefix else levels)


def name_of(session: "Session", txn: ReadTxn, mailbox: int, folder: Folder) -> str | None:
    """The name under which the session knows a folder, or None when it has none."""
    path = mailbox_folders.path_of(txn, mailbox, folder.fid)
    if not path or folder.flags & FolderFlag.HIDDEN:
        return None
    if mailbox == session.home:
        return _name(path, folder, "", Space.PERSONAL)
    if mailbox == public_mailbox(txn):
        return _name(path, folder, PUBLIC_FOLDERS, Space.SHARED)
    owner = entries.by_mailbox(txn, mailbox)
    if owner is None:
        return None
    prefix = OTHER_USERS + DELIMITER + owner.address.replace(DELIMITER, _SLASH)
    return _name(path, folder, prefix, Space.OTHER)
