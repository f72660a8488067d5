"""Submission of a message that lies in a mailbox (MS-OXOMSG 3.2.5): ROPs, EWS, ActiveSync send through here.

`submit` reads the message, finds out who may be its author, renders its MIME, and then, in one transaction,
delivers and queues it and puts the sent copy where it belongs. Whoever was told that it worked will not have
to send again; a failure leaves the message as it was.

Recipients of this server get the message object itself (its properties, attachments and bodies as they
are), with the MIME beside it for who reads bytes; everybody else gets the MIME. Blind copies show in
neither.

A message that is to go later (MS-OXOMSG 2.2.3.9) stays where it is, marked as submitted, with a timer;
`submit_due` sends what has come due.
"""

import logging
import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum
from functools import partial

from appliance.convert.mime.envelope import REPRESENTING, SENDER, Group
from appliance.convert.mime.fields import Identity, Options, recipient_address
from appliance.convert.mime.object import to_object
from appliance.convert.mime.render import render
from appliance.directory import domains, entries, properties, resolve
from appliance.directory.model import Entry
from appliance.directory.resolve import SendAs
from appliance.formats import bags, mime
from appliance.mailbox import rendered
from appliance.mailbox.actor import SYSTEM, Actor
from appliance.mailbox.errors import Reason, Refused, refusing
from appliance.mailbox.incoming import Incoming, Ingest
from appliance.mailbox.rights import require
from appliance.mapi import entryids, tags
from appliance.mapi.entryids import FolderEntryId, PermanentEntryId
from appliance.mapi.ids import ServerId
from appliance.mapi.objects import MessageObject
from appliance.mapi.types import Bag, Value
from appliance.store import blobs, contents, drafts, folders, mailboxes, messages, parts, timers, versions
from appliance.store.contents import Row, RowFlag
from appliance.store.drafts import OnConflict
from appliance.store.edit import Edit, editing
from appliance.store.errors import StoreError
from appliance.store.kv import ReadTxn, WriteTxn
from appliance.store.mailboxes import REPLICA
from appliance.store.messages import NewMessage
from appliance.store.parts import PART_ATTACHMENT, PART_RECIPIENT, Part
from appliance.store.permissions import Right
from appliance.store.queue import Origin
from appliance.store.store import Store
from appliance.transport.acceptance import Mail, Recipient, accept
from appliance.transport.trace import own_received

TO, CC, BCC = 1, 2, 3
TYPE_MASK = 0x0F
RESEND_TO = 0x10000000
"""Bit of PidTagRecipientType: this recipient gets a message that is sent again (MS-OXOMSG 2.2.3.1)."""

MAX_RECIPIENTS = 5000
"""Recipients of one message, at most."""

UNITS = (60, 3600, 24 * 3600, 7 * 24 * 3600)
"""Seconds of a PidTagDeferredSendUnits: minutes, hours, days, weeks."""

TICKS = 10_000_000
_log = logging.getLogger(__name__)

_STAYS_HERE = frozenset(
    {
        *versions.STORED,
        tags.PidTagDeleteAfterSubmit,
        tags.PidTagSentMailSvrEID,
        tags.PidTagSentMailEntryId,
        tags.PidTagTargetEntryId,
        tags.PidTagDeferredSendNumber,
        tags.PidTagDeferredSendUnits,
        tags.PidTagDeferredSendTime,
        tags.PidTagDisplayBcc,
        tags.PidTagFlagStatus,
        tags.PidTagFlagCompleteTime,
        tags.PidTagFollowupIcon,
        tags.PidTagToDoItemFlags,
        tags.PidTagIconIndex,
        tags.PidTagLastModificationTime,
        tags.PidTagCreationTime,
    }
)
"""What the sender's copy has and the recipients' have not."""


