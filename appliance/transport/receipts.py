"""Read and non-read receipts: a message whose sender asked for one was read, or deleted unread (MS-OXOMSG
2.2.1.29, 3.2.4.4, RFC 8098).

Whoever marks such a message as read, or deletes it unread, sets a timer in the same transaction (`due`,
`mailbox.receipts`); `send_due` makes the receipts and sends them, so that none is lost between the two. A
receipt is a report object (MS-OXOMSG 2.2.2) that goes out as MIME.

What came by SMTP from somebody who is not the one to be told (RFC 8098 2.1: the address differs from the
Return-Path) gets none: the mail program of a person asks first, a server does not.
"""

import os
from collections.abc import Callable, Collection

from appliance.convert.mime.addresses import Address
from appliance.convert.mime.envelope import READ_RECEIPT, REPRESENTING, SENDER, set_group
from appliance.convert.mime.fields import Identity, group_address, text_of
from appliance.convert.mime.render import render_bytes
from appliance.directory import domains, entries
from appliance.directory.model import Entry
from appliance.mailbox import receipts
from appliance.mailbox.incoming import Ingest
from appliance.mailbox.receipts import Original
from appliance.mapi import tags
from appliance.mapi.objects import MessageObject
from appliance.mapi.types import Bag
from appliance.store import contents, mailboxes, timers
from appliance.store.kv import ReadTxn, WriteTxn
from appliance.store.queue import Origin
from appliance.store.store import Store
from appliance.transport.acceptance import Mail, NobodyTook, Recipient, accept
from appliance.transport.trace import own_received

READ_CLASS, UNREAD_CLASS = "REPORT.IPM.Note.IPNRN", "REPORT.IPM.Note.IPNNRN"
_KINDS = (timers.Kind.READ_RECEIPT, timers.Kind.NON_READ_RECEIPT)


def due(txn: WriteTxn, mailbox: int, mid: int, now: int) -> None:
    """A message was read whose sender wants to know."""
    timers.put(txn, mailbox, timers.Kind.READ_RECEIPT, mid, now)


def send_due(
    store: Store,
    now: int,
    fresh: Callable[[int], bytes] = os.urandom,
    only: Collection[int] | None = None,
) -> int:
    """Send the receipts that are due in these mailboxes, or in every one; how many. Blocks: call it in a
    thread."""
    with store.read() as txn:
        numbers = [identity.number for identity in mailboxes.identities(txn)] if only is None else only
        waiting = [
            (number, timers.Kind(timer.kind), timer.object)
            for number in numbers
            for timer in timers.due(txn, number, now)
            if timer.kind in _KINDS
        ]
    return sum(_send(store, mailbox, kind, mid, now, fresh) for mailbox, kind, mid in waiting)


def _send(
    store: Store, mailbox: int, kind: timers.Kind, mid: int, now: int, fresh: Callable[[int], bytes]
) -> bool:
    """Send one receipt; whether there was anybody to tell."""
    with store.read() as txn:
        receipt = _receipt(txn, mailbox, kind, mid, now)
    mail = _mail(store, *receipt, now=now, fresh=fresh(16)) if receipt is not None else None

    def settle(txn: WriteTxn) -> bool:
        if not timers.cancel(txn, mailbox, kind, mid) or mail is None:
            return False
        accept(txn, mail)
        return True

    try:
        return store.write(settle).result()
    except NobodyTook:  # nobody is told that nobody wants to know
        store.write(lambda txn: timers.cancel(txn, mailbox, kind, mid)).result()
        return False


