"""What several files of the image say must be the same thing."""

import importlib.machinery
import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

from appliance import __version__
from appliance.panel import board
from appliance.panel.machine import ANSWERS, REQUESTS

ROOT = Path(__file__).resolve().parents[2]
IMAGE = ROOT / "image"
MIB = 1 << 20


def variables() -> dict[str, str]:
    """The settings of the build."""
    names = "VERSION ESP_SIZE BOOT_SIZE ROOT_SIZE DATA_SIZE DATA_TYPE COMPATIBLE PYTHON"
    script = f'. {IMAGE}/lib/common.sh; for name in {names}; do echo "$name=${{!name}}"; done'
    said = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True).stdout
    return dict(line.split("=", 1) for line in said.splitlines())


def program(path: Path) -> ModuleType:
    loader = importlib.machinery.SourceFileLoader("run_qemu", str(path))
    spec = importlib.util.spec_from_loader("run_qemu", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.dont_write_bytecode = True
    loader.exec_module(module)
    return module


def test_the_places_of_the_partitions() -> None:
    found = {name: int(value) for name, value in variables().items() if name.endswith("_SIZE")}
    esp, boot, root = (found[f"{name}_SIZE"] for name in ("ESP", "BOOT", "ROOT"))
    qemu = program(IMAGE / "run-qemu")
    assert {"A": (1 + esp) * MIB, "B": (1 + esp + boot + root) * MIB} == qemu.SLOTS
    hardware = (ROOT / "hw-tests" / "test_90_power.py").read_text()
    assert f"DATA_START = ({1} + {esp} + 2 * ({boot} + {root})) << 20" in hardware


def test_the_version() -> None:
    assert variables()["VERSION"] == __version__


def test_every_port_is_forwarded() -> None:
    rules = (ROOT / "systemd" / "nftables.conf").read_text()
    found = re.search(r"elements = \{([^}]*)\}", rules)
    assert found
    assert {int(port) for port in found[1].split(",")} == set(program(IMAGE / "run-qemu").PORTS)


def test_rauc_knows_the_slots_of_the_boot_loader() -> None:
    text = (IMAGE / "root" / "etc" / "rauc" / "system.conf").read_text()
    assert set(re.findall(r"bootname=(\w)", text)) == {"A", "B"}
    assert f"compatible={variables()['COMPATIBLE']}" in text
    assert f"compatible={variables()['COMPATIBLE']}" in (IMAGE / "lib" / "bundle").read_text()


def test_requests_go_where_the_units_look() -> None:
    assert f"PathExists={REQUESTS}/update" in (ROOT / "systemd" / "appliance-update.path").read_text()
    assert f"SATCHEL_ANSWERS:-{ANSWERS}" in (ROOT / "systemd" / "apply-update").read_text()


def test_the_firmware_is_told_of_every_board() -> None:
    """Each Raspberry Pi of the board files has its device tree in config.txt."""
    text = (IMAGE / "boot" / "config.txt").read_text()
    boards = {path.stem for path in (IMAGE / "boards").glob("*.conf")} - {"virt"}
    sections = {"zero2w": "pi02"}
    for name in boards:
        assert f"[{sections.get(name, name)}]\ndevice_tree=" in text
        assert board.read(IMAGE / "boards" / f"{name}.conf").button is not None


def test_packages_have_the_versions_that_are_tested() -> None:
    """Every package of constraints.txt comes from Debian, but gpiozero."""
    listed = (IMAGE / "packages").read_text()
    other = {"pyserial": "serial"}
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            name = line.partition("==")[0]
            assert name == "gpiozero" or f"python3-{other.get(name, name)}" in listed


def test_the_scripts_are_shells() -> None:
    scripts = [
        *(IMAGE / "steps").iterdir(),
        IMAGE / "build",
        IMAGE / "lib" / "common.sh",
        IMAGE / "lib" / "bundle",
    ]
    for path in scripts:
        subprocess.run(["bash", "-n", path], check=True)
    for path in [*(IMAGE / "root" / "usr" / "lib" / "appliance").iterdir(), *ROOT.glob("systemd/apply-*")]:
        subprocess.run(["sh", "-n", path], check=True)
    subprocess.run(["sh", "-n", IMAGE / "boot" / "init"], check=True)


def test_what_is_missing_is_named_before_anything_starts() -> None:
    """Every program that the build looks for comes with a package that is installed for the tests."""
    listed = (IMAGE / "host-packages").read_text().split()
    needed = re.search(r'NEEDED="([^"]+)"', (IMAGE / "build").read_text())
    assert needed
    assert {row.partition(":")[2] for row in needed[1].split()} <= set(listed)
