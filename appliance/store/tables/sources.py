"""Where the rows of tables come from: one small class for each kind of table.

A source lists records and says when they changed. A record answers for single properties; it reads its cold
part when a property asks for it. Properties that higher layers compute (entry IDs, bodies) come through
`Computed`, which is asked when the store has no value.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

from appliance.formats import bags, columns
from appliance.mapi import tags
from appliance.mapi.ids import to_int64
from appliance.mapi.types import Value
from appliance.store import classes, contents, folders, log, messages, permissions, search_folders
from appliance.store.contents import Row, RowFlag
from appliance.store.errors import NotFound
from appliance.store.folders import Folder, FolderKind
from appliance.store.keys import Table, contents_key, head, head_q, successor, tail_q
from appliance.store.kv import ReadTxn
from appliance.store.tables.scan import BATCH, Batch
from appliance.store.views import Layout, Order, View

Visible = Callable[[ReadTxn, int], bool]
Computed = Callable[[ReadTxn, int, int], Value]
"""computed(txn, object id, tag): a property that the store does not hold, or None."""


class Record(Protocol):
    """A row of a table, in one snapshot."""

    @property
    def id(self) -> int:
        """What identifies the row in its table: MID, FID, number."""

    @property
    def unread(self) -> bool:
        """Whether it counts for PidTagContentUnreadCount."""

    def get(self, tag: int) -> Value:
        """A property, None when the row has none."""

    def tags(self) -> Iterable[int]:
        """The properties that it has, for RopQueryColumnsAll."""

    def children(self, tag: int) -> Iterable[Callable[[int], Value]]:
        """The recipients or attachments, for restrictions on sub-objects."""


class Source(Protocol):
    """The rows under a table, without order."""

    @property
    def key(self) -> tuple[int, ...]:
        """Equal for sources of the same rows."""

    def version(self, txn: ReadTxn) -> int:
        """A number that grows when rows change."""

    def records(self, txn: ReadTxn) -> Iterator[Record]:
        """Every row."""

    def changed(self, txn: ReadTxn, since: int) -> set[int] | None:
        """The ids that changed after a version; None when that is not known."""

    def find(self, txn: ReadTxn, id_: int) -> Record | None:
        """One row."""

    @property
    def computed_tags(self) -> frozenset[int] | None:
        """What `Computed` may know; None: anything."""

    def batches(self, txn: ReadTxn, ids: list[int] | None, *, cold: bool) -> Iterator[Batch] | None:
        """The rows of these ids that exist, in their order, or of all, as they are stored; None when they are
        not stored in the form of `contents`. Without `cold` the cold values may be left out."""

    def view(self, txn: ReadTxn, order: Order, known: Layout | None) -> View | None:
        """A kept order of the rows, None when there is none."""

    @property
    def own_tags(self) -> frozenset[int]:
        """What every record has, for RopQueryColumnsAll of tables without rows."""

    @property
    def has_depth(self) -> bool:
        """Whether its records know PidTagDepth; for others it is 0."""


class _Unscanned:
    """What sources say whose rows are not stored in the form of `contents`."""

    @property
    def own_tags(self) -> frozenset[int]:
        """As `Source`."""
        return frozenset()

    @property
    def computed_tags(self) -> frozenset[int] | None:
        """As `Source`."""
        return None

    def batches(self, txn: ReadTxn, ids: list[int] | None, *, cold: bool) -> Iterator[Batch] | None:
        """As `Source`."""
        return None

    def view(self, txn: ReadTxn, order: Order, known: Layout | None) -> View | None:
        """As `Source`."""
        return None

    @property
    def has_depth(self) -> bool:
        """As `Source`."""
        return False


def no_value(txn: ReadTxn, id_: int, tag: int) -> Value:
    """The `Computed` that knows nothing."""
    return None


# PidTagMessageFlags (MS-OXCMSG 2.2.1.6)
_MESSAGE_FLAGS = (
    (RowFlag.SEEN, 0x01),
    (RowFlag.UNMODIFIED, 0x02),
    (RowFlag.SUBMITTED, 0x04),
    (RowFlag.DRAFT, 0x08),
    (RowFlag.HAS_ATTACHMENT, 0x10),
    (RowFlag.FROM_ME, 0x20),
    (RowFlag.RESEND, 0x80),
    (RowFlag.NOTIFY_READ, 0x100),
    (RowFlag.NOTIFY_UNREAD, 0x200),
    (RowFlag.EVER_READ, 0x400),
    (RowFlag.INTERNET, 0x2000),
    (RowFlag.UNTRUSTED, 0x8000),
)


# Plain numbers: arithmetic of flags makes an object for each result.
_FLAG_BITS = tuple((int(flag), bit) for flag, bit in _MESSAGE_FLAGS)


def message_flags(row: Row) -> int:
    """PidTagMessageFlags of a row."""
    own = int(row.flags)
    flags = sum(bit for flag, bit in _FLAG_BITS if own & flag)
    return flags | (0x40 if row.associated else 0)


STATUS = (  # MS-OXCMSG 2.2.1.8
    (RowFlag.HIGHLIGHTED, 0x01),
    (RowFlag.TAGGED, 0x02),
    (RowFlag.HIDDEN_STATUS, 0x04),
    (RowFlag.IN_CONFLICT, 0x800),
    (RowFlag.REMOTE_DOWNLOAD, 0x1000),
    (RowFlag.REMOTE_DELETE, 0x2000),
)
"""PidTagMessageStatus: the flag of the row and its bit."""

_STATUS_BITS = tuple((int(flag), bit) for flag, bit in STATUS)


def message_status(row: Row) -> int:
    """PidTagMessageStatus of a row."""
    own = int(row.flags)
    return sum(bit for flag, bit in _STATUS_BITS if own & flag)


def instance_key(row: Row) -> bytes:
    """PidTagInstanceKey of a row: its MID and an instance number of zero."""
    return row.mid.to_bytes(8, "big") + bytes(4)


ROW_VALUES: dict[int, Callable[[Row], Value]] = {
    tags.PidTagMid: lambda row: to_int64(row.mid),
    tags.PidTagInstID: lambda row: to_int64(row.mid),
    tags.PidTagFolderId: lambda row: to_int64(row.fid),
    tags.PidTagParentFolderId: lambda row: to_int64(row.fid),
    tags.PidTagMessageFlags: message_flags,
    tags.PidTagRead: lambda row: bool(row.flags & RowFlag.SEEN),
    tags.PidTagMessageSize: lambda row: row.size,
    tags.PidTagMessageSizeExtended: lambda row: row.size,
    tags.PidTagMessageDeliveryTime: lambda row: row.received,
    tags.PidTagLastModificationTime: lambda row: row.modified,
    tags.PidTagChangeNumber: lambda row: to_int64(row.cn),
    tags.PidTagHasAttachments: lambda row: bool(row.flags & RowFlag.HAS_ATTACHMENT),
    tags.PidTagImportance: lambda row: row.importance,
    tags.PidTagAssociated: lambda row: row.associated,
    tags.PidTagMessageStatus: message_status,
    tags.PidTagInstanceKey: instance_key,
}
"""What the hot row of a message knows."""

COMPLETED, FLAGGED = 1, 2  # MS-OXOFLAG 2.2.1.1
RED_FLAG = 6  # MS-OXOFLAG 2.2.1.2
REPLIED, SENT_ON = 102, 104  # MS-OXOMSG 2.2.1.9
ICON_REPLIED, ICON_SENT_ON = 0x105, 0x106  # MS-OXOMSG 2.2.1.10
NO_ICON = -1

_ANSWERED, _FORWARDED = int(RowFlag.ANSWERED), int(RowFlag.FORWARDED)
_FLAGGED, _COMPLETE = int(RowFlag.FLAGGED), int(RowFlag.FLAG_COMPLETE)


def _flag_status(flags: int, value: Value) -> Value:
    return COMPLETED if flags & _COMPLETE else FLAGGED if flags & _FLAGGED else value


def _followup_icon(flags: int, value: Value) -> Value:
    return RED_FLAG if value is None and flags & _FLAGGED else value


def _last_verb(flags: int, value: Value) -> Value:
    if value is not None or not flags & (_ANSWERED | _FORWARDED):
        return value
    return REPLIED if flags & _ANSWERED else SENT_ON


def _icon(flags: int, value: Value) -> Value:
    if value not in (None, NO_ICON) or not flags & (_ANSWERED | _FORWARDED):
        return value
    return ICON_REPLIED if flags & _ANSWERED else ICON_SENT_ON


ROW_STATE: dict[int, Callable[[int, Value], Value]] = {
    tags.PidTagFlagStatus: _flag_status,
    tags.PidTagFollowupIcon: _followup_icon,
    tags.PidTagLastVerbExecuted: _last_verb,
    tags.PidTagIconIndex: _icon,
}
"""What the row's flags (those of IMAP) make of a property of the bag."""


