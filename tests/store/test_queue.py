"""The queue's table: index, references, holding, jumps of the clock, and its check."""

import pytest

from appliance.store import blobs, queue
from appliance.store.blobs import BlobWriter
from appliance.store.errors import NotFound
from appliance.store.keys import SERVER, Table, head_qq
from appliance.store.kv import WriteTxn
from appliance.store.queue import Notify, Origin, QueueEntry, QueueRecipient, State
from appliance.store.store import Store
from tests.conftest import EPOCH


def put(store: Store, due: int = EPOCH, **fields: object) -> int:
    writer = BlobWriter(store)
    writer.write(b"Subject: x\r\n\r\nx\r\n")
    prepared = writer.finish()

    def insert(txn: WriteTxn) -> int:
        blob = blobs.bind(txn, prepared, references=0)
        to = (QueueRecipient("ü@b.test", Notify.SUCCESS | Notify.DELAY, "rfc822;a+b@c.test"),)
        return queue.insert(txn, QueueEntry("a@b.test", to, blob, 16, EPOCH, due, **fields))  # type: ignore[arg-type]

    return store.write(insert).result()


def test_an_entry_comes_back_as_it_was(store: Store) -> None:
    number = put(
        store,
        prefix=b"X: \xff\r\n",
        envid="e",
        ret="HDRS",
        body="BINARYMIME",
        smtputf8=True,
        origin=Origin.REPORT,
    )
    with store.read() as txn:
        entry = queue.get(txn, number)
        assert entry == next(queue.entries(txn))
        assert (entry.prefix, entry.envid, entry.ret, entry.body) == (
            b"X: \xff\r\n",
            "e",
            "HDRS",
            "BINARYMIME",
        )
        assert entry.recipients[0].notify == Notify.SUCCESS | Notify.DELAY
        assert entry.recipients[0].state is State.PENDING
        assert blobs.info(txn, entry.blob).references == 1


def test_what_is_due_comes_in_order(store: Store) -> None:
    late, first, second = put(store, EPOCH + 50), put(store, EPOCH + 10), put(store, EPOCH + 20)
    with store.read() as txn:
        assert queue.due(txn, EPOCH + 20, 10) == [first, second]
        assert queue.due(txn, EPOCH + 100, 2) == [first, second]
        assert queue.next_due(txn) == EPOCH + 10
        assert queue.next_due(txn, {first, second}) == EPOCH + 50
    store.write(lambda txn: queue.hold(txn, first)).result()
    store.write(lambda txn: queue.remove(txn, second)).result()
    with store.read() as txn:
        assert queue.due(txn, EPOCH + 100, 10) == [late]
        assert queue.count(txn) == 2
    store.write(lambda txn: queue.retry(txn, first, EPOCH)).result()
    store.write(lambda txn: queue.shift(txn, 1000)).result()
    with store.read() as txn:
        assert queue.next_due(txn) == EPOCH + 1000
        assert queue.get(txn, late).arrived == EPOCH + 1000


def test_ids_are_not_used_again(store: Store) -> None:
    number = put(store)
    store.write(lambda txn: queue.remove(txn, number)).result()
    assert put(store) == number + 1
    for call in (queue.hold, queue.remove):
        with pytest.raises(NotFound):
            store.write(lambda txn, call=call: call(txn, number)).result()  # type: ignore[misc]


def test_the_check_sees_a_broken_index(store: Store) -> None:
    number = put(store)
    key = head_qq(SERVER, Table.QUEUE_DUE, EPOCH, number)
    other = head_qq(SERVER, Table.QUEUE_DUE, EPOCH + 1, number + 7)

    def spoil(txn: WriteTxn) -> None:
        txn.delete(key)
        txn.put(other, b"")

    def mend(txn: WriteTxn) -> None:
        txn.put(key, b"")
        txn.delete(other)

    store.write(spoil).result()
    with store.read() as txn:
        assert len(list(queue.check(txn))) == 2
    store.write(mend).result()
    with store.read() as txn:
        assert list(queue.check(txn)) == []
