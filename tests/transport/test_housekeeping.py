"""The housekeeper: what it does each round, and what it leaves alone while the clock is not trusted."""

import asyncio
from dataclasses import dataclass

import pytest

from appliance.config import Retention
from appliance.mailbox.retention import DAY
from appliance.mapi.times import TICKS_PER_SECOND
from appliance.store import blobs, contents, messages, search_folders
from appliance.store.blobs import BlobWriter
from appliance.store.edit import editing
from appliance.store.kv import WriteTxn
from appliance.store.mailboxes import Special
from appliance.store.search_folders import SearchFlag
from appliance.store.store import Store
from appliance.transport.housekeeping import RETENTION_ROUNDS, Housekeeper
from tests.conftest import EPOCH
from tests.store.test_messages import insert
from tests.store.test_search_folders import define, found, make_search, put


@dataclass
class FakeClock:
    time: int = EPOCH
    running: float = 0.0
    trusted: bool = True

    def now(self) -> int:
        return self.time

    def monotonic(self) -> float:
        return self.running

    def advance(self, ticks: int) -> None:
        self.time += ticks
        self.running += ticks / TICKS_PER_SECOND


def delete_one(store: Store, mailbox: int, when: int) -> None:
    row = insert(store, mailbox, Special.INBOX, b"x", str(when))

    def fn(txn: WriteTxn) -> None:
        with editing(txn, mailbox, now=when) as edit:
            messages.soft_delete(edit, row)

    store.write(fn).result()


def buried(store: Store, mailbox: int) -> list[int]:
    with store.read() as txn:
        return [deleted.when for deleted in contents.all_buried(txn, mailbox)]


def test_what_is_old_goes_once_the_clock_is_trusted(store: Store, mailbox: int) -> None:
    clock = FakeClock(trusted=False)
    keeper = Housekeeper(store, clock, Retention)
    delete_one(store, mailbox, EPOCH - 40 * DAY)
    delete_one(store, mailbox, EPOCH - 10 * DAY)
    asyncio.run(keeper.round())
    assert len(buried(store, mailbox)) == 2
    clock.trusted = True
    asyncio.run(keeper.round())
    assert buried(store, mailbox) == [EPOCH - 10 * DAY]


def test_retention_runs_once_in_many_rounds(store: Store, mailbox: int) -> None:
    keeper = Housekeeper(store, FakeClock(), Retention)
    asyncio.run(keeper.round())
    delete_one(store, mailbox, EPOCH - 40 * DAY)
    for _ in range(RETENTION_ROUNDS - 1):
        asyncio.run(keeper.round())
    assert len(buried(store, mailbox)) == 1
    asyncio.run(keeper.round())
    assert buried(store, mailbox) == []


def test_a_clock_that_is_set_moves_deadlines(store: Store, mailbox: int) -> None:
    clock = FakeClock(trusted=False)
    keeper = Housekeeper(store, clock, Retention)
    clock.advance(100 * TICKS_PER_SECOND)
    delete_one(store, mailbox, clock.now())
    when = clock.now()
    clock.time += 400 * DAY  # the time came from the network
    clock.trusted = True
    asyncio.run(keeper.round())
    assert buried(store, mailbox) == [when + 400 * DAY]


def test_leases_are_swept_at_the_start(store: Store) -> None:
    writer = BlobWriter(store)
    future = writer.write(bytes(blobs.SPILL * blobs.CHUNK))
    assert future is not None
    future.result()
    asyncio.run(Housekeeper(store, FakeClock(), Retention).start())
    with store.read() as txn:
        assert blobs.leased(txn) == set()
        assert list(blobs.numbers(txn)) == []


def test_search_folders_follow(store: Store, mailbox: int) -> None:
    keeper = Housekeeper(store, FakeClock(), Retention)
    rows = [put(store, mailbox, Special.INBOX, "urgent") for _ in range(5)]
    fid = make_search(store, mailbox)
    define(store, mailbox, fid, (Special.INBOX,), SearchFlag.NONE)
    asyncio.run(keeper.round())
    asyncio.run(keeper.follow())
    assert found(store, mailbox, fid) == [row.mid for row in rows]
    late = put(store, mailbox, Special.INBOX, "urgent too")
    asyncio.run(keeper.follow())
    assert late.mid not in found(store, mailbox, fid)
    keeper.touched(frozenset({mailbox}))
    asyncio.run(keeper.follow())
    assert late.mid in found(store, mailbox, fid)
    with store.read() as txn:
        assert search_folders.counts(txn, mailbox, fid) == (6, 6)


def test_a_full_disk_takes_what_was_deleted(
    store: Store, mailbox: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper = Housekeeper(store, FakeClock(trusted=False), Retention)
    for day in range(120):
        delete_one(store, mailbox, EPOCH - day)
    monkeypatch.setattr(store, "has_room", lambda: len(buried(store, mailbox)) < 50)
    asyncio.run(keeper.round())
    assert len(buried(store, mailbox)) == 20
    asyncio.run(keeper.round())
    assert len(buried(store, mailbox)) == 20
