"""Criteria compiled into functions of a message, one for each stage of a search.

A predicate answers True, False, or None where it would have to read more than its stage has; AND, OR and
NOT follow Kleene's logic, so that a cheap part that decides saves the dear one. Stages: the UID order (with
what the index rules out), the hot row, a glance at the envelopes of many messages at once, everything.
"""

from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from itertools import chain
from typing import TypeVar

from appliance.formats.structures import SUBJECT
from appliance.formats.structures import Verdict as Known
from appliance.mailbox.search import criteria as c
from appliance.mailbox.search.facts import Facts, Judge, cost
from appliance.mailbox.search.folding import contains, fold
from appliance.mailbox.search.glimpse import key_of
from appliance.mapi import times
from appliance.store.contents import Row

T = TypeVar("T")
Verdict = bool | None
Test = Callable[[T], Verdict]
Pair = tuple[int, int]
"""(UID, MID)"""

Glance = Callable[[Judge], bytes]
"""A `Verdict` for each message that the judge knows."""

_NEGATED = bytes([Known.YES, Known.NO, Known.UNKNOWN]).ljust(256, b"\0")
_MEMBERS = {c.AddressField.FROM: 2, c.AddressField.TO: 5, c.AddressField.CC: 6, c.AddressField.BCC: 7}


@dataclass(frozen=True, slots=True)
class Context:
    """What criteria are relative to: `now` (FILETIME), the zone in which days of INTERNALDATE and SAVEDATE
    begin, and for each text criterion that the index knows of the MIDs that may match."""

    now: int
    zone: tzinfo = UTC
    possible: Mapping[c.Criterion, frozenset[int]] = field(default_factory=dict)


def compile_uid(criterion: c.Criterion, context: Context) -> Test[Pair] | None:
    """A test of (UID, MID); None when it could never decide."""

    def leaf(node: c.Criterion) -> Test[Pair] | None:
        if isinstance(node, c.Uids):
            test = uids_test(node.ranges)
            return lambda pair: test(pair[0])
        possible = context.possible.get(node)
        if possible is None:
            return None
        return lambda pair: None if pair[1] in possible else False

    return _compile(criterion, leaf)


def compile_row(criterion: c.Criterion, context: Context) -> Test[Row] | None:
    """A test of a hot row; None when it could never decide."""

    def leaf(node: c.Criterion) -> Test[Row] | None:
        if isinstance(node, c.Uids):
            test = uids_test(node.ranges)
            return lambda row: test(row.uid)
        possible = context.possible.get(node)
        if possible is not None:
            return lambda row: None if row.mid in possible else False
        return _row_test(node, context)

    return _compile(criterion, leaf)


def compile_facts(criterion: c.Criterion, context: Context) -> Test[Facts]:
    """A test of everything about a message: it always decides."""

    def leaf(node: c.Criterion) -> Test[Facts]:
        if isinstance(node, c.Uids):
            uids = uids_test(node.ranges)
            return lambda facts: uids(facts.row.uid)
        row = _row_test(node, context)
        if row is not None:
            return lambda facts: row(facts.row)
        return _text_test(node)

    test = _compile(criterion, leaf)
    assert test is not None
    return test


def compile_glance(criterion: c.Criterion) -> Glance | None:
    """Verdicts about many messages by their envelopes; None when they could never decide."""
    if isinstance(criterion, c.Subject):
        return _judged(SUBJECT, criterion.text)
    if isinstance(criterion, c.Address):
        return _judged(_MEMBERS[criterion.field], criterion.text)
    if isinstance(criterion, c.Body | c.Text):
        key = key_of(fold(criterion.text))
        header = isinstance(criterion, c.Text)
        return None if key is None else lambda judge: judge.text(key, header=header)
    if isinstance(criterion, c.Not):
        inner = compile_glance(criterion.item)
        return None if inner is None else _negation(inner)
    if isinstance(criterion, c.And | c.Or):
        compiled = [compile_glance(item) for item in sorted(criterion.items, key=cost)]
        known = [glance for glance in compiled if glance is not None]
        decisive = Known.YES if isinstance(criterion, c.Or) else Known.NO
        return _combination(known, decisive, len(known) < len(compiled)) if known else None
    return None


def _judged(member: int, text: str) -> Glance:
    # what the judge answers for is printable ASCII, in which another key stands nowhere
    key = fold(text).encode("utf-8", "surrogatepass")
    return lambda judge: judge.envelope(member, key)


def _negation(inner: Glance) -> Glance:
    return lambda judge: inner(judge).translate(_NEGATED)


def _combination(parts: list[Glance], decisive: int, unknown: bool) -> Glance:
    """AND (NO decides) or OR (YES decides) by Kleene's logic, perhaps with parts that nobody knows."""
    other = Known.UNKNOWN if unknown else Known.YES - decisive

    def one(verdicts: tuple[int, ...]) -> int:
        if decisive in verdicts:
            return decisive
        return Known.UNKNOWN if Known.UNKNOWN in verdicts else other

    def glance(judge: Judge) -> bytes:
        found: list[bytes] = []
        for part in parts:  # the cheapest first
            found.append(part(judge))
            if found[-1].count(decisive) == len(found[-1]):
                return found[-1]
        return bytes(map(one, zip(*found, strict=True)))

    return glance


