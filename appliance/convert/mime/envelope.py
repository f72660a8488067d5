"""Header fields to message properties (MS-OXCMAIL 2.2.3.1 and 2.2.3.2).

Each rule is one small function over the headers, listed at the end; `read` runs those whose fields
are there. A field that cannot be read sets nothing, and what follows from the other properties is left out:
the result is a compact bag of `appliance.mapi.implied`. Fields that only this organisation may set
(X-MS-Exchange-Organization-*) count when the caller says that they can be trusted.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from appliance.convert.mime import addresses
from appliance.convert.mime.addresses import Address
from appliance.convert.mime.locales import LOCALES
from appliance.convert.mime.source import Headers
from appliance.formats.mime.dates import parse_date
from appliance.formats.mime.headers import message_ids
from appliance.mapi import conversation, names, tags
from appliance.mapi.names import NamedTag
from appliance.mapi.objects import Named
from appliance.mapi.types import Bag

MAX_STRING = 32_000
"""Characters kept of one string property; MS-OXCDATA strings in rows end at 32 KiB of bytes."""
MAX_ID = 1_000
MAX_SUBJECT = 253
"""Prefix and normalized subject together (MS-OXCMSG 2.2.1.9); the MIME keeps the rest."""
MAX_DISPLAY = 4_000
"""Characters of PidTagDisplayTo and its like; the recipient table has them all."""
MAX_KEYWORDS = 128

LOW, NORMAL, HIGH = 0, 1, 2


@dataclass(slots=True)
class Reading:
    """What the rules fill."""

    headers: Headers
    trusted: bool
    props: Bag = field(default_factory=dict)
    named: Named = field(default_factory=dict)
    to: list[Address] = field(default_factory=list)
    cc: list[Address] = field(default_factory=list)
    bcc: list[Address] = field(default_factory=list)
    absent: list[int] = field(default_factory=list)
    conversation: bytes = b""

    def text(self, name: bytes, limit: int = MAX_STRING) -> str | None:
        """The decoded text of a field, None if it is absent or empty."""
        body = self.headers.get(name)
        if not body:
            return None
        return addresses.decode_text(body)[:limit] or None

    def word(self, name: bytes) -> str:
        """A field's body in lower case, empty if absent."""
        body = self.headers.get(name)
        return body.decode("latin-1").strip().lower() if body else ""

    def word_as_written(self, name: bytes) -> str:
        """A field's body as Latin-1 text, empty if absent."""
        return (self.headers.get(name) or b"").decode("latin-1")

    def name(self, tag: NamedTag, value: str | bool | int | tuple[str, ...]) -> None:
        """Sets a named property."""
        self.named[(tag.name, tag.type)] = value


@dataclass(frozen=True, slots=True)
class Group:
    """The tags of one address property group (MS-OXCMAIL 2.6.4, 2.6.5)."""

    name: int
    kind: int
    address: int
    smtp: int
    entry_id: int
    search_key: int


SENDER = Group(
    tags.PidTagSenderName, tags.PidTagSenderAddressType, tags.PidTagSenderEmailAddress,
    tags.PidTagSenderSmtpAddress, tags.PidTagSenderEntryId, tags.PidTagSenderSearchKey,
)  # fmt: skip
REPRESENTING = Group(
    tags.PidTagSentRepresentingName, tags.PidTagSentRepresentingAddressType,
    tags.PidTagSentRepresentingEmailAddress, tags.PidTagSentRepresentingSmtpAddress,
    tags.PidTagSentRepresentingEntryId, tags.PidTagSentRepresentingSearchKey,
)  # fmt: skip
READ_RECEIPT = Group(
    tags.PidTagReadReceiptName, tags.PidTagReadReceiptAddressType, tags.PidTagReadReceiptEmailAddress,
    tags.PidTagReadReceiptSmtpAddress, tags.PidTagReadReceiptEntryId, tags.PidTagReadReceiptSearchKey,
)  # fmt: skip
RECEIVED_BY = Group(
    tags.PidTagReceivedByName, tags.PidTagReceivedByAddressType, tags.PidTagReceivedByEmailAddress,
    tags.PidTagReceivedBySmtpAddress, tags.PidTagReceivedByEntryId, tags.PidTagReceivedBySearchKey,
)  # fmt: skip
RECEIVED_FOR = Group(
    tags.PidTagReceivedRepresentingName, tags.PidTagReceivedRepresentingAddressType,
    tags.PidTagReceivedRepresentingEmailAddress, tags.PidTagReceivedRepresentingSmtpAddress,
    tags.PidTagReceivedRepresentingEntryId, tags.PidTagReceivedRepresentingSearchKey,
)  # fmt: skip


