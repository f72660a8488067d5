"""The properties of address book objects (MS-OXOABK 2.2.3 to 2.2.7), from the entries of the directory.

`bag` gives the values, `related` the entries that the table-valued properties hold. Entry ids are permanent
ones; ephemeral ones are the NSPI session's, which puts its own over them.
"""

from collections.abc import Callable
from dataclasses import dataclass

from appliance.directory import certificates, domains, entries, links, resolve
from appliance.directory.entries import Part
from appliance.directory.links import Link
from appliance.directory.model import WITH_MAILBOX, Entry, Kind
from appliance.mapi import tags
from appliance.mapi.entryids import MUIDEMSAB, AddressBookType, PermanentEntryId
from appliance.store.kv import ReadTxn

Value = int | str | bytes | bool | tuple[str, ...] | tuple[bytes, ...]

OBJECT_MAIL_USER = 6
OBJECT_DIST_LIST = 8
OBJECT_FOLDER = 3
"""PidTagObjectType (MS-OXOABK 2.2.3.10)."""

ACL_CAPABLE = 0x40000000
"""The bit of PidTagDisplayTypeEx for what can be given rights in folders (MS-OXOABK 2.2.3.12)."""

AB_RECIPIENTS, AB_SUBCONTAINERS, AB_UNMODIFIABLE = 0x1, 0x2, 0x8
"""Bits of PidTagContainerFlags (MS-OXOABK 2.2.2.1)."""

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
    "phonetic_name": tags.PidTagAddressBookPhoneticDisplayName,
    "phonetic_given_name": tags.PidTagAddressBookPhoneticGivenName,
    "phonetic_surname": tags.PidTagAddressBookPhoneticSurname,
    "phonetic_company": tags.PidTagAddressBookPhoneticCompanyName,
    "phonetic_department": tags.PidTagAddressBookPhoneticDepartmentName,
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
    values = ((tag, getter(txn, entry)) for tag, getter in _GETTERS.items())
    return {tag: value for tag, value in values if value is not None}


def value(txn: ReadTxn, entry: Entry, tag: int) -> Value | None:
    """One property, None where the entry has none. Raises KeyError for a tag that is not in TAGS."""
    return _GETTERS[tag](txn, entry)


def _seven_bit(name: str) -> str:
    return name.encode("ascii", "replace").decode()


def _home(txn: ReadTxn, entry: Entry) -> str | None:
    if entry.kind not in WITH_MAILBOX:
        return None
    return f"{domains.get(txn).server_legacy_dn}/cn=Microsoft Private MDB"


def _capacity(_txn: ReadTxn, entry: Entry) -> int | None:
    return entry.capacity or None if entry.kind in _RESOURCES else None


def _description(_txn: ReadTxn, entry: Entry) -> str | None:
    return entry.person.comment or None if entry.kind in _RESOURCES else None


def _target(_txn: ReadTxn, entry: Entry) -> str | None:
    return f"SMTP:{entry.address}" if entry.kind is Kind.CONTACT else None


def _member_count(txn: ReadTxn, entry: Entry) -> int | None:
    return sum(1 for _ in resolve.group_members(txn, entry)) if entry.is_group else None


def _external_count(txn: ReadTxn, entry: Entry) -> int | None:
    if not entry.is_group:
        return None
    return sum(member.kind is Kind.CONTACT for member in resolve.group_members(txn, entry))


def _container_flags(_txn: ReadTxn, entry: Entry) -> int | None:
    return AB_RECIPIENTS | AB_UNMODIFIABLE if entry.is_group else None


def _assistant(txn: ReadTxn, entry: Entry) -> str | None:
    found = links.targets(txn, Link.ASSISTANT, entry.id)
    return entries.get(txn, found[-1]).display_name if found else None


def _manager(txn: ReadTxn, entry: Entry) -> str | None:
    found = links.targets(txn, Link.MANAGER, entry.id)
    return entries.get(txn, found[-1]).legacy_dn if found else None


Getter = Callable[[ReadTxn, Entry], Value | None]


def _person(name: str) -> Getter:
    return lambda _txn, entry: getattr(entry.person, name) or None


