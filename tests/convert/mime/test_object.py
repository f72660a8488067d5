"""MIME to message object: bodies, recipients, attachments, reports, S/MIME."""

import email
import email.policy
import time
from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.convert.mime import attachments
from appliance.convert.mime.object import to_object
from appliance.mapi import names, tags
from appliance.mapi.names import PS_INTERNET_HEADERS, PropertyName
from appliance.mapi.objects import AttachmentObject, MessageObject
from appliance.mapi.types import PtypString
from tests.convert.mime.kit import at_hand, crlf, samples
from tests.shared import shared_path


def made(text: str) -> MessageObject:
    """The object of a message written with LF."""
    return to_object(*at_hand(crlf(text)))


def _data(attachment: AttachmentObject) -> bytes:
    assert attachment.content is not None
    return attachment.content.read(0, 1 << 26)


def test_recipients_have_their_rows() -> None:
    message = made("To: A <a@x.test>, IMCEAEX-_O=ORG_CN=Bob@x.test\nCc: c@x.test\nBcc: d@x.test\n\n")
    rows = message.recipients
    assert [row[tags.PidTagRecipientType] for row in rows] == [1, 1, 2, 3]
    assert rows[0][tags.PidTagDisplayName] == "A"
    assert rows[0][tags.PidTagSmtpAddress] == rows[0][tags.PidTagEmailAddress] == "a@x.test"
    assert rows[0][tags.PidTagObjectType] == 6
    assert rows[1][tags.PidTagAddressType] == "EX"
    assert rows[1][tags.PidTagEmailAddress] == "/O=ORG/CN=Bob"


def test_alternatives_give_both_bodies_and_no_attachment() -> None:
    message = made(
        "Content-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain\n\nplain\n"
        "--b\nContent-Type: text/html; charset=iso-8859-15\n\n<p>html\n--b--\n"
    )
    assert message.props[tags.PidTagBody] == "plain"
    assert message.props[tags.PidTagHtml] == b"<p>html"
    assert message.props[tags.PidTagInternetCodepage] == 28605
    assert message.attachments == []


@pytest.mark.covers("MS-OXCMSG_R973", "MS-OXCMSG_R2033")
def test_inline_pictures_are_hidden_if_the_body_shows_them() -> None:
    message = made(
        "Content-Type: multipart/related; boundary=b\n\n--b\nContent-Type: text/html\n\n"
        '<img src="cid:one@x">\n--b\nContent-Type: image/png; name=one.png\nContent-ID: <one@x>\n'
        "Content-Transfer-Encoding: base64\n\niVBORw==\n--b\nContent-Type: image/png\nContent-ID: <two@x>\n\n"
        "zz\n--b--\n"
    )
    shown, unseen = message.attachments
    assert shown.props[tags.PidTagAttachContentId] == "one@x"
    assert shown.props[tags.PidTagAttachFlags] == attachments.RENDERED_IN_BODY
    assert shown.props[tags.PidTagAttachmentHidden] is True
    assert _data(shown) == b"\x89PNG"
    assert unseen.props[tags.PidTagAttachmentHidden] is False
    assert message.props[tags.PidTagHasAttachments] is True


@pytest.mark.covers("MS-OXCMSG_R240", "MS-OXCMSG_R241", "MS-OXCMSG_R600", "MS-OXCMSG_R602", "MS-OXCMSG_R604")
def test_an_attachment_has_names_and_type() -> None:
    message = made(
        "Content-Type: multipart/mixed; boundary=b\n\n--b\n\ntext\n--b\n"
        'Content-Type: application/pdf; name="wrong.pdf"\n'
        "Content-Disposition: attachment; filename*=utf-8''../%E2%82%AC%20rates%202026.final.pdf;\n"
        ' creation-date="Mon, 2 Mar 2026 10:00:00 +0000"\nContent-Description: Rates\n'
        "Content-Transfer-Encoding: base64\n\naGVsbG8=\n--b--\n"
    )
    (attachment,) = message.attachments
    props = attachment.props
    assert props[tags.PidTagAttachMethod] == attachments.BY_VALUE
    assert props[tags.PidTagAttachLongFilename] == "€ rates 2026.final.pdf"
    assert props[tags.PidTagAttachExtension] == ".pdf"
    assert len(str(props[tags.PidTagAttachFilename])) <= 12
    assert props[tags.PidTagAttachMimeTag] == "application/pdf"
    assert props[tags.PidTagDisplayName] == "Rates"
    assert props[tags.PidTagRenderingPosition] == -1
    assert tags.PidTagCreationTime in props
    assert _data(attachment) == b"hello"


