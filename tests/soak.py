"""The long forms of the crash and fuzz tests, in one command that ends by itself.

    nice -n 19 python -m tests.soak [--minutes N] [--record docs/soak.md] [--seed S]

Without minutes: 500 kills of workers, 100 of servers, 5,000 power cuts, and an hour for each fuzz target.
With them: a fifth of the time for each kind of crash, the rest divided among the fuzz targets; a run that has
begun is finished. `--record` appends a dated row. Exits 1 at the first broken run, or when fuzzing found
something.
"""

import argparse
import datetime
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tests.crash import powercut
from tests.crash.__main__ import CUTS_AT_ONCE, KILLS_AT_ONCE, Soak, cut, kill, serve
from tests.crash.ledger import Broken
from tests.fuzz.runner import fuzz, keep, limited_memory
from tests.fuzz.targets import TARGETS

SERVERS_AT_ONCE = 5
FULL = {"kills": 500, "servers": 100, "cuts": 5000}
FULL_SECONDS = 3600.0
"""For each fuzz target."""

SHARE = 0.2
"""Of the minutes, for each kind of crash."""


def crashes(base: Path, seed: int, minutes: float | None) -> dict[str, int]:
    """How many of each kind were survived. Raises Broken."""
    soak = Soak(base, seed)
    library = powercut.build(base)
    kinds: dict[str, tuple[int, Callable[[Path, int], str]]] = {
        "kills": (KILLS_AT_ONCE, kill),
        "servers": (SERVERS_AT_ONCE, partial(serve, count=SERVERS_AT_ONCE)),
    }
    if library is not None:
        kinds["cuts"] = (CUTS_AT_ONCE, partial(cut, library=library))
    done = dict.fromkeys(FULL, 0)
    for name, (count, run) in kinds.items():
        until = time.monotonic() + (minutes or 0) * 60 * SHARE
        while done[name] < FULL[name] if minutes is None else time.monotonic() < until:
            soak.run(run)
            done[name] += count
    return done


def fuzzing(seed: int, minutes: float | None) -> tuple[int, int]:
    """(runs, findings) over every target."""
    share = 1 - SHARE * len(FULL)
    seconds = FULL_SECONDS if minutes is None else minutes * 60 * share / len(TARGETS)
    total = found = 0
    with limited_memory():
        for target in TARGETS:
            runs, finding = fuzz(target, seconds, seed)
            total += runs
            if finding is not None:
                found += 1
                sys.stdout.write(f"{target.name}: {finding.problem}, kept as {keep(finding)}\n")
    return total, found


def record(path: Path, minutes: float, done: dict[str, int], runs: int, found: int) -> None:
    """Append a row to the table of results."""
    day = datetime.datetime.now(datetime.UTC).date().isoformat()
    numbers = " | ".join(str(done[name]) for name in FULL)
    with path.open("a") as out:
        out.write(f"| {day} | {minutes:.0f} | {numbers} | {runs} | {found} |\n")


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak")
    parser.add_argument("--minutes", type=float, help="about how long; default: the full numbers")
    parser.add_argument("--record", type=Path, help="the table that gets a row")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 20))
    given = parser.parse_args()
    started, base = time.monotonic(), Path(tempfile.mkdtemp(prefix="soak-"))
    try:
        done = crashes(base, given.seed, given.minutes)
    except Broken as error:
        sys.stdout.write(f"BROKEN: {error}; the files stand in {base}\n")
        return 1
    shutil.rmtree(base)
    runs, found = fuzzing(given.seed, given.minutes)
    took = (time.monotonic() - started) / 60
    sys.stdout.write(f"{took:.0f} minutes: {done}, {runs} fuzz runs, {found} findings\n")
    if given.record is not None:
        record(given.record, took, done, runs, found)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
