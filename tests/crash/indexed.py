"""The full-text index beside a store whose power is cut: derived data, which may be lost but never lies.

Run as `python -m tests.crash.indexed DATA NOTES SEED`: appends, expunges and indexes in turn.
"""

import random
import sys
from pathlib import Path

from appliance.mailbox.search.folding import fold
from appliance.net.indexing import folded_document
from appliance.store import contents, messages
from appliance.store.fulltext import FullText
from appliance.store.indexing import Indexer
from appliance.store.mailboxes import Special
from appliance.store.store import Store
from tests.crash import ledger, worker
from tests.crash.ledger import State

MAILBOX = 1
STEPS = 12


def work(data: Path, notes_path: str, seed: int) -> None:
    """Change the store and index it, in turn."""
    store = Store.open(data)
    thread = worker.Thread(store, worker.Notes(notes_path), 0, seed, State())
    indexer = Indexer(store, folded_document)
    rng = random.Random(seed)
    for step in range(STEPS):
        thread.run((step + 1) * rng.randint(4, 8))
        while not indexer.step(MAILBOX, least=1):
            pass
    indexer.close()
    store.close()


def lies(store: Store) -> list[str]:
    """Messages of the inbox that the index rules out though they hold the word."""
    index = FullText(store.directory)
    found = []
    with store.read() as txn:
        for row in contents.rows(txn, MAILBOX, Special.INBOX):
            token = ledger.token_of(messages.read(txn, MAILBOX, row))
            possible = index.possible(txn, MAILBOX, Special.INBOX, fold(token))
            if possible is not None and row.mid not in possible:
                found.append(token)
    index.close()
    return found


def recovers(data: Path) -> str:
    """What is wrong with the index that a power cut left, before or after it was brought up to date."""
    store = Store.open(data)
    try:
        before = lies(store)
        indexer = Indexer(store, folded_document)
        for _ in range(20):
            if indexer.step(MAILBOX, least=1):
                break
        else:
            return "the index does not come up to date"
        indexer.close()
        after = lies(store)
    finally:
        store.close()
    return f"hidden before {before}, after {after}" if before or after else ""


if __name__ == "__main__":
    work(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
