"""The SOAP operations, judged by exchangelib and by the documents' examples."""

import re
from base64 import b64encode
from collections.abc import Callable

import pytest
import requests
import urllib3
from exchangelib import Credentials
from exchangelib.autodiscover.protocol import AutodiscoverProtocol
from exchangelib.configuration import Configuration
from exchangelib.protocol import BaseProtocol, NoVerifyHTTPAdapter
from exchangelib.transport import BASIC, NTLM
from lxml import etree

from appliance.net.offers import Offer
from appliance.protocols.autodiscover import soap
from appliance.protocols.autodiscover.server import routes
from appliance.protocols.autodiscover.soap import Operation, SoapFault
from appliance.protocols.autodiscover.user_settings import USER
from tests.protocols.webserver import ANNA, HOST, OFFERS, PASSWORD, Running
from tests.shared import shared_path

NS = {"s": soap.ENVELOPE, "a": soap.NS, "w": soap.ADDRESSING}
NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"


def envelope(operation: str, inner: str) -> bytes:
    return (
        f'<s:Envelope xmlns:s="{soap.ENVELOPE}" xmlns:a="{soap.NS}" xmlns:w="{soap.ADDRESSING}"><s:Header>'
        f"<a:RequestedServerVersion>Exchange2013</a:RequestedServerVersion><w:MessageID>urn:uuid:1</w:MessageID>"
        f"<w:Action>{soap.ACTION}{operation}</w:Action></s:Header><s:Body><a:{operation}RequestMessage>"
        f"<a:Request>{inner}</a:Request></a:{operation}RequestMessage></s:Body></s:Envelope>"
    ).encode()


def users(*addresses: str, settings: tuple[str, ...] = ("UserDisplayName",)) -> bytes:
    inner = "".join(f"<a:User><a:Mailbox>{address}</a:Mailbox></a:User>" for address in addresses)
    wanted = "".join(f"<a:Setting>{setting}</a:Setting>" for setting in settings)
    return envelope(
        "GetUserSettings", f"<a:Users>{inner}</a:Users><a:RequestedSettings>{wanted}</a:RequestedSettings>"
    )


def ask(running: Running, data: bytes, status: int = 200) -> etree._Element:
    client = running.client(tls=True)
    token = b64encode(f"{ANNA}:{PASSWORD}".encode()).decode()
    headers = {"Authorization": f"Basic {token}", "Content-Type": "text/xml; charset=utf-8"}
    client.request("POST", "/autodiscover/autodiscover.svc", data, headers)
    reply = client.getresponse()
    content = reply.read()
    client.close()
    assert reply.status == status, content
    return etree.fromstring(content)


def texts(element: etree._Element, path: str) -> list[str | None]:
    return [found.text for found in element.iterfind(path, NS)]


@pytest.fixture
def endpoint(running: Running, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], AutodiscoverProtocol]:
    """exchangelib, pointed at our server; it does not know our authority."""
    urllib3.disable_warnings()
    monkeypatch.setattr(BaseProtocol, "HTTP_ADAPTER_CLS", NoVerifyHTTPAdapter)
    monkeypatch.setenv("NO_PROXY", "*")

    def make(auth: str) -> AutodiscoverProtocol:
        url = f"https://localhost:{running.tls_port}/autodiscover/autodiscover.svc"
        credentials = Credentials(ANNA, PASSWORD)
        config = Configuration(credentials=credentials, service_endpoint=url, auth_type=auth or None)
        return AutodiscoverProtocol(config=config)

    return make


@pytest.mark.parametrize("auth", [BASIC, NTLM, ""])
def test_exchangelib_asks(endpoint: Callable[[str], AutodiscoverProtocol], auth: str) -> None:
    protocol = endpoint(auth)
    try:
        reply = protocol.get_user_settings(user=ANNA)
        reply.raise_errors()
        assert reply.autodiscover_smtp_address == ANNA
        assert reply.user_settings["user_display_name"] == "Anna Ärmel"
        assert reply.ews_url is None
        unknown = protocol.get_user_settings(user="nobody@example.test")
        assert unknown.error_code == "InvalidUser"
    finally:
        protocol.close()


