"""The state machine, without a network."""

from array import array

import pytest

from appliance.protocols.pop3 import replies
from appliance.protocols.pop3.commands import COMMANDS
from appliance.protocols.pop3.maildrop import Maildrop
from appliance.protocols.pop3.session import (
    MAX_ERRORS,
    MAX_FAILURES,
    BeginSasl,
    CancelSasl,
    CheckPassword,
    GoOnSasl,
    Offer,
    Say,
    Send,
    Session,
    StartTls,
    State,
    Update,
)

PRIVATE = Offer(can_stls=True, plain=True, mechanisms=("NTLM", "PLAIN", "LOGIN"))
OPEN = Offer(can_stls=True, plain=False, mechanisms=("NTLM",))


def machine(offer: Offer = PRIVATE) -> Session:
    return Session(COMMANDS, lambda: offer)


def drop(sizes: tuple[int, ...] = (10, 20, 30)) -> Maildrop:
    uids = array("Q", range(5, 5 + len(sizes)))
    return Maildrop(1, 2, 0xABC, uids, uids, array("Q", sizes))


def opened(offer: Offer = PRIVATE) -> Session:
    session = machine(offer)
    assert session.opened(drop()) == Say(b"+OK 3 messages (60 octets)\r\n")
    return session


def said(session: Session, line: bytes) -> bytes:
    event = session.line(line + b"\r\n")
    assert isinstance(event, Say)
    assert not event.close
    return event.data


def test_user_and_password_with_blanks() -> None:
    session = machine()
    assert said(session, b"PASS x") == replies.USER_FIRST
    assert said(session, b"user anna@example.test") == replies.SEND_PASSWORD
    assert session.line(b"PASS  two words \r\n") == CheckPassword("anna@example.test", " two words ")
    session.refused(replies.WRONG_CREDENTIALS)
    assert said(session, b"PASS x") == replies.USER_FIRST
    assert "words" not in repr(CheckPassword("a", "two words"))


def test_no_passwords_in_the_open() -> None:
    session = machine(OPEN)
    assert said(session, b"USER anna") == replies.NEEDS_TLS
    assert said(session, b"PASS anna") == replies.NEEDS_TLS
    assert said(session, b"AUTH PLAIN AGEAYg==") == replies.NEEDS_TLS
    assert said(session, b"AUTH CRAM-MD5") == replies.NO_MECHANISM
    assert said(session, b"AUTH") == b"+OK\r\nNTLM\r\n.\r\n"
    assert session.line(b"AUTH ntlm\r\n") == BeginSasl("NTLM", None)


def test_capabilities_follow_the_state() -> None:
    open_lines = said(machine(OPEN), b"CAPA").split(b"\r\n")
    assert b"USER" not in open_lines
    assert b"SASL NTLM" in open_lines
    assert b"STLS" in open_lines
    private = said(machine(), b"CAPA").split(b"\r\n")
    assert {b"USER", b"SASL NTLM PLAIN LOGIN", b"EXPIRE NEVER", b"UTF8 USER", b"LANG"} <= set(private)
    later = said(opened(), b"CAPA").split(b"\r\n")
    assert not {b"USER", b"STLS"} & set(later)
    assert {b"TOP", b"UIDL", b"PIPELINING", b"RESP-CODES", b"AUTH-RESP-CODE"} <= set(later)
    delayed = Session(COMMANDS, lambda: Offer(True, True, (), 60))
    assert b"LOGIN-DELAY 60" in said(delayed, b"CAPA").split(b"\r\n")


def test_an_authentication_exchange() -> None:
    session = machine()
    assert session.line(b"AUTH PLAIN =\r\n") == BeginSasl("PLAIN", b"")
    assert session.line(b"AUTH LOGIN QQ==\r\n") == BeginSasl("LOGIN", b"A")
    assert session.challenge(b"more") == Say(b"+ bW9yZQ==\r\n")
    assert session.line(b"QQ==\r\n") == GoOnSasl(b"A")
    assert session.line(b"*\r\n") == CancelSasl(replies.CANCELLED)
    assert said(session, b"AUTH PLAIN !") == replies.NOT_BASE64
    session.challenge(b"")
    assert session.line(b"not base64\r\n") == CancelSasl(replies.NOT_BASE64)
    session.challenge(b"")
    assert session.too_long() == CancelSasl(replies.TOO_LONG)
    assert not session.in_sasl


