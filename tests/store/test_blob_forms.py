"""Forms of stored bytes: the smallest is taken, every form is read."""

import hashlib
import random
import struct

import pytest
import zstandard

from appliance.formats.structures import Piece, Verdict
from appliance.store import blobs, forms
from appliance.store.blobs import BlobWriter, Structure
from appliance.store.check import check, repair
from appliance.store.errors import StoreError
from appliance.store.keys import SERVER, Table, head_q, head_qi, pack
from appliance.store.kv import WriteTxn
from appliance.store.store import Store

MAIL = (
    b"From: Anna <anna@example.org>\r\nTo: Bernd <bernd@example.org>\r\nSubject: Minutes\r\n"
    b"Date: Tue, 3 Nov 2026 10:00:00 +0100\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\n"
    b"Content-Transfer-Encoding: quoted-printable\r\n\r\nHello\r\n"
)


def keep(store: Store, body: bytes, structure: Structure | None = None) -> int:
    writer = BlobWriter(store)
    future = writer.write(body)
    if future is not None:
        future.result()
    prepared = writer.finish(structure)
    return store.write(lambda txn: blobs.bind(txn, prepared)).result()


def drop(store: Store, number: int) -> None:
    store.write(lambda txn: blobs.release(txn, number)).result()


@pytest.mark.parametrize(
    ("body", "form"),
    [
        (MAIL, 2),
        (random.Random(1).randbytes(300), 0),
        (b"ab" * 30_000, 1),
        (b"", 0),
    ],
)
def test_the_form_is_chosen_by_size(store: Store, body: bytes, form: int) -> None:
    number = keep(store, body)
    with store.read() as txn:
        stored = txn.get(head_qi(SERVER, Table.BLOBS, number, 2))
        assert stored is not None
        assert stored[0] == form
        assert blobs.read(txn, number) == body
    drop(store, number)


def test_small_mail_takes_less_than_without_the_dictionary(store: Store) -> None:
    number = keep(store, MAIL)
    with store.read() as txn:
        stored = txn.get(head_qi(SERVER, Table.BLOBS, number, 2))
    assert stored is not None
    assert len(stored) < len(zstandard.ZstdCompressor(level=3).compress(MAIL)) * 0.6
    drop(store, number)


def test_structures_of_every_form_are_read(store: Store) -> None:
    structure = Structure(b"scan" * 3, b'("Tue, 3 Nov 2026 10:00:00 +0100" "Minutes")' * 20, b"body")
    number = keep(store, MAIL, structure)
    key = head_q(SERVER, Table.BLOB_STRUCTURES, number)
    older = head_qi(SERVER, Table.BLOBS, number, 1)
    body = b"".join(structure)
    lengths = struct.pack("<III", *map(len, structure))
    for form, packed in ((0, body), (1, zstandard.ZstdCompressor().compress(body))):
        row = bytes([form]) + lengths + packed
        with store.read() as txn:
            assert blobs.structure(txn, number) == structure
        store.write(lambda txn, row=row: txn.put(key, row)).result()  # type: ignore[misc]
    with store.read() as txn:
        assert blobs.structure(txn, number) == structure
        row = txn.get(key)
    assert row is not None
    # where stores of before have it
    store.write(lambda txn: (txn.delete(key), txn.put(older, row))).result()
    with store.read() as txn:
        assert blobs.structure(txn, number) == structure
        assert blobs.pieces_of(blobs.structures(txn, [0, number]), Piece.BODYSTRUCTURE) == [None, b"body"]
    for damaged in (b"\x09" + lengths, b"\x01" + lengths + b"?", b"\0", b"", b"\3\1\1\1"):
        store.write(lambda txn, row=damaged: txn.put(key, row)).result()  # type: ignore[misc]
        with store.read() as txn, pytest.raises(StoreError):
            blobs.structure(txn, number)
        assert "blob" in check(store, contents_too=True)[0]
    drop(store, number)


