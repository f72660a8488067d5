"""Running a search: cheapest facts first, in steps that each see a snapshot of their own.

    search = Search(store, mailbox, fid, criterion, source, now=...)
    while not search.step(): ...       # or search.run()
    search.uids

The first step takes the UIDs that there are; messages that arrive later are not looked at, those that leave
are not found. Then each message passes the stages of `predicates`: the UID order, what the index rules out,
the hot row, the envelope, and only where none of these decided, its texts. The index is never trusted: it
only rules out.

A step lives at most about STEP seconds (one message's text is never split), so a reader thread may serve
others between steps and a snapshot never grows old.
"""

import time
from array import array
from collections.abc import Callable
from datetime import UTC, tzinfo
from enum import IntEnum
from itertools import compress
from typing import Protocol

from appliance.formats import columns
from appliance.formats.structures import Verdict
from appliance.mailbox.search import criteria as c
from appliance.mailbox.search.facts import Cost, Source, cost
from appliance.mailbox.search.folding import fold
from appliance.mailbox.search.predicates import (
    Context,
    Glance,
    Pair,
    Test,
    compile_facts,
    compile_glance,
    compile_row,
    compile_uid,
    merge_ranges,
)
from appliance.store import contents
from appliance.store.contents import Row
from appliance.store.kv import ReadTxn
from appliance.store.store import Store
from appliance.store.uids import UidView

STEP = 0.02
"""Seconds of a step, about."""

SCAN_SHARE = 4
"""When more than one message in so many is left, the folder's rows are read in one scan."""

GLANCED = 1024
"""Messages whose envelopes are looked at together."""

GLANCED_TEXTS = 256
"""The same where their bytes are looked at."""

TEXTS = 64
"""Messages whose rows and structures are read together before their texts."""

BATCH = 256
"""Messages between two looks at the clock while rows are read."""

MIN_INDEXED_KEY = 3
"""Characters that a key must have for the index to help."""


WORTH = 8
"""Where a glance at the envelope decides, the index only helps if it leaves fewer than one in so many."""

_UID = contents.place_of("uid")
_IS_YES = bytes(number == Verdict.YES for number in range(256))
_IS_UNKNOWN = bytes(number == Verdict.UNKNOWN for number in range(256))


class Index(Protocol):
    """The full-text index, as a search uses it."""

    def possible(
        self, txn: ReadTxn, mailbox: int, fid: int, key: str, most: int | None = None
    ) -> frozenset[int] | None:
        """The MIDs of a folder whose text may contain the folded key: those that the index has found and
        those that it does not know. None when it cannot help, or when it finds more than `most`."""


class _Stage(IntEnum):
    START = 0
    INDEX = 1
    ROWS = 2
    GLANCE = 3
    TEXTS = 4
    DONE = 5


