"""IMAP subscriptions: names, not folders, so that one can outlive its folder (RFC 9051 6.3.7)."""

from collections.abc import Iterator

from appliance.store.errors import LimitReached
from appliance.store.keys import Table, pack, successor
from appliance.store.kv import ReadTxn, WriteTxn

MAX_SUBSCRIPTIONS = 10_000


def subscribe(txn: WriteTxn, mailbox: int, name: str) -> bool:
    """Note a subscribed name; whether it is new. Raises LimitReached."""
    prefix = pack(mailbox, Table.SUBSCRIPTIONS)
    if sum(1 for _ in txn.scan_keys(prefix, successor(prefix))) >= MAX_SUBSCRIPTIONS:
        raise LimitReached(f"at most {MAX_SUBSCRIPTIONS} subscriptions")
    return txn.append(pack(mailbox, Table.SUBSCRIPTIONS, name), name.encode())


def unsubscribe(txn: WriteTxn, mailbox: int, name: str) -> bool:
    """Forget a name; whether it was subscribed."""
    return txn.delete(pack(mailbox, Table.SUBSCRIPTIONS, name))


def subscribed(txn: ReadTxn, mailbox: int) -> Iterator[str]:
    """The subscribed names, in order."""
    prefix = pack(mailbox, Table.SUBSCRIPTIONS)
    for _, raw in txn.scan(prefix, successor(prefix)):
        yield raw.decode()
