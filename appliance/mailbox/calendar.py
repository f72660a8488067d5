"""What a calendar folder says of a stretch of time: its appointments, recurring ones taken apart.

Times are minutes since 1601, UTC. An appointment whose structures are broken counts as it stands alone, once.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from appliance.convert.freebusy import Span, Status
from appliance.formats.recurrence import expand, pattern, zones
from appliance.formats.recurrence.pattern import Override
from appliance.formats.recurrence.zones import Zone
from appliance.mapi import names as known
from appliance.mapi import times
from appliance.mapi.names import NamedTag
from appliance.mapi.types import Value
from appliance.store import classes, contents, messages, names
from appliance.store.contents import Row
from appliance.store.kv import ReadTxn
from appliance.store.mailboxes import Special
from appliance.store.messages import Message
from appliance.wire.errors import DecodeError

CLASS = "IPM.Appointment"
_OCCURRENCE_MARGIN = 2 * 24 * 60
"""Minutes that a time zone may move an instance, generously."""


@dataclass(frozen=True, slots=True)
class _Tags:
    """The tags of the properties that are asked for; None for names that the store never saw."""

    start: int | None
    end: int | None
    busy: int | None
    recurring: int | None
    recurrence: int | None
    zone: int | None
    zone_definition: int | None


def _tags(txn: ReadTxn) -> _Tags:
    def tag(named: NamedTag) -> int | None:
        number = names.find(txn, named.name)
        return None if number is None else number << 16 | named.type

    return _Tags(
        tag(known.PidLidAppointmentStartWhole),
        tag(known.PidLidAppointmentEndWhole),
        tag(known.PidLidBusyStatus),
        tag(known.PidLidRecurring),
        tag(known.PidLidAppointmentRecur),
        tag(known.PidLidTimeZoneStruct),
        tag(known.PidLidAppointmentTimeZoneDefinitionRecur),
    )


def spans(txn: ReadTxn, mailbox: int, start: int, stop: int, fid: int = Special.CALENDAR) -> Iterator[Span]:
    """The appointments between two moments, free ones too, in no order and not cut."""
    tags = _tags(txn)
    if tags.start is None or tags.end is None:
        return
    for row in contents.rows(txn, mailbox, fid):
        if _is_appointment(txn, row):
            message = messages.load(txn, mailbox, row.mid)
            yield from _of_message(message, tags, start, stop)


def _is_appointment(txn: ReadTxn, row: Row) -> bool:
    name = classes.name(txn, row.message_class).casefold()
    return name == CLASS.casefold() or name.startswith(CLASS.casefold() + ".")


def _of_message(message: Message, tags: _Tags, start: int, stop: int) -> Iterator[Span]:
    status = _status(_get(message, tags.busy))
    blob = _get(message, tags.recurrence)
    if _get(message, tags.recurring) and isinstance(blob, bytes):
        try:
            yield from _instances(pattern.parse(blob), _zone(message, tags), status, start, stop)
            return
        except DecodeError:
            pass  # then the appointment is at least where it stands
    begins, ends = _get(message, tags.start), _get(message, tags.end)
    if isinstance(begins, int) and isinstance(ends, int):
        first, last = times.to_minutes(begins), times.to_minutes(ends)
        if first < stop and last > start and first < last:
            yield Span(first, last, status)


def _instances(
    series: pattern.AppointmentRecurrence, zone: Zone, status: Status, start: int, stop: int
) -> Iterator[Span]:
    margin = _OCCURRENCE_MARGIN
    for one in expand.instances(series, max(start - margin, 0), stop + margin):
        first, last = zone.to_utc(one.start), zone.to_utc(one.end)
        own = one.exception
        changed = own is not None and own.flags & Override.BUSY_STATUS
        if first < stop and last > start and first < last:
            yield Span(first, last, _status(own.busy_status) if own and changed else status)


def _zone(message: Message, tags: _Tags) -> Zone:
    for tag, parse in ((tags.zone_definition, zones.parse_definition), (tags.zone, zones.parse_struct)):
        data = _get(message, tag)
        if isinstance(data, bytes):
            try:
                return parse(data)
            except DecodeError:
                continue
    return zones.UTC


def _status(value: Value) -> Status:
    """A busy status; what is missing or unknown is busy."""
    if isinstance(value, int) and value in Status.__members__.values():
        return Status(value)
    return Status.BUSY


def _get(message: Message, tag: int | None) -> Value:
    return None if tag is None else message.get(tag)