class Search:
    """One search, resumable. Not thread-safe; steps may run on different threads one after the other."""

    def __init__(
        self,
        store: Store,
        mailbox: int,
        fid: int,
        criterion: c.Criterion,
        source: Source,
        *,
        now: int,
        zone: tzinfo = UTC,
        index: Index | None = None,
    ) -> None:
        for _ in c.walk(criterion):
            pass  # raises Refused beyond the limits
        self._store, self._mailbox, self._fid = store, mailbox, fid
        self._criterion = c.simplify(criterion)
        self._source = source
        self._context = Context(now, zone)
        self._index = index
        self._stage = _Stage.START
        self._stages: dict[_Stage, Callable[[ReadTxn, float], bool]] = {
            _Stage.START: self._start,
            _Stage.INDEX: self._narrow,
            _Stage.ROWS: self._rows,
            _Stage.GLANCE: self._glance,
            _Stage.TEXTS: self._texts,
        }
        self._found: list[int] = []
        self._open: list[Pair] = []
        self._wanted: dict[int, int] = {}
        self._after = 0
        self._undecided: list[Pair] = []
        self._dear: list[Pair] = []
        self._row_test: Test[Row] | None = None
        self.total = 0
        """Messages to decide on."""
        self.done = 0
        """Messages decided so far, for progress (RFC 9585)."""

    @property
    def finished(self) -> bool:
        """Whether `uids` is the whole answer."""
        return self._stage is _Stage.DONE

    @property
    def uids(self) -> "array[int]":
        """The UIDs that were found, ascending."""
        return array("I", sorted(self._found))

    def run(self) -> "array[int]":
        """The whole search at once (in a reader thread)."""
        while not self.step():
            pass
        return self.uids

    def step(self, budget: float = STEP) -> bool:
        """Go on for about `budget` seconds in one snapshot; whether the search is finished."""
        deadline = time.monotonic() + budget
        with self._store.read() as txn:
            while self._stage is not _Stage.DONE:
                if self._stages[self._stage](txn, deadline):
                    self._stage = _Stage(self._stage + 1)
                if time.monotonic() >= deadline:
                    break
        return self.finished

    def _start(self, txn: ReadTxn, deadline: float) -> bool:
        """Take the messages that the UID criteria leave."""
        view = UidView(txn, self._mailbox, self._fid)
        pairs: list[Pair] = []
        for low, high in self._ranges():
            pairs += view.range(low, high)
        self.total = len(pairs)
        self._open = self._decide_pairs(pairs)
        return True

    def _ranges(self) -> list[tuple[int, int]]:
        """UID ranges outside of which nothing can match."""
        tops = self._criterion.items if isinstance(self._criterion, c.And) else (self._criterion,)
        narrow = [merge_ranges(top.ranges) for top in tops if isinstance(top, c.Uids)]
        return min(narrow, key=len) if narrow else [(1, 0xFFFFFFFE)]

    def _decide_pairs(self, pairs: list[Pair]) -> list[Pair]:
        """Decide what can be decided by UID, MID and index; what is left."""
        test = compile_uid(self._criterion, self._context)
        if test is None:
            return pairs
        left: list[Pair] = []
        for pair in pairs:
            verdict = test(pair)
            if verdict is None:
                left.append(pair)
            elif verdict:
                self._found.append(pair[0])
        self.done = self.total - len(left)
        return left

    def _narrow(self, txn: ReadTxn, deadline: float) -> bool:
        """Ask the index about every text criterion."""
        if self._open and self._index is not None:
            possible: dict[c.Criterion, frozenset[int]] = {}
            for node in c.walk(self._criterion):
                key = _key(node)
                if key is None or node in possible:
                    continue
                most = self.total // WORTH if isinstance(node, c.Subject | c.Address) else None
                mids = self._index.possible(txn, self._mailbox, self._fid, key, most)
                if mids is not None:
                    possible[node] = mids
            if possible:
                self._context = Context(self._context.now, self._context.zone, possible)
                self._open = self._decide_pairs(self._open)
        # what the index knows is used up; rows are only read first if they alone may decide
        self._row_test = compile_row(self._criterion, Context(self._context.now, self._context.zone))
        if self._row_test is None:
            self._undecided = self._open
        else:
            self._wanted = {mid: uid for uid, mid in self._open}
        return True

    def _rows(self, txn: ReadTxn, deadline: float) -> bool:
        """Read hot rows: by scan when many are wanted, else one by one."""
        if self._row_test is None:
            return self._rows_done()
        if len(self._wanted) * SCAN_SHARE > self.total:
            return self._scan_rows(txn, deadline)
        for count, (mid, uid) in enumerate(list(self._wanted.items()), 1):
            row = contents.find(txn, self._mailbox, self._fid, mid)
            del self._wanted[mid]
            self._decide_row(uid, row)
            if count % BATCH == 0 and time.monotonic() >= deadline:
                return False
        return self._rows_done()

    def _scan_rows(self, txn: ReadTxn, deadline: float) -> bool:
        wanted = self._wanted
        for count, row in enumerate(contents.rows(txn, self._mailbox, self._fid, after=self._after), 1):
            uid = wanted.pop(row.mid, None)
            if uid is not None:
                self._decide_row(uid, row)
            if count % BATCH == 0 and time.monotonic() >= deadline:
                self._after = row.mid
                return False
        self.done += len(wanted)  # these left meanwhile
        wanted.clear()
        return self._rows_done()

    def _rows_done(self) -> bool:
        self._undecided.reverse()  # taken from the end
        return True

    def _decide_row(self, uid: int, row: Row | None) -> None:
        if row is None or row.uid != uid:  # gone, or of other content under another UID
            self.done += 1
            return
        verdict = self._row_test(row) if self._row_test is not None else None
        if verdict is None:
            self._undecided.append((uid, row.mid))
            return
        self.done += 1
        if verdict:
            self._found.append(uid)

    def _glance(self, txn: ReadTxn, deadline: float) -> bool:
        """Decide by the envelopes of many messages at once."""
        glance = compile_glance(self._criterion)
        if glance is None:
            return True
        many = GLANCED if cost(self._criterion) < Cost.BODY else GLANCED_TEXTS
        while self._undecided:
            step = self._undecided[-many:][::-1]
            del self._undecided[-many:]
            self._judge(txn, glance, [uid for uid, _ in step], [mid for _, mid in step])
            if time.monotonic() >= deadline:
                break
        if self._undecided:
            return False
        self._undecided, self._dear = self._dear[::-1], []
        return True

    def _judge(self, txn: ReadTxn, glance: Glance, uids: list[int], mids: list[int]) -> None:
        found = contents.packed_many(txn, self._mailbox, self._fid, uids, mids)
        rows = [row for row in found if row is not None]
        if len(rows) < len(found):
            uids, mids = list(compress(uids, found)), list(compress(mids, found))
        # those that are gone meanwhile, or of other content under another UID, are not found
        if columns.numbers(rows, *_UID) != uids:
            verdicts = bytes([Verdict.UNKNOWN]) * len(rows)
        else:
            verdicts = glance(self._source.judge(txn, self._mailbox, mids, rows))
        self._found += compress(uids, verdicts.translate(_IS_YES))
        if Verdict.UNKNOWN in verdicts:
            self._dear += compress(zip(uids, mids, strict=True), verdicts.translate(_IS_UNKNOWN))
        self.done += len(found) - verdicts.count(Verdict.UNKNOWN)

    def _texts(self, txn: ReadTxn, deadline: float) -> bool:
        """Read what the cheap stages left open."""
        test = compile_facts(self._criterion, self._context)
        while self._undecided:
            step = self._undecided[-TEXTS:][::-1]
            rows = contents.find_many(txn, self._mailbox, self._fid, [mid for _, mid in step])
            by_mid = {row.mid: row for row in rows}
            # those that are gone meanwhile, or of other content under another UID, are not found
            current = [row for uid, mid in step if (row := by_mid.get(mid)) is not None and row.uid == uid]
            opened = {facts.row.mid: facts for facts in self._source.open_many(txn, self._mailbox, current)}
            for uid, mid in step:
                del self._undecided[-1]
                self.done += 1
                facts = opened.get(mid)
                if facts is None:
                    continue
                if test(facts):
                    self._found.append(uid)
                if time.monotonic() >= deadline:
                    return not self._undecided
        return True


def _key(node: c.Criterion) -> str | None:
    """The folded text that a message must contain somewhere to meet a criterion; None if there is none that
    the index could look for."""
    if not isinstance(node, c.Subject | c.Address | c.Body | c.Text | c.Header):
        return None
    key = fold(node.text)
    return key if len(key) >= MIN_INDEXED_KEY else None


def needs_texts(criterion: c.Criterion) -> bool:
    """Whether a search may have to read more than hot rows: it belongs into a reader thread then."""
    return cost(criterion) > Cost.ROW
