"""Identifiers, predecessor change lists and ID sets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.mapi import ids
from appliance.mapi.ids import LongTermId, Order, PredecessorChangeList, ServerId, Xid
from appliance.mapi.idset import IdSet, RangeSet, decode_globset, encode_globset
from appliance.wire.cursor import Reader, Writer
from appliance.wire.errors import DecodeError
from tests.kit import Codec, Vector, codec_tests
from tests.mapi.strategies import few_xids, guid_sets, id_sets, range_sets, ranges, xids

GUID = bytes(range(16))


def test_short_ids() -> None:
    short_id = ids.make_id(1, 0x0102)
    assert ids.short_to_wire(short_id).hex() == "0100000000000102"
    assert ids.short_from_wire(ids.short_to_wire(short_id)) == short_id
    assert ids.to_int64(short_id) == int.from_bytes(bytes.fromhex("0100000000000102"), "little")
    with pytest.raises(ValueError):
        ids.make_id(1, 1 << 48)


@given(st.integers(0, 2**64 - 1))
def test_ids_as_properties(short_id: int) -> None:
    assert ids.from_int64(ids.to_int64(short_id)) == short_id


@given(st.binary(min_size=16, max_size=16), st.integers(0, ids.MAX_COUNTER))
def test_long_forms(guid: bytes, counter: int) -> None:
    identifier = LongTermId(guid, counter)
    assert LongTermId.from_gid(identifier.to_gid()) == identifier
    assert LongTermId.from_gid(identifier.to_long_term()) == identifier
    assert Xid.from_bytes(identifier.to_gid()) == Xid.of_change(guid, counter)


@pytest.mark.parametrize("size", [0, 21, 23, 25])
def test_global_identifiers_of_other_lengths(size: int) -> None:
    with pytest.raises(DecodeError):
        LongTermId.from_gid(bytes(size))


def test_server_ids() -> None:
    server_id = ServerId(ids.make_id(1, 5), ids.make_id(1, 6))
    assert server_id.pack().hex() == "01" + "0100000000000005" + "0100000000000006" + "00000000"
    assert ServerId.parse(server_id.pack()) == server_id
    assert ServerId.parse(b"\0anything") is None
    with pytest.raises(DecodeError):
        ServerId.parse(b"\1" + bytes(19))


TestPredecessors = pytest.mark.covers(
    "MS-OXCFXICS_R152",
    "MS-OXCFXICS_R153",
    "MS-OXCFXICS_R155",
    "MS-OXCFXICS_R157",
    "MS-OXCFXICS_R165",
    "MS-OXCFXICS_R169",
    "MS-OXCFXICS_R170",
    "MS-OXCFXICS_R171",
    "MS-OXCFXICS_R172",
    "MS-OXCFXICS_R173",
)(
    codec_tests(
        Codec(
            decode=PredecessorChangeList.parse,
            encode=PredecessorChangeList.pack,
            values=st.lists(xids, max_size=4).map(PredecessorChangeList),
            prefix_is_legal=True,
            vectors=[
                Vector(
                    "sorted by namespace",
                    b"\x16" + bytes(16) + b"\0\0\0\0\0\2" + b"\x16" + GUID + b"\0\0\0\0\0\1",
                    PredecessorChangeList([Xid(GUID, b"\0\0\0\0\0\1"), Xid(bytes(16), b"\0\0\0\0\0\2")]),
                ),
                Vector(
                    "one namespace twice: the later counts",
                    b"\x11" + GUID + b"\5" + b"\x11" + GUID + b"\4",
                    PredecessorChangeList([Xid(GUID, b"\5")]),
                    canonical=False,
                ),
            ],
        )
    )
)


@pytest.mark.covers("MS-OXCFXICS_R161", "MS-OXCFXICS_R2737")
def test_one_namespace_has_one_length() -> None:
    data = b"\x11" + GUID + b"\5" + b"\x12" + GUID + b"\4\0"
    with pytest.raises(DecodeError, match="two lengths in one namespace at byte 18"):
        PredecessorChangeList.parse(data)


few_lists = st.lists(few_xids, max_size=4).map(PredecessorChangeList)


@given(few_lists, few_lists)
def test_comparison_is_inclusion(left: PredecessorChangeList, right: PredecessorChangeList) -> None:
    merged = left.merged(right)
    assert merged.compare(left) in (Order.SAME, Order.NEWER)
    expected = {
        (True, True): Order.SAME,
        (True, False): Order.NEWER,
        (False, True): Order.OLDER,
        (False, False): Order.CONFLICT,
    }[merged == left, merged == right]
    assert left.compare(right) == expected


def _globset(data: bytes) -> RangeSet:
    reader = Reader(data)
    found = decode_globset(reader)
    reader.expect_end()
    return found


def _globset_bytes(found: RangeSet) -> bytes:
    writer = Writer()
    encode_globset(found, writer)
    return writer.getvalue()


TestGlobset = pytest.mark.covers(
    "MS-OXCFXICS_R192",
    "MS-OXCFXICS_R199",
    "MS-OXCFXICS_R201",
    "MS-OXCFXICS_R203",
    "MS-OXCFXICS_R205",
    "MS-OXCFXICS_R207",
    "MS-OXCFXICS_R208",
    "MS-OXCFXICS_R209",
    "MS-OXCFXICS_R210",
    "MS-OXCFXICS_R213",
    "MS-OXCFXICS_R216",
    "MS-OXCFXICS_R218",
    "MS-OXCFXICS_R1956",
    "MS-OXCFXICS_R1957",
    "MS-OXCFXICS_R1963",
    "MS-OXCFXICS_R1973",
    "MS-OXCFXICS_R1974",
    "MS-OXCFXICS_R1979",
    "MS-OXCFXICS_R1983",
    "MS-OXCFXICS_R1987",
    "MS-OXCFXICS_R1989",
    "MS-OXCFXICS_R2007",
    "MS-OXCFXICS_R2012",
    "MS-OXCFXICS_R2014",
    "MS-OXCFXICS_R3668",
    "MS-OXCFXICS_R3064",
    "MS-OXCFXICS_R3065",
    "MS-OXCFXICS_R202",
    "MS-OXCFXICS_R3068",
    "MS-OXCFXICS_R3071",
    "MS-OXCFXICS_R3074",
    "MS-OXCFXICS_R212",
    "MS-OXCFXICS_R214",
    "MS-OXCFXICS_R215",
    "MS-OXCFXICS_R217",
    "MS-OXCFXICS_R3077",
    "MS-OXCFXICS_R1931",
    "MS-OXCFXICS_R1933",
    "MS-OXCFXICS_R1934",
    "MS-OXCFXICS_R1935",
    "MS-OXCFXICS_R1936",
    "MS-OXCFXICS_R1937",
    "MS-OXCFXICS_R1938",
    "MS-OXCFXICS_R1950",
    "MS-OXCFXICS_R1951",
    "MS-OXCFXICS_R3376",
    "MS-OXCFXICS_R1955",
    "MS-OXCFXICS_R1964",
    "MS-OXCFXICS_R1977",
    "MS-OXCFXICS_R1978",
    "MS-OXCFXICS_R1980",
    "MS-OXCFXICS_R1981",
    "MS-OXCFXICS_R1982",
    "MS-OXCFXICS_R3392",
    "MS-OXCFXICS_R1994",
    "MS-OXCFXICS_R1995",
    "MS-OXCFXICS_R2005",
    "MS-OXCFXICS_R2009",
    "MS-OXCFXICS_R2013",
    "MS-OXCFXICS_R2660",
    "MS-OXCFXICS_R2661",
)(
    codec_tests(
        Codec(
            decode=_globset,
            encode=_globset_bytes,
            values=range_sets,
            vectors=[
                Vector("nothing", b"\0", RangeSet()),
                Vector("one", bytes.fromhex("06 000000000005 00"), RangeSet.of([5])),
                Vector(
                    "the bitmask of MS-OXCFXICS 3.1.5.4.3.1.3",
                    bytes.fromhex("05 0000000000 42 01 eb 50 00"),
                    RangeSet([(1, 3), (5, 5), (7, 9)]),
                ),
                Vector(
                    "a range under common bytes",
                    bytes.fromhex("04 00000000 52 0001 1234 50 00"),
                    RangeSet([(1, 0x1234)]),
                ),
                Vector(
                    "a range without common bytes",
                    bytes.fromhex("52 000000000001 010000000000 00"),
                    RangeSet([(1, 0x010000000000)]),
                ),
                Vector(
                    "pushes on pushes",
                    bytes.fromhex("02 0000 02 0000 01 01 01 05 50 02 0207 50 50 00"),
                    RangeSet.of([0x0105, 0x0207]),
                    canonical=False,
                ),
            ],
        )
    )
)


@pytest.mark.covers(
    "MS-OXCFXICS_R1966",
    "MS-OXCFXICS_R1970",
    "MS-OXCFXICS_R1992",
    "MS-OXCFXICS_R2001",
    "MS-OXCFXICS_R2002",
    "MS-OXCFXICS_R2003",
    "MS-OXCFXICS_R3393",
    "MS-OXCFXICS_R3391",
)
@pytest.mark.parametrize(
    ("data", "what"),
    [
        ("50 00", "Pop without"),
        ("42 0101 00", "Bitmask with 0"),
        ("04 00000000 42 0101 50 00", "Bitmask with 4"),
        ("04 00000000 00", "bytes on the stack"),
        ("04 00000000 04 00000000", "8 common bytes"),
        ("04 00000000 52 0002 0001 50 00", "ends before"),
        ("07", "command 0x07"),
        ("43", "command 0x43"),
        ("05 0000000000 42 ff01 50 00", "past the last"),
        ("", "command"),
    ],
)
def test_globsets_that_are_refused(data: str, what: str) -> None:
    with pytest.raises(DecodeError, match=what):
        _globset(bytes.fromhex(data))


def test_typical_sets_are_short() -> None:
    assert len(_globset_bytes(RangeSet([(1, 100_000)]))) == 13
    assert len(_globset_bytes(RangeSet.of(range(1, 400, 2)))) < 200
    assert len(_globset_bytes(RangeSet([(n * 100, n * 100 + 50) for n in range(1, 60)]))) < 60 * 5


TestIdSet = pytest.mark.covers("MS-OXCFXICS_R181", "MS-OXCFXICS_R182", "MS-OXCFXICS_R183")(
    codec_tests(
        Codec(
            decode=lambda data: IdSet.parse(data, by_guid=False),
            encode=IdSet.pack,
            values=id_sets,
            prefix_is_legal=True,
            vectors=[
                Vector(
                    "by ascending replica",
                    bytes.fromhex("0100 06000000000007 00 0200 06000000000005 00"),
                    IdSet.of_ids([ids.make_id(2, 5), ids.make_id(1, 7)]),
                )
            ],
        )
    )
)
TestGuidSet = pytest.mark.covers("MS-OXCFXICS_R184", "MS-OXCFXICS_R186", "MS-OXCFXICS_R187")(
    codec_tests(
        Codec(
            decode=lambda data: IdSet.parse(data, by_guid=True),
            encode=IdSet.pack,
            values=guid_sets,
            prefix_is_legal=True,
        )
    )
)


@given(st.lists(ranges, max_size=8), st.lists(ranges, max_size=8))
def test_set_algebra(left: list[tuple[int, int]], right: list[tuple[int, int]]) -> None:
    one, other = RangeSet(left), RangeSet(right)
    a = {value for low, high in left for value in range(low, high + 1)}
    b = {value for low, high in right for value in range(low, high + 1)}
    assert set(one | other) == a | b
    assert set(one & other) == a & b
    assert set(one - other) == a - b
    assert (one <= other) == (a <= b)
    assert len(one) == len(a)
    grown = RangeSet(left)
    for low, high in right:
        grown.add(low, high)
    assert grown == one | other
    for value in list(a)[:20]:
        assert value in one
        assert (value in other) == (value in b)


@pytest.mark.covers(
    "MS-OXCFXICS_R1941", "MS-OXCFXICS_R1945", "MS-OXCFXICS_R1946", "MS-OXCFXICS_R1948",
)  # fmt: skip
def test_sets_by_replica() -> None:
    one = IdSet.of_ids([ids.make_id(1, 5), ids.make_id(1, 6), ids.make_id(2, 5)])
    other = IdSet.of_ids([ids.make_id(1, 6)])
    assert list((one - other).ids()) == [ids.make_id(1, 5), ids.make_id(2, 5)]
    assert other <= one
    assert not one <= other
    assert (one & other) == other
    assert one.contains(2, 5)
    assert not one.contains(3, 5)
    by_guid = one.mapped({1: GUID, 2: bytes(16)})
    assert by_guid.mapped({GUID: 1, bytes(16): 2}) == one
    assert IdSet({1: RangeSet()}) == IdSet()
    with pytest.raises(TypeError):
        list(by_guid.ids())
