"""The key-value seam: get, put, delete, ordered scan, transaction. LMDB is known here and in `mapfile` only.

Invariants:
- Values leave as `bytes`, never as buffers into the map.
- A `ReadTxn` lives as long as its `with` block; using it later raises.
- A `WriteTxn` exists only on the writer thread.
"""

import errno
import fcntl
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import lmdb

from appliance.store import mapfile
from appliance.store.errors import ForeignStore, StoreFailed, StoreFull
from appliance.store.growth import Growth

MAP_SIZE = 1 << 38
"""Address space reserved for the store, in bytes. One constant, never changed; the file grows as needed."""

MAX_READERS = 1024
FULL = 1 << 20
"""Free bytes of the file system below which an I/O error means that it is full."""

FILE_NAME = "store.lmdb"
USERS_NAME = "store.users"
"""A file on which every process that has the store open holds a shared lock."""


class ReadTxn:
    """A snapshot of the store."""

    __slots__ = ("_txn",)

    def __init__(self, txn: Any) -> None:
        self._txn = txn

    def end(self) -> None:
        """The snapshot is over."""
        self._txn.abort()

    def get(self, key: bytes) -> bytes | None:
        """The value under `key`, or None."""
        value: bytes | None = self._txn.get(key)
        return value

    def get_many(self, keys: list[bytes]) -> list[tuple[bytes, bytes]]:
        """(key, value) of those of `keys` that exist, in the order given."""
        with self._txn.cursor() as cursor:
            found: list[tuple[bytes, bytes]] = cursor.getmulti(keys)
        return found

    def values(self, keys: list[bytes]) -> list[bytes | None]:
        """The value under each of `keys`, None for those that do not exist."""
        return list(map(self._txn.get, keys))  # a third less than a cursor's getmulti takes

    def values_between(self, first: bytes, last: bytes, count: int) -> list[bytes] | None:
        """The values from the key `first` to the key `last`, both included, if these are `count` rows (1 at
        least); else None. The keys stay on their pages: half the cost of looking each up."""
        with self._txn.cursor() as cursor:
            if not cursor.set_key(first):
                return None
            found: list[bytes] = list(islice(cursor.iternext(keys=False), count))
            return found if len(found) == count and cursor.key() == last else None

    def has(self, key: bytes) -> bool:
        """Whether `key` exists."""
        return self._txn.get(key) is not None

    def scan(self, start: bytes, stop: bytes, *, reverse: bool = False) -> Iterator[tuple[bytes, bytes]]:
        """Pairs with start <= key < stop, in key order or backwards."""
        with self._txn.cursor() as cursor:
            if not reverse:
                if not cursor.set_range(start):
                    return
                for key, value in cursor.iternext():
                    if key >= stop:
                        return
                    yield key, value
                return
            if not (cursor.prev() if cursor.set_range(stop) else cursor.last()):
                return
            for key, value in cursor.iterprev():
                if key < start:
                    return
                yield key, value

    def scan_keys(self, start: bytes, stop: bytes) -> Iterator[bytes]:
        """Keys with start <= key < stop; values stay on their pages."""
        with self._txn.cursor() as cursor:
            if not cursor.set_range(start):
                return
            for key in cursor.iternext(keys=True, values=False):
                if key >= stop:
                    return
                yield key

    def first(self, start: bytes, stop: bytes) -> tuple[bytes, bytes] | None:
        """The first pair of a range."""
        with self._txn.cursor() as cursor:
            if not cursor.set_range(start):
                return None
            key, value = cursor.item()
            return (key, value) if key < stop else None

    def last(self, start: bytes, stop: bytes) -> tuple[bytes, bytes] | None:
        """The last pair of a range."""
        for pair in self.scan(start, stop, reverse=True):
            return pair
        return None


class WriteTxn(ReadTxn):
    """A transaction that changes the store. Functions given to `Store.write` receive it."""

    __slots__ = ("_effects", "mutations", "touched")

    def __init__(self, txn: Any) -> None:
        super().__init__(txn)
        self._effects: list[Callable[[], None]] = []
        self.touched: set[int] = set()
        self.mutations = 0

    def put(self, key: bytes, value: bytes) -> None:
        """Store `value` under `key`, replacing what was there."""
        self.mutations += 1
        self._txn.put(key, value)

    def append(self, key: bytes, value: bytes) -> bool:
        """Store `value` unless `key` exists; whether it was stored."""
        self.mutations += 1
        return bool(self._txn.put(key, value, overwrite=False))

    def delete(self, key: bytes) -> bool:
        """Remove `key`; whether it existed."""
        self.mutations += 1
        return bool(self._txn.delete(key))

    def delete_range(self, start: bytes, stop: bytes, limit: int | None = None) -> int:
        """Remove the keys of a range, `limit` at most; how many went."""
        count = 0
        with self._txn.cursor() as cursor:
            while (limit is None or count < limit) and cursor.set_range(start):
                if cursor.key() >= stop:
                    break
                self.mutations += 1
                cursor.delete()
                count += 1
        return count

    def after_commit(self, effect: Callable[[], None]) -> None:
        """Run `effect` once this transaction is durable; dropped when the function fails."""
        self._effects.append(effect)

    def touch(self, mailbox: int) -> None:
        """Note that a mailbox changed, so that its watchers are told after the commit."""
        self.touched.add(mailbox)


_MAGIC = (0xBEEFC0DE).to_bytes(4, sys.byteorder)
_MAGIC_AT = 16


def _looks_like_lmdb(path: Path) -> bool:
    """Whether the file begins as LMDB's do. LMDB itself would initialise an empty file."""
    with path.open("rb") as file:
        return file.read(_MAGIC_AT + 4)[_MAGIC_AT:] == _MAGIC


