"""The elements of messages: content, recipients, attachments, embedded messages (MS-OXCFXICS 2.2.4.2).

    messageContent    = propList messageChildren
    messageChildren   = [MetaTagFXDelProp] *recipient [MetaTagFXDelProp] *attachment
    recipient         = StartRecip propList EndToRecip          PidTagRowid first
    attachment        = NewAttach PidTagAttachNumber attachmentContent EndAttach
    attachmentContent = propList [StartEmbed messageContent EndEmbed]

Filters have their effect on the objects that were asked for, never on what hangs below them (3.2.5.10); where
they have one, MetaTagFXDelProp stands before each kind of sub-objects that is sent.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from appliance.formats.fasttransfer.markers import Marker, MetaTagFXDelProp
from appliance.mailbox.whole import Whole, WholeAttachment
from appliance.mapi import tags
from appliance.mapi.objects import Content
from appliance.mapi.types import Bag, Value
from appliance.rop.fasttransfer.pen import (
    ATTACHMENT_INTERNAL,
    MARKS,
    MESSAGE_INTERNAL,
    RECIPIENT_INTERNAL,
    Pen,
    is_transmitted,
)
from appliance.store.kv import ReadTxn
from appliance.store.parts import MAX_NESTING
from appliance.store.store import Store

PidTagMessageRecipients = 0x0E12000D
PidTagMessageAttachments = 0x0E13000D
PidTagAttachDataObject = 0x3701000D
PidTagContainerHierarchy = 0x360E000D
PidTagContainerContents = 0x360F000D
PidTagFolderAssociatedContents = 0x3610000D
"""Properties that stand for sub-objects (2.2.1.7)."""

_BODY, _HTML, _RTF = tags.PidTagBody >> 16, tags.PidTagHtml >> 16, tags.PidTagRtfCompressed >> 16
_ALL_BODIES = (tags.PidTagBody, tags.PidTagHtml, tags.PidTagBodyHtml, tags.PidTagRtfCompressed)
SMALL = 8192
"""Bytes of a content that are written in one piece with what stands before them."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which properties and sub-objects of an object are sent: all but `ids`, or with `only` just those."""

    ids: frozenset[int] = frozenset()
    only: bool = False
    subobjects: bool = True

    @classmethod
    def of(cls, listed: Iterable[int], *, only: bool = False, subobjects: bool = True) -> "Filter":
        """Of property tags. Types do not matter: the same property may be asked for in two string types."""
        return cls(frozenset(tag >> 16 for tag in listed), only, subobjects)

    def has(self, tag: int) -> bool:
        """Whether a property is sent."""
        return (tag >> 16 in self.ids) is self.only

    def without(self, tags: Iterable[int]) -> "Filter":
        """One that sends less."""
        ids = frozenset(tag >> 16 for tag in tags)
        return Filter(self.ids - ids if self.only else self.ids | ids, self.only, self.subobjects)

    def sends(self, tag: int) -> bool:
        """Whether the sub-objects are sent that the tag stands for."""
        return self.subobjects and self.has(tag)


ALL = Filter()


def del_prop(tag: int) -> bytes:
    """MetaTagFXDelProp for a kind of sub-objects (2.2.4.1.5.1)."""
    return MetaTagFXDelProp.to_bytes(4, "little") + tag.to_bytes(4, "little")


def learn(pen: Pen, txn: ReadTxn, whole: Whole) -> None:
    """Let the pen learn every name of a message but those of embedded ones, which are learned in turn."""
    pen.learn(txn, whole.props)
    pen.learn(txn, whole.large)
    for recipient in whole.recipients:
        pen.learn(txn, recipient)
    for attachment in whole.attachments:
        pen.learn(txn, attachment.props)


