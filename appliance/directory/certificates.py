"""The certificates of an entry, as lists: X.509 (userCertificate) and S/MIME (userSMIMECertificate).

The first X.509 certificate stands in the row that the command line and LDAP use, further ones behind it in a
row of their own, so that a release that knows one certificate reads the first.
"""

from appliance.directory import entries
from appliance.directory.entries import MAX_BLOB, Part
from appliance.directory.errors import NotAllowed
from appliance.store.kv import ReadTxn, WriteTxn

MAX_CERTIFICATES = 100
"""Certificates of a kind, at most; all together have MAX_BLOB bytes."""


def x509(txn: ReadTxn, id: int) -> tuple[bytes, ...]:
    """The X.509 certificates (DER) of an entry (PidTagAddressBookX509Certificate)."""
    first = entries.get_blob(txn, id, Part.CERTIFICATE)
    return () if first is None else (first, *_unpack(entries.get_blob(txn, id, Part.FURTHER_CERTIFICATES)))


def smime(txn: ReadTxn, id: int) -> tuple[bytes, ...]:
    """The S/MIME certificates of an entry (PidTagUserX509Certificate)."""
    return _unpack(entries.get_blob(txn, id, Part.SMIME_CERTIFICATES))


def set_x509(txn: WriteTxn, id: int, certificates: tuple[bytes, ...]) -> None:
    """Keep these X.509 certificates alone. Raises Unknown, NotAllowed."""
    entries.set_blob(txn, id, Part.CERTIFICATE, certificates[0] if certificates else None)
    entries.set_blob(txn, id, Part.FURTHER_CERTIFICATES, _pack(certificates[1:]))


def set_smime(txn: WriteTxn, id: int, certificates: tuple[bytes, ...]) -> None:
    """Keep these S/MIME certificates alone. Raises Unknown, NotAllowed."""
    entries.set_blob(txn, id, Part.SMIME_CERTIFICATES, _pack(certificates))


def _pack(certificates: tuple[bytes, ...]) -> bytes | None:
    if len(certificates) > MAX_CERTIFICATES:
        raise NotAllowed(f"at most {MAX_CERTIFICATES} certificates")
    if sum(map(len, certificates)) > MAX_BLOB:
        raise NotAllowed(f"at most {MAX_BLOB >> 10} KiB")
    return b"".join(len(one).to_bytes(4, "big") + one for one in certificates) or None


def _unpack(data: bytes | None) -> tuple[bytes, ...]:
    found, at = [], 0
    while data and at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        found.append(data[at + 4 : at + 4 + size])
        at += 4 + size
    return tuple(found)
