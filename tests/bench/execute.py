"""MAPI over HTTP, request by request: what an Execute costs with its ROPs beside one without any.

Ours is an Execute with the work, the peer an empty one on the same connection; the client is a lean one (see
`_lean`). The share of the interpreter in packing rows is measured in this process, with the same table: the
time in `Reading.packed_rows` without the C in it, beside all that the Execute takes without HTTP.
"""

import asyncio
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from appliance.directory import entries
from appliance.formats import bags
from appliance.mailbox.incoming import Ingest
from appliance.mapi import tags
from appliance.mapi.rows import PropertyError, read_row
from appliance.mapi.sorts import Direction
from appliance.mapi.types import Bag
from appliance.mapi.values import rop_form
from appliance.net.watch import Watches
from appliance.rop import buffers, recipients
from appliance.rop.engine import MAX_BUFFER, Engine
from appliance.rop.model import Empty
from appliance.rop.ops import (
    get_contents_table,
    get_properties_specific,
    open_folder,
    open_message,
    query_rows,
    release,
    seek_row,
    set_columns,
    sort_table,
)
from appliance.rop.table import ROPS
from appliance.rop.tables import TableObject
from appliance.store import drafts, messages, views
from appliance.store.edit import Edit, editing
from appliance.store.kv import WriteTxn
from appliance.store.mailboxes import Special
from appliance.store.messages import NewMessage
from appliance.store.store import Store
from appliance.store.tables import scan
from appliance.wire.cursor import Reader
from tests.bench import Row, compare
from tests.bench._lean import Lean, execute_body
from tests.bench.mapi import legacy_dns
from tests.bench.tables import NOW, STEP, WORDS, new_message
from tests.mapiclient import MapiClient
from tests.rop.kit import Ask, Client, unpack
from tests.served import PASSWORD, Served, address, make_office

MESSAGES, KINDS, ROWS, OPENED = 100_000, 300, 50, 50
SESSION = 1
EACH = 100
"""Requests of a round."""

COLUMNS = (
    tags.PidTagFolderId, tags.PidTagMid, tags.PidTagInstID, tags.PidTagInstanceNum, tags.PidTagSubject,
    tags.PidTagNormalizedSubject, tags.PidTagSentRepresentingName, tags.PidTagMessageDeliveryTime,
    tags.PidTagClientSubmitTime, tags.PidTagMessageSize, tags.PidTagMessageFlags, tags.PidTagMessageClass,
    tags.PidTagImportance, tags.PidTagSensitivity, tags.PidTagHasAttachments, tags.PidTagDisplayTo,
    tags.PidTagInternetMessageId, tags.PidTagIconIndex, tags.PidTagFlagStatus, tags.PidTagMessageStatus,
)  # fmt: skip
WANTED = (
    tags.PidTagMessageClass, tags.PidTagSubject, tags.PidTagSenderName, tags.PidTagSentRepresentingName,
    tags.PidTagMessageDeliveryTime, tags.PidTagClientSubmitTime, tags.PidTagMessageFlags,
    tags.PidTagImportance, tags.PidTagHasAttachments, tags.PidTagDisplayTo, tags.PidTagInternetMessageId,
    tags.PidTagMessageSize,
)  # fmt: skip
MAIL = (
    b"From: Ben <ben@example.test>\r\nTo: Anna <anna@example.test>, Clara <clara@example.test>\r\n"
    b"Subject: Re: number %d\r\nDate: Mon, 1 Jan 2024 10:00:00 +0000\r\nMessage-ID: <%d@example.test>\r\n"
    b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nHello\r\n"
)


