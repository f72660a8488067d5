"""What restrictions mean (MS-OXCDATA 2.12): each compiled to a predicate over an object's properties.

`compiled(restriction)` gives a function of an `Object`: how to get one property (None when there is none) and
how to reach its recipients and attachments. Rules that hold throughout:

- A comparison with a property that the object does not have is false, also for "not equal"; only Exist and
  Not turn absence into truth.
- Strings compare without regard to case, as the store sorts them; binary values byte by byte. Content
  does so where it asks for it, and for message classes.
- A multi-valued property compared with a single value is true when any of its values is; compared with a
  multi-value, the whole tuples are compared.
- Values of types that cannot be compared are never equal and never ordered.
"""

import operator
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from appliance.mapi import restrictions as r
from appliance.mapi import tags
from appliance.mapi import types as t

Getter = Callable[[int], t.Value]


@dataclass(frozen=True, slots=True)
class Object:
    """What a predicate looks at. `children` gives the getters of a table of sub-objects by its tag;
    `is_member` answers whether an entry id belongs to a distribution list (address book only)."""

    get: Getter
    children: Callable[[int], Iterable[Getter]] = lambda _tag: ()
    is_member: Callable[[bytes], bool] = lambda _entry_id: False


Predicate = Callable[[Object], bool]

_COMPARE: dict[r.RelOp, Callable[[Any, Any], bool]] = {
    r.RelOp.LT: operator.lt,
    r.RelOp.LE: operator.le,
    r.RelOp.GT: operator.gt,
    r.RelOp.GE: operator.ge,
    r.RelOp.EQ: operator.eq,
    r.RelOp.NE: operator.ne,
}


def matches(restriction: r.Restriction, get: Getter) -> bool:
    """Whether an object with these properties and without sub-objects fulfils the restriction."""
    return compiled(restriction)(Object(get))


def compiled(restriction: r.Restriction) -> Predicate:
    """The predicate of a restriction: compile once, use for many objects."""
    match restriction:
        case r.And(parts):
            predicates = [compiled(part) for part in parts]
            return lambda item: all(predicate(item) for predicate in predicates)
        case r.Or(parts):
            predicates = [compiled(part) for part in parts]
            return lambda item: any(predicate(item) for predicate in predicates)
        case r.Not(part):
            inner = compiled(part)
            return lambda item: not inner(item)
        case r.SubObject(tag, part):
            return _sub_object(tag, compiled(part))
        case r.Comment(_, inside) if inside is not None:
            return compiled(inside)
        case r.Count(_, part):
            return compiled(part)
        case r.Content():
            return _content(restriction)
        case r.Property():
            return _property(restriction)
        case r.CompareProperties(relation, left, right):
            return _compare_properties(relation, left, right)
        case r.BitMask(nonzero, tag, mask):
            return _bit_mask(nonzero, tag, mask)
        case r.Size(relation, tag, size):
            return _size(relation, tag, size)
        case r.Exist(tag):
            return lambda item: item.get(tag) is not None
        case r.Comment():
            return lambda _item: True
    raise TypeError(f"{restriction!r} is no restriction")


def _sub_object(tag: int, inner: Predicate) -> Predicate:
    return lambda item: any(inner(Object(child)) for child in item.children(tag))


def _bit_mask(nonzero: bool, tag: int, mask: int) -> Predicate:
    def predicate(item: Object) -> bool:
        value = item.get(tag)
        return isinstance(value, int) and bool(value & mask) == nonzero

    return predicate


def comparable(value: Any) -> Any:
    """A value in the form in which values of its kind are compared: strings without case."""
    if isinstance(value, str):
        return value.casefold()
    if isinstance(value, tuple):
        return tuple(comparable(one) for one in value)
    return value


def _related(compare: Callable[[Any, Any], bool], left: Any, right: Any) -> bool:
    """Whether two comparable values stand in the relation; values of different kinds never do."""
    try:
        return compare(left, right) if _kind(left) is _kind(right) else False
    except TypeError:  # tuples of different kinds
        return False


def _kind(value: Any) -> type:
    return float if isinstance(value, int | float) else type(value)


