"""What to search for, as protocols hand it over: a tree of frozen criteria (RFC 9051 6.4.4, RFC 3501 6.4.4,
RFC 5032 WITHIN, RFC 7162 MODSEQ, RFC 8474 OBJECTID, RFC 8514 SAVEDATE).

Sequence numbers, the saved result `$` and the session's RECENT messages are known to the protocol alone: it
gives them as `Uids`. Keys are text already (`folding.decode_key`).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from enum import Enum

from appliance.mailbox.errors import Reason, Refused

MAX_NODES = 2000
"""Criteria of one search."""
MAX_DEPTH = 100
"""Nesting of AND, OR and NOT in one search."""


class DateField(Enum):
    """Which date of a message is compared."""

    RECEIVED = "received"  # INTERNALDATE
    SENT = "sent"  # the Date field, its own day, whatever the zone
    SAVED = "saved"  # RFC 8514


class Relation(Enum):
    """How it is compared: whole days, SINCE includes its day."""

    BEFORE = "before"
    ON = "on"
    SINCE = "since"


class AddressField(Enum):
    """Address fields that have keys of their own."""

    FROM = "from"
    TO = "to"
    CC = "cc"
    BCC = "bcc"


@dataclass(frozen=True, slots=True)
class All:
    """Every message."""


@dataclass(frozen=True, slots=True)
class Flags:
    """Messages with every flag of `mask` (bits of `RowFlag`). UNSEEN is Not(Flags(SEEN))."""

    mask: int


@dataclass(frozen=True, slots=True)
class Keyword:
    """Messages with a keyword; case does not count."""

    name: str


@dataclass(frozen=True, slots=True)
class Uids:
    """Messages whose UID is in one of the ranges (both ends included)."""

    ranges: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Larger:
    """Messages of more than `size` bytes (RFC822.SIZE)."""

    size: int


@dataclass(frozen=True, slots=True)
class Smaller:
    """Messages of fewer than `size` bytes."""

    size: int


@dataclass(frozen=True, slots=True)
class Dated:
    """Messages by a day."""

    field: DateField
    relation: Relation
    day: date


@dataclass(frozen=True, slots=True)
class Younger:
    """Messages received within the last `seconds` (RFC 5032)."""

    seconds: int


@dataclass(frozen=True, slots=True)
class Older:
    """Messages received `seconds` ago or earlier (RFC 5032)."""

    seconds: int


@dataclass(frozen=True, slots=True)
class ModSeq:
    """Messages changed at `value` or later (RFC 7162 3.1.5; the entry name makes no difference here)."""

    value: int


@dataclass(frozen=True, slots=True)
class EmailId:
    """The message with this stored EMAILID (RFC 8474)."""

    id: int


@dataclass(frozen=True, slots=True)
class ThreadId:
    """Messages with this THREADID (RFC 8474)."""

    id: int


@dataclass(frozen=True, slots=True)
class Header:
    """Messages with a header field `name` whose text contains `text`; an empty text asks for the field."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Address:
    """Messages with `text` in an address field, as names and addresses are shown."""

    field: AddressField
    text: str


@dataclass(frozen=True, slots=True)
class Subject:
    """Messages with `text` in the subject."""

    text: str


@dataclass(frozen=True, slots=True)
class Body:
    """Messages with `text` in the text of the body."""

    text: str


@dataclass(frozen=True, slots=True)
class Text:
    """Messages with `text` in the header or the body."""

    text: str


@dataclass(frozen=True, slots=True)
class And:
    """Messages that meet all; an empty And is met by every message."""

    items: "tuple[Criterion, ...]"


@dataclass(frozen=True, slots=True)
class Or:
    """Messages that meet one at least; an empty Or is met by none."""

    items: "tuple[Criterion, ...]"


@dataclass(frozen=True, slots=True)
class Not:
    """Messages that do not meet `item`."""

    item: "Criterion"


RowCriterion = Flags | Keyword | Larger | Smaller | Dated | Younger | Older | ModSeq | EmailId | ThreadId
TextCriterion = Header | Address | Subject | Body | Text
Criterion = All | Uids | RowCriterion | TextCriterion | And | Or | Not


def walk(criterion: Criterion) -> Iterator[Criterion]:
    """The criterion and all below it. Raises Refused beyond MAX_NODES or MAX_DEPTH."""
    stack: list[tuple[Criterion, int]] = [(criterion, 1)]
    count = 0
    while stack:
        node, depth = stack.pop()
        count += 1
        if count > MAX_NODES or depth > MAX_DEPTH:
            raise Refused(Reason.LIMIT, "search criteria")
        yield node
        below: Iterable[Criterion] = ()
        if isinstance(node, And | Or):
            below = node.items
        elif isinstance(node, Not):
            below = (node.item,)
        stack.extend((item, depth + 1) for item in below)


def simplify(criterion: Criterion) -> Criterion:
    """The same search with nested conjunctions and double negations taken away."""
    if isinstance(criterion, Not):
        inner = simplify(criterion.item)
        return inner.item if isinstance(inner, Not) else Not(inner)
    if isinstance(criterion, And | Or):
        kind = type(criterion)
        items: list[Criterion] = []
        for item in map(simplify, criterion.items):
            if isinstance(item, kind):
                items.extend(item.items)
            elif not (kind is And and isinstance(item, All)):
                items.append(item)
        if len(items) == 1:
            return items[0]
        return All() if kind is And and not items else kind(tuple(items))
    if isinstance(criterion, Body | Text) and not criterion.text:
        return All()
    return criterion
