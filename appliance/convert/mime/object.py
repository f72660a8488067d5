"""A whole MIME message as a message object (MS-OXCMAIL 2.2).

`to_object` gives what `derive` gives and the rest: bodies, recipients, attachments, transport headers and
internet headers. Bodies are held (up to MAX_BODY, beyond it they are attachments); attachments are slices of
the stored MIME. Nothing raises for what a message contains; errors of the reader pass through.
"""

from collections.abc import Mapping
from functools import partial

from appliance.convert.mime import attachments, classes, codepages, derive, reports, tnef
from appliance.convert.mime.addresses import decode_text, parse
from appliance.convert.mime.body import Layout, Placed, layout
from appliance.convert.mime.content import Reader
from appliance.convert.mime.reports import recipient_row
from appliance.convert.mime.source import MAX_HEADER, Headers, Source, text_kind
from appliance.convert.text import preview_of
from appliance.formats import enriched, html
from appliance.formats.mime.bodies import flow_of, unflow
from appliance.formats.mime.headers import fields_of
from appliance.formats.mime.scan import Part, Scan
from appliance.mapi import names, tags
from appliance.mapi.names import PS_INTERNET_HEADERS, PropertyName
from appliance.mapi.objects import AttachmentObject, MessageObject, Named
from appliance.mapi.types import Bag, PtypString, ReadableBag

MAX_BODY = 16 << 20
"""Encoded bytes of a text that becomes a body property."""
MAX_RECIPIENTS = 20_000
MAX_INTERNET_HEADERS = 100
MAX_INTERNET_HEADER = 8_000

# Fields that are represented otherwise, so that they are not kept as named properties.
_REPRESENTED = frozenset(
    b"received return-path from sender reply-to to cc bcc subject date message-id references in-reply-to "
    b"importance priority x-priority x-msmail-priority sensitivity keywords mime-version thread-index "
    b"thread-topic disposition-notification-to return-receipt-to expires expiry-date reply-by "
    b"deferred-delivery x-message-flag x-auto-response-suppress accept-language x-accept-language "
    b"content-class list-help list-subscribe list-unsubscribe x-list-help x-list-subscribe "
    b"x-list-unsubscribe x-microsoft-classified x-microsoft-classkeep x-microsoft-classification "
    b"x-microsoft-classdesc x-microsoft-classid x-callingtelephonenumber x-voicemessagesendername "
    b"x-attachmentorder x-callid x-voicemessageduration x-faxnumberofpages bytes lines status x-uid "
    b"x-ms-has-attach x-ms-tnef-correlator".split()
)
_KINDS: Mapping[bytes, int] = {b"to": 1, b"cc": 2, b"bcc": 3}


def to_object(scan: Scan, read: Reader, trusted: bool = False) -> MessageObject:
    """The message object of a MIME message; `trusted` as for `derive`."""
    return object_of(Source(scan, read), trusted, attachments.MAX_EMBEDDED)


def object_of(source: Source, trusted: bool, depth: int) -> MessageObject:
    """As `to_object`, of a message that may be embedded; `depth` more levels are opened."""
    placed = layout(source)
    derived = derive.derive_from(source, trusted, placed)
    result = MessageObject(props=derived.props, named=derived.named)
    if words := preview_of(source, placed, derive.PREVIEW_LENGTH):
        result.props[derive.PidTagPreview] = words
    result.named.update(internet_headers(source.headers()))
    return _completed(result, source, placed, depth)


def completed(stored: ReadableBag, source: Source) -> MessageObject:
    """The message object of a delivered message whose derived properties are `stored`: with them bodies,
    transport headers, recipients and attachments, but no preview and no internet headers by name."""
    return _completed(MessageObject(dict(stored)), source, layout(source), attachments.MAX_EMBEDDED)


