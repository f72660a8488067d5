"""Columns of packed records: what they say, and the C against its readable twin."""

from calendar import month_abbr
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.formats import columns, structures
from appliance.formats.columns import _native, reference, steps
from appliance.formats.columns.steps import Step
from appliance.formats.structures import Piece
from appliance.formats.structures import reference as readable
from appliance.wire.errors import DecodeError
from tests.sanitized import fuzz_driver

BOTH = pytest.mark.parametrize("codec", [columns, reference], ids=["c", "python"])
CHOICES = (b"", b"one", b"two", b"one two")
PLACES = st.tuples(st.integers(0, 12), st.integers(1, 8))
WORDS = st.text(st.sampled_from(" aZ$é中😀"), max_size=8).map(str.encode)
TEXTS = st.sampled_from([b"", b"x", b" FETCH ("])
STEPS = st.one_of(
    TEXTS.map(steps.text),
    st.just(steps.serial()),
    PLACES.map(steps.number),
    st.builds(steps.hexadecimal, PLACES, TEXTS, TEXTS, zero=TEXTS),
    st.builds(steps.words, PLACES, st.just(CHOICES), st.integers(0, 20), TEXTS),
    PLACES.map(steps.date),
    st.integers(0, 1).map(steps.column),
    st.integers(0, 1).map(steps.literal),
)
RECORDS = st.lists(st.builds(bytes.__add__, st.binary(max_size=24), WORDS), max_size=5)
NUMBERS = st.integers(0, (1 << 64) - 1)


def outcome(work: Callable[[], Any]) -> Any:
    """A value, or everything that an error says."""
    try:
        return work()
    except DecodeError as error:
        return "error", error.what, error.offset
    except (ValueError, OverflowError, TypeError) as error:
        return "error", type(error).__name__


def line(codec: Any, step: Step, record: bytes = b"", *entries: bytes, serial: int = 1) -> Any:
    return codec.lines((step,), [serial], [record], tuple([entry] for entry in entries))


