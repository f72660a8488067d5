"""Lines that a console is offered on: serial ports, and the terminal at hand.

`converse` drives one session over one file descriptor. `serve_port` does so for a serial port for ever: a
port that is not there yet, or was pulled out, is tried again, and whoever comes next begins anew.
"""

import asyncio
import contextlib
import fcntl
import logging
import os
from collections.abc import Awaitable, Callable

import serial

from appliance.net.log import event
from appliance.panel.dialogue import Result, Run
from appliance.panel.session import Session

BAUD = 115200
RETRY = 5.0
"""Seconds between two tries to open a port."""

TICK = 1.0
_READ = 1024
_log = logging.getLogger(__name__)

Runner = Callable[[Run], Awaitable[Result]]


class _Conversation:
    """One session on one descriptor, until either ends."""

    def __init__(self, session: Session, read: int, write: int, run: Runner) -> None:
        self._session, self._read, self._write, self._run = session, read, write, run
        self._loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[None] = self._loop.create_future()
        self._waiting = bytearray()
        self._command: asyncio.Task[None] | None = None
        self._running = 0

    async def hold(self) -> None:
        """Returns when the session ended or the line was lost."""
        self._loop.add_reader(self._read, self._readable)
        ticking = self._loop.create_task(self._tick())
        self._session.start(self._loop.time())
        self._moved()
        try:
            await self._ended
        finally:
            ticking.cancel()
            self._loop.remove_reader(self._read)
            self._loop.remove_writer(self._write)
            if self._command is not None:
                self._command.cancel()
                await asyncio.gather(self._command, return_exceptions=True)
            self._session.hang_up()

    def _readable(self) -> None:
        try:
            data = os.read(self._read, _READ)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._end()
            return
        self._session.feed(data, self._loop.time())
        self._moved()

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK)
            self._session.tick(self._loop.time())
            self._moved()

    def _moved(self) -> None:
        """Send what there is to send, run what is wanted."""
        self._waiting += self._session.terminal.take()
        self._send()
        wanted = self._session.wanted
        if wanted is not None and self._session.number != self._running:
            self._running = self._session.number
            self._command = self._loop.create_task(self._perform(wanted, self._running))
        if self._session.ended and not self._waiting:
            self._end()

    async def _perform(self, wanted: Run, number: int) -> None:
        result = await self._run(wanted)
        self._session.finished(number, result)
        self._moved()

    def _send(self) -> None:
        try:
            if self._waiting:
                del self._waiting[: os.write(self._write, self._waiting)]
        except BlockingIOError:
            pass
        except OSError:
            self._end()
            return
        if self._waiting:
            self._loop.add_writer(self._write, self._moved)
        else:
            self._loop.remove_writer(self._write)

    def _end(self) -> None:
        if not self._ended.done():
            self._ended.set_result(None)


async def converse(session: Session, read: int, write: int, run: Runner) -> None:
    """Drive a session over descriptors until it ends or the line is lost. They are not closed here; while
    it lasts they do not block."""
    flags = {descriptor: fcntl.fcntl(descriptor, fcntl.F_GETFL) for descriptor in (read, write)}
    for descriptor, value in flags.items():
        fcntl.fcntl(descriptor, fcntl.F_SETFL, value | os.O_NONBLOCK)
    try:
        await _Conversation(session, read, write, run).hold()
    finally:
        for descriptor, value in flags.items():
            with contextlib.suppress(OSError):
                fcntl.fcntl(descriptor, fcntl.F_SETFL, value)


async def serve_port(path: str, session: Session, run: Runner, *, retry: float = RETRY) -> None:
    """Offer the console on a serial port for ever: 115200 bits, 8 data bits, no parity, one stop bit."""
    missing = ""
    while True:
        try:
            port = serial.Serial(path, BAUD, timeout=0, exclusive=True)
        except (OSError, ValueError) as error:  # serial's own exception is an OSError
            if str(error) != missing:
                missing = str(error)
                event(_log, logging.INFO, "no console on this line yet", line=path, reason=error)
            await asyncio.sleep(retry)
            continue
        missing = ""
        event(_log, logging.INFO, "console", line=path)
        try:
            await converse(session, port.fileno(), port.fileno(), run)
        finally:
            with contextlib.suppress(OSError):
                port.close()
        event(_log, logging.INFO, "the console's line was lost", line=path)
        await asyncio.sleep(retry)
