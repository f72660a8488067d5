"""The routes of MAPI over HTTP: the mailbox endpoint and the address book's."""

from collections.abc import Iterator

from appliance.addressbook import session as nspi_session
from appliance.addressbook.session import AddressBook
from appliance.directory.model import Protocol
from appliance.net.parts import Parts
from appliance.net.web import Exchange, Response, Route
from appliance.protocols.mapihttp.contexts import LIFETIME
from appliance.protocols.mapihttp.emsmdb import WAIT, Mailbox
from appliance.protocols.mapihttp.endpoint import Endpoint
from appliance.protocols.mapihttp.headers import Fault, ResponseCode, refusal
from appliance.protocols.mapihttp.nspi import AddressBookRows
from appliance.rop.engine import Engine
from appliance.rop.session import Session
from appliance.rop.table import ROPS

EMSMDB_PATH, NSPI_PATH = "/mapi/emsmdb", "/mapi/nspi"

MAX_BODY = 512 << 10
"""Bytes of a request to the mailbox endpoint: ROP buffer, auxiliary buffer, and some."""

MAX_NSPI_BODY = 2 << 20
"""Bytes of a request to the address book: an explicit table, columns, a photo."""


def routes(parts: Parts, wait: float = WAIT) -> Iterator[Route]:
    """The rows; `wait`: seconds of a poll without news. Each endpoint is at its path with and without a
    slash; `MailboxId` in the query (MS-OXDSCLI) is for machines that stand before us: whose mailbox it is
    stands in the requests."""
    mailbox = Mailbox(parts, Engine(parts.store, ROPS, parts.watches.subscribe), wait)
    emsmdb: Endpoint[Session] = Endpoint(EMSMDB_PATH, mailbox.kinds(), Session.close)
    yield Route(
        "mapi-emsmdb", f"{EMSMDB_PATH}/*", (), emsmdb.handle, protocol=Protocol.MAPI, max_body=MAX_BODY
    )
    book = AddressBookRows(parts, AddressBook(parts.store))
    nspi: Endpoint[nspi_session.Session] = Endpoint(NSPI_PATH, book.kinds(), unbind)
    yield Route(
        "mapi-nspi", f"{NSPI_PATH}/*", (), nspi.handle, protocol=Protocol.MAPI, max_body=MAX_NSPI_BODY
    )
    yield Route("mapi", "/mapi/*", (), nowhere, protocol=Protocol.MAPI, max_body=MAX_BODY)


def unbind(session: nspi_session.Session) -> None:
    """What ends with a context of the address book."""
    session.unbind()


async def nowhere(exchange: Exchange) -> Response:
    """What is no endpoint (MS-OXCMAPIHTTP 2.2.3.3.3)."""
    fault = Fault(ResponseCode.INVALID_PATH, "There is no endpoint at this path.")
    return refusal(exchange, fault, LIFETIME, ())
