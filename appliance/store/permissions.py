"""Permissions of folders: one row for each member (MS-OXCPERM).

A folder without any row of its own has the defaults of its mailbox. Member 0 is the default user, member
ANONYMOUS everyone who did not log on; other members are directory ids (users or groups).
"""

import struct
from enum import IntFlag

from appliance.store.keys import Table, head_q, head_qq, successor, tail_q
from appliance.store.kv import ReadTxn, WriteTxn

DEFAULT = 0
ANONYMOUS = (1 << 64) - 1


class Right(IntFlag):
    """PidTagMemberRights (MS-OXCPERM 2.2.7)."""

    NONE = 0
    READ_ANY = 0x0001
    CREATE = 0x0002
    EDIT_OWNED = 0x0008
    DELETE_OWNED = 0x0010
    EDIT_ANY = 0x0020
    DELETE_ANY = 0x0040
    CREATE_SUBFOLDER = 0x0080
    FOLDER_OWNER = 0x0100
    FOLDER_CONTACT = 0x0200
    FOLDER_VISIBLE = 0x0400
    FREE_BUSY_SIMPLE = 0x0800
    FREE_BUSY_DETAILED = 0x1000


ALL = (
    Right.READ_ANY
    | Right.CREATE
    | Right.EDIT_OWNED
    | Right.DELETE_OWNED
    | Right.EDIT_ANY
    | Right.DELETE_ANY
    | Right.CREATE_SUBFOLDER
    | Right.FOLDER_OWNER
    | Right.FOLDER_CONTACT
    | Right.FOLDER_VISIBLE
)
"""What an owner has. Free/busy rights are set on calendars only."""

_ROW = struct.Struct("<I")


def members(txn: ReadTxn, mailbox: int, fid: int) -> dict[int, Right]:
    """The rows of a folder: member to rights."""
    prefix = head_q(mailbox, Table.PERMISSIONS, fid)
    return {tail_q(key): Right(_ROW.unpack(raw)[0]) for key, raw in txn.scan(prefix, successor(prefix))}


def put(txn: WriteTxn, mailbox: int, fid: int, member: int, rights: Right) -> None:
    """Set a member's rights."""
    txn.put(head_qq(mailbox, Table.PERMISSIONS, fid, member), _ROW.pack(rights))


def delete(txn: WriteTxn, mailbox: int, fid: int, member: int) -> bool:
    """Take a member's row away; whether there was one."""
    return txn.delete(head_qq(mailbox, Table.PERMISSIONS, fid, member))


def drop(txn: WriteTxn, mailbox: int, fid: int) -> None:
    """Take every row of a folder away."""
    prefix = head_q(mailbox, Table.PERMISSIONS, fid)
    txn.delete_range(prefix, successor(prefix))


def copy(txn: WriteTxn, mailbox: int, fid: int, to_fid: int) -> None:
    """Give a new folder the rows of another (a subfolder begins with its parent's)."""
    for member, rights in members(txn, mailbox, fid).items():
        put(txn, mailbox, to_fid, member, rights)
