"""The readable twin of native/columns: the same numbers, keys and lines, the same errors."""

from datetime import date

from appliance.formats.columns.steps import CUT_SHORT, Kind, Step
from appliance.formats.structures import Piece
from appliance.formats.structures.reference import Codec
from appliance.wire.errors import DecodeError

Column = list[bytes] | list[bytes | None]

_MONTHS = (b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec")
_EPOCH = date(1601, 1, 1).toordinal()
_LAST_DAY = 3_000_000
_DAY = 86_400
_TICKS = 10_000_000


def _field(record: bytes, index: int, offset: int, size: int) -> int:
    if offset + size > len(record):
        raise DecodeError(CUT_SHORT, index)
    return int.from_bytes(record[offset : offset + size], "little")


def numbers(records: list[bytes], offset: int, size: int) -> list[int]:
    """As `columns.numbers`."""
    if offset < 0 or not 1 <= size <= 8:
        raise ValueError("a field has 1 to 8 bytes")
    return [_field(record, index, offset, size) for index, record in enumerate(records)]


def keys(before: bytes, numbers: list[int], after: bytes) -> list[bytes]:
    """As `columns.keys`. Raises OverflowError for what is no u64."""
    return [before + number.to_bytes(8, "big") + after for number in numbers]


def lines(
    steps: tuple[Step, ...],
    serials: list[int],
    records: list[bytes],
    columns: tuple[Column, ...] = (),
    codec: Codec | None = None,
) -> bytes | None:
    """As `columns.lines`."""
    if any(len(each) != len(serials) for each in (records, *columns)):
        raise ValueError("lists of unequal lengths")
    out: list[bytes] = []
    for index, serial in enumerate(serials):
        for step in steps:
            if step.kind == Kind.PIECE:
                made = _piece(step, columns[step.column][index], codec)
            else:
                made = _made(step, serial, index, records[index], columns)
            if made is None:
                return None
            out.append(made)
    return b"".join(out)


def _piece(step: Step, entry: bytes | None, codec: Codec | None) -> bytes | None:
    if not entry:
        return step.other
    try:
        return codec.pieces([entry], Piece(step.offset))[0] if codec is not None else None
    except DecodeError:
        return None


def _made(step: Step, serial: int, index: int, record: bytes, columns: tuple[Column, ...]) -> bytes:
    match step.kind:
        case Kind.TEXT:
            return step.text
        case Kind.SERIAL:
            return b"%d" % serial
        case Kind.COLUMN:
            return columns[step.column][index] or b""
        case Kind.LITERAL:
            entry = columns[step.column][index] or b""
            return b"{%d}\r\n%s" % (len(entry), entry.replace(b"\0", b"\x80"))
    value = _field(record, index, step.offset, step.size)
    match step.kind:
        case Kind.NUMBER:
            return b"%d" % value
        case Kind.HEX:
            return step.other if step.other and not value else b"%s%x%s" % (step.text, value, step.choices[0])
        case Kind.DATE:
            return _date_time(value)
        case Kind.WORDS:
            if len(record) < step.tail:
                raise DecodeError(CUT_SHORT, index)
            choice = step.choices[value & (len(step.choices) - 1)]
            return b" ".join(filter(None, (choice, *_words(record[step.tail :]), step.text)))
    raise ValueError("a step that cannot be")


def _words(text: bytes) -> list[bytes]:
    shown = bytes(byte if byte < 0x80 else ord("?") for byte in text if byte & 0xC0 != 0x80)
    return shown.split(b" ")


def _date_time(filetime: int) -> bytes:
    days, rest = divmod(filetime // _TICKS, _DAY)
    day = date.fromordinal(_EPOCH + min(days, _LAST_DAY))
    clock = b"%02d:%02d:%02d" % (rest // 3600, rest // 60 % 60, rest % 60)
    return b'"%2d-%s-%04d %s +0000"' % (day.day, _MONTHS[day.month - 1], day.year, clock)