def _receipt(
    txn: ReadTxn, mailbox: int, kind: timers.Kind, mid: int, now: int
) -> tuple[MessageObject, Address, Entry, str] | None:
    """The report, who gets it, whose it is, and our host's name; None where there is nobody to tell."""
    reader = entries.by_mailbox(txn, mailbox)
    if kind is timers.Kind.NON_READ_RECEIPT:
        about = receipts.deleted(txn, mailbox, mid)
    else:
        row = contents.locate(txn, mailbox, mid)
        about = None if row is None else receipts.original(txn, mailbox, row)
    if about is None or reader is None:
        return None
    hostname = domains.get(txn).hostname
    wants = (group_address(about.bag, group, hostname) for group in (READ_RECEIPT, SENDER, REPRESENTING))
    to = next((found for found in wants if found is not None and found.address), None)
    if to is None or not _returns_to(about.prefix, to.address):
        return None
    report = _report(about, reader, now, was_read=kind is timers.Kind.READ_RECEIPT)
    return MessageObject(report), to, reader, hostname


def _returns_to(prefix: bytes, address: str) -> bool:
    """Whether a message from elsewhere came from who is to be told; ours have no Return-Path of another."""
    line, _, _ = prefix.partition(b"\r\n")
    name, _, path = line.partition(b":")
    if name.lower() != b"return-path":
        return True
    return path.strip(b" <>").decode("utf-8", "replace").lower() == address.lower()


def _report(about: Original, reader: Entry, now: int, *, was_read: bool) -> Bag:
    """MS-OXOMSG 2.2.2, 3.2.4.4."""
    original = about.bag
    subject = text_of(original, tags.PidTagNormalizedSubject) or text_of(original, tags.PidTagSubject)
    lines = (
        "Your message",
        "",
        f"   To: {reader.display_name}",
        f"   Subject: {subject}",
        "",
        "was read." if was_read else "was deleted without being read.",
        "",
    )
    prefix = "Read: " if was_read else "Not read: "
    props: Bag = {
        tags.PidTagMessageClass: READ_CLASS if was_read else UNREAD_CLASS,
        tags.PidTagSubjectPrefix: prefix,
        tags.PidTagNormalizedSubject: subject,
        tags.PidTagSubject: prefix + subject,
        tags.PidTagReportTime: now,
        **({tags.PidTagReceiptTime: now} if was_read else {}),
        tags.PidTagClientSubmitTime: now,
        tags.PidTagOriginalSubject: original.get(tags.PidTagSubject) or "",
        tags.PidTagOriginalSubmitTime: original.get(tags.PidTagClientSubmitTime) or about.received,
        tags.PidTagOriginalDeliveryTime: about.received,
        tags.PidTagBody: "\r\n".join(lines),
    }
    carried = {
        tags.PidTagSearchKey: tags.PidTagParentKey,
        tags.PidTagInternetMessageId: tags.PidTagOriginalMessageId,
        tags.PidTagConversationTopic: tags.PidTagConversationTopic,
        tags.PidTagConversationIndex: tags.PidTagConversationIndex,
        tags.PidTagReportTag: tags.PidTagReportTag,
    }
    for source, target in carried.items():
        value = original.get(source)
        if value is not None:
            props[target] = value
    for group in (SENDER, REPRESENTING):
        set_group(props, group, Address(reader.display_name, reader.address))
    return props


def _mail(
    store: Store, report: MessageObject, to: Address, reader: Entry, hostname: str, *, now: int, fresh: bytes
) -> Mail:
    report.recipients.append(
        {
            tags.PidTagRecipientType: 1,
            tags.PidTagDisplayName: to.name or to.address,
            tags.PidTagAddressType: "SMTP",
            tags.PidTagEmailAddress: to.address,
            tags.PidTagSmtpAddress: to.address,
        }
    )
    message_id = f"<{fresh.hex()}@{hostname}>"
    ingest = Ingest(store)
    ingest.feed(render_bytes(report, Identity(message_id, now, fresh, hostname)))
    return Mail(
        sender="",  # RFC 8098 3
        recipients=(Recipient(to.address),),
        incoming=ingest.finish(),
        received=own_received(hostname, fresh[:6].hex().upper(), now),
        now=now,
        user=reader,
        origin=Origin.REPORT,
    )