def filetime(moment: datetime) -> bytes:
    ticks = (moment - datetime(1601, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 10
    return ticks.to_bytes(8, "little")


@BOTH
def test_each_step(codec: Any) -> None:
    record = bytes(range(1, 9))
    assert line(codec, steps.text(b"* ")) == b"* "
    assert line(codec, steps.serial(), serial=1 << 40) == b"1099511627776"
    assert line(codec, steps.number((1, 2)), record) == b"770"  # 0x0302
    assert line(codec, steps.number((0, 8)), b"\xff" * 8) == b"18446744073709551615"
    assert line(codec, steps.number((0, 8)), b"\0" * 8) == b"0"
    assert line(codec, steps.hexadecimal((0, 4), b"(T", b")"), record) == b"(T4030201)"
    assert line(codec, steps.hexadecimal((0, 1), b"(T", b")", zero=b"NIL"), b"\0") == b"NIL"
    assert line(codec, steps.hexadecimal((0, 1), b"M", b""), b"\0") == b"M0"
    assert line(codec, steps.column(1), b"", b"a", b"b\0c") == b"b\0c"
    assert line(codec, steps.literal(0), b"", b"b\0c\0") == b"{4}\r\nb\x80c\x80"
    assert line(codec, steps.literal(0), b"", b"") == b"{0}\r\n"


@BOTH
@pytest.mark.parametrize(
    ("record", "last", "found"),
    [
        (b"\0", b"", b""),
        (b"\3", b"", b"one two"),
        (b"\xfd", b"", b"one"),  # bits beyond the choices say nothing
        (b"\0", b"\\Recent", b"\\Recent"),
        (b"\2$Junk a", b"\\Recent", b"two $Junk a \\Recent"),
        (b"\0$Junk", b"", b"$Junk"),
        ("\0 a  é中 ".encode(), b"", b"a ??"),
    ],
)
def test_words(codec: Any, record: bytes, last: bytes, found: bytes) -> None:
    assert line(codec, steps.words((0, 1), CHOICES, 1, last), record) == found


@BOTH
@pytest.mark.parametrize(
    "moment",
    [
        datetime(1601, 1, 1, tzinfo=UTC),
        datetime(1604, 2, 29, 23, 59, 59, tzinfo=UTC),
        datetime(1700, 2, 28, tzinfo=UTC),
        datetime(1700, 3, 1, tzinfo=UTC),  # no leap year
        datetime(2000, 2, 29, 1, 2, 3, tzinfo=UTC),  # a leap year
        datetime(2000, 12, 31, tzinfo=UTC),
        datetime(2001, 1, 1, tzinfo=UTC),
        datetime(2024, 12, 31, 12, 0, tzinfo=UTC),
        datetime(9814, 9, 2, tzinfo=UTC),
    ],
)
def test_dates(codec: Any, moment: datetime) -> None:
    shown = f'"{moment.day:2d}-{month_abbr[moment.month]}-{moment.year:04d} {moment:%H:%M:%S} +0000"'
    assert line(codec, steps.date((0, 8)), filetime(moment)) == shown.encode()


@given(st.integers(0, 3_100_000), st.integers(0, 86_399))
def test_every_day_is_the_same_in_both(day: int, second: int) -> None:
    record = ((day * 86_400 + second) * 10_000_000).to_bytes(8, "little")
    assert line(columns, steps.date((0, 8)), record) == line(reference, steps.date((0, 8)), record)


@BOTH
def test_numbers_and_keys(codec: Any) -> None:
    assert codec.numbers([b"\1\2\3", b"\4\5\6"], 1, 2) == [0x0302, 0x0605]
    assert codec.numbers([], 0, 8) == []
    assert codec.keys(b"a", [0, 258], b"z") == [b"a" + bytes(8) + b"z", b"a" + bytes(6) + b"\1\2z"]
    with pytest.raises(DecodeError) as caught:
        codec.numbers([b"\1\2\3", b"\1\2"], 1, 2)
    assert caught.value.offset == 1
    for wrong in (-1, 1 << 64):
        with pytest.raises(OverflowError):
            codec.keys(b"", [wrong], b"")
    for place in ((-1, 1), (0, 0), (0, 9)):
        with pytest.raises(ValueError, match="1 to 8"):
            codec.numbers([], *place)


@given(st.lists(STEPS, max_size=6), RECORDS, st.data())
def test_lines_of_both_twins(made: list[Step], records: list[bytes], draw: st.DataObject) -> None:
    count = len(records)
    serials = draw.draw(st.lists(NUMBERS, min_size=count, max_size=count))
    entries = st.lists(st.binary(max_size=5), min_size=count, max_size=count)
    columns_ = (draw.draw(entries), draw.draw(entries))
    found = outcome(lambda: columns.lines(tuple(made), serials, records, columns_))
    assert found == outcome(lambda: reference.lines(tuple(made), serials, records, columns_))


@BOTH
def test_pieces_of_structures(codec: Any) -> None:
    unpacks: Any = structures if codec is columns else readable
    with_ = unpacks.Codec(b"known")
    rows = [with_.pack((b"an envelope", b"a structure", b"")), None]
    made = (steps.serial(), steps.piece(0, Piece.BODYSTRUCTURE, b"NIL"), steps.text(b";"))
    assert codec.lines(made, [1, 2], [b"", b""], (rows,), with_) == b"1a structure;2NIL;"
    assert codec.lines(made, [1], [b""], ([b"\2"],), with_) is None
    assert codec.lines(made, [1], [b""], ([rows[0][:-1]],), with_) is None
    assert codec.lines(made, [1], [b""], ([rows[0]],)) is None
    assert codec.lines((steps.column(0), steps.literal(0)), [1], [b""], ([None],)) == b"{0}\r\n"


@given(RECORDS, PLACES, st.lists(NUMBERS), st.binary(max_size=5), st.binary(max_size=5))
def test_numbers_and_keys_of_both_twins(
    records: list[bytes], place: tuple[int, int], numbers: list[int], before: bytes, after: bytes
) -> None:
    found = outcome(lambda: columns.numbers(records, *place))
    assert found == outcome(lambda: reference.numbers(records, *place))
    assert columns.keys(before, numbers, after) == reference.keys(before, numbers, after)


def test_many_lines_are_made_without_the_interpreter() -> None:
    records = [bytes([index % 256]) * 4 for index in range(1000)]
    made = (steps.serial(), steps.text(b" "), steps.number((0, 4)), steps.column(0))
    serials = list(range(1000))
    found = columns.lines(made, serials, records, (records,))
    assert found == reference.lines(made, serials, records, (records,))


def test_what_cannot_be_is_refused() -> None:
    good = steps.number((0, 1))
    for step in (
        good._replace(kind=9),
        good._replace(kind=-1),
        good._replace(size=9),
        good._replace(offset=-1),
        steps.column(1),
        steps.literal(-1),
        steps.words((0, 1), (b"", b"", b""), 0),
        steps.words((0, 1), (), 0),
    ):
        with pytest.raises(ValueError):
            _native.lines((step,), [1], [b"\0"], ([b""],), None)
    for codec in (columns, reference):
        with pytest.raises(ValueError, match="unequal"):
            codec.lines((good,), [1, 2], [b"\0"])
        with pytest.raises(ValueError, match="unequal"):
            codec.lines((good,), [1], [b"\0"], ([],))
    with pytest.raises(ValueError, match="too many steps"):
        _native.lines((good,) * (steps.MAX_STEPS + 1), [], [], (), None)
    with pytest.raises(ValueError, match="too many columns"):
        _native.lines((), [], [], ([],) * (steps.MAX_COLUMNS + 1), None)
    for wrong in ([None], ["text"]):
        with pytest.raises(TypeError):
            _native.lines((good,), [1], wrong, (), None)  # type: ignore[arg-type]
        with pytest.raises(TypeError):
            _native.numbers(wrong, 0, 1)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        _native.lines((None,), [1], [b""], (), None)  # type: ignore[arg-type]
    with pytest.raises(OverflowError):
        _native.lines((good,), [-1], [b"\0"], (), None)


def test_the_c_under_sanitizers(tmp_path: Path) -> None:
    every = bytes([8, *(byte for kind in range(8) for byte in (kind, kind, 7, 8))])
    packed = structures.Codec(b"text\0").pack((b"e", b"b", b"s" * 99))
    seeds = [
        every + bytes(range(1, 40)),
        every + b"\xff" * 8 + b"a b",
        b"\1\4\0\3\4" + b"\2\0\0\0w \xc3\xa9",
        bytes([1, steps.Kind.PIECE, Piece.SCAN, 0, 0]) + packed,
    ]
    sources = ["columns/fuzz.c", "columns/columns.c", "structures/structures.c", "structures/lz4.c"]
    fuzz_driver(tmp_path, sources, seeds, 800)
