"""Folders as rows of tables: what stands below a folder, and chosen ones."""

from collections.abc import Callable, Iterable, Iterator

from appliance.formats import bags
from appliance.mapi import tags
from appliance.mapi.ids import to_int64
from appliance.mapi.types import Value
from appliance.store import folders, peruser, search_folders
from appliance.store.folders import Folder, FolderKind
from appliance.store.kv import ReadTxn
from appliance.store.tables.source import Computed, Record, Unscanned, no_value

Visible = Callable[[ReadTxn, int], bool]
"""visible(txn, FID): whether a folder is shown."""

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
    """A folder and how deep it stands below the table's folder. Of a public one, `reader` says whose unread
    messages are counted; 0 for the folders of a mailbox."""

    __slots__ = ("_computed", "_depth", "_mailbox", "_reader", "_txn", "folder")

    def __init__(
        self, txn: ReadTxn, mailbox: int, folder: Folder, depth: int, computed: Computed, reader: int = 0
    ) -> None:
        self._txn, self._mailbox, self.folder = txn, mailbox, folder
        self._depth, self._computed, self._reader = depth, computed, reader

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
        if tag == tags.PidTagContentUnreadCount and self._reader:
            return peruser.unread(self._txn, self._mailbox, self.folder.fid, self._reader)
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


class HierarchySource(Unscanned):
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
        reader: int = 0,
    ):
        """`visible` says which folders `viewer` sees; what lies below the others is shown all the same. Of
        public folders, `reader` says whose unread messages are counted."""
        self._mailbox, self._fid, self._deep, self._computed = mailbox, fid, deep, computed
        self._visible, self._viewer, self._reader = visible, viewer, reader

    @property
    def key(self) -> tuple[int, ...]:
        """As `Source`."""
        return (5 + self._deep, self._mailbox, self._fid, self._viewer, self._reader)

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
                yield FolderRecord(txn, self._mailbox, folder, depth, self._computed, self._reader)
            if self._deep:
                level += [(f, depth + 1) for f in folders.children(txn, self._mailbox, folder.fid)]

    def changed(self, txn: ReadTxn, since: int) -> set[int] | None:
        """Never known: hierarchies are small, they are read again."""
        return None

    def find(self, txn: ReadTxn, id_: int) -> Record | None:
        """As `Source`."""
        return next((record for record in self.records(txn) if record.id == id_), None)


class FolderList(Unscanned):
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
