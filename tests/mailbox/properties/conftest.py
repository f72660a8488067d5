"""A mailbox, and messages in it that came as mail."""

from collections.abc import Callable

import pytest

from appliance.mailbox import items
from appliance.mailbox.actor import Actor
from appliance.mailbox.incoming import Ingest
from appliance.store.contents import Row, RowFlag
from appliance.store.mailboxes import Special
from appliance.store.store import Store
from tests.conftest import EPOCH

SESSION = 7
Deliver = Callable[..., Row]


@pytest.fixture
def owner(mailbox: int) -> Actor:
    return Actor(user=1, mailbox=mailbox, session=SESSION)


@pytest.fixture
def deliver(store: Store, mailbox: int, owner: Actor) -> Deliver:
    def put(data: str | bytes, flags: RowFlag = RowFlag.NONE, keywords: tuple[str, ...] = ()) -> Row:
        raw = data.encode() if isinstance(data, str) else data
        ingest = Ingest(store)
        ingest.feed(raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
        incoming = ingest.finish()
        return store.write(
            lambda txn: items.append(
                txn,
                owner,
                mailbox,
                Special.INBOX,
                incoming,
                flags=flags,
                keywords=keywords,
                received=EPOCH,
                now=EPOCH,
            )
        ).result()

    return put
