"""Messages: insert, change, copy, move, delete, restore, purge. Plain functions of an `Edit`.

Invariants:
- Move and copy make a new MID, CN and UID; the EMAILID (`email_id`) and thread travel along, but for a copy
  into another mailbox, where the number may be taken.
- The bytes under a UID never change: a change of content takes a new UID and logs the old one as gone.
- Flags, read state and keywords move `mod`, read state `read_cn` too; `cn` only moves with properties.
- A soft-deleted message keeps FID, MID and blob; its UID is gone for ever.
- The folder's and the mailbox's counts and sizes follow in the same transaction.
- A new message's MID is the number of the change that made it: messages that come one after the other have
  ids in a row, and sets of their ids stay small (MS-OXCFXICS 3.1.5.5).
"""

import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import NamedTuple

from appliance.formats import bags
from appliance.mapi import implied
from appliance.mapi.types import Value, is_named
from appliance.store import blobs, classes, contents, indexes, log, uids, views
from appliance.store import parts as part_rows
from appliance.store.contents import Deleted, Row, RowFlag
from appliance.store.edit import Edit
from appliance.store.errors import LimitReached, NotFound
from appliance.store.keys import Table, head_q, head_qq, pack, successor, tail_q
from appliance.store.kv import ReadTxn, WriteTxn
from appliance.store.mailboxes import COUNTER_LIMIT
from appliance.store.parts import (
    PART_ATTACHMENT,
    PART_RECIPIENT,
    PART_VALUE,
    PID_TAG_SATCHEL_BLOB,
    PID_TAG_SATCHEL_EMBEDDED,
    Part,
    part_blobs,
    parts,
)
from appliance.store.versions import Version, imported

__all__ = [
    "PART_ATTACHMENT",
    "PART_RECIPIENT",
    "PART_VALUE",
    "PID_TAG_SATCHEL_BLOB",
    "PID_TAG_SATCHEL_EMBEDDED",
    "Message",
    "NewMessage",
    "Part",
    "annotate",
    "attach_mime",
    "by_conversation",
    "by_message_id",
    "check_keywords",
    "copy",
    "insert",
    "load",
    "move",
    "part_blobs",
    "parts",
    "purge",
    "purge_deleted",
    "read",
    "restore",
    "rewrite",
    "set_state",
    "soft_delete",
    "unrendered",
]

MAX_KEYWORDS = 64
MAX_KEYWORD = 128
"""Keywords of a message and characters of a keyword, at most."""

MAX_PREFIX = 8192
"""Bytes of trace headers, at most."""

MAX_UID = (1 << 32) - 2

UNPACKED = 8192
"""Bytes of a packed bag that is unpacked whole where several properties are asked for."""

_COLD = struct.Struct("<BH")
_PLAIN, _COMPACT = 1, 2


@dataclass(frozen=True, slots=True)
class NewMessage:
    """What `insert` stores. `blob` is bound already (0 for none) and this message's reference is counted;
    `size` are the blob's bytes, or the object's size without one; `bag` the packed properties;
    `compact`: whether it is a compact one of `mapi.implied`; `conversation` 16 bytes or empty; `received`
    FILETIME. `email_id` 0 takes the new MID's counter; `modified` 0 the time of the edit."""

    blob: int
    size: int
    bag: bytes
    message_class: str = "IPM.Note"
    prefix: bytes = b""
    flags: RowFlag = RowFlag.NONE
    keywords: tuple[str, ...] = ()
    received: int = 0
    importance: int = 1
    associated: bool = False
    conversation: bytes = b""
    message_id: str = ""
    email_id: int = 0
    parts: tuple[Part, ...] = ()
    compact: bool = False
    modified: int = 0

    @property
    def cold(self) -> "Message":
        """The cold part of the row."""
        return Message(self.prefix, self.bag, self.compact)


