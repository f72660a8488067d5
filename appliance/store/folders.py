"""Folders: their rows, their names, their place in the tree.

Invariants:
- A name is unique within its parent, compared case-insensitively (`fold`).
- `contents_mod` moves with every change of the contents; `cn` and `mod` with changes of the folder itself.
- Counts and sizes are kept by every change of a message, in the same transaction.
- Renaming and moving keep UIDVALIDITY; a folder that is made anew takes a greater one.
- The tree has no cycle and is at most MAX_DEPTH deep.
"""

import struct
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Any

from appliance.formats import bags
from appliance.mapi import tags
from appliance.mapi.types import Value
from appliance.store import log
from appliance.store.errors import Exists, LimitReached, NotFound, StoreError
from appliance.store.keys import Table, head, head_q, pack, successor, tail_q
from appliance.store.kv import ReadTxn, WriteTxn
from appliance.store.mailboxes import Clock

MAX_DEPTH = 64
MAX_NAME = 255
"""Characters of a folder's name, at most."""

MAX_FOLDERS = 10_000
"""Folders in one parent, at most."""

PID_TAG_SATCHEL_FORMER_PARENT = 0x66F50014
"""In the bag of a soft-deleted folder: where it stood."""

DELETION_TAGS = frozenset({tags.PidTagDeletedOn, PID_TAG_SATCHEL_FORMER_PARENT})

_KEY_LENGTH = 13
"""Longer keys of the table are the tails of a folder's log and UID order, which stand behind its row."""


class FolderKind(IntEnum):
    """PidTagFolderType (MS-OXCFOLD 2.2.2.2.1.2)."""

    ROOT = 0
    GENERIC = 1
    SEARCH = 2


class FolderFlag(IntFlag):
    """Facts about a folder. Numbers are part of the store's format."""

    NONE = 0
    SPECIAL = 1
    HIDDEN = 2
    DELETED = 4
    MAIL_ENABLED = 8


@dataclass(slots=True)
class Folder:
    """A folder's row. Counts are messages, sizes bytes, times FILETIMEs. `special_use` is the IMAP
    special-use attribute that a client chose (RFC 6154), without the backslash."""

    fid: int
    parent: int
    kind: FolderKind
    flags: FolderFlag
    cn: int
    mod: int
    contents_mod: int
    uidvalidity: int
    uidnext: int
    total: int
    unread: int
    associated: int
    deleted: int
    deleted_ever: int
    size: int
    associated_size: int
    deleted_size: int
    created: int
    modified: int
    subfolders: int
    name: str
    container_class: str
    special_use: str
    change_key: bytes
    predecessors: bytes
    packed_bag: bytes

    def bag(self) -> dict[int, Value]:
        """The folder's other properties."""
        return bags.unpack(self.packed_bag) if self.packed_bag else {}

    def set_bag(self, bag: dict[int, Value]) -> None:
        """Give the folder other properties beside those of its row."""
        self.packed_bag = bags.pack(bag) if bag else b""


_ROW = struct.Struct("<QBHQQQIIIIIIIQQQQQI")
_LENGTHS = struct.Struct("<HHHHHI")
_CONTENTS_MOD = struct.Struct("<Q")
_CONTENTS_MOD_AT = struct.calcsize("<QBHQQ")


def fold(name: str) -> str:
    """The form in which names are compared."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFKC", name).casefold())


def _pack(folder: Folder) -> bytes:
    texts = (
        folder.name.encode(),
        folder.container_class.encode(),
        folder.special_use.encode(),
        folder.change_key,
        folder.predecessors,
        folder.packed_bag,
    )
    fixed = _ROW.pack(
        folder.parent,
        folder.kind,
        folder.flags,
        folder.cn,
        folder.mod,
        folder.contents_mod,
        folder.uidvalidity,
        folder.uidnext,
        folder.total,
        folder.unread,
        folder.associated,
        folder.deleted,
        folder.deleted_ever,
        folder.size,
        folder.associated_size,
        folder.deleted_size,
        folder.created,
        folder.modified,
        folder.subfolders,
    )
    return fixed + _LENGTHS.pack(*map(len, texts)) + b"".join(texts)


def _unpack(fid: int, raw: bytes) -> Folder:
    values: list[Any] = [fid, *_ROW.unpack_from(raw)]
    values[2], values[3] = FolderKind(values[2]), FolderFlag(values[3])
    at = _ROW.size + _LENGTHS.size
    for index, length in enumerate(_LENGTHS.unpack_from(raw, _ROW.size)):
        piece = raw[at : at + length]
        values.append(piece.decode() if index < 3 else piece)
        at += length
    return Folder(*values)


def find(txn: ReadTxn, mailbox: int, fid: int) -> Folder | None:
    """A folder, or None."""
    raw = txn.get(head_q(mailbox, Table.FOLDERS, fid))
    return _unpack(fid, raw) if raw is not None else None


def get(txn: ReadTxn, mailbox: int, fid: int) -> Folder:
    """A folder. Raises NotFound."""
    folder = find(txn, mailbox, fid)
    if folder is None:
        raise NotFound(f"folder {fid:#x}")
    return folder


def put(txn: WriteTxn, mailbox: int, folder: Folder) -> None:
    """Store a folder's row."""
    txn.put(head_q(mailbox, Table.FOLDERS, folder.fid), _pack(folder))


