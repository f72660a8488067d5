"""Records: both directions from one declaration, errors that name the field, generated values."""

from enum import Enum, IntFlag
from typing import Annotated

import pytest

from appliance.wire import fields as f
from appliance.wire.cursor import Reader
from appliance.wire.errors import DecodeError, EncodeError
from appliance.wire.record import Nested, Record
from tests.kit import Codec, Vector, codec_tests
from tests.records import records


class Colour(Enum):
    RED = 1
    BLUE = 7


class Options(IntFlag):
    NAME = 1
    TAIL = 2


class Inner(Record):
    number: f.Int16
    text: f.Utf16


class Everything(Record):
    """One of each codec."""

    magic: Annotated[int, f.Const(0x1234, f.U16)]
    reserved: Annotated[int, f.Reserved(f.U8)]
    options: Annotated[Options, f.Flags(Options, f.U8)]
    colour: Annotated[Colour, f.Member(Colour, f.U16)]
    flag: f.Bool
    loose: Annotated[bool, f.LOOSE_BOOL]
    guid: f.Guid
    inner: Inner
    small: f.Int8
    big: f.UInt64
    real: Annotated[float, f.F64]
    blob: f.Bytes16
    text: Annotated[str, f.CountedText(1, "cp1252")]
    ascii: f.Ascii
    raw: f.RawString
    numbers: Annotated[tuple[int, ...], f.Array(f.U32, 4)]
    members: Annotated[tuple[Colour, ...], f.Array(f.Member(Colour, f.U8), 1)]
    inners: Annotated[tuple[Inner, ...], f.Array(Nested(Inner), 2, least=4)]
    name: Annotated[str | None, f.When(f.NUL_UTF16, lambda record: record.options & Options.NAME)]
    size: Annotated[int, f.Member(Enum("Size", {"TWO": 2, "THREE": 3}), f.U8)]
    sized: Annotated[bytes, f.SizedBytes(lambda record: record.size.value)]
    listed: Annotated[tuple[int, ...], f.SizedArray(f.U16, lambda record: record.size.value)]
    either: Annotated[object, f.Variant(lambda r: r.colour, {Colour.RED: f.U32, Colour.BLUE: Nested(Inner)})]
    rest: f.Remaining


class Simple(Record):
    op: f.UInt8
    folder: f.UInt64
    names: Annotated[tuple[str, ...], f.Array(f.NUL_UTF16, 2, least=2)] = ()


TestEverything = codec_tests(
    Codec(
        decode=Everything.parse,
        encode=Everything.pack,
        values=records(Everything),
        prefix_is_legal=True,  # ends with the remaining bytes
    )
)

TestSimple = codec_tests(
    Codec(
        decode=Simple.parse,
        encode=Simple.pack,
        values=records(Simple),
        vectors=[
            Vector("without names", bytes.fromhex("01 0200000000000000 0000"), Simple(1, 2)),
            Vector(
                "with names",
                bytes.fromhex("01 0200000000000000 0200 61000000 0000"),
                Simple(op=1, folder=2, names=("a", "")),
            ),
        ],
    )
)


@pytest.mark.parametrize(
    ("data", "what", "offset"),
    [
        ("", "Simple.op: 1 bytes needed, 0 left", 0),
        ("01 02", "Simple.folder: 8 bytes needed, 1 left", 1),
        ("01 0200000000000000 01", "Simple.names: count: 2 bytes needed, 1 left", 9),
        ("01 0200000000000000 0300 0000", "Simple.names: count: 3 of them in 2 bytes", 9),
        ("01 0200000000000000 0200 0000 6100", "Simple.names.1: string: no terminator", 13),
        ("01 0200000000000000 0000 ff", "Simple: record: 1 bytes too many", 11),
    ],
)
def test_errors_name_the_field(data: str, what: str, offset: int) -> None:
    with pytest.raises(DecodeError) as caught:
        Simple.parse(bytes.fromhex(data))
    assert (str(caught.value), caught.value.offset) == (f"{what} at byte {offset}", offset)


@pytest.mark.parametrize(
    ("record", "what"),
    [
        (Simple(256, 0), "Simple.op: 256: "),
        (Simple(0, -1), "Simple.folder: -1: "),
        (Simple(0, 0, ("a\0",)), "Simple.names.0: string: a zero"),
        (Simple(0, "x"), "Simple.folder: 'x': "),  # type: ignore[arg-type]
    ],
)
def test_values_that_do_not_fit_name_the_field(record: Simple, what: str) -> None:
    with pytest.raises(EncodeError) as caught:
        record.pack()
    assert str(caught.value).startswith(what)


class Choice(Record):
    kind: f.UInt8
    value: Annotated[int | None, f.When(f.U16, lambda record: record.kind == 1)]
    magic: Annotated[int, f.Const(5, f.U8)] = 5


def test_conditions_hold_both_ways() -> None:
    assert Choice.parse(b"\x01\x02\x00\x05") == Choice(1, 2)
    assert Choice.parse(b"\x00\x05") == Choice(0, None)
    with pytest.raises(EncodeError, match="value: a value in a field that is absent"):
        Choice(0, 2).pack()
    with pytest.raises(EncodeError, match="value: no value in a field that is present"):
        Choice(1, None).pack()
    with pytest.raises(DecodeError, match="magic: 0x6 where 0x5 stands at byte 1"):
        Choice.parse(b"\x00\x06")


def test_a_field_without_codec_is_a_fault_of_the_declaration() -> None:
    with pytest.raises(TypeError, match=r"Broken\.number has no codec"):

        class Broken(Record):
            number: int


def test_offsets_count_from_the_whole_buffer() -> None:
    reader = Reader(b"\0\0\0\0\x01\x02\x03", 4)
    inner = reader.sub(2)
    with pytest.raises(DecodeError) as caught:
        Simple.decode(inner)
    assert caught.value.offset == 5
    assert reader.pos == 6


def test_records_compare_and_show_themselves() -> None:
    assert Simple(1, 2) == Simple(1, 2)
    assert Simple(1, 2) != Simple(1, 3)
    assert repr(Simple(1, 2)) == "Simple(op=1, folder=2, names=())"


def test_an_announced_count_costs_nothing() -> None:
    class Hollow(Record):
        pass

    class Many(Record):
        hollows: Annotated[tuple[Hollow, ...], f.Array(Nested(Hollow), 4, least=0)]

    assert len(Many.parse(b"\x03\0\0\0").hollows) == 3
    with pytest.raises(DecodeError, match="elements without bytes"):
        Many.parse(b"\xff\xff\x0f\0")
