"""The elements of folders and message lists (MS-OXCFXICS 2.2.4.2, 3.2.5.8.1).

    topFolder      = StartTopFld folderContentNoDelProps EndFolder
    folderContent  = propList folderMessages [MetaTagFXDelProp *subFolder]
    folderMessages = *2(MetaTagFXDelProp messageList)
    subFolder      = StartSubFld folderContent EndFolder
    messageList    = *([MetaTagEcWarning] [message])
    message        = (StartMessage | StartFAIMsg) messageContent EndMessage

Objects that the actor may not read are skipped with a warning (3.2.5.8.1); with `move` those too that the
actor may not delete. In recover mode a message that cannot be read becomes an errorInfo (2.2.4.3.4).

What is sent is decided folder by folder: the list of a folder's messages is taken when its turn comes, each
message is read when its own comes, and one that went in between is left out.
"""

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from appliance.formats.fasttransfer.markers import Marker, MetaTagEcWarning
from appliance.mailbox import rights, whole
from appliance.mailbox.actor import Actor
from appliance.mailbox.messages import is_read
from appliance.mailbox.properties.folders import FolderView
from appliance.mailbox.properties.places import places
from appliance.mailbox.whole import Whole
from appliance.mapi import errors as ec
from appliance.mapi import tags
from appliance.mapi.entryids import MessageEntryId, ObjectType
from appliance.mapi.errors import MapiError
from appliance.mapi.ids import LongTermId, counter_of, to_int64
from appliance.mapi.types import Bag, Value
from appliance.rop.codes import code_of
from appliance.rop.fasttransfer.elements import (
    ALL,
    Filter,
    PidTagContainerContents,
    PidTagContainerHierarchy,
    PidTagFolderAssociatedContents,
    del_prop,
    learn,
    message_content,
)
from appliance.rop.fasttransfer.pen import FOLDER_INTERNAL, MARKS, Pen, is_transmitted
from appliance.rop.fasttransfer.stream import Progress
from appliance.store import contents, folders, mailboxes, replids, versions
from appliance.store import messages as message_rows
from appliance.store.contents import Row
from appliance.store.errors import StoreError
from appliance.store.folders import Folder, FolderFlag, FolderKind
from appliance.store.kv import ReadTxn
from appliance.store.permissions import Right
from appliance.store.store import Store

MAX_DEPTH = folders.MAX_DEPTH


@dataclass(slots=True)
class Scope:
    """What a copy works on: whose mailbox, who asks, how it is written.

    `move`: what the actor may not delete is left out. `versions`: identity and version go along
    (SendEntryId). `deleted`: soft-deleted messages are meant, not the others."""

    store: Store
    mailbox: int
    actor: Actor
    pen: Pen
    progress: Progress
    move: bool = False
    versions: bool = False
    deleted: bool = False

    def may_read(self, txn: ReadTxn, fid: int) -> bool:
        """Whether the actor may have a folder's messages."""
        have = rights.effective(txn, self.actor, self.mailbox, fid)
        wanted = Right.READ_ANY | (Right.DELETE_ANY if self.move else Right.NONE)
        return wanted & ~have == 0 or bool(have & Right.FOLDER_OWNER)


# -- properties of folders ----------------------------------------------------------------------------------


def folder_props(txn: ReadTxn, mailbox: int, folder: Folder, actor: Actor) -> Bag:
    """The properties of a folder that are sent, and its name and comment."""
    view = FolderView(places(txn, mailbox), folder, actor)
    bag: Bag = {tag: view.get(tag) for tag in sorted(view.tags()) if is_transmitted(tag, FOLDER_INTERNAL)}
    return {**bag, tags.PidTagDisplayName: folder.name, tags.PidTagComment: bag.get(tags.PidTagComment, "")}


# -- messages -----------------------------------------------------------------------------------------------


def row_of(txn: ReadTxn, scope: Scope, fid: int, mid: int) -> Row | None:
    """The message of a folder, of those that the scope means; None when it is not there."""
    if not scope.deleted:
        return whole.row_of(txn, scope.mailbox, fid, mid)
    try:
        return contents.buried(txn, scope.mailbox, fid, mid).row
    except StoreError:
        return None


def message_list(scope: Scope, fid: int, mids: Iterable[int]) -> Iterator[bytes]:
    """messageList: the messages of a folder by MID."""
    for mid in mids:
        scope.progress.done += 1
        try:
            ready = _prepared(scope, fid, mid)
        except (StoreError, MapiError) as error:
            if not scope.pen.recover:
                raise
            yield error_info(scope.pen, code_of(error), *_known_ids(scope, fid, mid))
            continue
        if ready is None:
            continue
        if ready.whole is None:
            yield _warning()
            continue
        yield from _message(scope, ready, ready.whole)


