"""Messages as MAPI works on them: open, save, read state, status (MS-OXCMSG 3.2.5).

A message is opened with the rights that its user has on it: those of the folder, where "owned" ones count for
messages that the user created. `save` gives a draft what the server knows (who changed it, how its recipients
are displayed, its place in a conversation) and stores it. Read state and status are no versions: they leave
change key and modification time alone.

Everything here raises `Refused`. Functions that take a write transaction are pure.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import IntFlag

from appliance.directory import entries
from appliance.mailbox import rights
from appliance.mailbox.actor import Actor
from appliance.mailbox.errors import Reason, Refused, refusing
from appliance.mapi import conversation, names, tags
from appliance.mapi.entryids import PermanentEntryId
from appliance.mapi.idset import IdSet
from appliance.mapi.types import Bag
from appliance.store import contents, drafts, folders, mailboxes, messages, peruser, search_folders, timers
from appliance.store import names as name_rows
from appliance.store.contents import Row, RowFlag
from appliance.store.drafts import Draft, OnConflict, Overlay, Saved
from appliance.store.edit import Edit, editing
from appliance.store.errors import NotFound
from appliance.store.folders import FolderKind
from appliance.store.kv import ReadTxn, WriteTxn
from appliance.store.mailboxes import Kind
from appliance.store.permissions import Right
from appliance.store.tables.sources import STATUS

STEP = 500
"""Messages whose read state one write function changes, at most."""

TO, CC, BCC = 1, 2, 3  # PidTagRecipientType, MS-OXOMSG 2.2.3.1
_TYPE = 0x0F

MF_READ, MF_UNSENT, MF_RESEND = 0x01, 0x08, 0x80  # MS-OXCMSG 2.2.1.6
_CLIENT_FLAGS = ((MF_READ, RowFlag.SEEN), (MF_UNSENT, RowFlag.DRAFT), (MF_RESEND, RowFlag.RESEND))

FLAG_COMPLETE, FLAGGED = 1, 2  # PidTagFlagStatus, MS-OXOFLAG 2.2.1.1
_VERBS = {102: RowFlag.ANSWERED, 103: RowFlag.ANSWERED, 104: RowFlag.FORWARDED}  # MS-OXOMSG 2.2.1.9


_READ_ANY, _EDIT_ANY = int(Right.READ_ANY), int(Right.EDIT_ANY)
"""As plain numbers: arithmetic of flags makes an object for each result."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A message that may be read: its row, what the user may do with it (`_ANY` rights stand for owned ones
    too), when it was soft-deleted (FILETIME) or None."""

    row: Row
    right: Right
    deleted: int | None = None

    @property
    def may_edit(self) -> bool:
        """Whether its properties may be changed."""
        return self.deleted is None and bool(int(self.right) & _EDIT_ANY)


@dataclass(frozen=True, slots=True)
class Author:
    """Who writes: display name and address book entry id."""

    name: str
    entry_id: bytes


def author(txn: ReadTxn, actor: Actor) -> Author:
    """The author that a user is; nobody for the server itself."""
    entry = entries.find(txn, actor.user) if actor.user else None
    if entry is None:
        return Author("", b"")
    return Author(entry.display_name, PermanentEntryId(entry.legacy_dn).pack())


def open_message(
    txn: ReadTxn, actor: Actor, mailbox: int, fid: int, mid: int, *, deleted: bool = False
) -> Opened:
    """A message of a folder (of a search folder: wherever it is), with `deleted` a soft-deleted one too.
    Refused with NOT_FOUND, ACCESS_DENIED."""
    with refusing():
        row, when = _find(txn, mailbox, fid, mid, deleted)
        right = rights_on(txn, actor, mailbox, row)
        if not int(right) & _READ_ANY:
            raise Refused(Reason.ACCESS_DENIED)  # MS-OXCMSG 3.2.5.1, also where the folder is not visible
        return Opened(row, right, when)


def find(txn: ReadTxn, mailbox: int, fid: int, mid: int) -> Row:
    """A message of a folder, normal or associated. Raises NotFound."""
    row = contents.find(txn, mailbox, fid, mid) or contents.find(txn, mailbox, fid, mid, True)
    if row is None:
        raise NotFound(f"message {mid:#x} in folder {fid:#x}")
    return row


def _find(txn: ReadTxn, mailbox: int, fid: int, mid: int, deleted: bool) -> tuple[Row, int | None]:
    try:
        return find(txn, mailbox, fid, mid), None
    except NotFound:
        folder = folders.get(txn, mailbox, fid)
        if folder.kind == FolderKind.SEARCH:
            for row in search_folders.rows(txn, mailbox, fid, after=mid - 1):
                if row.mid == mid:
                    return row, None
                break
        if deleted:
            buried = contents.buried(txn, mailbox, fid, mid)
            return buried.row, buried.when
        raise


def rights_on(txn: ReadTxn, actor: Actor, mailbox: int, row: Row) -> Right:
    """What a user may do with a message (MS-OXCPERM 2.2.7): rights on owned messages become those on any."""
    right = rights.effective(txn, actor, mailbox, row.fid)
    if right == rights.EVERYTHING:
        return right
    owned = Right.EDIT_OWNED | Right.DELETE_OWNED
    if right & Right.FOLDER_OWNER:
        return right | Right.READ_ANY | Right.EDIT_ANY | Right.DELETE_ANY
    if right & owned and right & (Right.EDIT_ANY | Right.DELETE_ANY) != Right.EDIT_ANY | Right.DELETE_ANY:
        creator = messages.load(txn, mailbox, row.mid).get(tags.PidTagCreatorEntryId)
        if creator and creator == author(txn, actor).entry_id:
            right |= Right.READ_ANY
            right |= Right.EDIT_ANY if right & Right.EDIT_OWNED else Right.NONE
            right |= Right.DELETE_ANY if right & Right.DELETE_OWNED else Right.NONE
    return right


def require_place(txn: ReadTxn, actor: Actor, mailbox: int, fid: int) -> Right:
    """What a user may do in a folder where a message is to be created. Refused with NOT_FOUND,
    ACCESS_DENIED, INVALID for a search folder."""
    with refusing():
        folder = folders.get(txn, mailbox, fid)
        have = rights.effective(txn, actor, mailbox, fid)
        if not have & (Right.CREATE | Right.FOLDER_OWNER):
            raise Refused(Reason.ACCESS_DENIED)  # MS-OXCMSG 3.2.5.2, also where the folder is not visible
        if folder.kind == FolderKind.SEARCH:
            raise Refused(Reason.INVALID, "a search folder holds no messages of its own")
        return have


# -- saving -----------------------------------------------------------------------------------------------


def save(txn: WriteTxn, actor: Actor, draft: Draft, *, force: bool, now: int) -> Saved:
    """Store a draft (MS-OXCMSG 3.2.5.3). `force`: it wins over what others saved since it began. Content of
    a message that lives from its MIME must have been materialized. Refused with NOT_FOUND, ACCESS_DENIED,
    CONFLICT, QUOTA."""
    with refusing():
        public, seen = mailboxes.identity(txn, draft.mailbox).kind is Kind.PUBLIC, False
        if draft.mid:
            row = contents.get(txn, draft.mailbox, draft.fid, draft.mid, draft.associated)
            seen = public and bool(is_read(txn, actor, draft.mailbox, row))
            if not rights_on(txn, actor, draft.mailbox, row) & Right.EDIT_ANY:
                raise Refused(Reason.ACCESS_DENIED)
        else:
            require_place(txn, actor, draft.mailbox, draft.fid)
        made = finished(txn, draft, author(txn, actor), now)
        how = OnConflict.OVERWRITE if force else OnConflict.FAIL
        with editing(txn, draft.mailbox, now=now, actor=actor.user, origin=actor.session) as edit:
            before = edit.clock.row.size
            saved = drafts.save(edit, made, on_conflict=how)
            _require_room(edit, before)
        if public and (seen or (not draft.mid and made.flags & RowFlag.SEEN)):
            # Who writes a message of a public folder has read what it says now.
            peruser.mark(txn, draft.mailbox, draft.fid, actor.user, [saved.row.cn], read=True)
        return saved


def _require_room(edit: Edit, before: int) -> None:
    box = edit.clock.row
    if box.receive_quota and before < box.size > box.receive_quota:
        raise Refused(Reason.QUOTA, f"{before} of {box.receive_quota} bytes are used")


def finished(txn: ReadTxn, draft: Draft, by: Author, now: int) -> Draft:
    """The draft with what the server adds. The given one stays as it is."""
    if draft.mid and draft.overlay.is_empty():
        return draft
    overlay = draft.overlay.copy()
    made = replace(draft, overlay=overlay)
    if by.entry_id:
        overlay.set(tags.PidTagLastModifierName, by.name)
        overlay.set(tags.PidTagLastModifierEntryId, by.entry_id)
    received = overlay.changed.get(tags.PidTagMessageDeliveryTime)
    if isinstance(received, int):
        made.received = received
    _take_state(txn, made)
    if not draft.mid or drafts.touches_content(txn, overlay):
        _complete(overlay, new=not draft.mid, now=now)
    for tag in _OF_ROW:
        overlay.changed.pop(tag, None)
    return made


_OF_ROW = (
    tags.PidTagMessageFlags,
    tags.PidTagRead,
    tags.PidTagLastModificationTime,
    tags.PidTagLocalCommitTime,
    tags.PidTagMessageDeliveryTime,
    tags.PidTagMessageSize,
    tags.PidTagMessageSizeExtended,
    tags.PidTagHasAttachments,
    tags.PidTagAssociated,
)
"""What the row of a message holds, and its bag therefore does not."""


def _take_state(txn: ReadTxn, draft: Draft) -> None:
    """Carry what properties say over to the row's flags and keywords, where IMAP sees it too."""
    overlay, changed = draft.overlay, draft.overlay.changed
    flags = changed.get(tags.PidTagMessageFlags)
    if draft.mid:
        draft.clear |= RowFlag.UNMODIFIED
    else:
        draft.flags |= RowFlag.UNMODIFIED
        if isinstance(flags, int):
            for bit, flag in _CLIENT_FLAGS:
                draft.flags = draft.flags | flag if flags & bit else draft.flags & ~flag
        seen = bool(draft.flags & RowFlag.SEEN)
        draft.flags = draft.flags | RowFlag.EVER_READ if seen else draft.flags & ~RowFlag.EVER_READ
    if tags.PidTagFlagStatus in changed or tags.PidTagFlagStatus in overlay.removed:
        status = changed.get(tags.PidTagFlagStatus)
        both = RowFlag.FLAGGED | RowFlag.FLAG_COMPLETE
        draft.clear |= both
        draft.flags = draft.flags & ~both | (
            RowFlag.FLAGGED
            if status == FLAGGED
            else RowFlag.FLAG_COMPLETE
            if status == FLAG_COMPLETE
            else RowFlag.NONE
        )
    verb = changed.get(tags.PidTagLastVerbExecuted)
    if isinstance(verb, int) and verb in _VERBS:
        draft.flags |= _VERBS[verb]
    if changed.get(tags.PidTagReadReceiptRequested) is True and not draft.mid:
        draft.flags |= RowFlag.NOTIFY_READ
    draft.keywords = _keywords(txn, draft)


