"""What goes with time, step by step."""

from appliance.mailbox import retention
from appliance.mailbox.retention import DAY
from appliance.store import contents, folders, log, messages, views
from appliance.store.edit import editing
from appliance.store.keys import Table, head, successor
from appliance.store.kv import WriteTxn
from appliance.store.mailboxes import Special
from appliance.store.store import Store
from appliance.store.views import Builder, Order
from tests.conftest import EPOCH
from tests.store.test_messages import insert


def delete_some(store: Store, mailbox: int, when: int, count: int = 3) -> None:
    rows = [insert(store, mailbox, Special.INBOX, b"x%d" % n, f"{when}-{n}") for n in range(count)]

    def fn(txn: WriteTxn) -> None:
        with editing(txn, mailbox, now=when) as edit:
            for row in rows:
                messages.soft_delete(edit, row)

    store.write(fn).result()


def buried(store: Store, mailbox: int) -> list[int]:
    with store.read() as txn:
        return [deleted.when for deleted in contents.all_buried(txn, mailbox)]


def test_only_what_is_old_enough_is_purged(store: Store, mailbox: int) -> None:
    delete_some(store, mailbox, EPOCH, 5)
    delete_some(store, mailbox, EPOCH + 10 * DAY)

    def purge(before: int) -> int:
        return store.write(
            lambda txn: retention.purge_expired(txn, mailbox, before, now=EPOCH + 40 * DAY, limit=2)
        ).result()

    assert [purge(EPOCH + 5 * DAY) for _ in range(4)] == [2, 2, 1, 0]
    assert len(buried(store, mailbox)) == 3


def test_the_log_goes_below_an_old_mark(store: Store, mailbox: int) -> None:
    def mark(now: int) -> bool:
        return store.write(lambda txn: retention.mark(txn, mailbox, now)).result()

    for day in range(6):
        for number in range(20):
            insert(store, mailbox, Special.INBOX, b"x", f"{day}-{number}")
        assert mark(EPOCH + day * DAY)
        assert not mark(EPOCH + day * DAY + DAY // 2)
    assert not mark(EPOCH + 9 * DAY)  # nothing changed since
    with store.read() as txn:
        everything = [change.number for change in log.changes(txn, mailbox, Special.INBOX, 0)]
        known = retention.marks(txn, mailbox)
    assert len(known) == 6
    floor = store.write(lambda txn: retention.raise_floor(txn, mailbox, EPOCH + 3 * DAY)).result()
    assert floor == known[2][1]
    steps = 0
    while store.write(lambda txn: retention.trim(txn, mailbox, 2)).result():
        steps += 1
    assert steps > 1
    with store.read() as txn:
        left = [change.number for change in log.changes(txn, mailbox, Special.INBOX, 0)]
        assert log.floor(txn, mailbox) == floor
    assert [number for number in left if number > floor] == [n for n in everything if n > floor]
    assert len(left) < len(everything)


def test_the_log_of_a_folder_that_is_gone_goes_too(store: Store, mailbox: int) -> None:
    def make(txn: WriteTxn) -> int:
        with editing(txn, mailbox, now=EPOCH) as edit:
            return folders.create(txn, edit.clock, Special.INBOX, "gone", now=EPOCH).fid

    fid = store.write(make).result()
    rows = [insert(store, mailbox, fid, b"x", str(n)) for n in range(30)]

    def remove(txn: WriteTxn) -> None:
        with editing(txn, mailbox, now=EPOCH) as edit:
            for row in rows:
                messages.purge(edit, row)
        with editing(txn, mailbox, now=EPOCH) as edit:
            folders.remove(txn, edit.clock, fid)

    store.write(remove).result()
    store.write(lambda txn: retention.mark(txn, mailbox, EPOCH)).result()
    store.write(lambda txn: retention.raise_floor(txn, mailbox, EPOCH + 1)).result()
    while store.write(lambda txn: retention.trim(txn, mailbox)).result():
        pass
    with store.read() as txn:
        prefix = head(mailbox, Table.LOG)
        assert list(txn.scan_keys(prefix, successor(prefix))) == []


def test_marks_from_the_future_are_forgotten(store: Store, mailbox: int) -> None:
    for when in (EPOCH, EPOCH + 100 * DAY):
        insert(store, mailbox, Special.INBOX, b"x", str(when))
        store.write(lambda txn, when=when: retention.mark(txn, mailbox, when)).result()  # type: ignore[misc]
    insert(store, mailbox, Special.INBOX, b"x")
    assert store.write(lambda txn: retention.mark(txn, mailbox, EPOCH + 2 * DAY)).result()
    with store.read() as txn:
        assert [when for when, _ in retention.marks(txn, mailbox)] == [EPOCH, EPOCH + 2 * DAY]


def test_deadlines_move_when_the_clock_was_wrong(store: Store, mailbox: int) -> None:
    delete_some(store, mailbox, EPOCH - 100 * DAY)
    delete_some(store, mailbox, EPOCH)
    place: tuple[int, int] | None = (0, 0)
    while place is not None:
        place = store.write(
            lambda txn, place=place: retention.shift_deleted(  # type: ignore[misc]
                txn, mailbox, EPOCH - DAY, EPOCH + DAY, 50 * DAY, after=place
            )
        ).result()
    assert sorted(buried(store, mailbox)) == [EPOCH - 100 * DAY] * 3 + [EPOCH + 50 * DAY] * 3


def test_orders_that_nobody_uses_are_dropped(store: Store, mailbox: int) -> None:
    insert(store, mailbox, Special.INBOX, b"x")

    def bag(txn, mid):  # type: ignore[no-untyped-def]
        return messages.load(txn, mailbox, mid).packed_bag

    for order, used in ((Order.SUBJECT, EPOCH), (Order.SIZE, EPOCH + 20 * DAY)):
        builder = Builder(mailbox, Special.INBOX, order, used)
        with store.read() as txn:
            while not builder.gather(txn, bag):
                pass
        for fn in builder.writes(bag):
            store.write(fn).result()
    before = EPOCH + 10 * DAY
    assert store.write(lambda txn: retention.drop_unused_views(txn, mailbox, before)).result() == 1
    assert store.write(lambda txn: retention.drop_unused_views(txn, mailbox, before)).result() == 0
    with store.read() as txn:
        assert views.unused(txn, mailbox, EPOCH + 30 * DAY) == [(Special.INBOX, Order.SIZE)]
