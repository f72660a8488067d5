"""Recurrence structures and time zones under the fuzzer; what is read is expanded too."""

from itertools import islice

from appliance.formats.recurrence import expand, pattern, zones
from appliance.formats.recurrence.zones import Change, Rule, Zone
from tests.formats.recurrence.test_pattern import DAILY_BYTES, WEEKLY_BYTES
from tests.fuzz.runner import Target

_RULE = Rule(-60, 0, -60, Change(0, 10, 0, 5, 3), Change(0, 3, 0, 5, 2))


def _appointment(data: bytes) -> None:
    """What is accepted is packed and read to the same, and has an end."""
    series = pattern.parse(data)
    assert pattern.parse(pattern.pack(series)) == series
    for one in islice(expand.instances(series, 0x0CBC0000, 0x0CDC0000), 100):
        assert one.start < 0x0CDC0000
    expand.first_date_time(series.pattern)


def _zone(data: bytes) -> None:
    """Conversions of any zone give times that are not negative."""
    for parse in (zones.parse_struct, zones.parse_definition):
        zone = parse(data)
        for at in (0, 0x0CBC2080, 0xFFFFFFFF):
            assert zone.to_utc(at) >= 0
            assert zone.from_utc(at) >= 0


RECURRENCE_TARGETS = (
    Target("recurrence-appointment", _appointment, lambda: (WEEKLY_BYTES, DAILY_BYTES)),
    Target(
        "recurrence-zone",
        _zone,
        lambda: (
            zones.pack_struct(_RULE),
            zones.pack_definition(Zone((_RULE, _RULE), "W. Europe Standard Time")),
        ),
    ),
)
