"""Time zones as calendars hold them: PidLidTimeZoneStruct and TimeZoneDefinition (MS-OXOCAL 2.2.1.39, .41).

A rule has biases in minutes (UTC is the local time plus them) and two dates of change; a definition has rules
from certain years on. `to_utc` and `from_utc` convert minutes since 1601: a local time that the change to
summer time leaves out is read with the standard bias, one that comes twice as the first of the two.

Errors: DecodeError with offset. Dates of change that no year has count as none.
"""

import struct
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from typing import Final

from appliance.wire.cursor import Reader, Writer

DAY: Final = 1440
MAX_RULES: Final = 1024
_EPOCH: Final = date(1601, 1, 1)
_LAST_DAY: Final = (date.max - _EPOCH).days

RULE_RECURRING: Final = 0x0001  # TZRULE_FLAG_RECUR_CURRENT_TZREG
RULE_EFFECTIVE: Final = 0x0002  # TZRULE_FLAG_EFFECTIVE_TZREG


@dataclass(frozen=True, slots=True)
class Change:
    """When the clock changes: SYSTEMTIME (MS-DTYP 2.3.13). Without a year, `day` 1 to 4 is the first to the
    fourth `weekday` (0 Sunday) of the month, 5 the last. `month` 0: never."""

    year: int = 0
    month: int = 0
    weekday: int = 0
    day: int = 0
    hour: int = 0
    minute: int = 0
    second: int = 0
    millisecond: int = 0

    def at(self, year: int) -> int | None:
        """Minutes since 1601 of the change in a year, on the clock before it; None when there is none."""
        if not 1 <= self.month <= 12 or (self.year and self.year != year) or not 1601 <= year < 9999:
            return None
        first = date(year, self.month, 1)
        if self.year:
            day = first + timedelta(days=min(max(self.day, 1), 31) - 1)
        else:
            day = first + timedelta(
                days=(self.weekday - first.isoweekday()) % 7 + 7 * (min(max(self.day, 1), 5) - 1)
            )
            while day.month != first.month:
                day -= timedelta(days=7)
        return (day - _EPOCH).days * DAY + self.hour % 24 * 60 + self.minute % 60


_CHANGE = struct.Struct("<8H")
_BIASES = struct.Struct("<iii")


@dataclass(frozen=True, slots=True)
class Rule:
    """The biases and changes of a zone, from `year` on."""

    bias: int
    standard_bias: int = 0
    daylight_bias: int = 0
    standard: Change = field(default_factory=Change)
    daylight: Change = field(default_factory=Change)
    year: int = 0
    flags: int = RULE_EFFECTIVE

    def offset(self, local: int) -> int:
        """What is added to a local time (minutes since 1601) to make it UTC."""
        year = _year(local)
        begins, ends = self.daylight.at(year), self.standard.at(year)
        if begins is None or ends is None or begins == ends:
            return self.bias + (self.standard_bias if self.standard.month else 0)
        begins += (
            self.standard_bias - self.daylight_bias
        )  # the hour that is left out belongs to standard time
        summer = begins <= local < ends if begins < ends else not ends <= local < begins
        return self.bias + (self.daylight_bias if summer else self.standard_bias)

    def offset_at(self, utc: int) -> int:
        """What is taken from UTC (minutes since 1601) to make it the local time."""
        standard, summer = self.bias + self.standard_bias, self.bias + self.daylight_bias
        year = _year(utc - self.bias)
        begins, ends = self.daylight.at(year), self.standard.at(year)
        if begins is None or ends is None or begins == ends:
            return standard if self.standard.month else self.bias
        begins, ends = begins + standard, ends + summer
        inside = begins <= utc < ends if begins < ends else not ends <= utc < begins
        return summer if inside else standard


