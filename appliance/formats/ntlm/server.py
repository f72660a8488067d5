"""The server's side of an NTLM log-on, without input or output (MS-NLMP 3.2.5.1).

    NEW -- start(negotiate) -> challenge --> CHALLENGED -- finish(authenticate) -> Identity --> DONE

Either may raise `Denied` (or DecodeError, for bytes that are no message); the machine is of no use then.
NTLMv2 responses pass, and LMv2 where no channel bindings are asked for. NTLMv1 (which libraries of free mail
programs still speak) passes only where the caller says that nobody listens. An unknown user costs the same
work as a wrong password.
"""

import hmac
import struct
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from appliance.formats.ntlm import crypto
from appliance.formats.ntlm.messages import (
    VERSION,
    Authenticate,
    AvFlag,
    AvId,
    Challenge,
    Flag,
    Negotiate,
    name_bytes,
    pack,
    pack_pairs,
    text,
    unpack,
    unpack_pairs,
    with_mic,
)
from appliance.formats.ntlm.session import Session
from appliance.wire.errors import DecodeError

MAX_LIFETIME = 36 * 3600 * 10_000_000
"""By how much the client's time may differ from ours, in FILETIME units (MS-NLMP 3.1.1.1, product note)."""

_V1_RESPONSE = 24
_V2_LEAST = 16 + 28 + 4
_SUPPORTED = (
    Flag.NEGOTIATE_SIGN
    | Flag.NEGOTIATE_SEAL
    | Flag.NEGOTIATE_EXTENDED_SESSIONSECURITY
    | Flag.NEGOTIATE_VERSION
    | Flag.NEGOTIATE_128
    | Flag.NEGOTIATE_KEY_EXCH
    | Flag.NEGOTIATE_56
    | Flag.NEGOTIATE_IDENTIFY
)
_ALWAYS = (
    Flag.REQUEST_TARGET
    | Flag.NEGOTIATE_NTLM
    | Flag.NEGOTIATE_ALWAYS_SIGN
    | Flag.TARGET_TYPE_DOMAIN
    | Flag.NEGOTIATE_TARGET_INFO
)
NtHash = Callable[[str, str], bytes | None]
"""Gives the NT hash of (user, domain) as the client wrote them, or None for nobody."""


class Denial(Enum):
    """Why a log-on failed."""

    CREDENTIALS = "wrong user or password"
    ANONYMOUS = "anonymous log-on"
    VERSION_1 = "NTLMv1 response"
    BINDINGS = "wrong channel bindings"
    MIC = "messages were changed"
    TIME = "the client's clock is wrong"
    TOKEN = "not the expected message"


class Denied(Exception):
    """The log-on failed. `user` is what the client claimed to be, as far as it got."""

    def __init__(self, denial: Denial, user: str = "") -> None:
        super().__init__(denial.value)
        self.denial = denial
        self.user = user


@dataclass(frozen=True, slots=True)
class Names:
    """What the server calls itself: NetBIOS names (15 characters) and DNS names."""

    nb_computer: str
    nb_domain: str
    dns_computer: str
    dns_domain: str


@dataclass(frozen=True, slots=True)
class Identity:
    """Who logged on, as the client wrote it, and the session that signs and seals."""

    user: str
    domain: str
    workstation: str
    target_name: str
    session: Session


