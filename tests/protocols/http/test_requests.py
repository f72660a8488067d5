"""Requests and responses: framing, methods, limits, streams, errors."""

import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from appliance.net.terms import Timeouts
from appliance.protocols.http import connection
from tests.protocols.webserver import Running


def test_a_request_and_its_response(running: Running) -> None:
    client = running.client()
    client.request("POST", "/echo?a=1", b"hello", {"Content-Type": "text/plain"})
    reply = client.getresponse()
    assert reply.read() == b"POST /echo?a=1\nhello"
    assert reply.status == 200
    assert reply.headers["Content-Length"] == "20"
    assert reply.headers["Date"].endswith("GMT")
    assert reply.headers["Server"] is None
    client.request("GET", "/ECHO")  # the same connection; paths without regard to case
    assert client.getresponse().read() == b"GET /ECHO?\n"
    client.close()


def test_head_has_the_headers_alone(running: Running) -> None:
    reply = running.raw(b"HEAD /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    head, _, body = reply.partition(b"\r\n\r\n")
    assert b"200 OK" in head.splitlines()[0]
    assert b"content-length: 12" in head.lower()
    assert body == b""


@pytest.mark.parametrize("method", ["RPC_IN_DATA", "RPC_OUT_DATA", "BPROPFIND", "SEARCH", "PROPFIND", "LOCK"])
def test_unusual_methods_reach_the_handler(running: Running, method: str) -> None:
    client = running.client()
    client.request(method, "/echo", b"<x/>")
    assert client.getresponse().read() == f"{method} /echo?\n<x/>".encode()
    client.close()


def test_trace_and_connect_are_refused(running: Running) -> None:
    for request in (b"TRACE /echo HTTP/1.1", b"CONNECT example.test:443 HTTP/1.1"):
        reply = running.raw(request + b"\r\nHost: x\r\nCookie: secret\r\nConnection: close\r\n\r\n")
        assert reply.startswith(b"HTTP/1.1 405 ")
        assert b"secret" not in reply


def test_a_method_that_a_route_does_not_have(running: Running) -> None:
    client = running.client()
    client.request("DELETE", "/stream/1")
    reply = client.getresponse()
    reply.read()
    assert (reply.status, reply.headers["Allow"]) == (405, "GET, HEAD, OPTIONS")
    client.request("OPTIONS", "/stream/1")
    reply = client.getresponse()
    reply.read()
    assert (reply.status, reply.headers["Allow"]) == (200, "GET, HEAD, OPTIONS")
    client.request("OPTIONS", "*")
    assert client.getresponse().status == 200
    client.close()


def test_nothing_is_found_where_nothing_is(running: Running) -> None:
    for path in ("/", "/nothing", "/../echo", "/echo/x", "//echo"):
        client = running.client()
        client.request("GET", path)
        assert client.getresponse().status == 404
        client.close()


def test_targets_in_absolute_form(running: Running) -> None:
    reply = running.raw(b"GET http://any.test/ech%6F?q HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert reply.endswith(b"GET /echo?q\n")


def test_pipelined_requests_are_answered_in_order(running: Running) -> None:
    requests = b"".join(b"GET /echo?%d HTTP/1.1\r\nHost: x\r\n\r\n" % n for n in range(50))
    posts = b"POST /echo?p HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
    last = b"GET /echo?last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    reply = running.raw(requests + posts + last)
    found = [line for line in reply.splitlines() if b"/echo?" in line]
    assert found == [b"GET /echo?%d" % n for n in range(50)] + [b"POST /echo?p", b"GET /echo?last"]


def test_one_byte_at_a_time(running: Running) -> None:
    data = b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    with socket.create_connection(("127.0.0.1", running.port), timeout=20) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for begin in range(len(data)):
            sock.sendall(data[begin : begin + 1])
        assert sock.recv(65536).endswith(b"POST /echo?\nabc")


def test_http_1_0_closes(running: Running) -> None:
    reply = running.raw(b"GET /stream/2 HTTP/1.0\r\n\r\n")
    head, _, body = reply.partition(b"\r\n\r\n")
    assert b"transfer-encoding" not in head.lower()
    assert body == bytes(65536) + b"\0\0\0\1" * 16384


def test_a_peer_that_sends_no_more_gets_its_answer(running: Running) -> None:
    assert running.raw(b"GET /echo HTTP/1.1\r\nHost: x\r\n\r\n", close=True).endswith(b"GET /echo?\n")


def test_expect_100_continue(running: Running) -> None:
    with socket.create_connection(("127.0.0.1", running.port), timeout=20) as sock:
        head = b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"
        sock.sendall(head)
        assert sock.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        sock.sendall(b"hello")
        assert sock.recv(65536).endswith(b"hello")


def test_expect_is_answered_at_once_where_the_body_is_not_wanted(running: Running) -> None:
    for target, length, status in (
        (b"/nothing", 5, b"404"),
        (b"/echo", 2 << 20, b"413"),
        (b"/mine", 5, b"401"),
    ):
        head = b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n" % (target, length)
        with socket.create_connection(("127.0.0.1", running.port), timeout=20) as sock:
            sock.sendall(head + b"Expect: 100-continue\r\n\r\n")
            reply = sock.recv(65536)
            assert reply.split()[1] == status
            if status != b"401":
                assert b"connection: close" in reply.lower()
                assert sock.recv(65536) == b""


def test_a_body_that_is_too_long_is_refused_and_the_answer_arrives(running: Running) -> None:
    for head in (b"Content-Length: 3000000", b"Transfer-Encoding: chunked"):
        with socket.create_connection(("127.0.0.1", running.port), timeout=20) as sock:
            sock.sendall(b"POST /echo HTTP/1.1\r\nHost: x\r\n" + head + b"\r\n\r\n")
            piece = b"x" * 60000 if b"Length" in head else b"ea60\r\n" + b"x" * 60000 + b"\r\n"
            for _ in range(40):
                sock.sendall(piece)
            assert sock.recv(65536).startswith(b"HTTP/1.1 413 ")


def test_a_refused_body_that_is_short_leaves_the_connection_usable(running: Running) -> None:
    client = running.client()
    client.request("POST", "/nothing", b"x" * 200_000)
    assert client.getresponse().read().startswith(b"404")
    client.request("POST", "/refuse", b"x" * 100)
    reply = client.getresponse()
    assert (reply.status, reply.read()) == (409, b"409 Conflict\nnot now\n")
    client.close()


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"nonsense\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\n\r\n", b"400"),  # no Host
        (b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nBad Header: 1\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 100_000, b"431"),
        (b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", b"400"),
        (b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", b"501"),
        (b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", b"400"),
        (b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1", b"400"),
    ],
)
def test_what_is_no_http_is_refused(running: Running, data: bytes, status: bytes) -> None:
    reply = running.raw(data)
    assert reply[9:12] == status


def test_streams_out_and_in_at_once(running: Running) -> None:
    client = running.client()
    pieces = (b"x" * 100_000 for _ in range(300))
    client.request("POST", "/both", pieces, encode_chunked=True)
    assert client.getresponse().read().endswith(b"total 30000000\n")
    client.close()


def test_a_stream_waits_for_a_slow_peer(running: Running) -> None:
    client = running.client()
    client.request("GET", "/stream/400")  # 25 MB
    reply = client.getresponse()
    assert reply.headers["Transfer-Encoding"] == "chunked"
    size = 0
    while piece := reply.read(1 << 20):
        size += len(piece)
    assert size == 400 * 65536
    client.close()


def test_an_error_in_a_handler_is_the_requests_alone(
    running: Running, caplog: pytest.LogCaptureFixture
) -> None:
    client = running.client()
    client.request("GET", "/boom")
    reply = client.getresponse()
    assert (reply.status, reply.read()) == (500, b"500 Internal Server Error\n")
    client.request("GET", "/echo")
    assert client.getresponse().status == 200
    client.close()
    assert any("a secret detail" in (record.exc_text or "") for record in caplog.records)


def test_silent_and_slow_peers_are_let_go(serve: Callable[..., Running]) -> None:
    running = serve(timeouts=Timeouts(greeting=1.0, idle=1.0, command=1.0, least_rate=1e9))
    head = b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nx"
    with ThreadPoolExecutor(3) as peers:
        silent, early, late = peers.map(running.raw, (b"", b"GET /echo HTTP/1.1\r\nHo", head))
    assert silent == b""
    assert early.startswith(b"HTTP/1.1 408 ")
    assert late.startswith(b"HTTP/1.1 408 ")


def test_long_polls_and_those_who_leave(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "HALF_CLOSED", 0.1)
    socks = [socket.create_connection(("127.0.0.1", running.port), timeout=20) for _ in range(200)]
    for sock in socks:
        sock.sendall(b"GET /poll HTTP/1.1\r\nHost: x\r\n\r\n")
    ready = threading.Event()

    def look() -> None:
        if running.polls == 200:
            ready.set()
        else:
            running.loop.call_later(0.01, look)

    running.loop.call_soon_threadsafe(look)
    assert ready.wait(20)
    socks.pop().close()
    assert running.gone.wait(15)
    running.loop.call_soon_threadsafe(running.news.set)
    for sock in socks:
        assert sock.recv(65536).endswith(b"news")
        sock.close()


def test_an_upgrade_is_not_taken(running: Running) -> None:
    head = b"GET /echo HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n\r\n"
    assert running.raw(head).endswith(b"GET /echo?\n")


def test_the_end_lets_running_requests_finish(serve: Callable[..., Running]) -> None:
    running = serve(grace=20.0)
    with (
        socket.create_connection(("127.0.0.1", running.port), timeout=20) as sock,
        socket.create_connection(("127.0.0.1", running.port), timeout=20) as idle,
    ):
        sock.sendall(b"GET /poll HTTP/1.1\r\nHost: x\r\n\r\n")
        while not running.polls:  # at least one request: the idle connection must have been accepted
            idle.sendall(b"GET /echo HTTP/1.1\r\nHost: x\r\n\r\n")
            assert idle.recv(65536)
        running.end()
        while idle.recv(65536):  # its end says that the server's has begun
            pass
        running.loop.call_soon_threadsafe(running.news.set)
        pieces = []
        while piece := sock.recv(65536):
            pieces.append(piece)
        assert b"".join(pieces).endswith(b"news")
