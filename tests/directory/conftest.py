"""A store with a directory in it."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest

from appliance.directory import domains, entries
from appliance.directory.model import WITH_MAILBOX, Entry, Kind
from appliance.store.kv import WriteTxn
from appliance.store.store import Store

T = TypeVar("T")


class Directory:
    """A store that serves example.test and bücher.example, with shorthands; checked at the end."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.count = 0
        served = domains.Organization(("example.test", "bücher.example"), "mail.example.test", "Example Ltd")
        self.write(lambda txn: domains.put(txn, served))

    def write(self, fn: Callable[[WriteTxn], T]) -> T:
        return self.store.write(fn).result(timeout=30)

    def entry(self, address: str, kind: Kind = Kind.USER, name: str = "", **fields: object) -> Entry:
        self.count += 1
        mailbox = 1000 + self.count if kind in WITH_MAILBOX else 0
        bare = Entry(0, kind, address, name, "", self.count.to_bytes(16, "big"), mailbox=mailbox)
        return replace(bare, **fields)  # type: ignore[arg-type]

    def add(self, address: str, kind: Kind = Kind.USER, name: str = "", **fields: object) -> Entry:
        entry = self.entry(address, kind, name, **fields)
        return self.write(lambda txn: entries.add(txn, entry))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.create(tmp_path / "data")
    yield opened
    with opened.read() as txn:
        assert list(entries.check(txn)) == []
    opened.close()


@pytest.fixture
def directory(store: Store) -> Directory:
    return Directory(store)
