"""Reading TNEF (MS-OXTNEF 2.1.3). Checksums are not looked at: programs that write wrong ones are many.

Encapsulated properties win over the older attributes that say the same (2.1.3). Attributes that are not known
are passed over; a stream that ends within an attribute is refused.
"""

import struct
from dataclasses import dataclass, field
from datetime import UTC, datetime

from appliance.formats.tnef import layout
from appliance.formats.tnef.values import Budget, read_list
from appliance.mapi import codepages, tags, times
from appliance.mapi.objects import AttachmentObject, BytesContent, MessageObject, Named
from appliance.mapi.types import Bag
from appliance.wire.cursor import Reader
from appliance.wire.errors import DecodeError

_DATE = struct.Struct("<7H")
_RENDERING = struct.Struct("<HIHHI")  # MS-OXTNEF 2.1.3.3.15: kind, position, width, height, flags
_FILE, _OLE = 1, 2
BY_VALUE, EMBEDDED, OLE = 1, 5, 6  # MS-OXCMSG 2.2.2.9

_TEXTS = {
    layout.SUBJECT: tags.PidTagSubject,
    layout.BODY: tags.PidTagBody,
}
_DATES = {
    layout.DATE_SENT: tags.PidTagClientSubmitTime,
    layout.DATE_RECEIVED: tags.PidTagMessageDeliveryTime,
    layout.DATE_MODIFIED: tags.PidTagLastModificationTime,
    layout.DATE_START: tags.PidTagStartDate,
    layout.DATE_END: tags.PidTagEndDate,
}
_ATTACHMENT_DATES = {
    layout.ATTACHMENT_CREATED: tags.PidTagCreationTime,
    layout.ATTACHMENT_MODIFIED: tags.PidTagLastModificationTime,
}


@dataclass(slots=True)
class _Reading:
    """What was read so far. `old` are the older attributes, overruled by encapsulated properties."""

    depth: int
    budget: Budget
    page: int = codepages.DEFAULT
    old: Bag = field(default_factory=dict)
    props: Bag = field(default_factory=dict)
    named: Named = field(default_factory=dict)
    recipients: list[Bag] = field(default_factory=list)
    attachments: list["_Attachment"] = field(default_factory=list)


@dataclass(slots=True)
class _Attachment:
    old: Bag = field(default_factory=dict)
    props: Bag = field(default_factory=dict)
    named: Named = field(default_factory=dict)
    data: bytes | None = None


def decode(data: bytes) -> MessageObject:
    """The message in a stream. Raises DecodeError."""
    return _message(Reader(data), layout.MAX_NESTING, Budget())


def _message(reader: Reader, depth: int, budget: Budget) -> MessageObject:
    if reader.u32("TNEF signature") != layout.SIGNATURE:
        raise DecodeError("no TNEF", reader.pos - 4)
    reader.u16("key")
    reading = _Reading(depth, budget)
    while reader.remaining:
        budget.spend(1, reader)
        level, attribute, size = reader.u8("level"), reader.u32("attribute"), reader.u32("size")
        inner = reader.sub(size, "attribute")
        reader.take(min(2, reader.remaining), "checksum")
        if level == layout.LEVEL_MESSAGE:
            _message_attribute(reading, attribute, inner)
        elif level == layout.LEVEL_ATTACHMENT:
            _attachment_attribute(reading, attribute, inner)
        else:
            raise DecodeError(f"an attribute of level {level}", reader.pos)
    attachments = [_finished(reading, attachment) for attachment in reading.attachments]
    return MessageObject(reading.old | reading.props, reading.named, reading.recipients, attachments)


def _text(reading: _Reading, reader: Reader) -> str:
    return codepages.decode(reader.rest(), reading.page).split("\0", 1)[0]


def _date(reader: Reader) -> int | None:
    """A DTR (2.1.3.2.1) as FILETIME; None for one that is no date."""
    if reader.remaining < _DATE.size:
        return None
    year, month, day, hour, minute, second, _ = _DATE.unpack(reader.take(_DATE.size))
    try:
        return times.from_datetime(datetime(year, month, day, hour, minute, second, tzinfo=UTC))
    except (ValueError, OverflowError):
        return None


