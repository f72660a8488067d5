"""MIME for messages that were born in MAPI: rendered once, on first need, and kept.

`render_pending` runs in a reader thread before a protocol of bytes (IMAP, POP3) looks at a folder. What
decides the bytes (Message-ID, date, boundaries) comes from the message's own identity, so that rendering
twice, as when two sessions race, gives the same bytes; who commits second finds the first one's blob.
"""

import hashlib
from collections.abc import Iterable
from concurrent.futures import Future

from appliance.convert.mime.fields import Identity
from appliance.convert.mime.render import render
from appliance.directory import domains
from appliance.formats import bags, mime
from appliance.mapi import tags
from appliance.mapi.objects import AttachmentObject, BytesContent, Content, MessageObject, Named
from appliance.mapi.types import Bag, PtypString, Value, type_of
from appliance.store import blobs, contents, folders, mailboxes, messages, names
from appliance.store.contents import Row
from appliance.store.edit import editing
from appliance.store.kv import ReadTxn, WriteTxn
from appliance.store.parts import PART_RECIPIENT, PART_VALUE, Nested, Part
from appliance.store.store import Store

AT_ONCE = 64
"""Messages that are rendered for one look at a folder between two looks at the index."""

FIRST_NAMED = 0x8000


class BlobContent:
    """The bytes of a blob as `Content`: each read in a snapshot of its own."""

    def __init__(self, store: Store, number: int, size: int) -> None:
        self._store, self._number, self.size = store, number, size

    def read(self, offset: int, length: int) -> bytes:
        """Up to `length` bytes from `offset`. Raises NotFound when the blob went meanwhile."""
        with self._store.read() as txn:
            return blobs.read(txn, self._number, offset, length)


def message_object(store: Store, txn: ReadTxn, mailbox: int, mid: int) -> MessageObject:
    """A stored message without MIME as an object. Raises NotFound."""
    bag = messages.load(txn, mailbox, mid).bag()
    return _object(store, txn, bag, messages.parts(txn, mailbox, mid))


def _object(store: Store, txn: ReadTxn, bag: Bag, parts: Iterable[Part]) -> MessageObject:
    recipients: list[Bag] = []
    attachments: list[AttachmentObject] = []
    for part in parts:
        if part.kind == PART_RECIPIENT:
            recipients.append(bags.unpack(part.packed))
        elif part.kind == PART_VALUE:
            bag[part.number] = _large(txn, part)
        else:
            attachments.append(_attachment(store, txn, bags.unpack(part.packed)))
    props, named = _split(txn, bag)
    return MessageObject(props, named, recipients, attachments)


def _large(txn: ReadTxn, part: Part) -> Value:
    """A property of the message that was too big for its bag."""
    data = b"".join(blobs.read(txn, number) for number in messages.part_blobs(part))
    return data.decode("utf-8", "surrogatepass") if type_of(part.number) == PtypString else data


def _attachment(store: Store, txn: ReadTxn, bag: Bag) -> AttachmentObject:
    number = bag.pop(messages.PID_TAG_SATCHEL_BLOB, None)
    inside = bag.pop(messages.PID_TAG_SATCHEL_EMBEDDED, None)
    data = bag.pop(tags.PidTagAttachDataBinary, None)
    props, named = _split(txn, bag)
    content: Content | None = None
    embedded: MessageObject | None = None
    if isinstance(number, int):
        content = BlobContent(store, number, blobs.info(txn, number).size)
    elif isinstance(inside, bytes):
        nested = Nested.parse(inside)
        embedded = _object(store, txn, bags.unpack(nested.packed_bag), nested.parts)
    elif isinstance(data, bytes):
        content = BytesContent(data)
    return AttachmentObject(props, named, content, embedded)


def _split(txn: ReadTxn, bag: Bag) -> tuple[Bag, Named]:
    props: Bag = {}
    named: Named = {}
    for tag, value in bag.items():
        name = names.name_of(txn, tag >> 16) if tag >> 16 >= FIRST_NAMED else None
        if name is None:
            props[tag] = value
        else:
            named[name, tag & 0xFFFF] = value
    return props, named


def render_pending(store: Store, mailbox: int, fid: int) -> int:
    """Render every message of a folder that has no MIME yet; how many there were. Blocks until the bytes are
    durable: call it in a thread. Raises the store's errors."""
    count = 0
    while True:
        with store.read() as txn:
            if folders.find(txn, mailbox, fid) is None:
                return count
            mids = messages.unrendered(txn, mailbox, fid, AT_ONCE)
            guid = mailboxes.identity(txn, mailbox).guid
            domain = domains.get(txn).hostname
        if not mids:
            return count
        futures = [_render(store, mailbox, fid, mid, guid, domain) for mid in mids]
        for future in futures:
            if future is not None:
                future.result()
        count += len(mids)


def _render(
    store: Store, mailbox: int, fid: int, mid: int, guid: bytes, domain: str
) -> "Future[None] | None":
    with store.read() as txn:
        row = contents.find(txn, mailbox, fid, mid)
        if row is None or row.blob:
            return None
        message = message_object(store, txn, mailbox, mid)
    writer, scanner = blobs.BlobWriter(store), mime.Scanner()
    for piece in render(message, _identity(row, guid, domain)):
        scanner.feed(piece)
        spilled = writer.write(piece)
        if spilled is not None:
            spilled.result()
    scan = scanner.finish()
    structure = blobs.Structure(scan.pack(), mime.envelope(scan), mime.bodystructure(scan))
    prepared = writer.finish(structure)

    def attach(txn: WriteTxn) -> None:
        now = contents.find(txn, mailbox, fid, mid)
        if now is None or now.blob or now.cn != row.cn:
            return
        with editing(txn, mailbox, now=row.modified) as edit:
            messages.attach_mime(edit, now, blobs.bind(txn, prepared), prepared.size)

    return store.write(attach, weight=prepared.weight)


def _identity(row: Row, guid: bytes, domain: str) -> Identity:
    """What makes the bytes, from the message's own identity. The seed is not to be guessed by who wrote the
    message: the mailbox's GUID is in it."""
    seed = hashlib.sha256(guid + row.mid.to_bytes(8, "big") + row.cn.to_bytes(8, "big")).digest()
    return Identity(
        message_id=f"<{seed[:16].hex()}@{domain}>",
        date=row.received or row.modified,
        seed=seed,
        domain=domain,
    )
