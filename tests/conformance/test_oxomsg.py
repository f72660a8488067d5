"""MS-OXOMSG: submission, the spooler's ROPs, and what arrives."""

import time
from collections.abc import Callable, Iterator

import pytest

from tests.conformance import tags
from tests.conformance.desk import INBOX, OUTBOX, SENT, Desk, Folder
from tests.conformance.messages import BCC, CC, TO, Row
from tests.conformance.office import Person
from tests.conformance.properties import missing
from tests.conformance.rop import NOT_FOUND, NOT_IN_QUEUE, NOT_SUPPORTED, NULL_OBJECT
from tests.conformance.transport import FINISHED, LOCK, NEEDS_SPOOLER, PREPROCESS, UNLOCK
from tests.conformance.values import Error, smtp_row

WAIT = 20.0
"""Seconds until something must have arrived."""


@pytest.fixture
def theirs(ben: Person) -> Iterator[Desk]:
    """Ben's mailbox."""
    with ben.mapi() as mapi:
        yield Desk(mapi, ben.dn)


@pytest.fixture
def outbox(desk: Desk) -> Folder:
    return desk.folder(OUTBOX)


def recipient(who: Person, number: int = 0, kind: int = TO) -> Row:
    return Row(number, kind, smtp_row(who.address, who.name))


def draft(desk: Desk, folder: Folder, *rows: Row, subject: str = "sent") -> int:
    message = desk.create_message(folder)
    desk.set(message, {tags.SUBJECT: subject, tags.BODY: "Hello."})
    if rows:
        desk.write_recipients(message, rows)
    desk.save(message)
    return message


def eventually(found: Callable[[], list[int]]) -> list[int]:
    """What `found` gives as soon as it is not empty."""
    end = time.monotonic() + WAIT
    while True:
        made = found()
        if made or time.monotonic() > end:
            return made


def ids(desk: Desk, folder: Folder) -> list[int]:
    table, _ = desk.contents(folder)
    made = [row[0] for row in desk.rows(table, tags.MID)]
    desk.release(table)
    return made


def arrived(desk: Desk) -> int:
    """The handle of the one message in the inbox."""
    inbox = desk.folder(INBOX)
    (number,) = eventually(lambda: ids(desk, inbox))
    return desk.opened(inbox, number)


@pytest.mark.covers("MS-OXCROPS_R2348", "MS-OXCROPS_R2363", "MS-OXCMSG_R513")
def test_a_message_is_sent(desk: Desk, theirs: Desk, outbox: Folder, anna: Person, ben: Person) -> None:
    message = draft(desk, outbox, recipient(ben))
    desk.submit(message)
    found = arrived(theirs)
    names = (tags.SUBJECT, tags.SENDER_NAME, tags.SENT_REPRESENTING_NAME, tags.DISPLAY_TO, tags.MESSAGE_CLASS)
    assert theirs.get(found, *names) == ["sent", anna.name, anna.name, ben.name, "IPM.Note"]
    flags, delivered, submitted = theirs.get(
        found, tags.MESSAGE_FLAGS, tags.DELIVERY_TIME, tags.CLIENT_SUBMIT_TIME
    )
    assert not flags & (tags.MF_UNSENT | tags.MF_SUBMITTED | tags.MF_READ)
    assert delivered >= submitted
    assert theirs.one(found, tags.BODY).rstrip() == "Hello."


@pytest.mark.parametrize("flags", [0, PREPROCESS, NEEDS_SPOOLER])
def test_every_submit_flag_sends(desk: Desk, theirs: Desk, outbox: Folder, ben: Person, flags: int) -> None:
    message = draft(desk, outbox, recipient(ben))
    desk.submit(message, flags)
    if flags == 0:
        assert arrived(theirs)


def test_a_submission_saves_what_was_not_saved(desk: Desk, theirs: Desk, outbox: Folder, ben: Person) -> None:
    message = desk.create_message(outbox)
    desk.set(message, {tags.SUBJECT: "straight away"})
    desk.write_recipients(message, [recipient(ben)])
    desk.submit(message)
    assert theirs.one(arrived(theirs), tags.SUBJECT) == "straight away"


def test_a_message_to_nobody_is_not_sent(desk: Desk, outbox: Folder) -> None:
    message = draft(desk, outbox)
    reader, _ = desk.batch(b"\x32\0\0\0", message)
    assert (reader.u8(), reader.u8()) == (0x32, 0)
    assert reader.u32() != 0
    reader.end()
    assert len(ids(desk, outbox)) == 1


