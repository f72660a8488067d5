"""Durable deliveries a second, SMTP to visible in IMAP: Satchel beside Postfix with Dovecot's LMTP.

The load is Postfix's own `smtp-source`, 20 connections. A run ends when IMAP shows every message.
"""

import imaplib
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.bench import Row, _peers

CONNECTIONS = 20
ROUNDS = 3
LOADS = ((5_000, 1_000, "5 kB"), (500_000, 60, "500 kB"))
"""(bytes of a message, messages of a round, name)."""

GOAL = 2.0


def run() -> list[Row]:
    """One row for each size: deliveries a second."""
    reason = _peers.missing()
    if reason:
        sys.stderr.write(f"delivery: skipped: {reason}\n")
        return []
    rows = []
    with tempfile.TemporaryDirectory(prefix="satchel-bench-") as name:
        place = Path(name)
        place.chmod(0o755)
        _peers.make_office(place / "satchel")
        with (
            _peers.dovecot(place / "dovecot") as (imap, lmtp),
            _peers.postfix(place / "postfix", lmtp) as smtp,
            _peers.satchel(place / "satchel") as ours,
        ):
            for size, count, label in LOADS:
                speeds = [
                    (_speed(ours.smtp, ours.imap, size, count), _speed(smtp, imap, size, count))
                    for _ in range(ROUNDS)
                ]
                mine, theirs = (statistics.median(column) for column in zip(*speeds, strict=True))
                rows.append(
                    Row(
                        f"deliveries/s, {label}, {CONNECTIONS} connections", mine, theirs, mine / theirs, GOAL
                    )
                )
    return rows


def _speed(smtp: int, imap: int, size: int, count: int) -> float:
    with imaplib.IMAP4("127.0.0.1", imap) as client:
        client.login(_peers.ADDRESS, _peers.PASSWORD)
        before = _messages(client)
        start = time.perf_counter()
        subprocess.run(
            [
                "smtp-source", "-s", str(CONNECTIONS), "-l", str(size), "-m", str(count),
                "-f", "bench@sender.example", "-t", _peers.ADDRESS, f"127.0.0.1:{smtp}",
            ],
            check=True,
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        while _messages(client) < before + count:
            time.sleep(0.005)
        return count / (time.perf_counter() - start)


def _messages(client: imaplib.IMAP4) -> int:
    _, (answer,) = client.status("INBOX", "(MESSAGES)")
    return int(answer.split(b"(MESSAGES ")[1].rstrip(b")"))
