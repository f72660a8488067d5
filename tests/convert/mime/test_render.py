"""Message object to MIME, judged by CPython's parser, and the way there and back over real mail."""

import email
import email.policy
from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.convert.mime import addresses, reports
from appliance.convert.mime.addresses import Address
from appliance.convert.mime.derive import PidTagPreview
from appliance.convert.mime.envelope import REPRESENTING, SENDER, set_group
from appliance.convert.mime.fields import Identity, Options, Transfer
from appliance.convert.mime.object import to_object
from appliance.convert.mime.render import render, render_bytes
from appliance.formats import lzfu, rtf
from appliance.mapi import names, tags, times
from appliance.mapi.names import PS_INTERNET_HEADERS, PropertyName
from appliance.mapi.objects import AttachmentObject, BytesContent, MessageObject
from appliance.mapi.types import Bag, PtypString
from tests.convert.mime.kit import at_hand, samples
from tests.convert.mime.test_object import NDR, made

DATE = times.from_unix(1_772_445_600)
IDENTITY = Identity("<made@mail.x.test>", DATE, b"seed", "mail.x.test")


def message(**bodies: str) -> MessageObject:
    """A message from Alice to Bob with the given bodies (plain, html)."""
    result = MessageObject()
    set_group(result.props, REPRESENTING, Address("Alice", "alice@x.test"))
    set_group(result.props, SENDER, Address("Alice", "alice@x.test"))
    result.props[tags.PidTagSubject] = "Hello"
    result.props[tags.PidTagClientSubmitTime] = DATE
    result.recipients.append(reports.recipient_row(Address("Bob", "bob@x.test"), 1))
    if "plain" in bodies:
        result.props[tags.PidTagBody] = bodies["plain"]
    if "html" in bodies:
        result.props[tags.PidTagHtml] = bodies["html"].encode("utf-8")
        result.props[tags.PidTagInternetCodepage] = 65001
    return result


def parsed(made: MessageObject, options: Options | None = None) -> EmailMessage:
    """What CPython's parser sees; lines and characters are checked on the way."""
    data = render_bytes(made, IDENTITY, options)
    if options is None or options.transfer is Transfer.SEVEN_BIT:
        assert data.isascii()
    assert data.count(b"\n") == data.count(b"\r\n")
    assert max(map(len, data.split(b"\r\n"))) <= 998
    result = email.message_from_bytes(data, policy=email.policy.default)
    assert isinstance(result, EmailMessage)
    assert result.defects == []
    return result


def file_of(name: str, data: bytes, kind: str = "application/pdf", **more: str) -> AttachmentObject:
    """An attachment by value."""
    props: Bag = {
        tags.PidTagAttachMethod: 1,
        tags.PidTagAttachLongFilename: name,
        tags.PidTagAttachMimeTag: kind,
    }
    if "content_id" in more:
        props[tags.PidTagAttachContentId] = more["content_id"]
    return AttachmentObject(props=props, content=BytesContent(data))


def test_a_plain_message_is_one_part() -> None:
    result = parsed(message(plain="Grüße\r\nBob"))
    assert result.get_content_type() == "text/plain"
    assert result.get_content() == "Grüße\r\nBob"
    assert result["from"].addresses[0].addr_spec == "alice@x.test"
    assert result["to"].addresses[0].display_name == "Bob"
    assert result["date"].datetime.timestamp() == 1_772_445_600
    assert result["message-id"] == "<made@mail.x.test>"


def test_the_code_page_is_a_preference() -> None:
    body = message(plain="grüße")
    body.props[tags.PidTagInternetCodepage] = 28591
    assert parsed(body).get_content_charset() == "iso-8859-1"
    body.props[tags.PidTagBody] = "日本"
    assert parsed(body).get_content_charset() == "utf-8"


def test_html_comes_with_a_plain_alternative() -> None:
    result = parsed(message(html="<p>One &amp; two</p>"))
    assert result.get_content_type() == "multipart/alternative"
    plain, rich = result.iter_parts()
    assert plain.get_content().strip() == "One & two"
    assert rich.get_content() == "<p>One &amp; two</p>"