def test_exchangelib_finds_ews_once_it_is_served(
    serve: Callable[..., Running], monkeypatch: pytest.MonkeyPatch
) -> None:
    urllib3.disable_warnings()
    monkeypatch.setattr(BaseProtocol, "HTTP_ADAPTER_CLS", NoVerifyHTTPAdapter)
    monkeypatch.setenv("NO_PROXY", "*")
    running = serve(sites=[routes], told=(*OFFERS, Offer("ews", 80, 443, "/EWS/Exchange.asmx")))
    url = f"https://localhost:{running.tls_port}/autodiscover/autodiscover.svc"
    config = Configuration(credentials=Credentials(ANNA, PASSWORD), service_endpoint=url, auth_type=BASIC)
    protocol = AutodiscoverProtocol(config=config)
    try:
        reply = protocol.get_user_settings(user=ANNA)
        assert reply.ews_url == f"https://{HOST}/EWS/Exchange.asmx"
        assert reply.version.api_version == "Exchange2016"
    finally:
        protocol.close()


def test_an_answer_for_each_user(running: Running) -> None:
    wanted = ("UserDisplayName", "ExternalImap4Connections", "ExternalEwsUrl", "Nonsense", "UserDisplayName")
    root = ask(running, users(ANNA, "nobody@example.test", "x", settings=wanted))
    assert texts(root, ".//w:Action") == [soap.ACTION + "GetUserSettingsResponse"]
    assert texts(root, ".//w:RelatesTo") == ["urn:uuid:1"]
    assert texts(root, ".//a:Version") == ["Exchange2016"]
    response = root.find(".//a:GetUserSettingsResponseMessage/a:Response", NS)
    assert response is not None
    assert [etree.QName(part).localname for part in response] == [
        "ErrorCode",
        "ErrorMessage",
        "UserResponses",
    ]
    first, second, third = response[2]
    assert [etree.QName(part).localname for part in first] == [
        "ErrorCode",
        "ErrorMessage",
        "RedirectTarget",
        "UserSettingErrors",
        "UserSettings",
    ]
    assert texts(first, "a:ErrorCode") == ["NoError"]
    assert first[2].get(NIL) == "true"
    assert texts(first, ".//a:UserSetting/a:Name") == ["UserDisplayName", "ExternalImap4Connections"]
    assert [part.get(TYPE) for part in first[4]] == ["StringSetting", "ProtocolConnectionCollectionSetting"]
    connections = [[part.text for part in found] for found in first.iterfind(".//a:ProtocolConnection", NS)]
    assert connections == [[HOST, "993", "SSL"], [HOST, "143", "TLS"]]
    failed = [[part.text for part in found] for found in first.iterfind(".//a:UserSettingError", NS)]
    assert [row[0::2] for row in failed] == [
        ["SettingIsNotAvailable", "ExternalEwsUrl"],
        ["InvalidSetting", "Nonsense"],
    ]
    assert texts(second, "a:ErrorCode") == texts(third, "a:ErrorCode") == ["InvalidUser"]


def test_requests_that_say_too_little_or_too_much(running: Running) -> None:
    for data in (
        users(),
        users(ANNA, settings=()),
        users(*[ANNA] * 101),
        envelope("GetUserSettings", ""),
        envelope("GetDomainSettings", ""),
    ):
        assert texts(ask(running, data), ".//a:Response/a:ErrorCode") == ["InvalidRequest"]


def test_settings_of_domains(serve: Callable[..., Running]) -> None:
    running = serve(sites=[routes], told=(*OFFERS, Offer("ews", 80, 443, "/EWS/Exchange.asmx")))
    inner = "<a:Domains><a:Domain>Example.ORG</a:Domain><a:Domain>far.test</a:Domain></a:Domains>"
    inner += (
        "<a:RequestedSettings><a:Setting>ExternalEwsUrl</a:Setting><a:Setting>ExternalEwsVersion</a:Setting>"
    )
    root = ask(running, envelope("GetDomainSettings", inner + "</a:RequestedSettings>"))
    assert texts(root, ".//a:DomainResponse/a:ErrorCode") == ["NoError", "InvalidDomain"]
    assert texts(root, ".//a:DomainSetting/a:Value") == [
        f"https://{HOST}/EWS/Exchange.asmx",
        "15.01.2507.006",
    ]
    first = root.find(".//a:DomainResponse", NS)
    assert first is not None
    assert [etree.QName(part).localname for part in first] == [
        "ErrorCode",
        "ErrorMessage",
        "DomainSettingErrors",
        "DomainSettings",
        "RedirectTarget",
    ]


