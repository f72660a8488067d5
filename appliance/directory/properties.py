"""The properties of address book objects (MS-OXOABK 2.2.3 to 2.2.7), from the entries of the directory.

`bag` gives the values, `related` the entries that the table-valued properties hold. Entry ids are permanent
ones; ephemeral ones are the NSPI session's, which puts its own over them.
"""

from collections.abc import Callable
from dataclasses import dataclass

from appliance.directory import domains, entries, links, resolve
from appliance.directory.entries import Part
from appliance.directory.links import Link
from appliance.directory.model import Entry, Kind
from appliance.mapi import tags
from appliance.mapi.entryids import AddressBookType, PermanentEntryId
from appliance.store.kv import ReadTxn

Value = int | str | bytes | bool | tuple[str, ...] | tuple[bytes, ...]

OBJECT_MAIL_USER = 6
OBJECT_DIST_LIST = 8
OBJECT_FOLDER = 3
"""PidTagObjectType (MS-OXOABK 2.2.3.10)."""

ACL_CAPABLE = 0x40000000
"""The bit of PidTagDisplayTypeEx for what can be given rights in folders (MS-OXOABK 2.2.3.12)."""

DT_ROOM, DT_EQUIPMENT, DT_SECURITY_GROUP = 7, 8, 9


@dataclass(frozen=True, slots=True)
class Shape:
    """How a kind of entry looks: PidTagObjectType, PidTagDisplayType, PidTagDisplayTypeEx."""

    object_type: int
    display_type: AddressBookType
    display_type_ex: int


SHAPES = {
    Kind.USER: Shape(OBJECT_MAIL_USER, AddressBookType.LOCAL_USER, ACL_CAPABLE),
    Kind.ROOM: Shape(OBJECT_MAIL_USER, AddressBookType.LOCAL_USER, DT_ROOM),
    Kind.EQUIPMENT: Shape(OBJECT_MAIL_USER, AddressBookType.LOCAL_USER, DT_EQUIPMENT),
    Kind.CONTACT: Shape(OBJECT_MAIL_USER, AddressBookType.REMOTE_USER, AddressBookType.REMOTE_USER),
    Kind.GROUP: Shape(OBJECT_DIST_LIST, AddressBookType.DISTRIBUTION_LIST, ACL_CAPABLE | DT_SECURITY_GROUP),
    Kind.DYNAMIC_GROUP: Shape(OBJECT_DIST_LIST, AddressBookType.AGENT, AddressBookType.AGENT),
    Kind.PUBLIC_FOLDER: Shape(OBJECT_FOLDER, AddressBookType.FORUM, AddressBookType.FORUM),
}

PERSON_TAGS = {
    "given_name": tags.PidTagGivenName,
    "surname": tags.PidTagSurname,
    "initials": tags.PidTagInitials,
    "title": tags.PidTagTitle,
    "company": tags.PidTagCompanyName,
    "department": tags.PidTagDepartmentName,
    "office": tags.PidTagOfficeLocation,
    "phone": tags.PidTagBusinessTelephoneNumber,
    "mobile": tags.PidTagMobileTelephoneNumber,
    "home_phone": tags.PidTagHomeTelephoneNumber,
    "fax": tags.PidTagPrimaryFaxNumber,
    "pager": tags.PidTagPagerTelephoneNumber,
    "street": tags.PidTagStreetAddress,
    "city": tags.PidTagLocality,
    "state": tags.PidTagStateOrProvince,
    "postal_code": tags.PidTagPostalCode,
    "country": tags.PidTagCountry,
    "comment": tags.PidTagComment,
}
"""Attributes of a person as properties (MS-OXOABK 2.2.4)."""


def entry_id(entry: Entry) -> bytes:
    """The permanent entry id of an entry (MS-OXOABK 2.2.3.3)."""
    return PermanentEntryId(entry.legacy_dn, SHAPES[entry.kind].display_type).pack()


def search_key(entry: Entry) -> bytes:
    """PidTagSearchKey: address type and address, upper case (MS-OXOABK 2.2.3.5)."""
    return f"EX:{entry.legacy_dn}".upper().encode("ascii", "replace") + b"\0"


def proxy_addresses(entry: Entry) -> tuple[str, ...]:
    """The proxy addresses: `SMTP:` for the primary, `smtp:` for others, `X500:` for former names
    (MS-OXOABK 2.2.3.23)."""
    further = (f"smtp:{alias}" for alias in entry.aliases)
    return (f"SMTP:{entry.address}", *further, *(f"X500:{name}" for name in entry.x500))