class NtlmServer:
    """One log-on. `challenge`: 8 random bytes. `now`: FILETIME. `bindings`: the token of
    `crypto.server_end_point` on a TLS connection. `require_bindings`: clients that send none are refused
    (Extended Protection); those that send wrong ones always are. `max_lifetime`: None lets any time pass.
    `allow_v1`: take NTLMv1 responses; for connections on which a password could be sent as it is."""

    def __init__(
        self,
        names: Names,
        *,
        challenge: bytes,
        now: int,
        bindings: bytes | None = None,
        require_bindings: bool = False,
        max_lifetime: int | None = MAX_LIFETIME,
        allow_v1: bool = False,
    ) -> None:
        self._names = names
        self._nonce = challenge
        self._now = now
        self._bindings = bindings
        self._require_bindings = require_bindings
        self._max_lifetime = max_lifetime
        self._allow_v1 = allow_v1
        self._negotiate = b""
        self._challenge = b""
        self._flags = 0

    def start(self, negotiate: bytes) -> bytes:
        """The CHALLENGE_MESSAGE for a NEGOTIATE_MESSAGE (MS-NLMP 3.2.5.1.1)."""
        message = unpack(negotiate)
        if not isinstance(message, Negotiate) or self._challenge:
            raise Denied(Denial.TOKEN)
        if not message.flags & (Flag.NEGOTIATE_UNICODE | Flag.NEGOTIATE_OEM):
            raise Denied(Denial.TOKEN)
        charset = message.flags & Flag.NEGOTIATE_UNICODE or Flag.NEGOTIATE_OEM
        self._flags = int(charset | _ALWAYS | (message.flags & _SUPPORTED))
        challenge = Challenge(
            flags=self._flags,
            challenge=self._nonce,
            target_name=name_bytes(self._names.nb_domain, self._flags),
            target_info=pack_pairs(self._target_info()),
            version=VERSION if self._flags & Flag.NEGOTIATE_VERSION else bytes(8),
        )
        self._negotiate, self._challenge = negotiate, pack(challenge)
        return self._challenge

    def finish(self, authenticate: bytes, nt_hash: NtHash) -> Identity:
        """Check an AUTHENTICATE_MESSAGE (MS-NLMP 3.2.5.1.2)."""
        message = unpack(authenticate)
        if not isinstance(message, Authenticate) or not self._challenge:
            raise Denied(Denial.TOKEN)
        user, domain = text(message.user, self._flags), text(message.domain, self._flags)
        if not user:
            raise Denied(Denial.ANONYMOUS)
        known = nt_hash(user, domain)
        base_key = self._base_key(message, user, domain, known or bytes(16))
        if base_key is None or known is None:
            v1 = len(message.nt_response) == _V1_RESPONSE
            raise Denied(Denial.VERSION_1 if v1 else Denial.CREDENTIALS, user)
        pairs, time = _client_pairs(message)
        flags = self._flags & (message.flags | int(_ALWAYS))
        exported = self._exported_key(message, base_key, flags, user)
        self._check_mic(authenticate, message, pairs, (exported, base_key), user)
        self._check_bindings(pairs, user)
        self._check_time(time, user)
        target = pairs.get(AvId.TARGET_NAME, b"").decode("utf-16-le", "replace")
        workstation = text(message.workstation, self._flags)
        return Identity(user, domain, workstation, target, Session(flags, exported, server=True))

    def _target_info(self) -> dict[int, bytes]:
        names = {
            AvId.NB_DOMAIN_NAME: self._names.nb_domain,
            AvId.NB_COMPUTER_NAME: self._names.nb_computer,
            AvId.DNS_DOMAIN_NAME: self._names.dns_domain,
            AvId.DNS_COMPUTER_NAME: self._names.dns_computer,
            AvId.DNS_TREE_NAME: self._names.dns_domain,
        }
        pairs = {int(key): name.encode("utf-16-le") for key, name in names.items() if name}
        pairs[AvId.TIMESTAMP] = struct.pack("<Q", self._now)
        return pairs

    def _base_key(self, message: Authenticate, user: str, domain: str, known: bytes) -> bytes | None:
        """The key of the exchange, or None for a wrong response. Some clients leave the domain out of the key
        of version 2."""
        if len(message.nt_response) == _V1_RESPONSE and self._allow_v1:
            return self._v1_key(message, known)
        for name in (domain, ""):
            key = crypto.response_key(known, user, name)
            proof, temp = message.nt_response[:16], message.nt_response[16:]
            if len(message.nt_response) >= _V2_LEAST:
                if hmac.compare_digest(crypto.nt_proof(key, self._nonce, temp), proof):
                    return crypto.hmac_md5(key, proof)
            elif len(message.lm_response) == _V1_RESPONSE and self._bindings is None:
                nonce = message.lm_response[16:]
                expected = crypto.lmv2_response(key, self._nonce, nonce)
                if hmac.compare_digest(expected, message.lm_response):
                    return crypto.hmac_md5(key, message.lm_response[:16])
        return None

    def _v1_key(self, message: Authenticate, known: bytes) -> bytes | None:
        """KeyExchangeKey of an NTLMv1 response (MS-NLMP 3.3.1, 3.4.5.1), with NTLMv2 session security if
        the LM response is the client's challenge."""
        challenge, key = self._nonce, crypto.md4(known)
        extended = message.lm_response[8:] == bytes(16) and message.lm_response[:8] != bytes(8)
        if extended and len(message.lm_response) == _V1_RESPONSE:
            both = self._nonce + message.lm_response[:8]
            challenge, key = crypto.md5(both)[:8], crypto.hmac_md5(key, both)
        if not hmac.compare_digest(crypto.v1_response(known, challenge), message.nt_response):
            return None
        return key

    def _exported_key(self, message: Authenticate, base_key: bytes, flags: int, user: str) -> bytes:
        if not flags & Flag.NEGOTIATE_KEY_EXCH:
            return base_key
        if not flags & (Flag.NEGOTIATE_SIGN | Flag.NEGOTIATE_SEAL) and not message.session_key:
            return base_key
        if len(message.session_key) != 16:
            raise Denied(Denial.TOKEN, user)
        return crypto.Rc4(base_key).apply(message.session_key)

    def _check_mic(
        self,
        raw: bytes,
        message: Authenticate,
        pairs: dict[int, bytes],
        keys: tuple[bytes, ...],
        user: str,
    ) -> None:
        """Clients differ in whether a key exchange without signing or sealing counts for the MIC, so
        either key of the same secret will do."""
        if not _av_flags(pairs) & AvFlag.MIC_PRESENT:
            return
        if message.mic is None:
            raise Denied(Denial.MIC, user)
        signed = self._negotiate + self._challenge + with_mic(raw, bytes(16))
        if not any(hmac.compare_digest(crypto.hmac_md5(key, signed), message.mic) for key in keys):
            raise Denied(Denial.MIC, user)

    def _check_bindings(self, pairs: dict[int, bytes], user: str) -> None:
        sent = pairs.get(AvId.CHANNEL_BINDINGS, bytes(16))
        if sent == bytes(16):
            if self._require_bindings:
                raise Denied(Denial.BINDINGS, user)
        elif self._bindings is not None and sent != crypto.channel_bindings(self._bindings):
            raise Denied(Denial.BINDINGS, user)

    def _check_time(self, time: int | None, user: str) -> None:
        if time is None or self._max_lifetime is None:
            return
        if abs(time - self._now) > self._max_lifetime:
            raise Denied(Denial.TIME, user)


def _client_pairs(message: Authenticate) -> tuple[dict[int, bytes], int | None]:
    """The client's AV pairs and time, of an NTLMv2 response that was checked."""
    if len(message.nt_response) < _V2_LEAST:
        return {}, None
    temp = message.nt_response[16:]
    if temp[:2] != b"\x01\x01":
        raise DecodeError("NTLMv2 response version", 16)
    (time,) = struct.unpack_from("<Q", temp, 8)
    return unpack_pairs(temp[28:]), time


def _av_flags(pairs: dict[int, bytes]) -> int:
    return int.from_bytes(pairs.get(AvId.FLAGS, b"")[:4], "little")
