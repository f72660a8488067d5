"""Messages are created, saved, opened, changed by two (MS-OXCMSG 3.2.5.1 to 3.2.5.3)."""

from collections.abc import Callable

import pytest

from appliance.mailbox import items
from appliance.mailbox.actor import Actor
from appliance.mailbox.rights import ROLES
from appliance.mapi import errors as ec
from appliance.mapi import tags
from appliance.mapi.entryids import PermanentEntryId
from appliance.mapi.rows import PropertyError
from appliance.rop.ops import create_message, get_properties_list, save_changes_message
from appliance.store import contents, permissions
from appliance.store.mailboxes import Special
from tests.conftest import EPOCH
from tests.rop.kit import Client
from tests.rop.mail import deliver
from tests.rop.ops.items import (
    BEST,
    FORCE,
    KEEP_RO,
    READ_ONLY,
    SOFT_DELETED,
    create,
    get,
    get_all,
    listed,
    note,
    open_,
    opened,
    save,
    set_,
    try_save,
)
from tests.transport.office import Office

MISSING = PropertyError(ec.ecNotFound)


@pytest.mark.covers(
    "MS-OXCMSG_2.2.3.2",
    "MS-OXCMSG_2.2.3.2.1",
    "MS-OXCMSG_2.2.3.2.2",
    "MS-OXCMSG_3.1.4.2",
    "MS-OXCMSG_3.1.5.3",
    "MS-OXCMSG_2.2.1.5",
    "MS-OXCMSG_2.2.1.31",
    "MS-OXCMSG_2.2.1.32",
    "MS-OXCMSG_2.2.1.45",
    "MS-OXCMSG_2.2.1.49",
    "MS-OXCMSG_2.2.1.51",
    "MS-OXCMSG_2.2.1.7",
    "MS-OXCMSG_2.2.1.13",
    "MS-OXCMSG_R339",
    "MS-OXCMSG_R340",
    "MS-OXCMSG_R341",
    "MS-OXCMSG_R342",
    "MS-OXCMSG_R343",
    "MS-OXCMSG_R344",
    "MS-OXCMSG_R345",
    "MS-OXCMSG_R346",
    "MS-OXCMSG_R347",
    "MS-OXCMSG_R1480",
    "MS-OXCMSG_R1481",
    "MS-OXCMSG_R349",
    "MS-OXCMSG_R352",
    "MS-OXCMSG_R354",
    "MS-OXCMSG_R2034",
    "MS-OXCMSG_R356",
    "MS-OXCMSG_R357",
    "MS-OXCMSG_R358",
    "MS-OXCMSG_R359",
    "MS-OXCMSG_R360",
    "MS-OXCMSG_R361",
    "MS-OXCMSG_R362",
    "MS-OXCMSG_R363",
    "MS-OXCMSG_R364",
    "MS-OXCMSG_R365",
    "MS-OXCMSG_R1912",
    "MS-OXCMSG_R164102",
    "MS-OXCMSG_R1914",
    "MS-OXCMSG_R3016",
    "MS-OXCMSG_R3018",
    "MS-OXCMSG_R1713",
    "MS-OXCPRPT_R311",
    "MS-OXCPRPT_R14",
    "MS-OXCPRPT_R16",
    "MS-OXCPRPT_R17",
    "MS-OXCPRPT_R18",
    "MS-OXCPRPT_R312",
    "MS-OXCPRPT_R26",
    "MS-OXCPRPT_R28",
    "MS-OXCPRPT_R314",
    "MS-OXCPRPT_R32",
    "MS-OXCPRPT_R315",
    "MS-OXCPRPT_R34",
    "MS-OXCPRPT_R316",
    "MS-OXCPRPT_R36",
    "MS-OXCPRPT_R319",
    "MS-OXCPRPT_R54",
)
def test_a_new_message_begins_with_what_the_specification_says(client: Client) -> None:
    message = create(client, client.logon())
    wanted = {
        tags.PidTagImportance: 1,
        tags.PidTagMessageClass: "IPM.Note",
        tags.PidTagSensitivity: 0,
        tags.PidTagDisplayBcc: "",
        tags.PidTagDisplayCc: "",
        tags.PidTagDisplayTo: "",
        tags.PidTagMessageFlags: 0x409,
        tags.PidTagHasAttachments: False,
        tags.PidTagTrustSender: 1,
        tags.PidTagAccess: 7,
        tags.PidTagAccessLevel: 1,
        tags.PidTagMessageLocaleId: 1033,
        tags.PidTagLocaleId: 1033,
        tags.PidTagCreatorName: "anna@example.test",
        tags.PidTagCreatorEntryId: PermanentEntryId(client.user.legacy_dn).pack(),
        tags.PidTagLastModifierName: "anna@example.test",
        tags.PidTagLastModifierEntryId: PermanentEntryId(client.user.legacy_dn).pack(),
        tags.PidTagHasNamedProperties: False,
    }
    assert dict(zip(wanted, get(client, message, *wanted), strict=True)) == wanted
    size, created, modified, key, committed = get(
        client,
        message,
        tags.PidTagMessageSize,
        tags.PidTagCreationTime,
        tags.PidTagLastModificationTime,
        tags.PidTagSearchKey,
        tags.PidTagLocalCommitTime,
    )
    assert size > 0
    assert created == modified == committed
    assert len(key) == 16


