"""Fills an office's store through its own interface, as many messages as a benchmark needs."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from appliance.directory import entries
from appliance.mailbox import folders
from appliance.mailbox.actor import SYSTEM
from appliance.mailbox.incoming import Incoming, Ingest
from appliance.store import messages
from appliance.store.edit import editing
from appliance.store.kv import WriteTxn
from appliance.store.mailboxes import Special
from appliance.store.store import Store
from tests.bench import _peers

NOW = 133_500_000_000_000_000
STEP = 2000
"""Messages of one write function."""

_MAIL = (
    b"From: Ben <ben@example.test>\r\nTo: %s\r\nSubject: Number %%d\r\n"
    b"Date: Mon, 1 Jan 2024 10:00:00 +0000\r\nMessage-ID: <%%d@example.test>\r\n\r\nHello\r\n"
) % _peers.ADDRESS.encode()


@contextmanager
def office(*counts: tuple[str, int]) -> Iterator[Path]:
    """The data directory of an office whose person has a folder with so many messages for each (name,
    messages); INBOX exists already."""
    with tempfile.TemporaryDirectory(prefix="satchel-bench-") as name:
        place = Path(name) / "satchel"
        _peers.make_office(place)
        store = Store.open(place)
        try:
            for folder, count in counts:
                _fill(store, folder, count)
        finally:
            store.close()
        yield place


def _folder(store: Store, mailbox: int, name: str) -> int:
    return store.write(lambda txn: folders.create(txn, SYSTEM, mailbox, (name,), now=NOW).fid).result()


def _fill(store: Store, name: str, count: int) -> None:
    with store.read() as txn:
        entry = entries.by_address(txn, _peers.ADDRESS)
        assert entry is not None
        mailbox = entry.mailbox
    fid = int(Special.INBOX) if name == "INBOX" else _folder(store, mailbox, name)
    for start in range(0, count, STEP):
        step = range(start, min(start + STEP, count))
        incoming = []
        for number in step:
            taking = Ingest(store)
            taking.feed(_MAIL % (number, number))
            incoming.append(taking.finish())

        def write(txn: WriteTxn, incoming: list[Incoming] = incoming) -> None:
            with editing(txn, mailbox, now=NOW) as edit:
                for each in incoming:
                    messages.insert(edit, fid, each.bind(txn, received=NOW))

        store.write(write).result()
