"""The worker that is killed: threads that change a store, each operation noted when it begins and when its
future has resolved.

Run as `python -m tests.crash.worker DATA NOTES SEED [--operations N] [--nosync | --nometasync]`.
"""

import argparse
import functools
import json
import os
import random
import threading
from pathlib import Path
from typing import Any

import lmdb

from appliance.mailbox import deliver, folders, items
from appliance.mailbox.actor import SYSTEM
from appliance.mailbox.incoming import Incoming, Ingest
from appliance.mailbox.items import FlagChange, How
from appliance.store import tree
from appliance.store.contents import RowFlag
from appliance.store.store import Store
from tests.crash import ledger
from tests.crash.ledger import Op, Place, State

THREADS = 4
MAILBOXES = 2
NOW = 0x01D9000000000000
SIZES = (300, 300, 1500, 5000, 5000, 40_000, 90_000, 400_000)
"""Bytes of messages; the largest spill into commits of their own."""

MAX_FOLDERS, MAX_MESSAGES = 4, 25
"""What one thread holds, about, so that stores stay small over many rounds."""

KEYWORDS = ("one", "Two", "three")
FLAGS = (RowFlag.SEEN, RowFlag.ANSWERED, RowFlag.FLAGGED, RowFlag.DELETED, RowFlag.DELETED | RowFlag.SEEN)


def prepare(data: Path) -> None:
    """Make the store that workers work on."""
    store = Store.create(data)
    for number in range(1, MAILBOXES + 1):
        unique = number.to_bytes(16, "big")
        store.write(
            lambda txn, number=number, unique=unique: tree.create_mailbox(
                txn, owner=number, guid=unique, replica_guid=unique, uidvalidity=1000 * number, now=NOW
            )
        ).result()
    store.close()


class Notes:
    """Where operations are noted: one write for each line."""

    def __init__(self, path: str) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def put(self, **said: Any) -> None:
        """Add a line."""
        os.write(self._descriptor, json.dumps(said).encode() + b"\n")


