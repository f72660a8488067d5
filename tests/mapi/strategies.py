"""Hypothesis strategies for the vocabulary of MAPI."""

from typing import Any

from hypothesis import strategies as st

from appliance.mapi import restrictions as r
from appliance.mapi import types as t
from appliance.mapi.ids import MAX_COUNTER, Xid
from appliance.mapi.idset import IdSet, RangeSet
from appliance.mapi.rows import ABSENT, PropertyError
from appliance.mapi.sorts import Direction, SortOrder, SortOrderSet
from appliance.mapi.values import TypedValue

guids = st.binary(min_size=16, max_size=16)
texts = st.text(st.characters(min_codepoint=1), max_size=20)
latin = st.text(st.characters(codec="cp1252", min_codepoint=1), max_size=20)
blobs = st.binary(max_size=40)


def _signed(bits: int) -> st.SearchStrategy[int]:
    return st.integers(-(1 << bits - 1), (1 << bits - 1) - 1)


SINGLE: dict[int, st.SearchStrategy[Any]] = {
    t.PtypInteger16: _signed(16),
    t.PtypInteger32: _signed(32),
    t.PtypFloating32: st.floats(width=32, allow_nan=False),
    t.PtypFloating64: st.floats(allow_nan=False),
    t.PtypCurrency: _signed(64),
    t.PtypFloatingTime: st.floats(allow_nan=False),
    t.PtypInteger64: _signed(64),
    t.PtypString8: latin,
    t.PtypString: texts,
    t.PtypTime: st.integers(0, 2**64 - 1),
    t.PtypGuid: guids,
    t.PtypBinary: blobs,
}
VALUES: dict[int, st.SearchStrategy[Any]] = {
    **SINGLE,
    **{kind | t.MULTIPLE_FLAG: st.lists(one, max_size=4).map(tuple) for kind, one in SINGLE.items()},
    t.PtypNull: st.none(),
    t.PtypErrorCode: st.integers(0, 2**32 - 1),
    t.PtypBoolean: st.booleans(),
    t.PtypServerId: blobs,
}


@st.composite
def tagged(draw: st.DrawFn, unicode_only: bool = True) -> tuple[int, Any]:
    """A property tag and a value of its type."""
    kinds = [kind for kind in sorted(VALUES) if not unicode_only or t.element_type(kind) != t.PtypString8]
    kind = draw(st.sampled_from(kinds))
    return draw(st.integers(0, 0xFFFF)) << 16 | kind, draw(VALUES[kind])


@st.composite
def typed(draw: st.DrawFn) -> TypedValue:
    """A value that carries its type."""
    tag, value = draw(tagged(unicode_only=False))
    return TypedValue(tag & 0xFFFF, value)


@st.composite
def rows(draw: st.DrawFn) -> tuple[list[int], list[Any]]:
    """Columns and cells, some without value, some of type Unspecified."""
    columns, cells = [], []
    for tag, value in draw(st.lists(tagged(unicode_only=False), max_size=6)):
        cell: Any = value
        if draw(st.integers(0, 4)) == 0:
            cell = TypedValue(tag & 0xFFFF, value)
            tag &= 0xFFFF0000
        if draw(st.integers(0, 5)) == 0:
            cell = draw(st.sampled_from([ABSENT, PropertyError(0x8004010F)]))
        columns.append(tag)
        cells.append(cell)
    return columns, cells


_tags = st.integers(0, 2**32 - 1).map(t.unicode_tag)
_operators = st.sampled_from(r.RelOp)


@st.composite
def _leaves(draw: st.DrawFn) -> r.Restriction:
    kind = draw(st.integers(0, 5))
    if kind == 0:
        flags = r.FuzzyFlags(draw(st.integers(0, 7)))
        return r.Content(draw(st.sampled_from([0, 1, 2])), flags, draw(_tags), *draw(tagged()))
    if kind == 1:
        return r.Property(draw(_operators), draw(_tags), *draw(tagged()))
    if kind == 2:
        return r.CompareProperties(draw(_operators), draw(_tags), draw(_tags))
    if kind == 3:
        return r.BitMask(draw(st.booleans()), draw(_tags), draw(st.integers(0, 2**32 - 1)))
    if kind == 4:
        return r.Size(draw(_operators), draw(_tags), draw(st.integers(0, 2**32 - 1)))
    return r.Exist(draw(_tags))


def _branches(parts: st.SearchStrategy[r.Restriction]) -> st.SearchStrategy[r.Restriction]:
    several = st.lists(parts, max_size=4).map(tuple)
    return st.one_of(
        several.map(r.And),
        several.map(r.Or),
        parts.map(r.Not),
        st.builds(r.SubObject, _tags, parts),
        st.builds(r.Comment, st.lists(tagged(), max_size=3).map(tuple), st.none() | parts),
        st.builds(r.Count, st.integers(0, 2**32 - 1), parts),
    )


restrictions: st.SearchStrategy[r.Restriction] = st.recursive(_leaves(), _branches, max_leaves=8)

counters = st.one_of(st.integers(0, 40), st.integers(0, 70_000), st.integers(0, MAX_COUNTER))
ranges = st.tuples(counters, st.sampled_from([0, 0, 1, 3, 9, 300])).map(
    lambda pair: (pair[0], min(pair[0] + pair[1], MAX_COUNTER))
)
range_sets = st.lists(ranges, max_size=20).map(RangeSet)
id_sets = st.dictionaries(st.integers(0, 0xFFFF), range_sets, max_size=3).map(lambda sets: IdSet({**sets}))
guid_sets = st.dictionaries(guids, range_sets, max_size=3).map(lambda sets: IdSet({**sets}))
xids = st.builds(Xid, guids, st.binary(min_size=6, max_size=6))
few_xids = st.builds(
    Xid,
    st.sampled_from([bytes(16), b"\1" * 16, b"\2" * 16]),
    st.sampled_from([bytes(5) + bytes([n]) for n in range(4)]),
)


@st.composite
def sort_order_sets(draw: st.DrawFn) -> SortOrderSet:
    """Sort orders whose counts agree."""
    orders = draw(
        st.lists(st.builds(SortOrder, st.integers(0, 2**32 - 1), st.sampled_from(Direction)), max_size=6)
    )
    categorized = draw(st.integers(0, len(orders)))
    return SortOrderSet(tuple(orders), categorized, draw(st.integers(0, categorized)))
