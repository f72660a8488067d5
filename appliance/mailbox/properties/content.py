"""A message that lives from its MIME, in the form that can be changed, copied and synchronised: an object.

`whole` gives a stored message as a `MessageObject`, whatever it lives from; its contents can be read after
the snapshot has ended, each read in a snapshot of its own. `materialize` gives a draft the content of its
message, so that the content may be changed: bytes over INLINE go to blobs on the way, as a client's would.
"""

from collections.abc import Iterable
from dataclasses import replace

from appliance.convert.mime.object import to_object
from appliance.formats.mime.scan import Scan
from appliance.mailbox.rendered import message_object
from appliance.mapi import tags
from appliance.mapi.objects import AttachmentObject, Content, MessageObject, Named, chunks
from appliance.mapi.types import Bag, Value
from appliance.store import blobs, contents, messages, names
from appliance.store.blobs import BlobWriter, Prepared
from appliance.store.contents import Row, RowFlag
from appliance.store.drafts import INLINE, Attachment, Draft, Overlay, large_bytes
from appliance.store.errors import NotFound
from appliance.store.kv import ReadTxn
from appliance.store.store import Store

WINDOW = 65536
"""Bytes that are read ahead of small reads, so that parsing a message takes few snapshots."""


class _Bytes:
    """Reads the bytes of a blob at any time."""

    def __init__(self, store: Store, blob: int) -> None:
        self._store, self._blob = store, blob
        self._start, self._window = 0, b""

    def __call__(self, offset: int, length: int) -> bytes:
        inside = offset - self._start
        if inside >= 0 and inside + length <= len(self._window):
            return self._window[inside : inside + length]
        with self._store.read() as txn:
            found = blobs.read(txn, self._blob, offset, max(length, WINDOW))
        self._start, self._window = offset, found[:WINDOW]
        return found[:length]


def lives_from_mime(row: Row) -> bool:
    """Whether recipients, attachments and bodies of a message stand in its MIME alone."""
    return bool(row.blob) and not row.flags & RowFlag.MATERIALIZED


def whole(store: Store, txn: ReadTxn, mailbox: int, row: Row) -> MessageObject:
    """A stored message as an object. Raises NotFound.

    The properties are those of the store; of a message that lives from its MIME, with its bodies, recipients,
    attachments and headers."""
    if not lives_from_mime(row):
        return message_object(store, txn, mailbox, row.mid)
    structure = blobs.structure(txn, row.blob)
    if structure is None:
        raise NotFound(f"the structure of blob {row.blob}")
    made = to_object(Scan.unpack(structure.scan), _Bytes(store, row.blob))
    return replace(made, props={**made.props, **messages.load(txn, mailbox, row.mid).bag()})


def materialize(store: Store, draft: Draft) -> None:
    """Give a draft the content of its message, if it does not have it yet. Blocks until large contents are
    durable: call it in a thread, outside a transaction. Raises NotFound and the store's errors."""
    if draft.materialized:
        return
    with store.read() as txn:
        row = contents.get(txn, draft.mailbox, draft.fid, draft.mid, draft.associated)
        made = whole(store, txn, draft.mailbox, row)
    draft.materialize(overlay(store, made))


def overlay(store: Store, message: MessageObject) -> Overlay:
    """An object as a new message's overlay: for saving it, and as the base of changes. Named properties get
    their ids, as far as the limit for mail admits. Blocks, as `materialize`."""
    result = Overlay()
    _set(store, result, {**message.props, **_ids(store, message.named)})
    for number, bag in enumerate(message.recipients):
        result.put_recipient(number, bag)
    for attachment in message.attachments:
        result.put_attachment(_attachment(store, result.new_attachment(), attachment))
    return result


def _set(store: Store, result: Overlay, bag: Bag) -> None:
    for tag, value in bag.items():
        if tag in _NOT_SET or value is None:
            continue
        if isinstance(value, bytes | str) and len(value) > INLINE // 3:
            data = large_bytes(value, tag)
            if len(data) > INLINE:
                result.set_large(tag, _written(store, [data]))
                continue
        result.set(tag, value)


_NOT_SET = frozenset(
    {
        tags.PidTagMessageSize,
        tags.PidTagMessageSizeExtended,
        tags.PidTagChangeKey,
        tags.PidTagPredecessorChangeList,
        tags.PidTagChangeNumber,
    }
)
"""What is never a part of content."""


def _attachment(store: Store, result: Attachment, given: AttachmentObject) -> Attachment:
    bag = {**given.props, **_ids(store, given.named)}
    for tag, value in bag.items():
        if tag not in (tags.PidTagAttachNumber, tags.PidTagAttachDataBinary):
            result.set(tag, value)
    if given.embedded is not None:
        result.put_embedded(overlay(store, given.embedded))
    elif given.content is not None:
        _fill(store, result, given.content)
    elif isinstance(data := bag.get(tags.PidTagAttachDataBinary), bytes):
        result.set(tags.PidTagAttachDataBinary, data)
    return result


def _fill(store: Store, result: Attachment, content: Content) -> None:
    start = content.read(0, INLINE + 1)
    if len(start) <= INLINE:
        result.set(tags.PidTagAttachDataBinary, start)
    else:
        result.set_data(_written(store, chunks(content)))


def _written(store: Store, pieces: Iterable[bytes]) -> Prepared:
    writer = BlobWriter(store)
    for piece in pieces:
        if (spilled := writer.write(piece)) is not None:
            spilled.result()
    return writer.finish()


def _ids(store: Store, named: Named) -> dict[int, Value]:
    """Properties by name as properties by tag."""
    if not named:
        return {}
    with store.read() as txn:
        found = {key: names.find(txn, key[0]) for key in named}
    if all(number is not None for number in found.values()):
        return {(number or 0) << 16 | key[1]: named[key] for key, number in found.items()}
    return store.write(lambda txn: names.map_from_mail(txn, named)).result()
