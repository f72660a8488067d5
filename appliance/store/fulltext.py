"""The full-text index: SQLite FTS5 over trigrams, in a file beside the store. Derived data: it narrows what a
search has to read and is never trusted further; losing the file costs time, nothing else.

A message's document is the folded text that `document` gives; only which trigrams it has is kept (detail
none, no content). For each folder the index remembers the log number that it reflects, and while it first
goes through the folder, the MID that it has reached; what came later is unknown to it and is always among
the `possible` ones. Documents are written in big batches, each one SQLite transaction with the positions, so
that a lone message costs the card nothing.

Invariants:
- A document is numbered mailbox << 48 | counter of its MID, so a search looks at its own mailbox's postings.
  Messages of other replicas and mailboxes above MAX_MAILBOX have none.
- A message that the index knows and does not name cannot contain the key: documents that were cut at
  MAX_DOCUMENT, or whose message has no MIME yet, are named always.
- One `Indexer` writes; any process reads.

Failure: a damaged file is unknown to searches (None) and made anew by the indexer. SQLite before 3.43 cannot
delete without the text: there the trigrams of deleted messages stay until they are a quarter of all, when the
file is made anew; a search never sees them, because their messages are gone.
"""

import contextlib
import logging
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from appliance.store import log, mailboxes
from appliance.store.contents import Row
from appliance.store.keys import contents_key, successor, tail_q
from appliance.store.kv import ReadTxn
from appliance.store.log import Kind
from appliance.store.mailboxes import REPLICA

FILE_NAME = "fulltext.sqlite"
VERSION = 1
MIN_KEY = 3
"""Characters that a key must have."""

MAX_TRIGRAMS = 24
"""Trigrams of a key that are looked up; more narrow little."""

MAX_DOCUMENT = 1 << 20
"""Characters of a document that are indexed."""

MAX_MAILBOX = (1 << 15) - 1
DEAD_SHARE = 0.25
DEAD_LEAST = 1000
"""When documents that could not be deleted are so many, the file is made anew."""

COUNTER = (1 << 48) - 1
DONE = (1 << 63) - 1
_BUSY_MS = 10_000
CAN_DELETE = sqlite3.sqlite_version_info >= (3, 43, 0)
_PAGE = 4096

_log = logging.getLogger(__name__)

Document = Callable[[ReadTxn, int, Row], Iterable[str]]
"""document(txn, mailbox, row): the folded text of a message, in pieces."""

_FORM = "contentless_delete=1" if CAN_DELETE else "columnsize=0"
_SCHEMA = f"""
CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE positions (mailbox INTEGER, fid INTEGER, number INTEGER NOT NULL, reached INTEGER NOT NULL,
    PRIMARY KEY (mailbox, fid)) WITHOUT ROWID;
CREATE TABLE incarnations (mailbox INTEGER PRIMARY KEY, incarnation INTEGER NOT NULL);
CREATE TABLE partial (document INTEGER PRIMARY KEY);
CREATE VIRTUAL TABLE texts USING fts5 (text, content='', detail=none,
    {_FORM}, tokenize='trigram case_sensitive 1');
INSERT INTO texts (texts, rank) VALUES ('hashsize', {32 << 20});
INSERT INTO texts (texts, rank) VALUES ('automerge', 8);
{"INSERT INTO texts (texts, rank) VALUES ('secure-delete', 1);" if CAN_DELETE else ""}
INSERT INTO meta VALUES ('version', {VERSION}), ('deletes', {int(CAN_DELETE)}), ('documents', 0), ('dead', 0);
"""


@dataclass(frozen=True, slots=True)
class Position:
    """What the index reflects of a folder: the log up to `number`; while `reached` is not the end, only
    messages with a MID up to it."""

    number: int
    reached: int


def trigrams(key: str) -> list[str]:
    """The trigrams of a folded key that are looked up, spread over a long key."""
    every = list(dict.fromkeys(key[at : at + 3] for at in range(len(key) - 2)))
    usable = [gram for gram in every if "\0" not in gram]
    step = -(-len(usable) // MAX_TRIGRAMS) if usable else 1
    return usable[::step]


def _query(key: str) -> str:
    return " AND ".join('"' + gram.replace('"', '""') + '"' for gram in trigrams(key))


def connect(path: Path, *, create: bool) -> sqlite3.Connection:
    mode = "rwc" if create else "rw"
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}", uri=True, check_same_thread=False, isolation_level=None
    )
    connection.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
    return connection


