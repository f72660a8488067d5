"""Keys of the store: big-endian tuples, so that a scan of a prefix is an ordered listing.

Every key begins with the mailbox (u32; 0 is the server itself) and the table (u8). Integers follow as
u64 (FIDs, MIDs, numbers) or u32 (UIDs, chunk numbers); text and bytes are escaped and terminated so that
they sort as they compare. A variable part is at most 200 bytes long: what is longer keeps its first 168
bytes and ends in a SHA-256 of the whole, and the record holds the full value (LMDB's limit is 511).

The order of the table numbers matters: rows that change together stand in neighbouring tables, because
the cost of a commit is the number of pages that it touches.
"""

import hashlib
import struct
from enum import IntEnum

SERVER = 0
"""The "mailbox" under which the tables of the whole server stand."""

MAX_PART = 200
_KEPT = MAX_PART - 32


class Table(IntEnum):
    """Tables, in key order. Numbers are part of the store's format and never change."""

    # of the server (mailbox 0)
    META = 0
    MAILBOXES = 1
    NAMES = 2
    NAME_IDS = 3
    REPLIDS = 4
    REPLID_GUIDS = 5
    DIRECTORY = 6
    DIRECTORY_INDEX = 7
    DEVICES = 8
    QUEUE = 9
    QUEUE_DUE = 10
    SETTINGS = 11
    CLASSES = 12
    CLASS_IDS = 13
    BLOB_HASHES = 20
    BLOB_LEASES = 21
    BLOBS = 22
    BLOB_STRUCTURES = 23
    # of a mailbox
    MAILBOX = 32
    FOLDERS = 33
    CONTENTS = 34
    LOG = 35
    UIDS = 36
    UID_DIRECTORY = 37
    FOLDER_NAMES = 38
    MESSAGES = 39
    PARTS = 40
    VIEWS = 41
    VIEW_DIRECTORY = 42
    DUMPSTER = 43
    CONVERSATIONS = 44
    MESSAGE_IDS = 45
    GOIDS = 46
    CALENDAR = 47
    DAVNAMES = 48
    TIMERS = 49
    READSTATE = 50
    PERUSER = 51
    PERMISSIONS = 52
    RULES = 53
    RECEIVE_FOLDERS = 54
    SEARCH_LINKS = 55
    EAS_STATE = 56
    SUBSCRIPTIONS = 57
    UNRENDERED = 58
    LOCAL_IDS = 59


_HEAD = struct.Struct(">IB")
_HEAD_Q = struct.Struct(">IBQ")
_HEAD_QQ = struct.Struct(">IBQQ")
_HEAD_QI = struct.Struct(">IBQI")
_CONTENTS = struct.Struct(">IBQBQ")

Part = int | bytes | str


def head(mailbox: int, table: int) -> bytes:
    """Prefix of a whole table of one mailbox."""
    return _HEAD.pack(mailbox, table)


def head_q(mailbox: int, table: int, a: int) -> bytes:
    """Key (mailbox, table, u64)."""
    return _HEAD_Q.pack(mailbox, table, a)


def head_qq(mailbox: int, table: int, a: int, b: int) -> bytes:
    """Key (mailbox, table, u64, u64)."""
    return _HEAD_QQ.pack(mailbox, table, a, b)


def head_qi(mailbox: int, table: int, a: int, b: int) -> bytes:
    """Key (mailbox, table, u64, u32)."""
    return _HEAD_QI.pack(mailbox, table, a, b)


LOG_TAIL, UID_TAIL = b"\x01", b"\x02"
"""Suffixes of a folder's key: what every change of its contents writes stands right behind its row."""


def beside_folder(mailbox: int, fid: int, which: bytes) -> bytes:
    """Key of LOG_TAIL or UID_TAIL of a folder."""
    return _HEAD_Q.pack(mailbox, Table.FOLDERS, fid) + which


def contents_key(mailbox: int, fid: int, associated: bool, mid: int) -> bytes:
    """Key of a row of `contents`."""
    return _CONTENTS.pack(mailbox, Table.CONTENTS, fid, associated, mid)


def part(value: Part) -> bytes:
    """One part of a key: u64 for an integer; escaped, terminated, bounded bytes for anything else."""
    if isinstance(value, int):
        return value.to_bytes(8, "big")
    raw = value.encode() if isinstance(value, str) else value
    if len(raw) > MAX_PART:
        raw = raw[:_KEPT] + hashlib.sha256(raw).digest()
    return raw.replace(b"\0", b"\0\xff") + b"\0\0"


def pack(mailbox: int, table: int, *parts: Part) -> bytes:
    """Key of any table; integers become u64."""
    return _HEAD.pack(mailbox, table) + b"".join(part(value) for value in parts)


def successor(prefix: bytes) -> bytes:
    """The smallest key greater than every key that begins with `prefix`."""
    stripped = prefix.rstrip(b"\xff")
    if not stripped:
        raise ValueError("no key follows a prefix of 0xff bytes")
    return stripped[:-1] + bytes([stripped[-1] + 1])


def tail_q(key: bytes) -> int:
    """The last u64 of a key."""
    return int.from_bytes(key[-8:], "big")