class Filling:
    """Anna's mailbox gets what the rows need: a big Sent Items, messages from mail and born in MAPI."""

    def __init__(self, store: Store) -> None:
        self.store = store
        with store.read() as txn:
            entry = entries.by_address(txn, address("anna"))
        assert entry is not None
        self.user, self.mailbox = entry, entry.mailbox

    def write(self, fn: Callable[[Edit], list[int]]) -> list[int]:
        """One edit."""

        def run(txn: WriteTxn) -> list[int]:
            with editing(txn, self.mailbox, now=NOW, origin=SESSION) as edit:
                return fn(edit)

        return self.store.write(run).result()

    def big(self, fid: int) -> None:
        """The facts of delivered mail, of a few hundred kinds, in an order that the store keeps."""
        chance = random.Random(1)
        kinds = [self._facts(" ".join(chance.choices(WORDS, k=5)), number) for number in range(KINDS)]
        for first in range(0, MESSAGES, STEP):
            batch = [
                replace(chance.choice(kinds), received=NOW + number * 10_000_000)
                for number in range(first, first + STEP)
            ]
            self.write(lambda edit, batch=batch: [messages.insert(edit, fid, new).mid for new in batch])  # type: ignore[misc]
        builder = views.Builder(self.mailbox, fid, views.Order.RECEIVED, NOW)
        with self.store.read() as txn:
            while not builder.gather(txn, lambda _txn, _mid: None):
                pass
        for write in builder.writes(lambda _txn, _mid: None):
            self.store.write(write).result()

    def _facts(self, subject: str, number: int) -> NewMessage:
        """What delivery stores of a message, without its bytes."""
        taking = Ingest(self.store)
        taking.feed(MAIL.replace(b"number", subject.encode()) % (number, number))
        incoming = taking.finish()
        made: list[NewMessage] = []
        self.write(lambda edit: made.append(incoming.bind(edit.txn, received=NOW)) or [])  # type: ignore[func-returns-value]
        return replace(made[0], blob=0)

    def mail(self, fid: int) -> list[int]:
        """Messages that were delivered."""
        found = []
        for number in range(OPENED):
            taking = Ingest(self.store)
            taking.feed(MAIL % (number, number))
            incoming = taking.finish()
            found += self.write(
                lambda edit, incoming=incoming: [  # type: ignore[misc]
                    messages.insert(edit, fid, incoming.bind(edit.txn, received=NOW)).mid
                ]
            )
        return found

    def born(self, fid: int) -> list[int]:
        """Messages that a client saved, with two recipients."""
        found = []
        for number in range(OPENED):
            draft = drafts.new(self.mailbox, fid, SESSION)
            for tag, value in bags.unpack(new_message(random.Random(number), number).bag).items():
                draft.overlay.set(tag, value)
            for row, who in enumerate(("anna", "clara")):
                draft.overlay.put_recipient(row, recipient(who))
            found += self.write(lambda edit, draft=draft: [drafts.save(edit, draft).row.mid])  # type: ignore[misc]
        return found


def recipient(who: str) -> Bag:
    """A recipient's properties."""
    return {
        tags.PidTagRecipientType: 1,
        tags.PidTagDisplayName: who,
        tags.PidTagAddressType: "SMTP",
        tags.PidTagEmailAddress: address(who),
        tags.PidTagSmtpAddress: address(who),
    }


def table_of(client: Client, logon: int, fid: int) -> int:
    """A contents table with its columns, sorted by delivery time."""
    folder = client.do(open_folder.ROP, open_folder.Request(fid, open_folder.OpenModeFlags(0)), on=logon)
    flags = get_contents_table.TableFlags.NO_NOTIFICATIONS
    table = client.do(get_contents_table.ROP, get_contents_table.Request(flags), on=folder.handle).handle
    client.do(set_columns.ROP, set_columns.Request(0, COLUMNS), on=table)
    order = sort_table.Order(tags.PidTagMessageDeliveryTime, int(Direction.DESCENDING))
    client.do(sort_table.ROP, sort_table.Request(0, 1, 0, 0, (order,)), on=table)
    return table


def page(at: int) -> list[Ask]:
    """The rows from a position on."""
    return [
        Ask(seek_row.ROP, seek_row.Request(0, at, False)),
        Ask(query_rows.ROP, query_rows.Request(query_rows.QueryRowsFlags(0), True, ROWS)),
    ]


def opening(fid: int, mids: Sequence[int]) -> list[Ask]:
    """Open each message, read properties, let it go."""
    wanted = get_properties_specific.Request(0, 1, WANTED)
    asks = []
    for slot, mid in enumerate(mids, 1):
        request = open_message.Request(0x0FFF, fid, open_message.OpenModeFlags.BEST_ACCESS, mid)
        asks.append(Ask(open_message.ROP, request, (0, slot)))
        asks.append(Ask(get_properties_specific.ROP, wanted, (slot,)))
        asks.append(Ask(release.ROP, Empty(), (slot,)))
    return asks


def check_page(lean: Lean, asks: list[Ask], handles: list[int]) -> None:
    """The page has its rows."""
    (payload,) = buffers.unpack(lean.execute(execute_body(asks, handles)))
    result = unpack(payload, asks)
    assert [reply.code for reply in result.replies] == [0] * len(asks)
    assert result.replies[-1].body.row_count == ROWS