class After(Enum):
    """What becomes of the message itself."""

    STAY = "stay"
    MOVE = "move"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Submitted(Incoming):
    """A message of a mailbox of this server on its way into others: its object, and its MIME."""

    object_bag: bytes = b""
    parts: tuple[Part, ...] = ()

    def bind(
        self,
        txn: WriteTxn,
        *,
        received: int,
        flags: RowFlag = RowFlag.NONE,
        keywords: tuple[str, ...] = (),
        prefix: bytes = b"",
        blob: int = 0,
    ) -> NewMessage:
        """As `Incoming.bind`, with the object's own properties and parts."""
        new = Incoming.bind(
            self, txn, received=received, flags=flags, keywords=keywords, prefix=prefix, blob=blob
        )
        for part in self.parts:
            for number in parts.part_blobs(part):
                blobs.retain(txn, number)
        attached = any(part.kind == PART_ATTACHMENT for part in self.parts)
        message_class = bags.get(self.object_bag, tags.PidTagMessageClass)
        kept = new.flags & ~RowFlag.HAS_ATTACHMENT | (RowFlag.HAS_ATTACHMENT if attached else 0)
        return replace(
            new,
            bag=self.object_bag,
            compact=False,
            parts=self.parts,
            flags=RowFlag(kept | RowFlag.MATERIALIZED),
            message_class=message_class if isinstance(message_class, str) else new.message_class,
        )


@dataclass(frozen=True, slots=True)
class Envelope:
    """What is known of a message before it is sent. `stamps`: what the server writes into it."""

    row: Row
    sender: str
    recipients: tuple[str, ...]
    stamps: Bag
    after: After
    target: int
    due: int


def submit(
    store: Store,
    actor: Actor,
    user: Entry,
    mailbox: int,
    fid: int,
    mid: int,
    *,
    now: int,
    fresh: bytes,
    spooled: bool = False,
) -> None:
    """Send a message, or mark it to be sent when it is due. Blocks: call it in a thread.

    `user` is who sends, `fresh` 16 random bytes, `spooled`: a client's spooler sends, and looks after the
    message itself. Raises Refused: ACCESS_DENIED for an author that the user may not be, INVALID without
    recipients, LIMIT with too many, QUOTA, CONFLICT when the message changes meanwhile, NOT_FOUND."""
    with refusing():
        with store.read() as txn:
            require(txn, actor, mailbox, fid, Right.READ_ANY | Right.EDIT_ANY)
            row = contents.get(txn, mailbox, fid, mid)
            message = _message(store, txn, mailbox, row)
            envelope = _envelope(txn, user, mailbox, row, message, now)
        if envelope.due > now and not spooled:
            store.write(lambda txn: _defer(txn, actor, mailbox, envelope, now)).result()
            return
        mail = _mail(store, user, mailbox, message, envelope, now=now, fresh=fresh)
        if spooled:
            envelope = replace(envelope, after=After.STAY)
        weight = mail.incoming.weight
        store.write(lambda txn: _send(txn, actor, mailbox, mail, envelope, now), weight=weight).result()


def abort(txn: WriteTxn, actor: Actor, mailbox: int, fid: int, mid: int, *, now: int) -> bool:
    """Take back a message that waits to be sent; whether it did wait. Raises Refused."""
    with refusing():
        require(txn, actor, mailbox, fid, Right.EDIT_ANY)
        row = contents.get(txn, mailbox, fid, mid)
        if not timers.cancel(txn, mailbox, timers.Kind.DEFERRED, mid):
            return False
        with editing(txn, mailbox, now=now, actor=actor.user, origin=actor.session) as edit:
            messages.set_state(edit, row, row.flags & ~RowFlag.SUBMITTED | RowFlag.DRAFT, row.keywords)
        return True


def submit_due(store: Store, now: int) -> int:
    """Send what has come due in every mailbox; how many went. What cannot be sent any more (its author's
    rights were taken, its recipients removed) becomes a draft again, and the log says so."""
    with store.read() as txn:
        waiting = [
            (identity.number, timer)
            for identity in mailboxes.identities(txn)
            for timer in timers.due(txn, identity.number, now)
            if timer.kind == timers.Kind.DEFERRED
        ]
    sent = 0
    for mailbox, timer in waiting:
        try:
            sent += _submit_waiting(store, mailbox, timer.object, now)
        except (Refused, StoreError) as error:
            _log.warning("a message that waited was not sent: %s", error)
            give_up = partial(_give_up, mailbox=mailbox, mid=timer.object, now=now)
            store.write(give_up).result()
    return sent


def _submit_waiting(store: Store, mailbox: int, mid: int, now: int) -> int:
    with store.read() as txn:
        row = contents.locate(txn, mailbox, mid)
        user = _waiting_sender(txn, mailbox, mid) if row is not None else None
    if row is None or user is None:
        raise Refused(Reason.NOT_FOUND, "the message or its sender is gone")
    submit(store, SYSTEM, user, mailbox, row.fid, mid, now=now, fresh=os.urandom(16))
    return 1


