"""Properties of typed objects that follow from others, for objects whose writer left them out.

Outlook writes them; what comes from other programs, or through other protocols, often has only the half
that is not redundant. Which rules hold depends on the kind of the object, which its message class says; plain
mail (IPM.Note) has none, so that tables of mail need not ask. Each row of `_ROWS` and `_TAGGED` gives a
property from what `get` knows of the others: the document says what it must be. A value that is stored is
never looked at here: it is what its writer said. Only PidTagIconIndex is also given where NO_ICON is stored.
"""

from collections.abc import Callable, Mapping
from enum import Enum, auto
from typing import Final

from appliance.convert import typed_contacts as contacts
from appliance.formats.recurrence import pattern, zones
from appliance.formats.recurrence.expand import DAY
from appliance.formats.recurrence.pattern import Frequency
from appliance.mapi import names, tags, times
from appliance.mapi.names import NamedTag, PropertyName
from appliance.mapi.types import Value
from appliance.wire.errors import DecodeError

Get = Callable[[NamedTag | int], Value]
"""A property as it is stored, by name or by tag; None where there is none."""

Rule = Callable[[Get], Value]

DEFAULT_DELTA: Final = 0x5AE980E1
"""The PidLidReminderDelta that stands for DEFAULT_MINUTES (MS-OXORMDR 2.2.1.3)."""

DEFAULT_MINUTES: Final = 15
END_OF_TIME: Final = 915_045_983_400_000_000  # 4500-08-31 23:59, MS-OXOCAL 2.2.1.15
NOT_STARTED, IN_PROGRESS, TASK_COMPLETE = 0, 1, 2  # PidLidTaskStatus, MS-OXOTASK 2.2.2.2.2
NO_ICON: Final = -1  # MS-OXOMSG 2.2.1.10
MEETING: Final = 1  # PidLidAppointmentStateFlags, MS-OXOCAL 2.2.1.10
YELLOW: Final = 3  # PidLidNoteColor, MS-OXONOTE 2.2.1.1
MAX_TITLE: Final = 255
"""Characters of a subject that is made from a body."""


class Kind(Enum):
    """What an object is (the documents of the object types)."""

    APPOINTMENT = auto()
    TASK = auto()
    CONTACT = auto()
    JOURNAL = auto()
    STICKY_NOTE = auto()
    POST = auto()
    OTHER = auto()


_CLASSES: Final = {
    "IPM.APPOINTMENT": Kind.APPOINTMENT,
    "IPM.SCHEDULE.MEETING": Kind.APPOINTMENT,
    "IPM.OLE.CLASS.{00061055-0000-0000-C000-000000000046}": Kind.APPOINTMENT,  # MS-OXOCAL 2.2.10.1.6
    "IPM.TASK": Kind.TASK,
    "IPM.TASKREQUEST": Kind.TASK,
    "IPM.CONTACT": Kind.CONTACT,
    "IPM.DISTLIST": Kind.CONTACT,
    "IPM.ACTIVITY": Kind.JOURNAL,
    "IPM.STICKYNOTE": Kind.STICKY_NOTE,
    "IPM.POST": Kind.POST,
}


def kind_of(message_class: str) -> Kind | None:
    """The kind of an object by its class or one that the class is derived from; None for plain mail."""
    name = message_class.upper()
    if name == "IPM.NOTE":
        return None
    while name:
        if name in _CLASSES:
            return _CLASSES[name]
        name = name.rpartition(".")[0]
    return Kind.OTHER


# -- appointments (MS-OXOCAL) -----------------------------------------------------------------------------


def _start(get: Get) -> Value:
    return get(names.PidLidAppointmentStartWhole)


def _end(get: Get) -> Value:
    return get(names.PidLidAppointmentEndWhole)


