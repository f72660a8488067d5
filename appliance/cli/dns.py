"""The DNS records that a domain needs, as a snippet of a zone file (RFC 1035 5): `status --dns`."""

import ipaddress
from collections.abc import Iterable, Iterator

from appliance.directory.domains import Organization
from appliance.net.offers import Offers, records

TTL = 3600
"""Seconds."""

_NAMES = ("autodiscover", "autoconfig")


def zone(organization: Organization, offers: Offers, addresses: Iterable[str]) -> str:
    """One snippet for every served domain. `addresses`: of this machine, told in the zone of its name."""
    parts = ["\n".join(_domain(domain, organization, offers, addresses)) for domain in organization.domains]
    return "\n\n".join(parts) if parts else "; no domain is served: appliance init"


def _domain(
    domain: str, organization: Organization, offers: Offers, addresses: Iterable[str]
) -> Iterator[str]:
    host = organization.hostname
    yield f"; records of {domain}: mail for it is served by {host}"
    yield f"$ORIGIN {domain}."
    yield f"$TTL {TTL}"
    if host == domain or host.endswith("." + domain):
        for address in addresses:
            kind = ipaddress.ip_address(address)
            line = _record(_within(host, domain), "A" if kind.version == 4 else "AAAA", address)
            yield line + ("  ; within the LAN; outside, the router's" if kind.is_private else "")
    if "smtp" in offers:
        yield _record("@", "MX", f"10 {host}.")
        yield _record("@", "TXT", '"v=spf1 mx ~all"') + "  ; add what a smarthost asks for"
    if "autodiscover" in offers:
        for name in _NAMES:
            if f"{name}.{domain}" != host:
                yield _record(name, "CNAME", f"{host}.")
    for record in records(offers):
        yield _record(record.name, "SRV", f"{record.priority} 1 {record.port} {host}.")


def _record(name: str, kind: str, value: str) -> str:
    return f"{name:24} IN {kind:5} {value}"


def _within(host: str, domain: str) -> str:
    return "@" if host == domain else host.removesuffix("." + domain)