def _compile(criterion: c.Criterion, leaf: Callable[[c.Criterion], Test[T] | None]) -> Test[T] | None:
    if isinstance(criterion, c.All):
        return lambda subject: True
    if isinstance(criterion, c.Not):
        inner = _compile(criterion.item, leaf)
        return None if inner is None else _negated(inner)
    if isinstance(criterion, c.And | c.Or):
        items = sorted(criterion.items, key=cost)  # the cheapest first
        compiled = [_compile(item, leaf) for item in items]
        known = [test for test in compiled if test is not None]
        if not known and compiled:
            return None
        return _joined(known, isinstance(criterion, c.Or), len(known) < len(compiled))
    return leaf(criterion)


def _negated(inner: Test[T]) -> Test[T]:
    def test(subject: T) -> Verdict:
        verdict = inner(subject)
        return None if verdict is None else not verdict

    return test


def _joined(tests: list[Test[T]], decisive: bool, unknown: bool) -> Test[T]:
    """AND (False decides) or OR (True decides) of tests, perhaps with parts that nobody knows."""

    def test(subject: T) -> Verdict:
        open_ = unknown
        for part in tests:
            verdict = part(subject)
            if verdict is decisive:
                return decisive
            if verdict is None:
                open_ = True
        return None if open_ else not decisive

    return test


def uids_test(ranges: tuple[tuple[int, int], ...]) -> Callable[[int], bool]:
    """Whether a UID is in one of the ranges."""
    merged = merge_ranges(ranges)
    lows = [low for low, _ in merged]
    highs = [high for _, high in merged]

    def test(uid: int) -> bool:
        at = bisect_right(lows, uid)
        return at > 0 and uid <= highs[at - 1]

    return test


def merge_ranges(ranges: tuple[tuple[int, int], ...]) -> list[tuple[int, int]]:
    """The same UIDs as ascending ranges that do not touch."""
    merged: list[tuple[int, int]] = []
    for low, high in sorted((min(pair), max(pair)) for pair in ranges):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], high))
        else:
            merged.append((low, high))
    return merged


def _row_test(node: c.Criterion, context: Context) -> Test[Row] | None:
    """A test of facts that stand in the hot row; None for other criteria."""
    match node:
        case c.Flags(mask):
            return lambda row: row.flags & mask == mask
        case c.Keyword(name):
            wanted = name.casefold()
            return lambda row: any(keyword.casefold() == wanted for keyword in row.keywords)
        case c.Larger(size):
            return lambda row: row.size > size
        case c.Smaller(size):
            return lambda row: row.size < size
        case c.Younger(seconds):  # RFC 5032 3
            start = context.now - seconds * times.TICKS_PER_SECOND
            return lambda row: row.received >= start
        case c.Older(seconds):
            start = context.now - seconds * times.TICKS_PER_SECOND
            return lambda row: row.received <= start
        case c.ModSeq(value):
            return lambda row: row.mod >= value
        case c.EmailId(value):
            return lambda row: row.email_id == value
        case c.ThreadId(value):
            return lambda row: row.thread_id == value
        case c.Dated(c.DateField.RECEIVED, relation, day):
            low, high = _moments(relation, day, context.zone)
            return lambda row: low <= row.received < high
        case c.Dated(c.DateField.SAVED, relation, day):
            low, high = _moments(relation, day, context.zone)
            return lambda row: low <= row.saved < high
    return None


def _moments(relation: c.Relation, day: date, zone: tzinfo) -> tuple[int, int]:
    """The FILETIMEs, from and below, that the relation to a day allows."""
    start = _midnight(day, zone)
    end = _midnight(day + timedelta(days=1), zone) if day < date.max else times.MAX_FILETIME
    return {
        c.Relation.BEFORE: (0, start),
        c.Relation.ON: (start, end),
        c.Relation.SINCE: (start, times.MAX_FILETIME),
    }[relation]


def _midnight(day: date, zone: tzinfo) -> int:
    return times.from_datetime(datetime(day.year, day.month, day.day, tzinfo=zone))


def _text_test(node: c.Criterion) -> Test[Facts]:
    """A test of texts."""
    match node:
        case c.Subject(text):
            subject = fold(text)
            return lambda facts: subject in fold(facts.subject())
        case c.Address(kind, text):
            address = fold(text)
            return lambda facts: address in fold(facts.addresses(kind))
        case c.Header(name, text):
            key = fold(text)
            return lambda facts: any(key in fold(value) for value in facts.fields(name))
        case c.Body(text):
            return _glimpsed(text, header=False)
        case c.Text(text):
            return _glimpsed(text, header=True)
        case c.Dated(_, relation, day):
            return lambda facts: _compare(facts.sent_day(), relation, day)
    raise TypeError(f"not a criterion: {type(node).__name__}")


def _glimpsed(text: str, *, header: bool) -> Test[Facts]:
    """A test of the body, with or without the header: by raw bytes if they tell, else by what they mean."""
    whole = fold(text)
    key = key_of(whole)

    def test(facts: Facts) -> bool:
        if key is not None and (verdict := facts.glimpse(key, header=header)) is not None:
            return verdict
        if header:
            return contains(whole, chain(facts.header(), ("\n",), facts.body()))
        return contains(whole, facts.body())

    return test


def _compare(sent: date | None, relation: c.Relation, day: date) -> bool:
    if sent is None:
        return False
    return {
        c.Relation.BEFORE: sent < day,
        c.Relation.ON: sent == day,
        c.Relation.SINCE: sent >= day,
    }[relation]
