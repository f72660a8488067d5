"""The queue runner: takes what is due, brings it on its way, and reports.

A round of an entry splits its waiting recipients by destination. Each destination has its own line of jobs
and at most WORKERS connections that take jobs from it one after the other, so that a destination that hangs
delays nobody else. A destination that cannot be reached answers for the jobs behind it, too, for DOWN_TIME.

Invariants:
- Every outcome is committed before the next step; a crash can repeat a delivery, never lose one.
- An entry is in at most one round at a time. Only one runner drains a store (role mta).
- While the clock is not trusted nothing is given up and nobody is told of anything.
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Coroutine
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from appliance.directory import domains, entries
from appliance.directory.addresses import BadAddress, parse
from appliance.mapi.times import TICKS_PER_SECOND
from appliance.net.bridge import read_in_thread, write
from appliance.store import queue
from appliance.store.errors import NotFound, StoreError
from appliance.store.keys import SERVER
from appliance.store.kv import ReadTxn
from appliance.store.queue import QueueEntry, QueueRecipient
from appliance.store.store import Store
from appliance.transport import dsn, retry, smarthost
from appliance.transport.acceptance import Mail
from appliance.transport.client import MAX_RECIPIENTS, Connector, Peer, Unreachable, outcome
from appliance.transport.clock import Clock, Jumps
from appliance.transport.content import Content
from appliance.transport.dsn import Report
from appliance.transport.reports import ingest_content, ingest_report, report_mail
from appliance.transport.rounds import Ending, close_round, deliver_here, give_up, settle
from appliance.transport.routes import RouteError, Router
from appliance.transport.trace import Tokens

WORKERS = 5
"""Connections to one destination at the same time."""

MAX_ROUNDS = 10_000
"""Entries in rounds at the same time; they are numbers in lines, nearly all."""

POLL = 30.0
"""Seconds between looks at the queue when nothing wakes the runner: another process may have added to it."""

DOWN_TIME = 60.0
"""Seconds for which a destination that could not be reached is not tried again."""

KEEP = 5.0
"""Seconds that an idle connection is kept for more mail."""

HERE = ""
"""The destination of recipients that are ours."""

VIA_SMARTHOST = "*"
"""The destination of all others where a smart host takes them."""

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Round:
    number: int
    left: int


@dataclass(frozen=True, slots=True)
class _Job:
    round: _Round
    addresses: tuple[str, ...]


@dataclass(slots=True)
class _Destination:
    """A line of jobs and those who work on it."""

    name: str
    jobs: deque[_Job] = field(default_factory=deque)
    workers: set[asyncio.Task[None]] = field(default_factory=set)
    idle: int = 0
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    down_until: float = 0.0
    failure: Unreachable | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """What the runner works with."""

    store: Store
    hostname: str
    router: Router
    connector: Connector
    clock: Clock
    tokens: Tokens = field(default_factory=Tokens)


class Runner:
    """Drains the queue of a store. `start` and `stop` on the loop's thread."""

    def __init__(self, delivery: Delivery) -> None:
        self._delivery = delivery
        self._store = delivery.store
        self._clock = delivery.clock
        self._rounds: dict[int, _Round] = {}
        self._destinations: dict[str, _Destination] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._main: asyncio.Task[None] | None = None
        self._loop = asyncio.get_running_loop()
        self._stopping = False
        self._unwatch = self._store.watch(self._committed)

    def _committed(self, touched: frozenset[int]) -> None:
        if SERVER in touched:
            with contextlib.suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._wake.set)

    def wake(self) -> None:
        """Look at the queue now: another process added to it, the clock became trusted."""
        self._wake.set()

    def start(self) -> None:
        """Begin to drain."""
        self._main = self._loop.create_task(self._run())

    async def stop(self, grace: float = 4.0) -> None:
        """Begin nothing more, let what is under way finish for `grace` seconds, then cut it off."""
        self._stopping = True
        self._unwatch()
        for destination in self._destinations.values():
            destination.ready.set()
        tasks = [task for task in (self._main, *self._tasks) if task is not None]
        self._wake.set()
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=grace)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late, timeout=1.0)

    async def idle(self) -> None:
        """Wait until nothing is due and nothing under way (for tests)."""
        while await self._due() or self._rounds or self._wake.is_set():
            await asyncio.sleep(0.001)

    # -- the main loop --------------------------------------------------------------------------------

    async def _run(self) -> None:
        jumps = Jumps(self._clock)
        await self._recover()
        while not self._stopping:
            self._wake.clear()
            try:
                if jump := jumps.take():
                    _log.info("the clock jumped by %d s: deadlines move with it", jump // TICKS_PER_SECOND)
                    await write(self._store, partial(queue.shift, delta=jump), reserve=True)
                for number in await self._due():
                    await self._begin(number)
                pause = await self._pause()
            except StoreError as error:
                _log.error("the queue cannot be read or written: %s", error)
                pause = POLL
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), pause)

    async def _recover(self) -> None:
        """Entries that a wrong clock put into a far future are due now."""
        now = self._clock.now()
        found = await read_in_thread(
            self._store, lambda txn: [e.id for e in queue.entries(txn) if retry.is_misdated(e, now)]
        )
        for number in found:
            with contextlib.suppress(NotFound):
                await write(self._store, partial(queue.reschedule, number=number, due=now), reserve=True)

    async def _due(self) -> list[int]:
        now, limit = self._clock.now(), MAX_ROUNDS
        due = await read_in_thread(self._store, lambda txn: queue.due(txn, now, limit))
        return [number for number in due if number not in self._rounds]

    async def _pause(self) -> float:
        """Seconds until the next entry is due, POLL at most."""
        active = set(self._rounds)
        due = await read_in_thread(self._store, lambda txn: queue.next_due(txn, active))
        if due is None:
            return POLL
        return min(max((due - self._clock.now()) / TICKS_PER_SECOND, 0.0), POLL)

    async def _begin(self, number: int) -> None:
        try:
            now = self._clock.now()
            groups = await read_in_thread(self._store, lambda txn: _groups(txn, number, now))
        except NotFound:
            return
        round_ = self._rounds[number] = _Round(number, len(groups))
        if not groups:
            self._spawn(self._close(round_, attempted=False))
        for name, addresses in groups.items():
            self._add(name, _Job(round_, tuple(addresses)))

    def _spawn(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = self._loop.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # -- destinations ---------------------------------------------------------------------------------

    def _add(self, name: str, job: _Job) -> None:
        destination = self._destinations.setdefault(name, _Destination(name))
        destination.jobs.append(job)
        destination.ready.set()
        if len(destination.jobs) > destination.idle and len(destination.workers) < WORKERS:
            self._hire(destination)

    def _hire(self, destination: _Destination) -> None:
        destination.workers.add(self._spawn(self._work(destination)))

    async def _work(self, destination: _Destination) -> None:
        task = asyncio.current_task()
        assert task is not None
        peer: Peer | None = None
        try:
            while not self._stopping and await self._more(destination, keep=peer is not None):
                job = destination.jobs.popleft()
                peer = await self._take(destination, job, peer)
        finally:
            destination.workers.discard(task)
            if peer is not None:
                await peer.close()
            if destination.jobs and not destination.workers and not self._stopping:
                self._hire(destination)
            elif not destination.workers and destination.down_until <= self._clock.monotonic():
                self._destinations.pop(destination.name, None)

    async def _more(self, destination: _Destination, *, keep: bool) -> bool:
        """Whether there is a job; with a connection in hand, wait a little for one."""
        if destination.jobs or not keep:
            return bool(destination.jobs)
        destination.idle += 1
        try:
            async with asyncio.timeout(KEEP):
                # all who wait are woken, and one of them takes the job
                while not (destination.jobs or self._stopping):
                    destination.ready.clear()
                    await destination.ready.wait()
        except TimeoutError:
            pass
        finally:
            destination.idle -= 1
        return bool(destination.jobs)

    async def _take(self, destination: _Destination, job: _Job, peer: Peer | None) -> Peer | None:
        """One job, to its end; the connection to go on with."""
        try:
            entry = await read_in_thread(self._store, lambda txn: queue.get(txn, job.round.number))
            waiting = [r for r in entry.pending if r.address in set(job.addresses)]
            if entry.held or not waiting:
                pass
            elif destination.name == HERE:
                await self._deliver_here(entry, job.addresses)
            else:
                peer = await self._send(destination, entry, waiting, peer)
        except NotFound:
            _log.debug("entry=%d is gone", job.round.number)
        except StoreError as error:
            _log.error("entry=%d: the store refused: %s", job.round.number, error)
        except Exception:
            _log.exception("entry=%d destination=%s failed", job.round.number, destination.name)
        job.round.left -= 1
        if not job.round.left:
            await self._close(job.round, attempted=True)
        return peer if peer is not None and peer.usable else None

    async def _deliver_here(self, entry: QueueEntry, addresses: tuple[str, ...]) -> None:
        incoming = await ingest_content(self._store, entry)
        now = self._clock.now()
        await write(
            self._store,
            lambda txn: deliver_here(txn, entry.id, addresses, incoming, now),
            weight=incoming.weight,
        )

    async def _send(
        self, destination: _Destination, entry: QueueEntry, waiting: list[QueueRecipient], peer: Peer | None
    ) -> Peer | None:
        content = Content.of(self._store, entry)
        for start in range(0, len(waiting), MAX_RECIPIENTS):
            part = waiting[start : start + MAX_RECIPIENTS]
            try:
                if peer is None or not peer.usable:
                    peer = await self._connect(destination)
                outcomes = await peer.send(entry, part, content)
            except RouteError as error:
                outcomes = [outcome(r, error.permanent, error.status, error.text, "") for r in part]
            except Unreachable as error:
                outcomes = [outcome(r, False, error.status, error.text, error.mta) for r in part]
            for done in outcomes:
                state = "deferred" if done.pending else done.state.name.lower()
                _log.info(
                    "entry=%d destination=%s outcome=%s status=%s",
                    entry.id,
                    destination.name,
                    state,
                    done.status,
                )
            await write(self._store, partial(settle, number=entry.id, outcomes=outcomes), reserve=True)
        return peer

    async def _connect(self, destination: _Destination) -> Peer:
        """A connection. Raises RouteError, Unreachable (also for a destination that was found down)."""
        if destination.failure is not None and self._clock.monotonic() < destination.down_until:
            raise destination.failure
        host = None
        if destination.name == VIA_SMARTHOST:
            host = await read_in_thread(self._store, smarthost.get)
        route = await self._delivery.router.route(destination.name, host)
        try:
            peer = await self._delivery.connector.connect(route)
        except Unreachable as error:
            destination.failure = error
            destination.down_until = self._clock.monotonic() + DOWN_TIME
            raise
        destination.failure = None
        return peer

    # -- the end of a round ---------------------------------------------------------------------------

    async def _close(self, round_: _Round, *, attempted: bool) -> None:
        try:
            entry = await read_in_thread(self._store, lambda txn: queue.get(txn, round_.number))
            ending = await self._ending(entry, attempted)
            told = await write(self._store, lambda txn: close_round(txn, ending), reserve=True)
            if ending.report is not None and not told:
                _log.warning("entry=%d: nobody took the report", entry.id)
        except NotFound:
            _log.debug("entry=%d is gone", round_.number)
        except StoreError as error:
            _log.error("entry=%d: the round could not be closed: %s", round_.number, error)
            await self._postpone(round_.number)
        except Exception:
            _log.exception("entry=%d: the round could not be closed", round_.number)
            await self._postpone(round_.number)
        finally:
            self._rounds.pop(round_.number, None)
            self._wake.set()

    async def _postpone(self, number: int) -> None:
        later = self._clock.now() + retry.DELAYS[0]
        with contextlib.suppress(StoreError):
            await write(self._store, lambda txn: queue.reschedule(txn, number, later), reserve=True)

    async def _ending(self, entry: QueueEntry, attempted: bool) -> Ending:
        now = self._clock.now()
        if not self._clock.trusted:
            return Ending(entry, (), attempted, now, may_report=False)
        counted = replace(entry, attempts=entry.attempts + attempted)
        expired = bool(entry.pending) and retry.is_expired(counted, now)
        after = give_up(entry) if expired else entry
        settled, waiting = dsn.owed(after), dsn.owed_warning(after)
        report = warning = None
        if settled:
            report = await self._report(Report(after, settled, self._delivery.hostname, self._token(), now))
        if waiting and retry.wants_warning(after, now):
            until = retry.retry_until(after)
            warning = await self._report(
                Report(after, waiting, self._delivery.hostname, self._token(), now, until)
            )
        given_up = tuple(r.address for r in entry.pending) if expired else ()
        return Ending(entry, given_up, attempted, now, report, warning)

    def _token(self) -> str:
        return self._delivery.tokens.next()

    async def _report(self, report: Report) -> Mail:
        return report_mail(report, await ingest_report(self._store, report))


def _groups(txn: ReadTxn, number: int, now: int) -> dict[str, list[str]]:
    """The waiting recipients of an entry by destination. Raises NotFound, also for one that is not due: its
    round may have ended since the queue was looked at."""
    entry = queue.get(txn, number)
    if entry.held or entry.next_attempt > now:
        raise NotFound(f"queue entry {number} is not due")
    via = smarthost.get(txn) is not None
    groups: dict[str, list[str]] = {}
    for recipient in entry.pending:
        groups.setdefault(_destination(txn, recipient.address, via), []).append(recipient.address)
    return groups


def _destination(txn: ReadTxn, address: str, via: bool) -> str:
    """HERE for what the directory knows, else the domain or the smart host."""
    try:
        domain = parse(address).domain
    except BadAddress:
        domain = address.rpartition("@")[2].lower()
    if domain in domains.get(txn).domains:
        return HERE
    known = entries.by_address(txn, address)
    if known is not None and (known.mailbox or known.is_group):
        return HERE
    return VIA_SMARTHOST if via else domain
