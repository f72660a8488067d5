"""Read receipts: a message whose sender asked for one was read (MS-OXOMSG 3.2.4.4, RFC 8098).

Whoever marks such a message as read sets a timer in the same transaction (`due`); `send_due` makes the
receipts and sends them, so that none is lost between the two. A receipt is a report object (MS-OXOMSG 2.2.2)
that goes out as MIME.

What came by SMTP from somebody who is not the one to be told (RFC 8098 2.1: the address differs from the
Return-Path) gets none: the mail program of a person asks first, a server does not.
"""

import os
from collections.abc import Callable

from appliance.convert.mime.addresses import Address
from appliance.convert.mime.envelope import READ_RECEIPT, REPRESENTING, SENDER, set_group
from appliance.convert.mime.fields import Identity, group_address, text_of
from appliance.convert.mime.render import render_bytes
from appliance.directory import domains, entries
from appliance.directory.model import Entry
from appliance.mailbox.incoming import Ingest
from appliance.mapi import tags
from appliance.mapi.objects import MessageObject
from appliance.mapi.types import Bag
from appliance.store import contents, mailboxes, messages, timers
from appliance.store.contents import Row
from appliance.store.kv import ReadTxn, WriteTxn
from appliance.store.queue import Origin
from appliance.store.store import Store
from appliance.transport.acceptance import Mail, NobodyTook, Recipient, accept
from appliance.transport.trace import own_received

READ_CLASS = "REPORT.IPM.Note.IPNRN"


def due(txn: WriteTxn, mailbox: int, mid: int, now: int) -> None:
    """A message was read whose sender wants to know."""
    timers.put(txn, mailbox, timers.Kind.READ_RECEIPT, mid, now)


def send_due(store: Store, now: int, fresh: Callable[[int], bytes] = os.urandom) -> int:
    """Send the receipts that are due in every mailbox; how many. Blocks: call it in a thread."""
    with store.read() as txn:
        waiting = [
            (identity.number, timer.object)
            for identity in mailboxes.identities(txn)
            for timer in timers.due(txn, identity.number, now)
            if timer.kind == timers.Kind.READ_RECEIPT
        ]
    sent = 0
    for mailbox, mid in waiting:
        with store.read() as txn:
            receipt = _receipt(txn, mailbox, mid, now, fresh(16))
        mail = _mail(store, *receipt, now=now, fresh=fresh(16)) if receipt is not None else None

        def settle(txn: WriteTxn, mailbox: int = mailbox, mid: int = mid, mail: Mail | None = mail) -> bool:
            if not timers.cancel(txn, mailbox, timers.Kind.READ_RECEIPT, mid) or mail is None:
                return False
            accept(txn, mail)
            return True

        try:
            sent += store.write(settle).result()
        except NobodyTook:  # nobody is told that nobody wants to know
            store.write(lambda txn, at=(mailbox, mid): _forget(txn, *at)).result()  # type: ignore[misc]
    return sent


def _forget(txn: WriteTxn, mailbox: int, mid: int) -> None:
    timers.cancel(txn, mailbox, timers.Kind.READ_RECEIPT, mid)


def _receipt(
    txn: ReadTxn, mailbox: int, mid: int, now: int, fresh: bytes
) -> tuple[MessageObject, Address, Entry, str] | None:
    """The report, who gets it, whose it is, and our host's name; None where there is nobody to tell."""
    row = contents.locate(txn, mailbox, mid)
    reader = entries.by_mailbox(txn, mailbox)
    if row is None or reader is None:
        return None
    message = messages.load(txn, mailbox, mid)
    original, hostname = message.bag(), domains.get(txn).hostname
    wants = (group_address(original, group, hostname) for group in (READ_RECEIPT, SENDER, REPRESENTING))
    to = next((found for found in wants if found is not None and found.address), None)
    if to is None or not _returns_to(message.prefix, to.address):
        return None
    return MessageObject(_report(original, reader, to, row, now, fresh)), to, reader, hostname


def _returns_to(prefix: bytes, address: str) -> bool:
    """Whether a message from elsewhere came from who is to be told; ours have no Return-Path of another."""
    line, _, _ = prefix.partition(b"\r\n")
    name, _, path = line.partition(b":")
    if name.lower() != b"return-path":
        return True
    return path.strip(b" <>").decode("utf-8", "replace").lower() == address.lower()


def _report(original: Bag, reader: Entry, to: Address, row: Row, now: int, fresh: bytes) -> Bag:
    """MS-OXOMSG 2.2.2, 3.2.4.4."""
    subject = text_of(original, tags.PidTagNormalizedSubject) or text_of(original, tags.PidTagSubject)
    lines = (
        "Your message",
        "",
        f"   To: {reader.display_name}",
        f"   Subject: {subject}",
        "",
        "was read.",
        "",
    )
    props: Bag = {
        tags.PidTagMessageClass: READ_CLASS,
        tags.PidTagSubjectPrefix: "Read: ",
        tags.PidTagNormalizedSubject: subject,
        tags.PidTagSubject: f"Read: {subject}",
        tags.PidTagReportTime: now,
        tags.PidTagReceiptTime: now,
        tags.PidTagClientSubmitTime: now,
        tags.PidTagOriginalSubject: original.get(tags.PidTagSubject) or "",
        tags.PidTagOriginalSubmitTime: original.get(tags.PidTagClientSubmitTime) or row.received,
        tags.PidTagOriginalDeliveryTime: row.received,
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
