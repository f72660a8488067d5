"""Small helpers of the bad days: send, count, poll."""

import smtplib
import time
from collections.abc import Callable
from pathlib import Path

from tests.served import Served, address, command

PATIENCE = 60.0
"""Seconds that a poll goes on."""


def message(number: int, size: int = 2000) -> bytes:
    """A message whose subject is its number; its bytes do not compress well."""
    line = b"%064x" % (number * 0x9E3779B97F4A7C15F39CC0605CEDC834)
    body = b"\r\n".join(
        line[shift % 64 :] + line[: shift % 64] + b"%d" % shift for shift in range(size // 72)
    )
    return b"From: a@elsewhere.example\r\nSubject: %d\r\n\r\n%s\r\n" % (number, body)


def send(server: Served, number: int, size: int = 2000, who: str = "anna") -> int:
    """Send a message; the code of the answer."""
    with server.smtp() as client:
        client.ehlo()
        for line in ("MAIL FROM:<a@elsewhere.example>", f"RCPT TO:<{address(who)}>"):
            code, _ = client.docmd(line)
            if code != 250:
                return code
        return client.data(message(number, size))[0]


def subjects(server: Served, who: str = "anna", box: str = "INBOX") -> list[int]:
    """The numbers of the messages in a folder."""
    client = server.imap(who)
    try:
        assert client.select(box, readonly=True)[0] == "OK"
        parts = client.fetch("1:*", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")[1]
        return [int(part[1].split()[1]) for part in parts if isinstance(part, tuple)]
    finally:
        client.logout()


def until(condition: Callable[[], bool]) -> None:
    """Ask again and again until it is so."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it does not become so"


def sound(data: Path) -> None:
    """`appliance check` finds nothing."""
    checked = command(data, "check")
    assert checked.returncode == 0, checked.stdout + checked.stderr


def sends(server: Served) -> bool:
    """Whether a relay takes commands at all."""
    try:
        with server.smtp() as client:
            return client.ehlo()[0] == 250
    except (OSError, smtplib.SMTPException):
        return False
