"""What the C of native/rows is told: where properties of a row come from, and restrictions as programs.

The C reads rows as they are stored and gives what `mapi.matching`, `sortkeys` and `mapi.rows` give, or it
asks: then those decide the row. It asks about text beyond ASCII (case and collation are Python's), properties
that are computed or follow from others by a rule, recipients and attachments, values of types that do not
compare, and rows that are damaged. The numbers here are those of native/rows/rows.h.
"""

import struct
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from functools import lru_cache

from appliance.formats import bags
from appliance.mapi import implied, tags
from appliance.mapi import restrictions as r
from appliance.mapi import types as t
from appliance.mapi.matching import comparable, folding, fuzzy_flags
from appliance.mapi.types import Value
from appliance.store import classes
from appliance.store.tables import _native

BATCH = 1024
"""Rows that the C gets at once."""

NO, YES, ASK = 0, 1, 2
_MAX_SLOTS = 2000
_MAX_OPERAND = 0xFFFF
_MAX_PARTS = 0xFFFF
_MAX_DEPTH = 100


class _Source(IntEnum):
    """Where a property comes from."""

    BAG = 0
    MID = 1
    FID = 2
    MESSAGE_FLAGS = 3
    READ = 4
    SIZE = 5
    RECEIVED = 6
    MODIFIED = 7
    CHANGE_NUMBER = 8
    HAS_ATTACHMENTS = 9
    IMPORTANCE = 10
    ASSOCIATED = 11
    MESSAGE_CLASS = 12
    MESSAGE_STATUS = 13
    INSTANCE_KEY = 14
    FLAG_STATUS = 15
    CONSTANT = 16
    ABSENT = 17


class _Else(IntEnum):
    """What holds when a compact bag lacks a property."""

    NONE = 0
    CONSTANT = 1
    SAME = 2
    ASK = 3
    SUBJECT_PREFIX = 4
    NORMALIZED_SUBJECT = 5
    TOPIC = 6


class _State(IntEnum):
    """What the row's flags make of a property of the bag (`sources.ROW_STATE`)."""

    NONE = 0
    FOLLOWUP_ICON = 1
    LAST_VERB = 2
    ICON = 3


class Ask(IntFlag):
    """When Python is asked for a property, because a higher layer may know it."""

    NEVER = 0
    LACKING = 0x10
    """The bag lacks it."""
    TYPED = 0x20
    """The bag of a message lacks it that is no plain mail: its class is not IPM.Note. An icon that says
    nothing is as good as none."""
    KEYWORDS = 0x40
    """The bag of a message that has keywords lacks it."""


Asked = Callable[[int], Ask]
"""By tag."""


def never(_tag: int) -> Ask:
    """The `Asked` of sources whose properties are all stored."""
    return Ask.NEVER


_SOURCES: Mapping[int, _Source] = {
    tags.PidTagMid: _Source.MID,
    tags.PidTagInstID: _Source.MID,
    tags.PidTagFolderId: _Source.FID,
    tags.PidTagParentFolderId: _Source.FID,
    tags.PidTagMessageFlags: _Source.MESSAGE_FLAGS,
    tags.PidTagRead: _Source.READ,
    tags.PidTagMessageSize: _Source.SIZE,
    tags.PidTagMessageSizeExtended: _Source.SIZE,
    tags.PidTagMessageDeliveryTime: _Source.RECEIVED,
    tags.PidTagLastModificationTime: _Source.MODIFIED,
    tags.PidTagChangeNumber: _Source.CHANGE_NUMBER,
    tags.PidTagHasAttachments: _Source.HAS_ATTACHMENTS,
    tags.PidTagImportance: _Source.IMPORTANCE,
    tags.PidTagAssociated: _Source.ASSOCIATED,
    tags.PidTagMessageClass: _Source.MESSAGE_CLASS,
    tags.PidTagMessageStatus: _Source.MESSAGE_STATUS,
    tags.PidTagInstanceKey: _Source.INSTANCE_KEY,
    tags.PidTagDeletedOn: _Source.ABSENT,
    tags.PidTagFlagStatus: _Source.FLAG_STATUS,
}
_CONSTANTS: Mapping[int, Value] = {
    tag: implied.get(lambda _tag: None, tag)
    for tag in (
        tags.PidTagIconIndex,
        tags.PidTagSensitivity,
        tags.PidTagSubject,
        tags.PidTagDisplayTo,
        tags.PidTagDisplayCc,
        tags.PidTagDisplayBcc,
        tags.PidTagNativeBody,
        tags.PidTagInternetCodepage,
    )
}
"""What compact bags (`mapi.implied`) leave out although it is always the same."""

_SAME: Mapping[int, int] = {
    tags.PidTagSenderName: tags.PidTagSentRepresentingName,
    tags.PidTagSenderEmailAddress: tags.PidTagSentRepresentingEmailAddress,
}
"""What they leave out because another property says it. The other one follows from none."""

