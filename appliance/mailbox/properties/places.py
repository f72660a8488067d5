"""The identifiers of a mailbox's objects in the forms that properties hold: entry ids, source keys."""

from dataclasses import dataclass

from appliance.directory import domains, entries
from appliance.mapi.entryids import PUBLIC_FOLDERS, FolderEntryId, MessageEntryId, ObjectType, StoreEntryId
from appliance.mapi.ids import LongTermId, counter_of, replica_of
from appliance.store import mailboxes, replids
from appliance.store.kv import ReadTxn
from appliance.store.mailboxes import Kind

UNKNOWN_REPLICA = bytes(16)
"""The GUID in a long-term id whose replica id nobody gave: such an id leads nowhere."""


@dataclass(frozen=True, slots=True)
class Places:
    """Makes the identifiers of one mailbox. `guid` and `replica_guid`: 16 bytes in wire order."""

    txn: ReadTxn
    mailbox: int
    guid: bytes
    replica_guid: bytes
    owner: int
    is_public: bool

    def long_term(self, id_: int) -> LongTermId:
        """The long-term form of a FID, MID or CN."""
        replica = replica_of(id_)
        guid = self.replica_guid if replica == replids.OWN else None
        guid = guid or replids.guid_of(self.txn, self.mailbox, replica) or UNKNOWN_REPLICA
        return LongTermId(guid, counter_of(id_))

    def source_key(self, id_: int) -> bytes:
        """PidTagSourceKey (MS-OXCFXICS 2.2.1.2.5): the GID, 22 bytes."""
        return self.long_term(id_).to_gid()

    @property
    def provider(self) -> bytes:
        """The ProviderUID of entry ids (MS-OXCDATA 2.2.4)."""
        return PUBLIC_FOLDERS if self.is_public else self.guid

    def folder_entry_id(self, fid: int) -> bytes:
        """PidTagEntryId of a folder."""
        kind = ObjectType.PUBLIC_FOLDER if self.is_public else ObjectType.PRIVATE_FOLDER
        return FolderEntryId(self.provider, kind, self.long_term(fid)).pack()

    def message_entry_id(self, fid: int, mid: int) -> bytes:
        """PidTagEntryId of a message."""
        kind = ObjectType.PUBLIC_MESSAGE if self.is_public else ObjectType.PRIVATE_MESSAGE
        return MessageEntryId(self.provider, kind, self.long_term(fid), self.long_term(mid)).pack()

    def store_entry_id(self) -> bytes:
        """PidTagStoreEntryId (MS-OXCDATA 2.2.4.3): the server, and the owner's legacy distinguished name."""
        organization = domains.get(self.txn)
        owner = None if self.is_public else entries.by_mailbox(self.txn, self.mailbox)
        return StoreEntryId(
            organization.hostname, owner.legacy_dn if owner is not None else "", self.is_public
        ).pack()


def places(txn: ReadTxn, mailbox: int) -> Places:
    """The identifiers of a mailbox in a snapshot. Raises NotFound."""
    identity = mailboxes.identity(txn, mailbox)
    public = identity.kind is Kind.PUBLIC
    return Places(txn, mailbox, identity.guid, identity.replica_guid, identity.owner, public)
