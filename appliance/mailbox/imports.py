"""Messages that a client's replica brings: opened empty, filled by the client, saved with its version
(MS-OXCFXICS 3.1.5.3, 3.1.5.6, 3.2.5.9.4.2).

`open_import` gives a draft without anything in it, for a new message or in place of a stored one;
`save_import` stores it. A conflict that has arisen is resolved then (3.1.5.6.2): by a conflict resolve
message, which has every version as an attachment, or by the version that was written last. Either way the
result is a successor of all versions.

What is embedded of a message that lives from its MIME must be made ready before the write: `save_import`
blocks, call it in a thread. Errors: MapiError with the codes of synchronisation, Refused.
"""

from dataclasses import dataclass, replace

from appliance.directory import entries
from appliance.formats import bags
from appliance.mailbox import messages as mail
from appliance.mailbox import quotas, rights
from appliance.mailbox.actor import Actor
from appliance.mailbox.errors import Reason, Refused, refusing
from appliance.mailbox.properties import content
from appliance.mailbox.properties.places import places
from appliance.mailbox.sync import Import, find, identified, require_new, stored_version, wins
from appliance.mapi import errors as ec
from appliance.mapi import tags
from appliance.mapi.errors import MapiError
from appliance.mapi.ids import Order
from appliance.mapi.types import Bag
from appliance.store import contents, drafts, folders, local_ids, mailboxes, messages, permissions, versions
from appliance.store.contents import Row, RowFlag
from appliance.store.drafts import Draft, OnConflict, Outcome, Overlay, Saved
from appliance.store.edit import Edit, editing
from appliance.store.errors import Conflict
from appliance.store.kv import ReadTxn, WriteTxn
from appliance.store.mailboxes import Kind, Special
from appliance.store.messages import NewMessage
from appliance.store.permissions import Right
from appliance.store.store import Store
from appliance.store.versions import Version

RESOLVE_LAST_WRITER_WINS = 0x01  # PidTagResolveMethod, 2.2.1.4.1
RESOLVE_NO_CONFLICT_NOTIFICATION = 0x02
CONFLICT_CLASS = "IPM.Conflict.Message"  # 3.1.5.6.3.1
ATTACH_EMBEDDED = 5  # PidTagAttachMethod, MS-OXCMSG 2.2.2.9
MAX_VERSIONS = 16
"""Versions that a conflict resolve message has, at most; the oldest ones go."""

_TRIES = 4


def open_import(
    txn: ReadTxn,
    actor: Actor,
    mailbox: int,
    fid: int,
    given: Import,
    *,
    associated: bool,
    fail_on_conflict: bool,
) -> Draft:
    """The draft of an import. Raises ecSyncIgnore for a version that the store has, ecSyncConflict where the
    client wants no conflict, ecSyncObjectDeleted, ecInvalidParam, Refused."""
    with refusing():
        folder = folders.get(txn, mailbox, fid)
        if folder.kind == folders.FolderKind.SEARCH:
            raise Refused(Reason.INVALID, "a search folder holds no messages of its own")
        mid = identified(txn, mailbox, given.key)
        row = find(txn, mailbox, fid, mid)
        draft = Draft(
            mailbox,
            fid,
            actor.session,
            Overlay(),
            associated=associated,
            incoming=given.version,
            modified=given.modified,
        )
        if row is None:
            rights.require(txn, actor, mailbox, fid, Right.CREATE)
            require_new(txn, mailbox, fid, mid)
            draft.wanted = mid
            return draft
        rights.require(txn, actor, mailbox, fid, Right.EDIT_ANY)
        if row.associated != associated:
            raise MapiError(ec.ecInvalidParam)
        order = versions.compare(given.version.predecessors, stored_version(txn, mailbox, row).predecessors)
        if order in (Order.SAME, Order.OLDER):
            raise MapiError(ec.ecSyncIgnore)
        if order is Order.CONFLICT and fail_on_conflict:
            raise MapiError(ec.ecSyncConflict)
        draft.mid, draft.cn, draft.replaces = mid, row.cn, True
        draft.clear = RowFlag.IN_CONFLICT
        return draft


@dataclass(frozen=True, slots=True)
class _Stored:
    """The stored message that an import is in conflict with. `overlay`: its content, None where only one
    version is kept."""

    row: Row
    version: Version
    overlay: Overlay | None


