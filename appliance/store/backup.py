"""Backups: the rows of the store as one compressed stream, written while the server runs.

A backup is a zstd stream of records: the header, the server's rows, then for each mailbox its rows as of one
snapshot (the mailbox's number stands in its record) and the blobs that they name. Blobs never change, so
they are read in short snapshots of their own; one that is purged meanwhile belongs to a message that its
owner deleted for good, and `load` drops that message. The last record counts the others: a backup without it
is not whole. An incremental backup leaves out the blobs that an earlier one has; rows are always complete.

Rows that `is_secret` names are gathered and handed to `seal`; without one they are left out.
"""

import io
import json
import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import IO

import zstandard

from appliance.store import blobs, check, contents, incarnation, mailboxes
from appliance.store.errors import StoreError
from appliance.store.keys import SERVER, Table, head, head_q, pack, successor
from appliance.store.kv import ReadTxn, WriteTxn
from appliance.store.mailboxes import Identity
from appliance.store.store import FORMAT, OLDEST_FORMAT, Store

MAGIC = b"SATCHEL-BACKUP-1\n"
MAX_RECORD = 64 << 20
"""Bytes of one record, at most."""

BATCH = 2 << 20
"""Bytes that one write function of `load` puts."""

BLOBS_AT_ONCE = 64
"""Blobs that are read in one snapshot."""

_RECORD = struct.Struct("<BII")
_HEADER, _SERVER_ROW, _SECRETS, _MAILBOX, _ROW, _BLOB_ROW, _FILE, _END = range(1, 9)

IsSecret = Callable[[bytes], bool]
Seal = Callable[[bytes], bytes]
Progress = Callable[[int], None]


class BadBackup(StoreError):
    """Not a backup, not whole, or of another format."""


@dataclass(slots=True)
class Manifest:
    """What a backup holds: mailbox to its number at that time, blobs, and counts."""

    mailboxes: dict[int, int] = field(default_factory=dict)
    blobs: set[int] = field(default_factory=set)
    records: int = 0


class _Out:
    def __init__(self, raw: IO[bytes], progress: Progress | None) -> None:
        raw.write(MAGIC)
        compressor = zstandard.ZstdCompressor(level=3, write_checksum=True)
        self._out = compressor.stream_writer(raw, closefd=False)
        self._progress = progress
        self.records = 0

    def put(self, kind: int, key: bytes, value: bytes = b"") -> None:
        self._out.write(_RECORD.pack(kind, len(key), len(value)))
        self._out.write(key)
        self._out.write(value)
        self.records += 1
        if self._progress is not None:
            self._progress(len(value))

    def close(self) -> None:
        self._out.flush(zstandard.FLUSH_FRAME)


def dump(
    store: Store,
    out: IO[bytes],
    *,
    is_secret: IsSecret,
    seal: Seal | None = None,
    files: Iterable[tuple[str, bytes]] = (),
    have: frozenset[int] = frozenset(),
    progress: Progress | None = None,
) -> Manifest:
    """Write a backup to `out`. `have`: blobs of the backup that this one builds on. `files`: (name, bytes)
    kept beside the store; secret ones must be sealed by the caller."""
    stream, manifest = _Out(out, progress), Manifest()
    about = {"format": FORMAT, "incremental": bool(have), "sealed": seal is not None}
    stream.put(_HEADER, json.dumps(about).encode())
    secrets = io.BytesIO()
    with store.read() as txn:
        for key, value in txn.scan(SERVER.to_bytes(4, "big"), head(SERVER, Table.BLOB_HASHES)):
            if is_secret(key):
                secrets.write(struct.pack("<II", len(key), len(value)) + key + value)
            else:
                stream.put(_SERVER_ROW, key, value)
        identities = list(mailboxes.identities(txn))
    if seal is not None:
        stream.put(_SECRETS, seal(secrets.getvalue()))
    for name, data in files:
        stream.put(_FILE, name.encode(), data)
    for identity in identities:
        needed = _dump_mailbox(store, stream, identity, manifest)
        _dump_blobs(store, stream, sorted(needed - have - manifest.blobs), manifest)
    _dump_blobs(store, stream, sorted(_queued(store) - have - manifest.blobs), manifest)
    manifest.records = stream.records
    stream.put(_END, json.dumps({"records": stream.records}).encode())
    stream.close()
    return manifest


