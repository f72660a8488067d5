"""A session of the address book over a directory in memory, driven by bytes.

The first byte chooses the method, then come a STAT and whatever the method takes. Everything must end with an
answer or a code of the protocol, and the directory must stay whole.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from appliance.addressbook import rows
from appliance.addressbook.session import AddressBook, Session
from appliance.addressbook.stat import Stat
from appliance.directory import domains, entries, resolve
from appliance.directory.model import Entry, Kind, Person
from appliance.mailbox.actor import Actor
from appliance.mapi import restrictions, tags
from appliance.mapi.entryids import PermanentEntryId
from appliance.mapi.errors import MapiError
from appliance.mapi.values import address_book_form, read_tagged
from appliance.wire.cursor import Reader, Writer
from appliance.wire.errors import EncodeError

FORM = address_book_form(1252)
MAX_NUMBERS = 64


class Memory:
    """The key-value seam over a dictionary."""

    def __init__(self) -> None:
        self.data: dict[bytes, bytes] = {}
        self.mutations = 0

    def get(self, key: bytes) -> bytes | None:
        return self.data.get(key)

    def has(self, key: bytes) -> bool:
        return key in self.data

    def put(self, key: bytes, value: bytes) -> None:
        self.data[key] = value

    def append(self, key: bytes, value: bytes) -> bool:
        fresh = key not in self.data
        self.data.setdefault(key, value)
        return fresh

    def delete(self, key: bytes) -> bool:
        return self.data.pop(key, None) is not None

    def touch(self, mailbox: int) -> None:
        """Nobody watches."""

    def scan_keys(self, start: bytes, stop: bytes, reverse: bool = False) -> Iterator[bytes]:
        keys = sorted(self.data)
        found = keys[bisect_left(keys, start) : bisect_left(keys, stop)]
        return iter(found[::-1] if reverse else found)

    def scan(self, start: bytes, stop: bytes, reverse: bool = False) -> Iterator[tuple[bytes, bytes]]:
        return ((key, self.data[key]) for key in self.scan_keys(start, stop, reverse))


class MemoryStore:
    """As much of a store as the address book needs; a write that raises leaves nothing."""

    def __init__(self) -> None:
        self.memory = Memory()

    @contextmanager
    def read(self) -> Iterator[Memory]:
        yield self.memory

    def write(self, fn: Callable[[Any], Any]) -> "Future[Any]":
        future: Future[Any] = Future()
        before = dict(self.memory.data)
        try:
            future.set_result(fn(self.memory))
        except Exception as error:
            self.memory.data = before
            future.set_exception(error)
        return future


@lru_cache(maxsize=1)
def session() -> Session:
    """A user's session with a few of each kind."""
    store = MemoryStore()

    def fill(txn: Any) -> Entry:
        domains.put(txn, domains.Organization(("a.test",), "m.a.test"))
        made = []
        for number, kind in enumerate(
            (Kind.USER, Kind.USER, Kind.ROOM, Kind.GROUP, Kind.DYNAMIC_GROUP, Kind.CONTACT)
        ):
            address = f"p{number}@{'b' if kind is Kind.CONTACT else 'a'}.test"
            mailbox = number + 1 if kind in (Kind.USER, Kind.ROOM) else 0
            filter = "kind=user" if kind is Kind.DYNAMIC_GROUP else ""
            bare = Entry(
                0, kind, address, f"Name {number}", "", bytes([number]) * 16, mailbox=mailbox, filter=filter,
                person=Person(title="T", phonetic_name="あ"),
            )  # fmt: skip
            made.append(entries.add(txn, bare))
        resolve.add_member(txn, made[3], made[1])
        return made[0]

    user: Entry = store.write(fill).result()
    return AddressBook(store).bind(Actor(user.id, user.mailbox), 0, Stat())  # type: ignore[arg-type]


def run(data: bytes) -> None:
    """One call."""
    reader = Reader(data)
    method = _METHODS[reader.u8("method") % len(_METHODS)]
    book = session()
    try:
        answer = method(book, reader, Stat.decode(reader))
        if isinstance(answer, Future):
            answer.result(timeout=10)
    except MapiError:
        return
    assert list(entries.check(book.book.store.memory)) == []  # type: ignore[attr-defined]