def save_import(store: Store, actor: Actor, draft: Draft, *, now: int) -> Saved:
    """Store an import. Blocks until it is durable. Raises ecSyncIgnore, ecObjectDeleted, Refused."""
    for _ in range(_TRIES):
        other = _other(store, draft)
        try:
            return store.write(
                lambda txn, other=other: _save(txn, actor, draft, other, now)  # type: ignore[misc]
            ).result()
        except Conflict:
            continue  # changed again meanwhile
    raise MapiError(ec.ecObjectModified)


def _other(store: Store, draft: Draft) -> _Stored | None:
    """What the import is in conflict with, None for nothing."""
    if not draft.mid or draft.incoming is None:
        return None
    with store.read() as txn:
        row = find(txn, draft.mailbox, draft.fid, draft.mid)
        if row is None:
            raise MapiError(ec.ecObjectDeleted)
        version = stored_version(txn, draft.mailbox, row)
        if versions.compare(draft.incoming.predecessors, version.predecessors) is not Order.CONFLICT:
            return None
        if row.associated or resolve_method(txn, draft.mailbox, draft.fid) & RESOLVE_LAST_WRITER_WINS:
            return _Stored(row, version, None)
        other = drafts.open_message(txn, draft.mailbox, row, draft.session)
    content.materialize(store, other)
    return _Stored(row, version, other.overlay)


def resolve_method(txn: ReadTxn, mailbox: int, fid: int) -> int:
    """PidTagResolveMethod of a folder."""
    value = folders.get(txn, mailbox, fid).bag().get(tags.PidTagResolveMethod)
    return value if isinstance(value, int) else 0


def _save(txn: WriteTxn, actor: Actor, draft: Draft, other: _Stored | None, now: int) -> Saved:
    mailbox = draft.mailbox
    assert draft.incoming is not None
    with editing(txn, mailbox, now=now, actor=actor.user, origin=actor.session) as edit:
        if not draft.mid:
            return _create(edit, actor, draft)
        rights.require(txn, actor, mailbox, draft.fid, Right.EDIT_ANY)
        row = find(txn, mailbox, draft.fid, draft.mid)
        if row is None:
            raise MapiError(ec.ecObjectDeleted)
        ours = stored_version(txn, mailbox, row)
        order = versions.compare(draft.incoming.predecessors, ours.predecessors)
        if order is not Order.CONFLICT:
            saved = drafts.save(edit, _finished(edit, actor, draft), on_conflict=OnConflict.OVERWRITE)
            if saved.outcome is Outcome.IGNORED:
                raise MapiError(ec.ecSyncIgnore)
            return saved
        if other is None or other.row.cn != row.cn:
            raise Conflict("the message changed while its conflict was looked at")
        return _resolve(edit, _finished(edit, actor, draft), draft.incoming, replace(other, row=row))


def _finished(edit: Edit, actor: Actor, draft: Draft) -> Draft:
    """The draft with what the server adds to every message."""
    made = replace(draft, mid=0)  # every property of an import is new
    made = mail.finished(edit.txn, made, mail.author(edit.txn, actor), edit.now)
    return replace(made, mid=draft.mid, modified=draft.modified)


def _create(edit: Edit, actor: Actor, draft: Draft) -> Saved:
    rights.require(edit.txn, actor, edit.mailbox, draft.fid, Right.CREATE)
    if find(edit.txn, edit.mailbox, draft.fid, draft.wanted) is not None:
        raise MapiError(ec.ecObjectModified)
    require_new(edit.txn, edit.mailbox, draft.fid, draft.wanted)
    local_ids.take(edit.txn, edit.mailbox, [draft.wanted])
    saved = drafts.save(edit, _finished(edit, actor, draft))
    quotas.require_room(edit.clock.row, edit.folder(draft.fid), 0)
    return saved


# -- conflicts --------------------------------------------------------------------------------------------