def message_content(
    store: Store,
    pen: Pen,
    whole: Whole,
    filter: Filter = ALL,
    *,
    head: Iterable[tuple[int, Value]] = (),
    del_props: bool = False,
    before: bytes = b"",
    depth: int = 0,
) -> Iterator[bytes]:
    """messageContent of a message whose names the pen has learned: `before` (a marker), the properties of
    `head`, then those that the filter lets pass."""
    props, large = sent_values(whole, pen)
    if filter is ALL:
        pairs = pen.chosen(props, MESSAGE_INTERNAL)
    else:
        pairs = [pair for pair in pen.chosen(props, MESSAGE_INTERNAL) if filter.has(pair[0])]
    yield before + pen.props((*head, *pairs))
    for tag, content in large.items():
        if is_transmitted(tag, MESSAGE_INTERNAL) and filter.has(tag):
            yield from pen.big(tag, content)
    yield from message_children(store, pen, whole, filter, del_props=del_props, depth=depth)


def message_children(
    store: Store, pen: Pen, whole: Whole, filter: Filter = ALL, *, del_props: bool = False, depth: int = 0
) -> Iterator[bytes]:
    """messageChildren."""
    if filter.sends(PidTagMessageRecipients):
        out = del_prop(PidTagMessageRecipients) if del_props else b""
        yield out + b"".join(_recipient(pen, recipient) for recipient in whole.recipients)
    if filter.sends(PidTagMessageAttachments):
        if del_props:
            yield del_prop(PidTagMessageAttachments)
        for attachment in whole.attachments:
            number = ((tags.PidTagAttachNumber, attachment.number),)
            yield MARKS[Marker.NEW_ATTACHMENT] + pen.props(number)
            yield from attachment_content(store, pen, attachment, depth=depth)
            yield MARKS[Marker.END_ATTACHMENT]


def sent_values(whole: Whole, pen: Pen) -> tuple[Bag, dict[int, Content]]:
    """The small and the large properties; with best body without the bodies that were made from the original
    one (MS-OXBBODY 2.1.3.1)."""
    have = {tag >> 16 for tag in _ALL_BODIES if tag in whole.props or tag in whole.large}
    if not pen.best_body or len(have) <= 1:
        return whole.props, whole.large
    best = next(number for number in (_HTML, _RTF, _BODY) if number in have)
    others = [tag for tag in _ALL_BODIES if tag >> 16 != best]
    props, large = dict(whole.props), dict(whole.large)
    for tag in others:
        props.pop(tag, None)
        large.pop(tag, None)
    return props, large


def _recipient(pen: Pen, recipient: Bag) -> bytes:
    row = (tags.PidTagRowid, recipient.get(tags.PidTagRowid, 0))
    pairs = pen.chosen(recipient, RECIPIENT_INTERNAL)
    return MARKS[Marker.START_RECIPIENT] + pen.props((row, *pairs)) + MARKS[Marker.END_TO_RECIPIENT]


def attachment_content(
    store: Store, pen: Pen, attachment: WholeAttachment, filter: Filter = ALL, *, depth: int = 0
) -> Iterator[bytes]:
    """attachmentContent. Messages that nest deeper than MAX_NESTING are left out."""
    pairs = [pair for pair in pen.chosen(attachment.props, ATTACHMENT_INTERNAL) if filter.has(pair[0])]
    out = pen.props(pairs)
    content = attachment.content
    if content is not None and filter.has(tags.PidTagAttachDataBinary):
        if content.size <= SMALL:
            yield out + pen.props(((tags.PidTagAttachDataBinary, content.read(0, SMALL)),))
            return
        yield out
        yield from pen.big(tags.PidTagAttachDataBinary, content)
        return
    yield out
    if attachment.embedded is not None and depth < MAX_NESTING and filter.has(PidTagAttachDataObject):
        inner = attachment.embedded()
        with store.read() as txn:
            learn(pen, txn, inner)
        start, end = MARKS[Marker.START_EMBED], MARKS[Marker.END_EMBED]
        yield from message_content(store, pen, inner, before=start, depth=depth + 1)
        yield end
