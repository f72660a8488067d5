"""What is kept of a password: a scrypt verifier, and the NT hash while NTLM is on.

Rules:
- A password is never kept, logged or returned. Verifier: scrypt with N = 2^14, r = 8, p = 1 (16 MiB, about
  50 ms), 16 bytes of salt, 32 bytes of key; the parameters stand beside it.
- NT hashes exist only while the organization's `ntlm` is on; `set_ntlm` removes them all when it goes off.
  When it is on again, NTLM works for a user from the next time that the password is set.
- Functions of a transaction are pure: `prepare` takes the salt from the caller and is called before.
"""

import hashlib
import hmac
import json
import threading
import unicodedata
from dataclasses import dataclass, replace

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from appliance.directory import domains, entries
from appliance.directory.entries import Part
from appliance.directory.errors import NotAllowed
from appliance.formats.ntlm import crypto
from appliance.store.kv import ReadTxn, WriteTxn

SALT_SIZE = 16
MIN_PASSWORD = 1
"""Characters of a password, at least: what is long enough is the office's business. Who guesses is slowed
down and blocked."""

MAX_PASSWORD = 256
"""Characters of a password, at most: what is longer is refused before anything is computed."""

PARALLEL = 2
"""Verifiers that are computed at the same time in a process, at most."""

_LOG_N, _R, _P, _KEY_SIZE = 14, 8, 1, 32
_MAX_MEMORY = 64 << 20
_SEAL_MAGIC = b"SEAL1"
_SEAL_LOG_N = 15
_gate = threading.BoundedSemaphore(PARALLEL)


class BadSeal(Exception):
    """The passphrase is wrong or the sealed bytes were changed."""


@dataclass(frozen=True, slots=True)
class Secret:
    """What is kept for one entry. `nt` is empty while NTLM is off; `changed` is a FILETIME."""

    salt: bytes
    key: bytes
    nt: bytes = b""
    changed: int = 0
    log_n: int = _LOG_N
    r: int = _R
    p: int = _P


def normalize(password: str) -> str:
    """A password as it is compared: the same text in any Unicode form (RFC 8265 4.2)."""
    return unicodedata.normalize("NFC", password)


def prepare(password: str, *, salt: bytes, now: int) -> Secret:
    """What to keep of a new password; takes about 50 ms. Raises NotAllowed for one that is too short or
    too long. `salt`: SALT_SIZE random bytes."""
    password = normalize(password)
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise NotAllowed(f"a password has {MIN_PASSWORD} to {MAX_PASSWORD} characters")
    if not password.isprintable():
        raise NotAllowed("a password has no control characters")
    bare = Secret(salt, b"", crypto.nt_hash(password), now)
    return replace(bare, key=_scrypt(password, bare))


def put(txn: WriteTxn, id: int, secret: Secret) -> None:
    """Keep an entry's secret, without the NT hash where NTLM is off. Raises Unknown."""
    if not domains.get(txn).ntlm:
        secret = replace(secret, nt=b"")
    entries.set_blob(txn, id, Part.CREDENTIALS, pack(secret))


def get(txn: ReadTxn, id: int) -> Secret | None:
    """An entry's secret; None: nobody logs on as it."""
    raw = entries.get_blob(txn, id, Part.CREDENTIALS)
    return None if raw is None else unpack(raw)


def set_ntlm(txn: WriteTxn, on: bool) -> None:
    """Switch NTLM. Off: every NT hash is removed in the same transaction."""
    domains.put(txn, replace(domains.get(txn), ntlm=on))
    if on:
        return
    for id in list(entries.ids_by_name(txn)):
        secret = get(txn, id)
        if secret is not None and secret.nt:
            entries.set_blob(txn, id, Part.CREDENTIALS, pack(replace(secret, nt=b"")))


def verify(secret: Secret | None, password: str) -> bool:
    """Whether `password` is the one; about 50 ms in any case, also without a secret. Called on worker
    threads; at most PARALLEL of them compute at once, the others wait."""
    password = normalize(password)
    if len(password) > MAX_PASSWORD:
        return False
    known = secret or _NOBODY
    same = hmac.compare_digest(_scrypt(password, known), known.key)
    return same and secret is not None


def pack(secret: Secret) -> bytes:
    """The row of a secret."""
    row = {
        "scrypt": [secret.log_n, secret.r, secret.p],
        "salt": secret.salt.hex(),
        "key": secret.key.hex(),
        "changed": secret.changed,
    }
    if secret.nt:
        row["nt"] = secret.nt.hex()
    return json.dumps(row, separators=(",", ":")).encode()


def unpack(data: bytes) -> Secret:
    """A secret from its row."""
    row = json.loads(data)
    log_n, r, p = row["scrypt"]
    salt, key, nt = (bytes.fromhex(row.get(name, "")) for name in ("salt", "key", "nt"))
    return Secret(salt, key, nt, row["changed"], log_n, r, p)


def seal(data: bytes, passphrase: str, *, salt: bytes) -> bytes:
    """Secrets for a backup: AES-256-GCM under a key that scrypt makes of the passphrase. `salt`: SALT_SIZE
    random bytes, never used twice."""
    key = _seal_key(passphrase, salt)
    nonce = hashlib.sha256(b"nonce" + salt).digest()[:12]
    return _SEAL_MAGIC + salt + AESGCM(key).encrypt(nonce, data, _SEAL_MAGIC)


def unseal(sealed: bytes, passphrase: str) -> bytes:
    """What was sealed. Raises BadSeal."""
    head = len(_SEAL_MAGIC) + SALT_SIZE
    if not sealed.startswith(_SEAL_MAGIC) or len(sealed) < head + 16:
        raise BadSeal("not sealed by this program")
    salt = sealed[len(_SEAL_MAGIC) : head]
    nonce = hashlib.sha256(b"nonce" + salt).digest()[:12]
    try:
        return AESGCM(_seal_key(passphrase, salt)).decrypt(nonce, sealed[head:], _SEAL_MAGIC)
    except InvalidTag:
        raise BadSeal("the passphrase is wrong, or the backup was changed") from None


def _seal_key(passphrase: str, salt: bytes) -> bytes:
    raw = normalize(passphrase).encode()
    with _gate:
        return hashlib.scrypt(raw, salt=salt, n=1 << _SEAL_LOG_N, r=_R, p=_P, maxmem=_MAX_MEMORY, dklen=32)


def _scrypt(password: str, secret: Secret) -> bytes:
    raw = password.encode("utf-8", "surrogatepass")
    with _gate:
        return hashlib.scrypt(
            raw,
            salt=secret.salt,
            n=1 << secret.log_n,
            r=secret.r,
            p=secret.p,
            maxmem=_MAX_MEMORY,
            dklen=_KEY_SIZE,
        )


_NOBODY = Secret(bytes(SALT_SIZE), bytes(_KEY_SIZE))
