"""Makes the orders that tables want and the store can keep (store/views.py), in the background.

A folder that somebody sorts by a column of `views.Order` is sorted once in memory; meanwhile the order is
made in the store, and from then on every opening of that table costs O(log n). Small folders are not worth
the writes. One builder for each order at a time; whatever goes wrong, tables go on without the kept order.
"""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import partial

from appliance.mapi.times import TICKS_PER_SECOND, from_unix_ns
from appliance.store import folders, messages
from appliance.store.errors import NotFound, StoreError
from appliance.store.kv import ReadTxn
from appliance.store.store import Store
from appliance.store.views import Builder, Order, note_use

LEAST = 1000
"""Messages of a folder whose orders are kept."""

NOTED = 86400 * TICKS_PER_SECOND
"""How long it is not noted again that an order is used (FILETIME units)."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Place:
    """A folder whose orders may be kept."""

    mailbox: int
    fid: int


class Orders:
    """One for each engine. Thread-safe; orders are made one after the other in a thread of their own."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._running: dict[tuple[Place, Order], Future[None]] = {}
        self._worker: ThreadPoolExecutor | None = None

    def keep(self, place: Place, order: Order) -> None:
        """Have an order made, if nobody is at it."""
        self._submit(place, order, partial(self.build, place, order))

    def note_use(self, place: Place, order: Order, now: int) -> None:
        """Note that an order is used, so that it is not dropped."""
        note = partial(note_use, mailbox=place.mailbox, fid=place.fid, order=order, now=now)
        self._submit(place, order, lambda: self._store.write(note).result())

    def _submit(self, place: Place, order: Order, work: Callable[[], None]) -> None:
        key = (place, order)
        with self._lock:
            if key in self._running:
                return
            if self._worker is None:
                self._worker = ThreadPoolExecutor(1, "orders")
            task = self._running[key] = self._worker.submit(work)
        task.add_done_callback(lambda _done: self._forget(key))

    def _forget(self, key: tuple[Place, Order]) -> None:
        with self._lock:
            self._running.pop(key, None)

    def settle(self, seconds: float) -> None:
        """Wait until nothing is being made, at most so long."""
        with self._lock:
            running = list(self._running.values())
        wait(running, seconds)

    def build(self, place: Place, order: Order) -> None:
        """Make an order; the store keeps it from then on."""
        try:
            with self._store.read() as txn:
                if folders.get(txn, place.mailbox, place.fid).total < LEAST:
                    return
            bag = _bags(place.mailbox)
            builder = Builder(place.mailbox, place.fid, order, from_unix_ns(time.time_ns()))
            complete = False
            while not complete:
                with self._store.read() as txn:
                    complete = builder.gather(txn, bag)
            for write in builder.writes(bag):
                self._store.write(write).result()
        except StoreError as error:
            _log.debug("order %s of folder %#x is not kept: %s", order.name, place.fid, error)


def _bags(mailbox: int) -> Callable[[ReadTxn, int], bytes | None]:
    """Reads the packed properties of a mailbox's messages."""

    def bag(txn: ReadTxn, mid: int) -> bytes | None:
        try:
            return messages.load(txn, mailbox, mid).packed_bag
        except NotFound:
            return None

    return bag
