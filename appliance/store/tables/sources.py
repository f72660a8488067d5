"""Messages as rows of tables: the contents of a folder, and what was deleted softly out of it."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import islice

from appliance.formats import columns
from appliance.mapi import tags
from appliance.mapi.ids import to_int64
from appliance.mapi.types import Value
from appliance.store import classes, contents, folders, log, messages
from appliance.store.contents import Row, RowFlag
from appliance.store.errors import NotFound
from appliance.store.keys import Table, contents_key, head, successor, tail_q
from appliance.store.kv import ReadTxn
from appliance.store.tables.lists import BagRecord
from appliance.store.tables.scan import BATCH, Asked, Batch
from appliance.store.tables.source import AskedIn, Computed, Record, Unscanned, no_value, nothing_asked
from appliance.store.views import Layout, Order, View

# PidTagMessageFlags (MS-OXCMSG 2.2.1.6)
_MESSAGE_FLAGS = (
    (RowFlag.SEEN, 0x01),
    (RowFlag.UNMODIFIED, 0x02),
    (RowFlag.SUBMITTED, 0x04),
    (RowFlag.DRAFT, 0x08),
    (RowFlag.HAS_ATTACHMENT, 0x10),
    (RowFlag.FROM_ME, 0x20),
    (RowFlag.RESEND, 0x80),
    (RowFlag.NOTIFY_READ, 0x100),
    (RowFlag.NOTIFY_UNREAD, 0x200),
    (RowFlag.EVER_READ, 0x400),
    (RowFlag.INTERNET, 0x2000),
    (RowFlag.UNTRUSTED, 0x8000),
)


# Plain numbers: arithmetic of flags makes an object for each result.
_FLAG_BITS = tuple((int(flag), bit) for flag, bit in _MESSAGE_FLAGS)


def message_flags(row: Row) -> int:
    """PidTagMessageFlags of a row."""
    own = int(row.flags)
    flags = sum(bit for flag, bit in _FLAG_BITS if own & flag)
    return flags | (0x40 if row.associated else 0)


STATUS = (  # MS-OXCMSG 2.2.1.8
    (RowFlag.HIGHLIGHTED, 0x01),
    (RowFlag.TAGGED, 0x02),
    (RowFlag.HIDDEN_STATUS, 0x04),
    (RowFlag.IN_CONFLICT, 0x800),
    (RowFlag.REMOTE_DOWNLOAD, 0x1000),
    (RowFlag.REMOTE_DELETE, 0x2000),
)
"""PidTagMessageStatus: the flag of the row and its bit."""

_STATUS_BITS = tuple((int(flag), bit) for flag, bit in STATUS)


def message_status(row: Row) -> int:
    """PidTagMessageStatus of a row."""
    own = int(row.flags)
    return sum(bit for flag, bit in _STATUS_BITS if own & flag)


def instance_key(row: Row) -> bytes:
    """PidTagInstanceKey of a row: its MID and an instance number of zero."""
    return row.mid.to_bytes(8, "big") + bytes(4)


ROW_VALUES: dict[int, Callable[[Row], Value]] = {
    tags.PidTagMid: lambda row: to_int64(row.mid),
    tags.PidTagInstID: lambda row: to_int64(row.mid),
    tags.PidTagFolderId: lambda row: to_int64(row.fid),
    tags.PidTagParentFolderId: lambda row: to_int64(row.fid),
    tags.PidTagMessageFlags: message_flags,
    tags.PidTagRead: lambda row: bool(row.flags & RowFlag.SEEN),
    tags.PidTagMessageSize: lambda row: row.size,
    tags.PidTagMessageSizeExtended: lambda row: row.size,
    tags.PidTagMessageDeliveryTime: lambda row: row.received,
    tags.PidTagLastModificationTime: lambda row: row.modified,
    tags.PidTagChangeNumber: lambda row: to_int64(row.cn),
    tags.PidTagHasAttachments: lambda row: bool(row.flags & RowFlag.HAS_ATTACHMENT),
    tags.PidTagImportance: lambda row: row.importance,
    tags.PidTagAssociated: lambda row: row.associated,
    tags.PidTagMessageStatus: message_status,
    tags.PidTagInstanceKey: instance_key,
}
"""What the hot row of a message knows."""

FLAG_COMPLETED, FLAGGED = 1, 2  # MS-OXOFLAG 2.2.1.1
RED_FLAG = 6  # MS-OXOFLAG 2.2.1.2
REPLIED, SENT_ON = 102, 104  # MS-OXOMSG 2.2.1.9
ICON_REPLIED, ICON_SENT_ON = 0x105, 0x106  # MS-OXOMSG 2.2.1.10
NO_ICON = -1

_ANSWERED, _FORWARDED = int(RowFlag.ANSWERED), int(RowFlag.FORWARDED)
_FLAGGED, _COMPLETE = int(RowFlag.FLAGGED), int(RowFlag.FLAG_COMPLETE)


def _flag_status(flags: int, _value: Value) -> Value:
    return FLAG_COMPLETED if flags & _COMPLETE else FLAGGED if flags & _FLAGGED else None


def _followup_icon(flags: int, value: Value) -> Value:
    return RED_FLAG if value is None and flags & _FLAGGED else value


def _last_verb(flags: int, value: Value) -> Value:
    if value is not None or not flags & (_ANSWERED | _FORWARDED):
        return value
    return REPLIED if flags & _ANSWERED else SENT_ON


def _icon(flags: int, value: Value) -> Value:
    if value not in (None, NO_ICON) or not flags & (_ANSWERED | _FORWARDED):
        return value
    return ICON_REPLIED if flags & _ANSWERED else ICON_SENT_ON


ROW_STATE: dict[int, Callable[[int, Value], Value]] = {
    tags.PidTagFlagStatus: _flag_status,
    tags.PidTagFollowupIcon: _followup_icon,
    tags.PidTagLastVerbExecuted: _last_verb,
    tags.PidTagIconIndex: _icon,
}
"""What a message that was answered, forwarded, flagged or completed has of a property that its bag may hold.
PidTagFlagStatus stands in the row alone."""

MESSAGE_TAGS = frozenset((*ROW_VALUES, tags.PidTagMessageClass))
"""What every message has."""


class MessageRecord:
    """A message: hot facts from its row, the rest from its bag."""

    __slots__ = ("_cold", "_computed", "_deleted", "_mailbox", "_txn", "row")

    def __init__(
        self, txn: ReadTxn, mailbox: int, row: Row, computed: Computed = no_value, deleted: int | None = None
    ) -> None:
        self._txn, self._mailbox, self.row = txn, mailbox, row
        self._computed, self._deleted = computed, deleted
        self._cold: messages.Message | None = None

    @property
    def id(self) -> int:
        """The MID."""
        return self.row.mid

    @property
    def unread(self) -> bool:
        """As `Record`."""
        return not self.row.flags & RowFlag.SEEN

    def get(self, tag: int) -> Value:
        """As `Record`."""
        hot = ROW_VALUES.get(tag)
        if hot is not None:
            return hot(self.row)
        if tag == tags.PidTagDeletedOn:
            return self._deleted
        if tag == tags.PidTagMessageClass:
            name = classes.name(self._txn, self.row.message_class)
            if name:
                return name
        if tag == tags.PidTagFlagStatus:
            return _flag_status(self.row.flags, None)
        cold = self._read()
        if cold is None:
            return None
        value = cold.get(tag)
        state = ROW_STATE.get(tag)
        if state is not None:
            value = state(self.row.flags, value)
        if value is not None and not (tag == tags.PidTagIconIndex and value == NO_ICON):
            return value
        known = self._computed(self._txn, self.row.mid, tag)
        return value if known is None else known

    def _read(self) -> messages.Message | None:
        if self._cold is None:
            with suppress(NotFound):
                self._cold = messages.load(self._txn, self._mailbox, self.row.mid)
        return self._cold

    def tags(self) -> Iterable[int]:
        """As `Record`."""
        cold = self._read()
        deleted = () if self._deleted is None else (tags.PidTagDeletedOn,)
        return {*MESSAGE_TAGS, *deleted, *(cold.bag() if cold is not None else ())}

    def children(self, tag: int) -> Iterable[Callable[[int], Value]]:
        """Recipients for PidTagMessageRecipients, attachments for PidTagMessageAttachments."""
        kind = {0x0E12000D: messages.PART_RECIPIENT, 0x0E13000D: messages.PART_ATTACHMENT}.get(tag)
        return [
            BagRecord(part.number, part.packed).get
            for part in messages.parts(self._txn, self._mailbox, self.row.mid)
            if part.kind == kind
        ]


class ContentsSource:
    """The contents table of a folder, or its associated one. `asked`: what `computed` may know."""

    def __init__(
        self,
        mailbox: int,
        fid: int,
        *,
        associated: bool = False,
        computed: Computed = no_value,
        asked: AskedIn = nothing_asked,
    ):
        self._mailbox, self._fid, self._associated, self._computed = mailbox, fid, associated, computed
        self._asked = asked

    @property
    def key(self) -> tuple[int, ...]:
        """As `Source`."""
        return (1 + self._associated, self._mailbox, self._fid)

    def version(self, txn: ReadTxn) -> int:
        """As `Source`."""
        return folders.get(txn, self._mailbox, self._fid).contents_mod

    def records(self, txn: ReadTxn) -> Iterator[Record]:
        """As `Source`."""
        for row in contents.rows(txn, self._mailbox, self._fid, self._associated):
            yield MessageRecord(txn, self._mailbox, row, self._computed)

    def changed(self, txn: ReadTxn, since: int) -> set[int] | None:
        """As `Source`."""
        if log.floor(txn, self._mailbox) > since:
            return None
        return {change.mid for change in log.changes(txn, self._mailbox, self._fid, since)}

    def find(self, txn: ReadTxn, id_: int) -> Record | None:
        """As `Source`."""
        row = contents.find(txn, self._mailbox, self._fid, id_, self._associated)
        return MessageRecord(txn, self._mailbox, row, self._computed) if row is not None else None

    def asked(self, txn: ReadTxn) -> Asked:
        """As `Source`."""
        return self._asked(txn)

    def batches(self, txn: ReadTxn, ids: list[int] | None, *, cold: bool) -> Iterator[Batch] | None:
        """As `Source`."""
        pairs = self._pairs(txn, ids)
        return (
            messages_batch(txn, self._mailbox, chunk, cold=cold)
            for chunk in iter(lambda: list(islice(pairs, BATCH)), [])
        )

    def _pairs(self, txn: ReadTxn, ids: list[int] | None) -> Iterator[tuple[bytes, bytes]]:
        """Keys and values of hot rows."""
        prefix = contents_key(self._mailbox, self._fid, self._associated, 0)[:-8]
        if ids is None:
            return txn.scan(prefix, successor(prefix))
        keys = columns.keys(prefix, ids, b"")
        found = zip(keys, txn.values(keys), strict=True)
        return ((key, raw) for key, raw in found if raw is not None)

    def view(self, txn: ReadTxn, order: Order, known: Layout | None) -> View | None:
        """As `Source`."""
        if self._associated:
            return None
        try:
            return View(txn, self._mailbox, self._fid, order, known)
        except LookupError:
            return None

    @property
    def own_tags(self) -> frozenset[int]:
        """As `Source`."""
        return MESSAGE_TAGS

    @property
    def has_depth(self) -> bool:
        """As `Source`."""
        return False


def messages_batch(txn: ReadTxn, mailbox: int, pairs: list[tuple[bytes, bytes]], *, cold: bool) -> Batch:
    """A batch of hot rows (keys and values of `contents`, of any folders), with their cold values."""
    keys, hots = [key for key, _ in pairs], [raw for _, raw in pairs]
    ids = [tail_q(key) for key in keys]
    colds: list[bytes | None] = [None] * len(keys)
    if cold:
        colds = txn.values(columns.keys(head(mailbox, Table.MESSAGES), ids, b""))
    return Batch(ids, keys, hots, colds)


class DeletedSource(Unscanned):
    """The soft-deleted contents of a folder."""

    def __init__(self, mailbox: int, fid: int, *, associated: bool = False, computed: Computed = no_value):
        self._mailbox, self._fid, self._associated, self._computed = mailbox, fid, associated, computed

    @property
    def key(self) -> tuple[int, ...]:
        """As `Source`."""
        return (3 + self._associated, self._mailbox, self._fid)

    @property
    def own_tags(self) -> frozenset[int]:
        """As `Source`."""
        return MESSAGE_TAGS

    def version(self, txn: ReadTxn) -> int:
        """As `Source`."""
        return folders.get(txn, self._mailbox, self._fid).contents_mod

    def _record(self, txn: ReadTxn, deleted: contents.Deleted) -> Record:
        return MessageRecord(txn, self._mailbox, deleted.row, self._computed, deleted.when)

    def records(self, txn: ReadTxn) -> Iterator[Record]:
        """As `Source`."""
        for deleted in contents.all_buried(txn, self._mailbox, self._fid):
            if deleted.row.associated == self._associated:
                yield self._record(txn, deleted)

    def changed(self, txn: ReadTxn, since: int) -> set[int] | None:
        """As `Source`."""
        if log.floor(txn, self._mailbox) > since:
            return None
        return {change.mid for change in log.changes(txn, self._mailbox, self._fid, since)}

    def find(self, txn: ReadTxn, id_: int) -> Record | None:
        """As `Source`."""
        try:
            deleted = contents.buried(txn, self._mailbox, self._fid, id_)
        except NotFound:
            return None
        return self._record(txn, deleted) if deleted.row.associated == self._associated else None
