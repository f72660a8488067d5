"""Time zones: both structures, and zoneinfo as the judge of conversions."""

import struct
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.formats.recurrence.zones import (
    Change,
    Rule,
    Zone,
    pack_definition,
    pack_struct,
    parse_definition,
    parse_struct,
)
from tests.formats.recurrence.moments import minutes, moment
from tests.kit import Codec, codec_tests

BERLIN = Rule(-60, 0, -60, Change(0, 10, 0, 5, 3), Change(0, 3, 0, 5, 2))
PACIFIC = Rule(480, 0, -60, Change(0, 11, 0, 1, 2), Change(0, 3, 0, 2, 2))
SYDNEY = Rule(-600, 0, -60, Change(0, 4, 0, 1, 3), Change(0, 10, 0, 1, 2))
INDIA = Rule(-330)

_CHANGES = st.builds(Change, *[st.integers(0, 0xFFFF)] * 8)
_BIAS = st.integers(-(1 << 31), (1 << 31) - 1)
_RULES = st.builds(Rule, _BIAS, _BIAS, _BIAS, _CHANGES, _CHANGES, st.integers(0, 0xFFFF), st.integers(0, 3))


def _zone(rules: list[Rule], key: str) -> Zone:
    return Zone(tuple(sorted(rules, key=lambda rule: rule.year)), key)


TestDefinitions = codec_tests(
    Codec(
        decode=parse_definition,
        encode=pack_definition,
        values=st.builds(_zone, st.lists(_RULES, min_size=1, max_size=3), st.text(max_size=9)),
        prefix_is_legal=True,
    )
)


@given(_RULES)
def test_struct(rule: Rule) -> None:
    """48 bytes; the rule of all years."""
    data = pack_struct(rule)
    assert len(data) == 48
    (read,) = parse_struct(data).rules
    assert pack_struct(read) == data
    assert (read.bias, read.standard, read.daylight) == (rule.bias, rule.standard, rule.daylight)


def test_layout() -> None:
    """MS-OXOCAL 2.2.1.39 and 2.2.1.41: field by field."""
    standard, daylight = (
        struct.pack("<8H", 0, 11, 0, 1, 2, 0, 0, 0),
        struct.pack("<8H", 0, 3, 0, 2, 2, 0, 0, 0),
    )
    assert pack_struct(PACIFIC) == struct.pack("<iii", 480, 0, -60) + b"\0\0" + standard + b"\0\0" + daylight
    name = "Pacific Standard Time".encode("utf-16-le")
    header = b"\x02\x01" + struct.pack("<HHH", 6 + len(name), 2, 21) + name + b"\x01\x00"
    rule = b"\x02\x01" + struct.pack("<HHH", 0x3E, 2, 0) + bytes(14) + struct.pack("<iii", 480, 0, -60)
    assert pack_definition(Zone((PACIFIC,), "Pacific Standard Time")) == header + rule + standard + daylight


@pytest.mark.parametrize(
    ("rule", "name"),
    [
        (BERLIN, "Europe/Berlin"),
        (PACIFIC, "America/Los_Angeles"),
        (SYDNEY, "Australia/Sydney"),
        (INDIA, "Asia/Kolkata"),
    ],
)
def test_conversions(rule: Rule, name: str) -> None:
    """Every half hour of two years, against the system's own data."""
    try:
        judge = ZoneInfo(name)
    except Exception:
        pytest.skip("no time zone data")
    zone = Zone((rule,))
    for utc in range(minutes(2023, 1, 1), minutes(2025, 1, 1), 30):
        local = moment(utc).replace(tzinfo=UTC).astimezone(judge).replace(tzinfo=None)
        assert moment(zone.from_utc(utc)) == local
        back = local.replace(tzinfo=judge, fold=0).astimezone(UTC).replace(tzinfo=None)
        assert moment(zone.to_utc(zone.from_utc(utc))) == back


def test_the_hours_of_change() -> None:
    berlin = Zone((BERLIN,))
    assert moment(berlin.to_utc(minutes(2024, 3, 31, 2, 30))) == datetime(2024, 3, 31, 1, 30)
    assert moment(berlin.to_utc(minutes(2024, 3, 31, 3, 0))) == datetime(2024, 3, 31, 1, 0)
    assert moment(berlin.to_utc(minutes(2024, 10, 27, 2, 30))) == datetime(2024, 10, 27, 0, 30)
    assert moment(berlin.to_utc(minutes(2024, 10, 27, 3, 0))) == datetime(2024, 10, 27, 2, 0)


def test_rules_by_year() -> None:
    """The last that began; before the first one, that."""
    old, new = Rule(60, year=2000), Rule(120, year=2010)
    zone = Zone((old, new))
    assert [zone.rule(year).bias for year in (1990, 2000, 2009, 2010, 2020)] == [60, 60, 60, 120, 120]
    assert zone.to_utc(minutes(2005, 1, 1)) == minutes(2005, 1, 1, 1)
    absolute = Rule(0, 0, -60, Change(2024, 10, 0, 20, 3), Change(2024, 4, 0, 10, 2))
    assert Zone((absolute,)).to_utc(minutes(2024, 7, 1)) == minutes(2024, 6, 30, 23)
    assert Zone((absolute,)).to_utc(minutes(2025, 7, 1)) == minutes(2025, 7, 1)


@given(_RULES, st.integers(0, 0xFFFFFFFF))
def test_nothing_breaks(rule: Rule, at: int) -> None:
    zone = Zone((rule,))
    assert zone.to_utc(at) >= 0
    assert zone.from_utc(at) >= 0
