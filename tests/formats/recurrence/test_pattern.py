"""The recurrence structures: the specification's examples, and the codec kit."""

import pytest
from hypothesis import strategies as st

from appliance.formats.recurrence.expand import first_date_time
from appliance.formats.recurrence.pattern import (
    MONTHS,
    NTH,
    AppointmentRecurrence,
    EndType,
    ExceptionInfo,
    Frequency,
    Override,
    PatternType,
    Recurrence,
    pack,
    pack_task,
    parse,
    parse_task,
)
from appliance.mapi.times import from_datetime, to_minutes
from appliance.wire.errors import DecodeError
from tests.formats.recurrence.moments import minutes
from tests.kit import Codec, Vector, codec_tests

# MS-OXOCAL 4.1.1.2: Mondays, Thursdays and Fridays from 10:00 to 10:30, twelve times, one of them changed.
WEEKLY_BYTES = bytes.fromhex(
    "043004300B2001000000C0210000010000000000000032000000222000000C0000000000000001000000A096BC0C01000000"
    "A096BC0C8020BC0C20ADBC0C0630000009300000580200007602000001003499BC0C5299BC0CF898BC0C1100220021005369"
    "6D706C6520526563757272656E6365207769746820657863657074696F6E730800070033342F343134310000000004000000"
    "00000000000000003499BC0C5299BC0CF898BC0C2100530069006D0070006C006500200052006500630075007200720065006E"
    "006300650020007700690074006800200065007800630065007000740069006F006E0073000700330034002F00340031003400"
    "31000000000000000000"
)
WEEKLY = AppointmentRecurrence(
    Recurrence(
        Frequency.WEEKLY, PatternType.WEEK, 1, minutes(2007, 3, 26), minutes(2007, 4, 20), EndType.AFTER, 12,
        8640, 0b110010, deleted=(minutes(2007, 4, 16),), modified=(minutes(2007, 4, 16),),
    ),
    600,
    630,
    (
        ExceptionInfo(
            minutes(2007, 4, 16, 11), minutes(2007, 4, 16, 11, 30), minutes(2007, 4, 16, 10),
            Override.SUBJECT | Override.LOCATION, b"Simple Recurrence with exceptions", b"34/4141",
            "Simple Recurrence with exceptions", "34/4141",
        ),
    ),
)  # fmt: skip

# MS-OXOCAL 4.1.1.3: every three days from 8:00 to 8:30 from 2011-04-07 to 2011-05-04, two of them deleted.
DAILY_BYTES = bytes.fromhex(
    "043004300A2000000000A0050000E010000000000000212000000A0000000000000002000000A0C1DC0C80D2DC0C00000000"
    "207EDC0C0016DD0C0630000009300000E0010000FE01000000000000000000000000"
)
DAILY = AppointmentRecurrence(
    Recurrence(
        Frequency.DAILY, PatternType.DAY, 3 * 1440, minutes(2011, 4, 7), minutes(2011, 5, 4), EndType.BY_DATE,
        10, 1440, deleted=(minutes(2011, 4, 19), minutes(2011, 4, 22)),
    ),
    480,
    510,
)  # fmt: skip

VECTORS = [
    Vector("MS-OXOCAL 4.1.1.2", WEEKLY_BYTES, WEEKLY),
    # the example ends with four more bytes than the structure has
    Vector("MS-OXOCAL 4.1.1.3", DAILY_BYTES, DAILY, canonical=False),
]

_U16, _U32 = st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFFFF)
_DATES = st.lists(_U32, max_size=4).map(tuple)
_TEXT = st.text(max_size=10)


@st.composite
def _patterns(draw: st.DrawFn) -> Recurrence:
    kind = draw(st.sampled_from(PatternType))
    return Recurrence(
        draw(st.sampled_from(Frequency)), kind, draw(_U32), draw(_U32), draw(_U32), draw(_U32), draw(_U32),
        draw(_U32),
        draw(_U32) if kind is PatternType.WEEK or kind in NTH else 0,
        draw(_U32) if kind in MONTHS else 0,
        draw(_U32) if kind in NTH else 0,
        draw(_U32), draw(_DATES), draw(_DATES), draw(_U16), draw(_U32), draw(_U16), draw(_U16),
    )  # fmt: skip


@st.composite
def _exceptions(draw: st.DrawFn) -> ExceptionInfo:
    flags = Override(draw(st.integers(0, 0x3FF)))

    def number(flag: Override) -> int:
        return draw(_U32) if flags & flag else 0

    subject, location = bool(flags & Override.SUBJECT), bool(flags & Override.LOCATION)
    return ExceptionInfo(
        draw(_U32), draw(_U32), draw(_U32), flags,
        draw(st.binary(max_size=9)) if subject else b"",
        draw(st.binary(max_size=9)) if location else b"",
        draw(_TEXT) if subject else "",
        draw(_TEXT) if location else "",
        number(Override.MEETING_TYPE), number(Override.REMINDER_DELTA), number(Override.REMINDER),
        number(Override.BUSY_STATUS), number(Override.ATTACHMENT), number(Override.SUB_TYPE),
        number(Override.COLOR), draw(st.binary(max_size=8)), draw(st.binary(max_size=3)),
        draw(st.binary(max_size=3)) if subject or location else b"",
    )  # fmt: skip


_APPOINTMENTS = st.builds(
    AppointmentRecurrence, _patterns(), _U32, _U32, st.lists(_exceptions(), max_size=3).map(tuple), _U32,
    st.just(0x3009), st.binary(max_size=3), st.binary(max_size=3),
)  # fmt: skip

TestAppointments = codec_tests(
    Codec(decode=parse, encode=pack, vectors=VECTORS, values=_APPOINTMENTS, prefix_is_legal=True)
)
TestTasks = codec_tests(Codec(decode=parse_task, encode=pack_task, values=_patterns(), prefix_is_legal=True))


def test_older_writers() -> None:
    """Before version 0x3009 there is no change highlight; some leave the last block out."""
    older = AppointmentRecurrence(WEEKLY.pattern, 600, 630, WEEKLY.exceptions, writer_version=0x3008)
    assert len(pack(older)) == len(pack(WEEKLY)) - 8
    assert parse(pack(older)) == older
    assert parse(pack(WEEKLY)[:-4]) == WEEKLY


@pytest.mark.parametrize(
    ("at", "value"),
    [(4, b"\0\0"), (6, b"\x05\0"), (38, b"\xff\xff"), (78, b"\xff\xff"), (94, b"\x05\0"), (-8, b"\xff\xff")],
)
def test_damage(at: int, value: bytes) -> None:
    data = bytearray(WEEKLY_BYTES)
    data[at : at + len(value) or None] = value
    with pytest.raises(DecodeError):
        parse(bytes(data))


@pytest.mark.parametrize("series", [WEEKLY, DAILY])
def test_first_date_time(series: AppointmentRecurrence) -> None:
    """The field as the examples have it."""
    assert first_date_time(series.pattern) == series.pattern.first_date_time


def test_moments() -> None:
    from datetime import UTC, datetime

    assert minutes(2007, 4, 16, 11) == to_minutes(from_datetime(datetime(2007, 4, 16, 11, tzinfo=UTC)))
