"""The property bag that a delivery stores, with CPython's parser as judge where it has an opinion."""

import email
import email.policy
import email.utils
import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.convert.mime import addresses
from appliance.convert.mime.derive import NATIVE_HTML, NATIVE_PLAIN, derive
from appliance.formats import bags
from appliance.mapi import names, tags, times
from appliance.mapi.types import Value
from tests.convert.mime.kit import at_hand, crlf, derived, samples


def _one(header: str, tag: int) -> Value:
    return derived(f"{header}\n\nbody\n").props.get(tag)


def test_from_alone_is_sender_and_represented() -> None:
    props = derived('From: "Doe, John" <john@example.org>\n\n').props
    for name, kind, address, smtp in (
        (tags.PidTagSenderName, tags.PidTagSenderAddressType, tags.PidTagSenderEmailAddress,
         tags.PidTagSenderSmtpAddress),
        (tags.PidTagSentRepresentingName, tags.PidTagSentRepresentingAddressType,
         tags.PidTagSentRepresentingEmailAddress, tags.PidTagSentRepresentingSmtpAddress),
    ):  # fmt: skip
        assert props[name] == "Doe, John"
        assert props[kind] == "SMTP"
        assert props[address] == props[smtp] == "john@example.org"
    assert props[tags.PidTagSenderSearchKey] == b"SMTP:JOHN@EXAMPLE.ORG\0"


def test_a_sender_acts_for_the_author() -> None:
    props = derived("From: boss@example.org\nSender: Secretary <sec@example.org>\n\n").props
    assert props[tags.PidTagSenderEmailAddress] == "sec@example.org"
    assert props[tags.PidTagSentRepresentingEmailAddress] == "boss@example.org"


def test_of_several_authors_the_first_counts() -> None:
    assert _one("From: a@x.test, b@x.test", tags.PidTagSentRepresentingEmailAddress) == "a@x.test"


def test_reply_recipients_are_one_off_entry_ids() -> None:
    props = derived("Reply-To: A <a@x.test>, b@x.test\n\n").props
    assert props[tags.PidTagReplyRecipientNames] == "A; b@x.test"
    entries = props[tags.PidTagReplyRecipientEntries]
    assert isinstance(entries, bytes)
    assert int.from_bytes(entries[:4], "little") == 2
    assert int.from_bytes(entries[4:8], "little") == len(entries) - 8
    assert addresses.read_reply_entries(entries) == [("A", "a@x.test"), ("b@x.test", "b@x.test")]


def test_display_lists_show_names_or_addresses() -> None:
    props = derived("To: A <a@x.test>, b@x.test\nCc: undisclosed-recipients:;\nBcc: c@x.test\n\n").props
    assert props[tags.PidTagDisplayTo] == "A; b@x.test"
    assert props[tags.PidTagDisplayCc] == "undisclosed-recipients"
    assert props[tags.PidTagDisplayBcc] == "c@x.test"


@pytest.mark.parametrize(
    ("subject", "prefix", "normalized"),
    [
        ("RE: Hello", "RE: ", "Hello"),
        ("Fwd: Hello", "Fwd: ", "Hello"),
        ("AW: RE: Hello", "AW: ", "RE: Hello"),
        ("Hello: there", "", "Hello: there"),
        ("R2: x", "", "R2: x"),
        ("Re:x", "", "Re:x"),
        ("", "", ""),
    ],
)
@pytest.mark.covers("MS-OXCMSG_R58", "MS-OXCMSG_R64", "MS-OXCMSG_R1239", "MS-OXCMSG_R1802")
def test_a_prefix_has_up_to_three_letters(subject: str, prefix: str, normalized: str) -> None:
    props = derived(f"Subject: {subject}\n\n").props
    assert props[tags.PidTagSubject] == subject
    assert props[tags.PidTagSubjectPrefix] == prefix
    assert props[tags.PidTagNormalizedSubject] == normalized


def test_a_thread_index_gives_the_conversation() -> None:
    guid = bytes(range(16))
    index = b"\x01\x01\xdc\x00\x11\x22" + guid + b"\x80\x00\x00\x10\x10"
    import base64

    header = f"Subject: RE: Topic\nThread-Topic: Topic\nThread-Index: {base64.b64encode(index).decode()}"
    props = derived(header + "\n\n").props
    assert props[tags.PidTagConversationIndex] == index
    assert props[tags.PidTagConversationIndexTracking] is True
    assert props[tags.PidTagConversationId] == guid
    assert props[tags.PidTagConversationTopic] == "Topic"


