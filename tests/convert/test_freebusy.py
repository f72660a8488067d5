"""Free/busy lists: months, stretches, and back."""

import struct
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.convert.freebusy import (
    MAX_MONTHS,
    Span,
    Status,
    from_bag,
    month_start,
    publishing_range,
    to_bag,
)
from appliance.mapi import tags
from appliance.mapi.types import Bag
from appliance.wire.errors import DecodeError

EPOCH = datetime(1601, 1, 1)


def at(*moment: int) -> int:
    return (datetime(*moment) - EPOCH) // timedelta(minutes=1)  # type: ignore[arg-type]


def test_lists() -> None:
    """United where they overlap or touch, split where a month ends, each in the list of its status."""
    spans = [
        Span(at(2024, 2, 5, 10), at(2024, 2, 5, 11), Status.BUSY),
        Span(at(2024, 2, 5, 10, 30), at(2024, 2, 5, 12), Status.BUSY),
        Span(at(2024, 2, 5, 12), at(2024, 2, 5, 13), Status.BUSY),
        Span(at(2024, 2, 29, 22), at(2024, 3, 1, 2), Status.AWAY),
        Span(at(2024, 2, 5, 12), at(2024, 2, 5, 14), Status.AWAY),
        Span(at(2024, 3, 1), at(2024, 3, 2), Status.TENTATIVE),
        Span(at(2024, 3, 3), at(2024, 3, 4), Status.FREE),
        Span(at(2024, 3, 3), at(2024, 3, 4), Status.ELSEWHERE),
        Span(at(2023, 12, 31), at(2024, 2, 1, 1), Status.BUSY),
        Span(at(2024, 4, 30, 23), at(2024, 9, 1), Status.BUSY),
    ]
    bag = to_bag(spans, at(2024, 2, 17, 5), 2)
    day = 4 * 24 * 60
    assert bag == {
        tags.PidTagFreeBusyPublishStart: at(2024, 2, 1),
        tags.PidTagFreeBusyPublishEnd: at(2024, 4, 1),
        tags.PidTagFreeBusyCountMonths: 2,
        tags.PidTagScheduleInfoMonthsTentative: (2024 * 16 + 3,),
        tags.PidTagScheduleInfoFreeBusyTentative: (struct.pack("<HH", 0, 1440),),
        tags.PidTagScheduleInfoMonthsBusy: (2024 * 16 + 2,),
        tags.PidTagScheduleInfoFreeBusyBusy: (struct.pack("<HHHH", 0, 60, day + 600, day + 780),),
        tags.PidTagScheduleInfoMonthsAway: (2024 * 16 + 2, 2024 * 16 + 3),
        tags.PidTagScheduleInfoFreeBusyAway: (
            struct.pack("<HHHH", day + 720, day + 840, 29 * 1440 - 120, 29 * 1440),
            struct.pack("<HH", 0, 120),
        ),
        tags.PidTagScheduleInfoMonthsMerged: (2024 * 16 + 2, 2024 * 16 + 3),
        tags.PidTagScheduleInfoFreeBusyMerged: (
            struct.pack("<HHHHHH", 0, 60, day + 600, day + 840, 29 * 1440 - 120, 29 * 1440),
            struct.pack("<HH", 0, 120),
        ),
    }


def test_months() -> None:
    assert month_start(at(2024, 12, 31, 23, 59), 1) == at(2025, 1, 1)
    assert month_start(at(2024, 1, 1), -1) == at(2023, 12, 1)
    assert to_bag([], at(2024, 2, 1), 999)[tags.PidTagFreeBusyCountMonths] == MAX_MONTHS


@pytest.mark.parametrize(
    ("moment", "months", "begin", "end"),
    [
        (at(2024, 2, 17, 5), 2, at(2024, 2, 1), at(2024, 4, 1)),
        (at(2024, 2, 1), 12, at(2024, 1, 28), at(2025, 1, 28)),  # a Thursday
        (at(2024, 9, 1, 12), 1, at(2024, 9, 1), at(2024, 10, 1)),  # a Sunday
        (at(2024, 2, 3), 1, at(2024, 1, 28), at(2024, 2, 28)),
        (at(2024, 6, 1), 9, at(2024, 5, 26), at(2025, 2, 26)),
        (at(2025, 2, 1), 1, at(2025, 1, 26), at(2025, 2, 26)),
        (at(2025, 2, 1), 999, at(2025, 1, 26), at(2028, 1, 26)),
        (at(2025, 10, 1), 5, at(2025, 9, 28), at(2026, 2, 28)),
        (at(2025, 11, 1), 4, at(2025, 10, 26), at(2026, 2, 26)),
        (at(2024, 8, 1), 7, at(2024, 7, 28), at(2025, 2, 28)),
        (at(2026, 1, 1), 2, at(2025, 12, 28), at(2026, 2, 28)),
        (at(2024, 1, 1), 2, at(2023, 12, 31), at(2024, 2, 29)),
    ],
)
def test_what_is_published(moment: int, months: int, begin: int, end: int) -> None:
    """From the month or the week, whichever begins earlier (MS-OXOPFFB 2.2.1.2.9, 2.2.1.2.10)."""
    assert publishing_range(moment, months) == (begin, end)
    always = [Span(at(2020, 1, 1), at(2040, 1, 1), Status.AWAY)]
    (told,) = from_bag(to_bag(always, moment, months))[:1]
    assert told.start == begin
    assert from_bag(to_bag(always, moment, months))[-1].end == end


_SPANS = st.builds(
    lambda start, length, status: Span(at(2024, 1, 1) + start, at(2024, 1, 1) + start + length, status),
    st.integers(-5000, 130_000),
    st.integers(1, 60_000),
    st.sampled_from(Status),
)


@given(st.lists(_SPANS, max_size=12))
def test_back_again(spans: list[Span]) -> None:
    """Every minute of the published months is what the appointments say, for each list."""
    found = from_bag(to_bag(spans, at(2024, 1, 1), 3))
    first, last = publishing_range(at(2024, 1, 1), 3)
    for minute in range(first, last, 977):
        for status in (Status.TENTATIVE, Status.BUSY, Status.AWAY):
            said = any(span.start <= minute < span.end for span in spans if span.status is status)
            assert any(span.start <= minute < span.end for span in found if span.status is status) == said
    assert found == sorted(found)


def test_merged_alone() -> None:
    """What other software published without lists by status."""
    bag: Bag = {
        tags.PidTagScheduleInfoMonthsMerged: (2024 * 16 + 3,),
        tags.PidTagScheduleInfoFreeBusyMerged: (struct.pack("<HH", 60, 120),),
    }
    assert from_bag(bag) == [Span(at(2024, 3, 1, 1), at(2024, 3, 1, 2), Status.BUSY)]


@pytest.mark.parametrize(
    ("months", "data"),
    [
        ((1, 2), (b"",)),
        ((2024 * 16 + 3,), (b"xxx",)),
        ((2024 * 16 + 13,), (b"",)),
        ((0,), (b"",)),
        (5, (b"",)),
    ],
)
def test_damaged(months: object, data: tuple[bytes, ...]) -> None:
    bag: Bag = {tags.PidTagScheduleInfoMonthsBusy: months, tags.PidTagScheduleInfoFreeBusyBusy: data}  # type: ignore[dict-item]
    with pytest.raises(DecodeError):
        from_bag(bag)
