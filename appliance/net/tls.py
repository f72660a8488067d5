"""The server's TLS identity: one live context that every listener shares.

The key and certificate stand in `DIR/tls/`: `key.pem`, `cert.pem` (with its chain). `reload` loads them
again into the same context, so that connections made from then on get the new certificate; those that are
open keep theirs. Making certificates is the work of `authority`, which is not needed to serve.

TLS 1.2 and 1.3 with forward secrecy and authenticated ciphers; no compression, no renegotiation.
"""

import datetime
import hashlib
import ssl
from pathlib import Path

from appliance.net.der import not_after, signature_algorithm

DIRECTORY = "tls"
"""Folder within the data directory."""

KEY_FILE = "key.pem"
CERTIFICATE_FILE = "cert.pem"
CA_KEY_FILE = "ca-key.pem"
CA_FILE = "ca.pem"

CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""For TLS 1.2; TLS 1.3 has nothing to choose."""


class TlsIdentity:
    """Key, certificate and the context made of them."""

    def __init__(self, directory: Path) -> None:
        """Raises OSError or ssl.SSLError when the files are missing or do not fit together."""
        self._directory = directory
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self.context.set_ciphers(CIPHERS)
        self.context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
        self.context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE
        self.end_point = b""
        """tls-server-end-point channel binding of the present certificate (RFC 5929 4.1)."""
        self._seen = (0, 0)
        self._end = datetime.datetime.max.replace(tzinfo=datetime.UTC)
        self.reload()

    def reload_if_changed(self) -> bool:
        """Load the files again if they are others now; whether they were."""
        if self._stamp() == self._seen:
            return False
        self.reload()
        return True

    def days_left(self) -> int:
        """Whole days until the certificate ends; negative once it has."""
        return (self._end - datetime.datetime.now(datetime.UTC)).days

    def _stamp(self) -> tuple[int, int]:
        status = (self._directory / CERTIFICATE_FILE).stat()
        return status.st_ino, status.st_mtime_ns

    def reload(self) -> None:
        """Load the files again. On an error the context keeps what it had."""
        stamp = self._stamp()
        certificate, key = self._directory / CERTIFICATE_FILE, self._directory / KEY_FILE
        probe = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        probe.load_cert_chain(certificate, key)
        first = first_certificate(certificate.read_text())
        end_point, self._end = server_end_point(first), not_after(first)
        self.context.load_cert_chain(certificate, key)
        self.end_point = end_point
        self._seen = stamp


def first_certificate(pem: str) -> bytes:
    """The first certificate of a PEM file, in DER."""
    end = "-----END CERTIFICATE-----"
    begin = pem.index("-----BEGIN CERTIFICATE-----")
    return ssl.PEM_cert_to_DER_cert(pem[begin : pem.index(end, begin) + len(end)] + "\n")


_HASHES = {
    "1.2.840.113549.1.1.11": "sha256",
    "1.2.840.113549.1.1.12": "sha384",
    "1.2.840.113549.1.1.13": "sha512",
    "1.2.840.10045.4.3.2": "sha256",
    "1.2.840.10045.4.3.3": "sha384",
    "1.2.840.10045.4.3.4": "sha512",
}
"""Hash of each signature algorithm; for MD5, SHA-1 and everything else RFC 5929 4.1 leads to SHA-256."""


def server_end_point(certificate: bytes) -> bytes:
    """Channel binding data of a server's certificate (DER): its hash (RFC 5929 4.1)."""
    return hashlib.new(_HASHES.get(signature_algorithm(certificate), "sha256"), certificate).digest()