_OF_SUBJECT: Mapping[int, _Else] = {
    tags.PidTagSubjectPrefix: _Else.SUBJECT_PREFIX,
    tags.PidTagNormalizedSubject: _Else.NORMALIZED_SUBJECT,
    tags.PidTagConversationTopic: _Else.TOPIC,
}
"""What they leave out because the subject says it."""

_STATES: Mapping[int, _State] = {
    tags.PidTagFollowupIcon: _State.FOLLOWUP_ICON,
    tags.PidTagLastVerbExecuted: _State.LAST_VERB,
    tags.PidTagIconIndex: _State.ICON,
}

_FROM_BAG = (_Source.BAG, _Source.MESSAGE_CLASS)


@dataclass(frozen=True, slots=True)
class Batch:
    """Stored rows: keys and values of hot rows, cold values (None: not there, or not wanted)."""

    ids: list[int]
    keys: list[bytes]
    hots: list[bytes]
    colds: list[bytes | None]


class Slots:
    """The properties that a scan looks at; each gets a number on first use.

    `fixed` are values that the table gives itself; `asked` says for which tags a higher layer is asked."""

    def __init__(self, fixed: Mapping[int, Value] | None = None, asked: Asked = never) -> None:
        self._fixed, self.asked = fixed or {}, asked
        self._numbers: dict[int, int] = {}
        self._tags: list[int] = []
        self.cold = False
        """Whether any of them may stand in the bag."""

    def number(self, tag: int) -> int:
        """The number of a property. Raises OverflowError beyond _MAX_SLOTS."""
        if tag not in self._numbers:
            if len(self._tags) >= _MAX_SLOTS:
                raise OverflowError("too many properties in one scan")
            self._numbers[tag] = len(self._tags)
            self._tags.append(tag)
            if tag in _SAME:  # right behind, since what follows from another stands before it
                self._tags.append(_SAME[tag])
            self.cold |= tag not in self._fixed and _SOURCES.get(tag, _Source.BAG) in _FROM_BAG
        return self._numbers[tag]

    def packed(self) -> bytes:
        """The table for the C, of all properties so far."""
        out = [_CLASSES, struct.pack("<H", len(self._tags))]
        for number, tag in enumerate(self._tags):
            constant = bags.pack({tag: self._fixed[tag]}) if tag in self._fixed else None
            out.append(_slot(number, tag, self.asked(tag), constant))
        return b"".join(out)


_CLASSES = struct.pack("<H", len(classes.COMMON)) + b"".join(
    struct.pack("<H", len(name.encode())) + name.encode() for name in classes.COMMON
)


@lru_cache(maxsize=4096)
def _slot(number: int, tag: int, ask: Ask, fixed: bytes | None) -> bytes:
    """A row of the table for the C. `fixed`: the bag of one property that is its constant."""
    source, constant = _SOURCES.get(tag, _Source.BAG), b""
    fallback, other = _Else.ASK if tag in implied.RULES else _Else.NONE, 0
    if fixed is not None:
        source, constant = _Source.CONSTANT, fixed
    elif tag in _CONSTANTS:
        fallback, constant = _Else.CONSTANT, bags.pack({tag: _CONSTANTS[tag]})
    elif tag in _SAME:
        fallback, other = _Else.SAME, number + 1
    elif tag in _OF_SUBJECT:
        fallback = _OF_SUBJECT[tag]
    state = _STATES.get(tag, _State.NONE)
    return struct.pack("<IBBBHH", tag, source, fallback | ask, state, other, len(constant)) + constant


class _Op(IntEnum):
    """Operations of a program."""

    AND = 0
    OR = 1
    NOT = 2
    TRUE = 3
    FALSE = 4
    ASK = 5
    EXIST = 6
    BIT_MASK = 7
    SIZE = 8
    NUMBER = 9
    FLOAT = 10
    TEXT = 11
    BINARY = 12
    CONTENT = 13
    COMPARE = 14


_TRUE, _FALSE, _ASK = bytes([_Op.TRUE]), bytes([_Op.FALSE]), bytes([_Op.ASK])
_INTEGERS = frozenset(
    (t.PtypInteger16, t.PtypInteger32, t.PtypInteger64, t.PtypCurrency, t.PtypTime, t.PtypErrorCode,
     t.PtypBoolean)
)  # fmt: skip
_FLOATS = frozenset((t.PtypFloating32, t.PtypFloating64, t.PtypFloatingTime))
_BYTES = frozenset((t.PtypBinary, t.PtypServerId, t.PtypGuid))


def program(restriction: r.Restriction, slots: Slots) -> bytes:
    """The program of a restriction. Parts that only Python can judge become ASK, and all of one that looks
    at too many properties."""
    try:
        return _program(restriction, slots, 0)
    except OverflowError:
        return _ASK


