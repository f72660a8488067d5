"""The configuration file that Thunderbird, Evolution, K-9 and others ask for (Mail Autoconfig, 1.1)."""

from lxml import etree

from appliance.directory.domains import Organization
from appliance.net.offers import Offers
from appliance.protocols.autodiscover.account import MAIL, reached
from appliance.protocols.autodiscover.xml import add, show

CONTENT_TYPE = "application/xml; charset=utf-8"
_LAYERS = {"SSL": "SSL", "TLS": "STARTTLS"}


def config(organization: Organization, offers: Offers) -> bytes:
    """The file: the same for every account, which names itself by its address."""
    root = etree.Element("clientConfig", {"version": "1.1"})
    provider = add(root, "emailProvider", id=organization.domain)
    for domain in organization.domains:
        add(provider, "domain", domain)
    add(provider, "displayName", organization.name)
    add(provider, "displayShortName", organization.name)
    for row in MAIL:
        kind = "outgoingServer" if row.autoconfig == "smtp" else "incomingServer"
        for found in reached(row, organization.hostname, offers):
            server = add(provider, kind, type=row.autoconfig)
            add(server, "hostname", found.host)
            add(server, "port", str(found.port))
            add(server, "socketType", _LAYERS[found.encryption])
            add(server, "authentication", "password-cleartext")
            add(server, "username", "%EMAILADDRESS%")
    return show(root)
