"""Packed bags: one form for each bag, read back whole or piecewise, and nothing else is accepted."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.formats import bags
from appliance.mapi import types as t
from appliance.mapi.tags import PidTagImportance, PidTagMessageDeliveryTime, PidTagSubject
from appliance.wire.errors import DecodeError, EncodeError

_i16 = st.integers(-(2**15), 2**15 - 1)
_i32 = st.integers(-(2**31), 2**31 - 1)
_i64 = st.integers(-(2**63), 2**63 - 1)
_u64 = st.integers(0, 2**64 - 1)
_f32 = st.floats(width=32, allow_nan=False)
_f64 = st.floats(allow_nan=False)
_text = st.text(st.characters())
_guid = st.binary(min_size=16, max_size=16)


def _tuples(values: st.SearchStrategy[object]) -> st.SearchStrategy[tuple[object, ...]]:
    return st.lists(values, max_size=5).map(tuple)


VALUES: dict[int, st.SearchStrategy[object]] = {
    t.PtypNull: st.none(),
    t.PtypInteger16: _i16,
    t.PtypInteger32: _i32,
    t.PtypFloating32: _f32,
    t.PtypFloating64: _f64,
    t.PtypCurrency: _i64,
    t.PtypFloatingTime: _f64,
    t.PtypErrorCode: st.integers(0, 2**32 - 1),
    t.PtypBoolean: st.booleans(),
    t.PtypObject: st.binary(),
    t.PtypInteger64: _i64,
    t.PtypString: _text,
    t.PtypTime: _u64,
    t.PtypGuid: _guid,
    t.PtypServerId: st.binary(),
    t.PtypRestriction: st.binary(),
    t.PtypRuleAction: st.binary(),
    t.PtypBinary: st.binary(),
    t.PtypMultipleInteger16: _tuples(_i16),
    t.PtypMultipleInteger32: _tuples(_i32),
    t.PtypMultipleFloating32: _tuples(_f32),
    t.PtypMultipleFloating64: _tuples(_f64),
    t.PtypMultipleCurrency: _tuples(_i64),
    t.PtypMultipleFloatingTime: _tuples(_f64),
    t.PtypMultipleInteger64: _tuples(_i64),
    t.PtypMultipleTime: _tuples(_u64),
    t.PtypMultipleGuid: _tuples(_guid),
    t.PtypMultipleString: _tuples(_text),
    t.PtypMultipleBinary: _tuples(st.binary()),
}


@st.composite
def property_bags(draw: st.DrawFn) -> t.Bag:
    """Any bag that can be packed."""
    tags = draw(
        st.lists(st.tuples(st.integers(0, 0xFFFF), st.sampled_from(sorted(VALUES))), max_size=12, unique=True)
    )
    return {
        property_id << 16 | property_type: draw(VALUES[property_type]) for property_id, property_type in tags
    }


@given(property_bags())
def test_every_bag_comes_back(bag: t.Bag) -> None:
    packed = bags.pack(bag)
    assert bags.unpack(packed) == bag
    assert bags.tags(packed) == tuple(sorted(bag))
    assert bags.get_many(packed, bag) == list(bag.values())
    for tag, value in bag.items():
        assert bags.get(packed, tag) == value
    assert bags.pack(dict(reversed(bag.items()))) == packed


@given(property_bags())
def test_every_truncation_and_every_trailing_byte_is_refused(bag: t.Bag) -> None:
    packed = bags.pack(bag)
    for length in range(len(packed)):
        with pytest.raises(DecodeError):
            bags.unpack(packed[:length])
    with pytest.raises(DecodeError):
        bags.unpack(packed + b"\0")


@given(property_bags(), st.data())
def test_whatever_is_accepted_is_the_one_form(bag: t.Bag, data: st.DataObject) -> None:
    packed = bytearray(bags.pack(bag))
    for _ in range(data.draw(st.integers(1, 3))):
        packed[data.draw(st.integers(0, len(packed) - 1))] = data.draw(st.integers(0, 255))
    changed = bytes(packed)
    for tag in bag:
        with suppress(DecodeError):
            bags.get(changed, tag)
    try:
        read = bags.unpack(changed)
    except DecodeError as error:
        _check_offset(error, changed)
        return
    assert bags.pack(read) == changed or any(value != value for value in _floats(read))


def _check_offset(error: DecodeError, data: bytes) -> None:
    assert 0 <= error.offset <= len(data)


def _floats(bag: t.Bag) -> list[float]:
    return [
        number
        for value in bag.values()
        for number in (value if isinstance(value, tuple) else (value,))
        if isinstance(number, float)
    ]


def test_the_bytes_are_those_of_the_layout() -> None:
    packed = bags.pack({PidTagSubject: "é", PidTagImportance: 1})
    assert packed.hex(" ") == "01 02 02 00 03 00 17 00 1f 00 37 00 04 00 06 00 01 00 00 00 c3 a9"


def test_big_values_widen_the_offsets() -> None:
    bag: t.Bag = {PidTagSubject: "x" * 70_000, PidTagMessageDeliveryTime: 5}
    packed = bags.pack(bag)
    assert packed[1] == 4
    assert len(packed) == 4 + 2 * 8 + 70_000 + 8
    assert bags.unpack(packed) == bag
    assert bags.get(packed, PidTagMessageDeliveryTime) == 5


def test_a_tag_that_lies_across_two_others_is_not_found() -> None:
    packed = bags.pack({0x0037001F: "a", 0x0E1D001F: "b"})
    assert bags.get(packed, 0x001F0037) is None
    assert bags.get(packed, 0x0E1D001F) == "b"


@pytest.mark.parametrize(
    ("tag", "value"),
    [
        (0x0037001E, "String8 ends at the edges"),
        (0x00370000, None),
        (0x0017_0003, 2**32),
        (0x0017_0003, "1"),
        (0x0017_0003, None),
        (0x0E06_0040, -1),
        (0x0E1B_000B, 2),
        (0x0037_001F, b"bytes"),
        (0x0037_001F, None),
        (0x0FFF_0102, "text"),
        (0x0FFF_0102, 5),
        (0x0FFF_0048, bytes(15)),
        (0x0FFF_1102, b"not a tuple"),
        (0x0FFF_101F, "not a tuple"),
        (0x1_0000_0003, 1),
    ],
)
def test_values_that_do_not_fit_are_refused(tag: int, value: t.Value) -> None:
    with pytest.raises(EncodeError):
        bags.pack({tag: value})


def test_signed_fields_take_the_unsigned_number_with_the_same_bits() -> None:
    assert bags.unpack(bags.pack({PidTagImportance: 0xFFFFFFFE})) == {PidTagImportance: -2}