def _message_attribute(reading: _Reading, attribute: int, reader: Reader) -> None:
    if attribute == layout.OEM_CODE_PAGE and reader.remaining >= 4:
        page = reader.u32()
        reading.page = page if codepages.is_known(page) else reading.page
    elif attribute == layout.MESSAGE_CLASS:
        name = _text(reading, reader)
        reading.old[tags.PidTagMessageClass] = layout.CLASSES.get(name, name)
    elif attribute == layout.MESSAGE_PROPS:
        props, named = read_list(reader, reading.page, reading.budget)
        reading.props.update(props)
        reading.named.update(named)
    elif attribute == layout.RECIPIENT_TABLE:
        for _ in range(reader.count(4, 4, "recipients", layout.MAX_RECIPIENTS)):
            reading.recipients.append(read_list(reader, reading.page, reading.budget)[0])
    elif attribute == layout.PRIORITY and reader.remaining >= 2:
        reading.old[tags.PidTagImportance] = layout.IMPORTANCES.get(reader.u16(), 1)
    elif attribute in _TEXTS:
        reading.old[_TEXTS[attribute]] = _text(reading, reader)
    elif attribute in _DATES and (moment := _date(reader)) is not None:
        reading.old[_DATES[attribute]] = moment


def _attachment_attribute(reading: _Reading, attribute: int, reader: Reader) -> None:
    if attribute == layout.RENDERING:
        if len(reading.attachments) >= layout.MAX_ATTACHMENTS:
            raise DecodeError("too many attachments", reader.pos)
        reading.attachments.append(_Attachment(_rendering(reader)))
        return
    if not reading.attachments:
        reading.attachments.append(_Attachment())  # observed: streams without it
    now = reading.attachments[-1]
    if attribute == layout.ATTACHMENT_PROPS:
        now.props, now.named = read_list(reader, reading.page, reading.budget)
    elif attribute == layout.ATTACHMENT_DATA:
        now.data = reader.rest()
    elif attribute == layout.ATTACHMENT_TITLE:
        now.old[tags.PidTagAttachFilename] = now.old[tags.PidTagDisplayName] = _text(reading, reader)
    elif attribute == layout.ATTACHMENT_META_FILE:
        now.old[tags.PidTagAttachRendering] = reader.rest()
    elif attribute == layout.ATTACHMENT_TRANSPORT_NAME:
        now.old[tags.PidTagAttachTransportName] = _text(reading, reader)
    elif attribute in _ATTACHMENT_DATES and (moment := _date(reader)) is not None:
        now.old[_ATTACHMENT_DATES[attribute]] = moment


def _rendering(reader: Reader) -> Bag:
    if reader.remaining < _RENDERING.size:
        return {tags.PidTagAttachMethod: BY_VALUE}
    kind, position, _, _, _ = _RENDERING.unpack(reader.take(_RENDERING.size))
    signed = position - (1 << 32) if position >> 31 else position
    return {
        tags.PidTagAttachMethod: OLE if kind == _OLE else BY_VALUE,
        tags.PidTagRenderingPosition: signed,
    }


def _finished(reading: _Reading, given: _Attachment) -> AttachmentObject:
    props = given.old | given.props
    data = props.pop(tags.PidTagAttachDataObject, None)
    binary = props.pop(tags.PidTagAttachDataBinary, None)
    result = AttachmentObject(props, given.named)
    if isinstance(data, bytes) and data.startswith(layout.IID_MESSAGE) and reading.depth > 0:
        # an embedded message: its own stream behind the interface's id (2.1.3.3.16)
        result.embedded = _message(Reader(data[16:]), reading.depth - 1, reading.budget)
        props[tags.PidTagAttachMethod] = EMBEDDED
        return result
    held = binary if isinstance(binary, bytes) else given.data
    if held is None and isinstance(data, bytes):
        held = data[16:]
    if held is not None:
        result.content = BytesContent(held)
    return result
