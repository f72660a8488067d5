"""Properties of messages: stored, known to the server alone, computed."""

import pytest

from appliance.convert.mime.derive import PidTagPreview
from appliance.mailbox.actor import Actor
from appliance.mailbox.properties import attachments, content
from appliance.mailbox.properties.messages import MessageView, values
from appliance.mailbox.properties.places import places
from appliance.mailbox.rights import EVERYTHING
from appliance.mapi import entryids, names, tags
from appliance.mapi.ids import LongTermId, PredecessorChangeList, Xid, counter_of, to_int64
from appliance.mapi.names import PS_INTERNET_HEADERS, PropertyName
from appliance.store import contents, drafts, mailboxes
from appliance.store import names as store_names
from appliance.store.contents import Row, RowFlag
from appliance.store.drafts import Draft
from appliance.store.edit import editing
from appliance.store.mailboxes import Special
from appliance.store.permissions import Right
from appliance.store.store import Store
from tests.conftest import EPOCH
from tests.mailbox.properties.conftest import SESSION, Deliver

MAIL = """From: Ben <ben@example.test>
To: Anna <anna@example.test>, Carla <carla@example.test>
Cc: dora@example.test
Subject: Re: Plans
Message-ID: <1@example.test>
X-Colour: green
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=x

--x
Content-Type: text/html; charset=utf-8

<p>Hello &amp; good-bye</p>
--x
Content-Type: text/csv; name=table.csv
Content-Disposition: attachment; filename=table.csv

a;b
--x--
"""


def save(store: Store, draft: Draft) -> Row:
    def fn(txn: object) -> Row:
        with editing(txn, draft.mailbox, now=EPOCH, origin=SESSION) as edit:  # type: ignore[arg-type]
            return drafts.save(edit, draft).row

    return store.write(fn).result()


@pytest.mark.covers("MS-OXCMSG_R1097", "MS-OXCMSG_R1098")
def test_what_the_server_knows(store: Store, mailbox: int, deliver: Deliver) -> None:
    row = deliver(MAIL)
    with store.read() as txn:
        view = MessageView(places(txn, mailbox), row, right=EVERYTHING)
        replica = mailboxes.identity(txn, mailbox).replica_guid
        entry_id = view.get(tags.PidTagEntryId)
        assert isinstance(entry_id, bytes)
        parsed = entryids.parse(entry_id)
        assert isinstance(parsed, entryids.MessageEntryId)
        assert parsed.message == LongTermId(replica, counter_of(row.mid))
        assert parsed.folder == LongTermId(replica, counter_of(Special.INBOX))
        assert view.get(tags.PidTagSourceKey) == parsed.message.to_gid()
        assert view.get(tags.PidTagParentSourceKey) == parsed.folder.to_gid()
        key = view.get(tags.PidTagChangeKey)
        assert key == Xid.of_change(replica, row.cn).to_bytes()
        packed = view.get(tags.PidTagPredecessorChangeList)
        assert isinstance(packed, bytes)
        assert PredecessorChangeList.parse(packed).pack() == packed
        assert view.get(tags.PidTagMid) == to_int64(row.mid)
        assert view.get(tags.PidTagAccess) == 7
        assert view.get(tags.PidTagAccessLevel) == 1
        assert view.get(tags.PidTagObjectType) == 5
        assert view.get(tags.PidTagMessageSize) == row.size
        assert view.get(tags.PidTagInternetArticleNumber) == row.uid
        assert view.get(tags.PidTagDeletedOn) is None
        reader = MessageView(places(txn, mailbox), row, right=Right.READ_ANY)
        assert reader.get(tags.PidTagAccess) == 2
        assert reader.get(tags.PidTagAccessLevel) == 0