def _program(restriction: r.Restriction, slots: Slots, depth: int) -> bytes:
    if depth > _MAX_DEPTH:
        return _ASK
    match restriction:
        case r.And(parts) | r.Or(parts):
            if len(parts) > _MAX_PARTS:
                return _ASK
            op = _Op.AND if isinstance(restriction, r.And) else _Op.OR
            inner = [_program(part, slots, depth + 1) for part in parts]
            return struct.pack("<BH", op, len(parts)) + b"".join(inner)
        case r.Not(part):
            return bytes([_Op.NOT]) + _program(part, slots, depth + 1)
        case r.Comment(_, None):
            return _TRUE
        case r.Comment(_, part) | r.Count(_, part) if part is not None:
            return _program(part, slots, depth + 1)
        case r.Exist(tag):
            return struct.pack("<BH", _Op.EXIST, slots.number(tag))
        case r.BitMask(nonzero, tag, mask):
            return struct.pack("<BHBQ", _Op.BIT_MASK, slots.number(tag), nonzero, mask)
        case r.Size(relation, tag, size):
            return struct.pack("<BHBQ", _Op.SIZE, slots.number(tag), relation, size)
        case r.CompareProperties(relation, left, right):
            return struct.pack("<BHBH", _Op.COMPARE, slots.number(left), relation, slots.number(right))
        case r.Property():
            return _property(restriction, slots)
        case r.Content():
            return _content(restriction, slots)
    return _ASK


def _property(restriction: r.Property, slots: Slots) -> bytes:
    relation, tag, value = restriction.operator, restriction.tag, restriction.value
    kind = t.element_type(tag & 0xFFFF)
    if relation > r.RelOp.NE:
        return _ASK if relation == r.RelOp.MEMBER_OF_DL else _FALSE
    head = struct.pack("<HB", slots.number(tag), relation)
    if isinstance(value, int) and kind in _INTEGERS and -(1 << 63) <= value < 1 << 64:
        bits = value & (1 << 64) - 1
        return bytes([_Op.NUMBER]) + head + struct.pack("<QB", bits, value >= 0)
    if isinstance(value, float) and kind in _FLOATS:
        return bytes([_Op.FLOAT]) + head + struct.pack("<d", value)
    if isinstance(value, str) and kind == t.PtypString:
        wanted: bytes = comparable(value).encode("utf-8", "surrogatepass")
        op = _Op.TEXT
    elif isinstance(value, bytes) and kind in _BYTES:
        wanted, op = value, _Op.BINARY
    else:
        return _ASK
    if len(wanted) > _MAX_OPERAND:
        return _ASK
    return bytes([op]) + head + struct.pack("<H", len(wanted)) + wanted


def _content(restriction: r.Content, slots: Slots) -> bytes:
    flags = fuzzy_flags(restriction)
    wanted = folding(flags)(restriction.value)
    is_text = isinstance(wanted, str)
    if isinstance(wanted, str):
        wanted = wanted.encode("utf-8", "surrogatepass")
    if not isinstance(wanted, bytes) or len(wanted) > _MAX_OPERAND:
        return _ASK
    ignores_case = bool(flags & (r.FuzzyFlags.LOOSE | r.FuzzyFlags.IGNORE_CASE))
    level = restriction.fuzzy & 0x000F
    head = struct.pack(
        "<BHBBBH", _Op.CONTENT, slots.number(restriction.tag), level, ignores_case, is_text, len(wanted)
    )
    return bytes(head + wanted)


def sort_columns(columns: Iterable[tuple[int, bool]], slots: Slots) -> bytes:
    """Columns of a sort key for the C: (tag, descending)."""
    return b"".join(struct.pack("<HB", slots.number(tag), descending) for tag, descending in columns)


def row_columns(columns: Iterable[int], slots: Slots) -> bytes:
    """Columns of property rows for the C."""
    return b"".join(struct.pack("<H", slots.number(tag)) for tag in columns)


def select(batch: Batch, slots: Slots, compiled: bytes) -> bytes:
    """NO, YES or ASK for each row of a batch."""
    return _native.select(slots.packed(), compiled, batch.keys, batch.hots, batch.colds)


def pack_rows(
    batch: Batch, slots: Slots, columns: bytes, start: int = 0, limit: int = -1
) -> tuple[bytes, int, bool]:
    """Property rows (MS-OXCDATA 2.8.1, ROP buffers) from row `start` on; the first row that is not packed,
    which is one to ask about, or with True one that does not fit into `limit` bytes (-1: any number)."""
    return _native.pack_rows(
        slots.packed(), columns, batch.keys, batch.hots, batch.colds, start, limit, False
    )


def pack_row(
    slots: bytes, columns: bytes, key: bytes, hot: bytes, cold: bytes | None, limit: int
) -> bytes | None:
    """One property row of at most `limit` bytes, its text and binaries uncut (tables cut them); `slots` are
    packed. None: it is to be asked about, or does not fit."""
    data, stop, _ = _native.pack_rows(slots, columns, (key,), (hot,), (cold,), 0, limit, True)
    return data if stop else None