def _shape(name: str) -> Getter:
    return lambda _txn, entry: int(getattr(SHAPES[entry.kind], name))


_RESOURCES = (Kind.ROOM, Kind.EQUIPMENT)
_GETTERS: dict[int, Getter] = {
    tags.PidTagEntryId: lambda _txn, entry: entry_id(entry),
    tags.PidTagRecordKey: lambda _txn, entry: entry_id(entry),
    tags.PidTagTemplateid: lambda _txn, entry: entry_id(entry),
    tags.PidTagMappingSignature: lambda _txn, _entry: MUIDEMSAB,
    tags.PidTagInstanceKey: lambda _txn, entry: entry.id.to_bytes(4, "little"),
    tags.PidTagSearchKey: lambda _txn, entry: search_key(entry),
    tags.PidTagObjectType: _shape("object_type"),
    tags.PidTagDisplayType: _shape("display_type"),
    tags.PidTagDisplayTypeEx: _shape("display_type_ex"),
    tags.PidTagAddressBookDisplayTypeExtended: _shape("display_type_ex"),
    tags.PidTagInitialDetailsPane: lambda _txn, _entry: 0,
    tags.PidTagAddressBookContainerId: lambda _txn, _entry: 0,
    tags.PidTagContainerFlags: _container_flags,
    tags.PidTagDisplayName: lambda _txn, entry: entry.display_name,
    tags.PidTagTransmittableDisplayName: lambda _txn, entry: entry.display_name,
    tags.PidTagAddressBookDisplayNamePrintable: lambda _txn, entry: _seven_bit(entry.display_name),
    tags.PidTagAddressType: lambda _txn, _entry: "EX",
    tags.PidTagEmailAddress: lambda _txn, entry: entry.legacy_dn,
    tags.PidTagSmtpAddress: lambda _txn, entry: entry.address,
    tags.PidTagAccount: lambda _txn, entry: entry.account,
    tags.PidTagEmsAbProxyAddresses: lambda _txn, entry: proxy_addresses(entry),
    tags.PidTagAddressBookObjectDistinguishedName: lambda _txn, entry: entry.legacy_dn,
    tags.PidTagAddressBookObjectGuid: lambda _txn, entry: entry.object_guid,
    tags.PidTagSendRichInfo: lambda _txn, _entry: True,
    tags.PidTagCreationTime: lambda _txn, entry: entry.created,
    tags.PidTagLastModificationTime: lambda _txn, entry: entry.changed,
    **{tag: _person(name) for name, tag in PERSON_TAGS.items()},
    tags.PidTagPrimaryTelephoneNumber: _person("phone"),
    tags.PidTagAddressBookHomeMessageDatabase: _home,
    tags.PidTagAddressBookRoomCapacity: _capacity,
    tags.PidTagAddressBookRoomDescription: _description,
    tags.PidTagAddressBookTargetAddress: _target,
    tags.PidTagAddressBookDistributionListMemberCount: _member_count,
    tags.PidTagAddressBookDistributionListExternalMemberCount: _external_count,
    tags.PidTagThumbnailPhoto: lambda txn, entry: entries.get_blob(txn, entry.id, Part.PHOTO),
    tags.PidTagAddressBookX509Certificate: lambda txn, entry: certificates.x509(txn, entry.id) or None,
    tags.PidTagUserX509Certificate: lambda txn, entry: certificates.smime(txn, entry.id) or None,
    tags.PidTagAssistant: _assistant,
    tags.PidTagAddressBookManagerDistinguishedName: _manager,
}
TAGS = frozenset(_GETTERS)
"""Every property that `bag` may give."""


def _members(txn: ReadTxn, entry: Entry) -> list[int]:
    return [member.id for member in resolve.group_members(txn, entry)] if entry.is_group else []


def _member_of(txn: ReadTxn, entry: Entry) -> list[int]:
    return [group.id for group in resolve.groups_of(txn, entry)]


_RELATED: dict[int, Callable[[ReadTxn, Entry], list[int]]] = {
    tags.PidTagAddressBookMember: _members,
    tags.PidTagContainerContents: _members,
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
