"""The top-level property bag of a delivered MIME message: what is stored beside it (MS-OXCMAIL 2.2.3).

Runs for every delivered message, so it reads the header once, walks the part table, and decodes no body but
an HTML one with pictures. Bodies, previews, recipients, attachments and transport headers are not in it: they
are computed from the stored MIME when asked for (appliance.convert.registry). Nor is what follows from other
properties: the bag is a compact one of appliance.mapi.implied. Deterministic: the same bytes give
the same bag; times of delivery and all that depends on the mailbox are the caller's.
"""

from dataclasses import dataclass, field
from urllib.parse import unquote

from appliance.convert.mime import classes, codepages, envelope, tnef
from appliance.convert.mime.addresses import decode_text
from appliance.convert.mime.body import Layout, Placed, layout
from appliance.convert.mime.content import Reader
from appliance.convert.mime.source import Source
from appliance.formats import html
from appliance.formats.mime.bodies import decode_body
from appliance.formats.mime.scan import Part, Scan
from appliance.mapi import implied, names, tags
from appliance.mapi.objects import AttachmentObject, MessageObject, Named
from appliance.mapi.types import Bag

PidTagPreview = 0x3FD9001F
"""Not in MS-OXPROPS, shown by clients: the body's first characters."""

NATIVE_PLAIN, NATIVE_RTF, NATIVE_HTML, NATIVE_SIGNED = 1, 2, 3, 4  # MS-OXCMSG 2.2.1.58.2
PREVIEW_LENGTH = 255
MAX_REFERRING = 256 << 10
"""Encoded bytes of an HTML body that are looked at for references to pictures."""

_HEADERS = frozenset(
    {
        tags.PidTagSubject,
        tags.PidTagSubjectPrefix,
        tags.PidTagNormalizedSubject,
        tags.PidTagConversationTopic,
        tags.PidTagClientSubmitTime,
        tags.PidTagInternetMessageId,
        tags.PidTagInternetReferences,
        tags.PidTagInReplyToId,
        tags.PidTagTransportMessageHeaders,
        tags.PidTagImportance,
        tags.PidTagPriority,
        tags.PidTagSensitivity,
    }
    | {tag for tag in implied.RULES if tag >> 16 < 0x0C00}
)
"""What the header of a mail alone says, also by leaving it out."""