def test_what_mail_says(store: Store, mailbox: int, deliver: Deliver) -> None:
    row = deliver(MAIL)
    with store.read() as txn:
        view = MessageView(places(txn, mailbox), row, right=EVERYTHING)
        assert values(
            view,
            (
                tags.PidTagSubject,
                tags.PidTagNormalizedSubject,
                tags.PidTagConversationTopic,
                tags.PidTagBody,
                tags.PidTagBodyHtml,
                tags.PidTagNativeBody,
                tags.PidTagRtfInSync,
                tags.PidTagHasAttachments,
                tags.PidTagMessageClass,
                tags.PidTagDisplayTo,
                tags.PidTagDisplayCc,
                tags.PidTagDisplayBcc,
                PidTagPreview,
            ),
        ) == {
            tags.PidTagSubject: "Re: Plans",
            tags.PidTagNormalizedSubject: "Plans",
            tags.PidTagConversationTopic: "Plans",
            tags.PidTagBody: "Hello & good-bye",
            tags.PidTagBodyHtml: "<p>Hello &amp; good-bye</p>",
            tags.PidTagNativeBody: 3,
            tags.PidTagRtfInSync: False,
            tags.PidTagHasAttachments: True,
            tags.PidTagMessageClass: "IPM.Note",
            tags.PidTagDisplayTo: "Anna; Carla",
            tags.PidTagDisplayCc: "dora@example.test",
            tags.PidTagDisplayBcc: "",
            PidTagPreview: "Hello & good-bye",
        }
        headers = view.get(tags.PidTagTransportMessageHeaders)
        assert isinstance(headers, str)
        assert headers.startswith("From: Ben")
        colour = PropertyName(PS_INTERNET_HEADERS, "x-colour")
        assert view.internet_header(colour) == "green"
        people = [
            (bag[tags.PidTagRecipientType], bag[tags.PidTagSmtpAddress]) for bag in view.recipients().values()
        ]
        assert people == [(1, "anna@example.test"), (1, "carla@example.test"), (2, "dora@example.test")]
        for tag in view.tags():
            assert view.get(tag) is not None, hex(tag)
        assert {tags.PidTagBody, tags.PidTagHtml, tags.PidTagEntryId, tags.PidTagSubject} <= view.tags()


def test_flags_of_imap_show(store: Store, mailbox: int, deliver: Deliver) -> None:
    named = names.PidNameKeywords
    number = store.write(lambda txn: store_names.assign(txn, named.name)).result()
    row = deliver(MAIL, RowFlag.ANSWERED | RowFlag.FLAGGED | RowFlag.SEEN, ("Blue", "$Forwarded"))
    with store.read() as txn:
        view = MessageView(places(txn, mailbox), row, right=EVERYTHING)
        assert view.get(tags.PidTagFlagStatus) == 2
        assert view.get(tags.PidTagFollowupIcon) == 6
        assert view.get(tags.PidTagLastVerbExecuted) == 102
        assert view.get(tags.PidTagIconIndex) == 0x105
        assert view.get(tags.PidTagRead) is True
        assert view.get(number << 16 | named.type) == ("Blue",)
        plain = MessageView(places(txn, mailbox), row._replace(flags=0, keywords=()))
        assert plain.get(tags.PidTagFlagStatus) is None
        assert plain.get(tags.PidTagIconIndex) == -1
        assert plain.get(number << 16 | named.type) is None


def test_changes_of_a_session_show_to_it(store: Store, mailbox: int, deliver: Deliver) -> None:
    row = deliver(MAIL)
    with store.read() as txn:
        draft = drafts.open_message(txn, mailbox, row, SESSION)
        draft.overlay.set(tags.PidTagSubject, "Other")
        draft.overlay.set(tags.PidTagHtml, b"<p>New</p>")
        draft.overlay.remove(tags.PidTagImportance)
        view = MessageView(places(txn, mailbox), row, right=EVERYTHING, overlay=draft.overlay)
        assert view.get(tags.PidTagSubject) == "Other"
        assert view.get(tags.PidTagBody) == "New"
        plain = MessageView(places(txn, mailbox), row, right=EVERYTHING)
        assert plain.get(tags.PidTagBody) == "Hello & good-bye"


@pytest.mark.covers(
    "MS-OXCMSG_R341", "MS-OXCMSG_R342", "MS-OXCMSG_R343", "MS-OXCMSG_R344", "MS-OXCMSG_R345",
    "MS-OXCMSG_R346", "MS-OXCMSG_R1480", "MS-OXCMSG_R349", "MS-OXCMSG_R352", "MS-OXCMSG_R354",
)  # fmt: skip
def test_a_message_that_was_never_saved(store: Store, mailbox: int) -> None:
    draft = drafts.new(mailbox, Special.DRAFTS, SESSION)
    with store.read() as txn:
        view = MessageView(places(txn, mailbox), None, overlay=draft.overlay)
        assert view.get(tags.PidTagImportance) == 1
        assert view.get(tags.PidTagMessageClass) == "IPM.Note"
        assert view.get(tags.PidTagSensitivity) == 0
        assert [
            view.get(tag) for tag in (tags.PidTagDisplayTo, tags.PidTagDisplayCc, tags.PidTagDisplayBcc)
        ] == [""] * 3
        assert view.get(tags.PidTagMessageFlags) == 0x409
        assert view.get(tags.PidTagHasAttachments) is False
        assert view.get(tags.PidTagTrustSender) == 1
        assert view.get(tags.PidTagAccessLevel) == 1
        assert view.get(tags.PidTagEntryId) is None
        draft.overlay.set(tags.PidTagBody, "a < b")
        draft.overlay.put_recipient(0, {tags.PidTagRecipientType: 1, tags.PidTagDisplayName: "Anna"})
        draft.overlay.put_recipient(1, {tags.PidTagRecipientType: 1, tags.PidTagDisplayName: "Ben"})
        again = MessageView(places(txn, mailbox), None, overlay=draft.overlay)
        assert again.get(tags.PidTagDisplayTo) == "Anna; Ben"
        assert again.get(tags.PidTagNativeBody) == 1
        rich = again.get(tags.PidTagHtml)
        assert isinstance(rich, bytes)
        assert b"a &lt; b" in rich
        for tag in again.tags():
            assert again.get(tag) is not None, hex(tag)


