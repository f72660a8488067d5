"""Autodiscover as a stranger reads it: POX for Outlook and phones, SOAP, JSON. MS-OXDSCLI, MS-OXWSADISC."""

import base64
import http.client
import json
import re
from dataclasses import dataclass
from xml.sax.saxutils import escape

import pytest
from lxml import etree

from tests.conformance.book import Book

POX = "/autodiscover/autodiscover.xml"
SVC = "/autodiscover/autodiscover.svc"
OUTLOOK_REQUEST = "http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006"
OUTLOOK = "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a"
MOBILE_REQUEST = "http://schemas.microsoft.com/exchange/autodiscover/mobilesync/requestschema/2006"
MOBILE = "http://schemas.microsoft.com/exchange/autodiscover/mobilesync/responseschema/2006"
ENVELOPE = "http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006"
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
ADDRESSING = "http://www.w3.org/2005/08/addressing"
SERVICE = "http://schemas.microsoft.com/exchange/2010/Autodiscover"


@dataclass(frozen=True, slots=True)
class Answer:
    """A response."""

    status: int
    headers: dict[str, str]
    body: bytes

    def xml(self) -> etree._Element:
        """The body, which must be well-formed and say that it is XML."""
        assert self.headers["content-type"].split(";")[0] in ("text/xml", "application/soap+xml")
        return etree.fromstring(self.body)


def ask(
    book: Book,
    method: str,
    path: str,
    body: str | bytes = b"",
    headers: dict[str, str] | None = None,
    *,
    password: str | None = "",
) -> Answer:
    """A request on a connection of its own, as the user of the book; `password` None is anonymous."""
    sent = {"Content-Type": "text/xml; charset=utf-8", **(headers or {})}
    if password is not None:
        plain = f"{book.me.address}:{password or book.me.password}"
        sent["Authorization"] = "Basic " + base64.b64encode(plain.encode()).decode()
    connection = http.client.HTTPConnection("127.0.0.1", book.me.port, timeout=60)
    try:
        connection.request(method, path, body.encode() if isinstance(body, str) else body, sent)
        response = connection.getresponse()
        named: dict[str, str] = {}
        for name, value in response.getheaders():
            named[name.lower()] = ", ".join(filter(None, (named.get(name.lower()), value)))
        return Answer(response.status, named, response.read())
    finally:
        connection.close()


def pox(address: str, schema: str = OUTLOOK, namespace: str = OUTLOOK_REQUEST, extra: str = "") -> str:
    """A request of MS-OXDSCLI 2.2.3."""
    return (
        f'<?xml version="1.0" encoding="utf-8"?><Autodiscover xmlns="{namespace}"><Request>'
        f"<EMailAddress>{escape(address)}</EMailAddress>{extra}"
        f"<AcceptableResponseSchema>{schema}</AcceptableResponseSchema></Request></Autodiscover>"
    )


def named(element: etree._Element, path: str) -> list[str]:
    """The texts of the elements at a path of local names, in whatever namespace."""
    steps = "/".join(f"*[local-name()='{step}']" for step in path.split("/"))
    return [found.text or "" for found in element.xpath(f"//{steps}")]


def error_code(answer: Answer) -> str:
    """The code of an error response (MS-OXDSCLI 2.2.4.1.1.3), whose form is checked."""
    assert answer.status == 200
    root = answer.xml()
    assert root.tag == f"{{{ENVELOPE}}}Autodiscover"
    (error,) = root.xpath("//*[local-name()='Error']")
    assert re.fullmatch(r"\d\d:\d\d:\d\d(\.\d+)?", error.get("Time"))
    assert error.get("Id", "").isdigit()
    assert [etree.QName(child).localname for child in error] == ["ErrorCode", "Message", "DebugData"]
    assert named(root, "Error/Message") != [""]
    return named(root, "Error/ErrorCode")[0]


def test_settings_for_outlook(book: Book) -> None:
    answer = ask(book, "POST", POX, pox(book.me.address), {"X-MapiHttpCapability": "1"})
    root = answer.xml()
    assert root.tag == f"{{{ENVELOPE}}}Autodiscover"
    assert root[0].tag == f"{{{OUTLOOK}}}Response"
    assert named(root, "User/AutoDiscoverSMTPAddress") == [book.me.address]
    assert named(root, "User/LegacyDN") == [book.me.dn]
    assert named(root, "User/DisplayName") == [book.me.name]
    assert re.fullmatch(r"[0-9a-fA-F-]{36}", named(root, "User/DeploymentId")[0])
    assert named(root, "Account/AccountType") == ["email"]
    assert named(root, "Account/Action") == ["settings"]
    (mapi,) = root.xpath("//*[local-name()='Protocol'][@Type='mapiHttp']")
    assert mapi.get("Version") == "1"
    for element, path in (("MailStore", "/mapi/emsmdb/"), ("AddressBook", "/mapi/nspi/")):
        urls = mapi.xpath(f"*[local-name()='{element}']/*")
        assert {etree.QName(url).localname for url in urls} <= {"InternalUrl", "ExternalUrl"}
        assert urls
        for url in urls:
            assert re.match(r"https://[^/]+" + re.escape(path) + r"\?MailboxId=[0-9a-f-]{36}@", url.text)


