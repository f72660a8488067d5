"""Bringing back what a mailbox lost, from a store that a backup was loaded into.

Nothing is taken away and nothing overwritten: messages of the backup that the mailbox does not have any more
(by EMAILID, which travels along with copies and moves) come back into the folder of the same path, with their
flags. Named properties get the ids of the store that they come into.
"""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future

from appliance.formats import bags
from appliance.mailbox import folders
from appliance.mailbox.actor import SYSTEM
from appliance.mapi import implied
from appliance.mapi.names import PropertyName
from appliance.mapi.types import Bag
from appliance.store import blobs, classes, contents, messages, names
from appliance.store.check import all_rows
from appliance.store.contents import Row
from appliance.store.edit import editing
from appliance.store.kv import ReadTxn, WriteTxn
from appliance.store.messages import NewMessage
from appliance.store.parts import renumbered
from appliance.store.store import Store

PIECE = 1 << 20
FIRST_NAMED = 0x8000


def missing(
    source: Store, mailbox: int, target: Store, to_mailbox: int
) -> Iterator[tuple[folders.Path, Row]]:
    """The messages of the backup that no folder of the mailbox has (soft-deleted ones count as lost), with
    the path of their folder."""
    with target.read() as txn:
        have = {row.email_id for row in all_rows(txn, to_mailbox)}
    with source.read() as txn:
        listed = list(folders.list_folders(txn, SYSTEM, mailbox, hidden=True))
    for entry in listed:
        with source.read() as txn:
            rows = list(contents.rows(txn, mailbox, entry.folder.fid))
        for row in rows:
            if row.email_id not in have:
                yield entry.path, row


def bring_back(
    source: Store,
    mailbox: int,
    path: folders.Path,
    row: Row,
    target: Store,
    to_mailbox: int,
    *,
    now: int,
) -> "Future[Row]":
    """Put one message of the backup into the mailbox. The future resolves when it is durable."""
    prepared = _blob(source, row.blob, target) if row.blob else None
    with source.read() as txn:
        cold = messages.load(txn, mailbox, row.mid)
        parts = tuple(messages.parts(txn, mailbox, row.mid))
        message_class = classes.name(txn, row.message_class)
        named = _names(txn, cold.bag())
    named_blobs = Counter(number for part in parts for number in messages.part_blobs(part))
    copied = {number: _blob(source, number, target) for number in named_blobs}

    def fn(txn: WriteTxn) -> Row:
        ids = {old: names.assign(txn, name) for old, name in named.items()}
        bag = {_tag(tag, ids): value for tag, value in cold.bag().items()}
        numbers = {old: blobs.bind(txn, blob, named_blobs[old]) for old, blob in copied.items()}
        fid = folders.resolve(txn, to_mailbox, path)
        if fid is None:
            fid = folders.create(txn, SYSTEM, to_mailbox, path, now=now).fid
        with editing(txn, to_mailbox, now=now) as edit:
            new = NewMessage(
                blob=blobs.bind(txn, prepared) if prepared is not None else 0,
                size=row.size - row.prefix,
                bag=bags.pack(implied.compact(bag)),
                compact=True,
                message_class=message_class,
                prefix=cold.prefix,
                flags=contents.RowFlag(row.flags),
                keywords=row.keywords,
                received=row.received,
                importance=row.importance,
                conversation=_bytes(bag.get(messages.PID_TAG_CONVERSATION_ID)),
                message_id=_text(bag.get(messages.PID_TAG_INTERNET_MESSAGE_ID)),
                email_id=row.email_id,
                parts=tuple(renumbered(part, numbers) for part in parts),
            )
            return messages.insert(edit, fid, new)

    return target.write(fn, weight=prepared.weight if prepared is not None else row.size)


def _blob(source: Store, number: int, target: Store) -> blobs.Prepared:
    """The bytes of a blob, prepared for another store; never held whole."""
    writer = blobs.BlobWriter(target)
    with source.read() as txn:
        size = blobs.info(txn, number).size
        structure = blobs.structure(txn, number)
    for offset in range(0, size, PIECE):
        with source.read() as txn:
            future = writer.write(blobs.read(txn, number, offset, PIECE))
        if future is not None:
            future.result()
    return writer.finish(structure)


def _names(txn: ReadTxn, bag: Bag) -> dict[int, PropertyName]:
    found: dict[int, PropertyName] = {}
    for tag in bag:
        if tag >> 16 >= FIRST_NAMED:
            name = names.name_of(txn, tag >> 16)
            if name is not None:
                found[tag >> 16] = name
    return found


def _tag(tag: int, ids: dict[int, int]) -> int:
    return ids.get(tag >> 16, tag >> 16) << 16 | tag & 0xFFFF


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else b""


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
