"""A folder as MAPI shows it: each property by its tag (MS-OXCFOLD 2.2.2, MS-OXOSFLD 2.2)."""

import struct
from collections.abc import Callable

from appliance.mailbox import quotas
from appliance.mailbox.actor import Actor
from appliance.mailbox.properties.places import Places
from appliance.mailbox.rights import effective
from appliance.mapi import tags
from appliance.mapi.ids import PredecessorChangeList
from appliance.mapi.types import Value
from appliance.store import contents, folders, mailboxes, peruser, rules, search_folders, versions
from appliance.store.folders import Folder, FolderFlag, FolderKind
from appliance.store.mailboxes import PublicSpecial, Special
from appliance.store.permissions import Right
from appliance.store.tables.hierarchy import COUNTS, FOLDER_VALUES

OBJECT_FOLDER = 3  # MS-OXCPRPT 2.2.1.7

MODIFY, READ, DELETE = 1, 2, 4  # MS-OXCPRPT 2.2.1.1
CREATE_HIERARCHY, CREATE_CONTENTS, CREATE_ASSOCIATED = 8, 0x10, 0x20

IPM, SEARCH, NORMAL, RULES = 1, 2, 4, 8  # MS-OXCFOLD 2.2.2.2.1.5

_SPECIALS: dict[int, Special] = {  # MS-OXOSFLD 2.2.3
    tags.PidTagIpmAppointmentEntryId: Special.CALENDAR,
    tags.PidTagIpmContactEntryId: Special.CONTACTS,
    tags.PidTagIpmJournalEntryId: Special.JOURNAL,
    tags.PidTagIpmNoteEntryId: Special.NOTES,
    tags.PidTagIpmTaskEntryId: Special.TASKS,
    tags.PidTagRemindersOnlineEntryId: Special.REMINDERS,
    tags.PidTagIpmDraftsEntryId: Special.DRAFTS,
}
_INDEXED = (  # MS-OXOSFLD 2.2.4
    Special.CONFLICTS,
    Special.SYNC_ISSUES,
    Special.LOCAL_FAILURES,
    Special.SERVER_FAILURES,
    Special.JUNK,
)
_PERSISTENT = (  # MS-OXOSFLD 2.2.5.1
    (0x8001, Special.RSS_FEEDS),
    (0x8004, Special.TODO_SEARCH),
    (0x8006, Special.CONVERSATION_ACTIONS),
    (0x8007, Special.QUICK_STEPS),
    (0x8008, Special.SUGGESTED_CONTACTS),
    (0x800A, Special.IM_CONTACT_LIST),
    (0x800B, Special.QUICK_CONTACTS),
)
_ELEMENT_ENTRY_ID = 1
_FREE_BUSY_INDEX = 3
_BLOCK = struct.Struct("<HH")


def folder_access(right: Right) -> int:
    """PidTagAccess of a folder where the user has these rights."""
    owner = bool(right & Right.FOLDER_OWNER)
    access = MODIFY | DELETE | CREATE_ASSOCIATED if owner else 0
    access |= READ if right & (Right.READ_ANY | Right.FOLDER_VISIBLE) or owner else 0
    access |= CREATE_HIERARCHY if right & Right.CREATE_SUBFOLDER else 0
    return access | (CREATE_CONTENTS if right & Right.CREATE else 0)