@pytest.mark.covers(
    "MS-OXCMSG_2.2.3",
    "MS-OXCMSG_2.2.3.1",
    "MS-OXCMSG_2.2.3.1.1",
    "MS-OXCMSG_2.2.3.1.2",
    "MS-OXCMSG_2.2.3.3.2",
    "MS-OXCMSG_3.1.4.1",
    "MS-OXCMSG_3.1.4.3",
    "MS-OXCMSG_3.1.5.1",
    "MS-OXCMSG_2.2.1.9",
    "MS-OXCMSG_2.2.1.10",
    "MS-OXCMSG_2.2.1.46",
    "MS-OXCMSG_R321",
    "MS-OXCMSG_R327",
    "MS-OXCMSG_R330",
    "MS-OXCMSG_R370",
    "MS-OXCMSG_R372",
    "MS-OXCMSG_R700",
    "MS-OXCMSG_R701",
    "MS-OXCMSG_R1475",
    "MS-OXCMSG_R1890",
    "MS-OXCMSG_R61",
    "MS-OXCMSG_R62",
    "MS-OXCMSG_R68",
)
def test_a_saved_message_is_there(client: Client) -> None:
    logon = client.logon()
    message = create(client, logon)
    assert not set_(client, message, {tags.PidTagSubject: "Re: Hello", tags.PidTagBody: "Line\r\n"}).problems
    mid = save(client, message)
    assert mid
    for handle in (message, opened(client, logon, mid)):
        assert get(
            client,
            handle,
            tags.PidTagSubject,
            tags.PidTagSubjectPrefix,
            tags.PidTagNormalizedSubject,
            tags.PidTagBody,
            tags.PidTagConversationTopic,
        ) == ["Re: Hello", "Re: ", "Hello", "Line\r\n", "Hello"]
    reply = open_(client, logon, mid)
    assert (reply.body.subject_prefix, reply.body.normalized_subject) == ("Re: ", "Hello")
    assert (reply.body.recipient_count, reply.body.row_count) == (0, 0)


@pytest.mark.covers(
    "MS-OXCMSG_3.1.1.1",
    "MS-OXCMSG_3.2.1",
    "MS-OXCMSG_3.2.1.1",
    "MS-OXCMSG_3.2.1.2",
    "MS-OXCMSG_3.2.1.3",
    "MS-OXCMSG_R703",
    "MS-OXCMSG_R704",
    "MS-OXCMSG_R705",
    "MS-OXCMSG_R1053",
    "MS-OXCMSG_R721",
    "MS-OXCMSG_R722",
    "MS-OXCMSG_R723",
    "MS-OXCMSG_R724",
    "MS-OXCMSG_R717",
    "MS-OXCMSG_R718",
    "MS-OXCMSG_R719",
    "MS-OXCMSG_R1847",
    "MS-OXCMSG_R3022",
    "MS-OXCMSG_R3023",
    "MS-OXCMSG_R1916",
    "MS-OXCPRPT_R476",
    "MS-OXCPRPT_R477",
    "MS-OXCPRPT_R478",
)
def test_two_handles(client: Client) -> None:
    logon = client.logon()
    mid = note(client, logon)
    one, other = opened(client, logon, mid), opened(client, logon, mid)
    set_(client, one, {tags.PidTagSubject: "one"})
    assert get(client, one, tags.PidTagSubject) == ["one"]
    assert get(client, other, tags.PidTagSubject) == ["Hello"]
    save(client, one)
    set_(client, other, {tags.PidTagBody: "other"})
    assert try_save(client, other).code == ec.ecObjectModified
    assert save(client, other, FORCE) == mid
    assert get(client, opened(client, logon, mid), tags.PidTagSubject, tags.PidTagBody) == ["one", "other"]