def test_without_a_thread_index_the_topic_gives_the_conversation() -> None:
    first = derived("Subject: Lunch\nDate: Mon, 2 Mar 2026 10:00:00 +0000\n\n").props
    reply = derived("Subject: Re: lunch\nDate: Mon, 2 Mar 2026 11:00:00 +0000\n\n").props
    expected = hashlib.md5("LUNCH".encode("utf-16-le")).digest()
    assert first[tags.PidTagConversationId] == reply[tags.PidTagConversationId] == expected
    index = first[tags.PidTagConversationIndex]
    assert isinstance(index, bytes)
    assert index[0] == 1
    assert index[6:22] == expected
    assert len(index) == 22


@pytest.mark.covers("MS-OXCMSG_R60", "MS-OXCMSG_R66")
def test_long_subjects_are_cut_to_what_the_properties_hold() -> None:
    props = derived("Subject: Re: " + "long " * 100 + "\n\n").props
    prefix, normalized = props[tags.PidTagSubjectPrefix], props[tags.PidTagNormalizedSubject]
    assert isinstance(prefix, str)
    assert isinstance(normalized, str)
    assert len(prefix) + len(normalized) < 254


@pytest.mark.covers("MS-OXCMSG_R19", "MS-OXCMSG_R21")
def test_message_classes_stay_short_and_ascii() -> None:
    for name in ("x" * 300, "Gr\u00fcn", "a b"):
        message_class = derived(f"Content-Class: urn:content-class:custom.{name}\n\n").message_class
        assert message_class.startswith("IPM.Note")
        assert message_class.isascii()
        assert len(message_class) < 128


def test_texts_never_hold_lone_surrogates() -> None:
    props = derived("Subject: =?utf-7?Q?+2AA-x?=\nFrom: =?utf-7?Q?+2AA-x?= <a@b>\n\n").props
    for value in props.values():
        if isinstance(value, str):
            value.encode("utf-8")


def test_ids_and_references() -> None:
    props = derived("Message-ID: <a@x>\nIn-Reply-To: your mail <b@x>\nReferences: <c@x>\n <b@x>\n\n").props
    assert props[tags.PidTagInternetMessageId] == "<a@x>"
    assert props[tags.PidTagInReplyToId] == "<b@x>"
    assert props[tags.PidTagInternetReferences] == "<c@x> <b@x>"


@pytest.mark.parametrize(
    ("headers", "importance"),
    [
        ("X-Priority: 1 (Highest)", 2),
        ("X-Priority: 5", 0),
        ("Priority: urgent", 2),
        ("X-MSMail-Priority: Low", 0),
        ("Importance: low\nX-Priority: 1", 0),
        ("Importance: nonsense\nX-Priority: 1", 2),
        ("X-Nothing: 1", 1),
    ],
)
@pytest.mark.covers("MS-OXCMSG_R70", "MS-OXCMSG_R71")
def test_importance(headers: str, importance: int) -> None:
    assert _one(headers, tags.PidTagImportance) == importance


def test_sensitivity_and_receipts() -> None:
    props = derived(
        "Sensitivity: Company-Confidential\nDisposition-Notification-To: me@x.test\n"
        "Return-Receipt-To: me@x.test\n\n"
    ).props
    assert props[tags.PidTagSensitivity] == 3
    assert props[tags.PidTagReadReceiptRequested] is True
    assert props[tags.PidTagReadReceiptEmailAddress] == "me@x.test"
    assert props[tags.PidTagOriginatorDeliveryReportRequested] is True


def test_categories_and_flag() -> None:
    named = derived("Keywords: Red, blue\nKeywords: red, Green\nX-Message-Flag: Follow up\n\n").named
    assert named[names.PidNameKeywords] == ("Red", "blue", "Green")
    assert named[names.PidLidFlagRequest] == "Follow up"


def test_spam_verdicts_from_outside_only_raise() -> None:
    forged = "X-MS-Exchange-Organization-SCL: -1\nX-Spam-Flag: YES"
    assert _one(forged, tags.PidTagContentFilterSpamConfidenceLevel) == 6
    trusted = derived(forged + "\n\n", trusted=True).props
    assert trusted[tags.PidTagContentFilterSpamConfidenceLevel] == -1
    assert _one("X-MS-Exchange-Organization-SCL: -1", tags.PidTagContentFilterSpamConfidenceLevel) is None


