"""Trace fields and the names that go with them: Received (RFC 5321 4.4, RFC 3848, RFC 6531 4.3), dates,
queue tokens."""

import itertools
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache

from appliance.mapi.times import to_unix

_UNSAFE = re.compile(r"[^!#-'*-\[\]-~]")
_ALPHABET = "0123456789ABCDEFGHJKLMNPQRSTVWXYZ"
MAX_HELO = 255
"""Characters of the peer's greeting that go into the trace."""


class Tokens:
    """Names for messages in logs, replies and Received fields: unique in this process and, by its random
    beginning, very likely among all of them."""

    def __init__(self) -> None:
        self._start = secrets.token_hex(4).upper()
        self._counter = itertools.count(1)

    def next(self) -> str:
        """A new one."""
        number, digits = next(self._counter), ""
        while number:
            number, digit = divmod(number, len(_ALPHABET))
            digits = _ALPHABET[digit] + digits
        return self._start + digits.rjust(4, "0")


@dataclass(frozen=True, slots=True)
class Arrival:
    """How a message came: the peer's greeting and address, what was on."""

    helo: str
    peer: str
    extended: bool
    secure: bool
    authenticated: bool
    smtputf8: bool
    tls: str = ""
    """Version and cipher of TLS, for people."""

    @property
    def protocol(self) -> str:
        """The `with` of Received."""
        if not self.extended:
            return "SMTP"
        name = "UTF8SMTP" if self.smtputf8 else "ESMTP"
        return name + "S" * self.secure + "A" * self.authenticated


def date_field(now: int) -> str:
    """A FILETIME as date-time of RFC 5322 3.3, in UTC."""
    return _date_of(int(to_unix(now) // 1))


@lru_cache(maxsize=16)  # what arrives together has the same second
def _date_of(seconds: int) -> str:
    return format_datetime(datetime.fromtimestamp(seconds, UTC))


def received(arrival: Arrival, hostname: str, token: str, now: int) -> bytes:
    """Our Received field. Recipients are not named: the field is shared by all of them."""
    helo = _UNSAFE.sub("?", arrival.helo[:MAX_HELO])
    peer = f"IPv6:{arrival.peer}" if ":" in arrival.peer else arrival.peer
    tls = f"\r\n\t({arrival.tls})" if arrival.tls else ""
    return (
        f"Received: from {helo} ([{peer}]){tls}\r\n\tby {hostname} with {arrival.protocol} id {token};"
        f"\r\n\t{date_field(now)}\r\n"
    ).encode()


def own_received(hostname: str, token: str, now: int) -> bytes:
    """The Received field of a message that was made here."""
    return f"Received: by {hostname} id {token};\r\n\t{date_field(now)}\r\n".encode()
