"""Search folders against a model: after the steps, the links are what the restriction finds."""

import contextlib
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.formats import bags
from appliance.mapi import restrictions, tags, values
from appliance.mapi.matching import Object
from appliance.store import contents, folders, log, messages, search_folders
from appliance.store.check import check, repair
from appliance.store.contents import Row, RowFlag
from appliance.store.edit import editing
from appliance.store.errors import LimitReached, StoreError
from appliance.store.folders import FolderKind
from appliance.store.keys import Table, head, successor
from appliance.store.kv import ReadTxn, WriteTxn
from appliance.store.mailboxes import Special, changing
from appliance.store.messages import NewMessage
from appliance.store.search_folders import SearchFlag
from appliance.store.store import Store
from tests.conftest import EPOCH

IMPORTANT = restrictions.pack(
    restrictions.Content(
        restrictions.Fuzzy.SUBSTRING,
        restrictions.FuzzyFlags.IGNORE_CASE,
        tags.PidTagSubject,
        tags.PidTagSubject,
        "urgent",
    ),
    values.extended_form(),
)


def look(txn: ReadTxn, mailbox: int, row: Row) -> Object:
    return Object(messages.load(txn, mailbox, row.mid).get)


def make_search(store: Store, mailbox: int, name: str = "found") -> int:
    def fn(txn: WriteTxn) -> int:
        with changing(txn, mailbox) as clock:
            made = folders.create(txn, clock, Special.FINDER, name, now=EPOCH, kind=FolderKind.SEARCH)
            return made.fid

    return store.write(fn).result()


def define(store: Store, mailbox: int, fid: int, scope: tuple[int, ...], flags: SearchFlag) -> None:
    store.write(lambda txn: search_folders.define(txn, mailbox, fid, IMPORTANT, scope, flags)).result()


def settle(store: Store, mailbox: int, fid: int, limit: int = 7) -> int:
    """Run steps until nothing is left to do; how many it took."""
    for count in range(1000):
        with store.read() as txn:
            step = search_folders.plan(txn, mailbox, fid, look, limit)
        if step is None:
            return count

        def fn(txn: WriteTxn, step: search_folders.Plan = step) -> bool:
            with editing(txn, mailbox, now=EPOCH) as edit:
                return search_folders.apply(edit, step)

        store.write(fn).result()
    raise AssertionError("never done")


def put(store: Store, mailbox: int, fid: int, subject: str) -> Row:
    def fn(txn: WriteTxn) -> Row:
        with editing(txn, mailbox, now=EPOCH) as edit:
            bag = bags.pack({tags.PidTagSubject: subject})
            return messages.insert(edit, fid, NewMessage(blob=0, size=1, bag=bag))

    return store.write(fn).result()


def found(store: Store, mailbox: int, fid: int) -> list[int]:
    with store.read() as txn:
        return [mid for mid, _ in search_folders.links(txn, mailbox, fid)]


def expected(store: Store, mailbox: int, fid: int) -> list[int]:
    with store.read() as txn:
        definition = search_folders.find(txn, mailbox, fid)
        assert definition is not None
        return sorted(
            row.mid
            for home in search_folders.folders_in_scope(txn, mailbox, definition)
            for row in contents.rows(txn, mailbox, home)
            if "urgent" in str(messages.load(txn, mailbox, row.mid).get(tags.PidTagSubject)).lower()
        )