def test_large_structures_have_the_form_of_chunks(store: Store) -> None:
    structure = Structure(b"scan", b"(" * 40_000, b"body")
    number = keep(store, MAIL, structure)
    with store.read() as txn:
        stored = txn.get(head_q(SERVER, Table.BLOB_STRUCTURES, number))
        assert stored is not None
        assert stored[0] == 1
        assert blobs.structure(txn, number) == structure
        assert blobs.judge([stored, None], 1, b"key") == bytes([Verdict.UNKNOWN] * 2)
    drop(store, number)


def test_structures_of_many_blobs(store: Store) -> None:
    made = [keep(store, MAIL, Structure(b"s", b"e%d" % n, b"b")) for n in range(40)]
    none = keep(store, MAIL)
    for numbers in (made, made[::-1], [*made[:20], none, *made[20:]], made[::2], [0, *made], [none] * 20):
        with store.read() as txn:
            found = blobs.pieces_of(blobs.structures(txn, numbers), Piece.ENVELOPE)
            assert found == [b"e%d" % made.index(n) if n in made else None for n in numbers]
    for number in (*made, none):
        drop(store, number)


def test_a_structure_goes_with_its_blob(store: Store) -> None:
    number = keep(store, MAIL, Structure(b"s", b"e", b"b"))
    drop(store, number)
    with store.read() as txn:
        assert list(blobs.structured(txn)) == []
    key = head_q(SERVER, Table.BLOB_STRUCTURES, 77)
    store.write(lambda txn: txn.put(key, b"x")).result()
    assert check(store) == ["blob 77: a structure without a head"]
    assert repair(store)
    assert check(store) == []


def test_hashes_of_both_kinds_are_verified(store: Store) -> None:
    body = random.Random(2).randbytes(50_000) + b"ab" * 50_000
    number = keep(store, body)
    assert keep(store, body) == number
    with store.read() as txn:
        new = blobs.info(txn, number)
        chunks = b"".join(txn.get(head_qi(SERVER, Table.BLOBS, number, sub)) or b"" for sub in (2, 3, 4))
    assert new == (2, len(body), hashlib.sha256(chunks).digest(), 2)

    def age(txn: WriteTxn) -> None:
        """Make its head what older releases wrote: the hash is that of the bytes."""
        old = hashlib.sha256(body).digest()
        txn.put(head_qi(SERVER, Table.BLOBS, number, 0), struct.pack("<BIQ", 1, 2, len(body)) + old)
        txn.delete(pack(SERVER, Table.BLOB_HASHES, new.sha256))
        txn.put(pack(SERVER, Table.BLOB_HASHES, old), number.to_bytes(8, "big"))

    for _ in range(2):
        with store.read() as txn:
            assert blobs.verify(txn, number) == ""
        store.write(age).result()
    store.write(lambda txn: blobs.release(txn, number)).result()
    with store.read() as txn:
        assert (blobs.info(txn, number).references, blobs.info(txn, number).form) == (1, 1)
        assert blobs.verify(txn, number) == ""
        kept = txn.get(head_qi(SERVER, Table.BLOBS, number, 3)) or b""
    # a chunk that is whole, but not the one that belongs there
    other = b"\1" + zstandard.ZstdCompressor().compress(forms.expand(kept, blobs.CHUNK)[::-1])
    store.write(lambda txn: txn.put(head_qi(SERVER, Table.BLOBS, number, 3), other)).result()
    with store.read() as txn:
        assert "do not have its hash" in blobs.verify(txn, number)
    drop(store, number)


@pytest.mark.parametrize("step", [1000, blobs.CHUNK - 1, blobs.CHUNK, blobs.CHUNK + 1, 3 * blobs.CHUNK])
def test_pieces_of_any_size_make_the_same_chunks(store: Store, step: int) -> None:
    body = random.Random(3).randbytes(5000) * 60
    writer = BlobWriter(store)
    for at in range(0, len(body), step):
        assert writer.write(memoryview(body)[at : at + step]) is None
    assert writer.read(0, len(body)) == body
    prepared = writer.finish()
    assert (prepared.size, [index for index, _ in prepared.chunks]) == (len(body), [0, 1, 2, 3, 4])
    with store.read() as txn:
        assert blobs.read_prepared(txn, prepared) == body
