"""Message properties to header fields (MS-OXCMAIL 2.1.3.1 and 2.1.3.2): the reverse of `envelope`.

Values come from clients, so that each is cleaned: no property can add a line to the header. A property that
is absent writes nothing.
"""

import binascii
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from appliance.convert.mime import addresses
from appliance.convert.mime.addresses import Address
from appliance.convert.mime.envelope import (
    READ_RECEIPT,
    RECEIVED_BY,
    RECEIVED_FOR,
    REPRESENTING,
    SENDER,
    Group,
)
from appliance.convert.mime.locales import tag_of
from appliance.formats.mime.dates import format_date
from appliance.formats.mime.render import Header, text_field
from appliance.mapi import names, tags
from appliance.mapi.names import PS_INTERNET_HEADERS, NamedTag
from appliance.mapi.objects import MessageObject
from appliance.mapi.types import ReadableBag, Value

TO, CC, BCC = 1, 2, 3


class Transfer(Enum):
    """What the way to the reader takes."""

    SEVEN_BIT = "7bit"
    EIGHT_BIT = "8bit"
    BINARY = "binary"


@dataclass(frozen=True, slots=True)
class Options:
    """How a message is written. `bcc`: copies for the sender and for IMAP show it, submissions must not."""

    transfer: Transfer = Transfer.SEVEN_BIT
    smtputf8: bool = False
    bcc: bool = False


@dataclass(frozen=True, slots=True)
class Identity:
    """What makes a rendering stable, chosen once by the caller.

    `message_id` (with brackets) and `date` (FILETIME) stand in where the message has none; `seed` gives the
    boundaries and must not be guessable by who wrote the message; `domain` is the host that encapsulated
    addresses and reports name.
    """

    message_id: str
    date: int
    seed: bytes
    domain: str


_CONTROL = re.compile(r"[\x00-\x1f\x7f\u0085\u2028\u2029]+")
_FIELD_NAME = re.compile(r"^[\x21-\x39\x3b-\x7e]{1,100}$")
_OWN_NAMES = (
    "from sender to cc bcc reply-to subject date message-id references in-reply-to mime-version received "
    "return-path importance priority sensitivity keywords thread-topic thread-index"
)
_OWN = frozenset(_OWN_NAMES.split())


def text_of(props: ReadableBag, tag: int) -> str:
    """A string property on one line, empty if absent."""
    value = props.get(tag)
    return _CONTROL.sub(" ", value).strip() if isinstance(value, str) else ""


def number_of(props: ReadableBag, tag: int) -> int | None:
    """An integer property, None if absent."""
    value = props.get(tag)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def group_address(props: ReadableBag, group: Group, domain: str) -> Address | None:
    """The address of a property group; its SMTP address first, then type and address, then the entry id."""
    name = text_of(props, group.name)
    if smtp := text_of(props, group.smtp):
        return Address(name, smtp)
    if plain := text_of(props, group.address):
        return Address(name, _smtp(text_of(props, group.kind), plain, domain))
    entry = props.get(group.entry_id)
    if isinstance(entry, bytes) and (found := addresses.read_one_off(entry)) is not None:
        return Address(name or found.name, found.address)
    return Address(name, "") if name else None


def _smtp(kind: str, plain: str, domain: str) -> str:
    if kind.upper() in ("", addresses.SMTP):
        return plain
    return addresses.encapsulate(kind, plain, domain)


def recipient_address(row: ReadableBag, domain: str) -> Address | None:
    """The address of a recipient row (MS-OXCMAIL 2.1.3.1.1)."""
    name = text_of(row, tags.PidTagDisplayName) or text_of(row, tags.PidTagRecipientDisplayName)
    if smtp := text_of(row, tags.PidTagSmtpAddress):
        return Address(name, smtp)
    if plain := text_of(row, tags.PidTagEmailAddress):
        return Address(name, _smtp(text_of(row, tags.PidTagAddressType), plain, domain))
    entry = row.get(tags.PidTagEntryId)
    if isinstance(entry, bytes) and (found := addresses.read_one_off(entry)) is not None:
        return Address(name or found.name, found.address)
    return Address(name, "") if name else None


def _address(name: str, found: Sequence[Address], options: Options) -> Iterator[Header]:
    if found:
        yield name.encode("ascii"), addresses.written_list(found, smtputf8=options.smtputf8)


