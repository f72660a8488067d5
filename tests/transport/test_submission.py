"""Submission of messages that lie in mailboxes: who may, who gets what, what becomes of the sender's copy."""

from collections.abc import Iterable

import pytest

from appliance.directory.links import Link
from appliance.directory.model import Entry
from appliance.formats import bags
from appliance.mailbox.actor import Actor
from appliance.mailbox.errors import Reason, Refused
from appliance.mapi import tags
from appliance.mapi.ids import ServerId
from appliance.mapi.types import Bag
from appliance.store import blobs, contents, drafts, messages, parts, queue, timers
from appliance.store.contents import Row, RowFlag
from appliance.store.edit import editing
from appliance.store.kv import WriteTxn
from appliance.store.mailboxes import Special
from appliance.store.parts import PART_ATTACHMENT, PART_RECIPIENT
from appliance.store.store import Store
from appliance.transport import submission
from tests.conftest import EPOCH
from tests.transport.office import Office

PID_LID = 0x85A00003  # a named property's tag
FRESH = bytes(range(16))
TO, CC, BCC = 1, 2, 3


@pytest.fixture
def office(store: Store) -> Office:
    return Office(store)


def actor_of(user: Entry) -> Actor:
    return Actor(user=user.id, mailbox=user.mailbox, session=7)


def smtp(address: str, kind: int = TO) -> Bag:
    return {
        tags.PidTagRecipientType: kind,
        tags.PidTagAddressType: "SMTP",
        tags.PidTagEmailAddress: address,
        tags.PidTagDisplayName: address.partition("@")[0],
    }


def exchange(user: Entry, kind: int = TO) -> Bag:
    return {
        tags.PidTagRecipientType: kind,
        tags.PidTagAddressType: "EX",
        tags.PidTagEmailAddress: user.legacy_dn,
        tags.PidTagDisplayName: user.display_name,
    }


def draft(office: Office, user: Entry, recipients: Iterable[Bag], **more: object) -> Row:
    """A message in the Outbox, with an attachment."""
    bag: Bag = {
        tags.PidTagMessageClass: "IPM.Note.Custom",
        tags.PidTagSubject: "Offer",
        tags.PidTagBody: "Dear all\r\n",
        tags.PidTagSentMailSvrEID: ServerId(Special.SENT).pack(),
        PID_LID: 42,
        **{getattr(tags, name): value for name, value in more.items()},  # type: ignore[dict-item]
    }
    made = drafts.new(user.mailbox, Special.OUTBOX, 7)
    made.flags = RowFlag.DRAFT | RowFlag.SEEN
    for tag, value in bag.items():
        made.overlay.set(tag, value)
    for number, recipient in enumerate(recipients):
        made.overlay.put_recipient(number, recipient)
    attached = made.overlay.new_attachment()
    attached.set(tags.PidTagAttachMethod, 1)
    attached.set(tags.PidTagAttachLongFilename, "a.bin")
    attached.set(tags.PidTagAttachDataBinary, b"\x00\x01" * 500)
    made.overlay.put_attachment(attached)

    def save(txn: WriteTxn) -> Row:
        with editing(txn, user.mailbox, now=EPOCH, actor=user.id, origin=7) as edit:
            return drafts.save(edit, made).row

    return office.write(save)


def submit(office: Office, user: Entry, row: Row, *, by: Entry | None = None, now: int = EPOCH) -> None:
    sender = by or user
    where = (user.mailbox, row.fid, row.mid)
    submission.submit(office.store, actor_of(user), sender, *where, now=now, fresh=FRESH)


def rows(office: Office, user: Entry, fid: int) -> list[Row]:
    with office.store.read() as txn:
        return list(contents.rows(txn, user.mailbox, fid))


def bag_of(office: Office, user: Entry, row: Row) -> Bag:
    with office.store.read() as txn:
        return messages.load(txn, user.mailbox, row.mid).bag()


def test_everybody_gets_the_message_and_the_copy_goes_to_sent_items(office: Office) -> None:
    anna, bert, cora = (office.user(f"{name}@example.test") for name in ("anna", "bert", "cora"))
    recipients = [exchange(bert), smtp("dora@elsewhere.test", CC), exchange(cora, BCC)]
    submit(office, anna, draft(office, anna, recipients))
    assert rows(office, anna, Special.OUTBOX) == []
    (sent,) = rows(office, anna, Special.SENT)
    assert not sent.flags & (RowFlag.DRAFT | RowFlag.SUBMITTED)
    assert sent.flags & RowFlag.FROM_ME
    copy = bag_of(office, anna, sent)
    assert copy[tags.PidTagClientSubmitTime] == EPOCH
    assert copy[tags.PidTagSentRepresentingSmtpAddress] == "anna@example.test"
    for user in (bert, cora):
        (row,) = rows(office, user, Special.INBOX)
        assert not row.flags & (RowFlag.SEEN | RowFlag.DRAFT)
        bag = bag_of(office, user, row)
        assert bag[PID_LID] == 42
        assert bag[tags.PidTagMessageClass] == "IPM.Note.Custom"
        assert bag[tags.PidTagMessageDeliveryTime] == EPOCH
        assert tags.PidTagSentMailSvrEID not in bag
        with office.store.read() as txn:
            held = list(parts.parts(txn, user.mailbox, row.mid))
            mime = blobs.read(txn, row.blob)
        names = [bags.get(p.packed, tags.PidTagDisplayName) for p in held if p.kind == PART_RECIPIENT]
        assert names == ["bert@example.test", "dora"]
        assert [p.kind for p in held].count(PART_ATTACHMENT) == 1
        assert b"cora" not in mime
        assert b"To: " in mime
        assert b"<bert@example.test>" in mime
    (entry,) = office.queue()
    assert [r.address for r in entry.recipients] == ["dora@elsewhere.test"]
    assert entry.sender == "anna@example.test"


