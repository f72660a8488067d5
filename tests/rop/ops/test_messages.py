"""Messages are created, saved, opened, changed by two (MS-OXCMSG 3.2.5.1 to 3.2.5.3)."""

from appliance.mapi import errors as ec
from appliance.mapi import tags
from appliance.mapi.entryids import PermanentEntryId
from appliance.mapi.rows import PropertyError
from appliance.store.mailboxes import Special
from tests.rop.kit import Client
from tests.rop.mail import deliver
from tests.rop.ops.items import (
    BEST,
    FORCE,
    KEEP_RO,
    READ_ONLY,
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


def test_what_cannot_be_opened(client: Client, office: Office) -> None:
    logon = client.logon()
    mid = note(client, logon)
    assert open_(client, logon, mid + 999).code == ec.ecNotFound
    assert open_(client, logon, mid, Special.INBOX).code == ec.ecNotFound
    assert open_(client, logon, mid, 12345).code == ec.ecNotFound
    assert open_(client, logon, mid, page=4711).code == ec.ecUnknownCodePage
    message = opened(client, logon, mid)
    assert open_(client, message, mid).code == ec.ecNullObject


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
