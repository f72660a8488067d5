"""An office whose people talk to the ROP engine."""

import asyncio
from collections.abc import Callable, Iterator

import pytest

from appliance.directory.model import Entry
from appliance.net.watch import Watches
from appliance.rop.engine import Engine
from appliance.rop.table import ROPS
from appliance.store.store import Store
from tests.rop.kit import Client
from tests.transport.office import Office


@pytest.fixture
def office(store: Store) -> Office:
    """example.test, without people."""
    return Office(store)


@pytest.fixture
def anna(office: Office) -> Entry:
    """A user with a mailbox."""
    return office.user("anna@example.test")


@pytest.fixture
def connect(store: Store) -> Iterator[Callable[..., Client]]:
    """Sessions of one engine, closed at the end."""
    loop = asyncio.new_event_loop()

    async def watch() -> Watches:
        return Watches(store)

    watches = loop.run_until_complete(watch())
    engine = Engine(store, ROPS, watches.subscribe)
    made: list[Client] = []

    def make(user: Entry, **settings: object) -> Client:
        made.append(Client(user, engine, loop, **settings))
        return made[-1]

    yield make
    for client in made:
        client.close()
    assert watches.count == 0, "a closed session still watches"
    watches.close()

    async def end() -> None:
        """What sessions had begun to tell ends before their threads do."""
        telling = asyncio.all_tasks() - {asyncio.current_task()}
        for task in telling:
            task.cancel()
        await asyncio.gather(*telling, return_exceptions=True)

    loop.run_until_complete(end())
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()


@pytest.fixture
def client(connect: Callable[..., Client], anna: Entry) -> Client:
    """Anna's session."""
    return connect(anna)
