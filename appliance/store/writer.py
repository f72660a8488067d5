"""The writer thread: many functions, one transaction, one commit.

Invariants:
- A future resolves only after the commit that holds its function's changes is durable.
- A function that raises leaves nothing behind and takes no other function with it. Functions run straight
  in the batch's transaction; when one raises after it had changed something, the batch is aborted and run
  again with a child transaction for each. That is why functions must be pure: they may run twice.
- Effects run after the commit, on the writer thread, in order; then the watchers of the mailboxes that
  changed are told; then the futures resolve, so that who waits for one finds everybody told.
- A failed sync is not survivable (the kernel may have dropped the pages): every waiting and later call
  gets StoreFailed, and `on_failure` is told so that the process ends and reopens.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from appliance.store.errors import StoreFailed, StoreFull
from appliance.store.kv import Environment, WriteTxn

T = TypeVar("T")
MAX_BATCH = 256
"""Functions that share one commit, at most."""

BATCH_BYTES = 4 << 20
"""Bytes that a batch may bring, by the callers' own estimates."""

_log = logging.getLogger(__name__)


class _Job:
    __slots__ = ("fn", "future", "reserve", "result", "weight")

    def __init__(self, fn: Callable[[WriteTxn], Any], weight: int, reserve: bool) -> None:
        self.fn = fn
        self.weight = weight
        self.reserve = reserve
        self.future: Future[Any] = Future()
        self.result: Any = None


class Writer:
    """Owns the only write transaction. `submit` may be called from any thread."""

    def __init__(
        self,
        env: Environment,
        *,
        has_room: Callable[[], bool],
        on_commit: Callable[[frozenset[int]], None],
        on_failure: Callable[[Exception], None],
    ) -> None:
        self._env = env
        self._has_room = has_room
        self._on_commit = on_commit
        self._on_failure = on_failure
        self._queue: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._failed: Exception | None = None
        self._closed = False
        self.beat = time.monotonic()
        """When the thread last showed life (monotonic seconds); the watchdog reads it."""
        self.commits = 0
        self.functions = 0
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    def submit(self, fn: Callable[[WriteTxn], T], *, weight: int = 0, reserve: bool = False) -> "Future[T]":
        """Queue a function. `weight` is about how many bytes it puts; `reserve` marks one that may use the
        space kept for deletes, the queue and the log. Raises StoreFailed after close or failure."""
        if self._failed or self._closed:
            raise StoreFailed(str(self._failed or "the store is closed"))
        job = _Job(fn, weight, reserve)
        self._queue.put(job)
        return job.future

    def close(self) -> None:
        """Finish what is queued and end the thread."""
        self._closed = True
        self._queue.put(None)
        self._thread.join()

    def ping(self) -> bool:
        """Whether the thread is idle or has moved within the last minute."""
        return self._queue.empty() or time.monotonic() - self.beat < 60.0

    def _run(self) -> None:
        ending = False
        while not ending:
            batch, ending = self._take()
            self.beat = time.monotonic()
            batch = [job for job in batch if job.future.set_running_or_notify_cancel()]
            if batch:
                self._commit(batch)

    def _take(self) -> tuple[list[_Job], bool]:
        job = self._queue.get()
        if job is None:
            return [], True
        batch, weight = [job], job.weight
        while len(batch) < MAX_BATCH and weight < BATCH_BYTES:
            try:
                job = self._queue.get_nowait()
            except queue.Empty:
                break
            if job is None:
                return batch, True
            batch.append(job)
            weight += job.weight
        return batch, False

    def _commit(self, batch: list[_Job]) -> None:
        if self._failed:
            self._refuse(batch, self._failed)
            return
        batch = self._with_room(batch)
        if not batch:
            return
        txn: WriteTxn | None = None
        try:
            txn = self._env.begin()
            failed = self._run_straight(txn, batch)
            if failed is None:
                self._env.abort(txn)
                txn = self._env.begin()
                failed = self._run_apart(txn, batch)
            if txn.mutations == 0:
                effects, touched = txn._effects, frozenset(txn.touched)
                self._env.abort(txn)
            else:
                touched = frozenset(txn.touched)
                effects = self._env.commit(txn)
                self.commits += 1
        except Exception as error:
            self._fail(batch, error, txn)
            return
        self.functions += len(batch)
        self._finish(batch, failed, effects, touched)

    def _with_room(self, batch: list[_Job]) -> list[_Job]:
        """The functions that may run: all, unless free space is down to the reserve."""
        if all(job.reserve for job in batch) or self._has_room():
            return batch
        full = [job for job in batch if not job.reserve]
        self._refuse(full, StoreFull("free space is down to the reserve"))
        return [job for job in batch if job.reserve]

    def _run_straight(self, txn: WriteTxn, batch: list[_Job]) -> dict[_Job, Exception] | None:
        """Run all in one transaction. None: one failed after it had changed something; run apart."""
        failed: dict[_Job, Exception] = {}
        for job in batch:
            before, effects = txn.mutations, len(txn._effects)
            try:
                job.result = job.fn(txn)
            except Exception as error:
                if txn.mutations != before:
                    return None
                del txn._effects[effects:]
                failed[job] = self._env.classify(error)
        return failed

    def _run_apart(self, txn: WriteTxn, batch: list[_Job]) -> dict[_Job, Exception]:
        failed: dict[_Job, Exception] = {}
        for job in batch:
            try:
                with self._env.child(txn) as child:
                    job.result = job.fn(child)
            except Exception as error:
                failed[job] = self._env.classify(error)
        return failed

    def _fail(self, batch: list[_Job], error: Exception, txn: WriteTxn | None) -> None:
        if txn is not None:
            self._env.abort(txn)
        error = self._env.classify(error)
        if not isinstance(error, StoreFull):
            error = error if isinstance(error, StoreFailed) else StoreFailed(repr(error))
            self._failed = error
            _log.critical("the store's device failed: %s", error)
            self._on_failure(error)
        self._refuse(batch, error)

    @staticmethod
    def _refuse(batch: list[_Job], error: Exception) -> None:
        for job in batch:
            job.future.set_exception(error)

    def _finish(
        self,
        batch: list[_Job],
        failed: dict[_Job, Exception],
        effects: list[Callable[[], None]],
        touched: frozenset[int],
    ) -> None:
        for effect in effects:
            try:
                effect()
            except Exception:
                _log.exception("an effect failed after its commit")
        if touched:
            try:
                self._on_commit(touched)
            except Exception:
                _log.exception("a watcher of commits failed")
        for job in batch:
            if job in failed:
                job.future.set_exception(failed[job])
            else:
                job.future.set_result(job.result)
