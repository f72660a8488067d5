"""The store for asyncio code: awaiting its writes, reading in threads, reading at once.

Invariants:
- `write` returns (or raises) only after the outcome of the write is known, even when it is cancelled: a
  write that had begun is waited for, a write that had not begun is withdrawn.
- No snapshot lives across an `await`: the functions given here take a transaction and are synchronous.

Reader threads are those of the loop's default executor, which the composition root keeps small.
"""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from appliance.store.kv import ReadTxn, WriteTxn
from appliance.store.store import Store

T = TypeVar("T")
_log = logging.getLogger(__name__)


async def write(store: Store, fn: Callable[[WriteTxn], T], *, weight: int = 0, reserve: bool = False) -> T:
    """Run a pure function on the writer thread and await its durable commit.

    `weight` is about how many bytes it puts, `reserve` whether it may use the space kept back. Raises what
    `fn` raised, StoreFull, or StoreFailed. When cancelled: a write still waiting in the queue is withdrawn;
    one that runs is awaited first, and a failure of it is logged, since nobody else will hear of it.
    """
    future = store.write(fn, weight=weight, reserve=reserve)
    try:
        await _end_of(future)
    except asyncio.CancelledError:
        if not future.cancel():
            await _outlast(future)
            _report(future)
        raise
    return future.result()


def _end_of(future: "Future[T]") -> "asyncio.Future[None]":
    """Resolves when a write has ended, however it did."""
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[None] = loop.create_future()

    def wake() -> None:
        if not ended.done():
            ended.set_result(None)

    future.add_done_callback(lambda _: loop.call_soon_threadsafe(wake))
    return ended


async def _outlast(future: "Future[T]") -> None:
    """Wait for a write however often the task is cancelled meanwhile; a commit takes milliseconds."""
    while not future.done():
        try:
            await _end_of(future)
        except asyncio.CancelledError:
            continue


def _report(future: "Future[T]") -> None:
    if error := future.exception():
        _log.warning("a write whose caller was cancelled failed: %s", error)


async def read_in_thread(store: Store, fn: Callable[[ReadTxn], T]) -> T:
    """Run `fn` on a snapshot in a reader thread: bags over a page, blobs, scans."""

    def run() -> T:
        with store.read() as txn:
            return fn(txn)

    return await asyncio.get_running_loop().run_in_executor(None, run)


def read_now(store: Store, fn: Callable[[ReadTxn], T]) -> T:
    """Run `fn` on a snapshot on the loop's own thread: only hot facts and the log's tail."""
    with store.read() as txn:
        return fn(txn)
