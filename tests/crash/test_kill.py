"""SIGKILL at random moments under load: nothing acknowledged is lost or doubled, no UID is used again."""

import random
import sys
from pathlib import Path

import pytest

from tests.crash import killing

ROUNDS = 12


@pytest.mark.slow
def test_nothing_acknowledged_is_lost_when_the_process_is_killed(tmp_path: Path) -> None:
    seed = random.randrange(1 << 20)
    sys.stdout.write(f"seed {seed}\n")
    acknowledged, _ = killing.rounds(tmp_path / "data", seed, ROUNDS)
    assert acknowledged > 0
