"""The office of the conformance tests: a served process for each test worker, mailboxes made by the dozen.

The only module here that knows the package under test: it starts the server and writes people into its
directory.
"""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from appliance.cli import frame, people
from appliance.directory import accounts, credentials
from appliance.directory.model import Entry, Kind
from appliance.net.announce import Announcer
from appliance.store.kv import WriteTxn
from appliance.store.store import Store
from tests.conformance.client import EMSMDB, Mapi
from tests.served import PASSWORD, Served

DOMAIN = "example.test"
_BATCH = 12
_WAIT = 60.0


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a mailbox."""

    address: str
    password: str
    dn: str
    name: str
    port: int

    def session(self, path: str = EMSMDB) -> Mapi:
        """A client that has not connected yet."""
        return Mapi(self.port, self.address, self.password, path)

    def mapi(self) -> Mapi:
        """A client with a Session Context of the mailbox endpoint."""
        made = self.session()
        reply = made.connect(self.dn)
        assert reply.code == 0
        assert reply.body[:8] == bytes(8), "StatusCode and ErrorCode"
        return made


class Office:
    """A served office. People are made in batches, since opening the store and committing is what costs."""

    def __init__(self, data: Path) -> None:
        assert frame.run(["--data", str(data), "init", "--domain", DOMAIN]) == 0
        self.data = data
        self._numbers = count(1)
        self._secret = credentials.prepare(
            PASSWORD, salt=secrets.token_bytes(credentials.SALT_SIZE), now=people.now()
        )
        self._spare: list[Entry] = self._make()
        self.served = Served(data)

    @property
    def port(self) -> int:
        """The HTTP port."""
        return self.served.offset + 80

    def person(self) -> Person:
        """Somebody new, with an empty mailbox."""
        if not self._spare:
            self._spare = self._make()
        entry = self._spare.pop(0)
        return Person(entry.address, PASSWORD, entry.legacy_dn, entry.display_name, self.port)

    def command(self, *arguments: str) -> None:
        """Run an `appliance` command."""
        assert frame.run(["--data", str(self.data), *arguments]) == 0, arguments

    def _make(self) -> list[Entry]:
        store = Store.open(self.data)
        announcer = Announcer(store)
        try:
            futures = [store.write(self._creation(number)) for number in self._take(_BATCH)]
            return [future.result(_WAIT) for future in futures]
        finally:
            store.close()
            announcer.close()

    def _take(self, many: int) -> Iterator[int]:
        return (next(self._numbers) for _ in range(many))

    def _creation(self, number: int) -> Callable[[WriteTxn], Entry]:
        seeds = accounts.Seeds(*(secrets.token_bytes(16) for _ in range(3)), now=people.now())
        entry = Entry(0, Kind.USER, f"person{number}@{DOMAIN}", f"Person {number}", "", b"")

        def fn(txn: WriteTxn) -> Entry:
            made = accounts.create(txn, entry, seeds)
            credentials.put(txn, made.id, self._secret)
            return made

        return fn
