"""From Autodiscover to an open mailbox and address book, over TLS."""

import http.client
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from lxml import etree

from appliance.addressbook.stat import Stat
from appliance.directory.model import Entry
from appliance.net.offers import Offer
from appliance.protocols.autodiscover.server import routes as autodiscover_routes
from appliance.protocols.mapihttp.bodies import nspi as bodies
from appliance.protocols.mapihttp.server import routes
from tests.mapiclient import MapiClient, Wire
from tests.protocols.webserver import ANNA, OFFERS, PASSWORD, Running

SCHEMA = "http://schemas.microsoft.com/exchange/autodiscover/outlook/"
REQUEST = (
    f'<Autodiscover xmlns="{SCHEMA}requestschema/2006"><Request><EMailAddress>{ANNA}</EMailAddress>'
    f"<AcceptableResponseSchema>{SCHEMA}responseschema/2006a</AcceptableResponseSchema></Request></Autodiscover>"
)


@pytest.mark.covers(
    "MS-OXCMAPIHTTP_R1",
    "MS-OXCMAPIHTTP_R459",
    "MS-OXCMAPIHTTP_R28",
    "MS-OXCMAPIHTTP_R29",
    "MS-OXCMAPIHTTP_R1436",
    "MS-OXCMAPIHTTP_R1437",
    "MS-OXCMAPIHTTP_R30",
)
def test_what_autodiscover_gives_leads_here(serve: Callable[..., Running], anna: Entry) -> None:
    told = (*OFFERS, Offer("mapihttp", 80, 443, "/mapi/"))
    running = serve(sites=[routes, autodiscover_routes], told=told)

    def open() -> http.client.HTTPConnection:
        return running.client(tls=True)

    finder = Wire(0, ANNA, PASSWORD, "/autodiscover/autodiscover.xml", open=open)
    answer = finder.exchange(
        "POST",
        REQUEST.encode(),
        {
            "Authorization": finder.credentials,
            "Content-Type": "text/xml; charset=utf-8",
            "X-MapiHttpCapability": "1",
        },
    )
    finder.close()
    tree = etree.fromstring(answer.body)
    (block,) = [found for found in tree.iter("{*}Protocol") if found.get("Type") == "mapiHttp"]
    urls = [
        urlsplit(block.findtext(f"{{*}}{name}/{{*}}InternalUrl") or "")
        for name in ("MailStore", "AddressBook")
    ]
    assert urls[0] != urls[1]
    (legacy_dn,) = [found.text for found in tree.iter("{*}LegacyDN")]
    assert legacy_dn == anna.legacy_dn
    mailbox = MapiClient(0, ANNA, PASSWORD, open=open)
    mailbox.wire.path = f"{urls[0].path}?{urls[0].query}"
    mailbox.connect(legacy_dn)
    assert mailbox.logon()
    mailbox.close()
    book = Wire(0, ANNA, PASSWORD, f"{urls[1].path}?{urls[1].query}", open=open)
    assert book.ask("Bind", bodies.BindRequest(0, Stat()), bodies.BindResponse).error_code == 0
    book.close()
