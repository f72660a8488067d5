"""Property values, rows, recipient rows and address lists, in every form of the wire."""

import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.mapi import types as t
from appliance.mapi.names import PropertyName, PSETID_Common
from appliance.mapi.rows import (
    ABSENT,
    PROPERTY_NAME,
    AddressType,
    PropertyError,
    RecipientRow,
    read_address_list,
    read_row,
    write_address_list,
    write_row,
)
from appliance.mapi.tags import PidTagDisplayName, PidTagEntryId, PidTagImportance, PidTagSubject
from appliance.mapi.values import (
    Form,
    TypedValue,
    address_book_form,
    extended_form,
    outer_form,
    read_tagged,
    read_typed,
    rop_form,
    write_tagged,
    write_typed,
)
from appliance.wire.cursor import Reader, Writer
from appliance.wire.errors import DecodeError, EncodeError
from tests.kit import Codec, Vector, codec_tests
from tests.mapi.strategies import rows, tagged, texts, typed

FORMS = [rop_form(), extended_form(), address_book_form()]


def _decode(form: Form) -> Any:
    def decode(data: bytes) -> tuple[int, Any]:
        reader = Reader(data)
        value = read_tagged(reader, form)
        reader.expect_end()
        return value

    return decode


def _encode(form: Form) -> Any:
    def encode(value: tuple[int, Any]) -> bytes:
        writer = Writer()
        write_tagged(writer, *value, form)
        return writer.getvalue()

    return encode


def _codec(form: Form, vectors: list[Vector]) -> type:
    return codec_tests(
        Codec(
            decode=_decode(form),
            encode=_encode(form),
            values=tagged(unicode_only=False),
            vectors=vectors,
            same=lambda left, right: repr(left) == repr(right),
        )
    )


TestRop = _codec(
    rop_form(),
    [
        Vector(
            "binary has a 16-bit count", bytes.fromhex("0201ff0f 0200 abcd"), (PidTagEntryId, b"\xab\xcd")
        ),
        Vector(
            "multi-values have a 32-bit count",
            bytes.fromhex("02100080 02000000 0100 ffff"),
            (0x80001002, (1, -1)),
        ),
        Vector("binaries inside too", bytes.fromhex("02110080 01000000 0100 aa"), (0x80001102, (b"\xaa",))),
        Vector("string", bytes.fromhex("1f003700 6800 e900 0000"), (PidTagSubject, "hé")),
        Vector("string in a code page", bytes.fromhex("1e003700 68e900"), (0x0037001E, "hé")),
        Vector("null", bytes.fromhex("01000080"), (0x80000001, None)),
    ],
)
TestExtended = _codec(
    extended_form(),
    [
        Vector(
            "binary has a 32-bit count", bytes.fromhex("0201ff0f 02000000 abcd"), (PidTagEntryId, b"\xab\xcd")
        )
    ],
)
TestAddressBook = _codec(
    address_book_form(),
    [
        Vector("present", bytes.fromhex("1f003700 ff 6800 0000"), (PidTagSubject, "h")),
        Vector("absent", bytes.fromhex("1f003700 00"), (PidTagSubject, ""), canonical=False),
        Vector("numbers have no presence", bytes.fromhex("03001700 01000000"), (PidTagImportance, 1)),
        Vector(
            "nor have the elements of fixed size",
            bytes.fromhex("03100080 ff 01000000 07000000"),
            (0x80001003, (7,)),
        ),
        Vector(
            "strings of a multi-value have",
            bytes.fromhex("1f100080 ff 01000000 ff 6100 0000"),
            (0x8000101F, ("a",)),
        ),
    ],
)


@pytest.mark.covers("MS-OXCMAPIHTTP_R2005", "MS-OXCMAPIHTTP_R2006", "MS-OXCMAPIHTTP_R2007")
def test_has_value_is_true_or_false_and_nothing_else() -> None:
    with pytest.raises(DecodeError, match="HasValue 0x01 at byte 4"):
        read_tagged(Reader(bytes.fromhex("1f003700 01 6800 0000")), address_book_form())


@given(typed())
def test_typed_values(value: TypedValue) -> None:
    for form in FORMS:
        writer = Writer()
        write_typed(writer, value, form)
        reader = Reader(writer.getvalue())
        assert read_typed(reader, form) == value
        reader.expect_end()


