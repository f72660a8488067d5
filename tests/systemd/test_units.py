"""The units: well-formed, hardened, and in step with the table of services."""

import configparser
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from appliance.app import SERVICES
from appliance.config import ROLES
from appliance.store.kv import FILE_NAME

ROOT = Path(__file__).resolve().parents[2]
UNITS = ROOT / "systemd"
SERVICE_FILES = sorted(path.name for path in UNITS.glob("*.service"))
IMAGE_UNITS = ROOT / "image" / "root" / "usr" / "lib" / "systemd" / "system"
HIGHEST_EXPOSURE = 20
"""Tenths of systemd's measure."""

CONTRACT = {25, 587, 465, 110, 995, 143, 993, 389, 636, 80, 443, 135, 6001, 6002, 6004}


def read(path: Path) -> dict[str, dict[str, list[str]]]:
    """The sections of a unit; every key may stand more than once."""
    sections: dict[str, dict[str, list[str]]] = {}
    current: dict[str, list[str]] = {}
    for line in path.read_text().splitlines():
        if line.startswith("["):
            current = sections.setdefault(line.strip("[]"), {})
        elif line and not line.startswith("#"):
            key, _, value = line.partition("=")
            current.setdefault(key, []).append(value)
    return sections


def sockets() -> dict[int, Path]:
    """The socket units, by port."""
    found = {}
    for path in UNITS.glob("*.socket"):
        (port,) = read(path)["Socket"]["ListenStream"]
        assert int(port) not in found, path
        found[int(port)] = path
    return found


def test_every_port_of_the_contract_has_a_socket() -> None:
    assert set(sockets()) == CONTRACT


def test_every_service_has_its_sockets_and_they_go_to_its_role() -> None:
    for row in SERVICES:
        for port in (row.port, row.tls_port):
            if port is None:
                continue
            path = sockets()[port]
            assert read(path)["Socket"]["Service"] == ["appliance.service"]
            drop_in = read(UNITS / "split" / f"{path.name}.d" / "10-role.conf")
            assert drop_in["Socket"]["Service"] == [f"appliance@{row.role}.service"]


def test_every_drop_in_belongs_to_a_socket_and_names_a_role() -> None:
    names = {path.name for path in UNITS.glob("*.socket")}
    folders = list((UNITS / "split").iterdir())
    assert {folder.name for folder in folders} == {f"{name}.d" for name in names}
    for folder in folders:
        (service,) = read(folder / "10-role.conf")["Socket"]["Service"]
        found = re.fullmatch(r"appliance@(\w+)\.service", service)
        assert found
        assert found[1] in ROLES


def test_what_is_enabled_is_what_is_served() -> None:
    enabled = subprocess.run(
        [sys.executable, UNITS / "enabled"], capture_output=True, text=True, check=True
    ).stdout.split()
    ports = {port for row in SERVICES for port in (row.port, row.tls_port) if port}
    assert {name for name in enabled if name.endswith(".socket")} == {sockets()[port].name for port in ports}
    assert all((UNITS / name).exists() for name in enabled)
    assert all("Install" in read(UNITS / name) for name in enabled)


def test_the_firewall_lets_exactly_our_ports_in() -> None:
    rules = (UNITS / "nftables.conf").read_text()
    found = re.search(r"elements = \{([^}]*)\}", rules)
    assert found
    assert {int(port) for port in found[1].split(",")} == CONTRACT
    assert rules.count("policy drop") == 2
    assert "dport 22" not in rules


@pytest.mark.parametrize("name", ["appliance.service", "appliance@.service", "appliance-panel.service"])
def test_no_unit_breaks_the_store(name: str) -> None:
    """LMDB tells dead readers by process id and expects one owner."""
    section = read(UNITS / name)["Service"]
    assert section["User"] == ["appliance"]
    assert section["StateDirectory"] == ["appliance"]
    assert not {"DynamicUser", "PrivateUsers", "PrivatePIDs", "PrivateIPC"} & set(section)


def test_conditions_look_for_the_store_as_it_is_named() -> None:
    named = [
        value
        for path in [*UNITS.glob("*.service"), *UNITS.glob("*.socket"), *UNITS.glob("*.target")]
        for value in read(path).get("Unit", {}).get("ConditionPathExists", [])
        if "/data/" in value
    ]
    assert len(named) > len(CONTRACT)
    assert {value.lstrip("|!") for value in named} == {f"/var/lib/appliance/data/{FILE_NAME}"}


