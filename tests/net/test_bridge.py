"""The store behind asyncio."""

import asyncio
import logging
import threading
from pathlib import Path

import pytest

from appliance.net.bridge import read_in_thread, read_now, write
from appliance.store.keys import SERVER, Table, pack
from appliance.store.kv import ReadTxn, WriteTxn
from appliance.store.store import Store

KEY = pack(SERVER, Table.SETTINGS, "x")


@pytest.fixture
def store(tmp_path: Path):  # type: ignore[no-untyped-def]
    store = Store.create(tmp_path / "data")
    yield store
    store.close()


def put(txn: WriteTxn) -> str:
    txn.put(KEY, b"1")
    return "put"


def look(txn: ReadTxn) -> bytes | None:
    return txn.get(KEY)


def test_a_write_is_durable_when_awaited(store: Store) -> None:
    async def run() -> None:
        assert read_now(store, look) is None
        assert await write(store, put) == "put"
        assert read_now(store, look) == b"1"
        assert await read_in_thread(store, look) == b"1"

    asyncio.run(run())


def test_errors_come_out(store: Store) -> None:
    def fail(txn: WriteTxn) -> None:
        put(txn)
        raise LookupError("no")

    async def run() -> None:
        with pytest.raises(LookupError):
            await write(store, fail)
        assert read_now(store, look) is None

    asyncio.run(run())


class Blocked:
    """Holds the writer thread until it is let go."""

    def __init__(self, store: Store) -> None:
        self.started, self.go = threading.Event(), threading.Event()
        self.future = store.write(self._block)
        self.started.wait(5)

    def _block(self, txn: WriteTxn) -> None:
        self.started.set()
        self.go.wait(5)


def test_a_cancelled_write_that_has_not_begun_is_withdrawn(store: Store) -> None:
    async def run() -> None:
        blocked = Blocked(store)
        task = asyncio.ensure_future(write(store, put))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        blocked.go.set()
        blocked.future.result(5)
        assert read_now(store, look) is None

    asyncio.run(run())


@pytest.mark.parametrize("fails", [False, True])
def test_a_cancelled_write_that_has_begun_is_awaited(
    store: Store, fails: bool, caplog: pytest.LogCaptureFixture
) -> None:
    started, go = threading.Event(), threading.Event()

    def slow(txn: WriteTxn) -> None:
        started.set()
        go.wait(5)
        put(txn)
        if fails:
            raise LookupError("no luck")

    async def run() -> None:
        task = asyncio.ensure_future(write(store, slow))
        await asyncio.get_running_loop().run_in_executor(None, started.wait, 5)
        for _ in range(3):
            task.cancel()
            await asyncio.sleep(0)
        assert not task.done()
        go.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert read_now(store, look) == (None if fails else b"1")

    with caplog.at_level(logging.WARNING):
        asyncio.run(run())
    assert ("no luck" in caplog.text) == fails
