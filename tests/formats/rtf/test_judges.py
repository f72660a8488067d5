"""Other people's programs read what ours writes, and ours reads what theirs write."""

import html

import pytest

from appliance.formats import lzfu, rtf, tnef
from appliance.mapi import tags
from appliance.mapi.objects import AttachmentObject, BytesContent, MessageObject
from tests.formats.rtf.test_rtf import DOCUMENT, OUTLOOK

SOURCES = [
    "<html><body><p>a &amp; b</p><br>\r\nnext {x} \\ y</body></html>",
    "<p>Gr\u00fc\u00dfe \u20ac</p><style>p { color: red }</style><b>bold</b>",
]


@pytest.mark.parametrize("data", [OUTLOOK, DOCUMENT, b"{\\rtf1}" + b"\\par x" * 3000])
def test_another_codec_of_compressed_rtf(data: bytes) -> None:
    judge = pytest.importorskip("compressed_rtf")
    assert judge.decompress(lzfu.compress(data)) == data
    assert judge.decompress(lzfu.store(data)) == data
    for compressed in (True, False):
        assert lzfu.decompress(judge.compress(data, compressed=compressed)) == data


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("source", SOURCES)
def test_another_reader_of_encapsulated_html(source: str) -> None:
    judge = pytest.importorskip("RTFDE.deencapsulate")
    read = judge.DeEncapsulator(rtf.from_html(source))
    read.deencapsulate()
    assert read.content_type == "html"
    got = read.html.decode() if isinstance(read.html, bytes) else read.html
    assert "".join(got.split()) == "".join(source.split())


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_the_same_html_comes_out() -> None:
    judge = pytest.importorskip("RTFDE.deencapsulate")
    read = judge.DeEncapsulator(OUTLOOK)
    read.deencapsulate()
    got = read.html.decode() if isinstance(read.html, bytes) else read.html
    ours, theirs = (
        html.unescape(text).split() for text in (rtf.to_html(OUTLOOK), got)
    )  # entities are one form
    assert "".join(ours) == "".join(theirs)


@pytest.mark.filterwarnings("ignore")
def test_another_reader_of_tnef() -> None:
    judge = pytest.importorskip("tnefparse")
    made = MessageObject(
        {
            tags.PidTagMessageClass: "IPM.Note",
            tags.PidTagSubject: "Gr\u00fc\u00dfe",
            tags.PidTagImportance: 2,
        },
        attachments=[
            AttachmentObject(
                {tags.PidTagAttachLongFilename: "a.bin", tags.PidTagAttachFilename: "a.bin"},
                content=BytesContent(b"content"),
            )
        ],
    )
    read = judge.TNEF(tnef.encode(made), do_checksum=True)
    assert {each.name: each.data for each in read.mapiprops}[tags.PidTagSubject >> 16] == "Gr\u00fc\u00dfe"
    (attachment,) = read.attachments
    assert (attachment.long_filename(), bytes(attachment.data)) == ("a.bin", b"content")
