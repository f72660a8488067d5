"""The routes of Autodiscover: POX, SOAP, JSON, autoconfig, and the well-known places of calendars."""

import datetime
import json
from collections.abc import Iterator
from functools import partial
from urllib.parse import unquote

from appliance.directory import domains
from appliance.directory.domains import Organization
from appliance.net.bridge import read_in_thread
from appliance.net.offers import Offers
from appliance.net.parts import Parts
from appliance.net.web import Exchange, HttpError, Response, Route
from appliance.protocols.autodiscover import autoconfig, pox, soap, xml
from appliance.protocols.autodiscover.account import (
    EAS,
    EWS,
    WEBDAV,
    Account,
    Elsewhere,
    look_up,
    served_domain,
)
from appliance.protocols.autodiscover.soap import ErrorCode, Operation, Told, told
from appliance.protocols.autodiscover.user_settings import CAS_VERSION, DOMAIN, USER, Value
from appliance.store.kv import ReadTxn

POX_PATH, SOAP_PATH = "/autodiscover/autodiscover.xml", "/autodiscover/autodiscover.svc"
JSON_PATH = "/autodiscover/autodiscover.json"

_ENABLED = (("X-SOAP-Enabled", "True"), ("X-WSSecurity-Enabled", "False"))
"""What tells clients which of the forms they may use, even before they logged on."""

_JSON = {"autodiscoverv1": ("AutodiscoverV1", ""), "activesync": ("ActiveSync", EAS), "ews": ("Ews", EWS)}
"""Protocols of the JSON form: name, and site in the table of what is served."""


def routes(parts: Parts) -> Iterator[Route]:
    """The rows."""
    site = Autodiscover(parts)
    size = xml.MAX_SIZE
    yield Route("autodiscover-pox", POX_PATH, ("GET", "POST"), site.pox, max_body=size, headers=_ENABLED)
    yield Route("autodiscover-soap", SOAP_PATH, ("GET", "POST"), site.soap, max_body=size, headers=_ENABLED)
    for path in (JSON_PATH, JSON_PATH + "/*"):
        yield Route("autodiscover-json", path, ("GET",), site.json, login=False)
    for path in ("/mail/config-v1.1.xml", "/.well-known/autoconfig/mail/config-v1.1.xml"):
        yield Route("autoconfig", path, ("GET",), site.autoconfig, login=False)
    if WEBDAV in parts.offers:
        for name in ("caldav", "carddav"):
            path = f"/.well-known/{name}"
            yield Route("well-known", path, (), site.dav, login=False)