def _waiting_sender(txn: ReadTxn, mailbox: int, mid: int) -> Entry | None:
    """Who submitted a message that waits: it was written into it then."""
    name = messages.load(txn, mailbox, mid).get(SENDER.address)
    sender = entries.by_legacy_dn(txn, name) if isinstance(name, str) else None
    return sender or entries.by_mailbox(txn, mailbox)


def _give_up(txn: WriteTxn, mailbox: int, mid: int, now: int) -> None:
    timers.cancel(txn, mailbox, timers.Kind.DEFERRED, mid)
    row = contents.locate(txn, mailbox, mid)
    if row is not None:
        with editing(txn, mailbox, now=now) as edit:
            messages.set_state(edit, row, row.flags & ~RowFlag.SUBMITTED | RowFlag.DRAFT, row.keywords)


# -- before the transaction -------------------------------------------------------------------------------


def _message(store: Store, txn: ReadTxn, mailbox: int, row: Row) -> MessageObject:
    if row.blob and not row.flags & RowFlag.MATERIALIZED:
        structure = blobs.structure(txn, row.blob)
        data = messages.read(txn, mailbox, row)
        scan = mime.Scan.unpack(structure.scan) if structure and not _prefix(txn, mailbox, row) else None
        scan = scan or mime.scan(data)
        return to_object(scan, lambda offset, length: data[offset : offset + length])
    return rendered.message_object(store, txn, mailbox, row.mid)


def _prefix(txn: ReadTxn, mailbox: int, row: Row) -> bytes:
    return messages.load(txn, mailbox, row.mid).prefix


def _envelope(
    txn: ReadTxn, user: Entry, mailbox: int, row: Row, message: MessageObject, now: int
) -> Envelope:
    usage = mailboxes.get(txn, user.mailbox)
    if usage.send_quota and usage.size > usage.send_quota:
        raise Refused(Reason.QUOTA, "the sender's mailbox is full")
    author, how = _author(txn, user, message)
    sending = author if how is SendAs.AS else user
    stamps: Bag = {
        tags.PidTagClientSubmitTime: now,
        **_person(SENDER, sending),
        **_person(REPRESENTING, author),
        tags.PidTagContentFilterSpamConfidenceLevel: -1,
    }
    after, target = _after(txn, mailbox, message)
    return Envelope(
        row=row,
        sender=user.address if how is SendAs.ON_BEHALF else author.address,
        recipients=_recipients(txn, row, message),
        stamps=stamps,
        after=after,
        target=target,
        due=_due(message, now),
    )


def _author(txn: ReadTxn, user: Entry, message: MessageObject) -> tuple[Entry, SendAs]:
    """Who the message is from, and how the user may say so (MS-OXOMSG 3.2.4.1)."""
    address = _address_of(txn, message.props, REPRESENTING)
    if not address:
        return user, SendAs.SELF
    how = resolve.may_send_as(txn, user, address)
    author, _ = resolve.lookup(txn, address)
    if how is SendAs.NO or author is None:
        raise Refused(Reason.ACCESS_DENIED, f"may not send as {address}")
    return author, how


def _person(group: Group, entry: Entry) -> Bag:
    return {
        group.name: entry.display_name,
        group.kind: "EX",
        group.address: entry.legacy_dn,
        group.smtp: entry.address,
        group.entry_id: properties.entry_id(entry),
        group.search_key: properties.search_key(entry),
    }


def _address_of(txn: ReadTxn, props: Bag, group: Group) -> str:
    """The SMTP address in a group of address properties; empty where there is none."""
    return _smtp(txn, props, group.smtp, group.kind, group.address, group.entry_id)


def _smtp(txn: ReadTxn, props: Bag, smtp: int, kind: int, address: int, entry_id: int) -> str:
    text = props.get(smtp)
    if isinstance(text, str) and "@" in text:
        return text
    kind_text, plain = props.get(kind), props.get(address)
    if isinstance(plain, str) and isinstance(kind_text, str) and kind_text.upper() == "SMTP":
        return plain
    names = [plain] if isinstance(plain, str) and str(kind_text).upper() == "EX" else []
    names += _names_in(props.get(entry_id))
    for name in names:
        entry = entries.by_legacy_dn(txn, name)
        if entry is not None:
            return entry.address
    return ""


