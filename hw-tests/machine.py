"""Machines under test: the image under QEMU, or a board on the table.

Both offer `console` (a `Line`), `address(port)` for every service port, and the lights. What only QEMU can do
(a shell inside, another disk) raises NotHere on a board, and the test is skipped with that reason. A board's
lights are read by a person, asked on the terminal.
"""

import contextlib
import os
import random
import re
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import serial

ROOT = Path(__file__).resolve().parents[1]
RUN_QEMU = ROOT / "image" / "run-qemu"
PATIENCE = float(os.environ.get("SATCHEL_PATIENCE", "600"))
"""Seconds that anything may take under emulation on a busy machine."""

SETTLE = 0.05
SERVICE_PORTS = (25, 80, 110, 135, 143, 389, 443, 465, 587, 636, 993, 995, 6001, 6002, 6004)


class NotHere(Exception):
    """This machine cannot do that."""


class Silence(AssertionError):
    """What was waited for was not said."""


class Transport(Protocol):
    """Where bytes come from and go to."""

    def read(self, seconds: float) -> bytes: ...

    def write(self, data: bytes) -> None: ...

    def close(self) -> None: ...


class Socket:
    """A line over TCP."""

    def __init__(self, port: int, patience: float = PATIENCE) -> None:
        deadline = time.monotonic() + patience
        while True:
            try:
                self._socket = socket.create_connection(("127.0.0.1", port), 5)
                return
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def read(self, seconds: float) -> bytes:
        ready, _, _ = select.select([self._socket], [], [], seconds)
        return self._socket.recv(4096) if ready else b""

    def write(self, data: bytes) -> None:
        self._socket.sendall(data)

    def close(self) -> None:
        self._socket.close()


class Serial:
    """A real serial line."""

    def __init__(self, path: str) -> None:
        self._port = serial.Serial(path, 115200, timeout=0)

    def read(self, seconds: float) -> bytes:
        ready, _, _ = select.select([self._port.fileno()], [], [], seconds)
        return os.read(self._port.fileno(), 4096) if ready else b""

    def write(self, data: bytes) -> None:
        self._port.write(data)

    def close(self) -> None:
        self._port.close()


class Line:
    """What is said on a line, and typing on it. `heard` is all; `expect` goes on from its last match."""

    def __init__(self, transport: Transport, log: Path | None = None) -> None:
        self._transport, self._log, self._at = transport, log, 0
        self.heard = ""

    def close(self) -> None:
        self._transport.close()

    def listen(self, seconds: float) -> None:
        data = self._transport.read(seconds).decode("utf-8", "replace")
        self.heard += data
        if data and self._log is not None:
            with self._log.open("a", encoding="utf-8", newline="") as file:
                file.write(data)

    def expect(self, pattern: str, seconds: float = PATIENCE) -> str:
        """Wait until the pattern (a regular expression) is said; what was said up to its end."""
        deadline = time.monotonic() + seconds
        while True:
            found = re.compile(pattern, re.S).search(self.heard, self._at)
            if found:
                said = self.heard[self._at : found.end()]
                self._at = found.end()
                return said
            if time.monotonic() > deadline:
                raise Silence(f"{pattern!r} was not said; but: {self.heard[self._at :][-2000:]!r}")
            self.listen(0.5)

    def skip(self) -> None:
        """Everything up to now was heard."""
        while before := len(self.heard):
            self.listen(SETTLE)
            if len(self.heard) == before:
                break
        self._at = len(self.heard)

    def rewind(self, to: str = "") -> None:
        """Hear again: from the last time that `to` was said, or from the beginning."""
        self._at = max(self.heard.rfind(to), 0) if to else 0

    def hush(self, seconds: float = 5.0) -> None:
        """Listen until nothing was said for some seconds; what was said counts as heard."""
        while True:
            before = len(self.heard)
            self.listen(seconds)
            if len(self.heard) == before:
                break
        self._at = len(self.heard)

    def send(self, data: bytes) -> None:
        """Bytes at once, as a paste or noise comes."""
        self._transport.write(data)

    def type(self, text: str, end: str = "\r") -> None:
        """Type like a quick person: key by key."""
        for character in text + end:
            self._transport.write(character.encode())
            time.sleep(0.005)

    def answer(self, question: str, text: str, seconds: float = PATIENCE) -> str:
        """Wait for a question, then type the answer; what was said before."""
        said = self.expect(question, seconds)
        self.type(text)
        return said


