"""Attachments of a MIME message as attachment objects (MS-OXCMAIL 2.2.3.4, MS-OXOSMIME 2.1).

Contents stay slices of the stored MIME. A message within a message becomes an embedded object down to
MAX_EMBEDDED levels, below that a file. File names are made safe for every file system; what has no name gets
one.
"""

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from appliance.convert.mime import apple
from appliance.convert.mime.addresses import decode_text
from appliance.convert.mime.content import Joined, Slice
from appliance.convert.mime.source import Headers, Source
from appliance.formats.mime.dates import parse_date
from appliance.formats.mime.limits import Finding
from appliance.formats.mime.scan import Part, scan
from appliance.mapi import names, tags
from appliance.mapi.objects import AttachmentObject, BytesContent, Content, MessageObject
from appliance.mapi.types import Bag

BY_VALUE, EMBEDDED, OLE = 1, 5, 6  # MS-OXCMSG 2.2.2.9
RENDERED_IN_BODY = 4  # MS-OXCMSG 2.2.2.18
MAX_EMBEDDED = 20
MAX_NAME = 255
MAX_ENCODED_MESSAGE = 16 << 20
"""Bytes of a message/rfc822 in base64 that are decoded to look into it."""
MAX_EXTERNAL = 65536

SMIME_NAME = "smime.p7m"

_UNSAFE = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*\u200e\u200f\u202a-\u202e\u2066-\u2069]')
_NOT_SHORT = re.compile(r"[^A-Za-z0-9!#$%&'()@^_`{}~-]")
_EXTENSIONS: Mapping[str, str] = {
    "text/plain": ".txt", "text/html": ".htm", "text/calendar": ".ics", "text/csv": ".csv",
    "text/xml": ".xml", "text/vcard": ".vcf", "text/x-vcard": ".vcf", "text/rtf": ".rtf",
    "text/css": ".css", "image/jpeg": ".jpg", "image/png": ".png", "image/gif": ".gif", "image/bmp": ".bmp",
    "image/tiff": ".tif", "image/svg+xml": ".svg", "image/webp": ".webp", "image/heic": ".heic",
    "audio/mpeg": ".mp3", "audio/wav": ".wav", "audio/x-wav": ".wav", "audio/ogg": ".ogg",
    "video/mp4": ".mp4", "video/mpeg": ".mpg", "video/quicktime": ".mov", "application/pdf": ".pdf",
    "application/zip": ".zip", "application/json": ".json", "application/msword": ".doc",
    "application/rtf": ".rtf", "application/vnd.ms-excel": ".xls", "application/vnd.ms-powerpoint": ".ppt",
    "application/pgp-signature": ".asc", "application/pgp-keys": ".asc",
    "application/pkcs7-signature": ".p7s", "application/pkcs7-mime": ".p7m", "application/ms-tnef": ".dat",
    "application/octet-stream": ".dat",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": ".pptx",
    "message/rfc822": ".eml", "message/delivery-status": ".txt", "message/disposition-notification": ".txt",
    "message/partial": ".eml",
}  # fmt: skip


class FileName(NamedTuple):
    """A name in its three forms (MS-OXCMSG 2.2.2.10 to 2.2.2.12)."""

    long: str
    short: str
    extension: str


_CONTENT_FIELDS = frozenset(
    {b"content-type", b"content-transfer-encoding", b"content-disposition", b"content-description",
     b"content-id", b"content-location", b"content-language"}
)  # fmt: skip

Embed = Callable[[Source], MessageObject]
"""Makes the message object of an embedded message."""


def file_name(name: str | None, content_type: str, number: int) -> FileName:
    """A safe file name from what the sender wrote; `number` names what has none (MS-OXCMAIL 2.2.3.4.1.1)."""
    name = _UNSAFE.sub("_", re.split(r"[/\\]", name.strip())[-1]).strip(" .") if name else ""
    if not name:
        name = f"ATT{number:05d}{_EXTENSIONS.get(content_type, '.dat')}"
    stem, dot, extension = name.rpartition(".")
    if not dot or len(extension) > 16:
        stem, extension = name, ""
    stem = stem[: MAX_NAME - len(extension) - 1]
    dotted = f".{extension}" if extension else ""
    return FileName(stem + dotted, _short_name(stem, extension), dotted)


def _short_name(stem: str, extension: str) -> str:
    plain = _NOT_SHORT.sub("_", stem.replace(" ", "").replace(".", "")) or "_"
    short_extension = _NOT_SHORT.sub("_", extension)[:3]
    if len(plain) > 8 or plain != stem or short_extension != extension:
        plain = plain[:6] + "~1"
    return f"{plain}.{short_extension}" if short_extension else plain


