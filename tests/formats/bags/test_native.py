"""The C twin of packed bags: the same values, the same errors at the same offsets."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.formats.bags import _native, reference
from appliance.mapi import types as t
from appliance.wire.errors import DecodeError, EncodeError
from tests.formats.bags.test_bags import property_bags
from tests.fuzz.seeds import built
from tests.kit import Codec, Vector, codec_tests
from tests.sanitized import fuzz_driver

VECTOR = Vector(
    "layout",
    bytes.fromhex("01020200030017001f003700" + "04000600" + "01000000c3a9"),
    {0x00170003: 1, 0x0037001F: "é"},
)

TestBags = codec_tests(
    Codec(
        decode=reference.unpack,
        encode=reference.pack,
        values=property_bags(),
        vectors=[VECTOR],
        native_decode=_native.unpack,
        native_encode=_native.pack,
        same=lambda left, right: reference.pack(left) == reference.pack(right),  # NaNs are not equal
    )
)


def outcome(work: Callable[[], Any]) -> Any:
    """A value, or everything that an error says."""
    try:
        value = work()
    except DecodeError as error:
        return "error", error.what, error.offset
    except EncodeError as error:
        return "error", error.what
    except (TypeError, OverflowError) as error:
        return "error", type(error).__name__
    return repr(value)


@given(property_bags(), st.data())
def test_single_values_of_damaged_bags(bag: t.Bag, data: st.DataObject) -> None:
    packed = bytearray(reference.pack(bag))
    for _ in range(data.draw(st.integers(0, 4))):
        packed[data.draw(st.integers(0, len(packed) - 1))] = data.draw(st.integers(0, 255))
    changed = bytes(packed[: data.draw(st.integers(0, len(packed)))] if data.draw(st.booleans()) else packed)
    assert outcome(lambda: _native.tags(changed)) == outcome(lambda: reference.tags(changed))
    assert outcome(lambda: _native.unpack(changed)) == outcome(lambda: reference.unpack(changed))
    wanted = [*bag, 0x0037001F, 0x0037FFFF]
    for tag in wanted:
        assert outcome(lambda tag=tag: _native.get(changed, tag)) == outcome(  # type: ignore[misc]
            lambda tag=tag: reference.get(changed, tag)  # type: ignore[misc]
        )
    assert outcome(lambda: _native.get_many(changed, wanted)) == outcome(
        lambda: reference.get_many(changed, wanted)
    )


STRANGE: list[Any] = [
    None, True, False, 0, 1, -1, 2, 1.0, 0.5, 1e300, float("inf"), 2**15, -(2**15), -(2**15) - 1, 2**16,
    2**31, 2**32, 2**63, 2**64, -(2**63), -(2**63) - 1, "", "x", "\ud800", b"", b"x", b"x" * 16, "x" * 16,
    bytearray(b"ab"), memoryview(b"ab"), [1, 2], (1, -2), ("a", "b"), (b"a",), (b"g" * 16,), ("a", 1), {1: 2},
    [0] * 16, object, (None,), (1.5,), iter(()), range(3), ["a"],
]  # fmt: skip


@pytest.mark.parametrize("kind", [*sorted(reference.PACKABLE_TYPES), 0x001E, 0x0000, 0x100B, 0x2000])
def test_values_that_fit_and_values_that_do_not(kind: int) -> None:
    for value in STRANGE:
        bag = {0x0037 << 16 | kind: value}
        assert outcome(lambda bag=bag: _native.pack(bag)) == outcome(lambda bag=bag: reference.pack(bag)), (
            value
        )  # type: ignore[misc]


def test_bags_that_are_none() -> None:
    for bag in ({-1: 1}, {1 << 40 | 3: 1}, {"a": 1}, {3: 1, "a": 1}, [], {2**80 | 0x0003: 1}, 5):
        assert outcome(lambda bag=bag: _native.pack(bag)) == outcome(lambda bag=bag: reference.pack(bag)), bag  # type: ignore[misc]
    many: Any = {number << 16 | 0x0003: 0 for number in range(0x10000)}
    assert outcome(lambda: _native.pack(many)) == outcome(lambda: reference.pack(many))
    for tag in (-1, 2**32, 2**70):
        with pytest.raises(OverflowError):
            _native.get(VECTOR.data, tag)


def test_wide_bags() -> None:
    for size in (0xFFFE, 0xFFFF, 0x10000):
        bag: t.Bag = {0x00370102: b"x" * size, 0x00380003: 7}
        assert _native.pack(bag) == reference.pack(bag)
        assert _native.unpack(_native.pack(bag)) == bag


@pytest.mark.slow
def test_fuzz_under_sanitizers(tmp_path: Path) -> None:
    seeds = built(property_bags(), reference.pack)()
    fuzz_driver(tmp_path, ["bags/fuzz.c", "bags/bags.c"], seeds, 300)
