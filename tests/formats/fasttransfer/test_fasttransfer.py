"""The lexical level of FastTransfer streams: C against Python, there and back, and every cut."""

import timeit
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.formats import fasttransfer as fx
from appliance.formats.fasttransfer import reference
from appliance.formats.fasttransfer.lexer import INLINE, Begin, Data, End, Event, Lexer, Mark, Prop
from appliance.formats.fasttransfer.markers import Marker
from appliance.mapi import types as t
from appliance.mapi.names import PropertyName
from appliance.mapi.types import Value
from appliance.wire.errors import DecodeError, EncodeError
from tests.sanitized import fuzz_driver

GUID = bytes(range(16))
NAMES = {
    0x8001: GUID + b"\0\x04\x03\x02\x01",
    0x8002: GUID + b"\1" + "Keywords".encode("utf-16-le") + b"\0\0",
}
MEANING = {0x8001: PropertyName(GUID, 0x01020304), 0x8002: PropertyName(GUID, "Keywords")}

TEXT = st.text(st.characters(exclude_categories=()), max_size=40)
LATIN = st.text(st.characters(max_codepoint=0x7F), max_size=40)
_I = {size: st.integers(-(1 << 8 * size - 1), (1 << 8 * size) - 1) for size in (2, 4, 8)}
SCALARS: dict[int, st.SearchStrategy[Value]] = {
    t.PtypInteger16: _I[2],
    t.PtypInteger32: _I[4],
    t.PtypInteger64: _I[8],
    t.PtypCurrency: _I[8],
    t.PtypTime: st.integers(0, (1 << 64) - 1),
    t.PtypFloating32: st.floats(width=32, allow_nan=False),
    t.PtypFloating64: st.floats(allow_nan=False),
    t.PtypFloatingTime: st.floats(allow_nan=False),
    t.PtypGuid: st.binary(min_size=16, max_size=16),
    t.PtypString: TEXT,
    t.PtypBinary: st.binary(max_size=80),
}
SINGLE: dict[int, st.SearchStrategy[Value]] = {
    **SCALARS,
    t.PtypBoolean: st.booleans(),
    t.PtypServerId: st.binary(max_size=30),
    t.PtypObject: st.binary(max_size=30),
    t.PtypErrorCode: _I[4],
    t.PtypNull: st.none(),
}


@st.composite
def pairs(draw: st.DrawFn) -> list[tuple[int, Value]]:
    found: list[tuple[int, Value]] = []
    for number in draw(st.lists(st.integers(0x0001, 0x3FFF) | st.sampled_from((0x8001, 0x8002, 0x8003)))):
        if draw(st.booleans()):
            kind = draw(st.sampled_from(sorted(SINGLE)))
            found.append((number << 16 | kind, draw(SINGLE[kind])))
        else:
            kind = draw(st.sampled_from(sorted(SCALARS)))
            values = draw(st.lists(SCALARS[kind], max_size=5))
            found.append((number << 16 | kind | t.MULTIPLE_FLAG, tuple(values)))  # type: ignore[arg-type]
    return found


STRINGS = st.sampled_from((fx.UNICODE, fx.CODE_PAGE_UNICODE, 1252, 65001, 932))


@pytest.mark.covers(
    "MS-OXCFXICS_R325901", "MS-OXCFXICS_R3254", "MS-OXCFXICS_R3256", "MS-OXCFXICS_R3257",
    "MS-OXCFXICS_R3258",
)  # fmt: skip
@given(props=pairs(), strings=STRINGS)
def test_both_twins_write_the_same(props: list[tuple[int, Value]], strings: int) -> None:
    assert fx.pack(props, strings, NAMES) == reference.pack(props, strings, NAMES)


WRONG: list[tuple[int, object]] = [
    (0x00010003, 1 << 32),
    (0x00010003, -(1 << 31) - 1),
    (0x00010002, "text"),
    (0x00010014, 1 << 64),
    (0x00010040, -1),
    (0x00010004, 1e300),
    (0x00010005, "x"),
    (0x00010048, b"short"),
    (0x0001001F, b"bytes"),
    (0x00010102, "text"),
    (0x00011003, 5),
    (0x0001101F, (b"x",)),
    (0x40170003, 7),
    (0x8001001F, None),
]


@pytest.mark.parametrize(("tag", "value"), WRONG)
def test_values_that_do_not_fit(tag: int, value: object) -> None:
    messages = []
    for twin in (fx.pack, reference.pack):
        with pytest.raises(EncodeError) as caught:
            twin([(tag, value)], fx.UNICODE, NAMES)  # type: ignore[list-item]
        messages.append(str(caught.value))
    assert messages[0] == messages[1]


