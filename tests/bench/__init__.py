"""Benchmarks beside their peers: each module here has `run() -> list[Row]`, listed in `__main__`.

A row compares two speeds measured in the same run on the same machine, alternating, so that only the ratio
counts. `ours` and `peer` are in a unit that the name states; a ratio of at least `goal` is the aim.
"""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One comparison. ratio: how much better ours is; it reaches the goal if ratio >= goal."""

    name: str
    ours: float
    peer: float
    ratio: float
    goal: float


def seconds(work: Callable[[], object]) -> float:
    """The wall time of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def compare(ours: Callable[[], object], peer: Callable[[], object], rounds: int = 7) -> tuple[float, float]:
    """Median seconds of both, in alternating rounds after one warm-up each."""
    ours(), peer()
    pairs = [(seconds(ours), seconds(peer)) for _ in range(rounds)]
    return statistics.median(a for a, _ in pairs), statistics.median(b for _, b in pairs)
