"""Properties of a mailbox as a whole, as a logon shows them (MS-OXCSTOR 2.2.2).

A few are the client's to set and stand in a bag of the mailbox; the others say what is. Other properties that
a client sets on its own mailbox are kept too.
"""

from collections.abc import Callable, Iterable, Sequence

from appliance.directory import domains, entries
from appliance.directory.properties import entry_id
from appliance.formats import bags
from appliance.mailbox import rights
from appliance.mailbox.actor import Actor
from appliance.mailbox.errors import Reason, Refused
from appliance.mailbox.properties.places import places
from appliance.mapi import tags
from appliance.mapi.types import Bag, Value
from appliance.store import folders, mailboxes, replids, search_folders
from appliance.store.kv import ReadTxn, WriteTxn
from appliance.store.mailboxes import Kind, PublicSpecial, Special
from appliance.store.permissions import Right

HAS_SEARCHES = 0x01000000
"""PidTagStoreState."""

MAX_EXTENDED_RULE = 96 << 10
"""PidTagExtendedRuleSizeLimit, bytes."""

MAX_PROPERTIES = 256 << 10
"""Bytes of all properties that clients set on one mailbox."""

KIBIBYTE, SMALL = 1024, (1 << 31) - 1
STORE_OBJECT = 1  # PidTagObjectType, MS-OXCPRPT 2.2.1.7


def top(txn: ReadTxn, mailbox: int) -> int:
    """The root folder: who owns it owns the mailbox."""
    private = mailboxes.identity(txn, mailbox).kind is Kind.PRIVATE
    return Special.ROOT if private else PublicSpecial.ROOT


