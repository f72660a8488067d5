"""Fuzz targets of Autodiscover: requests of strangers, and what is made of them."""

from lxml import etree

from appliance.protocols.autodiscover import pox, soap
from appliance.protocols.autodiscover.soap import Operation, Told
from tests.fuzz.runner import Target

_MOBILE = ("mobilesync", "mobilesync/responseschema/2006")
_BASE = "http://schemas.microsoft.com/exchange/autodiscover/"


def post(data: bytes) -> None:
    """A request has a schema and somebody to ask about; whoever it is, they fit into an answer."""
    request = pox.parse(data)
    assert request.address or request.legacy_dn
    etree.fromstring(pox.redirect(request.schema, request.address, request.legacy_dn))
    etree.fromstring(pox.mobile_error(request.address, "x"))


def message(data: bytes) -> None:
    """Every message that is understood has an answer that is well-formed."""
    request = soap.parse(data)
    if request.operation in (Operation.USER, Operation.DOMAIN):
        told = soap.told(request.settings, lambda name: name, lambda name: len(name) % 2 == 0)
        etree.fromstring(soap.response(request, [told, Told(soap.ErrorCode.INVALID_USER)]))
    else:
        etree.fromstring(soap.unfederated(request, soap.ErrorCode.NOT_FEDERATED, "x"))


def _posts() -> list[bytes]:
    made = []
    for kind, schema in (
        ("outlook", "outlook/responseschema/2006a"),
        ("mobilesync", "mobilesync/responseschema/2006"),
    ):
        for name in ("EMailAddress", "LegacyDN"):
            made.append(
                f'<?xml version="1.0"?><Autodiscover xmlns="{_BASE}{kind}/requestschema/2006">'
                f"<Request><{name}>a@b.test</{name}><AcceptableResponseSchema>{_BASE}{schema}"
                f"</AcceptableResponseSchema></Request></Autodiscover>".encode()
            )
    return made


def _messages() -> list[bytes]:
    inner = (
        "<a:Users><a:User><a:Mailbox>a@b.test</a:Mailbox></a:User></a:Users><a:Domains><a:Domain>b.test"
        "</a:Domain></a:Domains><a:Domain>b.test</a:Domain><a:RequestedSettings><a:Setting>UserDN</a:Setting>"
        "</a:RequestedSettings>"
    )
    made = []
    for operation in Operation:
        name = f"a:{operation.value}RequestMessage"
        body = f"<s:Body><{name}><a:Request>{inner}</a:Request></{name}></s:Body>"
        start = f'<s:Envelope xmlns:s="{soap.ENVELOPE}" xmlns:a="{soap.NS}">'
        made.append(f"{start}{body}</s:Envelope>".encode())
    return made


AUTODISCOVER_TARGETS = (
    Target("autodiscover-pox", post, _posts, (pox.PoxError,)),
    Target("autodiscover-soap", message, _messages, (soap.SoapFault,)),
)
