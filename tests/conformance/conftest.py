"""Fixtures: a served office for each test worker, a fresh mailbox for each test that asks."""

from collections.abc import Iterator

import pytest

from tests.conformance.book import Book, make_book
from tests.conformance.client import Mapi
from tests.conformance.desk import INBOX, Desk, Folder
from tests.conformance.office import Office, Person
from tests.conformance.store_rops import IPM, SUBJECT, Store, private
from tests.conformance.values import tagged
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


@pytest.fixture
def store(mapi: Mapi, anna: Person) -> Store:
    """Anna's mailbox."""
    return private(mapi, anna)


@pytest.fixture
def top(store: Store) -> int:
    """The visible top of the mailbox, open."""
    return store.open(store.folders[IPM])


@pytest.fixture
def tree(store: Store, top: int) -> tuple[int, int]:
    """A folder with a message and a subfolder with another: its id, its handle."""
    fid, handle = store.create(top, "Full")
    store.message(handle, fid, tagged(SUBJECT, "above"))
    inner, below = store.create(handle, "Inner")
    store.message(below, inner, tagged(SUBJECT, "below"))
    return fid, handle


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


@pytest.fixture
def desk(anna: Person) -> Iterator[Desk]:
    """Anna's mailbox, logged on to."""
    with anna.mapi() as client:
        yield Desk(client, anna.dn)


@pytest.fixture
def inbox(desk: Desk) -> Folder:
    """Its inbox."""
    return desk.folder(INBOX)


@pytest.fixture
def message(desk: Desk, inbox: Folder) -> int:
    """A new message in the inbox, not saved."""
    return desk.create_message(inbox)


@pytest.fixture
def objects(desk: Desk, inbox: Folder, message: int) -> dict[str, int]:
    """A handle of each kind of object that has properties."""
    folder = desk.create_folder(inbox, "folder with properties")
    return {
        "message": message,
        "folder": folder.handle,
        "attachment": desk.create_attachment(message)[0],
        "logon": desk.logon,
    }
