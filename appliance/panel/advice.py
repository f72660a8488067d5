"""What a person must enter elsewhere: in mail programs, and in the domain's DNS. Pure functions of facts."""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Site:
    """What advice is made of: names in A-labels, this machine's addresses, the services that run (names of
    `status`), and whether a smart host sends."""

    domains: tuple[str, ...]
    hostname: str
    addresses: tuple[str, ...]
    services: frozenset[str]
    smarthost: str = ""


_SETTINGS = (
    ("imap", "Incoming mail (IMAP)", "port 993, SSL/TLS"),
    ("pop3", "Or incoming (POP3)", "port 995, SSL/TLS"),
    ("submission", "Outgoing mail (SMTP)", "port 465, SSL/TLS"),
    ("ldap", "Address book (LDAP)", "port 636, SSL/TLS"),
)


def clients(site: Site) -> str:
    """What to enter in mail programs."""
    lines = ["In mail programs:", f"  User name               the whole address, as anna@{site.domains[0]}"]
    lines += ["  Password                the one of that person"]
    for service, about, how in _SETTINGS:
        if service in site.services:
            lines += [f"  {about:24}{site.hostname}, {how}"]
    lines += [
        "",
        "The certificate comes from this appliance's own authority. Install that once",
        "on each device (console: Network, Authority; or `appliance tls export-ca`), or",
        "bring a certificate of your own (`appliance tls import`).",
    ]
    if site.addresses:
        lines += ["", f"The name {site.hostname} must lead to {site.addresses[0]} in your network."]
    return "\n".join(lines)


def dns(site: Site) -> str:
    """The records to publish."""
    lines = ["At the provider of your domain, publish:"]
    sender = " include:NAME-FOR-SPF" if site.smarthost else ""
    public = [address for address in site.addresses if _is_public(address)]
    for address in public or ["YOUR-PUBLIC-ADDRESS"]:
        kind = "AAAA" if ":" in address else "A"
        lines += [_record(f"{site.hostname}.", kind, address)]
    for domain in site.domains:
        lines += [_record(f"{domain}.", "MX", f"10 {site.hostname}.")]
        lines += [_record(f"{domain}.", "TXT", f'"v=spf1 mx{sender} -all"')]
        lines += [_record(f"_dmarc.{domain}.", "TXT", '"v=DMARC1; p=none"')]
        lines += _services(site, domain)
    if not public:
        lines += [
            "",
            "YOUR-PUBLIC-ADDRESS is the one of your router; it must pass port 25 on to",
            f"{site.addresses[0] if site.addresses else 'this machine'}.",
        ]
    if site.smarthost:
        lines += ["", f"NAME-FOR-SPF stands in the manual of the provider of {site.smarthost} (RFC 7208)."]
    else:
        lines += ["", "The address must lead back to the name too (PTR): ask your internet provider."]
    return "\n".join(lines)


def _is_public(address: str) -> bool:
    found = ipaddress.ip_address(address)
    site_local = (
        isinstance(found, ipaddress.IPv6Address) and found.is_site_local
    )  # RFC 3879: no longer global
    return found.is_global and not site_local


def _services(site: Site, domain: str) -> Iterable[str]:
    """RFC 6186 and RFC 8314: how clients find the servers of a domain."""
    names = {"imap": ("_imaps", 993), "pop3": ("_pop3s", 995), "submission": ("_submissions", 465)}
    for service, (name, port) in names.items():
        if service in site.services:
            yield _record(f"{name}._tcp.{domain}.", "SRV", f"0 1 {port} {site.hostname}.")


def _record(name: str, kind: str, value: str) -> str:
    line = f"  {name:30} {kind:5} {value}"
    return line if len(line) < 80 else f"  {name}\n      {kind} {value}"
