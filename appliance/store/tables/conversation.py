"""The messages of a conversation, wherever they stand below a folder (MS-OXCFOLD 2.2.1.14.1,
ConversationMembers).

A client asks for such a table and restricts it to one conversation; its index then leads to the messages.
Without such a restriction every message of the scope is a row.
"""

from collections.abc import Iterator
from itertools import islice

from appliance.mapi import restrictions as r
from appliance.mapi import tags
from appliance.mapi.restrictions import Restriction
from appliance.store import contents, folders, mailboxes, messages
from appliance.store.keys import contents_key, successor
from appliance.store.kv import ReadTxn
from appliance.store.tables.hierarchy import Visible
from appliance.store.tables.scan import BATCH, Asked, Batch
from appliance.store.tables.source import AskedIn, Computed, Record, no_value, nothing_asked
from appliance.store.tables.sources import MESSAGE_TAGS, MessageRecord, messages_batch
from appliance.store.views import Layout, Order, View

_KIND = 9


class MembersSource:
    """Messages of the folders below `top` (it included) that `visible` shows to `viewer`; of one conversation
    where `conversation` (16 bytes) says so. `asked`: what `computed` may know."""

    has_depth = False
    own_tags = MESSAGE_TAGS

    def __init__(
        self,
        mailbox: int,
        top: int,
        visible: Visible,
        viewer: int,
        *,
        conversation: bytes = b"",
        computed: Computed = no_value,
        asked: AskedIn = nothing_asked,
    ) -> None:
        self._mailbox, self._top, self._visible, self._viewer = mailbox, top, visible, viewer
        self._conversation, self._computed, self._asked = conversation, computed, asked

    def narrowed(self, restriction: Restriction | None) -> "MembersSource":
        """The source that is enough for a restriction."""
        return MembersSource(
            self._mailbox,
            self._top,
            self._visible,
            self._viewer,
            conversation=conversation_of(restriction),
            computed=self._computed,
            asked=self._asked,
        )

    @property
    def key(self) -> tuple[int, ...]:
        """As `Source`."""
        which = int.from_bytes(self._conversation, "big")
        return (_KIND, self._mailbox, self._top, self._viewer, len(self._conversation), which)

    def asked(self, txn: ReadTxn) -> Asked:
        """As `Source`."""
        return self._asked(txn)

    def version(self, txn: ReadTxn) -> int:
        """As `Source`: messages come from anywhere."""
        return mailboxes.get(txn, self._mailbox).counter

    def changed(self, txn: ReadTxn, since: int) -> set[int] | None:
        """Not known: a conversation is read again."""
        return None

    def _scope(self, txn: ReadTxn) -> list[int]:
        """FIDs of the folders whose messages are shown, in order."""
        below: dict[int, list[int]] = {}
        for folder in folders.walk(txn, self._mailbox):
            if folder.kind is not folders.FolderKind.SEARCH and folder.fid != folder.parent:
                below.setdefault(folder.parent, []).append(folder.fid)
        found = [self._top]
        for fid in found:
            found += (each for each in below.get(fid, ()) if each not in found)
        return sorted(fid for fid in found if self._visible(txn, fid))

    def _links(self, txn: ReadTxn) -> Iterator[tuple[int, int]]:
        """(MID, FID) of every message."""
        scope = self._scope(txn)
        if self._conversation:
            inside = set(scope)
            for fid, mid in messages.by_conversation(txn, self._mailbox, self._conversation):
                if fid in inside:
                    yield mid, fid
            return
        for fid in scope:
            prefix = contents_key(self._mailbox, fid, False, 0)[:-8]
            for key in txn.scan_keys(prefix, successor(prefix)):
                yield int.from_bytes(key[-8:], "big"), fid

    def records(self, txn: ReadTxn) -> Iterator[Record]:
        """As `Source`."""
        for mid, fid in self._links(txn):
            row = contents.find(txn, self._mailbox, fid, mid)
            if row is not None:
                yield MessageRecord(txn, self._mailbox, row, self._computed)

    def find(self, txn: ReadTxn, id_: int) -> Record | None:
        """As `Source`."""
        if self._conversation:
            fid = next((fid for mid, fid in self._links(txn) if mid == id_), 0)
            row = contents.find(txn, self._mailbox, fid, id_) if fid else None
        else:
            row = contents.locate(txn, self._mailbox, id_)
            if row is not None and row.fid not in self._scope(txn):
                return None
        return None if row is None else MessageRecord(txn, self._mailbox, row, self._computed)

    def batches(self, txn: ReadTxn, ids: list[int] | None, *, cold: bool) -> Iterator[Batch] | None:
        """As `Source`."""
        links = self._links(txn)
        if ids is not None:
            home = dict(links)
            links = ((mid, home[mid]) for mid in ids if mid in home)
        keys = (contents_key(self._mailbox, fid, False, mid) for mid, fid in links)
        chunks = iter(lambda: list(islice(keys, BATCH)), [])
        return (messages_batch(txn, self._mailbox, txn.get_many(chunk), cold=cold) for chunk in chunks)

    def view(self, txn: ReadTxn, order: Order, known: Layout | None) -> View | None:
        """As `Source`: no orders are kept of messages of several folders."""
        return None


def conversation_of(restriction: Restriction | None) -> bytes:
    """The conversation that every row must belong to; empty where a restriction does not say so."""
    match restriction:
        case r.Property(r.RelOp.EQ, tags.PidTagConversationId, _, bytes(value)):
            return value
        case r.And(parts):
            return next(filter(None, map(conversation_of, parts)), b"")
        case r.Comment(_, part) | r.Count(_, part):
            return conversation_of(part)
    return b""
