"""A server with a small office for each test."""

from collections.abc import Callable, Iterator

import pytest

from appliance.store.store import Store
from tests.protocols.imap.office import Office, Talk, close_office, open_office


@pytest.fixture
def office(store: Store) -> Iterator[Office]:
    """A running server."""
    made = open_office(store)
    yield made
    close_office(made)


@pytest.fixture
def talk(office: Office) -> Iterator[Callable[..., Talk]]:
    """Opens connections; `talk("alice")` has logged in."""
    opened: list[Talk] = []

    def connect(name: str | None = None) -> Talk:
        made = Talk(office.port)
        opened.append(made)
        return made.login(name) if name else made

    yield connect
    for each in opened:
        each.close()
