"""Where mail for an address goes, and who may send as whom.

`expand` follows aliases, details after a plus, and groups (static and dynamic, within each other) to
mailboxes and external addresses. Each recipient comes once, however many ways lead to it. Loops are
refused when members are added; here a group that was seen is passed over, so even a damaged directory
expands to something finite.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum

from appliance.directory import domains, entries, filters, links
from appliance.directory.addresses import Address, BadAddress, parse
from appliance.directory.errors import NotAllowed
from appliance.directory.links import Link
from appliance.directory.model import WITH_MAILBOX, Entry, Kind, Right, Senders
from appliance.store.kv import ReadTxn, WriteTxn


class Status(Enum):
    """What became of an address."""

    FOUND = "found"
    EXTERNAL = "outside the served domains"
    UNKNOWN = "no such user"
    DISABLED = "the account is switched off"
    REFUSED = "the sender may not send to it"
    BAD = "no address"


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A delivery: the entry (its `mailbox`, or public mailbox and `folder`), the detail after the plus of
    the address, and the group that led here first (0: addressed itself)."""

    entry: Entry
    detail: str = ""
    group: int = 0


@dataclass(frozen=True, slots=True)
class External:
    """An address that mail is passed on to, and the group that led here first."""

    address: str
    group: int = 0


@dataclass(frozen=True, slots=True)
class Expansion:
    """Where an address leads. `entry` is what it names itself. `owner` is the address that failures of a
    group's members are reported to, empty where that is the sender (RFC 5321 3.9.2)."""

    status: Status
    entry: Entry | None = None
    mailboxes: tuple[Mailbox, ...] = ()
    external: tuple[External, ...] = ()
    owner: str = ""


class SendAs(Enum):
    """How a user may use an address as the author of a message."""

    NO = 0
    SELF = 1
    AS = 2
    ON_BEHALF = 3


def lookup(txn: ReadTxn, address: str) -> tuple[Entry | None, str]:
    """The entry of an address and the detail after its plus. An address given whole comes first."""
    entry = entries.by_address(txn, address)
    if entry is not None:
        return entry, ""
    try:
        parsed = parse(address)
    except BadAddress:
        return None, ""
    base = parsed.base()
    if base is None:
        return None, ""
    return entries.by_address(txn, str(base[0])), base[1]


def expand(txn: ReadTxn, address: str, sender: Entry | None = None, *, trusted: bool = False) -> Expansion:
    """Follow an address to its end. `sender`: the authenticated sender, None for mail from outside.
    `trusted`: send permissions are not looked at (the server's own mail, reports)."""
    try:
        parsed = parse(address)
    except BadAddress:
        return Expansion(Status.BAD)
    entry, detail = lookup(txn, str(parsed))
    if entry is None:
        entry = _postmaster(txn, parsed)
    if entry is None:
        served = domains.is_served(txn, parsed.domain)
        return Expansion(Status.UNKNOWN) if served else _outside(str(parsed), None)
    if entry.kind is Kind.CONTACT:
        return _outside(entry.address, entry)
    if not entry.enabled:
        return Expansion(Status.DISABLED, entry)
    if not trusted and not may_send_to(txn, sender, entry):
        return Expansion(Status.REFUSED, entry)
    if not entry.is_group:
        return Expansion(Status.FOUND, entry, (Mailbox(entry, detail),))
    return _group(txn, entry, sender, trusted)


def group_members(txn: ReadTxn, group: Entry) -> Iterator[Entry]:
    """The direct members of a group, static or dynamic; enabled or not."""
    if group.kind is Kind.DYNAMIC_GROUP:
        for entry in entries.list_entries(txn, *WITH_MAILBOX, Kind.CONTACT):
            if filters.matches(group.filter, entry):
                yield entry
        return
    for id in links.targets(txn, Link.MEMBER, group.id):
        member = entries.find(txn, id)
        if member is not None:
            yield member


def groups_of(txn: ReadTxn, entry: Entry) -> Iterator[Entry]:
    """The groups that an entry is a direct member of."""
    for id in links.sources(txn, Link.MEMBER, entry.id):
        yield entries.get(txn, id)
    for id in entries.ids_of_kind(txn, Kind.DYNAMIC_GROUP):
        group = entries.get(txn, id)
        if entry.kind in WITH_MAILBOX | {Kind.CONTACT} and filters.matches(group.filter, entry):
            yield group


def is_member(txn: ReadTxn, group: Entry, entry: Entry) -> bool:
    """Whether `entry` is in `group`, directly or through groups."""
    return any(member.id == entry.id for member, _ in _walk(txn, group, _anyone))


