"""The settings that GetUserSettings and GetDomainSettings know, and their values (MS-OXWSADISC 2.2.4, 3.1.4).

A value is a text or a collection of connections; None: known, but not available here. Names that are not in
the table are invalid settings.
"""

from collections.abc import Callable

from appliance.directory.model import Protocol
from appliance.protocols.autodiscover.account import (
    EWS,
    MAIL,
    MAPI,
    OAB,
    RPC,
    SCHEMA_VERSION,
    SERVER_VERSION,
    Account,
    Connection,
    MailRow,
)

Value = str | tuple[Connection, ...] | None
Getter = Callable[[Account], Value]

CAS_VERSION = "{:02}.{:02}.{:04}.{:03}".format(*SERVER_VERSION)
_OLDER = "Exchange2007, Exchange2007_SP1, Exchange2010, Exchange2010_SP1, Exchange2010_SP2, Exchange2013"
SCHEMAS = f"{_OLDER}, Exchange2013_SP1, {SCHEMA_VERSION}"
"""Versions of the web services' schema that are understood."""


def _mail(row: MailRow) -> Getter:
    return lambda account: account.connections(row) or None


def _ews(account: Account) -> Value:
    return account.url(EWS, Protocol.EWS)


def _oab(account: Account) -> Value:
    return account.url(OAB)


def _with_ews(value: str) -> Getter:
    return lambda account: value if _ews(account) else None


def _with_rpc(get: Callable[[Account], str]) -> Getter:
    """What only clients of the mailbox's own protocols can use."""

    def getter(account: Account) -> Value:
        served = account.url(RPC, Protocol.MAPI) or account.url(MAPI, Protocol.MAPI)
        return get(account) if served else None

    return getter


def _fixed(value: str | None) -> Getter:
    return lambda account: value


USER: dict[str, Getter] = {
    "UserDisplayName": lambda account: account.entry.display_name,
    "UserDN": lambda account: account.entry.legacy_dn,
    "UserDeploymentId": lambda account: account.deployment_id,
    "AutoDiscoverSMTPAddress": lambda account: account.entry.address,
    "UserMSOnline": _fixed("False"),
    "CasVersion": _fixed(CAS_VERSION),
    "ShowGalAsDefaultView": _fixed("True"),
    "CrossOrganizationSharingEnabled": _fixed("False"),
    "MapiHttpEnabled": lambda account: str(account.url(MAPI, Protocol.MAPI) is not None),
    "InternalMailboxServer": _with_rpc(lambda account: account.mailbox_server),
    "InternalRpcClientServer": _with_rpc(lambda account: account.mailbox_server),
    "InternalMailboxServerDN": _with_rpc(lambda account: account.server_dn),
    "MailboxDN": _with_rpc(lambda account: f"{account.server_dn}/cn=Microsoft Private MDB"),
    "InternalEwsUrl": _ews,
    "ExternalEwsUrl": _ews,
    "ExternalEwsVersion": _with_ews(CAS_VERSION),
    "EwsSupportedSchemas": _with_ews(SCHEMAS),
    "InternalOABUrl": _oab,
    "ExternalOABUrl": _oab,
}
USER |= {f"{side}{row.setting}Connections": _mail(row) for row in MAIL for side in ("Internal", "External")}

_UNAVAILABLE = (
    "ActiveDirectoryServer AlternateMailboxes DocumentSharingLocations EcpDeliveryReportUrlFragment "
    "EcpEmailSubscriptionsUrlFragment EcpPublishingUrlFragment EcpRetentionPolicyTagsUrlFragment "
    "EcpTextMessagingUrlFragment EcpVoicemailUrlFragment ExchangeRpcUrl ExternalEcpDeliveryReportUrl "
    "ExternalEcpEmailSubscriptionsUrl ExternalEcpPublishingUrl ExternalEcpRetentionPolicyTagsUrl "
    "ExternalEcpTextMessagingUrl ExternalEcpUrl ExternalEcpVoicemailUrl ExternalMailboxServer "
    "ExternalMailboxServerAuthenticationMethods ExternalMailboxServerRequiresSSL "
    "ExternalServerExclusiveConnect ExternalUMUrl ExternalWebClientUrls GroupingInformation "
    "InternalEcpDeliveryReportUrl InternalEcpEmailSubscriptionsUrl InternalEcpPublishingUrl "
    "InternalEcpRetentionPolicyTagsUrl InternalEcpTextMessagingUrl InternalEcpUrl InternalEcpVoicemailUrl "
    "InternalServerExclusiveConnect InternalUMUrl InternalWebClientUrls InteropExternalEwsUrl "
    "InteropExternalEwsVersion MobileMailboxPolicy MobileMailboxPolicyInterop PublicFolderInformation "
    "PublicFolderServer SPMySiteHostURL SiteMailboxCreationURL TeamMailboxes"
)
USER |= dict.fromkeys(_UNAVAILABLE.split(), _fixed(None))
"""What there is none of on an appliance of one machine: web mail, telephony, Active Directory."""

DOMAIN = ("ExternalEwsUrl", "ExternalEwsVersion")
"""Settings of a domain (MS-OXWSADISC 3.1.4.1)."""
