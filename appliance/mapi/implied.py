"""Properties that follow from others, so that a delivered message need not store them.

A compact bag is a bag that was made with these rules in mind: what a rule would give is left out, and what a
rule would give although the message does not have it stands in PidTagSatchelAbsent. `expand` brings back the
whole bag, `get` one property. Bags of other origin (a client wrote them) are never read through these rules:
the store keeps a note of the form with each message.

Invariant: expand(compact(bag)) == bag, for every bag.
"""

from collections.abc import Callable, Mapping

from appliance.mapi import conversation, tags
from appliance.mapi.entryids import OneOffEntryId, OneOffFlags
from appliance.mapi.types import Bag, ReadableBag, Value

PidTagSatchelAbsent = 0x66F11003
"""Tags that a rule would give, but that the message does not have. Never leaves the store."""

# Recipients from mail are what they say: no address book is asked, no rich text is sent.
_ONE_OFF_FLAGS = OneOffFlags.UNICODE | OneOffFlags.DONT_LOOK_UP | OneOffFlags.NO_RICH_INFO
SMTP = "SMTP"
NOTE = "IPM.Note"
UTF8 = 65001
MSGFLAG_HAS_ATTACH = 0x10  # MS-OXCMSG 2.2.1.6
NATIVE_HTML = 3  # MS-OXCMSG 2.2.1.58.2
FIRST_EBCDIC_OR_UNICODE = 20000


_ONE_OFF_HEAD = OneOffEntryId("", "", "", _ONE_OFF_FLAGS).pack()[: -3 * 2]


def one_off(name: str, kind: str, address: str) -> bytes:
    """A one-off entry id (MS-OXCDATA 2.2.5.1) of a display name, address type and address."""
    if "\0" in name or "\0" in kind or "\0" in address:
        return OneOffEntryId(name.replace("\0", ""), kind, address.replace("\0", ""), _ONE_OFF_FLAGS).pack()
    return _ONE_OFF_HEAD + f"{name}\0{kind}\0{address}\0".encode("utf-16-le", "surrogatepass")


def search_key(kind: str, address: str) -> bytes:
    """PidTagSearchKey of an address: type, colon and address in upper case, with a zero byte."""
    return f"{kind}:{address}".upper().encode("utf-8", "replace") + b"\0"


_NONE = frozenset[int]()


class Known:
    """What a rule may look at: `stored` is the bag without rules, `get` the bag with them. `whole`: the bag
    is no compact one, so that both are the same."""

    __slots__ = ("_absent", "_cache", "_whole", "stored")

    def __init__(self, stored: Callable[[int], Value], *, whole: bool = False) -> None:
        self.stored = stored
        self._whole = whole
        self._cache: dict[int, Value] = {}
        absent = stored(PidTagSatchelAbsent)
        self._absent = (
            frozenset(tag for tag in absent if isinstance(tag, int)) if isinstance(absent, tuple) else _NONE
        )

    def get(self, tag: int) -> Value:
        """A property, stored or implied, None for one that the message does not have."""
        try:
            return self._cache[tag]
        except KeyError:
            pass
        value = self.stored(tag)
        if value is None and not self._whole and tag in RULES and tag not in self._absent:
            value = RULES[tag](self)
        self._cache[tag] = value
        return value

    def begin(self, stored: ReadableBag) -> dict[int, Value]:
        """Take all that is stored at once; the dictionary gets what follows from it as it is asked for."""
        self._cache = {tag: value for tag, value in stored.items() if tag != PidTagSatchelAbsent}
        for tag in self._absent:
            self._cache.setdefault(tag, None)
        return self._cache

    def text(self, tag: int) -> str | None:
        """As `get`, of a string."""
        value = self.get(tag)
        return value if isinstance(value, str) else None


Rule = Callable[[Known], Value]


def _constant(value: Value) -> Rule:
    return lambda _known: value


def _same(tag: int) -> Rule:
    return lambda known: known.get(tag)


# -- people ---------------------------------------------------------------------------------------------


def _person(prefix: str) -> tuple[int, int, int, int, int, int]:
    """Tags of an address property group (MS-OXCMAIL 2.6.4): the ends below, in order."""
    ends = ("Name", "AddressType", "EmailAddress", "SmtpAddress", "EntryId", "SearchKey")
    return tuple(tags.BY_NAME[f"PidTag{prefix}{end}"] for end in ends)  # type: ignore[return-value]


def _type(address: int) -> Rule:
    return lambda known: SMTP if known.get(address) is not None else None


def _smtp(kind: int, address: int) -> Rule:
    return lambda known: known.get(address) if known.get(kind) == SMTP else None


def _entry_id(name: int, kind: int, address: int) -> Rule:
    def rule(known: Known) -> Value:
        display, type_, plain = known.text(name), known.text(kind), known.text(address)
        return None if display is None or type_ is None or plain is None else one_off(display, type_, plain)

    return rule


def _search_key(kind: int, address: int) -> Rule:
    def rule(known: Known) -> Value:
        type_, plain = known.text(kind), known.text(address)
        return None if type_ is None or plain is None else search_key(type_, plain)

    return rule


def _group(prefix: str) -> dict[int, Rule]:
    name, kind, address, smtp, entry_id, key = _person(prefix)
    return {
        kind: _type(address),
        smtp: _smtp(kind, address),
        entry_id: _entry_id(name, kind, address),
        key: _search_key(kind, address),
    }