MESSAGE_TAGS = frozenset((*ROW_VALUES, tags.PidTagMessageClass))
"""What every message has."""


class MessageRecord:
    """A message: hot facts from its row, the rest from its bag."""

    __slots__ = ("_cold", "_computed", "_deleted", "_mailbox", "_txn", "row")

    def __init__(
        self, txn: ReadTxn, mailbox: int, row: Row, computed: Computed = no_value, deleted: int | None = None
    ) -> None:
        self._txn, self._mailbox, self.row = txn, mailbox, row
        self._computed, self._deleted = computed, deleted
        self._cold: messages.Message | None = None

    @property
    def id(self) -> int:
        """The MID."""
        return self.row.mid

    @property
    def unread(self) -> bool:
        """As `Record`."""
        return not self.row.flags & RowFlag.SEEN

    def get(self, tag: int) -> Value:
        """As `Record`."""
        hot = ROW_VALUES.get(tag)
        if hot is not None:
            return hot(self.row)
        if tag == tags.PidTagDeletedOn:
            return self._deleted
        if tag == tags.PidTagMessageClass:
            known = classes.name(self._txn, self.row.message_class)
            if known:
                return known
        cold = self._read()
        if cold is None:
            return None
        value = cold.get(tag)
        state = ROW_STATE.get(tag)
        if state is not None:
            return state(self.row.flags, value)
        return self._computed(self._txn, self.row.mid, tag) if value is None else value

    def _read(self) -> messages.Message | None:
        if self._cold is None:
            with suppress(NotFound):
                self._cold = messages.load(self._txn, self._mailbox, self.row.mid)
        return self._cold

    def tags(self) -> Iterable[int]:
        """As `Record`."""
        cold = self._read()
        deleted = () if self._deleted is None else (tags.PidTagDeletedOn,)
        return {*MESSAGE_TAGS, *deleted, *(cold.bag() if cold is not None else ())}

    def children(self, tag: int) -> Iterable[Callable[[int], Value]]:
        """Recipients for PidTagMessageRecipients, attachments for PidTagMessageAttachments."""
        kind = {0x0E12000D: messages.PART_RECIPIENT, 0x0E13000D: messages.PART_ATTACHMENT}.get(tag)
        return [
            BagRecord(part.number, part.packed).get
            for part in messages.parts(self._txn, self._mailbox, self.row.mid)
            if part.kind == kind
        ]


