"""Tables of conversations (MS-OXCFOLD 2.2.1.14.1, ConversationMembers), and non-read receipts."""

import pytest

from appliance.mapi import errors as ec
from appliance.mapi import restrictions as r
from appliance.mapi import tags
from appliance.mapi.ids import from_int64
from appliance.rop.ops import delete_messages, get_contents_table, reset_table, set_columns
from appliance.store import permissions, timers
from appliance.store.mailboxes import Special
from appliance.store.permissions import Right
from tests.conftest import EPOCH
from tests.rop.kit import Client
from tests.rop.mail import deliver
from tests.rop.ops.items import create, get, save, set_
from tests.rop.ops.items import opened as opened_message
from tests.rop.ops.tabling import contents, opened
from tests.transport.office import Office

MEMBERS = 0x80 | 0x40 | 0x08
ID, SUBJECT = tags.PidTagConversationId, tags.PidTagSubject


def note(client: Client, on: int, subject: str, fid: int) -> int:
    message = create(client, on, fid)
    set_(client, message, {SUBJECT: subject})
    return save(client, message)


def of(conversation: object) -> r.Restriction:
    return r.Property(r.RelOp.EQ, ID, ID, conversation)  # type: ignore[arg-type]


@pytest.mark.covers(
    "MS-OXCFOLD_R1022",
    "MS-OXCFOLD_R1023",
    "MS-OXCFOLD_R1025",
    "MS-OXCFOLD_R10251",
    "MS-OXCFOLD_R1174",
    "MS-OXCFOLD_R1174003",
    "MS-OXCTABL_R715",
)
def test_a_conversation_from_every_folder(client: Client) -> None:
    on = client.logon()
    mine = [note(client, on, "Lunch", Special.DRAFTS), note(client, on, "Re: Lunch", Special.INBOX)]
    mine.append(note(client, on, "RE: Lunch", Special.SENT))
    other = note(client, on, "Dinner", Special.INBOX)
    (conversation,) = get(client, opened_message(client, on, mine[0]), ID)
    table = contents(client, opened(client, on, Special.ROOT), MEMBERS, (tags.PidTagMid, SUBJECT))
    assert sorted(from_int64(row[0]) for row in table.rows()) == sorted([*mine, other])
    assert table.restrict(of(conversation)).code == 0
    assert [row[1] for row in table.rows()] == ["Lunch", "Re: Lunch", "RE: Lunch"]
    assert table.sort((SUBJECT, 1)).code == 0
    assert [row[1] for row in table.rows()][-1] == "Lunch"
    unread = r.BitMask(False, tags.PidTagMessageFlags, 0x10)
    assert table.restrict(r.And((unread, of(conversation)))).code == 0
    assert table.position() == (0, 3)
    found = table.find(r.Content(1, r.FuzzyFlags.IGNORE_CASE, SUBJECT, SUBJECT, "RE"))
    assert found.code == 0
    late = note(client, on, "Fwd: Lunch", Special.DRAFTS)
    assert late in [from_int64(row[0]) for row in table.rows()] or table.position()[1] == 4
    table.do(reset_table.ROP)
    table.do(set_columns.ROP, set_columns.Request(0, (tags.PidTagMid, SUBJECT)))
    assert len(table.rows()) == 5


@pytest.mark.covers("MS-OXCFOLD_R1024")
def test_where_there_are_no_such_tables(client: Client) -> None:
    on = client.logon()
    for fid, flags in ((Special.INBOX, MEMBERS), (Special.ROOT, MEMBERS | 2), (Special.ROOT, MEMBERS | 0x20)):
        request = get_contents_table.Request(get_contents_table.TableFlags(flags))
        reply = client.ask(get_contents_table.ROP, request, on=opened(client, on, fid))
        assert reply.code == ec.ecInvalidParam


def test_folders_that_a_delegate_may_not_read(client: Client, connect, office: Office) -> None:  # type: ignore[no-untyped-def]
    on = client.logon()
    note(client, on, "Lunch", Special.INBOX)
    hidden = note(client, on, "Lunch", Special.DRAFTS)
    bert = office.user("bert@example.test")
    rights = Right.READ_ANY | Right.FOLDER_VISIBLE
    for fid in (Special.ROOT, Special.INBOX):
        office.write(lambda txn, fid=fid: permissions.put(txn, client.user.mailbox, fid, bert.id, rights))
    other = connect(bert)
    there = other.logon(client.user)
    table = contents(other, opened(other, there, Special.ROOT), MEMBERS, (tags.PidTagMid,))
    assert hidden not in [from_int64(value) for value in table.rows()]
    assert len(table.rows()) == 0 or table.position()[1] == 1


ASKING = (
    b"From: a@example.test\r\nSubject: Read me\r\nDisposition-Notification-To: a@example.test\r\n\r\nHi\r\n"
)


@pytest.mark.covers(
    "MS-OXCFOLD_R276",
    "MS-OXCFOLD_R727",
    "MS-OXCFOLD_R733",
    "MS-OXCFOLD_R298",
    "MS-OXCFOLD_R1148",
    "MS-OXCFOLD_R115603",
    "MS-OXCROPS_R938",
    "MS-OXCROPS_R965",
)
@pytest.mark.parametrize("rop", delete_messages.ROPS, ids=["soft", "hard"])
@pytest.mark.parametrize("notify", [True, False])
def test_deleting_what_nobody_read(client: Client, office: Office, rop, notify: bool) -> None:  # type: ignore[no-untyped-def]
    row = deliver(office, client.user, ASKING)
    plain = deliver(office, client.user)
    inbox = opened(client, client.logon())
    request = delete_messages.Request(False, notify, (row.mid, plain.mid))
    assert not client.do(rop, request, on=inbox).body.partial_completion
    with office.store.read() as txn:
        found = timers.due(txn, client.user.mailbox, EPOCH * 2)
    owed = [timer.object for timer in found if timer.kind == timers.Kind.NON_READ_RECEIPT]
    assert owed == ([row.mid] if notify else [])