def _names_in(entry_id: Value) -> list[str]:
    """The distinguished name in an address book entry id."""
    try:
        found = entryids.parse(entry_id) if isinstance(entry_id, bytes) else None
    except ValueError:
        return []
    return [found.dn] if isinstance(found, PermanentEntryId) else []


def _recipients(txn: ReadTxn, row: Row, message: MessageObject) -> tuple[str, ...]:
    """The addresses to send to, each once. One that leads nowhere stays, so that its failure is reported."""
    resend = bool(row.flags & RowFlag.RESEND)
    found: dict[str, None] = {}
    domain = domains.get(txn).hostname
    for bag in message.recipients:
        kind = bag.get(tags.PidTagRecipientType)
        kind = kind if isinstance(kind, int) else TO
        if kind & TYPE_MASK not in (TO, CC, BCC) or (resend and not kind & RESEND_TO):
            continue
        smtp = _smtp(
            txn,
            bag,
            tags.PidTagSmtpAddress,
            tags.PidTagAddressType,
            tags.PidTagEmailAddress,
            tags.PidTagEntryId,
        )
        if smtp:
            bag[tags.PidTagSmtpAddress] = smtp
        written = recipient_address(bag, domain)
        found[smtp or (written.address or written.display if written else "")] = None
    addresses = tuple(address for address in found if address)
    if not addresses:
        raise Refused(Reason.INVALID, "no recipients")
    if len(addresses) > MAX_RECIPIENTS:
        raise Refused(Reason.LIMIT, f"at most {MAX_RECIPIENTS} recipients")
    return addresses


def _after(txn: ReadTxn, mailbox: int, message: MessageObject) -> tuple[After, int]:
    """PidTagDeleteAfterSubmit, PidTagSentMailSvrEID and PidTagSentMailEntryId (MS-OXOMSG 2.2.3)."""
    if message.props.get(tags.PidTagDeleteAfterSubmit) is True:
        return After.DELETE, 0
    target = _sent_folder(txn, mailbox, message)
    if target and folders.find(txn, mailbox, target) is not None:
        return After.MOVE, target
    return After.STAY, 0


def _sent_folder(txn: ReadTxn, mailbox: int, message: MessageObject) -> int:
    server = message.props.get(tags.PidTagSentMailSvrEID)
    entry = message.props.get(tags.PidTagSentMailEntryId)
    try:
        if isinstance(server, bytes) and (known := ServerId.parse(server)) is not None:
            return known.folder
        found = entryids.parse(entry) if isinstance(entry, bytes) else None
    except ValueError:
        return 0
    if isinstance(found, FolderEntryId):
        identity = mailboxes.identity(txn, mailbox)
        if found.folder.guid == identity.replica_guid:
            return REPLICA | found.folder.counter
    return 0


def _due(message: MessageObject, now: int) -> int:
    """When the message is to go (FILETIME): PidTagDeferredSendTime, or so many units from now."""
    moment = message.props.get(tags.PidTagDeferredSendTime)
    if isinstance(moment, int) and moment > 0:
        return moment
    number = message.props.get(tags.PidTagDeferredSendNumber)
    units = message.props.get(tags.PidTagDeferredSendUnits)
    if isinstance(number, int) and isinstance(units, int) and 0 <= units < len(UNITS) and 0 < number <= 999:
        return now + number * UNITS[units] * TICKS
    return 0


def _mail(
    store: Store,
    user: Entry,
    mailbox: int,
    message: MessageObject,
    envelope: Envelope,
    *,
    now: int,
    fresh: bytes,
) -> Mail:
    """The message with its envelope; its bytes are in the store when this returns."""
    with store.read() as txn:
        hostname = domains.get(txn).hostname
    message_id = message.props.get(tags.PidTagInternetMessageId)
    if not isinstance(message_id, str) or not message_id:
        message_id = f"<{fresh.hex()}@{hostname}>"
        envelope.stamps[tags.PidTagInternetMessageId] = message_id
    message.props.update(envelope.stamps)
    identity = Identity(message_id, now, fresh, hostname)
    ingest = Ingest(store)
    try:
        for piece in render(message, identity, Options()):
            waiting = ingest.feed(piece)
            if waiting is not None:
                waiting.result()
        incoming = ingest.finish()
    except BaseException:
        ingest.abort()
        raise
    with store.read() as txn:
        incoming = _as_object(txn, mailbox, envelope, incoming, now)
    return Mail(
        sender=envelope.sender,
        recipients=tuple(Recipient(address) for address in envelope.recipients),
        incoming=incoming,
        received=own_received(hostname, fresh[:6].hex().upper(), now),
        now=now,
        user=user,
        origin=Origin.MAILBOX,
        reports=True,
    )


