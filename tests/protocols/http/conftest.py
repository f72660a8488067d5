"""A server with nothing but the routes for tests."""

from collections.abc import Callable

import pytest

from tests.protocols.webserver import Running


@pytest.fixture
def running(serve: Callable[..., Running]) -> Running:
    return serve()
