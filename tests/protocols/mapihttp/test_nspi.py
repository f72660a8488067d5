"""The address book endpoint over the wire."""

from collections.abc import Callable, Iterator

import pytest

from appliance.addressbook.stat import Stat
from appliance.mapi import tags
from appliance.protocols.mapihttp.bodies import nspi as bodies
from tests.mapiclient import MapiClient, Wire


@pytest.fixture
def book(client_of: Callable[..., MapiClient]) -> Iterator[Wire]:
    """Anna's client of the address book, bound."""
    wire = client_of().nspi()
    wire.ask("Bind", bodies.BindRequest(0, Stat()), bodies.BindResponse)
    yield wire
    wire.close()


def test_browse(book: Wire) -> None:
    columns = (tags.PidTagDisplayName, tags.PidTagSmtpAddress)
    request = bodies.QueryRowsRequest(0, Stat(), (), 10, columns)
    response = book.ask("QueryRows", request, bodies.StateAndRowsResponse)
    assert response.rows is not None
    assert list(response.rows.rows) == [
        ["Anna Ärmel", "anna@example.test"],
        ["Ben Berg", "ben@example.test"],
    ]
