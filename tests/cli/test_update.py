"""`appliance update`, with the system's own script answering and RAUC played by a few lines of shell."""

import json
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.cli import update
from appliance.net import health
from appliance.panel.machine import Machine
from tests.cli.conftest import Cli

SCRIPT = Path(__file__).resolve().parents[2] / "systemd" / "apply-update"

RAUC = """#!/bin/sh
cd "$(dirname "$0")"
echo "$@" >> calls
case "$*" in
    "status --output-format=json") cat status.json ;;
    "install "*)
        cat "$2" >> installed
        grep -q broken "$2" || exit 0
        echo "LastError: signature verification failed"
        exit 1
        ;;
esac
"""


def slot(name: str, letter: str, state: str, boot: str) -> dict[str, object]:
    return {name: {"class": "rootfs", "bootname": letter, "state": state, "boot_status": boot}}


class System:
    """The part of the system that acts on requests, as long as the test runs."""

    def __init__(self, folder: Path, machine: Machine) -> None:
        self.folder, self.machine = folder, machine
        (folder / "rauc").write_text(RAUC)
        (folder / "rauc").chmod(0o755)
        self.slots("good", "bad")
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._act)
        self.thread.start()

    def slots(self, first: str, second: str) -> None:
        boot = {"boot.0": {"class": "boot", "bootname": None, "state": "active"}}
        slots = [slot("rootfs.0", "A", "booted", first), slot("rootfs.1", "B", "inactive", second), boot]
        (self.folder / "status.json").write_text(json.dumps({"boot_primary": "rootfs.0", "slots": slots}))

    def calls(self) -> list[str]:
        path = self.folder / "calls"
        return path.read_text().splitlines() if path.exists() else []

    def _act(self) -> None:
        request = self.machine.requests / "update"
        environment = {"PATH": f"{self.folder}:/usr/bin:/bin", "SATCHEL_ANSWERS": str(self.machine.answers)}
        environment["SATCHEL_PLACE"] = str(self.folder)
        while not self.ended.wait(0.01):
            if request.exists():
                subprocess.run([SCRIPT, request], env=environment, check=True)