@dataclass(frozen=True, slots=True)
class BagRecord:
    """A row that is nothing but a packed bag."""

    id: int
    packed: bytes
    unread: bool = False

    def get(self, tag: int) -> Value:
        """As `Record`."""
        return self.id if tag == tags.PidTagInstID else bags.get(self.packed, tag)

    def tags(self) -> Iterable[int]:
        """As `Record`."""
        return (tags.PidTagInstID, *bags.tags(self.packed))

    def children(self, tag: int) -> Iterable[Callable[[int], Value]]:
        """None."""
        return ()


class ContentsSource:
    """The contents table of a folder, or its associated one. `computed_tags` are what `computed` may know."""

    def __init__(
        self,
        mailbox: int,
        fid: int,
        *,
        associated: bool = False,
        computed: Computed = no_value,
        computed_tags: frozenset[int] | None = None,
    ):
        self._mailbox, self._fid, self._associated, self._computed = mailbox, fid, associated, computed
        self._computed_tags = frozenset[int]() if computed is no_value else computed_tags

    @property
    def key(self) -> tuple[int, ...]:
        """As `Source`."""
        return (1 + self._associated, self._mailbox, self._fid)

    def version(self, txn: ReadTxn) -> int:
        """As `Source`."""
        return folders.get(txn, self._mailbox, self._fid).contents_mod

    def records(self, txn: ReadTxn) -> Iterator[Record]:
        """As `Source`."""
        for row in contents.rows(txn, self._mailbox, self._fid, self._associated):
            yield MessageRecord(txn, self._mailbox, row, self._computed)

    def changed(self, txn: ReadTxn, since: int) -> set[int] | None:
        """As `Source`."""
        if log.floor(txn, self._mailbox) > since:
            return None
        return {change.mid for change in log.changes(txn, self._mailbox, self._fid, since)}

    def find(self, txn: ReadTxn, id_: int) -> Record | None:
        """As `Source`."""
        row = contents.find(txn, self._mailbox, self._fid, id_, self._associated)
        return MessageRecord(txn, self._mailbox, row, self._computed) if row is not None else None

    @property
    def computed_tags(self) -> frozenset[int] | None:
        """As `Source`."""
        return self._computed_tags

    def batches(self, txn: ReadTxn, ids: list[int] | None, *, cold: bool) -> Iterator[Batch] | None:
        """As `Source`."""
        pairs = self._pairs(txn, ids)
        return (
            messages_batch(txn, self._mailbox, chunk, cold=cold)
            for chunk in iter(lambda: list(islice(pairs, BATCH)), [])
        )

    def _pairs(self, txn: ReadTxn, ids: list[int] | None) -> Iterator[tuple[bytes, bytes]]:
        """Keys and values of hot rows."""
        prefix = contents_key(self._mailbox, self._fid, self._associated, 0)[:-8]
        if ids is None:
            return txn.scan(prefix, successor(prefix))
        keys = columns.keys(prefix, ids, b"")
        found = zip(keys, txn.values(keys), strict=True)
        return ((key, raw) for key, raw in found if raw is not None)

    def view(self, txn: ReadTxn, order: Order, known: Layout | None) -> View | None:
        """As `Source`."""
        if self._associated:
            return None
        try:
            return View(txn, self._mailbox, self._fid, order, known)
        except LookupError:
            return None

    @property
    def own_tags(self) -> frozenset[int]:
        """As `Source`."""
        return MESSAGE_TAGS

    @property
    def has_depth(self) -> bool:
        """As `Source`."""
        return False


