"""Fuzz target of POP3: lines into the state machine, messages through the stuffer."""

from array import array
from collections.abc import Iterable

from appliance.protocols.pop3.commands import COMMANDS
from appliance.protocols.pop3.maildrop import Maildrop
from appliance.protocols.pop3.session import (
    BeginSasl,
    CheckPassword,
    GoOnSasl,
    Offer,
    Say,
    Send,
    Session,
    StartTls,
    Update,
)
from appliance.protocols.pop3.stuffing import Stuffer
from tests.fuzz.runner import Target

_OFFER = Offer(can_stls=True, plain=True, mechanisms=("NTLM", "PLAIN", "LOGIN"))


def _maildrop() -> Maildrop:
    numbers = array("Q", [3, 4, 9])
    return Maildrop(1, 2, 3, numbers, numbers, numbers)


def session(data: bytes) -> None:
    """Every response is one or more whole lines; no line makes the machine fail or forget its state."""
    machine = Session(COMMANDS, lambda: _OFFER)
    for line in data.splitlines(keepends=True):
        event = machine.line(line)
        if isinstance(event, CheckPassword):
            event = machine.opened(_maildrop())
        elif isinstance(event, BeginSasl):
            event = machine.challenge(b"x")
        elif isinstance(event, GoOnSasl):
            event = machine.opened(_maildrop()) if event.response else machine.refused(b"-ERR no\r\n")
        elif isinstance(event, StartTls):
            machine.tls_started()
        elif isinstance(event, Send):
            assert machine.maildrop.exists(event.number)
        if isinstance(event, Update):
            return
        if isinstance(event, Say):
            assert event.data.endswith(b"\r\n")
            assert event.data[:1] in (b"+", b"-")
            if event.close:
                return


def stuffing(data: bytes) -> None:
    """Whatever a message holds, only the end ends the response, and pieces do not matter."""
    lines = None if not data or data[0] & 1 else data[0] >> 1
    whole, pieces = Stuffer(lines), Stuffer(lines)
    response = whole.feed(data) + whole.finish()
    step = 1 + len(data) // 7
    parts = [pieces.feed(data[begin : begin + step]) for begin in range(0, len(data), step)]
    assert b"".join(parts) + pieces.finish() == response
    assert response.endswith(b".\r\n")
    assert b"\n.\r\n" not in response[:-3]
    assert b"\n.\n" not in response


def _sessions() -> Iterable[bytes]:
    yield b"CAPA\r\nUSER anna\r\nPASS x y\r\nSTAT\r\nLIST\r\nLIST 2\r\nUIDL\r\nUIDL 1\r\nTOP 2 10\r\n"
    yield b"AUTH PLAIN AGEAYg==\r\nQQ==\r\nDELE 1\r\nRETR 1\r\nRSET\r\nNOOP\r\nLANG en\r\nQUIT\r\n"
    yield b"AUTH\r\nAUTH NTLM\r\n*\r\nSTLS\r\nUTF8\r\nLANG\r\nAPOP a b\r\nAUTH LOGIN =\r\n=\r\n"


def _messages() -> Iterable[bytes]:
    yield b"A: b\r\n\r\n.\r\n..\r\nbody\r\n.end"
    yield b"\x02Subject: x\n\n.\n.\r\n\r\n"


POP3_TARGETS = (
    Target("pop3.session", session, _sessions, errors=()),
    Target("pop3.stuffing", stuffing, _messages, errors=()),
)
