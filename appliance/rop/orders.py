"""Makes the orders that tables want and the store can keep (store/views.py), in the background.

A folder that somebody sorts by a column of `views.Order` is sorted once in memory; meanwhile the order is
made in the store, and from then on every opening of that table costs O(log n). Small folders are not worth
the writes. One builder for each order at a time; whatever goes wrong, tables go on without the kept order.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from appliance.mapi.times import from_unix_ns
from appliance.store import folders, messages
from appliance.store.errors import NotFound, StoreError
from appliance.store.kv import ReadTxn
from appliance.store.store import Store
from appliance.store.views import Builder, Order

LEAST = 1000
"""Messages of a folder whose orders are kept."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Place:
    """A folder whose orders may be kept."""

    mailbox: int
    fid: int


class Orders:
    """One for each engine. On the loop's thread, but for `build`."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._running: dict[tuple[Place, Order], asyncio.Future[None]] = {}

    def keep(self, place: Place, order: Order) -> None:
        """Have an order made, if nobody is at it."""
        key = (place, order)
        if key not in self._running:
            task = asyncio.get_running_loop().run_in_executor(None, self.build, place, order)
            self._running[key] = task
            task.add_done_callback(lambda _done: self._running.pop(key, None))

    async def settled(self) -> None:
        """Return when nothing is being made."""
        while self._running:
            await asyncio.gather(*self._running.values(), return_exceptions=True)

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