def messages_batch(txn: ReadTxn, mailbox: int, pairs: list[tuple[bytes, bytes]], *, cold: bool) -> Batch:
    """A batch of hot rows (keys and values of `contents`, of any folders), with their cold values."""
    keys, hots = [key for key, _ in pairs], [raw for _, raw in pairs]
    ids = [tail_q(key) for key in keys]
    colds: list[bytes | None] = [None] * len(keys)
    if cold:
        colds = txn.values(columns.keys(head(mailbox, Table.MESSAGES), ids, b""))
    return Batch(ids, keys, hots, colds)


class DeletedSource(_Unscanned):
    """The soft-deleted contents of a folder."""

    def __init__(self, mailbox: int, fid: int, *, associated: bool = False, computed: Computed = no_value):
        self._mailbox, self._fid, self._associated, self._computed = mailbox, fid, associated, computed

    @property
    def key(self) -> tuple[int, ...]:
        """As `Source`."""
        return (3 + self._associated, self._mailbox, self._fid)

    @property
    def own_tags(self) -> frozenset[int]:
        """As `Source`."""
        return MESSAGE_TAGS

    def version(self, txn: ReadTxn) -> int:
        """As `Source`."""
        return folders.get(txn, self._mailbox, self._fid).contents_mod

    def _record(self, txn: ReadTxn, deleted: contents.Deleted) -> Record:
        return MessageRecord(txn, self._mailbox, deleted.row, self._computed, deleted.when)

    def records(self, txn: ReadTxn) -> Iterator[Record]:
        """As `Source`."""
        for deleted in contents.all_buried(txn, self._mailbox, self._fid):
            if deleted.row.associated == self._associated:
                yield self._record(txn, deleted)

    def changed(self, txn: ReadTxn, since: int) -> set[int] | None:
        """As `Source`."""
        if log.floor(txn, self._mailbox) > since:
            return None
        return {change.mid for change in log.changes(txn, self._mailbox, self._fid, since)}

    def find(self, txn: ReadTxn, id_: int) -> Record | None:
        """As `Source`."""
        try:
            deleted = contents.buried(txn, self._mailbox, self._fid, id_)
        except NotFound:
            return None
        return self._record(txn, deleted) if deleted.row.associated == self._associated else None


