"""The indexer as the server runs it."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import pytest

from appliance.mailbox.search.folding import fold
from appliance.net import indexing
from appliance.store import indexing as stored
from appliance.store.fulltext import FullText
from appliance.store.store import Store
from tests.mailbox.search.fakes import Box
from tests.mailbox.search.test_stored import PLAIN, deliver


@dataclass
class Parts:
    store: Store


def test_indexes_what_was_delivered_until_cancelled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored, "PATIENCE", 0.0)
    box = Box(tmp_path)
    deliver(box, PLAIN)
    index = FullText(tmp_path)

    def narrowed() -> frozenset[int] | None:
        with box.store.read() as txn:
            return index.possible(txn, box.mailbox, box.fid, fold("no such words"))

    async def serve() -> None:
        task = asyncio.create_task(indexing.run(Parts(box.store)))
        async with asyncio.timeout(20):
            while narrowed() is None:
                await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(serve())
    assert narrowed() == frozenset()
    with box.store.read() as txn:
        assert len(index.possible(txn, box.mailbox, box.fid, fold("liegt bei; schöne GRÜSSE")) or ()) == 1
    index.close()
    box.store.close()