@dataclass(frozen=True, slots=True)
class Zone:
    """A time zone: its key name in Windows ("" without), and its rules by year, ascending."""

    rules: tuple[Rule, ...]
    key: str = ""

    def rule(self, year: int) -> Rule:
        """The rule of a year: the last that began, else the first."""
        fitting = [rule for rule in self.rules if rule.year <= year]
        return (fitting or self.rules)[-1 if fitting else 0]

    def to_utc(self, local: int) -> int:
        """A local time as UTC, both in minutes since 1601."""
        return max(local + self.rule(_year(local)).offset(local), 0)

    def from_utc(self, utc: int) -> int:
        """UTC as the local time."""
        return max(utc - self.rule(_year(utc)).offset_at(utc), 0)


UTC: Final = Zone((Rule(0),))


@lru_cache(maxsize=1024)
def _year_of_day(day: int) -> int:
    return (_EPOCH + timedelta(days=day)).year


def _year(minutes: int) -> int:
    return _year_of_day(min(max(minutes // DAY, 0), _LAST_DAY))


def parse_struct(data: bytes) -> Zone:
    """The value of PidLidTimeZoneStruct."""
    reader = Reader(data)
    bias, standard_bias, daylight_bias = _BIASES.unpack(reader.take(_BIASES.size, "biases"))
    reader.u16("wStandardYear")
    standard = Change(*_CHANGE.unpack(reader.take(_CHANGE.size, "stStandardDate")))
    reader.u16("wDaylightYear")
    daylight = Change(*_CHANGE.unpack(reader.take(_CHANGE.size, "stDaylightDate")))
    return Zone((Rule(bias, standard_bias, daylight_bias, standard, daylight),))


def pack_struct(rule: Rule) -> bytes:
    """The bytes of PidLidTimeZoneStruct: one rule, which holds for all years."""
    biases = _BIASES.pack(rule.bias, rule.standard_bias, rule.daylight_bias)
    return (
        biases
        + struct.pack("<H", rule.standard.year)
        + _packed(rule.standard)
        + struct.pack("<H", rule.daylight.year)
        + _packed(rule.daylight)
    )


def _packed(change: Change) -> bytes:
    return _CHANGE.pack(
        change.year,
        change.month,
        change.weekday,
        change.day,
        change.hour,
        change.minute,
        change.second,
        change.millisecond,
    )


def parse_definition(data: bytes) -> Zone:
    """The value of PidLidAppointmentTimeZoneDefinition*: all rules."""
    reader = Reader(data)
    reader.need(2, "version")
    header = reader.sub(reader.u16("cbHeader"), "header")
    header.u16("reserved")
    key = header.take(2 * header.u16("cchKeyName"), "KeyName").decode("utf-16-le", "surrogatepass")
    rules = [_read_rule(reader) for _ in range(header.count(2, 0, "cRules", MAX_RULES))]
    return Zone(tuple(sorted(rules, key=lambda rule: rule.year)) or (Rule(0),), key)


def _read_rule(reader: Reader) -> Rule:
    reader.need(2, "version of a rule")
    body = reader.sub(reader.u16("size of a rule"), "rule")
    flags, year = body.u16("flags"), body.u16("wYear")
    body.need(14, "X")
    bias, standard_bias, daylight_bias = _BIASES.unpack(body.take(_BIASES.size, "biases"))
    standard = Change(*_CHANGE.unpack(body.take(_CHANGE.size, "stStandardDate")))
    daylight = Change(*_CHANGE.unpack(body.take(_CHANGE.size, "stDaylightDate")))
    return Rule(bias, standard_bias, daylight_bias, standard, daylight, year, flags)


def pack_definition(zone: Zone) -> bytes:
    """The bytes of PidLidAppointmentTimeZoneDefinition*."""
    writer = Writer()
    name = zone.key.encode("utf-16-le", "surrogatepass")
    writer.put(b"\x02\x01")
    for number in (6 + len(name), 2, len(name) // 2):
        writer.u16(number, "header")
    writer.put(name)
    writer.u16(len(zone.rules), "cRules")
    for rule in zone.rules:
        writer.put(b"\x02\x01")
        for number in (0x3E, rule.flags, rule.year):
            writer.u16(number)
        writer.put(bytes(14) + _BIASES.pack(rule.bias, rule.standard_bias, rule.daylight_bias))
        writer.put(_packed(rule.standard) + _packed(rule.daylight))
    return writer.getvalue()
