"""The open store: snapshots to read from, the writer to change it, watchers of commits, free space.

Invariants:
- At most one `Store` for each directory in a process.
- A function that may use the reserve (deletes, the queue, the log) says so; everything else is refused
  with StoreFull once free space is down to the reserve, and served again as soon as there is room.
- A store of another format version is refused before anything is written to it.
"""

import logging
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import TypeVar

from appliance.store.errors import Exists, ForeignStore
from appliance.store.keys import SERVER, Table, pack
from appliance.store.kv import FILE_NAME, Environment, ReadTxn, WriteTxn
from appliance.store.writer import Writer

T = TypeVar("T")

FORMAT = 1
"""Version of the store's format that this release writes."""

OLDEST_FORMAT = 1
"""Oldest version that this release can open."""

READ_LIMIT = 5.0
"""Seconds that a snapshot may live before it is logged as a fault: it keeps the file growing."""

RESERVE_BYTES = 64 << 20
RESERVE_SHARE = 0.02
RESERVE_MOST = 256 << 20
"""The reserve: two hundredths of the file system, within these bounds (bytes)."""
_ROOM_INTERVAL = 0.5

HELD = 8 << 20
"""Compressed bytes that all writers of blobs hold at most; above that they spill every chunk."""

_log = logging.getLogger(__name__)
_FORMAT_KEY = pack(SERVER, Table.META, "format")


class Room:
    """How many compressed bytes the writers of a store hold in memory. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held = 0

    def take(self, size: int) -> bool:
        """Count bytes in; whether they and all others are within HELD."""
        with self._lock:
            self._held += size
            return self._held <= HELD

    def give(self, size: int) -> None:
        """Count bytes out."""
        with self._lock:
            self._held -= size


class Snapshot:
    """A context manager that gives a ReadTxn. (A class: a generator costs twice as much, and every command of
    every protocol takes one.)"""

    __slots__ = ("_env", "_started", "_txn")

    def __init__(self, env: Environment) -> None:
        self._env = env

    def __enter__(self) -> ReadTxn:
        self._started = time.monotonic()
        self._txn = self._env.begin_read()
        return self._txn

    def __exit__(self, *_: object) -> None:
        self._txn.end()
        lasted = time.monotonic() - self._started
        if lasted > READ_LIMIT:
            _log.warning("a snapshot lived %.1f s", lasted, stack_info=True)


class Store:
    """An open store."""

    def __init__(self, directory: Path, env: Environment, on_failure: Callable[[Exception], None]) -> None:
        self.directory = directory
        self.env = env
        self._watchers: tuple[Callable[[frozenset[int]], None], ...] = ()
        self._lock = threading.Lock()
        self._room = (0.0, True)
        self.readers = 0
        self.blob_room = Room()
        self.writer = Writer(env, has_room=self.has_room, on_commit=self._committed, on_failure=on_failure)

    @classmethod
    def create(cls, directory: Path) -> "Store":
        """Make an empty store in `directory` and open it. Raises Exists."""
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        if (directory / FILE_NAME).exists():
            raise Exists(f"{directory / FILE_NAME} exists")
        store = cls(directory, Environment(directory, create=True), _ignore)
        store.write(lambda txn: txn.put(_FORMAT_KEY, FORMAT.to_bytes(4, "big"))).result()
        sync_directory(directory)
        return store

    @classmethod
    def open(cls, directory: Path, on_failure: Callable[[Exception], None] | None = None) -> "Store":
        """Open the store in `directory`. `on_failure` is told, on the writer thread, when the device
        failed. Raises ForeignStore for a missing, damaged or foreign file, which stays untouched."""
        env = Environment(directory, create=False)
        try:
            with env.read() as txn:
                raw = txn.get(_FORMAT_KEY)
            if raw is None:
                raise ForeignStore(f"{env.path}: not a store of this program")
            version = int.from_bytes(raw, "big")
            if not OLDEST_FORMAT <= version <= FORMAT:
                raise ForeignStore(
                    f"{env.path}: format {version}, this release reads {OLDEST_FORMAT} to {FORMAT}"
                )
        except BaseException:
            env.close()
            raise
        return cls(directory, env, on_failure or _ignore)

    def read(self) -> "Snapshot":
        """A snapshot, for `with`. No `await` inside, and not longer than READ_LIMIT."""
        return Snapshot(self.env)

    def write(self, fn: Callable[[WriteTxn], T], *, weight: int = 0, reserve: bool = False) -> "Future[T]":
        """Run a pure function on the writer thread; the future resolves after its commit is durable.
        `weight`: about how many bytes it puts. `reserve`: it may use the space kept back."""
        return self.writer.submit(fn, weight=weight, reserve=reserve)

    def watch(self, callback: Callable[[frozenset[int]], None]) -> Callable[[], None]:
        """Call `callback(mailboxes)` on the writer thread after each commit that touched mailboxes.
        Returns what ends it."""
        with self._lock:
            self._watchers = (*self._watchers, callback)

        def unwatch() -> None:
            with self._lock:
                self._watchers = tuple(w for w in self._watchers if w is not callback)

        return unwatch

    def _committed(self, touched: frozenset[int]) -> None:
        for watcher in self._watchers:
            watcher(touched)

    def free_bytes(self) -> int:
        """Bytes that can still be written: the file system's and the file's own reusable pages."""
        return self.env.disk_free() + self.env.pages()[1] * self.env.page_size

    def reserve_bytes(self) -> int:
        """Bytes kept back for deletes, the queue and the log."""
        return min(max(RESERVE_BYTES, int(self.env.disk_size() * RESERVE_SHARE)), RESERVE_MOST)

    def has_room(self) -> bool:
        """Whether free space is above the reserve (looked up twice a second at most)."""
        now = time.monotonic()
        if now - self._room[0] > _ROOM_INTERVAL:
            self._room = (now, self.free_bytes() > self.reserve_bytes())
        return self._room[1]

    def size_bytes(self) -> int:
        """Bytes of the store's file that hold data."""
        last, free = self.env.pages()
        return (last - free) * self.env.page_size

    def close(self) -> None:
        """Finish what is queued and close."""
        self.writer.close()
        self.env.close()


def sync_directory(path: Path) -> None:
    """Make the names in a directory durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _ignore(error: Exception) -> None:
    """Nobody asked to be told."""