def set_group(props: Bag, group: Group, address: Address) -> None:
    """Writes an address into a property group."""
    kind, plain = addresses.split_type(address.address)
    props[group.name] = address.display
    props[group.kind] = kind
    props[group.address] = plain
    if kind == addresses.SMTP:
        props[group.smtp] = plain
    props[group.entry_id] = addresses.one_off(address.display, kind, plain)
    props[group.search_key] = addresses.search_key(kind, plain)


def _first(reading: Reading, name: bytes) -> Address | None:
    body = reading.headers.get(name)
    found = addresses.parse(body) if body else []
    return found[0] if found else None


def _senders(reading: Reading) -> None:
    # MS-OXCMAIL 2.2.3.1.3 and 2.2.3.1.4: From is represented, Sender acts; each stands in for the other.
    author = _first(reading, b"from")
    sender = _first(reading, b"sender")
    represented, acting = author or sender, sender or author
    if represented is not None and acting is not None:
        _set_person(reading.props, REPRESENTING, represented)
        props: Bag = {}
        _set_person(props, SENDER, acting)
        if acting.display == represented.display:
            del props[SENDER.name]
        if props[SENDER.address] == reading.props[REPRESENTING.address]:
            del props[SENDER.address]
        reading.props.update(props)


def _set_person(props: Bag, group: Group, address: Address) -> None:
    """Writes what the rest of a property group follows from."""
    kind, plain = addresses.split_type(address.address)
    props[group.name] = address.display
    props[group.address] = plain
    if kind != addresses.SMTP:
        props[group.kind] = kind


def _reply_to(reading: Reading) -> None:
    if body := reading.headers.get(b"reply-to"):
        found = addresses.parse(body)
        if found:
            reading.props[tags.PidTagReplyRecipientEntries] = addresses.reply_entries(found)
            reading.props[tags.PidTagReplyRecipientNames] = "; ".join(a.display for a in found)[:MAX_STRING]


def _recipients(reading: Reading) -> None:
    for name, into, tag in (
        (b"to", reading.to, tags.PidTagDisplayTo),
        (b"cc", reading.cc, tags.PidTagDisplayCc),
        (b"bcc", reading.bcc, tags.PidTagDisplayBcc),
    ):
        for body in reading.headers.all(name):
            into.extend(addresses.parse(body))
        if into:
            reading.props[tag] = "; ".join(address.display for address in into)[:MAX_DISPLAY]


def _receipts(reading: Reading) -> None:
    # MS-OXCMAIL 2.2.3.1: one asks for a read receipt, Return-Receipt-To for a delivery report.
    read_to = _first(reading, b"disposition-notification-to")
    delivered_to = _first(reading, b"return-receipt-to")
    if read_to is not None:
        reading.props[tags.PidTagReadReceiptRequested] = True
        reading.props[tags.PidTagNonReceiptNotificationRequested] = True
        _set_person(reading.props, READ_RECEIPT, read_to)
    if delivered_to is not None:
        reading.props[tags.PidTagOriginatorDeliveryReportRequested] = True


def _subject(reading: Reading) -> None:
    subject = reading.text(b"subject", MAX_SUBJECT) or ""
    topic = reading.text(b"thread-topic", MAX_SUBJECT)
    prefix, normalized = conversation.split_subject(subject, topic)
    props = reading.props
    if subject:
        props[tags.PidTagSubject] = subject
    if topic and prefix != conversation.split_subject(subject).prefix:
        props[tags.PidTagSubjectPrefix] = prefix
    if topic and topic != normalized:
        props[tags.PidTagConversationTopic] = topic
    topic = topic or normalized
    index = conversation.read_thread_index(reading.word_as_written(b"thread-index"))
    tracking = index is not None and conversation.parse_index(index) is not None
    if index is not None:
        props[tags.PidTagConversationIndex] = index
        if tracking:
            props[tags.PidTagConversationIndexTracking] = True
    reading.conversation = conversation.conversation_id(index, topic, tracking) or b""


def _ids(reading: Reading) -> None:
    props = reading.props
    if body := reading.headers.get(b"message-id"):
        found = message_ids(body)
        props[tags.PidTagInternetMessageId] = addresses.decode_text(found[0] if found else body)[:MAX_ID]
    if body := reading.headers.get(b"references"):
        props[tags.PidTagInternetReferences] = _ids_text(body)
    references = str(props.get(tags.PidTagInternetReferences, "")).split()
    if body := reading.headers.get(b"in-reply-to"):
        found = message_ids(body)
        reply_to = addresses.decode_text(found[0] if found else body)[:MAX_ID]
        if not references or reply_to != references[-1]:
            props[tags.PidTagInReplyToId] = reply_to
    elif references:
        reading.absent.append(tags.PidTagInReplyToId)