def _as_object(txn: ReadTxn, mailbox: int, envelope: Envelope, incoming: Incoming, now: int) -> Incoming:
    """What mailboxes of this server get. A message that lives from its MIME goes as MIME."""
    row = envelope.row
    if row.blob and not row.flags & RowFlag.MATERIALIZED:
        return incoming
    bag = messages.load(txn, mailbox, row.mid).bag()
    kept = {tag: value for tag, value in bag.items() if tag not in _STAYS_HERE}
    kept |= {**envelope.stamps, tags.PidTagMessageDeliveryTime: now}
    shown = tuple(_shown(parts.parts(txn, mailbox, row.mid)))
    return Submitted(
        incoming.prepared, incoming.derived, incoming.packed_bag, object_bag=bags.pack(kept), parts=shown
    )


def _shown(found: Iterable[Part]) -> Iterable[Part]:
    """The parts that recipients see: all but blind copies."""
    for part in found:
        kind = bags.get(part.packed, tags.PidTagRecipientType) if part.kind == PART_RECIPIENT else 0
        if not (isinstance(kind, int) and kind & TYPE_MASK == BCC):
            yield part


# -- the transaction --------------------------------------------------------------------------------------


def _current(txn: WriteTxn, mailbox: int, row: Row) -> Row:
    """The row as it is now. Refuses when its content changed since the message was rendered."""
    now = contents.get(txn, mailbox, row.fid, row.mid)
    if now.cn != row.cn:
        raise Refused(Reason.CONFLICT, "the message changed while it was sent")
    return now


def _defer(txn: WriteTxn, actor: Actor, mailbox: int, envelope: Envelope, now: int) -> None:
    row = _current(txn, mailbox, envelope.row)
    timers.put(txn, mailbox, timers.Kind.DEFERRED, row.mid, envelope.due)
    sender = {tag: value for tag, value in envelope.stamps.items() if tag != tags.PidTagClientSubmitTime}
    with editing(txn, mailbox, now=now, actor=actor.user, origin=actor.session) as edit:
        row = _stamp(edit, row, sender)
        flags = row.flags & ~RowFlag.DRAFT | RowFlag.SUBMITTED  # MS-OXCMSG 2.2.1.6: no longer mfUnsent
        messages.set_state(edit, row, flags, row.keywords)


def _send(txn: WriteTxn, actor: Actor, mailbox: int, mail: Mail, envelope: Envelope, now: int) -> None:
    row = _current(txn, mailbox, envelope.row)
    timers.cancel(txn, mailbox, timers.Kind.DEFERRED, row.mid)
    accept(txn, mail)
    with editing(txn, mailbox, now=now, actor=actor.user, origin=actor.session) as edit:
        row = _stamp(edit, row, envelope.stamps)
        flags = row.flags & ~(RowFlag.DRAFT | RowFlag.SUBMITTED | RowFlag.RESEND) | RowFlag.SEEN
        row = messages.set_state(edit, row, flags | RowFlag.FROM_ME, row.keywords)
        if envelope.after is After.DELETE:
            messages.soft_delete(edit, row)
        elif envelope.after is After.MOVE and envelope.target != row.fid:
            messages.move(edit, row, envelope.target)


def _stamp(edit: Edit, row: Row, stamps: Bag) -> Row:
    """Write what the server knows into the sender's copy; bytes that a client brought stay as they are."""
    if row.blob and not row.flags & RowFlag.MATERIALIZED:
        return row
    draft = drafts.open_message(edit.txn, edit.mailbox, row, edit.origin)
    for tag, value in stamps.items():
        draft.overlay.set(tag, value)
    return drafts.save(edit, draft, on_conflict=OnConflict.OVERWRITE).row
