"""TLS, redirects, health and metrics."""

import contextlib
import datetime
import json
import re
import shutil
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.net import authority
from appliance.net.limits import Limits
from appliance.net.web import Exchange, is_host
from appliance.protocols.http.metrics import Metrics
from appliance.protocols.http.router import Router
from tests.protocols.webserver import HOST, Running, make_identity


def get(running: Running, path: str, *, tls: bool = False) -> tuple[int, str, str]:
    client = running.client(tls=tls)
    client.request("GET", path)
    reply = client.getresponse()
    body = reply.read().decode()
    client.close()
    return reply.status, body, reply.headers["Content-Type"]


def test_health(running: Running) -> None:
    status, body, kind = get(running, "/healthz")
    found = json.loads(body)
    assert (status, kind) == (200, "application/json")
    assert found["state"] in ("ok", "warning")


def test_a_certificate_that_ended_is_told(serve: Callable[..., Running], tmp_path: Path) -> None:
    directory = make_identity(tmp_path)
    past = datetime.datetime(2024, 1, 2, tzinfo=datetime.UTC)
    authority.issue(directory, HOST, [], past - datetime.timedelta(days=0))
    running = serve(tls=directory)
    days = (
        past + datetime.timedelta(days=authority.CERTIFICATE_DAYS) - datetime.datetime.now(datetime.UTC)
    ).days
    assert running.identity is not None
    assert running.identity.days_left() == days
    problems = [problem["kind"] for problem in json.loads(get(running, "/healthz")[1])["problems"]]
    assert ("certificate" in problems) == (days < 30)


def test_metrics(running: Running) -> None:
    get(running, "/echo")
    get(running, "/nothing")
    get(running, "/mine")
    status, body, kind = get(running, "/metrics")
    assert status == 200
    assert kind.startswith("text/plain; version=0.0.4")
    assert 'satchel_http_requests_total{route="echo",method="GET",status="200"} 1' in body
    assert 'satchel_http_requests_total{route="none",method="GET",status="404"} 1' in body
    assert 'satchel_http_requests_total{route="mine",method="GET",status="401"} 1' in body
    assert 'satchel_http_request_seconds_count{route="echo"} 1' in body
    assert re.search(r'^satchel_connections\{service="http"\} \d+$', body, re.M)
    for line in body.splitlines():
        assert re.fullmatch(r'# (HELP|TYPE) satchel_\w+ .+|satchel_\w+(\{(\w+="[^"]*",?)*\})? \S+', line), (
            line
        )


def test_buckets_of_durations_add_up() -> None:
    metrics = Metrics()
    for seconds in (0.001, 0.3, 100.0):
        metrics.answered("x", "BREW", 200, seconds, 10)
    text = "\n".join(metrics.lines())
    assert 'bucket{route="x",le="0.005"} 1' in text
    assert 'bucket{route="x",le="0.5"} 2' in text
    assert 'bucket{route="x",le="+Inf"} 3' in text
    assert 'method="other"' in text


@pytest.mark.parametrize("path", ["/healthz", "/metrics"])
def test_others_than_this_machine_find_no_health(
    running: Running, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("appliance.net.hosted.Hosted.is_loopback", False)
    assert get(running, path, tls=True)[0] == 404


def location(running: Running, method: str, path: str, host: str) -> tuple[int, str | None]:
    client = running.client()
    client.request(method, path, headers={"Host": host})
    reply = client.getresponse()
    reply.read()
    client.close()
    return reply.status, reply.headers["Location"]


def test_without_tls_requests_are_sent_there(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("appliance.net.hosted.Hosted.is_loopback", False)
    assert location(running, "GET", "/echo?a=b%20c", "mail.lan:80") == (302, "https://mail.lan/echo?a=b%20c")
    assert location(running, "POST", "/mine", "mail.lan") == (307, "https://mail.lan/mine")
    assert location(running, "GET", "/nothing", "[::1]:8080") == (302, "https://[::1]/nothing")
    assert location(running, "GET", "/x", "bad host<>") == (302, f"https://{HOST}/x")
    for name in ("autodiscover.example.test", "Autoconfig.example.test"):
        assert location(running, "GET", "/x", name) == (302, f"https://{HOST}/x")


def test_without_a_certificate_there_is_nowhere_to_send_them(
    serve: Callable[..., Running], monkeypatch: pytest.MonkeyPatch
) -> None:
    running = serve(tls=None)
    monkeypatch.setattr("appliance.net.hosted.Hosted.is_loopback", False)
    assert get(running, "/echo")[0] == 200
    client = running.client()
    client.request("GET", "/mine")
    assert client.getresponse().headers.get_all("WWW-Authenticate") == ["NTLM", "Negotiate"]
    client.close()


def test_openssl_is_served_and_sees_a_new_certificate(serve: Callable[..., Running], tmp_path: Path) -> None:
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("openssl is not installed")
    directory = make_identity(tmp_path)
    running = serve(tls=directory)

    def look() -> str:
        command = [program, "s_client", "-connect", f"localhost:{running.tls_port}", "-ign_eof", "-showcerts"]
        request = b"GET /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        done = subprocess.run(command, input=request, capture_output=True, timeout=20, check=False)
        return done.stdout.decode(errors="replace")

    first = look()
    assert "GET /echo?" in first
    assert "TLSv1.3" in first
    authority.issue(directory, "new.example.test", [], datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC))
    assert running.identity is not None
    assert running.identity.reload_if_changed()
    second = look()
    assert "new.example.test" in second
    assert "new.example.test" not in first


def test_half_open_handshakes_hold_an_unsettled_place(serve: Callable[..., Running]) -> None:
    running = serve()
    gate = running.network.gate("http")
    gate._limits = Limits(total=10, per_address=10, unsettled=3, unsettled_per_address=3)
    first = socket.create_connection(("127.0.0.1", running.tls_port), timeout=20)
    others = [socket.create_connection(("127.0.0.1", running.tls_port), timeout=20) for _ in range(3)]
    with contextlib.suppress(ConnectionResetError):
        assert first.recv(10) == b""
    assert gate.evicted == 1
    for sock in (first, *others):
        sock.close()


def test_two_rows_with_one_path_are_a_mistake(running: Running) -> None:
    rows = list(running.routes())
    with pytest.raises(ValueError, match="/echo"):
        Router([*rows, rows[0]])


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("mail.example.test", True),
        ("10.0.0.1", True),
        ("[::1]", True),
        ("a.test.", True),
        ("a b", False),
        ("", False),
        ("[x]", False),
        ("a..b", False),
        ("x" * 64, False),
        ("a/b", False),
        ("ü.test", False),
    ],
)
def test_hosts(text: str, is_one: bool) -> None:
    assert is_host(text) == is_one


def test_a_query_of_too_many_fields_is_refused() -> None:
    scope = {
        "method": "GET",
        "http_version": "1.1",
        "raw_path": b"/",
        "path": "/",
        "query_string": b"&".join(b"a=%d" % n for n in range(100)),
        "headers": [],
    }
    exchange = Exchange(scope, None, None, None)  # type: ignore[arg-type]
    with pytest.raises(Exception, match="400"):
        exchange.query()
