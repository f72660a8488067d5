"""What LMDB's file says of itself, read without mapping it.

A mapped file that is shorter than its pages kills whoever reads the missing ones, so it is looked at before
it is opened. A file may rightly end before its last page: pages that a transaction took and gave back are not
written. So only a short file is walked, from its roots, and is cut off only if something in use is missing.
"""

import os
import struct
from pathlib import Path
from typing import NamedTuple

_MAGIC = 0xBEEFC0DE
_PAGE = struct.Struct("<QHHHH")
_META = struct.Struct("<IIQQ")
_DB = struct.Struct("<IHHQQQQQ")
_TAIL = struct.Struct("<QQ")
_BRANCH, _LEAF, _OVERFLOW = 0x01, 0x02, 0x04
_BIG_DATA = 0x01
_NONE = (1 << 64) - 1
_NODE = struct.Struct("<HHHH")
_FIRST_META = 4096
"""Bytes that hold the first meta page, whatever the page size is."""

_ATTEMPTS = 5


class Meta(NamedTuple):
    """A meta page: page size, roots (free list, main tree), last page, transaction."""

    page_size: int
    roots: tuple[int, ...]
    last_page: int
    txn: int


def _parse(page: bytes) -> Meta | None:
    at = _PAGE.size
    if len(page) < at + _META.size + 2 * _DB.size + _TAIL.size or _META.unpack_from(page, at)[0] != _MAGIC:
        return None
    at += _META.size
    trees = [_DB.unpack_from(page, at + number * _DB.size) for number in range(2)]
    last_page, txn = _TAIL.unpack_from(page, at + 2 * _DB.size)
    return Meta(trees[0][0], tuple(tree[7] for tree in trees), last_page, txn)


def meta(descriptor: int) -> Meta | None:
    """The meta page that counts; None where the file does not begin as LMDB's do."""
    first = _parse(os.pread(descriptor, _FIRST_META, 0))
    if first is None or first.page_size < 256:
        return None
    second = _parse(os.pread(descriptor, _FIRST_META, first.page_size))
    return max(first, second, key=lambda each: each.txn) if second else first


def is_cut_off(path: Path) -> bool:
    """Whether the file ends before something that is in use."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        for _ in range(_ATTEMPTS):
            found = meta(descriptor)
            if found is None or os.fstat(descriptor).st_size >= (found.last_page + 1) * found.page_size:
                return False
            missing = _misses(descriptor, found)
            if not missing or meta(descriptor) == found:  # else a server changed it meanwhile
                return missing
        return False
    finally:
        os.close(descriptor)


def _misses(descriptor: int, found: Meta) -> bool:
    """Whether a page that the trees lead to is not in the file."""
    size = found.page_size
    pages = os.fstat(descriptor).st_size // size
    left = [root for root in found.roots if root != _NONE]
    while left:
        number = left.pop()
        page = os.pread(descriptor, size, number * size) if number < pages else b""
        if len(page) < size:
            return True
        _, _, flags, lower, upper = _PAGE.unpack_from(page)
        if flags & _OVERFLOW and number + (lower | upper << 16) > pages:
            return True
        if flags & (_BRANCH | _LEAF):
            left += _below(page, flags, lower)
    return False


def _below(page: bytes, flags: int, lower: int) -> list[int]:
    """The pages that a page leads to: branches, or values too long for their leaf."""
    found = []
    for (offset,) in struct.iter_unpack("<H", page[_PAGE.size : lower & ~1]):
        if offset + _NODE.size > len(page):
            continue
        low, high, node_flags, key_size = _NODE.unpack_from(page, offset)
        if flags & _BRANCH:
            found.append(low | high << 16 | node_flags << 32)
        elif node_flags & _BIG_DATA:
            at = offset + _NODE.size + key_size
            found.append(int.from_bytes(page[at : at + 8], "little"))
    return found
