"""Publishes free/busy in the background: of mailboxes that changed, a while later; of all, once in a while.

A mailbox whose calendar folder has not changed costs one look at its row. Months move on, commits of other
processes and those before the start are found by the round of all mailboxes.
"""

import asyncio
import logging
import secrets
import threading
import time

from appliance.directory import entries
from appliance.directory.model import WITH_MAILBOX
from appliance.mailbox import freebusy
from appliance.mailbox.freebusy import Seeds
from appliance.mapi import times
from appliance.net.bridge import write
from appliance.net.log import event
from appliance.net.parts import Parts
from appliance.store import folders
from appliance.store.errors import StoreError
from appliance.store.kv import WriteTxn
from appliance.store.mailboxes import Special
from appliance.store.store import Store

INTERVAL = 15.0
"""Seconds between a change and its publication, at most."""

ROUND = 1800.0
"""Seconds between two rounds of all mailboxes."""

_log = logging.getLogger(__name__)


class Publisher:
    """What is to be published. `changed` may be called from any thread, `step` on a worker thread."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._changed: set[int] = set()
        self._seen: dict[int, int] = {}

    def changed(self, mailboxes: frozenset[int]) -> None:
        """Note mailboxes that changed."""
        with self._lock:
            self._changed |= mailboxes

    def take_changed(self) -> list[int]:
        """Directory ids of the owners of changed mailboxes whose calendars changed too."""
        with self._lock:
            changed, self._changed = self._changed, set()
        found = []
        with self._store.read() as txn:
            for mailbox in changed:
                folder = folders.find(txn, mailbox, Special.CALENDAR)
                owner = entries.by_mailbox(txn, mailbox)
                if owner is None or folder is None or self._seen.get(mailbox) == folder.contents_mod:
                    continue
                self._seen[mailbox] = folder.contents_mod
                found.append(owner.id)
        return found

    def all(self) -> list[int]:
        """Directory ids of everybody with a mailbox."""
        with self._store.read() as txn:
            return [id for kind in sorted(WITH_MAILBOX) for id in entries.ids_of_kind(txn, kind)]

    def is_current(self, id: int, now: int) -> bool:
        """Whether nothing is to be written for a directory id."""
        with self._store.read() as txn:
            entry = entries.find(txn, id)
            return entry is None or not entry.mailbox or freebusy.is_current(txn, entry, now)


async def publish(publisher: Publisher, store: Store, ids: list[int]) -> int:
    """Publish what has changed of some; how many messages were written."""
    written = 0
    for id in ids:
        now = times.from_unix_ns(time.time_ns())
        if await asyncio.to_thread(publisher.is_current, id, now):
            continue
        seeds = Seeds(secrets.token_bytes(16), secrets.token_bytes(16), max(int(time.time()), 1) & 0xFFFFFFFF)

        def fn(txn: WriteTxn, id: int = id, seeds: Seeds = seeds, now: int = now) -> bool:
            return freebusy.publish(txn, id, seeds, now)

        try:
            written += await write(store, fn)
        except StoreError as error:
            event(_log, logging.WARNING, "free/busy was not published", reason=error)
    return written


async def run(parts: Parts, *, interval: float = INTERVAL, every: float = ROUND) -> None:
    """Publish until cancelled."""
    publisher = Publisher(parts.store)
    end = parts.store.watch(publisher.changed)
    due = 0.0
    try:
        while True:
            await asyncio.sleep(interval)
            whole = time.monotonic() >= due
            ids = await asyncio.to_thread(publisher.all if whole else publisher.take_changed)
            if whole:
                due = time.monotonic() + every
            await publish(publisher, parts.store, ids)
    finally:
        end()
