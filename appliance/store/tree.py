"""The tree of special folders that a new mailbox, private or public, begins with."""

from typing import NamedTuple

from appliance.store import folders, mailboxes
from appliance.store.folders import FolderFlag, FolderKind
from appliance.store.kv import WriteTxn
from appliance.store.mailboxes import Clock, Kind, PublicSpecial, Special


class _Row(NamedTuple):
    fid: int
    parent: int
    name: str
    container_class: str = ""
    hidden: bool = False
    special_use: str = ""
    kind: FolderKind = FolderKind.GENERIC


_SEARCH = FolderKind.SEARCH

PRIVATE: tuple[_Row, ...] = (  # MS-OXCSTOR 2.2.1.1.3, MS-OXOSFLD 2.2
    _Row(Special.ROOT, 0, "", kind=FolderKind.ROOT),
    _Row(Special.DEFERRED_ACTION, Special.ROOT, "Deferred Action", hidden=True),
    _Row(Special.SPOOLER_QUEUE, Special.ROOT, "Spooler Queue", kind=_SEARCH, hidden=True),
    _Row(Special.SHORTCUTS, Special.ROOT, "Shortcuts", hidden=True),
    _Row(Special.FINDER, Special.ROOT, "Finder", hidden=True),
    _Row(Special.VIEWS, Special.ROOT, "Views", hidden=True),
    _Row(Special.COMMON_VIEWS, Special.ROOT, "Common Views", hidden=True),
    _Row(Special.SCHEDULE, Special.ROOT, "Schedule", hidden=True),
    _Row(Special.LOCAL_FREE_BUSY, Special.ROOT, "Freebusy Data", hidden=True),
    _Row(Special.REMINDERS, Special.ROOT, "Reminders", "Outlook.Reminder", kind=_SEARCH, hidden=True),
    _Row(Special.TODO_SEARCH, Special.ROOT, "To-Do Search", "IPF.Task", kind=_SEARCH, hidden=True),
    _Row(Special.RECOVERABLE_ITEMS, Special.ROOT, "Recoverable Items", hidden=True),
    _Row(Special.DELETIONS, Special.RECOVERABLE_ITEMS, "Deletions", hidden=True),
    _Row(Special.VERSIONS, Special.RECOVERABLE_ITEMS, "Versions", hidden=True),
    _Row(Special.PURGES, Special.RECOVERABLE_ITEMS, "Purges", hidden=True),
    _Row(Special.IPM_SUBTREE, Special.ROOT, "Top of Information Store"),
    _Row(Special.INBOX, Special.IPM_SUBTREE, "Inbox", "IPF.Note"),
    _Row(Special.OUTBOX, Special.IPM_SUBTREE, "Outbox", "IPF.Note"),
    _Row(Special.SENT, Special.IPM_SUBTREE, "Sent Items", "IPF.Note", special_use="Sent"),
    _Row(Special.TRASH, Special.IPM_SUBTREE, "Deleted Items", "IPF.Note", special_use="Trash"),
    _Row(Special.DRAFTS, Special.IPM_SUBTREE, "Drafts", "IPF.Note", special_use="Drafts"),
    _Row(Special.JUNK, Special.IPM_SUBTREE, "Junk E-mail", "IPF.Note", special_use="Junk"),
    _Row(Special.ARCHIVE, Special.IPM_SUBTREE, "Archive", "IPF.Note", special_use="Archive"),
    _Row(Special.CALENDAR, Special.IPM_SUBTREE, "Calendar", "IPF.Appointment"),
    _Row(Special.CONTACTS, Special.IPM_SUBTREE, "Contacts", "IPF.Contact"),
    _Row(Special.SUGGESTED_CONTACTS, Special.IPM_SUBTREE, "Suggested Contacts", "IPF.Contact"),
    _Row(
        Special.QUICK_CONTACTS,
        Special.CONTACTS,
        "Quick Contacts",
        "IPF.Contact.MOC.QuickContacts",
        hidden=True,
    ),
    _Row(
        Special.IM_CONTACT_LIST,
        Special.CONTACTS,
        "IM Contact List",
        "IPF.Contact.MOC.ImContactList",
        hidden=True,
    ),
    _Row(Special.TASKS, Special.IPM_SUBTREE, "Tasks", "IPF.Task"),
    _Row(Special.NOTES, Special.IPM_SUBTREE, "Notes", "IPF.StickyNote"),
    _Row(Special.JOURNAL, Special.IPM_SUBTREE, "Journal", "IPF.Journal"),
    _Row(Special.SYNC_ISSUES, Special.IPM_SUBTREE, "Sync Issues", "IPF.Note"),
    _Row(Special.CONFLICTS, Special.SYNC_ISSUES, "Conflicts", "IPF.Note"),
    _Row(Special.LOCAL_FAILURES, Special.SYNC_ISSUES, "Local Failures", "IPF.Note"),
    _Row(Special.SERVER_FAILURES, Special.SYNC_ISSUES, "Server Failures", "IPF.Note"),
    _Row(
        Special.CONVERSATION_ACTIONS,
        Special.IPM_SUBTREE,
        "Conversation Action Settings",
        "IPF.Configuration",
        hidden=True,
    ),
    _Row(Special.QUICK_STEPS, Special.IPM_SUBTREE, "Quick Step Settings", "IPF.Configuration", hidden=True),
    _Row(Special.CONVERSATION_HISTORY, Special.IPM_SUBTREE, "Conversation History", "IPF.Note"),
    _Row(Special.RSS_FEEDS, Special.IPM_SUBTREE, "RSS Feeds", "IPF.Note.OutlookHomepage"),
    _Row(
        Special.DOCUMENT_LIBRARIES,
        Special.ROOT,
        "Document Libraries",
        "IPF.ShortcutFolder",
        hidden=True,
    ),
)

