"""Properties of appointments and tasks that follow from others, for objects whose writer left them out.

Outlook writes them; what comes from other programs, or through other protocols, often has only the half
that is not redundant. Each row gives a property from what `get` knows of the others: the document says what
it must be. A value that is stored is never looked at here: it is what its writer said.
"""

from collections.abc import Callable, Mapping
from typing import Final

from appliance.formats.recurrence import pattern, zones
from appliance.formats.recurrence.expand import DAY
from appliance.mapi import names, tags, times
from appliance.mapi.names import NamedTag, PropertyName
from appliance.mapi.types import Value
from appliance.wire.errors import DecodeError

Get = Callable[[NamedTag], Value]
"""A named property as it is stored; None where there is none."""

DEFAULT_DELTA: Final = 0x5AE980E1
"""The PidLidReminderDelta that stands for DEFAULT_MINUTES (MS-OXORMDR 2.2.1.3)."""

DEFAULT_MINUTES: Final = 15
END_OF_TIME: Final = 915_045_983_400_000_000  # 4500-08-31 23:59, MS-OXOCAL 2.2.1.15
TASK_COMPLETE: Final = 2  # PidLidTaskStatus, MS-OXOTASK 2.2.2.2.2


def _start(get: Get) -> Value:
    return get(names.PidLidAppointmentStartWhole)


def _end(get: Get) -> Value:
    return get(names.PidLidAppointmentEndWhole)


def _duration(get: Get) -> Value:
    start, end = _start(get), _end(get)
    if not isinstance(start, int) or not isinstance(end, int) or end < start:
        return None
    return min((end - start) // times.TICKS_PER_MINUTE, 0x7FFFFFFF)


def _recurring(get: Get) -> Value:
    return True if get(names.PidLidAppointmentRecur) else None


def _series(get: Get) -> pattern.Recurrence | None:
    blob = get(names.PidLidAppointmentRecur)
    if not isinstance(blob, bytes):
        return None
    try:
        return pattern.parse(blob).pattern
    except DecodeError:
        return None


def _midnight(get: Get, local: int) -> Value:
    """A midnight on the clock of the series as FILETIME."""
    zone = zones.UTC
    definition = get(names.PidLidAppointmentTimeZoneDefinitionRecur)
    plain = get(names.PidLidTimeZoneStruct)
    try:
        if isinstance(definition, bytes):
            zone = zones.parse_definition(definition)
        elif isinstance(plain, bytes):
            zone = zones.parse_struct(plain)
    except DecodeError:
        zone = zones.UTC
    return times.from_minutes(zone.to_utc(local // DAY * DAY))


def _clip_start(get: Get) -> Value:
    """MS-OXOCAL 2.2.1.14: the appointment's beginning; of a series, midnight of its first day."""
    series = _series(get)
    return _start(get) if series is None else _midnight(get, series.start_date)


def _clip_end(get: Get) -> Value:
    """MS-OXOCAL 2.2.1.15: the appointment's end; of a series, midnight of its last day, or END_OF_TIME."""
    series = _series(get)
    if series is None:
        return _end(get)
    return _midnight(get, series.end_date) if series.ends else END_OF_TIME


def _signal_time(get: Get) -> Value:
    """MS-OXORMDR 2.2.1.2: when the reminder is due, of an appointment that stands alone."""
    if get(names.PidLidReminderSet) is not True or get(names.PidLidAppointmentRecur):
        return None
    due = get(names.PidLidReminderTime)
    start = _start(get) if due is None else due
    delta = get(names.PidLidReminderDelta)
    minutes = DEFAULT_MINUTES if delta in (None, DEFAULT_DELTA) else delta
    if not isinstance(start, int) or not isinstance(minutes, int) or minutes < 0:
        return None
    return max(start - minutes * times.TICKS_PER_MINUTE, 0)


def _task_complete(get: Get) -> Value:
    """MS-OXOTASK 2.2.2.2.20: whether the status, or all of the work, says so."""
    status, done = get(names.PidLidTaskStatus), get(names.PidLidPercentComplete)
    if status is None and done is None:
        return None
    return status == TASK_COMPLETE or (isinstance(done, float) and done >= 1.0)


def _percent_complete(get: Get) -> Value:
    """MS-OXOTASK 2.2.2.2.3: all of it, when the status says so."""
    status = get(names.PidLidTaskStatus)
    if status is None and get(names.PidLidTaskComplete) is None:
        return None
    return 1.0 if status == TASK_COMPLETE or get(names.PidLidTaskComplete) is True else 0.0


_ROWS: Final[dict[NamedTag, Callable[[Get], Value]]] = {
    names.PidLidCommonStart: _start,
    names.PidLidCommonEnd: _end,
    names.PidLidAppointmentDuration: _duration,
    names.PidLidRecurring: _recurring,
    names.PidLidClipStart: _clip_start,
    names.PidLidClipEnd: _clip_end,
    names.PidLidReminderSignalTime: _signal_time,
    names.PidLidTaskComplete: _task_complete,
    names.PidLidPercentComplete: _percent_complete,
}
_NAMED: Final[dict[PropertyName, NamedTag]] = {tag.name: tag for tag in _ROWS}

TAGGED: Final[Mapping[int, Callable[[Get], Value]]] = {
    tags.PidTagStartDate: _start,  # MS-OXOCAL 2.2.1.30
    tags.PidTagEndDate: _end,  # MS-OXOCAL 2.2.1.31
}
"""Properties with a tag of their own that follow from named ones."""


def named(name: PropertyName, property_type: int, get: Get) -> Value:
    """A named property of a type, as it follows from others; None where nothing follows."""
    tag = _NAMED.get(name)
    return None if tag is None or tag.type != property_type else _ROWS[tag](get)