@pytest.fixture
def system(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[System]:
    here = Machine(cli.data, tmp_path / "requests", tmp_path / "stick", tmp_path / "answers")
    for folder in (here.choices, here.requests, here.answers, tmp_path / "system"):
        folder.mkdir()
    monkeypatch.setattr(update, "machine", lambda: here)
    monkeypatch.setattr(health, "UPDATE", here.answers / "state")
    acting = System(tmp_path / "system", here)
    yield acting
    acting.ended.set()
    acting.thread.join()


def test_the_slots_are_shown(cli: Cli, system: System) -> None:
    (first, second) = cli.json("update", "status")["slots"]
    assert (first["slot"], first["runs"], first["next"], first["confirmed"]) == ("A", True, True, True)
    assert (second["slot"], second["runs"], second["next"], second["confirmed"]) == ("B", False, False, False)


def test_a_bundle_is_installed_and_waits_for_the_restart(cli: Cli, system: System, tmp_path: Path) -> None:
    bundle = tmp_path / "new system.raucb"
    bundle.write_bytes(b"a new system")
    assert "with the next restart" in cli.ok("update", "install", str(bundle), "--reboot")
    copy = system.folder / "bundle.raucb"
    assert system.calls() == [f"install {copy}"], "from a place of root's"
    assert (system.folder / "installed").read_text() == "a new system"
    assert not copy.exists()
    assert (system.machine.requests / "reboot").exists()
    assert (system.machine.answers / "state").read_text() == "waiting\n"


def test_a_bundle_that_is_refused_changes_nothing(cli: Cli, system: System, tmp_path: Path) -> None:
    bundle = tmp_path / "broken.raucb"
    bundle.write_bytes(b"broken")
    assert "signature verification failed" in cli.refused("update", "install", str(bundle))
    assert not (system.machine.answers / "state").exists()
    assert "there is no file" in cli.refused("update", "install", str(tmp_path / "none.raucb"))
    assert "no USB stick" in cli.refused("update", "install")


def test_the_last_bundle_on_the_stick(cli: Cli, system: System) -> None:
    system.machine.stick.mkdir()
    assert "no update" in cli.refused("update", "install")
    for name in ("satchel-0.1.0-arm64.raucb", "satchel-0.2.0-arm64.raucb", "letter.txt"):
        (system.machine.stick / name).write_bytes(b"")
    assert "satchel-0.2.0" in cli.ok("update", "install")


def test_going_back_needs_a_system_that_was_confirmed(cli: Cli, system: System) -> None:
    assert "never confirmed" in cli.refused("update", "rollback")
    system.slots("good", "good")
    assert "Slot B" in cli.ok("update", "rollback")
    assert system.calls()[-1] == "status mark-active other"


def test_confirming(cli: Cli, system: System) -> None:
    cli.ok("update", "mark-good")
    assert system.calls() == ["status mark-good"]
    cli.ok("update", "contract")


def test_elsewhere_there_is_nothing_to_update(cli: Cli) -> None:
    assert "not run by the appliance's system" in cli.refused("update", "status")


def test_an_answer_that_is_none(cli: Cli, system: System) -> None:
    (system.folder / "status.json").write_text("no")
    assert "not understood" in cli.refused("update", "status")


def test_a_busy_rauc_is_asked_again(tmp_path: Path) -> None:
    """D-Bus waits 25 seconds; a good system is not left because a slow board took longer."""
    (tmp_path / "rauc").write_text(
        '#!/bin/sh\ncd "$(dirname "$0")"\necho "$@" >> calls\n[ "$(wc -l < calls)" = 3 ]\n'
    )
    (tmp_path / "sleep").write_text("#!/bin/sh\n")
    for name in ("rauc", "sleep"):
        (tmp_path / name).chmod(0o755)
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "SATCHEL_ANSWERS": str(tmp_path)}
    subprocess.run([SCRIPT, "confirm"], env=environment, check=True, capture_output=True)
    assert (tmp_path / "calls").read_text().splitlines() == ["status mark-good"] * 3


@pytest.mark.parametrize("line", ["", "zz status", "12ab dance", "12ab install relative.raucb"])
def test_requests_that_are_none_start_nothing(tmp_path: Path, line: str) -> None:
    (tmp_path / "rauc").write_text("#!/bin/sh\ntouch $(dirname $0)/called\n")
    (tmp_path / "rauc").chmod(0o755)
    (tmp_path / "request").write_text(line + "\n")
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "SATCHEL_ANSWERS": str(tmp_path)}
    subprocess.run([SCRIPT, tmp_path / "request"], env=environment, check=True, capture_output=True)
    assert not (tmp_path / "called").exists()
    assert not (tmp_path / "request").exists()


@pytest.mark.parametrize(("status", "restarts"), [("good", False), ("bad", True)])
def test_only_a_system_that_was_never_confirmed_goes(tmp_path: Path, status: str, restarts: bool) -> None:
    shell = (
        "RAUC_SLOT_STATE_1='inactive'\nRAUC_SLOT_BOOT_STATUS_1='good'\n"
        f"RAUC_SLOT_STATE_2='booted'\nRAUC_SLOT_BOOT_STATUS_2='{status}'\n"
    )
    (tmp_path / "status").write_text(shell)
    (tmp_path / "rauc").write_text(f"#!/bin/sh\ncat {tmp_path}/status\n")
    (tmp_path / "systemctl").write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/called\n')
    for name in ("rauc", "systemctl"):
        (tmp_path / name).chmod(0o755)
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    subprocess.run([SCRIPT, "unconfirmed"], env=environment, check=True, capture_output=True)
    assert (tmp_path / "called").exists() == restarts
