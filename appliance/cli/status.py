"""`appliance status`: what runs, what is stored, how the machine is. With the server running or stopped."""

import datetime
from pathlib import Path
from typing import Any

import click
from cryptography import x509

from appliance import app, config
from appliance.cli.dns import zone
from appliance.cli.tools import data_directory, json_option, open_store, print_json
from appliance.directory import domains
from appliance.net import health, running
from appliance.net.interfaces import addresses
from appliance.net.tls import CERTIFICATE_FILE, DIRECTORY
from appliance.store import keys, settings
from appliance.store.keys import SERVER, Table
from appliance.store.kv import ReadTxn
from appliance.store.store import FORMAT, Store

LAST_BACKUP = keys.pack(SERVER, Table.META, "last backup")
"""When a backup was last finished, as ISO 8601 text."""


@click.command()
@click.option("--dns", is_flag=True, help="Print the DNS records that the served domains need.")
@json_option
def status(as_json: bool, dns: bool) -> None:
    """Roles, listeners, store, queue, backup, health."""
    if dns:
        click.echo(_zone())
        return
    with open_store() as store:
        found = collect(store, data_directory())
    if as_json:
        print_json(found)
        return
    for name in ("roles", "listeners", "store", "queue", "backup", "health"):
        click.echo(f"{name:10} {_told(name, found[name])}")


def _zone() -> str:
    with open_store() as store, store.read() as txn:
        organization, texts = domains.get(txn), settings.texts(txn)
    loaded = config.load(data_directory(), texts, {})
    return zone(organization, app.offers(loaded), addresses())


def collect(store: Store, data: Path) -> dict[str, Any]:
    """The object that `--json` prints."""
    processes = running.present(data)
    with store.read() as txn:
        waiting = _count(txn, Table.QUEUE)
        backup = txn.get(LAST_BACKUP)
    facts = health.facts(store, running=bool(processes), certificate_days=_certificate_days(data))
    return {
        "roles": [
            {"role": role, "pid": process["pid"]} for process in processes for role in process["roles"]
        ],
        "listeners": [listener for process in processes for listener in process["listeners"]],
        "store": {
            "path": str(store.env.path),
            "format": FORMAT,
            "size": store.size_bytes(),
            "free": facts.free,
            "reserve": facts.reserve,
        },
        "queue": {"waiting": waiting},
        "backup": {"last": backup.decode() if backup else None},
        "health": health.judge(facts).as_json(),
    }


def _count(txn: ReadTxn, table: Table) -> int:
    prefix = keys.head(SERVER, table)
    return sum(1 for _ in txn.scan_keys(prefix, keys.successor(prefix)))


def _certificate_days(data: Path) -> int | None:
    try:
        pem = (data / DIRECTORY / CERTIFICATE_FILE).read_bytes()
        end = x509.load_pem_x509_certificates(pem)[0].not_valid_after_utc
    except (OSError, ValueError):
        return None
    return (end - datetime.datetime.now(datetime.UTC)).days


def _told(name: str, found: Any) -> str:
    """One section, for people."""
    if name == "roles":
        return ", ".join(f"{row['role']} (process {row['pid']})" for row in found) or "none"
    if name == "listeners":
        return ", ".join(f"{row['service']}{'+TLS' * row['tls']} {row['port']}" for row in found) or "none"
    if name == "store":
        size, free = show_megabytes(found["size"]), show_megabytes(found["free"])
        return f"{found['path']}, {size} used, {free} free"
    if name == "queue":
        return f"{found['waiting']} messages waiting"
    if name == "backup":
        return f"last {found['last']}" if found["last"] else "none yet"
    problems = "; ".join(problem["text"] for problem in found["problems"])
    return f"{found['state']}: {problems}" if problems else str(found["state"])


def show_megabytes(size: int) -> str:
    """A size for people: megabytes, or gigabytes from ten on."""
    return f"{size / 1e9:.1f} GB" if size >= 10e9 else f"{size / 1e6:.1f} MB"
