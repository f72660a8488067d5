"""A mailbox as a whole, with its properties (MS-OXCSTOR 2.2.2): what a Logon object shows.

What clients may set is kept with the mailbox; the rest follows from the directory, from its counters and
quotas, and from the session.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from appliance.directory import entries
from appliance.directory.model import Entry
from appliance.formats import bags
from appliance.mailbox import quotas
from appliance.mailbox.actor import Actor
from appliance.mailbox.errors import Reason, Refused
from appliance.mailbox.properties.places import Places
from appliance.mapi import errors as ec
from appliance.mapi import tags
from appliance.mapi.entryids import PermanentEntryId
from appliance.mapi.types import Value
from appliance.store import folders, mailboxes, replids, rules, search_folders
from appliance.store.kv import ReadTxn, WriteTxn

OBJECT_STORE = 1  # MS-OXCPRPT 2.2.1.7
ACTIVE_SEARCHES = 0x01000000
NO_LIMIT = -1
MAX_PAIRS = 1000
"""Replica ids that PidTagSerializedReplidGuidMap tells, at most."""

MAX_BAG = 64 << 10
"""Bytes of all that clients set on a mailbox."""

PUBLIC_NAME = "Public Folders"


@dataclass(frozen=True, slots=True)
class Languages:
    """What a session said of itself: Windows locale ids and the code page."""

    locale: int
    sort_locale: int
    code_page: int


class StoreView:
    """A mailbox in one snapshot, for one user."""

    def __init__(self, places: Places, user: Entry, languages: Languages) -> None:
        self._places, self._user, self._languages = places, user, languages
        self._txn: ReadTxn = places.txn
        self._bag = mailboxes.bag(places.txn, places.mailbox)

    def get(self, tag: int) -> Value:
        """A property; None where there is none."""
        known = (_PUBLIC if self._places.is_public else _PRIVATE).get(tag) or _BOTH.get(tag)
        if known is not None:
            return known(self)
        value = self._bag.get(tag)
        return self._initial(tag) if value is None else value

    def tags(self) -> set[int]:
        """Every property that there is."""
        own = _PUBLIC if self._places.is_public else {**_PRIVATE, **dict.fromkeys(_INITIAL)}
        return {tag for tag in {*own, *_BOTH} if self.get(tag) is not None} | set(self._bag)

    def _initial(self, tag: int) -> Value:
        if tag == tags.PidTagDisplayName:
            owner = self._owner()
            return PUBLIC_NAME if self._places.is_public else owner.display_name if owner else None
        return None if self._places.is_public else _INITIAL.get(tag)

    def _owner(self) -> Entry | None:
        return entries.by_mailbox(self._txn, self._places.mailbox)

    def _owner_name(self) -> Value:
        owner = self._owner()
        return owner.display_name if owner is not None else None

    def _owner_entry_id(self) -> Value:
        owner = self._owner()
        return PermanentEntryId(owner.legacy_dn).pack() if owner is not None else None

    def _usage(self) -> quotas.Usage:
        return quotas.usage(self._txn, self._places.mailbox)

    def _state(self) -> Value:
        return ACTIVE_SEARCHES if search_folders.definitions(self._txn, self._places.mailbox) else 0

    def _count(self) -> Value:
        return sum(folder.total for folder in folders.walk(self._txn, self._places.mailbox))

    def _replicas(self) -> Value:
        pairs = [(replids.OWN, self._places.replica_guid), *replids.foreign(self._txn, MAX_PAIRS)]
        return b"".join(replid.to_bytes(2, "little") + guid for replid, guid in pairs)


def _kilobytes(limit: int) -> int:
    return limit >> 10 if limit else NO_LIMIT


_BOTH: dict[int, Callable[[StoreView], Value]] = {
    tags.PidTagUserEntryId: lambda view: PermanentEntryId(view._user.legacy_dn).pack(),
    tags.PidTagEntryId: lambda view: view._places.store_entry_id(),
    tags.PidTagStoreEntryId: lambda view: view._places.store_entry_id(),
    tags.PidTagRecordKey: lambda view: view._places.guid,
    tags.PidTagStoreRecordKey: lambda view: view._places.guid,
    tags.PidTagMappingSignature: lambda view: view._places.guid,
    tags.PidTagObjectType: lambda view: OBJECT_STORE,
    tags.PidTagLocaleId: lambda view: view._languages.locale,
    tags.PidTagSortLocaleId: lambda view: view._languages.sort_locale,
    tags.PidTagCodePageId: lambda view: view._languages.code_page,
    tags.PidTagSerializedReplidGuidMap: StoreView._replicas,
}
_PRIVATE: dict[int, Callable[[StoreView], Value]] = {
    tags.PidTagExtendedRuleSizeLimit: lambda view: rules.MAX_RULE,
    tags.PidTagMaximumSubmitMessageSize: lambda view: NO_LIMIT,
    tags.PidTagProhibitReceiveQuota: lambda view: _kilobytes(view._usage().receive),
    tags.PidTagProhibitSendQuota: lambda view: _kilobytes(view._usage().send),
    tags.PidTagStoreState: StoreView._state,
    tags.PidTagContentCount: StoreView._count,
    tags.PidTagMailboxOwnerEntryId: StoreView._owner_entry_id,
    tags.PidTagMailboxOwnerName: StoreView._owner_name,
    tags.PidTagMessageSize: lambda view: min(view._usage().size, 0x7FFF_FFFF),
    tags.PidTagMessageSizeExtended: lambda view: view._usage().size,
}
_PUBLIC: dict[int, Callable[[StoreView], Value]] = {}
_INITIAL: dict[int, Value] = {tags.PidTagOutOfOfficeState: False, tags.PidTagDeleteAfterSubmit: False}
"""What a mailbox has before a client set it."""

SESSION = frozenset((tags.PidTagLocaleId, tags.PidTagSortLocaleId))
"""What belongs to the session, which may set it (2.2.2.1.2)."""

READ_ONLY = frozenset((*_BOTH, *_PRIVATE, tags.PidTagAddressBookMessageId)) - SESSION


def out_of_office(txn: ReadTxn, mailbox: int) -> bool:
    """Whether the owner is out of office (2.2.2.1.2.4)."""
    return bool(mailboxes.bag(txn, mailbox).get(tags.PidTagOutOfOfficeState))


def _require_owner(actor: Actor, mailbox: int) -> None:
    if not actor.admin and actor.mailbox != mailbox:
        raise Refused(Reason.ACCESS_DENIED)


def set_properties(
    txn: WriteTxn, actor: Actor, mailbox: int, values: Sequence[tuple[int, Value]]
) -> dict[int, int]:
    """Set properties; the codes of those that cannot be. The owner's alone."""
    _require_owner(actor, mailbox)
    refusals = {tag: ec.ecComputed for tag, _ in values if tag in READ_ONLY}
    wanted = {tag: value for tag, value in values if tag not in refusals and tag not in SESSION}
    if wanted:
        bag = {**mailboxes.bag(txn, mailbox), **wanted}
        if len(bags.pack(bag)) > MAX_BAG:
            return refusals | dict.fromkeys(wanted, ec.ecPropSize)
        mailboxes.put_bag(txn, mailbox, bag)
    return refusals


def delete_properties(txn: WriteTxn, actor: Actor, mailbox: int, gone: Iterable[int]) -> dict[int, int]:
    """Take properties away; the codes of those that stay. The owner's alone."""
    _require_owner(actor, mailbox)
    gone = list(gone)
    refusals = {tag: ec.ecComputed for tag in gone if tag in READ_ONLY or tag in SESSION}
    bag = mailboxes.bag(txn, mailbox)
    left = {tag: value for tag, value in bag.items() if tag not in gone}
    if left != bag:
        mailboxes.put_bag(txn, mailbox, left)
    return refusals