def add_member(txn: WriteTxn, group: Entry, member: Entry) -> bool:
    """Whether `member` is new in a static group. Raises NotAllowed, also for a loop."""
    if group.kind is not Kind.GROUP:
        raise NotAllowed(f"{group.address} has no members of its own")
    added = links.add(txn, Link.MEMBER, group.id, member.id)
    entries.moved(txn)
    return added


def remove_member(txn: WriteTxn, group: Entry, member: Entry) -> bool:
    """Whether `member` was in a static group."""
    removed = links.remove(txn, Link.MEMBER, group.id, member.id)
    entries.moved(txn)
    return removed


def may_send_to(txn: ReadTxn, sender: Entry | None, entry: Entry) -> bool:
    """Whether a sender (None: from outside) may send to an entry."""
    match entry.senders:
        case Senders.ANYONE:
            return True
        case _ if sender is None:
            return False
        case Senders.INTERNAL:
            return True
        case Senders.MEMBERS:
            return is_member(txn, entry, sender) or links.has(txn, Link.MANAGED_BY, entry.id, sender.id)
    accepted = links.targets(txn, Link.ACCEPTS, entry.id)
    if sender.id in accepted:
        return True
    listed = [entries.get(txn, id) for id in accepted]
    return any(other.is_group and is_member(txn, other, sender) for other in listed)


def may_send_as(txn: ReadTxn, user: Entry, address: str) -> SendAs:
    """How `user` may write `address` into From (MS-OXOMSG 3.2.4.1; for SMTP also into MAIL FROM): its own
    addresses with any detail; groups that it manages; owners who made it their delegate, on behalf."""
    owner, _ = lookup(txn, address)
    if owner is None:
        return SendAs.NO
    if owner.id == user.id:
        return SendAs.SELF
    if links.has(txn, Link.SEND_AS, owner.id, user.id) or (
        owner.is_group and links.has(txn, Link.MANAGED_BY, owner.id, user.id)
    ):
        return SendAs.AS
    if links.has(txn, Link.SEND_ON_BEHALF, owner.id, user.id):
        return SendAs.ON_BEHALF
    return SendAs.NO


def _anyone(member: Entry) -> bool:
    return True


def _outside(address: str, entry: Entry | None) -> Expansion:
    return Expansion(Status.EXTERNAL, entry, external=(External(address),))


def _postmaster(txn: ReadTxn, address: Address) -> Entry | None:
    """RFC 5321 4.5.1: mail to postmaster is accepted, whether or not somebody has the address. It goes to
    who may manage the organization, else to the first user."""
    if address.key.partition("@")[0] not in ("postmaster", "abuse"):
        return None
    if not (domains.is_served(txn, address.domain) or address.domain == domains.get(txn).hostname):
        return None
    users = [entries.get(txn, id) for id in entries.ids_of_kind(txn, Kind.USER)]
    enabled = [user for user in users if user.enabled]
    managers = [user for user in enabled if user.has_right(Right.ORGANIZATION_MANAGEMENT)]
    return next(iter(managers + enabled), None)


def _walk(txn: ReadTxn, group: Entry, admits: Callable[[Entry], bool]) -> Iterator[tuple[Entry, Entry]]:
    """Every admitted entry within a group, each once, with the group that holds it; nested groups, which
    are entered when admitted, included."""
    seen, waiting = {group.id}, [(group, 0)]
    while waiting:
        parent, depth = waiting.pop()
        for member in group_members(txn, parent):
            if member.id in seen:
                continue
            seen.add(member.id)
            if not admits(member):
                continue
            yield member, parent
            if member.is_group and depth < links.MAX_DEPTH:
                waiting.append((member, depth + 1))


def _group(txn: ReadTxn, group: Entry, sender: Entry | None, trusted: bool) -> Expansion:
    def admits(member: Entry) -> bool:
        return member.enabled and (trusted or may_send_to(txn, sender, member))

    mailboxes: list[Mailbox] = []
    external: list[External] = []
    for member, parent in _walk(txn, group, admits):
        if member.kind is Kind.CONTACT:
            external.append(External(member.address, parent.id))
        elif not member.is_group:
            mailboxes.append(Mailbox(member, "", parent.id))
    managers = [entries.get(txn, id) for id in links.targets(txn, Link.MANAGED_BY, group.id)]
    owner = next((manager.address for manager in managers if manager.enabled), "")
    return Expansion(Status.FOUND, group, tuple(mailboxes), tuple(external), owner)


def group_ids(txn: ReadTxn, id: int) -> set[int]:
    """Ids of every group that an entry is in, directly or through groups: what folder rights ask for."""
    entry = entries.find(txn, id)
    found: set[int] = set()
    waiting = [entry] if entry else []
    while waiting:
        fresh = [group for group in groups_of(txn, waiting.pop()) if group.id not in found]
        found.update(group.id for group in fresh)
        waiting += fresh
    return found
