"""A message object as MIME (MS-OXCMAIL 2.1), in pieces.

Pure: the same object, identity and options give the same bytes. Attachments are read and encoded while the
bytes are taken; only bodies are held. The structure is the smallest that carries the message: text alone,
alternatives, related pictures, mixed with files; signed and encrypted messages pass through as they are.
TNEF is not written.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from itertools import chain

from appliance.convert.mime import apple, classes, codepages, reportout
from appliance.convert.mime.attachments import EMBEDDED, RENDERED_IN_BODY
from appliance.convert.mime.fields import (
    Identity,
    Options,
    Transfer,
    message_fields,
    named_value,
    number_of,
    text_of,
)
from appliance.formats import html, lzfu, rtf
from appliance.formats.macintosh import applefile
from appliance.formats.macintosh.file import MacFile
from appliance.formats.mime.dates import format_date
from appliance.formats.mime.headers import fields_of, unfold
from appliance.formats.mime.render import (
    HARD_LINE,
    Entity,
    Header,
    base64_pieces,
    multipart,
    parameter_field,
    quoted_printable_pieces,
    transfer_encoding,
)
from appliance.formats.mime.render import render as render_entity
from appliance.mapi import names, tags
from appliance.mapi.objects import AttachmentObject, BytesContent, Content, MessageObject, chunks
from appliance.mapi.types import ReadableBag
from appliance.wire.errors import DecodeError

MAX_DEPTH = 30
"""Embedded messages within each other that are written; deeper ones are left out."""
MAX_PLAIN_PART = 1 << 20
"""Bytes of a message/* attachment that are looked at to send it unencoded."""
MAX_HEAD = 65536

_EMPTY_LINE = re.compile(rb"\n\r?\n")
_UNENCODED = frozenset({1200, 1201, 12000, 12001, 65000})
_NOT_WRITTEN = frozenset(
    {"application/applefile", "application/mac-binhex40", "message/rfc822", "message/global"}
)


def render(message: MessageObject, identity: Identity, options: Options | None = None) -> Iterator[bytes]:
    """The MIME of a message, header first; errors of contents that are read pass through."""
    options = options or Options()
    return render_entity(message_entity(message, identity, options, b"", 0))


def message_entity(
    message: MessageObject, identity: Identity, options: Options, path: bytes, depth: int
) -> Entity:
    """A message as an entity; `path` tells it from others of the same rendering."""
    content = _content(message, identity, options, path, depth)
    return Entity(
        [*message_fields(message, identity, options), *content.fields],
        content.body,
        content.children,
        content.boundary,
    )


def _boundary(identity: Identity, path: bytes) -> bytes:
    # "=_" stands in no base64 and in no quoted-printable line.
    return b"=_" + hashlib.sha256(identity.seed + b"\0" + path).hexdigest()[:40].encode("ascii")


def _content(message: MessageObject, identity: Identity, options: Options, path: bytes, depth: int) -> Entity:
    message_class = text_of(message.props, tags.PidTagMessageClass)
    upper = message_class.upper()
    if len(message.attachments) == 1 and message.attachments[0].content is not None:
        only, content = message.attachments[0], message.attachments[0].content
        if upper.endswith(".SMIME.MULTIPARTSIGNED") and (signed := _signed(content)) is not None:
            return signed
        if upper.endswith(".SMIME") or upper == classes.SMIME.upper():
            return _opaque(message, only, content)
    files = message.attachments
    if upper.startswith("REPORT."):
        return _report(message, identity, options, path, depth)
    inline = _inline(message)
    body = _body(message, identity, options, path)
    if inline and body is not None:
        children = [body, *(_attachment(files[n], identity, options, _at(path, n), depth) for n in inline)]
        body = multipart("related", _boundary(identity, path + b"r"), children)
    rest = [n for n in range(len(files)) if n not in inline]
    if not rest:
        return body or _text("plain", b"", "us-ascii", options)
    parts = [_attachment(files[n], identity, options, _at(path, n), depth) for n in rest]
    return multipart("mixed", _boundary(identity, path + b"m"), [body, *parts] if body else parts)


def _at(path: bytes, number: int) -> bytes:
    return path + b".%d" % number


# Bodies


def _html_text(message: MessageObject) -> tuple[bytes, str] | None:
    """The HTML body and its charset, None if there is none."""
    page = number_of(message.props, tags.PidTagInternetCodepage)
    value = message.props.get(tags.PidTagHtml)
    if isinstance(value, bytes):
        name = None if page is None else codepages.name_of(page)
        if name is None or page in _UNENCODED:
            return codepages.decode(value, page).encode("utf-8", "replace"), "utf-8"
        return value, name
    text = message.props.get(tags.PidTagBodyHtml)
    if not isinstance(text, str):
        text = _html_of_rtf(message)
    return (text.encode("utf-8", "replace"), "utf-8") if isinstance(text, str) else None


def _html_of_rtf(message: MessageObject) -> str | None:
    """HTML that shows the RTF body of a message that has no HTML (MS-OXCMAIL 2.1.3.3.4); None if it has none
    that can be read, or one that is mere text beside a plain body."""
    packed = message.props.get(tags.PidTagRtfCompressed)
    if not isinstance(packed, bytes):
        return None
    try:
        rich = lzfu.decompress(packed)
    except DecodeError:
        return None
    is_text = rtf.origin(rich) is rtf.Origin.TEXT and message.props.get(tags.PidTagBody) is not None
    return None if is_text or not rich else rtf.to_html(rich)


def _body(message: MessageObject, identity: Identity, options: Options, path: bytes) -> Entity | None:
    """The body, None for a message that has none (MS-OXCMAIL 2.1.3.3.3 and 2.1.3.3.4)."""
    page = number_of(message.props, tags.PidTagInternetCodepage)
    rich = _html_text(message)
    value = message.props.get(tags.PidTagBody)
    plain = value if isinstance(value, str) else None
    if rich is None and plain is None:
        return None
    if rich is None:
        data, charset = codepages.encode(_lines(plain or ""), page)
        return _text("plain", data, charset, options)
    if plain is None:
        plain = html.to_text(codepages.decode(rich[0], codepages.code_page(rich[1])))
    data, charset = codepages.encode(_lines(plain), page)
    children = [_text("plain", data, charset, options), _text("html", *rich, options)]
    return multipart("alternative", _boundary(identity, path + b"a"), children)


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n")


def _text(subtype: str, data: bytes, charset: str, options: Options) -> Entity:
    encoding = transfer_encoding(data)
    if encoding != "7bit" and options.transfer is not Transfer.SEVEN_BIT and _fits_8bit(data):
        encoding = "8bit"
    pieces: Iterator[bytes] | list[bytes] = [data]
    if encoding == "base64":
        pieces = base64_pieces([data])
    elif encoding == "quoted-printable":
        pieces = quoted_printable_pieces([data])
    fields = [
        parameter_field("Content-Type", f"text/{subtype}", [("charset", charset)]),
        (b"Content-Transfer-Encoding", encoding.encode("ascii")),
    ]
    return Entity(fields, pieces)


def _fits_8bit(data: bytes) -> bool:
    """RFC 2045 2.8: lines of at most 998 bytes, no NUL, CR and LF as line ends only."""
    if b"\0" in data or data.count(b"\r\n") != data.count(b"\n") or data.count(b"\r") != data.count(b"\n"):
        return False
    return all(len(line) <= HARD_LINE for line in data.split(b"\r\n"))


# Attachments


def _inline(message: MessageObject) -> list[int]:
    """The attachments that the HTML body shows (MS-OXCMAIL 2.1.3.4.1.2)."""
    rich = _html_text(message)
    if rich is None:
        return []
    found: list[int] = []
    text = ""
    for number, attachment in enumerate(message.attachments):
        props = attachment.props
        content_id = text_of(props, tags.PidTagAttachContentId)
        location = text_of(props, tags.PidTagAttachContentLocation)
        if attachment.embedded is not None or not (content_id or location):
            continue
        text = text or codepages.decode(rich[0], codepages.code_page(rich[1]))
        marked = (number_of(props, tags.PidTagAttachFlags) or 0) & RENDERED_IN_BODY
        referred = content_id in html.content_ids(text) if content_id else location in text
        # Clients forget the flag for pictures with an id, and the reference for those that they hide.
        picture = bool(content_id) and text_of(props, tags.PidTagAttachMimeTag).startswith("image/")
        hidden = props.get(tags.PidTagAttachmentHidden) is True
        if (referred and (marked or picture)) or (marked and hidden):
            found.append(number)
    return found


def _attachment(
    attachment: AttachmentObject, identity: Identity, options: Options, path: bytes, depth: int
) -> Entity:
    props = attachment.props
    name = text_of(props, tags.PidTagAttachLongFilename) or text_of(props, tags.PidTagAttachFilename)
    inline = props.get(tags.PidTagAttachmentHidden) is True
    if attachment.embedded is not None or number_of(props, tags.PidTagAttachMethod) == EMBEDDED:
        return _embedded(attachment, name, identity, options, path, depth)
    content = attachment.content
    if content is not None and (file := apple.parse(content, props.get(tags.PidTagAttachEncoding))):
        return _apple_double(attachment, file, name, identity, options, path)
    kind = _media_type(props.get(tags.PidTagAttachMimeTag))
    encoding = "base64"
    if kind.startswith("message/"):
        # Composite types may not be encoded (RFC 2046 5.2.1): what is no plain ASCII becomes a file.
        data = content.read(0, MAX_PLAIN_PART + 1) if content is not None else b""
        plain = data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        if len(data) <= MAX_PLAIN_PART and transfer_encoding(plain) == "7bit":
            encoding, content = "7bit", BytesContent(plain)
        else:
            kind = "application/octet-stream"
    if options.transfer is Transfer.BINARY and encoding == "base64":
        encoding = "binary"
    fields = [
        parameter_field("Content-Type", kind, _type_parameters(attachment, kind, name)),
        (b"Content-Transfer-Encoding", encoding.encode("ascii")),
        *_placement(attachment),
        parameter_field(
            "Content-Disposition", "inline" if inline else "attachment", _file_parameters(props, name)
        ),
    ]
    pieces = chunks(content) if content is not None else iter(())
    return Entity(fields, base64_pieces(pieces) if encoding == "base64" else pieces)


def _apple_double(
    attachment: AttachmentObject, file: MacFile, name: str, identity: Identity, options: Options, path: bytes
) -> Entity:
    """A Macintosh file (MS-OXCMAIL 2.1.3.4.3): what only a Macintosh knows of it, then its data."""
    name = name or file.text_name
    kept = names.PidNameAttachmentMacContentType
    told = _media_type(
        attachment.named.get((kept.name, kept.type)) or attachment.props.get(tags.PidTagAttachMimeTag)
    )
    kind = "application/octet-stream" if told.startswith("message/") else told
    binary = options.transfer is Transfer.BINARY
    children = [
        Entity(
            [
                parameter_field("Content-Type", media_type, parameters),
                (b"Content-Transfer-Encoding", b"binary" if binary else b"base64"),
                parameter_field(
                    "Content-Disposition", "attachment", _file_parameters(attachment.props, shown)
                ),
            ],
            chunks(content) if binary else base64_pieces(chunks(content)),
        )
        for media_type, parameters, shown, content in (
            (apple.FILE, [("name", f"%{name}")], f"%{name}", applefile.double(file)),
            (kind, _type_parameters(attachment, kind, name), name, file.data),
        )
    ]
    return multipart("appledouble", _boundary(identity, path + b"d"), children, list(_placement(attachment)))


def _media_type(value: object) -> str:
    """MS-OXCMAIL 2.1.3.4.2.2: a legal leaf type, else application/octet-stream."""
    if isinstance(value, str):
        kind, _, subtype = value.strip().lower().partition("/")
        legal = (
            kind.replace("-", "").isalnum()
            and subtype
            and all(c.isalnum() or c in "!#$&-^_.+" for c in subtype)
        )
        if legal and value.isascii() and kind != "multipart" and value.lower() not in _NOT_WRITTEN:
            return f"{kind}/{subtype}"
    return "application/octet-stream"


def _type_parameters(attachment: AttachmentObject, kind: str, name: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    charset = text_of(attachment.props, tags.PidTagTextAttachmentCharset)
    if kind.startswith("text/") and charset.isascii() and charset:
        found.append(("charset", charset))
    if name:
        found.append(("name", name))
    return found


def _file_parameters(props: ReadableBag, name: str) -> list[tuple[str, str]]:
    found = [("filename", name)] if name else []
    for key, tag in (
        ("creation-date", tags.PidTagCreationTime),
        ("modification-date", tags.PidTagLastModificationTime),
    ):
        if (moment := number_of(props, tag)) is not None:
            found.append((key, format_date(moment).decode("ascii")))
    return found


def _placement(attachment: AttachmentObject) -> Iterator[Header]:
    props = attachment.props
    if content_id := text_of(props, tags.PidTagAttachContentId):
        yield b"Content-ID", b"<" + content_id.strip("<>").encode("utf-8", "replace") + b">"
    if location := text_of(props, tags.PidTagAttachContentLocation):
        yield b"Content-Location", location.encode("ascii", "ignore")
    if base := text_of(props, tags.PidTagAttachContentBase):
        yield b"Content-Base", base.encode("ascii", "ignore")
    shown = text_of(props, tags.PidTagDisplayName)
    if shown and shown.isascii() and shown != text_of(props, tags.PidTagAttachLongFilename):
        yield b"Content-Description", shown.encode("ascii")
    for name, tag in (
        (b"X-Payload-Class", tags.PidTagAttachPayloadClass),
        (b"X-Payload-Provider-Guid", tags.PidTagAttachPayloadProviderGuidString),
    ):
        if (text := text_of(props, tag)) and text.isascii():
            yield name, text.encode("ascii")


def _embedded(
    attachment: AttachmentObject, name: str, identity: Identity, options: Options, path: bytes, depth: int
) -> Entity:
    inner = attachment.embedded
    body: Iterator[bytes] = iter(())
    if inner is not None and depth < MAX_DEPTH:
        date = number_of(inner.props, tags.PidTagClientSubmitTime) or identity.date
        own = Identity("", date, identity.seed, identity.domain)
        body = render_entity(message_entity(inner, own, options, path, depth + 1))
    fields = [
        parameter_field("Content-Type", "message/rfc822", [("name", name)] if name else []),
        parameter_field("Content-Disposition", "attachment", _file_parameters(attachment.props, name)),
    ]
    if options.transfer is not Transfer.SEVEN_BIT:
        fields.insert(1, (b"Content-Transfer-Encoding", options.transfer.value.encode("ascii")))
    return Entity(fields, body)


# Signed, encrypted, reports


def _signed(content: Content) -> Entity | None:
    """A clear-signed message: its one attachment is the entity with its content fields (MS-OXOSMIME 2.1)."""
    head = content.read(0, MAX_HEAD)
    end = _EMPTY_LINE.search(head)
    if end is None:
        return None
    fields = [
        (field.name, field.body)
        for field in fields_of(head[: end.end()])
        if field.name.lower().startswith(b"content-")
    ]
    if not any(name.lower() == b"content-type" for name, _ in fields):
        return None
    return Entity(_clean_fields(fields), _rest(content, end.end()))


def _clean_fields(fields: Sequence[Header]) -> list[Header]:
    return [(name, body.translate(None, b"\0")) for name, body in fields]


def _rest(content: Content, offset: int) -> Iterator[bytes]:
    while piece := content.read(offset, 65536):
        yield piece
        offset += len(piece)


def _opaque(message: MessageObject, attachment: AttachmentObject, content: Content) -> Entity:
    """An encrypted or opaque-signed message: the CMS structure is the content (MS-OXOSMIME 2.1)."""
    kept = named_value(message, names.PidNameContentType)
    kind = _media_type(attachment.props.get(tags.PidTagAttachMimeTag))
    if (
        isinstance(kept, str)
        and kept.isascii()
        and kept.lower().lstrip().startswith(tuple(classes.PKCS7_TYPES))
    ):
        field = (b"Content-Type", unfold(kept.encode("ascii")).translate(None, b"\0"))
    else:
        kind = kind if kind in classes.PKCS7_TYPES else "application/pkcs7-mime"
        field = parameter_field(
            "Content-Type", kind, [("smime-type", "enveloped-data"), ("name", "smime.p7m")]
        )
    fields = [
        field,
        (b"Content-Transfer-Encoding", b"base64"),
        parameter_field("Content-Disposition", "attachment", [("filename", "smime.p7m")]),
    ]
    return Entity(fields, base64_pieces(chunks(content)))


def _report(message: MessageObject, identity: Identity, options: Options, path: bytes, depth: int) -> Entity:
    """MS-OXCMAIL 2.1.3.6: text for people, fields for programs, and the message that it is about."""
    status = reportout.status_entity(message, identity)
    body = _body(message, identity, options, path) or _text("plain", b"", "us-ascii", options)
    children = [body, status.entity]
    for number, attachment in enumerate(message.attachments):
        children.append(_attachment(attachment, identity, options, _at(path, number), depth))
    boundary = _boundary(identity, path + b"p")
    joined = multipart("report", boundary, children)
    kind = parameter_field(
        "Content-Type",
        "multipart/report",
        [("report-type", status.report_type), ("boundary", boundary.decode("ascii"))],
    )
    return Entity([kind], (), joined.children, boundary)


def render_bytes(message: MessageObject, identity: Identity, options: Options | None = None) -> bytes:
    """As `render`, whole: for messages that are known to be small."""
    return b"".join(chain(render(message, identity, options)))
