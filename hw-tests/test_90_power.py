"""Power cuts: the disk under mail load, rebuilt as it may stand at random moments.

Everything that was answered with 250 before a moment must be there after it, the file system must come back
by its journal alone, and the store must be clean. SATCHEL_CUTS: how many moments (ten; 200 before a release).

The recording and which moments were tried stay in build/power-cuts: with SATCHEL_CUTS_GO_ON=1 a
later run tries the rest of them on the same recording, and boots nothing for it.
"""

import json
import os
import random
import shutil
import smtplib
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import people
import pytest
from machine import ROOT, Board, NotHere, Qemu
from writelog import Rebuilder, entries

CUTS = int(os.environ.get("SATCHEL_CUTS", "10"))
LOAD = float(os.environ.get("SATCHEL_LOAD", "60"))
"""Seconds of mail load that are recorded."""

BOOTS = int(os.environ.get("SATCHEL_CUT_BOOTS", "1"))
"""How many of the cut disks are booted, each at a moment of its own; the last one at the load's end."""

SEED = int(os.environ.get("SATCHEL_SEED", "0")) or random.SystemRandom().randrange(1 << 32)
FOLDER = ROOT / "build" / "power-cuts"
BEFORE, LOG = FOLDER / "before.img", FOLDER / "writes.log"
GO_ON = bool(os.environ.get("SATCHEL_CUTS_GO_ON"))
DATA_START = (1 + 64 + 2 * (32 + 256)) << 20
"""Where the data partition begins (image/lib/common.sh)."""


@dataclass(slots=True)
class Recorded:
    """A disk before, the log of writes to it, and what was acknowledged at which size of the log.
    `to_first_mail`: seconds from power to the first mail, on the clock and of the processor. `tried`:
    which of the moments that follow from the seed were found in order."""

    seed: int
    to_first_mail: tuple[float, float]
    acknowledged: list[tuple[int, str]]
    tried: list[int] = field(default_factory=list)
    lost_writes: int = 0
    disk: Path = BEFORE
    log: Path = LOG

    def keep(self) -> None:
        kept = [self.seed, self.to_first_mail, self.acknowledged, self.tried, self.lost_writes]
        (FOLDER / "recorded.new").write_text(json.dumps(kept))
        (FOLDER / "recorded.new").rename(FOLDER / "recorded.json")

    @classmethod
    def kept(cls) -> "Recorded":
        seed, first, acknowledged, tried, lost = json.loads((FOLDER / "recorded.json").read_text())
        return cls(seed, tuple(first), [(at, subject) for at, subject in acknowledged], tried, lost)

    def moments(self, count: int) -> list[int]:
        """The first so many of the moments that follow from the seed, while mail was under way."""
        rows = entries(self.log)[1]
        first = next(at for at, row in enumerate(rows) if row.end >= self.acknowledged[0][0])
        rng = random.Random(self.seed)
        return [rng.randrange(first + 1, len(rows) + 1) for _ in range(count)]


@pytest.fixture(scope="module")
def recorded(machine: Qemu | Board, measured: dict[str, float]) -> Recorded:
    """A minute of mail load on the machine that the tests before have set up."""
    if not isinstance(machine, Qemu):
        raise NotHere("nobody records what a real card is told")
    if shutil.which("debugfs") is None:
        pytest.skip("needs debugfs (apt: e2fsprogs)")
    machine.cut()
    if GO_ON and (FOLDER / "recorded.json").exists():
        return Recorded.kept()
    if not machine.disk.exists():
        machine.start()
        people.set_up(machine)
        people.first_mail(machine, "the very first")
        machine.shell.run("sync")
        machine.shell.try_run("systemctl start poweroff.target --no-block")
        machine.wait()
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    subprocess.run(["cp", "--sparse=always", machine.disk, BEFORE], check=True)
    machine.start(f"--log-writes={LOG}")
    accepted = people.first_mail(machine, "warming up")
    processor = machine.processor_seconds()
    acknowledged: list[tuple[int, str]] = []
    deadline = time.monotonic() + LOAD
    while time.monotonic() < deadline:
        try:
            with smtplib.SMTP(*machine.address(25), local_hostname="elsewhere.test", timeout=60) as client:
                for _ in range(20):
                    subject = f"cut-{len(acknowledged):06d}"
                    client.send_message(people.letter(subject))
                    acknowledged.append((LOG.stat().st_size, subject))
        except smtplib.SMTPException:
            time.sleep(0.5)
    machine.cut()
    assert len(acknowledged) > 10, "there was hardly any load"
    found = Recorded(SEED, (accepted - machine.started, processor), acknowledged)
    found.keep()
    return found


