"""Dates of header fields (RFC 5322 3.3 with 4.3) to FILETIME and back.

A date that names no known zone counts as UTC, as RFC 5322 4.3 wants it. What the world writes besides
(no seconds, dashes, ISO 8601, ctime order, full month names, AM/PM, "GMT+0200", leap seconds) is read
too; what no rule reads gives None.
"""

import re
from calendar import monthrange

EPOCH_DAYS = 134774
"""Days from 1601-01-01 (FILETIME) to 1970-01-01."""
TICKS = 10_000_000
"""FILETIME units in a second."""

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_ZONES = {  # minutes; RFC 5322 4.3, and names that mailers use
    "ut": 0, "utc": 0, "gmt": 0, "z": 0, "wet": 0, "est": -300, "edt": -240, "cst": -360, "cdt": -300,
    "mst": -420, "mdt": -360, "pst": -480, "pdt": -420, "bst": 60, "cet": 60, "met": 60, "cest": 120,
    "mest": 120, "eet": 120, "eest": 180, "msk": 180, "jst": 540, "kst": 540, "hst": -600, "akst": -540,
    "akdt": -480, "nzst": 720, "nzdt": 780, "aest": 600, "aedt": 660, "sgt": 480, "hkt": 480,
}  # fmt: skip
_MAX_OFFSET = 24 * 60

_PLAIN = re.compile(
    rb"(?:[A-Z][a-z]{2}, ?)?([0-9]{1,2}) ([A-Z][a-z]{2}) ([0-9]{4}) ([0-9]{2}):([0-9]{2}):([0-9]{2})"
    rb" ([+-])([0-9]{2})([0-9]{2})(?: \([A-Z]{1,5}\))?"
)
_MONTH_NUMBERS = {name.title().encode(): number for number, name in enumerate(_MONTHS, 1)}
_COMMENT = re.compile(r"\([^()]*\)")
_ISO = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:[T ]+(\d\d):(\d\d)(?::(\d\d))?(?:\.\d+)?)?")
_DMY = re.compile(r"(\d{1,2})[\s\-/.]*([A-Za-z]{3})[A-Za-z]*\.?[\s\-/.,]*(\d{2,4})(?!\d|:)")
_MDY = re.compile(r"\b([A-Za-z]{3})[A-Za-z]*\.?\s+(\d{1,2})(?!\d|:),?")
_YEAR = re.compile(r"(?<![\d:+\-])(\d{4})(?![\d:])")
_TIME = re.compile(r"(\d{1,2})\s*[:.]\s*(\d{1,2})(?:\s*[:.]\s*(\d{1,2}))?(?:[.,]\d+)?\s*([AaPp][Mm])?")
_OFFSET = re.compile(r"([+-])\s*(\d{1,2}):?(\d{2})?(?!\d)")
_ZONE = re.compile(r"\b[A-Za-z]{1,4}\b")


def days_from_civil(year: int, month: int, day: int) -> int:
    """Days from 1970-01-01 of a Gregorian date."""
    year -= month <= 2
    era = year // 400
    of_era = year - era * 400
    of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468


def _month(name: str) -> int:
    key = name.lower()[:3]
    return _MONTHS.index(key) + 1 if key in _MONTHS else 0


def _year(text: str) -> int:
    """RFC 5322 4.3: two and three digits."""
    year = int(text)
    if len(text) == 2:
        return year + (2000 if year < 50 else 1900)
    return year + 1900 if len(text) == 3 else year


def _date(text: str) -> tuple[int, int, int, str] | None:
    """Year, month, day, and the text without them."""
    match = _ISO.search(text)
    if match:
        rest = text[: match.start()] + " ".join(filter(None, (text[match.end(3) :],)))
        return int(match[1]), int(match[2]), int(match[3]), rest.replace("T", " ", 1)
    for match in _DMY.finditer(text):
        if _month(match[2]):
            return (
                _year(match[3]),
                _month(match[2]),
                int(match[1]),
                text[: match.start()] + text[match.end() :],
            )
    for match in _MDY.finditer(text):
        if _month(match[1]):
            rest = text[: match.start()] + " " + text[match.end() :]
            year = _YEAR.search(rest)
            if year:
                rest = rest[: year.start()] + rest[year.end() :]
                return _year(year[1]), _month(match[1]), int(match[2]), rest
    return None


