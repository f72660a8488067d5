"""`appliance console`: the serial console's menus on the terminal at hand, or on the lines of the board.

The terminal is switched to raw input while it lasts and back in any case.
"""

import asyncio
import contextlib
import os
import signal
import sys
import termios
import tty
from collections.abc import Callable, Coroutine, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import click
import uvloop

from appliance.cli.tools import data_directory
from appliance.config import Settings, load
from appliance.net import interfaces, log, systemd
from appliance.panel import commands, lines, menu, task
from appliance.panel.machine import Machine
from appliance.panel.session import Session


@click.command("console")
@click.option("--board", is_flag=True, help="Serve the board's lines, lights and button instead.")
def console(board: bool) -> None:
    """Set this machine up and look after it, by questions and menus."""
    data = data_directory()
    settings = load(data, {}, {})
    if board:
        log.set_up(settings.log.level)
        _run(partial(_alone, data, settings))
    else:
        with _raw(sys.stdin.fileno()):
            _run(partial(_here, data, settings))


def _run(begin: Callable[[], Coroutine[Any, Any, None]]) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(begin())


@contextlib.contextmanager
def _raw(descriptor: int) -> Iterator[None]:
    """A terminal that hands over every key; anything else stays as it is."""
    if not os.isatty(descriptor):
        yield
        return
    before = termios.tcgetattr(descriptor)
    try:
        tty.setraw(descriptor)
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


async def _here(data: Path, settings: Settings) -> None:
    own = Machine(data).is_appliance
    desk = menu.Desk(partial(task.is_set_up, data), interfaces.addresses, leaves=True, own_network=own)
    session = Session(partial(menu.conversation, desk), idle=settings.panel.idle, name="terminal")
    run = partial(commands.run, data)
    await _until_told(lines.converse(session, sys.stdin.fileno(), sys.stdout.fileno(), run))


async def _alone(data: Path, settings: Settings) -> None:
    await _until_told(task.alone(data, settings, _started))


async def _until_told(work: Coroutine[Any, Any, None]) -> None:
    """Work until it ends, or a signal ends it in order."""
    loop = asyncio.get_running_loop()
    working = loop.create_task(work)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, working.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await working


def _started() -> None:
    """Tell the service manager, and show it life while the loop turns."""
    systemd.notify("READY=1", "STATUS=panel without the server")
    interval = systemd.watchdog_interval()
    if interval is None:
        return
    loop = asyncio.get_running_loop()

    def beat() -> None:
        systemd.notify("WATCHDOG=1")
        loop.call_later(interval, beat)

    beat()