def _minutes(start: Value, end: Value) -> Value:
    if not isinstance(start, int) or not isinstance(end, int) or end < start:
        return None
    return min((end - start) // times.TICKS_PER_MINUTE, 0x7FFFFFFF)


def _duration(get: Get) -> Value:
    return _minutes(_start(get), _end(get))


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


_TYPES: Final = {Frequency.DAILY: 1, Frequency.WEEKLY: 2, Frequency.MONTHLY: 3, Frequency.YEARLY: 4}


def _recurrence_type(get: Get) -> Value:
    """MS-OXOCAL 2.2.1.45."""
    if not get(names.PidLidAppointmentRecur):
        return None if _start(get) is None else 0
    series = _series(get)
    return None if series is None else _TYPES.get(series.frequency)


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


def _clean_id(get: Get) -> Value:
    """MS-OXOCAL 2.2.1.28: the meeting's id without the date of an instance."""
    whole = get(names.PidLidGlobalObjectId)
    if not isinstance(whole, bytes) or len(whole) < 20:
        return None
    return whole[:16] + bytes(4) + whole[20:]


def _appointment_signal(get: Get) -> Value:
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


def _reminder_time(get: Get) -> Value:
    """MS-OXORMDR 2.2.1.4: of an appointment that stands alone, its beginning."""
    alone = get(names.PidLidReminderSet) is True and not get(names.PidLidAppointmentRecur)
    return _start(get) if alone else None


_ICONS: Final = {  # MS-OXOCAL 2.2.1.49
    "IPM.SCHEDULE.MEETING.REQUEST": 0x404,
    "IPM.SCHEDULE.MEETING.RESP.POS": 0x405,
    "IPM.SCHEDULE.MEETING.RESP.NEG": 0x406,
    "IPM.SCHEDULE.MEETING.RESP.TENT": 0x407,
    "IPM.SCHEDULE.MEETING.CANCELED": 0x408,
    "IPM.TASKREQUEST": 0x504,  # MS-OXOTASK 2.2.2.1.2, 2.2.3.1
    "IPM.TASKREQUEST.ACCEPT": 0x505,
    "IPM.TASKREQUEST.DECLINE": 0x506,
    "IPM.CONTACT": 0x200,  # MS-OXOCNTC 2.2.1.10.7
    "IPM.DISTLIST": 0x202,
    "IPM.POST": 1,  # MS-OXOPOST 2.2.1.1
}


def _class_icon(get: Get) -> Value:
    name = get(tags.PidTagMessageClass)
    return _ICONS.get(name.upper()) if isinstance(name, str) else None


def _appointment_icon(get: Get) -> Value:
    """MS-OXOCAL 2.2.1.49: alone or a series, an appointment or a meeting; what was sent has its own."""
    if (known := _class_icon(get)) is not None:
        return known
    state = get(names.PidLidAppointmentStateFlags)
    series = bool(get(names.PidLidAppointmentRecur)) or get(names.PidLidRecurring) is True
    return 0x400 + series + 2 * (isinstance(state, int) and bool(state & MEETING))


# -- tasks (MS-OXOTASK) -----------------------------------------------------------------------------------


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


def _task_status(get: Get) -> Value:
    """MS-OXOTASK 2.2.2.2.2, from how much is done."""
    done, complete = get(names.PidLidPercentComplete), get(names.PidLidTaskComplete)
    if complete is True or (isinstance(done, float) and done >= 1.0):
        return TASK_COMPLETE
    if isinstance(done, float):
        return IN_PROGRESS if done > 0 else NOT_STARTED
    return None if complete is None else NOT_STARTED


def _task_recurs(get: Get) -> Value:
    return True if get(names.PidLidTaskRecurrence) else None


def _task_icon(get: Get) -> Value:
    """MS-OXOTASK 2.2.2.1.2: alone or recurring; the copies of a task that was given to another."""
    if (known := _class_icon(get)) is not None:
        return known
    ownership = get(names.PidLidTaskOwnership)
    if ownership in (1, 2):  # the assigner's copy, the assignee's
        return 0x503 if ownership == 1 else 0x502
    return 0x500 + bool(get(names.PidLidTaskRecurrence))


def _signal(get: Get) -> Value:
    """MS-OXORMDR 2.2.1.2: of what is no appointment, the time of the reminder itself."""
    return get(names.PidLidReminderTime) if get(names.PidLidReminderSet) is True else None


# -- journal entries and notes ----------------------------------------------------------------------------


def _log_start(get: Get) -> Value:
    return get(names.PidLidLogStart)


def _log_end(get: Get) -> Value:
    """MS-OXOJRNL 2.2.1.4: the beginning and the duration."""
    known = get(names.PidLidLogEnd)
    start, minutes = get(names.PidLidLogStart), get(names.PidLidLogDuration)
    if known is not None or not isinstance(start, int) or not isinstance(minutes, int) or minutes < 0:
        return known
    return start + minutes * times.TICKS_PER_MINUTE


def _log_duration(get: Get) -> Value:
    """MS-OXOJRNL 2.2.1.5, minutes."""
    return _minutes(get(names.PidLidLogStart), get(names.PidLidLogEnd))


def _note_icon(get: Get) -> Value:
    """MS-OXONOTE 2.2.2.1: the colour."""
    colour = get(names.PidLidNoteColor)
    return 0x300 + (colour if isinstance(colour, int) and 0 <= colour <= 4 else YELLOW)


def _note_title(get: Get) -> Value:
    """MS-OXONOTE 2.2.2.2: the first line of the body."""
    body = get(tags.PidTagBody)
    if not isinstance(body, str):
        return None
    return body.lstrip()[: 4 * MAX_TITLE].partition("\n")[0].strip()[:MAX_TITLE]


# -- the tables -------------------------------------------------------------------------------------------

_ANY_REMINDER: Final[dict[Kind, Rule]] = {
    kind: _appointment_signal if kind is Kind.APPOINTMENT else _signal for kind in Kind
}
_ROWS: Final[dict[NamedTag, dict[Kind, Rule]]] = {
    names.PidLidCommonStart: {Kind.APPOINTMENT: _start, Kind.JOURNAL: _log_start},
    names.PidLidCommonEnd: {Kind.APPOINTMENT: _end, Kind.JOURNAL: _log_end},
    names.PidLidAppointmentDuration: {Kind.APPOINTMENT: _duration},
    names.PidLidRecurring: {Kind.APPOINTMENT: _recurring},
    names.PidLidRecurrenceType: {Kind.APPOINTMENT: _recurrence_type},
    names.PidLidClipStart: {Kind.APPOINTMENT: _clip_start},
    names.PidLidClipEnd: {Kind.APPOINTMENT: _clip_end},
    names.PidLidCleanGlobalObjectId: {Kind.APPOINTMENT: _clean_id},
    names.PidLidReminderTime: {Kind.APPOINTMENT: _reminder_time},
    names.PidLidReminderSignalTime: _ANY_REMINDER,
    names.PidLidTaskComplete: {Kind.TASK: _task_complete},
    names.PidLidPercentComplete: {Kind.TASK: _percent_complete},
    names.PidLidTaskStatus: {Kind.TASK: _task_status},
    names.PidLidTaskFRecurring: {Kind.TASK: _task_recurs},
    names.PidLidLogEnd: {Kind.JOURNAL: _log_end},
    names.PidLidLogDuration: {Kind.JOURNAL: _log_duration},
    **{tag: {Kind.CONTACT: rule} for tag, rule in contacts.NAMED.items()},
}
_NAMED: Final[dict[PropertyName, NamedTag]] = {tag.name: tag for tag in _ROWS}

_TAGGED: Final[dict[int, dict[Kind, Rule]]] = {
    tags.PidTagStartDate: {Kind.APPOINTMENT: _start},  # MS-OXOCAL 2.2.1.30
    tags.PidTagEndDate: {Kind.APPOINTMENT: _end},  # MS-OXOCAL 2.2.1.31
    tags.PidTagIconIndex: {
        Kind.APPOINTMENT: _appointment_icon,
        Kind.TASK: _task_icon,
        Kind.CONTACT: _class_icon,
        Kind.STICKY_NOTE: _note_icon,
        Kind.POST: _class_icon,
    },
    tags.PidTagSubject: {Kind.STICKY_NOTE: _note_title},
    tags.PidTagNormalizedSubject: {Kind.STICKY_NOTE: _note_title},
    **{tag: {Kind.CONTACT: rule} for tag, rule in contacts.TAGGED.items()},
}

TAGS: Final = frozenset(_TAGGED)
"""Properties with a tag of their own that follow from others."""


def has_rule(name: PropertyName, property_type: int) -> bool:
    """Whether a named property of a type may follow from others."""
    tag = _NAMED.get(name)
    return tag is not None and tag.type == property_type


def named(kind: Kind, name: PropertyName, property_type: int, get: Get) -> Value:
    """A named property of a type, as it follows from others; None where nothing follows."""
    tag = _NAMED.get(name)
    if tag is None or tag.type != property_type:
        return None
    rule = _ROWS[tag].get(kind)
    return None if rule is None else rule(get)


def tagged(kind: Kind, tag: int, get: Get) -> Value:
    """The same of a property with a tag of its own."""
    rule = _TAGGED[tag].get(kind) if tag in _TAGGED else None
    return None if rule is None else rule(get)


def following(kind: Kind) -> Mapping[NamedTag, Rule]:
    """The named properties that may follow, of a kind."""
    return {tag: rules[kind] for tag, rules in _ROWS.items() if kind in rules}