def flat(events: list[Event]) -> list[Event]:
    """Pieces of big values joined."""
    found: list[Event] = []
    for event in events:
        if isinstance(event, Data) and found and isinstance(found[-1], Data):
            found[-1] = Data(found[-1].data + event.data)
        else:
            found.append(event)
    return found


def lexed(data: bytes, size: int, page: int = 1252) -> list[Event]:
    lexer = Lexer(page)
    found = [event for at in range(0, len(data), size) for event in lexer.feed(data[at : at + size])]
    assert lexer.is_between
    return flat(found)


def expected(props: list[tuple[int, Value]]) -> list[Event]:
    """What a reader sees of a list that was written in Unicode."""
    found: list[Event] = []
    for tag, value in props:
        number, kind = tag >> 16, tag & 0xFFFF
        if kind in (t.PtypErrorCode, t.PtypNull) or number == 0x8003:
            continue
        found.append(Prop(tag, MEANING.get(number), _read(kind, value)))
    return found


def _read(kind: int, value: Value) -> Value:
    if isinstance(value, tuple):
        return tuple(_read(kind & ~t.MULTIPLE_FLAG, each) for each in value)  # type: ignore[return-value]
    if isinstance(value, str):
        return value.split("\0")[0]
    bits = {t.PtypInteger16: 16, t.PtypInteger32: 32, t.PtypInteger64: 64, t.PtypCurrency: 64}.get(kind)
    if bits is not None and isinstance(value, int) and value >= 1 << bits - 1:
        return value - (1 << bits)  # signed types are read back signed
    return value


@pytest.mark.covers(
    "MS-OXCFXICS_R984", "MS-OXCFXICS_R985", "MS-OXCFXICS_R986", "MS-OXCFXICS_R986001",
    "MS-OXCFXICS_R986002", "MS-OXCFXICS_R987", "MS-OXCFXICS_R988", "MS-OXCFXICS_R989", "MS-OXCFXICS_R990",
    "MS-OXCFXICS_R991", "MS-OXCFXICS_R992", "MS-OXCFXICS_R3259", "MS-OXCFXICS_R995", "MS-OXCFXICS_R996",
    "MS-OXCFXICS_R997", "MS-OXCFXICS_R2707", "MS-OXCFXICS_R2699", "MS-OXCFXICS_R2698", "MS-OXCFXICS_R2691",
    "MS-OXCFXICS_R2700", "MS-OXCFXICS_R2701", "MS-OXCFXICS_R1028", "MS-OXCFXICS_R1030",
)  # fmt: skip
@given(props=pairs(), size=st.integers(1, 50))
def test_what_was_written_is_read(props: list[tuple[int, Value]], size: int) -> None:
    data = fx.pack(props, fx.UNICODE, NAMES)
    assert lexed(data, size) == expected(props)
    assert lexed(data, len(data) + 1) == expected(props)


@pytest.mark.parametrize("strings", [fx.UNICODE, fx.CODE_PAGE_UNICODE, 1252])
@pytest.mark.parametrize("size", [1, 3, 1000, 1 << 20])
def test_big_values_come_in_pieces(strings: int, size: int) -> None:
    text = "\u00e4b" * INLINE
    data = fx.pack([(0x1000001F, text), (0x10130102, bytes(INLINE + 1))], strings, {})
    events = lexed(data, size)
    assert [type(event) for event in events] == [Begin, Data, End, Begin, Data, End]
    assert events[1] == Data(text.encode())
    assert events[4] == Data(bytes(INLINE + 1))


MARKERS = st.sampled_from([int(marker).to_bytes(4, "little") for marker in Marker])


@pytest.mark.covers(
    "MS-OXCFXICS_R973", "MS-OXCFXICS_R974", "MS-OXCFXICS_R2740", "MS-OXCFXICS_R977", "MS-OXCFXICS_R978",
    "MS-OXCFXICS_R3253", "MS-OXCFXICS_R981", "MS-OXCFXICS_R982", "MS-OXCFXICS_R983", "MS-OXCFXICS_R1045",
    "MS-OXCFXICS_R1046", "MS-OXCFXICS_R1048", "MS-OXCFXICS_R1049", "MS-OXCFXICS_R1050", "MS-OXCFXICS_R1051",
    "MS-OXCFXICS_R3293",
)  # fmt: skip
@settings(deadline=None)
@given(parts=st.lists(pairs().map(lambda each: fx.pack(each, 0, NAMES)) | MARKERS), size=st.integers(1, 60))
def test_a_stream_is_cut_between_atoms_alone(parts: list[bytes], size: int) -> None:
    data = b"".join(parts)
    at, place, joined, lexer = 0, fx.START, [], Lexer()
    while at < len(data):
        end, place = fx.cut(data, at, at + size, place)
        if end == at:  # an atom that is longer than the window
            size *= 2
            continue
        assert end <= at + size
        joined += lexer.feed(data[at:end])
        at = end
    assert place == fx.START
    assert flat(joined) == lexed(data, len(data) + 1)


