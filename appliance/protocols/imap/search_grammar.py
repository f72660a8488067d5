"""The grammar of SEARCH, SORT and THREAD, down to the mailbox's criteria (RFC 9051 6.4.4, RFC 5256).

Keys that only the session can resolve (sequence numbers, `$`, RECENT) are `SetKey` and `RecentKey` until
`bind` turns them into UIDs.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from enum import Enum

from appliance.mailbox.search import criteria as c
from appliance.mailbox.search.folding import BadCharset, check_charset, decode_key
from appliance.protocols.imap import flags
from appliance.protocols.imap.dates import parse_date
from appliance.protocols.imap.errors import Bad, No
from appliance.protocols.imap.limits import MAX_NESTING, MAX_SEARCH_KEYS
from appliance.protocols.imap.objectids import parse_email_id, parse_thread_id
from appliance.protocols.imap.sequence import Ranges, SequenceSet
from appliance.protocols.imap.tokens import MAX_NUMBER64, Cursor
from appliance.store.contents import RowFlag

_KEY = re.compile(rb"[A-Za-z0-9]+")
_ATOM = re.compile(rb"[^\x00-\x20\x7f-\xff(){%*\"\\]+")
_DATE = re.compile(rb"[0-9A-Za-z-]+")
_OBJECT_ID = re.compile(rb"[A-Za-z0-9_-]{1,255}")
BADCHARSET = b"BADCHARSET (UTF-8 US-ASCII)"


class Result(Enum):
    """RETURN options of SEARCH (RFC 9051 6.4.4, RFC 5182)."""

    MIN = b"MIN"
    MAX = b"MAX"
    ALL = b"ALL"
    COUNT = b"COUNT"
    SAVE = b"SAVE"


@dataclass(frozen=True, slots=True)
class SetKey:
    """Messages of a set of sequence numbers, UIDs, or the saved result."""

    messages: SequenceSet
    uid: bool


@dataclass(frozen=True, slots=True)
class RecentKey:
    """Messages that are \\Recent in this session."""


@dataclass(frozen=True, slots=True)
class AllOf:
    """All of these."""

    items: "tuple[Key, ...]"


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of these."""

    items: "tuple[Key, ...]"


@dataclass(frozen=True, slots=True)
class NoneOf:
    """Not this."""

    item: "Key"


Key = c.Criterion | SetKey | RecentKey | AllOf | OneOf | NoneOf


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """A SEARCH. `results` is None for the old form without RETURN."""

    key: Key
    uid: bool
    results: frozenset[Result] | None
    uses_modseq: bool
    charset_given: bool = False


@dataclass(frozen=True, slots=True)
class SortRequest:
    """A SORT: criteria as (name, reversed)."""

    order: tuple[tuple[bytes, bool], ...]
    key: Key
    uid: bool
    uses_modseq: bool


@dataclass(frozen=True, slots=True)
class ThreadRequest:
    """A THREAD by REFERENCES or ORDEREDSUBJECT."""

    algorithm: bytes
    key: Key
    uid: bool
    uses_modseq: bool


@dataclass(slots=True)
class _Keys:
    """State of reading the keys of one search."""

    cursor: Cursor
    charset: str = "utf-8"
    count: int = 0
    modseq: bool = False
    depth: int = 0
    names: "dict[bytes, Callable[[_Keys], Key]]" = field(default_factory=dict)

    def text(self) -> str:
        """An astring in the search's charset. Raises No [BADCHARSET]."""
        raw = self.cursor.astring()
        try:
            return decode_key(raw, self.charset)
        except BadCharset as error:
            raise No("The search text is not in its charset.", BADCHARSET) from error

    def date(self) -> date:
        """A date, in quotes or not."""
        if self.cursor.peek() == b'"':
            return parse_date(self.cursor.string())
        return parse_date(self.cursor.expect(_DATE, "a date"))

    def several(self) -> Key:
        """Keys separated by spaces, up to what ends them."""
        found = [self.one()]
        while self.cursor.accept(b" "):
            found.append(self.one())
        return found[0] if len(found) == 1 else AllOf(tuple(found))

    def one(self) -> Key:
        """One search key."""
        self.count += 1
        self.depth += 1
        if self.count > MAX_SEARCH_KEYS:
            raise Bad("The search has too many keys.")
        if self.depth > MAX_NESTING:
            raise Bad("The search is nested too deeply.")
        try:
            return self._one()
        finally:
            self.depth -= 1

    def _one(self) -> Key:
        cursor = self.cursor
        if cursor.accept(b"("):
            inside = self.several()
            cursor.require(b")")
            return inside
        first = cursor.peek()
        if first.isdigit() or first in (b"*", b"$"):
            return SetKey(cursor.sequence_set(), uid=False)
        name = cursor.expect(_KEY, "a search key").upper()
        simple = _SIMPLE.get(name)
        if simple is not None:
            return simple
        reader = _WITH_ARGUMENT.get(name)
        if reader is None:
            raise Bad("Unknown search key.")
        cursor.space()
        return reader(self)