def test_the_organization_is_in_no_federation(running: Running) -> None:
    for domain, code in (("example.test", "NotFederated"), ("far.test", "InvalidDomain")):
        root = ask(running, envelope("GetFederationInformation", f"<a:Domain>{domain}</a:Domain>"))
        message = root.find(".//a:GetFederationInformationResponseMessage/a:Response", NS)
        assert message is not None
        assert [etree.QName(part).localname for part in message] == [
            "ErrorCode",
            "ErrorMessage",
            "ApplicationUri",
            "Domains",
        ]
        assert message[0].text == code
    inner = "<a:Domains><a:Domain>example.test</a:Domain></a:Domains>"
    root = ask(running, envelope("GetOrganizationRelationshipSettings", inner))
    assert texts(root, ".//a:Response/a:ErrorCode") == ["NotFederated"]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<a/>",
        envelope("GetNothing", ""),
        envelope("GetUserSettings", "").replace(b"Body", b"Bo"),
        b"<!DOCTYPE a>" + users(ANNA),
        users(ANNA).replace(b"s:Body>", b"s:Bod>"),
    ],
)
def test_other_messages_are_faults(running: Running, data: bytes) -> None:
    root = ask(running, data, status=500)
    assert root.findtext(".//faultcode") == "s:Client"


def examples(name: str) -> list[str]:
    text = shared_path("spec", "ews-reference", name).read_text()
    return [found.strip() for found in re.findall(r"```XML\n(.*?)```", text, re.S)]


@pytest.mark.parametrize(
    ("name", "operation"),
    [
        ("getusersettings-operation-soap.md", Operation.USER),
        ("getfederationinformation-operation-soap.md", Operation.FEDERATION),
    ],
)
def test_the_documents_requests_are_understood(name: str, operation: Operation) -> None:
    request = soap.parse(examples(name)[0].encode())
    assert request.operation is operation
    assert request.problem == ""
    assert request.asked in (("UserName@domain.contoso.com",), ("contoso.com",))
    assert set(request.settings) <= set(USER)


def test_the_answer_has_the_elements_of_the_documents_example(running: Running) -> None:
    example = etree.fromstring(examples("getusersettings-operation-soap.md")[1].encode())

    def shape(root: etree._Element) -> list[str]:
        response = next(root.iter("{*}Response"))
        names = [etree.QName(part).localname for part in response.iter()]
        return [name for place, name in enumerate(names) if place < 12]

    assert shape(ask(running, users(ANNA, settings=("UserDisplayName", "UserDN")))) == shape(example)


def test_every_setting_of_the_reference_is_known() -> None:
    text = shared_path("spec", "ews-reference", "setting-soap.md").read_text()
    table = text[text.index("## Text value") : text.index("## Element information")]
    names = re.findall(r"^\|(\w+),?\s+<br/>", table, re.M)
    assert len(names) > 50
    assert set(names) <= set(USER)


def test_an_element_that_is_no_element_is_passed_over() -> None:
    data = users(ANNA).replace(b"<s:Body>", b"<s:Body><!-- x -->\n<?pi?>")
    assert soap.parse(data).asked == (ANNA,)
    with pytest.raises(SoapFault):
        soap.parse(b"<s:Envelope xmlns:s='" + soap.ENVELOPE.encode() + b"'/>")


def test_a_get_shows_that_the_service_is_there(running: Running) -> None:
    url = f"https://localhost:{running.tls_port}/autodiscover/autodiscover.svc"
    with requests.Session() as session:
        session.trust_env = False
        reply = session.get(url, auth=(ANNA, PASSWORD), verify=str((running._tls or "") / "ca.pem"))  # type: ignore[operator]
        assert reply.status_code == 200
        assert reply.headers["X-SOAP-Enabled"] == "True"
