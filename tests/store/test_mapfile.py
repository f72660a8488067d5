"""Whether a store's file is whole, judged without opening it."""

import random
import subprocess
import sys
from pathlib import Path

import lmdb
import pytest

from appliance.store import mapfile
from appliance.store.kv import FILE_NAME
from appliance.store.store import Store
from tests.mailbox.test_items import append

PAGE = 4096


@pytest.fixture
def filled(store: Store, mailbox: int) -> Path:
    rng = random.Random(1)
    for number in range(30):
        # bytes that do not shrink, so that the end of the file is in use
        append(store, mailbox, raw=b"Subject: %d\r\n\r\n" % number + rng.randbytes(1000 * number))
    return store.directory / FILE_NAME


def test_the_meta_page_is_as_lmdb_tells(store: Store, filled: Path) -> None:
    with filled.open("rb") as file:
        found = mapfile.meta(file.fileno())
    info, stat = store.env._env.info(), store.env._env.stat()
    assert found is not None
    assert (found.last_page, found.txn) == (info["last_pgno"], info["last_txnid"])
    assert found.page_size == stat["psize"]


def test_a_file_without_its_end_is_cut_off(filled: Path, tmp_path: Path) -> None:
    data = filled.read_bytes()
    assert not mapfile.is_cut_off(filled)
    copy = tmp_path / "copy"
    with filled.open("rb") as file:
        found = mapfile.meta(file.fileno())
    assert found is not None  # what the file has behind its last page is spare
    for pages in range(2, found.last_page, 7):
        copy.write_bytes(data[: pages * PAGE])
        assert mapfile.is_cut_off(copy)


@pytest.mark.slow
def test_pages_that_are_free_may_be_missing(tmp_path: Path) -> None:
    """What LMDB itself leaves behind when a transaction gives back the last pages that it took."""
    path = tmp_path / "free"
    with lmdb.open(str(path), subdir=False, lock=False, map_size=1 << 24) as env:
        with env.begin(write=True) as txn:
            txn.put(b"a", b"kept")
        with env.begin(write=True) as txn:
            txn.put(b"b", bytes(50 * PAGE))
        with env.begin(write=True) as txn:
            txn.delete(b"b")
        last = env.info()["last_pgno"] + 1
    data = path.read_bytes()
    path.write_bytes(data[: 6 * PAGE])
    assert last > 6
    in_use = {number for number in range(last) if number >= 6 and _is_used(path, number, data)}
    assert mapfile.is_cut_off(path) == bool(in_use)
    path.write_bytes(data)
    assert not mapfile.is_cut_off(path)


_READ = """
import lmdb, sys
with lmdb.open(sys.argv[1], subdir=False, lock=False, readonly=True) as env, env.begin() as txn:
    sys.exit(dict(txn.cursor()) != {b"a": b"kept"})
"""


def _is_used(path: Path, number: int, data: bytes) -> bool:
    """Whether LMDB stumbles without that page's content: in a process of its own, since it may die of it."""
    damaged = data[: number * PAGE] + b"\xff" * PAGE + data[(number + 1) * PAGE :]
    other = path.with_name(f"page{number}")
    other.write_bytes(damaged)
    command = [sys.executable, "-c", _READ, str(other)]
    return subprocess.run(command, check=False, capture_output=True).returncode != 0


def test_what_is_not_lmdb_is_not_judged(tmp_path: Path) -> None:
    for content in (b"", b"text", bytes(100_000)):
        (tmp_path / "other").write_bytes(content)
        assert not mapfile.is_cut_off(tmp_path / "other")