@given(data=st.binary(max_size=200), start=st.integers(0, 20), limit=st.integers(0, 220))
def test_both_twins_cut_the_same(data: bytes, start: int, limit: int) -> None:
    if start > min(limit, len(data)):
        return
    outcomes: list[tuple[object, ...]] = []
    for twin in (fx.cut, reference.cut):
        try:
            outcomes.append(("cut", *twin(data, start, limit, fx.START)))
        except DecodeError as error:
            outcomes.append(("error", error.offset, str(error)))
    assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize(
    "data",
    [
        b"\x0d\x10\x01\x00",
        b"\xfd\x00\x01\x00",
        b"\x1f\x00\x01\x80" + GUID + b"\x02",
        b"\x1f\x00\x01\x00\xff\xff\xff\xff",
        b"\x02\x10\x01\x00\xff\xff\xff\xff",
        b"\x1f\x00\x01\x80" + GUID + b"\x01" + b"a\0" * 400,
    ],
)
def test_what_is_no_stream_is_refused(data: bytes) -> None:
    with pytest.raises(DecodeError) as caught:
        Lexer().feed(data)
    assert 0 <= caught.value.offset <= len(data)


def test_work_is_linear_and_little_is_held() -> None:
    lexer = Lexer()
    count = 20_000
    lexer.feed(b"\x02\x10\x01\x00" + count.to_bytes(4, "little"))
    before = timeit.default_timer()
    for _ in range(2 * count - 1):
        assert lexer.feed(b"\0") == []
    assert timeit.default_timer() - before < 20
    assert lexer.feed(b"\0") == [Prop(0x00011002, None, (0,) * count)]


@pytest.mark.slow
def test_sanitized(tmp_path: Path) -> None:
    seeds = [b"\x20" + fx.pack([(0x0037001F, "x\u20ac\U0001f600"), (0x8002101F, ("a", "b"))], 0, NAMES) * 20]
    fuzz_driver(tmp_path, ["fasttransfer/fuzz.c", "fasttransfer/fasttransfer.c"], [*seeds, bytes(50)], 20_000)


@pytest.mark.covers(
    "MS-OXCFXICS_R1002", "MS-OXCFXICS_R1003", "MS-OXCFXICS_R1004", "MS-OXCFXICS_R1006", "MS-OXCFXICS_R2681",
    "MS-OXCFXICS_R1008", "MS-OXCFXICS_R1010", "MS-OXCFXICS_R1011", "MS-OXCFXICS_R1012", "MS-OXCFXICS_R1013",
    "MS-OXCFXICS_R1014", "MS-OXCFXICS_R1015", "MS-OXCFXICS_R1016", "MS-OXCFXICS_R1017", "MS-OXCFXICS_R1018",
    "MS-OXCFXICS_R1019", "MS-OXCFXICS_R1020", "MS-OXCFXICS_R1021", "MS-OXCFXICS_R1022", "MS-OXCFXICS_R1023",
    "MS-OXCFXICS_R1024", "MS-OXCFXICS_R1025", "MS-OXCFXICS_R1026", "MS-OXCFXICS_R1027", "MS-OXCFXICS_R3999",
    "MS-OXCFXICS_R3262", "MS-OXCFXICS_R3263", "MS-OXCFXICS_R3264", "MS-OXCFXICS_R3265", "MS-OXCFXICS_R3266",
    "MS-OXCFXICS_R3267", "MS-OXCFXICS_R3268", "MS-OXCFXICS_R3269", "MS-OXCFXICS_R3270", "MS-OXCFXICS_R3271",
    "MS-OXCFXICS_R3272", "MS-OXCFXICS_R3273", "MS-OXCFXICS_R3274", "MS-OXCFXICS_R3275", "MS-OXCFXICS_R3276",
    "MS-OXCFXICS_R3277", "MS-OXCFXICS_R3278", "MS-OXCFXICS_R3279", "MS-OXCFXICS_R3280", "MS-OXCFXICS_R3281",
    "MS-OXCFXICS_R3282", "MS-OXCFXICS_R3283", "MS-OXCFXICS_R3284",
)  # fmt: skip
def test_markers_are_events() -> None:
    data = b"".join(int(marker).to_bytes(4, "little") for marker in Marker)
    assert lexed(data, 1) == [Mark(marker) for marker in Marker]
