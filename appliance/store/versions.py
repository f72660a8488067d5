"""Versions of messages across stores: change keys and predecessor change lists (MS-OXCFXICS 3.1.5.3).

A message that only ever changed here has the change key (replica GUID, counter of its CN), and a list of
this one entry: nothing is stored. An import brings a foreign change key and list: they stand in the cold bag
together with the CN that the import got. While the row has that CN, the foreign key is the message's; after a
later change here the key is our own again and the list is what was stored plus that change.
"""

from typing import NamedTuple

from appliance.mapi import tags
from appliance.mapi.ids import Order, PredecessorChangeList, Xid
from appliance.mapi.types import Bag
from appliance.store import mailboxes
from appliance.store.contents import Row
from appliance.store.folders import Folder
from appliance.store.kv import ReadTxn

PidTagChangeNumber = 0x67A40014
"""MS-OXCFXICS 2.2.1.2.3; in a cold bag: the CN that the imported version got."""

STORED = frozenset({tags.PidTagChangeKey, tags.PidTagPredecessorChangeList, PidTagChangeNumber})
"""What this module keeps in a cold bag; clients never set it there themselves."""


class Version(NamedTuple):
    """A version: its change key and what it has been through, itself included."""

    change_key: bytes
    predecessors: PredecessorChangeList


def own(txn: ReadTxn, mailbox: int, cn: int) -> Xid:
    """The XID of a change of this mailbox."""
    return Xid.of_change(mailboxes.identity(txn, mailbox).replica_guid, cn)


def version(txn: ReadTxn, mailbox: int, row: Row, bag: Bag) -> Version:
    """The version of a message; `bag` holds at least what is in STORED."""
    xid = own(txn, mailbox, row.cn)
    key, packed = bag.get(tags.PidTagChangeKey), bag.get(tags.PidTagPredecessorChangeList)
    if not isinstance(key, bytes) or not isinstance(packed, bytes):
        return Version(xid.to_bytes(), PredecessorChangeList([xid]))
    stored = PredecessorChangeList.parse(packed)
    if bag.get(PidTagChangeNumber) == row.cn:
        return Version(key, stored)
    return Version(xid.to_bytes(), stored.merged([xid]))


def imported(bag: Bag, incoming: Version, cn: int) -> Bag:
    """The bag of a message whose imported version got the number `cn`."""
    return {
        **bag,
        tags.PidTagChangeKey: incoming.change_key,
        tags.PidTagPredecessorChangeList: incoming.predecessors.pack(),
        PidTagChangeNumber: cn,
    }


def compare(ours: PredecessorChangeList, theirs: PredecessorChangeList) -> Order:
    """How the version with the list `ours` stands to that with `theirs` (MS-OXCFXICS 3.1.5.6.2)."""
    return ours.compare(theirs)


def folder_version(txn: ReadTxn, mailbox: int, folder: Folder) -> Version:
    """The version of a folder: imported while its row has a change key, else our own."""
    xid = own(txn, mailbox, folder.cn)
    if folder.change_key:
        return Version(folder.change_key, PredecessorChangeList.parse(folder.predecessors))
    return Version(xid.to_bytes(), PredecessorChangeList.parse(folder.predecessors).merged([xid]))
