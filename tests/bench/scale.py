"""A folder of 100,000 messages beside one of 1,000, on the same server: opening it, sequence numbers at any
position, and finding what changed must cost about the same. Seconds of one command each, alternating.
"""

import random
import statistics
import sys
import time
from collections.abc import Callable

from tests.bench import Row, _fill, _peers
from tests.bench.imap import Client

LARGE, SMALL = 100_000, 1_000
ROUNDS = 200
GOAL = 1 / 1.5
"""The large folder may cost one and a half times as much."""


def run() -> list[Row]:
    """One row for each command; "ours" is the large folder, "peer" the small one."""
    sys.stderr.write(f"scale: storing {LARGE + SMALL} messages\n")
    with (
        _fill.office(("INBOX", LARGE), ("Small", SMALL)) as place,
        _peers.satchel(place) as server,
    ):
        server.settle()
        return [_opening(server.imap), _positions(server.imap), _changes(server.imap)]


def _row(name: str, large: Callable[[], object], small: Callable[[], object]) -> Row:
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(ROUNDS):
        for work, found in zip((large, small), times, strict=True):
            start = time.perf_counter()
            work()
            if number:
                found.append(time.perf_counter() - start)
    mine, peer = map(statistics.median, times)
    return Row(f"{name}, {LARGE} messages beside {SMALL}, seconds", mine, peer, peer / mine, GOAL)


def _opening(port: int) -> Row:
    client = Client(port)
    row = _row("SELECT", lambda: client.command("SELECT INBOX"), lambda: client.command("SELECT Small"))
    client.close()
    return row


def _positions(port: int) -> Row:
    clients = [(Client(port), name, count) for name, count in (("INBOX", LARGE), ("Small", SMALL))]
    for client, name, _ in clients:
        client.command(f"SELECT {name}")
    chance = random.Random(5)

    def fetch(client: Client, count: int) -> Callable[[], object]:
        return lambda: client.command(f"FETCH {chance.randint(1, count)} (UID FLAGS ENVELOPE)")

    (large, _, many), (small, _, few) = clients
    row = _row("FETCH of a random sequence number", fetch(large, many), fetch(small, few))
    large.close()
    small.close()
    return row


def _changes(port: int) -> Row:
    """One session sets a flag; another is told by NOOP."""
    works = []
    for name, count in (("INBOX", LARGE), ("Small", SMALL)):
        writer, reader = Client(port), Client(port)
        for client in (writer, reader):
            client.command(f"SELECT {name}")
        works.append(_Told(writer, reader, count))
    large, small = works
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(ROUNDS):
        for told, found in zip((large, small), times, strict=True):
            told.change(number)
            start = time.perf_counter()
            told.notice()
            found.append(time.perf_counter() - start)
    mine, peer = map(statistics.median, times)
    return Row(
        f"NOOP after one change, {LARGE} messages beside {SMALL}, seconds", mine, peer, peer / mine, GOAL
    )


class _Told:
    def __init__(self, writer: Client, reader: Client, count: int) -> None:
        self._writer, self._reader, self._count = writer, reader, count
        self._chance, self._last = random.Random(9), 1

    def change(self, number: int) -> None:
        """Set or remove a flag somewhere in the folder."""
        sign = "+-"[number % 2]
        at = self._chance.randint(1, self._count) if number % 2 == 0 else self._last
        self._last = at
        self._writer.command(f"STORE {at} {sign}FLAGS.SILENT (\\Flagged)")

    def notice(self) -> None:
        """Be told of it."""
        told = self._reader.command("NOOP")
        assert told > len("a OK NOOP completed.\r\n"), "the change was not told"
