"""The long form: `python -m tests.crash [--kills N] [--servers N] [--cuts N] [--seed S]`, a line a run.

Exits 1 at the first fault, after naming the seed that finds it again.
"""

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tests.crash import clients, killing, powercut, surviving
from tests.crash.ledger import Broken

KILLS_AT_ONCE = 50
"""Rounds on one store."""

CUTS_AT_ONCE = 900
"""Power cuts of one recorded run, at most."""

OPERATIONS = 60
SUBSETS = 3
"""Random subsets of the later writes for each moment."""


def kill(folder: Path, seed: int) -> str:
    """Kill workers on one store."""
    acknowledged, unfinished = killing.rounds(folder / "data", seed, KILLS_AT_ONCE)
    return f"{KILLS_AT_ONCE} kills, {acknowledged} acknowledged, {unfinished} unfinished: sound"


def cut(folder: Path, seed: int, library: Path) -> str:
    """Cut the power at CUTS_AT_ONCE / SUBSETS moments of one recorded run."""
    recording = surviving.make_recording(library, folder, seed, OPERATIONS)
    survey = surviving.survey(recording, folder, seed, SUBSETS, limit=CUTS_AT_ONCE // SUBSETS)
    if survey.fault:
        raise Broken(f"power cut, seed {seed}: {survey.fault}")
    return f"{survey.cuts} power cuts, {survey.acknowledged} acknowledged: sound"


def serve(folder: Path, seed: int, count: int) -> str:
    """Kill real servers on one data directory."""
    rounds = clients.Rounds(folder / "data", seed)
    for number in range(count):
        rounds.round(number)
    return f"{count} servers killed, {rounds.acknowledged} answers: sound"


class Soak:
    """Numbers the runs, gives each a folder, says what became of it."""

    def __init__(self, base: Path, seed: int) -> None:
        self._base, self._seed = base, seed
        self._started = time.monotonic()

    def run(self, work: Callable[[Path, int], str]) -> None:
        """One run. Raises Broken."""
        folder = self._base / str(self._seed)
        folder.mkdir()
        self.say(f"seed {self._seed}: {work(folder, self._seed)}")
        shutil.rmtree(folder)
        self._seed += 1

    def say(self, text: str) -> None:
        """One line of the report."""
        sys.stdout.write(f"{time.monotonic() - self._started:7.0f} s  {text}\n")
        sys.stdout.flush()


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--servers", type=int, default=100)
    parser.add_argument("--cuts", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 20))
    given = parser.parse_args()
    base = Path(tempfile.mkdtemp(prefix="crash-"))
    soak = Soak(base, given.seed)
    try:
        for _ in range(0, given.kills, KILLS_AT_ONCE):
            soak.run(kill)
        if given.servers:
            soak.run(partial(serve, count=given.servers))
        library = powercut.build(base)
        for _ in range(0, given.cuts if library else 0, CUTS_AT_ONCE):
            soak.run(partial(cut, library=library))
    except Broken as error:
        soak.say(f"BROKEN: {error}; the files stand in {base}")
        return 1
    shutil.rmtree(base)
    return 0


if __name__ == "__main__":
    sys.exit(main())
