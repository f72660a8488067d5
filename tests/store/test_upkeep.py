"""Compacting, changes of format, new incarnations."""

import subprocess
import sys
from pathlib import Path

import pytest

from appliance.store import incarnation, log, mailboxes, messages, migrate
from appliance.store.check import check, repair
from appliance.store.compact import COPY_NAME, StoreBusy, compact
from appliance.store.edit import editing
from appliance.store.errors import ForeignStore
from appliance.store.keys import SERVER, Table, pack
from appliance.store.kv import FILE_NAME, WriteTxn
from appliance.store.mailboxes import Special, changing
from appliance.store.migrate import Step
from appliance.store.store import Store
from tests.store.test_messages import EPOCH, insert


def fill(store: Store, mailbox: int) -> None:
    rows = [insert(store, mailbox, Special.INBOX, bytes(range(256)) * 900, f"s{n}") for n in range(40)]
    rows += [insert(store, mailbox, Special.INBOX, b"%d" % n + b"x" * 3000, f"t{n}") for n in range(300)]

    def purge(txn: WriteTxn) -> None:
        with editing(txn, mailbox, now=EPOCH) as edit:
            for row in rows[10:]:
                messages.purge(edit, row)

    store.write(purge).result()


def test_compacting_gives_space_back(tmp_path: Path, store: Store, mailbox: int) -> None:
    fill(store, mailbox)
    place = tmp_path / "copy"
    place.mkdir()
    store.env.copy(place / FILE_NAME, compact=False)
    before = Store.open(place)
    with before.read() as txn:
        rows = dict(txn.scan(b"", b"\xff" * 8))
    before.close()
    sizes = compact(place)
    assert sizes.after < sizes.before
    assert (place / FILE_NAME).stat().st_size == sizes.after
    assert not (place / COPY_NAME).exists()
    after = Store.open(place)
    with after.read() as txn:
        assert dict(txn.scan(b"", b"\xff" * 8)) == rows
    assert check(after) == []
    after.write(lambda txn: txn.put(pack(SERVER, Table.META, "x"), b"y")).result()
    after.close()


_HOLD = """
import sys
from pathlib import Path
from appliance.store.store import Store
store = Store.open(Path(sys.argv[1]))
print("open", flush=True)
sys.stdin.read()
store.close()
"""


def test_a_store_in_use_is_not_compacted(tmp_path: Path) -> None:
    place = tmp_path / "data"
    Store.create(place).close()
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(place)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "open\n"
        with pytest.raises(StoreBusy):
            compact(place)
        mine = Store.open(place)
        with mine.env.alone() as alone:
            assert not alone
        mine.close()
        other.communicate("")
    mine = Store.open(place)
    with mine.env.alone() as alone:
        assert alone
    mine.close()
    compact(place)


def marker(name: str) -> bytes:
    return pack(SERVER, Table.META, "test " + name)


def half(name: str, steps: int, log_of: list[str], fail_at: int = -1) -> migrate.Half:
    """A half of some steps, each of which leaves a row; one may fail once."""
    failing = [fail_at]

    def step(txn: WriteTxn, position: bytes) -> bytes | None:
        at = int(position or b"0")
        if at == failing[0]:
            failing[0] = -1
            raise RuntimeError("power cut")
        log_of.append(f"{name}{at}")
        txn.put(marker(f"{name}{at}"), b"")
        return b"%d" % (at + 1) if at + 1 < steps else None

    return step


def test_a_change_of_format_in_two_halves(tmp_path: Path) -> None:
    store = Store.create(tmp_path / "data")
    done: list[str] = []
    steps = (
        Step(3, half("e3-", 1, done), half("c3-", 1, done)),
        Step(2, half("e2-", 3, done, fail_at=1), half("c2-", 2, done)),
    )
    assert migrate.expand(store, ()) == 0
    with pytest.raises(RuntimeError):
        migrate.expand(store, steps)
    with store.read() as txn:
        assert migrate.state(txn) == migrate.State(1, 1, 1, b"1")
    assert migrate.expand(store, steps) == 2
    assert done == ["e2-0", "e2-1", "e2-2", "e3-0"]
    with store.read() as txn:
        assert migrate.state(txn) == migrate.State(1, 3)
    store.close()
    store = Store.open(tmp_path / "data")  # the release before can still open it
    assert migrate.expand(store, steps) == 0
    assert migrate.contract(store, steps) == 2
    assert done[4:] == ["c2-0", "c2-1", "c3-0"]
    assert migrate.contract(store, steps) == 0
    with store.read() as txn:
        assert migrate.state(txn) == migrate.State(3, 3)
    store.close()
    with pytest.raises(ForeignStore):  # and now it cannot
        Store.open(tmp_path / "data")


def test_a_new_incarnation_is_above_everything_old(store: Store, mailbox: int) -> None:
    insert(store, mailbox, Special.INBOX, b"x")
    with store.read() as txn:
        before, old = mailboxes.get(txn, mailbox), mailboxes.identity(txn, mailbox)
    store.write(lambda txn: incarnation.renew(txn, mailbox, b"n" * 16)).result()
    with store.read() as txn:
        after, new = mailboxes.get(txn, mailbox), mailboxes.identity(txn, mailbox)
        assert log.floor(txn, mailbox) == after.counter
    assert after.counter > before.counter
    assert after.next_uidvalidity > before.next_uidvalidity
    assert (new.incarnation, new.replica_guid) == (old.incarnation + 1, b"n" * 16)
    assert new.guid == old.guid


def test_a_repair_of_a_lost_counter_makes_a_new_incarnation(store: Store, mailbox: int) -> None:
    row = insert(store, mailbox, Special.INBOX, b"x")

    def fn(txn: WriteTxn) -> None:
        with changing(txn, mailbox) as clock:
            clock.row.counter = row.mod - 2

    store.write(fn).result()
    repair(store, (), lambda: b"r" * 16)
    assert check(store) == []
    with store.read() as txn:
        assert mailboxes.identity(txn, mailbox).replica_guid == b"r" * 16
        assert mailboxes.get(txn, mailbox).counter > row.mod
    guid = mailbox.to_bytes(16, "big")

    def damage(txn: WriteTxn) -> None:
        with changing(txn, mailbox) as clock:
            clock.row.count += 1

    store.write(damage).result()
    repair(store, (), lambda: guid)
    with store.read() as txn:  # what was only miscounted needs none
        assert mailboxes.identity(txn, mailbox).replica_guid == b"r" * 16
