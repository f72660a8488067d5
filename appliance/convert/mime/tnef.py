"""Mail that brings Outlook's properties along in TNEF, winmail.dat (MS-OXCMAIL 2.2.3.8, MS-OXTNEF).

The part counts when nothing says that it belongs to another message (X-MS-TNEF-Correlator). What the header
of the mail says, it alone says: senders, recipients, subject, dates. From the TNEF come the message class,
bodies, attachments, and what else the sender's program noted, as far as it is content: ids, state and rules
of a mailbox never come from outside.
"""

from collections.abc import Iterator

from appliance.convert.mime.body import Layout
from appliance.convert.mime.source import Source
from appliance.formats import tnef
from appliance.formats.mime.scan import Part
from appliance.mapi import tags
from appliance.mapi.names import PS_INTERNET_HEADERS
from appliance.mapi.objects import MessageObject, Named
from appliance.mapi.types import Bag, Value
from appliance.wire.errors import DecodeError

MAX_TNEF = 24 << 20
"""Encoded bytes of a part that is looked into; a larger one is a file."""

CONTENT_TYPE = "application/ms-tnef"
FILE_NAME = "winmail.dat"
CORRELATOR = b"x-ms-tnef-correlator"

BODIES = frozenset({tags.PidTagBody, tags.PidTagHtml, tags.PidTagBodyHtml, tags.PidTagRtfCompressed})
_CONTENT = ((0x0001, 0x0BFF), (0x1000, 0x2FFF), (0x6800, 0x7BFF))
"""Ids of properties that travel with a message; the others are a recipient's, a store's, a mailbox's."""

_CLASSES = ("IPM.", "REPORT.")
_NEVER = ("IPM.RULE", "IPM.EXTENDEDRULE", "IPM.MICROSOFT.", "IPM.CONFIGURATION")
MAX_CLASS = 127


def part_of(source: Source, placed: Layout) -> Part | None:
    """The TNEF part of a message, None when there is none."""
    for attachment in placed.attachments:
        part = attachment.part
        if part.content.value == CONTENT_TYPE or (
            part.content.value == "application/octet-stream" and (part.filename or "").lower() == FILE_NAME
        ):
            return part if part.size <= MAX_TNEF else None
    return None


def read(source: Source, placed: Layout) -> MessageObject | None:
    """What the TNEF of a message holds; None without one that is whole and belongs to it."""
    part = part_of(source, placed)
    if part is None:
        return None
    try:
        found = tnef.decode(source.data(part, MAX_TNEF))
    except DecodeError:
        return None
    correlator = (source.headers().get(CORRELATOR) or b"").strip()
    key = found.props.get(tags.PidTagTnefCorrelationKey)
    if correlator and isinstance(key, bytes) and key.rstrip(b"\0 ") != correlator:
        return None
    return found


def content(found: MessageObject) -> Bag:
    """The properties that a sender may give a message, but bodies and class."""
    return {
        tag: value
        for tag, value in found.props.items()
        if tag not in BODIES and tag != tags.PidTagMessageClass and _is_content(tag) and value is not None
    }


def _is_content(tag: int) -> bool:
    return any(first <= tag >> 16 <= last for first, last in _CONTENT)


def names_of(found: MessageObject) -> Named:
    """The named properties, but header fields, which the header has."""
    return {key: value for key, value in found.named.items() if key[0].guid != PS_INTERNET_HEADERS}


def message_class(found: MessageObject) -> str | None:
    """The message class, None for one that mail cannot have."""
    name = found.props.get(tags.PidTagMessageClass)
    if not isinstance(name, str) or not name.isascii() or len(name) > MAX_CLASS:
        return None
    upper = name.upper()
    return name if upper.startswith(_CLASSES) and not upper.startswith(_NEVER) else None


def bodies(found: MessageObject) -> Iterator[tuple[int, Value]]:
    """The bodies that it has."""
    for tag in (tags.PidTagRtfCompressed, tags.PidTagHtml, tags.PidTagBody, tags.PidTagInternetCodepage):
        if (value := found.props.get(tag)) is not None:
            yield tag, value