def test_an_embedded_message_is_an_object_of_its_own() -> None:
    message = made(
        "Content-Type: multipart/mixed; boundary=b\n\n--b\n\ntext\n--b\nContent-Type: message/rfc822\n\n"
        "From: in@x.test\nSubject: Inner\nContent-Type: multipart/mixed; boundary=c\n\n--c\n\ninner text\n"
        "--c\nContent-Type: text/csv\nContent-Disposition: attachment\n\n1,2\n--c--\n--b--\n"
    )
    (attachment,) = message.attachments
    assert attachment.props[tags.PidTagAttachMethod] == attachments.EMBEDDED
    assert attachment.props[tags.PidTagDisplayName] == "Inner"
    inner = attachment.embedded
    assert inner is not None
    assert inner.props[tags.PidTagBody] == "inner text"
    assert inner.props[tags.PidTagSenderEmailAddress] == "in@x.test"
    assert inner.attachments[0].props[tags.PidTagAttachLongFilename] == "ATT00001.csv"


def test_a_message_in_base64_is_opened_too() -> None:
    import base64

    encoded = base64.encodebytes(b"Subject: coded\r\n\r\nbody").decode()
    message = made(
        "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: message/rfc822\n"
        f"Content-Transfer-Encoding: base64\n\n{encoded}\n--b--\n"
    )
    inner = message.attachments[0].embedded
    assert inner is not None
    assert inner.props[tags.PidTagSubject] == "coded"


def test_messages_are_opened_to_a_limit() -> None:
    text = "Subject: core\n\ncore"
    for _ in range(attachments.MAX_EMBEDDED + 5):
        text = f"Content-Type: message/rfc822\n\n{text}"
    message: MessageObject | None = made(text)
    depth = 0
    while message is not None and message.attachments:
        depth += 1
        message = message.attachments[0].embedded
    assert depth == attachments.MAX_EMBEDDED + 1


def test_texts_beside_pictures_become_one_body() -> None:
    message = made(
        "Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b\nContent-Type: image/png\n\nxx\n"
        "--b\n\ntwo\n--b\nContent-Type: text/plain; name=a.txt\n\nfile\n--b--\n"
    )
    assert message.props[tags.PidTagBody] == "one\r\ntwo"
    kinds = [attachment.props[tags.PidTagAttachMimeTag] for attachment in message.attachments]
    assert kinds == ["image/png", "text/plain"]


def test_an_external_body_is_a_shortcut() -> None:
    message = made(
        "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nt\n--b\nContent-Type: message/external-body;\n"
        ' access-type=ANON-FTP; site="ftp.x.test"; directory="/pub"; name="a.zip"; mode=image\n\n'
        "Content-Type: application/zip\n\n\n--b--\n"
    )
    (attachment,) = message.attachments
    assert attachment.props[tags.PidTagAttachLongFilename] == "a.zip.url"
    assert _data(attachment) == b"[InternetShortcut]\r\nURL=ftp://ftp.x.test/pub/a.zip;type=i\r\n"


def test_apple_double_is_one_attachment() -> None:
    message = made(
        "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nt\n--b\nContent-Type: multipart/appledouble;\n"
        " boundary=c\n\n--c\nContent-Type: application/applefile\n"
        "Content-Transfer-Encoding: base64\n\nAAUWBw==\n"
        "--c\nContent-Type: image/gif; name=p.gif\n\nGIF89\n--c--\n--b--\n"
    )
    (attachment,) = message.attachments
    assert attachment.props[tags.PidTagAttachLongFilename] == "p.gif"
    assert _data(attachment) == b"GIF89"
    assert attachment.named[names.PidNameAttachmentMacInfo] == bytes.fromhex("00051607")


def test_internet_headers_are_named_properties() -> None:
    message = made("X-Mailer: Thing\nX-Odd: =?utf-8?Q?=C3=A9?=\nX-Odd: second\nSubject: s\n\n")
    assert message.named[(PropertyName(PS_INTERNET_HEADERS, "X-Mailer"), PtypString)] == "Thing"
    assert message.named[(PropertyName(PS_INTERNET_HEADERS, "X-Odd"), PtypString)] == "é"
    headers = message.props[tags.PidTagTransportMessageHeaders]
    assert isinstance(headers, str)
    assert headers.startswith("X-Mailer: Thing\r\n")