def _address_fields(message: MessageObject, identity: Identity, options: Options) -> Iterator[Header]:
    props = message.props
    represented = group_address(props, REPRESENTING, identity.domain)
    sender = group_address(props, SENDER, identity.domain)
    author = represented or sender
    if author is not None:
        yield from _address("From", [author], options)
    if sender is not None and author is not None and sender.address.lower() != author.address.lower():
        yield from _address("Sender", [sender], options)
    entries = props.get(tags.PidTagReplyRecipientEntries)
    if isinstance(entries, bytes):
        yield from _address("Reply-To", addresses.read_reply_entries(entries), options)
    if _is_status_report(props):
        # MS-OXCMAIL 2.1.3.1.1.1: the recipients of a report are those it reports on.
        reader = group_address(props, RECEIVED_FOR, identity.domain) or group_address(
            props, RECEIVED_BY, identity.domain
        )
        yield from _address("To", [reader] if reader else [], options)
    else:
        for name, kind in (("To", TO), ("Cc", CC), ("Bcc", BCC)):
            if kind != BCC or options.bcc:
                yield from _address(name, _recipients(message, kind, identity.domain), options)
    if props.get(tags.PidTagReadReceiptRequested) is True:
        reader = group_address(props, READ_RECEIPT, identity.domain) or author
        yield from _address("Disposition-Notification-To", [reader] if reader else [], options)
    if props.get(tags.PidTagOriginatorDeliveryReportRequested) is True and (sender or author):
        yield from _address("Return-Receipt-To", [sender or author or Address("", "")], options)


def _is_status_report(props: ReadableBag) -> bool:
    upper = text_of(props, tags.PidTagMessageClass).upper()
    return upper.startswith("REPORT.") and upper.endswith((".DR", ".NDR", ".DELAYED"))


def _recipients(message: MessageObject, kind: int, domain: str) -> list[Address]:
    rows = [
        row
        for row in message.recipients
        # MS-OXCMAIL 2.1.3.1.1: the low bits are the type, the high ones belong to resending.
        if (number_of(row, tags.PidTagRecipientType) or 0) & 3 == kind
    ]
    return [address for row in rows if (address := recipient_address(row, domain)) is not None]


def _text(name: str, text: str) -> Iterator[Header]:
    if text:
        yield text_field(name, text)


def _raw(name: str, text: str) -> Iterator[Header]:
    """A field of ids or dates: ASCII without encoded words; other characters are dropped."""
    data = text.encode("ascii", "ignore")
    if data:
        yield name.encode("ascii"), data


def _thread_fields(message: MessageObject, identity: Identity) -> Iterator[Header]:
    props = message.props
    subject = text_of(props, tags.PidTagSubject) or (
        str(props.get(tags.PidTagSubjectPrefix) or "") + text_of(props, tags.PidTagNormalizedSubject)
    )
    yield from _text("Subject", _CONTROL.sub(" ", subject).strip())
    yield from _text("Thread-Topic", text_of(props, tags.PidTagConversationTopic))
    index = props.get(tags.PidTagConversationIndex)
    if isinstance(index, bytes) and index:
        yield b"Thread-Index", binascii.b2a_base64(index, newline=False)
    moment = number_of(props, tags.PidTagClientSubmitTime)
    yield b"Date", format_date(identity.date if moment is None else moment)
    yield from _raw("Message-ID", text_of(props, tags.PidTagInternetMessageId) or identity.message_id)
    yield from _raw("References", text_of(props, tags.PidTagInternetReferences))
    yield from _raw("In-Reply-To", text_of(props, tags.PidTagInReplyToId))


_IMPORTANCE = {0: ("low", "5"), 2: ("high", "1")}
_PRIORITY = {-1: "non-urgent", 1: "urgent"}
_SENSITIVITY = {1: "Personal", 2: "Private", 3: "Company-Confidential"}
_SUPPRESS = ((1, "DR"), (2, "NDR"), (4, "RN"), (8, "NRN"), (16, "OOF"), (32, "AutoReply"))
_TEXTS = (
    ("List-Help", tags.PidTagListHelp),
    ("List-Subscribe", tags.PidTagListSubscribe),
    ("List-Unsubscribe", tags.PidTagListUnsubscribe),
    ("X-CallingTelephoneNumber", tags.PidTagSenderTelephoneNumber),
    ("X-VoiceMessageSenderName", tags.PidTagVoiceMessageSenderName),
    ("X-AttachmentOrder", tags.PidTagVoiceMessageAttachmentOrder),
    ("X-CallID", tags.PidTagCallId),
)
_NUMBERS = (
    ("X-VoiceMessageDuration", tags.PidTagVoiceMessageDuration),
    ("X-FaxNumberOfPages", tags.PidTagFaxNumberOfPages),
)
_DATES = (
    ("Reply-By", tags.PidTagReplyTime),
    ("Expires", tags.PidTagExpiryTime),
    ("Deferred-Delivery", tags.PidTagDeferredDeliveryTime),
)


