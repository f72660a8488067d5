"""Plain old XML: the Outlook and the mobile schema (MS-OXDSCLI 2.2.3, 2.2.4, MS-ASCMD 2.2.1.1).

`parse` gives a request or raises `PoxError` with the code that the client is told; the functions that render
give whole documents. Errors are answered with HTTP status 200, as clients expect.
"""

import datetime
import zlib
from dataclasses import dataclass
from enum import Enum

from appliance.directory.model import Protocol
from appliance.protocols.autodiscover.account import EAS, EWS, MAIL, MAPI, OAB, RPC, SERVER_VERSION, Account
from appliance.protocols.autodiscover.xml import (
    BadXml,
    Element,
    add,
    begin,
    child,
    children,
    name_of,
    plain,
    show,
    text,
)
from appliance.protocols.autodiscover.xml import parse as parse_xml

_BASE = "http://schemas.microsoft.com/exchange/autodiscover/"
RESPONSE = _BASE + "responseschema/2006"
TTL_HOURS = 1


class Schema(Enum):
    """What a client can read (AcceptableResponseSchema)."""

    OUTLOOK = _BASE + "outlook/responseschema/2006a"
    MOBILE = _BASE + "mobilesync/responseschema/2006"


_REQUESTS = (_BASE + "outlook/requestschema/2006", _BASE + "mobilesync/requestschema/2006")


class Code(Enum):
    """Error codes (MS-OXDSCLI 2.2.4.1.1.3.2)."""

    NOT_FOUND = (500, "The email address can't be found.")
    NO_CONFIGURATION = (501, "The email address has no configuration.")
    INVALID_REQUEST = (600, "Invalid Request")
    NO_PROVIDER = (601, "Provider is not available")
    INTERNAL = (603, "Internal error")


class PoxError(Exception):
    """A request that is answered with an error."""

    def __init__(self, code: Code) -> None:
        super().__init__(code.value[1])
        self.code = code


@dataclass(frozen=True, slots=True)
class PoxRequest:
    """Who is asked about, and in which schema the answer is to be."""

    schema: Schema
    address: str = ""
    legacy_dn: str = ""


def parse(data: bytes) -> PoxRequest:
    """The request in a body. Raises PoxError."""
    try:
        root = parse_xml(data)
        namespace, name = name_of(root)
        requests = list(children(root, namespace, "Request"))
        request = requests[0] if len(requests) == 1 else None  # MS-ASCMD 2.2.3.150.1: one alone
        values = {key: text(child(request, namespace, key)) for key in ("EMailAddress", "LegacyDN")}
        wanted = plain(text(child(request, namespace, "AcceptableResponseSchema")))
    except BadXml as error:
        raise PoxError(Code.INVALID_REQUEST) from error
    if namespace not in _REQUESTS or name != "Autodiscover" or request is None or not wanted:
        raise PoxError(Code.INVALID_REQUEST)
    if not any(values.values()):
        raise PoxError(Code.INVALID_REQUEST)
    try:
        schema = Schema(wanted)
    except ValueError as error:
        raise PoxError(Code.NO_PROVIDER) from error
    return PoxRequest(schema, values["EMailAddress"], values["LegacyDN"])


# -- answers ----------------------------------------------------------------------------------------------


def error(code: Code, hostname: str, now: datetime.datetime) -> bytes:
    """An error of the framework (MS-OXDSCLI 2.2.4.1.1.3)."""
    root = begin(RESPONSE, "Autodiscover")
    number, message = code.value
    identity = str(zlib.crc32(hostname.encode()))
    made = add(add(root, "Response"), "Error", Time=now.strftime("%H:%M:%S.%f0"), Id=identity)
    add(made, "ErrorCode", str(number))
    add(made, "Message", message)
    add(made, "DebugData")
    return show(root)


def _start(schema: Schema) -> tuple[Element, Element]:
    root = begin(RESPONSE, "Autodiscover")
    response = begin(schema.value, "Response", root)
    return root, response


def redirect(schema: Schema, asked: str, address: str) -> bytes:
    """ "Ask for this address instead" (MS-OXDSCLI 2.2.4.1.1.2.8, MS-ASCMD 2.2.3.141)."""
    root, response = _start(schema)
    if schema is Schema.MOBILE:
        _mobile_head(response, asked)
        add(add(response, "Action"), "Redirect", address)
    else:
        account = add(response, "Account")
        add(account, "Action", "redirectAddr")
        add(account, "RedirectAddr", address)
    return show(root)