class Message(NamedTuple):
    """The cold part: trace headers and packed properties. In a compact bag what follows from other properties
    is not stored (`mapi.implied`): `packed_bag` lacks it, `bag` and `get` have it."""

    prefix: bytes
    packed_bag: bytes
    compact: bool = False

    def bag(self) -> dict[int, Value]:
        """The properties."""
        stored = bags.unpack(self.packed_bag)
        return implied.expand(stored) if self.compact else stored

    def reader(self) -> Callable[[int], Value]:
        """`get` for who asks for several: what is found or follows once is kept."""
        stored: Callable[[int], Value] = partial(bags.get, self.packed_bag)
        if len(self.packed_bag) <= UNPACKED:
            stored = bags.unpack(self.packed_bag).get
        return implied.Known(stored).get if self.compact else stored

    def has_named(self) -> bool:
        """Whether it has named properties; rules give none."""
        found = bags.tags(self.packed_bag)
        return bool(found) and is_named(found[-1])  # tags rise

    def get(self, tag: int) -> Value | None:
        """One property without unpacking the others."""
        if self.compact:
            return implied.get(partial(bags.get, self.packed_bag), tag)
        return bags.get(self.packed_bag, tag)


def load(txn: ReadTxn, mailbox: int, mid: int) -> Message:
    """The cold part of a message. Raises NotFound."""
    raw = txn.get(head_q(mailbox, Table.MESSAGES, mid))
    if raw is None:
        raise NotFound(f"message {mid:#x}")
    return _message(raw)


def prefixes(txn: ReadTxn, mailbox: int, mids: Sequence[int]) -> list[bytes]:
    """The trace headers of many messages, in one pass. Raises NotFound."""
    found = txn.get_many([head_q(mailbox, Table.MESSAGES, mid) for mid in mids])
    if len(found) != len(mids):
        raise NotFound("a message's cold row")
    return [raw[3 : 3 + _COLD.unpack_from(raw)[1]] for _, raw in found]


def _message(raw: bytes) -> Message:
    form, length = _COLD.unpack_from(raw)
    return Message(raw[3 : 3 + length], raw[3 + length :], form == _COMPACT)


def read(txn: ReadTxn, mailbox: int, row: Row, offset: int = 0, length: int = blobs.MAX_SIZE) -> bytes:
    """Up to `length` bytes of a message's MIME from `offset`: its trace headers, then the blob. Empty for a
    message without MIME."""
    if not row.blob:
        return b""
    if offset >= row.prefix:
        return blobs.read(txn, row.blob, offset - row.prefix, length)
    head = load(txn, mailbox, row.mid).prefix[offset : offset + length]
    return head + blobs.read(txn, row.blob, 0, length - len(head)) if length > len(head) else head


def _store_cold(txn: WriteTxn, mailbox: int, mid: int, cold: Message) -> None:
    fixed = _COLD.pack(_COMPACT if cold.compact else _PLAIN, len(cold.prefix))
    txn.put(head_q(mailbox, Table.MESSAGES, mid), fixed + cold.prefix + cold.packed_bag)


def check_keywords(keywords: Iterable[str]) -> tuple[str, ...]:
    """Keywords without doubles (compared case-insensitively), in order. Raises LimitReached."""
    seen: dict[str, str] = {}
    for keyword in keywords:
        if not keyword or len(keyword) > MAX_KEYWORD:
            raise LimitReached(f"a keyword has 1 to {MAX_KEYWORD} characters")
        seen.setdefault(keyword.casefold(), keyword)
    if len(seen) > MAX_KEYWORDS:
        raise LimitReached(f"a message has at most {MAX_KEYWORDS} keywords")
    return tuple(seen.values())


def insert(edit: Edit, fid: int, new: NewMessage, kind: log.Kind = log.Kind.CREATED, *, mid: int = 0) -> Row:
    """Add a message to a folder, under a new MID unless the caller has one that nothing else will ever have.
    Raises NotFound for the folder, LimitReached."""
    number = edit.number()
    mid = mid or edit.cn(number)
    row = Row(
        fid=fid,
        mid=mid,
        associated=new.associated,
        flags=int(new.flags),
        uid=0,
        size=len(new.prefix) + new.size,
        prefix=len(new.prefix),
        message_class=classes.number(edit.txn, new.message_class),
        importance=new.importance,
        origin=0,
        cn=edit.cn(number),
        read_cn=edit.cn(number),
        mod=number,
        blob=new.blob,
        received=new.received,
        modified=new.modified or edit.now,
        saved=edit.now,
        email_id=new.email_id or mid & COUNTER_LIMIT,
        thread_id=int.from_bytes(new.conversation[:8], "big"),
        keywords=check_keywords(new.keywords),
    )
    _store_cold(edit.txn, edit.mailbox, mid, new.cold)
    part_rows.put(edit.txn, edit.mailbox, mid, new.parts)
    _index(edit, fid, mid, new.message_id, new.conversation)
    if not row.associated:
        indexes.add(edit.txn, edit.mailbox, fid, mid, new.bag)
    return _place(edit, row, kind)