@pytest.mark.parametrize(
    "headers", [{}, {"X-MapiHttpCapability": "0"}, {"X-MapiHttpCapability": "x"}], ids=str
)
def test_no_mapi_without_the_capability(book: Book, headers: dict[str, str]) -> None:
    root = ask(book, "POST", POX, pox(book.me.address), headers).xml()
    assert named(root, "Account/Action") == ["settings"]
    assert not root.xpath("//*[local-name()='Protocol'][@Type='mapiHttp']")


def test_a_later_version_of_the_capability(book: Book) -> None:
    root = ask(book, "POST", POX, pox(book.me.address), {"X-MapiHttpCapability": "2"}).xml()
    (mapi,) = root.xpath("//*[local-name()='Protocol'][@Type='mapiHttp']")
    assert mapi.get("Version") == "1", "MS-OXDSCLI 2.2.4.1.1.2.6: what the server supports"


def test_an_alias_leads_to_the_address(book: Book) -> None:
    root = ask(book, "POST", POX, pox("chief@example.test")).xml()
    assert named(root, "User/AutoDiscoverSMTPAddress") in (["anna@example.test"], ["chief@example.test"])
    assert named(root, "User/DisplayName") == ["Anna Berger"]


def test_by_legacy_dn(book: Book) -> None:
    body = (
        f'<Autodiscover xmlns="{OUTLOOK_REQUEST}"><Request><LegacyDN>{book.me.dn}</LegacyDN>'
        f"<AcceptableResponseSchema>{OUTLOOK}</AcceptableResponseSchema></Request></Autodiscover>"
    )
    root = ask(book, "POST", POX, body).xml()
    assert named(root, "User/LegacyDN") == [book.me.dn]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("", "600"),
        ("nonsense", "600"),
        ("<Autodiscover/>", "600"),
        (f'<Autodiscover xmlns="{OUTLOOK_REQUEST}"/>', "600"),
        (f'<Autodiscover xmlns="{OUTLOOK_REQUEST}"><Request/></Autodiscover>', "600"),
        (pox("anna@example.test").replace("</Request>", ""), "600"),
        (pox("anna@example.test").replace("Autodiscover", "Somethingelse"), "600"),
        (pox("anna@example.test", namespace="urn:wrong"), "600"),
        (pox("anna@example.test", schema="urn:wrong"), "601"),
        (pox("nobody@example.test"), "500"),
        (pox("nobody@elsewhere.test"), "500"),
        (pox("no address"), "500"),
    ],
)
def test_errors_of_pox(book: Book, body: str, code: str) -> None:
    assert error_code(ask(book, "POST", POX, body)) == code


def test_get_is_an_invalid_request(book: Book) -> None:
    assert error_code(ask(book, "GET", POX)) == "600"
    head = ask(book, "HEAD", POX)
    assert (head.status, head.body) == (200, b"")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PROPFIND"])
def test_other_methods(book: Book, method: str) -> None:
    answer = ask(book, method, POX)
    assert answer.status == 405
    assert "POST" in answer.headers["allow"]


@pytest.mark.parametrize(
    "path", ["/AutoDiscover/AutoDiscover.xml", "/Autodiscover/Autodiscover.xml", POX.upper()]
)
def test_paths_in_any_case(book: Book, path: str) -> None:
    root = ask(book, "POST", path, pox(book.me.address)).xml()
    assert named(root, "Account/Action") == ["settings"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1"])
def test_encodings(book: Book, encoding: str) -> None:
    body = pox(book.me.address).replace("utf-8", encoding).encode(encoding)
    root = ask(book, "POST", POX, body, {"Content-Type": "text/xml"}).xml()
    assert named(root, "Account/Action") == ["settings"]


def test_settings_for_phones(book: Book) -> None:
    answer = ask(book, "POST", POX, pox(book.me.address, MOBILE, MOBILE_REQUEST))
    root = answer.xml()
    if named(root, "ErrorCode"):
        assert error_code(answer) == "601", "nothing for phones is served here"
        return
    assert root.tag == f"{{{ENVELOPE}}}Autodiscover"
    assert root[0].tag == f"{{{MOBILE}}}Response"
    assert [etree.QName(child).localname for child in root[0]] == ["Culture", "User", "Action"]
    assert re.fullmatch("[a-z]{2}:[a-z]{2}", named(root, "Culture")[0]), "MS-ASCMD 2.2.3.38"
    assert named(root, "User/EMailAddress") == [book.me.address]
    assert named(root, "Settings/Server/Type") == ["MobileSync"]
    assert named(root, "Settings/Server/Url")[0].endswith("/Microsoft-Server-ActiveSync")


def test_phones_ask_for_somebody_unknown(book: Book) -> None:
    answer = ask(book, "POST", POX, pox("nobody@example.test", MOBILE, MOBILE_REQUEST))
    root = answer.xml()
    assert named(root, "Action/Error/Status") or named(root, "Error/ErrorCode")


BOMB = (
    '<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY {chr(98 + i)} "{f"&{chr(97 + i)};" * 10}">' for i in range(12))
    + "]>"
)


