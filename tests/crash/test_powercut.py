"""Power cuts: whatever the device had not written yet may be missing, and nothing acknowledged is."""

import random
import sys
from pathlib import Path

import pytest

from tests.crash import powercut, surviving

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
