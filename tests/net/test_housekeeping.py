"""Sweeps at the start of a server, and an eye on snapshots that are held."""

import asyncio
import logging
import os

import pytest

from appliance.net import housekeeping
from appliance.net.housekeeping import Readers
from appliance.net.running import Presence
from appliance.store import blobs
from appliance.store.errors import Conflict
from appliance.store.store import Store

SPILLED = os.urandom(blobs.CHUNK * blobs.SPILL)


def left_behind(store: Store) -> blobs.BlobWriter:
    """A writer that has stored chunks and bound nothing."""
    writer = blobs.BlobWriter(store)
    spilled = writer.write(SPILLED)
    assert spilled is not None
    spilled.result()
    return writer


def leases(store: Store) -> int:
    with store.read() as txn:
        return len(blobs.leased(txn))


def test_leftovers_are_swept_at_start(store: Store) -> None:
    for _ in range(70):
        left_behind(store)
    asyncio.run(housekeeping.sweep(store))
    assert leases(store) == 0
    with store.read() as txn:
        assert list(blobs.numbers(txn)) == []


def test_nothing_is_swept_beside_another_server(store: Store) -> None:
    left_behind(store)
    other = Presence(store.directory, {})
    asyncio.run(housekeeping.sweep(store))
    assert leases(store) == 1
    other.close()
    asyncio.run(housekeeping.sweep(store))
    assert leases(store) == 0


def test_swept_chunks_are_never_bound(store: Store) -> None:
    """A command that was storing a message when a server started is refused; nothing half is kept."""
    bound, continued = left_behind(store), left_behind(store)
    asyncio.run(housekeeping.sweep(store))
    prepared = bound.finish()
    with pytest.raises(Conflict):
        store.write(lambda txn: blobs.bind(txn, prepared)).result()
    spilled = continued.write(SPILLED)
    assert spilled is not None
    with pytest.raises(Conflict):
        spilled.result()


def test_a_snapshot_that_is_held_is_told_once(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    readers = Readers(store)
    with caplog.at_level(logging.WARNING), store.read():
        assert readers.look() == []
        store.write(lambda txn: txn.put(b"\0\0\0\0\0held", b"")).result()
        (held,) = readers.look()
        assert held.pid == os.getpid()
        assert readers.look() == [held]
    assert readers.look() == []
    store.write(lambda txn: txn.delete(b"\0\0\0\0\0held")).result()
    lines = [record.getMessage() for record in caplog.records if "snapshot is held" in record.getMessage()]
    assert lines == [f"a snapshot is held and keeps the store growing pid={os.getpid()} behind=1"]