class Thread:
    """One thread's work, drawn from a seed."""

    def __init__(self, store: Store, notes: Notes, number: int, seed: int, state: State) -> None:
        self._store, self._notes, self._number, self._seed = store, notes, number, seed
        self._rng = random.Random(seed * THREADS + number)
        self._state = state
        self._serial = 0

    def run(self, operations: int | None) -> None:
        """Do operations until there were enough of them."""
        try:
            while operations is None or self._serial < operations:
                self._serial += 1
                op = self._draw()
                self._notes.put(thread=self._number, begin=op)
                result = self._do(op)
                self._notes.put(thread=self._number, done=result)
                ledger.apply(self._state, op, result)
        except Exception as error:
            self._notes.put(fault=f"thread {self._number}: {error!r}")
            raise

    # -- what to do next ------------------------------------------------------------------------------

    def _draw(self) -> Op:
        rng, state = self._rng, self._state
        full = [place for place, mail in state.mail.items() if mail]
        count = sum(map(len, state.mail.values()))
        if not state.folders or (len(state.folders) < MAX_FOLDERS and rng.random() < 0.1):
            mailbox = rng.randint(1, MAILBOXES)
            return {"op": "create", "mailbox": mailbox, "name": self._name()}
        if not full:
            return self._bring()
        kinds = ["flags"] * 4 + ["expunge"] * 2 + ["move"] * 2 + ["abandon", "rename", "purge"]
        kinds += ["bring"] * 8 + ["copy"] * 2 if count < MAX_MESSAGES else ["expunge"] * 4
        kinds += ["remove"] if len(state.folders) > 1 else []
        return self._of_kind(rng.choice(kinds), full)

    def _of_kind(self, kind: str, full: list[Place]) -> Op:
        rng, state = self._rng, self._state
        if kind == "bring":
            return self._bring()
        if kind == "abandon":
            return {"op": "abandon", "size": rng.choice((1000, 300_000, 700_000))}
        if kind == "purge":
            return {"op": "purge", "mailbox": rng.randint(1, MAILBOXES)}
        if kind in ("rename", "remove"):
            place = rng.choice(list(state.folders))
            return {"op": kind, "place": place, "name": self._name()}
        place = rng.choice(full)
        some = rng.sample(sorted(state.mail[place]), rng.randint(1, min(5, len(state.mail[place]))))
        op: Op = {"op": kind, "place": place, "uids": sorted(some)}
        if kind == "flags":
            op |= {"how": rng.choice("+-="), "flags": int(rng.choice(FLAGS)), "keywords": self._keywords()}
        elif kind in ("copy", "move"):
            op["to"] = rng.choice([other for other in state.folders if other != place] or list(state.folders))
            if op["to"] == place:
                op["op"] = "copy"
        return op

    def _bring(self) -> Op:
        rng = self._rng
        token = f"t{self._number}.{self._seed}.{self._serial}.{rng.choice(SIZES)}"
        if rng.random() < 0.5:
            boxes = sorted(rng.sample(range(1, MAILBOXES + 1), rng.randint(1, MAILBOXES)))
            return {"op": "deliver", "token": token, "mailboxes": boxes}
        flags = int(self._rng.choice(FLAGS))
        place = rng.choice(list(self._state.folders))
        return {"op": "append", "token": token, "place": place, "flags": flags, "keywords": self._keywords()}

    def _keywords(self) -> list[str]:
        return self._rng.sample(KEYWORDS, self._rng.randint(0, 2))

    def _name(self) -> str:
        return f"w{self._number}-{self._seed}-{self._serial}"

    # -- doing it -------------------------------------------------------------------------------------

    def _do(self, op: Op) -> Any:
        return getattr(self, "_" + op["op"])(op)

    def _ingest(self, raw: bytes) -> Incoming:
        ingest = Ingest(self._store)
        for start in range(0, len(raw), 60_000):
            waiting = ingest.feed(raw[start : start + 60_000])
            if waiting is not None:
                waiting.result()
        return ingest.finish()

    def _deliver(self, op: Op) -> list[int]:
        incoming = self._ingest(ledger.content(op["token"]))
        targets = [deliver.Target(mailbox, b"Delivered-To: %d\r\n" % mailbox) for mailbox in op["mailboxes"]]
        outcomes = self._store.write(
            lambda txn: deliver.deliver(txn, incoming, targets, now=NOW), weight=incoming.weight
        ).result()
        return [outcome.row.uid for outcome in outcomes if outcome.row is not None]

    def _append(self, op: Op) -> list[int]:
        incoming = self._ingest(ledger.content(op["token"]))
        flags, keywords = RowFlag(op["flags"]), tuple(op["keywords"])
        row = self._store.write(
            lambda txn: items.append(
                txn, SYSTEM, *op["place"], incoming, flags=flags, keywords=keywords, received=NOW, now=NOW
            ),
            weight=incoming.weight,
        ).result()
        return [row.uid]

    def _flags(self, op: Op) -> list[int]:
        change = FlagChange(How(op["how"]), RowFlag(op["flags"]), tuple(op["keywords"]))
        rows, _ = self._store.write(
            lambda txn: items.change_flags(txn, SYSTEM, *op["place"], op["uids"], change, now=NOW)
        ).result()
        return [row.uid for row in rows]

    def _copy(self, op: Op) -> list[int]:
        function = items.copy if op["op"] == "copy" else items.move
        pairs = self._store.write(
            lambda txn: function(txn, SYSTEM, *op["place"], op["uids"], *op["to"], now=NOW)
        ).result()
        return [row.uid for _, row in pairs]

    _move = _copy

    def _expunge(self, op: Op) -> list[int]:
        return self._store.write(
            lambda txn: items.expunge(txn, SYSTEM, *op["place"], op["uids"], now=NOW)
        ).result()

    def _create(self, op: Op) -> list[int]:
        made = self._store.write(
            lambda txn: folders.create(txn, SYSTEM, op["mailbox"], (op["name"],), now=NOW)
        ).result()
        return [made.fid]

    def _rename(self, op: Op) -> bool:
        mailbox, fid = op["place"]
        old = self._state.folders[mailbox, fid]
        self._store.write(
            lambda txn: folders.rename(txn, SYSTEM, mailbox, (old,), (op["name"],), now=NOW)
        ).result()
        return True

    def _remove(self, op: Op) -> bool:
        return self._store.write(
            lambda txn: folders.delete(txn, SYSTEM, *op["place"], now=NOW), reserve=True
        ).result()

    def _abandon(self, op: Op) -> bool:
        ingest = Ingest(self._store)
        raw = ledger.content(f"t{self._number}.{self._seed}.{self._serial}.{op['size']}")
        for start in range(0, len(raw), 60_000):
            waiting = ingest.feed(raw[start : start + 60_000])
            if waiting is not None:
                waiting.result()
        ingest.abort()
        return True

    def _purge(self, op: Op) -> int:
        return self._store.write(
            lambda txn: items.purge_expired(txn, op["mailbox"], NOW + 1, now=NOW, limit=20), reserve=True
        ).result()


def work(data: Path, notes_path: str, seed: int, operations: int | None = None) -> None:
    """Work on the store until killed, or until each thread did its number of operations."""
    notes = Notes(notes_path)
    notes.put(started=os.getpid())
    store = Store.open(data)
    with store.read() as txn:
        states = ledger.actual(txn)
    threads = [
        threading.Thread(
            target=Thread(store, notes, number, seed, states.get(number, State())).run, args=(operations,)
        )
        for number in range(THREADS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store.close()


def without_sync(**how: bool) -> None:
    """Make every store of this process open its environment without syncing: what the harness must notice."""
    lmdb.open = functools.partial(lmdb.open, **how)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("notes")
    parser.add_argument("seed", type=int)
    parser.add_argument("--operations", type=int)
    parser.add_argument("--nosync", action="store_true")
    parser.add_argument("--nometasync", action="store_true")
    given = parser.parse_args()
    if given.nosync:
        without_sync(sync=False)
    if given.nometasync:
        without_sync(metasync=False)
    work(given.data, given.notes, given.seed, given.operations)


if __name__ == "__main__":
    main()
