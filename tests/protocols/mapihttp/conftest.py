"""Servers and clients for the tests of MAPI over HTTP."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from appliance.config import Settings
from appliance.directory.model import Entry
from appliance.protocols.mapihttp.server import routes
from appliance.store import check
from appliance.store.store import Store
from tests.mapiclient import MapiClient
from tests.protocols.webserver import ANNA, PASSWORD, Office, Running, make_identity

BEN = "ben@example.test"


@pytest.fixture(scope="session")
def tls_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_identity(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    store = Store.create(tmp_path / "data")
    office = Office(store).start()
    office.add(BEN, "Ben Berg")
    yield office
    assert check.check(store) == []
    store.close()


@pytest.fixture
def serve(office: Office, tls_directory: Path) -> Iterator[Callable[..., Running]]:
    """`serve(sites=[...])` starts a server on the office."""
    running: list[Running] = []

    def start(**more: Any) -> Running:
        settings = Settings()
        settings = replace(settings, http=replace(settings.http, access_log=False))
        running.append(Running(office, tls_directory, settings, **{"sites": [routes], **more}))
        return running[-1].start()

    yield start
    for one in running:
        one.stop()


@pytest.fixture
def running(serve: Callable[..., Running]) -> Running:
    return serve()


@pytest.fixture
def client_of(running: Running) -> Iterator[Callable[..., MapiClient]]:
    """`client_of(address)`: a client that is not connected yet."""
    made: list[MapiClient] = []

    def make(address: str = ANNA, port: int = 0) -> MapiClient:
        made.append(MapiClient(port or running.port, address, PASSWORD))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def anna(office: Office) -> Entry:
    return entry(office, ANNA)


def entry(office: Office, address: str) -> Entry:
    """An entry of the directory."""
    from appliance.directory import entries

    with office.store.read() as txn:
        found = entries.by_address(txn, address)
    assert found is not None
    return found


@pytest.fixture
def client(client_of: Callable[..., MapiClient], anna: Entry) -> MapiClient:
    """Anna's client, connected."""
    made = client_of()
    made.connect(anna.legacy_dn)
    return made
