"""Read receipts: who gets one, once, as a report that says what was read."""

import pytest

from appliance.directory.model import Entry
from appliance.mailbox import chosen
from appliance.mailbox import deliver as delivery
from appliance.mailbox import messages as mail
from appliance.mailbox.actor import Actor
from appliance.mailbox.incoming import Ingest
from appliance.mailbox.messages import ReadFlag
from appliance.mapi import tags
from appliance.store import blobs, classes, contents, messages, queue
from appliance.store.contents import Row, RowFlag
from appliance.store.kv import WriteTxn
from appliance.store.mailboxes import Special
from appliance.store.store import Store
from appliance.transport import receipts
from tests.conftest import EPOCH
from tests.transport.office import Office

MAIL = (
    b"From: Anna <anna@example.test>\r\nTo: bert@example.test\r\nSubject: Lunch\r\n"
    b"Message-ID: <lunch@example.test>\r\nDisposition-Notification-To: %s\r\n\r\nAt one?\r\n"
)


@pytest.fixture
def office(store: Store) -> Office:
    return Office(store)


def deliver(office: Office, user: Entry, raw: bytes, path: str) -> Row:
    ingest = Ingest(office.store)
    ingest.feed(raw)
    incoming = ingest.finish()
    target = delivery.Target(user.mailbox, f"Return-Path: <{path}>\r\n".encode())
    (outcome,) = office.write(lambda txn: delivery.deliver(txn, incoming, [target], now=EPOCH))
    assert outcome.row is not None
    return outcome.row


def test_a_receipt_goes_to_who_asked(office: Office) -> None:
    anna, bert = office.user("anna@example.test"), office.user("bert@example.test")
    row = deliver(office, bert, MAIL % b"anna@example.test", "anna@example.test")
    assert row.flags & RowFlag.NOTIFY_READ
    office.write(lambda txn: receipts.due(txn, bert.mailbox, row.mid, EPOCH))
    assert receipts.send_due(office.store, EPOCH - 1) == 0
    assert receipts.send_due(office.store, EPOCH) == 1
    assert receipts.send_due(office.store, EPOCH) == 0
    with office.store.read() as txn:
        (got,) = contents.rows(txn, anna.mailbox, Special.INBOX)
        raw = blobs.read(txn, got.blob)
        bag = messages.load(txn, anna.mailbox, got.mid).bag()
        assert classes.name(txn, got.message_class).upper() == "REPORT.IPM.NOTE.IPNRN"
    assert b"Disposition: automatic-action/MDN-sent-automatically; displayed" in raw
    assert b"Original-Message-ID: <lunch@example.test>" in raw
    assert b"Final-Recipient: rfc822;bert@example.test" in raw
    assert bag[tags.PidTagSubject] == "Read: Lunch"


def test_a_receipt_for_somebody_outside_is_queued_without_sender(office: Office) -> None:
    bert = office.user("bert@example.test")
    raw = MAIL.replace(b"anna@example.test>", b"anna@elsewhere.test>") % b"anna@elsewhere.test"
    row = deliver(office, bert, raw, "anna@elsewhere.test")
    office.write(lambda txn: receipts.due(txn, bert.mailbox, row.mid, EPOCH))
    assert receipts.send_due(office.store, EPOCH) == 1
    (entry,) = office.queue()
    assert (entry.sender, entry.origin) == ("", queue.Origin.REPORT)
    assert [recipient.address for recipient in entry.recipients] == ["anna@elsewhere.test"]


def test_nobody_is_told_on_behalf_of_another(office: Office) -> None:
    bert = office.user("bert@example.test")
    row = deliver(office, bert, MAIL % b"victim@elsewhere.test", "mallory@elsewhere.test")
    office.write(lambda txn: receipts.due(txn, bert.mailbox, row.mid, EPOCH))
    assert receipts.send_due(office.store, EPOCH) == 0
    assert office.queue() == []


def test_what_is_gone_owes_nothing(office: Office) -> None:
    bert = office.user("bert@example.test")
    office.write(lambda txn: receipts.due(txn, bert.mailbox, 1 << 48 | 0xABCDEF, EPOCH))
    assert receipts.send_due(office.store, EPOCH) == 0


def test_only_who_asks_is_noted(office: Office) -> None:
    bert = office.user("bert@example.test")
    plain = MAIL.replace(b"Disposition-Notification-To: %s\r\n", b"")
    assert not deliver(office, bert, plain, "anna@example.test").flags & RowFlag.NOTIFY_READ


def test_who_asked_hears_that_a_message_went_unread(office: Office) -> None:
    anna, bert = office.user("anna@example.test"), office.user("bert@example.test")
    for hard in (False, True):
        row = deliver(office, bert, MAIL % b"anna@example.test", "anna@example.test")
        delete(office, bert, row, hard=hard)
        with office.store.read() as txn:
            assert contents.locate(txn, bert.mailbox, row.mid) is None
        assert receipts.send_due(office.store, EPOCH) == 1
        assert receipts.send_due(office.store, EPOCH) == 0
    with office.store.read() as txn:
        got, _ = contents.rows(txn, anna.mailbox, Special.INBOX)
        raw = blobs.read(txn, got.blob)
        bag = messages.load(txn, anna.mailbox, got.mid).bag()
        assert classes.name(txn, got.message_class).upper() == "REPORT.IPM.NOTE.IPNNRN"
    assert b"Disposition: automatic-action/MDN-sent-automatically; deleted" in raw
    assert b"Original-Message-ID: <lunch@example.test>" in raw
    assert bag[tags.PidTagSubject] == "Not read: Lunch"


def test_nobody_hears_of_what_was_read_or_deleted_quietly(office: Office) -> None:
    bert = office.user("bert@example.test")
    read = deliver(office, bert, MAIL % b"anna@elsewhere.test", "anna@elsewhere.test")
    actor = Actor(bert.id, bert.mailbox)

    def see(txn: WriteTxn) -> None:
        mail.set_read(
            txn, actor, bert.mailbox, Special.INBOX, [read.mid], ReadFlag.SUPPRESS_RECEIPT, now=EPOCH
        )

    office.write(see)
    delete(office, bert, read)
    delete(office, bert, deliver(office, bert, MAIL % b"anna@elsewhere.test", "a@b.test"), notify=False)
    victim = deliver(office, bert, MAIL % b"victim@elsewhere.test", "mallory@elsewhere.test")
    delete(office, bert, victim)
    assert receipts.send_due(office.store, EPOCH) == 0
    assert office.queue() == []


def delete(office: Office, user: Entry, row: Row, *, hard: bool = False, notify: bool = True) -> None:
    actor = Actor(user.id, user.mailbox)
    left = office.write(
        lambda txn: chosen.delete(
            txn, actor, user.mailbox, row.fid, [row.mid], hard=hard, now=EPOCH, notify=notify
        )
    )
    assert left == 0
