"""Plain old XML: requests of both schemas, answers against the schemas and the documents' examples."""

import datetime
import re

import pytest
from lxml import etree

from appliance.directory import entries
from appliance.directory.model import Entry, Kind, Protocol
from appliance.net.offers import Offer
from appliance.protocols.autodiscover import pox
from appliance.protocols.autodiscover.pox import Code, PoxError, Schema
from tests.protocols.webserver import ANNA, HOST, OFFERS, PASSWORD, Office, Running
from tests.shared import shared_path

BASE = "http://schemas.microsoft.com/exchange/autodiscover/"
N = {
    "r": BASE + "responseschema/2006",
    "o": BASE + "outlook/responseschema/2006a",
    "m": BASE + "mobilesync/responseschema/2006",
}
ALL = (
    *OFFERS,
    Offer("mapihttp", 80, 443, "/mapi/"),
    Offer("ews", 80, 443, "/EWS/Exchange.asmx"),
    Offer("eas", 80, 443, "/Microsoft-Server-ActiveSync"),
    Offer("oab", 80, 443, "/OAB/"),
)


def body(address: str, schema: str = N["o"], request: str = "outlook", name: str = "EMailAddress") -> bytes:
    return (
        f'<?xml version="1.0" encoding="utf-8"?><Autodiscover xmlns="{BASE}{request}/requestschema/2006">'
        f"<Request><{name}>{address}</{name}><AcceptableResponseSchema>{schema}</AcceptableResponseSchema>"
        f"</Request></Autodiscover>"
    ).encode()


def ask(running: Running, data: bytes, method: str = "POST", **headers: str) -> etree._Element:
    from base64 import b64encode

    client = running.client(tls=True)
    token = b64encode(f"{ANNA}:{PASSWORD}".encode()).decode()
    given = {"Authorization": f"Basic {token}", "Content-Type": "text/xml"} | {
        key.replace("_", "-"): value for key, value in headers.items()
    }
    client.request(method, "/Autodiscover/Autodiscover.xml", data, given)
    reply = client.getresponse()
    content = reply.read()
    client.close()
    assert reply.status == 200, content
    assert reply.headers["Content-Type"] == "text/xml; charset=utf-8"
    return etree.fromstring(content)


def texts(element: etree._Element, path: str) -> list[str]:
    return [str(found.text) for found in element.iterfind(path, N)]


def blocks(root: etree._Element) -> list[dict[str, str]]:
    return [
        {etree.QName(part).localname: part.text or "" for part in block}
        for block in root.iterfind(".//o:Protocol", N)
    ]


def test_settings_for_outlook(running: Running) -> None:
    root = ask(running, body(ANNA))
    assert root.tag == f"{{{N['r']}}}Autodiscover"
    assert texts(root, ".//o:User/o:DisplayName") == ["Anna Ärmel"]
    assert texts(root, ".//o:User/o:AutoDiscoverSMTPAddress") == [ANNA]
    assert texts(root, ".//o:User/o:LegacyDN")[0].startswith(
        "/o=Example Ltd/ou=Exchange Administrative Group"
    )
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", texts(root, ".//o:DeploymentId")[0])
    assert texts(root, ".//o:AccountType") == ["email"]
    assert texts(root, ".//o:Action") == ["settings"]
    found = {block["Type"]: block for block in blocks(root)}
    assert list(found) == ["IMAP", "POP3", "SMTP"]
    assert found["IMAP"] == {
        "Type": "IMAP",
        "TTL": "1",
        "Server": HOST,
        "Port": "993",
        "LoginName": ANNA,
        "DomainRequired": "off",
        "SPA": "off",
        "SSL": "on",
        "Encryption": "SSL",
        "AuthRequired": "on",
    }
    assert (found["SMTP"]["Port"], found["SMTP"]["UsePOPAuth"], found["SMTP"]["SMTPLast"]) == (
        "465",
        "on",
        "off",
    )


@pytest.mark.covers("MS-ASCMD_R2228")
def test_an_alias_leads_to_the_primary_address(running: Running) -> None:
    root = ask(running, body("A.Aermel@EXAMPLE.org"))
    assert texts(root, ".//o:AutoDiscoverSMTPAddress") == [ANNA]


def test_a_distinguished_name_instead_of_an_address(running: Running) -> None:
    dn = texts(ask(running, body(ANNA)), ".//o:LegacyDN")[0]
    root = ask(running, body(dn, name="LegacyDN"))
    assert texts(root, ".//o:AutoDiscoverSMTPAddress") == [ANNA]