def test_structures_inside_values_are_kept_as_bytes() -> None:
    action = bytes.fromhex("0200 0100 01 0300 020304")
    restriction = bytes.fromhex("00 0200 08 1f003700 02 08 1f003700")
    for tag, data in ((0x668000FE, action), (0x667900FD, restriction)):
        writer = Writer()
        write_tagged(writer, tag, data, rop_form())
        assert read_tagged(Reader(writer.getvalue()), rop_form()) == (tag, data)


def test_restrictions_inside_restrictions_do_not_nest_without_end() -> None:
    data = bytes.fromhex("fd007966") + bytes.fromhex("04 04 fd007966 fd007966") * 5000
    with pytest.raises(DecodeError, match="inside a restriction"):
        read_tagged(Reader(data), rop_form())


@pytest.mark.parametrize("data", ["00000080 0000", "11220080", "1f100080 ffffff7f"])
def test_what_is_no_value(data: str) -> None:
    with pytest.raises(DecodeError):
        read_tagged(Reader(bytes.fromhex(data)), rop_form())


def test_what_has_no_wire_form() -> None:
    for tag, value in (
        (0x80000011, 1),
        (PidTagImportance, "x"),
        (PidTagSubject, 5),
        (PidTagEntryId, bytes(70_000)),
    ):
        with pytest.raises(EncodeError):
            write_tagged(Writer(), tag, value, rop_form())


def test_a_zero_inside_a_string_ends_it_on_the_wire() -> None:
    writer = Writer()
    write_tagged(writer, PidTagSubject, "ab\0cd", rop_form())
    assert read_tagged(Reader(writer.getvalue()), rop_form()) == (PidTagSubject, "ab")


@given(rows())
def test_rows(row: tuple[list[int], list[Any]]) -> None:
    columns, cells = row
    for form in FORMS:
        writer = Writer()
        write_row(writer, columns, cells, form)
        reader = Reader(writer.getvalue())
        assert read_row(reader, columns, form) == cells
        reader.expect_end()


@pytest.mark.covers(
    "MS-OXCMAPIHTTP_R17",
    "MS-OXCMAPIHTTP_R18",
    "MS-OXCMAPIHTTP_R450",
    "MS-OXCMAPIHTTP_R453",
    "MS-OXCMAPIHTTP_R1298",
    "MS-OXCMAPIHTTP_R1299",
    "MS-OXCMAPIHTTP_R2021",
    "MS-OXCMAPIHTTP_R2022",
    "MS-OXCMAPIHTTP_R2023",
    "MS-OXCMAPIHTTP_R2024",
)
def test_row_bytes() -> None:
    columns = [PidTagSubject, PidTagImportance, 0x80010000]
    full: list[Any] = ["h", 1, TypedValue(t.PtypInteger16, 2)]
    partial: list[Any] = [PropertyError(0x8004010F), ABSENT, TypedValue(t.PtypInteger16, 2)]
    for form, cells, expected in (
        (rop_form(), full, "00 68000000 01000000 0200 0200"),
        (address_book_form(), full, "00 ff68000000 01000000 0200 0200"),
        (rop_form(), partial, "01 0a0f010480 01 0200 00 0200"),
        (address_book_form(), partial, "01 0a0f010480 01 0200 00 0200"),
        (rop_form(), ["h", 1, ABSENT], "01 0068000000 0001000000 0000 01"),
    ):
        writer = Writer()
        write_row(writer, columns, cells, form)
        assert writer.getvalue() == bytes.fromhex(expected)
        assert read_row(Reader(writer.getvalue()), columns, form) == cells
    with pytest.raises(DecodeError, match="row flag"):
        read_row(Reader(b"\x02"), columns, rop_form())


def test_a_column_of_instances_holds_single_values() -> None:
    writer = Writer()
    write_row(writer, [0x8000301F], ["red"], rop_form())
    assert read_row(Reader(writer.getvalue()), [0x8000301F], rop_form()) == ["red"]


@st.composite
def recipients(draw: st.DrawFn) -> RecipientRow:
    kind = draw(st.sampled_from(AddressType))
    row = RecipientRow(
        kind,
        email=draw(st.none() | texts),
        display_name=draw(st.none() | texts),
        simple_name=draw(st.none() | texts),
        transmittable_name=draw(st.none() | texts),
        same_as_display=draw(st.booleans()),
        responsible=draw(st.booleans()),
        non_rich=draw(st.booleans()),
        cells=draw(st.sampled_from([[], ["x"], [ABSENT, 3]])),
    )
    if kind == AddressType.X500DN:
        row.prefix_used, row.display_type, row.x500dn = 7, 1, "/o=a/cn=b"
    elif kind >= AddressType.PERSONAL_DISTRIBUTION_LIST_1:
        row.entry_id, row.search_key = b"entry", b"key"
    elif kind == AddressType.NONE:
        row.address_type = draw(st.sampled_from([None, "X-FAX"]))
    return row