def walk(txn: ReadTxn, mailbox: int) -> Iterator[Folder]:
    """Every folder of a mailbox, by FID."""
    prefix = head(mailbox, Table.FOLDERS)
    for key, raw in txn.scan(prefix, successor(prefix)):
        if len(key) == _KEY_LENGTH:
            yield _unpack(tail_q(key), raw)


def moved(txn: ReadTxn, mailbox: int, after: int) -> list[int]:
    """FIDs of the folders whose contents changed after a number of the clock, rising."""
    prefix = head(mailbox, Table.FOLDERS)
    found = []
    for key, raw in txn.scan(prefix, successor(prefix)):
        if len(key) == _KEY_LENGTH and _CONTENTS_MOD.unpack_from(raw, _CONTENTS_MOD_AT)[0] > after:
            found.append(tail_q(key))
    return found


def children(txn: ReadTxn, mailbox: int, parent: int) -> list[Folder]:
    """The folders in `parent`, by their folded names."""
    prefix = head_q(mailbox, Table.FOLDER_NAMES, parent)
    return [get(txn, mailbox, int.from_bytes(raw, "big")) for _, raw in txn.scan(prefix, successor(prefix))]


def lookup(txn: ReadTxn, mailbox: int, parent: int, name: str) -> int | None:
    """The FID of the folder called `name` in `parent`, or None."""
    raw = txn.get(_name_key(mailbox, parent, name))
    return int.from_bytes(raw, "big") if raw is not None else None


def ancestors(txn: ReadTxn, mailbox: int, fid: int) -> Iterator[Folder]:
    """The folder itself, its parent, and so on up to the root."""
    for _ in range(MAX_DEPTH + 1):
        folder = get(txn, mailbox, fid)
        yield folder
        if folder.parent == 0:
            return
        fid = folder.parent
    raise StoreError(f"folder {fid:#x}: deeper than {MAX_DEPTH}, or a cycle")


def _name_key(mailbox: int, parent: int, name: str) -> bytes:
    return pack(mailbox, Table.FOLDER_NAMES, parent, fold(name))


def _take_name(txn: WriteTxn, mailbox: int, parent: int, name: str, fid: int) -> None:
    if not name or len(name) > MAX_NAME or "\0" in name:
        raise StoreError("a folder's name has 1 to 255 characters and no NUL")
    if not txn.append(_name_key(mailbox, parent, name), fid.to_bytes(8, "big")):
        raise Exists(name)


def create(
    txn: WriteTxn,
    clock: Clock,
    parent: int,
    name: str,
    *,
    now: int,
    fid: int = 0,
    kind: FolderKind = FolderKind.GENERIC,
    flags: FolderFlag = FolderFlag.NONE,
    container_class: str = "",
    special_use: str = "",
    bag: dict[int, Value] | None = None,
    actor: int = 0,
    origin: int = 0,
) -> Folder:
    """Make a folder; `fid` 0 takes a new id. Raises NotFound for the parent, Exists for the name,
    LimitReached for depth or number."""
    mailbox = clock.mailbox
    fid = fid or clock.next_id()
    number = clock.next()
    if parent:
        above = get(txn, mailbox, parent)
        if sum(1 for _ in ancestors(txn, mailbox, parent)) >= MAX_DEPTH:
            raise LimitReached(f"folders are at most {MAX_DEPTH} deep")
        if above.subfolders >= MAX_FOLDERS:
            raise LimitReached(f"a folder holds at most {MAX_FOLDERS} folders")
        _take_name(txn, mailbox, parent, name, fid)
        above.subfolders += 1
        put(txn, mailbox, above)
    folder = Folder(
        fid=fid,
        parent=parent,
        kind=kind,
        flags=flags,
        cn=clock.next_id(),
        mod=number,
        contents_mod=number,
        uidvalidity=clock.next_uidvalidity(),
        uidnext=1,
        total=0,
        unread=0,
        associated=0,
        deleted=0,
        deleted_ever=0,
        size=0,
        associated_size=0,
        deleted_size=0,
        created=now,
        modified=now,
        subfolders=0,
        name=name,
        container_class=container_class,
        special_use=special_use,
        change_key=b"",
        predecessors=b"",
        packed_bag=bags.pack(bag) if bag else b"",
    )
    put(txn, mailbox, folder)
    log.append(
        txn, mailbox, log.HIERARCHY, number, log.Kind.FOLDER_CREATED, mid=fid, actor=actor, origin=origin
    )
    return folder


