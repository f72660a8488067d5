"""`appliance status`: what runs, what is stored, how the machine is. With the server running or stopped."""

import time
from pathlib import Path
from typing import Any

import click

from appliance import app, config
from appliance.cli.dns import zone
from appliance.cli.frame import Failed
from appliance.cli.tools import data_directory, json_option, open_store, print_json
from appliance.config import parse_time
from appliance.directory import domains
from appliance.net import health, running
from appliance.net.interfaces import addresses
from appliance.store import keys, settings
from appliance.store.keys import SERVER, Table
from appliance.store.kv import ReadTxn
from appliance.store.store import FORMAT, Store

INTERVAL = 5.0
"""Seconds between two looks of `health --wait`."""

IN_A_ROW = 2
"""Looks that must be good one after the other while there is time."""

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


@click.command("health")
@click.option(
    "--wait", default="0s", metavar="TIME", help="Keep looking this long (30s, 5m) until all is well."
)
def health_command(wait: str) -> None:
    """Succeed only if nothing is failing: what decides whether an update stays."""
    deadline = time.monotonic() + parse_time(wait)
    well = 0
    while True:
        with open_store() as store:
            judged = health.judge(collect_facts(store, data_directory()))
        well = 0 if judged.state is health.State.FAILING else well + 1
        if well >= (IN_A_ROW if deadline > time.monotonic() else 1):
            return
        if time.monotonic() >= deadline:
            raise Failed("; ".join(problem.text for problem in judged.problems))
        time.sleep(INTERVAL)


def collect_facts(store: Store, data: Path) -> health.Facts:
    """What health is judged by, seen from outside of the server."""
    return health.facts(
        store,
        running=bool(running.present(data)),
        certificate_days=health.certificate_days(data),
    )


def collect(store: Store, data: Path) -> dict[str, Any]:
    """The object that `--json` prints."""
    processes = running.present(data)
    with store.read() as txn:
        waiting = _count(txn, Table.QUEUE)
        backup = txn.get(LAST_BACKUP)
    facts = collect_facts(store, data)
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