COLUMNS = [PidTagDisplayName, PidTagImportance]


def _recipient(data: bytes) -> RecipientRow:
    reader = Reader(data)
    row = RecipientRow.decode(reader, COLUMNS, rop_form())
    reader.expect_end()
    return row


def _recipient_bytes(row: RecipientRow) -> bytes:
    writer = Writer()
    row.encode(writer, COLUMNS, rop_form())
    return writer.getvalue()


TestRecipientRow = codec_tests(
    Codec(
        decode=_recipient,
        encode=_recipient_bytes,
        values=recipients(),
        vectors=[
            Vector(
                "SMTP, Unicode",
                bytes.fromhex("1b02 6100 0000 6200 0000 0000 00"),
                RecipientRow(AddressType.SMTP, email="a", display_name="b"),
            ),
            Vector(
                "X.500 in a code page",
                bytes.fromhex("5100 05 00 2f636e3d6100 62e900 0000 00"),
                RecipientRow(
                    AddressType.X500DN,
                    5,
                    x500dn="/cn=a",
                    display_name="bé",
                    same_as_display=True,
                    unicode=False,
                ),
            ),
        ],
    )
)


@pytest.mark.covers(
    "MS-OXCROPS_R131", "MS-OXCROPS_R134", "MS-OXCROPS_R140", "MS-OXCROPS_R148", "MS-OXCROPS_R176",
)  # fmt: skip
def test_the_optional_fields_of_a_recipient() -> None:
    list_ = _recipient(bytes.fromhex("0600 0200 aabb 0100 cc 0000 00"))
    assert (list_.entry_id, list_.search_key) == (b"\xaa\xbb", b"\xcc")
    person = _recipient(bytes.fromhex("5100 05 06 2f636e3d6100 62e900 0000 00"))
    assert person.display_type == 6


@pytest.mark.covers("MS-OXCROPS_R177")
def test_a_recipient_names_no_more_columns_than_there_are() -> None:
    with pytest.raises(DecodeError, match="3 of 2 columns"):
        _recipient(bytes.fromhex("0302 0300 00"))


@given(st.lists(st.lists(tagged(), max_size=4).map(dict), max_size=4))
def test_address_lists(entries: list[t.Bag]) -> None:
    writer = Writer()
    write_address_list(writer, entries, extended_form())
    assert read_address_list(Reader(writer.getvalue()), extended_form()) == entries


TestPropertyName = codec_tests(
    Codec(
        decode=lambda data: _whole(data),
        encode=lambda name: _name_bytes(name),
        vectors=[
            Vector("LID", b"\0" + PSETID_Common + b"\x06\x85\0\0", PropertyName(PSETID_Common, 0x8506)),
            Vector(
                "string",
                b"\1" + PSETID_Common + bytes.fromhex("06 6100 6200 0000"),
                PropertyName(PSETID_Common, "ab"),
            ),
            Vector("none", b"\xff" + bytes(16), None),
        ],
    )
)


def _whole(data: bytes) -> PropertyName | None:
    reader = Reader(data)
    name = PROPERTY_NAME.decode(reader)
    reader.expect_end()
    return name


def _name_bytes(name: PropertyName | None) -> bytes:
    writer = Writer()
    PROPERTY_NAME.encode(writer, name)
    return writer.getvalue()


def test_a_name_too_long_for_its_size_byte() -> None:
    with pytest.raises(EncodeError, match="256 bytes"):
        _name_bytes(PropertyName(PSETID_Common, "x" * 127))