def test_what_is_switched_off_for_the_user_is_not_told(running: Running, office: Office) -> None:
    office.change(ANNA, disabled_protocols=frozenset({Protocol.POP3, Protocol.SMTP}))
    assert [block["Type"] for block in blocks(ask(running, body(ANNA)))] == ["IMAP"]


def errors(root: etree._Element) -> list[str]:
    assert root.tag == f"{{{N['r']}}}Autodiscover"
    error = root.find("r:Response/r:Error", N)
    assert error is not None
    assert re.fullmatch(r"\d\d:\d\d:\d\d\.\d{7}", error.get("Time", ""))
    assert 0 <= int(error.get("Id", "-1")) < 1 << 32
    assert [etree.QName(part).localname for part in error] == ["ErrorCode", "Message", "DebugData"]
    return texts(error, "r:ErrorCode")


def test_errors_have_their_codes(running: Running, office: Office) -> None:
    office.add("out@example.test")
    office.change("out@example.test", enabled=False)
    group = Entry(0, Kind.GROUP, "all@example.test", "All", "", b"g" * 16)
    office.write(lambda txn: entries.add(txn, group))
    assert errors(ask(running, body("nobody@example.test"))) == ["500"]
    assert errors(ask(running, body("no address"))) == ["500"]
    assert errors(ask(running, body("anna@elsewhere.test"))) == ["500"]
    assert errors(ask(running, body("/o=Nothing", name="LegacyDN"))) == ["500"]
    assert errors(ask(running, body("all@example.test"))) == ["501"]
    assert errors(ask(running, body("out@example.test"))) == ["501"]
    assert errors(ask(running, b"", method="GET")) == ["600"]
    assert errors(ask(running, b"<nonsense>")) == ["600"]
    assert errors(ask(running, body(ANNA, schema=""))) == ["600"]
    assert errors(ask(running, body(ANNA, schema=BASE + "other"))) == ["601"]
    assert errors(ask(running, body(ANNA, schema=N["m"], request="mobilesync"))) == ["601"]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe",
        b"<a/>",
        b"<Autodiscover/>",
        body(""),
        body(ANNA, request="unknown"),
        b'<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + body("&e;").partition(b"?>")[2],
        b"<!DOCTYPE a>" + body(ANNA).partition(b"?>")[2],
        body("x" * 2000),
        b"<a>" * 5000,
        b"<a>" + b"<b/>" * 3000 + b"</a>",
        b"<?xml version='1.0' encoding='nonsense'?><a/>",
        body(ANNA).replace(b"</Autodiscover>", b""),
    ],
)
def test_what_is_no_request_is_refused(data: bytes) -> None:
    with pytest.raises(PoxError) as caught:
        pox.parse(data)
    assert caught.value.code is Code.INVALID_REQUEST


def test_entities_are_never_resolved(tmp_path_factory: pytest.TempPathFactory) -> None:
    secret = tmp_path_factory.mktemp("x") / "secret"
    secret.write_text("leaked@example.test")
    head = f'<!DOCTYPE a [<!ENTITY e SYSTEM "{secret.as_uri()}">]>'.encode()
    with pytest.raises(PoxError):
        pox.parse(head + body("&e;").partition(b"?>")[2])


def test_the_documents_example_is_understood() -> None:
    text = shared_path("spec", "ews-reference", "pox-autodiscover-request-for-exchange.md").read_text()
    found = re.search(r"```XML\n(.*?)```", text, re.S)
    assert found
    request = pox.parse(found[1].encode())
    assert (request.schema, request.address) == (Schema.OUTLOOK, "user@contoso.com")


def test_the_answer_has_the_elements_of_the_documents_example(running: Running) -> None:
    text = shared_path("spec", "ews-reference", "pox-autodiscover-response-for-exchange.md").read_text()
    parts = re.findall(r"```XML\n(.*?)```", text, re.S)
    example, failure = (etree.fromstring(part.encode()) for part in parts)
    ours = ask(running, body(ANNA))

    def shape(root: etree._Element, upto: str) -> list[str]:
        names = [etree.QName(part).localname for part in root.iter() if isinstance(part.tag, str)]
        return names[: names.index(upto)]

    own = [
        name for name in shape(ours, "Protocol") if name not in ("AutoDiscoverSMTPAddress", "MicrosoftOnline")
    ]
    assert own == shape(example, "Protocol")
    assert [etree.QName(p).localname for p in ask(running, b"x").iter()] == [
        etree.QName(p).localname for p in failure.iter()
    ]


