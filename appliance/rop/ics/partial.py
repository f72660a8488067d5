"""Partial changes of messages: messageChangePartial (MS-OXCFXICS 2.2.4.3.15, 3.2.5.7).

    messageChangePartial = groupInfo MetaTagIncrSyncGroupId IncrSyncChgPartial messageChangeHeader
                           *(MetaTagIncrementalSyncMessagePartial propList) messageChildren

The folder's log says which groups of properties changed since the client's state. A change is sent in part
only where the log covers all that the client has not seen, the client was given the message, and all that
happened to it is known: otherwise the whole message is sent, which is always right. So it is for a property
that went and that no group lists: no partial change could say so.
"""

import struct
from collections.abc import Container, Iterable, Iterator

from appliance.formats.fasttransfer.markers import (
    Marker,
    MetaTagIncrementalSyncMessagePartial,
    MetaTagIncrSyncGroupId,
)
from appliance.mailbox.whole import Whole
from appliance.mapi.groups import NAMED, TAGS, Group
from appliance.mapi.names import PropertyName
from appliance.mapi.types import Value
from appliance.rop.fasttransfer.elements import (
    Filter,
    PidTagMessageAttachments,
    PidTagMessageRecipients,
    message_children,
    sent_values,
)
from appliance.rop.fasttransfer.pen import MARKS, MESSAGE_INTERNAL, Pen, is_transmitted
from appliance.store import log, names
from appliance.store.groups import MASKS
from appliance.store.kv import ReadTxn
from appliance.store.log import Kind, Mask
from appliance.store.mailboxes import FIRST_NUMBER
from appliance.store.store import Store

GROUP_ID = 1
"""Of the only mapping."""
EMPTY_GROUP = 0x00000003
"""A property that stands for a group which changed and has no property."""
_BLOB = 0x00000102
_STATE = Mask.READ | Mask.FLAGS | Mask.KEYWORDS
_SUBOBJECTS = {Group.PEOPLE: PidTagMessageRecipients, Group.ATTACHMENTS: PidTagMessageAttachments}


def changed_groups(
    txn: ReadTxn, mailbox: int, fid: int, since: int, wanted: Container[int]
) -> dict[int, frozenset[Group]]:
    """The groups that changed after a number of those messages, by MID, of which all is known."""
    if since < max(log.floor(txn, mailbox), FIRST_NUMBER):
        return {}
    found: dict[int, set[Group]] = {}
    unknown: set[int] = set()
    for change in log.changes(txn, mailbox, fid, since):
        if change.mid in wanted:
            groups = _groups(Kind(change.kind), Mask(change.mask))
            if groups is None:
                unknown.add(change.mid)
            else:
                found.setdefault(change.mid, set()).update(groups)
    return {mid: frozenset(groups) for mid, groups in found.items() if groups and mid not in unknown}


def _groups(kind: Kind, mask: Mask) -> set[Group] | None:
    """The groups that a record tells of, None where it does not tell."""
    if mask & (Mask.ASSOCIATED | Mask.REMOVED):
        return None
    if kind is Kind.CHANGED:
        return {Group.NOTES}
    if kind is Kind.FLAGS:
        return {Group.NOTES} if mask & _STATE else set()
    if kind is Kind.RENUMBERED and mask:
        return {group for group, bit in MASKS.items() if mask & bit}
    return None


class Mapping:
    """The property group mapping of a download, with the named properties that the store knows."""

    def __init__(self, txn: ReadTxn, pen: Pen) -> None:
        packed, self._members = bytearray(), dict[int, Group]()
        for group, listed in TAGS.items():
            named = [(number, tag) for tag in NAMED.get(group, ()) if (number := names.find(txn, tag.name))]
            packed += struct.pack("<I", len(listed) + len(named))
            packed += struct.pack(f"<{len(listed)}I", *listed)
            for number, tag in named:
                packed += struct.pack("<I", number << 16 | tag.type) + _packed_name(tag.name)
            self._members |= {tag >> 16: group for tag in listed}
            self._members |= {number: group for number, _ in named}
        info = struct.pack("<III", GROUP_ID, 0, len(TAGS)) + packed
        self.head = MARKS[Marker.INCR_SYNC_GROUP_INFO] + pen.props(((_BLOB, info),))
        self.head += pen.props(((MetaTagIncrSyncGroupId, GROUP_ID),))
        self.head += MARKS[Marker.INCR_SYNC_CHANGE_PARTIAL]

    def group_of(self, tag: int) -> Group:
        """The group of a property."""
        return self._members.get(tag >> 16, Group.REST)


def _packed_name(name: PropertyName) -> bytes:
    """GroupPropertyName (2.2.2.8.1.1)."""
    which = name.lid_or_name
    if isinstance(which, int):
        return name.guid + struct.pack("<II", 0, which)
    text = which.encode("utf-16-le")
    return name.guid + struct.pack("<II", 1, len(text)) + text


def message_change_partial(
    store: Store,
    pen: Pen,
    whole: Whole,
    filter: Filter,
    mapping: Mapping,
    groups: frozenset[Group],
    *,
    header: Iterable[tuple[int, Value]],
    before: bytes = b"",
) -> Iterator[bytes]:
    """messageChangePartial of a message whose names the pen has learned; `before` is progressPerMessage."""
    props, large = sent_values(whole, pen)
    pairs = [pair for pair in pen.chosen(props, MESSAGE_INTERNAL) if filter.has(pair[0])]
    big = {tag: content for tag, content in large.items() if is_transmitted(tag, MESSAGE_INTERNAL)}
    yield before + mapping.head + pen.props(header)
    for group in sorted(groups):
        small = [pair for pair in pairs if mapping.group_of(pair[0]) is group]
        lasting = [tag for tag in big if mapping.group_of(tag) is group and filter.has(tag)]
        if not small and not lasting:
            small = [(EMPTY_GROUP, 0)]
        index = int(group) - (1 << 32 if group is Group.REST else 0)
        yield pen.props(((MetaTagIncrementalSyncMessagePartial, index), *small))
        for tag in lasting:
            yield from pen.big(tag, big[tag])
    same = (tag for group, tag in _SUBOBJECTS.items() if group not in groups)
    yield from message_children(store, pen, whole, filter.without(same), del_props=True)