@pytest.mark.parametrize("kind", ["folder", "logon", "attachment"])
def test_only_messages_are_submitted(desk: Desk, outbox: Folder, kind: str) -> None:
    message = desk.create_message(outbox)
    handle = {"folder": outbox.handle, "logon": desk.logon, "attachment": desk.create_attachment(message)[0]}[
        kind
    ]
    for number in (0x32, 0x4A):
        body = b"\0" if number == 0x32 else b""
        reader, _ = desk.batch(bytes([number, 0, 0]) + body, handle)
        assert (reader.u8(), reader.u8()) == (number, 0)
        assert reader.u32() in (NOT_SUPPORTED, NULL_OBJECT)
        reader.end()


def test_blind_copies_show_to_nobody_else(
    desk: Desk, theirs: Desk, outbox: Folder, anna: Person, ben: Person
) -> None:
    rows = [recipient(ben), recipient(anna, 1, CC), Row(2, BCC, smtp_row("nobody@example.test", "Nobody"))]
    desk.submit(draft(desk, outbox, *rows))
    found = arrived(theirs)
    told = theirs.reload(found)
    assert told is not None
    assert sorted(kind for kind, _ in told.recipients) == [TO, CC]
    assert theirs.one(found, tags.DISPLAY_BCC) in ("", Error(NOT_FOUND))


def test_a_copy_lies_where_the_message_says(desk: Desk, theirs: Desk, outbox: Folder, ben: Person) -> None:
    message = draft(desk, outbox, recipient(ben))
    target = desk.folders[SENT]
    server_id = b"\x01" + target.to_bytes(8, "little") + bytes(8) + bytes(4)
    assert desk.set(message, {tags.SENT_MAIL: server_id}) == []
    desk.save(message)
    desk.submit(message)
    arrived(theirs)
    sent = desk.folder(SENT)
    (copy,) = eventually(lambda: ids(desk, sent))
    flags = desk.one(desk.opened(sent, copy), tags.MESSAGE_FLAGS)
    assert not flags & (tags.MF_UNSENT | tags.MF_SUBMITTED)
    assert not ids(desk, outbox)


def test_a_message_is_deleted_after_it_was_sent(
    desk: Desk, theirs: Desk, outbox: Folder, ben: Person
) -> None:
    message = draft(desk, outbox, recipient(ben))
    desk.set(message, {tags.DELETE_AFTER_SUBMIT: True})
    desk.save(message)
    desk.submit(message)
    arrived(theirs)
    assert not ids(desk, outbox)
    assert not ids(desk, desk.folder(SENT))


@pytest.mark.covers("MS-OXCROPS_R2466", "MS-OXCROPS_R2478")
def test_a_transport_sends(desk: Desk, theirs: Desk, ben: Person) -> None:
    number = desk.transport_folder()
    assert number
    folder = desk.open_folder(number)
    message = desk.create_message(folder)
    desk.set(message, {tags.SUBJECT: "by the transport"})
    desk.write_recipients(message, [recipient(ben)])
    desk.save(message)
    desk.transport_send(message)
    assert theirs.one(arrived(theirs), tags.SUBJECT) == "by the transport"


def test_the_transport_folder_stays(desk: Desk) -> None:
    assert desk.transport_folder() == desk.transport_folder() != 0


@pytest.mark.covers("MS-OXCROPS_R2391", "MS-OXCROPS_R2411", "MS-OXCROPS_R2413", "MS-OXCROPS_R2415",
                    "MS-OXCROPS_R2416")  # fmt: skip
def test_the_address_types_are_told(desk: Desk, outbox: Folder) -> None:
    assert {"EX", "SMTP"} <= set(desk.address_types(desk.logon))


@pytest.mark.covers("MS-OXCROPS_R2548", "MS-OXCROPS_R2571", "MS-OXCROPS_R2577", "MS-OXCROPS_R2578")
@pytest.mark.parametrize("kind", ["EX", "SMTP"])
def test_the_options_of_an_address_type(desk: Desk, kind: str) -> None:
    for wide in (0, 1):
        assert desk.options_data(kind, wide) == (b"", b"")


def test_a_submission_that_is_over_is_not_aborted(desk: Desk, outbox: Folder, ben: Person) -> None:
    message = desk.create_message(outbox)
    number = desk.save(message)
    desk.abort_submit(outbox.id, number, expect=NOT_IN_QUEUE)
    reader, _ = desk.batch(
        b"\x34\0\0" + outbox.id.to_bytes(8, "little") + (0x7FFFFFFFFF000001).to_bytes(8, "little"), desk.logon
    )
    assert (reader.u8(), reader.u8()) == (0x34, 0)
    assert reader.u32() in (NOT_FOUND, NOT_IN_QUEUE)
    reader.end()


