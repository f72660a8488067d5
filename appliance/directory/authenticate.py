"""Who logs on: names and passwords against the directory, with throttling, for every protocol.

`Authenticator` belongs to the process and may be called from any thread; a password costs about 50 ms of a
worker thread the first time, nothing while it is remembered (REMEMBER_SECONDS, under a key of the process,
void as soon as the password changes). It never sleeps: a `Failure` says by how many seconds the protocol is
to delay its answer. Reasons are for the log; a client is told no more than that it failed.
"""

import hashlib
import hmac
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from appliance.directory import credentials, domains, entries, links
from appliance.directory.links import Link
from appliance.directory.model import WITH_MAILBOX, Entry, Protocol, Right
from appliance.directory.throttle import Throttle
from appliance.store.kv import ReadTxn
from appliance.store.store import Store

REMEMBER_SECONDS = 600.0
MAX_REMEMBERED = 4096
MAX_NAME = 512
"""Characters of a log-on name, at most."""


class Reason(Enum):
    """Why a log-on failed."""

    CREDENTIALS = "wrong name or password"
    BLOCKED = "the address is blocked for a while"
    DISABLED = "the account is switched off"
    PROTOCOL = "the protocol is switched off for the account"
    NO_DELEGATE = "not a delegate of that mailbox"
    MALFORMED = "malformed response"
    CANCELLED = "cancelled by the client"
    NEEDS_TLS = "encryption required"


@dataclass(frozen=True, slots=True)
class Login:
    """A log-on that succeeded: who it is, and whose mailbox is opened (`user` itself, mostly)."""

    user: Entry
    owner: Entry


@dataclass(frozen=True, slots=True)
class Failure:
    """A log-on that failed. `delay`: seconds by which to delay the answer. `name`: as the client wrote it."""

    reason: Reason
    delay: float = 0.0
    name: str = ""


class Authenticator:
    """Checks log-ons. `clock`: monotonic seconds; `key`: 32 random bytes of the process."""

    def __init__(
        self,
        store: Store,
        throttle: Throttle | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        key: bytes | None = None,
    ) -> None:
        self.store = store
        self.throttle = throttle or Throttle(clock)
        self._clock = clock
        self._key = key or os.urandom(32)
        self._lock = threading.Lock()
        self._remembered: OrderedDict[bytes, float] = OrderedDict()

    def verify_password(
        self, name: str, password: str, *, peer: str, protocol: Protocol | None, owner: str = ""
    ) -> Login | Failure:
        """Check a name and password. `name`: an address, a bare name, DOMAIN\\name, or one of the forms
        with a delegator (`split_name`). `owner`: whose mailbox to open, an authorization identity.
        `protocol`: None for what nobody is kept from (Autodiscover)."""
        verdict = self.throttle.admit(peer)
        if verdict.blocked:
            return Failure(Reason.BLOCKED, verdict.delay, name)
        with self.store.read() as txn:
            user, owner = self._user(txn, name, owner)
            secret = credentials.get(txn, user.id) if user else None
        token = self._token(name if user is None else user.address, password, secret)
        remembered = self._is_remembered(token)
        known = remembered or credentials.verify(secret, password)
        if user is None or not known:
            return Failure(Reason.CREDENTIALS, self.throttle.failed(peer, token), name)
        if not remembered:
            self._remember(token)
        return self.accept(user, owner, peer=peer, protocol=protocol, name=name)

    def nt_hash(self, user: str, domain: str) -> tuple[Entry, bytes] | None:
        """Whom an NTLM client means, and the NT hash; None for nobody or where NTLM is off."""
        name = user if "@" in user or not domain or "." not in domain else f"{user}@{domain}"
        with self.store.read() as txn:
            if len(name) > MAX_NAME or not domains.get(txn).ntlm:
                return None
            entry = entries.by_account(txn, name) or entries.by_account(txn, user)
            secret = credentials.get(txn, entry.id) if entry else None
        return (entry, secret.nt) if entry and secret and secret.nt else None

    def failed(self, name: str, attempt: bytes, *, peer: str) -> Failure:
        """Note a failure of another kind of credential. `attempt`: bytes that are the same each time that
        the same attempt is made."""
        token = hmac.digest(self._key, b"attempt\0" + name.encode() + b"\0" + attempt, "sha256")
        return Failure(Reason.CREDENTIALS, self.throttle.failed(peer, token), name)

    def accept(
        self, user: Entry, owner: str, *, peer: str, protocol: Protocol | None, name: str
    ) -> Login | Failure:
        """What follows once a credential was right: account, protocol, delegator."""
        if not user.enabled or user.kind not in WITH_MAILBOX:
            return Failure(Reason.DISABLED, 0.0, name)
        if protocol is not None and not user.may_use(protocol):
            return Failure(Reason.PROTOCOL, 0.0, name)
        with self.store.read() as txn:
            opened = user if not owner else _delegator(txn, user, owner)
        if opened is None:
            return Failure(Reason.NO_DELEGATE, 0.0, name)
        self.throttle.succeeded(peer)
        return Login(user, opened)

    def _user(self, txn: ReadTxn, name: str, owner: str) -> tuple[Entry | None, str]:
        if len(name) > MAX_NAME or len(owner) > MAX_NAME:
            return None, ""
        entry = entries.by_account(txn, name)
        if entry is not None:
            return entry, owner
        name, inner = split_name(name)
        return entries.by_account(txn, name), owner or inner

    def _token(self, name: str, password: str, secret: credentials.Secret | None) -> bytes:
        parts = (name.casefold(), credentials.normalize(password))
        raw = b"".join(hashlib.sha256(part.encode("utf-8", "surrogatepass")).digest() for part in parts)
        return hmac.digest(self._key, raw + (secret.key if secret else b""), "sha256")

    def _is_remembered(self, token: bytes) -> bool:
        with self._lock:
            until = self._remembered.get(token)
            if until is not None and until < self._clock():
                del self._remembered[token]
                return False
            return until is not None

    def _remember(self, token: bytes) -> None:
        with self._lock:
            self._remembered[token] = self._clock() + REMEMBER_SECONDS
            self._remembered.move_to_end(token)
            if len(self._remembered) > MAX_REMEMBERED:
                self._remembered.popitem(last=False)


def split_name(name: str) -> tuple[str, str]:
    """(who logs on, whose mailbox) of a log-on name (MS-OXIMAP4 2.2.2): `domain/alias/principal`,
    `upn/principal`, with `domain/alias` and `domain\\alias` for one's own mailbox. The principal is a
    name or an address, empty where none is named."""
    parts = name.replace("\\", "/", 1).split("/")
    if len(parts) == 1:
        return name, ""
    if "@" in parts[0]:
        return parts[0], "/".join(parts[1:])
    domain, alias, owner = parts[0], parts[1], "/".join(parts[2:])
    # A domain in DNS form says which of the served ones; a NetBIOS name has no such meaning here.
    return f"{alias}@{domain}" if "." in domain and "@" not in alias else alias, owner


def _delegator(txn: ReadTxn, user: Entry, name: str) -> Entry | None:
    """Whose mailbox `user` asks for, if it may: its own, one that made it a delegate (whose folders' rights
    then decide), any one with the right of impersonation."""
    owner = entries.by_account(txn, name)
    if owner is None or owner.kind not in WITH_MAILBOX:
        return None
    if owner.id == user.id or user.has_right(Right.IMPERSONATION):
        return owner
    return owner if links.has(txn, Link.DELEGATE, owner.id, user.id) else None
