"""The writer: group commit, isolation of failures, effects."""

import threading
from concurrent.futures import Future
from pathlib import Path

import lmdb
import pytest

from appliance.store.errors import Exists, ForeignStore, NotFound, StoreFailed, StoreFull
from appliance.store.keys import pack
from appliance.store.kv import FILE_NAME, WriteTxn
from appliance.store.store import Store

KEY = pack(7, 99, "key")


def test_a_result_comes_after_the_commit(store: Store) -> None:
    assert store.write(lambda txn: txn.append(KEY, b"1")).result() is True
    with store.read() as txn:
        assert txn.get(KEY) == b"1"
    store.write(lambda txn: txn.delete(KEY)).result()


def test_a_function_that_fails_is_undone_alone(store: Store) -> None:
    """All in one batch: the one that fails after it changed something makes the batch run apart."""
    ran: list[str] = []

    def bad(txn: WriteTxn) -> None:
        txn.put(pack(7, 99, "bad"), b"")
        txn.after_commit(lambda: ran.append("bad"))
        raise NotFound("on purpose")

    def good(number: int) -> None:
        def fn(txn: WriteTxn) -> None:
            txn.put(pack(7, 99, number), b"")
            txn.after_commit(lambda: ran.append(f"good {number}"))

        futures.append(store.write(fn))

    hold = threading.Event()
    futures: list[Future[object]] = [store.write(lambda txn: hold.wait(5))]
    good(1)
    failing = store.write(bad)
    good(2)
    hold.set()
    with pytest.raises(NotFound):
        failing.result()
    for future in futures:
        future.result()
    assert ran == ["good 1", "good 2"]
    with store.read() as txn:
        assert txn.get(pack(7, 99, "bad")) is None
        assert txn.has(pack(7, 99, 1))
        assert txn.has(pack(7, 99, 2))
    store.write(lambda txn: txn.delete_range(pack(7, 99), pack(7, 100))).result()


def test_watchers_hear_which_mailboxes_changed(store: Store) -> None:
    heard: list[frozenset[int]] = []
    unwatch = store.watch(heard.append)

    def fn(txn: WriteTxn) -> None:
        txn.put(KEY, b"")
        txn.touch(7)

    store.write(fn).result()
    store.write(lambda txn: txn.delete(KEY)).result()
    store.write(lambda txn: None).result()
    unwatch()
    assert heard == [frozenset({7})]


def test_full_refuses_all_but_the_reserved(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "_room", (0.0, True))
    monkeypatch.setattr(store.env, "disk_free", lambda: 0)
    with pytest.raises(StoreFull):
        store.write(lambda txn: txn.put(KEY, b"")).result()
    assert store.write(lambda txn: txn.delete(KEY), reserve=True).result() is False
    monkeypatch.undo()
    monkeypatch.setattr(store, "_room", (0.0, True))
    store.write(lambda txn: txn.put(KEY, b"")).result()
    store.write(lambda txn: txn.delete(KEY)).result()


def test_a_closed_store_refuses(tmp_path: Path) -> None:
    store = Store.create(tmp_path)
    store.close()
    with pytest.raises(StoreFailed):
        store.write(lambda txn: None)
    with pytest.raises(Exists):
        Store.create(tmp_path)


@pytest.mark.parametrize("content", [b"", b"not a store" * 4096, bytes(8192)])
def test_a_foreign_file_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / FILE_NAME
    path.write_bytes(content)
    with pytest.raises(ForeignStore):
        Store.open(tmp_path)
    assert path.read_bytes() == content


def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    store = Store.create(tmp_path)
    store.write(lambda txn: txn.put(pack(0, 0, "format"), (999).to_bytes(4, "big"))).result()
    store.close()
    with pytest.raises(ForeignStore, match="format 999"):
        Store.open(tmp_path)


@pytest.mark.parametrize(
    ("error", "free", "kind"),
    [
        (lmdb.DiskError("mdb_txn_commit: No space left on device"), 1 << 30, StoreFull),
        (lmdb.MapFullError("MDB_MAP_FULL"), 1 << 30, StoreFull),
        (lmdb.Error("mdb_txn_commit: Input/output error"), 1 << 30, StoreFailed),
        (lmdb.Error("mdb_txn_commit: Input/output error"), 4096, StoreFull),
        (lmdb.PanicError("MDB_PANIC"), 4096, StoreFailed),
    ],
)
def test_an_io_error_is_full_only_if_the_file_system_is(
    store: Store, monkeypatch: pytest.MonkeyPatch, error: lmdb.Error, free: int, kind: type[Exception]
) -> None:
    monkeypatch.setattr(store.env, "disk_free", lambda: free)
    assert type(store.env.classify(error)) is kind


def test_a_transaction_that_cannot_begin_is_a_failure_that_is_told(tmp_path: Path) -> None:
    """LMDB refuses everything after a meta page that could not be written."""
    Store.create(tmp_path).close()
    told: list[Exception] = []
    store = Store.open(tmp_path, told.append)

    def panic() -> WriteTxn:
        raise lmdb.PanicError("MDB_PANIC")

    store.env.begin = panic  # type: ignore[method-assign]
    with pytest.raises(StoreFailed):
        store.write(lambda txn: None).result(10)
    assert len(told) == 1
    with pytest.raises(StoreFailed):
        store.write(lambda txn: None)
    store.close()
