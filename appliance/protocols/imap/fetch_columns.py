"""Whole batches of a FETCH by column: each item is read for all messages in one pass of the store, and one
formatting operation makes the replies. A third of the cost of going message by message.

Only items that are one value for every message can stand here: facts of the hot row, ENVELOPE and
BODYSTRUCTURE as they were rendered, and BODY[] of messages of one chunk. `fetch_plan` does all the rest.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import chain

from appliance.protocols.imap.fetch_grammar import BodyItem, Fact, Form, Item, Section
from appliance.protocols.imap.octets import NOTHING, form_of
from appliance.store import blobs, messages
from appliance.store.blobs import Piece
from appliance.store.contents import Row
from appliance.store.kv import ReadTxn

Value = bytes | int
Reader = Callable[[Row], Value]
Lines = Callable[["Batch", list[int]], bytes]
"""The replies of a batch whose messages have these sequence numbers."""

_PIECES = {Fact.ENVELOPE: Piece.ENVELOPE, Fact.BODYSTRUCTURE: Piece.BODYSTRUCTURE}
_WHOLE = Section()


class Batch:
    """Some messages of one folder in one read transaction. What several columns need is read once."""

    __slots__ = ("_structures", "mailbox", "rows", "txn")

    def __init__(self, txn: ReadTxn, mailbox: int, rows: list[Row]) -> None:
        self.txn, self.mailbox, self.rows = txn, mailbox, rows
        self._structures: list[bytes | None] | None = None

    def pieces(self, piece: Piece) -> list[bytes]:
        """One member of the structure of each message."""
        if self._structures is None:
            self._structures = blobs.structures(self.txn, [row.blob for row in self.rows])
        nothing, piece_of = NOTHING[piece], blobs.piece_of
        return [nothing if stored is None else piece_of(stored, piece) for stored in self._structures]

    def bodies(self) -> list[bytes]:
        """The octets of each message, as literals."""
        found: Sequence[bytes] = blobs.read_small(self.txn, [row.blob for row in self.rows])
        traced = [row.mid for row in self.rows if row.prefix]
        if traced:
            heads = iter(messages.prefixes(self.txn, self.mailbox, traced))
            found = [
                next(heads) + raw if row.prefix else raw for row, raw in zip(self.rows, found, strict=True)
            ]
        return [form_of(Form.BODY, octets) for octets in found]


def is_whole(item: Item) -> bool:
    """Whether an item is the octets of the whole message."""
    return (
        isinstance(item, BodyItem)
        and item.section == _WHOLE
        and item.partial is None
        and item.form in (Form.BODY, Form.RFC822)
    )


def leading(rows: list[Row], limit: int) -> int:
    """How many of the first rows `Batch.bodies` may read together: all have MIME of one chunk, and together
    about `limit` octets."""
    total = 0
    for count, row in enumerate(rows):
        if not row.blob or row.size - row.prefix > blobs.CHUNK or total >= limit:
            return count
        total += row.size
    return len(rows)


def compile_lines(items: Sequence[Item], hot: dict[Fact, tuple[bytes, Reader]]) -> Lines | None:
    """The replies of batches by column, or None when an item cannot be had so. `hot` says how facts of the
    row are formatted and read."""
    columns: list[Callable[[Batch], Iterable[Value]]] = []
    formats: list[bytes] = []
    for item in items:
        if isinstance(item, BodyItem):
            if not is_whole(item):
                return None
            formats.append(item.label() + b" %s")
            columns.append(Batch.bodies)
        elif item in hot:
            form, reader = hot[item]
            formats.append(form)
            columns.append(_row_column(reader))
        elif item in _PIECES:
            formats.append(item.value + b" %s")
            columns.append(_piece_column(_PIECES[item]))
        else:
            return None
    template = b"* %d FETCH (" + b" ".join(formats) + b")\r\n"

    def lines(batch: Batch, seqs: list[int]) -> bytes:
        found = [column(batch) for column in columns]
        return (template * len(seqs)) % tuple(chain.from_iterable(zip(seqs, *found, strict=True)))

    return lines


def _row_column(reader: Reader) -> Callable[[Batch], Iterable[Value]]:
    return lambda batch: map(reader, batch.rows)


def _piece_column(piece: Piece) -> Callable[[Batch], Iterable[Value]]:
    return lambda batch: batch.pieces(piece)