FOLDER_VALUES: dict[int, Callable[[Folder], Value]] = {
    tags.PidTagFolderId: lambda folder: to_int64(folder.fid),
    tags.PidTagInstID: lambda folder: to_int64(folder.fid),
    tags.PidTagParentFolderId: lambda folder: to_int64(folder.parent),
    tags.PidTagDisplayName: lambda folder: folder.name,
    tags.PidTagContentCount: lambda folder: folder.total,
    tags.PidTagContentUnreadCount: lambda folder: folder.unread,
    tags.PidTagAssociatedContentCount: lambda folder: folder.associated,
    tags.PidTagSubfolders: lambda folder: folder.subfolders > 0,
    tags.PidTagFolderType: lambda folder: int(folder.kind),
    tags.PidTagContainerClass: lambda folder: folder.container_class or None,
    tags.PidTagMessageSize: lambda folder: min(folder.size, 0x7FFFFFFF),
    tags.PidTagMessageSizeExtended: lambda folder: folder.size,
    tags.PidTagDeletedCountTotal: lambda folder: folder.deleted_ever,
    tags.PidTagCreationTime: lambda folder: folder.created,
    tags.PidTagLastModificationTime: lambda folder: folder.modified,
    tags.PidTagChangeNumber: lambda folder: to_int64(folder.cn),
}
"""What the row of a folder knows."""


COUNTS = (tags.PidTagContentCount, tags.PidTagContentUnreadCount)
"""What a search folder's row does not know: `search_folders.counts` does."""


class FolderRecord:
    """A folder and how deep it stands below the table's folder."""

    __slots__ = ("_computed", "_depth", "_mailbox", "_txn", "folder")

    def __init__(self, txn: ReadTxn, mailbox: int, folder: Folder, depth: int, computed: Computed) -> None:
        self._txn, self._mailbox, self.folder = txn, mailbox, folder
        self._depth, self._computed = depth, computed

    @property
    def id(self) -> int:
        """The FID."""
        return self.folder.fid

    @property
    def unread(self) -> bool:
        """As `Record`."""
        return False

    def get(self, tag: int) -> Value:
        """As `Record`."""
        if tag == tags.PidTagDepth:
            return self._depth
        if tag in COUNTS and self.folder.kind is FolderKind.SEARCH:
            return search_folders.counts(self._txn, self._mailbox, self.folder.fid)[COUNTS.index(tag)]
        hot = FOLDER_VALUES.get(tag)
        if hot is not None:
            return hot(self.folder)
        value = bags.get(self.folder.packed_bag, tag) if self.folder.packed_bag else None
        return self._computed(self._txn, self.folder.fid, tag) if value is None else value

    def tags(self) -> Iterable[int]:
        """As `Record`."""
        stored = bags.tags(self.folder.packed_bag) if self.folder.packed_bag else ()
        return {*FOLDER_VALUES, tags.PidTagDepth, *stored}

    def children(self, tag: int) -> Iterable[Callable[[int], Value]]:
        """None."""
        return ()


class HierarchySource(_Unscanned):
    """The subfolders of a folder, with `deep` all below it (MS-OXCFOLD 2.2.1.13: Depth)."""

    def __init__(
        self,
        mailbox: int,
        fid: int,
        *,
        deep: bool = False,
        computed: Computed = no_value,
        visible: Visible = lambda txn, fid: True,
        viewer: int = 0,
    ):
        """`visible` says which folders `viewer` sees; what lies below the others is shown all the same."""
        self._mailbox, self._fid, self._deep, self._computed = mailbox, fid, deep, computed
        self._visible, self._viewer = visible, viewer

    @property
    def key(self) -> tuple[int, ...]:
        """As `Source`."""
        return (5 + self._deep, self._mailbox, self._fid, self._viewer)

    @property
    def own_tags(self) -> frozenset[int]:
        """As `Source`."""
        return frozenset(FOLDER_VALUES)

    @property
    def has_depth(self) -> bool:
        """As `Source`."""
        return True

    def version(self, txn: ReadTxn) -> int:
        """As `Source`: folders' counts change with every message, so a table's rows are only as new as the
        mailbox."""
        return max((max(f.mod, f.contents_mod) for f in folders.walk(txn, self._mailbox)), default=0)

    def records(self, txn: ReadTxn) -> Iterator[Record]:
        """As `Source`, parents before their children."""
        level = [(folder, 1) for folder in folders.children(txn, self._mailbox, self._fid)]
        for folder, depth in level:
            if self._visible(txn, folder.fid):
                yield FolderRecord(txn, self._mailbox, folder, depth, self._computed)
            if self._deep:
                level += [(f, depth + 1) for f in folders.children(txn, self._mailbox, folder.fid)]

    def changed(self, txn: ReadTxn, since: int) -> set[int] | None:
        """Never known: hierarchies are small, they are read again."""
        return None

    def find(self, txn: ReadTxn, id_: int) -> Record | None:
        """As `Source`."""
        return next((record for record in self.records(txn) if record.id == id_), None)