def _queued(store: Store) -> set[int]:
    """Blobs that no mailbox names but the server still holds (the queue)."""
    with store.read() as txn:
        named: set[int] = set()
        for identity in mailboxes.identities(txn):
            named.update(_named(txn, identity.number))
        return {number for number, _ in blobs.heads(txn)} - named


def _named(txn: ReadTxn, mailbox: int) -> Iterator[int]:
    for row in check.all_rows(txn, mailbox):
        yield from check.references_of(txn, mailbox, row)
    for deleted in contents.all_buried(txn, mailbox):
        yield from check.references_of(txn, mailbox, deleted.row)


def _dump_mailbox(store: Store, stream: _Out, identity: Identity, manifest: Manifest) -> set[int]:
    with store.read() as txn:
        number = mailboxes.get(txn, identity.number).counter
        manifest.mailboxes[identity.number] = number
        stream.put(_MAILBOX, identity.number.to_bytes(4, "big"), number.to_bytes(8, "big"))
        for key, value in txn.scan(
            identity.number.to_bytes(4, "big"), (identity.number + 1).to_bytes(4, "big")
        ):
            stream.put(_ROW, key, value)
        return set(_named(txn, identity.number))


def _dump_blobs(store: Store, stream: _Out, numbers: list[int], manifest: Manifest) -> None:
    for start in range(0, len(numbers), BLOBS_AT_ONCE):
        with store.read() as txn:
            for number in numbers[start : start + BLOBS_AT_ONCE]:
                prefix = head_q(SERVER, Table.BLOBS, number)
                for key, value in txn.scan(prefix, successor(prefix)):
                    stream.put(_BLOB_ROW, key, value)
                key = head_q(SERVER, Table.BLOB_STRUCTURES, number)
                rendered = txn.get(key)
                if rendered is not None:
                    stream.put(_BLOB_ROW, key, rendered)
                manifest.blobs.add(number)


def _records(raw: IO[bytes]) -> Iterator[tuple[int, bytes, bytes]]:
    if raw.read(len(MAGIC)) != MAGIC:
        raise BadBackup("not a backup of this program")
    count = 0
    try:
        with zstandard.ZstdDecompressor().stream_reader(raw, closefd=False) as stream:
            while True:
                kind, key_length, length = _RECORD.unpack(_exactly(stream, _RECORD.size))
                if key_length + length > MAX_RECORD:
                    raise BadBackup("a record is too long")
                key, value = _exactly(stream, key_length), _exactly(stream, length)
                if kind == _END:
                    if json.loads(key)["records"] != count:
                        raise BadBackup("records are missing")
                    return
                count += 1
                yield kind, key, value
    except (zstandard.ZstdError, ValueError) as error:
        raise BadBackup(f"damaged: {error}") from error


def _exactly(stream: IO[bytes], length: int) -> bytes:
    data = b""
    while len(data) < length:
        piece = stream.read(length - len(data))
        if not piece:
            raise BadBackup("it ends early")
        data += piece
    return data


def manifest_of(raw: IO[bytes]) -> Manifest:
    """What a backup holds, read from its beginning to its end. Raises BadBackup."""
    manifest = Manifest()
    for kind, key, value in _records(raw):
        manifest.records += 1
        if kind == _MAILBOX:
            manifest.mailboxes[int.from_bytes(key, "big")] = int.from_bytes(value, "big")
        elif kind == _BLOB_ROW:
            manifest.blobs.add(int.from_bytes(key[5:13], "big"))
    return manifest


@dataclass(slots=True)
class Loaded:
    """What `load` brought back: mailboxes, the files kept beside the store, whether secrets came along, and
    how many messages were dropped because their bytes had been purged while the backup ran."""

    mailboxes: int = 0
    files: list[tuple[str, bytes]] = field(default_factory=list)
    secrets: bool = False
    dropped: int = 0


