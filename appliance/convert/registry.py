"""Properties that are computed from the stored message when they are asked for.

The store keeps the derived bag; what would cost space or time at delivery is here, one row for each property:
bodies, transport headers, internet headers by name, the size, the preview. A computation takes a `Stored` and
gives the value or None where the message has none. `app` hands `COMPUTED` to the store, which asks it for
properties that a bag lacks; messages without MIME (born in MAPI) convert between the bodies that they have.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from appliance.convert.mime import codepages, object
from appliance.convert.mime.body import Layout, layout
from appliance.convert.mime.content import Reader
from appliance.convert.mime.derive import PREVIEW_LENGTH, PidTagPreview
from appliance.convert.mime.source import Source
from appliance.convert.text import preview_of
from appliance.formats import html
from appliance.formats.mime.scan import Scan
from appliance.mapi import tags
from appliance.mapi.names import PS_INTERNET_HEADERS, PropertyName
from appliance.mapi.types import Bag, ReadableBag, Value


@dataclass(frozen=True, slots=True)
class Mime:
    """The stored MIME of a message, scanned, with the reader of its bytes."""

    scan: Scan
    read: Reader


@dataclass(frozen=True, slots=True)
class Stored:
    """A message as the store has it: its bag, and its MIME if it has one."""

    bag: ReadableBag
    mime: Mime | None = None


Computation = Callable[[Stored], Value]

NATIVE_HTML = 3


def _placed(mime: Mime) -> tuple[Source, Layout]:
    source = Source(mime.scan, mime.read)
    return source, layout(source)


def _bodies(stored: Stored) -> Bag:
    """PidTagBody, PidTagHtml and PidTagInternetCodepage as far as the message has them."""
    if stored.mime is None:
        return {}
    source, placed = _placed(stored.mime)
    props: Bag = {}
    object.set_bodies(props, source, placed)
    return props


def body(stored: Stored) -> Value:
    """PidTagBody: the plain text, made from the HTML where there is none (MS-OXCMSG 2.2.1.58.1)."""
    found = {**stored.bag, **_bodies(stored)}
    plain = found.get(tags.PidTagBody)
    if plain is not None:
        return plain
    rich = found.get(tags.PidTagHtml)
    if not isinstance(rich, bytes):
        return None
    return html.to_text(_text_of_html(rich, found)).replace("\n", "\r\n")


def body_html(stored: Stored) -> Value:
    """PidTagHtml: in the code page of PidTagInternetCodepage; made from the text where there is none."""
    found = {**stored.bag, **_bodies(stored)}
    rich = found.get(tags.PidTagHtml)
    if isinstance(rich, bytes):
        return rich
    plain = found.get(tags.PidTagBody)
    if not isinstance(plain, str):
        return None
    page = found.get(tags.PidTagInternetCodepage)
    name = codepages.codec(page) if isinstance(page, int) else None
    return html.from_text(plain).encode(name or "utf-8", "xmlcharrefreplace")


def body_html_text(stored: Stored) -> Value:
    """PidTagBodyHtml: the HTML as a string."""
    found = {**stored.bag, **_bodies(stored)}
    rich = found.get(tags.PidTagHtml)
    return _text_of_html(rich, found) if isinstance(rich, bytes) else None


def _text_of_html(rich: bytes, found: ReadableBag) -> str:
    page = found.get(tags.PidTagInternetCodepage)
    return codepages.decode(rich, page if isinstance(page, int) else None)


def transport_headers(stored: Stored) -> Value:
    """PidTagTransportMessageHeaders: the header block as it arrived."""
    if stored.mime is None:
        return None
    return object.transport_headers(Source(stored.mime.scan, stored.mime.read))


def preview(stored: Stored) -> Value:
    """PidTagPreview: the first words of the body."""
    if stored.mime is not None:
        return preview_of(*_placed(stored.mime), PREVIEW_LENGTH)
    plain = body(stored)
    return " ".join(plain[: PREVIEW_LENGTH * 8].split())[:PREVIEW_LENGTH] if isinstance(plain, str) else None


def size(stored: Stored) -> Value:
    """PidTagMessageSize: the bytes of the MIME; None for a message that has none yet."""
    return None if stored.mime is None else min(stored.mime.scan.size, 0x7FFF_FFFF)


def size_extended(stored: Stored) -> Value:
    """PidTagMessageSizeExtended: as `size`, in 64 bits."""
    return None if stored.mime is None else stored.mime.scan.size


COMPUTED: Mapping[int, Computation] = {
    tags.PidTagBody: body,
    tags.PidTagHtml: body_html,
    tags.PidTagBodyHtml: body_html_text,
    tags.PidTagTransportMessageHeaders: transport_headers,
    PidTagPreview: preview,
    tags.PidTagMessageSize: size,
    tags.PidTagMessageSizeExtended: size_extended,
}
"""By tag. PidTagRtfCompressed joins with the RTF codec."""


def named(stored: Stored, name: PropertyName) -> Value:
    """A named property of PS_INTERNET_HEADERS, from the header of the message; None for other sets."""
    if stored.mime is None or name.guid != PS_INTERNET_HEADERS or not isinstance(name.lid_or_name, str):
        return None
    source = Source(stored.mime.scan, stored.mime.read)
    return object.header_field(source.raw_header(source.root), name.lid_or_name)


def compute(stored: Stored, tag: int) -> Value:
    """The value of a tag: from the bag, else computed, else None."""
    value = stored.bag.get(tag)
    if value is not None:
        return value
    computation = COMPUTED.get(tag)
    return None if computation is None else computation(stored)