@pytest.mark.covers(
    "MS-OXCMSG_R661",
    "MS-OXCMSG_R663",
    "MS-OXCMSG_R665",
    "MS-OXCMSG_R666",
    "MS-OXCMSG_R1671",
    "MS-OXCMSG_R1670",
    "MS-OXCMSG_R1699",
    "MS-OXCMSG_R3019",
    "MS-OXCMSG_R3010",
    "MS-OXCMSG_R710",
    "MS-OXCMSG_R1407",
    "MS-OXCPRPT_R27",
    "MS-OXCPRPT_R25",
)
def test_a_handle_that_may_only_read(client: Client) -> None:
    logon = client.logon()
    mid = note(client, logon)
    reader = opened(client, logon, mid, mode=READ_ONLY)
    assert get(client, reader, tags.PidTagAccessLevel) == [0]
    assert try_save(client, reader).code == ec.ecError
    writer = opened(client, logon, mid, mode=BEST)
    assert get(client, writer, tags.PidTagAccessLevel) == [1]
    set_(client, writer, {tags.PidTagSubject: "changed"})
    save(client, writer, KEEP_RO)
    assert try_save(client, writer).code == ec.ecError


@pytest.mark.covers(
    "MS-OXCMSG_R323",
    "MS-OXCMSG_R324",
    "MS-OXCMSG_R326",
    "MS-OXCMSG_R333",
    "MS-OXCMSG_R1477",
    "MS-OXCMSG_R1478",
    "MS-OXCMSG_R2184",
    "MS-OXCMSG_R335",
)
def test_what_cannot_be_opened(client: Client, office: Office) -> None:
    logon = client.logon()
    mid = note(client, logon)
    assert open_(client, logon, mid + 999).code == ec.ecNotFound
    assert open_(client, logon, mid, Special.INBOX).code == ec.ecNotFound
    assert open_(client, logon, mid, 12345).code == ec.ecNotFound
    assert open_(client, logon, mid, page=4711).code == ec.ecUnknownCodePage
    message = opened(client, logon, mid)
    assert open_(client, message, mid).code == ec.ecNullObject


@pytest.mark.covers(
    "MS-OXCMSG_R1462",
    "MS-OXCMSG_R1463",
    "MS-OXCMSG_R1465",
    "MS-OXCMSG_2.2.1.58",
    "MS-OXCMSG_2.2.1.58.1",
    "MS-OXCMSG_R328",
    "MS-OXCMSG_R329",
    "MS-OXCPRPT_2.2.3",
    "MS-OXCPRPT_2.2.4",
    "MS-OXCPRPT_2.2.4.2",
    "MS-OXCPRPT_3.2.5.3",
    "MS-OXCPRPT_R90703",
    "MS-OXCPRPT_R90705",
    "MS-OXCPRPT_R471",
)
def test_mail_is_shown_as_a_message(client: Client, office: Office) -> None:
    raw = (
        b"From: Bob <bob@other.test>\r\nTo: Anna <anna@example.test>\r\nCc: c@other.test\r\n"
        b"Subject: AW: Test\r\nMessage-ID: <7@other.test>\r\n\r\nHello Anna\r\n"
    )
    row = deliver(office, client.user, raw)
    reply = open_(client, client.logon(), row.mid, Special.INBOX)
    assert reply.code == 0
    assert (reply.body.subject_prefix, reply.body.normalized_subject) == ("AW: ", "Test")
    assert (reply.body.recipient_count, reply.body.row_count) == (2, 2)
    assert get(client, reply.handle, tags.PidTagBody, tags.PidTagSenderName) == ["Hello Anna\r\n", "Bob"]
    everything = get_all(client, reply.handle)
    assert everything[tags.PidTagSubject] == "AW: Test"
    assert set(everything) <= {*listed(client, reply.handle)}


@pytest.mark.covers(
    "MS-OXCPRPT_2.575",
    "MS-OXCPRPT_2.577",
    "MS-OXCPRPT_2.701",
    "MS-OXCPRPT_2.724",
    "MS-OXCPRPT_2.832",
    "MS-OXCPRPT_2.834",
    "MS-OXCPRPT_2.878",
    "MS-OXCPRPT_2.975",
    "MS-OXCPRPT_2.1060",
    "MS-OXCMSG_2.2.1.1",
    "MS-OXCMSG_2.2.1.44",
    "MS-OXCPRPT_R313",
    "MS-OXCPRPT_R45",
)
def test_what_every_saved_message_has(client: Client) -> None:
    logon = client.logon()
    wanted = (
        tags.PidTagAccess,
        tags.PidTagAccessLevel,
        tags.PidTagChangeKey,
        tags.PidTagCreationTime,
        tags.PidTagLastModificationTime,
        tags.PidTagLastModifierName,
        tags.PidTagObjectType,
        tags.PidTagRecordKey,
        tags.PidTagSearchKey,
        tags.PidTagStoreEntryId,
    )
    message = opened(client, logon, note(client, logon))
    found = get(client, message, *wanted)
    assert not any(isinstance(value, PropertyError) for value in found)
    assert found[wanted.index(tags.PidTagObjectType)] == 5
    key = found[wanted.index(tags.PidTagChangeKey)]
    set_(client, message, {tags.PidTagSubject: "changed"})
    save(client, message)
    assert get(client, message, tags.PidTagChangeKey) != [key]