def _keywords(txn: ReadTxn, draft: Draft) -> tuple[str, ...] | None:
    """IMAP's keywords after a change of the categories: its own ($...) stay, categories that can be keywords
    are keywords. None where the categories did not change."""
    number = name_rows.find(txn, names.PidNameKeywords.name)
    if number is None:
        return draft.keywords
    tag = number << 16 | names.PidNameKeywords.type
    if tag not in draft.overlay.changed and tag not in draft.overlay.removed:
        return draft.keywords
    old: tuple[str, ...] = ()
    if draft.mid:
        row = contents.get(txn, draft.mailbox, draft.fid, draft.mid, draft.associated)
        old = tuple(word for word in row.keywords if word.startswith("$"))
    value = draft.overlay.changed.get(tag)
    categories = value if isinstance(value, tuple) else ()
    fit = tuple(word for word in categories if isinstance(word, str) and _is_keyword(word))
    return messages.check_keywords((*old, *fit)[: messages.MAX_KEYWORDS])


def _is_keyword(word: str) -> bool:
    """Whether a category can be an IMAP keyword (an atom, RFC 9051 9)."""
    return (
        0 < len(word) <= messages.MAX_KEYWORD
        and word.isascii()
        and word.isprintable()
        and not set(word) & set(' (){%*"]\\')
    )


