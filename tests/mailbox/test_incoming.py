"""What delivery looks at, however far behind the start of the message it stands."""

import pytest

from appliance.mailbox.incoming import Ingest
from appliance.mapi import tags
from appliance.store import blobs
from appliance.store.blobs import BlobWriter
from appliance.store.store import Store

REPORT = """From: postmaster@example.test
Content-Type: multipart/report; report-type=delivery-status; boundary=x

--x
Content-Type: text/plain

{text}
--x
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.example.test

Final-Recipient: rfc822; nobody@example.test
Action: failed
Status: 5.1.1

--x--
"""
PICTURES = """Content-Type: multipart/related; boundary=x

--x
Content-Type: text/html

<p>{text}</p><img src="cid:1@x">
--x
Content-Type: image/png
Content-ID: <1@x>

png
--x--
"""


def ingest(store: Store, text: str) -> Ingest:
    made = Ingest(store)
    data = text.replace("\n", "\r\n").encode()
    for at in range(0, len(data), 50_000):
        if (spilled := made.feed(data[at : at + 50_000])) is not None:
            spilled.result()
    return made


@pytest.mark.parametrize("size", [10, 70_000, 131_000, 700_000])
def test_reports_are_known_by_a_status_that_stands_far_behind(store: Store, size: int) -> None:
    made = ingest(store, REPORT.format(text=("y" * 70 + "\n") * (size // 71))).finish()
    assert made.derived.message_class == "REPORT.IPM.Note.NDR"


@pytest.mark.parametrize("size", [10, 100_000])
def test_pictures_of_long_texts_are_no_attachments(store: Store, size: int) -> None:
    made = ingest(store, PICTURES.format(text=("y" * 70 + "\n") * (size // 71))).finish()
    assert tags.PidTagHasAttachments not in made.derived.stored


def test_a_writer_reads_what_it_took(store: Store) -> None:
    writer = BlobWriter(store)
    data = bytes(range(256)) * 4000  # a megabyte: some of it is in the store already, some is not compressed
    for at in range(0, len(data), 100_000):
        if (spilled := writer.write(data[at : at + 100_000])) is not None:
            spilled.result()
    ranges = [(0, 10), (65530, 20), (300_000, 200_000), (len(data) - 5, 100), (len(data), 1), (0, len(data))]
    for offset, length in ranges:
        assert writer.read(offset, length) == data[offset : offset + length]
    prepared = writer.finish()
    with store.read() as txn:
        for offset, length in ranges:
            assert blobs.read_prepared(txn, prepared, offset, length) == data[offset : offset + length]
    number = store.write(lambda txn: blobs.bind(txn, prepared)).result()
    with store.read() as txn:
        assert blobs.read(txn, number) == data
    store.write(lambda txn: blobs.release(txn, number)).result()
