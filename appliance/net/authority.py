"""The private certificate authority and the certificates that it signs.

`make_authority` is called once by `appliance init`; `issue` then makes the server's certificate for its
host name, `localhost` and the machine's addresses. Both begin on BEGIN, before this release was built,
because boards start without a clock: a certificate must be valid on a machine that believes it is 2025.

Keys are ECDSA P-256 (small handshakes on small boards); private files are readable by the owner alone and
are replaced by renaming, so that a power cut leaves the old pair or the new one.
"""

import datetime
import ipaddress
import os
from collections.abc import Iterable
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from appliance.net.tls import CA_FILE, CA_KEY_FILE, CERTIFICATE_FILE, KEY_FILE

BEGIN = datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)
"""First moment of every certificate's validity."""

AUTHORITY_YEARS = 30
CERTIFICATE_DAYS = 820
"""Validity of a server certificate from the day of issue, in days (Apple refuses more than 825)."""

_LONGEST_NAME = 64  # of a common name (RFC 5280 appendix A.1, ub-common-name)


class CertificateError(Exception):
    """A key or certificate that cannot be used; the message says which and why."""


def make_authority(directory: Path, organization: str) -> None:
    """Make the private CA in `directory`: its key and its certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization[:_LONGEST_NAME]),
            x509.NameAttribute(NameOID.COMMON_NAME, f"{organization} private CA"[:_LONGEST_NAME]),
        ]
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(BEGIN)
        .not_valid_after(BEGIN.replace(year=BEGIN.year + AUTHORITY_YEARS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_ca_usage(), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    replace(directory / CA_KEY_FILE, _key_pem(key), private=True)
    replace(directory / CA_FILE, certificate.public_bytes(serialization.Encoding.PEM))


def issue(directory: Path, host: str, names: Iterable[str], now: datetime.datetime) -> None:
    """Issue the server's certificate for `host` and further DNS names or addresses.

    `now` bounds the end of its validity, never its begin. Raises CertificateError without a CA."""
    ca_key, ca = _authority(directory)
    key = ec.generate_private_key(ec.SECP256R1())
    end = max(now, BEGIN) + datetime.timedelta(days=CERTIFICATE_DAYS)
    authority_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key())
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host[:_LONGEST_NAME])]))
        .issuer_name(ca.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(BEGIN)
        .not_valid_after(min(end, ca.not_valid_after_utc))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(_general_names(host, names)), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(authority_id, critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    chain = certificate.public_bytes(serialization.Encoding.PEM)
    chain += ca.public_bytes(serialization.Encoding.PEM)
    install(directory, chain, _key_pem(key))


def install(directory: Path, chain: bytes, key: bytes) -> None:
    """Put a certificate chain and its key (PEM) in place. Raises CertificateError if they do not fit."""
    try:
        first = x509.load_pem_x509_certificates(chain)[0]
    except (ValueError, IndexError) as error:
        raise CertificateError(f"not a PEM certificate: {error}") from error
    try:
        private = serialization.load_pem_private_key(key, None)
    except (ValueError, TypeError) as error:
        raise CertificateError(f"not an unencrypted PEM private key: {error}") from error
    if not isinstance(private, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise CertificateError("the private key is neither RSA nor elliptic-curve")
    if private.public_key() != first.public_key():
        raise CertificateError("the private key does not belong to the certificate")
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    replace(directory / KEY_FILE, pem, private=True)
    replace(directory / CERTIFICATE_FILE, chain)


def replace(path: Path, data: bytes, *, private: bool = False) -> None:
    """Write a file durably under a new name and rename it into place."""
    temporary = path.with_name(path.name + ".new")
    descriptor = os.open(
        temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600 if private else 0o644
    )
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _authority(directory: Path) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    try:
        key = serialization.load_pem_private_key((directory / CA_KEY_FILE).read_bytes(), None)
        certificate = x509.load_pem_x509_certificate((directory / CA_FILE).read_bytes())
    except (OSError, ValueError) as error:
        raise CertificateError(f"no usable private CA in {directory}: {error}") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise CertificateError(f"{directory / CA_KEY_FILE} is not an elliptic-curve key")
    return key, certificate


def _general_names(host: str, names: Iterable[str]) -> list[x509.GeneralName]:
    found: dict[str, x509.GeneralName] = {}
    for name in (host, "localhost", *names, "127.0.0.1", "::1"):
        try:
            found[name] = x509.IPAddress(ipaddress.ip_address(name))
        except ValueError:
            found[name] = x509.DNSName(name)
    return list(found.values())


def _ca_usage() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=True,
        crl_sign=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