def _complete(overlay: Overlay, *, new: bool, now: int) -> None:
    """What the server computes of a message's content."""
    if new or overlay.recipients:
        for tag, text in displayed(overlay.recipient_rows().values()).items():
            overlay.set(tag, text)
    subject = overlay.get(tags.PidTagSubject)
    if isinstance(subject, str) and overlay.get(tags.PidTagNormalizedSubject) is None:
        for tag, part in subject_parts(subject).items():
            overlay.set(tag, part)
    normalized = overlay.get(tags.PidTagNormalizedSubject)
    if overlay.get(tags.PidTagConversationTopic) is None and isinstance(normalized, str):
        overlay.set(tags.PidTagConversationTopic, normalized)
    index, topic = overlay.get(tags.PidTagConversationIndex), overlay.get(tags.PidTagConversationTopic)
    ident = conversation.conversation_id(
        index if isinstance(index, bytes) else None,
        topic if isinstance(topic, str) else None,
        overlay.get(tags.PidTagConversationIndexTracking) is True,
    )
    if ident is not None:
        overlay.set(tags.PidTagConversationId, ident)
        if index is None and new:
            overlay.set(tags.PidTagConversationIndex, conversation.new_index(now, ident))


def subject_parts(subject: str) -> dict[int, str]:
    """PidTagSubject with the properties that follow from it (MS-OXCMSG 2.2.1.9, 2.2.1.10)."""
    parts = conversation.split_subject(subject)
    return {
        tags.PidTagSubject: subject,
        tags.PidTagSubjectPrefix: parts.prefix,
        tags.PidTagNormalizedSubject: parts.normalized,
    }


