"""RopNotify's NotificationData (MS-OXCNOTIF 2.2.1.4.1.2): which fields stand follows from the flags."""

from collections.abc import Callable
from enum import IntEnum, IntFlag
from typing import Annotated, Any

from appliance.mapi.ids import SHORT_ID
from appliance.wire.cursor import Reader, Writer
from appliance.wire.fields import NUL_UTF16, U8, U16, U32, CountedBytes, NulText, UInt16, UInt32, When
from appliance.wire.record import Record

ROP_NOTIFY = 0x2A
TYPE_MASK = 0x0FFF
TAGS_UNKNOWN = 0xFFFF
"""TagCount where it is not known which properties changed."""

UNKNOWN_TAGS = (0,)
"""The tags of a notification with that count."""


class Type(IntFlag):
    """NotificationType, and the bits of NotificationTypes that ask for it (2.2.1.2.1.1)."""

    NEW_MAIL = 0x0002
    OBJECT_CREATED = 0x0004
    OBJECT_DELETED = 0x0008
    OBJECT_MODIFIED = 0x0010
    OBJECT_MOVED = 0x0020
    OBJECT_COPIED = 0x0040
    SEARCH_COMPLETED = 0x0080
    TABLE_MODIFIED = 0x0100
    EXTENDED = 0x0400


class Bit(IntFlag):
    """The upper four bits of NotificationFlags."""

    TOTAL = 0x1000
    UNREAD = 0x2000
    SEARCH = 0x4000
    MESSAGE = 0x8000


class TableEvent(IntEnum):
    """TableEventType."""

    CHANGED = 0x0001
    ROW_ADDED = 0x0003
    ROW_DELETED = 0x0004
    ROW_MODIFIED = 0x0005
    RESTRICTION_CHANGED = 0x0007


_ROWS = frozenset({TableEvent.ROW_ADDED, TableEvent.ROW_DELETED, TableEvent.ROW_MODIFIED})
_PLACED = frozenset({TableEvent.ROW_ADDED, TableEvent.ROW_MODIFIED})
_WANDERS = frozenset({Type.OBJECT_MOVED, Type.OBJECT_COPIED})
_WITH_PARENT = _WANDERS | {Type.OBJECT_CREATED, Type.OBJECT_DELETED}
_WITH_TAGS = frozenset({Type.OBJECT_CREATED, Type.OBJECT_MODIFIED})

Condition = Callable[[Any], bool]


def _type(data: Any) -> int:
    return int(data.flags & TYPE_MASK)


def _has(bit: Bit) -> Condition:
    return lambda data: bool(data.flags & bit)


def _both(first: Condition, second: Condition) -> Condition:
    return lambda data: first(data) and second(data)


def _of(types: frozenset[Type]) -> Condition:
    return lambda data: _type(data) in types


def _row(events: frozenset[TableEvent]) -> Condition:
    return lambda data: data.table_event in events


def _is_object(data: Any) -> bool:
    return _type(data) not in (Type.TABLE_MODIFIED, Type.EXTENDED)


def _has_parent(data: Any) -> bool:
    """A folder, or a message in a search folder."""
    message, search = bool(data.flags & Bit.MESSAGE), bool(data.flags & Bit.SEARCH)
    return _type(data) in _WITH_PARENT and message == search


def _is_folder(data: Any) -> bool:
    return not data.flags & Bit.MESSAGE


_message = _has(Bit.MESSAGE)
_wanders = _of(_WANDERS)
_new_mail = _of(frozenset({Type.NEW_MAIL}))


class _Tags:
    """TagCount and Tags."""

    def decode(self, reader: Reader) -> tuple[int, ...]:
        count = reader.u16("TagCount")
        return UNKNOWN_TAGS if count == TAGS_UNKNOWN else tuple(reader.u32("tag") for _ in range(count))

    def encode(self, writer: Writer, value: tuple[int, ...]) -> None:
        writer.u16(TAGS_UNKNOWN if value == UNKNOWN_TAGS else len(value), "TagCount")
        for tag in value if value != UNKNOWN_TAGS else ():
            writer.u32(tag, "tag")


class _MessageClass:
    """MessageClass, in the form that UnicodeFlag says."""

    def decode_in(self, reader: Reader, data: Any) -> str | None:
        if not _new_mail(data):
            return None
        form = NUL_UTF16 if data.unicode_flag else NulText("ascii")
        return str(form.decode(reader))

    def encode_in(self, writer: Writer, value: str | None, data: Any) -> None:
        if _new_mail(data):
            form = NUL_UTF16 if data.unicode_flag else NulText("ascii")
            form.encode(writer, value or "")


class NotificationData(Record):
    """2.2.1.4.1.2, in wire order."""

    flags: UInt16
    table_event: Annotated[int | None, When(U16, _of(frozenset({Type.TABLE_MODIFIED})))] = None
    row_folder: Annotated[int | None, When(SHORT_ID, _row(_ROWS))] = None
    row_message: Annotated[int | None, When(SHORT_ID, _both(_message, _row(_ROWS)))] = None
    row_instance: Annotated[int | None, When(U32, _both(_message, _row(_ROWS)))] = None
    after_folder: Annotated[int | None, When(SHORT_ID, _row(_PLACED))] = None
    after_message: Annotated[int | None, When(SHORT_ID, _both(_message, _row(_PLACED)))] = None
    after_instance: Annotated[int | None, When(U32, _both(_message, _row(_PLACED)))] = None
    row_data: Annotated[bytes | None, When(CountedBytes(2), _row(_PLACED))] = None
    folder_id: Annotated[int | None, When(SHORT_ID, _is_object)] = None
    message_id: Annotated[int | None, When(SHORT_ID, _both(_message, _is_object))] = None
    parent_folder_id: Annotated[int | None, When(SHORT_ID, _has_parent)] = None
    old_folder_id: Annotated[int | None, When(SHORT_ID, _wanders)] = None
    old_message_id: Annotated[int | None, When(SHORT_ID, _both(_message, _wanders))] = None
    old_parent_folder_id: Annotated[int | None, When(SHORT_ID, _both(_is_folder, _wanders))] = None
    tags: Annotated[tuple[int, ...] | None, When(_Tags(), _of(_WITH_TAGS))] = None
    total: Annotated[int | None, When(U32, _has(Bit.TOTAL))] = None
    unread: Annotated[int | None, When(U32, _has(Bit.UNREAD))] = None
    message_flags: Annotated[int | None, When(U32, _new_mail)] = None
    unicode_flag: Annotated[int | None, When(U8, _new_mail)] = None
    message_class: Annotated[str | None, _MessageClass()] = None


class Notify(Record):
    """RopNotify (MS-OXCROPS 2.2.14.2.1) behind its RopId."""

    handle: UInt32
    logon_id: Annotated[int, U8]
    data: NotificationData
