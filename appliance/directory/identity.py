"""The server's own GUID, made once: what tells its short-lived ids from another server's."""

from appliance.store.keys import SERVER, Table, pack
from appliance.store.kv import ReadTxn, WriteTxn

_KEY = pack(SERVER, Table.META, "server guid")


def get(txn: ReadTxn) -> bytes | None:
    """The GUID, 16 bytes in wire order; None before `ensure`."""
    return txn.get(_KEY)


def ensure(txn: WriteTxn, guid: bytes) -> bytes:
    """The GUID; `guid` (16 random bytes) becomes it when there is none yet."""
    txn.append(_KEY, guid)
    return txn.get(_KEY) or guid
