"""Rounds of SIGKILL on workers: start, let work, kill at a random moment, reopen, verify.

Workers are forked from a server process that has imported everything, so that a round costs a fraction of a
second. In every second round this process keeps the store open and reads while the worker is killed, as a
command does beside the server: the lock that the dead writer held must come free.
"""

import multiprocessing
import os
import random
import select
import signal
import sys
import time
from multiprocessing.context import ForkServerContext
from pathlib import Path

from appliance.store.check import check
from appliance.store.store import Store
from tests.crash import ledger, worker
from tests.crash.ledger import Broken, History, Run

DEADLINE = 60.0
"""Seconds that a worker may take for its first acknowledgements."""


PRELOADED = ["tests.crash.worker", "tests.crash.surviving"]
ROOT = Path(__file__).parents[2]


def forking() -> ForkServerContext:
    """Where processes come from: a server that has imported what they need."""
    if str(ROOT) not in sys.path:
        sys.path.append(str(ROOT))
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    return context


class Round:
    """One worker's life and death."""

    def __init__(self, data: Path, seed: int) -> None:
        self._data, self._seed = data, seed
        self._rng = random.Random(seed)
        self._raw = b""

    def run(self) -> Run:
        """Start the worker, kill it after a random number of acknowledgements, return what it said."""
        fifo = self._data.parent / f"notes.{self._seed}"
        os.mkfifo(fifo)
        reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
        process = forking().Process(target=worker.work, args=(self._data, str(fifo), self._seed))
        process.start()
        try:
            self._let_work(reader)
            process.kill()
            process.join(DEADLINE)
            while piece := os.read(reader, 1 << 16):
                self._raw += piece
        finally:
            process.kill()
            process.join()
            os.close(reader)
            fifo.unlink()
        run = Run.of(self._raw)
        if run.fault or process.exitcode != -signal.SIGKILL:
            raise Broken(f"seed {self._seed}: the worker ended with {process.exitcode}: {run.fault}")
        process.close()
        return run

    def _let_work(self, reader: int) -> None:
        """Read the notes until as many lines are there as the dice say, then a little longer."""
        lines = self._rng.choice((1, 2, 10, 50, 150, 400))
        until = time.monotonic() + DEADLINE
        while self._raw.count(b"\n") < lines:
            left = until - time.monotonic()
            if left <= 0:
                raise Broken(f"seed {self._seed}: the worker does nothing")
            if select.select([reader], [], [], left)[0]:
                piece = os.read(reader, 1 << 16)
                if not piece:
                    return
                self._raw += piece
        until = time.monotonic() + self._rng.random() * 0.02
        while (left := until - time.monotonic()) > 0:
            if select.select([reader], [], [], left)[0]:
                self._raw += os.read(reader, 1 << 16)


def verify(store: Store, history: History, run: Run) -> None:
    """Whether the store is sound and holds what was acknowledged. Raises Broken."""
    wrong = check(store)
    if wrong:
        raise Broken("; ".join(wrong[:5]))
    history.replay(run)
    with store.read() as txn:
        history.verify(txn, run)


def rounds(data: Path, seed: int, count: int) -> tuple[int, int]:
    """Kill `count` workers on one store; (acknowledged operations, unfinished ones). Raises Broken."""
    worker.prepare(data)
    history = History()
    acknowledged = unfinished = 0
    for number in range(count):
        one = seed * 10_000 + number
        witness = Store.open(data) if number % 2 else None
        try:
            run = Round(data, one).run()
            store = witness or Store.open(data)
            try:
                # Takes the dead writer's lock over; only then do readers see a commit that it finished but
                # had not told of.
                store.write(lambda txn: None).result(DEADLINE)
                verify(store, history, run)
            finally:
                store.close()
        except Broken as error:
            raise Broken(f"round {number} of seed {seed}: {error}") from error
        acknowledged += run.acknowledged
        unfinished += len(run.open)
    return acknowledged, unfinished


def leased(data: Path) -> int:
    """How many blobs wait for the sweep of the next start."""
    store = Store.open(data)
    with store.read() as txn:
        count = len(list(ledger.leases(txn)))
    store.close()
    return count