class FullText:
    """The index as searches use it. Thread-safe: each thread has a connection of its own."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / FILE_NAME
        self._local = threading.local()
        self.damaged = threading.Event()
        """Set when a search met damage; the indexer makes the file anew."""

    def _connection(self) -> sqlite3.Connection | None:
        try:
            stat = self.path.stat()
        except OSError:
            return None
        identity = (stat.st_dev, stat.st_ino)
        if getattr(self._local, "identity", None) != identity:
            self.close()
            self._local.connection = connect(self.path, create=False)
            self._local.identity = identity
        connection: sqlite3.Connection = self._local.connection
        return connection

    def close(self) -> None:
        """Close this thread's connection."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
        self._local.connection = self._local.identity = None

    def possible(
        self, txn: ReadTxn, mailbox: int, fid: int, key: str, most: int | None = None
    ) -> frozenset[int] | None:
        """The MIDs of a folder whose document may contain the folded key: those that have its trigrams and
        those that the index does not know. None when it cannot help (short key, folder not indexed, damage),
        or when it finds more than `most`. MIDs of other folders may be among them."""
        query = _query(key)
        if not query or mailbox > MAX_MAILBOX:
            return None
        try:
            answer = self._ask(mailbox, fid, query, most)
        except sqlite3.DatabaseError as error:
            self._failed(error)
            return None
        if answer is None:
            return None
        position, incarnation, found = answer
        if mailboxes.identity(txn, mailbox).incarnation != incarnation:
            return None
        if mailboxes.get(txn, mailbox).log_floor > position.number:
            return None
        found.update(_unknown(txn, mailbox, fid, position))
        return frozenset(found)

    def _ask(
        self, mailbox: int, fid: int, query: str, most: int | None
    ) -> tuple[Position, int, set[int]] | None:
        connection = self._connection()
        if connection is None:
            return None
        first, last = mailbox << 48, mailbox << 48 | COUNTER
        connection.execute("BEGIN")
        try:
            position = position_of(connection, mailbox, fid)
            known = connection.execute(
                "SELECT incarnation FROM incarnations WHERE mailbox = ?", (mailbox,)
            ).fetchone()
            if position is None or known is None:
                return None
            found = {
                REPLICA | document & COUNTER
                for (document,) in connection.execute(
                    "SELECT rowid FROM texts WHERE texts MATCH ? AND rowid BETWEEN ? AND ? LIMIT ?",
                    (query, first, last, -1 if most is None else most + 1),
                )
            }
            if most is not None and len(found) > most:
                return None
            found.update(
                REPLICA | document & COUNTER
                for (document,) in connection.execute(
                    "SELECT document FROM partial WHERE document BETWEEN ? AND ?", (first, last)
                )
            )
        finally:
            connection.execute("ROLLBACK")
        return position, int(known[0]), found

    def _failed(self, error: sqlite3.DatabaseError) -> None:
        if not is_busy(error):
            _log.warning("the full-text index cannot be read, it is made anew: %s", error)
            self.damaged.set()
        with contextlib.suppress(sqlite3.Error):
            self.close()


def is_busy(error: sqlite3.DatabaseError) -> bool:
    return isinstance(error, sqlite3.OperationalError) and "locked" in str(error)


def position_of(connection: sqlite3.Connection, mailbox: int, fid: int) -> Position | None:
    row = connection.execute(
        "SELECT number, reached FROM positions WHERE mailbox = ? AND fid = ?", (mailbox, fid)
    ).fetchone()
    return Position(*row) if row is not None else None


def _unknown(txn: ReadTxn, mailbox: int, fid: int, position: Position) -> Iterator[int]:
    """The MIDs of a folder that the index does not reflect."""
    for change in log.changes(txn, mailbox, fid, position.number):
        if change.kind != Kind.FLAGS:
            yield change.mid
    # messages of other replicas have no document; they sort behind our own
    after = position.reached if position.reached != DONE else REPLICA | COUNTER
    stop = successor(contents_key(mailbox, fid, False, 0)[:-8])
    for key in txn.scan_keys(contents_key(mailbox, fid, False, after + 1), stop):
        yield tail_q(key)


def prepare(connection: sqlite3.Connection) -> None:
    # A rollback journal holds only the old pages that change: new segments are written once, not twice as
    # they would be through a write-ahead log.
    connection.execute(f"PRAGMA page_size = {_PAGE}")
    connection.execute("PRAGMA journal_mode = TRUNCATE")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA secure_delete = ON")
    connection.execute("PRAGMA cache_size = -8192")
    if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0:
        connection.executescript("BEGIN IMMEDIATE;" + _SCHEMA + "COMMIT;")


def is_stale(connection: sqlite3.Connection) -> bool:
    """Whether the file is of another version, or holds too much that should be gone."""
    meta = dict(connection.execute("SELECT name, value FROM meta"))
    if meta.get("version") != VERSION or meta.get("deletes") != int(CAN_DELETE):
        return True
    return bool(meta["dead"] > max(DEAD_LEAST, DEAD_SHARE * meta["documents"]))


def count_up(connection: sqlite3.Connection, name: str, by: int) -> None:
    if by:
        connection.execute("UPDATE meta SET value = value + ? WHERE name = ?", (by, name))
