"""Properties that are computed from the stored message when they are asked for.

The store keeps the derived bag; what would cost space or time at delivery is here, one row of `COMPUTED` for
each property: bodies in the forms that the message does not have, transport headers, the preview. A
computation takes a `Stored` and gives the value or None where the message has none. `mailbox.properties` asks
here for what neither the row nor the bag of a message holds; the ROP layer and the tables ask there.

A message has its bodies natively either in its bag (born in MAPI, or changed there: then `mime` is None) or
in its MIME. The other forms are made from the best native one (MS-OXBBODY 2.1.3.1, MS-OXCMSG 2.2.1.58).
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cached_property

from appliance.convert.mime import codepages, object
from appliance.convert.mime.body import Layout, layout
from appliance.convert.mime.content import Reader
from appliance.convert.mime.derive import NATIVE_HTML, NATIVE_PLAIN, NATIVE_RTF, PREVIEW_LENGTH, PidTagPreview
from appliance.convert.mime.source import Source
from appliance.convert.text import preview_of
from appliance.formats import html, lzfu, rtf
from appliance.formats.mime.scan import Scan
from appliance.mapi import tags
from appliance.mapi.names import PS_INTERNET_HEADERS, PropertyName
from appliance.mapi.types import Bag, Value
from appliance.wire.errors import DecodeError, EncodeError

NATIVE_NONE = 0
"""PidTagNativeBody of a message without body (MS-OXCMSG 2.2.1.58.2)."""


MAX_RTF = 4 << 20
"""Bytes of compressed RTF that other bodies are made from: it is read in Python."""


@dataclass(frozen=True, slots=True)
class Mime:
    """The stored MIME of a message, scanned, with the reader of its bytes."""

    scan: Scan
    read: Reader


class Stored:
    """A message as the store has it: its properties by `get`, and its MIME if it lives from it. `beyond`: the
    bodies that it has and that are too long to be read for others (MAX_NATIVE).

    Keeps what was decoded, so that several computations share it. Lives as long as the snapshot that `get`
    and the MIME's reader read from."""

    def __init__(
        self, get: Callable[[int], Value], mime: Mime | None = None, beyond: Collection[int] = ()
    ) -> None:
        self.get, self.mime, self.beyond = get, mime, beyond

    @cached_property
    def source(self) -> Source | None:
        """The MIME as converters read it."""
        return Source(self.mime.scan, self.mime.read) if self.mime is not None else None

    @cached_property
    def placed(self) -> Layout | None:
        """Which parts of the MIME are bodies and which attachments."""
        return layout(self.source) if self.source is not None else None

    @cached_property
    def bodies(self) -> Bag:
        """The native bodies: PidTagBody, PidTagHtml, PidTagRtfCompressed and PidTagInternetCodepage as far as
        the message has them."""
        found: Bag = {}
        if self.source is not None:
            object.set_bodies(found, self.source, layout(self.source))
        for tag in (*_BODIES, tags.PidTagInternetCodepage):
            if tag not in found and tag not in self.beyond and (value := self.get(tag)) is not None:
                found[tag] = value
        return found


Computation = Callable[[Stored], Value]

MAX_MADE = 8 << 20
"""Characters (bytes, of RTF) of a body from which other forms are made, at most: a longer one is shown in its
own form alone, since nobody waits minutes for the others."""

MAX_NATIVE = 4 * MAX_MADE
"""Bytes of a stored body that is read to make other forms from."""

_BODIES = (tags.PidTagBody, tags.PidTagHtml, tags.PidTagRtfCompressed)


def _html(stored: Stored) -> str | None:
    """The native HTML as text."""
    rich = stored.bodies.get(tags.PidTagHtml)
    if not isinstance(rich, bytes):
        return None
    page = stored.bodies.get(tags.PidTagInternetCodepage)
    return codepages.decode(rich, page if isinstance(page, int) else None)


def _rtf(stored: Stored) -> bytes | None:
    """The native RTF, None where there is none that can be read."""
    packed = stored.bodies.get(tags.PidTagRtfCompressed)
    if not isinstance(packed, bytes) or len(packed) > MAX_RTF:
        return None
    try:
        return lzfu.decompress(packed)
    except DecodeError:
        return None


def body(stored: Stored) -> Value:
    """PidTagBody: the plain text, made from HTML or RTF where there is none (MS-OXCMSG 2.2.1.58.1)."""
    plain = stored.bodies.get(tags.PidTagBody)
    if plain is not None:
        return plain
    text = _html(stored)
    if text is not None:
        return html.to_text(text).replace("\n", "\r\n") if len(text) <= MAX_MADE else None
    rich = _rtf(stored)
    return None if rich is None or len(rich) > MAX_MADE else rtf.to_text(rich)