def test_rtf_becomes_html() -> None:
    made = MessageObject({tags.PidTagRtfCompressed: lzfu.compress(b"{\\rtf1\\ansi Gr\\'fcn \\b fett\\b0}")})
    mail = parsed(made)
    rich, plain = mail.get_body(("html",)), mail.get_body(("plain",))
    assert rich is not None
    assert "Gr\u00fcn <b>fett</b>" in rich.get_content()
    assert plain is not None
    assert plain.get_content().strip() == "Gr\u00fcn fett"
    made = MessageObject(
        {tags.PidTagRtfCompressed: lzfu.store(rtf.from_text("just text")), tags.PidTagBody: "just text"}
    )
    assert parsed(made).get_content_type() == "text/plain"


def test_pictures_are_related_and_files_are_mixed() -> None:
    made_message = message(html='<img src="cid:pic@x">', plain="pic")
    made_message.attachments += [
        file_of("p.png", b"\x89PNG", "image/png", content_id="pic@x"),
        file_of("Größe.pdf", b"%PDF"),
    ]
    result = parsed(made_message)
    assert result.get_content_type() == "multipart/mixed"
    related, pdf = result.iter_parts()
    assert related.get_content_type() == "multipart/related"
    alternative, picture = related.iter_parts()
    assert alternative.get_content_type() == "multipart/alternative"
    assert picture["content-id"] == "<pic@x>"
    assert picture.get_content() == b"\x89PNG"
    assert pdf.get_filename() == "Größe.pdf"
    assert pdf.get_content_disposition() == "attachment"
    assert pdf.get_content() == b"%PDF"


def test_blind_copies_are_written_only_where_they_may_be() -> None:
    made_message = message(plain="x")
    made_message.recipients.append(reports.recipient_row(Address("", "secret@x.test"), 3))
    assert b"secret" not in render_bytes(made_message, IDENTITY)
    assert parsed(made_message, Options(bcc=True))["bcc"] == "secret@x.test"


def test_senders_on_behalf_and_replies() -> None:
    made_message = message(plain="x")
    set_group(made_message.props, SENDER, Address("Sec", "sec@x.test"))
    made_message.props[tags.PidTagReplyRecipientEntries] = addresses.reply_entries(
        [Address("List, The", "list@x.test"), Address("", "b@x.test")]
    )
    made_message.props[tags.PidTagReadReceiptRequested] = True
    result = parsed(made_message)
    assert result["sender"].address.addr_spec == "sec@x.test"
    assert [a.addr_spec for a in result["reply-to"].addresses] == ["list@x.test", "b@x.test"]
    assert "alice@x.test" in result["disposition-notification-to"]


def test_addresses_of_other_types_are_encapsulated() -> None:
    made_message = message(plain="x")
    made_message.recipients[0] = {
        tags.PidTagRecipientType: 1,
        tags.PidTagAddressType: "EX",
        tags.PidTagEmailAddress: "/o=Org/cn=Bob B",
    }
    address = parsed(made_message)["to"].addresses[0].addr_spec
    assert address == "IMCEAEX-_o=Org_cn=Bob+20B@mail.x.test"
    assert addresses.split_type(address) == ("EX", "/o=Org/cn=Bob B")


def test_envelope_properties_become_fields() -> None:
    made_message = message(plain="x")
    made_message.props |= {
        tags.PidTagImportance: 2,
        tags.PidTagSensitivity: 2,
        tags.PidTagAutoResponseSuppress: 1 | 16,
        tags.PidTagInternetReferences: "<a@x> <b@x>",
        tags.PidTagListUnsubscribe: "<mailto:u@x>",
        tags.PidTagMessageLocaleId: 2055,
    }
    made_message.named[names.PidNameKeywords] = ("Red", "Grün")
    made_message.named[(PropertyName(PS_INTERNET_HEADERS, "X-Thing"), PtypString)] = "kept"
    made_message.named[(PropertyName(PS_INTERNET_HEADERS, "Received"), PtypString)] = "forged"
    result = parsed(made_message)
    assert (result["importance"], result["sensitivity"]) == ("high", "Private")
    assert result["x-auto-response-suppress"] == "DR, OOF"
    assert result["references"] == "<a@x> <b@x>"
    assert result["list-unsubscribe"] == "<mailto:u@x>"
    assert result["content-language"] == "de-CH"
    assert result["keywords"] == "Red, Grün"
    assert result["x-thing"] == "kept"
    assert result["received"] is None


