"""SASL (RFC 4422) without input or output: PLAIN, LOGIN and NTLM, for SMTP, IMAP and POP3.

    mechanism = sasl.begin("PLAIN", context)
    step = mechanism.step(initial response, or None)
    while isinstance(step, Challenge): step = mechanism.step(the client's response)
    -> Login, or Failure with the seconds by which to delay the answer

Base64 and the "*" that cancels are the protocol's. A step may compute a verifier: call it on a worker thread.
`MECHANISMS` has a row for each with its legality; `offered` gives the names to announce.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol as TypingProtocol

from appliance.directory import domains
from appliance.directory.authenticate import Authenticator, Failure, Login, Reason
from appliance.directory.model import Entry, Protocol
from appliance.formats.ntlm.server import Denied, Names, NtlmServer
from appliance.wire.errors import DecodeError

MAX_RESPONSE = 12288
"""Bytes of a decoded response, at most (RFC 4954 4: 12288 octets of base64)."""


@dataclass(frozen=True, slots=True)
class Context:
    """The connection that a log-on happens on. `peer`: IP address. `secure`: TLS, or both ends loopback.
    `bindings`: token of the TLS channel (`ntlm.crypto.server_end_point`), None without TLS. `nonce`: 8
    random bytes for this log-on. `now`: FILETIME."""

    authenticator: Authenticator
    protocol: Protocol
    peer: str
    secure: bool
    nonce: bytes
    now: int
    bindings: bytes | None = None


@dataclass(frozen=True, slots=True)
class Challenge:
    """What to send."""

    data: bytes


Step = Challenge | Login | Failure


class Mechanism(TypingProtocol):
    """One log-on under way."""

    def step(self, response: bytes | None) -> Step:
        """Answer the client's next response; None: the client sent no initial one."""


@dataclass(frozen=True, slots=True)
class Row:
    """A mechanism: how it begins, and whether it shows the password to who listens."""

    name: str
    begin: Callable[[Context], Mechanism]
    clear_text: bool


class Plain:
    """PLAIN (RFC 4616): authorization identity, name, password, in one response."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def step(self, response: bytes | None) -> Step:
        """One challenge without content, then the outcome."""
        if response is None:
            return Challenge(b"")
        parts = response.split(b"\0")
        if len(parts) != 3 or not parts[1] or not parts[2] or len(response) > MAX_RESPONSE:
            return Failure(Reason.MALFORMED)
        try:
            owner, name, password = (part.decode() for part in parts)
        except UnicodeDecodeError:
            return Failure(Reason.MALFORMED)
        return _password(self._context, name, password, owner)


class LoginMechanism:
    """LOGIN (MS-XLOGIN 2.2): asks for the name, then for the password."""

    USERNAME = b"Username:"
    PASSWORD = b"Password:"

    def __init__(self, context: Context) -> None:
        self._context = context
        self._name: str | None = None

    def step(self, response: bytes | None) -> Step:
        """Two challenges, or one when the name came as initial response, then the outcome."""
        if response is None:
            return Challenge(self.USERNAME)
        try:
            text = response.decode()
        except UnicodeDecodeError:
            return Failure(Reason.MALFORMED)
        if len(response) > MAX_RESPONSE or "\0" in text or not text:
            return Failure(Reason.MALFORMED)
        if self._name is None:
            self._name = text
            return Challenge(self.PASSWORD)
        return _password(self._context, self._name, text, "")


class Ntlm:
    """NTLM (MS-SMTPNTLM, MS-POP3, MS-OXIMAP4): the three messages of MS-NLMP as they are."""

    def __init__(self, context: Context) -> None:
        self._context = context
        with context.authenticator.store.read() as txn:
            names = server_names(domains.get(txn))
        # A board without a clock must still let people in: any time passes, the nonce stops replays.
        self._server = NtlmServer(
            names,
            challenge=context.nonce,
            now=context.now,
            bindings=context.bindings,
            max_lifetime=None,
            allow_v1=context.secure,
        )
        self._started = False
        self._found: Entry | None = None

    def step(self, response: bytes | None) -> Step:
        """A challenge without content when there is no initial response, the challenge, the outcome."""
        if response is None:
            # deviation: MS-SMTPNTLM 2.2.1.2 has a text here; libraries that hold it to be base64 (gsasl) fail
            return Challenge(b"")
        verdict = self._context.authenticator.throttle.admit(self._context.peer)
        if verdict.blocked:
            return Failure(Reason.BLOCKED, verdict.delay)
        try:
            if not self._started:
                self._started = True
                return Challenge(self._server.start(response))
            identity = self._server.finish(response, self._hash)
        except DecodeError:
            return Failure(Reason.MALFORMED)
        except Denied as denied:
            return self._context.authenticator.failed(denied.user, response, peer=self._context.peer)
        if self._found is None:
            return Failure(Reason.CREDENTIALS)
        return self._context.authenticator.accept(
            self._found,
            "",
            peer=self._context.peer,
            protocol=self._context.protocol,
            name=identity.user,
        )

    def _hash(self, user: str, domain: str) -> bytes | None:
        found = self._context.authenticator.nt_hash(user, domain)
        if found is None:
            return None
        self._found, known = found
        return known


MECHANISMS = (
    Row("NTLM", Ntlm, False),
    Row("PLAIN", Plain, True),
    Row("LOGIN", LoginMechanism, True),
)


def offered(context: Context) -> Iterator[str]:
    """Names of the mechanisms that the connection may use now, the preferred one first."""
    with context.authenticator.store.read() as txn:
        ntlm = domains.get(txn).ntlm
    for row in MECHANISMS:
        if _is_legal(row, context.secure, ntlm):
            yield row.name


def begin(name: str, context: Context) -> Mechanism | Failure | None:
    """A log-on by a mechanism's name; a Failure where it needs encryption first, None for a name that is
    not known or switched off."""
    with context.authenticator.store.read() as txn:
        ntlm = domains.get(txn).ntlm
    for row in MECHANISMS:
        if row.name == name.upper() and _is_legal(row, True, ntlm):
            if not _is_legal(row, context.secure, ntlm):
                return Failure(Reason.NEEDS_TLS)
            return row.begin(context)
    return None


def server_names(organization: domains.Organization) -> Names:
    """The server's names in NTLM: NetBIOS names are the first labels, upper case, 15 characters."""

    def short(name: str) -> str:
        return name.partition(".")[0][:15].upper()

    host, domain = organization.hostname, organization.domain
    return Names(short(host), short(domain), host, domain)


def _is_legal(row: Row, secure: bool, ntlm: bool) -> bool:
    return (secure or not row.clear_text) and (ntlm or row.begin is not Ntlm)


def _password(context: Context, name: str, password: str, owner: str) -> Login | Failure:
    return context.authenticator.verify_password(
        name, password, peer=context.peer, protocol=context.protocol, owner=owner
    )
