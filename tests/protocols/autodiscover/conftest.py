"""A server with Autodiscover's routes."""

from collections.abc import Callable

import pytest

from appliance.protocols.autodiscover.server import routes
from tests.protocols.webserver import Running


@pytest.fixture
def running(serve: Callable[..., Running]) -> Running:
    return serve(sites=[routes])
