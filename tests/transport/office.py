"""A store with a served domain and people in it, for the tests of mail: run in a loop of its own thread."""

import asyncio
import socket
import threading
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any, TypeVar

from appliance.directory import credentials, domains, entries, links, resolve
from appliance.directory.links import Link
from appliance.directory.model import Entry, Kind
from appliance.store import blobs, contents, messages, queue, tree
from appliance.store.kv import WriteTxn
from appliance.store.mailboxes import Special
from appliance.store.queue import QueueEntry
from appliance.store.store import Store
from tests.conftest import EPOCH

T = TypeVar("T")
HOSTNAME = "mail.example.test"
PASSWORD = "correct horse"


class Office:
    """The directory and mailboxes of example.test."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.count = 0
        served = domains.Organization(("example.test",), HOSTNAME, "Example Ltd")
        self.write(lambda txn: domains.put(txn, served))

    def write(self, fn: Callable[[WriteTxn], T]) -> T:
        return self.store.write(fn).result(timeout=30)

    def user(self, address: str, **fields: Any) -> Entry:
        self.count += 1
        number = self.count

        def add(txn: WriteTxn) -> Entry:
            mailbox = tree.create_mailbox(
                txn,
                owner=number,
                guid=number.to_bytes(16, "little"),
                replica_guid=(number + 1000).to_bytes(16, "little"),
                uidvalidity=1000 * number,
                now=EPOCH,
            )
            entry = Entry(0, Kind.USER, address, address, "", number.to_bytes(16, "big"), mailbox=mailbox)
            return entries.add(txn, replace(entry, **fields))

        return self.write(add)

    def password(self, user: Entry, password: str = PASSWORD) -> None:
        secret = credentials.prepare(password, salt=bytes(16), now=EPOCH)
        self.write(lambda txn: credentials.put(txn, user.id, secret))

    def group(self, address: str, *members: Entry, **fields: Any) -> Entry:
        self.count += 1
        entry = Entry(0, Kind.GROUP, address, address, "", (self.count + 5000).to_bytes(16, "big"))

        def add(txn: WriteTxn) -> Entry:
            made = entries.add(txn, replace(entry, **fields))
            for member in members:
                resolve.add_member(txn, made, member)
            return made

        return self.write(add)

    def contact(self, address: str) -> Entry:
        self.count += 1
        entry = Entry(0, Kind.CONTACT, address, address, "", (self.count + 9000).to_bytes(16, "big"))
        return self.write(lambda txn: entries.add(txn, entry))

    def link(self, kind: Link, owner: Entry, other: Entry) -> None:
        self.write(lambda txn: links.add(txn, kind, owner.id, other.id))

    def mail(self, user: Entry, fid: int = Special.INBOX) -> list[bytes]:
        """The messages of a folder as a client would see them, oldest first."""
        found = []
        with self.store.read() as txn:
            for row in sorted(contents.rows(txn, user.mailbox, fid), key=lambda row: row.uid):
                message = messages.load(txn, user.mailbox, row.mid)
                found.append(message.prefix + blobs.read(txn, row.blob))
        return found

    def queue(self) -> list[QueueEntry]:
        """The queue, oldest first."""
        with self.store.read() as txn:
            return list(queue.entries(txn))


class LoopThread:
    """An event loop in a thread, for servers that synchronous clients talk to."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever)
        self._thread.start()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(timeout=60)

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()


class Raw:
    """A raw conversation."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self._buffer = b""

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def line(self) -> bytes:
        while b"\r\n" not in self._buffer:
            data = self.socket.recv(65536)
            if not data:
                rest, self._buffer = self._buffer, b""
                return rest
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\r\n")
        return line

    def reply(self) -> bytes:
        """One reply, lines joined by LF; empty at the end of the connection."""
        lines = [self.line()]
        while lines[-1][3:4] == b"-":
            lines.append(self.line())
        return b"\n".join(lines)

    def ask(self, *commands: str | bytes) -> bytes:
        """Send commands one by one; the last reply."""
        reply = b""
        for command in commands:
            self.send((command.encode() if isinstance(command, str) else command) + b"\r\n")
            reply = self.reply()
        return reply

    def close(self) -> None:
        self.socket.close()
