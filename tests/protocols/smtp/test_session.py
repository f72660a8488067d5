"""The protocol itself, over raw sockets: order, pipelining, chunks, line ends, smuggling, TLS, abuse."""

import ssl
import time

import pytest

from appliance.net.limits import Limits
from appliance.protocols.smtp import replies
from appliance.protocols.smtp.commands import COMMANDS
from appliance.protocols.smtp.session import MAX_ERRORS
from tests.protocols.smtp.conftest import Served
from tests.transport.office import Raw

MAIL = b"From: x@far.test\r\nSubject: Hello\r\n\r\nBody\r\n"


def line(reply: bytes) -> bytes:
    return reply.rstrip(b"\r\n")


def test_what_is_offered(served: Served) -> None:
    raw = served.raw(greeted=False)
    lines = raw.ask("EHLO client.test").split(b"\n")
    words = {text[4:].split(b" ")[0] for text in lines[1:]}
    assert {
        b"SIZE",
        b"8BITMIME",
        b"SMTPUTF8",
        b"PIPELINING",
        b"ENHANCEDSTATUSCODES",
        b"DSN",
        b"CHUNKING",
        b"BINARYMIME",
        b"LIMITS",
        b"STARTTLS",
        b"AUTH",
        b"HELP",
    } == words
    assert raw.ask("EHLO").startswith(b"250-")  # MS-SMTPNTLM 2.2.1.9
    assert raw.ask("HELO client.test") == b"250 mail.example.test"
    assert raw.ask("HELO") == line(replies.SYNTAX)


def test_order_of_commands(served: Served) -> None:
    served.office.user("anna@example.test")
    raw = served.raw(greeted=False)
    assert raw.ask("MAIL FROM:<a@b.test>") == line(replies.NEED_HELO)
    raw.ask("EHLO x")
    assert raw.ask("RCPT TO:<anna@example.test>") == line(replies.NEED_MAIL)
    assert raw.ask("DATA") == line(replies.NEED_MAIL)
    raw.ask("MAIL FROM:<a@b.test>")
    assert raw.ask("DATA") == line(replies.NEED_RCPT)
    assert raw.ask("MAIL FROM:<a@b.test>") == line(replies.NESTED_MAIL)
    raw.ask("RCPT TO:<anna@example.test>")
    assert raw.ask("DATA now") == line(replies.SYNTAX)
    assert raw.ask("RSET") == line(replies.OK)
    assert raw.ask("RCPT TO:<anna@example.test>") == line(replies.NEED_MAIL)
    raw.ask("MAIL FROM:<a@b.test>")
    raw.ask("EHLO again")  # RFC 5321 4.1.4: as RSET
    assert raw.ask("RCPT TO:<anna@example.test>") == line(replies.NEED_MAIL)
    assert raw.ask("VRFY anna") == line(replies.VRFY)
    assert raw.ask("EXPN all") == line(replies.EXPN_REFUSED)
    assert raw.ask("NOOP anything") == line(replies.OK)
    assert raw.ask("XYZZY") == line(replies.UNKNOWN_COMMAND)
    assert raw.ask("QUIT") == line(replies.BYE)
    assert raw.line() == b""


def test_help_names_every_command(served: Served) -> None:
    raw = served.raw()
    text = raw.ask("HELP").decode()
    for name in COMMANDS:
        assert name in text
        assert raw.ask(f"HELP {name}").startswith(b"214 2.0.0 ")
    assert raw.ask("HELP XYZZY") == line(replies.SYNTAX)


