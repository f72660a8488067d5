"""RecurrencePattern and AppointmentRecurrencePattern, both ways (MS-OXOCAL 2.2.1.44).

Dates and times are minutes since 1601-01-01 00:00 in the appointment's time zone. `parse` takes a whole
AppointmentRecurrencePattern, `parse_task` the RecurrencePattern of a task (MS-OXOTASK 2.2.2.2.15); `pack`
and `pack_task` are their inverse, byte for byte: reserved blocks are kept. Of an exception's strings the
wide form counts where there is one; the narrow one is in a code page that the structure does not name.

Errors: DecodeError with offset. Bytes behind the structure are not kept and no error: clients leave some.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Final

from appliance.wire.cursor import Reader, Writer
from appliance.wire.errors import DecodeError, EncodeError

VERSION: Final = 0x3004
READER_VERSION_2: Final = 0x3006
WRITER_VERSION_2: Final = 0x3009
"""From this WriterVersion2 on, extended exceptions begin with a change highlight."""

NO_END: Final = 0x5AE980DF  # 4500-12-31 23:59: EndDate of what never ends
MAX_DATES: Final = 10_000


class Frequency(IntEnum):
    """RecurFrequency."""

    DAILY = 0x200A
    WEEKLY = 0x200B
    MONTHLY = 0x200C
    YEARLY = 0x200D


class PatternType(IntEnum):
    """PatternType: what PatternTypeSpecific holds."""

    DAY = 0x0000
    WEEK = 0x0001
    MONTH = 0x0002
    MONTH_NTH = 0x0003
    MONTH_END = 0x0004
    HIJRI_MONTH = 0x000A
    HIJRI_MONTH_NTH = 0x000B
    HIJRI_MONTH_END = 0x000C


NTH = frozenset({PatternType.MONTH_NTH, PatternType.HIJRI_MONTH_NTH})
MONTHS = frozenset(
    {PatternType.MONTH, PatternType.MONTH_END, PatternType.HIJRI_MONTH, PatternType.HIJRI_MONTH_END}
)


class EndType(IntEnum):
    """EndType. Readers take 0xFFFFFFFF for NEVER as well."""

    BY_DATE = 0x00002021
    AFTER = 0x00002022
    NEVER = 0x00002023


_NEVER_TOO = 0xFFFFFFFF


class Override(IntFlag):
    """OverrideFlags of an exception: what differs from the series."""

    NONE = 0
    SUBJECT = 0x0001
    MEETING_TYPE = 0x0002
    REMINDER_DELTA = 0x0004
    REMINDER = 0x0008
    LOCATION = 0x0010
    BUSY_STATUS = 0x0020
    ATTACHMENT = 0x0040
    SUB_TYPE = 0x0080
    COLOR = 0x0100
    BODY = 0x0200


_NUMBERS = (
    (Override.MEETING_TYPE, "meeting_type"),
    (Override.REMINDER_DELTA, "reminder_delta"),
    (Override.REMINDER, "reminder"),
)
_NUMBERS_AFTER_LOCATION = (
    (Override.BUSY_STATUS, "busy_status"),
    (Override.ATTACHMENT, "attachment"),
    (Override.SUB_TYPE, "sub_type"),
    (Override.COLOR, "color"),
)


@dataclass(slots=True)
class Recurrence:
    """RecurrencePattern (2.2.1.44.1). `days`: bits of week days, Sunday the lowest (WEEK and NTH patterns);
    `day`: of the month (MONTHS); `nth`: 1 to 4, 5 the last. `period`: days in minutes, weeks, or months.
    `deleted` are the dates of all instances that are gone or changed, `modified` the new ones of the latter;
    both are midnights."""

    frequency: Frequency
    type: PatternType
    period: int
    start_date: int
    end_date: int = NO_END
    end_type: int = EndType.NEVER
    count: int = 10
    first_date_time: int = 0
    days: int = 0
    day: int = 0
    nth: int = 0
    first_day_of_week: int = 0
    deleted: tuple[int, ...] = ()
    modified: tuple[int, ...] = ()
    calendar: int = 0
    sliding: int = 0
    reader_version: int = VERSION
    writer_version: int = VERSION

    @property
    def ends(self) -> bool:
        """Whether the series has an end."""
        return self.end_type not in (EndType.NEVER, _NEVER_TOO)


@dataclass(slots=True)
class ExceptionInfo:
    """An instance that was changed: ExceptionInfo and ExtendedException (2.2.1.44.2, 2.2.1.44.4) in one.
    `start` and `end` are its own, `original` is when it would have begun. What `flags` do not name is as in
    the series."""

    start: int
    end: int
    original: int
    flags: Override = Override.NONE
    subject: bytes = b""
    location: bytes = b""
    wide_subject: str = ""
    wide_location: str = ""
    meeting_type: int = 0
    reminder_delta: int = 0
    reminder: int = 0
    busy_status: int = 0
    attachment: int = 0
    sub_type: int = 0
    color: int = 0
    change_highlight: bytes = bytes(4)
    block_1: bytes = b""
    block_2: bytes = b""

    @property
    def has_text(self) -> bool:
        """Whether the extended form has strings of its own."""
        return bool(self.flags & (Override.SUBJECT | Override.LOCATION))


@dataclass(slots=True)
class AppointmentRecurrence:
    """AppointmentRecurrencePattern (2.2.1.44.5). `start_offset`, `end_offset`: minutes from midnight of an
    instance's date to its beginning and end."""

    pattern: Recurrence
    start_offset: int
    end_offset: int
    exceptions: tuple[ExceptionInfo, ...] = ()
    reader_version: int = READER_VERSION_2
    writer_version: int = WRITER_VERSION_2
    block_1: bytes = b""
    block_2: bytes = b""


