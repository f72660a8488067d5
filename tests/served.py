"""A real `appliance serve` for tests that stop, kill or starve it: a process of its own, on free ports.

office = make_office(tmp_path / "data")
with Served(office) as server:
    with server.smtp() as client: ...
"""

import imaplib
import os
import poplib
import selectors
import signal
import smtplib
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from appliance.cli import frame
from tests.ports import free_offset

ROOT = Path(__file__).parents[1]
PEOPLE = ("anna", "ben", "clara")
PASSWORD = "pass word"
START_TIME = 60.0
"""Seconds that a start may take on a machine that is busy with other tests."""

CLIENT_TIME = 60.0
_ATTEMPTS = 20
_APPLIANCE = "import sys; from appliance.cli import main; main()"


def make_office(data: Path) -> Path:
    """A data directory with the domain example.test and three people."""
    commands = [["init", "--domain", "example.test"]]
    commands += [["user", "add", address(who), "--password", PASSWORD] for who in PEOPLE]
    for command in commands:
        assert frame.run(["--data", str(data), *command]) == 0, command
    return data


def address(who: str) -> str:
    """The address of one of PEOPLE."""
    return f"{who}@example.test"


def command(data: Path, *arguments: str, timeout: float = 120.0) -> subprocess.CompletedProcess[str]:
    """Run an `appliance` command in a process of its own."""
    line = [sys.executable, "-c", _APPLIANCE, "--data", str(data), *arguments]
    return subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=timeout, check=False)


class Served:
    """A running server. `environment` is added to its own; `program` is run instead of `appliance`."""

    def __init__(
        self,
        data: Path,
        *,
        environment: Mapping[str, str] | None = None,
        arguments: tuple[str, ...] = (),
        program: str = _APPLIANCE,
    ) -> None:
        self.data, self._program = data, program
        self.log = data.parent / f"{data.name}.log"
        self._environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **(environment or {})}
        self._arguments = arguments
        self.offset = 0
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        for _ in range(_ATTEMPTS):
            self.offset = free_offset()
            process = self._spawn()
            if _says_ready(process):
                return process
            process.kill()
            process.wait()
            assert process.stdout is not None
            process.stdout.close()
            if "in use" not in self.logged():
                raise AssertionError(f"the server did not start: {self.logged()[-2000:]}")
        raise AssertionError("no free ports")

    def _spawn(self) -> subprocess.Popen[bytes]:
        line = [sys.executable, "-c", self._program, "--data", str(self.data), "serve"]
        line += ["--bind", "127.0.0.1", "--port-offset", str(self.offset), *self._arguments]
        with self.log.open("ab") as log:
            return subprocess.Popen(line, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, env=self._environment)

    def __enter__(self) -> "Served":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.stop() if error is None else self.kill()
        self._forget()

    def _forget(self) -> None:
        if self.process.stdout is not None:
            self.process.stdout.close()

    def stop(self, within: float = 60.0) -> int:
        """SIGTERM; the exit code. TimeoutExpired: it hangs."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(within)

    def kill(self) -> None:
        """SIGKILL."""
        self.process.kill()
        self.process.wait()
        self._forget()

    def logged(self) -> str:
        """What the server wrote to its log so far."""
        return self.log.read_text(errors="replace")

    def rss_anon(self) -> int:
        """Bytes of anonymous memory that the process holds now."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) * 1024
        raise AssertionError("no RssAnon")

    def cpu(self) -> float:
        """Seconds of processor time that the process has used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")  # utime, stime: proc(5)

    def smtp(self) -> smtplib.SMTP:
        """A client of the relay port."""
        return smtplib.SMTP("127.0.0.1", self.offset + 25, "client.test", CLIENT_TIME)

    def imap(self, who: str) -> imaplib.IMAP4:
        """A client that has logged in."""
        client = imaplib.IMAP4("127.0.0.1", self.offset + 143, CLIENT_TIME)
        try:
            client.login(address(who), PASSWORD)
        except BaseException:
            client.shutdown()
            raise
        return client

    def pop3(self, who: str) -> poplib.POP3:
        """A client that has logged in."""
        client = poplib.POP3("127.0.0.1", self.offset + 110, CLIENT_TIME)
        try:
            client.user(address(who))
            client.pass_(PASSWORD)
        except BaseException:
            client.close()
            raise
        return client

    def raw(self, port: int) -> socket.socket:
        """A connection to a standard port."""
        return socket.create_connection(("127.0.0.1", self.offset + port), CLIENT_TIME)


def _says_ready(process: subprocess.Popen[bytes]) -> bool:
    """Wait for the line `ready`; False when the process ended before."""
    assert process.stdout is not None
    said = b""
    until = time.monotonic() + START_TIME
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while b"ready\n" not in said:
            left = until - time.monotonic()
            if left <= 0 or not selector.select(left):
                return False
            piece = os.read(process.stdout.fileno(), 4096)
            if not piece:
                return False
            said += piece
    return True
