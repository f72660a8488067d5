"""Macintosh files in MIME: any form of them is read as MacBinary, and MacBinary is written as
multipart/appledouble (MS-OXCMAIL 2.1.3.4.3, 2.2.3.4.2).

Nothing is lost for what is broken: it stays the attachment that its bytes are, and a multipart/appledouble
without a header that can be read is its data part. A data fork is never held whole; resource forks and BinHex
texts are, up to MAX_HELD bytes.
"""

from dataclasses import dataclass, replace

from appliance.convert.mime.source import Source
from appliance.formats.macintosh import applefile, binary, binhex
from appliance.formats.macintosh.file import MAX_NAME, MacFile
from appliance.formats.mime.scan import Part
from appliance.mapi.objects import BytesContent, Content
from appliance.wire.errors import DecodeError

MACBINARY = bytes.fromhex("2A864886F714030B01")
"""PidTagAttachEncoding of MacBinary (MS-OXCMSG 2.2.2.20)."""

DOUBLE, FILE, BINHEX = "multipart/appledouble", "application/applefile", "application/mac-binhex40"
TYPES = frozenset({DOUBLE, FILE, BINHEX})

MAX_HELD = 16 << 20
"""Bytes of a part that is read whole."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a part says of a file. `name`: of the fields, else of the file. `info`: AppleDouble, for
    PidNameAttachmentMacInfo; None where there was none. `data_type`: the media type of the data part."""

    content: Content
    name: str | None
    info: bytes | None = None
    data_type: str | None = None


def read(source: Source, part: Part) -> Told | None:
    """The Macintosh file that a part of one of TYPES holds. None when it holds none."""
    try:
        if part.content.value == DOUBLE:
            return _double(source, part)
        if part.children or part.size > MAX_HELD:
            return None
        file = _binhex(source, part) if part.content.value == BINHEX else _file(source, part)
        return Told(binary.build(file), part.filename or file.text_name, _whole(applefile.double(file)))
    except (DecodeError, ValueError):
        return None


def _double(source: Source, part: Part) -> Told | None:
    """The fields of the envelope overrule those of the data part, and they those of the header part."""
    children = list(source.children(part))
    header = next((child for child in children if child.content.value == FILE), None)
    data = next((child for child in children if child is not header and not child.children), None)
    if header is None or data is None or header.size > MAX_HELD:
        return None
    info = source.data(header, MAX_HELD)
    file = applefile.parse(BytesContent(info))
    written = part.filename or data.filename or header.filename
    name = file.name or (written or "").encode("mac-roman", "replace")[:MAX_NAME]
    file = replace(file, name=name, data=source.content(data))
    return Told(binary.build(file), written or file.text_name, info, data.content.value)


def _file(source: Source, part: Part) -> MacFile:
    """AppleSingle; some write MacBinary under this type (2.2.3.4.2.2)."""
    content = source.content(part)
    try:
        return applefile.parse(content)
    except DecodeError:
        return binary.parse(content)


def _binhex(source: Source, part: Part) -> MacFile:
    """BinHex is an encoding of its own: what the fields say of another counts only if it is one
    (2.2.3.4.2.3)."""
    try:
        return binhex.decode(source.read(part.body_start, part.size))
    except DecodeError:
        return binhex.decode(source.data(part, MAX_HELD))


def _whole(content: Content) -> bytes | None:
    return content.read(0, content.size) if content.size <= MAX_HELD else None


def parse(content: Content, encoding: object) -> MacFile | None:
    """The file in an attachment whose PidTagAttachEncoding is `encoding`; None for an ordinary one."""
    if encoding != MACBINARY:
        return None
    try:
        return binary.parse(content)
    except DecodeError:
        return None
