"""Making reports ready: the original is read, the report rendered and stored in pieces, outside of the
transaction that accepts it."""

import asyncio

from appliance.mailbox.incoming import Incoming, Ingest
from appliance.net.bridge import read_in_thread
from appliance.store import blobs
from appliance.store.queue import Origin, QueueEntry
from appliance.store.store import Store
from appliance.transport.acceptance import Mail, Recipient
from appliance.transport.content import Content
from appliance.transport.dsn import Original, Report
from appliance.transport.trace import own_received


async def original_of(store: Store, entry: QueueEntry, *, whole: bool) -> Original:
    """What a report brings back of an entry's message; its bytes only when `whole`."""
    head = await Content.of(store, entry).head()
    if not whole:
        return Original(head, entry.size, False, False, iter(()))
    raw = await read_in_thread(store, lambda txn: blobs.read(txn, entry.blob))
    binary = entry.body == "BINARYMIME"
    return Original(head, entry.size, not raw.isascii(), binary, iter((entry.prefix, raw)))


async def ingest_report(store: Store, report: Report) -> Incoming:
    """A rendered report, ready to be delivered. Raises the store's errors."""
    original = await original_of(store, report.entry, whole=report.returns_all)
    ingest = Ingest(store)
    try:
        for piece in report.render(original):
            stored = ingest.feed(piece)
            if stored is not None:
                await asyncio.wrap_future(stored)
        return ingest.finish()
    except BaseException:
        ingest.abort()
        raise


async def ingest_content(store: Store, entry: QueueEntry) -> Incoming:
    """The message of an entry, ready to be delivered here. Raises the store's errors."""
    ingest = Ingest(store)
    try:
        async for piece in Content.of(store, entry).stored():
            stored = ingest.feed(piece)
            if stored is not None:
                await asyncio.wrap_future(stored)
        return ingest.finish()
    except BaseException:
        ingest.abort()
        raise


def report_mail(report: Report, incoming: Incoming) -> Mail:
    """The envelope of a report: from nobody, to the sender (RFC 3461 6.1)."""
    return Mail(
        sender="",
        recipients=(Recipient(report.entry.sender),),
        incoming=incoming,
        received=own_received(report.hostname, report.token, report.now),
        now=report.now,
        body="8BITMIME",
        smtputf8=report.needs_utf8,
        origin=Origin.REPORT,
        trusted=True,
    )