def test_no_property_can_add_a_line_to_the_header() -> None:
    evil = "x\r\nInjected: yes\r\n\r\nbody"
    made_message = message(plain="x")
    for tag in (tags.PidTagSubject, tags.PidTagInternetMessageId, tags.PidTagListHelp,
                tags.PidTagConversationTopic, tags.PidTagSentRepresentingName,
                tags.PidTagSentRepresentingSmtpAddress, tags.PidTagInternetReferences):  # fmt: skip
        made_message.props[tag] = evil
    made_message.recipients[0] |= {tags.PidTagDisplayName: evil, tags.PidTagSmtpAddress: f"a@x{evil}"}
    made_message.named[(PropertyName(PS_INTERNET_HEADERS, "X-A\r\nInjected"), PtypString)] = "y"
    made_message.named[(PropertyName(PS_INTERNET_HEADERS, "X-B"), PtypString)] = evil
    made_message.attachments.append(file_of(evil, b"1", evil, content_id=evil))
    data = render_bytes(made_message, IDENTITY)
    assert b"\nInjected" not in data
    assert email.message_from_bytes(data)["injected"] is None


def test_an_embedded_message_is_a_message() -> None:
    inner = message(plain="inner ü")
    inner.props[tags.PidTagSubject] = "Inner"
    outer = message(plain="outer")
    outer.attachments.append(AttachmentObject(props={tags.PidTagAttachMethod: 5}, embedded=inner))
    result = parsed(outer)
    _, attached = result.iter_parts()
    assert attached.get_content_type() == "message/rfc822"
    assert attached.get_content()["subject"] == "Inner"
    assert attached.get_content()["message-id"] is None
    assert attached.get_content().get_content().strip() == "inner ü"


def test_the_way_decides_the_encoding() -> None:
    made_message = message(plain="grün")
    made_message.attachments.append(file_of("a.bin", bytes(range(256))))
    eight = render_bytes(made_message, IDENTITY, Options(Transfer.EIGHT_BIT))
    assert "grün".encode() in eight
    assert bytes(range(256)) not in eight
    binary = render_bytes(made_message, IDENTITY, Options(Transfer.BINARY))
    assert bytes(range(256)) in binary
    back = to_object(*at_hand(binary))
    content = back.attachments[0].content
    assert content is not None
    assert content.read(0, 999) == bytes(range(256))


def test_big_attachments_are_streamed() -> None:
    class Big:
        size = 40_000_000

        def read(self, offset: int, length: int) -> bytes:
            return b"x" * max(min(length, self.size - offset), 0)

    made_message = message(plain="x")
    attachment = file_of("big.bin", b"")
    attachment.content = Big()
    made_message.attachments.append(attachment)
    largest = total = 0
    for piece in render(made_message, IDENTITY):
        largest = max(largest, len(piece))
        total += len(piece)
    assert total > 50_000_000
    assert largest < 200_000


def test_the_same_input_gives_the_same_bytes() -> None:
    made_message = made(NDR)
    assert render_bytes(made_message, IDENTITY) == render_bytes(made_message, IDENTITY)
    other = Identity("<made@mail.x.test>", DATE, b"other", "mail.x.test")
    assert render_bytes(made_message, IDENTITY) != render_bytes(made_message, other)


def test_a_bounce_is_a_report_again() -> None:
    made_message = made(NDR)
    result = parsed(made_message)
    assert result.get_content_type() == "multipart/report"
    assert result.get_param("report-type") == "delivery-status"
    back = to_object(*at_hand(render_bytes(made_message, IDENTITY)))
    assert back.props[tags.PidTagMessageClass] == "REPORT.IPM.Note.NDR"
    assert back.recipients == made_message.recipients
    assert back.props[tags.PidTagReportingMessageTransferAgent] == "mx.x.test"


@pytest.mark.parametrize("ending", ["IPNRN", "IPNNRN"])
def test_a_receipt_is_a_report(ending: str) -> None:
    receipt = message(plain="Read.")
    receipt.props[tags.PidTagMessageClass] = f"REPORT.IPM.Note.{ending}"
    receipt.props[tags.PidTagOriginalMessageId] = "<o@x>"
    receipt.props[tags.PidTagParentKey] = b"key"
    back = to_object(*at_hand(render_bytes(receipt, IDENTITY)))
    assert back.props[tags.PidTagMessageClass] == receipt.props[tags.PidTagMessageClass]
    assert back.props[tags.PidTagOriginalMessageId] == "<o@x>"
    assert back.props[tags.PidTagParentKey] == b"key"