def _completed(result: MessageObject, source: Source, placed: Layout, depth: int) -> MessageObject:
    message_class = result.props.get(tags.PidTagMessageClass)
    result.props[tags.PidTagTransportMessageHeaders] = transport_headers(source)
    _recipients(result, source)
    too_large = set_bodies(result.props, source, placed)
    if message_class in (classes.SMIME, classes.SMIME_SIGNED, classes.SMIME_RECEIPT):
        _secure(result, source, message_class == classes.SMIME_SIGNED)
    else:
        _attachments(result, source, placed, too_large, depth)
    return result


def transport_headers(source: Source) -> str:
    """PidTagTransportMessageHeaders: the header block as it arrived (MS-OXOMSG 2.2.1.61)."""
    block = source.raw_header(source.root)
    return block.decode("ascii") if block.isascii() else block.decode("utf-8", "replace")


def internet_headers(headers: Headers) -> Named:
    """Fields that nothing else represents, as named properties, the first of a name."""
    found: Named = {}
    seen: set[str] = set()
    for field in headers.fields:
        name = field.name.decode("latin-1")
        lower = field.name.lower()
        if lower in _REPRESENTED or lower.startswith(b"content-") or name.lower() in seen:
            continue
        if not name.isascii() or len(name) > 100:
            continue
        seen.add(name.lower())
        found[(PropertyName(PS_INTERNET_HEADERS, name), PtypString)] = decode_text(field.body)[
            :MAX_INTERNET_HEADER
        ]
        if len(found) >= MAX_INTERNET_HEADERS:
            break
    return found


def _recipients(result: MessageObject, source: Source) -> None:
    message_class = str(result.props[tags.PidTagMessageClass])
    if (report := _report(source, message_class)) is not None:
        result.props.update(report[0])
    result.recipients.extend(recipients_of(source, message_class))


def _report(source: Source, message_class: str) -> tuple[Bag, list[Bag]] | None:
    part = reports.status_part(source) if message_class.startswith("REPORT.") else None
    if part is None:
        return None
    return reports.read_report(source, part)


def recipients_of(source: Source, message_class: str) -> list[Bag]:
    """The recipient rows of a message: those that a report is about, else those of its header."""
    report = _report(source, message_class)
    if report is not None and report[1]:
        return report[1]
    headers = source.headers()
    rows = [
        recipient_row(address, kind)
        for name, kind in _KINDS.items()
        for body in headers.all(name)
        for address in parse(body)
        if address.address
    ]
    return rows[:MAX_RECIPIENTS]


def set_bodies(props: Bag, source: Source, placed: Layout) -> list[Part]:
    """Sets PidTagBody and PidTagHtml; gives the texts that are too large for that."""
    texts = [part for part in (placed.plain, placed.html, placed.enriched, *placed.more) if part is not None]
    too_large = [part for part in texts if part.size > MAX_BODY]
    if too_large:
        placed.more = [part for part in placed.more if part not in too_large]
        placed.plain, placed.html, placed.enriched = (
            None if part in too_large else part for part in (placed.plain, placed.html, placed.enriched)
        )
    inside = tnef.read(source, placed) if placed.attachments else None
    if inside is not None and not tnef.BODIES.isdisjoint(inside.props):
        props.update(tnef.bodies(inside))
        if isinstance(props.get(tags.PidTagBody), str) or placed.plain is None:
            return too_large
        props[tags.PidTagBody] = _crlf(source.plain(placed.plain, MAX_BODY))
        return too_large
    best = placed.best
    if best is None:
        return too_large
    if best is placed.plain and not any(text_kind(part) == "html" for part in placed.more):
        props[tags.PidTagBody] = "\r\n".join(_plain_crlf(source, part) for part in placed.texts())
        return too_large
    if placed.plain is not None and placed.plain is not best:
        props[tags.PidTagBody] = "\r\n".join(
            _crlf(source.plain(part, MAX_BODY)) for part in (placed.plain, *placed.more)
        )
    _html_body(props, source, placed, best)
    return too_large


