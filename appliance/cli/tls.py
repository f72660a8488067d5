"""`appliance tls show|renew|import|export-ca`: the server's certificate and its private CA.

A running server loads a new certificate by itself: each change notes its time in the store, which every
process watches.
"""

import datetime
import sys
from pathlib import Path

import click
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from appliance.cli.frame import Failed
from appliance.cli.tools import change, data_directory, json_option, open_store, print_facts
from appliance.directory import domains
from appliance.net import authority, interfaces
from appliance.net.tls import CA_FILE, CERTIFICATE_FILE, DIRECTORY
from appliance.store.keys import SERVER
from appliance.store.store import Store


@click.group()
def tls() -> None:
    """Certificates."""


@tls.command()
@json_option
def show(as_json: bool) -> None:
    """Show the server's certificate."""
    path = data_directory() / DIRECTORY / CERTIFICATE_FILE
    try:
        certificate = x509.load_pem_x509_certificates(path.read_bytes())[0]
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (OSError, ValueError, x509.ExtensionNotFound) as error:
        raise Failed(f"{path}: {error}") from error
    facts = {
        "subject": certificate.subject.rfc4514_string(),
        "issuer": certificate.issuer.rfc4514_string(),
        "names": [str(name.value) for name in names],
        "begins": certificate.not_valid_before_utc.isoformat(),
        "ends": certificate.not_valid_after_utc.isoformat(),
        "sha256": certificate.fingerprint(hashes.SHA256()).hex(":"),
    }
    print_facts(facts, as_json=as_json)


@tls.command()
@click.option("--name", "names", multiple=True, help="A further name or address of this machine.")
def renew(names: tuple[str, ...]) -> None:
    """Issue a new certificate from the private CA."""
    with open_store() as store:
        with store.read() as txn:
            host = domains.get(txn).hostname
        issue(data_directory(), host, names)
        _announce(store)


@tls.command("import")
@click.argument("certificate", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.argument("key", type=click.Path(path_type=Path, dir_okay=False, exists=True))
def import_(certificate: Path, key: Path) -> None:
    """Use a certificate (PEM, with its chain) and its private key from elsewhere."""
    with open_store() as store:
        try:
            authority.install(data_directory() / DIRECTORY, certificate.read_bytes(), key.read_bytes())
        except authority.CertificateError as error:
            raise Failed(str(error)) from error
        _announce(store)


@tls.command("export-ca")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True), default="-")
def export_ca(file: Path) -> None:
    """Write the private CA's certificate (PEM), for the trust stores of clients."""
    path = data_directory() / DIRECTORY / CA_FILE
    try:
        pem = path.read_bytes()
    except OSError as error:
        raise Failed(f"no private CA: {error}") from error
    if str(file) == "-":
        sys.stdout.buffer.write(pem)
        sys.stdout.buffer.flush()
    else:
        file.write_bytes(pem)


def issue(data: Path, host: str, names: tuple[str, ...] = ()) -> None:
    """Issue the certificate for `host`, further names and the machine's addresses. Raises Failed."""
    try:
        now = datetime.datetime.now(datetime.UTC)
        authority.issue(data / DIRECTORY, host, [*names, *interfaces.addresses()], now)
    except authority.CertificateError as error:
        raise Failed(str(error)) from error


def _announce(store: Store) -> None:
    """Let running servers look: they compare the files with what they have."""
    change(store, lambda txn: txn.touch(SERVER))