@pytest.mark.parametrize(
    "prolog",
    [
        BOMB,
        '<!DOCTYPE l [<!ENTITY m SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE l SYSTEM "http://127.0.0.1:1/x">',
    ],
    ids=["bomb", "file", "external"],
)
@pytest.mark.parametrize("path", [POX, SVC])
def test_document_types_are_refused(book: Book, prolog: str, path: str) -> None:
    body = prolog + pox("&m;").replace("&amp;", "&").split("?>", 1)[1]
    answer = ask(book, "POST", path, body)
    assert b"root:" not in answer.body
    assert answer.status in (200, 400, 500)
    assert b"600" in answer.body or b"Fault" in answer.body


# SOAP


def soap(action: str, inner: str, version: str = "Exchange2013") -> str:
    """An envelope of MS-OXWSADISC 2.2."""
    return (
        f'<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="{SOAP}" xmlns:w="{ADDRESSING}" '
        f'xmlns:a="{SERVICE}"><s:Header><a:RequestedServerVersion>{version}</a:RequestedServerVersion>'
        f"<w:Action>{SERVICE}/Autodiscover/{action}</w:Action>"
        f"<w:To>https://mail.example.test{SVC}</w:To></s:Header><s:Body>"
        f"<a:{action}RequestMessage><a:Request>{inner}</a:Request></a:{action}RequestMessage>"
        "</s:Body></s:Envelope>"
    )


def user_settings(users: list[str], settings: list[str]) -> str:
    """A GetUserSettings request."""
    people = "".join(f"<a:User><a:Mailbox>{escape(user)}</a:Mailbox></a:User>" for user in users)
    wanted = "".join(f"<a:Setting>{setting}</a:Setting>" for setting in settings)
    inner = f"<a:Users>{people}</a:Users><a:RequestedSettings>{wanted}</a:RequestedSettings>"
    return soap("GetUserSettings", inner)


def responded(book: Book, action: str, body: str) -> etree._Element:
    """The Response element of a message, whose frame is checked."""
    answer = ask(book, "POST", SVC, body)
    assert answer.status == 200, answer.body
    root = answer.xml()
    assert root.tag == f"{{{SOAP}}}Envelope"
    said = root.findtext(f"{{{SOAP}}}Header/{{{ADDRESSING}}}Action")
    assert said == f"{SERVICE}/Autodiscover/{action}Response"
    assert root.find(f".//{{{SERVICE}}}ServerVersionInfo") is not None
    (response,) = root.findall(f".//{{{SERVICE}}}{action}ResponseMessage/{{{SERVICE}}}Response")
    return response


def test_user_settings(book: Book) -> None:
    wanted = ["UserDisplayName", "UserDN", "AutoDiscoverSMTPAddress", "ExternalEwsUrl", "MailboxDN"]
    body = user_settings([book.me.address], wanted)
    response = responded(book, "GetUserSettings", body)
    assert response.findtext(f"{{{SERVICE}}}ErrorCode") == "NoError"
    (user,) = response.findall(f".//{{{SERVICE}}}UserResponse")
    assert user.findtext(f"{{{SERVICE}}}ErrorCode") == "NoError"
    settings = {
        setting.findtext(f"{{{SERVICE}}}Name"): setting.findtext(f"{{{SERVICE}}}Value")
        for setting in user.findall(f".//{{{SERVICE}}}UserSetting")
    }
    assert settings["UserDisplayName"] == book.me.name
    assert settings["UserDN"] == book.me.dn
    assert settings["AutoDiscoverSMTPAddress"] == book.me.address


def test_settings_of_some(book: Book) -> None:
    users = ["anna@example.test", "nobody@example.test", "nonsense", "ben@example.test"]
    response = responded(book, "GetUserSettings", user_settings(users, ["UserDisplayName"]))
    assert response.findtext(f"{{{SERVICE}}}ErrorCode") == "NoError"
    found = [user.findtext(f"{{{SERVICE}}}ErrorCode") for user in response.iter(f"{{{SERVICE}}}UserResponse")]
    assert found[0] == found[3] == "NoError"
    assert set(found[1:3]) <= {"InvalidUser", "RedirectAddress", "RedirectUrl"}