NDR = """\
From: MAILER-DAEMON@x.test
To: sender@x.test
Subject: Undelivered
Date: Mon, 2 Mar 2026 10:00:00 +0000
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b

It failed.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.x.test

Final-Recipient: rfc822; ok@y.test
Action: delivered
Status: 2.0.0

Final-Recipient: rfc822; gone@y.test
Action: failed
Status: 5.1.1
Remote-MTA: dns; mail.y.test
Diagnostic-Code: smtp; 550 no such user
--b
Content-Type: message/rfc822

From: sender@x.test
To: gone@y.test
Subject: Hello
Message-ID: <h@x>

hi
--b--
"""


def test_a_bounce_names_who_was_not_reached_and_why() -> None:
    message = made(NDR)
    assert message.props[tags.PidTagMessageClass] == "REPORT.IPM.Note.NDR"
    assert message.props[tags.PidTagReportingMessageTransferAgent] == "mx.x.test"
    assert message.props[tags.PidTagOriginalSubject] == "Hello"
    assert message.props[tags.PidTagOriginalMessageId] == "<h@x>"
    (row,) = message.recipients
    assert row[tags.PidTagEmailAddress] == "gone@y.test"
    assert row[tags.PidTagNonDeliveryReportStatusCode] == 511
    assert row[tags.PidTagNonDeliveryReportDiagCode] == 0
    assert row[tags.PidTagRemoteMessageTransferAgent] == "mail.y.test"
    assert row[tags.PidTagSupplementaryInfo] == "<mail.y.test #5.1.1 550 no such user>"
    (attachment,) = message.attachments
    assert attachment.embedded is not None


@pytest.mark.parametrize(
    ("disposition", "message_class"),
    [
        ("manual-action/MDN-sent-manually; displayed", "REPORT.IPM.Note.IPNRN"),
        ("automatic-action/MDN-sent-automatically; deleted", "REPORT.IPM.Note.IPNNRN"),
    ],
)
def test_read_receipts(disposition: str, message_class: str) -> None:
    message = made(
        "Content-Type: multipart/report; report-type=disposition-notification; boundary=b\n\n--b\n\nRead.\n"
        f"--b\nContent-Type: message/disposition-notification\n\nDisposition: {disposition}\n"
        "Original-Message-ID: <o@x>\nFinal-Recipient: rfc822;r@y.test\n--b--\n"
    )
    assert message.props[tags.PidTagMessageClass] == message_class
    assert message.props[tags.PidTagOriginalMessageId] == "<o@x>"
    assert message.props[tags.PidTagOriginalDisplayTo] == "r@y.test"


@pytest.mark.parametrize(
    ("calendar", "message_class"),
    [
        ("METHOD:REQUEST", "IPM.Schedule.Meeting.Request"),
        ("METHOD:CANCEL", "IPM.Schedule.Meeting.Canceled"),
        ('METHOD:REPLY\nATTENDEE;CN="a";PARTSTAT=ACC\n EPTED:mailto:a@x', "IPM.Schedule.Meeting.Resp.Pos"),
        ("METHOD:REPLY\nATTENDEE;PARTSTAT=DECLINED:mailto:a@x", "IPM.Schedule.Meeting.Resp.Neg"),
        ("METHOD:PUBLISH", "IPM.Note"),
    ],
)
def test_meeting_messages_have_their_class(calendar: str, message_class: str) -> None:
    text = (
        "Content-Type: multipart/alternative; boundary=b\n\n--b\n\nMeet\n--b\nContent-Type: text/calendar\n\n"
        f"BEGIN:VCALENDAR\n{calendar}\nEND:VCALENDAR\n--b--\n"
    )
    assert made(text).props[tags.PidTagMessageClass] == message_class


@pytest.mark.parametrize(
    ("header", "message_class"),
    [
        ("fax", "IPM.Note"),
        ("urn:content-class:custom.Expense", "IPM.Note.Custom.Expense"),
        ("urn:content-class:custom.Bad\\Class", "IPM.Note"),
        ("missedcall", "IPM.Note.Microsoft.Missed.Voice"),
    ],
)
def test_content_classes(header: str, message_class: str) -> None:
    assert made(f"Content-Class: {header}\n\nx").props[tags.PidTagMessageClass] == message_class