def _flag(bit: RowFlag) -> Key:
    return c.Flags(int(bit))


_SIMPLE: dict[bytes, Key] = {
    b"ALL": c.All(),
    b"ANSWERED": _flag(RowFlag.ANSWERED),
    b"DELETED": _flag(RowFlag.DELETED),
    b"DRAFT": _flag(RowFlag.DRAFT),
    b"FLAGGED": _flag(RowFlag.FLAGGED),
    b"SEEN": _flag(RowFlag.SEEN),
    b"UNANSWERED": NoneOf(_flag(RowFlag.ANSWERED)),
    b"UNDELETED": NoneOf(_flag(RowFlag.DELETED)),
    b"UNDRAFT": NoneOf(_flag(RowFlag.DRAFT)),
    b"UNFLAGGED": NoneOf(_flag(RowFlag.FLAGGED)),
    b"UNSEEN": NoneOf(_flag(RowFlag.SEEN)),
    b"RECENT": RecentKey(),
    b"OLD": NoneOf(RecentKey()),
    b"NEW": AllOf((RecentKey(), NoneOf(_flag(RowFlag.SEEN)))),
    b"SAVEDATESUPPORTED": c.All(),  # RFC 8514 4.3: every mailbox keeps save dates
}


def _dated(where: c.DateField, relation: c.Relation) -> "Callable[[_Keys], Key]":
    return lambda keys: c.Dated(where, relation, keys.date())


def _address(where: c.AddressField) -> "Callable[[_Keys], Key]":
    return lambda keys: c.Address(where, keys.text())


def _keyword(keys: _Keys) -> Key:
    name = keys.cursor.expect(_ATOM, "a keyword")
    bit = flags.bit_of(name)
    return c.Flags(int(bit)) if bit is not None else c.Keyword(name.decode())


def _header(keys: _Keys) -> Key:
    name = keys.text()
    keys.cursor.space()
    return c.Header(name, keys.text())


def _or(keys: _Keys) -> Key:
    first = keys.one()
    keys.cursor.space()
    return OneOf((first, keys.one()))


def _modseq(keys: _Keys) -> Key:
    # RFC 7162 3.1.5: an entry name and type may come first; all metadata shares one mod-sequence here
    keys.modseq = True
    if keys.cursor.peek() == b'"':
        name = keys.cursor.string().lower()
        if not name.startswith(b"/flags/"):
            raise Bad("Unknown metadata entry.")
        keys.cursor.space()
        if keys.cursor.word() not in (b"PRIV", b"SHARED", b"ALL"):
            raise Bad("Expected priv, shared or all.")
        keys.cursor.space()
    return c.ModSeq(keys.cursor.number(MAX_NUMBER64))


def _email_id(keys: _Keys) -> Key:
    found = parse_email_id(keys.cursor.expect(_OBJECT_ID, "an object id"))
    return c.EmailId(found) if found is not None else OneOf(())


def _thread_id(keys: _Keys) -> Key:
    found = parse_thread_id(keys.cursor.expect(_OBJECT_ID, "an object id"))
    return c.ThreadId(found) if found is not None else OneOf(())


