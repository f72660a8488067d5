"""Routes: MX rules, literals, loops, the smart host."""

import asyncio

import pytest

from appliance.transport.routes import DnsFailure, Endpoint, Route, RouteError, Router, Security
from appliance.transport.smarthost import Smarthost, TlsMode, parse_target
from tests.transport.remote import FakeDns


def at(name: str, address: str = "192.0.2.1") -> Endpoint:
    return Endpoint(name, address)


def find(dns: FakeDns, domain: str, smarthost: Smarthost | None = None) -> Route:
    router = Router(dns, frozenset({"us.test"}), lambda endpoint: endpoint.address == "192.0.2.99")
    return asyncio.run(router.route(domain, smarthost))


def refused(dns: FakeDns, domain: str) -> tuple[bool, str]:
    with pytest.raises(RouteError) as caught:
        find(dns, domain)
    return caught.value.permanent, caught.value.status


@pytest.fixture
def dns() -> FakeDns:
    made = FakeDns()
    made.hosts = {name: [at(name)] for name in ("a.test", "b.test", "c.test")}
    made.hosts["us.test"] = [at("us.test", "192.0.2.50")]
    made.hosts["own.test"] = [at("own.test", "192.0.2.99")]
    return made


def test_hosts_by_preference(dns: FakeDns) -> None:
    dns.records["far.test"] = [(20, "b.test"), (10, "a.test"), (20, "c.test"), (30, "gone.test")]
    names = [endpoint.name for endpoint in find(dns, "far.test").endpoints]
    assert names[0] == "a.test"
    assert sorted(names[1:]) == ["b.test", "c.test"]


def test_without_mx_the_domain_itself(dns: FakeDns) -> None:
    assert find(dns, "a.test").endpoints == (at("a.test"),)


def test_who_takes_no_mail(dns: FakeDns) -> None:
    dns.records["null.test"] = [(0, "")]
    dns.records["empty.test"] = [(10, "gone.test")]
    assert refused(dns, "null.test") == (True, "5.1.10")  # RFC 7505
    assert refused(dns, "nowhere.test") == (True, "5.1.2")
    assert refused(dns, "empty.test") == (True, "5.4.4")
    dns.failing["dark.test"] = DnsFailure("timeout")
    assert refused(dns, "dark.test") == (False, "4.4.3")
    dns.records["half.test"] = [(10, "dark.test")]
    assert refused(dns, "half.test") == (False, "4.4.3")


def test_mail_does_not_come_back(dns: FakeDns) -> None:
    dns.records["loop.test"] = [(10, "us.test"), (20, "a.test")]
    assert refused(dns, "loop.test") == (True, "5.4.6")
    dns.records["loop2.test"] = [(10, "own.test")]
    assert refused(dns, "loop2.test") == (True, "5.4.6")
    dns.records["backup.test"] = [(10, "a.test"), (20, "us.test"), (30, "b.test")]
    assert [endpoint.name for endpoint in find(dns, "backup.test").endpoints] == ["a.test"]


def test_literals_and_idn(dns: FakeDns) -> None:
    assert find(dns, "[192.0.2.7]").endpoints[0].address == "192.0.2.7"
    assert find(dns, "[IPv6:2001:db8::1]").endpoints[0].address == "2001:db8::1"
    assert refused(dns, "[192.0.2.99]") == (True, "5.4.6")
    dns.hosts["xn--mnchen-3ya.test"] = [at("m")]
    assert find(dns, "münchen.test").endpoints == (at("m"),)


def test_the_smart_host_takes_all(dns: FakeDns) -> None:
    host = Smarthost("relay.test", 465, TlsMode.IMPLICIT, "u", "p")
    route = find(dns, "nowhere.test", host)
    assert route.endpoints == (Endpoint("relay.test", "relay.test", 465),)
    assert (route.security, route.user, route.password) == (Security.IMPLICIT, "u", "p")


def test_targets() -> None:
    assert parse_target("relay.test:25") == ("relay.test", 25)
    assert parse_target("relay.test") == ("relay.test", 587)
    assert parse_target("[::1]:25") == ("::1", 25)
    assert parse_target("[::1]") == ("::1", 587)