def _place(
    edit: Edit,
    row: Row,
    kind: log.Kind,
    mask: log.Mask = log.Mask.NONE,
    *,
    old_fid: int = 0,
    old_mid: int = 0,
    old_uid: int = 0,
) -> Row:
    """Put a row into its folder under a new UID, count it, log it."""
    if not row.associated:
        row = row._replace(uid=_new_uid(edit, row))
    contents.put(edit.txn, edit.mailbox, row)
    views.placed(edit.txn, edit.mailbox, row, _bag(edit, row.mid))
    _count(edit, row, 1)
    if not row.blob and not row.associated:
        edit.txn.put(head_qq(edit.mailbox, Table.UNRENDERED, row.fid, row.mid), b"")
    mask |= log.Mask.ASSOCIATED if row.associated else log.Mask.NONE
    edit.log(
        row.fid,
        row.mod,
        kind,
        mid=row.mid,
        uid=row.uid,
        mask=mask,
        old_fid=old_fid,
        old_mid=old_mid,
        old_uid=old_uid,
    )
    return row


def _bag(edit: Edit, mid: int) -> views.Bag:
    """Reads the properties that a kept order needs, if it needs any."""

    def read() -> bytes | None:
        raw = edit.txn.get(head_q(edit.mailbox, Table.MESSAGES, mid))
        return _message(raw).packed_bag if raw is not None else None

    return read


def _new_uid(edit: Edit, row: Row) -> int:
    folder = edit.folder(row.fid)
    uid = folder.uidnext
    if uid > MAX_UID:
        raise LimitReached(f"folder {row.fid:#x} has used every UID")
    folder.uidnext += 1
    uids.append(edit.txn, edit.mailbox, row.fid, uid, row.mid)
    return uid


def _count(edit: Edit, row: Row, by: int) -> None:
    folder, box = edit.folder(row.fid), edit.clock.row
    if row.associated:
        folder.associated += by
        folder.associated_size += by * row.size
    else:
        folder.total += by
        folder.size += by * row.size
        if not row.flags & RowFlag.SEEN:
            folder.unread += by
    box.count += by
    box.size += by * row.size


def _count_deleted(edit: Edit, row: Row, by: int) -> None:
    folder, box = edit.folder(row.fid), edit.clock.row
    folder.deleted += by
    folder.deleted_size += by * row.size
    if by > 0:
        folder.deleted_ever += by
    box.deleted_size += by * row.size


def _index(edit: Edit, fid: int, mid: int, message_id: str, conversation: bytes) -> None:
    where = fid.to_bytes(8, "big")
    if message_id:
        edit.txn.put(pack(edit.mailbox, Table.MESSAGE_IDS, message_id, mid), where)
    if conversation:
        edit.txn.put(pack(edit.mailbox, Table.CONVERSATIONS, conversation, mid), where)


def _reindex(edit: Edit, row: Row, to_fid: int, to_mid: int, *, keep: bool) -> None:
    """Carry the secondary indexes of a message over to where it stands now; 0 for nowhere."""
    cold = load(edit.txn, edit.mailbox, row.mid)
    message_id = cold.get(PID_TAG_INTERNET_MESSAGE_ID)
    conversation = cold.get(PID_TAG_CONVERSATION_ID)
    name = message_id if isinstance(message_id, str) else ""
    thread = conversation if isinstance(conversation, bytes) else b""
    if not keep:
        if name:
            edit.txn.delete(pack(edit.mailbox, Table.MESSAGE_IDS, name, row.mid))
        if thread:
            edit.txn.delete(pack(edit.mailbox, Table.CONVERSATIONS, thread, row.mid))
        if not row.associated:
            indexes.remove(edit.txn, edit.mailbox, row.fid, row.mid, cold.packed_bag)
    if to_mid:
        _index(edit, to_fid, to_mid, name, thread)
        if not row.associated:
            indexes.add(edit.txn, edit.mailbox, to_fid, to_mid, cold.packed_bag)


