"""A message in one piece, as synchronisation and FastTransfer send it: every property, recipient, attachment.

A `Whole` holds what is small; big bytes are `Content`, read piece by piece in snapshots of their own, and an
embedded message is made when it is asked for. It comes from a stored message, from one that a session is
working on, or from a message object of a converter: who sends it sees no difference.

Properties are keyed by tag, with the ids of the store for named ones. Big text is UTF-8 in its `Content`, as
the store keeps it. Nothing here checks rights.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from appliance.convert.mime import object as mime_object
from appliance.convert.mime.source import Source
from appliance.formats import bags
from appliance.formats.mime.scan import Scan
from appliance.mailbox.rendered import BlobContent
from appliance.mapi import tags
from appliance.mapi.names import PidNameKeywords
from appliance.mapi.objects import BytesContent, Content, MessageObject, Named
from appliance.mapi.types import Bag, PtypBinary, PtypObject
from appliance.store import blobs, contents, mailboxes, messages, names, versions
from appliance.store.blobs import Prepared
from appliance.store.contents import Row, RowFlag
from appliance.store.drafts import Attachment, Overlay
from appliance.store.kv import ReadTxn
from appliance.store.parts import (
    PART_RECIPIENT,
    PART_VALUE,
    PID_TAG_SATCHEL_BLOB,
    PID_TAG_SATCHEL_EMBEDDED,
    Nested,
    Part,
    part_blobs,
)
from appliance.store.store import Store
from appliance.store.tables.sources import (
    FLAG_COMPLETED,
    FLAGGED,
    ICON_REPLIED,
    ICON_SENT_ON,
    NO_ICON,
    RED_FLAG,
    REPLIED,
    SENT_ON,
    STATUS,
    message_flags,
)

INLINE = 65536
"""Bytes of an attachment that are sent from memory."""


@dataclass(slots=True)
class WholeAttachment:
    """An attachment: `props` without its bytes; they are `content`, or `embedded` makes the message."""

    number: int
    props: Bag
    content: Content | None = None
    embedded: "Callable[[], Whole] | None" = None


@dataclass(slots=True)
class Whole:
    """A message. `large` are the properties whose bytes are read piece by piece; recipients have their row
    id in PidTagRowid."""

    props: Bag
    large: dict[int, Content] = field(default_factory=dict)
    recipients: list[Bag] = field(default_factory=list)
    attachments: list[WholeAttachment] = field(default_factory=list)


# -- stored messages ----------------------------------------------------------------------------------------


def stored(store: Store, txn: ReadTxn, mailbox: int, row: Row, *, read: bool | None = None) -> Whole:
    """A stored message. `read` overrides its read state (public folders: each user has an own one). Raises
    NotFound."""
    cold = messages.load(txn, mailbox, row.mid)
    bag = cold.bag()
    if row.blob and not row.flags & RowFlag.MATERIALIZED:
        whole = _from_mime(store, txn, row, cold.prefix, bag)
    else:
        whole = _from_parts(store, txn, bag, messages.parts(txn, mailbox, row.mid))
    _add_facts(txn, mailbox, whole.props, row, read)
    return whole


def _add_facts(txn: ReadTxn, mailbox: int, props: Bag, row: Row, read: bool | None) -> None:
    """What the row knows better than the bag, in the form in which `properties.messages` shows it."""
    flags = int(row.flags)
    if read is not None:
        flags = flags | _SEEN if read else flags & ~_SEEN
        row = row._replace(flags=flags)
    props[tags.PidTagMessageFlags] = message_flags(row)
    props[tags.PidTagMessageDeliveryTime] = row.received
    props[tags.PidTagLastModificationTime] = row.modified
    props[tags.PidTagImportance] = row.importance
    if tags.PidTagCreationTime not in props:
        props[tags.PidTagCreationTime] = row.saved
    if tags.PidTagSearchKey not in props:
        guid = mailboxes.identity(txn, mailbox).guid
        props[tags.PidTagSearchKey] = guid[:8] + row.email_id.to_bytes(8, "big")
    props.pop(tags.PidTagFlagStatus, None)
    if flags & _SHOWN:
        _add_state(props, flags)
    status = sum(bit for flag, bit in _STATUS if flags & flag)
    if status or tags.PidTagMessageStatus in props:
        props[tags.PidTagMessageStatus] = status
    if row.keywords:
        _add_keywords(txn, props, row.keywords)
    for tag in versions.STORED:
        props.pop(tag, None)


# Plain numbers: arithmetic of flags makes an object for each result.
_SHOWN = int(RowFlag.FLAGGED | RowFlag.FLAG_COMPLETE | RowFlag.ANSWERED | RowFlag.FORWARDED)
_SEEN = int(RowFlag.SEEN)
_STATUS = tuple((int(flag), bit) for flag, bit in STATUS)


def _add_state(props: Bag, flags: int) -> None:
    """Flags of IMAP as the properties that Outlook knows."""
    if flags & RowFlag.FLAG_COMPLETE:
        props[tags.PidTagFlagStatus] = FLAG_COMPLETED
    elif flags & RowFlag.FLAGGED:
        props[tags.PidTagFlagStatus] = FLAGGED
        props.setdefault(tags.PidTagFollowupIcon, RED_FLAG)
    if flags & (RowFlag.ANSWERED | RowFlag.FORWARDED):
        replied = bool(flags & RowFlag.ANSWERED)
        props.setdefault(tags.PidTagLastVerbExecuted, REPLIED if replied else SENT_ON)
        if props.get(tags.PidTagIconIndex, NO_ICON) == NO_ICON:
            props[tags.PidTagIconIndex] = ICON_REPLIED if replied else ICON_SENT_ON


def _add_keywords(txn: ReadTxn, props: Bag, keywords: tuple[str, ...]) -> None:
    """Keywords of IMAP as categories, where the message has none of its own."""
    shown = tuple(word for word in keywords if not word.startswith("$"))
    number = names.find(txn, PidNameKeywords.name)
    if shown and number is not None:
        props.setdefault(number << 16 | PidNameKeywords.type, shown)


def _from_mime(store: Store, txn: ReadTxn, row: Row, prefix: bytes, bag: Bag) -> Whole:
    structure = blobs.structure(txn, row.blob)
    if structure is None:
        return Whole(bag)
    content = BlobContent(store, row.blob, row.size - row.prefix)

    def read(offset: int, length: int) -> bytes:
        return content.read(offset, length)

    made = mime_object.completed(bag, Source(Scan.unpack(structure.scan), _first_read(txn, row, read)))
    headers = made.props.get(tags.PidTagTransportMessageHeaders)
    if prefix and isinstance(headers, str):
        made.props[tags.PidTagTransportMessageHeaders] = prefix.decode("utf-8", "replace") + headers
    return from_object(txn, made)


def _first_read(txn: ReadTxn, row: Row, later: Callable[[int, int], bytes]) -> Callable[[int, int], bytes]:
    """Reads from one chunk that is decoded once; what lies beyond it is read when it is asked for."""
    start = blobs.read(txn, row.blob, 0, blobs.CHUNK)

    def read(offset: int, length: int) -> bytes:
        if offset + length <= len(start) or len(start) < blobs.CHUNK:
            return start[offset : offset + length]
        return later(offset, length)

    return read


def _from_parts(store: Store, txn: ReadTxn, bag: Bag, parts: Iterable[Part]) -> Whole:
    whole = Whole(bag)
    for part in parts:
        if part.kind == PART_RECIPIENT:
            whole.recipients.append({tags.PidTagRowid: part.number, **bags.unpack(part.packed)})
        elif part.kind == PART_VALUE:
            whole.large[part.number] = _blob(store, txn, part_blobs(part)[0])
        else:
            whole.attachments.append(_attachment(store, txn, part.number, bags.unpack(part.packed)))
    return whole


def _blob(store: Store, txn: ReadTxn, number: int) -> Content:
    return BlobContent(store, number, blobs.info(txn, number).size)


def _attachment(store: Store, txn: ReadTxn, number: int, bag: Bag) -> WholeAttachment:
    blob, inside = bag.pop(PID_TAG_SATCHEL_BLOB, None), bag.pop(PID_TAG_SATCHEL_EMBEDDED, None)
    data = bag.pop(tags.PidTagAttachDataBinary, None)
    made = WholeAttachment(number, bag)
    if isinstance(blob, int):
        made.content = _blob(store, txn, blob)
    elif isinstance(inside, bytes):
        made.embedded = lambda: _nested(store, inside)
    elif isinstance(data, bytes):
        made.content = BytesContent(data)
    return made


def _nested(store: Store, packed: bytes) -> Whole:
    nested = Nested.parse(packed)
    with store.read() as txn:
        return _from_parts(store, txn, bags.unpack(nested.packed_bag), nested.parts)


# -- message objects of converters --------------------------------------------------------------------------


def from_object(txn: ReadTxn, made: MessageObject) -> Whole:
    """A message object; named properties whose names the store does not know are left out."""
    whole = Whole({**made.props, **_by_id(txn, made.named)})
    for number, bag in enumerate(made.recipients):
        whole.recipients.append({tags.PidTagRowid: number, **bag})
    for number, attachment in enumerate(made.attachments):
        props = {**attachment.props, **_by_id(txn, attachment.named)}
        one = WholeAttachment(number, props, attachment.content)
        if attachment.embedded is not None:
            inner = from_object(txn, attachment.embedded)
            one.embedded = lambda inner=inner: inner
        whole.attachments.append(one)
    return whole


def _by_id(txn: ReadTxn, named: Named) -> Bag:
    found = {(names.find(txn, name), kind): value for (name, kind), value in named.items()}
    return {number << 16 | kind: value for (number, kind), value in found.items() if number is not None}


class Unbound:
    """Bytes that are ready to be bound as `Content`, while their lease lasts."""

    def __init__(self, store: Store, prepared: Prepared) -> None:
        self._store, self._prepared, self.size = store, prepared, prepared.size

    def read(self, offset: int, length: int) -> bytes:
        """As `Content`. Raises Conflict when they are gone."""
        with self._store.read() as txn:
            return blobs.read_prepared(txn, self._prepared, offset, length)


# -- messages under work ------------------------------------------------------------------------------------


def overlaid(store: Store, txn: ReadTxn, overlay: Overlay) -> Whole:
    """A message that a session works on, or one embedded in it, as the session sees it."""
    whole = Whole(overlay.bag())
    for tag, prepared in overlay.values.items():
        whole.large[tag] = Unbound(store, prepared)
    for tag, number in overlay.large().items():
        whole.large[tag] = _blob(store, txn, number)
    for number, bag in overlay.recipient_rows().items():
        whole.recipients.append({tags.PidTagRowid: number, **bag})
    for number in overlay.attachment_numbers():
        whole.attachments.append(attached(store, txn, overlay.attachment(number)))
    return whole


def attached(store: Store, txn: ReadTxn, attachment: Attachment) -> WholeAttachment:
    """An attachment that a session works on."""
    bag = {tag: value for tag, value in bags.unpack(attachment.base).items() if tag not in attachment.removed}
    replaced = attachment.data is not None or attachment.embedded is not None
    if replaced or tags.PidTagAttachDataBinary in attachment.changed:
        for tag in (tags.PidTagAttachDataBinary, PID_TAG_SATCHEL_BLOB, PID_TAG_SATCHEL_EMBEDDED):
            bag.pop(tag, None)
    made = _attachment(store, txn, attachment.number, bag | attachment.changed)
    if attachment.data is not None:
        made.content = Unbound(store, attachment.data)
    if attachment.embedded is not None:
        inner = attachment.embedded
        made.embedded = lambda: _overlaid_anew(store, inner)
    return made


def _overlaid_anew(store: Store, overlay: Overlay) -> Whole:
    with store.read() as txn:
        return overlaid(store, txn, overlay)


def is_object(tag: int) -> bool:
    """Whether the tag is an attachment's bytes, in either form (PidTagAttachDataBinary, -Object)."""
    return tag >> 16 == tags.PidTagAttachDataBinary >> 16 and tag & 0xFFFF in (PtypBinary, PtypObject)


def row_of(txn: ReadTxn, mailbox: int, fid: int, mid: int) -> Row | None:
    """The row of a message of a folder, normal or associated; None when it is not there."""
    return contents.find(txn, mailbox, fid, mid) or contents.find(txn, mailbox, fid, mid, True)