def test_it_is_populated_in_steps_and_follows_the_log(store: Store, mailbox: int) -> None:
    rows = [put(store, mailbox, Special.INBOX, "URGENT" if n % 3 == 0 else "later") for n in range(40)]
    fid = make_search(store, mailbox)
    define(store, mailbox, fid, (Special.INBOX,), SearchFlag.NONE)
    assert found(store, mailbox, fid) == []
    assert settle(store, mailbox, fid) > 5
    assert found(store, mailbox, fid) == [row.mid for row in rows[::3]]
    new = put(store, mailbox, Special.INBOX, "most urgent")
    put(store, mailbox, Special.SENT, "urgent elsewhere")
    settle(store, mailbox, fid)
    assert new.mid in found(store, mailbox, fid)
    with store.read() as txn:
        assert search_folders.counts(txn, mailbox, fid) == (15, 15)
        assert search_folders.of_message(txn, mailbox, new.mid) == [fid]
        kinds = {change.kind for change in log.changes(txn, mailbox, fid, 0)}
        assert kinds == {log.Kind.LINKED, log.Kind.SEARCHED}
        folder = folders.get(txn, mailbox, fid)
        assert folder.contents_mod > new.mod
        assert folder.total == 0


def test_a_message_that_leaves_is_unlinked(store: Store, mailbox: int) -> None:
    rows = [put(store, mailbox, Special.INBOX, "urgent") for _ in range(3)]
    fid = make_search(store, mailbox)
    define(store, mailbox, fid, (Special.INBOX,), SearchFlag.NONE)
    settle(store, mailbox, fid)

    def fn(txn: WriteTxn) -> None:
        with editing(txn, mailbox, now=EPOCH) as edit:
            messages.move(edit, rows[0], Special.TRASH)
            messages.soft_delete(edit, rows[1])
            messages.annotate(edit, rows[2], bags.pack({tags.PidTagSubject: "calm"}))

    store.write(fn).result()
    settle(store, mailbox, fid)
    assert found(store, mailbox, fid) == []
    with store.read() as txn:
        kinds = [change.kind for change in log.changes(txn, mailbox, fid, 0)]
    assert kinds.count(log.Kind.UNLINKED) == 3


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 1 << 32))
def test_random_changes(store: Store, mailbox: int, seed: int) -> None:
    rng = random.Random(seed)
    fid = make_search(store, mailbox, f"search {seed} {rng.random()}")
    tree = [int(Special.INBOX), int(Special.TRASH), int(Special.SENT)]
    live: list[Row] = []
    define(store, mailbox, fid, (Special.INBOX,), SearchFlag.RECURSIVE)
    for _ in range(60):
        action = rng.randrange(8)
        if action < 3 or not live:
            live.append(put(store, mailbox, rng.choice(tree), rng.choice(["urgent", "x"])))
        elif action == 3:
            row = live.pop(rng.randrange(len(live)))
            with store.read() as txn:
                now = contents.find(txn, mailbox, row.fid, row.mid)
            if now is not None:
                target = rng.choice(tree)

                def move(txn: WriteTxn, now: Row = now, target: int = target) -> Row:
                    with editing(txn, mailbox, now=EPOCH) as edit:
                        return messages.move(edit, now, target)

                live.append(store.write(move).result())
        elif action == 4:
            parent = rng.choice(tree)
            name = f"{rng.random()}"

            def make(txn: WriteTxn, parent: int = parent, name: str = name) -> int:
                with changing(txn, mailbox) as clock:
                    return folders.create(txn, clock, parent, name, now=EPOCH).fid

            tree.append(store.write(make).result())
        elif action == 5 and len(tree) > 3:
            moved, parent = rng.choice(tree[3:]), rng.choice(tree)

            def shift(txn: WriteTxn, moved: int = moved, parent: int = parent) -> None:
                with changing(txn, mailbox) as clock:
                    name = folders.get(txn, mailbox, moved).name
                    folders.move(txn, clock, moved, parent, name, now=EPOCH)

            with contextlib.suppress(StoreError):  # into itself
                store.write(shift).result()
        elif action == 6:
            with store.read() as txn:
                step = search_folders.plan(txn, mailbox, fid, look, rng.randrange(1, 9))
            late = put(store, mailbox, rng.choice(tree), "urgent and late")
            live.append(late)
            if step is not None:

                def go(txn: WriteTxn, step: search_folders.Plan = step) -> None:
                    with editing(txn, mailbox, now=EPOCH) as edit:
                        search_folders.apply(edit, step)

                store.write(go).result()
        else:
            row = rng.choice(live)

            def flag(txn: WriteTxn, row: Row = row) -> None:
                with editing(txn, mailbox, now=EPOCH) as edit:
                    now = contents.get(txn, mailbox, row.fid, row.mid)
                    messages.set_state(edit, now, now.flags ^ RowFlag.SEEN, ())

            store.write(flag).result()
    settle(store, mailbox, fid, rng.randrange(1, 30))
    assert found(store, mailbox, fid) == expected(store, mailbox, fid)
    assert check(store) == []


