"""The console over real lines: a pseudo-terminal like a serial port, a socket, a terminal at hand.

Commands are the real ones, in processes of their own, on a data directory of the test.
"""

import asyncio
import os
import pty
import re
import signal
import socket
import subprocess
import sys
import termios
import threading
from collections.abc import Coroutine
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from appliance.cli import frame
from appliance.directory import administrator, credentials
from appliance.panel import commands, lines, menu, task
from appliance.panel.dialogue import Run
from appliance.panel.session import Session
from appliance.store.store import Store
from tests.panel.person import PASSWORD

PATIENCE = 60.0


class Far:
    """The far end of a line: what a person's terminal program does."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.screen = ""

    async def until(self, *texts: str) -> str:
        """Read until all the texts came since the last time; what came."""
        loop = asyncio.get_running_loop()
        said = ""
        async with asyncio.timeout(PATIENCE):
            while any(text not in said for text in texts):
                ready = loop.create_future()
                loop.add_reader(self._descriptor, ready.set_result, None)
                try:
                    await ready
                finally:
                    loop.remove_reader(self._descriptor)
                data = os.read(self._descriptor, 4096).decode()
                said += data
                self.screen += data
        return said

    async def type(self, line: str, *texts: str) -> str:
        """Type a line, and read until the texts came."""
        os.write(self._descriptor, line.encode() + b"\r")
        return await self.until(*texts)


def new_session(data: Path, **options: Any) -> Session:
    desk = menu.Desk(partial(task.is_set_up, data), lambda: ["192.0.2.7"], own_network=False, **options)
    return Session(partial(menu.conversation, desk), idle=600, name="test")


def run(coroutine: Coroutine[Any, Any, None]) -> None:
    asyncio.run(coroutine)


def set_up(data: Path) -> None:
    """A data directory with an administrator, made without a console."""
    assert frame.run(["--data", str(data), "init", "--domain", "example.test"]) == 0
    store = Store.open(data)
    secret = credentials.prepare(PASSWORD, salt=bytes(16), now=0)
    store.write(lambda txn: administrator.put(txn, secret)).result()
    store.close()


async def wizard_with_typos(far: Far) -> None:
    """The whole set-up, as somebody types who is in a hurry."""
    await far.until("Press Return to begin")
    await far.type("\x00\xff\x1b[[Ahelp", "What shall be done")
    await far.type("x", "a number from 1 to 2")
    await far.type("1", "Mail domain")
    await far.type("exmaple\x7f\x7f\x7f\x7f\x7f\x7fample", "a dot in it", "Mail domain")
    await far.type("example.test", "[mail.example.test]")
    await far.type("", "Organization")
    await far.type("", "Password")
    await far.type("short", "8 to 256")
    await far.type(PASSWORD, "same again")
    await far.type(PASSWORD, "Address")
    await far.type("anna@example.com", "end in @example.test")
    await far.type("anna", "Name")
    await far.type("Anna Ito", "Password")
    await far.type("annas secret", "same again")
    await far.type("annas sceret", "not the same", "Password")
    await far.type("annas secret", "same again")
    await far.type("annas secret", "Address")
    await far.type("", "Mail comes")
    await far.type("1", "Mail goes")
    await far.type("1", "Certificate")
    await far.type("1", "Is this right")
    said = await far.type("yes", "Return goes on")
    assert "FAILED" not in said
    assert "port 993" in said
    assert "MX    10 mail.example.test." in await far.type("", "Return goes on")
    await far.type("", "Administrator's password")


@pytest.mark.slow
def test_the_wizard_over_a_serial_line(tmp_path: Path) -> None:
    """pyserial on one end of a pseudo-terminal, a person on the other; unplugged at the end."""
    data = tmp_path / "data"

    async def scene() -> None:
        near, port = pty.openpty()
        path = os.ttyname(port)
        os.close(port)
        far = Far(near)
        session = new_session(data)
        serving = asyncio.create_task(
            lines.serve_port(path, session, partial(commands.run, data), retry=0.01)
        )
        await wizard_with_typos(far)
        assert "not the password" in await far.type("guess", "password: ")
        await far.type(PASSWORD, "log out")
        said = await far.type("2", "Delete", "Number: ")
        said = await far.type("1", "anna@example.test", "Number: ")
        assert "Anna Ito" in said
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
        os.close(near)
        assert "Traceback" not in far.screen
        assert "secret" not in far.screen
        assert set(re.findall(r"[\x00-\x1f]", far.screen)) <= {"\r", "\n", "\b", "\a"}

    run(scene())


@pytest.mark.slow
def test_a_socket_that_is_cut_and_comes_again(tmp_path: Path) -> None:
    data = tmp_path / "data"
    set_up(data)

    async def scene() -> None:
        session = new_session(data)
        for _ in range(2):
            near, far_socket = socket.socketpair()
            with near, far_socket:
                holding = asyncio.create_task(
                    lines.converse(session, near.fileno(), near.fileno(), partial(commands.run, data))
                )
                far = Far(far_socket.fileno())
                await far.until("Administrator's password: ")
                await far.type(PASSWORD, "log out")
                await far.type("1", "-- Satchel", "health", "no server is running")
                os.write(far_socket.fileno(), b"2\r1\r")  # and gone, while a command runs
                far_socket.close()
                await asyncio.wait_for(holding, PATIENCE)

    run(scene())


def test_a_port_that_is_not_there_is_tried_again(tmp_path: Path) -> None:
    data = tmp_path / "data"
    link = tmp_path / "ttyUSB0"

    async def scene() -> None:
        serving = asyncio.create_task(
            lines.serve_port(str(link), new_session(data), partial(commands.run, data), retry=0.01)
        )
        for _ in range(3):
            await asyncio.sleep(0)
        near, port = pty.openpty()
        link.symlink_to(os.ttyname(port))
        await Far(near).until("Press Return to begin")
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
        os.close(near)
        os.close(port)

    run(scene())


@pytest.mark.parametrize(
    ("wanted", "code", "text"),
    [
        (Run(("queue", "list")), 1, "no store here"),
        (Run(("no-such-command",)), 2, "No such command"),
        (Run(("status",), seconds=0.0), 1, "took longer than 0 seconds"),
    ],
)
def test_commands_that_fail(tmp_path: Path, wanted: Run, code: int, text: str) -> None:
    async def scene() -> None:
        result = await commands.run(tmp_path / "data", wanted)
        assert result.code == code
        assert text in result.reason

    run(scene())


class Tty:
    """`appliance console` on a terminal of its own."""

    def __init__(self, data: Path) -> None:
        self.near, port = pty.openpty()
        self.before = termios.tcgetattr(port)
        command = [sys.executable, "-m", "appliance.cli", "--data", str(data), "console"]
        self.process = subprocess.Popen(command, stdin=port, stdout=port, stderr=port, start_new_session=True)
        self.port = port
        self._guard = threading.Timer(PATIENCE, self.process.kill)
        self._guard.start()
        self.screen = ""

    def until(self, text: str) -> None:
        begin = len(self.screen)
        while text not in self.screen[begin:]:
            self.screen += os.read(self.near, 4096).decode()

    def type(self, line: bytes, text: str) -> None:
        os.write(self.near, line)
        self.until(text)

    def end(self) -> int:
        code = self.process.wait(PATIENCE)
        self._guard.cancel()
        assert termios.tcgetattr(self.port) == self.before, "the terminal is as it was"
        os.close(self.near)
        os.close(self.port)
        return code


@pytest.mark.slow
def test_the_terminal_at_hand(tmp_path: Path) -> None:
    data = tmp_path / "data"
    set_up(data)
    terminal = Tty(data)
    terminal.until("Administrator's password: ")
    terminal.type(b"\x1b[Awrong password\r", "not the password")
    terminal.type(PASSWORD.encode() + b"\r", "log out")
    terminal.type(b"2\r", "Number: ")
    terminal.type(b"\x03", "Number: ")
    os.write(terminal.near, b"\x04")
    assert terminal.end() == 0
    assert "Traceback" not in terminal.screen


def test_a_terminal_that_is_told_to_end(tmp_path: Path) -> None:
    terminal = Tty(tmp_path / "data")
    terminal.until("Press Return to begin")
    terminal.process.send_signal(signal.SIGTERM)
    assert terminal.end() == 0


def test_the_board_alone_tells_the_service_manager(tmp_path: Path) -> None:
    address = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(address))
        manager.settimeout(PATIENCE)
        command = [
            sys.executable,
            "-m",
            "appliance.cli",
            "--data",
            str(tmp_path / "data"),
            "console",
            "--board",
        ]
        environment = {**os.environ, "NOTIFY_SOCKET": str(address), "WATCHDOG_USEC": "1000000"}
        process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
        try:
            assert manager.recv(1000).startswith(b"READY=1")
            assert manager.recv(1000) == b"WATCHDOG=1"
            assert manager.recv(1000) == b"WATCHDOG=1"
        finally:
            process.terminate()
            _, log = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0
        assert "Traceback" not in log
