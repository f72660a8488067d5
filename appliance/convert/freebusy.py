"""Free/busy times as messages of SCHEDULE+ FREE BUSY hold them (MS-OXOPFFB 2.2.1): for each status a list of
months and, beside each, the stretches of that month.

A month is year * 16 + month. A stretch is two 16-bit numbers: minutes from the beginning of the month, UTC,
to its beginning and end. Stretches of a status are in order, do not touch and end with their month.
Tentative, busy and away have lists of their own; the merged one has what is busy or away.
"""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum

from appliance.mapi import tags, times
from appliance.mapi.types import Bag, ReadableBag
from appliance.wire.errors import DecodeError

MAX_MONTHS = 36
"""Months of a message, at most (PidTagFreeBusyCountMonths)."""

DAY = 24 * 60


class Status(IntEnum):
    """PidLidBusyStatus (MS-OXOCAL 2.2.1.2)."""

    FREE = 0
    TENTATIVE = 1
    BUSY = 2
    AWAY = 3
    ELSEWHERE = 4


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch of time, in minutes since 1601 (UTC), and its status."""

    start: int
    end: int
    status: Status


_PAIR = struct.Struct("<HH")
_LISTS = (
    (
        tags.PidTagScheduleInfoMonthsTentative,
        tags.PidTagScheduleInfoFreeBusyTentative,
        frozenset({Status.TENTATIVE}),
    ),
    (tags.PidTagScheduleInfoMonthsBusy, tags.PidTagScheduleInfoFreeBusyBusy, frozenset({Status.BUSY})),
    (tags.PidTagScheduleInfoMonthsAway, tags.PidTagScheduleInfoFreeBusyAway, frozenset({Status.AWAY})),
    (
        tags.PidTagScheduleInfoMonthsMerged,
        tags.PidTagScheduleInfoFreeBusyMerged,
        frozenset({Status.BUSY, Status.AWAY}),
    ),
)


def month_start(minutes: int, later: int = 0) -> int:
    """The beginning of the month that a moment is in, or of one `later`; minutes since 1601."""
    at = _moment(minutes)
    month = at.year * 12 + at.month - 1 + later
    return _minutes(datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC))


def publishing_range(minutes: int, months: int) -> tuple[int, int]:
    """The beginning and the end of what is published at a moment; minutes since 1601. It begins with the
    month or with the week (on a Sunday), whichever is earlier (2.2.1.2.9), and ends `months` months,
    MAX_MONTHS at most, after that day (2.2.1.2.10); a month that has no such day counts to its last."""
    sunday = (minutes // DAY - (minutes // DAY + 1) % 7) * DAY  # 1601 began on a Monday
    begin = min(month_start(minutes), sunday)
    into = begin - month_start(begin)
    months = min(months, MAX_MONTHS)
    return begin, min(month_start(begin, months) + into, month_start(begin, months + 1) - DAY)


def to_bag(spans: Iterable[Span], moment: int, months: int) -> Bag:
    """The properties for the `publishing_range`. Free time and working elsewhere are not told; a list
    without stretches has no property."""
    begin, end = publishing_range(moment, months)
    count = min(months, MAX_MONTHS)
    firsts = [month_start(begin, later) for later in range(count + 1)]
    found = list(spans)
    bag: Bag = {
        tags.PidTagFreeBusyPublishStart: begin,
        tags.PidTagFreeBusyPublishEnd: end,
        tags.PidTagFreeBusyCountMonths: count,
    }
    for months_tag, blobs_tag, statuses in _LISTS:
        told = (_cut(span, begin, end) for span in found if span.status in statuses)
        united = list(_united(span for span in told if span.start < span.end))
        rows = [(first, _packed(united, first)) for first in firsts]
        if any(data for _, data in rows):
            bag[months_tag] = tuple(_month_number(first) for first, data in rows if data)
            bag[blobs_tag] = tuple(data for _, data in rows if data)
    return bag


def from_bag(bag: ReadableBag) -> list[Span]:
    """The stretches of a message, in order: tentative, busy and away ones; of a message that has only the
    merged list, those as busy. Raises DecodeError for lists that do not belong together."""
    spans: list[Span] = []
    for (months_tag, blobs_tag, _), status in zip(
        _LISTS, (Status.TENTATIVE, Status.BUSY, Status.AWAY), strict=False
    ):
        spans += _read(bag, months_tag, blobs_tag, status)
    if not any(span.status in (Status.BUSY, Status.AWAY) for span in spans):
        spans += _read(bag, *_LISTS[3][:2], Status.BUSY)
    return sorted(spans)


def _united(spans: Iterable[Span]) -> Iterator[tuple[int, int]]:
    """Stretches in order, those that overlap or touch made one."""
    current: tuple[int, int] | None = None
    for span in sorted(spans):
        if current is None or span.start > current[1]:
            if current is not None:
                yield current
            current = (span.start, span.end)
        else:
            current = (current[0], max(current[1], span.end))
    if current is not None:
        yield current


def _cut(span: Span, begin: int, end: int) -> Span:
    return Span(max(span.start, begin), min(span.end, end), span.status)


def _packed(united: list[tuple[int, int]], first: int) -> bytes:
    """The stretches of the month that begins at `first`."""
    last = month_start(first, 1)
    cut = ((max(start, first) - first, min(end, last) - first) for start, end in united)
    return b"".join(_PAIR.pack(start, end) for start, end in cut if start < end)


def _read(bag: ReadableBag, months_tag: int, blobs_tag: int, status: Status) -> Iterator[Span]:
    months, blobs = bag.get(months_tag) or (), bag.get(blobs_tag) or ()
    if not isinstance(months, tuple) or not isinstance(blobs, tuple) or len(months) != len(blobs):
        raise DecodeError("months and stretches of different number", 0)
    for month, data in zip(months, blobs, strict=True):
        if not isinstance(month, int) or not isinstance(data, bytes) or len(data) % _PAIR.size:
            raise DecodeError("stretches of a month", 0)
        year, number = divmod(month, 16)
        if not 1601 <= year <= 4500 or not 1 <= number <= 12:
            raise DecodeError(f"month {month}", 0)
        first = _minutes(datetime(year, number, 1, tzinfo=UTC))
        for start, end in _PAIR.iter_unpack(data):
            if start < end:
                yield Span(first + start, first + end, status)


def _month_number(minutes: int) -> int:
    at = _moment(minutes)
    return at.year * 16 + at.month


def _moment(minutes: int) -> datetime:
    return times.to_datetime(times.from_minutes(minutes))


def _minutes(moment: datetime) -> int:
    return times.to_minutes(times.from_datetime(moment))