def test_a_cut_at_any_moment_loses_nothing(
    recorded: Recorded, measured: dict[str, float], tmp_path: Path
) -> None:
    """The moments in the order of the log, and those of earlier runs not again."""
    data = partition(recorded.disk, tmp_path / "data.img")
    rebuilder = Rebuilder(recorded.log, data, DATA_START)
    rows = rebuilder.rows
    for number, cut in sorted(enumerate(recorded.moments(CUTS)), key=lambda moment: moment[1]):
        if number in recorded.tried:
            continue
        rng = random.Random(f"{recorded.seed} {number}")
        opened = rebuilder.advance(cut)
        disk = tmp_path / "cut.img"
        subprocess.run(["cp", "--sparse=always", data, disk], check=True)
        kept = rebuilder.lose(cut, disk, rng)
        where = (
            f"seed {recorded.seed}, moment {number}: after {cut} of {len(rows)} writes, {kept} of {opened}"
            " open ones kept"
        )
        there = store_of(disk, tmp_path / "out", where)
        expected = {subject for at, subject in recorded.acknowledged if at <= rows[cut - 1].end}
        assert expected <= there, f"{where}: lost {sorted(expected - there)[:5]}"
        recorded.tried.append(number)
        recorded.lost_writes += opened - kept
        recorded.keep()
    clock, processor = recorded.to_first_mail
    measured["seconds from power to the first mail accepted (-kernel)"] = clock
    measured["the same, processor seconds of QEMU"] = processor
    measured["power cuts"] = len(recorded.tried)
    measured["writes recorded"] = len(rows)
    measured["writes lost in cuts"] = recorded.lost_writes
    measured["messages acknowledged"] = len(recorded.acknowledged)


def partition(disk: Path, out: Path) -> Path:
    """The data partition of a disk, sparse."""
    command = ["dd", f"if={disk}", f"of={out}", "bs=1M", f"skip={DATA_START >> 20}", "conv=sparse"]
    subprocess.run(command, check=True, capture_output=True)
    os.truncate(out, disk.stat().st_size - DATA_START)
    return out


def store_of(disk: Path, out: Path, where: str) -> set[str]:
    """Check file system and store of a disk; the subjects in Anna's mailbox."""
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    mended = subprocess.run(["e2fsck", "-p", disk], capture_output=True, text=True, check=False)
    assert mended.returncode in (0, 1), f"{where}: {mended.stdout}{mended.stderr}"
    clean = subprocess.run(["e2fsck", "-fn", disk], capture_output=True, text=True, check=False)
    assert clean.returncode == 0, f"{where}: {clean.stdout}{clean.stderr}"
    dump = ["debugfs", "-R", f"rdump /appliance/data {out}", disk]
    subprocess.run(dump, capture_output=True, check=True)
    appliance = [ROOT / ".venv" / "bin" / "appliance", "--data", out / "data"]
    checked = subprocess.run([*appliance, "check"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, f"{where}: {checked.stdout}{checked.stderr}"
    box = out / "anna.mbox"
    subprocess.run([*appliance, "export", f"anna@{people.DOMAIN}", box], check=True, capture_output=True)
    lines = box.read_text(errors="replace").splitlines()
    return {line.removeprefix("Subject: ") for line in lines if line.startswith("Subject: cut-")}


def test_cut_disks_boot(recorded: Recorded, machine: Qemu | Board, tmp_path: Path) -> None:
    """Some moments, booted for real; at the last one the load had ended."""
    assert isinstance(machine, Qemu)
    whole = tmp_path / "whole.img"
    subprocess.run(["cp", "--sparse=always", recorded.disk, whole], check=True)
    rebuilder = Rebuilder(recorded.log, whole)
    rows = rebuilder.rows
    for cut in [*sorted(recorded.moments(BOOTS - 1)), len(rows)]:
        rebuilder.advance(cut)
        subprocess.run(["cp", "--sparse=always", whole, machine.disk], check=True)
        rebuilder.lose(cut, machine.disk, random.Random(f"{recorded.seed} booted {cut}"))
        machine.start()
        people.first_mail(machine, "after the cut")
        people.wait_for(machine, "anna", "after the cut")
        expected = {subject for at, subject in recorded.acknowledged if at <= rows[cut - 1].end}
        there = set(people.subjects(machine, "anna"))
        assert expected <= there, f"seed {recorded.seed}, booted after {cut} writes"
        machine.cut()