def _time(text: str) -> tuple[int, str]:
    """Seconds of the day (-1 if out of range), and what follows the time."""
    match = _TIME.search(text)
    if match is None:
        return 0, text
    hour, minute, second = int(match[1]), int(match[2]), int(match[3] or 0)
    if match[4] and hour <= 12:
        hour = hour % 12 + (12 if match[4].lower() == "pm" else 0)
    if hour == 24 and minute == second == 0:
        return 86400, text[match.end() :]
    if hour > 23 or minute > 59 or second > 60:
        return -1, ""
    return hour * 3600 + minute * 60 + min(second, 59), text[match.end() :]


def _zone(text: str) -> int:
    """Offset in minutes of what follows the time."""
    match = _OFFSET.search(text)
    if match:
        digits = match[2] + (match[3] or "")
        digits = "0" + digits if len(digits) == 3 else digits.ljust(4, "0") if match[3] else digits + "00"
        hours, minutes = int(digits[:-2]), int(digits[-2:])
        offset = hours * 60 + minutes
        if minutes < 60 and offset < _MAX_OFFSET:
            return -offset if match[1] == "-" else offset
        return 0
    for match in _ZONE.finditer(text):
        if match[0].lower() in _ZONES:
            return _ZONES[match[0].lower()]
    return 0


def _plain(value: bytes) -> tuple[int, int] | None:
    """A date of the form that nearly all have; None leaves it to the rest, which takes four times as long."""
    match = _PLAIN.fullmatch(value)
    if match is None:
        return None
    month, day, year = _MONTH_NUMBERS.get(match[2], 0), int(match[1]), int(match[3])
    hour, minute, second = int(match[4]), int(match[5]), int(match[6])
    offset = int(match[8]) * 60 + int(match[9])
    if not month or not 1 <= day <= 28 or not 1602 <= year <= 9998:
        return None
    if hour > 23 or minute > 59 or second > 59 or match[9] > b"59" or offset >= _MAX_OFFSET:
        return None
    offset = -offset if match[7] == b"-" else offset
    days = days_from_civil(year, month, day) + EPOCH_DAYS
    return (days * 86400 + hour * 3600 + minute * 60 + second - offset * 60) * TICKS, offset


def parse_date(value: bytes) -> tuple[int, int] | None:
    """(FILETIME, offset of the sender's zone in minutes east of UTC) of a Date; None if it is no date.

    Years 1602 to 9998. A day that the month does not have gives None.
    """
    if (plain := _plain(value)) is not None:
        return plain
    text = value[:512].decode("latin-1")
    while True:
        stripped = _COMMENT.sub(" ", text)
        if stripped == text:
            break
        text = stripped
    found = _date(text)
    if found is None:
        return None
    year, month, day, rest = found
    if not 1 <= month <= 12 or not 1602 <= year <= 9998 or not 1 <= day <= monthrange(year, month)[1]:
        return None
    seconds, after = _time(rest)
    if seconds < 0:
        return None
    offset = _zone(after)
    total = (days_from_civil(year, month, day) + EPOCH_DAYS) * 86400 + seconds - offset * 60
    return total * TICKS, offset


def format_date(filetime: int, offset: int = 0) -> bytes:
    """A Date field body (RFC 5322 3.3) in a zone of offset minutes; fractions of a second are dropped."""
    days, second = divmod(filetime // TICKS + offset * 60, 86400)
    year, month, day = civil_from_days(days - EPOCH_DAYS)
    sign = "-" if offset < 0 else "+"
    return (
        f"{_DAYS[days % 7]}, {day} {_MONTHS[month - 1].title()} {year:04} {second // 3600:02}:"
        f"{second // 60 % 60:02}:{second % 60:02} {sign}{abs(offset) // 60:02}{abs(offset) % 60:02}"
    ).encode("ascii")


def civil_from_days(days: int) -> tuple[int, int, int]:
    """Year, month, day of days from 1970-01-01."""
    days += 719468
    era, of_era = divmod(days, 146097)
    year = (of_era - of_era // 1460 + of_era // 36524 - of_era // 146096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    shifted = (5 * of_year + 2) // 153
    month = shifted + 3 if shifted < 10 else shifted - 9
    return year + era * 400 + (month <= 2), month, of_year - (153 * shifted + 2) // 5 + 1
