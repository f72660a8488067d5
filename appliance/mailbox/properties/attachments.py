"""An attachment as MAPI shows it: each property by its tag (MS-OXCMSG 2.2.2).

Its bytes are not a property here but of `store.drafts.Attachment` or `mapi.objects.AttachmentObject`; small
ones stand in the bag all the same and are given as PidTagAttachDataBinary.
"""

from appliance.formats import bags
from appliance.mailbox.properties.places import Places
from appliance.mapi import tags
from appliance.mapi.objects import AttachmentObject
from appliance.mapi.types import Bag, ReadableBag, Value
from appliance.store import blobs, names
from appliance.store.drafts import Attachment
from appliance.store.parts import PID_TAG_SATCHEL_BLOB, PID_TAG_SATCHEL_EMBEDDED

OBJECT_ATTACHMENT = 7  # MS-OXCPRPT 2.2.1.7
OVERHEAD = 0x40
"""PidTagAttachSize of an attachment that has nothing yet (MS-OXCMSG 3.2.5.13)."""

_HIDDEN = frozenset({PID_TAG_SATCHEL_BLOB, PID_TAG_SATCHEL_EMBEDDED})


class AttachmentView:
    """An attachment: its stored properties, its number and the bytes of its content."""

    def __init__(self, places: Places, number: int, props: ReadableBag, size: int, *, writable: bool) -> None:
        self._places, self.number, self._props = places, number, props
        self._size, self._writable = size, writable

    def get(self, tag: int) -> Value:
        """A property; None where the attachment has none."""
        if tag == tags.PidTagAttachNumber:
            return self.number
        if tag == tags.PidTagAttachSize:
            return min(self._size + OVERHEAD, 0x7FFF_FFFF)
        if tag == tags.PidTagObjectType:
            return OBJECT_ATTACHMENT
        if tag == tags.PidTagAccessLevel:
            return int(self._writable)
        if tag in (tags.PidTagRecordKey, tags.PidTagInstanceKey):
            return self.number.to_bytes(4, "little")
        if tag in (tags.PidTagStoreRecordKey, tags.PidTagMappingSignature):
            return self._places.guid
        value = self._props.get(tag)
        return _INITIAL.get(tag) if value is None else value

    def tags(self) -> set[int]:
        """Every property that it has."""
        return {*self._props, *_ALWAYS, *_INITIAL} - _HIDDEN


_ALWAYS = frozenset(
    {
        tags.PidTagAttachNumber,
        tags.PidTagAttachSize,
        tags.PidTagObjectType,
        tags.PidTagAccessLevel,
        tags.PidTagRecordKey,
        tags.PidTagInstanceKey,
        tags.PidTagStoreRecordKey,
        tags.PidTagMappingSignature,
    }
)
_INITIAL: Bag = {  # MS-OXCMSG 3.2.5.13
    tags.PidTagRenderingPosition: -1,
    tags.PidTagAttachMethod: 0,
    tags.PidTagAttachFlags: 0,
    tags.PidTagAttachmentFlags: 0,
    tags.PidTagAttachmentHidden: False,
    tags.PidTagAttachmentLinkId: 0,
}


def of_draft(places: Places, attachment: Attachment, *, writable: bool = True) -> AttachmentView:
    """An attachment as a session sees it, changes included."""
    stored = bags.unpack(attachment.base)
    props = {tag: value for tag, value in stored.items() if tag not in attachment.removed}
    props |= attachment.changed
    data = props.get(tags.PidTagAttachDataBinary)
    size = len(data) if isinstance(data, bytes) else 0
    if attachment.data is not None:
        size = attachment.data.size
    elif number := attachment.data_blob():
        size = blobs.info(places.txn, number).size
    elif isinstance(inside := props.get(PID_TAG_SATCHEL_EMBEDDED), bytes):
        size = len(inside)
    return AttachmentView(places, attachment.number, props, size, writable=writable)


def of_object(
    places: Places, number: int, attachment: AttachmentObject, *, writable: bool = False
) -> AttachmentView:
    """An attachment of a message that lives from its MIME."""
    props = dict(attachment.props)
    for (name, kind), value in attachment.named.items():
        if (known := names.find(places.txn, name)) is not None:
            props[known << 16 | kind] = value
    known_size = props.get(tags.PidTagAttachSize)
    size = known_size if isinstance(known_size, int) else 0
    if attachment.content is not None:
        size = attachment.content.size
    return AttachmentView(places, number, props, size, writable=writable)
