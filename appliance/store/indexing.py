"""Keeps the full-text index up to date: batches from the log, by a thread that runs when the server is idle.

Invariants:
- A batch is one SQLite transaction: documents and the positions that they bring the index to.
- At most BATCH_CHARACTERS of text are held; no snapshot of the store covers more than SNAPSHOT_DOCUMENTS.
- What went wrong with the file leads to a new file; what went wrong with one mailbox is logged and left.
"""

import contextlib
import logging
import os
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from appliance.store import contents, folders, log, mailboxes
from appliance.store.contents import Row
from appliance.store.errors import NotFound
from appliance.store.fulltext import (
    CAN_DELETE,
    COUNTER,
    DONE,
    MAX_DOCUMENT,
    MAX_MAILBOX,
    Document,
    FullText,
    Position,
    connect,
    count_up,
    is_busy,
    is_stale,
    position_of,
    prepare,
)
from appliance.store.kv import ReadTxn
from appliance.store.log import ARRIVALS, DEPARTURES, Change, Kind
from appliance.store.mailboxes import REPLICA
from appliance.store.store import Store

BATCH_DOCUMENTS = 1000
BATCH_CHARACTERS = 8 << 20
"""Documents and characters of one SQLite transaction, and so of memory, at most."""

SNAPSHOT_DOCUMENTS = 50
"""Documents that are read in one snapshot of the store."""

MIN_TAIL = 200
"""Changes that a mailbox collects before they are worth a batch."""

RESCAN = 600.0
"""Seconds after which an idle thread looks at every mailbox again."""

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Batch:
    """What goes into one SQLite transaction."""

    add: dict[int, tuple[str, bool]] = field(default_factory=dict)
    remove: set[int] = field(default_factory=set)
    positions: dict[tuple[int, int], Position] = field(default_factory=dict)
    incarnations: dict[int, int] = field(default_factory=dict)
    characters: int = 0

    @property
    def full(self) -> bool:
        return len(self.add) >= BATCH_DOCUMENTS or self.characters >= BATCH_CHARACTERS

    def put(self, document: int, text: str, partial: bool) -> None:
        self.add[document] = (text, partial)
        self.characters += len(text)


