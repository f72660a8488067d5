"""Synchronisation downloads: the elements contentsSync, hierarchySync and state (MS-OXCFXICS 2.2.4.3).

    contentsSync  = [progressTotal] *([progressPerMessage] messageChange) [deletions] [readStateChanges]
                    state IncrSyncEnd
    hierarchySync = *folderChange [deletions] state IncrSyncEnd

A `Download` holds what the client asked for, its state, and once the first buffer was asked for a plan: a
list of ids. Each message is read when its turn comes, in a snapshot of its own, as it is then. The final
state says what was sent (3.2.5.1): a message that changed after the plan was made is in it with the version
that was sent, one that could not be read is not.
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from appliance.formats.fasttransfer.markers import (
    Marker,
    MetaTagIdsetDeleted,
    MetaTagIdsetNoLongerInScope,
    MetaTagIdsetRead,
    MetaTagIdsetUnread,
)
from appliance.mailbox import rights, whole
from appliance.mailbox.actor import Actor
from appliance.mailbox.messages import is_read, own_reads
from appliance.mailbox.whole import Whole
from appliance.mapi import tags
from appliance.mapi.errors import MapiError
from appliance.mapi.groups import Group
from appliance.mapi.ids import to_int64
from appliance.mapi.idset import IdSet
from appliance.mapi.types import Bag, Value
from appliance.rop.codes import code_of
from appliance.rop.fasttransfer.elements import ALL, Filter, learn, message_content
from appliance.rop.fasttransfer.folders import (
    error_info,
    folder_props,
    ids_of,
    recovering,
    source_key,
    version_of,
)
from appliance.rop.fasttransfer.pen import MARKS, Pen
from appliance.rop.fasttransfer.stream import Progress
from appliance.rop.ics.flags import SynchronizationExtraFlags, SynchronizationFlags
from appliance.rop.ics.partial import Mapping, changed_groups, message_change_partial
from appliance.rop.ics.plan import (
    ContentsPlan,
    Matches,
    all_up_to,
    plan_contents,
    plan_hierarchy,
    unbroken,
)
from appliance.rop.ics.state import STATE_BEGIN, STATE_END, State, add, has, without
from appliance.store import contents, folders, search_folders, versions
from appliance.store.contents import Row
from appliance.store.errors import StoreError
from appliance.store.folders import Folder, FolderKind
from appliance.store.kv import ReadTxn
from appliance.store.permissions import Right
from appliance.store.store import Store

PidTagMid, PidTagChangeNumber = tags.PidTagMid, tags.PidTagChangeNumber
PidTagInConflict = tags.PidTagInConflict
MS_IN_CONFLICT = 0x800  # PidTagMessageStatus, MS-OXCMSG 2.2.1.8
_PROGRESS = struct.Struct("<HHIQIIQ")  # ProgressInformation, 2.2.2.7


@dataclass(slots=True)
class Wish:
    """What the client configured (2.2.3.2.1.1.1). `matches` is the restriction, `listed` the property
    tags, `partial` whether the client takes partial changes."""

    flags: SynchronizationFlags
    extra: SynchronizationExtraFlags
    matches: Matches | None = None
    listed: tuple[int, ...] = ()
    partial: bool = False

    def filter(self, associated: bool) -> Filter:
        """What of a message is sent (3.2.5.9.1.1)."""
        only = bool(self.flags & SynchronizationFlags.ONLY_SPECIFIED_PROPERTIES)
        if only and associated and self.flags & SynchronizationFlags.IGNORE_SPECIFIED_ON_FAI:
            return ALL
        return Filter.of(self.listed, only=only) if self.listed or only else ALL


@dataclass(slots=True)
class Download:
    """One download: makes its pieces, and knows the state that the client has after them."""

    store: Store
    mailbox: int
    fid: int
    actor: Actor
    pen: Pen
    wish: Wish
    state: State
    progress: Progress = field(default_factory=Progress)
    final: State | None = None
    """The state after everything was produced, None before."""
    _partial: dict[int, frozenset[Group]] = field(default_factory=dict)
    _top: int = 0

    def contents(self) -> Iterator[bytes]:
        """contentsSync."""
        with self.store.read() as txn:
            rights.require(txn, self.actor, self.mailbox, self.fid, Right.READ_ANY)
            own = own_reads(txn, self.actor, self.mailbox, self.fid)
            wish = self.wish
            plan = plan_contents(
                txn, self.mailbox, self.fid, wish.flags, wish.extra, self.state, wish.matches, own
            )
            if self.wish.partial and not plan.exact:
                known = {mid for mid in plan.changes if has(self.state.given, mid)}
                self._partial = changed_groups(txn, self.mailbox, self.fid, unbroken(self.state.seen), known)
            self._top = plan.top
        self.progress.total = len(plan.changes)
        sent = _Sent(self.state.copy(), plan)
        if self.wish.flags & SynchronizationFlags.PROGRESS:
            yield MARKS[Marker.INCR_SYNC_PROGRESS_MODE] + self.pen.props(((0x00000102, _progress(plan)),))
        for mid in plan.changes:
            self.progress.done += 1
            yield from self._change(mid, sent)
        gone = (
            (MetaTagIdsetDeleted, plan.deleted),
            (MetaTagIdsetNoLongerInScope, plan.no_longer_in_scope),
        )
        yield self._sets(Marker.INCR_SYNC_DELETE, gone)
        read = ((MetaTagIdsetRead, plan.read - sent.ids), (MetaTagIdsetUnread, plan.unread - sent.ids))
        yield self._sets(Marker.INCR_SYNC_READ, read)
        final = sent.finish(self.wish.flags)
        yield self._state(final, hierarchy=False) + MARKS[Marker.INCR_SYNC_END]
        self.final = final

    def _change(self, mid: int, sent: "_Sent") -> Iterator[bytes]:
        """messageChangeFull of a message, or of each version of one in conflict (3.1.5.6.2.1)."""
        try:
            ready = self._read(mid)
        except (StoreError, MapiError) as error:
            if not self.pen.recover:
                raise
            sent.failed(mid)
            yield error_info(self.pen, code_of(error))
            return
        if ready is None:
            return
        for header, message in ready.versions:
            before = b""
            if self.wish.flags & SynchronizationFlags.PROGRESS:
                facts = ((0x00000003, min(ready.row.size, 0x7FFFFFFF)), (0x0000000B, ready.row.associated))
                before = MARKS[Marker.INCR_SYNC_PROGRESS_PER_MESSAGE] + self.pen.props(facts)
            yield from recovering(self.pen, self._message_change(ready, header, message, before), ready.ids)
        sent.add(ready.row, own_read=ready.own_read)

    def _message_change(
        self, ready: "_Ready", header: list[tuple[int, Value]], message: Whole, before: bytes
    ) -> Iterator[bytes]:
        """messageChange (2.2.4.3.11)."""
        filter = self.wish.filter(ready.row.associated)
        if ready.partial is not None:
            mapping, groups = ready.partial
            return message_change_partial(
                self.store, self.pen, message, filter, mapping, groups, header=header, before=before
            )
        before += MARKS[Marker.INCR_SYNC_CHANGE] + self.pen.props(header)
        before += MARKS[Marker.INCR_SYNC_MESSAGE]
        return message_content(self.store, self.pen, message, filter, del_props=True, before=before)

    def _read(self, mid: int) -> "_Ready | None":
        """A message as it is now, None when it has gone."""
        with self.store.read() as txn:
            row = self._find(txn, mid)
            if row is None:
                return None
            own = is_read(txn, self.actor, self.mailbox, row)
            message = whole.stored(self.store, txn, self.mailbox, row, read=own)
            learn(self.pen, txn, message)
            version = version_of(txn, self.mailbox, row)
            header = self._header(txn, row, message.props, version.change_key, version.predecessors.pack())
            message.props.pop(tags.PidTagLastModificationTime, None)
            ids = ids_of(txn, self.mailbox, row.fid, mid)
            conflicting = self._conflicting(txn, row, message)
            groups = self._partial.get(mid)
            partial = None
            # What happened after the plan is not known.
            if groups and not conflicting and not row.associated and row.mod <= self._top:
                partial = Mapping(txn, self.pen), groups
        return _Ready(row, conflicting or [(header, message)], ids, own is True, partial)

    def _find(self, txn: ReadTxn, mid: int) -> Row | None:
        row = whole.row_of(txn, self.mailbox, self.fid, mid)
        if row is not None:
            return row
        folder = folders.find(txn, self.mailbox, self.fid)
        if folder is None or folder.kind != FolderKind.SEARCH:
            return None
        linked = (fid for fid, linked in search_folders.links(txn, self.mailbox, self.fid) if linked == mid)
        fid = next(linked, 0)
        return contents.find(txn, self.mailbox, fid, mid) if fid else None

    def _header(
        self, txn: ReadTxn, row: Row, props: Bag, change_key: bytes, predecessors: bytes
    ) -> list[tuple[int, Value]]:
        """messageChangeHeader (2.2.4.3.14)."""
        extra = self.wish.extra
        key = (
            None
            if self.wish.flags & SynchronizationFlags.NO_FOREIGN_IDENTIFIERS
            else props.get(tags.PidTagSourceKey)
        )
        header: list[tuple[int, Value]] = [
            (tags.PidTagSourceKey, key if key is not None else source_key(txn, self.mailbox, row.mid)),
            (tags.PidTagLastModificationTime, props.get(tags.PidTagLastModificationTime, row.modified)),
            (tags.PidTagChangeKey, change_key),
            (tags.PidTagPredecessorChangeList, predecessors),
            (tags.PidTagAssociated, row.associated),
        ]
        if extra & SynchronizationExtraFlags.EID:
            header.append((PidTagMid, to_int64(row.mid)))
        if extra & SynchronizationExtraFlags.MESSAGE_SIZE:
            header.append((tags.PidTagMessageSize, min(row.size, 0x7FFFFFFF)))
        if extra & SynchronizationExtraFlags.CN:
            header.append((PidTagChangeNumber, to_int64(row.cn)))
        return header

    def _conflicting(
        self, txn: ReadTxn, row: Row, message: Whole
    ) -> "list[tuple[list[tuple[int, Value]], Whole]]":
        """The versions within a conflict resolve message, none for any other message."""
        status = message.props.get(tags.PidTagMessageStatus)
        if not isinstance(status, int) or not status & MS_IN_CONFLICT:
            return []
        found = []
        for attachment in message.attachments:
            if attachment.props.get(PidTagInConflict) is not True or attachment.embedded is None:
                continue
            inner = attachment.embedded()
            learn(self.pen, txn, inner)
            key = inner.props.get(tags.PidTagChangeKey)
            past = inner.props.get(tags.PidTagPredecessorChangeList)
            if isinstance(key, bytes) and isinstance(past, bytes):
                found.append((self._header(txn, row, inner.props, key, past), inner))
                inner.props.pop(tags.PidTagLastModificationTime, None)
        return found

    def _sets(self, marker: Marker, sets: "tuple[tuple[int, IdSet], ...]") -> bytes:
        """deletions or readStateChanges; nothing where all sets are empty."""
        pairs: list[tuple[int, Value]] = [(tag, ids.pack()) for tag, ids in sets if ids]
        return MARKS[marker] + self.pen.props(pairs) if pairs else b""

    def _state(self, state: State, *, hierarchy: bool) -> bytes:
        with self.store.read() as txn:
            return state_element(txn, self.mailbox, self.pen, state, hierarchy=hierarchy)

    # -- hierarchy ----------------------------------------------------------------------------------------

    def hierarchy(self) -> Iterator[bytes]:
        """hierarchySync."""
        with self.store.read() as txn:
            rights.require(txn, self.actor, self.mailbox, self.fid, Right.FOLDER_VISIBLE)
            deletions = not self.wish.flags & SynchronizationFlags.NO_DELETIONS
            plan = plan_hierarchy(
                txn, self.mailbox, self.fid, self.state, self._visible(txn), deletions=deletions
            )
        self.progress.total = len(plan.changes)
        final = self.state.copy()
        final.seen = final.seen | without(all_up_to(plan.top), plan.hidden)
        final.given = final.given - plan.deleted
        for fid in plan.changes:
            self.progress.done += 1
            with self.store.read() as txn:
                folder = folders.find(txn, self.mailbox, fid)
                out = self._folder_change(txn, folder) if folder is not None else b""
            if folder is not None:
                yield out
                add(final.given, fid)
                add(final.seen, folder.cn)
        yield self._sets(Marker.INCR_SYNC_DELETE, ((MetaTagIdsetDeleted, plan.deleted),))
        yield self._state(final, hierarchy=True) + MARKS[Marker.INCR_SYNC_END]
        self.final = final

    def _visible(self, txn: ReadTxn) -> Callable[[int], bool]:
        wanted = Right.FOLDER_VISIBLE | Right.READ_ANY | Right.FOLDER_OWNER
        return lambda fid: bool(rights.effective(txn, self.actor, self.mailbox, fid) & wanted)

    def _folder_change(self, txn: ReadTxn, folder: Folder) -> bytes:
        """folderChange (2.2.4.3.5)."""
        version = versions.folder_version(txn, self.mailbox, folder)
        child = folder.parent == self.fid
        parent = b"" if child else source_key(txn, self.mailbox, folder.parent)
        pairs: list[tuple[int, Value]] = [
            (tags.PidTagParentSourceKey, parent),
            (tags.PidTagSourceKey, source_key(txn, self.mailbox, folder.fid)),
            (tags.PidTagLastModificationTime, folder.modified),
            (tags.PidTagChangeKey, version.change_key),
            (tags.PidTagPredecessorChangeList, version.predecessors.pack()),
            (tags.PidTagDisplayName, folder.name),
        ]
        eid = self.wish.extra & SynchronizationExtraFlags.EID
        if eid:
            pairs.append((tags.PidTagFolderId, to_int64(folder.fid)))
        if eid or self.wish.flags & SynchronizationFlags.NO_FOREIGN_IDENTIFIERS:
            pairs.append((tags.PidTagParentFolderId, to_int64(folder.parent)))
        props = folder_props(txn, self.mailbox, folder, self.actor)
        self.pen.learn(txn, props)
        had = {tag for tag, _ in pairs}
        filter = self.wish.filter(False)
        pairs += [pair for pair in props.items() if pair[0] not in had and filter.has(pair[0])]
        return MARKS[Marker.INCR_SYNC_CHANGE] + self.pen.props(pairs)


@dataclass(frozen=True, slots=True)
class _Ready:
    """A message that was read: what is sent for it, mostly one header and content. `own_read`:
    whether it is read, where each user has an own read state; `partial`: the groups that are sent in place
    of all, with their mapping."""

    row: Row
    versions: list[tuple[list[tuple[int, Value]], Whole]]
    ids: tuple[bytes, bytes]
    own_read: bool
    partial: tuple[Mapping, frozenset[Group]] | None


class _Sent:
    """What of a plan was sent so far, as the state that follows from it."""

    def __init__(self, state: State, plan: ContentsPlan) -> None:
        self._state, self._plan = state, plan
        self.ids = IdSet()
        self._failed: list[int] = []

    def add(self, row: Row, *, own_read: bool) -> None:
        """A message in this version."""
        add(self.ids, row.mid)
        add(self._state.seen_fai if row.associated else self._state.seen, row.cn)
        if self._plan.own_reads is not None:
            mine, version = self._plan.own_reads, IdSet.of_ids((row.cn,))
            self._plan.own_reads = mine | version if own_read else mine - version
        elif not row.associated:
            add(self._plan.read_cns, row.read_cn)

    def failed(self, mid: int) -> None:
        """A message that could not be read: the client must be offered it again."""
        self._failed.append(mid)

    def finish(self, flags: SynchronizationFlags) -> State:
        """The final state (3.2.5.3)."""
        state, plan = self._state, self._plan
        state.given = (state.given | self.ids) - plan.deleted - plan.no_longer_in_scope
        if flags & SynchronizationFlags.READ_STATE:
            state.read = state.read | plan.read_cns if plan.own_reads is None else plan.own_reads
        if plan.exact or self._failed:
            return state
        seen = all_up_to(plan.top)
        if flags & SynchronizationFlags.NORMAL:
            state.seen = state.seen | seen
        if flags & SynchronizationFlags.FAI:
            state.seen_fai = state.seen_fai | seen
        if flags & SynchronizationFlags.READ_STATE and plan.own_reads is None:
            state.read = state.read | seen
        return state


def state_element(txn: ReadTxn, mailbox: int, pen: Pen, state: State, *, hierarchy: bool) -> bytes:
    """state (2.2.4.3.25)."""
    return STATE_BEGIN + pen.props(state.packed(txn, mailbox, hierarchy=hierarchy)) + STATE_END


def _progress(plan: ContentsPlan) -> bytes:
    return _PROGRESS.pack(0, 0, plan.fai.count, plan.fai.size, plan.normal.count, 0, plan.normal.size)