PUBLIC: tuple[_Row, ...] = (  # MS-OXCSTOR 2.2.1.1.4
    _Row(PublicSpecial.ROOT, 0, "", kind=FolderKind.ROOT),
    _Row(PublicSpecial.IPM_SUBTREE, PublicSpecial.ROOT, "IPM_SUBTREE"),
    _Row(PublicSpecial.NON_IPM_SUBTREE, PublicSpecial.ROOT, "NON_IPM_SUBTREE", hidden=True),
    _Row(PublicSpecial.EFORMS_REGISTRY, PublicSpecial.NON_IPM_SUBTREE, "EFORMS REGISTRY", hidden=True),
    _Row(PublicSpecial.FREE_BUSY, PublicSpecial.NON_IPM_SUBTREE, "SCHEDULE+ FREE BUSY", hidden=True),
    _Row(
        PublicSpecial.OFFLINE_ADDRESS_BOOK,
        PublicSpecial.NON_IPM_SUBTREE,
        "OFFLINE ADDRESS BOOK",
        hidden=True,
    ),
)


def create_mailbox(
    txn: WriteTxn,
    *,
    owner: int,
    guid: bytes,
    replica_guid: bytes,
    uidvalidity: int,
    now: int,
    kind: Kind = Kind.PRIVATE,
) -> int:
    """A new mailbox with its special folders; its number.

    `owner` is a directory id; `guid` and `replica_guid` are 16 random bytes; `uidvalidity` (1 to 2**32 - 1,
    by custom the time in seconds) is the first that it gives out; `now` a FILETIME."""
    clock = mailboxes.begin(
        txn, kind=kind, owner=owner, guid=guid, replica_guid=replica_guid, uidvalidity=uidvalidity
    )
    for row in PRIVATE if kind == Kind.PRIVATE else PUBLIC:
        _create(txn, clock, row, now)
    mailboxes.put(txn, clock.row)
    return clock.mailbox


def _create(txn: WriteTxn, clock: Clock, row: _Row, now: int) -> None:
    folders.create(
        txn,
        clock,
        row.parent,
        row.name,
        now=now,
        fid=row.fid,
        kind=row.kind,
        flags=FolderFlag.SPECIAL | (FolderFlag.HIDDEN if row.hidden else FolderFlag.NONE),
        container_class=row.container_class,
        special_use=row.special_use,
    )