def test_mapi_http_is_told_to_who_can(serve: "object", office: Office) -> None:
    from appliance.protocols.autodiscover.server import routes

    running = serve(sites=[routes], told=ALL)  # type: ignore[operator]
    without = ask(running, body(ANNA))
    assert without.find(".//o:Protocol[@Type='mapiHttp']", N) is None
    root = ask(running, body(ANNA), X_MapiHttpCapability="1")
    block = root.find(".//o:Protocol[@Type='mapiHttp']", N)
    assert block is not None
    assert block.get("Version") == "1"
    guid = "00000000-0000-0000-0000-000000000001"
    urls = texts(block, ".//o:InternalUrl") + texts(block, ".//o:ExternalUrl")
    assert urls[0] == urls[2]
    assert urls[0].startswith(f"https://{HOST}/mapi/emsmdb/?MailboxId=")
    assert urls[1].startswith(f"https://{HOST}/mapi/nspi/?MailboxId=")
    assert urls[0].endswith("@example.test")
    assert len(guid) == len(urls[0].rpartition("=")[2].partition("@")[0])
    found = {kind: block for block in blocks(root) if (kind := block.get("Type"))}
    assert list(found) == ["EXCH", "EXPR", "IMAP", "POP3", "SMTP"]
    for kind in ("EXCH", "EXPR"):
        assert found[kind]["ASUrl"] == found[kind]["EwsUrl"] == f"https://{HOST}/EWS/Exchange.asmx"
        assert found[kind]["OABUrl"] == f"https://{HOST}/OAB/"
    assert found["EXCH"]["ServerVersion"] == "73C189CB"
    office.change(ANNA, disabled_protocols=frozenset({Protocol.MAPI}))
    again = ask(running, body(ANNA), X_MapiHttpCapability="1")
    assert again.find(".//o:Protocol[@Type='mapiHttp']", N) is None


def answers_schema() -> etree.XMLSchema:
    """The schema of whole answers; the document leaves out the import that it needs."""
    document = etree.parse(str(shared_path("spec", "eas", "AutodiscoverResponse.xsd")))
    place = shared_path("spec", "eas", "AutodiscoverMobileSync.xsd").as_uri()
    found = etree.Element("{http://www.w3.org/2001/XMLSchema}import", namespace=N["m"], schemaLocation=place)
    document.getroot().insert(0, found)
    return etree.XMLSchema(document)


@pytest.mark.covers(
    "MS-ASCMD_R1635",
    "MS-ASCMD_R1636",
    "MS-ASCMD_R1637",
    "MS-ASCMD_R1638",
    "MS-ASCMD_R1639",
    "MS-ASCMD_R1640",
    "MS-ASCMD_R1641",
    "MS-ASCMD_R1642",
    "MS-ASCMD_R2287",
    "MS-ASCMD_R2288",
    "MS-ASCMD_R3799",
    "MS-ASCMD_R3818",
)
def test_errors_of_the_framework_fit_the_schema(running: Running) -> None:
    schema = answers_schema()
    twice = body(ANNA, schema=N["m"], request="mobilesync")
    part = twice[twice.index(b"<Request>") : twice.index(b"</Autodiscover>")]
    for data, code in (
        (twice.replace(part, part * 2), "600"),
        (b"<nonsense>", "600"),
        (body(ANNA, schema=BASE + "mobilesync/responseschema/1999", request="mobilesync"), "601"),
    ):
        root = ask(running, data)
        assert schema.validate(root), schema.error_log
        assert errors(root) == [code]