class Shell:
    """A root shell inside of a QEMU machine, over a line that products do not have."""

    def __init__(self, port: int, log: Path) -> None:
        self._line = Line(Socket(port), log)
        self._number = 0

    def close(self) -> None:
        self._line.close()

    def run(self, command: str, seconds: float = PATIENCE) -> str:
        """What a command prints. Raises AssertionError when it fails."""
        code, said = self.try_run(command, seconds)
        assert code == 0, f"{command!r} failed ({code}): {said}"
        return said

    def try_run(self, command: str, seconds: float = PATIENCE) -> tuple[int, str]:
        """The exit code of a command, and what it printed."""
        self._number += 1
        begin, end = f"B{self._number}B", f"E{self._number}E"
        text = f"stty -echo; echo B{self._number}''B; {{ {command}\n}} 2>&1; echo E{self._number}''E$?\n"
        deadline = time.monotonic() + seconds
        while True:  # a shell that is just being born swallows what is typed
            self._line.skip()
            self._line.type(text, "")
            try:
                self._line.expect(begin, min(30, seconds))
                break
            except Silence:
                if time.monotonic() > deadline:
                    raise
        said = self._line.expect(rf"{end}\d+\D", max(deadline - time.monotonic(), 5))
        body, _, code = said.rpartition(end)
        return int(re.findall(r"\d+", code)[0]), body.replace("\r", "").strip("\n")