PID_TAG_INTERNET_MESSAGE_ID = 0x1035001F
PID_TAG_CONVERSATION_ID = 0x30130102


def by_message_id(txn: ReadTxn, mailbox: int, message_id: str) -> Iterator[tuple[int, int]]:
    """(FID, MID) of the messages with this Message-ID."""
    prefix = pack(mailbox, Table.MESSAGE_IDS, message_id)
    for key, raw in txn.scan(prefix, successor(prefix)):
        yield int.from_bytes(raw, "big"), int.from_bytes(key[-8:], "big")


def by_conversation(txn: ReadTxn, mailbox: int, conversation: bytes) -> Iterator[tuple[int, int]]:
    """(FID, MID) of the messages of a conversation."""
    prefix = pack(mailbox, Table.CONVERSATIONS, conversation)
    for key, raw in txn.scan(prefix, successor(prefix)):
        yield int.from_bytes(raw, "big"), int.from_bytes(key[-8:], "big")


SHOWN = RowFlag.ANSWERED | RowFlag.FLAGGED | RowFlag.FORWARDED | RowFlag.FLAG_COMPLETE
"""Flags that MAPI shows as properties: with them, and with keywords, the message is another version."""


def set_state(edit: Edit, row: Row, flags: int, keywords: tuple[str, ...]) -> Row:
    """Give a message other flags and keywords. Nothing happens when they are the same."""
    if flags == row.flags and keywords == row.keywords:
        return row
    number = edit.number()
    mask = log.Mask.NONE
    read_cn = row.read_cn
    folder = edit.folder(row.fid)
    if (flags ^ row.flags) & RowFlag.SEEN:
        mask |= log.Mask.READ
        read_cn = edit.cn(number)
        if not row.associated:
            folder.unread += -1 if flags & RowFlag.SEEN else 1
    if (flags ^ row.flags) & ~RowFlag.SEEN:
        mask |= log.Mask.FLAGS
    if keywords != row.keywords:
        mask |= log.Mask.KEYWORDS
    cn = edit.cn(number) if (flags ^ row.flags) & SHOWN or keywords != row.keywords else row.cn
    new = row._replace(flags=flags, keywords=keywords, cn=cn, mod=number, read_cn=read_cn)
    contents.put(edit.txn, edit.mailbox, new)
    edit.log(row.fid, number, log.Kind.FLAGS, mid=row.mid, uid=row.uid, mask=mask)
    return new


def copy(edit: Edit, row: Row, to_fid: int, source: Edit | None = None) -> Row:
    """Copy a message into a folder of `edit`'s mailbox; `source` is the edit of the mailbox that holds it
    when that is another one."""
    origin = source or edit
    cold = load(origin.txn, origin.mailbox, row.mid)
    if row.blob:
        blobs.retain(edit.txn, row.blob)
    number = edit.number()
    mid = edit.cn(number)
    new = row._replace(
        fid=to_fid,
        mid=mid,
        cn=edit.cn(number),
        read_cn=edit.cn(number),
        mod=number,
        saved=edit.now,
        email_id=row.email_id if source is None else mid & COUNTER_LIMIT,
    )
    _store_cold(edit.txn, edit.mailbox, mid, cold)
    part_rows.put(edit.txn, edit.mailbox, mid, list(parts(origin.txn, origin.mailbox, row.mid)))
    for part in parts(edit.txn, edit.mailbox, mid):
        for blob in part_blobs(part):
            blobs.retain(edit.txn, blob)
    message_id = cold.get(PID_TAG_INTERNET_MESSAGE_ID)
    conversation = cold.get(PID_TAG_CONVERSATION_ID)
    _index(
        edit,
        to_fid,
        mid,
        message_id if isinstance(message_id, str) else "",
        conversation if isinstance(conversation, bytes) else b"",
    )
    if not row.associated:
        indexes.add(edit.txn, edit.mailbox, to_fid, mid, cold.packed_bag)
    old = {"old_fid": row.fid, "old_mid": row.mid, "old_uid": row.uid} if source is None else {}
    return _place(edit, new, log.Kind.COPIED, log.Mask.NONE, **old)


