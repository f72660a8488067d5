"""Quotas: when to warn, when to refuse sending, when to refuse receiving (MS-OXCSTOR 2.2.2.1).

A mailbox has one, and each of its folders may have one of its own: that of a folder counts the folder's own
messages, not those of its subfolders, and holds besides the mailbox's. Soft-deleted messages do not count. A
quota of 0 is none.

A folder's quota stands in its bag under the properties that Exchange gives public folders, in kibibytes. They
are the administrator's: whoever lets clients set folder properties leaves ADMINISTRATIVE out.
"""

from dataclasses import dataclass
from typing import Final

from appliance.formats import bags
from appliance.mailbox.errors import Reason, Refused
from appliance.store import folders, mailboxes
from appliance.store.folders import Folder
from appliance.store.kv import ReadTxn, WriteTxn

WARN_SHARE = 0.9

PidTagStorageQuotaLimit: Final = 0x3FF50003
"""Not in MS-OXPROPS: kibibytes of a folder at which to warn."""

PidTagPfOverHardQuotaLimit: Final = 0x67210003
"""Not in MS-OXPROPS: kibibytes of a folder over which nothing more is taken."""

ADMINISTRATIVE = frozenset({PidTagStorageQuotaLimit, PidTagPfOverHardQuotaLimit})
"""Properties of folders that no client sets."""

UNIT = 1024
MAX_UNITS = 0x7FFF_FFFF


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


def folder_usage(folder: Folder) -> Usage:
    """How full a folder is by its own quota."""
    limit, size = folder_limit(folder), folder.size + folder.associated_size
    return Usage(size, folder.total + folder.associated, int(limit * WARN_SHARE), limit, limit)


def folder_limit(folder: Folder) -> int:
    """A folder's own quota in bytes, 0 for none."""
    if not folder.packed_bag:
        return 0
    units = bags.get(folder.packed_bag, PidTagPfOverHardQuotaLimit)
    return units * UNIT if isinstance(units, int) and units > 0 else 0


def require_room(row: mailboxes.Mailbox, folder: Folder, size: int) -> None:
    """Refuse with QUOTA when `size` more bytes in `folder` would pass the limit of the mailbox for receiving,
    or the folder's own."""
    if row.receive_quota and row.size + size > row.receive_quota:
        raise Refused(Reason.QUOTA, f"{row.size} of {row.receive_quota} bytes are used")
    require_room_in(folder, size)


def require_room_in(folder: Folder, size: int) -> None:
    """Refuse with QUOTA when `size` more bytes would pass a folder's own limit: for what is moved within the
    mailbox, whose size stays."""
    limit, used = folder_limit(folder), folder.size + folder.associated_size
    if limit and used + size > limit:
        raise Refused(Reason.QUOTA, f"{used} of {limit} bytes of the folder are used")


def set_quota(txn: WriteTxn, mailbox: int, limit: int) -> None:
    """Limit a mailbox to `limit` bytes (0: no limit); the warning comes at nine tenths."""
    row = mailboxes.get(txn, mailbox)
    row.receive_quota = row.send_quota = limit
    row.warn_quota = int(limit * WARN_SHARE)
    mailboxes.put(txn, row)


def set_folder_quota(txn: WriteTxn, mailbox: int, fid: int, limit: int, *, now: int) -> None:
    """Limit a folder to `limit` bytes, in whole kibibytes (0: no limit). Raises NotFound."""
    folder = folders.get(txn, mailbox, fid)
    bag = {tag: value for tag, value in folder.bag().items() if tag not in ADMINISTRATIVE}
    if limit:
        units = min(-(-limit // UNIT), MAX_UNITS)
        bag[PidTagPfOverHardQuotaLimit] = units
        bag[PidTagStorageQuotaLimit] = int(units * WARN_SHARE)
    folder.packed_bag = bags.pack(bag) if bag else b""
    with mailboxes.changing(txn, mailbox) as clock:
        folders.changed(txn, clock, folder, now=now)
