"""The SOAP operations of Autodiscover (MS-OXWSADISC 3.1.4): requests in, responses out.

`parse` gives an operation or raises `SoapFault`, which stands for a fault with HTTP status 500. A request
that is well-formed but says too little is answered within its operation, with an ErrorCode.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

from lxml import etree

from appliance.protocols.autodiscover.account import SCHEMA_VERSION, SERVER_VERSION, Connection
from appliance.protocols.autodiscover.user_settings import Value
from appliance.protocols.autodiscover.xml import (
    XSI,
    BadXml,
    Element,
    add,
    begin,
    child,
    children,
    clean,
    name_of,
    show,
    text,
)
from appliance.protocols.autodiscover.xml import parse as parse_xml

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
ADDRESSING = "http://www.w3.org/2005/08/addressing"
NS = "http://schemas.microsoft.com/exchange/2010/Autodiscover"
ACTION = NS + "/Autodiscover/"

MAX_ASKED = 100
"""Users, or domains, of one request (MS-OXWSADISC 3.1.4.2)."""

MAX_SETTINGS = 200
_TYPE, _NIL = f"{{{XSI}}}type", f"{{{XSI}}}nil"


class Operation(Enum):
    """What can be asked for; the values are the names in messages."""

    USER = "GetUserSettings"
    DOMAIN = "GetDomainSettings"
    FEDERATION = "GetFederationInformation"
    RELATIONSHIP = "GetOrganizationRelationshipSettings"


class ErrorCode(Enum):
    """MS-OXWSADISC 2.2.5.1."""

    NO_ERROR = "NoError"
    REDIRECT_ADDRESS = "RedirectAddress"
    INVALID_USER = "InvalidUser"
    INVALID_REQUEST = "InvalidRequest"
    INVALID_SETTING = "InvalidSetting"
    NOT_AVAILABLE = "SettingIsNotAvailable"
    INVALID_DOMAIN = "InvalidDomain"
    NOT_FEDERATED = "NotFederated"


class SoapFault(Exception):
    """The message is none of those that are answered here. `client`: whose fault it is."""


@dataclass(frozen=True, slots=True)
class SoapRequest:
    """An operation, whom it is about (users or domains) and the settings that it asks for."""

    operation: Operation
    message_id: str
    asked: tuple[str, ...]
    settings: tuple[str, ...]

    @property
    def problem(self) -> str:
        """What is missing, in words; empty where the request is whole."""
        if not 1 <= len(self.asked) <= MAX_ASKED:
            return f"Between 1 and {MAX_ASKED} users or domains are needed."
        wants = self.operation in (Operation.USER, Operation.DOMAIN)
        if wants and not 1 <= len(self.settings) <= MAX_SETTINGS:
            return f"Between 1 and {MAX_SETTINGS} settings are needed."
        return ""


def parse(data: bytes) -> SoapRequest:
    """The request in a body. Raises SoapFault."""
    try:
        root = parse_xml(data)
        if name_of(root) != (ENVELOPE, "Envelope"):
            raise SoapFault("not a SOAP 1.1 envelope")
        body, header = child(root, ENVELOPE, "Body"), child(root, ENVELOPE, "Header")
        message = (
            next((part for part in body if isinstance(part.tag, str)), None) if body is not None else None
        )
        if message is None:
            raise SoapFault("an empty body")
        namespace, name = name_of(message)
        try:
            operation = Operation(name.removesuffix("RequestMessage"))
        except ValueError:
            raise SoapFault("the operation is not known") from None
        if namespace != NS or not name.endswith("RequestMessage"):
            raise SoapFault("the operation is not known")
        request = child(message, NS, "Request")
        settings = child(request, NS, "RequestedSettings")
        return SoapRequest(
            operation,
            text(child(header, ADDRESSING, "MessageID")),
            tuple(_asked(operation, request)),
            tuple(text(part) for part in children(settings, NS, "Setting")) if settings is not None else (),
        )
    except BadXml as error:
        raise SoapFault(str(error)) from error


def _asked(operation: Operation, request: Element | None) -> Iterator[str]:
    if request is None:
        return
    if operation is Operation.FEDERATION:
        yield from (text(part) for part in children(request, NS, "Domain"))
        return
    outer, inner = ("Users", "User") if operation is Operation.USER else ("Domains", "Domain")
    listed = child(request, NS, outer)
    for part in children(listed, NS, inner) if listed is not None else ():
        yield text(child(part, NS, "Mailbox")) if operation is Operation.USER else text(part)


# -- answers ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Told:
    """What is answered about one user or domain."""

    code: ErrorCode = ErrorCode.NO_ERROR
    message: str = "No error."
    redirect: str | None = None
    values: tuple[tuple[str, Value], ...] = ()
    errors: tuple[tuple[str, ErrorCode], ...] = ()


def told(settings: Iterable[str], get: Callable[[str], Value], known: Callable[[str], bool]) -> Told:
    """The values of some settings, each once, and the errors of the rest."""
    values: list[tuple[str, Value]] = []
    errors: list[tuple[str, ErrorCode]] = []
    for name in dict.fromkeys(settings):
        if not known(name):
            errors.append((name, ErrorCode.INVALID_SETTING))
        elif (value := get(name)) is None:
            errors.append((name, ErrorCode.NOT_AVAILABLE))
        else:
            values.append((name, value))
    return Told(values=tuple(values), errors=tuple(errors))


_MESSAGES = {
    ErrorCode.INVALID_SETTING: "The setting is not known.",
    ErrorCode.NOT_AVAILABLE: "The setting is not available.",
}


def response(request: SoapRequest, answers: Iterable[Told] = ()) -> bytes:
    """The whole response to a request."""
    root, made = _envelope(request)
    operation = request.operation
    if request.problem:
        _head(made, ErrorCode.INVALID_REQUEST, request.problem)
    elif operation in (Operation.USER, Operation.DOMAIN):
        _head(made, ErrorCode.NO_ERROR, "")
    if operation is Operation.USER:
        listed = add(made, "UserResponses")
        for answer in answers:
            _user(listed, answer)
    elif operation is Operation.DOMAIN:
        listed = add(made, "DomainResponses")
        for answer in answers:
            _domain(listed, answer)
    return show(root)


def unfederated(request: SoapRequest, code: ErrorCode, message: str) -> bytes:
    """The response to the operations of federations, of which this server is in none."""
    root, made = _envelope(request)
    if request.problem:
        code, message = ErrorCode.INVALID_REQUEST, request.problem
    _head(made, code, message)
    if request.operation is Operation.FEDERATION:
        add(made, "ApplicationUri").set(_NIL, "true")
        add(made, "Domains").set(_NIL, "true")
    else:
        add(made, "OrganizationRelationshipSettingsCollection").set(_NIL, "true")
    return show(root)


def fault(message: str) -> bytes:
    """A SOAP 1.1 fault (4.4): the client's, since ours never get this far."""
    root = etree.Element(f"{{{ENVELOPE}}}Envelope", nsmap={"s": ENVELOPE})
    made = add(add(root, "Body"), "Fault")
    etree.SubElement(made, "faultcode").text = "s:Client"
    etree.SubElement(made, "faultstring").text = clean(message)
    return show(root)