def test_content_of_mail_can_be_changed(store: Store, mailbox: int, deliver: Deliver) -> None:
    large = "x" * 200_000
    row = deliver(MAIL.replace("a;b", large))
    with store.read() as txn:
        draft = drafts.open_message(txn, mailbox, row, SESSION)
    draft.overlay.set(tags.PidTagSubject, "Changed")
    content.materialize(store, draft)
    changed = save(store, draft)
    assert changed.uid > row.uid
    with store.read() as txn:
        now = contents.get(txn, mailbox, row.fid, row.mid)
        assert now == changed
        view = MessageView(places(txn, mailbox), now, right=EVERYTHING)
        assert view.get(tags.PidTagSubject) == "Changed"
        assert view.get(tags.PidTagBody) == "Hello & good-bye"
        assert view.get(tags.PidTagHasAttachments) is True
        assert view.get(tags.PidTagDisplayTo) == "Anna; Carla"
        headers = view.get(tags.PidTagTransportMessageHeaders)
        assert isinstance(headers, str)
        assert "X-Colour: green" in headers
        assert [bag[tags.PidTagSmtpAddress] for bag in view.recipients().values()] == [
            "anna@example.test", "carla@example.test", "dora@example.test",
        ]  # fmt: skip
        made = content.whole(store, txn, mailbox, now)
    (attachment,) = made.attachments  # read after its snapshot
    assert attachment.content is not None
    assert attachment.content.read(0, 300_000) == large.encode()


def test_a_message_within_a_message_can_be_changed(store: Store, mailbox: int, deliver: Deliver) -> None:
    inner = "From: c@example.test\nSubject: inside\n\ninner text\n"
    row = deliver(
        "Subject: outside\nContent-Type: multipart/mixed; boundary=x\n\n--x\n"
        f"Content-Type: message/rfc822\n\n{inner}\n--x--\n"
    )
    with store.read() as txn:
        draft = drafts.open_message(txn, mailbox, row, SESSION)
    content.materialize(store, draft)
    content.materialize(store, draft)
    save(store, draft)
    with store.read() as txn:
        now = contents.get(txn, mailbox, row.fid, row.mid)
        opened = drafts.open_message(txn, mailbox, now, SESSION)
        attachment = opened.overlay.attachment(0)
        view = attachments.of_draft(places(txn, mailbox), attachment)
        assert view.get(tags.PidTagAttachMethod) == 5
        assert view.get(tags.PidTagObjectType) == 7
        inside = attachment.open_embedded()
        assert inside.get(tags.PidTagSubject) == "inside"
        shown = MessageView(places(txn, mailbox), None, overlay=inside, materialized=True)
        assert shown.get(tags.PidTagBody) == "inner text\r\n"


def test_whole_messages_are_read_after_their_snapshot(
    store: Store, mailbox: int, owner: Actor, deliver: Deliver
) -> None:
    row = deliver(MAIL)
    with store.read() as txn:
        made = content.whole(store, txn, mailbox, row)
        shown = attachments.of_object(places(txn, mailbox), 0, made.attachments[0])
        assert shown.get(tags.PidTagAttachLongFilename) == "table.csv"
        assert shown.get(tags.PidTagAttachSize) == 3 + attachments.OVERHEAD
        for tag in shown.tags():
            assert shown.get(tag) is not None, hex(tag)
    held = made.attachments[0].content
    assert held is not None
    assert (held.read(0, 10), held.read(1, 1), held.size) == (b"a;b", b";", 3)
    assert made.props[tags.PidTagSubject] == "Re: Plans"
    assert len(made.recipients) == 3
