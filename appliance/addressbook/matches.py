"""What NspiGetMatches finds: the rows of a container that a restriction is true for, and what a table-valued
property of an object holds (MS-OXNSPI 3.1.4.1.10, 3.1.4.4.2).

A restriction is evaluated row by row in the order of its table; names, object types and name resolution
(PidTagAnr) are answered without reading the entry. Strings compare as the address book compares them, 8-bit
ones as buffers. What the protocol has no meaning for, and more than MAX_TERMS, is TooComplex.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace

from appliance.addressbook import collation, objects
from appliance.addressbook.objects import Reader
from appliance.addressbook.snapshot import Snapshot
from appliance.directory import anr, entries, properties, resolve
from appliance.directory.model import Entry, Glance
from appliance.mapi import entryids, errors, matching, tags
from appliance.mapi import restrictions as r
from appliance.mapi import types as t
from appliance.wire.errors import DecodeError

MAX_TERMS = 500
"""Parts of a restriction, at most."""

_COMPLEX = (r.SubObject, r.Comment, r.Count)
_BUFFERS = frozenset({t.id_of(tags.PidTagAddressBookDisplayNamePrintable)})
"""Ids of the properties that are natively 8-bit strings, with regard to case (3.1.4.3.1)."""

Test = Callable[["_Row"], bool]


class _Row:
    """An entry under test; read when a property needs it."""

    __slots__ = ("_entry", "fact", "mid", "reader")

    def __init__(self, reader: Reader, mid: int, fact: Glance) -> None:
        self.reader = reader
        self.mid = mid
        self.fact = fact
        self._entry: Entry | None = None

    def get(self, tag: int) -> t.Value:
        """A property in the form that restrictions compare."""
        if tag == tags.PidTagDisplayName:
            return collation.comparable(self.fact.name)
        shape = properties.SHAPES[self.fact.kind]
        if tag == tags.PidTagObjectType:
            return shape.object_type
        if tag == tags.PidTagDisplayType:
            return int(shape.display_type)
        known = objects.known_tag(tag)
        entry = self.entry()
        return None if known is None or entry is None else comparable(tag, self.reader.value(entry, known))

    def entry(self) -> Entry | None:
        """The entry; None when it went meanwhile."""
        if self._entry is None:
            self._entry = entries.find(self.reader.txn, self.mid)
        return self._entry

    def is_member(self, entry_id: bytes) -> bool:
        """Whether the entry is in the group of an entry id, directly or through groups."""
        group, entry = entry_of(self.reader, entry_id), self.entry()
        return (
            group is not None
            and entry is not None
            and group.is_group
            and resolve.is_member(self.reader.txn, group, entry)
        )


def comparable(tag: int, value: t.Value) -> t.Value:
    """A value as restrictions compare it (3.1.4.3.5)."""
    if isinstance(value, str):
        return collation.buffer_weight(value) if t.id_of(tag) in _BUFFERS else collation.comparable(value)
    if isinstance(value, tuple):
        return tuple(comparable(tag, one) for one in value)  # type: ignore[return-value]
    return value


def restricted(
    reader: Reader, snapshot: Snapshot, mids: Iterable[int], restriction: r.Restriction
) -> list[int]:
    """Those of `mids` that the restriction is true for, in their order. Raises MapiError(TooComplex)."""
    test = _compile(reader, restriction, [MAX_TERMS])
    known = ((mid, snapshot.facts.get(mid)) for mid in mids)
    return [mid for mid, fact in known if fact is not None and test(_Row(reader, mid, fact))]


def _compile(reader: Reader, restriction: r.Restriction, left: list[int]) -> Test:
    left[0] -= 1
    if left[0] < 0 or isinstance(restriction, _COMPLEX):
        raise errors.MapiError(errors.ecTooComplex)
    match restriction:
        case r.And(parts):
            tests = [_compile(reader, part, left) for part in parts]
            return lambda row: all(test(row) for test in tests)
        case r.Or(parts):
            tests = [_compile(reader, part, left) for part in parts]
            return lambda row: any(test(row) for test in tests)
        case r.Not(part):
            inner = _compile(reader, part, left)
            return lambda row: not inner(row)
        case r.Content() | r.Property() if t.id_of(restriction.tag) == t.id_of(tags.PidTagAnr):
            return _resolving(reader, restriction.value)
        case r.Content():
            return _content(restriction)
        case r.Property(_, tag, _, value):
            return _leaf(replace(restriction, value=comparable(tag, value)))
    return _leaf(restriction)


def _leaf(restriction: r.Restriction) -> Test:
    predicate = matching.compiled(restriction)
    return lambda row: predicate(matching.Object(row.get, is_member=row.is_member))


def _content(restriction: r.Content) -> Test:
    if t.id_of(restriction.tag) not in _BUFFERS:
        return _leaf(replace(restriction, value=comparable(restriction.tag, restriction.value)))
    predicate = matching.compiled(restriction)  # a pattern in an 8-bit string: its characters, not its weight

    def test(row: _Row) -> bool:
        entry, known = row.entry(), objects.known_tag(restriction.tag)
        value = None if entry is None or known is None else row.reader.value(entry, known)
        return predicate(matching.Object(lambda _tag: value))

    return test


def _resolving(reader: Reader, value: t.Value) -> Test:
    """PidTagAnr: what name resolution finds (MS-OXOABK 2.2.3.39)."""
    found = {entry.id for entry in anr.find(reader.txn, value)} if isinstance(value, str) and value else set()
    return lambda row: row.mid in found


def related(reader: Reader, entry: Entry, tag: int) -> list[int]:
    """The Minimal Entry IDs that a table-valued property holds. Raises MapiError(NotSupported) for a property
    whose values lead to no objects."""
    table = t.with_type(tag, t.PtypObject)
    if table not in properties.RELATED_TAGS:
        raise errors.MapiError(errors.ecNotSupported, tags.name_of(tag))
    return [other.id for other in properties.related(reader.txn, entry, table)]


def entry_of(reader: Reader, entry_id: bytes) -> Entry | None:
    """The entry of a permanent or ephemeral entry id; None for others. The display type is not looked at."""
    try:
        parsed = entryids.parse(entry_id)
    except DecodeError:
        return None
    if isinstance(parsed, entryids.PermanentEntryId):
        return entries.by_legacy_dn(reader.txn, parsed.dn)
    if isinstance(parsed, entryids.EphemeralEntryId) and parsed.server == reader.server:
        return entries.find(reader.txn, parsed.mid)
    return None
