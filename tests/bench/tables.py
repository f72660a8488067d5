"""Tables: row scanning in C beside its Python twins, and big folders beside small ones.

The first rows compare the C of native/rows with the Python twins that it stands for (`mapi.matching`,
`sortkeys`, `mapi.rows` over `formats.bags.reference`), over the same stored rows.
The others compare the same operation in a folder of 1,000 and in one of 100,000 messages: cost must grow with
what is asked for, not with the folder (goal: within 1.5 times, so a ratio of 1 / 1.5)."""

import random
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from appliance.formats import bags
from appliance.formats.bags import reference
from appliance.mapi import restrictions as r
from appliance.mapi import tags, times
from appliance.mapi.matching import Object, compiled
from appliance.mapi.rows import write_row
from appliance.mapi.sorts import Direction, SortOrder, SortOrderSet
from appliance.mapi.types import Value
from appliance.mapi.values import rop_form
from appliance.store import folders, messages, tree, views
from appliance.store.contents import RowFlag
from appliance.store.edit import editing
from appliance.store.kv import ReadTxn, WriteTxn
from appliance.store.mailboxes import Special
from appliance.store.messages import NewMessage
from appliance.store.store import Store
from appliance.store.tables import scan, sortkeys
from appliance.store.tables._native import Leaves
from appliance.store.tables.arrangement import Arrangements
from appliance.store.tables.scan import Batch, Slots
from appliance.store.tables.sources import ContentsSource, MessageRecord
from appliance.store.tables.table import Origin, Table
from appliance.wire.cursor import Writer
from tests.bench import Row, compare

NOW = times.from_unix(1_700_000_000)
SMALL, BIG = 1_000, 100_000
STEP = 500
SCANNED = 2_000
WITHIN = 1 / 1.5
COLUMNS = (
    tags.PidTagMid, tags.PidTagInstanceNum, tags.PidTagSubject, tags.PidTagSentRepresentingName,
    tags.PidTagMessageDeliveryTime, tags.PidTagMessageSize, tags.PidTagMessageFlags, tags.PidTagMessageClass,
    tags.PidTagImportance, tags.PidTagHasAttachments, tags.PidTagDisplayTo, tags.PidTagInternetMessageId,
)  # fmt: skip
WORDS = ["report", "invoice", "meeting", "lunch", "offer", "order", "question", "answer", "minutes", "draft"]
SUBJECT = SortOrderSet(
    (SortOrder(tags.PidTagSubject), SortOrder(tags.PidTagMessageSize, Direction.DESCENDING))
)
BY_TIME = SortOrderSet((SortOrder(tags.PidTagMessageDeliveryTime, Direction.DESCENDING),))
WANTED = r.And(
    (
        r.Content(1, r.FuzzyFlags.IGNORE_CASE, tags.PidTagSubject, tags.PidTagSubject, "INVOICE"),
        r.Property(r.RelOp.GT, tags.PidTagMessageSize, tags.PidTagMessageSize, 2000),
        r.BitMask(False, tags.PidTagMessageFlags, 0x10),
    )
)


def new_message(chance: random.Random, number: int) -> NewMessage:
    """An ordinary message of an office."""
    bag = {
        tags.PidTagSubject: " ".join(chance.choices(WORDS, k=5)) + f" {number}",
        tags.PidTagSentRepresentingName: f"Person {chance.randrange(200)}",
        tags.PidTagSentRepresentingEmailAddress: f"person{chance.randrange(200)}@example.test",
        tags.PidTagDisplayTo: "Ann; Bob; Cy",
        tags.PidTagInternetMessageId: f"<{number}.{chance.randrange(1 << 40)}@example.test>",
        tags.PidTagClientSubmitTime: NOW + number,
        tags.PidTagTransportMessageHeaders: "Received: from a by b\r\n" * 5,
    }
    return NewMessage(
        blob=0,
        size=chance.randrange(500, 50_000),
        bag=bags.pack(bag),
        received=NOW + number * 10_000_000,
        flags=RowFlag.SEEN if number % 3 else RowFlag(0),
    )


class PythonMessage(messages.Message):
    """A cold part whose bag is read by the Python twin."""

    def get(self, tag: int) -> Value:
        """One property."""
        return reference.get(self.packed_bag, tag)


class Filled:
    """A store with a small and a big folder."""

    def __init__(self, directory: Path) -> None:
        self.store = Store.create(directory)
        self.mailbox = self.store.write(
            lambda txn: tree.create_mailbox(
                txn, owner=1, guid=b"g" * 16, replica_guid=b"r" * 16, uidvalidity=1, now=NOW
            )
        ).result()
        self.small, self.big = int(Special.INBOX), int(Special.SENT)
        chance = random.Random(1)
        for fid, count in ((self.small, SMALL), (self.big, BIG)):
            for first in range(0, count, STEP):
                batch = [new_message(chance, number) for number in range(first, first + STEP)]
                self.store.write(partial(self._insert, fid, batch)).result()
            self._keep(fid)

    def _insert(self, fid: int, batch: list[NewMessage], txn: WriteTxn) -> None:
        with editing(txn, self.mailbox, now=NOW) as edit:
            for new in batch:
                messages.insert(edit, fid, new)

    def _keep(self, fid: int) -> None:
        builder = views.Builder(self.mailbox, fid, views.Order.RECEIVED, NOW + fid)
        with self.store.read() as txn:
            while not builder.gather(txn, lambda _txn, _mid: None):
                pass
        for write in builder.writes(lambda _txn, _mid: None):
            self.store.write(write).result()

    def source(self, fid: int) -> ContentsSource:
        """The contents of a folder."""
        return ContentsSource(self.mailbox, fid)


