"""The objects that Minimal Entry IDs name, and their properties in the types that are asked for.

An object is an entry of the directory, a container, or the server itself (whose distinguished name clients
look up). `Reader.value` gives one property of one object, computed when asked for. Tags are known by their
property id: a client may ask for any string property as String8 or Unicode, and for every property with the
type Unspecified, which the server then chooses (MS-OXNSPI 2.2.1.1).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from appliance.directory import domains, entries, lists, properties
from appliance.directory.lists import AddressList
from appliance.directory.model import Entry
from appliance.mapi import tags
from appliance.mapi import types as t
from appliance.mapi.entryids import MUIDEMSAB, AddressBookType, EphemeralEntryId, PermanentEntryId
from appliance.store.kv import ReadTxn

SERVER_MID = lists.CONTAINER_BASE - 1
"""The Minimal Entry ID of the server's own object."""

FIRST_MID = 0x10
"""Minimal Entry IDs below name no object (MS-OXNSPI 2.2.9.1)."""

MAX_BINARY = 2_097_152
MAX_VALUES = 100_000
"""What a value may hold (MS-OXNSPI 2.2.2.3, 2.2.2.4)."""

TYPES = frozenset(
    {
        t.PtypInteger32,
        t.PtypBoolean,
        t.PtypString8,
        t.PtypBinary,
        t.PtypString,
        t.PtypTime,
        t.PtypErrorCode,
        t.PtypMultipleString8,
        t.PtypMultipleBinary,
        t.PtypMultipleString,
        t.PtypObject,
        t.PtypNull,
    }
)
"""The types that values may have in replies (MS-OXNSPI 2.2.1.1)."""

KNOWN = frozenset(
    properties.TAGS | properties.RELATED_TAGS | {tags.PidTagAddressBookIsMaster, tags.PidTagDepth}
) | {tags.PidTagAddressBookNetworkAddress}
"""Every property of the address book, strings with their Unicode types."""

_BY_ID: dict[int, list[int]] = {}
for _tag in sorted(KNOWN):
    _BY_ID.setdefault(t.id_of(_tag), []).append(_tag)


@dataclass(frozen=True, slots=True)
class Container:
    """A row of the hierarchy as an object."""

    address_list: AddressList


@dataclass(frozen=True, slots=True)
class Server:
    """The server as an object of its own address book."""

    organization: domains.Organization


Object = Entry | Container | Server


def known_tag(tag: int) -> int | None:
    """The tag of KNOWN that a client's tag asks for: the same, its string type exchanged, or any type for
    Unspecified. None for properties that the address book does not have, or not in that type."""
    wanted = t.unicode_tag(tag)
    candidates = _BY_ID.get(t.id_of(tag), ())
    if wanted in candidates:
        return wanted
    if t.type_of(tag) == t.PtypUnspecified:
        return next(iter(candidates), None)
    return None


def is_string(tag: int) -> bool:
    """Whether a tag's values are strings, single or multiple, of either kind."""
    return tag & ~t.MULTIPLE_FLAG & 0xFFFE == t.PtypString8 & 0xFFFE and t.type_of(tag) & 0xEFFE == 0x001E


def string8_tag(tag: int) -> int:
    """The tag with the String8 type in place of the Unicode one."""
    return tag & ~1 if is_string(tag) else tag


