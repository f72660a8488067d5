"""Delivery: one message into any number of mailboxes, in one transaction, with one stored copy."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from appliance.formats import bags
from appliance.mailbox import quotas
from appliance.mailbox.errors import Reason, Refused, refusing
from appliance.mailbox.incoming import Incoming
from appliance.mapi.tags import (
    PidTagFlagStatus,
    PidTagNonReceiptNotificationRequested,
    PidTagReadReceiptRequested,
)
from appliance.store import folders, mailboxes, messages
from appliance.store.contents import Row, RowFlag
from appliance.store.edit import editing
from appliance.store.kv import ReadTxn, WriteTxn
from appliance.store.mailboxes import Special
from appliance.store.messages import NewMessage
from appliance.store.tables.sources import FLAGGED


@dataclass(frozen=True, slots=True)
class Target:
    """One mailbox that a message goes to. `prefix` are the trace headers of this recipient (Return-Path,
    Delivered-To, Received), each line ended by CRLF. `folder` 0 is the inbox; `detail` is what stood behind
    the plus sign of the address: a folder below the inbox or the top of that name takes the message. `flags`
    say where it came from."""

    mailbox: int
    prefix: bytes = b""
    folder: int = 0
    detail: str = ""
    flags: RowFlag = RowFlag.NONE


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one target: the row, or why there is none."""

    target: Target
    row: Row | None
    refused: Refused | None = None


def deliver(
    txn: WriteTxn, incoming: Incoming, targets: Sequence[Target], *, now: int, origin: int = 0
) -> list[Outcome]:
    """Put a message into each target's mailbox. A target that is over quota or gone is refused alone; its
    outcome says so. Errors of the store itself undo everything."""
    outcomes: list[Outcome] = []
    blob = 0
    for target in targets:
        try:
            with refusing():
                fid = _place(txn, target, incoming.size)
        except Refused as refused:
            outcomes.append(Outcome(target, None, refused))
            continue
        with refusing(), editing(txn, target.mailbox, now=now, origin=origin) as edit:
            new = _asking(incoming.bind(txn, received=now, prefix=target.prefix, blob=blob))
            row = messages.insert(edit, fid, replace(new, flags=new.flags | target.flags))
        blob = row.blob
        outcomes.append(Outcome(target, row))
    return outcomes


def _asking(new: NewMessage) -> NewMessage:
    """A message whose sender wants to know when it is read, or that it was not (MS-OXCMSG 2.2.1.6:
    mfNotifyRead, mfNotifyUnread), or that comes with a flag (MS-OXCMAIL 2.2.3.2, X-Message-Flag)."""
    flags = new.flags
    if bags.get(new.bag, PidTagReadReceiptRequested) is True:
        flags |= RowFlag.NOTIFY_READ
    if bags.get(new.bag, PidTagNonReceiptNotificationRequested) is True:
        flags |= RowFlag.NOTIFY_UNREAD
    if bags.get(new.bag, PidTagFlagStatus) == FLAGGED:
        flags |= RowFlag.FLAGGED
    return new if flags == new.flags else replace(new, flags=flags)


def _place(txn: ReadTxn, target: Target, size: int) -> int:
    """The folder that takes the message. Everything that can be refused is refused here, before a change."""
    folder = folders.get(txn, target.mailbox, target.folder or _folder_of(txn, target))
    quotas.require_room(mailboxes.get(txn, target.mailbox), folder, size + len(target.prefix))
    if folder.uidnext > messages.MAX_UID:
        raise Refused(Reason.LIMIT, "the folder has used every UID")
    return folder.fid


def is_full(txn: ReadTxn, target: Target, size: int) -> bool:
    """Whether a message of `size` bytes would be refused for want of room."""
    try:
        with refusing():
            _place(txn, target, size)
    except Refused as refused:
        return refused.reason is Reason.QUOTA
    return False


def _folder_of(txn: ReadTxn, target: Target) -> int:
    if target.detail:
        for parent in (Special.INBOX, Special.IPM_SUBTREE):
            fid = folders.lookup(txn, target.mailbox, parent, target.detail)
            if fid is not None:
                return fid
    return Special.INBOX