def test_lists_language_and_suppression() -> None:
    props = derived(
        "List-Unsubscribe: <mailto:x@y>\nX-List-Help: <http://h>\nContent-Language: de-CH, en\n"
        "X-Auto-Response-Suppress: DR, OOF, AutoReply\n\n"
    ).props
    assert props[tags.PidTagListUnsubscribe] == "<mailto:x@y>"
    assert props[tags.PidTagListHelp] == "<http://h>"
    assert props[tags.PidTagMessageLocaleId] == 2055
    assert props[tags.PidTagAutoResponseSuppress] == 1 | 16 | 32


@pytest.mark.covers("MS-OXCMSG_R2056", "MS-OXCMSG_R2057")
def test_bodies_tell_code_page_and_format() -> None:
    plain = derived("Content-Type: text/plain; charset=koi8-r\n\nx\n").props
    rich = derived('Content-Type: text/html; charset="Windows-1252"\n\n<p>x\n').props
    assert plain[tags.PidTagInternetCodepage] == 20866
    assert plain[tags.PidTagNativeBody] == NATIVE_PLAIN
    assert rich[tags.PidTagInternetCodepage] == 1252
    assert rich[tags.PidTagNativeBody] == NATIVE_HTML


@pytest.mark.covers("MS-OXCMSG_R498", "MS-OXCMSG_R523")
def test_inline_pictures_are_no_attachments() -> None:
    related = (
        "Content-Type: multipart/related; boundary=b\n\n--b\nContent-Type: text/html\n\n<img src=cid:p>\n"
        "--b\nContent-Type: image/png\n{}\n\nxx\n--b--\n"
    )
    assert derived(related.format("Content-ID: <p>")).props[tags.PidTagHasAttachments] is False
    assert derived(related.format("X-A: b")).props[tags.PidTagHasAttachments] is True


@pytest.mark.parametrize(("name", "data"), samples(), ids=[name for name, _ in samples()])
def test_real_mail_agrees_with_another_parser(name: str, data: bytes) -> None:
    scan, read = at_hand(data)
    props = derive(scan, read).props
    assert bags.unpack(bags.pack(props)) == props
    message = email.message_from_bytes(data, policy=email.policy.compat32)
    date = str(message["date"] or "")
    if (parsed := email.utils.parsedate_to_datetime(date) if _sane_date(date) else None) is not None:
        expected = times.from_unix(int(email.utils.mktime_tz(email.utils.parsedate_tz(date) or (0,) * 10)))
        assert props[tags.PidTagClientSubmitTime] == expected, (name, parsed)
    ident = str(message["message-id"] or "").strip()
    if ident.isascii() and ident.startswith("<") and ident.endswith(">") and " " not in ident:
        assert props[tags.PidTagInternetMessageId] == ident
    author = email.utils.parseaddr(str(message["from"] or ""))[1]
    if author.isascii() and str(message["from"]).count("@") == 1 and " " not in author:
        assert props[tags.PidTagSentRepresentingEmailAddress] == author


def _sane_date(date: str) -> bool:
    parsed = email.utils.parsedate_tz(date)
    return (
        parsed is not None
        and parsed[9] is not None
        and 1970 <= parsed[0] <= 2100
        and "," in date
        and "(" not in date
    )


@settings(deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_give_a_bag(data: bytes) -> None:
    props = derive(*at_hand(data)).props
    assert props[tags.PidTagMessageClass]
    assert bags.unpack(bags.pack(props)) == props


@settings(deadline=None)
@given(
    st.sampled_from(["From", "To", "Subject", "Date", "Thread-Index", "References", "Keywords", "X-Priority",
                     "Reply-To", "Content-Type", "Content-Class", "Reply-By"]),
    st.text(max_size=80),
)  # fmt: skip
def test_any_field_gives_a_bag(name: str, value: str) -> None:
    data = crlf(f"{name}: ") + value.encode("utf-8", "replace") + b"\r\n\r\nbody"
    props = derive(*at_hand(data)).props
    assert bags.unpack(bags.pack(props)) == props
