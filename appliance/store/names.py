"""Named properties: one table for the server, because clients reuse ids across mailboxes.

`NAMES` leads from (GUID, LID or string) to the id, `NAME_IDS` back. Ids are 0x8000 to 0xFFFE and never
change. PS_MAPI names are the ids themselves (MS-OXCDATA 2.6.1). Strings compare case-insensitively only in
PS_INTERNET_HEADERS. What arrives in mail headers may make at most MAX_FROM_MAIL names, so that a stranger
cannot use up the table.
"""

from collections.abc import Iterator, Mapping

from appliance.mapi.names import PS_INTERNET_HEADERS, PS_MAPI, PropertyName
from appliance.mapi.types import Bag, Value
from appliance.store.errors import LimitReached
from appliance.store.keys import SERVER, Table, head, pack, successor
from appliance.store.kv import ReadTxn, WriteTxn

FIRST = 0x8000
LAST = 0xFFFE
MAX_FROM_MAIL = 8192
"""Names that may exist before names from mail headers are no longer added."""

MAX_STRING = 127
"""Characters of a string name, at most (MS-OXCPRPT 2.2.12)."""

_LID = 0
_STRING = 1


def _key(name: PropertyName) -> bytes:
    which = name.lid_or_name
    if isinstance(which, int):
        return pack(SERVER, Table.NAMES, name.guid, bytes([_LID]) + which.to_bytes(4, "big"))
    text = _text(name.guid, which)
    return pack(SERVER, Table.NAMES, name.guid, bytes([_STRING]) + text.encode())


def _text(guid: bytes, text: str) -> str:
    """A string name as it is kept: those of header fields in lower case (MS-OXCPRPT 3.2.5.10)."""
    return text.lower() if guid == PS_INTERNET_HEADERS else text


def find(txn: ReadTxn, name: PropertyName) -> int | None:
    """The id of a name, or None while it has none."""
    if name.guid == PS_MAPI:
        return name.lid_or_name if isinstance(name.lid_or_name, int) else None
    raw = txn.get(_key(name))
    return int.from_bytes(raw, "big") if raw is not None else None


def assign(txn: WriteTxn, name: PropertyName, *, limit: int = LAST) -> int:
    """The id of a name, which it gets now if it is new. Raises LimitReached."""
    known = find(txn, name)
    if known is not None:
        return known
    which = name.lid_or_name
    if name.guid == PS_MAPI or (isinstance(which, str) and not 0 < len(which) <= MAX_STRING):
        raise LimitReached("a property's string name has 1 to 127 characters and is not of PS_MAPI")
    prefix = head(SERVER, Table.NAME_IDS)
    last = txn.last(prefix, successor(prefix))
    new = int.from_bytes(last[0][5:13], "big") + 1 if last else FIRST
    if new > limit:
        raise LimitReached("no id is left for another named property")
    txn.put(_key(name), new.to_bytes(2, "big"))
    text = (
        bytes([_STRING]) + _text(name.guid, which).encode()
        if isinstance(which, str)
        else bytes([_LID]) + which.to_bytes(4, "big")
    )
    txn.put(pack(SERVER, Table.NAME_IDS, new), name.guid + text)
    return new


def name_of(txn: ReadTxn, number: int) -> PropertyName | None:
    """The name behind an id, or None."""
    if number < FIRST:
        return PropertyName(PS_MAPI, number)
    raw = txn.get(pack(SERVER, Table.NAME_IDS, number))
    return _name(raw) if raw is not None else None


def _name(raw: bytes) -> PropertyName:
    which = raw[17:].decode() if raw[16] == _STRING else int.from_bytes(raw[17:21], "big")
    return PropertyName(raw[:16], which)


def all_names(txn: ReadTxn, guid: bytes | None = None) -> Iterator[tuple[int, PropertyName]]:
    """(id, name) of every named property, or of one property set's."""
    prefix = head(SERVER, Table.NAME_IDS)
    for key, raw in txn.scan(prefix, successor(prefix)):
        if guid is None or raw[:16] == guid:
            yield int.from_bytes(key[5:13], "big"), _name(raw)


def map_from_mail(txn: WriteTxn, named: Mapping[tuple[PropertyName, int], Value]) -> Bag:
    """Properties by name as a bag by tag. Names that the limit for mail does not admit are left out."""
    bag: Bag = {}
    for (name, kind), value in named.items():
        try:
            number = assign(txn, name, limit=FIRST + MAX_FROM_MAIL)
        except LimitReached:
            continue
        bag[number << 16 | kind] = value
    return bag
