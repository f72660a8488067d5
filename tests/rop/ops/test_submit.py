"""Sending through ROPs (MS-OXCROPS 2.2.7, MS-OXOMSG 2.2.4, 2.2.5)."""

from collections.abc import Callable

import pytest

from appliance.directory.model import Entry
from appliance.mapi import errors as ec
from appliance.mapi import tags
from appliance.mapi.ids import ServerId
from appliance.rop import batch
from appliance.rop.ops import (
    abort_submit,
    address_types,
    modify_recipients,
    open_folder,
    set_message_read_flag,
    set_read_flags,
    spooler,
    submit_message,
)
from appliance.store import contents, timers
from appliance.store.contents import RowFlag
from appliance.store.mailboxes import Special
from appliance.transport import receipts
from appliance.transport.acceptance import Mail, Recipient, accept
from tests.conftest import EPOCH
from tests.rop.kit import Client
from tests.rop.mail import deliver, ingest
from tests.rop.ops.items import create, get, open_, opened, save, set_
from tests.transport.office import Office

SEND = submit_message.Request(submit_message.SubmitFlags(0))
SUBMIT, TRANSPORT_SEND = submit_message.ROPS
GET_TYPES, OPTIONS = address_types.ROPS
SET_SPOOLER, LOCK, NEW_MAIL, GET_FOLDER = spooler.ROPS


def to(client: Client, message: int, *addresses: str) -> None:
    """Recipients with an SMTP address (MS-OXCDATA 2.8.3.2), with name and address in Unicode."""
    rows = []
    for number, address in enumerate(addresses):
        text = address.encode("utf-16-le") + b"\0\0"
        row = b"\x1b\x02" + text + text + b"\0\0" + b"\0"
        rows.append(modify_recipients.ModifyRecipientRow(number, 1, row))
    client.do(modify_recipients.ROP, modify_recipients.Request((), tuple(rows)), on=message)


def mids(office: Office, user: Entry, fid: int) -> list[int]:
    with office.store.read() as txn:
        return [row.mid for row in contents.rows(txn, user.mailbox, fid)]


def outgoing(client: Client, logon: int, *addresses: str, **more: object) -> int:
    message = create(client, logon, Special.OUTBOX)
    named = {getattr(tags, name): value for name, value in more.items()}
    sent = ServerId(Special.SENT).pack()
    set_(client, message, {tags.PidTagSubject: "Offer", tags.PidTagSentMailSvrEID: sent, **named})  # type: ignore[dict-item]
    if addresses:
        to(client, message, *addresses)
    return message


@pytest.mark.covers("MS-OXCROPS_2.2.7.1", "MS-OXCROPS_2.2.7.1.1", "MS-OXCROPS_2.2.7.1.2")
def test_submit(client: Client, office: Office, anna: Entry) -> None:
    bert, logon = office.user("bert@example.test"), client.logon()
    message = outgoing(client, logon, "bert@example.test")
    mid = save(client, message)
    (answer,) = client.raw(batch.pack(b"\x32\x00\x00\x00", [message]))
    assert answer == b"\x08\x00\x32\x00\0\0\0\0" + message.to_bytes(4, "little")
    assert open_(client, logon, mid, Special.OUTBOX).code == ec.ecNotFound
    assert len(mids(office, anna, Special.SENT)) == len(mids(office, bert, Special.INBOX)) == 1


def test_what_was_not_saved_is_saved_first(client: Client, office: Office) -> None:
    bert, logon = office.user("bert@example.test"), client.logon()
    message = outgoing(client, logon, "bert@example.test")
    client.do(SUBMIT, SEND, on=message)
    (mid,) = mids(office, bert, Special.INBOX)
    other = Client(bert, client.engine, client.loop)
    got = opened(other, other.logon(), mid, Special.INBOX)
    assert get(other, got, tags.PidTagSubject, tags.PidTagSenderName) == ["Offer", "anna@example.test"]
    other.close()


def test_nobody_to_send_to(client: Client) -> None:
    message = outgoing(client, client.logon())
    save(client, message)
    assert client.ask(SUBMIT, SEND, on=message).code == ec.ecNoRecipients


def test_somebody_elses_name(client: Client, office: Office) -> None:
    office.user("boss@example.test")
    more = {
        "PidTagSentRepresentingAddressType": "SMTP",
        "PidTagSentRepresentingEmailAddress": "boss@example.test",
    }
    message = outgoing(client, client.logon(), "x@elsewhere.test", **more)
    assert client.ask(SUBMIT, SEND, on=message).code == ec.ecAccessDenied


