"""Packed structures: LZ4 blocks with a dictionary, verdicts about envelopes, the C against its twin."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.formats import mime, structures
from appliance.formats.structures import MOST, SUBJECT, Piece, Verdict, _native, reference
from appliance.store.blobs import STRUCTURES
from appliance.wire.errors import DecodeError
from tests.formats.mime.corpus import AWKWARD
from tests.sanitized import fuzz_driver

DICTIONARY = b'("TEXT" "PLAIN" ("CHARSET" "utf-8") NIL NIL "quoted-printable" NIL NIL NIL NIL)' * 2
NATIVE, READABLE = structures.Codec(DICTIONARY), reference.Codec(DICTIONARY)
Either = structures.Codec | reference.Codec
BOTH = pytest.mark.parametrize("codec", [NATIVE, READABLE], ids=["c", "python"])
WORDS = [b'("TEXT" "PLAIN"', b" NIL", b"abcdefgh", b"x" * 300, b"0123456789" * 4, b"\0", b"quoted-printable"]
TEXTS = st.one_of(
    st.binary(max_size=300),
    st.lists(st.sampled_from(WORDS), max_size=30).map(b"".join),
    st.just(b"ab" * 9000),
)


def outcome(work: Callable[[], Any]) -> Any:
    """A value, or everything that an error says."""
    try:
        return work()
    except DecodeError as error:
        return "error", error.what, error.offset
    except OverflowError:
        return "too long"


@given(TEXTS, st.data())
def test_blocks_come_back(data: bytes, draw: st.DataObject) -> None:
    block = NATIVE.compress(data)
    assert block == READABLE.compress(data)
    assert len(block) <= len(data) + len(data) // 255 + 2
    wanted = draw.draw(st.integers(0, len(data)))
    for codec in (NATIVE, READABLE):
        assert codec.decompress(block, len(data)) == data
        assert codec.decompress(block, len(data), wanted) == data[:wanted]
    for wrong in (len(data) + 1, max(0, len(data) - 1)):
        found = outcome(lambda size=wrong: NATIVE.decompress(block, size))  # type: ignore[misc]
        assert found == outcome(lambda size=wrong: READABLE.decompress(block, size))  # type: ignore[misc]


@given(TEXTS, st.data())
def test_damaged_blocks_give_the_same_errors(data: bytes, draw: st.DataObject) -> None:
    block = bytearray(NATIVE.compress(data))
    for _ in range(draw.draw(st.integers(0, 4))):
        block[draw.draw(st.integers(0, len(block) - 1))] = draw.draw(st.integers(0, 255))
    changed = bytes(block[: draw.draw(st.integers(0, len(block)))])
    size = draw.draw(st.sampled_from([len(data), 0, 20, MOST]))
    wanted = draw.draw(st.integers(0, size))
    found = outcome(lambda: NATIVE.decompress(changed, size, wanted))
    assert found == outcome(lambda: READABLE.decompress(changed, size, wanted))


@given(st.binary(max_size=60), st.integers(0, 400))
def test_any_bytes_give_the_same_outcome(block: bytes, size: int) -> None:
    found = outcome(lambda: NATIVE.decompress(block, size))
    assert found == outcome(lambda: READABLE.decompress(block, size))


@BOTH
def test_blocks_by_hand(codec: Either) -> None:
    assert codec.decompress(b"\x50hello", 5) == b"hello"
    assert codec.compress(b"hello") == b"\x50hello"
    assert codec.compress(b"") == b"\0"
    assert codec.decompress(b"\0", 0) == b""
    # one literal, then eleven bytes from one place back, then five literals
    assert codec.decompress(b"\x17a\1\0\x50hello", 17) == b"a" * 12 + b"hello"
    # the dictionary's last four bytes, and on into what they have become
    assert codec.decompress(b"\x04\4\0\x50hello", 13) == DICTIONARY[-4:] * 2 + b"hello"
    for block, what, offset in (
        (b"\x50hell", "cut short", 0),
        (b"\xf0", "cut short", 0),
        (b"\x50hello!", "bytes after", 6),
        (b"\x04\0\0\x50hello", "before the dictionary", 1),
        (b"\x60hello!", "more data", 0),
        (b"\x01\4\0\x50hello", "more data", 0),
    ):
        with pytest.raises(DecodeError, match=what) as caught:
            codec.decompress(block, 5)
        assert caught.value.offset == offset


@BOTH
def test_limits(codec: Either) -> None:
    for work in (
        lambda: codec.compress(bytes(MOST + 1)),
        lambda: codec.decompress(b"", MOST + 1),
        lambda: codec.decompress(b"", -1),
        lambda: codec.decompress(b"", 1, 2),
        lambda: codec.pack((b"", bytes(MOST), b"x")),
        lambda: type(codec)(bytes(65536)),
    ):
        with pytest.raises(OverflowError):
            work()
    assert codec.decompress(codec.compress(bytes(MOST)), MOST) == bytes(MOST)
    assert type(codec)(b"").compress(b"hello" * 10) == type(codec)(b"xyz").compress(b"hello" * 10)


def test_offsets_reach_back_over_65535_bytes_and_no_further() -> None:
    dictionary = random.Random(1).randbytes(65535)
    native, readable = structures.Codec(dictionary), reference.Codec(dictionary)
    for distance in (40, 200):
        data = random.Random(2).randbytes(100) + dictionary[distance : distance + 60] + b"the end of it"
        block = native.compress(data)
        assert block == readable.compress(data)
        assert native.decompress(block, len(data)) == readable.decompress(block, len(data)) == data
        assert (len(block) < len(data)) == (distance == 200)


def test_the_judge_reads_our_blocks_and_we_the_judges() -> None:
    lz4 = pytest.importorskip("lz4.block", reason="the package lz4 is not installed")
    rng = random.Random(3)
    for _ in range(200):
        data = b"".join(rng.choices(WORDS, k=rng.randrange(20))) + rng.randbytes(rng.randrange(40))
        ours = NATIVE.compress(data)
        assert lz4.decompress(ours, uncompressed_size=len(data), dict=DICTIONARY) == data
        theirs = lz4.compress(data, mode="high_compression", store_size=False, dict=DICTIONARY)
        assert NATIVE.decompress(theirs, len(data)) == READABLE.decompress(theirs, len(data)) == data
        assert len(ours) <= 1.2 * len(theirs) + 3


PIECES = st.tuples(st.binary(max_size=40), TEXTS.filter(lambda text: len(text) < 9000), st.binary(max_size=9))


@given(st.lists(st.one_of(st.none(), PIECES), max_size=4))
def test_rows(made: list[tuple[bytes, bytes, bytes] | None]) -> None:
    rows = [None if pieces is None else NATIVE.pack(pieces) for pieces in made]
    assert rows == [None if pieces is None else READABLE.pack(pieces) for pieces in made]
    for piece in Piece:
        expected = [None if pieces is None else pieces[piece] for pieces in made]
        assert NATIVE.pieces(rows, piece) == READABLE.pieces(rows, piece) == expected


@given(PIECES, st.data())
def test_damaged_rows(pieces: tuple[bytes, bytes, bytes], draw: st.DataObject) -> None:
    row = bytearray(NATIVE.pack(pieces))
    for _ in range(draw.draw(st.integers(0, 3))):
        row[draw.draw(st.integers(0, min(8, len(row) - 1)))] = draw.draw(st.integers(0, 255))
    changed = bytes(row[: draw.draw(st.integers(0, len(row)))])
    for piece in Piece:
        found = outcome(lambda piece=piece: NATIVE.pieces([changed], piece))  # type: ignore[misc]
        assert found == outcome(lambda piece=piece: READABLE.pieces([changed], piece))  # type: ignore[misc]
    assert NATIVE.judge([changed], SUBJECT, b"a") == READABLE.judge([changed], SUBJECT, b"a")


def test_rows_of_other_forms_are_not_ours() -> None:
    rows: list[bytes | None] = [None, b"", b"\0abc", b"\2abc", NATIVE.pack((b"e", b"b", b"s"))]
    assert NATIVE.pieces(rows, Piece.SCAN) == READABLE.pieces(rows, Piece.SCAN) == [None] * 4 + [b"s"]
    verdicts = bytes([Verdict.UNKNOWN] * 5)
    assert NATIVE.judge(rows, SUBJECT, b"a") == READABLE.judge(rows, SUBJECT, b"a") == verdicts


ENVELOPE = (
    b'("date" "A \\"Word\\" or two" (("Ann" NIL "ann" "Example.test")("" NIL "b" "c")) NIL NIL '
    b'({4}\r\nline) (("Team" NIL "t" "h")(NIL NIL "grp" NIL)) (("=?utf-8?q?x?=" NIL "d" "e")) NIL "<id>")'
)
CASES = [
    (SUBJECT, b'"word"', Verdict.YES),
    (SUBJECT, b"", Verdict.YES),
    (SUBJECT, b"word or three", Verdict.NO),
    (2, b"ann <ann@example.test>, <b@c>", Verdict.YES),
    (2, b"example.org", Verdict.NO),
    (3, b"a", Verdict.NO),
    (3, b"", Verdict.YES),
    (5, b"line", Verdict.UNKNOWN),
    (6, b"team", Verdict.UNKNOWN),
    (7, b"x", Verdict.UNKNOWN),
]


@BOTH
@pytest.mark.parametrize(("member", "key", "verdict"), CASES)
def test_verdicts(codec: Either, member: int, key: bytes, verdict: Verdict) -> None:
    rows: list[bytes | None] = [codec.pack((ENVELOPE, b"", b""))]
    assert codec.judge(rows, member, key) == bytes([verdict])


@given(st.data(), st.sampled_from([SUBJECT, 2, 5, 7]), st.binary(max_size=3))
def test_verdicts_about_damaged_envelopes(draw: st.DataObject, member: int, key: bytes) -> None:
    envelope = bytearray(ENVELOPE)
    for _ in range(draw.draw(st.integers(1, 3))):
        envelope[draw.draw(st.integers(0, len(envelope) - 1))] = draw.draw(
            st.one_of(st.sampled_from(b'() "\\{}N=?'), st.integers(0, 255))
        )
    rows: list[bytes | None] = [NATIVE.pack((bytes(envelope), b"", b""))]
    key = key.lower()
    ours, twins = NATIVE.judge(rows, member, key)[0], READABLE.judge(rows, member, key)[0]
    assert ours == twins or Verdict.UNKNOWN in (ours, twins)


def test_verdicts_about_real_messages() -> None:
    for data in AWKWARD.values():
        scan = mime.scan(data)
        rows: list[bytes | None] = [STRUCTURES.pack((mime.envelope(scan), b"", b""))]
        readable = reference.Codec(b"")
        again: list[bytes | None] = [readable.pack((mime.envelope(scan), b"", b""))]
        for member in range(1, 8):
            assert STRUCTURES.judge(rows, member, b"e") == readable.judge(again, member, b"e")


def test_arguments_that_cannot_be() -> None:
    made = _native.dictionary(b"")
    with pytest.raises(ValueError):
        _native.pieces(made, [], 3)
    for member in (0, 8):
        with pytest.raises(ValueError):
            _native.judge(made, [], member, b"")
    with pytest.raises(ValueError):
        _native.compress(None, b"")  # type: ignore[arg-type]
    for work in (
        lambda: _native.pieces(made, ["x"], 0),  # type: ignore[list-item]
        lambda: _native.judge(made, [1], 1, b""),  # type: ignore[list-item]
        lambda: _native.dictionary("x"),  # type: ignore[arg-type]
    ):
        with pytest.raises(TypeError):
            work()


def test_the_c_under_sanitizers(tmp_path: Path) -> None:
    own = structures.Codec(b"")
    texts = [ENVELOPE, b"ab" * 400, DICTIONARY * 20, random.Random(5).randbytes(700)]
    seeds = [*texts, *(own.pack((text, text[:50], b"scan")) for text in texts)]
    sources = ["structures/fuzz.c", "structures/structures.c", "structures/lz4.c"]
    fuzz_driver(tmp_path, sources, seeds, 60)
