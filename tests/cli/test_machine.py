"""The commands about the machine itself."""

import asyncio
import io
from pathlib import Path

import pytest

from appliance.cli import console, machine
from appliance.panel import commands
from appliance.panel.dialogue import NO_PASSWORD, WRONG_PASSWORD, Run
from appliance.panel.machine import Machine
from tests.cli.conftest import Cli


@pytest.fixture
def appliance(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """The data directory's machine, with the folders that the system makes."""
    here = Machine(cli.data, tmp_path / "requests", tmp_path / "stick")
    here.choices.mkdir()
    here.requests.mkdir()
    monkeypatch.setattr(machine, "machine", lambda: here)
    return here


def type_in(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(text + "\n"))


def test_the_console_knows_the_answers_about_the_password(cli: Cli) -> None:
    """Letter by letter, in a process of their own: by these answers it decides who gets in."""
    show = Run(("admin", "show"))
    assert asyncio.run(commands.run(cli.data, show)).reason == NO_PASSWORD
    assert asyncio.run(commands.run(cli.data / "elsewhere", show)).reason not in (NO_PASSWORD, "")
    verify = Run(("admin", "verify", "--password-stdin"), stdin="whatever it is")
    assert asyncio.run(commands.run(cli.data, verify)).reason == WRONG_PASSWORD


def test_the_administrators_password(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "no administrator's password" in cli.refused("admin", "show")
    type_in(monkeypatch, "whatever it is")
    assert "not the administrator's" in cli.refused("admin", "verify", "--password-stdin")
    type_in(monkeypatch, "x" * 257)
    assert "1 to 256" in cli.refused("admin", "passwd", "--password-stdin")
    type_in(monkeypatch, "correct horse")
    cli.ok("admin", "passwd", "--password-stdin")
    cli.ok("admin", "show")
    type_in(monkeypatch, "correct horse")
    cli.ok("admin", "verify", "--password-stdin")
    type_in(monkeypatch, "correct house")
    cli.refused("admin", "verify", "--password-stdin")


def test_a_backup_without_a_passphrase_has_no_password(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    type_in(monkeypatch, "correct horse")
    cli.ok("admin", "passwd", "--password-stdin")
    cli.run("backup", str(tmp_path / "b.satchel"))
    code, _, _ = cli.run("--data", str(tmp_path / "other"), "restore", str(tmp_path / "b.satchel"))
    assert code == 0
    code, _, reason = cli.run("--data", str(tmp_path / "other"), "admin", "show")
    assert (code, "no administrator's password" in reason) == (1, True)


def test_the_network(cli: Cli, appliance: Machine) -> None:
    assert cli.json("network", "show")["chosen"] == "automatic (DHCP)"
    cli.ok(
        "network", "static", "--gateway=192.168.1.1", "--dns=9.9.9.9", "--hostname=box.test", "192.168.1.9/24"
    )
    shown = cli.json("network", "show")
    assert (shown["chosen"], shown["address"], shown["dns"]) == ("fixed", "192.168.1.9/24", ["9.9.9.9"])
    assert (appliance.choices / "hostname").read_text() == "box.test\n"
    assert "another machine" in cli.refused("network", "static", "--gateway=10.0.0.1", "192.168.1.9/24")
    assert "prefix length" in cli.refused("network", "static", "192.168.1.9")
    cli.ok("network", "dhcp")
    assert cli.json("network", "show")["chosen"] == "automatic (DHCP)"
    cli.ok("timezone", "Europe/Berlin")
    assert cli.ok("timezone") == "Europe/Berlin\n"
    assert "no time zone" in cli.refused("timezone", "Berlin")


def test_restart_and_shutdown(cli: Cli, appliance: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    type_in(monkeypatch, "y")
    assert cli.run("reboot")[0] == 2, "nobody is asked who is not at a terminal"
    assert list(appliance.requests.iterdir()) == []
    cli.ok("reboot", "--yes")
    cli.ok("shutdown", "--yes")
    assert {path.name for path in appliance.requests.iterdir()} == {"reboot", "poweroff"}


def test_elsewhere_the_machine_is_left_alone(cli: Cli) -> None:
    for command in (["reboot", "--yes"], ["shutdown", "--yes"], ["network", "dhcp"], ["timezone", "UTC"]):
        assert "not run by the appliance's system" in cli.refused(*command)


def test_the_clock(cli: Cli, appliance: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "UTC, not synchronised" in cli.ok("clock")
    assert "is no time" in cli.refused("clock", "half past nine")
    assert "between 2025 and 2099" in cli.refused("clock", "1999-12-31 23:59")
    request = appliance.requests / "clock"
    asked = []

    def system(seconds: float) -> None:
        """The system's part, while the command waits."""
        asked.append(request.read_text())
        request.unlink()

    monkeypatch.setattr("appliance.panel.machine.time.sleep", system)
    cli.ok("timezone", "Europe/Berlin")
    cli.ok("clock", "2026-05-04 12:30")
    assert asked == ["1777890600\n"]
    assert (cli.data / "clock-set").exists()
    monkeypatch.setattr("appliance.panel.machine.CLOCK_PATIENCE", -1.0)
    assert "did not set the clock" in cli.refused("clock", "2026-05-04 12:30")
    assert not request.exists()


def test_a_factory_reset_on_the_appliance(cli: Cli, appliance: Machine) -> None:
    cli.ok("factory-reset", "--yes")
    assert (cli.data / "store.lmdb").exists(), "only after the restart"
    assert (appliance.requests / "reboot").exists()
    cli.ok("factory-reset", "--begun")
    assert not cli.data.exists()
    cli.ok("init", "--domain", "again.test")


def test_a_factory_reset_elsewhere(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    type_in(monkeypatch, "erase everything")
    assert cli.run("factory-reset")[0] == 2
    monkeypatch.setattr(machine.running, "present", lambda _: [{"pid": 1}])
    assert "stop it first" in cli.refused("factory-reset", "--yes")
    monkeypatch.undo()
    cli.ok("factory-reset", "--yes")
    assert list(cli.data.iterdir()) == []
    cli.ok("init", "--domain", "again.test")


def test_advice(cli: Cli) -> None:
    records = cli.ok("advice", "dns")
    assert "example.test.                  MX    10 mail.example.test." in records
    assert '"v=spf1 mx -all"' in records
    assert "993" in cli.ok("advice", "clients")
    assert max(map(len, records.splitlines())) < 80


def test_the_stick(cli: Cli, appliance: Machine) -> None:
    assert "no USB stick" in cli.refused("stick", "list")
    appliance.stick.mkdir()
    (appliance.stick / "a.satchel").write_bytes(b"12345")
    assert cli.json("stick", "list") == [{"file": str(appliance.stick / "a.satchel"), "size": 5}]


def test_health_decides(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cli.refused("health") == "appliance: no server is running\n"
    for place in ("appliance.net.running.present", "appliance.net.health.present"):
        monkeypatch.setattr(place, lambda _: [{"pid": 1, "roles": ["mta"]}])
    assert cli.ok("health") == ""
    monkeypatch.setenv("APPLIANCE_ROLES", "mta panel")
    assert "not running: panel" in cli.refused("health")
    assert "is not a time" in cli.refused("health", "--wait", "soon")


def test_the_console_needs_no_terminal(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    assert console.console.name == "console"
    assert "smart host" in cli.refused("smarthost", "test")