def _ids_text(body: bytes) -> str:
    found = message_ids(body)
    # A thread's beginning and its latest messages matter; what a limit cuts is the middle.
    while found and sum(map(len, found)) + len(found) > MAX_STRING:
        del found[1 : 1 + max(len(found) // 8, 1)]
    return addresses.decode_text(b" ".join(found) if found else body)[:MAX_STRING]


def _times(reading: Reading) -> None:
    for name, tag in (
        (b"date", tags.PidTagClientSubmitTime),
        (b"reply-by", tags.PidTagReplyTime),
        (b"deferred-delivery", tags.PidTagDeferredDeliveryTime),
    ):
        if (body := reading.headers.get(name)) and (moment := parse_date(body)) is not None:
            reading.props[tag] = moment[0]
    # MS-OXCMAIL 2.2.3.2: Expires in preference to the alternative.
    for name in (b"expires", b"expiry-date", b"x-message-expires"):
        if (body := reading.headers.get(name)) and (moment := parse_date(body)) is not None:
            reading.props[tags.PidTagExpiryTime] = moment[0]
            return


_IMPORTANCE: tuple[tuple[bytes, Mapping[str, int]], ...] = (  # MS-OXCMAIL 2.2.3.2.5, in order of preference
    (b"importance", {"low": LOW, "normal": NORMAL, "high": HIGH, "medium": NORMAL}),
    (b"x-msmail-priority", {"low": LOW, "normal": NORMAL, "high": HIGH}),
    (b"x-priority", {"5": LOW, "4": LOW, "3": NORMAL, "2": HIGH, "1": HIGH}),
    (b"priority", {"non-urgent": LOW, "normal": NORMAL, "urgent": HIGH}),
)
_PRIORITY = {"non-urgent": -1, "normal": 0, "urgent": 1}  # MS-OXCMSG 2.2.1.12
_SENSITIVITY = {  # MS-OXCMAIL 2.2.3.2
    "normal": 0, "personal": 1, "private": 2, "company-confidential": 3, "confidential": 3,
}  # fmt: skip


def _importance(reading: Reading) -> None:
    value = NORMAL
    for name, known in _IMPORTANCE:
        word = reading.word(name)
        if word:
            first = word.split()[0] if name == b"x-priority" else word
            if first in known:
                value = known[first]
                break
    if value != NORMAL:
        reading.props[tags.PidTagImportance] = value
    if (priority := _PRIORITY.get(reading.word(b"priority"), value - 1)) != value - 1:
        reading.props[tags.PidTagPriority] = priority
    if sensitivity := _SENSITIVITY.get(reading.word(b"sensitivity"), 0):
        reading.props[tags.PidTagSensitivity] = sensitivity


def _categories(reading: Reading) -> None:
    # MS-OXCMAIL 2.2.3.2; several fields add up, a category stands once.
    found: dict[str, str] = {}
    for body in reading.headers.all(b"keywords"):
        for item in addresses.decode_text(body).split(","):
            if keyword := item.strip()[:255]:
                found.setdefault(keyword.lower(), keyword)
    if found:
        reading.name(names.PidNameKeywords, tuple(found.values())[:MAX_KEYWORDS])


def _flag(reading: Reading) -> None:
    if request := reading.text(b"x-message-flag", 255):  # MS-OXCMAIL 2.2.3.2
        reading.name(names.PidLidFlagRequest, request)
        reading.props[tags.PidTagFlagStatus] = 2
        reading.props[tags.PidTagFollowupIcon] = 6


_LISTS = (
    (tags.PidTagListHelp, b"list-help", b"x-list-help"),
    (tags.PidTagListSubscribe, b"list-subscribe", b"x-list-subscribe"),
    (tags.PidTagListUnsubscribe, b"list-unsubscribe", b"x-list-unsubscribe"),
)


def _lists(reading: Reading) -> None:
    for tag, name, alternate in _LISTS:  # MS-OXCMAIL 2.2.3.2.17
        if text := reading.text(name) or reading.text(alternate):
            reading.props[tag] = text


_SUPPRESS = {"none": 0, "all": -1, "dr": 1, "ndr": 2, "rn": 4, "nrn": 8, "oof": 16, "autoreply": 32}


def _automatic(reading: Reading) -> None:
    """X-Auto-Response-Suppress (MS-OXCMAIL 2.2.3.2) and what RFC 3834 and lists say."""
    suppress = 0
    for word in reading.word(b"x-auto-response-suppress").split(","):
        suppress |= _SUPPRESS.get(word.strip(), 0)
    if suppress:
        reading.props[tags.PidTagAutoResponseSuppress] = suppress
    if reading.word(b"x-ms-exchange-organization-autoforwarded") == "true" or reading.word(
        b"x-autoforwarded"
    ) in ("true", "yes"):
        reading.props[tags.PidTagAutoForwarded] = True


def _language(reading: Reading) -> None:
    if (tag := reading.word(b"content-language").split(",")[0].strip()) and (lcid := LOCALES.get(tag)):
        reading.props[tags.PidTagMessageLocaleId] = lcid
    if text := reading.text(b"accept-language") or reading.text(b"x-accept-language"):
        reading.name(names.PidNameAcceptLanguage, text)


def _classification(reading: Reading) -> None:
    if reading.word(b"x-microsoft-classified") != "true":  # MS-OXCMAIL 2.2.3.2.22
        return
    reading.name(names.PidLidClassified, True)
    reading.name(names.PidLidClassificationKeep, reading.word(b"x-microsoft-classkeep") == "true")
    for name, tag in (
        (b"x-microsoft-classification", names.PidLidClassification),
        (b"x-microsoft-classdesc", names.PidLidClassificationDescription),
        (b"x-microsoft-classid", names.PidLidClassificationGuid),
    ):
        if text := reading.text(name):
            reading.name(tag, text)


def _voice(reading: Reading) -> None:
    # MS-OXOUM: what voice mail and fax servers say.
    for name, tag in (
        (b"x-callingtelephonenumber", tags.PidTagSenderTelephoneNumber),
        (b"x-voicemessagesendername", tags.PidTagVoiceMessageSenderName),
        (b"x-attachmentorder", tags.PidTagVoiceMessageAttachmentOrder),
        (b"x-callid", tags.PidTagCallId),
    ):
        if text := reading.text(name, 1000):
            reading.props[tag] = text
    for name, tag in (
        (b"x-voicemessageduration", tags.PidTagVoiceMessageDuration),
        (b"x-faxnumberofpages", tags.PidTagFaxNumberOfPages),
    ):
        word = reading.word(name)
        if word.isascii() and word.isdigit() and len(word) < 9:
            reading.props[tag] = int(word)


def _spam(reading: Reading) -> None:
    """Spam confidence (-1 to 9). A foreign filter's verdict only raises it; trust comes from the caller."""
    level: int | None = None
    if reading.trusted:
        word = reading.word(b"x-ms-exchange-organization-scl")
        if word.lstrip("-").isdigit() and -1 <= int(word[:4]) <= 9:
            level = int(word)
        if text := reading.text(b"x-ms-exchange-organization-prd", 255):
            reading.props[tags.PidTagPurportedSenderDomain] = text
        if status := _SENDER_ID.get(reading.word(b"x-ms-exchange-organization-senderidresult")):
            reading.props[tags.PidTagSenderIdStatus] = status
    # deviation: not in MS-OXCMAIL; filters in front of the appliance speak the SpamAssassin headers.
    if level is None and reading.word(b"x-spam-flag").startswith("yes"):
        level = 6
    if level is not None:
        reading.props[tags.PidTagContentFilterSpamConfidenceLevel] = level


_SENDER_ID = {"neutral": 1, "pass": 2, "fail": 3, "softfail": 4, "none": 5, "temperror": -2147483642,
              "permerror": -2147483641}  # MS-OXPROPS, PidTagSenderIdStatus  # fmt: skip


_VOICE_FIELDS = (
    b"x-callingtelephonenumber x-voicemessagesendername x-attachmentorder x-callid "
    b"x-voicemessageduration x-faxnumberofpages"
)
_SPAM_FIELDS = (
    b"x-ms-exchange-organization-scl x-ms-exchange-organization-prd "
    b"x-ms-exchange-organization-senderidresult x-spam-flag"
)
_RULES: tuple[tuple[frozenset[bytes], Callable[[Reading], None]], ...] = tuple(
    (frozenset(names.split()), rule)
    for names, rule in (
        (b"from sender", _senders),
        (b"reply-to", _reply_to),
        (b"to cc bcc", _recipients),
        (b"disposition-notification-to return-receipt-to", _receipts),
        (b"subject thread-topic thread-index", _subject),
        (b"message-id references in-reply-to", _ids),
        (b"date reply-by deferred-delivery expires expiry-date x-message-expires", _times),
        (b"importance x-msmail-priority x-priority priority sensitivity", _importance),
        (b"keywords", _categories),
        (b"x-message-flag", _flag),
        (b" ".join(name for _, *fields in _LISTS for name in fields), _lists),
        (b"x-auto-response-suppress x-ms-exchange-organization-autoforwarded x-autoforwarded", _automatic),
        (b"content-language accept-language x-accept-language", _language),
        (b"x-microsoft-classified", _classification),
        (_VOICE_FIELDS, _voice),
        (_SPAM_FIELDS, _spam),
    )
)
"""Each rule behind the fields that it looks at: without any of them it has nothing to say."""


def read(headers: Headers, trusted: bool = False) -> Reading:
    """All properties that the header fields of a message give."""
    reading = Reading(headers, trusted)
    for wanted, rule in _RULES:
        if headers.any_of(wanted):
            rule(reading)
    return reading
