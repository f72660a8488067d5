"""The address lists: the global one and those by kind, all of them dynamic (MS-OXOABK 2.2.2).

An entry that is hidden stands in none. The order is that of display names (`sort`). Container ids lie far
above the ids of entries, with which they share the space of Minimal Entry IDs (MS-OXNSPI 2.2.9.1).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from appliance.directory import entries
from appliance.directory.model import Entry, Kind
from appliance.store.kv import ReadTxn

CONTAINER_BASE = 0x7FFF0000


@dataclass(frozen=True, slots=True)
class AddressList:
    """A list. `container_id`: 0 for the global one. `guid`: 16 bytes in wire order, the same on every
    server; `dn` is made of it, "/" for the global one (MS-OXOABK 2.2.1.1)."""

    container_id: int
    name: str
    guid: bytes
    kinds: frozenset[Kind]

    @property
    def dn(self) -> str:
        """The distinguished name of the container."""
        return "/" if self.container_id == 0 else f"/guid={self.guid.hex().upper()}"

    def holds(self, entry: Entry) -> bool:
        """Whether an entry stands in the list."""
        return not entry.hidden and entry.kind in self.kinds


def _list(number: int, name: str, *kinds: Kind) -> AddressList:
    guid = UUID(f"8e0c1f6a-52d7-4b3a-9a64-0000000000{number:02x}").bytes_le
    return AddressList(CONTAINER_BASE + number if number else 0, name, guid, frozenset(kinds))


GLOBAL = _list(0, "Global Address List", *Kind)
USERS = _list(1, "All Users", Kind.USER)
ROOMS = _list(2, "All Rooms", Kind.ROOM, Kind.EQUIPMENT)
CONTACTS = _list(3, "All Contacts", Kind.CONTACT)
GROUPS = _list(4, "All Groups", Kind.GROUP, Kind.DYNAMIC_GROUP)
PUBLIC_FOLDERS = _list(5, "Public Folders", Kind.PUBLIC_FOLDER)
LISTS = (GLOBAL, USERS, ROOMS, CONTACTS, GROUPS, PUBLIC_FOLDERS)


def by_container(container_id: int) -> AddressList | None:
    """The list of a container id."""
    return next((item for item in LISTS if item.container_id == container_id), None)


def by_dn(dn: str) -> AddressList | None:
    """The list of a container's distinguished name, without regard to case."""
    return next((item for item in LISTS if item.dn.casefold() == dn.casefold()), None)


def members(txn: ReadTxn, address_list: AddressList) -> Iterator[Entry]:
    """The entries of a list in order."""
    return filter(address_list.holds, entries.list_entries(txn))
