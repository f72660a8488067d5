"""An office with an address book, and sessions of its people."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.addressbook.answers import Rows
from appliance.addressbook.session import AddressBook, Session
from appliance.addressbook.stat import Stat
from appliance.directory import entries, links, resolve
from appliance.directory.links import Link
from appliance.directory.model import Entry, Kind, Person, Right
from appliance.mailbox.actor import Actor
from appliance.mapi import tags
from appliance.mapi import types as t
from appliance.mapi.errors import MapiError
from appliance.store.store import Store
from tests.directory.conftest import Directory

GAL = (
    "Äbtissin Hildegard",
    "Ada Lovelace",
    "Alan Turing",
    "Besprechung",
    "Carol Fern",
    "Émile Zola",
    "Grace Hopper",
    "news",
    "Staff",
    "Users",
)
"""The display names of the global address list, in its order."""


class Office:
    """A store with a few of each kind, and shorthands."""

    def __init__(self, store: Store) -> None:
        self.directory = Directory(store)
        add = self.directory.add
        person = Person(
            given_name="Ada",
            surname="Lovelace",
            title="Countess",
            department="Engines",
            office="Room 5",
            phone="+44 1",
            phonetic_name="エイダ",
        )
        self.ada = add("ada@example.test", name="Ada Lovelace", person=person, aliases=("al@example.test",))
        self.alan = add("alan@example.test", name="Alan Turing", person=Person(phonetic_name="あらん"))
        self.abbess = add("hildegard@example.test", name="Äbtissin Hildegard")
        self.zola = add("zola@example.test", name="Émile Zola")
        self.grace = add("grace@example.test", name="Grace Hopper", rights=Right.RECIPIENT_MANAGEMENT)
        self.ghost = add("ghost@example.test", name="Agatha Ghost", hidden=True)
        self.room = add("room@example.test", Kind.ROOM, "Besprechung", capacity=8)
        self.carol = add("carol@elsewhere.test", Kind.CONTACT, "Carol Fern")
        self.staff = add("staff@example.test", Kind.GROUP, "Staff")
        self.users = add("users@example.test", Kind.DYNAMIC_GROUP, "Users", filter="kind=user")
        self.news = add("news@example.test", Kind.PUBLIC_FOLDER, "news", mailbox=0, folder=77)
        for member in (self.zola, self.ada, self.carol):
            self.write(lambda txn, m=member: resolve.add_member(txn, self.staff, m))  # type: ignore[misc]
        self.write(lambda txn: links.add(txn, Link.MANAGED_BY, self.staff.id, self.alan.id))
        self.write(lambda txn: links.add(txn, Link.MANAGER, self.ada.id, self.alan.id))
        self.book = AddressBook(store)
        self.store = store

    def write(self, fn: Callable[..., object]) -> object:
        return self.directory.write(fn)

    def session(self, entry: Entry | None = None) -> Session:
        """A session of an entry's user, Ada's by default."""
        user = entry or self.ada
        return self.book.bind(Actor(user.id, user.mailbox), 0, Stat())

    def names(self, mids: Sequence[int]) -> list[str]:
        """The display names of Minimal Entry IDs."""
        with self.store.read() as txn:
            return [entries.get(txn, mid).display_name for mid in mids]

    def change(self, entry: Entry, **fields: object) -> None:
        """Change an entry in the directory."""
        self.write(lambda txn: entries.update(txn, replace(entry, **fields)))  # type: ignore[arg-type]


def column(rows: Rows, tag: int) -> list[t.Value]:
    """A column of rows."""
    at = rows.columns.index(tag)
    return [row[at][1] for row in rows.rows]


def shown(rows: Rows) -> list[t.Value]:
    """The display names of rows."""
    return column(rows, tags.PidTagDisplayName)


def code(refused: Callable[[], object]) -> int:
    """The code that a call is refused with; 0 when it is not."""
    try:
        answer = refused()
        if isinstance(answer, Future):
            answer.result(timeout=30)
    except MapiError as error:
        return error.code
    return 0


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store, whose directory is checked at the end."""
    opened = Store.create(tmp_path / "data")
    yield opened
    with opened.read() as txn:
        assert list(entries.check(txn)) == []
    opened.close()


@pytest.fixture
def office(store: Store) -> Office:
    """The office."""
    return Office(store)
