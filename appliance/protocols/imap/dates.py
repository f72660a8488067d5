"""IMAP's date forms to FILETIMEs and back (RFC 9051 9: date, date-time)."""

import re
from datetime import UTC, date, datetime, timedelta, timezone
from functools import lru_cache

from appliance.protocols.imap.errors import Bad

_MONTHS = (b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec")
_MONTH_NUMBERS = {name.lower(): number for number, name in enumerate(_MONTHS, 1)}
_DATE = re.compile(rb"([0-9]{1,2})-([A-Za-z]{3})-([0-9]{4})\Z")
_DATE_TIME = re.compile(
    rb"([ 0-9][0-9])-([A-Za-z]{3})-([0-9]{4}) ([0-9]{2}):([0-9]{2}):([0-9]{2}) ([+-])([0-9]{2})([0-9]{2})\Z"
)
_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)
_DAY = 86_400 * 10_000_000


def parse_date(raw: bytes) -> date:
    """`1-Feb-1994`, quotes removed. Raises Bad."""
    match = _DATE.match(raw)
    try:
        if match:
            return date(int(match[3]), _MONTH_NUMBERS[match[2].lower()], int(match[1]))
    except (KeyError, ValueError):
        pass
    raise Bad("The date is malformed.")


def parse_date_time(raw: bytes) -> int:
    """`17-Jul-1996 02:44:25 -0700` as a FILETIME. Raises Bad."""
    match = _DATE_TIME.match(raw)
    try:
        if match:
            offset = timedelta(hours=int(match[8]), minutes=int(match[9]))
            if int(match[9]) > 59 or offset >= timedelta(days=1):
                raise ValueError(raw)
            zone = timezone(-offset if match[7] == b"-" else offset)
            second = min(int(match[6]), 59)  # a leap second
            month = _MONTH_NUMBERS[match[2].lower()]
            moment = datetime(
                int(match[3]), month, int(match[1]), int(match[4]), int(match[5]), second, tzinfo=zone
            )
            return max(0, (moment - _EPOCH) // timedelta(microseconds=1) * 10)
    except (KeyError, ValueError, OverflowError):
        pass
    raise Bad("The date-time is malformed.")


def date_time(filetime: int) -> bytes:
    """A FILETIME as a quoted date-time in UTC."""
    days, rest = divmod(filetime // 10_000_000, 86_400)
    return b'"%s %02d:%02d:%02d +0000"' % (_day(days), rest // 3600, rest // 60 % 60, rest % 60)


@lru_cache(maxsize=1024)
def _day(days: int) -> bytes:
    # RFC 9051 9: date-day-fixed is two characters, the first may be a space
    moment = date.fromordinal(min(days, 3_000_000) + _EPOCH.toordinal())
    return b"%2d-%s-%04d" % (moment.day, _MONTHS[moment.month - 1], moment.year)


def day_start(day: date) -> int:
    """The FILETIME at which a day begins in UTC."""
    return max(0, (day.toordinal() - _EPOCH.toordinal()) * _DAY)