def mobile(account: Account) -> bytes:
    """The mobile schema: where ActiveSync is (MS-ASCMD 4.2.3). Raises PoxError where it is not served."""
    url = account.url(EAS, Protocol.EAS)
    if url is None:
        raise PoxError(Code.NO_PROVIDER)
    root, response = _start(Schema.MOBILE)
    _mobile_head(response, account.entry.address, account.entry.display_name)
    server = add(add(add(response, "Action"), "Settings"), "Server")
    for name, value in (("Type", "MobileSync"), ("Url", url), ("Name", url)):
        add(server, name, value)
    return show(root)


def mobile_error(asked: str, message: str) -> bytes:
    """The mobile schema: nothing can be told of the address (MS-ASCMD 4.2.2)."""
    root, response = _start(Schema.MOBILE)
    _mobile_head(response, asked)
    made = add(add(response, "Action"), "Error")
    for name, value in (("Status", "2"), ("Message", message), ("DebugData", "MailUser")):
        add(made, name, value)
    return show(root)


def _mobile_head(response: Element, address: str, name: str = "") -> None:
    add(response, "Culture", "en:us")
    user = add(response, "User")
    if name:
        add(user, "DisplayName", name)
    add(user, "EMailAddress", address)


def outlook(account: Account, *, mapi_http: bool) -> bytes:
    """The Outlook schema. `mapi_http`: the client said that it can (X-MapiHttpCapability)."""
    root, response = _start(Schema.OUTLOOK)
    entry = account.entry
    user = add(response, "User")
    add(user, "DisplayName", entry.display_name)
    add(user, "LegacyDN", entry.legacy_dn)
    add(user, "AutoDiscoverSMTPAddress", entry.address)
    add(user, "DeploymentId", account.deployment_id)
    told = add(response, "Account")
    add(told, "AccountType", "email")
    add(told, "Action", "settings")
    add(told, "MicrosoftOnline", "False")
    if mapi_http:
        _mapi_http(told, account)
    _exchange(told, account)
    _mail(told, account)
    return show(root)


def _mapi_http(told: Element, account: Account) -> None:
    """MS-OXDSCLI 2.2.4.1.1.2.6, with Type as an attribute."""
    base = account.url(MAPI, Protocol.MAPI)
    if base is None:
        return
    block = add(told, "Protocol", Type="mapiHttp", Version="1")
    for name, path in (("MailStore", "emsmdb"), ("AddressBook", "nspi")):
        url = f"{base.rstrip('/')}/{path}/?MailboxId={account.mailbox_id}"
        urls = add(block, name)
        add(urls, "InternalUrl", url)
        add(urls, "ExternalUrl", url)


def _exchange(told: Element, account: Account) -> None:
    """EXCH and EXPR: RPC, and the URLs of web services that Outlook looks for there."""
    ews = account.url(EWS, Protocol.EWS)
    oab, rpc = account.url(OAB), account.url(RPC, Protocol.MAPI)
    if ews is None and rpc is None:
        return
    urls = (("ASUrl", ews), ("EwsUrl", ews), ("OOFUrl", ews), ("OABUrl", oab))
    inner = add(told, "Protocol")
    add(inner, "Type", "EXCH")
    add(inner, "TTL", str(TTL_HOURS))
    add(inner, "Server", account.mailbox_server)
    add(inner, "ServerDN", account.server_dn)
    add(inner, "ServerVersion", _packed_version())
    add(inner, "MdbDN", f"{account.server_dn}/cn=Microsoft Private MDB")
    outer = add(told, "Protocol")
    add(outer, "Type", "EXPR")
    add(outer, "TTL", str(TTL_HOURS))
    add(outer, "Server", account.host)
    add(outer, "SSL", "On")
    add(outer, "AuthPackage", "Ntlm" if account.organization.ntlm else "Basic")
    for block in (inner, outer):
        for name, url in urls:
            if url is not None:
                add(block, name, url)


def _packed_version() -> str:
    """MS-OXDSCLI 2.2.4.1.1.2.6.42: bits 28 to 31 are 7, then major, minor (6 bits each), one bit, build."""
    major, minor, build, _ = SERVER_VERSION
    return f"{7 << 28 | major << 22 | minor << 16 | 1 << 15 | build:08X}"


def _mail(told: Element, account: Account) -> None:
    """IMAP, POP3 and SMTP: the preferred way to reach each."""
    for row in MAIL:
        for found in account.connections(row)[:1]:
            block = add(told, "Protocol")
            add(block, "Type", row.pox)
            add(block, "TTL", str(TTL_HOURS))
            add(block, "Server", found.host)
            add(block, "Port", str(found.port))
            add(block, "LoginName", account.entry.address)
            add(block, "DomainRequired", "off")
            add(block, "SPA", "off")
            add(block, "SSL", "on")
            add(block, "Encryption", found.encryption)
            add(block, "AuthRequired", "on")
            if row.protocol is Protocol.SMTP:
                add(block, "UsePOPAuth", "on")
                add(block, "SMTPLast", "off")