@dataclass(slots=True)
class Reader:
    """Objects and their values within one transaction. `server`: the GUID of ephemeral entry ids."""

    txn: ReadTxn
    server: bytes
    _organization: domains.Organization | None = field(default=None, repr=False)

    @property
    def organization(self) -> domains.Organization:
        """The organization, read once."""
        if self._organization is None:
            self._organization = domains.get(self.txn)
        return self._organization

    def find(self, mid: int) -> Object | None:
        """The object of a Minimal Entry ID, or None. Positioning ids name none."""
        if mid < FIRST_MID:
            return None
        if mid == SERVER_MID:
            return Server(self.organization)
        if mid >= lists.CONTAINER_BASE:
            found = lists.by_container(mid)
            return None if found is None else Container(found)
        return entries.find(self.txn, mid)

    def mid_of_dn(self, dn: str) -> int:
        """The Minimal Entry ID of a distinguished name, current or former; 0 when there is none
        (MS-OXNSPI 3.1.4.1.13). The global address list's is 0 too: it has no other."""
        entry = entries.by_legacy_dn(self.txn, dn)
        if entry is not None:
            return entry.id
        container = lists.by_dn(dn)
        if container is not None:
            return container.container_id
        server = self.organization.server_legacy_dn.casefold()
        folded = dn.casefold()
        return SERVER_MID if folded == server or folded.startswith(server + "/cn=") else 0

    def tags_of(self, item: Object) -> Iterator[int]:
        """The tags of KNOWN that have a value on an object, ascending."""
        for tag in sorted(KNOWN):
            if self.value(item, tag) is not None:
                yield tag

    def value(self, item: Object, tag: int, *, ephemeral: bool = False) -> t.Value:
        """The value of a tag of KNOWN, None where the object has none; 0 stands for a table.
        `ephemeral`: give PidTagEntryId in that form (MS-OXNSPI 2.2.1.11, fEphID)."""
        if isinstance(item, Container):
            return self._of_container(item.address_list, tag, ephemeral)
        if isinstance(item, Server):
            return self._of_server(tag, ephemeral)
        if tag == tags.PidTagEntryId and ephemeral:
            return self._ephemeral(item.id, properties.SHAPES[item.kind].display_type)
        if tag in properties.RELATED_TAGS:
            return 0 if self._has_table(item, tag) else None
        return properties.value(self.txn, item, tag) if tag in properties.TAGS else None

    def _has_table(self, entry: Entry, tag: int) -> bool:
        if tag in (tags.PidTagAddressBookMember, tags.PidTagContainerContents):
            return entry.is_group
        return bool(properties.related(self.txn, entry, tag))

    def _ephemeral(self, mid: int, display_type: int) -> bytes:
        return EphemeralEntryId(self.server, mid, display_type).pack()

    def _of_container(self, found: AddressList, tag: int, ephemeral: bool) -> t.Value:
        if tag == tags.PidTagEntryId and ephemeral:
            return self._ephemeral(found.container_id, AddressBookType.CONTAINER)
        return container_bag(found).get(tag)

    def _of_server(self, tag: int, ephemeral: bool) -> t.Value:
        if tag == tags.PidTagEntryId and ephemeral:
            return self._ephemeral(SERVER_MID, AddressBookType.LOCAL_USER)
        return _server_bag(self.organization).get(tag)


def container_bag(found: AddressList) -> dict[int, t.Value]:
    """The properties of a container (MS-OXOABK 2.2.2)."""
    key = PermanentEntryId(found.dn, AddressBookType.CONTAINER).pack()
    return {
        tags.PidTagEntryId: key,
        tags.PidTagRecordKey: key,
        tags.PidTagContainerFlags: properties.AB_RECIPIENTS | properties.AB_UNMODIFIABLE,
        tags.PidTagDepth: 0,
        tags.PidTagAddressBookContainerId: found.container_id,
        tags.PidTagDisplayName: found.name,
        tags.PidTagAddressBookIsMaster: False,
        tags.PidTagObjectType: _ABCONT,
        tags.PidTagInstanceKey: found.container_id.to_bytes(4, "little"),
        tags.PidTagMappingSignature: MUIDEMSAB,
    }


_ABCONT = 0x00000004  # MS-OXOABK 2.2.3.10


def _server_bag(organization: domains.Organization) -> dict[int, t.Value]:
    dn, name = organization.server_legacy_dn, organization.hostname.partition(".")[0].upper()
    key = PermanentEntryId(dn).pack()
    return {
        tags.PidTagEntryId: key,
        tags.PidTagRecordKey: key,
        tags.PidTagTemplateid: key,
        tags.PidTagInstanceKey: SERVER_MID.to_bytes(4, "little"),
        tags.PidTagMappingSignature: MUIDEMSAB,
        tags.PidTagObjectType: properties.OBJECT_MAIL_USER,
        tags.PidTagDisplayType: int(AddressBookType.LOCAL_USER),
        tags.PidTagDisplayName: name,
        tags.PidTagAddressBookDisplayNamePrintable: name,
        tags.PidTagAddressBookObjectDistinguishedName: dn,
        tags.PidTagEmailAddress: dn,
        tags.PidTagAddressType: "EX",
        tags.PidTagAddressBookNetworkAddress: (f"ncacn_ip_tcp:{organization.hostname}", f"netbios:{name}"),
    }