@pytest.mark.covers(
    "MS-OXCMSG_R369", "MS-OXCMSG_R512", "MS-OXCMSG_R507", "MS-OXCMSG_R508", "MS-OXCMSG_R1133",
    "MS-OXCMSG_R527", "MS-OXCMSG_R522", "MS-OXCMSG_R515", "MS-OXCMSG_R1906", "MS-OXCMSG_R1907",
)  # fmt: skip
def test_who_may_create_and_see(client: Client, office: Office, connect: Callable[..., Client]) -> None:
    bob = office.user("bob@example.test")
    other = connect(bob)
    logon = client.logon()
    mid = note(client, logon, "Private", Special.INBOX)
    office.write(
        lambda txn: permissions.put(txn, client.user.mailbox, Special.INBOX, bob.id, ROLES["reviewer"])
    )
    there = other.logon(client.user)
    assert get(other, opened(other, there, mid, Special.INBOX, mode=BEST), tags.PidTagAccess) == [2]
    assert open_(other, there, mid, Special.INBOX).code == ec.ecAccessDenied
    request = create_message.Request(0x0FFF, Special.INBOX, False)
    assert other.ask(create_message.ROP, request, on=there).code == ec.ecAccessDenied
    assert open_(other, there, mid, Special.DRAFTS).code == ec.ecNotFound
    office.write(
        lambda txn: permissions.put(txn, client.user.mailbox, Special.INBOX, bob.id, ROLES["author"])
    )
    own = note(other, there, "Mine", Special.INBOX)
    mine = opened(other, there, own, Special.INBOX)
    set_(other, mine, {tags.PidTagSubject: "Still mine"})
    assert save(other, mine, save_changes_message.SaveFlags(0x80)) == own
    assert open_(other, there, mid, Special.INBOX).code == ec.ecAccessDenied
    hidden = create(client, logon, Special.INBOX, associated=True)
    set_(client, hidden, {tags.PidTagMessageFlags: 0x88})
    handle = opened(client, logon, save(client, hidden), Special.INBOX)
    assert get(client, handle, tags.PidTagMessageFlags, tags.PidTagAssociated) == [0xCA, True]


@pytest.mark.covers("MS-OXCMSG_R325")
def test_soft_deleted_messages(client: Client, office: Office) -> None:
    logon = client.logon()
    mid = note(client, logon, "Gone", Special.INBOX)
    actor = Actor(user=client.user.id, mailbox=client.user.mailbox)
    with office.store.read() as txn:
        row = contents.get(txn, client.user.mailbox, Special.INBOX, mid)
    office.write(
        lambda txn: items.delete(txn, actor, client.user.mailbox, Special.INBOX, [row.uid], now=EPOCH)
    )
    assert open_(client, logon, mid, Special.INBOX).code == ec.ecNotFound
    handle = opened(client, logon, mid, Special.INBOX, mode=SOFT_DELETED)
    assert get(client, handle, tags.PidTagSubject) == ["Gone"]
    assert try_save(client, handle).code == ec.ecError


def test_a_message_that_another_deletes(client: Client, office: Office) -> None:
    logon = client.logon()
    mid = note(client, logon, "Going", Special.INBOX)
    handle = opened(client, logon, mid, Special.INBOX)
    set_(client, handle, {tags.PidTagSubject: "lost"})
    actor = Actor(user=client.user.id, mailbox=client.user.mailbox)
    with office.store.read() as txn:
        row = contents.get(txn, client.user.mailbox, Special.INBOX, mid)
    office.write(
        lambda txn: items.delete(txn, actor, client.user.mailbox, Special.INBOX, [row.uid], now=EPOCH)
    )
    assert try_save(client, handle).code == ec.ecObjectDeleted
    request = get_properties_list.ROP
    assert client.ask(request, on=handle).code == ec.ecObjectDeleted
