"""The housekeeper: what it does each round, and what it leaves alone while the clock is not trusted."""

import asyncio
from dataclasses import dataclass
from functools import partial

import pytest

from appliance.config import Retention
from appliance.mailbox import tree
from appliance.mailbox.actor import SYSTEM
from appliance.mailbox.retention import DAY
from appliance.mapi.times import TICKS_PER_SECOND
from appliance.store import blobs, contents, folders, mailboxes, messages, search_folders
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


def delete_folder(store: Store, mailbox: int, name: str, when: int) -> int:
    """A folder with a subfolder and messages, deleted softly."""

    def make(txn: WriteTxn, parent: int, name: str) -> int:
        with mailboxes.changing(txn, mailbox) as clock:
            return folders.create(txn, clock, parent, name, now=when).fid

    fid = store.write(lambda txn: make(txn, Special.IPM_SUBTREE, name)).result()
    below = store.write(lambda txn: make(txn, fid, "below")).result()
    for number in range(3):
        insert(store, mailbox, below, b"x", f"{fid}-{number}")
    soft = partial(tree.soft_delete, actor=SYSTEM, mailbox=mailbox, fid=fid, now=when)
    assert store.write(soft).result()
    return fid


def deleted_folders(store: Store, mailbox: int) -> list[int]:
    with store.read() as txn:
        return [folder.fid for folder in tree.deleted_below(txn, mailbox, Special.IPM_SUBTREE)]


def test_folders_that_were_deleted_go_with_their_time(store: Store, mailbox: int) -> None:
    clock = FakeClock()
    keeper = Housekeeper(store, clock, Retention)
    old = delete_folder(store, mailbox, "old", EPOCH - 40 * DAY)
    young = delete_folder(store, mailbox, "young", EPOCH - 10 * DAY)
    assert deleted_folders(store, mailbox) == [old, young]
    asyncio.run(keeper.round())
    assert deleted_folders(store, mailbox) == [young]
    with store.read() as txn:
        assert folders.find(txn, mailbox, old) is None
        (below,) = folders.children(txn, mailbox, young)
        assert below.total == 3


def test_a_clock_that_is_set_moves_folders_too(store: Store, mailbox: int) -> None:
    clock = FakeClock(trusted=False)
    keeper = Housekeeper(store, clock, Retention)
    clock.advance(100 * TICKS_PER_SECOND)
    fid = delete_folder(store, mailbox, "gone", clock.now())
    clock.time += 400 * DAY
    clock.trusted = True
    asyncio.run(keeper.round())
    assert deleted_folders(store, mailbox) == [fid]


def test_a_full_disk_takes_folders_too(store: Store, mailbox: int, monkeypatch: pytest.MonkeyPatch) -> None:
    keeper = Housekeeper(store, FakeClock(trusted=False), Retention)
    for number in range(3):
        delete_folder(store, mailbox, f"f{number}", EPOCH)
    monkeypatch.setattr(store, "has_room", lambda: len(deleted_folders(store, mailbox)) < 2)
    asyncio.run(keeper.round())
    assert len(deleted_folders(store, mailbox)) == 1


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
