"""The one collation of kept sort keys: text compares without case, accents and compatibility forms first; the
texts that are equal then differ by accents, and last by the text itself.

`VERSION` stands in `meta` of a store with kept text orders. A release or an interpreter with another version
drops those orders; they are built again on first use.
"""

import unicodedata

from appliance.store.keys import SERVER, Table, pack
from appliance.store.kv import ReadTxn, WriteTxn

VERSION = f"1/{unicodedata.unidata_version}"
MAX_KEY = 160
"""Bytes of a key, at most. Texts that agree that far are ordered by their MID."""

_PRIMARY = 100
_VERSION_KEY = pack(SERVER, Table.META, "collation")


def key(text: str) -> bytes:
    """The sort key of a text: bytes that compare as the texts do, without NUL but for one separator."""
    if text.isascii():
        return text.lower().replace("\0", "").encode()[:MAX_KEY]
    decomposed = unicodedata.normalize("NFKD", text.replace("\0", "")).casefold()
    decomposed = unicodedata.normalize("NFKD", decomposed)
    primary = "".join(c for c in decomposed if not unicodedata.combining(c)).encode("utf-8", "replace")
    secondary = decomposed.encode("utf-8", "replace")
    if primary == secondary:
        return primary[:MAX_KEY]
    return (primary[:_PRIMARY] + b"\0" + secondary)[:MAX_KEY]


def is_current(txn: ReadTxn) -> bool:
    """Whether the kept text orders were made with this version (or none was ever made)."""
    stored = txn.get(_VERSION_KEY)
    return stored is None or stored == VERSION.encode()


def stamp(txn: WriteTxn) -> None:
    """Note this version."""
    if txn.get(_VERSION_KEY) != VERSION.encode():
        txn.put(_VERSION_KEY, VERSION.encode())