@dataclass(frozen=True, slots=True)
class _Ready:
    """A message that was read; `whole` None for one that the actor may not have."""

    row: Row
    whole: Whole | None
    head: list[tuple[int, Value]]
    ids: tuple[bytes, bytes]


def _prepared(scope: Scope, fid: int, mid: int) -> _Ready | None:
    with scope.store.read() as txn:
        row = row_of(txn, scope, fid, mid)
        if row is None:
            return None
        ids = ids_of(txn, scope.mailbox, fid, mid)
        if not scope.may_read(txn, fid):
            return _Ready(row, None, [], ids)
        own = is_read(txn, scope.actor, scope.mailbox, row)
        message = whole.stored(scope.store, txn, scope.mailbox, row, read=own)
        learn(scope.pen, txn, message)
        head = [(tags.PidTagMid, to_int64(mid)), *_version(txn, scope, row)]
        return _Ready(row, message, head, ids)


def _message(scope: Scope, ready: _Ready, message: Whole) -> Iterator[bytes]:
    start = Marker.START_FAI_MESSAGE if ready.row.associated else Marker.START_MESSAGE
    if not scope.versions:
        message.props.pop(tags.PidTagLastModificationTime, None)
    content = message_content(scope.store, scope.pen, message, head=ready.head, before=MARKS[start])
    yield from recovering(scope.pen, content, ready.ids)
    yield MARKS[Marker.END_MESSAGE]


def recovering(pen: Pen, pieces: Iterator[bytes], known: tuple[bytes, bytes]) -> Iterator[bytes]:
    """The pieces of one message. In recover mode an error between two elements becomes an errorInfo, which
    takes the reader back to the list that the message stands in (2.2.4.3.4)."""
    try:
        yield from pieces
    except (StoreError, MapiError) as error:
        if not pen.recover or (isinstance(error, MapiError) and error.code == ec.ecNotFound):
            raise  # within a value there is no way back
        yield error_info(pen, code_of(error), *known)


def _version(txn: ReadTxn, scope: Scope, row: Row) -> list[tuple[int, Value]]:
    """What SendEntryId adds (2.2.3.1.1.3.1)."""
    if not scope.versions:
        return []
    version = version_of(txn, scope.mailbox, row)
    return [
        (tags.PidTagSourceKey, source_key(txn, scope.mailbox, row.mid)),
        (tags.PidTagChangeKey, version.change_key),
        (tags.PidTagPredecessorChangeList, version.predecessors.pack()),
        (tags.PidTagOriginalEntryId, entry_id(txn, scope.mailbox, row.fid, row.mid)),
    ]


def version_of(txn: ReadTxn, mailbox: int, row: Row) -> versions.Version:
    """The version of a stored message."""
    cold = message_rows.load(txn, mailbox, row.mid)
    known: Bag = {tag: value for tag in versions.STORED if (value := cold.get(tag)) is not None}
    return versions.version(txn, mailbox, row, known)


def gid(txn: ReadTxn, mailbox: int, short_id: int) -> LongTermId:
    """The global identifier behind a FID or MID (3.2.5.5). Raises ecNotFound for an unknown replica."""
    guid = replids.guid_of(txn, mailbox, short_id >> 48)
    if guid is None:
        raise MapiError(ec.ecNotFound, "replica id")
    return LongTermId(guid, counter_of(short_id))


def source_key(txn: ReadTxn, mailbox: int, short_id: int) -> bytes:
    """PidTagSourceKey of an object."""
    return gid(txn, mailbox, short_id).to_gid()


def entry_id(txn: ReadTxn, mailbox: int, fid: int, mid: int) -> bytes:
    """PidTagEntryId of a message (MS-OXCDATA 2.2.4.2)."""
    identity = mailboxes.identity(txn, mailbox)
    private = identity.kind == mailboxes.Kind.PRIVATE
    kind = ObjectType.PRIVATE_MESSAGE if private else ObjectType.PUBLIC_MESSAGE
    return MessageEntryId(identity.guid, kind, gid(txn, mailbox, fid), gid(txn, mailbox, mid)).pack()


def ids_of(txn: ReadTxn, mailbox: int, fid: int, mid: int) -> tuple[bytes, bytes]:
    """The GIDs of a folder and a message, for an errorInfo."""
    return source_key(txn, mailbox, fid), source_key(txn, mailbox, mid)


