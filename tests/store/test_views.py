"""Kept orders: right after every change, against a plain sort."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.formats import bags
from appliance.mapi import tags
from appliance.store import collation, contents, messages, views
from appliance.store.check import check
from appliance.store.contents import Row
from appliance.store.errors import Conflict, NotFound
from appliance.store.kv import ReadTxn, WriteTxn
from appliance.store.mailboxes import Special
from appliance.store.messages import NewMessage
from appliance.store.views import Builder, Entry, Order, View, key_of
from tests.mailbox.search.fakes import NOW, Box


def bag_of(txn: ReadTxn, mid: int, mailbox: int = 1) -> bytes | None:
    try:
        return messages.load(txn, mailbox, mid).packed_bag
    except NotFound:
        return None


class Viewed(Box):
    """A box whose orders are compared with a plain sort."""

    def insert(self, subject: str, sender: str = "", size: int = 1, received: int = NOW) -> Row:
        bag = bags.pack({tags.PidTagSubject: subject, tags.PidTagSentRepresentingName: sender})
        new = NewMessage(blob=0, size=size, bag=bag, received=received)
        row: Row = self.edit(lambda edit: messages.insert(edit, self.fid, new))
        return row

    def delete(self, row: Row) -> None:
        self.edit(lambda edit: messages.soft_delete(edit, row))

    def build(self, order: Order, now: int = NOW) -> None:
        builder = Builder(self.mailbox, self.fid, order, now)
        done = False
        while not done:
            with self.store.read() as txn:
                done = builder.gather(txn, bag_of, limit=100)
        for write in builder.writes(bag_of):
            self.store.write(write).result()

    def check(self) -> None:
        with self.store.read() as txn:
            assert views.check(txn, self.mailbox, self.fid, bag_of) == []
            for order in views.kept(txn, self.mailbox, self.fid):
                true = sorted(
                    Entry(key_of(order, row, bag_of(txn, row.mid)), row.mid)
                    for row in contents.rows(txn, self.mailbox, self.fid)
                )
                view = View(txn, self.mailbox, self.fid, order)
                assert view.count == len(true)
                assert view.range(0, len(true) + 5) == true
                for position in range(0, len(true), 37):
                    assert view.at(position) == true[position]
                    assert view.position(true[position]) == position
                    assert view.range(position, 3) == true[position : position + 3]
                    assert view.range_back(position, 3) == true[max(0, position - 3) : position][::-1]


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Viewed]:
    box = Viewed(tmp_path)
    yield box
    box.store.close()


def test_an_order_that_is_not_kept(box: Viewed) -> None:
    box.insert("a")
    with box.store.read() as txn, pytest.raises(LookupError):
        View(txn, box.mailbox, box.fid, Order.SUBJECT)


@pytest.mark.slow
def test_made_on_first_use_and_kept(box: Viewed) -> None:
    random.seed(7)
    rows = []
    for n in range(700):
        rows.append(
            box.insert(
                random.choice(["Re: x", "Äpfel", "zoo", ""]) + str(n % 50), f"s{n % 7}", n % 90, NOW - n % 11
            )
        )
    for at, order in enumerate(Order):
        box.build(order, NOW + at)
    box.check()
    random.shuffle(rows)
    for row in rows[:500]:
        box.delete(row)
    box.check()
    for n in range(400):
        box.insert(f"new {random.random()}", "t", n, NOW + n)
    box.check()
    for row in rows[500:]:
        box.delete(row)
    box.check()
    with box.store.read() as txn:
        left = list(contents.rows(txn, box.mailbox, box.fid))
    for row in left:
        box.delete(row)
    box.check()
    box.insert("again")
    box.check()


def test_every_kind_of_change(box: Viewed) -> None:
    rows = [box.insert(f"subject {n}", f"sender {n % 3}") for n in range(20)]
    for at, order in enumerate(Order):
        box.build(order, NOW + at)
    bag = bags.pack({tags.PidTagSubject: "another", tags.PidTagSentRepresentingName: "else"})
    new = NewMessage(blob=0, size=77, bag=bag, received=NOW - 5)
    box.edit(lambda edit: messages.rewrite(edit, rows[0], new))
    box.edit(lambda edit: messages.annotate(edit, rows[1], bag))
    box.edit(lambda edit: messages.copy(edit, rows[2], box.fid))
    box.edit(lambda edit: messages.move(edit, rows[3], int(Special.SENT)))
    box.edit(lambda edit: messages.move(edit, rows[4], box.fid))
    box.edit(lambda edit: messages.set_state(edit, rows[5], 1, ("k",)))
    box.edit(lambda edit: messages.purge(edit, rows[6]))
    box.edit(lambda edit: messages.soft_delete(edit, rows[7]))
    box.edit(lambda edit: messages.restore(edit, box.fid, rows[7].mid))
    box.check()
    assert check(box.store) == []


def test_mime_that_is_rendered_later_changes_the_size(box: Viewed) -> None:
    rows = [box.insert(f"subject {n}", size=n) for n in range(10)]
    box.build(Order.SIZE)
    box.edit(lambda edit: messages.attach_mime(edit, rows[2], 0, 5000))
    box.check()
    builder = Builder(box.mailbox, box.fid, Order.SIZE, NOW + 1)
    with box.store.read() as txn:
        builder.gather(txn, bag_of)
    writes = list(builder.writes(bag_of))
    box.store.write(writes[0]).result()
    box.edit(lambda edit: messages.attach_mime(edit, rows[3], 0, 6000))
    with pytest.raises(Conflict):
        box.store.write(writes[1]).result()


def test_a_message_whose_properties_are_gone_is_still_found_in_its_orders(box: Viewed) -> None:
    rows = [box.insert(f"subject {n}") for n in range(300)]
    box.build(Order.SUBJECT)
    box.store.write(lambda txn: views.left(txn, box.mailbox, rows[150], lambda: None)).result()
    with box.store.read() as txn:
        view = View(txn, box.mailbox, box.fid, Order.SUBJECT)
        assert view.count == 299
        assert rows[150].mid not in {entry.mid for entry in view.range(0, 300)}
        assert len(views.check(txn, box.mailbox, box.fid, bag_of)) == 1


def test_ends_of_an_order(box: Viewed) -> None:
    for n in range(300):
        box.insert(str(n), received=NOW + n)
    box.build(Order.RECEIVED)
    with box.store.read() as txn:
        view = View(txn, box.mailbox, box.fid, Order.RECEIVED)
        assert view.range(300, 5) == []
        assert view.range_back(0, 5) == []
        assert len(view.range_back(9999, 9999)) == 300
        assert view.position(Entry(b"", 0)) == 0
        assert view.position(Entry(b"\xff" * 9, 0)) == 300
        for wrong in (-1, 300):
            with pytest.raises(IndexError):
                view.at(wrong)


def test_changes_while_it_is_made(box: Viewed) -> None:
    rows = [box.insert(f"subject {n}") for n in range(300)]
    builder = Builder(box.mailbox, box.fid, Order.SUBJECT, NOW)
    with box.store.read() as txn:
        assert not builder.gather(txn, bag_of, limit=100)
    box.delete(rows[3])  # was read
    box.delete(rows[200])  # will not be
    box.insert("subject later")
    with box.store.read() as txn:
        assert builder.gather(txn, bag_of, limit=10_000)
    box.delete(rows[5])
    box.insert("subject last")
    writes = list(builder.writes(bag_of))
    for write in writes[:-1]:
        box.store.write(write).result()
        with box.store.read() as txn:
            assert views.kept(txn, box.mailbox, box.fid) == []
    box.delete(rows[7])
    box.store.write(writes[-1]).result()
    box.check()


def test_of_two_builders_the_later_goes_on(box: Viewed) -> None:
    for n in range(10):
        box.insert(str(n))
    first, second = (Builder(box.mailbox, box.fid, Order.SIZE, NOW + n) for n in range(2))
    with box.store.read() as txn:
        assert first.gather(txn, bag_of)
        assert second.gather(txn, bag_of)
    firsts, seconds = list(first.writes(bag_of)), list(second.writes(bag_of))
    box.store.write(firsts[0]).result()
    for write in seconds[:2]:
        box.store.write(write).result()
    with pytest.raises(Conflict):
        box.store.write(firsts[1]).result()
    for write in seconds[2:]:
        box.store.write(write).result()
    with pytest.raises(Conflict):
        box.store.write(firsts[-1]).result()
    box.check()


def test_unused_orders_are_found_and_dropped(box: Viewed) -> None:
    box.insert("a")
    box.build(Order.SIZE, NOW)
    box.build(Order.SUBJECT, NOW + 1)
    with box.store.read() as txn:
        assert views.unused(txn, box.mailbox, NOW + 1) == [(box.fid, Order.SIZE)]
    box.store.write(lambda txn: views.note_use(txn, box.mailbox, box.fid, Order.SIZE, NOW + 5)).result()
    with box.store.read() as txn:
        assert views.unused(txn, box.mailbox, NOW + 2) == [(box.fid, Order.SUBJECT)]
    box.store.write(lambda txn: views.drop(txn, box.mailbox, box.fid)).result()
    with box.store.read() as txn:
        assert views.kept(txn, box.mailbox, box.fid) == []


def test_what_a_change_costs_does_not_grow_with_the_folder(box: Viewed) -> None:
    for n in range(600):
        box.insert(str(n), size=n)
    box.build(Order.SIZE)
    seen = []

    def insert(txn: WriteTxn) -> None:
        before = txn.mutations
        with_row = contents.parse(box.fid, 1 << 48 | 1, False, contents.packed(row))
        views.placed(txn, box.mailbox, with_row, lambda: None)
        seen.append(txn.mutations - before)
        views.left(txn, box.mailbox, with_row, lambda: None)

    with box.store.read() as txn:
        row = next(contents.rows(txn, box.mailbox, box.fid))._replace(size=300)
    box.store.write(insert).result()
    assert seen[0] <= 2  # the chunk and the directory


def test_collation() -> None:
    words = ["", "a", "A", "á", "ab", "Äpfel", "apfelbaum", "b", "straße", "STRASSE", "zoo", "日本"]
    assert sorted(words, key=collation.key) == words
    assert collation.key("a") == collation.key("A") < collation.key("á") < collation.key("ab")
    assert len(collation.key("é" * 1000)) <= collation.MAX_KEY
    assert len(collation.key("e" * 1000)) <= collation.MAX_KEY


def test_collation_version(box: Viewed) -> None:
    with box.store.read() as txn:
        assert collation.is_current(txn)
    box.store.write(collation.stamp).result()
    with box.store.read() as txn:
        assert collation.is_current(txn)
    key = collation._VERSION_KEY
    box.store.write(lambda txn: txn.put(key, b"0/1.0")).result()
    with box.store.read() as txn:
        assert not collation.is_current(txn)