def _property(restriction: r.Property) -> Predicate:
    tag = restriction.tag
    wanted = comparable(restriction.value)
    if restriction.operator == r.RelOp.MEMBER_OF_DL:
        return lambda item: isinstance(restriction.value, bytes) and item.is_member(restriction.value)
    compare = _COMPARE.get(restriction.operator)
    if compare is None:
        return lambda _item: False

    def predicate(item: Object) -> bool:
        value = item.get(tag)
        if value is None:
            return False
        if isinstance(value, tuple) and not isinstance(wanted, tuple):
            return any(_related(compare, comparable(one), wanted) for one in value)
        return _related(compare, comparable(value), wanted)

    return predicate


def _compare_properties(relation: r.RelOp, left: int, right: int) -> Predicate:
    compare = _COMPARE.get(relation)

    def predicate(item: Object) -> bool:
        one, other = item.get(left), item.get(right)
        if compare is None or one is None or other is None:
            return False
        return _related(compare, comparable(one), comparable(other))

    return predicate


def size_of(value: t.Value, property_type: int) -> int:
    """A value's size in bytes as Size restrictions count it: strings in UTF-16 without terminator."""
    if isinstance(value, tuple):
        return sum(size_of(one, t.element_type(property_type)) for one in value)
    if isinstance(value, str):
        return len(value.encode("utf-16-le", "surrogatepass"))
    if isinstance(value, bytes):
        return len(value)
    return _FIXED_SIZES.get(property_type, 8)


_FIXED_SIZES = {
    t.PtypInteger16: 2,
    t.PtypInteger32: 4,
    t.PtypFloating32: 4,
    t.PtypErrorCode: 4,
    t.PtypBoolean: 1,
}


def _size(relation: r.RelOp, tag: int, size: int) -> Predicate:
    compare = _COMPARE.get(relation)

    def predicate(item: Object) -> bool:
        value = item.get(tag)
        return compare is not None and value is not None and compare(size_of(value, t.type_of(tag)), size)

    return predicate


def without_marks(text: str) -> str:
    """The text without its non-spacing characters: accents and the like (IGNORE_NON_SPACE)."""
    decomposed = unicodedata.normalize("NFD", text)
    return "".join(char for char in decomposed if unicodedata.category(char) != "Mn")


def fuzzy_flags(restriction: r.Content) -> r.FuzzyFlags:
    """The flags of a Content restriction. Message classes have no case (MS-OXCMSG 2.2.1.3)."""
    if restriction.tag & ~t.MULTIPLE_FLAG == tags.PidTagMessageClass:
        return restriction.flags | r.FuzzyFlags.IGNORE_CASE
    return restriction.flags


def folding(flags: r.FuzzyFlags) -> Callable[[Any], Any]:
    """What a Content restriction does to strings and bytes before it compares them (2.12.4.1)."""
    loose = bool(flags & r.FuzzyFlags.LOOSE)
    ignore_case = loose or bool(flags & r.FuzzyFlags.IGNORE_CASE)
    ignore_marks = loose or bool(flags & r.FuzzyFlags.IGNORE_NON_SPACE)

    def fold(value: Any) -> Any:
        if isinstance(value, str):
            if ignore_marks:
                value = without_marks(value)
            return value.casefold() if ignore_case else value
        return value.lower() if ignore_case and isinstance(value, bytes) else value

    return fold


def _content(restriction: r.Content) -> Predicate:
    """Content (2.12.4): full, substring or prefix match of a string or of bytes."""
    fold = folding(fuzzy_flags(restriction))
    wanted = fold(restriction.value)
    level = restriction.fuzzy & 0x000F

    def holds(value: Any) -> bool:
        value = fold(value)
        if type(value) is not type(wanted) or not isinstance(value, str | bytes):
            return False
        if level == r.Fuzzy.SUBSTRING:
            return wanted in value
        if level == r.Fuzzy.PREFIX:
            return bool(value.startswith(wanted))
        return bool(value == wanted)

    def predicate(item: Object) -> bool:
        value = item.get(restriction.tag)
        return any(map(holds, value)) if isinstance(value, tuple) else holds(value)

    return predicate
