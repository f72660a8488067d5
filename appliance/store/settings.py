"""The settings that are kept in the store: texts by name. What they mean is the table in `config`.

Each change touches mailbox SERVER, so that running processes hear of it.
"""

from appliance.store import keys
from appliance.store.keys import SERVER, Table
from appliance.store.kv import ReadTxn, WriteTxn

_PREFIX = keys.head(SERVER, Table.SETTINGS)


def texts(txn: ReadTxn) -> dict[str, str]:
    """Every setting that was changed, as text."""
    found = txn.scan(_PREFIX, keys.successor(_PREFIX))
    return {key[len(_PREFIX) :].decode(): value.decode() for key, value in found}


def put(txn: WriteTxn, name: str, text: str) -> None:
    """Keep the text of a setting; the caller has checked both."""
    txn.put(_PREFIX + name.encode(), text.encode())
    txn.touch(SERVER)


def forget(txn: WriteTxn, name: str) -> bool:
    """Back to the default; whether there was anything to forget."""
    txn.touch(SERVER)
    return txn.delete(_PREFIX + name.encode())