def displayed(recipients: Iterable[Bag]) -> dict[int, str]:
    """PidTagDisplayTo, Cc and Bcc (MS-OXOMSG 2.2.1.7): display names in the order of the rows."""
    shown: dict[int, list[str]] = {TO: [], CC: [], BCC: []}
    for bag in recipients:
        kind = bag.get(tags.PidTagRecipientType)
        name = bag.get(tags.PidTagDisplayName) or bag.get(tags.PidTagEmailAddress)
        if isinstance(kind, int) and kind & _TYPE in shown and isinstance(name, str):
            shown[kind & _TYPE].append(name)
    return {
        tag: "; ".join(shown[kind])[:_DISPLAYED]
        for tag, kind in (
            (tags.PidTagDisplayTo, TO),
            (tags.PidTagDisplayCc, CC),
            (tags.PidTagDisplayBcc, BCC),
        )
    }


_DISPLAYED = 8192
"""Characters of the display of one kind of recipients, at most."""


# -- read state and status --------------------------------------------------------------------------------


class ReadFlag(IntFlag):
    """MS-OXCMSG 2.2.3.10.1; other bits are ignored."""

    DEFAULT = 0x00
    SUPPRESS_RECEIPT = 0x01
    CLEAR_READ = 0x04
    GENERATE_RECEIPT_ONLY = 0x10
    CLEAR_NOTIFY_READ = 0x20
    CLEAR_NOTIFY_UNREAD = 0x40


_KEEPS_READ = ReadFlag.GENERATE_RECEIPT_ONLY | ReadFlag.CLEAR_NOTIFY_READ | ReadFlag.CLEAR_NOTIFY_UNREAD


def read_state(flags: int, how: ReadFlag) -> int:
    """The flags of a row after RopSetReadFlags (MS-OXCMSG 2.2.3.10.1)."""
    if how & ReadFlag.CLEAR_NOTIFY_READ:
        flags &= ~RowFlag.NOTIFY_READ
    if how & ReadFlag.CLEAR_NOTIFY_UNREAD:
        flags &= ~RowFlag.NOTIFY_UNREAD
    if how & ReadFlag.CLEAR_READ:
        return flags & ~(RowFlag.SEEN | RowFlag.EVER_READ)
    if how & _KEEPS_READ:
        return flags & ~RowFlag.NOTIFY_READ if how & ReadFlag.GENERATE_RECEIPT_ONLY else flags
    # Read: a receipt that was waiting is sent, or suppressed; either way it waits no longer.
    return flags & ~RowFlag.NOTIFY_READ | RowFlag.SEEN | RowFlag.EVER_READ


@dataclass(frozen=True, slots=True)
class ReadChange:
    """What a change of read states did: whose changed, the receipts that are due now (rows as they were), and
    whether some messages could not be changed."""

    changed: tuple[int, ...]
    due: tuple[Row, ...]
    partial: bool


