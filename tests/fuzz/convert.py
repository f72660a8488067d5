"""Fuzz targets of the converters: mail to message object and back, search text, HTML."""

from appliance.convert.mime.fields import Identity, Options
from appliance.convert.mime.object import to_object
from appliance.convert.mime.render import render
from appliance.convert.text import preview, search_text
from appliance.formats import enriched, html, lzfu, rtf, tnef
from appliance.formats.mime import scan
from appliance.mapi import tags
from appliance.mapi.objects import AttachmentObject, BytesContent, MessageObject, chunks
from appliance.wire.errors import DecodeError
from tests.formats.mime.corpus import AWKWARD, real_files
from tests.fuzz.runner import Target

SMALL = 16_000
IDENTITY = Identity("<made@x.test>", 133_000_000_000_000_000, b"seed", "x.test")


def convert(data: bytes) -> None:
    """Any bytes are a message; what it becomes can be read and written again, in lines that may be sent."""

    def read(offset: int, length: int) -> bytes:
        return data[offset : offset + length]

    structure = scan(data)
    message = to_object(structure, read)
    _read_all(message)
    written = b"".join(render(message, IDENTITY, Options(bcc=True)))
    to_object(scan(written), lambda offset, length: written[offset : offset + length])
    list(search_text(structure, read, 100_000))
    preview(structure, read)


def _read_all(message: MessageObject) -> None:
    for attachment in message.attachments:
        if attachment.content is not None:
            assert sum(map(len, chunks(attachment.content))) == attachment.content.size
        if attachment.embedded is not None:
            _read_all(attachment.embedded)


def read_html(data: bytes) -> None:
    """HTML and enriched text of any bytes."""
    text = data.decode("utf-8", "replace")
    html.to_text(text)
    html.to_text(text, limit=100, visible_only=True)
    list(html.content_ids(text))
    html.declared_charset(data)
    html.to_text(enriched.to_html(text))


def read_rtf(data: bytes) -> None:
    """RTF, and HTML on its way into it."""
    rtf.to_text(data)
    rtf.to_html(data)
    rtf.to_html(rtf.from_html(data.decode("utf-8", "replace")))


def unpack_rtf(data: bytes) -> None:
    """Compressed RTF."""
    lzfu.decompress(lzfu.compress(lzfu.decompress(data)))


def read_tnef(data: bytes) -> None:
    """TNEF: what was read can be written."""
    _read_all(tnef.decode(data))


def winmails() -> list[bytes]:
    """Seeds."""
    inner = MessageObject({tags.PidTagSubject: "inner"}, recipients=[{tags.PidTagDisplayName: "a"}])
    files = [
        AttachmentObject({tags.PidTagAttachMethod: 1}, content=BytesContent(b"abc")),
        AttachmentObject({tags.PidTagAttachMethod: 5}, embedded=inner),
    ]
    return [tnef.encode(inner), tnef.encode(MessageObject({tags.PidTagSubject: "x"}, attachments=files))]


def rtf_documents() -> list[bytes]:
    """Seeds."""
    made = [rtf.from_html(source) for source in ("<p>a &amp; <b>b</b></p><br>", "<style>x</style>\u00e4")]
    return [
        *made,
        rtf.from_text("a\nb"),
        b"{\\rtf1\\ansi{\\fonttbl{\\f1\\fcharset204 A;}}\\f1\\'e4\\u228?\\par}",
    ]


def messages() -> list[bytes]:
    """Seeds."""
    return [*AWKWARD.values(), *(d for d in (path.read_bytes() for path in real_files()) if len(d) < SMALL)]


CONVERT_TARGETS = (
    Target("convert-mime", convert, messages, ()),
    Target("convert-rtf", read_rtf, rtf_documents, ()),
    Target("lzfu", unpack_rtf, lambda: [lzfu.compress(d) for d in rtf_documents()], (DecodeError,)),
    Target("tnef", read_tnef, winmails, (DecodeError,)),
    Target("convert-html", read_html, lambda: [d for d in messages() if b"<" in d], ()),
)