def test_nothing_of_the_server_runs_as_root() -> None:
    rooted = {name for name in SERVICE_FILES if "User" not in read(UNITS / name)["Service"]}
    scripts = {"appliance-machine.service", "appliance-clock.service"}
    updates = {"appliance-update.service", "appliance-unconfirmed.service", "appliance-fresh.service"}
    assert rooted == scripts | updates, "a few lines each, without the server's code"
    plus = [name for name in SERVICE_FILES if "=+" in (UNITS / name).read_text()]
    assert plus == ["appliance-health.service"], "RAUC's own program, after the health check"


def test_the_watchdog_is_fed_for_real() -> None:
    for name in ("appliance.service", "appliance@.service", "appliance-panel.service"):
        section = read(UNITS / name)["Service"]
        assert section["Type"] == ["notify"]
        assert 10 <= int(section["WatchdogSec"][0]) <= 60
        assert section["Restart"][0] in ("always", "on-failure")


def test_configuration_snippets_parse() -> None:
    for path in [*UNITS.glob("*.conf.d/*.conf")]:
        parser = configparser.ConfigParser(strict=True)
        parser.read(path)
        assert len(parser.sections()) == 1


@pytest.mark.parametrize(
    "path",
    [*sorted(UNITS.glob("*.service")), *sorted(IMAGE_UNITS.glob("*.service"))],
    ids=lambda path: path.name,
)
def test_exposure(path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("needs systemd-analyze (apt: systemd)")
    command = ["systemd-analyze", "security", "--offline=true", f"--threshold={HIGHEST_EXPOSURE}"]
    ended = subprocess.run([*command, str(path)], capture_output=True, text=True, check=False)
    if "unrecognized option" in ended.stderr:
        pytest.skip("needs systemd 250 or later")
    assert ended.returncode == 0, ended.stdout[-2000:] + ended.stderr


def test_units_verify(tmp_path: Path) -> None:
    """systemd reads every unit without a complaint; the programs are stand-ins here."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("needs systemd-analyze (apt: systemd)")
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    folder = tmp_path / "units"
    folder.mkdir()
    paths = [path for path in UNITS.iterdir() if path.suffix in (".service", ".socket", ".target", ".path")]
    paths += [*UNITS.glob("*.mount"), *UNITS.glob("*.automount")]
    paths += [path for path in IMAGE_UNITS.iterdir() if path.is_file()]
    for path in paths:
        text = re.sub(r"(?m)^(Exec\w+=\+?)(/\S+)", rf"\1{program}", path.read_text())
        (folder / path.name).write_text(text)
    shutil.copytree(UNITS / "appliance@panel.service.d", folder / "appliance@panel.service.d")
    names = [f"{role}" for role in ROLES]
    wanted = [str(folder / path.name) for path in paths if "@" not in path.name]
    wanted += [str(folder / f"appliance@{role}.service") for role in names]
    for role in names:
        shutil.copy(folder / "appliance@.service", folder / f"appliance@{role}.service")
    ended = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", *wanted],
        capture_output=True,
        text=True,
        check=False,
    )
    complaints = [line for line in ended.stderr.splitlines() if str(folder) in line or "appliance" in line]
    assert complaints == []
    assert ended.returncode == 0, ended.stderr


@pytest.fixture
def machine(tmp_path: Path) -> tuple[Path, Path]:
    """The folder of choices, and the root that they are carried to."""
    chosen, system = tmp_path / "machine", tmp_path / "system"
    chosen.mkdir()
    (system / "run").mkdir(parents=True)
    return chosen, system


def apply(chosen: Path, system: Path) -> str:
    ended = subprocess.run(
        [UNITS / "apply-machine", chosen, system], capture_output=True, text=True, check=True
    )
    return ended.stderr


def test_choices_about_the_machine_are_carried_over(machine: tuple[Path, Path]) -> None:
    chosen, system = machine
    assert apply(chosen, system) == ""
    (chosen / "10-appliance.network").write_text("[Match]\nName=en*\n")
    (chosen / "timezone").write_text("Europe/Berlin\n")
    (chosen / "hostname").write_text("mail.example.test\n")
    assert apply(chosen, system) == ""
    assert (system / "run/systemd/network/10-appliance.network").read_text() == "[Match]\nName=en*\n"
    assert (system / "run/hostname").read_text() == "mail.example.test\n"
    if Path("/usr/share/zoneinfo/Europe/Berlin").exists():
        assert (system / "run/localtime").readlink() == Path("/usr/share/zoneinfo/Europe/Berlin")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("timezone", "../../etc/shadow"),
        ("timezone", "/etc/shadow"),
        ("timezone", "a b"),
        ("hostname", "$(reboot)"),
        ("hostname", "-F/etc/shadow"),
        ("10-appliance.network", "#" * 5000),
    ],
)
def test_choices_that_are_none_change_nothing(machine: tuple[Path, Path], name: str, text: str) -> None:
    chosen, system = machine
    (chosen / name).write_text(text)
    apply(chosen, system)
    assert list((system / "run").rglob("*")) == []


def unplug(tmp_path: Path, verb: str, lights: str) -> list[str]:
    """What the shutdown's last program asks of gpioset."""
    (tmp_path / "gpioset").write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/calls\n')
    (tmp_path / "gpioset").chmod(0o755)
    (tmp_path / "lights").write_text(lights)
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    subprocess.run([UNITS / "appliance-unplug", verb, tmp_path / "lights"], check=True, env=environment)
    calls = tmp_path / "calls"
    return calls.read_text().splitlines() if calls.exists() else []


def test_the_lights_tell_when_it_is_safe_to_unplug(tmp_path: Path) -> None:
    lights = "/dev/gpiochip0 17 0\n/dev/gpiochip0 27 1\n"
    assert unplug(tmp_path, "reboot", lights) == []
    assert unplug(tmp_path, "poweroff", lights) == [
        "--daemonize --chip /dev/gpiochip0 17=0",
        "--daemonize --chip /dev/gpiochip0 27=1",
    ]


def test_lights_that_are_none_are_left_alone(tmp_path: Path) -> None:
    lights = "/dev/sda 1 1\n/dev/gpiochip0 $(reboot) 1\n/dev/gpiochip0 17 on\n/dev/gpiochip0 -h 1\n"
    assert unplug(tmp_path, "poweroff", lights) == []


def test_a_factory_reset_comes_before_every_look_for_the_store() -> None:
    section = read(UNITS / "appliance-reset.service")["Unit"]
    assert section["DefaultDependencies"] == ["no"]
    assert "sysinit.target" in section["Before"][0].split()
    for path in [*UNITS.glob("*.socket"), *UNITS.glob("appliance*.target"), UNITS / "appliance.service"]:
        assert "DefaultDependencies" not in read(path)["Unit"], f"{path.name} starts after sysinit.target"


@pytest.mark.parametrize("text", ["", "now", "1", "1735689599", "99999999999", "1777890600; reboot", "-1"])
def test_times_that_are_none_are_not_set(tmp_path: Path, text: str) -> None:
    (tmp_path / "date").write_text("#!/bin/sh\nexit 99\n")
    (tmp_path / "date").chmod(0o755)
    request = tmp_path / "clock"
    request.write_text(text)
    ended = subprocess.run(
        [UNITS / "apply-clock", request],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        capture_output=True,
        check=False,
    )
    assert ended.returncode == 1
    assert b"ignored" in ended.stderr
    assert not request.exists()


def test_a_time_is_set(tmp_path: Path) -> None:
    (tmp_path / "date").write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/asked\n')
    (tmp_path / "date").chmod(0o755)
    (tmp_path / "clock").write_text("1777890600\n")
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    subprocess.run([UNITS / "apply-clock", tmp_path / "clock"], check=True, env=environment)
    assert (tmp_path / "asked").read_text() == "-u -s @1777890600\n"


def test_the_user_has_the_same_number_everywhere(tmp_path: Path) -> None:
    if shutil.which("systemd-sysusers") is None or os.geteuid() != 0:
        pytest.skip("needs systemd-sysusers (apt: systemd) and root")
    (tmp_path / "etc").mkdir()
    command = ["systemd-sysusers", f"--root={tmp_path}", UNITS / "appliance.sysusers"]
    subprocess.run(command, check=True, capture_output=True)
    assert "appliance:x:850:850:" in (tmp_path / "etc" / "passwd").read_text()
