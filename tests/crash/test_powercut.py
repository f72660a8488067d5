"""Power cuts: whatever the device had not written yet may be missing, and nothing acknowledged is."""

import random
import shutil
import sys
from pathlib import Path

import pytest

from appliance.net.tls import TlsIdentity
from appliance.store.check import check
from appliance.store.fulltext import FILE_NAME
from appliance.store.store import Store
from tests.crash import indexed, powercut, surviving, worker

OPERATIONS = 25
"""Operations of each thread in the recorded run."""


@pytest.fixture
def library(tmp_path: Path) -> Path:
    built = powercut.build(tmp_path)
    if built is None:
        pytest.skip("no C compiler (cc) to build the recorder with")
    return built


def seed() -> int:
    chosen = random.randrange(1 << 20)
    sys.stdout.write(f"seed {chosen}\n")
    return chosen


@pytest.mark.slow
def test_nothing_acknowledged_is_lost_in_a_power_cut(tmp_path: Path, library: Path) -> None:
    number = seed()
    recording = surviving.make_recording(library, tmp_path, number, OPERATIONS)
    result = surviving.survey(recording, tmp_path, number, subsets=1, limit=150)
    assert result.fault == ""
    assert result.cuts > 100
    assert result.acknowledged > OPERATIONS


@pytest.mark.slow
@pytest.mark.parametrize("option", ["--nosync", "--nometasync"])
def test_the_harness_notices_a_store_that_does_not_sync(tmp_path: Path, library: Path, option: str) -> None:
    number = seed()
    recording = surviving.make_recording(library, tmp_path, number, OPERATIONS, option)
    assert surviving.survey(recording, tmp_path, number, subsets=2, limit=150).fault != ""


@pytest.mark.slow
def test_a_data_directory_is_whole_or_not_there(tmp_path: Path, library: Path) -> None:
    """`appliance init`: until it has said that it is done the directory may be missing, never half made."""
    number = seed()
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "before").mkdir()
    run = "import sys; from appliance.cli import main; main()"
    line = ["-c", run, "--data", str(root / "data"), "init", "--domain", "example.test"]
    assert powercut.record(library, root, tmp_path / "log", tmp_path / "notes", *line) == 0
    rng = random.Random(number)
    disk = powercut.Disk(tmp_path / "before")
    taken = list(powercut.records((tmp_path / "log").read_bytes()))
    found = {"data": 0, "nothing": 0}
    for position, one in enumerate(taken):
        disk.take(one)
        last = position == len(taken) - 1
        for _ in range(20 if last else 1):
            place = tmp_path / "cut"
            disk.cut(place, rng)
            if (place / "data").exists():
                store = Store.open(place / "data")
                assert check(store) == []
                store.close()
                TlsIdentity(place / "data" / "tls")
                found["data"] += 1
            else:
                assert not last
                found["nothing"] += 1
            shutil.rmtree(place)
    assert found["data"] >= 20
    assert found["nothing"] > 0


@pytest.mark.slow
def test_the_full_text_index_never_hides_what_is_there(tmp_path: Path, library: Path) -> None:
    number = seed()
    data, before, log, notes = (tmp_path / name for name in ("data", "before", "log", "notes"))
    worker.prepare(data)
    shutil.copytree(data, before)
    line = ["-m", "tests.crash.indexed", str(data), str(notes), str(number)]
    assert powercut.record(library, data, log, notes, *line) == 0
    disk, rng = powercut.Disk(before), random.Random(number)
    moments = [disk.take(one) for one in powercut.records(log.read_bytes())]
    chosen = set(rng.sample([at for at, moment in enumerate(moments) if moment], 15))
    there = 0
    disk = powercut.Disk(before)
    for position, one in enumerate(powercut.records(log.read_bytes())):
        disk.take(one)
        if position in chosen:
            disk.cut(tmp_path / "cut", rng)
            there += (tmp_path / "cut" / FILE_NAME).exists()
            assert indexed.recovers(tmp_path / "cut") == ""
            shutil.rmtree(tmp_path / "cut")
    assert there