_ICONS = (  # MS-OXOMSG 2.2.1
    ("REPORT.IPM.NOTE.NDR", 0x112),
    ("REPORT.IPM.NOTE.DELAYED", 0x112),
    ("REPORT.IPM.NOTE.IPNRN", 0x110),
    ("REPORT.IPM.NOTE.IPNNRN", 0x111),
    ("REPORT.", 0x111),
    ("IPM.SCHEDULE.MEETING.REQUEST", 0x404),
    ("IPM.SCHEDULE.MEETING.RESP.POS", 0x405),
    ("IPM.SCHEDULE.MEETING.RESP.NEG", 0x406),
    ("IPM.SCHEDULE.MEETING.RESP.TENT", 0x407),
    ("IPM.SCHEDULE.MEETING.CANCELED", 0x408),
    ("IPM.NOTE.SMIME.MULTIPARTSIGNED", 0x115),
    ("IPM.NOTE.SMIME", 0x114),
)
_INLINE_IMAGES = frozenset(
    {"image/jpeg", "image/jpg", "image/pjpeg", "image/gif", "image/bmp", "image/png", "image/x-png",
     "image/webp", "image/svg+xml"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Derived:
    """What delivery stores: a compact bag, named properties, and some of them again for the hot row.

    `conversation` is PidTagConversationId (16 bytes, or empty), `importance` 0 to 2, `message_id` has its
    brackets.
    """

    stored: Bag
    named: Named = field(default_factory=dict)
    message_class: str = classes.NOTE
    importance: int = 1
    has_attachments: bool = False
    conversation: bytes = b""
    message_id: str = ""

    @property
    def props(self) -> Bag:
        """Every property by tag. Made anew each time."""
        return implied.expand(self.stored)


def inline_parts(source: Source, placed: Layout) -> set[int]:
    """The indexes of the parts that belong to the HTML body (MS-OXCMAIL 2.2.3.4.1.4.1).

    Pictures beside a related body that it refers to. What cannot be looked at whole is believed to refer.
    """
    candidates = [attachment.part for attachment in placed.attachments if _may_be_inline(attachment)]
    if not candidates or placed.html is None:
        return set()
    data = source.read(placed.html.body_start, min(placed.html.size, MAX_REFERRING))
    if len(data) < placed.html.size:
        return {part.index for part in candidates}
    text = unquote(source.decoded_text(placed.html, decode_body(data, placed.html.encoding)))
    found = {unquote(name) for name in html.content_ids(text)}
    return {part.index for part in candidates if _is_referred(part, found, text)}


def _may_be_inline(placed: Placed) -> bool:
    part = placed.part
    known = part.content_id is not None or part.location is not None
    return placed.related and known and part.content.value in _INLINE_IMAGES


def _is_referred(part: Part, content_ids: set[str], text: str) -> bool:
    if part.content_id is not None and decode_text(part.content_id).strip("<> ") in content_ids:
        return True
    return bool(part.location) and decode_text(part.location or b"") in text


def icon_index(message_class: str) -> int:
    """PidTagIconIndex of a new message of a class; -1 leaves the choice to the client."""
    upper = message_class.upper()
    return next((icon for prefix, icon in _ICONS if upper.startswith(prefix)), -1)


def derive(scan: Scan, read: Reader, trusted: bool = False) -> Derived:
    """The stored properties of a MIME message; `trusted` when it comes from within the organisation.

    Never fails for what a message contains; errors of `read` pass through.
    """
    return derive_from(Source(scan, read), trusted)


def derive_from(source: Source, trusted: bool = False, placed: Layout | None = None) -> Derived:
    """As `derive`, of a message that may be embedded in another; `placed` if its parts are placed already."""
    placed = layout(source) if placed is None else placed
    reading = envelope.read(source.headers(), trusted)
    message_class = classes.message_class(source, placed)
    props = reading.props
    inside = tnef.read(source, placed) if placed.attachments else None
    if inside is not None:
        # what the header says stands; a rule of mapi.implied gives way to what the sender's program wrote
        props.update(
            {tag: value for tag, value in tnef.content(inside).items() if tag not in _HEADERS | props.keys()}
        )
        reading.named.update({**tnef.names_of(inside), **reading.named})
        if message_class == implied.NOTE:
            message_class = tnef.message_class(inside) or message_class
    if message_class != implied.NOTE:
        props[tags.PidTagMessageClass] = message_class
        if (icon := icon_index(message_class)) != -1:
            props[tags.PidTagIconIndex] = icon
    _attachments(source, props, placed, message_class, inside)
    _body(reading, placed, message_class)
    if inside is not None and tags.PidTagRtfCompressed in inside.props:
        props[tags.PidTagNativeBody] = NATIVE_RTF
    if (body := source.headers().get(b"content-class")) is not None:
        reading.name(names.PidNameContentClass, body.decode("latin-1")[:255])
    if reading.absent:
        props[implied.PidTagSatchelAbsent] = tuple(sorted(reading.absent))
    importance = props.get(tags.PidTagImportance, envelope.NORMAL)
    return Derived(
        props,
        reading.named,
        message_class,
        importance if isinstance(importance, int) else envelope.NORMAL,
        tags.PidTagHasAttachments in props,
        reading.conversation,
        str(props.get(tags.PidTagInternetMessageId, "")),
    )


def _attachments(
    source: Source, props: Bag, placed: Layout, message_class: str, inside: MessageObject | None
) -> None:
    # The one attachment of an S/MIME message is its content (MS-OXOSMIME 2.1): it counts, as in Exchange.
    secure = message_class.startswith(classes.SMIME)
    inline = inline_parts(source, placed) if placed.attachments and not secure else set()
    skipped = tnef.part_of(source, placed) if inside is not None else None
    visible = secure or any(
        attachment.part.index not in inline and attachment.part is not skipped
        for attachment in placed.attachments
    )
    visible = visible or (inside is not None and any(map(_is_visible, inside.attachments)))
    if visible:
        props[tags.PidTagHasAttachments] = True


def _is_visible(attachment: AttachmentObject) -> bool:
    return not attachment.props.get(tags.PidTagAttachmentHidden)


def _body(reading: envelope.Reading, placed: Layout, message_class: str) -> None:
    best, props = placed.best, reading.props
    page = (codepages.code_page(best.charset) if best is not None else None) or codepages.UTF8
    if page != codepages.UTF8:
        props[tags.PidTagInternetCodepage] = page
    if message_class == classes.SMIME_SIGNED:
        props[tags.PidTagNativeBody] = NATIVE_SIGNED
    elif best is not None:
        rich = best is not placed.plain or any(part.subtype == "html" for part in placed.more)
        if not rich:
            props[tags.PidTagNativeBody] = NATIVE_PLAIN
    else:
        reading.absent.append(tags.PidTagNativeBody)
