"""Where mail for a domain goes: MX hosts, or the smart host (RFC 5321 5.1, RFC 7505).

DNS stands behind `Resolver`, so that tests run without it. Rules:
- MX hosts by preference, equal ones in random order; without MX the domain's own addresses.
- A null MX takes no mail. A name that does not exist takes none either; a failing DNS is temporary.
- Hosts that are ourselves are dropped together with all that are no more preferred: mail must not loop.
"""

import ipaddress
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

import dns.asyncresolver
import dns.exception
import dns.resolver

from appliance.transport.addresses import AddressError, idna
from appliance.transport.smarthost import Smarthost, TlsMode

MAX_HOSTS = 10
"""Endpoints that one attempt tries."""

SMTP_PORT = 25


class RouteError(Exception):
    """No way to a domain. `permanent`, `status` (RFC 3463), and a text for the sender."""

    def __init__(self, permanent: bool, status: str, text: str) -> None:
        super().__init__(text)
        self.permanent = permanent
        self.status = status
        self.text = text


class DnsFailure(Exception):
    """The DNS did not answer; it may do so later."""


class NoSuchName(Exception):
    """The name does not exist."""


class Security(Enum):
    """What is done about TLS."""

    NONE = "none"
    OPPORTUNISTIC = "opportunistic"
    """STARTTLS where offered, without verification, plain text when it fails (RFC 7435)."""
    STARTTLS = "starttls"
    IMPLICIT = "implicit"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A host to connect to; `name` is what its certificate would be checked against."""

    name: str
    address: str
    port: int = SMTP_PORT


@dataclass(frozen=True, slots=True)
class Route:
    """The endpoints of a destination, in the order they are tried."""

    endpoints: tuple[Endpoint, ...]
    security: Security = Security.OPPORTUNISTIC
    user: str = ""
    password: str = field(default="", repr=False)


class Resolver(Protocol):
    """The questions that routing asks the DNS."""

    async def mx(self, domain: str) -> Sequence[tuple[int, str]]:
        """(preference, host) of each MX record, host empty for the null MX; nothing when there is none.
        Raises NoSuchName, DnsFailure."""

    async def endpoints(self, host: str) -> Sequence[Endpoint]:
        """The addresses of a host. Raises NoSuchName, DnsFailure."""


class DnsResolver:
    """The resolver of the system's configuration."""

    def __init__(self, timeout: float = 10.0) -> None:
        self._timeout = timeout
        self._resolver: dns.asyncresolver.Resolver | None = None

    def _ready(self) -> dns.asyncresolver.Resolver:
        if self._resolver is None:
            try:
                self._resolver = dns.asyncresolver.Resolver()
            except dns.resolver.NoResolverConfiguration as error:
                raise DnsFailure("no name server is configured") from error
            self._resolver.lifetime = self._timeout
        return self._resolver

    async def mx(self, domain: str) -> Sequence[tuple[int, str]]:
        """See Resolver."""
        try:
            answer = await self._ready().resolve(f"{domain}.", "MX")
        except dns.resolver.NoAnswer:
            return []
        except dns.resolver.NXDOMAIN as error:
            raise NoSuchName(domain) from error
        except dns.exception.DNSException as error:
            raise DnsFailure(str(error)) from error
        return [(int(r.preference), str(r.exchange).rstrip(".").lower()) for r in answer]

    async def endpoints(self, host: str) -> Sequence[Endpoint]:
        """See Resolver."""
        found: list[Endpoint] = []
        failure: Exception | None = None
        for kind in ("AAAA", "A"):
            try:
                answer = await self._ready().resolve(f"{host}.", kind)
            except dns.resolver.NoAnswer:
                continue
            except dns.resolver.NXDOMAIN as error:
                raise NoSuchName(host) from error
            except dns.exception.DNSException as error:
                failure = error
                continue
            found += [Endpoint(host, str(record)) for record in answer]
        if not found and failure is not None:
            raise DnsFailure(str(failure)) from failure
        return found


def _never_own(endpoint: Endpoint) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Router:
    """Finds routes. `own_names` are this server's names, `is_own` tells its addresses."""

    resolver: Resolver
    own_names: frozenset[str] = frozenset()
    is_own: Callable[[Endpoint], bool] = _never_own
    rng: random.Random = field(default_factory=random.Random)

    async def route(self, domain: str, smarthost: Smarthost | None) -> Route:
        """The route for a domain (in lower case, or a literal). Raises RouteError."""
        if smarthost is not None:
            return await self._via(smarthost)
        if domain.startswith("["):
            endpoint = _literal(domain)
            if self.is_own(endpoint):
                raise RouteError(True, "5.4.6", "mail for the address loops back to this server")
            return Route((endpoint,))
        try:
            ascii_domain = idna(domain)
        except AddressError:
            raise RouteError(True, "5.1.2", "the domain is not a valid name") from None
        try:
            records = await self.resolver.mx(ascii_domain)
        except NoSuchName:
            raise RouteError(True, "5.1.2", "the domain does not exist") from None
        except DnsFailure as error:
            raise RouteError(False, "4.4.3", f"the DNS does not answer: {error}") from error
        if any(not host for _, host in records) and len(records) == 1:
            raise RouteError(True, "5.1.10", "the domain takes no mail")  # RFC 7505 4.2
        return Route(await self._hosts(ascii_domain, records))

    async def _via(self, smarthost: Smarthost) -> Route:
        security = {
            TlsMode.NONE: Security.NONE,
            TlsMode.STARTTLS: Security.STARTTLS,
            TlsMode.IMPLICIT: Security.IMPLICIT,
        }[smarthost.tls]
        # The smart host's name is resolved when it is connected to, by the system: it may stand in a
        # hosts file only.
        endpoint = Endpoint(smarthost.host, smarthost.host, smarthost.port)
        return Route((endpoint,), security, smarthost.user, smarthost.password)

    async def _hosts(self, domain: str, records: Sequence[tuple[int, str]]) -> tuple[Endpoint, ...]:
        ordered = [(preference, host) for preference, host in records if host] or [(0, domain)]
        self.rng.shuffle(ordered)
        ordered.sort(key=lambda record: record[0])
        groups: list[tuple[int, Sequence[Endpoint]]] = []
        failure, own = "", None
        for preference, host in ordered[: 2 * MAX_HOSTS]:
            if own is not None and preference >= own:
                continue
            try:
                endpoints = await self.resolver.endpoints(host)
            except NoSuchName:
                continue
            except DnsFailure as error:
                failure = str(error)
                continue
            if host in self.own_names or any(self.is_own(endpoint) for endpoint in endpoints):
                own = preference
                continue
            groups.append((preference, endpoints))
        found = [e for preference, group in groups if own is None or preference < own for e in group]
        if found:
            return tuple(found[:MAX_HOSTS])
        if own is not None:
            raise RouteError(True, "5.4.6", "mail for the domain loops back to this server")
        if failure:
            raise RouteError(False, "4.4.3", f"the DNS does not answer: {failure}")
        raise RouteError(True, "5.4.4", "no host of the domain has an address")


def _literal(domain: str) -> Endpoint:
    inner = domain.strip("[]")
    text = inner[5:] if inner[:5].lower() == "ipv6:" else inner
    try:
        return Endpoint(domain, str(ipaddress.ip_address(text)))
    except ValueError:
        raise RouteError(True, "5.1.2", "the address literal is not an IP address") from None
