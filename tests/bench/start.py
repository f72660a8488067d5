"""From the start of the process to `ready`: with a big store beside an empty one."""

import statistics
import sys
import time
from pathlib import Path

from tests.bench import Row, _fill, _peers

MESSAGES = 200_000
ROUNDS = 5
GOAL = 1 / 1.2
LIMIT = 2.0
"""Seconds that a start may take."""


def run() -> list[Row]:
    """Two rows: the big store ("ours") beside the empty one ("peer"), and beside the limit."""
    sys.stderr.write(f"start: storing {MESSAGES} messages\n")
    with _fill.office() as empty, _fill.office(("INBOX", MESSAGES)) as big:
        with _peers.satchel(big) as server:
            server.settle()  # so that the index is up to date, as it is when a server starts again
        pairs = [(_start(big), _start(empty)) for _ in range(ROUNDS + 1)][1:]
    mine, peer = (statistics.median(column) for column in zip(*pairs, strict=True))
    return [
        Row(f"start, {MESSAGES} messages beside none, seconds", mine, peer, peer / mine, GOAL),
        Row(f"start, {MESSAGES} messages beside the limit, seconds", mine, LIMIT, LIMIT / mine, 1.0),
    ]


def _start(place: Path) -> float:
    begin = time.perf_counter()
    with _peers.satchel(place):
        return time.perf_counter() - begin