def _plain(source: Source, part: Part) -> str:
    return unflow(source.text(part, MAX_BODY).replace("\r\n", "\n"), flow_of(part.content))


def _plain_crlf(source: Source, part: Part) -> str:
    text, flow = source.text(part, MAX_BODY), flow_of(part.content)
    return _crlf(unflow(text.replace("\r\n", "\n"), flow) if flow.flowed else text)


def _crlf(text: str) -> str:
    if "\0" not in text and text.count("\n") == text.count("\r\n"):
        return text
    return text.replace("\r\n", "\n").replace("\n", "\r\n").replace("\x00", "")


def _html_body(props: Bag, source: Source, placed: Layout, best: Part) -> None:
    if text_kind(best) == "html" and not placed.more:
        data = source.data(best, MAX_BODY)
        page = codepages.code_page(best.charset)
        if page is not None and page not in (codepages.US_ASCII, 1200, 1201, 12000, 12001, 65000):
            # The bytes as they came; PidTagInternetCodepage says how to read them (MS-OXCMSG 2.2.1.58.9).
            props[tags.PidTagHtml] = data
            props[tags.PidTagInternetCodepage] = page
            return
        text = source.decoded_text(best, data)
    else:
        text = "\r\n".join(_as_html(source, part) for part in placed.texts())
    props[tags.PidTagHtml] = text.encode("utf-8", "replace")
    props[tags.PidTagInternetCodepage] = codepages.UTF8


def _as_html(source: Source, part: Part) -> str:
    kind = text_kind(part)
    if kind == "html":
        return source.text(part, MAX_BODY)
    if kind in ("enriched", "richtext"):
        return enriched.to_html(source.text(part, MAX_BODY), kind == "richtext")
    return html.from_text(_plain(source, part))


def _attachments(
    result: MessageObject, source: Source, placed: Layout, too_large: list[Part], depth: int
) -> None:
    inline = derive.inline_parts(source, placed)
    embed = partial(object_of, trusted=False, depth=depth - 1) if depth > 0 else None
    parts = [*(Placed(part, False) for part in too_large), *placed.attachments]
    # A report's status part is in the properties and recipient rows (MS-OXCMAIL 2.2.3.7).
    is_report = str(result.props[tags.PidTagMessageClass]).startswith("REPORT.")
    status = reports.status_part(source) if is_report else None
    found = tnef.read(source, placed) if placed.attachments else None
    unpacked = tnef.part_of(source, placed) if found is not None else None
    parts = [
        placement for placement in parts if placement.part is not status and placement.part is not unpacked
    ]
    for number, attachment in enumerate(parts, 1):
        part = attachment.part
        result.attachments.append(
            attachments.attachment_of(source, part, number, part.index in inline, embed)
        )
    if found is not None:
        result.attachments += found.attachments
    for number, made in enumerate(result.attachments):
        made.props[tags.PidTagAttachNumber] = number
    visible = any(not made.props.get(tags.PidTagAttachmentHidden) for made in result.attachments)
    result.props[tags.PidTagHasAttachments] = visible


def _secure(result: MessageObject, source: Source, signed: bool) -> None:
    made: AttachmentObject = attachments.smime_attachment(source, signed)
    made.props[tags.PidTagAttachNumber] = 0
    result.attachments.append(made)
    # MS-OXOSMIME 2.1: keeps what the media type alone does not say (smime-type).
    body = source.headers().get(b"content-type")
    if body is not None:
        tag = names.PidNameContentType
        result.named[(tag.name, tag.type)] = decode_text(body)[:MAX_INTERNET_HEADER]


def header_field(block: bytes, name: str) -> str | None:
    """One internet header of a message (PS_INTERNET_HEADERS, on demand): the first of that name, decoded."""
    wanted = name.lower().encode("ascii", "replace")
    for field in fields_of(block[:MAX_HEADER]):
        if field.name.lower() == wanted:
            return decode_text(field.body)[:MAX_INTERNET_HEADER]
    return None
