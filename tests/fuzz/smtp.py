"""Fuzz targets of SMTP: command lines, DATA cut in any way, line ends, MIME downgraded."""

from collections.abc import Callable

from appliance.protocols.smtp.data import DotDecoder
from appliance.protocols.smtp.grammar import (
    Malformed,
    parse_bdat,
    parse_line,
    parse_mail,
    parse_mailbox,
    parse_rcpt,
)
from appliance.protocols.smtp.headers import HeadReader, authors, fields, mend
from appliance.transport import addresses
from appliance.transport.addresses import Address
from appliance.transport.downgrade import Downgrader
from appliance.transport.lines import DotEncoder, has_bare
from tests.fuzz.runner import Target

LINES = (
    b"MAIL FROM:<a@b.test> SIZE=10 BODY=8BITMIME SMTPUTF8 RET=FULL ENVID=a+2Bb AUTH=<>",
    b'RCPT TO:<@x,@y:"a\\"b c"@[IPv6:::1]> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;x+40y',
    b"RCPT TO:<gr\xc3\xbcn@b\xc3\xbccher.test> ORCPT=utf-8;a\\x{E4}",
    b"BDAT 86 LAST", b"VRFY <postmaster>", b"MAIL FROM:<>", b"EHLO [127.0.0.1]",
)  # fmt: skip
MAIL = b"From: a\r\nBcc: b\r\n x\r\nReceived: by c\r\n\r\n.\r\n..\r\n\r\n.\r\nQUIT\r\n"
MIME = (
    b'Content-Type: multipart/mixed; boundary="x"\r\nContent-Transfer-Encoding: 8bit\r\n\r\n'
    b"--x\r\n\r\n\xe4\r\n--x\r\nContent-Transfer-Encoding: binary\r\n\r\n\0\n\r\n"
    b"--x\r\nContent-Type: message/rfc822\r\n\r\nA: b\r\n\r\n\xff\r\n--x--\r\n"
)
READERS: tuple[Callable[[str], Address | None], ...] = (
    lambda text: parse_mail(text, extended=True).sender,
    lambda text: parse_mail(text, extended=False).sender,
    lambda text: parse_rcpt(text, extended=True, smtputf8=True).recipient,
    parse_mailbox,
    lambda text: parse_bdat(text) and None,
)


def read_command(data: bytes) -> None:
    """A command line by every reader of arguments; what is read as an address is written and read again."""
    line = parse_line(data)
    for read in READERS:
        try:
            address = read(line.argument)
        except Malformed:
            continue
        if address is not None and address.domain:
            assert addresses.parse(str(address)) == address
            addresses.decode_xtext(addresses.encode_xtext(str(address)))


def read_data(data: bytes) -> None:
    """DATA whole and in pieces gives the same; what is sent again arrives the same and has no end within."""
    whole = DotDecoder(mend=False)
    text = whole.feed(data)
    pieces, parts = DotDecoder(mend=False), []
    step = 1 + len(data) % 7
    for at in range(0, len(data), step):
        parts.append(pieces.feed(data[at : at + step]))
        if pieces.ended:
            assert pieces.rest + data[at + step :] == whole.rest
            break
    assert (pieces.ended, b"".join(parts)) == (whole.ended, text)
    encoder = DotEncoder()
    sent = encoder.feed(data) + encoder.end()
    assert not has_bare(sent)
    again = DotDecoder(mend=False)
    again.feed(sent + b".\r\nNOOP\r\n")
    assert again.ended
    assert again.rest == b"NOOP\r\n"


def read_head(data: bytes) -> None:
    """A header section, mended: no Bcc is left."""
    reader = HeadReader(hold=True)
    reader.feed(data)
    reader.end()
    found = fields(reader.head)
    authors(found)
    mended = fields(mend(found, sender="a@b", behalf="", date="today", message_id="<1@b>"))
    assert not {b"bcc", b"return-path"} & {name for name, _ in mended}


def read_mime(data: bytes) -> None:
    """A message downgraded in pieces: the same as whole."""
    whole, cut = Downgrader(), Downgrader()
    first = whole.feed(data) + whole.end()
    pieces = [cut.feed(data[at : at + 13]) for at in range(0, len(data), 13)]
    assert b"".join(pieces) + cut.end() == first


SMTP_TARGETS = (
    Target("smtp-command", read_command, lambda: LINES, (Malformed,)),
    Target("smtp-data", read_data, lambda: (MAIL,), ()),
    Target("smtp-head", read_head, lambda: (MAIL,), ()),
    Target("smtp-downgrade", read_mime, lambda: (MIME,), ()),
)
