"""The machine itself: administrator, network, time zone, restart, shutdown, factory reset, log, stick,
advice.

What the serial console offers, as commands. Those that the system below must carry out work on the
appliance alone and are refused elsewhere.
"""

import asyncio
import importlib
import secrets
import shutil
import socket
import subprocess
import sys
import zoneinfo
from collections.abc import Iterator
from datetime import datetime

import click

from appliance.cli import people
from appliance.cli.frame import Failed
from appliance.cli.tools import (
    change,
    data_directory,
    json_option,
    open_store,
    password_from,
    print_facts,
    print_rows,
    settings_of,
)
from appliance.directory import administrator as stored
from appliance.directory import credentials, domains
from appliance.directory.addresses import parse_domain
from appliance.net import interfaces, running
from appliance.panel import advice as advising
from appliance.panel import network as networks
from appliance.panel.dialogue import NO_PASSWORD, WRONG_PASSWORD
from appliance.panel.machine import Machine
from appliance.panel.network import Network
from appliance.transport import smarthost
from appliance.transport.routes import DnsFailure, DnsResolver, NoSuchName
from appliance.transport.task import SET_BY_HAND, SYNCHRONIZED

PATIENCE = 5.0
"""Seconds that one look of `network test` takes at most."""

LOG_LINES = 200
_ERASE = "erase everything"


def machine() -> Machine:
    """The machine of the data directory."""
    return Machine(data_directory())


# -- administrator ----------------------------------------------------------------------------------------


@click.group()
def admin() -> None:
    """The administrator's password."""


@admin.command("passwd")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
def admin_passwd(password_stdin: bool) -> None:
    """Set it; asks for it on a terminal."""
    password = password_from(password_stdin, None)
    if password is None:
        if not sys.stdin.isatty():
            raise click.UsageError("--password-stdin is missing")
        password = click.prompt("New password", hide_input=True, confirmation_prompt=True)
    salt = secrets.token_bytes(credentials.SALT_SIZE)
    secret = credentials.prepare(password, salt=salt, now=people.now())
    with open_store() as store:
        change(store, lambda txn: stored.put(txn, secret))


@admin.command("verify")
@click.option("--password-stdin", is_flag=True, required=True, help="Read it from standard input.")
def admin_verify(password_stdin: bool) -> None:
    """Succeed only with the right password."""
    password = password_from(password_stdin, None)
    with open_store() as store, store.read() as txn:
        secret = stored.get(txn)
    if not credentials.verify(secret, password or ""):
        raise Failed(WRONG_PASSWORD)


@admin.command("show")
def admin_show() -> None:
    """Succeed only if a password is set."""
    with open_store() as store, store.read() as txn:
        if stored.get(txn) is None:
            raise Failed(NO_PASSWORD)
    click.echo("A password is set.")


# -- network and time zone --------------------------------------------------------------------------------


@click.group()
def network() -> None:
    """The network of this machine."""


@network.command("show")
@json_option
def network_show(as_json: bool) -> None:
    """Show what was chosen and what is."""
    here = machine()
    chosen = here.network()
    facts = {
        "chosen": "automatic (DHCP)" if chosen.dhcp else "fixed",
        "address": chosen.address,
        "gateway": chosen.gateway,
        "dns": list(chosen.dns),
        "addresses_now": interfaces.addresses(),
        "timezone": here.timezone(),
    }
    print_facts(facts, as_json=as_json)


_HOSTNAME = click.option("--hostname", help="Also give the machine this name.")


@network.command("dhcp")
@_HOSTNAME
def network_dhcp(hostname: str | None) -> None:
    """Take everything from the router."""
    _choose(Network(), hostname)


@network.command("static")
@click.argument("address")
@click.option("--gateway", default="", help="The router.")
@click.option("--dns", multiple=True, help="A name server; may be given more than once.")
@_HOSTNAME
def network_static(address: str, gateway: str, dns: tuple[str, ...], hostname: str | None) -> None:
    """Use a fixed ADDRESS with its prefix length, as 192.168.1.10/24."""
    _choose(networks.static(address, gateway, dns), hostname)


def _choose(chosen: Network, hostname: str | None) -> None:
    name = parse_domain(hostname) if hostname else None
    here = machine()
    here.set_network(chosen)
    if name:
        here.set_hostname(name)


@network.command("test")
@click.option("--domain", help="Also try to reach the mail servers of this domain.")
def network_test(domain: str | None) -> None:
    """Try what mail needs of the network; fails when something does not work."""
    failed = 0
    for about, reason in _looks(domain):
        failed += reason is not None
        click.echo(f"{about:44} {'ok' if reason is None else reason}")
    if failed:
        raise Failed(f"{failed} of these did not work")


def _looks(domain: str | None) -> Iterator[tuple[str, str | None]]:
    """What was tried, and what was wrong."""
    found = interfaces.addresses()
    yield f"addresses: {', '.join(found[:2])}", None if found else "none: is the cable in?"
    with open_store() as store, store.read() as txn:
        host, own = smarthost.get(txn), domains.get(txn).domain
    if host is not None:
        yield f"smart host {host.host} port {host.port}", _reach(host.host, host.port)
    for name in (own, *((domain,) if domain else ())):
        yield from _mail_servers(parse_domain(name), connect=name == domain)


