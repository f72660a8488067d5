"""Background work of the store: dead processes' readers, leases, retention, log, search folders, late mail.

One process does it (that of the role `mta`). Every step is a small write function of its own, so that mail
goes on; whatever a step could not finish, the next round does.

Invariants:
- Nothing expires while the clock is not trusted.
- A disk that is full gets room from what users deleted, before its time.
- When the clock was set, messages that were deleted since the start by the wrong clock get the true time:
  their deadline moves, it does not fire.
- Leased blobs are swept at the start, and only while no other process has the store open.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial

from appliance.config import Retention
from appliance.mailbox import retention
from appliance.mailbox.properties import tables
from appliance.mapi.matching import Object
from appliance.mapi.times import TICKS_PER_SECOND
from appliance.net import bridge
from appliance.net.log import event
from appliance.net.parts import Parts
from appliance.store import blobs, mailboxes, search_folders
from appliance.store.contents import Row
from appliance.store.edit import editing
from appliance.store.errors import StoreError
from appliance.store.kv import ReadTxn, WriteTxn
from appliance.store.store import Store
from appliance.store.tables.sources import MessageRecord
from appliance.transport.clock import Clock, Jumps, SystemClock
from appliance.transport.receipts import send_due
from appliance.transport.submission import submit_due
from appliance.transport.task import clock_is_trusted

ROUND = 60.0
"""Seconds between two rounds; readers are looked at in each."""

FOLLOW = 0.1
MAX_FOLLOW = 2.0
"""Seconds from a change to a look at the mailboxes that changed, for their search folders and receipts: a
tenth when there is little to do, more as the looks take longer."""

SHARE = 20
"""How many times as long as it takes the next look waits."""

RETENTION_ROUNDS = 60
"""Rounds between two passes of retention."""

MAX_STEPS = 1000
"""Steps of one kind in one pass over one mailbox; the rest waits for the next."""

STEP = 50
"""Messages that are purged between two looks at the free space."""

NEVER = 1 << 63
"""A FILETIME after every other."""

_log = logging.getLogger(__name__)


def look(txn: ReadTxn, mailbox: int, row: Row) -> Object:
    """A message as restrictions see it."""
    record = MessageRecord(txn, mailbox, row, tables.of_row(mailbox, row))
    return Object(record.get, record.children)


class Housekeeper:
    """Keeps one store in order. `settings` is asked each time."""

    def __init__(self, store: Store, clock: Clock, settings: Callable[[], Retention]) -> None:
        self._store, self._clock, self._settings = store, clock, settings
        self._jumps = Jumps(clock)
        self._started = clock.now()
        self._rounds = 0
        self._touched: set[int] = set()

    async def start(self) -> None:
        """What is done once: sweep what writers left behind when they died."""
        with self._store.env.alone() as alone:
            while alone and not await bridge.write(self._store, blobs.sweep, reserve=True):
                pass

    async def round(self) -> None:
        """What is done every minute. Errors of one mailbox are logged and left."""
        self._store.env.reader_check()
        self._touched.update(self._mailboxes())
        if not self._store.has_room():
            await self._guarded(self._make_room())
        jump = self._jumps.take()
        if jump:
            await self._shift(jump)
        if self._clock.trusted:
            await self._guarded(self._submit_due())
        if self._rounds % RETENTION_ROUNDS == 0 and self._clock.trusted:
            for mailbox in self._mailboxes():
                await self._guarded(self._retain(mailbox))
        elif self._rounds % RETENTION_ROUNDS == 0:
            return  # as soon as the clock is trusted
        self._rounds += 1

    async def _submit_due(self) -> None:
        """Messages that were to be sent later, and read receipts."""
        now = self._clock.now()
        sent = await asyncio.to_thread(submit_due, self._store, now)
        receipts = await asyncio.to_thread(send_due, self._store, now)
        if sent or receipts:
            event(_log, logging.INFO, "sent what had waited", messages=sent, receipts=receipts)

    async def _send_receipts(self, of: list[int]) -> None:
        sent = await asyncio.to_thread(send_due, self._store, self._clock.now(), only=of)
        if sent:
            event(_log, logging.INFO, "sent receipts", receipts=sent)

    def _mailboxes(self) -> list[int]:
        with self._store.read() as txn:
            return [identity.number for identity in mailboxes.identities(txn)]

    async def _guarded(self, work: Awaitable[None]) -> None:
        try:
            await work
        except (StoreError, ValueError) as error:
            event(_log, logging.ERROR, "housekeeping failed", reason=error)

    async def _steps(self, step: Callable[[WriteTxn], int]) -> None:
        for _ in range(MAX_STEPS):
            if not await bridge.write(self._store, step, reserve=True):
                return

    async def _make_room(self) -> None:
        """Free space is down to the reserve: what users deleted goes now, not when its time is over. Without
        this a full disk would stay full however much they delete."""
        gone = 0
        for mailbox in self._mailboxes():
            everything = partial(
                retention.purge_expired, mailbox=mailbox, before=NEVER, now=self._clock.now(), limit=STEP
            )
            branches = partial(retention.expire_step, mailbox=mailbox, before=NEVER, now=self._clock.now())
            while not self._store.has_room():
                went = await bridge.write(self._store, everything, reserve=True)
                gone += went
                if not went and not await bridge.write(self._store, branches, reserve=True):
                    break
        event(_log, logging.WARNING, "the disk is full: deleted messages were purged early", messages=gone)

    async def _retain(self, mailbox: int) -> None:
        now, keep = self._clock.now(), self._settings()
        before = now - keep.deleted * TICKS_PER_SECOND
        await self._steps(
            partial(retention.purge_expired, mailbox=mailbox, before=before, now=now, limit=retention.STEP)
        )
        await self._steps(partial(retention.expire_step, mailbox=mailbox, before=before, now=now))
        await bridge.write(self._store, partial(retention.mark, mailbox=mailbox, now=now), reserve=True)
        oldest = now - keep.log * TICKS_PER_SECOND
        await bridge.write(
            self._store, partial(retention.raise_floor, mailbox=mailbox, before=oldest), reserve=True
        )
        await self._steps(partial(retention.trim, mailbox=mailbox))
        idle = now - keep.views * TICKS_PER_SECOND
        await self._steps(partial(retention.drop_unused_views, mailbox=mailbox, before=idle))

    async def _shift(self, jump: int) -> None:
        """The clock was set: what was deleted since the start was deleted `jump` later."""
        high = self._clock.now() - jump
        for mailbox in self._mailboxes():
            await bridge.write(
                self._store,
                partial(
                    retention.shift_deleted_folders, mailbox=mailbox, low=self._started, high=high, by=jump
                ),
                reserve=True,
            )
            place: tuple[int, int] | None = (0, 0)
            while place is not None:
                place = await bridge.write(
                    self._store,
                    partial(
                        retention.shift_deleted,
                        mailbox=mailbox,
                        low=self._started,
                        high=high,
                        by=jump,
                        after=place,
                    ),
                    reserve=True,
                )
        self._started += jump

    # -- search folders -----------------------------------------------------------------------------------

    def touched(self, changed: frozenset[int]) -> None:
        """Mailboxes changed (on the writer thread)."""
        self._touched.update(changed)

    async def follow(self) -> None:
        """Of the mailboxes that changed, bring the search folders up to date and send the receipts."""
        touched = sorted(self._touched - {0})
        if touched and self._clock.trusted:
            await self._guarded(self._send_receipts(touched))
        for mailbox in touched:
            self._touched.discard(mailbox)
            with self._store.read() as txn:
                found = [definition.fid for definition in search_folders.definitions(txn, mailbox)]
            for fid in found:
                await self._guarded(self._follow(mailbox, fid))

    async def _follow(self, mailbox: int, fid: int) -> None:
        for _ in range(MAX_STEPS):
            step = await bridge.read_in_thread(
                self._store, lambda txn: search_folders.plan(txn, mailbox, fid, look)
            )
            if step is None:
                return
            now = self._clock.now()

            def apply(txn: WriteTxn, step: search_folders.Plan = step, now: int = now) -> bool:
                with editing(txn, mailbox, now=now) as edit:
                    return search_folders.apply(edit, step)

            await bridge.write(self._store, apply)


async def run(parts: Parts) -> None:
    """Keep the store in order until cancelled."""
    clock = SystemClock(partial(clock_is_trusted, parts))
    keeper = Housekeeper(parts.store, clock, lambda: parts.settings.retention)
    loop, woken = asyncio.get_running_loop(), asyncio.Event()

    def touched(changed: frozenset[int]) -> None:
        keeper.touched(changed)
        loop.call_soon_threadsafe(woken.set)

    unwatch = parts.store.watch(touched)
    try:
        await keeper.start()
        pause = FOLLOW
        while True:
            await keeper.round()
            woken.set()
            until = loop.time() + ROUND
            while await _woken(woken, until - loop.time()):
                await asyncio.sleep(pause)
                woken.clear()
                begun = loop.time()
                await keeper.follow()
                pause = min(MAX_FOLLOW, max(FOLLOW, SHARE * (loop.time() - begun)))
    finally:
        unwatch()


async def _woken(event: asyncio.Event, patience: float) -> bool:
    """Wait for an event; whether it came in time (seconds)."""
    with suppress(TimeoutError):
        async with asyncio.timeout(max(patience, 0)):
            await event.wait()
    return patience > 0 and event.is_set()