class FolderView:
    """A folder in one snapshot, for one user."""

    def __init__(self, places: Places, folder: Folder, actor: Actor) -> None:
        self._places, self.folder, self._actor = places, folder, actor
        self._bag = folder.bag()

    def get(self, tag: int) -> Value:
        """A property; None where the folder has none."""
        known = _SERVER.get(tag)
        if known is not None:
            return known(self)
        if tag in COUNTS and self.folder.kind is FolderKind.SEARCH:
            return search_folders.counts(self._places.txn, self._places.mailbox, self.folder.fid)[
                COUNTS.index(tag)
            ]
        if tag == tags.PidTagContentUnreadCount and self._places.is_public:
            return peruser.unread(self._places.txn, self._places.mailbox, self.folder.fid, self._actor.user)
        hot = FOLDER_VALUES.get(tag)
        if hot is not None:
            return hot(self.folder)
        value = self._bag.get(tag)
        if value is None and self._leads_to_specials and tag in _LEADING:
            return _LEADING[tag](self)
        return value

    def tags(self) -> set[int]:
        """Every property that it has."""
        candidates = {*_SERVER, *FOLDER_VALUES, *(_LEADING if self._leads_to_specials else ())}
        known = {tag for tag in candidates - _COSTLY if self.get(tag) is not None}
        return (known | set(self._bag)) - _HIDDEN

    @property
    def _leads_to_specials(self) -> bool:
        """Whether clients look here for the special folders: the root and the inbox (MS-OXOSFLD 2.2)."""
        return not self._places.is_public and self.folder.fid in (Special.ROOT, Special.INBOX)

    def right(self) -> Right:
        """What the user may do here."""
        return effective(self._places.txn, self._actor, self._places.mailbox, self.folder.fid)

    def _flags(self) -> Value:
        if self.folder.kind == FolderKind.SEARCH:
            return SEARCH
        subtree: int = PublicSpecial.IPM_SUBTREE if self._places.is_public else Special.IPM_SUBTREE
        return NORMAL | (IPM if self._is_below(subtree) else 0) | (RULES if self._has_rules() else 0)

    def _has_rules(self) -> bool:
        return rules.has_any(self._places.txn, self._places.mailbox, self.folder.fid)

    def _is_below(self, top: int) -> bool:
        fid = self.folder.fid
        while fid and fid != top:
            found = folders.find(self._places.txn, self._places.mailbox, fid)
            fid = found.parent if found is not None else 0
        return fid == top

    def _parent_entry_id(self) -> Value:
        return self._places.folder_entry_id(self.folder.parent or self.folder.fid)

    def _parent_source_key(self) -> Value:
        # MS-OXCFXICS 2.2.1.2.6: empty for what stands in the root of the synchronization
        return self._places.source_key(self.folder.parent) if self.folder.parent else b""

    def _newest_inside(self) -> Value:
        """When a message or subfolder of this folder was changed last."""
        txn, mailbox, fid = self._places.txn, self._places.mailbox, self.folder.fid
        messages = (max(row.modified, row.saved) for row in contents.rows(txn, mailbox, fid))
        below = (each.modified for each in folders.children(txn, mailbox, fid))
        return max((self.folder.created, *below, *messages))

    def _change_key(self) -> Value:
        own = versions.own(self._places.txn, self._places.mailbox, self.folder.cn)
        return self.folder.change_key or own.to_bytes()

    def _predecessors(self) -> Value:
        own = versions.own(self._places.txn, self._places.mailbox, self.folder.cn)
        return self.folder.predecessors or PredecessorChangeList([own]).pack()

    def _hierarchy_number(self) -> Value:
        """Grows with every subfolder that is made or removed (MS-OXCFOLD 2.2.2.2.1.8), and at other times."""
        return mailboxes.get(self._places.txn, self._places.mailbox).counter & 0x7FFF_FFFF

    def _rights(self) -> Value:
        return int(self.right())

    def _special(self, special: Special) -> bytes:
        return self._places.folder_entry_id(special)

    def _indexed(self) -> Value:
        return tuple(map(self._special, _INDEXED))

    def _persistent(self) -> Value:
        """PersistData blocks, one for each folder, and the sentinel."""
        blocks = []
        for number, special in _PERSISTENT:
            entry_id = self._special(special)
            element = _BLOCK.pack(_ELEMENT_ENTRY_ID, len(entry_id)) + entry_id
            blocks.append(_BLOCK.pack(number, len(element)) + element)
        return b"".join(blocks) + _BLOCK.pack(0, 0)

    def _free_busy(self) -> Value:
        # MS-OXOSFLD 2.2.6: the fourth is the Freebusy Data folder's
        return (b"",) * _FREE_BUSY_INDEX + (self._special(Special.LOCAL_FREE_BUSY),)


_SERVER: dict[int, Callable[[FolderView], Value]] = {
    tags.PidTagEntryId: lambda view: view._places.folder_entry_id(view.folder.fid),
    tags.PidTagRecordKey: lambda view: view._places.folder_entry_id(view.folder.fid),
    tags.PidTagParentEntryId: FolderView._parent_entry_id,
    tags.PidTagSourceKey: lambda view: view._places.source_key(view.folder.fid),
    tags.PidTagParentSourceKey: FolderView._parent_source_key,
    tags.PidTagChangeKey: FolderView._change_key,
    tags.PidTagPredecessorChangeList: FolderView._predecessors,
    tags.PidTagInstanceKey: lambda view: view.folder.fid.to_bytes(8, "big"),
    tags.PidTagStoreEntryId: lambda view: view._places.store_entry_id(),
    tags.PidTagStoreRecordKey: lambda view: view._places.guid,
    tags.PidTagMappingSignature: lambda view: view._places.guid,
    tags.PidTagObjectType: lambda view: OBJECT_FOLDER,
    tags.PidTagAccess: lambda view: folder_access(view.right()),
    tags.PidTagRights: FolderView._rights,
    tags.PidTagFolderFlags: FolderView._flags,
    tags.PidTagAttributeHidden: lambda view: bool(view.folder.flags & FolderFlag.HIDDEN),
    tags.PidTagHierarchyChangeNumber: FolderView._hierarchy_number,
    tags.PidTagHierRev: lambda view: view.folder.modified,
    tags.PidTagLocalCommitTime: lambda view: view.folder.modified,
    tags.PidTagLocalCommitTimeMax: FolderView._newest_inside,
    tags.PidTagHasRules: FolderView._has_rules,
}
"""What the server alone knows, whatever a client wrote."""

_LEADING: dict[int, Callable[[FolderView], Value]] = {
    **{tag: (lambda view, to=special: view._special(to)) for tag, special in _SPECIALS.items()},  # type: ignore[misc]
    tags.PidTagAdditionalRenEntryIds: FolderView._indexed,
    tags.PidTagAdditionalRenEntryIdsEx: FolderView._persistent,
    tags.PidTagFreeBusyEntryIds: FolderView._free_busy,
}
"""Where the special folders are, for clients that look on the root and the inbox. A client that wrote the
property is believed."""

_COSTLY = frozenset((tags.PidTagLocalCommitTimeMax,))
"""What reads all that is in the folder, and so is told to those alone who name it."""

_HIDDEN = frozenset((folders.PID_TAG_SATCHEL_FORMER_PARENT,))

READ_ONLY = frozenset((*_SERVER, *FOLDER_VALUES, *quotas.ADMINISTRATIVE, tags.PidTagDeletedOn)) - {
    tags.PidTagAttributeHidden,
    tags.PidTagDisplayName,
    tags.PidTagContainerClass,
}
"""What clients cannot set (MS-OXCFOLD 2.2.2)."""

COMPUTED_TAGS = frozenset((*_SERVER, *_LEADING))
"""Tags whose values a folder's bag may lack."""
