"""Quotas of mailboxes: when to warn, when to refuse sending, when to refuse receiving (MS-OXCSTOR 2.2.2.1).

Soft-deleted messages do not count. A quota of 0 is none.
"""

from dataclasses import dataclass

from appliance.mailbox.errors import Reason, Refused
from appliance.store import mailboxes
from appliance.store.kv import ReadTxn, WriteTxn

WARN_SHARE = 0.9


@dataclass(frozen=True, slots=True)
class Usage:
    """Bytes and messages in use, and the limits in bytes (0: none)."""

    size: int
    count: int
    warn: int
    send: int
    receive: int


def usage(txn: ReadTxn, mailbox: int) -> Usage:
    """How full a mailbox is. Raises NotFound."""
    row = mailboxes.get(txn, mailbox)
    return Usage(row.size, row.count, row.warn_quota, row.send_quota, row.receive_quota)


def require_room(row: mailboxes.Mailbox, size: int) -> None:
    """Refuse with QUOTA when `size` more bytes would pass the limit for receiving."""
    if row.receive_quota and row.size + size > row.receive_quota:
        raise Refused(Reason.QUOTA, f"{row.size} of {row.receive_quota} bytes are used")


def set_quota(txn: WriteTxn, mailbox: int, limit: int) -> None:
    """Limit a mailbox to `limit` bytes (0: no limit); the warning comes at nine tenths."""
    row = mailboxes.get(txn, mailbox)
    row.receive_quota = row.send_quota = limit
    row.warn_quota = int(limit * WARN_SHARE)
    mailboxes.put(txn, row)