def move(edit: Edit, row: Row, to_fid: int, *, mid: int = 0, version: Version | None = None) -> Row:
    """Move a message within the mailbox: it takes a new MID (or the given one, as for `insert`), CN and UID.
    `version`: the foreign one that it has from then on."""
    txn, mailbox = edit.txn, edit.mailbox
    mid = mid or edit.new_id()
    _reindex(edit, row, to_fid, mid, keep=False)
    cold = load(txn, mailbox, row.mid)
    carried = list(parts(txn, mailbox, row.mid))
    if carried:
        part_rows.put(txn, mailbox, mid, carried)
        part_rows.drop(txn, mailbox, row.mid)
    contents.delete(txn, mailbox, row)
    _leave(edit, row, log.Kind.MOVED_OUT, old_fid=to_fid, old_mid=mid)
    txn.delete(head_q(mailbox, Table.MESSAGES, row.mid))
    number = edit.number()
    if version is not None:
        stored = imported(bags.unpack(cold.packed_bag), version, edit.cn(number))
        cold = cold._replace(packed_bag=bags.pack(stored))
    _store_cold(txn, mailbox, mid, cold)
    new = row._replace(
        fid=to_fid, mid=mid, cn=edit.cn(number), read_cn=edit.cn(number), mod=number, saved=edit.now
    )
    return _place(edit, new, log.Kind.MOVED_IN, old_fid=row.fid, old_mid=row.mid, old_uid=row.uid)


def _leave(edit: Edit, row: Row, kind: log.Kind, *, old_fid: int = 0, old_mid: int = 0) -> None:
    """Uncount a row that went from `contents`, and log it."""
    _count(edit, row, -1)
    views.left(edit.txn, edit.mailbox, row, _bag(edit, row.mid))
    _unmark(edit, row)
    edit.lose_uid(row.fid, row.uid)
    mask = log.Mask.ASSOCIATED if row.associated else log.Mask.NONE
    edit.log(
        row.fid, edit.number(), kind, mid=row.mid, uid=row.uid, mask=mask, old_fid=old_fid, old_mid=old_mid
    )


def _unmark(edit: Edit, row: Row) -> None:
    if not row.blob and not row.associated:
        edit.txn.delete(head_qq(edit.mailbox, Table.UNRENDERED, row.fid, row.mid))


def unrendered(txn: ReadTxn, mailbox: int, fid: int, limit: int) -> list[int]:
    """MIDs of messages of a folder that were born in MAPI and have no MIME yet, `limit` at most."""
    prefix = head_q(mailbox, Table.UNRENDERED, fid)
    return [tail_q(key) for key in islice(txn.scan_keys(prefix, successor(prefix)), limit)]


def attach_mime(edit: Edit, row: Row, blob: int, size: int) -> Row:
    """Give a message that was born in MAPI the MIME that was rendered from it. No content changes: CN, MOD
    and UID stay, nothing is logged; only `size` becomes the MIME's."""
    _unmark(edit, row)
    _count(edit, row, -1)
    new = row._replace(blob=blob, size=size)
    contents.put(edit.txn, edit.mailbox, new)
    views.resized(edit.txn, edit.mailbox, row, new)
    _count(edit, new, 1)
    return new


def soft_delete(edit: Edit, row: Row) -> None:
    """Move a message to the folder's dumpster."""
    contents.bury(edit.txn, edit.mailbox, row, edit.now)
    if not row.associated:
        packed = load(edit.txn, edit.mailbox, row.mid).packed_bag
        indexes.remove(edit.txn, edit.mailbox, row.fid, row.mid, packed)
    _leave(edit, row, log.Kind.DELETED)
    _count_deleted(edit, row, 1)


def restore(edit: Edit, fid: int, mid: int, to_fid: int = 0) -> Row:
    """Bring a soft-deleted message back, into its folder or another, under a new UID and CN: replicas that
    were told of its end must hear of it again. Raises NotFound."""
    deleted = contents.exhume(edit.txn, edit.mailbox, fid, mid)
    _count_deleted(edit, deleted.row, -1)
    number = edit.number()
    row = deleted.row._replace(
        fid=to_fid or fid,
        cn=edit.cn(number),
        read_cn=edit.cn(number),
        mod=number,
        saved=edit.now,
        flags=deleted.row.flags & ~RowFlag.DELETED,
    )
    _reindex(edit, row, row.fid, row.mid, keep=True)
    return _place(edit, row, log.Kind.RESTORED, old_fid=fid)


