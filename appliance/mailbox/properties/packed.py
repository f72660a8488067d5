"""Properties of a stored message as a property row, from the C that packs the rows of tables.

For what a client reads most, of a message as it is stored: what the C cannot know (see `store.tables.scan`),
what the server alone knows and values that stand in blobs are a `MessageView`'s, and there is no row then.
"""

from collections.abc import Callable
from functools import lru_cache

from appliance.mailbox.properties import tables
from appliance.mailbox.properties.messages import OBJECT_MESSAGE, SERVER_TAGS
from appliance.mapi import tags, types
from appliance.mapi.types import is_named
from appliance.store import parts
from appliance.store.keys import Table, contents_key, head_q
from appliance.store.kv import ReadTxn
from appliance.store.tables import scan
from appliance.store.tables.scan import Ask, Slots
from appliance.store.tables.sources import ROW_VALUES

_FIXED = {tags.PidTagInstanceNum: 0, tags.PidTagObjectType: OBJECT_MESSAGE}
_VIEWED = SERVER_TAGS - _FIXED.keys() - ROW_VALUES.keys()
_OPEN = (types.PtypUnspecified, types.PtypString8, types.PtypMultipleString8)
"""Types whose form the client, or its code page, settles."""

_Packed = tuple[bytes, bytes]
"""Slots and columns."""


def property_row(
    txn: ReadTxn, mailbox: int, fid: int, mid: int, wanted: tuple[int, ...], limit: int, *, associated: bool
) -> bytes | None:
    """A PropertyRow (MS-OXCDATA 2.8.1) in ROP buffers, of at most `limit` bytes, with ecNotFound for what the
    message does not have. None where there is more to it, or no such message."""
    columns = _named(txn, wanted) if any(map(is_named, wanted)) else _plain(wanted)
    if columns is None or parts.has_values(txn, mailbox, mid):
        return None
    key = contents_key(mailbox, fid, associated, mid)
    hot, cold = txn.get(key), txn.get(head_q(mailbox, Table.MESSAGES, mid))
    if hot is None or cold is None:
        return None
    return scan.pack_row(*columns, key, hot, cold, limit)


@lru_cache(maxsize=512)
def _plain(wanted: tuple[int, ...]) -> _Packed | None:
    return _columns(wanted, tables.asked_plain)


def _named(txn: ReadTxn, wanted: tuple[int, ...]) -> _Packed | None:
    return _columns(wanted, tables.asked(txn))


def _columns(wanted: tuple[int, ...], asked: Callable[[int], Ask]) -> _Packed | None:
    """None where a `MessageView` has to be asked in any case."""
    if any(tag in _VIEWED or types.type_of(tag) in _OPEN for tag in wanted):
        return None
    slots = Slots(_FIXED, asked)
    try:
        columns = scan.row_columns(wanted, slots)
    except OverflowError:
        return None
    return slots.packed(), columns
