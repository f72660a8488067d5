"""Runs the full-text indexer beside the services: a thread of its own that works while others are idle."""

import asyncio
from collections.abc import Iterator

from appliance.mailbox.search.folding import fold
from appliance.mailbox.search.stored import StoredMessages, document
from appliance.net.parts import Parts
from appliance.store.contents import Row
from appliance.store.indexing import IndexThread
from appliance.store.kv import ReadTxn

_SOURCE = StoredMessages()


def folded_document(txn: ReadTxn, mailbox: int, row: Row) -> Iterator[str]:
    """A stored message's document as the index takes it."""
    return map(fold, document(_SOURCE.open(txn, mailbox, row)))


async def run(parts: Parts) -> None:
    """Index until cancelled."""
    thread = IndexThread(parts.store, folded_document)
    try:
        await asyncio.Event().wait()
    finally:
        # a step is short; the store must not be closed under it
        await asyncio.shield(asyncio.to_thread(thread.close))
