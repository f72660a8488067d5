"""The codec test kit: one call gives a codec all the tests that every codec owes.

    VECTORS = [Vector("3.1 example", bytes.fromhex("..."), expected)]
    test_codec = codec_tests(Codec(decode=parse, encode=render, vectors=VECTORS, values=strategy))

The call returns a class of tests: vectors both ways, round trip of generated values, every truncation of them
refused, trailing bytes refused (unless the form has no end of its own), changed bytes either refused with a
declared error whose offset lies in the input or decoded to something that encodes to a fixed point, the same
bytes in one piece and byte by byte (where the codec is incremental), and a native twin against the reference:
same values, same errors at the same offsets.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.wire.errors import DecodeError

MAX_TRUNCATIONS = 200


@dataclass(frozen=True)
class Vector:
    """Bytes from outside (a specification's example, a capture) and what they mean."""

    source: str
    data: bytes
    value: Any
    # False where the bytes are legal but not those that our encoder chooses.
    canonical: bool = True


@dataclass(frozen=True)
class Codec:
    """What is under test. `decode` takes all of its input or raises one of `errors`."""

    decode: Callable[[bytes], Any]
    encode: Callable[[Any], bytes] | None = None
    values: st.SearchStrategy[Any] | None = None
    vectors: Sequence[Vector] = ()
    errors: tuple[type[Exception], ...] = (DecodeError,)
    # Whether a prefix may be a legal input of its own, and whether more bytes may follow.
    prefix_is_legal: bool = False
    # Incremental form: fed with pieces, gives what `decode` gives.
    feed: Callable[[Sequence[bytes]], Any] | None = None
    # The native twin of `decode` (or `encode`): compared on every input.
    native_decode: Callable[[bytes], Any] | None = None
    native_encode: Callable[[Any], bytes] | None = None
    same: Callable[[Any, Any], bool] = field(default=lambda left, right: left == right)


_SLOW = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def outcome(
    decode: Callable[[bytes], Any], data: bytes, errors: tuple[type[Exception], ...]
) -> tuple[str, Any]:
    """("value", v), or ("error", (kind, offset)); any other exception is a finding and passes through."""
    try:
        return "value", decode(data)
    except errors as error:
        offset = getattr(error, "offset", None)
        check_offset(offset, data)
        return "error", (type(error).__name__, offset)


def check_offset(offset: int | None, data: bytes) -> None:
    """An error's offset lies in the input or at its end."""
    assert offset is None or 0 <= offset <= len(data), offset


def pieces_of(data: bytes) -> list[list[bytes]]:
    """The same bytes whole, byte by byte, and in two parts."""
    half = len(data) // 2
    return [[data], [data[i : i + 1] for i in range(len(data))], [data[:half], data[half:]]]


def codec_tests(codec: Codec) -> type:
    """A test class for the codec; assign it to a module-level name that begins with Test."""

    class TestCodec:
        """The tests of one codec."""

    if codec.vectors:

        def test_vector(self: object, vector: Vector) -> None:
            _check_vector(codec, vector)

        def test_damaged_vectors(self: object, data: st.DataObject) -> None:
            _mutate_and_check(codec, data.draw(st.sampled_from([v.data for v in codec.vectors])), data)

        by_source = pytest.mark.parametrize("vector", codec.vectors, ids=[v.source for v in codec.vectors])
        TestCodec.test_vector = by_source(test_vector)  # type: ignore[attr-defined]
        TestCodec.test_damaged_vectors = _SLOW(given(data=st.data())(test_damaged_vectors))  # type: ignore[attr-defined]
    if codec.values is not None and codec.encode is not None:
        _add_generated(TestCodec, codec, codec.values, codec.encode)
    return TestCodec


def _check_vector(codec: Codec, vector: Vector) -> None:
    value = codec.decode(vector.data)
    assert codec.same(value, vector.value), value
    if vector.canonical and codec.encode is not None:
        assert codec.encode(vector.value) == vector.data
    if codec.native_decode is not None:
        assert codec.same(codec.native_decode(vector.data), vector.value)
    if codec.feed is not None:
        for pieces in pieces_of(vector.data):
            assert codec.same(codec.feed(pieces), vector.value)


def _add_generated(
    tests: type, codec: Codec, values: st.SearchStrategy[Any], encode: Callable[[Any], bytes]
) -> None:
    def test_round_trip(self: object, value: Any) -> None:
        data = encode(value)
        assert codec.same(codec.decode(data), value)
        if codec.native_encode is not None:
            assert codec.native_encode(value) == data
        if codec.native_decode is not None:
            assert codec.same(codec.native_decode(data), value)
        if codec.feed is not None:
            for pieces in pieces_of(data):
                assert codec.same(codec.feed(pieces), value)

    def test_truncations(self: object, value: Any) -> None:
        data = encode(value)
        for length in range(0, len(data), max(1, len(data) // MAX_TRUNCATIONS)):
            kind, _ = _both(codec, data[:length])
            assert codec.prefix_is_legal or kind == "error", length
        kind, _ = _both(codec, data + b"\0")
        assert codec.prefix_is_legal or kind == "error"

    def test_damage(self: object, value: Any, data: st.DataObject) -> None:
        _mutate_and_check(codec, encode(value), data)

    tests.test_round_trip = _SLOW(given(value=values)(test_round_trip))  # type: ignore[attr-defined]
    tests.test_truncations = _SLOW(given(value=values)(test_truncations))  # type: ignore[attr-defined]
    tests.test_damage = _SLOW(given(value=values, data=st.data())(test_damage))  # type: ignore[attr-defined]


def _both(codec: Codec, data: bytes) -> tuple[str, Any]:
    result = outcome(codec.decode, data, codec.errors)
    if codec.native_decode is not None:
        native = outcome(codec.native_decode, data, codec.errors)
        assert native[0] == result[0]
        assert native[1] == result[1] if result[0] == "error" else codec.same(native[1], result[1])
    return result


def _mutate_and_check(codec: Codec, data: bytes, draw: st.DataObject) -> None:
    changed = bytearray(data)
    for _ in range(draw.draw(st.integers(1, 4))):
        if changed:
            changed[draw.draw(st.integers(0, len(changed) - 1))] = draw.draw(st.integers(0, 255))
    kind, value = _both(codec, bytes(changed))
    if kind == "value" and codec.encode is not None:
        again = codec.encode(value)
        assert codec.encode(codec.decode(again)) == again
