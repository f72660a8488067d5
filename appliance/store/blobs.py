"""Blobs: the bytes that arrived, kept once, shared by everything that refers to them.

A blob stands in `blobs` under its number: 0 the head (references, size, hash), 2 and up the chunks of CHUNK
bytes, each compressed alone so that any range can be read without the rest. What was rendered from it once
(MIME structure, ENVELOPE, BODYSTRUCTURE) stands in `blob_structures`, where those of many messages fill few
pages: listings and searches read nothing else. Stores of before have it in `blobs` under 1.

Invariants:
- Chunks are written once, while the bytes arrive; a blob whose head is missing is legal only while its
  lease exists. Leases are swept at start.
- Chunks whose lease was swept meanwhile are never bound: their writer gets Conflict.
- The head's references are the rows that name the blob; at 0 the blob goes.
- A number is never used again: backups and caches rely on it.
- Blobs of DEDUPE_MIN bytes and more are found by their hash, so that the same attachment mail is kept once.
  Smaller ones are not: a hash key dirties a page for each delivery. The hash is that of the chunks as they
  are stored (head 2), which are fewer bytes: as long as a release compresses alike, the same bytes have the
  same chunks. Older releases hashed the bytes themselves (head 1).
"""

import hashlib
import struct
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from itertools import count
from operator import eq
from typing import NamedTuple

from appliance.formats import columns
from appliance.formats import structures as packed_structures
from appliance.formats.mime import Scan
from appliance.formats.structures import Piece
from appliance.store import forms
from appliance.store.errors import Conflict, NotFound, StoreError
from appliance.store.keys import SERVER, Table, head, head_q, head_qi, pack, successor, tail_q
from appliance.store.kv import ReadTxn, WriteTxn
from appliance.store.store import Store
from appliance.wire.errors import DecodeError

CHUNK = 65536
"""Raw bytes of a chunk. Part of the store's format."""

SPILL = 16
"""Full chunks that a writer holds at most: then it puts them into the store in a commit of their own."""

DEDUPE_MIN = 16384
"""Blobs smaller than this (bytes) are not looked up by hash."""

MAX_SIZE = (1 << 32) - 1
"""Bytes of a blob, at most."""

_HEAD, _OLDER_STRUCTURE, _CHUNKS = 0, 1, 2
_OF_BYTES, _OF_CHUNKS = 1, 2
_HEAD_ROW = struct.Struct("<BIQ")
_STRUCTURE_ROW = struct.Struct("<BIII")
STRUCTURES = packed_structures.Codec(forms.DICTIONARY)
"""What unpacks structures."""

_SCANNED = 16
"""Structures that are worth one scan in place of lookups."""


class Structure(NamedTuple):
    """What formats/mime rendered when the bytes arrived: the packed scan, IMAP's ENVELOPE and
    BODYSTRUCTURE as they go over the wire."""

    scan: bytes
    envelope: bytes
    bodystructure: bytes


class Info(NamedTuple):
    """A blob's head: references, size in bytes, SHA-256 (empty for small ones) of what `form` says."""

    references: int
    size: int
    sha256: bytes
    form: int

    def pack(self) -> bytes:
        """As a row."""
        return _HEAD_ROW.pack(self.form, self.references, self.size) + self.sha256


class Prepared(NamedTuple):
    """Bytes that are ready to be bound. `number` is 0 unless chunks were spilled under it already;
    `chunks` are (chunk number, stored form) of those that were not."""

    number: int
    size: int
    sha256: bytes
    chunks: tuple[tuple[int, bytes], ...]
    structure: bytes

    @property
    def weight(self) -> int:
        """Bytes that binding puts."""
        return sum(len(chunk) for _, chunk in self.chunks) + len(self.structure)


_BLOBS = head(SERVER, Table.BLOBS)
_STRUCTURES = head(SERVER, Table.BLOB_STRUCTURES)
_FIRST_CHUNK = _CHUNKS.to_bytes(4, "big")


def _key(number: int, sub: int) -> bytes:
    return head_qi(SERVER, Table.BLOBS, number, sub)


_LAST_DROPPED = pack(SERVER, Table.META, "last dropped blob")


