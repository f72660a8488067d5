"""Power cuts at every sync point of a recorded run: each directory that may be left must hold what was
acknowledged.

The directories are opened in a process of its own, since a store that was written without syncing may crash
whoever reads it.
"""

import random
import shutil
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from appliance.store.keys import SERVER, Table, pack
from appliance.store.kv import WriteTxn
from appliance.store.store import Store
from tests.crash import killing, powercut, worker
from tests.crash.ledger import History, Run
from tests.crash.powercut import Disk, records

_PROBE = pack(SERVER, Table.META, "crash test")


@dataclass(frozen=True)
class Recording:
    """A run: the directory as it was before, what was recorded."""

    before: Path
    log: Path


@dataclass(frozen=True)
class Survey:
    """What cuts were tried: how many, what was acknowledged at the last of them, the first fault."""

    cuts: int
    acknowledged: int
    fault: str = ""


def make_recording(library: Path, folder: Path, seed: int, operations: int, *options: str) -> Recording:
    """Record a worker on a new store."""
    data, before, log, notes = (folder / name for name in ("data", "before", "log", "notes"))
    worker.prepare(data)
    shutil.copytree(data, before)
    arguments = ["-m", "tests.crash.worker", str(data), str(notes), str(seed)]
    arguments += ["--operations", str(operations), *options]
    code = powercut.record(library, data, log, notes, *arguments)
    assert code == 0, code
    return Recording(before, log)


def cuts(recording: Recording, folder: Path, seed: int, subsets: int, limit: int | None = None) -> Survey:
    """Cut the power at each sync point and acknowledgement of a recording (at `limit` of them, at random,
    with `subsets` of the later writes each), and verify what is left. Stops at the first fault."""
    rng = random.Random(seed)
    raw = recording.log.read_bytes()
    points = [number for number, moment in enumerate(_moments(recording, raw)) if moment]
    if limit is not None and limit < len(points):
        points = sorted(rng.sample(points, limit))
    chosen = set(points)
    disk = Disk(recording.before)
    done = 0
    run = Run()
    for number, record in enumerate(records(raw)):
        disk.take(record)
        if number not in chosen:
            continue
        run = Run.of(bytes(disk.acknowledged))
        for _ in range(subsets):
            one = rng.randrange(1 << 30)
            place = folder / "cut"
            disk.cut(place, random.Random(one))
            fault = _verify(place, run)
            shutil.rmtree(place)
            done += 1
            if fault:
                return Survey(done, run.acknowledged, f"record {number}, subset {one}: {fault}")
    return Survey(done, run.acknowledged)


def _moments(recording: Recording, raw: bytes) -> list[bool]:
    disk = Disk(recording.before)
    return [disk.take(record) for record in records(raw)]


def _verify(data: Path, run: Run) -> str:
    """What is wrong with a directory that a power cut left; empty when nothing is."""
    try:
        store = Store.open(data)
        try:
            killing.verify(store, History(), run)
            store.write(_probe).result(60)
            store.write(lambda txn: txn.delete(_PROBE)).result(60)
        finally:
            store.close()
    except Exception as error:
        return repr(error)
    return ""


def _probe(txn: WriteTxn) -> None:
    txn.put(_PROBE, bytes(5000))


def _survey_into(sender: Connection, *arguments: object) -> None:
    sender.send(cuts(*arguments))  # type: ignore[arg-type]


def survey(recording: Recording, folder: Path, seed: int, subsets: int, limit: int | None = None) -> Survey:
    """As `cuts`, in a process of its own: one that crashes has found a fault."""
    context = killing.forking()
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_survey_into, args=(sender, recording, folder, seed, subsets, limit))
    process.start()
    sender.close()
    try:
        result: Survey = receiver.recv()
    except EOFError:
        process.join()
        result = Survey(0, 0, f"the reader of the store died with {process.exitcode}")
    process.join()
    process.close()
    receiver.close()
    return result