@pytest.mark.parametrize(
    ("command", "reply"),
    [
        ("MAIL FROM:a@b.test", replies.SENDER_OK),
        ("MAIL FROM: <a@b.test>", replies.SENDER_OK),
        ("mail from:<>", replies.SENDER_OK),
        ('MAIL FROM:<"a b"@c.test> size=5', replies.SENDER_OK),
        ("MAIL FROM:<a@[192.0.2.1]>", replies.SENDER_OK),
        ("MAIL FROM:<a@[IPv6:2001:db8::1]>", replies.SENDER_OK),
        ("MAIL FROM:<grün@b.test> SMTPUTF8", replies.SENDER_OK),
        ("MAIL FROM:<grün@b.test>", replies.NEEDS_SMTPUTF8),
        ("MAIL FROM:<a@b.test> AUTH=<>", replies.SENDER_OK),
        ("MAIL FROM:<a@b.test> BODY=7BIT RET=FULL ENVID=x", replies.SENDER_OK),
        ("MAIL TO:<a@b.test>", replies.SYNTAX),
        ("MAIL FROM:<a@b.test", replies.BAD_SENDER),
        ("MAIL FROM:<a b@c.test>", replies.BAD_SENDER),
        ("MAIL FROM:<a@b..test>", replies.BAD_SENDER),
        ("MAIL FROM:<a@[300.1.1.1]>", replies.BAD_SENDER),
        ('MAIL FROM:<"a@b.test>', replies.BAD_SENDER),
        ("MAIL FROM:<" + "a" * 65 + "@b.test>", replies.BAD_SENDER),
        ("MAIL FROM:<a@b.test>SIZE=5", replies.SYNTAX),
        ("MAIL FROM:<a@b.test> SIZE=", replies.SYNTAX),
        ("MAIL FROM:<a@b.test> SIZE=5 SIZE=6", replies.SYNTAX),
        ("MAIL FROM:<a@b.test> BODY=9BIT", replies.SYNTAX),
        ("MAIL FROM:<a@b.test> RET=SOME", replies.SYNTAX),
        ("MAIL FROM:<a@b.test> ENVID=" + "x" * 101, replies.SYNTAX),
        ("MAIL FROM:<a@b.test> ENVID=x+0Dy", replies.SYNTAX),
        ("MAIL FROM:<a@b.test> XYZZY=1", replies.UNKNOWN_PARAMETER),
        ("MAIL FROM:<a@b.test> SMTPUTF8=1", replies.SYNTAX),
    ],
)
def test_senders(served: Served, command: str, reply: bytes) -> None:
    assert served.raw().ask(command) == line(reply)


@pytest.mark.parametrize(
    ("parameters", "reply"),
    [
        ("NOTIFY=NEVER", replies.RECIPIENT_OK),
        ("NOTIFY=SUCCESS,DELAY ORCPT=rfc822;a+2Bb@c.test", replies.RECIPIENT_OK),
        ("ORCPT=utf-8;a\\x{E4}@c.test", replies.RECIPIENT_OK),
        ("NOTIFY=NEVER,SUCCESS", replies.SYNTAX),
        ("NOTIFY=SUCCESS,SUCCESS", replies.SYNTAX),
        ("NOTIFY=", replies.SYNTAX),
        ("ORCPT=a@c.test", replies.SYNTAX),
        ("ORCPT=rfc822;a+4", replies.SYNTAX),
        ("ORCPT=rfc822;" + "a" * 500, replies.SYNTAX),
        ("SIZE=5", replies.UNKNOWN_PARAMETER),
    ],
)
def test_parameters_of_recipients(served: Served, parameters: str, reply: bytes) -> None:
    served.office.user("anna@example.test")
    raw = served.raw()
    raw.ask("MAIL FROM:<a@b.test>")
    assert raw.ask(f"RCPT TO:<anna@example.test> {parameters}") == line(reply)


def test_a_plain_helo_has_no_parameters(served: Served) -> None:
    raw = served.raw(greeted=False)
    raw.ask("HELO x")
    assert raw.ask("MAIL FROM:<a@b.test> SIZE=5") == line(replies.SYNTAX)
    assert raw.ask("MAIL FROM:<a@b.test>") == line(replies.SENDER_OK)


def test_everything_in_one_packet(served: Served) -> None:
    anna = served.office.user("anna@example.test")
    raw = served.raw()
    one = b"MAIL FROM:<a@b.test>\r\nRCPT TO:<anna@example.test>\r\nRCPT TO:<no@example.test>\r\nDATA\r\n"
    raw.send((one + MAIL + b".\r\n") * 3 + b"QUIT\r\n")
    for _ in range(3):
        codes = [raw.reply()[:3] for _ in range(5)]
        assert codes == [b"250", b"250", b"550", b"354", b"250"]
    assert raw.reply() == line(replies.BYE)
    assert len(served.office.mail(anna)) == 3


