"""Giving space back: LMDB's file never shrinks, so a copy without the free pages takes its place.

Only while no other process has the store open. The copy is written beside the file, synced, looked at, and
renamed over it; the directory is synced. A crash before the rename leaves the old file, one after it the new.
Raises StoreBusy, StoreFull, ForeignStore.
"""

import os
from pathlib import Path
from typing import NamedTuple

from appliance.store.errors import StoreError, StoreFull
from appliance.store.kv import FILE_NAME, Environment
from appliance.store.store import Store

COPY_NAME = FILE_NAME + ".compact"
MARGIN = 16 << 20
"""Bytes that must be left on the disk beside the copy."""


class StoreBusy(StoreError):
    """Another process has the store open."""


class Sizes(NamedTuple):
    """Bytes of the file."""

    before: int
    after: int


def compact(directory: Path) -> Sizes:
    """Compact the store in `directory`."""
    store = Store.open(directory)
    path, copy = directory / FILE_NAME, directory / COPY_NAME
    try:
        with store.env.alone() as alone:
            if not alone:
                raise StoreBusy("another process has the store open; stop the server first")
            before = path.stat().st_size
            if store.env.disk_free() < store.size_bytes() + MARGIN:
                raise StoreFull(f"the copy needs {store.size_bytes() + MARGIN} free bytes")
            copy.unlink(missing_ok=True)
            store.env.copy(copy)
            _sync(copy)
            _require_same(store.env, copy)
            after = copy.stat().st_size
            copy.replace(path)  # the old file lives on for this process until it closes it
            _sync(directory)
            return Sizes(before, after)
    finally:
        copy.unlink(missing_ok=True)
        store.close()


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _require_same(env: Environment, copy: Path) -> None:
    """Raises StoreError unless the copy holds as many rows as the store."""
    ours, theirs = env.entries(), Environment.entries_of(copy)
    if ours != theirs:
        raise StoreError(f"the copy holds {theirs} rows, the store {ours}: nothing was changed")