def attachment_of(
    source: Source, part: Part, number: int, inline: bool, embed: Embed | None
) -> AttachmentObject:
    """The attachment object of one part; `embed` is None where messages are not opened any more."""
    if part.content.value in apple.TYPES and (macintosh := _apple(source, part, number)) is not None:
        return macintosh
    if embed is not None and part.type == "message" and part.subtype in ("rfc822", "global"):
        inner = _inner_source(source, part)
        if inner is not None:
            return _embedded(source, part, embed(inner))
    if part.content.value == "message/external-body":
        shortcut = _external(source, part, number)
        if shortcut is not None:
            return shortcut
    result = AttachmentObject(content=source.content(part))
    _describe(result, source, part, part.filename, number)
    if inline:
        result.props[tags.PidTagAttachFlags] = RENDERED_IN_BODY
        result.props[tags.PidTagAttachmentHidden] = True
    return result


def _inner_source(source: Source, part: Part) -> Source | None:
    embedded = source.scan.embedded(part)
    if embedded is not None:
        return Source(source.scan, source.read, embedded)
    if not part.findings & Finding.ENCODED_MESSAGE or part.size > MAX_ENCODED_MESSAGE:
        return None
    data = source.data(part, MAX_ENCODED_MESSAGE)
    return Source(scan(data), lambda offset, length: data[offset : offset + length])


def _base(part: Part, size: int) -> Bag:
    return {
        tags.PidTagAttachMethod: BY_VALUE,
        tags.PidTagRenderingPosition: -1,
        tags.PidTagAttachFlags: 0,
        tags.PidTagAttachmentHidden: False,
        tags.PidTagAttachEncoding: b"",
        tags.PidTagAttachMimeTag: part.content.value,
        tags.PidTagAttachSize: size,
    }


def _about(part: Part) -> int:
    """The decoded size without decoding: exact for identity encodings, close for base64."""
    return (part.size - 2 * part.lines) * 3 // 4 if part.encoding == "base64" else part.size


def _describe(result: AttachmentObject, source: Source, part: Part, written: str | None, number: int) -> None:
    headers = source.headers(part)
    props = result.props
    props.update(_base(part, _about(part)))
    description = decode_text(part.description) if part.description else ""
    name = file_name(written or description, part.content.value, number)
    props[tags.PidTagAttachLongFilename] = name.long
    props[tags.PidTagAttachFilename] = name.short
    props[tags.PidTagAttachExtension] = name.extension
    props[tags.PidTagDisplayName] = description[:MAX_NAME] or name.long
    _place(props, part, headers)
    if part.type == "text" and part.charset:
        props[tags.PidTagTextAttachmentCharset] = part.charset[:100]
    for field, tag in (
        (b"x-payload-class", tags.PidTagAttachPayloadClass),
        (b"x-payload-provider-guid", tags.PidTagAttachPayloadProviderGuidString),
    ):
        if body := headers.get(field):  # MS-OXCMAIL 2.2.3.4.1
            props[tag] = decode_text(body)[:MAX_NAME]


def _place(props: Bag, part: Part, headers: Headers) -> None:
    # MS-OXCMAIL 2.2.3.4.1.4
    if part.content_id is not None:
        props[tags.PidTagAttachContentId] = decode_text(part.content_id).strip("<>")[:1000]
    if part.location is not None:
        props[tags.PidTagAttachContentLocation] = decode_text(part.location)[:2000]
    if base := headers.get(b"content-base"):
        props[tags.PidTagAttachContentBase] = decode_text(base)[:2000]
    disposition = part.disposition
    if disposition is not None:
        for name, tag in (
            ("creation-date", tags.PidTagCreationTime),
            ("modification-date", tags.PidTagLastModificationTime),
        ):
            value = disposition.get(name)
            if value and (moment := parse_date(value.encode("utf-8"))) is not None:
                props[tag] = moment[0]


def _embedded(source: Source, part: Part, inner: MessageObject) -> AttachmentObject:
    # MS-OXCMAIL 2.2.3.4.2: the subject names it.
    result = AttachmentObject(embedded=inner)
    result.props.update(_base(part, part.size))
    result.props[tags.PidTagAttachMethod] = EMBEDDED
    subject = inner.props.get(tags.PidTagSubject)
    written = part.filename or (decode_text(part.description) if part.description else "")
    result.props[tags.PidTagDisplayName] = (str(subject or "") or written or "message")[:MAX_NAME]
    if part.filename:
        name = file_name(part.filename, "message/rfc822", 0)
        result.props[tags.PidTagAttachLongFilename] = name.long
        result.props[tags.PidTagAttachFilename] = name.short
        result.props[tags.PidTagAttachExtension] = name.extension
    _place(result.props, part, source.headers(part))
    return result


