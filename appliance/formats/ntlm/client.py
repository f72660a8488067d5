"""The client's side of an NTLM log-on, without input or output (MS-NLMP 3.1.5.1).

`negotiate()` gives the first message, `authenticate(challenge)` the third; `session` signs and seals then.
Raises DecodeError for a challenge that is none.
"""

import struct
from dataclasses import dataclass

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
    unpack,
    unpack_pairs,
    with_mic,
)
from appliance.formats.ntlm.session import Session
from appliance.wire.errors import DecodeError

DEFAULT_FLAGS = (
    Flag.NEGOTIATE_56
    | Flag.NEGOTIATE_KEY_EXCH
    | Flag.NEGOTIATE_128
    | Flag.NEGOTIATE_VERSION
    | Flag.NEGOTIATE_EXTENDED_SESSIONSECURITY
    | Flag.NEGOTIATE_ALWAYS_SIGN
    | Flag.NEGOTIATE_NTLM
    | Flag.NEGOTIATE_SEAL
    | Flag.NEGOTIATE_SIGN
    | Flag.REQUEST_TARGET
    | Flag.NEGOTIATE_OEM
    | Flag.NEGOTIATE_UNICODE
)


@dataclass(frozen=True, slots=True)
class Account:
    """Who logs on, with the NT hash of the password (`crypto.nt_hash`)."""

    user: str
    domain: str
    nt_hash: bytes
    workstation: str = ""


class NtlmClient:
    """One log-on. `nonce`: 8 random bytes; `key`: 16 random bytes, the session key to exchange; `now`:
    FILETIME; `bindings`: the token of `crypto.server_end_point`; `target_name`: the SPN of the server."""

    def __init__(
        self,
        account: Account,
        *,
        nonce: bytes,
        key: bytes,
        now: int,
        flags: int = DEFAULT_FLAGS,
        bindings: bytes | None = None,
        target_name: str = "",
    ) -> None:
        self._account = account
        self._nonce = nonce
        self._key = key
        self._now = now
        self._flags = flags
        self._bindings = bindings
        self._target_name = target_name
        self._negotiate = b""
        self.session: Session | None = None

    def negotiate(self) -> bytes:
        """The NEGOTIATE_MESSAGE."""
        version = VERSION if self._flags & Flag.NEGOTIATE_VERSION else bytes(8)
        self._negotiate = pack(Negotiate(self._flags, version=version))
        return self._negotiate

    def authenticate(self, challenge: bytes) -> bytes:
        """The AUTHENTICATE_MESSAGE for a CHALLENGE_MESSAGE (MS-NLMP 3.1.5.1.2)."""
        message = unpack(challenge)
        if not isinstance(message, Challenge):
            raise DecodeError("not a CHALLENGE_MESSAGE", 8)
        flags = self._flags & message.flags
        info = unpack_pairs(message.target_info) if message.target_info else {}
        stamped = AvId.TIMESTAMP in info
        key = crypto.response_key(self._account.nt_hash, self._account.user, self._account.domain)
        temp = self._client_challenge(info)
        proof = crypto.nt_proof(key, message.challenge, temp)
        base_key = crypto.hmac_md5(key, proof)
        exported, sent_key = self._exchange(flags, base_key)
        answer = Authenticate(
            flags=flags,
            lm_response=bytes(24) if stamped else crypto.lmv2_response(key, message.challenge, self._nonce),
            nt_response=proof + temp,
            domain=name_bytes(self._account.domain, flags),
            user=name_bytes(self._account.user, flags),
            workstation=name_bytes(self._account.workstation, flags),
            session_key=sent_key,
            version=VERSION if flags & Flag.NEGOTIATE_VERSION else bytes(8),
            mic=bytes(16) if stamped else None,
        )
        self.session = Session(flags, exported, server=False)
        packed = pack(answer)
        if not stamped:
            return packed
        return with_mic(packed, crypto.hmac_md5(exported, self._negotiate + challenge + packed))

    def _client_challenge(self, info: dict[int, bytes]) -> bytes:
        stamp = info.get(AvId.TIMESTAMP)
        time = self._now if stamp is None else struct.unpack("<Q", stamp)[0]
        pairs = dict(info)
        if stamp is not None:
            given = int.from_bytes(pairs.get(AvId.FLAGS, b""), "little")
            pairs[AvId.FLAGS] = struct.pack("<I", given | AvFlag.MIC_PRESENT)
            bound = self._bindings is not None
            pairs[AvId.CHANNEL_BINDINGS] = (
                crypto.channel_bindings(self._bindings or b"") if bound else bytes(16)
            )
            pairs[AvId.TARGET_NAME] = self._target_name.encode("utf-16-le")
        return crypto.client_challenge(time, self._nonce, pack_pairs(pairs))

    def _exchange(self, flags: int, base_key: bytes) -> tuple[bytes, bytes]:
        """(ExportedSessionKey, EncryptedRandomSessionKey)."""
        wanted = flags & (Flag.NEGOTIATE_SIGN | Flag.NEGOTIATE_SEAL)
        if not (flags & Flag.NEGOTIATE_KEY_EXCH and wanted):
            return base_key, b""
        return self._key, crypto.Rc4(base_key).apply(self._key)
