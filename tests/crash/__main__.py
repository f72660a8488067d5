"""The long form: `python -m tests.crash [--kills N] [--cuts N] [--seed S]`; one line for each run.

Exits 1 at the first fault, after naming the seed that finds it again.
"""

import argparse
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.crash import killing, powercut, surviving
from tests.crash.ledger import Broken

KILLS_AT_ONCE = 50
"""Rounds on one store."""

OPERATIONS = 60
SUBSETS = 3


def say(started: float, text: str) -> None:
    """One line of the report."""
    sys.stdout.write(f"{time.monotonic() - started:7.0f} s  {text}\n")
    sys.stdout.flush()


def kill(folder: Path, seed: int) -> str:
    """Kill workers on one store."""
    acknowledged, unfinished = killing.rounds(folder / "data", seed, KILLS_AT_ONCE)
    return f"{KILLS_AT_ONCE} kills, {acknowledged} acknowledged, {unfinished} unfinished: sound"


def cut(folder: Path, library: Path, seed: int) -> tuple[int, str]:
    """Cut the power at every moment of one recorded run."""
    recording = surviving.make_recording(library, folder, seed, OPERATIONS)
    survey = surviving.survey(recording, folder, seed, SUBSETS)
    if survey.fault:
        raise Broken(f"power cut, seed {seed}: {survey.fault}")
    return survey.cuts, f"{survey.cuts} power cuts, {survey.acknowledged} acknowledged: sound"


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--cuts", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 20))
    given = parser.parse_args()
    started, seed = time.monotonic(), given.seed
    base = Path(tempfile.mkdtemp(prefix="crash-"))
    try:
        for _ in range(0, given.kills, KILLS_AT_ONCE):
            folder = base / str(seed)
            folder.mkdir()
            say(started, f"seed {seed}: {kill(folder, seed)}")
            shutil.rmtree(folder)
            seed += 1
        library, done = powercut.build(base), 0
        while library is not None and done < given.cuts:
            folder = base / str(seed)
            folder.mkdir()
            count, text = cut(folder, library, seed)
            say(started, f"seed {seed}: {text}")
            shutil.rmtree(folder)
            done += count
            seed += 1
    except Broken as error:
        say(started, f"BROKEN: {error}; the files stand in {base}")
        return 1
    shutil.rmtree(base)
    return 0


if __name__ == "__main__":
    sys.exit(main())
