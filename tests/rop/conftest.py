"""An office whose people talk to the ROP engine."""

from collections.abc import Callable, Iterator

import pytest

from appliance.directory.model import Entry
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
    engine = Engine(store, ROPS)
    made: list[Client] = []

    def make(user: Entry, **settings: object) -> Client:
        made.append(Client(store, user, engine=engine, **settings))
        return made[-1]

    yield make
    for client in made:
        client.close()


@pytest.fixture
def client(connect: Callable[..., Client], anna: Entry) -> Client:
    """Anna's session."""
    return connect(anna)