def check_opened(lean: Lean, asks: list[Ask], handles: list[int]) -> None:
    """Each message is opened and has the most of what is asked for."""
    (payload,) = buffers.unpack(lean.execute(execute_body(asks, handles)))
    reader = Reader(payload, 2, int.from_bytes(payload[:2], "little"))
    for slot in range(1, OPENED + 1):
        assert reader.take(6) == bytes([open_message.ROP.id, slot, 0, 0, 0, 0])
        recipients.Summary.decode(reader)
        assert reader.take(6) == bytes([get_properties_specific.ROP.id, slot, 0, 0, 0, 0])
        cells = read_row(reader, WANTED, rop_form())
        assert sum(not isinstance(cell, PropertyError) for cell in cells) > len(WANTED) // 2
    assert not reader.remaining


def over_http(data: Path, mail: list[int], born: list[int]) -> list[Row]:
    """What a client sees."""
    names, rows, chance = legacy_dns(data), [], random.Random(3)
    with Served(data) as server:
        client = MapiClient(server.offset + 80, address("anna"), PASSWORD)
        client.connect(names["anna"])
        logon = client.logon()
        table = table_of(client, logon, Special.SENT)
        lean = Lean(client, server.offset + 80)
        empty = execute_body([])
        pages = [execute_body(page(chance.randrange(MESSAGES - ROWS)), [table]) for _ in range(EACH)]
        check_page(lean, page(MESSAGES // 2), [table])

        def send(bodies: list[bytes]) -> None:
            for body in bodies:
                lean.execute(body)

        ours, peer = compare(partial(send, pages), partial(send, [empty] * EACH))
        name = f"Executes/s, a page of {ROWS} x {len(COLUMNS)} anywhere in {MESSAGES:,}, beside empty ones"
        rows.append(Row(name, EACH / ours, EACH / peer, peer / ours, 0.5))
        batches = (("from mail", Special.INBOX, mail), ("born in MAPI", Special.DRAFTS, born))
        for kind, fid, mids in batches:
            asks = opening(fid, mids)
            check_opened(lean, asks, [logon])
            body, few = execute_body(asks, [logon]), EACH // 10
            ours, peer = compare(partial(send, [body] * few), partial(send, [empty] * few), rounds=15)
            name = f"ms of {OPENED} x (open, properties, release), {kind}, beside an empty Execute"
            rows.append(Row(name, ours / few * 1000, peer / few * 1000, peer / ours, 0.2))
        lean.close()
        client.close()
    return rows


def share(filling: Filling) -> Row:
    """How much of an Execute is the interpreter's part of packing rows."""
    store, loop = filling.store, asyncio.new_event_loop()

    async def watch() -> Watches:
        return Watches(store)

    engine = Engine(store, ROPS, loop.run_until_complete(watch()).subscribe)
    client = Client(filling.user, engine, loop)
    handle = table_of(client, client.logon(), Special.SENT)
    found = client.session.get(handle)
    assert isinstance(found, TableObject)
    table, chance = found.table, random.Random(4)
    whole, rows, in_c = [], [], []
    for _ in range(200):
        at = chance.randrange(MESSAGES - ROWS)
        start = time.perf_counter()
        client.batch(page(at), [handle])
        whole.append(time.perf_counter() - start)
        with store.read() as txn, table._opened(txn) as view:
            reading, places = table._reading, view.range(at, at + ROWS)
            start = time.perf_counter()
            for _piece in reading.packed_rows(txn, view, places, rop_form(), True, MAX_BUFFER):
                pass
            rows.append(time.perf_counter() - start)
            slots = scan.Slots(reading._fixed(None), reading.source.asked(txn))
            columns = scan.row_columns(COLUMNS, slots)
            batches = reading.source.batches(txn, [place.id for place in places], cold=slots.cold)
            assert batches is not None
            batch = next(batches)
            start = time.perf_counter()
            scan.pack_rows(batch, slots, columns)
            in_c.append(time.perf_counter() - start)
    client.close()
    loop.close()
    median = statistics.median
    part = max((median(rows) - median(in_c)) / median(whole), 0.001)
    return Row("share of an Execute in the interpreter for packing rows, limit 0.2", part, 0.2, 0.2 / part, 1)


def run() -> list[Row]:
    """A page of rows, two batches of messages that are opened, the interpreter's share."""
    with tempfile.TemporaryDirectory(prefix="satchel-bench-") as name:
        data = make_office(Path(name) / "data")
        store = Store.open(data)
        filling = Filling(store)
        filling.big(Special.SENT)
        mail, born = filling.mail(Special.INBOX), filling.born(Special.DRAFTS)
        row = share(filling)
        store.close()
        return [*over_http(data, mail, born), row]
