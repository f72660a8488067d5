"""SIGKILL at random moments under load: nothing acknowledged is lost or doubled, no UID is used again."""

import random
import sys
from pathlib import Path

import pytest

from tests.crash import clients, killing

ROUNDS = 12
SERVER_ROUNDS = 3


@pytest.mark.slow
def test_nothing_acknowledged_is_lost_when_the_process_is_killed(tmp_path: Path) -> None:
    seed = random.randrange(1 << 20)
    sys.stdout.write(f"seed {seed}\n")
    acknowledged, _ = killing.rounds(tmp_path / "data", seed, ROUNDS)
    assert acknowledged > 0


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # poplib forgets its socket
def test_nothing_answered_is_lost_when_the_server_is_killed(tmp_path: Path) -> None:
    seed = random.randrange(1 << 20)
    sys.stdout.write(f"seed {seed}\n")
    rounds = clients.Rounds(tmp_path / "data", seed)
    for number in range(SERVER_ROUNDS):
        rounds.round(number)
    assert rounds.acknowledged > 0
