"""JSON, Thunderbird's file, the well-known places, the DNS records, mDNS."""

import asyncio
import json
from collections.abc import Callable

import dns.zone
import pytest
from lxml import etree

from appliance.cli.dns import zone
from appliance.directory.domains import Organization
from appliance.net import mdns
from appliance.net.offers import Offer, Offers, records
from appliance.protocols.autodiscover.server import routes
from tests.protocols.webserver import ANNA, HOST, OFFERS, Running

EAS = Offer("eas", 80, 443, "/Microsoft-Server-ActiveSync")
DAV = Offer("webdav", 80, 10443, "/dav/")


def get(running: Running, path: str) -> tuple[int, bytes, dict[str, str]]:
    client = running.client(tls=True)
    client.request("GET", path)
    reply = client.getresponse()
    body = reply.read()
    client.close()
    return reply.status, body, dict(reply.headers.items())


def test_json(serve: Callable[..., Running]) -> None:
    running = serve(sites=[routes], told=(*OFFERS, EAS))
    for path in (
        f"/autodiscover/autodiscover.json?Email={ANNA}&Protocol=AutodiscoverV1",
        f"/AutoDiscover/AutoDiscover.json/v1.0/{ANNA}?protocol=autodiscoverv1&RedirectCount=1",
    ):
        status, body, headers = get(running, path)
        assert (status, headers["Content-Type"]) == (200, "application/json; charset=utf-8")
        url = f"https://{HOST}/autodiscover/autodiscover.xml"
        assert json.loads(body) == {"Protocol": "AutodiscoverV1", "Url": url}
    status, body, _ = get(
        running, "/autodiscover/autodiscover.json?Email=any%40example.org&Protocol=ActiveSync"
    )
    assert json.loads(body)["Url"] == f"https://{HOST}/Microsoft-Server-ActiveSync"


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        (f"Email={ANNA}&Protocol=Ews", 400, "InvalidProtocol"),
        (f"Email={ANNA}", 400, "MandatoryParameterMissing"),
        ("Email=a@far.test&Protocol=AutodiscoverV1", 404, "UserNotFound"),
        ("Email=example.test&Protocol=AutodiscoverV1", 404, "UserNotFound"),
        ("", 400, "MandatoryParameterMissing"),
        ("Protocol=Ews", 400, "MandatoryParameterMissing"),
    ],
)
def test_json_errors(running: Running, query: str, status: int, code: str) -> None:
    found, body, _ = get(running, f"/autodiscover/autodiscover.json?{query}")
    assert (found, json.loads(body)["ErrorCode"]) == (status, code)


@pytest.mark.parametrize("path", ["/mail/config-v1.1.xml", "/.well-known/autoconfig/mail/config-v1.1.xml"])
def test_thunderbirds_file(running: Running, path: str) -> None:
    status, body, headers = get(running, f"{path}?emailaddress={ANNA}")
    assert (status, headers["Content-Type"]) == (200, "application/xml; charset=utf-8")
    root = etree.fromstring(body)
    assert (root.tag, root.get("version")) == ("clientConfig", "1.1")
    assert root[0].get("id") == "example.test"
    assert [part.text for part in root.iterfind(".//domain")] == ["example.test", "example.org"]
    servers = [
        (part.get("type"), part.findtext("hostname"), part.findtext("port"), part.findtext("socketType"))
        for part in root[0]
        if "Server" in str(part.tag)
    ]
    assert servers == [
        ("imap", HOST, "993", "SSL"),
        ("imap", HOST, "143", "STARTTLS"),
        ("pop3", HOST, "995", "SSL"),
        ("pop3", HOST, "110", "STARTTLS"),
        ("smtp", HOST, "465", "SSL"),
        ("smtp", HOST, "587", "STARTTLS"),
    ]
    assert {part.text for part in root.iter("username")} == {"%EMAILADDRESS%"}
    assert {part.text for part in root.iter("authentication")} == {"password-cleartext"}
    assert get(running, f"{path}?emailaddress=a@far.test")[0] == 404