def test_a_clear_signed_message_keeps_its_entity_and_shows_its_body() -> None:
    text = (
        'Subject: s\nContent-Type: multipart/signed; protocol="application/pkcs7-signature";'
        "\n micalg=sha-256; boundary=b\n\n--b\nContent-Type: text/plain\n\nsigned text\n--b\n"
        "Content-Type: application/pkcs7-signature; name=smime.p7s\n"
        "Content-Transfer-Encoding: base64\n\nAAAA\n"
        "--b--\n"
    )
    message = made(text)
    assert message.props[tags.PidTagMessageClass] == "IPM.Note.SMIME.MultipartSigned"
    assert message.props[tags.PidTagBody] == "signed text"
    (attachment,) = message.attachments
    assert attachment.props[tags.PidTagAttachMimeTag] == "multipart/signed"
    data = _data(attachment)
    assert data.startswith(b"Content-Type: multipart/signed;")
    assert data.endswith(crlf(text).split(b"\r\n\r\n", 1)[1])
    assert email.message_from_bytes(data).get_content_type() == "multipart/signed"


def test_real_signed_and_encrypted_mail() -> None:
    folder = shared_path("corpus", "mimekit", "smime")
    data = (folder / "thunderbird-signed.txt").read_bytes()
    message = to_object(*at_hand(data))
    assert message.props[tags.PidTagMessageClass] == "IPM.Note.SMIME.MultipartSigned"
    assert len(message.attachments) == 1
    opaque = crlf("Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m\n"
                  "Content-Transfer-Encoding: base64\n\nMIAG\n")  # fmt: skip
    secret = to_object(*at_hand(opaque))
    assert secret.props[tags.PidTagMessageClass] == "IPM.Note.SMIME"
    assert tags.PidTagBody not in secret.props
    assert _data(secret.attachments[0]) == bytes.fromhex("308006")


@pytest.mark.parametrize(("name", "data"), samples(), ids=[name for name, _ in samples()])
def test_real_mail_has_the_attachments_that_another_parser_finds(name: str, data: bytes) -> None:
    message = to_object(*at_hand(data))
    judge = email.message_from_bytes(data, policy=email.policy.default)
    assert isinstance(judge, EmailMessage)
    if message.props[tags.PidTagMessageClass] != "IPM.Note" or judge.defects:
        return
    mine = {_data(a).replace(b"\r\n", b"\n") for a in message.attachments if a.content is not None}
    for part in _leaves(judge):
        if part.get_content_disposition() != "attachment" or part.get_content_maintype() in (
            "message",
            "text",
        ):
            continue
        payload = part.get_payload(decode=True)
        if isinstance(payload, bytes) and not part.defects:
            assert payload.replace(b"\r\n", b"\n") in mine, (name, part.get_filename())


def _leaves(message: EmailMessage) -> list[EmailMessage]:
    if message.get_content_type() == "multipart/appledouble" or message.get_content_maintype() == "message":
        return []
    if not message.is_multipart():
        return [message]
    return [leaf for part in message.iter_parts() if isinstance(part, EmailMessage) for leaf in _leaves(part)]


_PIECES = st.sampled_from(
    [b"Content-Type: multipart/mixed; boundary=b\r\n", b"--b\r\n", b"--b--\r\n", b"\r\n", b"text\r\n",
     b"Content-Type: message/rfc822\r\n", b"Content-Type: text/html; charset=x\r\n", b"<img src=cid:a>\r\n",
     b"Content-Type: multipart/related; boundary=b\r\n", b"Content-ID: <a>\r\n",
     b"Content-Type: image/png\r\n",
     b"Content-Transfer-Encoding: base64\r\n", b"Content-Type: multipart/alternative; boundary=b\r\n",
     b"Content-Type: multipart/report; boundary=b\r\n", b"Content-Type: message/delivery-status\r\n",
     b"Action: failed\r\n", b"Final-Recipient: rfc822;a@b\r\n", b"From: a <b@c>\r\n", b"\xff\xfe\x00\r\n",
     b"Content-Type: multipart/appledouble; boundary=b\r\n",
     b"Content-Disposition: attachment; filename=\r\n",
     b"Content-Type: multipart/signed; boundary=b; protocol=application/pkcs7-signature\r\n",
     b"Content-Type: message/external-body; access-type=url; url=x\r\n", b"Content-Type: text/calendar\r\n"]
)  # fmt: skip


@settings(deadline=None, max_examples=200)
@given(st.lists(_PIECES | st.binary(max_size=20), max_size=40))
def test_nothing_that_looks_like_mail_raises(pieces: list[bytes]) -> None:
    started = time.process_time()
    message = to_object(*at_hand(b"".join(pieces)))
    for attachment in message.attachments:
        if attachment.content is not None:
            attachment.content.read(0, 1 << 20)
    assert time.process_time() - started < 5