@pytest.mark.covers(
    "MS-OXCROPS_2.2.7.6", "MS-OXCROPS_2.2.7.6.1", "MS-OXCROPS_2.2.7.6.2", "MS-OXCROPS_2.2.7.6.3"
)
def test_transport_send_leaves_the_message(client: Client, office: Office, anna: Entry) -> None:
    logon = client.logon()
    message = outgoing(client, logon, "dora@elsewhere.test")
    mid = save(client, message)
    (answer,) = client.raw(batch.pack(b"\x4a\x00\x00", [message]))
    assert answer == b"\x0b\x00\x4a\x00\0\0\0\0\x01\0\0" + message.to_bytes(4, "little")
    assert mids(office, anna, Special.OUTBOX) == [mid]
    assert len(office.queue()) == 1
    nobody = outgoing(client, logon)
    assert client.ask(TRANSPORT_SEND, on=nobody).code == ec.ecNoRecipients


@pytest.mark.covers("MS-OXCROPS_2.2.7.2", "MS-OXCROPS_2.2.7.2.1", "MS-OXCROPS_2.2.7.2.2")
def test_abort(client: Client, office: Office, anna: Entry) -> None:
    logon = client.logon()
    later = 0x7FFF << 48
    message = outgoing(client, logon, "dora@elsewhere.test", PidTagDeferredSendTime=later)
    client.do(SUBMIT, SEND, on=message)
    assert office.queue() == []
    (mid,) = mids(office, anna, Special.OUTBOX)
    request = abort_submit.Request(Special.OUTBOX, mid)
    client.do(abort_submit.ROP, request, on=logon)
    assert client.ask(abort_submit.ROP, request, on=logon).code == ec.ecNotInQueue
    gone = abort_submit.Request(Special.OUTBOX, 1 << 48 | 0xFFFFFF)
    assert client.ask(abort_submit.ROP, gone, on=logon).code == ec.ecNotFound


@pytest.mark.covers(
    "MS-OXCROPS_2.2.7.3",
    "MS-OXCROPS_2.2.7.3.1",
    "MS-OXCROPS_2.2.7.3.2",
    "MS-OXCROPS_2.2.7.9",
    "MS-OXCROPS_2.2.7.9.1",
    "MS-OXCROPS_2.2.7.9.2",
    "MS-OXCROPS_2.2.7.9.3",
)
def test_address_types_and_their_options(client: Client) -> None:
    logon = client.logon()
    handle = logon.to_bytes(4, "little")
    (answer,) = client.raw(batch.pack(b"\x49\x00\x00", [logon]))
    assert answer == b"\x14\x00\x49\x00\0\0\0\0\x02\x00\x08\x00EX\0SMTP\0" + handle
    (answer,) = client.raw(batch.pack(b"\x6f\x00\x00SMTP\0\x01", [logon]))
    assert answer == b"\x0d\x00\x6f\x00\0\0\0\0\x01\0\0\0\0" + handle
    assert client.ask(OPTIONS, address_types.OptionsRequest("X400", True), on=logon).code == ec.ecNotFound
    assert client.do(GET_TYPES, on=logon).body.count == 2


