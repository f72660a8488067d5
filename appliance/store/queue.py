"""The mail queue: messages that have yet to reach somebody, and when each is due.

Invariants:
- A row of QUEUE_DUE (time, id) exists for every entry that is not held, and for no other.
- Every entry names a stored message and holds one reference to it.
- Ids grow and are never used again.
- An entry lives until every recipient is settled and reported; the transport removes it then.

Entries are stored as JSON, so that a later release can add a field that the one before ignores.
`mailbox.submit`, rules and the SMTP server insert within the transaction that does the rest of their work;
the transport alone drains. Errors: NotFound for an id that is gone.
"""

import json
from collections.abc import Container, Iterator
from dataclasses import dataclass, replace
from enum import IntEnum, IntFlag
from typing import Any

from appliance.store import blobs
from appliance.store.errors import NotFound
from appliance.store.keys import SERVER, Table, head_q, head_qq, pack, successor, tail_q
from appliance.store.kv import ReadTxn, WriteTxn

_COUNTER = pack(SERVER, Table.META, "queue")
_START = head_q(SERVER, Table.QUEUE, 0)
_STOP = successor(_START[:5])
_DUE_START = head_qq(SERVER, Table.QUEUE_DUE, 0, 0)
_DUE_STOP = successor(_DUE_START[:5])


class Notify(IntFlag):
    """NOTIFY of RFC 3461 4.1. No bit: not given, which means failures, and delays at the server's choice."""

    NONE = 0
    NEVER = 1
    SUCCESS = 2
    FAILURE = 4
    DELAY = 8


class State(IntEnum):
    """What became of a recipient."""

    PENDING = 0
    DELIVERED = 1
    RELAYED = 2
    """Handed to a server that does not promise DSNs (RFC 3461 5.2.2)."""
    FAILED = 3
    EXPANDED = 4
    DELEGATED = 5
    """Handed to a server that took over the duty to report (RFC 3461 5.2.1)."""


class Origin(IntEnum):
    """Where an entry came from."""

    SMTP = 0
    SUBMISSION = 1
    MAILBOX = 2
    REPORT = 3


@dataclass(frozen=True, slots=True)
class QueueRecipient:
    """One recipient. `orcpt` is `type;address` with xtext undone, empty when not given; `answer` the last
    reply that concerned it, `status` its enhanced code (RFC 3463), `mta` who gave it."""

    address: str
    notify: Notify = Notify.NONE
    orcpt: str = ""
    state: State = State.PENDING
    status: str = ""
    answer: str = ""
    mta: str = ""

    @property
    def pending(self) -> bool:
        """Whether it still waits for its mail."""
        return self.state is State.PENDING


@dataclass(frozen=True, slots=True)
class QueueEntry:
    """A message under way. Times are FILETIMEs; `size` counts prefix and content, in octets.

    `prefix` is the trace header that goes before the stored bytes. `ret` is FULL, HDRS or empty, `body`
    7BIT, 8BITMIME or BINARYMIME (RFC 6152, RFC 3030), `smtputf8` whether the envelope or the headers need
    RFC 6531. `mailbox` is the submitter's, 0 for mail from outside.
    """

    sender: str
    recipients: tuple[QueueRecipient, ...]
    blob: int
    size: int
    arrived: int
    next_attempt: int
    id: int = 0
    prefix: bytes = b""
    envid: str = ""
    ret: str = ""
    body: str = "7BIT"
    smtputf8: bool = False
    origin: Origin = Origin.SMTP
    mailbox: int = 0
    attempts: int = 0
    last_answer: str = ""
    warned: bool = False
    held: bool = False

    @property
    def pending(self) -> tuple[QueueRecipient, ...]:
        """Recipients that still wait."""
        return tuple(recipient for recipient in self.recipients if recipient.pending)


def _encode(entry: QueueEntry) -> bytes:
    fields: dict[str, Any] = {
        "sender": entry.sender,
        "recipients": [
            [r.address, int(r.notify), r.orcpt, int(r.state), r.status, r.answer, r.mta]
            for r in entry.recipients
        ],
        "blob": entry.blob,
        "size": entry.size,
        "arrived": entry.arrived,
        "next": entry.next_attempt,
        "prefix": entry.prefix.decode("latin-1"),
        "envid": entry.envid,
        "ret": entry.ret,
        "body": entry.body,
        "smtputf8": entry.smtputf8,
        "origin": int(entry.origin),
        "mailbox": entry.mailbox,
        "attempts": entry.attempts,
        "last": entry.last_answer,
        "warned": entry.warned,
        "held": entry.held,
    }
    return json.dumps(fields, separators=(",", ":")).encode()


def _decode(number: int, raw: bytes) -> QueueEntry:
    fields = json.loads(raw)
    return QueueEntry(
        id=number,
        sender=fields["sender"],
        recipients=tuple(
            QueueRecipient(address, Notify(notify), orcpt, State(state), status, answer, mta)
            for address, notify, orcpt, state, status, answer, mta, *_ in fields["recipients"]
        ),
        blob=fields["blob"],
        size=fields["size"],
        arrived=fields["arrived"],
        next_attempt=fields["next"],
        prefix=fields["prefix"].encode("latin-1"),
        envid=fields["envid"],
        ret=fields["ret"],
        body=fields["body"],
        smtputf8=fields["smtputf8"],
        origin=Origin(fields["origin"]),
        mailbox=fields["mailbox"],
        attempts=fields["attempts"],
        last_answer=fields["last"],
        warned=fields["warned"],
        held=fields["held"],
    )


