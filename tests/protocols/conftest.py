"""An office behind HTTP, for the protocols that are served over it."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from appliance.config import Settings
from appliance.net.terms import Timeouts
from appliance.store import check
from appliance.store.store import Store
from tests.protocols.webserver import Office, Running, make_identity


@pytest.fixture(scope="session")
def tls_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_identity(tmp_path_factory.mktemp("tls"), "autodiscover.example.test")


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    store = Store.create(tmp_path / "data")
    yield Office(store).start()
    assert check.check(store) == []
    store.close()


@pytest.fixture
def serve(office: Office, tls_directory: Path) -> Iterator[Callable[..., Running]]:
    """`serve(tls=..., timeouts=..., auth=..., plain_on_loopback=...)` starts a server on the office."""
    running: list[Running] = []

    def start(
        *,
        tls: Path | None = tls_directory,
        timeouts: Timeouts | None = None,
        auth: tuple[str, ...] | None = None,
        plain_on_loopback: bool = True,
        **more: Any,
    ) -> Running:
        settings = Settings()
        if auth is not None:
            settings = replace(settings, http=replace(settings.http, auth=auth))
        settings = replace(settings, auth=replace(settings.auth, plain_on_loopback=plain_on_loopback))
        running.append(Running(office, tls, settings, timeouts=timeouts, **more))
        return running[-1].start()

    yield start
    for one in running:
        one.stop()