@pytest.mark.covers(
    "MS-OXCROPS_2.2.7.4",
    "MS-OXCROPS_2.2.7.4.1",
    "MS-OXCROPS_2.2.7.4.2",
    "MS-OXCROPS_2.2.7.5",
    "MS-OXCROPS_2.2.7.5.1",
    "MS-OXCROPS_2.2.7.5.2",
    "MS-OXCROPS_2.2.7.7",
    "MS-OXCROPS_2.2.7.7.1",
    "MS-OXCROPS_2.2.7.7.2",
    "MS-OXCROPS_2.2.7.8",
    "MS-OXCROPS_2.2.7.8.1",
    "MS-OXCROPS_2.2.7.8.2",
)
def test_what_spoolers_say(client: Client) -> None:
    logon = client.logon()
    handle = logon.to_bytes(4, "little")
    mid = save(client, outgoing(client, logon, "dora@elsewhere.test"))
    wire = b"\x01\x00" + mid.to_bytes(8, "big")[2:]
    outbox = b"\x01\x00" + int(Special.OUTBOX).to_bytes(8, "big")[2:]
    (answer,) = client.raw(batch.pack(b"\x47\x00\x00", [logon]))
    assert answer == b"\x08\x00\x47\x00\0\0\0\0" + handle
    (answer,) = client.raw(batch.pack(b"\x6d\x00\x00", [logon]))
    assert answer == b"\x10\x00\x6d\x00\0\0\0\0" + outbox + handle
    (answer,) = client.raw(batch.pack(b"\x48\x00\x00" + wire + b"\x00", [logon]))
    assert answer == b"\x08\x00\x48\x00\0\0\0\0" + handle
    new_mail = b"\x51\x00\x00" + wire + outbox + b"IPM.Note\0" + bytes(4)
    (answer,) = client.raw(batch.pack(new_mail, [logon]))
    assert answer == b"\x08\x00\x51\x00\0\0\0\0" + handle
    locked = spooler.LockRequest(1 << 48 | 0xFFFFFF, spooler.LockState.LOCK)
    assert client.ask(LOCK, locked, on=logon).code == ec.ecNotFound
    assert client.do(SET_SPOOLER, on=logon).code == 0
    missing = spooler.NewMailRequest(1 << 48 | 0xFFFFFF, Special.INBOX, "IPM.Note", 0)
    assert client.ask(NEW_MAIL, missing, on=logon).code == ec.ecNotFound
    assert client.do(GET_FOLDER, on=logon).body.folder_id == Special.OUTBOX


@pytest.mark.covers("MS-OXCMSG_R836")
def test_a_receipt_is_due_when_a_message_is_read(
    client: Client, connect: Callable[..., Client], office: Office, anna: Entry
) -> None:
    bert, logon = office.user("bert@example.test"), client.logon()
    message = outgoing(client, logon, "bert@example.test", PidTagReadReceiptRequested=True)
    client.do(SUBMIT, SEND, on=message)
    reader = connect(bert)
    (mid,) = mids(office, bert, Special.INBOX)
    with office.store.read() as txn:
        assert contents.get(txn, bert.mailbox, Special.INBOX, mid).flags & RowFlag.NOTIFY_READ
    got = opened(reader, reader.logon(), mid, Special.INBOX)
    request = set_message_read_flag.Request(set_message_read_flag.ReadFlag(0))
    assert reader.ask(set_message_read_flag.ROP, request, on=got).code == 0
    with office.store.read() as txn:
        due = timers.get(txn, bert.mailbox, timers.Kind.READ_RECEIPT, mid)
    assert due is not None
    assert receipts.send_due(office.store, due) == 1
    assert len(mids(office, anna, Special.INBOX)) == 1
    assert due > EPOCH


def asking(client: Client, office: Office, bert: Entry, connect: Callable[..., Client]) -> tuple[Client, int]:
    """A message to Bert that asks for a receipt; his session and its MID."""
    message = outgoing(client, client.logon(), "bert@example.test", PidTagReadReceiptRequested=True)
    client.do(SUBMIT, SEND, on=message)
    (mid,) = mids(office, bert, Special.INBOX)
    return connect(bert), mid


def flags(client: Client, on: int, mid: int, fid: int = Special.INBOX) -> int:
    (found,) = get(client, opened(client, on, mid, fid), tags.PidTagMessageFlags)
    assert isinstance(found, int)
    return found


def read_flags(client: Client, on: int, mid: int, how: set_message_read_flag.ReadFlag) -> None:
    """RopSetReadFlags on a message of the inbox."""
    request = open_folder.Request(Special.INBOX, open_folder.OpenModeFlags(0))
    inbox = client.do(open_folder.ROP, request, on=on).handle
    client.do(set_read_flags.ROP, set_read_flags.Request(False, how, (mid,)), on=inbox)


def receipt_due(office: Office, user: Entry, mid: int) -> int | None:
    with office.store.read() as txn:
        return timers.get(txn, user.mailbox, timers.Kind.READ_RECEIPT, mid)