class StoreView:
    """The properties of a mailbox in one snapshot, to `actor`. `page`, `locale` and `sort_locale` are the
    session's."""

    def __init__(
        self, txn: ReadTxn, mailbox: int, actor: Actor, *, page: int, locale: int, sort_locale: int
    ) -> None:
        self.txn, self.mailbox, self.actor = txn, mailbox, actor
        self.page, self.locale, self.sort_locale = page, locale, sort_locale
        self.private = mailboxes.identity(txn, mailbox).kind is Kind.PRIVATE
        self._set = mailboxes.properties(txn, mailbox)

    def get(self, tag: int) -> Value:
        """A property, None where there is none."""
        if tag in self._set and tag not in READ_ONLY:
            return self._set[tag]
        computed = _COMPUTED.get(tag)
        if computed is not None and (self.private or tag in _PUBLIC):
            return computed(self)
        return None

    def tags(self) -> Iterable[int]:
        """Every property that there is."""
        return sorted({*self._set, *(tag for tag in _COMPUTED if self.get(tag) is not None)})

    def _owner(self) -> bytes:
        owner = entries.by_mailbox(self.txn, self.mailbox)
        return entry_id(owner) if owner is not None else b""

    def _owner_name(self) -> str:
        owner = entries.by_mailbox(self.txn, self.mailbox)
        return owner.display_name if owner is not None else domains.get(self.txn).name

    def _user(self) -> bytes:
        user = entries.find(self.txn, self.actor.user)
        return entry_id(user) if user is not None else b""

    def _quota(self, limit: int) -> int | None:
        return min(limit // KIBIBYTE, SMALL) if limit else None

    def _state(self) -> int:
        return HAS_SEARCHES if search_folders.definitions(self.txn, self.mailbox) else 0

    def _count(self) -> int:
        return sum(folder.total for folder in folders.walk(self.txn, self.mailbox))

    def _replicas(self) -> bytes:
        own = mailboxes.identity(self.txn, self.mailbox).replica_guid
        pairs = [(replids.OWN, own), *replids.foreign(self.txn)]
        return b"".join(number.to_bytes(2, "little") + guid for number, guid in pairs)


def _size(view: StoreView) -> int:
    return mailboxes.get(view.txn, view.mailbox).size


_COMPUTED: dict[int, Callable[[StoreView], Value]] = {
    tags.PidTagExtendedRuleSizeLimit: lambda view: MAX_EXTENDED_RULE,
    tags.PidTagMaximumSubmitMessageSize: lambda view: -1,
    tags.PidTagProhibitReceiveQuota: lambda view: view._quota(
        mailboxes.get(view.txn, view.mailbox).receive_quota
    ),
    tags.PidTagProhibitSendQuota: lambda view: view._quota(mailboxes.get(view.txn, view.mailbox).send_quota),
    tags.PidTagStoreState: StoreView._state,
    tags.PidTagContentCount: StoreView._count,
    tags.PidTagMailboxOwnerEntryId: StoreView._owner,
    tags.PidTagMailboxOwnerName: StoreView._owner_name,
    tags.PidTagMessageSize: lambda view: min(_size(view), SMALL),
    tags.PidTagMessageSizeExtended: _size,
    tags.PidTagUserEntryId: StoreView._user,
    tags.PidTagCodePageId: lambda view: view.page,
    tags.PidTagLocaleId: lambda view: view.locale,
    tags.PidTagSortLocaleId: lambda view: view.sort_locale,
    tags.PidTagDisplayName: StoreView._owner_name,
    tags.PidTagOutOfOfficeState: lambda view: False,
    tags.PidTagSerializedReplidGuidMap: StoreView._replicas,
    tags.PidTagObjectType: lambda view: STORE_OBJECT,
    tags.PidTagEntryId: lambda view: places(view.txn, view.mailbox).store_entry_id(),
    tags.PidTagStoreEntryId: lambda view: places(view.txn, view.mailbox).store_entry_id(),
    tags.PidTagRecordKey: lambda view: mailboxes.identity(view.txn, view.mailbox).guid,
    tags.PidTagStoreRecordKey: lambda view: mailboxes.identity(view.txn, view.mailbox).guid,
    tags.PidTagMappingSignature: lambda view: mailboxes.identity(view.txn, view.mailbox).replica_guid,
}

_PUBLIC = frozenset(
    {
        tags.PidTagUserEntryId,
        tags.PidTagDisplayName,
        tags.PidTagCodePageId,
        tags.PidTagLocaleId,
        tags.PidTagSortLocaleId,
        tags.PidTagObjectType,
        tags.PidTagEntryId,
        tags.PidTagStoreEntryId,
        tags.PidTagRecordKey,
        tags.PidTagStoreRecordKey,
        tags.PidTagMappingSignature,
        tags.PidTagSerializedReplidGuidMap,
    }
)
"""What the public folders' logon has too (2.2.2.2)."""

SETTABLE = frozenset(
    {
        tags.PidTagOutOfOfficeState,
        tags.PidTagSentMailSvrEID,
        tags.PidTagLocaleId,
        tags.PidTagSortLocaleId,
    }
)
"""2.2.2.1.2, without those that servers since Exchange 2013 refuse (notes 14 to 16)."""

REFUSED = frozenset({tags.PidTagComment, tags.PidTagDeleteAfterSubmit, tags.PidTagDisplayName})
READ_ONLY = frozenset({*_COMPUTED, *REFUSED, tags.PidTagAddressBookMessageId}) - SETTABLE


def set_properties(
    txn: WriteTxn, actor: Actor, mailbox: int, values: Sequence[tuple[int, Value]]
) -> set[int]:
    """Set properties of a mailbox; the tags that cannot be set. Needs FOLDER_OWNER on the root folder; the
    public folders' are nobody's to set. Raises Refused."""
    refused = {tag for tag, _ in values if tag in READ_ONLY}

    def change(bag: Bag) -> None:
        bag.update((tag, value) for tag, value in values if tag not in refused)

    _change(txn, actor, mailbox, change)
    return refused


def delete_properties(txn: WriteTxn, actor: Actor, mailbox: int, wanted: Sequence[int]) -> set[int]:
    """Take properties away; the tags that stay. As `set_properties`."""
    refused = {tag for tag in wanted if tag in READ_ONLY - {tags.PidTagDeleteAfterSubmit}}

    def change(bag: Bag) -> None:
        for tag in wanted:
            bag.pop(tag, None)

    _change(txn, actor, mailbox, change)
    return refused


def _change(txn: WriteTxn, actor: Actor, mailbox: int, change: Callable[[Bag], None]) -> None:
    require_writable(txn, actor, mailbox)
    bag = mailboxes.properties(txn, mailbox)
    change(bag)
    if len(bags.pack(bag)) > MAX_PROPERTIES:
        raise Refused(Reason.TOO_BIG, f"at most {MAX_PROPERTIES} bytes of properties")
    mailboxes.put_properties(txn, mailbox, bag)


def require_writable(txn: ReadTxn, actor: Actor, mailbox: int) -> None:
    """Raises Refused ACCESS_DENIED unless the actor may change the mailbox's own properties."""
    if mailboxes.identity(txn, mailbox).kind is not Kind.PRIVATE and not actor.admin:
        raise Refused(Reason.ACCESS_DENIED)
    rights.require(txn, actor, mailbox, top(txn, mailbox), Right.FOLDER_OWNER)


def is_out_of_office(txn: ReadTxn, mailbox: int) -> bool:
    """Whether the owner is out of office (PidTagOutOfOfficeState)."""
    return mailboxes.properties(txn, mailbox).get(tags.PidTagOutOfOfficeState) is True