def set_read(
    txn: WriteTxn, actor: Actor, mailbox: int, fid: int, mids: Sequence[int], how: ReadFlag, *, now: int
) -> ReadChange:
    """Change the read state of messages, STEP at most, each once. Needs READ_ANY. In public folders each user
    has an own one, and nobody gets receipts. Refused with NOT_FOUND, ACCESS_DENIED, LIMIT."""
    if len(mids) > STEP:
        raise Refused(Reason.LIMIT, f"at most {STEP} messages in one step")
    with refusing():
        rights.require(txn, actor, mailbox, fid, Right.READ_ANY)
        named = dict.fromkeys(mids)
        rows = [row for mid in named if (row := _row(txn, mailbox, fid, mid)) is not None]
        partial = len(rows) < len(named)
        if mailboxes.identity(txn, mailbox).kind is Kind.PUBLIC:
            return _set_read_public(txn, actor, mailbox, fid, rows, how, partial)
        changed: list[int] = []
        due: list[Row] = []
        with editing(txn, mailbox, now=now, actor=actor.user, origin=actor.session) as edit:
            for row in rows:
                flags = read_state(row.flags, how)
                if row.flags & ~flags & RowFlag.NOTIFY_READ and not how & _NO_RECEIPT:
                    timers.put(txn, mailbox, timers.Kind.READ_RECEIPT, row.mid, now)
                    due.append(row)
                if (flags ^ row.flags) & RowFlag.SEEN:
                    changed.append(row.mid)
                messages.set_state(edit, row, flags, row.keywords)
        return ReadChange(tuple(changed), tuple(due), partial)


_NO_RECEIPT = ReadFlag.SUPPRESS_RECEIPT | ReadFlag.CLEAR_NOTIFY_READ


def _row(txn: ReadTxn, mailbox: int, fid: int, mid: int) -> Row | None:
    return contents.find(txn, mailbox, fid, mid) or contents.find(txn, mailbox, fid, mid, True)


def _set_read_public(
    txn: WriteTxn, actor: Actor, mailbox: int, fid: int, rows: list[Row], how: ReadFlag, partial: bool
) -> ReadChange:
    if how & _KEEPS_READ and not how & ReadFlag.CLEAR_READ:
        return ReadChange((), (), partial)
    read = not how & ReadFlag.CLEAR_READ
    known = peruser.read_set(txn, mailbox, fid, actor.user)
    changed = tuple(row.mid for row in rows if peruser.is_read(known, row.cn) != read)
    peruser.mark(txn, mailbox, fid, actor.user, [row.cn for row in rows], read=read)
    return ReadChange(changed, (), partial)


def own_reads(txn: ReadTxn, actor: Actor, mailbox: int, fid: int) -> IdSet | None:
    """The change numbers of a public folder's messages that a user has read; None for any other folder,
    where all share one read state."""
    if mailboxes.identity(txn, mailbox).kind is not Kind.PUBLIC:
        return None
    return peruser.read_set(txn, mailbox, fid, actor.user)


def is_read(txn: ReadTxn, actor: Actor, mailbox: int, row: Row) -> bool | None:
    """Whether a user has read a message of a public folder; None for any other message."""
    known = own_reads(txn, actor, mailbox, row.fid)
    return None if known is None else peruser.is_read(known, row.cn)


MS_IN_CONFLICT = 0x800
"""The bit of PidTagMessageStatus that only the server sets (MS-OXCMSG 2.2.1.8)."""


def status_of(row: Row) -> int:
    """PidTagMessageStatus (MS-OXCMSG 2.2.1.8)."""
    return sum(bit for flag, bit in STATUS if row.flags & flag)


def status(txn: ReadTxn, actor: Actor, mailbox: int, fid: int, mid: int) -> int:
    """The status of a message. Needs READ_ANY."""
    with refusing():
        rights.require(txn, actor, mailbox, fid, Right.READ_ANY)
        return status_of(find(txn, mailbox, fid, mid))


def set_status(
    txn: WriteTxn, actor: Actor, mailbox: int, fid: int, mid: int, bits: int, mask: int, *, now: int
) -> int:
    """Set those bits of a message's status that `mask` names to those of `bits`; the status as it was. Needs
    EDIT_ANY, or EDIT_OWNED on an own message."""
    with refusing():
        rights.require(txn, actor, mailbox, fid, Right.READ_ANY)
        row = find(txn, mailbox, fid, mid)
        if not rights_on(txn, actor, mailbox, row) & Right.EDIT_ANY:
            raise Refused(Reason.ACCESS_DENIED)
        flags = row.flags
        for flag, bit in STATUS:
            if mask & bit & ~MS_IN_CONFLICT:
                flags = flags | flag if bits & bit else flags & ~flag
        with editing(txn, mailbox, now=now, actor=actor.user, origin=actor.session) as edit:
            messages.set_state(edit, row, flags, row.keywords)
        return status_of(row)