def test_tls_makes_the_session_forget() -> None:
    session = machine()
    said(session, b"USER anna")
    said(session, b"UTF8")
    assert session.line(b"STLS\r\n") == StartTls()
    session.tls_started()
    assert said(session, b"PASS x") == replies.USER_FIRST
    assert not session.utf8
    assert said(machine(Offer(False, True, ())), b"STLS") == replies.NO_STLS


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_is_legal_only_in_its_states(name: str) -> None:
    row = COMMANDS[name]
    line = " ".join([name, *["1"] * row.least]).encode()
    if not row.states & State.AUTHORIZATION:
        assert said(machine(), line) == replies.WRONG_STATE
    if not row.states & State.TRANSACTION:
        assert said(opened(), line) == replies.WRONG_STATE
    session = opened() if row.states & State.TRANSACTION else machine()
    assert said(session, line + b" x" * (row.most + 1)) in (
        replies.WRONG_ARGUMENTS,
        replies.NO_SUCH_MESSAGE,
    ) or (name in ("USER", "PASS"))
    if row.least:
        assert said(session, name.encode()) == replies.WRONG_ARGUMENTS


def test_listing_and_deleting() -> None:
    session = opened()
    assert said(session, b"STAT") == b"+OK 3 60\r\n"
    assert said(session, b"LIST") == b"+OK 3 messages (60 octets)\r\n1 10\r\n2 20\r\n3 30\r\n.\r\n"
    assert said(session, b"UIDL 2") == b"+OK 2 abc.6\r\n"
    assert said(session, b"dele 2") == b"+OK message 2 deleted\r\n"
    assert said(session, b"DELE 2") == replies.DELETED
    assert said(session, b"RETR 2") == replies.DELETED
    assert said(session, b"LIST 2") == replies.DELETED
    assert said(session, b"STAT") == b"+OK 2 40\r\n"
    assert said(session, b"UIDL") == b"+OK\r\n1 abc.5\r\n3 abc.7\r\n.\r\n"
    assert said(session, b"RSET") == b"+OK 3 messages (60 octets)\r\n"
    assert said(session, b"LIST 2 ") == b"+OK 2 20\r\n"
    assert said(session, b"NOOP") == replies.OK


@pytest.mark.parametrize("number", [b"0", b"4", b"-1", b"1x", b"99999999999", "١".encode(), b"+1"])
def test_numbers_that_are_no_messages(number: bytes) -> None:
    for command in (b"LIST ", b"UIDL ", b"RETR ", b"DELE "):
        assert said(opened(), command + number) == replies.NO_SUCH_MESSAGE


def test_sending() -> None:
    session = opened()
    assert session.line(b"RETR 3\r\n") == Send(3, None)
    assert session.line(b"TOP 1 0\r\n") == Send(1, 0)
    assert said(session, b"TOP 1 -1") == replies.WRONG_ARGUMENTS
    assert said(session, b"TOP 1") == replies.WRONG_ARGUMENTS


def test_the_end() -> None:
    assert machine().line(b"QUIT\r\n") == Say(replies.BYE, close=True)
    session = opened()
    assert session.line(b"quit\r\n") == Update()
    assert session.state is State.UPDATE


def test_nonsense_is_answered_for_a_while() -> None:
    session = machine()
    for line in (b"", b"\xff\xfe", b"HELO x", b"USER a\x00b", b"NOOP " + b"x" * 600):
        assert said(session, line).startswith(b"-ERR")
    assert session.too_long() == Say(replies.TOO_LONG)
    for _ in range(MAX_ERRORS - 7):
        assert said(session, b"NOPE") == replies.UNKNOWN
    assert session.line(b"NOPE\r\n") == Say(replies.TOO_MANY_ERRORS, close=True)


def test_failed_log_ins_end_the_session() -> None:
    session = machine()
    for _ in range(MAX_FAILURES - 1):
        assert not session.refused(replies.WRONG_CREDENTIALS).close
    assert session.refused(replies.WRONG_CREDENTIALS).close


def test_languages() -> None:
    assert said(machine(), b"LANG") == replies.LANGUAGES
    assert said(opened(), b"LANG *") == replies.LANGUAGE
    assert said(opened(), b"LANG en-GB") == replies.LANGUAGE
    assert said(opened(), b"LANG tlh") == replies.NO_LANGUAGE


def test_apop_says_why_not() -> None:
    assert said(machine(), b"APOP anna 0123") == replies.NO_APOP
