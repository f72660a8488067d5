"""Fuzz targets of the MIME codec: both scanners on the same bytes, field bodies, bodies, packed tables."""

from appliance.formats.mime import Scan, _native, bodystructure, envelope, reference
from appliance.formats.mime.addresses import Group, parse_addresses
from appliance.formats.mime.bodies import decode_body
from appliance.formats.mime.charsets import decode
from appliance.formats.mime.content import parse_content_type
from appliance.formats.mime.dates import parse_date
from appliance.formats.mime.headers import bodies, bodies_of, message_ids
from appliance.formats.mime.limits import DEFAULT_LIMITS
from appliance.formats.mime.scan import limits_as_numbers
from appliance.formats.mime.words import decode_words
from tests.formats.mime.corpus import AWKWARD, real_files
from tests.formats.mime.imaptext import read_all
from tests.fuzz.runner import Target

NUMBERS = limits_as_numbers(DEFAULT_LIMITS)
SMALL = 10_000
FIELDS = (
    b"=?utf-8?q?=C3=A4?= =?iso-8859-1?b?5A==?= x", b'A "B" <a@b>, g: c@d;, <@x:e@f> (c)', b"<a@b> <c@d>",
    b"Fri, 21 Nov 1997 09:55:06 -0600", b"text/plain; charset=x; name*0*=utf-8'en'%41; name*1=\"b\"",
)  # fmt: skip


def scan_both(data: bytes) -> None:
    """One table from both scanners, and IMAP text of it that a reader of IMAP takes."""
    whole = _native.scan(data, *NUMBERS)
    cut = reference.Scanner(*NUMBERS)
    for at in range(0, len(data), 61):
        cut.feed(data[at : at + 61])
    assert cut.finish() == whole
    result = Scan(*whole)
    if len(result) < 90:
        read_all(envelope(result))
        read_all(bodystructure(result))


def read_field(value: bytes) -> None:
    """A field body by every reader of field bodies."""
    decode_words(value)
    parse_date(value)
    message_ids(value)
    for parameter in parse_content_type(value).parameters:
        assert isinstance(parameter.text, str)
    for item in parse_addresses(value):
        assert isinstance(item.text, str)
        for mailbox in item.members if isinstance(item, Group) else (item,):
            assert isinstance(mailbox.address, str)


def read_body(data: bytes) -> None:
    """A body by every transfer decoder, as text of some charset."""
    for encoding in ("base64", "quoted-printable", "x-uue"):
        decode_body(data, encoding)
    for charset in ("utf-8", "iso-2022-jp", "gb2312", "utf-7", "x-unknown"):
        assert isinstance(decode(data, charset), str)


def read_table(data: bytes) -> None:
    """A packed structure table: its twins read the same, or the same table is refused."""
    found = Scan.unpack(data)
    entries = _native.parts(data)
    assert found.parts
    assert entries is None or entries == found.entries()


def read_block(data: bytes) -> None:
    """A header block by both readers of fields."""
    assert bodies(data) == bodies_of(data)


def messages() -> list[bytes]:
    """Seeds."""
    return [*AWKWARD.values(), *(d for d in (path.read_bytes() for path in real_files()) if len(d) < SMALL)]


MIME_TARGETS = (
    Target("mime-scan", scan_both, messages, ()),
    Target("mime-field", read_field, lambda: FIELDS, ()),
    Target("mime-block", read_block, messages, ()),
    Target("mime-body", read_body, messages, ()),
    Target("mime-table", read_table, lambda: [_native.scan(data, *NUMBERS)[0] for data in messages()]),
)