def parse(data: bytes) -> AppointmentRecurrence:
    """The value of PidLidAppointmentRecur."""
    reader = Reader(data)
    pattern = _read_pattern(reader)
    versions = reader.u32("ReaderVersion2"), reader.u32("WriterVersion2")
    offsets = reader.u32("StartTimeOffset"), reader.u32("EndTimeOffset")
    count = reader.count(2, 14, "ExceptionCount", MAX_DATES)
    exceptions = tuple([_read_exception(reader) for _ in range(count)])
    block = _read_block(reader, "ReservedBlock1")
    for one in exceptions:
        _read_extended(reader, one, versions[1])
    # observed: writers that leave the last block out
    last = _read_block(reader, "ReservedBlock2") if reader.remaining >= 4 else b""
    return AppointmentRecurrence(pattern, *offsets, exceptions, *versions, block, last)


def parse_task(data: bytes) -> Recurrence:
    """The value of PidLidTaskRecurrence."""
    return _read_pattern(Reader(data))


def pack(value: AppointmentRecurrence) -> bytes:
    """The bytes of PidLidAppointmentRecur."""
    writer = Writer()
    _write_pattern(writer, value.pattern)
    for number in (value.reader_version, value.writer_version, value.start_offset, value.end_offset):
        writer.u32(number)
    writer.u16(len(value.exceptions), "ExceptionCount")
    for one in value.exceptions:
        _write_exception(writer, one)
    _write_block(writer, value.block_1)
    for one in value.exceptions:
        _write_extended(writer, one, value.writer_version)
    _write_block(writer, value.block_2)
    return writer.getvalue()


def pack_task(value: Recurrence) -> bytes:
    """The bytes of PidLidTaskRecurrence."""
    writer = Writer()
    _write_pattern(writer, value)
    return writer.getvalue()


def _read_pattern(reader: Reader) -> Recurrence:
    versions = reader.u16("ReaderVersion"), reader.u16("WriterVersion")
    frequency = _known(reader, Frequency, "RecurFrequency")
    kind = _known(reader, PatternType, "PatternType")
    calendar = reader.u16("CalendarType")
    first, period, sliding = reader.u32("FirstDateTime"), reader.u32("Period"), reader.u32("SlidingFlag")
    days = reader.u32("week days") if kind is PatternType.WEEK or kind in NTH else 0
    day = reader.u32("day") if kind in MONTHS else 0
    nth = reader.u32("N") if kind in NTH else 0
    end_type, count, dow = reader.u32("EndType"), reader.u32("OccurrenceCount"), reader.u32("FirstDOW")
    deleted, modified = _read_dates(reader, "deleted"), _read_dates(reader, "modified")
    start, end = reader.u32("StartDate"), reader.u32("EndDate")
    return Recurrence(
        Frequency(frequency), PatternType(kind), period, start, end, end_type, count, first, days, day, nth,
        dow, deleted, modified, calendar, sliding, *versions,
    )  # fmt: skip


def _known(reader: Reader, kind: Callable[[int], IntEnum], what: str) -> IntEnum:
    at = reader.pos
    number = reader.u16(what)
    try:
        return kind(number)
    except ValueError:
        raise DecodeError(f"{what} 0x{number:04X}", at) from None


def _read_dates(reader: Reader, what: str) -> tuple[int, ...]:
    return tuple([reader.u32(what) for _ in range(reader.count(4, 4, what, MAX_DATES))])