def insert(txn: WriteTxn, entry: QueueEntry) -> int:
    """Add an entry (its `id` is ignored), take a reference to its message, and return the id."""
    number = int.from_bytes(txn.get(_COUNTER) or b"", "big") + 1
    txn.put(_COUNTER, number.to_bytes(8, "big"))
    blobs.retain(txn, entry.blob)
    _put(txn, replace(entry, id=number))
    return number


def get(txn: ReadTxn, number: int) -> QueueEntry:
    """The entry `number`. Raises NotFound."""
    raw = txn.get(head_q(SERVER, Table.QUEUE, number))
    if raw is None:
        raise NotFound(f"no queue entry {number}")
    return _decode(number, raw)


def update(txn: WriteTxn, entry: QueueEntry) -> None:
    """Replace the entry of the same id. Raises NotFound; the message it names must stay the same."""
    old = get(txn, entry.id)
    if not old.held:
        txn.delete(head_qq(SERVER, Table.QUEUE_DUE, old.next_attempt, old.id))
    _put(txn, entry)


def remove(txn: WriteTxn, number: int) -> None:
    """Drop an entry and its reference to the message. Raises NotFound."""
    entry = get(txn, number)
    if not entry.held:
        txn.delete(head_qq(SERVER, Table.QUEUE_DUE, entry.next_attempt, number))
    txn.delete(head_q(SERVER, Table.QUEUE, number))
    blobs.release(txn, entry.blob)
    txn.touch(SERVER)


def _put(txn: WriteTxn, entry: QueueEntry) -> None:
    txn.put(head_q(SERVER, Table.QUEUE, entry.id), _encode(entry))
    if not entry.held:
        txn.put(head_qq(SERVER, Table.QUEUE_DUE, entry.next_attempt, entry.id), b"")
    txn.touch(SERVER)


def hold(txn: WriteTxn, number: int) -> None:
    """Keep an entry from being tried until `retry`. Raises NotFound."""
    update(txn, replace(get(txn, number), held=True))


def retry(txn: WriteTxn, number: int, now: int) -> None:
    """Make an entry due at once, held or not. Raises NotFound."""
    update(txn, replace(get(txn, number), held=False, next_attempt=now))


def entries(txn: ReadTxn) -> Iterator[QueueEntry]:
    """All entries, oldest first."""
    for key, raw in txn.scan(_START, _STOP):
        yield _decode(tail_q(key), raw)


def count(txn: ReadTxn) -> int:
    """How many entries there are."""
    return sum(1 for _ in txn.scan_keys(_START, _STOP))


def due(txn: ReadTxn, until: int, limit: int) -> list[int]:
    """Ids that are due at the FILETIME `until` or before, most overdue first, `limit` at most."""
    stop = min(head_qq(SERVER, Table.QUEUE_DUE, until + 1, 0), _DUE_STOP)
    found: list[int] = []
    for key in txn.scan_keys(_DUE_START, stop):
        found.append(tail_q(key))
        if len(found) >= limit:
            break
    return found


def next_due(txn: ReadTxn, passing: Container[int] = ()) -> int | None:
    """The FILETIME at which the next entry is due that is not in `passing`, or None."""
    for key in txn.scan_keys(_DUE_START, _DUE_STOP):
        if tail_q(key) not in passing:
            return int.from_bytes(key[5:13], "big")
    return None


def reschedule(txn: WriteTxn, number: int, due: int) -> None:
    """Try an entry at the FILETIME `due`. Raises NotFound."""
    update(txn, replace(get(txn, number), next_attempt=due))


def shift(txn: WriteTxn, delta: int) -> int:
    """Move every time of every entry by `delta` FILETIME units: the clock jumped, the queue did not wait.
    Returns how many entries there were."""
    moved = list(entries(txn))
    for entry in moved:
        update(
            txn,
            replace(
                entry,
                arrived=max(0, entry.arrived + delta),
                next_attempt=max(0, entry.next_attempt + delta),
            ),
        )
    return len(moved)


def _exists(txn: ReadTxn, blob: int) -> bool:
    try:
        return blobs.info(txn, blob).references > 0
    except NotFound:
        return False


def references(txn: ReadTxn) -> Iterator[int]:
    """The blob of each entry, once for each reference that the queue holds (for `check`)."""
    for entry in entries(txn):
        yield entry.blob


def check(txn: ReadTxn) -> Iterator[str]:
    """What is wrong with the queue, one line each: the index against the entries, entries against blobs."""
    indexed: dict[int, int] = {}
    for key in txn.scan_keys(_DUE_START, _DUE_STOP):
        number = tail_q(key)
        if number in indexed:
            yield f"queue entry {number} is due twice"
        indexed[number] = int.from_bytes(key[5:13], "big")
    last = int.from_bytes(txn.get(_COUNTER) or b"", "big")
    for entry in entries(txn):
        time = indexed.pop(entry.id, None)
        if entry.held and time is not None:
            yield f"queue entry {entry.id} is held, and due"
        if not entry.held and time != entry.next_attempt:
            yield f"queue entry {entry.id} is due at {entry.next_attempt}, its index says {time}"
        if entry.id > last:
            yield f"queue entry {entry.id} is above the counter {last}"
        if not entry.recipients:
            yield f"queue entry {entry.id} has no recipients"
        if not _exists(txn, entry.blob):
            yield f"queue entry {entry.id} names blob {entry.blob}, which does not exist"
    for number in indexed:
        yield f"the queue's index names entry {number}, which does not exist"