def bag(txn: ReadTxn, entry: Entry) -> dict[int, Value]:
    """Every property of an entry that has a value."""
    shape, key = SHAPES[entry.kind], entry_id(entry)
    values: dict[int, Value] = {
        tags.PidTagEntryId: key,
        tags.PidTagRecordKey: key,
        tags.PidTagTemplateid: key,
        tags.PidTagInstanceKey: entry.id.to_bytes(4, "little"),
        tags.PidTagSearchKey: search_key(entry),
        tags.PidTagObjectType: shape.object_type,
        tags.PidTagDisplayType: int(shape.display_type),
        tags.PidTagDisplayTypeEx: int(shape.display_type_ex),
        tags.PidTagAddressBookDisplayTypeExtended: int(shape.display_type_ex),
        tags.PidTagDisplayName: entry.display_name,
        tags.PidTagTransmittableDisplayName: entry.display_name,
        tags.PidTag7BitDisplayName: _seven_bit(entry.display_name),
        tags.PidTagAddressType: "EX",
        tags.PidTagEmailAddress: entry.legacy_dn,
        tags.PidTagSmtpAddress: entry.address,
        tags.PidTagAccount: entry.account,
        tags.PidTagEmsAbProxyAddresses: proxy_addresses(entry),
        tags.PidTagAddressBookObjectDistinguishedName: entry.legacy_dn,
        tags.PidTagAddressBookObjectGuid: entry.object_guid,
        tags.PidTagSendRichInfo: True,
        tags.PidTagCreationTime: entry.created,
        tags.PidTagLastModificationTime: entry.changed,
    }
    for name, tag in PERSON_TAGS.items():
        if value := getattr(entry.person, name):
            values[tag] = value
    for add in _BY_KIND.get(entry.kind, ()):
        values |= add(txn, entry)
    return values | _blobs(txn, entry) | _names_of_others(txn, entry)


def _of_mailbox(txn: ReadTxn, entry: Entry) -> dict[int, Value]:
    server = domains.get(txn).server_legacy_dn
    return {tags.PidTagAddressBookHomeMessageDatabase: f"{server}/cn=Microsoft Private MDB"}


def _of_room(txn: ReadTxn, entry: Entry) -> dict[int, Value]:
    found: dict[int, Value] = {tags.PidTagAddressBookRoomCapacity: entry.capacity} if entry.capacity else {}
    return found | (
        {tags.PidTagAddressBookRoomDescription: entry.person.comment} if entry.person.comment else {}
    )


def _of_contact(txn: ReadTxn, entry: Entry) -> dict[int, Value]:
    return {tags.PidTagAddressBookTargetAddress: f"SMTP:{entry.address}"}


def _of_group(txn: ReadTxn, entry: Entry) -> dict[int, Value]:
    members = list(resolve.group_members(txn, entry))
    external = sum(member.kind is Kind.CONTACT for member in members)
    return {
        tags.PidTagAddressBookDistributionListMemberCount: len(members),
        tags.PidTagAddressBookDistributionListExternalMemberCount: external,
    }


_Adder = Callable[[ReadTxn, Entry], dict[int, Value]]
_BY_KIND: dict[Kind, tuple[_Adder, ...]] = {
    Kind.USER: (_of_mailbox,),
    Kind.ROOM: (_of_mailbox, _of_room),
    Kind.EQUIPMENT: (_of_mailbox, _of_room),
    Kind.CONTACT: (_of_contact,),
    Kind.GROUP: (_of_group,),
    Kind.DYNAMIC_GROUP: (_of_group,),
}


def _blobs(txn: ReadTxn, entry: Entry) -> dict[int, Value]:
    values: dict[int, Value] = {}
    if photo := entries.get_blob(txn, entry.id, Part.PHOTO):
        values[tags.PidTagThumbnailPhoto] = photo
    if certificate := entries.get_blob(txn, entry.id, Part.CERTIFICATE):
        values[tags.PidTagAddressBookX509Certificate] = (certificate,)
    return values


def _names_of_others(txn: ReadTxn, entry: Entry) -> dict[int, Value]:
    values: dict[int, Value] = {}
    for id in links.targets(txn, Link.ASSISTANT, entry.id):
        values[tags.PidTagAssistant] = entries.get(txn, id).display_name
    for id in links.targets(txn, Link.MANAGER, entry.id):
        values[tags.PidTagAddressBookManagerDistinguishedName] = entries.get(txn, id).legacy_dn
    return values


def _seven_bit(name: str) -> str:
    return name.encode("ascii", "replace").decode()


def _members(txn: ReadTxn, entry: Entry) -> list[int]:
    return [member.id for member in resolve.group_members(txn, entry)] if entry.is_group else []


def _member_of(txn: ReadTxn, entry: Entry) -> list[int]:
    return [group.id for group in resolve.groups_of(txn, entry)]


_RELATED: dict[int, Callable[[ReadTxn, Entry], list[int]]] = {
    tags.PidTagAddressBookMember: _members,
    tags.PidTagAddressBookIsMemberOfDistributionList & 0xFFFF0000 | 0x000D: _member_of,
    tags.PidTagAddressBookManager: lambda txn, entry: links.targets(txn, Link.MANAGER, entry.id),
    tags.PidTagAddressBookReports: lambda txn, entry: links.sources(txn, Link.MANAGER, entry.id),
    tags.PidTagAddressBookOwner: lambda txn, entry: links.targets(txn, Link.MANAGED_BY, entry.id),
    tags.PidTagAddressBookOwnerBackLink: lambda txn, entry: links.sources(txn, Link.MANAGED_BY, entry.id),
    tags.PidTagAddressBookPublicDelegates: lambda txn, entry: links.targets(
        txn, Link.SEND_ON_BEHALF, entry.id
    ),
}
RELATED_TAGS = frozenset(_RELATED)
"""The table-valued properties (PtypEmbeddedTable)."""


def related(txn: ReadTxn, entry: Entry, tag: int) -> list[Entry]:
    """The entries that a table-valued property holds, without hidden ones; raises KeyError for others."""
    found = (entries.find(txn, id) for id in _RELATED[tag](txn, entry))
    return [other for other in found if other is not None and not other.hidden]
