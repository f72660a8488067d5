"""What NTLM computes: MD4, RC4, the one-way functions and keys of NTLMv2 (MS-NLMP 3.3.2, 3.4.5, 6).

MD4 and RC4 stand here because OpenSSL 3 has them only in a provider that need not be there. They are
broken as ciphers; NTLM cannot be spoken without them.
"""

import hashlib
import hmac
import struct
from collections.abc import Iterator

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes

_MASK = 0xFFFFFFFF
_MD4_ROUNDS = (
    # (rotations, order of the words, constant) of the three rounds (RFC 1320 3.4)
    ((3, 7, 11, 19), tuple(range(16)), 0),
    ((3, 5, 9, 13), (0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15), 0x5A827999),
    ((3, 9, 11, 15), (0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15), 0x6ED9EBA1),
)


def md4(data: bytes) -> bytes:
    """RFC 1320."""
    state = (0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476)
    padded = data + b"\x80" + b"\0" * (-(len(data) + 9) % 64) + struct.pack("<Q", len(data) * 8)
    for block in struct.iter_unpack("<16I", padded):
        state = _md4_block(state, block)
    return struct.pack("<4I", *state)


def _md4_block(state: tuple[int, int, int, int], words: tuple[int, ...]) -> tuple[int, int, int, int]:
    a, b, c, d = state
    for number, (rotations, order, constant) in enumerate(_MD4_ROUNDS):
        for step, word in enumerate(order):
            if number == 0:
                mixed = (b & c) | (~b & d)
            elif number == 1:
                mixed = (b & c) | (b & d) | (c & d)
            else:
                mixed = b ^ c ^ d
            total = (a + mixed + words[word] + constant) & _MASK
            by = rotations[step % 4]
            a, b, c, d = d, ((total << by) | (total >> (32 - by))) & _MASK, b, c
    old_a, old_b, old_c, old_d = state
    return (old_a + a) & _MASK, (old_b + b) & _MASK, (old_c + c) & _MASK, (old_d + d) & _MASK


class Rc4:
    """A key stream with its state: RC4Init and RC4 of MS-NLMP 6."""

    __slots__ = ("_stream",)

    def __init__(self, key: bytes) -> None:
        self._stream = _rc4(key)

    def apply(self, data: bytes) -> bytes:
        """`data` encrypted, or decrypted, with the next bytes of the stream."""
        stream = self._stream
        return bytes(byte ^ next(stream) for byte in data)


def _rc4(key: bytes) -> Iterator[int]:
    box, j = list(range(256)), 0
    for i in range(256):
        j = (j + box[i] + key[i % len(key)]) & 255
        box[i], box[j] = box[j], box[i]
    i = j = 0
    while True:
        i = (i + 1) & 255
        one = box[i]
        j = (j + one) & 255
        other = box[i] = box[j]
        box[j] = one
        yield box[(one + other) & 255]


def md5(data: bytes) -> bytes:
    """MD5 of `data`, also where a policy forbids it for other uses."""
    return hashlib.md5(data, usedforsecurity=False).digest()


def hmac_md5(key: bytes, data: bytes) -> bytes:
    """HMAC_MD5 of MS-NLMP 6."""
    return hmac.new(key, data, "md5").digest()


def nt_hash(password: str) -> bytes:
    """NTOWFv1: 16 bytes (MS-NLMP 3.3.1)."""
    return md4(password.encode("utf-16-le", "surrogatepass"))


def response_key(nt: bytes, user: str, domain: str) -> bytes:
    """NTOWFv2 and LMOWFv2, from the NT hash (MS-NLMP 3.3.2)."""
    return hmac_md5(nt, (upper(user) + domain).encode("utf-16-le", "surrogatepass"))


def upper(text: str) -> str:
    """Upper case as Windows has it: one character for one (so ß stays)."""
    return "".join(large if len(large := char.upper()) == 1 else char for char in text)


def client_challenge(time: int, nonce: bytes, pairs: bytes) -> bytes:
    """NTLMv2_CLIENT_CHALLENGE, "temp" (MS-NLMP 2.2.2.7). `time`: FILETIME; `nonce`: 8 bytes; `pairs`:
    packed AV pairs."""
    return b"\x01\x01" + bytes(6) + struct.pack("<Q", time) + nonce + bytes(4) + pairs + bytes(4)


def nt_proof(key: bytes, server_challenge: bytes, temp: bytes) -> bytes:
    """NTProofStr: the first 16 bytes of an NTLMv2 response (MS-NLMP 3.3.2)."""
    return hmac_md5(key, server_challenge + temp)


def lmv2_response(key: bytes, server_challenge: bytes, nonce: bytes) -> bytes:
    """LMv2_RESPONSE: 24 bytes (MS-NLMP 2.2.2.4)."""
    return hmac_md5(key, server_challenge + nonce) + nonce


def v1_response(nt: bytes, challenge: bytes) -> bytes:
    """The NTLMv1 response: DES of the 8-byte challenge under three keys cut from the NT hash, DESL in
    MS-NLMP 6 and 3.3.1."""
    padded = nt + bytes(5)
    return b"".join(_des(padded[at : at + 7], challenge) for at in (0, 7, 14))


def _des(key: bytes, block: bytes) -> bytes:
    """DES of one block under a 56-bit key."""
    bits = int.from_bytes(key, "big")
    spread = bytes(bits >> shift & 0x7F for shift in range(49, -1, -7))
    single = bytes(seven << 1 for seven in spread)
    cipher = Cipher(TripleDES(single * 3), modes.ECB())
    encryptor = cipher.encryptor()
    return encryptor.update(block) + encryptor.finalize()


def channel_bindings(token: bytes) -> bytes:
    """MD5 of a gss_channel_bindings_struct with `token` as application data: what MsvAvChannelBindings
    carries (RFC 2744 3.11, RFC 4121 4.1.1.2). `token`: see `server_end_point`."""
    return md5(bytes(16) + struct.pack("<I", len(token)) + token)


def server_end_point(certificate_der: bytes, hash_name: str) -> bytes:
    """The tls-server-end-point binding of a certificate whose signature uses `hash_name` (hashlib's
    names; MD5 and SHA-1 give way to SHA-256; RFC 5929 4.1)."""
    name = "sha256" if hash_name in ("md5", "sha1") else hash_name
    return b"tls-server-end-point:" + hashlib.new(name, certificate_der).digest()