def _highest(txn: ReadTxn) -> int:
    prefix = head(SERVER, Table.BLOBS)
    last = txn.last(prefix, successor(prefix))
    return int.from_bytes(last[0][5:13], "big") if last else 0


def _new_number(txn: ReadTxn) -> int:
    """A number that was never used. A counter would be one more page in each commit; the last row tells
    the same, and only dropping that one leaves a note."""
    return max(_highest(txn), int.from_bytes(txn.get(_LAST_DROPPED) or b"", "big")) + 1


class BlobWriter:
    """Takes the bytes of one blob as they arrive. Not thread-safe.

    `write` gives a future when chunks went to the store: wait for it before writing more, so that a fast
    sender cannot fill the memory. `finish` gives what `bind` takes; `abort` forgets the bytes. One of the two
    must end it, so that what it holds is no longer counted.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._buffer = bytearray()
        self._hash: hashlib._Hash | None = None  # of what is long enough to be looked up by it
        self._chunks: list[tuple[int, bytes]] = []
        self._next = 0
        self._number = 0
        self._pending: Future[int] | None = None
        self._room = True
        self._held = 0
        self.size = 0

    def _let_go(self) -> None:
        self._store.blob_room.give(self._held)
        self._held = 0

    def write(self, data: forms.Raw) -> "Future[int] | None":
        """Add bytes. Raises StoreError past MAX_SIZE, and what the store raised for earlier chunks."""
        self.size += len(data)
        if self.size > MAX_SIZE:
            raise StoreError(f"a blob has at most {MAX_SIZE} bytes")
        view, at = memoryview(data), 0
        if self._buffer:
            at = CHUNK - len(self._buffer)
            self._buffer += view[:at]
            if len(self._buffer) == CHUNK:
                full, self._buffer = self._buffer, bytearray()
                self._seal(full)
        while len(view) - at >= CHUNK:  # straight from what arrived
            self._seal(view[at : at + CHUNK])
            at += CHUNK
        self._buffer += view[at:]
        if self._chunks and (len(self._chunks) >= SPILL or not self._room):
            return self._spill()
        return None

    def _seal(self, raw: bytearray | memoryview) -> None:
        stored = forms.squeeze(raw)
        if self.size >= DEDUPE_MIN:
            self._hash = self._hash or hashlib.sha256()
            self._hash.update(stored)
        self._chunks.append((self._next, stored))
        self._held += len(stored)
        self._room = self._store.blob_room.take(len(stored))
        self._next += 1

    def _spill(self) -> "Future[int]":
        if self._pending is not None:
            self._number = self._pending.result()
        chunks, number = tuple(self._chunks), self._number
        self._chunks = []
        self._let_go()

        def put(txn: WriteTxn) -> int:
            blob = number
            if blob:
                _require_lease(txn, blob)
            else:
                blob = _new_number(txn)
                txn.put(pack(SERVER, Table.BLOB_LEASES, blob), b"")
            for index, stored in chunks:
                txn.put(_key(blob, _CHUNKS + index), stored)
            return blob

        self._pending = self._store.write(put, weight=sum(len(chunk) for _, chunk in chunks))
        return self._pending

    def read(self, offset: int, length: int) -> bytes:
        """Up to `length` bytes of what was written so far. Await the last future first."""
        if self._pending is not None:
            self._number = self._pending.result()
        held, buffer = dict(self._chunks), bytes(self._buffer)

        def chunk(index: int) -> bytes | None:
            if index == self._next:
                return buffer
            stored = held.get(index)
            if stored is None:
                with self._store.read() as txn:
                    stored = txn.get(_key(self._number, _CHUNKS + index))
            return forms.expand(stored, CHUNK) if stored is not None else None

        return _slice(chunk, self.size, offset, length)

    def finish(self, structure: Structure | None = None) -> Prepared:
        """The end of the bytes. Waits for chunks that are on their way: await the last future first."""
        if self._buffer or self.size == 0:
            self._seal(self._buffer)
            self._buffer = bytearray()
        if self._pending is not None:
            self._number = self._pending.result()
        digest = self._hash.digest() if self._hash is not None else b""
        packed = _pack_structure(structure) if structure is not None else b""
        self._let_go()
        return Prepared(self._number, self.size, digest, tuple(self._chunks), packed)

    def abort(self) -> None:
        """Forget the bytes; what was spilled goes in a write function of its own."""
        pending, store = self._pending, self._store
        self._chunks, self._buffer = [], bytearray()
        self._let_go()
        if pending is None:
            return

        def spilled(done: "Future[int]") -> None:
            if done.exception() is None:
                number = done.result()
                store.write(lambda txn: _drop(txn, number), reserve=True)

        pending.add_done_callback(spilled)


def _pack_structure(structure: Structure) -> bytes:
    scan, envelope, bodystructure = structure
    body = b"".join(structure)
    if len(body) <= packed_structures.MOST:
        return STRUCTURES.pack((envelope, bodystructure, scan))
    form, packed = forms.pack(body)
    return _STRUCTURE_ROW.pack(form, *map(len, structure)) + packed


def bind(txn: WriteTxn, prepared: Prepared, references: int = 1) -> int:
    """Make prepared bytes a blob with `references`; its number. The same bytes are bound to the blob that
    already holds them. Raises Conflict."""
    if prepared.number:
        _require_lease(txn, prepared.number)
    if prepared.sha256:
        known = txn.get(pack(SERVER, Table.BLOB_HASHES, prepared.sha256))
        if known is not None:
            number = int.from_bytes(known, "big")
            retain(txn, number, references)
            if prepared.number:
                _drop(txn, prepared.number)
            return number
    number = prepared.number or _new_number(txn)
    txn.put(_key(number, _HEAD), Info(references, prepared.size, prepared.sha256, _OF_CHUNKS).pack())
    if prepared.structure:
        txn.put(head_q(SERVER, Table.BLOB_STRUCTURES, number), prepared.structure)
    for index, stored in prepared.chunks:
        txn.put(_key(number, _CHUNKS + index), stored)
    if prepared.number:
        txn.delete(pack(SERVER, Table.BLOB_LEASES, number))
    if prepared.sha256:
        txn.put(pack(SERVER, Table.BLOB_HASHES, prepared.sha256), number.to_bytes(8, "big"))
    return number


def discard(txn: WriteTxn, number: int) -> None:
    """Drop chunks that nobody will bind. Nothing happens for a blob that was bound, or is gone."""
    if number and txn.has(pack(SERVER, Table.BLOB_LEASES, number)):
        _drop(txn, number)


def _require_lease(txn: ReadTxn, number: int) -> None:
    if not txn.has(pack(SERVER, Table.BLOB_LEASES, number)):
        raise Conflict(f"blob {number} was swept before it was whole")


def info(txn: ReadTxn, number: int) -> Info:
    """A blob's head. Raises NotFound."""
    raw = txn.get(_key(number, _HEAD))
    if raw is None:
        raise NotFound(f"blob {number}")
    form, references, size = _HEAD_ROW.unpack_from(raw)
    return Info(references, size, raw[_HEAD_ROW.size :], form)


