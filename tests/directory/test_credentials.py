"""Verifiers, NT hashes, sealing."""

import hashlib
from dataclasses import replace

import pytest

from appliance.directory import credentials, domains, entries
from appliance.directory.errors import NotAllowed
from appliance.formats.ntlm import crypto
from tests.directory.conftest import Directory

SALT = b"0123456789abcdef"


def test_verifier() -> None:
    secret = credentials.prepare("korrekt höst", salt=SALT, now=5)
    assert secret.key == hashlib.scrypt(
        "korrekt höst".encode(), salt=SALT, n=16384, r=8, p=1, maxmem=1 << 26, dklen=32
    )
    assert secret.nt == crypto.nt_hash("korrekt höst")
    assert credentials.verify(secret, "korrekt ho\u0308st")
    assert not credentials.verify(secret, "Korrekt höst")
    assert not credentials.verify(None, "korrekt höst")
    assert not credentials.verify(secret, "x" * 1000)
    assert credentials.unpack(credentials.pack(secret)) == secret
    assert b"korrekt" not in credentials.pack(secret)


@pytest.mark.parametrize("password", ["", "x" * 257, "tab\tin the middle"])
def test_policy(password: str) -> None:
    with pytest.raises(NotAllowed):
        credentials.prepare(password, salt=SALT, now=0)


def test_nt_hashes_live_only_while_ntlm_is_on(directory: Directory) -> None:
    alice = directory.add("alice@example.test")
    secret = replace(credentials.prepare("password", salt=SALT, now=0))
    directory.write(lambda txn: credentials.put(txn, alice.id, secret))
    with directory.store.read() as txn:
        assert credentials.get(txn, alice.id) == secret
    directory.write(lambda txn: credentials.set_ntlm(txn, False))
    with directory.store.read() as txn:
        assert credentials.get(txn, alice.id) == replace(secret, nt=b"")
        assert not domains.get(txn).ntlm
        raw = entries.get_blob(txn, alice.id, entries.Part.CREDENTIALS)
    assert raw is not None
    assert secret.nt.hex().encode() not in raw
    directory.write(lambda txn: credentials.put(txn, alice.id, secret))
    with directory.store.read() as txn:
        assert credentials.get(txn, alice.id) == replace(secret, nt=b"")
    directory.write(lambda txn: credentials.set_ntlm(txn, True))
    directory.write(lambda txn: credentials.put(txn, alice.id, secret))
    with directory.store.read() as txn:
        assert credentials.get(txn, alice.id) == secret


def test_sealing() -> None:
    sealed = credentials.seal(b"secrets", "a passphrase", salt=SALT)
    assert b"secrets" not in sealed
    assert credentials.unseal(sealed, "a passphrase") == b"secrets"
    changed = sealed[:-1] + bytes([sealed[-1] ^ 1])
    for data, passphrase in ((sealed, "another"), (changed, "a passphrase"), (b"SEAL1", "x"), (b"", "x")):
        with pytest.raises(credentials.BadSeal):
            credentials.unseal(data, passphrase)
