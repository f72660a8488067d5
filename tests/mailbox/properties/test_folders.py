"""Properties of folders, and what tables ask for."""

import pytest

from appliance.mailbox import folders as mailbox_folders
from appliance.mailbox.actor import SYSTEM, Actor
from appliance.mailbox.properties import tables
from appliance.mailbox.properties.folders import FolderView
from appliance.mailbox.properties.places import places
from appliance.mapi import entryids, tags
from appliance.mapi.ids import LongTermId, counter_of
from appliance.store import folders, mailboxes, permissions
from appliance.store.mailboxes import Special
from appliance.store.permissions import Right
from appliance.store.store import Store
from appliance.store.tables.sources import ContentsSource
from tests.conftest import EPOCH
from tests.mailbox.properties.conftest import Deliver


def test_the_special_folders_are_found(store: Store, mailbox: int, owner: Actor) -> None:
    """MS-OXOSFLD 2.2"""
    with store.read() as txn:
        at = places(txn, mailbox)
        for fid in (Special.ROOT, Special.INBOX):
            view = FolderView(at, folders.get(txn, mailbox, fid), owner)
            calendar = view.get(tags.PidTagIpmAppointmentEntryId)
            assert isinstance(calendar, bytes)
            parsed = entryids.parse(calendar)
            assert isinstance(parsed, entryids.FolderEntryId)
            replica = mailboxes.identity(txn, mailbox).replica_guid
            assert parsed.folder == LongTermId(replica, counter_of(Special.CALENDAR))
            indexed = view.get(tags.PidTagAdditionalRenEntryIds)
            assert isinstance(indexed, tuple)
            assert indexed[4] == at.folder_entry_id(Special.JUNK)
            busy = view.get(tags.PidTagFreeBusyEntryIds)
            assert isinstance(busy, tuple)
            assert busy[3] == at.folder_entry_id(Special.LOCAL_FREE_BUSY)
            assert blocks(view.get(tags.PidTagAdditionalRenEntryIdsEx))[0x8001] == at.folder_entry_id(
                Special.RSS_FEEDS
            )
        other = FolderView(at, folders.get(txn, mailbox, Special.DRAFTS), owner)
        assert other.get(tags.PidTagIpmAppointmentEntryId) is None


def blocks(data: object) -> dict[int, bytes]:
    """PersistData blocks: their entry ids by PersistID."""
    assert isinstance(data, bytes)
    found, at = {}, 0
    while number := int.from_bytes(data[at : at + 2], "little"):
        size = int.from_bytes(data[at + 2 : at + 4], "little")
        element = data[at + 4 : at + 4 + size]
        assert element[:2] == b"\x01\x00"
        assert int.from_bytes(element[2:4], "little") == len(element) - 4
        found[number] = element[4:]
        at += 4 + size
    assert data[at:] == bytes(4)
    return found


@pytest.mark.covers("MS-OXCFOLD_R1035103", "MS-OXCFOLD_R1035107", "MS-OXCFOLD_R1035105", "MS-OXCFOLD_R352")
def test_what_the_server_knows(store: Store, mailbox: int, owner: Actor) -> None:
    with store.read() as txn:
        at = places(txn, mailbox)
        views = {
            f: FolderView(at, folders.get(txn, mailbox, f), owner) for f in (Special.INBOX, Special.ROOT)
        }
        inbox = views[Special.INBOX]
        assert inbox.get(tags.PidTagAccess) == 0x3F
        assert inbox.get(tags.PidTagFolderFlags) == 1 | 4
        assert views[Special.ROOT].get(tags.PidTagFolderFlags) == 4
        search = FolderView(at, folders.get(txn, mailbox, Special.REMINDERS), owner)
        assert search.get(tags.PidTagFolderFlags) == 2
        assert search.get(tags.PidTagAttributeHidden) is True
        assert inbox.get(tags.PidTagDisplayName) == "Inbox"
        assert inbox.get(tags.PidTagParentEntryId) == at.folder_entry_id(Special.IPM_SUBTREE)
        assert inbox.get(tags.PidTagSourceKey) == at.source_key(Special.INBOX)
        before = inbox.get(tags.PidTagHierarchyChangeNumber)
        for tag in inbox.tags():
            assert inbox.get(tag) is not None, hex(tag)
    store.write(
        lambda txn: mailbox_folders.create(txn, SYSTEM, mailbox, ("Inbox", "Sub"), now=EPOCH)
    ).result()
    with store.read() as txn:
        again = FolderView(places(txn, mailbox), folders.get(txn, mailbox, Special.INBOX), owner)
        after = again.get(tags.PidTagHierarchyChangeNumber)
        assert isinstance(before, int)
        assert isinstance(after, int)
        assert after > before


def test_access_follows_rights(store: Store, mailbox: int) -> None:
    rights = Right.READ_ANY | Right.CREATE | Right.FOLDER_VISIBLE
    store.write(lambda txn: permissions.put(txn, mailbox, Special.INBOX, 99, rights)).result()
    with store.read() as txn:
        view = FolderView(places(txn, mailbox), folders.get(txn, mailbox, Special.INBOX), Actor(99, 0))
        assert view.get(tags.PidTagAccess) == 0x12
        assert view.get(tags.PidTagRights) == int(rights)


def test_tables_have_computed_columns(store: Store, mailbox: int, owner: Actor, deliver: Deliver) -> None:
    rows = [deliver(f"Subject: {number}\n\nbody {number}\n") for number in range(3)]
    computed = tables.of_contents(mailbox, Special.INBOX, owner)
    source = ContentsSource(mailbox, Special.INBOX, computed=computed, asked=tables.asked)
    with store.read() as txn:
        at = places(txn, mailbox)
        found = {record.id: record for record in source.records(txn)}
        for row in rows:
            record = found[row.mid]
            assert record.get(tags.PidTagEntryId) == at.message_entry_id(row.fid, row.mid)
            assert record.get(tags.PidTagAccess) == 7
            assert str(record.get(tags.PidTagBody)).startswith("body ")
        hierarchy = tables.of_hierarchy(mailbox, owner)
        assert hierarchy(txn, Special.INBOX, tags.PidTagEntryId) == at.folder_entry_id(Special.INBOX)
        assert hierarchy(txn, Special.INBOX, tags.PidTagSubject) is None
        assert computed(txn, 12345, tags.PidTagEntryId) is None
