"""Sort orders."""

import pytest

from appliance.mapi.sorts import SORT_ORDER_SET, Direction, SortOrder, SortOrderSet
from appliance.mapi.tags import PidTagMessageDeliveryTime, PidTagSubject
from appliance.wire.cursor import Reader, Writer
from appliance.wire.errors import DecodeError, EncodeError
from tests.kit import Codec, Vector, codec_tests
from tests.mapi.strategies import sort_order_sets


def _decode(data: bytes) -> SortOrderSet:
    reader = Reader(data)
    found = SORT_ORDER_SET.decode(reader)
    reader.expect_end()
    return found


def _encode(value: SortOrderSet) -> bytes:
    writer = Writer()
    SORT_ORDER_SET.encode(writer, value)
    return writer.getvalue()


TestSortOrderSet = codec_tests(
    Codec(
        decode=_decode,
        encode=_encode,
        values=sort_order_sets(),
        vectors=[
            Vector(
                "newest first under subjects",
                bytes.fromhex("0200 0100 0100 1f003700 00 4000060e 01"),
                SortOrderSet(
                    (SortOrder(PidTagSubject), SortOrder(PidTagMessageDeliveryTime, Direction.DESCENDING)),
                    1,
                    1,
                ),
            )
        ],
    )
)


@pytest.mark.parametrize(("orders", "categorized", "expanded"), [(0, 1, 0), (1, 1, 2), (1, 2, 0), (65, 0, 0)])
def test_counts_that_contradict_each_other(orders: int, categorized: int, expanded: int) -> None:
    made = SortOrderSet((SortOrder(PidTagSubject),) * orders, categorized, expanded)
    with pytest.raises(EncodeError):
        _encode(made)


@pytest.mark.parametrize("data", ["0100 0000 0000 1f003700 02", "0000 0100 0000", "4100 0000 0000"])
def test_what_is_no_sort_order(data: str) -> None:
    with pytest.raises(DecodeError):
        _decode(bytes.fromhex(data))


def test_columns_with_a_row_for_each_value() -> None:
    assert SortOrder(0x8000301F).by_instance
    assert not SortOrder(0x8000101F).by_instance