class Reader(NamedTuple):
    """An open snapshot: its process and thread, and the number of the commit that it shows."""

    pid: int
    thread: str
    transaction: int


class Environment:
    """An open LMDB environment. One for each process and directory."""

    def __init__(self, directory: Path, *, create: bool) -> None:
        path = directory / FILE_NAME
        if not create and not path.exists():
            raise ForeignStore(f"{path}: no store here; `appliance init` makes one")
        self.path = path
        if path.exists() and not _looks_like_lmdb(path):
            raise ForeignStore(f"{path}: not a store; move it away, or restore a backup")
        if path.exists() and mapfile.is_cut_off(path):
            raise ForeignStore(f"{path}: the end of the file is missing; restore a backup")
        self._users = os.open(directory / USERS_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._users, fcntl.LOCK_SH)  # waits while another process compacts
        try:
            self._env = lmdb.open(
                str(path),
                subdir=False,
                map_size=MAP_SIZE,
                max_readers=MAX_READERS,
                max_spare_txns=16,
                readahead=False,
                mode=0o600,
            )
        except lmdb.Error as error:
            os.close(self._users)
            raise ForeignStore(f"{path}: not a store that can be opened: {error}") from error
        self._env.reader_check()
        self.page_size: int = self._env.stat()["psize"]
        self._growth = Growth(path)

    def begin_read(self) -> ReadTxn:
        """A snapshot. The caller ends it."""
        return ReadTxn(self._env.begin())

    @contextmanager
    def read(self) -> Iterator[ReadTxn]:
        """A snapshot; ends with the block."""
        with self._env.begin() as txn:
            yield ReadTxn(txn)

    def begin(self) -> WriteTxn:
        """The one write transaction. The caller commits or aborts it."""
        txn = self._env.begin(write=True)
        self._growth.ahead((self._env.info()["last_pgno"] + 1) * self.page_size)
        return WriteTxn(txn)

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """Whether no other process has the store open; none opens it within the block if so."""
        try:
            fcntl.flock(self._users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            alone = True
        except BlockingIOError:
            alone = False
        try:
            yield alone
        finally:
            if self._users >= 0:
                fcntl.flock(self._users, fcntl.LOCK_SH)

    def entries(self) -> int:
        """Rows of the whole store."""
        return int(self._env.stat()["entries"])

    @staticmethod
    def entries_of(path: Path) -> int:
        """Rows of a copy that nobody has open."""
        with lmdb.open(str(path), subdir=False, readonly=True, lock=False, map_size=MAP_SIZE) as env:
            return int(env.stat()["entries"])

    @contextmanager
    def child(self, parent: WriteTxn) -> Iterator[WriteTxn]:
        """A transaction within `parent`: an exception undoes it alone."""
        txn = self._env.begin(write=True, parent=parent._txn)
        inner = WriteTxn(txn)
        try:
            yield inner
        except BaseException:
            txn.abort()
            raise
        txn.commit()
        parent._effects += inner._effects
        parent.touched |= inner.touched
        parent.mutations += inner.mutations

    def commit(self, txn: WriteTxn) -> list[Callable[[], None]]:
        """Make `txn` durable. Raises StoreFull or StoreFailed; then nothing of it happened."""
        try:
            txn._txn.commit()
        except lmdb.Error as error:
            raise self._cause(error) from error
        return txn._effects

    def abort(self, txn: WriteTxn) -> None:
        """Forget `txn`."""
        txn._txn.abort()

    def _cause(self, error: Exception) -> Exception:
        text = str(error)
        if isinstance(error, lmdb.MapFullError) or os.strerror(errno.ENOSPC) in text:
            return StoreFull(text)
        # LMDB calls a write that ended early an I/O error; the file system knows whether it was full
        if os.strerror(errno.EIO) in text and self.disk_free() < FULL:
            return StoreFull(text)
        return StoreFailed(text)

    def classify(self, error: Exception) -> Exception:
        """An LMDB error as one of the store's own."""
        return self._cause(error) if isinstance(error, lmdb.Error) else error

    def pages(self) -> tuple[int, int]:
        """(pages of the file up to the last one used, pages within it that can be used again).

        The store is LMDB's main tree alone, so what its statistics do not count is free (but for the
        free list's own few pages).
        """
        stat, last = self._env.stat(), self._env.info()["last_pgno"] + 1
        live = stat["branch_pages"] + stat["leaf_pages"] + stat["overflow_pages"] + 2
        return last, max(0, last - live)

    def disk_free(self) -> int:
        """Bytes that the file system still gives to us."""
        stat = os.statvfs(self.path.parent)
        return stat.f_bavail * stat.f_frsize

    def disk_size(self) -> int:
        """Bytes of the whole file system."""
        stat = os.statvfs(self.path.parent)
        return stat.f_blocks * stat.f_frsize

    def reader_check(self) -> int:
        """Clear the slots of readers whose process died."""
        return int(self._env.reader_check())

    def readers(self) -> frozenset[Reader]:
        """The snapshots that are open now, in every process."""
        found = set()
        for line in self._env.readers().splitlines()[1:]:
            pid, thread, transaction = line.split()
            if transaction != "-":
                found.add(Reader(int(pid), thread, int(transaction)))
        return frozenset(found)

    def last_transaction(self) -> int:
        """Number of the last commit."""
        return int(self._env.info()["last_txnid"])

    def copy(self, path: Path, *, compact: bool = True) -> None:
        """Write a consistent copy of the whole store to `path`."""
        self._env.copy(str(path), compact=compact)

    def close(self) -> None:
        """Close the environment; no transaction may be open."""
        self._env.close()
        if self._users >= 0:
            self._growth.close()
            os.close(self._users)
            self._users = -1