class Indexer:
    """Brings the index up to date in steps. Not thread-safe; one for each store."""

    def __init__(
        self, store: Store, document: Document, *, settled: Callable[[Row], bool] = lambda row: row.blob != 0
    ) -> None:
        """`settled` says whether a message's text only changes with a record in the log. Messages whose MIME
        is not rendered yet are not: their header will say more one day, so searches always look at them."""
        self._store = store
        self._document = document
        self._settled = settled
        self.index = FullText(store.directory)
        self._connection: sqlite3.Connection | None = None
        self.remade = False
        """Set when the file was made anew: every mailbox has to be gone through again."""

    def step(self, mailbox: int, *, least: int = MIN_TAIL) -> bool:
        """Index a batch of a mailbox; whether nothing worth doing is left. A tail of fewer than `least`
        changes is left to searches, but for folders that are not indexed at all."""
        if mailbox > MAX_MAILBOX:
            return True
        try:
            connection = self._open()
            batch = _Batch()
            more = self._gather(connection, mailbox, least, batch)
            if batch.positions or batch.incarnations:
                self._write(connection, mailbox, batch)
                if is_stale(connection):
                    self._remake()
        except sqlite3.DatabaseError as error:
            if is_busy(error):
                return False
            _log.warning("the full-text index cannot be written, it is made anew: %s", error)
            self._remake()
            return False
        except NotFound:  # the mailbox is gone
            return True
        return not more

    def forget(self, mailbox: int) -> None:
        """Drop what is known of a mailbox that is no more."""
        connection = self._open()
        connection.execute("BEGIN IMMEDIATE")
        self._clear(connection, mailbox)
        connection.execute("COMMIT")

    def close(self) -> None:
        """Close the file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self.index.close()

    def _open(self) -> sqlite3.Connection:
        if self.index.damaged.is_set():
            self._remake()
        if self._connection is None:
            connection = connect(self.index.path, create=True)
            try:
                prepare(connection)
            except BaseException:
                connection.close()
                raise
            self._connection = connection
            if is_stale(connection):
                self._remake()
                return self._open()
        return self._connection

    def _remake(self) -> None:
        """Start again with an empty file; readers notice that the file is another one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        for suffix in ("", "-journal"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(f"{self.index.path}{suffix}")
        self.index.damaged.clear()
        self.remade = True

    def _gather(self, connection: sqlite3.Connection, mailbox: int, least: int, batch: _Batch) -> bool:
        """Fill a batch; whether there is more."""
        with self._store.read() as txn:
            incarnation = mailboxes.identity(txn, mailbox).incarnation
            todo = [(f.fid, f.contents_mod) for f in folders.walk(txn, mailbox)]
        known = connection.execute(
            "SELECT incarnation FROM incarnations WHERE mailbox = ?", (mailbox,)
        ).fetchone()
        if known is None or known[0] != incarnation:
            connection.execute("BEGIN IMMEDIATE")
            self._clear(connection, mailbox)
            connection.execute("COMMIT")
            batch.incarnations[mailbox] = incarnation
        stale: list[tuple[int, Position, int]] = []
        changes = 0
        for fid, contents_mod in todo:
            position = position_of(connection, mailbox, fid) or Position(contents_mod, 0)
            if position.reached != DONE:
                if not self._scan(mailbox, fid, position, batch):
                    return True
            elif position.number < contents_mod:
                stale.append((fid, position, contents_mod))
                changes += self._count(mailbox, fid, position)
        if changes < least:
            return False
        return not all(self._follow(mailbox, fid, position, batch) for fid, position, _ in stale)

    def _count(self, mailbox: int, fid: int, position: Position) -> int:
        with self._store.read() as txn:
            return sum(
                change.kind != Kind.FLAGS for change in log.changes(txn, mailbox, fid, position.number)
            )

    def _scan(self, mailbox: int, fid: int, position: Position, batch: _Batch) -> bool:
        """The first passage through a folder, by MID; whether it is finished."""
        reached = position.reached
        while not batch.full:
            with self._store.read() as txn:
                count = 0
                for row in contents.rows(txn, mailbox, fid, after=reached):
                    if row.mid >> 48 != REPLICA >> 48:
                        break
                    self._add(txn, mailbox, row, batch)
                    reached, count = row.mid, count + 1
                    if count == SNAPSHOT_DOCUMENTS or batch.full:
                        break
                else:
                    batch.positions[mailbox, fid] = Position(position.number, DONE)
                    return True
                if count == 0:
                    batch.positions[mailbox, fid] = Position(position.number, DONE)
                    return True
            batch.positions[mailbox, fid] = Position(position.number, reached)
        return False

    def _follow(self, mailbox: int, fid: int, position: Position, batch: _Batch) -> bool:
        """The changes of a folder since `position`; whether all fitted in."""
        number = position.number
        with self._store.read() as txn:
            if log.floor(txn, mailbox) > number:  # trimmed meanwhile: go through the folder again
                batch.positions[mailbox, fid] = Position(folders.get(txn, mailbox, fid).contents_mod, 0)
                return False
        while not batch.full:
            with self._store.read() as txn:
                count = 0
                for change in log.changes(txn, mailbox, fid, number):
                    number = change.number
                    count += self._apply(txn, mailbox, fid, change, batch)
                    if count == SNAPSHOT_DOCUMENTS or batch.full:
                        break
                else:
                    batch.positions[mailbox, fid] = Position(number, DONE)
                    return True
            batch.positions[mailbox, fid] = Position(number, DONE)
        return False

    def _apply(self, txn: ReadTxn, mailbox: int, fid: int, change: Change, batch: _Batch) -> bool:
        """One log record; whether text was read for it."""
        document = mailbox << 48 | change.mid & COUNTER
        if change.kind in DEPARTURES:
            batch.add.pop(document, None)
            batch.remove.add(document)
        if change.kind in ARRIVALS or change.kind == Kind.CHANGED:
            row = contents.find(txn, mailbox, fid, change.mid)
            if row is not None and change.mid >> 48 == REPLICA >> 48:
                if change.kind == Kind.CHANGED:
                    batch.remove.add(document)
                self._add(txn, mailbox, row, batch)
                return True
        return False

    def _add(self, txn: ReadTxn, mailbox: int, row: Row, batch: _Batch) -> None:
        pieces: list[str] = []
        size = 0
        for piece in self._document(txn, mailbox, row):
            pieces.append(piece)
            size += len(piece)
            if size > MAX_DOCUMENT:
                break
        text = "".join(pieces)[:MAX_DOCUMENT].replace("\0", " ")
        partial = size > MAX_DOCUMENT or not self._settled(row)
        batch.put(mailbox << 48 | row.mid & COUNTER, text, partial)

    def _write(self, connection: sqlite3.Connection, mailbox: int, batch: _Batch) -> None:
        connection.execute("BEGIN IMMEDIATE")
        try:
            dead = self._delete(connection, sorted(batch.remove))
            added = sorted(batch.add.items())
            connection.executemany(
                "INSERT INTO texts (rowid, text) VALUES (?, ?)",
                ((document, text.encode("utf-8", "replace").decode()) for document, (text, _) in added),
            )
            connection.executemany(
                "INSERT OR IGNORE INTO partial VALUES (?)",
                [(document,) for document, (_, partial) in added if partial],
            )
            connection.executemany(
                "INSERT OR REPLACE INTO positions VALUES (?, ?, ?, ?)",
                [(*key, p.number, p.reached) for key, p in batch.positions.items()],
            )
            connection.executemany(
                "INSERT OR REPLACE INTO incarnations VALUES (?, ?)", list(batch.incarnations.items())
            )
            count_up(connection, "documents", len(added))
            count_up(connection, "dead", dead)
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")

    def _delete(self, connection: sqlite3.Connection, documents: list[int]) -> int:
        """Delete documents; how many could not be."""
        connection.executemany("DELETE FROM partial WHERE document = ?", [(d,) for d in documents])
        if not CAN_DELETE:
            return len(documents)
        connection.executemany("DELETE FROM texts WHERE rowid = ?", [(d,) for d in documents])
        return 0

    def _clear(self, connection: sqlite3.Connection, mailbox: int) -> None:
        bounds = (mailbox << 48, mailbox << 48 | COUNTER)
        connection.execute("DELETE FROM positions WHERE mailbox = ?", (mailbox,))
        connection.execute("DELETE FROM incarnations WHERE mailbox = ?", (mailbox,))
        connection.execute("DELETE FROM partial WHERE document BETWEEN ? AND ?", bounds)
        if CAN_DELETE:
            connection.execute("DELETE FROM texts WHERE rowid BETWEEN ? AND ?", bounds)


class OthersBusy:
    """Whether the process's other threads have work that should go first: more than BUSY_SHARE of a core
    since the last question. After PATIENCE seconds of that one batch goes all the same. To be asked by the
    indexing thread alone."""

    def __init__(self) -> None:
        self._wall = self._yielded = time.monotonic()
        self._others = time.process_time() - time.thread_time()

    def __call__(self) -> bool:
        wall, others = time.monotonic(), time.process_time() - time.thread_time()
        share = (others - self._others) / max(wall - self._wall, 1e-3)
        self._wall, self._others = wall, others
        if share > BUSY_SHARE and wall - self._yielded < PATIENCE:
            return True
        self._yielded = wall
        return False


BUSY_SHARE = 0.25
PATIENCE = 5.0


class IndexThread:
    """Runs an indexer when the server is idle. `busy` says whether other work should go first."""

    def __init__(
        self,
        store: Store,
        document: Document,
        *,
        busy: Callable[[], bool] | None = None,
        pause: float = 0.2,
        settle: float = 5.0,
        settled: Callable[[Row], bool] = lambda row: row.blob != 0,
    ) -> None:
        self._store = store
        self._indexer = Indexer(store, document, settled=settled)
        self._busy, self._pause, self._settle = busy or OthersBusy(), pause, settle
        self._dirty: set[int] = set()
        self._wake = threading.Condition()
        self._ending = False
        self._mark_all()
        self._unwatch = store.watch(self._changed)
        self._thread = threading.Thread(target=self._run, name="store-index", daemon=True)
        self._thread.start()

    def _changed(self, touched: frozenset[int]) -> None:
        with self._wake:
            idle = not self._dirty
            self._dirty |= touched
            if idle:  # a thread that has work already needs no waking: each costs the writer a switch
                self._wake.notify()

    def _every(self) -> set[int]:
        with self._store.read() as txn:
            return {identity.number for identity in mailboxes.identities(txn)}

    def _mark_all(self) -> None:
        numbers = self._every()
        with self._wake:
            self._dirty |= numbers

    def close(self) -> None:
        """End the thread after its current batch."""
        self._unwatch()
        with self._wake:
            self._ending = True
            self._wake.notify()
        self._thread.join()

    def _run(self) -> None:
        try:
            while (mailbox := self._next()) is not None:
                try:
                    finished = self._indexer.step(mailbox)
                except Exception:
                    _log.exception("indexing of mailbox %d failed", mailbox)
                    finished = True
                if self._indexer.remade:
                    self._indexer.remade = False
                    self._mark_all()
                if not finished:
                    with self._wake:
                        self._dirty.add(mailbox)
        finally:
            self._indexer.close()

    def _next(self) -> int | None:
        """The next mailbox with changes, once the server is idle; None at the end."""
        with self._wake:
            while not self._ending:
                if not self._dirty:
                    if not self._wake.wait(RESCAN):  # other processes' commits are not heard here
                        self._dirty |= self._every()
                    self._wake.wait_for(lambda: self._ending, self._settle)  # let a burst end
                elif self._busy():
                    self._wake.wait_for(lambda: self._ending, self._pause)
                else:
                    return self._dirty.pop()
        return None