@pytest.mark.covers("MS-OXCMSG_R513", "MS-OXCMSG_R520")
def test_flags_of_a_message_on_its_way(client: Client, office: Office, anna: Entry) -> None:
    bert, logon = office.user("bert@example.test"), client.logon()
    message = outgoing(client, logon, "bert@example.test", PidTagDeferredSendTime=0x7FFF << 48)
    mid = save(client, message)
    assert flags(client, logon, mid, Special.OUTBOX) & 0x0C == 0x08
    client.do(SUBMIT, SEND, on=message)
    (waiting,) = mids(office, anna, Special.OUTBOX)
    assert flags(client, logon, waiting, Special.OUTBOX) & 0x0C == 0x04
    client.do(abort_submit.ROP, abort_submit.Request(Special.OUTBOX, waiting), on=logon)
    assert flags(client, logon, waiting, Special.OUTBOX) & 0x0C == 0x08
    client.do(SUBMIT, SEND, on=outgoing(client, logon, "bert@example.test"))
    (sent,) = mids(office, anna, Special.SENT)
    assert flags(client, logon, sent, Special.SENT) & 0x0C == 0
    (arrived,) = mids(office, bert, Special.INBOX)
    with office.store.read() as txn:
        row = contents.get(txn, bert.mailbox, Special.INBOX, arrived)
    assert not row.flags & (RowFlag.DRAFT | RowFlag.SUBMITTED)


@pytest.mark.covers("MS-OXCMSG_R525", "MS-OXCMSG_R533")
def test_flags_say_where_mail_came_from(
    client: Client, connect: Callable[..., Client], office: Office, anna: Entry
) -> None:
    bert = office.user("bert@example.test")
    logon, reader = client.logon(), connect(bert)
    message = outgoing(client, logon, "bert@example.test", "anna@example.test")
    client.do(SUBMIT, SEND, on=message)
    (own,), (other,) = mids(office, anna, Special.INBOX), mids(office, bert, Special.INBOX)
    assert flags(client, logon, own) & 0x2020 == 0x20
    assert flags(reader, reader.logon(), other) & 0x2020 == 0
    incoming = ingest(office.store, b"From: x@elsewhere.test\r\nSubject: Hi\r\n\r\nText\r\n")
    outside = Mail("x@elsewhere.test", (Recipient("anna@example.test"),), incoming, b"", EPOCH)
    office.write(lambda txn: accept(txn, outside))
    (foreign,) = set(mids(office, anna, Special.INBOX)) - {own}
    assert flags(client, logon, foreign) & 0x2020 == 0x2000


@pytest.mark.covers("MS-OXCMSG_R529", "MS-OXCMSG_R815")
def test_read_flags_send_the_receipt(
    client: Client, connect: Callable[..., Client], office: Office, anna: Entry
) -> None:
    bert = office.user("bert@example.test")
    reader, mid = asking(client, office, bert, connect)
    on = reader.logon()
    assert flags(reader, on, mid) & 0x101 == 0x100
    read_flags(reader, on, mid, set_message_read_flag.ReadFlag.DEFAULT)
    assert flags(reader, on, mid) & 0x101 == 0x001
    due = receipt_due(office, bert, mid)
    assert due is not None
    assert receipts.send_due(office.store, due) == 1
    assert len(mids(office, anna, Special.INBOX)) == 1


@pytest.mark.covers("MS-OXCMSG_R827")
def test_a_receipt_that_was_asked_for_is_not_sent(
    client: Client, connect: Callable[..., Client], office: Office
) -> None:
    bert = office.user("bert@example.test")
    reader, mid = asking(client, office, bert, connect)
    on = reader.logon()
    read_flags(reader, on, mid, set_message_read_flag.ReadFlag.CLEAR_NOTIFY_READ)
    assert flags(reader, on, mid) & 0x101 == 0
    read_flags(reader, on, mid, set_message_read_flag.ReadFlag.DEFAULT)
    assert flags(reader, on, mid) & 0x101 == 0x001
    assert receipt_due(office, bert, mid) is None


@pytest.mark.covers("MS-OXCMSG_R531", "MS-OXCMSG_R829")
def test_who_wants_to_know_that_nobody_read_is_noted(client: Client, office: Office, anna: Entry) -> None:
    raw = (
        b"From: bert@example.test\r\nTo: anna@example.test\r\nSubject: S\r\n"
        b"Disposition-Notification-To: bert@example.test\r\n\r\nText\r\n"
    )
    bert, row = office.user("bert@example.test"), deliver(office, anna, raw)
    on = client.logon()
    assert flags(client, on, row.mid) & 0x301 == 0x300
    read_flags(client, on, row.mid, set_message_read_flag.ReadFlag.CLEAR_NOTIFY_UNREAD)
    assert flags(client, on, row.mid) & 0x301 == 0x100
    assert receipt_due(office, anna, row.mid) is None
    assert (mids(office, bert, Special.INBOX), office.queue()) == ([], [])
