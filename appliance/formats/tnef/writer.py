"""Writing TNEF (MS-OXTNEF 2.1.3): what is said goes into the property lists, and the few attributes that a
stream must begin with. Attachments are held while they are written: the stream is one piece."""

import struct

from appliance.formats.tnef import layout
from appliance.formats.tnef.values import write_list
from appliance.mapi import codepages, tags
from appliance.mapi.objects import AttachmentObject, MessageObject, chunks
from appliance.wire.cursor import Writer
from appliance.wire.errors import EncodeError

_RENDERING = struct.Struct("<HiHHI")
_FILE, _OLE, OLE = 1, 2, 6
_SIZE = 32
"""Width and height of a file's picture."""


def encode(message: MessageObject, *, key: int = 1, page: int = codepages.DEFAULT) -> bytes:
    """A stream of a message. `key` (1 to 65535) names it within its day, `page` is what strings without
    Unicode are in. Raises EncodeError."""
    return _message(message, key, page, layout.MAX_NESTING)


def _message(message: MessageObject, key: int, page: int, depth: int) -> bytes:
    writer = Writer()
    writer.u32(layout.SIGNATURE)
    writer.u16(key)
    _attribute(writer, layout.LEVEL_MESSAGE, layout.VERSION_ATTRIBUTE, struct.pack("<I", layout.VERSION))
    _attribute(writer, layout.LEVEL_MESSAGE, layout.OEM_CODE_PAGE, struct.pack("<II", page, 0))
    name = message.props.get(tags.PidTagMessageClass)
    text = name if isinstance(name, str) else "IPM.Note"
    _attribute(writer, layout.LEVEL_MESSAGE, layout.MESSAGE_CLASS, text.encode("ascii", "replace") + b"\0")
    if message.recipients:
        rows = b"".join(write_list(row, {}) for row in message.recipients)
        data = len(message.recipients).to_bytes(4, "little") + rows
        _attribute(writer, layout.LEVEL_MESSAGE, layout.RECIPIENT_TABLE, data)
    props = write_list(message.props, message.named)
    _attribute(writer, layout.LEVEL_MESSAGE, layout.MESSAGE_PROPS, props)
    for attachment in message.attachments:
        _attachment(writer, attachment, key, page, depth)
    return writer.getvalue()


def _attachment(writer: Writer, attachment: AttachmentObject, key: int, page: int, depth: int) -> None:
    props = {tag: value for tag, value in attachment.props.items() if tag not in _DATA}
    position = props.get(tags.PidTagRenderingPosition)
    kind = _OLE if props.get(tags.PidTagAttachMethod) == OLE else _FILE
    place = position if isinstance(position, int) else -1
    level = layout.LEVEL_ATTACHMENT
    _attribute(writer, level, layout.RENDERING, _RENDERING.pack(kind, place, _SIZE, _SIZE, 0))
    if attachment.content is not None:
        _attribute(writer, level, layout.ATTACHMENT_DATA, b"".join(chunks(attachment.content)))
    if attachment.embedded is not None:
        if depth <= 0:
            raise EncodeError(f"messages nest more than {layout.MAX_NESTING} deep")
        inner = _message(attachment.embedded, key, page, depth - 1)
        props[tags.PidTagAttachDataObject] = layout.IID_MESSAGE + inner
    _attribute(writer, level, layout.ATTACHMENT_PROPS, write_list(props, attachment.named))


_DATA = frozenset({tags.PidTagAttachDataBinary, tags.PidTagAttachDataObject})


def _attribute(writer: Writer, level: int, attribute: int, data: bytes) -> None:
    writer.u8(level)
    writer.u32(attribute)
    writer.u32(len(data))
    writer.put(data)
    writer.u16(sum(data) & 0xFFFF)