def test_settings_that_are_not_known(book: Book) -> None:
    body = user_settings([book.me.address], ["UserDisplayName", "FavouriteColour"])
    response = responded(book, "GetUserSettings", body)
    errors = [
        (error.findtext(f"{{{SERVICE}}}SettingName"), error.findtext(f"{{{SERVICE}}}ErrorCode"))
        for error in response.iter(f"{{{SERVICE}}}UserSettingError")
    ]
    assert errors == [("FavouriteColour", "InvalidSetting")]


@pytest.mark.parametrize(
    "body",
    [user_settings([], ["UserDN"]), user_settings(["anna@example.test"], [])],
    ids=["nobody", "nothing"],
)
def test_empty_questions(book: Book, body: str) -> None:
    response = responded(book, "GetUserSettings", body)
    assert response.findtext(f"{{{SERVICE}}}ErrorCode") == "InvalidRequest"
    assert response.findtext(f"{{{SERVICE}}}ErrorMessage")


def test_domain_settings(book: Book) -> None:
    inner = (
        "<a:Domains><a:Domain>example.test</a:Domain><a:Domain>elsewhere.test</a:Domain></a:Domains>"
        "<a:RequestedSettings><a:Setting>ExternalEwsUrl</a:Setting></a:RequestedSettings>"
    )
    response = responded(book, "GetDomainSettings", soap("GetDomainSettings", inner))
    codes = [one.findtext(f"{{{SERVICE}}}ErrorCode") for one in response.iter(f"{{{SERVICE}}}DomainResponse")]
    assert codes == ["NoError", "InvalidDomain"]


def test_federation_and_relationships(book: Book) -> None:
    inner = "<a:Domain>example.test</a:Domain>"
    response = responded(book, "GetFederationInformation", soap("GetFederationInformation", inner))
    assert response.findtext(f"{{{SERVICE}}}ErrorCode") in ("NotFederated", "NoError")


@pytest.mark.parametrize(
    "body",
    ["", "nonsense", f'<s:Envelope xmlns:s="{SOAP}"/>', soap("Unknown", ""), pox("anna@example.test")],
    ids=["nothing", "no XML", "no body", "unknown", "pox"],
)
def test_faults(book: Book, body: str) -> None:
    answer = ask(book, "POST", SVC, body)
    assert answer.status == 500, "SOAP 1.1, 6.2"
    root = answer.xml()
    assert root.find(f".//{{{SOAP}}}Fault/faultcode") is not None


# JSON


@pytest.mark.parametrize(
    "path",
    [
        "/autodiscover/autodiscover.json?Email={}&Protocol={}",
        "/autodiscover/autodiscover.json/v1.0/{}?Protocol={}",
        "/autodiscover/autodiscover.json?email={}&protocol={}",
    ],
)
@pytest.mark.parametrize("protocol", ["ActiveSync", "AutodiscoverV1", "Ews", "autodiscoverv1"])
def test_json(book: Book, path: str, protocol: str) -> None:
    answer = ask(book, "GET", path.format(book.me.address, protocol), password=None)
    assert answer.headers["content-type"].startswith("application/json")
    found = json.loads(answer.body)
    if answer.status == 400:
        assert protocol.lower() != "autodiscoverv1"
        assert found["ErrorCode"] == "InvalidProtocol", "not served here"
        return
    assert answer.status == 200
    assert found["Protocol"].lower() == protocol.lower()
    assert found["Url"].startswith("https://")


@pytest.mark.parametrize(
    ("query", "code"),
    [("", "MandatoryParameterMissing"), ("?Email=anna@example.test", "MandatoryParameterMissing")],
)
def test_json_without_parameters(book: Book, query: str, code: str) -> None:
    answer = ask(book, "GET", "/autodiscover/autodiscover.json" + query, password=None)
    assert answer.status == 400
    assert json.loads(answer.body)["ErrorCode"] == code


def test_json_of_an_unknown_protocol(book: Book) -> None:
    query = "?Email=anna@example.test&Protocol=Telepathy"
    answer = ask(book, "GET", "/autodiscover/autodiscover.json" + query, password=None)
    assert answer.status == 400
    assert json.loads(answer.body)["ErrorCode"] == "InvalidProtocol"


# Who asks


@pytest.mark.parametrize("path", [POX, SVC])
@pytest.mark.parametrize("password", [None, "wrong"])
def test_strangers(book: Book, path: str, password: str | None) -> None:
    answer = ask(book, "POST", path, pox(book.me.address), password=password)
    assert answer.status == 401
    assert "basic" in answer.headers["www-authenticate"].lower()