def _envelope(request: SoapRequest) -> tuple[Element, Element]:
    """(the envelope, the Response within its message)."""
    root = etree.Element(f"{{{ENVELOPE}}}Envelope", nsmap={"s": ENVELOPE, "a": ADDRESSING})
    header = add(root, "Header")
    action = etree.SubElement(header, f"{{{ADDRESSING}}}Action")
    action.set(f"{{{ENVELOPE}}}mustUnderstand", "1")
    action.text = f"{ACTION}{request.operation.value}Response"
    version = etree.SubElement(header, f"{{{NS}}}ServerVersionInfo", nsmap={"h": NS, "i": XSI})
    names = ("MajorVersion", "MinorVersion", "MajorBuildNumber", "MinorBuildNumber")
    for name, number in zip(names, SERVER_VERSION, strict=True):
        add(version, name, str(number))
    add(version, "Version", SCHEMA_VERSION)
    if request.message_id:
        etree.SubElement(header, f"{{{ADDRESSING}}}RelatesTo").text = request.message_id
    message = begin(NS, f"{request.operation.value}ResponseMessage", add(root, "Body"), i=XSI)
    return root, add(message, "Response")


def _head(parent: Element, code: ErrorCode, message: str) -> None:
    add(parent, "ErrorCode", code.value)
    add(parent, "ErrorMessage", message or None)


def _redirect(parent: Element, target: str | None) -> None:
    made = add(parent, "RedirectTarget", target)
    if target is None:
        made.set(_NIL, "true")


def _errors(parent: Element, kind: str, errors: Iterable[tuple[str, ErrorCode]]) -> None:
    listed = add(parent, f"{kind}SettingErrors")
    for name, code in errors:
        made = add(listed, f"{kind}SettingError")
        _head(made, code, _MESSAGES[code])
        add(made, "SettingName", name)


def _user(listed: Element, answer: Told) -> None:
    made = add(listed, "UserResponse")
    _head(made, answer.code, answer.message)
    _redirect(made, answer.redirect)
    _errors(made, "User", answer.errors)
    settings = add(made, "UserSettings")
    for name, value in answer.values:
        _setting(settings, name, value)


def _setting(settings: Element, name: str, value: Value) -> None:
    made = add(settings, "UserSetting")
    add(made, "Name", name)
    if isinstance(value, tuple):
        made.set(_TYPE, "ProtocolConnectionCollectionSetting")
        _connections(add(made, "ProtocolConnections"), value)
    else:
        made.set(_TYPE, "StringSetting")
        add(made, "Value", value)


def _connections(listed: Element, connections: Iterable[Connection]) -> None:
    for found in connections:
        made = add(listed, "ProtocolConnection")
        add(made, "Hostname", found.host)
        add(made, "Port", str(found.port))
        add(made, "EncryptionMethod", found.encryption)


def _domain(listed: Element, answer: Told) -> None:
    made = add(listed, "DomainResponse")
    _head(made, answer.code, answer.message)
    _errors(made, "Domain", answer.errors)
    settings = add(made, "DomainSettings")
    for name, value in answer.values:
        setting = add(settings, "DomainSetting")
        setting.set(_TYPE, "DomainStringSetting")
        add(setting, "Name", name)
        add(setting, "Value", value if isinstance(value, str) else None)
    _redirect(made, answer.redirect)