def purge(edit: Edit, row: Row) -> None:
    """Delete a message of a folder for good, without the dumpster."""
    contents.delete(edit.txn, edit.mailbox, row)
    _leave(edit, row, log.Kind.PURGED)
    _forget(edit, row)


def purge_deleted(edit: Edit, deleted: Deleted) -> None:
    """Delete a soft-deleted message for good."""
    contents.exhume(edit.txn, edit.mailbox, deleted.row.fid, deleted.row.mid)
    _count_deleted(edit, deleted.row, -1)
    _forget(edit, deleted.row)
    number = edit.number()
    edit.log(deleted.row.fid, number, log.Kind.PURGED, mid=deleted.row.mid)


def _forget(edit: Edit, row: Row) -> None:
    """Drop the cold part, indexes, parts and blob references of a message."""
    _reindex(edit, row, 0, 0, keep=False)
    edit.txn.delete(head_q(edit.mailbox, Table.MESSAGES, row.mid))
    for part in list(parts(edit.txn, edit.mailbox, row.mid)):
        for blob in part_blobs(part):
            blobs.release(edit.txn, blob)
    part_rows.drop(edit.txn, edit.mailbox, row.mid)
    if row.blob:
        blobs.release(edit.txn, row.blob)


def annotate(
    edit: Edit, row: Row, bag: bytes, flags: int | None = None, keywords: tuple[str, ...] | None = None
) -> Row:
    """Store other properties without touching the bytes: the message is another version (CN), under the same
    UID. `flags` and `keywords` are those that it gets, by default the ones that it has."""
    if flags is not None or keywords is not None:
        row = set_state(
            edit,
            row,
            row.flags if flags is None else flags,
            row.keywords if keywords is None else check_keywords(keywords),
        )
    number = edit.number()
    cold = load(edit.txn, edit.mailbox, row.mid)
    views.left(edit.txn, edit.mailbox, row, lambda: cold.packed_bag)
    _reindex(edit, row, 0, 0, keep=False)
    _store_cold(edit.txn, edit.mailbox, row.mid, Message(cold.prefix, bag))
    _reindex(edit, row, row.fid, row.mid, keep=True)
    new = row._replace(mod=number, cn=edit.cn(number), modified=edit.now)
    contents.put(edit.txn, edit.mailbox, new)
    views.placed(edit.txn, edit.mailbox, new, lambda: bag)
    edit.log(row.fid, number, log.Kind.CHANGED, mid=row.mid, uid=row.uid, mask=log.Mask.NOTES)
    return new


def rewrite(edit: Edit, row: Row, new: NewMessage, mask: log.Mask = log.Mask.NONE) -> Row:
    """Give a message other content: it keeps its MID, takes a new CN and UID, and the old UID is gone.
    `new.blob` is the new MIME or 0; the old one's reference is released. `mask` names all that changes, or
    nothing."""
    txn, mailbox = edit.txn, edit.mailbox
    views.left(txn, mailbox, row, _bag(edit, row.mid))
    _reindex(edit, row, 0, 0, keep=False)
    _count(edit, row, -1)
    _unmark(edit, row)
    for part in list(parts(txn, mailbox, row.mid)):
        for blob in part_blobs(part):
            blobs.release(txn, blob)
    part_rows.drop(txn, mailbox, row.mid)
    if row.blob:
        blobs.release(txn, row.blob)
    edit.lose_uid(row.fid, row.uid)
    number = edit.number()
    changed = row._replace(
        flags=int(new.flags),
        size=len(new.prefix) + new.size,
        prefix=len(new.prefix),
        message_class=classes.number(txn, new.message_class),
        importance=new.importance,
        cn=edit.cn(number),
        mod=number,
        blob=new.blob,
        received=new.received or row.received,
        modified=new.modified or edit.now,
        thread_id=int.from_bytes(new.conversation[:8], "big") or row.thread_id,
        keywords=check_keywords(new.keywords),
    )
    _store_cold(txn, mailbox, row.mid, new.cold)
    part_rows.put(txn, mailbox, row.mid, new.parts)
    _index(edit, row.fid, row.mid, new.message_id, new.conversation)
    if not row.associated:
        indexes.add(txn, mailbox, row.fid, row.mid, new.bag)
    return _place(edit, changed, log.Kind.RENUMBERED, mask, old_uid=row.uid)