class FolderList(_Unscanned):
    """Folders of which no more come, each as long as it is there."""

    def __init__(self, mailbox: int, fids: Iterable[int], *, computed: Computed = no_value):
        self._mailbox, self._fids, self._computed = mailbox, tuple(fids), computed

    @property
    def key(self) -> tuple[int, ...]:
        """As `Source`."""
        return (8, self._mailbox, *self._fids)

    @property
    def own_tags(self) -> frozenset[int]:
        """As `Source`."""
        return frozenset(FOLDER_VALUES)

    @property
    def has_depth(self) -> bool:
        """As `Source`."""
        return True

    def version(self, txn: ReadTxn) -> int:
        """As `Source`."""
        return max((record.folder.mod for record in self._found(txn)), default=0) + len(self._fids)

    def _found(self, txn: ReadTxn) -> Iterator[FolderRecord]:
        for fid in self._fids:
            folder = folders.find(txn, self._mailbox, fid)
            if folder is not None:
                yield FolderRecord(txn, self._mailbox, folder, 1, self._computed)

    def records(self, txn: ReadTxn) -> Iterator[Record]:
        """As `Source`."""
        return self._found(txn)

    def changed(self, txn: ReadTxn, since: int) -> set[int] | None:
        """Never known: they are few."""
        return None

    def find(self, txn: ReadTxn, id_: int) -> Record | None:
        """As `Source`."""
        return next((record for record in self._found(txn) if record.id == id_), None)


class ListSource(_Unscanned):
    """Rows that a caller has at hand: recipients, attachments, permissions, rules."""

    def __init__(self, records: Iterable[Record]) -> None:
        self._records = list(records)

    @property
    def key(self) -> tuple[int, ...]:
        """As `Source`: shared with nobody."""
        return (0, id(self))

    def version(self, txn: ReadTxn) -> int:
        """As `Source`: these rows stay as they are."""
        return 0

    def records(self, txn: ReadTxn) -> Iterator[Record]:
        """As `Source`."""
        return iter(self._records)

    def changed(self, txn: ReadTxn, since: int) -> set[int] | None:
        """As `Source`."""
        return set()

    def find(self, txn: ReadTxn, id_: int) -> Record | None:
        """As `Source`."""
        return next((record for record in self._records if record.id == id_), None)


def parts_source(txn: ReadTxn, mailbox: int, mid: int, kind: int) -> ListSource:
    """The recipients (PART_RECIPIENT) or attachments (PART_ATTACHMENT) table of a stored message."""
    return ListSource(
        BagRecord(part.number, part.packed) for part in messages.parts(txn, mailbox, mid) if part.kind == kind
    )


def permissions_source(
    txn: ReadTxn, mailbox: int, fid: int, name: Callable[[int], str] = lambda member: ""
) -> ListSource:
    """The permissions table of a folder (MS-OXCPERM 2.2.4)."""
    return ListSource(
        BagRecord(
            number,
            bags.pack(
                {
                    tags.PidTagMemberId: member,
                    tags.PidTagMemberName: name(member),
                    tags.PidTagMemberRights: int(rights),
                }
            ),
        )
        for number, (member, rights) in enumerate(permissions.members(txn, mailbox, fid).items())
    )


def rules_source(txn: ReadTxn, mailbox: int, fid: int) -> ListSource:
    """The rules table of a folder: packed bags under (folder, rule id)."""
    prefix = head_q(mailbox, Table.RULES, fid)
    return ListSource(
        BagRecord(int.from_bytes(key[-8:], "big"), raw) for key, raw in txn.scan(prefix, prefix + b"\xff" * 9)
    )
