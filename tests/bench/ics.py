"""Synchronisation: what ten changes cost in a large folder and in a small one, and how fast a first download
is.

The peer of the first row is a folder of SMALL messages, and the ratio is LIMIT times its time over that of
the large one. The second row's peer is the rate that we set ourselves.
"""

import asyncio
import statistics
import tempfile
from pathlib import Path

from appliance.formats import bags
from appliance.mapi import tags
from appliance.net.watch import Watches
from appliance.rop.engine import Engine
from appliance.rop.ics.flags import SynchronizationFlags as Flags
from appliance.rop.table import ROPS
from appliance.store import contents, messages
from appliance.store.contents import RowFlag
from appliance.store.edit import Edit
from appliance.store.mailboxes import Special
from appliance.store.store import Store
from tests.bench import Row, seconds
from tests.rop.ics.making import Maker
from tests.rop.ics.replica import CONTENTS, Replica, open_, pull, transfer_state, upload_state
from tests.rop.kit import Client
from tests.transport.office import Office

SMALL, LARGE = 1000, 100_000
LIMIT = 1.5
ROUNDS = 9
FIRST, BODY = 1000, 10_000
RATE = 50e6
"""Bytes of streams a second that a first download should have."""


def fill(maker: Maker, fid: int, count: int) -> None:
    """Messages that were born in MAPI, 500 in one change."""
    packed = bags.pack({tags.PidTagSubject: "x", tags.PidTagMessageClass: "IPM.Note"})
    new = messages.NewMessage(0, len(packed), packed, flags=RowFlag.MATERIALIZED, received=maker.now)
    for _ in range(0, count, 500):
        maker.edit(lambda edit: [messages.insert(edit, fid, new) for _ in range(500)])


def synchronise(replica: Replica, flags: Flags = CONTENTS) -> int:
    """Bytes that came."""
    handle = replica.configure(flags)
    upload_state(replica.client, handle, replica.state)
    size = len(pull(replica.client, handle))
    replica.state = transfer_state(replica.client, handle)
    return size


def touch(maker: Maker, fid: int) -> None:
    """Ten changes."""
    mids = [row.mid for row in maker.rows(fid)[:10]]

    def change(edit: Edit) -> None:
        for mid in mids:
            row = contents.get(edit.txn, maker.mailbox, fid, mid)
            messages.set_state(edit, row, row.flags ^ RowFlag.FLAGGED, row.keywords)

    maker.edit(change)


def run() -> list[Row]:
    """Ten changes; a first download."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store.create(Path(folder) / "data")
        loop = asyncio.new_event_loop()

        async def watch() -> Watches:
            return Watches(store)

        engine = Engine(store, ROPS, loop.run_until_complete(watch()).subscribe)
        anna = Office(store).user("anna@example.test")
        client, maker = Client(anna, engine, loop), Maker(store, anna)
        logon = client.logon()
        replicas: dict[int, tuple[Replica, int]] = {}
        for count in (SMALL, LARGE):
            fid = maker.folder(str(count))
            fill(maker, fid, count)
            replicas[count] = Replica(client, open_(client, logon, fid)), fid
            synchronise(replicas[count][0])
        times: dict[int, list[float]] = {SMALL: [], LARGE: []}
        for _ in range(ROUNDS):
            for count, (replica, fid) in replicas.items():
                touch(maker, fid)
                times[count].append(seconds(lambda replica=replica: synchronise(replica)))  # type: ignore[misc]
        small, large = (statistics.median(times[count]) * 1000 for count in (SMALL, LARGE))
        for number in range(FIRST):
            maker.deliver(f"message {number}", body="a line of text\r\n" * (BODY // 16))
        first = Replica(client, open_(client, logon, Special.INBOX))
        sizes: list[int] = []
        took = seconds(lambda: sizes.append(synchronise(first, CONTENTS | Flags.BEST_BODY)))
        rate = sizes[0] / took
        client.close()
        store.close()
        return [
            Row(
                f"ms for ICS of 10 changes in {LARGE:,}, peer {SMALL:,}",
                large,
                small,
                LIMIT * small / large,
                1,
            ),
            Row("MB/s of a first ICS download of 10 kB messages", rate / 1e6, RATE / 1e6, rate / RATE, 1),
        ]