_WITH_ARGUMENT: "dict[bytes, Callable[[_Keys], Key]]" = {
    b"BCC": _address(c.AddressField.BCC),
    b"CC": _address(c.AddressField.CC),
    b"FROM": _address(c.AddressField.FROM),
    b"TO": _address(c.AddressField.TO),
    b"BEFORE": _dated(c.DateField.RECEIVED, c.Relation.BEFORE),
    b"ON": _dated(c.DateField.RECEIVED, c.Relation.ON),
    b"SINCE": _dated(c.DateField.RECEIVED, c.Relation.SINCE),
    b"SENTBEFORE": _dated(c.DateField.SENT, c.Relation.BEFORE),
    b"SENTON": _dated(c.DateField.SENT, c.Relation.ON),
    b"SENTSINCE": _dated(c.DateField.SENT, c.Relation.SINCE),
    b"SAVEDBEFORE": _dated(c.DateField.SAVED, c.Relation.BEFORE),
    b"SAVEDON": _dated(c.DateField.SAVED, c.Relation.ON),
    b"SAVEDSINCE": _dated(c.DateField.SAVED, c.Relation.SINCE),
    b"BODY": lambda keys: c.Body(keys.text()),
    b"TEXT": lambda keys: c.Text(keys.text()),
    b"SUBJECT": lambda keys: c.Subject(keys.text()),
    b"HEADER": _header,
    b"KEYWORD": _keyword,
    b"UNKEYWORD": lambda keys: NoneOf(_keyword(keys)),
    b"LARGER": lambda keys: c.Larger(keys.cursor.number(MAX_NUMBER64)),
    b"SMALLER": lambda keys: c.Smaller(keys.cursor.number(MAX_NUMBER64)),
    b"YOUNGER": lambda keys: c.Younger(keys.cursor.nz_number()),
    b"OLDER": lambda keys: c.Older(keys.cursor.nz_number()),
    b"NOT": lambda keys: NoneOf(keys.one()),
    b"OR": _or,
    b"UID": lambda keys: SetKey(keys.cursor.sequence_set(), uid=True),
    b"MODSEQ": _modseq,
    b"EMAILID": _email_id,
    b"THREADID": _thread_id,
}


def _charset(raw: bytes) -> str:
    name = raw.decode("latin-1")
    try:
        check_charset(name)
    except BadCharset as error:
        raise No("Unknown charset.", BADCHARSET) from error
    return name


def parse_search(cursor: Cursor, *, uid: bool) -> SearchRequest:
    """The arguments of SEARCH and UID SEARCH."""
    results: frozenset[Result] | None = None
    cursor.space()
    if cursor.accept(b"RETURN "):
        words = cursor.items(cursor.word, limit=10)
        try:
            results = frozenset(Result(word) for word in words) or frozenset({Result.ALL})
        except ValueError as error:
            raise Bad("Unknown RETURN option.") from error
        cursor.space()
    keys = _Keys(cursor)
    given = cursor.accept(b"CHARSET ")
    if given:
        keys.charset = _charset(cursor.astring())
        cursor.space()
    key = keys.several()
    cursor.end()
    return SearchRequest(key, uid, results, keys.modseq, given)


SORT_KEYS = frozenset(
    {b"ARRIVAL", b"CC", b"DATE", b"FROM", b"SIZE", b"SUBJECT", b"TO", b"DISPLAYFROM", b"DISPLAYTO"}
)


def parse_sort(cursor: Cursor, *, uid: bool) -> SortRequest:
    """The arguments of SORT and UID SORT (RFC 5256 3)."""
    cursor.space()
    order: list[tuple[bytes, bool]] = []
    words = cursor.items(cursor.word, empty=False, limit=40)
    backwards = False
    for word in words:
        if word == b"REVERSE" and not backwards:
            backwards = True
        elif word in SORT_KEYS:
            order.append((word, backwards))
            backwards = False
        else:
            raise Bad("Unknown sort key.")
    if backwards or not order:
        raise Bad("REVERSE needs a sort key.")
    key, modseq = _with_charset(cursor)
    return SortRequest(tuple(order), key, uid, modseq)


def parse_thread(cursor: Cursor, *, uid: bool) -> ThreadRequest:
    """The arguments of THREAD and UID THREAD (RFC 5256 3)."""
    cursor.space()
    algorithm = cursor.word("a threading algorithm")
    if algorithm not in (b"REFERENCES", b"ORDEREDSUBJECT"):
        raise Bad("Unknown threading algorithm.")
    key, modseq = _with_charset(cursor)
    return ThreadRequest(algorithm, key, uid, modseq)


def _with_charset(cursor: Cursor) -> tuple[Key, bool]:
    cursor.space()
    keys = _Keys(cursor)
    keys.charset = _charset(cursor.astring())
    cursor.space()
    key = keys.several()
    cursor.end()
    return key, keys.modseq


def bind(key: Key, uids_of: Callable[[SetKey], Ranges], recent: Callable[[], Ranges]) -> c.Criterion:
    """The mailbox's criterion for a key: sets and RECENT become UIDs."""
    if isinstance(key, AllOf):
        return c.And(tuple(bind(item, uids_of, recent) for item in key.items))
    if isinstance(key, OneOf):
        return c.Or(tuple(bind(item, uids_of, recent) for item in key.items))
    if isinstance(key, NoneOf):
        return c.Not(bind(key.item, uids_of, recent))
    if isinstance(key, SetKey):
        return c.Uids(tuple(uids_of(key).pairs))
    if isinstance(key, RecentKey):
        return c.Uids(tuple(recent().pairs))
    return key