def _read_block(reader: Reader, what: str) -> bytes:
    return reader.take(reader.u32(what), what)


def _write_pattern(writer: Writer, value: Recurrence) -> None:
    for number in (value.reader_version, value.writer_version, value.frequency, value.type, value.calendar):
        writer.u16(number)
    for number in (value.first_date_time, value.period, value.sliding):
        writer.u32(number)
    if value.type is PatternType.WEEK or value.type in NTH:
        writer.u32(value.days)
    if value.type in MONTHS:
        writer.u32(value.day)
    if value.type in NTH:
        writer.u32(value.nth)
    for number in (value.end_type, value.count, value.first_day_of_week):
        writer.u32(number)
    for dates in (value.deleted, value.modified):
        writer.u32(len(dates))
        for date in dates:
            writer.u32(date)
    writer.u32(value.start_date)
    writer.u32(value.end_date)


def _read_exception(reader: Reader) -> ExceptionInfo:
    start, end, original = (reader.u32("exception") for _ in range(3))
    flags = Override(reader.u16("OverrideFlags") & 0x03FF)
    one = ExceptionInfo(start, end, original, flags)
    if flags & Override.SUBJECT:
        one.subject = _read_narrow(reader, "Subject")
    for flag, name in _NUMBERS:
        if flags & flag:
            setattr(one, name, reader.u32(name))
    if flags & Override.LOCATION:
        one.location = _read_narrow(reader, "Location")
    for flag, name in _NUMBERS_AFTER_LOCATION:
        if flags & flag:
            setattr(one, name, reader.u32(name))
    return one


def _read_narrow(reader: Reader, what: str) -> bytes:
    """A length with the terminator that is not there, the length without, and the bytes."""
    at = reader.pos
    outer, inner = reader.u16(what), reader.u16(what)
    if outer != inner + 1:
        raise DecodeError(f"{what} of {outer} and {inner} bytes", at)
    return reader.take(inner, what)


def _write_exception(writer: Writer, one: ExceptionInfo) -> None:
    for number in (one.start, one.end, one.original):
        writer.u32(number)
    writer.u16(int(one.flags))
    if one.flags & Override.SUBJECT:
        _write_narrow(writer, one.subject)
    for flag, name in _NUMBERS:
        if one.flags & flag:
            writer.u32(getattr(one, name), name)
    if one.flags & Override.LOCATION:
        _write_narrow(writer, one.location)
    for flag, name in _NUMBERS_AFTER_LOCATION:
        if one.flags & flag:
            writer.u32(getattr(one, name), name)


def _write_narrow(writer: Writer, value: bytes) -> None:
    writer.u16(len(value) + 1, "string")
    writer.u16(len(value))
    writer.put(value)


def _write_block(writer: Writer, value: bytes) -> None:
    writer.u32(len(value))
    writer.put(value)


def _read_extended(reader: Reader, one: ExceptionInfo, version: int) -> None:
    if version >= WRITER_VERSION_2:
        one.change_highlight = _read_block(reader, "ChangeHighlight")
    one.block_1 = _read_block(reader, "ReservedBlockEE1")
    if not one.has_text:
        return
    at = reader.pos
    if [reader.u32("exception") for _ in range(3)] != [one.start, one.end, one.original]:
        raise DecodeError("an extended exception of another instance", at)
    if one.flags & Override.SUBJECT:
        one.wide_subject = _read_wide(reader, "subject")
    if one.flags & Override.LOCATION:
        one.wide_location = _read_wide(reader, "location")
    one.block_2 = _read_block(reader, "ReservedBlockEE2")


def _read_wide(reader: Reader, what: str) -> str:
    return reader.take(2 * reader.u16(what), what).decode("utf-16-le", "surrogatepass")


def _write_extended(writer: Writer, one: ExceptionInfo, version: int) -> None:
    if version >= WRITER_VERSION_2:
        _write_block(writer, one.change_highlight)
    _write_block(writer, one.block_1)
    if not one.has_text:
        return
    for number in (one.start, one.end, one.original):
        writer.u32(number)
    if one.flags & Override.SUBJECT:
        _write_wide(writer, one.wide_subject)
    if one.flags & Override.LOCATION:
        _write_wide(writer, one.wide_location)
    _write_block(writer, one.block_2)


def _write_wide(writer: Writer, value: str) -> None:
    data = value.encode("utf-16-le", "surrogatepass")
    if len(data) > 2 * 0xFFFF:
        raise EncodeError(f"a string of {len(data) // 2} characters in an exception")
    writer.u16(len(data) // 2)
    writer.put(data)