# What a rendering may add or write in another form.
_FREE = {
    tags.PidTagTransportMessageHeaders, tags.PidTagMessageCodepage, tags.PidTagInternetCodepage,
    PidTagPreview, tags.PidTagConversationIndexTracking, tags.PidTagSenderName, tags.PidTagSenderEntryId,
    tags.PidTagDisplayTo, tags.PidTagDisplayCc, tags.PidTagDisplayBcc, tags.PidTagOriginalDisplayTo,
    tags.PidTagReportTime,
    tags.PidTagOriginalSubmitTime, tags.PidTagMessageFlags,
}  # fmt: skip
_ADDED = {
    tags.PidTagBody, tags.PidTagInternetMessageId, tags.PidTagClientSubmitTime, tags.PidTagConversationIndex,
    tags.PidTagNativeBody,
}  # fmt: skip


def _lines(value: object) -> object:
    if isinstance(value, str):
        return " ".join(value.split())
    return value.replace(b"\r\n", b"\n") if isinstance(value, bytes) else value


def _same(first: MessageObject, second: MessageObject, name: str) -> None:
    for tag in set(first.props) | set(second.props):
        if tag in _FREE or (tag in _ADDED and tag not in first.props):
            continue
        assert _lines(first.props.get(tag)) == _lines(second.props.get(tag)), (name, hex(tag))
    kinds = (tags.PidTagRecipientType, tags.PidTagEmailAddress)
    assert [[row[kind] for kind in kinds] for row in first.recipients] == [
        [row[kind] for kind in kinds] for row in second.recipients
    ]
    assert len(first.attachments) == len(second.attachments)
    for one, other in zip(first.attachments, second.attachments, strict=True):
        for tag in (tags.PidTagAttachMethod, tags.PidTagAttachLongFilename, tags.PidTagAttachContentId,
                    tags.PidTagAttachFlags, tags.PidTagAttachmentHidden):  # fmt: skip
            assert one.props.get(tag) == other.props.get(tag), (name, hex(tag))
        if one.embedded is not None and other.embedded is not None:
            _same(one.embedded, other.embedded, name)
        if one.content is not None and other.content is not None and "signed" not in str(one.props):
            assert _lines(one.content.read(0, 1 << 26)) == _lines(other.content.read(0, 1 << 26)), name


@pytest.mark.parametrize(("name", "data"), samples(), ids=[name for name, _ in samples()])
def test_real_mail_there_and_back(name: str, data: bytes) -> None:
    first = to_object(*at_hand(data))
    written = render_bytes(first, IDENTITY, Options(bcc=True))
    if name == "messages/stack-overflow.txt":
        return  # a field of encoded words without end: its folding joins words
    _same(first, to_object(*at_hand(written)), name)


_TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\r\x00"), max_size=60)


@pytest.mark.slow
@settings(deadline=None, max_examples=100)
@given(_TEXT, _TEXT, _TEXT, st.binary(max_size=200), _TEXT)
def test_any_text_comes_back(subject: str, body: str, rich: str, data: bytes, name: str) -> None:
    made_message = message(plain=body, html=rich)
    made_message.props[tags.PidTagSubject] = subject
    made_message.recipients[0] = reports.recipient_row(Address(name, "bob@x.test"), 1)
    made_message.attachments.append(file_of(name, data))
    back = to_object(*at_hand(render_bytes(made_message, IDENTITY)))
    assert back.props[tags.PidTagBody] == body.replace("\n", "\r\n")
    html = back.props[tags.PidTagHtml]
    assert isinstance(html, bytes)
    assert html.decode().replace("\r\n", "\n") == rich
    assert _words(back.props[tags.PidTagSubject]) == _words(subject)
    content = back.attachments[0].content
    assert content is not None
    assert content.read(0, 999) == data


def _words(text: object) -> str:
    assert isinstance(text, str)
    return "".join(character for character in text if character.isprintable() and character != " ")