def test_one_byte_at_a_time(served: Served) -> None:
    anna = served.office.user("anna@example.test")
    raw = served.raw()
    text = (
        b"MAIL FROM:<a@b.test>\r\nRCPT TO:<anna@example.test>\r\nDATA\r\n"
        + MAIL
        + b"..x\r\n.\r\nBDAT 1\r\nQUIT\r\n"
    )
    for at in range(len(text)):
        raw.send(text[at : at + 1])
    codes = [raw.reply()[:3] for _ in range(5)]
    assert codes == [b"250", b"250", b"354", b"250", b"503"]
    assert served.office.mail(anna)[0].endswith(MAIL + b".x\r\n")


SMUGGLED = b"MAIL FROM:<evil@b.test>\r\nRCPT TO:<anna@example.test>\r\nDATA\r\nevil\r\n.\r\n"


@pytest.mark.parametrize(
    "end", [b"\n.\n", b"\r\n.\n", b"\n.\r\n", b"\r.\r", b"\r\n.\r", b"\r.\r\n", b"\n.\r", b"\r\n\0.\r\n"]
)
@pytest.mark.parametrize("pieces", [False, True])
def test_nothing_is_smuggled(served: Served, end: bytes, pieces: bool) -> None:
    anna = served.office.user("anna@example.test")
    raw = served.raw()
    raw.ask("MAIL FROM:<a@b.test>", "RCPT TO:<anna@example.test>", "DATA")
    text = b"Subject: x\r\n\r\nText" + end + SMUGGLED
    if pieces:
        for at in range(len(text)):
            raw.send(text[at : at + 1])
    else:
        raw.send(text)
    reply = raw.reply()
    assert raw.ask("NOOP") == line(replies.OK)  # one reply, not four
    if b"\0" in end:
        assert reply.startswith(b"250 ")
        assert len(served.office.mail(anna)) == 1
    else:
        assert reply == line(replies.BARE_LINE_END)
        assert served.office.mail(anna) == []


def test_a_command_with_a_bare_line_feed_ends_the_session(served: Served) -> None:
    raw = served.raw()
    raw.send(b"NOOP\nMAIL FROM:<a@b.test>\r\n")
    assert raw.reply() == line(replies.BARE_COMMAND)
    assert raw.line() == b""


def test_control_characters_and_long_lines(served: Served) -> None:
    raw = served.raw()
    assert raw.ask(b"MAIL FROM:<a\0b@c.test>") == line(replies.BAD_LINE)
    assert raw.ask(b"MAIL FROM:<a\rb@c.test>") == line(replies.BAD_LINE)
    assert raw.ask(b"MAIL FROM:<a\xff@c.test>") == line(replies.BAD_LINE)
    assert raw.ask(b"NOOP " + b"x" * 5000) == line(replies.LINE_TOO_LONG)
    assert raw.ask(b"NOOP " + b"x" * 500_000) == line(replies.LINE_TOO_LONG)
    assert raw.ask("NOOP") == line(replies.OK)


def test_chunks(served: Served) -> None:
    anna = served.office.user("anna@example.test")
    raw = served.raw()
    envelope = b"MAIL FROM:<a@b.test> BODY=BINARYMIME\r\nRCPT TO:<anna@example.test>\r\n"
    binary = b"Content-Transfer-Encoding: binary\r\n\r\n\r\n.\r\n\0\n\r\xff"
    raw.send(envelope + b"BDAT 10\r\n" + binary[:10] + b"BDAT %d\r\n" % (len(binary) - 10) + binary[10:])
    raw.send(b"BDAT 0 LAST\r\nNOOP\r\n")
    assert [raw.reply()[:3] for _ in range(6)] == [b"250"] * 6
    assert served.office.mail(anna)[0].endswith(binary)
    raw.send(envelope + b"DATA\r\n")
    assert [raw.reply() for _ in range(3)][2] == line(replies.BINARY_NEEDS_BDAT)
    raw.ask("RSET", "MAIL FROM:<a@b.test>", "RCPT TO:<anna@example.test>")
    raw.send(b"BDAT 5\r\nA: b\r")
    raw.reply()
    assert raw.ask("DATA") == line(replies.IN_BDAT)
    assert raw.ask("RCPT TO:<anna@example.test>") == line(replies.IN_BDAT)
    raw.send(b"BDAT 8 LAST\r\n\n\r\nx\ny\r\n")
    assert raw.reply() == line(replies.BARE_LINE_END)
    raw.send(b"BDAT 5 LAST\r\nQUIT\n")  # no transaction: the octets are skipped
    assert raw.reply() == line(replies.NEED_MAIL)
    assert raw.ask("NOOP") == line(replies.OK)
    assert len(served.office.mail(anna)) == 1
    assert raw.ask("BDAT x LAST") == line(replies.SYNTAX)
    assert raw.line() == b""  # what is chunk and what is command cannot be told