@contextmanager
def filled() -> Iterator[Filled]:
    """The store, in a folder of its own."""
    with tempfile.TemporaryDirectory() as directory:
        made = Filled(Path(directory) / "store")
        yield made
        made.store.close()


def _batches(txn: ReadTxn, source: ContentsSource) -> list[Batch]:
    found = source.batches(txn, None, cold=True)
    assert found is not None
    return [batch for batch, _ in zip(found, range(SCANNED // scan.BATCH + 1), strict=False)]


def scanning(box: Filled, txn: ReadTxn) -> list[Row]:
    """The C beside Python, over rows that both have at hand."""
    source = box.source(box.big)
    batches = _batches(txn, source)
    count = sum(len(batch.ids) for batch in batches)
    records = [record for record, _ in zip(source.records(txn), range(count), strict=False)]
    for record in records:
        assert isinstance(record, MessageRecord)
        record._cold = PythonMessage(*messages.load(txn, box.mailbox, record.id))  # at hand, as for the C
    rows = []

    def add(name: str, ours: Callable[[], object], peer: Callable[[], object]) -> None:
        first, second = compare(ours, peer)
        rows.append(
            Row(f"{name}, C beside Python, rows/s", count / first, count / second, second / first, 30)
        )

    fixed = {tags.PidTagInstanceNum: 0}

    def pack_c() -> None:
        for batch in batches:
            slots = Slots(fixed)
            assert scan.pack_rows(batch, slots, scan.row_columns(COLUMNS, slots))[1] == len(batch.ids)

    def pack_python() -> None:
        writer = Writer()
        for record in records:
            cells: list[Any] = [0 if tag in fixed else record.get(tag) for tag in COLUMNS]
            write_row(writer, COLUMNS, cells, rop_form())

    add(f"pack rows of {len(COLUMNS)} columns", pack_c, pack_python)
    predicate = compiled(WANTED)

    def select_c() -> None:
        for batch in batches:
            slots = Slots()
            scan.select(batch, slots, scan.program(WANTED, slots))

    def select_python() -> None:
        for record in records:
            predicate(Object(record.get, record.children))

    add("restriction of three parts", select_c, select_python)
    columns = [(order.tag, order.direction == Direction.DESCENDING) for order in SUBJECT.orders]

    def sort_c() -> None:
        slots, leaves = Slots(), Leaves(0)
        numbers = scan.sort_columns(columns, slots)
        for batch in batches:
            leaves.scan(slots.packed(), b"", numbers, batch.keys, batch.hots, batch.colds, False)
        leaves.sort()

    def sort_python() -> None:
        sorted(
            (tuple(sortkeys.part(record.get(o.tag), o.direction) for o in SUBJECT.orders), record.id)
            for record in records
        )

    add("sort by subject and size", sort_c, sort_python)
    return rows


def _table(box: Filled, fid: int, shared: Arrangements, sort: SortOrderSet, restriction: Any = None) -> Table:
    made = Table(box.source(fid), shared)
    made.set_columns(COLUMNS)
    made.sort(sort)
    made.restrict(restriction)
    return made


def growth(box: Filled, txn: ReadTxn) -> list[Row]:
    """The big folder beside the small one."""
    shared, chance = Arrangements(), random.Random(2)
    rows = []

    def add(name: str, work: Callable[[int, int], object], repeat: int = 20) -> None:
        def many(fid: int, count: int) -> None:
            for _ in range(repeat):
                work(fid, count)

        big, small = compare(partial(many, box.big, BIG), partial(many, box.small, SMALL), rounds=15)
        scale = 1e6 / repeat
        rows.append(
            Row(f"{name}, {BIG:,} beside {SMALL:,}, µs", big * scale, small * scale, small / big, WITHIN)
        )

    def open_kept(fid: int, count: int) -> None:
        made = _table(box, fid, shared, BY_TIME)
        assert made.query_position(txn) == (0, count)
        made.pack_rows(txn, 30, 30_000, rop_form())

    def page(fid: int, count: int) -> None:
        made = opened[fid]
        made.seek(txn, Origin.BEGINNING, chance.randrange(count - 40))
        made.pack_rows(txn, 30, 30_000, rop_form())

    def find(fid: int, count: int) -> None:
        wanted = NOW + chance.randrange(count) * 10_000_000
        tag = tags.PidTagMessageDeliveryTime
        opened[fid].find_row(txn, r.Property(r.RelOp.EQ, tag, tag, wanted), Origin.BEGINNING)

    def again(sort: SortOrderSet, restriction: Any, fid: int, count: int) -> None:
        made = _table(box, fid, shared, sort, restriction)
        made.pack_rows(txn, 30, 30_000, rop_form())

    opened = {fid: _table(box, fid, shared, BY_TIME) for fid in (box.small, box.big)}
    add("open a table in a kept order and read a page", open_kept)
    add("a page at any position", page)
    add("FindRow by the kept key", find)
    add("second opening of another sort order", partial(again, SUBJECT, None))
    add("second opening of a restriction", partial(again, SUBJECT, WANTED))
    return rows


def run() -> list[Row]:
    """The rows of the table."""
    with filled() as box, box.store.read() as txn:
        assert folders.get(txn, box.mailbox, box.big).total == BIG
        return [*scanning(box, txn), *growth(box, txn)]
