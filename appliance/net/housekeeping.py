"""What a server does for its store beside serving: sweeps, and an eye on readers.

At start, what writers that died had stored and never bound is dropped, if nobody else serves the directory.
Then, every minute, the slots of readers that died are cleared, and a snapshot that has been held since the
look before is logged: while it lasts, the file cannot use its pages again and grows.
"""

import asyncio
import logging

from appliance.net import running
from appliance.net.bridge import write
from appliance.net.log import event
from appliance.store import blobs
from appliance.store.errors import StoreError
from appliance.store.kv import Reader
from appliance.store.store import Store

INTERVAL = 60.0
"""Seconds between two looks at the readers."""

_log = logging.getLogger(__name__)


class Readers:
    """Watches the snapshots of all processes that have the store open."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._before: frozenset[Reader] = frozenset()
        self._told: frozenset[Reader] = frozenset()

    def look(self) -> list[Reader]:
        """Clear the slots of dead processes; log and return the snapshots held since the last look."""
        dead = self._store.env.reader_check()
        if dead:
            event(_log, logging.INFO, "readers that died were cleared", count=dead)
        now = self._store.env.readers()
        held = sorted(now & self._before)
        for reader in held:
            if reader not in self._told:
                event(
                    _log,
                    logging.WARNING,
                    "a snapshot is held and keeps the store growing",
                    pid=reader.pid,
                    behind=self._store.env.last_transaction() - reader.transaction,
                )
        self._before, self._told = now, frozenset(held)
        return held


async def sweep(store: Store) -> None:
    """Drop what dead writers left, unless another process serves the directory."""
    if running.present(store.directory):
        return
    try:
        while not await write(store, blobs.sweep, reserve=True):
            pass
    except StoreError as error:
        event(_log, logging.WARNING, "leftovers were not swept", reason=error)


async def run(store: Store, interval: float = INTERVAL) -> None:
    """Watch until cancelled."""
    readers = Readers(store)
    while True:
        readers.look()
        await asyncio.sleep(interval)
