"""`appliance init`: a data directory with an empty store, the organization, the private CA, a certificate.

Everything is made in a directory beside the wanted one and renamed into place at the end, so that a data
directory is whole or not there. An existing empty directory is taken over.
"""

import secrets
import shutil
from pathlib import Path

import click

from appliance.cli.frame import Failed
from appliance.cli.tls import issue
from appliance.cli.tools import change, data_directory
from appliance.directory import domains
from appliance.directory.addresses import BadAddress
from appliance.net import authority
from appliance.net.tls import DIRECTORY
from appliance.store.errors import StoreError
from appliance.store.store import Store, sync_directory


@click.command()
@click.option(
    "--domain", "served", multiple=True, required=True, help="A domain to serve; the first is primary."
)
@click.option("--hostname", help="This server's own name; default mail.DOMAIN.")
@click.option("--organization", help="Name in the address book and in certificates; default the domain.")
def init(served: tuple[str, ...], hostname: str | None, organization: str | None) -> None:
    """Make a data directory."""
    create(data_directory(), served, hostname or f"mail.{served[0]}", organization or served[0])


def create(data: Path, served: tuple[str, ...], hostname: str, organization: str) -> None:
    """Make the data directory. Raises Failed; then nothing was made."""
    if data.exists() and any(data.iterdir()):
        raise Failed(f"{data} exists and is not empty")
    data.absolute().parent.mkdir(parents=True, exist_ok=True)
    building = data.absolute().with_name(f".{data.name}.{secrets.token_hex(4)}.new")
    try:
        _fill(building, domains.Organization(domains=served, hostname=hostname, name=organization))
        sync_directory(building)
        if data.exists():
            data.rmdir()
        building.rename(data)
        sync_directory(data.absolute().parent)
    except (StoreError, BadAddress) as error:
        raise Failed(str(error)) from error
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _fill(data: Path, organization: domains.Organization) -> None:
    store = Store.create(data)
    try:
        made = change(store, lambda txn: domains.put(txn, organization))
    finally:
        store.close()
    authority.make_authority(data / DIRECTORY, made.name)
    issue(data, made.hostname)
