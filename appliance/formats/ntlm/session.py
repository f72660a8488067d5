"""Signing and sealing after a log-on (MS-NLMP 3.4), with extended session security.

A `Session` has two directions, each with its own key stream and sequence number; calls must come in the
order of the messages. Without extended session security nothing can be signed here: NTLMv1's checksums are
not spoken.
"""

import hmac
import struct
from dataclasses import dataclass, field

from appliance.formats.ntlm.crypto import Rc4, hmac_md5, md5
from appliance.formats.ntlm.messages import Flag

SIGNATURE_SIZE = 16
_SIGNATURE_VERSION = 1
_CLIENT = "client-to-server"
_SERVER = "server-to-client"


class BadSignature(Exception):
    """A message that was changed, repeated, or signed with another key."""


def sign_key(exported_key: bytes, direction: str) -> bytes:
    """SIGNKEY (MS-NLMP 3.4.5.2). `direction`: client-to-server or server-to-client."""
    return md5(exported_key + f"session key to {direction} signing key magic constant\0".encode())


def seal_key(flags: int, exported_key: bytes, direction: str) -> bytes:
    """SEALKEY (MS-NLMP 3.4.5.3) with extended session security."""
    if flags & Flag.NEGOTIATE_128:
        kept = exported_key
    elif flags & Flag.NEGOTIATE_56:
        kept = exported_key[:7]
    else:
        kept = exported_key[:5]
    return md5(kept + f"session key to {direction} sealing key magic constant\0".encode())


@dataclass(slots=True)
class _Direction:
    signing_key: bytes
    stream: Rc4
    exchange: bool
    number: int = 0

    def checksum(self, message: bytes) -> bytes:
        """The MAC of the next message (MS-NLMP 3.4.4.2)."""
        number = struct.pack("<I", self.number)
        self.number = (self.number + 1) & 0xFFFFFFFF
        checksum = hmac_md5(self.signing_key, number + message)[:8]
        if self.exchange:
            checksum = self.stream.apply(checksum)
        return struct.pack("<I", _SIGNATURE_VERSION) + checksum + number


@dataclass(slots=True)
class Session:
    """What both sides share after a log-on. `exported_key`: 16 bytes, for who derives more from it."""

    flags: int
    exported_key: bytes
    server: bool
    _out: _Direction = field(init=False)
    _in: _Direction = field(init=False)

    def __post_init__(self) -> None:
        out, incoming = (_SERVER, _CLIENT) if self.server else (_CLIENT, _SERVER)
        self._out, self._in = self._direction(out), self._direction(incoming)

    def _direction(self, name: str) -> _Direction:
        stream = Rc4(seal_key(self.flags, self.exported_key, name))
        exchange = bool(self.flags & Flag.NEGOTIATE_KEY_EXCH)
        return _Direction(sign_key(self.exported_key, name), stream, exchange)

    @property
    def can_sign(self) -> bool:
        """Whether signing (and with it sealing) was negotiated."""
        wanted = self.flags & (Flag.NEGOTIATE_SIGN | Flag.NEGOTIATE_SEAL)
        return bool(wanted and self.flags & Flag.NEGOTIATE_EXTENDED_SESSIONSECURITY)

    def sign(self, message: bytes) -> bytes:
        """The signature of the next message that goes out (GSS_GetMICEx, MS-NLMP 3.4.8)."""
        return self._out.checksum(message)

    def verify(self, message: bytes, signature: bytes) -> None:
        """Check the next message that came in (GSS_VerifyMICEx, MS-NLMP 3.4.9). Raises BadSignature."""
        if not hmac.compare_digest(self._in.checksum(message), signature):
            raise BadSignature

    def sign_mechanisms(self, message: bytes) -> bytes:
        """The signature of SPNEGO's list of mechanisms: the key stream is where it was afterwards, so that
        the first message begins with the same state (MS-SPNG 3.3.5.1); the sequence number moves on."""
        signature = self._out.checksum(message)
        self._out.stream = self._direction(_SERVER if self.server else _CLIENT).stream
        return signature

    def verify_mechanisms(self, message: bytes, signature: bytes) -> None:
        """Check what the other side's `sign_mechanisms` gave. Raises BadSignature."""
        self.verify(message, signature)
        self._in.stream = self._direction(_CLIENT if self.server else _SERVER).stream

    def seal(self, message: bytes, signed: bytes | None = None) -> tuple[bytes, bytes]:
        """(sealed bytes, signature) of the next message that goes out (GSS_WrapEx, MS-NLMP 3.4.6).
        `signed`: what the signature covers, where that is more than what is sealed."""
        sealed = self._out.stream.apply(message)
        return sealed, self._out.checksum(message if signed is None else signed)

    def unseal(self, sealed: bytes, signature: bytes, before: bytes = b"", after: bytes = b"") -> bytes:
        """The next message that came in (GSS_UnwrapEx, MS-NLMP 3.4.7). The signature also covers what
        stands before and after the sealed part. Raises BadSignature."""
        message = self._in.stream.apply(sealed)
        self.verify(before + message + after, signature)
        return message