def _numbers(reader: Reader) -> list[int]:
    return [reader.u32() for _ in range(reader.u8("count") % MAX_NUMBERS)]


def _columns(reader: Reader) -> list[int] | None:
    return _numbers(reader) if reader.u8("columns") else None


def _written(found: Any) -> Any:
    """Rows are written as MAPI over HTTP does."""
    if found is not None:
        for row in found.rows:
            try:
                for column, cell in zip(found.columns, rows.cells(found.columns, row), strict=True):
                    FORM.write(Writer(), column & 0xFFFF, cell) if not hasattr(cell, "code") else None
            except EncodeError:
                assert any(column & 0xFFFF not in FORM.writers for column in found.columns)
    return found


def _matches(book: Session, reader: Reader, stat: Stat) -> Any:
    wanted = restrictions.read(reader, FORM) if reader.u8("filter") else None
    found = book.get_matches(stat, wanted, None, reader.u32(), _columns(reader))
    return _written(found.rows)


_METHODS: tuple[Callable[[Session, Reader, Stat], Any], ...] = (
    lambda book, reader, stat: book.update_stat(stat),
    lambda book, reader, stat: _written(
        book.query_rows(reader.u32(), stat, _columns(reader), reader.u32() % 1000, _columns(reader)).rows
    ),
    lambda book, reader, stat: _written(
        book.seek_entries(stat, read_tagged(reader, FORM), _columns(reader), _columns(reader)).rows
    ),
    _matches,
    lambda book, reader, stat: book.resort_restriction(stat, _numbers(reader)),
    lambda book, reader, stat: book.compare_mids(stat, reader.u32(), reader.u32()),
    lambda book, reader, stat: book.get_prop_list(reader.u32(), reader.u32(), reader.u32()),
    lambda book, reader, stat: book.get_props(reader.u32(), stat, _columns(reader)),
    lambda book, reader, stat: book.resolve_names(
        stat, _columns(reader), [reader.nul_bytes(), reader.nul_utf16()]
    ),
    lambda book, reader, stat: book.get_special_table(reader.u32(), stat, reader.u32()),
    lambda book, reader, stat: book.get_template_info(
        reader.u32(), reader.u32(), reader.nul_utf16() if reader.u8() else None, reader.u32(), reader.u32()
    ),
    lambda book, reader, stat: book.mod_props(stat, _columns(reader), [read_tagged(reader, FORM)]),
    lambda book, reader, stat: book.mod_link_att(reader.u32(), reader.u32(), reader.u32(), [reader.rest()]),
    lambda book, reader, stat: book.dn_to_mid([reader.nul_utf16()]),
)


def seeds() -> Iterable[bytes]:
    """A call of each method."""
    stat = Stat(current_rec=16).pack()
    member = tags.PidTagAddressBookMember.to_bytes(4, "little")
    name = tags.PidTagDisplayName.to_bytes(4, "little")
    text = b"\xffN\0a\0m\0e\0\0\0"
    key = PermanentEntryId("/o=First Organization/ou=x").pack()
    number = (1).to_bytes(4, "little")
    tails = (
        b"",
        bytes(4) + b"\0" + b"\5\0\0\0" + b"\1\2" + name + bytes.fromhex("0201FF0F"),
        name + text + b"\0" + b"\1\1" + name,
        b"\1\x03\1\0\1\0" + name + name + text + b"\xff\0\0\0" + b"\1\1" + name,
        b"\2\x10\0\0\0\x11\0\0\0",
        b"\x10\0\0\0\x11\0\0\0",
        bytes(4) + b"\x10\0\0\0" + b"\xe4\4\0\0",
        bytes(4) + b"\1\2" + name + b"\0\0\x9e\x8c",
        b"\1\1" + name + b"name 1\0" + "zzz\0".encode("utf-16-le"),
        bytes(8),
        number + bytes(4) + b"\0" + b"\xe4\4\0\0\x09\4\0\0",
        b"\1\0" + bytes.fromhex("02019E8C") + b"\xff\2\0\0\0xy",
        bytes(4) + member + b"\x13\0\0\0" + key,
        "/o=x\0".encode("utf-16-le"),
    )
    for method, tail in enumerate(tails):
        yield bytes([method]) + stat + tail