@pytest.mark.covers(
    "MS-ASCMD_R8",
    "MS-ASCMD_R41",
    "MS-ASCMD_R703",
    "MS-ASCMD_R1027",
    "MS-ASCMD_R1028",
    "MS-ASCMD_R1029",
    "MS-ASCMD_R1030",
    "MS-ASCMD_R806",
    "MS-ASCMD_R1083",
    "MS-ASCMD_R1084",
    "MS-ASCMD_R1085",
    "MS-ASCMD_R1086",
    "MS-ASCMD_R1458",
    "MS-ASCMD_R1459",
    "MS-ASCMD_R1460",
    "MS-ASCMD_R1461",
    "MS-ASCMD_R1474",
    "MS-ASCMD_R1475",
    "MS-ASCMD_R1476",
    "MS-ASCMD_R1477",
    "MS-ASCMD_R1518",
    "MS-ASCMD_R1519",
    "MS-ASCMD_R1520",
    "MS-ASCMD_R1521",
    "MS-ASCMD_R2225",
    "MS-ASCMD_R1583",
    "MS-ASCMD_R1584",
    "MS-ASCMD_R1585",
    "MS-ASCMD_R1586",
    "MS-ASCMD_R1631",
    "MS-ASCMD_R1632",
    "MS-ASCMD_R1633",
    "MS-ASCMD_R1634",
    "MS-ASCMD_R1896",
    "MS-ASCMD_R1897",
    "MS-ASCMD_R1898",
    "MS-ASCMD_R1899",
    "MS-ASCMD_R3482",
    "MS-ASCMD_R3484",
    "MS-ASCMD_R1979",
    "MS-ASCMD_R1980",
    "MS-ASCMD_R1981",
    "MS-ASCMD_R1982",
    "MS-ASCMD_R2439",
    "MS-ASCMD_R2440",
    "MS-ASCMD_R2441",
    "MS-ASCMD_R2442",
    "MS-ASCMD_R3815",
    "MS-ASCMD_R2479",
    "MS-ASCMD_R2480",
    "MS-ASCMD_R2481",
    "MS-ASCMD_R2482",
    "MS-ASCMD_R3890",
    "MS-ASCMD_R2561",
    "MS-ASCMD_R2562",
    "MS-ASCMD_R2563",
    "MS-ASCMD_R2564",
    "MS-ASCMD_R2623",
    "MS-ASCMD_R2624",
    "MS-ASCMD_R2625",
    "MS-ASCMD_R2626",
    "MS-ASCMD_R2691",
    "MS-ASCMD_R2692",
    "MS-ASCMD_R2693",
    "MS-ASCMD_R2694",
    "MS-ASCMD_R2859",
    "MS-ASCMD_R2860",
    "MS-ASCMD_R2861",
    "MS-ASCMD_R2862",
    "MS-ASCMD_R2883",
    "MS-ASCMD_R2884",
    "MS-ASCMD_R2885",
    "MS-ASCMD_R2886",
    "MS-ASCMD_R4648",
)
def test_the_mobile_schema(serve: "object", office: Office) -> None:
    from appliance.protocols.autodiscover.server import routes

    running = serve(sites=[routes], told=ALL)  # type: ignore[operator]
    schema = answers_schema()
    office.write(
        lambda txn: entries.add(
            txn,
            Entry(0, Kind.CONTACT, "max@far.test", "Max", "", b"c" * 16, aliases=("max@old.test",)),
        )
    )
    answers = [
        ask(running, body(address, schema=N["m"], request="mobilesync"))
        for address in (ANNA, "nobody@example.test", "max@old.test")
    ]
    for root in answers:
        assert schema.validate(root), schema.error_log
    good, bad, moved = answers
    url = f"https://{HOST}/Microsoft-Server-ActiveSync"
    assert texts(good, ".//m:Server/m:Type") == ["MobileSync"]
    assert texts(good, ".//m:Server/m:Url") == texts(good, ".//m:Server/m:Name") == [url]
    assert texts(good, ".//m:User/m:EMailAddress") == [ANNA]
    alias = ask(running, body("a.aermel@example.org", schema=N["m"], request="mobilesync"))
    assert texts(alias, ".//m:User/m:EMailAddress") == [ANNA]
    assert texts(bad, ".//m:Error/m:Status") == ["2"]
    assert texts(moved, ".//m:Redirect") == ["max@far.test"]
    outlook = ask(running, body("max@old.test"))
    assert texts(outlook, ".//o:Action") == ["redirectAddr"]
    assert texts(outlook, ".//o:RedirectAddr") == ["max@far.test"]
    office.change(ANNA, disabled_protocols=frozenset({Protocol.EAS}))
    assert errors(ask(running, body(ANNA, schema=N["m"], request="mobilesync"))) == ["601"]


def test_the_time_of_an_error_is_of_the_day() -> None:
    moment = datetime.datetime(2026, 1, 1, 7, 8, 9, 123456)
    assert b'Time="07:08:09.1234560"' in pox.error(Code.INTERNAL, "x", moment)


def test_nobody_is_told_without_a_log_on(running: Running) -> None:
    client = running.client(tls=True)
    client.request("POST", "/autodiscover/autodiscover.xml", body(ANNA))
    reply = client.getresponse()
    assert reply.status == 401
    assert reply.headers["X-SOAP-Enabled"] == "True"
    client.close()
