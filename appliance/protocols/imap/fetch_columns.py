"""Whole batches of a FETCH by column: each item is read for all messages in one pass of the store, and the
codec of `formats.columns` makes the replies. A fiftieth of the cost of going message by message.

Only items that are one value for every message can stand here: facts of the hot row, ENVELOPE and
BODYSTRUCTURE as they were rendered, and BODY[] of messages of one chunk. `fetch_plan` does all the rest.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from appliance.formats import columns
from appliance.formats.columns import Step, steps
from appliance.formats.structures import Piece
from appliance.protocols.imap import flags
from appliance.protocols.imap.fetch_grammar import BodyItem, Fact, Form, Item, Section
from appliance.protocols.imap.octets import NOTHING
from appliance.store import blobs, contents, messages
from appliance.store.contents import ROW_SIZE, place_of
from appliance.store.kv import ReadTxn

_PIECES = {Fact.ENVELOPE: Piece.ENVELOPE, Fact.BODYSTRUCTURE: Piece.BODYSTRUCTURE}
_NOTHING = {Piece.ENVELOPE: NOTHING.envelope, Piece.BODYSTRUCTURE: NOTHING.bodystructure}
_WHOLE = Section()
_BLOB, _PREFIX, _SIZE = map(place_of, ("blob", "prefix", "size"))


class Batch:
    """Some messages of one folder in one read transaction: their packed rows, their UIDs and MIDs. What
    several columns need is read once."""

    __slots__ = ("_structures", "mailbox", "mids", "rows", "txn", "uids")

    def __init__(
        self, txn: ReadTxn, mailbox: int, uids: list[int], mids: list[int], rows: list[bytes]
    ) -> None:
        self.txn, self.mailbox = txn, mailbox
        self.uids, self.mids, self.rows = uids, mids, rows
        self._structures: list[bytes | None] | None = None

    def leading(self, limit: int) -> "Batch":
        """The first messages that `bodies` may read together: all have MIME of one chunk, and together about
        `limit` octets."""
        total = 0
        numbers = (columns.numbers(self.rows, *place) for place in (_BLOB, _PREFIX, _SIZE))
        for count, (blob, prefix, size) in enumerate(zip(*numbers, strict=True)):
            if not blob or size - prefix > blobs.CHUNK or total >= limit:
                return Batch(self.txn, self.mailbox, self.uids[:count], self.mids[:count], self.rows[:count])
            total += size
        return self

    def keywords(self) -> set[tuple[str, ...]]:
        """The keywords that messages have, each combination once."""
        return {contents.keywords_of(row) for row in self.rows if len(row) > ROW_SIZE}

    def structures(self) -> list[bytes | None]:
        """The structure of each message, as it is stored."""
        if self._structures is None:
            self._structures = blobs.structures(self.txn, columns.numbers(self.rows, *_BLOB))
        return self._structures

    def pieces(self, piece: Piece) -> list[bytes]:
        """One member of the structure of each message."""
        nothing = _NOTHING[piece]
        return [nothing if found is None else found for found in blobs.pieces_of(self.structures(), piece)]

    def bodies(self) -> list[bytes]:
        """The octets of each message."""
        found = blobs.read_small(self.txn, columns.numbers(self.rows, *_BLOB))
        prefixes = columns.numbers(self.rows, *_PREFIX)
        traced = [index for index, size in enumerate(prefixes) if size]
        if traced:
            heads = messages.prefixes(self.txn, self.mailbox, [self.mids[index] for index in traced])
            for index, head in zip(traced, heads, strict=True):
                found[index] = head + found[index]
        return found


_Reader = Callable[[Batch], columns.Column]


@dataclass(frozen=True, slots=True)
class Lines:
    """How the replies of a batch are made: the steps of a line, of one for a message that is \\Recent, and
    what fills the columns that they name. `older` is the same for a batch that has structures in a form of
    before, which the codec of lines does not read; None where none are read."""

    steps: tuple[Step, ...]
    recent: tuple[Step, ...]
    readers: tuple[_Reader, ...]
    older: "Lines | None" = None

    def replies(self, batch: Batch, seqs: list[int], recent: Sequence[tuple[int, int]]) -> list[bytes]:
        """The replies to a batch whose messages have these sequence numbers; `recent` are the ranges of UIDs
        that are \\Recent. Raises StoreError."""
        found = [reader(batch) for reader in self.readers]
        runs = list(_runs(batch.uids, recent if self.recent != self.steps else ()))
        replies: list[bytes] = []
        for start, stop, fresh in runs:
            whole = len(runs) == 1
            made = columns.lines(
                self.recent if fresh else self.steps,
                seqs if whole else seqs[start:stop],
                batch.rows if whole else batch.rows[start:stop],
                tuple(found) if whole else tuple(column[start:stop] for column in found),
                blobs.STRUCTURES,
            )
            if made is None:
                return self.older.replies(batch, seqs, recent) if self.older is not None else []
            replies.append(made)
        return replies


def _runs(uids: list[int], ranges: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int, bool]]:
    """(start, stop, whether in a range) of the runs of ascending UIDs."""
    at = 0
    for low, high in sorted(ranges):
        start, stop = max(at, bisect_left(uids, low)), bisect_right(uids, high)
        if start < stop:
            if at < start:
                yield at, start, False
            yield start, stop, True
            at = stop
    if at < len(uids):
        yield at, len(uids), False


def is_whole(item: Item) -> bool:
    """Whether an item is the octets of the whole message."""
    return (
        isinstance(item, BodyItem)
        and item.section == _WHOLE
        and item.partial is None
        and item.form in (Form.BODY, Form.RFC822)
    )


_CHOICES = tuple(flags.text(bits, (), False) for bits in range(flags.SHOWN + 1))


def _hot_steps(fact: Fact, last: bytes) -> tuple[Step, ...] | None:
    """The steps of an item of the hot row; None for others. `last` is the flag that all have."""
    match fact:
        case Fact.UID:
            made = steps.number(place_of("uid"))
        case Fact.SIZE:
            made = steps.number(place_of("size"))
        case Fact.MODSEQ:
            return steps.text(b"("), steps.number(place_of("mod")), steps.text(b")")
        case Fact.FLAGS:
            made = steps.words(place_of("flags"), _CHOICES, ROW_SIZE, last)
            return steps.text(b"("), made, steps.text(b")")
        case Fact.INTERNALDATE:
            made = steps.date(place_of("received"))
        case Fact.SAVEDATE:
            made = steps.date(place_of("saved"))
        case Fact.EMAILID:
            made = steps.hexadecimal(place_of("email_id"), b"(M", b")")
        case Fact.THREADID:
            made = steps.hexadecimal(place_of("thread_id"), b"(T", b")", zero=b"NIL")  # RFC 8474 5.2
        case _:
            return None
    return (made,)


def compile_lines(items: Sequence[Item]) -> Lines | None:
    """The replies of batches by column, or None when an item cannot be had so."""
    made = [_compile(items, last, older=False) for last in (b"", b"\\Recent")]
    older = [_compile(items, last, older=True) for last in (b"", b"\\Recent")]
    if made[0] is None or made[1] is None or older[0] is None or older[1] is None:
        return None
    return Lines(made[0][0], made[1][0], made[0][1], Lines(older[0][0], older[1][0], older[0][1]))


def _compile(
    items: Sequence[Item], last: bytes, *, older: bool
) -> tuple[tuple[Step, ...], tuple[_Reader, ...]] | None:
    """The steps of a line and what fills its columns. `last` is the flag that all have."""
    readers: list[_Reader] = []
    made = [steps.text(b"* "), steps.serial(), steps.text(b" FETCH (")]
    for number, item in enumerate(items):
        label = (b" " if number else b"") + (item.label() if isinstance(item, BodyItem) else item.value)
        made.append(steps.text(label + b" "))
        if isinstance(item, BodyItem):
            if not is_whole(item):
                return None
            made.append(steps.literal(len(readers)))
            readers.append(Batch.bodies)
        elif item in _PIECES:
            piece = _PIECES[item]
            column = len(readers)
            made.append(steps.column(column) if older else steps.piece(column, piece, _NOTHING[piece]))
            readers.append(partial(Batch.pieces, piece=piece) if older else Batch.structures)
        else:
            hot = _hot_steps(item, last)
            if hot is None:
                return None
            made += hot
    return (*made, steps.text(b")\r\n")), tuple(readers)
