"""Who may log on, as sessions ask it; the composition root gives the directory's answer."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Account:
    """A user who has shown who it is. `home` is the mailbox that the session opens: the user's own, or the
    delegator's (MS-OXIMAP4 2.2.2)."""

    user: int
    mailbox: int
    home: int
    address: str


class LoginFailed(Exception):
    """A log-on that was refused. `code` is the response code of RFC 5530 (AUTHENTICATIONFAILED,
    AUTHORIZATIONFAILED, UNAVAILABLE, LIMIT); `text` tells a client no more than it may know."""

    def __init__(self, code: bytes, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


@dataclass(frozen=True, slots=True)
class Peer:
    """Where a log-on comes from: the address for throttling; the hash of our certificate where TLS is on
    (RFC 5929 tls-server-end-point)."""

    address: str
    end_point: bytes | None


class NtlmExchange(Protocol):
    """The server's side of one NTLM log-on."""

    def challenge(self, negotiate: bytes) -> bytes:
        """The CHALLENGE for a NEGOTIATE. Raises LoginFailed."""

    async def finish(self, authenticate: bytes) -> Account:
        """Who the AUTHENTICATE shows. Raises LoginFailed."""


class Accounts(Protocol):
    """Checks of passwords and NTLM."""

    @property
    def offers_ntlm(self) -> bool:
        """Whether NTLM is switched on."""

    async def check(self, name: str, password: str, authorize: str, peer: Peer) -> Account:
        """Who this is. `name` may name a delegate and a delegator (MS-OXIMAP4 2.2.2); `authorize` is the
        authorization identity of SASL, empty for the user's own. Raises LoginFailed."""

    def ntlm(self, peer: Peer) -> NtlmExchange:
        """A new NTLM log-on."""