def retain(txn: WriteTxn, number: int, references: int = 1) -> None:
    """Add references. Raises NotFound."""
    known = info(txn, number)
    txn.put(_key(number, _HEAD), known._replace(references=known.references + references).pack())


def release(txn: WriteTxn, number: int) -> None:
    """Take one reference away; the last one takes the blob. Raises NotFound."""
    known = info(txn, number)
    if known.references > 1:
        txn.put(_key(number, _HEAD), known._replace(references=known.references - 1).pack())
        return
    _drop(txn, number)
    if known.sha256:
        txn.delete(pack(SERVER, Table.BLOB_HASHES, known.sha256))


def correct(txn: WriteTxn, number: int, references: int) -> None:
    """Set the references to what a repair counted; 0 takes the blob."""
    known = info(txn, number)
    txn.put(_key(number, _HEAD), known._replace(references=max(references, 1)).pack())
    if references == 0:
        release(txn, number)


def _drop(txn: WriteTxn, number: int) -> None:
    if number == _highest(txn):
        txn.put(_LAST_DROPPED, number.to_bytes(8, "big"))
    prefix = head_q(SERVER, Table.BLOBS, number)
    txn.delete_range(prefix, successor(prefix))
    txn.delete(head_q(SERVER, Table.BLOB_STRUCTURES, number))
    txn.delete(pack(SERVER, Table.BLOB_LEASES, number))


