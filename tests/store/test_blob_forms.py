"""Forms of stored bytes: the smallest is taken, every form is read."""

import random
import struct

import pytest
import zstandard

from appliance.store import blobs
from appliance.store.blobs import BlobWriter, Structure
from appliance.store.errors import StoreError
from appliance.store.keys import SERVER, Table, head_qi
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
    key = head_qi(SERVER, Table.BLOBS, number, 1)
    body = b"".join(structure)
    lengths = struct.pack("<III", *map(len, structure))
    for form, packed in ((0, body), (1, zstandard.ZstdCompressor().compress(body))):
        row = bytes([form]) + lengths + packed
        with store.read() as txn:
            assert blobs.structure(txn, number) == structure
        store.write(lambda txn, row=row: txn.put(key, row)).result()  # type: ignore[misc]
    with store.read() as txn:
        assert blobs.structure(txn, number) == structure
    store.write(lambda txn: txn.put(key, b"\x09" + lengths)).result()
    with store.read() as txn, pytest.raises(StoreError):
        blobs.structure(txn, number)
    drop(store, number)