def _known_ids(scope: Scope, fid: int, mid: int) -> tuple[bytes, bytes]:
    """As `ids_of`, in a snapshot of its own."""
    with scope.store.read() as txn:
        return ids_of(txn, scope.mailbox, fid, mid)


ERROR_INFO_SIZE = 2 + 2 + 4 + 22 + 2 + 22 + 2 + 24 + 4 + 4


def error_info(pen: Pen, code: int, folder: bytes = bytes(22), message: bytes = bytes(22)) -> bytes:
    """errorInfo with an ExtendedErrorInfo (2.2.4.3.4, 2.2.2.10)."""
    packed = bytes(4) + code.to_bytes(4, "little") + folder + bytes(2) + message + bytes(2 + 24 + 8)
    assert len(packed) == ERROR_INFO_SIZE
    return MARKS[Marker.ERROR_INFO] + pen.props(((0x00000102, packed),))


def _warning() -> bytes:
    code = ec.ecAccessDenied
    return MetaTagEcWarning.to_bytes(4, "little") + code.to_bytes(4, "little")


# -- folders ------------------------------------------------------------------------------------------------


def top_folder(scope: Scope, fid: int, *, subfolders: bool) -> Iterator[bytes]:
    """topFolder: a folder with everything in it."""
    yield MARKS[Marker.START_TOP_FOLDER]
    yield from _content(scope, fid, Filter(), top=True, del_props=False, subfolders=subfolders)
    yield MARKS[Marker.END_FOLDER]


def folder_content(scope: Scope, fid: int, filter: Filter) -> Iterator[bytes]:
    """folderContent of the folder that was asked for."""
    yield from _content(scope, fid, filter, top=False, del_props=True, subfolders=True)


def _content(
    scope: Scope, fid: int, filter: Filter, *, top: bool, del_props: bool, subfolders: bool, depth: int = 0
) -> Iterator[bytes]:
    with scope.store.read() as txn:
        folder = folders.get(txn, scope.mailbox, fid)
        may_read = scope.may_read(txn, fid)
        props = folder_props(txn, scope.mailbox, folder, scope.actor)
        scope.pen.learn(txn, props)
        below = [child.fid for child in folders.children(txn, scope.mailbox, fid) if _is_sent(child)]
    yield scope.pen.props(_folder_pairs(scope, folder, props, filter, top=top))
    for associated, tag in ((True, PidTagFolderAssociatedContents), (False, PidTagContainerContents)):
        if not filter.sends(tag) or not may_read:
            continue
        if del_props:
            yield del_prop(tag)
        mids = _mids(scope, fid, associated)
        scope.progress.total += len(mids)
        yield from message_list(scope, fid, mids)
    if not subfolders or not filter.sends(PidTagContainerHierarchy) or depth >= MAX_DEPTH:
        return
    if del_props:
        yield del_prop(PidTagContainerHierarchy)
    for child in below:
        with scope.store.read() as txn:
            if folders.find(txn, scope.mailbox, child) is None or not scope.may_read(txn, child):
                continue
        yield MARKS[Marker.START_SUB_FOLDER]
        yield from _content(
            scope, child, ALL, top=False, del_props=del_props, subfolders=True, depth=depth + 1
        )
        yield MARKS[Marker.END_FOLDER]


def _is_sent(folder: Folder) -> bool:
    return folder.kind == FolderKind.GENERIC and not folder.flags & FolderFlag.DELETED


def _folder_pairs(
    scope: Scope, folder: Folder, props: Bag, filter: Filter, *, top: bool
) -> list[tuple[int, Value]]:
    """The propList of a folder: but for the top one, id, name and comment come first (2.2.4.3.6)."""
    first = (tags.PidTagDisplayName, tags.PidTagComment)
    head: list[tuple[int, Value]] = []
    if not top:
        head = [(tags.PidTagFolderId, to_int64(folder.fid)), *((tag, props[tag]) for tag in first)]
    rest = [pair for pair in props.items() if pair[0] not in first and filter.has(pair[0])]
    return [*head, *rest]


def _mids(scope: Scope, fid: int, associated: bool) -> "array[int]":
    """The messages of a folder, as they are now."""
    with scope.store.read() as txn:
        if scope.deleted:
            buried = contents.all_buried(txn, scope.mailbox, fid)
            return array("Q", (each.row.mid for each in buried if each.row.associated == associated))
        return array("Q", (row.mid for row in contents.rows(txn, scope.mailbox, fid, associated)))
