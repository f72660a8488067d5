"""`appliance serve`: run the services of some roles until SIGTERM or SIGINT.

Exit code 0 after a signal, 1 when the start was refused (nothing is served half-configured) or the device
failed meanwhile.
"""

import asyncio
import contextlib
import ctypes
import gc
import logging
import resource
import signal
import sys
from pathlib import Path

import click
import uvloop

from appliance import config
from appliance.app import Server
from appliance.cli.frame import Failed
from appliance.cli.tools import data_directory
from appliance.net import log, systemd
from appliance.net.listener import Listener

SWITCH_INTERVAL = 0.0005
"""Seconds: with Python's 5 ms a writer thread in pure Python starves the loop."""

MAX_DESCRIPTORS = 65536
GC_THRESHOLDS = (20_000, 20, 50)
_M_ARENA_MAX, _ARENAS = -8, 2
CREDENTIALS_FILE = "demo.txt"
"""What the demo leaves for the table of endpoints."""

WITHOUT_STARTTLS = frozenset({"http"})

_log = logging.getLogger("appliance.serve")


@click.command()
@click.option("--bind", help="Addresses to listen on, with commas.")
@click.option("--port-offset", help="Added to every standard port.")
@click.option("--roles", help="Roles to serve, with commas.")
@click.option("--log-level", help="debug, info, warning or error.")
@click.option("--endpoints", is_flag=True, help="Print a table of endpoints before `ready`.")
def serve(
    bind: str | None, port_offset: str | None, roles: str | None, log_level: str | None, endpoints: bool
) -> None:
    """Serve until told to stop."""
    given = {
        "serve.bind": bind,
        "serve.port_offset": port_offset,
        "serve.roles": roles,
        "log.level": log_level,
    }
    try:
        flags = {name: config.find(name).parse(text) for name, text in given.items() if text is not None}
    except config.SettingError as error:
        raise click.UsageError(str(error)) from error
    _tune()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        failure = runner.run(_serve(data_directory(), flags, endpoints))
    if failure is not None:
        raise Failed(f"the store's device failed: {failure}")


def _tune() -> None:
    """Settings of the process: threads, descriptors, memory."""
    sys.setswitchinterval(SWITCH_INTERVAL)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, MAX_DESCRIPTORS)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    with contextlib.suppress(OSError, AttributeError):  # glibc's; one arena for each thread wastes memory
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, _ARENAS)


async def _serve(data: Path, flags: dict[str, config.Value], endpoints: bool) -> Exception | None:
    """Serve; the error of the device if that is why it ended."""
    log.set_up(str(flags.get("log.level", "info")))
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[Exception | None] = loop.create_future()

    def end(error: Exception | None = None) -> None:
        if not ended.done():
            ended.set_result(error)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end)
    server = Server(data, flags, end)
    log.set_up(server.parts.settings.log.level)
    try:
        listeners = await server.listen()
        gc.collect()
        gc.freeze()
        gc.set_threshold(*GC_THRESHOLDS)
        if endpoints:
            _print_endpoints(data, listeners)
        click.echo("ready")
        systemd.notify("READY=1", f"STATUS=serving {len(listeners)} listeners")
        log.event(_log, logging.INFO, "ready", listeners=len(listeners))
        watchdog = loop.create_task(_feed_watchdog(server))
        failure = await ended
        watchdog.cancel()
        systemd.notify("STOPPING=1")
        log.event(_log, logging.INFO, "ending", reason=failure or "told to")
    finally:
        await server.close()
    return failure


async def _feed_watchdog(server: Server) -> None:
    """Show life to the service manager while the loop turns and the writer moves."""
    interval = systemd.watchdog_interval()
    while interval is not None:
        if server.store.writer.ping():
            systemd.notify("WATCHDOG=1")
        await asyncio.sleep(interval)


def _print_endpoints(data: Path, listeners: list[Listener]) -> None:
    for listener in sorted(listeners, key=lambda each: each.port):
        plain = "plain" if listener.service.name in WITHOUT_STARTTLS else "plain or STARTTLS"
        layer = "TLS" if listener.implicit_tls else plain
        click.echo(f"{listener.service.name:12} {listener.address}:{listener.port:<6} {layer}")
    with contextlib.suppress(FileNotFoundError):
        click.echo((data / CREDENTIALS_FILE).read_text(encoding="utf-8").rstrip())