WITH_PRESENCE = [
    (t.PtypString, "a"),
    (t.PtypString8, "a"),
    (t.PtypBinary, b"a"),
    (t.PtypMultipleInteger16, (1,)),
    (t.PtypMultipleInteger32, (1,)),
    (t.PtypMultipleFloating32, (1.0,)),
    (t.PtypMultipleFloating64, (1.0,)),
    (t.PtypMultipleCurrency, (1,)),
    (t.PtypMultipleFloatingTime, (1.0,)),
    (t.PtypMultipleInteger64, (1,)),
    (t.PtypMultipleString, ("a",)),
    (t.PtypMultipleString8, ("a",)),
    (t.PtypMultipleTime, (1,)),
    (t.PtypMultipleGuid, (bytes(16),)),
    (t.PtypMultipleBinary, (b"a",)),
]


@pytest.mark.covers(
    "MS-OXCMAPIHTTP_R2001",
    "MS-OXCMAPIHTTP_R2002",
    "MS-OXCMAPIHTTP_R2003",
    "MS-OXCMAPIHTTP_R2004",
    "MS-OXCMAPIHTTP_R2250",
    "MS-OXCMAPIHTTP_R2251",
    "MS-OXCMAPIHTTP_R2252",
    "MS-OXCMAPIHTTP_R2253",
    "MS-OXCMAPIHTTP_R2254",
    "MS-OXCMAPIHTTP_R2255",
    "MS-OXCMAPIHTTP_R2256",
    "MS-OXCMAPIHTTP_R2257",
    "MS-OXCMAPIHTTP_R2258",
    "MS-OXCMAPIHTTP_R2259",
    "MS-OXCMAPIHTTP_R2260",
    "MS-OXCMAPIHTTP_R2261",
    "MS-OXCMAPIHTTP_R2009",
    "MS-OXCMAPIHTTP_R2011",
    "MS-OXCMAPIHTTP_R2012",
    "MS-OXCMAPIHTTP_R2013",
    "MS-OXCMAPIHTTP_R2014",
)
@pytest.mark.parametrize(("kind", "value"), WITH_PRESENCE, ids=lambda item: str(item))
def test_presence_stands_before_strings_binaries_and_multi_values(kind: int, value: Any) -> None:
    writer = Writer()
    write_tagged(writer, 0x1234_0000 | kind, value, address_book_form())
    data = writer.getvalue()
    assert data[:5] == kind.to_bytes(2, "little") + b"\x34\x12\xff"
    assert read_tagged(Reader(data), address_book_form()) == (0x1234_0000 | kind, value)
    absent = read_tagged(Reader(data[:4] + b"\0"), address_book_form())[1]
    assert not absent
    assert type(absent) is type(value)


@pytest.mark.covers("MS-OXCMAPIHTTP_R2010")
@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (t.PtypInteger32, 1),
        (t.PtypBoolean, True),
        (t.PtypTime, 5),
        (t.PtypGuid, bytes(16)),
        (t.PtypErrorCode, 7),
    ],
)
def test_other_values_stand_without_presence(kind: int, value: Any) -> None:
    plain, marked = Writer(), Writer()
    write_tagged(plain, 0x1234_0000 | kind, value, extended_form())
    write_tagged(marked, 0x1234_0000 | kind, value, address_book_form())
    assert plain.getvalue() == marked.getvalue()


@pytest.mark.covers("MS-OXNSPI_R31")
def test_objects_are_bytes_and_in_the_address_book_numbers() -> None:
    for form, value, expected in (
        (rop_form(), b"abc", "0d004166 0300 616263"),
        (extended_form(), b"abc", "0d004166 03000000 616263"),
        (address_book_form(), 7, "0d004166 07000000"),
        (outer_form(), 7, "0d004166 07000000"),
    ):
        writer = Writer()
        write_tagged(writer, 0x6641_000D, value, form)
        assert bytes(writer.buf) == bytes.fromhex(expected)
        assert read_tagged(Reader(bytes(writer.buf)), form) == (0x6641_000D, value)


@pytest.mark.covers("MS-OXCMAPIHTTP_R2261", "MS-OXCMAPIHTTP_R2257")
def test_elements_without_presence_bytes() -> None:
    for tag, value, expected in (
        (0x6641_1102, (b"ab", b""), "02116641 ff 02000000 02000000 6162 00000000"),
        (0x6641_101F, ("a",), "1f106641 ff 01000000 6100 0000"),
        (0x6641_001F, "a", "1f006641 ff 6100 0000"),
    ):
        data = struct.pack("<I", tag) + bytes.fromhex(expected)[4:]
        writer = Writer()
        write_tagged(writer, tag, value, outer_form())
        assert bytes(writer.buf) == data
        assert read_tagged(Reader(data), outer_form()) == (tag, value)