def _property_fields(message: MessageObject) -> Iterator[Header]:
    props = message.props
    # MS-OXCMAIL 2.1.3.2; normal values are not written.
    if (known := _IMPORTANCE.get(number_of(props, tags.PidTagImportance) or 0)) and (
        tags.PidTagImportance in props
    ):
        yield b"Importance", known[0].encode("ascii")
        yield b"X-Priority", known[1].encode("ascii")
    if word := _PRIORITY.get(number_of(props, tags.PidTagPriority) or 0):
        yield b"Priority", word.encode("ascii")
    if word := _SENSITIVITY.get(number_of(props, tags.PidTagSensitivity) or 0):
        yield b"Sensitivity", word.encode("ascii")
    suppress = number_of(props, tags.PidTagAutoResponseSuppress) or 0
    words = ["All"] if suppress == -1 else [word for bit, word in _SUPPRESS if suppress & bit]
    yield from _raw("X-Auto-Response-Suppress", ", ".join(words))
    for name, tag in _TEXTS:
        yield from _text(name, text_of(props, tag))
    for name, tag in _NUMBERS:
        if (number := number_of(props, tag)) is not None:
            yield name.encode("ascii"), str(number).encode("ascii")
    for name, tag in _DATES:
        if (moment := number_of(props, tag)) is not None:
            yield name.encode("ascii"), format_date(moment)
    if (lcid := number_of(props, tags.PidTagMessageLocaleId)) is not None and (language := tag_of(lcid)):
        yield b"Content-Language", language.encode("ascii")


def named_value(message: MessageObject, tag: NamedTag) -> Value:
    """The value of a named property, None if absent."""
    return message.named.get((tag.name, tag.type))


_CLASSIFICATION = (
    ("X-Microsoft-Classification", names.PidLidClassification),
    ("X-Microsoft-ClassDesc", names.PidLidClassificationDescription),
    ("X-Microsoft-ClassID", names.PidLidClassificationGuid),
)


def _named_fields(message: MessageObject) -> Iterator[Header]:
    keywords = named_value(message, names.PidNameKeywords)
    if isinstance(keywords, tuple) and keywords:
        yield from _text("Keywords", ", ".join(_CONTROL.sub(" ", str(word)) for word in keywords))
    for name, tag in (
        ("X-Message-Flag", names.PidLidFlagRequest),
        ("Accept-Language", names.PidNameAcceptLanguage),
        ("Content-Class", names.PidNameContentClass),
    ):
        value = named_value(message, tag)
        if isinstance(value, str):
            yield from _text(name, _CONTROL.sub(" ", value).strip())
    if named_value(message, names.PidLidClassified) is True:  # MS-OXCMAIL 2.1.3.2.17
        yield b"X-Microsoft-Classified", b"true"
        if named_value(message, names.PidLidClassificationKeep) is True:
            yield b"X-Microsoft-ClassKeep", b"true"
        for name, tag in _CLASSIFICATION:
            value = named_value(message, tag)
            if isinstance(value, str):
                yield from _text(name, _CONTROL.sub(" ", value).strip())


def _internet_fields(message: MessageObject, written: set[str]) -> Iterator[Header]:
    """Named internet headers that nothing else wrote (MS-OXCMAIL 2.1.3.2)."""
    for (name, _), value in message.named.items():
        if name.guid != PS_INTERNET_HEADERS or not isinstance(name.lid_or_name, str):
            continue
        lower = name.lid_or_name.lower()
        if lower in written or lower in _OWN or lower.startswith("content-"):
            continue
        if isinstance(value, str) and _FIELD_NAME.match(name.lid_or_name):
            written.add(lower)
            yield from _text(name.lid_or_name, _CONTROL.sub(" ", value).strip())


def message_fields(message: MessageObject, identity: Identity, options: Options) -> list[Header]:
    """The header fields of a message, all but those that describe its content."""
    fields = [
        *_address_fields(message, identity, options),
        *_thread_fields(message, identity),
        *_property_fields(message),
        *_named_fields(message),
    ]
    written = {name.decode("ascii").lower() for name, _ in fields}
    fields.extend(_internet_fields(message, written))
    fields.append((b"MIME-Version", b"1.0"))
    return fields