def test_ten_gigabytes_announced(served: Served) -> None:
    served.office.user("anna@example.test")
    raw = served.raw()
    raw.ask("MAIL FROM:<a@b.test>", "RCPT TO:<anna@example.test>")
    assert raw.ask("BDAT 10000000000 LAST") == line(replies.TOO_BIG)
    assert raw.line() == b""


def test_a_peer_that_goes_leaves_nothing(served: Served) -> None:
    anna = served.office.user("anna@example.test")
    raw = served.raw()
    raw.ask("MAIL FROM:<a@b.test>", "RCPT TO:<anna@example.test>", "DATA")
    raw.send(b"Subject: x\r\n\r\n" + b"y" * 2_000_000)
    raw.close()
    until = time.monotonic() + 10
    while served.network.connections("smtp") and time.monotonic() < until:
        served.raw()
        served.raws.pop().close()
    assert served.office.mail(anna) == []


def test_errors_end_the_session(served: Served) -> None:
    raw = served.raw()
    for _ in range(MAX_ERRORS - 1):
        raw.ask("XYZZY")
    raw.send(b"XYZZY\r\n")
    assert raw.reply() == line(replies.UNKNOWN_COMMAND)
    assert raw.reply() == line(replies.TOO_MANY_ERRORS)
    assert raw.line() == b""


def test_connections_of_one_address(serve: object) -> None:
    served: Served = serve(limits=Limits(100, 3, 100, 100))  # type: ignore[operator]
    served.office.user("anna@example.test")
    held = [served.raw() for _ in range(3)]
    for raw in held:
        raw.ask("MAIL FROM:<a@b.test>", "RCPT TO:<anna@example.test>")  # settled: not to be pushed out
    late = Raw(served.relay)
    served.raws.append(late)
    assert late.reply() == line(replies.TOO_MANY_CONNECTIONS)


def test_starttls_forgets_what_was_said(served: Served, ssl_context: ssl.SSLContext) -> None:
    served.office.user("anna@example.test")
    raw = served.raw()
    raw.ask("MAIL FROM:<a@b.test>")
    raw.send(b"STARTTLS\r\nRCPT TO:<anna@example.test>\r\nRSET\r\n")  # injected before the handshake
    assert raw.reply() == line(replies.TLS_GO)
    raw.socket = ssl_context.wrap_socket(raw.socket, server_hostname="localhost")
    assert raw.ask("RCPT TO:<anna@example.test>") == line(replies.NEED_HELO)
    ehlo = raw.ask("EHLO x")
    assert b"STARTTLS" not in ehlo
    assert raw.ask("STARTTLS") == line(replies.ALREADY_TLS)
    assert raw.ask("MAIL FROM:<a@b.test>") == line(replies.SENDER_OK)


def test_long_lines_and_empty_messages_pass(served: Served) -> None:
    anna = served.office.user("anna@example.test")
    raw = served.raw()
    for mail in (b"", b"\r\n", b"X: " + b"y" * 100_000 + b"\r\n\r\n" + b"z" * 200_000 + b"\r\n"):
        raw.ask("MAIL FROM:<a@b.test>", "RCPT TO:<anna@example.test>", "DATA")
        raw.send(mail + b".\r\n")
        assert raw.reply().startswith(b"250 "), mail[:10]
        assert served.office.mail(anna)[-1].endswith(b"\r\n" + mail)