def structure(txn: ReadTxn, number: int) -> Structure | None:
    """What was rendered from the blob, or None when it is not MIME."""
    (raw,) = structures(txn, [number])
    if raw is None:
        return None
    return Structure(*(piece_of(raw, piece) for piece in (Piece.SCAN, Piece.ENVELOPE, Piece.BODYSTRUCTURE)))


def scan_of(txn: ReadTxn, number: int) -> bytes | None:
    """The part table of a blob, or None when it is not MIME."""
    (raw,) = structures(txn, [number])
    return None if raw is None else piece_of(raw, Piece.SCAN)


def structures(txn: ReadTxn, numbers: list[int]) -> list[bytes | None]:
    """The structures of many blobs in one pass, as they are stored: for `pieces_of` and `judge`. None for a
    blob that has none, and for blob 0."""
    if len(numbers) >= _SCANNED and numbers[-1] - numbers[0] == len(numbers) - 1:
        # Mail that arrived together has its numbers in a row: one scan reads it, if all of it is MIME.
        first, last = columns.keys(_STRUCTURES, [numbers[0], numbers[-1]], b"")
        together = txn.values_between(first, last, len(numbers))
        if together is not None and all(map(eq, numbers, count(numbers[0]))):
            return list(together)
    found = txn.values(columns.keys(_STRUCTURES, numbers, b""))
    for index, number in enumerate(numbers):
        if found[index] is None and number:
            found[index] = txn.get(_key(number, _OLDER_STRUCTURE))
    return found


def pieces_of(stored: list[bytes | None], piece: Piece) -> list[bytes | None]:
    """One member of each stored structure. Raises StoreError."""
    try:
        found = STRUCTURES.pieces(stored, piece)
    except DecodeError as error:
        raise StoreError(f"a stored structure is damaged: {error}") from error
    if None in found:
        for index, row in enumerate(stored):
            if row is not None and found[index] is None:
                found[index] = _older_piece(row, piece)
    return found


def piece_of(stored: bytes, piece: Piece) -> bytes:
    """One member of a stored structure. Raises StoreError."""
    (found,) = pieces_of([stored], piece)
    assert found is not None
    return found


def judge(stored: list[bytes | None], member: int, key: bytes) -> bytes:
    """For each stored structure whether its envelope holds a key: `structures.Codec.judge`."""
    return STRUCTURES.judge(stored, member, key)


def _older_piece(stored: bytes, piece: Piece) -> bytes:
    try:
        form, scan, envelope, bodystructure = _STRUCTURE_ROW.unpack_from(stored)
        body = forms.unpack(form, memoryview(stored)[_STRUCTURE_ROW.size :], scan + envelope + bodystructure)
    except struct.error as error:
        raise StoreError(f"a stored structure is damaged: {error}") from error
    if piece is Piece.SCAN:
        return body[:scan]
    if piece is Piece.ENVELOPE:
        return body[scan : scan + envelope]
    return body[scan + envelope : scan + envelope + bodystructure]


def read_small(txn: ReadTxn, numbers: list[int]) -> list[bytes]:
    """The whole bytes of blobs that the caller knows to have one chunk (CHUNK bytes at most), in one pass.
    Raises StoreError."""
    found = txn.values(columns.keys(_BLOBS, numbers, _FIRST_CHUNK))
    if None in found:
        raise StoreError("the first chunk of a blob is missing")
    return forms.expand_many([stored for stored in found if stored is not None], CHUNK)


def read(txn: ReadTxn, number: int, offset: int = 0, length: int = MAX_SIZE) -> bytes:
    """Up to `length` bytes from `offset`; fewer at the end. Raises NotFound."""
    return _slice(lambda index: _chunk(txn, number, index), info(txn, number).size, offset, length)


def read_prepared(txn: ReadTxn, prepared: Prepared, offset: int = 0, length: int = MAX_SIZE) -> bytes:
    """As `read`, of what is not bound yet. Raises Conflict when the chunks that were spilled are gone."""
    held = dict(prepared.chunks)

    def chunk(index: int) -> bytes:
        stored = held.get(index)
        found = forms.expand(stored, CHUNK) if stored is not None else _chunk(txn, prepared.number, index)
        if found is None:
            raise Conflict(f"blob {prepared.number}: chunk {index} was swept")
        return found

    return _slice(chunk, prepared.size, offset, length)


