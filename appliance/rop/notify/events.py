"""Events of MS-OXCNOTIF 2.2.1.1, made of the records of a mailbox's change log."""

from collections.abc import Iterator
from dataclasses import dataclass

from appliance.rop.notify.data import Bit, NotificationData, Type
from appliance.store import classes, contents, folders, log
from appliance.store.folders import FolderKind
from appliance.store.kv import ReadTxn
from appliance.store.log import Change, Kind
from appliance.store.tables.sources import message_flags

MAX_EVENTS = 2000
"""Events of one reading of the log, at most: what comes beyond is told by its folders' counts alone."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened. Ids are 0 where they do not apply; `mid` is 0 for an event of a folder, whose
    parent then is `parent`. `search`: the message was found (or is found no more) by the search folder
    `parent`. `counts` are (total, unread) of the folder."""

    type: Type
    fid: int
    mid: int = 0
    parent: int = 0
    old_fid: int = 0
    old_mid: int = 0
    old_parent: int = 0
    search: bool = False
    associated: bool = False
    counts: tuple[int, int] | None = None
    message_flags: int = 0
    message_class: str = ""

    def folders(self) -> tuple[int, ...]:
        """Every folder that the event is about, for rights and scopes."""
        named = (self.fid, self.parent, self.old_fid, self.old_parent)
        return tuple(fid for fid in named if fid)

    def data(self, *, unicode: bool) -> NotificationData:
        """The wire form; the message class in Unicode or ASCII."""
        flags = int(self.type)
        flags |= Bit.MESSAGE if self.mid else 0
        flags |= Bit.SEARCH if self.search else 0
        made = NotificationData(flags)
        if self.counts is not None:
            made.flags |= Bit.TOTAL | Bit.UNREAD
            made.total, made.unread = self.counts
        made.folder_id = self.fid
        if self.mid:
            made.message_id = self.mid
        wanders = self.type in (Type.OBJECT_MOVED, Type.OBJECT_COPIED)
        if wanders:
            made.old_folder_id = self.old_fid
            if self.mid:
                made.old_message_id = self.old_mid
            else:
                made.old_parent_folder_id = self.old_parent
        has_parent = wanders or self.type in (Type.OBJECT_CREATED, Type.OBJECT_DELETED)
        if has_parent and bool(self.mid) == self.search:
            made.parent_folder_id = self.parent
        if self.type in (Type.OBJECT_CREATED, Type.OBJECT_MODIFIED):
            made.tags = ()
        if self.type is Type.NEW_MAIL:
            made.message_flags, made.unicode_flag = self.message_flags, int(unicode)
            text = self.message_class.replace("\0", "")
            made.message_class = text if unicode else text.encode("ascii", "replace").decode()
        return made


def since(txn: ReadTxn, mailbox: int, after: int) -> list[Event]:
    """What happened in a mailbox after a number of its clock, in the order of the folders."""
    events = _of_hierarchy(txn, mailbox, list(log.changes(txn, mailbox, log.HIERARCHY, after)))
    for fid in folders.moved(txn, mailbox, after):
        folder = folders.get(txn, mailbox, fid)
        for change in log.changes(txn, mailbox, fid, after):
            if len(events) < MAX_EVENTS:
                events += _of_message(txn, mailbox, fid, change)
        if folder.kind is not FolderKind.SEARCH:
            counts = (folder.total, folder.unread)
            events.append(Event(Type.OBJECT_MODIFIED, fid, parent=folder.parent, counts=counts))
    return events


_FOLDER_EVENTS = {
    Kind.FOLDER_CREATED: Type.OBJECT_CREATED,
    Kind.FOLDER_RESTORED: Type.OBJECT_CREATED,
    Kind.FOLDER_CHANGED: Type.OBJECT_MODIFIED,
    Kind.PERMISSIONS: Type.OBJECT_MODIFIED,
    Kind.FOLDER_MOVED: Type.OBJECT_MOVED,
    Kind.FOLDER_DELETED: Type.OBJECT_DELETED,
}


def _of_hierarchy(txn: ReadTxn, mailbox: int, changes: list[Change]) -> list[Event]:
    """Backwards: records say where a folder was, the tree where it is now. A folder that was deleted softly
    stands elsewhere in the tree; its record says where it was."""
    parents: dict[int, int] = {}
    events: list[Event] = []
    for change in reversed(changes):
        fid, type = change.mid, _FOLDER_EVENTS.get(Kind(change.kind))
        if fid not in parents:
            folder = folders.find(txn, mailbox, fid)
            parents[fid] = folder.parent if folder is not None else change.old_fid
        if type is Type.OBJECT_MOVED:
            events.append(Event(type, fid, parent=parents[fid], old_fid=fid, old_parent=change.old_fid))
            parents[fid] = change.old_fid
        elif type is Type.OBJECT_DELETED and change.old_fid:
            parents[fid] = change.old_fid
            events.append(Event(type, fid, parent=change.old_fid))
        elif type is not None:
            events.append(Event(type, fid, parent=parents[fid]))
    return events[::-1]


def _of_message(txn: ReadTxn, mailbox: int, fid: int, change: Change) -> Iterator[Event]:
    kind, mid = Kind(change.kind), change.mid
    associated = bool(change.mask & log.Mask.ASSOCIATED)
    if kind in (Kind.LINKED, Kind.UNLINKED):
        type = Type.OBJECT_CREATED if kind is Kind.LINKED else Type.OBJECT_DELETED
        yield Event(type, change.old_fid, mid, parent=fid, search=True)
    elif kind is Kind.SEARCHED:
        yield Event(Type.SEARCH_COMPLETED, fid)
    elif kind in (Kind.CREATED, Kind.RESTORED):
        if kind is Kind.CREATED and not change.actor and not associated:
            yield from _new_mail(txn, mailbox, fid, mid)
        yield Event(Type.OBJECT_CREATED, fid, mid, associated=associated)
    elif kind in (Kind.COPIED, Kind.MOVED_IN):
        type = Type.OBJECT_COPIED if kind is Kind.COPIED else Type.OBJECT_MOVED
        if kind is Kind.COPIED or change.old_fid:
            old = (change.old_fid, change.old_mid)
            yield Event(type, fid, mid, old_fid=old[0], old_mid=old[1], associated=associated)
    elif kind in (Kind.CHANGED, Kind.FLAGS, Kind.RENUMBERED):
        yield Event(Type.OBJECT_MODIFIED, fid, mid, associated=associated)
    elif kind is Kind.DELETED or (kind is Kind.PURGED and (change.uid or associated)):
        # A purge without UID is of a message that was in the dumpster: it went long ago.
        yield Event(Type.OBJECT_DELETED, fid, mid, associated=associated)


def _new_mail(txn: ReadTxn, mailbox: int, fid: int, mid: int) -> Iterator[Event]:
    """The server itself put a message there: it was delivered."""
    row = contents.find(txn, mailbox, fid, mid)
    if row is not None:
        yield Event(
            Type.NEW_MAIL,
            fid,
            mid,
            message_flags=message_flags(row),
            message_class=classes.name(txn, row.message_class),
        )
