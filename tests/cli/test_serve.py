"""`appliance serve`, `status` and `check` with a real process."""

import poplib
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.cli import check
from tests.cli.conftest import Cli
from tests.ports import free_offset

ATTEMPTS = 10
MAIN = "from appliance.cli import main; main()"


class Served:
    """A server process that said `ready`."""

    def __init__(self, data: Path, *options: str) -> None:
        for _ in range(ATTEMPTS):
            self.offset = free_offset()
            self.lines: list[str] = []
            self.process = self._spawn(data, options)
            assert self.process.stdout
            for line in self.process.stdout:
                self.lines.append(line.rstrip("\n"))
                if line == "ready\n":
                    return
            output, log = self.process.communicate()
            assert "in use" in log, (output, log)
        raise AssertionError("no free ports")

    def _spawn(self, data: Path, options: tuple[str, ...]) -> "subprocess.Popen[str]":
        command = [
            sys.executable,
            "-c",
            "from appliance.cli import main; main()",
            "--data",
            str(data),
            "serve",
        ]
        command += ["--bind", "127.0.0.1", "--port-offset", str(self.offset), "--roles", "access", *options]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def end(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """(exit code, log)."""
        self.process.send_signal(number)
        _, log = self.process.communicate(timeout=20)
        return self.process.returncode, log


@pytest.fixture
def served(cli: Cli) -> Iterator[Served]:
    one = Served(cli.data, "--endpoints")
    yield one
    if one.process.poll() is None:
        one.process.kill()
        one.process.communicate()


def test_serves_and_ends_in_time_with_connections_open(cli: Cli, served: Served) -> None:
    assert any(line.startswith("pop3") and "TLS" in line for line in served.lines)
    client = poplib.POP3("127.0.0.1", 110 + served.offset, timeout=20)
    code, log = served.end()
    assert code == 0
    assert "Traceback" not in log
    assert client._getline()[0].startswith(b"-ERR [SYS/TEMP]")  # type: ignore[attr-defined]
    client.close()
    assert list((cli.data / "run").iterdir()) == []


def test_status_with_the_server_running_and_stopped(cli: Cli, served: Served) -> None:
    found = cli.json("status")
    assert list(found) == ["roles", "listeners", "store", "queue", "backup", "health"]
    assert found["roles"] == [{"role": "access", "pid": served.process.pid}]
    assert {listener["port"] - served.offset for listener in found["listeners"]} >= {110, 995}
    assert found["health"]["state"] == "ok"
    assert "pop3" in cli.ok("status")
    served.end(signal.SIGKILL)
    found = cli.json("status")
    assert found["roles"] == found["listeners"] == []
    assert [problem["kind"] for problem in found["health"]["problems"]] == ["stopped"]
    assert cli.ok("check") == "the store is sound\n"


def test_a_new_certificate_is_served_at_once(cli: Cli, served: Served) -> None:
    def fingerprint() -> bytes:
        context = ssl.create_default_context(cafile=str(cli.data / "tls" / "ca.pem"))
        with (
            socket.create_connection(("127.0.0.1", 995 + served.offset), timeout=20) as sock,
            context.wrap_socket(sock, server_hostname="localhost") as secure,
        ):
            return secure.getpeercert(binary_form=True) or b""

    before = fingerprint()
    cli.ok("tls", "renew")
    deadline = time.monotonic() + 20
    while (after := fingerprint()) == before:
        assert time.monotonic() < deadline
    assert after != before
    assert served.end()[0] == 0


def test_a_repair_waits_for_the_server_to_stop(
    cli: Cli, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [["one", "two"], ["one", "two"], ["two"]]
    monkeypatch.setattr(check.store_check, "check", lambda store, extras, **more: found.pop(0))
    monkeypatch.setattr(check.store_check, "repair", lambda store, extras, new_guid: None)
    code, out, err = cli.run("check", "--repair")
    assert (code, out) == (1, "one\ntwo\n")
    assert "stop the server" in err
    served.end()
    code, out, err = cli.run("check", "--repair")
    assert (code, out) == (1, "one\ntwo\n2 found, 1 left after the repair\n")
    assert "1 faults" in err


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        (["--roles", "cook"], 2, "any of mta"),
        (["--port-offset", "lots"], 2, "a number"),
        (["--bind", "203.0.113.77"], 1, "203.0.113.77 port"),
    ],
)
def test_what_cannot_be_served_is_refused(cli: Cli, options: list[str], code: int, says: str) -> None:
    base = [sys.executable, "-c", "from appliance.cli import main; main()", "--data", str(cli.data), "serve"]
    done = subprocess.run([*base, *options], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout) == (code, "")
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_setting_keeps_the_server_from_starting(cli: Cli) -> None:
    (cli.data / "appliance.toml").write_text("[pop3]\npatience = 1\n")
    base = [sys.executable, "-c", "from appliance.cli import main; main()", "--data", str(cli.data), "serve"]
    done = subprocess.run(base, capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert "line 2" in done.stderr


def test_a_foreign_store_is_refused_and_left_alone(cli: Cli) -> None:
    store = cli.data / "store.lmdb"
    store.write_bytes(b"not a store at all" * 1000)
    assert cli.refused("check")
    assert store.read_bytes() == b"not a store at all" * 1000


def test_the_panel_is_a_role_like_the_others(cli: Cli) -> None:
    one = Served(cli.data, "--roles", "panel")
    assert cli.json("status")["roles"] == [{"role": "panel", "pid": one.process.pid}]
    code, log = one.end()
    assert code == 0
    assert "Traceback" not in log


def test_faults_in_the_store_are_remembered_as_trouble(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check.store_check, "check", lambda store, extras, **more: ["wrong"])
    assert cli.run("check")[0] == 1
    kinds = [problem["kind"] for problem in cli.json("status")["health"]["problems"]]
    assert "damaged" in kinds
    monkeypatch.undo()
    cli.ok("check")
    kinds = [problem["kind"] for problem in cli.json("status")["health"]["problems"]]
    assert "damaged" not in kinds