class Qemu:
    """The image under QEMU, on a disk that is kept from start to start."""

    name = "qemu"

    def __init__(self, folder: Path, image: Path | None = None) -> None:
        self.folder, self.image = folder, image
        self.disk = folder / "disk.img"
        self.started = 0.0
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *options: str, boot: str = "kernel") -> None:
        """Switch it on. The ports are new ones at each start."""
        assert self._process is None, "it runs already"
        self.console_port, self.shell_port = free_port(), free_port()
        self.offset = free_offset()
        command = [
            "nice", "-n", "1", sys.executable, RUN_QEMU, f"--serial-port={self.console_port}",
            f"--shell-port={self.shell_port}", f"--port-offset={self.offset}", f"--boot={boot}",
            f"--disk={self.disk}", *options,
        ]  # fmt: skip
        if self.image is not None:
            command.append(f"--image={self.image}")
        self.started = time.monotonic()
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        self.console = Line(Socket(self.console_port), self.folder / "console.txt")
        self._shell: Shell | None = None

    @property
    def shell(self) -> Shell:
        if self._shell is None:
            self._shell = Shell(self.shell_port, self.folder / "shell.txt")
        return self._shell

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def processor_seconds(self) -> float:
        """What emulating it took up to now: tells more than a clock does on a machine that others use too."""
        assert self._process is not None
        parent = self._process.pid
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        ticks = 0
        for child in children:
            fields = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def address(self, port: int) -> tuple[str, int]:
        return "127.0.0.1", port + self.offset

    def wait(self, seconds: float = PATIENCE) -> int:
        """Wait until the machine switched itself off; QEMU's exit code."""
        assert self._process is not None
        code = self._process.wait(seconds)
        self._gone()
        return code

    def cut(self) -> None:
        """Pull the plug."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(30)
            self._gone()

    def _gone(self) -> None:
        """Nobody is on the lines of a machine that is off."""
        self._process = None
        self.console.close()
        if self._shell is not None:
            self._shell.close()
            self._shell = None

    def lights(self) -> dict[str, int]:
        """The levels of the simulated lines now."""
        found = self.shell.run(
            "for n in 0 1 2; do cat /sys/devices/platform/gpio-sim.0/gpiochip*/sim_gpio$n/value; done"
        )
        return dict(zip(("green", "amber", "red"), map(int, found.split()), strict=True))

    def watch_lights(self, seconds: float) -> set[str]:
        """The lights that were on at least once in this time."""
        script = (
            f"i=0; while [ $i -lt {int(seconds * 10)} ]; do cat /sys/devices/platform/gpio-sim.0/gpiochip*/"
            "sim_gpio[012]/value | tr '\\n' ' '; echo; sleep 0.1; i=$((i+1)); done | sort -u"
        )
        rows = [row.split() for row in self.shell.run(script).splitlines()]
        return {
            name
            for row in rows
            for name, value in zip(("green", "amber", "red"), row, strict=True)
            if value == "1"
        }

    def looks_like(self, sign: str, lights: set[str], seconds: float = PATIENCE) -> None:
        """The lights show a sign: those, and no others, within some time."""
        deadline = time.monotonic() + seconds
        while (seen := self.watch_lights(4)) != lights:
            assert time.monotonic() < deadline, f"{sign}: {lights} were wanted, {seen} seen"

    def press(self, seconds: float) -> None:
        """The button, which pulls to ground, for so long. One command: typing takes longer than a press."""
        self.shell.run(
            "cd /sys/devices/platform/gpio-sim.0/gpiochip*/sim_gpio3; echo pull-down > pull;"
            f" sleep {seconds}; echo pull-up > pull; cd /"
        )


class Board:
    """A board on the table, on a serial line and in the network. A person sees its lights, pulls its plug."""

    name = "board"

    def __init__(self, serial: str, host: str, folder: Path) -> None:
        self.host = host
        self.console = Line(Serial(serial), folder / "console.txt")
        self.started = time.monotonic()

    def start(self, *options: str, boot: str = "firmware") -> None:
        ask_person("Flash the image, connect power, and press Return")
        self.started = time.monotonic()

    @property
    def shell(self) -> Shell:
        raise NotHere("a board has no shell")

    @property
    def running(self) -> bool:
        return True

    def address(self, port: int) -> tuple[str, int]:
        return self.host, port

    def wait(self, seconds: float = PATIENCE) -> int:
        ask_person("Wait for the lights to say 'safe to unplug', then press Return")
        return 0

    def cut(self) -> None:
        ask_person("Pull the plug, and press Return")

    def looks_like(self, sign: str, lights: set[str], seconds: float = PATIENCE) -> None:
        answer = ask_person(f"Do the lights say '{sign}' ({', '.join(sorted(lights)) or 'dark'})? [y/n]")
        assert answer.lower().startswith("y"), f"a person does not see {sign!r}"

    def press(self, seconds: float) -> None:
        ask_person(f"Press Return, then the button for about {seconds} seconds")


def ask_person(question: str) -> str:
    """A person's answer on the terminal, which pytest must not capture (-s)."""
    if not sys.stdin.isatty():
        raise NotHere("a person is needed at the terminal")
    return input(f"\n>>> {question} ")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def free_offset() -> int:
    """An offset at which every forwarded port is free."""
    for _ in range(200):
        offset = random.randrange(10_000, 31_000)
        with contextlib.ExitStack() as stack:
            try:
                for port in SERVICE_PORTS:
                    probe = stack.enter_context(socket.socket())
                    probe.bind(("127.0.0.1", port + offset))
            except OSError:
                continue
        return offset
    raise AssertionError("no free ports")


@contextlib.contextmanager
def switched_on(machine: Qemu, *options: str, boot: str = "kernel") -> Iterator[Qemu]:
    """A QEMU machine that runs for a while and is gone afterwards in any case."""
    machine.start(*options, boot=boot)
    try:
        yield machine
    finally:
        machine.cut()