def test_the_copy_is_deleted_or_stays(office: Office) -> None:
    anna = office.user("anna@example.test")
    to = [smtp("dora@elsewhere.test")]
    submit(office, anna, draft(office, anna, to, PidTagDeleteAfterSubmit=True))
    assert rows(office, anna, Special.OUTBOX) == rows(office, anna, Special.SENT) == []
    row = draft(office, anna, to, PidTagSentMailSvrEID=ServerId(1 << 48 | 0xFFFF).pack())
    submit(office, anna, row)
    (stayed,) = rows(office, anna, Special.OUTBOX)
    assert not stayed.flags & RowFlag.DRAFT


def representing(owner: Entry) -> dict[str, str]:
    return {
        "PidTagSentRepresentingAddressType": "EX",
        "PidTagSentRepresentingEmailAddress": owner.legacy_dn,
        "PidTagSentRepresentingName": owner.display_name,
    }


def test_authors(office: Office) -> None:
    anna, bert, cora, boss = (office.user(f"{n}@example.test") for n in ("anna", "bert", "cora", "boss"))
    office.link(Link.SEND_ON_BEHALF, boss, anna)
    office.link(Link.SEND_AS, boss, cora)
    for user, sender in ((anna, "anna@example.test"), (cora, "boss@example.test")):
        submit(office, user, draft(office, user, [exchange(bert)], **representing(boss)))
        row = max(rows(office, bert, Special.INBOX), key=lambda row: row.uid)
        bag = bag_of(office, bert, row)
        assert bag[tags.PidTagSentRepresentingSmtpAddress] == "boss@example.test"
        assert bag[tags.PidTagSenderSmtpAddress] == sender
    row = draft(office, bert, [exchange(anna)], **representing(boss))
    with pytest.raises(Refused) as refused:
        submit(office, bert, row)
    assert refused.value.reason is Reason.ACCESS_DENIED
    assert rows(office, bert, Special.OUTBOX) == [row]


def test_nobody_to_send_to(office: Office) -> None:
    anna = office.user("anna@example.test")
    row = draft(office, anna, [])
    with pytest.raises(Refused) as refused:
        submit(office, anna, row)
    assert refused.value.reason is Reason.INVALID


def test_what_cannot_be_delivered_is_reported(office: Office) -> None:
    anna = office.user("anna@example.test")
    submit(office, anna, draft(office, anna, [smtp("nobody@example.test"), smtp("nonsense")]))
    (entry,) = office.queue()
    assert {r.address: r.state for r in entry.recipients} == {
        "nobody@example.test": queue.State.FAILED,
        "nonsense": queue.State.FAILED,
    }
    assert len(rows(office, anna, Special.SENT)) == 1


def test_later_is_later(office: Office) -> None:
    anna, bert = office.user("anna@example.test"), office.user("bert@example.test")
    later = EPOCH + 3600 * 10_000_000
    row = draft(office, anna, [exchange(bert)], PidTagDeferredSendTime=later)
    submit(office, anna, row)
    assert rows(office, bert, Special.INBOX) == []
    (waiting,) = rows(office, anna, Special.OUTBOX)
    assert waiting.flags & RowFlag.SUBMITTED
    assert submission.submit_due(office.store, later - 1) == 0
    assert submission.submit_due(office.store, later) == 1
    assert len(rows(office, bert, Special.INBOX)) == len(rows(office, anna, Special.SENT)) == 1
    assert submission.submit_due(office.store, later) == 0


def test_taken_back(office: Office) -> None:
    anna = office.user("anna@example.test")
    row = draft(
        office, anna, [smtp("dora@elsewhere.test")], PidTagDeferredSendNumber=2, PidTagDeferredSendUnits=1
    )
    submit(office, anna, row)
    where = (anna.mailbox, row.fid, row.mid)
    assert office.write(lambda txn: submission.abort(txn, actor_of(anna), *where, now=EPOCH))
    assert not office.write(lambda txn: submission.abort(txn, actor_of(anna), *where, now=EPOCH))
    (back,) = rows(office, anna, Special.OUTBOX)
    assert back.flags & RowFlag.DRAFT
    with office.store.read() as txn:
        assert timers.get(txn, anna.mailbox, timers.Kind.DEFERRED, row.mid) is None


def test_what_cannot_go_any_more_is_a_draft_again(office: Office) -> None:
    anna, boss = office.user("anna@example.test"), office.user("boss@example.test")
    office.link(Link.SEND_AS, boss, anna)
    later = EPOCH + 10_000_000
    row = draft(office, anna, [exchange(boss)], PidTagDeferredSendTime=later, **representing(boss))
    submit(office, anna, row)
    (waiting,) = rows(office, anna, Special.OUTBOX)

    def remove(txn: WriteTxn) -> None:
        with editing(txn, anna.mailbox, now=EPOCH, origin=7) as edit:
            opened = drafts.open_message(txn, anna.mailbox, waiting, 7)
            opened.overlay.remove_recipients()
            drafts.save(edit, opened)

    office.write(remove)
    assert submission.submit_due(office.store, later) == 0
    (left,) = rows(office, anna, Special.OUTBOX)
    assert left.flags & RowFlag.DRAFT
    assert not left.flags & RowFlag.SUBMITTED
