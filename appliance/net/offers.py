"""What this machine serves, as clients are told of it: Autodiscover, mDNS and the DNS records read it here.

The rows come from the tables of the composition root: a service that is added there is told of, one that is
not there is not.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Offer:
    """A service. `port`: with STARTTLS or plain; `tls_port`: with TLS from the start; `path`: of a URL, for
    what is served over HTTP."""

    name: str
    port: int | None
    tls_port: int | None
    path: str = ""


class Offers:
    """All services, by name."""

    def __init__(self, rows: Iterable[Offer] = ()) -> None:
        self._rows = {row.name: row for row in rows}

    def __contains__(self, name: str) -> bool:
        return name in self._rows

    def __iter__(self) -> Iterator[Offer]:
        return iter(self._rows.values())

    def get(self, name: str) -> Offer | None:
        """The service of a name, if it is served."""
        return self._rows.get(name)

    def url(self, name: str, host: str) -> str | None:
        """Where a service over HTTP is found on `host`."""
        offer = self._rows.get(name)
        if offer is None or not offer.path or offer.tls_port is None:
            return None
        return f"https://{authority(host, offer.tls_port)}{offer.path}"


def authority(host: str, port: int) -> str:
    """Host and port as they stand in a URL for https."""
    return host if port == 443 else f"{host}:{port}"


SRV: tuple[tuple[str, str, str], ...] = (
    ("imap", "_imap", "_imaps"),
    ("submission", "_submission", "_submissions"),
    ("pop3", "_pop3", "_pop3s"),
    ("autodiscover", "", "_autodiscover"),
    ("webdav", "", "_caldavs"),
    ("webdav", "", "_carddavs"),
    ("ldap", "_ldap", "_ldaps"),
)
"""Names of services in DNS and mDNS: of an offer, with STARTTLS, with TLS (RFC 6186 3, RFC 8314 5.1, RFC 6764
3, MS-OXDISCO 3.1.5.4). An empty name: not told of in that form."""


@dataclass(frozen=True, slots=True)
class Record:
    """A service record: `_imaps._tcp` and its port. The lower `priority` goes first."""

    name: str
    port: int
    priority: int


def records(offers: Offers) -> Iterator[Record]:
    """The service records of everything that is served, TLS before STARTTLS, POP3 after IMAP."""
    for name, plain, tls in SRV:
        offer = offers.get(name)
        if offer is None:
            continue
        later = 20 if name == "pop3" else 0
        if tls and offer.tls_port is not None:
            yield Record(f"{tls}._tcp", offer.tls_port, later)
        if plain and offer.port is not None:
            yield Record(f"{plain}._tcp", offer.port, later + 10)
