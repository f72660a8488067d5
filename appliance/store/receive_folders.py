"""The Receive folder table of a mailbox: which folder takes the messages of a class (MS-OXCSTOR 2.2.1.2).

Invariants:
- Classes are compared without regard to case; each stands once. The empty class always has a row.
- The folder that takes a message is that of the longest row that equals its class or begins it up to a dot
  (MS-OXCSTOR 3.2.5.2).
- A mailbox begins with DEFAULTS. They are not stored: a row of the table only overrides one of them, so that
  a mailbox without a row has the table that the specification asks for.
- A row never leads to a folder that is gone: `drop_folder` runs when a folder is removed.
"""

import re
import struct
from collections.abc import Iterator
from typing import NamedTuple

from appliance.store.errors import LimitReached, NotFound, StoreError
from appliance.store.keys import Table, head, pack, successor
from appliance.store.kv import ReadTxn, WriteTxn
from appliance.store.mailboxes import Special

MAX_CLASS = 255
"""Characters of a message class here, with its end (MS-OXCSTOR 2.2.1.3.1)."""

MAX_ROWS = 256

DEFAULTS: dict[str, int] = {  # MS-OXCSTOR 2.2.1.2, MS-OXCSTOR_R782
    "": Special.INBOX,
    "IPM": Special.INBOX,
    "REPORT.IPM": Special.INBOX,
    "IPC": Special.ROOT,
}

_VALID = re.compile(r"[\x20-\x7e]*")
_ROW = struct.Struct("<QQ")


class ReceiveFolder(NamedTuple):
    """One row: PidTagMessageClass as it was written, PidTagFolderId, PidTagLastModificationTime (FILETIME;
    0 for a default that was never changed)."""

    message_class: str
    fid: int
    modified: int


def require_valid(message_class: str) -> None:
    """Raises StoreError unless the class is one of MS-OXCSTOR 2.2.1.2: printable ASCII, no dot at an end, no
    two dots in a row, at most 254 characters."""
    dotted = message_class.startswith(".") or message_class.endswith(".") or ".." in message_class
    if dotted or len(message_class) >= MAX_CLASS or not _VALID.fullmatch(message_class):
        raise StoreError(f"{message_class[:40]!r} is no message class")


def _key(mailbox: int, message_class: str) -> bytes:
    return pack(mailbox, Table.RECEIVE_FOLDERS, message_class.upper())


def _stored(txn: ReadTxn, mailbox: int) -> Iterator[tuple[bytes, ReceiveFolder]]:
    prefix = head(mailbox, Table.RECEIVE_FOLDERS)
    for key, raw in txn.scan(prefix, successor(prefix)):
        fid, modified = _ROW.unpack_from(raw)
        yield key, ReceiveFolder(raw[_ROW.size :].decode(), fid, modified)


def table(txn: ReadTxn, mailbox: int) -> list[ReceiveFolder]:
    """Every row, by class (RopGetReceiveFolderTable, MS-OXCSTOR 2.2.1.4)."""
    rows = {name.upper(): ReceiveFolder(name, fid, 0) for name, fid in DEFAULTS.items()}
    for _, row in _stored(txn, mailbox):
        rows[row.message_class.upper()] = row
    return [rows[name] for name in sorted(rows)]


def find(txn: ReadTxn, mailbox: int, message_class: str) -> ReceiveFolder:
    """The row that decides about a class, with its own spelling of the class (RopGetReceiveFolder)."""
    folded = message_class.upper()
    best = ReceiveFolder("", Special.INBOX, 0)
    for row in table(txn, mailbox):
        name = row.message_class.upper()
        fits = not name or folded == name or folded.startswith(name + ".")
        if fits and len(name) >= len(best.message_class):
            best = row
    return best


def put(txn: WriteTxn, mailbox: int, message_class: str, fid: int, *, now: int) -> None:
    """Lead a class to a folder (RopSetReceiveFolder, MS-OXCSTOR 3.2.5.3). Raises StoreError for a class that
    is none, LimitReached, NotFound for the folder."""
    require_valid(message_class)
    if not txn.has(pack(mailbox, Table.FOLDERS, fid)):
        raise NotFound(f"folder {fid:#x}")
    key = _key(mailbox, message_class)
    if not txn.has(key) and sum(1 for _ in _stored(txn, mailbox)) >= MAX_ROWS:
        raise LimitReached(f"at most {MAX_ROWS} receive folders")
    txn.put(key, _ROW.pack(fid, now) + message_class.encode())


def delete(txn: WriteTxn, mailbox: int, message_class: str) -> bool:
    """Take the row of a class away, which makes a default what it was; whether there was one. The empty
    class cannot go: StoreError."""
    if not message_class:
        raise StoreError("the empty class has always a receive folder")
    return txn.delete(_key(mailbox, message_class))


def drop_folder(txn: WriteTxn, mailbox: int, fid: int) -> None:
    """Forget every row that leads to a folder (it goes)."""
    for key, row in list(_stored(txn, mailbox)):
        if row.fid == fid:
            txn.delete(key)


def check(txn: ReadTxn, mailbox: int, fids: set[int]) -> Iterator[str]:
    """What is wrong with the table."""
    for key, row in _stored(txn, mailbox):
        if row.fid not in fids:
            yield f"the receive folder of {row.message_class!r} is gone, {row.fid:#x}"
        if key != _key(mailbox, row.message_class):
            yield f"the receive folder of {row.message_class!r} stands under another class"


def repair(txn: WriteTxn, mailbox: int, fids: set[int]) -> None:
    """Take away what leads nowhere."""
    for key, row in list(_stored(txn, mailbox)):
        if row.fid not in fids or key != _key(mailbox, row.message_class):
            txn.delete(key)