def _deferred(desk: Desk, outbox: Folder, ben: Person) -> tuple[int, int]:
    message = desk.create_message(outbox)
    future = 133_000_000_000_000_000 + 200 * 365 * 86400 * 10_000_000 // 10
    desk.set(message, {tags.SUBJECT: "later", tags.DEFERRED_SEND_TIME: future})
    desk.write_recipients(message, [recipient(ben)])
    number = desk.save(message)
    desk.submit(message)
    return message, number


@pytest.mark.covers("MS-OXCROPS_R2369", "MS-OXCMSG_R520")
def test_a_deferred_submission_is_aborted(desk: Desk, theirs: Desk, outbox: Folder, ben: Person) -> None:
    _, number = _deferred(desk, outbox, ben)
    flags = desk.one(desk.opened(outbox, number), tags.MESSAGE_FLAGS)
    assert flags & tags.MF_SUBMITTED
    desk.abort_submit(outbox.id, number)
    flags = desk.one(desk.opened(outbox, number), tags.MESSAGE_FLAGS)
    assert not flags & tags.MF_SUBMITTED
    assert flags & tags.MF_UNSENT
    assert ids(theirs, theirs.folder(INBOX)) == []
    desk.abort_submit(outbox.id, number, expect=NOT_IN_QUEUE)


def test_the_spooler_locks_messages(desk: Desk, outbox: Folder, ben: Person) -> None:
    desk.set_spooler()
    message = draft(desk, outbox, recipient(ben))
    number = desk.save(message)
    desk.submit(message, NEEDS_SPOOLER)
    desk.spooler_lock(number, LOCK)
    desk.spooler_lock(number, UNLOCK)
    desk.spooler_lock(number, LOCK)
    desk.spooler_lock(number, FINISHED)


def test_new_mail_is_announced(desk: Desk) -> None:
    inbox = desk.folder(INBOX)
    message = desk.create_message(inbox)
    number = desk.save(message)
    desk.new_mail(number, inbox.id, "IPM.Note", 0)


def test_a_sender_may_not_name_somebody_else(
    desk: Desk, theirs: Desk, outbox: Folder, anna: Person, ben: Person
) -> None:
    message = draft(desk, outbox, recipient(ben))
    desk.set(message, {
        tags.SENT_REPRESENTING_NAME: ben.name,
        tags.SENT_REPRESENTING_ADDRESS_TYPE: "SMTP",
        tags.SENT_REPRESENTING_ADDRESS: ben.address,
    })  # fmt: skip
    desk.save(message)
    reader, _ = desk.batch(b"\x32\0\0\0", message)
    assert (reader.u8(), reader.u8()) == (0x32, 0)
    code = reader.u32()
    reader.end()
    if code == 0:
        for number in eventually(lambda: ids(desk, desk.folder(INBOX))):
            assert desk.one(desk.opened(desk.folder(INBOX), number), tags.MESSAGE_CLASS).startswith("REPORT.")
        assert ids(theirs, theirs.folder(INBOX)) == []


@pytest.mark.covers("MS-OXCMSG_R529", "MS-OXCMSG_R796", "MS-OXCMSG_R815")
@pytest.mark.parametrize(("flags", "receipt"), [(0x00, True), (0x10, True), (0x01, False), (0x20, False)])
def test_reading_sends_a_receipt(
    desk: Desk, theirs: Desk, outbox: Folder, ben: Person, flags: int, receipt: bool
) -> None:
    message = draft(desk, outbox, recipient(ben))
    desk.set(message, {tags.READ_RECEIPT_REQUESTED: True})
    desk.save(message)
    desk.submit(message)
    inbox = theirs.folder(INBOX)
    (number,) = eventually(lambda: ids(theirs, inbox))
    found = theirs.opened(inbox, number)
    assert theirs.one(found, tags.MESSAGE_FLAGS) & tags.MF_NOTIFY_READ
    assert theirs.set_read(inbox.handle, [number], flags) == 0
    if receipt:
        report = arrived(desk)
        assert desk.one(report, tags.MESSAGE_CLASS) == "REPORT.IPM.Note.IPNRN"
    else:
        after = theirs.one(theirs.opened(inbox, number), tags.MESSAGE_FLAGS)
        assert not after & tags.MF_NOTIFY_READ
        assert missing(desk.one(desk.create_message(outbox), tags.DELIVERY_TIME))
        assert ids(desk, desk.folder(INBOX)) == []
