"""Read state and status of messages (MS-OXCMSG 3.2.5.8 to 3.2.5.11)."""

from collections.abc import Callable

import pytest

from appliance.mailbox import public
from appliance.mailbox.actor import SYSTEM
from appliance.mailbox.messages import ReadFlag
from appliance.mapi import errors as ec
from appliance.mapi import tags
from appliance.mapi.ids import LongTermId
from appliance.rop.ops import (
    logon,
    message_status,
    open_folder,
    set_message_read_flag,
    set_read_flags,
)
from appliance.store import contents, folders
from appliance.store.mailboxes import Special
from tests.conftest import EPOCH
from tests.rop.kit import Client
from tests.rop.mail import deliver
from tests.rop.ops.items import READ_ONLY, create, get, opened, save, set_
from tests.transport.office import Office

MAIL = b"From: b@x.test\r\nSubject: S\r\n\r\nText\r\n"


def folder(client: Client, on: int, fid: int = Special.INBOX) -> int:
    request = open_folder.Request(fid, open_folder.OpenModeFlags(0))
    return client.do(open_folder.ROP, request, on=on).handle


def flags(client: Client, on: int, mid: int, fid: int = Special.INBOX) -> int:
    (found,) = get(client, opened(client, on, mid, fid, mode=READ_ONLY), tags.PidTagMessageFlags)
    assert isinstance(found, int)
    return found


@pytest.mark.covers(
    "MS-OXCMSG_2.2.3.10",
    "MS-OXCMSG_R805",
    "MS-OXCMSG_R817",
    "MS-OXCMSG_R818",
    "MS-OXCMSG_R820",
    "MS-OXCMSG_R822",
    "MS-OXCMSG_R825",
    "MS-OXCMSG_R834",
    "MS-OXCMSG_R1674",
    "MS-OXCMSG_R3021",
    "MS-OXCMSG_R1703",
    "MS-OXCMSG_R426",
    "MS-OXCMSG_R1706",
    "MS-OXCMSG_R1705",
    "MS-OXCMSG_R1512",
    "MS-OXCMSG_R1514",
    "MS-OXCMSG_R1516",
    "MS-OXCMSG_R287",
    "MS-OXCMSG_R291",
    "MS-OXCMSG_R537",
    "MS-OXCMSG_R1145",
    "MS-OXCMSG_R510",
    "MS-OXCMSG_R1140",
    "MS-OXCMSG_R1141",
    "MS-OXCMSG_R3006",
    "MS-OXCMSG_R1509",
    "MS-OXCMSG_R1510",
    "MS-OXCMSG_R1511",
    "MS-OXCMSG_R1917",
)
def test_messages_of_a_folder_are_read_and_unread(client: Client, office: Office) -> None:
    rows = [deliver(office, client.user, MAIL) for _ in range(3)]
    on = client.logon()
    inbox = folder(client, on)

    def state(how: ReadFlag, *mids: int) -> bool:
        request = set_read_flags.Request(False, how, mids)
        partial: bool = client.do(set_read_flags.ROP, request, on=inbox).body.partial_completion
        return partial

    before = office.store.read
    assert not state(ReadFlag.SUPPRESS_RECEIPT, rows[0].mid, rows[1].mid)
    assert [flags(client, on, row.mid) & 0x401 for row in rows] == [0x401, 0x401, 0]
    with before() as txn:
        row = contents.get(txn, client.user.mailbox, Special.INBOX, rows[0].mid)
    assert (row.cn, row.modified) == (rows[0].cn, rows[0].modified)
    assert state(ReadFlag.CLEAR_READ | ReadFlag.SUPPRESS_RECEIPT, rows[0].mid, 12345)
    assert [flags(client, on, row.mid) & 0x401 for row in rows] == [0, 0x401, 0]
    assert not state(ReadFlag.GENERATE_RECEIPT_ONLY, rows[0].mid)
    assert not state(ReadFlag(0x0A))
    assert [flags(client, on, row.mid) & 1 for row in rows] == [1, 1, 1]
    wrong = set_read_flags.Request(False, ReadFlag(0), ())
    refused = client.ask(set_read_flags.ROP, wrong, on=on)
    assert (refused.code, refused.body.partial_completion) == (ec.ecNullObject, False)


@pytest.mark.covers(
    "MS-OXCMSG_R835",
    "MS-OXCMSG_R838",
    "MS-OXCMSG_R846",
    "MS-OXCMSG_R920",
    "MS-OXCMSG_R1841",
    "MS-OXCMSG_R1710",
    "MS-OXCMSG_R1521",
    "MS-OXCMSG_R290",
    "MS-OXCMSG_2.2.1.53",
)
def test_an_open_message_is_read(client: Client, office: Office) -> None:
    row = deliver(office, client.user, MAIL)
    on = client.logon()
    message = opened(client, on, row.mid, Special.INBOX)
    request = set_message_read_flag.Request(ReadFlag.SUPPRESS_RECEIPT)
    reply = client.do(set_message_read_flag.ROP, request, on=message, dest=on)
    assert reply.body == set_message_read_flag.Response(changed=False)
    assert flags(client, on, row.mid) & 1
    assert get(client, message, tags.PidTagRead) == [True]
    set_(client, message, {tags.PidTagSubject: "no conflict"})
    save(client, message)
    fresh = create(client, on)
    assert client.ask(set_message_read_flag.ROP, request, on=fresh, dest=on).code == ec.ecNullObject


