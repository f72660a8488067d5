"""Synchronisation: what ten changes cost in a large folder and in a small one, and how fast a first download
is.

The peer of the first row is a folder of SMALL messages, and the ratio is LIMIT times its time over that of
the large one. The second row's peer is the same stream as a file, which the same server streams through the
same front door (`_door`) to the same client, alternating.
"""

import asyncio
import random
import statistics
import tempfile
import textwrap
from pathlib import Path

from appliance.directory import entries
from appliance.formats import bags
from appliance.mailbox.incoming import Incoming, Ingest
from appliance.mapi import tags
from appliance.net.watch import Watches
from appliance.protocols.mapihttp.bodies.emsmdb import ExecuteFlags
from appliance.rop import buffers
from appliance.rop.engine import Engine
from appliance.rop.fasttransfer.pen import SendOptions
from appliance.rop.ics.flags import SynchronizationExtraFlags as Extra
from appliance.rop.ics.flags import SynchronizationFlags as Flags
from appliance.rop.ops import fast_transfer_source_get_buffer as get_buffer
from appliance.rop.ops import synchronization_configure
from appliance.rop.table import ROPS
from appliance.store import contents, messages
from appliance.store.contents import RowFlag
from appliance.store.edit import Edit, editing
from appliance.store.kv import WriteTxn
from appliance.store.mailboxes import Special
from appliance.store.store import Store
from tests.bench import Row, _door, seconds
from tests.bench._fill import NOW
from tests.bench._lean import PLAIN, Lean, Wire, execute_body
from tests.bench.mapi import legacy_dns
from tests.bench.tables import WORDS
from tests.mapiclient import MapiClient
from tests.rop.ics.making import Maker
from tests.rop.ics.replica import CONTENTS, Replica, open_, pull, transfer_state, upload_state
from tests.rop.kit import Ask, Client, unpack
from tests.served import PASSWORD, Served, address, make_office
from tests.transport.office import Office

SMALL, LARGE = 1000, 100_000
LIMIT = 1.5
ROUNDS = 9
FIRST, BODY = 10_000, 10_000
"""Messages of the first download, bytes of each."""

STEP = 250
LARGEST = 1 << 20
"""Bytes that a client lets the server answer with at once; it may chain as many buffers."""


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


def changes() -> Row:
    """Ten changes."""
    with tempfile.TemporaryDirectory(prefix="satchel-bench-") as folder:
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
        client.close()
        store.close()
    name = f"ms for ICS of 10 changes in {LARGE:,}, peer {SMALL:,}"
    return Row(name, large, small, LIMIT * small / large, 1)


def inbox(data: Path) -> None:
    """FIRST different messages of BODY bytes, delivered."""
    store = Store.open(data)
    with store.read() as txn:
        entry = entries.by_address(txn, address("anna"))
    assert entry is not None
    chance = random.Random(5)
    for first in range(0, FIRST, STEP):
        incoming = [mail(store, chance, number) for number in range(first, first + STEP)]

        def write(txn: WriteTxn, incoming: list[Incoming] = incoming) -> None:
            with editing(txn, entry.mailbox, now=NOW) as edit:
                for each in incoming:
                    messages.insert(edit, Special.INBOX, each.bind(txn, received=NOW))

        store.write(write).result()
    store.close()


def mail(store: Store, chance: random.Random, number: int) -> Incoming:
    """A message, ready to be stored."""
    taking = Ingest(store)
    head = f"From: Ben <ben@example.test>\r\nTo: Anna <{address('anna')}>\r\nSubject: Number {number}\r\n"
    head += f"Date: Mon, 1 Jan 2024 10:00:00 +0000\r\nMessage-ID: <{number}@example.test>\r\n"
    head += "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
    words = " ".join(chance.choices(WORDS, k=BODY // 7))
    taking.feed((head + "\r\n".join(textwrap.wrap(words, 72)) + "\r\n").encode())
    return taking.finish()


def stream(lean: Lean, client: MapiClient, folder: int) -> bytes:
    """A first download of a folder."""
    options = SendOptions.UNICODE | SendOptions.RECOVER_MODE
    request = synchronization_configure.Request(
        1, options, CONTENTS | Flags.BEST_BODY, b"", Extra.EID | Extra.CN | Extra.MESSAGE_SIZE, ()
    )
    lean.give_back(client)
    handle = client.do(synchronization_configure.ROP, request, on=folder).handle
    lean.take_over(client)
    ask = Ask(get_buffer.ROP, get_buffer.Request(get_buffer.SERVER_CHOOSES, 0xFFFF))
    body = execute_body([ask], [handle], flags=PLAIN | ExecuteFlags.CHAIN, limit=LARGEST)
    pieces: list[bytes] = []
    while True:
        for payload in buffers.unpack(lean.execute(body)):
            (reply,) = unpack(payload, [ask]).replies
            pieces.append(reply.body.transfer_buffer)
            if reply.body.transfer_status == get_buffer.TransferStatus.DONE:
                return b"".join(pieces)
            assert reply.body.transfer_status == get_buffer.TransferStatus.PARTIAL, reply


def first_download() -> Row:
    """The rate of a first download beside that of a file."""
    with tempfile.TemporaryDirectory(prefix="satchel-bench-") as name:
        data, file = make_office(Path(name) / "data"), Path(name) / "file"
        inbox(data)
        names = legacy_dns(data)
        with Served(data, environment={_door.FILE: str(file)}, program=_door.PROGRAM) as server:
            client = MapiClient(server.offset + 80, address("anna"), PASSWORD)
            client.connect(names["anna"])
            folder = open_(client, client.logon(), Special.INBOX)
            lean, wire = Lean(client, server.offset + 80), Wire(server.offset + 80)
            whole = stream(lean, client, folder)
            assert len(whole) > FIRST * BODY
            file.write_bytes(whole)
            get = f"GET {_door.PATH} HTTP/1.1\r\nHost: localhost\r\n"
            get += f"Authorization: {client.wire.credentials}\r\n\r\n"

            def same() -> None:
                assert wire.exchange(get.encode())[1] == whole

            same()
            pairs = [(seconds(lambda: stream(lean, client, folder)), seconds(same)) for _ in range(3)]
            ours, peer = (len(whole) / statistics.median(each) for each in zip(*pairs, strict=True))
            lean.close(), wire.close(), client.close()
    name = f"MB/s of a first ICS download of {FIRST:,} messages of 10 kB, beside the same bytes as a file"
    return Row(name, ours / 1e6, peer / 1e6, ours / peer, 0.25)


def run() -> list[Row]:
    """Ten changes; a first download."""
    return [changes(), first_download()]