def _mail_servers(domain: str, *, connect: bool) -> Iterator[tuple[str, str | None]]:
    try:
        records = asyncio.run(DnsResolver(PATIENCE).mx(domain))
    except (DnsFailure, NoSuchName) as error:
        yield f"mail servers of {domain}", f"not found: {error or 'no such name'}"
        return
    yield f"mail servers of {domain}", None if records else "no MX record"
    if records and connect:
        host = min(records)[1].rstrip(".")
        yield f"{host} port 25", _reach(host, 25)


def _reach(host: str, port: int) -> str | None:
    try:
        with socket.create_connection((host, port), PATIENCE):
            return None
    except OSError as error:
        return f"not reached: {error.strerror or error}"


@click.command()
@click.argument("zone", required=False)
def timezone(zone: str | None) -> None:
    """Show the time zone of this machine, or set it to ZONE, as Europe/Berlin."""
    if zone is None:
        click.echo(machine().timezone())
    else:
        machine().set_timezone(zone)


@click.command()
@click.argument("moment", metavar="[TIME]", required=False)
def clock(moment: str | None) -> None:
    """Show the clock, or set it to TIME, as "2026-05-04 12:30" in the machine's time zone."""
    here = machine()
    if moment is None:
        now = datetime.now(zoneinfo.ZoneInfo(here.timezone()))
        sure = "synchronised" if SYNCHRONIZED.exists() else "not synchronised with a time server"
        click.echo(f"{now:%Y-%m-%d %H:%M} {here.timezone()}, {sure}")
        return
    here.set_clock(here.parse_time(moment))
    (data_directory() / SET_BY_HAND).touch()


# -- restart, shutdown, reset ------------------------------------------------------------------------------

_YES = click.option("--yes", is_flag=True, help="Do not ask.")


def _sure(yes: bool, question: str) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.UsageError("--yes is missing")
    click.confirm(question, abort=True)


@click.command()
@_YES
def reboot(yes: bool) -> None:
    """Restart this machine."""
    _sure(yes, "Restart this machine?")
    machine().request("reboot")


@click.command()
@_YES
def shutdown(yes: bool) -> None:
    """Shut this machine down."""
    _sure(yes, "Shut this machine down?")
    machine().request("poweroff")


@click.command("factory-reset")
@_YES
@click.option("--begun", is_flag=True, hidden=True, help="Erase now: the mark was left before the restart.")
def factory_reset(yes: bool, begun: bool) -> None:
    """Erase all mail, people, settings and certificates of this machine."""
    here = machine()
    if begun:
        here.erase()
        return
    if not yes:
        if not sys.stdin.isatty():
            raise click.UsageError("--yes is missing")
        if click.prompt(f"This cannot be undone. Type '{_ERASE}' to go on") != _ERASE:
            raise Failed("nothing was erased")
    if here.is_appliance:
        here.mark_reset()
        here.request("reboot")
    elif running.present(data_directory()):
        raise Failed("a server runs on this data directory: stop it first")
    else:
        here.erase()


# -- log, stick, advice -----------------------------------------------------------------------------------


@click.command("log")
@click.option("--lines", default=LOG_LINES, type=click.IntRange(1, 10_000), help="How many, at most.")
def show_log(lines: int) -> None:
    """Print the last lines of the system's log."""
    if shutil.which("journalctl") is None:
        raise Failed("this machine keeps no journal")
    command = [
        "journalctl",
        "--no-pager",
        "--quiet",
        "--output=short-iso",
        f"--lines={lines}",
        "--unit=appliance*",
    ]
    ended = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if ended.returncode:
        raise Failed(ended.stderr.strip() or "the journal cannot be read")
    click.echo(ended.stdout, nl=False)


@click.group()
def stick() -> None:
    """The USB stick that is plugged in."""


@stick.command("list")
@json_option
def stick_list(as_json: bool) -> None:
    """List the backups on it, the newest first."""
    rows = [{"file": str(path), "size": path.stat().st_size} for path in machine().backups()]
    print_rows(rows, ["file", "size"], as_json=as_json)


@stick.command("updates")
@json_option
def stick_updates(as_json: bool) -> None:
    """List the update bundles on it."""
    rows = [{"file": str(path), "size": path.stat().st_size} for path in machine().bundles()]
    print_rows(rows, ["file", "size"], as_json=as_json)


@click.command("advice")
@click.argument("topic", type=click.Choice(["clients", "dns"]))
def advice(topic: str) -> None:
    """Say what to enter in mail programs, or which DNS records to publish."""
    site = _site()
    click.echo(advising.clients(site) if topic == "clients" else advising.dns(site))


def _site() -> advising.Site:
    app = importlib.import_module("appliance.app")  # the table of services; nothing is served here
    with open_store() as store:
        roles = settings_of(store).serve.roles
        with store.read() as txn:
            organization, host = domains.get(txn), smarthost.get(txn)
    services = frozenset(row.name for row in app.SERVICES if row.role in roles)
    return advising.Site(
        organization.domains or (organization.domain,),
        organization.hostname,
        tuple(interfaces.addresses()),
        services,
        host.host if host else "",
    )
