"""Mail with winmail.dat."""

import base64
from uuid import UUID

import pytest

from appliance.convert import registry
from appliance.convert.mime.derive import derive
from appliance.convert.mime.object import to_object
from appliance.convert.registry import Mime, Stored
from appliance.formats import lzfu, tnef
from appliance.mapi import tags
from appliance.mapi.names import PropertyName
from appliance.mapi.objects import AttachmentObject, BytesContent, MessageObject
from appliance.mapi.types import PtypInteger32
from tests.convert.mime.kit import at_hand, crlf

COMMON = UUID("00062008-0000-0000-C000-000000000046").bytes_le
DELTA = (PropertyName(COMMON, 0x8501), PtypInteger32)


def mail(inner: MessageObject, header: str = "") -> bytes:
    data = base64.encodebytes(tnef.encode(inner)).decode()
    return crlf(
        f"From: ben@example.test\nSubject: Plans\n{header}Content-Type: multipart/mixed; boundary=x\n\n"
        "--x\nContent-Type: text/plain\n\nplain text\n"
        '--x\nContent-Type: application/ms-tnef; name="winmail.dat"\nContent-Transfer-Encoding: base64\n\n'
        f"{data}--x--\n"
    )


def meeting(**more: object) -> MessageObject:
    return MessageObject(
        {
            tags.PidTagMessageClass: "IPM.Schedule.Meeting.Request",
            tags.PidTagSubject: "forged",
            tags.PidTagSenderEmailAddress: "boss@example.test",
            tags.PidTagEntryId: b"forged",
            tags.PidTagStartDate: 133_000_000_000_000_000,
            tags.PidTagTnefCorrelationKey: b"<1@example.test>\0",
            tags.PidTagRtfCompressed: lzfu.compress(b"{\\rtf1\\ansi rich \\b text\\b0}"),
        },
        {DELTA: 15},
        attachments=[
            AttachmentObject(
                {tags.PidTagAttachMethod: 1, tags.PidTagAttachLongFilename: "a.bin"},
                content=BytesContent(b"abc"),
            )
        ],
    )


def test_properties_come_along() -> None:
    scan, read = at_hand(mail(meeting(), "X-MS-TNEF-Correlator: <1@example.test>\n"))
    derived = derive(scan, read)
    assert derived.message_class == "IPM.Schedule.Meeting.Request"
    assert derived.named[DELTA] == 15
    assert derived.has_attachments
    props = derived.props
    assert props[tags.PidTagStartDate] == 133_000_000_000_000_000
    assert props[tags.PidTagSubject] == "Plans"
    assert props[tags.PidTagSenderEmailAddress] == "ben@example.test"
    assert tags.PidTagEntryId not in props
    made = to_object(scan, read)
    (attachment,) = made.attachments
    assert attachment.props[tags.PidTagAttachLongFilename] == "a.bin"
    assert attachment.content is not None
    assert attachment.content.read(0, 10) == b"abc"
    stored = Stored(derived.props.get, Mime(scan, read))
    assert registry.compute(stored, tags.PidTagNativeBody) == 2
    assert registry.compute(stored, tags.PidTagBody) == "plain text"
    assert "rich <b>text</b>" in str(registry.compute(stored, tags.PidTagBodyHtml))


@pytest.mark.parametrize("name", ["IPM.Rule.Message", "IPM.Configuration.X", "x" * 10, "IPM." + "y" * 200])
def test_classes_that_mail_cannot_have(name: str) -> None:
    scan, read = at_hand(mail(MessageObject({tags.PidTagMessageClass: name})))
    assert derive(scan, read).message_class == "IPM.Note"


def test_that_of_another_message_is_a_file() -> None:
    scan, read = at_hand(mail(meeting(), "X-MS-TNEF-Correlator: <2@example.test>\n"))
    assert derive(scan, read).message_class == "IPM.Note"
    (attachment,) = to_object(scan, read).attachments
    assert attachment.props[tags.PidTagAttachLongFilename] == "winmail.dat"


def test_a_damaged_one_is_a_file() -> None:
    data = mail(meeting()).replace(b"eJ8+", b"AAAA")
    scan, read = at_hand(data)
    assert len(to_object(scan, read).attachments) == 1
    assert derive(scan, read).has_attachments
