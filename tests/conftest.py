"""Fixtures that every test may use. Every store that a test opens is checked when the test ends."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from appliance.store import tree
from appliance.store.check import check
from appliance.store.store import Store

# Whatever profile is loaded (Hypothesis has one of its own for CI), the wall clock decides nothing.
settings.register_profile("patient", settings(), deadline=None)
settings.load_profile("patient")
settings.register_profile("quick", settings(), max_examples=25)  # what `make check` chooses

SLOW = "clients"
"""The folder of tests that talk to a whole server with other people's programs: they run in `make test`."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks what is slow by nature."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent / SLOW):
            item.add_marker(pytest.mark.slow)


EPOCH = 0x01D9000000000000
"""A FILETIME of 2022: the "now" of tests."""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store, checked at the end."""
    made = Store.create(tmp_path / "data")
    yield made
    wrong = check(made)
    made.close()
    assert wrong == []


@pytest.fixture
def make_mailbox(store: Store) -> Callable[[], int]:
    """Makes private mailboxes."""
    count = iter(range(1, 1000))

    def make() -> int:
        number = next(count)
        return store.write(
            lambda txn: tree.create_mailbox(
                txn,
                owner=number,
                guid=number.to_bytes(16, "little"),
                replica_guid=(number + 1000).to_bytes(16, "little"),
                uidvalidity=1000 * number,
                now=EPOCH,
            )
        ).result()

    return make


@pytest.fixture
def mailbox(make_mailbox: Callable[[], int]) -> int:
    """A private mailbox."""
    return make_mailbox()