_SENDER: dict[int, Rule] = {  # MS-OXCMAIL 2.2.3.1.4: who is represented acts, unless another is named
    tags.PidTagSenderName: _same(tags.PidTagSentRepresentingName),
    tags.PidTagSenderEmailAddress: _same(tags.PidTagSentRepresentingEmailAddress),
}


# -- subjects and conversations -------------------------------------------------------------------------


def _prefix(known: Known) -> Value:
    subject = known.text(tags.PidTagSubject)
    return None if subject is None else conversation.split_subject(subject).prefix


def _normalized(known: Known) -> Value:
    subject, prefix = known.text(tags.PidTagSubject), known.text(tags.PidTagSubjectPrefix)
    return None if subject is None or prefix is None else subject[len(prefix) :]


def _topic(known: Known) -> Value:
    return known.get(tags.PidTagNormalizedSubject) or None


def _conversation_id(known: Known) -> Value:
    index = known.stored(tags.PidTagConversationIndex)
    tracking = known.stored(tags.PidTagConversationIndexTracking) is True
    topic = known.text(tags.PidTagConversationTopic)
    return conversation.conversation_id(index if isinstance(index, bytes) else None, topic, tracking)


def _index(known: Known) -> Value:
    if known.stored(tags.PidTagConversationIndexTracking) is True:
        return None  # then the id comes from the index, which is stored
    ident, moment = known.get(tags.PidTagConversationId), known.get(tags.PidTagClientSubmitTime)
    if isinstance(ident, bytes) and isinstance(moment, int):
        return conversation.new_index(moment, ident)
    return None


def _tracking(known: Known) -> Value:
    return None if known.get(tags.PidTagConversationIndex) is None else False


def _in_reply_to(known: Known) -> Value:
    """The last of the references (RFC 5322 3.6.4)."""
    references = known.text(tags.PidTagInternetReferences)
    words = references.split() if references is not None else []
    return words[-1] if words else None


# -- the rest -------------------------------------------------------------------------------------------


def _priority(known: Known) -> Value:
    importance = known.get(tags.PidTagImportance)
    return importance - 1 if isinstance(importance, int) else None  # MS-OXCMSG 2.2.1.12


def _flags(known: Known) -> Value:
    return MSGFLAG_HAS_ATTACH if known.get(tags.PidTagHasAttachments) is True else 0


def _message_code_page(known: Known) -> Value:
    page = known.get(tags.PidTagInternetCodepage)
    return page if isinstance(page, int) and page < FIRST_EBCDIC_OR_UNICODE else UTF8


_CONSTANTS: Mapping[int, Value] = {
    tags.PidTagMessageClass: NOTE,
    tags.PidTagIconIndex: -1,
    tags.PidTagImportance: 1,
    tags.PidTagSensitivity: 0,
    tags.PidTagSubject: "",
    tags.PidTagDisplayTo: "",
    tags.PidTagDisplayCc: "",
    tags.PidTagDisplayBcc: "",
    tags.PidTagHasAttachments: False,
    tags.PidTagNativeBody: NATIVE_HTML,
    tags.PidTagInternetCodepage: UTF8,
}

_DERIVED: Mapping[int, Rule] = {
    tags.PidTagPriority: _priority,
    tags.PidTagSubjectPrefix: _prefix,
    tags.PidTagNormalizedSubject: _normalized,
    tags.PidTagConversationTopic: _topic,
    tags.PidTagConversationId: _conversation_id,
    tags.PidTagConversationIndex: _index,
    tags.PidTagConversationIndexTracking: _tracking,
    tags.PidTagInReplyToId: _in_reply_to,
    tags.PidTagMessageFlags: _flags,
    tags.PidTagMessageCodepage: _message_code_page,
    **_SENDER,
}

_GROUPS = {
    prefix: _group(prefix)
    for prefix in ("SentRepresenting", "Sender", "ReadReceipt", "ReceivedBy", "ReceivedRepresenting")
}
_PEOPLE = tuple((_person(prefix)[2], tuple(rules)) for prefix, rules in _GROUPS.items())
"""The tag of each address, and what follows from it."""

RULES: Mapping[int, Rule] = {
    **{tag: _constant(value) for tag, value in _CONSTANTS.items()},
    **_DERIVED,
    **{tag: rule for rules in _GROUPS.values() for tag, rule in rules.items()},
}
"""By tag. A rule looks only at properties from which no chain of rules leads back to its own."""


def compact(bag: ReadableBag) -> Bag:
    """The bag without what the rules give."""
    known = Known(bag.get, whole=True)
    kept = dict(bag)
    absent: list[int] = []
    for tag, rule in RULES.items():
        implied = rule(known)
        if tag not in bag:
            if implied is not None:
                absent.append(tag)
        elif implied == bag[tag] and type(implied) is type(bag[tag]):
            del kept[tag]
    if absent:
        kept[PidTagSatchelAbsent] = tuple(sorted(absent))
    return kept


def expand(stored: ReadableBag) -> Bag:
    """The whole of a compact bag."""
    known = Known(stored.get)
    bag = known.begin(stored)
    for tag, value in _CONSTANTS.items():
        bag.setdefault(tag, value)
    for tag in _DERIVED:
        known.get(tag)
    for address, of_address in _PEOPLE:
        if known.get(address) is not None:  # without one, none of them follows
            for tag in of_address:
                known.get(tag)
    return {tag: value for tag, value in bag.items() if value is not None}


def get(stored: Callable[[int], Value], tag: int) -> Value:
    """One property of a compact bag whose stored properties `stored` gives."""
    value = stored(tag)
    if value is not None or tag not in RULES:
        return value
    return Known(stored).get(tag)