def _resolve(edit: Edit, draft: Draft, incoming: Version, other: _Stored) -> Saved:
    """The successor of both versions (3.1.5.6.2)."""
    row = other.row
    imported = wins((row.modified, other.version.change_key), (draft.modified, incoming.change_key))
    merged = other.version.predecessors.merged(incoming.predecessors)
    winner = Version((incoming if imported else other.version).change_key, merged)
    if other.overlay is None:
        if not imported:
            return Saved(_renamed(edit, row, winner), Outcome.CHANGED)
        return drafts.save(edit, replace(draft, incoming=winner), on_conflict=OnConflict.OVERWRITE)
    overlay = _conflict_overlay(draft, incoming, other, other.overlay, imported=imported)
    made = replace(
        draft,
        overlay=overlay,
        incoming=winner,
        modified=draft.modified if imported else row.modified,
        flags=draft.flags | RowFlag.IN_CONFLICT,
        clear=RowFlag.NONE,
    )
    saved = drafts.save(edit, made, on_conflict=OnConflict.OVERWRITE)
    if not resolve_method(edit.txn, edit.mailbox, draft.fid) & RESOLVE_NO_CONFLICT_NOTIFICATION:
        _notify_owners(edit, saved.row, overlay)
    return Saved(saved.row, Outcome.KEPT_BOTH)


def _renamed(edit: Edit, row: Row, version: Version) -> Row:
    """The same content as another version."""
    cold = messages.load(edit.txn, edit.mailbox, row.mid)
    bag = versions.imported(cold.bag(), version, edit.cn(edit.clock.row.counter + 1))
    return messages.annotate(edit, row, bags.pack(bag))


def _conflict_overlay(
    draft: Draft, incoming: Version, other: _Stored, stored: Overlay, *, imported: bool
) -> Overlay:
    """The conflict resolve message: what the winner has, and every version as an attachment."""
    found: list[Overlay] = []
    plain = stored.copy()
    if other.row.flags & RowFlag.IN_CONFLICT:
        for number in plain.attachment_numbers():
            attachment = plain.attachment(number)
            if attachment.get(tags.PidTagInConflict) is True:
                found.append(attachment.open_embedded())
                plain.remove_attachment(number)
    else:
        found.append(_version_of(plain, other.version, other.row.modified))
    found.append(_version_of(draft.overlay, incoming, draft.modified))
    made = (draft.overlay if imported else plain).copy()
    for version in found[-MAX_VERSIONS:]:
        attachment = made.new_attachment()
        attachment.set(tags.PidTagAttachMethod, ATTACH_EMBEDDED)
        attachment.set(tags.PidTagInConflict, True)
        attachment.put_embedded(version)
        made.put_attachment(attachment)
    return made


def _version_of(overlay: Overlay, version: Version, modified: int) -> Overlay:
    """A message as it stands in a conflict resolve message, with its version."""
    made = overlay.copy()
    made.changed[tags.PidTagChangeKey] = version.change_key
    made.changed[tags.PidTagPredecessorChangeList] = version.predecessors.pack()
    made.changed[tags.PidTagLastModificationTime] = modified
    return made


def _notify_owners(edit: Edit, row: Row, overlay: Overlay) -> None:
    """Tell the owners of a public folder of a conflict resolve message (3.1.5.6.3.1)."""
    txn, mailbox = edit.txn, edit.mailbox
    if mailboxes.identity(txn, mailbox).kind is not Kind.PUBLIC:
        return
    folder = folders.get(txn, mailbox, row.fid)
    subject = overlay.get(tags.PidTagSubject)
    bag: Bag = {
        tags.PidTagMessageClass: CONFLICT_CLASS,
        tags.PidTagSubject: subject if isinstance(subject, str) else "",
        tags.PidTagSenderName: folder.name,
        tags.PidTagOriginalSubject: subject if isinstance(subject, str) else "",
        tags.PidTagConflictEntryId: places(txn, mailbox).message_entry_id(row.fid, row.mid),
    }
    packed = bags.pack(bag)
    for member, right in permissions.members(txn, mailbox, row.fid).items():
        owner = entries.find(txn, member) if right & Right.FOLDER_OWNER and member > 0 else None
        if owner is None or not owner.mailbox:
            continue
        with editing(txn, owner.mailbox, now=edit.now) as inner:
            note = NewMessage(0, len(packed), packed, CONFLICT_CLASS, flags=RowFlag.MATERIALIZED)
            messages.insert(inner, Special.INBOX, replace(note, received=edit.now))


__all__ = ["RESOLVE_LAST_WRITER_WINS", "contents", "open_import", "resolve_method", "save_import"]