def changed(
    txn: WriteTxn,
    clock: Clock,
    folder: Folder,
    *,
    now: int,
    kind: log.Kind = log.Kind.FOLDER_CHANGED,
    mask: int = 0,
    actor: int = 0,
    origin: int = 0,
    old_parent: int = 0,
) -> None:
    """Store a folder whose own properties changed: new CN, log record."""
    folder.cn = clock.next_id()
    folder.mod = clock.next()
    folder.modified = now
    folder.change_key = b""
    put(txn, clock.mailbox, folder)
    log.append(
        txn,
        clock.mailbox,
        log.HIERARCHY,
        folder.mod,
        kind,
        mid=folder.fid,
        mask=mask,
        actor=actor,
        origin=origin,
        old_fid=old_parent,
    )


def move(
    txn: WriteTxn,
    clock: Clock,
    fid: int,
    parent: int,
    name: str,
    *,
    now: int,
    actor: int = 0,
    origin: int = 0,
    deleted: bool = False,
) -> Folder:
    """Give a folder another name, another parent, or both; with `deleted` the new parent is where
    soft-deleted folders stand, and for all who look on it is gone. One of those that is moved without is
    back again. Raises Exists, NotFound, LimitReached, and
    StoreError when the new parent lies within the folder."""
    mailbox = clock.mailbox
    folder = get(txn, mailbox, fid)
    path = [above.fid for above in ancestors(txn, mailbox, parent)]
    if fid in path:
        raise StoreError("a folder cannot move into itself")
    if len(path) + _height(txn, mailbox, fid) > MAX_DEPTH:
        raise LimitReached(f"folders are at most {MAX_DEPTH} deep")
    old_parent = folder.parent
    if parent != old_parent or fold(name) != fold(folder.name):
        _take_name(txn, mailbox, parent, name, fid)
        txn.delete(_name_key(mailbox, old_parent, folder.name))
    if parent != old_parent:
        _count_subfolder(txn, mailbox, old_parent, -1)
        _count_subfolder(txn, mailbox, parent, 1)
    folder.parent, folder.name = parent, name
    kind = log.Kind.FOLDER_MOVED if parent != old_parent else log.Kind.FOLDER_CHANGED
    if folder.flags & FolderFlag.DELETED and not deleted:
        kind = log.Kind.FOLDER_RESTORED
        folder.flags &= ~FolderFlag.DELETED
        kept = {tag: value for tag, value in folder.bag().items() if tag not in DELETION_TAGS}
        folder.packed_bag = bags.pack(kept)
    if deleted:
        kind = log.Kind.FOLDER_DELETED
        folder.flags |= FolderFlag.DELETED
        former = {tags.PidTagDeletedOn: now, PID_TAG_SATCHEL_FORMER_PARENT: old_parent}
        folder.packed_bag = bags.pack({**folder.bag(), **former})
    changed(
        txn,
        clock,
        folder,
        now=now,
        kind=kind,
        mask=log.Mask.NAME,
        actor=actor,
        origin=origin,
        old_parent=old_parent,
    )
    return folder


def _count_subfolder(txn: WriteTxn, mailbox: int, fid: int, by: int) -> None:
    folder = get(txn, mailbox, fid)
    folder.subfolders += by
    put(txn, mailbox, folder)


def _height(txn: ReadTxn, mailbox: int, fid: int) -> int:
    below = children(txn, mailbox, fid)
    return 1 + max((_height(txn, mailbox, child.fid) for child in below), default=0)


def remove(txn: WriteTxn, clock: Clock, fid: int, *, actor: int = 0, origin: int = 0) -> None:
    """Take an empty folder (no messages, no folders, nothing soft-deleted) out of the tree. The caller
    drops what hangs on it (UID order, log, permissions)."""
    mailbox = clock.mailbox
    folder = get(txn, mailbox, fid)
    if folder.subfolders or folder.total or folder.associated or folder.deleted:
        raise StoreError(f"folder {fid:#x} is not empty")
    txn.delete(_name_key(mailbox, folder.parent, folder.name))
    _count_subfolder(txn, mailbox, folder.parent, -1)
    txn.delete(head_q(mailbox, Table.FOLDERS, fid))
    log.seal(txn, mailbox, fid)
    log.append(
        txn,
        mailbox,
        log.HIERARCHY,
        clock.next(),
        log.Kind.FOLDER_DELETED,
        mid=fid,
        actor=actor,
        origin=origin,
        old_fid=folder.parent,
    )
