"""Messages born in MAPI get their MIME once."""

from email import message_from_bytes, policy

from appliance.formats import bags
from appliance.mailbox.rendered import render_pending
from appliance.mapi import tags
from appliance.mapi.types import Value
from appliance.store import blobs, contents, messages
from appliance.store.blobs import BlobWriter
from appliance.store.edit import editing
from appliance.store.kv import WriteTxn
from appliance.store.mailboxes import Special
from appliance.store.messages import PART_ATTACHMENT, PART_RECIPIENT, NewMessage, Part
from appliance.store.store import Store
from tests.conftest import EPOCH

SMALL: dict[int, Value] = {
    tags.PidTagAttachMethod: 1,
    tags.PidTagAttachLongFilename: "small.bin",
    tags.PidTagAttachDataBinary: b"\x00\x01",
}
"""An attachment so small that its bytes stand in its bag."""


def insert(store: Store, mailbox: int) -> contents.Row:
    writer = BlobWriter(store)
    writer.write(b"name;value\r\n" * 100)
    prepared = writer.finish()
    bag = {tags.PidTagSubject: "Grüße", tags.PidTagBody: "Hello\r\n", tags.PidTagMessageClass: "IPM.Note"}
    recipient = {
        tags.PidTagRecipientType: 1,
        tags.PidTagDisplayName: "Ben",
        tags.PidTagSmtpAddress: "ben@example.test",
        tags.PidTagEmailAddress: "ben@example.test",
        tags.PidTagAddressType: "SMTP",
    }

    def fn(txn: WriteTxn) -> contents.Row:
        attachment = {
            tags.PidTagAttachMethod: 1,
            tags.PidTagAttachLongFilename: "table.csv",
            messages.PID_TAG_SATCHEL_BLOB: blobs.bind(txn, prepared),
        }
        parts = (
            Part(PART_RECIPIENT, 0, bags.pack(recipient)),
            Part(PART_ATTACHMENT, 0, bags.pack(attachment)),
            Part(PART_ATTACHMENT, 1, bags.pack(SMALL)),
        )
        with editing(txn, mailbox, now=EPOCH) as edit:
            new = NewMessage(blob=0, size=500, bag=bags.pack(bag), parts=parts, received=EPOCH)
            return messages.insert(edit, Special.INBOX, new)

    return store.write(fn).result()


def test_rendered_once_and_stable(store: Store, mailbox: int) -> None:
    row = insert(store, mailbox)
    assert render_pending(store, mailbox, Special.INBOX) == 1
    assert render_pending(store, mailbox, Special.INBOX) == 0
    with store.read() as txn:
        now = contents.get(txn, mailbox, row.fid, row.mid)
        raw = messages.read(txn, mailbox, now)
    assert (now.uid, now.cn, now.mod) == (row.uid, row.cn, row.mod)
    assert now.size == len(raw)
    judge = message_from_bytes(raw, policy=policy.default)
    assert judge["subject"] == "Grüße"
    assert judge["to"].addresses[0].addr_spec == "ben@example.test"
    attachment, small = judge.iter_attachments()
    assert (small.get_filename(), small.get_content()) == ("small.bin", b"\x00\x01")
    assert attachment.get_filename() == "table.csv"
    assert attachment.get_content() in (b"name;value\r\n" * 100, "name;value\n" * 100, "name;value\r\n" * 100)


def test_a_change_of_content_renders_anew(store: Store, mailbox: int) -> None:
    row = insert(store, mailbox)
    render_pending(store, mailbox, Special.INBOX)

    def rewrite(txn: WriteTxn) -> contents.Row:
        with editing(txn, mailbox, now=EPOCH) as edit:
            now = contents.get(txn, mailbox, row.fid, row.mid)
            new = NewMessage(blob=0, size=9, bag=bags.pack({tags.PidTagSubject: "Other"}), received=EPOCH)
            return messages.rewrite(edit, now, new)

    changed = store.write(rewrite).result()
    assert changed.uid > row.uid
    assert render_pending(store, mailbox, Special.INBOX) == 1
    with store.read() as txn:
        assert b"Subject: Other" in messages.read(txn, mailbox, contents.get(txn, mailbox, row.fid, row.mid))