def test_calendars_have_a_well_known_place_where_they_exist(serve: Callable[..., Running]) -> None:
    assert get(serve(sites=[routes]), "/.well-known/caldav")[0] == 404
    running = serve(sites=[routes], told=(*OFFERS, DAV))
    for name in ("caldav", "carddav"):
        client = running.client(tls=True)
        client.request("PROPFIND", f"/.well-known/{name}")
        reply = client.getresponse()
        assert (reply.status, reply.headers["Location"]) == (301, "/dav/")
        client.close()


ORGANIZATION = Organization(("example.test", "example.org"), HOST, "Example Ltd")


def test_the_zone_is_one_that_dnspython_reads() -> None:
    text = zone(ORGANIZATION, Offers((*OFFERS, DAV)), ["10.1.2.3", "2001:db8:1::1"])
    first, second = text.split("\n\n")
    soa = "@ 3600 IN SOA mail.example.test. root 1 2 3 4 5\n@ 3600 IN NS mail.example.test.\n"
    read = dns.zone.from_text(
        first.replace("$TTL 3600\n", "$TTL 3600\n" + soa), origin="example.test.", relativize=False
    )

    def values(name: str, kind: str) -> list[str]:
        return sorted(
            str(row) for row in read.find_rdataset(f"{name}.example.test." if name else "example.test.", kind)
        )

    assert values("mail", "A") == ["10.1.2.3"]
    assert values("mail", "AAAA") == ["2001:db8:1::1"]
    assert values("", "MX") == ["10 mail.example.test."]
    assert values("", "TXT") == ['"v=spf1 mx ~all"']
    assert values("autodiscover", "CNAME") == values("autoconfig", "CNAME") == ["mail.example.test."]
    assert values("_imaps._tcp", "SRV") == ["0 1 993 mail.example.test."]
    assert values("_submission._tcp", "SRV") == ["10 1 587 mail.example.test."]
    assert values("_pop3s._tcp", "SRV") == ["20 1 995 mail.example.test."]
    assert values("_autodiscover._tcp", "SRV") == ["0 1 443 mail.example.test."]
    assert values("_caldavs._tcp", "SRV") == ["0 1 10443 mail.example.test."]
    assert "$ORIGIN example.org." in second
    assert " A " not in second


def test_what_is_not_served_has_no_record() -> None:
    assert [record.name for record in records(Offers([Offer("imap", None, 993)]))] == ["_imaps._tcp"]
    assert zone(Organization(), Offers(), []).startswith("; no domain")


def test_nothing_is_announced_on_loopback() -> None:
    assert mdns.only_loopback(["127.0.0.1", "::1"])
    assert not mdns.only_loopback(["127.0.0.1", "::"])
    assert not mdns.only_loopback(["10.0.0.1"])


@pytest.mark.slow
def test_services_are_found_by_multicast(serve: Callable[..., Running]) -> None:
    from zeroconf import IPVersion
    from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

    async def look() -> AsyncServiceInfo | None:
        announcement = mdns.Announcement(["127.0.0.1"])
        await announcement.open(HOST, Offers([Offer("imap", None, 993)]))
        listener = AsyncZeroconf(interfaces=["127.0.0.1"], ip_version=IPVersion.V4Only)
        info = AsyncServiceInfo("_imaps._tcp.local.", f"{HOST}._imaps._tcp.local.")
        found = await info.async_request(listener.zeroconf, 3000)
        await listener.async_close()
        await announcement.close()
        return info if found else None

    try:
        info = asyncio.run(look())
    except OSError as error:
        pytest.skip(f"no multicast on this machine: {error}")
    if info is None:
        pytest.skip("multicast does not reach loopback on this machine")
    assert (info.port, info.server) == (993, "mail.local.")
    assert info.properties == {b"host": HOST.encode()}