@pytest.mark.covers(
    "MS-OXCMSG_2.2.3.8",
    "MS-OXCMSG_2.2.3.8.2",
    "MS-OXCMSG_2.2.3.9",
    "MS-OXCMSG_2.2.3.9.2",
    "MS-OXCMSG_2.2.1.8",
    "MS-OXCMSG_3.1.4.8",
    "MS-OXCMSG_3.1.4.9",
    "MS-OXCMSG_3.1.5.7",
    "MS-OXCMSG_3.1.5.8",
    "MS-OXCMSG_R416",
    "MS-OXCMSG_R1500",
    "MS-OXCMSG_R1501",
    "MS-OXCMSG_R1505",
    "MS-OXCMSG_R421",
    "MS-OXCMSG_R1507",
    "MS-OXCMSG_R549",
    "MS-OXCMSG_R55",
)
def test_the_status_of_a_message(client: Client, office: Office) -> None:
    row = deliver(office, client.user, MAIL)
    on = client.logon()
    inbox = folder(client, on)

    def change(bits: int, mask: int) -> int:
        request = message_status.SetRequest(row.mid, bits, mask)
        old: int = client.do(message_status.SET, request, on=inbox).body.flags
        return old

    def status() -> int:
        request = message_status.GetRequest(row.mid)
        found: int = client.do(message_status.GET, request, on=inbox).body.flags
        return found

    assert (status(), change(0x1000, 0x3000), status()) == (0, 0, 0x1000)
    assert (change(0x3000, 0x2000), status()) == (0x1000, 0x3000)
    assert (change(0, 0x1000), status()) == (0x3000, 0x2000)
    assert (change(0x800, 0x800), status()) == (0x2000, 0x2000)
    with office.store.read() as txn:
        now = contents.get(txn, client.user.mailbox, Special.INBOX, row.mid)
    assert (now.cn, now.modified) == (row.cn, row.modified)
    for rop, request in (
        (message_status.GET, message_status.GetRequest(99)),
        (message_status.SET, message_status.SetRequest(99, 0, 0)),
    ):
        assert client.ask(rop, request, on=inbox).code == ec.ecNotFound
        assert client.ask(rop, request, on=on).code == ec.ecNullObject


def test_flags_that_imap_and_mapi_share(client: Client, office: Office) -> None:
    row = deliver(office, client.user, MAIL)
    on = client.logon()
    message = opened(client, on, row.mid, Special.INBOX)
    set_(client, message, {tags.PidTagFlagStatus: 2, tags.PidTagLastVerbExecuted: 102})
    save(client, message)
    with office.store.read() as txn:
        now = contents.get(txn, client.user.mailbox, Special.INBOX, row.mid)
    assert now.flags & contents.RowFlag.FLAGGED
    assert now.flags & contents.RowFlag.ANSWERED
    assert (now.uid, now.blob) == (row.uid, row.blob)
    assert now.cn > row.cn


@pytest.mark.covers(
    "MS-OXCMSG_R837",
    "MS-OXCMSG_R921",
    "MS-OXCMSG_R848",
    "MS-OXCMSG_R849",
    "MS-OXCMSG_R851",
    "MS-OXCMSG_R852",
    "MS-OXCMSG_R1517",
    "MS-OXCMSG_R1518",
)
def test_in_public_folders_everybody_reads_alone(
    client: Client, office: Office, connect: Callable[..., Client]
) -> None:
    made = office.write(
        lambda txn: public.create_folder(
            txn, SYSTEM, ("News",), guids=(b"p" * 16, b"r" * 16), uidvalidity=9, now=EPOCH
        )
    )
    other = connect(office.user("bob@example.test"))
    request = logon.Request(logon.LogonFlags(0), logon.OpenFlags.PUBLIC, 0, b"")
    on, there = (each.do(logon.ROP, request).handle for each in (client, other))
    message = create(client, on, made.fid)
    set_(client, message, {tags.PidTagSubject: "News"})
    mid = save(client, message)
    assert flags(client, on, mid, made.fid) & 1 == 1, "who writes a message has read it"
    clear = set_read_flags.Request(False, ReadFlag.CLEAR_READ, (mid,))
    client.do(set_read_flags.ROP, clear, on=folder(client, on, made.fid))
    assert flags(client, on, mid, made.fid) & 1 == 0
    data = LongTermId(b"r" * 16, 77)
    read = set_message_read_flag.PublicRequest(ReadFlag.SUPPRESS_RECEIPT, data)
    handle = opened(client, on, mid, made.fid, mode=READ_ONLY)
    reply = client.do(set_message_read_flag.ROP, read, on=handle, dest=on)
    assert reply.body == set_message_read_flag.Response(True, 0, data)
    assert client.do(set_message_read_flag.ROP, read, on=handle, dest=on).body.changed is False
    assert flags(client, on, mid, made.fid) & 1 == 1
    assert flags(other, there, mid, made.fid) & 1 == 0
    news = folder(other, there, made.fid)
    other.do(set_read_flags.ROP, set_read_flags.Request(False, ReadFlag(0), (mid,)), on=news)
    assert flags(other, there, mid, made.fid) & 1 == 1


@pytest.mark.parametrize("count", [700])
def test_many_at_once(client: Client, office: Office, count: int) -> None:
    on = client.logon()
    drafts = folder(client, on, Special.DRAFTS)
    request = set_read_flags.Request(False, ReadFlag.CLEAR_READ, tuple(range(count)))
    assert client.do(set_read_flags.ROP, request, on=drafts).body.partial_completion


def test_an_id_named_twice_counts_once(client: Client, office: Office) -> None:
    on = client.logon()
    inbox = folder(client, on)
    mid = deliver(office, client.user, MAIL).mid
    for how in (ReadFlag(0), ReadFlag.CLEAR_READ):
        request = set_read_flags.Request(False, how, (mid, mid, mid))
        assert not client.do(set_read_flags.ROP, request, on=inbox).body.partial_completion
        unread = 1 if how else 0
        with office.store.read() as txn:
            assert folders.get(txn, client.user.mailbox, Special.INBOX).unread == unread