def _external(source: Source, part: Part, number: int) -> AttachmentObject | None:
    """A file that lies elsewhere (RFC 2046 5.2.3, RFC 2017) as an Internet shortcut."""
    content = part.content
    access = (content.get("access-type") or "").lower()
    if access in ("anon-ftp", "ftp"):
        site, name = content.get("site"), content.get("name")
        if not site or not name:
            return None
        folder = (content.get("directory") or "").strip("/")
        mode = (content.get("mode") or "").lower()
        kind = ";type=a" if mode == "ascii" else ";type=i" if mode in ("image", "binary") else ""
        url = f"ftp://{site}/{folder + '/' if folder else ''}{name}{kind}"
    elif access == "url" and (text := content.get("url")):
        url, name = "".join(text.split()), content.get("name")
    else:
        return None
    url = re.sub(r"[\x00-\x20]", "", url)[:MAX_EXTERNAL]
    data = f"[InternetShortcut]\r\nURL={url}\r\n".encode("utf-8", "replace")
    result = AttachmentObject(content=BytesContent(data))
    stem = (name or url.rstrip("/").rpartition("/")[2]).removesuffix(".url")
    _describe(result, source, part, f"{stem}.url", number)
    result.props[tags.PidTagAttachSize] = len(data)
    return result


def _apple(source: Source, part: Part, number: int) -> AttachmentObject | None:
    """A Macintosh file as MacBinary (2.2.3.4.2); None for what is none, or longer than can be looked into."""
    told = apple.read(source, part)
    if told is None:
        return _broken_double(source, part, number) if part.content.value == apple.DOUBLE else None
    result = AttachmentObject(content=told.content)
    for child in source.children(part):
        _place(result.props, child, source.headers(child))
    _describe(result, source, part, told.name, number)
    result.props[tags.PidTagAttachEncoding] = apple.MACBINARY
    result.props[tags.PidTagAttachSize] = told.content.size
    for tag, value in (
        (names.PidNameAttachmentMacInfo, told.info),
        (names.PidNameAttachmentMacContentType, told.data_type),
    ):
        if value is not None:
            result.named[(tag.name, tag.type)] = value
    return result


def _broken_double(source: Source, part: Part, number: int) -> AttachmentObject:
    """One whose header cannot be read: its data part, and the header as it is."""
    children = list(source.children(part))
    header = next((child for child in children if child.content.value == "application/applefile"), None)
    data = next((child for child in children if child is not header), None)
    if data is None:
        result = AttachmentObject(content=source.content(part))
        _describe(result, source, part, part.filename, number)
        return result
    result = AttachmentObject(content=source.content(data))
    written = data.filename or (header.filename if header is not None else None)
    _describe(result, source, data, written, number)
    if header is not None:
        tag = names.PidNameAttachmentMacInfo
        result.named[(tag.name, tag.type)] = source.data(header, apple.MAX_HELD)
        tag = names.PidNameAttachmentMacContentType
        result.named[(tag.name, tag.type)] = data.content.value
    return result


def smime_attachment(source: Source, signed: bool) -> AttachmentObject:
    """The one attachment of a signed or encrypted message (MS-OXOSMIME 2.1).

    Clear-signed: the whole entity with its content fields, byte for byte, since the signature covers it.
    Opaque: the CMS structure.
    """
    root = source.root
    content: Content
    if signed:
        fields = [field.raw for field in source.headers().fields if field.name.lower() in _CONTENT_FIELDS]
        head = b"".join(_ended(raw) for raw in fields) + b"\r\n"
        content = Joined(head, Slice(source.read, root.body_start, root.size))
        size = content.size
    else:
        content = source.content(root)
        size = _about(root)
    props = _base(root, size)
    props[tags.PidTagAttachMimeTag] = "multipart/signed" if signed else root.content.value
    name = file_name(SMIME_NAME, "", 0)
    props[tags.PidTagAttachLongFilename] = name.long
    props[tags.PidTagAttachFilename] = name.short
    props[tags.PidTagAttachExtension] = name.extension
    props[tags.PidTagDisplayName] = name.long
    return AttachmentObject(props=props, content=content)


def _ended(raw: bytes) -> bytes:
    return raw if raw.endswith(b"\n") else raw + b"\r\n"
