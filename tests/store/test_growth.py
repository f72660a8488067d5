"""The file of a store grows ahead of small commits, and of those alone."""

import os
from pathlib import Path

import pytest

from appliance.store.growth import LEAST, MOST, STEP, Growth
from appliance.store.store import Store


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "file"
    made.write_bytes(b"x" * 10_000)
    return made


def test_it_grows_once_little_is_left(path: Path) -> None:
    ahead = Growth(path)
    ahead.ahead(8192)
    assert path.stat().st_size == 10_000  # how fast it grows is not known yet
    ahead.ahead(10_000)
    assert path.read_bytes() == b"x" * 10_000 + bytes(STEP)
    for used in range(12_000, 10_000 + STEP - LEAST, MOST // 2):
        ahead.ahead(used)
    assert path.stat().st_size == 10_000 + STEP
    ahead.ahead(10_000 + STEP - LEAST + 1)
    assert path.stat().st_size == 10_000 + 2 * STEP
    ahead.close()


def test_what_does_not_grow_or_grows_by_much_is_left_alone(path: Path) -> None:
    ahead = Growth(path)
    for used in (10_000, 10_000, 10_000 + MOST + 1, 10_000 + 3 * MOST):
        ahead.ahead(used)
    assert path.stat().st_size == 10_000
    ahead.close()


def test_what_another_process_wrote_is_not_touched(path: Path) -> None:
    ahead = Growth(path)
    ahead.ahead(9_000)
    ahead.ahead(10_000)
    with path.open("ab") as other:
        other.write(b"y" * STEP)
    ahead.ahead(10_000 + STEP)
    assert path.read_bytes() == b"x" * 10_000 + bytes(STEP) + b"y" * STEP
    ahead.close()


def test_a_full_disk_is_left_to_the_commit(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "no space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    ahead = Growth(path)
    ahead.ahead(9_000)
    ahead.ahead(10_000)
    assert path.stat().st_size == 10_000
    ahead.close()


def test_small_commits_find_room(store: Store) -> None:
    path, sizes = store.env.path, set()
    for number in range(200):
        key = b"\0\0\0\0\0growth%03d" % number
        store.write(lambda txn, key=key: txn.put(key, bytes(1000))).result()  # type: ignore[misc]
        sizes.add(path.stat().st_size)
    assert 2 <= len(sizes) <= 5
    store.write(lambda txn: txn.delete_range(b"\0\0\0\0\0growth", b"\0\0\0\0\0growti")).result()
