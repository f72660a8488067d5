"""Dates of headers (RFC 5322 3.3) to FILETIME and back.

Reading is loose (asctime order, two-digit years, named zones, ISO 8601) and gives None for what it cannot
read or what no calendar has; it never raises.
"""

import re
from datetime import UTC, datetime, timedelta, timezone

from appliance.mapi import times

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = {name: number for number, name in enumerate(_MONTHS, 1)}
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
# RFC 5322 4.3; single letters mean nothing reliable and count as UTC.
_ZONES = {
    "est": -300, "edt": -240, "cst": -360, "cdt": -300, "mst": -420, "mdt": -360, "pst": -480, "pdt": -420,
    "ast": -240, "adt": -180, "bst": 60, "cet": 60, "cest": 120, "met": 60, "mest": 120, "eet": 120,
    "eest": 180, "msk": 180, "jst": 540,
}  # fmt: skip
_RFC = re.compile(
    r"(?:[A-Za-z]+\.?,?\s*)?(\d{1,2})[\s-]+([A-Za-z]{3})[A-Za-z]*\.?[\s,-]+(\d{2,4})[\s,]+"
    r"(\d{1,2})[:.](\d{1,2})(?:[:.](\d{1,2})(?:\.\d+)?)?\s*([+-]\d{1,4}|[A-Za-z]+|)"
)
_ASCTIME = re.compile(
    r"(?:[A-Za-z]+,?\s+)?([A-Za-z]{3})[A-Za-z]*\.?\s+(\d{1,2}),?\s+"
    r"(?:(\d{4}),?\s+)?(\d{1,2}):(\d{1,2})(?::(\d{1,2}))?\s*(?:([+-]\d{4}|[A-Za-z]+)\s+)?(\d{4})?\s*([+-]\d{4})?"
)
_COMMENT = re.compile(r"\([^()]*\)")


def parse(text: str) -> int | None:
    """FILETIME of a header's date, None when it has none."""
    text = text[:200].strip()
    if "(" in text:
        text = _COMMENT.sub(" ", text).strip()
    if match := _RFC.match(text):
        day, month, year, hour, minute, second, zone = match.groups()
        return _filetime(year, month, day, hour, minute, second, zone)
    if match := _ASCTIME.match(text):
        month, day, early, hour, minute, second, zone, late, offset = match.groups()
        return _filetime(early or late or "", month, day, hour, minute, second, zone or offset)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return times.from_datetime(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def _filetime(
    year: str, month: str, day: str, hour: str, minute: str, second: str | None, zone: str | None
) -> int | None:
    number = _MONTH.get(month.lower())
    if number is None or not year:
        return None
    full_year = int(year)
    if len(year) <= 2:  # RFC 5322 4.3
        full_year += 2000 if full_year < 50 else 1900
    elif len(year) == 3:
        full_year += 1900
    try:
        moment = datetime(
            full_year, number, int(day), int(hour), int(minute), min(int(second or 0), 59), tzinfo=UTC
        )
        return times.from_datetime(moment - timedelta(minutes=_offset(zone)))
    except (ValueError, OverflowError):
        return None


def _offset(zone: str | None) -> int:
    if not zone:
        return 0
    if zone[0] in "+-":
        digits = zone[1:].rjust(4, "0") if len(zone) != 3 else zone[1:] + "00"
        minutes = int(digits[:-2]) * 60 + int(digits[-2:])
        return -minutes if zone[0] == "-" else minutes
    return _ZONES.get(zone.lower(), 0)


def written(filetime: int, offset_minutes: int = 0) -> str:
    """A date as a header has it, in the given zone (minutes east of UTC), whole seconds."""
    moment = times.to_datetime(filetime).astimezone(timezone(timedelta(minutes=offset_minutes)))
    sign, off = ("-", -offset_minutes) if offset_minutes < 0 else ("+", offset_minutes)
    return (
        f"{_DAYS[moment.weekday()]}, {moment.day:02d} {_MONTHS[moment.month - 1].title()} {moment.year:04d} "
        f"{moment.hour:02d}:{moment.minute:02d}:{moment.second:02d} {sign}{off // 60:02d}{off % 60:02d}"
    )