def _chunk(txn: ReadTxn, number: int, index: int) -> bytes | None:
    stored = txn.get(_key(number, _CHUNKS + index))
    return forms.expand(stored, CHUNK) if stored is not None else None


def _slice(chunk: Callable[[int], bytes | None], size: int, offset: int, length: int) -> bytes:
    end = min(size, offset + length)
    if offset >= end:
        return b""
    pieces: list[bytes] = []
    for index in range(offset // CHUNK, (end - 1) // CHUNK + 1):
        piece = chunk(index)
        if piece is None:
            raise StoreError(f"chunk {index} of a blob is missing")
        pieces.append(piece)
    base = offset // CHUNK * CHUNK
    whole = pieces[0] if len(pieces) == 1 else b"".join(pieces)
    if offset == base and end - base == len(whole):
        return whole
    return whole[offset - base : end - base]


def verify(txn: ReadTxn, number: int) -> str:
    """What is wrong with the bytes of a blob or its structure, empty when they are whole: compressed chunks
    have checksums, larger blobs a hash, a structure says of how many bytes it is. Raises NotFound."""
    known, digest, size = info(txn, number), hashlib.sha256(), 0
    try:
        for index in range(max(1, -(-known.size // CHUNK))):
            piece = read(txn, number, index * CHUNK, CHUNK)
            stored = txn.get(_key(number, _CHUNKS + index)) or b""
            digest.update(piece if known.form == _OF_BYTES else stored)
            size += len(piece)
        rendered = structure(txn, number)
        if rendered is not None and Scan.unpack(rendered.scan).size != known.size:
            return f"blob {number}: its structure is that of other bytes"
    except (StoreError, DecodeError) as error:
        if isinstance(error, NotFound):
            raise
        return f"blob {number}: {error}"
    if size != known.size:
        return f"blob {number}: {size} bytes, its head says {known.size}"
    if known.sha256 and digest.digest() != known.sha256:
        return f"blob {number}: its bytes do not have its hash"
    return ""


def sweep(txn: WriteTxn, limit: int = 64) -> bool:
    """Drop blobs whose writer died before it bound them, `limit` at a time; True when none is left. Only
    while no other process writes (at start)."""
    prefix = head(SERVER, Table.BLOB_LEASES)
    leases = [key for _, key in zip(range(limit), txn.scan_keys(prefix, successor(prefix)), strict=False)]
    for key in leases:
        _drop(txn, int.from_bytes(key[5:13], "big"))
    return len(leases) < limit


def heads(txn: ReadTxn) -> Iterator[tuple[int, Info]]:
    """Every blob that is bound, with its head (for `check`)."""
    prefix = head(SERVER, Table.BLOBS)
    for key in txn.scan_keys(prefix, successor(prefix)):
        if key[13:] == b"\0\0\0\0":
            number = int.from_bytes(key[5:13], "big")
            yield number, info(txn, number)


def structured(txn: ReadTxn) -> Iterator[int]:
    """The blobs that `blob_structures` has rows of (for `check`)."""
    return map(tail_q, txn.scan_keys(_STRUCTURES, successor(_STRUCTURES)))


def drop_lost_structures(txn: WriteTxn) -> None:
    """Drop the structures of blobs that are not there (for `repair`)."""
    for number in list(structured(txn)):
        if not txn.has(_key(number, _HEAD)):
            txn.delete(head_q(SERVER, Table.BLOB_STRUCTURES, number))


def numbers(txn: ReadTxn) -> Iterator[tuple[int, int]]:
    """(blob, sub-number) of every row of `blobs` (for `check`)."""
    prefix = head(SERVER, Table.BLOBS)
    for key in txn.scan_keys(prefix, successor(prefix)):
        yield int.from_bytes(key[5:13], "big"), int.from_bytes(key[13:], "big")


def leased(txn: ReadTxn) -> set[int]:
    """The blobs that writers still hold."""
    prefix = head(SERVER, Table.BLOB_LEASES)
    return {int.from_bytes(key[5:13], "big") for key in txn.scan_keys(prefix, successor(prefix))}
