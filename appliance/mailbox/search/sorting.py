"""SORT: the order of the messages that a search found (RFC 5256 2.2 and 3, RFC 5957).

Ties go by UID, which is the sequence number's order; REVERSE turns a key around but not the ties.
"""

import time
from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from appliance.mailbox.search.evaluate import BATCH, STEP
from appliance.mailbox.search.facts import Facts, Source
from appliance.mailbox.search.folding import fold
from appliance.mailbox.search.subjects import base_subject
from appliance.mailbox.search.threads import Thread, Threadable, ordered_subject, references
from appliance.store import contents
from appliance.store.kv import ReadTxn
from appliance.store.store import Store
from appliance.store.uids import UidView


class SortKey(Enum):
    """What to sort by."""

    ARRIVAL = "ARRIVAL"
    CC = "CC"
    DATE = "DATE"
    DISPLAYFROM = "DISPLAYFROM"
    DISPLAYTO = "DISPLAYTO"
    FROM = "FROM"
    SIZE = "SIZE"
    SUBJECT = "SUBJECT"
    TO = "TO"


@dataclass(frozen=True, slots=True)
class SortBy:
    """One criterion of a sort program."""

    key: SortKey
    reverse: bool = False


class Algorithm(Enum):
    """How to thread."""

    ORDEREDSUBJECT = "ORDEREDSUBJECT"
    REFERENCES = "REFERENCES"


Value = int | str
_VALUES: dict[SortKey, Callable[[Facts], Value]] = {
    SortKey.ARRIVAL: lambda facts: facts.row.received,
    SortKey.SIZE: lambda facts: facts.row.size,
    SortKey.DATE: lambda facts: sent_or_received(facts),
    SortKey.SUBJECT: lambda facts: _collated(base_subject(facts.subject()).text),
    SortKey.FROM: lambda facts: _collated(facts.first_mailbox("from")),
    SortKey.TO: lambda facts: _collated(facts.first_mailbox("to")),
    SortKey.CC: lambda facts: _collated(facts.first_mailbox("cc")),
    SortKey.DISPLAYFROM: lambda facts: _collated(facts.first_display("from")),
    SortKey.DISPLAYTO: lambda facts: _collated(facts.first_display("to")),
}


def _collated(text: str) -> str:
    """A text as it is ordered: i;unicode-casemap (RFC 5051) compares titlecase, in which "[" follows "Z"."""
    return fold(text).upper()


def sent_or_received(facts: Facts) -> int:
    """The sent date of RFC 5256 2.2: INTERNALDATE where the Date field cannot be read."""
    sent = facts.sent()
    return facts.row.received if sent is None else sent


class _Reading:
    """Reads something of each found message, in steps that each see a snapshot of their own. Messages that
    left meanwhile are passed over."""

    def __init__(self, store: Store, mailbox: int, fid: int, uids: Sequence[int], source: Source) -> None:
        self._store, self._mailbox, self._fid = store, mailbox, fid
        self._uids, self._source = uids, source
        self.done = 0
        """Messages read so far, for progress."""
        self.total = len(uids)

    def step(self, budget: float = STEP) -> bool:
        """Go on for about `budget` seconds; whether all is read."""
        deadline = time.monotonic() + budget
        with self._store.read() as txn:
            view = UidView(txn, self._mailbox, self._fid)
            while self.done < self.total:
                uids = self._uids[self.done : self.done + BATCH]
                mids = dict(view.range(uids[0], uids[-1]))
                for uid in uids:
                    self.done += 1
                    self._read_uid(txn, uid, mids.get(uid))
                    if time.monotonic() >= deadline:
                        return self.done >= self.total
        return True

    def _read_uid(self, txn: ReadTxn, uid: int, mid: int | None) -> None:
        row = contents.find(txn, self._mailbox, self._fid, mid) if mid is not None else None
        if row is not None and row.uid == uid:
            self._take(uid, self._source.open(txn, self._mailbox, row))

    def _take(self, uid: int, facts: Facts) -> None:
        raise NotImplementedError


class Sort(_Reading):
    """A sort of found messages (`uids` ascending), resumable as a search is."""

    def __init__(
        self,
        store: Store,
        mailbox: int,
        fid: int,
        uids: Sequence[int],
        program: Iterable[SortBy],
        source: Source,
    ) -> None:
        super().__init__(store, mailbox, fid, uids, source)
        kinds: dict[SortKey, SortBy] = {}
        for item in program:
            kinds.setdefault(item.key, item)
        self._program = tuple(kinds.values())
        self._keyed: list[tuple[int, tuple[Value, ...]]] = []

    def _take(self, uid: int, facts: Facts) -> None:
        self._keyed.append((uid, tuple(_VALUES[item.key](facts) for item in self._program)))

    def result(self) -> "array[int]":
        """The UIDs in order; valid once `step` said so."""
        ordered = self._keyed
        for index in range(len(self._program) - 1, -1, -1):  # stable, so the first key is sorted by last
            ordered = sorted(ordered, key=lambda entry: entry[1][index], reverse=self._program[index].reverse)
        return array("I", [uid for uid, _ in ordered])

    def run(self) -> "array[int]":
        """The whole sort at once (in a reader thread)."""
        while not self.step():
            pass
        return self.result()


class Threads(_Reading):
    """The threads of found messages (`uids` ascending), resumable as a search is."""

    def __init__(
        self,
        store: Store,
        mailbox: int,
        fid: int,
        uids: Sequence[int],
        algorithm: Algorithm,
        source: Source,
    ) -> None:
        super().__init__(store, mailbox, fid, uids, source)
        self._algorithm = algorithm
        self._messages: list[Threadable] = []

    def _take(self, uid: int, facts: Facts) -> None:
        sent = sent_or_received(facts)
        if self._algorithm is Algorithm.ORDEREDSUBJECT:
            self._messages.append(Threadable(uid, sent, facts.subject()))
            return
        message_id, in_reply_to, refs = facts.thread_fields()
        self._messages.append(Threadable(uid, sent, facts.subject(), message_id, refs, in_reply_to))

    def result(self) -> list[Thread]:
        """The threads; valid once `step` said so."""
        build = ordered_subject if self._algorithm is Algorithm.ORDEREDSUBJECT else references
        return build(self._messages)

    def run(self) -> list[Thread]:
        """All at once (in a reader thread)."""
        while not self.step():
            pass
        return self.result()
