"""`appliance smarthost`: the server that takes all outgoing mail."""

import asyncio

import click

from appliance.cli.frame import Failed
from appliance.cli.tools import change, json_option, open_store, password_from, print_facts
from appliance.directory import domains
from appliance.transport import smarthost as stored
from appliance.transport.client import Connector, Unreachable
from appliance.transport.routes import DnsResolver, RouteError, Router
from appliance.transport.smarthost import Smarthost, TlsMode, parse_target


@click.group()
def smarthost() -> None:
    """The server that takes all outgoing mail."""


@smarthost.command("set")
@click.argument("target", metavar="HOST:PORT")
@click.option("--user", default="", help="The name to log on with.")
@click.option("--password-stdin", is_flag=True, help="Read the password from stdin.")
@click.option(
    "--tls",
    "tls",
    type=click.Choice([mode.value for mode in TlsMode]),
    help="How to encrypt; default: implicit on port 465, else starttls.",
)
def put(target: str, user: str, password_stdin: bool, tls: str | None) -> None:
    """Send all outgoing mail to HOST:PORT."""
    host, port = parse_target(target)
    password = password_from(password_stdin, None)
    if bool(user) != (password is not None):
        raise Failed("--user and --password-stdin go together")
    mode = TlsMode(tls) if tls else TlsMode.IMPLICIT if port == 465 else TlsMode.STARTTLS
    if user and mode is TlsMode.NONE and host not in ("localhost", "127.0.0.1", "::1"):
        raise Failed("a password is not sent without TLS: use --tls starttls or --tls implicit")
    with open_store() as store:
        change(store, lambda txn: stored.put(txn, Smarthost(host, port, mode, user, password or "")))


@smarthost.command("clear")
def clear() -> None:
    """Send mail to each domain's own servers again."""
    with open_store() as store:
        change(store, stored.clear)


@smarthost.command("test")
def test() -> None:
    """Connect and log on as outgoing mail would, without sending any."""
    with open_store() as store, store.read() as txn:
        host, name = stored.get(txn), domains.get(txn).hostname
    if host is None:
        raise Failed("no smart host is set")
    try:
        asyncio.run(_try(host, name))
    except (RouteError, Unreachable) as error:
        raise Failed(f"{host.host}: {error}") from error
    click.echo(f"{host.host} takes our mail")


async def _try(host: Smarthost, name: str) -> None:
    peer = await Connector.of(name).connect(await Router(DnsResolver()).route("", host))
    await peer.close()


@smarthost.command("show")
@json_option
def show(as_json: bool) -> None:
    """Show the smart host, without its password."""
    with open_store() as store, store.read() as txn:
        host = stored.get(txn)
    if host is None:
        raise Failed("no smart host is set")
    print_facts(
        {"host": host.host, "port": host.port, "tls": host.tls.value, "user": host.user}, as_json=as_json
    )