def load(
    store: Store,
    raw: IO[bytes],
    *,
    base: IO[bytes] | None = None,
    unseal: Seal | None = None,
    new_guid: Callable[[], bytes],
    progress: Progress | None = None,
) -> Loaded:
    """Fill an empty store from a backup (`base`: the one that it builds on, for an incremental one). Every
    mailbox becomes a new incarnation. Raises BadBackup; then the store must be thrown away."""
    loaded = Loaded()
    batch: list[tuple[bytes, bytes]] = []
    size = 0

    def flush() -> None:
        nonlocal size
        rows = tuple(batch)
        batch.clear()
        size = 0
        store.write(lambda txn: _put_all(txn, rows), weight=BATCH).result()

    def add(key: bytes, value: bytes) -> None:
        nonlocal size
        batch.append((key, value))
        size += len(key) + len(value)
        if size >= BATCH:
            flush()

    if base is not None:
        for kind, key, value in _records(base):
            if kind == _BLOB_ROW:
                add(key, value)
    for kind, key, value in _records(raw):
        if kind == _HEADER:
            _require_readable(json.loads(key), base is not None)
        elif kind in (_SERVER_ROW, _ROW, _BLOB_ROW):
            add(key, value)
        elif kind == _SECRETS and unseal is not None:
            for pair in _secret_rows(unseal(key)):
                add(*pair)
            loaded.secrets = True
        elif kind == _MAILBOX:
            loaded.mailboxes += 1
        elif kind == _FILE:
            loaded.files.append((key.decode(), value))
        if progress is not None:
            progress(len(value))
    flush()
    loaded.dropped = _settle(store, new_guid)
    return loaded


def _require_readable(about: dict[str, object], has_base: bool) -> None:
    version = about["format"]
    if not isinstance(version, int) or not OLDEST_FORMAT <= version <= FORMAT:
        raise BadBackup(f"format {version}; this release reads up to {FORMAT}")
    if about["incremental"] and not has_base:
        raise BadBackup("an incremental backup; name the one that it builds on")


def _put_all(txn: WriteTxn, rows: tuple[tuple[bytes, bytes], ...]) -> None:
    for key, value in rows:
        txn.put(key, value)


def _secret_rows(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at < len(data):
        key_length, length = struct.unpack_from("<II", data, at)
        at += 8
        yield data[at : at + key_length], data[at + key_length : at + key_length + length]
        at += key_length + length


def _settle(store: Store, new_guid: Callable[[], bytes]) -> int:
    """Make what was loaded a sound store: drop messages without bytes, count references, new incarnations."""
    with store.read() as txn:
        numbers = [identity.number for identity in mailboxes.identities(txn)]
    dropped = 0
    for number in numbers:
        guid = new_guid()
        dropped += store.write(lambda txn, n=number, g=guid: _reincarnate(txn, n, g)).result()  # type: ignore[misc]
    store.write(_rehash).result()
    check.repair(store)
    return dropped


def _reincarnate(txn: WriteTxn, mailbox: int, replica_guid: bytes) -> int:
    dropped = 0
    for row in list(check.all_rows(txn, mailbox)):
        if row.blob and not txn.has(pack(SERVER, Table.BLOBS, row.blob) + b"\0\0\0\0"):
            contents.delete(txn, mailbox, row)
            dropped += 1
    for deleted in list(contents.all_buried(txn, mailbox)):
        blob = deleted.row.blob
        if blob and not txn.has(pack(SERVER, Table.BLOBS, blob) + b"\0\0\0\0"):
            contents.exhume(txn, mailbox, deleted.row.fid, deleted.row.mid)
            dropped += 1
    incarnation.renew(txn, mailbox, replica_guid)
    return dropped


def _rehash(txn: WriteTxn) -> None:
    for number, info in blobs.heads(txn):
        if info.sha256:
            txn.put(pack(SERVER, Table.BLOB_HASHES, info.sha256), number.to_bytes(8, "big"))
