"""What an entry of the directory is, and its packed form.

An entry is one small row: JSON, so that a later release can add fields that this one ignores. What is
large (photo, certificate) or secret (verifiers) stands in rows of its own, what leads from entry to entry
(members, delegates, managers) in `links`.
"""

import json
from dataclasses import asdict, dataclass, field, fields
from enum import Enum, Flag, IntEnum, auto
from typing import Any


class Kind(IntEnum):
    """Kinds of entries. The numbers are part of the store's format."""

    USER = 1
    ROOM = 2
    EQUIPMENT = 3
    CONTACT = 4
    GROUP = 5
    DYNAMIC_GROUP = 6
    PUBLIC_FOLDER = 7


WITH_MAILBOX = frozenset({Kind.USER, Kind.ROOM, Kind.EQUIPMENT})
GROUPS = frozenset({Kind.GROUP, Kind.DYNAMIC_GROUP})


class Protocol(Enum):
    """What a user can be kept from, by the names of `appliance user protocol`."""

    IMAP = "imap"
    POP3 = "pop3"
    EAS = "eas"
    EWS = "ews"
    MAPI = "mapi"
    SMTP = "smtp"
    LDAP = "ldap"
    WEBDAV = "webdav"


class Right(Flag):
    """Rights over the server as a whole, by the names of `appliance right`."""

    IMPERSONATION = auto()
    ORGANIZATION_MANAGEMENT = auto()
    RECIPIENT_MANAGEMENT = auto()
    PUBLIC_FOLDER_MANAGEMENT = auto()
    DISCOVERY = auto()


NO_RIGHTS = Right(0)


class Senders(Enum):
    """Who may send to an entry."""

    ANYONE = "anyone"
    INTERNAL = "internal"
    MEMBERS = "members"
    LISTED = "listed"


@dataclass(frozen=True, slots=True)
class Person:
    """What the address book says about someone. Empty text: not known. Phonetic names are how a name is
    read: Japanese address lists are sorted by them (MS-OXOABK 2.2.3.9)."""

    given_name: str = ""
    surname: str = ""
    initials: str = ""
    title: str = ""
    company: str = ""
    department: str = ""
    office: str = ""
    phone: str = ""
    mobile: str = ""
    home_phone: str = ""
    fax: str = ""
    pager: str = ""
    street: str = ""
    city: str = ""
    state: str = ""
    postal_code: str = ""
    country: str = ""
    comment: str = ""
    phonetic_name: str = ""
    phonetic_given_name: str = ""
    phonetic_surname: str = ""
    phonetic_company: str = ""
    phonetic_department: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry. `id` is never used again and is at least 16, so that it serves as a Minimal Entry ID
    (MS-OXNSPI 2.2.9.1). `address` and `aliases` are `local@domain` with the domain in A-labels; a contact's
    address is the external one. `mailbox` is 0 without one; `folder` is a public folder's FID. `quota` is
    in bytes, None where the organization's default holds. `x500` are former distinguished names, which
    still lead here. `capacity`: seats of a room, 0 unknown."""

    id: int
    kind: Kind
    address: str
    display_name: str
    legacy_dn: str
    object_guid: bytes
    aliases: tuple[str, ...] = ()
    person: Person = field(default_factory=Person)
    mailbox: int = 0
    mailbox_guid: bytes = b""
    folder: int = 0
    enabled: bool = True
    hidden: bool = False
    disabled_protocols: frozenset[Protocol] = frozenset()
    rights: Right = NO_RIGHTS
    senders: Senders = Senders.ANYONE
    filter: str = ""
    quota: int | None = None
    x500: tuple[str, ...] = ()
    capacity: int = 0
    created: int = 0
    changed: int = 0

    @property
    def addresses(self) -> tuple[str, ...]:
        """Every address, the primary one first."""
        return (self.address, *self.aliases)

    @property
    def is_group(self) -> bool:
        """Whether mail to it goes on to members."""
        return self.kind in GROUPS

    @property
    def account(self) -> str:
        """The name before the @: the mail nickname (PidTagAccount)."""
        return self.address.rpartition("@")[0]

    def may_use(self, protocol: Protocol) -> bool:
        """Whether it may log on over `protocol`."""
        return self.enabled and protocol not in self.disabled_protocols

    def has_right(self, right: Right) -> bool:
        """Whether it holds all of `right`."""
        return right in self.rights


def pack(entry: Entry) -> bytes:
    """The entry's row, without its id (which is in the key) and without fields at their defaults."""
    row: dict[str, Any] = {
        "kind": int(entry.kind),
        "address": entry.address,
        "name": entry.display_name,
        "dn": entry.legacy_dn,
        "guid": entry.object_guid.hex(),
    }
    optional: dict[str, Any] = {
        "aliases": list(entry.aliases),
        "person": {key: value for key, value in asdict(entry.person).items() if value},
        "mailbox": entry.mailbox,
        "mailbox_guid": entry.mailbox_guid.hex(),
        "folder": entry.folder,
        "disabled": not entry.enabled,
        "hidden": entry.hidden,
        "protocols_off": sorted(protocol.value for protocol in entry.disabled_protocols),
        "rights": entry.rights.value,
        "senders": "" if entry.senders is Senders.ANYONE else entry.senders.value,
        "filter": entry.filter,
        "x500": list(entry.x500),
        "capacity": entry.capacity,
        "created": entry.created,
        "changed": entry.changed,
    }
    row |= {key: value for key, value in optional.items() if value}
    if entry.quota is not None:
        row["quota"] = entry.quota
    return json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode()


def unpack(id: int, data: bytes) -> Entry:
    """An entry from its row; fields of a later release are passed over."""
    row = json.loads(data)
    person = row.get("person", {})
    return Entry(
        id=id,
        kind=Kind(row["kind"]),
        address=row["address"],
        display_name=row["name"],
        legacy_dn=row["dn"],
        object_guid=bytes.fromhex(row["guid"]),
        aliases=tuple(row.get("aliases", ())),
        person=Person(**{name: person[name] for name in PERSON_FIELDS if name in person}),
        mailbox=row.get("mailbox", 0),
        mailbox_guid=bytes.fromhex(row.get("mailbox_guid", "")),
        folder=row.get("folder", 0),
        enabled=not row.get("disabled", False),
        hidden=row.get("hidden", False),
        disabled_protocols=frozenset(p for p in Protocol if p.value in row.get("protocols_off", ())),
        rights=Right(row.get("rights", 0) & _ALL_RIGHTS),
        senders=Senders(row.get("senders", Senders.ANYONE.value)),
        filter=row.get("filter", ""),
        quota=row.get("quota"),
        x500=tuple(row.get("x500", ())),
        capacity=row.get("capacity", 0),
        created=row.get("created", 0),
        changed=row.get("changed", 0),
    )


@dataclass(frozen=True, slots=True)
class Glance:
    """What tables of entries must know of one."""

    kind: Kind
    hidden: bool
    name: str
    phonetic: str


def glance(data: bytes) -> Glance:
    """A few fields of a row, several times faster than `unpack`."""
    row = json.loads(data)
    phonetic = row["person"].get("phonetic_name", "") if "person" in row else ""
    return Glance(Kind(row["kind"]), row.get("hidden", False), row["name"], phonetic)


PERSON_FIELDS = tuple(item.name for item in fields(Person))
_ALL_RIGHTS = (~NO_RIGHTS).value
