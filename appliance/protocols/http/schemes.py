"""Log-ons over HTTP: Basic (RFC 7617), NTLM and Negotiate (RFC 4559, MS-NTHT).

Basic is checked with each request. NTLM and Negotiate authenticate the connection: three messages go to and
fro in headers, and requests on that connection are the user's from then on, as long as the account is the
same and in order. Both are bound to the TLS channel where the client binds them.

Nothing here touches the network; what computes a verifier or reads the store is called on a worker thread.
"""

import base64
import binascii
import os
import time
from dataclasses import dataclass

from appliance.directory import credentials, domains, entries, sasl
from appliance.directory.authenticate import Authenticator, Failure, Login, Reason
from appliance.directory.model import Entry, Protocol
from appliance.formats.ntlm.messages import SIGNATURE
from appliance.formats.ntlm.server import Denied, NtlmServer
from appliance.formats.spnego.server import SpnegoServer
from appliance.mapi.times import from_unix_ns
from appliance.wire.errors import DecodeError

MAX_TOKEN = 16384
"""Bytes of a token, at most."""

_NEGOTIATE_MESSAGE = SIGNATURE + b"\x01\x00\x00\x00"
_INITIAL = (b"\x60", b"\xa0")  # RFC 4178 4.2: NegTokenInit, in its frame or without


@dataclass(frozen=True, slots=True)
class Credentials:
    """What an Authorization header holds: a scheme in lower case, and its text."""

    scheme: str
    text: str


@dataclass(frozen=True, slots=True)
class Bound:
    """Who a connection belongs to. `key`: of the verifier with which they logged on."""

    user: int
    name: str
    key: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """A token for the client, and who logged on once that is known."""

    token: bytes
    bound: Bound | None = None


def parse(header: str) -> Credentials | None:
    """An Authorization header (RFC 9110 11.6.2); None for what is none."""
    scheme, _, text = header.strip().partition(" ")
    return Credentials(scheme.lower(), text.strip()) if scheme else None


def decode(text: str, limit: int = MAX_TOKEN) -> bytes | None:
    """The bytes that a token68 stands for; None where it is none, or too long."""
    if not text or len(text) > limit * 4 // 3 + 4:
        return None
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None


def name_and_password(text: str) -> tuple[str, str] | None:
    """What Basic holds (RFC 7617 2): in UTF-8, or, as some clients have it, in Latin-1."""
    raw = decode(text, 4096)
    if raw is None or b":" not in raw or b"\0" in raw:
        return None
    try:
        plain = raw.decode()
    except UnicodeDecodeError:
        plain = raw.decode("latin-1")
    name, _, password = plain.partition(":")
    return name, password


def begins(token: bytes) -> bool:
    """Whether a token is the first of a log-on."""
    return token.startswith(_NEGOTIATE_MESSAGE) or token[:1] in _INITIAL


class Negotiation:
    """One log-on by NTLM or Negotiate. `bare`: NTLM without SPNEGO is asked for."""

    def __init__(
        self, authenticator: Authenticator, *, peer: str, bindings: bytes | None, bare: bool = False
    ) -> None:
        self._authenticator, self._peer, self._bare = authenticator, peer, bare
        with authenticator.store.read() as txn:
            names = sasl.server_names(domains.get(txn))
        # A board without a clock must still let people in: any time passes, the nonce stops replays.
        ntlm = NtlmServer(
            names,
            challenge=os.urandom(8),
            now=from_unix_ns(time.time_ns()),
            bindings=bindings,
            max_lifetime=None,
        )
        self._server = SpnegoServer(ntlm, self._hash)
        self._found: tuple[Entry, bytes] | None = None

    def step(self, token: bytes) -> Reply | Failure:
        """Answer the client's next token."""
        verdict = self._authenticator.throttle.admit(self._peer)
        if verdict.blocked:
            return Failure(Reason.BLOCKED, verdict.delay)
        if self._bare and not token.startswith(SIGNATURE):
            return Failure(Reason.MALFORMED)
        try:
            reply = self._server.step(token)
        except DecodeError:
            return Failure(Reason.MALFORMED)
        except Denied as denied:
            return self._authenticator.failed(denied.user, token, peer=self._peer)
        if reply.identity is None:
            return Reply(reply.token)
        if self._found is None:
            return Failure(Reason.CREDENTIALS)
        entry, key = self._found
        return Reply(reply.token, Bound(entry.id, reply.identity.user, key))

    def _hash(self, user: str, domain: str) -> bytes | None:
        found = self._authenticator.nt_hash(user, domain)
        if found is None:
            return None
        entry, known = found
        with self._authenticator.store.read() as txn:
            secret = credentials.get(txn, entry.id)
        self._found = (entry, secret.key if secret else b"")
        return known


def still(
    authenticator: Authenticator, bound: Bound, *, peer: str, protocol: Protocol | None
) -> Login | Failure:
    """Whether a connection still is its user's: the account exists, with the same password, and may."""
    with authenticator.store.read() as txn:
        user = entries.find(txn, bound.user)
        secret = credentials.get(txn, bound.user)
    if user is None or secret is None or secret.key != bound.key:
        return Failure(Reason.CREDENTIALS, 0.0, bound.name)
    return authenticator.accept(user, "", peer=peer, protocol=protocol, name=bound.name)
