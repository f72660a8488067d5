"""LZ77: vectors of the document, round trips, every truncation, the C against its twin; and the XOR."""

import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.formats import lz77
from appliance.formats.lz77 import reference
from appliance.wire.errors import DecodeError
from tests.sanitized import fuzz_driver

BOTH = pytest.mark.parametrize("codec", [lz77, reference], ids=["c", "python"])

TEXTS = st.one_of(
    st.binary(max_size=400),
    st.lists(st.sampled_from([b"a", b"abc", b"\0" * 40, b"xyz" * 100, b"q" * 300]), max_size=60).map(
        b"".join
    ),
)


def outcome(decompress: Callable[[bytes, int], bytes], data: bytes, size: int) -> bytes | tuple[str, int]:
    try:
        return decompress(data, size)
    except DecodeError as error:
        return error.what, error.offset


@BOTH
@pytest.mark.parametrize(
    ("plain", "packed"),
    [
        # MS-XCA 3.1: the alphabet, then 300 bytes of three letters.
        (
            b"abcdefghijklmnopqrstuvwxyz",
            "3f000000 6162636465666768696a6b6c6d6e6f707172737475767778797a",
        ),
        (b"abc" * 100, "ffffff1f 616263 1700 0f ff 2601"),
    ],
)
@pytest.mark.covers("MS-OXCRPC_R834", "MS-OXCRPC_R836", "MS-OXCRPC_R1483", "MS-OXCRPC_R831")
def test_the_documents_examples(codec: object, plain: bytes, packed: str) -> None:
    data = bytes.fromhex(packed)
    assert codec.compress(plain) == data  # type: ignore[attr-defined]
    assert codec.decompress(data, len(plain)) == plain  # type: ignore[attr-defined]


@given(TEXTS)
def test_round_trips_and_twins(data: bytes) -> None:
    packed = lz77.compress(data)
    assert packed == reference.compress(data)
    assert len(packed) <= len(data) + len(data) // 8 + 8
    assert lz77.decompress(packed, len(data)) == data
    assert reference.decompress(packed, len(data)) == data
    for wrong in (len(data) + 1, len(data) - 1, 0):
        if wrong >= 0:
            assert outcome(lz77.decompress, packed, wrong) == outcome(reference.decompress, packed, wrong)


@given(st.binary(max_size=200), st.integers(0, 3000))
def test_any_bytes_give_the_same_outcome(data: bytes, size: int) -> None:
    assert outcome(lz77.decompress, data, size) == outcome(reference.decompress, data, size)


@given(TEXTS, st.data())
def test_changed_bytes_give_the_same_outcome(data: bytes, draw: st.DataObject) -> None:
    packed = bytearray(lz77.compress(data))
    for _ in range(draw.draw(st.integers(1, 4))):
        packed[draw.draw(st.integers(0, len(packed) - 1))] = draw.draw(st.integers(0, 255))
    found = bytes(packed)
    assert outcome(lz77.decompress, found, len(data)) == outcome(reference.decompress, found, len(data))


def test_every_truncation_is_refused() -> None:
    data = b"hello hello hello " * 30 + bytes(range(200)) + b"z" * 2000
    packed = lz77.compress(data)
    for cut in range(len(packed)):
        found = outcome(lz77.decompress, packed[:cut], len(data))
        assert found == outcome(reference.decompress, packed[:cut], len(data))
        assert isinstance(found, tuple)


@pytest.mark.parametrize(
    "length", [3, 9, 10, 24, 25, 279, 280, 281, 0xFFFF + 2, 0xFFFF + 3, 0xFFFF + 4, 200_000]
)
def test_lengths_at_the_borders_of_their_forms(length: int) -> None:
    data = b"x" + b"x" * length + b"end"
    packed = lz77.compress(data)
    assert len(packed) < 24
    assert packed == reference.compress(data)
    assert lz77.decompress(packed, len(data)) == reference.decompress(packed, len(data)) == data


@pytest.mark.parametrize("distance", [8191, 8192, 8193])
def test_offsets_reach_back_over_the_window_and_no_further(distance: int) -> None:
    noise = random.Random(1).randbytes(distance)
    data = noise + noise[:100]
    packed = lz77.compress(data)
    assert packed == reference.compress(data)
    assert lz77.decompress(packed, len(data)) == data
    assert (len(packed) < distance * 9 // 8 + 20) == (distance <= 8192)


@BOTH
def test_what_lies_is_refused(codec: object) -> None:
    decompress = codec.decompress  # type: ignore[attr-defined]
    bomb = bytes.fromhex("ffffff7f 61 0700 0f ff 0000 ffffffff".replace(" ", ""))
    for data, size, what, offset in (
        (b"", 1, "cut short", 0),
        (bytes.fromhex("ffffffff0000"), 3, "before the data", 4),
        (bomb, 1 << 16, "more data", 5),
        (bytes.fromhex("ffffff7f61 0700 0f ff 1500"), 1 << 16, "a length", 9),
        (bytes.fromhex("00000000 61 00"), 1, "bytes after", 5),
    ):
        with pytest.raises(DecodeError, match=what) as caught:
            decompress(data, size)
        assert caught.value.offset == offset
    assert decompress(b"", 0) == b""


@BOTH
@pytest.mark.covers("MS-OXCRPC_R743", "MS-OXCRPC_R711")
def test_the_obfuscation_is_its_own_inverse(codec: object) -> None:
    data = bytes(range(256))
    hidden = codec.obfuscate(data)  # type: ignore[attr-defined]
    assert hidden[:3] == b"\xa5\xa4\xa7"
    assert codec.obfuscate(hidden) == data  # type: ignore[attr-defined]
    assert codec.obfuscate(b"") == b""  # type: ignore[attr-defined]


def test_arguments_that_cannot_be() -> None:
    with pytest.raises(OverflowError):
        lz77.decompress(b"", -1)
    with pytest.raises(TypeError):
        lz77.compress("text")  # type: ignore[arg-type]
    assert lz77.obfuscate(memoryview(b"\xa5")) == b"\0"


def test_the_c_is_far_faster_than_its_twin() -> None:
    data = b"".join(b"Subject: message %d of the folder\r\n" % n for n in range(900))
    packed = lz77.compress(data)

    def seconds(fn: Callable[[], object]) -> float:
        best = 1e9
        for _ in range(3):
            begin = time.process_time()
            fn()
            best = min(best, time.process_time() - begin)
        return best

    for fast, slow in (
        (lambda: lz77.compress(data), lambda: reference.compress(data)),
        (lambda: lz77.decompress(packed, len(data)), lambda: reference.decompress(packed, len(data))),
        (lambda: lz77.obfuscate(data), lambda: reference.obfuscate(data)),
    ):
        assert seconds(slow) > 30 * seconds(fast)


@pytest.mark.slow
def test_the_fuzz_target_finds_nothing(tmp_path: Path) -> None:
    texts = (b"abc" * 300, bytes(range(256)) * 3, lz77.compress(b"hello " * 500))
    fuzz_driver(tmp_path, ["lz77/fuzz.c", "lz77/lz77.c"], [b"\xff\x0f" + text for text in texts], 2000)