def body_html(stored: Stored) -> Value:
    """PidTagHtml: in the code page of PidTagInternetCodepage; made from the text where there is none."""
    page = stored.get(tags.PidTagInternetCodepage)
    name = codepages.codec(page) if isinstance(page, int) else None
    text = _html(stored)
    if text is not None:
        rich = stored.bodies[tags.PidTagHtml]
        same = name is None or page == stored.bodies.get(tags.PidTagInternetCodepage)
        return rich if same else text.encode(name or "utf-8", "xmlcharrefreplace")
    made = _made_html(stored)
    return None if made is None else made.encode(name or "utf-8", "xmlcharrefreplace")


def _made_html(stored: Stored) -> str | None:
    """HTML that shows the message's RTF, else its text."""
    rich = _rtf(stored)
    if rich is not None:
        return rtf.to_html(rich) if len(rich) <= MAX_MADE else None
    plain = stored.bodies.get(tags.PidTagBody)
    return html.from_text(plain) if isinstance(plain, str) and len(plain) <= MAX_MADE else None


def body_html_text(stored: Stored) -> Value:
    """PidTagBodyHtml: the HTML as a string."""
    text = _html(stored)
    return _made_html(stored) if text is None else text


def body_rtf(stored: Stored) -> Value:
    """PidTagRtfCompressed: HTML or text within RTF (MS-OXRTFEX), not compressed: who reads it is sent it in a
    compressed buffer anyway."""
    known = stored.bodies.get(tags.PidTagRtfCompressed)
    if known is not None:
        return known
    text, plain = _html(stored), stored.bodies.get(tags.PidTagBody)
    native = plain if text is None else text
    if not isinstance(native, str) or len(native) > MAX_MADE:
        return None
    try:
        return lzfu.store(rtf.from_text(native) if text is None else rtf.from_html(native))
    except EncodeError:  # RTF takes several bytes for a character
        return None


def native_body(stored: Stored) -> Value:
    """PidTagNativeBody (MS-OXCMSG 2.2.1.58.2): the form that the others are made from."""
    known = stored.get(tags.PidTagNativeBody)
    if isinstance(known, int):
        return known
    found = {*stored.bodies, *stored.beyond}
    if tags.PidTagRtfCompressed in found and (
        tags.PidTagHtml not in found or stored.get(tags.PidTagRtfInSync) is True
    ):
        return NATIVE_RTF
    if tags.PidTagHtml in found:
        return NATIVE_HTML
    return NATIVE_PLAIN if tags.PidTagBody in found else NATIVE_NONE


def rtf_in_sync(stored: Stored) -> Value:
    """PidTagRtfInSync (MS-OXCMSG 2.2.1.58.5): only RTF that is native is ahead of the other forms."""
    known = stored.get(tags.PidTagRtfInSync)
    return known if isinstance(known, bool) else native_body(stored) == NATIVE_RTF


def transport_headers(stored: Stored) -> Value:
    """PidTagTransportMessageHeaders: the header block as it arrived."""
    return None if stored.source is None else object.transport_headers(stored.source)


def preview(stored: Stored) -> Value:
    """PidTagPreview: the first words of the body."""
    if stored.source is not None and stored.placed is not None:
        return preview_of(stored.source, stored.placed, PREVIEW_LENGTH)
    plain = body(stored)
    return " ".join(plain[: PREVIEW_LENGTH * 8].split())[:PREVIEW_LENGTH] if isinstance(plain, str) else None


COMPUTED: Mapping[int, Computation] = {
    tags.PidTagBody: body,
    tags.PidTagHtml: body_html,
    tags.PidTagBodyHtml: body_html_text,
    tags.PidTagRtfCompressed: body_rtf,
    tags.PidTagNativeBody: native_body,
    tags.PidTagRtfInSync: rtf_in_sync,
    tags.PidTagTransportMessageHeaders: transport_headers,
    PidTagPreview: preview,
}
"""By tag."""


def named(stored: Stored, name: PropertyName) -> Value:
    """A named property of PS_INTERNET_HEADERS, from the header of the message; None for other sets."""
    if stored.source is None or name.guid != PS_INTERNET_HEADERS or not isinstance(name.lid_or_name, str):
        return None
    return object.header_field(stored.source.raw_header(stored.source.root), name.lid_or_name)


def compute(stored: Stored, tag: int) -> Value:
    """The value of a tag: stored, else computed, else None."""
    value = stored.get(tag)
    if value is not None:
        return value
    computation = COMPUTED.get(tag)
    return None if computation is None else computation(stored)
