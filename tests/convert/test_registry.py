"""Computed properties."""

from appliance.convert import registry
from appliance.convert.mime.derive import PidTagPreview, derive
from appliance.convert.registry import Mime, Stored, compute
from appliance.formats import lzfu, rtf
from appliance.mapi import tags
from appliance.mapi.names import PS_INTERNET_HEADERS, PS_MAPI, PropertyName
from tests.convert.mime.kit import at_hand, crlf

HTML = crlf("Subject: s\nX-Thing: v\nContent-Type: text/html; charset=windows-1252\n\n<p>Gr\u00fcn</p>\n")


def stored(data: bytes) -> Stored:
    """A delivered message."""
    scan, read = at_hand(data)
    return Stored(derive(scan, read).props.get, Mime(scan, read))


def test_bodies_are_made_from_each_other() -> None:
    plain = stored(crlf("Content-Type: text/plain\n\na < b\nc\n"))
    assert compute(plain, tags.PidTagBody) == "a < b\r\nc\r\n"
    rich = compute(plain, tags.PidTagHtml)
    assert isinstance(rich, bytes)
    assert b"a &lt; b<br>" in rich
    html = stored(HTML.replace("\u00fc".encode(), b"\xfc"))
    assert compute(html, tags.PidTagBody) == "Gr\u00fcn"
    assert compute(html, tags.PidTagHtml) == b"<p>Gr\xfcn</p>\r\n"
    assert compute(html, tags.PidTagBodyHtml) == "<p>Gr\u00fcn</p>\r\n"


def test_headers_size_and_preview() -> None:
    message = stored(HTML)
    headers = compute(message, tags.PidTagTransportMessageHeaders)
    assert isinstance(headers, str)
    assert headers.startswith("Subject: s\r\n")
    assert compute(message, PidTagPreview)
    assert registry.named(message, PropertyName(PS_INTERNET_HEADERS, "x-thing")) == "v"
    assert registry.named(message, PropertyName(PS_INTERNET_HEADERS, "x-none")) is None
    assert registry.named(message, PropertyName(PS_MAPI, "x-thing")) is None


def test_messages_born_without_mime_convert_what_they_have() -> None:
    message = Stored({tags.PidTagHtml: b"<p>Hi</p>", tags.PidTagInternetCodepage: 65001}.get)
    assert compute(message, tags.PidTagBody) == "Hi"
    assert compute(message, PidTagPreview) == "Hi"
    assert compute(Stored({tags.PidTagBody: "x"}.get), tags.PidTagSubject) is None
    assert compute(Stored({}.get), tags.PidTagBody) is None


def test_a_scan_that_was_stored_serves_as_well() -> None:
    scan, read = at_hand(HTML)
    again = Stored({}.get, Mime(type(scan).unpack(scan.pack()), read))
    assert (
        compute(again, tags.PidTagTransportMessageHeaders) == HTML.split(b"\r\n\r\n")[0].decode() + "\r\n\r\n"
    )
    assert compute(again, tags.PidTagBody)


def test_the_native_body_is_told() -> None:
    """MS-OXCMSG 2.2.1.58.2"""
    bodies = {
        0: {},
        1: {tags.PidTagBody: "x"},
        2: {tags.PidTagRtfCompressed: b"x", tags.PidTagBody: "x"},
        3: {tags.PidTagHtml: b"x", tags.PidTagBody: "x", tags.PidTagRtfCompressed: b"x"},
    }
    for native, bag in bodies.items():
        assert compute(Stored(bag.get), tags.PidTagNativeBody) == native
        assert compute(Stored(bag.get), tags.PidTagRtfInSync) is (native == 2)
    synced = {**bodies[3], tags.PidTagRtfInSync: True}
    assert compute(Stored(synced.get), tags.PidTagNativeBody) == 2
    assert compute(stored(HTML), tags.PidTagNativeBody) == 3


def test_html_comes_in_the_code_page_that_the_message_tells() -> None:
    message = stored(crlf("Content-Type: text/html; charset=us-ascii\n\n<p>Gr\u00fcn</p>\n"))
    page, rich = compute(message, tags.PidTagInternetCodepage), compute(message, tags.PidTagHtml)
    assert page == 20127
    assert isinstance(rich, bytes)
    assert rich.isascii()


def test_rtf_is_one_of_the_bodies() -> None:
    rich = lzfu.compress(b"{\\rtf1\\ansi Gr\\'fcn \\b fett\\b0\\par}")
    native = Stored({tags.PidTagRtfCompressed: rich}.get)
    assert compute(native, tags.PidTagBody) == "Gr\u00fcn fett"
    assert "<b>fett</b>" in str(compute(native, tags.PidTagBodyHtml))
    made = compute(native, tags.PidTagHtml)
    assert isinstance(made, bytes)
    assert "Gr\u00fcn".encode() in made
    assert compute(native, tags.PidTagRtfCompressed) == rich
    for message, expected in (
        (stored(HTML.replace("\u00fc".encode(), b"\xfc")), "<p>Gr\u00fcn</p>\r\n"),
        (Stored({tags.PidTagBody: "a < b"}.get), "a < b"),
    ):
        packed = compute(message, tags.PidTagRtfCompressed)
        assert isinstance(packed, bytes)
        inside = lzfu.decompress(packed)
        assert (rtf.to_html(inside) if "<p>" in expected else rtf.to_text(inside)) == expected
    damaged = Stored({tags.PidTagRtfCompressed: b"nonsense"}.get)
    assert compute(damaged, tags.PidTagBody) is None
    assert compute(damaged, tags.PidTagRtfCompressed) == b"nonsense"


def test_a_body_that_is_too_long_is_shown_in_its_own_form_alone() -> None:
    page = b"<p>" + b"x" * registry.MAX_MADE + b"</p>"
    known = {tags.PidTagHtml: page, tags.PidTagInternetCodepage: 65001}
    stored = registry.Stored(known.get)
    assert registry.COMPUTED[tags.PidTagHtml](stored) == page
    assert registry.COMPUTED[tags.PidTagBody](stored) is None
    assert registry.COMPUTED[tags.PidTagRtfCompressed](stored) is None
    text = registry.Stored({tags.PidTagBody: "x" * (registry.MAX_MADE + 1)}.get)
    assert registry.COMPUTED[tags.PidTagHtml](text) is None
    assert registry.COMPUTED[tags.PidTagRtfCompressed](text) is None


def test_a_body_that_is_too_long_is_native_and_makes_no_others() -> None:
    message = Stored({}.get, beyond={tags.PidTagBody})
    assert compute(message, tags.PidTagNativeBody) == registry.NATIVE_PLAIN
    assert compute(message, tags.PidTagHtml) is None
    assert compute(message, tags.PidTagRtfCompressed) is None
