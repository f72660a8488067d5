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

    def __init__(self, rows: Iterable[Offer]) -> None:
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