def test_static_and_stopped_searches_stay(store: Store, mailbox: int) -> None:
    put(store, mailbox, Special.INBOX, "urgent")
    fid = make_search(store, mailbox)
    define(store, mailbox, fid, (Special.INBOX,), SearchFlag.STATIC)
    settle(store, mailbox, fid)
    put(store, mailbox, Special.INBOX, "urgent")
    assert settle(store, mailbox, fid) == 0
    assert len(found(store, mailbox, fid)) == 1
    store.write(lambda txn: search_folders.stop(txn, mailbox, fid)).result()
    assert settle(store, mailbox, fid) == 0
    store.write(lambda txn: search_folders.restart(txn, mailbox, fid)).result()
    settle(store, mailbox, fid)
    assert len(found(store, mailbox, fid)) == 2


def test_a_trimmed_log_means_a_new_population(store: Store, mailbox: int) -> None:
    fid = make_search(store, mailbox)
    define(store, mailbox, fid, (Special.INBOX,), SearchFlag.NONE)
    settle(store, mailbox, fid)
    row = put(store, mailbox, Special.INBOX, "urgent")
    gone = put(store, mailbox, Special.INBOX, "urgent")
    settle(store, mailbox, fid)

    def fn(txn: WriteTxn) -> None:
        with editing(txn, mailbox, now=EPOCH) as edit:
            messages.purge(edit, gone)
        with changing(txn, mailbox) as clock:
            clock.row.log_floor = clock.row.counter
        prefix = head(mailbox, Table.LOG)
        txn.delete_range(prefix, successor(prefix))

    store.write(fn).result()
    settle(store, mailbox, fid)
    assert found(store, mailbox, fid) == [row.mid]


def test_what_cannot_be_searched_is_refused(store: Store, mailbox: int) -> None:
    fid = make_search(store, mailbox)
    with pytest.raises(StoreError):
        define(store, mailbox, Special.INBOX, (Special.INBOX,), SearchFlag.NONE)
    with pytest.raises(LimitReached):
        define(store, mailbox, fid, (), SearchFlag.NONE)
    with pytest.raises(ValueError, match=r"."):
        store.write(
            lambda txn: search_folders.define(txn, mailbox, fid, b"\xff", (Special.INBOX,), SearchFlag.NONE)
        ).result()


def test_repair_drops_and_restarts(store: Store, mailbox: int) -> None:
    rows = [put(store, mailbox, Special.INBOX, "urgent") for _ in range(2)]
    fid = make_search(store, mailbox)
    define(store, mailbox, fid, (Special.INBOX,), SearchFlag.NONE)
    settle(store, mailbox, fid)
    prefix = head(mailbox, Table.SEARCH_LINKS) + b"\2"
    store.write(lambda txn: txn.delete_range(prefix, successor(prefix), 1)).result()
    assert "one direction only" in check(store)[0]
    repair(store)
    assert check(store) == []
    settle(store, mailbox, fid)
    assert found(store, mailbox, fid) == [row.mid for row in rows]
    store.write(lambda txn: search_folders.drop(txn, mailbox, fid)).result()
    with store.read() as txn:
        assert search_folders.definitions(txn, mailbox) == []
        assert search_folders.of_message(txn, mailbox, rows[0].mid) == []
