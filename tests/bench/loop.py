"""How long the event loop keeps others waiting under full delivery load: the round trip of a NOOP on an idle
connection, at the 99th percentile, in milliseconds. The client's own wait for a processor is in it.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.bench import Row, _peers
from tests.bench.imap import Client

LOADS = ((5_000, 1_500, "5 kB"), (500_000, 150, "500 kB"))
"""(bytes of a message, messages, name)."""

CONNECTIONS = 20
PAUSE = 0.002
LIMIT = 10.0
"""Milliseconds."""


def run() -> list[Row]:
    """One row for each size of messages; "peer" is the limit."""
    reason = _peers.missing()
    if reason:
        sys.stderr.write(f"loop: skipped: {reason}\n")
        return []
    rows = []
    with tempfile.TemporaryDirectory(prefix="satchel-bench-") as name:
        place = Path(name) / "satchel"
        _peers.make_office(place)
        with _peers.satchel(place) as server:
            for size, count, label in LOADS:
                late = _delays(server, size, count)
                p99 = statistics.quantiles(late, n=100)[98] * 1000
                rows.append(Row(f"NOOP under delivery of {label}, ms at p99", p99, LIMIT, LIMIT / p99, 1.0))
    return rows


def _delays(server: _peers.Satchel, size: int, count: int) -> list[float]:
    client = Client(server.imap)
    load = subprocess.Popen(
        [
            "smtp-source", "-s", str(CONNECTIONS), "-l", str(size), "-m", str(count),
            "-f", "bench@sender.example", "-t", _peers.ADDRESS, f"127.0.0.1:{server.smtp}",
        ],
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    found: list[float] = []
    while load.poll() is None:
        start = time.perf_counter()
        client.command("NOOP")
        found.append(time.perf_counter() - start)
        time.sleep(PAUSE)
    assert load.returncode == 0
    client.close()
    return found
