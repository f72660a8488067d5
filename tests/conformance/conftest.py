"""Fixtures: a served office for each test worker, a fresh mailbox for each test that asks."""

from collections.abc import Iterator

import pytest

from tests.conformance.book import Book, make_book
from tests.conformance.client import Mapi
from tests.conformance.office import Office, Person
from tests.served import command

HARM = 96 << 20
"""Bytes of anonymous memory that an attack may cost, caches and the answers themselves counted."""


@pytest.fixture(scope="session")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """A served office of this test worker; its store is checked when all tests are done."""
    made = Office(tmp_path_factory.mktemp("conformance") / "data")
    with made.served as served:
        yield made
        assert served.stop() == 0
    checked = command(made.data, "check")
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.fixture
def anna(office: Office) -> Person:
    """Somebody with a fresh mailbox."""
    return office.person()


@pytest.fixture
def ben(office: Office) -> Person:
    """Somebody else with a fresh mailbox."""
    return office.person()


@pytest.fixture
def unharmed(office: Office) -> Iterator[None]:
    """What comes meanwhile must leave the server as it was: running, no error of its own in its log, bounded
    in memory, serving somebody else."""
    logged, memory = len(office.served.logged()), office.served.rss_anon()
    yield
    assert office.served.process.poll() is None
    assert "Traceback" not in office.served.logged()[logged:]
    assert office.served.rss_anon() - memory < HARM
    with office.person().mapi() as client:
        assert client.disconnect().code == 0


@pytest.fixture
def mapi(anna: Person) -> Iterator[Mapi]:
    """Anna's Session Context, connected and not logged on."""
    with anna.mapi() as client:
        yield client


@pytest.fixture(scope="session")
def book(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Book]:
    """A served office whose address book is known and stays; its store is checked when all tests are done."""
    made = Office(tmp_path_factory.mktemp("book") / "data")
    with made.served as served:
        yield make_book(made)
        assert served.stop() == 0
    checked = command(made.data, "check")
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.fixture
def nspi(book: Book) -> Iterator[Mapi]:
    """A Session Context of the address book endpoint, bound."""
    with book.bound() as client:
        yield client