class Autodiscover:
    """The handlers."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    # -- POX ------------------------------------------------------------------------------------------------

    async def pox(self, exchange: Exchange) -> Response:
        """MS-OXDSCLI 3.2.5: errors too have status 200."""
        now = datetime.datetime.now(datetime.UTC)
        try:
            if exchange.method != "POST":
                raise pox.PoxError(pox.Code.INVALID_REQUEST)
            request = pox.parse(await exchange.body())
            capable = exchange.header("x-mapihttpcapability").strip()
            mapi_http = capable.isdecimal() and capable.isascii() and int(capable[:4]) > 0
            answer = partial(_pox, request=request, offers=self._parts.offers, mapi_http=mapi_http)
            body = await read_in_thread(self._parts.store, answer)
        except pox.PoxError as error:
            body = pox.error(error.code, self._parts.organization.hostname, now)
        return Response(200, body, xml.CONTENT_TYPE, (("Cache-Control", "private"),))

    # -- SOAP -----------------------------------------------------------------------------------------------

    async def soap(self, exchange: Exchange) -> Response:
        """MS-OXWSADISC 3.1.4."""
        if exchange.method != "POST":
            return Response(200, b"Autodiscover\n", "text/plain; charset=utf-8")
        try:
            request = soap.parse(await exchange.body())
        except soap.SoapFault as error:
            return Response(500, soap.fault(str(error)), xml.CONTENT_TYPE)
        answer = partial(_soap, request=request, offers=self._parts.offers)
        body = await read_in_thread(self._parts.store, answer)
        return Response(200, body, xml.CONTENT_TYPE, (("Cache-Control", "private"),))

    # -- the others -----------------------------------------------------------------------------------------

    async def json(self, exchange: Exchange) -> Response:
        """Autodiscover by a GET: where one protocol is found. Who has a mailbox is told to nobody, only
        whether the domain is served."""
        fields, organization = exchange.query(), self._parts.organization
        address = fields.get("email", "") or _address_in(exchange.target)
        wanted = fields.get("protocol", "")
        for name, value in (("Email", address), ("Protocol", wanted)):
            if not value:  # observed: Exchange Online
                text = f"A valid value must be provided for the query parameter '{name}'"
                return _json_error(400, "MandatoryParameterMissing", text)
        if served_domain(organization, address.rpartition("@")[2]) is None or "@" not in address:
            return _json_error(404, "UserNotFound", "The email address is not of this server.")
        name, site = _JSON.get(wanted.lower(), ("", None))
        if site is None or (site and site not in self._parts.offers):
            known = ",".join(name for name, site in _JSON.values() if not site or site in self._parts.offers)
            text = f"The given protocol value '{wanted[:64]}' is invalid. Supported values are '{known}'"
            return _json_error(400, "InvalidProtocol", text)
        url = self._parts.offers.url(site or "autodiscover", organization.hostname)
        return _json(200, {"Protocol": name, "Url": url})

    async def autoconfig(self, exchange: Exchange) -> Response:
        """Thunderbird's file; an address of another's domain finds none."""
        address, organization = exchange.query().get("emailaddress", ""), self._parts.organization
        if "@" in address and served_domain(organization, address.rpartition("@")[2]) is None:
            raise HttpError(404)
        body = autoconfig.config(organization, self._parts.offers)
        return Response(200, body, autoconfig.CONTENT_TYPE)

    async def dav(self, exchange: Exchange) -> Response:
        """RFC 6764 5."""
        offer = self._parts.offers.get(WEBDAV)
        if offer is None:
            raise HttpError(404)
        return Response(301, headers=(("Location", offer.path),))


def _pox(txn: ReadTxn, request: pox.PoxRequest, offers: Offers, mapi_http: bool) -> bytes:
    found = look_up(txn, offers, address=request.address, legacy_dn=request.legacy_dn)
    is_mobile = request.schema is pox.Schema.MOBILE
    if isinstance(found, Elsewhere):
        return pox.redirect(request.schema, request.address, found.address)
    if isinstance(found, Account):
        return pox.mobile(found) if is_mobile else pox.outlook(found, mapi_http=mapi_http)
    if is_mobile:
        return pox.mobile_error(request.address, found.value)
    raise pox.PoxError(pox.Code[_CODES[found.name]])


_CODES = {"UNKNOWN": "NOT_FOUND", "NO_MAILBOX": "NO_CONFIGURATION"}


def _soap(txn: ReadTxn, request: soap.SoapRequest, offers: Offers) -> bytes:
    organization = domains.get(txn)
    if request.operation is Operation.USER and not request.problem:
        return soap.response(request, [_user(txn, offers, asked, request) for asked in request.asked])
    if request.operation is Operation.DOMAIN and not request.problem:
        return soap.response(request, [_domain(organization, offers, a, request) for a in request.asked])
    if request.operation in (Operation.USER, Operation.DOMAIN):
        return soap.response(request)
    served = any(served_domain(organization, asked) for asked in request.asked)
    if served or request.operation is Operation.RELATIONSHIP:
        return soap.unfederated(request, ErrorCode.NOT_FEDERATED, "The organization is not federated.")
    return soap.unfederated(request, ErrorCode.INVALID_DOMAIN, "The domain is not served here.")


def _user(txn: ReadTxn, offers: Offers, asked: str, request: soap.SoapRequest) -> Told:
    found = look_up(txn, offers, address=asked)
    if isinstance(found, Elsewhere):
        return Told(ErrorCode.REDIRECT_ADDRESS, "The mailbox has another address.", redirect=found.address)
    if isinstance(found, Account):
        account = found
        return told(request.settings, lambda name: USER[name](account), USER.__contains__)
    return Told(ErrorCode.INVALID_USER, f"Invalid user: '{asked}'")


def _domain(organization: Organization, offers: Offers, asked: str, request: soap.SoapRequest) -> Told:
    if served_domain(organization, asked) is None:
        return Told(ErrorCode.INVALID_DOMAIN, "The domain is not served here.")

    def get(name: str) -> Value:
        url = offers.url(EWS, organization.hostname)
        return CAS_VERSION if url and name == "ExternalEwsVersion" else url

    return told(request.settings, get, DOMAIN.__contains__)


def _address_in(target: str) -> str:
    """The address in a path as `/autodiscover/autodiscover.json/v1.0/anna@example.com`."""
    parts = target[len(JSON_PATH) :].split("/")
    return unquote(parts[2]) if len(parts) == 3 and parts[1].lower() == "v1.0" else ""


def _json(status: int, content: dict[str, str | None]) -> Response:
    return Response(status, json.dumps(content).encode(), "application/json; charset=utf-8")


def _json_error(status: int, code: str, message: str) -> Response:
    return _json(status, {"ErrorCode": code, "ErrorMessage": message})
